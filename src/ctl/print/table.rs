//! Tables, and lists of facts, within the columns of a terminal.
//!
//! What does not fit is never the column that tells most (reasons, notes): names are shortened, columns that tell
//! least are left out, and the telling one goes on in further lines. On a terminal so narrow that words would be torn,
//! names are whole, and the telling column stands below its row. Elsewhere than on a terminal, and with `--full`, nothing
//! is left out and a row is a line.

use std::fmt::Write as _;
use std::io;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::escape;
use super::screen::Screen;
use super::values::count;

/// The least that a telling column gets, if it needs as much.
const TELLING: usize = 24;
/// What it gets where there is hardly any room.
const LEAST: usize = 8;
/// What it gets before names are shown whole.
const AT_EASE: usize = 40;
/// The space between two columns.
const GAP: usize = 2;
/// On terminals of fewer columns than these, the telling column stands below its row if it has no room.
const NARROW: usize = 60;
/// By how much it is indented there.
const INDENT: usize = 4;

/// The side of its column that a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// For texts.
    Left,
    /// For numbers.
    Right,
}

/// What becomes of a column where there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// It stays as it is.
    Whole,
    /// Its cells are cut, to no fewer columns than these.
    Shrinks(usize),
    /// It is left out; those with a lower number go first.
    Spare(u8),
    /// It goes on in further lines. Only the last column can.
    Telling,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(in crate::ctl) struct Column {
    name: &'static str,
    side: Side,
    fit: Fit,
    /// It says whom or what the row is about.
    is_name: bool,
}

/// A column of texts.
pub(in crate::ctl) const fn left(name: &'static str) -> Column {
    Column { name, side: Side::Left, fit: Fit::Whole, is_name: false }
}

/// A column of numbers.
pub(in crate::ctl) const fn right(name: &'static str) -> Column {
    Column { name, side: Side::Right, fit: Fit::Whole, is_name: false }
}

impl Column {
    /// Its cells may be cut, to no fewer columns than these.
    pub(in crate::ctl) const fn shrinks(self, least: usize) -> Self {
        Self { fit: Fit::Shrinks(least), ..self }
    }

    /// It says whom or what the row is about: on a narrow terminal it is there, and whole if it has room.
    pub(in crate::ctl) const fn names(self) -> Self {
        Self { is_name: true, ..self }
    }

    /// It may be left out, before those with a higher number.
    pub(in crate::ctl) const fn spare(self, rank: u8) -> Self {
        Self { fit: Fit::Spare(rank), ..self }
    }

    /// It is what the table is looked at for: it goes on in further lines.
    pub(in crate::ctl) const fn telling(self) -> Self {
        Self { fit: Fit::Telling, ..self }
    }
}

/// A table whose columns are as wide as their widest cell, where there is room for that.
pub(in crate::ctl) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// A table as lines.
pub(in crate::ctl) struct Lines {
    /// The heading, if it is wanted.
    pub(in crate::ctl) heading: Option<String>,
    /// The rows, each one line or several.
    pub(in crate::ctl) rows: Vec<Vec<String>>,
    /// Whether something is not shown that `--full` shows.
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

