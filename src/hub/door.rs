//! The door: the place where clients wait that may come in once they have logged in (because of
//! `accounts.entry`, or in a lockdown).
//!
//! Every client is in a room, so clients at the door are in a room of their own. It is in no list,
//! nothing is said in it or kept of it, and its members neither see nor hear each other, or anybody
//! else.

use super::Turn;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::account::Role;
use super::entrance::Since;
use super::message::{Done, Farewell, Message, Refusal, Welcome};
use super::presence::Step;
use super::room::Room;
use super::{Effect, Hub, command};
use crate::settings::{Entry, Newcomers, Registering};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::time::{Mono, Now};

/// The name of the room, which administrators see, and clients in the prompt of the line editor.
/// Nobody can enter by it, and another room may have the same name.
const NAME: &str = "door";

/// The door's room, which exists while anybody waits in it, and the end of each client's wait.
#[derive(Clone, Debug, Default)]
pub(super) struct Door {
    pub(super) room: Option<RoomId>,
    leaves: BTreeSet<(Mono, SessionId)>,
}

impl Door {
    /// The end of the first wait; `None` if nobody waits.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.leaves.first().map(|(at, _)| *at)
    }

    /// The number of clients that wait.
    pub(super) fn count(&self) -> usize {
        self.leaves.len()
    }

    /// Notes that `id` waits at the door until that moment.
    pub(super) fn waits(&mut self, id: SessionId, until: Mono) {
        self.leaves.insert((until, id));
    }

    /// Notes that `id` waits no longer; `until` is the moment at which its wait would have ended,
    /// if it waited.
    pub(super) fn left(&mut self, id: SessionId, until: Option<Mono>) {
        if let Some(until) = until {
            self.leaves.remove(&(until, id));
        }
    }

    /// Notes that everybody has gone.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Hub {
    /// Whether the client `id` waits at the door.
    #[must_use]
    pub fn is_at_door(&self, id: SessionId) -> bool {
        self.people.sessions.get(&id).is_some_and(|session| session.at_door.is_some())
    }

    /// Whether `id` waits at the door although its address is banned: see [`Hub::may_knock`]. Only
    /// an operator may come in.
    pub(super) fn is_knocking(&self, id: SessionId, now: Now) -> bool {
        let waiting = self.people.sessions.get(&id).filter(|session| session.at_door.is_some());
        waiting.is_some_and(|session| self.ban_of_address(session.peer, now).is_some())
    }

    /// Whether all newcomers wait until they have logged in: by the settings, or during a lockdown.
    pub(super) fn has_door(&self) -> bool {
        let is_locked = self.lockdown().is_some_and(|lockdown| lockdown.newcomers == Newcomers::Door);
        is_locked || self.settings.accounts.entry == Entry::Registered
    }

    /// Whether `id` would have to wait at the door if it were not logged in.
    pub(super) fn waits_as_guest(&self, id: SessionId, now: Now) -> bool {
        let Some(session) = self.people.sessions.get(&id) else { return false };
        let came_in_lockdown =
            self.lockdown().is_some_and(|lockdown| lockdown.newcomers == Newcomers::Door && lockdown.is_newcomer(id));
        came_in_lockdown
            || self.settings.accounts.entry == Entry::Registered
            || self.ban_of_address(session.peer, now).is_some()
    }

    /// Panics if the clients with a deadline are not exactly those in the door's room.
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
    /// The door's room, opened if nobody waits there yet.
    pub(super) fn door_room(&mut self) -> RoomId {
        if let Some(room) = self.hub.door.room {
            return room;
        }
        let id = RoomId(self.hub.rooms.next);
        self.hub.rooms.next += 1;
        let name = Name::parse(NAME, NAME.len()).expect("it is one");
        let mut room = Room::new(id, name, self.now.wall);
        // Nobody is announced in this room, and no line of it is kept.
        (room.closing, room.kept) = (true, false);
        self.hub.rooms.open.insert(id, CopyOnWrite::new(room));
        self.hub.door.room = Some(id);
        self.effects.push(Effect::Open(id));
        id
    }

    /// Tells a newcomer that they are at the door, and what to do.
    pub(super) fn greet_at_door(&mut self, id: SessionId) {
        let text = |text: &str| (!text.is_empty()).then(|| -> Arc<str> { text.into() });
        let message = Message::AtDoor {
            hub: self.hub.settings.hub.name.as_str().into(),
            greeting: text(&self.hub.settings.hub.greeting),
            register: self.hub.settings.accounts.register == Registering::Open,
            lockdown: self.hub.locked_out(id),
            banned: self.hub.is_knocking(id, self.now),
            wait: self.hub.settings.accounts.door,
        };
        self.tell(id, message);
        if let Some(refusal) = self.hub.keeps_passwords_out(id, false) {
            self.refuse(id, refusal);
        }
    }

    /// Whether `id` may use at the door what it has typed; if not, tells it so. Clients elsewhere
    /// may use everything. `command` is the text behind the slash, if there is one.
    pub(super) fn may_at_door(&mut self, id: SessionId, command: Option<&str>) -> bool {
        if !self.hub.is_at_door(id) {
            return true;
        }
        let word = command.map(|line| line.split_whitespace().next().unwrap_or_default());
        // An unknown or unclear command passes: its answer tells the person which commands are
        // near.
        let role = self.hub.role(id);
        // A client that knocks may log in, but do nothing that lasts longer than its visit.
        let knocks = self.hub.is_knocking(id, self.now);
        let may = word.is_some_and(|word| match command::meant(word, role) {
            command::Meant::One(command) => command.at_door && !(knocks && matches!(command.name, "nick" | "register")),
            command::Meant::Several(_) | command::Meant::Nothing(_) => true,
        });
        if !may {
            self.refuse(id, if knocks { Refusal::OnlyOperators } else { Refusal::LogInFirst });
        }
        may
    }

    /// Sends `id` away if it waits at the door under a ban of its address. Returns whether it did.
    pub(super) fn turn_away(&mut self, id: SessionId) -> bool {
        let Some(session) = self.hub.people.sessions.get(&id).filter(|session| session.at_door.is_some()) else {
            return false;
        };
        let Some(ban) = self.hub.ban_of_address(session.peer, self.now) else { return false };
        let why = Farewell::Banned { reason: ban.reason.clone(), until: ban.until };
        self.tell(id, Message::Goodbye(why.clone()));
        self.depart(id, why);
        true
    }

    /// Lets `id` in from the door, to the lobby. `since` tells what is new to a client that was
    /// there before; `welcome` greets a client that was not greeted at the door. Returns whether
    /// the client is still here: a client that waited under a ban of its address is sent away,
    /// unless it is an operator.
    pub(super) fn come_in(&mut self, id: SessionId, since: Option<Since>, welcome: Option<Welcome>) -> bool {
        // Operators may come in from a banned address.
        if self.hub.role(id) != Role::Operator && self.turn_away(id) {
            return false;
        }
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let Some(until) = session.at_door.take() else { return true };
        self.hub.door.left(id, Some(until));
        self.enter_again(id, self.hub.rooms.lobby, since, welcome);
        true
    }

    /// Puts `id`, which has logged out, at the door if guests have to wait there: otherwise one
    /// account could let in guests by logging in and out. Its room is told that `nick` has left,
    /// the name that the room knew.
    pub(super) fn put_at_door(&mut self, id: SessionId, nick: &Name) {
        let Some(session) = self.hub.people.sessions.get(&id) else { return };
        if session.account.is_some() || session.at_door.is_some() || !self.hub.waits_as_guest(id, self.now) {
            return;
        }
        let wait = self.hub.settings.accounts.door;
        self.left_for(id, None);
        let (until, door) = (self.now.mono.after(wait), self.door_room());
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        let from = std::mem::replace(&mut session.room, door);
        // The result of a search is not for a client outside.
        (session.at_door, session.searching) = (Some(until), None);
        session.left.get_or_insert_default().leave(from, self.hub.next_line);
        self.hub.door.waits(id, until);
        self.hub.rooms.open.get_mut(&door).expect("it was opened").members.insert(id);
        self.effects.push(Effect::Enter { session: id, room: door });
        self.prompt(id);
        self.leave(id, nick, from, Step::Left { reason: None, words: false, to: None });
        self.hub.counters.held_at_door += 1;
        let (lockdown, banned) = (self.hub.locked_out(id), self.hub.is_knocking(id, self.now));
        self.done(id, Done::PutAtDoor { lockdown, banned, wait });
    }

    /// If nobody has to wait any more, lets in everybody who waits.
    pub(super) fn open_door(&mut self) {
        if !self.hub.has_door() {
            for (_, id) in self.hub.door.leaves.clone() {
                self.come_in(id, None, None);
            }
        }
    }

    /// Disconnects the clients whose wait is over.
    pub(super) fn close_door(&mut self) {
        while let Some((at, id)) = self.hub.door.leaves.first().copied()
            && at <= self.now.mono
        {
            self.tell(id, Message::Goodbye(Farewell::NotLoggedIn));
            self.depart(id, Farewell::NotLoggedIn);
            // `depart` has removed the entry, unless its client was already gone.
            self.hub.door.leaves.remove(&(at, id));
        }
    }
}
