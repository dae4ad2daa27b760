//! What reaches the hub, and what follows from it.

use core::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::{Hashed, Role};
use super::archive::{Found, Recalled, Record, Search, Selector};
use super::ignore::Shunned;
use super::message::{Farewell, Line, Message, View};
use super::moderation::Target;
use super::ownership::Change;
use super::session::Mute;
use super::{Happening, login};
use crate::settings::{Newcomers, Settings};
use crate::values::id::{AccountId, BanId, RoomId, SessionId};
use crate::values::name::Name;
use crate::values::terminal::{Mode, Terminal};
use crate::values::time::Wall;

/// Something that reaches the hub.
///
/// Only what the daemon around the hub tells it can be written down: the tape keeps that as it is. A variant that holds
/// what a client or an administrator does is skipped by serde: the tape keeps the bytes or the command that led to it,
/// and a line may hold a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A connection was accepted. The number must be higher than all before.
    #[serde(skip)]
    Connect {
        /// The number that the connection has from now on.
        session: SessionId,
        /// Where it comes from.
        peer: SocketAddr,
    },
    /// A client sent a line, cleaned by [`crate::values::text::clean`].
    #[serde(skip)]
    Line {
        /// Who.
        session: SessionId,
        /// What.
        text: String,
    },
    /// A client has told something of its terminal.
    #[serde(skip)]
    Terminal {
        /// Who.
        session: SessionId,
        /// All that is known now.
        terminal: Terminal,
    },
    /// A client's program has gone along with another mode, or has not.
    #[serde(skip)]
    Mode {
        /// Whose.
        session: SessionId,
        /// Who edits now.
        mode: Mode,
    },
    /// A client was asked to show what is typed no more, and does not go along.
    #[serde(skip)]
    Shown {
        /// Who.
        session: SessionId,
    },
    /// A client wants a word completed.
    #[serde(skip)]
    Complete {
        /// Who.
        session: SessionId,
        /// What is typed, up to where the word ends.
        line: String,
    },
    /// A client sent a line that was longer than allowed; nothing is left of it.
    #[serde(skip)]
    Overlong {
        /// Who.
        session: SessionId,
        /// How many bytes it had.
        bytes: u64,
    },
    /// A connection has ended, or must.
    Gone {
        /// Whose.
        session: SessionId,
        /// Why.
        why: Farewell,
    },
    /// An administrator disconnects somebody.
    #[serde(skip)]
    Kick {
        /// Whom.
        session: SessionId,
        /// Why.
        reason: Option<Arc<str>>,
        /// Who does it.
        by: By,
    },
    /// An administrator mutes somebody, or lifts it.
    #[serde(skip)]
    Mute {
        /// Whom.
        session: SessionId,
        /// `None` lifts it.
        mute: Option<Mute>,
        /// Who does it.
        by: By,
    },
    /// An administrator gives somebody another name, which [`Hub::may_bear`](super::Hub::may_bear) has allowed.
    #[serde(skip)]
    Rename {
        /// Whom.
        session: SessionId,
        /// The name.
        nick: Name,
        /// Who does it.
        by: By,
    },
    /// An administrator sets or clears a topic.
    #[serde(skip)]
    Topic {
        /// Of which room.
        room: RoomId,
        /// Empty clears it.
        text: Arc<str>,
        /// Who does it.
        by: By,
    },
    /// An administrator changes who comes into a room, speaks in it, or sets its topic.
    #[serde(skip)]
    SetRoom {
        /// Which.
        room: RoomId,
        /// What.
        change: Change,
        /// Who does it.
        by: By,
    },
    /// An administrator makes a room that is not the lobby somebody's.
    #[serde(skip)]
    GiveRoom {
        /// Which.
        room: RoomId,
        /// Whose.
        to: AccountId,
        /// Who does it.
        by: By,
    },
    /// An administrator begins a lockdown, or changes the one that is under way.
    #[serde(skip)]
    Lockdown {
        /// What becomes of newcomers; `None`: as the settings say.
        newcomers: Option<Newcomers>,
        /// For how long; `None`: as the settings say.
        time: Option<Duration>,
        /// Who does it.
        by: By,
    },
    /// An administrator ends the lockdown.
    #[serde(skip)]
    LockdownOff {
        /// Who does it.
        by: By,
    },
    /// An administrator closes a room that is not the lobby.
    #[serde(skip)]
    CloseRoom {
        /// Which.
        room: RoomId,
        /// Why.
        reason: Option<Arc<str>>,
        /// Who does it.
        by: By,
    },
    /// An administrator says something in the name of the hub.
    #[serde(skip)]
    Announce {
        /// To that room, or to all.
        room: Option<RoomId>,
        /// What.
        text: Arc<str>,
        /// Who does it.
        by: By,
    },
    /// What is said is to be recorded from now on, and here is what was recorded before; or nothing is
    /// recorded. Comes at each start, also after a crash that the hub's state has survived.
    Archive(Option<Box<Recalled>>),
    /// All records up to this number are on disk.
    Recorded {
        /// The number.
        through: u64,
    },
    /// What a search has found.
    Found {
        /// Who asked.
        session: SessionId,
        /// The number of the search.
        number: u64,
        /// What was found.
        found: Box<Found>,
    },
    /// What came of a password that was to be hashed.
    Hashed {
        /// The number of the job.
        number: u64,
        /// What came of it.
        answer: login::Answer,
    },
    /// A client takes nothing of what is meant for it alone, and much of it waits; or it does again.
    Crowded {
        /// Who.
        session: SessionId,
        /// Whether it is so.
        on: bool,
    },
    /// A client has interrupted what it was typing.
    #[serde(skip)]
    Interrupted {
        /// Who.
        session: SessionId,
    },
    /// What is on disk was begun anew: all that is to be there must be recorded again.
    BegunAnew,
    /// What is on disk, which could not be read before, or is another file than before.
    Recalled(Box<Recalled>),
    /// An administrator makes lines of history unreadable.
    #[serde(skip)]
    Redact {
        /// Which.
        what: Arc<Selector>,
        /// Who does it.
        by: By,
    },
    /// An administrator keeps somebody out. A ban of the same is replaced.
    #[serde(skip)]
    Ban {
        /// Whom.
        target: Target,
        /// Why; told to them.
        reason: Option<Arc<str>>,
        /// Until when; `None`: until it is lifted.
        until: Option<Wall>,
        /// Who does it.
        by: By,
    },
    /// An administrator lifts a ban.
    #[serde(skip)]
    Unban {
        /// Which.
        id: BanId,
        /// Who does it.
        by: By,
    },
    /// An administrator makes an account, which [`Hub::may_add_account`](super::Hub::may_add_account) has allowed.
    #[serde(skip)]
    AddAccount {
        /// Of that name.
        name: Name,
        /// Its password.
        hashed: Option<Hashed>,
        /// What it may do.
        role: Role,
        /// Who does it.
        by: By,
    },
    /// An administrator gives an account another password, or another role.
    #[serde(skip)]
    ChangeAccount {
        /// Which.
        account: AccountId,
        /// The password, if another one.
        hashed: Option<Hashed>,
        /// The role, if another one.
        role: Option<Role>,
        /// Who does it.
        by: By,
    },
    /// An administrator forgets what strangers have tried of an account's password.
    #[serde(skip)]
    UnlockAccount {
        /// Which.
        account: AccountId,
    },
    /// An administrator takes an account away.
    #[serde(skip)]
    RemoveAccount {
        /// Which.
        account: AccountId,
        /// Who does it.
        by: By,
    },
    /// The settings have changed.
    Settings(Box<Settings>),
    /// The hub is to stop: everybody is told, and no one is taken any more.
    Stop {
        /// Part of the goodbye.
        message: Option<Arc<str>>,
    },
    /// Time has passed; see [`Hub::next_deadline`](super::Hub::next_deadline). Early or late ticks are harmless.
    #[serde(skip)]
    Tick,
}

