//! The one thread that writes.
//!
//! It gathers records for [`BATCH_TIME`], writes them in one transaction, and tells that they are on
//! disk. When nothing waits it does what can wait: it indexes, and leaves behind what is too old or too
//! much, in small steps and with rests, so that it never takes more than a part of a processor.
//!
//! If the disk takes nothing, it closes the file, keeps what waits, and tries again. A file whose content
//! makes no sense is set aside, and another is begun.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tracing::{error, info, warn};

use super::history::{self, Meta, Rooms, step};
use super::schema::Readable;
use super::{
    Answer, BATCH_RECORDS, BATCH_TIME, Health, Job, OpenError, RETRY, RETRY_MOST, StateDir, Tell, Trouble, dir, lock,
    schema, wall,
};
use crate::hub::account::Account;
use crate::hub::archive::{Recalled, Record};
use crate::hub::moderation::Ban;
use crate::logging::{InWords, ids};
use crate::settings;
use crate::values::time::Wall;

/// Lines that are indexed, left behind or removed in one step.
const STEP: usize = 500;

/// How often it is looked whether there is too much.
const LOOK: Duration = Duration::from_secs(10);

/// How long lines wait for the index.
const INDEX_AFTER: Duration = Duration::from_secs(2);

/// What can wait takes at most one part in so many of a processor's time.
const SHARE: u32 = 4;

/// The thread's state.
pub(super) struct Writer {
    dir: Arc<StateDir>,
    path: PathBuf,
    settings: settings::History,
    jobs: Receiver<Job>,
    tell: Tell,
    health: Arc<Mutex<Health>>,
    /// `None` while the disk takes nothing.
    db: Option<Connection>,
    rooms: Rooms,
    /// Records that are not on disk. The hub bounds them.
    waiting: VecDeque<(u64, Record)>,
    /// How far the redaction at the head of `waiting` has come, and how many lines it has found.
    redacting: Option<(u64, u64)>,
    /// What is told with the next batch.
    redacted: Vec<(u64, u64)>,
    /// The highest number of a line that ever came here.
    last_line: u64,
    /// Not all that is on disk was read since the start.
    unread: bool,
    /// The file that was open last, to tell it from another one in its place.
    file: Option<(u64, u64)>,
    retry_at: Instant,
    retry: Duration,
    look_at: Instant,
    rest_until: Instant,
    /// There are lines that are not in the index.
    unindexed: bool,
    /// Lines were left behind since rooms were last looked at.
    left: bool,
    stop: bool,
}

impl Writer {
    pub(super) fn open(
        dir: Arc<StateDir>,
        path: PathBuf,
        settings: settings::History,
        jobs: Receiver<Job>,
        tell: Tell,
        health: Arc<Mutex<Health>>,
    ) -> Result<(Self, Recalled), OpenError> {
        let now = Instant::now();
        let mut this = Self {
            dir,
            path,
            settings,
            jobs,
            tell,
            health,
            db: None,
            rooms: Rooms::default(),
            waiting: VecDeque::new(),
            redacting: None,
            redacted: Vec::new(),
            last_line: 0,
            unread: false,
            file: None,
            retry_at: now,
            retry: RETRY,
            look_at: now + LOOK,
            rest_until: now,
            unindexed: true,
            left: true,
            stop: false,
        };
        let mut opened = this.begin();
        if let Err(Trouble::Damaged(why)) = &opened {
            let why = why.clone();
            opened = this.replace(&why, Aside::Damaged).and_then(|()| this.begin());
        }
        let recalled = match opened {
            Ok(recalled) => recalled,
            Err(Trouble::Newer(found)) => return Err(OpenError::Newer { path: this.path, found }),
            Err(Trouble::Foreign) => return Err(OpenError::Foreign { path: this.path }),
            Err(trouble) => {
                this.trouble(trouble);
                this.recall_in_need()
            }
        };
        this.last_line = recalled.last_line;
        this.unread = recalled.unread;
        Ok((this, recalled))
    }

