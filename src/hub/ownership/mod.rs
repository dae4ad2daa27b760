//! Rooms that belong to people: who may come in, who may speak, and what newcomers see.
//!
//! A client that is logged in and opens a room owns it, until it closes. The lobby, and every room that nobody owns, is
//! the operators'. The owner, the moderators and the operators have the room's say: they make it private, moderated,
//! slow, encrypted or for the registered, lock its topic, invite, give voices, and send people out. Only `Hub::silenced` decides
//! whether somebody may speak in a room.
//!
//! What is said in a private room is recorded nowhere, and nobody sees what was said before they came, not even when
//! the room is public again. A person who is not invited is answered as if the room had never been there, except when
//! they try to enter it: a room that was not there would be opened then.
//!
//! | to change | see |
//! | --- | --- |
//! | what a room remembers of its owner, and its lists | [`Ownership`], here |
//! | a room's modes (private, moderated, slow and so on), and their words | [`Modes`], [`Change`] |
//! | who may do what in a room | `rights` |
//! | changing owner, modes and lists, and who is told | `changing` |

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

/// A person as a room remembers them: by account, or, for a guest, by client as long as it is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Guest {
    /// Whoever is logged in to this account.
    Account(AccountId),
    /// The client of this number.
    Session(SessionId),
}

/// Owner, modes and lists of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ownership {
    /// The account that owns the room; `None`: nobody does.
    pub owner: Option<AccountId>,
    /// Whether only invited people come in.
    pub private: bool,
    /// Whether only people with a voice speak.
    pub moderated: bool,
    /// Whether only the owner and the members know of the room: the owner was shadow-muted when they opened it, and
    /// nobody who is heard has come in since. Kept for a lasting room, whose name must not show when its owner has left.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::hub) unseen: bool,
    /// Whether only people who are logged in speak, and people with a voice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Whether only people whose connections are secure come in.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub encrypted: bool,
    /// How many seconds each person has to wait between two lines, unless they have a voice; 0: the room is not slow.
    #[serde(skip_serializing_if = "is_zero")]
    slow_s: u64,
    /// Whether the room is kept while nobody is in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lasts: bool,
    /// The accounts that have the room's say besides the owner's, the oldest first. At most `limits.invited`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moderators: Vec<AccountId>,
    /// The account that gets the room when the owner's account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<AccountId>,
    /// Whether only those with the room's say set the topic; `None`: they do if the room has an owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic_locked: Option<bool>,
    /// The people who may come in while the room is private. At most `limits.invited`.
    invited: BTreeSet<Guest>,
    /// The people who may speak while the room is moderated. At most `limits.invited`.
    voiced: BTreeSet<Guest>,
    /// The people who were sent out, as 0.1.0 kept them; expulsions are sanctions now.
    #[serde(skip_serializing)]
    pub(in crate::hub) expelled: BTreeSet<Guest>,
    /// The number of the first line that newcomers are shown: the next line when the room last stopped being private,
    /// or 0.
    pub visible_from: u64,
    /// The number of the first line that was said in private, if any was.
    pub private_from: u64,
    /// The number of the first line that newcomers are shown whose connections are not secure: the next line when the
    /// room last stopped being encrypted, or 0.
    #[serde(skip_serializing_if = "is_zero")]
    plain_from: u64,
}

/// One of a room's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Roll {
    Invited,
    Voiced,
}

/// Who is told of a change of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Told {
    /// All members.
    All,
    /// Its author alone, whom nobody is to hear.
    Only(SessionId),
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Ownership {
    /// The room without owner, lists and modes; `next` is the number of the next line. What was said in private, or
    /// for secure connections alone, stays so.
    pub(in crate::hub) fn of_nobody(&self, next: u64) -> Self {
        let visible_from = if self.private { next } else { self.visible_from };
        let plain_from = if self.encrypted { next } else { self.plain_from };
        Self { visible_from, plain_from, ..Self::default() }
    }

    /// The number of the first line that a newcomer is shown; `next` is that of the next line.
    pub(in crate::hub) fn shown_from(&self, next: u64, is_secure: bool) -> u64 {
        match self.private {
            true => next,
            false if is_secure => self.visible_from,
            false => self.visible_from.max(self.plain_from),
        }
    }

    /// Whether anything was said in private, as far as can be told.
    pub(in crate::hub) fn was_private(&self) -> bool {
        self.private || self.visible_from > 0
    }

    /// Whether the line of that number was said in private. If the room was private several times, all lines from the
    /// first time to the last count as private. Such lines are in memory alone, and no administrator is shown them.
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

    /// The modes of the room.
    #[must_use]
    pub fn modes(&self) -> Modes {
        let Self { private, moderated, registered, encrypted, topic_locked, lasts, .. } = *self;
        let slow = Duration::from_secs(self.slow_s);
        Modes { private, moderated, registered, encrypted, slow, topic_locked, lasting: lasts }
    }

    /// The ownership as it is kept on disk: without guests, who are not connected any more when it is read.
    pub(in crate::hub) fn lasting(&self) -> Self {
        let mut kept = self.clone();
        for roll in [Roll::Invited, Roll::Voiced] {
            kept.roll(roll).retain(|guest| matches!(guest, Guest::Account(_)));
        }
        kept
    }

    /// Removes accounts that no longer exist, and guests, from an ownership that was kept. Returns false if the owner's
    /// account is gone and nobody follows.
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

    /// Replaces accounts whose numbers differ from those on disk.
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

    /// Takes the room from its owner and moderators: everybody comes in, and it belongs to nobody. `next` is the number
    /// of the next line.
    pub(in crate::hub) fn belongs_to_nobody(&mut self, next: u64) {
        (self.owner, self.successor, self.private) = (None, None, false);
        self.set_encrypted(false, next);
        self.moderators.clear();
        self.topic_locked = self.topic_locked.filter(|locked| *locked);
    }

    /// Passes the room on, because its owner's account is gone: to the successor, else to the oldest moderator, else to
    /// nobody. Returns whether somebody follows.
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

    /// Whether only those with the room's say set its topic.
    #[must_use]
    pub fn is_topic_locked(&self) -> bool {
        self.topic_locked.unwrap_or(self.owner.is_some())
    }

    /// Locks the topic, or frees it.
    pub(in crate::hub) fn lock_topic(&mut self, on: bool) {
        self.topic_locked = (on != self.owner.is_some()).then_some(on);
    }

    /// Lets only secure connections in, or all; `next` is the number of the next line.
    fn set_encrypted(&mut self, on: bool, next: u64) {
        if std::mem::replace(&mut self.encrypted, on) && !on {
            self.plain_from = next;
        }
    }

    /// The number of the first line that newcomers are shown whose connections are not secure; 0: all are.
    pub(in crate::hub) const fn plain_from(&self) -> u64 {
        self.plain_from
    }

    /// Shows lines before the number `from` to no newcomer whose connection is not secure.
    pub(in crate::hub) fn hide_from_plain(&mut self, from: u64) {
        self.plain_from = self.plain_from.max(from);
    }

    pub(super) fn change(&mut self, change: Change, next: u64) {
        self.set_encrypted(change.encrypted.unwrap_or(self.encrypted), next);
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
