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
    /// `/quit`, with a last word.
    Quit(Option<Arc<str>>),
    /// Its connection broke.
    Lost,
    /// An administrator or operator disconnected it, for this reason.
    Kicked(Option<Arc<str>>),
    /// A ban keeps it out, until then or without end (`None`).
    Banned { reason: Option<Arc<str>>, until: Option<Wall> },
    /// It took nothing for `slow.stall`, or was further behind than `slow.policy` allows.
    TooSlow,
    /// What was meant for it alone grew beyond `limits.mailbox`.
    MailboxFull,
    /// It waited at the door for `accounts.door` without logging in.
    NotLoggedIn,
    /// Its account was logged in to from elsewhere.
    Elsewhere,
    /// It had sent nothing for `idle.after`.
    Idle,
    /// It had never sent a line, and made place for a newcomer when all places were taken.
    GaveWay,
    /// The hub stops, with this message.
    Shutdown(Option<Arc<str>>),
}
