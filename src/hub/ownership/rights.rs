//! Who may do what in a room: own it, moderate it, enter it, see it, speak in it, set its topic.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Guest, Modes, Roll};
use crate::hub::Hub;
use crate::hub::account::Role;
use crate::hub::message::Refusal;
use crate::hub::room::Room;
use crate::values::id::{AccountId, RoomId, SessionId};

impl Hub {
    fn guest(&self, id: SessionId) -> Guest {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.map_or(Guest::Session(id), Guest::Account)
    }

    /// Whether a list has the client: by account, or as the guest that it was before it logged in.
    fn has(&self, roll: &BTreeSet<Guest>, id: SessionId) -> bool {
        !roll.is_empty() && (roll.contains(&self.guest(id)) || roll.contains(&Guest::Session(id)))
    }

    /// Whether `id` has a room's say: as its owner, a moderator of it, or an operator.
    pub(in crate::hub) fn owns(&self, id: SessionId, room: &Room) -> bool {
        self.rules(id, room) || self.moderates(id, room)
    }

    /// Whether `id` may also give a room away and choose its moderators: as its owner or an operator.
    pub(in crate::hub) fn rules(&self, id: SessionId, room: &Room) -> bool {
        self.is_owner(id, room) || self.role(id) == Role::Operator
    }

    /// Whether `id` is a moderator of that room.
    pub(in crate::hub) fn moderates(&self, id: SessionId, room: &Room) -> bool {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.is_some_and(|account| room.ownership.moderators.contains(&account))
    }

    /// The names of these accounts; those that do not exist are left out.
    pub fn names_of(&self, accounts: impl IntoIterator<Item = AccountId>) -> Vec<Arc<str>> {
        let names = accounts.into_iter().filter_map(|account| self.accounts.get(account));
        names.map(|account| account.name.shown().into()).collect()
    }

    /// The name of an account as `viewer` may know it: its own person and operators know the account.
    pub(in crate::hub) fn account_for(&self, viewer: SessionId, account: AccountId) -> Option<Arc<str>> {
        let is_its = self.session(viewer).is_some_and(|own| own.account == Some(account));
        if is_its || self.role(viewer) == Role::Operator {
            return self.names_of([account]).pop();
        }
        self.account_for_all(account)
    }

    /// The same for the account that owns a room, if one does.
    pub(in crate::hub) fn owner_for(&self, viewer: SessionId, room: &Room) -> Option<Arc<str>> {
        self.account_for(viewer, room.ownership.owner?)
    }

    /// The name of an account as everybody may know it. Somebody who registered it while shadow-muted is known by the
    /// name that others see; `None` if they are not here.
    pub(in crate::hub) fn account_for_all(&self, account: AccountId) -> Option<Arc<str>> {
        let found = self.accounts.get(account)?;
        if !self.is_registered_unheard(found) {
            return Some(found.name.shown().into());
        }
        let bearer = self.logged_in_to(account).next().and_then(|id| self.session(id));
        bearer.map(|bearer| bearer.nick.shown().into())
    }

    /// Whether `id` is logged in to the account that owns the room.
    pub(in crate::hub) fn is_owner(&self, id: SessionId, room: &Room) -> bool {
        let account = self.people.sessions.get(&id).and_then(|session| session.account);
        account.is_some() && account == room.ownership.owner
    }

    /// The name of the account that owns the room, if one does.
    #[must_use]
    pub fn owner_of(&self, room: &Room) -> Option<Arc<str>> {
        room.ownership.owner.and_then(|owner| self.accounts.get(owner)).map(|account| account.name.shown().into())
    }

    /// Whether `id` may come into the room.
    pub(in crate::hub) fn may_enter(&self, id: SessionId, room: &Room) -> bool {
        let ownership = &room.ownership;
        let is_in = room.members.contains(&id) || self.owns(id, room);
        let is_invited = self.has(&ownership.invited, id);
        is_in || is_invited || (!ownership.private && !self.is_expelled(id, room.id))
    }

    /// Whether `id` may know of the room.
    #[must_use]
    pub fn sees(&self, id: SessionId, room: &Room) -> bool {
        let is_shown = !room.is_unseen() || self.knows_unseen(id, room);
        is_shown && (!room.ownership.private || self.may_enter(id, room))
    }

    /// Whether a room that nobody sees is known to `id` all the same: it opened the room, owns it, or is in it.
    pub(in crate::hub) fn knows_unseen(&self, id: SessionId, room: &Room) -> bool {
        room.unseen_of == Some(id) || room.members.contains(&id) || (room.ownership.unseen && self.is_owner(id, room))
    }

    /// The name of the room, for `id`.
    pub(in crate::hub) fn room_for(&self, id: SessionId, room: &Room) -> Arc<str> {
        if self.sees(id, room) { room.name.shown().into() } else { "a private room".into() }
    }

    /// Why `id` may not say in its room the line that has just come from it; `None` if it may. This decides for
    /// everything that is said to a room. Those with the room's say, or a voice in it, always speak, except in a
    /// lockdown.
    pub(in crate::hub) fn silenced(&self, id: SessionId) -> Option<Refusal> {
        if let Some(until) = self.locked_out(id) {
            return Some(Refusal::LockedOut(until));
        }
        let session = &self.people.sessions[&id];
        let room = &self.rooms.open[&session.room];
        let ownership = &room.ownership;
        let Modes { moderated, registered, slow, .. } = ownership.modes();
        if (!moderated && !registered && slow.is_zero()) || self.owns(id, room) || self.has(&ownership.voiced, id) {
            return None;
        }
        if moderated {
            return Some(Refusal::NoVoice(self.owner_for(id, room)));
        }
        if registered && session.account.is_none() {
            return Some(Refusal::OnlyRegistered);
        }
        // The line that is judged came at `session.spoke`.
        let again = session.heard.after(slow);
        (session.spoke < again).then(|| Refusal::Slow { every: slow, left: again.since(session.spoke) })
    }

    /// Why `id` may not set the topic of its room; `None` if it may.
    pub(in crate::hub) fn keeps_topic(&self, id: SessionId) -> Option<Refusal> {
        let room = &self.rooms.open[&self.people.sessions[&id].room];
        if !room.ownership.is_topic_locked() || self.owns(id, room) {
            return self.silenced(id);
        }
        let shown = room.name.shown().into();
        Some(match self.owner_for(id, room) {
            Some(owner) => Refusal::NotYourRoom { room: shown, owner: Some(owner) },
            None => Refusal::TopicLocked(shown),
        })
    }

    /// Puts a client on one of a room's lists, or takes it off. Returns whether there was place.
    pub(in crate::hub) fn enroll(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
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
}
