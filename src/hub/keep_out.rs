//! Keeping people out: bans are made and lifted, and end by themselves. The table of bans is [`super::moderation`].

use std::sync::Arc;

use super::archive::Record;
use super::message::{Farewell, Message};
use super::moderation::{Author, Ban, Target};
use super::{AT_A_TIME, By, Effect, Happening, Hub, What, tell};
use crate::values::id::{BanId, SessionId};
use crate::values::time::{Now, Wall};

impl Hub {
    pub(super) fn ban(
        &mut self,
        target: Target,
        reason: Option<Arc<str>>,
        until: Option<Wall>,
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.expire_bans(now, effects);
        let id = self.bans.next_id();
        let ban = Ban { id, target, reason: reason.clone(), by: self.author(by), since: now.wall, until };
        let hit: Vec<SessionId> = self.hit_by(&ban.target).map(|session| session.id).collect();
        if let Some(former) = self.bans.add(ban.clone()) {
            self.record(Record::Unban(former.id), effects);
        }
        let text = match &reason {
            None => ban.target.to_string(),
            Some(reason) => format!("{}: {reason}", ban.target),
        };
        let (by, text) = (Some(by), Some(text.into()));
        effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Banned, now) }));
        self.record(Record::Ban(Box::new(ban)), effects);
        let why = Farewell::Banned { reason, until };
        self.outgoing.extend(hit.into_iter().map(|session| (session, why.clone())));
        self.see_out(now, effects);
    }

    /// Disconnects those whom a ban has hit, some of them at a time: it may be thousands, and everybody else waits
    /// meanwhile. Nobody hears those who are left.
    pub(super) fn see_out(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for _ in 0..AT_A_TIME {
            let Some((session, why)) = self.outgoing.pop_front() else { break };
            if self.sessions.contains_key(&session) {
                self.counters.banned += 1;
                tell(session, Message::Goodbye(why.clone()), effects);
                self.depart(session, why, now, effects);
            }
        }
    }

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

    pub(super) fn unban(&mut self, id: BanId, by: By, now: Now, effects: &mut Vec<Effect>) {
        if let Some(ban) = self.bans.remove(id) {
            let (by, text) = (Some(by), Some(ban.target.to_string().into()));
            effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Unbanned, now) }));
            self.record(Record::Unban(id), effects);
        }
        self.expire_bans(now, effects);
    }

    pub(super) fn expire_bans(&mut self, now: Now, effects: &mut Vec<Effect>) {
        for id in self.bans.expire(now.wall) {
            self.record(Record::Unban(id), effects);
        }
    }
}
