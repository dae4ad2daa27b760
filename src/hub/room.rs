//! A room: who is in it, its topic, the lines that are kept, and how coming and going is told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive::Selector;
use super::ignore::Borne;
use super::message::{Line, Said};
use super::ownership::Ownership;
use super::pace::Crowd;
use crate::settings::{self, Settings};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::time::{Mono, Now, Wall};

/// A room.
#[derive(Clone, Debug)]
pub struct Room {
    /// Its number.
    pub id: RoomId,
    /// Its name.
    pub name: Name,
    /// Its topic; empty if there is none.
    pub topic: Arc<str>,
    /// Who is in it.
    pub members: BTreeSet<SessionId>,
    /// Since when it exists.
    pub since: Wall,
    /// Where the one is from who opened it; `None` if nobody did, or nobody who is counted.
    pub(super) opened_from: Option<Origin>,
    /// Something of it is on disk, or on its way there.
    pub(super) recorded: bool,
    /// Lines said in it since then.
    pub lines: u64,
    /// What is kept of them.
    pub history: CopyOnWrite<History>,
    /// Whether what is said in it is kept, see `history.off`.
    pub(super) kept: bool,
    /// Whose it is, and who may come in and speak.
    pub ownership: Ownership,
    pub(super) presence: Presence,
    /// How much is said in it.
    pub(super) crowd: Crowd,
    /// Everybody is being sent out of it: nobody there needs to be told who goes.
    pub(super) closing: bool,
}

impl Room {
    pub(super) fn new(id: RoomId, name: Name, since: Wall) -> Self {
        Self {
            id,
            name,
            topic: "".into(),
            members: BTreeSet::new(),
            since,
            opened_from: None,
            recorded: false,
            lines: 0,
            history: CopyOnWrite::default(),
            kept: true,
            ownership: Ownership::default(),
            presence: Presence::default(),
            crowd: Crowd::default(),
            closing: false,
        }
    }

    /// Its topic, if it has one.
    #[must_use]
    pub fn topic(&self) -> Option<Arc<str>> {
        (!self.topic.is_empty()).then(|| self.topic.clone())
    }
}

/// The last lines said in a room, at most `history.lines` lines and `history.bytes` bytes of text.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: VecDeque<Arc<Line>>,
    bytes: usize,
    /// The last lines as newcomers get them, made once for all who come before the next line.
    replay: Option<Arc<[Arc<Line>]>>,
}

/// What a line counts against `history.bytes`: its text and name, and what holds them.
pub(super) fn weight(line: &Line) -> usize {
    line.said.text().len() + line.said.nick().len() + std::mem::size_of::<Line>()
}

impl History {
    /// Keeps a line, and lets go of the oldest ones over the limits.
    pub fn push(&mut self, line: Arc<Line>, limits: &settings::History) {
        self.bytes += weight(&line);
        self.lines.push_back(line);
        self.trim(limits);
    }

    /// Lets go of the oldest lines over the limits.
    pub fn trim(&mut self, limits: &settings::History) {
        self.replay = None;
        while self.lines.len() > limits.lines || self.bytes > limits.bytes {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= weight(&oldest);
        }
    }

    /// Puts lines before all others, if they are older, as far as there is room for them.
    pub(super) fn prepend(&mut self, lines: impl DoubleEndedIterator<Item = Line>, limits: &settings::History) {
        let first = self.lines.front().map_or(u64::MAX, |line| line.seq);
        for line in lines.rev().filter(|line| line.seq < first) {
            self.bytes += weight(&line);
            self.lines.push_front(Arc::new(line));
        }
        self.trim(limits);
    }

    /// Makes those that are meant unreadable; says how many there were.
    pub(super) fn redact(&mut self, what: &Selector, room: &str) -> u64 {
        let mut count = 0;
        for line in &mut self.lines {
            if line.said != Said::Redacted && what.matches(room, line) {
                self.bytes -= weight(line);
                *line = Arc::new(Line { author: None, said: Said::Redacted, borne: Borne::default(), ..**line });
                self.bytes += weight(line);
                count += 1;
            }
        }
        if count > 0 {
            self.replay = None;
        }
        count
    }

    /// All lines kept, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Line>> + ExactSizeIterator {
        self.lines.iter()
    }

    /// What a newcomer is shown: the [`newest`], put together once for all who come before the next line.
    pub fn replay(&mut self, count: usize, bytes: usize) -> Arc<[Arc<Line>]> {
        if let Some(replay) = &self.replay {
            return replay.clone();
        }
        let replay: Arc<[Arc<Line>]> = newest(self.iter(), count, bytes);
        self.replay = Some(replay.clone());
        replay
    }

    /// The history that holds these lines, oldest first.
    #[must_use]
    pub fn of(lines: Vec<Arc<Line>>) -> Self {
        let bytes = lines.iter().map(|line| weight(line)).sum();
        Self { lines: lines.into(), bytes, replay: None }
    }

    /// How many lines are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What they weigh, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The last of `lines`, oldest first: at most `count`, and no more than weigh `bytes`.
pub fn newest<'a>(
    lines: impl DoubleEndedIterator<Item = &'a Arc<Line>>,
    count: usize,
    bytes: usize,
) -> Arc<[Arc<Line>]> {
    let mut left = bytes;
    let fits = |line: &&Arc<Line>| {
        let rest = left.checked_sub(weight(line));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let mut newest: Vec<_> = lines.rev().take(count).take_while(fits).cloned().collect();
    newest.reverse();
    newest.into()
}

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
            let refill = rooms.gather / rooms.announce_burst.max(1);
            let full_at = self.full_at.max(now.mono).after(refill);
            if full_at <= now.mono.after(rooms.gather) {
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
