//! Newline-delimited frames: splits a byte stream into lines of bounded length.
//!
//! This module does not know what a line says: [`super::message`] parses it.

use super::message::MAX_REQUEST;

/// Splits a byte stream, which comes in any pieces, into lines of at most [`MAX_REQUEST`] bytes.
///
/// It holds at most one line. A longer line is skipped up to its newline, and is reported once.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
    overlong: bool,
}

/// A frame: one line of the protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A line, without its LF or CR LF.
    Line(Vec<u8>),
    /// A line that was longer than [`MAX_REQUEST`] and was dropped.
    TooLong,
}

impl Frames {
    /// Takes bytes off `input` until a frame is complete; `None` if `input` is empty before that.
    /// Lines of nothing but white space are skipped.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Frame> {
        while !input.is_empty() {
            let (piece, rest, ended) = match input.iter().position(|byte| *byte == b'\n') {
                Some(at) => (&input[..at], &input[at + 1..], true),
                None => (*input, &input[input.len()..], false),
            };
            *input = rest;
            if self.overlong || self.held.len() + piece.len() > MAX_REQUEST {
                self.overlong = true;
                self.held = Vec::new();
            } else {
                self.held.extend_from_slice(piece);
            }
            if ended && let Some(frame) = self.end() {
                return Some(frame);
            }
        }
        None
    }

    /// Ends the stream. Returns the rest behind the last newline, if there is one.
    pub fn finish(&mut self) -> Option<Frame> {
        self.end()
    }

    fn end(&mut self) -> Option<Frame> {
        if std::mem::take(&mut self.overlong) {
            return Some(Frame::TooLong);
        }
        let mut line = std::mem::take(&mut self.held);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        (!line.iter().all(u8::is_ascii_whitespace)).then_some(Frame::Line(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut frames = Frames::default();
        let mut out = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(frame) = frames.next(&mut piece) {
                out.push(frame);
            }
        }
        out.extend(frames.finish());
        out
    }

    #[test]
    fn over_long_line_is_one_frame_and_the_next_is_whole() {
        let mut bytes = vec![b'x'; MAX_REQUEST + 1];
        bytes.extend_from_slice(b"\n{}\r\n\n  \nlast");
        let expected = vec![Frame::TooLong, Frame::Line(b"{}".to_vec()), Frame::Line(b"last".to_vec())];
        assert_eq!(frames(&[&bytes]), expected);
        let edge = vec![b'x'; MAX_REQUEST];
        assert_eq!(frames(&[&edge, b"\n"]), vec![Frame::Line(edge.clone())]);
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_frames(
            bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..400),
            size in 1_usize..40,
        ) {
            let pieces: Vec<_> = bytes.chunks(size).collect();
            prop_assert_eq!(frames(&[&bytes]), frames(&pieces));
        }
    }
}
