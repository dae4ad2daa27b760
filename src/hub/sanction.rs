//! What people are kept from: sanctions as values, and the one table of them.
//!
//! A ban keeps somebody out, a mute keeps what they say from others, an expulsion keeps them out of one room. All have
//! one form ([`Sanction`]): whom, why, by whom, since when, until when. A sanction is about an address, a network, or a
//! name, which stands for its account and for the names that look like it; one about a guest is about both the name and
//! the address, so that neither another name nor another connection gets around it.
//!
//! A sanction ends by the clock that never jumps. When one is read from disk, the clock on the wall says how long that
//! is: it is all that a machine knows after it was switched off. Looking whom an address is kept from costs as many
//! steps as there are lengths of prefixes in use, and a name as many as there are sanctions about it: not as there are
//! sanctions.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SanctionId, SessionId};
use crate::values::name::{self, InvalidName, Name};
use crate::values::network::Network;
use crate::values::roster::Roster;
use crate::values::time::{Mono, Now, Wall};

/// Whom a sanction is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Whoever comes from there.
    Network(Network),
    /// Whoever bears that name, or one that looks like it, or is logged in to the account that owns it.
    Name(Name),
}

/// Why a text is nobody whom a sanction could be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// It is written like an address or a network, and is none.
    Network(String),
    /// It is written like an id.
    Id(String),
    /// It can be nobody's name.
    Name(String, InvalidName),
}

impl fmt::Display for NoTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(text) => {
                write!(f, "{text} is no address, and no network such as 192.0.2.0/24 or 2001:db8::/32")
            }
            Self::Id(text) => write!(f, "{text} is an id; a ban is of an address, a network or a name"),
            Self::Name(text, invalid) => write!(f, "{text} is no address or network, and as a name it {invalid}"),
        }
    }
}

impl core::error::Error for NoTarget {}

impl FromStr for Target {
    type Err = NoTarget;

    /// Reads a network, an address or a name. What is written like one of the former is never taken for a name:
    /// a slip would keep out another one than was meant, or nobody.
    fn from_str(text: &str) -> Result<Self, NoTarget> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let shown = || text.chars().take(40).collect::<String>();
        if name::resembles_address(text) {
            return Err(NoTarget::Network(shown()));
        }
        if name::is_id(&name::fold(text)) {
            return Err(NoTarget::Id(shown()));
        }
        Name::parse(text, usize::from(u8::MAX)).map(Self::Name).map_err(|invalid| NoTarget::Name(shown(), invalid))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// Who made a sanction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Author {
    /// An administrator with this user id.
    Uid(u32),
    /// An operator with the account of this name.
    Account(Arc<str>),
    /// The hub itself, by its settings.
    Hub,
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "uid {uid}"),
            Self::Account(name) => write!(f, "operator {name}"),
            Self::Hub => f.write_str("the hub"),
        }
    }
}

/// What somebody is kept from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// They do not come in.
    #[default]
    Ban,
    /// What they say reaches nobody.
    Mute {
        /// They are not to know.
        shadow: bool,
    },
    /// They do not come into one room.
    Expulsion {
        /// The room. Its number is never another room's.
        room: RoomId,
        /// Its name when they were sent out.
        name: Name,
    },
}

impl Kind {
    /// The letter before the number by which people call one.
    #[must_use]
    pub fn letter(&self) -> char {
        match self {
            Self::Ban => 'b',
            Self::Mute { .. } => 'm',
            Self::Expulsion { .. } => 'x',
        }
    }

    /// The word for it in lists and for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mute { shadow: false } => "mute",
            Self::Mute { shadow: true } => "shadow-mute",
            Self::Expulsion { .. } => "expulsion",
        }
    }

    fn is_ban(&self) -> bool {
        *self == Self::Ban
    }

    /// Whether they keep from the same: a shadow-mute and a mute do.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Expulsion { room, .. }, Self::Expulsion { room: other, .. }) => room == other,
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}

/// A sanction that is wanted, before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// From what.
    pub kind: Kind,
    /// Whom it is about.
    pub target: Target,
    /// The address that it is about as well.
    pub also: Option<Network>,
    /// What the person was called that it was meant for, where the target does not say it.
    pub nick: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Until when.
    pub until: Option<Wall>,
}

