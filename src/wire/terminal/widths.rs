//! The widths of characters in columns. Terminals differ: East Asian Ambiguous characters (§ ± é Ж
//! α) have one column or two by the user's choice, combining marks none or one, and joined
//! characters the width of one character or of several.
//!
//! So a terminal is measured: it is sent [`SAMPLE`], and asked where its cursor is. If it does not
//! answer, or not as most terminals do, nothing is assumed about it. In both cases [`Widths::most`]
//! is an upper bound of the width on the terminal.

use unicode_normalization::char::is_combining_mark;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

/// What is known of the widths of characters on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Widths {
    /// Nothing is known: ASCII characters have one column, and any other may have two.
    #[default]
    Unknown,
    /// [`SAMPLE`] has taken [`SAMPLE_COLUMNS`], as on most terminals: Ambiguous characters have one
    /// column, and marks above and below letters none.
    Usual,
}

/// Characters whose widths differ between terminals.
pub const SAMPLE: &str = "±×§Жд─●αe\u{301}ก\u{e34}";

/// The columns that [`SAMPLE`] takes on most terminals; on all others it takes more.
pub const SAMPLE_COLUMNS: u16 = 10;

/// Ranges of spacing marks to which the `unicode-width` crate gives no column, while glibc and tmux
/// show one for each, or two for Hangul tone marks. Marks above U+FFFF are not listed, see
/// [`is_spacing`].
const SPACING: &[(char, char)] = &[
    ('\u{9BE}', '\u{9BE}'),
    ('\u{9D7}', '\u{9D7}'),
    ('\u{B3E}', '\u{B3E}'),
    ('\u{B57}', '\u{B57}'),
    ('\u{BBE}', '\u{BBE}'),
    ('\u{BD7}', '\u{BD7}'),
    ('\u{CC0}', '\u{CC0}'),
    ('\u{CC2}', '\u{CC2}'),
    ('\u{CC7}', '\u{CC8}'),
    ('\u{CCA}', '\u{CCB}'),
    ('\u{CD5}', '\u{CD6}'),
    ('\u{D3E}', '\u{D3E}'),
    ('\u{D57}', '\u{D57}'),
    ('\u{DCF}', '\u{DCF}'),
    ('\u{DDF}', '\u{DDF}'),
    ('\u{1715}', '\u{1715}'),
    ('\u{1734}', '\u{1734}'),
    ('\u{1B35}', '\u{1B35}'),
    ('\u{1B3B}', '\u{1B3D}'),
    ('\u{1B43}', '\u{1B44}'),
    ('\u{1BAA}', '\u{1BAA}'),
    ('\u{1BF2}', '\u{1BF3}'),
    ('\u{302E}', '\u{302F}'),
    ('\u{A953}', '\u{A953}'),
    ('\u{A9C0}', '\u{A9C0}'),
];

impl Widths {
    /// The most columns that a terminal may give a grapheme, whether it draws it as one character
    /// or each part by itself.
    #[must_use]
    pub fn most(self, grapheme: &str) -> usize {
        if grapheme.len() == 1 {
            return 1;
        }
        let parts = grapheme.chars().map(|c| self.most_of(c)).sum::<usize>();
        match self {
            Self::Unknown => parts,
            Self::Usual => parts.max(grapheme.width()),
        }
    }

    fn most_of(self, c: char) -> usize {
        match self {
            _ if c.is_ascii() => 1,
            // One character has three columns: ៘ (U+17D8).
            Self::Unknown => c.width().unwrap_or(0).max(2),
            Self::Usual => most_usual(c),
        }
    }
}

/// The columns that most terminals give a grapheme: good enough to align texts, but not reliable.
#[must_use]
pub fn usual(grapheme: &str) -> usize {
    let parts = grapheme.chars().map(|c| if is_spacing(c) { 1 } else { c.width().unwrap_or(0) });
    parts.sum::<usize>().max(grapheme.width())
}

/// The fewest columns that a terminal may give a grapheme. Joined characters, such as emoji of
/// several characters, have the width of their first character on a terminal that joins them, and
/// that of [`usual`] on others.
#[must_use]
pub fn least(grapheme: &str) -> usize {
    let usual = usual(grapheme);
    let is_joined = |c| matches!(c, '\u{200D}' | '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}');
    if grapheme.contains('\u{FE0E}') {
        usual.min(1)
    } else if grapheme.contains(is_joined) {
        usual.min(grapheme.chars().next().and_then(UnicodeWidthChar::width).unwrap_or(0))
    } else {
        usual
    }
}

