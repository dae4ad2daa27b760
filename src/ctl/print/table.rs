//! Tables, and lists of facts, fitted into the columns of a terminal.
//!
//! The column that says most (a reason, a note) is never cut: it is the "telling" column, always
//! the last. Where a table is too wide, names are shortened, columns of less use are left out, and
//! the telling column is wrapped into further lines. On a terminal narrower than [`NARROW`] the
//! telling column may stand below its row instead, and names are shown whole. Where the output is
//! no terminal, and with `--full`, nothing is left out and each row is one line.

use std::fmt::Write as _;
use std::io;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::escape;
use super::screen::Screen;
use super::values::count;
use crate::ctl::fit::{self, Asked, Fit, GAP, Squeezed, total};

/// The least width of a telling column, in columns of the terminal, if its cells need that much.
const TELLING: usize = 24;
/// Its least width on a terminal that has no room for [`TELLING`].
const LEAST: usize = 8;
/// The telling column gets this width before the other columns get more than their least.
const AT_EASE: usize = 40;
/// On a terminal narrower than this (in columns), a telling column without room stands below its
/// row.
const NARROW: usize = 60;
/// How far the telling column is indented where it stands below its row.
const INDENT: usize = 4;

/// What is added below a table of which something was left out.
pub(super) const FULL: &str = " With --full, nothing is left out.";

/// The side of the column on which its cells are aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// For texts.
    Left,
    /// For numbers.
    Right,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(in crate::ctl) struct Column {
    name: &'static str,
    side: Side,
    fit: Fit,
    /// Whether its cells name the subject of the row: a nickname, a room.
    is_name: bool,
    /// Whether its cells go on in further lines where they are too wide, and are not cut.
    is_wrapped: bool,
}

/// A column of texts, aligned on the left; shown in full unless one of the methods below says
/// otherwise.
pub(in crate::ctl) const fn left(name: &'static str) -> Column {
    Column { name, side: Side::Left, fit: Fit::Whole, is_name: false, is_wrapped: false }
}

/// A column of numbers, aligned on the right.
pub(in crate::ctl) const fn right(name: &'static str) -> Column {
    Column { name, side: Side::Right, fit: Fit::Whole, is_name: false, is_wrapped: false }
}

impl Column {
    /// The cells of this column may be cut, to no fewer than `least` columns of the terminal.
    pub(in crate::ctl) const fn shrinks(self, least: usize) -> Self {
        Self { fit: Fit::Shrinks(least), ..self }
    }

    /// The cells of this column go on in further lines if they are too wide, and have no fewer than
    /// `least` columns of the terminal.
    pub(in crate::ctl) const fn wraps(self, least: usize) -> Self {
        Self { fit: Fit::Shrinks(least), is_wrapped: true, ..self }
    }

    /// This column names the subject of the row: on a narrow terminal it is never left out, and not
    /// cut if it fits.
    pub(in crate::ctl) const fn names(self) -> Self {
        Self { is_name: true, ..self }
    }

    /// This column may be left out, before those of a higher `rank`.
    pub(in crate::ctl) const fn spare(self, rank: u8) -> Self {
        Self { fit: Fit::Spare(rank), ..self }
    }

    /// This column is the one people look at the table for: it is wrapped into further lines
    /// instead of cut.
    pub(in crate::ctl) const fn telling(self) -> Self {
        Self { fit: Fit::Telling, is_wrapped: true, ..self }
    }
}

/// A table. Each column is as wide as its widest cell, if the terminal has room for that.
pub(in crate::ctl) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// A table laid out as lines of text.
pub(in crate::ctl) struct Lines {
    /// The line of column names; `None` if it was not asked for.
    pub(in crate::ctl) heading: Option<String>,
    /// The rows; each is one line or several.
    pub(in crate::ctl) rows: Vec<Vec<String>>,
    /// Whether a column or a part of a cell is missing that `--full` would show.
    pub(in crate::ctl) left_out: bool,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub(in crate::ctl) fn new<const N: usize>(columns: [Column; N]) -> Self {
        debug_assert!(columns.iter().rev().skip(1).all(|column| column.fit != Fit::Telling), "{columns:?}");
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row. Each cell is escaped; an empty one is shown as `-`.
    pub(in crate::ctl) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        let shown = |cell: String| if cell.is_empty() { "-".into() } else { escape(&cell).into_owned() };
        self.rows.push(cells.map(shown).into());
    }

