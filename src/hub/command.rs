//! What people can type: one table for parsing, `/help` and the documents.
//!
//! To add a command, add a row and its function. A row's usage is checked by nobody but its
//! function: what a function cannot read, it answers with [`Refusal::Usage`].

mod operator;
mod room;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::account::Role;
use super::inbound::Arrives;
use super::message::{Done, Farewell, Message, Offset, Refusal, Replay, SessionId, View};
use super::name::{self, Name};
use super::room::Room;
use super::room::newest;
use super::terminal::{Colors, Mode};
use super::time::Now;
use super::{Effect, Happening, Hearing, Hub, Said, What, refuse, tell, work};
use crate::settings;

/// A command: a row of [`COMMANDS`].
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name, without the slash.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Its arguments, as `/help` shows them.
    pub usage: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What else there is to know; may be empty.
    pub detail: &'static str,
    /// How many lines it counts for in the sender's pace, beside the one it is.
    pub weight: u32,
    /// Who may use it; it is shown to nobody else.
    pub role: Role,
    run: fn(&mut Call<'_>, &str),
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "/{}", self.name)
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Command {}

/// The table, in the order in which `/help` lists it.
pub static COMMANDS: &[Command] = &[
    Command {
        name: "help",
        aliases: &["?"],
        usage: "[COMMAND]",
        about: "list the commands, or explain one",
        detail: "",
        weight: 1,
        role: Role::Guest,
        run: help,
    },
    Command {
        name: "nick",
        aliases: &[],
        usage: "NAME",
        about: "take another name",
        detail: "Letters, digits, - _ and . of one script, and unlike any name in use.",
        weight: 0,
        role: Role::Guest,
        run: nick,
    },
    Command {
        name: "who",
        aliases: &["names"],
        usage: "[ROOM] [AB*]",
        about: "list who is here, or in another room",
        detail: "Those who are away have a star. With AB*, whose names begin with ab.",
        weight: 0,
        role: Role::Guest,
        run: who,
    },
    Command {
        name: "whois",
        aliases: &[],
        usage: "NAME",
        about: "tell where somebody is, since when, how long idle",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: whois,
    },
    Command {
        name: "rooms",
        aliases: &["list"],
        usage: "[AB*]",
        about: "list the rooms",
        detail: "With AB*, those whose names begin with ab.",
        weight: 0,
        role: Role::Guest,
        run: rooms,
    },
    Command {
        name: "join",
        aliases: &["j"],
        usage: "ROOM",
        about: "go to another room; it is opened if there is none",
        detail: "A room is closed, and what was said forgotten, when the last one leaves.",
        weight: 0,
        role: Role::Guest,
        run: join,
    },
    Command {
        name: "leave",
        aliases: &["part"],
        usage: "",
        about: "go back to the lobby",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: leave,
    },
    Command {
        name: "topic",
        aliases: &[],
        usage: "[TEXT]",
        about: "show the topic of this room, or set it",
        detail: "/topic - clears it.",
        weight: 0,
        role: Role::Guest,
        run: topic,
    },
    Command {
        name: "room",
        aliases: &[],
        usage: "[private|public|moderated|free]",
        about: "tell what this room is, or change it",
        detail: "Who is logged in and opens a room owns it. A private one is by invitation.",
        weight: 0,
        role: Role::Guest,
        run: room::room,
    },
    Command {
        name: "invite",
        aliases: &[],
        usage: "NAME",
        about: "let somebody into your private room",
        detail: "",
        weight: 0,
        role: Role::Member,
        run: room::invite,
    },
    Command {
        name: "uninvite",
        aliases: &[],
        usage: "NAME",
        about: "take an invitation back",
        detail: "",
        weight: 0,
        role: Role::Member,
        run: room::uninvite,
    },
    Command {
        name: "voice",
        aliases: &[],
        usage: "NAME",
        about: "let somebody speak in your moderated room",
        detail: "",
        weight: 0,
        role: Role::Member,
        run: room::voice,
    },
    Command {
        name: "unvoice",
        aliases: &[],
        usage: "NAME",
        about: "let somebody speak there no more",
        detail: "",
        weight: 0,
        role: Role::Member,
        run: room::unvoice,
    },
    Command {
        name: "expel",
        aliases: &[],
        usage: "NAME [REASON]",
        about: "send somebody out of your room",
        detail: "They may come back when they are invited.",
        weight: 0,
        role: Role::Member,
        run: room::expel,
    },
    Command {
        name: "msg",
        aliases: &["m", "tell", "query"],
        usage: "NAME TEXT",
        about: "say something to one person only",
        detail: "Private messages are kept nowhere.",
        weight: 0,
        role: Role::Guest,
        run: msg,
    },
    Command {
        name: "reply",
        aliases: &["r"],
        usage: "TEXT",
        about: "answer the last private message",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: reply,
    },
    Command {
        name: "me",
        aliases: &[],
        usage: "TEXT",
        about: "do something: * ann waves",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: me,
    },
    Command {
        name: "away",
        aliases: &[],
        usage: "[TEXT]",
        about: "say that you are away",
        detail: "Whoever writes to you privately is told so. /back ends it.",
        weight: 0,
        role: Role::Guest,
        run: away,
    },
    Command {
        name: "back",
        aliases: &[],
        usage: "",
        about: "say that you are back",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: back,
    },
    Command {
        name: "ignore",
        aliases: &[],
        usage: "[NAME]",
        about: "hide what somebody says, or list whom you ignore",
        detail: "It stays with them if they take another name.",
        weight: 0,
        role: Role::Guest,
        run: ignore,
    },
    Command {
        name: "unignore",
        aliases: &[],
        usage: "NAME",
        about: "show again what somebody says",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: unignore,
    },
    Command {
        name: "quiet",
        aliases: &[],
        usage: "",
        about: "hide arrivals and departures, or show them again",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: quiet,
    },
    Command {
        name: "history",
        aliases: &["replay"],
        usage: "[LINES]",
        about: "show the last lines said here",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: history,
    },
    Command {
        name: "search",
        aliases: &[],
        usage: "TEXT",
        about: "show the lines said here that have a text in them",
        detail: "Upper and lower case are the same. Of many lines, the last are shown.",
        weight: 20,
        role: Role::Guest,
        run: search,
    },
    Command {
        name: "time",
        aliases: &[],
        usage: "[on|off|+HH:MM]",
        about: "show times, in UTC or at an offset from it",
        detail: "/time alone switches them on or off. West of UTC is -HH:MM.",
        weight: 0,
        role: Role::Guest,
        run: time,
    },
    Command {
        name: "color",
        aliases: &["colour", "colors", "colours"],
        usage: "[on|off]",
        about: "show names in colours, or not",
        detail: "They are on by themselves if your program says that it has colours.",
        weight: 0,
        role: Role::Guest,
        run: color,
    },
    Command {
        name: "mode",
        aliases: &[],
        usage: "line|char",
        about: "edit lines in your program, or with an editor of ours",
        detail: "With char, what others say appears above what you type. It needs telnet.",
        weight: 0,
        role: Role::Guest,
        run: mode,
    },
    Command {
        name: "hold",
        aliases: &[],
        usage: "",
        about: "keep what others say back until you press Enter",
        detail: "/hold again ends it. If too much piles up, the oldest lines are left out.",
        weight: 0,
        role: Role::Guest,
        run: hold,
    },
    Command {
        name: "register",
        aliases: &[],
        usage: "[PASSWORD]",
        about: "keep your present name for yourself, by a password",
        detail: "Without PASSWORD you are asked for it, and unseen if your program can.",
        weight: 2,
        role: Role::Guest,
        run: register,
    },
    Command {
        name: "login",
        aliases: &["identify"],
        usage: "[NAME [PASSWORD]]",
        about: "get your registered name",
        detail: "Whoever is logged in to it elsewhere is disconnected.",
        weight: 2,
        role: Role::Guest,
        run: login,
    },
    Command {
        name: "logout",
        aliases: &[],
        usage: "",
        about: "be a guest again",
        detail: "",
        weight: 0,
        role: Role::Member,
        run: logout,
    },
    Command {
        name: "passwd",
        aliases: &["password"],
        usage: "",
        about: "change your password",
        detail: "",
        weight: 2,
        role: Role::Member,
        run: passwd,
    },
    Command {
        name: "unregister",
        aliases: &[],
        usage: "",
        about: "give your registered name up",
        detail: "What you said stays; operators can remove it.",
        weight: 2,
        role: Role::Member,
        run: unregister,
    },
    Command {
        name: "report",
        aliases: &[],
        usage: "NAME TEXT",
        about: "tell the operators about somebody",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: report,
    },
    Command {
        name: "quit",
        aliases: &["exit", "bye"],
        usage: "[TEXT]",
        about: "leave, with a last word",
        detail: "",
        weight: 0,
        role: Role::Guest,
        run: quit,
    },
    Command {
        name: "kick",
        aliases: &[],
        usage: "NAME [REASON]",
        about: "disconnect somebody",
        detail: "",
        weight: 0,
        role: Role::Operator,
        run: operator::kick,
    },
    Command {
        name: "mute",
        aliases: &[],
        usage: "NAME [TIME]",
        about: "keep somebody from being heard",
        detail: "They are told. A time is like 10min or 2h; without one, until /unmute.",
        weight: 0,
        role: Role::Operator,
        run: operator::mute,
    },
    Command {
        name: "unmute",
        aliases: &[],
        usage: "NAME",
        about: "let somebody be heard again",
        detail: "",
        weight: 0,
        role: Role::Operator,
        run: operator::unmute,
    },
    Command {
        name: "shadowmute",
        aliases: &[],
        usage: "NAME [TIME]",
        about: "keep somebody from being heard, without telling",
        detail: "To them, what they say looks said. /unmute ends it.",
        weight: 0,
        role: Role::Operator,
        run: operator::shadowmute,
    },
    Command {
        name: "ban",
        aliases: &[],
        usage: "WHO [TIME] [REASON]",
        about: "keep somebody out",
        detail: "WHO: somebody here, whose address is meant; a network; a name. TIME: 2h.",
        weight: 0,
        role: Role::Operator,
        run: operator::ban,
    },
    Command {
        name: "unban",
        aliases: &[],
        usage: "BAN",
        about: "lift a ban",
        detail: "A ban is called as /bans lists it, such as b3.",
        weight: 0,
        role: Role::Operator,
        run: operator::unban,
    },
    Command {
        name: "bans",
        aliases: &[],
        usage: "",
        about: "list the bans",
        detail: "",
        weight: 0,
        role: Role::Operator,
        run: operator::bans,
    },
    Command {
        name: "strikes",
        aliases: &[],
        usage: "NAME",
        about: "tell how many strikes count against somebody",
        detail: "",
        weight: 0,
        role: Role::Operator,
        run: operator::strikes,
    },
    Command {
        name: "op",
        aliases: &[],
        usage: "NAME",
        about: "make somebody with an account an operator",
        detail: "Only administrators undo it.",
        weight: 0,
        role: Role::Operator,
        run: operator::op,
    },
];

