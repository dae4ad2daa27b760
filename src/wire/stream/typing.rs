//! Typing: where we echo what a person types, lines are written in frames around it.
//!
//! A frame takes the draft (what is typed and not sent) off the screen, writes what is owed, and draws the draft again
//! below. It is composed as a whole, when the frame before is written.
//!
//! On a terminal that has got another width, what erases the draft can be in doubt: see
//! [`reflow`](crate::wire::terminal::reflow). Then the terminal is asked where its cursor is, and the next frame waits
//! for the answer. Who types on meanwhile waits for a few keys only: a terminal that has answered before may have
//! ceased to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::log::Log;
use super::mail::Mail;
use super::reader::{Piece, Reader};
use crate::wire::terminal::reflow::{WHERE, Width};
use crate::wire::terminal::screen::{self, Area};

/// The most bytes of owed lines that go into one frame; a single longer line goes as a whole.
pub(super) const FRAME: usize = 16 * 1024;

/// After so many keys the answer of a terminal is waited for no more.
const KEYS: u8 = 4;

/// The draft on the terminal of a reader whose typing we echo. It is below all lines, and is erased and drawn again
/// around those that come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Typing {
    /// The draft as the screen shows it when all of `frame` is written.
    shown: Area,
    /// The draft as the next frame is to draw it.
    wanted: Area,
    /// The bytes being written, which nothing may come between; the first `at` of them are taken.
    frame: Vec<u8>,
    at: usize,
    /// Whether the terminal reflows rows, as far as it has shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reflows: Option<bool>,
    /// There while the terminal has a width at which only its answer tells how `shown` is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
}

/// What a terminal was asked to find out where its cursor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    /// The width that it had by then.
    cols: u16,
    /// How often it has answered before it was asked.
    told: u16,
    /// How often it was asked.
    asked: u16,
    /// How often the draft has changed since.
    keys: u8,
}

impl Doubt {
    /// Whether the answer is there, or is waited for no more.
    fn is_over(self, now: Width) -> bool {
        self.keys >= KEYS || now.told.wrapping_sub(self.told) >= self.asked
    }
}

impl Typing {
    /// The draft is to look like `wanted` once `owed` is written, which was owed before we echoed.
    fn new(wanted: Area, owed: Vec<u8>) -> Self {
        // What was typed in that row before, and echoed by the terminal, is erased.
        let shown = Area { erase: screen::erase(0), ..Area::default() };
        Self { shown, wanted, frame: owed, at: 0, reflows: None, doubt: None }
    }

    /// Whether what was read from a snapshot fits: no more of the frame is taken than it has.
    pub(super) fn is_sound(&self) -> bool {
        self.at <= self.frame.len()
    }

    /// Whether all of the frame is taken, so that the next one can be composed.
    fn is_written(&self) -> bool {
        self.at == self.frame.len()
    }

    /// Whether the frame is taken, and the screen shows the draft as it is to.
    pub(super) fn is_settled(&self) -> bool {
        self.is_written() && self.shown == self.wanted
    }

    /// The bytes of the frame that are not taken yet.
    pub(super) fn remaining(&self) -> &[u8] {
        &self.frame[self.at..]
    }

    /// The draft is to look like `wanted` from the next frame on.
    fn want(&mut self, wanted: Area) {
        if let Some(doubt) = &mut self.doubt
            && wanted.draw != self.wanted.draw
        {
            doubt.keys = doubt.keys.saturating_add(1);
        }
        self.wanted = wanted;
    }

    /// Whether the terminal has to be asked before the next frame.
    fn has_to_ask(&self) -> bool {
        let now = self.wanted.width;
        let is_asked = |doubt: Doubt| doubt.cols == now.cols || doubt.keys >= KEYS;
        !self.doubt.is_some_and(is_asked) && self.shown.is_doubtful(now)
    }

    /// Whether the next frame waits for an answer.
    pub(super) fn is_waiting(&self) -> bool {
        let is_open = self.doubt.is_some_and(|doubt| !doubt.is_over(self.wanted.width));
        is_open && self.is_written() && !self.has_to_ask()
    }

