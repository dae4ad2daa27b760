//! A room is a log, a reader is a cursor.
//!
//! A [`Log`] holds what was said in a room, rendered once for each [`View`] in use, as contiguous
//! bytes with an index of lines. A [`Reader`] is one client's place in it: the next line it is owed,
//! and the mail that is meant for it alone and belongs before certain lines. What a reader is owed
//! is never copied per reader: [`Reader::gather`] borrows it from the log, in as few pieces as there
//! are gaps, and [`Reader::advance`] moves the cursor by what the socket took.
//!
//! A cursor always stands at the start of a line. When a socket takes part of a line, the rest of
//! that line becomes mail that goes first; so a log can let go of lines without asking who is in the
//! middle of one, and no line is ever torn.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::hub::message::{Line, SessionId, View};

use super::render;

/// What was said in a room, from the oldest line somebody may still be owed.
#[derive(Debug, Default)]
pub struct Log {
    /// The number of `lines[0]`. Counts all lines of this log since it was opened.
    first: u64,
    lines: VecDeque<Arc<Line>>,
    renderings: Vec<Rendering>,
}

/// What is kept of a log: the renderings are made again, for those who read it.
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

/// The lines of a log as seen in one view.
#[derive(Debug)]
struct Rendering {
    view: View,
    /// How many readers use it.
    readers: usize,
    /// Where each line starts, as an offset that counts from the log's beginning in this view; as
    /// many as the log has lines.
    starts: VecDeque<u64>,
    /// The offset of `bytes[0]`.
    base: u64,
    /// The bytes of all lines, without a gap.
    bytes: Vec<u8>,
}

/// Bytes before the oldest line that may stay where they are: moving the rest costs more.
const SLACK: usize = 64 * 1024;

/// A rendering keeps this much room for the next lines when everybody has everything.
const KEEP: usize = 4 * 1024;

impl Rendering {
    fn new(view: View, first: &VecDeque<Arc<Line>>) -> Self {
        let mut rendering = Self { view, readers: 0, starts: VecDeque::new(), base: 0, bytes: Vec::new() };
        for line in first {
            rendering.push(line);
        }
        rendering
    }

    fn push(&mut self, line: &Line) {
        self.starts.push_back(self.base + self.bytes.len() as u64);
        render::line(line, self.view, &mut self.bytes);
    }

    /// The offset at which the `index`th line starts; that of the end, if it is one too many.
    fn start(&self, index: usize) -> u64 {
        self.starts.get(index).copied().unwrap_or(self.base + self.bytes.len() as u64)
    }

    /// The bytes of lines `from..to`, by index.
    fn run(&self, from: usize, to: usize) -> &[u8] {
        let offset = |index| usize::try_from(self.start(index) - self.base).expect("within memory");
        &self.bytes[offset(from)..offset(to)]
    }

    fn live(&self) -> usize {
        self.run(0, self.starts.len()).len()
    }