/// The command of that name or alias, whatever its case.
#[must_use]
pub fn find(word: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| {
        command.name.eq_ignore_ascii_case(word) || command.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(word))
    })
}

/// The name or alias most like `word`, if one is like it. Operators' commands are offered to operators only.
#[must_use]
pub fn nearest(word: &str, role: Role) -> Option<&'static str> {
    let word: String = word.chars().take(32).flat_map(char::to_lowercase).collect();
    COMMANDS
        .iter()
        .filter(|command| command.role <= role.max(Role::Member))
        .flat_map(|command| std::iter::once(command.name).chain(command.aliases.iter().copied()))
        .map(|name| {
            // Who types the beginning of a command means that command.
            let distance =
                if word.len() >= 2 && name.starts_with(&word) { 1 } else { strsim::damerau_levenshtein(name, &word) };
            (distance, name)
        })
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Commands that take a password, or ask for one.
const WITH_PASSWORD: [&str; 4] = ["register", "login", "passwd", "unregister"];

/// Whether a line has a password in it, as a command that takes one: such a line is not to be had back. Of a
/// command that is misspelt, and of one that lacks its slash, it is the same.
#[must_use]
pub fn holds_password(line: &str) -> bool {
    let (word, args) = match line.trim_start().strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => split_word(rest),
        _ => return without_slash(line, |_| true).is_some(),
    };
    let meant = find(word).or_else(|| find(nearest(word, Role::Operator)?));
    match meant.map(|command| command.name) {
        Some("register" | "passwd") => !args.is_empty(),
        Some("login") => !split_word(args).1.is_empty(),
        _ => false,
    }
}

