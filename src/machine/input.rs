//! Inputs of the machine besides clients' bytes, as the tape keeps them.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::hub::message::Farewell;
use crate::hub::{self, By};
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
    /// Something that the daemon tells the hub: a client is gone, the store has found something, settings have changed.
    /// The variants that serde skips in [`hub::Input`] cannot be kept, and are made by the machine alone.
    Hub(hub::Input),
    /// Another process has taken over.
    Restarted,
    /// Time has passed; see [`Machine::next_deadline`](super::Machine::next_deadline).
    Tick,
}

impl From<hub::Input> for Input {
    fn from(input: hub::Input) -> Self {
        Self::Hub(input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_types_cannot_be_written_down() {
        let (session, text) = (SessionId(1), "/login secret".to_owned());
        let typed = [
            hub::Input::Complete { session, line: text.clone() },
            hub::Input::Line { session, text },
            hub::Input::Overlong { session, bytes: 1 },
            hub::Input::Interrupted { session },
        ];
        for input in typed {
            assert!(serde_json::to_string(&Input::Hub(input.clone())).is_err(), "{input:?}");
        }
        let line = r#"{"Hub":{"Line":{"session":1,"text":"hi"}}}"#;
        assert!(serde_json::from_str::<Input>(line).is_err());
        let gone = r#"{"Hub":{"Gone":{"session":1,"why":"Hangup"}}}"#;
        let input: Input = serde_json::from_str(gone).expect("an input");
        assert_eq!(serde_json::to_string(&input).expect("plain values"), gone);
    }
}
