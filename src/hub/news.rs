//! What the daemon tells the hub.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::archive::{Found, Recalled};
use super::login;
use super::message::Farewell;
use crate::settings::Settings;
use crate::values::id::SessionId;

/// What the daemon tells the hub about itself: connections that have ended, jobs that are done, new
/// settings. The tape keeps news as they are: they hold no line that a client has just sent, and so
/// no password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum News {
    /// A connection has ended, or must end, for the reason `why`.
    Gone { session: SessionId, why: Farewell },
    /// Recording is on from now on, and the disk holds this; `None`: recording is off. Comes at
    /// each start, even after a crash that the hub's state has survived.
    Archive(Option<Box<Recalled>>),
    /// All records up to the number `through` are on disk.
    Recorded { through: u64 },
    /// The result of the search of this number, which `session` asked for.
    Found { session: SessionId, number: u64, found: Box<Found> },
    /// The result of the hashing job of this number.
    Hashed { number: u64, answer: login::Answer },
    /// Much waits for this client alone, and it reads nothing of it (`on`); or it reads again.
    Crowded { session: SessionId, on: bool },
    /// `session` was told that something is done, and the record of that is not on disk, although
    /// the daemon has waited for it.
    NotOnDisk { session: SessionId },
    /// The file on disk is new and empty: the hub has to record again all that belongs there.
    BegunAnew,
    /// The contents of the file on disk, which could not be read before, or is another file than
    /// before.
    Recalled(Box<Recalled>),
    /// The settings have changed.
    Settings(Box<Settings>),
    /// The hub has to stop: everybody is disconnected with this message, and nobody is let in any
    /// more.
    Stop { message: Option<Arc<str>> },
}
