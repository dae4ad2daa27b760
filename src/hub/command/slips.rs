//! Typing slips: lines that hold a password, or are meant as a command, but lack the slash or are
//! misspelt.

use zeroize::Zeroizing;

use super::super::account::Role;
use super::table::{Command, Password};
use super::{beginning_with, could_be, find, split_word};

/// A password that nothing before it tells of has so many bytes at least.
const SHORTEST: usize = 8;

/// Whether a line is a command with a password in it, even if it is misspelt or lacks its slash.
/// The line editor does not keep such a line for recall.
#[must_use]
pub fn holds_password(line: &str) -> bool {
    let (word, args) = match line.trim_start().strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => split_word(rest),
        _ => {
            let suspects = || suspects(line).is_some_and(|line| line.is_login(SHORTEST, |_| true, |_| true));
            return without_slash(line, |_| true).is_some() || suspects() || tells_password(line);
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

/// Whether a line ends a question for a password instead of answering it, and how. Only a command
/// ends it that shows nobody its arguments: they could have been the password.
pub(in crate::hub) fn ends_question(line: &str) -> Option<Ends> {
    let (word, args) = line.trim_start().strip_prefix('/').map(split_word)?;
    let command = find(word).filter(|command| args.is_empty() || !command.shows)?;
    Some(if command.password != Password::No { Ends::ForAnother } else { Ends::ForGood })
}

/// How a command ends a question for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Ends {
    /// The command is about an account as well, and may ask a question of its own.
    ForAnother,
    /// The command has nothing to do with passwords: the dialogue is over.
    ForGood,
}

/// Words that make a sentence of a line which begins with a command's name, as in "login is
/// broken".
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

/// Lines that consist of these words alone are a newcomer's attempt at a command, not something to
/// be said; and that command. Words that people also say to each other are missing although
/// commands are called so: `bye`, `brb`, `afk`, `back`, `clear`.
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

/// The IRC services that keep names. A line to them is about an account and holds a password.
const SERVICES: &[&str] = &["nickserv", "ns", "authserv", "userserv"];

/// The commands of these services. A line without a slash needs one of them: "nickserv is down" is
/// said to people.
const ORDERS: &[&str] =
    &["auth", "drop", "ghost", "group", "id", "identify", "login", "recover", "regain", "register", "release", "set"];

/// Words by which people log in elsewhere: on IRC, and in a MUD, where a name follows.
const AUTHENTICATE: &[&str] = &["auth", "authenticate", "logon", "signon"];
const CONNECT: &[(&str, &str)] = &[("connect", "login"), ("create", "register")];

/// The longest text in [`ALONE`], in bytes.
const LONGEST_ALONE: usize = 10;

/// Whether a command is meant for an IRC service: `/ns identify PASSWORD`, or `/msg NickServ
/// identify PASSWORD`.
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

/// The words behind a colon that leave the editor vi.
const LEAVE: &[&str] = &["q", "q!", "wq", "wq!", "x", "qa"];

/// The commands of IRC that programs and people send to a server as they are, and what does here what they mean.
const IRC: &[(&str, &str)] = &[
    ("PRIVMSG", "msg"),
    ("NOTICE", "msg"),
    ("JOIN", "join"),
    ("PART", "leave"),
    ("NICK", "nick"),
    ("QUIT", "quit"),
    ("AWAY", "away"),
    ("TOPIC", "topic"),
    ("MODE", "room"),
    ("WHO", "who"),
    ("NAMES", "who"),
    ("LIST", "rooms"),
    ("WHOIS", "whois"),
    ("USERHOST", "whois"),
    ("WHOWAS", "seen"),
    ("ISON", "seen"),
    ("INVITE", "invite"),
    ("KICK", "expel"),
    ("PING", "ping"),
    ("PONG", "ping"),
    ("OPER", "login"),
];

/// What follows a colon in the shortest pictures of a face.
const FACES: &[&str] = &["D", "P", "p", "O", "o", "S", "s", "3", ")", "(", "/", "|", "*"];

/// The command for what a line means in IRC's protocol, such as `PRIVMSG #lobby :hi` or `PING :x`: its words are all
/// capitals, and what follows is a channel, or text behind a colon, as people do not write it.
fn of_irc(first: &str, rest: &str) -> Option<&'static Command> {
    let (second, more) = split_word(rest);
    let is_channel =
        |word: &str| word.strip_prefix(['#', '&']).is_some_and(|name| name.starts_with(char::is_alphabetic));
    let is_text = |word: &str| word.strip_prefix(':').is_some_and(|text| !text.is_empty() && !FACES.contains(&text));
    if !first.bytes().all(|byte| byte.is_ascii_uppercase()) {
        // As somebody types it who knows the protocol.
        let is_typed = is_one_of(first, &["privmsg"]) && !more.is_empty();
        let is_bare = is_one_of(first, &["join", "part", "names"]) && is_channel(second) && more.is_empty();
        return find(first).filter(|_| is_typed || is_bare);
    }
    let (_, name) = IRC.iter().find(|(word, _)| *word == first)?;
    let is_token = |word: &str| word.contains('.') || word.bytes().all(|byte| byte.is_ascii_digit());
    let is_meant = is_channel(second)
        || is_text(second)
        || match first {
            "PRIVMSG" | "USERHOST" | "ISON" => !second.is_empty(),
            "NOTICE" | "KICK" => more.starts_with(':'),
            "INVITE" => is_channel(more),
            "MODE" => more.starts_with(['+', '-']),
            "PING" | "PONG" => more.is_empty() && !second.is_empty() && is_token(second),
            "OPER" => !more.is_empty() && !more.contains(' '),
            _ => false,
        };
    find(name).filter(|_| is_meant)
}

