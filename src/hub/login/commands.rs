//! What the commands about accounts begin.

use std::sync::Arc;

use super::super::message::{Done, Message, Refusal};
use super::super::{Effect, Hub, What, command, refuse, tell};
use super::{Against, Dialogue, Secret, Then};
use crate::settings::Registering;
use crate::values::id::SessionId;
use crate::values::name::{self};
use crate::values::time::Now;

impl Hub {
    /// `/register`.
    pub(in crate::hub) fn register(&mut self, id: SessionId, password: &str, now: Now, effects: &mut Vec<Effect>) {
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

    pub(super) fn may_register(&self, id: SessionId) -> Result<(), Refusal> {
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
        } else if name::is_reserved(&session.nick, self.lobby_name()) || command::taken_for(&session.nick).is_some() {
            Err(Refusal::NameFirst(nick))
        } else if let Some(owner) = self.accounts.owner(&session.nick) {
            Err(Refusal::NameRegistered(owner.name.shown().into()))
        } else if self.accounts.len() >= limit {
            Err(Refusal::TooManyAccounts(limit))
        } else {
            Ok(())
        }
    }

    pub(super) fn make_account(&mut self, id: SessionId, password: Secret, now: Now, effects: &mut Vec<Effect>) {
        let (origin, accounts) = (self.origin(id), &self.settings.accounts);
        let (burst, every) = (accounts.registrations, accounts.registration_every);
        let then = Then::Register(self.sessions[&id].nick.clone());
        if let Err(wait) = self.logins.registered.take(origin, burst, every, now.mono) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &then.question(), now, effects);
        }
        self.hash(id, password, Against::Nothing, then, now, effects);
    }

    /// `/login`.
    pub(in crate::hub) fn login(
        &mut self,
        id: SessionId,
        name: &str,
        password: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
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

    pub(super) fn check_login(
        &mut self,
        id: SessionId,
        name: Arc<str>,
        password: Secret,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
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
    pub(in crate::hub) fn logout(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
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
    pub(in crate::hub) fn passwd(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        self.ask(id, Dialogue::Present, effects);
    }

    /// `/unregister`.
    pub(in crate::hub) fn unregister(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        self.ask(id, Dialogue::Unregister, effects);
    }
}
