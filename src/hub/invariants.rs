//! Conditions that always hold; a small hub checks them after each input.

use std::collections::{BTreeMap, BTreeSet};

use super::Hub;
use super::account::Role;
use crate::values::network::Origin;

impl Hub {
    /// Panics if the hub's indexes disagree with each other. Debug builds run this after each input
    /// while the hub is small.
    pub fn check_invariants(&self) {
        self.people.names.check_invariants();
        assert_eq!(self.people.names.len(), self.people.sessions.len(), "everybody has one name");
        self.people.unseen.check_invariants();
        for (id, session) in self.people.sessions.iter() {
            assert_eq!(id, session.id);
            assert_eq!(self.people.names.find(session.nick.folded()), Some(id), "the roster knows {id}");
            let room = self.rooms.open.get(&session.room).expect("everybody is in a room");
            assert!(room.members.contains(&id), "{id}'s room knows it");
        }
        let members: usize = self.rooms.open.values().map(|room| room.members.len()).sum();
        assert_eq!(members, self.people.sessions.len(), "everybody is in one room only");
        let places = self.sessions().map(|session| {
            let is_silent = session.lines == 0 && !self.is_always_let_in(session.peer);
            (session.id, Origin::of(session.peer.ip()), is_silent)
        });
        self.people.places.check_invariants(places);
        self.people.beginnings.check_invariants(self.sessions().map(|session| (session.nick.folded(), session.id)));
        let laid_down = self.sessions().flat_map(|session| {
            let names = session.last_said.iter().flat_map(|said| said.all_laid_down());
            names.map(|name| (name.folded(), session.id))
        });
        self.people.former.check_invariants(laid_down);
        let logged_in = self.sessions().filter_map(|session| Some((session.account?, session.id)));
        assert_eq!(logged_in.collect::<BTreeSet<_>>(), self.people.logged_in, "who is logged in to what is known");
        let operators = self.sessions().map(|session| session.id).filter(|id| self.role(*id) == Role::Operator);
        assert_eq!(operators.collect::<BTreeSet<_>>(), self.people.operators, "operators are known");
        let mut openers: BTreeMap<Origin, usize> = BTreeMap::new();
        self.rooms().filter_map(|room| room.opened_from).for_each(|from| *openers.entry(from).or_default() += 1);
        assert_eq!(openers, self.rooms.openers, "rooms are counted where they were opened from");
        self.rooms.names.check_invariants();
        self.check_door();
        assert_eq!(self.room_count(), self.rooms.names.len(), "every room has one name");
        for (id, room) in self.rooms.open.iter() {
            let found = self.rooms.names.find(room.name.folded());
            assert_eq!(found == Some(id), Some(id) != self.door.room, "a room is found by its name");
            assert!(
                id == self.rooms.lobby || !room.members.is_empty() || room.ownership.lasts,
                "an empty room is shut"
            );
            assert!(room.history.len() <= self.settings.history.lines, "history is capped");
            assert!(room.history.bytes() <= self.settings.history.bytes, "history is capped");
        }
        assert_eq!(self.lasting().count(), self.rooms.lasting, "rooms that last are counted");
        for room in self.rooms() {
            let ownership = &room.ownership;
            let named = ownership.owner.iter().chain(&ownership.successor).chain(&ownership.moderators);
            assert!(named.copied().all(|account| self.accounts.get(account).is_some()), "a room is of those there are");
        }
        self.recording.backlog.check_invariants();
        if let Some(peering) = &self.peering {
            peering.check_invariants();
        }
        self.check_ignored();
        self.moderation.sanctions.check_invariants();
        self.moderation.reports.check_invariants();
        self.memos.check_invariants();
        self.zones.check_invariants();
        assert!(self.memos.iter().all(|memo| self.accounts.get(memo.to).is_some()), "a message is for somebody");
        self.accounts.check_invariants();
        self.logins.check_invariants();
        for session in self.sessions() {
            assert!(session.account.is_none_or(|id| self.accounts.get(id).is_some()), "logged in to what there is");
        }
        assert!(
            self.recording.on || self.recording.backlog.iter().len() == 0,
            "nothing waits where nothing is recorded"
        );
        let pending: usize = self.rooms.open.values().filter(|room| room.presence.flush_at.is_some()).count();
        assert_eq!(pending, self.rooms.deadlines.len(), "each gathered line has its deadline");
    }
}
