//! Typing slips: lines that hold a password, or are meant as a command, but lack the slash or are
//! misspelt.

use zeroize::Zeroizing;

use super::super::account::Role;
use super::super::message::Refusal;
use super::table::{Command, Password};
use super::{addressed, beginning_with, could_be, find, nearest, split_word};

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

/// The same, of what logins, registers and passwords have besides, and in other languages: "password reset", "Login geht
/// nicht".
const SENTENCE_AS_WELL: &[&str] = &[
    "anyone",
    "bei",
    "das",
    "der",
    "die",
    "ein",
    "eine",
    "es",
    "est",
    "et",
    "expired",
    "forgotten",
    "funciona",
    "funktioniert",
    "funziona",
    "für",
    "geht",
    "ging",
    "ist",
    "kaputt",
    "kein",
    "keine",
    "klappt",
    "link",
    "links",
    "manager",
    "managers",
    "marche",
    "mit",
    "ne",
    "nicht",
    "niet",
    "no",
    "non",
    "oder",
    "offline",
    "online",
    "oublié",
    "pas",
    "policy",
    "recovery",
    "required",
    "reset",
    "resets",
    "und",
    "vergessen",
    "war",
    "werkt",
    "ziehen",
    "zurücksetzen",
    "ändern",
];

/// Whether a word makes a sentence of the line which a command's name begins.
fn makes_sentence(word: &str) -> bool {
    is_one_of(word, SENTENCE) || is_one_of(word, SENTENCE_AS_WELL)
}

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
    ("channels", "rooms"),
    ("leave", "leave"),
    ("part", "leave"),
    ("history", "history"),
    ("unregister", "unregister"),
    ("whois", "whois"),
    ("motd", "motd"),
    ("cls", "clear"),
];

/// What is typed before such a word, where the hand slips or another program has it there: `@quit`, `+quit`. Not `#`,
/// before which people put any word, nor `*`, with which they act.
const BEFORE: &[char] = &['@', '+', '-', '_', '=', '>', '$', '%', '|', '~', '('];

/// The IRC services that keep names. A line to them is about an account and holds a password.
const SERVICES: &[&str] = &["nickserv", "ns", "authserv", "userserv"];

/// The commands of these services. A line without a slash needs one of them: "nickserv is down" is
/// said to people.
const ORDERS: &[&str] =
    &["auth", "drop", "ghost", "group", "id", "identify", "login", "recover", "regain", "register", "release", "set"];

/// Words by which people log in elsewhere: on IRC, and in a MUD, where a name follows.
const AUTHENTICATE: &[&str] = &["auth", "authenticate", "logon", "signon"];
const CONNECT: &[(&str, &str)] = &[("connect", "login"), ("create", "register")];

/// The longest text in [`ALONE`], in bytes, with a sign before it.
const LONGEST_ALONE: usize = 11;

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

/// What a keyboard gives in place of the slash where it is set to another country than the hand is: a German slash is
/// Shift-7, and that is `&` on an American keyboard. A command's whole name has to follow: "7pm" and "7h" are times.
const SEVENS: &[char] = &['7', '&'];

/// Short forms of `msg` elsewhere. They are meant only where somebody's name follows, and a text.
const SHORT: &[&str] = &["m", "w", "t", "q", "ms", "te", "wh", "tel", "pm", "dm"];

/// What `tell` becomes by a slip and no other word is: "well" and "sell" are words.
const TELL: &[&str] = &["tlel", "etll", "tlle", "telll", "ttell"];

/// The longest prompt that is looked for, in bytes.
const LONGEST_PROMPT: usize = 40;

/// What stands behind a prompt that was copied with the line: `/login ann` of `lobby> /login ann` or `$ /login ann`.
fn past_prompt(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let end = line.find(['>', '$', '%', '#']).filter(|end| *end <= LONGEST_PROMPT)?;
    let (prompt, rest) = (&line[..end], line[end + 1..].trim_start());
    let is_prompt = prompt.is_empty()
        || prompt.starts_with('[')
        || (prompt.starts_with(char::is_alphanumeric) && !prompt.contains(char::is_whitespace));
    // Without the slash, "C# login library" would be one, and so would a password with a sign in it.
    let is_sign = rest.starts_with('/') || line[end..].starts_with("> ") || line[end..].starts_with("$ ");
    (is_prompt && is_sign).then_some(rest)
}

