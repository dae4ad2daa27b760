//! Files that are damaged, locked, full, gone or of another program.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::hub::account::{Account, Certificate, Role};
use crate::hub::archive::{Recalled, Record, Selector};
use crate::hub::lasting::Lasting;
use crate::hub::ownership::Ownership;
use crate::hub::sanction::{Author, Kind, Order, Sanction, Target};
use crate::settings::Sync;
use crate::store::history::{self, Rooms};
use crate::store::meta::Meta;
use crate::store::step::tests::watch;
use crate::store::tests::{
    LOBBY, Moment, copy, database, is_sound, line, name, open, open_with, record, seqs, settings, write_here,
};
use crate::store::{Answer, OpenError, Query, Reader, schema};
use crate::values::fingerprint::Fingerprint;
use crate::values::id::{AccountId, RoomId, SanctionId, SessionId};
use crate::values::time::Wall;

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
    assert_eq!(crate::store::tests::open(&dir).recalled.last_line, seq);
}

#[test]
fn a_file_damaged_while_open_is_set_aside_and_the_next_gets_what_waits() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    for seq in 1..=3000 {
        open.store.record(seq, record(line(seq, "something that is not short at all")));
    }
    open.until_recorded(3000);
    // Without the writer's knowledge, a page of lines is damaged.
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
    // The reader that finds the damage tells the writer.
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
    assert_eq!(crate::store::tests::open(&dir).recalled.last_line, seq + 1);
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
    // A file is in the place of the directory.
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
    // The connection may not add pages to the file, so the file is full.
    let mut db = schema::open(&database(&dir), Sync::Normal).unwrap();
    let pages: i64 = db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    let _: i64 = db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
    let mut rooms = Rooms::default();
    let batch = db.transaction().unwrap();
    let mut meta = Meta::read(&batch).unwrap();
    let lobby = name("lobby");
    let in_lobby = history::InRoom { room: LOBBY, name: &lobby, encrypted: false };
    let lines = (2..5000)
        .try_for_each(|seq| history::append(&batch, &mut rooms, &mut meta, in_lobby, &line(seq, "does not fit")));
    let trouble = lines.expect_err("it is full");
    assert!(matches!(&trouble, crate::store::Trouble::Unavailable(why) if why.contains("full")), "{trouble}");
    drop(batch);
    drop(db);
    is_sound(&database(&dir));
    assert_eq!(seqs(&Reader::open(&database(&dir)).unwrap(), Selector::default()), [1]);
}

// ---------------------------------------------------------------------------------------------
// Bad weather: bans and accounts outlive it

fn ban(id: u64, network: &str) -> Sanction {
    let target = Target::Network(network.parse().unwrap());
    Sanction::new(SanctionId(id), Order::about(Kind::Ban, target), Author::Hub, Wall(1))
}

fn account(id: u64, text: &str) -> Account {
    let (since, seen) = (Wall(1), Wall(1));
    Account {
        id: AccountId(id),
        name: name(text),
        hashed: None,
        role: Role::Member,
        since,
        seen,
        places: Vec::new(),
        certificates: Vec::new(),
        unheard: None,
    }
}

/// A lasting room of the first account.
fn den() -> Lasting {
    let mut ownership = Ownership::default();
    ownership.owner = Some(AccountId(1));
    Lasting {
        name: name("den"),
        topic: "at six".into(),
        since: Wall(5),
        ownership,
        room: Some(RoomId(9)),
        topic_set: None,
    }
}

/// A directory with two bans, two accounts, a lasting room and some lines, as a daemon leaves it at
/// its end.
fn furnished() -> TempDir {
    let dir = TempDir::new().unwrap();
    let records = [
        Record::Given(SessionId(5000)),
        Record::Lasting(Box::new(den())),
        Record::Sanction(Box::new(ban(1, "192.0.2.0/24"))),
        Record::Sanction(Box::new(ban(2, "198.51.100.7"))),
        Record::Account(Box::new(account(1, "ann"))),
        Record::Account(Box::new(account(2, "bob"))),
    ];
    let lines = (1..=50).map(|seq| record(line(seq, "said before")));
    write_here(dir.path(), &settings(), (1..).zip(records.into_iter().chain(lines)));
    dir
}

