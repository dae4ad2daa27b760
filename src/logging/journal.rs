//! Writes happenings of the hub to the journal, in a thread of its own, and no faster than a
//! journal can bear.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::warn;

use super::happening::write;
use super::{InWords, ids};
use crate::hub::{Happening, What};
use crate::values::rate;
use crate::values::time::Mono;

/// The most happenings that wait for the thread. Further ones are lost, and counted.
const WAITING: usize = 4096;

/// The most arrivals, departures and refusals written a second, in the long run.
const RATE: u32 = 20;
/// The most written at once after a quiet time.
const BURST: u32 = 200;

/// How long after the first one that is left out a line says how many were.
const SUMMARY: Duration = Duration::from_secs(1);

/// The way to the thread that writes to the journal.
#[derive(Debug)]
pub struct Journal {
    sender: SyncSender<Record>,
    /// Happenings lost since the start, because [`WAITING`] others waited.
    lost: u64,
    /// When [`BURST`] happenings may be written at once again.
    full_at: Mono,
    /// Happenings left out since the last summary, because they came faster than [`RATE`].
    suppressed: u64,
    /// When the next summary is due; `None` if none was left out since the last one.
    summary_at: Option<Mono>,
}

/// A job for the thread.
#[derive(Debug)]
enum Record {
    Happening(Happening),
    /// This many happenings were left out.
    Suppressed(u64),
}

impl Journal {
    /// Starts the thread. When the `Journal` is dropped, the thread writes what waits, and ends.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start() -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || write_all(&receiver))?;
        Ok((Self { sender, lost: 0, full_at: Mono(0), suppressed: 0, summary_at: None }, thread))
    }

    /// Hands a happening to the thread. Never waits: if the thread does not keep up, the happening
    /// is lost, and counted. Arrivals and departures above the rate are not even handed over,
    /// because to wake the thread costs more than an arrival does.
    pub fn note(&mut self, happening: Happening, now: Mono) {
        use What::{Arrived, Departed, Joined, Left, Refused};
        if matches!(happening.what, Arrived | Departed | Refused | Joined | Left) {
            match rate::take_one(self.full_at, now, Duration::from_secs(1) / RATE, BURST) {
                Ok(full_at) => self.full_at = full_at,
                Err(_) => {
                    self.suppressed += 1;
                    self.summary_at.get_or_insert(now.after(SUMMARY));
                    return;
                }
            }
        }
        self.send(Record::Happening(happening));
    }

    /// When [`Self::summarize`] has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.summary_at
    }

    /// Has the thread write how many happenings were left out, if that is due.
    pub fn summarize(&mut self, now: Mono) {
        if self.summary_at.is_some_and(|at| at <= now) {
            self.summary_at = None;
            let suppressed = std::mem::take(&mut self.suppressed);
            self.send(Record::Suppressed(suppressed));
        }
    }

    fn send(&mut self, record: Record) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(record) {
            self.lost += 1;
        }
    }

    /// Happenings, and other events, lost since the start, because the journal did not keep up.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost + super::journald::lost()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.summarize(Mono(u64::MAX));
    }
}

/// The thread: writes each record, until the `Journal` is dropped.
fn write_all(records: &Receiver<Record>) {
    for record in records {
        match record {
            Record::Happening(happening) => write(&happening),
            Record::Suppressed(count) => report_suppressed(count),
        }
    }
}

fn report_suppressed(count: u64) {
    warn!(
        message_id = ids::SUPPRESSED,
        chathub_count = count,
        "arrivals and departures left out of the journal{}",
        InWords(count)
    );
}
