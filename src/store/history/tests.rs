//! Lines: which are found, which are deleted or redacted, and that no trace of these is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use super::find::{self, Order, Which};
use super::{index, redact, retention};
use crate::hub::archive::{Reach, Record, Search, Selector};
use crate::hub::message::Line;
use crate::settings::{History, Sync};
use crate::store::meta::Meta;
use crate::store::tests::{
    database, dump, index_all, is_sound, line, name, open, open_with, record, seqs, settings, write_here,
};
use crate::store::{Query, Reader, schema};
use crate::values::id::{RoomId, SessionId};
use crate::values::name;
use crate::values::time::Wall;

// ---------------------------------------------------------------------------------------------
// Leaving behind, and removing

fn delete_excess(dir: &TempDir, limits: &History, now: Wall) {
    let mut db = schema::open(&database(dir), Sync::Normal).unwrap();
    while let Some(excess) = retention::excess(&db, limits, now).unwrap() {
        assert!(retention::delete_some(&mut db, excess, 7).unwrap() > 0, "each step gets nearer");
    }
    retention::forget_rooms(&db).unwrap();
    drop(db);
    is_sound(&database(dir));
}

#[test]
fn what_is_too_old_or_too_much_is_deleted() {
    let dir = TempDir::new().unwrap();
    write_here(dir.path(), &settings(), (1..=100).map(|seq| (seq, record(line(seq, "some words")))));
    index_all(&database(&dir));
    let at = |seq: u64| line(seq, "").at;
    let old = History { keep: Some(Duration::from_millis(60)), ..settings() };
    delete_excess(&dir, &old, at(100));
    let reader = Reader::open(&database(&dir)).unwrap();
    assert_eq!(seqs(&reader, Selector::default()).first(), Some(&40));
    delete_excess(&dir, &History { keep_lines: 10, ..settings() }, at(100));
    assert_eq!(seqs(&reader, Selector::default()), (91..=100).collect::<Vec<_>>());
    let words = Selector { text: Some("words".into()), ..Selector::default() };
    assert_eq!(seqs(&reader, words).len(), 10, "the index agrees");
}

#[test]
fn a_file_that_is_too_large_shrinks() {
    let dir = TempDir::new().unwrap();
    let text = "x".repeat(1000);
    write_here(dir.path(), &settings(), (1..=4000).map(|seq| (seq, record(line(seq, &format!("{seq} {text}"))))));
    let before = std::fs::metadata(database(&dir)).unwrap().len();
    delete_excess(&dir, &History { keep_bytes: 1024 * 1024, ..settings() }, Wall(0));
    let reader = Reader::open(&database(&dir)).unwrap();
    let left = seqs(&reader, Selector::default());
    assert_eq!(left.last(), Some(&4000));
    assert!(left.len() > 500 && left.len() < 1100, "{}", left.len());
    Connection::open(database(&dir)).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let after = std::fs::metadata(database(&dir)).unwrap().len();
    assert!(after < before / 2, "{before} to {after}");
}

#[test]
fn a_clock_that_goes_backwards_changes_no_order() {
    let dir = TempDir::new().unwrap();
    let at = [500, 400, 300, 700, 100];
    let lines = at.iter().zip(1..).map(|(at, seq)| Line { at: Wall(*at), ..line(seq, "tick") });
    write_here(dir.path(), &settings(), lines.zip(1..).map(|(line, number)| (number, record(line))));
    let reader = Reader::open(&database(&dir)).unwrap();
    assert_eq!(seqs(&reader, Selector::default()), [1, 2, 3, 4, 5]);
    let some = Selector { since: Some(Wall(300)), until: Some(Wall(700)), ..Selector::default() };
    assert_eq!(seqs(&reader, some), [1, 2, 3]);
    delete_excess(&dir, &History { keep: Some(Duration::from_millis(100)), ..settings() }, Wall(450));
    assert_eq!(seqs(&reader, Selector::default()), [1, 2, 4], "by their own times");
    assert_eq!(open(&dir).recalled.last_line, 5);
}

#[test]
fn what_is_redacted_stands_nowhere_in_the_files() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    for seq in 1..=2000 {
        let text = if seq % 3 == 0 { "buy Zanzibar pills" } else { "all is well" };
        open.store.record(seq, record(line(seq, text)));
    }
    open.until_recorded(2000);
    let what = Selector { text: Some("zanzibar".into()), to: Some(2000), ..Selector::default() };
    open.store.record(2001, Record::Redact(Arc::new(what.clone())));
    assert_eq!(open.until_recorded(2001), [(2001, 666)]);
    // This line is said after the redaction, which must not affect it.
    open.store.record(2002, record(line(2001, "Zanzibar is nice in spring")));
    open.until_recorded(2002);
    assert_eq!(seqs(&open.reader(), Selector { text: Some("zanzibar".into()), ..Selector::default() }), [2001]);
    assert_eq!(seqs(&open.reader(), Selector::default()).len(), 2001, "markers stay");
    open.store
        .record(2003, Record::Redact(Arc::new(Selector { from: Some(2001), to: Some(2001), ..Selector::default() })));
    assert_eq!(open.until_recorded(2003), [(2003, 1)]);
    open.close();
    is_sound(&database(&dir));
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"Zanzibar"), "{path:?} has it still");
    }
}

