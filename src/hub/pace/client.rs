//! How fast one client may send: lines and bytes.
//!
//! The hub slows reading first: it holds back a line that comes too early until the line's time has come. As it reads
//! nothing more of that client meanwhile, TCP slows the sender. When a client has sent too fast for longer than
//! `pace.patience`, the hub drops and counts its lines that come too early. The episode ends when the client has been
//! quiet for as long as its burst takes to refill.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings;
use crate::values::rate;
use crate::values::time::Mono;

/// What is to be done with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Take the line now.
    Pass,
    /// Take the line at that time, and read nothing more of the client until then.
    Hold(Mono),
    /// Throw the line away; it is counted.
    Drop,
}

/// What the sender is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// The client's lines are taken slower now.
    SlowedDown,
    /// The client's lines wait for room between those of others.
    GivesWay,
    /// The client's lines are being dropped now.
    Dropping,
    /// The episode is over; this number of lines was dropped.
    Dropped(u64),
}

/// A sender is told when a line of theirs waits this long, or when they have sent too fast for this long.
const NOTABLE: Duration = Duration::from_secs(1);

/// A client is calm while it is fewer than this many lines ahead of its pace.
pub(super) const CALM: u64 = 3;

/// A client that gave way counts as calm again when none of its lines has given way for this many line intervals (20 ×
/// 100 ms by default). A line interval is the time for one line by the pace of one client (`pace.lines`), here and in
/// the next two constants: where that pace is lifted, nobody waits for long.
const CALM_AGAIN: u32 = 20;

/// The hub judges a line that gives way again after this many line intervals. To judge all such lines at each chance
/// would cost as much as a crowd.
const GIVE_WAY: u32 = 1;

/// A line gives way for at most this many line intervals, because the calm may need all of a room's pace.
const GIVE_WAY_AT_MOST: u32 = 20;

/// The pace of one client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Pace {
    /// When the whole burst of lines may be used again, in nanoseconds of [`Mono`]'s clock.
    lines: u64,
    /// When the whole burst of bytes may be used again, in nanoseconds of [`Mono`]'s clock.
    bytes: u64,
    /// Boxed, because most clients never need it.
    haste: Option<Box<Haste>>,
}

/// What is kept of a client that sends faster than its own pace, or its room's pace, allows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Haste {
    /// Since when the client sends faster than it may.
    since: Option<Mono>,
    told: Option<Word>,
    dropped: u64,
    /// Since when the client's next line gives way to the calm.
    gives_way: Option<Mono>,
    /// When one of the client's lines last gave way.
    gave_way: Option<Mono>,
    /// Whether the client was told that its lines give way.
    told_way: bool,
}

/// The pace of one client, as a snapshot holds it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Saved {
    lines: u64,
    bytes: u64,
    since: Option<Mono>,
    told: Option<Word>,
    dropped: u64,
    gives_way: Option<Mono>,
    gave_way: Option<Mono>,
    told_way: bool,
}

impl From<Saved> for Pace {
    fn from(saved: Saved) -> Self {
        let Saved { lines, bytes, since, told, dropped, gives_way, gave_way, told_way } = saved;
        let haste = Haste { since, told, dropped, gives_way, gave_way, told_way };
        Self { lines, bytes, haste: (haste != Haste::default()).then(|| Box::new(haste)) }
    }
}

impl From<Pace> for Saved {
    fn from(Pace { lines, bytes, haste }: Pace) -> Self {
        let Haste { since, told, dropped, gives_way, gave_way, told_way } =
            haste.map_or_else(Haste::default, |haste| *haste);
        Self { lines, bytes, since, told, dropped, gives_way, gave_way, told_way }
    }
}

