//! Tables, and lists of facts.

use std::fmt::Write as _;
use std::io;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::escape;
use super::screen::Screen;
use super::values::count;

/// The side of its column that a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ctl) enum Side {
    /// For texts.
    Left,
    /// For numbers.
    Right,
}

/// A table whose columns are as wide as their widest cell.
pub(in crate::ctl) struct Table {
    columns: &'static [(&'static str, Side)],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub(in crate::ctl) fn new(columns: &'static [(&'static str, Side)]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row. Each cell is escaped; an empty one is shown as `-`.
    pub(in crate::ctl) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(N, self.columns.len());
        let shown = |cell: String| if cell.is_empty() { "-".into() } else { escape(&cell).into_owned() };
        self.rows.push(cells.map(shown).into());
    }

    /// The lines of the table, with or without its heading, cut to `width` if there is one.
    #[must_use]
    pub(in crate::ctl) fn lines(&self, heading: bool, width: Option<usize>) -> Vec<String> {
        let heading = heading.then(|| self.columns.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
        let rows = || heading.iter().chain(&self.rows);
        let widths: Vec<usize> =
            (0..self.columns.len()).map(|n| rows().map(|row| row[n].width()).max().unwrap_or(0)).collect();
        let line = |row: &Vec<String>| {
            let mut line = String::new();
            for (n, cell) in row.iter().enumerate() {
                let gap = " ".repeat(widths[n] - cell.width());
                let (before, after) = if self.columns[n].1 == Side::Right { (&*gap, "") } else { ("", &*gap) };
                let space = if n == 0 { "" } else { "  " };
                let _ = write!(line, "{space}{before}{cell}{after}");
            }
            cut(line.trim_end(), width)
        };
        rows().map(line).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints the rows, with the heading if the screen has a legend.
    pub(super) fn print_rows(&self, to: &mut Screen<'_>) -> io::Result<()> {
        self.lines(to.legend, to.terminal.map(|(columns, _)| columns)).iter().try_for_each(|line| to.line(line))
    }

    /// Prints the rows, and below them their number if the screen has a legend. `thing` is what a row is about.
    pub(super) fn print(&self, to: &mut Screen<'_>, thing: &str) -> io::Result<()> {
        if !self.is_empty() {
            self.print_rows(to)?;
        }
        to.legend(&format!("{} listed.", count(self.rows.len() as u64, thing)))
    }
}

/// The line, no wider than `width` columns; where it was cut stands an ellipsis.
pub(in crate::ctl) fn cut(line: &str, width: Option<usize>) -> String {
    match width {
        Some(width) if line.width() > width => {
            let mut used = 1;
            let mut kept = String::new();
            for c in line.chars() {
                used += c.width().unwrap_or(0);
                if used > width {
                    break;
                }
                kept.push(c);
            }
            kept.push('\u{2026}');
            kept
        }
        _ => line.to_owned(),
    }
}

/// Lines of `key: value`, with all colons in one column.
pub(super) struct Facts(pub(super) Vec<(&'static str, String)>);

impl Facts {
    pub(super) fn print(self, to: &mut Screen<'_>) -> io::Result<()> {
        let width = self.0.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
        for (key, value) in self.0 {
            let colon = if key.is_empty() { ' ' } else { ':' };
            to.line(format!("{key:>width$}{colon} {value}").trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_look() {
        let mut table = Table::new(&[("A", Side::Left), ("N", Side::Right), ("B", Side::Left)]);
        table.row(["\u{4e2d}\u{6587}".into(), "7".into(), "x".into()]);
        table.row(["e\u{301}".into(), "10".into(), String::new()]);
        assert_eq!(table.lines(true, None), ["A      N  B", "\u{4e2d}\u{6587}   7  x", "e\u{301}     10  -"]);
        assert_eq!(table.lines(false, Some(9)), ["\u{4e2d}\u{6587}   7\u{2026}", "e\u{301}     10\u{2026}"]);
    }
}
