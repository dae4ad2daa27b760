//! Events for administrators who subscribe.

use tokio::sync::mpsc;

use crate::wire::admin::args::SubscribeArgs;
use crate::wire::admin::event::{Event, EventKind};

/// The most events that wait for one subscriber. Further ones are dropped; the next event says how
/// many.
const EVENTS: usize = 1024;

/// The administrators who subscribe to events.
#[derive(Default)]
pub(super) struct Subscribers(Vec<Subscriber>);

struct Subscriber {
    kinds: Option<Vec<EventKind>>,
    events: mpsc::Sender<Event>,
    lost: u64,
}

impl Subscriber {
    fn wants(&self, kind: EventKind) -> bool {
        self.kinds.as_ref().map_or(kind != EventKind::Say, |kinds| kinds.contains(&kind))
    }
}

impl Subscribers {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether any subscriber wants events of this kind.
    pub(super) fn want(&self, kind: EventKind) -> bool {
        self.0.iter().any(|subscriber| subscriber.wants(kind))
    }

    /// Sends an event to all subscribers that want its kind.
    pub(super) fn publish(&mut self, event: &Event) {
        self.0.retain_mut(|subscriber| {
            if !subscriber.wants(event.event) {
                return !subscriber.events.is_closed();
            }
            match subscriber.events.try_send(Event { lost: subscriber.lost, ..event.clone() }) {
                Ok(()) => subscriber.lost = 0,
                Err(mpsc::error::TrySendError::Full(_)) => subscriber.lost += 1,
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
            }
            true
        });
    }

    /// Adds a subscriber. Returns the receiver of its events.
    pub(super) fn add(&mut self, args: &SubscribeArgs) -> mpsc::Receiver<Event> {
        let (events, receiver) = mpsc::channel(EVENTS);
        self.0.push(Subscriber { kinds: args.kinds.clone(), events, lost: 0 });
        receiver
    }
}
