//! Making and lifting sanctions, and finding the clients they are about. The table of sanctions is [`super::sanction`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Turn;
use super::account::Role;
use super::archive::Record;
use super::message::{Done, Farewell, Message};
use super::sanction::{Author, Kind, NoPlace, Order, Sanction, Target};
use super::session::{Mute, Session};
use super::{AT_A_TIME, By, Effect, Happening, Hub, What};
use crate::values::id::{RoomId, SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::name::pattern::Patterns;
use crate::values::network::Origin;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words::Filters;

/// The most lines of one room, and of all rooms together, that a filter is tried on before it is made.
const LOOKED_AT: usize = 100;
const LOOKED_AT_IN_ALL: usize = 1000;

/// What a filter would have kept back of the last lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caught {
    /// How many lines the filter finds something in.
    pub lines: usize,
    /// How many lines the filter was tried on.
    pub looked_at: usize,
    /// The names under which the found lines were said, each once; within a room, that of the newest line first.
    pub names: Vec<Arc<str>>,
    /// How many names these are.
    pub people: usize,
}

impl Hub {
    /// The maker of a sanction, as it is kept with the sanction when the maker is gone.
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

    /// The time to note as the beginning of an account or a sanction that is made now. It is later than all such times
    /// before, even if the clock was set back since: so these times tell which of two was made first. Somebody who
    /// registers while they are muted, for example, stays muted. Sanctions with the same beginning are one that was
    /// made anew: see [`Turn::stay_kept_from`].
    pub(super) fn stamp(&mut self, now: Now) -> Wall {
        self.moderation.latest = now.wall.max(Wall(self.moderation.latest.0.saturating_add(1)));
        self.moderation.latest
    }