    /// The table within `width` columns, if there is a bound.
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
                matches!(column.fit, Fit::Shrinks(_)) && shown.is_some_and(|width| cell.width() > width)
            });
            rows.push(lines);
        }
        Lines { heading: names.map(|names| self.line(&names, &shown, width).swap_remove(0)), rows, left_out }
    }

    /// How wide each column is within `width` columns; `None` for one that is left out.
    fn fit(&self, natural: &[usize], width: usize) -> Vec<Option<usize>> {
        let least = |n: usize| match self.columns[n].fit {
            Fit::Whole | Fit::Spare(_) => natural[n],
            Fit::Shrinks(least) => natural[n].min(least.max(self.columns[n].name.width())),
            Fit::Telling => natural[n].min(TELLING),
        };
        let mut shown: Vec<Option<usize>> = (0..natural.len()).map(|n| Some(least(n))).collect();
        let mut spare: Vec<(u8, usize)> = (0..natural.len())
            .filter_map(|n| match self.columns[n].fit {
                Fit::Spare(rank) => Some((rank, n)),
                _ => None,
            })
            .collect();
        spare.sort_unstable();
        for (_, n) in spare {
            if total(&shown) > width {
                shown[n] = None;
            }
        }
        let telling = (0..natural.len()).find(|n| self.columns[*n].fit == Fit::Telling);
        let lacks = total(&shown).saturating_sub(width);
        if let Some(least) = telling.and_then(|n| shown[n].as_mut()) {
            *least = least.saturating_sub(lacks).max(LEAST.min(*least));
        }
        let mut over = width.saturating_sub(total(&shown));
        let mut widen = |n: usize, to: usize| {
            if let Some(width) = &mut shown[n] {
                let more = to.min(natural[n]).saturating_sub(*width).min(over);
                *width += more;
                over -= more;
            }
        };
        telling.into_iter().for_each(|n| widen(n, AT_EASE));
        (0..natural.len()).filter(|n| Some(*n) != telling).for_each(|n| widen(n, usize::MAX));
        telling.into_iter().for_each(|n| widen(n, usize::MAX));
        shown
    }

    /// The telling column, if the terminal is narrow and the column has less room there than it is at ease with.
    fn below(&self, natural: &[usize], shown: &[Option<usize>], width: usize) -> Option<usize> {
        let telling = (0..natural.len()).find(|n| self.columns[*n].fit == Fit::Telling)?;
        let is_tight = shown[telling].is_none_or(|columns| columns < natural[telling].min(TELLING));
        (width < NARROW && (is_tight || total(shown) > width)).then_some(telling)
    }

    /// How wide each column is within `width` columns where the column `below` stands below its row: names are whole,
    /// and of the others the last ones are left out. The first column and that of the names stay.
    fn fit_without(&self, natural: &[usize], below: usize, width: usize) -> Vec<Option<usize>> {
        let mut shown: Vec<Option<usize>> = natural.iter().copied().map(Some).collect();
        shown[below] = None;
        let name = self.columns.iter().position(|column| column.is_name).unwrap_or(1);
        let is_spare = |n: usize| match self.columns[n].fit {
            Fit::Spare(rank) => Some(usize::from(rank)),
            _ => None,
        };
        // Spare ones first, as they are ranked, and then from the right.
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

    /// A row as one line, or as several if its last cell needs them.
    fn line(&self, row: &[String], shown: &[Option<usize>], width: Option<usize>) -> Vec<String> {
        let mut line = String::new();
        let mut further = Vec::new();
        for (n, cell) in row.iter().enumerate() {
            let Some(columns) = shown[n] else { continue };
            if !line.is_empty() || n > 0 && shown[..n].iter().any(Option::is_some) {
                line += &" ".repeat(GAP);
            }
            let cell = if self.columns[n].fit == Fit::Telling && width.is_some() {
                let indent = " ".repeat(line.width());
                let mut pieces = wrap(cell, columns.max(1)).into_iter();
                let first = pieces.next().unwrap_or_default();
                further = pieces.map(|piece| format!("{indent}{piece}")).collect();
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

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints the rows, with the heading if the screen has a legend. Returns whether something is not shown.
    pub(super) fn print_rows(&self, to: &mut Screen<'_>) -> io::Result<bool> {
        let lines = self.lines(to.legend, to.columns());
        if let Some(heading) = &lines.heading {
            to.heading(heading)?;
        }
        lines.rows.iter().flatten().try_for_each(|line| to.line(line))?;
        Ok(lines.left_out)
    }

    /// Prints the rows, and below them their number if the screen has a legend. `thing` is what a row is about.
    pub(super) fn print(&self, to: &mut Screen<'_>, thing: &str) -> io::Result<()> {
        if self.is_empty() {
            return to.legend(&format!("No {thing}s."));
        }
        let full = if self.print_rows(to)? { " With --full, nothing is left out." } else { "" };
        to.legend(&format!("{} listed.{full}", count(self.rows.len() as u64, thing)))
    }
}

/// How wide a line of columns is that are so wide.
fn total(shown: &[Option<usize>]) -> usize {
    let widths = shown.iter().flatten();
    (widths.clone().sum::<usize>() + GAP * widths.count()).saturating_sub(GAP)
}

/// The line, no wider than `width` columns; where it was cut stands an ellipsis.
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

/// As much of the beginning as is no wider than `width` columns.
fn head(line: &str, width: usize) -> &str {
    let mut used = 0;
    let end = line.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > width
    });
    end.map_or(line, |(at, _)| &line[..at])
}

/// The text in lines no wider than `width` columns, broken at spaces where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > width {
        let fits = head(rest, width);
        // A word that goes on behind is for the next line, unless it is longer than one.
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

/// Lines of `key: value`, with all colons in one column.
pub(super) struct Facts(pub(super) Vec<(&'static str, String)>);

impl Facts {
    pub(super) fn print(self, to: &mut Screen<'_>) -> io::Result<()> {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        let room = to.columns().map(|columns| columns.saturating_sub(width + 2).max(TELLING));
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
        // Where it is narrow, it stands below, and names are whole.
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
