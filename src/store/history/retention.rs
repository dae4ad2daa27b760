//! Which lines are kept: by age, by number, and by the size of the file.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{index, kind};
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

/// Why lines must be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Excess {
    /// There are lines that were said before this time.
    Age(Wall),
    /// There are this many lines more than `history.keep_lines`.
    Count(u64),
    /// The file has more bytes than `history.keep_bytes`.
    Size,
}

/// Which lines are kept, by age and number. Other lines may still be on disk, but nobody is shown
/// them.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Kept {
    /// Kept lines were said at this time or later,
    pub(in crate::store) since: Wall,
    /// and their number is higher than this.
    pub(in crate::store) after: i64,
}

/// Which lines are kept at `now`.
pub(in crate::store) fn kept(db: &Connection, limits: &settings::History, now: Wall) -> Result<Kept, Trouble> {
    let since = limits.keep.map_or(Wall(i64::MIN), |keep| before(keep, now));
    let mut after = i64::MIN;
    if limits.keep_lines > 0 && Meta::read(db)?.lines > limits.keep_lines {
        let sql = "SELECT seq FROM lines ORDER BY seq DESC LIMIT 1 OFFSET ?";
        after = db
            .prepare_cached(sql)?
            .query_row([signed(limits.keep_lines)], |row| row.get(0))
            .optional()?
            .unwrap_or(after);
    }
    Ok(Kept { since, after })
}

/// Lines that were said before this time are no longer kept at `now`.
pub(in crate::store) fn before(keep: Duration, now: Wall) -> Wall {
    Wall(now.0.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)))
}

/// The reason to delete lines at `now`; `None` if there is none.
pub(in crate::store) fn excess(
    db: &Connection,
    limits: &settings::History,
    now: Wall,
) -> Result<Option<Excess>, Trouble> {
    if let Some(keep) = limits.keep {
        let before = before(keep, now);
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

/// How many lines must be deleted. Of lines that are too old, at most 100,000 are counted.
fn due(db: &Connection, limits: &settings::History, excess: Excess, meta: &Meta) -> Result<u64, Trouble> {
    Ok(match excess {
        Excess::Age(before) => {
            let sql = "SELECT count(*) FROM (SELECT 1 FROM lines WHERE at < ? LIMIT 100000)";
            unsigned(db.prepare_cached(sql)?.query_row([before.0], |row| row.get(0))?)
        }
        Excess::Count(over) => over,
        Excess::Size => {
            let size = size(db)?.max(1);
            let over = size.saturating_sub(limits.keep_bytes as u64);
            u64::try_from(u128::from(meta.lines) * u128::from(over) / u128::from(size)).unwrap_or(u64::MAX)
        }
    })
}

/// Empties the index if that is better than removing the lines to be deleted from it
/// ([`index::is_better_anew`]). Returns how many lines must then be deleted; `None` if the index
/// stays. All of these are deleted, even if the file is small enough without the index: it must
/// also be small enough with the new one.
pub(in crate::store) fn prepare(
    db: &mut Connection,
    limits: &settings::History,
    excess: Excess,
) -> Result<Option<u64>, Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    let due = due(&step, limits, excess, &meta)?;
    if !index::is_better_anew(&meta, due) {
        return Ok(None);
    }
    index::empty(&step, &mut meta)?;
    meta.write(&step)?;
    step.commit()?;
    Ok(Some(due))
}

/// Deletes at most `count` lines, the oldest first, and gives some free pages back to the file
/// system. Returns how many lines it deleted.
pub(in crate::store) fn delete_some(db: &mut Connection, excess: Excess, count: u64) -> Result<u64, Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    let (sql, bound, most) = match excess {
        Excess::Age(before) => {
            ("SELECT seq, kind, text FROM lines WHERE at < ?1 ORDER BY at LIMIT ?2", before.0, count)
        }
        Excess::Count(over) => ("SELECT seq, kind, text FROM lines WHERE ?1 ORDER BY seq LIMIT ?2", 1, count.min(over)),
        Excess::Size => ("SELECT seq, kind, text FROM lines WHERE ?1 ORDER BY seq LIMIT ?2", 1, count),
    };
    // The text from which the line's entries in the index were made.
    let text = |row: &Row<'_>| Ok::<_, rusqlite::Error>(row.get_ref(2)?.as_str().unwrap_or("").to_owned());
    let gone: Vec<(i64, i64, String)> = step
        .prepare_cached(sql)?
        .query_map(params![bound, signed(most)], |row| Ok((row.get(0)?, row.get(1)?, text(row)?)))?
        .collect::<Result<_, _>>()?;
    {
        let mut delete = step.prepare_cached("DELETE FROM lines WHERE seq = ?")?;
        for (seq, ..) in &gone {
            delete.execute([seq])?;
        }
    }
    let readable = gone.iter().filter(|(_, kind, _)| *kind != kind::REDACTED);
    index::remove(&step, &mut meta, readable.map(|(seq, _, text)| (unsigned(*seq), text.as_str())))?;
    meta.lines = meta.lines.saturating_sub(gone.len() as u64);
    meta.write(&step)?;
    step::reached("before old lines are deleted");
    step.commit()?;
    // Only a few pages at a time: moving a page takes as long as writing it.
    let mut vacuum = db.prepare_cached("PRAGMA incremental_vacuum(64)")?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(gone.len() as u64)
}

/// Deletes closed rooms that have no lines any more. Returns how many.
pub(in crate::store) fn forget_rooms(db: &Connection) -> Result<usize, Trouble> {
    let forgotten = db
        .prepare_cached(
            "DELETE FROM rooms WHERE closed = 1 AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.room = rooms.id)",
        )?
        .execute([])?;
    Ok(forgotten)
}
