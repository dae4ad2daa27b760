//! What reaches the hub, and what follows from it.

use core::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::{Hashed, Role};
use super::archive::{Found, Recalled, Record, Search, Selector};
use super::ignore::Shunned;
use super::message::{Farewell, Line, Message, View};
use super::ownership::Change;
use super::sanction::Order;
use super::{Happening, login};
use crate::settings::{Newcomers, Settings};
use crate::values::id::{AccountId, ReportId, RoomId, SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::terminal::{Mode, Terminal};

/// Something that reaches the hub. `session` is always the client that it is about, and `by` the person who does it.
///
/// Only what the daemon around the hub tells it can be written down: the tape keeps that as it is. A variant that holds
/// what a client or an administrator does is skipped by serde: the tape keeps the bytes or the command that led to it,
/// and a line may hold a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Input {
    /// A connection from `peer` was accepted. It is client `session` from now on, a higher number than all before.
    #[serde(skip)]
    Connect { session: SessionId, peer: SocketAddr },
    /// A client sent a line, cleaned by [`crate::values::text::clean`].
    #[serde(skip)]
    Line { session: SessionId, text: String },
    /// A client has told something of its terminal; `terminal` is all that is known of it now.
    #[serde(skip)]
    Terminal { session: SessionId, terminal: Terminal },
    /// A client's program has accepted or refused another `mode`, which is the one that holds now.
    #[serde(skip)]
    Mode { session: SessionId, mode: Mode },
    /// A client was asked to hide what is typed, as a password, and goes on showing it.
    #[serde(skip)]
    Shown { session: SessionId },
    /// A client wants the last word of `line` completed: what it has typed, up to the cursor.
    #[serde(skip)]
    Complete { session: SessionId, line: String },
    /// A client sent a line of `bytes` bytes, more than allowed. Nothing is left of it.
    #[serde(skip)]
    Overlong { session: SessionId, bytes: u64 },
    /// A connection has ended, or must end, for the reason `why`.
    Gone { session: SessionId, why: Farewell },
    /// An administrator disconnects a client, which is told the reason.
    #[serde(skip)]
    Kick {
        /// Whom.
        session: SessionId,
        /// Why.
        reason: Option<Arc<str>>,
        /// Who does it.
        by: By,
    },
    /// An administrator lifts all mutes of somebody.
    #[serde(skip)]
    Unmute {
        /// Whom.
        session: SessionId,
        /// Who does it.
        by: By,
    },
    /// An administrator gives somebody another name, which [`Hub::may_bear`](super::Hub::may_bear) has allowed.
    #[serde(skip)]
    Rename { session: SessionId, nick: Name, by: By },
    /// An administrator sets the topic of a room, or clears it by an empty text.
    #[serde(skip)]
    Topic { room: RoomId, text: Arc<str>, by: By },
    /// An administrator changes who comes into a room, speaks in it, or sets its topic.
    #[serde(skip)]
    SetRoom { room: RoomId, change: Change, by: By },
    /// An administrator makes a room that is not the lobby the room of the account `to`.
    #[serde(skip)]
    GiveRoom { room: RoomId, to: AccountId, by: By },
    /// An administrator begins a lockdown, or changes the one that is under way: what becomes of newcomers, and for how
    /// long; `None` is as the settings say.
    #[serde(skip)]
    Lockdown { newcomers: Option<Newcomers>, time: Option<Duration>, by: By },
    /// An administrator ends the lockdown.
    #[serde(skip)]
    LockdownOff { by: By },
    /// An administrator closes a room that is not the lobby. Its people are told the reason.
    #[serde(skip)]
    CloseRoom { room: RoomId, reason: Option<Arc<str>>, by: By },
    /// An administrator says something in the name of the hub, to one room or to all (`None`).
    #[serde(skip)]
    Announce { room: Option<RoomId>, text: Arc<str>, by: By },
    /// What is said is recorded from now on, and this was recorded before; `None`: nothing is recorded. Comes at each
    /// start, also after a crash that the hub's state has survived.
    Archive(Option<Box<Recalled>>),
    /// All records up to the number `through` are on disk.
    Recorded { through: u64 },
    /// The result of the search of this number, which `session` asked for.
    Found { session: SessionId, number: u64, found: Box<Found> },
    /// The result of the hashing job of this number.
    Hashed { number: u64, answer: login::Answer },
    /// A client takes nothing of what is meant for it alone, and much of that waits (`on`), or it takes it again.
    Crowded { session: SessionId, on: bool },
    /// A client has pressed ^C on the line it was typing.
    #[serde(skip)]
    Interrupted { session: SessionId },
    /// The file on disk is a new one: all that has to be there must be recorded again.
    BegunAnew,
    /// What is on disk, if it could not be read before or the file is another one than before.
    Recalled(Box<Recalled>),
    /// An administrator makes the selected lines of history unreadable.
    #[serde(skip)]
    Redact {
        /// Which.
        what: Arc<Selector>,
        /// A topic goes as well that somebody has set who was logged in to this account, which is no more.
        account: Option<AccountId>,
        /// Who does it.
        by: By,
    },
    /// An administrator keeps somebody out, or from being heard. A sanction of the same kind about the same is replaced.
    #[serde(skip)]
    Sanction {
        /// What, and about whom.
        order: Box<Order>,
        /// Who does it.
        by: By,
    },
    /// An administrator lifts a sanction.
    #[serde(skip)]
    Lift {
        /// Which.
        id: SanctionId,
        /// Who does it.
        by: By,
    },
    /// An administrator makes an account, which [`Hub::may_add_account`](super::Hub::may_add_account) has allowed.
    /// Without a password nobody can log in to it.
    #[serde(skip)]
    AddAccount { name: Name, hashed: Option<Hashed>, role: Role, by: By },
    /// An administrator gives an account another password or another role; `None` leaves what there is.
    #[serde(skip)]
    ChangeAccount { account: AccountId, hashed: Option<Hashed>, role: Option<Role>, by: By },
    /// An administrator clears the failed tries of an account's password, so that nobody waits because of them.
    #[serde(skip)]
    UnlockAccount { account: AccountId },
    /// An administrator removes an account.
    #[serde(skip)]
    RemoveAccount { account: AccountId, by: By },
    /// An administrator closes a report.
    #[serde(skip)]
    CloseReport {
        /// Which.
        id: ReportId,
        /// What they have to say.
        note: Option<Arc<str>>,
        /// Who does it.
        by: By,
    },
    /// An administrator has let go of what reports say of an account.
    #[serde(skip)]
    EraseReports {
        /// Which.
        account: AccountId,
    },
    /// The settings have changed.
    Settings(Box<Settings>),
    /// The hub is to stop: everybody is told goodbye with this message, and nobody is let in any more.
    Stop { message: Option<Arc<str>> },
    /// Time has passed; see [`Hub::next_deadline`](super::Hub::next_deadline). Early or late ticks are harmless.
    #[serde(skip)]
    Tick,
}

