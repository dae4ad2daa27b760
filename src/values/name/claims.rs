//! Names that nobody gets: those that others would believe or address, and those that could be read as something else.
//!
//! Asked when somebody takes a name, or an account or a room is made, and never when a name is recalled: one that was
//! taken before stays what it is.

use core::fmt;
use std::sync::LazyLock;

use super::likeness::{folded_skeleton, skeleton};
use super::{Name, fold};
use crate::values::time::{self, NoLength};

/// Names of those who speak with authority. Nobody can take one, nor one that differs from it in punctuation or in
/// digits at its ends.
const OF_AUTHORITY: &[&str] = &[
    "admin",
    "administrator",
    "chathub",
    "hub",
    "mod",
    "moderator",
    "notice",
    "op",
    "operator",
    "root",
    "server",
    "sysadmin",
    "sysop",
    "system",
];

/// Words that address somebody, or nobody in particular. Nobody can take one, nor one that differs from it in
/// punctuation at its ends.
const OF_ADDRESS: &[&str] = &["all", "everyone", "guest", "here", "me", "nobody", "you"];

/// How guests' names begin. Nobody can take a name that begins so and goes on with something that is no letter.
const GUEST: &str = "guest";

/// From this many characters on, a word of authority is recognised with punctuation within it as well, as `ad.min`;
/// nobody would believe `m-od` or `o-p`.
const TAKEN_APART: usize = 5;

/// The keys of a text: two texts that look alike share at least one of them.
struct Keys {
    skeleton: String,
    sight: String,
}

impl Keys {
    fn of(text: &str) -> Self {
        Self { skeleton: folded_skeleton(&fold(text)), sight: skeleton(text) }
    }
}

/// The keys of words, in small letters, with a capital first, and in capitals.
struct Words {
    skeletons: Vec<String>,
    sights: Vec<String>,
}

impl Words {
    fn of<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Self {
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        Self {
            skeletons: words.clone().map(folded_skeleton).collect(),
            sights: words
                .flat_map(|word| [skeleton(word), skeleton(&capital(word)), skeleton(&word.to_uppercase())])
                .collect(),
        }
    }

    fn hold(&self, text: &str) -> bool {
        let keys = Keys::of(text);
        self.skeletons.contains(&keys.skeleton) || self.sights.contains(&keys.sight)
    }
}

/// Without the punctuation at its ends.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Whether a name, or what it looks like, belongs to the hub: a word such as `admin`, `you` or `notice`, the name of
/// the lobby, which is in prompts, or what starts as a guest's name does; also with punctuation around it, and
/// with digits around a word of authority. A guest's own name is reserved too: the hub gives it without asking here.
#[must_use]
pub fn is_reserved(name: &Name, lobby: &Name) -> bool {
    static OF_AUTHORITY_OR_ADDRESS: LazyLock<Words> =
        LazyLock::new(|| Words::of(OF_AUTHORITY.iter().chain(OF_ADDRESS).copied()));
    static AUTHORITIES: LazyLock<Words> = LazyLock::new(|| Words::of(OF_AUTHORITY.iter().copied()));
    static LONG_AUTHORITIES: LazyLock<Words> =
        LazyLock::new(|| Words::of(OF_AUTHORITY.iter().copied().filter(|word| word.len() >= TAKEN_APART)));
    static GUESTS: LazyLock<Words> = LazyLock::new(|| Words::of([GUEST].into_iter()));

    let word = name.word();
    let bare = word.trim_matches(|c: char| !c.is_alphabetic());
    let together: String = bare.chars().filter(|c| c.is_alphanumeric()).collect();
    let begins = name.shown().split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let keys = Keys::of(word);
    OF_AUTHORITY_OR_ADDRESS.hold(word)
        || AUTHORITIES.hold(bare)
        || LONG_AUTHORITIES.hold(&together)
        || (begins.len() < name.shown().len() && GUESTS.hold(begins))
        || name.looks_like(lobby)
        || keys.skeleton == lobby.skeleton()
        || keys.sight == lobby.sight()
}

/// What else a text could be read as, so that it cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenFor {
    /// An address or a network, or part of one.
    Address,
    /// A number: `#3` is a room to one reader and a number to another.
    Number,
    /// An id, as clients, bans and accounts have: `c4`, `b2`, `a7`.
    Id,
    /// A length of time, as commands have it behind a name: `10min`, `2h`.
    Time,
    /// A command.
    Command,
}

impl fmt::Display for TakenFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an address",
            Self::Number => "a number",
            Self::Id => "an id",
            Self::Time => "a length of time",
            Self::Command => "a command",
        })
    }
}

/// What else a name could be read as, commands apart, also with punctuation around it. Nobody takes such a name; those
/// that were taken before this was asked stay what they are, so reading them back asks nothing of the kind.
#[must_use]
pub fn taken_for(name: &Name) -> Option<TakenFor> {
    let (shown, word) = (name.shown(), name.word());
    if resembles_address(shown) || resembles_address(word) || resembles_address(&in_digits(word)) {
        Some(if shown.contains('.') { TakenFor::Address } else { TakenFor::Number })
    } else if is_id(trimmed(name.folded())) {
        Some(TakenFor::Id)
    } else {
        is_length_of_time(word).then_some(TakenFor::Time)
    }
}

/// A text with three dots, as an IPv4 address has, with digits for letters that look like digits: `l0.0.O.1` becomes
/// `10.0.0.1`. Any other text stays as it is.
fn in_digits(text: &str) -> String {
    let is_dotted = text.matches('.').count() == 3 && text.contains(is_digit);
    let digit = |c: char| match c {
        'l' | 'I' if is_dotted => '1',
        'o' | 'O' if is_dotted => '0',
        c => c,
    };
    text.chars().map(digit).collect()
}

fn is_length_of_time(text: &str) -> bool {
    use NoLength::{MinutesOrMonths, NotPositive, TooLong};
    matches!(time::parse_length(text), Ok(_) | Err(MinutesOrMonths(_) | NotPositive(_) | TooLong(_)))
}

/// Whether a text is written like an address or a network, be it one or not: in characters that only these
/// have, or in digits and no letters, or in parts between dots that are numbers.
#[must_use]
pub fn resembles_address(text: &str) -> bool {
    let is_number = |part: &str| {
        let hexadecimal = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"));
        hexadecimal.is_some_and(|hex| !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_any = |part: &str| matches!(part, "*" | "x" | "X" | "");
    let mut parts = text.split('.');
    text.contains(['/', ':', '[', ']', '%'])
        || (text.contains(char::is_numeric) && !text.contains(char::is_alphabetic))
        || (text.contains('.') && text.contains(is_digit) && parts.all(|part| is_number(part) || is_any(part)))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Whether a text is written like an id, also in letters that look like those of ids.
#[must_use]
pub fn is_id(folded: &str) -> bool {
    let mut chars = folded.chars();
    let first = chars.next().filter(|first| first.is_alphabetic()).map(|first| folded_skeleton(&first.to_string()));
    let rest = chars.as_str();
    matches!(first.as_deref(), Some("a" | "b" | "c")) && !rest.is_empty() && rest.chars().all(char::is_numeric)
}