impl Order {
    /// One about that alone, without a reason or an end.
    #[must_use]
    pub fn about(kind: Kind, target: Target) -> Self {
        Self { kind, target, also: None, nick: None, reason: None, until: None }
    }

    /// What keeps one person from `kind`: their account and address, or their name and address if they are a guest.
    /// A ban of a guest is about the address alone: a name that a guest had can be anybody's.
    #[must_use]
    pub fn about_one(kind: Kind, account: Option<Name>, nick: &Name, addr: IpAddr) -> Self {
        let around = Network::around(addr);
        let (target, also) = match account {
            None if kind == Kind::Ban => (Target::Network(around), None),
            None => (Target::Name(nick.clone()), Some(around)),
            Some(name) => (Target::Name(name), Some(around)),
        };
        Self { also, nick: Some(nick.shown().into()), ..Self::about(kind, target) }
    }
}

/// Something that somebody is kept from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// Its number. Bans, mutes and expulsions are numbered together.
    pub id: SanctionId,
    /// From what.
    #[serde(default, skip_serializing_if = "Kind::is_ban")]
    pub kind: Kind,
    /// Whom it is about.
    pub target: Target,
    /// Whom besides: the address of a guest whose name is the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<Network>,
    /// What the person was called that it was meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<Arc<str>>,
    /// Why; told to those it is about, but for a shadow-mute.
    pub reason: Option<Arc<str>>,
    /// Who made it.
    pub by: Author,
    /// Since when.
    pub since: Wall,
    /// The last client that had come by then: the address of a mute is for those who come after it.
    #[serde(default)]
    pub after: SessionId,
    /// Until when; `None`: until it is lifted.
    pub until: Option<Wall>,
    /// When that is by the clock that does not jump, if the hub has lived since it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Mono>,
}

impl Sanction {
    /// One that ends by the clock on the wall.
    #[must_use]
    pub fn new(id: SanctionId, order: Order, by: Author, since: Wall) -> Self {
        let Order { kind, target, also, nick, reason, until } = order;
        Self { id, kind, target, also, nick, reason, by, since, after: SessionId(0), until, ends: None }
    }

    /// Whether it is in force at `now`.
    #[must_use]
    pub fn holds(&self, now: Now) -> bool {
        match self.ends {
            Some(ends) => now.mono < ends,
            None => self.until.is_none_or(|until| now.wall < until),
        }
    }

    /// What people call it: a letter for its kind, and its number.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{}{}", self.kind.letter(), self.id.0)
    }

    /// Who made it, in words. An expulsion is made by who has the room's say.
    #[must_use]
    pub fn maker(&self) -> String {
        match (&self.kind, &self.by) {
            (Kind::Expulsion { .. }, Author::Account(name)) => name.to_string(),
            (_, by) => by.to_string(),
        }
    }

    /// How long it holds, for comparing.
    #[must_use]
    pub fn end(&self) -> Wall {
        self.until.unwrap_or(Wall(i64::MAX))
    }

    /// The networks and the name that it is about.
    fn networks(&self) -> impl Iterator<Item = &Network> {
        let first = match &self.target {
            Target::Network(network) => Some(network),
            Target::Name(_) => None,
        };
        first.into_iter().chain(&self.also)
    }
}

/// All sanctions. Several can be about the same; of one kind about exactly the same there is one, the last.
#[derive(Clone, Debug, Default)]
pub struct Sanctions {
    next: u64,
    all: BTreeMap<SanctionId, CopyOnWrite<Sanction>>,
    /// By family and length of the prefix, then by the prefix.
    networks: BTreeMap<(bool, u8), BTreeMap<u128, BTreeSet<SanctionId>>>,
    /// Each name that some are about, called by the first of them.
    names: Roster<SanctionId>,
    by_name: BTreeMap<SanctionId, BTreeSet<SanctionId>>,
    /// How many of each kind, by its letter.
    counts: BTreeMap<char, usize>,
    expulsions: BTreeMap<RoomId, BTreeSet<SanctionId>>,
    /// When they end, by the clock that they end by.
    ends: BTreeSet<(Mono, SanctionId)>,
    ends_by_wall: BTreeSet<(Wall, SanctionId)>,
}

