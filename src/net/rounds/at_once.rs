//! Rounds that the driver makes itself while the rounds' thread sleeps, because waking that takes longer than a few
//! writes.

use tokio::time::Instant;

use super::jobs::{SHORT, SLICE};
use super::{Rounds, Shared, Work};
use crate::machine::Order;
use crate::values::id::{RoomId, SessionId};

/// The most orders that the driver applies itself, if they lead to few writes: a client that joins takes five or six.
const ORDERS_AT_ONCE: usize = 8 * SHORT;

/// Renderings of lines that are made in one go at most: about a millisecond.
pub(super) const RENDERED: usize = 1024;

/// What is left of rounds that the driver makes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// All is done.
    Done,
    /// A part is done. The rest is for [`Rounds::continue_at_once`], or for the rounds' thread when it is called.
    Begun,
    /// The rounds' thread does it.
    ByThread,
}

impl Rounds {
    /// Applies `work` and writes what follows, in the caller's thread, if nothing is under way. All of it if that is
    /// little. If it is more, only a slice, and only if the caller is `alone`, with nothing else to do; it continues
    /// with [`Self::continue_at_once`]. Otherwise `work` stays as it is, to be pushed to the exchange.
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

    /// Writes one slice more of what [`Self::begin_at_once`] has begun, unless the rounds' thread does that by now.
    pub fn continue_at_once(shared: &Shared) -> AtOnce {
        let Ok(mut rounds) = shared.try_lock() else { return AtOnce::ByThread };
        let full = rounds.full.until.first().copied();
        rounds.at_once(SLICE, full)
    }

    /// Makes rounds. `full` is the earliest give-up deadline before this call; if it changed, the rounds' thread must
    /// sleep anew.
    fn at_once(&mut self, mut budget: usize, full: Option<(Instant, usize)>) -> AtOnce {
        self.make_rounds(&mut budget);
        self.tell_if_drained();
        if self.weights.over > 0 || !self.jobs.behind.is_empty() || self.full.until.first().copied() != full {
            // The rounds' thread continues, or sleeps until another moment.
            self.exchanges.work.wake();
            return AtOnce::ByThread;
        }
        if self.jobs.is_idle() { AtOnce::Done } else { AtOnce::Begun }
    }

    /// Writes that `work` makes at most; `None` if it is for the rounds' thread, because something in it waits for an
    /// answer, or takes long however little it writes.
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
                // A client with a full socket may be far behind, and each line of that is looked at.
                Work::Order(Order::Enter(id, _) | Order::View(id, _) | Order::Hide(id, _)) if self.is_full(*id) => {
                    return None;
                }
                // What one client is told in a row goes out in one write.
                Work::Order(
                    Order::Enter(id, _)
                    | Order::Tell(id, _)
                    | Order::Area(id, _)
                    | Order::Hold(id, _)
                    | Order::Release(id)
                    | Order::View(id, _)
                    | Order::Hide(id, _)
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

    /// The number of views in which lines of a room are rendered.
    pub(super) fn views(&self, id: RoomId) -> usize {
        self.rooms.get(&id).map_or(0, |room| room.log.views())
    }
}
