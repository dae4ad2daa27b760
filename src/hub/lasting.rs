//! Lasting rooms: they are kept while nobody is in them, with topic, modes, owner and moderators,
//! even through a cold start.
//!
//! The registered owner of a room can make it lasting, or an operator can. There may be
//! `rooms.lasting` lasting rooms in all, `rooms.lasting_per_owner` of one owner, and a share for
//! the people at one address. A room stops lasting when its owner has not been here for
//! `rooms.lasting_unused`, when it is closed, or when its owner's account is removed and there is
//! neither a successor nor a moderator.
//!
//! To the hub, an empty lasting room is open; but it has no log, because nobody reads it.

use super::Turn;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::archive::Record;
use super::message::{Refusal, Said};
use super::ownership::Ownership;
use super::room::{Room, TopicSet};
use super::{Effect, Happening, Hub, What};
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::Name;
use crate::values::time::{Mono, Wall};

/// How often the hub looks for owners who have stayed away for `rooms.lasting_unused`.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// A lasting room in the form that is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasting {
    /// The name of the room. No two lasting rooms have the same name.
    pub name: Name,
    /// The topic; empty if there is none.
    pub topic: Arc<str>,
    /// When the room was opened.
    pub since: Wall,
    /// Owner, moderators, successor and modes.
    pub ownership: Ownership,
    /// The room's number, by which expulsions name it. Earlier releases did not keep it.
    #[serde(default)]
    pub room: Option<RoomId>,
    /// Who set the topic, and when.
    #[serde(default)]
    pub topic_set: Option<TopicSet>,
}

/// The divisor for one address: the people there may have an eighth of all lasting rooms.
const SHARE: usize = 8;

impl Room {
    fn to_be_kept(&self) -> Lasting {
        let ownership = self.ownership.lasting();
        Lasting {
            name: self.name.clone(),
            topic: self.topic.clone(),
            since: self.since,
            ownership,
            room: Some(self.id),
            topic_set: self.topic_set.clone(),
        }
    }
}

impl Hub {
    /// Whether a lasting room is empty: then it has no log, and nothing is said in it.
    #[must_use]
    pub fn rests(&self, room: &Room) -> bool {
        room.members.is_empty() && room.ownership.lasts && room.id != self.rooms.lobby
    }

    /// The lasting rooms, the oldest first.
    pub fn lasting(&self) -> impl Iterator<Item = &Room> {
        self.rooms().filter(|room| room.ownership.lasts)
    }

    /// Whether that room may be made lasting for `owner`.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn may_last(&self, room: RoomId, owner: Option<AccountId>) -> Result<(), Refusal> {
        let (most, each) = (self.settings.rooms.lasting, self.settings.rooms.lasting_per_owner);
        if most == 0 {
            return Err(Refusal::NoLasting);
        }
        let others = || self.lasting().filter(|other| other.id != room);
        if others().count() >= most {
            return Err(Refusal::TooManyLasting(most));
        }
        if owner.is_some() && others().filter(|other| other.ownership.owner == owner).count() >= each {
            return Err(Refusal::TooManyLastingOfOne(each));
        }
        Ok(())
    }

    /// Whether the address of `id` allows one more lasting room. The accounts that are used there
    /// may together have an eighth of all lasting rooms (`rooms.lasting`), and at least as many as
    /// one owner may have. Operators and people who are always let in are exempt.
    ///
    /// An account remembers the places where it was used recently, as keyed hashes. They are not on
    /// disk, so that it says nothing about addresses. After a cold start, an account counts for a
    /// place once it is logged in to from there.
    ///
    /// # Errors
    /// The limit that is reached.
    pub(super) fn may_last_from(&self, id: SessionId, room: RoomId) -> Result<(), Refusal> {
        if self.counted_opener(id).is_none() {
            return Ok(());
        }
        let place = self.place(id);
        let share = (self.settings.rooms.lasting / SHARE).max(self.settings.rooms.lasting_per_owner);
        let owner = |other: &Room| other.ownership.owner.and_then(|owner| self.accounts.get(owner));
        let is_from_there = |other: &&Room| owner(other).is_some_and(|owner| owner.places.contains(&place));
        let others = self.lasting().filter(|other| other.id != room).filter(is_from_there).count();
        if others >= share { Err(Refusal::TooManyLastingFromAddress(share)) } else { Ok(()) }
    }

    /// The moment of the next look for owners who have stayed away too long.
    pub(super) fn next_look(&self) -> Option<Mono> {
        let looks = self.settings.rooms.lasting_unused.is_some() && self.rooms.lasting > 0;
        looks.then_some(self.rooms.looked.after(LOOK_EVERY))
    }
}

