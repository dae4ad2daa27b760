//! Registering, logging in and out, changing a password: the dialogues of the accounts, and what bounds
//! them.
//!
//! A password is typed on a line of its own, which is not shown where that can be had, or given with the
//! command. It goes out as a [`Job`], to be hashed elsewhere, and [`super::Input::Hashed`] tells what came of it.
//! Until then the hub is [`Hub::is_waiting`] for that client: what it sends meanwhile is handled after.
//!
//! | to change | see |
//! | --- | --- |
//! | what a command about an account begins | `commands` |
//! | what is asked, and what an answer means | `dialogue` |
//! | how often a password may be tried | `tries` |
//! | what a password that was hashed brings about | `outcome` |
//! | what administrators do | `administer` |

mod administer;
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

/// The longest password, in bytes: far beyond what anybody types, and no load for whoever hashes it.
pub const LONGEST_PASSWORD: usize = 256;

/// Strangers may try an account so many times as often as one address may try.
const STRANGERS: u32 = 5;

/// Wrong answers to one question; then it is not asked again.
const TRIES: u8 = 3;

/// What comes within so long of a command that came to nothing may have been sent ahead, in answer to a
/// question that was not asked.
const AHEAD: Duration = Duration::from_secs(2);

/// A password, for as long as it is needed: overwritten when it is let go of, and not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The password `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// What was typed.
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
    /// Its number.
    pub number: u64,
    /// The password.
    pub password: Secret,
    /// What it is compared with.
    pub against: Against,
}

/// What a password is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Against {
    /// Nothing: it is to be hashed with new salt.
    Nothing,
    /// That one.
    Known(Hashed),
    /// An account that there is not. It takes as long as if there were one, and is wrong.
    Unknown,
}

/// What came of a [`Job`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// The password, hashed.
    Made(Hashed),
    /// It is the one.
    Right {
        /// It again, if it was hashed in a way that is not today's.
        renewed: Option<Hashed>,
    },
    /// It is not.
    Wrong,
    /// It could not be hashed.
    Failed,
}

/// What a client is asked for, and what for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialogue {
    /// A password for a new account; then the same again.
    Register {
        /// What was typed first.
        first: Option<Secret>,
    },
    /// The password of an account.
    Login {
        /// Its name, as it was typed.
        name: Arc<str>,
    },
    /// The present password, before a new one.
    Present,
    /// A new password; then the same again.
    Change {
        /// What was typed first.
        first: Option<Secret>,
    },
    /// The present password, before the account is given up.
    Unregister,
    /// Nothing: a password of it is being hashed.
    Waiting,
}

/// How it stands with what a client is asked for: beside the [`Dialogue`], which former releases know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asking {
    /// Answers to this question that were wrong.
    wrong: u8,
    /// It was asked not to show what is typed.
    hidden: bool,
    /// Nothing is asked for any more, and its person may not have seen that: the next line can be meant as
    /// the answer.
    wary: bool,
    /// What comes before then can be an answer that was sent ahead.
    ahead: Mono,
}

/// What is done when a password is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Then {
    Register(Name),
    Login { name: Arc<str>, account: Option<AccountId>, origin: Origin },
    AskForNew,
    Change(AccountId),
    Unregister(AccountId),
}

impl Then {
    /// What is asked for if the password does not do.
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
    /// What somebody types to be asked for this.
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

/// Passwords that are being hashed, and who has tried how often.
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
    /// Those that may not have been hashed by a process that is no more.
    pub(super) fn jobs(&self) -> impl Iterator<Item = &Arc<Job>> {
        self.pending.values().map(|pending| &pending.job)
    }

    /// Whether something of that client is being hashed.
    pub(super) fn waits(&self, id: SessionId) -> bool {
        self.pending.values().any(|pending| pending.session == id)
    }

    /// Whether what was read fits together.
    pub(super) fn is_sound(&self) -> bool {
        self.pending.iter().all(|(number, pending)| *number < self.next && pending.job.number == *number)
    }

    /// Panics if something does not fit.
    pub(super) fn check_invariants(&self) {
        assert!(self.is_sound(), "numbers rise");
        assert!(self.by_origin.len() <= KNOWN && self.by_account.len() <= KNOWN);
    }
}

impl Hub {
    /// Whether a password of that client is being hashed: what it sends is handled after that.
    #[must_use]
    pub fn is_waiting(&self, id: SessionId) -> bool {
        self.people.sessions.get(&id).is_some_and(|session| session.dialogue.as_deref() == Some(&Dialogue::Waiting))
    }

    /// Whose password that job is about.
    #[must_use]
    pub fn waits_for(&self, number: u64) -> Option<SessionId> {
        self.logins.pending.get(&number).map(|pending| pending.session)
    }
}

/// The password `text` of the account `name`, of at least `least` characters.
///
/// # Errors
/// Why it is none.
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