impl Sanctions {
    /// The number for the next one.
    #[must_use]
    pub fn next_id(&self) -> SanctionId {
        SanctionId(self.next.max(1))
    }

    /// From now on, numbers are no lower than this.
    pub(super) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Adds one; one of the same kind about exactly the same is replaced, and returned.
    pub fn add(&mut self, sanction: Sanction) -> Option<Sanction> {
        let former = self.about(&sanction.kind, &sanction.target).and_then(|id| self.remove(id));
        self.keep(sanction);
        former
    }

    /// Adds one as it was kept.
    pub(super) fn keep(&mut self, sanction: Sanction) {
        self.remove(sanction.id);
        let id = sanction.id;
        self.next = self.next_id().0.max(id.0 + 1);
        for Network { is_v6, length, bits } in sanction.networks() {
            self.networks.entry((*is_v6, *length)).or_default().entry(*bits).or_default().insert(id);
        }
        if let Target::Name(name) = &sanction.target {
            let first = self.names.keep(name, id).err().unwrap_or(id);
            self.by_name.entry(first).or_default().insert(id);
        }
        if let Kind::Expulsion { room, .. } = sanction.kind {
            self.expulsions.entry(room).or_default().insert(id);
        }
        *self.counts.entry(sanction.kind.letter()).or_default() += 1;
        match (sanction.ends, sanction.until) {
            (Some(ends), _) => drop(self.ends.insert((ends, id))),
            (None, Some(until)) => drop(self.ends_by_wall.insert((until, id))),
            (None, None) => {}
        }
        self.all.insert(id, CopyOnWrite::new(sanction));
    }

    /// Lifts one.
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
            && let Some(first) = self.names.find(name.folded())
            && let Some(ids) = self.by_name.get_mut(&first)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_name.remove(&first);
                self.names.release_folded(name.folded());
            }
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

    /// Lets go of those that have ended, and returns them.
    pub fn expire(&mut self, now: Now) -> Vec<Sanction> {
        let by_mono = self.ends.iter().take_while(|(ends, _)| *ends <= now.mono).map(|(_, id)| *id);
        let by_wall = self.ends_by_wall.iter().take_while(|(until, _)| *until <= now.wall).map(|(_, id)| *id);
        let over: Vec<_> = by_mono.chain(by_wall).collect();
        over.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// When the next one ends, of those that end by the clock that does not jump.
    #[must_use]
    pub fn next_end(&self) -> Option<Mono> {
        self.ends.first().map(|(ends, _)| *ends)
    }

    /// The one that keeps exactly that one from that.
    #[must_use]
    pub fn about(&self, kind: &Kind, target: &Target) -> Option<SanctionId> {
        let is_it =
            |id: &&SanctionId| self.get(**id).is_some_and(|one| one.kind.is_like(kind) && one.target == *target);
        match target {
            Target::Network(Network { is_v6, length, bits }) => {
                self.networks.get(&(*is_v6, *length))?.get(bits)?.iter().find(is_it).copied()
            }
            Target::Name(name) => self.by_name.get(&self.names.find(name.folded())?)?.iter().find(is_it).copied(),
        }
    }

    /// Those in force about who comes from `addr`, the widest network first.
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

    /// Those in force about a name, or one that looks like it.
    pub fn of_name(&self, name: &Name, now: Now) -> impl Iterator<Item = &Sanction> {
        self.names
            .lookalikes(name)
            .filter_map(|first| self.by_name.get(&first))
            .flatten()
            .filter_map(|id| self.get(*id))
            .filter(move |sanction| sanction.holds(now))
    }

    /// The expulsions from a room, by age.
    pub fn of_room(&self, room: RoomId) -> impl Iterator<Item = &Sanction> {
        self.expulsions.get(&room).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// How many were sent out of that room and may not come again.
    #[must_use]
    pub fn count_of_room(&self, room: RoomId) -> usize {
        self.expulsions.get(&room).map_or(0, BTreeSet::len)
    }

    /// The rooms that somebody was sent out of.
    pub(super) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.expulsions.keys().copied()
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: SanctionId) -> Option<&Sanction> {
        self.all.get(&id).map(|sanction| &**sanction)
    }

    /// All of them, by age.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Sanction> + ExactSizeIterator {
        self.all.values().map(|sanction| &**sanction)
    }

    /// The bans in force, by age.
    pub fn bans(&self, now: Now) -> impl DoubleEndedIterator<Item = &Sanction> {
        self.iter().filter(move |sanction| sanction.kind == Kind::Ban && sanction.holds(now))
    }

    /// Those from that one on, by age.
    pub fn iter_from(&self, first: SanctionId) -> impl Iterator<Item = &Sanction> {
        self.all.range(first..).map(|(_, sanction)| &**sanction)
    }

    /// How many of a kind there are, in force or not; shadow-mutes are mutes.
    #[must_use]
    pub fn count(&self, kind: &Kind) -> usize {
        self.counts.get(&kind.letter()).copied().unwrap_or(0)
    }

    /// How many there are, in force or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them as they are now, without indexes: to be written down.
    pub(super) fn frozen(&self) -> Self {
        Self { next: self.next, all: self.all.clone(), ..Self::default() }
    }

    /// Panics if the indexes disagree.
    pub fn check_invariants(&self) {
        let networks: usize = self.networks.values().flat_map(BTreeMap::values).map(BTreeSet::len).sum();
        assert_eq!(networks, self.iter().map(|one| one.networks().count()).sum::<usize>(), "every network is found");
        let by_name = self.iter().filter(|one| matches!(one.target, Target::Name(_))).count();
        assert_eq!(self.by_name.values().map(BTreeSet::len).sum::<usize>(), by_name, "every name is found");
        assert_eq!(self.names.len(), self.by_name.len(), "every name is looked up");
        assert_eq!(self.counts.values().sum::<usize>(), self.len(), "every kind is counted");
        assert!(self.all.keys().all(|id| id.0 < self.next), "numbers rise");
    }
}

