//! Trying a filter, before it is made, on the last lines that people said.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::sanction::Target;
use crate::values::id::RoomId;
use crate::values::time::Now;
use crate::values::words::Filters;

/// The most lines of one room, and of all rooms together, that a new filter is tried on.
const LOOKED_AT: usize = 100;
const LOOKED_AT_IN_ALL: usize = 1000;

/// The lines among the last ones that a filter would have kept back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caught {
    /// The number of lines in which the filter finds something.
    pub lines: usize,
    /// The number of lines that the filter was tried on.
    pub looked_at: usize,
    /// The names under which the found lines were said, each once. Within a room, the author of the
    /// newest line comes first.
    pub names: Vec<Arc<str>>,
    /// The number of these names.
    pub people: usize,
}

impl Hub {
    /// Tries a filter on the last lines of these rooms: at most `LOOKED_AT` lines of each room, and
    /// `LOOKED_AT_IN_ALL` together.
    pub fn would_be_kept_back(&self, target: &Target, rooms: impl IntoIterator<Item = RoomId>, now: Now) -> Caught {
        let filters = Filters::new(&[target.to_string()], &[]);
        let (mut caught, mut by) = (Caught::default(), BTreeSet::new());
        let horizon = self.horizon(now);
        for room in rooms.into_iter().filter_map(|room| self.rooms.open.get(&room)) {
            let last = room.history.iter().rev().take_while(|line| horizon.keeps(line));
            for line in last.take(LOOKED_AT.min(LOOKED_AT_IN_ALL - caught.looked_at)) {
                caught.looked_at += 1;
                if filters.judge(line.said.text()).is_some() {
                    caught.lines += 1;
                    if by.insert(line.said.nick().to_owned()) {
                        caught.names.push(line.said.nick().into());
                    }
                }
            }
        }
        caught.people = caught.names.len();
        caught
    }
}
