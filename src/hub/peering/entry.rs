//! What hubs tell each other: the entries of lanes, where they stand, and how far each hub has come.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::values::id::SessionId;
use crate::values::name::Name;
use crate::values::time::Wall;

/// The most bytes that a hub's name has.
const NAME: usize = 16;

/// The most bytes of a line that another hub has let somebody say: the most that `limits.line` can allow there.
pub(super) const TEXT: usize = 64 * 1024;

/// The most entries that one entry can come after: one for each hub.
pub(super) const AFTER: usize = super::HUBS;

/// What an entry weighs besides its texts, in bytes: about what it takes in memory.
const ENTRY: usize = 128;

/// The name of a hub among those that share their rooms, such as `b`: 1 to 16 of a-z, 0-9 and `-`, not `-` first.
/// People see it behind the names of that hub's people: `ann@b`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HubId(Arc<str>);

impl HubId {
    /// Reads a name; `None` if no hub can be called that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=NAME).contains(&text.len()) && text.bytes().all(is_allowed) && !text.starts_with('-');
        fits.then(|| Self(text.into()))
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for HubId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no name of a hub"))
    }
}

impl From<HubId> for String {
    fn from(hub: HubId) -> Self {
        hub.0.as_ref().into()
    }
}

/// A life of a hub: from the beginning of its state to the loss of that state. Of two lives of one hub, the later one
/// has the higher number. It is the time at which the hub first had a link, in milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

/// A lane: what is said in one public room, at all hubs. Its name is the room's, folded, so hubs may spell it
/// differently.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Lane(Arc<str>);

impl Lane {
    /// The lane of a room. `None` if its name, folded, is no name.
    #[must_use]
    pub fn of(room: &Name) -> Option<Self> {
        Self::parse(room.folded())
    }

    /// Reads the name of a lane; `None` if no room's name folds to that.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Name::recall(text).filter(|name| name.folded() == text)?;
        Some(Self(text.into()))
    }

    /// The room's name, folded.
    #[must_use]
    pub fn room(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Lane {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no lane"))
    }
}

impl From<Lane> for String {
    fn from(lane: Lane) -> Self {
        lane.0.as_ref().into()
    }
}

/// Which entry of a lane: no two have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntryId {
    /// The hub where it was said.
    pub hub: HubId,
    /// The life of that hub.
    pub epoch: Epoch,
    /// The run of the lane: a hub that lets go of a lane and takes it up again begins another run, with a higher number
    /// than all runs before.
    pub run: u64,
    /// The number of the entry in the run, from 1 on without gaps.
    pub n: u64,
}

impl EntryId {
    /// The number by which people and records here know the author `who`, a client of that hub. It never is a number
    /// that this hub gives: see [`SessionId::is_remote`].
    #[must_use]
    pub fn author(&self, who: u64) -> SessionId {
        use std::hash::{Hash as _, Hasher as _};
        // Fixed keys: the number has to stay the same over restarts, and only administrators can choose hubs.
        let mut hasher = siphasher::sip::SipHasher24::new_with_keys(0, 0);
        (&*self.hub.0, self.epoch.0, who).hash(&mut hasher);
        SessionId::remote(hasher.finish())
    }
}

/// A line that somebody has said at another hub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The number that the author has at their hub.
    pub who: u64,
    /// The author's name there.
    pub nick: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// Whether it is something done, as by `/me`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emote: bool,
    /// When it was said, by the clock of that hub.
    pub at: Wall,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Content {
    /// A line.
    Line(Spoken),
    /// A line that was removed, or is kept no longer.
    Removed,
    /// The entries from the number `from` to this entry's own, of which the hub has none any more.
    Gap { from: u64 },
}

/// An entry of a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, see [`EntryId::n`].
    pub n: u64,
    /// What its hub had shown of the lane before, as far as the entry before this one does not say so already: the last
    /// entry of each other hub. Nobody is shown the entry before those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<EntryId>,
    /// What it holds.
    pub content: Content,
}

impl Entry {
    /// The first number that it stands for.
    #[must_use]
    pub fn first(&self) -> u64 {
        match self.content {
            Content::Gap { from } => from,
            Content::Line(_) | Content::Removed => self.n,
        }
    }

    /// What it counts against bounds, in bytes.
    pub(super) fn weight(&self) -> usize {
        let texts = match &self.content {
            Content::Line(spoken) => spoken.nick.len() + spoken.text.len(),
            Content::Removed | Content::Gap { .. } => 0,
        };
        weight(texts, self.after.len())
    }
}

/// What an entry with so many bytes of texts weighs that comes after so many others.
pub(super) fn weight(texts: usize, after: usize) -> usize {
    ENTRY + texts + after * size_of::<EntryId>()
}

/// Entries of one lane that are published together: all of them stand in the log, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The lane.
    pub lane: Lane,
    /// The hub where they were said.
    pub hub: HubId,
    /// The life of that hub.
    pub epoch: Epoch,
    /// The run of the lane, see [`EntryId::run`].
    pub run: u64,
    /// The lowest number that the hub still has: all hubs that it knows have those before. A hub that reads the run for
    /// the first time begins here.
    pub first: u64,
    /// The entries, without gaps between them.
    pub entries: Vec<Entry>,
}

impl Frame {
    /// Whether its numbers fit together. What does not is refused as a whole: its hub is not what it says.
    pub(super) fn is_sound(&self) -> bool {
        let mut next = None;
        let follow = self.entries.iter().all(|entry| {
            let (first, follows) = (entry.first(), next.is_none_or(|next| next == entry.first()));
            next = entry.n.checked_add(1);
            let after = entry.after.iter();
            first >= 1 && first <= entry.n && next.is_some() && follows && after.len() <= AFTER
        });
        follow && !self.entries.is_empty() && self.first >= 1
    }
}

/// How far a hub has come in a lane of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// The lane.
    pub lane: Lane,
    /// The run of the lane.
    pub run: u64,
    /// The lowest number that the hub still has; one more than `n` if it has none.
    pub first: u64,
    /// The number of the last entry.
    pub n: u64,
}

/// The last entry that a hub has shown of another hub, all before included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Had {
    /// The lane.
    pub lane: Lane,
    /// The entry.
    pub entry: EntryId,
}

/// What a hub tells all others from time to time. Beats stand in no log: they may be lost, and come twice or late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// The hub that tells it.
    pub hub: HubId,
    /// Its life.
    pub epoch: Epoch,
    /// The number of the beat in that life.
    pub number: u64,
    /// The number of the last run that the hub has begun.
    pub runs: u64,
    /// Whether all lanes are named; otherwise those in which something has changed since the last beat.
    pub whole: bool,
    /// The hub's own lanes.
    pub lanes: Vec<Extent>,
    /// What it has of others.
    pub have: Vec<Had>,
}

/// A hub asks another one to publish entries again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// The hub that is asked.
    pub to: HubId,
    /// The life of that hub.
    pub epoch: Epoch,
    /// The lane.
    pub lane: Lane,
    /// The run of the lane.
    pub run: u64,
    /// The first number that is missing: this entry and all behind it are published again.
    pub from: u64,
}
