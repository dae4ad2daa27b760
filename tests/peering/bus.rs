//! The log that all hubs share, as an engine keeps it: acknowledged frames can be gone.

use chathub::hub::peering::entry::{Epoch, Frame};
use chathub::hub::peering::incoming::Refused;

/// A log of frames, at positions that rise.
#[derive(Debug)]
pub struct Bus {
    /// How often it was begun anew.
    life: u32,
    /// The position before the first frame.
    base: u64,
    log: Vec<Frame>,
}

impl Bus {
    pub fn new() -> Self {
        Self { life: 1, base: 0, log: Vec::new() }
    }

    pub fn name(&self) -> String {
        format!("log {}", self.life)
    }

    /// The position of the last frame.
    pub fn last(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// The first frame behind the position `after`, and its own position.
    pub fn next(&self, after: u64) -> Option<(u64, Frame)> {
        let position = after.max(self.base) + 1;
        let at = usize::try_from(position - self.base - 1).expect("few frames");
        Some((position, self.log.get(at)?.clone()))
    }

    /// Whether frames behind the position `after` are gone; where the first of those stands that are left.
    pub fn gone(&self, after: u64) -> Option<u64> {
        (after < self.base).then_some(self.base)
    }

    /// Stores a frame, if the last one of its hub in its lane is where it is expected.
    pub fn store(&mut self, frame: &Frame, expect: u64) -> Result<u64, Refused> {
        let is_before = |other: &&Frame| other.hub == frame.hub && other.lane == frame.lane;
        let found = (self.base + 1..).zip(&self.log).filter(|(_, other)| is_before(other)).last();
        let position = found.map_or(0, |(position, _)| position);
        if position != expect {
            let (epoch, run, n) = found.map_or((Epoch(0), 0, 0), |(_, other)| {
                (other.epoch, other.run, other.entries.last().map_or(0, |entry| entry.n))
            });
            return Err(Refused::Behind { position, epoch, run, n });
        }
        Ok(self.push(frame))
    }

    /// Stores a frame, come what may.
    pub fn push(&mut self, frame: &Frame) -> u64 {
        self.log.push(frame.clone());
        self.last()
    }

    /// The last frames are gone, and nobody is told.
    pub fn forget_end(&mut self, frames: usize) {
        self.log.truncate(self.log.len().saturating_sub(frames));
    }

    /// The first frames are gone.
    pub fn forget_beginning(&mut self, frames: usize) {
        let frames = frames.min(self.log.len());
        self.log.drain(..frames);
        self.base += frames as u64;
    }

    /// The log is lost, and begun anew.
    pub fn wipe(&mut self) {
        *self = Self { life: self.life + 1, ..Self::new() };
    }
}
