//! The lines of a room that are kept in memory, within bounds, for newcomers and searches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::archive::Selector;
use super::ignore::Borne;
use super::message::{Line, Said};
use super::peering::entry::EntryId;
use super::retention::Horizon;
use crate::settings::{self};
use crate::values::id::SessionId;
use crate::values::time::Wall;

/// The last lines said in a room, at most `history.lines` lines and `history.bytes` bytes of text.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: VecDeque<Arc<Line>>,
    /// The lines that nobody but their authors find here, by number.
    unheard: BTreeMap<u64, SessionId>,
    bytes: usize,
    /// Whether a line may be older than one before it, because the wall clock has gone backwards.
    unordered: bool,
    /// The last lines as newcomers are shown them, collected once for all who come before the next
    /// line.
    replay: Option<Arc<[Arc<Line>]>>,
}

/// The bytes that a line counts against `history.bytes`: its text, its name, and the structure that
/// holds them.
pub(super) fn weight(line: &Line) -> usize {
    line.said.text().len() + line.said.nick().len() + LINE
}

/// The bytes of a line itself, without [`Line::apart`] and [`Line::origin`]: a release without these fields has kept as
/// many lines as fit without them, and all of them must still fit.
const LINE: usize = size_of::<Line>() - size_of::<Option<Arc<[SessionId]>>>() - size_of::<Option<Arc<EntryId>>>();

/// The line that replaces a line made unreadable.
pub(super) fn redacted(line: &Line) -> Line {
    let (borne, origin) = (Borne::default(), line.origin.clone());
    Line { author: None, said: Said::Redacted, borne, apart: None, origin, ..*line }
}

impl History {
    /// Keeps a line, and drops the oldest lines beyond the limits.
    pub fn push(&mut self, line: Arc<Line>, limits: &settings::History) {
        self.bytes += weight(&line);
        self.unordered |= self.lines.back().is_some_and(|last| last.at > line.at);
        self.lines.push_back(line);
        self.trim(limits);
    }

    /// Keeps a line that nobody but its author finds here.
    pub(super) fn push_unheard(&mut self, line: Arc<Line>, limits: &settings::History) {
        if let Some(author) = line.author {
            self.unheard.insert(line.seq, author);
            self.push(line, limits);
        }
    }

    /// Puts back lines that nobody but their authors find here, each at the place of its number.
    pub(super) fn take_back_unheard(&mut self, lines: Vec<Arc<Line>>) {
        for line in lines {
            let Some(author) = line.author else { continue };
            if self.lines.iter().any(|known| known.seq == line.seq) {
                continue;
            }
            self.unheard.insert(line.seq, author);
            self.bytes += weight(&line);
            let at = self.lines.partition_point(|known| known.seq < line.seq);
            self.lines.insert(at, line);
        }
        self.replay = None;
    }

    /// Drops the oldest lines beyond the limits.
    pub fn trim(&mut self, limits: &settings::History) {
        self.replay = None;
        while self.lines.len() > limits.lines || self.bytes > limits.bytes {
            let Some(oldest) = self.lines.pop_front() else { break };
            self.bytes -= weight(&oldest);
            self.unheard.remove(&oldest.seq);
        }
    }

    /// Puts older lines before all others, as far as the limits allow.
    pub(super) fn prepend(&mut self, lines: impl DoubleEndedIterator<Item = Line>, limits: &settings::History) {
        let first = self.lines.front().map_or(u64::MAX, |line| line.seq);
        for line in lines.rev().filter(|line| line.seq < first) {
            self.bytes += weight(&line);
            self.unordered |= self.lines.front().is_some_and(|next| next.at < line.at);
            self.lines.push_front(Arc::new(line));
        }
        self.trim(limits);
    }

    /// Whether `horizon` requires a line to be dropped.
    pub(super) fn is_due(&self, horizon: Horizon) -> bool {
        if self.unordered {
            return self.lines.iter().any(|line| !horizon.keeps(line));
        }
        self.lines.front().is_some_and(|line| !horizon.keeps(line))
    }

