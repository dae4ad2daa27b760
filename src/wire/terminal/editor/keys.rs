//! Keys: what the bytes mean that a terminal sends for them. Those of Emacs, as in most shells.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::values::time::Mono;
use crate::wire::terminal::reflow::kind_reflows;
use crate::wire::terminal::sequence::{Byte, Part, Sequence};

/// The longest text that can be pasted, in bytes; a longer one is refused as a whole.
pub(super) const PASTE_BYTES: usize = 16 * 1024;

/// How a terminal marks where a paste begins (bracketed paste), behind CSI.
const PASTE_BEGINS: &[u8] = b"200~";

/// How it marks where that ends, in the three ways in which CSI can come.
const PASTE_ENDS: [&[u8]; 3] = [b"\x1b[201~", b"\xc2\x9b201~", b"\x9b201~"];

/// A paste of which nothing comes for so long has ended, though its end was not marked: it got lost. A restart in its
/// middle takes a second or two.
const PASTE_PAUSE: Duration = Duration::from_secs(10);

/// So long a paste takes at most; what comes later is typed.
const PASTE_TIME: Duration = Duration::from_secs(60);

/// A string of a terminal of which nothing comes for so long has ended. A terminal sends one in one piece; whoever has
/// hit Escape, or Alt, and then `]` or `P`, sees nothing of what they type, and stops typing.
pub(super) const STRING_PAUSE: Duration = Duration::from_secs(3);

/// ^C, which no terminal has in a paste.
const INTERRUPT: u8 = 0x03;

/// The key that is under way: what the bytes so far are the beginning of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Keys {
    /// Nothing: the next byte begins a key.
    #[default]
    Between,
    /// Behind a CR that ended a line: a LF or NUL belongs to it.
    Return,
    /// Within a sequence, or a character of several bytes.
    Within(Sequence),
    /// Within a paste.
    Pasting(Pasting),
    // The rest is what releases before 0.2 wrote of the same: see `of_this_release`.
    Character(Vec<u8>),
    Escape,
    Sequence(Vec<u8>),
    Keypad,
    Paste(Vec<u8>, u64, usize),
}

/// A paste under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Pasting {
    /// What was kept of it, at most [`PASTE_BYTES`].
    bytes: Vec<u8>,
    /// How many bytes more were not kept.
    over: u64,
    /// The last bytes that came, which may be the first of its end: they are not in `bytes`.
    last: Vec<u8>,
    /// When it began.
    since: Mono,
    /// When the last byte came.
    heard: Mono,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Tab,
    Erase,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Older,
    Newer,
    KillLeft,
    KillRight,
    KillBlankLeft,
    KillWordLeft,
    KillWordRight,
    Yank,
    Transpose,
    Search,
    Cancel,
    Interrupt,
    EndOfFile,
    Redraw,
    /// A key that does nothing, but ends what is under way.
    Other,
}

/// What a byte has completed.
pub(super) enum Typed {
    Key(Key),
    /// The terminal's answer where the cursor is: in which column, from 1 on.
    Column(u16),
    /// The terminal's answer of which kind it is: whether that reflows rows.
    Kind(bool),
    /// A paste.
    Paste(Paste),
}

/// A text that was pasted.
pub(super) struct Paste {
    pub(super) bytes: Vec<u8>,
    /// How many bytes more were not kept.
    pub(super) over: u64,
    /// Its end did not come: the next key was not meant for what is asked about it.
    pub(super) is_cut: bool,
}

impl Keys {
    /// Takes one byte, which came `at` that time. Returns what it has completed, if anything, and whether the byte is
    /// used up: if not, it is to be given again.
    pub(super) fn take(&mut self, byte: u8, at: Mono) -> (Option<Typed>, Byte) {
        let mut sequence = match std::mem::take(self).of_this_release(at) {
            Self::Return if matches!(byte, b'\n' | 0) => return (None, Byte::Used),
            Self::Pasting(pasting) => return self.pasting(pasting, byte, at),
            Self::Within(sequence) => sequence,
            _ => Sequence::default(),
        };
        let (part, used) = sequence.take(byte);
        if sequence != Sequence::Between {
            *self = Self::Within(sequence);
        }
        if let Some(Part::Control(bytes)) = &part {
            if let Some(column) = column(bytes) {
                return (Some(Typed::Column(column)), used);
            }
            if let Some(reflows) = kind_reflows(bytes) {
                return (Some(Typed::Kind(reflows)), used);
            }
        }
        let key = match part {
            Some(Part::Char('\r')) => {
                *self = Self::Return;
                Some(Key::Enter)
            }
            Some(Part::Control(bytes)) if bytes == PASTE_BEGINS => {
                *self = Self::Pasting(Pasting { since: at, heard: at, ..Pasting::default() });
                None
            }
            Some(Part::Char(c)) => u8::try_from(c).ok().filter(u8::is_ascii).map_or(Some(Key::Char(c)), control),
            Some(Part::Escape | Part::Console) => Some(Key::Other),
            Some(Part::Alt(c)) => Some(alt(c)),
            Some(Part::Control(bytes)) => sequence_key(&bytes),
            Some(Part::Function(bytes)) => Some(function(&bytes)),
            Some(Part::Nothing) | None => None,
        };
        (key.map(Typed::Key), used)
    }

