//! Which characters of a text may reach another person's screen.
//!
//! All text from strangers passes [`clean`] on its way in, and [`is_clean`] checks it again on its
//! way out, so that text from elsewhere (history, an import, an older version) cannot carry an
//! escape sequence to a terminal either. This module knows characters; it knows nothing of names,
//! lines or limits on length.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_width::UnicodeWidthChar;

/// The most combining marks on one base character.
///
/// The longest stacks of living scripts (Burmese, Tibetan, pointed Hebrew with accents) stay below
/// this; higher stacks paint over the neighbouring lines. Zero-width characters that are not marks,
/// such as joiners and variation selectors, count too: a long run of them can hide data.
pub const MAX_MARKS: usize = 8;

/// The most columns of blanks in a row. Behind a longer gap, on a screen whose width is only
/// guessed, text could begin at the left edge and look like a line of its own. Indented code has
/// fewer.
pub const MAX_BLANKS: u32 = 16;

/// Turns bytes from a client into text, without any character that could move a cursor, reorder the
/// text beside it, or hide something.
///
/// - Bytes that are not UTF-8 become U+FFFD, one for each maximal broken sequence; so the result
///   is at most three times as long as the input.
/// - Control characters except TAB, bidirectional controls and invisible format characters are
///   removed. ZWJ, ZWNJ and variation selectors stay: emoji, Persian and Indic scripts need them.
/// - In a run of combining marks, all after the first [`MAX_MARKS`] are removed.
///
/// Text that needs no change is borrowed. Cleaning cleaned text changes nothing.
#[must_use]
pub fn clean(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && is_clean(text)
    {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(bytes.len());
    let mut marks = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if !is_removed(c) && fits(c, &mut marks) {
                cleaned.push(c);
            }
        }
        if !chunk.invalid().is_empty() {
            cleaned.push(char::REPLACEMENT_CHARACTER);
            marks = 0;
        }
    }
    Cow::Owned(cleaned)
}

/// Whether [`clean`] would leave `text` as it is.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    // Without an early exit this loop compiles to SIMD comparisons; most lines are plain ASCII and
    // end here.
    let plain = text.bytes().fold(true, |plain, byte| plain & is_plain_ascii(byte));
    if plain {
        return true;
    }
    let mut marks = 0;
    text.chars().all(|c| !is_removed(c) && fits(c, &mut marks))
}

/// Shortens each run of blanks in a cleaned text to at most [`MAX_BLANKS`] columns. Other
/// characters stay.
#[must_use]
pub fn without_long_blanks(text: &str) -> Cow<'_, str> {
    let mut run = Blanks::default();
    if text.chars().all(|c| run.has_room(c)) {
        return Cow::Borrowed(text);
    }
    let mut run = Blanks::default();
    Cow::Owned(text.chars().filter(|c| run.has_room(*c)).collect())
}

/// Columns of blanks directly before the next character.
#[derive(Default)]
struct Blanks(u32);

impl Blanks {
    /// Whether `c` may come next; updates the count of columns.
    fn has_room(&mut self, c: char) -> bool {
        if !is_blank_cell(c) {
            // A mark on a blank shows little more than the blank.
            self.0 = if stacks(c) { self.0 } else { 0 };
            return true;
        }
        let columns = if c == '\t' { TAB } else { 1 };
        let fits = self.0 + columns <= MAX_BLANKS;
        self.0 += if fits { columns } else { 0 };
        fits
    }
}

/// The most columns that a tab can take.
const TAB: u32 = 8;

/// Whether a terminal shows the character as empty cells.
fn is_blank_cell(c: char) -> bool {
    match c {
        ' ' | '\t' => true,
        '!'..='~' => false,
        _ => c.is_whitespace() || matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}'),
    }
}

/// Whether the text shows nothing: it is empty, or holds only white space, control characters,
/// joiners and the few letters that fonts leave empty.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || is_removed(c)
            || matches!(
                c,
                '\u{200C}' | '\u{200D}' // joiners
                | '\u{180B}'..='\u{180D}' | '\u{180F}' // variation selectors: Mongolian,
                | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' // the rest
                | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
                | '\u{2800}' // Braille pattern blank
            )
    })
}

