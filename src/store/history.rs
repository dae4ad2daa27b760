//! Lines on disk: written, found, left behind, removed.
//!
//! Each function is one step, in a transaction of its own or in the caller's. None takes long: what is
//! long is done in many steps, and others come in between.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::Trouble;
use crate::hub::account::{Account, Hashed, Role};
use crate::hub::archive::{Recalled, RecalledRoom, Selector};
use crate::hub::ignore::Borne;
use crate::hub::message::{Line, Said};
use crate::hub::moderation::{Author, Ban, Target};
use crate::settings;
use crate::values::id::AccountId;
use crate::values::id::BanId;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::time::Wall;

/// How the kinds of lines are told apart on disk. Never changed.
mod kind {
    pub(super) const SAY: i64 = 0;
    pub(super) const EMOTE: i64 = 1;
    pub(super) const NOTICE: i64 = 2;
    pub(super) const TOPIC: i64 = 3;
    pub(super) const REDACTED: i64 = 4;
}

/// Rooms that are recalled at a start at most: those spoken in last.
const RECALLED: usize = 64;

/// Columns of a line, for [`line`].
const COLUMNS: &str = "l.seq, l.at, l.kind, l.author, l.nick, l.text";

/// A step of the writer, so that tests can look at the disk between any two.
pub(super) fn step(name: &str) {
    #[cfg(test)]
    super::writer::tests::at(name);
    let _ = name;
}

#[allow(clippy::cast_possible_wrap, reason = "SQLite's integers are signed, and no number gets that high")]
pub(super) fn signed(number: u64) -> i64 {
    number as i64
}

#[allow(clippy::cast_sign_loss, reason = "what is read was checked not to be negative")]
pub(super) fn unsigned(number: i64) -> u64 {
    number.max(0) as u64
}

/// Reads a line from a row of [`COLUMNS`]. Whatever stands there is a line: what another program has
/// changed is cleaned on its way to a screen as all else is.
fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
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
    Ok(Line { seq: unsigned(row.get(0)?), at: Wall(row.get(1)?), author, said, borne: Borne::default() })
}

/// What stands in the row of `meta`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) last_line: u64,
    pub(super) last_room: u64,
    pub(super) last_session: u64,
    pub(super) lines: u64,
    pub(super) indexed: u64,
}

impl Meta {
    pub(super) fn read(db: &Connection) -> Result<Self, Trouble> {
        let sql = "SELECT last_line, last_room, last_session, lines, indexed FROM meta";
        let number = |row: &Row<'_>, at| row.get(at).map(unsigned);
        Ok(db.prepare_cached(sql)?.query_row([], |row| {
            Ok(Self {
                last_line: number(row, 0)?,
                last_room: number(row, 1)?,
                last_session: number(row, 2)?,
                lines: number(row, 3)?,
                indexed: number(row, 4)?,
            })
        })?)
    }

    pub(super) fn write(&self, db: &Connection) -> Result<(), Trouble> {
        let sql = "UPDATE meta SET last_line = ?, last_room = ?, last_session = ?, lines = ?, indexed = ?";
        db.prepare_cached(sql)?.execute(params![
            signed(self.last_line),
            signed(self.last_room),
            signed(self.last_session),
            signed(self.lines),
            signed(self.indexed)
        ])?;
        Ok(())
    }
}

/// The rows of rooms that were written to lately.
#[derive(Debug, Default)]
pub(super) struct Rooms(HashMap<(RoomId, Box<str>), i64>);

impl Rooms {
    /// More than these are looked up again.
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

