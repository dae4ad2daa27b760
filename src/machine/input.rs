//! Inputs of the machine, as the tape keeps them. Clients' bytes are not among them.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::hub::message::Farewell;
use crate::hub::peering::Incoming;
use crate::hub::{By, News};
use crate::values::id::SessionId;
use crate::wire::proxy::Encryption;
use crate::wire::tls::suite::Suite;

/// Something that changes the machine. The tape keeps it as JSON, for the same program to handle again. Of another
/// release's inputs, only `Connect` and the settings are read (`net::keep::found`).
///
/// What clients send is no input but bytes: see [`Machine::bytes`](super::Machine::bytes).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A connection was accepted.
    Connect {
        /// The number of the connection from now on; higher than all before.
        id: SessionId,
        /// The kernel's number for the socket, the same in every process (`SO_COOKIE`, socket(7)).
        cookie: u64,
        /// The address that the connection comes from: behind a proxy, the one that the proxy says.
        peer: SocketAddr,
        /// What is known of its encryption; `None` if it has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tls: Option<Tls>,
        /// The proxy through which the connection comes; `None` if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proxied: Option<Box<Proxied>>,
    },
    /// A client sends no more: its input has ended.
    End {
        /// The client whose input has ended.
        id: SessionId,
        /// Whether the client closed the connection or it broke; others are told so when the client leaves.
        why: Farewell,
    },
    /// An administrator changes something.
    Control {
        /// The command's name, such as `clients.kick`.
        command: String,
        /// The command's arguments, as in the admin protocol.
        args: serde_json::Value,
        /// The administrator, as the kernel identifies them.
        by: By,
    },
    /// News for the hub: a client is gone, the store has found something, settings have changed.
    Hub(News),
    /// The link to other hubs tells something.
    Peering(Incoming),
    /// This process has taken over from another.
    Restarted,
    /// Time has passed; see [`Machine::next_deadline`](super::Machine::next_deadline).
    Tick,
}

/// What the machine is told of a connection's encryption. The secret it is given by
/// [`Machine::unlock`](super::Machine::unlock): secrets are no inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The cipher suite.
    pub suite: Suite,
    /// The group in which keys were exchanged (IANA's TLS Supported Groups).
    pub group: u16,
    /// SHA-256 of the public key of the certificate that the client has shown, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// How many bytes the client has sent for the handshake.
    pub read: u64,
}

/// What the machine is told of the proxy through which a connection comes, and by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxied {
    /// The address that the proxy's connection comes from.
    pub proxy: SocketAddr,
    /// How many bytes the proxy's header has. They are the first that are read from the connection.
    pub header: u16,
    /// What the proxy says of the encryption between the person and itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
}

impl From<Incoming> for Input {
    fn from(incoming: Incoming) -> Self {
        Self::Peering(incoming)
    }
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
