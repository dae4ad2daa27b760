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
    /// Its name.
    pub name: Arc<str>,
    /// How many are in it.
    pub members: usize,
    /// Its topic, if it has one.
    pub topic: Option<Arc<str>>,
    /// Whose it is, if it is somebody's.
    pub owner: Option<Arc<str>>,
    /// How it is.
    pub modes: Modes,
}

/// A report, as an operator is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownReport {
    /// The report.
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

/// A sanction, as an operator in chat is shown it: without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSanction {
    /// What it is called, such as `b3`.
    pub called: Arc<str>,
    /// The word for its kind.
    pub word: &'static str,
    /// The name that it is about, or whose address; `None` if only an address was named.
    pub name: Option<Arc<str>>,
    /// It is about the address of that one as well.
    pub by_address: bool,
    /// The room that it is an expulsion from.
    pub from: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// The operator who made it, or words for an administrator or the hub.
    pub by: Arc<str>,
    /// When it ends; `None`: when it is lifted.
    pub until: Option<Wall>,
}

/// Somebody who has left a moment ago, as an operator in chat is shown them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLeaver {
    /// Their number.
    pub id: SessionId,
    /// Their last name.
    pub nick: Arc<str>,
    /// How long ago.
    pub ago: Duration,
    /// Why, if there is more to say than that they went.
    pub why: Option<Arc<str>>,
}
