//! Keeping the queue short: single messages are gathered into batches, and closed connections are left out.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::{GATHER, Queue};
use crate::kernel;
use crate::net::keep::fault;

/// Messages of `batches` that one step looks at: two half-empty messages become one.
const MESSAGES: usize = 2;

/// One pass over the queue that leaves out what is closed, a step at a time.
#[derive(Debug)]
pub(super) struct Lap {
    /// Messages at the front of `singles` that the lap has not looked at yet.
    pub(super) singles: usize,
    /// The same for `batches`, to which the connections of `singles` go first; `None` until all have.
    pub(super) batches: Option<usize>,
    /// Cookies of the connections that were closed when the lap began. All of them lay in these messages.
    pub(super) gone: HashSet<u64>,
    /// Cookies of those that were sent on, from the pair that is being looked at.
    pub(super) seen: HashSet<u64>,
}

impl Queue {
    /// One step of tidying: looks at the sockets of about one message, and sends on those that are open. Returns
    /// whether there is more to do. A connection that is closed meanwhile is left for the next lap.
    ///
    /// # Errors
    /// Those of the system calls. The lap ends then; the next closed connection begins another one.
    pub fn step(&mut self) -> io::Result<bool> {
        self.step_of(GATHER, MESSAGES)
    }

    /// Does a whole lap at once.
    pub(super) fn tidy(&mut self) -> io::Result<()> {
        self.end_lap();
        self.begin_lap();
        while self.step_of(usize::MAX, usize::MAX)? {}
        Ok(())
    }

    pub(super) fn begin_lap(&mut self) {
        // A lap reads its sockets from the queue. `recent` begins anew, and says nothing of the messages that lie there
        // now.
        self.recent.clear();
        self.known = 0;
        let (singles, gone) = (self.singles.messages, std::mem::take(&mut self.closed));
        self.lap = Some(Lap { singles, batches: None, gone, seen: HashSet::new() });
    }

    /// Ends a lap early. The closed connections that it was to leave out may still lie in the queue.
    fn end_lap(&mut self) {
        if let Some(lap) = self.lap.take() {
            self.closed.extend(lap.gone);
        }
    }

    fn step_of(&mut self, most_singles: usize, most_batches: usize) -> io::Result<bool> {
        let Some(mut lap) = self.lap.take() else { return Ok(false) };
        match self.step_in(&mut lap, most_singles, most_batches) {
            Ok(true) => {
                self.lap = Some(lap);
                Ok(true)
            }
            // The lap has looked at all that lay there: no message holds a connection that was closed when it began.
            Ok(false) => Ok(false),
            Err(error) => {
                self.closed.extend(lap.gone);
                Err(error)
            }
        }
    }

    fn step_in(&mut self, lap: &mut Lap, most_singles: usize, most_batches: usize) -> io::Result<bool> {
        let Lap { singles, batches, gone, seen } = lap;
        let closed = &self.closed;
        let is_gone = |cookie: &u64| gone.contains(cookie) || closed.contains(cookie);
        if *singles > 0 {
            let is_open = |socket: &OwnedFd| is_new(socket, is_gone, seen);
            let (messages, sockets) = self.singles.front(most_singles.min(*singles), is_open)?;
            self.batches.send_all(&sockets.iter().map(AsFd::as_fd).collect::<Vec<_>>())?;
            fault::point("merge.batched");
            self.singles.drop_messages(messages)?;
            fault::point("merge.drained");
            *singles = if messages == 0 { 0 } else { *singles - messages };
            return Ok(true);
        }
        let left = match *batches {
            Some(left) => left,
            None => {
                seen.clear();
                self.batches.messages
            }
        };
        if left == 0 {
            return Ok(false);
        }
        let is_open = |socket: &OwnedFd| is_new(socket, is_gone, seen);
        let (messages, sockets) = self.batches.front(most_batches.min(left), is_open)?;
        self.batches.send_all(&sockets.iter().map(AsFd::as_fd).collect::<Vec<_>>())?;
        fault::point("rotate.sent");
        self.batches.drop_messages(messages)?;
        fault::point("rotate.dropped");
        let left = if messages == 0 { 0 } else { left - messages };
        *batches = Some(left);
        Ok(left > 0)
    }

    /// Moves connections from the front of `singles` into `batches`: those whose owner is known. If no owner is known,
    /// or `recent` does not have all of `singles`, moves all of them.
    pub(super) fn gather(&mut self) -> io::Result<()> {
        if self.known == 0 || self.recent.len() != self.singles.messages {
            return self.gather_all();
        }
        let front = || self.recent.iter().take(self.known);
        // `Lap::gone` has none of these: a lap that is under way began before they were kept.
        let closed: Vec<_> =
            front().map(|recent| recent.cookie).filter(|cookie| self.closed.contains(cookie)).collect();
        let open: Vec<_> = front()
            .filter(|recent| !self.closed.contains(&recent.cookie))
            .filter_map(|recent| recent.connection.as_ref()?.upgrade())
            .collect();
        let sockets: Vec<_> = open.iter().filter_map(|connection| connection.socket()).collect();
        self.batches.send_all(&sockets)?;
        fault::point("merge.batched");
        let count = self.known;
        self.recent.drain(..count);
        self.known = 0;
        // The closed ones lie in no message any more.
        for cookie in closed {
            self.closed.remove(&cookie);
        }
        self.singles.drop_messages(count)?;
        fault::point("merge.drained");
        Ok(())
    }

    /// Moves all of `singles` into `batches`, by looking at what lies there.
    fn gather_all(&mut self) -> io::Result<()> {
        self.recent.clear();
        self.known = 0;
        let mut seen = HashSet::new();
        if let Some(lap) = &mut self.lap {
            // Nothing that the lap would have to look at is left in `singles`.
            lap.singles = 0;
        }
        loop {
            let is_closed = |cookie: &u64| {
                self.closed.contains(cookie) || self.lap.as_ref().is_some_and(|lap| lap.gone.contains(cookie))
            };
            let is_open = |socket: &OwnedFd| is_new(socket, is_closed, &mut seen);
            let (messages, sockets) = self.singles.front(usize::MAX, is_open)?;
            if messages == 0 {
                return Ok(());
            }
            self.batches.send_all(&sockets.iter().map(AsFd::as_fd).collect::<Vec<_>>())?;
            fault::point("merge.batched");
            self.singles.drop_messages(messages)?;
            fault::point("merge.drained");
        }
    }
}

/// Whether a connection is neither gone nor seen; notes it as seen.
fn is_new(socket: &OwnedFd, is_gone: impl Fn(&u64) -> bool, seen: &mut HashSet<u64>) -> bool {
    kernel::cookie(socket).is_ok_and(|cookie| !is_gone(&cookie) && seen.insert(cookie))
}
