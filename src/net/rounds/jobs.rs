//! The jobs of the rounds: which room has its round next, which single client is written to, which
//! clients catch up, and how much is written before the driver may read.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Rounds;
use crate::kernel;
use crate::net::exchange::ReadyForMore;
use crate::values::id::RoomId;

/// Writes in one slice, after which the rounds look for new orders: half a millisecond. So a small
/// room need not wait until a big one is served, and the members of the big room that are visited
/// late also get the lines said meanwhile.
pub(super) const SLICE: usize = 64;

/// The round of a room with at most this many members is made in one go, in two milliseconds. The
/// driver reads afterwards, all at once, what clients have sent meanwhile: that is cheaper than
/// line by line.
pub(super) const SHORT: usize = 256;

/// The most bytes written to clients that catch up, before new lines have their turn: about a
/// millisecond. One visit counts as at least [`CATCH_UP_LEAST`] bytes.
const CATCH_UP: u64 = 256 << 10;
const CATCH_UP_LEAST: u64 = 8 << 10;

/// The longest time for which clients that catch up keep the driver from reading.
const CATCH_UP_LAP: Duration = Duration::from_millis(4);

/// A write to be done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Job {
    /// Write the new lines of a room to each of its members.
    Round(RoomId),
    /// Write to one client (by its key) the bytes it is owed.
    Look(usize),
}

/// The writes still to be done, in their order.
#[derive(Debug)]
pub(super) struct Jobs {
    /// Rounds of rooms, and visits to single clients, in the order of their turns.
    pub(super) queue: VecDeque<Job>,
    /// Clients with room in their sockets that are owed much. They catch up in turns of their own,
    /// so that new lines for others need not wait for them.
    pub(super) behind: VecDeque<usize>,
    /// Jobs left in this half-lap. The driver may read when this and `catch_up_lap` are zero.
    pub(super) lap: usize,
    /// Clients of `behind` left in this half-lap. Once `catch_up_until` has passed, this is set to
    /// zero, and the driver no longer waits for them.
    pub(super) catch_up_lap: usize,
    pub(super) catch_up_until: Instant,
}

impl Jobs {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            behind: VecDeque::new(),
            lap: 0,
            catch_up_lap: 0,
            catch_up_until: Instant::now(),
        }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.behind.is_empty()
    }

    /// Whether the rounds are ready for more work, which they say when they take the driver's work:
    /// see [`Exchange::take`](crate::net::exchange::Exchange::take).
    pub(super) fn readiness(&self) -> ReadyForMore {
        match (self.is_idle(), self.lap, self.catch_up_lap) {
            (true, ..) => ReadyForMore::IfNothing,
            (false, 0, 0) => ReadyForMore::Yes,
            (false, ..) => ReadyForMore::No,
        }
    }

    /// Begins a half-lap if the last one is over. It has half of the jobs, and half of the clients
    /// that catch up.
    pub(super) fn begin_lap(&mut self) {
        if self.lap == 0 && self.catch_up_lap == 0 {
            self.lap = self.queue.len().div_ceil(2);
            self.catch_up_lap = self.behind.len().div_ceil(2);
            self.catch_up_until = Instant::now() + CATCH_UP_LAP;
        }
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.behind.clear();
    }
}

impl Rounds {
    /// Does jobs until there are none, or until `budget` writes are made.
    pub(super) fn make_rounds(&mut self, budget: &mut usize) {
        while *budget > 0
            && let Some(job) = self.jobs.queue.pop_front()
        {
            self.jobs.lap = self.jobs.lap.saturating_sub(1);
            self.fetch_next();
            match job {
                Job::Round(id) => self.round(id, budget),
                Job::Look(key) => {
                    *budget -= 1;
                    if let Some(client) = self.clients.get_mut(key) {
                        client.queued = false;
                        self.serve(key);
                    }
                }
            }
        }
    }

