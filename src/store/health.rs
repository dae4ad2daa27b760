//! How the store is doing, as administrators see it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::values::time::Wall;

/// How the store is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What is wrong, and since when. Recording resumes by itself when the trouble is over.
    pub trouble: Option<(String, Wall)>,
    /// How many troubles there were since the start.
    pub troubles: u64,
    /// How many records were written since the start.
    pub records: u64,
    /// How many lines are on disk.
    pub lines: u64,
    /// Bytes in use on disk, without free pages.
    pub bytes: u64,
    /// The index for searches has all lines up to this number.
    pub indexed: u64,
    /// The highest number of a line on disk.
    pub last_line: u64,
    /// The last file that was set aside since the start, because it could not be read.
    pub set_aside: Option<PathBuf>,
    /// How many files were set aside since the start.
    pub sets_aside: u64,
    /// How long lines are kept; readers return no older ones.
    pub(super) keep: Option<Duration>,
    /// Rises each time that another file takes the place of the former one.
    pub(super) generation: u64,
}

pub(super) fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}
