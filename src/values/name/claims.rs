//! Valid names that nobody can take: reserved words, which would lend authority or address others,
//! and names that could be read as something else, such as an address or a number.
//!
//! These checks run when somebody takes a name, or an account or a room is made. They do not run
//! when a stored name is read: a name that was taken stays its bearer's.

use core::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::likeness::{folded_skeleton, skeleton};
use super::{Name, fold};
use crate::values::time::{self, NoLength};

/// Words of authority in English. Nobody can take one, with or without punctuation and digits at
/// its ends.
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

/// Words of authority in other widespread languages, in their own scripts and, for some, as they
/// are typed in Latin letters. Words that are also everyday names are left out: Arabic مشرف (a
/// moderator) is the surname Musharraf, and Italian "capo" is a surname too. So are words that
/// equal an English one, or differ from it in accents alone.
const OF_AUTHORITY_ELSEWHERE: &[(&str, &[&str])] = &[
    ("Arabic", &["أدمن", "المدير", "المشرف", "النظام", "الإدارة", "مدير", "مسؤول"]),
    ("Bengali", &["অ্যাডমিন", "প্রশাসক"]),
    ("Chinese", &["管理员", "管理員", "版主", "系统", "系統", "客服", "guanliyuan", "xitong"]),
    ("Czech, Slovak", &["správce", "administrátor", "moderátor", "operátor", "systém"]),
    ("Dutch", &["beheerder", "systeem", "systeembeheerder"]),
    ("French", &["administrateur", "administratrice", "modérateur", "modératrice", "opérateur", "serveur", "système"]),
    ("German", &["administratorin", "betreiber", "moderatorin", "systemverwalter", "verwalter"]),
    ("Greek", &["διαχειριστής", "συντονιστής", "σύστημα"]),
    ("Hebrew", &["אדמין", "מנהל", "מערכת"]),
    ("Hindi", &["एडमिन", "प्रशासक", "मॉडरेटर", "व्यवस्थापक", "संचालक", "सिस्टम"]),
    ("Indonesian, Malay", &["pengelola", "pentadbir", "sistem"]),
    ("Italian", &["amministratore", "amministratrice", "gestore", "moderatore", "moderatrice", "operatore", "sistema"]),
    (
        "Japanese",
        &["オペレーター", "システム", "モデレーター", "管理人", "管理者", "運営", "kanrinin", "kanrisha", "unei"],
    ),
    ("Korean", &["관리자", "시스템", "운영자", "gwanrija", "unyeongja"]),
    ("Persian", &["ادمین", "سیستم", "مدیر"]),
    ("Polish", &["administratorka", "moderatorka", "serwer"]),
    ("Russian", &["админ", "администратор", "модер", "модератор", "оператор", "сервер", "система"]),
    (
        "Spanish, Portuguese",
        &["administrador", "administradora", "moderador", "moderadora", "operador", "operadora", "servidor"],
    ),
    ("Swedish, Danish, Norwegian", &["administratör", "moderatör", "operatör", "systemadministratør"]),
    ("Thai", &["ผู้ดูแล", "ผู้ดูแลระบบ", "ระบบ", "แอดมิน"]),
    ("Turkish", &["moderatör", "operatör", "sunucu", "yönetici"]),
    ("Ukrainian", &["адмін", "адміністратор"]),
    ("Vietnamese", &["hệthống", "quảntrị", "quảntrịviên"]),
];

/// Words that stand for people in general or for the reader. Nobody can take one, with or without
/// punctuation at its ends.
const OF_ADDRESS: &[&str] = &["all", "everyone", "guest", "here", "me", "nobody", "you"];

/// The beginning of guests' names. Nobody can take a name in which this is followed by a character
/// that is no letter.
const GUEST: &str = "guest";

/// From this many characters on, a word of authority is also recognised with punctuation inside, as
/// in `ad.min`. Shorter ones are not: nobody would believe `m-od` or `o-p`.
const TAKEN_APART: usize = 5;

/// The two skeletons of a text: two texts that look alike share at least one of them.
struct Keys {
    skeleton: String,
    sight: String,
}

impl Keys {
    fn of(text: &str) -> Self {
        Self { skeleton: folded_skeleton(&fold(text)), sight: skeleton(text) }
    }
}

/// All words of authority; those in Latin letters also without accents, as they are typed in a
/// hurry.
fn of_authority() -> Vec<String> {
    let elsewhere = OF_AUTHORITY_ELSEWHERE.iter().flat_map(|(_, words)| *words);
    let plain = |word: &&str| -> String { word.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36F}')).collect() };
    let is_latin = |word: &&&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
    let unaccented = elsewhere.clone().filter(is_latin).map(plain);
    OF_AUTHORITY.iter().chain(elsewhere.clone()).map(|word| (*word).to_owned()).chain(unaccented).collect()
}

/// Whether a word of authority is also recognised with punctuation inside.
fn is_taken_apart(word: &str) -> bool {
    // In Chinese and Korean, three characters are a whole word.
    let is_syllable = |c: char| c >= '\u{2E80}';
    word.chars().count() >= TAKEN_APART || (word.chars().count() >= 3 && word.chars().all(is_syllable))
}