    /// Notes the beginnings of accounts and sanctions that were not made here: [`Self::stamp`] gives later times only.
    pub(super) fn note_latest(&mut self) {
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

    /// The clients that a sanction made now by this order would be about, by age: those that it would disconnect, mute,
    /// or keep out of a room.
    #[must_use]
    pub fn hit_by(&self, order: &Order, now: Now) -> Vec<&Session> {
        self.hit_since(order, now.wall, self.last_session())
    }

    /// The highest number of the clients that are here; 0 if there are none.
    fn last_session(&self) -> SessionId {
        self.people.sessions.last().unwrap_or_default()
    }

    fn hit_since(&self, order: &Order, since: Wall, after: SessionId) -> Vec<&Session> {
        let mut hit: BTreeSet<SessionId> = BTreeSet::new();
        let network = match &order.target {
            Target::Network(network) => Some(network),
            // Clients logged in to an account of that name are hit as well, whatever name they bear.
            Target::Name(name) => {
                hit.extend(self.people.names.lookalikes(name));
                hit.extend(self.accounts.lookalikes(name).flat_map(|account| self.logged_in_to(account)));
                // So are clients that believe they bear the name: they get it when they are heard again.
                hit.extend(self.people.unseen.lookalikes(name));
                None
            }
            Target::Pattern(pattern) => {
                let patterns = Patterns::new(std::slice::from_ref(pattern));
                let is_hit = |one: &&Session| {
                    self.called(one).any(|name| patterns.finds(name)) && !self.is_spared_by_patterns(one, since)
                };
                hit.extend(self.sessions().filter(is_hit).map(|session| session.id));
                None
            }
            // Filters are about texts, and lockdowns about clients that come later: neither hits anybody who is here.
            Target::Text(_) | Target::Newcomers => None,
        };
        let also = order.also.iter().map(|also| (also, true));
        for (network, also) in network.into_iter().map(|network| (network, false)).chain(also) {
            let here = self.people.places.within(network).filter_map(|id| self.session(id));
            let is_hit = |session: &&Session| {
                network.has(session.peer.ip()) && !self.is_spared(session, &order.kind, (since, after), also)
            };
            hit.extend(here.filter(is_hit).map(|session| session.id));
        }
        hit.into_iter().filter_map(|id| self.session(id)).collect()
    }

    /// The names of a client: as others see it, as it sees itself, and that of its account.
    fn called<'a>(&'a self, session: &'a Session) -> impl Iterator<Item = &'a Name> {
        let account = session.account.and_then(|account| self.accounts.get(account));
        let own = session.is_renamed_unseen().then(|| session.own_nick());
        [&session.nick].into_iter().chain(own).chain(account.map(|account| &account.name))
    }

    /// Whether a sanction about a pattern of names, made at `since`, spares this client whatever its names are. It
    /// spares clients from the networks of `access.always`, operators, and people whose account is older than the
    /// sanction.
    fn is_spared_by_patterns(&self, session: &Session, since: Wall) -> bool {
        let account = session.account.and_then(|account| self.accounts.get(account));
        self.is_always_let_in(session.peer)
            || account.is_some_and(|account| account.role == Role::Operator || account.since < since)
    }

    /// The sanctions in force about a client because their pattern finds one of `names`.
    fn by_pattern<'a>(
        &'a self,
        session: &'a Session,
        names: impl Iterator<Item = &'a Name> + 'a,
        now: Now,
    ) -> impl Iterator<Item = &'a Sanction> {
        let found = names.flat_map(move |name| self.moderation.sanctions.of_pattern(name, now));
        found.filter(move |one| !self.is_spared_by_patterns(session, one.since))
    }

    /// The ban that keeps `id` from taking this name, if there is one.
    pub(super) fn ban_of_name(&self, id: SessionId, name: &Name, now: Now) -> Option<&Sanction> {
        let is_ban = |one: &&Sanction| one.kind == Kind::Ban;
        let session = self.people.sessions.get(&id);
        self.moderation.sanctions.of_name(name, now).find(is_ban).or_else(|| {
            let mut found = self.moderation.sanctions.of_pattern(name, now);
            found.find(|one| {
                is_ban(one) && !session.is_some_and(|one_here| self.is_spared_by_patterns(one_here, one.since))
            })
        })
    }

    /// Whether a sanction about an address spares this client, which connects from there. The sanction was made at
    /// `since`, when `after` was the newest client. It spares clients from the networks of `access.always` and, unless
    /// it is a ban, operators. An address that goes with a name (`also`) is there to catch a person who comes again:
    /// there a sanction other than a ban also spares clients that were connected before it, and people whose account is
    /// older.
    fn is_spared(&self, session: &Session, kind: &Kind, (since, after): (Wall, SessionId), also: bool) -> bool {
        let account = || session.account.and_then(|account| self.accounts.get(account));
        let was_there = || session.id <= after || account().is_some_and(|account| account.since < since);
        self.is_always_let_in(session.peer)
            || (*kind != Kind::Ban
                && (account().is_some_and(|account| account.role == Role::Operator) || (also && was_there())))
    }

    /// Whether there is place for one more such sanction.
    ///
    /// # Errors
    /// The bound that is reached.
    pub fn has_place(&self, order: &Order) -> Result<(), NoPlace> {
        let limits = &self.settings.limits;
        self.moderation.sanctions.has_place(&order.kind, &order.target, limits.bans, limits.patterns)
    }

    /// What a filter would have kept back of the last lines of these rooms: of at most `LOOKED_AT` lines of each room,
    /// and `LOOKED_AT_IN_ALL` together.
    pub fn would_be_kept_back(&self, target: &Target, rooms: impl IntoIterator<Item = RoomId>, now: Now) -> Caught {
        let filters = Filters::new(&[target.to_string()], &[]);
        let (mut caught, mut by) = (Caught::default(), BTreeSet::new());
        let horizon = self.horizon(now);
        for room in rooms.into_iter().filter_map(|room| self.rooms.open.get(&room)) {
            let last = room.history.iter().rev().take_while(|line| horizon.keeps(line));
            for line in last.take(LOOKED_AT.min(LOOKED_AT_IN_ALL - caught.looked_at)) {
                caught.looked_at += 1;
                if filters.judge(line.said.text()).is_some() {
                    caught.lines += 1;
                    if by.insert(line.said.nick().to_owned()) {
                        caught.names.push(line.said.nick().into());
                    }
                }
            }
        }
        caught.people = caught.names.len();
        caught
    }

    /// The name of the operator, connected or not, whose account has that name or one that looks like it.
    pub(super) fn operator_like(&self, name: &Name) -> Option<Arc<str>> {
        let accounts = self.accounts.lookalikes(name).filter_map(|account| self.accounts.get(account));
        let mut operators = accounts.filter(|account| account.role == Role::Operator);
        operators.next().map(|account| account.name.shown().into())
    }

    /// The client that a sanction was meant for, if it is here under the same name; `None` for a ban.
    fn meant_by(&self, sanction: &Sanction) -> Option<SessionId> {
        let id = self.find(sanction.nick.as_deref()?)?;
        (sanction.kind != Kind::Ban).then_some(id)
    }

    /// The sanctions in force about a client. The same sanction can come twice.
    pub fn sanctions_of<'a>(&'a self, session: &'a Session, now: Now) -> impl Iterator<Item = &'a Sanction> {
        let account = session.account.and_then(|account| self.accounts.get(account));
        let sanctions = &self.moderation.sanctions;
        let by_address = sanctions.of_address(session.peer.ip(), now).filter(|sanction| {
            !self.is_spared(session, &sanction.kind, (sanction.since, sanction.after), sanction.also.is_some())
        });
        let by_account = account.into_iter().flat_map(move |account| sanctions.of_name(&account.name, now));
        let by_pattern = self.by_pattern(session, self.called(session), now);
        sanctions.of_name(&session.nick, now).chain(by_account).chain(by_pattern).chain(by_address)
    }

    /// The ban that keeps out whoever connects from this address; `None` if the address is in a network of
    /// `access.always`.
    pub(super) fn ban_of_address(&self, peer: core::net::SocketAddr, now: Now) -> Option<&Sanction> {
        let sanctions = &self.moderation.sanctions;
        if sanctions.count(&Kind::Ban) == 0 || self.is_always_let_in(peer) {
            return None;
        }
        sanctions.of_address(peer.ip(), now).find(|sanction| sanction.kind == Kind::Ban)
    }

    /// The expulsions from a room that are about a client.
    fn expulsions_of(&self, id: SessionId, room: RoomId) -> Vec<&Sanction> {
        let Some(session) = self.session(id) else { return Vec::new() };
        let account = session.account.and_then(|account| self.accounts.get(account));
        let is_about = |sanction: &&Sanction| {
            let by_name = match &sanction.target {
                Target::Name(name) => {
                    name.looks_like(&session.nick) || account.is_some_and(|account| account.name.looks_like(name))
                }
                Target::Network(network) => network.has(session.peer.ip()),
                Target::Pattern(_) | Target::Text(_) | Target::Newcomers => false,
            };
            let by_address = || {
                sanction.also.is_some_and(|also| also.has(session.peer.ip()))
                    && !self.is_spared(session, &sanction.kind, (sanction.since, sanction.after), true)
            };
            by_name || by_address()
        };
        self.moderation.sanctions.of_room(room).filter(is_about).collect()
    }

    /// Whether `id` was sent out of that room and may not come in again.
    pub(super) fn is_expelled(&self, id: SessionId, room: RoomId) -> bool {
        self.moderation.sanctions.count_of_room(room) > 0 && !self.expulsions_of(id, room).is_empty()
    }

    /// Whether a client from `origin` may come to the door and log in although `ban` is about its address. It may if an
    /// operator has logged in from there of late, and no administrator made the ban. A cold start forgets where
    /// operators have logged in: until the first operator is back, everybody whom an operator has banned may knock.
    pub(super) fn may_knock(&self, ban: &Sanction, origin: Origin) -> bool {
        let familiar = &self.people.familiar;
        match ban.by {
            Author::Uid(_) => false,
            Author::Account(_) => familiar.is_empty() || familiar.has(origin),
            Author::Hub => familiar.has(origin),
        }
    }

    /// The mutes and expulsions in force about a client by its names or its account. Those about an address do not go
    /// along with the client: they are for everybody who connects from there.
    pub(super) fn kept_from(&self, id: SessionId, now: Now) -> Vec<Sanction> {
        let sanctions = &self.moderation.sanctions;
        if sanctions.len() == sanctions.count(&Kind::Ban) {
            return Vec::new();
        }
        let Some(session) = self.session(id) else { return Vec::new() };
        let account = session.account.and_then(|account| self.accounts.get(account));
        let names = account.map(|account| &account.name).into_iter().chain([&session.nick]);
        let by_name = names.flat_map(|name| sanctions.of_name(name, now));
        let by_pattern = self.by_pattern(session, self.called(session), now);
        let about = by_name.chain(by_pattern).filter(|one| one.kind != Kind::Ban);
        let about: BTreeMap<SanctionId, &Sanction> = about.map(|one| (one.id, one)).collect();
        about.into_values().cloned().collect()
    }

    /// The mute in force about a client. Of several, a mute that it knows of comes first, and then the one that ends
    /// last.
    fn mute_of<'a>(&'a self, session: &'a Session, now: Now) -> Option<&'a Sanction> {
        if self.moderation.sanctions.count(&Kind::Mute { shadow: false }) == 0 {
            return None;
        }
        let mutes = self.sanctions_of(session, now).filter(|sanction| matches!(sanction.kind, Kind::Mute { .. }));
        mutes.max_by_key(|mute| (!is_shadow(mute), mute.end(), mute.id))
    }

    /// Whether `id` is shadow-muted, by a mute that began at `at` or before.
    pub(super) fn was_unheard_at(&self, id: SessionId, at: Wall, now: Now) -> bool {
        let session = self.session(id).filter(|session| session.is_muted_untold(now));
        session.and_then(|session| self.mute_of(session, now)).is_some_and(|mute| is_shadow(mute) && mute.since <= at)
    }

    /// Looks up whether `id` is muted, and keeps the answer in its session.
    pub(super) fn note_mute(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.session(id) else { return };
        let had = session.mute.is_some();
        let mute = self.mute_of(session, now).map(|mute| {
            let until = mute.until.map(|until| (mute.ends.unwrap_or_else(|| ends(until, now)), until));
            Box::new(Mute { until, shadow: is_shadow(mute) })
        });
        if (had || mute.is_some())
            && let Some(session) = self.people.sessions.get_mut(&id)
        {
            session.mute = mute;
        }
    }
}

