//! Keeping the queue short: single messages are gathered into batches, and closed connections are
//! left out.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::{GATHER, Queue};
use crate::kernel;
use crate::net::keep::fault;

/// How many messages of `batches` one step looks at: so two half-empty messages become one.
const MESSAGES: usize = 2;

/// One pass over the queue, in steps, that leaves out closed connections.
#[derive(Debug)]
pub(super) struct Lap {
    /// Messages at the front of `singles` that the lap has still to look at.
    pub(super) singles: usize,
    /// Messages at the front of `batches` that the lap has still to look at; `None` until all
    /// connections of `singles` have been moved there.
    pub(super) batches: Option<usize>,
    /// Cookies of the connections that were closed when the lap began. All of them were in the
    /// messages that it looks at.
    pub(super) gone: HashSet<u64>,
    /// Cookies of the connections that were sent on, from the pair that the lap is looking at.
    pub(super) seen: HashSet<u64>,
}

impl Queue {
    /// Makes one step of tidying: looks at the connections of about one message, and sends on those
    /// that are open. Returns whether there is more to do. A connection that is closed meanwhile is
    /// left to the next lap.
    ///
    /// # Errors
    /// Any error of the system calls. The lap ends then, and the next closed connection begins
    /// another.
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
        // A lap reads its connections from the queue. So `recent` begins anew, and has none of the
        // messages that are in the queue now.
        self.recent.clear();
        self.known = 0;
        let (singles, gone) = (self.singles.messages, std::mem::take(&mut self.closed));
        self.lap = Some(Lap { singles, batches: None, gone, seen: HashSet::new() });
    }

    /// Ends a lap early. The closed connections that it had to leave out may still be in the queue.
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
            // The lap has looked at all messages: none of them has a connection that was closed
            // when it began.
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

    /// Moves connections from the front of `singles` into `batches`: those whose owner is known. If
    /// no owner is known, or `recent` does not have all that is in `singles`, all of them are
    /// moved.
    pub(super) fn gather(&mut self) -> io::Result<()> {
        if self.known == 0 || self.recent.len() != self.singles.messages {
            return self.gather_all();
        }
        let front = || self.recent.iter().take(self.known);
        // None of these is in `Lap::gone`: a lap that is under way began before they were kept.
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
        // No message has the closed connections any more.
        for cookie in closed {
            self.closed.remove(&cookie);
        }
        self.singles.drop_messages(count)?;
        fault::point("merge.drained");
        Ok(())
    }

    /// Moves all of `singles` into `batches`, reading the connections from the queue.
    fn gather_all(&mut self) -> io::Result<()> {
        self.recent.clear();
        self.known = 0;
        let mut seen = HashSet::new();
        if let Some(lap) = &mut self.lap {
            // The lap has nothing left to look at in `singles`.
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

/// Whether a connection is neither closed nor seen. Adds it to `seen`.
fn is_new(socket: &OwnedFd, is_gone: impl Fn(&u64) -> bool, seen: &mut HashSet<u64>) -> bool {
    kernel::cookie(socket).is_ok_and(|cookie| !is_gone(&cookie) && seen.insert(cookie))
}
