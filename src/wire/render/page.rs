//! Writing lines for one view: with colours or without, wrapped at the width of a terminal or not,
//! in UTF-8 or ASCII. This module does not know which texts it writes.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_segmentation::UnicodeSegmentation as _;

use super::colors::color;
use crate::hub::message::View;
use crate::values::terminal::Colors;
use crate::values::text;
use crate::wire::terminal::widths::{self, Widths};

/// The least indentation of a line's rows after the first, in columns.
const LEAST_HANG: usize = 2;

/// The brightness of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The terminal's default.
    Plain,
    /// Less bright, for texts that matter less.
    Dim,
    /// Bold, for texts that are meant for the reader alone.
    Bold,
}

/// Writes lines, each from its beginning to [`Page::end`].
pub struct Page<'a> {
    out: &'a mut Vec<u8>,
    view: View,
    /// The offset in `out` at which the present line starts.
    start: usize,
    /// The indentation of the present line's rows after the first, in columns.
    hang: usize,
    style: Style,
    /// Whether the present line is the hub's own, and no person's.
    is_own: bool,
}

/// The width of rows in the hub's own lines if the width of the screen is not known: they fit a
/// screen of 80 columns.
const OWN_ROW: usize = 79;

impl<'a> Page<'a> {
    /// A page that appends lines to `out`, rendered in `view`.
    pub fn new(view: View, out: &'a mut Vec<u8>) -> Self {
        let start = out.len();
        Self { out, view, start, hang: 0, style: Style::Plain, is_own: false }
    }

    /// The most columns in a row. `None` if the width of the screen is not known and the line is a
    /// person's: then the reader's terminal breaks it.
    #[must_use]
    pub fn room(&self) -> Option<usize> {
        match self.view.width {
            0 | 1 => self.is_own.then_some(OWN_ROW),
            // The last column stays free: terminals disagree about where the cursor is when it is
            // filled.
            width => Some(usize::from(width) - 1),
        }
    }

    /// Marks the present line as the hub's own: it is broken into rows even if the width is not
    /// known.
    pub fn own(&mut self) {
        self.is_own = true;
    }

    fn widths(&self) -> Widths {
        // If not even the width is known, most terminals' widths of characters are assumed.
        if self.view.usual || self.view.width == 0 { Widths::Usual } else { Widths::Unknown }
    }

    /// Appends a text, which is cleaned.
    pub fn text(&mut self, text: &str) {
        if text::is_clean(text) {
            self.clean(text);
        } else {
            self.clean(&text::clean(text.as_bytes()));
        }
    }

    fn clean(&mut self, text: &str) {
        if self.view.width > 0 && text.contains('\t') {
            return self.clean(&text.replace('\t', "    "));
        }
        if self.view.ascii && !text.is_ascii() {
            ascii(text, self.out);
        } else {
            self.out.extend_from_slice(text.as_bytes());
        }
    }

    /// Appends a person's name, in its colour.
    pub fn name(&mut self, nick: &str) {
        let Some(color) = color(nick, self.view.colors) else { return self.text(nick) };
        self.out.extend_from_slice(color.as_bytes());
        self.text(nick);
        self.out.extend_from_slice(b"\x1b[39m");
    }

    /// Appends a text in which the ranges `hits` are highlighted: in reverse video, or, if there
    /// are no colours and `stars` is set, between stars. `hits` are ranges of bytes in rising
    /// order.
    pub fn marked(&mut self, text: &str, hits: &[Range<usize>], stars: bool) {
        let (before, behind): (&[u8], &[u8]) = match self.view.colors {
            Colors::None if stars => (b"*", b"*"),
            Colors::None => (b"", b""),
            _ => (b"\x1b[7m", b"\x1b[27m"),
        };
        let mut at = 0;
        for hit in hits {
            self.text(&text[at..hit.start]);
            self.out.extend_from_slice(before);
            self.text(&text[hit.clone()]);
            self.out.extend_from_slice(behind);
            at = hit.end;
        }
        self.text(&text[at..]);
    }

    /// Makes the terminal ring (BEL).
    pub fn ring(&mut self) {
        self.out.push(0x07);
    }

