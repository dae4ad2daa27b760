//! What was done, told to the one who asked for it.

use std::sync::Arc;

use super::super::account::Role;
use super::super::ownership::Modes;
use super::super::strike::Offence;
use super::{Asked, Offset};
use crate::values::id::BanId;
use crate::values::terminal::Mode;
use crate::values::time::Wall;

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
        /// How it is.
        modes: Modes,
    },
    /// Whose a room is from now on.
    RoomOf {
        /// The room.
        room: Arc<str>,
        /// The name of the account.
        owner: Arc<str>,
    },
    /// The account of this name moderates that room, or does not any more.
    Moderator {
        /// Who.
        name: Arc<str>,
        /// The room.
        room: Arc<str>,
        /// Whether they do.
        on: bool,
    },
    /// One moderates that room oneself, or does not any more.
    YouModerate {
        /// The room.
        room: Arc<str>,
        /// Whether one does.
        on: bool,
    },
    /// Who has that room when its owner's account is gone, if somebody is named.
    Successor {
        /// The room.
        room: Arc<str>,
        /// The name of the account.
        name: Option<Arc<str>>,
    },
    /// The topic of that room, which is nobody's, is for operators from now on, as one has set it.
    TopicLocked(Arc<str>),
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
    /// Newcomers speak when they have logged in, until then: told to one.
    LockedDown(Wall),
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
