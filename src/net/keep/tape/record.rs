//! Records on the tape: their form, and reading them again.

use std::ops::Range;

use super::layout::{check, step};
use super::{Tape, Unusable};
use crate::values::id::SessionId;
use crate::values::time::{Mono, Now, Wall};

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Bytes that a client has sent. Empty if the client had another turn for bytes that it had
    /// sent before.
    Bytes = 1,
    /// An input, as JSON.
    Input = 2,
    /// An input that was left out because processes died while they handled it.
    Poison = 3,
}

/// One record of the tape.
#[derive(Debug)]
pub struct Record {
    /// Where the record begins in the half that counts.
    pub at: u64,
    /// What the content is.
    pub kind: Kind,
    /// The client that sent the content, if that is bytes.
    pub id: SessionId,
    /// When the input came.
    pub now: Now,
    /// Where the content is in the half that counts.
    pub content: Range<usize>,
}

impl Record {
    /// Where the record begins: [`at`](Self::at) as a `usize`.
    #[must_use]
    pub fn start(&self) -> usize {
        self.content.start - RECORD
    }

    /// The same record, moved by `bytes`, because the snapshot before it now has another length.
    #[must_use]
    pub fn moved(self, bytes: isize) -> Self {
        let content = self.content.start.wrapping_add_signed(bytes)..self.content.end.wrapping_add_signed(bytes);
        Self { at: self.at.wrapping_add_signed(bytes as i64), content, ..self }
    }
}

/// Length of the head before each record's content, in bytes: check sum (4), length (4), kind (4),
/// unused (4), client (8), time (16).
pub(super) const RECORD: usize = 40;

pub(super) fn record_head(kind: Kind, id: SessionId, now: Now, content: &[u8]) -> [u8; RECORD] {
    let mut head = [0; RECORD];
    head[4..8].copy_from_slice(&u32::try_from(content.len()).expect("at most 4 GiB").to_le_bytes());
    head[8..12].copy_from_slice(&(kind as u32).to_le_bytes());
    head[16..24].copy_from_slice(&id.0.to_le_bytes());
    head[24..32].copy_from_slice(&now.mono.0.to_le_bytes());
    head[32..40].copy_from_slice(&now.wall.0.to_le_bytes());
    let check = check(&[&head[4..], content]).to_le_bytes();
    head[..4].copy_from_slice(&check[..4]);
    head
}

impl Tape {
    /// The records since the snapshot, in order.
    ///
    /// # Errors
    /// [`Unusable::Damaged`] if a record is damaged.
    pub fn records(&self) -> Result<Vec<Record>, Unusable> {
        let Some(kept) = &self.kept else { return Ok(Vec::new()) };
        let (mut at, mut records) = (kept.start, Vec::new());
        let tape = &kept.half().bytes()[..kept.end];
        while at < kept.end {
            let damaged = Unusable::Damaged("an input");
            let head = tape.get(at..at + RECORD).ok_or(damaged.clone())?;
            let number = |range: Range<usize>| {
                let mut bytes = [0; 8];
                bytes[..range.len()].copy_from_slice(&head[range]);
                u64::from_le_bytes(bytes)
            };
            let content = at + RECORD..at + RECORD + usize::try_from(number(4..8)).expect("32 bits");
            let bytes = tape.get(content.clone()).ok_or(damaged.clone())?;
            if check(&[&head[4..], bytes]) & u64::from(u32::MAX) != number(0..4) {
                return Err(damaged);
            }
            let kind = match number(8..12) {
                1 => Kind::Bytes,
                2 => Kind::Input,
                3 => Kind::Poison,
                _ => return Err(damaged),
            };
            let now = Now { mono: Mono(number(24..32)), wall: Wall(number(32..40).cast_signed()) };
            let next = step(content.end);
            records.push(Record { at: at as u64, kind, id: SessionId(number(16..24)), now, content });
            at = next;
        }
        Ok(records)
    }

    /// The bytes at `range`: a record's content, or what a tape that is not kept has received.
    #[must_use]
    pub fn content(&self, range: Range<usize>) -> &[u8] {
        match &self.kept {
            Some(kept) => &kept.half().bytes()[range],
            None => &self.buffer[range],
        }
    }
}
