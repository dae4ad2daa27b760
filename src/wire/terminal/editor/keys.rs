//! Keys: what the bytes mean that a terminal sends for them. Those of Emacs, as in most shells.

use serde::{Deserialize, Serialize};

/// The longest text that can be pasted, in bytes; a longer one is refused as a whole.
pub(super) const PASTE_BYTES: usize = 16 * 1024;

/// The longest escape sequence that is taken for one, in bytes behind its `ESC [`.
const SEQUENCE: usize = 16;

/// How a terminal marks where a paste begins (bracketed paste), behind `ESC [`.
const PASTE_BEGINS: &[u8] = b"200~";

/// How it marks where that ends.
pub(super) const PASTE_ENDS: &[u8] = b"\x1b[201~";

/// The key that is under way: what the bytes so far are the beginning of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Keys {
    /// Nothing: the next byte begins a key.
    #[default]
    Between,
    /// Behind a CR that ended a line: a LF or NUL belongs to it.
    Return,
    /// Within a character of several bytes.
    Character(Vec<u8>),
    /// Behind ESC.
    Escape,
    /// Behind `ESC [`.
    Sequence(Vec<u8>),
    /// Behind `ESC O`.
    Keypad,
    /// Within a paste: its bytes; how many more were not kept; how many bytes of [`PASTE_ENDS`] came last.
    Paste(Vec<u8>, u64, usize),
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
    /// The bytes of a paste, and how many more were not kept.
    Paste(Vec<u8>, u64),
}

impl Keys {
    /// Takes one byte. Returns what it has completed, if anything, and whether the byte is used up: if not, it is to
    /// be given again.
    pub(super) fn take(&mut self, byte: u8) -> (Option<Typed>, bool) {
        let key = |key| (Some(Typed::Key(key)), true);
        match self {
            Self::Return if matches!(byte, b'\n' | 0) => {
                *self = Self::Between;
                (None, true)
            }
            Self::Between | Self::Return => {
                *self = Self::Between;
                match byte {
                    0x1B => {
                        *self = Self::Escape;
                        (None, true)
                    }
                    b'\r' => {
                        *self = Self::Return;
                        key(Key::Enter)
                    }
                    0x80.. => {
                        *self = Self::Character(Vec::new());
                        (None, false)
                    }
                    _ => (control(byte).map(Typed::Key), true),
                }
            }
            Self::Character(bytes) => {
                bytes.push(byte);
                let (typed, used) = match std::str::from_utf8(bytes) {
                    Ok(text) => (text.chars().next(), true),
                    Err(error) if error.error_len().is_none() => return (None, true),
                    // The byte that breaks a sequence begins the next one, unless it stands alone.
                    Err(_) => (Some(char::REPLACEMENT_CHARACTER), bytes.len() == 1),
                };
                *self = Self::Between;
                (typed.map(|c| Typed::Key(Key::Char(c))), used)
            }
            Self::Escape => {
                *self = Self::Between;
                match byte {
                    b'[' => *self = Self::Sequence(Vec::new()),
                    b'O' => *self = Self::Keypad,
                    0x1B => *self = Self::Escape,
                    b'b' | b'B' => return key(Key::WordLeft),
                    b'f' | b'F' => return key(Key::WordRight),
                    b'd' | b'D' => return key(Key::KillWordRight),
                    0x08 | 0x7F => return key(Key::KillWordLeft),
                    // A control key behind a lone Escape is itself.
                    ..0x20 => return (Some(Typed::Key(Key::Other)), false),
                    _ => return key(Key::Other),
                }
                (None, true)
            }
            Self::Keypad => {
                *self = Self::Between;
                key(arrow(byte).unwrap_or(Key::Other))
            }
            Self::Sequence(bytes) => match byte {
                0x20..0x7F if bytes.len() > SEQUENCE => {
                    // No key that we know is this long: the rest of the sequence is skipped.
                    if byte >= 0x40 {
                        *self = Self::Between;
                    }
                    (None, true)
                }
                0x20..0x40 => {
                    bytes.push(byte);
                    (None, true)
                }
                0x40..0x7F => {
                    bytes.push(byte);
                    let bytes = std::mem::take(bytes);
                    if bytes == PASTE_BEGINS {
                        *self = Self::Paste(Vec::new(), 0, 0);
                        return (None, true);
                    }
                    *self = Self::Between;
                    key(sequence(&bytes))
                }
                // This byte cannot stand in a sequence: so it was none.
                _ => {
                    *self = Self::Between;
                    (None, byte >= 0x20)
                }
            },
            Self::Paste(bytes, over, seen) => {
                if byte == PASTE_ENDS[*seen] {
                    *seen += 1;
                    if *seen == PASTE_ENDS.len() {
                        let paste = Typed::Paste(std::mem::take(bytes), *over);
                        *self = Self::Between;
                        return (Some(paste), true);
                    }
                    return (None, true);
                }
                let begun = std::mem::take(seen);
                for byte in PASTE_ENDS[..begun].iter().copied().chain((byte != PASTE_ENDS[0]).then_some(byte)) {
                    if bytes.len() < PASTE_BYTES {
                        bytes.push(byte);
                    } else {
                        *over += 1;
                    }
                }
                *seen = usize::from(byte == PASTE_ENDS[0]);
                (None, true)
            }
        }
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

/// The key of `ESC O` and this byte, or of `ESC [` and this byte.
fn arrow(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Older,
        b'B' => Key::Newer,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        b'M' => Key::Enter,
        _ => return None,
    })
}

/// The key of an escape sequence, without its `ESC [`.
fn sequence(bytes: &[u8]) -> Key {
    match bytes {
        b"1~" | b"7~" => Key::Home,
        b"4~" | b"8~" => Key::End,
        b"3~" => Key::Delete,
        b"3;5~" => Key::KillWordRight,
        // With Control, Alt, or both.
        [b'1', b';', b'3' | b'5' | b'7', b'C'] => Key::WordRight,
        [b'1', b';', b'3' | b'5' | b'7', b'D'] => Key::WordLeft,
        [b'1', b';', _, last] | [last] => arrow(*last).filter(|key| *key != Key::Enter).unwrap_or(Key::Other),
        _ => Key::Other,
    }
}
