//! What the daemon tells of itself, and what is done to it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::hub::lockdown;
use crate::settings;
use crate::wire::admin::Level;
use crate::wire::admin::metrics::Family;
use crate::wire::admin::value::Time;

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hello {
    /// The name of the daemon, which is always `chathub`.
    pub name: String,
    /// The daemon's version.
    pub version: String,
    /// The version of the admin protocol.
    pub protocol: u32,
    /// The daemon's process id.
    pub pid: u32,
    /// The level of this connection: `monitor` on the socket for monitoring, where only the commands of that level are
    /// carried out, `admin` on the admin socket. `describe` tells the level of each command.
    #[serde(default)]
    pub level: Level,
}

/// The lockdown that is under way, if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lockdown {
    /// When the lockdown ends; absent if no lockdown is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What becomes of newcomers who are not logged in; absent if no lockdown is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomers: Option<settings::Newcomers>,
}

impl From<lockdown::Lockdown> for Lockdown {
    fn from(lockdown: lockdown::Lockdown) -> Self {
        Self { until: Some(Time(lockdown.until)), newcomers: Some(lockdown.newcomers) }
    }
}

/// How the hub is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// What the daemon is doing: `serving` or `stopping`.
    pub state: String,
    /// The daemon's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// When the daemon started.
    pub since: Time,
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// The number of clients that are connected.
    pub clients: u64,
    /// The most clients that were connected at one time since the start.
    pub clients_peak: u64,
    /// The most clients that may be connected.
    pub clients_max: u64,
    /// The number of rooms that are open.
    pub rooms: u64,
    /// The most rooms that may be open.
    pub rooms_max: u64,
    /// The number of lines that are kept in memory, of all rooms together.
    pub history_lines: u64,
    /// The number of reports that are open.
    #[serde(default)]
    pub reports_open: u64,
    /// The number of messages that wait for people who are not here.
    #[serde(default)]
    pub memos_waiting: u64,
    /// The sockets on which the daemon listens.
    pub listeners: Vec<Listener>,
    /// Whether the sockets were handed over by a service manager.
    pub activated: bool,
    /// Whether connections outlive the daemon, and if not, why.
    pub survival: String,
    /// Whether what is said is recorded, and if not, why.
    #[serde(default)]
    pub recording: String,
    /// Whether bans and accounts on disk cannot be read, so that not all may be known.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
    /// The lockdown that is under way, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lockdown: Option<Lockdown>,
    /// Who is connected to the admin socket, the oldest connection first.
    #[serde(default)]
    pub admins: Vec<AdminConnection>,
    /// How long the turns of the daemon's loop take: nobody is read meanwhile.
    #[serde(default)]
    pub turns: LoopTurns,
    /// The path of the settings file in force; absent if none was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// When the settings were read, and which of them wait for a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<SettingsRead>,
    /// The level from which on the daemon logs.
    pub log_level: settings::LogLevel,
    /// Events since the start, by name; the same that `metrics` tells.
    pub counters: Map<String, Value>,
}

/// The settings as they were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SettingsRead {
    /// When the settings were read, at the start or by a reload.
    pub at: Time,
    /// The keys of settings that were read with another value than is in force, until the next start.
    pub waiting: Vec<String>,
}

/// A connection to the admin socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdminConnection {
    /// The user id of the process at the other end.
    pub uid: u32,
    /// The process id of the other end; 0 if the daemon cannot see that process.
    pub pid: i32,
    /// Seconds since the connection was accepted.
    pub age_s: u64,
    /// Seconds since the last request or answer; absent while one is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_s: Option<u64>,
}

/// How long the turns of the daemon's loop take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoopTurns {
    /// The number of turns since the start.
    pub count: u64,
    /// The time of all turns together, in microseconds.
    pub total_us: u64,
    /// The time of the longest turn, in microseconds.
    pub longest_us: u64,
    /// The part of the longest turn that took most of it.
    #[serde(default)]
    pub longest_doing: String,
    /// The time of that part, in microseconds.
    #[serde(default)]
    pub longest_doing_us: u64,
    /// When the longest turn ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub longest_at: Option<Time>,
    /// The number of turns by time, the shortest first.
    pub histogram: Vec<TurnCount>,
}

/// How many turns took so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnCount {
    /// The longest time counted here, in microseconds, longer than that of the entry before; absent in the last entry,
    /// which counts all longer turns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to_us: Option<u64>,
    /// The number of turns counted here.
    pub count: u64,
}

/// A listening socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The purpose of the socket: `chat`, `proxy`, `admin`, `monitor` or `handover`.
    pub name: String,
    /// The address of the socket with its port, or its path.
    pub addr: String,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// The metrics as OpenMetrics text, with its `# EOF`; absent if values were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The metrics as values; absent if text was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub families: Option<Vec<Family>>,
}

/// The last reply of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Count {
    /// The number of replies before this one.
    pub count: u64,
}

/// A piece of the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupPiece {
    /// Where in the file the piece belongs, in bytes from its start. Pieces come in order, without gaps.
    pub offset: u64,
    /// The size of the whole file, in bytes.
    pub total: u64,
    /// The bytes of the piece, in Base64 (RFC 4648) with padding.
    pub data: String,
}

/// The log level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLevel {
    /// The log level that is in force now.
    pub level: settings::LogLevel,
}

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reloaded {
    /// The keys of the settings that changed and are in force now.
    pub applied: Vec<String>,
    /// The keys of the settings that changed and take effect at the next start.
    pub restart: Vec<String>,
}

/// How the shutdown went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// The number of clients that were connected.
    pub clients: u64,
    /// The number of clients that had not taken all that was owed to them when the deadline came.
    pub gave_up: u64,
    /// What an administrator may not expect, such as a socket that will start the daemon again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
