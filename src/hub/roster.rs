//! Who, or which room, bears which name. Two names are one when a reader could take one for the other.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use siphasher::sip::SipHasher13;

use super::name::Name;

/// The names in use. All three indexes always hold the same bearers, each once; a name's text is shared
/// by them and by its bearer. Nothing depends on an order of theirs.
#[derive(Clone, Debug)]
pub struct Roster<T> {
    by_folded: HashMap<Name, T, Keyed>,
    by_skeleton: HashMap<Skeleton, T, Keyed>,
    by_sight: HashMap<Sight, T, Keyed>,
}

/// Hashes names with a key: strangers choose them, and must not know which ones meet in a table.
#[derive(Clone, Copy, Debug)]
struct Keyed([u8; 16]);

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_key(&self.0)
    }
}

macro_rules! keys {
    ($( $(#[doc = $about:literal])+ $key:ident: $spelling:ident; )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        struct $key(Name);

        impl Borrow<str> for $key {
            fn borrow(&self) -> &str {
                self.0.$spelling()
            }
        }

        impl PartialEq for $key {
            fn eq(&self, other: &Self) -> bool {
                self.0.$spelling() == other.0.$spelling()
            }
        }

        impl Eq for $key {}

        impl Hash for $key {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.$spelling().hash(state);
            }
        }
    )+ };
}

keys! {
    /// A name, found by its skeleton.
    Skeleton: skeleton;
    /// A name, found by its sight.
    Sight: sight;
}

/// Without a key: for names that strangers cannot choose by the thousand.
impl<T> Default for Roster<T> {
    fn default() -> Self {
        Self::new([0; 16])
    }
}

impl<T> Roster<T> {
    /// Nobody bears a name yet. `key` is for the tables; nothing that can be seen depends on it.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        let key = Keyed(key);
        Self {
            by_folded: HashMap::with_hasher(key),
            by_skeleton: HashMap::with_hasher(key),
            by_sight: HashMap::with_hasher(key),
        }
    }
}

impl<T: Copy + Ord + std::fmt::Debug> Roster<T> {
    /// Who bears the name that `folded` is the folded form of.
    #[must_use]
    pub fn find(&self, folded: &str) -> Option<T> {
        self.by_folded.get(folded).copied()
    }

    /// Those who bear this name or one that looks like it (see [`Name::looks_like`]).
    pub fn lookalikes(&self, name: &Name) -> impl Iterator<Item = T> {
        [self.by_folded.get(name.folded()), self.by_skeleton.get(name.skeleton()), self.by_sight.get(name.sight())]
            .into_iter()
            .flatten()
            .copied()
    }

    /// Gives `name` to `bearer`.
    ///
    /// # Errors
    /// The one who bears it, or one that looks like it; nothing is changed then.
    pub fn claim(&mut self, name: &Name, bearer: T) -> Result<(), T> {
        if let Some(other) = self.lookalikes(name).next() {
            return Err(other);
        }
        self.by_folded.insert(name.clone(), bearer);
        self.by_skeleton.insert(Skeleton(name.clone()), bearer);
        self.by_sight.insert(Sight(name.clone()), bearer);
        Ok(())
    }

    /// Takes `name` back.
    pub fn release(&mut self, name: &Name) {
        self.by_folded.remove(name.folded());
        self.by_skeleton.remove(name.skeleton());
        self.by_sight.remove(name.sight());
    }

    /// How many names are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_folded.len()
    }

    /// Whether no name is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_folded.is_empty()
    }

    /// Panics if the indexes disagree.
    pub fn check_invariants(&self) {
        let sorted = |ids: &mut dyn Iterator<Item = &T>| {
            let mut ids: Vec<T> = ids.copied().collect();
            ids.sort_unstable();
            ids
        };
        let ids = sorted(&mut self.by_folded.values());
        assert_eq!(ids, sorted(&mut self.by_skeleton.values()), "the indexes hold different bearers");
        assert_eq!(ids, sorted(&mut self.by_sight.values()), "the indexes hold different bearers");
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "somebody bears two names");
    }
}
