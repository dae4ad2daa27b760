//! Messages as values: the lines of a room, and what one client alone is told.
//!
//! No value here is text for a screen. [`crate::wire::render`] turns them into bytes, a room's line once for all who
//! see it alike.
//!
//! | to change | see |
//! | --- | --- |
//! | what a person is told was done | [`Done`] |
//! | what a person is told was not done, and why | [`Refusal`] |
//! | what a client is shown when it comes into a room | [`Entrance`] |
//! | lines of a room; how a client sees them | [`Line`], [`Said`]; [`View`], [`Offset`] |
//! | why a session ends | [`Farewell`] |
//! | entries of lists: rooms, sanctions, reports, clients that have left | `shown` |
//! | everything else that one client is told | [`Message`] |

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
pub use shown::{
    Listed, Replaced, Seen, ShownBearer, ShownCertificate, ShownLeaver, ShownLine, ShownReport, ShownRoom,
    ShownSanction,
};
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

/// A message to one client alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Message {
    /// The client has entered a room, on connecting or later.
    Entrance(Box<Entrance>),
    /// The greeting at the door, where a client waits until it has logged in: whether it can register, how long it may
    /// wait, in a lockdown, until when all newcomers wait, and whether it waits because its address is banned.
    AtDoor {
        hub: Arc<str>,
        greeting: Option<Arc<str>>,
        register: bool,
        wait: Duration,
        lockdown: Option<Wall>,
        banned: bool,
    },
    /// The topic of a room, or that it has none.
    Topic { room: Arc<str>, topic: Option<Arc<str>> },
    /// Lines of a room's history, oldest first, between markers; their times are shown at this offset from UTC.
    Replay { room: Arc<str>, of: Replay, lines: Arc<[Arc<Line>]>, offset: Offset },
    /// A line of a room, told to one client alone.
    Line(Arc<Line>),
    /// A line of a room that has the client's name in it, in the spelling `name`; `ring`: the client's terminal rings.
    Mention { line: Arc<Line>, name: Arc<str>, ring: bool },
    /// A private message from `nick`. `ring`: as above.
    PrivateFrom { nick: Arc<str>, text: Arc<str>, ring: bool },
    /// The client's private message to `nick`. `away` is the reason of their absence, if they are away.
    PrivateTo { nick: Arc<str>, text: Arc<str>, away: Option<Arc<str>> },
    /// The client's message is kept for somebody who is not here.
    MemoLeft {
        /// The person for whom it is kept.
        nick: Arc<str>,
        /// The text.
        text: Arc<str>,
    },
    /// Messages that were left for the client, oldest first; their times are shown at this offset from UTC.
    Memos {
        /// The messages that are shown now.
        memos: Vec<Arc<Memo>>,
        /// How many more are kept for the next time.
        left: usize,
        /// The offset from UTC.
        offset: Offset,
    },
    /// The people in a room, and whether each is away. `total` also counts those who are not listed. With a
    /// `beginning`, only names that begin with it were looked for. `is_part`: not all people were looked at.
    Who { room: Arc<str>, people: Vec<(Arc<str>, bool)>, total: usize, beginning: Option<Arc<str>>, is_part: bool },
    /// The rooms; the other fields are as in [`Self::Who`].
    Rooms { rooms: Vec<ShownRoom>, total: usize, beginning: Option<Arc<str>>, is_part: bool },
    /// What others may know of a person: the room they are in, when they connected, how many seconds ago they last sent
    /// a line (`idle`), why they are away, their account and its role, whether their connection is encrypted.
    Whois {
        nick: Arc<str>,
        room: Arc<str>,
        since: Wall,
        idle: u64,
        away: Option<Arc<str>>,
        account: Option<(Arc<str>, Role)>,
        encrypted: bool,
    },
    /// The certificates that log in to the account of this name; `own` is that of the connection, if it has shown one
    /// that does not.
    Certificates { name: Arc<str>, shown: Vec<ShownCertificate>, own: Option<Arc<str>> },
    /// Whether somebody is here, or when they were here last.
    Seen(Seen),
    /// The commands that this role may use: the dozen that newcomers need, or `all` by name.
    Help { role: Role, all: bool },
    /// The greeting, because the client asks for it; empty if there is none.
    Greeting { hub: Arc<str>, text: Arc<str> },
    /// The house rules; empty if there are none.
    Rules(Arc<str>),
    /// Help on one command of the table.
    HelpOn(&'static super::command::Command),
    /// Owner, modes and moderators of a room.
    RoomIs {
        room: Arc<str>,
        /// The owner's account; `None` if nobody owns the room.
        owner: Option<Arc<str>>,
        modes: Modes,
        /// The names of the accounts that moderate it.
        moderators: Vec<Arc<str>>,
        /// The account that gets the room when its owner's account is gone, if one is named.
        successor: Option<Arc<str>>,
    },
    /// `from` invites the client to a room.
    Invitation { from: Arc<str>, room: Arc<str> },
    /// Sanctions, the newest first.
    Sanctions {
        /// The sanctions on this page.
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
    /// Others whom the name can mean, besides the one who was shown.
    Bearers(Vec<ShownBearer>),
    /// The clients that have left a moment ago, the last one first.
    Leavers {
        /// The clients on this page.
        shown: Vec<ShownLeaver>,
        /// The number of the page, from 1.
        page: usize,
        /// Whether there is another page.
        is_more: bool,
    },
    /// A report by `from` about `about`, told to an operator.
    Report {
        /// The number of the report.
        id: ReportId,
        from: Arc<str>,
        /// Whether `from` is shadow-muted.
        shadow: bool,
        about: Arc<str>,
        /// The reason; empty if none was given.
        reason: Arc<str>,
    },
    /// Reports, to an operator.
    Reports {
        /// The reports on this page.
        reports: Vec<Arc<Report>>,
        /// The number of the page, from 1.
        page: usize,
        /// How many pages there are.
        pages: usize,
        /// How many reports there are on all pages.
        total: usize,
        /// Whether closed reports are listed as well.
        all: bool,
    },
    /// One report, to an operator.
    ReportShown(Box<ShownReport>),
    /// The names that the client ignores.
    Ignoring(Vec<Arc<str>>),
    /// Something was done.
    Done(Done),
    /// Something was not done, and why.
    Refused(Refusal),
    /// The screen is cleared.
    Clear,
    /// The answer to telnet's "are you there?" (RFC 854).
    HereIAm,
    /// The last line that a client is sent.
    Goodbye(Farewell),
}

/// What the hub keeps of what people say, as newcomers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Kept {
    /// Nothing is kept.
    Nothing,
    /// The last lines of a room, in memory alone.
    Lines {
        /// How many lines.
        lines: usize,
        /// For how long; `None`: until the room closes.
        time: Option<Duration>,
    },
    /// Lines go to disk, and stay there for this time, or until there is too much (`None`). `/history` shows this
    /// number of lines.
    OnDisk { time: Option<Duration>, shown: usize },
}

/// What a replay shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Replay {
    /// The last lines, on `/history`.
    Last,
    /// The last lines, with their numbers and the numbers of the clients that said them.
    Numbered,
    /// The lines that a search for `query` has found, and how far back it looked.
    Search { query: Arc<str>, reach: Reach },
}

/// The password that a client is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Asked {
    /// A new password, of at least this number of characters.
    New { least: usize },
    /// The new password again.
    Again,
    /// The password of the account of this name.
    Of(Arc<str>),
    /// The present password of the client's account.
    Present,
}
