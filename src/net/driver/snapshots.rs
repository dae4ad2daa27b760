//! When a snapshot is made, which lets the tape begin anew, and when memory is given back to the
//! kernel.

use std::time::Duration;

use tracing::error;

use super::Driver;
use crate::logging;
use crate::net::clock::mono;
use crate::net::keep::program::epoch;
use crate::net::keep::recovery::keep_secrets;
use crate::net::keep::tape::Written;
use crate::net::keep::{snapshot, tape};
use crate::net::rounds::Work;
use crate::values::time::Mono;

/// Snapshots that erase a password from the tape: the shortest time between two, and the share of
/// all time that writing them may take (1/200). They are bounded because strangers can bring them
/// about.
const FORGET_EVERY: Duration = Duration::from_secs(5);
const FORGET_SHARE: u32 = 200;

/// A snapshot is due when handling the inputs since the last one took this long: a process that
/// takes over needs about as long to handle them again. But writing snapshots may take at most a
/// quarter of all time.
const REPLAY: Duration = Duration::from_secs(1);
const SNAPSHOT_SHARE: u32 = 4;

/// The most bytes of inputs that one turn of the loop copies behind a snapshot: a fraction of a
/// millisecond.
const PIECE: usize = 512 * 1024;

/// The memory of many clients that have left is given back after this time, unless others have
/// come: the heap's, and by a snapshot the tape's.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(2);

/// Memory is given back only after at least this many clients were there, and half of them have
/// left.
const MANY: usize = 32;

/// The thread that writes snapshots, and when the next one is due.
pub(super) struct Snapshots {
    pub(super) writer: snapshot::Writer,
    /// Whether a snapshot is being written, or the memory of the former one is being given back to
    /// the kernel.
    pub(super) under_way: bool,
    /// A snapshot that is written but does not count yet: the inputs that came meanwhile are still
    /// being copied behind it.
    pub(super) written: Option<Written>,
    /// When the last snapshot was begun, and how long writing it took.
    begun: Mono,
    took: Duration,
    /// How long the turns of the loop since then took, in all.
    pub(super) worked: Duration,
    /// The largest number of clients since memory was given back, and when it is given back next.
    peak: usize,
    give_back_at: Option<Mono>,
    /// When a snapshot is due that erases a password from the tape, and when the last such snapshot
    /// was begun.
    forget_at: Option<Mono>,
    forgot: Option<Mono>,
    /// The length of the inputs, in bytes, at which a snapshot is due.
    tape_length: u64,
}

impl Snapshots {
    pub(super) fn new(writer: snapshot::Writer, at: Mono) -> Self {
        Self {
            writer,
            under_way: false,
            written: None,
            begun: at,
            took: Duration::ZERO,
            worked: Duration::ZERO,
            peak: 0,
            give_back_at: None,
            forget_at: None,
            forgot: None,
            tape_length: tape::length(),
        }
    }

    /// Schedules a snapshot to erase a password that is on the tape and no longer needed.
    pub(super) fn forget_soon(&mut self, at: Mono) {
        let every = FORGET_EVERY.max(self.took * FORGET_SHARE);
        let soonest = self.forgot.map_or(at, |forgot| forgot.after(every));
        self.forget_at = self.forget_at.or(Some(soonest.max(at)));
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.give_back_at.filter(|_| !self.under_way).into_iter().chain(self.forget_at).min()
    }

    /// Whether another snapshot may be begun: none is under way, and writing the last one took at
    /// most one `share`th of the time since it was begun.
    fn may(&self, share: u32, at: Mono) -> bool {
        !self.under_way && at.since(self.begun) >= self.took * share
    }
}

impl Driver {
    /// Gives memory back to the kernel some time after many clients have left.
    pub(super) fn give_back(&mut self, at: Mono) {
        let clients = self.state.hub().session_count();
        let snapshots = &mut self.snapshots;
        snapshots.peak = snapshots.peak.max(clients);
        if snapshots.peak < MANY || clients > snapshots.peak / 2 {
            snapshots.give_back_at = None;
        } else if snapshots.give_back_at.is_none() {
            snapshots.give_back_at = Some(at.after(GIVE_BACK_AFTER));
        } else if snapshots.give_back_at.is_some_and(|due| due <= at) && !snapshots.under_way {
            (snapshots.peak, snapshots.give_back_at) = (clients, None);
            if self.state.tape.is_kept() {
                self.begin_snapshot();
            }
            self.snapshots.writer.trim();
        }
    }

    pub(super) fn is_snapshot_due(&self, at: Mono) -> bool {
        let forget = self.snapshots.forget_at.is_some_and(|due| due <= at);
        let long = self.state.tape.len() > self.snapshots.tape_length
            || self.snapshots.worked > REPLAY
            || self.state.tape.has_many_cuts();
        self.state.tape.is_kept()
            && (forget && !self.snapshots.under_way || long && self.snapshots.may(SNAPSHOT_SHARE, at))
    }

    /// Freezes the state, and has it written by another thread. When that is done, the tape begins
    /// anew behind the snapshot. The loop stands still only while it looks at each client once.
    pub(super) fn begin_snapshot(&mut self) {
        debug_assert!(self.state.outcomes.is_empty(), "what followed so far was applied");
        let Some(blank) = self.state.tape.begin() else { return };
        let at = mono();
        let clients = &self.clients;
        keep_secrets(self.state.tape.slots(), self.state.machine(), |id| clients.connection(id));
        let (frozen, owed) = std::sync::mpsc::channel();
        self.delivery.exchanges.work.push(Work::Freeze(frozen));
        self.snapshots.writer.write(blank, self.state.machine().frozen(), owed);
        (self.snapshots.under_way, self.snapshots.begun, self.snapshots.worked) = (true, at, Duration::ZERO);
        // The snapshot has no password that comes from now on: such a one needs another snapshot.
        self.snapshots.forgot = self.snapshots.forget_at.take().map(|_| at).or(self.snapshots.forgot);
    }

    pub(super) fn snapshot_done(&mut self, done: snapshot::Done) {
        match done {
            snapshot::Done::Written(written, took) => {
                self.snapshots.took = took;
                self.snapshots.written = Some(written);
            }
            snapshot::Done::Failed(blank, problem) => {
                error!(chathub_error = %problem, "what is kept for the next process cannot be written down{}", logging::InWords(&problem));
                self.state.tape.return_blank(blank);
                self.snapshots.under_way = false;
            }
            snapshot::Done::Cleared(place) => {
                self.state.tape.return_half(place);
                self.snapshots.under_way = false;
            }
        }
    }

    /// Copies one piece of the inputs that came while the snapshot was written. After the last
    /// piece the snapshot counts.
    pub(super) fn complete_snapshot(&mut self) {
        let Some(mut written) = self.snapshots.written.take() else { return };
        if !self.state.tape.copy_since(&mut written, PIECE) {
            self.snapshots.written = Some(written);
            return;
        }
        let old = self.state.tape.make_current(written, epoch());
        self.delivery.exchanges.work.push(Work::Kept);
        match old {
            Some(old) => self.snapshots.writer.clear(old),
            None => self.snapshots.under_way = false,
        }
    }
}
