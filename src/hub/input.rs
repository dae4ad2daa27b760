//! What reaches the hub, as values.

use core::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::account::{Hashed, Role};
use super::archive::Selector;
use super::ownership::Change;
use super::peering::Incoming;
use super::sanction::Order;
use super::{By, News};
use crate::settings::Newcomers;
use crate::values::fingerprint::Fingerprint;
use crate::values::id::{AccountId, ReportId, RoomId, SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::terminal::{Mode, Terminal};

/// One input of the hub. `session` is always the client that it is about, and `by` the person who
/// does it.
///
/// An input cannot be written down, because a line may hold a password. The tape keeps what leads to it: a client's
/// bytes, an administrator's command, what a link tells, or [`News`].
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Input {
    /// A connection from `peer` was accepted, `encrypted` or not. Its client is `session` from now
    /// on, a higher number than all before. `certificate` is set if the client has shown one and
    /// proved to have its key.
    Connect { session: SessionId, peer: SocketAddr, encrypted: bool, certificate: Option<Fingerprint> },
    /// A client sent a line, cleaned by [`crate::values::text::clean`].
    Line { session: SessionId, text: String },
    /// A client's program has told something of its terminal; `terminal` is all that is known of it
    /// now.
    Terminal { session: SessionId, terminal: Terminal },
    /// A client's program has accepted or refused another mode; `mode` is the one in force now.
    Mode { session: SessionId, mode: Mode },
    /// A client's program was asked to hide typed text, for a password, and goes on showing it.
    Shown { session: SessionId },
    /// A client wants the last word of `line` completed: the text that it has typed, up to the
    /// cursor.
    Complete { session: SessionId, line: String },
    /// A client sent a line of `bytes` bytes, more than allowed. The line itself is gone.
    Overlong { session: SessionId, bytes: u64 },
    /// The first bytes of a client were no line: its program speaks a binary protocol, such as TLS.
    Foreign { session: SessionId },
    /// An administrator disconnects a client, which is told the reason.
    Kick { session: SessionId, reason: Option<Arc<str>>, by: By },
    /// An administrator lifts all mutes of somebody.
    Unmute { session: SessionId, by: By },
    /// An administrator gives somebody another name, which [`Hub::may_bear`](super::Hub::may_bear)
    /// has allowed.
    Rename { session: SessionId, nick: Name, by: By },
    /// An administrator sets the topic of a room, or clears it by an empty text.
    Topic { room: RoomId, text: Arc<str>, by: By },
    /// An administrator changes who comes into a room, speaks in it, or sets its topic.
    SetRoom { room: RoomId, change: Change, by: By },
    /// An administrator gives a room, which is not the lobby, to the account `to`.
    GiveRoom { room: RoomId, to: AccountId, by: By },
    /// An administrator begins a lockdown, or changes the one in force: what happens to newcomers,
    /// and for how long. `None`: as the settings say.
    Lockdown { newcomers: Option<Newcomers>, time: Option<Duration>, by: By },
    /// An administrator ends the lockdown.
    LockdownOff { by: By },
    /// An administrator closes a room, which is not the lobby. Its people are told the reason.
    CloseRoom { room: RoomId, reason: Option<Arc<str>>, by: By },
    /// An administrator says something in the name of the hub, to one room or to all (`None`).
    Announce { room: Option<RoomId>, text: Arc<str>, by: By },
    /// A client has pressed ^C on the line it was typing.
    Interrupted { session: SessionId },
    /// An administrator makes the selected lines of history unreadable.
    Redact {
        what: Arc<Selector>,
        /// If set, also the topics that were set by a client logged in to this account. The account
        /// itself is gone.
        account: Option<AccountId>,
        by: By,
    },
    /// An administrator makes a sanction. It replaces one of the same kind about the same target.
    Sanction { order: Box<Order>, by: By },
    /// An administrator lifts a sanction.
    Lift { id: SanctionId, by: By },
    /// An administrator makes an account, which
    /// [`Hub::may_add_account`](super::Hub::may_add_account) has allowed. Without a password,
    /// nobody can log in to it yet.
    AddAccount { name: Name, hashed: Option<Hashed>, role: Role, by: By },
    /// An administrator gives an account another password or another role; `None` leaves the
    /// present one.
    ChangeAccount { account: AccountId, hashed: Option<Hashed>, role: Option<Role>, by: By },
    /// An administrator lets a certificate log in to an account (`on`), which
    /// [`Hub::may_certify`](super::Hub::may_certify) has allowed, or no longer.
    Certify { account: AccountId, certificate: Fingerprint, on: bool, by: By },
    /// An administrator clears the failed tries of an account's password, so that its owner need
    /// not wait because of them.
    UnlockAccount { account: AccountId },
    /// An administrator removes an account.
    RemoveAccount { account: AccountId, by: By },
    /// An administrator closes a report.
    CloseReport { id: ReportId, note: Option<Arc<str>>, by: By },
    /// An administrator erases an account's name and the reasons in reports by or about it, and the
    /// messages that its owner has left for others.
    ForgetWords { account: AccountId },
    /// Time has passed; see [`Hub::next_deadline`](super::Hub::next_deadline). Early or late ticks
    /// are harmless.
    Tick,
    /// The link to other hubs tells something.
    Peering(Incoming),
    /// The daemon reports something about itself.
    News(News),
}

impl From<Incoming> for Input {
    fn from(incoming: Incoming) -> Self {
        Self::Peering(incoming)
    }
}

impl From<News> for Input {
    fn from(news: News) -> Self {
        Self::News(news)
    }
}
