//! Reads the state that a hub needs at its start, and rescues data from a damaged file.

use rusqlite::{Connection, params};

use super::history::retention::{self, Kept};
use super::history::{COLUMNS, line};
use super::meta::{Meta, unsigned};
use super::{Trouble, accounts, lasting, memos, reports, sanctions};
use crate::hub::account::Account;
use crate::hub::archive::{Recalled, RecalledRoom};
use crate::hub::lasting::Lasting;
use crate::hub::memo::Memo;
use crate::hub::message::Line;
use crate::hub::report::Report;
use crate::hub::sanction::Sanction;
use crate::settings;
use crate::values::id::RoomId;
use crate::values::time::Wall;

/// The most rooms whose lines are recalled: those with the newest lines.
const RECALLED: usize = 64;

/// Reads the state that a hub needs at its start.
pub(super) fn recall(db: &Connection, limits: &settings::History, now: Wall) -> Result<Recalled, Trouble> {
    let meta = Meta::read(db)?;
    let kept = retention::kept(db, limits, now)?;
    let mut open = db.prepare(
        "SELECT id, number, name, encrypted, (SELECT max(seq) FROM lines WHERE lines.room = rooms.id) AS last
         FROM rooms WHERE closed = 0 AND last IS NOT NULL ORDER BY number = 0 DESC, last DESC LIMIT ?",
    )?;
    let found = open.query_map([RECALLED as i64], |row| {
        let encrypted = unsigned(row.get(3)?);
        Ok((row.get::<_, i64>(0)?, RoomId(unsigned(row.get(1)?)), row.get::<_, String>(2)?, encrypted))
    })?;
    let mut rooms = Vec::new();
    for room in found {
        let (row, room, name, encrypted) = room?;
        let plain_from = if encrypted > 0 { encrypted + 1 } else { 0 };
        rooms.push(RecalledRoom { room, name, lines: last_lines(db, row, limits, kept)?, plain_from });
    }
    let Meta { last_line, last_room, last_session, last_sanction, last_account, last_report, last_memo, .. } = meta;
    Ok(Recalled {
        last_line,
        last_room,
        last_session,
        last_sanction,
        last_account,
        last_report,
        last_memo,
        sanctions: sanctions::all(db)?,
        accounts: accounts::all(db)?,
        reports: reports::all(db)?,
        memos: memos::all(db)?,
        lasting: lasting::all(db)?,
        unread: false,
        rooms,
    })
}

fn last_lines(db: &Connection, room: i64, limits: &settings::History, kept: Kept) -> Result<Vec<Line>, Trouble> {
    let sql = format!(
        "SELECT {COLUMNS} FROM lines l WHERE l.room = ? AND l.seq > ? AND l.at >= ? ORDER BY l.seq DESC LIMIT ?"
    );
    let mut found = db.prepare_cached(&sql)?;
    let mut rows =
        found.query(params![room, kept.after, kept.since.0, i64::try_from(limits.lines).unwrap_or(i64::MAX)])?;
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let line = line(row)?;
        bytes += line.said.text().len();
        if bytes > limits.bytes {
            break;
        }
        lines.push(line);
    }
    lines.reverse();
    Ok(lines)
}

/// What can be read of a damaged file, except lines.
#[derive(Debug, Default)]
pub(super) struct Rescued {
    pub(super) sanctions: Vec<Sanction>,
    pub(super) accounts: Vec<Account>,
    pub(super) reports: Vec<Report>,
    pub(super) memos: Vec<Memo>,
    pub(super) lasting: Vec<Lasting>,
    /// The highest numbers that were ever given; `None` if they cannot be read.
    pub(super) meta: Option<Meta>,
    /// Whether nothing is missing.
    pub(super) whole: bool,
}

/// Reads what can be read of each table: from either end up to the damage.
pub(super) fn rescue(db: &Connection) -> Rescued {
    let mut whole = true;
    let sanctions = from_both_ends(|order, found| sanctions::read(db, order, found), |one| one.id, &mut whole);
    let accounts = from_both_ends(|order, found| accounts::read(db, order, found), |one| one.id, &mut whole);
    let reports = from_both_ends(|order, found| reports::read(db, order, found), |one| one.id, &mut whole);
    let memos = from_both_ends(|order, found| memos::read(db, order, found), |one| one.id, &mut whole);
    let name = |room: &Lasting| room.name.folded().to_owned();
    let mut lasting = from_both_ends(|order, found| lasting::read(db, order, found), name, &mut whole);
    lasting.sort_by_key(|room| room.since);
    Rescued { sanctions, accounts, reports, memos, lasting, meta: Meta::read(db).ok(), whole }
}

/// All rows of a table. If one of them cannot be read, returns the rows before it and, read
/// backwards, the rows after it: each once, in the order of `key`. Then `whole` is set to `false`.
fn from_both_ends<T, K: Ord>(
    read: impl Fn(&str, &mut Vec<T>) -> Result<(), Trouble>,
    key: impl Fn(&T) -> K,
    whole: &mut bool,
) -> Vec<T> {
    let mut found = Vec::new();
    if read("ASC", &mut found).is_err() {
        *whole = false;
        let _ = read("DESC", &mut found);
        found.sort_by_key(&key);
        found.dedup_by_key(|one| key(one));
    }
    found
}
