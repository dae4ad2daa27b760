//! Rooms that belong to somebody: who may come in, who may speak, and what newcomers see.
//!
//! Whoever is logged in and opens a room owns it, until it closes. Its owner, and operators, make it private
//! or moderated, invite, give voices, and send people out; in such a room the topic is theirs as well.
//!
//! What is said in a private room is recorded nowhere, and nobody sees what was said before they came, also
//! when it is public again. Whoever is not invited is told the same as of a room that was never there,
//! but on trying to enter: then the name would have to be free.

use super::Turn;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::account::Role;
use super::archive::Record;
use super::message::{Done, Refusal, Said};
use super::room::Room;
use super::{Hub, What, work};
use crate::values::id::AccountId;
use crate::values::id::{RoomId, SessionId};

/// Somebody as a room remembers them: by account, or a guest for as long as they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Guest {
    /// Whoever is logged in to it.
    Account(AccountId),
    /// That client.
    Session(SessionId),
}

/// What is special about a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ownership {
    /// Whose room it is; `None`: everybody's.
    pub owner: Option<AccountId>,
    /// Only those who are invited come in.
    pub private: bool,
    /// Only those who have a voice speak.
    pub moderated: bool,
    /// Those who may come into it while it is private. At most `limits.invited`.
    invited: BTreeSet<Guest>,
    /// Those who may speak while it is moderated; likewise.
    voiced: BTreeSet<Guest>,
    /// Those who were sent out, and may not come again until they are invited; likewise.
    expelled: BTreeSet<Guest>,
    /// The first line that is shown to those who come: what was said before was said among others.
    pub visible_from: u64,
}

/// Which of a room's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roll {
    Invited,
    Voiced,
    Expelled,
}

impl Ownership {
    /// What is everybody's, and shows what was said from that line on.
    pub(super) fn of_nobody(visible_from: u64) -> Self {
        Self { visible_from, ..Self::default() }
    }

    /// Whether anything was said in private, as far as can be told.
    pub(super) fn was_private(&self) -> bool {
        self.private || self.visible_from > 0
    }

    fn roll(&mut self, roll: Roll) -> &mut BTreeSet<Guest> {
        match roll {
            Roll::Invited => &mut self.invited,
            Roll::Voiced => &mut self.voiced,
            Roll::Expelled => &mut self.expelled,
        }
    }
}

impl Hub {
    fn guest(&self, id: SessionId) -> Guest {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.map_or(Guest::Session(id), Guest::Account)
    }

    /// Whether a list has somebody: by account, or as the guest they were before they logged in.
    fn has(&self, roll: &BTreeSet<Guest>, id: SessionId) -> bool {
        !roll.is_empty() && (roll.contains(&self.guest(id)) || roll.contains(&Guest::Session(id)))
    }

    /// Whether `id` has a room's say: it is theirs, or they are an operator and it is anybody's but
    /// everybody's.
    pub(super) fn owns(&self, id: SessionId, room: &Room) -> bool {
        let Some(owner) = room.ownership.owner else {
            return room.ownership.private && self.role(id) == Role::Operator;
        };
        self.people.sessions.get(&id).is_some_and(|session| session.account == Some(owner))
            || self.role(id) == Role::Operator
    }

    /// The name of a room's owner.
    #[must_use]
    pub fn owner_of(&self, room: &Room) -> Option<Arc<str>> {
        room.ownership.owner.and_then(|owner| self.accounts.get(owner)).map(|account| account.name.shown().into())
    }

    /// Whether `id` may come into that room.
    pub(super) fn may_enter(&self, id: SessionId, room: &Room) -> bool {
        let ownership = &room.ownership;
        let is_in = room.members.contains(&id) || self.owns(id, room);
        is_in || (!self.has(&ownership.expelled, id) && (!ownership.private || self.has(&ownership.invited, id)))
    }

    /// Whether `id` may know of that room.
    #[must_use]
    pub fn sees(&self, id: SessionId, room: &Room) -> bool {
        let is_shown = room.unseen_of.is_none_or(|opener| opener == id) || room.members.contains(&id);
        is_shown && (!room.ownership.private || self.may_enter(id, room))
    }

    /// What `id` is told that room is called.
    pub(super) fn room_for(&self, id: SessionId, room: &Room) -> Arc<str> {
        if self.sees(id, room) { room.name.shown().into() } else { "a private room".into() }
    }

    /// Why `id` may not speak in its room, if it may not.
    pub(super) fn silenced(&self, id: SessionId) -> Option<Refusal> {
        let room = &self.rooms.open[&self.people.sessions[&id].room];
        let ownership = &room.ownership;
        if !ownership.moderated || self.owns(id, room) || self.has(&ownership.voiced, id) {
            return None;
        }
        Some(Refusal::NoVoice(self.owner_of(room)))
    }

    /// Puts somebody on one of a room's lists, or takes them off it. Whether there was place.
    pub(super) fn enroll(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
        let (guest, limit) = (self.guest(who), self.settings.limits.invited);
        let sessions = &self.people.sessions;
        let Some(room) = self.rooms.open.get_mut(&room) else { return false };
        let roll = room.ownership.roll(roll);
        if !on {
            roll.remove(&guest);
            roll.remove(&Guest::Session(who));
            return true;
        }
        if roll.len() >= limit {
            roll.retain(|guest| match guest {
                Guest::Session(session) => sessions.contains_key(session),
                Guest::Account(_) => true,
            });
        }
        roll.contains(&guest) || (roll.len() < limit && roll.insert(guest))
    }

    /// An account is no more: no room is its, and none remembers it. Whose room it was is free for all to
    /// speak in; a private one stays so, in the hands of operators.
    pub(super) fn disown(&mut self, account: AccountId) {
        for room in self.rooms.open.values_mut() {
            let ownership = &mut room.ownership;
            for roll in [Roll::Invited, Roll::Voiced, Roll::Expelled] {
                ownership.roll(roll).remove(&Guest::Account(account));
            }
            if ownership.owner == Some(account) {
                ownership.owner = None;
                ownership.moderated = false;
            }
        }
    }
}

impl Turn<'_> {
    /// Makes a room private or public, moderated or free; whoever is in it is told.
    pub(super) fn set_mode(&mut self, id: RoomId, private: bool, moderated: bool, by: SessionId) {
        let next = self.hub.next_line;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        let ownership = &mut room.ownership;
        let was_private = std::mem::replace(&mut ownership.private, private);
        ownership.moderated = moderated;
        if was_private && !private {
            // Those who come now were not there.
            ownership.visible_from = next;
        }
        let (name, members) = (room.name.clone(), room.members.iter().copied().collect::<Vec<_>>());
        if private && !was_private && room.kept {
            // What was said while it was public is not shown to those who open one of that name later.
            self.record(Record::Closed { room: id, name: name.clone() });
        }
        let text =
            format!("{}, {}", if private { "private" } else { "public" }, if moderated { "moderated" } else { "free" });
        let said = format!("{} is {text} now", name.shown()).into();
        self.happened(What::RoomChanged, by, None, Some(text.into()));
        if members.len() > work::MOST {
            // A great crowd is told by one line.
            self.post(id, None, Said::Notice { text: said });
            return;
        }
        for member in members {
            let done = Done::RoomMode { room: name.shown().into(), private, moderated };
            self.done(member, done);
        }
    }
}
