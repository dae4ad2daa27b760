//! What is counted, and the words that tell of it in `systemctl status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use chathub::standing::OUTCOMES;
use tokio::sync::Notify;

macro_rules! events {
    ($( $(#[doc = $about:literal])+ $name:ident => $words:literal, )+) => {
        /// What can become of a connection, and what else is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Event { $( $(#[doc = $about])+ $name, )+ }

        const WORDS: &[(Event, &str)] = &[$( (Event::$name, $words), )+];
    };
}

events! {
    /// A connection was accepted.
    Accepted => "accepted",
    /// The hub has it.
    HandedOver => "handed over",
    /// It broke off, or was refused by the library.
    Failed => "failed",
    /// It did not begin as TLS does.
    Plain => "not encrypted",
    /// It took too long.
    TimedOut => "timed out",
    /// It sent too much.
    TooMuch => "sent too much",
    /// It gave way to others when there were too many.
    GaveWay => "gave way",
    /// It gave way to others of its address.
    GaveWayAddress => "gave way to their address",
    /// The hub did not take it in time.
    HubAway => "not taken by the hub",
    /// Accepting was paused: too many waited for the hub, or the system was out of something.
    Paused => "pauses",
}

/// What becomes of a connection in the end, in the order of [`OUTCOMES`].
const ENDS: [Event; OUTCOMES.len()] = [
    Event::HandedOver,
    Event::Failed,
    Event::Plain,
    Event::TimedOut,
    Event::TooMuch,
    Event::GaveWay,
    Event::GaveWayAddress,
    Event::HubAway,
];

/// All that is counted since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    counted: [AtomicU64; WORDS.len()],
    /// Something was counted.
    changed: Notify,
}

impl Counts {
    /// Counts one.
    pub(crate) fn note(&self, event: Event) {
        self.counted[event as usize].fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// How many there were.
    pub(crate) fn of(&self, event: Event) -> u64 {
        self.counted[event as usize].load(Ordering::Relaxed)
    }

    /// What has become of connections.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, u64> {
        OUTCOMES.iter().zip(ENDS).map(|(name, event)| ((*name).to_owned(), self.of(event))).collect()
    }

    /// Until something was counted since the last time.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What was counted, in words. What has never happened is left out.
    pub(crate) fn in_words(&self) -> String {
        let mut words = format!("{} {}", self.of(Event::HandedOver), "handed over");
        for (event, name) in WORDS.iter().filter(|(event, _)| !matches!(event, Event::HandedOver | Event::Accepted)) {
            match self.of(*event) {
                0 => {}
                count => {
                    let _ = write!(words, ", {count} {name}");
                }
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_by_itself() {
        assert!(WORDS.iter().enumerate().all(|(at, (event, _))| *event as usize == at));
        let counts = Counts::default();
        assert_eq!(counts.in_words(), "0 handed over");
        for event in [Event::Accepted, Event::HandedOver, Event::Plain, Event::Plain] {
            counts.note(event);
        }
        assert_eq!(counts.in_words(), "1 handed over, 2 not encrypted");
        let outcomes = counts.outcomes();
        assert_eq!((outcomes["handed_over"], outcomes["not_encrypted"], outcomes["failed"]), (1, 2, 0));
        // What has become of none is no outcome; all else is one.
        let others = [Event::Accepted, Event::Paused];
        assert!(WORDS.iter().all(|(event, _)| others.contains(event) != ENDS.contains(event)));
    }
}
