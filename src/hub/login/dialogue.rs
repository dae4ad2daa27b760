//! Questions for passwords, and what is typed in answer.

use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};

use super::super::account::Role;
use super::super::command::Ends;
use super::super::message::{Asked, Done, Message, Refusal};
use super::super::{Effect, Hub, command, refuse, tell};
use super::{AHEAD, Against, Asking, Dialogue, Job, Pending, Secret, TRIES, Then, password};
use crate::values::id::SessionId;
use crate::values::name::{self};
use crate::values::time::Now;

impl Hub {
    /// Asks for what `dialogue` wants.
    pub(super) fn ask(&mut self, id: SessionId, dialogue: Dialogue, effects: &mut Vec<Effect>) {
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
    pub(super) fn ask_again(&mut self, id: SessionId, question: Dialogue, now: Now, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.asking.wrong = session.asking.wrong.saturating_add(1);
        if session.asking.wrong < TRIES {
            self.ask(id, question, effects);
        } else {
            self.ask_no_more(id, question.command(), now, effects);
        }
    }

    /// Ends the dialogue with its aim reached.
    pub(super) fn end_dialogue(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.dialogue = None;
        session.asking = Asking::default();
        effects.push(Effect::Echo { session: id, on: true });
    }

    /// Ends the dialogue with nothing done. Its person may be typing the next answer: that is not said aloud.
    pub(super) fn ask_no_more(
        &mut self,
        id: SessionId,
        command: Option<Arc<str>>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.end_dialogue(id, effects);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.asking = Asking { wary: true, ahead: now.mono.after(AHEAD), ..Asking::default() };
        tell(id, Message::Done(Done::AsksNoMore(command)), effects);
    }

    /// What `id` wanted comes to nothing, and is no use asking for again just now.
    pub(super) fn give_up(
        &mut self,
        id: SessionId,
        refusal: Refusal,
        question: &Dialogue,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        refuse(id, refusal, effects);
        let Some(session) = self.sessions.get_mut(&id) else { return };
        session.dialogue = None;
        if session.asking.hidden {
            self.ask_no_more(id, question.command(), now, effects);
        }
    }

    /// Whatever `id` sends in a moment may have been sent ahead, as the answer to a question that was not
    /// asked.
    pub(in crate::hub) fn expect_answers_sent_ahead(&mut self, id: SessionId, now: Now) {
        if let Some(session) = self.sessions.get_mut(&id)
            && session.dialogue.is_none()
        {
            session.asking.ahead = now.mono.after(AHEAD);
        }
    }

    /// `id` does something else than to answer.
    pub(in crate::hub) fn answers_nothing(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.asking.wary = false;
        }
    }

    /// Whether what `id` wants to say could be a password: it is told so, and nobody else sees it.
    pub(in crate::hub) fn keeps_to_itself(
        &mut self,
        id: SessionId,
        text: &str,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> bool {
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
    pub(in crate::hub) fn cancel(&mut self, id: SessionId, effects: &mut Vec<Effect>) -> bool {
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
    pub(in crate::hub) fn answered(&mut self, id: SessionId, mut text: String, now: Now, effects: &mut Vec<Effect>) {
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

    pub(super) fn go_on(&mut self, id: SessionId, dialogue: Dialogue, effects: &mut Vec<Effect>) {
        self.stay_in_dialogue(id);
        self.ask(id, dialogue, effects);
    }

    /// What comes next is not the beginning of a dialogue.
    pub(super) fn stay_in_dialogue(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.dialogue = Some(Box::new(Dialogue::Waiting));
        }
    }

    pub(super) fn check_present(
        &mut self,
        id: SessionId,
        text: &str,
        unregister: bool,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
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
    pub(super) fn suitable(&self, id: SessionId, text: &str) -> Result<Secret, Refusal> {
        password(text, &self.sessions[&id].nick, self.settings.accounts.password)
    }

    pub(super) fn hash(
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
    pub(super) fn does_not_count(&mut self, id: SessionId, then: &Then) {
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
}
