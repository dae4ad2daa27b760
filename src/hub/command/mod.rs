//! What people can type: one table for parsing, `/help` and the documents.
//!
//! To add a command, add a row to the table and a function. `Turn::command` checks the role and the
//! least number of words; the function checks its arguments, and answers [`Refusal::Usage`] if it
//! cannot read them.
//!
//! | to change | see |
//! | --- | --- |
//! | a command's name, aliases, arguments, role, help text | `table` |
//! | commands that send words to others | `talk` |
//! | commands about the caller's own name, ignore list and screen | `wishes` |
//! | commands that show people, rooms, history, help | `look` |
//! | `/seen`: whether a person is here, or when they left | `seen` |
//! | commands about rooms | `room` |
//! | commands about accounts | `account` |
//! | moderation: kicks, lockdown, strikes | `operator` |
//! | bans, mutes, filters, and their lists | `sanctions` |
//! | lifting bans, mutes and filters | `lifting` |
//! | redactions | `removal` |
//! | reports | `report` |
//! | which person a typed name stands for, where several bore it | `bearer` |
//! | lines that look like a command, or hold a password, by mistake | `slips` |
//!
//! This folder does not know how an answer looks on a screen: it answers in values of
//! [`super::message`].

mod account;
mod bearer;
mod lifting;
mod look;
mod operator;
mod removal;
mod report;
mod room;
mod sanctions;
mod seen;
mod slips;
mod table;
mod talk;
mod wishes;

pub(super) use look::at_once;
pub use slips::holds_password;
pub(super) use slips::{
    Author, Ends, bare, ends_question, is_for_services, refusal, suspects, tells_password, without_slash,
};
pub use table::{COMMANDS, Command, Group, Password, Takes};

use std::sync::Arc;
use std::time::Duration;

use super::account::Role;
use super::message::{Done, Message, Refusal};
use super::{Effect, Turn};
use crate::values::id::{AccountId, SessionId};
use crate::values::name::{self, Name};

/// What a name could be mistaken for, commands included. [`name::taken_for`] knows everything but
/// commands.
#[must_use]
pub fn taken_for(name: &Name) -> Option<name::TakenFor> {
    name::taken_for(name).or_else(|| find(name.word()).map(|_| name::TakenFor::Command))
}

/// The command with `word` as its name or alias. Case does not matter.
#[must_use]
pub fn find(word: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| {
        command.name.eq_ignore_ascii_case(word) || command.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
    })
}