/// The command that a line without a slash seems to be. It is one of the words in [`ALONE`], a
/// command behind the sign of another program, such as `.who` or `:q`, a line of IRC's protocol, or
/// words for one person or about a name, such as `msg ann ...` or `nick bob`. `role` is the author's; `is_here` tells
/// whether a person of that name is connected. A guest has no account to log out of, so `logout` by
/// a guest means `quit`.
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
    if let Some(command) = of_irc(first, rest) {
        // Who may not use the command is told of the commands that they have.
        return if command.role <= role { Some(command) } else { find("help") };
    }
    let (second, more) = split_word(rest);
    let is_meant = |command: &&Command| match command.name {
        // "tell bob" alone can be said about Bob; with more words behind it, it is meant for him.
        "msg" => is_here(second) && !(more.is_empty() && is_word("tell")),
        "nick" | "join" | "whois" => more.is_empty() && is_word(command.name),
        // Advice to others is said so as well. But it would be said of somebody who reads it.
        "ignore" | "unignore" | "seen" | "report" => more.is_empty() && is_word(command.name) && is_here(second),
        // Of operators alone: see below.
        "kick" | "ban" | "mute" | "shadowmute" => is_word(command.name) && is_here(second),
        _ => false,
    };
    // Every line that people say passes here, so one byte rules most of them out.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    let command = if b"mwtpdqnjiusrkb".contains(&initial) { find(first).filter(is_meant) } else { None };
    command.filter(|command| command.role <= role)
}

