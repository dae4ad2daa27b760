//! What is said, as values: the lines of a room, and what one client alone is told.
//!
//! Nothing here is text for a screen. [`crate::wire::render`] turns these values into bytes, a
//! room's line once for all who see it alike.
//!
//! | to change | see |
//! | --- | --- |
//! | what a person is told was done | [`Done`] |
//! | what a person is told was not done, and why | [`Refusal`] |
//! | what somebody is shown on coming into a room | [`Entrance`] |
//! | lines of a room; how a client sees them | [`Line`], [`Said`]; [`View`], [`Offset`] |
//! | why somebody leaves | [`Farewell`] |
//! | entries of lists: rooms, sanctions, reports, those who have left | `shown` |
//! | everything else one client is told | [`Message`] |

mod done;
mod entrance;
mod farewell;
mod line;
mod refusal;
mod shown;
mod view;

pub use done::Done;
pub use entrance::{Entrance, Welcome};
pub use farewell::Farewell;
pub use line::{Line, Said};
pub use refusal::Refusal;
pub use shown::{Listed, Replaced, Seen, ShownLeaver, ShownLine, ShownReport, ShownRoom, ShownSanction};
pub use view::{Offset, View};

use std::sync::Arc;
use std::time::Duration;

use super::account::Role;
use super::archive::Reach;
use super::memo::Memo;
use super::ownership::Modes;
use super::report::Report;
use crate::values::id::ReportId;
use crate::values::time::Wall;

/// What one client alone is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Message {
    /// A room was entered, on connecting or later.
    Entrance(Box<Entrance>),
    /// The greeting where only those come in who have logged in: whether one can register, how long one may wait, and
    /// until when all newcomers wait, if it is because of a lockdown.
    AtDoor { hub: Arc<str>, greeting: Option<Arc<str>>, register: bool, wait: Duration, lockdown: Option<Wall> },
    /// The topic of a room, or that it has none.
    Topic { room: Arc<str>, topic: Option<Arc<str>> },
    /// Lines of a room's history, oldest first, between markers; their times are shown at this offset from UTC.
    Replay { room: Arc<str>, of: Replay, lines: Arc<[Arc<Line>]>, offset: Offset },
    /// A line of a room, to its author alone.
    Line(Arc<Line>),
    /// A line of a room that has the name of the one who is shown it; `ring`: their terminal is to ring.
    Mention { line: Arc<Line>, name: Arc<str>, ring: bool },
    /// A private message that came in; `nick` wrote it. `ring`: as above.
    PrivateFrom { nick: Arc<str>, text: Arc<str>, ring: bool },
    /// A private message that went out to `nick`, who is away for that reason, if they are.
    PrivateTo { nick: Arc<str>, text: Arc<str>, away: Option<Arc<str>> },
    /// A message is kept for somebody who is not here.
    MemoLeft {
        /// For whom.
        nick: Arc<str>,
        /// What.
        text: Arc<str>,
    },
    /// Messages that were left for the client, oldest first; their times are shown at this offset from UTC.
    Memos {
        /// Those that are shown.
        memos: Vec<Arc<Memo>>,
        /// How many more are kept for the next time.
        left: usize,
        /// The offset.
        offset: Offset,
    },
    /// The people in a room, and whether each is away. `total` counts those who are not listed as well. If there is a
    /// `beginning`, only names that begin with it were looked for; `is_part`: not all people were looked at.
    Who { room: Arc<str>, people: Vec<(Arc<str>, bool)>, total: usize, beginning: Option<Arc<str>>, is_part: bool },
    /// The rooms; the rest as in [`Self::Who`].
    Rooms { rooms: Vec<ShownRoom>, total: usize, beginning: Option<Arc<str>>, is_part: bool },
    /// What others may know of a person: the room they are in, since when they are connected, how many seconds ago they
    /// last sent a line (`idle`), why they are away, their account and its role.
    Whois {
        nick: Arc<str>,
        room: Arc<str>,
        since: Wall,
        idle: u64,
        away: Option<Arc<str>>,
        account: Option<(Arc<str>, Role)>,
    },
    /// Whether somebody is here, or when they were here last.
    Seen(Seen),
    /// The commands that this role may use: the dozen that newcomers need, or `all` by name.
    Help { role: Role, all: bool },
    /// The greeting, as often as one asks for it; empty if there is none.
    Greeting { hub: Arc<str>, text: Arc<str> },
    /// The house rules; empty if there are none.
    Rules(Arc<str>),
    /// One command of the table.
    HelpOn(&'static super::command::Command),
    /// What a room is.
    RoomIs {
        room: Arc<str>,
        /// Whose it is, if it is somebody's.
        owner: Option<Arc<str>>,
        modes: Modes,
        /// The names of those who moderate it.
        moderators: Vec<Arc<str>>,
        /// Who has it when its owner's account is gone, if somebody is named.
        successor: Option<Arc<str>>,
    },
    /// Somebody may come into a room.
    Invitation { from: Arc<str>, room: Arc<str> },
    /// Sanctions, the newest first.
    Sanctions {
        /// Those on this page.
        shown: Vec<ShownSanction>,
        /// The number of the page, from 1.
        page: usize,
        /// How many pages there are.
        pages: usize,
        /// How many sanctions there are.
        total: usize,
        /// Which ones were asked for.
        what: Listed,
    },
    /// Who has left a moment ago, the last one first.
    Leavers {
        /// Those on this page.
        shown: Vec<ShownLeaver>,
        /// The number of the page, from 1.
        page: usize,
        /// There is another page.
        is_more: bool,
    },
    /// Somebody reports somebody, to an operator.
    Report {
        /// The number of the report.
        id: ReportId,
        from: Arc<str>,
        /// Who is muted without being told.
        shadow: bool,
        about: Arc<str>,
        /// Why; empty if it was not said.
        reason: Arc<str>,
    },
    /// Reports, to an operator.
    Reports {
        /// Those of the page.
        reports: Vec<Arc<Report>>,
        /// The page, from 1 on.
        page: usize,
        /// How many pages there are.
        pages: usize,
        /// How many reports there are, on this page or not.
        total: usize,
        /// Closed ones as well.
        all: bool,
    },
    /// One report, to an operator.
    ReportShown(Box<ShownReport>),
    /// Those who are ignored.
    Ignoring(Vec<Arc<str>>),
    /// Something was done.
    Done(Done),
    /// Something was not done, and why.
    Refused(Refusal),
    /// The screen is cleared.
    Clear,
    /// The answer to "are you there?" (RFC 854).
    HereIAm,
    /// The last line that a client is sent.
    Goodbye(Farewell),
}

/// What is kept of what people say, as they are told on coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Kept {
    /// Nothing is kept.
    Nothing,
    /// The last lines of a room, in memory alone.
    Lines {
        /// So many.
        lines: usize,
        /// For how long; without a time, until the room closes.
        time: Option<Duration>,
    },
    /// What is said goes to disk, and stays there for this time, or until there is too much (`None`). `/history` shows
    /// this number of lines.
    OnDisk { time: Option<Duration>, shown: usize },
}

/// What a replay shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Replay {
    /// The last lines, on `/history`.
    Last,
    /// The same, with their numbers and those of who said them.
    Numbered,
    /// The lines that a search for `query` has found, and how far back it looked.
    Search { query: Arc<str>, reach: Reach },
}

/// Which password somebody is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Asked {
    /// A new one, of at least this number of characters.
    New { least: usize },
    /// The new one again.
    Again,
    /// That of the account of this name.
    Of(Arc<str>),
    /// The present one of the client's account.
    Present,
}