    /// After a transaction that came to nothing.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// Writes a line, unless it is there. Part of the caller's transaction.
pub(super) fn append(
    db: &Connection,
    rooms: &mut Rooms,
    meta: &mut Meta,
    (room, name): (RoomId, &Name),
    line: &Line,
) -> Result<(), Trouble> {
    let kind = match &line.said {
        Said::Say { .. } => kind::SAY,
        Said::Emote { .. } => kind::EMOTE,
        Said::Notice { .. } => kind::NOTICE,
        Said::Topic { .. } => kind::TOPIC,
        Said::Redacted => kind::REDACTED,
        // Of no kind that is kept.
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
    meta.lines += new as u64;
    meta.last_line = meta.last_line.max(line.seq);
    meta.last_room = meta.last_room.max(room.0);
    meta.last_session = meta.last_session.max(line.author.map_or(0, |author| author.0));
    Ok(())
}

/// A room is not shown again to who opens one of its name. Part of the caller's transaction.
pub(super) fn close_room(db: &Connection, room: RoomId, name: &Name) -> Result<(), Trouble> {
    db.prepare_cached("UPDATE rooms SET closed = 1 WHERE number = ? AND folded = ?")?
        .execute(params![signed(room.0), name.folded()])?;
    Ok(())
}

/// What a hub is told at its start.
pub(super) fn recall(db: &Connection, limits: &settings::History) -> Result<Recalled, Trouble> {
    let meta = Meta::read(db)?;
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
        rooms.push(RecalledRoom { room, name, lines: last_lines(db, row, limits)? });
    }
    let Meta { last_line, last_room, last_session, .. } = meta;
    Ok(Recalled { last_line, last_room, last_session, bans: bans(db)?, accounts: accounts(db)?, unread: false, rooms })
}

/// All bans, by age. One that makes no sense is passed over.
pub(super) fn bans(db: &Connection) -> Result<Vec<Ban>, Trouble> {
    let mut bans = Vec::new();
    add_bans(db, "ASC", &mut bans).map(|()| bans)
}

/// What can be read of a file in which something makes no sense: the bans and accounts from either end up to
/// there, and whether these are all.
pub(super) fn rescue(db: &Connection) -> (Vec<Ban>, Vec<Account>, bool) {
    let (mut bans, mut accounts) = (Vec::new(), Vec::new());
    let mut whole = true;
    if add_bans(db, "ASC", &mut bans).is_err() {
        whole = false;
        let _ = add_bans(db, "DESC", &mut bans);
        bans.sort_by_key(|ban| ban.id);
        bans.dedup_by_key(|ban| ban.id);
    }
    if add_accounts(db, "ASC", &mut accounts).is_err() {
        whole = false;
        let _ = add_accounts(db, "DESC", &mut accounts);
        accounts.sort_by_key(|account| account.id);
        accounts.dedup_by_key(|account| account.id);
    }
    (bans, accounts, whole)
}

fn add_bans(db: &Connection, order: &str, bans: &mut Vec<Ban>) -> Result<(), Trouble> {
    let sql = "SELECT id, network, name, reason, author, since, until, account FROM bans ORDER BY id";
    let mut found = db.prepare(&format!("{sql} {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (network, name): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let network = network.and_then(|network| network.parse().ok()).map(Target::Network);
        let name = name.and_then(|name| Name::recall(&name)).map(Target::Name);
        let Some(target) = network.or(name) else { continue };
        bans.push(Ban {
            id: BanId(unsigned(row.get(0)?)),
            target,
            reason: row.get::<_, Option<String>>(3)?.map(Into::into),
            by: match (row.get::<_, i64>(4)?, row.get::<_, Option<String>>(7)?) {
                (_, Some(name)) => Author::Account(name.into()),
                (uid, None) => u32::try_from(uid).map_or(Author::Hub, Author::Uid),
            },
            since: Wall(row.get(5)?),
            until: row.get::<_, Option<i64>>(6)?.map(Wall),
        });
    }
    Ok(())
}

/// Writes a ban. Part of the caller's transaction.
pub(super) fn ban(db: &Connection, ban: &Ban) -> Result<(), Trouble> {
    let (network, name) = match &ban.target {
        Target::Network(network) => (Some(network.to_string()), None),
        Target::Name(name) => (None, Some(name.shown())),
    };
    let sql = "INSERT OR REPLACE INTO bans (id, network, name, reason, author, since, until, account)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let (uid, account) = match &ban.by {
        Author::Uid(uid) => (i64::from(*uid), None),
        Author::Account(name) => (-1, Some(&**name)),
        Author::Hub => (-1, None),
    };
    db.prepare_cached(sql)?.execute(params![
        signed(ban.id.0),
        network,
        name,
        ban.reason.as_deref(),
        uid,
        ban.since.0,
        ban.until.map(|until| until.0),
        account
    ])?;
    Ok(())
}

/// Takes a ban away. Part of the caller's transaction.
pub(super) fn unban(db: &Connection, id: BanId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM bans WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}

/// All accounts, by age. One that makes no sense is passed over.
pub(super) fn accounts(db: &Connection) -> Result<Vec<Account>, Trouble> {
    let mut accounts = Vec::new();
    add_accounts(db, "ASC", &mut accounts).map(|()| accounts)
}

fn add_accounts(db: &Connection, order: &str, accounts: &mut Vec<Account>) -> Result<(), Trouble> {
    let mut found =
        db.prepare(&format!("SELECT id, name, hashed, role, since, seen FROM accounts ORDER BY id {order}"))?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (name, role): (String, String) = (row.get(1)?, row.get(3)?);
        let Some(name) = Name::recall(&name) else { continue };
        let role = if role == Role::Operator.name() { Role::Operator } else { Role::Member };
        accounts.push(Account {
            id: AccountId(unsigned(row.get(0)?)),
            name,
            hashed: row.get::<_, Option<String>>(2)?.map(|hashed| Hashed(hashed.into())),
            role,
            since: Wall(row.get(4)?),
            seen: Wall(row.get(5)?),
            // They mean nothing to a hub with another key.
            places: Vec::new(),
        });
    }
    Ok(())
}

