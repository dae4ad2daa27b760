//! Typing: on a terminal where the hub echoes what a person types, lines are written in frames
//! around the draft.
//!
//! The draft is the line that is typed and not sent yet. A frame is a run of bytes that erases the
//! draft from the screen, writes what the reader is owed, and draws the draft again below. A frame
//! is composed when the socket has taken all of the one before, and is then written as it is.
//!
//! After the width of a terminal has changed, it can be in doubt which bytes erase the draft: see
//! [`reflow`](crate::wire::terminal::reflow). Then the terminal is asked where its cursor is, and
//! the next frame waits for the answer, at most until the person has typed `KEYS` more keys: a
//! terminal that has answered before may answer no more.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::log::Log;
use super::mail::Mail;
use super::reader::{Piece, Reader};
use crate::wire::terminal::reflow::{WHERE, Width};
use crate::wire::terminal::screen::{self, Area};

/// The most bytes of owed lines in one frame; a longer line makes a frame of its own.
pub(super) const FRAME: usize = 16 * 1024;

/// Keys after which the hub stops waiting for a terminal's answer.
const KEYS: u8 = 4;

/// The draft on the terminal of a reader whose typing the hub echoes, and the frame that is being
/// written. The draft stands below all lines, and is erased and drawn again around new ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Typing {
    /// The draft as the screen shows it once all of `frame` is written.
    shown: Area,
    /// The draft as the next frame will draw it.
    wanted: Area,
    /// The bytes of the current frame, between which nothing else may be written. The socket has
    /// taken the first `at` of them.
    frame: Vec<u8>,
    at: usize,
    /// Whether the terminal reflows rows when its width changes; `None` while it has not shown
    /// that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reflows: Option<bool>,
    /// `Some` while only an answer of the terminal tells how `shown` is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
}

/// The questions to a terminal where its cursor is, while their answers are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    /// The terminal's width at the last question, in columns.
    cols: u16,
    /// The terminal's count of answers before the first question.
    told: u16,
    /// The number of questions since then, the first one included.
    asked: u16,
    /// Changes of the draft since the first question, each of which is a key.
    keys: u8,
}

impl Doubt {
    /// Whether all answers have come, or are waited for no more.
    fn is_over(self, now: Width) -> bool {
        self.keys >= KEYS || now.told.wrapping_sub(self.told) >= self.asked
    }
}

impl Typing {
    /// Begins to echo: the first frame is `owed`, which the reader was owed before, and the next
    /// one draws `wanted`.
    fn new(wanted: Area, owed: Vec<u8>) -> Self {
        // The row may hold text that the terminal echoed itself before: the next frame erases it.
        let shown = Area { erase: screen::erase(0), ..Area::default() };
        Self { shown, wanted, frame: owed, at: 0, reflows: None, doubt: None }
    }

    /// Whether a value that was read from a snapshot is consistent: `at` is within the frame.
    pub(super) fn is_sound(&self) -> bool {
        self.at <= self.frame.len()
    }

    /// Whether the socket has taken all of the frame, so that the next one can be composed.
    fn is_written(&self) -> bool {
        self.at == self.frame.len()
    }

    /// Whether the socket has taken all of the frame, and the screen shows the draft as it is now.
    pub(super) fn is_settled(&self) -> bool {
        self.is_written() && self.shown == self.wanted
    }

    /// The bytes of the frame that the socket has not taken.
    pub(super) fn remaining(&self) -> &[u8] {
        &self.frame[self.at..]
    }

    /// Sets the draft that the next frame will draw.
    fn want(&mut self, wanted: Area) {
        if let Some(doubt) = &mut self.doubt
            && wanted.draw != self.wanted.draw
        {
            doubt.keys = doubt.keys.saturating_add(1);
        }
        self.wanted = wanted;
    }

    /// Whether the next frame has to be a question to the terminal.
    fn has_to_ask(&self) -> bool {
        let now = self.wanted.width;
        let is_asked = |doubt: Doubt| doubt.cols == now.cols || doubt.keys >= KEYS;
        !self.doubt.is_some_and(is_asked) && self.shown.is_doubtful(now)
    }

    /// Whether the next frame has to wait for an answer of the terminal.
    pub(super) fn is_waiting(&self) -> bool {
        let is_open = self.doubt.is_some_and(|doubt| !doubt.is_over(self.wanted.width));
        is_open && self.is_written() && !self.has_to_ask()
    }

    /// Makes the next frame the question where the cursor is.
    fn ask(&mut self) {
        let Width { cols, told, .. } = self.wanted.width;
        let before = self.doubt.unwrap_or(Doubt { cols, told, asked: 0, keys: 0 });
        self.doubt = Some(Doubt { cols, asked: before.asked.saturating_add(1), ..before });
        (self.frame, self.at) = (WHERE.to_vec(), 0);
    }

    /// The bytes that erase the draft as it is on the screen.
    fn erase(&mut self) -> Vec<u8> {
        let now = self.wanted.width;
        // An answer counts only if all questions were answered.
        let answer = self.doubt.take().filter(|doubt| now.told.wrapping_sub(doubt.told) >= doubt.asked);
        self.shown.erased(now, &mut self.reflows, answer.map(|_| now.column))
    }

    /// Notes that the socket has taken `taken` more bytes of the frame.
    pub(super) fn advance(&mut self, taken: usize) {
        self.at += taken;
        if self.at >= self.frame.len() {
            (self.frame, self.at) = (Vec::new(), 0);
        }
    }

    /// The memory that the frame takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.frame.len()
    }

    /// Completes the next frame. `frame` begins with `erase` bytes that erase the draft, followed
    /// by what the reader is owed; the bytes that draw the draft are added here.
    fn compose(&mut self, mut frame: Vec<u8>, erase: usize) {
        let shown = std::mem::replace(&mut self.shown, self.wanted.clone());
        let wanted = &self.wanted;
        if frame.len() > erase {
            frame.extend_from_slice(&wanted.draw);
        } else if shown.draw == wanted.draw {
            frame.clear();
        } else {
            match wanted.draw.strip_prefix(&*shown.draw) {
                // Typing at the end of a line sends only the new characters.
                Some(rest) if !shown.draw.is_empty() => frame = rest.to_vec(),
                _ => frame.extend_from_slice(&wanted.draw),
            }
        }
        (self.frame, self.at) = (frame, 0);
    }
}

impl Reader {
    /// Sets the draft as it is drawn from now on; `None` ends the echo by the hub. While the hub
    /// echoes, what the reader is owed is written in frames, and the reader is shown its own lines
    /// as well.
    pub fn area(&mut self, area: Option<Area>, log: Option<&mut Log>) {
        match (area, &mut self.typing) {
            (Some(area), Some(typing)) => typing.want(area),
            (Some(wanted), None) => {
                self.apart(log, |reader| {
                    // All that the reader is owed by now becomes the first frame, without a draft.
                    // So the next frame begins at the same byte of the output, however much the
                    // socket has taken by now: a replay must get the same output.
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

    /// Composes the next frame, if the hub echoes for this reader and the frame before is written.
    /// The frame erases the draft, writes what the reader is owed up to now, and draws the draft
    /// again: once, however many lines have come.
    ///
    /// The frame depends on nothing but this reader and `log`. [`Self::needs_frame`] tells whether
    /// it would have any bytes. Returns the number of lines of the log in it.
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

    /// The number of owed bytes that go into the next frame: whole lines, and at least one of them.
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

    /// Whether the hub echoes what this reader's person types.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing.is_some()
    }
}
