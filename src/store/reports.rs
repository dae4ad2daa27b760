//! Reports on disk.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::Trouble;
use super::meta::{signed, unsigned};
use crate::hub::report::{Closed, Party, Report};
use crate::hub::sanction::Author;
use crate::values::id::{AccountId, ReportId, RoomId, SessionId};
use crate::values::time::Wall;

/// All reports, the oldest first.
pub(super) fn all(db: &Connection) -> Result<Vec<Report>, Trouble> {
    let mut reports = Vec::new();
    read(db, "ASC", &mut reports).map(|()| reports)
}

/// Appends the reports, `order` (ASC or DESC) by id, up to the first one that cannot be read.
pub(super) fn read(db: &Connection, order: &str, reports: &mut Vec<Report>) -> Result<(), Trouble> {
    let sql = "SELECT id, at, last, times, by_name, by_account, by_session, shadow, about_name, about_account,
        about_session, room, room_name, reason, lines, closed, closed_by, closed_account, note FROM reports ORDER BY id";
    let mut found = db.prepare(&format!("{sql} {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column: usize| row.get::<_, Option<String>>(column).map(|text| text.map(Arc::<str>::from));
        let reason = text(13)?;
        let closed = match row.get::<_, Option<i64>>(15)? {
            None => None,
            Some(at) => {
                let by = match (row.get::<_, Option<i64>>(16)?, text(17)?) {
                    (_, Some(name)) => Author::Account(name),
                    (uid, None) => uid.and_then(|uid| u32::try_from(uid).ok()).map_or(Author::Hub, Author::Uid),
                };
                Some(Closed { by, at: Wall(at), note: text(18)? })
            }
        };
        let mut lines: Vec<u64> =
            row.get::<_, String>(14)?.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        lines.sort_unstable();
        lines.dedup();
        reports.push(Report {
            id: ReportId(unsigned(row.get(0)?)),
            at: Wall(row.get(1)?),
            last: Wall(row.get(2)?),
            times: row.get::<_, i64>(3)?.try_into().unwrap_or(u32::MAX),
            by: party(row, 4)?,
            shadow: row.get::<_, i64>(7)? != 0,
            about: party(row, 8)?,
            room: RoomId(unsigned(row.get(11)?)),
            room_name: row.get::<_, String>(12)?.into(),
            erased: reason.is_none(),
            reason: reason.unwrap_or_else(|| "".into()),
            lines,
            origin: None,
            closed,
        });
    }
    Ok(())
}

/// A party of a report: name, account and client, in three columns from `column` on.
fn party(row: &Row<'_>, column: usize) -> rusqlite::Result<Party> {
    Ok(Party {
        name: row.get::<_, String>(column)?.into(),
        account: row.get::<_, Option<i64>>(column + 1)?.map(|id| AccountId(unsigned(id))),
        session: SessionId(unsigned(row.get(column + 2)?)),
    })
}

/// Writes a report. Part of the caller's transaction.
pub(super) fn put(db: &Connection, report: &Report) -> Result<(), Trouble> {
    let sql =
        "INSERT OR REPLACE INTO reports (id, at, last, times, by_name, by_account, by_session, shadow, about_name,
            about_account, about_session, room, room_name, reason, lines, closed, closed_by, closed_account, note)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (uid, account) = match report.closed.as_ref().map(|closed| &closed.by) {
        Some(Author::Uid(uid)) => (Some(i64::from(*uid)), None),
        Some(Author::Account(name)) => (Some(-1), Some(&**name)),
        Some(Author::Hub) => (Some(-1), None),
        None => (None, None),
    };
    let lines: Vec<String> = report.lines.iter().map(u64::to_string).collect();
    let Report { by, about, closed, .. } = report;
    db.prepare_cached(sql)?.execute(params![
        signed(report.id.0),
        report.at.0,
        report.last.0,
        i64::from(report.times),
        &*by.name,
        by.account.map(|account| signed(account.0)),
        signed(by.session.0),
        i64::from(report.shadow),
        &*about.name,
        about.account.map(|account| signed(account.0)),
        signed(about.session.0),
        signed(report.room.0),
        &*report.room_name,
        (!report.erased).then_some(&*report.reason),
        lines.join(" "),
        closed.as_ref().map(|closed| closed.at.0),
        uid,
        account,
        closed.as_ref().and_then(|closed| closed.note.as_deref())
    ])?;
    Ok(())
}

/// Removes a report. Part of the caller's transaction.
pub(super) fn remove(db: &Connection, id: ReportId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM reports WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}
