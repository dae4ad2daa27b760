//! The roster: the index from names to their bearers, such as people, rooms or accounts. Names that
//! a reader could mistake for each other count as one.
//!
//! Nobody can take a name that looks like one in use. Two names that look alike can still both be
//! in use: both were taken under an earlier release, which did not know that they look alike, and a
//! name that was taken stays its bearer's.

use std::hash::{Hash as _, Hasher as _};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use super::name::Name;

/// The spellings by which names are indexed: two names that look alike share at least one of these.
const SPELLINGS: [fn(&Name) -> &str; 5] =
    [Name::folded, Name::skeleton, Name::sight, Name::bare_skeleton, Name::bare_sight];

/// From this many names with a common spelling on, all of them count as alike, even those whose
/// letters readers tell apart (see [`Name::looks_like`]). So no crowd can make each look-up compare
/// many names.
const MOST_TOLD_APART: usize = 16;

/// The names in use: one hash table for each of the `SPELLINGS`. Each table holds every bearer
/// once, and all of them share the text of the name. Nothing depends on the order of a hash table.
#[derive(Clone, Debug)]
pub struct Roster<T> {
    /// The secret key of the hashes: strangers choose names, and must not be able to make names
    /// collide.
    key: [u8; 16],
    indexes: [HashTable<Entry<T>>; SPELLINGS.len()],
}

#[derive(Clone, Debug)]
struct Entry<T> {
    /// The hash of this table's spelling. It is kept so that a growing table need not hash all
    /// names again, which would take milliseconds for ten thousand names.
    hash: u64,
    name: Name,
    bearer: T,
}

/// A roster whose hash key is zero, for names that strangers cannot choose by the thousand.
impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self::new([0; 16])
    }
}

impl<T> Roster<T> {
    /// An empty roster. `key` is the secret key of its hashes; nothing visible depends on it.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self { key, indexes: std::array::from_fn(|_| HashTable::new()) }
    }
}

impl<T: Copy + Ord + std::fmt::Debug> Roster<T> {
    fn hash(&self, spelling: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        spelling.hash(&mut hasher);
        hasher.finish()
    }

    /// The bearer of the name whose folded form is `folded`. A tsheg, the Tibetan mark between
    /// syllables (U+0F0B), is ignored at the end of `folded`: no name ends in one, but people may
    /// type it.
    #[must_use]
    pub fn find(&self, folded: &str) -> Option<T> {
        let folded = folded.trim_end_matches('\u{F0B}');
        let entry = self.indexes[0].find(self.hash(folded), |entry| entry.name.folded() == folded);
        entry.map(|entry| entry.bearer)
    }

    /// The bearers of this name and of names that look like it (see [`Name::looks_like`]): first
    /// the bearer of the name itself, then the others in rising order.
    pub fn lookalikes(&self, name: &Name) -> impl Iterator<Item = T> {
        self.hashed_lookalikes(name, self.hashes(name)).into_iter()
    }

    fn hashes(&self, name: &Name) -> [u64; SPELLINGS.len()] {
        SPELLINGS.map(|spelling| self.hash(spelling(name)))
    }

    fn hashed_lookalikes(&self, name: &Name, hashes: [u64; SPELLINGS.len()]) -> Vec<T> {
        let mut sharing: Vec<&Entry<T>> = Vec::new();
        for ((index, spelling), hash) in self.indexes.iter().zip(SPELLINGS).zip(hashes) {
            sharing.extend(index.iter_hash(hash).filter(|entry| spelling(&entry.name) == spelling(name)));
        }
        sharing.sort_unstable_by_key(|entry| (entry.name != *name, entry.bearer));
        sharing.dedup_by_key(|entry| entry.bearer);
        let too_many = sharing.len() >= MOST_TOLD_APART;
        let alike = sharing.into_iter().filter(|entry| too_many || entry.name.looks_like(name));
        alike.map(|entry| entry.bearer).collect()
    }

