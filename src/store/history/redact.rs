//! Redacting lines: their texts and authors are removed.

use rusqlite::{Connection, params};

use super::find::{Order, Which, page};
use super::{index, kind};
use crate::hub::archive::Selector;
use crate::hub::message::{Line, Said};
use crate::store::Trouble;
use crate::store::meta::{Meta, signed};
use crate::store::step;

/// One step of a redaction: looks at `count` lines at most after line `from`, and redacts those
/// that `what` selects. `found` is how many lines the earlier steps have redacted. Returns the last
/// line that was looked at (`None` if there are no more lines), and how many lines this step has
/// redacted.
pub(in crate::store) fn some(
    db: &mut Connection,
    what: &Selector,
    (from, found): (u64, u64),
    count: usize,
) -> Result<(Option<u64>, u64), Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    if index::is_better_anew(&meta, found) {
        index::empty(&step, &mut meta)?;
        meta.write(&step)?;
    }
    let most = if meta.indexed > 0 { index::REMOVED } else { count };
    let page = page(&step, Which { what, row: None }, Order::OldestFirst, Some(from), count)?;
    let all = page.lines.iter().map(|(line, _)| line).filter(|line| line.said != Said::Redacted);
    let readable: Vec<&Line> = all.clone().take(most).collect();
    // If the page has more lines than this step redacts, the next step looks at the rest again.
    let next = if all.count() > readable.len() { readable.last().map(|line| line.seq) } else { page.next };
    {
        let sql = "UPDATE lines SET kind = ?, author = NULL, nick = '', text = '' WHERE seq = ?";
        let mut redact = step.prepare_cached(sql)?;
        for line in &readable {
            redact.execute(params![kind::REDACTED, signed(line.seq)])?;
        }
    }
    index::remove(&step, &mut meta, readable.iter().map(|line| (line.seq, line.said.text())))?;
    meta.write(&step)?;
    step::reached("before redacted lines are committed");
    step.commit()?;
    Ok((next, readable.len() as u64))
}
