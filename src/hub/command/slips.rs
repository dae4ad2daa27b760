//! What must not be said by mistake: passwords behind a command, a misspelt one, or one that lacks its slash.

use zeroize::Zeroizing;

use super::super::account::Role;
use super::table::{Command, Password};
use super::{beginning_with, could_be, find, split_word};

/// A password that nothing before it tells of has so many bytes at least.
const SHORTEST: usize = 8;

/// Whether a line is a command with a password in it, also if the command is misspelt or lacks its slash. Such a line
/// cannot be recalled in the editor.
#[must_use]
pub fn holds_password(line: &str) -> bool {
    let (word, args) = match line.trim_start().strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => split_word(rest),
        _ => {
            let suspects = || suspects(line).is_some_and(|line| line.is_login(SHORTEST, |_| true, |_| true));
            return without_slash(line, |_| true).is_some() || suspects();
        }
    };
    if is_for_services(word, args) {
        return true;
    }
    could_be(word, |command| match command.password {
        Password::First => !args.is_empty(),
        Password::Second => !split_word(args).1.is_empty(),
        Password::No | Password::Asked => false,
    })
}

/// Whether a line ends a question for a password instead of answering it, and how. It does if it is a command that
/// shows others none of its arguments, for these could have been the answer.
pub(in crate::hub) fn ends_question(line: &str) -> Option<Ends> {
    let (word, args) = line.trim_start().strip_prefix('/').map(split_word)?;
    let command = find(word).filter(|command| args.is_empty() || !command.shows)?;
    Some(if command.password != Password::No { Ends::ForAnother } else { Ends::ForGood })
}

/// How a command ends a question for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Ends {
    /// It is about an account as well, and may ask a question of its own.
    ForAnother,
    /// It has nothing to do with passwords: the dialogue is over.
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
    "broken",
    "button",
    "by",
    "can",
    "can't",
    "cannot",
    "could",
    "details",
    "did",
    "didn't",
    "do",
    "does",
    "doesn't",
    "don't",
    "down",
    "error",
    "errors",
    "failed",
    "fails",
    "first",
    "flow",
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
    "issue",
    "issues",
    "it",
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
    "unknown",
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

/// What, alone on a line, is a newcomer's try to do something, and nothing to be said; and the command for it. What
/// people say to each other as well is not here, though a command is called so: `bye`, `brb`, `afk`, `back`, `clear`.
const ALONE: &[(&str, &str)] = &[
    ("?", "help"),
    ("h", "help"),
    ("-h", "help"),
    ("--help", "help"),
    ("help", "help"),
    ("help me", "help"),
    ("commands", "help"),
    ("quit", "quit"),
    ("exit", "quit"),
    ("q", "quit"),
    ("disconnect", "quit"),
    ("logout", "logout"),
    ("log out", "logout"),
    ("logoff", "logout"),
    ("log off", "logout"),
    ("signout", "logout"),
    ("sign out", "logout"),
    ("signin", "login"),
    ("sign in", "login"),
    ("log in", "login"),
    ("signup", "register"),
    ("sign up", "register"),
    ("nickserv", "login"),
    ("who", "who"),
    ("users", "who"),
    ("names", "who"),
    ("whoami", "whois"),
    ("rooms", "rooms"),
    ("list", "rooms"),
    ("part", "leave"),
    ("cls", "clear"),
];

/// The programs that keep names on IRC: what is for them is about an account, and has a password in it.
const SERVICES: &[&str] = &["nickserv", "ns", "authserv", "userserv"];

/// What they are told to do: without a slash, "nickserv is down" is said.
const ORDERS: &[&str] =
    &["auth", "drop", "ghost", "group", "id", "identify", "login", "recover", "regain", "register", "release", "set"];

/// Words by which one logs in elsewhere: on IRC, and, with a name behind it, in a MUD.
const AUTHENTICATE: &[&str] = &["auth", "authenticate", "logon", "signon"];
const CONNECT: &[(&str, &str)] = &[("connect", "login"), ("create", "register")];

/// The longest of [`ALONE`], in bytes.
const LONGEST_ALONE: usize = 10;