    /// Gives up what is under way. Of a paste nothing is kept.
    pub(super) fn interrupt(&mut self) {
        if !matches!(self, Self::Return) {
            *self = Self::Between;
        }
    }

    /// Takes over where a line that was being put together ends: within `sequence`, or behind a CR that ended it.
    pub(super) fn take_over(&mut self, sequence: Sequence, after_cr: bool) {
        *self = match sequence {
            Sequence::Between if after_cr => Self::Return,
            Sequence::Between => Self::Between,
            sequence => Self::Within(sequence),
        };
    }

    /// Bytes that begin what is under way, if it is no paste; and whether it is the end of a line.
    pub(super) fn begun(&self) -> (Vec<u8>, bool) {
        match self {
            Self::Within(sequence) => (sequence.begun(), false),
            Self::Return => (Vec::new(), true),
            _ => (Vec::new(), false),
        }
    }

    /// Whether what is under way is a string of a terminal, such as the answer to a question.
    pub(super) fn is_within_string(&self) -> bool {
        matches!(self, Self::Within(sequence) if sequence.is_string())
    }

    /// Whether a paste is under way.
    pub(super) fn is_pasting(&self) -> bool {
        matches!(self, Self::Pasting(_) | Self::Paste(..))
    }

    /// Whether what was loaded from a snapshot fits together.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Within(sequence) => sequence.is_sound(),
            Self::Pasting(pasting) => pasting.bytes.len() <= PASTE_BYTES && pasting.last.len() < PASTE_ENDS[0].len(),
            Self::Paste(.., seen) => *seen < PASTE_ENDS[0].len(),
            _ => true,
        }
    }

    /// The same as this release has it.
    fn of_this_release(self, at: Mono) -> Self {
        match self {
            Self::Character(bytes) => Self::Within(Sequence::Character(bytes)),
            Self::Escape => Self::Within(Sequence::Escape),
            Self::Sequence(bytes) => Self::Within(Sequence::Control(bytes)),
            Self::Keypad => Self::Within(Sequence::Function(Vec::new())),
            Self::Paste(bytes, over, seen) => {
                let last = PASTE_ENDS[0][..seen].to_vec();
                Self::Pasting(Pasting { bytes, over, last, since: at, heard: at })
            }
            same => same,
        }
    }

    fn pasting(&mut self, mut pasting: Pasting, byte: u8, at: Mono) -> (Option<Typed>, Byte) {
        let is_late = at.since(pasting.heard) >= PASTE_PAUSE || at.since(pasting.since) >= PASTE_TIME;
        // What may be the middle of its end is looked at first, however long the rest of that was on its way.
        if is_late && pasting.last.is_empty() {
            return (Some(Typed::Paste(pasting.end(true))), Byte::Again);
        }
        if byte == INTERRUPT {
            return (Some(Typed::Key(Key::Interrupt)), Byte::Used);
        }
        if !is_late {
            pasting.heard = at;
        }
        pasting.last.push(byte);
        if PASTE_ENDS.contains(&&*pasting.last) {
            pasting.last.clear();
            return (Some(Typed::Paste(pasting.end(false))), Byte::Used);
        }
        // What cannot be the beginning of its end is a part of it.
        while !pasting.last.is_empty() && !pasting.may_end() {
            let byte = pasting.last.remove(0);
            pasting.keep(byte);
        }
        *self = Self::Pasting(pasting);
        (None, Byte::Used)
    }
}

impl Pasting {
    /// Whether the bytes that came last are how its end begins.
    fn may_end(&self) -> bool {
        // As a single byte, CSI is no part of a character.
        let is_begun = |len: usize| {
            let tail = &self.bytes[self.bytes.len().saturating_sub(len)..];
            std::str::from_utf8(tail).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        };
        let is_within = self.last[0] == 0x9B && (1..=3).any(is_begun);
        !is_within && PASTE_ENDS.iter().any(|end| end.starts_with(&self.last))
    }

    fn keep(&mut self, byte: u8) {
        if self.bytes.len() < PASTE_BYTES {
            self.bytes.push(byte);
        } else {
            self.over += 1;
        }
    }

    fn end(mut self, is_cut: bool) -> Paste {
        for byte in std::mem::take(&mut self.last) {
            self.keep(byte);
        }
        Paste { bytes: self.bytes, over: self.over, is_cut }
    }
}

