//! Rooms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::admin::value::Time;

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Room {
    /// The name of the room, without `#`.
    pub name: String,
    /// The topic of the room; empty if there is none.
    pub topic: String,
    /// The number of people in the room.
    pub members: u64,
    /// When the room was opened.
    pub since: Time,
    /// The number of lines that were said in the room since it was opened.
    pub lines: u64,
    /// The number of lines of the room that are kept in memory.
    pub history_lines: u64,
    /// The name of the account that owns the room; absent if nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether only invited people come into the room; what is said there is recorded nowhere then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// Whether only people with a voice speak in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moderated: bool,
    /// Whether only people who are logged in, or have a voice, speak in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub registered: bool,
    /// Whether only people come into the room whose connections are encrypted, or come from a network of
    /// `access.secure`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub encrypted: bool,
    /// Whether only the owner, moderators and operators set the room's topic.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub topic_locked: bool,
    /// The least time in seconds between two lines of one person in the room; 0 if there is no such limit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow_s: u64,
    /// Whether the room is kept while nobody is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// The names of the accounts that moderate the room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moderators: Vec<String>,
    /// The name of the account that gets the room when the owner's account is removed; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

/// Rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoomList {
    /// The rooms, the one with most people first.
    pub rooms: Vec<Room>,
    /// The number of rooms in the list.
    pub total: u64,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Topic {
    /// The name of the room.
    pub room: String,
    /// The present topic of the room; empty if there is none.
    pub topic: String,
}

/// A room that was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Closed {
    /// The name of the room that was closed.
    pub room: String,
    /// The number of people who were moved from the room to the lobby.
    pub moved: u64,
}
