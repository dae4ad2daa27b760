//! Receiving what other hubs say: which entries count, and when their turn comes.

use std::collections::BTreeMap;

use super::entry::{Entry, EntryId, Epoch, Frame, HubId, Lane};
use super::reading::{PATIENCE, Reading};
use super::{EARLY, LANES, Outgoing, Peering, Rule};
use crate::values::time::Mono;

/// An entry whose turn has come.
#[derive(Debug)]
pub(super) struct Turned {
    pub id: EntryId,
    pub entry: Entry,
    /// How many entries are missing for good, if it is a gap.
    pub missing: u64,
}

/// The first of the entries that another one comes after and that was not shown here. `us`: our own life.
fn not_shown<'a>(after: &'a [EntryId], us: &HubId, readings: &BTreeMap<HubId, Reading>) -> Option<&'a EntryId> {
    after.iter().find(|entry| {
        // What our own people have said was shown here when they said it.
        entry.hub != *us
            && readings.get(&entry.hub).is_none_or(|reading| {
                let run = (entry.epoch, entry.run);
                // Nothing more comes of a run before the one that we read.
                reading.run() < run || (reading.run() == run && reading.have() < entry.n)
            })
    })
}

impl Peering {
    /// Takes a frame of the log.
    pub(super) fn receive(&mut self, position: u64, frame: Frame, now: Mono, out: &mut Vec<Outgoing>) {
        self.position = position;
        if frame.hub == self.hub {
            return self.meet_ourselves(
                frame.epoch,
                &frame.lane,
                frame.run,
                frame.entries.last().map_or(0, |e| e.n),
                out,
            );
        }
        if !frame.is_sound() {
            self.counts.refused += 1;
            return;
        }
        let Frame { lane, hub, epoch, run, first, entries } = frame;
        if !self.reads(&hub, epoch, &lane, run, first) {
            return;
        }
        let strict = self.keeps(Rule::Numbers);
        let Some(reading) = self.read.get_mut(&lane).and_then(|readings| readings.get_mut(&hub)) else { return };
        for entry in entries {
            if entry.n > reading.have() || !strict {
                let before = reading.bytes();
                reading.hold(entry, EARLY.saturating_sub(self.early));
                self.early += reading.bytes() - before;
            }
        }
        if reading.is_incomplete() {
            self.ask(&hub, &lane, now, out);
        }
    }

    /// Whether entries of that run are read, and notes that they are if it is a run that begins.
    fn reads(&mut self, hub: &HubId, epoch: Epoch, lane: &Lane, run: u64, first: u64) -> bool {
        if !self.meets(hub, epoch) {
            self.counts.refused += 1;
            return false;
        }
        let peer = &self.peers[hub];
        let (is_former, is_over) = (epoch < peer.epoch(), epoch == peer.epoch() && run <= peer.ended());
        let is_new = match self.read.get(lane).and_then(|readings| readings.get(hub)) {
            // Its life is left out of account.
            Some(reading) if !self.keeps(Rule::Epoch) => reading.run().1 < run,
            Some(reading) if reading.run() > (epoch, run) => {
                self.counts.stale += 1;
                return false;
            }
            Some(reading) => reading.run() < (epoch, run),
            None if is_former || is_over => {
                self.counts.stale += 1;
                return false;
            }
            None => true,
        };
        if is_new {
            return self.begin_reading(hub, lane, Reading::new(epoch, run, first));
        }
        true
    }

    /// Begins to read a run, in the place of the one before. Returns false if there are too many lanes.
    pub(super) fn begin_reading(&mut self, hub: &HubId, lane: &Lane, reading: Reading) -> bool {
        if !self.read.contains_key(lane) && self.read.len() >= LANES {
            self.counts.refused += 1;
            return false;
        }
        let former = self.read.entry(lane.clone()).or_default().insert(hub.clone(), reading);
        self.early -= former.map_or(0, |former| former.bytes());
        self.changed.insert(lane.clone());
        true
    }

    /// Takes an entry of the lane whose turn has come, if there is one.
    pub(super) fn take_turn(&mut self, lane: &Lane, now: Mono, out: &mut Vec<Outgoing>) -> Option<Turned> {
        let (strict, waits_for_others) = (self.keeps(Rule::Numbers), self.keeps(Rule::After));
        let readings = self.read.get(lane)?;
        let (mut found, mut waiting) = (None, Vec::new());
        for (hub, reading) in readings {
            let Some(entry) = reading.next(strict) else { continue };
            let missing = not_shown(&entry.after, &self.hub, readings).filter(|_| waits_for_others);
            let is_patient = reading.since().is_none_or(|since| now.since(since) < PATIENCE);
            match missing {
                Some(missing) if is_patient => waiting.push((hub.clone(), missing.hub.clone())),
                _ => {
                    found = Some((hub.clone(), entry.first()));
                    break;
                }
            }
        }
        if let Some((hub, first)) = found {
            let reading = self.read.get_mut(lane)?.get_mut(&hub)?;
            let (before, (entry, missing)) = (reading.bytes(), reading.take(first)?);
            self.early -= before - reading.bytes();
            let id = EntryId { n: entry.n, ..reading.last(&hub) };
            self.changed.insert(lane.clone());
            return Some(Turned { id, entry, missing });
        }
        let mut late: Option<Mono> = None;
        for (hub, missing) in waiting {
            if let Some(reading) = self.read.get_mut(lane).and_then(|readings| readings.get_mut(&hub)) {
                let since = reading.waits(now);
                late = Some(late.map_or(since, |late| late.min(since)));
            }
            self.ask(&missing, lane, now, out);
        }
        match late {
            Some(late) => _ = self.late.insert(lane.clone(), late),
            None => _ = self.late.remove(lane),
        }
        None
    }

    /// The lanes in which an entry has waited long enough for entries of others.
    pub(super) fn overdue(&self, now: Mono) -> Vec<Lane> {
        let overdue = self.late.iter().filter(|(_, since)| since.after(PATIENCE) <= now);
        overdue.map(|(lane, _)| lane.clone()).collect()
    }
}
