//! What is said, as values: the lines of a room, and what one client alone is told.
//!
//! Nothing here is text for a screen. [`crate::wire::render`] turns these values into bytes, a
//! room's line once for all who see it alike.
//!
//! | to change | see |
//! | --- | --- |
//! | what a person is told was done | [`Done`] |
//! | what a person is told was not done, and why | [`Refusal`] |
//! | everything else one client is told; lines of a room; how a client sees lines | here |

mod done;
mod refusal;

pub use done::Done;
pub use refusal::Refusal;

use crate::values::id::SessionId;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::Role;
use super::archive::Reach;
use super::ignore::Borne;
use super::ownership::Modes;
use super::report::Report;
use crate::values::id::ReportId;
use crate::values::terminal::Colors;
use crate::values::time::Wall;

/// A line of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number: rising over all rooms.
    pub seq: u64,
    /// When it was said.
    pub at: Wall,
    /// The client that caused it, which is not shown it; `None` if no client did.
    pub author: Option<SessionId>,
    /// What it says.
    pub said: Said,
    /// The ignored names that its author bears or has borne, if a person said it.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
}

/// What a line of a room's log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Said {
    /// `ann: hi`
    Say { nick: Arc<str>, text: Arc<str> },
    /// `* ann waves`, where the text is `waves`.
    Emote { nick: Arc<str>, text: Arc<str> },
    /// An administrator says something to a room in the name of the hub.
    Notice { text: Arc<str> },
    /// A new topic, or none if the text is empty. `nick` set it; `None`: an administrator did.
    Topic { nick: Option<Arc<str>>, text: Arc<str> },
    /// A line was here that an administrator has made unreadable. In history only.
    Redacted,
    /// Somebody came in.
    Joined { nick: Arc<str> },
    /// Somebody left, for this reason if there is one to tell; `words`: they have said that themselves.
    Left {
        nick: Arc<str>,
        reason: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "is_default")]
        words: bool,
    },
    /// Somebody has another name.
    Renamed { from: Arc<str>, to: Arc<str> },
    /// Arrivals, departures and other names of a burst in one line: how many of each, the names of the first few who
    /// came, and how many people are in the room now.
    Gathered {
        joined: u32,
        left: u32,
        #[serde(default, skip_serializing_if = "is_default")]
        renamed: u32,
        names: Arc<[Arc<str>]>,
        members: usize,
    },
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Said {
    /// Whether history keeps it: what people said and did, not who came and went.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(
            self,
            Self::Say { .. } | Self::Emote { .. } | Self::Notice { .. } | Self::Topic { .. } | Self::Redacted
        )
    }

    /// Whether it tells of coming and going, which `/quiet` hides.
    #[must_use]
    pub fn is_presence(&self) -> bool {
        matches!(self, Self::Joined { .. } | Self::Left { .. } | Self::Renamed { .. } | Self::Gathered { .. })
    }

    /// Whether it is what a person says or does.
    #[must_use]
    pub fn is_speech(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Emote { .. })
    }

    /// Whether what it shows is somebody's own words or name, and so is hidden from those who ignore them: speech, a
    /// topic, another name, and what they say on leaving.
    #[must_use]
    pub fn is_of_a_person(&self) -> bool {
        self.is_speech()
            || matches!(self, Self::Topic { nick: Some(_), .. } | Self::Renamed { .. } | Self::Left { words: true, .. })
    }

    /// Whether its author is shown it as all others are: it is the answer to what they did.
    #[must_use]
    pub fn answers_its_author(&self) -> bool {
        matches!(self, Self::Topic { .. })
    }

    /// The text that history is searched for.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Say { text, .. } | Self::Emote { text, .. } | Self::Notice { text } | Self::Topic { text, .. } => {
                text
            }
            _ => "",
        }
    }

    /// The name of its author; empty if that is an administrator or the hub.
    #[must_use]
    pub fn nick(&self) -> &str {
        match self {
            Self::Say { nick, .. }
            | Self::Emote { nick, .. }
            | Self::Joined { nick }
            | Self::Left { nick, .. }
            | Self::Renamed { from: nick, .. } => nick,
            Self::Topic { nick, .. } => nick.as_deref().unwrap_or(""),
            Self::Notice { .. } | Self::Gathered { .. } | Self::Redacted => "",
        }
    }
}

/// How one client wants a room's lines rendered. All clients with equal views share one rendering.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Time stamps, shown at this offset from UTC; `None` for no time stamps.
    pub time: Option<Offset>,
    /// Which colours names have; what is less important is dim.
    pub colors: Colors,
    /// Lines are wrapped before they reach this width, in characters; 0: they are not wrapped.
    pub width: u16,
    /// Only ASCII is sent: other characters are replaced.
    pub ascii: bool,
}

