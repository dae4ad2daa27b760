//! Which characters a name may hold, how many marks, which scripts beside each other, and in which direction.
//!
//! Letters and digits are those that UTS 39 recommends for identifiers (UAX 31, table 5); those of the scripts of
//! limited use (table 7), and those in uncommon use, because both are of languages that people speak and write today,
//! and a name is short for some of them: the surname 﨑, Skolt Sámi ǥ, the points of Yiddish; and letters in their own
//! right that Unicode takes apart for compatibility. Not here: which names look alike, and which nobody gets.
//!
//! What is stricter here than in an earlier release holds for names that are taken from then on: one that was kept is
//! recalled without asking, see [`Name::recall`](super::Name::recall).

use core::fmt;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_security::GeneralSecurityProfile;
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::text;

/// The most marks in a row a name may have: enough for the deepest Burmese syllable.
const MAX_MARKS: usize = 6;

/// The rule that a text breaks as a name. Reads as the rest of a sentence that starts with the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// The text is empty.
    Empty,
    /// More grapheme clusters than allowed.
    TooLong {
        /// The number of grapheme clusters allowed.
        max_chars: usize,
    },
    /// Few enough characters, but too many bytes of UTF-8 in them.
    TooManyBytes {
        /// The number of bytes allowed.
        max_bytes: usize,
    },
    /// A character that is no letter, mark, digit, `-`, `_` or `.`.
    Character(char),
    /// A character that has a place in names, and does not stand there: the character, and its place.
    Misplaced(char, &'static str),
    /// A letter, mark or digit of a script that nobody writes names in today, or next to nobody (UAX 31, table 4).
    Script(char),
    /// A letter or digit that is another form of plain ones, and these.
    Form(char, String),
    /// A letter, mark or digit that UTS 39 keeps out of identifiers for another reason, and the reason.
    Unusual(char, &'static str),
    /// The first character is neither a letter nor a digit.
    Start(char),
    /// Marks piled up, or one mark twice on the same letter.
    Marks(char),
    /// Letters of scripts that are not written together (UTS 39, "highly restrictive").
    Scripts(String, String),
    /// Written right to left, but not so that it stays in one piece wherever it is shown.
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
    // Vowel signs of Indic scripts are alphabetic, yet marks: nothing for them to stand on.
    if !first.is_alphanumeric() || is_combining_mark(first) {
        return Err(InvalidName::Start(first));
    }
    Ok(())
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

/// Whether names may hold a letter, mark or digit.
fn is_allowed(c: char) -> bool {
    c.identifier_allowed()
        || match c.identifier_type() {
            Some(IdentifierType::Limited_Use) => true,
            // Of a script: marks that go with all of them strike letters out, and underline them.
            Some(IdentifierType::Uncommon_Use) => !AugmentedScriptSet::for_char(c).is_all(),
            // Of Yiddish; it has several types, and the tables that we have leave those out.
            None if c == '\u{5BF}' => true,
            _ => is_letter_in_its_own_right(c),
        }
}

/// Letters of languages in use that Unicode takes apart for compatibility (NFKC) and therefore keeps out of
/// identifiers: writers of the language have a key for them, and no other way to write. Folding takes them apart, so
/// both spellings are one name.
///
/// All other letters that NFKC changes are forms of letters (superscripts, ligatures, presentation forms, letters of
/// mathematics, Roman numerals) or digraphs that are typed as two letters (ĳ, ǆ, ŀ), and are refused with what to
/// write instead; those that differ in width alone are made ordinary.
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
        // It can have several types.
        _ => "restricted",
    };
    InvalidName::Unusual(c, reason)
}

/// Whether a character is in its place, by the characters before and behind it.
type IsThere = fn(Option<char>, Option<char>) -> bool;

/// The place of those characters that are no letters, and yet belong to how names are written (UAX 31, table 3).
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

/// Whether a character joins letters or keeps them apart, and shows nothing itself.
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
            // It starts nothing that marks could pile up on.
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

/// UTS 39, restriction level 3 ("highly restrictive"): one script, or Latin beside the scripts of
/// Chinese, Japanese or Korean. Common and inherited characters go with every script.
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
    // Name two that clash; three scripts that clash only together do not exist in the rules, but
    // should they, the first and the last are as good as any.
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

/// The parts of RFC 5893's Bidi rule (section 2, rules 1 to 4) that are left once scripts do not
/// mix: so that no neighbour and no digit moves a name's ends.
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

/// Digits of class AN: of Arabic and of Hanifi Rohingya.
fn is_arabic_digit(c: char) -> bool {
    matches!(c, '\u{660}'..='\u{669}' | '\u{10D30}'..='\u{10D39}')
}

/// Letters of classes R and AL, by block: the digits among them have classes of their own.
fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
        && !is_arabic_digit(c)
        && !matches!(c, '\u{6F0}'..='\u{6F9}')
        && !is_combining_mark(c)
}
