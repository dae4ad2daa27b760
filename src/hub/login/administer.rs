//! What administrators do to accounts, and operators.

use std::sync::Arc;

use super::super::account::{Account, Hashed, Role};
use super::super::archive::Record;
use super::super::message::{Done, Message, Refusal};
use super::super::{By, Effect, Happening, Hub, What, command, tell};
use super::Dialogue;
use crate::values::id::AccountId;
use crate::values::name::{self, Name};
use crate::values::time::Now;

impl Hub {
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
        if name::is_reserved(name, self.lobby_name()) {
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
    pub(in crate::hub) fn add_account(
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
    pub(in crate::hub) fn change_account(
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
    pub(in crate::hub) fn remove_account(
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

    pub(super) fn account_happened(
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
    pub(in crate::hub) fn record_again(&mut self, effects: &mut Vec<Effect>) {
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
