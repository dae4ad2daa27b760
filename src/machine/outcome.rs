//! What follows from an input: orders for the rounds, which write to clients, and work for others.

use std::sync::Arc;
use std::time::Duration;

use crate::hub::archive::{Record, Search};
use crate::hub::message::{Line, View};
use crate::hub::peering::Outgoing;
use crate::hub::{Happening, login};
use crate::settings::{Settings, SlowPolicy};
use crate::values::id::{RoomId, SessionId};
use crate::wire::stream::hidden::Hidden;
use crate::wire::terminal::screen::Area;
use crate::wire::tls::record::Alert;

/// An order to the rounds. The rounds apply orders in the order in which they get them, and nothing else decides what
/// clients are sent.
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
    /// A client reads this room's log from its present end on.
    Enter(SessionId, RoomId),
    /// One client gets these bytes, after what is in its room's log now.
    Tell(SessionId, Arc<[u8]>),
    /// What a client types is drawn like this from now on; `None`: we no longer echo it.
    Area(SessionId, Option<Area>),
    /// From here on, what a client is told and what is said in its room waits for a release (`true`), or no longer
    /// does.
    Hold(SessionId, bool),
    /// What was held back for a client until now is written.
    Release(SessionId),
    /// From here on, a client sees lines in this way.
    View(SessionId, View),
    /// From here on, these lines are hidden from a client.
    Hide(SessionId, Hidden),
    /// A client gets what it is owed, and then its connection ends.
    Close(SessionId),
    /// An encrypted client has asked us to update our keys.
    Rekey(SessionId),
    /// An encrypted client has broken the protocol: when its connection ends, it is sent this alert.
    Alert(SessionId, Alert),
    /// From here on, these limits hold: settings have changed.
    Limits(Limits),
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An order for the rounds.
    Order(Order),
    /// A record to be written to disk, with its number. After a restart it comes again, until
    /// [`News::Recorded`](crate::hub::News::Recorded).
    Record(u64, Record),
    /// A search on disk. After a restart it comes again, until [`News::Found`](crate::hub::News::Found).
    Search(Box<Search>),
    /// A password to be hashed. After a restart it comes again, until [`News::Hashed`](crate::hub::News::Hashed).
    Hash(Arc<login::Job>),
    /// A password on the tape is no longer needed: take a snapshot soon, to erase it.
    SecretSpent,
    /// An event for the journal and for subscribers. It changes nothing.
    Happened(Happening),
    /// Something for the link to other hubs to do. It is lost with a connection of the link: what matters of it comes
    /// again when the next one is connected.
    Peering(Outgoing),
    /// A client's turn is over, and it has sent more: [`Machine::bytes`](super::Machine::bytes) is to be called for it
    /// again soon, without bytes.
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
    /// How many bytes a client may be behind its room (`slow.behind`).
    pub behind: usize,
    /// What is done with a client that is further behind (`slow.policy`).
    pub policy: SlowPolicy,
    /// How long a full socket may take nothing before its client is disconnected (`slow.stall`).
    pub stall: Duration,
    /// How many bytes all rooms together may hold for clients that are behind (`slow.behind_all`).
    pub behind_all: usize,
    /// How many bytes may wait for one client alone (`limits.mailbox`).
    pub mailbox: usize,
    /// How many bytes may wait in all mailboxes together (`limits.mailboxes`).
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
