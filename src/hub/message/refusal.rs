//! Why something was not done, for the client that asked for it.

use std::sync::Arc;
use std::time::Duration;

use super::super::account::Role;
use super::super::pace::Kind;
use super::super::sanction::{NoPlace, NoTarget};
use super::ShownBearer;
use crate::values::id::ReportId;
use crate::values::name::{InvalidName, TakenFor};
use crate::values::time::{NoLength, Wall};

/// Why something was not done, for the client that asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Refusal {
    /// There is no command `given`; `nearest` has a name that is much like it.
    UnknownCommand { given: Arc<str>, nearest: Option<&'static str> },
    /// The client's screen cannot be cleared by the hub.
    NoScreen,
    /// The names of several commands begin with `given`.
    SeveralCommands { given: Arc<str>, names: Vec<&'static str> },
    /// The command is for people with this role.
    RoleNeeded(Role),
    /// The command needs other arguments; its usage is shown.
    Usage(&'static super::super::command::Command),
    /// Nobody has that name.
    NoSuchPerson(Arc<str>),
    /// Nobody is called `name`: the one who was is called `nick` now.
    NowCalled { name: Arc<str>, nick: Arc<str> },
    /// The name can mean several people, here and left; nothing was done.
    SeveralBore {
        name: Arc<str>,
        /// Some of them; with numbers if the client may name them so.
        people: Vec<ShownBearer>,
        /// How many there are.
        count: usize,
        /// Whether the first is meant if the command is given again.
        first: bool,
    },
    /// Nobody has that name, and nobody has registered it: no message can be left for it.
    NobodyThere(Arc<str>),
    /// This person is not here, and the hub keeps no messages.
    NoMemos(Arc<str>),
    /// This person is not here, and only clients that are logged in can leave a message.
    MemosOfMembers(Arc<str>),
    /// This person is not here, and as many messages wait for them as may.
    MemosWait(Arc<str>),
    /// This person is not here, and as many messages from the client wait for them as one sender may leave.
    TooManyMemosFor {
        /// The person who is not here.
        nick: Arc<str>,
        /// How many messages from the client wait for them.
        count: usize,
    },
    /// This number of messages from the client wait for others, as many as may.
    TooManyMemos(usize),
    /// The hub has no room for more messages.
    MemosFull,
    /// There is no room of that name.
    NoSuchRoom(Arc<str>),
    /// The client may not enter that room, which may not even exist.
    RoomNotOpen(Arc<str>),
    /// The room belongs to `owner`, or to nobody (`None`).
    NotYourRoom { room: Arc<str>, owner: Option<Arc<str>> },
    /// Only people with a voice speak in this room; it belongs to this person, or to nobody (`None`).
    NoVoice(Option<Arc<str>>),
    /// Only people who are logged in speak here.
    OnlyRegistered,
    /// Each person says one line here in a time, and this line came too soon.
    Slow {
        /// The time for one line.
        every: Duration,
        /// How much of it is left.
        left: Duration,
    },
    /// There is no such mode of a room.
    NoSuchMode(Arc<str>),
    /// A slow room cannot have this time for one line.
    SlowOutside,
    /// Only operators set the topic of that room, which belongs to nobody.
    TopicLocked(Arc<str>),
    /// The lobby, which has this name, cannot be private.
    LobbyStaysPublic(Arc<str>),
    /// The lobby, which has this name, cannot be for encrypted connections alone.
    LobbyStaysPlain(Arc<str>),
    /// Only encrypted connections come into that room; they are taken at this place, if the settings say where.
    RoomEncrypted { room: Arc<str>, at: Option<Arc<str>> },
    /// The room cannot be for encrypted connections alone, because the client's own is not.
    NotEncryptedYourself(Option<Arc<str>>),
    /// The room cannot be for encrypted connections alone, because those of these people there are not.
    PlainInRoom {
        /// Some of their names.
        names: Vec<Arc<str>>,
        /// How many they are.
        count: usize,
    },
    /// Nobody can be sent out of the lobby, which has this name: there is nowhere to send them.
    NotOutOfLobby(Arc<str>),
    /// This person owns that room.
    OwnsRoom { nick: Arc<str>, room: Arc<str> },
    /// The settings allow no lasting rooms.
    NoLasting,
    /// There are this number of lasting rooms, as many as there may be.
    TooManyLasting(usize),
    /// The owner has this number of lasting rooms, as many as they may.
    TooManyLastingOfOne(usize),
    /// The people at the client's address have this number of lasting rooms, as many as they may.
    TooManyLastingFromAddress(usize),
    /// The lobby, which has this name, can belong to nobody.
    LobbyIsNobodys(Arc<str>),
    /// This person is not logged in to an account.
    NotRegistered(Arc<str>),
    /// This person has to be in the room, and logged in.
    MustBeHere(Arc<str>),
    /// Only operators do that, and the owner of the room, who has this name if there is one.
    ForOwner(Option<Arc<str>>),
    /// This person moderates that room.
    ModeratesRoom { nick: Arc<str>, room: Arc<str> },
    /// The list has as many people as it may: `limits.invited`.
    TooManyInvited(usize),
    /// A room with this name is open, and it looks like the new name.
    RoomLooksLike(Arc<str>),
    /// The name is not valid.
    InvalidName(InvalidName),
    /// Somebody has this name, which is the same or looks like it.
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
    /// People from the client's address have opened this number of rooms, as many as they may.
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
    /// The client is muted, until then or without end (`None`), and so may not do what others would be shown.
    MutedDeed(Option<Wall>),
    /// This person is an operator, and no operator can act on another.
    IsOperator(Arc<str>),
    /// The sanction that is called so is about the client that wants to lift it.
    AboutYourself(Arc<str>),
    /// An administrator has made the sanction that is called so about an operator: no operator lifts it.
    ForAdministrators(Arc<str>),
    /// The ban would hit the client that asks for it.
    HitsYourself,
    /// The sanction would reach others than the person who was named. It is made if the command is given again.
    HitsOthers {
        /// Some of the others' names.
        names: Vec<Arc<str>>,
        /// How many others there are.
        count: usize,
        /// The name of the person who was named, if it was a name.
        name: Option<Arc<str>>,
    },
    /// The name that an operator says again means somebody else than when they were asked. A question follows.
    MeansAnother { name: Option<Arc<str>> },
    /// The network that was named is large, or is not written as it is. A question follows.
    Doubtful {
        /// As it was named.
        given: Arc<str>,
        /// What was understood, with its size.
        network: Arc<str>,
    },
    /// The command is carried out if it is given again.
    SayAgain,
    /// This length of time stands behind the reason, where it is words of it. A question follows.
    TimeBehind(Arc<str>),
    /// This person would be disconnected with a length of time for a reason. A question follows.
    NoTimeInKick {
        /// Who.
        nick: Arc<str>,
        /// The length of time.
        time: Arc<str>,
    },
    /// What was named is a number, and no person: the line of that number is written `#15`.
    LineNumber(Arc<str>),
    /// A range of reports that runs backwards.
    Backwards(Arc<str>),
    /// A number of a report without its letter: 15, for `r15`.
    ReportNumber(Arc<str>),
    /// Modes that contradict each other.
    ModesContradict,
    /// The pattern finds these people here. The command is carried out if it is given again.
    PatternHits {
        /// Some of their names.
        names: Vec<Arc<str>>,
        /// How many they are.
        count: usize,
    },
    /// The pattern finds names of people who have nothing in common, such as these everyday ones. A question follows.
    BroadPattern { pattern: Arc<str>, such: Vec<&'static str> },
    /// The filter finds these of the last lines here. It is made if the command is given again.
    FilterHits {
        /// How many lines it finds something in.
        lines: usize,
        /// How many lines were looked at.
        looked_at: usize,
        /// Some of the names under which the found lines were said.
        names: Vec<Arc<str>>,
        /// How many names these are.
        count: usize,
    },
    /// The text cannot be a filter, for this reason.
    NoFilter(Arc<str>),
    /// This person is not muted.
    NotMuted(Arc<str>),
    /// There is no place for one more sanction of that kind.
    NoPlace(NoPlace),
    /// There is no ban of that number or target.
    NoSuchBan(Arc<str>),
    /// Several sanctions can be meant, of which some are called so.
    SeveralSanctions { which: Arc<str>, called: Vec<Arc<str>>, count: usize },
    /// This number of reports by the client are open, as many as may be.
    TooManyReports(usize),
    /// This number of reports from the client's address are open, as many as may be.
    TooManyReportsFromAddress(usize),
    /// This number of reports are open, as many as may be.
    ReportsFull(usize),
    /// There is no report that is called that.
    NoSuchReport(Arc<str>),
    /// The report was closed before.
    ReportIsClosed { id: ReportId, by: Arc<str>, at: Wall },
    /// None of the selected reports is open.
    NoneOpen,
    /// The text names nobody who could be banned.
    NoTarget(NoTarget),
    /// The network is so large a part of the Internet that it must be a mistake.
    TooWide(Arc<str>),
    /// The text is written like an address; people are called by name here.
    NotByAddress(Arc<str>),
    /// The text is no length of time. With `or_reason`, a reason could stand there as well.
    NoLength { why: NoLength, or_reason: bool },
    /// No line of that number, or of that person, is kept that could be removed.
    NothingToRemove(Arc<str>),
    /// As many redactions wait for the disk as may.
    RedactionsWait,
    /// There is no account of that name.
    NoSuchAccount(Arc<str>),
    /// The filters refuse the text.
    HouseRules,
    /// The client has said the same line too often.
    Repeated,
    /// The same was said too often from the client's address.
    RepeatedFromAddress,
    /// The client has said too much for too long; it may speak again after this time.
    SaidALot(Duration),
    /// The clients at its address have said too much together; it may speak again after this time.
    SaidALotFromAddress(Duration),
    /// The client has shown others too many of these in a short time.
    TooOften {
        /// Of which kind.
        kind: Kind,
        /// After how long one more is allowed.
        wait: Duration,
    },
    /// `access.networks` lets nobody in from this network.
    NetworkNotAllowed,
    /// Only encrypted connections are let in; they are taken at this place, if the settings say where.
    EncryptionRequired(Option<Arc<str>>),
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
    /// The text is neither an offset from UTC nor a time zone, or could be several; `nearest` are a few that could be
    /// meant.
    BadOffset { given: Arc<str>, nearest: Vec<&'static str> },
    /// A ban keeps the client's address out, until then or without end (`None`).
    Banned { reason: Option<Arc<str>>, until: Option<Wall> },
    /// A ban keeps everybody from bearing that name.
    NameBanned { name: Arc<str>, reason: Option<Arc<str>> },
    /// The client came during a lockdown, which ends at this time, and is not logged in: nobody hears it.
    LockedOut(Wall),
    /// The client came during a lockdown, which ends at this time, and so cannot register its name.
    NotInLockdown(Wall),
    /// There is no lockdown that could be ended.
    NoLockdown,
    /// The client waits at the door, where only logging in helps.
    LogInFirst,
    /// Only operators come in from this address, which is banned.
    OnlyOperators,
    /// The name is registered, or looks like this registered name.
    NameRegistered(Arc<str>),
    /// What somebody said first is this registered name alone, as where one is asked for it; nobody saw it.
    NameAlone(Arc<str>),
    /// This name cannot be registered: it is a guest's, or reserved.
    NameFirst(Arc<str>),
    /// An e-mail address follows the password, which registering this name does not take.
    NoAddress(Arc<str>),
    /// That name is not registered, so nobody can log in to it.
    NoLogin(Arc<str>),
    /// The client is logged in already, to the account of this name.
    LoggedIn(Arc<str>),
    /// Only administrators register names.
    RegisteringClosed,
    /// Nothing is recorded on this hub, so there are no accounts.
    NoAccounts,
    /// Accounts on disk could not be read yet, so the name may be somebody's.
    NamesUnread,
    /// Accounts on disk could not be read yet, so nobody can log in to an account that the hub does not know.
    AccountsUnread,
    /// Bans on disk could not be read yet, so nobody is let in until they are.
    BansUnread,
    /// There are as many accounts as there may be: `limits.accounts`.
    TooManyAccounts(usize),
    /// No password is taken over a connection that is not encrypted. One may have been `sent` already.
    PasswordPlain { at: Option<Arc<str>>, sent: bool },
    /// The connection has shown no certificate; encrypted ones that do are taken at this place, if the connection is not
    /// encrypted and the settings say where.
    NoCertificate { encrypted: bool, at: Option<Arc<str>> },
    /// The certificate logs in to the client's account already.
    CertificateKnown,
    /// The certificate logs in to another account.
    CertificateOfOther,
    /// This number of certificates log in to the account, as many as may be.
    TooManyCertificates(usize),
    /// The account has no certificate of this number.
    NoSuchCertificate(Arc<str>),
    /// The password has fewer characters than this.
    PasswordShort(usize),
    /// The password has more bytes than this.
    PasswordLong(usize),
    /// The password is the same as the name.
    PasswordIsName,
    /// The password is a command, which would be carried out instead.
    PasswordIsCommand,
    /// The new password was typed in two different ways.
    PasswordsDiffer,
    /// There is no account of that name, or the password is not its password.
    WrongPassword,
    /// The password is not that of the client's own account.
    NotYourPassword,
    /// The line was not said, because it may have been meant as a password.
    CouldBePassword,
    /// The line was not said, because it names a password and seems to have one.
    TellsPassword,
    /// The line was not said, because it looks like what a program sends to a server of another kind.
    ForAnotherServer,
    /// The line was not said, because it looks like this command without its slash, and that takes a password.
    WithoutSlash(&'static super::super::command::Command),
    /// The line was not said, because it is this command behind a prompt that was copied with it.
    BehindPrompt(&'static super::super::command::Command),
    /// Nothing was done, because `/q` with words behind it means one thing here and another elsewhere.
    QuitOrQuery,
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
    /// This number of clients is connected from the client's address, as many as may be.
    TooManyFromAddress(usize),
    /// The hub stops.
    Stopping,
}
