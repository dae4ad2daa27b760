//! Clients that have left recently: operators can still name them.

use core::net::IpAddr;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::session::Session;
use super::strike::LastSaid;
use crate::values::id::{AccountId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::time::Mono;

/// The time for which a client is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(15 * 60);

/// The most clients that are remembered. A further client replaces the one that left first.
const REMEMBERED: usize = 1000;

/// The most clients of one origin that are remembered. A further one replaces the one of that
/// origin that left first, so no origin can push out the others.
const REMEMBERED_OF_ONE: usize = 20;

/// A client that has left, and had sent at least one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// The client's number.
    pub id: SessionId,
    /// The client's last name.
    pub nick: Name,
    /// The account that the client was logged in to.
    pub account: Option<AccountId>,
    /// The client's address, which only administrators may be told.
    pub addr: IpAddr,
    /// When the client left.
    pub at: Mono,
    /// The reason; `None` if the client just went.
    pub why: Option<Arc<str>>,
    /// Whether the client waited at the door, where nobody saw it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_door: bool,
    /// Former names that the client bore in its last [`REMEMBERED_FOR`], the last one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Name>,
    /// What the client had said last. The limits of the next client from the same origin go on from
    /// there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Box<LastSaid>>,
}

/// The clients that have left recently, the latest at the end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leavers(VecDeque<Leaver>);

impl Leavers {
    /// Remembers a client that leaves, if it ever sent a line.
    pub(super) fn note(&mut self, session: &Session, why: Option<Arc<str>>, now: Mono) {
        self.forget(now);
        if session.lines == 0 {
            return;
        }
        let addr = session.peer.ip();
        let is_from_there = |leaver: &Leaver| Origin::of(leaver.addr) == Origin::of(addr);
        if self.0.iter().filter(|leaver| is_from_there(leaver)).count() >= REMEMBERED_OF_ONE
            && let Some(first) = self.0.iter().position(is_from_there)
        {
            self.0.remove(first);
        }
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        let Session { id, account, .. } = *session;
        let at_door = session.at_door.is_some();
        let said = session.last_said.as_deref().map(|said| Box::new(said.of_an_address()));
        let nick = session.nick.clone();
        let laid_down = session.last_said.iter().flat_map(|said| said.laid_down(REMEMBERED_FOR, now));
        let former = laid_down.map(|(name, _)| name.clone()).filter(|name| *name != nick).collect();
        self.0.push_back(Leaver { id, nick, account, addr, at: now, why, at_door, former, said });
    }

    fn forget(&mut self, now: Mono) {
        while self.0.front().is_some_and(|leaver| now.since(leaver.at) > REMEMBERED_FOR) {
            self.0.pop_front();
        }
    }

    /// The clients that are remembered at `now`, the latest first.
    pub fn iter(&self, now: Mono) -> impl Iterator<Item = &Leaver> {
        self.0.iter().rev().take_while(move |leaver| now.since(leaver.at) <= REMEMBERED_FOR)
    }

    /// What the latest client from `origin` has said and shown. The limits of a new client from
    /// there go on from it, so nobody gets around the limits for one client by saying one thing
    /// with each of many.
    pub(super) fn said_from(&self, origin: Origin, now: Mono) -> Option<Box<LastSaid>> {
        let is_from_there = |leaver: &&Leaver| Origin::of(leaver.addr) == origin;
        self.iter(now).find(is_from_there).and_then(|leaver| leaver.said.clone())
    }

    /// The latest client of that name, or with that number; else the latest that bore the name
    /// before another.
    #[must_use]
    pub fn find_by_any_name(&self, folded: &str, id: Option<SessionId>, now: Mono) -> Option<&Leaver> {
        let bore = |leaver: &&Leaver| leaver.former.iter().any(|name| name.folded() == folded);
        self.find(folded, id, now).or_else(|| self.iter(now).find(bore))
    }

    /// The latest client of that name, or with that number.
    #[must_use]
    pub fn find(&self, folded: &str, id: Option<SessionId>, now: Mono) -> Option<&Leaver> {
        self.iter(now).find(|leaver| Some(leaver.id) == id || leaver.nick.folded() == folded)
    }
}
