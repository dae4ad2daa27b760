//! Names of people and rooms: which are allowed, which are the same, which look the same.
//!
//! A name is checked once, by [`Name::parse`]; after that the type is the proof. Three spellings
//! are kept: as it is shown, folded (what "the same name" means) and as skeletons (what "a reader
//! could take one for the other" means, Unicode Technical Standard 39). Who holds which name is
//! not known here.

use core::fmt;
use core::net::IpAddr;
use std::sync::{Arc, LazyLock};

use caseless::Caseless;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use siphasher::sip::SipHasher24;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::GeneralSecurityProfile;
use unicode_security::mixed_script::AugmentedScriptSet;
use unicode_segmentation::UnicodeSegmentation;

use super::text;

/// Bytes a name may take for each character it may have.
const BYTES_PER_CHARACTER: usize = 4;

/// The most characters that any setting allows a name to have; a guest's with a number is longer.
const MOST_CHARACTERS: usize = 64;

/// The most marks in a row a name may have: enough for the deepest Burmese syllable.
const MAX_MARKS: usize = 6;

/// A name that obeys the rules. Two are equal when they fold to the same; whether they could be
/// mistaken for each other is another question, see [`Name::looks_like`].
///
/// A clone shares the text.
#[derive(Clone)]
pub struct Name(Arc<Spellings>);

/// All spellings in one allocation, one behind the other: shown, folded, skeleton, sight.
struct Spellings {
    text: Box<str>,
    folded_at: usize,
    skeleton_at: usize,
    sight_at: usize,
}

impl Name {
    /// Checks and normalizes (NFC) a name of at most `max_chars` grapheme clusters and four times
    /// as many bytes. Parsing what a name [shows](Name::shown) gives that name again.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn parse(text: &str, max_chars: usize) -> Result<Self, InvalidName> {
        let max_bytes = max_chars.saturating_mul(BYTES_PER_CHARACTER);
        // Decomposed text can be longer than its NFC, but not without bounds; nothing below
        // works on more than this.
        if text.len() > max_bytes.saturating_mul(4) {
            return Err(InvalidName::TooLong { max_chars });
        }
        let shown: String = text.nfc().collect();
        check_characters(&shown)?;
        if shown.graphemes(true).count() > max_chars {
            return Err(InvalidName::TooLong { max_chars });
        }
        if shown.len() > max_bytes {
            return Err(InvalidName::TooManyBytes { max_bytes });
        }
        check_marks(&shown)?;
        check_scripts(&shown)?;
        check_direction(&shown)?;
        Ok(Self(Arc::new(Spellings::of(&shown))))
    }

    /// The name that [`guest`] makes. Its characters are their own folded forms and skeletons, so all
    /// four spellings are one, and no rule needs to be asked: a hub gives many of these at a time.
    #[must_use]
    pub fn guest(key: &[u8; 16], addr: IpAddr, port: u16, length: usize) -> Self {
        Self::plain(&guest(key, addr, port, length))
    }

    fn plain(shown: &str) -> Self {
        let at = shown.len();
        let text = shown.repeat(4).into_boxed_str();
        Self(Arc::new(Spellings { text, folded_at: at, skeleton_at: 2 * at, sight_at: 3 * at }))
    }

    /// As its holder wrote it, in NFC.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.0.text[..self.0.folded_at]
    }

    /// As [`fold`] gives it: the key to look a name up by.
    #[must_use]
    pub fn folded(&self) -> &str {
        &self.0.text[self.0.folded_at..self.0.skeleton_at]
    }

    /// The UTS 39 skeleton of the folded form, folded: names with equal skeletons look alike
    /// whatever their case. Not fit for display.
    #[must_use]
    pub fn skeleton(&self) -> &str {
        &self.0.text[self.0.skeleton_at..self.0.sight_at]
    }

    /// The UTS 39 skeleton of the form shown, case kept: names with equal sights look alike as
    /// they are written. It catches what folding takes away from [`Name::skeleton`]: the capital I
    /// in `paypaI`, Cyrillic capitals that spell a Latin word. Not fit for display.
    #[must_use]
    pub fn sight(&self) -> &str {
        &self.0.text[self.0.sight_at..]
    }

    /// Whether a reader could take one for the other: equal names, equal skeletons or equal
    /// sights. Who keeps an index of names needs all three keys.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self == other || self.skeleton() == other.skeleton() || self.sight() == other.sight()
    }
}

