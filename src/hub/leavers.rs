//! Who has left a moment ago: so that operators can still name them.

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

/// How long somebody is remembered.
pub const REMEMBERED_FOR: Duration = Duration::from_secs(15 * 60);

/// How many are remembered. Beyond it, who left first is forgotten.
const REMEMBERED: usize = 1000;

/// How many from one address are: beyond it, who left first from there is forgotten. So one address cannot have the
/// others forgotten.
const REMEMBERED_OF_ONE: usize = 20;

/// Somebody who has left and had said something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// The client that they were.
    pub id: SessionId,
    /// Their last name.
    pub nick: Name,
    /// The account that they were logged in to.
    pub account: Option<AccountId>,
    /// Where they came from. Told to administrators only.
    pub addr: IpAddr,
    /// When they left.
    pub at: Mono,
    /// Why, if there is more to say than that they went.
    pub why: Option<Arc<str>>,
    /// They waited at the door, where nobody saw them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_door: bool,
    /// What they had said last: whoever comes next from there goes on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Box<LastSaid>>,
}

/// Those who have left of late, the last one at the end.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Leavers(VecDeque<Leaver>);

impl Leavers {
    /// Remembers one who leaves, if they ever sent a line.
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
        self.0.push_back(Leaver { id, nick: session.nick.clone(), account, addr, at: now, why, at_door, said });
    }

    fn forget(&mut self, now: Mono) {
        while self.0.front().is_some_and(|leaver| now.since(leaver.at) > REMEMBERED_FOR) {
            self.0.pop_front();
        }
    }

    /// Those who are remembered at `now`, the last one first.
    pub fn iter(&self, now: Mono) -> impl Iterator<Item = &Leaver> {
        self.0.iter().rev().take_while(move |leaver| now.since(leaver.at) <= REMEMBERED_FOR)
    }

    /// What somebody who comes from there goes on with: what the last one from there has said and shown. So nobody gets
    /// around what holds for one client by saying one thing with each of many.
    pub(super) fn said_from(&self, origin: Origin, now: Mono) -> Option<Box<LastSaid>> {
        let is_from_there = |leaver: &&Leaver| Origin::of(leaver.addr) == origin;
        self.iter(now).find(is_from_there).and_then(|leaver| leaver.said.clone())
    }

    /// The last one of that name, or with that number.
    #[must_use]
    pub fn find(&self, folded: &str, id: Option<SessionId>, now: Mono) -> Option<&Leaver> {
        self.iter(now).find(|leaver| Some(leaver.id) == id || leaver.nick.folded() == folded)
    }
}
