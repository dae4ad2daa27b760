//! The stage for the tests of the store: a store in a temporary directory, with its answers. And
//! tests of writing, recalling, and crashes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::history::{index, retention};
use super::step::tests::watch;
use super::writer::Writer;
use super::{Answer, FILE, Health, Job, OpenError, Query, Reader, StateDir, Store, schema};
use crate::hub::archive::{Recalled, Record, Selector};
use crate::hub::ignore::Borne;
use crate::hub::memo::Memo;
use crate::hub::message::{Line, Said};
use crate::hub::report::{Closed, Party, Report};
use crate::hub::sanction::{Author, Kind, Order, Sanction, Target};
use crate::settings::{History, Sync};
use crate::values::id::{AccountId, MemoId, ReportId, RoomId, SanctionId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::time::Wall;

// ---------------------------------------------------------------------------------------------
// The stage

pub(super) fn database(dir: &TempDir) -> PathBuf {
    dir.path().join(FILE)
}

pub(super) fn settings() -> History {
    History { sync: Sync::Normal, keep: None, ..History::default() }
}

pub(super) fn name(text: &str) -> Name {
    Name::parse(text, 64).unwrap()
}

pub(super) const LOBBY: RoomId = RoomId(0);

pub(super) fn line(seq: u64, text: &str) -> Line {
    let said = Said::Say { nick: "ann".into(), text: text.into() };
    Line {
        seq,
        at: Wall(1_795_341_662_000 + i64::try_from(seq).unwrap()),
        author: Some(SessionId(7)),
        said,
        borne: Borne::default(),
        apart: None,
        origin: None,
    }
}

pub(super) fn record(line: Line) -> Record {
    Record::Line { room: LOBBY, name: name("lobby"), line: Arc::new(line), encrypted: false }
}

/// A store with its answers so far.
pub(super) struct Open {
    pub(super) store: Store,
    pub(super) told: Receiver<Answer>,
    pub(super) recalled: Recalled,
}

pub(super) fn open_with(path: &Path, settings: &History) -> Result<Open, OpenError> {
    let (tell, told) = channel();
    let dir = StateDir::take(path)?;
    let tell = Mutex::new(tell);
    let (store, recalled) =
        Store::open(dir, settings, Arc::new(move |answer| drop(tell.lock().unwrap().send(answer))))?;
    Ok(Open { store, told, recalled })
}

pub(super) fn open(dir: &TempDir) -> Open {
    open_with(dir.path(), &settings()).unwrap()
}

impl Open {
    /// Waits until the store answers that record `number` is on disk. Returns the redactions
    /// finished meanwhile.
    #[track_caller]
    pub(super) fn until_recorded(&self, number: u64) -> Vec<(u64, u64)> {
        let mut found = Vec::new();
        loop {
            match self.told.recv_timeout(Duration::from_secs(20)) {
                Ok(Answer::Recorded { through, redacted }) => {
                    found.extend(redacted);
                    if through >= number {
                        return found;
                    }
                }
                Ok(Answer::Found { .. }) => {}
                Ok(Answer::BegunAnew | Answer::Recalled(_)) => {}
                Err(_) => panic!("record {number} is not written: {:?}", self.store.health()),
            }
        }
    }

    /// Waits until the store answers with the contents of the file.
    #[track_caller]
    pub(super) fn until_recalled(&self) -> Recalled {
        loop {
            match self.told.recv_timeout(Duration::from_secs(20)) {
                Ok(Answer::Recalled(recalled)) => return *recalled,
                Ok(_) => {}
                Err(_) => panic!("nothing is recalled: {:?}", self.store.health()),
            }
        }
    }

    pub(super) fn reader(&self) -> Reader {
        self.store.source().open().unwrap()
    }

    #[track_caller]
    pub(super) fn close(self) {
        assert_eq!(self.store.close(Duration::from_secs(20)), Ok(()), "not everything is written");
    }
}

pub(super) fn dump(reader: &Reader, query: &Query) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    reader
        .dump(query, &mut |lines| {
            found.extend(lines.iter().map(|(line, _)| (line.seq, line.said.text().to_owned())));
            true
        })
        .unwrap();
    found
}