/// Commands that show to others what stands behind them.
const SHOWING: [&str; 10] = ["msg", "reply", "me", "topic", "away", "report", "quit", "expel", "kick", "ban"];

/// Whether a line ends a question for a password instead of answering it: it is a command, and shows nothing
/// to others that could have been the answer.
pub(super) fn ends_question(line: &str) -> Option<Ends> {
    let (word, args) = line.trim_start().strip_prefix('/').map(split_word)?;
    let command = find(word).filter(|command| args.is_empty() || !SHOWING.contains(&command.name))?;
    Some(if WITH_PASSWORD.contains(&command.name) { Ends::ForAnother } else { Ends::ForGood })
}

/// How a command ends a question for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// It asks one of its own.
    ForAnother,
    /// It has nothing to do with it.
    ForGood,
}

/// Words that go on a sentence which begins with the name of a command, as in "login is broken".
const SENTENCE: &[&str] = &[
    "a",
    "about",
    "after",
    "again",
    "all",
    "already",
    "always",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "before",
    "button",
    "by",
    "can",
    "can't",
    "cannot",
    "could",
    "did",
    "didn't",
    "do",
    "does",
    "doesn't",
    "don't",
    "failed",
    "fails",
    "first",
    "for",
    "form",
    "from",
    "had",
    "has",
    "have",
    "here",
    "how",
    "if",
    "in",
    "is",
    "isn't",
    "it",
    "issue",
    "issues",
    "just",
    "me",
    "must",
    "my",
    "name",
    "names",
    "need",
    "needs",
    "never",
    "not",
    "now",
    "of",
    "on",
    "only",
    "or",
    "our",
    "page",
    "please",
    "problem",
    "problems",
    "prompt",
    "screen",
    "seems",
    "should",
    "still",
    "than",
    "that",
    "the",
    "them",
    "then",
    "there",
    "this",
    "to",
    "too",
    "under",
    "until",
    "us",
    "via",
    "was",
    "wasn't",
    "were",
    "what",
    "when",
    "where",
    "who",
    "why",
    "will",
    "with",
    "without",
    "won't",
    "work",
    "works",
    "would",
    "you",
    "your",
    "yours",
    "yourself",
    "yourselves",
];