    /// Prefetches the first three members of the room whose round comes next.
    fn fetch_next(&self) {
        let Some(Job::Round(id)) = self.jobs.queue.front() else { return };
        let first = self.rooms.get(id).into_iter().flat_map(|room| room.members.iter().take(3));
        for client in first.filter_map(|key| self.clients.get(*key)) {
            kernel::prefetch(&**client);
        }
    }

    /// Queues a visit to one client, unless the client is queued already.
    pub(super) fn look(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.queued, true) {
            self.jobs.queue.push_back(Job::Look(key));
        }
    }

    /// Queues a client that is owed much among those that catch up, unless it is queued already.
    pub(super) fn catch_up(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.queued, true) {
            client.catches_up = true;
            self.jobs.behind.push_back(key);
        }
    }

    /// Writes to clients that catch up, in turns, up to [`CATCH_UP`] bytes.
    pub(super) fn let_catch_up(&mut self) {
        let mut bytes = CATCH_UP;
        while bytes > 0
            && let Some(key) = self.jobs.behind.pop_front()
        {
            self.jobs.catch_up_lap = self.jobs.catch_up_lap.saturating_sub(1);
            if let Some(client) = self.clients.get_mut(key) {
                (client.queued, client.catches_up) = (false, false);
                bytes = bytes.saturating_sub(self.serve(key).max(CATCH_UP_LEAST));
            }
        }
        if self.jobs.behind.is_empty() || (self.jobs.catch_up_lap > 0 && Instant::now() > self.jobs.catch_up_until) {
            self.jobs.catch_up_lap = 0;
        }
    }

    /// Goes on with a room's round: one visit to each member that it has not visited, as long as
    /// `budget` lasts.
    fn round(&mut self, id: RoomId, budget: &mut usize) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.at == 0 {
            room.low = room.log.end();
            if room.members.len() <= SHORT {
                *budget = (*budget).max(room.members.len() + 1);
            }
        }
        while *budget > 0 {
            let Some(room) = self.rooms.get_mut(&id) else { return };
            let Some(key) = room.members.get(room.at).copied() else {
                return self.end_round(id);
            };
            room.at += 1;
            // In a big room no client is in the processor's caches when its turn comes. So during
            // this visit two things are prefetched: the next client but one, and the connection of
            // the next client.
            let after = |ahead: usize| room.members.get(room.at + ahead).and_then(|key| self.clients.get(*key));
            if let Some(client) = after(1) {
                kernel::prefetch(&**client);
            }
            if let Some(client) = after(0) {
                kernel::prefetch(&*client.connection);
            }
            *budget -= 1;
            // Clients that catch up have turns of their own. They are visited here only if the log
            // is over its bound.
            if room.over || self.clients.get(key).is_some_and(|client| !client.catches_up) {
                self.serve(key);
            }
            let Some(room) = self.rooms.get_mut(&id) else { return };
            // A client that this write has closed is in no room any more.
            if let Some(client) = self.clients.get(key) {
                room.low = room.low.min(client.reader.next_line());
            }
        }
        self.jobs.queue.push_back(Job::Round(id));
    }

    /// Ends a room's round: cuts off the lines that every member has got, and queues another round
    /// if lines came meanwhile.
    fn end_round(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let visited_to = room.at;
        (room.at, room.queued) = (0, false);
        room.log.trim_to(room.low);
        self.weigh(id);
        if self.rooms.get(&id).is_some_and(|room| room.over) {
            self.trim(id);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        // Lines may have been posted during this round.
        if visited_to > 0 && room.low < room.log.end() && self.replaying.is_none() {
            let behind = room.members.iter().any(|key| {
                let client = &self.clients[*key];
                let is_left = !client.takes() || client.catches_up || client.given_up;
                !is_left && client.reader.has_due(Some(&room.log))
            });
            if behind {
                room.queued = true;
                self.jobs.queue.push_back(Job::Round(id));
            }
        }
        // The log is as short as it can be, unless another round follows. So orders need no longer
        // wait for this room.
        if room.over && !room.queued {
            room.over = false;
            self.weights.over -= 1;
        }
    }
}
