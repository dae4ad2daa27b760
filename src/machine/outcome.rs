//! Outcomes of an input: orders for the rounds, which write to clients, and work for other parts of
//! the daemon.

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

/// An order to the rounds, which write to clients. They apply orders one by one in the order in
/// which they get them, and what clients are sent depends on these alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A client has connected.
    Attach(SessionId),
    /// A room was opened.
    Open(RoomId),
    /// A room was closed.
    Shut(RoomId),
    /// Appends a line to a room's log.
    Post(RoomId, Arc<Line>),
    /// A client reads this room's log from its present end on; it reads no other log any more.
    Enter(SessionId, RoomId),
    /// Sends bytes to one client, behind what is in its room's log now.
    Tell(SessionId, Arc<[u8]>),
    /// The client's draft (the line that it types) is drawn like this from now on; `None`: the hub
    /// no longer echoes it.
    Area(SessionId, Option<Area>),
    /// With `true`, further mail and lines for a client are held back until a release; with
    /// `false`, no longer.
    Hold(SessionId, bool),
    /// Writes what was held back for a client until now.
    Release(SessionId),
    /// A client sees further lines in this view: width, colours, time stamps.
    View(SessionId, View),
    /// Hides further lines of these kinds from a client.
    Hide(SessionId, Hidden),
    /// Sends a client all that it is owed, and then closes its connection.
    Close(SessionId),
    /// Updates the keys with which we encrypt for a client: it has asked for that (KeyUpdate, RFC
    /// 8446, section 4.6.3).
    Rekey(SessionId),
    /// Sends a client this alert when its connection ends: it has broken the TLS protocol.
    Alert(SessionId, Alert),
    /// Changes the limits of the rounds: settings have changed.
    Limits(Limits),
}

/// What the caller has to do after an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// An order for the rounds.
    Order(Order),
    /// Write a record to disk; the record has this number. Repeated after a restart until
    /// [`News::Recorded`](crate::hub::News::Recorded) confirms it.
    Record(u64, Record),
    /// Search on disk. Repeated after a restart until [`News::Found`](crate::hub::News::Found)
    /// answers it.
    Search(Box<Search>),
    /// Hash a password. Repeated after a restart until [`News::Hashed`](crate::hub::News::Hashed)
    /// answers it.
    Hash(Arc<login::Job>),
    /// Take a snapshot soon: it erases a password that is on the tape and no longer needed.
    SecretSpent,
    /// Tell the journal and subscribers of an event. The machine does not depend on it.
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
    /// Bytes that a client may be behind its room (`slow.behind`).
    pub behind: usize,
    /// What to do with a client that is further behind (`slow.policy`).
    pub policy: SlowPolicy,
    /// The time for which a full socket may take nothing before its client is disconnected
    /// (`slow.stall`).
    pub stall: Duration,
    /// Bytes that all rooms together may hold for clients that are behind (`slow.behind_all`).
    pub behind_all: usize,
    /// Bytes of mail that may wait for one client (`limits.mailbox`).
    pub mailbox: usize,
    /// Bytes of mail that may wait for all clients together (`limits.mailboxes`).
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
