//! One connection's way in: bytes to what its person means.
//!
//! Telnet is taken out first, then lines are put together, then each is cleaned. Bytes that came in
//! one piece are given out one line at a time, so that whoever paces the client can leave the rest
//! lying; nothing is lost and nothing is looked at twice.

use serde::{Deserialize, Serialize};

use crate::hub::text;

use super::lines::{LineAssembler, LineEvent};
use super::telnet::{Command, Event, Telnet};

/// End of transmission (^D), which Debian's telnet sends as it is in line mode.
const EOT: u8 = 0x04;

/// What a client sends, read so far.
///
/// Idle, it holds no heap memory but what a telnet client has negotiated. Otherwise it holds an
/// unfinished line, at most as long as the limit, and the bytes not looked at yet, which the caller
/// bounds by reading no more until they are.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Link {
    telnet: Telnet,
    lines: LineAssembler,
    /// Bytes that came in; those before `at` are done with.
    input: Vec<u8>,
    at: usize,
    /// How many bytes from `at` on are known to be data.
    data: usize,
    ended: bool,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Heard {
    /// A line.
    Line {
        /// Cleaned.
        text: String,
        /// How many bytes it was, with its end.
        bytes: u64,
    },
    /// A line that was longer than allowed; nothing is left of it.
    TooLong {
        /// How many bytes it was.
        bytes: u64,
    },
    /// "Are you there?" (RFC 854).
    AreYouThere,
    /// ^C: what was typed so far is gone.
    Interrupt,
    /// ^D at the start of a line, or the like: the person wants to leave.
    Leave,
}

impl Link {
    /// Takes bytes that came in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(bytes);
    }

    /// Whether what was read from elsewhere fits together.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.at.checked_add(self.data).is_some_and(|end| end <= self.input.len())
    }

    /// Nothing more comes: what is left without an end is the last line.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Whether [`Self::end`] was called and everything was given out.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ended && self.at == self.input.len() && !self.lines.is_unfinished()
    }

    /// How many bytes are not looked at yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.input.len() - self.at
    }

    /// Whether the client has shown to be telnet: by a command, or by how its first line ended.
    #[must_use]
    pub fn is_telnet(&self) -> bool {
        self.telnet.is_telnet() || self.lines.saw_crlf()
    }

    /// Whether a line is being skipped for its length.
    #[must_use]
    pub fn is_skipping(&self) -> bool {
        self.lines.is_unfinished() && self.lines.partial().is_empty()
    }

    /// The next thing that came; `None` if the rest has yet to come. Lines may have `max` bytes. What
    /// the client is to be answered at once is appended to `replies`.
    pub fn next(&mut self, max: usize, replies: &mut Vec<u8>) -> Option<Heard> {
        loop {
            if self.data > 0 {
                let mut run = &self.input[self.at..self.at + self.data];
                let heard = self.lines.next(&mut run, max).map(heard);
                let used = self.data - run.len();
                self.at += used;
                self.data -= used;
                if heard.is_some() {
                    return heard;
                }
                if self.lines.partial() == [EOT] && self.is_telnet() {
                    self.lines.erase_line();
                    return Some(Heard::Leave);
                }
                continue;
            }
            let mut rest = &self.input[self.at..];
            let event = self.telnet.receive(&mut rest, replies);
            let end = self.input.len() - rest.len();
            match event {
                Some(Event::Data(run)) => {
                    self.at = end - run.len();
                    self.data = run.len();
                }
                Some(Event::Command(command)) => {
                    self.at = end;
                    match command {
                        Command::AreYouThere => return Some(Heard::AreYouThere),
                        Command::Interrupt | Command::Break => {
                            self.lines.erase_line();
                            return Some(Heard::Interrupt);
                        }
                        Command::EraseCharacter => self.lines.erase_char(),
                        Command::EraseLine => self.lines.erase_line(),
                        Command::EndOfFile | Command::Suspend | Command::Abort => return Some(Heard::Leave),
                        Command::AbortOutput => {}
                    }
                }
                Some(_) => self.at = end,
                None => {
                    self.input = Vec::new();
                    self.at = 0;
                    return if self.ended { self.lines.finish().map(heard) } else { None };
                }
            }
        }
    }
}

fn heard(event: LineEvent<'_>) -> Heard {
    match event {
        LineEvent::Line { bytes, .. } => {
            Heard::Line { text: text::clean(&bytes).into_owned(), bytes: bytes.len() as u64 + 1 }
        }
        LineEvent::TooLong { bytes, .. } => Heard::TooLong { bytes },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listen(pieces: &[&[u8]]) -> (Vec<Heard>, Vec<u8>) {
        let (mut link, mut out, mut replies) = (Link::default(), Vec::new(), Vec::new());
        for piece in pieces {
            link.push(piece);
            // Half of the time the caller leaves the rest lying and comes back with more.
            while let Some(heard) = link.next(32, &mut replies) {
                out.push(heard);
            }
        }
        link.end();
        while let Some(heard) = link.next(32, &mut replies) {
            out.push(heard);
        }
        assert!(link.is_done());
        (out, replies)
    }

    fn line(text: &str) -> Heard {
        Heard::Line { text: text.into(), bytes: text.len() as u64 + 1 }
    }

    #[test]
    fn lines_come_one_at_a_time_and_the_last_needs_no_end() {
        let (heard, replies) = listen(&[b"one\ntwo\r", b"\nthree\r\0fo", b"ur"]);
        assert_eq!(heard, vec![line("one"), line("two"), line("three"), line("four")]);
        assert!(replies.is_empty(), "not one byte of telnet to a client that has sent none");
    }

    #[test]
    fn control_c_of_debians_telnet_clears_the_line_and_is_answered() {
        let (heard, replies) = listen(&[b"abc\xff\xf4\xff\xfd\x06def\r\n"]);
        assert_eq!(heard, vec![Heard::Interrupt, line("def")]);
        assert_eq!(replies, b"\xff\xfc\x06");
    }

    #[test]
    fn control_d_leaves_for_telnet_and_is_nothing_for_others() {
        let (heard, _) = listen(&[b"hi\r\n", b"\x04"]);
        assert_eq!(heard, vec![line("hi"), Heard::Leave]);
        let (heard, _) = listen(&[b"hi\n", b"\x04"]);
        assert_eq!(heard.len(), 2);
        assert!(matches!(&heard[1], Heard::Line { text, .. } if text.is_empty()));
    }

    #[test]
    fn over_long_line_is_one_word_about_it() {
        let long = [b'x'; 1000];
        let (heard, _) = listen(&[&long, b"\nok\n"]);
        assert_eq!(heard, vec![Heard::TooLong { bytes: 1000 }, line("ok")]);
    }

    proptest! {
        #[test]
        fn any_chunking_is_heard_alike(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(0xff_u8), Just(0xfd), Just(6), Just(4), any::<u8>()], 0..300),
            size in 1_usize..40,
        ) {
            let pieces: Vec<_> = bytes.chunks(size).collect();
            let (whole, cut) = (listen(&[&bytes]), listen(&pieces));
            prop_assert_eq!(whole.1, cut.1);
            // Where ^D stands alone at a read's end only chunking can tell; all else is alike.
            if !bytes.contains(&EOT) {
                prop_assert_eq!(whole.0, cut.0);
            }
        }
    }
}
