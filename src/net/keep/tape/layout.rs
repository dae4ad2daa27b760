//! Where things are in the memory file; access to the words of its first page; check sums.

use std::hash::Hasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use siphasher::sip::SipHasher13;

use super::word;
use crate::kernel::Mapping;

/// The first word of the file: "chathub" and a zero.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"chathub\0");

/// The number of this layout. A file with another number is not used.
pub(super) const LAYOUT: u64 = 1;

/// Length of each of the two halves for snapshots and inputs, in bytes. Only pages that are used
/// take memory.
pub(super) const INPUTS: u64 = 1 << 34;
/// Length of each of the two halves for cuts, in bytes.
pub(super) const CUTS: u64 = 1 << 30;
/// Length of the first page, in bytes.
pub(super) const PAGE: u64 = 64 * 1024;
/// Length of the file, in bytes: the first page, both halves for snapshots and inputs, both halves
/// for cuts.
pub(super) const TOTAL: u64 = PAGE + 2 * INPUTS + 2 * CUTS;

/// The first page, as words. Each word is written by one thread only. The driver and the rounds
/// both have the page mapped.
#[derive(Debug)]
pub(super) struct Head(pub(super) Arc<Mapping>);

impl Head {
    pub(super) fn get(&self, word: usize) -> u64 {
        self.0.word(word).load(Ordering::Acquire)
    }

    /// Writes a word after all that was written before it. So whenever this process is killed, the
    /// next one finds its writes in the order in which they were made.
    pub(super) fn set(&self, word: usize, value: u64) {
        self.0.word(word).store(value, Ordering::Release);
    }

    /// The index of `word` for a generation. Even and odd generations have words of their own, as
    /// they have their own halves of the file.
    pub(super) fn of(generation: u64, word: usize) -> usize {
        word::GENERATIONS + usize::from(generation % 2 == 1) * word::EACH + word
    }
}

/// The check sum of `parts`, as if they were one.
pub(super) fn check(parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}

/// Where the next record begins after one that ends at `end`: at a multiple of 8.
pub(super) fn step(end: usize) -> usize {
    end.next_multiple_of(8)
}

/// Where the first record begins after snapshots of `len` bytes: at a multiple of 8. A damaged tape
/// may tell any length.
pub(super) fn aligned(len: u64) -> u64 {
    len.checked_next_multiple_of(8).unwrap_or(u64::MAX)
}
