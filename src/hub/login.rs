//! Registering, logging in and out, changing a password: the dialogues of the accounts, and what bounds
//! them.
//!
//! A password is typed on a line of its own, which is not shown where that can be had, or given with the
//! command. It goes out as a [`Job`], to be hashed elsewhere, and [`super::Input::Hashed`] tells what came of it.
//! Until then the hub is [`Hub::is_waiting`] for that client: what it sends meanwhile is handled after.

use core::fmt;
use core::hash::Hasher as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher24;
use zeroize::{Zeroize as _, Zeroizing};

use super::account::{Account, Hashed, Role};
use super::archive::Record;
use super::command::Ends;
use super::message::{Asked, Done, Farewell, Message, Refusal};
use super::{By, Effect, Happening, Hub, What, command, refuse, tell};
use crate::settings::Registering;
use crate::values::id::AccountId;
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::time::{Mono, Now};

/// The longest password, in bytes: far beyond what anybody types, and no load for whoever hashes it.
pub const LONGEST_PASSWORD: usize = 256;

/// Addresses, or accounts, whose attempts are remembered at once. Beyond it, the one that would be
/// forgotten soonest is: who tries that many addresses gains a few attempts each.
const REMEMBERED: usize = 4096;

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

/// How often something may be done by each of many: so often in one go, then one more each so long.
#[derive(Clone, Debug)]
pub(super) struct Allowance<K>(BTreeMap<K, Mono>);

impl<K> Default for Allowance<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Copy> Allowance<K> {
    /// Once more for `key`, or how long that is too soon.
    pub(super) fn take(&mut self, key: K, burst: u32, every: Duration, now: Mono) -> Result<(), Duration> {
        let used = self.0.get(&key).copied().unwrap_or_default().max(now).after(every);
        let most = now.after(every.saturating_mul(burst));
        if used > most {
            return Err(used.since(most));
        }
        if !self.0.contains_key(&key) && self.0.len() >= REMEMBERED {
            self.0.retain(|_, full| *full > now);
            if self.0.len() >= REMEMBERED
                && let Some(soonest) = self.0.iter().min_by_key(|(_, full)| **full).map(|(key, _)| *key)
            {
                self.0.remove(&soonest);
            }
        }
        self.0.insert(key, used);
        Ok(())
    }

    /// Nothing has counted so far.
    fn clear(&mut self, key: K) {
        self.0.remove(&key);
    }

    /// It did not count.
    pub(super) fn give_back(&mut self, key: K, every: Duration) {
        if let Some(full) = self.0.get_mut(&key) {
            *full = Mono(full.0.saturating_sub(u64::try_from(every.as_micros()).unwrap_or(u64::MAX)));
        }
    }
}

impl<K: Serialize> Serialize for Allowance<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter())
    }
}

impl<'de, K: DeserializeOwned + Ord> Deserialize<'de> for Allowance<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::deserialize(from)?.into_iter().take(REMEMBERED).collect()))
    }
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
        assert!(self.by_origin.0.len() <= REMEMBERED && self.by_account.0.len() <= REMEMBERED);
    }
}