pub(super) fn seqs(reader: &Reader, what: Selector) -> Vec<u64> {
    dump(reader, &Query { what, last: None }).into_iter().map(|(seq, _)| seq).collect()
}

pub(super) fn index_all(path: &Path) {
    let mut db = schema::open(path, Sync::Normal).unwrap();
    while index::add_some(&mut db, 100).unwrap() {}
}

/// Runs a writer on this thread, which writes `records` and ends. Returns the state it read at its
/// start, and each number up to which it answered that records are on disk.
pub(super) fn write_here(
    dir: &Path,
    settings: &History,
    records: impl Iterator<Item = (u64, Record)>,
) -> (Recalled, Vec<u64>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = {
        let told = told.clone();
        Arc::new(move |answer| {
            if let Answer::Recorded { through, .. } = answer {
                told.lock().unwrap().push(through);
            }
        })
    };
    let (jobs, receiver) = channel();
    records.for_each(|(number, record)| jobs.send(Job::Record(number, record)).unwrap());
    let health = Arc::new(Mutex::new(Health::default()));
    let state = Arc::new(StateDir::take(dir).unwrap());
    let (writer, recalled) =
        Writer::open(state, dir.join(FILE), settings.clone(), receiver, tell, health.clone()).unwrap();
    drop(jobs);
    writer.run();
    let told = told.lock().unwrap().clone();
    (recalled, told)
}

// ---------------------------------------------------------------------------------------------
// Writing and recalling

#[test]
fn what_was_recorded_is_recalled_and_numbers_go_on() {
    let dir = TempDir::new().unwrap();
    let first = open(&dir);
    assert_eq!(first.recalled, Recalled::default());
    for seq in 1..=5 {
        first.store.record(seq + 10, record(line(seq, &format!("line {seq}"))));
    }
    first.until_recorded(15);
    first.close();
    let second = open(&dir);
    assert_eq!((second.recalled.last_line, second.recalled.last_session), (5, 7));
    let [room] = &second.recalled.rooms[..] else { panic!("{:?}", second.recalled) };
    assert_eq!((room.room, room.name.as_str()), (LOBBY, "lobby"));
    assert_eq!(room.lines, (1..=5).map(|seq| line(seq, &format!("line {seq}"))).collect::<Vec<_>>());
}

#[test]
fn numbers_of_deleted_records_are_not_given_again() {
    let ban = |id| {
        let order = Order::about(Kind::Ban, Target::Network("192.0.2.7".parse().unwrap()));
        Record::Sanction(Box::new(Sanction::new(SanctionId(id), order, Author::Uid(0), Wall(1))))
    };
    let memo = |id| {
        Record::Memo(Box::new(Memo {
            id: MemoId(id),
            at: Wall(1),
            to: AccountId(1),
            from: None,
            session: SessionId(1),
            name: "ann".into(),
            text: "hi".into(),
            unheard: false,
            origin: None,
        }))
    };
    let dir = TempDir::new().unwrap();
    let gone = [ban(3), Record::Lifted(SanctionId(3)), ban(2), memo(9), Record::Unmemo(MemoId(9))];
    write_here(dir.path(), &settings(), (1..).zip(gone));
    let (recalled, _) = write_here(dir.path(), &settings(), std::iter::empty());
    assert_eq!((recalled.sanctions.len(), recalled.memos.len()), (1, 0));
    assert_eq!((recalled.last_sanction, recalled.last_memo), (3, 9));
    assert_eq!((recalled.last_account, recalled.last_report), (0, 0));
}

