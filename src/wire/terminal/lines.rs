//! Assembles data bytes into lines, however the bytes were divided into reads.
//!
//! LF, CR LF, CR NUL and a lone CR each end one line. A line is a run of bytes here:
//! [`super::telnet`] has removed telnet commands before, and [`crate::values::text`] cleans the
//! text later.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

const NUL: u8 = 0;
const BACKSPACE: u8 = 0x08;
const LF: u8 = b'\n';
const CR: u8 = b'\r';
const KILL: u8 = 0x15; // ^U
const WORD_ERASE: u8 = 0x17; // ^W
const DELETE: u8 = 0x7F;

/// The distance in bytes over which [`LineAssembler::erase_char`] looks back for the start of a
/// grapheme. It is longer than any real grapheme, and bounds the cost of erasing.
const LOOK_BACK: usize = 64;

/// Assembles the bytes of one client into lines.
///
/// It holds no heap memory between lines, and for an unfinished line never more than the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAssembler {
    /// The unfinished line, from its start. Empty while `skipped` is not zero.
    partial: Vec<u8>,
    /// The length in bytes of an unfinished line that is longer than the limit, and is skipped; 0
    /// if there is none.
    skipped: u64,
    /// Whether the last byte ended a line and was a CR: a LF or NUL that follows belongs to it.
    after_cr: bool,
    first: First,
    keys: Keys,
}

/// The ending of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// A line feed alone.
    Lf,
    /// A carriage return. In a [`LineEvent`] it may be the first byte of CR LF or CR NUL, since the
    /// event does not wait for the next byte.
    Cr,
    /// CR LF. Never in a [`LineEvent`].
    CrLf,
    /// CR NUL. Never in a [`LineEvent`].
    CrNul,
    /// The end of the stream.
    Eof,
}

/// The ending of the client's first line, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum First {
    /// No line has ended yet.
    #[default]
    Unseen,
    /// The line ended in a CR; the next byte tells which of the three endings it is.
    SomeCr,
    Known(Ending),
}

/// The meaning of the bytes that terminals send for erasing keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keys {
    /// They are data: the client edits its line itself, and mostly sends none. `erased` takes out those that it does send.
    #[default]
    Verbatim,
    /// BS and DEL erase a character, ^U the line, ^W a word: for clients that may send each key at
    /// once, because ECHO is ours.
    Erase,
}

/// The end of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineEvent<'b> {
    /// A line within the limit.
    Line {
        /// The bytes without the ending, at most as many as the limit; borrowed if the whole line
        /// lay in the input.
        bytes: Cow<'b, [u8]>,
        /// LF, CR or the end of the stream.
        ending: Ending,
    },
    /// A line that was longer than the limit, and was dropped.
    TooLong {
        /// The length in bytes, without the ending.
        bytes: u64,
        /// LF, CR or the end of the stream.
        ending: Ending,
    },
}