/// The command that a line seems to be meant as, which takes a password and lacks its slash: `login ann
/// sesame`, or with whatever stands in the slash's place, as `7login ann sesame` on a German keyboard. Rather
/// too many than too few: a word before it makes it a sentence. `is_name` tells registered names.
pub(super) fn without_slash(line: &str, is_name: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let mut words = line.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace();
    let first = words.next()?.trim_end_matches(':');
    // Every line that is said passes here.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    if !b"ilpr".contains(&initial) {
        return None;
    }
    let command = find(first).filter(|command| ["login", "register", "passwd"].contains(&command.name))?;
    let Some(second) = words.next() else { return Some(command) };
    // It may be a password, of which no copy is to be left.
    let plain = Zeroizing::new(second.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    if SENTENCE.contains(&plain.as_str()) {
        return None;
    }
    // IRC's services have "identify PASSWORD" and "register PASSWORD ADDRESS", and a password can have spaces.
    let is_meant = match (command.name, words.count()) {
        ("login", 0) if first.eq_ignore_ascii_case("login") => is_name(second),
        (_, ..=3) => true,
        ("login", _) => is_name(second),
        _ => false,
    };
    is_meant.then_some(command)
}

/// Carries out what follows the slash.
pub(super) fn run(hub: &mut Hub, id: SessionId, line: &str, now: Now, effects: &mut Vec<Effect>) {
    let (word, args) = split_word(line);
    let found = find(word);
    match found {
        Some(command) if hub.role(id) < command.role => refuse(id, Refusal::RoleNeeded(command.role), effects),
        Some(command) => {
            if command.weight > 0
                && let Some(session) = hub.sessions.get_mut(&id)
            {
                session.pace.charge(command.weight, now.mono, &hub.settings.pace);
            }
            let before = effects.len();
            let mut call = Call { hub, id, now, effects, command };
            (command.run)(&mut call, args);
            if command.role == Role::Operator {
                operator::sign(&mut call, before);
            }
        }
        None => {
            let given: String = word.chars().take(32).collect();
            let nearest = nearest(word, hub.role(id));
            refuse(id, Refusal::UnknownCommand { given: given.into(), nearest }, effects);
        }
    }
    // If a password was wanted and is not asked for, it may be on its way all the same.
    let meant = found.or_else(|| find(nearest(word, Role::Operator)?));
    if meant.is_some_and(|command| WITH_PASSWORD.contains(&command.name))
        && hub.sessions.get(&id).is_some_and(|session| session.dialogue.is_none())
    {
        hub.expect_answers_sent_ahead(id, now);
        if !args.is_empty() {
            effects.push(Effect::SecretSpent);
        }
    }
}

/// A command being carried out for `id`.
struct Call<'a> {
    hub: &'a mut Hub,
    id: SessionId,
    now: Now,
    effects: &'a mut Vec<Effect>,
    command: &'static Command,
}

impl Call<'_> {
    fn tell(&mut self, message: Message) {
        tell(self.id, message, self.effects);
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
        &self.hub.sessions[&self.id]
    }

    fn own_mut(&mut self) -> &mut super::Session {
        self.hub.sessions.get_mut(&self.id).expect("commands are run for who is here")
    }

    fn nick(&self) -> Arc<str> {
        self.own().nick.shown().into()
    }

    fn room(&self) -> &super::Room {
        &self.hub.rooms[&self.own().room]
    }

    /// The person of that name; the caller is told if there is none.
    fn person(&mut self, name: &str) -> Option<SessionId> {
        // Who waits at the door is not here yet.
        let found = self.hub.find(name).filter(|id| !self.hub.is_at_door(*id));
        if found.is_none() {
            self.refuse(Refusal::NoSuchPerson(clip(name)));
        }
        found
    }
}

/// The first word, and what follows it without the space between.
fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (text, ""),
    }
}