/// How many lines the index has for these three characters; the lines themselves may be gone.
fn indexed(dir: &TempDir, piece: &str) -> i64 {
    let sql = "SELECT count(*) FROM words WHERE words MATCH ?";
    let quoted = format!("\"{piece}\"");
    Connection::open(database(dir)).unwrap().query_row(sql, [quoted], |row| row.get(0)).unwrap()
}

#[test]
fn the_words_of_lines_that_are_gone_are_in_the_index_no_more() {
    let dir = TempDir::new().unwrap();
    let text = |seq| if seq % 2 == 0 { "Zanzibar" } else { "copper" };
    write_here(dir.path(), &settings(), (1..=100).map(|seq| (seq, record(line(seq, text(seq))))));
    index_all(&database(&dir));
    assert_eq!((indexed(&dir, "zan"), indexed(&dir, "cop")), (50, 50));
    let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
    let what = Selector { text: Some("zanzibar".into()), to: Some(50), ..Selector::default() };
    let mut from = 0;
    while let (Some(next), _) = redact::some(&mut db, &what, (from, 0), 7).unwrap() {
        from = next;
    }
    drop(db);
    assert_eq!((indexed(&dir, "zan"), indexed(&dir, "cop")), (25, 50), "what is removed");
    delete_excess(&dir, &History { keep_lines: 10, ..settings() }, Wall(0));
    assert_eq!((indexed(&dir, "zan"), indexed(&dir, "cop")), (5, 5), "and what is deleted for its age or number");
}

/// Some pieces are in most lines and take many pages of the index, others are in few lines. Lines
/// are removed from the oldest on, from the newest on, and in between; others are added meanwhile.
#[test]
fn an_index_from_which_lines_are_removed_has_the_others() {
    const LINES: u64 = 12_000;
    let text = |seq: u64| match seq % 7 {
        0 => format!("common {}", seq / 100),
        1..=5 => "common".to_owned(),
        _ => format!("{seq} rare"),
    };
    for order in 0..3_u64 {
        let dir = TempDir::new().unwrap();
        write_here(dir.path(), &settings(), (1..=LINES).map(|seq| (seq, record(line(seq, &text(seq))))));
        index_all(&database(&dir));
        let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
        let mut model: std::collections::BTreeSet<u64> = (1..=LINES).collect();
        let seq_at = |at: u64| match order {
            0 => at + 1,
            1 => LINES - at,
            _ => at * 7919 % LINES + 1,
        };
        for part in 0..12 {
            let gone: Vec<u64> = (part * 500..(part + 1) * 500).map(seq_at).collect();
            let step = db.transaction().unwrap();
            let mut meta = Meta::read(&step).unwrap();
            let texts: Vec<String> = gone.iter().map(|seq| text(*seq)).collect();
            index::remove(&step, &mut meta, gone.iter().copied().zip(texts.iter().map(String::as_str))).unwrap();
            assert_eq!(meta.indexed, LINES, "it is not begun anew");
            model.retain(|seq| !gone.contains(seq));
            if part % 3 == 2 {
                // SQLite then merges the remaining entries with new ones.
                for seq in gone.iter().step_by(5) {
                    step.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (*seq as i64, text(*seq))).unwrap();
                    model.insert(*seq);
                }
            }
            step.commit().unwrap();
            db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 0)", []).unwrap();
            for piece in ["com", "mon", "on ", "rar", "7 r", "110"] {
                let quoted = format!("\"{piece}\"");
                let mut find = db.prepare("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid").unwrap();
                let rows = find.query_map([quoted], |row| row.get::<_, i64>(0)).unwrap();
                let found: Vec<u64> = rows.map(|row| row.unwrap().unsigned_abs()).collect();
                let wanted: Vec<u64> = model.iter().copied().filter(|seq| text(*seq).contains(piece)).collect();
                assert!(found == wanted, "order {order}, part {part}, {piece}: {} of {}", found.len(), wanted.len());
            }
        }
    }
}