fn most_usual(c: char) -> usize {
    match c.width().unwrap_or(0) {
        0 if matches!(c, '\u{200C}' | '\u{200D}') => 1,
        0 if is_combining_mark(c) && !is_spacing(c) => 0,
        0 if is_spacing(c) && c < '\u{3000}' => 1,
        // Parts of Korean syllables by themselves, and rare characters.
        0 => 2,
        1 if may_be_wide(c) => 2,
        width => width,
    }
}

fn is_spacing(c: char) -> bool {
    // Above U+FFFF are rare scripts; all their marks count as spacing, to be safe.
    (('\u{10000}'..'\u{E0000}').contains(&c) && is_combining_mark(c))
        || SPACING.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// Whether a terminal may show a character in two columns to which `unicode-width` gives one:
/// symbols that are emoji in some fonts, characters of private use, and Ambiguous characters of
/// East Asia.
fn may_be_wide(c: char) -> bool {
    matches!(
        c,
        '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{24C2}'
            | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}' | '\u{2600}'..='\u{27BF}'
            | '\u{2900}'..='\u{297F}' | '\u{2B00}'..='\u{2BFF}'
            | '\u{3248}'..='\u{324F}' | '\u{4DC0}'..='\u{4DFF}'
            | '\u{E000}'..='\u{F8FF}' | '\u{1D300}'..='\u{1D37F}' | '\u{1F000}'..='\u{1FBFF}' | '\u{E0000}'..
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_segmentation::UnicodeSegmentation as _;

    #[test]
    fn a_text_of_any_living_script_is_no_wider_than_taken_for() {
        // The widths by glibc (wcwidth) and tmux.
        for (text, columns) in [
            ("hello", 5),
            ("Grüße Жд αβ", 11),
            ("আমার সোনার বাংলা", 16 - 1),
            ("தமிழ் கொடு", 8),
            ("മലയാളം", 6),
            ("ಕನ್ನಡ ಕೊ", 7),
            ("ශ්‍රී ලංකා", 8),
            ("हिन्दी", 5),
            ("สวัสดีกำ", 6),
            ("ខ្មែរ", 4),
            ("日本語 한국어", 13),
            ("ㅎㅏㄴ", 6),
            ("👩\u{200D}👩\u{200D}👧", 6),
            ("❤\u{FE0F}", 2),
            ("🇩🇪", 2),
            ("שָׁלוֹם", 4),
        ] {
            for widths in [Widths::Unknown, Widths::Usual] {
                let most: usize = text.graphemes(true).map(|grapheme| widths.most(grapheme)).sum();
                assert!(most >= columns, "{text}: {most} are less than {columns}, {widths:?}");
            }
        }
        let most = |text: &str| text.graphemes(true).map(|grapheme| Widths::Usual.most(grapheme)).sum::<usize>();
        assert_eq!(most(SAMPLE), usize::from(SAMPLE_COLUMNS));
        assert_eq!([most("Ж"), most("é"), most("e\u{301}"), most("กิ"), most("日"), most("বা")], [1, 1, 1, 1, 2, 2]);
    }

    #[test]
    fn what_is_joined_may_have_as_few_columns_as_its_first_character() {
        for (grapheme, columns) in [
            ("👩\u{200D}👩\u{200D}👧", 2),
            ("🏳\u{FE0F}\u{200D}🌈", 1),
            ("👍🏽", 2),
            ("❤\u{FE0F}", 1),
            ("1\u{FE0F}\u{20E3}", 1),
            ("⌚\u{FE0E}", 1),
            ("\u{FE0F}", 0),
            ("🏽", 2),
            ("ශ්\u{200D}රී", 1),
            // Graphemes without joined characters keep their usual width.
            ("🇩🇪", 2),
            ("👍", 2),
            ("é", 1),
            ("a", 1),
            ("কা", 2),
        ] {
            assert_eq!(least(grapheme), columns, "{grapheme}");
            assert!(usual(grapheme) >= columns, "{grapheme}");
        }
    }

    #[test]
    fn nothing_is_narrower_than_the_table_and_only_marks_have_no_column() {
        for c in ('\u{20}'..=char::MAX).filter(|c| !c.is_control()) {
            let most = Widths::Usual.most_of(c);
            assert!(most <= 3 && most >= c.width().unwrap_or(0), "{c:?}");
            assert!(most > 0 || is_combining_mark(c), "{c:?}");
            assert!(Widths::Unknown.most_of(c) >= most, "{c:?}");
        }
    }
}
