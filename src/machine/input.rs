//! Inputs of the machine besides clients' bytes, as the tape keeps them.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::hub::message::Farewell;
use crate::hub::{By, News};
use crate::values::id::SessionId;

/// Something that changes the machine. The tape keeps it as JSON, for the same program to handle again; of what
/// another release has left, only `Connect` and the settings are looked at (`net::keep::found`).
///
/// What clients send is no input but bytes: see [`Machine::bytes`](super::Machine::bytes).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A connection was accepted.
    Connect {
        /// The number that the connection has from now on; higher than all before.
        id: SessionId,
        /// The kernel's number of the socket, the same in every process (`SO_COOKIE`, socket(7)).
        cookie: u64,
        /// Where it comes from.
        peer: SocketAddr,
    },
    /// A client sends no more: its input has ended, for the reason `why`, which others are told when it leaves.
    End {
        /// The client whose input has ended.
        id: SessionId,
        /// Closed by the client, or broken.
        why: Farewell,
    },
    /// An administrator changes something.
    Control {
        /// The command's name, as in `clients.kick`.
        command: String,
        /// Its arguments, as the admin protocol has them.
        args: serde_json::Value,
        /// The administrator, as the kernel tells it.
        by: By,
    },
    /// For the hub: a client is gone, the store has found something, settings have changed.
    Hub(News),
    /// Another process has taken over.
    Restarted,
    /// Time has passed; see [`Machine::next_deadline`](super::Machine::next_deadline).
    Tick,
}

impl From<News> for Input {
    fn from(news: News) -> Self {
        Self::Hub(news)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_daemon_tells_is_kept_and_nothing_else_is_read() {
        let line = r#"{"Hub":{"Line":{"session":1,"text":"hi"}}}"#;
        assert!(serde_json::from_str::<Input>(line).is_err());
        let gone = r#"{"Hub":{"Gone":{"session":1,"why":"Hangup"}}}"#;
        let input: Input = serde_json::from_str(gone).expect("an input");
        assert_eq!(serde_json::to_string(&input).expect("plain values"), gone);
    }
}
