//! The system's clocks, as those read them who carry: the state machine is told the time with each input.

use crate::values::time::{Mono, Now, Wall};

/// What time it is.
#[must_use]
pub fn now() -> Now {
    let wall = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { mono: mono(), wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)) }
}

/// The same by one clock only, to measure how long something takes.
#[must_use]
pub fn mono() -> Mono {
    let mono = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("every Linux has this clock");
    let seconds = u64::try_from(mono.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(mono.tv_nsec()).unwrap_or(0) / 1000;
    Mono(seconds * 1_000_000 + micros)
}
