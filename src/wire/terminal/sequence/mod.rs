//! Sequences: what a terminal sends beside characters, by their shape (ECMA-48, and what came before and after it).
//!
//! A key that is no character, a report of the mouse, the answer to a question: each comes as several bytes, and is
//! taken as a whole here, whatever it means. So nothing of it is ever taken for text. A sequence that does not end
//! keeps nothing and locks nothing: Enter, ^C and most other control characters end it, and are themselves. A string,
//! as the answer to a question, ends in a pause as well: see [`super::editor`].
//!
//! What a sequence means is not known here: see [`super::editor`].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

const ESC: u8 = 0x1B;
const BEL: u8 = 0x07;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1A;

/// String terminator (`ESC \`), as one byte.
const ST: u8 = 0x9C;

/// The most bytes that are kept of a control sequence; no key has more, and what is longer means nothing.
const KEPT: usize = 32;

/// Where in a sequence, or in a character of several bytes, the next byte is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sequence {
    /// In none.
    #[default]
    Between,
    /// In a character of several bytes: those so far.
    Character(Vec<u8>),
    /// Behind ESC.
    Escape,
    /// In a character of several bytes behind ESC.
    Alt(Vec<u8>),
    /// Behind ESC and this byte, which may be the first of a sequence (ISO 2022) or have been typed with Alt.
    Intermediate(u8),
    /// Behind CSI (`ESC [`): what came since, of which one byte more than [`KEPT`] stands for any number.
    Control(Vec<u8>),
    /// Behind `ESC [ [`: a function key of Linux's console.
    Console,
    /// Behind SS3 (`ESC O`): what came since.
    Function(Vec<u8>),
    /// Behind `ESC [ M`, which the mouse sent, or its like: so many characters are yet to come, and the last byte may
    /// begin one of two bytes.
    Mouse(u8, bool),
    /// In a string (OSC, DCS, APC, PM, SOS): so many bytes of a character are yet to come, which may be a ST.
    String(u8, bool),
    /// Behind an ESC in a string.
    StringEscape,
}

/// What a byte has completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A character that is in no sequence; also a control character, or U+FFFD for bytes that are no character.
    Char(char),
    /// ESC by itself.
    Escape,
    /// A character typed with Alt: it came behind ESC.
    Alt(char),
    /// A control sequence: its bytes behind CSI.
    Control(Vec<u8>),
    /// What came behind SS3.
    Function(Vec<u8>),
    /// A function key of Linux's console.
    Console,
    /// A sequence that is no key.
    Nothing,
}

/// Whether a byte is used up; one that is not is to be given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Byte {
    Used,
    Again,
}

impl Sequence {
    /// Takes one byte. Returns what it has completed, if anything.
    pub(super) fn take(&mut self, byte: u8) -> (Option<Part>, Byte) {
        match std::mem::take(self) {
            Self::Between => self.begin(byte),
            Self::Character(bytes) => self.character(bytes, byte),
            Self::Escape => self.escape(byte),
            Self::Alt(bytes) => self.alt(bytes, byte),
            Self::Intermediate(first) => match byte {
                0x20..0x30 => self.goes_on(Self::Intermediate(byte)),
                // The last bytes that are in use, all but some. A small letter is more likely one that was typed.
                0x30..=b'Z' => ends(Part::Nothing),
                _ => (Some(Part::Alt(char::from(first))), Byte::Again),
            },
            Self::Control(bytes) => self.control(bytes, byte),
            Self::Console => match byte {
                0x20..0x7F => ends(Part::Console),
                _ => self.aborts(byte),
            },
            Self::Function(mut bytes) => match byte {
                0x30..0x3C => {
                    if bytes.len() < KEPT {
                        bytes.push(byte);
                    }
                    self.goes_on(Self::Function(bytes))
                }
                0x20..0x7F => {
                    bytes.push(byte);
                    ends(Part::Function(bytes))
                }
                _ if is_fill(byte, &bytes) => self.goes_on(Self::Function(bytes)),
                _ => self.aborts(byte),
            },
            Self::Mouse(left, lead) => self.mouse(left, lead, byte),
            Self::String(left, lead) => self.string(left, lead, byte),
            Self::StringEscape if byte == b'\\' => ends(Part::Nothing),
            // Another sequence begins in its middle.
            Self::StringEscape => {
                *self = Self::Escape;
                (None, Byte::Again)
            }
        }
    }

