//! What we have of another hub in one lane: how far we are, and what came too early.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, EntryId, Epoch, HubId};
use crate::values::time::Mono;

/// How long an entry waits at most for what it [comes after](Entry::after). A person who reads an answer before the
/// question understands it sooner than one who is shown nothing, and the hub whose entry is missing may be away.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long a hub is not asked again for entries that it was asked for.
const ASKED: Duration = Duration::from_secs(1);

/// The most entries that are held because others before them are missing. Those beyond are asked for again.
const HELD: usize = 1024;

/// One run of another hub's lane, as far as we have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    epoch: Epoch,
    run: u64,
    /// The last entry that was shown here, all before included.
    have: u64,
    /// Entries behind that one, by the first number that each stands for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    held: BTreeMap<u64, Entry>,
    /// What the held entries weigh, in bytes.
    #[serde(skip)]
    bytes: usize,
    /// Since when the next entry waits for entries of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Mono>,
    /// When its hub was last asked for what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Mono>,
}

impl Reading {
    /// Begins to read a run from the entry `first` on.
    pub(super) fn new(epoch: Epoch, run: u64, first: u64) -> Self {
        Self { epoch, run, have: first - 1, held: BTreeMap::new(), bytes: 0, since: None, asked: None }
    }

    /// The life and the run, of which those that come later are greater.
    pub(super) fn run(&self) -> (Epoch, u64) {
        (self.epoch, self.run)
    }

    pub(super) fn have(&self) -> u64 {
        self.have
    }

    /// The last entry that was shown.
    pub(super) fn last(&self, hub: &HubId) -> EntryId {
        EntryId { hub: hub.clone(), epoch: self.epoch, run: self.run, n: self.have }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn since(&self) -> Option<Mono> {
        self.since
    }

    /// Holds an entry until its turn comes, if `room` bytes are enough. The next entry is held in any case: nothing would
    /// ever be shown if those behind it took all the room.
    pub(super) fn hold(&mut self, entry: Entry, room: usize) {
        let is_next = entry.first() <= self.have + 1;
        if (is_next || (self.held.len() < HELD && entry.weight() <= room)) && !self.held.contains_key(&entry.first()) {
            self.bytes += entry.weight();
            self.held.insert(entry.first(), entry);
        }
    }

    /// The entry whose turn it is, if it is here. `strict`: it has to be the next one by its number, as it always is but
    /// where a test wants it otherwise.
    pub(super) fn next(&self, strict: bool) -> Option<&Entry> {
        let mut held = self.held.values();
        held.find(|entry| !strict || entry.n > self.have).filter(|entry| !strict || entry.first() <= self.have + 1)
    }

    /// Takes the entry that begins with the number `first`, to be shown. Returns how many are missing for good, if it is
    /// a gap: those before are here.
    pub(super) fn take(&mut self, first: u64) -> Option<(Entry, u64)> {
        let entry = self.held.remove(&first)?;
        self.bytes -= entry.weight();
        let missing = entry.n.saturating_sub(self.have);
        self.have = self.have.max(entry.n);
        self.since = None;
        // What a gap covers may have come as well.
        while let Some(held) = self.held.first_entry()
            && held.get().n <= self.have
        {
            self.bytes -= held.remove().weight();
        }
        Some((entry, missing))
    }

    /// Notes that the next entry waits for entries of others. Returns since when.
    pub(super) fn waits(&mut self, now: Mono) -> Mono {
        *self.since.get_or_insert(now)
    }

    /// Whether its hub is to be asked now for what is missing, and notes that it is.
    pub(super) fn may_ask(&mut self, now: Mono) -> bool {
        let may = self.asked.is_none_or(|asked| now.since(asked) >= ASKED);
        if may {
            self.asked = Some(now);
        }
        may
    }

    /// Whether something came too early.
    pub(super) fn is_incomplete(&self) -> bool {
        self.held.first_key_value().is_some_and(|(first, _)| *first > self.have + 1)
    }

    /// Lets go of what is held: its hub is gone.
    pub(super) fn let_go(&mut self) {
        (self.held, self.bytes, self.since) = (BTreeMap::new(), 0, None);
    }

    /// Checks what was read from a snapshot, and weighs it.
    pub(super) fn revive(&mut self) -> Result<(), String> {
        let is_sound = |(first, entry): (&u64, &Entry)| {
            *first == entry.first() && *first >= 1 && entry.n >= *first && entry.n > self.have && entry.n < u64::MAX
        };
        if !self.held.iter().all(is_sound) || self.have == u64::MAX {
            return Err(format!("entries behind {} do not fit together", self.have));
        }
        self.bytes = self.held.values().map(Entry::weight).sum();
        Ok(())
    }

    /// Panics if the weight is wrong, or something is held in vain.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.bytes, self.held.values().map(Entry::weight).sum::<usize>());
        assert!(
            self.held.iter().all(|(first, entry)| *first == entry.first()),
            "entries are found by their first number"
        );
    }
}