    /// Shows further text in `style`, up to the end of the line.
    pub fn style(&mut self, style: Style) {
        if self.view.colors != Colors::None && style != self.style {
            self.style = style;
            self.out.extend_from_slice(match style {
                Style::Plain => &b"\x1b[22m"[..],
                Style::Dim => b"\x1b[2m",
                Style::Bold => b"\x1b[1m",
            });
        }
    }

    /// Sets the indentation of the line's further rows to the column reached so far.
    pub fn hang(&mut self) {
        if let Some(room) = self.room() {
            let column = columns(&String::from_utf8_lossy(&self.out[self.start..]));
            // Beyond two thirds of the width, too little room would be left; two columns suffice to
            // show that the line goes on.
            self.hang = if column <= room * 2 / 3 { column } else { 2 };
        }
    }

    /// Whether the present line begins with that text, behind its time and its colours.
    fn is_headed(&self, head: &[u8]) -> bool {
        let mut line = &self.out[self.start..];
        while let Some(end) = match line.first() {
            Some(0x1b) => line.iter().position(|byte| *byte == b'm'),
            Some(b'[') if line.get(1).is_some_and(u8::is_ascii_digit) => line.iter().position(|byte| *byte == b' '),
            _ => None,
        } {
            line = &line[end + 1..];
        }
        line.starts_with(head)
    }

    /// Ends the line: breaks it into rows if necessary, and appends CR LF.
    pub fn end(&mut self) {
        self.style(Style::Plain);
        debug_assert!(self.is_own || !self.is_headed(b"-- "), "a line of the hub's own is broken at any width");
        if let Some(room) = self.room()
            && self.out.len() - self.start > room
        {
            let line = self.out.split_off(self.start);
            // Further rows are always indented, so that no part of what somebody says looks like a
            // line of its own.
            wrap(&String::from_utf8_lossy(&line), self.widths(), room, self.hang.max(LEAST_HANG), self.out);
        }
        self.out.extend_from_slice(b"\r\n");
        self.start = self.out.len();
        self.hang = 0;
        self.is_own = false;
    }
}

/// The parts of a line, each with its columns: graphemes, and the control sequences for colours and
/// styles. A grapheme that most terminals show in more than `most` columns is split into its
/// characters: it belongs to no language, and text behind it could be displayed anywhere.
fn parts(line: &str, widths: Widths, most: usize) -> impl Iterator<Item = (&str, usize)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let (part, columns) = match rest.strip_prefix('\x1b') {
            Some(behind) => (&rest[..behind.find('m').map_or(rest.len(), |end| end + 2)], 0),
            None => {
                let grapheme = rest.graphemes(true).next()?;
                let columns = widths.most(grapheme);
                let first = grapheme.chars().next().map_or(0, char::len_utf8);
                if columns <= most || Widths::Usual.most(grapheme) <= most {
                    (grapheme, columns)
                } else {
                    (&grapheme[..first], widths.most(&grapheme[..first]))
                }
            }
        };
        rest = &rest[part.len()..];
        Some((part, columns))
    })
}

/// The columns that a line takes on most terminals.
#[must_use]
pub fn columns(line: &str) -> usize {
    if !line.contains('\x1b') && line.is_ascii() {
        return line.len();
    }
    parts(line, Widths::Usual, usize::MAX)
        .map(|(part, _)| if part.starts_with('\x1b') { 0 } else { widths::usual(part) })
        .sum()
}

