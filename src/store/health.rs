//! How the store is doing, as administrators see it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::values::time::Wall;

/// How the store is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What is wrong, and since when; recording goes on by itself afterwards.
    pub trouble: Option<(String, Wall)>,
    /// The number of faults since the start.
    pub troubles: u64,
    /// The number of records written since the start.
    pub records: u64,
    /// Lines on disk.
    pub lines: u64,
    /// Bytes in use on disk, without free pages.
    pub bytes: u64,
    /// The index for searches reaches up to this line.
    pub indexed: u64,
    /// The highest number of a line on disk.
    pub last_line: u64,
    /// The file that was set aside last since the start, because it could not be read.
    pub set_aside: Option<PathBuf>,
    /// How many files were set aside since the start.
    pub sets_aside: u64,
    /// How long lines are kept, as readers are to know.
    pub(super) keep: Option<Duration>,
    /// A number that rises when another file takes the place of the one before.
    pub(super) generation: u64,
}

pub(super) fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}
