//! Whose turn to be read it is. Addresses take turns, so a crowd from one address gets no more of
//! the daemon's time than one person at another.

use std::collections::{HashMap, VecDeque};

use crate::values::id::SessionId;
use crate::values::network::Origin;

/// The clients that wait to be read. Addresses (an IPv4 address, or an IPv6 /64 network) take
/// turns, and within each address its clients do.
#[derive(Debug, Default)]
pub struct Turns {
    waiting: HashMap<Origin, VecDeque<SessionId>>,
    /// The addresses of all clients that wait, in the order of their turns, each once.
    origins: VecDeque<Origin>,
    len: usize,
}

impl Turns {
    /// Queues client `id`, which comes from `origin`, behind the others.
    pub fn push(&mut self, origin: Origin, id: SessionId) {
        let waiting = self.waiting.entry(origin).or_default();
        if waiting.is_empty() {
            self.origins.push_back(origin);
        }
        waiting.push_back(id);
        self.len += 1;
    }

    /// Takes out the client whose turn it is.
    pub fn pop(&mut self) -> Option<SessionId> {
        let origin = self.origins.pop_front()?;
        let waiting = self.waiting.get_mut(&origin)?;
        let id = waiting.pop_front();
        if waiting.is_empty() {
            // An address is forgotten while no client of it waits.
            self.waiting.remove(&origin);
        } else {
            self.origins.push_back(origin);
        }
        self.len -= 1;
        id
    }

    /// The client whose turn it is next.
    #[must_use]
    pub fn next(&self) -> Option<SessionId> {
        self.waiting.get(self.origins.front()?)?.front().copied()
    }

    /// How many clients wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no client waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_take_turns_however_many_clients_each_has() {
        let origin = |last| Origin::of([192, 0, 2, last].into());
        let mut turns = Turns::default();
        (1..=1000).for_each(|id| turns.push(origin(1), SessionId(id)));
        turns.push(origin(2), SessionId(2000));
        turns.push(origin(2), SessionId(2001));
        assert_eq!((turns.len(), turns.next()), (1002, Some(SessionId(1))));
        let order: Vec<_> = std::iter::from_fn(|| turns.pop()).map(|id| id.0).collect();
        assert_eq!(order[..5], [1, 2000, 2, 2001, 3]);
        assert_eq!((order.len(), turns.is_empty(), turns.waiting.len()), (1002, true, 0));
    }
}