/// Appends a line in rows of at most `room` columns, without an end behind the last. It is broken
/// between words if possible, else between graphemes. Rows after the first are indented by `hang`
/// columns. A grapheme that does not fit behind that indentation, such as an emoji of many parts on
/// a narrow screen, gets a row of its own with less indentation.
fn wrap(line: &str, widths: Widths, room: usize, hang: usize, out: &mut Vec<u8>) {
    let hang = hang.min(room * 2 / 3);
    // The width of the present row so far, and the beginning of its last word: as an offset in
    // `out` and as a column.
    let (mut col, mut word, mut word_col) = (0, out.len(), 0);
    // Spaces that are not written yet, because a break would replace them. Spaces at the beginning
    // of the line are always written.
    let mut spaces = 0;
    let mut begun = false;
    // The offset in `out` at which the present row begins, behind its indentation.
    let mut begin = out.len();
    let least = LEAST_HANG.min(hang);
    for (part, columns) in parts(line, widths, room - least) {
        if part == " " && begun {
            spaces += 1;
            continue;
        }
        begun |= part != " ";
        if columns > room - hang && col + spaces + columns > room {
            if out.len() > begin {
                row(least, out);
            } else if col > 0 {
                out.truncate(out.len() - hang + least);
            }
            out.extend_from_slice(part.as_bytes());
            (word, word_col, col, spaces) = (out.len(), room, room, 0);
            continue;
        }
        if spaces > 0 && columns > 0 {
            if col + spaces + columns <= room {
                out.resize(out.len() + spaces, b' ');
                (word, word_col) = (out.len(), col + spaces);
                col += spaces;
            } else {
                row(hang, out);
                begin = out.len();
                (word, word_col, col) = (begin, hang, hang);
            }
            spaces = 0;
        }
        if col + columns > room {
            if word_col > hang && col - word_col + columns <= room - hang {
                // The word moves to the next row.
                let moved = out.split_off(word);
                let kept = out.trim_ascii_end().len();
                out.truncate(kept);
                row(hang, out);
                begin = out.len();
                word = begin;
                out.extend_from_slice(&moved);
                col = col - word_col + hang;
                word_col = hang;
            } else {
                row(hang, out);
                begin = out.len();
                (word, word_col, col) = (begin, hang, hang);
            }
        }
        out.extend_from_slice(part.as_bytes());
        col += columns;
    }
}

fn row(hang: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\n");
    out.resize(out.len() + hang, b' ');
}

