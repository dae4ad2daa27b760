//! The system's clocks. The driver and the rounds read them; the state machine gets the time with
//! each input.

use crate::values::time::{Mono, Now, Wall};

/// The time by both clocks.
#[must_use]
pub fn now() -> Now {
    let wall = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { mono: mono(), wall: Wall(0).after(wall) }
}

/// The time by `CLOCK_MONOTONIC` alone, to measure how long something takes.
#[must_use]
pub fn mono() -> Mono {
    let mono = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("every Linux has this clock");
    let seconds = u64::try_from(mono.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(mono.tv_nsec()).unwrap_or(0) / 1000;
    Mono(seconds * 1_000_000 + micros)
}
