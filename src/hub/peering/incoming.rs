//! What the link tells the hub, and what the hub gives the link to do.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::entry::{Again, Beat, Epoch, Frame, HubId, Lane};

/// Something that reaches the hub by its link. The tape keeps it as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Incoming {
    /// The link is connected, and this hub is called `hub`. `log` names the log that all hubs share: another name is
    /// another log. `last` is the position of its last frame; 0 if it is empty.
    Linked { hub: HubId, log: Arc<str>, last: u64 },
    /// The link is connected no longer.
    Unlinked,
    /// A frame of the log, and its position. The link gives all frames in the order of the log from the position in
    /// [`Outgoing::Read`] on, our own ones too.
    Frame { position: u64, frame: Box<Frame> },
    /// The log has no frames any more up to this position, though they were not read.
    Gone { position: u64 },
    /// A hub has told how far it is.
    Beat(Box<Beat>),
    /// A hub asks for entries again.
    Again(Box<Again>),
    /// The frame that was published in the lane stands in the log, at `position`, as far as the log says. It ends with
    /// the entry `n`.
    Stored { lane: Lane, n: u64, position: u64 },
    /// The frame that was published in the lane, which ends with the entry `n`, is not in the log, or nobody knows.
    Refused { lane: Lane, n: u64, why: Refused },
    /// An administrator wants nothing kept for a hub any more that is gone for good.
    Forget { hub: HubId },
}

/// Why a frame was not stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Refused {
    /// The log takes nothing at the moment, or has not answered in time.
    Away,
    /// The last frame of ours in the lane is another one than [`Outgoing::Publish`] expected: it stands at `position`
    /// (0: there is none), and is of that life, and that run.
    Behind { position: u64, epoch: Epoch, run: u64, n: u64 },
}

/// Something that the link has to do. What cannot be done is left: all that matters is asked for again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each variant's text tells of its fields")]
pub enum Outgoing {
    /// Give all frames of the log behind this position.
    Read { after: u64 },
    /// Put a frame at the end of the log, if `expect` is the position of our last frame in its lane (0: there is none).
    /// [`Incoming::Stored`] or [`Incoming::Refused`] is the answer, and there must be one as long as the link is connected.
    Publish { frame: Box<Frame>, expect: u64 },
    /// Tell all hubs how far we are.
    Beat(Box<Beat>),
    /// Ask a hub for entries again.
    Again(Box<Again>),
    /// Another hub publishes under our name: nothing more is published until the link connects anew.
    Halt,
}
