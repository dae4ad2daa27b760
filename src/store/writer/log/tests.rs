//! No file keeps anything of a line whose time is over, or that was redacted or removed: neither
//! its text nor its pieces in the index.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use super::{AGAIN_MOST, ERASED_WITHIN};
use crate::hub::account::{Account, Hashed, Role};
use crate::hub::archive::{Record, Search, Selector};
use crate::hub::sanction::{Author, Kind, Order, Sanction, Target};
use crate::settings::History;
use crate::store::health::lock;
use crate::store::recall::recall;
use crate::store::tests::{database, dump, is_sound, line, name, open_with, record, seqs, settings};
use crate::store::writer::Writer;
use crate::store::writer::upkeep::LOOK;
use crate::store::{Answer, FILE, Health, Job, Query, Reader, StateDir, schema, wall};
use crate::values::id::{AccountId, RoomId, SanctionId, SessionId};
use crate::values::time::Wall;

/// A text that can also be found in the index byte by byte, if it ends a line. The index leaves out
/// only the beginning that a piece shares with the piece before it, and no other piece begins with
/// this letter.
const GONE: &str = "\u{10348}\u{10348}\u{10348}";

/// A writer on this thread, with a wall clock that the test sets.
struct Desk {
    dir: TempDir,
    writer: Writer,
    jobs: Sender<Job>,
    health: Arc<Mutex<Health>>,
    number: u64,
    wall: Wall,
}

impl Desk {
    fn with(settings: &History) -> Self {
        Self::in_dir(TempDir::new().unwrap(), settings)
    }

    fn in_dir(dir: TempDir, settings: &History) -> Self {
        let (jobs, receiver) = channel();
        let health = Arc::new(Mutex::new(Health::default()));
        let state = Arc::new(StateDir::take(dir.path()).unwrap());
        let path = dir.path().join(FILE);
        let tell = Arc::new(|_: Answer| ());
        let (writer, _) = Writer::open(state, path, settings.clone(), receiver, tell, health.clone()).unwrap();
        let mut this = Self { dir, writer, jobs, health, number: 0, wall: line(0, "").at };
        this.rest();
        this
    }

    /// Has the writer write a record.
    fn write(&mut self, record: Record) {
        self.number += 1;
        self.jobs.send(Job::Record(self.number, record)).unwrap();
        while let Ok(job) = self.writer.jobs.try_recv() {
            self.writer.take(job);
        }
        while !self.writer.waiting.is_empty() {
            self.writer.write().unwrap();
        }
    }

    /// Lets the writer do everything that is due, as if enough time had passed, until nothing is
    /// due.
    fn rest(&mut self) {
        let mut now = Instant::now();
        self.writer.look_at = now;
        for _ in 0..10_000 {
            now = now.max(self.writer.rest_until) + AGAIN_MOST;
            let is_idle = self.writer.look_at > now && !self.writer.unindexed && self.writer.sweep.is_none();
            if is_idle && self.writer.log.erasing.is_none() {
                return;
            }
            self.writer.upkeep(now, self.wall).unwrap();
            // A look that is due at once means more work; a later one means that the writer is
            // done.
            self.writer.look_at = if self.writer.look_at > now { now + 2 * LOOK } else { now };
        }
        panic!("something is due all the time");
    }

    fn path(&self) -> std::path::PathBuf {
        database(&self.dir)
    }

    /// The names of the files that contain these bytes.
    fn files_with(&self, text: &str) -> Vec<String> {
        files_with(self.dir.path(), text)
    }
}

fn files_with(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(entry.file_name().into_string().unwrap());
        }
    }
    found.sort_unstable();
    found
}

/// Whether the index has the pieces of [`GONE`].
fn is_indexed(path: &Path) -> bool {
    let db = Connection::open(path).unwrap();
    let sql = "SELECT (SELECT count(*) FROM words_data WHERE instr(block, CAST(?1 AS BLOB)))
               + (SELECT count(*) FROM words_idx WHERE instr(term, CAST(?1 AS BLOB)))";
    db.query_row(sql, [GONE], |row| row.get::<_, i64>(0)).unwrap() > 0
}