/// The key of one byte below 0x80.
fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        b' '..=b'~' => Key::Char(char::from(byte)),
        b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x03 => Key::Interrupt,
        0x04 => Key::EndOfFile,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x07 => Key::Cancel,
        0x08 | 0x7F => Key::Erase,
        0x0B => Key::KillRight,
        0x0C => Key::Redraw,
        0x0E => Key::Newer,
        0x10 => Key::Older,
        0x12 => Key::Search,
        0x14 => Key::Transpose,
        0x15 => Key::KillLeft,
        0x17 => Key::KillBlankLeft,
        0x19 => Key::Yank,
        0 => return None,
        _ => Key::Other,
    })
}

/// The key of a character typed with Alt.
fn alt(c: char) -> Key {
    match c {
        'b' | 'B' => Key::WordLeft,
        'f' | 'F' => Key::WordRight,
        'd' | 'D' => Key::KillWordRight,
        '\u{8}' | '\u{7F}' => Key::KillWordLeft,
        _ => Key::Other,
    }
}

/// The key of what came behind SS3. The digits of a keypad are its keys, and no characters.
fn function(bytes: &[u8]) -> Key {
    match bytes {
        b"M" => Key::Enter,
        [last] => arrow(*last).unwrap_or(Key::Other),
        // With Control, as before 1997.
        b"5C" => Key::WordRight,
        b"5D" => Key::WordLeft,
        _ => Key::Other,
    }
}

/// The key with this last byte, behind SS3 or CSI.
fn arrow(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Older,
        b'B' => Key::Newer,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => return None,
    })
}

/// The column of an answer where the cursor is.
fn column(bytes: &[u8]) -> Option<u16> {
    let (row, column) = std::str::from_utf8(bytes).ok()?.strip_suffix('R')?.split_once(';')?;
    row.parse::<u16>().and_then(|_| column.parse()).ok()
}

/// The key of a control sequence; `None` if it is no key, but a report: of the mouse, the focus, or an answer.
fn sequence_key(bytes: &[u8]) -> Option<Key> {
    let (&last, params) = bytes.split_last()?;
    if !params.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')) {
        return None;
    }
    let text = std::str::from_utf8(params).unwrap_or_default();
    let mut numbers = text.split(';').map(|number| {
        let mut parts = number.split(':').map(|part| part.parse().unwrap_or(0_u32));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    });
    let ((first, _), (modifiers, event)) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    // With Alt, Control, or both.
    let by_words = matches!(modifiers, 3 | 5 | 7);
    // kitty's protocol tells also of keys that are let go.
    if event == 3 {
        return None;
    }
    match (last, first) {
        (b'C', _) if by_words => Some(Key::WordRight),
        (b'D', _) if by_words => Some(Key::WordLeft),
        (b'A'..=b'D' | b'F' | b'H', _) => arrow(last),
        (b'~' | b'^' | b'$' | b'@', 1 | 7) => Some(Key::Home),
        (b'~' | b'^' | b'$' | b'@', 4 | 8) => Some(Key::End),
        (b'^', 3) => Some(Key::KillWordRight),
        (b'~', 3) if modifiers == 5 => Some(Key::KillWordRight),
        (b'~' | b'$' | b'@', 3) => Some(Key::Delete),
        (b'~', 27) => coded(numbers.next().unwrap_or_default().0, modifiers),
        (b'~', 201) => None,
        (b'~' | b'^' | b'$' | b'@', _) => Some(Key::Other),
        (b'u', _) => coded(first, modifiers),
        // With Shift, as rxvt has them; on the keypad; F1 to F4; Tab back.
        (b'a'..=b'd' | b'E' | b'G' | b'P' | b'Q' | b'S' | b'Z', _) => Some(Key::Other),
        _ => None,
    }
}

/// The key of a character that came as its number, as xterm and kitty can be had to send those with modifiers. A
/// character that is meant as itself comes as itself, and not so.
fn coded(code: u32, modifiers: u32) -> Option<Key> {
    let bits = modifiers.saturating_sub(1);
    let (is_alt, is_control) = (bits & 2 != 0, bits & 4 != 0);
    let c = char::from_u32(code)?;
    match code {
        13 | 57414 => Some(Key::Enter),
        9 => Some(if bits == 0 { Key::Tab } else { Key::Other }),
        8 | 127 if is_alt || is_control => Some(Key::KillWordLeft),
        8 | 127 => Some(Key::Erase),
        27 => Some(Key::Other),
        57417 => Some(Key::Left),
        57418 => Some(Key::Right),
        57419 => Some(Key::Older),
        57420 => Some(Key::Newer),
        57423 => Some(Key::Home),
        57424 => Some(Key::End),
        57426 => Some(Key::Delete),
        _ if is_control && c.is_ascii_alphabetic() => control(u8::try_from(c).ok()? & 0x1F),
        _ if is_alt => Some(alt(c)),
        _ => None,
    }
}
