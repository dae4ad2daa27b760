//! What a filter would keep back: the last lines, before it is made.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::hub::Hub;
use crate::hub::sanction::Target;
use crate::values::id::RoomId;
use crate::values::time::Now;
use crate::values::words::Filters;

/// The most lines of one room, and of all rooms together, that a filter is tried on before it is made.
const LOOKED_AT: usize = 100;
const LOOKED_AT_IN_ALL: usize = 1000;

/// What a filter would have kept back of the last lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caught {
    /// How many lines the filter finds something in.
    pub lines: usize,
    /// How many lines the filter was tried on.
    pub looked_at: usize,
    /// The names under which the found lines were said, each once; within a room, that of the newest line first.
    pub names: Vec<Arc<str>>,
    /// How many names these are.
    pub people: usize,
}

impl Hub {
    /// What a filter would have kept back of the last lines of these rooms: of at most `LOOKED_AT` lines of each room,
    /// and `LOOKED_AT_IN_ALL` together.
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
