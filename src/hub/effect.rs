//! What follows from an input.

use std::sync::Arc;

use super::archive::{Record, Search};
use super::ignore::Shunned;
use super::message::{Farewell, Line, Message, View};
use super::peering::Outgoing;
use super::{Happening, login};
use crate::values::id::{RoomId, SessionId};
use crate::values::terminal::Mode;

/// Something that follows from an input, to be applied in order. `session` is always the client that it is about.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Effect {
    /// A room was opened; its log starts empty.
    Open(RoomId),
    /// A room was closed; nobody is in it.
    Shut(RoomId),
    /// A line goes to the end of a room's log.
    Post { room: RoomId, line: Arc<Line> },
    /// A client reads that room's log from its present end on.
    Enter { session: SessionId, room: RoomId },
    /// One client is told something: it comes after what is in the log of its room now, and before what comes later.
    Tell { to: SessionId, message: Message },
    /// From here on, a client sees lines in this view.
    View { session: SessionId, view: View },
    /// From here on, a client is not shown arrivals and departures (if `quiet`), what the sessions `ignored` say, and
    /// lines whose author bears one of these `names` or has borne it since. Both lists are in rising order.
    Hide { session: SessionId, quiet: bool, ignored: Arc<[SessionId]>, names: Arc<[Shunned]> },
    /// A client's program is asked to send whole lines, or each key.
    Mode { session: SessionId, mode: Mode },
    /// The prompt before what a client types, where the hub edits its line.
    Prompt { session: SessionId, prompt: Arc<str> },
    /// What a client types is shown on its screen (`on`) or hidden, if its program goes along.
    Echo { session: SessionId, on: bool },
    /// The word that begins at byte `from` of what a client has typed can become one of `words`: at least one, best
    /// first.
    Complete { session: SessionId, from: usize, words: Vec<String> },
    /// From here on, a client's lines and what it is told wait for [`Effect::Release`] (`on`), or no longer wait.
    Hold { session: SessionId, on: bool },
    /// What has waited for a client until now is written.
    Release { session: SessionId },
    /// A client gets what it is owed, and then its connection is closed. The hub has forgotten the client.
    Close { session: SessionId, why: Farewell },
    /// A record has to be written to disk; its number is higher than those before.
    /// [`News::Recorded`](super::News::Recorded) tells when it is there, and nobody waits for that.
    Record { number: u64, record: Record },
    /// A password has to be hashed. [`News::Hashed`](super::News::Hashed) is the answer, and there must be one: after a
    /// crash the job is handed out again.
    Hash(Arc<login::Job>),
    /// The password in an earlier input is no longer needed: it can be erased where inputs are kept.
    SecretSpent,
    /// A client searches what is on disk. [`News::Found`](super::News::Found) is the answer, and there must be one.
    Search(Box<Search>),
    /// The link to other hubs has something to do. There is none where no link is connected.
    Peering(Outgoing),
    /// Something worth a line in the journal and in the stream of events.
    Happened(Happening),
}