fn is_plain_ascii(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t')
}

/// Whether `c` may come after a run of `marks` combining marks; updates `marks`.
fn fits(c: char, marks: &mut usize) -> bool {
    if !stacks(c) {
        *marks = 0;
        return true;
    }
    if *marks == MAX_MARKS {
        return false;
    }
    *marks += 1;
    true
}

/// Whether a terminal draws `c` into the cell of the character before it.
fn stacks(c: char) -> bool {
    // Characters of width zero that are not marks count too: joiners, and the vowels and final
    // consonants of conjoining Hangul, any number of which can follow one initial consonant.
    c >= '\u{300}' && (is_combining_mark(c) || c.width() == Some(0))
}

/// Whether `c` must never reach a screen.
fn is_removed(c: char) -> bool {
    match c {
        '\t' | ' '..='~' => false,
        _ => {
            matches!(
                c,
                '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}' // C0, DEL, C1
                | '\u{061C}' | '\u{200E}' | '\u{200F}' // direction marks
                | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' // embeddings, overrides, isolates
                | '\u{2028}' | '\u{2029}' // line and paragraph separators
                | '\u{AD}' | '\u{034F}' | '\u{200B}' // soft hyphen, grapheme joiner, zero-width space
                | '\u{17B4}' | '\u{17B5}' | '\u{180E}' // invisible Khmer vowels, Mongolian separator
                | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' // invisible operators, deprecated
                | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' // byte-order mark, interlinear annotation
                | '\u{13430}'..='\u{1343F}' // hieroglyph layout
                | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' // shorthand, musical layout
                | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}' // tags, and ignorable for good
                | '\u{FDD0}'..='\u{FDEF}'
            ) || is_plane_end(c)
        }
    }
}

