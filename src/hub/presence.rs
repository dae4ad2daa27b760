//! How a room is told of arrivals, departures and new names: in a quiet room one line for each, in
//! a burst one line for many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::Said;
use crate::settings::Settings;
use crate::values::id::SessionId;
use crate::values::rate;
use crate::values::time::{Mono, Now};

/// The arrivals, departures and new names that a room has gathered, to be told in one line.
///
/// In a quiet room, each arrival is a line of its own. In a burst, or with more than
/// `rooms.announce_limit` people in the room, arrivals are counted and told together at the end of
/// a window: a thousand arrivals become a few lines, and not a thousand lines to a thousand people.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Presence {
    /// The moment at which all of `rooms.announce_burst` single lines may be used again.
    full_at: Mono,
    /// The same moment for lines about new names, which have a burst of their own.
    names_full_at: Mono,
    /// The people who came in this window and are still here, by client, with their names.
    joined: BTreeMap<SessionId, Arc<str>>,
    /// The people who took another name in this window: the name before, the present one, and
    /// whether others are told.
    renamed: BTreeMap<SessionId, (Arc<str>, Arc<str>, bool)>,
    /// The people of `joined` who have said something since: others know their names.
    heard: BTreeSet<SessionId>,
    /// The number of people who left in this window, and had been here before it.
    left: u32,
    /// The last person of those who left, with name and reason.
    last_left: Option<(SessionId, Arc<str>, Option<Arc<str>>)>,
    /// Whether that reason is in the person's own words.
    last_words: bool,
    /// The room to which the last person of those who left has gone, if everybody may know of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_to: Option<Arc<str>>,
    /// The moment at which the gathered line is told; `None` if nothing is gathered.
    pub(super) flush_at: Option<Mono>,
}

/// The most names that a gathered line shows; the rest is counted.
const NAMES_SHOWN: usize = 3;

/// An arrival, a departure, or a new name.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Joined,
    Left {
        reason: Option<Arc<str>>,
        /// Whether the reason is in the person's own words.
        words: bool,
        /// The room to which the person has gone, if everybody may know of it.
        to: Option<Arc<str>>,
    },
    Renamed {
        from: Arc<str>,
        /// Whether others are told. Otherwise only the person is.
        aloud: bool,
    },
}

/// The line that tells what was gathered.
pub(super) struct Gathered {
    /// The person that the line is about, if it is about one alone: they are not shown it.
    pub(super) author: Option<SessionId>,
    pub(super) said: Said,
    /// The people whose names the line shows.
    pub(super) shown: Vec<SessionId>,
}

fn left(nick: Arc<str>, reason: Option<Arc<str>>, words: bool, to: Option<Arc<str>>) -> Said {
    let moved = to.is_some();
    Said::Left { nick, reason: to.or(reason), words, moved }
}

impl Presence {
    /// Notes a step of `who`. Returns the line to post at once, if the step gets its own line.
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
        let is_rename = matches!(step, Step::Renamed { .. });
        if let Step::Renamed { aloud, .. } = &step
            && let Some(former) = self.joined.get_mut(&who)
        {
            if *aloud {
                *former = nick.clone();
            }
            // Newcomers often begin by choosing a name. While their arrival waits to be told, it is
            // told with the new name, and the change is not told.
            if !self.heard.contains(&who) {
                return None;
            }
        }
        // In a big room, arrivals and departures are always gathered. A new name gets a line of its
        // own as long as few people change theirs.
        if is_rename || (!big && self.flush_at.is_none()) {
            let every = rooms.gather / rooms.announce_burst.max(1);
            let full = if is_rename { &mut self.names_full_at } else { &mut self.full_at };
            if let Ok(full_at) = rate::take_one(*full, now.mono, every, rooms.announce_burst.max(1)) {
                *full = full_at;
                let nick = nick.clone();
                return Some(match step {
                    Step::Joined => Said::Joined { nick },
                    Step::Left { reason, words, to } => left(nick, reason, words, to),
                    Step::Renamed { from, .. } => Said::Renamed { from, to: nick },
                });
            }
        }
        match step {
            Step::Joined => drop(self.joined.insert(who, nick.clone())),
            // A person who came and left within the window, without a word, is not mentioned at
            // all.
            Step::Left { .. } if self.joined.contains_key(&who) && !self.heard.contains(&who) => {
                self.joined.remove(&who);
            }
            Step::Left { reason, words, to } => {
                self.renamed.remove(&who);
                self.left += 1;
                self.last_to = to;
                (self.last_left, self.last_words) = (Some((who, nick.clone(), reason)), words);
            }
            Step::Renamed { from, aloud } => {
                let (from, aloud) = match self.renamed.remove(&who) {
                    Some((first, _, was_aloud)) => (first, aloud || was_aloud),
                    None => (from, aloud),
                };
                if from != *nick {
                    self.renamed.insert(who, (from, nick.clone(), aloud));
                }
            }
        }
        if self.flush_at.is_none() {
            self.flush_at = Some(now.mono.after(if big { rooms.gather_big } else { rooms.gather }));
        }
        None
    }

    /// Ends the window. Returns the line that tells what was gathered; `None` if there is nothing
    /// to tell.
    pub(super) fn flush(&mut self, members: usize) -> Option<Gathered> {
        self.flush_at = None;
        self.heard.clear();
        let joined = std::mem::take(&mut self.joined);
        let renamed = std::mem::take(&mut self.renamed);
        let (words, to) = (std::mem::take(&mut self.last_words), self.last_to.take());
        let alone = |author, said| Some(Gathered { author: Some(author), said, shown: Vec::new() });
        match (joined.len(), std::mem::take(&mut self.left), self.last_left.take(), renamed.len()) {
            (0, 0, _, 0) => None,
            (1, 0, _, 0) => joined.into_iter().next().and_then(|(who, nick)| alone(who, Said::Joined { nick })),
            (0, 1, Some((who, nick, reason)), 0) => alone(who, left(nick, reason, words, to)),
            (0, 0, _, 1) => {
                let (who, (from, to, aloud)) = renamed.into_iter().next()?;
                if aloud { alone(who, Said::Renamed { from, to }) } else { None }
            }
            (count, left, _, renamed) => {
                let shown = joined.keys().copied().take(NAMES_SHOWN).collect();
                let names = joined.into_values().take(NAMES_SHOWN).collect();
                let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
                let said = Said::Gathered { joined: number(count), left, renamed: number(renamed), names, members };
                Some(Gathered { author: None, said, shown })
            }
        }
    }

    /// Whether a departure with a reason is still to be told, and `is_meant` accepts its client,
    /// name and reason.
    pub(super) fn has_words(&self, is_meant: impl Fn(SessionId, &str, &str) -> bool) -> bool {
        matches!(&self.last_left, Some((who, nick, Some(words))) if is_meant(*who, nick, words))
    }

    /// Removes the reason of the departure that is still to be told.
    pub(super) fn forget_words(&mut self) {
        if let Some((_, _, words)) = &mut self.last_left {
            *words = None;
        }
    }

    /// Notes that `who` says something now: from that line, others know the name, even if the
    /// arrival was not told yet.
    pub(super) fn hear(&mut self, who: SessionId) {
        if self.joined.contains_key(&who) {
            self.heard.insert(who);
        }
    }
}
