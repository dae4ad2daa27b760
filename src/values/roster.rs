//! Who, or which room, bears which name. Two names are one when a reader could take one for the other.

use std::hash::{Hash as _, Hasher as _};

use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

use super::name::Name;

/// How names are looked up: two that share one of these are one.
const SPELLINGS: [fn(&Name) -> &str; 3] = [Name::folded, Name::skeleton, Name::sight];

/// The names in use: an index for each of the `SPELLINGS`. All of them always hold the same bearers, each
/// once; a name's text is shared by them and by its bearer. Nothing depends on an order of theirs.
#[derive(Clone, Debug)]
pub struct Roster<T> {
    /// Of the hashes: strangers choose names, and must not know which ones meet in an index.
    key: [u8; 16],
    indexes: [HashTable<Entry<T>>; 3],
}

#[derive(Clone, Debug)]
struct Entry<T> {
    /// Kept, so that an index that grows looks at no name again: with ten thousand of them all would wait
    /// for milliseconds.
    hash: u64,
    name: Name,
    bearer: T,
}

/// Without a key: for names that strangers cannot choose by the thousand.
impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self::new([0; 16])
    }
}

impl<T> Roster<T> {
    /// Nobody bears a name yet. `key` is for the indexes; nothing that can be seen depends on it.
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

    /// Who bears the name that `folded` is the folded form of.
    #[must_use]
    pub fn find(&self, folded: &str) -> Option<T> {
        let entry = self.indexes[0].find(self.hash(folded), |entry| entry.name.folded() == folded);
        entry.map(|entry| entry.bearer)
    }

    /// Those who bear this name or one that looks like it (see [`Name::looks_like`]).
    pub fn lookalikes(&self, name: &Name) -> impl Iterator<Item = T> {
        self.hashed_lookalikes(name, self.hashes(name))
    }

    fn hashes(&self, name: &Name) -> [u64; 3] {
        SPELLINGS.map(|spelling| self.hash(spelling(name)))
    }

    fn hashed_lookalikes(&self, name: &Name, hashes: [u64; 3]) -> impl Iterator<Item = T> {
        let spelled = self.indexes.iter().zip(SPELLINGS).zip(hashes);
        spelled.filter_map(|((index, spelling), hash)| {
            let entry = index.find(hash, |entry| spelling(&entry.name) == spelling(name));
            entry.map(|entry| entry.bearer)
        })
    }

    /// Gives `name` to `bearer`.
    ///
    /// # Errors
    /// The one who bears it, or one that looks like it; nothing is changed then.
    pub fn claim(&mut self, name: &Name, bearer: T) -> Result<(), T> {
        let hashes = self.hashes(name);
        if let Some(other) = self.hashed_lookalikes(name, hashes).next() {
            return Err(other);
        }
        for (index, hash) in self.indexes.iter_mut().zip(hashes) {
            index.insert_unique(hash, Entry { hash, name: name.clone(), bearer }, |entry| entry.hash);
        }
        Ok(())
    }

    /// Takes `name` back.
    pub fn release(&mut self, name: &Name) {
        let hashes = self.hashes(name);
        for ((index, spelling), hash) in self.indexes.iter_mut().zip(SPELLINGS).zip(hashes) {
            if let Ok(entry) = index.find_entry(hash, |entry| spelling(&entry.name) == spelling(name)) {
                entry.remove();
            }
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
