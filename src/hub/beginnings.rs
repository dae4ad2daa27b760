//! Finding people by the beginnings of their names.

use std::collections::BTreeSet;

use super::room::Room;
use super::session::Session;
use super::{Hub, work};
use crate::values::id::SessionId;

/// An index of all clients by the first eight bytes of their folded names, read as a number. An
/// arrival compares numbers alone and reads no other client's name; the caller compares the rest of
/// a name.
#[derive(Clone, Debug, Default)]
pub(super) struct Beginnings(BTreeSet<(u64, SessionId)>);

/// The number of bytes of a name that are in the index.
const BYTES: usize = 8;

fn beginning(folded: &str, fill: u8) -> u64 {
    let mut bytes = [fill; BYTES];
    let length = folded.len().min(BYTES);
    bytes[..length].copy_from_slice(&folded.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

impl Beginnings {
    pub(super) fn insert(&mut self, folded: &str, id: SessionId) {
        self.0.insert((beginning(folded, 0), id));
    }

    pub(super) fn remove(&mut self, folded: &str, id: SessionId) {
        self.0.remove(&(beginning(folded, 0), id));
    }

    /// All clients whose folded names begin with `folded`. If `folded` is longer than `BYTES`, the
    /// result may hold other clients whose names share the first `BYTES` bytes.
    pub(super) fn with(&self, folded: &str) -> impl Iterator<Item = SessionId> {
        let (first, last) = (beginning(folded, 0), beginning(folded, u8::MAX));
        self.0.range((first, SessionId(0))..=(last, SessionId(u64::MAX))).map(|(_, id)| *id)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Panics if the index does not hold exactly `people`.
    pub(super) fn check_invariants<'a>(&self, people: impl Iterator<Item = (&'a str, SessionId)>) {
        let people: BTreeSet<_> = people.map(|(folded, id)| (beginning(folded, 0), id)).collect();
        assert_eq!(people, self.0, "who bears or bore a name is found by its beginning");
    }
}

/// The result of looking for people by name.
pub(super) struct Look<'a> {
    /// The clients found.
    pub(super) found: Vec<&'a Session>,
    /// The number of clients looked at: at most [`work::MOST`].
    pub(super) looked_at: u64,
    /// Whether all clients that could match were looked at.
    pub(super) is_whole: bool,
}

impl Hub {
    /// The clients whose folded names begin with `folded`: those in `room`, or, for `None`, all but
    /// those at the door.
    pub(super) fn look_for(&self, room: Option<&Room>, folded: &str) -> Look<'_> {
        let fits = |session: &&Session| {
            let is_there = room.map_or(session.at_door.is_none(), |room| session.room == room.id);
            is_there && session.nick.folded().starts_with(folded)
        };
        let members = room.filter(|room| room.members.len() <= work::MOST).map(|room| room.members.iter().copied());
        let mut looked_at = 0;
        if let Some(members) = members {
            let here = members.filter_map(|id| self.session(id)).inspect(|_| looked_at += 1);
            let found = here.filter(fits).collect();
            return Look { found, looked_at, is_whole: true };
        }
        let mut all = self.people.beginnings.with(folded).filter_map(|id| self.session(id));
        let found = all.by_ref().take(work::MOST).inspect(|_| looked_at += 1).filter(fits).collect();
        let is_whole = all.next().is_none();
        Look { found, looked_at, is_whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_with_the_beginning_is_found(
            names in prop::collection::vec("[abé]{1,10}", 0..40),
            asked in "[abé]{0,10}",
            gone in 0..40_usize,
        ) {
            let mut beginnings = Beginnings::default();
            for (at, name) in names.iter().enumerate() {
                beginnings.insert(name, SessionId(at as u64));
            }
            if let Some(name) = names.get(gone) {
                beginnings.remove(name, SessionId(gone as u64));
            }
            let found: BTreeSet<_> = beginnings.with(&asked).collect();
            for (at, name) in names.iter().enumerate().filter(|(at, _)| *at != gone) {
                let is_found = found.contains(&SessionId(at as u64));
                prop_assert!(is_found || !name.starts_with(&asked), "{asked} and {name}");
                prop_assert!(!is_found || name.starts_with(&asked) || asked.len() > BYTES, "{asked} and {name}");
            }
            prop_assert!(!found.contains(&SessionId(gone as u64)) || gone >= names.len());
        }
    }
}
