//! The one row of `meta`: numbers that must be known even when the rows that had them are gone.

use rusqlite::{Connection, Row, params};

use super::Trouble;
use crate::hub::archive::Record;

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
    pub(super) last_sanction: u64,
    pub(super) last_account: u64,
    pub(super) last_report: u64,
    pub(super) last_memo: u64,
    pub(super) lines: u64,
    pub(super) indexed: u64,
    pub(super) swept: bool,
}

impl Meta {
    pub(super) fn read(db: &Connection) -> Result<Self, Trouble> {
        let sql = "SELECT last_line, last_room, last_session, lines, indexed, swept, last_sanction, last_account,
            last_report, last_memo FROM meta";
        let number = |row: &Row<'_>, at| row.get(at).map(unsigned);
        Ok(db.prepare_cached(sql)?.query_row([], |row| {
            Ok(Self {
                last_line: number(row, 0)?,
                last_room: number(row, 1)?,
                last_session: number(row, 2)?,
                lines: number(row, 3)?,
                indexed: number(row, 4)?,
                swept: row.get(5)?,
                last_sanction: number(row, 6)?,
                last_account: number(row, 7)?,
                last_report: number(row, 8)?,
                last_memo: number(row, 9)?,
            })
        })?)
    }

    /// Notes the number that a record was given, so that no later record is given the same, even if
    /// this one is removed.
    pub(super) fn gave(&mut self, record: &Record) {
        let (last, number) = match record {
            Record::Given(id) => (&mut self.last_session, id.0),
            Record::Sanction(sanction) => (&mut self.last_sanction, sanction.id.0),
            Record::Account(account) => (&mut self.last_account, account.id.0),
            Record::Report(report) => (&mut self.last_report, report.id.0),
            Record::Memo(memo) => (&mut self.last_memo, memo.id.0),
            // The numbers of lines and rooms are noted where lines are written.
            Record::Line { .. }
            | Record::Closed { .. }
            | Record::Lifted(_)
            | Record::Unaccount(_)
            | Record::Lasting(_)
            | Record::Passing(_)
            | Record::Unreport(_)
            | Record::Unmemo(_)
            | Record::Redact(_) => return,
        };
        *last = (*last).max(number);
    }

    /// Has the transaction write something in any case. SQLite writes nothing for a row that stays
    /// as it is, and then does not wait for the disk. But the author of a deed must wait equally
    /// long whether the deed changes a row or not: otherwise somebody with a shadow mute could tell
    /// from the delay that nobody hears the deed.
    pub(super) fn touch(db: &Connection) -> Result<(), Trouble> {
        let mut swap = db.prepare_cached("UPDATE meta SET swept = NOT swept")?;
        for _ in 0..2 {
            swap.execute([])?;
        }
        Ok(())
    }

    pub(super) fn write(&self, db: &Connection) -> Result<(), Trouble> {
        let sql = "UPDATE meta SET last_line = ?, last_room = ?, last_session = ?, lines = ?, indexed = ?, swept = ?,
            last_sanction = ?, last_account = ?, last_report = ?, last_memo = ?";
        db.prepare_cached(sql)?.execute(params![
            signed(self.last_line),
            signed(self.last_room),
            signed(self.last_session),
            signed(self.lines),
            signed(self.indexed),
            self.swept,
            signed(self.last_sanction),
            signed(self.last_account),
            signed(self.last_report),
            signed(self.last_memo)
        ])?;
        Ok(())
    }
}
