//! What was said, and what is kept of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::admin::value::Time;

/// What kind of line history keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Somebody said it: `ann: hi`.
    Say,
    /// Somebody did it: `* ann waves`.
    Emote,
    /// The hub's administrator said it.
    Notice,
    /// Somebody gave the room a new topic.
    Topic,
    /// An administrator has made the line unreadable.
    Redacted,
}

/// A line of history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The number of the line, unique and rising over all rooms.
    pub seq: u64,
    /// When the line was said.
    pub t: Time,
    /// The name of the room in which the line was said.
    pub room: String,
    /// The name of the line's author then; empty if that is an administrator or the hub.
    pub nick: String,
    /// The id of the client that said the line, such as `c7`; absent if that is an administrator or the hub, or the
    /// line was redacted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The kind of the line.
    pub kind: LineKind,
    /// What was said; empty if the line was redacted.
    pub text: String,
}

/// Lines of history; with `"more"`, one [`Line`] a reply and then [`Count`](super::Count).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lines {
    /// The lines, the oldest first.
    pub lines: Vec<Line>,
    /// The number of lines in the list.
    pub count: u64,
}

/// What was made unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Redacted {
    /// The number of lines made unreadable: on disk, and in memory alone.
    pub lines: u64,
    /// The number of topics cleared with them.
    #[serde(default)]
    pub topics: u64,
    /// Whether the lines and topics were only counted.
    pub dry_run: bool,
}

/// How much history is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryStats {
    /// The number of lines in memory, but for those said in private.
    pub lines: u64,
    /// The number of lines said in private rooms: they are in memory alone, and administrators are not shown them.
    #[serde(default)]
    pub private: u64,
    /// The size in bytes of the lines in memory.
    pub bytes: u64,
    /// The most lines that are kept in memory of each room.
    pub lines_per_room: u64,
    /// Whether history outlives the daemon.
    pub persistent: bool,
    /// The rooms that are open.
    pub rooms: Vec<RoomHistory>,
    /// What is on disk; absent if nothing is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskHistory>,
}

/// History on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskHistory {
    /// The path of the file in which history is recorded.
    pub file: String,
    /// The number of lines in the file.
    pub lines: u64,
    /// The size in bytes of what is in use of the file.
    pub bytes: u64,
    /// The time of the last line in the search index, absent if it has none; later lines are found as well, slower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indexed_to: Option<Time>,
    /// The size in bytes of the lines that wait to be written.
    pub waiting_bytes: u64,
    /// The number of lines since the start that were not recorded, because too much waited.
    pub lost: u64,
    /// What is wrong with the disk; absent if it takes what is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The path of the last file since the start that could not be read and was set aside; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// The rooms with lines on disk, open or closed, the one with most lines first.
    pub rooms: Vec<DiskRoom>,
}

/// History on disk of all rooms of one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DiskRoom {
    /// The name of the room.
    pub room: String,
    /// The number of lines of the room on disk.
    pub lines: u64,
    /// When the oldest line of the room on disk was said.
    pub oldest: Time,
    /// When the newest line of the room on disk was said.
    pub newest: Time,
}

/// History of one room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomHistory {
    /// The name of the room.
    pub room: String,
    /// The number of lines of the room in memory, but for those said in private.
    pub lines: u64,
    /// The number of lines in memory that were said while the room was private.
    #[serde(default)]
    pub private: u64,
    /// When the oldest line of the room in memory was said, of those that were not said in private; absent if there is
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Time>,
}
