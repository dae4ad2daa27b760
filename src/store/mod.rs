//! The record on disk: lines, sanctions, accounts, reports, memos, and lasting rooms, in one SQLite
//! file in the state directory.
//!
//! | to change | see |
//! | --- | --- |
//! | the handle, the store's jobs and answers | this file |
//! | the state directory: one daemon at a time, files that are set aside | [`dir`] |
//! | the tables, opening the file, bringing older files up to date | [`schema`] |
//! | lines: writing, finding, redacting, indexing; how long they are kept | `history` |
//! | the rows of sanctions, accounts, reports | `sanctions`, `accounts`, `reports` |
//! | the rows of rooms that last, and of messages that wait | `lasting`, `memos` |
//! | the numbers that must never be given twice | `meta` |
//! | the state read at a hub's start, rescuing a damaged file | `recall` |
//! | the thread that writes: batches, a disk that takes nothing, upkeep | `writer` |
//! | the places at which tests look at the disk | `step` |
//! | searches of people: the thread that answers them, whose turn is next | `searcher`, `queue` |
//! | reading on other threads: searches, dumps, counts, copies | `reader`, `source` |
//! | a look at the file from outside, which changes nothing | `examine` |
//! | overwriting the remains of deleted text in the file | `traces` |
//! | the file's errors; its state for administrators | `trouble`, `health` |
//!
//! One thread writes, in batches ([`BATCH_TIME`], [`BATCH_RECORDS`]), and answers which records are
//! on disk. Nobody waits for it: the hub keeps each record until it is answered
//! ([`crate::hub::archive::Backlog`]), and bounds how many there are. If the disk takes nothing,
//! the thread tries again until it does, and reports that in [`Health`].
//!
//! The store does not know who may read or remove what, nor how a line looks on a screen. It need
//! not know of crashes either: to write a record twice has the same effect as to write it once.

mod accounts;
pub mod dir;
mod examine;
mod health;
mod history;
mod lasting;
mod memos;
mod meta;
mod queue;
mod reader;
mod recall;
mod reports;
mod sanctions;
pub mod schema;
mod searcher;
mod source;
mod step;
#[cfg(test)]
mod tests;
mod traces;
mod trouble;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use self::health::lock;
use self::searcher::Searcher;
use self::writer::Writer;
use crate::hub::archive::{Found, Recalled, Record, Search};
use crate::settings;
use crate::values::id::SessionId;
use crate::values::time::Wall;

pub use dir::StateDir;
pub use examine::{Examined, examine};
pub use health::Health;
pub use reader::{Query, Reader, Stats};
pub use source::{PIECE, Source};
pub use trouble::{OpenError, Trouble};

/// The longest time that a record waits before it is written.
pub const BATCH_TIME: Duration = Duration::from_millis(100);

/// The most records that one transaction writes.
pub const BATCH_RECORDS: usize = 2000;

/// How long after a failure the disk is tried again. The time doubles with each failure, up to
/// [`RETRY_MOST`].
pub const RETRY: Duration = Duration::from_millis(500);

/// The longest such time.
pub const RETRY_MOST: Duration = Duration::from_secs(10);

/// The file's name in the state directory.
pub const FILE: &str = "chathub.db";

/// An answer of the store, for the driver.
#[derive(Debug)]
pub enum Answer {
    /// All records up to this number are on disk.
    Recorded {
        /// The number of the last record on disk.
        through: u64,
        /// For each redaction among these records: its record's number, and how many lines were
        /// redacted.
        redacted: Vec<(u64, u64)>,
    },
    /// A new file took the place of the former one: the former was set aside, or somebody has
    /// exchanged it. The new file has the bans and accounts that could be read. A hub that knows
    /// more should have them recorded again.
    BegunAnew,
    /// The contents of the file, for a hub that could not read them at its start, or that has
    /// another file now. It does not contain the records that the store was given and has not
    /// answered.
    Recalled(Box<Recalled>),
    /// The result of a search.
    Found {
        /// The session that asked.
        session: SessionId,
        /// The search's number.
        number: u64,
        /// The lines found.
        found: Box<Found>,
    },
}

/// Takes an answer. It may block: only the store's threads call it.
pub type Tell = Arc<dyn Fn(Answer) + Send + Sync>;

/// A job for the writer.
enum Job {
    Record(u64, Record),
    Configure(settings::History),
    /// A reader has found the file of this [generation](Health::generation) damaged.
    Damaged(u64),
    /// Write the records that wait, and end.
    Stop,
}

/// The store, which writes the records and answers the searches that it is given.
pub struct Store {
    jobs: Sender<Job>,
    searches: Sender<Search>,
    health: Arc<Mutex<Health>>,
    path: PathBuf,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens the file in `dir` and starts the threads. If the disk fails, the store starts all the
    /// same, and tries again until the disk works. In that case only what can be read is recalled
    /// now; [`Answer::Recalled`] brings the rest later.
    ///
    /// # Errors
    /// The file is another program's, or was written by a newer version. It is not touched then.
    ///
    /// # Panics
    /// The system has no thread for the store.
    pub fn open(dir: StateDir, settings: &settings::History, tell: Tell) -> Result<(Self, Recalled), OpenError> {
        let dir = Arc::new(dir);
        let path = dir.path().join(FILE);
        let health = Arc::new(Mutex::new(Health::default()));
        let (jobs, receiver) = channel();
        let (writer, recalled) =
            Writer::open(dir, path.clone(), settings.clone(), receiver, tell.clone(), health.clone())?;
        let writer = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .expect("the system has a thread for us at the start");
        let (searches, asked) = channel();
        let source = Source { path: path.clone(), health: health.clone(), jobs: jobs.clone() };
        let searcher = Searcher { source, tell };
        std::thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || searcher.run(&asked))
            .expect("the system has a thread for us at the start");
        Ok((Self { jobs, searches, health, path, writer: Some(writer) }, recalled))
    }

    /// Queues a record for writing.
    pub fn record(&self, number: u64, record: Record) {
        self.send(Job::Record(number, record));
    }

    /// Queues a search.
    pub fn search(&self, search: Search) {
        // Sending does not fail: the thread ends when this sender is dropped.
        let _ = self.searches.send(search);
    }

    /// Replaces the settings.
    pub fn configure(&self, settings: &settings::History) {
        self.send(Job::Configure(settings.clone()));
    }

    /// How the store is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    /// What a reader on another thread needs to open the file.
    #[must_use]
    pub fn source(&self) -> Source {
        Source { path: self.path.clone(), health: self.health.clone(), jobs: self.jobs.clone() }
    }

    /// Writes all records that the store was given, and ends. Waits at most `patience`: if the disk
    /// takes nothing until then, some records are not written.
    ///
    /// # Errors
    /// Why not all records are written, in words.
    pub fn close(mut self, patience: Duration) -> Result<(), String> {
        self.send(Job::Stop);
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let (done, ended) = channel();
        // The thread is joined on another one, because joining has no time limit.
        std::thread::spawn(move || {
            let _ = done.send(writer.join().is_ok());
        });
        let has_ended = ended.recv_timeout(patience).unwrap_or(false);
        match lock(&self.health).trouble.take() {
            Some((why, _)) => Err(why),
            None if has_ended => Ok(()),
            None => Err(format!("the disk has not taken it in {} s", patience.as_secs())),
        }
    }

    fn send(&self, job: Job) {
        // It fails only after the thread has ended; nothing is left to record then.
        let _ = self.jobs.send(job);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

/// The time by the system's wall clock.
fn wall() -> Wall {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