/// What the word after a slash stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// One command: by its name, by an alias, or by the beginning of its name if no other name
    /// begins so.
    One(&'static Command),
    /// Several commands whose names begin so; their names.
    Several(Vec<&'static str>),
    /// No command; the name most like the word, if one is near enough.
    Nothing(Option<&'static str>),
}

/// The meaning of `word` for a person of that role. Case does not matter. Beginnings of names count
/// only for commands that the role may use.
#[must_use]
pub fn meant(word: &str, role: Role) -> Meant {
    if let Some(command) = find(word) {
        return Meant::One(command);
    }
    let begin: Vec<_> = beginning_with(word).filter(|command| command.role <= role).collect();
    match *begin {
        [one] => Meant::One(one),
        [] => Meant::Nothing(nearest(word, role).filter(|name| is_offered(name, word))),
        _ => Meant::Several(begin.iter().map(|command| command.name).collect()),
    }
}

/// Whether somebody who typed `word` is told of the command `name`, which is near. Of short words, too many are near
/// each other: "die" is no misspelt "time". But "qt" is short for "quit".
fn is_offered(name: &str, word: &str) -> bool {
    let word: String = word.chars().take(32).flat_map(char::to_lowercase).collect();
    let is_short = word.chars().count().min(name.len()) < 5;
    let mut letters = name.chars();
    let is_shortened = word.get(..1) == name.get(..1) && word.chars().all(|c| letters.any(|letter| letter == c));
    !is_short || is_shortened || strsim::damerau_levenshtein(name, &word) < 2
}

/// The commands whose names begin with `word`, whatever its case.
fn beginning_with(word: &str) -> impl Iterator<Item = &'static Command> {
    let word = word.to_ascii_lowercase();
    COMMANDS.iter().filter(move |command| !word.is_empty() && command.name.starts_with(&word))
}

/// Whether `is_so` holds for a command that `word` could stand for: the command of that name, every
/// command that begins so, or, for a misspelt word, the nearest one.
fn could_be(word: &str, is_so: impl Fn(&Command) -> bool) -> bool {
    match find(word) {
        Some(command) => is_so(command),
        None => beginning_with(word).any(&is_so) || nearest(word, Role::Operator).and_then(find).is_some_and(is_so),
    }
}

/// The command name or alias most like `word`, at most two typing errors away. Operators' commands
/// are offered to operators only.
#[must_use]
pub fn nearest(word: &str, role: Role) -> Option<&'static str> {
    let word: String = word.chars().take(32).flat_map(char::to_lowercase).collect();
    COMMANDS
        .iter()
        .filter(|command| command.role <= role.max(Role::Member))
        .flat_map(|command| std::iter::once(command.name).chain(command.aliases.iter().copied()))
        .map(|name| {
            // The beginning of a command's name counts as near, however much is missing.
            let distance =
                if word.len() >= 2 && name.starts_with(&word) { 1 } else { strsim::damerau_levenshtein(name, &word) };
            (distance, name)
        })
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

impl Turn<'_> {
    /// Executes the command in `line`, which lacks its slash.
    pub(super) fn command(&mut self, id: SessionId, line: &str) {
        let (word, args) = split_word(line);
        if is_for_services(word, args) && self.hub.find_for(id, split_word(args).0).is_none() {
            self.refuse(id, Refusal::NoServices);
            return self.effects.push(Effect::SecretSpent);
        }
        match meant(word, self.hub.role(id)) {
            Meant::One(command) if self.hub.role(id) < command.role => {
                self.refuse(id, Refusal::RoleNeeded(command.role));
            }
            // In other programs, `/q NAME TEXT` is a message to somebody, and last words are seen by all.
            Meant::One(command) if command.name == "quit" && word.eq_ignore_ascii_case("q") && !args.is_empty() => {
                self.refuse(id, Refusal::QuitOrQuery);
            }
            Meant::One(command) => {
                if command.weight > 0
                    && let Some(session) = self.hub.people.sessions.get_mut(&id)
                {
                    session.pace.charge(command.weight, self.now.mono, &self.hub.settings.pace);
                }
                let before = self.effects.len();
                let mut call = Call { turn: self, id, command };
                if args.split_whitespace().take(command.least).count() < command.least {
                    call.usage();
                } else {
                    (command.run)(&mut call, args);
                }
                if command.role == Role::Operator {
                    operator::sign(&mut call, before);
                }
            }
            Meant::Several(names) => self.refuse(id, Refusal::SeveralCommands { given: clip_word(word), names }),
            Meant::Nothing(nearest) => self.refuse(id, Refusal::UnknownCommand { given: clip_word(word), nearest }),
        }
        // A client's program may send a password without waiting for the question. If this command
        // would ask for one and did not, the line after it may be that password.
        if could_be(word, |command| command.password != Password::No)
            && self.hub.people.sessions.get(&id).is_some_and(|session| session.dialogue.is_none())
        {
            self.hub.expect_answers_sent_ahead(id, self.now);
            if !args.is_empty() {
                self.effects.push(Effect::SecretSpent);
            }
        }
    }
}

/// A command being executed for the client `id`.
struct Call<'a, 'turn> {
    turn: &'a mut Turn<'turn>,
    id: SessionId,
    command: &'static Command,
}

impl Call<'_, '_> {
    fn tell(&mut self, message: Message) {
        self.turn.tell(self.id, message);
    }

    fn done(&mut self, done: Done) {
        self.tell(Message::Done(done));
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.tell(Message::Refused(refusal));
    }

    fn usage(&mut self) {
        self.refuse(Refusal::Usage(self.command));
    }

    fn own(&self) -> &super::Session {
        &self.turn.hub.people.sessions[&self.id]
    }

    fn own_mut(&mut self) -> &mut super::Session {
        self.turn.hub.people.sessions.get_mut(&self.id).expect("commands are run for who is here")
    }

    fn nick(&self) -> Arc<str> {
        self.own().own_nick().shown().into()
    }

    fn room(&self) -> &super::Room {
        &self.turn.hub.rooms.open[&self.own().room]
    }

