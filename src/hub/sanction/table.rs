//! The table of all sanctions, with its indexes.
//!
//! Finding the sanctions about an address takes one step for each prefix length in use; finding
//! those about a name takes one step for each that is about the name. Neither depends on how many
//! sanctions there are. All patterns are tried together, and are few (`limits.patterns`).

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{Kind, Sanction, Target};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SanctionId};
use crate::values::name::Name;
use crate::values::name::pattern::{Pattern, Patterns};
use crate::values::network::Network;
use crate::values::roster::Roster;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words::{Action, Filters};

/// All sanctions. Several can be about the same person. Of one kind about exactly the same target
/// there is at most one: the last that was made. A mute that the hub makes for strikes may stand
/// beside a shadow-mute of the same target.
#[derive(Clone, Debug, Default)]
pub struct Sanctions {
    next: u64,
    all: BTreeMap<SanctionId, CopyOnWrite<Sanction>>,
    /// The sanctions about networks: by family (`true` for IPv6) and prefix length, then by prefix.
    networks: BTreeMap<(bool, u8), BTreeMap<u128, BTreeSet<SanctionId>>>,
    /// Each name that sanctions are about, with its key in `by_name`. A key belongs to one name for
    /// good, unlike a sanction's number, which can go on with another name.
    names: Roster<u64>,
    by_name: BTreeMap<u64, BTreeSet<SanctionId>>,
    next_name: u64,
    /// The number of sanctions of each kind, by the kind's letter.
    counts: BTreeMap<char, usize>,
    expulsions: BTreeMap<RoomId, BTreeSet<SanctionId>>,
    /// The sanctions about patterns of names, and the filters.
    patterns: BTreeSet<SanctionId>,
    /// `patterns`, compiled. Adding or lifting a pattern or filter empties this, and the next use
    /// compiles it again.
    compiled: OnceLock<Arc<Compiled>>,
    /// The lockdown in force.
    lockdown: Option<SanctionId>,
    /// The ends of sanctions: `ends` by the monotonic clock, `ends_by_wall` by the wall clock.
    ends: BTreeSet<(Mono, SanctionId)>,
    ends_by_wall: BTreeSet<(Wall, SanctionId)>,
}

/// The patterns and filters of a table, compiled.
#[derive(Debug, Default)]
struct Compiled {
    /// The sanction of each pattern in `names`, by position.
    ids: Vec<SanctionId>,
    names: Patterns,
    texts: Filters,
}

/// The bound that leaves no place for one more sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// There are as many sanctions of its kind as `limits.bans` allows; this number.
    Sanctions(usize),
    /// There are as many patterns and filters as `limits.patterns` allows; this number.
    Patterns(usize),
    /// Compiled together with the others, the pattern or filter would take too much memory.
    Memory,
}

impl Sanctions {
    /// The number of the next sanction.
    #[must_use]
    pub fn next_id(&self) -> SanctionId {
        SanctionId(self.next.max(1))
    }

    /// Makes sure that the next number is at least this one.
    pub(in crate::hub) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Adds a sanction. Replaces and returns the one of the same kind about exactly the same
    /// target, if there is one.
    pub fn add(&mut self, sanction: Sanction) -> Option<Sanction> {
        let former = self.about(&sanction.kind, &sanction.target).and_then(|id| self.remove(id));
        self.keep(sanction);
        former
    }

    /// The same, but a mute leaves a shadow-mute of the same target beside it, and the other way
    /// round.
    pub(in crate::hub) fn add_beside(&mut self, sanction: Sanction) -> Option<Sanction> {
        let former = self.exactly(&sanction.kind, &sanction.target).and_then(|id| self.remove(id));
        self.keep(sanction);
        former
    }

