//! What becomes of the rows that somebody types in when the terminal gets another width, and how they are taken away
//! then.
//!
//! Terminals differ in that. Some (xterm, PuTTY, GNU screen) cut rows where they have no room any more; others (VTE,
//! kitty, tmux) *reflow* them: a row that is too long goes on in the next one, and the cursor stays with its
//! character. So a draft whose first row was two rows above the cursor may be three above it now, or still two. To
//! erase one row too few leaves the prompt there twice; to erase one too many takes away what somebody has said.
//!
//! Which of both a terminal does is not told by it, so it is found out:
//!
//! - by where the cursor is. Where a row was cut, a cursor that stood beyond the new edge stands at that edge; where it
//!   was reflowed, it stands in the middle. The terminal is asked (`CSI 6 n`), and nothing is drawn until it has
//!   answered. That happens only if the answer makes a difference, and only to a terminal that answers such questions.
//! - by who it is, where the cursor was not beyond the edge: some tell (`CSI > c`) that they are of a kind that reflows.
//!
//! Where neither is known, rows are taken to be cut: a row too many is better than a line too few. So it is with what
//! cannot be known:
//!
//! - how many columns a row has in which emoji are joined, or other characters that some terminals join. Of rows, there
//!   are taken to be as few as there can be.
//! - when the terminal got its width. It has reflowed by the time its program tells, and tmux has its programs told a
//!   quarter of a second later if it gets one width right after another. Lines that come meanwhile, and what is on its
//!   way, are drawn for the width before: on a terminal that is narrower than that, each such frame leaves the rows of
//!   the draft behind that it has more there. Nothing that was said is taken away by that, and as soon as the width is
//!   known the draft is there as a whole. A terminal that has got wider again by the time it is told of a narrower width
//!   loses lines: but for asking before each frame, nothing could be done about that.

use serde::{Deserialize, Serialize};

use super::screen::{Area, clusters};
use super::widths::{least, usual};

/// Asks a terminal where its cursor is.
pub const WHERE: &[u8] = b"\x1b[6n";

/// Asks a terminal of which kind it is (secondary device attributes).
pub const WHO: &[u8] = b"\x1b[>c";

/// A terminal's width, and what it has told of how it takes another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Width {
    /// Columns; 0: not known, and taken to be what it was.
    pub cols: u16,
    /// It is of a kind that reflows rows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reflows: bool,
    /// It answers questions.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub answers: bool,
    /// How often it has answered where its cursor is, modulo 2^16.
    pub told: u16,
    /// The column of its cursor when it told last, from 1 on.
    pub column: u16,
}

/// Where the cursor stands, seen from the beginning of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// The rows above it that belong to the draft.
    rows: usize,
    /// Its column, from 0 on.
    col: usize,
}

impl Width {
    /// Whether what was drawn at this width is where it was, and as it was, on a terminal that has `now`.
    fn holds(self, shown: &Area, now: Self) -> bool {
        let is_same = self.cols == now.cols || self.cols == 0 || now.cols == 0;
        is_same || place(shown, now.cols, usual) == place(shown, self.cols, usual)
    }
}

impl Area {
    /// Whether the terminal's answer where its cursor is helps to tell how this is erased `now`.
    #[must_use]
    pub fn is_doubtful(&self, now: Width) -> bool {
        let is_cut = || place(self, self.width.cols, usual).col >= usize::from(now.cols);
        now.answers && !self.width.holds(self, now) && is_cut()
    }

