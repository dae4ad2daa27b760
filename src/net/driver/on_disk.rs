//! Where no tape is kept: clients whose answers wait until what they have done is on disk.
//!
//! A tape keeps the changes that were confirmed to their authors. Without a tape only the disk
//! does. So the answer waits for the disk, and the [rounds](crate::net::rounds) write nothing to
//! the client meanwhile.

use std::time::Duration;

use super::Driver;
use super::outcomes::Delivery;
use crate::hub;
use crate::net::rounds::Work;
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now};

/// The longest time that an answer waits for the disk.
const ON_DISK: Duration = Duration::from_secs(3);

/// A client whose answer waits for a record.
pub(super) struct Awaited {
    client: SessionId,
    record: u64,
    /// When the client is answered all the same, with a warning.
    pub(super) until: Mono,
}

impl Delivery {
    /// Notes that all records up to `through` are on disk.
    pub(super) fn on_disk(&mut self, through: u64) {
        let is_awaited = self.awaited.iter().any(|awaited| awaited.record <= through);
        if is_awaited {
            self.awaited.retain(|awaited| awaited.record > through);
            self.work.push(Work::OnDisk(through));
        }
    }
}

impl Driver {
    /// Called before an answer goes to `client`. If the inputs that are being applied have recorded
    /// a deed, the text may say that the deed is done: so the text waits until the record is on
    /// disk.
    pub(super) fn await_deed(&mut self, client: SessionId, at: Now) {
        if let Some(record) = self.delivery.deed {
            self.await_record(client, record, at);
        }
    }

    /// Nothing more is written to the client until this record is on disk.
    pub(super) fn await_record(&mut self, client: SessionId, record: u64, at: Now) {
        // If the disk takes nothing, the hub tells the client so at once.
        if self.state.tape.is_kept() || self.stop.is_some() || self.state.hub().is_disk_stuck(at) {
            return;
        }
        let last = self.delivery.awaited.back();
        if last.is_none_or(|last| (last.client, last.record) != (client, record)) {
            self.delivery.awaited.push_back(Awaited { client, record, until: at.mono.after(ON_DISK) });
            self.delivery.work.push(Work::Await(client, record));
        }
    }

    /// Releases the clients that have waited [`ON_DISK`] for the disk. They get the message that
    /// the change is not on disk yet.
    pub(super) fn wait_no_longer(&mut self, at: Now) {
        while self.delivery.awaited.front().is_some_and(|awaited| awaited.until <= at.mono)
            && let Some(awaited) = self.delivery.awaited.pop_front()
        {
            self.delivery.work.push(Work::OnDisk(awaited.record));
            let is_last = self.delivery.awaited.iter().all(|other| other.client != awaited.client);
            if is_last {
                self.state.input(hub::News::NotOnDisk { session: awaited.client }, at);
            }
        }
    }

    /// Releases all clients that wait for the disk, because the hub stops.
    pub(super) fn wait_for_nothing(&mut self) {
        if let Some(last) = self.delivery.awaited.drain(..).next_back() {
            self.delivery.work.push(Work::OnDisk(last.record));
        }
    }
}