/// The text of a line: every fifth one ends with [`GONE`], the others vary in length.
fn text(seq: u64) -> String {
    let padding = "all is well, and more ".repeat(usize::try_from(seq * 7 % 23).unwrap());
    if seq.is_multiple_of(5) { format!("{padding}{seq}{GONE}") } else { format!("{padding}{seq}") }
}

#[test]
fn a_line_whose_time_is_over_is_in_no_file_and_not_in_the_index() {
    let mut desk = Desk::with(&History { keep: Some(Duration::from_secs(60)), ..settings() });
    for seq in 1..=600 {
        desk.write(record(line(seq, &text(seq))));
    }
    desk.rest();
    assert!(!desk.files_with(GONE).is_empty() && is_indexed(&desk.path()), "it is kept");
    // Nobody says anything. The lines with [`GONE`] are too old now, the others are not.
    desk.wall = Wall(line(600, "").at.0 + 60_001);
    let now = Instant::now();
    (desk.writer.look_at, desk.writer.rest_until) = (now + LOOK, now);
    assert!(desk.writer.wait() <= LOOK, "it looks by itself");
    for seq in 601..=640 {
        desk.write(record(line(seq, "said later")));
    }
    desk.rest();
    assert_eq!(desk.files_with(GONE), [""; 0]);
    assert!(!is_indexed(&desk.path()));
    assert_eq!(seqs(&Reader::open(&desk.path()).unwrap(), Selector::default()), (601..=640).collect::<Vec<_>>());
    is_sound(&desk.path());
}

#[test]
fn lines_that_are_too_many_or_too_large_are_in_no_file_and_not_in_the_index() {
    for limits in [History { keep_lines: 300, ..settings() }, History { keep_bytes: 1024 * 1024, ..settings() }] {
        let mut desk = Desk::with(&limits);
        let long = "long ".repeat(400);
        for seq in 1..=900 {
            let said = if seq <= 100 { format!("{seq} {long}{GONE}") } else { format!("{seq} {long}") };
            desk.write(record(line(seq, &said)));
        }
        desk.rest();
        assert_eq!(desk.files_with(GONE), [""; 0], "{limits:?}");
        assert!(!is_indexed(&desk.path()));
        let left = seqs(&Reader::open(&desk.path()).unwrap(), Selector::default());
        assert!(left.len() >= 100 && left.last() == Some(&900), "{}", left.len());
        is_sound(&desk.path());
    }
}

#[test]
fn what_is_redacted_is_in_no_file_and_not_in_the_index_when_it_is_told() {
    let mut desk = Desk::with(&settings());
    for seq in 1..=1000 {
        desk.write(record(line(seq, &text(seq))));
        if seq == 500 {
            desk.rest();
        }
    }
    assert!(is_indexed(&desk.path()));
    desk.write(Record::Redact(Arc::new(Selector { text: Some(GONE.into()), to: Some(1000), ..Selector::default() })));
    assert_eq!(desk.files_with(GONE), [""; 0]);
    assert!(!is_indexed(&desk.path()));
    desk.rest();
    assert_eq!(desk.files_with(GONE), [""; 0], "nor later, when the rest is indexed");
    assert!(!is_indexed(&desk.path()));
    let found = dump(&Reader::open(&desk.path()).unwrap(), &Query::default());
    assert_eq!(found.len(), 1000, "markers stay");
    assert!(found.iter().all(|(seq, said)| *said == if seq % 5 == 0 { String::new() } else { text(*seq) }));
    is_sound(&desk.path());
}

