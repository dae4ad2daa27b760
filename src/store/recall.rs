//! Reading what a hub is told at its start, and what a damaged file still holds.

use rusqlite::{Connection, params};

use super::history::retention::{self, Kept};
use super::history::{COLUMNS, line};
use super::meta::{Meta, unsigned};
use super::{Trouble, accounts, lasting, memos, reports, sanctions};
use crate::hub::account::Account;
use crate::hub::archive::{Recalled, RecalledRoom};
use crate::hub::memo::Memo;
use crate::hub::message::Line;
use crate::hub::report::Report;
use crate::hub::sanction::Sanction;
use crate::settings;
use crate::values::id::RoomId;
use crate::values::time::Wall;

/// The most rooms that are recalled: those with the newest lines.
const RECALLED: usize = 64;

/// What a hub is told at its start.
pub(super) fn recall(db: &Connection, limits: &settings::History, now: Wall) -> Result<Recalled, Trouble> {
    let meta = Meta::read(db)?;
    let kept = retention::kept(db, limits, now)?;
    let mut open = db.prepare(
        "SELECT id, number, name, (SELECT max(seq) FROM lines WHERE lines.room = rooms.id) AS last
         FROM rooms WHERE closed = 0 AND last IS NOT NULL ORDER BY number = 0 DESC, last DESC LIMIT ?",
    )?;
    let found = open.query_map([RECALLED as i64], |row| {
        Ok((row.get::<_, i64>(0)?, RoomId(unsigned(row.get(1)?)), row.get::<_, String>(2)?))
    })?;
    let mut rooms = Vec::new();
    for room in found {
        let (row, room, name) = room?;
        rooms.push(RecalledRoom { room, name, lines: last_lines(db, row, limits, kept)? });
    }
    let Meta { last_line, last_room, last_session, .. } = meta;
    Ok(Recalled {
        last_line,
        last_room,
        last_session,
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

/// What can be read of a damaged file, from either end up to the damage.
#[derive(Debug, Default)]
pub(super) struct Rescued {
    pub(super) sanctions: Vec<Sanction>,
    pub(super) accounts: Vec<Account>,
    pub(super) reports: Vec<Report>,
    pub(super) memos: Vec<Memo>,
    /// Whether these are all sanctions and accounts.
    pub(super) whole: bool,
}

impl Rescued {
    pub(super) fn of(db: &Connection) -> Self {
        let mut this = Self { reports: reports::rescue(db), memos: memos::rescue(db), whole: true, ..Self::default() };
        let Self { sanctions, accounts, whole, .. } = &mut this;
        if sanctions::read(db, "ASC", sanctions).is_err() {
            *whole = false;
            let _ = sanctions::read(db, "DESC", sanctions);
            sanctions.sort_by_key(|ban| ban.id);
            sanctions.dedup_by_key(|ban| ban.id);
        }
        if accounts::read(db, "ASC", accounts).is_err() {
            *whole = false;
            let _ = accounts::read(db, "DESC", accounts);
            accounts.sort_by_key(|account| account.id);
            accounts.dedup_by_key(|account| account.id);
        }
        this
    }
}
