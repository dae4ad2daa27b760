//! Typing: where we echo what a person types, lines are written in frames around it.
//!
//! A frame takes the draft (what is typed and not sent) off the screen, writes what is owed, and draws the draft again
//! below. It is composed as a whole, when the frame before is written.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::log::Log;
use super::mail::Mail;
use super::reader::{Piece, Reader};
use crate::wire::terminal::screen::Area;

/// The most bytes of owed lines that go into one frame; a single longer line goes as a whole.
pub(super) const FRAME: usize = 16 * 1024;

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
}

impl Typing {
    /// The draft is to look like `wanted` once `owed` is written, which was owed before we echoed.
    fn new(wanted: Area, owed: Vec<u8>) -> Self {
        // What was typed in that row before, and echoed by the terminal, is erased.
        let shown = Area { erase: b"\r\x1b[J".to_vec(), draw: Vec::new() };
        Self { shown, wanted, frame: owed, at: 0 }
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

    /// Makes the next frame: `frame` holds what erases the draft and what is owed; what draws the draft is added.
    fn compose(&mut self, mut frame: Vec<u8>) {
        let shown = std::mem::replace(&mut self.shown, self.wanted.clone());
        let wanted = &self.wanted;
        if frame.len() > shown.erase.len() {
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
            (Some(area), Some(typing)) => typing.wanted = area,
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
                let Some(typing) = reader.typing.take() else { return };
                for bytes in [&*typing.shown.erase, typing.remaining()] {
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
        let Some(typing) = self.typing.as_deref().filter(|typing| typing.is_written()) else { return 0 };
        let mut frame = typing.shown.erase.clone();
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
            typing.compose(frame);
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
        self.typing.as_ref().is_some_and(|typing| typing.is_written()) && self.has_due(log)
    }

    /// Whether what is typed is echoed by us.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing.is_some()
    }
}
