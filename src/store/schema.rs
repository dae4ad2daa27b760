//! The file: how it is opened, what stands in it, and how older ones are brought up to date.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::Trouble;
use crate::settings::Sync;

/// What tells our file from those of other programs (`PRAGMA application_id`): "chat".
const APPLICATION: i64 = 0x6368_6174;

/// The steps from an empty file to today's, each from one version to the next (`PRAGMA user_version`).
/// What was released is never changed: a step is added.
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
];

/// The version that this program writes.
pub const VERSION: i64 = STEPS.len() as i64;

/// How long to wait for another process that has the file locked, such as a shell of SQLite.
const LOCKED: Duration = Duration::from_millis(500);

/// Opens the file for writing, makes it if there is none, and brings it up to date.
///
/// # Errors
/// What is wrong with it.
pub fn open(path: &Path, sync: Sync) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(LOCKED)?;
    check(&db)?;
    // Before the first table; of no effect later.
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    set_sync(&db, sync)?;
    // What is removed is overwritten.
    db.pragma_update(None, "secure_delete", "ON")?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "journal_size_limit", 16 * 1024 * 1024)?;
    db.pragma_update(None, "cache_size", -4096)?;
    db.set_prepared_statement_cache_capacity(64);
    migrate(&mut db)?;
    Ok(db)
}

/// Opens a file that is there for reading.
///
/// # Errors
/// What is wrong with it.
pub fn open_for_reading(path: &Path) -> Result<Connection, Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(LOCKED)?;
    if check(&db)? != VERSION {
        return Err(Trouble::Unavailable("the file is not up to date yet".to_owned()));
    }
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -2048)?;
    Ok(db)
}

/// How sure what is committed is on disk.
///
/// # Errors
/// In the words of SQLite.
pub fn set_sync(db: &Connection, sync: Sync) -> Result<(), Trouble> {
    let mode = match sync {
        Sync::Full => "FULL",
        Sync::Normal => "NORMAL",
    };
    Ok(db.pragma_update(None, "synchronous", mode)?)
}

/// Whether the file is one of ours, and of which version; 0 if it is empty.
fn check(db: &Connection) -> Result<i64, Trouble> {
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

fn migrate(db: &mut Connection) -> Result<(), Trouble> {
    loop {
        // In one transaction: a step is done, or it is not.
        let step = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = check(&step)?;
        let Some(sql) = usize::try_from(version).ok().and_then(|version| STEPS.get(version)) else { return Ok(()) };
        step.execute_batch(sql)?;
        step.pragma_update(None, "application_id", APPLICATION)?;
        step.pragma_update(None, "user_version", version + 1)?;
        super::history::step("before a migration is committed");
        step.commit()?;
    }
}