    /// What takes away what was drawn, `now` that the terminal may have another width. `learnt` is whether it reflows,
    /// as far as it has shown before, and `column` what it has answered (from 1 on); if that shows whether it reflows,
    /// `learnt` is set.
    #[must_use]
    pub fn erased(&self, now: Width, learnt: &mut Option<bool>, column: Option<u16>) -> Vec<u8> {
        if self.width.holds(self, now) {
            return self.erase.clone();
        }
        let cols = usize::from(now.cols);
        // A cursor that was beyond the edge, however narrow characters are there, shows what became of it.
        let was_beyond = |columns| place(self, self.width.cols, columns).col >= cols;
        let col = column.map(|column| usize::from(column).saturating_sub(1));
        let [usual, least] = [usual, least].map(|columns| (was_beyond(columns), place(self, now.cols, columns)));
        // Behind a row that is full the cursor is still in its last column, or in the next row: terminals differ.
        let is_cut = |col| col + 1 >= cols;
        match col.filter(|_| least.0) {
            Some(col) if !is_cut(col) => *learnt = Some(true),
            Some(_) if (1..cols - 1).contains(&least.1.col) && least == usual => *learnt = Some(false),
            _ => {}
        }
        // What it says of itself counts for more: a cursor can be at the edge by a character that it takes for narrower.
        if !now.reflows && *learnt != Some(true) {
            return self.erase.clone();
        }
        // The column is what the terminal says, and the row the one that is nearest to where it ought to be with that:
        // characters can be narrower or wider there than on most. Where it may join some, there are no fewer rows than
        // with all of them joined, and nobody knows of more.
        let Place { rows, col: expected } = least.1;
        let rows = match col.filter(|_| usual.0) {
            Some(col) if col > expected + cols / 2 && (is_cut(col) || least == usual) => rows.saturating_sub(1),
            Some(col) if col + cols / 2 < expected => rows + 1,
            _ => rows,
        };
        super::screen::erase(rows)
    }
}

/// Whether a terminal that gives this answer to [`WHO`], without CSI, is of a kind that reflows rows. Of the many, those
/// are listed that cannot be mistaken for others.
#[must_use]
pub fn kind_reflows(answer: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(answer).ok()?.strip_prefix('>')?.strip_suffix('c')?;
    let mut numbers = text.split(';').map(|number| number.parse::<u32>().unwrap_or(0));
    let (kind, version) = (numbers.next()?, numbers.next().unwrap_or(0));
    Some(match kind {
        // tmux, rxvt-unicode.
        84 | 85 => true,
        // VTE since 0.35, kitty, foot. xterm says its patch number there, which has three digits.
        1 | 61 | 65 => version >= 3502,
        _ => false,
    })
}