/// A line is removed from the index by its folded text. If a text folds differently from when it
/// was added, its pieces would stay in the index. If this test fails: add a step to `schema::STEPS`
/// that empties the index, and write the new number here.
#[test]
fn texts_fold_as_they_did_when_the_index_was_made() {
    let fold = |sum: u64, c: char| {
        let folded = name::fold(&format!("a{c}b "));
        folded.bytes().fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    };
    assert_eq!(('\0'..='\u{323af}').fold(0xcbf2_9ce4_8422_2325, fold), 7_876_035_641_654_410_349);
}

// ---------------------------------------------------------------------------------------------
// Finding

#[test]
fn the_last_lines_and_those_of_a_time_are_found() {
    let dir = TempDir::new().unwrap();
    write_here(dir.path(), &settings(), (1..=1000).map(|seq| (seq, record(line(seq, &format!("n{seq}"))))));
    let reader = Reader::open(&database(&dir)).unwrap();
    let last = |last| dump(&reader, &Query { what: Selector::default(), last: Some(last) });
    assert_eq!(last(3).iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [998, 999, 1000]);
    assert_eq!((last(600).len(), last(1000).len(), last(5000).len(), last(0).len()), (600, 1000, 1000, 0));
    assert_eq!(reader.count(&Selector { until: Some(line(11, "").at), ..Selector::default() }).unwrap(), 10);
    let stats = reader.stats().unwrap();
    assert_eq!(stats.rooms, [("lobby".to_owned(), 1000, line(1, "").at, line(1000, "").at)]);
}

#[test]
fn the_last_lines_are_the_newest_of_those_that_are_selected() {
    let dir = TempDir::new().unwrap();
    let said = |seq: u64| Record::Line {
        room: RoomId(seq % 3),
        name: name(["lobby", "tea", "den"][usize::try_from(seq % 3).unwrap()]),
        line: Arc::new(line(seq, if seq.is_multiple_of(5) { "green" } else { "black" })),
        encrypted: false,
    };
    write_here(dir.path(), &settings(), (1..=1500).map(|seq| (seq, said(seq))));
    index_all(&database(&dir));
    let reader = Reader::open(&database(&dir)).unwrap();
    let tea = Selector { room: Some("tea".into()), ..Selector::default() };
    let times = Selector { since: Some(line(100, "").at), until: Some(line(1400, "").at), ..tea.clone() };
    let numbers = Selector { from: Some(50), to: Some(1450), ..Selector::default() };
    let text = Selector { text: Some("green".into()), ..tea.clone() };
    let nobody = Selector { nick: Some("bob".into()), ..Selector::default() };
    for what in [Selector::default(), tea, times, numbers, text, nobody] {
        let all = seqs(&reader, what.clone());
        // Beside the numbers at which it counts on, too.
        for count in [1, 2, 299, 300, 301, 433, 434, 600, 1400, 1401, 1499, 1500, 1501, 9000] {
            let found = dump(&reader, &Query { what: what.clone(), last: Some(count as u64) });
            let found: Vec<u64> = found.iter().map(|(seq, _)| *seq).collect();
            assert_eq!(found, all[all.len().saturating_sub(count)..], "the last {count} of {what:?}");
        }
    }
}

#[test]
fn a_copy_is_whole_and_of_one_moment() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    for seq in 1..=500 {
        open.store.record(seq, record(line(seq, "copied")));
    }
    open.until_recorded(500);
    let to = dir.path().join("copy");
    open.reader().copy(&to).unwrap();
    assert!(open.reader().copy(&to).is_err(), "nothing is overwritten");
    open.close();
    is_sound(&to);
    assert_eq!(seqs(&Reader::open(&to).unwrap(), Selector::default()).len(), 500);
}

