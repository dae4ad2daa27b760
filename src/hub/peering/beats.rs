//! Beats: what hubs tell each other from time to time of how far they are, and what follows from that. A hub lets go of
//! entries that all others have, and asks for entries that it has not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Again, Beat, EntryId, Epoch, Extent, Had, HubId, Lane};
use super::reading::{PATIENCE, Reading};
use super::{HUBS, Outbox, Outgoing, Peering, Rule};
use crate::values::time::Mono;

/// How often a hub tells how far it is while something changes.
const TALKING: Duration = Duration::from_secs(1);

/// How often it does so while nothing changes.
const IDLE: Duration = Duration::from_secs(3);

/// How often it names all lanes, for those who have missed a beat.
const WHOLE: Duration = Duration::from_secs(9);

/// A hub that has told nothing for this long is away. Two beats may get lost.
const AWAY: Duration = Duration::from_secs(7);

/// For how many beats of a hub's new life its former one is read on: the log may still have something of that.
const FORMER: u64 = 20;

/// What we know of another hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Peer {
    epoch: Epoch,
    /// Whether our entries are kept until it has them: it has told how far it is, and nobody has forgotten it since.
    counts: bool,
    /// The number of its last beat.
    number: u64,
    /// When that came.
    heard: Option<Mono>,
    /// The number of the last run that it had begun by its last whole beat. Runs up to this one that we do not read
    /// have ended.
    ended: u64,
    /// The last of our entries that it has, and of which run, by lane.
    pub(super) has: BTreeMap<Lane, (u64, u64)>,
}

impl Peer {
    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// Whether our entries are kept until it has them.
    pub(super) fn counts(&self) -> bool {
        self.counts
    }

    fn is_away(&self, now: Mono) -> bool {
        self.heard.is_some_and(|heard| now.since(heard) > AWAY)
    }
}

impl Peering {
    /// Notes that there is a hub, in this life or a later one. Returns false if there are too many.
    pub(super) fn meets(&mut self, hub: &HubId, epoch: Epoch) -> bool {
        if !self.peers.contains_key(hub) && self.peers.len() >= HUBS {
            // One that was forgotten makes place.
            let Some(gone) = self.peers.iter().find(|(_, peer)| !peer.counts).map(|(hub, _)| hub.clone()) else {
                return false;
            };
            self.peers.remove(&gone);
            for readings in self.read.values_mut() {
                self.early -= readings.remove(&gone).map_or(0, |reading| reading.bytes());
            }
            self.note_late();
        }
        let peer = self.peers.entry(hub.clone()).or_default();
        if peer.epoch < epoch {
            *peer = Peer { epoch, counts: peer.counts, ..Peer::default() };
        }
        true
    }

    /// Nothing is kept any more for a hub that is gone for good. What we have of it stays known, so that nothing is shown
    /// twice if it comes back.
    pub(super) fn forget(&mut self, hub: &HubId) {
        let Some(peer) = self.peers.get_mut(hub) else { return };
        (peer.counts, peer.heard, peer.has) = (false, None, BTreeMap::new());
        for reading in self.read.values_mut().filter_map(|readings| readings.get_mut(hub)) {
            self.early -= reading.bytes();
            reading.let_go();
        }
        self.note_late();
        self.confirm();
    }

    /// Takes a beat of another hub.
    pub(super) fn hear(&mut self, mut beat: Beat, now: Mono, out: &mut Vec<Outgoing>) {
        if beat.hub == self.hub {
            return;
        }
        if !self.meets(&beat.hub, beat.epoch)
            || beat.lanes.iter().any(|extent| extent.first < 1 || extent.n == u64::MAX)
        {
            self.counts.refused += 1;
            return;
        }
        let (is_new, peer) = match self.peers.get_mut(&beat.hub) {
            Some(peer) if beat.epoch == peer.epoch && beat.number > peer.number => {
                (!peer.counts || peer.number == 0, peer)
            }
            _ => {
                self.counts.stale += 1;
                return;
            }
        };
        (peer.counts, peer.number, peer.heard) = (true, beat.number, Some(now));
        self.greets |= is_new;
        if beat.whole {
            peer.has.clear();
        }
        let mut later = None;
        for Had { lane, entry } in std::mem::take(&mut beat.have).into_iter().filter(|had| had.entry.hub == self.hub) {
            if entry.epoch == self.epoch && self.own.contains_key(&lane) {
                peer.has.insert(lane, (entry.run, entry.n));
            } else if entry.epoch > self.epoch {
                later = later.max(Some(entry.epoch));
            }
        }
        if let Some(later) = later {
            self.outlive(later, out);
        }
        if beat.whole {
            self.end_runs(&beat);
        }
        for extent in beat.lanes {
            self.compare(&beat.hub, beat.epoch, &extent, now, out);
        }
        self.confirm();
    }

    /// Lets go of the runs that a hub has let go of, as its whole beat says: it did so when all had all of it.
    fn end_runs(&mut self, beat: &Beat) {
        let going_on: BTreeSet<&Lane> = beat.lanes.iter().map(|extent| &extent.lane).collect();
        for (lane, readings) in &mut self.read {
            let is_over = |reading: &Reading| {
                let (epoch, run) = reading.run();
                let is_former = epoch < beat.epoch && beat.number > FORMER;
                !going_on.contains(lane) && (is_former || (epoch == beat.epoch && run <= beat.runs))
            };
            if readings.get(&beat.hub).is_some_and(is_over) {
                self.early -= readings.remove(&beat.hub).map_or(0, |reading| reading.bytes());
            }
        }
        self.read.retain(|_, readings| !readings.is_empty());
        self.note_late();
        if let Some(peer) = self.peers.get_mut(&beat.hub) {
            peer.ended = beat.runs;
        }
    }