    /// When the oldest line was said; `None` if there is no line.
    pub(super) fn oldest(&self) -> Option<Wall> {
        if self.unordered {
            self.lines.iter().map(|line| line.at).min()
        } else {
            self.lines.front().map(|line| line.at)
        }
    }

    /// Drops the oldest lines that `horizon` does not keep, at most `most` of them. If lines are
    /// out of order, it drops all that `horizon` does not keep.
    pub(super) fn let_go(&mut self, horizon: Horizon, most: usize) {
        self.replay = None;
        for _ in 0..most {
            if self.lines.front().is_none_or(|line| horizon.keeps(line)) {
                break;
            }
            if let Some(oldest) = self.lines.pop_front() {
                self.bytes -= weight(&oldest);
                self.unheard.remove(&oldest.seq);
            }
        }
        if self.unordered {
            let unheard = &mut self.unheard;
            self.lines.retain(|line| {
                let keeps = horizon.keeps(line);
                if !keeps {
                    unheard.remove(&line.seq);
                }
                keeps
            });
            self.bytes = self.lines.iter().map(|line| weight(line)).sum();
            self.unordered = !self.lines.iter().is_sorted_by_key(|line| line.at);
        }
    }

    /// The places of the readable lines of `room` that are selected, the newest first; and the
    /// number of lines looked at.
    pub(super) fn meant(&self, what: &Selector, room: &str) -> (Vec<usize>, usize) {
        if what.room.as_deref().is_some_and(|wanted| wanted != room) {
            return (Vec::new(), 0);
        }
        let too_old = |line: &Line| {
            what.from.is_some_and(|from| line.seq < from)
                || (!self.unordered && what.since.is_some_and(|since| line.at < since))
        };
        let mut looked_at = 0;
        let newest = self.lines.iter().enumerate().rev().inspect(|_| looked_at += 1);
        let meant = newest
            .take_while(|(_, line)| !too_old(line))
            .filter(|(_, line)| line.said != Said::Redacted && what.matches(room, line))
            .map(|(place, _)| place)
            .collect();
        (meant, looked_at)
    }

    /// The line at this place.
    pub(super) fn at(&self, place: usize) -> &Arc<Line> {
        &self.lines[place]
    }

    /// Makes the lines at these places unreadable.
    pub(super) fn redact(&mut self, places: &[usize]) {
        for place in places {
            let line = &mut self.lines[*place];
            self.bytes -= weight(line);
            // If nobody but the author finds the line, the author also finds its replacement, even
            // after a snapshot.
            let author = self.unheard.get(&line.seq).copied();
            *line = Arc::new(Line { author, ..redacted(line) });
            self.bytes += weight(line);
        }
        self.replay = None;
    }

    /// The number of lines kept with numbers below `seq`.
    #[must_use]
    pub fn before(&self, seq: u64) -> usize {
        self.lines.partition_point(|line| line.seq < seq)
    }

    /// The line of this number, if it is kept.
    #[must_use]
    pub fn find(&self, seq: u64) -> Option<&Arc<Line>> {
        self.lines.binary_search_by_key(&seq, |line| line.seq).ok().map(|at| &self.lines[at])
    }