#[test]
fn reports_come_back_as_they_were() {
    let party = |name: &str, account| Party { name: name.into(), account, session: SessionId(3) };
    let open = Report {
        id: ReportId(1),
        at: Wall(5),
        last: Wall(9),
        times: 3,
        by: party("ann", Some(AccountId(4))),
        shadow: true,
        about: party("b\u{f6}b", None),
        room: RoomId(2),
        room_name: "tea".into(),
        reason: "he is 'rude'".into(),
        erased: false,
        lines: vec![7, 12, 900],
        origin: None,
        closed: None,
    };
    let closed = |id, by, note: Option<&str>| Report {
        id: ReportId(id),
        closed: Some(Closed { by, at: Wall(77), note: note.map(Into::into) }),
        lines: Vec::new(),
        ..open.clone()
    };
    let reports = [
        open.clone(),
        closed(2, Author::Account("olga".into()), Some("seen")),
        closed(3, Author::Uid(1000), None),
        Report { reason: "".into(), erased: true, by: party("", None), ..closed(4, Author::Hub, None) },
        Report { reason: "".into(), id: ReportId(5), ..open.clone() },
    ];
    let dir = TempDir::new().unwrap();
    let put = |report: &Report| Record::Report(Box::new(report.clone()));
    // The store does not write a report's origin; a report replaces the former one with the same
    // number.
    let first = Report { origin: Some(Origin::of([192, 0, 2, 1].into())), times: 1, ..open.clone() };
    let records = [put(&first)].into_iter().chain(reports.iter().map(put));
    let records = records.chain([put(&Report { id: ReportId(6), ..open }), Record::Unreport(ReportId(6))]);
    write_here(dir.path(), &settings(), (1..).zip(records));
    let (recalled, _) = write_here(dir.path(), &settings(), std::iter::empty());
    assert_eq!(recalled.reports, reports);
    assert_eq!(super::recall::rescue(&schema::open_for_reading(&database(&dir)).unwrap()).reports, reports);
}

#[test]
fn memos_come_back_as_they_were_and_nothing_is_left_of_those_that_were_shown() {
    let memo = |id, text: &str| Memo {
        id: MemoId(id),
        at: Wall(5),
        to: AccountId(2),
        from: Some(AccountId(4)),
        session: SessionId(3),
        name: "b\u{f6}b".into(),
        text: text.into(),
        unheard: false,
        origin: None,
    };
    let kept = [memo(1, "it's \u{4e2d}"), Memo { from: None, ..memo(3, "later") }];
    let dir = TempDir::new().unwrap();
    let put = |memo: &Memo| Record::Memo(Box::new(memo.clone()));
    let first = Memo { origin: Some(Origin::of([192, 0, 2, 1].into())), ..memo(3, "the text before") };
    let shown = memo(2, "the text that was shown");
    let records = [put(&first), put(&shown)].into_iter().chain(kept.iter().map(put));
    write_here(dir.path(), &settings(), (1..).zip(records.chain([Record::Unmemo(MemoId(2))])));
    let (recalled, _) = write_here(dir.path(), &settings(), std::iter::empty());
    assert_eq!(recalled.memos, kept);
    assert_eq!(super::recall::rescue(&schema::open_for_reading(&database(&dir)).unwrap()).memos, kept);
    let file = std::fs::read(database(&dir)).unwrap();
    let has = |text: &str| file.windows(text.len()).any(|some| some == text.as_bytes());
    assert!(has("later") && !has("the text before") && !has("the text that was shown"));
}

#[test]
fn every_kind_that_is_kept_comes_back_as_it_was() {
    let dir = TempDir::new().unwrap();
    let kinds = [
        Said::Say { nick: "ann".into(), text: "a\u{301} \u{4e2d} 'x' \"y\"".into() },
        Said::Emote { nick: "ann".into(), text: "waves".into() },
        Said::Notice { text: "down at ten".into() },
        Said::Topic { nick: Some("ann".into()), text: "tea".into() },
        Said::Topic { nick: None, text: "".into() },
        Said::Redacted,
    ];
    let lines: Vec<_> = kinds
        .into_iter()
        .enumerate()
        .map(|(at, said)| Line { said, author: None, ..line(at as u64 + 1, "") })
        .collect();
    let open = open(&dir);
    lines.iter().for_each(|line| open.store.record(line.seq, record(line.clone())));
    open.until_recorded(6);
    open.close();
    assert_eq!(self::open(&dir).recalled.rooms[0].lines, lines);
}

#[test]
fn who_came_and_went_is_not_written() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    let joined = Line { said: Said::Joined { nick: "ann".into() }, ..line(1, "") };
    open.store.record(1, record(joined));
    open.until_recorded(1);
    assert_eq!(dump(&open.reader(), &Query::default()), []);
}

