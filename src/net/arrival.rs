//! What accepting, administration, signals and other threads hand to the driver, in one queue.
//!
//! Senders of arrivals know this file and not the driver; the driver knows this file and not the senders.

use tokio::sync::{mpsc, oneshot};

use super::keep::recovery::Newcomer;
use super::keep::snapshot;
use crate::hub::{By, login};
use crate::store::{self, Source};
use crate::wire::admin::Command;
use crate::wire::admin::event::Event;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::execute::{Beside, InRoom, Stored};
use crate::wire::admin::message::ControlError;
use crate::wire::admin::metrics::Family;
use crate::wire::admin::result::{HistoryStats, ReportShown};
use serde_json::Value;

/// Something that reaches the driver.
#[derive(Debug)]
pub enum Arrival {
    /// A connection was accepted.
    Accepted(Newcomer),
    /// A connection that was accepted and kept becomes no client's: it is closed.
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
        /// Where the list goes when this part is added, and whether there is more.
        reply: oneshot::Sender<Result<(Box<Listing>, bool), ControlError>>,
    },
    /// The store answers.
    Store(store::Answer),
    /// A password was hashed.
    Hashed {
        /// The job's number.
        number: u64,
        /// The hash that was made, or whether the password was right.
        answer: login::Answer,
    },
    /// The thread that writes snapshots has done a job.
    Snapshot(snapshot::Done),
    /// A signal asks to read the settings again.
    Reload,
    /// A signal asks to end (SIGTERM): everybody is handed over to the next process; where nothing is kept, told
    /// goodbye. A second one ends the process at once.
    End,
    /// A signal asks to stop: everybody is told goodbye. A second one ends the process at once.
    Stop,
}

/// The most arrivals that wait in the queue. Each is a connection, or a request of at most 64 KiB. When the queue is
/// full, the senders wait.
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
    /// What is measured, and whether it is wanted as values instead of text.
    Measured(Vec<Family>, bool),
    /// A long list.
    List(Box<Listing>),
    /// Lines of history, to be sent one by one or together, as the request says.
    Lines(Vec<InRoom>),
    /// Lines of history: those on disk, then those that wait to be written.
    Stored(Stored, Source),
    /// The matching lines of history, to be counted.
    Count(Stored, Beside, Source),
    /// How much history is kept; the amounts on disk, by room, are added from the file.
    Stats(Box<HistoryStats>, Source),
    /// A report; its lines in question may have to be read from disk.
    Report(Box<ReportShown>, Source),
    /// A copy of the history file.
    Backup(Source),
    /// Events, from now on.
    Events(mpsc::Receiver<Event>),
}
