//! Snapshots are written by a thread of their own, from a frozen copy of the state, while everything goes on.
//!
//! The driver freezes the state machine and has the rounds freeze what everybody is owed, behind the same order;
//! each takes a moment. Inputs that come meanwhile are kept where they were, and copied behind the snapshot when that
//! is written and the driver has it count: see [`Tape::make_current`](super::tape::Tape::make_current).

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::tape::{Blank, Old, Written};
use crate::kernel::{self, Mapping};
use crate::machine;
use crate::net::rounds::replay::Frozen as Owed;

/// What the thread is to do.
enum Job {
    /// To write a snapshot.
    Write { blank: Blank, machine: Box<machine::Frozen>, owed: mpsc::Receiver<Owed> },
    /// To give memory back.
    Clear(Old),
    /// To give back what was freed.
    Trim,
}

/// What it has done.
#[derive(Debug)]
pub enum Done {
    /// A snapshot is written, in so much time, and is to count.
    Written(Written, Duration),
    /// It could not be written.
    Failed(Blank, io::Error),
    /// Memory was given back.
    Cleared(Mapping),
}

/// The thread that writes snapshots.
#[derive(Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread, which calls `tell` with what it has done. It ends with this value, or when `tell` says that
    /// nobody takes that any more.
    ///
    /// # Errors
    /// Those of pthread_create(3).
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

    /// Has a snapshot written. `owed` is where the rounds will leave their half.
    pub fn write(&self, blank: Blank, machine: machine::Frozen, owed: mpsc::Receiver<Owed>) {
        let _ = self.jobs.send(Job::Write { blank, machine: Box::new(machine), owed });
    }

    /// Has memory given back that was freed.
    pub fn trim(&self) {
        let _ = self.jobs.send(Job::Trim);
    }

    /// Has memory given back.
    pub fn clear(&self, old: Old) {
        let _ = self.jobs.send(Job::Clear(old));
    }
}

fn perform(job: Job) -> Option<Done> {
    Some(match job {
        Job::Write { blank, machine, owed } => {
            // Without the rounds the process ends.
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