#[test]
fn bans_accounts_and_names_of_rooms_that_are_removed_are_in_no_file() {
    let mut desk = Desk::with(&History { keep: Some(Duration::from_secs(60)), ..settings() });
    let at = desk.wall;
    let account = |hashed: &str| Account {
        id: AccountId(1),
        name: name("zoe-the-account"),
        hashed: Some(Hashed(hashed.into())),
        role: Role::Member,
        since: at,
        seen: at,
        places: Vec::new(),
        certificates: Vec::new(),
        unheard: None,
    };
    let target = Target::Network("192.0.2.0/24".parse().unwrap());
    let order = Order { reason: Some("a-reason".into()), ..Order::about(Kind::Ban, target) };
    let ban = Sanction::new(SanctionId(1), order, Author::Hub, at);
    desk.write(Record::Account(Box::new(account("hashed-at-first"))));
    desk.write(Record::Sanction(Box::new(ban)));
    let said = Arc::new(line(1, "said in it"));
    let (room, den) = (RoomId(5), name("den-of-zoe"));
    desk.write(Record::Line { room, name: den.clone(), line: said, encrypted: false });
    desk.write(Record::Closed { room, name: den });
    desk.rest();
    assert!(!desk.files_with("hashed-at-first").is_empty() && !desk.files_with("den-of-zoe").is_empty());
    desk.write(Record::Account(Box::new(account("hashed-again"))));
    desk.rest();
    assert_eq!(desk.files_with("hashed-at-first"), [""; 0], "a password that was changed");
    assert!(!desk.files_with("hashed-again").is_empty());
    desk.write(Record::Unaccount(AccountId(1)));
    desk.write(Record::Lifted(SanctionId(1)));
    desk.wall = Wall(at.0 + 120_000);
    desk.rest();
    for gone in ["zoe-the-account", "hashed-again", "a-reason", "192.0.2.0/24", "den-of-zoe"] {
        assert_eq!(desk.files_with(gone), [""; 0], "{gone}");
    }
}

