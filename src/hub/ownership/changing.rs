//! Changing a room's owner, its modes, and its lists.

use std::sync::Arc;

use super::{Change, Guest, Modes, Ownership, Roll, Told};
use crate::hub::archive::Record;
use crate::hub::message::{Done, Said};
use crate::hub::{By, Effect, Happening, Turn, What, work};
use crate::values::id::{AccountId, RoomId, SessionId};

impl Turn<'_> {
    /// Removes an account that is gone from all rooms. A room that it owned passes to the successor, else to the oldest
    /// moderator. If there is neither, everybody may speak in it, and it does not last; otherwise it stays as it was,
    /// in the hands of operators.
    pub(in crate::hub) fn disown(&mut self, account: AccountId) {
        let (mut changed, mut passing, mut passed_on) = (Vec::new(), Vec::new(), Vec::new());
        for room in self.hub.rooms.open.values_mut() {
            let is_about = |ownership: &Ownership| {
                let guest = Guest::Account(account);
                let is_on_roll = [&ownership.invited, &ownership.voiced, &ownership.expelled];
                ownership.owner == Some(account)
                    || ownership.successor == Some(account)
                    || ownership.moderators.contains(&account)
                    || is_on_roll.iter().any(|roll| roll.contains(&guest))
            };
            if !is_about(&room.ownership) {
                continue;
            }
            let id = room.id;
            let ownership = &mut room.ownership;
            for roll in [Roll::Invited, Roll::Voiced] {
                ownership.roll(roll).remove(&Guest::Account(account));
            }
            ownership.moderators.retain(|moderator| *moderator != account);
            ownership.successor = ownership.successor.filter(|successor| *successor != account);
            if ownership.owner == Some(account) {
                if ownership.succeed() {
                    passed_on.push(id);
                } else {
                    ownership.moderated = false;
                    passing.push(id);
                }
            }
            changed.push(id);
        }
        passing.into_iter().for_each(|id| self.set_lasting(id, false));
        changed.into_iter().for_each(|id| self.keep_lasting(id));
        for id in passed_on {
            let Some(room) = self.hub.rooms.open.get(&id) else { continue };
            if let Some(owner) = room.ownership.owner {
                self.tell_of_owner(id, owner, Told::All);
            }
        }
    }

    /// Tells the members of a room whose it is now, each by the name that they may know.
    fn tell_of_owner(&mut self, id: RoomId, owner: AccountId, told: Told) {
        let Some(room) = self.hub.rooms.open.get(&id) else { return };
        let shown: Arc<str> = room.name.shown().into();
        let to = match told {
            Told::All if room.members.len() > work::MOST => {
                let owner = self.hub.account_for_all(owner).unwrap_or_default();
                return drop(self.post(
                    id,
                    None,
                    Said::Notice { text: format!("{shown} is {owner}'s room now").into() },
                ));
            }
            Told::All => room.members.iter().copied().collect(),
            Told::Only(author) => vec![author],
        };
        for member in to {
            let owner = self.hub.account_for(member, owner).unwrap_or_default();
            self.done(member, Done::RoomOf { room: shown.clone(), owner });
        }
    }

    /// Gives the room to the account `to`, and tells its members.
    pub(in crate::hub) fn give_room(
        &mut self,
        id: RoomId,
        to: AccountId,
        session: Option<SessionId>,
        by: Option<By>,
        told: Told,
    ) {
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        room.ownership.pass_to(Some(to));
        let owner: Arc<str> = self.hub.names_of([to]).pop().unwrap_or_default();
        self.room_changed(id, Some(format!("owned by {owner}").into()), session, by);
        self.tell_of_owner(id, to, told);
        self.keep_lasting(id);
    }

    /// Makes an account a moderator of the room (`on`), or no longer one. Returns whether there was place.
    pub(in crate::hub) fn set_moderator(&mut self, id: RoomId, account: AccountId, on: bool) -> bool {
        let most = self.hub.settings.limits.invited;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return false };
        let moderators = &mut room.ownership.moderators;
        if !on {
            moderators.retain(|moderator| *moderator != account);
        } else if !moderators.contains(&account) {
            if moderators.len() >= most {
                return false;
            }
            moderators.push(account);
        }
        self.keep_lasting(id);
        true
    }

    /// Sets the account that gets the room when its owner's account is gone.
    pub(in crate::hub) fn set_successor(&mut self, id: RoomId, account: Option<AccountId>) {
        if let Some(room) = self.hub.rooms.open.get_mut(&id) {
            room.ownership.successor = account;
        }
        self.keep_lasting(id);
    }

    /// See [`Hub::enroll`].
    pub(in crate::hub) fn enroll(&mut self, room: RoomId, roll: Roll, who: SessionId, on: bool) -> bool {
        let done = self.hub.enroll(room, roll, who, on);
        self.keep_lasting(room);
        done
    }

    fn room_changed(&mut self, id: RoomId, text: Option<Arc<str>>, session: Option<SessionId>, by: Option<By>) {
        match session {
            Some(session) => self.happened(What::RoomChanged, session, by, text),
            None => {
                let room = self.hub.rooms.open.get(&id).map(|room| room.name.shown().into());
                let changed = Happening { room, text, by, ..Happening::new(What::RoomChanged, self.now) };
                self.effects.push(Effect::Happened(changed));
            }
        }
    }

    /// Tells each member of a room; a crowd of more than [`work::MOST`] is told by one line.
    fn tell_members(&mut self, id: RoomId, told: Told, done: Done, line: impl FnOnce() -> String) {
        let Some(room) = self.hub.rooms.open.get(&id) else { return };
        let members: Vec<SessionId> = room.members.iter().copied().collect();
        let is_crowd = members.len() > work::MOST;
        match told {
            Told::All if is_crowd => drop(self.post(id, None, Said::Notice { text: line().into() })),
            Told::All => members.into_iter().for_each(|member| self.done(member, done.clone())),
            Told::Only(author) if is_crowd => {
                self.notice_unheard(id, author, Said::Notice { text: line().into() });
            }
            Told::Only(author) => self.done(author, done),
        }
    }

    /// Changes a room's modes and tells its members. The journal names `by`, who did it, or `session`.
    pub(in crate::hub) fn set_modes(
        &mut self,
        id: RoomId,
        change: Change,
        session: Option<SessionId>,
        by: Option<By>,
        told: Told,
    ) {
        let next = self.hub.next_line;
        let lobby = self.hub.rooms.lobby;
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        if (change.private == Some(true) || change.encrypted == Some(true)) && id == lobby {
            return;
        }
        let ownership = &mut room.ownership;
        if change.private == Some(true) && !ownership.was_private() {
            ownership.private_from = next;
        }
        let was_private = ownership.private;
        ownership.change(change, next);
        let modes = ownership.modes();
        if was_private && !modes.private {
            // People who come in now were not there.
            ownership.visible_from = next;
        }
        let name = room.name.clone();
        if modes.private && !was_private && room.kept {
            // Lines from when the room was public must not be shown to those who open a room of that name later.
            self.record(Record::Closed { room: id, name: name.clone() });
        }
        let shown: Arc<str> = name.shown().into();
        let modes = Modes { lasting: change.lasting.unwrap_or(modes.lasting), ..modes };
        self.room_changed(id, Some(modes.to_string().into()), session, by);
        let done = Done::RoomMode { room: shown.clone(), modes };
        self.tell_members(id, told, done, || format!("{shown} is {modes} now"));
        self.keep_lasting(id);
        if let Some(on) = change.lasting {
            self.set_lasting(id, on);
        }
    }
}
