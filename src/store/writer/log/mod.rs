//! The write-ahead log: when it is checkpointed, and how deleted content is kept neither in the log
//! nor in the file.
//!
//! Only the writer checkpoints (moves the log's pages into the file), because traces must be erased
//! before that ([`traces`]). While somebody reads an older state of the file, such as a backup or a
//! shell of SQLite in a transaction, the log cannot be emptied. Then the writer tries again until
//! it can. This file does not know which records delete something: the writer says so.
//!
//! | to change | see |
//! | --- | --- |
//! | when the log is emptied, and how soon deleted content is gone | this file |
//! | finding and overwriting the traces in pages | [`traces`] |

#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::Writer;
use crate::logging::{InWords, ids};
use crate::store::dir::beside;
use crate::store::traces::{self, Seen};
use crate::store::{Trouble, schema};

/// How long deleted text stays in the file or the log at most. It stays longer only while somebody
/// reads an older state of the file. Documented in chathub(8).
pub(super) const ERASED_WITHIN: Duration = Duration::from_secs(60);

/// How long deletions are gathered before the log is emptied for all of them.
const GATHER: Duration = Duration::from_secs(1);

/// How long after a failure the writer tries again to empty the log. The time doubles with each
/// failure, up to [`AGAIN_MOST`].
const AGAIN: Duration = Duration::from_millis(500);

/// The longest such time.
const AGAIN_MOST: Duration = Duration::from_secs(10);

/// The most pages of the log that are not yet in the file. There may be more while somebody reads
/// an older state of the file.
const PAGES: i64 = 1000;

/// What the writer knows of the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// `Some` if something was deleted since the log was last empty.
    pub(super) erasing: Option<Erasing>,
    /// Whether SQLite lets us overwrite traces in pages; and whether it was logged that it does
    /// not.
    pub(super) can_erase: bool,
    pub(super) is_warned: bool,
    /// How far the log was searched for pages that may have traces.
    pub(super) seen: Seen,
    /// How many pages the log had when [`Writer::shorten`] last checkpointed it.
    pub(super) tried: i64,
}

/// An erasure that is under way: deleted content is still in the log, or in pages of the file whose
/// new content is only in the log.
#[derive(Debug)]
pub(super) struct Erasing {
    since: Instant,
    at: Instant,
    again: Duration,
    is_reported: bool,
}

impl Erasing {
    /// When the log should be emptied next.
    pub(super) fn at(&self) -> Instant {
        self.at
    }
}

impl Writer {
    /// Notes that something was deleted. It is erased after [`GATHER`].
    pub(super) fn deleted(&mut self) {
        let since = Instant::now();
        self.log.erasing.get_or_insert(Erasing { since, at: since + GATHER, again: AGAIN, is_reported: false });
    }

    /// Notes that something was deleted, and erases it at once, if that is possible now.
    pub(super) fn redacted(&mut self) -> Result<(), Trouble> {
        self.deleted();
        let now = Instant::now();
        if let Some(erasing) = &mut self.log.erasing {
            erasing.at = now;
        }
        self.erase(now)
    }

    /// Empties the log, if something was deleted and the time for it has come.
    pub(super) fn erase(&mut self, now: Instant) -> Result<(), Trouble> {
        if self.log.erasing.as_ref().is_none_or(|erasing| now < erasing.at) {
            return Ok(());
        }
        let is_empty = self.checkpoint("TRUNCATE")?;
        let Some(erasing) = &mut self.log.erasing else { return Ok(()) };
        if is_empty {
            if erasing.is_reported {
                info!(message_id = ids::STORE, "removed text is erased from the recorded history");
            }
            self.log.erasing = None;
            return Ok(());
        }
        erasing.at = now + erasing.again;
        erasing.again = (erasing.again * 2).min(AGAIN_MOST);
        if now.duration_since(erasing.since) > ERASED_WITHIN && !erasing.is_reported {
            erasing.is_reported = true;
            let why = "another program, or a backup, reads an older state of it";
            warn!(
                message_id = ids::STORE,
                chathub_file = %self.path.display(),
                chathub_error = why,
                "removed text cannot be erased from the recorded history yet; it is tried until it can be{}",
                InWords(why)
            );
        }
        Ok(())
    }

    /// Checkpoints the log, if it has more than [`PAGES`] pages to move.
    pub(super) fn shorten(&mut self) -> Result<(), Trouble> {
        let Some(db) = &self.db else { return Ok(()) };
        let (pages, in_file): (i64, i64) =
            db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| Ok((row.get(1)?, row.get(2)?)))?;
        if pages < self.log.tried {
            // The log was begun anew.
            self.log.tried = 0;
        }
        if pages - in_file.max(self.log.tried) > PAGES {
            self.log.tried = pages;
            self.checkpoint("PASSIVE")?;
        }
        Ok(())
    }

    /// Erases traces in the log's pages, then checkpoints. Returns `false` if another reader or
    /// writer prevents it now.
    pub(super) fn checkpoint(&mut self, mode: &str) -> Result<bool, Trouble> {
        // No record must wait for the locks of other programs.
        self.wait_for_locks(Duration::ZERO)?;
        let done = self.checkpoint_now(mode);
        self.wait_for_locks(schema::LOCKED)?;
        match done {
            Err(trouble) if trouble.is_lock() => Ok(false),
            done => done,
        }
    }

    fn wait_for_locks(&self, time: Duration) -> Result<(), Trouble> {
        let db = self.db.as_ref().expect("the caller has looked");
        Ok(db.busy_timeout(time)?)
    }

    fn checkpoint_now(&mut self, mode: &str) -> Result<bool, Trouble> {
        let db = self.db.as_mut().expect("the caller has looked");
        if self.log.can_erase {
            // If `path` is a symbolic link, the log is beside the link's target.
            let log = beside(db.path().map_or(&*self.path, Path::new), "-wal");
            let (pages, seen) = traces::in_log(&log, self.log.seen)
                .map_err(|error| Trouble::Unavailable(format!("cannot read {}: {error}", log.display())))?;
            traces::erase(db, &pages)?;
            self.log.seen = seen;
        }
        let is_busy: bool = db.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(0))?;
        Ok(!is_busy)
    }
}