/// What somebody typed, short enough to be told back.
fn clip(text: &str) -> Arc<str> {
    let mut clipped: String = text.chars().take(40).collect();
    if clipped.len() < text.len() {
        clipped.push_str("...");
    }
    clipped.into()
}

/// How many people or rooms a list shows before it counts: more would neither be read nor fit a mailbox.
const LISTED: usize = 200;

fn text_arg(text: &str) -> Option<Arc<str>> {
    (!text.is_empty()).then(|| text.into())
}

fn help(call: &mut Call<'_>, args: &str) {
    let (word, _) = split_word(args);
    let word = word.strip_prefix('/').unwrap_or(word);
    match find(word) {
        Some(command) if call.hub.role(call.id) < command.role => call.refuse(Refusal::RoleNeeded(command.role)),
        Some(command) => call.tell(Message::HelpOn(command)),
        None if word.is_empty() => {
            let role = call.hub.role(call.id);
            call.tell(Message::Help(role));
        }
        None => {
            let nearest = nearest(word, call.hub.role(call.id));
            call.refuse(Refusal::UnknownCommand { given: clip(word), nearest });
        }
    }
}

fn nick(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        return call.usage();
    }
    let name = match Name::parse(args, call.hub.settings.limits.name) {
        Ok(name) => name,
        Err(invalid) => return call.refuse(Refusal::InvalidName(invalid)),
    };
    if let Err(refusal) = call.hub.may_bear(call.id, &name, call.now) {
        return call.refuse(refusal);
    }
    // A name can be as good as a line: who is muted keeps the one they have.
    if !call.hub.may_show(call.id, args, call.now, call.effects) {
        return;
    }
    call.hub.work += work::SHOWN;
    call.done(Done::Named(name.shown().into()));
    call.hub.rename(call.id, name, None, call.now, call.effects);
}

/// What the names in a list are to begin with: a word such as `ab*`, folded.
fn beginning(word: &str) -> Option<String> {
    word.strip_suffix('*').map(name::fold)
}

fn who(call: &mut Call<'_>, args: &str) {
    let (first, rest) = split_word(args);
    let (room, wanted) = match (beginning(first), beginning(rest)) {
        (Some(wanted), _) if rest.is_empty() => ("", Some(wanted)),
        (None, Some(wanted)) => (first, Some(wanted)),
        _ => (args, None),
    };
    let found = if room.is_empty() { Some(call.own().room) } else { call.hub.find_room(room) };
    let seen = found.map(|room| &call.hub.rooms[&room]).filter(|room| call.hub.sees(call.id, room));
    let Some(room) = seen else { return call.refuse(Refusal::NoSuchRoom(clip(room))) };
    let (mut people, total, looked_at, is_part) = match &wanted {
        // Of a great crowd, those who came first.
        None if room.members.len() > work::MOST => {
            let first = room.members.iter().take(LISTED).filter_map(|id| call.hub.session(*id)).collect();
            (first, room.members.len(), LISTED as u64, false)
        }
        _ => {
            let look = call.hub.look_for(Some(room), wanted.as_deref().unwrap_or_default());
            let total = look.found.len();
            (look.found, total, look.looked_at, !look.is_whole)
        }
    };
    people.sort_unstable_by_key(|session| session.nick.shown());
    people.truncate(LISTED);
    let people: Vec<(Arc<str>, bool)> =
        people.iter().map(|session| (session.nick.shown().into(), session.away.is_some())).collect();
    let (room, beginning) = (room.name.shown().into(), wanted.map(|wanted| clip(&wanted)));
    call.hub.work += looked_at + people.len() as u64;
    call.tell(Message::Who { room, people, total, beginning, is_part });
}

fn whois(call: &mut Call<'_>, args: &str) {
    let (name, _) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    let Some(other) = call.person(name) else { return };
    let other = &call.hub.sessions[&other];
    let message = Message::Whois {
        nick: other.nick.shown().into(),
        room: call.hub.room_for(call.id, &call.hub.rooms[&other.room]),
        since: other.since,
        idle: other.idle(call.now).as_secs(),
        away: other.away.clone(),
        account: other
            .account
            .and_then(|account| call.hub.accounts.get(account))
            .map(|account| (account.name.shown().into(), account.role)),
    };
    call.tell(message);
}

