//! Registering, logging in and out, changing a password: the dialogues about accounts, and how
//! often passwords may be tried.
//!
//! A person types a password on a line of its own, which their program hides if it can, or behind
//! the command. The password leaves the hub as a [`Job`] to be hashed by the daemon;
//! [`super::News::Hashed`] brings the answer. Until then, the client's further lines wait
//! ([`Hub::is_waiting`]).
//!
//! This folder does not know how passwords are hashed, nor where accounts are kept on disk.
//!
//! | to change | see |
//! | --- | --- |
//! | which dialogue a command about an account begins | `commands` |
//! | what the hub asks, and how it takes an answer | `dialogue` |
//! | how often a password may be tried | `tries` |
//! | what follows once a password has been hashed | `outcome` |
//! | certificates that log in | `certificates` |
//! | accounts made, changed and removed by administrators | `administer` |

mod administer;
mod certificates;
mod commands;
mod dialogue;
mod outcome;
mod tries;

use core::fmt;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::account::Hashed;
use super::message::Refusal;
use super::{Hub, command};
use crate::values::id::AccountId;
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::rate::{Allowance, KNOWN};
use crate::values::time::{Mono, Now};

/// The longest password, in bytes: far more than anybody types, and still hashed quickly.
pub const LONGEST_PASSWORD: usize = 256;

/// The factor by which strangers together may try the password of one account more often than one
/// address may (`accounts.attempts`).
const STRANGERS: u32 = 5;

/// The number of wrong answers that ends a question.
const TRIES: u8 = 3;

/// A script may send a password behind a command that turns out to ask for none. Lines within this
/// time after the command may be that password.
const AHEAD: Duration = Duration::from_secs(2);

/// The time after a private message in which a line that begins with "reply" answers it, if it is the next one.
const REPLIES: Duration = Duration::from_secs(60);

/// A password, for as long as it is needed. Its memory is overwritten when it is dropped, and
/// `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The password `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The password in plain text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A password to be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The number of the job, which its answer bears too.
    pub number: u64,
    /// The password, as it was typed.
    pub password: Secret,
    /// What the hash is compared with.
    pub against: Against,
}

/// What the hash of a password is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Against {
    /// Nothing: the password is new, and is hashed with new salt.
    Nothing,
    /// The hash of the account's password.
    Known(Hashed),
    /// No hash, because the account does not exist. The answer is "wrong", after as much work as if
    /// the account existed, so that the time does not tell.
    Unknown,
}

/// The result of a [`Job`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Answer {
    /// The hash of a new password.
    Made(Hashed),
    /// The password is the account's. `renewed` is a new hash of it, if the stored one was made
    /// with other parameters.
    Right { renewed: Option<Hashed> },
    /// The password is not the account's.
    Wrong,
    /// The password could not be hashed.
    Failed,
}

/// The password that a client is asked for, and the purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Dialogue {
    /// A password for a new account; if there is a `first`, its repetition.
    Register { first: Option<Secret> },
    /// The password of the account `name`, as the person typed that name.
    Login { name: Arc<str> },
    /// The present password, before a new one can be set.
    Present,
    /// A new password; if there is a `first`, its repetition.
    Change { first: Option<Secret> },
    /// The present password, before the account is removed.
    Unregister,
    /// No question: a password of this client is being hashed.
    Waiting,
}

/// The state of a client's dialogue besides the [`Dialogue`] itself. Earlier releases read
/// `Dialogue` from snapshots, so new fields go here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asking {
    /// The number of wrong answers to this question.
    wrong: u8,
    /// Whether the client's program was asked to hide typed text.
    hidden: bool,
    /// Whether the question was withdrawn unnoticed: the next line may be meant as the answer.
    wary: bool,
    /// The end of the time in which a line may be an answer that was sent ahead.
    ahead: Mono,
    /// Whether the time until `ahead` ends with the next line: the hub asked nothing, but the line before seemed to be a
    /// login.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    once: bool,
    /// The end of the time in which "reply ..." is an answer to a private message that has come.
    replies: Mono,
    /// Whether a password may follow that nobody asks for: the one of a name that the client was told is registered, or
    /// once more the one that it has just logged in or registered with.
    follows: bool,
    /// Whether the line before was a name as one types it to log in to a machine: the next one may be a password of that
    /// machine, however short.
    pub(in crate::hub) named: bool,
    /// How many lines in a row may have come from a program that takes the hub for another kind of server
    /// ([`super::foreign`]).
    pub(in crate::hub) foreign: u8,
}

