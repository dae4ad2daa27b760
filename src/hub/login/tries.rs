//! How often a password may be tried, from one address and for one account.

use core::hash::Hasher as _;
use std::time::Duration;

use siphasher::sip::SipHasher24;

use super::super::Hub;
use super::STRANGERS;
use crate::values::id::{AccountId, SessionId};
use crate::values::network::Origin;
use crate::values::time::Now;

impl Hub {
    /// Counts one try of `id` at the password of `account`.
    ///
    /// Each address may try a limited number of times. Strangers together also have a limit for
    /// each account, so that guessing from many addresses is slow. So that strangers cannot lock
    /// out the owner, only the address counts at a place where the owner has logged in before, and
    /// in a network of `access.always`.
    ///
    /// # Errors
    /// The time to wait; the try does not count then.
    pub(super) fn may_try(&mut self, id: SessionId, account: Option<AccountId>, now: Now) -> Result<(), Duration> {
        let (burst, every) = (self.settings.accounts.attempts, self.settings.accounts.attempt_every);
        let origin = self.origin(id);
        self.logins.by_origin.take(origin, burst, every, now.mono)?;
        let Some(account) = account.filter(|account| self.is_stranger(id, *account)) else { return Ok(()) };
        let taken = self.logins.by_account.take(account, burst.saturating_mul(STRANGERS), every, now.mono);
        if taken.is_err() {
            self.logins.by_origin.give_back(origin, every);
        }
        taken
    }

    /// Gives back a try that [`Self::may_try`] has counted.
    pub(super) fn has_not_tried(&mut self, id: SessionId, account: Option<AccountId>) {
        let (origin, every) = (self.origin(id), self.settings.accounts.attempt_every);
        self.logins.by_origin.give_back(origin, every);
        if let Some(account) = account.filter(|account| self.is_stranger(id, *account)) {
            self.logins.by_account.give_back(account, every);
        }
    }

    /// Whether `id` comes from a place where nobody has logged in to `account` recently, and which
    /// is outside `access.always`.
    pub(super) fn is_stranger(&self, id: SessionId, account: AccountId) -> bool {
        let ip = self.people.sessions[&id].peer.ip();
        let place = self.place(id);
        !self.settings.access.always.iter().any(|network| network.has(ip))
            && self.accounts.get(account).is_none_or(|account| !account.places.contains(&place))
    }

    /// The place that `id` comes from, as accounts store it: a keyed hash of its origin.
    pub(in crate::hub) fn place(&self, id: SessionId) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(b"place");
        hasher.write(&self.origin(id).bits().to_be_bytes());
        hasher.finish()
    }

    /// Forgets the tries of strangers at an account. Returns whether the account exists.
    pub(in crate::hub) fn unlock_account(&mut self, id: AccountId) -> bool {
        self.logins.by_account.clear(id);
        self.accounts.get(id).is_some()
    }

    pub(super) fn origin(&self, id: SessionId) -> Origin {
        Origin::of(self.people.sessions[&id].peer.ip())
    }
}
