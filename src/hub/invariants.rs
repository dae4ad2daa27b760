//! What always holds, checked after each input where that is cheap.

use std::collections::{BTreeMap, BTreeSet};

use super::Hub;
use super::account::Role;
use crate::values::network::Origin;

impl Hub {
    /// Panics if the hub's indexes disagree with each other. Debug builds ask after each input.
    pub fn check_invariants(&self) {
        self.roster.check_invariants();
        assert_eq!(self.roster.len(), self.sessions.len(), "everybody has one name");
        for (id, session) in self.sessions.iter() {
            assert_eq!(id, session.id);
            assert_eq!(self.roster.find(session.nick.folded()), Some(id), "the roster knows {id}");
            let room = self.rooms.get(&session.room).expect("everybody is in a room");
            assert!(room.members.contains(&id), "{id}'s room knows it");
        }
        let members: usize = self.rooms.values().map(|room| room.members.len()).sum();
        assert_eq!(members, self.sessions.len(), "everybody is in one room only");
        let places = self.sessions().map(|session| {
            let is_silent = session.lines == 0 && !self.is_always_let_in(session.peer);
            (session.id, Origin::of(session.peer.ip()), is_silent)
        });
        self.places.check_invariants(places);
        self.beginnings.check_invariants(self.sessions().map(|session| (session.nick.folded(), session.id)));
        let logged_in = self.sessions().filter_map(|session| Some((session.account?, session.id)));
        assert_eq!(logged_in.collect::<BTreeSet<_>>(), self.logged_in, "who is logged in to what is known");
        let operators = self.sessions().map(|session| session.id).filter(|id| self.role(*id) == Role::Operator);
        assert_eq!(operators.collect::<BTreeSet<_>>(), self.operators, "operators are known");
        let mut openers: BTreeMap<Origin, usize> = BTreeMap::new();
        self.rooms().filter_map(|room| room.opened_from).for_each(|from| *openers.entry(from).or_default() += 1);
        assert_eq!(openers, self.openers, "rooms are counted where they were opened from");
        self.room_names.check_invariants();
        self.check_door();
        assert_eq!(self.room_count(), self.room_names.len(), "every room has one name");
        for (id, room) in self.rooms.iter() {
            let found = self.room_names.find(room.name.folded());
            assert_eq!(found == Some(id), Some(id) != self.door.room, "a room is found by its name");
            assert!(id == self.lobby || !room.members.is_empty(), "an empty room is shut");
            assert!(room.history.len() <= self.settings.history.lines, "history is capped");
            assert!(room.history.bytes() <= self.settings.history.bytes, "history is capped");
        }
        self.backlog.check_invariants();
        self.check_ignored();
        self.bans.check_invariants();
        self.accounts.check_invariants();
        self.logins.check_invariants();
        for session in self.sessions() {
            assert!(session.account.is_none_or(|id| self.accounts.get(id).is_some()), "logged in to what there is");
        }
        assert!(self.recording || self.backlog.iter().len() == 0, "nothing waits where nothing is recorded");
        let pending: usize = self.rooms.values().filter(|room| room.presence.flush_at.is_some()).count();
        assert_eq!(pending, self.deadlines.len(), "each gathered line has its deadline");
    }
}