fn is_shadow(sanction: &Sanction) -> bool {
    sanction.kind == Kind::Mute { shadow: true }
}

/// The time `until` by the monotonic clock; `now` if it has passed.
pub(super) fn ends(until: Wall, now: Now) -> Mono {
    let left = u64::try_from(until.0.saturating_sub(now.wall.0)).unwrap_or(0);
    now.mono.after(core::time::Duration::from_millis(left))
}

impl Turn<'_> {
    /// Makes a sanction and applies it to those who are here; an expulsion moves nobody. Returns its number, and the
    /// sanction of the same kind about the same target that it replaces.
    pub(super) fn sanction(&mut self, order: Order, by: By) -> (SanctionId, Option<Sanction>) {
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
        let former = self.hub.moderation.sanctions.add(sanction.clone());
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
                // The replaced mute may have been about other clients too: those that come from its address, if that
                // was another one.
                if let Some(former) = &former {
                    self.ended(former);
                }
            }
            Kind::Expulsion { .. } | Kind::Filter { .. } => {}
            Kind::Lockdown { newcomers } => self.lockdown_began(newcomers, until),
        }
        (id, former)
    }

    fn sanction_happened(&mut self, what: What, sanction: &Sanction, by: By) {
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
        self.effects.push(Effect::Happened(Happening {
            session: session.map(|session| session.id),
            nick: session.map(|session| session.nick.shown().into()),
            peer: session.map(|session| session.peer),
            room,
            by: Some(by),
            text,
            target: target.map(Into::into),
            called: Some(sanction.called().into()),
            until: sanction.until.filter(|_| what != What::LockdownEnded),
            untold: matches!(sanction.kind, Kind::Mute { shadow: true }),
            striking: matches!(sanction.kind, Kind::Filter { strike: true }),
            ..Happening::new(what, self.now)
        }));
    }

    /// Carries over the sanctions of a client that has changed its name, or logged in or out; `before` is what
    /// [`Hub::kept_from`] was until then. A sanction that is no longer about the client is made anew for its present
    /// name and account. If there is one about these already, the one that ends later stays. The new sanction has the
    /// beginning of the old one, by which lifting one lifts all, and the old one's number if that is free.
    pub(super) fn stay_kept_from(&mut self, id: SessionId, before: Vec<Sanction>) {
        let mut gone = Vec::new();
        for sanction in before {
            let Some(session) = self.hub.session(id) else { return };
            let is_about_them = self.hub.sanctions_of(session, self.now).any(|one| one.id == sanction.id);
            // An account made after the sanction is the same person's, so it needs a sanction of its own: else logging
            // in to it from elsewhere would get around the sanction.
            let account = session.account.and_then(|account| self.hub.accounts.get(account));
            let names_it = |name: &Name| matches!(&sanction.target, Target::Name(target) if target.looks_like(name));
            let is_another = account.is_some_and(|own| own.since >= sanction.since && !names_it(&own.name));
            if is_about_them && !is_another {
                continue;
            }
            // A pattern is not about those whose account is older than it, whatever a guest was called.
            if matches!(sanction.target, Target::Pattern(_)) && self.hub.is_spared_by_patterns(session, sanction.since)
            {
                continue;
            }
            let Order { target, also, nick, .. } = self.hub.order(session, sanction.kind.clone());
            let sanctions = &self.hub.moderation.sanctions;
            let known = sanctions.about(&sanction.kind, &target).and_then(|known| sanctions.get(known)).cloned();
            // The former one stays: it may be about the address of before as well.
            if known.as_ref().is_some_and(|known| known.end() >= sanction.end()) {
                continue;
            }
            // What was made anew for a guest at this address goes on about the new name: a guest's former name is
            // nobody's. An account keeps its sanction, and another address keeps its own.
            let is_guests = |one: &&Sanction| {
                let is_guests = matches!(&one.target, Target::Name(name) if self.hub.accounts.owner(name).is_none());
                is_guests && one.also == also && (one.id != sanction.id || !is_about_them)
            };
            let same = sanctions.same_as(sanction.id).into_iter().filter_map(|same| sanctions.get(same));
            let goes_on = same.filter(is_guests).map(|one| one.id).next();
            // A quarter of the places is kept for sanctions that somebody has decided on: else one person could fill
            // all places by logging out of a muted account at many addresses. A client for which there is no place is
            // treated like anybody who comes from its address for the first time.
            let most = self.hub.settings.limits.bans;
            if known.is_none() && goes_on.is_none() && sanctions.count(&sanction.kind) >= most - most / 4 {
                continue;
            }
            let number = goes_on.unwrap_or_else(|| sanctions.next_id());
            if let Some(goes_on) = goes_on {
                gone.extend(self.hub.moderation.sanctions.remove(goes_on));
                self.record(Record::Lifted(goes_on));
            }
            // The address of one that is prolonged stays as well.
            let also = known.and_then(|known| known.also).or(also);
            let anew = Sanction { id: number, target, also, nick, ..sanction };
            if let Some(former) = self.hub.moderation.sanctions.add(anew.clone()) {
                self.record(Record::Lifted(former.id));
                gone.push(former);
            }
            self.record(Record::Sanction(Box::new(anew)));
        }
        self.hub.note_mute(id, self.now);
        for sanction in gone {
            self.ended(&sanction);
        }
    }

    /// Looks up again whether these clients are muted, and tells each client for which the answer has changed, as far
    /// as it may know.
    fn mutes_changed(&mut self, whom: Vec<SessionId>) {
        for id in whom {
            let Some(session) = self.hub.session(id) else { continue };
            let known =
                |mute: Option<Mute>| mute.filter(|mute| !mute.shadow).map(|mute| mute.until.map(|(_, wall)| wall));
            let before = known(session.muted(self.now));
            self.hub.note_mute(id, self.now);
            let Some(session) = self.hub.session(id) else { continue };
            let now = known(session.muted(self.now));
            if before != now {
                let reason = self.hub.mute_of(session, self.now).and_then(|mute| mute.reason.clone());
                self.done(id, now.map_or(Done::Unmuted, |until| Done::Muted { until, reason }));
            }
        }
    }

    /// Disconnects clients that a ban has hit, at most `AT_A_TIME` of them: there may be thousands, and everybody else
    /// waits meanwhile. Nobody hears those that are still to go.
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

    /// Lifts a sanction, and those that were made anew from it when a client changed its name or account: all are about
    /// one person.
    pub(super) fn lift(&mut self, id: SanctionId, by: By) {
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
    pub(super) fn unmute(&mut self, id: SessionId, by: By) {
        let Some(session) = self.hub.session(id) else { return };
        let mutes = self.hub.sanctions_of(session, self.now).filter(|one| matches!(one.kind, Kind::Mute { .. }));
        let mutes: BTreeSet<SanctionId> = mutes.map(|mute| mute.id).collect();
        for mute in mutes {
            self.lift(mute, by);
        }
    }

    /// Lifts the expulsions from a room that are about a client that is here.
    pub(super) fn readmit(&mut self, id: SessionId, room: RoomId, by: By) {
        let expulsions: Vec<SanctionId> = self.hub.expulsions_of(id, room).into_iter().map(|one| one.id).collect();
        for expulsion in expulsions {
            self.lift(expulsion, by);
        }
    }

    /// Removes the expulsions from rooms that are neither open nor kept.
    pub(super) fn forget_closed_rooms(&mut self) {
        let kept: BTreeSet<RoomId> = self.hub.recording.dormant.values().map(|(room, _)| *room).collect();
        let rooms: Vec<RoomId> = self.hub.moderation.sanctions.rooms().collect();
        for room in rooms {
            if !kept.contains(&room) && !self.hub.rooms.open.contains_key(&room) {
                self.forget_expulsions(room);
            }
        }
    }

    /// Removes the expulsions from a room that is gone.
    pub(super) fn forget_expulsions(&mut self, room: RoomId) {
        let gone: Vec<SanctionId> = self.hub.moderation.sanctions.of_room(room).map(|one| one.id).collect();
        for id in gone {
            self.hub.moderation.sanctions.remove(id);
            self.record(Record::Lifted(id));
        }
    }

    /// Applies the end of a sanction to those who are here.
    fn ended(&mut self, sanction: &Sanction) {
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

    pub(super) fn expire_sanctions(&mut self) {
        for sanction in self.hub.moderation.sanctions.expire(self.now) {
            if matches!(sanction.kind, Kind::Lockdown { .. }) {
                self.sanction_happened(What::LockdownEnded, &sanction, By::Hub);
            }
            self.record(Record::Lifted(sanction.id));
            self.ended(&sanction);
        }
    }
}
