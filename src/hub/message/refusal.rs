//! What was not done, and why: for the person at the prompt.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::moderation::NoTarget;
use super::super::pace::Kind;
use crate::values::name::{InvalidName, TakenFor};
use crate::values::time::{NoLength, Wall};

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
    Usage(&'static super::super::command::Command),
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
    /// Words that the filters refuse.
    HouseRules,
    /// The same line too often.
    Repeated,
    /// Too many of these in a short time; again in so long.
    TooOften {
        /// Of what.
        kind: Kind,
        /// How long.
        wait: Duration,
    },
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
    WithoutSlash(&'static super::super::command::Command),
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
