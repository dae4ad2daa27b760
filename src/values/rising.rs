//! A map whose keys are numbers that are handed out in rising order, stored as a sorted vector.
//!
//! Keys are distinct numbers, so the distances of a key from the first and the last key bound its
//! index: one or two comparisons find it, where a search tree needs one for each level. A hash
//! table would be as quick, but its order is random, and the hub must be deterministic.

use std::fmt::Debug;
use std::ops::Index;

/// A map from numbers to values, in the order of the numbers. Any numbers work; a look-up is quick
/// where few numbers between the first and the last are missing.
#[derive(Clone, Debug)]
pub struct Rising<K, V> {
    /// Sorted by number. A removed value leaves a hole (`None`): there are at most `FEW` more holes
    /// than values.
    places: Vec<(K, Option<V>)>,
    holes: usize,
}

/// Holes are closed as soon as they outnumber the values by more than this.
const FEW: usize = 32;

impl<K, V> Default for Rising<K, V> {
    fn default() -> Self {
        Self { places: Vec::new(), holes: 0 }
    }
}

impl<K: Copy + Ord + Into<u64> + Debug, V> Rising<K, V> {
    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.places.len() - self.holes
    }

    /// Whether there are no values.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The index of `key` in `places`, even if its value was removed and left a hole.
    fn place(&self, key: K) -> Option<usize> {
        let (first, last) = (self.places.first()?.0, self.places.last()?.0);
        if key < first || key > last {
            return None;
        }
        let (number, end) = (key.into(), self.places.len() - 1);
        // Numbers differ by at least one, so these distances bound how many places lie before and
        // behind.
        let before = usize::try_from(number - first.into()).unwrap_or(end).min(end);
        let behind = usize::try_from(last.into() - number).unwrap_or(end).min(end);
        let from = end - behind;
        let at = self.places[from..=before].binary_search_by_key(&key, |(key, _)| *key);
        at.ok().map(|at| from + at)
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.places[self.place(*key)?].1.as_ref()
    }

    /// The value of `key`, mutable.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.place(*key)?;
        self.places[place].1.as_mut()
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Gives `key` a value, and returns the former one. Appending the highest number is quick;
    /// inserting below others moves all places above it.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if self.places.last().is_none_or(|(last, _)| *last < key) {
            self.places.push((key, Some(value)));
            return None;
        }
        match self.places.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(place) => {
                let former = self.places[place].1.replace(value);
                self.holes -= usize::from(former.is_none());
                former
            }
            Err(place) => {
                self.places.insert(place, (key, Some(value)));
                None
            }
        }
    }

    /// Removes the value of `key` and returns it.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.place(*key)?;
        let value = self.places[place].1.take()?;
        self.holes += 1;
        if self.holes > self.len() + FEW {
            self.close_holes();
        }
        Some(value)
    }

    /// Removes the values for which `keep` returns false.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.places.retain_mut(|(key, value)| value.as_mut().is_some_and(|value| keep(key, value)));
        self.holes = 0;
    }

    fn close_holes(&mut self) {
        self.places.retain(|(_, value)| value.is_some());
        self.places.shrink_to(2 * self.places.len());
        self.holes = 0;
    }

    /// All numbers with their values, in rising order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.places.iter().filter_map(|(key, value)| Some((*key, value.as_ref()?)))
    }

    /// The values of `first` and all higher numbers, in rising order of the numbers.
    pub fn values_from(&self, first: K) -> impl Iterator<Item = &V> {
        let from = self.places.partition_point(|(key, _)| *key < first);
        self.places[from..].iter().filter_map(|(_, value)| value.as_ref())
    }

    /// The values, in rising order of their numbers.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.places.iter().filter_map(|(_, value)| value.as_ref())
    }

    /// The values, mutable, in rising order of their numbers.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.places.iter_mut().filter_map(|(_, value)| value.as_mut())
    }

    /// The highest number that has a value.
    #[must_use]
    pub fn last(&self) -> Option<K> {
        self.iter().next_back().map(|(key, _)| key)
    }
}

impl<K: Copy + Ord + Into<u64> + Debug, V> Index<&K> for Rising<K, V> {
    type Output = V;

    /// Panics if `key` has no value.
    fn index(&self, key: &K) -> &V {
        self.get(key).unwrap_or_else(|| panic!("{key:?} is not there"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[derive(Clone, Debug)]
    enum Step {
        /// Inserts the number that is this much above the highest one so far.
        Next(u64),
        /// Inserts any number.
        Insert(u64),
        Remove(u64),
        /// Removes the number at this place in the order, so that removals hit something.
        RemoveAt(usize),
        Double,
        KeepOdd,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (1_u64..4).prop_map(Step::Next),
            1 => prop_oneof![0_u64..200, any::<u64>()].prop_map(Step::Insert),
            1 => (0_u64..200).prop_map(Step::Remove),
            5 => any::<prop::sample::Index>().prop_map(|at| Step::RemoveAt(at.index(1000))),
            1 => Just(Step::Double),
            1 => Just(Step::KeepOdd),
        ]
    }

    proptest! {
        #[test]
        fn a_rising_table_behaves_as_an_ordered_map(steps in prop::collection::vec(step(), 0..400)) {
            let (mut table, mut model) = (Rising::<u64, u64>::default(), BTreeMap::new());
            for (count, step) in steps.into_iter().enumerate() {
                let value = count as u64;
                let greatest = model.last_key_value().map_or(0, |(key, _): (&u64, &u64)| *key);
                match step {
                    Step::Next(more) => {
                        let key = greatest.saturating_add(more);
                        prop_assert_eq!(table.insert(key, value), model.insert(key, value));
                    }
                    Step::Insert(key) => prop_assert_eq!(table.insert(key, value), model.insert(key, value)),
                    Step::Remove(key) => prop_assert_eq!(table.remove(&key), model.remove(&key)),
                    Step::RemoveAt(at) => {
                        let key = model.keys().nth(at % model.len().max(1)).copied().unwrap_or(0);
                        prop_assert_eq!(table.remove(&key), model.remove(&key));
                    }
                    Step::Double => {
                        table.values_mut().for_each(|value| *value *= 2);
                        model.values_mut().for_each(|value| *value *= 2);
                    }
                    Step::KeepOdd => {
                        table.retain(|key, _| key % 2 == 1);
                        model.retain(|key, _| key % 2 == 1);
                    }
                }
                prop_assert_eq!(table.iter().map(|(k, v)| (k, *v)).collect::<Vec<_>>(), model.iter().map(|(k, v)| (*k, *v)).collect::<Vec<_>>());
                prop_assert_eq!((table.len(), table.is_empty()), (model.len(), model.is_empty()));
                prop_assert_eq!(table.last(), model.last_key_value().map(|(key, _)| *key));
                let near = model.keys().flat_map(|key| [key.wrapping_sub(1), *key, key.wrapping_add(1)]).chain([0, 7, u64::MAX]);
                for key in near {
                    prop_assert_eq!(table.get(&key), model.get(&key));
                }
                prop_assert!(table.holes <= table.len() + FEW);
            }
        }
    }
}