/// Texts of few different letters, so that there are matches, in several scripts and cases.
fn text() -> impl Strategy<Value = String> {
    "[abAB \u{e9}\u{c9}\u{4e2d}\u{df}\"'*%_]{0,12}"
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_search_finds_what_looking_at_each_line_finds(
        texts in prop::collection::vec((text(), 0..3_usize), 0..60),
        query in "[abAB \u{e9}\u{4e2d}\u{df}\"*%]{1,6}",
        indexed in 0..60_usize,
        room in 0..3_usize,
        limit in 1..8_usize,
        page in 1..9_usize,
    ) {
        let dir = TempDir::new().unwrap();
        let names = ["lobby", "tea", "den"];
        let lines: Vec<(Line, usize)> = texts.iter().zip(1..).map(|((text, room), seq)| (line(seq, text), *room)).collect();
        let record = |(line, room): &(Line, usize)| Record::Line {
            room: RoomId(*room as u64), name: name(names[*room]), line: Arc::new(line.clone()), encrypted: false,
        };
        write_here(dir.path(), &settings(), lines.iter().map(|line| (line.0.seq, record(line))));
        let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
        if indexed > 0 {
            index::add_some(&mut db, indexed).unwrap();
        }
        let folded = name::fold(&query);
        let model: Vec<u64> = lines
            .iter()
            .filter(|(line, of)| *of == room && name::fold(line.said.text()).contains(&folded))
            .map(|(line, _)| line.seq)
            .collect();
        // As an administrator reads: page by page, in both orders.
        let what = Selector { room: Some(names[room].into()), text: Some(folded.clone()), ..Selector::default() };
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (mut found, mut from) = (Vec::new(), None);
            loop {
                let page = find::page(&db, Which { what: &what, row: None }, order, from, page).unwrap();
                found.extend(page.lines.iter().map(|(line, _)| line.seq));
                let onward = |next: &u64| from.is_none_or(|from| if order == Order::OldestFirst { *next > from } else { *next < from });
                match page.next.filter(onward) {
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
            found.sort_unstable();
            prop_assert_eq!(&found, &model);
        }
        // As a person searches.
        let reader = Reader::open(&database(&dir)).unwrap();
        let search = Search {
            session: SessionId(1), number: 1, room: RoomId(room as u64), name: name(names[room]),
            shown: "".into(), query: folded.into(), limit,
            from: 0,
            origin: None,
            report: None,
        };
        let found = reader.search(&search, Instant::now() + Duration::from_secs(20)).unwrap();
        let seqs: Vec<u64> = found.lines.iter().map(|line| line.seq).collect();
        prop_assert_eq!(&seqs[..], &model[model.len().saturating_sub(limit)..]);
        prop_assert_eq!(found.reach, Reach::All);
        let last = reader.dump(&Query { what, last: Some(limit as u64) }, &mut |_| true);
        prop_assert!(last.is_ok());
    }

    #[test]
    fn no_file_makes_it_panic(at in 0..1000_usize, bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        let dir = TempDir::new().unwrap();
        write_here(dir.path(), &settings(), (1..=50).map(|seq| (seq, record(line(seq, "some words to be found")))));
        index_all(&database(&dir));
        let mut file = std::fs::read(database(&dir)).unwrap();
        let at = (file.len() - bytes.len()) * at / 1000;
        file[at..at + bytes.len()].copy_from_slice(&bytes);
        std::fs::write(database(&dir), &file).unwrap();
        // The file is refused, set aside, or read as far as it makes sense; then it is searched and
        // dumped.
        if let Ok(open) = open_with(dir.path(), &settings()) {
            open.store.record(1, record(line(10_000_000_000_000, "new")));
            open.until_recorded(1);
            if let Ok(reader) = open.store.source().open() {
                let _ = reader.dump(&Query::default(), &mut |_| true);
                let _ = reader.count(&Selector { text: Some("words".into()), ..Selector::default() });
                let _ = reader.stats();
            }
            open.store.close(Duration::from_secs(20)).ok();
        }
    }
}

#[test]
fn a_million_lines_are_written_indexed_and_found() {
    let dir = TempDir::new().unwrap();
    let words = ["tea", "ship", "lantern", "quiet", "river", "seven", "copper", "window", "paper", "north"];
    let text = |seq: u64| {
        let word = |n: u64| words[usize::try_from((seq / n) % 10).unwrap()];
        let mark = if seq % 100_000 == 77 { " needle" } else { "" };
        format!("{} {} {} {}{mark}", word(1), word(7), word(31), word(113))
    };
    let begin = Instant::now();
    let (_, told) =
        write_here(dir.path(), &settings(), (1..=1_000_000).map(|seq| (seq, record(line(seq, &text(seq))))));
    assert_eq!(told.last(), Some(&1_000_000));
    let written = begin.elapsed();
    let reader = Reader::open(&database(&dir)).unwrap();
    let mut next = 1;
    reader
        .dump(&Query::default(), &mut |lines| {
            assert!(lines.len() <= 256, "no more than a page at a time");
            for (line, _) in lines {
                assert_eq!(line.seq, next);
                next += 1;
            }
            true
        })
        .unwrap();
    assert_eq!(next, 1_000_001);
    let dumped = begin.elapsed() - written;
    let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
    let mut more = true;
    // Only a part of the index is made here, to save time.
    while more && Meta::read(&db).unwrap().indexed < 100_000 {
        more = index::add_some(&mut db, 500).unwrap();
    }
    let indexed = begin.elapsed() - written - dumped;
    let needle = Selector { text: Some("needle".into()), to: Some(100_000), ..Selector::default() };
    assert_eq!(seqs(&reader, needle), [77]);
    eprintln!("a million lines: written in {written:?}, read in {dumped:?}; 100,000 of them indexed in {indexed:?}");
}
