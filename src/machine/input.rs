//! What reaches the machine, and stands on the tape.

use core::net::SocketAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hub::archive::{Found, Recalled};
use crate::hub::message::Farewell;
use crate::hub::{By, login};
use crate::settings::Settings;
use crate::values::id::SessionId;

/// Something that reaches the hub, to be kept in the journal. What clients send has a form of its own,
/// [`Machine::bytes`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A connection was accepted.
    Connect {
        /// The number that the connection has from now on; higher than all before.
        id: SessionId,
        /// What the kernel knows the socket by, in whichever process (`SO_COOKIE`, socket(7)).
        cookie: u64,
        /// Where it comes from.
        peer: SocketAddr,
    },
    /// A client sends no more.
    End {
        /// Which.
        id: SessionId,
        /// Why.
        why: Farewell,
    },
    /// Nothing more can be sent to a client.
    Gone {
        /// Which.
        id: SessionId,
        /// Why.
        why: Farewell,
    },
    /// A client does not take what waits for it alone; or it has.
    Crowded {
        /// Which.
        id: SessionId,
        /// Whether it is so.
        on: bool,
    },
    /// An administrator changes something.
    Control {
        /// Its name.
        command: String,
        /// Its arguments.
        args: serde_json::Value,
        /// Who.
        by: By,
    },
    /// The store has opened, or there is none; see [`hub::Input::Archive`].
    Archive(Option<Box<Recalled>>),
    /// The store has written all records up to this one.
    Recorded {
        /// Its number.
        through: u64,
    },
    /// The store has searched.
    Found {
        /// Who asked.
        session: SessionId,
        /// The number of the search.
        number: u64,
        /// What was found.
        found: Box<Found>,
    },
    /// What came of a password that was to be hashed.
    Hashed {
        /// The number of the job.
        number: u64,
        /// What came of it.
        answer: login::Answer,
    },
    /// The store has begun a new file.
    BegunAnew,
    /// The store has read what it could not read before; see [`hub::Input::Recalled`].
    Recalled(Box<Recalled>),
    /// The settings have changed.
    Settings(Box<Settings>),
    /// The hub says goodbye and takes nobody any more.
    Stop {
        /// Part of the goodbye.
        message: Option<Arc<str>>,
    },
    /// Another process carries on.
    Restarted,
    /// Time has passed; see [`Machine::next_deadline`].
    Tick,
}