    /// Lays the table out. `heading`: with a line of column names. `width`: of the terminal, in
    /// columns; `None` for no bound.
    #[must_use]
    pub(in crate::ctl) fn lines(&self, heading: bool, width: Option<usize>) -> Lines {
        let names = heading.then(|| self.columns.iter().map(|column| column.name.to_owned()).collect::<Vec<_>>());
        let natural: Vec<usize> = (0..self.columns.len())
            .map(|n| names.iter().chain(&self.rows).map(|row| row[n].width()).max().unwrap_or(0))
            .collect();
        let mut shown =
            width.map_or_else(|| natural.iter().copied().map(Some).collect(), |width| self.fit(&natural, width));
        let below = width.and_then(|width| self.below(&natural, &shown, width));
        if let (Some(below), Some(width)) = (below, width) {
            shown = self.fit_without(&natural, below, width);
        }
        let mut left_out = (0..shown.len()).any(|n| shown[n].is_none() && Some(n) != below);
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut lines = self.line(row, &shown, width);
            if let (Some(below), Some(width)) = (below, width) {
                let pieces = wrap(&row[below], width.saturating_sub(INDENT).max(1)).into_iter();
                let pieces = pieces.filter(|piece| !piece.is_empty() && piece != "-");
                lines.extend(pieces.map(|piece| cut(&format!("{}{piece}", " ".repeat(INDENT)), Some(width))));
            }
            left_out |= lines.iter().any(|line| line.ends_with('\u{2026}'));
            left_out |= row.iter().zip(&shown).zip(&self.columns).any(|((cell, shown), column)| {
                matches!(column.fit, Fit::Shrinks(_))
                    && !column.is_wrapped
                    && shown.is_some_and(|width| cell.width() > width)
            });
            rows.push(lines);
        }
        Lines { heading: names.map(|names| self.line(&names, &shown, width).swap_remove(0)), rows, left_out }
    }

    /// The width of each column in a terminal of `width` columns; `None` for a column that is left
    /// out. `natural` holds the widths of the widest cells.
    fn fit(&self, natural: &[usize], width: usize) -> Vec<Option<usize>> {
        let asked = self.columns.iter().zip(natural).map(|(column, natural)| Asked {
            fit: column.fit,
            natural: *natural,
            heading: column.name.width(),
            stays: false,
        });
        let telling = fit::Telling { least: TELLING, at_ease: AT_EASE, squeezed: Squeezed::To(LEAST) };
        fit::fit(&asked.collect::<Vec<_>>(), telling, width)
    }

    /// The index of the telling column if it is to stand below its row: the terminal is narrower
    /// than [`NARROW`], and the column has less than [`TELLING`] or the table is too wide even so.
    fn below(&self, natural: &[usize], shown: &[Option<usize>], width: usize) -> Option<usize> {
        let telling = (0..natural.len()).find(|n| self.columns[*n].fit == Fit::Telling)?;
        let is_tight = shown[telling].is_none_or(|columns| columns < natural[telling].min(TELLING));
        (width < NARROW && (is_tight || total(shown) > width)).then_some(telling)
    }

    /// The width of each column if the telling column, `below`, stands below its row. Names are
    /// shown whole; of the other columns, those that do not fit are left out. The first column and
    /// that of the names stay.
    fn fit_without(&self, natural: &[usize], below: usize, width: usize) -> Vec<Option<usize>> {
        let mut shown: Vec<Option<usize>> = natural.iter().copied().map(Some).collect();
        shown[below] = None;
        let name = self.columns.iter().position(|column| column.is_name).unwrap_or(1);
        let is_spare = |n: usize| match self.columns[n].fit {
            Fit::Spare(rank) => Some(usize::from(rank)),
            _ => None,
        };
        // Spare columns go first, the lowest rank first; then the others, from the right.
        let mut others: Vec<usize> = (1..natural.len()).filter(|n| *n != name && *n != below).collect();
        others.sort_by_key(|n| is_spare(*n).unwrap_or(1000 - n));
        for n in others {
            if total(&shown) > width {
                shown[n] = None;
            }
        }
        let over = total(&shown).saturating_sub(width);
        if let Some(columns) = shown.get_mut(name).and_then(Option::as_mut) {
            *columns = columns.saturating_sub(over).max(LEAST.min(*columns));
        }
        shown
    }

    /// Lays one row out: as one line, or as several if cells must be wrapped.
    fn line(&self, row: &[String], shown: &[Option<usize>], width: Option<usize>) -> Vec<String> {
        let mut line = String::new();
        let mut further: Vec<String> = Vec::new();
        for (n, cell) in row.iter().enumerate() {
            let Some(columns) = shown[n] else { continue };
            if !line.is_empty() || n > 0 && shown[..n].iter().any(Option::is_some) {
                line += &" ".repeat(GAP);
            }
            let cell = if self.columns[n].is_wrapped && width.is_some() {
                let indent = line.width();
                let mut pieces = wrap(cell, columns.max(1)).into_iter();
                let first = pieces.next().unwrap_or_default();
                for (number, piece) in pieces.enumerate() {
                    if further.len() == number {
                        further.push(String::new());
                    }
                    let line = &mut further[number];
                    *line += &" ".repeat(indent.saturating_sub(line.width()));
                    *line += &piece;
                }
                first
            } else {
                cut(cell, Some(columns))
            };
            let gap = " ".repeat(columns.saturating_sub(cell.width()));
            let (before, after) = if self.columns[n].side == Side::Right { (&*gap, "") } else { ("", &*gap) };
            let _ = write!(line, "{before}{cell}{after}");
        }
        let all = std::iter::once(line).chain(further);
        all.map(|line| cut(line.trim_end(), width)).collect()
    }

    /// Whether the table has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints the rows, below a heading if the screen has a legend. Returns whether something was
    /// left out or cut.
    pub(super) fn print_rows(&self, to: &mut Screen<'_>) -> io::Result<bool> {
        let lines = self.lines(to.legend, to.columns());
        if let Some(heading) = &lines.heading {
            to.heading(heading)?;
        }
        lines.rows.iter().flatten().try_for_each(|line| to.line(line))?;
        Ok(lines.left_out)
    }

    /// Prints the rows, then their number if the screen has a legend. `thing` names what a row
    /// stands for, in the singular: "client".
    pub(super) fn print(&self, to: &mut Screen<'_>, thing: &str) -> io::Result<()> {
        if self.is_empty() {
            return to.legend(&format!("No {thing}s."));
        }
        let full = if self.print_rows(to)? { FULL } else { "" };
        to.legend(&format!("{} listed.{full}", count(self.rows.len() as u64, thing)))
    }
}

