//! When everything begins anew on the tape, from a snapshot; and when memory is given back.

use std::time::Duration;

use tracing::error;

use super::Driver;
use crate::logging;
use crate::net::clock::now;
use crate::net::keep::recovery::epoch;
use crate::net::keep::tape::Written;
use crate::net::keep::{snapshot, tape};
use crate::net::rounds::Work;
use crate::values::time::Mono;

/// The tape is begun anew for the sake of a password on it so often at most: strangers can bring it about. So it
/// takes no more than a two hundredth of a processor's time, however much there is to be written.
const FORGET_EVERY: Duration = Duration::from_secs(5);
const FORGET_SHARE: u32 = 200;

/// A snapshot is written when handling what came since the last one has taken so long: as long as it takes a
/// process that takes over to handle it again, about. And not before the last one has taken less than a quarter
/// of the time since it was begun.
const REPLAY: Duration = Duration::from_secs(1);

/// Bytes of inputs that go along with a snapshot at a time: a fraction of a millisecond.
const PIECE: usize = 512 * 1024;

/// So long after many have left, when nobody comes any more, memory is given back: that of the process, and that of
/// the tape, by a snapshot of what is left.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(2);

/// So many fewer clients, and half of them, are many.
const MANY: usize = 32;
const SNAPSHOT_SHARE: u32 = 4;

/// When snapshots are written.
pub(super) struct Snapshots {
    pub(super) writer: snapshot::Writer,
    /// One is being written, or the memory of the one before is being given back.
    pub(super) under_way: bool,
    /// One that is written, while what came meanwhile goes along.
    pub(super) written: Option<Written>,
    /// When the last one was begun, and how long writing it took.
    begun: Mono,
    took: Duration,
    /// How long it has taken to handle what came since.
    pub(super) worked: Duration,
    /// Most clients since memory was given back; and when it is to be given back the next time.
    peak: usize,
    give_back_at: Option<Mono>,
    /// When the tape is to begin anew because a password stands on it, and when it last did.
    forget_at: Option<Mono>,
    forgot: Option<Mono>,
    /// How long the tape may grow, in bytes.
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

    /// A password on the tape is no longer needed: one is taken soon, to erase it.
    pub(super) fn forget_soon(&mut self, at: Mono) {
        let every = FORGET_EVERY.max(self.took * FORGET_SHARE);
        let soonest = self.forgot.map_or(at, |forgot| forgot.after(every));
        self.forget_at = self.forget_at.or(Some(soonest.max(at)));
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.give_back_at.filter(|_| !self.under_way).into_iter().chain(self.forget_at).min()
    }

    /// Whether the last one is so long ago that one more takes no more than the `share`th part of the time.
    fn may(&self, share: u32, at: Mono) -> bool {
        !self.under_way && at.since(self.begun) >= self.took * share
    }
}

impl Driver {
    /// Gives memory back when many have left.
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

    /// Has everything begin anew on the tape, from where it stands now, as soon as that is written down. What it
    /// stops is a look at each client.
    pub(super) fn begin_snapshot(&mut self) {
        debug_assert!(self.state.outcomes.is_empty(), "what followed so far was carried on");
        let Some(blank) = self.state.tape.begin() else { return };
        let at = now().mono;
        let (frozen, owed) = std::sync::mpsc::channel();
        self.delivery.exchanges.work.push(Work::Freeze(frozen));
        self.snapshots.writer.write(blank, self.state.machine().frozen(), owed);
        (self.snapshots.under_way, self.snapshots.begun, self.snapshots.worked) = (true, at, Duration::ZERO);
        // One that comes from now on is not in it, but goes along on the tape.
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
                self.state.tape.leave_blank(blank);
                self.snapshots.under_way = false;
            }
            snapshot::Done::Cleared(place) => {
                self.state.tape.take_back(place);
                self.snapshots.under_way = false;
            }
        }
    }

    /// Has what came while a snapshot was written go along with it, a piece at a time; in the end, it counts.
    pub(super) fn go_along(&mut self) {
        let Some(mut written) = self.snapshots.written.take() else { return };
        if !self.state.tape.go_along(&mut written, PIECE) {
            self.snapshots.written = Some(written);
            return;
        }
        let old = self.state.tape.count(written, epoch());
        self.delivery.exchanges.work.push(Work::Kept);
        match old {
            Some(old) => self.snapshots.writer.clear(old),
            None => self.snapshots.under_way = false,
        }
    }
}
