//! What a client shows others besides lines, and how often it may.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings;

/// What a client shows others besides lines, and what it sends to more and more people. Each kind has a pace of its
/// own: `pace.shown` in one go and then one each `pace.shown_every`, or `OFTENER` times as many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Other names.
    Names,
    /// Names taken by clients that come one after another from one address. It counts beside [`Self::Names`], and is
    /// handed on to the next client from there.
    Newcomers,
    /// Last words: beyond the pace, people leave without. It is handed on in the same way.
    LastWords,
    /// Topics set.
    Topics,
    /// Rooms that are opened or entered.
    Rooms,
    /// Reasons of absence.
    Absences,
    /// Invitations, and voices that are given.
    Invitations,
    /// First messages to people, and messages kept for people who are not here.
    People,
}

impl Kind {
    /// How many of this kind are allowed in one go, and how long after that one more.
    #[must_use]
    pub fn pace(self, limits: &settings::Pace) -> (u32, Duration) {
        match self {
            Self::Names | Self::Topics | Self::Absences => (limits.shown, limits.shown_every),
            // People go to and fro, invite a circle of friends, greet everybody.
            Self::Newcomers | Self::LastWords | Self::Rooms | Self::Invitations | Self::People => {
                (limits.shown.saturating_mul(OFTENER), limits.shown_every / OFTENER)
            }
        }
    }
}

/// Rooms, invitations, first messages, last words and the names of newcomers are allowed this many times as often as names are.
const OFTENER: u32 = 3;