    fn drop_lines(&mut self, count: usize) {
        self.starts.drain(..count);
        if self.starts.is_empty() {
            self.base += self.bytes.len() as u64;
            // Roomy enough for as much again, so that a busy room does not grow it anew each round.
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
    /// Appends a line.
    pub fn push(&mut self, line: Arc<Line>) {
        for rendering in &mut self.renderings {
            rendering.push(&line);
        }
        self.lines.push_back(line);
    }

    /// The number that the next line will have.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    /// The number of the oldest line held.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Bytes held, in the rendering that holds most.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.renderings.iter().map(Rendering::live).max().unwrap_or(0)
    }

    /// Lets go of all lines before `line`.
    pub fn trim_to(&mut self, line: u64) {
        let count = usize::try_from(line.saturating_sub(self.first)).unwrap_or(usize::MAX).min(self.lines.len());
        if count > 0 {
            self.lines.drain(..count);
            self.first += count as u64;
            for rendering in &mut self.renderings {
                rendering.drop_lines(count);
            }
        }
        if self.lines.is_empty() && self.lines.capacity() > 1024 {
            self.lines.shrink_to(64);
        }
    }

    /// The number of the oldest line that can stay if at most `limit` bytes are to be held in every
    /// rendering.
    #[must_use]
    pub fn first_within(&self, limit: usize) -> u64 {
        let lines = self.renderings.iter().map(|rendering| {
            let end = rendering.start(rendering.starts.len());
            rendering.starts.partition_point(|start| end - start > limit as u64)
        });
        self.first + lines.max().unwrap_or(0) as u64
    }

    fn rendering(&self, view: View) -> &Rendering {
        self.renderings.iter().find(|rendering| rendering.view == view).expect("readers keep their rendering")
    }

    fn take_view(&mut self, view: View) {
        if let Some(rendering) = self.renderings.iter_mut().find(|rendering| rendering.view == view) {
            rendering.readers += 1;
        } else {
            let mut rendering = Rendering::new(view, &self.lines);
            rendering.readers = 1;
            self.renderings.push(rendering);
        }
    }

    fn drop_view(&mut self, view: View) {
        if let Some(at) = self.renderings.iter().position(|rendering| rendering.view == view) {
            self.renderings[at].readers -= 1;
            if self.renderings[at].readers == 0 {
                self.renderings.swap_remove(at);
            }
        }
    }
}

/// Bytes that can be shared by those who get the same.
#[derive(Clone, Debug)]
pub struct Shared {
    bytes: Arc<[u8]>,
    from: usize,
}

impl Shared {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.from..]
    }
}

impl From<Arc<[u8]>> for Shared {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self { bytes, from: 0 }
    }
}

/// As text, which it nearly always is, or as numbers: telnet commands are no text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Spelt<'a> {
    Text(std::borrow::Cow<'a, str>),
    Bytes(std::borrow::Cow<'a, [u8]>),
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = self.rest();
        std::str::from_utf8(rest)
            .map_or_else(|_| Spelt::Bytes(rest.into()), |text| Spelt::Text(text.into()))
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Arc<[u8]> = match Spelt::deserialize(deserializer)? {
            Spelt::Text(text) => text.as_bytes().into(),
            Spelt::Bytes(bytes) => bytes.into(),
        };
        Ok(bytes.into())
    }
}

/// What is meant for one reader alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mail {
    /// Goes out before this line of the log.
    before: u64,
    bytes: Shared,
}

/// What one reader does not want to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Arrivals and departures.
    pub quiet: bool,
    /// What these say; in rising order.
    pub ignored: Arc<[SessionId]>,
}

/// One client's place in a room's log, and its mail.
///
/// It can be kept and read again: see [`Self::resume`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Reader {
    id: SessionId,
    #[serde(default)]
    view: View,
    /// The next line it is owed.
    next: u64,
    /// One more than the last line of its own, which it is not shown.
    own: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Box<Filter>>,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    mail: VecDeque<Mail>,
    #[serde(skip)]
    mail_bytes: usize,
    /// Lines that it was not shown, for they had to be let go of, and where the first of them was.
    #[serde(default)]
    missed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missed_at: Option<u64>,
}