/// The person who did something that is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// An administrator, over the admin socket.
    Admin {
        /// The user id, as the kernel tells it (`SO_PEERCRED`).
        uid: u32,
        /// The process id, by the same option.
        pid: i32,
    },
    /// Somebody in chat whose account has the role for it.
    Operator {
        /// The client of that person when they did it.
        session: SessionId,
        /// The account, which stays when the client is gone.
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

    /// The process id, if it was an administrator over the admin socket.
    #[must_use]
    pub fn pid(self) -> Option<i32> {
        match self {
            Self::Admin { pid, .. } => Some(pid),
            Self::Operator { .. } | Self::Hub => None,
        }
    }
}

/// Something that follows from an input, to be applied in order. `session` is always the client that it is about.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Effect {
    /// A room was opened; its log starts empty.
    Open(RoomId),
    /// A room was closed; nobody is in it.
    Shut(RoomId),
    /// A line goes to the end of a room's log.
    Post { room: RoomId, line: Arc<Line> },
    /// A client reads that room's log from its present end on.
    Enter { session: SessionId, room: RoomId },
    /// One client is told something, after what is in the log of its room now and before what comes.
    Tell { to: SessionId, message: Message },
    /// From here on, a client sees lines in this way.
    View { session: SessionId, view: View },
    /// From here on, a client is not shown arrivals and departures (if `quiet`), what the sessions `ignored` say, and
    /// what others say who bear one of these `names` or have borne it since. Both lists are in rising order.
    Hide { session: SessionId, quiet: bool, ignored: Arc<[SessionId]>, names: Arc<[Shunned]> },
    /// A client's program is asked to send lines, or each key.
    Mode { session: SessionId, mode: Mode },
    /// The text before what a client types, where we echo it.
    Prompt { session: SessionId, prompt: Arc<str> },
    /// What a client types is shown on its screen (`on`) or hidden, if its program goes along.
    Echo { session: SessionId, on: bool },
    /// The word that begins at byte `from` of what a client has typed can become one of `words`: at least one, best
    /// first.
    Complete { session: SessionId, from: usize, words: Vec<String> },
    /// From here on, a client's lines and what it is told wait for [`Effect::Release`] (`on`), or no longer.
    Hold { session: SessionId, on: bool },
    /// What has waited for a client until now is written.
    Release { session: SessionId },
    /// A client gets what it is owed, and then its connection is closed. The hub has forgotten it.
    Close { session: SessionId, why: Farewell },
    /// A record is to be written to disk; its number is higher than those before. [`Input::Recorded`] tells when it is
    /// there, and nobody waits for that.
    Record { number: u64, record: Record },
    /// A password is to be hashed. [`Input::Hashed`] is the answer, and there must be one: after a crash the job is
    /// handed out again.
    Hash(Arc<login::Job>),
    /// A password in an input before is no longer needed: it can be erased where inputs are kept.
    SecretSpent,
    /// A client searches what is on disk. [`Input::Found`] is the answer, and there must be one.
    Search(Box<Search>),
    /// Something worth a line in the journal and in the stream of events.
    Happened(Happening),
}
