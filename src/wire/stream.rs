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

use crate::hub::ignore::Shunned;
use crate::hub::message::{Line, SessionId, View};
use crate::hub::terminal::Colors;

use super::render;
use super::screen::Area;

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
    /// The number of the first line that is rendered: those of its readers who are far behind may miss lines that
    /// others are still owed.
    first: u64,
    /// Where each line starts, as an offset that counts from the log's beginning in this view; as
    /// many as the log has lines from `first` on.
    starts: VecDeque<u64>,
    /// The offset of `bytes[0]`.
    base: u64,
    /// The bytes of all lines, without a gap.
    bytes: Vec<u8>,
}

/// The most renderings of a log that are more than times: coloured, wrapped, in ASCII. Who comes later
/// sees lines plain: a terminal wraps by itself, if less well.
pub const MAX_ORNATE: usize = 64;

/// The most of what a reader is owed that goes into one frame, in bytes, if it ends a line by then.
const FRAME: usize = 16 * 1024;

/// Bytes before the oldest line that may stay where they are: moving the rest costs more.
const SLACK: usize = 64 * 1024;

/// What a line takes in memory beside its rendering, about: itself, its author's name and its text.
const LINE: usize = size_of::<Line>() + 96;

/// What a letter takes beside its bytes.
const LETTER: usize = size_of::<Mail>() + 16;

/// Mail is put together to letters of so many bytes.
const PUT_TOGETHER: usize = 512;

/// But for so many letters: there is room for them in any mailbox, and mostly they go out at once, in one write.
const APART: usize = 4;

/// A rendering keeps this much room for the next lines when everybody has everything.
const KEEP: usize = 4 * 1024;

