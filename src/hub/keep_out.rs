//! Keeping people out: bans are made and lifted, and end by themselves. The table of bans is [`super::moderation`].

use super::Turn;
use std::sync::Arc;

use super::archive::Record;
use super::message::{Farewell, Message};
use super::moderation::{Author, Ban, Target};
use super::{AT_A_TIME, By, Effect, Happening, Hub, What};
use crate::values::id::{BanId, SessionId};
use crate::values::time::Wall;

impl Hub {
    /// Whose ban it is, as it outlives whoever made it.
    pub(super) fn author(&self, by: By) -> Author {
        match by {
            By::Admin { uid, .. } => Author::Uid(uid),
            By::Operator { account, .. } => {
                let name = self.accounts.get(account).map(|account| account.name.shown().into());
                name.map_or(Author::Hub, Author::Account)
            }
            By::Hub => Author::Hub,
        }
    }
}

impl Turn<'_> {
    pub(super) fn ban(&mut self, target: Target, reason: Option<Arc<str>>, until: Option<Wall>, by: By) {
        self.expire_bans();
        let id = self.hub.moderation.bans.next_id();
        let ban = Ban { id, target, reason: reason.clone(), by: self.hub.author(by), since: self.now.wall, until };
        let hit: Vec<SessionId> = self.hub.hit_by(&ban.target).map(|session| session.id).collect();
        if let Some(former) = self.hub.moderation.bans.add(ban.clone()) {
            self.record(Record::Unban(former.id));
        }
        let text = match &reason {
            None => ban.target.to_string(),
            Some(reason) => format!("{}: {reason}", ban.target),
        };
        let (by, text) = (Some(by), Some(text.into()));
        self.effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Banned, self.now) }));
        self.record(Record::Ban(Box::new(ban)));
        let why = Farewell::Banned { reason, until };
        self.hub.moderation.outgoing.extend(hit.into_iter().map(|session| (session, why.clone())));
        self.see_out();
    }

    /// Disconnects those whom a ban has hit, some of them at a time: it may be thousands, and everybody else waits
    /// meanwhile. Nobody hears those who are left.
    pub(super) fn see_out(&mut self) {
        for _ in 0..AT_A_TIME {
            let Some((session, why)) = self.hub.moderation.outgoing.pop_front() else { break };
            if self.hub.people.sessions.contains_key(&session) {
                self.hub.counters.banned += 1;
                self.tell(session, Message::Goodbye(why.clone()));
                self.depart(session, why);
            }
        }
    }

    pub(super) fn unban(&mut self, id: BanId, by: By) {
        if let Some(ban) = self.hub.moderation.bans.remove(id) {
            let (by, text) = (Some(by), Some(ban.target.to_string().into()));
            self.effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Unbanned, self.now) }));
            self.record(Record::Unban(id));
        }
        self.expire_bans();
    }

    pub(super) fn expire_bans(&mut self) {
        for id in self.hub.moderation.bans.expire(self.now.wall) {
            self.record(Record::Unban(id));
        }
    }
}
