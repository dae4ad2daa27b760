//! What happens in the hub, written to the journal by a thread of its own, and not faster than is good for a journal.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::warn;

use super::happening::write;
use super::{InWords, ids};
use crate::hub::{Happening, What};
use crate::values::rate;
use crate::values::time::Mono;

/// Happenings that may wait for the thread. If there are more, they are lost and counted.
const WAITING: usize = 4096;

/// Arrivals, departures and refusals that are written a second in the long run.
const RATE: u32 = 20;
/// The same in one go, after a quiet time.
const BURST: u32 = 200;

/// The time from the first that is left out to the line that says how many were.
const SUMMARY: Duration = Duration::from_secs(1);

/// The way to the thread that writes the journal.
#[derive(Debug)]
pub struct Journal {
    sender: SyncSender<Record>,
    /// Happenings lost because [`WAITING`] others waited, since the start.
    lost: u64,
    /// When [`BURST`] may be written in one go again.
    full_at: Mono,
    /// Left out because they were over the rate, since the last summary.
    suppressed: u64,
    /// When the next summary is due; `None` if none was left out.
    summary_at: Option<Mono>,
}

/// What the thread is to write.
#[derive(Debug)]
enum Record {
    Happening(Happening),
    /// How many happenings were left out.
    Suppressed(u64),
}

impl Journal {
    /// Starts the thread. When the `Journal` is dropped, it writes what waits, and ends.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start() -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || write_all(&receiver))?;
        Ok((Self { sender, lost: 0, full_at: Mono(0), suppressed: 0, summary_at: None }, thread))
    }

    /// Has the thread write what happened. Never waits: if the thread does not keep up, the happening is lost and
    /// counted. Arrivals and departures over the rate are not even handed to the thread, for to wake it costs more
    /// than an arrival.
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

    /// When [`Self::summarize`] is to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.summary_at
    }

    /// Has the thread write how many were left out, if that is due.
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

/// The thread.
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
