use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use super::history::{self, Order, Which};
use super::writer::{Writer, tests::watch};
use super::{Answer, FILE, Health, Job, OpenError, Query, Reader, StateDir, Store, schema};
use crate::hub::account::{Account, Role};
use crate::hub::archive::{Reach, Recalled, Record, Search, Selector};
use crate::hub::ignore::Borne;
use crate::hub::message::{Line, Said};
use crate::hub::moderation::{Author, Ban, Target};
use crate::settings::{History, Sync};
use crate::values::id::AccountId;
use crate::values::id::BanId;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::time::Wall;

// ---------------------------------------------------------------------------------------------
// The stage

fn database(dir: &TempDir) -> PathBuf {
    dir.path().join(FILE)
}

fn settings() -> History {
    History { sync: Sync::Normal, keep: None, ..History::default() }
}

fn name(text: &str) -> Name {
    Name::parse(text, 64).unwrap()
}

const LOBBY: RoomId = RoomId(0);

fn line(seq: u64, text: &str) -> Line {
    let said = Said::Say { nick: "ann".into(), text: text.into() };
    Line {
        seq,
        at: Wall(1_795_341_662_000 + i64::try_from(seq).unwrap()),
        author: Some(SessionId(7)),
        said,
        borne: Borne::default(),
    }
}

fn record(line: Line) -> Record {
    Record::Line { room: LOBBY, name: name("lobby"), line: Arc::new(line) }
}

/// A store with what it has told.
struct Open {
    store: Store,
    told: Receiver<Answer>,
    recalled: Recalled,
}

fn open_with(path: &Path, settings: &History) -> Result<Open, OpenError> {
    let (tell, told) = channel();
    let dir = StateDir::take(path)?;
    let tell = Mutex::new(tell);
    let (store, recalled) =
        Store::open(dir, settings, Arc::new(move |answer| drop(tell.lock().unwrap().send(answer))))?;
    Ok(Open { store, told, recalled })
}

fn open(dir: &TempDir) -> Open {
    open_with(dir.path(), &settings()).unwrap()
}

impl Open {
    /// Waits until that record is told to be on disk; what redactions have found until then.
    #[track_caller]
    fn until_recorded(&self, number: u64) -> Vec<(u64, u64)> {
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

    /// Waits until it tells what stands in the file.
    #[track_caller]
    fn until_recalled(&self) -> Recalled {
        loop {
            match self.told.recv_timeout(Duration::from_secs(20)) {
                Ok(Answer::Recalled(recalled)) => return *recalled,
                Ok(_) => {}
                Err(_) => panic!("nothing is recalled: {:?}", self.store.health()),
            }
        }
    }

    fn reader(&self) -> Reader {
        self.store.source().open().unwrap()
    }

    #[track_caller]
    fn close(self) {
        assert!(self.store.close(Duration::from_secs(20)), "not everything is written");
    }
}

fn dump(reader: &Reader, query: &Query) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    reader
        .dump(query, &mut |lines| {
            found.extend(lines.iter().map(|(line, _)| (line.seq, line.said.text().to_owned())));
            true
        })
        .unwrap();
    found
}

fn seqs(reader: &Reader, what: Selector) -> Vec<u64> {
    dump(reader, &Query { what, last: None }).into_iter().map(|(seq, _)| seq).collect()
}

fn index_all(path: &Path) {
    let mut db = schema::open(path, Sync::Normal).unwrap();
    while history::index_some(&mut db, 100).unwrap() {}
}