    /// Opens the file and reads what a hub is told at its start.
    fn begin(&mut self) -> Result<Recalled, Trouble> {
        self.connect()?;
        let db = self.db.as_ref().expect("it was opened");
        let recalled = history::recall(db, &self.settings)?;
        self.file = identity(&self.path);
        self.measure()?;
        Ok(recalled)
    }

    /// What can be read of a file that cannot be written now.
    fn recall_in_need(&mut self) -> Recalled {
        self.file = identity(&self.path);
        let read = schema::open_in_need(&self.path)
            .and_then(|(db, readable)| history::recall(&db, &self.settings).map(|recalled| (recalled, readable)));
        match read {
            Ok((recalled, Readable::All)) => recalled,
            read => {
                // Whatever is on disk has lower numbers: no hub says more than a line a millisecond
                // from 1970 on.
                let floor = u64::try_from(wall().0).unwrap_or(0);
                let read = match read {
                    Ok((recalled, _)) => recalled,
                    Err(_) => {
                        let rescued = schema::open_in_need(&self.path).map(|(db, _)| history::rescue(&db));
                        let (bans, accounts, _) = rescued.unwrap_or_default();
                        Recalled { bans, accounts, ..Recalled::default() }
                    }
                };
                Recalled { last_line: floor, last_room: floor, last_session: floor, unread: true, ..read }
            }
        }
    }

    fn connect(&mut self) -> Result<(), Trouble> {
        self.db = None;
        self.rooms.forget();
        self.dir.lock().map_err(|why| Trouble::Unavailable(why.to_string()))?;
        self.look_for_remains()?;
        self.reopen()
    }

    fn reopen(&mut self) -> Result<(), Trouble> {
        let db = schema::open(&self.path, self.settings.sync)?;
        self.db = Some(db);
        Ok(())
    }

    /// SQLite takes a file of no bytes for one that is to be begun, and throws the log beside it away.
    fn look_for_remains(&mut self) -> Result<(), Trouble> {
        let length = |part| std::fs::symlink_metadata(dir::beside(&self.path, part)).map(|found| found.len());
        let is_missing = |part| length(part).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        let next = self.next();
        if !is_missing("") || length("-wal").is_ok() {
            // What was to take its place was not needed, or is made again.
            let _ = std::fs::remove_file(next);
        } else if next.exists() {
            // A crash in the middle of `replace`.
            std::fs::rename(next, &self.path).map_err(|error| self.cannot("replace", &error))?;
        }
        match (length(""), length("-wal")) {
            (Ok(0), _) => self.replace("it has no bytes", Aside::Empty),
            (Err(error), Ok(1..)) if error.kind() == ErrorKind::NotFound => {
                self.replace("it is gone, and its log is there", Aside::Empty)
            }
            _ => Ok(()),
        }
    }

    /// Where a file is made that is to take the place of the present one.
    fn next(&self) -> PathBuf {
        dir::beside(&self.path, ".next")
    }

    fn cannot(&self, what: &str, error: &std::io::Error) -> Trouble {
        Trouble::Unavailable(format!("cannot {what} {}: {error}", self.path.display()))
    }

