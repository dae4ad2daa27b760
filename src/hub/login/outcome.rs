//! What follows once a password has been hashed: the client is registered, logged in, or refused.

use super::super::Turn;
use std::sync::Arc;

use super::super::account::{Account, Hashed, Role};
use super::super::archive::Record;
use super::super::entrance::Since;
use super::super::message::{Done, Farewell, Message, Refusal};
use super::super::sanction::{Kind, Sanction};
use super::super::speech::Carrier;
use super::super::{Effect, Happening, Hub, What};
use super::{Answer, Dialogue, Pending, Then};
use crate::values::id::{AccountId, SessionId};
use crate::values::name::Name;

/// How a person has proved that an account is theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// By its password; `renewed` is a new hash of it, if the stored one was made with other
    /// parameters.
    Password { renewed: Option<Hashed> },
    /// By the key of one of its certificates.
    Certificate,
}

impl Hub {
    /// Logs `id` in to `account`, if the account exists.
    pub fn log_in(&mut self, id: SessionId, account: AccountId) {
        if self.accounts.get(account).is_some() {
            self.set_account(id, Some(account));
        }
    }
}

impl Turn<'_> {
    /// Takes the result of a hashing job.
    pub(in crate::hub) fn hashed(&mut self, number: u64, answer: Answer) {
        let Some(Pending { session: id, then, .. }) = self.hub.logins.pending.remove(&number) else { return };
        self.effects.push(Effect::SecretSpent);
        if !self.hub.people.sessions.contains_key(&id) {
            return;
        }
        let question = then.question();
        let counts = matches!(answer, Answer::Wrong) || matches!(then, Then::Register(_)) && answer != Answer::Failed;
        if !counts {
            self.hub.does_not_count(id, &then);
        }
        let done = match (then, answer) {
            (_, Answer::Failed) => Err(Refusal::HashingFailed),
            (Then::Register(name), Answer::Made(hashed)) => self.registered(id, name, hashed),
            (Then::Change(account), Answer::Made(hashed)) if self.hub.people.sessions[&id].account == Some(account) => {
                self.end_dialogue(id);
                self.change_account(account, Some(hashed), None, None);
                self.done_on_record(id, Done::PasswordChanged);
                let certificates = self.hub.accounts.get(account).map_or(0, |account| account.certificates.len());
                if certificates > 0 {
                    self.done(id, Done::CertificatesStay(certificates));
                }
                Ok(())
            }
            (Then::Login { account: Some(account), .. }, Answer::Right { renewed }) => {
                self.let_in(id, account, Proof::Password { renewed })
            }
            (Then::Login { name, account, .. }, _) => {
                self.hub.counters.logins_failed += 1;
                // A name that no account has may be a password, and must not get into the journal.
                let tried = Happening { target: account.map(|_| name), ..self.happening_of(What::LoginFailed, id) };
                self.effects.push(Effect::Happened(tried));
                self.refuse(id, Refusal::WrongPassword);
                self.ask_again(id, question.clone());
                Ok(())
            }
            // The account was removed meanwhile.
            _ if self.hub.people.sessions[&id].account.is_none() => Err(Refusal::RoleNeeded(Role::Member)),
            (Then::AskForNew, Answer::Right { .. }) => {
                if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                    session.asking.wrong = 0;
                }
                self.ask(id, Dialogue::Change { first: None });
                Ok(())
            }
            (Then::Unregister(account), Answer::Right { .. }) => {
                self.end_dialogue(id);
                if let Some(account) = self.remove_account(account, None) {
                    self.done_on_record(id, Done::Unregistered(account.name.shown().into()));
                    let nick = self.hub.people.sessions[&id].nick.clone();
                    self.put_at_door(id, &nick);
                }
                Ok(())
            }
            _ => {
                self.hub.counters.logins_failed += 1;
                self.refuse(id, Refusal::NotYourPassword);
                self.ask_again(id, question.clone());
                Ok(())
            }
        };
        match done {
            Err(refusal) => self.give_up(id, refusal, &question),
            // Other programs ask for it once more, or a script sends it twice.
            Ok(()) if self.hub.people.sessions.get(&id).is_some_and(|session| session.account.is_some()) => {
                self.hub.expect_password(id);
            }
            Ok(()) => {}
        }
    }

    pub(super) fn registered(&mut self, id: SessionId, name: Name, hashed: Hashed) -> Result<(), Refusal> {
        // The client may have changed its name, or a bound may have been reached, while the
        // password was hashed.
        self.hub.may_register(id, self.now)?;
        if self.hub.people.sessions[&id].own_nick().folded() != name.folded() {
            return Err(Refusal::NameFirst(name.shown().into()));
        }
        let shown: Arc<str> = name.shown().into();
        let hashed = Some(hashed);
        let account = self.hub.accounts.next_id();
        let places = vec![self.hub.place(id)];
        let made = Account {
            id: account,
            name,
            hashed,
            role: Role::Member,
            since: self.hub.stamp(self.now),
            seen: self.now.wall,
            places,
            certificates: Vec::new(),
            unheard: self.hub.shadow_mute_of(id, self.now),
        };
        if self.hub.accounts.put(made.clone()).is_err() {
            return Err(Refusal::NameRegistered(shown));
        }
        self.end_dialogue(id);
        self.record(Record::Account(Box::new(made)));
        let kept_from = self.hub.kept_from(id, self.now);
        self.hub.set_account(id, Some(account));
        self.stay_kept_from(id, kept_from);
        self.hub.counters.registrations += 1;
        self.happened(What::Registered, id, None, None);
        self.done_on_record(id, Done::Registered(shown));
        self.come_in(id, None, None);
        Ok(())
    }

    /// Logs in `id`, which has proved to own the account.
    pub(super) fn let_in(&mut self, id: SessionId, account: AccountId, proof: Proof) -> Result<(), Refusal> {
        let Some(Account { name, role, since, .. }) = self.hub.accounts.get(account).cloned() else {
            return Err(Refusal::WrongPassword);
        };
        let is_ban = |one: &&Sanction| one.kind == Kind::Ban;
        let is_meant = |one: &&Sanction| is_ban(one) && role != Role::Operator && since >= one.since;
        let sanctions = &self.hub.moderation.sanctions;
        let by_pattern = || sanctions.of_pattern(&name, self.now).find(is_meant);
        let ban = sanctions.of_name(&name, self.now).find(is_ban).or_else(by_pattern);
        if let Some(ban) = ban {
            return Err(Refusal::NameBanned { name: name.shown().into(), reason: ban.reason.clone() });
        }
        // This comes before the account's other connection is ended: a client that is turned away
        // must not end it.
        if role != Role::Operator && self.turn_away(id) {
            return Ok(());
        }
        if self.hub.people.sessions[&id].dialogue.is_some() {
            self.end_dialogue(id);
        }
        let elsewhere: Vec<_> = self.hub.logged_in_to(account).filter(|other| *other != id).collect();
        for other in elsewhere {
            self.tell(other, Message::Goodbye(Farewell::Elsewhere));
            self.depart(other, Farewell::Elsewhere);
        }
        let kept_from = self.hub.kept_from(id, self.now);
        self.hub.log_in(id, account);
        self.stay_kept_from(id, kept_from);
        if self.hub.lasting().any(|room| room.ownership.unseen && room.ownership.owner == Some(account))
            && let Some(session) = self.hub.people.sessions.get_mut(&id)
        {
            // The veil makes `lift_veil` show these rooms to all when the mute has ended.
            session.veil.get_or_insert_default();
        }
        if self.hub.people.sessions[&id].nick != name {
            let alike = |hub: &Hub| -> Vec<SessionId> {
                let unseen = hub.people.unseen.lookalikes(&name);
                hub.people.names.lookalikes(&name).chain(unseen).filter(|other| *other != id).collect()
            };
            for other in alike(self.hub) {
                if alike(self.hub).contains(&other) {
                    self.rename_to_guest(other, true);
                    let nick = self.hub.people.sessions[&other].nick.shown().into();
                    self.done(other, Done::NameReclaimed(nick));
                }
            }
            // A client that is not heard bears the name of its account, but its room is not told of
            // the change. If it was already shadow-muted when it registered the name, nobody else
            // even sees the name.
            let heard = self.heard(id, Carrier::Login, name.shown());
            if self.hub.was_unheard_at(id, since, self.now) {
                self.bear_unseen(id, name.clone());
            } else {
                self.rename(id, name.clone(), None, heard.is_some_and(|heard| heard.by_others()));
            }
        } else {
            self.hub.put_off_unseen_name(id);
        }
        let by_certificate = proof == Proof::Certificate;
        if let Proof::Password { renewed: Some(renewed) } = proof {
            self.change_account(account, Some(renewed), None, None);
        }
        let place = self.hub.place(id);
        let (was_at_door, mut was_here) = (self.hub.is_at_door(id), None);
        if let Some(mut account) = self.hub.accounts.get(account).cloned() {
            // An account that logs in for the first time has no earlier visit.
            was_here = Some(account.seen).filter(|seen| *seen > account.since);
            account.seen = self.now.wall;
            account.came_from(place);
            self.put_account(account);
        }
        self.hub.counters.logins += 1;
        // A client that logs in by certificate has not been greeted at the door.
        let welcome = by_certificate.then(|| self.hub.welcome());
        if !self.come_in(id, was_here.map(Since::Time), welcome) {
            return Ok(());
        }
        self.happened(What::LoggedIn, id, None, by_certificate.then(|| "by certificate".into()));
        self.done(id, Done::LoggedIn { name: name.shown().into(), role, by_certificate });
        if let Some(was_here) = was_here.filter(|_| !was_at_door) {
            self.tell_what_is_new(id, was_here);
        }
        if role == Role::Operator {
            self.tell_of_reports(id);
        }
        self.deliver_memos(id);
        Ok(())
    }

    /// Logs in `id`, as if its password had been right.
    #[cfg(test)]
    pub(in crate::hub) fn let_in_for_tests(&mut self, id: SessionId, account: AccountId) {
        self.let_in(id, account, Proof::Password { renewed: None }).expect("it may");
    }

    /// Gives `id` a guest's name. If `aloud`, its room is told.
    pub(in crate::hub) fn rename_to_guest(&mut self, id: SessionId, aloud: bool) {
        let (peer, is_unseen) = {
            let session = &self.hub.people.sessions[&id];
            (session.peer, session.is_renamed_unseen())
        };
        let public = self.hub.people.sessions[&id].nick.clone();
        if is_unseen {
            // To the client, this name is free, because it believes it bears another one.
            self.hub.people.names.release(&public);
        }
        let guest = self.hub.guest_name(peer, id);
        // `guest_name` has claimed the name, and `rename` will claim it again.
        self.hub.people.names.release(&guest);
        if is_unseen {
            self.hub.people.names.claim(&public, id).expect("it was theirs");
            if guest == public {
                return self.hub.put_off_unseen_name(id);
            }
        }
        self.rename(id, guest, None, aloud);
    }

    /// Records that the owner of `account` was here until now.
    pub(in crate::hub) fn seen(&mut self, account: AccountId) {
        if let Some(mut account) = self.hub.accounts.get(account).cloned() {
            account.seen = self.now.wall;
            self.put_account(account);
        }
    }

    pub(super) fn put_account(&mut self, account: Account) {
        if self.hub.accounts.put(account.clone()).is_ok() {
            self.record(Record::Account(Box::new(account)));
        }
    }
}
