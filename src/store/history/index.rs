//! The index of texts. It knows which groups of three characters in a row each line's folded text
//! has.
//!
//! The index has all lines up to number `meta.indexed`, except those that were redacted.

use rusqlite::{Connection, ErrorCode, params};

use super::kind;
use crate::store::Trouble;
use crate::store::meta::{Meta, signed, unsigned};
use crate::store::step;
use crate::values::name;

/// Adds at most `count` of the lines that are not in the index yet. Returns whether there are more
/// of them.
pub(in crate::store) fn add_some(db: &mut Connection, count: usize) -> Result<bool, Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    let mut last = None;
    {
        let mut find = step.prepare_cached("SELECT seq, kind, text FROM lines WHERE seq > ? ORDER BY seq LIMIT ?")?;
        let mut add = step.prepare_cached("INSERT INTO words (rowid, text) VALUES (?, ?)")?;
        let mut rows = find.query(params![signed(meta.indexed), i64::try_from(count).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if row.get::<_, i64>(1)? != kind::REDACTED {
                add.execute(params![seq, name::fold(row.get_ref(2)?.as_str().unwrap_or(""))])?;
            }
            last = Some(unsigned(seq));
        }
    }
    let Some(last) = last else { return Ok(false) };
    meta.indexed = last;
    meta.write(&step)?;
    step::reached("before indexed lines are committed");
    step.commit()?;
    Ok(last < meta.last_line)
}

/// The most lines that one step removes from the index. To remove a line takes about a millisecond,
/// a hundred times as long as to add one: each of its groups of characters is looked up and taken
/// out of a page.
pub(in crate::store) const REMOVED: usize = 50;

/// Whether to empty the index, instead of removing this many lines from it. Removing them would
/// take long, and an empty index is made again in small steps.
pub(in crate::store) fn is_better_anew(meta: &Meta, removed: u64) -> bool {
    meta.indexed > 0 && removed > 1000 && removed.saturating_mul(200) > meta.lines
}

/// Removes lines from the index, each with the text that it had when it was added. Lines that are
/// not in the index are passed over. Part of the caller's transaction.
///
/// If the index does not match these texts, because another program has changed them, the index is
/// emptied, and made again later.
pub(in crate::store) fn remove<'a>(
    db: &Connection,
    meta: &mut Meta,
    lines: impl IntoIterator<Item = (u64, &'a str)>,
) -> Result<(), Trouble> {
    let mut remove = db.prepare_cached("INSERT INTO words (words, rowid, text) VALUES ('delete', ?, ?)")?;
    for (seq, text) in lines {
        if seq > meta.indexed {
            continue;
        }
        match remove.execute(params![signed(seq), name::fold(text)]) {
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::DatabaseCorrupt => {
                return empty(db, meta);
            }
            done => done?,
        };
    }
    Ok(())
}

/// Empties the index. Part of the caller's transaction.
pub(in crate::store) fn empty(db: &Connection, meta: &mut Meta) -> Result<(), Trouble> {
    db.execute("INSERT INTO words (words) VALUES ('delete-all')", [])?;
    meta.indexed = 0;
    Ok(())
}

/// A query that finds all lines with `folded` in their folded texts, and some others. `None` if
/// `folded` is too short for the index.
pub(in crate::store) fn query(folded: &str) -> Option<String> {
    /// The number of groups of characters to ask for, roughly: a few groups distinguish a long text
    /// from nearly all others.
    const PIECES: usize = 12;
    let chars: Vec<char> = folded.chars().collect();
    let pieces: Vec<String> = chars
        .windows(3)
        .filter(|piece| !piece.contains(&'\0'))
        .step_by((chars.len() / PIECES).max(1))
        .map(|piece| format!("\"{}\"", piece.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    (!pieces.is_empty()).then(|| pieces.join(" AND "))
}
