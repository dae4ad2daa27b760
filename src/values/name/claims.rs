//! Names that nobody gets: those that others would believe or address, and those that could be read as something else.
//!
//! Asked when somebody takes a name, or an account or a room is made, and never when a name is recalled: one that was
//! taken before stays what it is.

use core::fmt;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

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

/// The same in other languages of many people, in their scripts and as they are typed without them. Words that are also
/// everyday names are not here: Arabic مشرف (a moderator) is the surname Musharraf, and Italian "capo" is one, too.
/// Words that are the same as in English go without saying, and so do those that differ in accents alone.
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

/// All words of authority, also without the accents of Latin letters, as they are typed in a hurry.
fn of_authority() -> Vec<String> {
    let elsewhere = OF_AUTHORITY_ELSEWHERE.iter().flat_map(|(_, words)| *words);
    let plain = |word: &&str| -> String { word.nfd().filter(|c| !matches!(c, '\u{300}'..='\u{36F}')).collect() };
    let is_latin = |word: &&&str| word.starts_with(|c: char| c.is_ascii_alphabetic());
    let unaccented = elsewhere.clone().filter(is_latin).map(plain);
    OF_AUTHORITY.iter().chain(elsewhere.clone()).map(|word| (*word).to_owned()).chain(unaccented).collect()
}

/// Whether a word is recognised with punctuation within it as well.
fn is_taken_apart(word: &str) -> bool {
    // Three syllables of Chinese or Korean are a whole word.
    let is_syllable = |c: char| c >= '\u{2E80}';
    word.chars().count() >= TAKEN_APART || (word.chars().count() >= 3 && word.chars().all(is_syllable))
}

/// The keys of words, in small letters, with a capital first, and in capitals.
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

/// Without the punctuation at its ends.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphanumeric())
}

/// Whether a name, or what it looks like, belongs to the hub: a word such as `admin`, `you` or `notice`, in whatever language, the name of
/// the lobby, which is in prompts, or what starts as a guest's name does; also with punctuation around it, and
/// with digits around a word of authority. A guest's own name is reserved too: the hub gives it without asking here.
#[must_use]
pub fn is_reserved(name: &Name, lobby: &Name) -> bool {
    static ADDRESSES: LazyLock<Words> = LazyLock::new(|| Words::of(OF_ADDRESS.iter().copied()));
    static AUTHORITIES: LazyLock<Words> = LazyLock::new(|| Words::of(of_authority().iter().map(String::as_str)));
    static LONG_AUTHORITIES: LazyLock<Words> =
        LazyLock::new(|| Words::of(of_authority().iter().map(String::as_str).filter(|word| is_taken_apart(word))));
    static GUESTS: LazyLock<Words> = LazyLock::new(|| Words::of([GUEST].into_iter()));

    // The capital of Turkish i keeps its dot in small letters.
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

/// What else a text could be read as, so that it cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenFor {
    /// An address or a network, or part of one.
    Address,
    /// A number: `#3` is a room to one reader and a number to another.
    Number,
    /// An id, as clients, accounts, sanctions and reports have: `c4`, `a7`, `b2`, `r1`.
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
    } else if is_id(trimmed(name.folded())) || is_id(word) {
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
        // All of an IPv4 address in one number, as some programs read it.
        || (text.starts_with(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) && is_number(text))
        || (text.contains(char::is_numeric) && !text.contains(char::is_alphabetic))
        || (text.contains('.') && text.contains(is_digit) && parts.all(|part| is_number(part) || is_any(part)))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The letters that ids begin with: of accounts, bans, clients, filters, lockdowns, mutes, reports and expulsions.
const OF_IDS: &[char] = &['a', 'b', 'c', 'f', 'l', 'm', 'r', 'x'];

/// Whether a text is written like an id, also in letters that look like those of ids.
#[must_use]
pub fn is_id(folded: &str) -> bool {
    let like = |c: char| folded_skeleton(&c.to_string());
    let mut chars = folded.chars();
    let Some(first) = chars.next().filter(|first| first.is_alphabetic()) else { return false };
    let rest = chars.as_str();
    !rest.is_empty() && rest.chars().all(char::is_numeric) && OF_IDS.iter().any(|letter| like(*letter) == like(first))
}