    /// The person here who bears that name; for operators, also the one with that client number.
    fn named(&self, text: &str) -> Option<SessionId> {
        let (hub, text) = (&self.turn.hub, addressed(text));
        let by_number =
            || super::whom::client(text).filter(|id| hub.role(self.id) == Role::Operator && hub.session(*id).is_some());
        // A person who waits at the door is not here yet.
        hub.find_for(self.id, text).or_else(by_number).filter(|id| !hub.is_at_door(*id))
    }

    /// The client logged in to that account, under whatever nick it bears now. `None` while it
    /// waits at the door, and, for anybody else than the caller, if it logged in unseen: nobody
    /// else may learn that.
    fn bearer(&self, account: AccountId) -> Option<SessionId> {
        let hub = &self.turn.hub;
        let id = hub.bearer(account).filter(|id| !hub.is_at_door(*id))?;
        (id == self.id || !hub.session(id)?.is_renamed_unseen()).then_some(id)
    }

    /// How a list shows a person: operators see the client number behind the nick.
    fn label(&self, session: &super::Session) -> Arc<str> {
        match self.turn.hub.role(self.id) {
            Role::Operator => format!("{} ({})", session.nick_for(self.id).shown(), session.id).into(),
            _ => session.nick_for(self.id).shown().into(),
        }
    }

    /// The person of that name, as [`Self::named`] finds them; tells the caller if there is none.
    fn person(&mut self, name: &str) -> Option<SessionId> {
        let found = self.named(name);
        if found.is_none() {
            let refusal = self.now_called(name).unwrap_or_else(|| Refusal::NoSuchPerson(clip(addressed(name))));
            self.refuse(refusal);
        }
        found
    }
}

/// The time in which somebody has to repeat a line to confirm it.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// A name without the signs that people put around it in a line: `ann`, of `ann:`, `ann,` or
/// `@ann`.
fn addressed(text: &str) -> &str {
    let name = text.strip_prefix('@').unwrap_or(text);
    let name = name.strip_suffix([':', ',']).unwrap_or(name);
    // A text with more such signs in it is an address.
    if name.is_empty() || name.contains([':', ',']) { text } else { name }
}

/// The first word, and the rest without the space between them.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (text, ""),
    }
}

/// Typed text, cut to 40 characters so that it can be repeated in an answer.
fn clip(text: &str) -> Arc<str> {
    let mut clipped: String = text.chars().take(40).collect();
    if clipped.len() < text.len() {
        clipped.push_str("...");
    }
    clipped.into()
}

/// A word that is no command, cut to 32 characters so that it can be repeated in an answer.
fn clip_word(text: &str) -> Arc<str> {
    text.chars().take(32).collect::<String>().into()
}

/// The most people or rooms that a list shows; the rest is only counted. Nobody would read more,
/// and more would not fit a mailbox.
const LISTED: usize = 200;

fn text_arg(text: &str) -> Option<Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_no_name() {
        for (text, is_command) in
            [("help", true), ("QUIT", true), ("quit.", true), ("identify", true), ("helpful", false), ("ann", false)]
        {
            let name = Name::parse(text, 20).expect("a name");
            assert_eq!(taken_for(&name).is_some(), is_command, "{text}");
        }
    }

    #[test]
    fn least_arguments_and_places_of_passwords_match_the_usage_of_each_command() {
        for command in COMMANDS {
            let (mut depth, mut outside) = (0_u32, String::new());
            for c in command.usage.chars() {
                match c {
                    '[' => depth += 1,
                    ']' => depth -= 1,
                    c if depth == 0 => outside.push(c),
                    _ => {}
                }
            }
            assert!(command.least <= outside.split_whitespace().count(), "/{}", command.name);
            let words = command.usage.split(['[', ']', ' ']).filter(|word| !word.is_empty());
            let password = match words.into_iter().position(|word| word == "PASSWORD") {
                None if command.password == Password::Asked => Password::Asked,
                // `/passwd` asks for the password, and refuses one typed behind it.
                None if command.name == "passwd" => Password::First,
                None => Password::No,
                Some(0) => Password::First,
                Some(_) => Password::Second,
            };
            assert_eq!(command.password, password, "/{}", command.name);
        }
    }
}
