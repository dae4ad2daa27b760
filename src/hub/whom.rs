//! How a typed text becomes the target of a sanction. It can also name people who have left, and
//! names that today's rules forbid.

use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};

use super::Hub;
use super::leavers::Leaver;
use super::sanction::{Kind, NoTarget, Order, Sanction, Target};
use crate::values::id::{SanctionId, SessionId};
use crate::values::name::pattern::Pattern;
use crate::values::name::{self, Name};
use crate::values::time::Now;

/// Reads a client number in the form `c4`.
#[must_use]
pub fn client(text: &str) -> Option<SessionId> {
    let digits = text.strip_prefix(['c', 'C'])?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok().map(SessionId))?
}

impl Hub {
    /// The target that this text names: see [`Target::from_str`](core::str::FromStr). A name that
    /// nobody may take is still a target if somebody bears it, or bore it when they left recently:
    /// it is older than the rule.
    ///
    /// # Errors
    /// The reason why the text is no target.
    pub fn target(&self, text: &str, now: Now) -> Result<Target, NoTarget> {
        text.parse().or_else(|why| self.known_name(text, now).map(Target::Name).ok_or(why))
    }

    /// As [`Self::target`], but the text can only be a name.
    ///
    /// # Errors
    /// The reason why the text is no name.
    pub fn target_by_name(&self, text: &str, now: Now) -> Result<Target, NoTarget> {
        Target::of_name(text).or_else(|why| self.known_name(text, now).map(Target::Name).ok_or(why))
    }

    /// The name that folds like `text`, if a person here, an account or a recent leaver has it.
    pub(super) fn known_name(&self, text: &str, now: Now) -> Option<Name> {
        let folded = name::fold(text);
        let here = || self.find(text).and_then(|id| self.session(id)).map(|session| session.nick.clone());
        let account = || self.accounts.get(self.accounts.find(&folded)?).map(|account| account.name.clone());
        let left = || self.moderation.leavers.find(&folded, None, now.mono).map(|leaver| leaver.nick.clone());
        here().or_else(account).or_else(left).filter(|name| name.folded() == folded)
    }

    /// The order that keeps a client which has left from `kind`: see [`Order::about_one`].
    #[must_use]
    pub fn order_of_leaver(&self, leaver: &Leaver, kind: Kind) -> Order {
        let account = leaver.account.and_then(|account| self.accounts.get(account));
        Order::about_one(kind, account.map(|account| account.name.clone()), &leaver.nick, leaver.addr)
    }

    /// The sanctions in force about a client that has left, in the order of their numbers.
    #[must_use]
    pub fn sanctions_of_leaver<'a>(&'a self, leaver: &Leaver, now: Now) -> Vec<&'a Sanction> {
        let account = leaver.account.and_then(|account| self.accounts.get(account)).map(|account| &account.name);
        let names = [Some(&leaver.nick), account].into_iter().flatten().chain(&leaver.former);
        self.sanctions_about(names, Some(leaver.addr), now)
    }

    /// The sanctions in force about one of these names or this address, in the order of their
    /// numbers. Without an address, also those made for a person of one of these names, such as a
    /// ban of that person's address.
    #[must_use]
    pub fn sanctions_about<'a, 'n>(
        &'a self,
        names: impl IntoIterator<Item = &'n Name>,
        addr: Option<IpAddr>,
        now: Now,
    ) -> Vec<&'a Sanction> {
        let sanctions = &self.moderation.sanctions;
        let mut found = BTreeMap::new();
        for name in names {
            // Without an address: the sanction may be about the address of a person of that name,
            // and not about the name.
            let meant_for = |one: &&Sanction| one.nick.as_deref().is_some_and(|nick| name::fold(nick) == name.folded());
            let for_them = sanctions.iter().filter(|one| addr.is_none() && one.holds(now)).filter(meant_for);
            let all = sanctions.of_name(name, now).chain(sanctions.of_pattern(name, now)).chain(for_them);
            found.extend(all.map(|one| (one.id, one)));
        }
        found.extend(addr.into_iter().flat_map(|addr| sanctions.of_address(addr, now)).map(|one| (one.id, one)));
        found.into_values().collect()
    }

    /// The sanctions of that kind for which `which` can stand; several that are one sanction made
    /// anew count once. The first choice is the one with that label, or about exactly that target.
    /// Otherwise, those about people who have left under that name or number, and those made for a
    /// person of that name.
    #[must_use]
    pub fn sanctions_meant(&self, which: &str, kind: &Kind, now: Now) -> Vec<SanctionId> {
        let sanctions = &self.moderation.sanctions;
        let by_id = || {
            let (letter, id) = SanctionId::parse(which)?;
            sanctions.get(id).filter(|one| one.kind.is_like(kind) && one.kind.letter() == letter).map(|one| one.id)
        };
        let exactly = || {
            // A sanction about a name that nobody can take any more is found by that name all the
            // same.
            let name = || Name::recall(which.strip_prefix("name=").unwrap_or(which)).map(Target::Name);
            let pattern = || Pattern::is_one(which).then(|| Target::Pattern(Pattern::recall(which)));
            which.parse().ok().or_else(pattern).or_else(name)
        };
        if let Some(one) = by_id() {
            return vec![one];
        }
        let about: Vec<SanctionId> =
            exactly().into_iter().flat_map(|target| sanctions.all_about(kind, &target)).collect();
        if !about.is_empty() {
            return about;
        }
        let (folded, number) = (name::fold(which), client(which));
        let bore = |leaver: &&Leaver| {
            let former = leaver.former.iter().any(|name| name.folded() == folded);
            number.map_or(leaver.nick.folded() == folded || former, |number| leaver.id == number)
        };
        let left = self.moderation.leavers.iter(now.mono).filter(bore);
        let of_leavers =
            left.flat_map(|leaver| sanctions.all_about(kind, &self.order_of_leaver(leaver, kind.clone()).target));
        let is_meant_for = |one: &&Sanction| one.nick.as_deref().is_some_and(|nick| name::fold(nick) == folded);
        let in_force = sanctions.iter().filter(|one| one.kind.is_like(kind) && one.holds(now));
        let found: BTreeSet<SanctionId> = of_leavers.chain(in_force.filter(is_meant_for).map(|one| one.id)).collect();
        let mut meant: Vec<SanctionId> = Vec::new();
        for id in found {
            if meant.iter().all(|known| !sanctions.same_as(*known).contains(&id)) {
                meant.push(id);
            }
        }
        meant
    }
}
