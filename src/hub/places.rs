//! The origins of clients, and the client that is disconnected for a newcomer when all places are
//! taken.
//!
//! A client is silent until it has sent a line. In a full hub, one silent client makes place for a
//! newcomer: a client of the origin with the most silent ones, if more clients come from there than
//! from the newcomer's origin. So four addresses cannot fill the hub with silence. A client that
//! has sent a line stays.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::Hub;
use crate::values::id::{RoomId, SessionId};
use crate::values::network::Network;
use crate::values::network::Origin;

/// Places beyond `limits.clients` that are kept for the networks of `access.always`.
pub const RESERVE: usize = 64;

/// The part of the [`RESERVE`] that is also for the origins of operators. It is not all of it,
/// because others may come from there too.
pub(super) const RESERVE_OF_OPERATORS: usize = 32;

/// The most origins of operators that are remembered. A further origin replaces the one where no
/// operator has logged in for the longest time.
const REMEMBERED: usize = 64;

/// All clients by origin.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    all: BTreeSet<Place>,
    counts: BTreeMap<Origin, Count>,
    /// The origins that have silent clients, ordered by the number of these. Clients that are
    /// always let in do not count as silent.
    by_silence: BTreeSet<(usize, Origin)>,
}

/// The place of one client, as one number: its origin, a bit that tells whether it is silent, and
/// its own number. So the silent clients of an origin come after its others. It is one number
/// because each newcomer's is compared with many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u128);

impl Place {
    const SILENT: u64 = 1 << 63;

    /// Client numbers count up from 1, so no client number sets that bit.
    fn of(origin: Origin, id: SessionId, is_silent: bool) -> Self {
        Self::at(origin, id.0 | if is_silent { Self::SILENT } else { 0 })
    }

    fn at(origin: Origin, rest: u64) -> Self {
        Self((u128::from(origin.number()) << 64) | u128::from(rest))
    }

    fn who(self) -> SessionId {
        SessionId(u64::try_from(self.0 & u128::from(u64::MAX)).expect("half of it") & !Self::SILENT)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    all: usize,
    silent: usize,
}

impl Places {
    pub(super) fn come(&mut self, id: SessionId, origin: Origin, is_silent: bool) {
        if self.all.insert(Place::of(origin, id, is_silent)) {
            self.count(origin, 1, isize::from(is_silent));
        }
    }

    /// Notes that the client has sent a line, and is no longer silent.
    pub(super) fn speak(&mut self, id: SessionId, origin: Origin) {
        if self.all.remove(&Place::of(origin, id, true)) {
            self.all.insert(Place::of(origin, id, false));
            self.count(origin, 0, -1);
        }
    }

    pub(super) fn go(&mut self, id: SessionId, origin: Origin) {
        if self.all.remove(&Place::of(origin, id, true)) {
            self.count(origin, -1, -1);
        } else if self.all.remove(&Place::of(origin, id, false)) {
            self.count(origin, -1, 0);
        }
    }

    /// Changes the number of clients of an origin, and of the silent ones among them.
    fn count(&mut self, origin: Origin, all: isize, silent: isize) {
        let count = self.counts.entry(origin).or_default();
        let former = *count;
        *count =
            Count { all: count.all.saturating_add_signed(all), silent: count.silent.saturating_add_signed(silent) };
        let now = *count;
        if now.all == 0 {
            self.counts.remove(&origin);
        }
        if now.silent != former.silent {
            self.by_silence.remove(&(former.silent, origin));
            if now.silent > 0 {
                self.by_silence.insert((now.silent, origin));
            }
        }
    }

    /// The number of clients from that origin.
    pub(super) fn of(&self, origin: Origin) -> usize {
        self.counts.get(&origin).map_or(0, |count| count.all)
    }