/// The command of a line that was copied with the prompt before it, slash and all.
fn of_prompt(line: &str) -> Option<&'static Command> {
    let (word, _) = split_word(past_prompt(line)?.strip_prefix('/')?);
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_word { find(word).or_else(|| nearest(word, Role::Operator).and_then(find)) } else { None }
}

/// What is told to the author of a line that seems to be `command`.
pub(in crate::hub) fn refusal(command: &'static Command, line: &str) -> Refusal {
    if of_prompt(line).is_some() { Refusal::BehindPrompt(command) } else { Refusal::WithoutSlash(command) }
}

/// Whether a word is a slip of the hand for `msg` or another name of it: `mgs`, `whsiper`.
fn is_like_msg(word: &str) -> bool {
    if word.len() > 8 || !word.is_ascii() {
        return false;
    }
    // The word may be a password, so no copy of it may stay in memory.
    let word = Zeroizing::new(word.to_ascii_lowercase());
    let word = word.as_str();
    let differs = |from: &str| strsim::damerau_levenshtein(from, word);
    // "Mug" and "mag" are words.
    (word.len() > 1 && !word.contains(['a', 'e', 'i', 'o', 'u']) && word != "ms" && word != "mg" && differs("msg") < 2)
        || TELL.contains(&word)
        || differs("whisper") < 2
        || differs("privmsg") < 2
        || differs("query") == 1
        || differs("message") == 1
}