#[test]
fn certificates_are_recalled_as_last_written_and_go_with_their_account() {
    let dir = TempDir::new().unwrap();
    let one = |byte: u8| Certificate { fingerprint: Fingerprint::new([byte; 32]), since: Wall(byte.into()) };
    let with = |id: u64, text: &str, certificates: &[Certificate]| Account {
        certificates: certificates.to_vec(),
        unheard: (id == 1).then_some(SanctionId(7)),
        ..account(id, text)
    };
    let kept = |account: Account| Record::Account(Box::new(account));
    let records = [
        kept(with(1, "ann", &[one(1), one(2)])),
        kept(with(2, "bob", &[one(3)])),
        kept(with(3, "cat", &[one(4)])),
        kept(with(1, "ann", &[one(2)])),
        kept(with(2, "bob", &[])),
        Record::Unaccount(AccountId(3)),
    ];
    write_here(dir.path(), &settings(), (1..).zip(records));
    let first = open(&dir);
    assert_eq!(first.recalled.accounts, [with(1, "ann", &[one(2)]), with(2, "bob", &[])]);
    first.close();
    // A certificate that makes no sense is left out; the account stays.
    let db = rusqlite::Connection::open(database(&dir)).unwrap();
    db.execute("UPDATE accounts SET certificates = '[{\"fingerprint\":\"00\"}]' WHERE id = 1", []).unwrap();
    drop(db);
    assert_eq!(open(&dir).recalled.accounts[0], with(1, "ann", &[]));
}

#[test]
fn rooms_that_last_are_recalled_as_they_were_written_last() {
    let dir = TempDir::new().unwrap();
    let room = |text: &str, topic: &str, owner: u64| {
        let mut ownership = Ownership::default();
        (ownership.owner, ownership.private) = (Some(AccountId(owner)), true);
        ownership.moderators.extend([AccountId(7), AccountId(5)]);
        Lasting {
            name: name(text),
            topic: topic.into(),
            since: Wall(owner.cast_signed()),
            ownership,
            room: Some(RoomId(owner)),
            topic_set: None,
        }
    };
    let kept = |room: &Lasting| Record::Lasting(Box::new(room.clone()));
    let (tea, milk) = (room("Tea", "at six", 2), room("milk", "", 1));
    let records = [
        kept(&room("Tea", "at five", 2)),
        kept(&room("den", "gone", 3)),
        kept(&milk),
        kept(&Lasting { name: name("TEA"), ..tea.clone() }),
        kept(&tea),
        Record::Passing(name("DEN")),
        Record::Passing(name("never")),
    ];
    // Writing a record a second time changes nothing.
    for _ in 0..2 {
        write_here(dir.path(), &settings(), (1..).zip(records.clone()));
        let open = open(&dir);
        assert_eq!(open.recalled.lasting, [milk.clone(), tea.clone()]);
        open.close();
    }
    // Rows that make no sense are skipped.
    let db = Connection::open(database(&dir)).unwrap();
    db.execute_batch("UPDATE lasting SET ownership = 'mine' WHERE folded = 'milk'").unwrap();
    drop(db);
    assert_eq!(open(&dir).recalled.lasting, [tea]);
}

/// Otherwise somebody could tell from the delay of an answer whether the deed changed anything, and
/// so whether others see their lines.
#[test]
fn a_deed_that_changes_nothing_is_written_like_any_other() {
    let dir = TempDir::new().unwrap();
    let open = open(&dir);
    open.store.record(1, Record::Lasting(Box::new(den())));
    open.until_recorded(1);
    let other = Connection::open(database(&dir)).unwrap();
    let version = || other.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    for number in 2..5 {
        let before = version();
        open.store.record(number, Record::Lasting(Box::new(den())));
        open.until_recorded(number);
        assert_ne!(version(), before, "something was written");
    }
    open.close();
}

#[test]
fn names_on_disk_are_read_whatever_names_may_be_now() {
    let dir = furnished();
    let db = Connection::open(database(&dir)).unwrap();
    db.execute_batch(
        "UPDATE accounts SET name = 'ᚠᚱᛁᚦ' WHERE id = 2; UPDATE sanctions SET network = NULL, name = 'Ann!' WHERE id = 2",
    )
    .unwrap();
    db.execute_batch("UPDATE rooms SET name = 'the–lobby'").unwrap();
    drop(db);
    let recalled = open(&dir).recalled;
    let accounts: Vec<_> = recalled.accounts.iter().map(|account| account.name.shown()).collect();
    let bans: Vec<_> = recalled.sanctions.iter().map(|ban| ban.target.to_string()).collect();
    assert_eq!(accounts, ["ann", "ᚠᚱᛁᚦ"]);
    assert_eq!(bans, ["192.0.2.0/24", "Ann!"]);
    assert_eq!(recalled.rooms.iter().map(|room| &*room.name).collect::<Vec<_>>(), ["the–lobby"]);
}