    /// Adds a sanction read from a snapshot or from disk, and keeps its number.
    pub(in crate::hub) fn keep(&mut self, sanction: Sanction) {
        self.remove(sanction.id);
        let id = sanction.id;
        self.next = self.next_id().0.max(id.0 + 1);
        for Network { is_v6, length, bits } in sanction.networks() {
            self.networks.entry((*is_v6, *length)).or_default().entry(*bits).or_default().insert(id);
        }
        if let Target::Name(name) = &sanction.target {
            let key = self.names.keep(name, self.next_name).err().unwrap_or(self.next_name);
            self.next_name += 1;
            self.by_name.entry(key).or_default().insert(id);
        }
        match (&sanction.kind, &sanction.target) {
            (Kind::Expulsion { room, .. }, _) => drop(self.expulsions.entry(*room).or_default().insert(id)),
            (Kind::Lockdown { .. }, _) => self.lockdown = Some(id),
            (_, Target::Pattern(_) | Target::Text(_)) => {
                self.patterns.insert(id);
                self.compiled.take();
            }
            _ => {}
        }
        *self.counts.entry(sanction.kind.letter()).or_default() += 1;
        match (sanction.ends, sanction.until) {
            (Some(ends), _) => drop(self.ends.insert((ends, id))),
            (None, Some(until)) => drop(self.ends_by_wall.insert((until, id))),
            (None, None) => {}
        }
        self.all.insert(id, CopyOnWrite::new(sanction));
    }

