//! Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371): for one allowance, and for a
//! table of them.
//!
//! An allowance is stored as one number, called `full` here: the time at which the whole burst may
//! be used again. Each use moves `full` forward by its cost. A use is too early if `full` would
//! then be more than a burst ahead of now. All times of one call are in one unit, which the caller
//! chooses: microseconds of [`Mono`]'s clock, or nanoseconds where single bytes are counted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::Mono;

/// Charges `cost` at the time `now`, even if that is too early. `full` is the time at which the
/// whole burst is free again; returns its new value.
#[must_use]
pub fn charge(full: u64, now: u64, cost: u64) -> u64 {
    full.max(now).saturating_add(cost)
}

/// Charges `cost` at the time `now`, unless that is too early: at most `burst` may be used at once.
/// Returns the new `full`.
///
/// # Errors
/// How long to wait until the same call would succeed; nothing is charged.
pub fn take(full: u64, now: u64, cost: u64, burst: u64) -> Result<u64, u64> {
    let full = charge(full, now, cost);
    match full.saturating_sub(now.saturating_add(burst)) {
        0 => Ok(full),
        early => Err(early),
    }
}

/// Like [`take`], for something that may happen `burst` times at once, and then once every `every`.
///
/// # Errors
/// How long to wait until the same call would succeed.
pub fn take_one(full: Mono, now: Mono, every: Duration, burst: u32) -> Result<Mono, Duration> {
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    take(full.0, now.0, micros(every), micros(every.saturating_mul(burst))).map(Mono).map_err(Duration::from_micros)
}

/// The most keys in an [`Allowance`]. A new key beyond that replaces the key whose whole burst is
/// free again soonest.
pub const KNOWN: usize = 4096;

/// Makes room for one more entry in `known` if it holds `most` entries or more. `over` tells when
/// an entry ends. All entries that have ended by `now` are removed; if there are none, the entry
/// that ends soonest is.
pub fn make_room<K: Ord + Copy, V>(known: &mut BTreeMap<K, V>, most: usize, now: Mono, over: impl Fn(&V) -> Mono) {
    if known.len() < most {
        return;
    }
    known.retain(|_, value| over(value) > now);
    if known.len() >= most
        && let Some(soonest) = known.iter().min_by_key(|(_, value)| over(value)).map(|(key, _)| *key)
    {
        known.remove(&soonest);
    }
}

/// One allowance for each of many keys, such as addresses: at most [`KNOWN`] keys.
#[derive(Clone, Debug)]
pub struct Allowance<K>(BTreeMap<K, Mono>);

impl<K> Default for Allowance<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Copy> Allowance<K> {
    /// Counts one use by `key`: `burst` uses are allowed at once, and then one every `every`.
    ///
    /// # Errors
    /// How long `key` has to wait; the use is not counted.
    pub fn take(&mut self, key: K, burst: u32, every: Duration, now: Mono) -> Result<(), Duration> {
        let full = take_one(self.0.get(&key).copied().unwrap_or_default(), now, every, burst)?;
        if !self.0.contains_key(&key) {
            make_room(&mut self.0, KNOWN, now, |full| *full);
        }
        self.0.insert(key, full);
        Ok(())
    }

    /// Forgets `key`: its whole burst may be used again.
    pub fn clear(&mut self, key: K) {
        self.0.remove(&key);
    }

    /// Gives back one use that was counted for `key`; `every` must be as it was in
    /// [`take`](Self::take).
    pub fn give_back(&mut self, key: K, every: Duration) {
        if let Some(full) = self.0.get_mut(&key) {
            *full = Mono(full.0.saturating_sub(u64::try_from(every.as_micros()).unwrap_or(u64::MAX)));
        }
    }

    /// How many keys are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Serialize> Serialize for Allowance<K> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter())
    }
}

impl<'de, K: DeserializeOwned + Ord> Deserialize<'de> for Allowance<K> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(Vec::deserialize(from)?.into_iter().take(KNOWN).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_in_each_time_and_nothing_is_used_by_what_is_too_early() {
        let (second, start) = (Duration::from_secs(1), Mono(5_000_000));
        let mut full = Mono(0);
        for _ in 0..3 {
            full = take_one(full, start, second, 3).expect("the burst");
        }
        assert_eq!(take_one(full, start, second, 3), Err(second));
        assert_eq!(take_one(full, start.after(second / 4), second, 3), Err(second * 3 / 4));
        full = take_one(full, start.after(second), second, 3).expect("one more");
        assert_eq!(full, start.after(second * 4));
        assert_eq!(take(u64::MAX, 1, 1, 1), Err(u64::MAX - 2), "nothing overflows");
    }

    #[test]
    fn of_too_many_keys_the_one_that_is_over_soonest_is_forgotten() {
        let (mut allowance, second, now) = (Allowance::default(), Duration::from_secs(1), Mono(1));
        for key in 0..KNOWN {
            allowance.take(key, 9, second, now).expect("the first");
        }
        for key in 1..KNOWN {
            allowance.take(key, 9, second, now).expect("the second");
        }
        allowance.take(KNOWN, 9, second, now).expect("one too many");
        assert_eq!(allowance.len(), KNOWN);
        assert!(!allowance.0.contains_key(&0));
    }
}