/// Whether `c` is one of the two noncharacters that end each plane.
fn is_plane_end(c: char) -> bool {
    u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(clean(bytes.as_ref()), expected);
    }

    #[track_caller]
    fn check_kept(text: &str) {
        assert!(
            matches!(clean(text.as_bytes()), Cow::Borrowed(kept) if kept == text),
            "{text:?} became {:?}",
            clean(text.as_bytes())
        );
    }

    #[test]
    fn ordinary_text_of_any_script_is_borrowed_unchanged() {
        for text in [
            "",
            "hello\tworld ~",
            "grüße, žluťoučký kůň",
            "привет",
            "שָׁלוֹם",
            "می\u{200C}خواهم", // with a ZWNJ
            "क्\u{200D}ष",      // with a ZWJ
            "မြန်မာ",
            "日本語 한국어",
            "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467} \u{2764}\u{FE0F} \u{1F1E9}\u{1F1EA} \u{1F44D}\u{1F3FD}",
            "\u{FFFD}",
            "\u{E0B0}", // private use: prompt glyphs
        ] {
            check_kept(text);
        }
    }

    #[test]
    fn escape_sequences_lose_their_escape() {
        check("\x1b[2Jboo\x07", "[2Jboo");
        check("\u{9b}2Jboo", "2Jboo");
        check("a\r\nb\0c\x7fd", "abcd");
    }

    #[test]
    fn bytes_that_are_not_utf8_become_replacement_characters() {
        check(b"a\xffb", "a\u{FFFD}b");
        check(b"gr\xfc\xdfe", "gr\u{FFFD}\u{FFFD}e");
        check(b"\xe2\x82", "\u{FFFD}");
        check(b"\x9b2J", "\u{FFFD}2J"); // a bare C1 byte
        check(b"\xc0\xafx\xed\xa0\x80", "\u{FFFD}\u{FFFD}x\u{FFFD}\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn direction_and_invisible_characters_are_removed() {
        for c in "\u{61C}\u{200E}\u{200F}\u{202A}\u{202E}\u{2066}\u{2069}\u{2028}\u{2029}\u{FEFF}\
                  \u{E0001}\u{E0041}\u{E007F}\u{FFF9}\u{FFFB}\u{AD}\u{200B}\u{2060}\u{2064}\u{206A}\
                  \u{180E}\u{34F}\u{1D173}\u{FFFE}\u{FDD0}\u{10FFFF}\u{80}\u{9F}"
            .chars()
        {
            check(format!("a{c}b"), "ab");
            assert!(!is_clean(&format!("a{c}b")), "{c:?}");
        }
    }

    #[test]
    fn marks_are_cut_after_the_eighth_and_removed_characters_do_not_restart_the_count() {
        let zalgo = format!("z{}a", "\u{301}".repeat(40));
        check(&zalgo, &format!("z{}a", "\u{301}".repeat(8)));
        let sneaky = format!("z{}a", "\u{301}\u{200B}".repeat(40));
        check(&sneaky, &format!("z{}a", "\u{301}".repeat(8)));
        let hidden = format!("z{}a", "\u{FE01}".repeat(40));
        check(&hidden, &format!("z{}a", "\u{FE01}".repeat(8)));
        let jamo = format!("\u{1100}{}", "\u{1161}".repeat(40));
        check(&jamo, &format!("\u{1100}{}", "\u{1161}".repeat(8)));
    }

    #[test]
    fn blanks_are_cut_after_sixteen_columns_whatever_they_are() {
        #[track_caller]
        fn check_cut(text: &str, expected: &str) {
            assert_eq!(without_long_blanks(text), expected);
            assert!(matches!(without_long_blanks(expected), Cow::Borrowed(_)));
        }
        let forged = |blank: &str, many: usize| format!("hm{}bob: hi", blank.repeat(many));
        check_cut(&forged(" ", 16), &forged(" ", 16));
        check_cut(&forged("\t", 2), &forged("\t", 2));
        check_cut(&forged(" ", 17), &forged(" ", 16));
        for blank in [" ", "\u{A0}", "\u{3000}", "\u{2003}", "\u{2800}", "\u{3164}", "\u{115F}", "\u{1160}", "\u{FFA0}"]
        {
            check_cut(&forged(blank, 99), &forged(blank, 16));
        }
        check_cut(&forged("\t", 20), &forged("\t", 2));
        check_cut(&forged(" \t", 20), &forged(" ", 8).replacen(' ', " \t", 1));
        // Marks between blanks show nothing either.
        let cut = without_long_blanks(&forged(" \u{301}", 99)).into_owned();
        assert_eq!(cut.trim_end_matches("bob: hi").matches(' ').count(), 16, "{cut:?}");
    }

    #[test]
    fn blank_is_what_shows_nothing() {
        for blank in ["", " \t ", "\u{A0}\u{3000}", "\u{200D}\u{FE0F}", "\u{3164}", "\u{2800}", "\x1b"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for visible in ["a", " . ", "\u{FFFD}", "日", "a\u{200D}"] {
            assert!(!is_blank(visible), "{visible:?}");
        }
    }

    proptest! {
        #[test]
        fn clean_output_is_clean_and_cleaning_again_changes_nothing(bytes in hostile()) {
            let once = clean(&bytes).into_owned();
            prop_assert!(is_clean(&once));
            prop_assert!(once.len() <= 3 * bytes.len());
            prop_assert!(matches!(clean(once.as_bytes()), Cow::Borrowed(again) if again == once));
        }

        #[test]
        fn no_control_character_but_tab_survives(bytes in hostile()) {
            prop_assert!(clean(&bytes).chars().all(|c| c == '\t' || !c.is_control()));
        }

        #[test]
        fn what_is_borrowed_is_what_is_clean(text in any::<String>()) {
            prop_assert_eq!(matches!(clean(text.as_bytes()), Cow::Borrowed(_)), is_clean(&text));
        }
    }

    /// Random bytes, with a preference for dangerous ones.
    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            any::<char>().prop_map(|c| c.to_string().into_bytes()),
            prop::char::range('\u{300}', '\u{36F}').prop_map(|c| c.to_string().into_bytes()),
            prop::char::range('\u{2000}', '\u{206F}').prop_map(|c| c.to_string().into_bytes()),
            prop::char::range('\u{E0000}', '\u{E01FF}').prop_map(|c| c.to_string().into_bytes()),
        ];
        prop::collection::vec(piece, 0..64).prop_map(|pieces| pieces.concat())
    }
}
