//! A lane of our own: the entries that some other hub may not have, and how far they are published.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::{Content, Entry, EntryId, Epoch, Frame, HubId, Lane, Spoken, weight};
use crate::hub::archive::Selector;
use crate::hub::message::{Line, Said};
use crate::hub::retention::Horizon;

/// The most bytes of entries in one frame, unless one entry alone has more.
const FRAME: usize = 64 * 1024;

/// What is kept of an entry of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kept {
    /// The line, as our own people have it: redaction and retention find it by its number, its author and its words.
    Line(Arc<Line>),
    Removed,
    Gap {
        from: u64,
    },
}

/// An entry of ours that not all hubs have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    n: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    after: Vec<EntryId>,
    kept: Kept,
}

impl Waiting {
    fn first(&self) -> u64 {
        if let Kept::Gap { from } = self.kept { from } else { self.n }
    }

    fn weight(&self) -> usize {
        let texts = match &self.kept {
            Kept::Line(line) => line.said.nick().len() + line.said.text().len(),
            Kept::Removed | Kept::Gap { .. } => 0,
        };
        weight(texts, self.after.len())
    }

    fn entry(&self) -> Entry {
        let content = match &self.kept {
            Kept::Line(line) => Content::Line(Spoken {
                who: line.author.map_or(0, |author| author.0),
                nick: line.said.nick().into(),
                text: line.said.text().into(),
                emote: matches!(line.said, Said::Emote { .. }),
                at: line.at,
            }),
            Kept::Removed => Content::Removed,
            Kept::Gap { from } => Content::Gap { from: *from },
        };
        Entry { n: self.n, after: self.after.clone(), content }
    }
}

/// A lane of our own, in one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outbox {
    run: u64,
    /// The number of the last entry.
    n: u64,
    /// The entries that some hub may not have, without gaps, up to `n`.
    #[serde(default)]
    waiting: VecDeque<Waiting>,
    /// What they weigh, in bytes.
    #[serde(skip)]
    bytes: usize,
    /// What of other hubs our entries have come after so far, at most one entry of each hub.
    #[serde(default)]
    told: Vec<EntryId>,
    /// The last entry of the frame that is on its way to the log. One frame is on its way at a time: frames that were
    /// sent side by side could be stored in another order, of which only the first would count.
    #[serde(default)]
    sending: Option<u64>,
    /// The last entry that the log has acknowledged since the link has connected.
    #[serde(default)]
    sent: u64,
    /// The entries from here on are wanted again.
    #[serde(default)]
    again: Option<u64>,
    /// The position of our last frame in the log.
    #[serde(default)]
    expect: u64,
}

impl Outbox {
    pub(super) fn new(run: u64) -> Self {
        Self { run, ..Self::default() }
    }

    pub(super) fn run(&self) -> u64 {
        self.run
    }

    /// The number of the last entry.
    pub(super) fn last(&self) -> u64 {
        self.n
    }