/// Where the cursor is once `area` is drawn and the rows of it that have more than `cols` columns are reflowed, if
/// graphemes have so many `columns`.
fn place(area: &Area, cols: u16, columns: fn(&str) -> usize) -> Place {
    let text = String::from_utf8_lossy(&area.draw);
    // Rows, and behind a CR without a LF what is written again to bring the cursor to its place.
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

/// How many rows a text begins after its first, and the column behind it, which is `cols` where the last is full.
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

    /// The rows above the cursor that are erased, and what is known then.
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
        // What has two columns is not torn: of 5 columns one stays free.
        assert_eq!(at("日日日", 9, 80, 5), (1, 4));
        assert_eq!(at("日日日日", 12, 80, 5), (2, 2));
    }

    #[test]
    fn where_the_cursor_is_tells_whether_a_terminal_reflows() {
        let text = "a".repeat(48);
        let shown = drawn(&text, 48, 80);
        assert!(shown.is_doubtful(width(40)) && !shown.is_doubtful(width(60)) && !shown.is_doubtful(width(100)));
        assert!(!shown.is_doubtful(Width { answers: false, ..width(40) }));
        // 50 columns are 40 and 10, or 40 of which the cursor is at the last.
        assert_eq!(erased(&shown, width(40), None, Some(11)), ("1".into(), Some(true)));
        assert_eq!(erased(&shown, width(40), None, Some(40)), (String::new(), Some(false)));
        // It does what it does, whatever was thought.
        assert_eq!(erased(&shown, width(40), Some(false), Some(11)), ("1".into(), Some(true)));
        let says_so = Width { reflows: true, ..width(40) };
        assert_eq!(erased(&shown, says_so, None, Some(40)).0, "", "it is taken for narrower there");
        // Without an answer nothing is taken away that may be another's.
        assert_eq!(erased(&shown, width(40), None, None), (String::new(), None));
        assert_eq!(erased(&shown, Width { reflows: true, ..width(40) }, None, None), ("1".into(), None));
        // A full row: the cursor may be still in it.
        let full = drawn(&"a".repeat(38), 38, 80);
        assert_eq!(erased(&full, Width { reflows: true, ..width(40) }, None, Some(1)), ("1".into(), Some(true)));
        assert_eq!(erased(&full, Width { reflows: true, ..width(40) }, None, Some(40)), (String::new(), None));
        assert_eq!(erased(&full, width(40), None, Some(40)), (String::new(), None));
    }

    #[test]
    fn a_cursor_that_has_room_tells_nothing_and_what_is_known_holds() {
        // Rows of 79 and of 3 columns.
        let shown = drawn(&"a".repeat(80), 80, 80);
        assert!(!shown.is_doubtful(width(40)));
        assert_eq!(erased(&shown, width(40), None, None).0, "1");
        assert_eq!(erased(&shown, width(40), Some(true), None).0, "2");
        assert_eq!(erased(&shown, Width { reflows: true, ..width(40) }, None, None).0, "2");
        assert_eq!(erased(&shown, Width { reflows: true, ..width(40) }, Some(false), None).0, "2");
        // 79 columns have room in 79, and in more.
        for cols in [79, 80, 200] {
            assert_eq!(erased(&shown, Width { reflows: true, ..width(cols) }, None, None).0, "1");
        }
    }

    #[test]
    fn what_a_terminal_may_join_takes_no_line_away() {
        let reflows = Width { reflows: true, ..width(20) };
        // Flags of one column to three: of 40 columns they fill 19 to 31, and 21 and more do not fit.
        let flags = format!("a {} word", "🏳\u{FE0F}\u{200D}🌈".repeat(6));
        let shown = drawn(&format!("{flags}s after it"), flags.len() + 6, 40);
        assert_eq!(String::from_utf8_lossy(&shown.draw).lines().count(), 2);
        assert_eq!(erased(&shown, reflows, None, None).0, "1", "they may have been in one row still");
        // So with a conjunct: the first row has 38 columns, or one less.
        let text = format!("aශ්\u{200D}රී{}", "b".repeat(34));
        let shown = drawn(&text, text.len(), 40);
        assert_eq!(String::from_utf8_lossy(&shown.draw).lines().nth(1), Some("b"));
        assert_eq!(erased(&shown, Width { reflows: true, ..width(37) }, None, None).0, "1");
        assert_eq!(erased(&shown, Width { reflows: true, ..width(36) }, None, None).0, "2");
        // Where none is joined it is known.
        let shown = drawn("a flag or two, or three of them, and words after it", 38, 40);
        assert_eq!(erased(&shown, reflows, None, None).0, "2");
        // The cursor is behind families of two columns to six: 11 to 35, which may be one row of 20 columns, or two. At
        // neither place it tells what becomes of rows.
        let families = "👩\u{200D}👩\u{200D}👧".repeat(5);
        let shown = drawn(&families, families.len(), 60);
        assert!(shown.is_doubtful(width(20)));
        assert_eq!(erased(&shown, width(20), None, Some(13)), (String::new(), None));
        assert_eq!(erased(&shown, width(20), None, Some(20)), (String::new(), None));
        assert_eq!(erased(&shown, reflows, None, Some(13)), (String::new(), None));
        // Joined, they fill a row: the cursor is behind its end.
        let families = format!("{}aa", "👩\u{200D}👩\u{200D}👧".repeat(8));
        let shown = drawn(&families, families.len(), 100);
        assert_eq!(erased(&shown, reflows, None, Some(21)).0, "");
        assert_eq!(erased(&shown, reflows, None, Some(1)).0, "1");
        // Those of two columns are beyond the edge: it has told.
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
