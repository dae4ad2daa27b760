//! Traces: the remains of deleted content that SQLite leaves in the file, and how they are
//! overwritten.
//!
//! `PRAGMA secure_delete` overwrites deleted rows. But when rows move from one page of a b-tree to
//! another, because rows beside them were deleted, the former page may keep a copy of a row in its
//! gap: the free part between the pointers to the page's rows and the rows themselves. If that row
//! is deleted later, the copy stays. So the gaps are overwritten too: those of all pages in the
//! write-ahead log, before the log goes into the file ([`in_log`]); and those of the whole file
//! once, if an older version wrote it.
//!
//! This module knows pages, but neither tables nor rows. It does not decide when traces are erased:
//! see `writer`. <https://sqlite.org/fileformat.html> describes the layout of pages and of the log.
//!
//! | to change | see |
//! | --- | --- |
//! | which pages of the log are examined | [`in_log`] |
//! | what is overwritten in a page | [`erase`] |

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

/// Where SQLite's lock page begins, in bytes. Nothing is written to that page.
const LOCKS: u32 = 0x4000_0000;

/// Whether this SQLite lets us read and write pages. `.cargo/config.toml` has our own SQLite built
/// so.
///
/// # Errors
/// Any error of SQLite.
pub(super) fn can_be_erased(db: &Connection) -> Result<bool, Trouble> {
    Ok(db.query_row("SELECT sqlite_compileoption_used('ENABLE_DBPAGE_VTAB')", [], |row| row.get(0))?)
}

/// How far a log was read. SQLite begins the log anew from time to time, each time with other
/// salts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    salts: [u8; 8],
    to: u64,
}

/// The pages written to the log after the part already `seen`, and how far the log is seen now.
/// Some of these pages may be in the file already.
///
/// # Errors
/// The log cannot be read.
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
    // A frame with other salts is a remainder of an earlier log.
    while read(&mut head, to)? && head[8..16] == salts {
        pages.insert(number(&head, 0));
        to += frame;
    }
    Ok((pages, Seen { salts, to }))
}

/// Overwrites the gaps of these pages, in one transaction. Returns how many gaps were not empty.
///
/// # Errors
/// Any error of SQLite.
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
    /// How many bytes of a page SQLite uses.
    usable: u32,
    /// The number of SQLite's lock page.
    locks: u32,
    /// Whether the file has pointer-map pages, which say what kind each other page is.
    has_map: bool,
    /// The pointer-map pages that were read already.
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

    /// Whether the page belongs to a b-tree. This must be known, because the content of any page
    /// may look like that of one.
    fn is_of_a_tree(&mut self, page: u32) -> Result<bool, Trouble> {
        if page <= 1 || page == self.locks {
            return Ok(page == 1);
        }
        if !self.has_map {
            // Our files have pointer maps. Without one, nothing says for sure what a page is.
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
        // In a pointer map, 1 is the root of a b-tree, and 5 another page of one.
        Ok(matches!(self.maps[&map].get(entry), Some(1 | 5)))
    }

    /// The gap of a page: the free part between the pointers to its rows and the rows themselves.
    /// `None` if the content is no valid b-tree page.
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

/// The big-endian number in the four bytes at `at`.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}
