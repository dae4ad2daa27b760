//! A room's log: its lines, and one rendering of them for each view in use.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::reader::Reader;
use crate::hub::message::{Line, View};
use crate::values::terminal::Colors;
use crate::wire::render;

/// A room's lines, from the oldest one that some reader may still be owed, and their renderings.
/// Lines are numbered from 0 on since the log was opened.
#[derive(Debug, Default)]
pub struct Log {
    /// The number of `lines[0]`.
    first: u64,
    lines: VecDeque<Arc<Line>>,
    renderings: Vec<Rendering>,
}

/// The form of a log in a snapshot. Renderings are made again when readers resume.
#[derive(Deserialize)]
struct SavedLog {
    first: u64,
    lines: VecDeque<Arc<Line>>,
}

impl Serialize for Log {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Saving<'a> {
            first: u64,
            lines: &'a VecDeque<Arc<Line>>,
        }
        Saving { first: self.first, lines: &self.lines }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Log {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let SavedLog { first, lines } = SavedLog::deserialize(deserializer)?;
        first.checked_add(lines.len() as u64).ok_or_else(|| de::Error::custom("a log without end"))?;
        Ok(Self { first, lines, renderings: Vec::new() })
    }
}

/// The lines of a log, rendered in one view.
#[derive(Debug)]
pub(super) struct Rendering {
    view: View,
    /// The number of readers that use this rendering.
    readers: usize,
    /// The number of the first line that is rendered. It may be higher than the log's first: the
    /// log also holds lines that only readers of other views are still owed.
    first: u64,
    /// The offset at which each line starts, in bytes since the first line that was ever rendered
    /// here. One entry for each of the log's lines from `first` on.
    starts: VecDeque<u64>,
    /// The offset of `bytes[0]`, in the same count.
    base: u64,
    /// The bytes of all lines, one behind the other; at the front there may be bytes of dropped
    /// lines.
    bytes: Vec<u8>,
}

/// The most ornate renderings of a log: those that are coloured, wrapped or in ASCII. A reader that
/// would need one more uses a plainer one; then its terminal wraps lines by itself, though less
/// well.
pub const MAX_ORNATE: usize = 64;

/// Bytes of dropped lines that may stay at the front of a rendering: moving the rest would cost
/// more.
const SLACK: usize = 64 * 1024;

/// An estimate of the memory that a line takes beside its renderings, in bytes: the value itself,
/// its author's name and its text.
pub(super) const LINE: usize = size_of::<Line>() + 96;

/// The least capacity that an empty rendering keeps for lines to come, in bytes.
const KEEP: usize = 4 * 1024;

