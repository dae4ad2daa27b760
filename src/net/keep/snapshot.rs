//! The thread that writes snapshots from a frozen copy of the state, while the daemon goes on.
//!
//! The driver freezes the state machine, and the rounds freeze what clients are owed, both after
//! the same order; that takes a moment. Inputs that come meanwhile go on the tape as before. When
//! the snapshot is written, the driver copies them behind it and makes it count: see
//! [`Tape::make_current`](super::tape::Tape::make_current).

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::tape::{Blank, Old, Written};
use crate::kernel::{self, Mapping};
use crate::machine;
use crate::net::rounds::replay::Frozen as Owed;

/// A job for the thread.
enum Job {
    /// Write a snapshot.
    Write { blank: Blank, machine: Box<machine::Frozen>, owed: mpsc::Receiver<Owed> },
    /// Give the memory of the tape's old half back to the kernel.
    Clear(Old),
    /// Give the memory that the allocator does not use back to the kernel.
    Trim,
}

/// A job that the thread has finished.
#[derive(Debug)]
pub enum Done {
    /// The snapshot is written; writing took this long. The driver can make it count.
    Written(Written, Duration),
    /// The snapshot could not be written.
    Failed(Blank, io::Error),
    /// The memory of this half is given back.
    Cleared(Mapping),
}

/// The thread that writes snapshots.
#[derive(Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread. It calls `tell` after each job except [`trim`](Self::trim). It ends when
    /// this value is dropped, or when `tell` returns `false` because nobody listens any more.
    ///
    /// # Errors
    /// Any error of pthread_create(3).
    pub fn start(tell: impl Fn(Done) -> bool + Send + 'static) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel();
        std::thread::Builder::new().name("snapshots".to_owned()).spawn(move || {
            for job in waiting {
                let Some(done) = perform(job) else { continue };
                if !tell(done) {
                    break;
                }
            }
        })?;
        Ok(Self { jobs })
    }

    /// Queues the writing of a snapshot. The rounds will send their part to `owed`.
    pub fn write(&self, blank: Blank, machine: machine::Frozen, owed: mpsc::Receiver<Owed>) {
        let _ = self.jobs.send(Job::Write { blank, machine: Box::new(machine), owed });
    }

    /// Queues giving the heap's unused memory back to the kernel.
    pub fn trim(&self) {
        let _ = self.jobs.send(Job::Trim);
    }

    /// Queues giving the memory of the tape's old half back to the kernel.
    pub fn clear(&self, old: Old) {
        let _ = self.jobs.send(Job::Clear(old));
    }
}

fn perform(job: Job) -> Option<Done> {
    Some(match job {
        Job::Write { blank, machine, owed } => {
            // An error means that the rounds have ended: the process ends too.
            let owed = owed.recv().ok()?;
            let began = Instant::now();
            match blank.write(&machine, &owed) {
                Ok(written) => Done::Written(written, began.elapsed()),
                Err((blank, error)) => Done::Failed(blank, error),
            }
        }
        Job::Clear(old) => Done::Cleared(old.cleared()),
        Job::Trim => {
            kernel::give_back_heap();
            return None;
        }
    })
}
