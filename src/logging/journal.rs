//! What happens in the hub, written by a thread of its own.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::warn;

use super::happening::write;
use super::{InWords, ids};
use crate::hub::{Happening, What};
use crate::values::time::Mono;

/// How many happenings may wait for the journal; those over it are counted.
const WAITING: usize = 4096;

/// How many arrivals, departures and refusals are written in a second, after a first burst.
const RATE: u32 = 20;
const BURST: u32 = 200;

/// How long after some were left out it is said how many, at the latest.
const SUMMARY: Duration = Duration::from_secs(1);

/// Writes what happened to the journal, from a thread of its own.
#[derive(Debug)]
pub struct Journal {
    sender: SyncSender<Record>,
    lost: u64,
    /// When all of [`BURST`] may be used again.
    full_at: Mono,
    suppressed: u64,
    /// When it is said how many were left out.
    summary_at: Option<Mono>,
}

#[derive(Debug)]
enum Record {
    Happening(Happening),
    Suppressed(u64),
}

impl Journal {
    /// Starts the thread; it ends, with everything written, when the `Journal` is dropped.
    ///
    /// # Errors
    /// If no thread can be had.
    pub fn start() -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || keep(&receiver))?;
        Ok((Self { sender, lost: 0, full_at: Mono(0), suppressed: 0, summary_at: None }, thread))
    }

    /// Notes what happened. Never waits: if the journal does not keep up, it is counted only. Coming and
    /// going over the rate is not even handed to the thread: in a storm of arrivals, waking it for each
    /// would cost more than the arrival.
    pub fn note(&mut self, happening: Happening, now: Mono) {
        use What::{Arrived, Departed, Joined, Left, Refused};
        if matches!(happening.what, Arrived | Departed | Refused | Joined | Left) {
            let full_at = self.full_at.max(now).after(Duration::from_secs(1) / RATE);
            if full_at.since(now) > Duration::from_secs(1) * BURST / RATE {
                self.suppressed += 1;
                self.summary_at.get_or_insert(now.after(SUMMARY));
                return;
            }
            self.full_at = full_at;
        }
        self.send(Record::Happening(happening));
    }

    /// When [`Self::summarize`] is to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.summary_at
    }

    /// Says how many were left out, if it is time.
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

    /// How many happenings were lost because the journal did not keep up.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.summarize(Mono(u64::MAX));
    }
}

fn keep(records: &Receiver<Record>) {
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