/// The command with a password that a line without a slash seems to be: `login ann sesame`, or with
/// another character in place of the slash, as in `7login ann sesame` on a German keyboard. In
/// doubt it takes a line for a command, because a password said aloud is worse; a word before the
/// command makes a sentence of it. `is_name` tells whether a name is registered.
pub(in crate::hub) fn without_slash(line: &str, is_name: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let mut words = line.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace();
    let first = words.next()?.trim_end_matches(':');
    // Every line that people say passes here, so one byte rules most of them out.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    if !b"acdilmnpqrstuw".contains(&initial) {
        return None;
    }
    let behind = words.clone().next().unwrap_or_default();
    let is_order = is_one_of(first, SERVICES) && is_one_of(behind, ORDERS);
    // IRC clients send PASS by themselves, and nobody shouts that word.
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
    // The word may be a password, so no copy of it may stay in memory.
    let plain = Zeroizing::new(second.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    if SENTENCE.contains(&plain.as_str()) {
        return None;
    }
    // IRC services have "identify PASSWORD" and "register PASSWORD ADDRESS", and a password can
    // have spaces.
    let is_meant = match (command.name, words.count()) {
        (_, ..=3) => true,
        ("login", _) => is_name(second),
        _ => false,
    };
    is_meant.then_some(command)
}

/// What a password is called.
const CALLED: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "pw",
    "passwort",
    "kennwort",
    "contraseña",
    "senha",
    "wachtwoord",
    "lösenord",
    "adgangskode",
    "passord",
    "salasana",
    "hasło",
    "heslo",
    "пароль",
];

/// What a password is called, and much else besides: a link has to follow.
const CALLED_SO_AS_WELL: &[&str] = &["pass", "passe", "clave", "parola"];

/// What stands between such a word and a password.
const LINKS: &[&str] = &["is", "was", "=", ":", "->", "ist", "est", "es", "é", "è", "är", "er", "je", "это"];

/// What stands before such a word where the line is about nothing else.
const OWN: &[&str] = &["my", "the", "mein", "mon", "mi", "meu", "мой"];

/// Words that tell no password, although nothing but them stands behind the colon: `password: required`.
const NO_SECRET: &[&str] = &[
    "required",
    "needed",
    "optional",
    "missing",
    "invalid",
    "incorrect",
    "correct",
    "changed",
    "expired",
    "forgotten",
    "nothing",
    "secret",
    "hidden",
    "default",
    "accepted",
    "rejected",
    "refused",
    "denied",
];

/// Whether a line names a password, and has what looks like one: `my password is hunter22`, `password: sesame`, `pw
/// hunter2`. A password has letters and digits or signs in it, or stands alone behind the word and a colon: "my password
/// is wrong" and "the password is on the wiki" tell none.
#[must_use]
pub(in crate::hub) fn tells_password(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let mut is_all = true;
    while let Some(word) = words.next() {
        // `password:hunter22`, `pw=hunter22`
        let (word, glued) = word.split_at(word.find([':', '=']).unwrap_or(word.len()));
        let is_called = is_called(word, CALLED);
        if !is_called && !self::is_called(word, CALLED_SO_AS_WELL) {
            is_all &= is_one_of(word, OWN);
            continue;
        }
        let mut rest = words.clone().peekable();
        let link = if glued.is_empty() { rest.next_if(|next| is_one_of(next, LINKS)) } else { Some(&glued[..1]) };
        if link.is_none() && !is_called {
            is_all = false;
            continue;
        }
        let glued = glued.trim_start_matches([':', '=']);
        let Some(secret) = Some(glued).filter(|glued| !glued.is_empty()).or_else(|| rest.next()) else { return false };
        let is_last = rest.peek().is_none();
        let is_alone = is_all && is_last && matches!(link, Some(":" | "="));
        if looks_secret(secret) || (link.is_some() && is_last && is_number(secret)) || (is_alone && is_plain(secret)) {
            return true;
        }
        // "the password of the wiki is hunter22"
        let mut before = secret;
        for word in rest {
            if is_one_of(before, LINKS) && looks_secret(word) {
                return true;
            }
            before = word;
        }
        return false;
    }
    false
}

/// Whether a word, without the punctuation around it, is one of these.
fn is_called(word: &str, called: &[&str]) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    if word.is_ascii() {
        return is_one_of(word, called);
    }
    // The word may be a password, so no copy of it may stay in memory.
    let is_same = |one: &&str| one.len() == word.len() && *Zeroizing::new(word.to_lowercase()) == **one;
    called.iter().any(is_same)
}