    /// The client that makes place for one more from `origin`: of the origin with the most silent
    /// clients, the silent one that came last. `None` if that origin would not have more clients
    /// than `origin` with the newcomer.
    pub(super) fn who_gives_way(&self, origin: Origin) -> Option<SessionId> {
        let (_, most) = self.by_silence.last()?;
        let is_fair = self.of(origin) + 1 < self.of(*most);
        let mut silent = self.all.range(Place::at(*most, Place::SILENT)..=Place::at(*most, u64::MAX));
        silent.next_back().map(|place| place.who()).filter(|_| is_fair)
    }

    /// All clients from that network, and, if the network is smaller than an origin, perhaps others
    /// from that origin.
    pub(super) fn within(&self, network: &Network) -> impl DoubleEndedIterator<Item = SessionId> {
        let (first, last) = Origin::range(network);
        self.all.range(Place::at(first, 0)..=Place::at(last, u64::MAX)).map(|place| place.who())
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Panics if the places are not exactly those of `people`; the boolean tells whether a client
    /// is silent.
    pub(super) fn check_invariants(&self, people: impl Iterator<Item = (SessionId, Origin, bool)>) {
        let mut other = Self::default();
        for (id, origin, is_silent) in people {
            other.come(id, origin, is_silent);
        }
        assert_eq!(self.all, other.all, "everybody is counted at their origin, and who is silent makes place");
        assert_eq!(self.counts, other.counts);
        assert_eq!(self.by_silence, other.by_silence);
    }
}

impl Hub {
    /// The origin for which the rooms opened by `id` are counted; `None` for operators and clients
    /// that are always let in, whose rooms are not counted.
    pub(super) fn counted_opener(&self, id: SessionId) -> Option<Origin> {
        let session = self.people.sessions.get(&id)?;
        let is_free = self.is_always_let_in(session.peer) || self.people.operators.contains(&id);
        (!is_free).then(|| Origin::of(session.peer.ip()))
    }

    /// The number of open rooms that were opened from `origin`.
    pub(super) fn rooms_opened_from(&self, origin: Origin) -> usize {
        self.rooms.openers.get(&origin).copied().unwrap_or(0)
    }