/// The skeletons of a list of words, and their sights in lower case, with a first capital, and in
/// capitals.
struct Words {
    skeletons: Vec<String>,
    sights: Vec<String>,
}

impl Words {
    fn of<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Self {
        let capital = |word: &str| {
            let mut rest = word.chars();
            rest.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + rest.as_str())
        };
        Self {
            skeletons: words.clone().map(|word| folded_skeleton(&fold(word))).collect(),
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

/// A text without the characters at its ends that are neither letters nor digits.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Whether a name is reserved, or looks like a reserved one: a word of authority in any language,
/// such as `admin`; a word of address, such as `you`; the name of the lobby, which stands in
/// prompts; or a name that begins like a guest's. Punctuation around any of them makes no
/// difference, nor do digits around a word of authority. The names of guests are reserved too: the
/// hub gives them without this check.
#[must_use]
pub fn is_reserved(name: &Name, lobby: &Name) -> bool {
    static ADDRESSES: LazyLock<Words> = LazyLock::new(|| Words::of(OF_ADDRESS.iter().copied()));
    static AUTHORITIES: LazyLock<Words> = LazyLock::new(|| Words::of(of_authority().iter().map(String::as_str)));
    static LONG_AUTHORITIES: LazyLock<Words> =
        LazyLock::new(|| Words::of(of_authority().iter().map(String::as_str).filter(|word| is_taken_apart(word))));
    static GUESTS: LazyLock<Words> = LazyLock::new(|| Words::of([GUEST].into_iter()));

    // The Turkish capital İ keeps its dot in lower case, as a combining mark.
    let dotless = name.word().replace('İ', "I");
    let word = dotless.as_str();
    let bare = word.trim_matches(|c: char| !c.is_alphabetic());
    let together: String = bare.chars().filter(|c| c.is_alphanumeric()).collect();
    let begins = name.shown().split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let keys = Keys::of(word);
    ADDRESSES.hold(word)
        || AUTHORITIES.hold(word)
        || AUTHORITIES.hold(bare)
        || LONG_AUTHORITIES.hold(&together)
        || (begins.len() < name.shown().len() && GUESTS.hold(begins))
        || name.looks_like(lobby)
        || keys.skeleton == lobby.skeleton()
        || keys.sight == lobby.sight()
}

/// What a text could be read as other than a name, which is why nobody can take it as a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenFor {
    /// An address or a network, or part of one.
    Address,
    /// A number: `#3` could be the room `3` or the third of something.
    Number,
    /// An id of a client, an account, a sanction or a report: `c4`, `a7`, `b2`, `r1`.
    Id,
    /// A length of time, which commands take behind a name: `10min`, `2h`.
    Time,
    /// The name of a command.
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

/// What a name could be read as other than a name, with or without punctuation around it; commands
/// are not checked here. Nobody can take such a name. Stored names are read without this check:
/// they may be older than it.
#[must_use]
pub fn taken_for(name: &Name) -> Option<TakenFor> {
    let (shown, word) = (name.shown(), name.word());
    if resembles_address(shown) || resembles_address(word) || resembles_address(&in_digits(word)) {
        Some(if shown.contains('.') { TakenFor::Address } else { TakenFor::Number })
    } else if is_id(trimmed(name.folded())) || is_id(word) {
        Some(TakenFor::Id)
    } else {
        is_length_of_time(word).then_some(TakenFor::Time)
    }
}

/// Replaces letters that look like digits in a text that has three dots and a digit, as an IPv4
/// address does: `l0.0.O.1` becomes `10.0.0.1`. Any other text stays as it is.
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

/// Whether a text is written like an address, a network or a number, valid or not: it has a
/// character that only addresses have (`/`, `:`, `[`, `]`, `%`), or digits and no letters, or
/// consists of numbers between dots.
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
        // Some programs read one number as a whole IPv4 address.
        || (text.starts_with(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) && is_number(text))
        || (text.contains(char::is_numeric) && !text.contains(char::is_alphabetic))
        || (text.contains('.') && text.contains(is_digit) && parts.all(|part| is_number(part) || is_any(part)))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The letters that ids begin with: accounts, bans, clients, filters, lockdowns, mutes, reports and
/// expulsions, in this order.
const OF_IDS: &[char] = &['a', 'b', 'c', 'f', 'l', 'm', 'r', 'x'];

/// Whether a folded text is written like an id: a letter of `OF_IDS`, or one that looks like it,
/// and digits.
#[must_use]
pub fn is_id(folded: &str) -> bool {
    let like = |c: char| folded_skeleton(&c.to_string());
    let mut chars = folded.chars();
    let Some(first) = chars.next().filter(|first| first.is_alphabetic()) else { return false };
    let rest = chars.as_str();
    !rest.is_empty() && rest.chars().all(char::is_numeric) && OF_IDS.iter().any(|letter| like(*letter) == like(first))
}