    /// Gives `name` to `bearer`, who must have no name yet.
    ///
    /// # Errors
    /// The bearer of that name, or of a name that looks like it; nothing is changed.
    pub fn claim(&mut self, name: &Name, bearer: T) -> Result<(), T> {
        let hashes = self.hashes(name);
        match self.hashed_lookalikes(name, hashes).first() {
            Some(other) => Err(*other),
            None => {
                self.insert(name, hashes, bearer);
                Ok(())
            }
        }
    }

    /// Gives `name` back to `bearer`, who had it in an earlier process or on disk, even if it looks
    /// like another name by the rules of this release.
    ///
    /// # Errors
    /// Another bearer of the same name; nothing is changed.
    pub fn keep(&mut self, name: &Name, bearer: T) -> Result<(), T> {
        if let Some(other) = self.find(name.folded()) {
            return Err(other);
        }
        self.insert(name, self.hashes(name), bearer);
        Ok(())
    }

    fn insert(&mut self, name: &Name, hashes: [u64; SPELLINGS.len()], bearer: T) {
        for (index, hash) in self.indexes.iter_mut().zip(hashes) {
            index.insert_unique(hash, Entry { hash, name: name.clone(), bearer }, |entry| entry.hash);
        }
    }

    /// Removes `name` from the roster: others may take it.
    pub fn release(&mut self, name: &Name) {
        let hashes = self.hashes(name);
        for (index, hash) in self.indexes.iter_mut().zip(hashes) {
            if let Ok(entry) = index.find_entry(hash, |entry| entry.name == *name) {
                entry.remove();
            }
        }
    }

    /// Removes the name whose folded form is `folded`: others may take it.
    pub fn release_folded(&mut self, folded: &str) {
        let name = self.indexes[0].find(self.hash(folded), |entry| entry.name.folded() == folded);
        if let Some(name) = name.map(|entry| entry.name.clone()) {
            self.release(&name);
        }
    }

    /// How many names are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indexes[0].len()
    }

    /// Whether no name is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Panics if the indexes disagree.
    pub fn check_invariants(&self) {
        let [ids, others @ ..] = self.indexes.each_ref().map(|index| {
            let mut ids: Vec<T> = index.iter().map(|entry| entry.bearer).collect();
            ids.sort_unstable();
            ids
        });
        assert!(others.iter().all(|other| *other == ids), "the indexes hold different bearers");
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "somebody bears two names");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text, 24).expect("a name")
    }

    #[test]
    fn names_that_were_taken_when_they_did_not_look_alike_stay() {
        let mut roster = Roster::default();
        assert_eq!(roster.keep(&name("paypai"), 1), Ok(()));
        assert_eq!(roster.keep(&name("paypaI"), 2), Err(1), "it is the same");
        for (text, bearer) in [("ilya", 7), ("llya", 5), ("1lya", 6)] {
            assert_eq!(roster.keep(&name(text), bearer), Ok(()), "{text}");
        }
        roster.check_invariants();
        assert_eq!(roster.lookalikes(&name("1lya")).collect::<Vec<_>>(), [6, 5], "its bearer first, then by age");
        assert_eq!(roster.lookalikes(&name("Ilya")).collect::<Vec<_>>(), [7, 5, 6]);
        assert_eq!(roster.claim(&name("I1ya"), 8), Err(5), "and nobody takes another");
        roster.release(&name("llya"));
        roster.check_invariants();
        assert_eq!(roster.lookalikes(&name("llya")).collect::<Vec<_>>(), [6]);
        assert_eq!(roster.find("1lya"), Some(6));
    }

    #[test]
    fn letters_that_are_told_apart_make_no_crowd() {
        let letters = ['ค', 'ด', 'ต'];
        let mut roster = Roster::default();
        let mut taken = 0;
        for number in 0..81_usize {
            let text: String = (0..4).map(|at| letters[number / 3_usize.pow(at) % 3]).collect();
            let is_taken = roster.claim(&name(&text), number).is_ok();
            taken += usize::from(is_taken);
            assert_eq!(is_taken, number < MOST_TOLD_APART, "{text}");
        }
        assert_eq!((taken, roster.len()), (MOST_TOLD_APART, MOST_TOLD_APART));
        roster.check_invariants();
    }
}