/// Appends `text` in ASCII, as near as possible.
fn ascii(text: &str, out: &mut Vec<u8>) {
    for grapheme in text.graphemes(true) {
        let before = out.len();
        for c in grapheme.nfkd() {
            let like = match c {
                ' '..='~' | '\t' => {
                    out.push(u8::try_from(c).unwrap_or(b'?'));
                    continue;
                }
                '‘' | '’' | '‚' | '′' => "'",
                '“' | '”' | '„' | '″' => "\"",
                '«' => "<<",
                '»' => ">>",
                '‹' => "<",
                '›' => ">",
                '–' | '—' | '‐' | '‑' | '−' => "-",
                '•' | '·' => "*",
                '→' => "->",
                '←' => "<-",
                '×' => "x",
                '€' => "EUR",
                '£' => "GBP",
                '©' => "(c)",
                '®' => "(R)",
                'ß' => "ss",
                'æ' => "ae",
                'Æ' => "AE",
                'œ' => "oe",
                'Œ' => "OE",
                'ø' => "o",
                'Ø' => "O",
                'ł' => "l",
                'Ł' => "L",
                'đ' | 'ð' => "d",
                'Đ' | 'Ð' => "D",
                'þ' => "th",
                'Þ' => "Th",
                'ı' => "i",
                _ => continue,
            };
            out.extend_from_slice(like.as_bytes());
        }
        if out.len() == before {
            out.push(b'?');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(line: &str, room: usize, hang: usize) -> String {
        let mut out = b"before ".to_vec();
        wrap(line, Widths::Usual, room, hang, &mut out);
        String::from_utf8(out.split_off(7)).unwrap().replace("\r\n", "/")
    }

    #[test]
    fn lines_are_broken_between_words_and_go_on_below_their_text() {
        assert_eq!(wrapped("ann: one two three", 12, 5), "ann: one two/     three");
        assert_eq!(wrapped("ann: one two  three", 13, 5), "ann: one two/     three");
        assert_eq!(wrapped("ann: one, a longer", 12, 5), "ann: one, a/     longer");
        assert_eq!(wrapped("one two three", 3, 0), "one/two/thr/ee");
        assert_eq!(wrapped("ann: abcdefghijklmnop", 12, 5), "ann: abcdefg/     hijklmn/     op");
        assert_eq!(wrapped("ann: 日本語日本語", 12, 5), "ann: 日本語/     日本語");
        assert_eq!(wrapped("  in front", 7, 2), "  in/  front");
        assert_eq!(wrapped("a\x1b[2mbc de\x1b[22m", 4, 0), "a\x1b[2mbc/de\x1b[22m");
    }

    #[test]
    fn ascii_is_as_near_as_it_gets() {
        let told = |text: &str| {
            let mut out = Vec::new();
            ascii(text, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            told("Grüße, Ærøskøbing – „žluťoučký kůň“… 5 €"),
            "Grusse, AEroskobing - \"zlutoucky kun\"... 5 EUR"
        );
        assert_eq!(told("日本 \u{1F469}\u{200D}\u{1F469} ok"), "?? ? ok");
    }

    proptest! {
        #[test]
        fn rows_fit_and_nothing_but_spaces_is_lost(
            line in "([a-z]{1,9}|日|é|Ж|বা|👩\u{200D}👩|e\u{301}|  ?|\x1b\\[2m){0,60}",
            room in 8_usize..40,
            hang in 0_usize..40,
            usual in any::<bool>(),
        ) {
            let mut out = Vec::new();
            let widths = if usual { Widths::Usual } else { Widths::Unknown };
            wrap(&line, widths, room, hang, &mut out);
            let text = String::from_utf8(out).expect("whole characters");
            for row in text.split("\r\n") {
                let most: usize = parts(row, widths, usize::MAX).map(|(_, columns)| columns).sum();
                let is_one = row.trim().graphemes(true).count() == 1;
                prop_assert!(most <= room || is_one, "{row:?} in {text:?}");
            }
            let bare = |text: &str| text.replace([' ', '\r', '\n'], "");
            prop_assert_eq!(bare(&text), bare(&line));
        }

        #[test]
        fn no_character_is_torn_on_any_screen(
            words in proptest::collection::vec((0..CHARACTERS.len(), 1_usize..5, any::<bool>()), 0..40),
            width in 20_usize..=200,
            hang in 0_usize..60,
            usual in any::<bool>(),
        ) {
            let mut line = String::new();
            for (at, times, is_apart) in words {
                line.push_str(&CHARACTERS[at].repeat(times));
                line.push_str(if is_apart { " " } else { "" });
            }
            let mut out = Vec::new();
            let widths = if usual { Widths::Usual } else { Widths::Unknown };
            wrap(&line, widths, width - 1, hang, &mut out);
            let text = String::from_utf8(out).expect("whole characters");
            let whole = |text: &str| -> Vec<String> {
                text.graphemes(true).filter(|part| !part.trim().is_empty()).map(str::to_owned).collect()
            };
            let rows: Vec<_> = text.split("\r\n").flat_map(whole).collect();
            prop_assert_eq!(&rows, &whole(&line), "{:?}", text);
            for (at, row) in text.split("\r\n").enumerate() {
                prop_assert!(at == 0 || hang < 2 || row.starts_with("  "), "{row:?} in {text:?}");
            }
        }
    }

    /// Characters of one code point and of many.
    const CHARACTERS: &[&str] = &[
        "a",
        "word",
        "日",
        "বা",
        "क्षत्रि",
        "e\u{301}",
        "🇩🇪",
        "❤\u{FE0F}",
        "👍🏽",
        "👩\u{200D}👩\u{200D}👧\u{200D}👧",
        "👩🏽\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏿",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "\u{1F9D1}🏿\u{200D}🤝\u{200D}\u{1F9D1}🏻",
    ];

    #[test]
    fn what_is_joined_has_a_row_of_its_own_where_it_has_no_room_else() {
        let kiss = "👩🏽\u{200D}❤\u{FE0F}\u{200D}💋\u{200D}👨🏿";
        assert_eq!(wrapped(&format!("anneliese: {kiss}x"), 19, 11), format!("anneliese:/  {kiss}/           x"));
        assert_eq!(wrapped(&format!("{kiss}{kiss}"), 19, 2), format!("{kiss}/  {kiss}"));
        // A cluster that no language has is broken all the same: text behind it could look like a
        // line of its own.
        let chain = "👩\u{200D}".repeat(20);
        assert!(wrapped(&format!("ann: {chain}"), 19, 5).contains('/'));
    }
}