    /// Compares how far a hub is in one of its lanes with what we have of it, and asks for what is missing.
    fn compare(&mut self, hub: &HubId, epoch: Epoch, extent: &Extent, now: Mono, out: &mut Vec<Outgoing>) {
        let Extent { lane, run, first, n } = extent;
        let (run, strict) = ((epoch, *run), self.keeps(Rule::Epoch));
        match self.read.get_mut(lane).and_then(|readings| readings.get_mut(hub)) {
            None => {
                self.begin_reading(hub, lane, Reading::new(run.0, run.1, *first));
            }
            // The run before may go on in the log, so the new one is read when its first frame comes. Only if that got
            // lost, it has to be asked for.
            Some(reading) if reading.run() < run && strict => {
                if self.linked && first <= n && reading.may_ask(now) {
                    let again = Again { to: hub.clone(), epoch, lane: lane.clone(), run: run.1, from: *first };
                    out.push(Outgoing::Again(Box::new(again)));
                }
                return;
            }
            Some(_) => {}
        }
        let has_less = |reading: &&Reading| reading.run() == run && reading.have() < *n;
        if self.read.get(lane).and_then(|readings| readings.get(hub)).as_ref().is_some_and(has_less) {
            self.ask(hub, lane, now, out);
        }
    }

    /// Asks a hub for what is missing of it in a lane, if it was not asked a moment ago.
    pub(super) fn ask(&mut self, hub: &HubId, lane: &Lane, now: Mono, out: &mut Vec<Outgoing>) {
        // Who is away would not answer, and tells how far it is when it is back.
        if !self.linked || self.peers.get(hub).is_none_or(|peer| peer.is_away(now)) {
            return;
        }
        let Some(reading) = self.read.get_mut(lane).and_then(|readings| readings.get_mut(hub)) else { return };
        if reading.may_ask(now) {
            let EntryId { hub: to, epoch, run, n } = reading.last(hub);
            let again = Again { to, epoch, lane: lane.clone(), run, from: n + 1 };
            out.push(Outgoing::Again(Box::new(again)));
        }
    }

    /// Lets go of entries that all hubs have. Without other hubs, the log alone can have them.
    pub(super) fn confirm(&mut self) {
        let believes = !self.keeps(Rule::Confirmation);
        for (lane, outbox) in &mut self.own {
            let has = |peer: &Peer| match peer.has.get(lane) {
                Some((run, n)) if *run == outbox.run() => (*n).min(outbox.last()),
                _ => 0,
            };
            let all_have = self.peers.values().filter(|peer| peer.counts && !believes).map(has).min();
            let before = outbox.bytes();
            outbox.confirm(all_have.unwrap_or_else(|| outbox.sent()));
            self.bytes -= before - outbox.bytes();
        }
    }

    /// Tells all hubs how far we are. `is_shared` says whether people can say more in a lane: one of which they cannot,
    /// and that all hubs have, is let go of.
    pub(super) fn beat(&mut self, now: Mono, is_shared: impl Fn(&Lane) -> bool) -> Outgoing {
        let whole = self.greets || self.beats == 0 || now.since(self.whole) >= WHOLE;
        if whole {
            self.own.retain(|lane, outbox| !outbox.is_empty() || is_shared(lane));
            let own = &self.own;
            self.peers.values_mut().for_each(|peer| peer.has.retain(|lane, _| own.contains_key(lane)));
            self.whole = now;
        }
        let is_told = |lane: &&Lane| whole || self.changed.contains(*lane);
        let extent = |(lane, outbox): (&Lane, &Outbox)| Extent {
            lane: lane.clone(),
            run: outbox.run(),
            first: outbox.first(),
            n: outbox.last(),
        };
        let lanes = self.own.iter().filter(|(lane, _)| is_told(lane)).map(extent).collect();
        let readings = self.read.iter().filter(|(lane, _)| is_told(lane));
        let have = readings.flat_map(|(lane, readings)| {
            readings.iter().map(|(hub, reading)| Had { lane: lane.clone(), entry: reading.last(hub) })
        });
        let have = have.collect();
        self.beats += 1;
        (self.beaten, self.greets) = (now, false);
        self.changed.clear();
        let (hub, epoch, number, runs) = (self.hub.clone(), self.epoch, self.beats, self.runs);
        Outgoing::Beat(Box::new(Beat { hub, epoch, number, runs, whole, lanes, have }))
    }

    /// When the next beat is due; `None` without a link.
    pub(super) fn next_beat(&self) -> Option<Mono> {
        let rest = match (self.greets, self.changed.is_empty()) {
            (true, _) => Duration::ZERO,
            (false, false) => TALKING,
            (false, true) => IDLE,
        };
        self.linked.then(|| self.beaten.after(rest))
    }

    /// When something is due: a beat, an entry that has waited long enough, or a frame that was refused.
    pub(in crate::hub) fn next_deadline(&self) -> Option<Mono> {
        let late = self.late.values().min().map(|since| since.after(PATIENCE));
        [late, self.next_beat(), self.retry].into_iter().flatten().min()
    }
}
