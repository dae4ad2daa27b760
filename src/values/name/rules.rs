//! The rules of valid names: which characters a name may hold, how many combining marks, which
//! scripts may stand side by side, and in which direction it may run.
//!
//! Allowed letters and digits are those that UTS 39 recommends for identifiers (UAX 31, table 5).
//! Three more kinds are allowed because people write living languages with them: the scripts of
//! limited use (UAX 31, table 7); letters in uncommon use, such as the surname 﨑, Skolt Sámi ǥ or
//! the points of Yiddish; and a few letters that NFKC decomposes although they are letters of their
//! own. Which names look alike, and which are reserved, is decided elsewhere (`likeness`,
//! `claims`).
//!
//! When a release makes these rules stricter, that concerns only names that are taken from then on:
//! stored names are read without these checks, see [`Name::recall`](super::Name::recall).

use core::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::text;

/// The most combining marks in a row: enough for the deepest Burmese syllable.
const MAX_MARKS: usize = 6;

/// The rule that a text breaks, so that it is no valid name. `Display` writes the rest of a
/// sentence that starts with the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// The text is empty.
    Empty,
    /// The text has more grapheme clusters than allowed.
    TooLong {
        /// The number of grapheme clusters allowed.
        max_chars: usize,
    },
    /// The text has few enough grapheme clusters, but too many bytes of UTF-8.
    TooManyBytes {
        /// The number of bytes allowed.
        max_bytes: usize,
    },
    /// A character that is no letter, mark, digit, `-`, `_` or `.`.
    Character(char),
    /// A character that names may hold in certain places only, in another place: the character, and
    /// a description of the places.
    Misplaced(char, &'static str),
    /// A letter, mark or digit of a script that is excluded from identifiers, because hardly
    /// anybody writes in it today (UAX 31, table 4).
    Script(char),
    /// A compatibility form of other letters or digits, and the plain characters to write instead.
    Form(char, String),
    /// A letter, mark or digit that UTS 39 excludes from identifiers for another reason, and that
    /// reason.
    Unusual(char, &'static str),
    /// The first character is neither a letter nor a digit.
    Start(char),
    /// No character is a letter or a digit that stands by itself: the first of them lengthens, repeats or changes others.
    NoLetter(char),
    /// Too many combining marks in a row, or the same mark twice on one letter: the mark.
    Marks(char),
    /// Letters of two scripts that may not stand in one name (UTS 39, "highly restrictive"): the
    /// names of the scripts.
    Scripts(String, String),
    /// The text runs right to left, and parts of it would change places in some contexts (RFC
    /// 5893).
    Direction,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { max_chars } => write!(f, "is longer than {max_chars} characters"),
            Self::TooManyBytes { max_bytes } => {
                write!(f, "is longer than {max_bytes} bytes of UTF-8")
            }
            Self::Character(c) => write!(
                f,
                "has the character {}, which names may not hold; \
                 letters, digits, '-', '_' and '.' are allowed",
                Quoted(*c)
            ),
            Self::Misplaced(c, place) => {
                write!(f, "has the character {}, which names may hold only {place}", Quoted(*c))
            }
            Self::Script(c) => write!(
                f,
                "has the character {} of the script {}, which is not among those that names may be written in",
                Quoted(*c),
                script_name(AugmentedScriptSet::for_char(*c))
            ),
            Self::Form(c, plain) => write!(f, "has the character {}, another form of {plain}: write that", Quoted(*c)),
            Self::Unusual(c, reason) => {
                write!(f, "has the character {}, which names may not hold: Unicode lists it as {reason}", Quoted(*c))
            }
            Self::Start(c) => write!(f, "starts with {}; names start with a letter or a digit", Quoted(*c)),
            Self::NoLetter(c) => {
                write!(f, "has no letter that stands by itself: {} lengthens, repeats or changes others", Quoted(*c))
            }
            Self::Marks(c) => write!(
                f,
                "has too many marks at {}; at most {MAX_MARKS} in a row, \
                 and none twice, are allowed",
                Quoted(*c)
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

/// Displays a character in an error message, by its number if a terminal would act upon it.
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

/// Whether a terminal shows something visible for `c` and does nothing else.
fn shows(c: char) -> bool {
    let mut utf8 = [0; 4];
    let text = c.encode_utf8(&mut utf8);
    text::is_clean(text) && !text::is_blank(text)
}

// ---------------------------------------------------------------------------------------------
// Characters

pub(super) fn check_characters(shown: &str) -> Result<(), InvalidName> {
    let first = shown.chars().next().ok_or(InvalidName::Empty)?;
    let mut before = None;
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        check_character(before, c, rest.clone().next())?;
        before = Some(c);
    }
    // Vowel signs of Indic scripts are alphabetic, but also combining marks, which have no letter
    // to stand on here.
    if !first.is_alphanumeric() || is_combining_mark(first) {
        return Err(InvalidName::Start(first));
    }
    if !shown.chars().any(stands_by_itself) {
        return Err(InvalidName::NoLetter(first));
    }
    Ok(())
}

/// Whether a character is a letter or a digit that can be all of a name.
fn stands_by_itself(c: char) -> bool {
    c.is_alphanumeric() && !is_combining_mark(c) && !is_modifier(c)
}

/// Whether a character lengthens a letter (ー), repeats one (々, ๆ) or changes one (ʼ). UAX 31 lets an identifier begin with
/// it, but a name that has nothing else reads like a dash, a quotation mark, or a word said twice.
///
/// These are the modifier letters (general category Lm) among those that names may hold; and two signs that are used in
/// the same way and are letters of no kind (Lo) to Unicode: what abbreviates a word in Thai, and the middle dot that ends a
/// syllable of Cree.
fn is_modifier(c: char) -> bool {
    matches!(c,
        '\u{2BB}' | '\u{2BC}' | '\u{7F4}' | '\u{7F5}' | '\u{E2F}' | '\u{E46}' | '\u{EC6}' | '\u{1427}' | '\u{17D7}'
        | '\u{1AA7}' | '\u{1C78}'..='\u{1C7D}' | '\u{3005}' | '\u{309D}' | '\u{309E}' | '\u{30FC}'..='\u{30FE}'
        | '\u{A015}' | '\u{A4F8}'..='\u{A4FD}' | '\u{A60C}' | '\u{AA70}' | '\u{AADD}' | '\u{AAF3}' | '\u{AAF4}'
        | '\u{10780}' | '\u{16F93}'..='\u{16F9F}' | '\u{1AFF0}'..='\u{1AFFE}' | '\u{1E137}'..='\u{1E13D}' | '\u{1E94B}')
}

fn check_character(before: Option<char>, c: char, behind: Option<char>) -> Result<(), InvalidName> {
    if c.is_ascii() {
        let is_allowed = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        return if is_allowed { Ok(()) } else { Err(InvalidName::Character(c)) };
    }
    if let Some((place, is_there)) = place(c) {
        return if is_there(before, behind) { Ok(()) } else { Err(InvalidName::Misplaced(c, place)) };
    }
    if !c.is_alphanumeric() && !is_combining_mark(c) {
        return Err(InvalidName::Character(c));
    }
    if is_allowed(c) { Ok(()) } else { Err(why_not(c)) }
}

/// Whether names may hold this letter, mark or digit.
fn is_allowed(c: char) -> bool {
    c.identifier_allowed()
        || match c.identifier_type() {
            Some(IdentifierType::Limited_Use) => true,
            // Only characters of particular scripts: marks that go with all scripts could strike
            // letters out or underline them.
            Some(IdentifierType::Uncommon_Use) => !AugmentedScriptSet::for_char(c).is_all(),
            // A point of Yiddish. It has several types, and the tables of the `unicode_security`
            // crate leave such characters out.
            None if c == '\u{5BF}' => true,
            _ => is_letter_in_its_own_right(c),
        }
}

/// Whether NFKC decomposes the letter, and UTS 39 therefore excludes it, although a language in use
/// needs it: its writers have a key for it, and no other way to write it. Folding decomposes it as
/// well, so both spellings are one name.
///
/// All other letters that NFKC changes are variants of letters (superscripts, ligatures,
/// presentation forms, mathematical letters, Roman numerals) or digraphs that are typed as two
/// letters (ĳ, ǆ, ŀ). They are refused, and the error says what to write instead. Fullwidth and
/// halfwidth letters are replaced before these checks.
fn is_letter_in_its_own_right(c: char) -> bool {
    matches!(
        c,
        '\u{587}' // Armenian ech yiwn
        | '\u{E33}' | '\u{EB3}' // Thai and Lao am
        | '\u{EDC}' | '\u{EDD}' // Lao ho no, ho mo
        | '\u{3131}'..='\u{3163}' // Korean letters that stand alone
    )
}

fn why_not(c: char) -> InvalidName {
    use IdentifierType as Type;
    let reason = match c.identifier_type() {
        Some(Type::Exclusion) => return InvalidName::Script(c),
        Some(Type::Not_NFKC) => {
            let plain: String = c.to_string().nfkc().collect();
            if plain.chars().all(|c| c.is_alphanumeric() && is_allowed(c)) {
                return InvalidName::Form(c, plain);
            }
            "a form of something else"
        }
        Some(Type::Obsolete) => "obsolete",
        Some(Type::Technical) => "technical",
        Some(Type::Uncommon_Use) => "uncommon",
        Some(Type::Deprecated) => "deprecated",
        Some(Type::Default_Ignorable) => "invisible",
        // The character has no single type.
        _ => "restricted",
    };
    InvalidName::Unusual(c, reason)
}

/// Whether a character may stand where it does, by the characters before and behind it.
type IsThere = fn(Option<char>, Option<char>) -> bool;

/// For characters that are no letters but are needed to spell some names (UAX 31, table 3): a
/// description of the places where they may stand, and the function that checks it. `None` for all
/// others.
fn place(c: char) -> Option<(&'static str, IsThere)> {
    fn both(before: Option<char>, behind: Option<char>, are: fn(char) -> bool) -> bool {
        before.is_some_and(are) && behind.is_some_and(are)
    }
    Some(match c {
        '\u{B7}' => ("between two l, as in Catalan", |before, behind| both(before, behind, |c| matches!(c, 'l' | 'L'))),
        '\u{5F3}' | '\u{5F4}' => {
            ("behind a Hebrew letter", |before, _| before.is_some_and(|c| matches!(c, '\u{5D0}'..='\u{5EA}')))
        }
        '\u{F0B}' => ("between two Tibetan syllables", |before, behind| {
            both(before, behind, |c| matches!(c, '\u{F40}'..='\u{FBC}'))
        }),
        '\u{30FB}' => ("between two Japanese words", |before, behind| both(before, behind, is_japanese)),
        '\u{200C}' => ("between two Arabic letters, or where Indic letters would be joined", |before, behind| {
            both(before, behind, is_arabic) || is_beside_virama(before, behind)
        }),
        '\u{200D}' => ("where Indic letters are joined", is_beside_virama),
        _ => return None,
    })
}

/// Whether a character is ZWNJ or ZWJ: it joins letters or keeps them apart, and is invisible
/// itself.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

fn is_beside_virama(before: Option<char>, behind: Option<char>) -> bool {
    let is_virama = |c: Option<char>| c.is_some_and(|c| canonical_combining_class(c) == 9);
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || is_combining_mark(c));
    (is_virama(before) && is_letter(behind)) || (is_letter(before) && is_virama(behind))
}

fn is_arabic(c: char) -> bool {
    matches!(c, '\u{620}'..='\u{65F}' | '\u{66E}'..='\u{6D3}' | '\u{6FA}'..='\u{6FF}' | '\u{750}'..='\u{77F}')
}

fn is_japanese(c: char) -> bool {
    let set = AugmentedScriptSet::for_char(c);
    !set.is_all() && set.jpan && c.is_alphabetic()
}

pub(super) fn check_marks(shown: &str) -> Result<(), InvalidName> {
    let (mut previous, mut run) = (None, 0);
    for c in shown.nfd() {
        if is_joiner(c) {
            // A joiner is no new base for marks: it continues the run.
            run += 1;
            continue;
        }
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

// ---------------------------------------------------------------------------------------------
// Scripts and directions

/// Checks UTS 39's restriction level 3, "highly restrictive": a name is in one script, or in Latin
/// beside the scripts of Chinese, Japanese or Korean. Common and inherited characters go with every
/// script.
pub(super) fn check_scripts(shown: &str) -> Result<(), InvalidName> {
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
    // Name the first two scripts that clash. By these rules no three scripts clash only together;
    // if they ever do, the error names the first and the last.
    for (i, &one) in sets.iter().enumerate() {
        for &other in &sets[i + 1..] {
            if !fits_together(&[one, other]) {
                return Err(InvalidName::Scripts(script_name(one), script_name(other)));
            }
        }
    }
    let named = |set: Option<&AugmentedScriptSet>| set.copied().map_or_else(|| "unknown".to_owned(), script_name);
    Err(InvalidName::Scripts(named(sets.first()), named(sets.last())))
}

fn is_latin(set: AugmentedScriptSet) -> bool {
    set.base.iter().any(|script| script.short_name() == "Latn")
}

fn script_name(set: AugmentedScriptSet) -> String {
    set.base.iter().next().map_or("unknown", |script| script.full_name()).replace('_', " ")
}

/// Checks RFC 5893's Bidi rule (section 2, rules 1 to 4), as far as `check_scripts` leaves
/// something to check: neither text beside a name nor digits in it may move its ends.
pub(super) fn check_direction(shown: &str) -> Result<(), InvalidName> {
    if !shown.chars().any(is_right_to_left) {
        return Ok(());
    }
    let starts = shown.chars().next().is_some_and(is_right_to_left);
    let ends = !shown.ends_with(['-', '_', '.']);
    let european = shown.chars().any(|c| c.is_ascii_digit() || matches!(c, '\u{6F0}'..='\u{6F9}'));
    let arabic = shown.chars().any(is_arabic_digit);
    if starts && ends && !(european && arabic) { Ok(()) } else { Err(InvalidName::Direction) }
}

/// Digits of the bidirectional class AN: Arabic and Hanifi Rohingya.
fn is_arabic_digit(c: char) -> bool {
    matches!(c, '\u{660}'..='\u{669}' | '\u{10D30}'..='\u{10D39}')
}

/// Letters of the bidirectional classes R and AL, by Unicode block. Digits in these blocks are
/// excluded: they have classes of their own.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
        && !is_arabic_digit(c)
        && !matches!(c, '\u{6F0}'..='\u{6F9}')
        && !is_combining_mark(c)
}
