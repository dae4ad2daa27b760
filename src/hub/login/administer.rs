//! Accounts made, changed and removed by administrators and operators.

use super::super::Turn;
use std::sync::Arc;

use super::super::account::{Account, Hashed, Role};
use super::super::archive::Record;
use super::super::message::{Done, Refusal};
use super::super::{By, Effect, Happening, Hub, What, command};
use super::Dialogue;
use crate::values::id::AccountId;
use crate::values::name::{self, Name};

impl Hub {
    /// Whether there can be an account of that name.
    ///
    /// # Errors
    /// Why there cannot be such an account.
    pub fn may_add_account(&self, name: &Name) -> Result<(), Refusal> {
        let limit = self.settings.limits.accounts;
        if !self.recording.on {
            return Err(Refusal::NoAccounts);
        }
        if self.recording.unread {
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
}

impl Turn<'_> {
    /// Makes an account of that name. A client that bears the name, or one that looks like it,
    /// keeps it until somebody logs in to the account.
    ///
    /// # Errors
    /// Those of [`Self::may_add_account`].
    pub(in crate::hub) fn add_account(
        &mut self,
        name: Name,
        hashed: Option<Hashed>,
        role: Role,
        by: By,
    ) -> Result<AccountId, Refusal> {
        self.hub.may_add_account(&name)?;
        let id = self.hub.accounts.next_id();
        let role = role.max(Role::Member);
        let since = self.hub.stamp(self.now);
        let account = Account {
            id,
            name,
            hashed,
            role,
            since,
            seen: self.now.wall,
            places: Vec::new(),
            certificates: Vec::new(),
            unheard: None,
        };
        if let Err(other) = self.hub.accounts.put(account.clone()) {
            let other = self.hub.accounts.get(other).map_or("", |account| account.name.shown());
            return Err(Refusal::NameRegistered(other.into()));
        }
        self.account_happened(What::Registered, &account, Some(by), None);
        self.record(Record::Account(Box::new(account)));
        Ok(id)
    }

    /// Gives an account another password or another role.
    pub(in crate::hub) fn change_account(
        &mut self,
        id: AccountId,
        hashed: Option<Hashed>,
        role: Option<Role>,
        by: Option<By>,
    ) {
        let Some(mut account) = self.hub.accounts.get(id).cloned() else { return };
        let what = match role {
            Some(role) => format!("{role} now"),
            None => "another password".to_owned(),
        };
        if hashed.is_some() && by.is_some() {
            // A person who forgot the password, tried too often and asked for a new one need not
            // wait any longer.
            self.hub.unlock_account(id);
        }
        account.hashed = hashed.or(account.hashed);
        account.role = role.unwrap_or(account.role).max(Role::Member);
        let role_changed = role.is_some();
        if by.is_some() {
            self.account_happened(What::AccountChanged, &account, by, Some(what.into()));
        }
        let role = account.role;
        self.put_account(account);
        if role_changed {
            let there: Vec<_> = self.hub.logged_in_to(id).collect();
            for session in there {
                self.hub.note_role(session);
                self.done(session, Done::RoleChanged(role));
                if role == Role::Operator {
                    self.tell_of_reports(session);
                }
            }
        }
    }

    /// Removes an account. A client that is logged in to it becomes a guest; if an administrator or
    /// operator removed the account, the client is told.
    pub(in crate::hub) fn remove_account(&mut self, id: AccountId, by: Option<By>) -> Option<Account> {
        let kept_from: Vec<_> =
            self.hub.logged_in_to(id).map(|session| (session, self.hub.kept_from(session, self.now))).collect();
        let account = self.hub.accounts.remove(id)?;
        self.hub.logins.by_account.clear(id);
        self.record(Record::Unaccount(id));
        self.orphan_memos(id);
        self.disown(id);
        self.account_happened(What::AccountRemoved, &account, by, None);
        let there: Vec<_> = self.hub.logged_in_to(id).collect();
        let mut asked = Vec::new();
        for id in there.iter().copied() {
            self.hub.set_account(id, None);
            let Some(session) = self.hub.people.sessions.get(&id) else { continue };
            if session.dialogue.as_deref().is_some_and(|dialogue| *dialogue != Dialogue::Waiting) {
                asked.push(id);
            }
            if by.is_some() {
                self.done(id, Done::AccountRemoved);
            }
        }
        for (session, kept_from) in kept_from {
            self.stay_kept_from(session, kept_from);
        }
        for session in asked {
            self.ask_no_more(session, None);
            self.effects.push(Effect::SecretSpent);
        }
        if by.is_some() {
            for id in there {
                if let Some(nick) = self.hub.people.sessions.get(&id).map(|session| session.nick.clone()) {
                    self.put_at_door(id, &nick);
                }
            }
        }
        Some(account)
    }

    pub(super) fn account_happened(&mut self, what: What, account: &Account, by: Option<By>, text: Option<Arc<str>>) {
        let nick = Some(account.name.shown().into());
        self.effects.push(Effect::Happened(Happening { nick, by, text, ..Happening::new(what, self.now) }));
    }

    /// Records everything that belongs on disk once more, because the file is new and empty:
    /// sanctions, accounts, reports, messages, lasting rooms, and the highest numbers given.
    pub(in crate::hub) fn record_again(&mut self) {
        let sanctions: Vec<_> = self.hub.moderation.sanctions.iter().cloned().collect();
        for sanction in sanctions {
            self.record(Record::Sanction(Box::new(sanction)));
        }
        let accounts: Vec<_> = self.hub.accounts.iter().cloned().collect();
        for account in accounts {
            self.record(Record::Account(Box::new(account)));
        }
        let reports: Vec<_> = self.hub.moderation.reports.iter().cloned().collect();
        for report in reports {
            self.record(Record::Report(Box::new((*report).clone())));
        }
        self.record_memos_again();
        self.record_lasting_again();
        self.record(Record::Given(self.hub.recording.given));
    }
}
