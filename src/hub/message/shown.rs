//! Entries of lists and reports, as a person in chat is shown them.

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
    /// Its topic, if it has one.
    pub topic: Option<Arc<str>>,
    /// The name of the account that owns the room, if one does.
    pub owner: Option<Arc<str>>,
    /// Who may come in, speak and set the topic.
    pub modes: Modes,
}

/// A report, as an operator is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownReport {
    /// The report itself.
    pub report: Arc<Report>,
    /// The name and the room of who made it, if they are still connected.
    pub by_now: Option<(Arc<str>, Arc<str>)>,
    /// The account that they were logged in to.
    pub by_account: Option<Arc<str>>,
    /// The name and the room of the one it is about, likewise.
    pub about_now: Option<(Arc<str>, Arc<str>)>,
    /// The account that they were logged in to.
    pub about_account: Option<Arc<str>>,
    /// The lines in question, with their numbers.
    pub lines: Vec<(u64, ShownLine)>,
    /// At which offset to show their times.
    pub offset: Offset,
}

/// A line in question, as an operator is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownLine {
    /// It is this one; it may have been redacted.
    Line(Arc<Line>),
    /// It was said in private, and is not shown.
    Private,
    /// It is not kept any more.
    Gone,
    /// It is not in memory, and the disk cannot be read now.
    Unread,
}

/// A sanction that another one about the same has taken the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// What it was called.
    pub called: Arc<str>,
    /// When it would have ended.
    pub until: Option<Wall>,
}

/// Which sanctions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// All of them.
    All,
    /// Bans.
    Bans,
    /// Filters.
    Filters,
}

/// A sanction, as an operator in chat is shown it: without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSanction {
    /// The id, such as `b3`.
    pub called: Arc<str>,
    /// The word for the kind of sanction.
    pub word: &'static str,
    /// The name that it is about, or whose address; `None` if only an address was named.
    pub name: Option<Arc<str>>,
    /// It is about the address of that one as well.
    pub by_address: bool,
    /// The name of the room, of an expulsion.
    pub from: Option<Arc<str>>,
    /// The reason, if one was given.
    pub reason: Option<Arc<str>>,
    /// The operator who made it, or words for an administrator or the hub.
    pub by: Arc<str>,
    /// When the sanction ends; `None`: when it is lifted.
    pub until: Option<Wall>,
}

/// Somebody who has left a moment ago, as an operator in chat is shown them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLeaver {
    /// The client that they were.
    pub id: SessionId,
    /// The last name of the client.
    pub nick: Arc<str>,
    /// How long ago the client left.
    pub ago: Duration,
    /// Why, if there is more to say than that they went.
    pub why: Option<Arc<str>>,
}

/// What others may know of where somebody is, or was last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Seen {
    /// They are here as `nick`, in that room, and sent their last line `idle` seconds ago; `name` is the name that they
    /// have registered.
    Here { name: Option<Arc<str>>, nick: Arc<str>, room: Arc<str>, idle: u64, away: Option<Arc<str>> },
    /// The owner of that name was here last then, so many seconds ago.
    Last { name: Arc<str>, at: Wall, ago: u64 },
    /// Nobody has logged in as that since it was registered.
    Never { name: Arc<str>, since: Wall },
    /// They left so many seconds ago.
    Left { nick: Arc<str>, ago: u64 },
    /// Nobody of that name is known.
    Not(Arc<str>),
}
