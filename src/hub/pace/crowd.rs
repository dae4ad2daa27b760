//! The pace of a room.

use serde::{Deserialize, Serialize};

use crate::settings;
use crate::values::rate;
use crate::values::time::Mono;

/// The pace of a room, in deliveries a second: lines times the people who get them (`pace.crowd`).
///
/// If a hundred members used their bursts at once, everybody else would notice. While a room is over its pace, the
/// clients that have said much of late wait; the calm ones never do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crowd {
    /// When the whole burst may be used again, in nanoseconds of [`Mono`]'s clock.
    deliveries: u64,
}

/// How far a room may be ahead of its pace, in nanoseconds.
const CROWD_BURST: u64 = 500_000_000;

impl Crowd {
    /// Whether the room is over its pace, so that clients that are not calm have to wait.
    #[must_use]
    pub fn is_over(&self, now: Mono) -> bool {
        self.deliveries.saturating_sub(CROWD_BURST) > now.0.saturating_mul(1000)
    }

    /// Counts a line that is delivered to `people` clients.
    pub fn charge(&mut self, people: usize, now: Mono, limits: &settings::Pace) {
        let cost = (people as u64).saturating_mul(1_000_000_000) / (limits.crowd as u64).max(1);
        self.deliveries = rate::charge(self.deliveries, now.0.saturating_mul(1000), cost);
    }
}
