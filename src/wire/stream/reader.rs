//! A reader: one client's place in a room's log, and what it is owed.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hidden::Hidden;
use super::log::Log;
use super::mail::{Mail, Note};
use super::typing::Typing;
use crate::hub::message::{Line, View};
use crate::values::id::SessionId;

/// One client's place in a room's log, and its mail.
///
/// A reader can be saved. One that was loaded needs [`Self::resume`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reader {
    id: SessionId,
    /// The view that the client has asked for.
    #[serde(default)]
    pub(super) view: View,
    /// The view of the rendering that the reader uses, which may be plainer.
    #[serde(default)]
    pub(super) seen: View,
    /// The number of the next line that the reader is owed.
    next: u64,
    /// Lines from this number on are held back; `u64::MAX`: none are.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub(super) until: u64,
    /// Whether lines from `until` on will never be owed: see [`Self::close`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ends: bool,
    /// One more than the number of the last line that the client said itself, or is told apart, which it is not shown
    /// from the log. 0 if there is none.
    own: u64,
    /// Which lines are hidden; `None` if none are.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "filter")]
    hidden: Option<Box<Hidden>>,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) mail: VecDeque<Mail>,
    /// How many bytes of `mail` the socket has not taken.
    #[serde(skip)]
    pub(super) mail_bytes: usize,
    /// The number of the first line that the note in the mail is about. `Some` only while no byte of the note is taken:
    /// further missed lines are counted in that note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) noted_at: Option<u64>,
    /// Lines that a release before 0.2 had dropped and not noted. `untold_at` is the number of the first of them.
    #[serde(default, skip_serializing, rename = "missed")]
    untold: u64,
    #[serde(default, skip_serializing, rename = "missed_at")]
    untold_at: Option<u64>,
    /// What is typed and drawn; `Some` if we echo it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) typing: Option<Box<Typing>>,
}

