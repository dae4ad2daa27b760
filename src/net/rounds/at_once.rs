//! What the driver does itself while the rounds' thread has nothing to do: less than waking that thread would take.

use tokio::time::Instant;

use super::jobs::{SHORT, SLICE};
use super::{Rounds, Shared, Work};
use crate::machine::Order;
use crate::values::id::{RoomId, SessionId};

/// Orders that the driver carries out itself at most, where they make few writes: somebody who joins takes
/// five or six.
const ORDERS_AT_ONCE: usize = 8 * SHORT;

/// Renderings of lines that are made in one go: about a millisecond.
pub(super) const RENDERED: usize = 1024;

/// How far the driver has got with what it does itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// All is done.
    Done,
    /// A part is. The rest is done when the driver goes on with it, or calls the rounds' own thread.
    Begun,
    /// The rounds' own thread does it.
    ByThread,
}

impl Rounds {
    /// Takes `work` up here and now if nothing is under way: that takes less time than to wake another
    /// thread, and have it wake up. All of it is done if that is little. Of more, only the first part, and
    /// only if `alone` says that the caller has nothing else to do; it goes on with [`Self::continue_at_once`].
    /// What is not taken up stays in `work`, to be left in the exchange.
    pub fn begin_at_once(shared: &Shared, work: &mut Vec<Work>, alone: bool) -> AtOnce {
        let Ok(mut rounds) = shared.try_lock() else { return AtOnce::ByThread };
        let idle = rounds.jobs.is_idle()
            && rounds.taken.is_empty()
            && rounds.weights.over == 0
            && rounds.exchanges.work.is_empty();
        let writes = if idle { rounds.writes_of(work) } else { None };
        let budget = match writes {
            Some(0..=SHORT) => SHORT,
            Some(_) if alone => SLICE,
            _ => return AtOnce::ByThread,
        };
        let full = rounds.full.until.first().copied();
        for work in work.drain(..) {
            rounds.apply(work);
        }
        rounds.at_once(budget, full)
    }

    /// Goes on with what was taken up by [`Self::begin_at_once`], for a slice, unless the rounds' own thread does.
    pub fn continue_at_once(shared: &Shared) -> AtOnce {
        let Ok(mut rounds) = shared.try_lock() else { return AtOnce::ByThread };
        let full = rounds.full.until.first().copied();
        rounds.at_once(SLICE, full)
    }

    /// `full` is when the first of those whose sockets are full was to be given up before this.
    fn at_once(&mut self, mut budget: usize, full: Option<(Instant, usize)>) -> AtOnce {
        self.make_rounds(&mut budget);
        self.tell_if_drained();
        if self.weights.over > 0 || !self.jobs.behind.is_empty() || self.full.until.first().copied() != full {
            // The thread of the rounds goes on, or waits for another moment.
            self.exchanges.work.call();
            return AtOnce::ByThread;
        }
        if self.jobs.is_idle() { AtOnce::Done } else { AtOnce::Begun }
    }

    /// How many writes `work` makes, where it is nothing that waits for its own turn, or too much to be
    /// carried out by the way.
    fn writes_of(&self, work: &[Work]) -> Option<usize> {
        let (mut writes, mut room, mut client, mut rendered) = (0, None, None, 0);
        if work.len() > ORDERS_AT_ONCE {
            return None;
        }
        for work in work {
            writes += match work {
                Work::Order(Order::Post(id, _)) => {
                    rendered += self.views(*id);
                    if rendered > RENDERED {
                        return None;
                    }
                    let again = room.replace(*id) == Some(*id);
                    self.rooms.get(id).filter(|_| !again).map_or(0, |room| room.members.len())
                }
                // Where somebody is far behind, that is looked at line by line.
                Work::Order(Order::Enter(id, _) | Order::See(id, _) | Order::Hide(id, _)) if self.is_full(*id) => {
                    return None;
                }
                // What one client is told in a row goes out in one write.
                Work::Order(
                    Order::Enter(id, _)
                    | Order::Tell(id, _)
                    | Order::Area(id, _)
                    | Order::Hold(id, _)
                    | Order::Release(id)
                    | Order::See(id, _)
                    | Order::Hide(id, _)
                    | Order::Close(id),
                ) => usize::from(client.replace(*id) != Some(*id)),
                Work::Order(Order::Attach(_) | Order::Open(_) | Order::Shut(_) | Order::Limits(_))
                | Work::Connection(_) => 0,
                Work::Snapshot(..)
                | Work::Freeze(_)
                | Work::Kept
                | Work::Crowded(_)
                | Work::Drain(_)
                | Work::Abandon(_) => return None,
            };
        }
        Some(writes)
    }

    fn is_full(&self, id: SessionId) -> bool {
        self.key(id).is_some_and(|key| self.clients[key].full.is_some())
    }

    /// In how many ways a room's lines are seen.
    pub(super) fn views(&self, id: RoomId) -> usize {
        self.rooms.get(&id).map_or(0, |room| room.log.views())
    }
}