/// Whether a command is for services of IRC: `/ns identify PASSWORD`, or `/msg NickServ identify PASSWORD`.
pub(in crate::hub) fn is_for_services(word: &str, args: &str) -> bool {
    is_one_of(word, SERVICES) || (is_one_of(split_word(args).0, SERVICES) && is_msg(word))
}

fn is_msg(word: &str) -> bool {
    find(word).is_some_and(|command| command.name == "msg")
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// What stands before a command elsewhere: `.quit`, `:q`, `!help`, `\\quit`, `?help`; and the slash of a keyboard for
/// Chinese or Japanese.
const MARKS: &[char] = &['.', ':', '!', '\\', ',', ';', '?', '／'];

/// The commands that other programs have behind such a mark by one letter. Other letters are talk: `:p`, `.d`.
const BY_LETTER: &[&str] = &["q", "h"];

/// What people write behind a cry for help or a way out: `help!`, `quit.`, `exit()`.
const BEHIND: &[char] = &['!', '?', '.', ';', '(', ')'];

/// Ways to leave an editor, behind a colon.
const LEAVE: &[&str] = &["q", "q!", "wq", "wq!", "x", "qa"];

/// The command that a line seems to be, without its slash: a word that is alone, as `help`; a command behind the mark
/// of other programs, as `.who` or `:q`; words for one person or about a name, as `msg ann ...` or `nick bob`.
/// `is_here` tells who is connected, `role` who the author is: a guest who wants to log out wants to go.
pub(in crate::hub) fn bare(line: &str, role: Role, is_here: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix(MARKS).filter(|rest| !rest.is_empty()) {
        if line.starts_with(':') && LEAVE.contains(&rest) {
            return find("quit");
        }
        let (word, _) = split_word(rest);
        let is_long = word.len() > 1 || is_one_of(rest, BY_LETTER);
        let is_one = |command: &&Command| is_long && rest.starts_with(word) && command.role <= role;
        return find(word).filter(is_one);
    }
    let plain = line.trim_end_matches(BEHIND);
    if plain.len() < line.len() && is_one_of(plain, &["help", "quit", "exit"]) {
        return find(plain);
    }
    let (first, rest) = split_word(line);
    let is_word = |word: &str| first.eq_ignore_ascii_case(word);
    if rest.is_empty() || line.len() <= LONGEST_ALONE {
        let (_, name) = ALONE.iter().find(|(words, _)| words.eq_ignore_ascii_case(line)).unwrap_or(&("", ""));
        match find(name) {
            Some(command) if command.role > role => return find("quit"),
            Some(command) => return Some(command),
            None if rest.is_empty() => return None,
            None => {}
        }
    }
    let (second, more) = split_word(rest);
    let is_meant = |command: &&Command| match command.name {
        // "tell bob" can be said of him; what follows is for him.
        "msg" => is_here(second) && !(more.is_empty() && is_word("tell")),
        "nick" | "join" | "whois" => more.is_empty() && is_word(command.name),
        // Advice to others is said so as well. But it would be said of somebody who reads it.
        "ignore" | "unignore" | "seen" | "report" => more.is_empty() && is_word(command.name) && is_here(second),
        // Of operators alone: see below.
        "kick" | "ban" | "mute" | "shadowmute" => is_word(command.name) && is_here(second),
        _ => false,
    };
    // Every line that is said passes here, so this is quick.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    let command = if b"mwtpdqnjiusrkb".contains(&initial) { find(first).filter(is_meant) } else { None };
    command.filter(|command| command.role <= role)
}

/// The command with a password that a line seems to be, without its slash: `login ann sesame`, or with another
/// character for the slash, as `7login ann sesame` on a German keyboard. It rather takes too many lines for one than
/// too few; a word before the command makes a sentence of it. `is_name` tells registered names.
pub(in crate::hub) fn without_slash(line: &str, is_name: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let mut words = line.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace();
    let first = words.next()?.trim_end_matches(':');
    // Every line that is said passes here, so this is quick.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    if !b"acdilmnpqrstuw".contains(&initial) {
        return None;
    }
    let behind = words.clone().next().unwrap_or_default();
    let is_order = is_one_of(first, SERVICES) && is_one_of(behind, ORDERS);
    // IRC's clients send PASS by themselves, and nobody shouts it.
    let is_secret = first == "PASS" || (is_one_of(first, &["pass"]) && behind.contains(|c: char| c.is_ascii_digit()));
    let is_pass = is_secret && words.clone().count() == 1;
    if is_order || is_pass || (is_one_of(behind, SERVICES) && is_msg(first)) {
        return find("login");
    }
    let own = || find(first).filter(|command| matches!(command.password, Password::First | Password::Second));
    let elsewhere = || {
        let connect = CONNECT.iter().find(|(word, _)| is_one_of(first, &[word]) && words.clone().count() == 2);
        let is_login = !behind.is_empty() && is_one_of(first, AUTHENTICATE);
        connect.map(|(_, name)| *name).or_else(|| is_login.then_some("login")).and_then(find)
    };
    let command = if b"ilprs".contains(&initial) { own() } else { None }.or_else(elsewhere)?;
    let Some(second) = words.next() else { return Some(command) };
    // It may be a password, of which no copy is to be left.
    let plain = Zeroizing::new(second.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    if SENTENCE.contains(&plain.as_str()) {
        return None;
    }
    // IRC's services have "identify PASSWORD" and "register PASSWORD ADDRESS", and a password can have spaces.
    let is_meant = match (command.name, words.count()) {
        (_, ..=3) => true,
        ("login", _) => is_name(second),
        _ => false,
    };
    is_meant.then_some(command)
}

/// A line that begins no command and could be a login all the same: see [`suspects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) struct Suspects<'a> {
    /// What could be a command that is misspelt or cut short, or the name.
    first: &'a str,
    /// The name, if it comes behind that.
    name: Option<&'a str>,
    /// What could be the password.
    secret: &'a str,
    /// It is "log in" or the like that comes before the name.
    is_login: bool,
}

