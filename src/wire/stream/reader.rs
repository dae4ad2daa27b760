//! A reader: one client's place in a room's log, and its mail. Both together are what the client is
//! owed.

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
/// A snapshot holds each reader. A reader that was loaded from one needs [`Self::resume`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reader {
    id: SessionId,
    /// The view that the client has asked for.
    #[serde(default)]
    pub(super) view: View,
    /// The view of the rendering that the reader uses, which may be plainer than `view`.
    #[serde(default)]
    pub(super) seen: View,
    /// The number of the next line that the reader is owed.
    next: u64,
    /// Lines from this number on are held back; `u64::MAX` if none are.
    #[serde(default = "never", skip_serializing_if = "is_never")]
    pub(super) until: u64,
    /// Whether lines from `until` on will never be owed: see [`Self::close`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ends: bool,
    /// One more than the number of the last line in the log that is not shown to this client,
    /// because it is the client's own or the client gets it by mail. 0 if there is none.
    own: u64,
    /// The kinds of lines that are hidden; `None` if none are.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "filter")]
    hidden: Option<Box<Hidden>>,
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) mail: VecDeque<Mail>,
    /// Bytes of `mail` that the socket has not taken.
    #[serde(skip)]
    pub(super) mail_bytes: usize,
    /// The number of the first missed line of the note in `mail`. `Some` only while the socket has
    /// taken no byte of the note: then further missed lines are counted in the same note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) noted_at: Option<u64>,
    /// Missed lines in a snapshot of a release before 0.2, which did not put the note into the mail
    /// at once. `untold_at` is the number of the first of them.
    #[serde(default, skip_serializing, rename = "missed")]
    untold: u64,
    #[serde(default, skip_serializing, rename = "missed_at")]
    untold_at: Option<u64>,
    /// The draft and the current frame; `Some` while the hub echoes what is typed.
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
    /// The unsent bytes of one piece of mail.
    Mail(&'a [u8]),
    /// A run of lines that are shown: the number of the last one plus one, and their bytes.
    Lines(u64, &'a [u8]),
    /// A run of lines that are not shown: the number of the last one plus one.
    Gap(u64),
}

/// The most slices in one write (well below `IOV_MAX`, 1024).
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

    /// Restores the parts of this reader that a snapshot does not hold, after the reader and its
    /// `log` were loaded. `note` writes the note on missed lines that a release before 0.2 had not
    /// written yet.
    ///
    /// # Errors
    /// If the loaded values contradict each other.
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

    /// Begins to read `log` from its present end on. Mail that waits goes out first.
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

    /// Stops reading `log`. The lines that the reader is still owed become mail.
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

    /// Notes that the line just appended to the log is not to be shown to this client: it is the
    /// client's own, or the client gets it by mail.
    pub fn said(&mut self, log: &Log) {
        self.own = log.end();
    }

    /// Shows lines in `view` from the present end of `log` on.
    pub fn set_view(&mut self, view: View, log: &mut Log) {
        if view != self.view {
            self.apart(Some(log), |reader| reader.view = view);
        }
    }

    /// Hides the lines that `hidden` describes from the present end of `log` on.
    pub fn hide(&mut self, hidden: Hidden, log: &mut Log) {
        self.apart(Some(log), |reader| {
            reader.hidden = (!hidden.is_empty()).then(|| Box::new(hidden));
        });
    }

    /// Closes the reader: it is owed no lines behind the present end of `log`.
    pub fn close(&mut self, log: &Log) {
        self.release(Some(log));
        (self.until, self.ends) = (log.end(), true);
    }

    /// Whether the reader was [closed](Self::close) and has got all its lines: it no longer needs
    /// its log.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.ends && self.next >= self.until
    }

    /// Changes how lines are shown, from the present end of the log on: lines before that become
    /// mail first.
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

    /// Whether there is something to write to the client now.
    #[must_use]
    pub fn has_due(&self, log: Option<&Log>) -> bool {
        match &self.typing {
            Some(typing) if typing.is_waiting() => return false,
            Some(typing) if !typing.is_settled() => return true,
            _ => {}
        }
        self.mail.front().is_some_and(|mail| !mail.held) || log.is_some_and(|log| self.next < log.end().min(self.until))
    }

    /// If the reader is owed more than `limit` bytes of lines: the lowest line from which on they
    /// fit into `limit`; else `None`. Owed lines become mail when the reader leaves the log or its
    /// view changes, so the lines before must be skipped first.
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

    /// Whether the reader is owed nothing, counting what is held back.
    #[must_use]
    pub fn is_done(&self, log: Option<&Log>) -> bool {
        self.mail.is_empty()
            && log.is_none_or(|log| self.next == log.end())
            && self.typing.as_ref().is_none_or(|typing| typing.is_settled())
    }

    /// Bytes that the reader is owed, counting hidden lines and what is held back.
    #[must_use]
    pub fn behind(&self, log: Option<&Log>) -> usize {
        let lines = log.map_or(0, |log| {
            let rendering = log.rendering(self.seen);
            rendering.run(self.next, rendering.end()).len()
        });
        self.mail_bytes + lines + self.typing.as_ref().map_or(0, |typing| typing.remaining().len())
    }

    /// Moves the cursor forward to line `to`, because the log is about to drop the lines before.
    /// Returns the number of lines that the reader misses, not counting hidden ones. A note, which
    /// `note` writes, takes their place. If the mail has a note of which no byte is sent yet, that
    /// one counts these lines as well.
    ///
    /// The note is placed at the first line that would have been shown, not at the cursor. A replay
    /// must place it at the same line, but may have the cursor elsewhere: [`Self::advance`] moves
    /// it past hidden lines, and a replay may call that less often.
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

    /// Calls `see` with each piece of what the reader is owed, in order, until `see` returns
    /// `false`. Pieces that are held back are left out.
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

    /// The longest run of lines that begins with `line`, ends before `stop`, and is all hidden or
    /// all shown. Returns whether it is hidden, and the number of its last line plus one.
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

    /// Fills `pieces` with slices of what the reader is owed, in order, as far as there is room.
    /// Returns the number of slices and of bytes. After [`Self::advance`], call it again for the
    /// rest.
    ///
    /// While the hub echoes what is typed, it gives only the rest of the frame that [`Self::frame`]
    /// has composed.
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

    /// Notes that the socket has taken `taken` bytes of what [`Self::gather`] gave. Also moves the
    /// cursor past hidden lines that follow; with `taken` = 0 it does only that. Returns the number
    /// of lines of the log among these bytes, counting a last line that is sent in part. For a
    /// frame it returns 0: its lines were counted when it was composed.
    pub fn advance(&mut self, log: Option<&Log>, taken: usize) -> u64 {
        match &mut self.typing {
            None => self.consume(log, taken),
            Some(typing) => {
                typing.advance(taken);
                0
            }
        }
    }

    /// Removes the first `taken` bytes from what the reader is owed, because they are written or in
    /// a frame. Returns the number of lines of the log among them, counting a last line of which
    /// only a part was taken.
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
                    // The bytes end within this run: behind some whole lines, and perhaps in the
                    // middle of the next, the rest of which becomes mail.
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
        // Mostly there is no mail.
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