    /// Whether it is a string (OSC, DCS, APC, PM, SOS), which goes on until something ends it.
    #[must_use]
    pub(super) fn is_string(&self) -> bool {
        matches!(self, Self::String(..) | Self::StringEscape)
    }

    /// Whether it keeps no more than it may.
    #[must_use]
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Character(bytes) | Self::Alt(bytes) => bytes.len() < 4,
            Self::Control(bytes) => bytes.len() <= KEPT + 1,
            Self::Function(bytes) => bytes.len() <= KEPT,
            _ => true,
        }
    }

    /// Bytes that lead here from [`Self::Between`]: for whoever takes over what is under way.
    #[must_use]
    pub(super) fn begun(&self) -> Vec<u8> {
        let behind = |begin: &[u8], bytes: &[u8]| [begin, bytes].concat();
        match self {
            Self::Between => Vec::new(),
            Self::Character(bytes) => bytes.clone(),
            Self::Escape => vec![ESC],
            // Behind SS2, one character of any kind.
            Self::Alt(bytes) if bytes.is_empty() => behind(b"\x1bN", &[]),
            Self::Alt(bytes) => behind(b"\x1b", bytes),
            Self::Intermediate(byte) => vec![ESC, *byte],
            Self::Control(bytes) => behind(b"\x1b[", bytes),
            Self::Console => behind(b"\x1b[[", &[]),
            Self::Function(bytes) => behind(b"\x1bO", bytes),
            Self::Mouse(left, lead) => {
                // Of three, none has come yet: so the last byte is none of theirs.
                let is_of_six = *left > 3 || (*left == 3 && *lead);
                let (begin, all) = if is_of_six { (b"\x1b[T", 6) } else { (b"\x1b[M", 3_u8) };
                let mut bytes = behind(begin, &vec![b' '; usize::from(all.saturating_sub(*left))]);
                if let Some(last) = bytes.last_mut().filter(|_| *lead) {
                    *last = 0xC2;
                }
                bytes
            }
            // A string of any kind.
            Self::String(left, lead) => {
                let character: &[u8] = match (left, lead) {
                    (1, true) => b"\xc2",
                    (1, false) => b"\xc3",
                    (2, _) => b"\xe2",
                    (3, _) => b"\xf0",
                    _ => b"",
                };
                behind(b"\x1bX", character)
            }
            Self::StringEscape => behind(b"\x1bX\x1b", &[]),
        }
    }

    fn goes_on(&mut self, next: Self) -> (Option<Part>, Byte) {
        *self = next;
        (None, Byte::Used)
    }

    /// A byte that cannot be in the sequence: it ends it, and is itself.
    fn aborts(&mut self, byte: u8) -> (Option<Part>, Byte) {
        match byte {
            CAN | SUB => ends(Part::Nothing),
            ESC => self.goes_on(Self::Escape),
            _ => (Some(Part::Nothing), Byte::Again),
        }
    }

    fn begin(&mut self, byte: u8) -> (Option<Part>, Byte) {
        match byte {
            ESC => self.goes_on(Self::Escape),
            ..0x80 => ends(Part::Char(char::from(byte))),
            ST => ends(Part::Nothing),
            _ => match Self::introduced_by(byte) {
                Some(next) => self.goes_on(next),
                None => self.character(Vec::new(), byte),
            },
        }
    }

    fn character(&mut self, mut bytes: Vec<u8>, byte: u8) -> (Option<Part>, Byte) {
        match decode(&mut bytes, byte) {
            Decoded::Yet => self.goes_on(Self::Character(bytes)),
            // A control character of eight bits, as UTF-8 has it.
            Decoded::Char('\u{9C}') => ends(Part::Nothing),
            Decoded::Char(c) => match u8::try_from(c).ok().and_then(Self::introduced_by) {
                Some(next) => self.goes_on(next),
                None => ends(Part::Char(c)),
            },
            Decoded::Broken(used) => (Some(Part::Char(char::REPLACEMENT_CHARACTER)), used),
        }
    }

    fn escape(&mut self, byte: u8) -> (Option<Part>, Byte) {
        match byte {
            ESC => self.goes_on(Self::Escape),
            CAN | SUB => ends(Part::Nothing),
            0x08 => ends(Part::Alt('\u{8}')),
            // A control key behind a lone Escape is itself.
            ..0x20 => (Some(Part::Escape), Byte::Again),
            0x20..0x30 => self.goes_on(Self::Intermediate(byte)),
            b'\\' => ends(Part::Nothing),
            // The control characters of eight bits, written in seven.
            b'@'..=b'_' => match Self::introduced_by(byte + 0x40) {
                Some(next) => self.goes_on(next),
                None => ends(Part::Alt(char::from(byte))),
            },
            0x30..0x40 | 0x60..0x80 => ends(Part::Alt(char::from(byte))),
            _ => match Self::introduced_by(byte) {
                Some(next) => self.goes_on(next),
                None => self.alt(Vec::new(), byte),
            },
        }
    }

    fn alt(&mut self, mut bytes: Vec<u8>, byte: u8) -> (Option<Part>, Byte) {
        if bytes.is_empty() && byte < 0x80 {
            // Behind SS2, which is followed by one character.
            return if byte < 0x20 { self.aborts(byte) } else { ends(Part::Nothing) };
        }
        match decode(&mut bytes, byte) {
            Decoded::Yet => self.goes_on(Self::Alt(bytes)),
            Decoded::Char(c) => ends(Part::Alt(c)),
            Decoded::Broken(used) => (Some(Part::Nothing), used),
        }
    }

    fn control(&mut self, mut bytes: Vec<u8>, byte: u8) -> (Option<Part>, Byte) {
        match byte {
            b'[' if bytes.is_empty() => return self.goes_on(Self::Console),
            b'M' if bytes.is_empty() => return self.goes_on(Self::Mouse(3, false)),
            // Where a highlighted text ends, for a program that tracks that: one place, or three.
            b't' if bytes.is_empty() => return self.goes_on(Self::Mouse(2, false)),
            b'T' if bytes.is_empty() => return self.goes_on(Self::Mouse(6, false)),
            0x20..0x7F => {}
            _ if is_fill(byte, &bytes) => return self.goes_on(Self::Control(bytes)),
            _ => return self.aborts(byte),
        }
        if bytes.len() <= KEPT {
            bytes.push(byte);
        }
        let is_final = byte >= 0x40;
        if is_final && bytes.len() > KEPT {
            return ends(Part::Nothing);
        }
        // rxvt ends a key with Shift so.
        let is_rxvt = byte == b'$' && (2..=3).contains(&bytes.len()) && bytes[0].is_ascii_digit();
        if is_final || (is_rxvt && bytes[..bytes.len() - 1].iter().all(u8::is_ascii_digit)) {
            return ends(Part::Control(bytes));
        }
        self.goes_on(Self::Control(bytes))
    }

    /// Button and place are a character each, of one byte, or of two where the place is far right or below.
    fn mouse(&mut self, left: u8, lead: bool, byte: u8) -> (Option<Part>, Byte) {
        if lead && matches!(byte, 0x80..0xC0) {
            return if left == 0 { ends(Part::Nothing) } else { self.goes_on(Self::Mouse(left, false)) };
        }
        if left == 0 || (1..0x20).contains(&byte) {
            return self.aborts_mouse(byte);
        }
        let lead = matches!(byte, 0xC2..0xE0);
        if left == 1 && !lead {
            return ends(Part::Nothing);
        }
        self.goes_on(Self::Mouse(left - 1, lead))
    }

    fn aborts_mouse(&mut self, byte: u8) -> (Option<Part>, Byte) {
        if byte == ESC { self.goes_on(Self::Escape) } else { (Some(Part::Nothing), Byte::Again) }
    }

    fn string(&mut self, left: u8, lead: bool, byte: u8) -> (Option<Part>, Byte) {
        match byte {
            BEL => ends(Part::Nothing),
            ESC => self.goes_on(Self::StringEscape),
            // Format effectors may be in a string; an end of line is Enter.
            0 | 0x08 | 0x09 | 0x0B | 0x0C => self.goes_on(Self::String(0, false)),
            ..0x20 => self.aborts(byte),
            // A ST of one byte, or of the two that UTF-8 makes of it; not a byte of another character.
            ST if left == 0 || lead => ends(Part::Nothing),
            0x80..0xC0 => self.goes_on(Self::String(left.saturating_sub(1), false)),
            0xC2..0xE0 => self.goes_on(Self::String(1, byte == 0xC2)),
            0xE0..0xF0 => self.goes_on(Self::String(2, false)),
            0xF0..0xF5 => self.goes_on(Self::String(3, false)),
            _ => self.goes_on(Self::String(0, false)),
        }
    }

    /// What follows a control character of eight bits (C1) that begins a sequence.
    fn introduced_by(c1: u8) -> Option<Self> {
        match c1 {
            0x8E => Some(Self::Alt(Vec::new())),                              // SS2
            0x8F => Some(Self::Function(Vec::new())),                         // SS3
            0x90 | 0x98 | 0x9D | 0x9E | 0x9F => Some(Self::String(0, false)), // DCS, SOS, OSC, PM, APC
            0x9B => Some(Self::Control(Vec::new())),                          // CSI
            _ => None,
        }
    }
}