/// Whether a line could be a login of which not even the command is there as it should be: `lgoin ann sesame`, `log in
/// ann sesame`, `ann s3same12`, `reg s3same12`. Whether it is one depends on the name and on the password.
pub(in crate::hub) fn suspects(line: &str) -> Option<Suspects<'_>> {
    let mut words = line.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    let (name, secret, is_login) = match (words.next(), words.next(), words.next()) {
        (None, ..) => (None, second, false),
        (Some(third), None, _) => (Some(second), third, false),
        (Some(third), Some(fourth), None) if is_one_of(second, &["in", "on"]) && is_one_of(first, &["log", "sign"]) => {
            (Some(third), fourth, true)
        }
        _ => return None,
    };
    Some(Suspects { first, name, secret, is_login })
}

impl Suspects<'_> {
    /// `is_away` tells the registered names whose owners are not here: nobody talks to them. A password has at `least`
    /// so many bytes; one without digits is known only by what is before it.
    pub(in crate::hub) fn is_login(
        self,
        least: usize,
        is_registered: impl Fn(&str) -> bool,
        is_away: impl Fn(&str) -> bool,
    ) -> bool {
        // Every line of two or three words that is said passes here, so what takes time comes last.
        let has = |is: fn(char) -> bool| self.secret.chars().any(is);
        let looks_secret = self.secret.len() >= least && has(char::is_alphabetic) && has(char::is_numeric);
        let Some(name) = self.name else {
            return looks_secret && (is_beginning(self.first) || is_away(self.first));
        };
        let is_command = || self.is_login || is_misspelt(self.first);
        (looks_secret && is_away(name))
            || (could_be_misspelt(self.first)
                && is_registered(name)
                && is_command()
                && !is_one_of(self.secret, SENTENCE))
    }
}

/// Whether a word is the beginning of a command that takes a password, or short for one.
fn is_beginning(word: &str) -> bool {
    let takes = |command: &Command| matches!(command.password, Password::First | Password::Second);
    is_one_of(word, &["id", "pw"]) || (word.len() > 2 && beginning_with(word).any(takes))
}

/// Whether a word is much like a command that takes a name and a password: login, identify or signin.
fn is_misspelt(word: &str) -> bool {
    is_beginning(word) || could_be(word, |command| command.password == Password::Second)
}

/// Whether a word that is misspelt could be one of these: a slip is seldom in the first letter.
fn could_be_misspelt(word: &str) -> bool {
    word.len() < 12 && matches!(word.as_bytes().first().map(u8::to_ascii_lowercase), Some(b'l' | b'i' | b'r' | b's'))
}
