//! A room: who is in it, its topic, and what belongs to it.

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

/// How a topic came to be: for as long as it stands, newcomers read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSet {
    /// The line that set it, also when history has let go of it.
    pub(super) line: Arc<Line>,
    /// The account that its author was logged in to.
    #[serde(default)]
    pub(super) account: Option<AccountId>,
}

/// A room.
#[derive(Clone, Debug)]
pub struct Room {
    /// The number, unique and rising.
    pub id: RoomId,
    /// The name, as it was spelt by whoever opened the room.
    pub name: Name,
    /// Its topic; empty if there is none.
    pub topic: Arc<str>,
    /// Who set it and when; `None` if there is none, or a release has kept it that did not say.
    pub(super) topic_set: Option<TopicSet>,
    /// The line by which it was set, and so when, and by whom.
    pub(super) topic_line: Option<Arc<Line>>,
    /// It was opened by somebody whom nobody was to hear, and has that name for them and those in it alone.
    pub(super) unseen_of: Option<SessionId>,
    /// Who is in it.
    pub members: BTreeSet<SessionId>,
    /// Since when it exists.
    pub since: Wall,
    /// Where the one is from who opened it; `None` if nobody did, or nobody who is counted.
    pub(super) opened_from: Option<Origin>,
    /// Something of it is on disk, or on its way there.
    pub(super) recorded: bool,
    /// Lines said in it since then.
    pub lines: u64,
    /// What is kept of them.
    pub history: CopyOnWrite<History>,
    /// Whether what is said in it is kept, see `history.off`.
    pub(super) kept: bool,
    /// Whose it is, and who may come in and speak.
    pub ownership: Ownership,
    pub(super) presence: Presence,
    /// How much is said in it.
    pub(super) crowd: Crowd,
    /// Everybody is being sent out of it: nobody there needs to be told who goes.
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

    /// Whether everybody may know of it.
    pub(super) fn is_known_to_all(&self) -> bool {
        !self.ownership.private && self.unseen_of.is_none()
    }

    /// Its topic, if it has one.
    #[must_use]
    pub fn topic(&self) -> Option<Arc<str>> {
        (!self.topic.is_empty()).then(|| self.topic.clone())
    }
}
