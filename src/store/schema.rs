//! The file: opening it, its tables, and bringing older files up to date.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::Trouble;
use super::dir::beside;
use crate::settings::Sync;

/// Marks the file as one of this program (`PRAGMA application_id`): "chat".
const APPLICATION: i64 = 0x6368_6174;

/// The steps from an empty file to today's tables. Each leads from one version to the next (`PRAGMA
/// user_version`). A released step is never changed; a new one is added instead, because files in
/// use were made by the old ones.
const STEPS: &[&str] = &[
    // 1: history.
    "
    -- One row: what must not be forgotten when the lines are.
    CREATE TABLE meta (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        last_line INTEGER NOT NULL,     -- the highest number a line ever had
        last_room INTEGER NOT NULL,     -- likewise a room
        last_session INTEGER NOT NULL,  -- likewise a client that has said something
        lines INTEGER NOT NULL,         -- rows of `lines`
        indexed INTEGER NOT NULL        -- lines up to this number are in `words`
    );
    INSERT INTO meta VALUES (1, 0, 0, 0, 0, 0);
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        number INTEGER NOT NULL,        -- the hub's
        name TEXT NOT NULL,
        folded TEXT NOT NULL,
        closed INTEGER NOT NULL,        -- 1: who opens one of that name does not see it
        UNIQUE (number, folded)
    );
    CREATE INDEX rooms_folded ON rooms (folded);
    CREATE TABLE lines (
        seq INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,            -- milliseconds since 1970
        room INTEGER NOT NULL,          -- rooms.id
        kind INTEGER NOT NULL,          -- history::kind
        author INTEGER,                 -- the client's number
        nick TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE INDEX lines_at ON lines (at);
    CREATE INDEX lines_room ON lines (room, seq);
    -- Which folded texts have which three characters in a row. It holds no text, and not where in a text
    -- they stand: a line that it names is read and looked at.
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', contentless_delete = 1, detail = none,
        tokenize = 'trigram case_sensitive 1'
    );
    ",
    // 2: bans.
    "
    CREATE TABLE bans (
        id INTEGER PRIMARY KEY,
        network TEXT,                   -- one of these two
        name TEXT,
        reason TEXT,
        author INTEGER NOT NULL,        -- a user id
        since INTEGER NOT NULL,         -- milliseconds since 1970
        until INTEGER                   -- likewise; none: until it is lifted
    );
    ",
    // 3: accounts, and bans by operators and by the hub itself.
    "
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        hashed TEXT,                    -- $argon2id$...; none: nobody can log in
        role TEXT NOT NULL,             -- member, operator
        since INTEGER NOT NULL,         -- milliseconds since 1970
        seen INTEGER NOT NULL           -- likewise
    );
    -- bans.author is a user id, or -1 where an operator of this account made it, or the hub if there is none.
    ALTER TABLE bans ADD COLUMN account TEXT;
    ",
    // 4: nothing is left of the text of a line that is gone. Entries are now removed from the index
    // instead of being marked as removed; to do so, SQLite must be told the text that the line had.
    "
    DROP TABLE words;
    CREATE VIRTUAL TABLE words USING fts5 (
        text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
    );
    INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
    UPDATE meta SET indexed = 0;
    ALTER TABLE meta ADD COLUMN swept INTEGER NOT NULL DEFAULT 0; -- 1: no page has traces of what older versions deleted
    ",
    // 5: bans, mutes and expulsions in one table.
    "
    CREATE TABLE sanctions (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,             -- ban, mute, shadow-mute, expulsion
        room INTEGER,                   -- of an expulsion: the hub's number of the room,
        room_name TEXT,                 -- and its name
        network TEXT,                   -- one of these two, or both
        name TEXT,
        nick TEXT,                      -- what the person was called that it was meant for
        reason TEXT,
        uid INTEGER,                    -- who made it: a user id,
        account TEXT,                   -- or the name of an account; the hub if there is neither
        since INTEGER NOT NULL,         -- milliseconds since 1970
        after INTEGER NOT NULL DEFAULT 0, -- the number of the last client that had come by then
        until INTEGER                   -- milliseconds since 1970; none: until it is lifted
    );
    INSERT INTO sanctions (id, kind, network, name, reason, uid, account, since, until)
        SELECT id, 'ban', network, name, reason, CASE WHEN author < 0 THEN NULL ELSE author END, account, since, until
        FROM bans;
    DROP TABLE bans;
    ",
    // 6: reports.
    "
    CREATE TABLE reports (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,            -- milliseconds since 1970
        last INTEGER NOT NULL,          -- likewise, when the same was reported last
        times INTEGER NOT NULL,
        by_name TEXT NOT NULL,          -- empty: erased
        by_account INTEGER,             -- accounts.id, as it was then
        by_session INTEGER NOT NULL,    -- the client's number
        shadow INTEGER NOT NULL,        -- 1: they were muted, and did not know
        about_name TEXT NOT NULL,
        about_account INTEGER,
        about_session INTEGER NOT NULL,
        room INTEGER NOT NULL,          -- the hub's number
        room_name TEXT NOT NULL,
        reason TEXT,                    -- none: erased
        lines TEXT NOT NULL,            -- lines.seq of those in question, with spaces between
        closed INTEGER,                 -- milliseconds since 1970; none: it is open
        closed_by INTEGER,              -- as bans.author
        closed_account TEXT,            -- as bans.account
        note TEXT
    );
    ",
    // 7: rooms that last.
    "
    CREATE TABLE lasting (
        folded TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        topic TEXT NOT NULL,
        since INTEGER NOT NULL,         -- milliseconds since 1970
        ownership TEXT NOT NULL         -- whose it is, and how it is: JSON, accounts by accounts.id
    ) WITHOUT ROWID;
    ",
    // 8: messages that are kept for people who are not here.
    "
    CREATE TABLE memos (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,            -- milliseconds since 1970
        recipient INTEGER NOT NULL,     -- accounts.id
        sender INTEGER,                 -- likewise; none: it was removed since
        session INTEGER NOT NULL,       -- the number of the sender's client
        name TEXT NOT NULL,             -- the sender's
        text TEXT NOT NULL
    );
    ",
    // 9: patterns of names, filters, lockdowns.
    "
    -- A pattern of names, what a filter finds (kind: filter, strike-filter), or what becomes of newcomers (lockdown).
    ALTER TABLE sanctions ADD COLUMN pattern TEXT;
    ",
    // 10: numbers that are not given again after what had them is gone.
    "
    ALTER TABLE meta ADD COLUMN last_sanction INTEGER NOT NULL DEFAULT 0; -- the highest number a sanction ever had
    ALTER TABLE meta ADD COLUMN last_account INTEGER NOT NULL DEFAULT 0;  -- likewise an account
    ALTER TABLE meta ADD COLUMN last_report INTEGER NOT NULL DEFAULT 0;   -- likewise a report
    ALTER TABLE meta ADD COLUMN last_memo INTEGER NOT NULL DEFAULT 0;     -- likewise a message that waits
    UPDATE meta SET
        last_sanction = (SELECT ifnull(max(id), 0) FROM sanctions),
        last_account = (SELECT ifnull(max(id), 0) FROM accounts),
        last_report = (SELECT ifnull(max(id), 0) FROM reports),
        last_memo = (SELECT ifnull(max(id), 0) FROM memos);
    ",
    // 11: certificates that log in.
    "
    -- Those of the account, as JSON: fingerprint in hexadecimal digits, and since when, in milliseconds since 1970. None: it has none.
    ALTER TABLE accounts ADD COLUMN certificates TEXT;
    ",
    // 12: what was said in encrypted rooms is not shown to people who come plainly, after a cold start either.
    "
    -- The highest number of a line that was said while the room was encrypted; 0: there is none.
    ALTER TABLE rooms ADD COLUMN encrypted INTEGER NOT NULL DEFAULT 0;
    ",
    // 13: accounts that were registered by people who were muted without being told.
    "
    -- The mute (sanctions.id) under which it was registered: as long as that is in force, the name is not shown. None: it is.
    ALTER TABLE accounts ADD COLUMN unheard INTEGER;
    ",
];