    /// Sets a file aside that makes no sense, and puts another in its place, with the bans and accounts that
    /// could be read: what was said may be lost, but nobody comes back in by that, and nobody loses a name.
    fn replace(&mut self, why: &str, kind: Aside) -> Result<(), Trouble> {
        self.db = None;
        self.rooms.forget();
        self.redacting = None;
        let (bans, accounts, whole) = match kind {
            Aside::Damaged => schema::open_in_need(&self.path).map(|(db, _)| history::rescue(&db)).unwrap_or_default(),
            Aside::Empty => rescue_from_log(&self.path)?,
        };
        // Numbers go on: above all that came by, or if none did, above all that can have been.
        let floor = if self.last_line > 0 { self.last_line } else { u64::try_from(wall().0).unwrap_or(0) };
        // It is whole before the old one goes: what is set aside is not looked at a second time.
        let next = self.next();
        let _ = std::fs::remove_file(&next);
        schema::make(&next, |db| {
            let batch = db.transaction()?;
            Meta { last_line: floor, last_room: floor, last_session: floor, lines: 0, indexed: 0 }.write(&batch)?;
            bans.iter().try_for_each(|ban| history::ban(&batch, ban))?;
            accounts.iter().try_for_each(|account| history::account(&batch, account))?;
            Ok(batch.commit()?)
        })?;
        step("before a damaged file is set aside");
        let aside =
            dir::set_aside(&self.path, kind.word(), wall()).map_err(|error| self.cannot("set aside", &error))?;
        step("before a damaged file is replaced");
        std::fs::rename(next, &self.path).map_err(|error| self.cannot("replace", &error))?;
        error!(
            message_id = ids::STORE,
            chathub_file = %aside.display(),
            chathub_error = why,
            chathub_bans = bans.len(),
            chathub_accounts = accounts.len(),
            "the recorded history cannot be read and was set aside; a new one is begun{}",
            InWords(format_args!(
                "{} ({why}); bans that could be read: {}, accounts: {}{}",
                aside.display(),
                bans.len(),
                accounts.len(),
                if whole { "" } else { "; there may have been more" }
            ))
        );
        let mut health = lock(&self.health);
        health.set_aside = Some(aside);
        health.sets_aside += 1;
        health.generation += 1;
        drop(health);
        self.reopen()
    }

    /// Tells what stands in the file, if that is not known, or if the file is another one than before.
    fn look_into(&mut self) -> Result<(), Trouble> {
        let found = identity(&self.path);
        let is_another = self.file.is_some_and(|known| Some(known) != found);
        self.file = found;
        if !is_another && !self.unread {
            return Ok(());
        }
        let db = self.db.as_ref().expect("the caller has opened it");
        let recalled = history::recall(db, &self.settings)?;
        self.last_line = self.last_line.max(recalled.last_line);
        self.unread = false;
        (self.tell)(Answer::Recalled(Box::new(recalled)));
        if is_another {
            lock(&self.health).generation += 1;
            (self.tell)(Answer::BegunAnew);
        }
        self.measure()
    }

    /// Runs until it is told to stop, and everything is written or cannot be.
    pub(super) fn run(mut self) {
        loop {
            let taken = match self.wait() {
                None => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(time) => self.jobs.recv_timeout(time),
            };
            match taken {
                Ok(job) => {
                    self.take(job);
                    self.gather();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.stop = true,
            }
            self.work();
            if self.stop && (self.waiting.is_empty() || self.db.is_none()) {
                break;
            }
        }
        if let Some(db) = self.db.take() {
            // The log goes into the file: then a copy of the file alone is all of it.
            let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
    }

    /// How long until there is something to do without being told.
    fn wait(&self) -> Option<Duration> {
        let now = Instant::now();
        let at = if self.db.is_none() {
            self.retry_at
        } else if !self.waiting.is_empty() {
            now
        } else if self.unindexed {
            self.rest_until
        } else {
            self.look_at.max(self.rest_until)
        };
        Some(at.saturating_duration_since(now))
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Record(number, record) => {
                if let Record::Line { line, .. } = &record {
                    self.last_line = self.last_line.max(line.seq);
                }
                self.waiting.push_back((number, record));
            }
            Job::Configure(settings) => {
                self.settings = settings;
                self.look_at = Instant::now();
                if let Some(db) = &self.db
                    && let Err(trouble) = schema::set_sync(db, self.settings.sync)
                {
                    self.failed(trouble);
                }
            }
            Job::Damaged(generation) => {
                if lock(&self.health).generation == generation && self.db.is_some() {
                    self.failed(Trouble::Damaged("found while reading".to_owned()));
                }
            }
            Job::Stop => self.stop = true,
        }
    }

    /// Takes what else comes until a batch is full, or the first of it has waited long enough.
    fn gather(&mut self) {
        let end = Instant::now() + BATCH_TIME;
        while !self.stop && !self.waiting.is_empty() && self.waiting.len() < BATCH_RECORDS && self.db.is_some() {
            match self.jobs.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(job) => self.take(job),
                Err(_) => return,
            }
        }
        // What is there already costs nothing to take.
        while let Ok(job) = self.jobs.try_recv() {
            self.take(job);
        }
    }

