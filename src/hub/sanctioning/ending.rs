//! The end of sanctions: lifting them, running out of time, and rooms that close.

use std::collections::BTreeSet;

use crate::hub::archive::Record;
use crate::hub::sanction::{Kind, Order, Sanction};
use crate::hub::{By, Turn, What};
use crate::values::id::{RoomId, SanctionId, SessionId};

impl Turn<'_> {
    /// Lifts a sanction, together with the sanctions that were made anew from it when a client
    /// changed its name or account: all of them are about one person.
    pub(in crate::hub) fn lift(&mut self, id: SanctionId, by: By) {
        for id in self.hub.moderation.sanctions.same_as(id) {
            self.lift_one(id, by);
        }
        self.expire_sanctions();
    }

    fn lift_one(&mut self, id: SanctionId, by: By) {
        if let Some(sanction) = self.hub.moderation.sanctions.remove(id) {
            let what = match sanction.kind {
                Kind::Ban => What::Unbanned,
                Kind::Mute { .. } => What::Unmuted,
                Kind::Expulsion { .. } => What::Readmitted,
                Kind::Filter { .. } => What::FilterLifted,
                Kind::Lockdown { .. } => What::LockdownEnded,
            };
            self.sanction_happened(what, &sanction, by);
            self.record(Record::Lifted(id));
            self.ended(&sanction);
        }
    }

    /// Lifts all mutes of a client that is here.
    pub(in crate::hub) fn unmute(&mut self, id: SessionId, by: By) {
        let Some(session) = self.hub.session(id) else { return };
        let mutes = self.hub.sanctions_of(session, self.now).filter(|one| matches!(one.kind, Kind::Mute { .. }));
        let mutes: BTreeSet<SanctionId> = mutes.map(|mute| mute.id).collect();
        for mute in mutes {
            self.lift(mute, by);
        }
    }

    /// Lifts the expulsions from a room that are about a client that is here.
    pub(in crate::hub) fn readmit(&mut self, id: SessionId, room: RoomId, by: By) {
        let expulsions: Vec<SanctionId> = self.hub.expulsions_of(id, room).into_iter().map(|one| one.id).collect();
        for expulsion in expulsions {
            self.lift(expulsion, by);
        }
    }

    /// Removes the expulsions from rooms that are neither open nor kept.
    pub(in crate::hub) fn forget_closed_rooms(&mut self) {
        let kept: BTreeSet<RoomId> = self.hub.recording.dormant.values().map(|dormant| dormant.room).collect();
        let rooms: Vec<RoomId> = self.hub.moderation.sanctions.rooms().collect();
        for room in rooms {
            if !kept.contains(&room) && !self.hub.rooms.open.contains_key(&room) {
                self.forget_expulsions(room);
            }
        }
    }

    /// Removes the expulsions from a room that is gone.
    pub(in crate::hub) fn forget_expulsions(&mut self, room: RoomId) {
        let gone: Vec<SanctionId> = self.hub.moderation.sanctions.of_room(room).map(|one| one.id).collect();
        for id in gone {
            self.hub.moderation.sanctions.remove(id);
            self.record(Record::Lifted(id));
        }
    }

    /// Applies the end of a sanction to the clients that are here.
    pub(super) fn ended(&mut self, sanction: &Sanction) {
        if matches!(sanction.kind, Kind::Lockdown { .. }) {
            self.lockdown_ended();
        }
        if matches!(sanction.kind, Kind::Mute { .. }) {
            let order = Order::about(sanction.kind.clone(), sanction.target.clone());
            let order = Order { also: sanction.also, ..order };
            let hit = self
                .hub
                .hit_since(&order, sanction.since, sanction.after)
                .into_iter()
                .map(|session| session.id)
                .collect();
            self.mutes_changed(hit);
        }
    }

    pub(in crate::hub) fn expire_sanctions(&mut self) {
        for sanction in self.hub.moderation.sanctions.expire(self.now) {
            if matches!(sanction.kind, Kind::Lockdown { .. }) {
                self.sanction_happened(What::LockdownEnded, &sanction, By::Hub);
            }
            self.record(Record::Lifted(sanction.id));
            self.ended(&sanction);
        }
    }
}
