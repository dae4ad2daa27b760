//! What somebody is shown on coming into a room: one screen.

use std::sync::Arc;

use super::{Kept, Line, Offset};

/// A room, as it is shown to somebody who comes into it.
///
/// It is one message, because it is to fit one screen: the lines said before are those for which the rest leaves rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    /// What greets those who have just connected.
    pub welcome: Option<Welcome>,
    /// The name of the one who comes.
    pub nick: Arc<str>,
    /// The room.
    pub room: Arc<str>,
    /// It is private.
    pub private: bool,
    /// Its topic, if it has one.
    pub topic: Option<Arc<str>>,
    /// A few of the others in it: first those who spoke last.
    pub others: Vec<Arc<str>>,
    /// How many are in it, the one who comes included.
    pub members: usize,
    /// Lines said before, oldest first; the last ones that fit are shown.
    pub lines: Arc<[Arc<Line>]>,
    /// Who comes has been in this room before, and so many lines were said since; the `lines` are of those.
    pub new: Option<usize>,
    /// The offset from UTC at which the times of these lines are shown.
    pub offset: Offset,
    /// The rows of the screen; 0 if that is not known.
    pub rows: u16,
}

/// What greets a newcomer to the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The name of the hub.
    pub hub: Arc<str>,
    /// The greeting of the settings, row by row.
    pub greeting: Option<Arc<str>>,
    /// What is kept of what is said in the room.
    pub kept: Kept,
}
