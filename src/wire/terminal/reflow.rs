//! Erasing the draft after the width of the terminal has changed.
//!
//! When a terminal becomes narrower, some terminals (xterm, PuTTY, GNU screen) *cut* rows that are
//! too long; others (VTE, kitty, tmux) *reflow* them: the end of such a row moves to the next one,
//! and the cursor stays with its character. So the first row of a draft that was two rows above the
//! cursor may now be three rows above it, or still two. Erasing one row too few leaves a second
//! prompt on the screen; erasing one too many removes a line that somebody has said.
//!
//! Terminals do not tell which of both they do, so the hub finds it out in two ways:
//!
//! - By the cursor's column, if the cursor stood beyond the new edge. A terminal that cuts rows has
//!   moved it to the edge; one that reflows has it somewhere in a row. The terminal is asked
//!   (`CSI 6 n`), and nothing is drawn until it has answered. It is asked only if the answer makes
//!   a difference, and only if it has answered such questions before.
//! - By its kind, if the cursor was not beyond the edge: the answers of some terminals to `CSI > c`
//!   show that they reflow.
//!
//! If neither is known, rows are assumed to be cut: a row too many on the screen is better than a
//! lost line. The same holds for two things that cannot be known:
//!
//! - The width of a row with joined emoji, or other characters that some terminals join. The
//!   smallest possible number of rows is assumed.
//! - The moment of the change. A terminal has reflowed before its program tells the new width; tmux
//!   tells it a quarter of a second late if one change follows another. Frames that are on their
//!   way or composed in between are drawn for the old width. On a terminal that is narrower by
//!   then, each such frame leaves some rows of the draft behind, but removes no line, and once the
//!   width is known the draft is drawn completely again. On a terminal that was narrower and is
//!   wider again when the hub hears of the narrower width, lines are lost; only asking before each
//!   frame would prevent that.

use serde::{Deserialize, Serialize};

use super::screen::{Area, clusters};
use super::widths::{least, usual};

/// Asks a terminal where its cursor is (DSR 6; the answer is CPR).
pub const WHERE: &[u8] = b"\x1b[6n";

/// Asks a terminal of which kind it is (secondary device attributes).
pub const WHO: &[u8] = b"\x1b[>c";

/// A terminal's width, and what its answers have told about changes of its width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Width {
    /// Columns; 0 if not known, which is taken for unchanged.
    pub cols: u16,
    /// Whether its answer to [`WHO`] shows that it reflows rows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reflows: bool,
    /// Whether it has answered a question.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub answers: bool,
    /// The number of its answers to [`WHERE`], modulo 2^16.
    pub told: u16,
    /// The cursor's column in its last answer to [`WHERE`], from 1 on.
    pub column: u16,
}

/// The place of the cursor, relative to the beginning of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The rows of the draft above the cursor.
    rows: usize,
    /// The cursor's column, from 0 on.
    col: usize,
}

impl Width {
    /// Whether a draft that was drawn at this width has the cursor at the same place on a terminal
    /// of the width `now`.
    fn holds(self, shown: &Area, now: Self) -> bool {
        let is_same = self.cols == now.cols || self.cols == 0 || now.cols == 0;
        is_same || place(shown, now.cols, usual) == place(shown, self.cols, usual)
    }
}

impl Area {
    /// Whether the terminal's answer to [`WHERE`] is needed to tell how this draft is erased at the
    /// width `now`.
    #[must_use]
    pub fn is_doubtful(&self, now: Width) -> bool {
        let is_cut = || place(self, self.width.cols, usual).col >= usize::from(now.cols);
        now.answers && !self.width.holds(self, now) && is_cut()
    }

