//! Memos on disk: messages that wait for people who are not here.

use rusqlite::{Connection, params};

use super::Trouble;
use super::meta::{signed, unsigned};
use crate::hub::memo::Memo;
use crate::values::id::{AccountId, MemoId, SessionId};
use crate::values::time::Wall;

/// All memos, the oldest first.
pub(super) fn all(db: &Connection) -> Result<Vec<Memo>, Trouble> {
    let mut memos = Vec::new();
    read(db, "ASC", &mut memos).map(|()| memos)
}

/// Appends the memos, `order` (ASC or DESC) by id, up to the first one that cannot be read.
pub(super) fn read(db: &Connection, order: &str, memos: &mut Vec<Memo>) -> Result<(), Trouble> {
    let sql = "SELECT id, at, recipient, sender, session, name, text FROM memos ORDER BY id";
    let mut found = db.prepare(&format!("{sql} {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        memos.push(Memo {
            id: MemoId(unsigned(row.get(0)?)),
            at: Wall(row.get(1)?),
            to: AccountId(unsigned(row.get(2)?)),
            from: row.get::<_, Option<i64>>(3)?.map(|id| AccountId(unsigned(id))),
            session: SessionId(unsigned(row.get(4)?)),
            name: row.get::<_, String>(5)?.into(),
            text: row.get::<_, String>(6)?.into(),
            unheard: false,
            origin: None,
        });
    }
    Ok(())
}

/// Writes a memo. Part of the caller's transaction.
pub(super) fn put(db: &Connection, memo: &Memo) -> Result<(), Trouble> {
    let sql =
        "INSERT OR REPLACE INTO memos (id, at, recipient, sender, session, name, text) VALUES (?, ?, ?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![
        signed(memo.id.0),
        memo.at.0,
        signed(memo.to.0),
        memo.from.map(|account| signed(account.0)),
        signed(memo.session.0),
        &*memo.name,
        &*memo.text
    ])?;
    Ok(())
}

/// Removes a memo. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, id: MemoId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM memos WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}