/// `line` cut to `width` columns of the terminal; an ellipsis stands where it was cut.
pub(in crate::ctl) fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.width() > width => {
            let mut kept = head(line, width.saturating_sub(1)).to_owned();
            kept.push('\u{2026}');
            kept
        }
        _ => line.to_owned(),
    }
}

/// The longest beginning of `line` that is no wider than `width` columns of the terminal.
fn head(line: &str, width: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > width
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// Breaks `text` into lines no wider than `width` columns of the terminal: at spaces, or within a
/// word that is longer than a line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > width {
        let fits = head(rest, width);
        // A word that does not end within this line goes to the next one, unless it is longer than
        // a line.
        let whole = rest[fits.len()..].starts_with(' ') || fits.is_empty();
        let end = if whole { fits.len() } else { fits.rfind(' ').filter(|at| *at > 0).unwrap_or(fits.len()) };
        let end = if end == 0 { rest.chars().next().map_or(rest.len(), char::len_utf8) } else { end };
        lines.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// Facts printed as lines of `key: value`, with all colons in the same column. An empty key
/// continues the fact above.
pub(super) struct Facts(pub(super) Vec<(&'static str, String)>);

impl Facts {
    /// Prints the facts; long values are wrapped to the width of the screen.
    pub(super) fn print(self, to: &mut Screen<'_>) -> io::Result<()> {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let room = to.terminal.map(|(columns, _)| columns.saturating_sub(width + 2).max(TELLING));
        for (key, value) in self.0 {
            let colon = if key.is_empty() { ' ' } else { ':' };
            let value = escape(&value).into_owned();
            let lines = room.map_or_else(|| vec![value.clone()], |room| wrap(&value, room));
            for (n, line) in lines.iter().enumerate() {
                let (key, colon) = if n == 0 { (key, colon) } else { ("", ' ') };
                to.line(format!("{key:>width$}{colon} {line}").trim_end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(table: &Table, heading: bool, width: Option<usize>) -> Vec<String> {
        let lines = table.lines(heading, width);
        lines.heading.into_iter().chain(lines.rows.into_iter().flatten()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_they_look() {
        let mut table = Table::new([left("A"), right("N"), left("B")]);
        table.row(["\u{4e2d}\u{6587}".into(), "7".into(), "x".into()]);
        table.row(["e\u{301}".into(), "10".into(), String::new()]);
        assert_eq!(text(&table, true, None), ["A      N  B", "\u{4e2d}\u{6587}   7  x", "e\u{301}     10  -"]);
        assert_eq!(text(&table, false, Some(9)), ["\u{4e2d}\u{6587}   7\u{2026}", "e\u{301}     10\u{2026}"]);
    }

    #[test]
    fn what_tells_most_is_never_cut() {
        let mut table = Table::new([
            left("ID"),
            left("NAME").shrinks(8),
            right("LINES").spare(2),
            right("AGE").spare(1),
            left("WHY").telling(),
        ]);
        let why = "he goes on about boats, sends the same line again and again, and is rude to everybody";
        table.row(["c1".into(), "a-name-of-24-characters-".into(), "7".into(), "1h".into(), why.into()]);
        assert_eq!(
            text(&table, true, Some(50)),
            [
                "ID  NAME      LINES  AGE  WHY",
                "c1  a-name-\u{2026}      7   1h  he goes on about boats,",
                "                          sends the same line",
                "                          again and again, and is",
                "                          rude to everybody",
            ]
        );
        // On a narrow terminal the telling column stands below its row, and names are whole.
        assert_eq!(
            text(&table, true, Some(34)),
            [
                "ID  NAME",
                "c1  a-name-of-24-characters-",
                "    he goes on about boats, sends",
                "    the same line again and again,",
                "    and is rude to everybody",
            ]
        );
        assert_eq!(text(&table, true, Some(20))[1], "c1  a-name-of-24-ch\u{2026}");
    }

    #[test]
    fn two_columns_of_a_row_go_on_in_further_lines() {
        let mut table = Table::new([left("NAME"), left("TYPE").wraps(10), left("ABOUT").telling()]);
        table.row(["kinds".into(), "array of join | leave".into(), "The kinds of events that are told".into()]);
        table.row(["last".into(), "integer".into(), "How many".into()]);
        let lines = table.lines(true, Some(45));
        assert!(!lines.left_out);
        assert_eq!(
            text(&table, true, Some(45)),
            [
                "NAME   TYPE        ABOUT",
                "kinds  array of    The kinds of events that",
                "       join |      are told",
                "       leave",
                "last   integer     How many",
            ]
        );
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_the_telling_column_is_whole(
            name in "[a-z\u{4e2d}]{0,30}", why in "[a-z \u{4e2d}]{0,200}", width in 30_usize..200,
        ) {
            let mut table =
                Table::new([left("ID"), left("NAME").shrinks(8), right("AGE").spare(1), left("WHY").telling()]);
            table.row(["c1".into(), name, "2h 3min".into(), why.clone()]);
            let lines = text(&table, true, Some(width));
            prop_assert!(lines.iter().all(|line| line.width() <= width), "{:?}", lines);
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert!(squeezed(&lines[1..].concat()).ends_with(&squeezed(&why)), "{:?}", lines);
        }

        #[test]
        fn wrapped_text_is_whole(text in "[a-z \u{4e2d}]{0,200}", width in 1_usize..40) {
            let lines = wrap(text.trim(), width);
            prop_assert!(lines.iter().all(|line| line.width() <= width.max(2)), "{:?}", lines);
            let squeezed = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(&lines.concat()), squeezed(&text));
        }
    }
}