    /// The bytes that erase this draft on a terminal that has the width `now`. `learnt` tells
    /// whether the terminal reflows, if an earlier answer has shown that. `column` is the cursor's
    /// column in the answer to [`WHERE`], from 1 on; if it shows whether the terminal reflows,
    /// `learnt` is updated.
    #[must_use]
    pub fn erased(&self, now: Width, learnt: &mut Option<bool>, column: Option<u16>) -> Vec<u8> {
        if self.width.holds(self, now) {
            return self.erase.clone();
        }
        let cols = usize::from(now.cols);
        // Only a cursor that was beyond the new edge for sure, even with the narrowest characters,
        // shows what the terminal does.
        let was_beyond = |columns| place(self, self.width.cols, columns).col >= cols;
        let col = column.map(|column| usize::from(column).saturating_sub(1));
        let [usual, least] = [usual, least].map(|columns| (was_beyond(columns), place(self, now.cols, columns)));
        // Behind a full row, the cursor is still in the last column or already in the next row:
        // terminals differ.
        let is_cut = |col| col + 1 >= cols;
        match col.filter(|_| least.0) {
            Some(col) if !is_cut(col) => *learnt = Some(true),
            Some(_) if (1..cols - 1).contains(&least.1.col) && least == usual => *learnt = Some(false),
            _ => {}
        }
        // A terminal's kind counts for more than a cursor at the edge: it may take a character for
        // narrower than we do, and have the cursor there by chance.
        if !now.reflows && *learnt != Some(true) {
            return self.erase.clone();
        }
        // The terminal tells only the column, so the row is the one that brings that column nearest
        // to the expected place: the terminal's characters may be narrower or wider than usual. If
        // it may join characters, the number of rows with all of them joined is the smallest
        // possible, and the safe choice.
        let Place { rows, col: expected } = least.1;
        let rows = match col.filter(|_| usual.0) {
            Some(col) if col > expected + cols / 2 && (is_cut(col) || least == usual) => rows.saturating_sub(1),
            Some(col) if col + cols / 2 < expected => rows + 1,
            _ => rows,
        };
        super::screen::erase(rows)
    }
}

/// Whether a terminal reflows rows, by its answer to [`WHO`], given without CSI; `None` if this is
/// no such answer. Only kinds that cannot be mistaken for others are listed as reflowing.
#[must_use]
pub fn kind_reflows(answer: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(answer).ok()?.strip_prefix('>')?.strip_suffix('c')?;
    let mut numbers = text.split(';').map(|number| number.parse::<u32>().unwrap_or(0));
    let (kind, version) = (numbers.next()?, numbers.next().unwrap_or(0));
    Some(match kind {
        // tmux, rxvt-unicode.
        84 | 85 => true,
        // VTE since 0.35, kitty, foot. xterm gives its patch number as the version, which has three
        // digits.
        1 | 61 | 65 => version >= 3502,
        _ => false,
    })
}

/// The place of the cursor after `area` is drawn and its rows are reflowed to `cols` columns.
/// `columns` gives the width of a grapheme.
fn place(area: &Area, cols: u16, columns: fn(&str) -> usize) -> Place {
    let text = String::from_utf8_lossy(&area.draw);
    // `draw` consists of rows; behind a lone CR comes the text that is written again to bring the
    // cursor to its place.
    let mut rows: Vec<&str> = text.split("\r\n").collect();
    let last = rows.pop().unwrap_or_default();
    let (last, again) = last.split_once('\r').map_or((last, None), |(last, again)| (last, Some(again)));
    rows.push(last);
    let (at, before) = match again {
        None => (rows.len() - 1, last),
        Some(again) => {
            let (up, before) = again
                .strip_prefix("\x1b[")
                .and_then(|rest| rest.split_once('A'))
                .map_or((0, again), |(up, before)| (up.parse().unwrap_or(0), before));
            ((rows.len() - 1).saturating_sub(up), before)
        }
    };
    let cols = usize::from(cols.max(1));
    let above: usize = rows[..at].iter().map(|row| folded(row, cols, columns)).map(|(rows, _)| rows + 1).sum();
    let (within, col) = folded(before, cols, columns);
    Place { rows: above + within + col / cols, col: col % cols }
}

