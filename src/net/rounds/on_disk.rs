//! Who is answered only when a record is on disk.
//!
//! Where no tape is kept, what a client has brought about is lost with the process until it is on disk. So the answer that
//! it is done waits for that: a few hundredths of a second, as long as the disk takes what it is given. The client's other
//! bytes wait with it, in their order; others are written to as ever.

use std::collections::BTreeSet;

use super::Rounds;
use crate::values::id::SessionId;

/// The clients that wait for a record, each once.
#[derive(Debug, Default)]
pub(super) struct Awaiting {
    /// By the number of the record; with the client's key.
    records: BTreeSet<(u64, usize)>,
    /// The last record that is on disk.
    through: u64,
}

impl Awaiting {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
    }
}

impl Rounds {
    /// Writes nothing to a client until this record is on disk.
    pub(super) fn await_record(&mut self, id: SessionId, record: u64) {
        let Some(key) = self.key(id).filter(|_| record > self.awaiting.through) else { return };
        self.forget_record(key);
        self.clients[key].awaits = Some(record);
        self.awaiting.records.insert((record, key));
    }

    /// All records up to this number are on disk: who has waited for one of them is written to.
    pub(super) fn on_disk(&mut self, through: u64) {
        self.awaiting.through = self.awaiting.through.max(through);
        while let Some((record, key)) = self.awaiting.records.first().copied()
            && record <= self.awaiting.through
        {
            self.awaiting.records.pop_first();
            self.clients[key].awaits = None;
            self.look(key);
        }
    }

    /// A client waits for nothing any more.
    pub(super) fn forget_record(&mut self, key: usize) {
        if let Some(record) = self.clients[key].awaits.take() {
            self.awaiting.records.remove(&(record, key));
        }
    }
}
