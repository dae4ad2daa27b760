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
use crate::wire::admin::result::{HistoryStats, ReportShown};
use serde_json::Value;

/// Something that reaches the daemon.
#[derive(Debug)]
pub enum Arrival {
    /// A connection was accepted.
    Accepted(Newcomer),
    /// An administrator gives a command.
    Control {
        /// The command; boxed, for it is the largest.
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
        /// Where the longer list goes, and whether there is more.
        reply: oneshot::Sender<Result<(Box<Listing>, bool), ControlError>>,
    },
    /// The store answers.
    Store(store::Answer),
    /// A password was hashed.
    Hashed {
        /// The number of the job.
        number: u64,
        /// The hash, or the comparison.
        answer: login::Answer,
    },
    /// The thread that writes snapshots has done a job.
    Snapshot(snapshot::Done),
    /// A signal asks to read the settings again.
    Reload,
    /// A signal asks to end: everybody is handed over to the next process, if that can be done, else
    /// told goodbye. A second one, to end at once.
    End,
    /// A signal asks to stop: everybody is told goodbye. A second one, to end at once.
    Stop,
}

/// Arrivals that may wait in the queue. Each is a connection, or a request of at most 64 KiB; when it is full, the
/// senders wait.
pub const ARRIVALS: usize = 1024;

/// Where the answer to an administrator's command goes.
pub type Reply = oneshot::Sender<Result<Answered, ControlError>>;

/// What the driver answers to an administrator's command.
#[derive(Debug)]
pub enum Answered {
    /// One result.
    One(Value),
    /// One result, and what an administrator is warned of.
    Warned(Value, String),
    /// A result that is JSON already.
    Written(&'static str),
    /// A long list.
    List(Box<Listing>),
    /// Lines of history, to be sent one by one or together.
    Lines(Vec<InRoom>),
    /// Lines of history, from disk and behind that.
    Stored(Stored, Source),
    /// The number of lines of history that match.
    Count(Stored, Beside, Source),
    /// How much history is kept; what is on disk is told by room as well.
    Stats(Box<HistoryStats>, Source),
    /// A report; lines in question may be on disk.
    Report(Box<ReportShown>, Source),
    /// A copy of what is recorded.
    Backup(Source),
    /// Events, from now on.
    Events(mpsc::Receiver<Event>),
}