fn rooms(call: &mut Call<'_>, args: &str) {
    let wanted = beginning(args);
    if wanted.is_none() && !args.is_empty() {
        return call.usage();
    }
    let fits = |room: &&Room| wanted.as_deref().is_none_or(|wanted| room.name.folded().starts_with(wanted));
    let (mut all, mut looked_at) = (call.hub.rooms(), 0);
    // The oldest, if there are so many.
    let looked = all.by_ref().take(work::MOST).inspect(|_| looked_at += 1);
    let mut rooms: Vec<_> = looked.filter(fits).filter(|room| call.hub.sees(call.id, room)).collect();
    let is_part = all.next().is_some();
    drop(all);
    rooms.sort_unstable_by(|one, other| {
        other.members.len().cmp(&one.members.len()).then_with(|| one.name.shown().cmp(other.name.shown()))
    });
    let total = rooms.len();
    rooms.truncate(LISTED);
    let rooms: Vec<(Arc<str>, usize, Option<Arc<str>>)> =
        rooms.iter().map(|room| (room.name.shown().into(), room.members.len(), room.topic())).collect();
    let beginning = wanted.map(|wanted| clip(&wanted));
    call.hub.work += looked_at + rooms.len() as u64;
    call.tell(Message::Rooms { rooms, total, beginning, is_part });
}

fn join(call: &mut Call<'_>, args: &str) {
    let typed = args.strip_prefix('#').unwrap_or(args);
    if typed.is_empty() {
        return call.usage();
    }
    if let Some(room) = call.hub.find_room(typed) {
        if room == call.own().room {
            let name = call.room().name.shown().into();
            return call.refuse(Refusal::AlreadyHere(name));
        }
        if !call.hub.may_enter(call.id, &call.hub.rooms[&room]) {
            return call.refuse(Refusal::RoomNotOpen(clip(typed)));
        }
        call.hub.work += work::SHOWN;
        return call.hub.enter(call.id, room, call.now, call.effects);
    }
    let name = match Name::parse(typed, call.hub.settings.limits.room_name) {
        Ok(name) => name,
        Err(invalid) => return call.refuse(Refusal::InvalidName(invalid)),
    };
    // One that is kept from before was opened when nobody asked.
    let is_kept = call.hub.dormant.contains_key(name.folded());
    if let Some(taken_for) = name::taken_for(&name).filter(|_| !is_kept) {
        return call.refuse(Refusal::NameTakenFor(name.shown().into(), taken_for));
    }
    let lookalike = call.hub.room_names.lookalikes(&name).next();
    if let Some(room) = lookalike {
        let other = &call.hub.rooms[&room];
        if !call.hub.sees(call.id, other) {
            return call.refuse(Refusal::RoomNotOpen(clip(typed)));
        }
        let other = other.name.shown().into();
        return call.refuse(Refusal::RoomLooksLike(other));
    }
    // The room that is left behind by its only member makes place for the new one.
    let limit = call.hub.settings.limits.rooms;
    let leaves_empty = call.own().room != call.hub.lobby && call.room().members.len() == 1;
    if call.hub.room_count() - usize::from(leaves_empty) >= limit {
        return call.refuse(Refusal::TooManyRooms(limit));
    }
    let opened_from = call.hub.counted_opener(call.id);
    let most = call.hub.settings.limits.rooms_per_address;
    let leaves_own = leaves_empty && call.room().opened_from == opened_from;
    if let Some(from) = opened_from
        && call.hub.rooms_opened_from(from) - usize::from(leaves_own) >= most
    {
        return call.refuse(Refusal::TooManyRoomsFromAddress(most));
    }
    // A room's name can be as good as a line.
    if !call.hub.may_show(call.id, typed, call.now, call.effects) {
        return;
    }
    let room = Some(name.shown().into());
    let nick = Some(call.nick());
    let (session, now) = (Some(call.id), call.now);
    let id = call.hub.open(name, now, call.effects);
    let owner = call.own().account;
    if let Some(room) = call.hub.rooms.get_mut(&id) {
        room.ownership.owner = owner;
    }
    call.hub.opened_from(id, opened_from);
    call.hub.work += work::SHOWN;
    let opened = Happening { session, nick, room, ..Happening::new(What::RoomOpened, now) };
    call.effects.push(Effect::Happened(opened));
    call.hub.enter(call.id, id, now, call.effects);
}

fn leave(call: &mut Call<'_>, _: &str) {
    let lobby = call.hub.lobby;
    if call.own().room == lobby {
        let name = call.room().name.shown().into();
        return call.refuse(Refusal::AlreadyHere(name));
    }
    call.hub.work += work::SHOWN;
    call.hub.enter(call.id, lobby, call.now, call.effects);
}

fn topic(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        let room = call.room();
        let message = Message::Topic { room: room.name.shown().into(), topic: room.topic() };
        return call.tell(message);
    }
    let limit = call.hub.settings.limits.topic;
    if args.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    if call.room().ownership.owner.is_some() && !call.hub.owns(call.id, call.room()) {
        let (room, owner) = (call.room().name.shown().into(), call.hub.owner_of(call.room()));
        return call.refuse(Refusal::NotYourRoom { room, owner });
    }
    if !call.hub.may_show(call.id, args, call.now, call.effects) {
        return;
    }
    let text = if args == "-" { "" } else { args };
    let room = call.own().room;
    call.hub.work += work::SHOWN;
    call.hub.set_topic(room, Some(call.id), text.into(), None, call.now, call.effects);
}

