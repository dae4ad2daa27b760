//! Time as a value. The hub never reads a clock: whoever drives it says what time it is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on a clock that only goes forward, in microseconds since an arbitrary origin.
///
/// The driver feeds it from `CLOCK_MONOTONIC`, which all processes of one boot share, so a value
/// stays meaningful across a restart of the daemon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// This much later; saturates at the end of time.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// Wall-clock time in milliseconds since the Unix epoch. May jump either way; never used to measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Wall(pub i64);

/// The time at which an input is handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// For deadlines and rates.
    pub mono: Mono,
    /// For what people are shown and what history keeps.
    pub wall: Wall,
}
