//! What outlives the daemon: what was said, in one SQLite file of the state directory.
//!
//! | module | is |
//! | --- | --- |
//! | [`dir`] | the state directory: one daemon at a time, files that are set aside |
//! | [`schema`] | the file: how it is opened, what stands in it, how older ones are brought up to date |
//! | [`history`] | lines: written, found, left behind, removed |
//! | `writer` | the one thread that writes |
//! | `reader`, `queue` | whoever reads: searches of people, dumps, copies; whose search is next |
//!
//! One thread writes, in batches ([`BATCH_TIME`], [`BATCH_RECORDS`]), and tells what is on disk; nobody
//! waits for it. What it has not told yet is still with the hub ([`crate::hub::archive::Backlog`]), which
//! bounds it. If the disk takes nothing, the thread tries again until it does, and says so in [`Health`].

pub mod dir;
pub mod history;
mod queue;
mod reader;
pub mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use crate::hub::archive::{Found, Reach, Recalled, Record, Search};
use crate::settings;
use crate::values::id::SessionId;
use crate::values::time::Wall;

pub use dir::StateDir;
pub use reader::{Query, Reader, Stats};

/// Records wait at most so long before they are written.
pub const BATCH_TIME: Duration = Duration::from_millis(100);

/// So many records are written in one transaction at most.
pub const BATCH_RECORDS: usize = 2000;

/// How soon a disk that took nothing is tried again; doubled each time, up to [`RETRY_MOST`].
pub const RETRY: Duration = Duration::from_millis(500);

/// How long a disk that took nothing is left alone at most.
pub const RETRY_MOST: Duration = Duration::from_secs(10);

/// In pieces of so many bytes a copy of the file is given.
pub const PIECE: usize = 48 * 1024;

/// The file's name in the state directory.
pub const FILE: &str = "chathub.db";

/// What the store tells whoever owns the hub.
#[derive(Debug)]
pub enum Answer {
    /// All records up to this number are on disk.
    Recorded {
        /// The number.
        through: u64,
        /// How many lines each redaction among them has made unreadable, by the record's number.
        redacted: Vec<(u64, u64)>,
    },
    /// Another file has taken the place of the one before. Bans and accounts that could be read are in it;
    /// those who know all of them do well to have them recorded again.
    BegunAnew,
    /// What stands in the file, which could not be read at the start, or is another one. All that was handed
    /// over and not told to be recorded is missing in it.
    Recalled(Box<Recalled>),
    /// What a search has found.
    Found {
        /// Who asked.
        session: SessionId,
        /// The number of the search.
        number: u64,
        /// What was found.
        found: Box<Found>,
    },
}

/// Takes the answers. May wait; only the store's threads wait with it.
pub type Tell = Arc<dyn Fn(Answer) + Send + Sync>;

/// How the store is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// What is wrong, and since when; recording goes on by itself when it is over.
    pub trouble: Option<(String, Wall)>,
    /// Times that something went wrong.
    pub troubles: u64,
    /// Records written.
    pub records: u64,
    /// Lines on disk.
    pub lines: u64,
    /// Bytes on disk, without what is free for other lines.
    pub bytes: u64,
    /// Up to which line the index for searches reaches.
    pub indexed: u64,
    /// The highest number of a line on disk.
    pub last_line: u64,
    /// The file that could not be read and was set aside last, since the start.
    pub set_aside: Option<PathBuf>,
    /// How many were.
    pub sets_aside: u64,
    /// Raised when another file has taken the place of the one before.
    generation: u64,
}