/// The number of rows that a text needs beyond its first, and the column behind its end, which is
/// `cols` if the last row is full.
fn folded(text: &str, cols: usize, columns: fn(&str) -> usize) -> (usize, usize) {
    let (mut rows, mut col) = (0, 0);
    for (_, cluster) in clusters(text) {
        let columns = columns(cluster);
        if col + columns > cols && col > 0 {
            rows += 1;
            col = 0;
        }
        col += columns;
    }
    (rows, col.min(cols))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::terminal::screen::{Size, area};
    use crate::wire::terminal::widths::Widths;

    fn drawn(text: &str, cursor: usize, cols: u16) -> Area {
        let mut area = area("> ", text, cursor, Size { cols, rows: 24, widths: Widths::Usual });
        area.width.cols = cols;
        area
    }

    fn width(cols: u16) -> Width {
        Width { cols, answers: true, ..Width::default() }
    }

    /// The number of rows above the cursor that are erased, as text, and `learnt` afterwards.
    fn erased(shown: &Area, now: Width, mut learnt: Option<bool>, column: Option<u16>) -> (String, Option<bool>) {
        let erase = String::from_utf8(shown.erased(now, &mut learnt, column)).unwrap();
        let rows = erase.strip_suffix("\r\x1b[J").unwrap();
        (rows.trim_start_matches("\x1b[").trim_end_matches('A').to_owned(), learnt)
    }

    #[test]
    fn rows_are_reflowed_as_terminals_do() {
        let at = |text: &str, cursor, cols, narrow| {
            let place = place(&drawn(text, cursor, cols), narrow, usual);
            (place.rows, place.col)
        };
        assert_eq!(at("hello", 5, 80, 80), (0, 7));
        assert_eq!(at("hello", 5, 80, 5), (1, 2));
        assert_eq!(at("hello", 0, 80, 5), (0, 2));
        // Two rows, of 19 columns and of 11.
        let text = "a".repeat(28);
        assert_eq!(at(&text, 28, 20, 20), (1, 11));
        assert_eq!(at(&text, 28, 20, 19), (1, 11));
        assert_eq!(at(&text, 28, 20, 18), (2, 11));
        assert_eq!(at(&text, 28, 20, 10), (3, 1));
        assert_eq!(at(&text, 28, 20, 100), (1, 11));
        assert_eq!(at(&text, 10, 20, 10), (1, 2));
        // A character of two columns is not broken: of 5 columns, one stays free.
        assert_eq!(at("日日日", 9, 80, 5), (1, 4));
        assert_eq!(at("日日日日", 12, 80, 5), (2, 2));
    }

    #[test]
    fn where_the_cursor_is_tells_whether_a_terminal_reflows() {
        let text = "a".repeat(48);
        let shown = drawn(&text, 48, 80);
        assert!(shown.is_doubtful(width(40)) && !shown.is_doubtful(width(60)) && !shown.is_doubtful(width(100)));
        assert!(!shown.is_doubtful(Width { answers: false, ..width(40) }));
        // A row of 50 columns becomes rows of 40 and 10, or is cut at 40 with the cursor in the
        // last column.
        assert_eq!(erased(&shown, width(40), None, Some(11)), ("1".into(), Some(true)));
        assert_eq!(erased(&shown, width(40), None, Some(40)), (String::new(), Some(false)));
        // An answer overrides what was learnt before.
        assert_eq!(erased(&shown, width(40), Some(false), Some(11)), ("1".into(), Some(true)));
        let says_so = Width { reflows: true, ..width(40) };
        assert_eq!(erased(&shown, says_so, None, Some(40)).0, "", "it is taken for narrower there");
        // Without an answer, no row is erased that may hold somebody's line.
        assert_eq!(erased(&shown, width(40), None, None), (String::new(), None));
        assert_eq!(erased(&shown, Width { reflows: true, ..width(40) }, None, None), ("1".into(), None));
        // A full row: the cursor may still be in it.
        let full = drawn(&"a".repeat(38), 38, 80);
        assert_eq!(erased(&full, Width { reflows: true, ..width(40) }, None, Some(1)), ("1".into(), Some(true)));
        assert_eq!(erased(&full, Width { reflows: true, ..width(40) }, None, Some(40)), (String::new(), None));
        assert_eq!(erased(&full, width(40), None, Some(40)), (String::new(), None));
    }

    #[test]
    fn a_cursor_with_room_tells_nothing_new_about_reflowing() {
        // Rows of 79 and of 3 columns.
        let shown = drawn(&"a".repeat(80), 80, 80);
        assert!(!shown.is_doubtful(width(40)));
        assert_eq!(erased(&shown, width(40), None, None).0, "1");
        assert_eq!(erased(&shown, width(40), Some(true), None).0, "2");
        assert_eq!(erased(&shown, Width { reflows: true, ..width(40) }, None, None).0, "2");
        assert_eq!(erased(&shown, Width { reflows: true, ..width(40) }, Some(false), None).0, "2");
        // A row of 79 columns fits into 79 or more.
        for cols in [79, 80, 200] {
            assert_eq!(erased(&shown, Width { reflows: true, ..width(cols) }, None, None).0, "1");
        }
    }

    #[test]
    fn what_a_terminal_may_join_takes_no_line_away() {
        let reflows = Width { reflows: true, ..width(20) };
        // A flag may have one to three columns, so this row has 19 to 31 of them, and may or may
        // not fit into 20.
        let flags = format!("a {} word", "🏳\u{FE0F}\u{200D}🌈".repeat(6));
        let shown = drawn(&format!("{flags}s after it"), flags.len() + 6, 40);
        assert_eq!(String::from_utf8_lossy(&shown.draw).lines().count(), 2);
        assert_eq!(erased(&shown, reflows, None, None).0, "1", "they may have been in one row still");
        // The same with a conjunct: the first row has 38 columns or 37.
        let text = format!("aශ්\u{200D}රී{}", "b".repeat(34));
        let shown = drawn(&text, text.len(), 40);
        assert_eq!(String::from_utf8_lossy(&shown.draw).lines().nth(1), Some("b"));
        assert_eq!(erased(&shown, Width { reflows: true, ..width(37) }, None, None).0, "1");
        assert_eq!(erased(&shown, Width { reflows: true, ..width(36) }, None, None).0, "2");
        // Without joined characters, the number of rows is known.
        let shown = drawn("a flag or two, or three of them, and words after it", 38, 40);
        assert_eq!(erased(&shown, reflows, None, None).0, "2");
        // The cursor is behind families of two to six columns each: the text has 11 to 35 columns,
        // one row of 20 or two. So no column of the cursor tells whether the terminal reflows.
        let families = "👩\u{200D}👩\u{200D}👧".repeat(5);
        let shown = drawn(&families, families.len(), 60);
        assert!(shown.is_doubtful(width(20)));
        assert_eq!(erased(&shown, width(20), None, Some(13)), (String::new(), None));
        assert_eq!(erased(&shown, width(20), None, Some(20)), (String::new(), None));
        assert_eq!(erased(&shown, reflows, None, Some(13)), (String::new(), None));
        // Joined, the families fill a row exactly, and the cursor is behind its end.
        let families = format!("{}aa", "👩\u{200D}👩\u{200D}👧".repeat(8));
        let shown = drawn(&families, families.len(), 100);
        assert_eq!(erased(&shown, reflows, None, Some(21)).0, "");
        assert_eq!(erased(&shown, reflows, None, Some(1)).0, "1");
        // Even with two columns each, the families reach beyond the edge: the answer tells.
        let families = "👩\u{200D}👩\u{200D}👧".repeat(11);
        let shown = drawn(&families, families.len(), 100);
        assert_eq!(erased(&shown, width(20), None, Some(5)), ("1".into(), Some(true)));
        assert_eq!(erased(&shown, width(20), None, Some(20)), (String::new(), None));
    }

    #[test]
    fn terminals_are_known_by_their_answer() {
        for (answer, reflows) in [
            (">84;0;0c", true),
            (">83;40900;0c", false),
            (">61;7000;1c", true),
            (">65;6003;1c", true),
            (">1;5202;0c", true),
            (">1;4000;29c", true),
            (">1;011602;0c", true),
            (">85;95;0c", true),
            (">41;390;0c", false),
            (">1;390;0c", false),
            (">64;390;0c", false),
            (">0;136;0c", false),
            (">1;10;0c", false),
            (">c", false),
        ] {
            assert_eq!(kind_reflows(answer.as_bytes()), Some(reflows), "{answer}");
        }
        for other in ["?1;2c", "24;80R", ">84;0;0m", "c", ""] {
            assert_eq!(kind_reflows(other.as_bytes()), None, "{other}");
        }
    }
}