    fn work(&mut self) {
        let now = Instant::now();
        if self.db.is_none() {
            if now < self.retry_at && !self.stop {
                return;
            }
            match self.connect().and_then(|()| self.look_into()) {
                Ok(()) => {}
                Err(trouble) => return self.failed(trouble),
            }
        }
        let done = if self.waiting.is_empty() { self.probe().and_then(|()| self.tidy(now)) } else { self.write() };
        if let Err(trouble) = done {
            self.failed(trouble);
        }
    }

    /// Writes one batch, or a part of a redaction, and tells what is on disk.
    fn write(&mut self) -> Result<(), Trouble> {
        let db = self.db.as_mut().expect("the caller has looked");
        if let Some((number, Record::Redact(what))) = self.waiting.front() {
            let (from, count) = self.redacting.unwrap_or_default();
            let (next, more) = history::redact_some(db, what, from, STEP)?;
            if let Some(next) = next.filter(|next| *next > from) {
                self.redacting = Some((next, count + more));
                return Ok(());
            }
            // What was there must not be found in the log of writes either.
            let _ = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
            let number = *number;
            self.redacting = None;
            self.redacted.push((number, count + more));
            self.waiting.pop_front();
            return self.written(number, 1);
        }
        step("before a batch");
        let batch = db.transaction()?;
        let mut meta = Meta::read(&batch)?;
        let (mut taken, mut told) = (0, 0);
        for (_, record) in self.waiting.iter().take(BATCH_RECORDS) {
            match record {
                Record::Line { room, name, line } => {
                    history::append(&batch, &mut self.rooms, &mut meta, (*room, name), line)?;
                }
                Record::Given(id) => meta.last_session = meta.last_session.max(id.0),
                Record::Closed { room, name } => history::close_room(&batch, *room, name)?,
                Record::Ban(ban) => history::ban(&batch, ban)?,
                Record::Unban(id) => history::unban(&batch, *id)?,
                Record::Account(account) => history::account(&batch, account)?,
                Record::Unaccount(id) => history::unaccount(&batch, *id)?,
                Record::Redact(_) => break,
            }
            step("after a record");
            taken += 1;
            // Which numbers are given is nothing that anybody has said or done.
            told += u64::from(!matches!(record, Record::Given(_)));
        }
        meta.write(&batch)?;
        step("before a batch is committed");
        batch.commit()?;
        step("after a batch is committed");
        let last = self.waiting.drain(..taken).next_back().map(|(number, _)| number);
        last.map_or(Ok(()), |number| self.written(number, told))
    }

    fn written(&mut self, through: u64, records: u64) -> Result<(), Trouble> {
        lock(&self.health).records += records;
        let measured = self.recover().and_then(|()| self.measure());
        (self.tell)(Answer::Recorded { through, redacted: std::mem::take(&mut self.redacted) });
        if !std::mem::replace(&mut self.unindexed, true) {
            // A search reads what is not in the index as well: many lines at a time cost less.
            self.rest_until = Instant::now() + INDEX_AFTER;
        }
        measured
    }

    /// If the disk took nothing before, and nothing waits for it now: whether it takes something.
    fn probe(&mut self) -> Result<(), Trouble> {
        if lock(&self.health).trouble.is_none() {
            return Ok(());
        }
        let db = self.db.as_ref().expect("the caller has looked");
        Meta::read(db)?.write(db)?;
        self.recover()
    }

    /// The disk takes what it is given: if it did not before, that is over.
    fn recover(&mut self) -> Result<(), Trouble> {
        self.retry = RETRY;
        let over = lock(&self.health).trouble.take();
        if over.is_some() {
            info!(message_id = ids::STORE, "history is recorded again");
            self.measure()?;
        }
        Ok(())
    }

    fn measure(&mut self) -> Result<(), Trouble> {
        let db = self.db.as_ref().expect("the caller has looked");
        let meta = Meta::read(db)?;
        let bytes = history::size(db)?;
        let mut health = lock(&self.health);
        (health.lines, health.bytes) = (meta.lines, bytes);
        (health.indexed, health.last_line) = (meta.indexed, meta.last_line);
        Ok(())
    }

