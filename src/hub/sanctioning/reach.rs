//! Which clients a sanction is about and which it spares, and the sanctions in force about one
//! client.

use core::net::SocketAddr;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{ends, is_shadow};
use crate::hub::Hub;
use crate::hub::account::{Account, Role};
use crate::hub::sanction::{Author, Kind, Order, Sanction, Target};
use crate::hub::session::{Mute, Open, Session};
use crate::values::id::{RoomId, SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::name::pattern::Patterns;
use crate::values::network::Origin;
use crate::values::time::{Now, Wall};

impl Hub {
    /// The clients that a sanction made now by this order would disconnect, mute, or keep out of a
    /// room; the oldest first.
    #[must_use]
    pub fn hit_by(&self, order: &Order, now: Now) -> Vec<&Session> {
        self.hit_since(order, now.wall, self.last_session())
    }

    /// The highest number of the clients that are here; 0 if there are none.
    pub(super) fn last_session(&self) -> SessionId {
        self.people.sessions.last().unwrap_or_default()
    }

    pub(super) fn hit_since(&self, order: &Order, since: Wall, after: SessionId) -> Vec<&Session> {
        let mut hit: BTreeSet<SessionId> = BTreeSet::new();
        let network = match &order.target {
            Target::Network(network) => Some(network),
            // Clients logged in to an account of that name are hit as well, whatever name they
            // bear.
            Target::Name(name) => {
                hit.extend(self.people.names.lookalikes(name));
                hit.extend(self.accounts.lookalikes(name).flat_map(|account| self.logged_in_to(account)));
                // So are clients that believe they bear the name: they get it once others hear them
                // again.
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
            // Filters are about texts, and lockdowns about clients that come later: neither hits
            // anybody who is here.
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
    pub(super) fn called<'a>(&'a self, session: &'a Session) -> impl Iterator<Item = &'a Name> {
        let account = session.account.and_then(|account| self.accounts.get(account));
        let own = session.is_renamed_unseen().then(|| session.own_nick());
        [&session.nick].into_iter().chain(own).chain(account.map(|account| &account.name))
    }

    /// Whether a sanction about a pattern of names, made at `since`, spares this client whatever
    /// its names are. It spares clients from the networks of `access.always`, operators, and people
    /// whose account is older than the sanction.
    pub(super) fn is_spared_by_patterns(&self, session: &Session, since: Wall) -> bool {
        let account = session.account.and_then(|account| self.accounts.get(account));
        self.is_always_let_in(session.peer)
            || account.is_some_and(|account| account.role == Role::Operator || account.since < since)
    }

    /// The sanctions in force about a client because their pattern finds one of `names`.
    pub(super) fn by_pattern<'a>(
        &'a self,
        session: &'a Session,
        names: impl Iterator<Item = &'a Name> + 'a,
        now: Now,
    ) -> impl Iterator<Item = &'a Sanction> {
        let found = names.flat_map(move |name| self.moderation.sanctions.of_pattern(name, now));
        found.filter(move |one| !self.is_spared_by_patterns(session, one.since))
    }

    /// The ban that keeps `id` from taking this name, if there is one.
    pub(in crate::hub) fn ban_of_name(&self, id: SessionId, name: &Name, now: Now) -> Option<&Sanction> {
        let is_ban = |one: &&Sanction| one.kind == Kind::Ban;
        let session = self.people.sessions.get(&id);
        self.moderation.sanctions.of_name(name, now).find(is_ban).or_else(|| {
            let mut found = self.moderation.sanctions.of_pattern(name, now);
            found.find(|one| {
                is_ban(one) && !session.is_some_and(|one_here| self.is_spared_by_patterns(one_here, one.since))
            })
        })
    }

    /// Whether a sanction about an address spares this client, which connects from there. The
    /// sanction was made at `since`, when `after` was the newest client. It spares clients from the
    /// networks of `access.always` and, unless it is a ban, operators. An address that goes with a
    /// name (`also`) is there to catch a person who comes again: there a sanction other than a ban
    /// also spares clients that were connected before it, and people whose account is older.
    fn is_spared(&self, session: &Session, kind: &Kind, (since, after): (Wall, SessionId), also: bool) -> bool {
        let account = || session.account.and_then(|account| self.accounts.get(account));
        let was_there = || session.id <= after || account().is_some_and(|account| account.since < since);
        self.is_always_let_in(session.peer)
            || (*kind != Kind::Ban
                && (account().is_some_and(|account| account.role == Role::Operator) || (also && was_there())))
    }

    /// The shown name of an operator, connected or not, whose account name equals or resembles
    /// `name`.
    pub(in crate::hub) fn operator_like(&self, name: &Name) -> Option<Arc<str>> {
        let accounts = self.accounts.lookalikes(name).filter_map(|account| self.accounts.get(account));
        let mut operators = accounts.filter(|account| account.role == Role::Operator);
        operators.next().map(|account| account.name.shown().into())
    }

    /// The client that a sanction was meant for, if it is here under the same name; `None` for a
    /// ban.
    pub(super) fn meant_by(&self, sanction: &Sanction) -> Option<SessionId> {
        let id = self.find(sanction.nick.as_deref()?)?;
        (sanction.kind != Kind::Ban).then_some(id)
    }

    /// The sanctions in force about a client. One sanction can come twice.
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

    /// The ban that keeps out everybody who connects from this address; `None` if the address is in
    /// a network of `access.always`.
    pub(in crate::hub) fn ban_of_address(&self, peer: SocketAddr, now: Now) -> Option<&Sanction> {
        let sanctions = &self.moderation.sanctions;
        if sanctions.count(&Kind::Ban) == 0 || self.is_always_let_in(peer) {
            return None;
        }
        sanctions.of_address(peer.ip(), now).find(|sanction| sanction.kind == Kind::Ban)
    }

    /// The expulsions from a room that are about a client.
    pub(super) fn expulsions_of(&self, id: SessionId, room: RoomId) -> Vec<&Sanction> {
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
    pub(in crate::hub) fn is_expelled(&self, id: SessionId, room: RoomId) -> bool {
        self.moderation.sanctions.count_of_room(room) > 0 && !self.expulsions_of(id, room).is_empty()
    }

    /// Whether a client from `origin` may come to the door and log in although `ban` is about its
    /// address. It may if an operator has logged in from there recently and no administrator made
    /// the ban. A cold start forgets where operators have logged in: until the first operator is
    /// back, everybody whom an operator has banned may knock.
    pub(in crate::hub) fn may_knock(&self, ban: &Sanction, origin: Origin) -> bool {
        let familiar = &self.people.familiar;
        match ban.by {
            Author::Uid(_) => false,
            Author::Account(_) => familiar.is_empty() || familiar.has(origin),
            Author::Hub => familiar.has(origin),
        }
    }

    /// The mute in force about a client. If there are several, an open mute comes before a
    /// shadow-mute; among these, the one that ends last counts.
    pub(super) fn mute_of<'a>(&'a self, session: &'a Session, now: Now) -> Option<&'a Sanction> {
        self.last_mute_of(session, false, now).or_else(|| self.last_mute_of(session, true, now))
    }

    /// The mute in force about a client that ends last, among the open ones or the shadow-mutes.
    fn last_mute_of<'a>(&'a self, session: &'a Session, shadow: bool, now: Now) -> Option<&'a Sanction> {
        let kind = Kind::Mute { shadow };
        if self.moderation.sanctions.count(&kind) == 0 {
            return None;
        }
        let mutes = self.sanctions_of(session, now).filter(|sanction| sanction.kind == kind);
        mutes.max_by_key(|mute| (mute.end(), mute.id))
    }

    /// Whether `id` is shadow-muted, by a mute that began at `at` or before.
    pub(in crate::hub) fn was_unheard_at(&self, id: SessionId, at: Wall, now: Now) -> bool {
        let session = self.session(id).filter(|session| session.is_muted_untold(now));
        session.and_then(|session| self.last_mute_of(session, true, now)).is_some_and(|mute| mute.since <= at)
    }

    /// The shadow-mute in force about `id`.
    pub(in crate::hub) fn shadow_mute_of(&self, id: SessionId, now: Now) -> Option<SanctionId> {
        let session = self.session(id).filter(|session| session.is_muted_untold(now))?;
        self.last_mute_of(session, true, now).map(|mute| mute.id)
    }

    /// Whether whoever registered the account was shadow-muted then, and still is: its name is not to be seen, whether
    /// they are here or not, and whether the mute is about their name or their address.
    pub(in crate::hub) fn is_registered_unheard(&self, account: &Account) -> bool {
        let sanctions = &self.moderation.sanctions;
        let hides = |mute: &Sanction| is_shadow(mute) && mute.since <= account.since;
        let mut bearers = self.logged_in_to(account.id).filter_map(|id| self.session(id));
        sanctions.count(&Kind::Mute { shadow: true }) > 0
            && (sanctions.about_name(&account.name).any(hides)
                || account.unheard.and_then(|mute| sanctions.get(mute)).is_some_and(hides)
                // Who alone sees other capitals of a name is seen by that name.
                || bearers.any(|bearer| bearer.own_nick() == &account.name && bearer.nick != account.name))
    }

    /// Looks up whether `id` is muted, and keeps the answer in its session.
    pub(in crate::hub) fn note_mute(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.session(id) else { return };
        let had = session.mute.is_some();
        let end = |mute: &Sanction| {
            let until = mute.until?;
            Some((mute.ends.unwrap_or_else(|| ends(until, now)), until))
        };
        let open = self.last_mute_of(session, false, now).map(|mute| Open { until: end(mute) });
        let mute = match (self.last_mute_of(session, true, now), open) {
            (Some(mute), open) => Some(Box::new(Mute { until: end(mute), shadow: true, open })),
            (None, Some(Open { until })) => Some(Box::new(Mute { until, shadow: false, open: None })),
            (None, None) => None,
        };
        if (had || mute.is_some())
            && let Some(session) = self.people.sessions.get_mut(&id)
        {
            session.mute = mute;
        }
    }
}