impl Rendering {
    /// A rendering of `lines`, the first of which has the number `first`. No reader uses it yet.
    fn new<'a>(view: View, first: u64, lines: impl Iterator<Item = &'a Arc<Line>>) -> Self {
        let mut rendering = Self { view, readers: 0, first, starts: VecDeque::new(), base: 0, bytes: Vec::new() };
        for line in lines {
            rendering.push(line);
        }
        rendering
    }

    /// The index of line number `line` in `starts`.
    fn index(&self, line: u64) -> usize {
        usize::try_from(line - self.first).expect("within memory")
    }

    /// The number of the last line plus one.
    pub(super) fn end(&self) -> u64 {
        self.first + self.starts.len() as u64
    }

    fn push(&mut self, line: &Line) {
        self.starts.push_back(self.base + self.bytes.len() as u64);
        render::line(line, self.view, &mut self.bytes);
    }

    /// The offset at which the line with this index starts. For the index behind the last line: the
    /// offset at which the last line ends.
    fn start(&self, index: usize) -> u64 {
        self.starts.get(index).copied().unwrap_or(self.base + self.bytes.len() as u64)
    }

    /// The bytes of the lines with numbers `from..to`.
    pub(super) fn run(&self, from: u64, to: u64) -> &[u8] {
        let offset = |line| usize::try_from(self.start(self.index(line)) - self.base).expect("within memory");
        &self.bytes[offset(from)..offset(to)]
    }

    /// Bytes of all lines in this rendering, without dropped ones.
    fn live(&self) -> usize {
        self.run(self.first, self.end()).len()
    }

    /// The memory that the lines from `line` on take, in bytes: as bytes of this rendering, and as
    /// lines of the log.
    fn weight_from(&self, line: u64) -> usize {
        self.run(line, self.end()).len() + usize::try_from(self.end() - line).unwrap_or(usize::MAX) * LINE
    }

    /// The lowest line from which on all lines together take at most `limit` bytes of memory.
    fn first_within(&self, limit: usize) -> u64 {
        self.first_weighing(self.first, limit, |line| self.weight_from(line))
    }

    /// The lowest line, not below `from`, from which on at most `limit` bytes are to be sent.
    pub(super) fn first_to_send_within(&self, from: u64, limit: usize) -> u64 {
        self.first_weighing(from, limit, |line| self.run(line, self.end()).len())
    }

    /// The lowest line, not below `from`, whose `weight` is at most `limit`. `weight` gives the
    /// weight of a line and all lines behind it, so it never grows from one line to the next.
    fn first_weighing(&self, from: u64, limit: usize, weight: impl Fn(u64) -> usize) -> u64 {
        let (mut low, mut high) = (from, self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if weight(middle) > limit { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The position of a reader to which `bytes` bytes were sent from the start of line `from` on:
    /// the first line of which no byte is sent, and the bytes of the line before it that are still
    /// to be sent.
    pub(super) fn sent(&self, from: u64, bytes: usize) -> (u64, usize) {
        let offset = self.start(self.index(from)) + bytes as u64;
        let next = self.starts.partition_point(|start| *start < offset);
        let rest = usize::try_from(self.start(next) - offset).expect("a line");
        (self.first + next as u64, rest)
    }

    /// Drops all lines with numbers below `line`.
    fn trim_to(&mut self, line: u64) {
        let count = usize::try_from(line.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.starts.len());
        if count > 0 {
            self.drop_lines(count);
        }
    }

    fn drop_lines(&mut self, count: usize) {
        self.first += count as u64;
        self.starts.drain(..count);
        if self.starts.is_empty() {
            self.base += self.bytes.len() as u64;
            // Capacity for twice as much is kept: otherwise the buffer of a busy room would grow
            // anew each round.
            let room = (self.bytes.len() * 2).max(KEEP);
            self.bytes.clear();
            if self.bytes.capacity() > 2 * room {
                self.bytes.shrink_to(room);
            }
            return;
        }
        let dead = usize::try_from(self.start(0) - self.base).expect("within memory");
        if dead > SLACK && dead > self.bytes.len() / 2 {
            self.bytes.drain(..dead);
            self.base += dead as u64;
        }
    }
}

impl Log {
    /// A copy of the log for a snapshot: without renderings, and sharing the lines.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { first: self.first, lines: self.lines.clone(), renderings: Vec::new() }
    }

    /// Appends a line, and renders it in each view in use.
    pub fn push(&mut self, line: Arc<Line>) {
        for rendering in &mut self.renderings {
            rendering.push(&line);
        }
        self.lines.push_back(line);
    }

    /// The number that the next appended line will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The number of the oldest line that the log holds.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number of renderings: each appended line is rendered that many times.
    #[must_use]
    pub fn views(&self) -> usize {
        self.renderings.len()
    }

    /// The memory that the log takes, in bytes: all lines, and all renderings of them.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.lines.len() * LINE + self.renderings.iter().map(Rendering::live).sum::<usize>()
    }

    /// Whether a rendering holds more than its share of `limit` bytes: see [`Self::first_for`].
    #[must_use]
    pub fn is_over(&self, limit: usize) -> bool {
        let main = self.main();
        let weight = |rendering: &Rendering| rendering.weight_from(rendering.first);
        self.renderings.iter().any(|rendering| weight(rendering) > self.allowed(rendering.view, main, limit))
    }

    /// The view with the most readers.
    fn main(&self) -> Option<View> {
        // Among views with equally many readers, the first counts: only one view may hold `limit`,
        // see `allowed`.
        let most = self.renderings.iter().map(|rendering| rendering.readers).max()?;
        self.renderings.iter().find(|rendering| rendering.readers == most).map(|rendering| rendering.view)
    }

    /// The share of the rendering in `view`, in bytes: `limit` for the `main` view, which has the
    /// most readers. All other renderings share another `limit` in equal parts.
    fn allowed(&self, view: View, main: Option<View>, limit: usize) -> usize {
        if Some(view) == main { limit } else { limit / (self.renderings.len() - 1).max(1) }
    }

    /// The number of the oldest line that can stay if the rendering that `reader` uses is to hold
    /// no more than its share of `limit` bytes.
    #[must_use]
    pub fn first_for(&self, reader: &Reader, limit: usize) -> u64 {
        let view = reader.view_seen();
        self.rendering(view).first_within(self.allowed(view, self.main(), limit))
    }

    /// Drops from each rendering the lines that none of its readers is owed any more. `readers`
    /// must be all readers of this log.
    pub fn trim_renderings<'a>(&mut self, readers: impl Iterator<Item = &'a Reader>) {
        let end = self.end();
        let mut low: Vec<u64> = vec![end; self.renderings.len()];
        for reader in readers {
            if let Some(at) = self.renderings.iter().position(|rendering| rendering.view == reader.view_seen()) {
                low[at] = low[at].min(reader.next_line());
            }
        }
        for (rendering, low) in self.renderings.iter_mut().zip(low) {
            rendering.trim_to(low);
        }
    }

    /// Drops all lines with numbers below `line`, from the log and from all renderings.
    pub fn trim_to(&mut self, line: u64) {
        let count = usize::try_from(line.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.lines.len());
        if count > 0 {
            self.lines.drain(..count);
            self.first += count as u64;
            for rendering in &mut self.renderings {
                rendering.trim_to(self.first);
            }
        }
        if self.lines.is_empty() && self.lines.capacity() > 1024 {
            self.lines.shrink_to(64);
        }
    }

    /// The line with this number. Panics if the log does not hold it.
    pub(super) fn line(&self, number: u64) -> &Line {
        &self.lines[usize::try_from(number - self.first).expect("within memory")]
    }

    /// The rendering in `view`. Panics if no reader of the log uses that view.
    pub(super) fn rendering(&self, view: View) -> &Rendering {
        self.renderings.iter().find(|rendering| rendering.view == view).expect("readers keep their rendering")
    }

    /// Adds a reader that asks for `view` and reads from the present end on. Returns the view that
    /// it gets: a plainer one if there are [`MAX_ORNATE`] ornate renderings already.
    pub(super) fn take_view(&mut self, view: View) -> View {
        let is_ornate = |view: View| view != View { time: view.time, ..View::default() };
        let is_there = self.renderings.iter().any(|rendering| rendering.view == view);
        let ornate = self.renderings.iter().filter(|rendering| is_ornate(rendering.view)).count();
        if is_there || !is_ornate(view) || ornate < MAX_ORNATE {
            self.keep_view(view, self.end());
            return view;
        }
        // Widths vary the most, so wrapping is given up first; then colours.
        if view.width > 0 {
            return self.take_view(View { width: 0, usual: false, ..view });
        }
        if view.colors != Colors::None {
            return self.take_view(View { colors: Colors::None, ..view });
        }
        self.take_view(View { time: view.time, ..View::default() })
    }

    /// Adds a reader that uses the rendering in `view`; the first line that it is owed is `next`.
    pub(super) fn keep_view(&mut self, view: View, next: u64) {
        let render = |first: u64| {
            let skipped = usize::try_from(first - self.first).unwrap_or(usize::MAX);
            Rendering::new(view, first, self.lines.iter().skip(skipped))
        };
        match self.renderings.iter_mut().find(|rendering| rendering.view == view) {
            Some(rendering) if rendering.first <= next => rendering.readers += 1,
            // After a restart, readers are added one by one, and this one is further behind than
            // those before: the rendering is made again from its place.
            Some(rendering) => *rendering = Rendering { readers: rendering.readers + 1, ..render(next) },
            None => self.renderings.push(Rendering { readers: 1, ..render(next) }),
        }
    }

    /// Removes a reader from the rendering in `view`, and drops the rendering with its last reader.
    pub(super) fn drop_view(&mut self, view: View) {
        if let Some(at) = self.renderings.iter().position(|rendering| rendering.view == view) {
            self.renderings[at].readers -= 1;
            if self.renderings[at].readers == 0 {
                self.renderings.swap_remove(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::id::SessionId;
    use crate::wire::stream::tests::{line, take};

    #[test]
    fn there_are_only_so_many_renderings_and_who_comes_later_sees_lines_plain() {
        let mut log = Log::default();
        let view = |width: usize| View { width: u16::try_from(width).expect("few"), ..View::default() };
        let mut readers: Vec<_> = (0..MAX_ORNATE + 5).map(|number| Reader::new(SessionId(number as u64 + 2))).collect();
        for (number, reader) in readers.iter_mut().enumerate() {
            reader.view = view(20 + number);
            reader.enter(&mut log);
        }
        assert_eq!(log.renderings.len(), MAX_ORNATE + 1);
        assert_eq!(readers[MAX_ORNATE].seen, View::default());
        // A reader that leaves makes room for another one's view.
        readers[0].leave(&mut log);
        readers[MAX_ORNATE].leave(&mut log);
        readers[MAX_ORNATE].enter(&mut log);
        assert_eq!(readers[MAX_ORNATE].seen, view(20 + MAX_ORNATE));
    }

    #[test]
    fn a_log_that_everybody_has_read_holds_next_to_nothing() {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut log);
        for seq in 0..10_000 {
            log.push(line(seq, 2));
        }
        assert!(log.weight() > 100_000);
        let mut got = Vec::new();
        take(&mut reader, Some(&log), usize::MAX, &mut got);
        log.trim_to(reader.next_line());
        log.push(line(1, 2));
        take(&mut reader, Some(&log), usize::MAX, &mut got);
        log.trim_to(reader.next_line());
        assert_eq!(log.weight(), 0);
        assert!(log.renderings[0].bytes.capacity() <= 4 * KEEP, "{}", log.renderings[0].bytes.capacity());
    }
}