/// A writer on this thread that does `records` and ends; what it tells, and its answers.
fn write_here(dir: &Path, settings: &History, records: impl Iterator<Item = (u64, Record)>) -> (Recalled, Vec<u64>) {
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
    let said =
        |room, seq| Record::Line { room: RoomId(room as u64), name: name("Tea"), line: Arc::new(line(seq, "tea")) };
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
    // An administrator sees both.
    assert_eq!(seqs(&open.reader(), Selector { room: Some("tea".into()), ..Selector::default() }), [1, 2]);
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

/// What is on disk at one moment, as a crash at that moment would leave it.
struct Moment {
    step: String,
    dir: TempDir,
    told: Vec<u64>,
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // The lock is the process', and the shared memory is made anew from the log.
        if !["lock", "chathub.db-shm"].contains(&entry.file_name().to_str().unwrap()) {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[track_caller]
fn is_sound(path: &Path) {
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
fn a_crash_at_any_step_loses_nothing_that_was_told_and_what_was_not_told_can_be_written_again() {
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
        // And what is done when nothing else is to be done.
        let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
        while history::index_some(&mut db, 7).unwrap() {}
        while let Some(excess) = history::excess(&db, &limits, Wall(0)).unwrap() {
            history::leave_some(&mut db, excess, 2).unwrap();
        }
    }
    watch(None);
    let moments = moments.take();
    let steps: BTreeMap<&str, usize> = moments.iter().fold(BTreeMap::new(), |mut steps, moment| {
        *steps.entry(moment.step.as_str()).or_default() += 1;
        steps
    });
    assert_eq!(steps.len(), 8, "{steps:?}");
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
                told.iter().all(|seq| on_disk.contains(seq)) || moment.step == "before lines are left behind",
                "{story}: {on_disk:?}"
            );
            assert!(
                on_disk.windows(2).all(|pair| pair[1] == pair[0] + 1),
                "{story}: holes in {on_disk:?}, {left} missing"
            );
        }
        // A hub that has survived hands out again what it was not told of; in the end all is as if
        // nothing had happened.
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
        assert!(first == 1 || moment.step == "before lines are left behind", "{story}");
        assert_eq!(found, expected[usize::try_from(first).unwrap() - 1..], "{story}");
    }
}

#[test]
fn a_damaged_file_is_set_aside_with_its_log_and_another_is_begun() {
    let dir = TempDir::new().unwrap();
    write_here(
        dir.path(),
        &settings(),
        (1..=2000).map(|seq| (seq, record(line(seq, "something that is not short at all")))),
    );
    let mut bytes = std::fs::read(database(&dir)).unwrap();
    let (begin, end) = (4096, bytes.len());
    bytes[begin..end].fill(0x5a);
    std::fs::write(database(&dir), &bytes).unwrap();

    let open = open(&dir);
    let health = open.store.health();
    let aside = health.set_aside.expect("it was set aside");
    let kept = std::fs::read(&aside).unwrap();
    assert!(kept.len() == bytes.len() && kept[4096..] == bytes[4096..], "what was there is there still");
    assert!(aside.file_name().unwrap().to_str().unwrap().starts_with("chathub.db.damaged-20"), "{aside:?}");
    assert!(open.recalled.last_line > 1_700_000_000_000, "numbers go on above all there were: {:?}", open.recalled);
    let seq = open.recalled.last_line + 1;
    open.store.record(1, record(line(seq, "new")));
    open.until_recorded(1);
    assert_eq!(seqs(&open.reader(), Selector::default()), [seq]);
    open.close();
    assert_eq!(self::open(&dir).recalled.last_line, seq);
}

#[test]
fn a_file_that_is_damaged_while_it_is_open_is_set_aside_and_what_waits_goes_to_the_next() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    for seq in 1..=3000 {
        open.store.record(seq, record(line(seq, "something that is not short at all")));
    }
    open.until_recorded(3000);
    // Behind the back of the writer: a page of lines makes no sense any more.
    let page: u64 = {
        let db = Connection::open(database(&dir)).unwrap();
        let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'lines'", [], |row| row.get::<_, i64>(0)).unwrap()
            as u64
    };
    {
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::OpenOptions::new().write(true).open(database(&dir)).unwrap();
        file.write_all_at(&[0x5a; 4096], (page - 1) * 4096).unwrap();
    }
    // Whoever finds it tells.
    let reader = open.reader();
    assert!(reader.dump(&Query::default(), &mut |_| true).is_err());
    drop(reader);
    let mut seq = 3000;
    let end = Instant::now() + Duration::from_secs(20);
    while open.store.health().sets_aside == 0 {
        assert!(Instant::now() < end, "{:?}", open.store.health());
        seq += 1;
        open.store.record(seq, record(line(seq, "meanwhile")));
        open.until_recorded(seq);
    }
    open.store.record(seq + 1, record(line(seq + 1, "after")));
    open.until_recorded(seq + 1);
    assert_eq!(open.store.health().trouble, None);
    assert_eq!(seqs(&open.reader(), Selector { text: Some("after".into()), ..Selector::default() }), [seq + 1]);
    open.close();
    assert_eq!(self::open(&dir).recalled.last_line, seq + 1);
}