fn never() -> u64 {
    u64::MAX
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_never(until: &u64) -> bool {
    *until == never()
}

/// A piece of what a reader is owed.
pub(super) enum Piece<'a> {
    /// One letter of mail.
    Mail(&'a [u8]),
    /// Lines that are shown: the number of the line behind them, and their bytes.
    Lines(u64, &'a [u8]),
    /// Lines that are not shown: the number of the line behind them.
    Gap(u64),
}

/// The most pieces of one write (well below `IOV_MAX`, 1024).
pub const MAX_PIECES: usize = 64;

impl Reader {
    /// The reader of session `id`. It reads no log yet.
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
            hidden: None,
            mail,
            mail_bytes: 0,
            noted_at: None,
            untold: 0,
            untold_at: None,
            typing: None,
        }
    }

    /// Restores what a snapshot does not hold, after this reader and its `log` were loaded. `note` writes the note on
    /// missed lines that a former release has left out.
    ///
    /// # Errors
    /// If what was loaded does not fit together.
    pub fn resume(&mut self, log: Option<&mut Log>, note: Note) -> Result<(), String> {
        self.mail_bytes = self.mail.iter().map(|mail| mail.bytes.remaining().len()).sum();
        if self.untold > 0 {
            let (lines, at) = (std::mem::take(&mut self.untold), self.untold_at.take());
            self.note(lines, at.unwrap_or(self.next), note);
        } else if self.noted_at.is_some_and(|at| self.noted(at).is_none()) {
            return Err(format!("{} is to be told of lines, and is not", self.id));
        }
        if self.typing.as_ref().is_some_and(|typing| !typing.is_sound()) {
            return Err(format!("more of a frame is written to {} than there is", self.id));
        }
        let Some(log) = log else { return Ok(()) };
        if !(log.first()..=log.end()).contains(&self.next) {
            return Err(format!("{} is at line {} of {} to {}", self.id, self.next, log.first(), log.end()));
        }
        log.keep_view(self.seen, self.next);
        Ok(())
    }

    /// Reads `log` from its present end on. Mail that waits goes first.
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

    /// Stops reading `log`. What the reader is owed of it becomes mail.
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
        self.noted_at = None;
        log.drop_view(self.seen);
        (self.next, self.own) = (0, 0);
    }

    /// Notes that the line just appended to the log is the client's own, or one that it is told apart.
    pub fn said(&mut self, log: &Log) {
        self.own = log.end();
    }

    /// Has lines seen in `view`, from the present end of `log` on.
    pub fn set_view(&mut self, view: View, log: &mut Log) {
        if view != self.view {
            self.apart(Some(log), |reader| reader.view = view);
        }
    }

    /// Has the lines that are `hidden` not shown, from the present end of `log` on.
    pub fn hide(&mut self, hidden: Hidden, log: &mut Log) {
        self.apart(Some(log), |reader| {
            reader.hidden = (!hidden.is_empty()).then(|| Box::new(hidden));
        });
    }

    /// Makes the present end of `log` the end of what the reader is owed.
    pub fn close(&mut self, log: &Log) {
        self.release(Some(log));
        (self.until, self.ends) = (log.end(), true);
    }

    /// Whether the reader was [closed](Self::close) and is owed no more lines: it needs its log no longer.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.ends && self.next >= self.until
    }

    /// Makes a `change` to how lines are shown, from the present end of the log on.
    pub(super) fn apart(&mut self, log: Option<&mut Log>, change: impl FnOnce(&mut Self)) {
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

    /// Whether something could be written now.
    #[must_use]
    pub fn has_due(&self, log: Option<&Log>) -> bool {
        match &self.typing {
            Some(typing) if typing.is_waiting() => return false,
            Some(typing) if !typing.is_settled() => return true,
            _ => {}
        }
        self.mail.front().is_some_and(|mail| !mail.held) || log.is_some_and(|log| self.next < log.end().min(self.until))
    }

    /// If the reader is owed more than `limit` bytes of lines: the number of the first line from which on they fit.
    /// Lines become mail when the reader leaves the log or its view changes; those before that one would be too much
    /// mail.
    #[must_use]
    pub fn too_much_to_leave(&self, log: &Log, limit: usize) -> Option<u64> {
        let rendering = log.rendering(self.seen);
        if rendering.run(self.next, rendering.end()).len() <= limit {
            return None;
        }
        Some(rendering.first_to_send_within(self.next, limit))
    }

    /// The number of the next line that the reader is owed.
    #[must_use]
    pub fn next_line(&self) -> u64 {
        self.next
    }

    /// The view of the rendering that the reader uses.
    pub(super) fn view_seen(&self) -> View {
        self.seen
    }

    /// Whether the reader is owed nothing.
    #[must_use]
    pub fn is_done(&self, log: Option<&Log>) -> bool {
        self.mail.is_empty()
            && log.is_none_or(|log| self.next == log.end())
            && self.typing.as_ref().is_none_or(|typing| typing.is_settled())
    }

    /// How many bytes the reader is owed. Hidden lines are counted too.
    #[must_use]
    pub fn behind(&self, log: Option<&Log>) -> usize {
        let lines = log.map_or(0, |log| {
            let rendering = log.rendering(self.seen);
            rendering.run(self.next, rendering.end()).len()
        });
        self.mail_bytes + lines + self.typing.as_ref().map_or(0, |typing| typing.remaining().len())
    }

    /// Moves the cursor to line `to`, because the log is about to drop the lines before. Returns how many lines the
    /// reader misses, not counting hidden ones. A `note` takes their place. If there is a note of which no byte is
    /// taken yet, it counts these lines as well.
    ///
    /// The note is placed at the first line that would have been shown, and not at the cursor: whether the cursor is
    /// past hidden lines already depends on how often [`Self::advance`] was called, and a replay may call it less
    /// often.
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

    /// Gives `see` what the reader is owed, piece by piece, until `see` returns `false`.
    pub(super) fn each<'a>(&'a self, log: Option<&'a Log>, mut see: impl FnMut(Piece<'a>) -> bool) {
        let mut mail = self.mail.iter().take_while(|mail| !mail.held);
        let Some(log) = log else {
            for letter in mail {
                if !see(Piece::Mail(letter.bytes.remaining())) {
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
                if !see(Piece::Mail(due.bytes.remaining())) {
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

    /// The longest run of lines from `line` on, before `stop`, that are all hidden or all shown. Returns whether they
    /// are hidden, and the number of the line behind them.
    fn run(&self, log: &Log, line: u64, stop: u64) -> (bool, u64) {
        if self.hidden.is_none() && self.own <= line {
            return (false, stop);
        }
        let hidden = |line: u64| self.hides(log.line(line));
        let first = hidden(line);
        let to = (line + 1..stop).find(|line| hidden(*line) != first).unwrap_or(stop);
        (first, to)
    }

    fn hides(&self, line: &Line) -> bool {
        let is_own = line.author == Some(self.id)
            && !line.said.answers_its_author()
            && !(self.typing.is_some() && line.said.is_speech());
        is_own || line.is_apart_for(self.id) || self.hidden.as_ref().is_some_and(|hidden| hidden.hides(line))
    }

    /// Borrows what the reader is owed, in order, as far as `pieces` has room. Returns how many pieces and how many
    /// bytes that is. After [`Self::advance`], call it again for the rest.
    ///
    /// Where we echo what is typed, it gives the rest of the frame that [`Self::frame`] composed, and nothing else.
    pub fn gather<'a>(&'a self, log: Option<&'a Log>, pieces: &mut [IoSlice<'a>]) -> (usize, usize) {
        let (mut count, mut bytes) = (0, 0);
        if let Some(typing) = &self.typing {
            let rest = typing.remaining();
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

    /// Notes that the socket has taken `taken` bytes of what [`Self::gather`] gave. Also skips hidden lines that
    /// follow; with 0 that is all it does. Returns the number of the log's lines that were taken, the last one maybe in
    /// part; those in a frame were counted when the frame was composed.
    pub fn advance(&mut self, log: Option<&Log>, taken: usize) -> u64 {
        match &mut self.typing {
            None => self.consume(log, taken),
            Some(typing) => {
                typing.advance(taken);
                0
            }
        }
    }

    /// Takes `taken` bytes off what the reader is owed: they are written, or in a frame. Returns the number of the log's
    /// lines among them, the last one maybe in part.
    pub(super) fn consume(&mut self, log: Option<&Log>, taken: usize) -> u64 {
        let (mut left, mut letters, mut next) = (taken, 0, self.next);
        let mut lines = 0;
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
                lines += to - next;
                next = to;
                true
            }
            Piece::Lines(_, bytes) => {
                if left > 0 {
                    // The bytes end within a run: behind some whole lines, and maybe in the middle of one, whose rest
                    // becomes mail.
                    let log = log.expect("lines come from a log");
                    let first = next;
                    let rest;
                    (next, rest) = log.rendering(self.seen).sent(next, left);
                    lines += next - first;
                    if rest > 0 {
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
        // Mostly there is no letter.
        for _ in 0..letters {
            let Some(letter) = self.mail.pop_front() else { break };
            self.mail_bytes -= letter.bytes.remaining().len();
            if letter.missed > 0 {
                self.noted_at = None;
            }
        }
        if letter_taken > 0 {
            self.mail_bytes -= letter_taken;
            let letter = &mut self.mail[0];
            letter.bytes.advance(letter_taken);
            if std::mem::take(&mut letter.missed) > 0 {
                self.noted_at = None;
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
        lines
    }
}
