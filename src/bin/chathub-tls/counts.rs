//! The counters of events, and their text in `systemctl status`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use chathub::standing::OUTCOMES;
use tokio::sync::Notify;

macro_rules! events {
    ($( $(#[doc = $about:literal])+ $name:ident => $words:literal, )+) => {
        /// What can become of a connection, and other events that are counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Event { $( $(#[doc = $about])+ $name, )+ }

        const WORDS: &[(Event, &str)] = &[$( (Event::$name, $words), )+];
    };
}

events! {
    /// A connection was accepted.
    Accepted => "accepted",
    /// The hub has the connection.
    HandedOver => "handed over",
    /// The connection broke off, or the TLS library refused it.
    Failed => "failed",
    /// The connection did not begin as TLS does.
    Plain => "not encrypted",
    /// The handshake took too long.
    TimedOut => "timed out",
    /// The client sent too much.
    TooMuch => "sent too much",
    /// The connection gave way to others, because there were too many in all.
    GaveWay => "gave way",
    /// The connection gave way to another of its address.
    GaveWayAddress => "gave way to their address",
    /// The hub did not take the connection in time.
    HubAway => "not taken by the hub",
    /// Accepting was paused: too many connections waited for the hub, or the system was out of
    /// something.
    Paused => "pauses",
}

/// The ways in which a connection can end, in the order of [`OUTCOMES`].
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

/// How often each event has happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    counted: [AtomicU64; WORDS.len()],
    /// Notified after each event.
    changed: Notify,
}

impl Counts {
    /// Counts one event.
    pub(crate) fn note(&self, event: Event) {
        self.counted[event as usize].fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// How often this event has happened.
    pub(crate) fn of(&self, event: Event) -> u64 {
        self.counted[event as usize].load(Ordering::Relaxed)
    }

    /// How many connections have ended in which way.
    pub(crate) fn outcomes(&self) -> BTreeMap<String, u64> {
        OUTCOMES.iter().zip(ENDS).map(|(name, event)| ((*name).to_owned(), self.of(event))).collect()
    }

    /// Waits until something was counted since the last call.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// All counts in words. Events that have never happened are left out.
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
    fn each_outcome_has_a_counter_of_its_own() {
        assert!(WORDS.iter().enumerate().all(|(at, (event, _))| *event as usize == at));
        let counts = Counts::default();
        assert_eq!(counts.in_words(), "0 handed over");
        for event in [Event::Accepted, Event::HandedOver, Event::Plain, Event::Plain] {
            counts.note(event);
        }
        assert_eq!(counts.in_words(), "1 handed over, 2 not encrypted");
        let outcomes = counts.outcomes();
        assert_eq!((outcomes["handed_over"], outcomes["not_encrypted"], outcomes["failed"]), (1, 2, 0));
        // Every event is either an outcome of connections, or one of these two.
        let others = [Event::Accepted, Event::Paused];
        assert!(WORDS.iter().all(|(event, _)| others.contains(event) != ENDS.contains(event)));
    }
}
