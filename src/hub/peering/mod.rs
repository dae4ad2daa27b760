//! Several hubs that share their public rooms: what each of them says is shown at all, in an order that makes sense.
//!
//! Each hub puts what its own people say into a log that all hubs read. The log is an engine's, and is not trusted: it
//! may refuse, lose what it has acknowledged, give things twice, or begin anew. What the hubs know decides. Each hub
//! numbers what it has said in a room without gaps (an [entry] of a lane), keeps it until all others say that they have
//! it, and shows what others say in the order of their numbers.
//!
//! | to change | see |
//! | --- | --- |
//! | what hubs tell each other: entries, frames, beats | [`entry`] |
//! | what the link tells the hub, and what it is given to do | [`incoming`] |
//! | what we keep of our own lines for other hubs; frames; gaps | `outbox` |
//! | what we have of other hubs; entries that came too early | `reading` |
//! | whose turn it is: the next number, and what an entry comes after | `receiving` |
//! | telling how far we are; what others have; asking for what is missing | `beats` |
//! | the link: connecting, publishing, answers of the log | `linking` |
//! | which rooms are shared; showing a line of another hub | `showing` |
//! | what is checked in a snapshot and after each input | `sound` |
//!
//! It knows nothing of the engine, sockets and how frames are written down. It is not called "network" because a
//! network is a range of addresses here, and not "link" because that is what is between a client and its terminal.
//! See "Several hubs" in ARCHITECTURE.md.

mod beats;
pub mod entry;
pub mod incoming;
mod linking;
mod outbox;
mod reading;
mod receiving;
mod showing;
mod sound;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::values::time::{Mono, Now};
use beats::Peer;
use entry::{Epoch, HubId, Lane};
pub use incoming::{Incoming, Outgoing};
use outbox::Outbox;
use reading::Reading;

/// The most hubs that are known.
pub(super) const HUBS: usize = 64;

/// The most lanes of our own, and the most that are read: rooms beyond are not shared.
const LANES: usize = 4096;

/// What all outboxes may hold, in bytes.
const OUTBOX: usize = 16 * 1024 * 1024;

/// What may be held of entries that came too early, in bytes.
const EARLY: usize = 16 * 1024 * 1024;

/// A rule of the protocol. All of them are kept, but where a test leaves one out to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An entry is shown when its number is the next one, and only then.
    Numbers,
    /// An entry is not shown before those that it comes after.
    After,
    /// An entry is kept until all hubs have it, whatever the log has acknowledged.
    Confirmation,
    /// What a hub asks for is published again.
    Again,
    /// A log with another name, or one that is shorter than our position, is read from its beginning.
    Log,
    /// A hub whose state was lost begins to count anew.
    Epoch,
}

/// What a test tries: a protocol without one of its rules, or with outboxes that hold little.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    pub without: Option<Rule>,
    pub outbox: usize,
}

impl Default for Trial {
    fn default() -> Self {
        Self { without: None, outbox: OUTBOX }
    }
}

/// How often things have happened that nobody is told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Frames, beats and lines of other hubs that were not what they should be, or too many.
    pub refused: u64,
    /// Frames and beats of former lives of hubs, or of former runs of their lanes.
    pub stale: u64,
    /// Lines that are shown here alone, because too many rooms were shared.
    pub not_shared: u64,
}

/// All that a hub knows of the hubs that it shares its rooms with. A hub has none of it until a link connects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peering {
    hub: HubId,
    epoch: Epoch,
    /// Whether a link is connected.
    linked: bool,
    /// Whether nothing is published because another hub publishes under our name.
    halted: bool,
    /// Whether a later life of ours was heard of since the link has connected.
    renewed: bool,
    /// The name of the log.
    log: Arc<str>,
    /// The position of the last frame of the log that was read.
    position: u64,
    /// The number of the last run that was begun, over all lanes.
    runs: u64,
    own: BTreeMap<Lane, Outbox>,
    /// What all outboxes hold, in bytes.
    #[serde(skip)]
    bytes: usize,
    /// What is read, by lane and hub.
    read: BTreeMap<Lane, BTreeMap<HubId, Reading>>,
    /// What is held of entries that came too early, in bytes.
    #[serde(skip)]
    early: usize,
    peers: BTreeMap<HubId, Peer>,
    /// Lanes in which an entry waits for entries of others, and since when.
    #[serde(skip)]
    late: BTreeMap<Lane, Mono>,
    /// Lanes in which something has changed since the last beat.
    changed: BTreeSet<Lane>,
    /// The number of the last beat.
    beats: u64,
    /// When it was.
    beaten: Mono,
    /// When the last whole beat was.
    whole: Mono,
    /// Whether a whole beat is due at once: another hub has come.
    greets: bool,
    /// When what was refused is published again.
    retry: Option<Mono>,
    counts: Counts,
    #[serde(skip)]
    trial: Trial,
}

impl Peering {
    /// Begins a life of `hub`, without a link.
    fn new(hub: HubId, now: Now) -> Self {
        Self {
            hub,
            epoch: Epoch(u64::try_from(now.wall.0).unwrap_or(0)),
            linked: false,
            halted: false,
            renewed: false,
            log: "".into(),
            position: 0,
            runs: 0,
            own: BTreeMap::new(),
            bytes: 0,
            read: BTreeMap::new(),
            early: 0,
            peers: BTreeMap::new(),
            late: BTreeMap::new(),
            changed: BTreeSet::new(),
            beats: 0,
            beaten: now.mono,
            whole: now.mono,
            greets: false,
            retry: None,
            counts: Counts::default(),
            trial: Trial::default(),
        }
    }

    /// This hub's name among the others.
    #[must_use]
    pub fn hub(&self) -> &HubId {
        &self.hub
    }

    /// This hub's life.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How often things have happened that nobody is told of.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether the protocol has this rule: always, but in a test that wants to see what happens without it.
    fn keeps(&self, rule: Rule) -> bool {
        !cfg!(debug_assertions) || self.trial.without != Some(rule)
    }
}