    /// Removes and returns a sanction.
    pub fn remove(&mut self, id: SanctionId) -> Option<Sanction> {
        let sanction = self.all.remove(&id)?.into_inner();
        for Network { is_v6, length, bits } in sanction.networks() {
            let key = (*is_v6, *length);
            let Some(networks) = self.networks.get_mut(&key) else { continue };
            if let Some(ids) = networks.get_mut(bits) {
                ids.remove(&id);
                if ids.is_empty() {
                    networks.remove(bits);
                }
            }
            if networks.is_empty() {
                self.networks.remove(&key);
            }
        }
        if let Target::Name(name) = &sanction.target
            && let Some(key) = self.names.find(name.folded())
            && let Some(ids) = self.by_name.get_mut(&key)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_name.remove(&key);
                self.names.release_folded(name.folded());
            }
        }
        if self.patterns.remove(&id) {
            self.compiled.take();
        }
        if self.lockdown == Some(id) {
            self.lockdown = None;
        }
        if let Kind::Expulsion { room, .. } = sanction.kind
            && let Some(ids) = self.expulsions.get_mut(&room)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.expulsions.remove(&room);
            }
        }
        if let Some(count) = self.counts.get_mut(&sanction.kind.letter()) {
            *count -= 1;
        }
        match (sanction.ends, sanction.until) {
            (Some(ends), _) => drop(self.ends.remove(&(ends, id))),
            (None, Some(until)) => drop(self.ends_by_wall.remove(&(until, id))),
            (None, None) => {}
        }
        Some(sanction)
    }

    /// Removes and returns the sanctions that have ended.
    pub fn expire(&mut self, now: Now) -> Vec<Sanction> {
        let by_mono = self.ends.iter().take_while(|(ends, _)| *ends <= now.mono).map(|(_, id)| *id);
        let by_wall = self.ends_by_wall.iter().take_while(|(until, _)| *until <= now.wall).map(|(_, id)| *id);
        let over: Vec<_> = by_mono.chain(by_wall).collect();
        over.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// The moment at which the next sanction ends, among those that end by the monotonic clock.
    #[must_use]
    pub fn next_end(&self) -> Option<Mono> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    /// The sanction of that kind about exactly that target. If there is no mute, a shadow-mute
    /// counts as one, and the other way round.
    #[must_use]
    pub fn about(&self, kind: &Kind, target: &Target) -> Option<SanctionId> {
        self.exactly(kind, target).or_else(|| self.all_about(kind, target).first().copied())
    }

    /// The sanction of that kind about exactly that target; a mute and a shadow-mute are two kinds.
    pub(in crate::hub) fn exactly(&self, kind: &Kind, target: &Target) -> Option<SanctionId> {
        self.all_about(kind, target).into_iter().find(|id| self.get(*id).is_some_and(|one| one.kind.is_same(kind)))
    }

    /// The sanctions of that kind about exactly that target: both a mute and a shadow-mute, if
    /// there are both.
    pub(in crate::hub) fn all_about(&self, kind: &Kind, target: &Target) -> Vec<SanctionId> {
        let ids = match target {
            Target::Network(Network { is_v6, length, bits }) => {
                self.networks.get(&(*is_v6, *length)).and_then(|networks| networks.get(bits))
            }
            Target::Name(name) => self.names.find(name.folded()).and_then(|key| self.by_name.get(&key)),
            Target::Pattern(_) | Target::Text(_) => Some(&self.patterns),
            Target::Newcomers => None,
        };
        let lockdown = self.lockdown.filter(|_| *target == Target::Newcomers);
        let ids = ids.into_iter().flatten().copied();
        let is_it = |id: &SanctionId| self.get(*id).is_some_and(|one| one.kind.is_like(kind) && one.target == *target);
        lockdown.into_iter().chain(ids.filter(is_it)).collect()
    }

    /// Whether there is place for a sanction of that kind about that target. A sanction that would
    /// replace another needs no place of its own.
    ///
    /// # Errors
    /// The bound that is reached. There may be `most` of a kind, and `most_patterns` patterns and
    /// filters.
    pub fn has_place(&self, kind: &Kind, target: &Target, most: usize, most_patterns: usize) -> Result<(), NoPlace> {
        let is_new = self.about(kind, target).is_none();
        if !matches!(target, Target::Pattern(_) | Target::Text(_)) {
            return if is_new && self.count(kind) >= most { Err(NoPlace::Sanctions(most)) } else { Ok(()) };
        }
        if is_new && self.patterns.len() >= most_patterns {
            return Err(NoPlace::Patterns(most_patterns));
        }
        let (_, mut names, mut texts) = self.listed();
        match target {
            Target::Pattern(pattern) => names.push(pattern.clone()),
            // Counted in both lists, because the strike does not matter for the memory.
            target => texts.iter_mut().for_each(|list| list.push(target.to_string())),
        }
        let [refuse, strike] = &texts;
        let fit = Patterns::fit(&names) && Filters::fit(refuse, strike);
        if fit { Ok(()) } else { Err(NoPlace::Memory) }
    }

    /// The patterns of names with their sanctions' numbers, and the texts of filters: first those
    /// that only refuse a line, then those that give a strike as well.
    fn listed(&self) -> (Vec<SanctionId>, Vec<Pattern>, [Vec<String>; 2]) {
        let (mut ids, mut names, mut texts) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
        for one in self.patterns.iter().filter_map(|id| self.get(*id)) {
            match (&one.target, &one.kind) {
                (Target::Pattern(pattern), _) => {
                    ids.push(one.id);
                    names.push(pattern.clone());
                }
                (target, kind) => texts[usize::from(*kind == Kind::Filter { strike: true })].push(target.to_string()),
            }
        }
        (ids, names, texts)
    }

    fn compiled(&self) -> &Compiled {
        self.compiled.get_or_init(|| {
            let (ids, names, [refuse, strike]) = self.listed();
            Arc::new(Compiled { ids, names: Patterns::new(&names), texts: Filters::new(&refuse, &strike) })
        })
    }

    /// What the filters do about `text`; `None` if no filter finds anything in it.
    #[must_use]
    pub fn filter(&self, text: &str) -> Option<Action> {
        if self.patterns.is_empty() { None } else { self.compiled().texts.judge(text) }
    }

    /// The sanctions in force about patterns that find `name`, the oldest first.
    pub fn of_pattern(&self, name: &Name, now: Now) -> impl Iterator<Item = &Sanction> {
        let compiled = (!self.patterns.is_empty()).then(|| self.compiled());
        let found: BTreeSet<SanctionId> =
            compiled.into_iter().flat_map(|all| all.names.find(name).map(|at| all.ids[at])).collect();
        found.into_iter().filter_map(|id| self.get(id)).filter(move |sanction| sanction.holds(now))
    }

    /// The lockdown in force.
    #[must_use]
    pub fn lockdown(&self) -> Option<&Sanction> {
        self.get(self.lockdown?)
    }

    /// The sanctions about patterns, and the filters, the oldest first.
    pub fn patterns(&self) -> impl DoubleEndedIterator<Item = &Sanction> + ExactSizeIterator {
        self.patterns.iter().map(|id| &*self.all[id])
    }

    /// The sanctions in force about the address `addr`, the widest network first.
    pub fn of_address(&self, addr: IpAddr, now: Now) -> impl Iterator<Item = &Sanction> {
        let addr = addr.to_canonical();
        self.networks
            .iter()
            .filter(move |((is_v6, _), _)| *is_v6 == addr.is_ipv6())
            .filter_map(move |((_, length), networks)| networks.get(&Network::new(addr, *length)?.bits))
            .flatten()
            .filter_map(|id| self.get(*id))
            .filter(move |sanction| sanction.holds(now))
    }

    /// The sanctions in force about a name, or about one that looks like it.
    pub fn of_name(&self, name: &Name, now: Now) -> impl Iterator<Item = &Sanction> {
        self.about_name(name).filter(move |sanction| sanction.holds(now))
    }

    /// The same, and those that have ended and are not removed yet.
    pub fn about_name(&self, name: &Name) -> impl Iterator<Item = &Sanction> {
        self.names.lookalikes(name).filter_map(|key| self.by_name.get(&key)).flatten().filter_map(|id| self.get(*id))
    }

    /// The expulsions from a room, the oldest first.
    pub fn of_room(&self, room: RoomId) -> impl Iterator<Item = &Sanction> {
        self.expulsions.get(&room).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// The number of expulsions from that room.
    #[must_use]
    pub fn count_of_room(&self, room: RoomId) -> usize {
        self.expulsions.get(&room).map_or(0, BTreeSet::len)
    }

    /// The rooms from which somebody is expelled.
    pub(in crate::hub) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.expulsions.keys().copied()
    }

    /// The sanction of this number.
    #[must_use]
    pub fn get(&self, id: SanctionId) -> Option<&Sanction> {
        self.all.get(&id).map(|sanction| &**sanction)
    }

    /// The number of a sanction and the numbers of those that were made anew from it. They have the
    /// same beginning, which no other two sanctions have.
    pub(in crate::hub) fn same_as(&self, id: SanctionId) -> Vec<SanctionId> {
        let Some(one) = self.get(id) else { return Vec::new() };
        // A banned person is not here to change their name, so no ban is made anew: thousands of
        // bans need not be looked through.
        if one.kind == Kind::Ban {
            return vec![id];
        }
        let is_same = |other: &&Sanction| {
            let began_with = other.since == one.since && other.by == one.by && other.until == one.until;
            // A sanction that is made anew is about a name.
            let is_made_anew = matches!(other.target, Target::Name(_)) && other.kind.is_like(&one.kind);
            other.id == id || (began_with && is_made_anew)
        };
        self.iter().filter(is_same).map(|other| other.id).collect()
    }

    /// All sanctions, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Sanction> + ExactSizeIterator {
        self.all.values().map(|sanction| &**sanction)
    }

    /// The bans in force, the oldest first.
    pub fn bans(&self, now: Now) -> impl DoubleEndedIterator<Item = &Sanction> {
        self.iter().filter(move |sanction| sanction.kind == Kind::Ban && sanction.holds(now))
    }

    /// The sanctions from that number on, the oldest first.
    pub fn iter_from(&self, first: SanctionId) -> impl Iterator<Item = &Sanction> {
        self.all.range(first..).map(|(_, sanction)| &**sanction)
    }

    /// The number of sanctions of a kind, in force or not; shadow-mutes count as mutes.
    #[must_use]
    pub fn count(&self, kind: &Kind) -> usize {
        self.counts.get(&kind.letter()).copied().unwrap_or(0)
    }

    /// The number of sanctions of each kind, in force or not, by the kind's name.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        const KINDS: [(char, &str); 5] =
            [('b', "ban"), ('m', "mute"), ('x', "expulsion"), ('f', "filter"), ('l', "lockdown")];
        KINDS.into_iter().map(|(letter, name)| (name, self.counts.get(&letter).copied().unwrap_or(0)))
    }

    /// The number of sanctions, in force or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether the table is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A copy of all sanctions without the indexes, to be written down.
    pub(in crate::hub) fn frozen(&self) -> Self {
        Self { next: self.next, all: self.all.clone(), ..Self::default() }
    }

    /// Panics if the indexes do not fit the sanctions.
    pub fn check_invariants(&self) {
        let networks: usize = self.networks.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum();
        assert_eq!(networks, self.iter().map(|one| one.networks().count()).sum::<usize>(), "every network is found");
        let by_name = self.iter().filter(|one| matches!(one.target, Target::Name(_))).count();
        assert_eq!(self.by_name.values().map(BTreeSet::len).sum::<usize>(), by_name, "every name is found");
        assert_eq!(self.names.len(), self.by_name.len(), "every name is looked up");
        let is_pattern = |one: &&Sanction| matches!(one.target, Target::Pattern(_) | Target::Text(_));
        assert_eq!(self.patterns.len(), self.iter().filter(is_pattern).count(), "every pattern is tried");
        let lockdown = self.iter().find(|one| matches!(one.kind, Kind::Lockdown { .. })).map(|one| one.id);
        assert_eq!(self.lockdown, lockdown, "there is one lockdown at most");
        assert_eq!(self.counts.values().sum::<usize>(), self.len(), "every kind is counted");
        assert!(self.all.keys().all(|id| id.0 < self.next), "numbers rise");
    }
}

