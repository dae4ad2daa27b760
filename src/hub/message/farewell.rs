//! Why a session ended.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::values::time::Wall;

/// Why a session ended, or is to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Farewell {
    /// Its client closed its side of the connection.
    Hangup,
    /// The person typed `/quit`, with or without last words.
    Quit(Option<Arc<str>>),
    /// Its connection broke.
    Lost,
    /// An administrator or operator disconnected the client, for this reason.
    Kicked(Option<Arc<str>>),
    /// A ban keeps the client out, until then or without end (`None`).
    Banned { reason: Option<Arc<str>>, until: Option<Wall> },
    /// The client took nothing for `slow.stall`, or was further behind than `slow.policy` allows.
    TooSlow,
    /// What was meant for the client alone grew beyond `limits.mailbox`.
    MailboxFull,
    /// The client waited at the door for `accounts.door` without logging in.
    NotLoggedIn,
    /// Somebody logged in to the client's account from elsewhere.
    Elsewhere,
    /// The client had sent nothing for `idle.after`.
    Idle,
    /// The client had never sent a line, and made place for a newcomer when all places were taken.
    GaveWay,
    /// Its program spoke another protocol than people do.
    NoChat,
    /// The hub stops, with this message.
    Shutdown(Option<Arc<str>>),
}
