//! A connection that only reads: for people's searches, for administrators' dumps and counts, and
//! for copies of the file.
//!
//! A reader works page by page. It holds one page of lines in memory, and holds one state of the
//! file only while it reads a page. Only a copy reads one state of the file from beginning to end.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::history::find::{Order, Page, Which, is_checked_by_sql, lines, newest, page};
use super::history::retention::{self, before};
use super::meta::{Meta, signed, unsigned};
use super::{Trouble, schema, wall};
use crate::hub::archive::{Found, Reach, Search, Selector};
use crate::hub::message::Line;
use crate::values::time::Wall;

/// How many lines are looked at for one page.
const PAGE: usize = 256;

/// How many lines are counted at a time: for that, none is read.
const COUNTED: u64 = if cfg!(test) { 300 } else { 20_000 };

/// A function that is called with each trouble.
pub(super) type Report = Box<dyn Fn(&Trouble) + Send>;

/// A connection that only reads.
pub struct Reader {
    db: Connection,
    /// How long lines are kept. A reader returns no older ones, even if they are not deleted yet.
    keep: Option<Duration>,
    report: Option<Report>,
}

/// Which lines to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only lines that this selects.
    pub what: Selector,
    /// Only this many of the selected lines: the newest.
    pub last: Option<u64>,
}

/// The size of the recorded history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// For each room name: the name, how many lines, and when the oldest and the newest were said.
    pub rooms: Vec<(String, u64, Wall, Wall)>,
    /// When the newest line in the index was said; `None` if the index is empty.
    pub indexed_to: Option<Wall>,
}