/// Sanctions in the form of a snapshot: the number of the next one, and all of them, the oldest
/// first.
#[derive(Serialize, Deserialize)]
pub(in crate::hub) struct Kept<S>(pub u64, pub Vec<S>);

impl Sanctions {
    /// The bans of networks and names, and, apart from them, all other sanctions: an older release
    /// can read only the bans.
    pub(in crate::hub) fn kept(&self) -> (Kept<&Sanction>, Kept<&Sanction>) {
        let is_plain = |target: &Target| matches!(target, Target::Network(_) | Target::Name(_));
        let (bans, others) = self.iter().partition(|one| one.kind == Kind::Ban && is_plain(&one.target));
        (Kept(self.next, bans), Kept(self.next, others))
    }

    /// The table of sanctions that a snapshot kept.
    ///
    /// # Errors
    /// If a sanction's number is not below the next number.
    pub(in crate::hub) fn revive(bans: Kept<Sanction>, others: Option<Kept<Sanction>>) -> Result<Self, String> {
        let next = bans.0.max(others.as_ref().map_or(0, |others| others.0));
        let mut this = Self { next, ..Self::default() };
        for sanction in bans.1.into_iter().chain(others.into_iter().flat_map(|others| others.1)) {
            if sanction.id.0 >= next {
                return Err(format!("sanction {} is newer than the newest", sanction.id.0));
            }
            this.keep(sanction);
        }
        Ok(this)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Author, Order};
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::prelude::*;