/// Whether a word has letters, and digits or signs between them, as passwords do and words do not.
fn looks_secret(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let has = |is: fn(char) -> bool| word.chars().any(is);
    let is_sign = |c: char| matches!(c, '!' | '@' | '#' | '$' | '%' | '^' | '&' | '*' | '+' | '=' | '~' | '?');
    word.chars().count() >= 6
        && has(char::is_alphabetic)
        && (has(char::is_numeric) || has(is_sign))
        // An address of a page or of a person.
        && !word.contains("://")
        && !(word.contains('@') && word.contains('.'))
}

/// Whether a word is a number of four digits or more.
fn is_number(word: &str) -> bool {
    word.len() >= 4 && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word could be a password and is none of those that people say of one.
fn is_plain(word: &str) -> bool {
    word.chars().count() >= 5 && !word.ends_with('?') && !is_one_of(word, NO_SECRET) && !is_one_of(word, SENTENCE)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_a_password_and_has_one_is_told_from_talk_about_passwords() {
        for line in [
            "my password is hunter22",
            "My Password: hunter22.",
            "password: hunter2",
            "password:hunter2",
            "password = sesame",
            "my password: sesame",
            "pw hunter22",
            "pw=hunter22",
            "the pwd is hunter22, keep it",
            "the password of the wiki is s3same12",
            "my password is 123456",
            "login ann, password p@ssword",
            "my pass is hunter22",
            "mein Passwort ist hunter22",
            "мой пароль: hunter22",
            "ПАРОЛЬ hunter22",
        ] {
            assert!(tells_password(line), "{line}");
            assert!(holds_password(line), "{line}");
        }
        for line in [
            "my password is wrong",
            "my password is wrong again!",
            "the password is on the wiki",
            "the password is in https://wiki.example.org/pass123",
            "the password is at ann@example.org",
            "password: required",
            "password: see the wiki",
            "password reset does not work in 2026",
            "password?",
            "forgot my password",
            "passwords are hashed with argon2id",
            "the password has 12 characters",
            "is your password longer than password1?",
            "pass me the salt, agent007",
            "I will pass",
            "pw",
        ] {
            assert!(!tells_password(line), "{line}");
        }
    }

    #[test]
    fn a_line_of_irc_s_protocol_is_told_from_talk() {
        let bare = |line: &str| bare(line, Role::Member, |_| false).map(|command| command.name);
        for (line, meant) in [
            ("PRIVMSG #lobby :hi", "msg"),
            ("PRIVMSG bob :hi", "msg"),
            ("privmsg bob hi", "msg"),
            ("NOTICE bob :hi", "msg"),
            ("JOIN #x", "join"),
            ("JOIN #x,#y key", "join"),
            ("part #x", "leave"),
            ("PART #x :bye", "leave"),
            ("NICK bob", "nick"),
            ("NICK :bob", "nick"),
            ("QUIT :bye", "quit"),
            ("AWAY :food", "away"),
            ("TOPIC #x :hi", "topic"),
            ("MODE #x +o bob", "room"),
            ("MODE bob +i", "room"),
            ("WHO #x", "who"),
            ("INVITE bob #x", "invite"),
            ("KICK #x bob :out", "expel"),
            ("PING :x", "ping"),
            ("PING irc.example.org", "ping"),
            ("PONG 1234567", "ping"),
            ("OPER ann sesame", "login"),
        ] {
            assert_eq!(bare(line), Some(meant), "{line}");
        }
        for line in [
            "PING",
            "PING me",
            "PING :D",
            "ping :x",
            "part #2",
            "PART of it",
            "TOPIC of the day",
            "LIST it",
            "WHO is it",
            "NOTICE the sign",
            "MODE of life",
            "KICK off",
            "AWAY with it",
            "JOIN us now",
        ] {
            assert_eq!(bare(line), None, "{line}");
        }
    }
}
