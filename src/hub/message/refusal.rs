//! Why something was not done, for the client that asked for it.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::pace::Kind;
use super::super::sanction::{NoPlace, NoTarget};
use crate::values::id::ReportId;
use crate::values::name::{InvalidName, TakenFor};
use crate::values::time::{NoLength, Wall};

/// Why something was not done, for the client that asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Refusal {
    /// There is no command `given`; `nearest` has a name that is much like it.
    UnknownCommand { given: Arc<str>, nearest: Option<&'static str> },
    /// Its screen cannot be cleared from here.
    NoScreen,
    /// The names of several commands begin with what was given.
    SeveralCommands { given: Arc<str>, names: Vec<&'static str> },
    /// The command is for those with this role.
    RoleNeeded(Role),
    /// The command needs other arguments; its usage is shown.
    Usage(&'static super::super::command::Command),
    /// Nobody has that name.
    NoSuchPerson(Arc<str>),
    /// Nobody has that name, and nobody has registered it: nothing can be left there.
    NobodyThere(Arc<str>),
    /// This one is not here, and no messages are kept.
    NoMemos(Arc<str>),
    /// This one is not here, and only who is logged in can leave a message.
    MemosOfMembers(Arc<str>),
    /// This one is not here, and as many messages wait for them as may.
    MemosWait(Arc<str>),
    /// This one is not here, and as many messages of the client wait for them as may.
    TooManyMemosFor {
        /// Who is not here.
        nick: Arc<str>,
        /// How many wait.
        count: usize,
    },
    /// As many messages of the client wait for others as may.
    TooManyMemos(usize),
    /// No more messages can be kept.
    MemosFull,
    /// There is no room of that name.
    NoSuchRoom(Arc<str>),
    /// The client may not enter that room, which may not even be there.
    RoomNotOpen(Arc<str>),
    /// The room belongs to `owner`, or to nobody.
    NotYourRoom { room: Arc<str>, owner: Option<Arc<str>> },
    /// Only those with a voice speak in this room; it belongs to this person, or to nobody.
    NoVoice(Option<Arc<str>>),
    /// Only those who are logged in speak here.
    OnlyRegistered,
    /// Each says one line here in a time, and it was too soon.
    Slow {
        /// The time.
        every: Duration,
        /// How much of it is left.
        left: Duration,
    },
    /// A room cannot be that.
    NoSuchMode(Arc<str>),
    /// A room cannot be as slow, or as little slow, as that.
    SlowOutside,
    /// The topic of that room, which is nobody's, is for operators.
    TopicLocked(Arc<str>),
    /// The lobby, which has this name, cannot be private.
    LobbyStaysPublic(Arc<str>),
    /// Nobody is sent out of the lobby, which has this name: there is nowhere to send them.
    NotOutOfLobby(Arc<str>),
    /// This one owns that room.
    OwnsRoom { nick: Arc<str>, room: Arc<str> },
    /// No rooms last here.
    NoLasting,
    /// As many rooms last as may.
    TooManyLasting(usize),
    /// As many rooms last that one owns as may.
    TooManyLastingOfOne(usize),
    /// The lobby, which has this name, belongs to nobody.
    LobbyIsNobodys(Arc<str>),
    /// This one is not logged in to an account.
    NotRegistered(Arc<str>),
    /// This one has to be in the room, logged in.
    MustBeHere(Arc<str>),
    /// Only the room's owner does that, and operators.
    ForOwner(Option<Arc<str>>),
    /// This one moderates that room.
    ModeratesRoom { nick: Arc<str>, room: Arc<str> },
    /// The list has as many people as it may: `limits.invited`.
    TooManyInvited(usize),
    /// This room is there already, and its name looks like the new one's.
    RoomLooksLike(Arc<str>),
    /// It is no name.
    InvalidName(InvalidName),
    /// Somebody has that name, or one that looks like it.
    NameTaken(Arc<str>),
    /// The hub keeps that name for itself.
    NameReserved(Arc<str>),
    /// The name could be taken for something else.
    NameTakenFor(Arc<str>, TakenFor),
    /// The client is in that room already.
    AlreadyHere(Arc<str>),
    /// The client has that name already.
    AlreadyNamed(Arc<str>),
    /// There are as many rooms as there may be: `limits.rooms`.
    TooManyRooms(usize),
    /// People from the client's address have opened as many rooms as they may.
    TooManyRoomsFromAddress(usize),
    /// The client ignores as many names as it may: `limits.ignores`.
    TooManyIgnored(usize),
    /// The client does not ignore this name.
    NotIgnored(Arc<str>),
    /// Nobody has sent the client a private message yet.
    NobodyToReplyTo,
    /// The person whose message is to be answered has gone. The name is registered (`keeps`), so a message can be left.
    ReplyGone { name: Arc<str>, keeps: bool },
    /// The client named itself.
    ToYourself,
    /// This person's client does not read what it is sent.
    NotReading(Arc<str>),
    /// This person is sent as much by others as `pace.private` allows.
    SentALot(Arc<str>),
    /// The client is muted, until then or without end (`None`).
    Muted(Option<Wall>),
    /// This person is an operator, and no operator can act on another.
    IsOperator(Arc<str>),
    /// The ban would hit the client that asks for it.
    HitsYourself,
    /// The sanction would reach others than the one who was named. It is made if it is asked for again.
    HitsOthers {
        /// Some of their names.
        names: Vec<Arc<str>>,
        /// How many they are.
        count: usize,
        /// The name of the one who was named, if it was a name.
        name: Option<Arc<str>>,
    },
    /// Those whom the pattern finds here. It is done if it is asked for again.
    PatternHits {
        /// Some of their names.
        names: Vec<Arc<str>>,
        /// How many they are.
        count: usize,
    },
    /// What the filter finds in what was said last here. It is made if it is asked for again.
    FilterHits {
        /// In how many lines.
        lines: usize,
        /// Of how many.
        looked_at: usize,
        /// By whom, some of them.
        names: Vec<Arc<str>>,
        /// How many they are.
        count: usize,
    },
    /// It is nothing that a filter could find, or too much.
    NoFilter(Arc<str>),
    /// Nothing keeps this one from being heard.
    NotMuted(Arc<str>),
    /// There is no place for one more sanction of that kind.
    NoPlace(NoPlace),
    /// There is no ban of that number or target.
    NoSuchBan(Arc<str>),
    /// As many reports of this one are open as may be.
    TooManyReports(usize),
    /// As many reports from this address are open as may be.
    TooManyReportsFromAddress(usize),
    /// As many reports are open as may be.
    ReportsFull(usize),
    /// No report is called that.
    NoSuchReport(Arc<str>),
    /// The report was closed before.
    ReportIsClosed { id: ReportId, by: Arc<str>, at: Wall },
    /// None of the reports that are meant is open.
    NoneOpen,
    /// What is to be banned is neither a network nor a name.
    NoTarget(NoTarget),
    /// The network is too large a part of the Internet to be meant.
    TooWide(Arc<str>),
    /// This was written like an address; people are called by name here.
    NotByAddress(Arc<str>),
    /// It is no length of time. With `or_reason`, words of a reason could be there as well.
    NoLength { why: NoLength, or_reason: bool },
    /// No line of that number, or of that one, is kept that could be removed.
    NothingToRemove(Arc<str>),
    /// There are as many redactions as may wait for the disk.
    RedactionsWait,
    /// There is no account of that name.
    NoSuchAccount(Arc<str>),
    /// The filters refuse a word of it.
    HouseRules,
    /// It was the same line too often.
    Repeated,
    /// The client has said too much for too long; again in so long.
    SaidALot(Duration),
    /// Too many of these in a short time; again in so long.
    TooOften {
        /// Of what.
        kind: Kind,
        /// How long.
        wait: Duration,
    },
    /// `access.networks` lets nobody in from this network.
    NetworkNotAllowed,
    /// The line had more bytes than `limits.line` allows.
    LineTooLong { bytes: u64, limit: usize },
    /// A search is under way already.
    StillSearching,
    /// The topic has more bytes than this.
    TopicTooLong(usize),
    /// The client's program sends whole lines, and cannot send keys.
    NoCharMode,
    /// The client's program was asked for keys, and goes on sending whole lines.
    KeepsLineMode,
    /// It is neither an offset from UTC nor a time zone, or could be several; `nearest` are a few that could be meant.
    BadOffset { given: Arc<str>, nearest: Vec<&'static str> },
    /// A ban keeps the client's address out, until then or without end (`None`).
    Banned { reason: Option<Arc<str>>, until: Option<Wall> },
    /// A ban keeps everybody from bearing that name.
    NameBanned { name: Arc<str>, reason: Option<Arc<str>> },
    /// The client has come during a lockdown, which ends then, and is not logged in: nobody hears it.
    LockedOut(Wall),
    /// The client has come during a lockdown, which ends then: it registers no name.
    NotInLockdown(Wall),
    /// There is no lockdown that could be ended.
    NoLockdown,
    /// The client waits at the door, where only logging in helps.
    LogInFirst,
    /// The name is registered.
    NameRegistered(Arc<str>),
    /// This name cannot be registered: it is a guest's, or reserved.
    NameFirst(Arc<str>),
    /// An address stands behind the password with which this name would be registered.
    NoAddress(Arc<str>),
    /// That name is not registered, so that nobody can log in by it.
    NoLogin(Arc<str>),
    /// The client is logged in already, to the account of this name.
    LoggedIn(Arc<str>),
    /// Only administrators register names.
    RegisteringClosed,
    /// Nothing is recorded on this hub, so there are no accounts.
    NoAccounts,
    /// Accounts on disk could not be read yet, and the name may be somebody's.
    NamesUnread,
    /// Accounts on disk could not be read yet, and nobody can log in to one that is not known.
    AccountsUnread,
    /// Bans on disk could not be read yet, and nobody is let in until they are.
    BansUnread,
    /// There are as many accounts as there may be: `limits.accounts`.
    TooManyAccounts(usize),
    /// The password has fewer characters than this.
    PasswordShort(usize),
    /// The password has more bytes than this.
    PasswordLong(usize),
    /// The password is the name.
    PasswordIsName,
    /// The password is a command, which would be carried out instead.
    PasswordIsCommand,
    /// The new password was not the same twice.
    PasswordsDiffer,
    /// There is no account of that name, or this is not its password.
    WrongPassword,
    /// It is not the password of the client's own account.
    NotYourPassword,
    /// The line was not said, because it may have been meant as a password.
    CouldBePassword,
    /// The line was not said, because it looks like this command without its slash, and that takes a password.
    WithoutSlash(&'static super::super::command::Command),
    /// What was sent is for programs that keep names elsewhere, such as IRC's NickServ.
    NoServices,
    /// A password was tried too often; it can be tried again after this time.
    TooManyAttempts(Duration),
    /// Too many passwords wait to be hashed.
    HashingBusy,
    /// The password could not be hashed.
    HashingFailed,
    /// All places are taken: `limits.clients`.
    Full,
    /// This number of clients is connected from the client's address, as many as there may be.
    TooManyFromAddress(usize),
    /// The hub stops.
    Stopping,
}
