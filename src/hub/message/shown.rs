//! Entries of lists and reports, as they are shown to a person in chat.

use std::sync::Arc;
use std::time::Duration;

use super::{Line, Offset};
use crate::hub::ownership::Modes;
use crate::hub::report::Report;
use crate::values::id::SessionId;
use crate::values::time::Wall;

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRoom {
    /// The name of the room.
    pub name: Arc<str>,
    /// The number of people in the room.
    pub members: usize,
    /// The room's topic, if it has one.
    pub topic: Option<Arc<str>>,
    /// The name of the account that owns the room, if one does.
    pub owner: Option<Arc<str>>,
    /// Who may come in, speak and set the topic.
    pub modes: Modes,
}

/// A report, as it is shown to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownReport {
    /// The report itself.
    pub report: Arc<Report>,
    /// The present name and room of the person who made the report, if they are still connected.
    pub by_now: Option<(Arc<str>, Arc<str>)>,
    /// The account that this person was logged in to.
    pub by_account: Option<Arc<str>>,
    /// The present name and room of the person whom the report is about, if they are still connected.
    pub about_now: Option<(Arc<str>, Arc<str>)>,
    /// The account that that person was logged in to.
    pub about_account: Option<Arc<str>>,
    /// The lines in question, with their numbers.
    pub lines: Vec<(u64, ShownLine)>,
    /// The offset from UTC at which the times of these lines are shown.
    pub offset: Offset,
}

/// A line in question, as it is shown to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownLine {
    /// The line itself; it may have been redacted.
    Line(Arc<Line>),
    /// The line was said in private, and is not shown.
    Private,
    /// The line is no longer kept.
    Gone,
    /// The line is not in memory, and the disk cannot be read now.
    Unread,
}

/// A sanction that was replaced by another one about the same target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The name of the former sanction, such as `b3`.
    pub called: Arc<str>,
    /// When it would have ended; `None`: when somebody lifted it.
    pub until: Option<Wall>,
}

/// A certificate that logs in to an account, as it is shown to its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownCertificate {
    /// The beginning of its fingerprint.
    pub short: Arc<str>,
    /// Since when it logs in.
    pub since: Wall,
    /// Whether it is that of the owner's connection.
    pub is_own: bool,
}

/// Which sanctions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// All sanctions.
    All,
    /// Bans.
    Bans,
    /// Filters.
    Filters,
}

/// A sanction, as it is shown to an operator in chat: without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSanction {
    /// The id, such as `b3`.
    pub called: Arc<str>,
    /// The word for the kind of sanction.
    pub word: &'static str,
    /// The name that it is about, or the name of the person whose address it is about; `None` if only an address was
    /// given.
    pub name: Option<Arc<str>>,
    /// Whether it is about the address of that person.
    pub by_address: bool,
    /// The name of the room, for an expulsion.
    pub from: Option<Arc<str>>,
    /// The reason, if one was given.
    pub reason: Option<Arc<str>>,
    /// A word for its address, if it is about the address of one person.
    pub mask: Option<Arc<str>>,
    /// The operator who made it, or words for an administrator or the hub.
    pub by: Arc<str>,
    /// When the sanction ends; `None`: when it is lifted.
    pub until: Option<Wall>,
}

/// A client that has left a moment ago, as it is shown to an operator in chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLeaver {
    /// The client's number.
    pub id: SessionId,
    /// The last name of the client.
    pub nick: Arc<str>,
    /// What the client was called before, the last name first.
    pub former: Vec<Arc<str>>,
    /// How long ago the client left.
    pub ago: Duration,
    /// Why the client left; `None` if it just went.
    pub why: Option<Arc<str>>,
    /// The account of the client, or a word for its address, by which it is told from others of its name.
    pub from: Arc<str>,
}

/// Somebody whom a name can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownBearer {
    /// The number of the client, where it can be named so.
    pub id: Option<SessionId>,
    /// Its present name, or its last one.
    pub nick: Arc<str>,
    /// Whether the client is here.
    pub is_here: bool,
    /// How long ago it bore the name last; `None`: it bears or owns it.
    pub ago: Option<Duration>,
    /// The account of the client, or a word for its address.
    pub from: Option<Arc<str>>,
}

/// Where somebody is, or was last, as far as others may know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Seen {
    /// The person is here as `nick`, in this room, and sent their last line `idle` seconds ago; `name` is the name that
    /// they have registered.
    Here { name: Option<Arc<str>>, nick: Arc<str>, room: Arc<str>, idle: u64, away: Option<Arc<str>> },
    /// The owner of this name was last here at this time, `ago` seconds ago.
    Last { name: Arc<str>, at: Wall, ago: u64 },
    /// Nobody has logged in to this account since it was registered.
    Never { name: Arc<str>, since: Wall },
    /// The person left `ago` seconds ago.
    Left { nick: Arc<str>, ago: u64 },
    /// Nobody of that name is known.
    Not(Arc<str>),
}
