//! A place where one task leaves values and another takes all of them at once.
//!
//! What piles up while the taker is busy is taken in one go: that is what makes rounds. Leaving
//! never waits; whoever can be made to leave more than a fixed number of values looks at
//! [`Exchange::len`] and waits for [`Exchange::taken`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Values on their way from one task to another, in order.
#[derive(Debug)]
pub struct Exchange<T> {
    values: Mutex<Vec<T>>,
    left: Notify,
    taken: Notify,
}

impl<T> Default for Exchange<T> {
    fn default() -> Self {
        Self { values: Mutex::new(Vec::new()), left: Notify::new(), taken: Notify::new() }
    }
}

impl<T> Exchange<T> {
    fn values(&self) -> MutexGuard<'_, Vec<T>> {
        // Nothing under this lock panics half-way: the values are as good as they were.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves one value.
    pub fn leave(&self, value: T) {
        self.values().push(value);
        self.left.notify_one();
    }

    /// Leaves all of `values`, which is empty afterwards. Returns how many lie there now.
    pub fn leave_all(&self, values: &mut Vec<T>) -> usize {
        let mut there = self.values();
        if there.is_empty() {
            std::mem::swap(&mut *there, values);
        } else {
            there.append(values);
        }
        let len = there.len();
        drop(there);
        self.left.notify_one();
        len
    }

    /// Takes all that lies there, into `values`, which must be empty.
    pub fn take(&self, values: &mut Vec<T>) {
        debug_assert!(values.is_empty());
        std::mem::swap(&mut *self.values(), values);
        self.taken.notify_one();
    }

    /// How many values lie there.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values().len()
    }

    /// Whether nothing lies there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until something was left since the last wait.
    ///
    /// # Cancel safety
    /// Safe: what was left stays there. One task waits at a time.
    pub async fn left(&self) {
        self.left.notified().await;
    }

    /// Waits until everything was taken since the last wait.
    ///
    /// # Cancel safety
    /// Safe. One task waits at a time.
    pub async fn taken(&self) {
        self.taken.notified().await;
    }
}
