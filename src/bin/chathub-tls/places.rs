//! The places of connections during their handshakes. A task holds one for its connection, and is
//! signalled when it must give the place up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chathub::values::network::Origin;
use tokio::sync::Notify;

use super::room::{Full, Limits, Room};

/// All places.
#[derive(Debug)]
pub(crate) struct Places(Mutex<Held>);

#[derive(Debug)]
struct Held {
    room: Room,
    leaves: HashMap<u64, Arc<Notify>>,
}

/// A place for one connection. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    leaves: Arc<Notify>,
}

impl Places {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Held { room: Room::new(limits), leaves: HashMap::new() })))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a connection from `addr`. Returns also whether another connection has lost
    /// its place for it.
    pub(crate) fn enter(self: &Arc<Self>, addr: IpAddr) -> (Place, Option<Full>) {
        let mut held = self.held();
        let (number, gone) = held.room.enter(Origin::of(addr));
        if let Some(gone) = gone.and_then(|(gone, _)| held.leaves.remove(&gone)) {
            gone.notify_one();
        }
        let leaves = Arc::new(Notify::new());
        held.leaves.insert(number, leaves.clone());
        (Place { places: self.clone(), number, leaves }, gone.map(|(_, full)| full))
    }

    /// How many places are taken.
    pub(crate) fn count(&self) -> usize {
        self.held().room.len()
    }
}

impl Place {
    /// Waits until this place has to be given up.
    pub(crate) async fn lost(&self) {
        self.leaves.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.places.held();
        held.room.leave(self.number);
        held.leaves.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_gives_way_is_told() {
        let places = Places::new(Limits { all: 2, each: 2 });
        let [one, two, three] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map(|addr| addr.parse().expect(addr));
        let (first, _) = places.enter(one);
        let (second, none) = places.enter(two);
        let (third, gone) = places.enter(three);
        assert_eq!((none, gone, places.count()), (None, Some(Full::All), 2));
        first.lost().await;
        drop(first);
        assert_eq!(places.count(), 2, "it had lost its place before");
        drop((second, third));
        assert_eq!(places.count(), 0);
    }
}
