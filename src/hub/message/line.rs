//! The lines of a room.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hub::ignore::Borne;
use crate::hub::peering::entry::EntryId;
use crate::values::id::SessionId;
use crate::values::time::Wall;

/// A line of a room's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line's number. Numbers rise over all rooms.
    pub seq: u64,
    /// When it was said.
    pub at: Wall,
    /// The client that caused the line; `None` if no client did. Its author is shown the line only if it [answers
    /// them](Said::answers_its_author), or apart.
    pub author: Option<SessionId>,
    /// What it says.
    pub said: Said,
    /// The ignored names that the author bears or has borne, if a person said the line.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
    /// The clients that are shown the line apart, in a way of their own (see `hub::mention`): for them the log skips
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apart: Option<Arc<[SessionId]>>,
    /// The entry of another hub that the line comes from; `None`: it was said at this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Arc<EntryId>>,
}

impl Line {
    /// Whether the client `id` is shown the line apart.
    #[must_use]
    pub fn is_apart_for(&self, id: SessionId) -> bool {
        self.apart.as_ref().is_some_and(|apart| apart.contains(&id))
    }
}

/// What a line of a room's log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Said {
    /// `ann: hi`
    Say { nick: Arc<str>, text: Arc<str> },
    /// `* ann waves`, where the text is `waves`.
    Emote { nick: Arc<str>, text: Arc<str> },
    /// The hub tells the room something, of its own or for an administrator.
    Notice { text: Arc<str> },
    /// A new topic, or none if the text is empty. `nick` set it; `None`: an administrator did.
    Topic { nick: Option<Arc<str>>, text: Arc<str> },
    /// A line stood here that was removed. In history only.
    Redacted,
    /// Somebody came in.
    Joined { nick: Arc<str> },
    /// Somebody left, for this reason if there is one to tell. `words`: the reason is in their own words. `moved`:
    /// `reason` is the name of the room that they have gone to. (One field serves for two things, because each kept
    /// line takes as much memory as the largest variant.)
    Left {
        nick: Arc<str>,
        reason: Option<Arc<str>>,
        #[serde(default, skip_serializing_if = "is_default")]
        words: bool,
        #[serde(default, skip_serializing_if = "is_default")]
        moved: bool,
    },
    /// Somebody took another name.
    Renamed { from: Arc<str>, to: Arc<str> },
    /// Arrivals, departures and new names of a burst, in one line: how many of each, the names of the first few who
    /// came, and how many people are in the room now.
    Gathered {
        joined: u32,
        left: u32,
        #[serde(default, skip_serializing_if = "is_default")]
        renamed: u32,
        names: Arc<[Arc<str>]>,
        members: usize,
    },
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Said {
    /// Whether history keeps the line: what people said and did, not who came and went.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(
            self,
            Self::Say { .. } | Self::Emote { .. } | Self::Notice { .. } | Self::Topic { .. } | Self::Redacted
        )
    }

    /// Whether the line tells of arrivals, departures or new names, which `/quiet` hides.
    #[must_use]
    pub fn is_presence(&self) -> bool {
        matches!(self, Self::Joined { .. } | Self::Left { .. } | Self::Renamed { .. } | Self::Gathered { .. })
    }

    /// Whether the line is what a person says or does.
    #[must_use]
    pub fn is_speech(&self) -> bool {
        matches!(self, Self::Say { .. } | Self::Emote { .. })
    }

    /// Whether the line shows a person's own words or name, and so is hidden from readers that ignore them: speech, a
    /// topic, a new name, and words of a goodbye.
    #[must_use]
    pub fn is_of_a_person(&self) -> bool {
        self.is_speech()
            || matches!(self, Self::Topic { nick: Some(_), .. } | Self::Renamed { .. } | Self::Left { words: true, .. })
    }

    /// Whether the author is shown the line as everybody else is, because it answers what they did.
    #[must_use]
    pub fn answers_its_author(&self) -> bool {
        matches!(self, Self::Topic { .. })
    }

    /// The text that searches of history look at; empty if the line has none.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Say { text, .. } | Self::Emote { text, .. } | Self::Notice { text } | Self::Topic { text, .. } => {
                text
            }
            _ => "",
        }
    }

    /// The name of the author; empty if that is an administrator or the hub.
    #[must_use]
    pub fn nick(&self) -> &str {
        match self {
            Self::Say { nick, .. }
            | Self::Emote { nick, .. }
            | Self::Joined { nick }
            | Self::Left { nick, .. }
            | Self::Renamed { from: nick, .. } => nick,
            Self::Topic { nick, .. } => nick.as_deref().unwrap_or(""),
            Self::Notice { .. } | Self::Gathered { .. } | Self::Redacted => "",
        }
    }
}
