//! Encrypting what we write: content becomes records.

use std::sync::Arc;

use aws_lc_rs::aead::Aad;

use super::keys::{self, Keys};
use super::record::{ALERT, Alert, DATA, HANDSHAKE, HEAD, KEY_UPDATE, MOST_WRITTEN, TAG};
use super::suite::{Secret, Suite};

/// The number of records after which our keys are updated. RFC 8446 (section 5.5) allows AES-GCM
/// some 2^24.5 records under one key.
pub const MOST_RECORDS: u64 = 1 << 23;

/// The authentication tag of a record; for several records, the exclusive or of their tags. Under
/// one key and sequence number, two contents with the same tag are equal, except with a probability
/// of about 2^-128.
pub type Tag = [u8; TAG];

/// Encrypts the records for one client.
#[derive(Clone, Debug)]
pub struct Sealer {
    suite: Suite,
    secret: Secret,
    keys: Arc<Keys>,
    sequence: u64,
}

impl Sealer {
    /// A value whose next record has the sequence number `sequence` under `secret`.
    #[must_use]
    pub fn new(suite: Suite, secret: Secret, sequence: u64) -> Self {
        let keys = Arc::new(Keys::of(suite, &secret));
        Self { suite, secret, keys, sequence }
    }

    /// The traffic secret under which the next record is encrypted.
    #[must_use]
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The sequence number of the next record.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether [`MOST_RECORDS`] records were encrypted with these keys, so that they must be
    /// [updated](Self::update).
    #[must_use]
    pub const fn is_worn(&self) -> bool {
        self.sequence >= MOST_RECORDS
    }

    /// Appends records with this content to `out`: each holds [`MOST_WRITTEN`] bytes, the last one
    /// the rest. The content may come in several pieces; their borders make no difference. Returns
    /// the combined tag.
    pub fn data<'a>(&mut self, pieces: impl IntoIterator<Item = &'a [u8]>, out: &mut Vec<u8>) -> Tag {
        let mut all = Tag::default();
        let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
        let mut rest = pieces.next();
        while rest.is_some() {
            let start = begin(out);
            let mut room = MOST_WRITTEN;
            while let Some(piece) = rest
                && room > 0
            {
                let (now, later) = piece.split_at(piece.len().min(room));
                out.extend_from_slice(now);
                room -= now.len();
                rest = if later.is_empty() { pieces.next() } else { Some(later) };
            }
            let tag = self.finish(start, DATA, out);
            all.iter_mut().zip(tag).for_each(|(all, one)| *all ^= one);
        }
        all
    }

    /// Appends a record with an alert to `out`, and returns its tag.
    pub fn alert(&mut self, alert: Alert, out: &mut Vec<u8>) -> Tag {
        let start = begin(out);
        out.extend_from_slice(&alert.content());
        self.finish(start, ALERT, out)
    }

    /// Appends a record with a key update to `out`, and returns its tag; later records have the new
    /// keys. `asks` tells whether the client must update its keys as well.
    pub fn update(&mut self, asks: bool, out: &mut Vec<u8>) -> Tag {
        let start = begin(out);
        out.extend_from_slice(&KEY_UPDATE);
        out.push(asks.into());
        let tag = self.finish(start, HANDSHAKE, out);
        *self = Self::new(self.suite, keys::updated(self.suite, &self.secret), 0);
        tag
    }

    /// Encrypts the record whose header begins at `start`: appends the inner type `kind`, sets the
    /// length, encrypts, and appends the tag.
    fn finish(&mut self, start: usize, kind: u8, out: &mut Vec<u8>) -> Tag {
        out.push(kind);
        let (head, content) = out[start..].split_at_mut(HEAD);
        let len = u16::try_from(content.len() + TAG).expect("a record is short");
        head[3..].copy_from_slice(&len.to_be_bytes());
        let (nonce, beside) = (self.keys.nonce(self.sequence), Aad::from(&*head));
        let tag = self.keys.key.seal_in_place_separate_tag(nonce, beside, content).expect("a record is short");
        let tag: Tag = tag.as_ref().try_into().expect("every suite's tag is as long");
        self.sequence += 1;
        out.extend_from_slice(&tag);
        tag
    }
}

/// Appends a record's header without its length to `out`, and returns its offset.
fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[DATA, 3, 3, 0, 0]);
    out.len() - HEAD
}

/// The bytes that [`Sealer::data`] appends for `len` bytes of content.
#[must_use]
pub const fn sealed_len(len: usize) -> usize {
    len + len.div_ceil(MOST_WRITTEN) * super::record::BESIDE
}
