//! How wide each column of a table is on a terminal: for the tables that are printed
//! ([`super::print::table`]) and for the lists of `top` ([`super::top`]). Pure.
//!
//! One column says most (reasons, notes): the telling column. What it asks for differs between the
//! two, because a printed cell can be wrapped into further lines and a row of `top` is one line:
//! see [`Telling`].

/// The space between two columns, in columns of the terminal.
pub(super) const GAP: usize = 2;

/// What is done with a column if all together are wider than the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// The column is shown in full.
    Whole,
    /// Its cells are cut, but to no fewer columns of the terminal than this.
    Shrinks(usize),
    /// The column is left out; of several, that with the lowest number goes first.
    Spare(u8),
    /// The column is left out as by `Spare` of the first number; before that its cells are cut as
    /// by `Shrinks` of the second.
    SpareShrinks(u8, usize),
    /// The telling column.
    Telling,
}

/// A column for which there is to be room. Widths are in columns of the terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) fit: Fit,
    /// The width of its widest cell.
    pub(super) natural: usize,
    /// The width of its heading, below which no cell is cut.
    pub(super) heading: usize,
    /// Whether the column is never left out.
    pub(super) stays: bool,
}

/// How much room the telling column asks for, in columns of the terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    /// Its least width while other columns can still be left out.
    pub(super) least: usize,
    /// It gets this width before the other columns get more than their least.
    pub(super) at_ease: usize,
    /// What becomes of it where there is no room for `least`.
    pub(super) squeezed: Squeezed,
}

/// What becomes of a telling column that has less room than its least width.
#[derive(Clone, Copy, Debug)]
pub(super) enum Squeezed {
    /// It gets what is left, but not less than this.
    To(usize),
    /// It gets what is left, and is left out if that is less than its heading.
    OrLeftOut,
}

/// The width of each column on a terminal of `width` columns; `None` for a column that is left out.
/// All together may be wider than the terminal, if no more can be left out or cut.
pub(super) fn fit(columns: &[Asked], telling: Telling, width: usize) -> Vec<Option<usize>> {
    let least = |column: &Asked| match column.fit {
        Fit::Whole | Fit::Spare(_) => column.natural,
        Fit::Shrinks(least) | Fit::SpareShrinks(_, least) => column.natural.min(least.max(column.heading)),
        Fit::Telling => column.natural.min(telling.least),
    };
    let mut shown: Vec<Option<usize>> = columns.iter().map(|column| Some(least(column))).collect();
    let mut spare: Vec<(u8, usize)> = (0..columns.len())
        .filter_map(|n| match columns[n].fit {
            Fit::Spare(rank) | Fit::SpareShrinks(rank, _) if !columns[n].stays => Some((rank, n)),
            _ => None,
        })
        .collect();
    spare.sort_unstable();
    for (_, n) in spare {
        if total(&shown) > width {
            shown[n] = None;
        }
    }
    let tells = columns.iter().position(|column| column.fit == Fit::Telling);
    let lacks = total(&shown).saturating_sub(width);
    if let (Some(n), 1..) = (tells, lacks) {
        let least = least(&columns[n]);
        let left = least.saturating_sub(lacks);
        shown[n] = match telling.squeezed {
            Squeezed::To(lowest) => Some(left.max(lowest.min(least))),
            Squeezed::OrLeftOut => (left >= columns[n].heading).then_some(left),
        };
    }
    let mut over = width.saturating_sub(total(&shown));
    let mut widen = |n: usize, to: usize| {
        if let Some(width) = &mut shown[n] {
            let more = to.min(columns[n].natural).saturating_sub(*width).min(over);
            *width += more;
            over -= more;
        }
    };
    tells.into_iter().for_each(|n| widen(n, telling.at_ease));
    (0..columns.len()).filter(|n| Some(*n) != tells).for_each(|n| widen(n, usize::MAX));
    tells.into_iter().for_each(|n| widen(n, usize::MAX));
    shown
}

/// The width of a whole line: the shown columns, and the gaps between them.
pub(super) fn total(shown: &[Option<usize>]) -> usize {
    let widths = shown.iter().flatten();
    (widths.clone().sum::<usize>() + GAP * widths.count()).saturating_sub(GAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: Telling = Telling { least: 24, at_ease: 40, squeezed: Squeezed::To(8) };
    const LISTED: Telling = Telling { least: 12, at_ease: 16, squeezed: Squeezed::OrLeftOut };

    fn asked(fit: Fit, natural: usize) -> Asked {
        Asked { fit, natural, heading: 4, stays: false }
    }

    #[test]
    fn columns_go_by_rank_and_cells_are_cut_before_the_telling_column_is() {
        let columns = [
            asked(Fit::Whole, 4),
            asked(Fit::Spare(2), 6),
            asked(Fit::SpareShrinks(1, 8), 12),
            asked(Fit::Shrinks(6), 20),
            asked(Fit::Telling, 100),
        ];
        assert_eq!(fit(&columns, PRINTED, 200), [Some(4), Some(6), Some(12), Some(20), Some(100)]);
        assert_eq!(fit(&columns, PRINTED, 80), [Some(4), Some(6), Some(12), Some(10), Some(40)]);
        assert_eq!(fit(&columns, PRINTED, 55), [Some(4), Some(6), None, Some(6), Some(33)]);
        assert_eq!(fit(&columns, PRINTED, 40), [Some(4), None, None, Some(6), Some(26)]);
        assert_eq!(fit(&columns, PRINTED, 30), [Some(4), None, None, Some(6), Some(16)]);
        assert_eq!(fit(&columns, PRINTED, 10), [Some(4), None, None, Some(6), Some(8)]);
        assert_eq!(fit(&columns, LISTED, 10), [Some(4), None, None, Some(6), None]);
    }

    #[test]
    fn a_column_that_stays_is_not_left_out() {
        let stays = Asked { stays: true, ..asked(Fit::Spare(1), 8) };
        assert_eq!(fit(&[stays, asked(Fit::Spare(2), 8)], LISTED, 10), [Some(8), None]);
    }
}