impl Turn<'_> {
    /// Records the present state of a lasting room.
    pub(super) fn keep_lasting(&mut self, id: RoomId) {
        let Some(room) = self.hub.rooms.open.get(&id).filter(|room| room.ownership.lasts) else { return };
        let record = Record::Lasting(Box::new(room.to_be_kept()));
        self.record(record);
    }

    /// Makes a room lasting or no longer lasting. The caller has asked [`Hub::may_last`].
    pub(super) fn set_lasting(&mut self, id: RoomId, on: bool) {
        let lobby = self.hub.rooms.lobby;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        if std::mem::replace(&mut room.ownership.lasts, on) == on {
            return;
        }
        let name = room.name.clone();
        if on {
            self.hub.rooms.lasting += 1;
            // A lasting room counts against its owner's limit, no longer against an address's.
            if let Some(from) = room.opened_from.take() {
                self.hub.closes(from);
            }
            return self.keep_lasting(id);
        }
        self.hub.rooms.lasting -= 1;
        self.record(Record::Passing(name));
        if self.hub.rooms.open[&id].members.is_empty() && id != lobby {
            // `Shut` ends a log, and a resting room has none: so open one first.
            self.effects.push(Effect::Open(id));
            self.shut(id);
        }
    }

    /// Lets a lasting room rest: ends its log, because the last member has left.
    pub(super) fn rest(&mut self, id: RoomId) {
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        let presence = std::mem::take(&mut room.presence);
        if let Some(at) = presence.flush_at {
            self.hub.rooms.deadlines.remove(&(at, id));
        }
        self.effects.push(Effect::Shut(id));
    }

    /// Begins a log for a resting room that somebody enters.
    pub(super) fn wake(&mut self, id: RoomId) {
        if self.hub.rooms.open.get(&id).is_some_and(|room| self.hub.rests(room)) {
            self.effects.push(Effect::Open(id));
        }
    }

    /// Opens the rooms that are kept on disk, with nobody in them. If a room of the same name is
    /// open, it takes over the kept state.
    pub(super) fn recall_lasting(&mut self, kept: Vec<Lasting>) {
        for Lasting { name, topic, since, mut ownership, room, topic_set } in kept {
            let is_known = |account: &AccountId| self.hub.accounts.get(*account).is_some();
            if !ownership.recall(is_known) {
                self.record(Record::Passing(name));
                continue;
            }
            let id = match self.hub.rooms.names.find(name.folded()) {
                Some(id) => id,
                None => self.found_room(name, room),
            };
            if id == self.hub.rooms.lobby {
                ownership.belongs_to_nobody(self.hub.next_line);
            }
            let Some(room) = self.hub.rooms.open.get_mut(&id) else { continue };
            if room.ownership.lasts {
                continue;
            }
            (room.topic, room.topic_set, room.since) = (topic, topic_set, room.since.min(since));
            let visible_from = room.ownership.visible_from.max(ownership.visible_from);
            (ownership.visible_from, ownership.lasts) = (visible_from, true);
            ownership.hide_from_plain(room.ownership.plain_from());
            room.ownership = ownership;
            self.hub.rooms.lasting += 1;
            if let Some(from) = room.opened_from.take() {
                self.hub.closes(from);
            }
            self.put_plain_out(id);
        }
    }

    /// Ends the lasting state of rooms whose owners have stayed away for `rooms.lasting_unused`.
    pub(super) fn look_after_lasting(&mut self) {
        if self.hub.next_look().is_none_or(|at| at > self.now.mono) {
            return;
        }
        self.hub.rooms.looked = self.now.mono;
        let Some(unused) = self.hub.settings.rooms.lasting_unused else { return };
        let before = self.now.wall.before(unused);
        let is_unused = |room: &&Room| {
            let owner = room.ownership.owner.and_then(|owner| self.hub.accounts.get(owner));
            owner.is_some_and(|owner| owner.seen < before && self.hub.logged_in_to(owner.id).next().is_none())
        };
        let due: Vec<RoomId> = self.hub.lasting().filter(is_unused).map(|room| room.id).collect();
        for id in due {
            let room = &self.hub.rooms.open[&id];
            let (name, is_empty): (Arc<str>, _) = (room.name.shown().into(), room.members.is_empty());
            let text = Some("passing: its owner has not been here for long".into());
            let happening = Happening { room: Some(name.clone()), text, ..Happening::new(What::RoomChanged, self.now) };
            self.effects.push(Effect::Happened(happening));
            self.set_lasting(id, false);
            if !is_empty {
                let text = format!("{name} is not kept any more when the last one leaves: its owner has not been here");
                self.post(id, None, Said::Notice { text: text.into() });
            }
        }
    }

    /// Records all lasting rooms again, because the file on disk is new.
    pub(super) fn record_lasting_again(&mut self) {
        let rooms: Vec<RoomId> = self.hub.lasting().map(|room| room.id).collect();
        rooms.into_iter().for_each(|id| self.keep_lasting(id));
    }
}
