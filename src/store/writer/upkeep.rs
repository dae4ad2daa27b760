//! Work of the writer that can wait: indexing lines, and deleting old ones. It is done in small
//! steps with rests, so that it takes at most a quarter of a processor.

use std::time::{Duration, Instant};

use super::Writer;
use super::file::identity;
use crate::store::health::lock;
use crate::store::history::index;
use crate::store::history::retention::{self, Excess};
use crate::store::meta::Meta;
use crate::store::{Trouble, traces};
use crate::values::time::Wall;

/// How many lines one step indexes, deletes, or looks at for a redaction.
pub(super) const STEP: usize = 500;

/// How many pages of the file one step looks at for traces.
const SWEPT: u32 = 500;

/// How often the writer looks for lines to delete.
pub(super) const LOOK: Duration = Duration::from_secs(10);

/// How long the writer waits after a batch before it indexes the lines.
pub(super) const INDEX_AFTER: Duration = Duration::from_secs(2);

/// The upkeep takes at most one in `SHARE` of a processor's time.
const SHARE: u32 = 4;

impl Writer {
    /// Makes one step of the upkeep that is due, then rests three times as long as the step took.
    pub(super) fn upkeep(&mut self, now: Instant, wall: Wall) -> Result<(), Trouble> {
        self.erase(now)?;
        if now < self.rest_until {
            return Ok(());
        }
        let begin = Instant::now();
        if now >= self.look_at {
            self.look_at = now + LOOK;
            self.look(wall)?;
        } else if self.unindexed && self.redacting.is_none() {
            let db = self.db.as_mut().expect("the caller has looked");
            self.unindexed = index::add_some(db, STEP)?;
            self.measure()?;
        } else if let Some(from) = self.sweep {
            self.sweep(from)?;
        }
        self.rest_until = Instant::now() + begin.elapsed() * (SHARE - 1);
        Ok(())
    }

    /// Deletes some of the lines that are no longer kept, if there are any. Fails if the file is
    /// not in its place.
    fn look(&mut self, now: Wall) -> Result<(), Trouble> {
        if identity(&self.path) != self.file {
            return Err(Trouble::Unavailable("the file was moved, deleted, or replaced by another".to_owned()));
        }
        let db = self.db.as_mut().expect("the caller has looked");
        let excess = match self.many {
            0 => retention::excess(db, &self.settings, now)?,
            many => Some(Excess::Count(many)),
        };
        if let Some(excess) = excess {
            if let Some(due) = retention::prepare(db, &self.settings, excess)?
                && excess == Excess::Size
            {
                self.many = due;
            }
            let count = if Meta::read(db)?.indexed == 0 { STEP } else { index::REMOVED };
            let gone = retention::delete_some(db, excess, count as u64)?;
            self.many = if gone == 0 { 0 } else { self.many.saturating_sub(gone) };
            self.unindexed = true;
            self.rooms_left = true;
            self.deleted();
            // There may be more to delete.
            self.look_at = Instant::now();
            self.measure()?;
        } else if std::mem::take(&mut self.rooms_left) && retention::forget_rooms(db)? > 0 {
            self.deleted();
        }
        Ok(())
    }

    /// Erases the traces in some pages of a file that an older version wrote, from page `from` on.
    fn sweep(&mut self, from: u32) -> Result<(), Trouble> {
        let db = self.db.as_mut().expect("the caller has looked");
        let count: u32 = db.pragma_query_value(None, "page_count", |row| row.get(0))?;
        if from <= count && self.log.can_erase {
            let next = from.saturating_add(SWEPT);
            traces::erase(db, &(from..next).collect())?;
            self.sweep = Some(next);
            return Ok(());
        }
        self.sweep = None;
        if self.log.can_erase {
            let meta = Meta::read(db)?;
            Meta { swept: true, ..meta }.write(db)?;
        }
        self.deleted();
        Ok(())
    }

    /// Updates [`Health`](crate::store::Health) with the number of lines and bytes on disk.
    pub(super) fn measure(&mut self) -> Result<(), Trouble> {
        let db = self.db.as_ref().expect("the caller has looked");
        let meta = Meta::read(db)?;
        let bytes = retention::size(db)?;
        let mut health = lock(&self.health);
        (health.lines, health.bytes) = (meta.lines, bytes);
        (health.indexed, health.last_line) = (meta.indexed, meta.last_line);
        Ok(())
    }
}
