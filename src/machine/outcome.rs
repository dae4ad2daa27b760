//! What follows from an input: orders for the rounds, which write to clients, and work for others.

use std::sync::Arc;
use std::time::Duration;

use crate::hub::archive::{Record, Search};
use crate::hub::message::{Line, View};
use crate::hub::{Happening, login};
use crate::settings::{Settings, SlowPolicy};
use crate::values::id::{RoomId, SessionId};
use crate::wire::stream::hidden::Hidden;
use crate::wire::terminal::screen::Area;

/// An order to the rounds. They apply orders in the order in which they get them; what clients are sent follows from
/// that.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A client has connected.
    Attach(SessionId),
    /// A room was opened.
    Open(RoomId),
    /// A room was closed.
    Shut(RoomId),
    /// A line goes to the end of a room's log.
    Post(RoomId, Arc<Line>),
    /// A client reads that room's log from its present end on.
    Enter(SessionId, RoomId),
    /// One client gets these bytes, after what is in its room's log now.
    Tell(SessionId, Arc<[u8]>),
    /// What a client types is drawn like this now; `None`: we echo it no more.
    Area(SessionId, Option<Area>),
    /// From here on, what a client is told and what is said in its room waits for a release (`true`), or not.
    Hold(SessionId, bool),
    /// What has been held back for a client so far is due.
    Release(SessionId),
    /// From here on, a client sees lines in this way.
    View(SessionId, View),
    /// From here on, these lines are hidden from a client.
    Hide(SessionId, Hidden),
    /// A client gets what it is owed, and then its connection ends.
    Close(SessionId),
    /// From here on, these limits hold: settings have changed.
    Limits(Limits),
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An order for the rounds.
    Order(Order),
    /// To be written to disk, under that number. After a restart it is there again, until
    /// [`News::Recorded`](crate::hub::News::Recorded).
    Record(u64, Record),
    /// To be looked for on disk. After a restart it is there again, until [`News::Found`](crate::hub::News::Found).
    Search(Box<Search>),
    /// A password to be hashed. After a restart it is there again, until [`News::Hashed`](crate::hub::News::Hashed).
    Hash(Arc<login::Job>),
    /// A password on the tape is no longer needed: take a snapshot soon, to erase it.
    SecretSpent,
    /// For the journal and the stream of events. It changes nothing.
    Happened(Happening),
    /// That client's turn is over, and it has sent more: [`Machine::bytes`](super::Machine::bytes) is to be called for
    /// it again soon, without bytes.
    More(SessionId),
}

impl From<Order> for Outcome {
    fn from(order: Order) -> Self {
        Self::Order(order)
    }
}

/// The settings that the rounds need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a client may be behind its room (`slow.behind`).
    pub behind: usize,
    /// What is done with a client that is further behind.
    pub policy: SlowPolicy,
    /// How long a full socket may stay full before its client is disconnected.
    pub stall: Duration,
    /// Bytes that all rooms may hold together for clients that are behind.
    pub behind_all: usize,
    /// Bytes that may wait for one client alone.
    pub mailbox: usize,
    /// Bytes that may wait for all clients, each alone, together.
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