fn msg(call: &mut Call<'_>, args: &str) {
    let (name, text) = split_word(args);
    if name.is_empty() || text.is_empty() {
        return call.usage();
    }
    if let Some(to) = call.person(name) {
        private(call, to, text);
    }
}

fn reply(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        return call.usage();
    }
    match call.own().private_from.as_deref().cloned() {
        None => call.refuse(Refusal::NobodyToReplyTo),
        Some((to, _)) if call.hub.sessions.contains_key(&to) => private(call, to, args),
        Some((_, name)) => call.refuse(Refusal::ReplyGone(name)),
    }
}

fn private(call: &mut Call<'_>, to: SessionId, text: &str) {
    if to == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let heard = match call.hub.hearing(call.id, call.now, call.effects) {
        Hearing::All => true,
        Hearing::Nobody => false,
        Hearing::Refused => return,
    };
    let nick = call.nick();
    let id = call.id;
    let ignored = call.hub.sessions[&to].ignores(call.own());
    let arrives = if heard && !ignored { Arrives::Yes } else { Arrives::No };
    if let Err(refusal) = call.hub.reach(id, to, text, arrives, call.now.mono) {
        return call.refuse(refusal);
    }
    call.hub.counters.private_messages += 1;
    let text: Arc<str> = text.into();
    let other = call.hub.sessions.get_mut(&to).expect("the caller has it");
    let message = Message::PrivateTo { nick: other.nick.shown().into(), text: text.clone(), away: other.away.clone() };
    // Who is ignored is not told so.
    if arrives == Arrives::Yes {
        other.private_from = Some(Box::new((id, nick.clone())));
        tell(to, Message::PrivateFrom { nick, text }, call.effects);
    }
    call.hub.wrote_to(id, to);
    call.tell(message);
}

fn me(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        return call.usage();
    }
    let said = Said::Emote { nick: call.nick(), text: args.into() };
    call.hub.speak(call.id, said, call.now, call.effects);
}

fn away(call: &mut Call<'_>, args: &str) {
    let limit = call.hub.settings.limits.topic;
    if args.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    // Its text is shown to others: who is muted has none.
    if !args.is_empty() && !call.hub.may_show(call.id, args, call.now, call.effects) {
        return;
    }
    if !args.is_empty() {
        call.hub.work += work::SHOWN;
    }
    call.own_mut().away = Some(args.into());
    call.done(Done::Away);
}

fn back(call: &mut Call<'_>, _: &str) {
    call.own_mut().away = None;
    call.done(Done::Back);
}

fn ignore(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        let names = call.own().ignoring.iter().map(|ignored| ignored.shown.clone()).collect();
        return call.tell(Message::Ignoring(names));
    }
    let (name, _) = split_word(args);
    let Some(other) = call.person(name) else { return };
    if other == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    let shown = call.hub.sessions[&other].nick.shown().into();
    match call.hub.ignore(call.id, other, call.effects) {
        Ok(()) => call.done(Done::Ignored(shown)),
        Err(refusal) => call.refuse(refusal),
    }
}

fn unignore(call: &mut Call<'_>, args: &str) {
    let (name, _) = split_word(args);
    if name.is_empty() {
        return call.usage();
    }
    if !call.hub.unignore(call.id, name, call.effects) {
        return call.refuse(Refusal::NotIgnored(clip(name)));
    }
    call.done(Done::Unignored(clip(name)));
}

fn quiet(call: &mut Call<'_>, _: &str) {
    let own = call.own_mut();
    own.quiet = !own.quiet;
    let done = if own.quiet { Done::Quiet } else { Done::NotQuiet };
    call.hub.work += work::SEEN_ANEW;
    call.hub.filter(call.id, call.effects);
    call.done(done);
}

fn history(call: &mut Call<'_>, args: &str) {
    let most = at_once(&call.hub.settings.history);
    let count = match (args, args.parse::<usize>()) {
        ("", _) => most,
        (_, Ok(count @ 1..)) => count.min(most),
        _ => return call.usage(),
    };
    let own = call.own();
    let (mut blinkers, mut looked_at) = (call.hub.blinkers(own), 0);
    let all = call.room().history.iter().inspect(|_| looked_at += 1);
    let shown = all.filter(|line| line.seq >= own.sees_from && !blinkers.hide(line));
    let lines = newest(shown, count, call.hub.settings.limits.mailbox / 2);
    call.hub.work += looked_at + work::REPLAYED * lines.len() as u64;
    let offset = call.own().view.time.unwrap_or_default();
    let room = call.room().name.shown().into();
    call.tell(Message::Replay { room, of: Replay::Last, lines, offset });
}

