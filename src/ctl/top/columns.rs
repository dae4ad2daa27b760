//! Columns of a list: what stands in them, by which of them it is sorted, and how they fit. Pure.

use std::cmp::Ordering;

use super::glyphs::{columns, legible};
use super::looking::{Listed, Step};

/// The space between two columns.
const GAP: usize = 2;

/// The least that the telling column gets while others could be left out.
const TELLING: usize = 12;

/// What the telling column gets before names are shown whole.
const AT_EASE: usize = 16;

/// What a list is sorted by.
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

    /// Without regard to capital letters.
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

/// What becomes of a column where there is no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Whole,
    /// It is left out; those with a lower number go first.
    Spare(u8),
    /// Its cells are cut, to no fewer columns than these.
    Shrinks(usize),
    /// Both: it is left out by the first number, and cut to no fewer columns than the second.
    SpareShrinks(u8, usize),
    /// It gets what is left over.
    Telling,
}

/// A column of rows that are made of `T`.
pub(super) struct Column<T> {
    pub(super) name: &'static str,
    /// Its cells stand on the right, as numbers do.
    pub(super) right: bool,
    pub(super) fit: Fit,
    /// Sorted by it, the largest come first unless that is reversed.
    pub(super) most_first: bool,
    pub(super) text: fn(&T) -> String,
    pub(super) order: fn(&T) -> Order,
}

/// A list of rows.
pub(super) struct List<'a, T> {
    pub(super) columns: &'a [Column<T>],
    pub(super) rows: Vec<T>,
    /// What tells a row from others, at any time.
    pub(super) key: fn(&T) -> String,
    /// Whether it is of those that are looked for; what is typed comes in lower case.
    pub(super) matches: fn(&T, &str) -> bool,
}

/// A column where it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) name: &'static str,
    pub(super) at: usize,
    pub(super) width: usize,
    pub(super) right: bool,
    /// The list is sorted by it.
    pub(super) sorted: bool,
}

/// A list as far as it is on the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Laid {
    pub(super) columns: Vec<Shown>,
    /// For each row its cells, legible, and whether it is selected.
    pub(super) rows: Vec<(Vec<String>, bool)>,
    /// Rows that match, and all.
    pub(super) matching: usize,
    pub(super) total: usize,
    /// The number of the first row on the screen.
    pub(super) first: usize,
}

impl<T> List<'_, T> {
    /// Sorts the list, moves in it as was wanted since, and says what is on a screen of that size (a heading aside).
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

        // Who has gone is not selected any more, and nobody is in their place.
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

    /// Where each column stands; `None` for one that is left out.
    fn fit(&self, seen: &[Vec<String>], listed: &mut Listed, width: usize) -> Vec<Option<Shown>> {
        // Columns that grow and shrink with each look are hard to read: they only grow.
        let sort = listed.sort;
        let natural = listed.grown(width, self.columns.len());
        for (n, column) in self.columns.iter().enumerate() {
            let cells = seen.iter().map(|row| columns(&row[n]));
            natural[n] = natural[n].max(cells.max().unwrap_or(0)).max(column.name.len());
        }
        let least = |n: usize| match self.columns[n].fit {
            Fit::Whole | Fit::Spare(_) => natural[n],
            Fit::Shrinks(least) | Fit::SpareShrinks(_, least) => natural[n].min(least.max(self.columns[n].name.len())),
            Fit::Telling => natural[n].min(TELLING),
        };
        let mut shown: Vec<Option<usize>> = (0..natural.len()).map(|n| Some(least(n))).collect();
        let total = |shown: &[Option<usize>]| {
            let widths = shown.iter().flatten();
            (widths.clone().sum::<usize>() + GAP * widths.count()).saturating_sub(GAP)
        };
        let mut spare: Vec<(u8, usize)> = Vec::new();
        for (n, column) in self.columns.iter().enumerate() {
            // What it is sorted by is seen.
            if let Fit::Spare(rank) | Fit::SpareShrinks(rank, _) = column.fit
                && n != sort
            {
                spare.push((rank, n));
            }
        }
        spare.sort_unstable();
        for (_, n) in spare {
            if total(&shown) > width {
                shown[n] = None;
            }
        }
        let telling = self.columns.iter().position(|column| column.fit == Fit::Telling);
        if total(&shown) > width
            && let Some(n) = telling
        {
            let left = shown[n].unwrap_or(0).saturating_sub(total(&shown) - width);
            shown[n] = (left >= self.columns[n].name.len()).then_some(left);
        }
        let mut over = width.saturating_sub(total(&shown));
        let mut widen = |n: usize, to: usize| {
            if let Some(width) = &mut shown[n] {
                let more = to.saturating_sub(*width).min(over);
                *width += more;
                over -= more;
            }
        };
        telling.into_iter().for_each(|n| widen(n, natural[n].min(AT_EASE)));
        (0..natural.len()).filter(|n| Some(*n) != telling).for_each(|n| widen(n, natural[n]));
        telling.into_iter().for_each(|n| widen(n, usize::MAX));
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

/// A cell as it is shown.
fn cell(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { legible(text) }
}
