//! Coming and going: one line each in a quiet room, one line for many in a burst.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::Said;
use crate::settings::Settings;
use crate::values::id::SessionId;
use crate::values::rate;
use crate::values::time::{Mono, Now};

/// Coming and going that is gathered, to be told in one line.
///
/// In a quiet room each arrival is a line of its own; in a burst, or where there are more than
/// `rooms.announce_limit` people, they are counted and told together at the end of a window: a
/// thousand arrivals are a few lines, not a thousand lines to a thousand people.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Presence {
    /// When all of `rooms.announce_burst` single lines may be used again.
    full_at: Mono,
    /// Those who came, in the order of their numbers, and are still here.
    joined: BTreeMap<SessionId, Arc<str>>,
    /// Those of them who have said something since: others know their names.
    heard: BTreeSet<SessionId>,
    /// How many went who had been here before.
    left: u32,
    /// The last of them.
    last_left: Option<(SessionId, Arc<str>, Option<Arc<str>>)>,
    /// When what is gathered is told.
    pub(super) flush_at: Option<Mono>,
}

/// Names that a gathered line shows before it counts.
const NAMES_SHOWN: usize = 3;

/// Coming or going.
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
            // Who came and went unseen has not been here.
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

    /// The line that tells what was gathered, and the one who is not to be shown it.
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

    /// `who` is heard now: its name is known, whether its coming was told or not.
    pub(super) fn hear(&mut self, who: SessionId) {
        if self.joined.contains_key(&who) {
            self.heard.insert(who);
        }
    }

    /// Notes another name. Whether the room need not be told: it has not been told of the former one.
    pub(super) fn rename(&mut self, who: SessionId, nick: &Arc<str>) -> bool {
        let Some(former) = self.joined.get_mut(&who) else { return false };
        *former = nick.clone();
        !self.heard.contains(&who)
    }
}
