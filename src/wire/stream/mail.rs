//! Mail: messages for one client alone, which are placed between the lines of its room.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::log::Log;
use super::reader::Reader;
use crate::hub::message::View;

/// The memory that a piece of mail takes beside its text, in bytes.
const BESIDE: usize = size_of::<Mail>() + 16;

/// New mail is joined to the last piece if the result has at most this many bytes, so that many
/// short answers become one piece.
const PUT_TOGETHER: usize = 512;

/// Joining begins when this many pieces wait: fewer fit into any mailbox, and mostly go out in one
/// write.
const APART: usize = 4;

/// The bytes of a message, shared by all readers that get the same one.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    bytes: Arc<[u8]>,
    /// The number of bytes that this reader's socket has taken.
    from: usize,
}

impl Shared {
    /// The bytes that the socket has not taken.
    pub(super) fn remaining(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    /// Notes that the socket has taken `taken` bytes more, which are fewer than remain.
    pub(super) fn advance(&mut self, taken: usize) {
        self.from += taken;
    }
}

impl From<Arc<[u8]>> for Shared {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self { bytes, from: 0 }
    }
}

/// The form of mail in a snapshot: text if it is UTF-8, else (telnet commands) a list of numbers.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Spelt<'a> {
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
}

impl Serialize for Shared {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = self.remaining();
        std::str::from_utf8(rest)
            .map_or_else(|_| Spelt::Bytes(rest.into()), |text| Spelt::Text(text.into()))
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Shared {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Arc<[u8]> = match Spelt::deserialize(deserializer)? {
            Spelt::Text(text) => text.as_bytes().into(),
            Spelt::Bytes(bytes) => bytes.into(),
        };
        Ok(bytes.into())
    }
}

/// A piece of mail for one reader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mail {
    /// The mail goes out before the line with this number.
    pub(super) before: u64,
    pub(super) bytes: Shared,
    /// Whether this mail is held back; then all mail behind it is held back too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) held: bool,
    /// For the note on missed lines: the number of lines, while the socket has taken no byte of the
    /// note. 0 for all other mail.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub(super) missed: u64,
}

impl Mail {
    pub(super) fn new(before: u64, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { before, bytes: bytes.into().into(), held: false, missed: 0 }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_nothing(count: &u64) -> bool {
    *count == 0
}

/// A function that appends the note on this many missed lines, rendered in a view, to a buffer.
pub type Note = fn(u64, View, &mut Vec<u8>);

impl Reader {
    /// Adds mail, which goes out behind the present lines of `log` and before all later ones.
    pub fn tell(&mut self, bytes: Arc<[u8]>, log: Option<&Log>) {
        if bytes.is_empty() {
            return;
        }
        self.mail_bytes += bytes.len();
        let (before, held) = (log.map_or(0, Log::end), self.is_holding());
        if self.mail.len() >= APART
            && let Some(last) = self.mail.back_mut()
            && (last.before, last.held, last.missed) == (before, held, 0)
            && last.bytes.remaining().len() + bytes.len() <= PUT_TOGETHER
        {
            last.bytes = Arc::<[u8]>::from([last.bytes.remaining(), &bytes].concat()).into();
            return;
        }
        self.mail.push_back(Mail { held, ..Mail::new(before, bytes) });
    }

    /// If `on`, holds back lines and mail that come from now on until they are
    /// [released](Self::release). Otherwise releases everything, and holds back nothing any more.
    pub fn hold(&mut self, on: bool, log: Option<&Log>) {
        if on {
            // A second call changes nothing: otherwise lines since the first call would go out
            // before mail that is held back.
            if !self.is_holding() {
                self.until = log.map_or(0, Log::end);
            }
        } else {
            self.release(log);
            self.until = u64::MAX;
        }
    }

    /// Releases the lines and mail that were held back so far. Later ones are held back as before.
    pub fn release(&mut self, log: Option<&Log>) {
        if self.is_holding() {
            self.until = log.map_or(0, Log::end);
            for mail in &mut self.mail {
                mail.held = false;
            }
        }
    }

    /// Whether new lines and mail are held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.until != u64::MAX && !self.ends
    }

    /// Bytes of mail that the socket has not taken.
    #[must_use]
    pub fn mail_bytes(&self) -> usize {
        self.mail_bytes
    }

    /// The memory that the mail and the current frame take, in bytes.
    #[must_use]
    pub fn mail_weight(&self) -> usize {
        self.mail_bytes + self.mail.len() * BESIDE + self.typing.as_ref().map_or(0, |typing| typing.weight())
    }

    /// Adds a note that `lines` lines were dropped, beginning with line `at`. If the mail has a
    /// note of which the socket has taken no byte, that note is rewritten to count these lines as
    /// well.
    pub(super) fn note(&mut self, lines: u64, at: u64, note: Note) {
        let view = self.view;
        let write = |lines| {
            let mut bytes = Vec::new();
            note(lines, view, &mut bytes);
            bytes
        };
        if let Some(place) = self.noted_at.and_then(|at| self.noted(at)) {
            let mail = &mut self.mail[place];
            mail.missed += lines;
            self.mail_bytes -= mail.bytes.remaining().len();
            mail.bytes = Arc::<[u8]>::from(write(mail.missed)).into();
            self.mail_bytes += mail.bytes.remaining().len();
            return;
        }
        let bytes = write(lines);
        self.mail_bytes += bytes.len();
        // The note goes behind all mail that belongs before the dropped lines.
        let place = self.mail.partition_point(|mail| mail.before <= at);
        self.mail.insert(place, Mail { missed: lines, ..Mail::new(at, bytes) });
        self.noted_at = Some(at);
    }

    /// The index in `mail` of the note on the missed lines that begin with line `at`; `None` if
    /// there is none.
    pub(super) fn noted(&self, at: u64) -> Option<usize> {
        let behind = self.mail.partition_point(|mail| mail.before <= at);
        let place = behind.checked_sub(1)?;
        (self.mail[place].missed > 0).then_some(place)
    }
}