impl Pace {
    /// Judges a line of `bytes` bytes that came at `now`. Returns the verdict, and what the sender is to be told. The
    /// caller has a held line judged again at the time given; to do that earlier is harmless.
    pub fn judge(&mut self, bytes: u64, now: Mono, limits: &settings::Pace) -> (Verdict, Option<Word>) {
        let nanos = now.0.saturating_mul(1000);
        let mut word = None;
        if let Some(haste) = &mut self.haste {
            haste.gives_way = None;
            if haste.since.is_some() && self.lines.max(self.bytes) <= nanos {
                if haste.dropped > 0 {
                    word = Some(Word::Dropped(haste.dropped));
                }
                (haste.since, haste.told, haste.dropped) = (None, None, 0);
            }
            if **haste == Haste::default() {
                self.haste = None;
            }
        }
        let per_line = 1_000_000_000 / u64::from(limits.lines.max(1));
        let per_byte = |bytes: u64| bytes.saturating_mul(1_000_000_000) / (limits.bytes as u64).max(1);
        // A line longer than the whole burst of bytes passes once all of the burst may be used.
        let burst_bytes = per_byte((limits.burst_bytes as u64).max(bytes));
        let early = match (
            rate::take(self.lines, nanos, per_line, per_line.saturating_mul(u64::from(limits.burst_lines))),
            rate::take(self.bytes, nanos, per_byte(bytes), burst_bytes),
        ) {
            (Ok(lines), Ok(bytes)) => {
                (self.lines, self.bytes) = (lines, bytes);
                return (Verdict::Pass, word);
            }
            (lines, bytes) => lines.err().unwrap_or_default().max(bytes.err().unwrap_or_default()),
        };
        let haste = self.haste.get_or_insert_default();
        let since = *haste.since.get_or_insert(now);
        if now.since(since) > limits.patience {
            haste.dropped += 1;
            if haste.told != Some(Word::Dropping) {
                haste.told = Some(Word::Dropping);
                word = Some(Word::Dropping);
            }
            return (Verdict::Drop, word);
        }
        let until = Mono(nanos.saturating_add(early).div_ceil(1000));
        if haste.told.is_none() && (until.since(now) >= NOTABLE || now.since(since) >= NOTABLE) {
            haste.told = Some(Word::SlowedDown);
            word = Some(Word::SlowedDown);
        }
        (Verdict::Hold(until), word)
    }

    /// While a room is over its pace, the caller asks this before it has a line judged. Returns until when the line
    /// gives way to calm clients, and what its sender is to be told. Returns `None` if the client is calm, or the line
    /// has given way for `GIVE_WAY_AT_MOST` intervals.
    ///
    /// A client is calm if it is less than `CALM` lines ahead of its pace and none of its lines has given way for
    /// `CALM_AGAIN` intervals. So a client that has more to say than there is room for gets what the calm leave, and
    /// not the full pace of one client.
    pub fn gives_way(&mut self, now: Mono, limits: &settings::Pace) -> Option<(Mono, Option<Word>)> {
        let per_line = 1_000_000_000 / u64::from(limits.lines.max(1));
        let lines = |count: u32| Duration::from_nanos(per_line) * count;
        let has_said_little = self.lines.saturating_sub(now.0.saturating_mul(1000)) < per_line.saturating_mul(CALM);
        let gave_way = self.haste.as_ref().and_then(|haste| haste.gave_way);
        let is_restless = gave_way.is_some_and(|at| now.since(at) < lines(CALM_AGAIN));
        if has_said_little && !is_restless {
            if let Some(haste) = &mut self.haste {
                haste.told_way = false;
            }
            return None;
        }
        let haste = self.haste.get_or_insert_default();
        let since = *haste.gives_way.get_or_insert(now);
        if now.since(since) >= lines(GIVE_WAY_AT_MOST) {
            return None;
        }
        haste.gave_way = Some(now);
        let word = (!haste.told_way && now.since(since) >= NOTABLE).then_some(Word::GivesWay);
        haste.told_way |= word.is_some();
        Some((now.after(lines(GIVE_WAY)), word))
    }

    /// Charges a line that was taken as if it were `lines` more, because it cost the hub as much.
    pub fn charge(&mut self, lines: u32, now: Mono, limits: &settings::Pace) {
        let per_line = 1_000_000_000 / u64::from(limits.lines.max(1));
        let nanos = now.0.saturating_mul(1000);
        self.lines = rate::charge(self.lines, nanos, per_line.saturating_mul(u64::from(lines)));
    }
}
