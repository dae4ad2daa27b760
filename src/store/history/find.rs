//! Reading selected lines, page by page.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::{COLUMNS, line};
use crate::hub::archive::Selector;
use crate::hub::message::Line;
use crate::store::Trouble;
use crate::store::meta::{Meta, signed, unsigned};
use crate::values::time::Wall;

/// Which lines are selected.
#[derive(Clone, Copy)]
pub(in crate::store) struct Which<'a> {
    pub(in crate::store) what: &'a Selector,
    /// If `Some`, only lines of the room with this id in `rooms`.
    pub(in crate::store) row: Option<i64>,
}

/// The conditions that SQL can check, and their parameters. [`Selector::matches`] checks the
/// others, line by line.
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

/// The order in which lines are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Order {
    OldestFirst,
    NewestFirst,
}

/// A page of selected lines, each with the name of its room.
#[derive(Debug, Default)]
pub(in crate::store) struct Page {
    pub(in crate::store) lines: Vec<(Line, String)>,
    /// When the last line that was looked at was said.
    pub(in crate::store) looked_to: Option<Wall>,
    /// The number of the line beyond which the next page begins; `None` if there is no next page.
    pub(in crate::store) next: Option<u64>,
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

/// The lines with these numbers, each with the name of its room. Numbers without a line are passed
/// over.
pub(in crate::store) fn lines(db: &Connection, numbers: &[u64]) -> Result<Vec<(Line, String)>, Trouble> {
    let sql = format!("SELECT {COLUMNS}, r.name FROM lines l JOIN rooms r ON r.id = l.room WHERE l.seq = ?");
    let mut one = db.prepare_cached(&sql)?;
    let mut lines = Vec::new();
    for number in numbers {
        let mut rows = one.query([signed(*number)])?;
        if let Some(row) = rows.next()? {
            lines.push((line(row)?, row.get(6)?));
        }
    }
    Ok(lines)
}

/// Counts the newest lines below line `from` that are selected, at most `count` of them. Returns how
/// many there are, and the number of the oldest of them. No line is read for it: so `which` must be
/// one that SQL can check alone ([`is_checked_by_sql`]).
pub(in crate::store) fn newest(
    db: &Connection,
    which: Which<'_>,
    from: Option<u64>,
    count: u64,
) -> Result<(u64, Option<u64>), Trouble> {
    let mut conditions = Conditions::of(db, which)?;
    conditions.add(" AND l.seq < ?", from.map(signed));
    conditions.params.push(Value::Integer(signed(count)));
    let sql = format!(
        "SELECT count(*), min(seq) FROM (SELECT l.seq AS seq FROM lines l WHERE 1 {} ORDER BY l.seq DESC LIMIT ?)",
        conditions.sql
    );
    let found = db.prepare_cached(&sql)?.query_row(params_from_iter(conditions.params), |row| {
        Ok((unsigned(row.get(0)?), row.get::<_, Option<i64>>(1)?.map(unsigned)))
    })?;
    Ok(found)
}

/// Whether SQL checks all of `what`: the others are compared by their folded forms, line by line.
pub(in crate::store) fn is_checked_by_sql(what: &Selector) -> bool {
    let Selector { room: _, client, nick, from: _, to: _, since: _, until: _, text } = what;
    client.is_none() && nick.is_none() && text.is_none()
}

/// Looks at `count` candidates at most, beyond line `from` in this order, and returns those that
/// are selected.
pub(in crate::store) fn page(
    db: &Connection,
    which: Which<'_>,
    order: Order,
    from: Option<u64>,
    count: usize,
) -> Result<Page, Trouble> {
    let indexed = Meta::read(db)?.indexed;
    let query = which.what.text.as_deref().and_then(super::index::query);
    let Some(query) = query else { return scan(db, which, order, from, None, count) };
    // The index gives the candidates among indexed lines; newer lines are looked at one by one.
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