/// The version of the tables that this program writes.
pub const VERSION: i64 = STEPS.len() as i64;

/// How long to wait while another process, such as a shell of SQLite, has the file locked.
pub(super) const LOCKED: Duration = Duration::from_millis(500);

/// Opens the file for writing. Makes it if there is none, and brings it up to date.
///
/// # Errors
/// The file cannot be made, opened or brought up to date.
pub fn open(path: &Path, sync: Sync) -> Result<Connection, Trouble> {
    if is_missing(path) {
        // If an administrator has put a symbolic link there, the file is made at the link's target.
        let place = std::fs::read_link(path).map(|to| path.with_file_name(to));
        make(place.as_deref().unwrap_or(path), |_| Ok(()))?;
    }
    for part in ["", "-wal", "-shm"] {
        keep_private(&beside(path, part));
    }
    let mut db = connect(path, sync)?;
    migrate(&mut db)?;
    Ok(db)
}

fn is_missing(path: &Path) -> bool {
    std::fs::metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Makes a file with what `fill` writes into it. The file is made beside `path` and renamed when it
/// is whole. So a crash or a full disk leaves no part of it at `path`; a file of 0 bytes there was
/// not made here.
///
/// # Errors
/// Why the file cannot be made.
pub fn make(path: &Path, fill: impl FnOnce(&mut Connection) -> Result<(), Trouble>) -> Result<(), Trouble> {
    let io = |error: std::io::Error| Trouble::Unavailable(format!("cannot make {}: {error}", path.display()));
    let aside = beside(path, ".new");
    let clear = || {
        for part in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(beside(&aside, part));
        }
    };
    // A crash may have left an unfinished file.
    clear();
    let made = (|| {
        // SQLite gives its logs the permissions of the database.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(io)?;
        let mut db = connect(&aside, Sync::Full)?;
        migrate(&mut db)?;
        fill(&mut db)?;
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        db.close().map_err(|(_, error)| Trouble::from(error))?;
        std::fs::rename(&aside, path).map_err(io)
    })();
    clear();
    made
}