impl Asking {
    /// Whether the client's program was asked to hide typed text.
    pub(in crate::hub) fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Notes that a private message has come.
    pub(in crate::hub) fn expect_reply(&mut self, now: Now) {
        self.replies = now.mono.after(REPLIES);
    }
}

/// What follows once a password has been hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    Register(Name),
    Login { name: Arc<str>, account: Option<AccountId>, origin: Origin },
    AskForNew,
    Change(AccountId),
    Unregister(AccountId),
}

impl Then {
    /// The question to ask again if the password was wrong.
    fn question(&self) -> Dialogue {
        match self {
            Self::Register(_) => Dialogue::Register { first: None },
            Self::Login { name, .. } => Dialogue::Login { name: name.clone() },
            Self::AskForNew => Dialogue::Present,
            Self::Change(_) => Dialogue::Change { first: None },
            Self::Unregister(_) => Dialogue::Unregister,
        }
    }
}

impl Dialogue {
    /// The command that begins this dialogue.
    fn command(&self) -> Option<Arc<str>> {
        match self {
            Self::Register { .. } => Some("/register".into()),
            Self::Login { name } => Some(format!("/login {name}").into()),
            Self::Present | Self::Change { .. } => Some("/passwd".into()),
            Self::Unregister => Some("/unregister".into()),
            Self::Waiting => None,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    session: SessionId,
    job: Arc<Job>,
    then: Then,
}

/// The passwords that are being hashed, and counts of how often passwords were tried.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Logins {
    next: u64,
    pending: BTreeMap<u64, Pending>,
    by_origin: Allowance<Origin>,
    by_account: Allowance<AccountId>,
    registered: Allowance<Origin>,
}

impl Logins {
    /// The jobs without an answer, which are handed out again after a restart.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.pending.values().map(|pending| &pending.job)
    }

    /// Whether a password is being hashed for the client `id`.
    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.pending.values().any(|pending| pending.session == id)
    }

    /// Whether the numbers read from a snapshot fit together.
    pub(super) fn is_sound(&self) -> bool {
        self.pending.iter().all(|(number, pending)| *number < self.next && pending.job.number == *number)
    }

    /// Panics if the numbers do not fit together, or the counts exceed their bound.
    pub(super) fn check_invariants(&self) {
        assert!(self.is_sound(), "numbers rise");
        assert!(self.by_origin.len() <= KNOWN && self.by_account.len() <= KNOWN);
    }
}

impl Hub {
    /// Whether a password is being hashed for the client `id`; its further lines are handled after
    /// that.
    #[must_use]
    pub fn is_waiting(&self, id: SessionId) -> bool {
        self.people.sessions.get(&id).is_some_and(|session| session.dialogue.as_deref() == Some(&Dialogue::Waiting))
    }

    /// The client for which the job `number` hashes a password; `None` if there is no such job.
    #[must_use]
    pub fn waits_for(&self, number: u64) -> Option<SessionId> {
        self.logins.pending.get(&number).map(|pending| pending.session)
    }
}

/// Checks `text` as a new password of the account `name`. It needs at least `least` characters, and
/// at most [`LONGEST_PASSWORD`] bytes.
///
/// # Errors
/// The rule that the text breaks.
pub fn password(text: &str, name: &Name, least: usize) -> Result<Secret, Refusal> {
    if text.chars().count() < least {
        Err(Refusal::PasswordShort(least))
    } else if text.len() > LONGEST_PASSWORD {
        Err(Refusal::PasswordLong(LONGEST_PASSWORD))
    } else if *Zeroizing::new(name::fold(text)) == name.folded() {
        Err(Refusal::PasswordIsName)
    } else if command::ends_question(text).is_some() {
        Err(Refusal::PasswordIsCommand)
    } else {
        Ok(Secret::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
