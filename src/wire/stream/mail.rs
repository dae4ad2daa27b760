//! Mail: what one client alone is told, between the lines of its room.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::log::Log;
use super::reader::Reader;
use crate::hub::message::View;

/// How much memory one piece of mail takes beside its text, in bytes.
const BESIDE: usize = size_of::<Mail>() + 16;

/// Mail is joined to the piece before it if that then has at most this many bytes: many short answers become one piece.
const PUT_TOGETHER: usize = 512;

/// Up to this many pieces are not joined: any mailbox has room for them, and mostly they go out in one write.
const APART: usize = 4;

/// Bytes of a message, shared by all readers that are told the same.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    bytes: Arc<[u8]>,
    /// How many of the bytes this reader's socket has taken.
    from: usize,
}

impl Shared {
    /// The bytes that the socket has not taken.
    pub(super) fn remaining(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    /// Notes that the socket has taken `taken` bytes more, and not all.
    pub(super) fn advance(&mut self, taken: usize) {
        self.from += taken;
    }
}

impl From<Arc<[u8]>> for Shared {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self { bytes, from: 0 }
    }
}

/// The form in which mail is saved: text if it is UTF-8, else (telnet commands) numbers.
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

/// A piece of mail, for one reader alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mail {
    /// The number of the line that this mail goes out before.
    pub(super) before: u64,
    pub(super) bytes: Shared,
    /// Whether this mail is held back, and all mail behind it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) held: bool,
    /// How many missed lines this mail notes, as long as no byte of it is taken; 0 for all other mail.
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

/// Writes a note on the missed lines, of which it is given the number, in a view.
pub type Note = fn(u64, View, &mut Vec<u8>);

impl Reader {
    /// Adds mail, which goes out behind what is in `log` now and before what comes later.
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

    /// With `on`, holds back lines and mail that come from now on, until they are [released](Self::release). Without,
    /// holds back nothing any more.
    pub fn hold(&mut self, on: bool, log: Option<&Log>) {
        if on {
            // A second call moves nothing: mail that is held back already goes before the lines that came later.
            if !self.is_holding() {
                self.until = log.map_or(0, Log::end);
            }
        } else {
            self.release(log);
            self.until = u64::MAX;
        }
    }

    /// Lets the lines and mail go that were held back so far. What comes later is held back as before.
    pub fn release(&mut self, log: Option<&Log>) {
        if self.is_holding() {
            self.until = log.map_or(0, Log::end);
            for mail in &mut self.mail {
                mail.held = false;
            }
        }
    }

    /// Whether lines and mail that come are held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.until != u64::MAX && !self.ends
    }

    /// How many bytes of mail the socket has not taken.
    #[must_use]
    pub fn mail_bytes(&self) -> usize {
        self.mail_bytes
    }

    /// How much memory the mail takes, in bytes, with the frame that is made of it.
    #[must_use]
    pub fn mail_weight(&self) -> usize {
        self.mail_bytes + self.mail.len() * BESIDE + self.typing.as_ref().map_or(0, |typing| typing.weight())
    }

    /// Notes that `lines` lines were dropped, the first of which was line `at`. If there is a note of which no byte is
    /// taken yet, it counts these lines as well.
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
        // The note goes behind the mail that belongs before the lines that are gone.
        let place = self.mail.partition_point(|mail| mail.before <= at);
        self.mail.insert(place, Mail { missed: lines, ..Mail::new(at, bytes) });
        self.noted_at = Some(at);
    }

    /// The index in the mail of the note on lines from `at` on; `None` if there is none.
    pub(super) fn noted(&self, at: u64) -> Option<usize> {
        let behind = self.mail.partition_point(|mail| mail.before <= at);
        let place = behind.checked_sub(1)?;
        (self.mail[place].missed > 0).then_some(place)
    }
}
