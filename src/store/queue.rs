//! Searches that wait, in a fair order. Addresses take turns, and the searches of one address are
//! answered in the order in which they came: so five hundred searches from one address delay only
//! each other.

use std::collections::{BTreeMap, VecDeque};

use crate::hub::archive::Search;
use crate::values::network::Origin;

/// The most searches that wait. Each takes a fraction of a second, so asking again later is better
/// than waiting behind more.
pub(super) const MOST: usize = 256;

/// The searches that wait. A client has one at most: [`crate::hub`] sees to that.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The searches of each address that has any.
    of: BTreeMap<Option<Origin>, VecDeque<Search>>,
    /// The addresses with searches, each once, in the order of their turns.
    turns: VecDeque<Option<Origin>>,
    len: usize,
}

impl Queue {
    /// Adds a search. If more than [`MOST`] wait then, takes one out and returns it: the last
    /// search of the address that has most.
    pub(super) fn push(&mut self, search: Search) -> Option<Search> {
        let origin = search.origin;
        let own = self.of.entry(origin).or_default();
        if own.is_empty() {
            self.turns.push_back(origin);
        }
        own.push_back(search);
        self.len += 1;
        if self.len <= MOST {
            return None;
        }
        let most = self.of.iter().max_by_key(|(_, waiting)| waiting.len()).map(|(origin, _)| *origin)?;
        let gives_way = self.of.get_mut(&most)?.pop_back();
        self.len -= 1;
        self.tidy(most);
        gives_way
    }

    /// Takes out the search whose turn it is.
    pub(super) fn pop(&mut self) -> Option<Search> {
        let origin = self.turns.pop_front()?;
        let search = self.of.get_mut(&origin)?.pop_front();
        self.len -= 1;
        self.turns.push_back(origin);
        self.tidy(origin);
        search
    }

    /// How many searches wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn tidy(&mut self, origin: Option<Origin>) {
        if self.of.get(&origin).is_some_and(VecDeque::is_empty) {
            self.of.remove(&origin);
            self.turns.retain(|turn| *turn != origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::id::{RoomId, SessionId};
    use crate::values::name::Name;
    use proptest::prelude::*;

    fn search(number: u64, low: u8) -> Search {
        let name = Name::parse("lobby", 24).expect("a name");
        let (shown, query) = ("x".into(), "x".into());
        let origin = Some(Origin::of([192, 0, 2, low].into()));
        Search {
            session: SessionId(number),
            number,
            room: RoomId(0),
            name,
            shown,
            query,
            limit: 1,
            from: 0,
            origin,
            report: None,
        }
    }

    fn numbers(queue: &mut Queue) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop()).map(|search| search.number).collect()
    }

    #[test]
    fn an_address_that_searches_once_waits_for_one_of_each_other() {
        let mut queue = Queue::default();
        (0..50).for_each(|number| drop(queue.push(search(number, 1))));
        queue.push(search(100, 2));
        queue.push(search(101, 3));
        assert_eq!(numbers(&mut queue)[..5], [0, 100, 101, 1, 2]);
    }

    #[test]
    fn the_address_that_has_most_gives_way_when_too_many_wait() {
        let mut queue = Queue::default();
        let refused: Vec<_> =
            (0..500).filter_map(|number| queue.push(search(number, 1))).map(|one| one.number).collect();
        assert_eq!(refused, (MOST as u64..500).collect::<Vec<_>>(), "the last ones");
        assert_eq!(queue.push(search(1000, 2)).map(|one| one.number), Some(MOST as u64 - 1));
        assert_eq!(numbers(&mut queue)[..2], [0, 1000]);
    }

    proptest! {
        #[test]
        fn searches_are_answered_once_and_those_of_an_address_in_order(
            steps in prop::collection::vec(prop::option::of(0..6_u8), 0..300),
        ) {
            let (mut queue, mut seen) = (Queue::default(), Vec::new());
            for (number, step) in (0..).zip(&steps) {
                match step {
                    Some(low) => seen.extend(queue.push(search(number, *low)).map(|one| (false, one))),
                    None => seen.extend(queue.pop().map(|one| (true, one))),
                }
                prop_assert!(queue.len() <= MOST);
                prop_assert_eq!(queue.len(), queue.of.values().map(VecDeque::len).sum::<usize>());
                prop_assert_eq!(queue.turns.len(), queue.of.len());
            }
            seen.extend(std::iter::from_fn(|| queue.pop()).map(|one| (true, one)));
            let asked = steps.iter().filter(|step| step.is_some()).count();
            prop_assert_eq!(seen.len(), asked);
            for low in 0..6 {
                let origin = Some(Origin::of([192, 0, 2, low].into()));
                let own: Vec<_> = seen.iter().filter(|(done, one)| *done && one.origin == origin).map(|(_, one)| one.number).collect();
                prop_assert!(own.is_sorted(), "{own:?}");
            }
        }
    }
}
