//! The one thread that writes to the file.
//!
//! | to change | see |
//! | --- | --- |
//! | the loop: taking records, batching and writing them | this file |
//! | opening the file, setting it aside, replacing it | `file` |
//! | a disk that takes nothing, a damaged file | `failing` |
//! | indexing; deleting lines whose time is over | `upkeep` |
//! | the write-ahead log, erasing deleted content | `log` |
//!
//! The writer gathers records for [`BATCH_TIME`], writes them in one transaction, and answers that
//! they are on disk. In between it does the upkeep, in small steps with rests.
//!
//! If the disk takes nothing, the writer closes the file, keeps the records that wait, and tries
//! again. A damaged file is set aside, and a new one is begun. The writer does not know the form of
//! a row.

mod failing;
mod file;
mod log;
#[cfg(test)]
mod tests;
mod upkeep;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use self::file::Aside;
use self::log::Log;
use self::upkeep::{INDEX_AFTER, STEP};
use super::health::lock;
use super::history::{Rooms, redact};
use super::meta::Meta;
use super::{
    Answer, BATCH_RECORDS, BATCH_TIME, Health, Job, OpenError, RETRY, StateDir, Tell, Trouble, accounts, history,
    lasting, memos, reports, sanctions, schema, step, wall,
};
use crate::hub::archive::{Recalled, Record};
use crate::settings;