impl Hub {
    /// Whether a password of that client is being hashed: what it sends is handled after that.
    #[must_use]
    pub fn is_waiting(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.dialogue.as_deref() == Some(&Dialogue::Waiting))
    }

    /// Whose password that job is about.
    #[must_use]
    pub fn waits_for(&self, number: u64) -> Option<SessionId> {
        self.logins.pending.get(&number).map(|pending| pending.session)
    }

    /// `id` tries the password of `account` once more; or how long that is too soon, and then nothing counts.
    ///
    /// Whoever tries accounts from many addresses is slowed by account. Its owner is not, for that would let
    /// strangers lock them out: not at a place where they have logged in before, nor in a network that is
    /// never shut out.
    fn may_try(&mut self, id: SessionId, account: Option<AccountId>, now: Now) -> Result<(), Duration> {
        let (burst, every) = (self.settings.accounts.attempts, self.settings.accounts.attempt_every);
        let origin = self.origin(id);
        self.logins.by_origin.take(origin, burst, every, now.mono)?;
        let Some(account) = account.filter(|account| self.is_stranger(id, *account)) else { return Ok(()) };
        let taken = self.logins.by_account.take(account, burst.saturating_mul(STRANGERS), every, now.mono);
        if taken.is_err() {
            self.logins.by_origin.give_back(origin, every);
        }
        taken
    }

    /// That try does not count.
    fn has_not_tried(&mut self, id: SessionId, account: Option<AccountId>) {
        let (origin, every) = (self.origin(id), self.settings.accounts.attempt_every);
        self.logins.by_origin.give_back(origin, every);
        if let Some(account) = account.filter(|account| self.is_stranger(id, *account)) {
            self.logins.by_account.give_back(account, every);
        }
    }

    /// Whether `id` comes from where nobody has logged in to `account` of late.
    fn is_stranger(&self, id: SessionId, account: AccountId) -> bool {
        let ip = self.sessions[&id].peer.ip();
        let place = self.place(id);
        !self.settings.access.always.iter().any(|network| network.has(ip))
            && self.accounts.get(account).is_none_or(|account| !account.places.contains(&place))
    }

    /// What stands for the address that `id` comes from, with accounts.
    fn place(&self, id: SessionId) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(b"place");
        hasher.write(&self.origin(id).bits().to_be_bytes());
        hasher.finish()
    }

    /// Strangers have not tried that account so far. Whether there is one.
    pub(super) fn unlock_account(&mut self, id: AccountId) -> bool {
        self.logins.by_account.clear(id);
        self.accounts.get(id).is_some()
    }

    fn origin(&self, id: SessionId) -> Origin {
        Origin::of(self.sessions[&id].peer.ip())
    }

    // -- the commands --------------------------------------------------------------------------

    /// `/register`.
    pub(super) fn register(&mut self, id: SessionId, password: &str, now: Now, effects: &mut Vec<Effect>) {
        if let Err(refusal) = self.may_register(id) {
            return refuse(id, refusal, effects);
        }
        if password.is_empty() {
            return self.ask(id, Dialogue::Register { first: None }, effects);
        }
        match self.suitable(id, password) {
            Ok(password) => self.make_account(id, password, now, effects),
            Err(refusal) => {
                refuse(id, refusal, effects);
                self.ask(id, Dialogue::Register { first: None }, effects);
            }
        }
    }

    fn may_register(&self, id: SessionId) -> Result<(), Refusal> {
        let session = &self.sessions[&id];
        let nick: Arc<str> = session.nick.shown().into();
        if let Some(account) = session.account.and_then(|account| self.accounts.get(account)) {
            return Err(Refusal::LoggedIn(account.name.shown().into()));
        }
        let limit = self.settings.limits.accounts;
        if self.settings.accounts.register == Registering::Closed {
            Err(Refusal::RegisteringClosed)
        } else if !self.recording {
            Err(Refusal::NoAccounts)
        } else if self.unread {
            Err(Refusal::AccountsUnread)
        } else if name::is_reserved(&session.nick) || command::taken_for(&session.nick).is_some() {
            Err(Refusal::NameFirst(nick))
        } else if let Some(owner) = self.accounts.owner(&session.nick) {
            Err(Refusal::NameRegistered(owner.name.shown().into()))
        } else if self.accounts.len() >= limit {
            Err(Refusal::TooManyAccounts(limit))
        } else {
            Ok(())
        }
    }

    fn make_account(&mut self, id: SessionId, password: Secret, now: Now, effects: &mut Vec<Effect>) {
        let (origin, accounts) = (self.origin(id), &self.settings.accounts);
        let (burst, every) = (accounts.registrations, accounts.registration_every);
        let then = Then::Register(self.sessions[&id].nick.clone());
        if let Err(wait) = self.logins.registered.take(origin, burst, every, now.mono) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &then.question(), now, effects);
        }
        self.hash(id, password, Against::Nothing, then, now, effects);
    }

    /// `/login`.
    pub(super) fn login(&mut self, id: SessionId, name: &str, password: &str, now: Now, effects: &mut Vec<Effect>) {
        let session = &self.sessions[&id];
        if let Some(account) = session.account.and_then(|account| self.accounts.get(account)) {
            return refuse(id, Refusal::LoggedIn(account.name.shown().into()), effects);
        }
        let name: Arc<str> = if name.is_empty() { session.nick.shown().into() } else { name.into() };
        if self.unread && self.accounts.find(&name::fold(&name)).is_none() {
            return refuse(id, Refusal::AccountsUnread, effects);
        }
        if password.is_empty() {
            return self.ask(id, Dialogue::Login { name }, effects);
        }
        self.check_login(id, name, Secret::new(password.to_owned()), now, effects);
    }

    fn check_login(&mut self, id: SessionId, name: Arc<str>, password: Secret, now: Now, effects: &mut Vec<Effect>) {
        let account = self.accounts.find(&name::fold(&name));
        let then = Then::Login { name, account, origin: self.origin(id) };
        if let Err(wait) = self.may_try(id, account, now) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &then.question(), now, effects);
        }
        let hashed = account.and_then(|account| self.accounts.get(account)?.hashed.clone());
        let against = hashed.map_or(Against::Unknown, Against::Known);
        self.hash(id, password, against, then, now, effects);
    }

    /// `/logout`.
    pub(super) fn logout(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
        let Some(account) = self.sessions.get(&id).and_then(|session| session.account) else { return };
        self.set_account(id, None);
        self.seen(account, now, effects);
        self.happened(What::LoggedOut, id, None, None, now, effects);
        // The name is the account's.
        let owned = self.accounts.owner(&self.sessions[&id].nick).is_some();
        if owned {
            self.rename_to_guest(id, now, effects);
        }
        let nick = self.sessions[&id].nick.shown().into();
        tell(id, Message::Done(Done::LoggedOut(nick)), effects);
    }

    /// `/passwd`.
    pub(super) fn passwd(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        self.ask(id, Dialogue::Present, effects);
    }

    /// `/unregister`.
    pub(super) fn unregister(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        self.ask(id, Dialogue::Unregister, effects);
    }

    // -- the dialogues -------------------------------------------------------------------------

    /// Asks for what `dialogue` wants.
    fn ask(&mut self, id: SessionId, dialogue: Dialogue, effects: &mut Vec<Effect>) {
        let asked = match &dialogue {
            Dialogue::Register { first: None } | Dialogue::Change { first: None } => {
                Asked::New { least: self.settings.accounts.password }
            }
            Dialogue::Register { .. } | Dialogue::Change { .. } => Asked::Again,
            Dialogue::Login { name } => Asked::Of(name.clone()),
            Dialogue::Present | Dialogue::Unregister => Asked::Present,
            Dialogue::Waiting => return,
        };
        let Some(session) = self.sessions.get_mut(&id) else { return };
        if session.dialogue.replace(Box::new(dialogue)).is_none() {
            session.asking = Asking { hidden: session.asking.hidden, ..Asking::default() };
        }
        if !std::mem::replace(&mut session.asking.hidden, true) {
            self.hide_typing(id, true, effects);
        }
        tell(id, Message::Done(Done::Asks(asked)), effects);
    }

    /// An answer was wrong: the question comes again, unless it has come often enough.
    fn ask_again(&mut self, id: SessionId, question: Dialogue, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.asking.wrong = session.asking.wrong.saturating_add(1);
        if session.asking.wrong < TRIES {
            self.ask(id, question, effects);
        } else {
            self.ask_no_more(id, question.command(), now, effects);
        }
    }

    /// Ends the dialogue with its aim reached.
    fn end_dialogue(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.dialogue = None;
        session.asking = Asking::default();
        effects.push(Effect::Echo { session: id, on: true });
    }

    /// Ends the dialogue with nothing done. Its person may be typing the next answer: that is not said aloud.
    fn ask_no_more(&mut self, id: SessionId, command: Option<Arc<str>>, now: Now, effects: &mut Vec<Effect>) {
        self.end_dialogue(id, effects);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.asking = Asking { wary: true, ahead: now.mono.after(AHEAD), ..Asking::default() };
        tell(id, Message::Done(Done::AsksNoMore(command)), effects);
    }

    /// What `id` wanted comes to nothing, and is no use asking for again just now.
    fn give_up(&mut self, id: SessionId, refusal: Refusal, question: &Dialogue, now: Now, effects: &mut Vec<Effect>) {
        refuse(id, refusal, effects);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.dialogue = None;
        if session.asking.hidden {
            self.ask_no_more(id, question.command(), now, effects);
        }
    }

    /// Whatever `id` sends in a moment may have been sent ahead, as the answer to a question that was not
    /// asked.
    pub(super) fn expect_answers_sent_ahead(&mut self, id: SessionId, now: Now) {
        if let Some(session) = self.sessions.get_mut(&id)
            && session.dialogue.is_none()
        {
            session.asking.ahead = now.mono.after(AHEAD);
        }
    }

    /// `id` does something else than to answer.
    pub(super) fn answers_nothing(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.asking.wary = false;
        }
    }

    /// Whether what `id` wants to say could be a password: it is told so, and nobody else sees it.
    pub(super) fn keeps_to_itself(&mut self, id: SessionId, text: &str, now: Now, effects: &mut Vec<Effect>) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        let is_answer = std::mem::take(&mut session.asking.wary) || now.mono < session.asking.ahead;
        let own = name::fold(session.nick.shown());
        let refusal = if is_answer {
            Refusal::CouldBePassword
        } else {
            let is_name = |word: &str| {
                let folded = Zeroizing::new(name::fold(word));
                *folded == own || self.accounts.find(&folded).is_some()
            };
            let Some(command) = command::without_slash(text, is_name) else { return false };
            self.expect_answers_sent_ahead(id, now);
            Refusal::WithoutSlash(command)
        };
        refuse(id, refusal, effects);
        effects.push(Effect::SecretSpent);
        true
    }

    /// Ends the dialogue, if there is one that waits for its client. Whether there was.
    pub(super) fn cancel(&mut self, id: SessionId, effects: &mut Vec<Effect>) -> bool {
        let Some(session) = self.sessions.get_mut(&id) else { return false };
        if session.dialogue.take_if(|dialogue| **dialogue != Dialogue::Waiting).is_none() {
            session.asking.wary = false;
            return false;
        }
        self.end_dialogue(id, effects);
        effects.push(Effect::SecretSpent);
        tell(id, Message::Done(Done::Cancelled), effects);
        true
    }

    /// Takes what was asked for.
    pub(super) fn answered(&mut self, id: SessionId, mut text: String, now: Now, effects: &mut Vec<Effect>) {
        if text.is_empty() {
            self.cancel(id, effects);
            return;
        }
        let Some(dialogue) = self.sessions.get_mut(&id).and_then(|session| session.dialogue.take()) else { return };
        if let Some(ends) = command::ends_question(&text) {
            if ends == Ends::ForGood {
                self.end_dialogue(id, effects);
                tell(id, Message::Done(Done::Cancelled), effects);
            }
            // Whoever types a command does not answer, and nobody's password is one.
            self.line(id, &text, now, effects);
            if self.sessions.get(&id).is_some_and(|session| session.dialogue.is_none()) {
                effects.push(Effect::Echo { session: id, on: true });
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.asking.hidden = false;
                }
            }
            text.zeroize();
            effects.push(Effect::SecretSpent);
            return;
        }
        // While it is hashed, and if it is asked for again, what is typed stays hidden.
        let over = match *dialogue {
            Dialogue::Register { first: None } | Dialogue::Change { first: None } => match self.suitable(id, &text) {
                Ok(first) => {
                    let first = Some(first);
                    let next = match *dialogue {
                        Dialogue::Register { .. } => Dialogue::Register { first },
                        _ => Dialogue::Change { first },
                    };
                    self.go_on(id, next, effects);
                    false
                }
                Err(refusal) => {
                    refuse(id, refusal, effects);
                    self.go_on(id, *dialogue, effects);
                    true
                }
            },
            Dialogue::Register { first: Some(ref first) } if first.reveal() == text => {
                match self.may_register(id) {
                    Ok(()) => self.make_account(id, first.clone(), now, effects),
                    Err(refusal) => self.give_up(id, refusal, &dialogue, now, effects),
                }
                true
            }
            Dialogue::Change { first: Some(ref first) } if first.reveal() == text => {
                match self.sessions[&id].account {
                    Some(account) => {
                        self.hash(id, first.clone(), Against::Nothing, Then::Change(account), now, effects);
                    }
                    None => self.give_up(id, Refusal::RoleNeeded(Role::Member), &dialogue, now, effects),
                }
                true
            }
            Dialogue::Register { .. } | Dialogue::Change { .. } => {
                refuse(id, Refusal::PasswordsDiffer, effects);
                let question = match *dialogue {
                    Dialogue::Register { .. } => Dialogue::Register { first: None },
                    _ => Dialogue::Change { first: None },
                };
                self.stay_in_dialogue(id);
                self.ask_again(id, question, now, effects);
                true
            }
            Dialogue::Login { name } => {
                self.stay_in_dialogue(id);
                self.check_login(id, name, Secret::new(text.clone()), now, effects);
                true
            }
            Dialogue::Present | Dialogue::Unregister => {
                self.stay_in_dialogue(id);
                self.check_present(id, &text, *dialogue == Dialogue::Unregister, now, effects);
                true
            }
            // Nothing is handed over then.
            Dialogue::Waiting => false,
        };
        text.zeroize();
        if over && !self.is_waiting(id) {
            effects.push(Effect::SecretSpent);
        }
    }

    fn go_on(&mut self, id: SessionId, dialogue: Dialogue, effects: &mut Vec<Effect>) {
        self.stay_in_dialogue(id);
        self.ask(id, dialogue, effects);
    }

    /// What comes next is not the beginning of a dialogue.
    fn stay_in_dialogue(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.dialogue = Some(Box::new(Dialogue::Waiting));
        }
    }

    fn check_present(&mut self, id: SessionId, text: &str, unregister: bool, now: Now, effects: &mut Vec<Effect>) {
        let question = if unregister { Dialogue::Unregister } else { Dialogue::Present };
        let Some(account) = self.sessions[&id].account else {
            return self.give_up(id, Refusal::RoleNeeded(Role::Member), &question, now, effects);
        };
        if let Err(wait) = self.may_try(id, Some(account), now) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &question, now, effects);
        }
        let hashed = self.accounts.get(account).and_then(|account| account.hashed.clone());
        let against = hashed.map_or(Against::Unknown, Against::Known);
        let then = if unregister { Then::Unregister(account) } else { Then::AskForNew };
        self.hash(id, Secret::new(text.to_owned()), against, then, now, effects);
    }

    /// A password that may be had, by whoever bears that name.
    fn suitable(&self, id: SessionId, text: &str) -> Result<Secret, Refusal> {
        password(text, &self.sessions[&id].nick, self.settings.accounts.password)
    }

    fn hash(
        &mut self,
        id: SessionId,
        password: Secret,
        against: Against,
        then: Then,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if self.logins.pending.len() >= self.settings.accounts.waiting {
            refuse(id, Refusal::HashingBusy, effects);
            self.does_not_count(id, &then);
            self.stay_in_dialogue(id);
            return self.ask_again(id, then.question(), now, effects);
        }
        let number = self.logins.next;
        self.logins.next += 1;
        let job = Arc::new(Job { number, password, against });
        self.logins.pending.insert(number, Pending { session: id, job: job.clone(), then });
        if let Some(session) = self.sessions.get_mut(&id) {
            session.dialogue = Some(Box::new(Dialogue::Waiting));
        }
        effects.push(Effect::Hash(job));
    }

    /// Nothing came of a password that was to be hashed, and it does not count.
    fn does_not_count(&mut self, id: SessionId, then: &Then) {
        match then {
            Then::Login { account, .. } => self.has_not_tried(id, *account),
            Then::AskForNew => self.has_not_tried(id, self.sessions[&id].account),
            Then::Unregister(account) => self.has_not_tried(id, Some(*account)),
            Then::Register(_) => {
                let every = self.settings.accounts.registration_every;
                self.logins.registered.give_back(self.origin(id), every);
            }
            Then::Change(_) => {}
        }
    }

    // -- what came of it -----------------------------------------------------------------------

    /// Takes what came of a job.
    pub(super) fn hashed(&mut self, number: u64, answer: Answer, now: Now, effects: &mut Vec<Effect>) {
        let Some(Pending { session: id, then, .. }) = self.logins.pending.remove(&number) else { return };
        effects.push(Effect::SecretSpent);
        if !self.sessions.contains_key(&id) {
            return;
        }
        let question = then.question();
        let counts = matches!(answer, Answer::Wrong) || matches!(then, Then::Register(_)) && answer != Answer::Failed;
        if !counts {
            self.does_not_count(id, &then);
        }
        let done = match (then, answer) {
            (_, Answer::Failed) => Err(Refusal::HashingFailed),
            (Then::Register(name), Answer::Made(hashed)) => self.registered(id, name, hashed, now, effects),
            (Then::Change(account), Answer::Made(hashed)) if self.sessions[&id].account == Some(account) => {
                self.end_dialogue(id, effects);
                self.change_account(account, Some(hashed), None, None, now, effects);
                tell(id, Message::Done(Done::PasswordChanged), effects);
                Ok(())
            }
            (Then::Login { account: Some(account), .. }, Answer::Right { renewed }) => {
                self.let_in(id, account, renewed, now, effects)
            }
            (Then::Login { name, .. }, _) => {
                self.counters.logins_failed += 1;
                self.happened(What::LoginFailed, id, None, Some(name), now, effects);
                refuse(id, Refusal::WrongPassword, effects);
                self.ask_again(id, question.clone(), now, effects);
                Ok(())
            }
            // It was taken away meanwhile.
            _ if self.sessions[&id].account.is_none() => Err(Refusal::RoleNeeded(Role::Member)),
            (Then::AskForNew, Answer::Right { .. }) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.asking.wrong = 0;
                }
                self.ask(id, Dialogue::Change { first: None }, effects);
                Ok(())
            }
            (Then::Unregister(account), Answer::Right { .. }) => {
                self.end_dialogue(id, effects);
                if let Some(account) = self.remove_account(account, None, now, effects) {
                    tell(id, Message::Done(Done::Unregistered(account.name.shown().into())), effects);
                }
                Ok(())
            }
            _ => {
                self.counters.logins_failed += 1;
                refuse(id, Refusal::NotYourPassword, effects);
                self.ask_again(id, question.clone(), now, effects);
                Ok(())
            }
        };
        if let Err(refusal) = done {
            self.give_up(id, refusal, &question, now, effects);
        }
    }

    fn registered(
        &mut self,
        id: SessionId,
        name: Name,
        hashed: Hashed,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        // Much can have happened meanwhile.
        self.may_register(id)?;
        if self.sessions[&id].nick.folded() != name.folded() {
            return Err(Refusal::NameFirst(name.shown().into()));
        }
        let shown: Arc<str> = name.shown().into();
        let hashed = Some(hashed);
        let account = self.accounts.next_id();
        let places = vec![self.place(id)];
        let made = Account { id: account, name, hashed, role: Role::Member, since: now.wall, seen: now.wall, places };
        if self.accounts.put(made.clone()).is_err() {
            return Err(Refusal::NameRegistered(shown));
        }
        self.end_dialogue(id, effects);
        self.record(Record::Account(Box::new(made)), effects);
        self.set_account(id, Some(account));
        self.counters.registrations += 1;
        self.happened(What::Registered, id, None, None, now, effects);
        tell(id, Message::Done(Done::Registered(shown)), effects);
        self.come_in(id, now, effects);
        Ok(())
    }

    /// Lets `id` in, whose password was right.
    fn let_in(
        &mut self,
        id: SessionId,
        account: AccountId,
        renewed: Option<Hashed>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        let Some(Account { name, role, .. }) = self.accounts.get(account).cloned() else {
            return Err(Refusal::WrongPassword);
        };
        if let Some(ban) = self.bans.of_name(&name, now.wall) {
            return Err(Refusal::NameBanned { name: name.shown().into(), reason: ban.reason.clone() });
        }
        self.end_dialogue(id, effects);
        let elsewhere: Vec<_> = self.logged_in_to(account).filter(|other| *other != id).collect();
        for other in elsewhere {
            tell(other, Message::Goodbye(Farewell::Elsewhere), effects);
            self.depart(other, Farewell::Elsewhere, now, effects);
        }
        self.log_in(id, account);
        if self.sessions[&id].nick != name {
            let in_the_way: Vec<_> = self.roster.lookalikes(&name).filter(|other| *other != id).collect();
            for other in in_the_way {
                if self.roster.lookalikes(&name).any(|one| one == other) {
                    self.rename_to_guest(other, now, effects);
                    let nick = self.sessions[&other].nick.shown().into();
                    tell(other, Message::Done(Done::NameReclaimed(nick)), effects);
                }
            }
            self.rename(id, name.clone(), None, now, effects);
        }
        if let Some(renewed) = renewed {
            self.change_account(account, Some(renewed), None, None, now, effects);
        }
        let place = self.place(id);
        if let Some(mut account) = self.accounts.get(account).cloned() {
            account.seen = now.wall;
            account.came_from(place);
            self.put_account(account, effects);
        }
        self.come_in(id, now, effects);
        self.counters.logins += 1;
        self.happened(What::LoggedIn, id, None, None, now, effects);
        tell(id, Message::Done(Done::LoggedIn { name: name.shown().into(), role }), effects);
        Ok(())
    }

    /// `id` is logged in to `account` from now on, if there are both.
    pub fn log_in(&mut self, id: SessionId, account: AccountId) {
        if self.accounts.get(account).is_some() {
            self.set_account(id, Some(account));
        }
    }

    /// Gives `id` the name of a guest.
    pub(super) fn rename_to_guest(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
        let peer = self.sessions[&id].peer;
        let guest = self.guest_name(peer, id);
        // It was given to them, and they take it in a moment.
        self.roster.release(&guest);
        self.rename(id, guest, None, now, effects);
    }

    /// Somebody was there who is logged in to `account`.
    pub(super) fn seen(&mut self, account: AccountId, now: Now, effects: &mut Vec<Effect>) {
        if let Some(mut account) = self.accounts.get(account).cloned() {
            account.seen = now.wall;
            self.put_account(account, effects);
        }
    }

    fn put_account(&mut self, account: Account, effects: &mut Vec<Effect>) {
        if self.accounts.put(account.clone()).is_ok() {
            self.record(Record::Account(Box::new(account)), effects);
        }
    }

    // -- what administrators do ----------------------------------------------------------------

    /// Whether there can be an account of that name.
    ///
    /// # Errors
    /// Why there cannot be one.
    pub fn may_add_account(&self, name: &Name) -> Result<(), Refusal> {
        let limit = self.settings.limits.accounts;
        if !self.recording {
            return Err(Refusal::NoAccounts);
        }
        if self.unread {
            return Err(Refusal::AccountsUnread);
        }
        if name::is_reserved(name) {
            return Err(Refusal::NameReserved(name.shown().into()));
        }
        if let Some(taken_for) = command::taken_for(name) {
            return Err(Refusal::NameTakenFor(name.shown().into(), taken_for));
        }
        if self.accounts.len() >= limit {
            return Err(Refusal::TooManyAccounts(limit));
        }
        match self.accounts.owner(name) {
            Some(other) => Err(Refusal::NameRegistered(other.name.shown().into())),
            None => Ok(()),
        }
    }

    /// Makes an account of that name. Whoever bears the name, or one that looks like it, keeps it until
    /// somebody logs in.
    ///
    /// # Errors
    /// Those of [`Self::may_add_account`].
    pub(super) fn add_account(
        &mut self,
        name: Name,
        hashed: Option<Hashed>,
        role: Role,
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<AccountId, Refusal> {
        self.may_add_account(&name)?;
        let id = self.accounts.next_id();
        let role = role.max(Role::Member);
        let account = Account { id, name, hashed, role, since: now.wall, seen: now.wall, places: Vec::new() };
        if let Err(other) = self.accounts.put(account.clone()) {
            let other = self.accounts.get(other).map_or("", |account| account.name.shown());
            return Err(Refusal::NameRegistered(other.into()));
        }
        self.account_happened(What::Registered, &account, Some(by), None, now, effects);
        self.record(Record::Account(Box::new(account)), effects);
        Ok(id)
    }

    /// Gives an account another password, or another role.
    pub(super) fn change_account(
        &mut self,
        id: AccountId,
        hashed: Option<Hashed>,
        role: Option<Role>,
        by: Option<By>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut account) = self.accounts.get(id).cloned() else { return };
        let what = match role {
            Some(role) => format!("{role} now"),
            None => "another password".to_owned(),
        };
        if hashed.is_some() && by.is_some() {
            // Whoever has forgotten it, and has tried, and has asked for another one, waits no more.
            self.unlock_account(id);
        }
        account.hashed = hashed.or(account.hashed);
        account.role = role.unwrap_or(account.role).max(Role::Member);
        let role_changed = role.is_some();
        if by.is_some() {
            self.account_happened(What::AccountChanged, &account, by, Some(what.into()), now, effects);
        }
        let role = account.role;
        self.put_account(account, effects);
        if role_changed {
            let there: Vec<_> = self.logged_in_to(id).collect();
            for session in there {
                self.note_role(session);
                tell(session, Message::Done(Done::RoleChanged(role)), effects);
            }
        }
    }

    /// Takes an account away. Whoever is logged in to it is a guest from then on, and is told so if
    /// somebody else did it.
    pub(super) fn remove_account(
        &mut self,
        id: AccountId,
        by: Option<By>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Option<Account> {
        let account = self.accounts.remove(id)?;
        self.logins.by_account.clear(id);
        self.record(Record::Unaccount(id), effects);
        self.disown(id);
        self.account_happened(What::AccountRemoved, &account, by, None, now, effects);
        let there: Vec<_> = self.logged_in_to(id).collect();
        let mut asked = Vec::new();
        for session in there {
            self.set_account(session, None);
            let Some(session) = self.sessions.get_mut(&session) else { continue };
            if session.dialogue.as_deref().is_some_and(|dialogue| *dialogue != Dialogue::Waiting) {
                asked.push(session.id);
            }
            if by.is_some() {
                tell(session.id, Message::Done(Done::AccountRemoved), effects);
            }
        }
        for session in asked {
            self.ask_no_more(session, None, now, effects);
            effects.push(Effect::SecretSpent);
        }
        Some(account)
    }

    fn account_happened(
        &self,
        what: What,
        account: &Account,
        by: Option<By>,
        text: Option<Arc<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let nick = Some(account.name.shown().into());
        effects.push(Effect::Happened(Happening { nick, by, text, ..Happening::new(what, now) }));
    }

    /// Has everything recorded again that a new file has to know.
    pub(super) fn record_again(&mut self, effects: &mut Vec<Effect>) {
        let bans: Vec<_> = self.bans.iter().cloned().collect();
        for ban in bans {
            self.record(Record::Ban(Box::new(ban)), effects);
        }
        let accounts: Vec<_> = self.accounts.iter().cloned().collect();
        for account in accounts {
            self.record(Record::Account(Box::new(account)), effects);
        }
        self.record(Record::Given(self.given), effects);
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
mod tests {
    use super::*;
    use crate::hub::Input;
    use crate::settings::Settings;

    const NOW: Now = Now { mono: Mono(1_000_000), wall: crate::values::time::Wall(0) };
    const BY: By = By::Admin { uid: 0, pid: 1 };

    fn hashed(password: &str) -> Hashed {
        Hashed(format!("not {password}").into())
    }

    /// A hub with accounts, and two clients at addresses of their own.
    struct Stage {
        hub: Hub,
        now: Now,
        jobs: Vec<Arc<Job>>,
        told: Vec<(SessionId, Message)>,
        /// The highest number given out.
        last: u64,
    }

    const ANN: SessionId = SessionId(1);
    const BOB: SessionId = SessionId(2);

    impl Stage {
        fn new(change: impl FnOnce(&mut Settings)) -> Self {
            let mut settings = Settings::default();
            change(&mut settings);
            let hub = Hub::new(settings, [7; 16], NOW, &mut Vec::new());
            let mut stage = Self { hub, now: NOW, jobs: Vec::new(), told: Vec::new(), last: BOB.0 };
            stage.input(Input::Archive(Some(Box::default())));
            for name in ["ann", "bob"] {
                let name = Name::parse(name, 24).expect("a name");
                let password = hashed(name.shown());
                let made = stage.hub.add_account(name, Some(password), Role::Member, BY, NOW, &mut Vec::new());
                made.expect("an account");
            }
            for session in [ANN, BOB] {
                stage.comes(session, [192, 0, 2, u8::try_from(session.0).expect("few")]);
            }
            stage
        }

        fn comes(&mut self, session: SessionId, address: [u8; 4]) {
            self.input(Input::Connect { session, peer: (address, 4000).into() });
        }

        fn input(&mut self, input: Input) {
            let mut effects = Vec::new();
            self.hub.handle(input, self.now, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Hash(job) => self.jobs.push(job),
                    Effect::Tell { to, message } => self.told.push((to, message)),
                    _ => {}
                }
            }
        }

        fn types(&mut self, session: SessionId, line: &str) {
            self.input(Input::Line { session, text: line.to_owned() });
        }

        /// All that waits is hashed.
        fn hash(&mut self) {
            for job in std::mem::take(&mut self.jobs) {
                let right = job.against == Against::Known(hashed(job.password.reveal()));
                let answer = if right { Answer::Right { renewed: None } } else { Answer::Wrong };
                self.input(Input::Hashed { number: job.number, answer });
            }
        }

        /// What that client was told last.
        #[track_caller]
        fn told(&self, session: SessionId) -> &Message {
            &self.told.iter().rev().find(|(to, _)| *to == session).expect("something").1
        }

        #[track_caller]
        fn check_told(&self, session: SessionId, done: Done) {
            assert_eq!(*self.told(session), Message::Done(done));
        }
    }

    fn asks(name: &str) -> Done {
        Done::Asks(Asked::Of(name.into()))
    }

    #[test]
    fn who_cannot_have_it_hashed_now_is_asked_again() {
        let mut stage = Stage::new(|settings| settings.accounts.waiting = 1);
        stage.types(ANN, "/login ann ann");
        for line in ["/login bob bob", "bob"] {
            stage.told.clear();
            stage.types(BOB, line);
            assert_eq!(stage.told[0].1, Message::Refused(Refusal::HashingBusy));
            stage.check_told(BOB, asks("bob"));
        }
        stage.hash();
        assert!(stage.hub.session(ANN).is_some_and(|ann| ann.account.is_some()));
        stage.types(BOB, "bob");
        stage.hash();
        assert!(stage.hub.session(BOB).is_some_and(|bob| bob.account.is_some()));
    }

    #[test]
    fn what_follows_a_password_that_could_not_be_hashed_is_not_said() {
        let mut stage = Stage::new(|_| {});
        stage.types(ANN, "/login");
        stage.types(ANN, "/login ann");
        stage.types(ANN, "ann");
        let job = stage.jobs.pop().expect("a password to hash");
        stage.input(Input::Hashed { number: job.number, answer: Answer::Failed });
        stage.check_told(ANN, Done::AsksNoMore(Some("/login ann".into())));
        stage.types(ANN, "ann");
        assert_eq!(*stage.told(ANN), Message::Refused(Refusal::CouldBePassword));
    }

    /// Somebody comes from that address, and tries that; what they are told last.
    fn tries(stage: &mut Stage, address: [u8; 4], line: &str) -> Message {
        let session = SessionId(stage.hub.newest_session().map_or(0, |last| last.0).max(stage.last) + 1);
        stage.last = session.0;
        stage.comes(session, address);
        stage.types(session, line);
        stage.hash();
        let told = stage.told.iter().filter(|(to, _)| *to == session);
        let answer = told
            .map(|(_, message)| message.clone())
            .find(|message| matches!(message, Message::Refused(_) | Message::Done(Done::LoggedIn { .. })));
        stage.input(Input::Gone { session, why: Farewell::Hangup });
        answer.expect("an answer")
    }

    fn is_too_often(told: &Message) -> bool {
        matches!(told, Message::Refused(Refusal::TooManyAttempts(_)))
    }

    fn is_in(told: &Message) -> bool {
        matches!(told, Message::Done(Done::LoggedIn { .. }))
    }

    const HOME: [u8; 4] = [192, 0, 2, 77];
    const ELSEWHERE: [u8; 4] = [203, 0, 113, 5];

    /// Ann has logged in from home, and strangers have tried her account until none may any more.
    fn locked() -> Stage {
        let mut stage = Stage::new(|settings| {
            settings.accounts.attempts = 2;
            settings.accounts.attempt_every = Duration::from_secs(10);
        });
        assert!(is_in(&tries(&mut stage, HOME, "/login ann ann")));
        let wrong: Vec<_> = (1..=12).map(|last| tries(&mut stage, [198, 51, 100, last], "/login ann guess")).collect();
        let refused = wrong.iter().filter(|told| is_too_often(told)).count();
        assert_eq!(refused, 2, "ten are too many: {wrong:?}");
        stage
    }

    #[test]
    fn strangers_do_not_lock_an_owner_out_at_home() {
        let mut stage = locked();
        let kept = serde_json::to_string(&stage.hub).expect("plain");
        assert!(!kept.contains("192.0.2.77"), "who is not here has no address here: {kept}");
        stage.hub = serde_json::from_str(&kept).expect("the same");
        assert!(is_too_often(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
        for _ in 0..5 {
            assert!(is_in(&tries(&mut stage, HOME, "/login ann ann")), "as often as she likes");
        }
        // Whoever guesses there is slowed as anywhere.
        for _ in 0..2 {
            assert!(!is_too_often(&tries(&mut stage, HOME, "/login ann guess")));
        }
        assert!(is_too_often(&tries(&mut stage, HOME, "/login ann ann")));
        // It is home to her account alone.
        stage.now.mono = stage.now.mono.after(Duration::from_secs(100));
        for last in 1..=10 {
            tries(&mut stage, [198, 51, 100, last], "/login bob guess");
        }
        assert!(is_too_often(&tries(&mut stage, HOME, "/login bob bob")));
    }

    #[test]
    fn strangers_lock_nobody_out_of_a_network_that_is_never_shut_out() {
        let mut stage = locked();
        let mut settings = stage.hub.settings().clone();
        settings.access.always = vec!["203.0.113.0/24".parse().expect("a network")];
        stage.input(Input::Settings(Box::new(settings)));
        assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
    }

    #[test]
    fn a_try_that_is_refused_costs_nothing() {
        let mut stage = locked();
        for _ in 0..5 {
            assert!(is_too_often(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
        }
        // Neither of what the address may try, nor of what strangers may.
        for _ in 0..2 {
            assert!(!is_too_often(&tries(&mut stage, ELSEWHERE, "/login bob guess")));
        }
        assert!(is_too_often(&tries(&mut stage, ELSEWHERE, "/login bob guess")));
        stage.now.mono = stage.now.mono.after(Duration::from_secs(10));
        assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
    }

    #[test]
    fn an_administrator_lets_strangers_try_again() {
        let mut stage = locked();
        let account = stage.hub.accounts().find("ann").expect("an account");
        stage.hub.change_account(account, Some(hashed("new")), None, Some(BY), stage.now, &mut Vec::new());
        assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann new")));
        let mut stage = locked();
        assert!(stage.hub.unlock_account(account));
        assert!(is_in(&tries(&mut stage, ELSEWHERE, "/login ann ann")));
    }

    #[test]
    fn the_last_places_of_an_account_are_remembered() {
        let mut stage = locked();
        let account = stage.hub.accounts().find("ann").expect("an account");
        stage.hub.unlock_account(account);
        for last in 1..=20 {
            assert!(is_in(&tries(&mut stage, [192, 0, 2, 100 + last], "/login ann ann")));
        }
        let places = &stage.hub.accounts().get(account).expect("it is there").places;
        assert_eq!(places.len(), super::super::account::PLACES);
        for last in 1..=12 {
            tries(&mut stage, [198, 51, 101, last], "/login ann guess");
        }
        assert!(is_too_often(&tries(&mut stage, HOME, "/login ann ann")), "it was long ago");
        assert!(is_in(&tries(&mut stage, [192, 0, 2, 120], "/login ann ann")));
    }

    #[test]
    fn every_wrong_try_counts_also_of_the_present_password() {
        let mut stage = locked();
        stage.now.mono = stage.now.mono.after(Duration::from_secs(1000));
        stage.types(ANN, "/login ann ann");
        stage.hash();
        for tried in 0..2 {
            stage.types(ANN, "/passwd");
            stage.types(ANN, "guess");
            stage.hash();
            stage.types(ANN, "");
            stage.check_told(ANN, Done::Cancelled);
            assert_eq!(stage.hub.counters().logins_failed, 11 + tried);
        }
        stage.told.clear();
        stage.types(ANN, "/unregister");
        stage.types(ANN, "ann");
        assert!(stage.told.iter().any(|(_, told)| is_too_often(told)), "{:?}", stage.told);
        assert!(stage.jobs.is_empty());
    }
}
