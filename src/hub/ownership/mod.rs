//! Rooms that belong to somebody: who may come in, who may speak, and what newcomers see.
//!
//! Whoever is logged in and opens a room owns it, until it closes. The lobby, and every room that nobody owns, is the
//! operators'. Who has a room's say makes it private, moderated, slow or for the registered, locks its topic, invites,
//! gives voices, and sends people out. Whether somebody may speak in a room is decided by `Hub::silenced` alone.
//!
//! What is said in a private room is recorded nowhere, and nobody sees what was said before they came, also
//! when it is public again. Whoever is not invited is told the same as of a room that was never there,
//! but on trying to enter: then the name would have to be free.
//!
//! | to change | see |
//! | --- | --- |
//! | what a room remembers of whose it is; its lists | [`Ownership`], here |
//! | its modes: private, moderated, slow and so on; their words | [`Modes`], [`Change`] |
//! | who may do what in it | `rights` |
//! | changing all that, and who is told | `changing` |

mod changing;
mod modes;
mod rights;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use modes::{Change, MODES, Modes, SLOW};

use super::history::History;
use crate::values::id::{AccountId, SessionId};

/// Somebody as a room remembers them: by account, or a guest for as long as they are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Guest {
    /// Whoever is logged in to it.
    Account(AccountId),
    /// That client.
    Session(SessionId),
}

/// What is special about a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ownership {
    /// Whose room it is; `None`: everybody's.
    pub owner: Option<AccountId>,
    /// Only those who are invited come in.
    pub private: bool,
    /// Only those who have a voice speak.
    pub moderated: bool,
    /// Only those who are logged in speak, and those who have a voice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Each says one line in so many seconds, but those who have a voice; 0: it is not slow.
    #[serde(skip_serializing_if = "is_zero")]
    slow_s: u64,
    /// It is kept while nobody is in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lasts: bool,
    /// Who has its say beside its owner, the oldest first. At most `limits.invited`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moderators: Vec<AccountId>,
    /// Whose it is when its owner's account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<AccountId>,
    /// Whether the topic is for those alone who have the room's say; `None`: it is where the room is somebody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_locked: Option<bool>,
    /// Those who may come into it while it is private. At most `limits.invited`.
    invited: BTreeSet<Guest>,
    /// Those who may speak while it is moderated; likewise.
    voiced: BTreeSet<Guest>,
    /// Those who were sent out, as 0.1.0 kept them; expulsions are sanctions now.
    #[serde(skip_serializing)]
    pub(in crate::hub) expelled: BTreeSet<Guest>,
    /// The first line that is shown to those who come: what was said before was said among others.
    pub visible_from: u64,
    /// The first line that was said in private, if any was.
    pub private_from: u64,
}

