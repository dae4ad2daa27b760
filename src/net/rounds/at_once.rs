//! Rounds that the driver makes in its own thread while the rounds' thread sleeps. A few writes
//! take less time than waking that thread.

use tokio::time::Instant;

use super::jobs::{SHORT, SLICE};
use super::{Rounds, Shared, Work};
use crate::machine::Order;
use crate::values::id::{RoomId, SessionId};

/// The most pieces of work that the driver takes on, if few writes follow from them. A client that
/// joins makes five or six.
const ORDERS_AT_ONCE: usize = 8 * SHORT;

/// The most renderings made in one go, one for each line and view: about a millisecond.
pub(super) const RENDERED: usize = 1024;

/// How far a round got that the driver makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// Everything is written.
    Done,
    /// A part is written. The rest is for [`Rounds::continue_at_once`], or for the rounds' thread
    /// when it is woken.
    Begun,
    /// The rest, or all of it, is for the rounds' thread.
    ByThread,
}

impl Rounds {
    /// Applies `work` and makes its writes in the caller's thread, if the rounds are idle. If few
    /// writes follow, all of them are made. If many follow, one slice is made, and only if the
    /// caller is `alone`: if it has nothing else to do. The caller goes on with
    /// [`Self::continue_at_once`]. In all other cases `work` is left as it was, and the caller puts
    /// it into the exchange.
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

    /// Makes one more slice of the writes begun by [`Self::begin_at_once`], unless the rounds'
    /// thread is at work.
    pub fn continue_at_once(shared: &Shared) -> AtOnce {
        let Ok(mut rounds) = shared.try_lock() else { return AtOnce::ByThread };
        let full = rounds.full.until.first().copied();
        rounds.at_once(SLICE, full)
    }

    /// Makes rounds of `budget` writes. `full` is the earliest give-up deadline of a full socket
    /// before this call and the orders applied for it. If that deadline is another one now, the
    /// rounds' thread is woken, to sleep until the new one.
    fn at_once(&mut self, mut budget: usize, full: Option<(Instant, usize)>) -> AtOnce {
        self.make_rounds(&mut budget);
        self.tell_if_drained();
        self.count_behind();
        if self.weights.over > 0 || !self.jobs.behind.is_empty() || self.full.until.first().copied() != full {
            // The rounds' thread goes on, or sleeps until the new deadline.
            self.exchanges.work.wake();
            return AtOnce::ByThread;
        }
        if self.jobs.is_idle() { AtOnce::Done } else { AtOnce::Begun }
    }

    /// The most writes that follow from `work`. `None` if it is for the rounds' thread: it waits
    /// for an answer, or takes long however little is written.
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
                // An order of this kind goes through each line that the client is owed, and a
                // client with a full socket may be far behind.
                Work::Order(Order::Enter(id, _) | Order::View(id, _) | Order::Hide(id, _)) if self.is_full(*id) => {
                    return None;
                }
                // The lines that several orders in a row have for a client go out in one write.
                Work::Order(
                    Order::Enter(id, _)
                    | Order::Tell(id, _)
                    | Order::Area(id, _)
                    | Order::Hold(id, _)
                    | Order::Release(id)
                    | Order::View(id, _)
                    | Order::Hide(id, _)
                    | Order::Rekey(id)
                    | Order::Alert(id, _)
                    | Order::Close(id),
                ) => usize::from(client.replace(*id) != Some(*id)),
                Work::OnDisk(_) => self.awaiting.len(),
                Work::Await(..) => 0,
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

    /// In how many views the lines of a room are rendered.
    pub(super) fn views(&self, id: RoomId) -> usize {
        self.rooms.get(&id).map_or(0, |room| room.log.views())
    }
}
