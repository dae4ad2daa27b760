//! Decodes the bytes a terminal sends into keys and pasted text. The sequences are xterm's, which
//! nearly all terminals send.

/// A key, or a text that was pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ctl) enum Key {
    /// A character, as it is typed.
    Char(char),
    /// Ctrl and a letter; the letter is in lower case.
    Ctrl(char),
    Enter,
    Tab,
    BackTab,
    Backspace,
    Escape,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    /// Text that was pasted. It must not be taken for keys.
    Pasted(String),
}

/// The sequences that begin and end pasted text (bracketed paste).
const PASTE: (&[u8], &[u8]) = (b"\x1b[200~", b"\x1b[201~");

/// The most bytes of a pasted text that are kept; the rest is dropped.
const MOST: usize = 4096;

/// The longest escape sequence of a key, in bytes. A longer one is dropped.
const LONGEST: usize = 32;

/// The bytes read that are not yet decoded.
#[derive(Debug, Default)]
pub(super) struct Typed {
    bytes: Vec<u8>,
    /// During a paste, its text so far; otherwise `None`.
    pasted: Option<Vec<u8>>,
}

impl Typed {
    /// Adds bytes and returns the keys that are complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.bytes.extend_from_slice(bytes);
        let mut keys = Vec::new();
        loop {
            if self.pasted.is_some() {
                match self.paste() {
                    Some(key) => keys.push(key),
                    None => return keys,
                }
            } else if self.bytes.starts_with(PASTE.0) {
                self.bytes.drain(..PASTE.0.len());
                self.pasted = Some(Vec::new());
            } else if let Some((key, length)) = first(&self.bytes) {
                self.bytes.drain(..length);
                keys.extend(key);
            } else {
                return keys;
            }
        }
    }

    /// Takes pasted text up to its end. ^C ends it too, in case the terminal never sends the end.
    fn paste(&mut self) -> Option<Key> {
        let pasted = self.pasted.as_mut()?;
        let end = self.bytes.windows(PASTE.1.len()).position(|window| window == PASTE.1);
        let quits = self.bytes.iter().position(|byte| *byte == 3);
        // The last bytes may be the beginning of the end sequence: keep them.
        let whole = end.into_iter().chain(quits).min().unwrap_or(self.bytes.len().saturating_sub(PASTE.1.len() - 1));
        let text: Vec<u8> = self.bytes.drain(..whole).collect();
        pasted.extend(text.into_iter().take(MOST.saturating_sub(pasted.len())));
        if quits == Some(whole) {
            self.pasted = None;
            self.bytes.drain(..1);
            return Some(Key::Ctrl('c'));
        }
        end?;
        self.bytes.drain(..PASTE.1.len());
        self.pasted.take().map(|text| Key::Pasted(String::from_utf8_lossy(&text).into_owned()))
    }

    /// Whether an incomplete sequence is waiting for more bytes.
    pub(super) fn waits(&self) -> bool {
        !self.bytes.is_empty() && self.pasted.is_none()
    }

    /// To be called if no byte has followed in time: a lone Escape is the key, any other incomplete
    /// sequence is dropped.
    pub(super) fn nothing_follows(&mut self) -> Option<Key> {
        if self.pasted.is_some() {
            return None; // a slow line: its end will come
        }
        let escape = self.bytes == b"\x1b";
        self.bytes.clear();
        escape.then_some(Key::Escape)
    }
}

/// The first key, and the number of bytes it takes. The key is `None` if these bytes stand for
/// none; the whole is `None` if more bytes must come first.
fn first(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let key = match *bytes.first()? {
        0x1b => return escaped(bytes),
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x7f | 0x08 => Key::Backspace,
        0 => return Some((None, 1)),
        byte @ 1..0x1b => Key::Ctrl((byte + b'a' - 1).into()),
        0x1c..0x20 => return Some((None, 1)),
        byte @ 0x20..0x7f => Key::Char(byte.into()),
        byte => {
            let length = match byte {
                0xc2..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0..0xf5 => 4,
                _ => return Some((None, 1)),
            };
            let seen = &bytes[..bytes.len().min(length)];
            return match str::from_utf8(seen) {
                Ok(text) => Some((text.chars().next().filter(|c| !c.is_control()).map(Key::Char), length)),
                Err(error) if error.error_len().is_none() => None,
                Err(_) => Some((None, 1)),
            };
        }
    };
    Some((Some(key), 1))
}