/// The writing thread.
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
    /// Records that are not on disk yet. The hub bounds how many there are.
    waiting: VecDeque<(u64, Record)>,
    /// For a redaction at the head of `waiting`: the last line that it has looked at, and how many
    /// lines it has redacted.
    redacting: Option<(u64, u64)>,
    /// Redactions that are finished: the number of the record, and how many lines were redacted.
    /// They go into the next answer.
    redacted: Vec<(u64, u64)>,
    /// The highest number of a line that this writer has read or been given.
    last_line: u64,
    /// Whether a part of the file could not be read at the start, and has not been read since.
    unread: bool,
    /// Device and inode of the file that was opened last: so another file in its place is noticed.
    file: Option<(u64, u64)>,
    /// When a disk that took nothing is tried again, and how long it takes until the attempt after
    /// that.
    retry_at: Instant,
    retry: Duration,
    /// When the writer looks next for lines to delete.
    look_at: Instant,
    /// Until when the upkeep rests.
    rest_until: Instant,
    /// Whether there may be lines that are not in the index.
    unindexed: bool,
    /// How many of the oldest lines are still to be deleted, although the file may be small enough
    /// before.
    many: u64,
    /// Whether lines were deleted since the writer looked last for closed rooms without lines.
    rooms_left: bool,
    log: Log,
    /// The next page to sweep. `None` unless the file may have traces of what an older version has
    /// deleted.
    sweep: Option<u32>,
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
        lock(&health).keep = settings.keep;
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
            look_at: now,
            rest_until: now,
            unindexed: true,
            many: 0,
            rooms_left: true,
            log: Log::default(),
            sweep: None,
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

    /// Runs until the writer is told to stop. Then it goes on until all records are written, or the
    /// disk takes nothing.
    pub(super) fn run(mut self) {
        loop {
            match self.jobs.recv_timeout(self.wait()) {
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
        if self.db.is_some() {
            // With an empty log, a copy of the file alone is complete.
            let _ = self.checkpoint("TRUNCATE");
        }
    }

    /// How long the writer waits for a job, before it has something to do by itself.
    fn wait(&self) -> Duration {
        let now = Instant::now();
        let at = if self.db.is_none() {
            self.retry_at
        } else if !self.waiting.is_empty() {
            now
        } else {
            let next = if self.unindexed || self.sweep.is_some() { now } else { self.look_at };
            let upkeep = next.max(self.rest_until);
            self.log.erasing.as_ref().map_or(upkeep, |erasing| erasing.at().min(upkeep))
        };
        at.saturating_duration_since(now)
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
                lock(&self.health).keep = settings.keep;
                self.settings = settings;
                self.many = 0;
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

    /// Takes more jobs, until a batch is full, until [`BATCH_TIME`] is over, or until a record
    /// comes whose author waits for the answer that it is on disk.
    fn gather(&mut self) {
        let end = Instant::now() + BATCH_TIME;
        // A deed counts even if lines have come after it. Otherwise the delay of the answer would
        // tell its author whether a line was recorded with it.
        let mut is_awaited = self.waiting.iter().any(|(_, record)| record.is_of_a_deed());
        while !self.stop
            && !is_awaited
            && !self.waiting.is_empty()
            && self.waiting.len() < BATCH_RECORDS
            && self.db.is_some()
        {
            match self.jobs.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(job) => self.take(job),
                Err(_) => return,
            }
            is_awaited = self.waiting.back().is_some_and(|(_, record)| record.is_of_a_deed());
        }
        // Jobs that are there already are taken without waiting.
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
        let done = if self.waiting.is_empty() { self.probe() } else { self.write() };
        // The upkeep also goes on while people talk all the time, so that old lines are deleted.
        if let Err(trouble) = done.and_then(|()| self.upkeep(now, wall())).and_then(|()| self.shorten()) {
            self.failed(trouble);
        }
    }

    /// Writes one batch, or makes one step of a redaction, and answers which records are on disk.
    fn write(&mut self) -> Result<(), Trouble> {
        let db = self.db.as_mut().expect("the caller has looked");
        if let Some((number, Record::Redact(what))) = self.waiting.front() {
            let (from, count) = self.redacting.unwrap_or_default();
            let (next, more) = redact::some(db, what, (from, count), STEP)?;
            if let Some(next) = next.filter(|next| *next > from) {
                self.redacting = Some((next, count + more));
                return Ok(());
            }
            let number = *number;
            self.redacting = None;
            self.redacted.push((number, count + more));
            self.waiting.pop_front();
            let erased = self.redacted();
            return self.written(number, 1).and(erased);
        }
        step::reached("before a batch");
        let batch = db.transaction()?;
        let mut meta = Meta::read(&batch)?;
        let (mut taken, mut told, mut deletes) = (0, 0, false);
        // A batch with a deed ends there: the deed does not wait for the lines that came after it.
        // Otherwise the delay of the answer would tell its author whether a line was recorded as
        // well, and so whether anybody hears them.
        let deed = self.waiting.iter().take(BATCH_RECORDS).rposition(|(_, record)| record.is_of_a_deed());
        let most = deed.map_or(BATCH_RECORDS, |last| last + 1);
        for (_, record) in self.waiting.iter().take(most) {
            meta.gave(record);
            match record {
                Record::Line { room, name, line, encrypted } => {
                    let in_room = history::InRoom { room: *room, name, encrypted: *encrypted };
                    history::append(&batch, &mut self.rooms, &mut meta, in_room, line)?;
                }
                // `gave` has noted the number.
                Record::Given(_) => {}
                Record::Closed { room, name } => history::close_room(&batch, *room, name)?,
                Record::Sanction(ban) => sanctions::put(&batch, ban)?,
                Record::Lifted(id) => sanctions::remove(&batch, *id)?,
                Record::Account(account) => accounts::put(&batch, account)?,
                Record::Unaccount(id) => accounts::remove(&batch, *id)?,
                Record::Report(report) => reports::put(&batch, report)?,
                Record::Unreport(id) => reports::remove(&batch, *id)?,
                Record::Memo(memo) => memos::put(&batch, memo)?,
                Record::Unmemo(id) => memos::remove(&batch, *id)?,
                Record::Lasting(room) => lasting::put(&batch, room)?,
                Record::Passing(name) => lasting::remove(&batch, name)?,
                Record::Redact(_) => break,
            }
            // Other records may replace or remove a row: its former content must then be erased.
            deletes |= !matches!(record, Record::Line { .. } | Record::Given(_) | Record::Closed { .. });
            step::reached("after a record");
            taken += 1;
            // A number that was given is nothing that anybody has said or done: it does not count
            // as a record.
            told += u64::from(!matches!(record, Record::Given(_)));
        }
        if deed.is_some() {
            Meta::touch(&batch)?;
        }
        meta.write(&batch)?;
        step::reached("before a batch is committed");
        batch.commit()?;
        step::reached("after a batch is committed");
        if deletes {
            self.deleted();
        }
        let last = self.waiting.drain(..taken).next_back().map(|(number, _)| number);
        last.map_or(Ok(()), |number| self.written(number, told))
    }

    fn written(&mut self, through: u64, records: u64) -> Result<(), Trouble> {
        lock(&self.health).records += records;
        let measured = self.recover().and_then(|()| self.measure());
        (self.tell)(Answer::Recorded { through, redacted: std::mem::take(&mut self.redacted) });
        if !std::mem::replace(&mut self.unindexed, true) {
            // Searches also read the lines that are not indexed yet. Indexing many lines at a time
            // costs less.
            self.rest_until = Instant::now() + INDEX_AFTER;
        }
        measured
    }
}
