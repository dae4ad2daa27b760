//! The state of the store, for administrators.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::values::time::Wall;

/// The state of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The present trouble, in words, and since when. Recording goes on by itself when the trouble
    /// is over.
    pub trouble: Option<(String, Wall)>,
    /// How many troubles there were since the start.
    pub troubles: u64,
    /// How many records were written since the start.
    pub records: u64,
    /// How many lines are on disk.
    pub lines: u64,
    /// Bytes in use on disk, without free pages.
    pub bytes: u64,
    /// The number of the last line in the index for searches; all before it are in the index too.
    pub indexed: u64,
    /// The highest number of a line on disk.
    pub last_line: u64,
    /// The last file that was set aside since the start, because it could not be read.
    pub set_aside: Option<PathBuf>,
    /// How many files were set aside since the start.
    pub sets_aside: u64,
    /// How long lines are kept; readers return no older ones.
    pub(super) keep: Option<Duration>,
    /// Rises by one each time that another file takes the place of the former one.
    pub(super) generation: u64,
}

pub(super) fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}
