//! What was done, told to the client that asked for it, or to which it was done.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::ownership::Modes;
use super::{Asked, Offset, Replaced};
use crate::values::id::ReportId;
use crate::values::terminal::Mode;
use crate::values::time::Wall;

/// Something that was done, told to the client that asked for it, or to which it was done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Done {
    /// The client has this name now.
    Named(Arc<str>),
    /// An administrator has given the client this name.
    RenamedByAdmin(Arc<str>),
    /// The client has asked for more lines of history than this number, which is the most that are shown at once.
    MostLines(usize),
    /// The client is marked as away.
    Away,
    /// The client is no longer away.
    Back,
    /// The client ignores this name now.
    Ignored(Arc<str>),
    /// The client no longer ignores this name.
    Unignored(Arc<str>),
    /// Arrivals and departures are hidden now.
    Quiet,
    /// Arrivals and departures are shown now.
    NotQuiet,
    /// Time stamps are shown now, at this offset from UTC.
    TimeOn(Offset),
    /// Time stamps are shown now in a time zone, which is at this offset from UTC.
    TimeIn { zone: &'static str, offset: Offset },
    /// The clocks of the time zone have changed, to this offset from UTC.
    ClocksChanged { zone: &'static str, offset: Offset },
    /// Time stamps are no longer shown.
    TimeOff,
    /// Colours are shown now.
    ColorsOn,
    /// Colours are no longer shown.
    ColorsOff,
    /// The client's terminal rings from now on when somebody says its name or writes to it.
    BellOn,
    /// The client's terminal no longer rings.
    BellOff,
    /// What others say waits until the client sends a line (`/hold`).
    Holding,
    /// What others say no longer waits.
    NotHolding,
    /// The client's program edits the line from now on, or the hub does.
    Mode(Mode),
    /// The password that is asked for next will be seen on the screen.
    TypingShows,
    /// Others can read the client's password on its way; it would be encrypted on the way to this place, if the settings
    /// say where.
    PasswordReadable(Option<Arc<str>>),
    /// ^C has cleared what was typed.
    Interrupted,
    /// A report was made.
    Reported {
        id: ReportId,
        about: Arc<str>,
        /// How many operators are here, without those whom the report concerns; at most 100.
        here: usize,
        /// It is by or about an operator.
        is_among_them: bool,
        /// How many of them have been told.
        told: usize,
        /// How many lines are in question.
        lines: usize,
        room: Arc<str>,
        /// Whether the lines were said in private.
        is_private: bool,
    },
    /// The client has made the same report before, of this number, and has made it this number of times now.
    ReportedAgain { id: ReportId, times: u32 },
    /// This number of reports is open: told to an operator who has just come.
    ReportsOpen(usize),
    /// These reports are closed now.
    ReportsClosed {
        closed: Vec<ReportId>,
        /// How many reports are still open.
        open: usize,
    },
    /// The client is muted, until then or without end (`None`).
    Muted { until: Option<Wall>, reason: Option<Arc<str>> },
    /// The client may speak again.
    Unmuted,
    /// The client's lines are taken slower now: at most this number a second, and this number of bytes.
    SlowedDown { lines: u32, bytes: usize },
    /// The client's lines wait until there is room for them between those of people who say less.
    GivesWay,
    /// The client's lines are being dropped from now on.
    Dropping,
    /// The client's lines are no longer dropped; this number was.
    Dropped(u64),
    /// The room has these modes from now on.
    RoomMode { room: Arc<str>, modes: Modes },
    /// The room belongs to the account of this name from now on.
    RoomOf { room: Arc<str>, owner: Arc<str> },
    /// The account of this name moderates the room from now on (`on`), or no longer.
    Moderator { name: Arc<str>, room: Arc<str>, on: bool },
    /// The client moderates the room from now on (`on`), or no longer.
    YouModerate { room: Arc<str>, on: bool },
    /// The account of this name gets the room when its owner's account is gone; `None`: nobody is named.
    Successor { room: Arc<str>, name: Option<Arc<str>> },
    /// Only operators set the topic of this room from now on: it belongs to nobody, and an operator has set its topic.
    TopicLocked(Arc<str>),
    /// `nick` may come into the room.
    Invited { nick: Arc<str>, room: Arc<str> },
    /// `nick` may no longer come into the room.
    Uninvited { nick: Arc<str>, room: Arc<str> },
    /// The client has a voice in the room (`on`), or no longer has one.
    Voice { room: Arc<str>, on: bool },
    /// `nick` has a voice in the client's room (`on`), or no longer has one.
    VoiceOf { nick: Arc<str>, on: bool },
    /// The client was sent out of the room.
    Expelled { room: Arc<str>, reason: Option<Arc<str>> },
    /// `nick` was sent out of the room.
    ExpelledOther {
        nick: Arc<str>,
        room: Arc<str>,
        /// The expulsion that this one replaces.
        replaced: Option<Replaced>,
    },
    /// Newcomers speak only when they have logged in, until then: told to a newcomer.
    LockedDown(Wall),
    /// The client is not logged in any more, and waits at the door.
    PutAtDoor {
        /// When the lockdown ends that is why.
        lockdown: Option<Wall>,
        /// Whether its address is banned.
        banned: bool,
        /// How long it may wait.
        wait: Duration,
    },
    /// The client has sent nothing for some time, and will be disconnected.
    IdleSoon {
        /// For how long the client has sent nothing.
        silent: Duration,
        /// How long the client has left to send something.
        left: Duration,
    },
    /// Nobody is called `name`: the one who was is called `nick` now, and is meant.
    NowCalled { name: Arc<str>, nick: Arc<str> },
    /// This person was disconnected.
    Kicked(Arc<str>),
    /// This person is muted.
    MutedOther {
        nick: Arc<str>,
        until: Option<Wall>,
        shadow: bool,
        /// Whether nobody of that name is here, nor left a moment ago: the mute is about the name alone.
        absent: bool,
        /// The name of the mute, such as `m3`.
        called: Arc<str>,
        /// The mute that this one replaces.
        replaced: Option<Replaced>,
    },
    /// This person is no longer muted.
    UnmutedOther {
        nick: Arc<str>,
        /// The mutes that were lifted, such as `m3, the mute of bob`, if one of them was not about
        /// this person alone.
        lifted: Vec<Arc<str>>,
    },
    /// What was done last is in force, but not on disk: the disk takes nothing at the moment. It is written later.
    NotOnDisk,
    /// A filter keeps back texts from now on.
    Filtered {
        /// What the filter finds.
        text: Arc<str>,
        /// Whether it gives a strike as well.
        strike: bool,
        /// Until when.
        until: Option<Wall>,
        /// The name of the filter, such as `f3`.
        called: Arc<str>,
        /// The filter that this one replaces.
        replaced: Option<Replaced>,
    },
    /// How many entries the filters in the settings have.
    FiltersOfSettings {
        /// How many entries only refuse.
        refuse: usize,
        /// How many entries give a strike as well.
        strike: usize,
    },
    /// There is a ban now; `called` is its name, such as `b3`.
    Banned {
        /// Whom it keeps out: a name, or "the address of" one.
        whom: Option<Arc<str>>,
        /// The name that it is about alone, if nobody is here whom that means.
        absent: Option<Arc<str>>,
        called: Arc<str>,
        /// How many clients it has hit.
        hit: usize,
        until: Option<Wall>,
        /// The ban that this one replaces.
        replaced: Option<Replaced>,
    },
    /// The sanction of this name, such as `b3`, was lifted.
    Lifted(Arc<str>),
    /// This number of strikes counts against this person.
    Strikes { nick: Arc<str>, count: u32 },
    /// This number of lines was removed, and this number of topics cleared.
    Redacted {
        lines: u64,
        topics: u64,
        /// In how many rooms the lines were.
        rooms: u64,
        /// Whether the lines are on disk as well, where they are removed soon.
        on_disk: bool,
    },
    /// Somebody else has removed this number of lines from the room; they may still stand on the screen.
    LinesRemoved(usize),
    /// The account of this name is an operator's now.
    MadeOperator(Arc<str>),
    /// The client is asked for a password.
    Asks(Asked),
    /// The client is no longer asked for a password; this command would ask for it again.
    AsksNoMore(Option<Arc<str>>),
    /// What the client had begun is given up, as it wished.
    Cancelled,
    /// There is an account of this name now.
    Registered(Arc<str>),
    /// The client is logged in to the account of this name, which has this role.
    LoggedIn {
        name: Arc<str>,
        role: Role,
        /// Whether a certificate has done it, unasked.
        by_certificate: bool,
    },
    /// This number of lines was said in the client's room since its person was `last` here, by their account; so many of
    /// them have the person's name in them.
    NewSince { room: Arc<str>, lines: usize, naming: usize, last: Wall },
    /// The client is logged out, and has this name now.
    LoggedOut(Arc<str>),
    /// The account has another password.
    PasswordChanged,
    /// The account whose password was changed has this number of certificates, which log in to it as before.
    CertificatesStay(usize),
    /// The certificate of this connection logs in to the account of this name from now on.
    CertificateAdded { short: Arc<str>, name: Arc<str> },
    /// The certificate whose fingerprint begins so does not log in any more.
    CertificateRemoved(Arc<str>),
    /// The account of this name was removed, as its owner wished.
    Unregistered(Arc<str>),
    /// The client's account was removed by an administrator.
    AccountRemoved,
    /// The client's account has this role now.
    RoleChanged(Role),
    /// The client's former name belongs to somebody who has logged in; the client has this name now.
    NameReclaimed(Arc<str>),
    /// An administrator closed the client's room.
    RoomClosed { room: Arc<str>, reason: Option<Arc<str>> },
}
