//! Registering, logging in and out, changing a password: the dialogues about accounts, and their bounds.
//!
//! A person types a password on a line of its own, which their program hides if it can, or gives it with the command.
//! The password leaves the hub as a [`Job`] to be hashed elsewhere; [`super::News::Hashed`] is the answer. Until the
//! answer comes, what the client sends waits ([`Hub::is_waiting`]).
//!
//! | to change | see |
//! | --- | --- |
//! | which dialogue a command about an account begins | `commands` |
//! | what is asked, and what an answer means | `dialogue` |
//! | how often a password may be tried | `tries` |
//! | what follows when a password has been hashed | `outcome` |
//! | certificates that log in | `certificates` |
//! | what administrators do | `administer` |

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
use crate::values::time::Mono;

/// The longest password, in bytes: far beyond what anybody types, and still quickly hashed.
pub const LONGEST_PASSWORD: usize = 256;

/// How many times as often strangers together may try the password of one account as one address may
/// (`accounts.attempts`).
const STRANGERS: u32 = 5;

/// How many wrong answers end a question.
const TRIES: u8 = 3;

/// After a command that asks for no password although a script may expect that, lines within this time may be the
/// password, sent ahead.
const AHEAD: Duration = Duration::from_secs(2);

/// A password, for as long as it is needed. Its memory is overwritten when it is dropped, and `Debug` does not show it.
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

/// A password that has to be hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The number of the job, which its answer bears too.
    pub number: u64,
    /// The password, as it was typed.
    pub password: Secret,
    /// What the password is compared with.
    pub against: Against,
}

/// What a password is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Against {
    /// Nothing: it is a new password, hashed with new salt.
    Nothing,
    /// The hash of the account's password.
    Known(Hashed),
    /// The password of an account that does not exist. It is wrong, after as much work as if the account existed.
    Unknown,
}

/// The result of a [`Job`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Answer {
    /// The hash of a new password.
    Made(Hashed),
    /// The password is the account's. `renewed` is a new hash of it, if the known one was made with other parameters.
    Right { renewed: Option<Hashed> },
    /// The password is not the account's.
    Wrong,
    /// The password could not be hashed.
    Failed,
}

/// The password that a client is asked for, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Dialogue {
    /// A password for a new account; once there is a `first`, the same again.
    Register { first: Option<Secret> },
    /// The password of the account `name`, as the person typed that name.
    Login { name: Arc<str> },
    /// The present password, before a new one can be set.
    Present,
    /// A new password; once there is a `first`, the same again.
    Change { first: Option<Secret> },
    /// The present password, before the account is removed.
    Unregister,
    /// Nothing is asked: a password is being hashed for the client.
    Waiting,
}

/// The state of a client's dialogue besides the [`Dialogue`] itself, whose form former releases know and which
/// therefore stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asking {
    /// How many wrong answers this question has had.
    wrong: u8,
    /// Whether the client was asked to hide what is typed.
    hidden: bool,
    /// Whether the question was taken back and the person may not have seen that: their next line may be meant as the
    /// answer.
    wary: bool,
    /// Until when a line may be an answer that was sent ahead.
    ahead: Mono,
    /// Whether a password may follow that nobody asks for: the one of a name that the client was told is registered, or
    /// once more the one that it has just logged in or registered with.
    follows: bool,
}

impl Asking {
    /// Whether what is typed is not to be seen.
    pub(in crate::hub) fn is_hidden(&self) -> bool {
        self.hidden
    }
}

/// What follows when a password has been hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    Register(Name),
    Login { name: Arc<str>, account: Option<AccountId>, origin: Origin },
    AskForNew,
    Change(AccountId),
    Unregister(AccountId),
}

impl Then {
    /// The question that is asked again if the password was wrong.
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

/// The passwords that are being hashed, and how often passwords were tried.
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
    /// The jobs without an answer: after a restart they are handed out again.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.pending.values().map(|pending| &pending.job)
    }

    /// Whether a password is being hashed for the client `id`.
    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.pending.values().any(|pending| pending.session == id)
    }

    /// Whether what was read from a snapshot fits together.
    pub(super) fn is_sound(&self) -> bool {
        self.pending.iter().all(|(number, pending)| *number < self.next && pending.job.number == *number)
    }

    /// Panics if something does not fit together.
    pub(super) fn check_invariants(&self) {
        assert!(self.is_sound(), "numbers rise");
        assert!(self.by_origin.len() <= KNOWN && self.by_account.len() <= KNOWN);
    }
}

impl Hub {
    /// Whether a password is being hashed for the client `id`: what it sends is handled after that.
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

/// Checks `text` as a new password of the account `name`; it needs at least `least` characters.
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