/// Why the daemon may not start with this state directory.
#[derive(Debug)]
pub enum OpenError {
    /// Another daemon uses the directory.
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The other's process id, if it could be read.
        pid: Option<u32>,
    },
    /// The file was written by a newer version.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
    },
    /// The file belongs to another program.
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { dir, pid } => {
                write!(f, "another chathub uses the state directory {}", dir.display())?;
                if let Some(pid) = pid {
                    write!(f, " (process {pid})")?;
                }
                f.write_str("; stop it, or give this one another --state-dir")
            }
            Self::Newer { path, found } => write!(
                f,
                "{} was written by a newer chathub (schema {found}, this version knows up to {}); install that version \
                 again, or move the file away to start with an empty history",
                path.display(),
                schema::VERSION
            ),
            Self::Foreign { path } => {
                write!(f, "{} is a database of another program; move it away", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {}

enum Job {
    Record(u64, Record),
    Configure(settings::History),
    /// A reader found the file of that generation damaged.
    Damaged(u64),
    /// Write what waits, and end.
    Stop,
}

/// The store: what is handed to it is written; what is asked of it is answered some time.
pub struct Store {
    jobs: Sender<Job>,
    searches: Sender<Search>,
    health: Arc<Mutex<Health>>,
    path: PathBuf,
    writer: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens what is in `dir` and starts the threads. If the disk does not let it, the store starts all
    /// the same, and tries again until it does; then what is recalled is what could be read, and
    /// [`Answer::Recalled`] tells the rest as soon as that can be.
    ///
    /// # Errors
    /// If the file is one that must not be touched.
    ///
    /// # Panics
    /// If no thread can be had.
    pub fn open(dir: StateDir, settings: &settings::History, tell: Tell) -> Result<(Self, Recalled), OpenError> {
        let dir = Arc::new(dir);
        let path = dir.path().join(FILE);
        let health = Arc::new(Mutex::new(Health::default()));
        let (jobs, receiver) = channel();
        let (writer, recalled) =
            writer::Writer::open(dir.clone(), path.clone(), settings.clone(), receiver, tell.clone(), health.clone())?;
        let writer = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run())
            .expect("the system has a thread for us at the start");
        let (searches, asked) = channel();
        let searcher = Searcher { path: path.clone(), health: health.clone(), jobs: jobs.clone(), tell };
        std::thread::Builder::new()
            .name("search".to_owned())
            .spawn(move || searcher.run(&asked))
            .expect("the system has a thread for us at the start");
        Ok((Self { jobs, searches, health, path, writer: Some(writer) }, recalled))
    }

    /// Has a record written.
    pub fn record(&self, number: u64, record: Record) {
        self.send(Job::Record(number, record));
    }

    /// Has a search answered.
    pub fn search(&self, search: Search) {
        // The thread ends with this sender alone.
        let _ = self.searches.send(search);
    }

    /// From now on, these settings count.
    pub fn configure(&self, settings: &settings::History) {
        self.send(Job::Configure(settings.clone()));
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    /// What a reader on another thread needs.
    #[must_use]
    pub fn source(&self) -> Source {
        Source { path: self.path.clone(), health: self.health.clone(), jobs: self.jobs.clone() }
    }

    /// Has everything written that was handed over, and ends. Returns at `patience`'s end at the latest;
    /// then a disk that takes nothing has kept what waits from being written.
    ///
    /// Whether all is written.
    pub fn close(mut self, patience: Duration) -> bool {
        self.send(Job::Stop);
        let Some(writer) = self.writer.take() else { return false };
        let (done, ended) = channel();
        // Joining has no time limit of its own.
        std::thread::spawn(move || {
            let _ = done.send(writer.join().is_ok());
        });
        ended.recv_timeout(patience).unwrap_or(false) && lock(&self.health).trouble.is_none()
    }

    fn send(&self, job: Job) {
        // The thread ends when it is told to, and there is nothing to be recorded then.
        let _ = self.jobs.send(job);
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

/// Where a reader reads.
#[derive(Clone)]
pub struct Source {
    path: PathBuf,
    health: Arc<Mutex<Health>>,
    jobs: Sender<Job>,
}

impl Source {
    /// Opens the file for reading.
    ///
    /// # Errors
    /// In the words of SQLite.
    pub fn open(&self) -> Result<Reader, Trouble> {
        let generation = lock(&self.health).generation;
        let told = self.clone();
        Reader::open(&self.path)
            .map(|reader| reader.reporting(Box::new(move |trouble| told.report(generation, trouble))))
            .inspect_err(|trouble| self.report(generation, trouble))
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives a copy of the file as it is now, in pieces of [`PIECE`] bytes: where each belongs, how long
    /// the whole is, and the bytes; until `take` says that this is enough. The copy is made in the state
    /// directory and is gone afterwards, also after a crash.
    ///
    /// # Errors
    /// If there is no place for it, or the file cannot be read.
    pub fn copy(&self, take: &mut dyn FnMut(u64, u64, &[u8]) -> bool) -> Result<(), Trouble> {
        let io = |error: std::io::Error| Trouble::Unavailable(error.to_string());
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = self.path.with_extension(format!("copy-{number}"));
        // Left behind by a daemon that has crashed.
        let _ = std::fs::remove_file(&path);
        let made = self.open().and_then(|reader| reader.copy(&path)).and_then(|()| File::open(&path).map_err(io));
        // It is there as long as it is read.
        let _ = std::fs::remove_file(&path);
        let mut file = made?;
        let total = file.metadata().map_err(io)?.len();
        let (mut offset, mut piece) = (0, vec![0; PIECE]);
        while offset < total {
            let length = usize::try_from(total - offset).map_or(PIECE, |left| left.min(PIECE));
            file.read_exact(&mut piece[..length]).map_err(io)?;
            if !take(offset, total, &piece[..length]) {
                return Ok(());
            }
            offset += length as u64;
        }
        Ok(())
    }

    fn report(&self, generation: u64, trouble: &Trouble) {
        if matches!(trouble, Trouble::Damaged(_)) {
            let _ = self.jobs.send(Job::Damaged(generation));
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.path.display())
    }
}

/// What went wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// What is in it makes no sense.
    Damaged(String),
    /// A newer version wrote it.
    Newer(i64),
    /// Another program wrote it.
    Foreign,
    /// It cannot be read or written now: full, read-only, locked, gone.
    Unavailable(String),
}

impl Trouble {
    /// Whether another program has the file locked.
    fn is_lock(&self) -> bool {
        matches!(self, Self::Unavailable(why) if why.contains("locked"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "damaged: {why}"),
            Self::Newer(found) => write!(f, "schema {found} is newer than {}", schema::VERSION),
            Self::Foreign => f.write_str("a database of another program"),
            Self::Unavailable(why) => f.write_str(why),
        }
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        let text = error.to_string();
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(text),
            // A table or column that is not there, a value of another type: not as we wrote it.
            Some(rusqlite::ErrorCode::Unknown) if text.contains("no such") => Self::Damaged(text),
            None if !matches!(error, rusqlite::Error::QueryReturnedNoRows) => Self::Damaged(text),
            _ => Self::Unavailable(text),
        }
    }
}

fn lock(health: &Mutex<Health>) -> MutexGuard<'_, Health> {
    health.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the clock on the wall says.
fn wall() -> Wall {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long one search of a person may read.
const SEARCH_TIME: Duration = Duration::from_millis(250);

/// The same while many wait.
const SHORT_SEARCH_TIME: Duration = Duration::from_millis(50);

/// So many that wait are many.
const MANY: usize = 8;

/// The thread that answers people's searches, one after the other, in the order of [`queue`]. It rests as
/// long as each took: at most half a processor is busy with them, however many search.
struct Searcher {
    path: PathBuf,
    health: Arc<Mutex<Health>>,
    jobs: Sender<Job>,
    tell: Tell,
}

impl Searcher {
    fn run(self, asked: &Receiver<Search>) {
        let source = Source { path: self.path.clone(), health: self.health.clone(), jobs: self.jobs.clone() };
        let mut open: Option<(u64, Reader)> = None;
        let mut waiting = queue::Queue::default();
        let told = |search: &Search, found| {
            (self.tell)(Answer::Found { session: search.session, number: search.number, found: Box::new(found) });
        };
        let nothing = |reach| Found { lines: Vec::new(), through: 0, reach };
        loop {
            let first = if waiting.len() == 0 { asked.recv().ok() } else { None };
            for search in first.into_iter().chain(asked.try_iter()) {
                if let Some(refused) = waiting.push(search) {
                    told(&refused, nothing(Reach::Busy));
                }
            }
            // All who could ask have gone.
            let Some(search) = waiting.pop() else { return };
            let begin = std::time::Instant::now();
            let time = if waiting.len() < MANY { SEARCH_TIME } else { SHORT_SEARCH_TIME };
            let generation = lock(&source.health).generation;
            if open.as_ref().is_none_or(|(of, _)| *of != generation) {
                open = source.open().ok().map(|reader| (generation, reader));
            }
            let found = open.as_ref().map(|(_, reader)| reader.search(&search, begin + time));
            let found = match found {
                Some(Ok(found)) => found,
                _ => {
                    open = None;
                    nothing(Reach::Memory)
                }
            };
            told(&search, found);
            std::thread::sleep(begin.elapsed().min(SEARCH_TIME));
        }
    }
}
