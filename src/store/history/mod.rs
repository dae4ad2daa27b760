//! Lines on disk: writing, finding, redacting and deleting them.
//!
//! | to change | see |
//! | --- | --- |
//! | the form of a line in its row; writing lines, closing rooms | this file |
//! | the index of texts | `index` |
//! | reading the lines that are asked for, page by page | `find` |
//! | how long lines are kept, how many, in how many bytes | `retention` |
//! | redacting lines | `redact` |
//!
//! Each function is one step, in a transaction of its own or in the caller's. No step takes long:
//! long work is done in many steps, with other work of the writer between them. These functions do
//! not know when a step is due (the writer decides that), nor who may read or redact a line.

pub(super) mod find;
pub(super) mod index;
pub(super) mod redact;
pub(super) mod retention;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::Trouble;
use super::meta::{Meta, signed, unsigned};
use crate::hub::ignore::Borne;
use crate::hub::message::{Line, Said};
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::time::Wall;

/// The numbers of the kinds of lines on disk. A number never changes its meaning.
mod kind {
    pub(super) const SAY: i64 = 0;
    pub(super) const EMOTE: i64 = 1;
    pub(super) const NOTICE: i64 = 2;
    pub(super) const TOPIC: i64 = 3;
    pub(super) const REDACTED: i64 = 4;
}

/// The columns of a line, for [`line()`].
pub(super) const COLUMNS: &str = "l.seq, l.at, l.kind, l.author, l.nick, l.text";

/// Reads a line from a row of [`COLUMNS`]. Any text is accepted, even if another program has put it
/// there: all text is cleaned on its way to a screen.
pub(super) fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let nick: Arc<str> = row.get::<_, String>(4)?.into();
    let text: Arc<str> = row.get::<_, String>(5)?.into();
    let said = match row.get(2)? {
        kind::EMOTE => Said::Emote { nick, text },
        kind::NOTICE => Said::Notice { text },
        kind::TOPIC => Said::Topic { nick: (!nick.is_empty()).then_some(nick), text },
        kind::REDACTED => Said::Redacted,
        _ => Said::Say { nick, text },
    };
    let author = row.get::<_, Option<i64>>(3)?.map(|author| SessionId(unsigned(author)));
    let (seq, at, borne) = (unsigned(row.get(0)?), Wall(row.get(1)?), Borne::default());
    Ok(Line { seq, at, author, said, borne, apart: None, origin: None })
}

/// Remembers the ids in `rooms` of the rooms that lines were written to lately.
#[derive(Debug, Default)]
pub(super) struct Rooms(HashMap<(RoomId, Box<str>), i64>);

impl Rooms {
    /// The most ids that are remembered. At that number all are forgotten.
    const KNOWN: usize = 4096;

    fn row(&mut self, db: &Connection, room: RoomId, name: &Name) -> Result<i64, Trouble> {
        let key = (room, name.folded().into());
        if let Some(row) = self.0.get(&key) {
            return Ok(*row);
        }
        if self.0.len() >= Self::KNOWN {
            self.0.clear();
        }
        let sql = "INSERT INTO rooms (number, name, folded, closed) VALUES (?, ?, ?, 0)
                   ON CONFLICT (number, folded) DO UPDATE SET name = excluded.name RETURNING id";
        let row = db
            .prepare_cached(sql)?
            .query_row(params![signed(room.0), name.shown(), name.folded()], |row| row.get(0))?;
        self.0.insert(key, row);
        Ok(row)
    }

    /// Forgets all ids: call it after a transaction that may have been rolled back.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Where a line was said.
#[derive(Clone, Copy, Debug)]
pub(super) struct InRoom<'a> {
    pub(super) room: RoomId,
    pub(super) name: &'a Name,
    /// Whether the room was encrypted then.
    pub(super) encrypted: bool,
}

/// Writes a line, unless one with its number is there. Part of the caller's transaction.
pub(super) fn append(
    db: &Connection,
    rooms: &mut Rooms,
    meta: &mut Meta,
    InRoom { room, name, encrypted }: InRoom<'_>,
    line: &Line,
) -> Result<(), Trouble> {
    let kind = match &line.said {
        Said::Say { .. } => kind::SAY,
        Said::Emote { .. } => kind::EMOTE,
        Said::Notice { .. } => kind::NOTICE,
        Said::Topic { .. } => kind::TOPIC,
        Said::Redacted => kind::REDACTED,
        // Lines of these kinds are not recorded.
        Said::Joined { .. } | Said::Left { .. } | Said::Renamed { .. } | Said::Gathered { .. } => return Ok(()),
    };
    let row = rooms.row(db, room, name)?;
    let author = line.author.map(|author| signed(author.0));
    let sql = "INSERT INTO lines (seq, at, room, kind, author, nick, text) VALUES (?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (seq) DO NOTHING";
    let new = db.prepare_cached(sql)?.execute(params![
        signed(line.seq),
        line.at.0,
        row,
        kind,
        author,
        line.said.nick(),
        line.said.text()
    ])?;
    if encrypted {
        db.prepare_cached("UPDATE rooms SET encrypted = max(encrypted, ?) WHERE id = ?")?
            .execute(params![signed(line.seq), row])?;
    }
    meta.lines += new as u64;
    meta.last_line = meta.last_line.max(line.seq);
    meta.last_room = meta.last_room.max(room.0);
    // What other hubs' people are numbered by is never given here.
    let author = line.author.filter(|author| !author.is_remote());
    meta.last_session = meta.last_session.max(author.map_or(0, |author| author.0));
    Ok(())
}

/// Marks a room as closed: a later room of the same name does not show its lines. Part of the
/// caller's transaction.
pub(super) fn close_room(db: &Connection, room: RoomId, name: &Name) -> Result<(), Trouble> {
    db.prepare_cached("UPDATE rooms SET closed = 1 WHERE number = ? AND folded = ?")?
        .execute(params![signed(room.0), name.folded()])?;
    Ok(())
}
