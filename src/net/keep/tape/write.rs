//! Writing inputs to the tape, and receiving what clients send straight onto it.

use std::io;
use std::ops::Range;

use super::layout::{Head, step};
use super::record::{Kind, RECORD, record_head};
use super::{CHUNK, Kept, Tape, word};
use crate::net::keep::fault;
use crate::values::id::SessionId;
use crate::values::time::Now;

impl Tape {
    /// Writes an input and commits it. Returns where its record begins, and where its content
    /// stands.
    pub fn append(&mut self, now: Now, content: &[u8]) -> (u64, Range<usize>) {
        let Some(kept) = &mut self.kept else { return (0, 0..0) };
        let at = kept.end;
        let head = record_head(Kind::Input, SessionId(0), now, content);
        let place = kept.half_mut().bytes_mut();
        place[at..at + RECORD].copy_from_slice(&head);
        place[at + RECORD..at + RECORD + content.len()].copy_from_slice(content);
        kept.commit(at + RECORD + content.len());
        (at as u64, at + RECORD..at + RECORD + content.len())
    }

    /// Commits another turn of client `id`, for bytes that it has sent before. Returns where the
    /// record begins.
    pub fn append_turn(&mut self, id: SessionId, now: Now) -> u64 {
        let Some(kept) = &mut self.kept else { return 0 };
        let at = kept.end;
        let head = record_head(Kind::Bytes, id, now, &[]);
        kept.half_mut().bytes_mut()[at..at + RECORD].copy_from_slice(&head);
        kept.commit(at + RECORD);
        at as u64
    }

    /// Has `read` receive at most [`CHUNK`] bytes of client `id`, and commits them. Returns where
    /// the record begins, and where its content is.
    ///
    /// # Errors
    /// Any error of `read`. After an error, or if `read` reads nothing, nothing is committed.
    pub fn receive(
        &mut self,
        id: SessionId,
        now: Now,
        read: impl FnOnce(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<(u64, Range<usize>)> {
        let Some(kept) = &mut self.kept else {
            let count = read(&mut self.buffer)?;
            return Ok((0, 0..count));
        };
        let at = kept.end;
        let receiving = Head::of(kept.generation, word::RECEIVING);
        kept.head.set(receiving, id.0 + 1);
        let place = &mut kept.half_mut().bytes_mut()[at..at + RECORD + CHUNK];
        let count = read(&mut place[RECORD..]);
        fault::point("input.read");
        if let Ok(count) = count
            && count > 0
        {
            let head = record_head(Kind::Bytes, id, now, &place[RECORD..RECORD + count]);
            place[..RECORD].copy_from_slice(&head);
            fault::point("input.written");
            kept.commit(at + RECORD + count);
            fault::point("input.committed");
        }
        kept.head.set(receiving, 0);
        Ok((at as u64, at + RECORD..at + RECORD + count?))
    }

    /// Commits `len` bytes of client `id` that a former process received behind the tape's end and
    /// did not commit.
    pub fn recover(&mut self, id: SessionId, now: Now, len: usize) -> (u64, Range<usize>) {
        let Some(kept) = &mut self.kept else { return (0, 0..0) };
        let at = kept.end;
        let place = &mut kept.half_mut().bytes_mut()[at..at + RECORD + CHUNK];
        let head = record_head(Kind::Bytes, id, now, &place[RECORD..RECORD + len]);
        place[..RECORD].copy_from_slice(&head);
        kept.commit(at + RECORD + len);
        kept.head.set(Head::of(kept.generation, word::RECEIVING), 0);
        (at as u64, at + RECORD..at + RECORD + len)
    }

    /// The client whose bytes were being received when the former process died.
    #[must_use]
    pub fn receiving(&self) -> Option<SessionId> {
        self.now(word::RECEIVING).checked_sub(1).map(SessionId)
    }
}

impl Kept {
    fn commit(&mut self, end: usize) {
        self.end = step(end);
        self.head.set(Head::of(self.generation, word::END), self.end as u64);
    }
}