impl Rendering {
    /// A rendering of `lines`, which begin with line `first`.
    fn new<'a>(view: View, first: u64, lines: impl Iterator<Item = &'a Arc<Line>>) -> Self {
        let mut rendering = Self { view, readers: 0, first, starts: VecDeque::new(), base: 0, bytes: Vec::new() };
        for line in lines {
            rendering.push(line);
        }
        rendering
    }

    /// Where line number `line` stands in `starts`.
    fn index(&self, line: u64) -> usize {
        usize::try_from(line - self.first).expect("within memory")
    }

    /// The number of the line behind the last one.
    fn end(&self) -> u64 {
        self.first + self.starts.len() as u64
    }

    fn push(&mut self, line: &Line) {
        self.starts.push_back(self.base + self.bytes.len() as u64);
        render::line(line, self.view, &mut self.bytes);
    }

    /// The offset at which the `index`th line starts; that of the end, if it is one too many.
    fn start(&self, index: usize) -> u64 {
        self.starts.get(index).copied().unwrap_or(self.base + self.bytes.len() as u64)
    }

    /// The bytes of lines `from..to`.
    fn run(&self, from: u64, to: u64) -> &[u8] {
        let offset = |line| usize::try_from(self.start(self.index(line)) - self.base).expect("within memory");
        &self.bytes[offset(from)..offset(to)]
    }

    fn live(&self) -> usize {
        self.run(self.first, self.end()).len()
    }

    /// What the lines from `line` on take in memory: in this rendering, and as lines.
    fn weight_from(&self, line: u64) -> usize {
        self.run(line, self.end()).len() + usize::try_from(self.end() - line).unwrap_or(usize::MAX) * LINE
    }

    /// The first line from which on no more is held than `limit` bytes of memory.
    fn first_within(&self, limit: usize) -> u64 {
        // What is held only shrinks from one line to the next.
        let (mut low, mut high) = (self.first, self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.weight_from(middle) > limit { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Lets go of all lines before `line`.
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
    /// The log as it is now, to be written down.
    #[must_use]
    pub fn frozen(&self) -> Self {
        Self { first: self.first, lines: self.lines.clone(), renderings: Vec::new() }
    }

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

    /// In how many ways its lines are seen: each line that is appended is rendered so often.
    #[must_use]
    pub fn views(&self) -> usize {
        self.renderings.len()
    }

    /// What it takes in memory, in bytes: all lines, and all renderings of them.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.lines.len() * LINE + self.renderings.iter().map(Rendering::live).sum::<usize>()
    }

    /// Whether a rendering holds more than `limit` allows, see [`Self::first_for`].
    #[must_use]
    pub fn is_over(&self, limit: usize) -> bool {
        let main = self.main();
        let weight = |rendering: &Rendering| rendering.weight_from(rendering.first);
        self.renderings.iter().any(|rendering| weight(rendering) > self.allowed(rendering.view, main, limit))
    }

    /// How most see its lines.
    fn main(&self) -> Option<View> {
        // The first of those with as many: one alone, whoever else comes.
        let most = self.renderings.iter().map(|rendering| rendering.readers).max()?;
        self.renderings.iter().find(|rendering| rendering.readers == most).map(|rendering| rendering.view)
    }

    /// How much of a rendering may be held: `limit` of the one that most see, and of all others as much together.
    fn allowed(&self, view: View, main: Option<View>, limit: usize) -> usize {
        if Some(view) == main { limit } else { limit / (self.renderings.len() - 1).max(1) }
    }

    /// The number of the oldest line that can stay for those who see lines like `reader`, if their rendering is to
    /// hold no more than `limit` allows.
    #[must_use]
    pub fn first_for(&self, reader: &Reader, limit: usize) -> u64 {
        self.rendering(reader.seen).first_within(self.allowed(reader.seen, self.main(), limit))
    }

    /// Lets go of what is owed to none of `readers`, who are all there are, in each rendering.
    pub fn trim_renderings<'a>(&mut self, readers: impl Iterator<Item = &'a Reader>) {
        let end = self.end();
        let mut low: Vec<u64> = vec![end; self.renderings.len()];
        for reader in readers {
            if let Some(at) = self.renderings.iter().position(|rendering| rendering.view == reader.seen) {
                low[at] = low[at].min(reader.next);
            }
        }
        for (rendering, low) in self.renderings.iter_mut().zip(low) {
            rendering.trim_to(low);
        }
    }

    /// Lets go of all lines before `line`.
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

    fn rendering(&self, view: View) -> &Rendering {
        self.renderings.iter().find(|rendering| rendering.view == view).expect("readers keep their rendering")
    }

    /// Gives a rendering to one more reader that would see lines in `view`, from the present end on. Returns in which
    /// it does.
    fn take_view(&mut self, view: View) -> View {
        let is_ornate = |view: View| view != View { time: view.time, ..View::default() };
        let is_there = self.renderings.iter().any(|rendering| rendering.view == view);
        let ornate = self.renderings.iter().filter(|rendering| is_ornate(rendering.view)).count();
        if is_there || !is_ornate(view) || ornate < MAX_ORNATE {
            self.keep_view(view, self.end());
            return view;
        }
        // What makes the most of them goes first.
        if view.width > 0 {
            return self.take_view(View { width: 0, ..view });
        }
        if view.colors != Colors::None {
            return self.take_view(View { colors: Colors::None, ..view });
        }
        self.take_view(View { time: view.time, ..View::default() })
    }

    /// Gives a rendering to one more reader whose next line is `next`, however many there are.
    fn keep_view(&mut self, view: View, next: u64) {
        let render = |first: u64| {
            let skipped = usize::try_from(first - self.first).unwrap_or(usize::MAX);
            Rendering::new(view, first, self.lines.iter().skip(skipped))
        };
        match self.renderings.iter_mut().find(|rendering| rendering.view == view) {
            Some(rendering) if rendering.first <= next => rendering.readers += 1,
            // Somebody is taken over who is farther behind than those before.
            Some(rendering) => *rendering = Rendering { readers: rendering.readers + 1, ..render(next) },
            None => self.renderings.push(Rendering { readers: 1, ..render(next) }),
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
    /// It is held back, and all that comes after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    held: bool,
    /// It is a note, not taken in part, on so many lines that were let go of. 0: it is something else.
    #[serde(default, skip_serializing_if = "is_nothing")]
    missed: u64,
}

impl Mail {
    fn new(before: u64, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { before, bytes: bytes.into().into(), held: false, missed: 0 }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_nothing(count: &u64) -> bool {
    *count == 0
}

/// Writes the note on so many lines that were let go of, as one sees it who sees lines like that.
pub type Note = fn(u64, View, &mut Vec<u8>);

/// What one reader does not want to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Arrivals and departures.
    pub quiet: bool,
    /// What these say; in rising order.
    pub ignored: Arc<[SessionId]>,
    /// What those say who bear these names, or have borne them since; in rising order.
    #[serde(default, skip_serializing_if = "no_names")]
    pub names: Arc<[Shunned]>,
}

fn no_names(names: &[Shunned]) -> bool {
    names.is_empty()
}

impl Filter {
    /// Whether nothing is hidden.
    fn is_idle(&self) -> bool {
        !self.quiet && self.ignored.is_empty() && self.names.is_empty()
    }

    /// Whether what its author says is hidden.
    fn ignores(&self, author: SessionId, line: &Line) -> bool {
        self.ignored.binary_search(&author).is_ok() || line.borne.is_hidden_by(&self.names)
    }
}

/// One client's place in a room's log, and its mail.
///
/// It can be kept and read again: see [`Self::resume`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reader {
    id: SessionId,
    /// How it wants to see lines, and how it does.
    #[serde(default)]
    view: View,
    #[serde(default)]
    seen: View,
    /// The next line it is owed.
    next: u64,
    /// Lines from this one on are held back.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    until: u64,
    /// It is owed nothing from that line on: see [`Self::close`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ends: bool,
    /// One more than the last line of its own, which it is not shown.
    own: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<Box<Filter>>,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    mail: VecDeque<Mail>,
    #[serde(skip)]
    mail_bytes: usize,
    /// Where the first of the lines was that the note in its mail is about, as long as nothing of the note is
    /// taken: what is missed then counts in it.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    noted_at: u64,
    /// Lines that a release before 0.2 had let go of and not told of yet, and where the first of them was.
    #[serde(default, skip_serializing, rename = "missed")]
    untold: u64,
    #[serde(default = "never", skip_serializing, rename = "missed_at")]
    untold_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    typing: Option<Box<Typing>>,
}

fn never() -> u64 {
    u64::MAX
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_never(until: &u64) -> bool {
    *until == never()
}

/// What is typed on the terminal of a reader whose typing we echo. It stands below all lines, and is
/// taken away and drawn again around those that come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Typing {
    /// As it is on the screen when the frame is out.
    shown: Area,
    /// As it is to be.
    wanted: Area,
    /// What is to be written next, and as a whole; `at` bytes of it are.
    frame: Vec<u8>,
    at: usize,
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
        Self {
            id,
            view,
            seen: view,
            next: 0,
            until: u64::MAX,
            ends: false,
            own: 0,
            filter: None,
            mail,
            mail_bytes: 0,
            noted_at: never(),
            untold: 0,
            untold_at: never(),
            typing: None,
        }
    }

    /// Goes on reading `log`, after it and this reader were read from elsewhere.
    ///
    /// # Errors
    /// If it cannot have read that log.
    pub fn resume(&mut self, log: Option<&mut Log>, note: Note) -> Result<(), String> {
        self.mail_bytes = self.mail.iter().map(|mail| mail.bytes.rest().len()).sum();
        if self.untold > 0 {
            let (lines, at) = (self.untold, self.untold_at);
            (self.untold, self.untold_at) = (0, never());
            self.note(lines, if at == never() { self.next } else { at }, note);
        } else if self.noted_at != never() && self.noted().is_none() {
            return Err(format!("{} is to be told of lines, and is not", self.id));
        }
        if self.typing.as_ref().is_some_and(|typing| typing.at > typing.frame.len()) {
            return Err(format!("more of a frame is written to {} than there is", self.id));
        }
        let Some(log) = log else { return Ok(()) };
        if !(log.first()..=log.end()).contains(&self.next) {
            return Err(format!("{} is at line {} of {} to {}", self.id, self.next, log.first(), log.end()));
        }
        log.keep_view(self.seen, self.next);
        Ok(())
    }

    /// Reads `log` from its present end on.
    pub fn enter(&mut self, log: &mut Log) {
        self.seen = log.take_view(self.view);
        self.next = log.end();
        self.own = 0;
        if self.is_holding() {
            self.until = self.next;
        }
        for mail in &mut self.mail {
            mail.before = self.next;
        }
    }

    /// Leaves `log`: what is owed of it up to now becomes mail.
    pub fn leave(&mut self, log: &mut Log) {
        let mut mail = VecDeque::new();
        let mut bytes = 0;
        self.release(Some(log));
        self.each(Some(log), |piece| {
            if let Piece::Mail(piece) | Piece::Lines(_, piece) = piece {
                bytes += piece.len();
                mail.push_back(Mail::new(0, piece));
            }
            true
        });
        self.mail = mail;
        self.mail_bytes = bytes;
        self.noted_at = never();
        log.drop_view(self.seen);
        (self.next, self.own) = (0, 0);
    }

    /// A line of its own was appended to the log it reads.
    pub fn said(&mut self, log: &Log) {
        self.own = log.end();
    }

    /// From the present end of `log` on, lines are seen in `view`.
    pub fn see(&mut self, view: View, log: &mut Log) {
        if view != self.view {
            self.apart(Some(log), |reader| reader.view = view);
        }
    }

    /// From the present end of `log` on, lines that `filter` hides are not shown.
    pub fn hide(&mut self, filter: Filter, log: &mut Log) {
        self.apart(Some(log), |reader| {
            reader.filter = (!filter.is_idle()).then(|| Box::new(filter));
        });
    }

    /// Adds mail, which goes out after what is in `log` now and before what comes.
    pub fn tell(&mut self, bytes: Arc<[u8]>, log: Option<&Log>) {
        if bytes.is_empty() {
            return;
        }
        self.mail_bytes += bytes.len();
        let (before, held) = (log.map_or(0, Log::end), self.is_holding());
        if self.mail.len() >= APART
            && let Some(last) = self.mail.back_mut()
            && (last.before, last.held, last.missed) == (before, held, 0)
            && last.bytes.rest().len() + bytes.len() <= PUT_TOGETHER
        {
            last.bytes = Arc::<[u8]>::from([last.bytes.rest(), &bytes].concat()).into();
            return;
        }
        self.mail.push_back(Mail { held, ..Mail::new(before, bytes) });
    }

    /// From now on, lines and mail are held back until they are [released](Self::release); or no more.
    pub fn hold(&mut self, on: bool, log: Option<&Log>) {
        if on {
            // Who holds back already goes on from where that began: mail that waits since then stands before
            // the lines that were said behind it.
            if !self.is_holding() {
                self.until = log.map_or(0, Log::end);
            }
        } else {
            self.release(log);
            self.until = u64::MAX;
        }
    }

    /// What was held back so far is not any more.
    pub fn release(&mut self, log: Option<&Log>) {
        if self.is_holding() {
            self.until = log.map_or(0, Log::end);
            for mail in &mut self.mail {
                mail.held = false;
            }
        }
    }

    /// It is owed what is in `log` now, and nothing that comes.
    pub fn close(&mut self, log: &Log) {
        self.release(Some(log));
        (self.until, self.ends) = (log.end(), true);
    }

    /// Whether it is owed mail at most: it has no need of its log any more.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.ends && self.next >= self.until
    }

    /// Whether what comes is held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.until != u64::MAX && !self.ends
    }

    /// What is typed looks like `area` from now on; `None` if we do not echo it any more. While we do,
    /// what the reader is owed is written in frames; and it is shown what it says itself.
    pub fn area(&mut self, area: Option<Area>, log: Option<&mut Log>) {
        match (area, &mut self.typing) {
            (Some(area), Some(typing)) => typing.wanted = area,
            (Some(wanted), None) => {
                // Whatever was typed before in that row, and echoed by the terminal, goes.
                let shown = Area { erase: b"\r\x1b[J".to_vec(), draw: Vec::new() };
                let mut typing = Box::new(Typing { shown, wanted, frame: Vec::new(), at: 0 });
                self.apart(log, |reader| {
                    // All that it is owed by now, as it would have been written before: a line may be
                    // written in part, and frames begin at a place that does not depend on that.
                    for mail in std::mem::take(&mut reader.mail) {
                        typing.frame.extend_from_slice(mail.bytes.rest());
                    }
                    (reader.mail_bytes, reader.noted_at) = (0, never());
                    reader.typing = Some(typing);
                });
            }
            (None, Some(_)) => self.apart(log, |reader| {
                let Some(typing) = reader.typing.take() else { return };
                for bytes in [typing.shown.erase, typing.frame[typing.at..].to_vec()] {
                    if !bytes.is_empty() {
                        reader.mail_bytes += bytes.len();
                        reader.mail.push_front(Mail::new(0, bytes));
                    }
                }
            }),
            (None, None) => {}
        }
    }

    /// Changes what is shown from the present end of the log on.
    fn apart(&mut self, log: Option<&mut Log>, change: impl FnOnce(&mut Self)) {
        match log {
            None => change(self),
            Some(log) => {
                let own = self.own;
                self.leave(log);
                change(self);
                self.enter(log);
                self.own = own;
            }
        }
    }

    /// Where what is typed is echoed by us: if all that was composed is written, and there is more, or
    /// what is typed has changed, composes the next frame. What is typed is taken away, then comes what
    /// the reader is owed up to now, then what is typed is drawn; so a burst is drawn around once.
    ///
    /// The frame depends on nothing but this reader and `log`; [`Self::needs_frame`] says whether it would
    /// be anything.
    pub fn frame(&mut self, log: Option<&Log>) {
        let Some(typing) = self.typing.as_deref_mut().filter(|typing| typing.at == typing.frame.len()) else { return };
        let wanted = typing.wanted.clone();
        let shown = std::mem::replace(&mut typing.shown, wanted.clone());
        let mut frame = shown.erase;
        let erase = frame.len();
        let mut left = self.fits_frame(log);
        self.each(log, |piece| {
            if let Piece::Mail(piece) | Piece::Lines(_, piece) = piece {
                let most = piece.len().min(left);
                left -= most;
                frame.extend_from_slice(&piece[..most]);
            }
            left > 0
        });
        let content = frame.len() - erase;
        self.consume(log, content);
        if content > 0 {
            frame.extend_from_slice(&wanted.draw);
        } else if shown.draw == wanted.draw {
            frame.clear();
        } else {
            match wanted.draw.strip_prefix(&*shown.draw) {
                // Typing on at the end of a line sends what is new only.
                Some(rest) if !shown.draw.is_empty() => frame = rest.to_vec(),
                _ => frame.extend_from_slice(&wanted.draw),
            }
        }
        if let Some(typing) = &mut self.typing {
            (typing.frame, typing.at) = (frame, 0);
        }
    }

    /// How many bytes of what it is owed go into one frame: whole lines, at least one of them.
    fn fits_frame(&self, log: Option<&Log>) -> usize {
        let mut bytes = 0;
        self.each(log, |piece| {
            let (Piece::Mail(piece) | Piece::Lines(_, piece)) = piece else { return true };
            let room = FRAME.saturating_sub(bytes);
            if piece.len() <= room {
                bytes += piece.len();
                return true;
            }
            let is_end = |byte: &u8| *byte == b'\n';
            if let Some(end) = piece[..room].iter().rposition(is_end) {
                bytes += end + 1;
            } else if bytes == 0 {
                bytes = piece.iter().position(is_end).map_or(piece.len(), |end| end + 1);
            }
            false
        });
        bytes
    }

    /// Whether [`Self::frame`] has something to compose.
    #[must_use]
    pub fn needs_frame(&self, log: Option<&Log>) -> bool {
        self.typing.as_ref().is_some_and(|typing| typing.at == typing.frame.len()) && self.has_due(log)
    }

    /// Whether what is typed is echoed by us.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// Whether there is something that could be written now.
    #[must_use]
    pub fn has_due(&self, log: Option<&Log>) -> bool {
        if let Some(typing) = &self.typing
            && (typing.at < typing.frame.len() || typing.shown != typing.wanted)
        {
            return true;
        }
        self.mail.front().is_some_and(|mail| !mail.held) || log.is_some_and(|log| self.next < log.end().min(self.until))
    }

    /// Bytes of mail not taken yet.
    #[must_use]
    pub fn mail_bytes(&self) -> usize {
        self.mail_bytes
    }

    /// What its mail takes in memory, and what is composed of it.
    #[must_use]
    pub fn mail_weight(&self) -> usize {
        self.mail_bytes + self.mail.len() * LETTER + self.typing.as_ref().map_or(0, |typing| typing.frame.len())
    }

    /// The first line from which on no more than `limit` bytes are owed, if that is beyond the next: what is before
    /// would become mail together with the rest when it leaves the log, or sees lines in another way from now on.
    #[must_use]
    pub fn too_much_to_leave(&self, log: &Log, limit: usize) -> Option<u64> {
        let rendering = log.rendering(self.seen);
        if rendering.run(self.next, rendering.end()).len() <= limit {
            return None;
        }
        let (mut low, mut high) = (self.next, rendering.end());
        while low < high {
            let middle = low + (high - low) / 2;
            if rendering.run(middle, rendering.end()).len() > limit { low = middle + 1 } else { high = middle }
        }
        Some(low)
    }

    /// The next line it is owed.
    #[must_use]
    pub fn next_line(&self) -> u64 {
        self.next
    }

    /// Whether it is owed nothing.
    #[must_use]
    pub fn is_done(&self, log: Option<&Log>) -> bool {
        self.mail.is_empty()
            && log.is_none_or(|log| self.next == log.end())
            && self
                .typing
                .as_ref()
                .is_none_or(|typing| typing.at == typing.frame.len() && typing.shown == typing.wanted)
    }

    /// Bytes it is owed; an estimate where lines are hidden from it.
    #[must_use]
    pub fn behind(&self, log: Option<&Log>) -> usize {
        let lines = log.map_or(0, |log| {
            let rendering = log.rendering(self.seen);
            rendering.run(self.next, rendering.end()).len()
        });
        self.mail_bytes + lines + self.typing.as_ref().map_or(0, |typing| typing.frame.len() - typing.at)
    }

    /// Passes over what it is owed before line `to`, which the log is about to let go of. Returns how
    /// many lines it misses by that: those that it would have been shown. `note` takes their place; if
    /// there is one that nothing was taken of, it counts them as well.
    ///
    /// What is noted, and where, depends on what was taken and not on how often that was asked for: hidden
    /// lines at the cursor may have been passed over already or not, so the first line that is shown counts.
    pub fn skip(&mut self, to: u64, log: &Log, note: Note) -> u64 {
        let to = if self.ends { to.min(self.until) } else { to };
        let (mut line, mut missed, mut at) = (self.next, 0, None);
        while line < to {
            let (hidden, end) = self.run(log, line, to);
            if !hidden {
                missed += end - line;
                at.get_or_insert(line);
            }
            line = end;
        }
        if let Some(at) = at {
            self.note(missed, at, note);
        }
        self.next = line;
        missed
    }

    /// Notes that `lines` lines were let go of, the first of which was line `at`.
    fn note(&mut self, lines: u64, at: u64, note: Note) {
        let view = self.view;
        let write = |lines| {
            let mut bytes = Vec::new();
            note(lines, view, &mut bytes);
            bytes
        };
        if let Some(place) = self.noted() {
            let mail = &mut self.mail[place];
            mail.missed += lines;
            self.mail_bytes -= mail.bytes.rest().len();
            mail.bytes = Arc::<[u8]>::from(write(mail.missed)).into();
            self.mail_bytes += mail.bytes.rest().len();
            return;
        }
        let bytes = write(lines);
        self.mail_bytes += bytes.len();
        // Behind the mail that belongs before the lines that are gone.
        let place = self.mail.partition_point(|mail| mail.before <= at);
        self.mail.insert(place, Mail { missed: lines, ..Mail::new(at, bytes) });
        self.noted_at = at;
    }

    /// Where in its mail the note is that nothing was taken of.
    fn noted(&self) -> Option<usize> {
        let at = Some(self.noted_at).filter(|at| *at != never())?;
        let behind = self.mail.partition_point(|mail| mail.before <= at);
        let place = behind.checked_sub(1)?;
        (self.mail[place].missed > 0).then_some(place)
    }

    /// Walks over what it is owed until `see` says that it is enough.
    fn each<'a>(&'a self, log: Option<&'a Log>, mut see: impl FnMut(Piece<'a>) -> bool) {
        let mut mail = self.mail.iter().take_while(|mail| !mail.held);
        let Some(log) = log else {
            for letter in mail {
                if !see(Piece::Mail(letter.bytes.rest())) {
                    return;
                }
            }
            return;
        };
        let rendering = log.rendering(self.seen);
        let (mut line, end) = (self.next, log.end().min(self.until.max(self.next)));
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
            let piece = if hidden { Piece::Gap(to) } else { Piece::Lines(to, rendering.run(line, to)) };
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
        (author == self.id && !(self.typing.is_some() && line.said.is_speech()))
            || self.filter.as_ref().is_some_and(|filter| {
                (filter.quiet && line.said.is_presence()) || (line.said.is_speech() && filter.ignores(author, line))
            })
    }

    /// Borrows what it is owed, in order, as far as `pieces` has room; call again after
    /// [`Self::advance`] for the rest. Returns how many pieces and how many bytes that is.
    ///
    /// Where what is typed is echoed by us, that is what was composed by [`Self::frame`] and nothing else.
    pub fn gather<'a>(&'a self, log: Option<&'a Log>, pieces: &mut [IoSlice<'a>]) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        if let Some(typing) = &self.typing {
            let rest = &typing.frame[typing.at..];
            pieces[0] = IoSlice::new(rest);
            return (usize::from(!rest.is_empty()), rest.len());
        }
        self.each(log, |piece| {
            if let Piece::Mail(piece) | Piece::Lines(_, piece) = piece
                && !piece.is_empty()
            {
                bytes += piece.len();
                pieces[count] = IoSlice::new(piece);
                count += 1;
            }
            count < pieces.len()
        });
        (count, bytes)
    }

    /// The socket has taken `taken` bytes of what [`Self::gather`] gave. Hidden lines that follow are
    /// passed over; with 0 that is all it does.
    pub fn advance(&mut self, log: Option<&Log>, taken: usize) {
        match &mut self.typing {
            None => self.consume(log, taken),
            Some(typing) => {
                typing.at += taken;
                if typing.at >= typing.frame.len() {
                    (typing.frame, typing.at) = (Vec::new(), 0);
                }
            }
        }
    }

    /// So many bytes of what it is owed are on their way.
    fn consume(&mut self, log: Option<&Log>, taken: usize) {
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
                    let rendering = log.rendering(self.seen);
                    let start = rendering.start(rendering.index(next));
                    let offset = start + left as u64;
                    let whole = rendering.starts.partition_point(|start| *start <= offset) - 1;
                    let line = rendering.first + whole as u64;
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
        // Mostly there are none.
        for _ in 0..letters {
            let Some(letter) = self.mail.pop_front() else { break };
            self.mail_bytes -= letter.bytes.rest().len();
            if letter.missed > 0 {
                self.noted_at = never();
            }
        }
        if letter_taken > 0 {
            self.mail_bytes -= letter_taken;
            let letter = &mut self.mail[0];
            letter.bytes.from += letter_taken;
            if std::mem::take(&mut letter.missed) > 0 {
                self.noted_at = never();
            }
        }
        if let Some((before, rest)) = torn {
            self.mail_bytes += rest.len();
            self.mail.push_front(Mail::new(before, rest));
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
    use super::super::screen::Size;
    use super::*;
    use crate::hub::ignore::Borne;
    use crate::hub::message::{Offset, Said};
    use crate::hub::time::Wall;
    use proptest::prelude::*;

    fn line(seq: u64, author: u64) -> Arc<Line> {
        let said = if seq % 5 == 4 {
            Said::Joined { nick: format!("n{author}").into() }
        } else {
            Said::Say { nick: format!("n{author}").into(), text: format!("text {seq}").into() }
        };
        Arc::new(Line { seq, at: Wall(1_000_000), author: Some(SessionId(author)), said, borne: Borne::default() })
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
                        view = View { time: time.then(|| Offset::parse("+01:00").expect("an offset")), ..View::default() };
                        reader.see(view, log);
                    }
                    Step::Quiet(on) => {
                        quiet = on;
                        // Who is quiet here ignores 3 as well.
                        let ignored: Arc<[SessionId]> = if on { Arc::new([SessionId(3)]) } else { Arc::new([]) };
                        reader.hide(Filter { quiet, ignored, ..Filter::default() }, log);
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

    const ROWS: u16 = 300;

    /// A terminal, and what ought to be on it.
    struct Terminal {
        oracle: vt100::Parser,
        /// The beginning of a character, whose rest has yet to come.
        broken: Vec<u8>,
        size: Size,
        lines: String,
        typed: String,
        cursor: usize,
    }

    impl Terminal {
        fn process(&mut self, bytes: &[u8]) {
            self.broken.extend_from_slice(bytes);
            let whole = self.broken.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            let rest = self.broken.split_off(whole);
            self.oracle.process(&std::mem::replace(&mut self.broken, rest));
        }

        fn area(&self) -> Area {
            super::super::screen::area("lobby> ", &self.typed, self.cursor, self.size)
        }

        /// Lines and what is typed on a fresh terminal, written once.
        fn model(&self) -> vt100::Parser {
            let known = |number| std::num::NonZero::new(number).expect("a size");
            let mut model = vt100::Parser::new(known(ROWS), known(self.size.cols), 0);
            model.process(self.lines.as_bytes());
            model.process(&self.area().draw);
            model
        }
    }

    #[derive(Clone, Debug)]
    enum Key {
        Say(u64),
        Tell,
        Type(String, usize),
        Take(usize),
        Resize(u16),
        Redraw,
        Move,
    }

    fn keys() -> impl Strategy<Value = Vec<Key>> {
        let key = prop_oneof![
            4 => (0_u64..4).prop_map(Key::Say),
            2 => Just(Key::Tell),
            4 => ("([a-z ]|日|é|e\u{301}|👩\u{200D}👩){0,60}", 0_usize..60).prop_map(|(text, at)| Key::Type(text, at)),
            4 => (0_usize..90).prop_map(Key::Take),
            2 => (20_u16..100).prop_map(Key::Resize),
            1 => Just(Key::Redraw),
            1 => Just(Key::Move),
        ];
        proptest::collection::vec(key, 0..60)
    }

    proptest! {
        /// Whatever is typed, comes in and is resized, in however small pieces it is written: the screen
        /// is what it would be if all lines had been there before anything was typed.
        #[test]
        fn typing_and_lines_never_tear_each_other(keys in keys(), before in 0_usize..40) {
            let known = |number| std::num::NonZero::new(number).expect("a size");
            let (mut logs, mut here) = ([Log::default(), Log::default()], 0);
            let mut reader = Reader::new(SessionId(1));
            reader.enter(&mut logs[0]);
            let size = Size { cols: 80, rows: 24 };
            let oracle = vt100::Parser::new(known(ROWS), known(80), 0);
            let mut screen =
                Terminal { oracle, broken: Vec::new(), size, lines: String::new(), typed: String::new(), cursor: 0 };
            // A line that may be half written when typing begins.
            logs[0].push(line(0, 2));
            screen.lines.push_str(&rendered(&line(0, 2), View::default()));
            let mut got = Vec::new();
            take(&mut reader, Some(&logs[0]), before, &mut got);
            screen.process(&got);
            reader.area(Some(screen.area()), Some(&mut logs[0]));
            for (seq, key) in keys.into_iter().enumerate() {
                let seq = seq as u64 + 1;
                let write = |screen: &mut Terminal, reader: &mut Reader, log: &Log, most: usize| {
                    let mut got = Vec::new();
                    reader.frame(Some(log));
                    let taken = take(reader, Some(log), most, &mut got);
                    screen.process(&got);
                    taken
                };
                let log = &mut logs[here];
                match key {
                    Key::Say(author) => {
                        let line = line(seq, author);
                        log.push(line.clone());
                        if author == 1 {
                            reader.said(log);
                        }
                        // One's own coming and going is known; what one says is shown in its place.
                        if author != 1 || line.said.is_speech() {
                            screen.lines.push_str(&rendered(&line, View::default()));
                        }
                    }
                    Key::Tell => {
                        let text = format!("mail {seq}\r\n");
                        screen.lines.push_str(&text);
                        reader.tell(text.into_bytes().into(), Some(log));
                    }
                    Key::Type(text, at) => {
                        screen.cursor = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                        screen.typed = text;
                        reader.area(Some(screen.area()), Some(log));
                    }
                    Key::Take(most) => { write(&mut screen, &mut reader, log, most); }
                    Key::Resize(cols) => {
                        // What is on its way is laid out for the size before.
                        while write(&mut screen, &mut reader, log, 9) > 0 {}
                        screen.size.cols = cols;
                        screen.oracle.screen_mut().set_size(known(ROWS), known(cols));
                        reader.area(Some(screen.area()), Some(log));
                    }
                    Key::Redraw => {
                        reader.tell(b"\x1b[H\x1b[2J".to_vec().into(), Some(log));
                        screen.lines.clear();
                    }
                    Key::Move => {
                        reader.leave(log);
                        here = 1 - here;
                        reader.enter(&mut logs[here]);
                    }
                }
                let log = &logs[here];
                if seq.is_multiple_of(7) {
                    while write(&mut screen, &mut reader, log, 50) > 0 {}
                    prop_assert!(reader.is_done(Some(log)) && !reader.has_due(Some(log)));
                    let model = screen.model();
                    prop_assert_eq!(screen.oracle.screen().contents(), model.screen().contents());
                    prop_assert_eq!(screen.oracle.screen().cursor_position(), model.screen().cursor_position());
                }
            }
            // In line mode again: nothing is left of what was typed.
            let log = &mut logs[here];
            reader.area(None, Some(log));
            let mut got = Vec::new();
            while take(&mut reader, Some(log), 11, &mut got) > 0 {}
            screen.process(&got);
            let mut model = vt100::Parser::new(known(ROWS), known(screen.size.cols), 0);
            model.process(screen.lines.as_bytes());
            prop_assert_eq!(screen.oracle.screen().contents(), model.screen().contents());
            prop_assert_eq!(screen.oracle.screen().cursor_position(), model.screen().cursor_position());
        }
    }

    /// Something that is done to a reader, in an order that can be repeated.
    #[derive(Clone, Debug)]
    enum Order {
        Say(u64),
        Tell,
        Type(Option<String>),
        Hold(bool),
        Release,
        View(bool),
    }

    fn orders() -> impl Strategy<Value = Vec<(Order, Vec<usize>)>> {
        let order = prop_oneof![
            5 => (0_u64..4).prop_map(Order::Say),
            2 => Just(Order::Tell),
            4 => "[a-z ]{0,40}".prop_map(|text| Order::Type(Some(text))),
            1 => Just(Order::Type(None)),
            1 => any::<bool>().prop_map(Order::Hold),
            1 => Just(Order::Release),
            1 => any::<bool>().prop_map(Order::View),
        ];
        // What the socket takes behind each of them, in how many writes.
        proptest::collection::vec((order, proptest::collection::vec(0_usize..60, 0..4)), 0..60)
    }

    fn carry_out(order: &Order, seq: u64, reader: &mut Reader, log: &mut Log) {
        let size = Size { cols: 40, rows: 24 };
        match order {
            Order::Say(author) => {
                log.push(line(seq, *author));
                if *author == 1 {
                    reader.said(log);
                }
            }
            Order::Tell => reader.tell(format!("mail {seq}\r\n").into_bytes().into(), Some(log)),
            Order::Type(text) => {
                let area = text.as_ref().map(|text| super::super::screen::area("> ", text, text.len(), size));
                reader.area(area, Some(log));
            }
            Order::Hold(on) => reader.hold(*on, Some(log)),
            Order::Release => reader.release(Some(log)),
            Order::View(colors) => {
                let colors = if *colors { Colors::Many } else { Colors::None };
                reader.see(View { colors, width: 32, ..View::default() }, log);
            }
        }
    }

    /// Everything that is left, composed as it is needed.
    fn drained(reader: &mut Reader, log: &Log) -> Vec<u8> {
        let mut rest = Vec::new();
        loop {
            reader.frame(Some(log));
            if take(reader, Some(log), 100, &mut rest) == 0 {
                return rest;
            }
        }
    }

    proptest! {
        /// A process that takes over has the same orders carried out, composes frames where they were
        /// composed, and passes over what was taken: then it goes on with the very next byte. It begins
        /// anywhere, with a reader that was kept.
        #[test]
        fn a_process_that_takes_over_goes_on_with_the_next_byte(orders in orders(), kept_at in 0_usize..60) {
            let (mut log, mut reader) = (Log::default(), Reader::new(SessionId(1)));
            reader.enter(&mut log);
            let (mut got, mut frames) = (Vec::new(), Vec::new());
            let mut kept = None;
            for (at, (order, writes)) in orders.iter().enumerate() {
                if at == kept_at {
                    kept = Some((serde_json::to_vec(&(&log, &reader)).expect("plain values"), got.len()));
                }
                carry_out(order, at as u64, &mut reader, &mut log);
                for most in writes {
                    if reader.needs_frame(Some(&log)) {
                        frames.push((at, got.len()));
                        reader.frame(Some(&log));
                    }
                    take(&mut reader, Some(&log), *most, &mut got);
                }
            }
            let Some((kept, mut sent)) = kept else { return Ok(()) };
            let (mut log_again, mut again): (Log, Reader) = serde_json::from_slice(&kept).expect("what was kept");
            again.resume(Some(&mut log_again), render::missed).expect("it fits");
            let pass_over = |reader: &mut Reader, log: &Log, sent: &mut usize| {
                while *sent < got.len() {
                    let mut bytes = Vec::new();
                    let taken = take(reader, Some(log), got.len() - *sent, &mut bytes);
                    assert_eq!(bytes, got[*sent..*sent + taken]);
                    *sent += taken;
                    if taken == 0 {
                        break;
                    }
                }
            };
            for (at, (order, _)) in orders.iter().enumerate().skip(kept_at) {
                carry_out(order, at as u64, &mut again, &mut log_again);
                for (_, place) in frames.iter().filter(|(order, _)| *order == at) {
                    pass_over(&mut again, &log_again, &mut sent);
                    prop_assert_eq!(sent, *place);
                    prop_assert!(again.needs_frame(Some(&log_again)));
                    again.frame(Some(&log_again));
                }
            }
            pass_over(&mut again, &log_again, &mut sent);
            prop_assert_eq!(sent, got.len());
            reader.hold(false, Some(&log));
            again.hold(false, Some(&log_again));
            prop_assert_eq!(drained(&mut again, &log_again), drained(&mut reader, &log));
        }
    }

    #[test]
    fn a_burst_is_drawn_around_once_and_typing_on_sends_one_key() {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut log);
        let size = Size { cols: 80, rows: 24 };
        let area = |typed: &str| super::super::screen::area("> ", typed, typed.len(), size);
        let write = |reader: &mut Reader, log: &Log| {
            let mut got = Vec::new();
            reader.frame(Some(log));
            take(reader, Some(log), usize::MAX, &mut got);
            String::from_utf8(got).expect("UTF-8")
        };
        reader.area(Some(area("a")), Some(&mut log));
        assert_eq!(write(&mut reader, &log), "\r\x1b[J> a");
        reader.area(Some(area("ab")), Some(&mut log));
        assert_eq!(write(&mut reader, &log), "b");
        for seq in [0, 1, 2] {
            log.push(line(seq, 2));
        }
        assert_eq!(write(&mut reader, &log), "\r\x1b[Jn2: text 0\r\nn2: text 1\r\nn2: text 2\r\n> ab");
        assert_eq!(write(&mut reader, &log), "");
        // However much there is, a frame is bounded, and ends a line.
        for seq in 0..10_000 {
            log.push(line(seq * 5, 2));
        }
        let frame = write(&mut reader, &log);
        assert!(frame.len() < FRAME + 100, "{}", frame.len());
        assert!(frame.ends_with("\r\n> ab"));
        while !write(&mut reader, &log).is_empty() {}
        assert!(reader.is_done(Some(&log)));
    }

    #[test]
    fn what_is_held_back_comes_when_it_is_released() {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut log);
        let mut got = Vec::new();
        log.push(line(0, 2));
        reader.hold(true, Some(&log));
        log.push(line(1, 2));
        reader.tell(b"later\r\n".to_vec().into(), Some(&log));
        log.push(line(2, 2));
        while take(&mut reader, Some(&log), 7, &mut got) > 0 {}
        assert_eq!(std::mem::take(&mut got), b"n2: text 0\r\n");
        assert!(!reader.has_due(Some(&log)) && !reader.is_done(Some(&log)));
        reader.release(Some(&log));
        assert!(reader.has_due(Some(&log)));
        reader.tell(b"even later\r\n".to_vec().into(), Some(&log));
        while take(&mut reader, Some(&log), 7, &mut got) > 0 {}
        assert_eq!(std::mem::take(&mut got), b"n2: text 1\r\nlater\r\nn2: text 2\r\n");
        log.push(line(3, 2));
        reader.hold(false, Some(&log));
        while take(&mut reader, Some(&log), 7, &mut got) > 0 {}
        assert_eq!(got, b"even later\r\nn2: text 3\r\n");
    }

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
        // Who goes makes room for who comes.
        readers[0].leave(&mut log);
        readers[MAX_ORNATE].leave(&mut log);
        readers[MAX_ORNATE].enter(&mut log);
        assert_eq!(readers[MAX_ORNATE].seen, view(20 + MAX_ORNATE));
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
        let limit = 16 * (LINE + 13);
        assert!(log.is_over(limit));
        let to = log.first_for(&reader, limit);
        let missed = reader.skip(to, &log, render::missed);
        log.trim_to(to);
        assert!(!log.is_over(limit) && log.weight() > limit - 2 * LINE, "{}", log.weight());
        assert_eq!(missed, to - 3);
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
        let missed = reader.skip(3, &log, render::missed);
        log.trim_to(3);
        assert_eq!(missed + reader.skip(5, &log, render::missed), 3);
        log.trim_to(5);
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
