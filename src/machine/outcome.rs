//! What follows from an input: orders to those who write to clients, and the rest.

use std::sync::Arc;
use std::time::Duration;

use crate::hub::archive::{Record, Search};
use crate::hub::message::{Line, View};
use crate::hub::{Happening, login};
use crate::settings::{Settings, SlowPolicy};
use crate::values::id::{RoomId, SessionId};
use crate::wire::stream::hidden::Hidden;
use crate::wire::terminal::screen::Area;

/// What is to be written to whom, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A client is there.
    Attach(SessionId),
    /// A room is there.
    Open(RoomId),
    /// A room is there no more.
    Shut(RoomId),
    /// A line belongs at the end of a room's log.
    Post(RoomId, Arc<Line>),
    /// A client reads that room's log from its present end on.
    Enter(SessionId, RoomId),
    /// One client gets this, after what is in its room's log now.
    Tell(SessionId, Arc<[u8]>),
    /// What a client types looks like this now; `None`: it is none of our business any more.
    Area(SessionId, Option<Area>),
    /// From here on, what a client is told, and what its room is, waits for a release; or it does not.
    Hold(SessionId, bool),
    /// What has waited so far waits no more.
    Release(SessionId),
    /// From here on, a client sees lines in this way.
    View(SessionId, View),
    /// From here on, these lines are hidden from a client.
    Hide(SessionId, Hidden),
    /// A client gets what it is owed, and its connection ends.
    Close(SessionId),
    /// Settings have changed.
    Limits(Limits),
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Something to be carried out.
    Order(Order),
    /// Something to be written to disk. It is told again after a restart, until [`Input::Recorded`].
    Record(u64, Record),
    /// Something to be looked for on disk, likewise.
    Search(Box<Search>),
    /// A password to be hashed. It is told again after a restart, until [`Input::Hashed`].
    Hash(Arc<login::Job>),
    /// A password on the tape is no longer needed: take a snapshot soon, to erase it.
    SecretSpent,
    /// Something to be told: it changes nothing.
    Happened(Happening),
    /// There is more to be taken of what a client has sent: [`Machine::bytes`] is to be told nothing of it, soon.
    More(SessionId),
}

/// The settings that concern those who write to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a client may be behind its room.
    pub behind: usize,
    /// What is done with one that is further behind.
    pub policy: SlowPolicy,
    /// How long a full socket may stay full.
    pub stall: Duration,
    /// What all rooms may hold together for those who are behind, in bytes.
    pub behind_all: usize,
    /// Bytes that may wait for one client alone.
    pub mailbox: usize,
    /// What may wait for all clients, each alone, together.
    pub mailboxes: usize,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        Self {
            behind: settings.slow.behind,
            policy: settings.slow.policy,
            stall: settings.slow.stall,
            behind_all: settings.slow.behind_all,
            mailbox: settings.limits.mailbox,
            mailboxes: settings.limits.mailboxes,
        }
    }
}
