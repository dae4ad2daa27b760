//! The questions for passwords, and their answers.

use super::super::Turn;
use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};

use super::super::account::{Account, Role};
use super::super::command::Ends;
use super::super::message::{Asked, Done, Refusal};
use super::super::{Effect, Hub, command};
use super::{AHEAD, Against, Asking, Dialogue, Job, Pending, Secret, TRIES, Then, password};
use crate::values::id::SessionId;
use crate::values::name::{self};
use crate::values::time::{Mono, Now};

impl Hub {
    /// For the time [`AHEAD`], lines of `id` may be answers to a question that the hub did not ask:
    /// a script may have sent them ahead.
    pub(in crate::hub) fn expect_answers_sent_ahead(&mut self, id: SessionId, now: Now) {
        if let Some(session) = self.people.sessions.get_mut(&id)
            && session.dialogue.is_none()
        {
            (session.asking.ahead, session.asking.once) = (now.mono.after(AHEAD), false);
        }
    }

    /// Whether the line of `id` is the next one after a private message that has just come.
    pub(in crate::hub) fn was_just_written_to(&mut self, id: SessionId, now: Now) -> bool {
        let session = self.people.sessions.get_mut(&id);
        session.is_some_and(|session| now.mono < std::mem::take(&mut session.asking.replies))
    }

    /// Notes that `id` has sent something that cannot be an answer to a withdrawn question.
    pub(in crate::hub) fn answers_nothing(&mut self, id: SessionId) {
        if let Some(session) = self.people.sessions.get_mut(&id) {
            (session.asking.wary, session.asking.follows) = (false, false);
            session.asking.replies = Mono::default();
        }
    }

    /// Notes that `id` has given a command: it is no program that takes the hub for another kind of server.
    pub(in crate::hub) fn knows_where_it_is(&mut self, id: SessionId) {
        if let Some(session) = self.people.sessions.get_mut(&id) {
            (session.asking.named, session.asking.foreign) = (false, 0);
        }
    }

    /// Notes that the next line of `id`, if it is one word, may be a password that nobody asks for.
    pub(in crate::hub) fn expect_password(&mut self, id: SessionId) {
        if let Some(session) = self.people.sessions.get_mut(&id)
            && session.dialogue.is_none()
        {
            session.asking.follows = true;
        }
    }

    /// The registered name `word`, if its owner is not here: nobody talks to them.
    fn away(&self, word: &str) -> Option<&Account> {
        let account = self.accounts.find(&Zeroizing::new(name::fold(word)))?;
        self.accounts.get(account).filter(|_| self.bearer(account).is_none())
    }

    /// Why a line that begins no command is not said, if it is a try to log in: with the slash left out, with the
    /// command misspelt, or with the name first, as where one is asked for it.
    fn tries_to_log_in(&self, id: SessionId, text: &str) -> Option<Refusal> {
        let session = self.people.sessions.get(&id)?;
        let own = session.own_nick().folded();
        let is_name = |word: &str| {
            let folded = Zeroizing::new(name::fold(word));
            *folded == own || self.accounts.find(&folded).is_some()
        };
        if let Some(command) = command::without_slash(text, is_name) {
            return Some(command::refusal(command, text));
        }
        let is_first = session.lines == 1 && session.account.is_none();
        if is_first && let Some(account) = self.away(text.trim()) {
            return Some(Refusal::NameAlone(account.name.shown().into()));
        }
        let least = self.settings.accounts.password;
        let suspects = command::suspects(text)?;
        let is_login = suspects.is_login(least, is_name, |word| self.away(word).is_some());
        is_login.then(|| command::find("login").map(|login| command::refusal(login, text))).flatten()
    }

    /// Keeps the dialogue of `id` open until the next question, so that wrong answers go on counting.
    pub(super) fn stay_in_dialogue(&mut self, id: SessionId) {
        if let Some(session) = self.people.sessions.get_mut(&id) {
            session.dialogue = Some(Box::new(Dialogue::Waiting));
        }
    }

    /// Checks `text` as a new password for the name that `id` bears.
    pub(super) fn suitable(&self, id: SessionId, text: &str) -> Result<Secret, Refusal> {
        password(text, self.people.sessions[&id].own_nick(), self.settings.accounts.password)
    }

    /// Gives back the try or the registration that was counted for a password.
    pub(super) fn does_not_count(&mut self, id: SessionId, then: &Then) {
        match then {
            Then::Login { account, .. } => self.has_not_tried(id, *account),
            Then::AskForNew => self.has_not_tried(id, self.people.sessions[&id].account),
            Then::Unregister(account) => self.has_not_tried(id, Some(*account)),
            Then::Register(_) => {
                let every = self.settings.accounts.registration_every;
                self.logins.registered.give_back(self.origin(id), every);
            }
            Then::Change(_) => {}
        }
    }
}

