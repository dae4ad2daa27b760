//! Making and lifting sanctions, and finding the clients that a sanction is about. The table of
//! sanctions is [`super::sanction`].
//!
//! | to change | see |
//! | --- | --- |
//! | making a sanction, and applying it to clients that are here | here |
//! | which clients a sanction is about and spares; the sanctions about one client | `reach` |
//! | which recent lines a new filter would have kept back | [`Caught`] |
//! | how sanctions follow a person to another name or account | `following` |
//! | lifting sanctions; sanctions whose time is over | `ending` |
//!
//! This folder does not know how an operator types a sanction, nor what people are told of it on a
//! screen.

mod caught;
mod ending;
mod following;
mod reach;

pub use caught::Caught;

use super::account::Role;
use super::archive::Record;
use super::message::{Done, Farewell, Message};
use super::sanction::{Author, Kind, NoPlace, Order, Sanction, Target};
use super::session::Session;
use super::{AT_A_TIME, By, Effect, Happening, Hub, Turn, What};
use crate::values::id::{SanctionId, SessionId};
use crate::values::time::{Mono, Now, Wall};

impl Hub {
    /// The maker of a sanction, in the form that stays with the sanction when the maker is gone.
    pub(in crate::hub) fn author(&self, by: By) -> Author {
        match by {
            By::Admin { uid, .. } => Author::Uid(uid),
            By::Operator { account, .. } => {
                let name = self.accounts.get(account).map(|account| account.name.shown().into());
                name.map_or(Author::Hub, Author::Account)
            }
            By::Hub => Author::Hub,
        }
    }

    /// The time to note as the beginning of an account or sanction that is made now. It is later
    /// than all such times before, even if the clock was set back meanwhile. So these times tell
    /// which of two was made first: somebody who registers while muted, for example, stays muted.
    /// Several sanctions with the same beginning are one sanction that was made anew for other
    /// names: see [`Turn::stay_kept_from`].
    pub(in crate::hub) fn stamp(&mut self, now: Now) -> Wall {
        self.moderation.latest = now.wall.max(Wall(self.moderation.latest.0.saturating_add(1)));
        self.moderation.latest
    }

    /// Notes the beginnings of accounts and sanctions read from elsewhere, so that [`Self::stamp`]
    /// gives later times only.
    pub(in crate::hub) fn note_latest(&mut self) {
        let accounts = self.accounts.iter().map(|account| account.since);
        let begun = accounts.chain(self.moderation.sanctions.iter().map(|sanction| sanction.since));
        let latest = begun.max().unwrap_or_default();
        self.moderation.latest = self.moderation.latest.max(latest);
    }

    /// The order that keeps a client that is here from `kind`: see [`Order::about_one`].
    #[must_use]
    pub fn order(&self, session: &Session, kind: Kind) -> Order {
        let account = session.account.and_then(|account| self.accounts.get(account));
        Order::about_one(kind, account.map(|account| account.name.clone()), &session.nick, session.peer.ip())
    }

    /// Whether the limits allow one more sanction of that kind.
    ///
    /// # Errors
    /// The bound that is reached.
    pub fn has_place(&self, order: &Order) -> Result<(), NoPlace> {
        let limits = &self.settings.limits;
        self.moderation.sanctions.has_place(&order.kind, &order.target, limits.bans, limits.patterns)
    }
}

fn is_shadow(sanction: &Sanction) -> bool {
    sanction.kind == Kind::Mute { shadow: true }
}

/// The time `until` by the monotonic clock; `now` if it has passed.
pub(in crate::hub) fn ends(until: Wall, now: Now) -> Mono {
    let left = u64::try_from(until.0.saturating_sub(now.wall.0)).unwrap_or(0);
    now.mono.after(core::time::Duration::from_millis(left))
}

