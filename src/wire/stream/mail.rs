//! Mail: what one client alone is told, between the lines of its room.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::log::Log;
use super::reader::Reader;
use crate::hub::message::View;

/// What one piece of mail takes in memory besides its text, in bytes.
const BESIDE: usize = size_of::<Mail>() + 16;

/// Mail is added to the piece before it up to this size, in bytes: many short answers are one piece then.
const PUT_TOGETHER: usize = 512;

/// This many pieces are kept apart before short ones are put together: any mailbox has room for them, and mostly they
/// go out in one write.
const APART: usize = 4;

/// Bytes of a message, shared by all readers that are told the same.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    bytes: Arc<[u8]>,
    /// Bytes that this reader's socket has taken.
    from: usize,
}

impl Shared {
    /// The bytes not taken yet.
    pub(super) fn remaining(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    /// The socket has taken `taken` bytes more, and not all.
    pub(super) fn advance(&mut self, taken: usize) {
        self.from += taken;
    }
}

impl From<Arc<[u8]>> for Shared {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self { bytes, from: 0 }
    }
}

/// How mail is saved: as text if it is UTF-8, else (telnet commands) as numbers.
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

/// A piece of what is meant for one reader alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Mail {
    /// The number of the line of the log that it goes out before.
    pub(super) before: u64,
    pub(super) bytes: Shared,
    /// Held back, with all mail that comes after it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) held: bool,
    /// Lines that it notes as missed, as long as none of its bytes are taken; 0 for all other mail.
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

/// Writes the note that a number of lines were missed, as it is seen in a view.
pub type Note = fn(u64, View, &mut Vec<u8>);

impl Reader {
    /// Adds mail, which goes out after what is in `log` now and before what comes.
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

    /// With `on`, lines and mail that come from now on wait until they are [released](Self::release); without, nothing
    /// is held back any more.
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

    /// Lines and mail held back so far are due now; what comes later is held back as before.
    pub fn release(&mut self, log: Option<&Log>) {
        if self.is_holding() {
            self.until = log.map_or(0, Log::end);
            for mail in &mut self.mail {
                mail.held = false;
            }
        }
    }

    /// Whether what comes is held back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.until != u64::MAX && !self.ends
    }

    /// Bytes of mail not taken yet.
    #[must_use]
    pub fn mail_bytes(&self) -> usize {
        self.mail_bytes
    }

    /// What its mail takes in memory, in bytes, with the frame that is made of it.
    #[must_use]
    pub fn mail_weight(&self) -> usize {
        self.mail_bytes + self.mail.len() * BESIDE + self.typing.as_ref().map_or(0, |typing| typing.weight())
    }

    /// Notes that `lines` lines were dropped, the first of which was line `at`. A note that is in the mail already, and
    /// of which nothing is taken yet, counts them as well.
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
        // Behind the mail that belongs before the lines that are gone.
        let place = self.mail.partition_point(|mail| mail.before <= at);
        self.mail.insert(place, Mail { missed: lines, ..Mail::new(at, bytes) });
        self.noted_at = Some(at);
    }

    /// The index in its mail of the note on lines from `at` on.
    pub(super) fn noted(&self, at: u64) -> Option<usize> {
        let behind = self.mail.partition_point(|mail| mail.before <= at);
        let place = behind.checked_sub(1)?;
        (self.mail[place].missed > 0).then_some(place)
    }
}
