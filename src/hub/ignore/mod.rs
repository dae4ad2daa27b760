//! Ignoring people by name. An ignored name hides, from the reader who ignores it, everybody who
//! bears it now, or has borne it at any moment since it was ignored.
//!
//! Each ignored name has a number. A session that takes such a name carries its number from then
//! on, and so do the lines that it says. A line is hidden from a reader that ignores one of its
//! numbers. So taking a name costs one look-up, however many people ignore it, and a reader's
//! filter changes only when the reader changes it.
//!
//! This folder does not know how lines are kept from a screen: it yields filters ([`Effect::Hide`])
//! that the rounds apply.
//!
//! | to change | see |
//! | --- | --- |
//! | the list of one reader: ignoring a person, and ending that | here |
//! | the numbers that a session and its lines carry, and how many at most | [`Borne`] |
//! | the numbers of the names | `names` |
//! | hiding lines of history | `blinkers` |

mod blinkers;
mod borne;
mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use borne::Borne;
use borne::{Bearing, REMEMBERED};
pub(super) use names::IgnoredNames;

use super::message::Refusal;
use super::session::Session;
use super::{Effect, Hub, Turn};
use crate::values::id::SessionId;
use crate::values::name;

/// An entry in a client's list of ignored people: a name, and the sessions that bore it when it was
/// ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ignored {
    /// The name, folded.
    pub folded: Box<str>,
    /// The name, as its bearer spelt it.
    pub shown: Arc<str>,
    /// The sessions that bore it when it was ignored. Sessions that have ended are removed from
    /// time to time.
    pub sessions: BTreeSet<SessionId>,
    /// The number of the name; 0 in a snapshot of a release that gave names no numbers.
    #[serde(default)]
    pub name: u64,
    /// The moment at which the name was ignored: sessions that gave the name up before are not
    /// ignored.
    #[serde(default)]
    pub since: u64,
}

/// An ignored name, in a reader's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shunned {
    /// The number of the name.
    pub name: u64,
    /// The moment at which the reader ignored it.
    pub since: u64,
}

impl Session {
    /// Whether this session ignores `other`.
    #[must_use]
    pub fn ignores(&self, other: &Self) -> bool {
        self.ignoring.iter().any(|ignored| ignored.sessions.contains(&other.id) || other.borne.is_meant_by(ignored))
    }

    fn shunned(&self) -> Vec<Shunned> {
        let numbered = self.ignoring.iter().filter(|ignored| ignored.name > 0);
        let mut names: Vec<_> = numbered.map(|ignored| Shunned { name: ignored.name, since: ignored.since }).collect();
        names.sort_unstable();
        names
    }
}

impl Hub {
    /// Notes that `id` has taken a name: if anybody ignores that name, `id` carries its number from
    /// now on.
    pub(in crate::hub) fn take_up_name(&mut self, id: SessionId) {
        let Some(session) = self.people.sessions.get_mut(&id) else { return };
        if let Some(number) = self.people.ignored.number(session.nick.folded()) {
            session.borne.take_up(number, |number| self.people.ignored.numbers.contains(&number));
        }
    }

    /// Notes that `id` gives up its name.
    pub(in crate::hub) fn lay_down_name(&mut self, id: SessionId) {
        if let Some(session) = self.people.sessions.get_mut(&id)
            && session.borne.still()
        {
            session.borne.lay_down(self.people.ignored.moment());
        }
    }

    /// Notes that `session` has ended, and so ignores nobody.
    pub(in crate::hub) fn ignores_no_more(&mut self, session: &Session) {
        for ignored in &session.ignoring {
            self.people.ignored.remove(ignored);
        }
    }

    /// Panics if the numbers of ignored names do not fit the clients' lists.
    pub(in crate::hub) fn check_ignored(&self) {
        let mut counted: BTreeMap<&str, (u64, usize)> = BTreeMap::new();
        for ignored in self.sessions().flat_map(|session| &session.ignoring).filter(|ignored| ignored.name > 0) {
            let (number, count) = counted.entry(&ignored.folded).or_insert((ignored.name, 0));
            assert_eq!(*number, ignored.name, "a name has one number");
            *count += 1;
        }
        assert_eq!(counted.len(), self.people.ignored.names.len(), "what nobody ignores has no number");
        assert!(counted.values().all(|(number, _)| self.people.ignored.numbers.contains(number)));
        assert_eq!(counted.len(), self.people.ignored.numbers.len(), "each name has its own number");
        for (folded, counted) in counted {
            assert_eq!(self.people.ignored.names.get(folded), Some(&counted), "those who ignore {folded} are counted");
            if let Some(bearer) = self.find(folded) {
                let borne = &self.people.sessions[&bearer].borne;
                let is_known = |bearing: &Bearing| bearing.name == counted.0 && bearing.until.is_none();
                assert!(borne.bearings().iter().any(is_known), "who bears {folded} bears its number");
            }
        }
        for session in self.sessions() {
            assert!(session.borne.bearings().len() <= REMEMBERED, "names that were borne are bounded");
        }
    }
}

