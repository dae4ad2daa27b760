//! Who is kept out: bans by network and by name.
//!
//! A ban ends by the clock on the wall, so that it ends at the same time however often the daemon is
//! restarted. Looking whether somebody is banned costs as many steps as there are lengths of prefixes
//! in use, not as there are bans.

use crate::values::id::BanId;
use crate::values::network::Network;
use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::values::CopyOnWrite;
use crate::values::name::{self, InvalidName, Name};
use crate::values::roster::Roster;
use crate::values::time::Wall;

/// Whom a ban is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Whoever comes from there.
    Network(Network),
    /// Whoever bears that name, or one that looks like it, or is logged in to the account that owns it.
    Name(Name),
}

/// Why a text is nobody whom a ban could be about.
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

/// Who made a ban.
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

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Its number.
    pub id: BanId,
    /// Whom it is about.
    pub target: Target,
    /// Why; told to those it keeps out.
    pub reason: Option<Arc<str>>,
    /// Who made it.
    pub by: Author,
    /// Since when.
    pub since: Wall,
    /// Until when; `None`: until it is lifted.
    pub until: Option<Wall>,
}

impl Ban {
    /// Whether it is in force at `now`.
    #[must_use]
    pub fn holds(&self, now: Wall) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// All bans. Each network has one at most, and each name with those that look like it.
#[derive(Clone, Debug, Default)]
pub struct Bans {
    next: u64,
    bans: BTreeMap<BanId, CopyOnWrite<Ban>>,
    /// By family and length of the prefix, then by the prefix.
    networks: BTreeMap<(bool, u8), BTreeMap<u128, BanId>>,
    names: Roster<BanId>,
}

impl Bans {
    /// The number for the next ban.
    #[must_use]
    pub fn next_id(&self) -> BanId {
        BanId(self.next.max(1))
    }

    /// From now on, numbers are no lower than this.
    pub(super) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Adds a ban; one that was about the same is replaced, and returned.
    pub fn add(&mut self, ban: Ban) -> Option<Ban> {
        let former = self.about(&ban.target).and_then(|id| self.remove(id));
        self.keep(ban);
        former
    }

    /// Adds a ban that was made before, beside all others: also if its name looks like another's by now.
    pub(super) fn keep(&mut self, ban: Ban) {
        self.next = self.next_id().0.max(ban.id.0 + 1);
        match &ban.target {
            Target::Network(Network { is_v6, length, bits }) => {
                self.networks.entry((*is_v6, *length)).or_default().insert(*bits, ban.id);
            }
            Target::Name(name) => {
                if let Some(same) = self.names.find(name.folded()) {
                    self.remove(same);
                }
                self.names.keep(name, ban.id).expect("nobody bears it any more");
            }
        }
        self.bans.insert(ban.id, CopyOnWrite::new(ban));
    }

    /// Lifts a ban.
    pub fn remove(&mut self, id: BanId) -> Option<Ban> {
        let ban = self.bans.remove(&id)?.into_inner();
        match &ban.target {
            Target::Network(Network { is_v6, length, bits }) => {
                let key = (*is_v6, *length);
                if let Some(networks) = self.networks.get_mut(&key) {
                    networks.remove(bits);
                    if networks.is_empty() {
                        self.networks.remove(&key);
                    }
                }
            }
            Target::Name(name) => self.names.release(name),
        }
        Some(ban)
    }

    /// Lets go of those that have ended, and says which.
    pub fn expire(&mut self, now: Wall) -> Vec<BanId> {
        let over: Vec<_> = self.bans.values().filter(|ban| !ban.holds(now)).map(|ban| ban.id).collect();
        for id in &over {
            self.remove(*id);
        }
        over
    }

    /// The ban that is about that and nothing else.
    #[must_use]
    pub fn about(&self, target: &Target) -> Option<BanId> {
        match target {
            Target::Network(Network { is_v6, length, bits }) => {
                self.networks.get(&(*is_v6, *length))?.get(bits).copied()
            }
            Target::Name(name) => self.names.lookalikes(name).next(),
        }
    }

    /// The bans that keep out who comes from `addr`, the widest network first.
    pub fn of_address(&self, addr: IpAddr, now: Wall) -> impl Iterator<Item = &Ban> {
        let addr = addr.to_canonical();
        self.networks
            .iter()
            .filter(move |((is_v6, _), _)| *is_v6 == addr.is_ipv6())
            .filter_map(move |((_, length), networks)| networks.get(&Network::new(addr, *length)?.bits))
            .filter_map(|id| self.get(*id))
            .filter(move |ban| ban.holds(now))
    }

