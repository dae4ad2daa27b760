//! What must not be said by mistake: passwords behind a command, a misspelt one, or one that lacks its slash.

use zeroize::Zeroizing;

use super::table::{Command, Password};
use super::{could_be, find, split_word};

/// Whether a line is a command with a password in it, also if the command is misspelt or lacks its slash. Such a line
/// cannot be recalled in the editor.
#[must_use]
pub fn holds_password(line: &str) -> bool {
    let (word, args) = match line.trim_start().strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => split_word(rest),
        _ => return without_slash(line, |_| true).is_some(),
    };
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

/// Words that, alone on a line, are a newcomer's try to do something, and nothing to be said.
const ALONE: &[&str] =
    &["?", "help", "commands", "quit", "exit", "q", "logout", "logoff", "who", "users", "names", "rooms", "list"];

/// What stands before a command elsewhere: `.quit`, `:q`, `!help`, `\\quit`.
const MARKS: &[char] = &['.', ':', '!', '\\', ',', ';'];

/// Ways to leave an editor, behind a colon.
const LEAVE: &[&str] = &["q", "q!", "wq", "wq!", "x", "qa"];

/// The command that a line seems to be, without its slash: a word that is alone, as `help`; a command behind the mark
/// of other programs, as `.who` or `:q`; words for one person or about a name, as `msg ann ...` or `nick bob`.
/// `is_here` tells who is connected.
pub(in crate::hub) fn bare(line: &str, is_here: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix(MARKS) {
        if line.starts_with(':') && LEAVE.contains(&rest) {
            return find("quit");
        }
        let (word, _) = split_word(rest);
        // ".d" and "!a" are no commands of anything.
        return find(word).filter(|_| word.len() > 1 && rest.starts_with(word));
    }
    let (first, rest) = split_word(line);
    let is_word = |word: &str| first.eq_ignore_ascii_case(word);
    if rest.is_empty() {
        return ALONE.iter().any(|word| is_word(word)).then(|| find(first))?;
    }
    let (second, more) = split_word(rest);
    let is_meant = |command: &&Command| match command.name {
        // "tell bob" can be said of him; what follows is for him.
        "msg" => is_here(second) && !(more.is_empty() && is_word("tell")),
        "nick" | "join" | "whois" => more.is_empty() && is_word(command.name),
        _ => false,
    };
    // Every line that is said passes here, so this is quick.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    if b"mwtpdqnj".contains(&initial) { find(first).filter(is_meant) } else { None }
}

/// The command with a password that a line seems to be, without its slash: `login ann sesame`, or with another
/// character for the slash, as `7login ann sesame` on a German keyboard. It rather takes too many lines for one than
/// too few; a word before the command makes a sentence of it. `is_name` tells registered names.
pub(in crate::hub) fn without_slash(line: &str, is_name: impl Fn(&str) -> bool) -> Option<&'static Command> {
    let mut words = line.trim_start_matches(|c: char| !c.is_alphabetic()).split_whitespace();
    let first = words.next()?.trim_end_matches(':');
    // Every line that is said passes here, so this is quick.
    let initial = first.bytes().next()?.to_ascii_lowercase();
    if !b"ilpr".contains(&initial) {
        return None;
    }
    let command = find(first).filter(|command| matches!(command.password, Password::First | Password::Second))?;
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
