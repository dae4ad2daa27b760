//! The one row of numbers that outlive the lines that they count.

use rusqlite::{Connection, Row, params};

use super::Trouble;

#[allow(clippy::cast_possible_wrap, reason = "SQLite's integers are signed, and no number gets that high")]
pub(super) fn signed(number: u64) -> i64 {
    number as i64
}

#[allow(clippy::cast_sign_loss, reason = "what is read was checked not to be negative")]
pub(super) fn unsigned(number: i64) -> u64 {
    number.max(0) as u64
}

/// The row of `meta`; schema.rs says what each number means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) last_line: u64,
    pub(super) last_room: u64,
    pub(super) last_session: u64,
    pub(super) lines: u64,
    pub(super) indexed: u64,
    pub(super) swept: bool,
}

impl Meta {
    pub(super) fn read(db: &Connection) -> Result<Self, Trouble> {
        let sql = "SELECT last_line, last_room, last_session, lines, indexed, swept FROM meta";
        let number = |row: &Row<'_>, at| row.get(at).map(unsigned);
        Ok(db.prepare_cached(sql)?.query_row([], |row| {
            Ok(Self {
                last_line: number(row, 0)?,
                last_room: number(row, 1)?,
                last_session: number(row, 2)?,
                lines: number(row, 3)?,
                indexed: number(row, 4)?,
                swept: row.get(5)?,
            })
        })?)
    }

    pub(super) fn write(&self, db: &Connection) -> Result<(), Trouble> {
        let sql = "UPDATE meta SET last_line = ?, last_room = ?, last_session = ?, lines = ?, indexed = ?, swept = ?";
        db.prepare_cached(sql)?.execute(params![
            signed(self.last_line),
            signed(self.last_room),
            signed(self.last_session),
            signed(self.lines),
            signed(self.indexed),
            self.swept
        ])?;
        Ok(())
    }
}