    /// The ban on a name.
    #[must_use]
    pub fn of_name(&self, name: &Name, now: Wall) -> Option<&Ban> {
        self.names.lookalikes(name).filter_map(|id| self.get(id)).find(|ban| ban.holds(now))
    }

    /// One ban.
    #[must_use]
    pub fn get(&self, id: BanId) -> Option<&Ban> {
        self.bans.get(&id).map(|ban| &**ban)
    }

    /// All of them, by age.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Ban> {
        self.bans.values().map(|ban| &**ban)
    }

    /// Those from that one on, by age.
    pub fn iter_from(&self, first: BanId) -> impl Iterator<Item = &Ban> {
        self.bans.range(first..).map(|(_, ban)| &**ban)
    }

    /// How many there are, in force or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bans.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bans.is_empty()
    }

    /// All of them as they are now, without indexes: to be written down.
    pub(super) fn frozen(&self) -> Self {
        Self { next: self.next, bans: self.bans.clone(), ..Self::default() }
    }

    /// Panics if the indexes disagree.
    pub fn check_invariants(&self) {
        let networks: usize = self.networks.values().map(BTreeMap::len).sum();
        let (by_network, by_name): (Vec<&Ban>, Vec<&Ban>) =
            self.iter().partition(|ban| matches!(ban.target, Target::Network(_)));
        assert_eq!(networks, by_network.len(), "every network has its ban");
        assert!(self.names.len() <= by_name.len(), "every name has its ban");
        assert!(self.bans.keys().all(|id| id.0 < self.next), "numbers rise");
    }
}

impl Serialize for Bans {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.next, self.bans.values().collect::<Vec<_>>()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Bans {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (next, bans): (u64, Vec<Ban>) = Deserialize::deserialize(from)?;
        let mut this = Self { next, ..Self::default() };
        for ban in bans {
            if ban.id.0 >= next {
                return Err(de::Error::custom(format_args!("ban {} is newer than the newest", ban.id)));
            }
            this.keep(ban);
        }
        Ok(this)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{Ipv4Addr, Ipv6Addr};
    use proptest::prelude::*;

    fn ban(id: u64, target: Target, until: Option<i64>) -> Ban {
        Ban { id: BanId(id), target, reason: None, by: Author::Uid(0), since: Wall(0), until: until.map(Wall) }
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
        let mut bans = Bans::default();
        let target = Target::Network("192.0.2.0/24".parse().expect("a network"));
        bans.add(ban(1, target.clone(), Some(5)));
        let name = |text| Target::Name(Name::parse(text, 24).expect("a name"));
        bans.add(ban(2, name("paypal"), None));
        assert_eq!(bans.add(ban(3, target, None)).map(|ban| ban.id), Some(BanId(1)));
        assert!(bans.of_name(&Name::parse("paypaI", 24).expect("a name"), Wall(0)).is_some(), "it looks like it");
        assert_eq!(bans.add(ban(4, name("PAYPAL"), None)).map(|ban| ban.id), Some(BanId(2)));
        assert_eq!(bans.len(), 2);
        assert_eq!(bans.next_id(), BanId(5));
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
            let mut bans = Bans::default();
            let mut model: Vec<(Network, BanId, Option<i64>)> = Vec::new();
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
            let again: Bans = serde_json::from_str(&serde_json::to_string(&bans).expect("plain")).expect("the same");
            for addr in addresses {
                let mut expected: Vec<BanId> = model
                    .iter()
                    .filter(|(network, _, until)| {
                        is_in(&network.to_string(), addr) && until.is_none_or(|until| now < until)
                    })
                    .map(|(_, id, _)| *id)
                    .collect();
                expected.sort_unstable();
                for bans in [&bans, &again] {
                    let mut found: Vec<BanId> = bans.of_address(addr, Wall(now)).map(|ban| ban.id).collect();
                    found.sort_unstable();
                    prop_assert_eq!(&found, &expected, "{} of {:?}", addr, model);
                }
            }
            bans.expire(Wall(now));
            prop_assert!(bans.iter().all(|ban| ban.holds(Wall(now))));
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