impl Reader {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// The file is not there, or cannot be read.
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        Ok(Self { db: schema::open_for_reading(path)?, keep: None, report: None })
    }

    /// Sets how long lines are kept. The reader returns no older ones.
    #[must_use]
    pub(super) fn keeping(mut self, keep: Option<Duration>) -> Self {
        self.keep = keep;
        self
    }

    /// `what`, but without lines that are too old to be kept.
    fn kept(&self, what: &Selector) -> Selector {
        let since = self.keep.map(|keep| before(keep, wall()));
        Selector { since: what.since.max(since), ..what.clone() }
    }

    /// Has `report` called with each trouble.
    #[must_use]
    pub(super) fn reporting(mut self, report: Report) -> Self {
        self.report = Some(report);
        self
    }

    fn told<T>(&self, result: Result<T, Trouble>) -> Result<T, Trouble> {
        result.inspect_err(|trouble| {
            if let Some(report) = &self.report {
                report(trouble);
            }
        })
    }

    /// Calls `take` with the selected lines, the oldest first, page by page, each with the name of
    /// its room; stops when `take` returns `false`.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn dump(&self, query: &Query, take: &mut dyn FnMut(Vec<(Line, String)>) -> bool) -> Result<(), Trouble> {
        self.told(self.dump_lines(query, take))
    }

    fn dump_lines(&self, query: &Query, take: &mut dyn FnMut(Vec<(Line, String)>) -> bool) -> Result<(), Trouble> {
        let what = &self.kept(&query.what);
        let mut from = match query.last {
            None => None,
            Some(0) => return Ok(()),
            Some(last) => self.begin_of_last(what, last)?,
        };
        loop {
            let Page { lines, next, .. } = page(&self.db, Which { what, row: None }, Order::OldestFirst, from, PAGE)?;
            if !lines.is_empty() && !take(lines) {
                return Ok(());
            }
            match next {
                Some(next) if from.is_none_or(|from| next > from) => from = Some(next),
                _ => return Ok(()),
            }
        }
    }

    /// The number just before the last `count` selected lines; `None` if there are no more than
    /// that.
    fn begin_of_last(&self, what: &Selector, count: u64) -> Result<Option<u64>, Trouble> {
        let (mut left, mut from) = (count, None);
        while is_checked_by_sql(what) {
            let (found, oldest) = newest(&self.db, Which { what, row: None }, from, left.min(COUNTED))?;
            let Some(oldest) = oldest else { return Ok(None) };
            if found >= left {
                return Ok(oldest.checked_sub(1));
            }
            (left, from) = (left - found, Some(oldest));
        }
        loop {
            let Page { lines, next, .. } = page(&self.db, Which { what, row: None }, Order::NewestFirst, from, PAGE)?;
            if (lines.len() as u64) >= left {
                let first = usize::try_from(left - 1).ok().and_then(|at| lines.get(at));
                return Ok(first.map(|(line, _)| line.seq - 1));
            }
            left -= lines.len() as u64;
            match next {
                Some(next) if from.is_none_or(|from| next < from) => from = Some(next),
                _ => return Ok(None),
            }
        }
    }

    /// The lines with these numbers, each with the name of its room. Numbers without a line are
    /// passed over.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn lines(&self, numbers: &[u64]) -> Result<Vec<(Line, String)>, Trouble> {
        self.told(lines(&self.db, numbers))
    }

    /// Whether a room with this folded name is on disk.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn knows(&self, room: &str) -> Result<bool, Trouble> {
        let sql = "SELECT EXISTS (SELECT 1 FROM rooms WHERE folded = ?)";
        self.told(self.db.query_row(sql, [room], |row| row.get(0)).map_err(Into::into))
    }

    /// How many lines are selected.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn count(&self, what: &Selector) -> Result<u64, Trouble> {
        let mut count = 0;
        let query = Query { what: what.clone(), last: None };
        self.dump(&query, &mut |lines| {
            count += lines.len() as u64;
            true
        })?;
        Ok(count)
    }

    /// Answers a person's search, the newest lines first, until there are enough matches or `end`
    /// has come.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn search(&self, search: &Search, end: Instant) -> Result<Found, Trouble> {
        self.told(self.search_lines(search, end))
    }

    fn search_lines(&self, search: &Search, end: Instant) -> Result<Found, Trouble> {
        let through = Meta::read(&self.db)?.last_line;
        if let Some((_, numbers)) = &search.report {
            let lines = lines(&self.db, numbers)?.into_iter().map(|(line, _)| line).collect();
            return Ok(Found { lines, through, reach: Reach::All });
        }
        let row = "SELECT id FROM rooms WHERE number = ? AND folded = ?";
        let row = self
            .db
            .prepare_cached(row)?
            .query_row(params![signed(search.room.0), search.name.folded()], |row| row.get::<_, i64>(0));
        let row = match row {
            Ok(row) => row,
            // No line of the room is on disk yet.
            Err(rusqlite::Error::QueryReturnedNoRows) => {
                return Ok(Found { lines: Vec::new(), through, reach: Reach::All });
            }
            Err(error) => return Err(error.into()),
        };
        let what = Selector { to: Some(through), text: Some(search.query.to_string()), ..Selector::default() };
        let what = self.kept(&what);
        let (mut lines, mut from, mut reach) = (Vec::new(), None, Reach::All);
        let mut looked_to = None;
        loop {
            let page = page(&self.db, Which { what: &what, row: Some(row) }, Order::NewestFirst, from, PAGE)?;
            lines.extend(page.lines.into_iter().map(|(line, _)| line));
            looked_to = page.looked_to.or(looked_to);
            match page.next {
                Some(next) if from.is_none_or(|from| next < from) && lines.len() < search.limit => from = Some(next),
                _ => break,
            }
            if Instant::now() >= end {
                reach = looked_to.map_or(Reach::All, Reach::Since);
                break;
            }
        }
        lines.truncate(search.limit);
        lines.reverse();
        Ok(Found { lines, through, reach })
    }

    /// The size of the recorded history, by room.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn stats(&self) -> Result<Stats, Trouble> {
        self.told(self.count_rooms())
    }

    fn count_rooms(&self) -> Result<Stats, Trouble> {
        let mut rooms = self.db.prepare(
            "SELECT max(r.name), sum(n), min(first), max(last) FROM
                 (SELECT room, count(*) AS n, min(at) AS first, max(at) AS last FROM lines GROUP BY room) c
             JOIN rooms r ON r.id = c.room GROUP BY r.folded ORDER BY sum(n) DESC, r.folded",
        )?;
        let rooms = rooms
            .query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?), Wall(row.get(2)?), Wall(row.get(3)?))))?
            .collect::<Result<_, _>>()?;
        let indexed = signed(Meta::read(&self.db)?.indexed);
        let sql = "SELECT at FROM lines WHERE seq <= ? ORDER BY seq DESC LIMIT 1";
        let indexed_to = self.db.query_row(sql, [indexed], |row| row.get(0).map(Wall)).ok();
        Ok(Stats { rooms, indexed_to })
    }

    /// The bytes in use in the file, without free pages.
    ///
    /// # Errors
    /// Any error of SQLite.
    pub fn size(&self) -> Result<u64, Trouble> {
        self.told(retention::size(&self.db))
    }

    /// Makes a copy of the file as it is now, without free pages. There must be no file at `to`.
    ///
    /// # Errors
    /// Any error of SQLite, and those of making the file.
    pub fn copy(&self, to: &Path) -> Result<(), Trouble> {
        let path = to.to_str().ok_or_else(|| Trouble::Unavailable("the path is not UTF-8".to_owned()))?;
        // SQLite treats a file of 0 bytes as none, and leaves it its permissions.
        let empty = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
        empty.map_err(|error| Trouble::Unavailable(format!("cannot make {path}: {error}")))?;
        self.told(self.db.execute("VACUUM INTO ?", [path]).map(drop).map_err(Into::into))
    }
}