    /// The lowest number that is still here; one more than the last one if none is.
    pub(super) fn first(&self) -> u64 {
        self.waiting.front().map_or(self.n + 1, Waiting::first)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes a line. `shown` is what our people have been shown of each other hub.
    pub(super) fn push(&mut self, line: Arc<Line>, shown: impl Iterator<Item = EntryId>) {
        self.n += 1;
        let mut after = Vec::new();
        for shown in shown {
            match self.told.iter_mut().find(|told| told.hub == shown.hub) {
                Some(told) if *told >= shown => continue,
                Some(told) => *told = shown.clone(),
                None => self.told.push(shown.clone()),
            }
            after.push(shown);
        }
        let waiting = Waiting { n: self.n, after, kept: Kept::Line(line) };
        self.bytes += waiting.weight();
        self.waiting.push_back(waiting);
    }

    /// The next frame to be published, if there is one, and where the log has our frame before it. From then on it is
    /// on its way.
    pub(super) fn next_frame(&mut self, lane: &Lane, hub: &HubId, epoch: Epoch) -> Option<(Frame, u64)> {
        if self.sending.is_some() {
            return None;
        }
        let (first, mut entries) = (self.first(), Vec::new());
        if let Some(from) = self.again.take() {
            if from < first {
                // All hubs that we know had these entries, so nobody has kept them.
                let content = Content::Gap { from };
                entries.push(Entry { n: first - 1, after: Vec::new(), content });
            }
            self.sent = self.sent.min(from - 1);
        }
        let mut room = FRAME;
        for waiting in self.waiting.iter().skip_while(|waiting| waiting.n <= self.sent) {
            if !entries.is_empty() && room < waiting.weight() {
                break;
            }
            room = room.saturating_sub(waiting.weight());
            entries.push(waiting.entry());
        }
        self.sending = Some(entries.last()?.n);
        Some((Frame { lane: lane.clone(), hub: hub.clone(), epoch, run: self.run, first, entries }, self.expect))
    }

    /// The frame that ends with the entry `n` is in the log, which says so. Returns whether it was on its way.
    pub(super) fn stored(&mut self, n: u64, position: u64) -> bool {
        let was_sending = self.sending.take_if(|sending| *sending == n).is_some();
        if was_sending {
            self.sent = self.sent.max(n);
            self.expect = position;
        }
        was_sending
    }

    /// The frame that ends with the entry `n` is not in the log. `position`: where our last frame is, if that is known.
    /// The frame is sent again in any case: also if the one that is in the log is the same, because what the log said
    /// of it got lost. Returns whether it was on its way.
    pub(super) fn refused(&mut self, n: u64, position: Option<u64>) -> bool {
        let was_sending = self.sending.take_if(|sending| *sending == n).is_some();
        if was_sending {
            self.expect = position.unwrap_or(self.expect);
        }
        was_sending
    }

    /// The last entry that the log has acknowledged since the link has connected.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// The link has connected, or will no longer answer: all that is here is to be sent again. `anew`: to a log that
    /// has nothing of ours.
    pub(super) fn rewind(&mut self, anew: bool) {
        (self.sending, self.again) = (None, None);
        self.sent = self.first() - 1;
        if anew {
            self.expect = 0;
        }
    }

    /// A hub wants all entries from the number `from` on.
    pub(super) fn wanted(&mut self, from: u64) {
        if (1..=self.n).contains(&from) {
            self.again = Some(self.again.map_or(from, |again| again.min(from)));
        }
    }

    /// All hubs have the entries up to the number `through`.
    pub(super) fn confirm(&mut self, through: u64) {
        while let Some(waiting) = self.waiting.front()
            && waiting.n <= through
        {
            self.bytes -= waiting.weight();
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() && self.waiting.capacity() > 1024 {
            self.waiting = VecDeque::new();
        }
        self.sent = self.sent.max(self.first() - 1);
    }

    /// Makes a gap of the older half. Returns false if all that is here is a gap already.
    ///
    /// A half, and not the one entry that is over the bound: others are then told of few long gaps instead of many short
    /// ones.
    pub(super) fn give_up_half(&mut self) -> bool {
        let is_gap = |waiting: &Waiting| matches!(waiting.kept, Kept::Gap { .. });
        if self.waiting.iter().all(is_gap) {
            return false;
        }
        let least = 1 + usize::from(self.waiting.front().is_some_and(is_gap));
        let given_up: Vec<_> = self.waiting.drain(..least.max(self.waiting.len() / 2)).collect();
        let (Some(first), Some(last)) = (given_up.first(), given_up.last()) else { return false };
        let (from, n) = (first.first(), last.n);
        let mut after: Vec<EntryId> = Vec::new();
        for entry in given_up.iter().flat_map(|waiting| &waiting.after) {
            // The last entry of each hub includes those before it.
            after.retain(|other| other.hub != entry.hub);
            after.push(entry.clone());
        }
        self.waiting.push_front(Waiting { n, after, kept: Kept::Gap { from } });
        self.weigh();
        true
    }

    /// Removes the words of the selected lines. Returns how many entries were looked at.
    pub(super) fn redact(&mut self, room: &str, what: &Selector) -> usize {
        self.remove(|line| what.matches(room, line))
    }

    /// Removes the words of lines that `horizon` does not keep.
    pub(super) fn let_go(&mut self, horizon: Horizon) {
        self.remove(|line| !horizon.keeps(line));
    }

    fn remove(&mut self, is_meant: impl Fn(&Line) -> bool) -> usize {
        for waiting in &mut self.waiting {
            if let Kept::Line(line) = &waiting.kept
                && is_meant(line)
            {
                waiting.kept = Kept::Removed;
            }
        }
        self.weigh();
        self.waiting.len()
    }

    fn weigh(&mut self) {
        self.bytes = self.waiting.iter().map(Waiting::weight).sum();
    }

    /// Checks what was read from a snapshot, and weighs it.
    pub(super) fn revive(&mut self, next_line: u64) -> Result<(), String> {
        let mut next = None;
        for waiting in &self.waiting {
            if waiting.first() < 1 || waiting.first() > waiting.n || next.is_some_and(|next| next != waiting.first()) {
                return Err(format!("entry {} is not in its place", waiting.n));
            }
            if let Kept::Line(line) = &waiting.kept
                && line.seq >= next_line
            {
                return Err(format!("line {} cannot be published", line.seq));
            }
            next = waiting.n.checked_add(1);
        }
        if next.is_some_and(|next| next - 1 != self.n) || self.sent > self.n || self.again == Some(0) {
            return Err(format!("{} entries do not fit together", self.n));
        }
        self.weigh();
        Ok(())
    }

    /// Panics if the weight or the order is wrong.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.bytes, self.waiting.iter().map(Waiting::weight).sum::<usize>());
        let follow =
            self.waiting.iter().zip(self.waiting.iter().skip(1)).all(|(one, other)| one.n + 1 == other.first());
        assert!(follow && self.waiting.back().is_none_or(|last| last.n == self.n), "entries follow each other");
        assert!(self.sent <= self.n && self.sending.is_none_or(|sending| sending <= self.n));
    }
}