/// Whether a word is what a sanction or a report is called, such as `b3`.
fn is_id(word: &str) -> bool {
    word.len() > 1
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// Who a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) struct Author {
    pub(in crate::hub) role: Role,
    /// Whether a private message has come just before the line.
    pub(in crate::hub) written_to: bool,
}

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
/// command behind the sign of another program, such as `.who` or `:q`, or behind a prompt, a line of IRC's protocol, or
/// words for one person or about a name, such as `msg ann ...` or `nick bob`. `is_here` tells
/// whether a person of that name is connected. A guest has no account to log out of, so `logout` by
/// a guest means `quit`.
pub(in crate::hub) fn bare(line: &str, by: Author, is_here: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let line = line.trim();
    let is_here = |word: &str| is_here(addressed(word));
    // A name that somebody has here, and a text behind it.
    let is_for_one = |text: &str| {
        let (name, more) = split_word(text);
        !more.is_empty() && is_here(name)
    };
    if let Some(command) = of_prompt(line) {
        return Some(command);
    }
    if let Some(rest) = line.strip_prefix(MARKS).or_else(|| line.strip_prefix(SEVENS)).filter(|rest| !rest.is_empty()) {
        if line.starts_with(':') && LEAVE.contains(&rest) {
            return find("quit");
        }
        let (word, args) = split_word(rest);
        let is_face = line.starts_with([':', ';']) && FACES.contains(&word);
        let is_time = line.starts_with(SEVENS) && is_one_of(word, &["pm"]);
        if is_one_of(word, SHORT) && !is_face && !is_time && is_for_one(args) {
            return find("msg");
        }
        let least = if line.starts_with(SEVENS) { 3 } else { 2 };
        let is_long = word.len() >= least || (least == 2 && is_one_of(rest, BY_LETTER));
        let is_one = |command: &&Command| is_long && rest.starts_with(word) && command.role <= by.role;
        return find(word).filter(is_one);
    }
    let plain = line.trim_end_matches(BEHIND);
    if plain.len() < line.len() && is_one_of(plain, &["help", "quit", "exit"]) {
        return find(plain);
    }
    let signed = line.strip_prefix(BEFORE).filter(|rest| rest.starts_with(char::is_alphabetic));
    // ">ann the key is under the mat"
    if line.starts_with(['>', '=']) && signed.is_some_and(is_for_one) {
        return find("msg");
    }
    let unsigned = signed.unwrap_or(line);
    let (first, rest) = split_word(unsigned);
    let is_word = |word: &str| first.eq_ignore_ascii_case(word);
    if rest.is_empty() || line.len() <= LONGEST_ALONE {
        let is_so =
            |words: &str| words.eq_ignore_ascii_case(line) || (words.len() > 2 && words.eq_ignore_ascii_case(unsigned));
        let (_, name) = ALONE.iter().find(|(words, _)| is_so(words)).unwrap_or(&("", ""));
        match find(name) {
            Some(command) if command.role > by.role && command.name == "logout" => return find("quit"),
            Some(command) => return Some(command),
            None if rest.is_empty() => return None,
            None => {}
        }
    }
    if let Some(command) = of_irc(first, rest) {
        // Who may not use the command is told of the commands that they have.
        return if command.role <= by.role { Some(command) } else { find("help") };
    }
    let (second, more) = split_word(rest);
    if by.written_to && is_one_of(first, &["reply", "r", "re"]) && !is_one_of(second, &["u", "you"]) {
        return find("reply");
    }
    if (is_word("q") || is_word("t") || is_like_msg(first)) && is_for_one(rest) {
        return find("msg");
    }
    let is_meant = |command: &&Command| match command.name {
        // "tell bob" alone can be said about Bob; with more words behind it, it is meant for him. In MUSHes it is
        // "page bob=text".
        "msg" => {
            let (name, text) = second.split_once('=').unwrap_or((second, more));
            is_here(name) && !(text.is_empty() && is_one_of(first, &["tell", "page", "message"]))
        }
        "nick" | "join" | "whois" => more.is_empty() && is_word(command.name),
        "help" => more.is_empty() && is_word("help") && find(second).is_some_and(|it| is_one_of(second, &[it.name])),
        "who" => more.is_empty() && ((is_word("who") && is_here(second)) || second.ends_with('*')),
        "rooms" => more.is_empty() && second.ends_with('*'),
        "history" => more.is_empty() && !is_word("last") && second.bytes().all(|byte| byte.is_ascii_digit()),
        "color" | "bell" => more.is_empty() && is_word(command.name) && is_one_of(second, &["on", "off"]),
        "mode" => more.is_empty() && is_one_of(second, &["char", "line"]),
        // Advice to others is said so as well. But it would be said of somebody who reads it.
        "ignore" | "unignore" => more.is_empty() && is_word(command.name) && is_here(second),
        "seen" => more.is_empty() && is_here(second),
        "report" => is_word(command.name) && is_here(second),
        // Of operators alone: see below.
        "kick" | "ban" | "mute" | "shadowmute" | "unmute" | "strikes" => is_word(command.name) && is_here(second),
        "unban" | "lift" | "close" => is_word(command.name) && is_id(second),
        _ => false,
    };
    // Every line that people say passes here, so one byte rules most of them out.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    let command = if b"mwtpdqnjiusrkbhlc".contains(&initial) { find(first).filter(is_meant) } else { None };
    command.filter(|command| command.role <= by.role)
}