    /// All lines that everybody may find, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Line>> {
        self.lines.iter().filter(|line| !self.unheard.contains_key(&line.seq))
    }

    /// All lines that `reader` may find: those for everybody, and its own unheard ones.
    pub(super) fn iter_for(&self, reader: SessionId) -> impl DoubleEndedIterator<Item = &Arc<Line>> {
        self.lines.iter().filter(move |line| self.unheard.get(&line.seq).is_none_or(|author| *author == reader))
    }

    /// The lines that nobody but their authors find, the oldest first.
    pub(super) fn unheard(&self) -> impl Iterator<Item = &Arc<Line>> {
        self.lines.iter().filter(|line| self.unheard.contains_key(&line.seq))
    }

    /// Whether nobody but its author finds the line of this number.
    pub(super) fn is_unheard(&self, seq: u64) -> bool {
        self.unheard.contains_key(&seq)
    }

    /// The author of the line of this number, if nobody else finds it.
    pub(super) fn found_only_by(&self, seq: u64) -> Option<SessionId> {
        self.unheard.get(&seq).copied()
    }

    /// Whether there are lines of `author` that nobody else finds.
    pub(super) fn has_unheard_of(&self, author: SessionId) -> bool {
        self.unheard.values().any(|one| *one == author)
    }

    /// The lines that a newcomer is shown: the [`newest`], collected once for all who come before
    /// the next line.
    pub fn replay(&mut self, count: usize, bytes: usize) -> Arc<[Arc<Line>]> {
        if let Some(replay) = &self.replay {
            return replay.clone();
        }
        let replay: Arc<[Arc<Line>]> = newest(self.iter(), count, bytes);
        self.replay = Some(replay.clone());
        replay
    }

    /// A history of these lines, which are in order, the oldest first.
    #[must_use]
    pub fn of(lines: Vec<Arc<Line>>) -> Self {
        let bytes = lines.iter().map(|line| weight(line)).sum();
        let unordered = !lines.iter().is_sorted_by_key(|line| line.at);
        Self { lines: lines.into(), unheard: BTreeMap::new(), bytes, unordered, replay: None }
    }

    /// The number of lines kept, including those that only their authors find.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether no line is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The weight of all lines, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The last of `lines`, the oldest first: at most `count`, and together no heavier than `bytes`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::retention::Horizon;
    use crate::settings::Settings;

    fn line(seq: u64, at: i64) -> Arc<Line> {
        let said = Said::Say { nick: "ann".into(), text: "hello".into() };
        Arc::new(Line {
            seq,
            at: Wall(at),
            author: Some(SessionId(7)),
            said,
            borne: Borne::default(),
            apart: None,
            origin: None,
        })
    }

    /// The index of unheard lines loses a line however that line is dropped.
    #[test]
    fn nothing_is_left_of_unheard_lines_that_are_gone() {
        let limits = &Settings::default().history;
        // Once in the order of their times, and once out of order.
        for times in [[10, 20, 30, 40], [40, 10, 30, 20]] {
            let mut history = History::default();
            for (seq, at) in (1..).zip(times) {
                history.push_unheard(line(seq, at), limits);
            }
            history.let_go(Horizon { since: Some(Wall(25)), from: 0 }, 100);
            let left: Vec<u64> = history.iter_for(SessionId(7)).map(|line| line.seq).collect();
            assert_eq!(history.unheard.keys().copied().collect::<Vec<_>>(), left);
            assert_eq!(left.len(), 2);
            history.let_go(Horizon { since: Some(Wall(100)), from: 0 }, 100);
            assert!(!history.has_unheard_of(SessionId(7)) && history.is_empty() && history.bytes() == 0);
        }
    }

    #[test]
    fn an_unheard_line_that_is_made_unreadable_stays_its_authors_after_a_snapshot() {
        let limits = &Settings::default().history;
        let mut history = History::default();
        history.push(line(1, 10), limits);
        history.push_unheard(line(2, 20), limits);
        history.redact(&[1]);
        let (heard, unheard) = (history.iter().cloned().collect(), history.unheard().cloned().collect());
        let mut restored = History::of(heard);
        restored.take_back_unheard(unheard);
        let seen = |history: &History, reader| history.iter_for(SessionId(reader)).cloned().collect::<Vec<_>>();
        for reader in [7, 8] {
            assert_eq!(seen(&restored, reader), seen(&history, reader));
        }
        assert_eq!(seen(&restored, 7).last().map(|line| &line.said), Some(&Said::Redacted));
    }
}
