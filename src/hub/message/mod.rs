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
use crate::values::id::BanId;
use crate::values::terminal::Colors;
use crate::values::time::Wall;

/// A line of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number: rising over all rooms.
    pub seq: u64,
    /// When it was said.
    pub at: Wall,
    /// Who caused it, if one client did: that one is not shown it.
    pub author: Option<SessionId>,
    /// What it says.
    pub said: Said,
    /// The ignored names that its author bears or has borne, if a person said it.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
}

/// What a line of a room's log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// `ann: hi`
    Say {
        /// Who.
        nick: Arc<str>,
        /// What.
        text: Arc<str>,
    },
    /// `* ann waves`
    Emote {
        /// Who.
        nick: Arc<str>,
        /// Does what.
        text: Arc<str>,
    },
    /// Something an administrator says to a room in the name of the hub.
    Notice {
        /// What.
        text: Arc<str>,
    },
    /// A new topic; empty if it was cleared.
    Topic {
        /// Who set it; `None` if an administrator did.
        nick: Option<Arc<str>>,
        /// The topic.
        text: Arc<str>,
    },
    /// A line was here that an administrator has made unreadable. Stands in history only.
    Redacted,
    /// Somebody came in.
    Joined {
        /// Who.
        nick: Arc<str>,
    },
    /// Somebody went.
    Left {
        /// Who.
        nick: Arc<str>,
        /// Why, if there is more to say than that they went.
        reason: Option<Arc<str>>,
        /// They have said that themselves.
        #[serde(default, skip_serializing_if = "is_default")]
        words: bool,
    },
    /// Somebody has another name.
    Renamed {
        /// The name before.
        from: Arc<str>,
        /// The name now.
        to: Arc<str>,
    },
    /// Arrivals and departures of a burst, in one line.
    Gathered {
        /// How many came.
        joined: u32,
        /// How many went.
        left: u32,
        /// How many have taken another name.
        #[serde(default, skip_serializing_if = "is_default")]
        renamed: u32,
        /// The first few of those who came.
        names: Arc<[Arc<str>]>,
        /// How many are in the room now.
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

    /// The name of the one it comes from; empty for an administrator.
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
    /// Names in colours, and what is less important dim.
    pub colors: Colors,
    /// Lines are wrapped before they are as wide, in characters; 0 for not at all.
    pub width: u16,
    /// What is not ASCII is told in ASCII.
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
pub enum Farewell {
    /// It closed its side.
    Hangup,
    /// `/quit`, with what it said last.
    Quit(Option<Arc<str>>),
    /// Its connection broke.
    Lost,
    /// An administrator closed it.
    Kicked(Option<Arc<str>>),
    /// A ban keeps it out.
    Banned {
        /// Why.
        reason: Option<Arc<str>>,
        /// Until when, if there is an end.
        until: Option<Wall>,
    },
    /// It did not take what was owed to it.
    TooSlow,
    /// What was meant for it alone piled up over the limit.
    MailboxFull,
    /// It has waited at the door for too long without logging in.
    NotLoggedIn,
    /// Its account was logged in to from elsewhere.
    Elsewhere,
    /// It had never sent a line, all places were taken, and somebody else came.
    GaveWay,
    /// The hub stops.
    Shutdown(Option<Arc<str>>),
}

/// What one client alone is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The greeting, on connecting.
    Welcome {
        /// The hub's name.
        hub: Arc<str>,
        /// An own line of the operator's.
        greeting: Option<Arc<str>>,
        /// The name given to the newcomer.
        nick: Arc<str>,
        /// The room.
        room: Arc<str>,
        /// How many are in it, the newcomer included.
        members: usize,
        /// What is kept of what is said there.
        kept: Kept,
    },
    /// The greeting where only those come in who have logged in.
    AtDoor {
        /// The hub's name.
        hub: Arc<str>,
        /// An own line of the operator's.
        greeting: Option<Arc<str>>,
        /// Whether one can register.
        register: bool,
        /// How long one may wait.
        wait: Duration,
    },
    /// A room was entered later on.
    Entered {
        /// The room.
        room: Arc<str>,
        /// How many are in it, the newcomer included.
        members: usize,
    },
    /// The topic of a room.
    Topic {
        /// The room.
        room: Arc<str>,
        /// The topic, if there is one.
        topic: Option<Arc<str>>,
    },
    /// Lines of history, between markers.
    Replay {
        /// The room.
        room: Arc<str>,
        /// What they are.
        of: Replay,
        /// Oldest first.
        lines: Arc<[Arc<Line>]>,
        /// At which offset to show the times.
        offset: Offset,
    },
    /// A line of a room, to its author alone.
    Line(Arc<Line>),
    /// A private message that came in.
    PrivateFrom {
        /// From whom.
        nick: Arc<str>,
        /// What.
        text: Arc<str>,
    },
    /// A private message that went out.
    PrivateTo {
        /// To whom.
        nick: Arc<str>,
        /// What.
        text: Arc<str>,
        /// Why the other one is away, if so.
        away: Option<Arc<str>>,
    },
    /// Who is in a room.
    Who {
        /// The room.
        room: Arc<str>,
        /// Names, and whether each is away.
        people: Vec<(Arc<str>, bool)>,
        /// How many there are, listed or not.
        total: usize,
        /// Only those whose names begin so were looked for.
        beginning: Option<Arc<str>>,
        /// Not all of them were looked at.
        is_part: bool,
    },
    /// The rooms there are.
    Rooms {
        /// Name, members, topic.
        rooms: Vec<(Arc<str>, usize, Option<Arc<str>>)>,
        /// How many there are, listed or not.
        total: usize,
        /// Only those whose names begin so were looked for.
        beginning: Option<Arc<str>>,
        /// Not all of them were looked at.
        is_part: bool,
    },
    /// One person.
    Whois {
        /// Their name.
        nick: Arc<str>,
        /// Their room.
        room: Arc<str>,
        /// Since when they are connected.
        since: Wall,
        /// Seconds since they last sent a line.
        idle: u64,
        /// Why they are away, if so.
        away: Option<Arc<str>>,
        /// The account they are logged in to, and what it may do.
        account: Option<(Arc<str>, Role)>,
    },
    /// The list of commands that such a one may use.
    Help(Role),
    /// One command of the table.
    HelpOn(&'static super::command::Command),
    /// What a room is.
    RoomIs {
        /// The room.
        room: Arc<str>,
        /// Whose it is, if it is somebody's.
        owner: Option<Arc<str>>,
        /// For the invited only.
        private: bool,
        /// Only those with a voice speak.
        moderated: bool,
    },
    /// Somebody may come into a room.
    Invitation {
        /// By whom.
        from: Arc<str>,
        /// Into which.
        room: Arc<str>,
    },
    /// The bans in force, to an operator.
    Bans {
        /// The newest first.
        bans: Vec<ShownBan>,
        /// How many there are, listed or not.
        total: usize,
    },
    /// Somebody reports somebody, to an operator.
    Report {
        /// Who.
        from: Arc<str>,
        /// Whom.
        about: Arc<str>,
        /// Why.
        text: Arc<str>,
    },
    /// Those who are ignored.
    Ignoring(Vec<Arc<str>>),
    /// Something that was done.
    Done(Done),
    /// Something that was not done.
    Refused(Refusal),
    /// The answer to "are you there?" (RFC 854).
    HereIAm,
    /// The last line.
    Goodbye(Farewell),
}

/// A ban, as an operator in chat is shown it: without an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownBan {
    /// Its number.
    pub id: BanId,
    /// The name that it is about; `None` if it is about an address.
    pub name: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// By whom.
    pub by: Arc<str>,
    /// Until when, if there is an end.
    pub until: Option<Wall>,
}

/// What is kept of what people say, as they are told on coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// The last so many lines of a room, until it closes.
    Lines(usize),
    /// What is said goes to disk.
    OnDisk {
        /// How long it stays there; without a time, until there is too much.
        time: Option<Duration>,
        /// How many lines are shown again on asking.
        shown: usize,
    },
}

/// What a replay shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The last lines, to a newcomer or on `/history`.
    Last,
    /// The matches of a search.
    Search {
        /// For what.
        query: Arc<str>,
        /// How far back it looked.
        reach: Reach,
    },
}

/// What somebody is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A new password.
    New {
        /// Of so many characters at least.
        least: usize,
    },
    /// The same password again.
    Again,
    /// The password of the account of that name.
    Of(Arc<str>),
    /// One's own present password.
    Present,
}
