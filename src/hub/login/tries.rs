//! How often a password may be tried, by address and by account.

use core::hash::Hasher as _;
use std::time::Duration;

use siphasher::sip::SipHasher24;

use super::super::Hub;
use super::STRANGERS;
use crate::values::id::{AccountId, SessionId};
use crate::values::network::Origin;
use crate::values::time::Now;

impl Hub {
    /// `id` tries the password of `account` once more; or how long that is too soon, and then nothing counts.
    ///
    /// Whoever tries accounts from many addresses is slowed by account. Its owner is not, for that would let
    /// strangers lock them out: not at a place where they have logged in before, nor in a network that is
    /// never shut out.
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

    /// That try does not count.
    pub(super) fn has_not_tried(&mut self, id: SessionId, account: Option<AccountId>) {
        let (origin, every) = (self.origin(id), self.settings.accounts.attempt_every);
        self.logins.by_origin.give_back(origin, every);
        if let Some(account) = account.filter(|account| self.is_stranger(id, *account)) {
            self.logins.by_account.give_back(account, every);
        }
    }

    /// Whether `id` comes from where nobody has logged in to `account` of late.
    pub(super) fn is_stranger(&self, id: SessionId, account: AccountId) -> bool {
        let ip = self.people.sessions[&id].peer.ip();
        let place = self.place(id);
        !self.settings.access.always.iter().any(|network| network.has(ip))
            && self.accounts.get(account).is_none_or(|account| !account.places.contains(&place))
    }

    /// What stands for the address that `id` comes from, with accounts.
    pub(super) fn place(&self, id: SessionId) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        hasher.write(b"place");
        hasher.write(&self.origin(id).bits().to_be_bytes());
        hasher.finish()
    }

    /// Strangers have not tried that account so far. Whether there is one.
    pub(in crate::hub) fn unlock_account(&mut self, id: AccountId) -> bool {
        self.logins.by_account.clear(id);
        self.accounts.get(id).is_some()
    }

    pub(super) fn origin(&self, id: SessionId) -> Origin {
        Origin::of(self.people.sessions[&id].peer.ip())
    }
}