/// The same as a daemon that was killed leaves it: all of it is in the log.
fn furnished_in_the_log() -> TempDir {
    let (from, dir) = (furnished(), TempDir::new().unwrap());
    let db = schema::open(&database(&dir), Sync::Normal).unwrap();
    db.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    let old = database(&from);
    db.execute("ATTACH ? AS old", [old.to_str().unwrap()]).unwrap();
    for table in ["sanctions", "accounts", "lasting"] {
        db.execute_batch(&format!("INSERT INTO {table} SELECT * FROM old.{table}")).unwrap();
    }
    let copied = TempDir::new().unwrap();
    copy(dir.path(), copied.path());
    copied
}

#[track_caller]
fn has_all(recalled: &Recalled) {
    let bans: Vec<_> = recalled.sanctions.iter().map(|ban| ban.id.0).collect();
    let accounts: Vec<_> = recalled.accounts.iter().map(|account| account.name.shown()).collect();
    assert_eq!((bans, accounts), (vec![1, 2], vec!["ann", "bob"]), "{recalled:?}");
    assert_eq!(recalled.lasting, [den()]);
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
    // This ban is recorded while the file cannot be read, and is written to it later.
    open.store.record(1, Record::Sanction(Box::new(ban(open.recalled.last_line + 1, "203.0.113.9"))));
    drop(other);
    let recalled = open.until_recalled();
    has_all(&recalled);
    assert!(!recalled.unread && recalled.rooms[0].lines.len() == 50);
    open.until_recorded(1);
    open.close();
    assert_eq!(crate::store::tests::open(&dir).recalled.sanctions.len(), 3);
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
    has_all(&crate::store::tests::open(&dir).recalled);
}

/// A directory whose files cannot be written: because of their permissions, or, where root runs the
/// tests, because of chattr(1).
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
fn an_empty_or_missing_file_is_set_aside_with_its_log_which_is_read() {
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
        // Records that only the first pages of the file held are lost; those written later are in
        // the log.
        let Recalled { sanctions, accounts, lasting, .. } = &open.recalled;
        assert_eq!(sanctions.len() + accounts.len() + lasting.len(), rescued(&log), "{:?}", open.recalled);
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

/// How many bans, accounts and rooms can be read from a log: all five if it has the first page.
fn rescued(log: &[u8]) -> usize {
    let page = u32::from_be_bytes(log[8..12].try_into().unwrap()) as usize;
    let mut frames = log[32..].chunks_exact(24 + page);
    if frames.any(|frame| frame[..4] == [0, 0, 0, 1]) { 5 } else { 0 }
}

#[test]
fn a_log_of_a_file_that_never_was_written_has_all_of_it() {
    // Every page is in the log: so only the lines are lost; the file is set aside.
    let dir = furnished();
    let log = {
        let db = Connection::open(database(&dir)).unwrap();
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; VACUUM").unwrap();
        std::fs::read(dir.path().join("chathub.db-wal")).unwrap()
    };
    assert_eq!(rescued(&log), 5, "the first page is in it");
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
fn a_file_deleted_or_replaced_while_open_is_noticed_and_all_is_written_again() {
    let (dir, other) = (furnished(), TempDir::new().unwrap());
    write_here(other.path(), &settings(), std::iter::once((1, Record::Sanction(Box::new(ban(9, "203.0.113.0/24"))))));
    let open = open(&dir);
    open.store.record(100, record(line(51, "before")));
    open.until_recorded(100);
    std::fs::rename(database(&other), database(&dir)).unwrap();
    let recalled = open.until_recalled();
    assert_eq!(recalled.sanctions.iter().map(|ban| ban.id.0).collect::<Vec<_>>(), [9]);
    assert!(matches!(open.told.recv_timeout(Duration::from_secs(20)), Ok(Answer::BegunAnew)));
    open.store.record(101, record(line(52, "after")));
    open.until_recorded(101);
    open.close();
    let db = Connection::open(database(&dir)).unwrap();
    assert_eq!(db.query_row("SELECT count(*) FROM sanctions WHERE id = 9", [], |row| row.get::<_, i64>(0)).unwrap(), 1);
}