/// Takes the permissions of other users from a file: it may have been made by hand, with another
/// umask.
fn keep_private(path: &Path) {
    if let Ok(found) = std::fs::symlink_metadata(path)
        && found.is_file()
        && found.permissions().mode() & 0o077 != 0
    {
        // The permissions of another user's file cannot be changed. If it cannot be read either,
        // opening it gives the error.
        let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
    }
}

fn connect(path: &Path, sync: Sync) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(LOCKED)?;
    check(&db)?;
    // This has an effect only before the first table is made.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    set_sync(&db, sync)?;
    // SQLite overwrites deleted content with zeros.
    db.pragma_update(None, "secure_delete", "ON")?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    db.pragma_update(None, "cache_size", -4096)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Opens an existing file for reading.
///
/// # Errors
/// The file cannot be opened or read.
pub fn open_for_reading(path: &Path) -> Result<Connection, Trouble> {
    // If the file has 0 bytes, SQLite would throw away the log beside it.
    if std::fs::metadata(path).is_ok_and(|found| found.len() == 0) {
        return Err(Trouble::Unavailable("the file has no bytes".to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(LOCKED)?;
    is_readable(&db)?;
    Ok(db)
}

fn is_readable(db: &Connection) -> Result<(), Trouble> {
    if check(db)? != VERSION {
        return Err(Trouble::Unavailable("the file is not up to date yet".to_owned()));
    }
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -2048)?;
    Ok(())
}

/// How much of a file can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readable {
    /// All that was written.
    All,
    /// An older state of the file: changes that are only in the log may be missing.
    Some,
}

/// Opens a file for reading that cannot be written now, in the first of three ways that works.
/// Nothing is written beside the file where nothing can be.
///
/// # Errors
/// The file cannot be opened or read.
pub fn open_in_need(path: &Path) -> Result<(Connection, Readable), Trouble> {
    let trouble = match open_for_reading(path) {
        Ok(db) => return Ok((db, Readable::All)),
        Err(trouble @ Trouble::Unavailable(_)) if std::fs::metadata(path).is_ok_and(|found| found.len() > 0) => trouble,
        Err(trouble) => return Err(trouble),
    };
    let locked = trouble.is_lock();
    // The index of the log is a file beside it, and perhaps none can be made there. A connection
    // that has the database to itself keeps that index in its own memory.
    if !locked && let Ok(db) = open_exclusively(path) {
        return Ok((db, Readable::All));
    }
    // The last way: without a lock, and without the changes that are only in the log.
    let db = open_untouched(path)?;
    is_readable(&db)?;
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    Ok((db, if locked || has_log { Readable::Some } else { Readable::All }))
}

/// Opens a file for reading that nobody writes: without a lock, without the changes that are only
/// in its log, and without making any file beside it.
///
/// # Errors
/// Any error of SQLite.
pub(super) fn open_untouched(path: &Path) -> Result<Connection, Trouble> {
    let name = path.as_os_str().as_encoded_bytes().iter().fold("file:".to_owned(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            name.push(char::from(*byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
        name
    });
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(format!("{name}?immutable=1"), flags)?)
}

fn open_exclusively(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.query_row("PRAGMA locking_mode = EXCLUSIVE", [], |_| Ok(()))?;
    is_readable(&db)?;
    Ok(db)
}

/// Opens what a log has of a database that is gone. The log is copied to `scratch`, where there
/// must be no file; the caller removes the copy. `None` if the log does not have the database's
/// first page.
///
/// # Errors
/// The copy cannot be made.
pub fn open_log(log: &Path, scratch: &Path) -> Result<Option<Connection>, Trouble> {
    let io = |error: std::io::Error| Trouble::Unavailable(format!("cannot copy {}: {error}", log.display()));
    let mut head = [0; 12];
    if File::open(log).and_then(|mut log| log.read_exact(&mut head)).is_err() {
        return Ok(None);
    }
    // The page size stands in bytes 8 to 11 (file format of SQLite, "The Write-Ahead Log").
    let page = u32::from_be_bytes([head[8], head[9], head[10], head[11]]);
    if !(512..=65536).contains(&page) || !page.is_power_of_two() {
        return Ok(None);
    }
    std::fs::copy(log, beside(scratch, "-wal")).map_err(io)?;
    // If the database had no pages, SQLite would throw the log away.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(scratch).map_err(io)?;
    file.set_len(page.into()).map_err(io)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(scratch, flags)?;
    Ok(is_readable(&db).is_ok().then_some(db))
}

/// Sets whether a commit waits until its data is on disk.
///
/// # Errors
/// Any error of SQLite.
pub fn set_sync(db: &Connection, sync: Sync) -> Result<(), Trouble> {
    let mode = match sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    Ok(db.pragma_update(None, "synchronous", mode)?)
}

/// The file's version; 0 if the file is empty. An error if it is another program's, or newer.
pub(super) fn check(db: &Connection) -> Result<i64, Trouble> {
    let number = |pragma| db.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(0),
        (APPLICATION, version) if version > VERSION => Err(Trouble::Newer(version)),
        (APPLICATION, version) if version >= 0 => Ok(version),
        _ => Err(Trouble::Foreign),
    }
}

/// A step in the form in which it is executed: without its comments. SQLite keeps the text of a
/// table with its comments; then the list of tables would need more than the first page, and could
/// not be read from a log alone. The steps up to version 3 were released with their comments, and
/// keep them.
fn bare(version: i64, sql: &str) -> String {
    const RELEASED: i64 = 3;
    if version < RELEASED {
        return sql.to_owned();
    }
    let code = |line: &str| line.split_once("--").map_or(line, |(code, _)| code).trim().to_owned();
    sql.lines().map(code).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

fn migrate(db: &mut Connection) -> Result<(), Trouble> {
    loop {
        // One transaction: the whole step is done, or none of it.
        let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = check(&step)?;
        let Some(sql) = usize::try_from(version).ok().and_then(|version| STEPS.get(version)) else { return Ok(()) };
        step.execute_batch(&bare(version, sql))?;
        step.pragma_update(None, "application_id", APPLICATION)?;
        step.pragma_update(None, "user_version", version + 1)?;
        super::step::reached("before a migration is committed");
        step.commit()?;
    }
}

/// The steps that make the tables.
#[cfg(test)]
pub(super) fn steps() -> &'static [&'static str] {
    STEPS
}