/// Which of a room's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Roll {
    Invited,
    Voiced,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Ownership {
    /// What is everybody's, and shows what was said from that line on.
    pub(in crate::hub) fn of_nobody(visible_from: u64) -> Self {
        Self { visible_from, ..Self::default() }
    }

    /// Whether anything was said in private, as far as can be told.
    pub(in crate::hub) fn was_private(&self) -> bool {
        self.private || self.visible_from > 0
    }

    /// Whether the line of that number was said in private, or, of a room that has changed to and fro, between the
    /// first time and the last. Such lines are in memory alone, and no administrator is shown them.
    #[must_use]
    pub fn is_private_line(&self, seq: u64) -> bool {
        self.was_private() && seq >= self.private_from && (self.private || seq < self.visible_from)
    }

    /// How many lines of a room's history were said in private.
    #[must_use]
    pub fn private_among(&self, history: &History) -> usize {
        if !self.was_private() {
            return 0;
        }
        let to = if self.private { history.len() } else { history.before(self.visible_from) };
        to.saturating_sub(history.before(self.private_from))
    }

    /// How the room is.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let Self { private, moderated, registered, topic_locked, lasts, .. } = *self;
        let slow = Duration::from_secs(self.slow_s);
        Modes { private, moderated, registered, slow, topic_locked, lasting: lasts }
    }

    /// As it is kept where nobody is connected: without guests.
    pub(in crate::hub) fn lasting(&self) -> Self {
        let mut kept = self.clone();
        for roll in [Roll::Invited, Roll::Voiced] {
            kept.roll(roll).retain(|guest| matches!(guest, Guest::Account(_)));
        }
        kept
    }

    /// What was kept, without accounts that there are no more. Whether it still belongs to whom it did, or to somebody
    /// who follows.
    pub(in crate::hub) fn recall(&mut self, is_known: impl Fn(&AccountId) -> bool) -> bool {
        for roll in [Roll::Invited, Roll::Voiced] {
            self.roll(roll).retain(|guest| matches!(guest, Guest::Account(account) if is_known(account)));
        }
        self.moderators.retain(&is_known);
        self.successor = self.successor.filter(&is_known);
        match self.owner {
            Some(owner) if !is_known(&owner) => self.succeed(),
            _ => true,
        }
    }

    /// Accounts have other numbers by now.
    pub(in crate::hub) fn renumber(&mut self, renumbered: &BTreeMap<AccountId, AccountId>) {
        let now = |account: AccountId| renumbered.get(&account).copied().unwrap_or(account);
        (self.owner, self.successor) = (self.owner.map(now), self.successor.map(now));
        self.moderators.iter_mut().for_each(|moderator| *moderator = now(*moderator));
        for roll in [Roll::Invited, Roll::Voiced] {
            let roll = self.roll(roll);
            *roll = std::mem::take(roll)
                .into_iter()
                .map(|guest| match guest {
                    Guest::Account(account) => Guest::Account(now(account)),
                    Guest::Session(session) => Guest::Session(session),
                })
                .collect();
        }
    }

    /// It belongs to nobody, whatever else it is.
    pub(in crate::hub) fn belongs_to_nobody(&mut self) {
        (self.owner, self.successor, self.private) = (None, None, false);
        self.moderators.clear();
        self.topic_locked = self.topic_locked.filter(|locked| *locked);
    }

    /// Its owner is no more: it belongs to the successor, else to the oldest moderator, else to nobody. Whether it
    /// belongs to somebody.
    pub(super) fn succeed(&mut self) -> bool {
        let next = self.successor.take().or_else(|| self.moderators.first().copied());
        self.pass_to(next);
        next.is_some()
    }

    pub(super) fn pass_to(&mut self, owner: Option<AccountId>) {
        let locked = self.topic_locked;
        self.owner = owner;
        self.moderators.retain(|moderator| Some(*moderator) != owner);
        self.successor = self.successor.filter(|successor| Some(*successor) != owner);
        self.topic_locked = locked.filter(|locked| *locked != owner.is_some());
    }

    /// Whether only those who have the room's say set its topic.
    #[must_use]
    pub fn is_topic_locked(&self) -> bool {
        self.topic_locked.unwrap_or(self.owner.is_some())
    }

    /// Locks the topic, or frees it.
    pub(in crate::hub) fn lock_topic(&mut self, on: bool) {
        self.topic_locked = (on != self.owner.is_some()).then_some(on);
    }

    pub(super) fn change(&mut self, change: Change) {
        self.private = change.private.unwrap_or(self.private);
        self.moderated = change.moderated.unwrap_or(self.moderated);
        self.registered = change.registered.unwrap_or(self.registered);
        self.slow_s = change.slow.map_or(self.slow_s, |slow| slow.as_secs());
        if let Some(on) = change.topic_locked {
            self.lock_topic(on);
        }
    }

    pub(super) fn roll(&mut self, roll: Roll) -> &mut BTreeSet<Guest> {
        match roll {
            Roll::Invited => &mut self.invited,
            Roll::Voiced => &mut self.voiced,
        }
    }
}
