//! Drawing the draft: the bytes that draw a prompt and the typed text at the bottom of a terminal,
//! and the bytes that erase them again so that lines can appear in their place.
//!
//! Terminals disagree about the widths of characters, so nothing here relies on them: see
//! [`widths`](super::widths). Rows are broken before the terminal would break them, and the cursor
//! gets to its place by writing the text before it again. No row reaches the last column, because
//! terminals disagree about where the cursor is then.

use serde::{Deserialize, Serialize};
use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthChar as _;

use super::reflow::Width;
use super::widths::Widths;
use crate::values::terminal::Terminal;

/// A drawn draft: bytes for a terminal whose cursor is at the beginning of an empty row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Area {
    /// Erases what `draw` has drawn, and brings the cursor back to where it was before.
    pub erase: Vec<u8>,
    /// Draws the draft, and leaves the cursor at its place in it.
    pub draw: Vec<u8>,
    /// The width for which it is drawn, and what is known of how the terminal handles a change of
    /// width.
    pub width: Width,
}

/// The size of a terminal, and what is known of the widths of its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns, 1 to 500. With fewer than three, nothing is drawn.
    pub cols: u16,
    /// Rows, 1 to 200.
    pub rows: u16,
    /// The widths of characters.
    pub widths: Widths,
}

impl From<Terminal> for Size {
    /// The size that the terminal has told, or 80 columns and 24 rows where it has not.
    fn from(terminal: Terminal) -> Self {
        let size = |told: u16, usual| if told > 0 { told } else { usual };
        let widths = if terminal.usual { Widths::Usual } else { Widths::Unknown };
        Self { cols: size(terminal.cols, 80), rows: size(terminal.rows, 24), widths }
    }
}

/// The most rows that are drawn. Of a longer draft, the rows up to the cursor's are drawn.
const MOST_ROWS: usize = 10;

/// Moves the cursor to the first column of its row, and clears from there to the end of the screen.
const CLEAR_BELOW: &[u8] = b"\r\x1b[J";

/// The base on which a lone combining mark is drawn (DOTTED CIRCLE): otherwise the terminal would
/// draw it onto the character before it.
const BASE: &str = "\u{25CC}";

/// The bytes that draw `prompt` and `text`, with the cursor before the byte `cursor` of `text`.
/// Neither may hold control characters.
#[must_use]
pub fn area(prompt: &str, text: &str, cursor: usize, size: Size) -> Area {
    let width = Width { cols: size.cols, ..Width::default() };
    if size.cols < 3 {
        return Area { erase: erase(0), draw: Vec::new(), width };
    }
    // One column stays free for the cursor.
    let room = usize::from(size.cols) - 1;
    let most = (usize::from(size.rows) / 2).clamp(1, MOST_ROWS);
    let mut rows = vec![String::new()];
    let mut col = 0;
    // The row of the cursor, and how many bytes of that row are before it.
    let mut at = None;
    let cursor_of_all = prompt.len() + cursor;
    let all = clusters(prompt).chain(clusters(text).map(|(at, cluster)| (prompt.len() + at, cluster)));
    for (start, grapheme) in all {
        let base = if grapheme.starts_with(has_no_base) { BASE } else { "" };
        let columns = if base.is_empty() { 0 } else { size.widths.most(base) } + size.widths.most(grapheme);
        // Only a cluster of many joined characters can be wider than a row.
        let (base, shown, columns) = if columns > room { ("", "?", 1) } else { (base, grapheme, columns) };
        let row = rows.last().map_or(0, String::len);
        if at.is_none() && start + grapheme.len() > cursor_of_all {
            // A cursor at a row's break is drawn at the beginning of the later row, not at the end
            // of the earlier one.
            let wraps = col + columns > room;
            at = Some(if wraps { (rows.len(), 0) } else { (rows.len() - 1, row) });
        }
        if col + columns > room {
            rows.push(String::new());
            col = 0;
        }
        if let Some(row) = rows.last_mut() {
            row.push_str(base);
            row.push_str(shown);
        }
        col += columns;
    }
    let last = rows.len() - 1;
    let (row, before) = at.unwrap_or((last, rows[last].len()));
    // If there are too many rows, those up to the cursor's are drawn, or the first ones if the
    // cursor is among them.
    let from = if rows.len() <= most { 0 } else { (row + 1).saturating_sub(most) };
    let to = rows.len().min(from + most);
    let mut draw = rows[from..to].join("\r\n").into_bytes();
    if at.is_some() {
        draw.push(b'\r');
        up(to - 1 - row, &mut draw);
        draw.extend_from_slice(&rows[row].as_bytes()[..before]);
    }
    Area { erase: erase(row - from), draw, width }
}

/// The bytes that erase a draft with `above` rows above the cursor.
#[must_use]
pub fn erase(above: usize) -> Vec<u8> {
    let mut erase = Vec::new();
    up(above, &mut erase);
    erase.extend_from_slice(CLEAR_BELOW);
    erase
}

/// The graphemes of a text, each with its byte offset. Graphemes that a joiner joins count as one:
/// some terminals draw them in one cell, and writing the first half again would erase the second.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let mut len = 0;
        for grapheme in rest.graphemes(true) {
            len += grapheme.len();
            if !grapheme.ends_with('\u{200D}') {
                break;
            }
        }
        let start = at;
        at += len;
        (len > 0).then(|| (start, &rest[..len]))
    })
}

/// Whether a grapheme that begins with `c` is drawn onto the character before it.
fn has_no_base(c: char) -> bool {
    is_combining_mark(c) || (!c.is_ascii() && c.width() == Some(0))
}