    /// Makes the next frame a question to the terminal.
    fn ask(&mut self) {
        let Width { cols, told, .. } = self.wanted.width;
        let before = self.doubt.unwrap_or(Doubt { cols, told, asked: 0, keys: 0 });
        self.doubt = Some(Doubt { cols, asked: before.asked.saturating_add(1), ..before });
        (self.frame, self.at) = (WHERE.to_vec(), 0);
    }

    /// What erases the draft as it is on the screen.
    fn erase(&mut self) -> Vec<u8> {
        let now = self.wanted.width;
        // Without an answer there is none to learn from.
        let answer = self.doubt.take().filter(|doubt| now.told.wrapping_sub(doubt.told) >= doubt.asked);
        self.shown.erased(now, &mut self.reflows, answer.map(|_| now.column))
    }

    /// The socket has taken `taken` bytes of the frame.
    pub(super) fn advance(&mut self, taken: usize) {
        self.at += taken;
        if self.at >= self.frame.len() {
            (self.frame, self.at) = (Vec::new(), 0);
        }
    }

    /// What the frame takes in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.frame.len()
    }

    /// Makes the next frame: `frame` holds what erases the draft, which is `erase` bytes, and what is owed; what draws
    /// the draft is added.
    fn compose(&mut self, mut frame: Vec<u8>, erase: usize) {
        let shown = std::mem::replace(&mut self.shown, self.wanted.clone());
        let wanted = &self.wanted;
        if frame.len() > erase {
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
        (self.frame, self.at) = (frame, 0);
    }
}

impl Reader {
    /// The draft looks like `area` from now on; `None`: we echo it no more. While we echo, what the reader is owed is
    /// written in frames, and its own lines are shown to it as well.
    pub fn area(&mut self, area: Option<Area>, log: Option<&mut Log>) {
        match (area, &mut self.typing) {
            (Some(area), Some(typing)) => typing.want(area),
            (Some(wanted), None) => {
                self.apart(log, |reader| {
                    // All that it is owed by now becomes the first frame, without anything drawn: so the next frame
                    // begins at the same byte, however much of that is written by now.
                    let owed = reader.mail.iter().flat_map(|mail| mail.bytes.remaining()).copied().collect();
                    (reader.mail, reader.mail_bytes, reader.noted_at) = (VecDeque::new(), 0, None);
                    reader.typing = Some(Box::new(Typing::new(wanted, owed)));
                });
            }
            (None, Some(_)) => self.apart(log, |reader| {
                let Some(mut typing) = reader.typing.take() else { return };
                let erase = typing.erase();
                for bytes in [&*erase, typing.remaining()] {
                    if !bytes.is_empty() {
                        reader.mail_bytes += bytes.len();
                        reader.mail.push_front(Mail::new(0, bytes));
                    }
                }
            }),
            (None, None) => {}
        }
    }

    /// Composes the next frame, if we echo what is typed and the frame before is written: it erases the draft, writes
    /// what the reader is owed up to now, and draws the draft again. So the draft is drawn once, however many lines
    /// have come.
    ///
    /// The frame depends on nothing but this reader and `log`. [`Self::needs_frame`] tells whether it would have any
    /// bytes. Returns how many lines of the log are in it.
    pub fn frame(&mut self, log: Option<&Log>) -> u64 {
        let Some(typing) = self.typing.as_deref_mut().filter(|typing| typing.is_written()) else { return 0 };
        if typing.has_to_ask() {
            typing.ask();
            return 0;
        }
        if typing.is_waiting() {
            return 0;
        }
        let mut frame = typing.erase();
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
        let lines = self.consume(log, frame.len() - erase);
        if let Some(typing) = &mut self.typing {
            typing.compose(frame, erase);
        }
        lines
    }

    /// Bytes of what it is owed that go into one frame: whole lines, at least one of them.
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
        self.typing.as_ref().is_some_and(|typing| typing.is_written() && !typing.is_waiting()) && self.has_due(log)
    }

    /// Whether what is typed is echoed by us.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing.is_some()
    }
}