    fn ban(id: u64, target: Target, until: Option<i64>) -> Sanction {
        let order = Order { until: until.map(Wall), ..Order::about(Kind::Ban, target) };
        Sanction::new(SanctionId(id), order, Author::Uid(0), Wall(0))
    }

    /// The table after a round through a snapshot.
    fn again(sanctions: &Sanctions) -> Sanctions {
        let (bans, others) = sanctions.kept();
        let json = |kept| serde_json::to_string(&kept).expect("plain");
        let read = |json: String| serde_json::from_str(&json).expect("the same");
        Sanctions::revive(read(json(bans)), Some(read(json(others)))).expect("numbers rise")
    }

    fn at(wall: i64) -> Now {
        Now { wall: Wall(wall), ..Now::default() }
    }

    #[test]
    fn a_ban_of_the_same_replaces_the_former() {
        let mut bans = Sanctions::default();
        let target = Target::Network("192.0.2.0/24".parse().expect("a network"));
        bans.add(ban(1, target.clone(), Some(5)));
        let name = |text| Target::Name(Name::parse(text, 24).expect("a name"));
        bans.add(ban(2, name("paypal"), None));
        assert_eq!(bans.add(ban(3, target, None)).map(|ban| ban.id), Some(SanctionId(1)));
        assert!(bans.of_name(&Name::parse("paypaI", 24).expect("a name"), at(0)).next().is_some(), "it looks like it");
        assert_eq!(bans.add(ban(4, name("PAYPAL"), None)).map(|ban| ban.id), Some(SanctionId(2)));
        assert_eq!(bans.len(), 2);
        assert_eq!(bans.next_id(), SanctionId(5));
        bans.check_invariants();
    }