/// Appends the bytes that move the cursor up by `rows` rows.
fn up(rows: usize, out: &mut Vec<u8>) {
    if rows > 0 {
        out.extend_from_slice(format!("\x1b[{rows}A").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size { cols: 20, rows: 24, widths: Widths::Usual };

    fn screen(size: Size) -> vt100::Parser {
        let known = |number| std::num::NonZero::new(number).expect("a size");
        vt100::Parser::new(known(size.rows), known(size.cols), 0)
    }

    #[track_caller]
    fn check(prompt: &str, text: &str, cursor: usize, shown: &str, place: (u16, u16)) {
        let mut screen = screen(SIZE);
        screen.process(&area(prompt, text, cursor, SIZE).draw);
        assert_eq!(screen.screen().contents(), shown);
        assert_eq!(screen.screen().cursor_position(), place);
    }

    #[test]
    fn the_cursor_stands_where_the_next_key_goes() {
        check("> ", "", 0, "> ", (0, 2));
        check("> ", "hello", 5, "> hello", (0, 7));
        check("> ", "hello", 0, "> hello", (0, 2));
        check("> ", "日本語", 3, "> 日本語", (0, 4));
        check("> ", "e\u{301}a", 3, "> e\u{301}a", (0, 3));
        // A cursor within joined characters is drawn before them.
        check("> ", "aශ\u{DCA}\u{200D}රී", 10, "> aශ\u{DCA}\u{200D}රී", (0, 3));
    }

    #[test]
    fn long_texts_are_broken_before_the_terminal_would_break_them() {
        check("> ", "12345678901234567", 17, "> 12345678901234567", (0, 19));
        check("> ", "123456789012345678", 18, "> 12345678901234567\n8", (1, 1));
        check("> ", "123456789012345678", 17, "> 12345678901234567\n8", (1, 0));
        check("> ", "123456789012345678", 0, "> 12345678901234567\n8", (0, 2));
        check("> ", "1234567890123456日", 16, "> 1234567890123456\n日", (1, 0));
    }

    #[test]
    fn of_a_text_taller_than_the_screen_the_rows_around_the_cursor_are_shown() {
        let text: String = (0..26_u8).flat_map(|row| [char::from(b'a' + row); 19]).collect();
        let size = Size { rows: 6, ..SIZE };
        let rows = |cursor| {
            let mut screen = screen(size);
            screen.process(&area("", &text, cursor, size).draw);
            screen.screen().contents().lines().map(|line| line[..1].to_owned()).collect::<String>()
        };
        assert_eq!(rows(0), "abc");
        assert_eq!(rows(text.len()), "xyz");
        assert_eq!(rows(19 * 10), "ijk");
    }

    #[test]
    fn who_types_on_at_the_end_is_sent_what_is_new_only() {
        let mut before = area("> ", "", 0, SIZE).draw;
        let text = "some words 日本語 and e\u{301} and more of it, for three rows or so";
        for (at, grapheme) in text.grapheme_indices(true) {
            let to = at + grapheme.len();
            let now = area("> ", &text[..to], to, SIZE).draw;
            assert!(now.starts_with(&before), "{:?}", &text[..to]);
            before = now;
        }
    }

    #[test]
    fn a_mark_that_stands_alone_is_drawn_on_a_base_of_its_own() {
        check("> ", "\u{301}a", 3, "> \u{25CC}\u{301}a", (0, 4));
        check("> ", "\u{301}a", 0, "> \u{25CC}\u{301}a", (0, 2));
    }

    #[test]
    fn where_there_is_no_room_for_a_character_none_is_drawn() {
        for cols in 1..20 {
            for text in ["", "some words", "日本語", "👩\u{200D}👩\u{200D}👧\u{200D}👧", "\u{301}"] {
                let size = Size { cols, rows: 1, widths: Widths::Unknown };
                let area = area("lobby> ", text, 0, size);
                let mut screen = screen(size);
                screen.process(&area.draw);
                assert!(screen.screen().cursor_position().1 < cols);
                screen.process(&area.erase);
                assert_eq!(screen.screen().contents(), "");
            }
        }
    }

    proptest! {
        #[test]
        fn what_was_drawn_is_taken_away_again(
            above in 0_u16..12,
            text in "([a-z ]|日|é|e\u{301}|👩\u{200D}👩\u{200D}👧|❤\u{FE0F}){0,80}",
            cursor in 0_usize..200,
            cols in 8_u16..60,
            rows in 1_u16..12,
            usual in any::<bool>(),
        ) {
            let size = Size { cols, rows, widths: if usual { Widths::Usual } else { Widths::Unknown } };
            let cursor = (0..=cursor.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let mut screen = screen(size);
            for line in 0..above {
                screen.process(format!("line {line}\r\n").as_bytes());
            }
            let area = area("prompt> ", &text, cursor, size);
            let drawn = area.draw.windows(2).filter(|pair| pair == b"\r\n").count();
            // Lines that drawing has scrolled off the top do not come back.
            let lines: Vec<_> = (0..above).map(|line| format!("line {line}")).collect();
            let gone = (usize::from(above) + 1 + drawn).saturating_sub(usize::from(rows));
            screen.process(&area.draw);
            screen.process(&area.erase);
            let left = screen.screen().contents();
            prop_assert_eq!(left.trim_end(), lines[gone..].join("\n"));
            prop_assert_eq!(screen.screen().cursor_position(), (above - u16::try_from(gone).expect("few"), 0));
        }
    }
}
