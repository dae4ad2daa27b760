//! What follows when a password was hashed: somebody is registered, let in, or refused.

use std::sync::Arc;

use super::super::account::{Account, Hashed, Role};
use super::super::archive::Record;
use super::super::message::{Done, Farewell, Message, Refusal};
use super::super::{Effect, Hub, What, refuse, tell};
use super::{Answer, Dialogue, Pending, Then};
use crate::values::id::{AccountId, SessionId};
use crate::values::name::Name;
use crate::values::time::Now;

impl Hub {
    /// Takes what came of a job.
    pub(in crate::hub) fn hashed(&mut self, number: u64, answer: Answer, now: Now, effects: &mut Vec<Effect>) {
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

    pub(super) fn registered(
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
    pub(super) fn let_in(
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
    pub(in crate::hub) fn rename_to_guest(&mut self, id: SessionId, now: Now, effects: &mut Vec<Effect>) {
        let peer = self.sessions[&id].peer;
        let guest = self.guest_name(peer, id);
        // It was given to them, and they take it in a moment.
        self.roster.release(&guest);
        self.rename(id, guest, None, now, effects);
    }

    /// Somebody was there who is logged in to `account`.
    pub(in crate::hub) fn seen(&mut self, account: AccountId, now: Now, effects: &mut Vec<Effect>) {
        if let Some(mut account) = self.accounts.get(account).cloned() {
            account.seen = now.wall;
            self.put_account(account, effects);
        }
    }

    pub(super) fn put_account(&mut self, account: Account, effects: &mut Vec<Effect>) {
        if self.accounts.put(account.clone()).is_ok() {
            self.record(Record::Account(Box::new(account)), effects);
        }
    }
}