    /// Networks that differ in few bits, so that some contain others.
    fn network() -> impl Strategy<Value = Network> {
        prop_oneof![
            (0..4_u32, prop_oneof![Just(0_u8), 26..=32_u8]).prop_map(|(low, length)| {
                Network::new(IpAddr::V4(Ipv4Addr::from_bits(0xC000_0200 | (low * 21))), length).expect("short enough")
            }),
            (0..4_u128, prop_oneof![Just(0_u8), 60..=68_u8, Just(128)]).prop_map(|(high, length)| {
                let bits = 0x2001_0db8_u128 << 96 | high << 62 | high;
                Network::new(IpAddr::V6(Ipv6Addr::from_bits(bits)), length).expect("short enough")
            }),
        ]
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            (0..64_u32).prop_map(|low| IpAddr::V4(Ipv4Addr::from_bits(0xC000_0200 | low))),
            (0..64_u32).prop_map(|low| IpAddr::V6(Ipv4Addr::from_bits(0xC000_0200 | low).to_ipv6_mapped())),
            (0..8_u128, 0..4_u128)
                .prop_map(|(high, low)| { IpAddr::V6(Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | high << 61 | low)) }),
        ]
    }

    /// Compares bit by bit, as a prefix is defined.
    fn is_in(network: &str, addr: IpAddr) -> bool {
        let (base, length) = network.split_once('/').expect("as it is shown");
        let bits = |addr: IpAddr| match addr {
            IpAddr::V4(v4) => format!("4{:032b}", v4.to_bits()),
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => format!("4{:032b}", v4.to_bits()),
                None => format!("6{:0128b}", v6.to_bits()),
            },
        };
        let length: usize = length.parse().expect("a length");
        let (base, addr) = (bits(base.parse().expect("an address")), bits(addr));
        base[..=length] == addr[..(length + 1).min(addr.len())]
    }

    proptest! {
        #[test]
        fn the_index_of_bans_keeps_out_the_same_people_as_a_search_through_all(
            steps in prop::collection::vec((network(), prop::option::of(0..6_i64), any::<bool>()), 0..20),
            addresses in prop::collection::vec(address(), 1..20),
            now in 0..6_i64,
        ) {
            let mut bans = Sanctions::default();
            let mut model: Vec<(Network, SanctionId, Option<i64>)> = Vec::new();
            for (network, until, lift) in steps {
                if lift && let Some((_, id, _)) = model.first().copied() {
                    bans.remove(id);
                    model.remove(0);
                }
                let id = bans.next_id();
                bans.add(ban(id.0, Target::Network(network), until));
                model.retain(|(other, _, _)| *other != network);
                model.push((network, id, until));
                bans.check_invariants();
            }
            let again = again(&bans);
            for addr in addresses {
                let mut expected: Vec<SanctionId> = model
                    .iter()
                    .filter(|(network, _, until)| {
                        is_in(&network.to_string(), addr) && until.is_none_or(|until| now < until)
                    })
                    .map(|(_, id, _)| *id)
                    .collect();
                expected.sort_unstable();
                for bans in [&bans, &again] {
                    let mut found: Vec<SanctionId> = bans.of_address(addr, at(now)).map(|ban| ban.id).collect();
                    found.sort_unstable();
                    prop_assert_eq!(&found, &expected, "{} of {:?}", addr, model);
                }
            }
            bans.expire(at(now));
            prop_assert!(bans.iter().all(|ban| ban.holds(at(now))));
            bans.check_invariants();
        }

        #[test]
        fn no_text_makes_it_panic_and_what_is_read_is_shown_alike(text in "[0-9a-f.:/]{0,24}|\\PC{0,20}") {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
            }
        }
    }
}