/// Writes an account. Part of the caller's transaction.
pub(super) fn account(db: &Connection, account: &Account) -> Result<(), Trouble> {
    let sql = "INSERT OR REPLACE INTO accounts (id, name, hashed, role, since, seen) VALUES (?, ?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![
        signed(account.id.0),
        account.name.shown(),
        account.hashed.as_ref().map(|hashed| &*hashed.0),
        account.role.name(),
        account.since.0,
        account.seen.0
    ])?;
    Ok(())
}

/// Takes an account away. Part of the caller's transaction.
pub(super) fn unaccount(db: &Connection, id: AccountId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM accounts WHERE id = ?")?.execute([signed(id.0)])?;
    Ok(())
}

fn last_lines(db: &Connection, room: i64, limits: &settings::History) -> Result<Vec<Line>, Trouble> {
    let sql = format!("SELECT {COLUMNS} FROM lines l WHERE l.room = ? ORDER BY l.seq DESC LIMIT ?");
    let mut found = db.prepare_cached(&sql)?;
    let mut rows = found.query(params![room, i64::try_from(limits.lines).unwrap_or(i64::MAX)])?;
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

// ---------------------------------------------------------------------------------------------
// The index

/// Puts some lines that are not in the index into it; says whether there are more.
pub(super) fn index_some(db: &mut Connection, count: usize) -> Result<bool, Trouble> {
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
    self::step("before indexed lines are committed");
    step.commit()?;
    Ok(last < meta.last_line)
}

/// What to ask the index for so that all lines with `folded` in them are among the answers; `None` if
/// it is too short for the index.
pub(super) fn index_query(folded: &str) -> Option<String> {
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

// ---------------------------------------------------------------------------------------------
// Leaving behind

/// How many bytes stand in the file, without what is free for other lines.
pub(super) fn size(db: &Connection) -> Result<u64, Trouble> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (pages, free, page) = (number("page_count")?, number("freelist_count")?, number("page_size")?);
    Ok(unsigned((pages - free) * page))
}

/// Why lines are left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    /// They were said before then.
    Age(Wall),
    /// There are so many too many of them.
    Count(u64),
    /// They take too much place.
    Size,
}

/// What there is too much of at `now`.
pub(super) fn excess(db: &Connection, limits: &settings::History, now: Wall) -> Result<Option<Excess>, Trouble> {
    if let Some(keep) = limits.keep {
        let before = Wall(now.0.saturating_sub(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX)));
        let sql = "SELECT 1 FROM lines WHERE at < ? LIMIT 1";
        if db.prepare_cached(sql)?.query_row([before.0], |_| Ok(())).optional()?.is_some() {
            return Ok(Some(Excess::Age(before)));
        }
    }
    let meta = Meta::read(db)?;
    if limits.keep_lines > 0 && meta.lines > limits.keep_lines {
        return Ok(Some(Excess::Count(meta.lines - limits.keep_lines)));
    }
    let too_large = size(db)? > limits.keep_bytes as u64 && meta.lines > 0;
    Ok(too_large.then_some(Excess::Size))
}

