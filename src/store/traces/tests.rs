//! Deleted rows leave no bytes in the pages of a file.

use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Seen, can_be_erased, erase, in_log};
use crate::settings::Sync;
use crate::store::dir::beside;
use crate::store::schema;
use crate::store::tests::database;

/// A text that identifies the row, wherever its bytes are found.
fn mark(row: i64) -> String {
    format!("<{row:06}>")
}

/// The rows of which any bytes are in the file.
fn rows_in(path: &Path) -> BTreeSet<i64> {
    let bytes = std::fs::read(path).unwrap();
    let marks = bytes.windows(8).filter(|bytes| bytes[0] == b'<' && bytes[7] == b'>');
    marks.filter_map(|mark| std::str::from_utf8(&mark[1..7]).ok()?.parse().ok()).collect()
}

fn put(db: &Connection, row: i64, length: i64) {
    let text = format!("{}{}", mark(row), "x".repeat(usize::try_from(length).unwrap()));
    db.execute("INSERT INTO lines VALUES (?1, 0, 0, 0, NULL, 'ann', ?2)", (row, text)).unwrap();
}

fn remove(db: &Connection, row: i64, whole: bool) {
    let sql = if whole { "DELETE FROM lines WHERE seq = ?" } else { "UPDATE lines SET text = '' WHERE seq = ?" };
    db.execute(sql, [row]).unwrap();
}

/// Checkpoints as the writer does: first erases the traces in the pages of the log. Returns how
/// many pages had traces.
fn checkpoint(db: &mut Connection, path: &Path) -> usize {
    let (pages, _) = in_log(&beside(path, "-wal"), Seen::default()).unwrap();
    let erased = erase(db, &pages).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    erased
}

#[test]
fn this_sqlite_reads_and_writes_pages() {
    assert!(can_be_erased(&Connection::open_in_memory().unwrap()).unwrap(), "see .cargo/config.toml");
}

#[test]
fn a_log_is_read_on_from_where_it_was_seen_or_anew_once_it_was_restarted() {
    let dir = TempDir::new().unwrap();
    let path = database(&dir);
    let log = beside(&path, "-wal");
    assert_eq!(in_log(&log, Seen::default()).unwrap(), (BTreeSet::new(), Seen::default()), "there is none");
    let db = schema::open(&path, Sync::Normal).unwrap();
    put(&db, 1, 10);
    let (pages, seen) = in_log(&log, Seen::default()).unwrap();
    assert!(!pages.is_empty());
    assert_eq!(in_log(&log, seen).unwrap(), (BTreeSet::new(), seen), "nothing new");
    put(&db, 2, 10);
    let (more, seen) = in_log(&log, seen).unwrap();
    assert!(!more.is_empty());
    db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    put(&db, 3, 10);
    let (again, now) = in_log(&log, seen).unwrap();
    assert_eq!(again, more, "the same pages were written");
    assert_ne!(now, seen);
}

#[test]
fn pages_that_are_not_of_a_tree_stay_as_they_are() {
    let dir = TempDir::new().unwrap();
    let path = database(&dir);
    let mut db = schema::open(&path, Sync::Normal).unwrap();
    // With rows that do not fit into a page, more pages than one pointer map covers, and free
    // pages.
    for row in 0..400 {
        put(&db, row, 9000);
    }
    for row in 100..200 {
        remove(&db, row, true);
    }
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let pages: u32 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    assert!(pages > 820, "more than one page of the map: {pages}");
    erase(&mut db, &(1..=pages + 10).collect()).unwrap();
    drop(db);
    is_whole(&path);
    let left: BTreeSet<i64> = (0..100).chain(200..400).collect();
    assert_eq!(rows_in(&path), left);
}

#[track_caller]
fn is_whole(path: &Path) {
    let db = Connection::open(path).unwrap();
    let answer: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
}

#[test]
fn a_whole_file_is_swept() {
    let dir = TempDir::new().unwrap();
    let path = database(&dir);
    let mut db = schema::open(&path, Sync::Normal).unwrap();
    for row in 0..3000 {
        put(&db, row, row * 7 % 600);
    }
    // Nothing is erased here, so copies of some rows stay in pages from which the rows have moved.
    let mut removed = BTreeSet::new();
    for row in (0..3000).map(|at| at * 1789 % 3000).take(2500) {
        remove(&db, row, row % 2 == 0);
        removed.insert(row);
    }
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let traces = rows_in(&path).intersection(&removed).count();
    let pages: u32 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let erased = erase(&mut db, &(1..=pages).collect()).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    assert_eq!(rows_in(&path).intersection(&removed).count(), 0, "of {traces}, in {erased} pages");
    assert_eq!(rows_in(&path).len(), 500);
    drop(db);
    is_whole(&path);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_what_is_removed_is_left_in_the_file(
        lengths in prop::collection::vec(0..900_i64, 200..900),
        order in 0..500_i64,
        by_age in any::<bool>(),
        whole in any::<bool>(),
    ) {
        let dir = TempDir::new().unwrap();
        let path = database(&dir);
        let mut db = schema::open(&path, Sync::Normal).unwrap();
        db.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        (0..).zip(&lengths).for_each(|(row, length)| put(&db, row, *length));
        // The step has no divisor in common with the number of rows, so every row is reached.
        let count = i64::try_from(lengths.len()).unwrap();
        let step = if by_age { 1 } else { 1009 + 2 * order };
        let rows: Vec<i64> = (0..count).map(|at| at * step % count).collect();
        let mut removed = BTreeSet::new();
        for (at, row) in rows.iter().enumerate() {
            remove(&db, *row, whole || row % 3 == 0);
            removed.insert(*row);
            if at % 37 == 0 {
                checkpoint(&mut db, &path);
                let left = rows_in(&path);
                prop_assert!(left.is_disjoint(&removed), "{:?}", left.intersection(&removed));
            }
        }
        checkpoint(&mut db, &path);
        prop_assert!(rows_in(&path).is_disjoint(&removed));
        drop(db);
        is_whole(&path);
    }
}