impl Turn<'_> {
    /// Makes a sanction and applies it to the clients that are here, except that an expulsion moves
    /// nobody. Returns the sanction's number, and the sanction of the same kind about the same
    /// target that it replaces.
    pub(in crate::hub) fn sanction(&mut self, order: Order, by: By) -> (SanctionId, Option<Sanction>) {
        self.expire_sanctions();
        let id = self.hub.moderation.sanctions.next_id();
        // A sanction that the hub or an operator makes is not applied to operators who are here.
        let out_of_reach =
            |hub: &Hub, session: &Session| !matches!(by, By::Admin { .. }) && hub.role(session.id) == Role::Operator;
        let hit = self.hub.hit_by(&order, self.now);
        let hit: Vec<SessionId> =
            hit.into_iter().filter(|one| !out_of_reach(self.hub, one)).map(|session| session.id).collect();
        let until = order.until;
        let ends = until.map(|until| ends(until, self.now));
        let after = match self.hub.moderation.sanctions.lockdown().filter(|_| order.target == Target::Newcomers) {
            // Clients that have come since the first of several lockdowns began stay newcomers.
            Some(former) => former.after,
            None => self.hub.last_session(),
        };
        let since = self.hub.stamp(self.now);
        let sanction = Sanction { ends, after, ..Sanction::new(id, order, self.hub.author(by), since) };
        let sanctions = &mut self.hub.moderation.sanctions;
        // A mute for strikes must not end a shadow-mute, nor be hidden by it: its person is told.
        let former = match by {
            By::Hub => sanctions.add_beside(sanction.clone()),
            By::Admin { .. } | By::Operator { .. } => sanctions.add(sanction.clone()),
        };
        if let Some(former) = &former {
            self.record(Record::Lifted(former.id));
        }
        self.record(Record::Sanction(Box::new(sanction.clone())));
        let what = match &sanction.kind {
            Kind::Ban => What::Banned,
            Kind::Mute { .. } => What::Muted,
            Kind::Expulsion { .. } => What::Expelled,
            Kind::Filter { .. } => What::FilterAdded,
            Kind::Lockdown { .. } => What::LockdownBegun,
        };
        self.sanction_happened(what, &sanction, by);
        match sanction.kind {
            Kind::Ban => {
                let why = Farewell::Banned { reason: sanction.reason, until };
                self.hub.moderation.outgoing.extend(hit.into_iter().map(|session| (session, why.clone())));
                self.see_out();
            }
            Kind::Mute { .. } => {
                self.mutes_changed(hit);
                // The replaced mute may have had another address, and have muted other clients
                // there.
                if let Some(former) = &former {
                    self.ended(former);
                }
            }
            Kind::Expulsion { .. } | Kind::Filter { .. } => {}
            Kind::Lockdown { newcomers } => self.lockdown_began(newcomers, until, former.as_ref()),
        }
        (id, former)
    }

    pub(super) fn sanction_happened(&mut self, what: What, sanction: &Sanction, by: By) {
        let session = self.hub.meant_by(sanction).and_then(|id| self.hub.session(id));
        // For a client that is here, the event has name and address as fields of their own.
        let target = match (session, &sanction.also) {
            (Some(_), _) => None,
            (None, None) if sanction.target == Target::Newcomers => None,
            (None, None) => Some(sanction.target.to_string()),
            (None, Some(also)) => Some(format!("{}, {also}", sanction.target)),
        };
        let room = match &sanction.kind {
            Kind::Expulsion { name, .. } => Some(name.shown().into()),
            _ => None,
        };
        let text = match &sanction.kind {
            Kind::Lockdown { newcomers } if what == What::LockdownBegun => {
                Some(self.lockdown_in_words(*newcomers, sanction.until).into())
            }
            _ => sanction.reason.clone(),
        };
        let operator = match by {
            By::Operator { account, .. } => self.hub.accounts.get(account).map(|account| account.name.shown().into()),
            By::Admin { .. } | By::Hub => None,
        };
        self.effects.push(Effect::Happened(Happening {
            session: session.map(|session| session.id),
            nick: session.map(|session| session.nick.shown().into()),
            peer: session.map(|session| session.peer),
            room,
            by: Some(by),
            operator,
            text,
            target: target.map(Into::into),
            called: Some(sanction.called().into()),
            until: sanction.until.filter(|_| what != What::LockdownEnded),
            untold: matches!(sanction.kind, Kind::Mute { shadow: true }),
            striking: matches!(sanction.kind, Kind::Filter { strike: true }),
            ..Happening::new(what, self.now)
        }));
    }

    /// Looks up again whether these clients are muted, and tells each client for which the answer
    /// has changed, as far as it may know.
    pub(super) fn mutes_changed(&mut self, whom: Vec<SessionId>) {
        for id in whom {
            let Some(session) = self.hub.session(id) else { continue };
            let before = session.muted_as_told(self.now);
            self.hub.note_mute(id, self.now);
            let Some(session) = self.hub.session(id) else { continue };
            let now = session.muted_as_told(self.now);
            if before != now {
                let reason = self.hub.mute_of(session, self.now).and_then(|mute| mute.reason.clone());
                self.done(id, now.map_or(Done::Unmuted, |until| Done::Muted { until, reason }));
            }
        }
    }

    /// Disconnects clients that a ban has hit, at most `AT_A_TIME` of them: there may be thousands,
    /// and everybody else waits meanwhile. Clients that are still to go are heard by nobody.
    pub(in crate::hub) fn see_out(&mut self) {
        for _ in 0..AT_A_TIME {
            let Some((session, why)) = self.hub.moderation.outgoing.pop_front() else { break };
            if self.hub.people.sessions.contains_key(&session) {
                self.hub.counters.banned += 1;
                self.tell(session, Message::Goodbye(why.clone()));
                self.depart(session, why);
            }
        }
    }
}