/// Kept as it is shown; reading it asks all rules again, but for the names that the hub itself makes.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shown = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let is_guest = shown.strip_prefix(GUEST).is_some_and(|rest| {
            GUEST_LENGTH.contains(&rest.len()) && rest.bytes().all(|byte| GUEST_ALPHABET.contains(&byte))
        });
        if is_guest {
            return Ok(Self::plain(&shown));
        }
        Self::parse(&shown, MOST_CHARACTERS).map_err(|broken| de::Error::custom(format!("{shown:?} {broken}")))
    }
}

impl Spellings {
    fn of(shown: &str) -> Self {
        let folded = fold(shown);
        let mut text = String::from(shown);
        let folded_at = text.len();
        text.push_str(&folded);
        let skeleton_at = text.len();
        text.push_str(&folded_skeleton(&folded));
        let sight_at = text.len();
        text.extend(unicode_security::skeleton(shown));
        Self { text: text.into_boxed_str(), folded_at, skeleton_at, sight_at }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.folded().cmp(other.folded())
    }
}

/// For finding a name by its folded form.
impl core::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self.folded()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.shown())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({:?})", self.shown())
    }
}

/// The rule that a text breaks as a name. Reads as the rest of a sentence that starts with the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// There is nothing.
    Empty,
    /// More grapheme clusters than allowed.
    TooLong {
        /// How many are.
        max_chars: usize,
    },
    /// Few enough characters, but too many bytes of UTF-8 in them.
    TooManyBytes {
        /// How many are allowed.
        max_bytes: usize,
    },
    /// A character that is no letter, mark, digit, `-`, `_` or `.`.
    Character(char),
    /// A letter, mark or digit that UTS 39 keeps out of identifiers: historic, obsolete,
    /// decorative, or another spelling of a plain one.
    Restricted(char),
    /// The first character is neither a letter nor a digit.
    Start(char),
    /// Marks piled up, or one mark twice on the same letter.
    Marks(char),
    /// Letters of scripts that are not written together (UTS 39, "highly restrictive").
    Scripts(&'static str, &'static str),
    /// Written right to left, but not so that it stays in one piece wherever it is shown.
    Direction,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { max_chars } => write!(f, "is longer than {max_chars} characters"),
            Self::TooManyBytes { max_bytes } => {
                write!(f, "is longer than {max_bytes} bytes of UTF-8")
            }
            Self::Character(c) => write!(
                f,
                "has the character {}, which names may not hold; \
                 letters, digits, '-', '_' and '.' are allowed",
                Quoted(c)
            ),
            Self::Restricted(c) => write!(
                f,
                "has the character {}, which names may not hold; \
                 letters and digits in everyday use are allowed",
                Quoted(c)
            ),
            Self::Start(c) => write!(f, "starts with {}; names start with a letter or a digit", Quoted(c)),
            Self::Marks(c) => write!(
                f,
                "has too many marks at {}; at most {MAX_MARKS} in a row, \
                 and none twice, are allowed",
                Quoted(c)
            ),
            Self::Scripts(one, other) => write!(f, "mixes the scripts {one} and {other}; names are in one script"),
            Self::Direction => f.write_str(
                "mixes writing directions; a name written right to left starts with a letter, \
                 ends with a letter or digit, and has digits of one kind",
            ),
        }
    }
}

impl core::error::Error for InvalidName {}

/// A character as an error may show it: never one that a terminal would act upon.
struct Quoted(char);

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = u32::from(self.0);
        match self.0 {
            ' ' => f.write_str("space"),
            c if c.is_ascii_graphic() => write!(f, "'{c}'"),
            c if c.is_alphanumeric() && shows(c) => write!(f, "'{c}' (U+{code:04X})"),
            _ => write!(f, "U+{code:04X}"),
        }
    }
}

/// Whether a terminal shows something for `c` and does nothing else.
fn shows(c: char) -> bool {
    let mut utf8 = [0; 4];
    let text = c.encode_utf8(&mut utf8);
    text::is_clean(text) && !text::is_blank(text)
}