#[test]
fn writing_twice_is_writing_once() {
    let dir = TempDir::new().unwrap();
    for _ in 0..3 {
        let open = open(&dir);
        for seq in 1..=3 {
            open.store.record(seq, record(line(seq, "once")));
        }
        open.until_recorded(3);
        assert_eq!(open.store.health().lines, 3);
        open.close();
    }
    assert_eq!(seqs(&open(&dir).reader(), Selector::default()), [1, 2, 3]);
}

#[test]
fn a_closed_room_is_not_recalled_and_an_open_one_of_that_name_is() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    let said = |room, seq| Record::Line {
        room: RoomId(room as u64),
        name: name("Tea"),
        line: Arc::new(line(seq, "tea")),
        encrypted: false,
    };
    open.store.record(1, said(3, 1));
    open.store.record(2, Record::Closed { room: RoomId(3), name: name("Tea") });
    open.store.record(3, said(4, 2));
    open.store.record(4, Record::Closed { room: RoomId(9), name: name("never") });
    open.until_recorded(4);
    open.close();
    let open = self::open(&dir);
    let rooms: Vec<_> = open.recalled.rooms.iter().map(|room| (room.room.0, room.lines.len())).collect();
    assert_eq!(rooms, [(4, 1)]);
    assert_eq!(open.recalled.last_room, 4);
    // An administrator sees the lines of both rooms.
    assert_eq!(seqs(&open.reader(), Selector { room: Some("tea".into()), ..Selector::default() }), [1, 2]);
}

#[test]
fn it_is_recalled_which_lines_of_a_room_were_said_while_it_was_encrypted() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    // Open to all, then encrypted, then open to all again.
    let said = |seq: u64, room: &str, encrypted| Record::Line {
        room: RoomId(if room == "tea" { 3 } else { 4 }),
        name: name(room),
        line: Arc::new(line(seq, "a line")),
        encrypted,
    };
    let lines = [(1, "tea", false), (2, "den", false), (3, "tea", true), (4, "tea", true), (5, "tea", false)];
    for (number, (seq, room, encrypted)) in (1..).zip(lines) {
        open.store.record(number, said(seq, room, encrypted));
    }
    // What is written again after a crash changes nothing.
    open.store.record(6, said(3, "tea", true));
    open.until_recorded(6);
    open.close();
    let open = self::open(&dir);
    let mut rooms: Vec<_> =
        open.recalled.rooms.iter().map(|room| (room.name.as_str(), room.lines.len(), room.plain_from)).collect();
    rooms.sort_unstable();
    assert_eq!(rooms, [("den", 1, 0), ("tea", 4, 5)]);
}

#[test]
fn the_last_lines_are_recalled_as_far_as_memory_is_for_them() {
    let dir = TempDir::new().unwrap();
    write_here(dir.path(), &settings(), (1..=100).map(|seq| (seq, record(line(seq, "0123456789")))));
    let limits = History { lines: 7, ..settings() };
    let by_count = open_with(dir.path(), &limits).unwrap();
    assert_eq!(
        by_count.recalled.rooms[0].lines.iter().map(|line| line.seq).collect::<Vec<_>>(),
        [94, 95, 96, 97, 98, 99, 100]
    );
    by_count.close();
    let by_bytes = open_with(dir.path(), &History { bytes: 35, ..settings() }).unwrap();
    assert_eq!(by_bytes.recalled.rooms[0].lines.len(), 3);
}

// ---------------------------------------------------------------------------------------------
// Crashes

/// The files at one moment, as a crash at that moment would leave them.
pub(super) struct Moment {
    pub(super) step: String,
    pub(super) dir: TempDir,
    pub(super) told: Vec<u64>,
}

pub(super) fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The lock ends with the process, and SQLite makes the shared memory again from the log.
        if !["lock", "chathub.db-shm"].contains(&entry.file_name().to_str().unwrap()) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[track_caller]