/// As a snapshot has them: the number of the next one, and these, by age.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept<S>(pub u64, pub Vec<S>);

impl Sanctions {
    /// The bans, for a release that knows nothing else, and the rest.
    pub(super) fn kept(&self) -> (Kept<&Sanction>, Kept<&Sanction>) {
        let (bans, others) = self.iter().partition(|sanction| sanction.kind == Kind::Ban);
        (Kept(self.next, bans), Kept(self.next, others))
    }

    /// Those that were kept.
    ///
    /// # Errors
    /// If one has a number that is still to be given.
    pub(super) fn revive(bans: Kept<Sanction>, others: Option<Kept<Sanction>>) -> Result<Self, String> {
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
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::prelude::*;

    fn ban(id: u64, target: Target, until: Option<i64>) -> Sanction {
        let order = Order { until: until.map(Wall), ..Order::about(Kind::Ban, target) };
        Sanction::new(SanctionId(id), order, Author::Uid(0), Wall(0))
    }

    /// As a snapshot keeps them.
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
    fn what_is_written_like_an_address_is_no_name() {
        for text in [
            "192.168.1",
            "10.0.0.256",
            "::g",
            "10.0.0.0/33",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:80",
            "010.0.0.1",
            "10.0.0.*",
            "10.0.0.1-10.0.0.9",
            "42",
        ] {
            assert_eq!(text.parse::<Target>(), Err(NoTarget::Network(text.to_owned())));
        }
        assert_eq!("c4".parse::<Target>(), Err(NoTarget::Id("c4".to_owned())));
        assert!(matches!("ann".parse(), Ok(Target::Name(_))));
        assert!(matches!("127.0.0.1".parse(), Ok(Target::Network(_))));
        // As it was taken by a former release.
        let old: Target = serde_json::from_str(r#"{"Name":"192.168.1"}"#).expect("a ban that was made");
        assert!(matches!(old, Target::Name(_)));
    }

    #[test]
    fn one_family_is_not_the_other() {
        let all: Network = "::/0".parse().expect("a network");
        assert!(all.has("2001:db8::1".parse().expect("an address")));
        assert!(!all.has("192.0.2.1".parse().expect("an address")));
        assert!(!all.has("::ffff:192.0.2.1".parse().expect("an address")), "it is an IPv4 address");
        let all: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(all.has("::ffff:192.0.2.1".parse().expect("an address")));
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

    /// Few bits, so that networks lie in each other.
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

    /// Bit by bit, as the definition says.
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
        fn who_is_kept_out_is_whom_looking_at_each_ban_keeps_out(
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