    /// What can wait: one step of it, and a rest.
    fn tidy(&mut self, now: Instant) -> Result<(), Trouble> {
        if now < self.rest_until {
            return Ok(());
        }
        let begin = Instant::now();
        if now >= self.look_at {
            self.look_at = now + LOOK;
            self.look()?;
        } else if self.unindexed {
            let db = self.db.as_mut().expect("the caller has looked");
            self.unindexed = history::index_some(db, STEP)?;
            self.measure()?;
        }
        self.rest_until = Instant::now() + begin.elapsed() * (SHARE - 1);
        Ok(())
    }

    /// Whether there is too much, and whether the file is still where it was.
    fn look(&mut self) -> Result<(), Trouble> {
        if identity(&self.path) != self.file {
            return Err(Trouble::Unavailable("the file was moved, deleted, or replaced by another".to_owned()));
        }
        let db = self.db.as_mut().expect("the caller has looked");
        if let Some(excess) = history::excess(db, &self.settings, wall())? {
            history::leave_some(db, excess, STEP as u64)?;
            self.left = true;
            // There may be more.
            self.look_at = Instant::now();
            self.measure()?;
        } else if std::mem::take(&mut self.left) {
            history::forget_rooms(db)?;
        }
        Ok(())
    }

    fn failed(&mut self, trouble: Trouble) {
        let trouble = match trouble {
            Trouble::Damaged(why) => match self.replace(&why, Aside::Damaged).and_then(|()| self.look_into()) {
                // What waits is written to the new one.
                Ok(()) => return self.note(Trouble::Damaged(why)),
                Err(trouble) => trouble,
            },
            other => other,
        };
        self.trouble(trouble);
    }

    /// Closes the file for a while.
    fn trouble(&mut self, trouble: Trouble) {
        self.db = None;
        self.rooms.forget();
        self.retry_at = Instant::now() + self.retry;
        self.retry = (self.retry * 2).min(RETRY_MOST);
        self.note(trouble);
    }

    /// Tells the operator, once for each cause.
    fn note(&mut self, trouble: Trouble) {
        let text = trouble.to_string();
        let mut health = lock(&self.health);
        let same = health.trouble.as_ref().is_some_and(|(known, _)| *known == text);
        if same {
            return;
        }
        let since = health.trouble.as_ref().map_or_else(wall, |(_, since): &(String, Wall)| *since);
        health.trouble = Some((text.clone(), since));
        health.troubles += 1;
        drop(health);
        warn!(
            message_id = ids::STORE,
            chathub_file = %self.path.display(),
            chathub_error = text,
            "history cannot be recorded now; people go on talking, and recording goes on when it can{}",
            InWords(&text)
        );
    }
}

/// Why a file is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aside {
    /// What is in it makes no sense.
    Damaged,
    /// There is nothing in it, or there is no file beside the log.
    Empty,
}

impl Aside {
    /// As it stands in the file's new name.
    fn word(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Empty => "empty",
        }
    }
}

/// Which file is there.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Bans and accounts that a log still has whose database is gone, and whether these are all.
fn rescue_from_log(path: &Path) -> Result<(Vec<Ban>, Vec<Account>, bool), Trouble> {
    let scratch = dir::beside(path, ".read");
    let clear = || {
        for part in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(dir::beside(&scratch, part));
        }
    };
    clear();
    let rescued = schema::open_log(&dir::beside(path, "-wal"), &scratch)
        .map(|db| db.map(|db| history::rescue(&db)).unwrap_or_default());
    clear();
    rescued
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;

    type Hook = Box<dyn FnMut(&str)>;

    /// Has `hook` called between any two steps that this thread makes.
    pub(in super::super) fn watch(hook: Option<Hook>) {
        HOOK.set(hook);
    }

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// The writer on this thread is between two steps.
    pub(in super::super) fn at(name: &str) {
        HOOK.with_borrow_mut(|hook| {
            if let Some(hook) = hook {
                hook(name);
            }
        });
    }
}