/// Whether a byte fills time or space behind these, and means nothing there (ECMA-48, 8.3.88). A DEL may be a key where
/// there is nothing yet.
fn is_fill(byte: u8, behind: &[u8]) -> bool {
    byte == 0 || (byte == 0x7F && !behind.is_empty())
}

fn ends(part: Part) -> (Option<Part>, Byte) {
    (Some(part), Byte::Used)
}

enum Decoded {
    Yet,
    Char(char),
    Broken(Byte),
}

/// Adds a byte to those of a character.
fn decode(bytes: &mut Vec<u8>, byte: u8) -> Decoded {
    bytes.push(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.chars().next().map_or(Decoded::Yet, Decoded::Char),
        Err(error) if error.error_len().is_none() => Decoded::Yet,
        // The byte that breaks a sequence begins the next one, unless it stands alone.
        Err(_) => Decoded::Broken(if bytes.len() == 1 { Byte::Used } else { Byte::Again }),
    }
}

/// A line that came as a whole, without sequences. One that does not end takes the rest of the line with it.
#[must_use]
pub(super) fn without(line: &[u8]) -> Cow<'_, [u8]> {
    let has_none = |line: &str| !line.chars().any(|c| matches!(c, '\u{1B}' | '\u{80}'..='\u{9F}'));
    if std::str::from_utf8(line).is_ok_and(has_none) {
        return Cow::Borrowed(line);
    }
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    let mut sequence = Sequence::default();
    while let Some((&byte, behind)) = rest.split_first() {
        let (part, used) = sequence.take(byte);
        if let Some(Part::Char(c)) = part {
            text.push(c);
        }
        if used == Byte::Used {
            rest = behind;
        }
    }
    if matches!(sequence, Sequence::Character(_)) {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Cow::Owned(text.into_bytes())
}

#[cfg(test)]
pub(super) mod tests;
