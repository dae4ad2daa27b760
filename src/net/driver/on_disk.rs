//! Who waits until something is on disk: people who have done something, where no tape is kept.
//!
//! With a tape, what is answered as done outlives the process by it. Without one, it does when the disk has it, and the
//! answer waits for that; see [`crate::net::rounds`], where nothing is written to the client meanwhile.

use std::time::Duration;

use super::Driver;
use super::outcomes::Delivery;
use crate::hub;
use crate::net::rounds::Work;
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now};

/// How long an answer waits for the disk at most.
const ON_DISK: Duration = Duration::from_secs(3);

/// A client whose answer waits for a record.
pub(super) struct Awaited {
    client: SessionId,
    record: u64,
    /// When it is answered with a warning, though the record is not on disk yet.
    pub(super) until: Mono,
}

impl Delivery {
    /// All records up to this number are on disk.
    pub(super) fn on_disk(&mut self, through: u64) {
        let is_awaited = self.awaited.front().is_some_and(|awaited| awaited.record <= through);
        if is_awaited {
            self.awaited.retain(|awaited| awaited.record > through);
            self.work.push(Work::OnDisk(through));
        }
    }
}

impl Driver {
    /// Before a client is told something: if something was done in the same go that is lost with the process until it is
    /// on disk, what the client is told may be that it is done, and waits.
    pub(super) fn await_deed(&mut self, client: SessionId, at: Now) {
        let Some(record) = self.delivery.deed else { return };
        // Where the disk takes nothing, the hub says so at once.
        if self.state.tape.is_kept() || self.stop.is_some() || self.state.hub().is_disk_stuck(at) {
            return;
        }
        let last = self.delivery.awaited.back();
        if last.is_none_or(|last| (last.client, last.record) != (client, record)) {
            self.delivery.awaited.push_back(Awaited { client, record, until: at.mono.after(ON_DISK) });
            self.delivery.work.push(Work::Await(client, record));
        }
    }

    /// Has those written to who have waited long enough for the disk; they are told that it is not there yet.
    pub(super) fn wait_no_longer(&mut self, at: Now) {
        while let Some(awaited) = self.delivery.awaited.pop_front_if(|awaited| awaited.until <= at.mono) {
            self.delivery.work.push(Work::OnDisk(awaited.record));
            let is_last = self.delivery.awaited.iter().all(|other| other.client != awaited.client);
            if is_last {
                self.state.input(hub::News::NotOnDisk { session: awaited.client }, at);
            }
        }
    }

    /// Has everybody written to who waits for the disk: the hub stops.
    pub(super) fn wait_for_nothing(&mut self) {
        if let Some(last) = self.delivery.awaited.drain(..).next_back() {
            self.delivery.work.push(Work::OnDisk(last.record));
        }
    }
}
