//! The door: where those wait who may come in when they have logged in (`accounts.entry`, or a lockdown).
//!
//! Everybody is in a room, and so are they: in one that is in no list, in which nothing is ever said, of
//! which nothing is kept, and whose members neither see nor hear each other, nor anybody else.

use super::Turn;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::account::Role;
use super::entrance::Since;
use super::message::{Farewell, Message, Refusal};
use super::room::Room;
use super::{Effect, Hub, command};
use crate::settings::{Entry, Newcomers, Registering};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::time::Mono;

/// What its name is, to administrators and at the prompt of a line editor. Nobody goes there by it, and a
/// room may have it too.
const NAME: &str = "door";

/// The room, while anybody is in it, and when each one has waited long enough.
#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    pub(super) room: Option<RoomId>,
    leaves: BTreeSet<(Mono, SessionId)>,
}

impl Door {
    /// When the first one has waited long enough.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.leaves.first().map(|(at, _)| *at)
    }

    /// Somebody waits there until then.
    pub(super) fn waits(&mut self, id: SessionId, until: Mono) {
        self.leaves.insert((until, id));
    }

    /// Somebody does not wait there any more.
    pub(super) fn left(&mut self, id: SessionId, until: Option<Mono>) {
        if let Some(until) = until {
            self.leaves.remove(&(until, id));
        }
    }

    /// Everybody has gone.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Hub {
    /// Whether that client waits at the door.
    #[must_use]
    pub fn is_at_door(&self, id: SessionId) -> bool {
        self.people.sessions.get(&id).is_some_and(|session| session.at_door.is_some())
    }

    /// Whether newcomers wait until they have logged in: always, or during a lockdown.
    pub(super) fn has_door(&self) -> bool {
        let is_locked = self.lockdown().is_some_and(|lockdown| lockdown.newcomers == Newcomers::Door);
        is_locked || self.settings.accounts.entry == Entry::Registered
    }

    /// Panics if those who wait at the door are not those who are there.
    pub(super) fn check_door(&self) {
        let waiting = self.people.sessions.values().filter_map(|session| Some((session.at_door?, session.id)));
        assert_eq!(waiting.collect::<BTreeSet<_>>(), self.door.leaves, "everybody at the door has a deadline");
        for session in self.people.sessions.values() {
            let is_there = Some(session.room) == self.door.room;
            assert_eq!(is_there, session.at_door.is_some(), "{} is at the door, or is not", session.id);
        }
        if let Some(room) = self.door.room {
            let room = &self.rooms.open[&room];
            assert!(room.closing && !room.kept && room.lines == 0, "nothing is said at the door");
        }
    }
}

impl Turn<'_> {
    /// The room behind the door, opened if nobody waits there yet.
    pub(super) fn door_room(&mut self) -> RoomId {
        if let Some(room) = self.hub.door.room {
            return room;
        }
        let id = RoomId(self.hub.rooms.next);
        self.hub.rooms.next += 1;
        let name = Name::parse(NAME, NAME.len()).expect("it is one");
        let mut room = Room::new(id, name, self.now.wall);
        // Nobody is announced in it, and nothing is kept.
        (room.closing, room.kept) = (true, false);
        self.hub.rooms.open.insert(id, CopyOnWrite::new(room));
        self.hub.door.room = Some(id);
        self.effects.push(Effect::Open(id));
        id
    }

    /// Tells a newcomer where they are.
    pub(super) fn greet_at_door(&mut self, id: SessionId) {
        let text = |text: &str| (!text.is_empty()).then(|| -> Arc<str> { text.into() });
        let message = Message::AtDoor {
            hub: self.hub.settings.hub.name.as_str().into(),
            greeting: text(&self.hub.settings.hub.greeting),
            register: self.hub.settings.accounts.register == Registering::Open,
            lockdown: self.hub.locked_out(id),
            wait: self.hub.settings.accounts.door,
        };
        self.tell(id, message);
    }

    /// Whether `id` may do what it has typed where it is; it is told if not. `command` is what stands behind
    /// the slash, if there is one.
    pub(super) fn may_at_door(&mut self, id: SessionId, command: Option<&str>) -> bool {
        if !self.hub.is_at_door(id) {
            return true;
        }
        let word = command.map(|line| line.split_whitespace().next().unwrap_or_default());
        // What is no command is told so, and what the nearest is.
        let role = self.hub.role(id);
        let may = word.is_some_and(|word| match command::meant(word, role) {
            command::Meant::One(command) => command.at_door,
            command::Meant::Several(_) | command::Meant::Nothing(_) => true,
        });
        if !may {
            self.refuse(id, Refusal::LogInFirst);
        }
        may
    }

    /// Whoever waits at the door comes into the lobby, where they have been until then, if ever. Returns whether the
    /// client is still here: a ban of its address may have let it knock, and no more.
    pub(super) fn come_in(&mut self, id: SessionId, since: Option<Since>) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let Some(until) = session.at_door.take() else { return true };
        let peer = session.peer;
        self.hub.door.left(id, Some(until));
        // Operators come in from where others may not.
        if self.hub.role(id) != Role::Operator
            && let Some(ban) = self.hub.ban_of_address(peer, self.now)
        {
            let why = Farewell::Banned { reason: ban.reason.clone(), until: ban.until };
            self.tell(id, Message::Goodbye(why.clone()));
            self.depart(id, why);
            return false;
        }
        self.enter_again(id, self.hub.rooms.lobby, since);
        true
    }

    /// There is no door any more: whoever waits comes in.
    pub(super) fn open_door(&mut self) {
        if !self.hub.has_door() {
            for (_, id) in self.hub.door.leaves.clone() {
                self.come_in(id, None);
            }
        }
    }

    /// Whoever has waited long enough is told goodbye.
    pub(super) fn close_door(&mut self) {
        while let Some((at, id)) = self.hub.door.leaves.first().copied()
            && at <= self.now.mono
        {
            self.tell(id, Message::Goodbye(Farewell::NotLoggedIn));
            self.depart(id, Farewell::NotLoggedIn);
            // Who is not there does not wait there.
            self.hub.door.leaves.remove(&(at, id));
        }
    }
}
