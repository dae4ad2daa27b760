//! How long what was said is kept in memory: as long as on disk, `history.keep` and `history.keep_lines`.
//!
//! Nobody is shown a line beyond the [`Horizon`], by what the clock says when they look. To let go of the lines that
//! are beyond it is a matter of memory alone: rooms are looked through when the oldest line is due, some at a time,
//! and an idle hub with nothing to let go of does nothing.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::Line;
use super::{AT_A_TIME, Hub, Turn};
use crate::settings;
use crate::values::id::RoomId;
use crate::values::time::{Mono, Now, Wall};

/// How many lines are let go of at a time: each takes some 50 ns.
const LINES: usize = 5000;

/// How many numbers of lines are remembered to count by.
const MARKS: u64 = 1024;

/// Rooms are looked through so often at least, if anything in them is ever due: the clock on the wall may have jumped.
const AT_LEAST: Duration = Duration::from_secs(3600);

/// What is kept: lines said since then, with that number or a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// The time, `None` if lines are kept however old they are.
    pub since: Option<Wall>,
    /// The number.
    pub from: u64,
}

impl Horizon {
    /// Whether a line is kept still.
    #[must_use]
    pub fn keeps(&self, line: &Line) -> bool {
        line.seq >= self.from && self.since.is_none_or(|since| line.at >= since)
    }
}

/// What is to be let go of, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Retention {
    /// When rooms are looked through next.
    due: Option<Mono>,
    /// With which room that goes on, and the time of the oldest line in those before.
    next: Option<RoomId>,
    oldest: Option<Wall>,
    /// Numbers of the newest lines, each of them or one of `every`; together as many as `history.keep_lines`.
    marks: VecDeque<u64>,
    every: u64,
    /// Lines since the last mark, it included; 0 stands for `every`.
    since_mark: u64,
    /// Lines before this one are more than are kept.
    from: u64,
}

impl Retention {
    /// Looked through as soon as there is a tick: what a release has kept that kept everything.
    pub(super) fn at_once() -> Self {
        Self { due: Some(Mono(0)), ..Self::default() }
    }

    pub(super) fn due(&self) -> Option<Mono> {
        self.due
    }

    fn counted(&self) -> u64 {
        let last = if self.since_mark == 0 { self.every } else { self.since_mark };
        (self.marks.len() as u64).saturating_sub(1) * self.every + if self.marks.is_empty() { 0 } else { last }
    }

    /// A line of that number is kept; `counts` says whether among those of all rooms.
    pub(super) fn note(&mut self, seq: u64, counts: bool, now: Mono, limits: &settings::History) {
        if let Some(keep) = limits.keep
            && self.due.is_none()
        {
            self.due = Some(now.after(keep.min(AT_LEAST)));
        }
        if !counts || limits.keep_lines == 0 {
            return;
        }
        if self.every == 0 {
            self.every = limits.keep_lines.div_ceil(MARKS);
        }
        if self.since_mark == 0 {
            self.marks.push_back(seq);
        }
        self.since_mark = (self.since_mark + 1) % self.every;
        while self.counted() > limits.keep_lines {
            self.marks.pop_front();
            self.from = self.marks.front().copied().unwrap_or(seq);
            let soon = now.after(grain(limits));
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }
}

/// How exactly the memory of lines is given back on time.
fn grain(limits: &settings::History) -> Duration {
    let keep = limits.keep.unwrap_or(AT_LEAST);
    (keep / 60).clamp(Duration::from_secs(1), AT_LEAST)
}

impl Hub {
    /// What is kept at `now` of what was said.
    #[must_use]
    pub fn horizon(&self, now: Now) -> Horizon {
        Horizon {
            since: self.settings.history.keep.map(|keep| now.wall.before(keep)),
            from: self.recording.retention.from,
        }
    }

    /// Counts the lines that are in memory: they were there before, or another number of them is kept.
    pub(super) fn count_kept(&mut self, now: Now) {
        let mut seqs: Vec<u64> = Vec::new();
        let keep_lines = self.settings.history.keep_lines;
        if keep_lines > 0 {
            for room in self.rooms.open.values() {
                let public =
                    room.history.iter().map(|line| line.seq).filter(|seq| !room.ownership.is_private_line(*seq));
                seqs.extend(public);
            }
            seqs.extend(self.recording.dormant.values().flat_map(|(_, history)| history.iter().map(|line| line.seq)));
            seqs.sort_unstable();
            seqs.drain(..seqs.len().saturating_sub(usize::try_from(keep_lines).unwrap_or(usize::MAX)));
        }
        let from = if seqs.is_empty() { 0 } else { self.recording.retention.from.max(seqs[0]) };
        self.recording.retention = Retention { due: Some(now.mono), from, ..Retention::default() };
        for seq in seqs {
            self.recording.retention.note(seq, true, now.mono, &self.settings.history);
        }
    }
}

impl Turn<'_> {
    /// Lets go of lines that are kept no longer, if it is time: in some rooms, or of some lines.
    pub(super) fn let_go(&mut self) {
        if self.hub.recording.retention.due.is_none_or(|due| due > self.now.mono) {
            return;
        }
        let horizon = self.hub.horizon(self.now);
        self.hub.recording.backlog.let_go(horizon, LINES);
        let mut passed = std::mem::take(&mut self.hub.recording.retention);
        let from = passed.next.unwrap_or(RoomId(0));
        let rooms: Vec<RoomId> =
            self.hub.rooms.open.values_from(from).map(|room| room.id).take(AT_A_TIME + 1).collect();
        passed.next = None;
        for (at, id) in rooms.into_iter().enumerate() {
            if at == AT_A_TIME {
                passed.next = Some(id);
                break;
            }
            // What a snapshot shares is not copied for a look.
            if self.hub.rooms.open[&id].history.is_due(horizon)
                && let Some(room) = self.hub.rooms.open.get_mut(&id)
            {
                room.history.let_go(horizon, LINES);
                if room.history.is_due(horizon) {
                    passed.next = Some(id);
                    break;
                }
            }
            let oldest = self.hub.rooms.open[&id].history.oldest();
            passed.oldest = passed.oldest.into_iter().chain(oldest).min();
        }
        if passed.next.is_none() {
            // Few rooms are recalled.
            if self.hub.recording.dormant.values().any(|(_, history)| history.is_due(horizon)) {
                self.hub.recording.dormant.retain(|_, (_, history)| {
                    history.let_go(horizon, usize::MAX);
                    !history.is_empty()
                });
            }
            let dormant = self.hub.recording.dormant.values().filter_map(|(_, history)| history.oldest());
            let oldest = passed.oldest.take().into_iter().chain(dormant).min();
            let limits = &self.hub.settings.history;
            passed.due = oldest.zip(limits.keep).map(|(oldest, keep)| {
                let left = oldest.after(keep).0.saturating_sub(self.now.wall.0);
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).saturating_add(1));
                self.now.mono.after(left.clamp(grain(limits), AT_LEAST))
            });
        }
        self.hub.recording.retention = passed;
    }
}
