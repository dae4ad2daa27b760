//! What always holds of what a hub knows of others, and what is checked of it when a snapshot is read.

use std::collections::BTreeMap;

use super::entry::HubId;
use super::outbox::Outbox;
use super::reading::Reading;
use super::{HUBS, LANES, Peering};

impl Peering {
    fn bytes_of_outboxes(&self) -> usize {
        self.own.values().map(Outbox::bytes).sum()
    }

    fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.read.values().flat_map(|readings| readings.values())
    }

    /// Checks what was read from a snapshot, and rebuilds what is not in it. `next_line` is the number of the next line
    /// that is said.
    ///
    /// # Errors
    /// What does not fit together.
    pub(in crate::hub) fn revive(&mut self, next_line: u64) -> Result<(), String> {
        for outbox in self.own.values_mut() {
            outbox.revive(next_line)?;
        }
        for reading in self.read.values_mut().flat_map(|readings| readings.values_mut()) {
            reading.revive()?;
        }
        if self.own.values().any(|outbox| outbox.run() > self.runs) {
            return Err("a run has not begun".to_owned());
        }
        if self.peers.len() > HUBS || self.own.len() > LANES || self.read.len() > LANES {
            return Err("there are too many hubs or lanes".to_owned());
        }
        self.bytes = self.bytes_of_outboxes();
        self.early = self.readings().map(Reading::bytes).sum();
        self.note_late();
        Ok(())
    }

    /// Notes anew in which lanes an entry waits for entries of others.
    pub(super) fn note_late(&mut self) {
        let since = |readings: &BTreeMap<HubId, Reading>| readings.values().filter_map(Reading::since).min();
        let late = self.read.iter().filter_map(|(lane, readings)| Some((lane.clone(), since(readings)?)));
        self.late = late.collect();
    }

    /// Panics if weights, or what refers to each other, are wrong.
    pub(in crate::hub) fn check_invariants(&self) {
        self.own.values().for_each(Outbox::check_invariants);
        self.readings().for_each(Reading::check_invariants);
        assert_eq!(self.bytes, self.bytes_of_outboxes(), "outboxes are weighed");
        assert_eq!(self.early, self.readings().map(Reading::bytes).sum::<usize>(), "what came too early is weighed");
        assert!(self.own.values().all(|outbox| outbox.run() <= self.runs), "runs are numbered");
        assert!(self.own.len() <= LANES && self.read.len() <= LANES && self.peers.len() <= HUBS, "all is bounded");
        assert!(self.late.keys().all(|lane| self.read.contains_key(lane)), "what waits is there");
    }
}
