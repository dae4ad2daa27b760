//! How long lines are kept, how many, and in how many bytes.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::settings;
use crate::store::Trouble;
use crate::store::meta::{Meta, signed, unsigned};
use crate::store::step;
use crate::values::time::Wall;

/// Bytes in use in the file, without free pages.
pub(in crate::store) fn size(db: &Connection) -> Result<u64, Trouble> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (pages, free, page) = (number("page_count")?, number("freelist_count")?, number("page_size")?);
    Ok(unsigned((pages - free) * page))
}

/// Why lines are to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Excess {
    /// They were said before this time.
    Age(Wall),
    /// There are this many more lines than are kept.
    Count(u64),
    /// They take more bytes than they may.
    Size,
}

/// Why lines are to be deleted at `now`, if any are.
pub(in crate::store) fn excess(
    db: &Connection,
    limits: &settings::History,
    now: Wall,
) -> Result<Option<Excess>, Trouble> {
    if let Some(keep) = limits.keep {
        let before = now.before(keep);
        let sql = "SELECT 1 FROM lines WHERE at < ? LIMIT 1";
        if db.prepare_cached(sql)?.query_row([before.0], |_| Ok(())).optional()?.is_some() {
            return Ok(Some(Excess::Age(before)));
        }
    }
    let meta = Meta::read(db)?;
    if limits.keep_lines > 0 && meta.lines > limits.keep_lines {
        return Ok(Some(Excess::Count(meta.lines - limits.keep_lines)));
    }
    let too_large = size(db)? > limits.keep_bytes as u64 && meta.lines > 0;
    Ok(too_large.then_some(Excess::Size))
}

/// Deletes at most `count` lines, the oldest first, and gives some of the free pages back to the file system. How
/// many it has deleted.
pub(in crate::store) fn delete_some(db: &mut Connection, excess: Excess, count: u64) -> Result<u64, Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    let (sql, bound, most) = match excess {
        Excess::Age(before) => ("SELECT seq FROM lines WHERE at < ?1 ORDER BY at LIMIT ?2", before.0, count),
        Excess::Count(over) => ("SELECT seq FROM lines WHERE ?1 ORDER BY seq LIMIT ?2", 1, count.min(over)),
        Excess::Size => ("SELECT seq FROM lines WHERE ?1 ORDER BY seq LIMIT ?2", 1, count),
    };
    let seqs: Vec<i64> = step
        .prepare_cached(sql)?
        .query_map(params![bound, signed(most)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    {
        let mut line = step.prepare_cached("DELETE FROM lines WHERE seq = ?")?;
        let mut word = step.prepare_cached("DELETE FROM words WHERE rowid = ?")?;
        for seq in &seqs {
            line.execute([seq])?;
            if unsigned(*seq) <= meta.indexed {
                word.execute([seq])?;
            }
        }
    }
    meta.lines = meta.lines.saturating_sub(seqs.len() as u64);
    meta.write(&step)?;
    step::reached("before old lines are deleted");
    step.commit()?;
    // A few pages at a time: a page that is moved takes as long as one that is written.
    let mut vacuum = db.prepare_cached("PRAGMA incremental_vacuum(64)")?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(seqs.len() as u64)
}

/// Forgets closed rooms of which no line is left.
pub(in crate::store) fn forget_rooms(db: &Connection) -> Result<(), Trouble> {
    db.prepare_cached(
        "DELETE FROM rooms WHERE closed = 1 AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.room = rooms.id)",
    )?
    .execute([])?;
    Ok(())
}
