//! The thread that writes snapshots from a frozen copy of the state, while everything goes on.
//!
//! The driver freezes the state machine, and the rounds freeze what everybody is owed, behind the same order; each
//! takes a moment. Inputs that come meanwhile go on the tape as before. When the snapshot is written, they are copied
//! behind it and the driver makes it count: see [`Tape::make_current`](super::tape::Tape::make_current).

use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::tape::{Blank, Old, Written};
use crate::kernel::{self, Mapping};
use crate::machine;
use crate::net::rounds::replay::Frozen as Owed;

/// What the thread is to do.
enum Job {
    /// Write a snapshot.
    Write { blank: Blank, machine: Box<machine::Frozen>, owed: mpsc::Receiver<Owed> },
    /// Give the memory of a half of the tape back.
    Clear(Old),
    /// Give the kernel back what the allocator holds and does not use.
    Trim,
}

/// What the thread has done.
#[derive(Debug)]
pub enum Done {
    /// A snapshot is written, which took this long, and can be made to count.
    Written(Written, Duration),
    /// The snapshot could not be written.
    Failed(Blank, io::Error),
    /// The memory of this half was given back.
    Cleared(Mapping),
}

/// The thread that writes snapshots.
#[derive(Debug)]
pub struct Writer {
    jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Starts the thread. It calls `tell` with each thing that it has done. It ends when this value is dropped, or when
    /// `tell` returns `false` because nobody listens any more.
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

    /// Has a snapshot written. The rounds send their part to `owed`.
    pub fn write(&self, blank: Blank, machine: machine::Frozen, owed: mpsc::Receiver<Owed>) {
        let _ = self.jobs.send(Job::Write { blank, machine: Box::new(machine), owed });
    }

    /// Has the heap's unused memory given back to the kernel.
    pub fn trim(&self) {
        let _ = self.jobs.send(Job::Trim);
    }

    /// Has the memory of a half of the tape given back to the kernel.
    pub fn clear(&self, old: Old) {
        let _ = self.jobs.send(Job::Clear(old));
    }
}

fn perform(job: Job) -> Option<Done> {
    Some(match job {
        Job::Write { blank, machine, owed } => {
            // The rounds have ended: the process ends too.
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
