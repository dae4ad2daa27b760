//! Events to the journal (systemd-journald(8)), by a thread that may wait: a journal that hangs
//! holds up nobody who logs.
//!
//! tracing-journald waits until the journal takes an event, on the thread that logs. So events are
//! copied and handed to a thread, and there handed to tracing-journald. A bounded number waits
//! meanwhile; those beyond the bound are lost and counted.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tracing::field::{Field, Value, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::{Layer, Registry};

/// The most events that wait for the journal.
const WAITING: usize = 4096;

/// The longest value of a field, in bytes: longer values are cut. With [`WAITING`] it bounds the
/// memory; nothing that the hub logs is near it.
const LONGEST: usize = 8 * 1024;

/// The most fields of an event that are sent. The events of this program have fewer.
const FIELDS: usize = 32;

/// How long [`flush`] waits for a journal that takes nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// The number of events that were lost since the start.
static LOST: AtomicU64 = AtomicU64::new(0);

/// The way to the journal of this process; set if events go there.
static QUEUE: OnceLock<Queue> = OnceLock::new();

/// The number of events lost since the start, because the journal did not keep up.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Waits until the journal has taken all events so far, for half a second at most. Call it before
/// the process ends or becomes another program: what waits is lost then.
pub fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(PATIENCE);
    }
}

/// An event that outlives the call that logs it.
struct Kept {
    metadata: &'static Metadata<'static>,
    values: Vec<(Field, String)>,
}

impl Kept {
    fn of(event: &Event<'_>) -> Self {
        let mut kept = Self { metadata: event.metadata(), values: Vec::with_capacity(8) };
        event.record(&mut kept);
        kept
    }

    /// Hands the event to a subscriber. All values are texts now, which is what a journal has.
    fn send(&self, to: &impl Subscriber) {
        let Some((first, _)) = self.values.first() else { return };
        let mut values: [(&Field, Option<&dyn Value>); FIELDS] = [(first, None); FIELDS];
        for (place, (field, text)) in values.iter_mut().zip(&self.values) {
            *place = (field, Some(text as &dyn Value));
        }
        to.event(&Event::new(self.metadata, &self.metadata.fields().value_set(&values)));
    }

    fn keep(&mut self, field: &Field, text: &dyn fmt::Display) {
        let mut text = text.to_string();
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            text.truncate(end);
        }
        self.values.push((field.clone(), text));
    }
}

impl Visit for Kept {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, &format_args!("{value:?}"));
    }
}

/// The queue of one thread that writes to the journal.
struct Queue {
    sender: SyncSender<Kept>,
    /// The number of events that were handed over and are not written yet.
    waiting: Mutex<usize>,
    written: Condvar,
}

impl Queue {
    fn new(most: usize) -> (Self, Receiver<Kept>) {
        let (sender, receiver) = sync_channel(most);
        (Self { sender, waiting: Mutex::default(), written: Condvar::new() }, receiver)
    }

    /// Never waits for the journal.
    fn push(&self, kept: Kept) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        if self.sender.try_send(kept).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
            self.done();
        }
    }

    fn done(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.written.notify_all();
    }

    /// Waits until nothing waits any more. Returns whether that was so within `patience`.
    fn flush(&self, patience: Duration) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.written.wait_timeout_while(waiting, patience, |waiting| *waiting > 0);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// The thread: hands each event to `journal`.
    fn write(&self, receiver: &Receiver<Kept>, journal: &impl Subscriber) {
        for kept in receiver {
            kept.send(journal);
            self.done();
        }
    }
}

/// The layer that hands events to the thread.
pub(super) struct Journald(&'static Queue);

impl Journald {
    /// Connects to the journal, and starts the thread. Events have `identifier` as the name of
    /// their program. `None` if there is no journal, or no thread to be had.
    pub(super) fn new(identifier: &str) -> Option<Self> {
        let journal = tracing_journald::layer().ok()?;
        let priorities = PriorityMappings {
            error: Priority::Error,
            warn: Priority::Warning,
            info: Priority::Informational,
            debug: Priority::Debug,
            trace: Priority::Debug,
        };
        let journal = journal
            .with_field_prefix(None)
            .with_syslog_identifier(identifier.to_owned())
            .with_priority_mappings(priorities);
        let (queue, receiver) = Queue::new(WAITING);
        // It is set already only in a test, where others log to the first one.
        let _ = QUEUE.set(queue);
        let queue = QUEUE.get()?;
        let write = move || queue.write(&receiver, &Registry::default().with(journal));
        std::thread::Builder::new().name("journald".to_owned()).spawn(write).ok()?;
        // Whoever panics may end the process at once.
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tell(panic);
            flush();
        }));
        Some(Self(queue))
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.0.push(Kept::of(event));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing::{info, warn};

    use super::*;

    /// A layer that hands events to a queue of the test's own.
    struct To(Arc<Queue>);

    impl<S: Subscriber> Layer<S> for To {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.push(Kept::of(event));
        }
    }

    /// A journal that keeps the fields of events in words.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Paper {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let kept = Kept::of(event);
            let fields = kept.values.iter().map(|(field, text)| format!("{}={text}", field.name()));
            let text = fields.collect::<Vec<_>>().join(" ");
            self.0.lock().unwrap().push(format!("{} {text}", kept.metadata.level()));
        }
    }

    #[test]
    fn an_event_comes_to_the_journal_as_it_was_logged() {
        let (queue, receiver) = Queue::new(8);
        let (queue, paper) = (Arc::new(queue), Paper::default());
        tracing::subscriber::with_default(Registry::default().with(To(queue.clone())), || {
            info!(message_id = "0123", chathub_count = 7, flag = true, "told {} times", 2);
            warn!("only a text");
            warn!(text = %"x".repeat(2 * LONGEST), "long");
        });
        assert!(!queue.flush(Duration::from_millis(1)), "nobody has written anything");
        let journal = Registry::default().with(paper.clone());
        let (queue, journal) = (&queue, &journal);
        std::thread::scope(|scope| {
            let writes = scope.spawn(move || {
                for kept in receiver.iter().take(3) {
                    kept.send(journal);
                    queue.done();
                }
            });
            assert!(queue.flush(Duration::from_secs(60)));
            writes.join().unwrap();
        });
        let told = paper.0.lock().unwrap();
        assert_eq!(
            told[..2],
            ["INFO message=told 2 times message_id=0123 chathub_count=7 flag=true", "WARN message=only a text"]
        );
        assert!(told[2].len() < LONGEST + 64, "{}", told[2].len());
    }

    #[test]
    fn a_journal_that_takes_nothing_is_not_waited_for_and_what_is_lost_is_counted() {
        let (queue, receiver) = Queue::new(5);
        let queue = Arc::new(queue);
        let before = lost();
        tracing::subscriber::with_default(Registry::default().with(To(queue.clone())), || {
            for number in 0..12 {
                info!("number {number}");
            }
        });
        assert!(lost() - before >= 7);
        let kept: Vec<_> = receiver.try_iter().map(|kept| kept.values[0].1.clone()).collect();
        assert_eq!(kept, ["number 0", "number 1", "number 2", "number 3", "number 4"]);
    }
}