/// How many lines of history are shown in one answer. Where newcomers are shown none, who asks is
/// still shown some.
pub(super) fn at_once(history: &settings::History) -> usize {
    match history.replay {
        0 => settings::History::default().replay,
        replay => replay,
    }
}

fn search(call: &mut Call<'_>, args: &str) {
    if args.is_empty() {
        return call.usage();
    }
    let query = name::fold(args).into();
    let limit = at_once(&call.hub.settings.history);
    call.hub.search(call.id, clip(args), query, limit, call.effects);
}

fn time(call: &mut Call<'_>, args: &str) {
    let shown = call.own().view.time;
    let time = match args {
        "" => shown.is_none().then_some(Offset::default()),
        "on" => Some(shown.unwrap_or_default()),
        "off" => None,
        other => match Offset::parse(other) {
            Some(offset) => Some(offset),
            None => return call.refuse(Refusal::BadOffset(clip(other))),
        },
    };
    let view = View { time, ..call.own().view };
    if view != call.own().view {
        call.hub.work += work::SEEN_ANEW;
        call.own_mut().view = view;
        call.effects.push(Effect::View { session: call.id, view });
    }
    call.done(time.map_or(Done::TimeOff, Done::TimeOn));
}

fn color(call: &mut Call<'_>, args: &str) {
    let on = match args {
        "" => call.own().view.colors == Colors::None,
        "on" => true,
        "off" => false,
        _ => return call.usage(),
    };
    call.own_mut().colors = Some(on);
    call.hub.work += work::SEEN_ANEW;
    call.hub.suit(call.id, call.effects);
    call.done(if on { Done::ColorsOn } else { Done::ColorsOff });
}

fn mode(call: &mut Call<'_>, args: &str) {
    let mode = match args {
        "line" => Mode::Line,
        "char" if !call.own().terminal.answers => return call.refuse(Refusal::NoCharMode),
        "char" => Mode::Char,
        _ => return call.usage(),
    };
    call.own_mut().wants = Some(mode);
    if call.own().mode == mode && call.own().asked == mode {
        return call.done(Done::Mode(mode));
    }
    // Told when its program has gone along.
    call.hub.suit(call.id, call.effects);
}

fn hold(call: &mut Call<'_>, _: &str) {
    let own = call.own_mut();
    own.holds = !own.holds;
    let on = own.holds;
    call.effects.push(Effect::Hold { session: call.id, on });
    call.done(if on { Done::Holding } else { Done::NotHolding });
}

fn report(call: &mut Call<'_>, args: &str) {
    let (name, text) = split_word(args);
    if name.is_empty() || text.is_empty() {
        return call.usage();
    }
    let Some(other) = call.person(name) else { return };
    if let Err(wait) = call.hub.may_report(call.id, call.now) {
        return call.refuse(Refusal::TooManyAttempts(wait));
    }
    let other = &call.hub.sessions[&other];
    let about: Arc<str> = other.nick.shown().into();
    let noted: Arc<str> = format!("{about} ({}): {text}", other.id).into();
    call.hub.happened(What::Reported, call.id, None, Some(noted), call.now, call.effects);
    let message = Message::Report { from: call.nick(), about: about.clone(), text: text.into() };
    let told = call.hub.report(call.id, &message, text, call.now.mono, call.effects);
    call.done(if told > 0 { Done::Reported(about) } else { Done::ReportNoted(about) });
}

fn quit(call: &mut Call<'_>, args: &str) {
    // The last word is not heard of who is muted.
    let muted = call.own().muted(call.now).is_some();
    let limit = call.hub.settings.limits.topic;
    let suits = call.hub.filters.judge(args).is_none();
    let word = text_arg(args).filter(|text| !muted && suits && text.len() <= limit);
    let why = Farewell::Quit(word);
    call.tell(Message::Goodbye(why.clone()));
    call.hub.depart(call.id, why, call.now, call.effects);
}

fn register(call: &mut Call<'_>, args: &str) {
    call.hub.register(call.id, args, call.now, call.effects);
}

fn login(call: &mut Call<'_>, args: &str) {
    let (name, password) = split_word(args);
    call.hub.login(call.id, &clip(name), password, call.now, call.effects);
}

fn logout(call: &mut Call<'_>, _: &str) {
    call.hub.logout(call.id, call.now, call.effects);
}

fn passwd(call: &mut Call<'_>, args: &str) {
    if !args.is_empty() {
        return call.usage();
    }
    call.hub.passwd(call.id, call.effects);
}

fn unregister(call: &mut Call<'_>, args: &str) {
    if !args.is_empty() {
        return call.usage();
    }
    call.hub.unregister(call.id, call.effects);
}
