//! A queue between two tasks: one pushes values, the other takes all of them at once.
//!
//! Values pile up while the taker is busy, and it takes them in one go: that makes rounds. Pushing
//! never waits, and the queue has no bound of its own. So a task that strangers can make push
//! checks [`Exchange::len`], and waits with [`Exchange::wait_until_ready`]. A task whose values can
//! wait as well checks [`Exchange::is_ready`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Values on their way from one task to another, in order.
#[derive(Debug)]
pub struct Exchange<T> {
    inside: Mutex<Inside<T>>,
    pushed: Notify,
    ready: Notify,
}

#[derive(Debug)]
struct Inside<T> {
    values: Vec<T>,
    /// Whether the taker has taken values and has not been ready for more since.
    busy: bool,
}

/// What the taker says, when it takes values, about being ready for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadyForMore {
    /// The taker is ready for more if the queue is empty.
    IfNothing,
    /// The taker is ready for more, though it still has something to do.
    Yes,
    /// The taker is not ready: it has enough to do.
    No,
}

impl<T> Default for Exchange<T> {
    fn default() -> Self {
        let inside = Mutex::new(Inside { values: Vec::new(), busy: false });
        Self { inside, pushed: Notify::new(), ready: Notify::new() }
    }
}

impl<T> Exchange<T> {
    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        // Nothing panics half-way under this lock: the values are sound even if it is poisoned.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one value.
    pub fn push(&self, value: T) {
        self.inside().values.push(value);
        self.pushed.notify_one();
    }

    /// Appends all of `values`, and leaves it empty. Returns how many values wait now.
    pub fn push_all(&self, values: &mut Vec<T>) -> usize {
        let mut inside = self.inside();
        if inside.values.is_empty() {
            std::mem::swap(&mut inside.values, values);
        } else {
            inside.values.append(values);
        }
        let len = inside.values.len();
        drop(inside);
        self.pushed.notify_one();
        len
    }

    /// Wakes the taker without pushing anything.
    pub fn wake(&self) {
        self.pushed.notify_one();
    }

    /// Moves all values that wait into `values`, which must be empty. `ready` says whether the
    /// taker is ready for more after that.
    pub fn take(&self, values: &mut Vec<T>, ready: ReadyForMore) {
        debug_assert!(values.is_empty());
        let mut inside = self.inside();
        std::mem::swap(&mut inside.values, values);
        let busy = match ready {
            ReadyForMore::IfNothing => !values.is_empty(),
            ReadyForMore::Yes => false,
            ReadyForMore::No => true,
        };
        let was_busy = std::mem::replace(&mut inside.busy, busy);
        drop(inside);
        if !busy && (was_busy || !values.is_empty()) {
            self.ready.notify_one();
        }
    }

    /// How many values wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inside().values.len()
    }

    /// Whether no value waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no value waits, and the taker has been ready for more since it last took some.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let inside = self.inside();
        inside.values.is_empty() && !inside.busy
    }

    /// Waits until something is pushed or the taker is woken. Returns at once if that has happened
    /// since the last wait.
    ///
    /// # Cancel safety
    /// Safe: values stay until they are taken. One task waits at a time.
    pub async fn wait(&self) {
        self.pushed.notified().await;
    }

    /// Waits until the taker is ready for more. Returns at once if it has become ready since the
    /// last wait.
    ///
    /// # Cancel safety
    /// Safe. One task waits at a time.
    pub async fn wait_until_ready(&self) {
        self.ready.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_told_whichever_way_the_taker_becomes_ready() {
        let exchange = Exchange::default();
        assert!(exchange.is_ready(), "nothing was left yet");
        let mut taken = Vec::new();
        exchange.push(1);
        assert!(!exchange.is_ready(), "it lies there");
        exchange.take(&mut taken, ReadyForMore::IfNothing);
        assert!(!exchange.is_ready() && exchange.is_empty(), "it is being worked on");
        taken.clear();
        exchange.take(&mut taken, ReadyForMore::IfNothing);
        assert!(exchange.is_ready());
        exchange.wait_until_ready().await;
        // The taker takes in the middle of longer work.
        exchange.push(2);
        exchange.take(&mut taken, ReadyForMore::Yes);
        assert!(exchange.is_ready());
        exchange.wait_until_ready().await;
        taken.clear();
        exchange.push(3);
        exchange.take(&mut taken, ReadyForMore::IfNothing);
        taken.clear();
        exchange.push_all(&mut vec![4, 5]);
        exchange.take(&mut taken, ReadyForMore::IfNothing);
        assert_eq!(taken, [4, 5]);
        assert!(!exchange.is_ready(), "more was there at once");
        taken.clear();
        exchange.take(&mut taken, ReadyForMore::IfNothing);
        exchange.wait_until_ready().await;
    }
}