/// A piece of what a reader is owed.
enum Piece<'a> {
    Mail(&'a [u8]),
    /// Lines up to this one, which are shown.
    Lines(u64, &'a [u8]),
    /// Lines up to this one, which are not.
    Gap(u64),
}

/// The longest list of pieces that one write takes (well below `IOV_MAX`, 1024).
pub const MAX_PIECES: usize = 64;

impl Reader {
    /// The reader of session `id`, in no log yet.
    #[must_use]
    pub fn new(id: SessionId) -> Self {
        let mail = VecDeque::new();
        let view = View::default();
        Self { id, view, next: 0, own: 0, filter: None, mail, mail_bytes: 0, missed: 0, missed_at: None }
    }

    /// Goes on reading `log`, after it and this reader were read from elsewhere.
    ///
    /// # Errors
    /// If it cannot have read that log.
    pub fn resume(&mut self, log: Option<&mut Log>) -> Result<(), String> {
        self.mail_bytes = self.mail.iter().map(|mail| mail.bytes.rest().len()).sum();
        let Some(log) = log else { return Ok(()) };
        if !(log.first()..=log.end()).contains(&self.next) {
            return Err(format!("{} is at line {} of {} to {}", self.id, self.next, log.first(), log.end()));
        }
        log.take_view(self.view);
        Ok(())
    }

    /// Reads `log` from its present end on.
    pub fn enter(&mut self, log: &mut Log) {
        log.take_view(self.view);
        self.next = log.end();
        self.own = 0;
        for mail in &mut self.mail {
            mail.before = self.next;
        }
    }

    /// Leaves `log`: what is owed of it up to now becomes mail.
    pub fn leave(&mut self, log: &mut Log) {
        let mut mail = VecDeque::new();
        let mut bytes = 0;
        self.each(Some(log), |piece| {
            if let Piece::Mail(piece) | Piece::Lines(_, piece) = piece {
                bytes += piece.len();
                mail.push_back(Mail { before: 0, bytes: Arc::<[u8]>::from(piece).into() });
            }
            true
        });
        self.mail = mail;
        self.mail_bytes = bytes;
        log.drop_view(self.view);
        (self.next, self.own) = (0, 0);
    }

    /// A line of its own was appended to the log it reads.
    pub fn said(&mut self, log: &Log) {
        self.own = log.end();
    }

    /// From the present end of `log` on, lines are seen in `view`.
    pub fn see(&mut self, view: View, log: &mut Log) {
        if view != self.view {
            let own = self.own;
            self.leave(log);
            self.view = view;
            self.enter(log);
            self.own = own;
        }
    }

    /// From the present end of `log` on, lines that `filter` hides are not shown.
    pub fn hide(&mut self, filter: Filter, log: &mut Log) {
        let own = self.own;
        self.leave(log);
        self.filter = (filter.quiet || !filter.ignored.is_empty()).then(|| Box::new(filter));
        self.enter(log);
        self.own = own;
    }

    /// Adds mail, which goes out after what is in `log` now and before what comes.
    pub fn tell(&mut self, bytes: Arc<[u8]>, log: Option<&Log>) {
        if !bytes.is_empty() {
            self.mail_bytes += bytes.len();
            self.mail.push_back(Mail { before: log.map_or(0, Log::end), bytes: bytes.into() });
        }
    }

    /// Bytes of mail not taken yet.
    #[must_use]
    pub fn mail_bytes(&self) -> usize {
        self.mail_bytes
    }

    /// The next line it is owed.
    #[must_use]
    pub fn next_line(&self) -> u64 {
        self.next
    }

    /// Whether it is owed nothing.
    #[must_use]
    pub fn is_done(&self, log: Option<&Log>) -> bool {
        self.mail.is_empty() && log.is_none_or(|log| self.next == log.end())
    }

    /// Bytes it is owed; an estimate where lines are hidden from it.
    #[must_use]
    pub fn behind(&self, log: Option<&Log>) -> usize {
        let lines = log.map_or(0, |log| {
            let rendering = log.rendering(self.view);
            rendering.run(index(log, self.next), rendering.starts.len()).len()
        });
        self.mail_bytes + lines
    }

    /// Passes over what it is owed before line `to`, which the log is about to let go of. Returns how
    /// many lines it misses by that: those that it would have been shown.
    pub fn skip(&mut self, to: u64, log: &Log) -> u64 {
        let from = self.next;
        let (mut line, mut missed) = (from, 0);
        while line < to {
            let (hidden, end) = self.run(log, line, to);
            if !hidden {
                missed += end - line;
            }
            line = end;
        }
        if missed > 0 {
            self.missed += missed;
            self.missed_at.get_or_insert(from);
        }
        self.next = line;
        missed
    }

    /// If it has missed lines since this was last asked, `note` (for instance "you missed so many")
    /// takes their place. Returns how many it has missed.
    pub fn missed(&mut self, note: impl FnOnce(u64, &mut Vec<u8>)) -> u64 {
        let Some(at) = self.missed_at.take() else { return 0 };
        let lines = std::mem::take(&mut self.missed);
        let mut bytes = Vec::new();
        note(lines, &mut bytes);
        // Behind the mail that belongs before the lines that are gone.
        let place = self.mail.iter().position(|mail| mail.before > at).unwrap_or(self.mail.len());
        self.mail_bytes += bytes.len();
        self.mail.insert(place, Mail { before: at, bytes: Arc::<[u8]>::from(bytes).into() });
        lines
    }

    /// Walks over what it is owed until `see` says that it is enough.
    fn each<'a>(&'a self, log: Option<&'a Log>, mut see: impl FnMut(Piece<'a>) -> bool) {
        let mut mail = self.mail.iter();
        let Some(log) = log else {
            for letter in mail {
                if !see(Piece::Mail(letter.bytes.rest())) {
                    return;
                }
            }
            return;
        };
        let rendering = log.rendering(self.view);
        let (mut line, end) = (self.next, log.end());
        let mut letter = mail.next();
        loop {
            while let Some(due) = letter.filter(|letter| letter.before <= line) {
                if !see(Piece::Mail(due.bytes.rest())) {
                    return;
                }
                letter = mail.next();
            }
            if line >= end {
                return;
            }
            let stop = letter.map_or(end, |letter| letter.before.min(end));
            let (hidden, to) = self.run(log, line, stop);
            let piece =
                if hidden { Piece::Gap(to) } else { Piece::Lines(to, rendering.run(index(log, line), index(log, to))) };
            if !see(piece) {
                return;
            }
            line = to;
        }
    }

    /// The longest run of lines from `line` to `stop` that are all hidden, or all shown.
    fn run(&self, log: &Log, line: u64, stop: u64) -> (bool, u64) {
        if self.filter.is_none() && self.own <= line {
            return (false, stop);
        }
        let hidden = |line: u64| self.hides(&log.lines[index(log, line)]);
        let first = hidden(line);
        let to = (line + 1..stop).find(|line| hidden(*line) != first).unwrap_or(stop);
        (first, to)
    }

    fn hides(&self, line: &Line) -> bool {
        let Some(author) = line.author else {
            return self.filter.as_ref().is_some_and(|filter| filter.quiet && line.said.is_presence());
        };
        author == self.id
            || self.filter.as_ref().is_some_and(|filter| {
                (filter.quiet && line.said.is_presence())
                    || (line.said.is_speech() && filter.ignored.binary_search(&author).is_ok())
            })
    }

    /// Borrows what it is owed, in order, as far as `pieces` has room; call again after
    /// [`Self::advance`] for the rest. Returns how many pieces and how many bytes that is.
    ///
    /// The note on what it has missed is there after [`Self::missed`] only.
    pub fn gather<'a>(&'a self, log: Option<&'a Log>, pieces: &mut [IoSlice<'a>; MAX_PIECES]) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        self.each(log, |piece| {
            if let Piece::Mail(piece) | Piece::Lines(_, piece) = piece
                && !piece.is_empty()
            {
                bytes += piece.len();
                pieces[count] = IoSlice::new(piece);
                count += 1;
            }
            count < MAX_PIECES
        });
        (count, bytes)
    }

    /// The socket has taken `taken` bytes of what [`Self::gather`] gave. Hidden lines that follow are
    /// passed over; with 0 that is all it does.
    pub fn advance(&mut self, log: Option<&Log>, taken: usize) {
        let (mut left, mut letters, mut next) = (taken, 0, self.next);
        let mut torn: Option<(u64, Arc<[u8]>)> = None;
        let mut letter_taken = 0;
        self.each(log, |piece| match piece {
            Piece::Mail(bytes) if bytes.len() <= left => {
                left -= bytes.len();
                letters += 1;
                true
            }
            Piece::Mail(_) => {
                letter_taken = left;
                false
            }
            Piece::Lines(to, bytes) if bytes.len() <= left => {
                left -= bytes.len();
                next = to;
                true
            }
            Piece::Lines(_, bytes) => {
                if left > 0 {
                    // In the middle of a run: up to the end of a line, and the rest of one.
                    let log = log.expect("lines come from a log");
                    let rendering = log.rendering(self.view);
                    let start = rendering.start(index(log, next));
                    let offset = start + left as u64;
                    let whole = rendering.starts.partition_point(|start| *start <= offset) - 1;
                    let line = log.first + whole as u64;
                    if rendering.start(whole) == offset {
                        next = line;
                    } else {
                        next = line + 1;
                        let rest = usize::try_from(rendering.start(whole + 1) - offset).expect("a line");
                        torn = Some((next, bytes[left..left + rest].into()));
                    }
                }
                false
            }
            Piece::Gap(to) => {
                next = to;
                true
            }
        });
        for letter in self.mail.drain(..letters) {
            self.mail_bytes -= letter.bytes.rest().len();
        }
        if letter_taken > 0 {
            self.mail_bytes -= letter_taken;
            self.mail[0].bytes.from += letter_taken;
        }
        if let Some((before, rest)) = torn {
            self.mail_bytes += rest.len();
            self.mail.push_front(Mail { before, bytes: rest.into() });
        }
        if self.mail.is_empty() && self.mail.capacity() > 0 {
            self.mail = VecDeque::new();
        }
        self.next = next;
    }
}

