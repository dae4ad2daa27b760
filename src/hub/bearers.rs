//! The people who bear a name now, or bore it recently.
//!
//! Somebody who types a name means the person they saw under it. That person may have another name
//! now, or have left, and the name may be somebody else's. So a command acts on a person by name
//! only if the name can stand for one person alone: see `command::bearer`, and `execute::naming` of
//! the admin protocol.

use core::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::leavers::{Leaver, REMEMBERED_FOR};
use super::session::Session;
use super::{Hub, work};
use crate::values::id::{AccountId, SessionId};
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::time::{Mono, Now};

/// A person for whom a name can stand.
#[derive(Clone, Copy, Debug)]
pub enum Bearer<'a> {
    /// A client that bears the name now.
    Here(&'a Session),
    /// A client under another name that is logged in to the account which owns this one.
    Owner(&'a Session),
    /// A client under another name that bore this one until that moment.
    Renamed(&'a Session, Mono),
    /// A client that left under that name, or bore it before it left.
    Left(&'a Leaver),
}

impl Bearer<'_> {
    /// The number of the client.
    #[must_use]
    pub fn id(&self) -> SessionId {
        match self {
            Self::Here(session) | Self::Owner(session) | Self::Renamed(session, _) => session.id,
            Self::Left(leaver) => leaver.id,
        }
    }

    /// Whether the client is here.
    #[must_use]
    pub fn is_here(&self) -> bool {
        !matches!(self, Self::Left(_))
    }

    /// The present name of the client, or its last one.
    #[must_use]
    pub fn nick(&self) -> &Name {
        match self {
            Self::Here(session) | Self::Owner(session) | Self::Renamed(session, _) => &session.nick,
            Self::Left(leaver) => &leaver.nick,
        }
    }

    /// The account that the client is, or was, logged in to.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Here(session) | Self::Owner(session) | Self::Renamed(session, _) => session.account,
            Self::Left(leaver) => leaver.account,
        }
    }

    /// The address of the client, which only administrators may be told.
    #[must_use]
    pub fn addr(&self) -> IpAddr {
        match self {
            Self::Here(session) | Self::Owner(session) | Self::Renamed(session, _) => session.peer.ip(),
            Self::Left(leaver) => leaver.addr,
        }
    }

    /// The time since the client last bore the name; `None` if it bears it now, or owns it.
    #[must_use]
    pub fn ago(&self, now: Now) -> Option<Duration> {
        match self {
            Self::Here(_) | Self::Owner(_) => None,
            Self::Renamed(_, at) => Some(now.mono.since(*at)),
            Self::Left(leaver) => Some(now.mono.since(leaver.at)),
        }
    }

    /// Whether both are the same person, as far as the hub can tell: one who left and came back.
    /// Two clients that are here count as two people.
    fn is_one_with(&self, other: &Self) -> bool {
        let has_left = matches!(self, Self::Left(_)) || matches!(other, Self::Left(_));
        has_left
            && match (self.account(), other.account()) {
                (None, None) => Origin::of(self.addr()) == Origin::of(other.addr()),
                (one, other) => one == other,
            }
    }
}

impl Hub {
    /// Everybody for whom the name can stand, each person once: its bearer, its owner, clients here
    /// that bore it recently, and clients that bore it and have left recently. In the last two
    /// groups, the latest bearer comes first.
    #[must_use]
    pub fn bearers(&self, text: &str, now: Now) -> Vec<Bearer<'_>> {
        let folded = name::fold(text);
        let here = self.find(text).and_then(|id| self.session(id)).map(Bearer::Here);
        let owner = self.accounts.find(&folded).and_then(|account| self.bearer(account));
        let owner = owner.and_then(|id| self.session(id)).map(Bearer::Owner);
        let mut renamed = self.renamed_from(&folded, now);
        renamed.sort_by_key(|(_, at)| core::cmp::Reverse(*at));
        let renamed = renamed.into_iter().map(|(session, at)| Bearer::Renamed(session, at));
        let bore = |leaver: &&Leaver| {
            leaver.nick.folded() == folded || leaver.former.iter().any(|name| name.folded() == folded)
        };
        let left = self.moderation.leavers.iter(now.mono).filter(bore).map(Bearer::Left);
        let mut found: Vec<Bearer<'_>> = Vec::new();
        for bearer in here.into_iter().chain(owner).chain(renamed).chain(left) {
            if found.iter().all(|known| known.id() != bearer.id() && !known.is_one_with(&bearer)) {
                found.push(bearer);
            }
        }
        found
    }

    /// The clients here that bore this name recently and bear another one now, each with the moment
    /// at which it gave the name up.
    fn renamed_from(&self, folded: &str, now: Now) -> Vec<(&Session, Mono)> {
        let could = self.people.former.with(folded).take(work::MOST).filter_map(|id| self.session(id));
        let bore = could.filter_map(|session| {
            let mut names = session.last_said.as_deref()?.laid_down(REMEMBERED_FOR, now.mono);
            let (_, at) = names.find(|(name, _)| name.folded() == folded)?;
            (session.nick.folded() != folded).then_some((session, at))
        });
        bore.collect()
    }

    /// Notes that `id` gives up a name that others have seen.
    pub(super) fn lays_down(&mut self, id: SessionId, name: &Name, now: Now) {
        let Some(session) = self.people.sessions.get_mut(&id) else { return };
        let said = session.last_said.get_or_insert_default();
        said.all_laid_down().for_each(|name| self.people.former.remove(name.folded(), id));
        said.lays_down(name, now.mono);
        said.all_laid_down().for_each(|name| self.people.former.insert(name.folded(), id));
    }

    /// Forgets the former names of a client that leaves.
    pub(super) fn forget_laid_down(&mut self, session: &Session) {
        for name in session.last_said.iter().flat_map(|said| said.all_laid_down()) {
            self.people.former.remove(name.folded(), session.id);
        }
    }

    /// A word that stands for an address (for IPv6: its /64 network) where people must not learn
    /// the address. The same address has the same word as long as the key of guests' names stays.
    #[must_use]
    pub fn mask(&self, addr: IpAddr) -> Arc<str> {
        // No client connects from port 0, so the word is no guest's name.
        name::guest(&self.key, Origin::of(addr).first(), 0, 4).trim_start_matches("guest-").into()
    }

    /// What tells operators two people of the same name apart: an account, or the mask of an
    /// address.
    pub(super) fn told_apart(&self, account: Option<AccountId>, addr: IpAddr) -> Arc<str> {
        let account = account.and_then(|account| self.accounts.get(account));
        account.map_or_else(
            || format!("address {}", self.mask(addr)).into(),
            |account| format!("account {}", account.name.shown()).into(),
        )
    }
}
