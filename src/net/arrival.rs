//! The queue of the driver: all that the tasks that accept, the admin socket, signals and other
//! threads hand to it.
//!
//! The senders know this file and not the driver; the driver knows this file and not the senders.

use tokio::sync::{mpsc, oneshot};

use super::keep::recovery::Newcomer;
use super::keep::snapshot;
use crate::hub::{By, login};
use crate::store::{self, Source};
use crate::wire::admin::Command;
use crate::wire::admin::event::Event;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::execute::{Beside, Stored};
use crate::wire::admin::message::ControlError;
use crate::wire::admin::metrics::Family;
use crate::wire::admin::result::{HistoryStats, ReportShown};
use serde_json::Value;

/// One entry of the driver's queue.
#[derive(Debug)]
pub enum Arrival {
    /// A connection was accepted.
    Accepted(Newcomer),
    /// A connection was put into the queue of sockets and then refused: the driver takes it out
    /// again and closes it.
    Refused {
        /// The kernel's number for its socket; 0 where nothing is kept.
        cookie: u64,
    },
    /// An administrator gives a command.
    Control {
        /// The command; boxed, because it is larger than the other variants.
        command: Box<Command>,
        /// The administrator.
        by: By,
        /// Where the answer goes.
        reply: Reply,
    },
    /// An administrator wants the next part of a long list.
    List {
        /// The list so far.
        listing: Box<Listing>,
        /// The answer: the list with its next part, and whether there is more.
        reply: oneshot::Sender<Result<(Box<Listing>, bool), ControlError>>,
    },
    /// The store answers.
    Store(store::Answer),
    /// A thread has finished a job with a password.
    Hashed {
        /// The job's number.
        number: u64,
        /// The hash that was made, or whether the password was right.
        answer: login::Answer,
    },
    /// The thread that writes snapshots has finished a job.
    Snapshot(snapshot::Done),
    /// A signal asks to read the settings again.
    Reload,
    /// A signal asks to end (SIGTERM): all clients are handed over to the next process; where
    /// nothing is kept, they are told goodbye. A second SIGTERM ends the process at once.
    End,
    /// A signal asks to stop: all clients are told goodbye. A second one ends the process at once.
    Stop,
}

/// The most arrivals that wait in the queue. Each is a connection, or a request of at most 64 KiB.
/// When the queue is full, the senders wait.
pub const ARRIVALS: usize = 1024;

/// Where the answer to an administrator's command goes.
pub type Reply = oneshot::Sender<Result<Answered, ControlError>>;

/// What the driver answers to an administrator's command.
#[derive(Debug)]
pub enum Answered {
    /// One result.
    One(Value),
    /// One result, and a warning for the administrator.
    Warned(Value, String),
    /// A result that is JSON already.
    Written(&'static str),
    /// Metrics, as values (`true`) or as text.
    Measured(Vec<Family>, bool),
    /// A long list.
    List(Box<Listing>),
    /// Lines of history from memory, to be sent one by one or all together, as the request says.
    Lines(Stored),
    /// Lines of history: those on disk, then those that wait to be written.
    Stored(Stored, Source),
    /// Lines of history to be counted instead of sent: those that match on disk, in memory and
    /// beside the rooms.
    Count(Stored, Beside, Source),
    /// How much history is kept. The figures of each room on disk are still to be read from the
    /// file.
    Stats(Box<HistoryStats>, Source),
    /// A report. Its lines may have to be read from disk.
    Report(Box<ReportShown>, Source),
    /// A copy of the history file.
    Backup(Source),
    /// Events, sent as they happen from now on.
    Events(mpsc::Receiver<Event>),
}
