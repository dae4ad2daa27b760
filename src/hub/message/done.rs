//! What was done, for the client that it was done for, or to.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::ownership::Modes;
use super::{Asked, Offset, Replaced};
use crate::values::id::ReportId;
use crate::values::terminal::Mode;
use crate::values::time::Wall;

/// Something that was done, told to the client that asked for it, or that it was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Done {
    /// The client has this name now.
    Named(Arc<str>),
    /// An administrator has given the client this name.
    RenamedByAdmin(Arc<str>),
    /// The client is marked as away.
    Away,
    /// The client is no longer away.
    Back,
    /// This name is ignored now.
    Ignored(Arc<str>),
    /// This name is no longer ignored.
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
    /// It rings from now on when the client's name is said, or somebody writes to it; or no more.
    BellOn,
    /// See [`Self::BellOn`].
    BellOff,
    /// What others say waits until the client sends a line (`/hold`).
    Holding,
    /// What others say no longer waits.
    NotHolding,
    /// The client's program edits what is typed now, or the hub does.
    Mode(Mode),
    /// The password that is asked for next will be seen on the screen.
    TypingShows,
    /// ^C has cleared what was typed.
    Interrupted,
    /// A report is kept.
    Reported {
        id: ReportId,
        about: Arc<str>,
        /// How many operators are here.
        here: usize,
        /// How many of them have been told.
        told: usize,
        /// How many lines are in question.
        lines: usize,
        room: Arc<str>,
        /// The lines were said in private.
        is_private: bool,
    },
    /// The report of this number says the same, and counts so often now.
    ReportedAgain { id: ReportId, times: u32 },
    /// So many reports are open, for an operator who has just come.
    ReportsOpen(usize),
    /// These reports are closed now.
    ReportsClosed {
        closed: Vec<ReportId>,
        /// How many are open still.
        open: usize,
    },
    /// An administrator muted this client, until then if there is an end.
    Muted { until: Option<Wall>, reason: Option<Arc<str>> },
    /// It may speak again.
    Unmuted,
    /// The client's lines are taken slower now: this number a second at most, of this number of bytes in all.
    SlowedDown { lines: u32, bytes: usize },
    /// The client's lines wait until there is room for them between those of people who say less.
    GivesWay,
    /// The client's lines are being dropped now.
    Dropping,
    /// Lines are no longer dropped; this number was.
    Dropped(u64),
    /// From now on a room is like this.
    RoomMode { room: Arc<str>, modes: Modes },
    /// From now on a room is that of the account of this name.
    RoomOf { room: Arc<str>, owner: Arc<str> },
    /// The account of this name moderates a room (`on`), or does not any more.
    Moderator { name: Arc<str>, room: Arc<str>, on: bool },
    /// The client moderates a room (`on`), or does not any more.
    YouModerate { room: Arc<str>, on: bool },
    /// The account of this name has a room when its owner's account is gone, if somebody is named.
    Successor { room: Arc<str>, name: Option<Arc<str>> },
    /// The topic of a room that is nobody's is for operators from now on, as one has set it.
    TopicLocked(Arc<str>),
    /// `nick` may come into a room.
    Invited { nick: Arc<str>, room: Arc<str> },
    /// `nick` may no longer come into a room.
    Uninvited { nick: Arc<str>, room: Arc<str> },
    /// The client has a voice in a room (`on`), or none any more.
    Voice { room: Arc<str>, on: bool },
    /// `nick` has a voice in the client's room (`on`), or none any more.
    VoiceOf { nick: Arc<str>, on: bool },
    /// The client was sent out of a room.
    Expelled { room: Arc<str>, reason: Option<Arc<str>> },
    /// `nick` was sent out of a room.
    ExpelledOther { nick: Arc<str>, room: Arc<str> },
    /// Newcomers speak when they have logged in, until then: told to one.
    LockedDown(Wall),
    /// The client has sent nothing for so long, and is disconnected in so long.
    IdleSoon {
        /// For how long it has sent nothing.
        silent: Duration,
        /// How long it has to send something.
        left: Duration,
    },
    /// This person was disconnected.
    Kicked(Arc<str>),
    /// This one is muted.
    MutedOther {
        nick: Arc<str>,
        until: Option<Wall>,
        shadow: bool,
        /// What the mute is called.
        called: Arc<str>,
        /// The mute that it replaces.
        replaced: Option<Replaced>,
    },
    /// This one is not muted any more.
    UnmutedOther(Arc<str>),
    /// What was done last is not on disk yet, which takes nothing at the moment: it holds, and is written later.
    NotOnDisk,
    /// What has that in it is kept back from now on.
    Filtered {
        /// What the filter finds.
        text: Arc<str>,
        /// It is a strike as well.
        strike: bool,
        /// Until when.
        until: Option<Wall>,
        /// What the filter is called.
        called: Arc<str>,
        /// The one that it replaces.
        replaced: Option<Replaced>,
    },
    /// So many entries of filters are in the settings.
    FiltersOfSettings {
        /// What is refused.
        refuse: usize,
        /// What is a strike as well.
        strike: usize,
    },
    /// There is a ban now that is called so.
    Banned {
        /// Whom it keeps out: a name, or "the address of" one.
        whom: Option<Arc<str>>,
        called: Arc<str>,
        /// How many it has disconnected.
        hit: usize,
        until: Option<Wall>,
        /// The ban that it replaces.
        replaced: Option<Replaced>,
    },
    /// The sanction that was called so is lifted.
    Lifted(Arc<str>),
    /// So many strikes count against this one.
    Strikes { nick: Arc<str>, count: u32 },
    /// So many lines are removed, and so many topics cleared.
    Redacted {
        lines: u64,
        topics: u64,
        /// In how many rooms the lines were.
        rooms: u64,
        /// They are on disk as well, and are removed there soon.
        on_disk: bool,
    },
    /// So many lines that were said in the room are removed by somebody else, and may stand on the screen.
    LinesRemoved(usize),
    /// The account of this name is an operator's now.
    MadeOperator(Arc<str>),
    /// The client is asked for a password.
    Asks(Asked),
    /// The client is no longer asked for a password; this command asks for it again.
    AsksNoMore(Option<Arc<str>>),
    /// What was begun is given up, as the client wished.
    Cancelled,
    /// There is an account of this name now.
    Registered(Arc<str>),
    /// The client is logged in to the account of this name, which has this role.
    LoggedIn { name: Arc<str>, role: Role },
    /// So many lines were said in the room they are in since they were last here, as their account knows it.
    NewSince { room: Arc<str>, lines: usize, last: Wall },
    /// The client is logged out, and has this name now.
    LoggedOut(Arc<str>),
    /// The account has another password.
    PasswordChanged,
    /// The account of this name was removed, as its owner wished.
    Unregistered(Arc<str>),
    /// The client's account was removed by an administrator.
    AccountRemoved,
    /// The client's account has this role now.
    RoleChanged(Role),
    /// The client's name belongs to somebody who has logged in; it has this one now.
    NameReclaimed(Arc<str>),
    /// An administrator closed the client's room.
    RoomClosed { room: Arc<str>, reason: Option<Arc<str>> },
}