impl Turn<'_> {
    /// From now on, `id` ignores `other` by the name that `other` bears.
    pub(in crate::hub) fn ignore(&mut self, id: SessionId, other: SessionId) -> Result<(), Refusal> {
        let nick = self.hub.people.sessions[&other].nick.clone();
        let limit = self.hub.settings.limits.ignores;
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return Ok(()) };
        if session.ignoring.iter().any(|ignored| *ignored.folded == *nick.folded()) {
            // The name is ignored already.
            return Ok(());
        }
        if session.ignoring.len() >= limit {
            return Err(Refusal::TooManyIgnored(limit));
        }
        let name = self.hub.people.ignored.add(nick.folded());
        let since = self.hub.people.ignored.moment();
        let sessions = BTreeSet::from([other]);
        session.ignoring.push(Ignored {
            folded: nick.folded().into(),
            shown: nick.shown().into(),
            sessions,
            name,
            since,
        });
        self.hub.take_up_name(other);
        self.hide(id);
        Ok(())
    }

    /// From now on, `id` no longer ignores `text`, which is an ignored name or the present name of
    /// an ignored person. Returns whether `id` ignored it.
    pub(in crate::hub) fn unignore(&mut self, id: SessionId, text: &str) -> bool {
        let folded = name::fold(text);
        let bearer = self.hub.find(text);
        let borne = bearer.map(|bearer| self.hub.people.sessions[&bearer].borne.clone()).unwrap_or_default();
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let mut ignoring = std::mem::take(&mut session.ignoring);
        let mut found = false;
        ignoring.retain_mut(|ignored| {
            let by_name = *ignored.folded == *folded;
            // An ignored person is also found by their present name. The ignored name itself stays
            // in the list if somebody else bears it.
            let by_bearer = bearer.is_some_and(|bearer| ignored.sessions.remove(&bearer)) || borne.is_meant_by(ignored);
            found |= by_name || by_bearer;
            if !by_name && by_bearer {
                ignored.sessions.retain(|session| self.hub.people.sessions.contains_key(session));
                ignored.sessions.extend(self.hub.people.names.find(&ignored.folded).filter(|other| *other != id));
                if !ignored.sessions.is_empty() {
                    ignored.since = self.hub.people.ignored.moment();
                    return true;
                }
            }
            if by_name || by_bearer {
                self.hub.people.ignored.remove(ignored);
            }
            !(by_name || by_bearer)
        });
        if let Some(session) = self.hub.people.sessions.get_mut(&id) {
            session.ignoring = ignoring;
        }
        if found {
            self.hide(id);
        }
        found
    }

    /// Tells the rounds which sessions and names are hidden from `id`.
    pub(in crate::hub) fn hide(&mut self, id: SessionId) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        let quiet = session.quiet;
        if session.ignoring.is_empty() {
            let (ignored, names) = (self.hub.people.no_one.clone(), self.hub.people.no_name.clone());
            return self.effects.push(Effect::Hide { session: id, quiet, ignored, names });
        }
        let mut ignoring = std::mem::take(&mut session.ignoring);
        let mut hidden = BTreeSet::new();
        for ignored in &mut ignoring {
            // Sessions that have ended are removed, so nobody can make the list grow by coming and
            // going.
            ignored.sessions.retain(|session| self.hub.people.sessions.contains_key(session));
            hidden.extend(ignored.sessions.iter().copied());
        }
        let session = self.hub.people.sessions.get_mut(&id).expect("it was there");
        session.ignoring = ignoring;
        let (ignored, names) = (hidden.into_iter().collect(), session.shunned().into());
        self.effects.push(Effect::Hide { session: id, quiet, ignored, names });
    }

    /// Gives numbers to the ignored names in a snapshot of an earlier release, which had none.
    pub(in crate::hub) fn number_ignored(&mut self) {
        let unnumbered = |session: &&Session| session.ignoring.iter().any(|ignored| ignored.name == 0);
        let ids: Vec<_> = self.hub.sessions().filter(unnumbered).map(|session| session.id).collect();
        for id in ids {
            let Some(session) = self.hub.people.sessions.get_mut(&id) else { continue };
            let mut ignoring = std::mem::take(&mut session.ignoring);
            for ignored in ignoring.iter_mut().filter(|ignored| ignored.name == 0) {
                ignored.name = self.hub.people.ignored.add(&ignored.folded);
                ignored.since = self.hub.people.ignored.moment();
                if let Some(bearer) = self.hub.people.names.find(&ignored.folded) {
                    self.hub.take_up_name(bearer);
                }
            }
            if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                session.ignoring = ignoring;
            }
            self.hide(id);
        }
    }
}