/// Who did something that is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// An administrator, over the admin socket.
    Admin {
        /// The user id, as the kernel tells it (`SO_PEERCRED`).
        uid: u32,
        /// The process id, likewise.
        pid: i32,
    },
    /// Somebody in chat whose account has the role for it.
    Operator {
        /// Who.
        session: SessionId,
        /// The account.
        account: AccountId,
    },
    /// The hub itself, by its settings.
    Hub,
}

impl By {
    /// The user id, if it was an administrator over the admin socket.
    #[must_use]
    pub fn uid(self) -> Option<u32> {
        match self {
            Self::Admin { uid, .. } => Some(uid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }

    /// The process id, likewise.
    #[must_use]
    pub fn pid(self) -> Option<i32> {
        match self {
            Self::Admin { pid, .. } => Some(pid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }
}

/// Something that follows, to be carried out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A room came into being; its log starts empty.
    Open(RoomId),
    /// A room ceased to be; nobody is in it.
    Shut(RoomId),
    /// A line belongs at the end of a room's log.
    Post {
        /// Whose log.
        room: RoomId,
        /// The line.
        line: Arc<Line>,
    },
    /// A client reads that room's log from its present end on.
    Enter {
        /// Who.
        session: SessionId,
        /// Which.
        room: RoomId,
    },
    /// One client is told something, after what is in the log now and before what comes.
    Tell {
        /// Who.
        to: SessionId,
        /// What.
        message: Message,
    },
    /// From here on, one client sees lines in this way.
    View {
        /// Who.
        session: SessionId,
        /// How.
        view: View,
    },
    /// From here on, these lines are not shown to one client.
    Hide {
        /// Who.
        session: SessionId,
        /// Whether arrivals and departures are hidden.
        quiet: bool,
        /// Whose speech is hidden, in rising order.
        ignored: Arc<[SessionId]>,
        /// And that of those who bear these names, or have borne them since; in rising order.
        names: Arc<[Shunned]>,
    },
    /// A client's program is to send lines, or each key.
    Mode {
        /// Whose.
        session: SessionId,
        /// Which.
        mode: Mode,
    },
    /// What stands before what a client types, where we echo it.
    Prompt {
        /// Whose.
        session: SessionId,
        /// The text.
        prompt: Arc<str>,
    },
    /// What a client types is to be seen on its screen, or not to be, where that can be had.
    Echo {
        /// Whose.
        session: SessionId,
        /// Whether it is seen.
        on: bool,
    },
    /// A word that a client types can be completed.
    Complete {
        /// Who.
        session: SessionId,
        /// The byte at which the word begins.
        from: usize,
        /// What it can become, best first, at least one.
        words: Vec<String>,
    },
    /// From here on, lines and what one client is told wait for [`Effect::Release`], or not.
    Hold {
        /// Who.
        session: SessionId,
        /// Whether they wait.
        on: bool,
    },
    /// What waits for one client waits no more.
    Release {
        /// Who.
        session: SessionId,
    },
    /// A client gets what it is owed, and then its connection is closed. The hub has forgotten it.
    Close {
        /// Who.
        session: SessionId,
        /// Why.
        why: Farewell,
    },
    /// Something is to be written to disk. [`Input::Recorded`] is expected some time; nobody waits.
    Record {
        /// Its number, higher than those before.
        number: u64,
        /// What.
        record: Record,
    },
    /// A password is to be hashed. [`Input::Hashed`] is the answer, and there must be one. It is told
    /// again after a crash.
    Hash(Arc<login::Job>),
    /// A password that came before is of no more use: whoever keeps inputs does well to let go of it.
    SecretSpent,
    /// Somebody wants lines that are on disk. [`Input::Found`] is the answer, and there must be one.
    Search(Box<Search>),
    /// Something worth a line in the journal and in the stream of events.
    Happened(Happening),
}