/// As [`first`], for bytes that begin with Escape.
fn escaped(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    match *bytes.get(1)? {
        b'[' => {
            let Some(end) = bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)).map(|at| at + 2) else {
                return (bytes.len() > LONGEST).then_some((None, bytes.len()));
            };
            // The Linux console sends a second bracket before the letters of F1 to F5.
            if bytes[end] == b'[' && end == 2 {
                return (bytes.len() > 3).then_some((None, 4));
            }
            // Further parameters tell of Shift or Ctrl; here the key means the same with them.
            let number = bytes[2..end].split(|byte| *byte == b';').next().unwrap_or_default();
            let key = match (bytes[end], number) {
                (b'A', _) => Some(Key::Up),
                (b'B', _) => Some(Key::Down),
                (b'C', _) => Some(Key::Right),
                (b'D', _) => Some(Key::Left),
                (b'H', _) | (b'~', b"1" | b"7") => Some(Key::Home),
                (b'F', _) | (b'~', b"4" | b"8") => Some(Key::End),
                (b'~', b"5") => Some(Key::PageUp),
                (b'~', b"6") => Some(Key::PageDown),
                (b'Z', _) => Some(Key::BackTab),
                _ => None,
            };
            Some((key, end + 1))
        }
        b'O' => {
            let key = match *bytes.get(2)? {
                b'A' => Some(Key::Up),
                b'B' => Some(Key::Down),
                b'C' => Some(Key::Right),
                b'D' => Some(Key::Left),
                b'H' => Some(Key::Home),
                b'F' => Some(Key::End),
                b'M' => Some(Key::Enter),
                _ => None,
            };
            Some((key, 3))
        }
        0x1b => Some((Some(Key::Escape), 1)),
        // Alt and a key: nothing here uses that, and it must not act as the key alone.
        _ => Some((None, 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_of_a_terminal_are_read_as_keys() {
        let mut typed = Typed::default();
        let keys = typed.take(b"q\r\x03\x7f\t\x1b[A\x1bOB\x1b[5~\x1b[1;5D\x1b[Z\x1b[11~\x1bxK");
        let (c, ctrl) = (Key::Char, Key::Ctrl);
        assert_eq!(
            keys,
            [
                c('q'),
                Key::Enter,
                ctrl('c'),
                Key::Backspace,
                Key::Tab,
                Key::Up,
                Key::Down,
                Key::PageUp,
                Key::Left,
                Key::BackTab,
                c('K')
            ]
        );
        assert_eq!(typed.take("é中".as_bytes()), [c('é'), c('中')]);
        assert_eq!(typed.take(b"\x80\xffa\x9b"), [c('a')], "no UTF-8 is no key");
    }

    #[test]
    fn keys_are_the_same_however_their_bytes_are_cut() {
        let mut typed = Typed::default();
        assert_eq!(typed.take(b"\x1b"), []);
        assert_eq!(typed.take(b"["), []);
        assert_eq!(typed.take(b"6~\xe4"), [Key::PageDown]);
        assert!(typed.waits());
        assert_eq!(typed.take(b"\xb8\xad"), [Key::Char('中')]);
        assert!(!typed.waits());
        assert_eq!(typed.take(b"\x1b"), []);
        assert_eq!(typed.nothing_follows(), Some(Key::Escape));
        assert_eq!(typed.take(b"\x1b["), []);
        assert_eq!(typed.nothing_follows(), None);
        assert_eq!(typed.take(b"A"), [Key::Char('A')]);
    }

    #[test]
    fn pasted_text_presses_no_keys() {
        let mut typed = Typed::default();
        assert_eq!(typed.take(b"\x1b[200~Ky\x1b[A"), []);
        assert_eq!(typed.nothing_follows(), None);
        assert_eq!(typed.take(b"\n\x1b[201~q"), [Key::Pasted("Ky\x1b[A\n".into()), Key::Char('q')]);
        let long = [PASTE.0, &[b'y'; 10_000], PASTE.1, b"n"].concat();
        assert_eq!(typed.take(&long), [Key::Pasted("y".repeat(MOST)), Key::Char('n')], "none of it is a key");
        assert_eq!(typed.take(b"\x1b[200~Ky\x03q"), [Key::Ctrl('c'), Key::Char('q')], "an end that never comes");
    }

    proptest! {
        /// However the bytes are split, the buffer stays small.
        #[test]
        fn any_bytes_are_taken(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..300)) {
            let mut typed = Typed::default();
            for piece in pieces {
                typed.take(&piece);
                prop_assert!(typed.bytes.len() <= LONGEST + 40);
            }
        }
    }
}
