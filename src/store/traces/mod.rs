//! What SQLite leaves of deleted content in the file, and how it is overwritten.
//!
//! `PRAGMA secure_delete` overwrites what is deleted. But when rows move from one page of a b-tree to another, because
//! rows beside them were deleted, a page may keep a copy of a row that has moved, in its gap: the free part between
//! the pointers to its rows and the rows themselves. If that row is deleted later, the copy stays. So the gaps are
//! overwritten: those of all pages in the write-ahead log, before the log goes into the file ([`in_log`]), and once
//! those of the whole file, if another version wrote it.
//!
//! The layout of pages and of the log is that of <https://sqlite.org/fileformat.html>.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::Trouble;
use super::step;

/// The page in which the locks of a file are, which nothing is written to, begins at this offset.
const LOCKS: u32 = 0x4000_0000;

/// Whether this SQLite lets us read and write pages. Ours does: `.cargo/config.toml` says so.
///
/// # Errors
/// In the words of SQLite.
pub(super) fn can_be_erased(db: &Connection) -> Result<bool, Trouble> {
    Ok(db.query_row("SELECT sqlite_compileoption_used('ENABLE_DBPAGE_VTAB')", [], |row| row.get(0))?)
}

/// How far a log was read. It is written from its beginning again and again, each time with other salts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    salts: [u8; 8],
    to: u64,
}

/// The pages that were written to the log after what was `seen` of it, and how far it is seen now. Some of them may be
/// in the file already.
///
/// # Errors
/// If the log cannot be read.
pub(super) fn in_log(log: &Path, seen: Seen) -> io::Result<(BTreeSet<u32>, Seen)> {
    let mut pages = BTreeSet::new();
    let log = match File::open(log) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((pages, seen)),
        Err(error) => return Err(error),
    };
    let mut header = [0; 32];
    let read = |bytes: &mut [u8], at| match log.read_exact_at(bytes, at) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    };
    if !read(&mut header, 0)? {
        return Ok((pages, seen));
    }
    let mut salts = [0; 8];
    salts.copy_from_slice(&header[16..24]);
    let frame = 24 + u64::from(number(&header, 8));
    let mut to = if seen.salts == salts { seen.to } else { 32 };
    let mut head = [0; 24];
    // Frames with other salts are left of an earlier log.
    while read(&mut head, to)? && head[8..16] == salts {
        pages.insert(number(&head, 0));
        to += frame;
    }
    Ok((pages, Seen { salts, to }))
}

/// Overwrites the gaps of these pages, in one transaction. How many had anything in them.
///
/// # Errors
/// In the words of SQLite.
pub(super) fn erase(db: &mut Connection, pages: &BTreeSet<u32>) -> Result<usize, Trouble> {
    let batch = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut erased = 0;
    {
        let mut file = Pages::of(&batch)?;
        let mut write = batch.prepare_cached("UPDATE sqlite_dbpage SET data = ? WHERE pgno = ?")?;
        for page in pages {
            if !file.is_of_a_tree(*page)? {
                continue;
            }
            let Some(mut content) = file.read(*page)? else { continue };
            let Some(gap) = file.gap(*page, &content) else { continue };
            if content[gap.clone()].iter().any(|byte| *byte != 0) {
                content[gap].fill(0);
                write.execute((content, page))?;
                erased += 1;
            }
        }
    }
    step::reached("before traces are erased");
    batch.commit()?;
    Ok(erased)
}

/// The pages of a file.
struct Pages<'a> {
    db: &'a Connection,
    /// Bytes of a page that SQLite uses.
    usable: u32,
    /// The page that holds the locks.
    locks: u32,
    /// Whether there are pages that say what the other ones are.
    has_map: bool,
    /// Such pages that were read already.
    maps: BTreeMap<u32, Vec<u8>>,
}

impl<'a> Pages<'a> {
    fn of(db: &'a Connection) -> Result<Self, Trouble> {
        let mut this = Self { db, usable: 0, locks: 0, has_map: false, maps: BTreeMap::new() };
        let Some(first) = this.read(1)? else { return Ok(this) };
        let size = u32::try_from(first.len()).unwrap_or(0).max(512);
        this.usable = size - u32::from(first[20]);
        this.locks = LOCKS / size + 1;
        this.has_map = number(&first, 52) > 0;
        Ok(this)
    }

    fn read(&self, page: u32) -> Result<Option<Vec<u8>>, Trouble> {
        let mut read = self.db.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?")?;
        Ok(read.query_row([page], |row| row.get(0)).optional()?)
    }

    /// Whether the page belongs to a b-tree. The content of other pages can look as if it did.
    fn is_of_a_tree(&mut self, page: u32) -> Result<bool, Trouble> {
        if page <= 1 || page == self.locks {
            return Ok(page == 1);
        }
        if !self.has_map {
            // Our files have a map. Without one, nothing tells for sure.
            return Ok(false);
        }
        let covered = self.usable / 5 + 1;
        let mut map = (page - 2) / covered * covered + 2;
        if map == self.locks {
            map += 1;
        }
        if page <= map {
            return Ok(false);
        }
        if !self.maps.contains_key(&map) {
            let Some(content) = self.read(map)? else { return Ok(false) };
            self.maps.insert(map, content);
        }
        let entry = 5 * (page - map - 1) as usize;
        // The root of a tree, or another page of one.
        Ok(matches!(self.maps[&map].get(entry), Some(1 | 5)))
    }

    /// The free part between the pointers to the rows and the rows themselves.
    fn gap(&self, page: u32, content: &[u8]) -> Option<Range<usize>> {
        let header = if page == 1 { 100 } else { 0 };
        let two = |at: usize| content.get(at..at + 2).map(|bytes| usize::from(bytes[0]) << 8 | usize::from(bytes[1]));
        let pointers = match content.get(header)? {
            2 | 5 => header + 12,
            10 | 13 => header + 8,
            _ => return None,
        };
        let begin = pointers + 2 * two(header + 3)?;
        let end = match two(header + 5)? {
            0 => 0x1_0000,
            end => end,
        };
        (begin <= end && end <= self.usable as usize).then_some(begin..end)
    }
}

/// The number in four bytes, the highest first.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
