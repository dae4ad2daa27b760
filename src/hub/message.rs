//! What is said, as values: the lines of a room, and what one client alone is told.
//!
//! Nothing here is text for a screen. [`crate::wire::render`] turns these values into bytes, a
//! room's line once for all who see it alike.

use crate::values::id::SessionId;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::Role;
use super::archive::Reach;
use super::ignore::Borne;
use super::moderation::NoTarget;
use super::strike::Offence;
use crate::values::id::BanId;
use crate::values::name::{InvalidName, TakenFor};
use crate::values::terminal::{Colors, Mode};
use crate::values::time::{NoLength, Wall};

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
        /// The first few of those who came.
        names: Arc<[Arc<str>]>,
        /// How many are in the room now.
        members: usize,
    },
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

    /// Whether it was said by a person, and so is hidden from those who ignore them.
    #[must_use]
    pub fn is_speech(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Emote { .. })
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

/// Something that was done, told to the one who asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The name is now this.
    Named(Arc<str>),
    /// An administrator gave this name.
    RenamedByAdmin(Arc<str>),
    /// Marked as away.
    Away,
    /// No longer away.
    Back,
    /// Ignoring this one now.
    Ignored(Arc<str>),
    /// Not ignoring this one any more.
    Unignored(Arc<str>),
    /// Arrivals and departures are hidden now.
    Quiet,
    /// Arrivals and departures are shown now.
    NotQuiet,
    /// Time stamps are shown now, at this offset.
    TimeOn(Offset),
    /// Time stamps are not shown now.
    TimeOff,
    /// Colours are shown now.
    ColorsOn,
    /// Colours are not shown now.
    ColorsOff,
    /// What others say waits for a line now.
    Holding,
    /// It does not wait now.
    NotHolding,
    /// Who edits what is typed now.
    Mode(Mode),
    /// What is asked for next is seen by whoever looks at the screen.
    TypingShows,
    /// ^C has cleared what was typed.
    Interrupted,
    /// The report was passed on.
    Reported(Arc<str>),
    /// It was not, for no operator is there who could be told: administrators see that there was one.
    ReportNoted(Arc<str>),
    /// An administrator muted this client, until then if there is an end.
    Muted(Option<Wall>),
    /// The hub muted this client, for that, until then.
    MutedFor {
        /// For what.
        offence: Offence,
        /// Until when.
        until: Wall,
    },
    /// It may speak again.
    Unmuted,
    /// Lines are taken slower now.
    SlowedDown {
        /// How many a second at most.
        lines: u32,
        /// Of how many bytes in all at most.
        bytes: usize,
    },
    /// Its lines wait until there is room for them between those of people who say less.
    GivesWay,
    /// Lines are being dropped now.
    Dropping,
    /// So many lines were dropped in all.
    Dropped(u64),
    /// The room is private.
    Private,
    /// What a room is from now on.
    RoomMode {
        /// The room.
        room: Arc<str>,
        /// For the invited only.
        private: bool,
        /// Only those with a voice speak.
        moderated: bool,
    },
    /// This one may come in.
    Invited {
        /// Who.
        nick: Arc<str>,
        /// Into which room.
        room: Arc<str>,
    },
    /// This one may not any more.
    Uninvited {
        /// Who.
        nick: Arc<str>,
        /// Into which room.
        room: Arc<str>,
    },
    /// One has a voice in that room, or has none any more.
    Voice {
        /// The room.
        room: Arc<str>,
        /// Whether one has.
        on: bool,
    },
    /// This one has a voice, or none any more.
    VoiceOf {
        /// Who.
        nick: Arc<str>,
        /// Whether they have.
        on: bool,
    },
    /// Sent out of that room.
    Expelled {
        /// The room.
        room: Arc<str>,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// This one was sent out.
    ExpelledOther {
        /// Who.
        nick: Arc<str>,
        /// Of which room.
        room: Arc<str>,
    },
    /// This one was disconnected.
    Kicked(Arc<str>),
    /// This one is muted.
    MutedOther {
        /// Who.
        nick: Arc<str>,
        /// Until when, if there is an end.
        until: Option<Wall>,
        /// Without being told.
        shadow: bool,
    },
    /// This one is not muted any more.
    UnmutedOther(Arc<str>),
    /// There is a ban of this number now.
    Banned {
        /// The number.
        id: BanId,
        /// How many it has disconnected.
        hit: usize,
        /// Until when, if there is an end.
        until: Option<Wall>,
    },
    /// The ban of this number is lifted.
    Unbanned(BanId),
    /// So many strikes count against this one.
    Strikes {
        /// Who.
        nick: Arc<str>,
        /// How many.
        count: u32,
    },
    /// The account of this name is an operator's now.
    MadeOperator(Arc<str>),
    /// A password is wanted next.
    Asks(Asked),
    /// No password is wanted any more; this command asks for it again.
    AsksNoMore(Option<Arc<str>>),
    /// What was asked for is not wanted any more.
    Cancelled,
    /// There is an account of this name now.
    Registered(Arc<str>),
    /// Logged in.
    LoggedIn {
        /// To the account of this name.
        name: Arc<str>,
        /// Which may do this.
        role: Role,
    },
    /// Logged out; the name is this one now.
    LoggedOut(Arc<str>),
    /// The account has another password.
    PasswordChanged,
    /// The account of this name is no more, as its owner wished.
    Unregistered(Arc<str>),
    /// The account is no more, as an administrator wished.
    AccountRemoved,
    /// The account may do something else than before.
    RoleChanged(Role),
    /// The name belongs to somebody who has logged in; it is this one now.
    NameReclaimed(Arc<str>),
    /// The room was closed by an administrator.
    RoomClosed {
        /// The room.
        room: Arc<str>,
        /// Why.
        reason: Option<Arc<str>>,
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

/// Something that was not done, and why: for the person at the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No command of that name; the nearest one, if one is near.
    UnknownCommand {
        /// What was typed.
        given: Arc<str>,
        /// The nearest match.
        nearest: Option<&'static str>,
    },
    /// The command is for others.
    RoleNeeded(Role),
    /// The command wants other arguments.
    Usage(&'static super::command::Command),
    /// Nobody of that name.
    NoSuchPerson(Arc<str>),
    /// No room of that name.
    NoSuchRoom(Arc<str>),
    /// There may be a room of that name, and it is for others.
    RoomNotOpen(Arc<str>),
    /// The room belongs to somebody else, or to nobody.
    NotYourRoom {
        /// The room.
        room: Arc<str>,
        /// Whose it is.
        owner: Option<Arc<str>>,
    },
    /// Only those with a voice speak here; this one's room it is.
    NoVoice(Option<Arc<str>>),
    /// As many on a list of the room as there may be.
    TooManyInvited(usize),
    /// There is a room whose name looks like that.
    RoomLooksLike(Arc<str>),
    /// Not a name.
    InvalidName(InvalidName),
    /// Somebody has that name, or one that looks like it.
    NameTaken(Arc<str>),
    /// The hub keeps that name for itself.
    NameReserved(Arc<str>),
    /// The name could be taken for something else.
    NameTakenFor(Arc<str>, TakenFor),
    /// Already in that room.
    AlreadyHere(Arc<str>),
    /// Already has that name.
    AlreadyNamed(Arc<str>),
    /// As many rooms as there may be.
    TooManyRooms(usize),
    /// As many rooms as people from one address may open.
    TooManyRoomsFromAddress(usize),
    /// As many ignored as there may be.
    TooManyIgnored(usize),
    /// Not ignored in the first place.
    NotIgnored(Arc<str>),
    /// Nobody sent a private message yet.
    NobodyToReplyTo,
    /// The one who sent it has gone.
    ReplyGone(Arc<str>),
    /// To oneself.
    ToYourself,
    /// That one takes nothing of what is meant for it alone.
    NotReading(Arc<str>),
    /// That one is sent much by others just now.
    SentALot(Arc<str>),
    /// Muted, until then if there is an end.
    Muted(Option<Wall>),
    /// This one is an operator, and out of an operator's reach.
    IsOperator(Arc<str>),
    /// The ban would hit whoever asks for it.
    HitsYourself,
    /// As many bans as there may be.
    TooManyBans(usize),
    /// No ban is called that.
    NoSuchBan(Arc<str>),
    /// Nobody whom a ban could be about.
    NoTarget(NoTarget),
    /// A network that is too large a part of the Internet.
    TooWide(Arc<str>),
    /// Written like an address, where a person is meant.
    NotByAddress(Arc<str>),
    /// Not a length of time.
    NoLength {
        /// Why.
        why: NoLength,
        /// A reason could stand there as well.
        or_reason: bool,
    },
    /// No account of that name.
    NoSuchAccount(Arc<str>),
    /// Something that can happen to anybody, and passes.
    NotNow,
    /// Words that the filters refuse.
    HouseRules,
    /// The same line too often.
    Repeated,
    /// Nobody comes in from this network.
    NetworkNotAllowed,
    /// The line has more bytes than are allowed.
    LineTooLong {
        /// Bytes it had.
        bytes: u64,
        /// Bytes allowed.
        limit: usize,
    },
    /// A search is under way already.
    StillSearching,
    /// The topic has more bytes than are allowed.
    TopicTooLong(usize),
    /// The program sends lines and nothing else.
    NoCharMode,
    /// Not an offset from UTC.
    BadOffset(Arc<str>),
    /// A ban keeps this address out.
    Banned {
        /// Why.
        reason: Option<Arc<str>>,
        /// Until when, if there is an end.
        until: Option<Wall>,
    },
    /// Nobody may have that name.
    NameBanned {
        /// The name.
        name: Arc<str>,
        /// Why.
        reason: Option<Arc<str>>,
    },
    /// It waits at the door.
    LogInFirst,
    /// The name is registered.
    NameRegistered(Arc<str>),
    /// A name such as this cannot be registered.
    NameFirst(Arc<str>),
    /// Logged in already, to the account of this name.
    LoggedIn(Arc<str>),
    /// Only administrators register names.
    RegisteringClosed,
    /// Nothing is recorded here: so no accounts are made.
    NoAccounts,
    /// Accounts on disk could not be read yet: that name may be somebody's.
    NamesUnread,
    /// Likewise: nobody can log in to one that is not known.
    AccountsUnread,
    /// Bans on disk could not be read yet, and nobody is let in until they are.
    BansUnread,
    /// As many accounts as there may be.
    TooManyAccounts(usize),
    /// The password has fewer characters than this.
    PasswordShort(usize),
    /// The password has more bytes than this.
    PasswordLong(usize),
    /// The password is the name.
    PasswordIsName,
    /// The password is a command, which would be carried out instead.
    PasswordIsCommand,
    /// It was not the same twice.
    PasswordsDiffer,
    /// No account of that name, or not its password.
    WrongPassword,
    /// Not the password of the own account.
    NotYourPassword,
    /// Not said: it may have been meant as a password.
    CouldBePassword,
    /// Not said: it looks like this command, which takes a password, without its slash.
    WithoutSlash(&'static super::command::Command),
    /// Too often; again in so long.
    TooManyAttempts(Duration),
    /// Too many passwords wait to be hashed.
    HashingBusy,
    /// The password could not be hashed.
    HashingFailed,
    /// The hub is full.
    Full,
    /// So many come from this address already.
    TooManyFromAddress(usize),
    /// The hub stops.
    Stopping,
}