#[test]
fn while_somebody_reads_an_older_state_it_is_tried_again_and_reported_once() {
    let mut desk = Desk::with(&settings());
    desk.write(record(line(1, GONE)));
    desk.rest();
    let reader = Connection::open(desk.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM lines").unwrap();
    assert_eq!(reader.query_row("SELECT count(*) FROM lines", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
    desk.write(Record::Redact(Arc::new(Selector { to: Some(1), ..Selector::default() })));
    assert!(!desk.files_with(GONE).is_empty(), "the reader sees it still");
    // Other lines are written without waiting for the erasing.
    desk.write(record(line(2, "goes on")));
    let erasing = desk.writer.log.erasing.as_ref().expect("it is not done");
    assert!(!erasing.is_reported);
    let (since, mut now) = (erasing.since, erasing.at());
    let mut tries = 0;
    while now < since + 3 * ERASED_WITHIN {
        desk.writer.erase(now).unwrap();
        let erasing = desk.writer.log.erasing.as_ref().expect("it is not done");
        assert_eq!(erasing.is_reported, now > since + ERASED_WITHIN);
        assert!(erasing.at() > now && erasing.at() <= now + AGAIN_MOST);
        (now, tries) = (erasing.at(), tries + 1);
    }
    assert!((10..40).contains(&tries), "{tries}");
    assert_eq!(lock(&desk.health).trouble, None, "lines are recorded all the time");
    reader.execute_batch("ROLLBACK").unwrap();
    desk.writer.erase(now).unwrap();
    assert!(desk.writer.log.erasing.is_none());
    assert_eq!(desk.files_with(GONE), [""; 0]);
}

#[test]
fn while_another_program_writes_it_is_tried_again() {
    let mut desk = Desk::with(&settings());
    desk.write(record(line(1, GONE)));
    let now = Instant::now() + 2 * ERASED_WITHIN;
    let other = Connection::open(desk.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    desk.writer.deleted();
    desk.writer.erase(now).unwrap();
    assert!(desk.writer.log.erasing.is_some() && lock(&desk.health).trouble.is_none());
    other.execute_batch("ROLLBACK").unwrap();
    desk.writer.erase(now + AGAIN_MOST).unwrap();
    assert!(desk.writer.log.erasing.is_none());
}

#[test]
fn lines_go_when_their_time_is_over_though_others_are_written_all_the_time() {
    let mut desk = Desk::with(&History { keep: Some(Duration::from_secs(60)), ..settings() });
    // By the system's clock, which the writer itself reads, these lines are old.
    for seq in 1..=200 {
        desk.write(record(line(seq, GONE)));
    }
    let end = Instant::now() + Duration::from_secs(20);
    let mut seq = 200;
    while lock(&desk.health).lines > 0 || desk.writer.log.erasing.is_some() || seq == 200 {
        assert!(Instant::now() < end);
        seq += 1;
        let new = Wall(i64::MAX / 2);
        desk.writer.look_at = Instant::now();
        desk.writer.take(Job::Record(seq, record(crate::hub::message::Line { at: new, ..line(seq, "new") })));
        desk.writer.work();
        if seq > 210 && desk.files_with(GONE).is_empty() {
            break;
        }
    }
    assert_eq!(desk.files_with(GONE), [""; 0]);
    assert!(seqs(&Reader::open(&desk.path()).unwrap(), Selector::default()).len() >= 10, "what is new stays");
}

#[test]
fn an_idle_store_deletes_what_is_kept_no_longer_by_itself() {
    let dir = TempDir::new().unwrap();
    let old = |seq| crate::hub::message::Line { at: Wall(1), ..line(seq, GONE) };
    let open = open_with(dir.path(), &History { keep: None, ..settings() }).unwrap();
    for seq in 1..=100 {
        open.store.record(seq, record(old(seq)));
    }
    open.until_recorded(100);
    open.store.configure(&History { keep: Some(Duration::from_secs(60)), ..settings() });
    let end = Instant::now() + Duration::from_secs(20);
    while open.store.health().lines > 0 || !files_with(dir.path(), GONE).is_empty() {
        assert!(Instant::now() < end, "{:?}", open.store.health());
        std::thread::yield_now();
    }
    open.close();
}

#[test]
fn a_file_of_the_first_release_is_brought_up_to_date_and_has_no_traces() {
    let dir = TempDir::new().unwrap();
    {
        let db = Connection::open(database(&dir)).unwrap();
        db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON")
            .unwrap();
        db.execute_batch(&schema::steps()[..3].concat()).unwrap();
        db.execute_batch("PRAGMA application_id = 0x63686174; PRAGMA user_version = 3").unwrap();
        db.execute("INSERT INTO rooms VALUES (1, 0, 'lobby', 'lobby', 0)", []).unwrap();
        let mut add = db.prepare("INSERT INTO lines VALUES (?1, ?1, 1, 0, NULL, 'ann', ?2)").unwrap();
        let mut index = db.prepare("INSERT INTO words (rowid, text) VALUES (?, ?)").unwrap();
        for seq in 1..=2000_i64 {
            add.execute((seq, text(seq.unsigned_abs()))).unwrap();
            index.execute((seq, text(seq.unsigned_abs()))).unwrap();
        }
        for seq in (5..=2000_i64).step_by(5) {
            db.execute("DELETE FROM lines WHERE seq = ?", [seq]).unwrap();
            db.execute("DELETE FROM words WHERE rowid = ?", [seq]).unwrap();
        }
        db.execute("UPDATE meta SET last_line = 2000, lines = 1600, indexed = 2000", []).unwrap();
        assert!(is_indexed(&database(&dir)), "the first release only marks what is removed");
    }
    let mut desk = Desk::in_dir(dir, &settings());
    desk.rest();
    assert_eq!(desk.files_with(GONE), [""; 0]);
    assert!(!is_indexed(&desk.path()));
    let reader = Reader::open(&desk.path()).unwrap();
    let found = seqs(&reader, Selector { text: Some("all is well".into()), ..Selector::default() });
    let model = (1..=2000).filter(|seq| seq % 5 != 0 && text(*seq).contains("all is well"));
    assert_eq!(found, model.collect::<Vec<_>>(), "the index is made again");
    is_sound(&desk.path());
    drop(reader);
    let Desk { dir, writer, .. } = desk;
    drop(writer);
    let again = Desk::in_dir(dir, &settings());
    assert!(again.writer.sweep.is_none(), "it is swept once");
}

#[test]
fn an_index_that_another_program_has_made_wrong_is_made_again() {
    let mut desk = Desk::with(&settings());
    for seq in 1..=100 {
        desk.write(record(line(seq, "short")));
    }
    desk.rest();
    Connection::open(desk.path())
        .unwrap()
        .execute("UPDATE lines SET text = 'much longer than it was, ' || seq", [])
        .unwrap();
    desk.write(Record::Redact(Arc::new(Selector { from: Some(1), to: Some(90), ..Selector::default() })));
    desk.rest();
    assert_eq!(lock(&desk.health).sets_aside, 0);
    let reader = Reader::open(&desk.path()).unwrap();
    assert_eq!(
        seqs(&reader, Selector { text: Some("longer".into()), ..Selector::default() }),
        (91..=100).collect::<Vec<_>>()
    );
    is_sound(&desk.path());
}

#[test]
fn many_lines_go_at_once_without_the_index_which_is_made_again() {
    let mut desk = Desk::with(&settings());
    for seq in 1..=5000 {
        desk.write(record(line(seq, &text(seq))));
    }
    desk.rest();
    let by_size = History { keep_bytes: 1024 * 1024, ..settings() };
    for limits in [by_size, History { keep_lines: 1001, ..settings() }] {
        let before = lock(&desk.health).lines;
        desk.writer.take(Job::Configure(limits.clone()));
        desk.rest();
        // The size of the rebuilt index counts when the writer looks the next time.
        desk.rest();
        let left = lock(&desk.health).clone();
        assert!(left.lines < before * 2 / 3 && left.lines > 1000, "{left:?}");
        assert!(left.bytes <= limits.keep_bytes as u64);
        let found =
            seqs(&Reader::open(&desk.path()).unwrap(), Selector { text: Some(GONE.into()), ..Selector::default() });
        assert_eq!(found, (5001 - left.lines..=5000).filter(|seq| seq % 5 == 0).collect::<Vec<_>>());
        assert_eq!(left.indexed, 5000);
        is_sound(&desk.path());
    }
    assert_eq!(lock(&desk.health).lines, 1001);
}

#[test]
fn many_lines_are_redacted_without_the_index_which_is_made_again() {
    let mut desk = Desk::with(&settings());
    for seq in 1..=4000 {
        desk.write(record(line(seq, &text(seq))));
    }
    desk.rest();
    desk.write(Record::Redact(Arc::new(Selector { to: Some(3990), ..Selector::default() })));
    desk.rest();
    let reader = Reader::open(&desk.path()).unwrap();
    assert_eq!(seqs(&reader, Selector { text: Some(GONE.into()), ..Selector::default() }), [3995, 4000]);
    assert_eq!(lock(&desk.health).indexed, 4000);
    is_sound(&desk.path());
}

#[test]
fn what_is_kept_no_longer_is_not_recalled_though_it_is_on_disk() {
    let mut desk = Desk::with(&settings());
    for seq in 1..=20 {
        desk.write(record(line(seq, "said")));
    }
    let db = desk.writer.db.as_ref().unwrap();
    let recalled = |limits: &History, at: u64| {
        let rooms = recall(db, limits, line(at, "").at).unwrap().rooms;
        rooms.iter().flat_map(|room| room.lines.iter().map(|line| line.seq)).collect::<Vec<_>>()
    };
    let keep = Some(Duration::from_millis(5));
    assert_eq!(recalled(&settings(), 20), (1..=20).collect::<Vec<_>>());
    assert_eq!(recalled(&History { keep, ..settings() }, 20), (15..=20).collect::<Vec<_>>());
    assert_eq!(recalled(&History { keep_lines: 3, ..settings() }, 20), [18, 19, 20]);
    assert_eq!(recalled(&History { keep, keep_lines: 100, ..settings() }, 100), [0; 0]);
}

#[test]
fn what_is_kept_no_longer_is_not_read_though_it_is_on_disk() {
    let mut desk = Desk::with(&settings());
    let now = wall();
    for (seq, age) in [(1, 90_000), (2, 70_000), (3, 50_000), (4, 0)] {
        desk.write(record(crate::hub::message::Line { at: Wall(now.0 - age), ..line(seq, "some text") }));
    }
    let read = |keep| {
        let reader = Reader::open(&desk.path()).unwrap().keeping(keep);
        let search = Search {
            session: SessionId(1),
            number: 1,
            room: RoomId(0),
            name: name("lobby"),
            shown: "".into(),
            query: "text".into(),
            limit: 10,
            from: 0,
            origin: None,
            report: None,
        };
        let found = reader.search(&search, Instant::now() + Duration::from_secs(20)).unwrap();
        let last = dump(&reader, &Query { what: Selector::default(), last: Some(2) }).len();
        let found: Vec<u64> = found.lines.iter().map(|line| line.seq).collect();
        (seqs(&reader, Selector { since: Some(Wall(0)), ..Selector::default() }), found, last)
    };
    assert_eq!(read(None), ((1..=4).collect(), (1..=4).collect(), 2));
    assert_eq!(read(Some(Duration::from_secs(60))), (vec![3, 4], vec![3, 4], 2));
}

#[test]
fn copies_that_a_crash_has_left_are_removed_at_the_start_and_files_of_others_stay() {
    let dir = TempDir::new().unwrap();
    let copies = [0, 12].map(|number| crate::store::dir::copy_of(&database(&dir), number));
    let left = ["chathub.copy-3", "chathub.db.copy-4-journal", "chathub.db.read", "chathub.db.read-wal"];
    let others = ["chathub.copy-of-mine", "chathub.db.copy-of-mine", "chathub.db.damaged-20260101T000000Z", "copy-0"];
    for path in left.iter().chain(&others).map(|name| dir.path().join(name)).chain(copies) {
        std::fs::write(path, GONE).unwrap();
    }
    let desk = Desk::in_dir(dir, &settings());
    let mut stays = others.map(str::to_owned);
    stays.sort_unstable();
    assert_eq!(desk.files_with(GONE), stays);
}

/// Copies may be what has filled the disk, so that nothing can be opened.
#[test]
fn copies_that_a_crash_has_left_are_removed_also_where_the_database_cannot_be_opened() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(database(&dir)).unwrap();
    let left = crate::store::dir::copy_of(&database(&dir), 3);
    std::fs::write(&left, GONE).unwrap();
    let open = open_with(dir.path(), &settings()).unwrap();
    assert!(open.store.health().trouble.is_some());
    assert!(!left.exists());
}

#[test]
fn traces_are_erased_also_where_the_file_is_a_link() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    std::os::unix::fs::symlink(other.path().join("elsewhere.db"), database(&dir)).unwrap();
    let mut desk = Desk::in_dir(dir, &settings());
    desk.write(record(line(1, GONE)));
    assert!(!files_with(other.path(), GONE).is_empty());
    assert_ne!(desk.writer.log.seen, crate::store::traces::Seen::default());
    desk.write(Record::Redact(Arc::new(Selector { to: Some(1), ..Selector::default() })));
    assert_eq!(files_with(other.path(), GONE), [""; 0]);
}
