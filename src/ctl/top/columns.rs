//! The columns of a list: their cells, the order of the rows, and which columns fit. Pure: no input
//! or output.

use std::cmp::Ordering;

use super::glyphs::{columns, legible};
use super::looking::{Listed, Step};
pub(super) use crate::ctl::fit::Fit;
use crate::ctl::fit::{self, Asked, GAP, Squeezed, total};

/// The least width of the telling column while other columns can still be left out.
const TELLING: usize = 12;

/// The telling column gets this width before cells of other columns are shown in full.
const AT_EASE: usize = 16;

/// The key by which a row is sorted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    Number(f64),
    Text(String),
}

impl Order {
    #[expect(clippy::cast_precision_loss, reason = "what is equal then looks equal, too")]
    pub(super) fn count(number: u64) -> Self {
        Self::Number(number as f64)
    }

    /// A key for text; upper and lower case are equal.
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.to_lowercase())
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        }
    }
}

/// A column of a list whose rows are made from values of `T`.
pub(super) struct Column<T> {
    pub(super) name: &'static str,
    /// Whether its cells are aligned on the right, as numbers are.
    pub(super) right: bool,
    pub(super) fit: Fit,
    /// Whether the largest values come first if the list is sorted by this column and not reversed.
    pub(super) most_first: bool,
    pub(super) text: fn(&T) -> String,
    pub(super) order: fn(&T) -> Order,
}

/// A list of rows.
pub(super) struct List<'a, T> {
    pub(super) columns: &'a [Column<T>],
    pub(super) rows: Vec<T>,
    /// The identity of a row, the same in every sample: an id or a name.
    pub(super) key: fn(&T) -> String,
    /// Whether a row matches the filter. The filter is given in lower case.
    pub(super) matches: fn(&T, &str) -> bool,
}

/// A column as it is placed on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) name: &'static str,
    /// The column of the screen at which it begins; the list begins at 0.
    pub(super) at: usize,
    pub(super) width: usize,
    pub(super) right: bool,
    /// Whether the list is sorted by this column.
    pub(super) sorted: bool,
}

/// The part of a list that is on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) columns: Vec<Shown>,
    /// For each row: its cells, ready to be drawn, and whether it is selected.
    pub(super) rows: Vec<(Vec<String>, bool)>,
    /// How many rows match the filter, and how many there are.
    pub(super) matching: usize,
    pub(super) total: usize,
    /// The index of the first row on the screen, among those that match.
    pub(super) first: usize,
}

impl<T> List<'_, T> {
    /// Filters and sorts the list, applies the steps taken since the last frame to the selection,
    /// and returns the part on a screen of `width` columns and `height` rows. The heading is not
    /// counted in `height`.
    pub(super) fn lay(mut self, listed: &mut Listed, filter: &str, (width, height): (usize, usize)) -> Laid {
        let total = self.rows.len();
        let filter = filter.to_lowercase();
        let rows =
            std::mem::take(&mut self.rows).into_iter().filter(|row| filter.is_empty() || (self.matches)(row, &filter));
        listed.sort = listed.sort.min(self.columns.len().saturating_sub(1));
        let by = &self.columns[listed.sort];
        let mut rows: Vec<(Order, T)> = rows.map(|row| ((by.order)(&row), row)).collect();
        let most_first = by.most_first != listed.reversed;
        rows.sort_by(|(one, _), (two, _)| if most_first { two.compare(one) } else { one.compare(two) });

        let matching = rows.len();

        // If the selected row is gone, nothing is selected: not the row that now stands in its
        // place.
        let keyed = |wanted: &String| rows.iter().position(|(_, row)| (self.key)(row) == *wanted);
        let mut at = listed.selected.as_ref().and_then(keyed);
        let last = rows.len().saturating_sub(1);
        let page = height.saturating_sub(1).max(1);
        for step in listed.steps.drain(..) {
            at = match (step, at) {
                _ if rows.is_empty() => None,
                (Step::Down, None) => Some(listed.first.min(last)),
                (Step::Up, None) => Some((listed.first + height).min(rows.len()).saturating_sub(1)),
                (Step::Down, Some(at)) => Some((at + 1).min(last)),
                (Step::Up, Some(at)) => Some(at.saturating_sub(1)),
                (Step::PageDown, at) => Some((at.unwrap_or(listed.first) + page).min(last)),
                (Step::PageUp, at) => Some(at.unwrap_or(listed.first).saturating_sub(page)),
                (Step::Home, _) => Some(0),
                (Step::End, _) => Some(last),
            };
        }
        listed.selected = at.and_then(|at| rows.get(at)).map(|(_, row)| (self.key)(row));
        if let Some(at) = at {
            listed.first = listed.first.clamp((at + 1).saturating_sub(height), at);
        }
        listed.first = listed.first.min(rows.len().saturating_sub(height));

        let seen: Vec<Vec<String>> = rows
            .iter()
            .skip(listed.first)
            .take(height)
            .map(|(_, row)| self.columns.iter().map(|column| cell(&(column.text)(row))).collect())
            .collect();
        let columns = self.fit(&seen, listed, width);
        let selected = at.and_then(|at| at.checked_sub(listed.first));
        let rows = seen.into_iter().enumerate().map(|(index, cells)| {
            let cells = cells.into_iter().zip(&columns).filter(|(_, shown)| shown.is_some()).map(|(cell, _)| cell);
            (cells.collect(), Some(index) == selected)
        });
        Laid {
            rows: rows.collect(),
            columns: columns.into_iter().flatten().collect(),
            matching,
            total,
            first: listed.first,
        }
    }

    /// The place of each column; `None` for one that is left out. `seen` holds the cells of the
    /// rows on the screen.
    fn fit(&self, seen: &[Vec<String>], listed: &mut Listed, width: usize) -> Vec<Option<Shown>> {
        // Columns that change their width with each sample are hard to read, so they only grow.
        let sort = listed.sort;
        let natural = listed.grown(width, self.columns.len());
        for (n, column) in self.columns.iter().enumerate() {
            let cells = seen.iter().map(|row| columns(&row[n]));
            natural[n] = natural[n].max(cells.max().unwrap_or(0)).max(column.name.len());
        }
        let asked = self.columns.iter().enumerate().map(|(n, column)| Asked {
            fit: column.fit,
            natural: natural[n],
            heading: column.name.len(),
            // The column by which the list is sorted is never left out.
            stays: n == sort,
        });
        let telling = fit::Telling { least: TELLING, at_ease: AT_EASE, squeezed: Squeezed::OrLeftOut };
        let mut shown = fit::fit(&asked.collect::<Vec<_>>(), telling, width);
        // The telling column has the rest of the line, whatever its cells on the screen need now.
        let over = width.saturating_sub(total(&shown));
        let telling = self.columns.iter().position(|column| column.fit == Fit::Telling);
        if let Some(width) = telling.and_then(|n| shown[n].as_mut()) {
            *width += over;
        }
        let mut at = 0;
        let mut place = |n: usize, given: usize| {
            let column = &self.columns[n];
            let shown = Shown {
                name: column.name,
                at,
                width: given.min(width.saturating_sub(at)),
                right: column.right,
                sorted: n == sort,
            };
            at += given + GAP;
            shown
        };
        shown.into_iter().enumerate().map(|(n, width)| width.map(|width| place(n, width))).collect()
    }
}

/// A cell as it is drawn: escaped; `-` if it is empty.
fn cell(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { legible(text) }
}
