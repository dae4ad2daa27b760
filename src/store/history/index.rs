//! The index of texts: which folded texts hold which three characters in a row.

use rusqlite::{Connection, params};

use crate::store::Trouble;
use crate::store::meta::{Meta, signed, unsigned};
use crate::store::step;
use crate::values::name;

/// Adds at most `count` of the lines that are not in the index. Whether there are more of them.
pub(in crate::store) fn add_some(db: &mut Connection, count: usize) -> Result<bool, Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    let mut last = None;
    {
        let mut find = step.prepare_cached("SELECT seq, text FROM lines WHERE seq > ? ORDER BY seq LIMIT ?")?;
        let mut add = step.prepare_cached("INSERT INTO words (rowid, text) VALUES (?, ?)")?;
        let mut rows = find.query(params![signed(meta.indexed), i64::try_from(count).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            add.execute(params![seq, name::fold(row.get_ref(1)?.as_str().unwrap_or(""))])?;
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

/// The query whose answers include all lines with `folded` in them; `None` if it is too short for the index.
pub(in crate::store) fn query(folded: &str) -> Option<String> {
    /// Of a long text, a few pieces tell it from nearly all others.
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
