//! Making lines unreadable.

use rusqlite::{Connection, params};

use super::find::{Order, Which, page};
use super::kind;
use crate::hub::archive::Selector;
use crate::hub::message::Said;
use crate::store::Trouble;
use crate::store::meta::{Meta, signed};
use crate::store::step;

/// Looks at `count` lines at most after line `from`, and makes those unreadable that `what` selects. The last line
/// that was looked at, if there may be more after it, and how many were made unreadable.
pub(in crate::store) fn some(
    db: &mut Connection,
    what: &Selector,
    from: u64,
    count: usize,
) -> Result<(Option<u64>, u64), Trouble> {
    let step = db.transaction()?;
    let indexed = Meta::read(&step)?.indexed;
    let page = page(&step, Which { what, row: None }, Order::OldestFirst, Some(from), count)?;
    let readable = page.lines.iter().filter(|(line, _)| line.said != Said::Redacted);
    let seqs: Vec<u64> = readable.map(|(line, _)| line.seq).collect();
    {
        let sql = "UPDATE lines SET kind = ?, author = NULL, nick = '', text = '' WHERE seq = ?";
        let mut line = step.prepare_cached(sql)?;
        let mut word = step.prepare_cached("DELETE FROM words WHERE rowid = ?")?;
        for seq in &seqs {
            line.execute(params![kind::REDACTED, signed(*seq)])?;
            if *seq <= indexed {
                word.execute([signed(*seq)])?;
            }
        }
    }
    step::reached("before redacted lines are committed");
    step.commit()?;
    Ok((page.next, seqs.len() as u64))
}
