//! The places of connections, and which one gives way when there are too many.
//!
//! A connection without an answer under way gives way to a new one: first the one that has been
//! idle longest. So a client that opens connections and says nothing, or reads nothing, cannot keep
//! a scraper out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

/// The places of all connections.
#[derive(Debug)]
pub(crate) struct Places {
    limit: usize,
    next: AtomicU64,
    held: Mutex<BTreeMap<u64, Held>>,
    gave_way: AtomicU64,
    /// How many connections there are.
    count: watch::Sender<usize>,
}

#[derive(Debug)]
struct Held {
    /// Since when no answer is under way; `None` while one is.
    idle: Option<Instant>,
    leaves: Arc<Notify>,
}

/// A place for one connection. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    leaves: Arc<Notify>,
}

impl Places {
    /// No connections yet, and room for `limit`.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let (next, gave_way) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { limit, next, held: Mutex::default(), gave_way, count: watch::Sender::new(0) })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u64, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> u64 {
        self.held().len() as u64
    }

    /// How many connections have given way so far.
    pub(crate) fn gave_way(&self) -> u64 {
        self.gave_way.load(Ordering::Relaxed)
    }

    /// Takes a place for a new connection. `None` if all are taken, and an answer is under way on
    /// each.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut held = self.held();
        if held.len() >= self.limit {
            // Numbers rise: of two connections that became idle at the same time, the older one
            // gives way.
            let (_, number) = held.iter().filter_map(|(number, held)| Some((held.idle?, *number))).min()?;
            if let Some(held) = held.remove(&number) {
                held.leaves.notify_one();
                self.gave_way.fetch_add(1, Ordering::Relaxed);
            }
        }
        let (number, leaves) = (self.next.fetch_add(1, Ordering::Relaxed), Arc::new(Notify::new()));
        held.insert(number, Held { idle: Some(Instant::now()), leaves: leaves.clone() });
        self.count.send_replace(held.len());
        drop(held);
        Some(Place { places: self.clone(), number, leaves })
    }

    /// Waits until there has been no connection for `time`.
    pub(crate) async fn idle(&self, time: Duration) {
        let mut count = self.count.subscribe();
        loop {
            // The sender is part of `self`, so this does not fail.
            let _ = count.wait_for(|count| *count == 0).await;
            if tokio::time::timeout(time, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Place {
    /// An answer is under way on the connection.
    pub(crate) fn works(&self) {
        self.set(None);
    }

    /// No answer is under way, or it is on its way to the client.
    pub(crate) fn rests(&self) {
        self.set(Some(Instant::now()));
    }

    fn set(&self, idle: Option<Instant>) {
        if let Some(held) = self.places.held().get_mut(&self.number) {
            held.idle = idle;
        }
    }

    /// Waits until this place has to be given up.
    pub(crate) async fn lost(&self) {
        self.leaves.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        held.remove(&self.number);
        self.places.count.send_replace(held.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_is_idle_longest_gives_way_and_nobody_who_is_being_answered() {
        let places = Places::new(2);
        let (first, second) = (places.enter().expect("a place"), places.enter().expect("a place"));
        first.works();
        let third = places.enter().expect("the second one gives way");
        second.lost().await;
        third.works();
        assert!(places.enter().is_none(), "both are being answered");
        first.rests();
        let fourth = places.enter().expect("the first one gives way");
        first.lost().await;
        assert_eq!((places.count(), places.gave_way()), (2, 2));
        drop((first, second));
        assert_eq!(places.count(), 2, "they had lost theirs");
        drop((third, fourth));
        assert_eq!(places.count(), 0);
    }

    #[tokio::test]
    async fn idleness_begins_when_the_last_one_has_gone() {
        let (places, short) = (Places::new(2), Duration::from_millis(5));
        let first = places.enter().expect("a place");
        assert!(tokio::time::timeout(10 * short, places.idle(short)).await.is_err(), "somebody is there");
        let (goes, begun) = (tokio::spawn(async move { drop(first) }), Instant::now());
        places.idle(short).await;
        assert!(begun.elapsed() >= short);
        goes.await.expect("it has gone");
    }
}