/// The command with a password that a line without a slash seems to be: `login ann sesame`, or with
/// another character in place of the slash, as in `7login ann sesame` on a German keyboard. In
/// doubt it takes a line for a command, because a password said aloud is worse; a word before the
/// command makes a sentence of it. `is_name` tells whether a name is registered.
pub(in crate::hub) fn without_slash(line: &str, is_name: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let line = past_prompt(line).unwrap_or(line).trim_start_matches(|c: char| !c.is_alphabetic());
    // "login:ann sesame"
    let end = line.find(|c: char| c.is_whitespace() || matches!(c, ':' | '=')).unwrap_or(line.len());
    let (first, rest) = line.split_at(end);
    let behind = rest.trim_start_matches([':', '=']);
    if behind.len() < rest.len() && FACES.contains(&behind) {
        return None;
    }
    let mut words = behind.split_whitespace();
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
        // "connect four anyone"
        let connect = connect.filter(|_| is_name(behind) || words.clone().any(looks_secret));
        let is_login = !behind.is_empty() && is_one_of(first, AUTHENTICATE);
        connect.map(|(_, name)| *name).or_else(|| is_login.then_some("login")).and_then(find)
    };
    let command = if b"ilprs".contains(&initial) { own() } else { None }.or_else(elsewhere)?;
    let Some(second) = words.next() else { return Some(command) };
    // The word may be a password, so no copy of it may stay in memory.
    let plain = Zeroizing::new(second.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    if makes_sentence(&plain) {
        // "login as ann sesame"
        let (name, secret, end) = (words.next(), words.next(), words.next());
        let (Some(name), Some(secret), None) = (name, secret, end) else { return None };
        let is_so = is_one_of(&plain, &["as", "with", "using", "to"]) && !makes_sentence(secret);
        return (is_so && (is_name(name) || looks_secret(secret))).then_some(command);
    }
    // "password recommendations?"
    let is_question = line.ends_with('?') && !is_name(second);
    if is_question && !looks_secret(second) && !words.clone().any(looks_secret) {
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
    word.chars().count() >= 5 && !word.ends_with('?') && !is_one_of(word, NO_SECRET) && !makes_sentence(word)
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
    let line = past_prompt(line).unwrap_or(line);
    let mut words = line.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    let is_login = is_one_of(first, &["log", "sign"]) && is_one_of(second, &["in", "on"]);
    let mut rest = words.clone().peekable();
    if is_login {
        rest.next_if(|word| is_one_of(word, &["as", "with"]));
    }
    let (name, secret) = match (is_login, rest.next(), rest.next(), rest.next()) {
        (false, None, ..) => (None, second),
        (true, Some(secret), None, _) => (None, secret),
        (false, Some(third), None, _) => (Some(second), third),
        (true, Some(name), Some(secret), None) => (Some(name), secret),
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
        let is_secret = self.secret.len() >= least && has(char::is_alphabetic) && has(char::is_numeric);
        let Some(name) = self.name else {
            let tells = || self.is_login || is_beginning(self.first) || is_slip(self.first) || is_away(self.first);
            return is_secret && tells();
        };
        let is_command = || self.is_login || is_misspelt(self.first);
        // The name may be that of somebody else, or misspelt as well.
        let is_slip = || (self.is_login || is_slip(self.first)) && looks_secret(self.secret) && !makes_sentence(name);
        (is_secret && is_away(name))
            || (could_be_misspelt(self.first)
                && (is_slip() || (is_registered(name) && is_command() && !makes_sentence(self.secret))))
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

/// Whether a word is a slip of the hand for a command that takes a password, and begins none.
fn is_slip(word: &str) -> bool {
    let takes = |command: &Command| matches!(command.password, Password::First | Password::Second);
    could_be_misspelt(word) && find(word).is_none() && beginning_with(word).next().is_none() && could_be(word, takes)
}

/// Whether a word that is misspelt could be one of these: a slip is seldom in the first letter.
fn could_be_misspelt(word: &str) -> bool {
    word.len() < 12
        && matches!(word.as_bytes().first().map(u8::to_ascii_lowercase), Some(b'l' | b'i' | b'r' | b's' | b'p'))
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
        let by = Author { role: Role::Member, written_to: false };
        let bare = |line: &str| bare(line, by, |_| false).map(|command| command.name);
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

    /// What the line of a member is taken for where Ann and Eve are here, Zoe's name is registered, and a private message
    /// has come if `written_to`.
    fn taken_for(line: &str, written_to: bool) -> Option<&'static str> {
        let is_name = |word: &str| word == "zoe";
        let by = Author { role: Role::Member, written_to };
        let login = || suspects(line).filter(|it| it.is_login(SHORTEST, is_name, is_name)).and(find("login"));
        without_slash(line, is_name)
            .or_else(login)
            .or_else(|| bare(line, by, |word| matches!(word, "ann" | "eve")))
            .map(|command| command.name)
    }

    #[test]
    fn a_password_is_kept_back_however_the_login_is_mistyped() {
        for line in [
            "login as bob hunter2xyz",
            "login as zoe sesame",
            "login:bob hunter2xyz",
            "login: bob hunter2xyz",
            "login:$bob hunter2xyz",
            "lobby> /login bob hunter2xyz",
            "lobby> login bob hunter2xyz",
            "> /login bob hunter2xyz",
            "$ /login bob hunter2xyz",
            "ann@host:~$ /logn bob hunter2xyz",
            "[ann@host ~]# /login bob hunter2xyz",
            "log in ann hunter2",
            "sign in ann hunter2",
            "sign in as ann hunter2",
            "log in hunter2xyz",
            "ligin ann hunter2",
            "logn ann hunter2",
            "connect bob hunter2xyz",
            "connect zoe sesame",
            "7login ann sesame",
        ] {
            assert_eq!(taken_for(line, false), Some("login"), "{line}");
            assert!(holds_password(line), "{line}");
        }
        for line in ["regsiter hunter2xyz", "passwrod hunter2xyz", "ligin hunter2xyz", "register hunter2xyz"] {
            assert!(taken_for(line, false).is_some(), "{line}");
            assert!(holds_password(line), "{line}");
        }
    }

    #[test]
    fn what_people_say_of_logins_and_passwords_is_no_command() {
        for line in [
            "connect four anyone",
            "register online",
            "Register ziehen",
            "Login geht nicht",
            "Login vergessen",
            "password reset does not work",
            "password manager recommendations?",
            "password recommendations?",
            "login as root",
            "login to server works",
            "login:)",
            "login:D",
            "log in to server01",
            "sign in at 10:30am",
            "sign in please everybody",
            "C# login library",
            "region eu-west1 server01",
            "passed zoe yesterday",
        ] {
            assert_eq!(taken_for(line, false), None, "{line}");
        }
    }

    #[test]
    fn words_for_one_person_are_said_to_nobody_else() {
        for line in [
            "7msg ann hunter2",
            "&msg ann hunter2",
            "-msg ann hunter2",
            ":msg ann hunter2",
            "!msg ann hunter2",
            ".t ann the key is under the mat",
            ":w ann psst",
            "7w ann psst",
            "t ann psst",
            "q ann psst",
            "page ann=psst",
            "page ann psst",
            "msg @ann psst",
            "mgs ann the key",
            "mssg ann psst",
            "whsiper ann psst",
            "tlel ann psst",
            "message ann psst",
            ">ann psst",
            "=ann psst",
            "lobby> /msg ann psst",
        ] {
            assert_eq!(taken_for(line, false), Some("msg"), "{line}");
        }
        for line in ["reply my secret", "r my secret", "re my secret"] {
            assert_eq!(taken_for(line, true), Some("reply"), "{line}");
            assert_eq!(taken_for(line, false), None, "{line}");
        }
        for line in [
            ":P ann, no",
            ":D ann really",
            "7pm ann said",
            "7h of sleep",
            "well ann that is it",
            "mug ann gave me",
            "page ann",
            "> ann said so",
            ">nobody psst",
            "7up please",
        ] {
            assert_eq!(taken_for(line, false), None, "{line}");
        }
        assert_eq!(taken_for("r u there", true), None);
    }

    #[test]
    fn a_command_is_told_from_talk_by_whether_anybody_would_say_it() {
        for (line, meant) in [
            ("who", "who"),
            ("list", "rooms"),
            ("users", "who"),
            ("join tea", "join"),
            ("nick bob", "nick"),
            ("help who", "help"),
            ("who eve", "who"),
            ("who *", "who"),
            ("list a*", "rooms"),
            ("leave", "leave"),
            ("report eve is a spammer", "report"),
            ("unregister", "unregister"),
            ("history 20", "history"),
            ("@quit", "quit"),
            ("+quit", "quit"),
            ("-help", "help"),
            ("7who", "who"),
            ("color off", "color"),
            ("whowas eve", "seen"),
            ("lobby> /who", "who"),
        ] {
            assert_eq!(taken_for(line, false), Some(meant), "{line}");
        }
        for line in [
            "away lunch",
            "kick eve spam",
            "ban eve",
            "who cares",
            "who eve?",
            "help wanted",
            "leave it",
            "history is long",
            "report it",
            "last 20 minutes",
            "@eve hi",
            "-> /join tea is how",
            "#who",
        ] {
            assert_eq!(taken_for(line, false), None, "{line}");
        }
        let operator = Author { role: Role::Operator, written_to: false };
        for line in ["kick eve spam", "unmute eve", "lift b3", "close r12 done"] {
            assert!(bare(line, operator, |word| word == "eve").is_some(), "{line}");
        }
    }
}
