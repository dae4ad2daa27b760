//! Registered names: accounts, their roles, and who is logged in.
//!
//! The hub has all accounts in memory, and hands out a record of each change. It does not hash
//! passwords itself, and keeps a password no longer than hashing it takes.

use crate::values::fingerprint::Fingerprint;
use crate::values::id::{AccountId, SanctionId};
use core::fmt;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::values::CopyOnWrite;
use crate::values::name::Name;
use crate::values::roster::Roster;
use crate::values::time::Wall;

/// What a client may do. Each role includes the roles before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A client that is not logged in.
    #[default]
    Guest,
    /// A client that is logged in to an account.
    Member,
    /// A client that may moderate in chat, as administrators do over the admin socket.
    Operator,
}

impl Role {
    /// The role's name, as people read it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Member => "member",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hashed password, in the form that says how it was hashed (`$argon2id$…`). `Debug` does not
/// show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hashed(pub Arc<str>);

impl fmt::Debug for Hashed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashed(…)")
    }
}

/// An account: a registered name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The number of the account.
    pub id: AccountId,
    /// The name. Nobody else can bear it, nor a name that looks like it.
    pub name: Name,
    /// The hash of the password. `None`: until an administrator sets a password, only certificates
    /// log in.
    pub hashed: Option<Hashed>,
    /// What the owner may do; never [`Role::Guest`].
    pub role: Role,
    /// When the account was made.
    pub since: Wall,
    /// When somebody last logged in, or was last seen logged in.
    pub seen: Wall,
    /// The places where somebody has logged in, the last one first: keyed hashes, which reveal no
    /// address. A hub with another key does not recognize them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<u64>,
    /// The certificates that log in to the account, the oldest first; at most [`CERTIFICATES`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<Certificate>,
    /// The shadow-mute under which the account was registered: as long as that is in force, the name is not to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unheard: Option<SanctionId>,
}

/// A certificate that logs in to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The fingerprint by which the hub knows the certificate. It belongs to one account.
    pub fingerprint: Fingerprint,
    /// The time at which it was added to the account.
    pub since: Wall,
}

/// The most certificates that log in to one account: one for each of a person's machines.
pub const CERTIFICATES: usize = 5;

/// The most places that one account remembers: at home, at work, on the way, and some to spare. A
/// further place replaces the one that was used least recently.
pub const PLACES: usize = 8;

impl Account {
    /// Remembers that somebody has logged in from `place`.
    pub(super) fn came_from(&mut self, place: u64) {
        self.places.retain(|known| *known != place);
        self.places.insert(0, place);
        self.places.truncate(PLACES);
    }
}

/// All accounts. No two have the same name. No two have names that look alike, unless an earlier
/// release did not know that these names do.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    next: u64,
    accounts: BTreeMap<AccountId, CopyOnWrite<Account>>,
    names: Roster<AccountId>,
    /// The account of each certificate.
    certificates: BTreeMap<Fingerprint, AccountId>,
}

impl Accounts {
    /// The number of the next account.
    #[must_use]
    pub fn next_id(&self) -> AccountId {
        AccountId(self.next.max(1))
    }

    /// Makes sure that the next number is at least this one.
    pub(in crate::hub) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Adds an account, or replaces the account with the same number.
    ///
    /// # Errors
    /// The other account that has this name, or a name that looks like it.
    pub fn put(&mut self, account: Account) -> Result<(), AccountId> {
        let has_name = self.get(account.id).is_some_and(|known| known.name == account.name);
        if !has_name && let Some(other) = self.names.lookalikes(&account.name).find(|other| *other != account.id) {
            return Err(other);
        }
        self.keep(account)
    }