impl LineAssembler {
    /// Takes bytes off `input` until one line is complete; `None` if `input` is empty before that.
    /// The caller may keep the rest and give it later: only a LF or NUL behind the line's CR was
    /// taken off it.
    ///
    /// `max` is the limit on a line in bytes, without its ending. It may differ from call to call;
    /// an unfinished line that is longer than a new, smaller limit counts as too long.
    pub fn next<'b>(&mut self, input: &mut &'b [u8], max: usize) -> Option<LineEvent<'b>> {
        if self.partial.len() > max {
            self.skip(0);
        }
        self.swallow(input);
        while !input.is_empty() {
            let stop = match self.keys {
                Keys::Verbatim => memchr::memchr2(LF, CR, input),
                Keys::Erase => input.iter().position(|&byte| stops_typing(byte)),
            };
            let (run, rest) = input.split_at(stop.unwrap_or(input.len()));
            let Some((&stop, rest)) = rest.split_first() else {
                self.keep(run, max);
                *input = rest;
                return None;
            };
            *input = rest;
            if stop == CR || stop == LF {
                return Some(self.end(run, stop, input, max));
            }
            self.keep(run, max);
            self.erase(stop);
        }
        None
    }

    /// Does what this key does.
    fn erase(&mut self, key: u8) {
        match key {
            KILL => self.erase_line(),
            WORD_ERASE => self.erase_word(),
            _ => self.erase_char(),
        }
    }

    /// The stream has ended: the last line, if there is one without an ending.
    pub fn finish(&mut self) -> Option<LineEvent<'static>> {
        let ending = Ending::Eof;
        self.after_cr = false;
        match (std::mem::take(&mut self.skipped), &*self.partial) {
            (0, []) => None,
            (0, _) => Some(LineEvent::Line { bytes: Cow::Owned(std::mem::take(&mut self.partial)), ending }),
            (bytes, _) => Some(LineEvent::TooLong { bytes, ending }),
        }
    }

    /// Whether the client's first line ended in CR LF, CR NUL or a lone CR, as telnet clients end
    /// lines. False until the byte behind the CR has come.
    #[must_use]
    pub fn saw_cr(&self) -> bool {
        matches!(self.first, First::Known(Ending::CrLf | Ending::CrNul | Ending::Cr))
    }

    /// Whether any line has ended yet.
    #[must_use]
    pub fn saw_end(&self) -> bool {
        self.first != First::Unseen
    }

    /// Takes the unfinished line. Returns its bytes, the length of a line that is skipped for its
    /// length instead, and whether a LF or NUL that comes next belongs to the line before.
    pub fn take(&mut self) -> (Vec<u8>, u64, bool) {
        (std::mem::take(&mut self.partial), std::mem::take(&mut self.skipped), std::mem::take(&mut self.after_cr))
    }

    /// Sets the beginning of the unfinished line. `after_cr` tells whether a LF or NUL that comes
    /// next belongs to the line before.
    pub fn take_over(&mut self, line: Vec<u8>, after_cr: bool) {
        (self.partial, self.skipped, self.after_cr) = (line, 0, after_cr);
    }

    /// The bytes of the unfinished line; empty if it is too long.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Whether a line has begun and not ended.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.skipped > 0 || !self.partial.is_empty()
    }

    /// Sets whether the bytes of erasing keys erase or are data.
    pub fn set_keys(&mut self, keys: Keys) {
        self.keys = keys;
    }

    /// Erases the last grapheme of the unfinished line, or the last broken sequence where bytes are
    /// not UTF-8. A line that is too long stays too long.
    pub fn erase_char(&mut self) {
        let from = self.partial.len().saturating_sub(LOOK_BACK);
        // Do not start inside a character that begins before `from`.
        let inside = self.partial[from..].iter().take(3).take_while(|&&byte| from > 0 && byte & 0xC0 == 0x80).count();
        let erased = self.partial[from + inside..].utf8_chunks().last().map_or(inside, |chunk| match chunk.invalid() {
            [] => chunk.valid().graphemes(true).next_back().map_or(0, str::len),
            broken => broken.len(),
        });
        self.truncate(self.partial.len() - erased);
    }

    /// Erases the last word of the unfinished line and the white space behind it.
    pub fn erase_word(&mut self) {
        let words = self.partial.trim_ascii_end();
        let kept = words.iter().rposition(u8::is_ascii_whitespace).map_or(0, |space| space + 1);
        self.truncate(kept);
    }

    /// Drops the unfinished line, also one that is too long: the next byte begins a new line.
    pub fn erase_line(&mut self) {
        self.truncate(0);
        self.skipped = 0;
    }

    /// Takes the LF or NUL that belongs to the CR before it.
    fn swallow(&mut self, input: &mut &[u8]) {
        if !self.after_cr {
            return;
        }
        let Some((&byte, rest)) = input.split_first() else {
            return;
        };
        self.after_cr = false;
        let ending = match byte {
            LF => Ending::CrLf,
            NUL => Ending::CrNul,
            _ => Ending::Cr,
        };
        if ending != Ending::Cr {
            *input = rest;
        }
        if self.first == First::SomeCr {
            self.first = First::Known(ending);
        }
    }

    /// Ends the line whose last bytes are `run`. The byte `stop` that ended it, a CR or LF, is
    /// taken off `input` already.
    fn end<'b>(&mut self, run: &'b [u8], stop: u8, input: &mut &'b [u8], max: usize) -> LineEvent<'b> {
        let ending = if stop == CR { Ending::Cr } else { Ending::Lf };
        if self.first == First::Unseen {
            self.first = match ending {
                Ending::Cr => First::SomeCr,
                known => First::Known(known),
            };
        }
        self.after_cr = stop == CR;
        self.swallow(input);
        if !self.is_unfinished() && run.len() <= max {
            return LineEvent::Line { bytes: Cow::Borrowed(run), ending };
        }
        self.keep(run, max);
        match std::mem::take(&mut self.skipped) {
            0 => LineEvent::Line { bytes: Cow::Owned(std::mem::take(&mut self.partial)), ending },
            bytes => LineEvent::TooLong { bytes, ending },
        }
    }

    /// Adds bytes to the unfinished line, or to the count of skipped bytes.
    fn keep(&mut self, run: &[u8], max: usize) {
        let needed = self.partial.len() + run.len();
        if self.skipped > 0 {
            self.skipped = self.skipped.saturating_add(run.len() as u64);
        } else if needed > max {
            self.skip(run.len());
        } else {
            if needed > self.partial.capacity() {
                // Double the capacity, but not beyond the limit; `Vec` by itself would go beyond
                // it.
                let capacity = needed.max(self.partial.capacity() * 2).max(32).min(max);
                self.partial.reserve_exact(capacity - self.partial.len());
            }
            self.partial.extend_from_slice(run);
        }
    }

    /// Begins to skip the unfinished line, which is too long with `more` further bytes.
    fn skip(&mut self, more: usize) {
        self.skipped = (self.partial.len() + more) as u64;
        self.partial = Vec::new();
    }

    fn truncate(&mut self, len: usize) {
        if len == 0 {
            self.partial = Vec::new();
        } else {
            self.partial.truncate(len);
        }
    }
}