    /// Counts a new room for the origin from which it was opened. A room without an origin is not
    /// counted.
    pub(super) fn opened_from(&mut self, room: RoomId, origin: Option<Origin>) {
        let (Some(room), Some(origin)) = (self.rooms.open.get_mut(&room), origin) else { return };
        room.opened_from = Some(origin);
        *self.rooms.openers.entry(origin).or_default() += 1;
    }
}

/// The origins where operators have logged in recently, the latest at the end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Familiar(VecDeque<Origin>);

impl Familiar {
    pub(super) fn note(&mut self, origin: Origin) {
        self.0.retain(|known| *known != origin);
        self.0.push_back(origin);
        while self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, origin: Origin) -> bool {
        self.0.contains(&origin)
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::{Account, Role};
    use super::super::message::Farewell;
    use super::super::sanction::{Kind, Order, Target};
    use super::super::{Input, News};
    use super::*;
    use crate::settings::Settings;
    use crate::values::id::AccountId;
    use crate::values::name::Name;
    use crate::values::time::{Now, Wall};
    use core::net::IpAddr;
    use proptest::prelude::*;

    fn origin(number: u8) -> Origin {
        Origin::of(core::net::IpAddr::from([192, 0, 2, number]))
    }

    #[test]
    fn the_last_of_the_most_gives_way_and_nobody_for_one_who_has_as_many() {
        let mut places = Places::default();
        for id in 0..6 {
            places.come(SessionId(id), origin(u8::from(id >= 4)), true);
        }
        assert_eq!(places.who_gives_way(origin(9)), Some(SessionId(3)));
        assert_eq!(places.who_gives_way(origin(1)), Some(SessionId(3)));
        assert_eq!(places.who_gives_way(origin(0)), None, "for one of their own nobody goes");
        for id in 1..4 {
            places.speak(SessionId(id), origin(0));
        }
        assert_eq!(places.who_gives_way(origin(9)), Some(SessionId(5)), "who speaks stays");
        places.go(SessionId(5), origin(1));
        assert_eq!(places.who_gives_way(origin(9)), None, "who is alone is not turned out for one who would be");
    }

    proptest! {
        #[test]
        fn the_counts_per_address_match_the_people_present(steps in prop::collection::vec((0..4_u8, 0..12_u64, 0..3_u8), 0..80)) {
            let mut places = Places::default();
            let mut people: BTreeMap<SessionId, (Origin, bool)> = BTreeMap::new();
            for (step, id, from) in steps {
                let id = SessionId(id);
                match (step, people.get(&id).copied()) {
                    (0 | 1, None) => {
                        places.come(id, origin(from), step == 0);
                        people.insert(id, (origin(from), step == 0));
                    }
                    (2, Some((origin, _))) => {
                        places.speak(id, origin);
                        people.insert(id, (origin, false));
                    }
                    (3, Some((origin, _))) => {
                        places.go(id, origin);
                        people.remove(&id);
                    }
                    _ => {}
                }
                places.check_invariants(people.iter().map(|(id, (origin, silent))| (*id, *origin, *silent)));
                let silent = |from: &Origin| people.values().filter(|(origin, silent)| origin == from && *silent).count();
                if let Some(going) = places.who_gives_way(origin(9)) {
                    let (from, is_silent) = people[&going];
                    prop_assert!(is_silent);
                    prop_assert!(people.values().all(|(origin, _)| silent(origin) <= silent(&from)));
                }
            }
        }
    }

    fn full(limit: usize) -> (Hub, u64) {
        let mut settings = Settings::default();
        settings.limits.clients = limit;
        settings.access.always = vec!["198.51.100.0/24".parse().expect("a network")];
        let mut hub = Hub::new(settings, [7; 16], Now::default(), &mut Vec::new());
        for id in 1..=limit as u64 {
            assert!(comes(&mut hub, id, [10, 0, 0, u8::try_from(id).expect("few")]));
            speaks(&mut hub, id);
        }
        (hub, limit as u64)
    }

    fn speaks(hub: &mut Hub, id: u64) {
        let text = "hi".to_owned();
        hub.handle(Input::Line { session: SessionId(id), text }, Now::default(), &mut Vec::new());
    }

    /// Connects a client; returns whether it is let in.
    fn comes(hub: &mut Hub, id: u64, from: [u8; 4]) -> bool {
        let (session, peer) = (SessionId(id), (from, 1024).into());
        hub.handle(
            Input::Connect { session, peer, encrypted: false, certificate: None },
            Now::default(),
            &mut Vec::new(),
        );
        hub.session(session).is_some()
    }

    #[test]
    fn trusted_addresses_find_a_place_in_the_reserve_and_nobody_who_spoke_goes() {
        let (mut hub, mut id) = full(10);
        let mut count = |hub: &mut Hub, from| {
            (0..100)
                .filter(|_| {
                    id += 1;
                    let is_in = comes(hub, id, from);
                    speaks(hub, id);
                    is_in
                })
                .count()
        };
        assert_eq!(count(&mut hub, [10, 0, 1, 1]), 0);
        // The origin counts as an operator's while the operator is there, and after the operator
        // has gone.
        let name = Name::parse("ann", 24).expect("a name");
        let role = Role::Operator;
        let ann = Account {
            id: AccountId(1),
            name,
            hashed: None,
            role,
            since: Wall(0),
            seen: Wall(0),
            places: Vec::new(),
            certificates: Vec::new(),
            unheard: None,
        };
        hub.accounts.put(ann).expect("the first");
        hub.log_in(SessionId(3), AccountId(1));
        let gone = News::Gone { session: SessionId(3), why: Farewell::Lost };
        hub.handle(gone, Now::default(), &mut Vec::new());
        assert_eq!(count(&mut hub, [10, 0, 1, 1]), 1);
        // The state survives a snapshot.
        let mut hub: Hub = serde_json::from_str(&serde_json::to_string(&hub).expect("plain")).expect("the same");
        hub.check_invariants();
        assert_eq!(count(&mut hub, [10, 0, 0, 4]), 0);
        assert_eq!(count(&mut hub, [10, 0, 0, 3]), RESERVE_OF_OPERATORS);
        assert_eq!(count(&mut hub, [198, 51, 100, 7]), RESERVE - RESERVE_OF_OPERATORS);
        assert_eq!(hub.session_count(), 10 + RESERVE);
        let spoke = (1..=10).filter(|id| *id != 3).map(SessionId);
        assert!(spoke.into_iter().all(|id| hub.session(id).is_some()));
    }

    #[test]
    fn a_room_counts_for_where_it_was_opened_from_until_it_closes_also_after_a_restart() {
        let mut settings = Settings::default();
        settings.limits.rooms_per_address = 1;
        let mut hub = Hub::new(settings, [7; 16], Now::default(), &mut Vec::new());
        let say = |hub: &mut Hub, id: u64, text: &str| {
            let line = Input::Line { session: SessionId(id), text: text.to_owned() };
            hub.handle(line, Now::default(), &mut Vec::new());
            hub.room_count()
        };
        assert!((1..=3).all(|id| comes(&mut hub, id, [10, 0, 0, 1])));
        assert_eq!(say(&mut hub, 1, "/join tea"), 2);
        // Another client stays in the room.
        assert_eq!(say(&mut hub, 2, "/join tea"), 2);
        assert_eq!(say(&mut hub, 1, "/leave"), 2);
        let mut hub: Hub = serde_json::from_str(&serde_json::to_string(&hub).expect("plain")).expect("the same");
        hub.check_invariants();
        assert_eq!(say(&mut hub, 3, "/join beer"), 2);
        assert_eq!(say(&mut hub, 2, "/leave"), 1);
        assert_eq!(say(&mut hub, 3, "/join beer"), 2);
    }

    proptest! {
        #[test]
        fn a_ban_hits_the_same_clients_as_a_search_through_all(
            people in prop::collection::vec((0..3_u8, any::<[u8; 2]>()), 0..30),
            of in any::<prop::sample::Index>(),
            length in 0..=128_u8,
        ) {
            let address = |(kind, [a, b]): (u8, [u8; 2])| -> IpAddr {
                match kind {
                    0 => [192, 0, a % 4, b].into(),
                    1 => [0x2001, 0xdb8, 0, u16::from(a % 4), 0, 0, 0, u16::from(b)].into(),
                    _ => [0, 0, 0, 0, 0, 0xffff, 0xc000, u16::from_be_bytes([a % 4, b])].into(),
                }
            };
            let mut hub = Hub::new(Settings::default(), [7; 16], Now::default(), &mut Vec::new());
            for (id, person) in (1..).zip(&people) {
                let (session, peer) = (SessionId(id), (address(*person), 1024).into());
                hub.handle(Input::Connect { session, peer, encrypted: false, certificate: None }, Now::default(), &mut Vec::new());
            }
            let of = people.get(of.index(people.len().max(1))).map_or([192, 0, 2, 1].into(), |person| address(*person));
            let of = of.to_canonical();
            let network = Network::new(of, length.min(if of.is_ipv6() { 128 } else { 32 })).expect("short enough");
            let hit: Vec<_> = hub.hit_by(&Order::about(Kind::Ban, Target::Network(network)), Now::default()).into_iter().map(|session| session.id).collect();
            let all = hub.sessions().filter(|session| network.has(session.peer.ip()));
            prop_assert_eq!(hit, all.map(|session| session.id).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_origins_of_operators_are_bounded() {
        let mut familiar = Familiar::default();
        for number in 0..=u8::MAX {
            familiar.note(origin(number));
        }
        familiar.note(origin(u8::MAX - 3));
        assert_eq!(familiar.0.len(), REMEMBERED);
        assert!(familiar.has(origin(u8::MAX)) && !familiar.has(origin(0)));
    }
}
