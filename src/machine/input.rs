//! Inputs of the machine in the form in which the tape keeps them. Clients' bytes take another way.

use core::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::hub::message::Farewell;
use crate::hub::peering::Incoming;
use crate::hub::{By, News};
use crate::values::id::SessionId;
use crate::wire::proxy::Encryption;
use crate::wire::tls::suite::Suite;

/// An input of the machine. The tape keeps it as JSON; after a crash, the same program handles it
/// again. From the tape of another release, only `Connect` and the settings are read
/// (`net::keep::found`).
///
/// What clients send is no `Input`: see [`Machine::bytes`](super::Machine::bytes).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A connection was accepted.
    Connect {
        /// The number of the new session; higher than all before.
        id: SessionId,
        /// The kernel's number for the socket, which is the same in every process (`SO_COOKIE`,
        /// socket(7)).
        cookie: u64,
        /// The client's address; behind a proxy, the address that the proxy's header names.
        peer: SocketAddr,
        /// The encryption that `chathub-tls` has negotiated; `None` if the connection is not
        /// encrypted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tls: Option<Tls>,
        /// The proxy in front of the client; `None` if there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proxied: Option<Box<Proxied>>,
    },
    /// The end of a client's input: it sends no more.
    End {
        /// The client whose input has ended.
        id: SessionId,
        /// The reason: the client closed the connection, or it broke. Others are told it when the
        /// client leaves.
        why: Farewell,
    },
    /// A command of an administrator that changes something.
    Control {
        /// The command's name, such as `clients.kick`.
        command: String,
        /// The command's arguments, as in the admin protocol.
        args: serde_json::Value,
        /// The administrator, as the kernel identifies them.
        by: By,
    },
    /// News from the daemon for the hub: for example a client is gone, the store has found
    /// something, or settings have changed.
    Hub(News),
    /// The link to other hubs tells something.
    Peering(Incoming),
    /// This process has taken over from another.
    Restarted,
    /// The time of [`Machine::next_deadline`](super::Machine::next_deadline) has come.
    Tick,
}

/// A connection's TLS parameters, as `chathub-tls` has negotiated them. The traffic secret is not
/// here, because inputs are written to the tape: it comes by
/// [`Machine::unlock`](super::Machine::unlock).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// The cipher suite.
    pub suite: Suite,
    /// The group of the key exchange (IANA's TLS Supported Groups).
    pub group: u16,
    /// The SHA-256 of the public key of the client's certificate, in hexadecimal digits; `None` if
    /// the client has shown none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Bytes that the client has sent in the handshake.
    pub read: u64,
}

/// The proxy in front of a client, and what its header says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxied {
    /// The proxy's own address.
    pub proxy: SocketAddr,
    /// The length of the proxy's header in bytes. The header comes first on the connection.
    pub header: u16,
    /// The encryption between the client and the proxy, as the header describes it; `None` if the
    /// header mentions none.
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
    fn only_inputs_that_the_daemon_itself_makes_are_read_from_the_tape() {
        let line = r#"{"Hub":{"Line":{"session":1,"text":"hi"}}}"#;
        assert!(serde_json::from_str::<Input>(line).is_err());
        let gone = r#"{"Hub":{"Gone":{"session":1,"why":"Hangup"}}}"#;
        let input: Input = serde_json::from_str(gone).expect("an input");
        assert_eq!(serde_json::to_string(&input).expect("plain values"), gone);
    }
}
