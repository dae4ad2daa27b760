//! Which handshakes are under way, and which of them gives way when there are too many. Knows
//! neither a clock nor sockets.

use std::collections::{BTreeMap, BTreeSet};

use chathub::values::network::Origin;

/// The most handshakes at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// In all.
    pub(crate) all: usize,
    /// From one address.
    pub(crate) each: usize,
}

/// Why a handshake had to give way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// There were too many in all.
    All,
    /// There were too many from its address.
    Address,
}

/// All handshakes that are under way.
#[derive(Debug)]
pub(crate) struct Room {
    limits: Limits,
    next: u64,
    inside: BTreeMap<u64, Origin>,
    /// The numbers of the handshakes under way, by the client's address.
    of: BTreeMap<Origin, BTreeSet<u64>>,
}

impl Room {
    /// An empty room.
    pub(crate) const fn new(limits: Limits) -> Self {
        Self { limits, next: 0, inside: BTreeMap::new(), of: BTreeMap::new() }
    }

    /// Adds a handshake of a connection from `origin`. Returns its number, and the handshake that
    /// gives way for it: the oldest of the same address if that has too many, or else the oldest of
    /// all if there are too many in all.
    pub(crate) fn enter(&mut self, origin: Origin) -> (u64, Option<(u64, Full)>) {
        let own = self.of.get(&origin).filter(|own| own.len() >= self.limits.each).and_then(BTreeSet::first);
        let leaves = match own {
            Some(oldest) => Some((*oldest, Full::Address)),
            None if self.inside.len() >= self.limits.all => {
                self.inside.keys().next().map(|oldest| (*oldest, Full::All))
            }
            None => None,
        };
        if let Some((oldest, _)) = leaves {
            self.leave(oldest);
        }
        let number = self.next;
        self.next += 1;
        self.inside.insert(number, origin);
        self.of.entry(origin).or_default().insert(number);
        (number, leaves)
    }

    /// Removes a handshake. Does nothing if it has left already.
    pub(crate) fn leave(&mut self, number: u64) {
        let Some(origin) = self.inside.remove(&number) else { return };
        if let Some(own) = self.of.get_mut(&origin) {
            own.remove(&number);
            if own.is_empty() {
                self.of.remove(&origin);
            }
        }
    }

    /// How many handshakes are under way.
    pub(crate) fn len(&self) -> usize {
        self.inside.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(addr: &str) -> Origin {
        Origin::of(addr.parse().expect(addr))
    }

    #[test]
    fn the_oldest_of_an_address_gives_way_and_nobody_else() {
        let mut room = Room::new(Limits { all: 10, each: 2 });
        let (other, _) = room.enter(from("192.0.2.1"));
        let (first, none) = room.enter(from("192.0.2.2"));
        let (second, nobody) = room.enter(from("::ffff:192.0.2.2"));
        assert_eq!((none, nobody), (None, None));
        assert_eq!(room.enter(from("192.0.2.2")).1, Some((first, Full::Address)));
        room.leave(second);
        assert_eq!(room.enter(from("192.0.2.2")).1, None, "there is one place again");
        room.leave(other);
        assert_eq!(room.len(), 2);
    }

    #[test]
    fn a_network_of_64_bits_counts_as_one_address() {
        let mut room = Room::new(Limits { all: 10, each: 1 });
        let (first, _) = room.enter(from("2001:db8::1"));
        assert_eq!(room.enter(from("2001:db8:0:1::1")).1, None);
        assert_eq!(room.enter(from("2001:db8::ffff:1")).1, Some((first, Full::Address)));
    }

    #[test]
    fn the_oldest_of_all_gives_way_when_it_is_full() {
        let mut room = Room::new(Limits { all: 3, each: 2 });
        let numbers: Vec<_> = (1..=3).map(|last| room.enter(from(&format!("192.0.2.{last}"))).0).collect();
        assert_eq!(room.enter(from("192.0.2.4")).1, Some((numbers[0], Full::All)));
        // An address that already has some of the places takes the oldest of all as well.
        let (own, gave) = room.enter(from("192.0.2.4"));
        assert_eq!(gave, Some((numbers[1], Full::All)));
        assert_eq!(room.enter(from("192.0.2.4")).1.map(|(_, full)| full), Some(Full::Address));
        room.leave(own);
        room.leave(own);
        assert_eq!(room.len(), 2);
    }

    #[test]
    fn there_are_never_more_than_the_limits_say() {
        let mut room = Room::new(Limits { all: 7, each: 3 });
        let mut dice = 1_u64;
        let mut inside = Vec::new();
        for _ in 0..10_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if dice >> 33 & 3 == 0 && !inside.is_empty() {
                room.leave(inside.remove(usize::try_from(dice >> 40).expect("small") % inside.len()));
            } else {
                let (number, gone) = room.enter(from(&format!("192.0.2.{}", dice >> 40 & 3)));
                inside.retain(|one| gone.is_none_or(|(gone, _)| gone != *one));
                inside.push(number);
            }
            assert!(room.len() == inside.len() && inside.len() <= 7);
            assert!(room.of.values().all(|own| (1..=3).contains(&own.len())));
        }
    }
}