/// What is left of a line when the keys in it have erased what they erase. Where a terminal sends each key as it is hit
/// and its program edits nothing (`socat -,raw`), what somebody has taken back is not said all the same.
#[must_use]
pub(super) fn erased(line: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if memchr::memchr2(BACKSPACE, DELETE, &line).or_else(|| memchr::memchr2(KILL, WORD_ERASE, &line)).is_none() {
        return line;
    }
    let mut kept = LineAssembler::default();
    let mut rest = &*line;
    while let Some(stop) = rest.iter().position(|&byte| stops_typing(byte)) {
        kept.partial.extend_from_slice(&rest[..stop]);
        kept.erase(rest[stop]);
        rest = &rest[stop + 1..];
    }
    kept.partial.extend_from_slice(rest);
    Cow::Owned(kept.partial)
}

/// Whether a byte ends a line or erases some of it.
fn stops_typing(byte: u8) -> bool {
    matches!(byte, LF | CR | BACKSPACE | DELETE | KILL | WORD_ERASE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 16;

    /// Feeds the chunks and returns all events; checks the bounds on memory after each chunk.
    fn feed<'b>(lines: &mut LineAssembler, chunks: impl IntoIterator<Item = &'b [u8]>) -> Vec<LineEvent<'static>> {
        let mut events = Vec::new();
        for mut chunk in chunks {
            while let Some(event) = lines.next(&mut chunk, MAX) {
                assert!(lines.partial.capacity() == 0, "nothing is held between lines");
                events.push(owned(event));
            }
            assert!(chunk.is_empty());
            assert!(lines.partial.capacity() <= MAX);
        }
        events.extend(lines.finish());
        assert_eq!(lines.partial.capacity(), 0);
        events
    }

    fn owned(event: LineEvent<'_>) -> LineEvent<'static> {
        match event {
            LineEvent::Line { bytes, ending } => LineEvent::Line { bytes: Cow::Owned(bytes.into_owned()), ending },
            LineEvent::TooLong { bytes, ending } => LineEvent::TooLong { bytes, ending },
        }
    }

    /// Compares events in a short form: `hi` is a line, `#20` a line of 20 bytes that was too long,
    /// and the sign behind tells the ending: `/` LF, `<` CR, `.` end of stream.
    #[track_caller]
    fn check(keys: Keys, input: &[u8], expected: &str) {
        for size in [1, 2, 3, input.len().max(1)] {
            let mut lines = LineAssembler::default();
            lines.set_keys(keys);
            let told: String = feed(&mut lines, input.chunks(size)).iter().map(short).collect();
            assert_eq!(told, expected, "in chunks of {size}");
        }
    }

    fn short(event: &LineEvent<'_>) -> String {
        let (text, ending) = match event {
            LineEvent::Line { bytes, ending } => (bytes.escape_ascii().to_string(), ending),
            LineEvent::TooLong { bytes, ending } => (format!("#{bytes}"), ending),
        };
        let sign = match ending {
            Ending::Lf => '/',
            Ending::Cr => '<',
            Ending::Eof => '.',
            Ending::CrLf | Ending::CrNul => panic!("{ending:?} on an event"),
        };
        format!("{text}{sign}")
    }

    #[test]
    fn keys_that_erase_leave_the_rest_of_a_line() {
        for (line, left) in [
            ("hello", "hello"),
            ("helo\x08lo", "hello"),
            ("x\x7f\x7f\x7fhi", "hi"),
            ("café\x7fe", "cafe"),
            ("N\x08NA\x08AM\x08ME\x08E", "NAME"),
            ("secret\x15hi", "hi"),
            ("one two\x17three", "one three"),
        ] {
            assert_eq!(erased(Cow::Borrowed(line.as_bytes())), left.as_bytes(), "{line:?}");
        }
    }

    #[test]
    fn each_of_the_four_endings_ends_one_line() {
        check(Keys::Verbatim, b"a\nb\r\nc\r\0d\re", "a/b<c<d<e.");
        check(Keys::Verbatim, b"\n\n\r\n\r\n\r\r\0", "//<<<<");
        check(Keys::Verbatim, b"a\r\n\nb\r\0\0\n", "a</b<\\x00/");
        check(Keys::Verbatim, b"", "");
        check(Keys::Verbatim, b"\r", "<");
    }

    #[test]
    fn a_line_too_long_is_one_event_when_it_ends_and_nothing_of_it_is_said() {
        check(Keys::Verbatim, b"0123456789abcdef\nx\n", "0123456789abcdef/x/");
        check(Keys::Verbatim, b"0123456789abcdef+\r\nx\n", "#17<x/");
        check(Keys::Verbatim, &[b'x'; 99], "#99.");
    }

    #[test]
    fn a_limit_that_shrinks_holds_for_the_line_under_way() {
        let mut lines = LineAssembler::default();
        assert_eq!(lines.next(&mut &b"0123456789"[..], 16), None);
        let mut rest = &b"\nok\n"[..];
        let event = lines.next(&mut rest, 8);
        assert_eq!(event, Some(LineEvent::TooLong { bytes: 10, ending: Ending::Lf }));
        assert_eq!(rest, b"ok\n");
    }

    #[test]
    fn what_lies_behind_a_line_can_be_held_back() {
        let mut lines = LineAssembler::default();
        let mut input = &b"one\r\ntwo\n"[..];
        assert_eq!(short(&lines.next(&mut input, MAX).unwrap()), "one<");
        assert_eq!(input, b"two\n");
        assert!(lines.saw_cr());
        assert_eq!(short(&lines.next(&mut input, MAX).unwrap()), "two/");
    }

    #[test]
    fn a_whole_line_is_borrowed() {
        let mut lines = LineAssembler::default();
        let event = lines.next(&mut &b"one\n"[..], MAX);
        assert!(matches!(event, Some(LineEvent::Line { bytes: Cow::Borrowed(b"one"), .. })));
    }

    #[test]
    fn only_the_first_ending_tells_a_telnet_client() {
        #[track_caller]
        fn check_first(input: &[u8], first: First) {
            for size in [1, input.len().max(1)] {
                let mut lines = LineAssembler::default();
                for mut chunk in input.chunks(size) {
                    while lines.next(&mut chunk, MAX).is_some() {}
                }
                assert_eq!(lines.first, first);
                assert_eq!(lines.saw_cr(), matches!(first, First::Known(ending) if ending != Ending::Lf));
            }
        }
        check_first(b"a", First::Unseen);
        check_first(b"a\r\nb\n", First::Known(Ending::CrLf));
        check_first(b"a\nb\r\n", First::Known(Ending::Lf));
        check_first(b"a\r\0b\r\n", First::Known(Ending::CrNul));
        check_first(b"a\rb\r\n", First::Known(Ending::Cr));
        check_first(b"a\r\r\n", First::Known(Ending::Cr));
        check_first(b"a\r", First::SomeCr);
        check_first(b"0123456789abcdefghijk\r\n", First::Known(Ending::CrLf));
    }

    #[test]
    fn keys_erase_only_when_told_to() {
        check(Keys::Verbatim, b"ab\x08c\n", "ab\\x08c/");
        check(Keys::Erase, b"ab\x08c\x7fd\n", "ad/");
        check(Keys::Erase, b"\x08\x08a\n", "a/");
        check(Keys::Erase, b"one two  \x17x\n", "one x/");
        check(Keys::Erase, b"one\x15two\n", "two/");
        check(Keys::Erase, b"one\x17\x17two\n", "two/");
        check(Keys::Erase, b"0123456789abcdefghijk\x7f\x15ok\n", "ok/");
        check(Keys::Erase, b"0123456789abcdefghijk\x7f\x17ok\n", "#23/");
    }

    #[test]
    fn erasing_takes_a_whole_grapheme_or_one_broken_sequence() {
        #[track_caller]
        fn check_erased(before: impl AsRef<[u8]>, after: &str) {
            let mut lines = LineAssembler::default();
            assert_eq!(lines.next(&mut before.as_ref(), 1024), None);
            lines.erase_char();
            assert_eq!(lines.partial().escape_ascii().to_string(), after.as_bytes().escape_ascii().to_string());
        }
        check_erased("", "");
        check_erased("aé", "a");
        check_erased("ae\u{301}", "a");
        check_erased("a\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}", "a");
        check_erased(b"a\xe2\x82", "a");
        check_erased(b"ab\xff", "ab");
    }

    #[test]
    fn erasing_works_behind_any_length_of_line() {
        for len in 0..200 {
            let text = "a".repeat(len) + &"日".repeat(40) + "é";
            let mut lines = LineAssembler::default();
            assert_eq!(lines.next(&mut text.as_bytes(), 4096), None);
            lines.erase_char();
            lines.erase_char();
            assert_eq!(lines.partial(), ("a".repeat(len) + &"日".repeat(39)).as_bytes());
        }
        // Of continuation bytes alone, each call erases one, and none panics.
        let mut lines = LineAssembler::default();
        assert_eq!(lines.next(&mut &[0x80; 300][..], 4096), None);
        for left in (0..300).rev() {
            lines.erase_char();
            assert_eq!(lines.partial().len(), left);
        }
    }

    #[test]
    fn an_idle_line_assembler_is_small() {
        assert!(size_of::<LineAssembler>() <= 40, "{}", size_of::<LineAssembler>());
    }

    #[test]
    fn a_saved_assembler_goes_on_where_it_was() {
        let mut lines = LineAssembler::default();
        assert!(lines.next(&mut &b"a\r"[..], MAX).is_some());
        let saved = serde_json::to_string(&lines).unwrap();
        let mut again: LineAssembler = serde_json::from_str(&saved).unwrap();
        assert_eq!(again, lines);
        assert_eq!(again.next(&mut &b"\nb"[..], MAX), None);
        assert!(again.saw_cr());
        assert_eq!(again.partial(), b"b");
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_lines(
            (input, cuts) in input_and_cuts(),
            keys in prop_oneof![Just(Keys::Verbatim), Just(Keys::Erase)],
        ) {
            let mut whole = LineAssembler { keys, ..LineAssembler::default() };
            let mut cut = whole.clone();
            let mut chunks = Vec::new();
            let mut rest = &input[..];
            for at in cuts {
                let (chunk, behind) = rest.split_at(at.min(rest.len()));
                chunks.push(chunk);
                rest = behind;
            }
            chunks.push(rest);
            prop_assert_eq!(feed(&mut whole, [&input[..]]), feed(&mut cut, chunks));
            prop_assert_eq!(whole, cut);
        }

        #[test]
        fn no_data_byte_is_lost_or_made_up(input in prop::collection::vec(interesting(), 0..200)) {
            let mut lines = LineAssembler::default();
            let told: u64 = feed(&mut lines, [&input[..]])
                .iter()
                .map(|event| match event {
                    LineEvent::Line { bytes, .. } => bytes.len() as u64,
                    LineEvent::TooLong { bytes, .. } => *bytes,
                })
                .sum();
            let mut previous = 0xFF;
            let expected = input
                .iter()
                .filter(|&&byte| {
                    let of_ending = byte == CR || byte == LF || (byte == NUL && previous == CR);
                    previous = byte;
                    !of_ending
                })
                .count();
            prop_assert_eq!(told, expected as u64);
        }
    }

    fn interesting() -> impl Strategy<Value = u8> {
        prop_oneof![
            4 => Just(b'a'),
            2 => prop::sample::select(&b"\r\n\0\x08\x7f\x15\x17 "[..]),
            1 => any::<u8>(),
        ]
    }

    fn input_and_cuts() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
        (prop::collection::vec(interesting(), 0..200), prop::collection::vec(0..12_usize, 0..40))
    }
}