fn check_characters(shown: &str) -> Result<(), InvalidName> {
    let first = shown.chars().next().ok_or(InvalidName::Empty)?;
    for c in shown.chars() {
        if c.is_ascii() {
            if !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.') {
                return Err(InvalidName::Character(c));
            }
        } else if !c.is_alphanumeric() && !is_combining_mark(c) {
            return Err(InvalidName::Character(c));
        } else if !c.identifier_allowed() {
            return Err(InvalidName::Restricted(c));
        }
    }
    // Vowel signs of Indic scripts are alphabetic, yet marks: nothing for them to stand on.
    if !first.is_alphanumeric() || is_combining_mark(first) {
        return Err(InvalidName::Start(first));
    }
    Ok(())
}

fn check_marks(shown: &str) -> Result<(), InvalidName> {
    let (mut previous, mut run) = (None, 0);
    for c in shown.nfd() {
        if !is_combining_mark(c) {
            (previous, run) = (None, 0);
            continue;
        }
        run += 1;
        if run > MAX_MARKS || previous == Some(c) {
            return Err(InvalidName::Marks(c));
        }
        previous = Some(c);
    }
    Ok(())
}

/// UTS 39, restriction level 3 ("highly restrictive"): one script, or Latin beside the scripts of
/// Chinese, Japanese or Korean. Common and inherited characters go with every script.
fn check_scripts(shown: &str) -> Result<(), InvalidName> {
    let fits_together = |sets: &[AugmentedScriptSet]| {
        let (mut all, mut beside_latin) = <(AugmentedScriptSet, AugmentedScriptSet)>::default();
        for &set in sets {
            all.intersect_with(set);
            if !is_latin(set) {
                beside_latin.intersect_with(set);
            }
        }
        !all.is_empty() || beside_latin.hanb || beside_latin.jpan || beside_latin.kore
    };
    let mut sets: Vec<AugmentedScriptSet> = Vec::new();
    for c in shown.chars() {
        let set = AugmentedScriptSet::for_char(c);
        if !set.is_all() && !sets.contains(&set) {
            sets.push(set);
        }
    }
    if fits_together(&sets) {
        return Ok(());
    }
    // Name two that clash; three scripts that clash only together do not exist in the rules, but
    // should they, the first and the last are as good as any.
    for (i, &one) in sets.iter().enumerate() {
        for &other in &sets[i + 1..] {
            if !fits_together(&[one, other]) {
                return Err(InvalidName::Scripts(script_name(one), script_name(other)));
            }
        }
    }
    let named = |set: Option<&AugmentedScriptSet>| set.copied().map_or("unknown", script_name);
    Err(InvalidName::Scripts(named(sets.first()), named(sets.last())))
}

fn is_latin(set: AugmentedScriptSet) -> bool {
    set.base.iter().any(|script| script.short_name() == "Latn")
}

fn script_name(set: AugmentedScriptSet) -> &'static str {
    set.base.iter().next().map_or("unknown", |s| s.full_name())
}

/// The parts of RFC 5893's Bidi rule (section 2, rules 1 to 4) that are left once scripts do not
/// mix: so that no neighbour and no digit moves a name's ends.
fn check_direction(shown: &str) -> Result<(), InvalidName> {
    if !shown.chars().any(is_right_to_left) {
        return Ok(());
    }
    let starts = shown.chars().next().is_some_and(is_right_to_left);
    let ends = !shown.ends_with(['-', '_', '.']);
    let european = shown.chars().any(|c| c.is_ascii_digit() || matches!(c, '\u{6F0}'..='\u{6F9}'));
    let arabic = shown.chars().any(|c| matches!(c, '\u{660}'..='\u{669}'));
    if starts && ends && !(european && arabic) { Ok(()) } else { Err(InvalidName::Direction) }
}

/// Letters of classes R and AL, by block: the digits among them have classes of their own.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
        && !matches!(c, '\u{660}'..='\u{669}' | '\u{6F0}'..='\u{6F9}')
        && !is_combining_mark(c)
}

/// The key that two spellings of one name share: compatibility-normalized (NFKC) and case-folded
/// (Unicode section 3.13, D146 with the result composed). Takes any text, so that what somebody
/// typed can be looked up without being a valid name.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect()
}

