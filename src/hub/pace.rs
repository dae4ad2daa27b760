//! How fast one client may send: lines and bytes, by the generic cell rate algorithm (ITU-T I.371).
//!
//! Reading is slowed first: a line that comes too early is held back until its time has come, and as
//! nothing more is read meanwhile, TCP slows the sender. Who goes on like that for longer than
//! `pace.patience` has the lines that come too early dropped, with a count. Being quiet for as long
//! as the burst takes to refill ends the episode.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::Mono;
use crate::settings;

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take it.
    Pass,
    /// Take it then, and read nothing more until then.
    Hold(Mono),
    /// Throw it away; it is counted.
    Drop,
}

/// What the sender is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// Its lines are taken slower now.
    SlowedDown,
    /// Its lines are being dropped now.
    Dropping,
    /// The episode is over; so many lines were dropped.
    Dropped(u64),
}

/// A wait longer than this is worth a word to the person.
const NOTABLE: Duration = Duration::from_secs(1);

/// Lines beyond its pace in the long run that a client may have said to count as calm.
const CALM: u64 = 8;

/// The pace of a room: how many deliveries, lines times people, its members bring about together.
///
/// A hundred who each use their burst at once are more than a room can take without everybody else
/// noticing. Beyond the pace, those who have said much of late wait; the calm never do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Crowd {
    /// When the bucket is full again, in nanoseconds of [`Mono`]'s clock.
    deliveries: u64,
}

/// How far a room may be ahead of its pace, in nanoseconds.
const CROWD_BURST: u64 = 500_000_000;

impl Crowd {
    /// Until when those who are not calm have to wait; `None` if nobody has to.
    #[must_use]
    pub fn waits(&self, now: Mono) -> Option<Mono> {
        let early = self.deliveries.saturating_sub(CROWD_BURST);
        (early > now.0.saturating_mul(1000)).then_some(Mono(early.div_ceil(1000)))
    }

    /// Counts a line to so many people.
    pub fn charge(&mut self, people: usize, now: Mono, limits: &settings::Pace) {
        let cost = (people as u64).saturating_mul(1_000_000_000) / (limits.crowd as u64).max(1);
        self.deliveries = self.deliveries.max(now.0.saturating_mul(1000)).saturating_add(cost);
    }
}

/// The pace of one client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// When the bucket of lines is full again, in nanoseconds of [`Mono`]'s clock.
    lines: u64,
    /// The same for the bucket of bytes.
    bytes: u64,
    /// Since when the client sends faster than it may.
    since: Option<Mono>,
    told: Option<Word>,
    dropped: u64,
}

impl Pace {
    /// Judges a line of `bytes` bytes that is there at `now`. A held line is asked about again at
    /// the time given; asking early is harmless.
    pub fn judge(&mut self, bytes: u64, now: Mono, limits: &settings::Pace) -> (Verdict, Option<Word>) {
        let nanos = now.0.saturating_mul(1000);
        let mut word = None;
        if self.since.is_some() && self.lines.max(self.bytes) <= nanos {
            if self.dropped > 0 {
                word = Some(Word::Dropped(self.dropped));
            }
            (self.since, self.told, self.dropped) = (None, None, 0);
        }
        let per_line = 1_000_000_000 / u64::from(limits.lines.max(1));
        let per_byte = |bytes: u64| bytes.saturating_mul(1_000_000_000) / (limits.bytes as u64).max(1);
        // A line passes while the bucket, with this line in it, is not fuller than the burst.
        let line_time = self.lines.max(nanos).saturating_add(per_line);
        let byte_time = self.bytes.max(nanos).saturating_add(per_byte(bytes));
        // A line longer than the whole burst of bytes passes when the bucket is empty.
        let burst_bytes = per_byte((limits.burst_bytes as u64).max(bytes));
        let early = (line_time.saturating_sub(per_line.saturating_mul(u64::from(limits.burst_lines))))
            .max(byte_time.saturating_sub(burst_bytes));
        if early <= nanos {
            (self.lines, self.bytes) = (line_time, byte_time);
            return (Verdict::Pass, word);
        }
        let since = *self.since.get_or_insert(now);
        if now.since(since) > limits.patience {
            self.dropped += 1;
            if self.told != Some(Word::Dropping) {
                self.told = Some(Word::Dropping);
                word = Some(Word::Dropping);
            }
            return (Verdict::Drop, word);
        }
        let until = Mono(early.div_ceil(1000));
        if self.told.is_none() && (until.since(now) >= NOTABLE || now.since(since) >= NOTABLE) {
            self.told = Some(Word::SlowedDown);
            word = Some(Word::SlowedDown);
        }
        (Verdict::Hold(until), word)
    }

    /// Whether the client has said no more of late than people do: less than a handful of lines beyond its
    /// pace in the long run.
    #[must_use]
    pub fn is_calm(&self, now: Mono, limits: &settings::Pace) -> bool {
        let per_line = 1_000_000_000 / u64::from(limits.lines.max(1));
        self.lines.saturating_sub(now.0.saturating_mul(1000)) < per_line.saturating_mul(CALM)
    }

    /// Counts a line that was taken for `lines` more than the one it is: for what costs the hub as much.
    pub fn charge(&mut self, lines: u32, now: Mono, limits: &settings::Pace) {
        let per_line = 1_000_000_000 / u64::from(limits.lines.max(1));
        let nanos = now.0.saturating_mul(1000);
        self.lines = self.lines.max(nanos).saturating_add(per_line.saturating_mul(u64::from(lines)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_at_its_pace_lets_the_calm_pass_and_the_others_wait_for_their_share() {
        let limits = settings::Pace::default();
        let (mut crowd, mut flooder, calm) = (Crowd::default(), Pace::default(), Pace::default());
        let start = Mono(1_000_000);
        let mut said = 0;
        // A thousand people in the room; the bursts of many flooders, all at once.
        while crowd.waits(start).is_none() {
            flooder.judge(64, start, &limits);
            crowd.charge(1000, start, &limits);
            said += 1;
        }
        assert_eq!(said, 101, "half a second's worth, and the one that goes over");
        assert!(calm.is_calm(start, &limits) && !flooder.is_calm(start, &limits));
        let until = crowd.waits(start).expect("it is over");
        assert!(until > start && until.since(start) <= Duration::from_millis(10), "{until:?}");
        assert_eq!(crowd.waits(until), None, "and then the next line passes");
        let later = start.after(Duration::from_secs(60));
        assert!(flooder.is_calm(later, &limits), "who falls silent is calm again");
    }

    #[test]
    fn in_a_small_room_a_pasted_text_never_waits() {
        let limits = settings::Pace::default();
        let (mut crowd, at) = (Crowd::default(), Mono(1_000_000));
        for _ in 0..limits.burst_lines {
            assert_eq!(crowd.waits(at), None);
            crowd.charge(100, at, &limits);
        }
    }
}