#[test]
fn files_of_others_and_of_newer_versions_are_refused_and_stay_as_they_are() {
    let newer = TempDir::new().unwrap();
    write_here(newer.path(), &settings(), std::iter::once((1, record(line(1, "new")))));
    Connection::open(database(&newer)).unwrap().pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
    let foreign = TempDir::new().unwrap();
    Connection::open(database(&foreign)).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    for (dir, words) in [(&newer, "written by a newer chathub"), (&foreign, "a database of another program")] {
        let before = std::fs::read(database(dir)).unwrap();
        let error = open_with(dir.path(), &settings()).err().expect("it is refused").to_string();
        assert!(error.contains(words) && error.contains(database(dir).to_str().unwrap()), "{error}");
        assert_eq!(std::fs::read(database(dir)).unwrap(), before);
        assert_eq!(
            std::fs::read_dir(dir.path())
                .unwrap()
                .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("damaged"))
                .count(),
            0
        );
    }
}

#[test]
fn a_file_that_is_no_database_is_set_aside() {
    let dir = TempDir::new().unwrap();
    std::fs::write(database(&dir), "Dear diary, ".repeat(1000)).unwrap();
    let open = open(&dir);
    let aside = open.store.health().set_aside.expect("it was set aside");
    assert!(std::fs::read_to_string(aside).unwrap().starts_with("Dear diary"));
}