/// An offset from UTC in minutes, from -24:00 to +24:00, in steps of a quarter of an hour:
/// there are 193 of them, so that strangers cannot make more renderings than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Offset(i16);

impl Offset {
    /// Reads `+hh:mm`, `-hh:mm`, `+hh` or `utc`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("utc") {
            return Some(Self(0));
        }
        let (sign, rest) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let number = |digits: &str| {
            (matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit()))
                .then(|| digits.parse::<i16>().ok())
                .flatten()
        };
        let total = number(hours)? * 60 + number(minutes).filter(|minutes| *minutes < 60)?;
        (total <= 24 * 60 && total % 15 == 0).then_some(Self(sign * total))
    }

    /// Minutes east of UTC.
    #[must_use]
    pub fn minutes(self) -> i16 {
        self.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("UTC");
        }
        let (sign, minutes) = if self.0 < 0 { ('-', -self.0) } else { ('+', self.0) };
        write!(f, "UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Why a session ended, or is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Farewell {
    /// Its client closed its side of the connection.
    Hangup,
    /// `/quit`, with a last word.
    Quit(Option<Arc<str>>),
    /// Its connection broke.
    Lost,
    /// An administrator or operator disconnected it, for this reason.
    Kicked(Option<Arc<str>>),
    /// A ban keeps it out, until then or without end (`None`).
    Banned { reason: Option<Arc<str>>, until: Option<Wall> },
    /// It took nothing for `slow.stall`, or was further behind than `slow.policy` allows.
    TooSlow,
    /// What was meant for it alone grew beyond `limits.mailbox`.
    MailboxFull,
    /// It waited at the door for `accounts.door` without logging in.
    NotLoggedIn,
    /// Its account was logged in to from elsewhere.
    Elsewhere,
    /// It had never sent a line, and made place for a newcomer when all places were taken.
    GaveWay,
    /// The hub stops, with this message.
    Shutdown(Option<Arc<str>>),
}

/// What one client alone is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Message {
    /// The greeting to a newcomer: the names of the hub, the newcomer and its room; the settings' own greeting; how
    /// many are in the room, the newcomer included; what is kept of what is said there.
    Welcome { hub: Arc<str>, greeting: Option<Arc<str>>, nick: Arc<str>, room: Arc<str>, members: usize, kept: Kept },
    /// The greeting where only those come in who have logged in: whether one can register, how long one may wait, and
    /// until when all newcomers wait, if it is because of a lockdown.
    AtDoor { hub: Arc<str>, greeting: Option<Arc<str>>, register: bool, wait: Duration, lockdown: Option<Wall> },
    /// A room was entered, which has so many members now, the newcomer included.
    Entered { room: Arc<str>, members: usize },
    /// The topic of a room, or that it has none.
    Topic { room: Arc<str>, topic: Option<Arc<str>> },
    /// Lines of a room's history, oldest first, between markers; their times are shown at this offset from UTC.
    Replay { room: Arc<str>, of: Replay, lines: Arc<[Arc<Line>]>, offset: Offset },
    /// A line of a room, to its author alone.
    Line(Arc<Line>),
    /// A private message that came in; `nick` wrote it.
    PrivateFrom { nick: Arc<str>, text: Arc<str> },
    /// A private message that went out to `nick`, who is away for that reason, if they are.
    PrivateTo { nick: Arc<str>, text: Arc<str>, away: Option<Arc<str>> },
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
    /// The list of commands that this role may use.
    Help(Role),
    /// One command of the table.
    HelpOn(&'static super::command::Command),
    /// What a room is.
    RoomIs {
        /// The room.
        room: Arc<str>,
        /// Whose it is, if it is somebody's.
        owner: Option<Arc<str>>,
        /// How it is.
        modes: Modes,
        /// The names of those who moderate it.
        moderators: Vec<Arc<str>>,
        /// Who has it when its owner's account is gone, if somebody is named.
        successor: Option<Arc<str>>,
    },
    /// Somebody may come into a room.
    Invitation {
        /// By whom.
        from: Arc<str>,
        /// Into which.
        room: Arc<str>,
    },
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
        /// Only bans were asked for.
        only_bans: bool,
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
        /// Who.
        from: Arc<str>,
        /// Who is muted without being told.
        shadow: bool,
        /// Whom.
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
    /// The answer to "are you there?" (RFC 854).
    HereIAm,
    /// The last line that a client is sent.
    Goodbye(Farewell),
}

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
    /// The last lines, to a newcomer or on `/history`.
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
