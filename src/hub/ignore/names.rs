//! The names that any client ignores, and their numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::Ignored;

/// The names that any client ignores. There are at most as many as entries in the lists of all
/// clients together.
#[derive(Clone, Debug)]
pub(in crate::hub) struct IgnoredNames {
    /// By folded name: its number, and the count of clients that ignore it.
    pub(super) names: BTreeMap<Box<str>, (u64, usize)>,
    pub(super) numbers: BTreeSet<u64>,
    /// The next number, for a name or a moment: no number is given twice.
    pub(in crate::hub) next: u64,
}

impl IgnoredNames {
    pub(in crate::hub) fn new(next: u64) -> Self {
        Self { names: BTreeMap::new(), numbers: BTreeSet::new(), next: next.max(1) }
    }

    /// A new moment: a number above all numbers given before.
    pub(super) fn moment(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The number of a name; `None` if nobody ignores it.
    pub(super) fn number(&self, folded: &str) -> Option<u64> {
        self.names.get(folded).map(|(number, _)| *number)
    }

    /// Notes that one more client ignores the name. Returns its number.
    pub(super) fn add(&mut self, folded: &str) -> u64 {
        if let Some((number, count)) = self.names.get_mut(folded) {
            *count += 1;
            return *number;
        }
        let number = self.moment();
        self.names.insert(folded.into(), (number, 1));
        self.numbers.insert(number);
        number
    }

    /// Notes that one client fewer ignores the name.
    pub(super) fn remove(&mut self, ignored: &Ignored) {
        if let Some((number, count)) = self.names.get_mut(&ignored.folded)
            && *number == ignored.name
        {
            *count -= 1;
            if *count == 0 {
                self.names.remove(&ignored.folded);
                self.numbers.remove(&ignored.name);
            }
        }
    }

    /// Counts an ignored name from a snapshot.
    ///
    /// # Errors
    /// If its number has not been given yet, or differs from the number that the name has.
    pub(in crate::hub) fn revive(&mut self, ignored: &Ignored) -> Result<(), String> {
        if ignored.name == 0 {
            return Ok(());
        }
        if ignored.name >= self.next || ignored.since >= self.next {
            return Err(format!("a name is ignored by number {}, which is yet to come", ignored.name));
        }
        let (number, count) = self.names.entry(ignored.folded.clone()).or_insert((ignored.name, 0));
        *count += 1;
        self.numbers.insert(ignored.name);
        if *number == ignored.name { Ok(()) } else { Err("an ignored name has two numbers".to_owned()) }
    }

    pub(in crate::hub) fn clear(&mut self) {
        self.names.clear();
        self.numbers.clear();
    }
}
