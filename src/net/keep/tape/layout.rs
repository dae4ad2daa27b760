//! Where things stand in the memory file, and its first page of words.

use std::hash::Hasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use siphasher::sip::SipHasher13;

use super::word;
use crate::kernel::Mapping;

/// "chathub" and a zero.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"chathub\0");

/// The layout of the file. One that is not known is not touched.
pub(super) const LAYOUT: u64 = 1;

/// The two halves of the file for snapshots and inputs, and for cuts. Only what is used takes memory.
pub(super) const INPUTS: u64 = 1 << 34;
pub(super) const CUTS: u64 = 1 << 30;
pub(super) const PAGE: u64 = 64 * 1024;
pub(super) const TOTAL: u64 = PAGE + 2 * INPUTS + 2 * CUTS;

/// The first page, shared by those who write the tape. Words, each written by one of them.
#[derive(Debug)]
pub(super) struct Head(pub(super) Arc<Mapping>);

impl Head {
    pub(super) fn get(&self, word: usize) -> u64 {
        self.0.word(word).load(Ordering::Acquire)
    }

    /// Takes effect behind everything written before, whenever the process dies: a killed process's
    /// stores are all there, in the order in which it made them.
    pub(super) fn set(&self, word: usize, value: u64) {
        self.0.word(word).store(value, Ordering::Release);
    }

    pub(super) fn of(generation: u64, word: usize) -> usize {
        word::GENERATIONS + usize::from(generation % 2 == 1) * word::EACH + word
    }
}

pub(super) fn check(parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher13::new();
    for part in parts {
        hasher.write(part);
    }
    hasher.finish()
}

/// Where the next record may start behind one that ends there.
pub(super) fn step(end: usize) -> usize {
    end.next_multiple_of(8)
}

pub(super) fn aligned(len: u64) -> u64 {
    len.next_multiple_of(8)
}
