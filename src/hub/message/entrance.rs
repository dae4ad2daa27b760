//! What a client is shown when it comes into a room: one screen.

use std::sync::Arc;

use super::{Kept, Line, Offset};

/// A room, as it is shown to a client that comes into it.
///
/// It is one message, because it has to fit one screen: as many of the last lines are shown as the rest leaves rows
/// for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// The greeting, for a client that has just connected.
    pub welcome: Option<Welcome>,
    /// The client's name.
    pub nick: Arc<str>,
    /// The name of the room.
    pub room: Arc<str>,
    /// Whether the room is private.
    pub private: bool,
    /// The room's topic, if it has one.
    pub topic: Option<Arc<str>>,
    /// The names of a few others in the room, first those who spoke last.
    pub others: Vec<Arc<str>>,
    /// How many people are in the room, the client included.
    pub members: usize,
    /// The lines said before, oldest first; the last ones that fit are shown.
    pub lines: Arc<[Arc<Line>]>,
    /// If the client has been in this room before: how many lines were said since. `lines` are the last of these.
    pub new: Option<usize>,
    /// The offset from UTC at which the times of these lines are shown.
    pub offset: Offset,
    /// The rows of the client's screen; 0 if it has not said.
    pub rows: u16,
}

/// The greeting for a newcomer to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The name of the hub.
    pub hub: Arc<str>,
    /// The greeting in the settings, row by row.
    pub greeting: Option<Arc<str>>,
    /// What the hub keeps of what is said in the room.
    pub kept: Kept,
}
