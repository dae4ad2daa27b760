//! Decrypting what clients write: records become content.

use std::sync::Arc;

use aws_lc_rs::aead::Aad;
use serde::{Deserialize, Serialize};

use super::keys::{self, Keys};
use super::record::{ALERT, Alert, DATA, HANDSHAKE, HEAD, KEY_UPDATE, MOST_READ, TAG};
use super::suite::{Secret, Suite};

/// The most records in a row without content: key updates, empty records, ignored alerts. Each
/// costs us more work than it costs a client.
const MOST_IDLE: u8 = 32;

/// The most bytes by which the encrypted part of a record may be longer than [`MOST_READ`], because
/// of padding and the tag (RFC 8446, section 5.2).
const EXPANSION: usize = 256;

/// Decrypts the records of one client. A snapshot holds it without its secret and keys: see
/// [`Self::unlock`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Opener {
    suite: Suite,
    #[serde(skip)]
    secret: Option<Secret>,
    /// The keys of the secret, only while [`Self::push`] runs. They take more memory than the rest
    /// of an idle client's encryption, and are derived within microseconds.
    #[serde(skip)]
    keys: Option<Arc<Keys>>,
    /// The sequence number of the next record under these keys.
    sequence: u64,
    /// The number of times that the client has updated its keys.
    updates: u64,
    /// The beginning of a record that is not complete yet, header included.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "in_base64")]
    partial: Vec<u8>,
    /// The beginning of a key update that is not complete yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "in_base64")]
    message: Vec<u8>,
    /// The number of records without content since the last one with content.
    #[serde(default)]
    idle: u8,
    /// Whether nothing more is read, because the client has ended or has broken the protocol.
    #[serde(default)]
    over: bool,
}

/// The events in a client's records, beside their content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Whether the client asks us to update our keys.
    pub update_requested: bool,
    /// The end of the client's data, with the reason; bytes behind it are ignored.
    pub end: Option<End>,
}

/// Why nothing more is read from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client has ended its data with `close_notify`.
    Closed,
    /// The client has given up with this alert.
    GaveUp(Alert),
    /// The client has broken the protocol; it has to be sent this alert.
    Broken(Alert),
}

impl Opener {
    /// A value that begins with the first record after the handshake. It needs [`Self::unlock`]
    /// before the first [`Self::push`].
    #[must_use]
    pub const fn new(suite: Suite) -> Self {
        Self {
            suite,
            secret: None,
            keys: None,
            sequence: 0,
            updates: 0,
            partial: Vec::new(),
            message: Vec::new(),
            idle: 0,
            over: false,
        }
    }

    /// Sets the traffic secret: that of the client's direction after as many key updates as
    /// [`Self::secret`] tells.
    pub fn unlock(&mut self, secret: Secret) {
        (self.secret, self.keys) = (Some(secret), None);
    }

    /// Whether the traffic secret is set.
    #[must_use]
    pub const fn is_unlocked(&self) -> bool {
        self.secret.is_some()
    }

    /// The number of key updates by the client, and the present secret; `None` if it is not set.
    #[must_use]
    pub fn secret(&self) -> (u64, Option<&Secret>) {
        (self.updates, self.secret.as_ref())
    }

