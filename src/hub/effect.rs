//! What follows from an input, as values.

use std::sync::Arc;

use super::archive::{Record, Search};
use super::ignore::Shunned;
use super::message::{Farewell, Line, Message, View};
use super::peering::Outgoing;
use super::{Happening, login};
use crate::values::id::{RoomId, SessionId};
use crate::values::terminal::Mode;

/// One consequence of an input, to be carried out in order. `session` is always the client that it
/// is about.
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
    /// One client is told something: after the lines that its room's log holds now, and before
    /// later ones.
    Tell { to: SessionId, message: Message },
    /// From here on, a client sees lines in this view.
    View { session: SessionId, view: View },
    /// From here on, a client is not shown arrivals and departures (if `quiet`), lines of the
    /// sessions `ignored`, and lines whose author bears one of these `names` or has borne it since
    /// it was ignored. Both lists are in rising order.
    Hide { session: SessionId, quiet: bool, ignored: Arc<[SessionId]>, names: Arc<[Shunned]> },
    /// A client's program is asked to send whole lines, or each key.
    Mode { session: SessionId, mode: Mode },
    /// The prompt before the line that a client types, if the hub edits that line.
    Prompt { session: SessionId, prompt: Arc<str> },
    /// Typed text is shown on a client's screen (`on`) or hidden, if the client's program agrees.
    Echo { session: SessionId, on: bool },
    /// The word that begins at byte `from` of a client's typed line can become one of `words`: at
    /// least one, the best first.
    Complete { session: SessionId, from: usize, words: Vec<String> },
    /// From here on, all that a client is to be shown waits for [`Effect::Release`] (`on`), or no
    /// longer waits.
    Hold { session: SessionId, on: bool },
    /// Writes what has waited for a client until now.
    Release { session: SessionId },
    /// A client gets what waits for it, and then its connection is closed. The hub has already
    /// forgotten the client.
    Close { session: SessionId, why: Farewell },
    /// A record to be written to disk; its number is higher than those of all records before.
    /// [`News::Recorded`](super::News::Recorded) tells when it is there; nothing waits for that.
    Record { number: u64, record: Record },
    /// A password to be hashed. [`News::Hashed`](super::News::Hashed) is the answer, and has to
    /// come: after a crash the job is handed out again.
    Hash(Arc<login::Job>),
    /// The password in an earlier input is no longer needed: the tape of inputs may erase it.
    SecretSpent,
    /// A search of the disk for a client. [`News::Found`](super::News::Found) is the answer, and
    /// has to come.
    Search(Box<Search>),
    /// The link to other hubs has something to do. There is none where no link is connected.
    Peering(Outgoing),
    /// Something worth a line in the journal and in the stream of events.
    Happened(Happening),
}
