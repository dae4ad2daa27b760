//! The commands about accounts. Each begins a dialogue or a hashing job.

use super::super::Turn;
use std::sync::Arc;

use super::super::message::{Done, Refusal};
use super::super::pace::Kind;
use super::super::{Hub, What, command};
use super::{Against, Dialogue, Secret, Then};
use crate::settings::Registering;
use crate::values::id::SessionId;
use crate::values::name::{self};
use crate::values::time::Now;

impl Hub {
    pub(super) fn may_register(&self, id: SessionId, now: Now) -> Result<(), Refusal> {
        let session = &self.people.sessions[&id];
        let own = session.own_nick();
        let nick: Arc<str> = own.shown().into();
        if let Some(account) = session.account.and_then(|account| self.accounts.get(account)) {
            return Err(Refusal::LoggedIn(account.name.shown().into()));
        }
        self.may_register_in_lockdown(id)?;
        if self.is_knocking(id, now) {
            return Err(Refusal::OnlyOperators);
        }
        let limit = self.settings.limits.accounts;
        if self.settings.accounts.register == Registering::Closed {
            Err(Refusal::RegisteringClosed)
        } else if !self.recording.on {
            Err(Refusal::NoAccounts)
        } else if self.recording.unread {
            Err(Refusal::AccountsUnread)
        } else if name::is_reserved(own, self.lobby_name()) || command::taken_for(own).is_some() {
            Err(Refusal::NameFirst(nick))
        } else if let Some(owner) = self.accounts.owner(own) {
            Err(Refusal::NameRegistered(owner.name.shown().into()))
        } else if self.accounts.len() >= limit {
            Err(Refusal::TooManyAccounts(limit))
        } else {
            Ok(())
        }
    }
}

impl Turn<'_> {
    /// `/register`.
    pub(in crate::hub) fn register(&mut self, id: SessionId, password: &str) {
        if let Err(refusal) = self.hub.may_register(id, self.now) {
            return self.refuse(id, refusal);
        }
        if let Some(refusal) = self.hub.keeps_passwords_out(id, !password.is_empty()) {
            return self.refuse(id, refusal);
        }
        // People used to other programs type the name before the password, or an e-mail address
        // behind it.
        let own = self.hub.people.sessions[&id].own_nick();
        let password = match password.split_once(' ') {
            Some((first, rest)) if name::fold(first) == own.folded() => rest.trim_start(),
            Some((_, rest)) if rest.contains('@') && !rest.trim().contains(' ') => {
                let refusal = Refusal::NoAddress(own.shown().into());
                return self.refuse(id, refusal);
            }
            _ => password,
        };
        self.warn_of_plain_password(id);
        if password.is_empty() {
            return self.ask(id, Dialogue::Register { first: None });
        }
        match self.hub.suitable(id, password) {
            Ok(password) => self.make_account(id, password),
            Err(refusal) => {
                self.refuse(id, refusal);
                self.ask(id, Dialogue::Register { first: None });
            }
        }
    }

    pub(super) fn make_account(&mut self, id: SessionId, password: Secret) {
        let (origin, accounts) = (self.hub.origin(id), &self.hub.settings.accounts);
        let (burst, every) = (accounts.registrations, accounts.registration_every);
        let then = Then::Register(self.hub.people.sessions[&id].own_nick().clone());
        if let Err(wait) = self.hub.logins.registered.take(origin, burst, every, self.now.mono) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &then.question());
        }
        self.hash(id, password, Against::Nothing, then);
    }

    /// `/login`.
    pub(in crate::hub) fn login(&mut self, id: SessionId, name: &str, password: &str) {
        let session = &self.hub.people.sessions[&id];
        if let Some(account) = session.account.and_then(|account| self.hub.accounts.get(account)) {
            return self.refuse(id, Refusal::LoggedIn(account.name.shown().into()));
        }
        // The word in place of a name may be a password: in some other programs, nothing else
        // follows the command.
        let is_known = || name.is_empty() || self.hub.accounts.find(&name::fold(name)).is_some();
        if let Some(refusal) = self.hub.keeps_passwords_out(id, !password.is_empty() || !is_known()) {
            return self.refuse(id, refusal);
        }
        let name: Arc<str> = if name.is_empty() { session.own_nick().shown().into() } else { name.into() };
        if self.hub.recording.unread && self.hub.accounts.find(&name::fold(&name)).is_none() {
            return self.refuse(id, Refusal::AccountsUnread);
        }
        if password.is_empty() {
            // The hub does not ask for the password of an account that does not exist. Besides, the
            // word may be a password.
            if self.hub.accounts.find(&name::fold(&name)).is_none() {
                return self.refuse(id, Refusal::NoLogin(name));
            }
            self.warn_of_plain_password(id);
            return self.ask(id, Dialogue::Login { name });
        }
        self.warn_of_plain_password(id);
        self.check_login(id, name, Secret::new(password.to_owned()));
    }

    pub(super) fn check_login(&mut self, id: SessionId, name: Arc<str>, password: Secret) {
        let account = self.hub.accounts.find(&name::fold(&name));
        let then = Then::Login { name, account, origin: self.hub.origin(id) };
        if let Err(wait) = self.hub.may_try(id, account, self.now) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &then.question());
        }
        let hashed = account.and_then(|account| self.hub.accounts.get(account)?.hashed.clone());
        let against = hashed.map_or(Against::Unknown, Against::Known);
        self.hash(id, password, against, then);
    }

    /// `/logout`.
    pub(in crate::hub) fn logout(&mut self, id: SessionId) {
        let Some(account) = self.hub.people.sessions.get(&id).and_then(|session| session.account) else { return };
        let goes_out = self.hub.waits_as_guest(id, self.now);
        // The room is told of each coming and going.
        if goes_out && !self.is_in_time(id, Kind::Rooms, false) {
            return;
        }
        self.happened(What::LoggedOut, id, None, None);
        let kept_from = self.hub.kept_from(id, self.now);
        // The nick belongs to the account, so a guest cannot bear it. The nick goes first, because
        // a guest who still bore it would get the sanctions that spare its owner.
        let known = self.hub.people.sessions[&id].nick.clone();
        let owned = self.hub.accounts.owner(self.hub.people.sessions[&id].own_nick()).is_some();
        if owned {
            // If the client leaves the room, the room is not told of the new nick before. If it
            // stays, the room is told, at a bounded pace.
            let aloud = !goes_out && self.is_in_time(id, Kind::Names, true);
            self.rename_to_guest(id, aloud);
        }
        self.hub.set_account(id, None);
        self.stay_kept_from(id, kept_from);
        self.seen(account);
        let nick = self.hub.people.sessions[&id].own_nick().shown().into();
        self.done(id, Done::LoggedOut(nick));
        self.put_at_door(id, &known);
    }

    /// `/passwd`.
    pub(in crate::hub) fn passwd(&mut self, id: SessionId) {
        self.ask_over_secure(id, Dialogue::Present);
    }

    /// `/unregister`.
    pub(in crate::hub) fn unregister(&mut self, id: SessionId) {
        self.ask_over_secure(id, Dialogue::Unregister);
    }

    /// Begins `dialogue`, if the hub takes passwords over the connection of `id`.
    fn ask_over_secure(&mut self, id: SessionId, dialogue: Dialogue) {
        if let Some(refusal) = self.hub.keeps_passwords_out(id, false) {
            return self.refuse(id, refusal);
        }
        self.warn_of_plain_password(id);
        self.ask(id, dialogue);
    }
}
