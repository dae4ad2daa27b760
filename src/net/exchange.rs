//! A place where one task pushes values and another takes all of them at once.
//!
//! What piles up while the taker is busy is taken in one go: that is what makes rounds. Pushing never waits. A task
//! that strangers can make push without bound looks at [`Exchange::len`] and waits for [`Exchange::wait_for_rest`]; one
//! that may as well push later, when the taker is ready for more, looks at [`Exchange::is_at_rest`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Values on their way from one task to another, in order.
#[derive(Debug)]
pub struct Exchange<T> {
    inside: Mutex<Inside<T>>,
    pushed: Notify,
    rest: Notify,
}

#[derive(Debug)]
struct Inside<T> {
    values: Vec<T>,
    /// The taker has taken values, and was not at rest since.
    busy: bool,
}

/// What the taker has to do besides, when it takes: whether the other task may push more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// At rest, provided that this take finds nothing.
    IfNothing,
    /// At rest: it has something to do, and is ready for more.
    Yes,
    /// Not at rest: it has enough to do.
    No,
}

impl<T> Default for Exchange<T> {
    fn default() -> Self {
        let inside = Mutex::new(Inside { values: Vec::new(), busy: false });
        Self { inside, pushed: Notify::new(), rest: Notify::new() }
    }
}

impl<T> Exchange<T> {
    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        // Nothing under this lock panics half-way: the values are as good as they were.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends one value.
    pub fn push(&self, value: T) {
        self.inside().values.push(value);
        self.pushed.notify_one();
    }

    /// Appends all of `values`, which is empty afterwards. Returns how many wait now.
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

    /// Wakes the taker, though nothing was pushed.
    pub fn call(&self) {
        self.pushed.notify_one();
    }

    /// Takes all values that wait, into `values`, which must be empty. `rest` says whether the taker is at rest then.
    pub fn take(&self, values: &mut Vec<T>, rest: Rest) {
        debug_assert!(values.is_empty());
        let mut inside = self.inside();
        std::mem::swap(&mut inside.values, values);
        let busy = match rest {
            Rest::IfNothing => !values.is_empty(),
            Rest::Yes => false,
            Rest::No => true,
        };
        let was_busy = std::mem::replace(&mut inside.busy, busy);
        drop(inside);
        if !busy && (was_busy || !values.is_empty()) {
            self.rest.notify_one();
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

    /// Whether no value waits, and the taker has been at rest since it took the last.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let inside = self.inside();
        inside.values.is_empty() && !inside.busy
    }

    /// Waits until something was pushed, or the taker was called, since the last wait.
    ///
    /// # Cancel safety
    /// Safe: values stay until they are taken. One task waits at a time.
    pub async fn wait(&self) {
        self.pushed.notified().await;
    }

    /// Waits until the taker has come to rest since the last wait.
    ///
    /// # Cancel safety
    /// Safe. One task waits at a time.
    pub async fn wait_for_rest(&self) {
        self.rest.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_for_rest_is_told_whichever_way_the_taker_comes_to_it() {
        let exchange = Exchange::default();
        assert!(exchange.is_at_rest(), "nothing was left yet");
        let mut taken = Vec::new();
        exchange.push(1);
        assert!(!exchange.is_at_rest(), "it lies there");
        exchange.take(&mut taken, Rest::IfNothing);
        assert!(!exchange.is_at_rest() && exchange.is_empty(), "it is being worked on");
        taken.clear();
        exchange.take(&mut taken, Rest::IfNothing);
        assert!(exchange.is_at_rest());
        exchange.wait_for_rest().await;
        // Taken in the middle of something longer.
        exchange.push(2);
        exchange.take(&mut taken, Rest::Yes);
        assert!(exchange.is_at_rest());
        exchange.wait_for_rest().await;
        taken.clear();
        exchange.push(3);
        exchange.take(&mut taken, Rest::IfNothing);
        taken.clear();
        exchange.push_all(&mut vec![4, 5]);
        exchange.take(&mut taken, Rest::IfNothing);
        assert_eq!(taken, [4, 5]);
        assert!(!exchange.is_at_rest(), "more was there at once");
        taken.clear();
        exchange.take(&mut taken, Rest::IfNothing);
        exchange.wait_for_rest().await;
    }
}