/// Where in the log's memory line number `line` stands.
fn index(log: &Log, line: u64) -> usize {
    usize::try_from(line - log.first).expect("within memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::message::{Offset, Said};
    use crate::hub::time::Wall;
    use proptest::prelude::*;

    fn line(seq: u64, author: u64) -> Arc<Line> {
        let said = if seq % 5 == 4 {
            Said::Joined { nick: format!("n{author}").into() }
        } else {
            Said::Say { nick: format!("n{author}").into(), text: format!("text {seq}").into() }
        };
        Arc::new(Line { seq, at: Wall(1_000_000), author: Some(SessionId(author)), said })
    }

    fn rendered(line: &Line, view: View) -> String {
        let mut out = Vec::new();
        render::line(line, view, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    fn take(reader: &mut Reader, log: Option<&Log>, most: usize, got: &mut Vec<u8>) -> usize {
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let (count, owed) = reader.gather(log, &mut pieces);
        let taken = owed.min(most);
        got.extend(pieces[..count].iter().flat_map(|piece| piece.to_vec()).take(taken));
        reader.advance(log, taken);
        taken
    }

    #[derive(Clone, Debug)]
    enum Step {
        Say(u64),
        Tell,
        Take(usize),
        View(bool),
        Quiet(bool),
        Trim,
        Move,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0_u64..4).prop_map(Step::Say),
            2 => Just(Step::Tell),
            4 => (0_usize..60).prop_map(Step::Take),
            1 => any::<bool>().prop_map(Step::View),
            1 => any::<bool>().prop_map(Step::Quiet),
            1 => Just(Step::Trim),
            1 => Just(Step::Move),
        ];
        proptest::collection::vec(step, 0..120)
    }

    proptest! {
        /// However little the socket takes at a time, and whatever changes meanwhile, the bytes are those
        /// of a reader that takes everything at once.
        #[test]
        fn a_slow_reader_gets_the_same_bytes_as_a_fast_one(steps in steps()) {
            let (mut logs, mut here) = ([Log::default(), Log::default()], 0);
            let me = SessionId(1);
            let mut reader = Reader::new(me);
            reader.enter(&mut logs[0]);
            let (mut expected, mut got) = (String::new(), Vec::new());
            let (mut view, mut quiet) = (View::default(), false);
            for (seq, step) in steps.into_iter().enumerate() {
                let seq = seq as u64;
                let log = &mut logs[here];
                match step {
                    Step::Say(author) => {
                        let line = line(seq, author);
                        log.push(line.clone());
                        if author == 1 {
                            reader.said(log);
                        } else if !(quiet && (line.said.is_presence() || author == 3)) {
                            expected.push_str(&rendered(&line, view));
                        }
                    }
                    Step::Tell => {
                        let text = format!("mail {seq}\r\n");
                        expected.push_str(&text);
                        reader.tell(text.into_bytes().into(), Some(log));
                    }
                    Step::Take(most) => { take(&mut reader, Some(log), most, &mut got); }
                    Step::View(time) => {
                        view = View { time: time.then(|| Offset::parse("+01:00").expect("an offset")) };
                        reader.see(view, log);
                    }
                    Step::Quiet(on) => {
                        quiet = on;
                        // Who is quiet here ignores 3 as well.
                        let ignored: Arc<[SessionId]> = if on { Arc::new([SessionId(3)]) } else { Arc::new([]) };
                        reader.hide(Filter { quiet, ignored }, log);
                    }
                    Step::Trim => log.trim_to(reader.next_line()),
                    Step::Move => {
                        reader.leave(log);
                        here = 1 - here;
                        reader.enter(&mut logs[here]);
                    }
                }
                prop_assert_eq!(reader.mail_bytes(), reader.mail.iter().map(|mail| mail.bytes.rest().len()).sum::<usize>());
            }
            while take(&mut reader, Some(&logs[here]), 7, &mut got) > 0 {}
            prop_assert!(reader.is_done(Some(&logs[here])));
            prop_assert_eq!(String::from_utf8(got).expect("UTF-8"), expected);
        }
    }

    #[test]
    fn who_is_too_far_behind_is_told_and_no_line_is_torn() {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut log);
        for seq in 0..100 {
            log.push(line(seq * 5, 2));
        }
        let mut got = Vec::new();
        // Into the middle of the third line.
        take(&mut reader, Some(&log), 12 + 12 + 5, &mut got);
        let to = log.first_within(200);
        reader.skip(to, &log);
        log.trim_to(to);
        assert!(log.bytes() <= 200 && log.bytes() > 150, "{}", log.bytes());
        let missed = reader.missed(render::missed);
        assert_eq!(missed, to - 3);
        assert_eq!(reader.missed(render::missed), 0);
        while take(&mut reader, Some(&log), 50, &mut got) > 0 {}
        let got = String::from_utf8(got).expect("UTF-8");
        let lines: Vec<_> = got.split("\r\n").collect();
        assert_eq!(lines[2], "n2: text 10", "the line that was under way is whole");
        assert_eq!(lines[3], format!("-- you missed {missed} lines"));
        assert_eq!(lines[4], format!("n2: text {}", log.first() * 5));
        assert_eq!(lines.last(), Some(&""));
        assert_eq!(lines[lines.len() - 2], "n2: text 495");
    }

    #[test]
    fn what_is_hidden_from_a_reader_is_not_missed() {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut log);
        for (seq, author) in [(0, 1), (1, 2), (2, 1), (3, 2), (5, 2), (6, 1)] {
            log.push(line(seq, author));
            if author == 1 {
                reader.said(&log);
            }
        }
        reader.skip(3, &log);
        log.trim_to(3);
        reader.skip(5, &log);
        log.trim_to(5);
        assert_eq!(reader.missed(render::missed), 3);
        let mut got = Vec::new();
        take(&mut reader, Some(&log), usize::MAX, &mut got);
        assert_eq!(got, b"-- you missed 3 lines\r\n");
        assert!(reader.is_done(Some(&log)));
    }

    #[test]
    fn a_log_that_everybody_has_read_holds_next_to_nothing() {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut log);
        for seq in 0..10_000 {
            log.push(line(seq, 2));
        }
        assert!(log.bytes() > 100_000);
        let mut got = Vec::new();
        take(&mut reader, Some(&log), usize::MAX, &mut got);
        log.trim_to(reader.next_line());
        log.push(line(1, 2));
        take(&mut reader, Some(&log), usize::MAX, &mut got);
        log.trim_to(reader.next_line());
        assert_eq!(log.bytes(), 0);
        assert!(log.renderings[0].bytes.capacity() <= 4 * KEEP, "{}", log.renderings[0].bytes.capacity());
    }
}