/// Leaves some lines behind, at most `count`, and gives their place back.
pub(super) fn leave_some(db: &mut Connection, excess: Excess, count: u64) -> Result<u64, Trouble> {
    let step = db.transaction()?;
    let mut meta = Meta::read(&step)?;
    let (sql, bound, most) = match excess {
        Excess::Age(before) => ("SELECT seq FROM lines WHERE at < ?1 ORDER BY at LIMIT ?2", before.0, count),
        Excess::Count(over) => ("SELECT seq FROM lines WHERE ?1 ORDER BY seq LIMIT ?2", 1, count.min(over)),
        Excess::Size => ("SELECT seq FROM lines WHERE ?1 ORDER BY seq LIMIT ?2", 1, count),
    };
    let seqs: Vec<i64> = step
        .prepare_cached(sql)?
        .query_map(params![bound, signed(most)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    {
        let mut line = step.prepare_cached("DELETE FROM lines WHERE seq = ?")?;
        let mut word = step.prepare_cached("DELETE FROM words WHERE rowid = ?")?;
        for seq in &seqs {
            line.execute([seq])?;
            if unsigned(*seq) <= meta.indexed {
                word.execute([seq])?;
            }
        }
    }
    meta.lines = meta.lines.saturating_sub(seqs.len() as u64);
    meta.write(&step)?;
    self::step("before lines are left behind");
    step.commit()?;
    // A few pages at a time, back to the file system.
    let mut vacuum = db.prepare_cached("PRAGMA incremental_vacuum(64)")?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(seqs.len() as u64)
}

/// Forgets closed rooms of which no line is left.
pub(super) fn forget_rooms(db: &Connection) -> Result<(), Trouble> {
    db.prepare_cached(
        "DELETE FROM rooms WHERE closed = 1 AND NOT EXISTS (SELECT 1 FROM lines WHERE lines.room = rooms.id)",
    )?
    .execute([])?;
    Ok(())
}

// ---------------------------------------------------------------------------------------------
// Finding

/// Which lines are to be found.
#[derive(Clone, Copy)]
pub(super) struct Which<'a> {
    pub(super) what: &'a Selector,
    /// Only those of the room with this row.
    pub(super) row: Option<i64>,
}

/// The conditions that SQL can check, and their parameters. The others are checked line by
/// line, by [`Selector::matches`].
struct Conditions {
    sql: String,
    params: Vec<Value>,
}

impl Conditions {
    fn of(db: &Connection, Which { what, row }: Which<'_>) -> Result<Self, Trouble> {
        let mut this = Self { sql: String::new(), params: Vec::new() };
        this.add(" AND l.room = ?", row);
        if let Some(room) = &what.room {
            let rows: Vec<i64> = db
                .prepare_cached("SELECT id FROM rooms WHERE folded = ?")?
                .query_map([room], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let rows: Vec<String> = rows.iter().map(i64::to_string).collect();
            this.sql += &format!(" AND l.room IN ({})", rows.join(","));
        }
        this.add(" AND l.author = ?", what.client.map(|client| signed(client.0)));
        this.add(" AND l.seq >= ?", what.from.map(signed));
        this.add(" AND l.seq <= ?", what.to.map(signed));
        this.add(" AND l.at >= ?", what.since.map(|at| at.0));
        this.add(" AND l.at < ?", what.until.map(|at| at.0));
        Ok(this)
    }

    fn add(&mut self, sql: &str, param: Option<i64>) {
        if let Some(param) = param {
            self.sql += sql;
            self.params.push(Value::Integer(param));
        }
    }
}

/// In which order lines are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

/// Some of the lines that are meant, each with the name of its room.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) lines: Vec<(Line, String)>,
    /// When the last line was said that was looked at.
    pub(super) looked_to: Option<Wall>,
    /// Where the next page begins, if there may be one.
    pub(super) next: Option<u64>,
}

/// Looks at `count` lines at most that may be meant, beyond line `from` in that order, and gives those
/// that are.
pub(super) fn page(
    db: &Connection,
    which: Which<'_>,
    order: Order,
    from: Option<u64>,
    count: usize,
) -> Result<Page, Trouble> {
    let indexed = Meta::read(db)?.indexed;
    let query = which.what.text.as_deref().and_then(index_query);
    let Some(query) = query else { return scan(db, which, order, from, None, count) };
    // What is in the index is found by it, and what is newer by looking.
    let in_index = match order {
        Order::OldestFirst => from.is_none_or(|from| from < indexed),
        Order::NewestFirst => from.is_some_and(|from| from <= indexed + 1),
    };
    if !in_index {
        let above = (order == Order::NewestFirst).then_some(indexed);
        let mut page = scan(db, which, order, from, above, count)?;
        if order == Order::NewestFirst && page.next.is_none() {
            page.next = Some(indexed + 1);
        }
        return Ok(page);
    }
    let (sql, from) = match order {
        Order::OldestFirst => (
            "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid > ?2 AND rowid <= ?3 ORDER BY rowid LIMIT ?4",
            from.unwrap_or(0),
        ),
        Order::NewestFirst => (
            "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid < ?2 AND rowid <= ?3 ORDER BY rowid DESC LIMIT ?4",
            from.unwrap_or(indexed + 1),
        ),
    };
    let found: Vec<u64> = db
        .prepare_cached(sql)?
        .query_map(params![query, signed(from), signed(indexed), i64::try_from(count).unwrap_or(i64::MAX)], |row| {
            row.get(0).map(unsigned)
        })?
        .collect::<Result<_, _>>()?;
    let sql = format!(
        "SELECT {COLUMNS}, r.name, r.folded, l.room FROM lines l JOIN rooms r ON r.id = l.room WHERE l.seq = ?"
    );
    let mut one = db.prepare_cached(&sql)?;
    let mut page = Page::default();
    for seq in &found {
        let mut rows = one.query([signed(*seq)])?;
        if let Some(row) = rows.next()? {
            page.take(which, row)?;
        }
    }
    page.next = match (found.last(), order) {
        (Some(last), _) if found.len() == count => Some(*last),
        (_, Order::OldestFirst) => Some(indexed),
        (_, Order::NewestFirst) => None,
    };
    Ok(page)
}

fn scan(
    db: &Connection,
    which: Which<'_>,
    order: Order,
    from: Option<u64>,
    above: Option<u64>,
    count: usize,
) -> Result<Page, Trouble> {
    let mut conditions = Conditions::of(db, which)?;
    let (beyond, direction) = match order {
        Order::OldestFirst => (" AND l.seq > ?", "ASC"),
        Order::NewestFirst => (" AND l.seq < ?", "DESC"),
    };
    conditions.add(beyond, from.map(signed));
    conditions.add(" AND l.seq > ?", above.map(signed));
    conditions.params.push(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT {COLUMNS}, r.name, r.folded, l.room FROM lines l JOIN rooms r ON r.id = l.room
         WHERE 1 {} ORDER BY l.seq {direction} LIMIT ?",
        conditions.sql
    );
    let mut found = db.prepare_cached(&sql)?;
    let mut rows = found.query(params_from_iter(conditions.params))?;
    let (mut page, mut looked, mut last) = (Page::default(), 0, 0);
    while let Some(row) = rows.next()? {
        last = page.take(which, row)?;
        looked += 1;
    }
    page.next = (looked == count).then_some(last);
    Ok(page)
}

impl Page {
    fn take(&mut self, Which { what, row: room }: Which<'_>, row: &Row<'_>) -> Result<u64, Trouble> {
        let line = line(row)?;
        let seq = line.seq;
        self.looked_to = Some(line.at);
        let here = room.is_none_or(|room| row.get_ref(8).is_ok_and(|found| found.as_i64() == Ok(room)));
        if here && what.matches(row.get_ref(7)?.as_str().unwrap_or(""), &line) {
            self.lines.push((line, row.get(6)?));
        }
        Ok(seq)
    }
}

// ---------------------------------------------------------------------------------------------
// Removing

/// Makes some of the lines that are meant unreadable, those behind line `from`. The last line that was
/// looked at, if there may be more behind it, and how many were made unreadable.
pub(super) fn redact_some(
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
    self::step("before redacted lines are committed");
    step.commit()?;
    Ok((page.next, seqs.len() as u64))
}
