//! How long the turns of the driver's loop take, and what the longest one was doing. No client is
//! read during a long part of a turn, so all of them wait that long.

use std::time::Duration;

use crate::values::time::{Mono, Now, Wall};

/// What a part of a turn was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// What is due by the clock.
    Due,
    /// Reports of the rounds (clients that are gone, closed or crowded), and tidying the queue of
    /// sockets.
    Parting,
    /// New connections.
    Accepting,
    /// An administrator's command, by name.
    Command(&'static str),
    /// Answers of other threads.
    Taking,
    /// Reading clients, and handling what they have sent.
    Reading,
    /// Handing orders to the rounds, and making short rounds.
    Writing,
    /// Freezing the state for a snapshot.
    Freezing,
    /// Making a snapshot count: copying inputs behind it.
    Counting,
}

impl Doing {
    /// The name of this part, for administrators.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Due => "what was due",
            Self::Parting => "parting",
            Self::Accepting => "accepting",
            Self::Command(name) => name,
            Self::Taking => "taking what other threads did",
            Self::Reading => "reading",
            Self::Writing => "writing",
            Self::Freezing => "freezing for a snapshot",
            Self::Counting => "having a snapshot count",
        }
    }
}

/// Upper bounds of the histogram's buckets, in microseconds. One more bucket is for longer turns.
pub const BOUNDS: [u64; 10] = [100, 300, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000];

/// The longest turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Longest {
    /// How long it took.
    pub took: Duration,
    /// What took most of it, and how long that took.
    pub doing: (Doing, Duration),
    /// When it was over.
    pub at: Wall,
}

/// Figures of all turns of the loop so far.
#[derive(Clone, Debug)]
pub struct Times {
    counts: [u64; BOUNDS.len() + 1],
    total: Duration,
    longest: Option<Longest>,
    begun: Mono,
    mark: Mono,
    most: (Doing, Duration),
}

impl Default for Times {
    fn default() -> Self {
        let most = (Doing::Due, Duration::ZERO);
        let counts = [0; BOUNDS.len() + 1];
        Self { counts, total: Duration::ZERO, longest: None, begun: Mono(0), mark: Mono(0), most }
    }
}

impl Times {
    /// A turn begins.
    pub fn begin(&mut self, at: Mono) {
        (self.begun, self.mark, self.most) = (at, at, (Doing::Due, Duration::ZERO));
    }

    /// The turn was `doing` this since it began, or since the last call of this function.
    pub fn part(&mut self, doing: Doing, at: Mono) {
        let took = at.since(self.mark);
        self.mark = at;
        if took > self.most.1 {
            self.most = (doing, took);
        }
    }

    /// The turn ends. Returns how long it took.
    pub fn end(&mut self, at: Now) -> Duration {
        let took = at.mono.since(self.begun);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.counts[BOUNDS.partition_point(|bound| *bound < micros)] += 1;
        self.total += took;
        if self.longest.is_none_or(|longest| longest.took < took) {
            self.longest = Some(Longest { took, doing: self.most, at: at.wall });
        }
        took
    }

    /// The number of turns in each bucket of [`BOUNDS`]; the last number is of longer turns.
    #[must_use]
    pub const fn counts(&self) -> &[u64; BOUNDS.len() + 1] {
        &self.counts
    }

    /// How long all turns took together.
    #[must_use]
    pub const fn total(&self) -> Duration {
        self.total
    }

    /// The longest turn so far.
    #[must_use]
    pub const fn longest(&self) -> Option<Longest> {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_by_how_long_they_take_and_the_longest_is_told_with_what_it_did() {
        let mut times = Times::default();
        let at = |mono| Now { mono: Mono(mono), wall: Wall(7) };
        times.begin(Mono(1000));
        times.part(Doing::Accepting, Mono(1010));
        times.part(Doing::Command("status"), Mono(1100));
        times.part(Doing::Reading, Mono(1100));
        assert_eq!(times.end(at(1100)), Duration::from_micros(100), "the bound itself");
        times.begin(Mono(2000));
        times.end(at(2101));
        times.begin(Mono(3000));
        times.part(Doing::Freezing, Mono(3000 + 2_000_000));
        times.end(at(3000 + 2_000_000));
        assert_eq!((times.counts()[0], times.counts()[1], times.counts()[BOUNDS.len()]), (1, 1, 1));
        let longest = times.longest().expect("three turns");
        assert_eq!((longest.took, longest.doing.0), (Duration::from_secs(2), Doing::Freezing));
        times.begin(Mono(0));
        times.end(at(5));
        assert_eq!(times.longest(), Some(longest));
        assert_eq!(times.total(), Duration::from_micros(100 + 101 + 2_000_000 + 5));
    }
}