#[test]
fn one_daemon_uses_a_directory_at_a_time() {
    let dir = TempDir::new().unwrap();
    let first = open(&dir);
    let error = open_with(dir.path(), &settings()).err().expect("it is refused");
    let text = error.to_string();
    assert!(matches!(error, OpenError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{text}");
    assert!(text.contains("another chathub uses the state directory"), "{text}");
    first.close();
    open(&dir);
}

#[test]
fn a_disk_that_takes_nothing_is_tried_until_it_takes_something() {
    let dir = TempDir::new().unwrap();
    // Where the directory is to be, there is something else.
    let path = dir.path().join("state");
    std::fs::write(&path, "in the way").unwrap();
    let open = open_with(&path, &settings()).unwrap();
    assert!(open.recalled.last_line > 1_700_000_000_000, "{:?}", open.recalled);
    assert!(open.store.health().trouble.is_some());
    let seq = open.recalled.last_line + 1;
    open.store.record(1, record(line(seq, "kept meanwhile")));
    assert!(open.told.recv_timeout(Duration::from_millis(700)).is_err(), "nothing is on disk");
    std::fs::remove_file(&path).unwrap();
    open.until_recorded(1);
    assert_eq!(open.store.health().trouble, None);
    assert_eq!(seqs(&open.reader(), Selector::default()), [seq]);
}

#[test]
fn a_file_that_another_program_has_locked_is_written_when_it_lets_go() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    let other = Connection::open(database(&dir)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    open.store.record(1, record(line(1, "wait")));
    let end = Instant::now() + Duration::from_secs(20);
    while open.store.health().trouble.is_none() {
        assert!(Instant::now() < end);
        std::thread::yield_now();
    }
    let (text, _) = open.store.health().trouble.unwrap();
    assert!(text.contains("locked"), "{text}");
    other.execute_batch("ROLLBACK").unwrap();
    open.until_recorded(1);
}

#[test]
fn a_file_that_is_full_keeps_what_waits_until_there_is_place() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    open.store.record(1, record(line(1, "fits")));
    open.until_recorded(1);
    open.close();
    // Another file of the same limits is full: what this connection may write has an end.
    let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
    let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let _: i64 = db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
    let mut rooms = history::Rooms::default();
    let batch = db.transaction().unwrap();
    let mut meta = history::Meta::read(&batch).unwrap();
    let lines = (2..5000).try_for_each(|seq| {
        history::append(&batch, &mut rooms, &mut meta, (LOBBY, &name("lobby")), &line(seq, "does not fit"))
    });
    let trouble = lines.expect_err("it is full");
    assert!(matches!(&trouble, super::Trouble::Unavailable(why) if why.contains("full")), "{trouble}");
    drop(batch);
    drop(db);
    is_sound(&database(&dir));
    assert_eq!(seqs(&Reader::open(&database(&dir)).unwrap(), Selector::default()), [1]);
}

// ---------------------------------------------------------------------------------------------
// Bad weather: bans and accounts outlive it

fn ban(id: u64, network: &str) -> Ban {
    let target = Target::Network(network.parse().unwrap());
    Ban { id: BanId(id), target, reason: None, by: Author::Hub, since: Wall(1), until: None }
}

fn account(id: u64, text: &str) -> Account {
    let (since, seen) = (Wall(1), Wall(1));
    Account { id: AccountId(id), name: name(text), hashed: None, role: Role::Member, since, seen, places: Vec::new() }
}

/// A directory with two bans, two accounts and some lines, as a daemon has left it.
fn furnished() -> TempDir {
    let dir = TempDir::new().unwrap();
    let records = [
        Record::Ban(Box::new(ban(1, "192.0.2.0/24"))),
        Record::Ban(Box::new(ban(2, "198.51.100.7"))),
        Record::Account(Box::new(account(1, "ann"))),
        Record::Account(Box::new(account(2, "bob"))),
    ];
    let lines = (1..=50).map(|seq| record(line(seq, "said before")));
    write_here(dir.path(), &settings(), (1..).zip(records.into_iter().chain(lines)));
    dir
}

#[test]
fn names_on_disk_are_read_whatever_names_may_be_now() {
    let dir = furnished();
    let db = Connection::open(database(&dir)).unwrap();
    db.execute_batch(
        "UPDATE accounts SET name = 'ᚠᚱᛁᚦ' WHERE id = 2; UPDATE bans SET network = NULL, name = 'Ann!' WHERE id = 2",
    )
    .unwrap();
    db.execute_batch("UPDATE rooms SET name = 'the–lobby'").unwrap();
    drop(db);
    let recalled = open(&dir).recalled;
    let accounts: Vec<_> = recalled.accounts.iter().map(|account| account.name.shown()).collect();
    let bans: Vec<_> = recalled.bans.iter().map(|ban| ban.target.to_string()).collect();
    assert_eq!(accounts, ["ann", "ᚠᚱᛁᚦ"]);
    assert_eq!(bans, ["192.0.2.0/24", "Ann!"]);
    assert_eq!(recalled.rooms.iter().map(|room| &*room.name).collect::<Vec<_>>(), ["the–lobby"]);
}

/// The same, as a daemon that was killed has left it: all of it is in the log.
fn furnished_in_the_log() -> TempDir {
    let (from, dir) = (furnished(), TempDir::new().unwrap());
    let db = schema::open(&database(&dir), Sync::Normal).unwrap();
    db.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    let old = database(&from);
    db.execute("ATTACH ? AS old", [old.to_str().unwrap()]).unwrap();
    for table in ["bans", "accounts"] {
        db.execute_batch(&format!("INSERT INTO {table} SELECT * FROM old.{table}")).unwrap();
    }
    let copied = TempDir::new().unwrap();
    copy(dir.path(), copied.path());
    copied
}

#[track_caller]
fn has_all(recalled: &Recalled) {
    let bans: Vec<_> = recalled.bans.iter().map(|ban| ban.id.0).collect();
    let accounts: Vec<_> = recalled.accounts.iter().map(|account| account.name.shown()).collect();
    assert_eq!((bans, accounts), (vec![1, 2], vec!["ann", "bob"]), "{recalled:?}");
}

fn names(dir: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_another_program_has_locked_is_read_at_the_start_if_it_lets_us_read() {
    let dir = furnished();
    let other = Connection::open(database(&dir)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let open = open(&dir);
    has_all(&open.recalled);
    assert!(!open.recalled.unread && open.recalled.last_line == 50, "{:?}", open.recalled);
    assert!(open.store.health().trouble.is_some());
    other.execute_batch("ROLLBACK").unwrap();
    open.store.record(100, record(line(51, "after")));
    open.until_recorded(100);
}

#[test]
fn what_another_program_has_for_itself_is_recalled_when_it_lets_go() {
    let dir = furnished();
    let other = Connection::open(database(&dir)).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE").unwrap();
    let open = open(&dir);
    assert!(open.recalled.unread && open.recalled.last_line > 1_700_000_000_000, "{:?}", open.recalled);
    // Recorded meanwhile, and written behind what is there.
    open.store.record(1, Record::Ban(Box::new(ban(open.recalled.last_line + 1, "203.0.113.9"))));
    drop(other);
    let recalled = open.until_recalled();
    has_all(&recalled);
    assert!(!recalled.unread && recalled.rooms[0].lines.len() == 50);
    open.until_recorded(1);
    open.close();
    assert_eq!(self::open(&dir).recalled.bans.len(), 3);
}

#[test]
fn a_file_and_a_directory_that_cannot_be_written_are_read() {
    if nix::unistd::geteuid().is_root() && !immutable_works() {
        return;
    }
    let dir = furnished();
    let unwritable = Unwritable::make(&dir);
    let open = open(&dir);
    has_all(&open.recalled);
    assert!(!open.recalled.unread, "{:?}", open.recalled);
    drop(unwritable);
    open.store.record(100, record(line(51, "after")));
    open.until_recorded(100);
    open.close();
    has_all(&self::open(&dir).recalled);
}

/// A directory whose files nobody can write: by their modes, or for root by chattr(1).
struct Unwritable<'a>(&'a TempDir);

fn chattr(how: &str, dir: &TempDir) -> bool {
    let mut command = std::process::Command::new("chattr");
    let done = command.arg("-R").arg(how).arg(dir.path()).stderr(std::process::Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

fn immutable_works() -> bool {
    let dir = TempDir::new().unwrap();
    let works = chattr("+i", &dir);
    chattr("-i", &dir);
    works
}

impl<'a> Unwritable<'a> {
    fn make(dir: &'a TempDir) -> Self {
        if nix::unistd::geteuid().is_root() {
            assert!(chattr("+i", dir));
        } else {
            modes(dir, 0o400, 0o500);
        }
        Self(dir)
    }
}

impl Drop for Unwritable<'_> {
    fn drop(&mut self) {
        if nix::unistd::geteuid().is_root() {
            chattr("-i", self.0);
        } else {
            modes(self.0, 0o600, 0o700);
        }
    }
}

fn modes(dir: &TempDir, file: u32, directory: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    set(dir.path(), 0o700);
    std::fs::read_dir(dir.path()).unwrap().for_each(|entry| set(&entry.unwrap().path(), file));
    set(dir.path(), directory);
}

#[test]
fn a_file_of_no_bytes_and_one_that_is_gone_are_set_aside_with_their_log_which_is_read() {
    for gone in [false, true] {
        let dir = furnished_in_the_log();
        let log = std::fs::read(dir.path().join("chathub.db-wal")).unwrap();
        match gone {
            true => std::fs::remove_file(database(&dir)).unwrap(),
            false => drop(std::fs::File::create(database(&dir)).unwrap()),
        }
        let open = open(&dir);
        let aside = open.store.health().set_aside.expect("it was set aside");
        let name = aside.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("chathub.db.empty-20"), "{name}");
        let kept = aside.with_file_name(format!("{name}-wal"));
        assert!(std::fs::read(kept).unwrap() == log, "what was in the log is there still");
        // What stood in the file's own first pages is gone, and the log has what was written after that.
        assert_eq!(open.recalled.bans.len() + open.recalled.accounts.len(), rescued(&log), "{:?}", open.recalled);
        open.store.record(1, record(line(open.recalled.last_line + 1, "goes on")));
        open.until_recorded(1);
        open.close();
        assert!(
            !names(&dir).iter().any(|name| name.ends_with(".read") || name.ends_with(".next")),
            "{:?}",
            names(&dir)
        );
    }
}

/// How many bans and accounts can be had of a log: all four, if it has the first page.
fn rescued(log: &[u8]) -> usize {
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    let mut frames = log[32..].chunks_exact(24 + page);
    if frames.any(|frame| frame[..4] == [0, 0, 0, 1]) { 4 } else { 0 }
}

#[test]
fn a_log_of_a_file_that_never_was_written_has_all_of_it() {
    // Every page is in the log: then nothing is lost but the history, which is set aside.
    let dir = furnished();
    let log = {
        let db = Connection::open(database(&dir)).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; VACUUM").unwrap();
        std::fs::read(dir.path().join("chathub.db-wal")).unwrap()
    };
    assert_eq!(rescued(&log), 4, "the first page is in it");
    std::fs::write(database(&dir), "").unwrap();
    std::fs::write(dir.path().join("chathub.db-wal"), &log).unwrap();
    let open = open(&dir);
    has_all(&open.recalled);
    assert!(!open.recalled.unread, "there is nothing else to be read");
}

#[test]
fn an_empty_directory_and_one_with_what_a_crash_has_left_are_begun_without_a_word() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("chathub.db.new"), "half of it").unwrap();
    let open = open(&dir);
    assert_eq!((open.store.health().set_aside, open.recalled.clone()), (None, Recalled::default()));
    assert_eq!(names(&dir).iter().filter(|name| name.contains("new")).count(), 0);
    use std::os::unix::fs::PermissionsExt as _;
    for name in ["chathub.db", "chathub.db-wal", "chathub.db-shm", "lock"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_link_to_a_file_that_is_not_there_yet_stays_a_link() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(other.path().join("elsewhere.db"), database(&dir)).unwrap();
    for _ in 0..2 {
        let open = open(&dir);
        assert_eq!((open.store.health().trouble, open.store.health().set_aside), (None, None));
        open.close();
    }
    assert!(
        std::fs::symlink_metadata(database(&dir)).unwrap().is_symlink() && other.path().join("elsewhere.db").is_file()
    );
}

#[test]
fn a_crash_while_a_file_is_set_aside_loses_no_ban() {
    let dir = furnished();
    {
        let db = Connection::open(database(&dir)).unwrap();
        let page: i64 =
            db.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'lines'", [], |row| row.get(0)).unwrap();
        drop(db);
        use std::os::unix::fs::FileExt as _;
        let file = std::fs::OpenOptions::new().write(true).open(database(&dir)).unwrap();
        file.write_all_at(&[0x5a; 4096], (page as u64 - 1) * 4096).unwrap();
    }
    let moments: Rc<RefCell<Vec<Moment>>> = Rc::default();
    {
        let (moments, path) = (moments.clone(), dir.path().to_owned());
        watch(Some(Box::new(move |step| {
            let moment = Moment { step: step.to_owned(), dir: TempDir::new().unwrap(), told: Vec::new() };
            copy(&path, moment.dir.path());
            moments.borrow_mut().push(moment);
        })));
    }
    let (recalled, _) = write_here(dir.path(), &settings(), std::iter::empty());
    watch(None);
    has_all(&recalled);
    let moments = moments.take();
    assert!(moments.iter().any(|moment| moment.step == "before a damaged file is replaced"));
    for moment in &moments {
        has_all(&open(&moment.dir).recalled);
    }
}

#[test]
fn a_file_that_is_deleted_or_replaced_while_it_is_open_is_noticed_and_everything_told() {
    let (dir, other) = (furnished(), TempDir::new().unwrap());
    write_here(other.path(), &settings(), std::iter::once((1, Record::Ban(Box::new(ban(9, "203.0.113.0/24"))))));
    let open = open(&dir);
    open.store.record(100, record(line(51, "before")));
    open.until_recorded(100);
    std::fs::rename(database(&other), database(&dir)).unwrap();
    let recalled = open.until_recalled();
    assert_eq!(recalled.bans.iter().map(|ban| ban.id.0).collect::<Vec<_>>(), [9]);
    assert!(matches!(open.told.recv_timeout(Duration::from_secs(20)), Ok(Answer::BegunAnew)));
    open.store.record(101, record(line(52, "after")));
    open.until_recorded(101);
    open.close();
    let db = Connection::open(database(&dir)).unwrap();
    assert_eq!(db.query_row("SELECT count(*) FROM bans WHERE id = 9", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}

// ---------------------------------------------------------------------------------------------
// Leaving behind, and removing

fn leave_all(dir: &TempDir, limits: &History, now: Wall) {
    let mut db = schema::open(&database(dir), Sync::Normal).unwrap();
    while let Some(excess) = history::excess(&db, limits, now).unwrap() {
        assert!(history::leave_some(&mut db, excess, 7).unwrap() > 0, "each step gets nearer");
    }
    history::forget_rooms(&db).unwrap();
    drop(db);
    is_sound(&database(dir));
}

#[test]
fn what_is_too_old_or_too_much_is_left_behind() {
    let dir = TempDir::new().unwrap();
    write_here(dir.path(), &settings(), (1..=100).map(|seq| (seq, record(line(seq, "some words")))));
    index_all(&database(&dir));
    let at = |seq: u64| line(seq, "").at;
    let old = History { keep: Some(Duration::from_millis(60)), ..settings() };
    leave_all(&dir, &old, at(100));
    let reader = Reader::open(&database(&dir)).unwrap();
    assert_eq!(seqs(&reader, Selector::default()).first(), Some(&40));
    leave_all(&dir, &History { keep_lines: 10, ..settings() }, at(100));
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
    leave_all(&dir, &History { keep_bytes: 1024 * 1024, ..settings() }, Wall(0));
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
    leave_all(&dir, &History { keep: Some(Duration::from_millis(100)), ..settings() }, Wall(450));
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
    // Said afterwards, and so not meant.
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

/// How many lines the index has under three characters, whether there are such lines or not.
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
    while let (Some(next), _) = history::redact_some(&mut db, &what, from, 7).unwrap() {
        from = next;
    }
    drop(db);
    assert_eq!((indexed(&dir, "zan"), indexed(&dir, "cop")), (25, 50), "what is removed");
    leave_all(&dir, &History { keep_lines: 10, ..settings() }, Wall(0));
    assert_eq!((indexed(&dir, "zan"), indexed(&dir, "cop")), (5, 5), "and what is left behind");
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

/// Texts of few letters, so that there are matches, in several scripts and cases.
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
            room: RoomId(*room as u64), name: name(names[*room]), line: Arc::new(line.clone()),
        };
        write_here(dir.path(), &settings(), lines.iter().map(|line| (line.0.seq, record(line))));
        let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
        if indexed > 0 {
            history::index_some(&mut db, indexed).unwrap();
        }
        let folded = name::fold(&query);
        let model: Vec<u64> = lines
            .iter()
            .filter(|(line, of)| *of == room && name::fold(line.said.text()).contains(&folded))
            .map(|(line, _)| line.seq)
            .collect();
        // As an administrator, page by page, both ways.
        let what = Selector { room: Some(names[room].into()), text: Some(folded.clone()), ..Selector::default() };
        for order in [Order::OldestFirst, Order::NewestFirst] {
            let (mut found, mut from) = (Vec::new(), None);
            loop {
                let page = history::page(&db, Which { what: &what, row: None }, order, from, page).unwrap();
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
        // As a person.
        let reader = Reader::open(&database(&dir)).unwrap();
        let search = Search {
            session: SessionId(1), number: 1, room: RoomId(room as u64), name: name(names[room]),
            shown: "".into(), query: folded.into(), limit,
            from: 0,
            origin: None,
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
        // Refused, set aside, or read as far as it makes sense; then people's searches and dumps.
        if let Ok(open) = open_with(dir.path(), &settings()) {
            open.store.record(1, record(line(10_000_000_000_000, "new")));
            open.until_recorded(1);
            if let Ok(reader) = open.store.source().open() {
                let _ = reader.dump(&Query::default(), &mut |_| true);
                let _ = reader.count(&Selector { text: Some("words".into()), ..Selector::default() });
                let _ = reader.stats();
            }
            open.store.close(Duration::from_secs(20));
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
    // A part of it: the index is made at leisure.
    while more && history::Meta::read(&db).unwrap().indexed < 100_000 {
        more = history::index_some(&mut db, 500).unwrap();
    }
    let indexed = begin.elapsed() - written - dumped;
    let needle = Selector { text: Some("needle".into()), to: Some(100_000), ..Selector::default() };
    assert_eq!(seqs(&reader, needle), [77]);
    eprintln!("a million lines: written in {written:?}, read in {dumped:?}; 100,000 of them indexed in {indexed:?}");
}
