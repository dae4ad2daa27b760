//! A room: its members, its topic, its lines.

use super::history::History;
use super::presence::Presence;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::message::Line;
use super::ownership::Ownership;
use super::pace::Crowd;
use crate::values::CopyOnWrite;
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::time::Wall;

/// Who set a topic, and when. It is kept as long as the topic stands, because newcomers are shown
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSet {
    /// The line that set the topic, even if history has dropped it.
    pub(super) line: Arc<Line>,
    /// The account to which the author was logged in.
    #[serde(default)]
    pub(super) account: Option<AccountId>,
}

/// A room.
#[derive(Clone, Debug)]
pub struct Room {
    /// The room's number. Numbers rise, and none is given twice.
    pub id: RoomId,
    /// The name, as the person spelt it who opened the room.
    pub name: Name,
    /// The topic; empty if there is none.
    pub topic: Arc<str>,
    /// Who set the topic, and when; `None` if there is no topic, or it comes from a release that
    /// did not keep this.
    pub(super) topic_set: Option<TopicSet>,
    /// The last line that set or cleared the topic, as it stands in the room's log.
    pub(super) topic_line: Option<Arc<Line>>,
    /// The client that opened the room while it was shadow-muted. Only this client and the members
    /// can find the room by its name.
    pub(super) unseen_of: Option<SessionId>,
    /// The clients in the room.
    pub members: BTreeSet<SessionId>,
    /// When the room was opened.
    pub since: Wall,
    /// The origin for which the room counts; `None` if nobody opened it, or a person whose rooms
    /// are not counted.
    pub(super) opened_from: Option<Origin>,
    /// Whether lines of the room are on disk, or on their way there.
    pub(super) recorded: bool,
    /// The number of lines said in the room since it was opened.
    pub lines: u64,
    /// The lines kept in memory.
    pub history: CopyOnWrite<History>,
    /// Whether lines are kept at all, see `history.off`.
    pub(super) kept: bool,
    /// Who owns the room, and who may come in and speak.
    pub ownership: Ownership,
    pub(super) presence: Presence,
    /// The pace of the room: how many lines are delivered to its members.
    pub(super) crowd: Crowd,
    /// Whether the members are not told who comes and goes, because the room is being closed, or is
    /// the door's.
    pub(super) closing: bool,
}

impl Room {
    pub(super) fn new(id: RoomId, name: Name, since: Wall) -> Self {
        Self {
            id,
            name,
            topic: "".into(),
            topic_set: None,
            topic_line: None,
            unseen_of: None,
            members: BTreeSet::new(),
            since,
            opened_from: None,
            recorded: false,
            lines: 0,
            history: CopyOnWrite::default(),
            kept: true,
            ownership: Ownership::default(),
            presence: Presence::default(),
            crowd: Crowd::default(),
            closing: false,
        }
    }

    /// Whether everybody may know that the room exists.
    pub(super) fn is_known_to_all(&self) -> bool {
        !self.ownership.private && !self.is_unseen()
    }

    /// Whether somebody opened the room while shadow-muted, and nobody who is heard knows of it.
    pub(super) fn is_unseen(&self) -> bool {
        self.unseen_of.is_some() || self.ownership.unseen
    }

    /// The topic, if there is one.
    #[must_use]
    pub fn topic(&self) -> Option<Arc<str>> {
        (!self.topic.is_empty()).then(|| self.topic.clone())
    }
}
