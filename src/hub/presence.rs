//! Coming and going: one line each in a quiet room, one line for many in a burst.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::Said;
use crate::settings::Settings;
use crate::values::id::SessionId;
use crate::values::rate;
use crate::values::time::{Mono, Now};

/// Arrivals and departures of a room that are gathered, to be told in one line.
///
/// In a quiet room each arrival is a line of its own. In a burst, or with more than `rooms.announce_limit` people, they
/// are counted and told together at the end of a window: a thousand arrivals are a few lines, not a thousand lines to a
/// thousand people.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Presence {
    /// When all of `rooms.announce_burst` single lines may be used again.
    full_at: Mono,
    /// The people who came and are still here, with their names; in the order of their numbers.
    joined: BTreeMap<SessionId, Arc<str>>,
    /// Those of `joined` who have said something since: others know their names.
    heard: BTreeSet<SessionId>,
    /// The number of people who left and had been here before this window.
    left: u32,
    /// The last of those who left, with name and reason.
    last_left: Option<(SessionId, Arc<str>, Option<Arc<str>>)>,
    /// When the gathered line is told; `None` if nothing is gathered.
    pub(super) flush_at: Option<Mono>,
}

/// The most names that a gathered line shows; the others are counted.
const NAMES_SHOWN: usize = 3;

/// An arrival, or a departure with its reason.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Joined,
    Left(Option<Arc<str>>),
}

impl Presence {
    /// Notes that `who` came or went. Returns the line to post at once, if it is to be one of its own.
    pub(super) fn note(
        &mut self,
        who: SessionId,
        nick: &Arc<str>,
        step: Step,
        members: usize,
        now: Now,
        settings: &Settings,
    ) -> Option<Said> {
        let rooms = &settings.rooms;
        let big = members > rooms.announce_limit;
        if !big && self.flush_at.is_none() {
            let every = rooms.gather / rooms.announce_burst.max(1);
            if let Ok(full_at) = rate::take_one(self.full_at, now.mono, every, rooms.announce_burst.max(1)) {
                self.full_at = full_at;
                let nick = nick.clone();
                return Some(match step {
                    Step::Joined => Said::Joined { nick },
                    Step::Left(reason) => Said::Left { nick, reason },
                });
            }
        }
        match step {
            Step::Joined => drop(self.joined.insert(who, nick.clone())),
            // Somebody who came and left within the window, and said nothing, is not told of at all.
            Step::Left(_) if self.joined.contains_key(&who) && !self.heard.contains(&who) => {
                self.joined.remove(&who);
            }
            Step::Left(reason) => {
                self.left += 1;
                self.last_left = Some((who, nick.clone(), reason));
            }
        }
        if self.flush_at.is_none() {
            self.flush_at = Some(now.mono.after(if big { rooms.gather_big } else { rooms.gather }));
        }
        None
    }

    /// Ends the window. Returns the line that tells what was gathered, and its author if it is about one person, who is
    /// not shown it.
    pub(super) fn flush(&mut self, members: usize) -> Option<(Option<SessionId>, Said)> {
        self.flush_at = None;
        self.heard.clear();
        let joined = std::mem::take(&mut self.joined);
        match (joined.len(), std::mem::take(&mut self.left), self.last_left.take()) {
            (0, 0, _) => None,
            (1, 0, _) => joined.into_iter().next().map(|(who, nick)| (Some(who), Said::Joined { nick })),
            (0, 1, Some((who, nick, reason))) => Some((Some(who), Said::Left { nick, reason })),
            (count, left, _) => {
                let names = joined.into_values().take(NAMES_SHOWN).collect();
                let joined = u32::try_from(count).unwrap_or(u32::MAX);
                Some((None, Said::Gathered { joined, left, names, members }))
            }
        }
    }

    /// Whether what somebody said when they left is still to be told, and `is_meant`.
    pub(super) fn has_words(&self, is_meant: impl Fn(SessionId, &str, &str) -> bool) -> bool {
        matches!(&self.last_left, Some((who, nick, Some(words))) if is_meant(*who, nick, words))
    }

    /// That will not be told.
    pub(super) fn forget_words(&mut self) {
        if let Some((_, _, words)) = &mut self.last_left {
            *words = None;
        }
    }

    /// `who` says something now: others know the name, whether the arrival was told or not.
    pub(super) fn hear(&mut self, who: SessionId) {
        if self.joined.contains_key(&who) {
            self.heard.insert(who);
        }
    }

    /// Notes that `who` has another name. Returns whether the room need not be told, because it does not know the
    /// former one yet.
    pub(super) fn rename(&mut self, who: SessionId, nick: &Arc<str>) -> bool {
        let Some(former) = self.joined.get_mut(&who) else { return false };
        *former = nick.clone();
        !self.heard.contains(&who)
    }
}