    /// Whether the client has ended its data or has broken the protocol.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether a value that was read from a snapshot is consistent, as far as can be checked
    /// without the secret.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let whole = |partial: &[u8]| partial.len() >= HEAD && partial.len() >= HEAD + length(partial);
        !whole(&self.partial) && self.message.len() <= KEY_UPDATE.len()
    }

    /// Decrypts bytes that a client has sent, and appends the content of complete records to
    /// `content`.
    pub fn push(&mut self, mut bytes: &[u8], content: &mut Vec<u8>) -> Brought {
        let mut brought = Brought::default();
        while brought.end.is_none() && !self.over {
            let done = match self.next_record(&mut bytes) {
                Ok(None) => break,
                Ok(Some(record)) => self.open(&record, content, &mut brought),
                Err(alert) => Err(alert),
            };
            if let Err(alert) = done {
                brought.end = Some(End::Broken(alert));
            }
        }
        if brought.end.is_some() {
            self.over = true;
            (self.partial, self.message) = (Vec::new(), Vec::new());
        }
        self.keys = None;
        brought
    }

    /// Takes the next complete record off `partial` and `bytes`; `None` if it is not complete, and
    /// then its beginning is kept.
    fn next_record<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<std::borrow::Cow<'a, [u8]>>, Alert> {
        let mut take = |count: usize| {
            let (now, later) = bytes.split_at(count.min(bytes.len()));
            *bytes = later;
            now
        };
        if self.partial.is_empty() {
            // Mostly a record comes whole; then it is not copied.
            let all = take(usize::MAX);
            if all.len() >= HEAD {
                let len = HEAD + checked_length(all)?;
                if all.len() >= len {
                    let (record, rest) = all.split_at(len);
                    *bytes = rest;
                    return Ok(Some(record.into()));
                }
            }
            self.partial.extend_from_slice(all);
            return Ok(None);
        }
        self.partial.extend_from_slice(take(HEAD.saturating_sub(self.partial.len())));
        if self.partial.len() < HEAD {
            return Ok(None);
        }
        let len = HEAD + checked_length(&self.partial)?;
        self.partial.extend_from_slice(take(len - self.partial.len()));
        Ok((self.partial.len() == len).then(|| std::mem::take(&mut self.partial).into()))
    }

    /// Decrypts a complete record, and handles it.
    fn open(&mut self, record: &[u8], content: &mut Vec<u8>, brought: &mut Brought) -> Result<(), Alert> {
        let (head, sealed) = record.split_at(HEAD);
        let secret = self.secret.as_ref().ok_or(Alert::BAD_RECORD_MAC)?;
        let keys = self.keys.get_or_insert_with(|| Arc::new(Keys::of(self.suite, secret)));
        let start = content.len();
        content.extend_from_slice(sealed);
        let nonce = keys.nonce(self.sequence);
        let opened = keys.key.open_in_place(nonce, Aad::from(head), &mut content[start..]).map(|inner| {
            // The inner type stands behind the content, followed by a padding of zeros.
            inner.iter().rposition(|byte| *byte != 0).map(|at| (at, inner[at], inner.len()))
        });
        let opened = opened.map_err(|_| Alert::BAD_RECORD_MAC).and_then(|found| match found {
            Some((_, _, padded)) if padded > MOST_READ + 1 => Err(Alert::RECORD_OVERFLOW),
            Some((at, kind, _)) => Ok((at, kind)),
            None => Err(Alert::UNEXPECTED_MESSAGE),
        });
        let (len, kind) = opened.inspect_err(|_| content.truncate(start))?;
        self.sequence += 1;
        content.truncate(start + len);
        if kind == DATA && len > 0 {
            self.idle = 0;
        } else {
            self.idle += 1;
        }
        let is_whole = kind == HANDSHAKE || self.message.is_empty();
        let done = match kind {
            _ if self.idle > MOST_IDLE || !is_whole => Err(Alert::UNEXPECTED_MESSAGE),
            DATA => return Ok(()),
            HANDSHAKE => self.message(&content[start..], brought),
            ALERT => alert(&content[start..], brought),
            _ => Err(Alert::UNEXPECTED_MESSAGE),
        };
        content.truncate(start);
        done
    }

    /// Handles part of a handshake message. Only key updates are allowed after the handshake.
    fn message(&mut self, bytes: &[u8], brought: &mut Brought) -> Result<(), Alert> {
        if bytes.is_empty() {
            return Err(Alert::UNEXPECTED_MESSAGE);
        }
        self.message.extend_from_slice(bytes);
        let known = self.message.len().min(KEY_UPDATE.len());
        if self.message[..1] != KEY_UPDATE[..1] {
            return Err(Alert::UNEXPECTED_MESSAGE);
        }
        if self.message[..known] != KEY_UPDATE[..known] {
            return Err(Alert::DECODE_ERROR);
        }
        match self.message[known..] {
            [] => return Ok(()),
            [asks @ (0 | 1)] => brought.update_requested |= asks == 1,
            // Nothing may follow a key update in its record: it would be encrypted with the old
            // keys.
            [_, _, ..] => return Err(Alert::UNEXPECTED_MESSAGE),
            [_] => return Err(Alert(47)), // illegal_parameter
        }
        self.message = Vec::new();
        let secret = self.secret.take().ok_or(Alert::BAD_RECORD_MAC)?;
        self.unlock(keys::updated(self.suite, &secret));
        (self.sequence, self.updates) = (0, self.updates + 1);
        Ok(())
    }
}

/// Handles an alert of the client.
fn alert(bytes: &[u8], brought: &mut Brought) -> Result<(), Alert> {
    let [_, number] = *bytes else { return Err(Alert::DECODE_ERROR) };
    brought.end = match Alert(number) {
        Alert::CLOSE_NOTIFY => Some(End::Closed),
        Alert::USER_CANCELED => None,
        other => Some(End::GaveUp(other)),
    };
    Ok(())
}

/// The length of a record's encrypted part, as its header says.
fn length(head: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([head[3], head[4]]))
}

/// The [`length`] of a record, checked; an error if such a record is not allowed after the
/// handshake.
fn checked_length(head: &[u8]) -> Result<usize, Alert> {
    match (head[0], length(head)) {
        (DATA, len) if len > MOST_READ + EXPANSION => Err(Alert::RECORD_OVERFLOW),
        (DATA, len) if len < TAG => Err(Alert::BAD_RECORD_MAC),
        (DATA, len) => Ok(len),
        _ => Err(Alert::UNEXPECTED_MESSAGE),
    }
}

/// Bytes as Base64, in JSON.
mod in_base64 {
    use base64ct::{Base64, Encoding as _};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Base64::encode_string(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Base64::decode_vec(&text).map_err(D::Error::custom)
    }
}