    /// Adds an account that was made before, or replaces the account with the same number. Unlike
    /// [`Self::put`], it allows a name that looks like another account's. A certificate of another
    /// account stays with that account.
    ///
    /// # Errors
    /// The other account that has this name.
    pub(super) fn keep(&mut self, mut account: Account) -> Result<(), AccountId> {
        if let Some(other) = self.names.find(account.name.folded()).filter(|other| *other != account.id) {
            return Err(other);
        }
        self.remove(account.id);
        self.names.keep(&account.name, account.id)?;
        self.next = self.next_id().0.max(account.id.0 + 1);
        account.certificates.retain(|one| match self.certificates.entry(one.fingerprint) {
            Entry::Vacant(free) => *free.insert(account.id) == account.id,
            Entry::Occupied(_) => false,
        });
        self.accounts.insert(account.id, CopyOnWrite::new(account));
        Ok(())
    }

    /// Removes an account and returns it.
    pub fn remove(&mut self, id: AccountId) -> Option<Account> {
        let account = self.accounts.remove(&id)?.into_inner();
        self.names.release(&account.name);
        for one in &account.certificates {
            self.certificates.remove(&one.fingerprint);
        }
        Some(account)
    }

    /// The account of this number.
    #[must_use]
    pub fn get(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id).map(|account| &**account)
    }

    /// The account whose name folds to `folded`.
    #[must_use]
    pub fn find(&self, folded: &str) -> Option<AccountId> {
        self.names.find(folded)
    }

    /// The account that this certificate logs in to.
    #[must_use]
    pub fn of_certificate(&self, certificate: &Fingerprint) -> Option<AccountId> {
        self.certificates.get(certificate).copied()
    }

    /// The accounts that own this name, or one that looks like it.
    pub fn lookalikes(&self, name: &Name) -> impl Iterator<Item = AccountId> {
        self.names.lookalikes(name)
    }

    /// The account that owns this name; if none does, one whose name looks like it.
    #[must_use]
    pub fn owner(&self, name: &Name) -> Option<&Account> {
        self.names.lookalikes(name).next().and_then(|id| self.get(id))
    }

    /// All accounts, the oldest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Account> {
        self.accounts.values().map(|account| &**account)
    }

    /// The accounts from this number on, the oldest first.
    pub fn iter_from(&self, first: AccountId) -> impl Iterator<Item = &Account> {
        self.accounts.range(first..).map(|(_, account)| &**account)
    }

    /// The number of accounts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are no accounts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// A copy of all accounts without indexes, to be written down.
    pub(super) fn frozen(&self) -> Self {
        Self { next: self.next, accounts: self.accounts.clone(), ..Self::default() }
    }

    /// Panics if the indexes do not fit the accounts.
    pub fn check_invariants(&self) {
        self.names.check_invariants();
        assert_eq!(self.names.len(), self.accounts.len(), "every account has one name");
        let shown: Vec<_> = self
            .iter()
            .flat_map(|account| account.certificates.iter().map(|one| (one.fingerprint, account.id)))
            .collect();
        assert_eq!(shown.len(), self.certificates.len(), "every certificate is one account's");
        assert_eq!(shown.into_iter().collect::<BTreeMap<_, _>>(), self.certificates);
        assert!(self.iter().all(|account| account.certificates.len() <= CERTIFICATES));
        assert!(self.accounts.keys().all(|id| id.0 < self.next), "numbers rise");
        assert!(self.accounts.values().all(|account| account.role != Role::Guest), "a guest has no account");
    }
}

impl Serialize for Accounts {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.next, self.accounts.values().collect::<Vec<_>>()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Accounts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (next, accounts): (u64, Vec<Account>) = Deserialize::deserialize(from)?;
        let mut this = Self { next, ..Self::default() };
        for mut account in accounts {
            account.places.truncate(PLACES);
            account.certificates.truncate(CERTIFICATES);
            let id = account.id;
            if id.0 >= next || account.role == Role::Guest {
                return Err(de::Error::custom(format_args!("account {id} cannot be")));
            }
            this.keep(account)
                .map_err(|other| de::Error::custom(format_args!("accounts {id} and {other} have one name")))?;
        }
        Ok(this)
    }
}