fn folded_skeleton(folded: &str) -> String {
    // The skeleton can bring capitals back: the prototype of 0 is O.
    fold(&unicode_security::skeleton(folded).collect::<String>())
}

/// Names nobody may take, because others would believe or address them.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "all",
    "chathub",
    "everyone",
    "guest",
    "here",
    "hub",
    "me",
    "mod",
    "moderator",
    "nobody",
    "op",
    "operator",
    "root",
    "server",
    "system",
    "you",
];

/// What a name could be taken for, so that it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenFor {
    /// An address or a network, or part of one.
    Address,
    /// A number: `#3` is a room to one reader and a number to another.
    Number,
    /// What clients, bans and accounts are called by: `c4`, `b2`, `a7`.
    Id,
    /// A command.
    Command,
}

impl fmt::Display for TakenFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "an address",
            Self::Number => "a number",
            Self::Id => "an id",
            Self::Command => "a command",
        })
    }
}

/// What else a name could be read as, commands apart. Nobody takes such a name; those that were taken before this was asked
/// stay what they are, so reading them back asks nothing of the kind.
#[must_use]
pub fn taken_for(name: &Name) -> Option<TakenFor> {
    let shown = name.shown();
    if resembles_address(shown) {
        Some(if shown.contains('.') { TakenFor::Address } else { TakenFor::Number })
    } else {
        is_id(name.folded()).then_some(TakenFor::Id)
    }
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

const GUEST: &str = "guest-";

/// Whether a name, or what it looks like, belongs to the hub: a word such as `admin` or `you`, or
/// anything that starts as a guest's name does. A guest's own name is reserved too: the hub gives
/// it without asking here.
#[must_use]
pub fn is_reserved(name: &Name) -> bool {
    struct Keys {
        skeletons: Vec<String>,
        sights: Vec<String>,
        guest: String,
    }
    static KEYS: LazyLock<Keys> = LazyLock::new(|| {
        let sight = |word: &str| unicode_security::skeleton(word).collect::<String>();
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        Keys {
            skeletons: RESERVED.iter().map(|word| folded_skeleton(word)).collect(),
            sights: RESERVED
                .iter()
                .flat_map(|word| [sight(word), sight(&capital(word)), sight(&word.to_uppercase())])
                .collect(),
            guest: folded_skeleton(GUEST),
        }
    });
    KEYS.skeletons.iter().any(|key| key == name.skeleton())
        || KEYS.sights.iter().any(|key| key == name.sight())
        || name.skeleton().starts_with(&KEYS.guest)
        || fold(name.sight()).starts_with(&KEYS.guest)
}

/// What a guest's name ends in: no two characters that a reader or UTS 39 could confuse (no i, l,
/// 1; o, 0; m, n, r; u, v, w, y; s, 5; z, 2; g, q), and no vowels, so that chance spells no words.
const GUEST_ALPHABET: &[u8; 20] = b"bcdfghjkpstvxz346789";

/// The fewest and the most characters behind `guest-`.
const GUEST_LENGTH: core::ops::RangeInclusive<usize> = 4..=8;

/// A name for who has given none: `guest-` and `length` characters (taken as 4 below 4, as 8 above
/// 8) of a keyed hash of address and port, so that it tells nothing of the address without `key`.
///
/// The same address and port give the same name while the key stays, and an IPv4 address is the
/// same mapped into IPv6. A longer name starts with the shorter one: where 4 characters (one in
/// 160,000) are taken, try one more.
#[must_use]
pub fn guest(key: &[u8; 16], addr: IpAddr, port: u16, length: usize) -> String {
    let octets = match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .octets();
    let mut input = [0; 18];
    input[..16].copy_from_slice(&octets);
    input[16..].copy_from_slice(&port.to_be_bytes());
    let mut hash = SipHasher24::new_with_key(key).hash(&input);

    let length = length.clamp(*GUEST_LENGTH.start(), *GUEST_LENGTH.end());
    let mut name = String::with_capacity(GUEST.len() + length);
    name.push_str(GUEST);
    let base = GUEST_ALPHABET.len() as u64;
    for _ in 0..length {
        let digit = usize::try_from(hash % base).expect("below the length of an array");
        name.push(char::from(GUEST_ALPHABET[digit]));
        hash /= base;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[track_caller]
    fn name(text: &str) -> Name {
        Name::parse(text, 24).unwrap_or_else(|broken| panic!("{text:?} {broken}"))
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        match Name::parse(text, 24) {
            Ok(name) => panic!("{text:?} is taken as {name:?}"),
            Err(broken) => assert_eq!(broken.to_string(), expected, "{text:?}"),
        }
    }

    #[test]
    fn names_of_many_scripts_are_taken() {
        for text in [
            "ann",
            "Ann-Marie_2.0",
            "7of9",
            "Jürgen",
            "Зоя",
            "Ελένη",
            "דוד",
            "דוד7",
            "علي",
            "علي٣",
            "आरती",
            "สมชาย",
            "ខ្មែរ",
            "မြန်မာ",
            "የኔ",
            "日本語",
            "漢字かなカナabc",
            "한국",
            "한국漢字",
            "Nguyễn",
            "გიორგი",
            "Հայկ",
        ] {
            assert_eq!(name(text).shown(), text);
        }
    }

    #[test]
    fn each_rule_is_named_by_its_refusal() {
        let plain = "; letters, digits, '-', '_' and '.' are allowed";
        let everyday = "; letters and digits in everyday use are allowed";
        let hold = "which names may not hold";
        check_refused("", "is empty");
        check_refused(&"a".repeat(25), "is longer than 24 characters");
        check_refused(&"a".repeat(100_000), "is longer than 24 characters");
        check_refused("a b", &format!("has the character space, {hold}{plain}"));
        check_refused("a!", &format!("has the character '!', {hold}{plain}"));
        check_refused("a\x1b", &format!("has the character U+001B, {hold}{plain}"));
        check_refused("a\u{202E}b", &format!("has the character U+202E, {hold}{plain}"));
        check_refused("a\u{200D}b", &format!("has the character U+200D, {hold}{plain}"));
        check_refused("\u{1F4A9}", &format!("has the character U+1F4A9, {hold}{plain}"));
        check_refused("ａnn", &format!("has the character 'ａ' (U+FF41), {hold}{everyday}"));
        check_refused("ᚠ", &format!("has the character 'ᚠ' (U+16A0), {hold}{everyday}"));
        check_refused("𝐚nn", &format!("has the character '𝐚' (U+1D41A), {hold}{everyday}"));
        check_refused("a\u{3164}", &format!("has the character U+3164, {hold}{everyday}"));
        check_refused("-a", "starts with '-'; names start with a letter or a digit");
        check_refused("\u{301}a", "starts with U+0301; names start with a letter or a digit");
        check_refused(
            "a\u{301}\u{301}",
            "has too many marks at U+0301; at most 6 in a row, and none twice, are allowed",
        );
        check_refused("pаypal", "mixes the scripts Latin and Cyrillic; names are in one script");
        check_refused("日本я", "mixes the scripts Han and Cyrillic; names are in one script");
        check_refused("한かna", "mixes the scripts Hangul and Hiragana; names are in one script");
        check_refused("annדוד", "mixes the scripts Latin and Hebrew; names are in one script");
        let direction = "mixes writing directions; a name written right to left starts with a \
                         letter, ends with a letter or digit, and has digits of one kind";
        check_refused("7דוד", direction);
        check_refused("דוד-", direction);
        check_refused("علي1٣", direction);
    }

    #[test]
    fn length_is_in_graphemes_and_bytes_are_bounded_beside_it() {
        let five = "क्षि".repeat(5); // 5 clusters, 60 bytes
        assert!(Name::parse(&five, 20).is_ok());
        assert_eq!(Name::parse(&five, 10), Err(InvalidName::TooManyBytes { max_bytes: 40 }));
        assert_eq!(Name::parse("ab", 1), Err(InvalidName::TooLong { max_chars: 1 }));
        assert_eq!(Name::parse("a", 0), Err(InvalidName::TooLong { max_chars: 0 }));
    }

    #[test]
    fn composed_and_decomposed_spellings_are_one_name() {
        assert_eq!(name("Ju\u{308}rgen").shown(), "J\u{fc}rgen");
        assert_eq!(name("Ju\u{308}rgen"), name("jÜRGEN"));
    }

    #[test]
    fn names_differing_only_in_case_are_equal() {
        for (one, other) in [("Ann", "aNN"), ("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος")] {
            assert_eq!(name(one), name(other));
            assert_eq!(name(one).folded(), fold(other));
            assert_eq!(name(one).skeleton(), name(other).skeleton());
        }
        assert_ne!(name("ann"), name("anna"));
    }

    #[test]
    fn look_alikes_are_found() {
        for (one, other) in [
            ("modern", "rnodern"),
            ("B0B", "bob"),
            ("al1ce", "allce"),
            ("соса", "coca"), // Cyrillic, whole
            ("ВОВ", "BOB"),   // alike as capitals only
            ("paypaI", "paypal"),
            ("Ivan", "lvan"),
            ("ann", "ANN"),
        ] {
            assert!(name(one).looks_like(&name(other)), "{one} {other}");
            assert!(name(other).looks_like(&name(one)), "{one} {other}");
        }
        for (one, other) in [("ali", "all"), ("ann", "anna"), ("вов", "bob"), ("mali", "mall")] {
            assert!(!name(one).looks_like(&name(other)), "{one} {other}");
        }
    }

    #[test]
    fn reserved_words_and_what_looks_like_them_are_reserved() {
        for text in [
            "hub",
            "HUB",
            "ChatHub",
            "Server",
            "admin",
            "adrnin",
            "ADMlN",
            "root",
            "r00t",
            "RO0T",
            "you",
            "Me",
            "rne",
            "aIl",
            "op",
            "0p",
            "guest",
            "guest-",
            "Guest-x",
            "guest-bcdf",
            "GUEST-BCDF",
        ] {
            assert!(is_reserved(&name(text)), "{text}");
        }
        for text in ["ann", "hubert", "Ali", "ALI", "guests", "guest.x", "mode", "meg", "opal"] {
            assert!(!is_reserved(&name(text)), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_as_something_else_is_found() {
        use TakenFor::{Address, Id, Number};
        for (text, taken) in [
            ("127.0.0.10", Address),
            ("192.168.1", Address),
            ("10.0.0.256", Address),
            ("1.2", Address),
            ("0x7f.1", Address),
            ("192.168.1.x", Address),
            ("10.0.0.", Address),
            ("42", Number),
            ("1-2", Number),
            ("٣", Number),
            ("c4", Id),
            ("C4", Id),
            ("b2", Id),
            ("a123", Id),
            ("с4", Id), // Cyrillic
        ] {
            assert_eq!(taken_for(&name(text)), Some(taken), "{text}");
        }
        for text in
            ["7of9", "ann2", "c", "c4d", "abc1", "v2.0", "Ann.1", "x1", "r2d2", "helpful", "日本", "0xff", "guest-bcdf"]
        {
            assert_eq!(taken_for(&name(text)), None, "{text}");
        }
        // One that was taken when nobody asked is read all the same.
        assert!(serde_json::from_str::<Name>("\"127.0.0.10\"").is_ok());
        for text in ["::g", "10.0.0.0/33", "127.0.0.1:80", "[::1]", "fe80::1%eth0", "192.168.*.*", "10.0.0.1-9"] {
            assert!(resembles_address(text), "{text}");
        }
    }

    #[test]
    fn guest_names_are_names_and_grow_at_the_end() {
        let (key, addr) = ([7; 16], "192.0.2.1".parse().unwrap());
        let longest = guest(&key, addr, 4242, 8);
        assert_eq!(longest.len(), "guest-".len() + 8);
        for length in 4..=8 {
            let shorter = guest(&key, addr, 4242, length);
            assert_eq!(shorter.len(), "guest-".len() + length);
            assert!(longest.starts_with(&shorter));
            assert!(is_reserved(&name(&shorter)));
        }
        assert_eq!(guest(&key, addr, 4242, 0), guest(&key, addr, 4242, 4));
        assert_eq!(guest(&key, addr, 4242, 99), longest);
    }

    #[test]
    fn a_guest_s_name_is_as_parsing_would_make_it() {
        for port in 0..2000_u16 {
            let [_, low] = port.to_be_bytes();
            let (key, addr) = ([low; 16], "192.0.2.1".parse().unwrap());
            for length in GUEST_LENGTH {
                let text = guest(&key, addr, port, length);
                let (given, parsed) = (Name::guest(&key, addr, port, length), Name::parse(&text, text.len()).unwrap());
                let spellings =
                    |name: &Name| [name.shown(), name.folded(), name.skeleton(), name.sight()].map(str::to_owned);
                assert_eq!(spellings(&given), spellings(&parsed));
            }
        }
    }

    #[test]
    fn guest_names_depend_on_key_address_and_port_and_not_on_mapping() {
        let (key, addr) = ([7; 16], "192.0.2.1".parse().unwrap());
        let base = guest(&key, addr, 1, 8);
        assert_eq!(base, guest(&key, "::ffff:192.0.2.1".parse().unwrap(), 1, 8));
        assert_ne!(base, guest(&key, "::192.0.2.1".parse().unwrap(), 1, 8));
        assert_ne!(base, guest(&key, addr, 2, 8));
        assert_ne!(base, guest(&[8; 16], addr, 1, 8));
    }

    #[test]
    fn no_two_guest_names_share_a_skeleton() {
        // Each character is its own skeleton, so different strings have different skeletons.
        for &byte in GUEST_ALPHABET {
            let text = char::from(byte).to_string();
            assert_eq!(folded_skeleton(&text), text);
        }
        assert_eq!(GUEST_ALPHABET.iter().collect::<HashSet<_>>().len(), 20);
        let all: String = GUEST_ALPHABET.iter().map(|&byte| char::from(byte)).collect();
        assert_eq!(folded_skeleton(&all), all);
    }

    #[test]
    fn guest_names_spread_over_the_alphabet() {
        let addr = "2001:db8::1".parse().unwrap();
        let names: HashSet<String> = (0..10_000).map(|port| guest(&[3; 16], addr, port, 8)).collect();
        assert!(names.len() >= 9_999, "{}", names.len());
    }

    proptest! {
        #[test]
        fn parsing_what_is_shown_gives_the_same_name(text in namelike()) {
            if let Ok(name) = Name::parse(&text, 24) {
                let again = Name::parse(name.shown(), 24).expect("was valid");
                prop_assert_eq!(again.shown(), name.shown());
                prop_assert_eq!(again.folded(), name.folded());
                prop_assert_eq!(again.skeleton(), name.skeleton());
                prop_assert_eq!(again.sight(), name.sight());
                prop_assert_eq!(fold(name.folded()), name.folded());
                prop_assert_eq!(fold(name.shown()), name.folded());
                prop_assert!(crate::values::text::is_clean(name.shown()));
                prop_assert!(!crate::values::text::is_blank(name.shown()));
            }
        }

        #[test]
        fn refusals_are_fit_for_a_terminal(text in any::<String>()) {
            if let Err(broken) = Name::parse(&text, 24) {
                let said = broken.to_string();
                prop_assert!(crate::values::text::is_clean(&said), "{said:?}");
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }

    /// Text that is often a name: letters of one script, digits, marks, a little else.
    fn namelike() -> impl Strategy<Value = String> {
        let letters = prop_oneof![
            Just("[a-zA-Z0-9._-]{1,24}"),
            Just("[a-zA-Z\u{c0}-\u{24f}\u{300}-\u{345}]{1,12}"),
            Just("[\u{386}-\u{3ff}\u{1f00}-\u{1fff}\u{345}]{1,12}"),
            Just("[\u{400}-\u{52f}]{1,12}"),
            Just("[\u{5d0}-\u{5ea}\u{5b0}-\u{5bd}0-9-]{1,12}"),
            Just("[\u{620}-\u{669}]{1,12}"),
            Just("[\u{900}-\u{97f}]{1,12}"),
            Just("[\u{3041}-\u{30ff}\u{4e00}-\u{4e80}a-z]{1,12}"),
            Just("[\u{ac00}-\u{ad00}\u{1100}-\u{11ff}]{1,8}"),
            Just("\\PC{1,12}"),
        ];
        letters.prop_flat_map(|pattern| pattern)
    }
}