pub(super) fn is_sound(path: &Path) {
    let db = Connection::open(path).unwrap();
    let answer: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(answer, "ok");
    db.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 0)", []).unwrap();
    let (rows, counted): (i64, i64) = db
        .query_row("SELECT (SELECT count(*) FROM lines), lines FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(rows, counted, "lines are counted wrong");
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_reported_as_written() {
    let dir = TempDir::new().unwrap();
    let records: Vec<(u64, Record)> = {
        let redact = Selector { to: Some(20), text: Some("five".into()), ..Selector::default() };
        let mut records: Vec<Record> =
            (1..=20).map(|seq| record(line(seq, if seq % 5 == 0 { "five" } else { "line" }))).collect();
        records.push(Record::Closed { room: LOBBY, name: name("lobby") });
        records.push(Record::Redact(Arc::new(redact)));
        records.extend((21..=30).map(|seq| record(line(seq, "late five"))));
        (100..).zip(records).collect()
    };
    let moments: Rc<RefCell<Vec<Moment>>> = Rc::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    {
        let (moments, told, path) = (moments.clone(), told.clone(), dir.path().to_owned());
        watch(Some(Box::new(move |step| {
            let moment =
                Moment { step: step.to_owned(), dir: TempDir::new().unwrap(), told: told.lock().unwrap().clone() };
            copy(&path, moment.dir.path());
            moments.borrow_mut().push(moment);
        })));
    }
    let (jobs, receiver) = channel();
    records.iter().for_each(|(number, record)| jobs.send(Job::Record(*number, record.clone())).unwrap());
    drop(jobs);
    let tell = {
        let told = told.clone();
        Arc::new(move |answer| {
            if let Answer::Recorded { through, .. } = answer {
                told.lock().unwrap().push(through);
            }
        })
    };
    let state = Arc::new(StateDir::take(dir.path()).unwrap());
    let limits = History { keep_lines: 25, ..settings() };
    let health = Arc::new(Mutex::new(Health::default()));
    let (writer, _) = Writer::open(state, database(&dir), limits.clone(), receiver, tell, health).unwrap();
    writer.run();
    {
        // The upkeep, which the writer does when no record waits.
        let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
        while index::add_some(&mut db, 7).unwrap() {}
        while let Some(excess) = retention::excess(&db, &limits, Wall(0)).unwrap() {
            retention::delete_some(&mut db, excess, 2).unwrap();
        }
    }
    watch(None);
    let moments = moments.take();
    let steps: BTreeMap<&str, usize> = moments.iter().fold(BTreeMap::new(), |mut steps, moment| {
        *steps.entry(moment.step.as_str()).or_default() += 1;
        steps
    });
    assert_eq!(steps.len(), 9, "{steps:?}");
    for moment in &moments {
        let story = format!("crash {}, told {:?}", moment.step, moment.told);
        let done = moment.told.last().copied().unwrap_or(0);
        if moment.step == "before a migration is committed" {
            assert_eq!(done, 0, "{story}");
        } else {
            let reader = Reader::open(&database(&moment.dir)).unwrap();
            let on_disk = seqs(&reader, Selector::default());
            let said = |record: &Record| match record {
                Record::Line { line, .. } => Some(line.seq),
                _ => None,
            };
            let told: Vec<u64> =
                records.iter().filter(|(number, _)| *number <= done).filter_map(|(_, record)| said(record)).collect();
            let left = 30 - on_disk.iter().copied().max().unwrap_or(0);
            assert!(
                told.iter().all(|seq| on_disk.contains(seq)) || moment.step == "before old lines are deleted",
                "{story}: {on_disk:?}"
            );
            assert!(
                on_disk.windows(2).all(|pair| pair[1] == pair[0] + 1),
                "{story}: holes in {on_disk:?}, {left} missing"
            );
        }
        // After such a crash the hub hands out again the records that were not answered. Then the
        // file must be as if there had been no crash.
        let again: Vec<_> = records.iter().filter(|(number, _)| *number > done).cloned().collect();
        write_here(moment.dir.path(), &settings(), again.into_iter());
        is_sound(&database(&moment.dir));
        let reader = Reader::open(&database(&moment.dir)).unwrap();
        let found = dump(&reader, &Query::default());
        let expected: Vec<(u64, String)> = (1..=30)
            .map(|seq| {
                (
                    seq,
                    if seq > 20 {
                        "late five"
                    } else if seq % 5 == 0 {
                        ""
                    } else {
                        "line"
                    }
                    .to_owned(),
                )
            })
            .collect();
        let first = found.first().map_or(1, |(seq, _)| *seq);
        assert!(first == 1 || moment.step == "before old lines are deleted", "{story}");
        assert_eq!(found, expected[usize::try_from(first).unwrap() - 1..], "{story}");
    }
}
