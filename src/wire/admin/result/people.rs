//! People who are connected, and what is done to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Ban;
use super::Sanction;
use crate::wire::admin::value::{Role, Time};

/// How a connection is encrypted: by TLS 1.3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Encryption {
    /// The cipher suite, such as `TLS_AES_256_GCM_SHA384`.
    pub suite: String,
    /// The group in which keys were exchanged, such as `X25519MLKEM768`; the number of a group that has no name here.
    pub group: String,
    /// SHA-256 of the public key of the client's certificate, in hexadecimal digits; absent if it has shown none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// A proxy through which a connection comes, and what it says of the encryption between the person and itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proxy {
    /// The proxy's IP address.
    pub addr: String,
    /// The proxy's TCP port.
    pub port: u16,
    /// Whether the connection counts as encrypted as far as the proxy, because the proxy says so or the setting
    /// `proxy.encrypted` does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encrypted: bool,
    /// The version of TLS between the client and the proxy, such as `TLSv1.3`; absent if the proxy does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite between the client and the proxy; absent if the proxy does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The name of the host that the client asked for; absent if the proxy does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The common name of the certificate that the client has shown and the proxy found to be right; absent if there is
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// The client's id, such as `c7`, which is never given to another client.
    pub id: String,
    /// The client's present name.
    pub nick: String,
    /// The client's IP address: behind a proxy, the one that the proxy says.
    pub addr: String,
    /// The client's TCP port.
    pub port: u16,
    /// The name of the room in which the client is.
    pub room: String,
    /// When the client connected.
    pub since: Time,
    /// Seconds since the client last sent a line.
    pub idle_s: u64,
    /// Whether the client speaks telnet.
    pub telnet: bool,
    /// How the client's connection is encrypted; absent if it is not, or only as far as a proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// The proxy through which the client comes; absent if it comes through none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// The number of bytes that are for the client and that its socket has not taken yet.
    pub behind_bytes: u64,
    /// The number of bytes that the daemon has read from the client since the daemon started.
    #[serde(default)]
    pub bytes_in: u64,
    /// The number of bytes that the client's socket has taken since the daemon started.
    #[serde(default)]
    pub bytes_out: u64,
    /// The number of lines that the client has sent.
    pub lines: u64,
    /// The number of lines of the client that were dropped because it sent too fast.
    pub dropped: u64,
    /// The number of strikes that count against the client's address now.
    #[serde(default)]
    pub strikes: u32,
    /// The number of lines of its room that the client was too slow to be sent.
    pub missed: u64,
    /// Why the client is away; absent if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub away: Option<String>,
    /// The name of the account to which the client is logged in; absent if it is not logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The role of the account to which the client is logged in; absent if it is not logged in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When the client's mute ends, or `always` if it lasts until it is lifted; absent if the client is not muted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<String>,
    /// Whether the client is muted without being told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
}

/// Clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientList {
    /// The clients, the first to connect first.
    pub clients: Vec<Client>,
    /// The number of clients in the list.
    pub total: u64,
}

/// A client by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// The client's id, such as `c7`.
    pub id: String,
    /// The client's name.
    pub nick: String,
}

/// Who was disconnected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Kicked {
    /// The ids of the clients that were disconnected, in the order of `who`, each once; behind them those whom the bans
    /// hit as well.
    pub kicked: Vec<String>,
    /// The clients that were disconnected, with their names; absent if it was only one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// The bans that were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned: Vec<Ban>,
}

/// Who was muted, or may speak again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Muted {
    /// The ids of the clients that are here, in the order of `who`, each once; behind them others whom the mutes reach.
    pub muted: Vec<String>,
    /// The clients that the mutes reach, with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// When the mutes end; absent if they last until they are lifted, or were just lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// The mutes that were made, or lifted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sanctions: Vec<Sanction>,
    /// The former mutes of the same targets, in whose place the new ones are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Sanction>,
    /// Whether nothing was changed, because the request had `dry_run`.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub dry_run: bool,
}

/// A new name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Renamed {
    /// The client's id, such as `c7`.
    pub id: String,
    /// The client's former name.
    pub from: String,
    /// The client's new name.
    pub nick: String,
}

/// How many were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Said {
    /// The number of rooms that were told.
    pub rooms: u64,
    /// The number of clients that were told.
    pub clients: u64,
}