impl Turn<'_> {
    /// Asks the question of `dialogue`.
    pub(super) fn ask(&mut self, id: SessionId, dialogue: Dialogue) {
        let asked = match &dialogue {
            Dialogue::Register { first: None } | Dialogue::Change { first: None } => {
                Asked::New { least: self.hub.settings.accounts.password }
            }
            Dialogue::Register { .. } | Dialogue::Change { .. } => Asked::Again,
            Dialogue::Login { name } => Asked::Of(name.clone()),
            Dialogue::Present | Dialogue::Unregister => Asked::Present,
            Dialogue::Waiting => return,
        };
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        if session.dialogue.replace(Box::new(dialogue)).is_none() {
            session.asking = Asking { hidden: session.asking.hidden, ..Asking::default() };
        }
        if !std::mem::replace(&mut session.asking.hidden, true) {
            self.hide_typing(id, true);
        }
        self.done(id, Done::Asks(asked));
    }

    /// Counts a wrong answer and asks the question again; the last of [`TRIES`] wrong answers ends
    /// the dialogue.
    pub(super) fn ask_again(&mut self, id: SessionId, question: Dialogue) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        session.asking.wrong = session.asking.wrong.saturating_add(1);
        if session.asking.wrong < TRIES {
            self.ask(id, question);
        } else {
            self.ask_no_more(id, question.command());
        }
    }

    /// Ends the dialogue. Typed text is shown again.
    pub(super) fn end_dialogue(&mut self, id: SessionId) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        session.dialogue = None;
        session.asking = Asking::default();
        self.effects.push(Effect::Echo { session: id, on: true });
    }

    /// Withdraws the question. The person may be typing the answer already, so the next line is
    /// kept from others.
    pub(super) fn ask_no_more(&mut self, id: SessionId, command: Option<Arc<str>>) {
        self.end_dialogue(id);
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        session.asking = Asking { wary: true, ahead: self.now.mono.after(AHEAD), ..Asking::default() };
        self.done(id, Done::AsksNoMore(command));
    }

    /// Refuses the request of `id` and ends the dialogue, because another answer would not help.
    pub(super) fn give_up(&mut self, id: SessionId, refusal: Refusal, question: &Dialogue) {
        self.refuse(id, refusal);
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        session.dialogue = None;
        if session.asking.hidden {
            self.ask_no_more(id, question.command());
        }
    }

    /// Whether a line that `id` wants to say could be a password. If so, tells `id`, and nobody
    /// else sees the line.
    pub(in crate::hub) fn keeps_to_itself(&mut self, id: SessionId, text: &str) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let is_word = !text.trim().contains(char::is_whitespace);
        let is_named = std::mem::take(&mut session.asking.named) && is_word;
        let is_long = text.len() >= self.hub.settings.accounts.password;
        let is_answer = (std::mem::take(&mut session.asking.follows) && is_word && is_long) || is_named;
        let is_ahead = self.now.mono < session.asking.ahead;
        if std::mem::take(&mut session.asking.once) {
            session.asking.ahead = Mono::default();
        }
        let is_answer = std::mem::take(&mut session.asking.wary) || is_answer || is_ahead;
        let refusal = if is_answer {
            Refusal::CouldBePassword
        } else {
            match self.hub.tries_to_log_in(id, text) {
                Some(refusal) => {
                    // If it was talk, the lines behind it are as well: one more is kept back, and no others.
                    self.hub.expect_answers_sent_ahead(id, self.now);
                    if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                        session.asking.once = true;
                    }
                    if matches!(refusal, Refusal::NameAlone(_)) {
                        self.hub.expect_password(id);
                    }
                    refusal
                }
                None if command::tells_password(text) => Refusal::TellsPassword,
                None => return false,
            }
        };
        self.refuse(id, refusal);
        self.effects.push(Effect::SecretSpent);
        true
    }

    /// Ends the dialogue if it waits for an answer of `id`; returns whether it did.
    pub(in crate::hub) fn cancel(&mut self, id: SessionId) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        if session.dialogue.take_if(|dialogue| **dialogue != Dialogue::Waiting).is_none() {
            (session.asking.wary, session.asking.follows) = (false, false);
            return false;
        }
        self.end_dialogue(id);
        self.effects.push(Effect::SecretSpent);
        self.done(id, Done::Cancelled);
        true
    }

    /// Takes an answer to the present question; an empty one cancels the dialogue.
    pub(in crate::hub) fn answered(&mut self, id: SessionId, mut text: String) {
        if text.is_empty() {
            self.cancel(id);
            return;
        }
        let Some(dialogue) = self.hub.people.sessions.get_mut(&id).and_then(|session| session.dialogue.take()) else {
            return;
        };
        if let Some(ends) = command::ends_question(&text) {
            if ends == Ends::ForGood {
                self.end_dialogue(id);
                self.done(id, Done::Cancelled);
            }
            // A command is no answer, because no password can be a command.
            self.line(id, &text);
            if self.hub.people.sessions.get(&id).is_some_and(|session| session.dialogue.is_none()) {
                self.effects.push(Effect::Echo { session: id, on: true });
                if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                    session.asking.hidden = false;
                }
            }
            text.zeroize();
            self.effects.push(Effect::SecretSpent);
            return;
        }
        // Typed text stays hidden while the password is hashed, and while it is asked for again.
        let over = match *dialogue {
            Dialogue::Register { first: None } | Dialogue::Change { first: None } => match self.hub.suitable(id, &text)
            {
                Ok(first) => {
                    let first = Some(first);
                    let next = match *dialogue {
                        Dialogue::Register { .. } => Dialogue::Register { first },
                        _ => Dialogue::Change { first },
                    };
                    self.go_on(id, next);
                    false
                }
                Err(refusal) => {
                    self.refuse(id, refusal);
                    self.go_on(id, *dialogue);
                    true
                }
            },
            Dialogue::Register { first: Some(ref first) } if first.reveal() == text => {
                match self.hub.may_register(id, self.now) {
                    Ok(()) => self.make_account(id, first.clone()),
                    Err(refusal) => self.give_up(id, refusal, &dialogue),
                }
                true
            }
            Dialogue::Change { first: Some(ref first) } if first.reveal() == text => {
                match self.hub.people.sessions[&id].account {
                    Some(account) => {
                        self.hash(id, first.clone(), Against::Nothing, Then::Change(account));
                    }
                    None => self.give_up(id, Refusal::RoleNeeded(Role::Member), &dialogue),
                }
                true
            }
            Dialogue::Register { .. } | Dialogue::Change { .. } => {
                self.refuse(id, Refusal::PasswordsDiffer);
                let question = match *dialogue {
                    Dialogue::Register { .. } => Dialogue::Register { first: None },
                    _ => Dialogue::Change { first: None },
                };
                self.hub.stay_in_dialogue(id);
                self.ask_again(id, question);
                true
            }
            Dialogue::Login { name } => {
                self.hub.stay_in_dialogue(id);
                self.check_login(id, name, Secret::new(text.clone()));
                true
            }
            Dialogue::Present | Dialogue::Unregister => {
                self.hub.stay_in_dialogue(id);
                self.check_present(id, &text, *dialogue == Dialogue::Unregister);
                true
            }
            // While a password is hashed, the machine hands over no lines.
            Dialogue::Waiting => false,
        };
        text.zeroize();
        if over && !self.hub.is_waiting(id) {
            self.effects.push(Effect::SecretSpent);
        }
    }

    pub(super) fn go_on(&mut self, id: SessionId, dialogue: Dialogue) {
        self.hub.stay_in_dialogue(id);
        self.ask(id, dialogue);
    }

    pub(super) fn check_present(&mut self, id: SessionId, text: &str, unregister: bool) {
        let question = if unregister { Dialogue::Unregister } else { Dialogue::Present };
        let Some(account) = self.hub.people.sessions[&id].account else {
            return self.give_up(id, Refusal::RoleNeeded(Role::Member), &question);
        };
        if let Err(wait) = self.hub.may_try(id, Some(account), self.now) {
            return self.give_up(id, Refusal::TooManyAttempts(wait), &question);
        }
        let hashed = self.hub.accounts.get(account).and_then(|account| account.hashed.clone());
        let against = hashed.map_or(Against::Unknown, Against::Known);
        let then = if unregister { Then::Unregister(account) } else { Then::AskForNew };
        self.hash(id, Secret::new(text.to_owned()), against, then);
    }

    pub(super) fn hash(&mut self, id: SessionId, password: Secret, against: Against, then: Then) {
        if self.hub.logins.pending.len() >= self.hub.settings.accounts.waiting {
            self.refuse(id, Refusal::HashingBusy);
            self.hub.does_not_count(id, &then);
            self.hub.stay_in_dialogue(id);
            return self.ask_again(id, then.question());
        }
        let number = self.hub.logins.next;
        self.hub.logins.next += 1;
        let job = Arc::new(Job { number, password, against });
        self.hub.logins.pending.insert(number, Pending { session: id, job: job.clone(), then });
        if let Some(session) = self.hub.people.sessions.get_mut(&id) {
            session.dialogue = Some(Box::new(Dialogue::Waiting));
        }
        self.effects.push(Effect::Hash(job));
    }
}
