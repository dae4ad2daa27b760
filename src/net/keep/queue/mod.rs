//! The queue of sockets keeps every client's connection in flight, so that it outlives the process.
//!
//! A descriptor that was sent through a Unix socket and not received yet belongs to the kernel. The
//! service manager's descriptor store has both ends of two such sockets. A process that takes over
//! looks at what is in them (`MSG_PEEK`), and so gets all connections. It takes nothing out, so it
//! may die at any time.
//!
//! Each accepted connection is sent into `singles`, in a message of its own. When `singles` has
//! many, they are moved into `batches`, up to [`MOST_DESCRIPTORS`] in one message; closed ones are
//! left out. Connections that this process has accepted are sent from its own descriptors; those of
//! a former process are read from the queue. When many connections in `batches` are closed, all its
//! messages are sent anew without these. Each message is sent anew before the old one is taken out.
//! So if the process dies in between, some connections are in the queue twice; [`kernel::cookie`]
//! tells.
//!
//! The queue does not know which client has a connection, nor what that client is owed.
//!
//! | to change | see |
//! | --- | --- |
//! | how many descriptors one message carries, and how much room there is for messages | `pair` |
//! | when closed connections are taken out, and how much one step does | `tidy`, the bounds below |
//! | what a process that takes over finds, and which connections it closes | [`Queue::found`] |

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, Weak};

use socket2::SockRef;

use crate::kernel::{self, Carried, MOST_DESCRIPTORS};
use crate::net::connection::Connection;

mod pair;
mod tidy;

use pair::Pair;
use tidy::Lap;

/// The number of connections in `singles` at which they are moved into `batches`: as many as one
/// message carries.
const GATHER: usize = MOST_DESCRIPTORS;

/// When taking over: the most connections that are kept although we have ended our output and the
/// client has not closed them yet. It may still be reading its last lines. Further ones are closed.
const ENDED: usize = 256;

/// The queue, shared by the tasks that accept and those that close; `None` where the service
/// manager keeps nothing.
pub type Keeping = Option<Arc<Mutex<Queue>>>;

/// The most descriptors that the queue opens besides those of clients: what two messages carry, and
/// the 256 connections that are kept although we have ended our output.
pub const BESIDE: usize = 2 * MOST_DESCRIPTORS + ENDED;

/// The number of closed connections in the queue above which it is tidied; or the number of open
/// ones, if that is larger.
const CLOSED: usize = 1024;

/// Returns [`CLOSED`]. In debug builds tests set another number by `CHATHUB_CLOSED`.
fn most_closed() -> usize {
    let asked = if cfg!(debug_assertions) { std::env::var("CHATHUB_CLOSED").ok() } else { None };
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(CLOSED)
}

/// The queue of sockets.
#[derive(Debug)]
pub struct Queue {
    singles: Pair,
    /// The connections that this process has put into `singles`, in order. They are all that is in
    /// `singles`, unless a former process has left some or the queue has been tidied.
    recent: VecDeque<Recent>,
    /// How many connections at the front of `recent` have an owner that [`Queue::known`] has
    /// registered.
    known: usize,
    batches: Pair,
    /// The number of open connections in the queue.
    open: usize,
    /// Cookies of closed connections in the queue, except those in [`Lap::gone`].
    closed: HashSet<u64>,
    most_closed: usize,
    lap: Option<Lap>,
}

/// A connection in `singles` that this process has put there.
#[derive(Debug)]
struct Recent {
    cookie: u64,
    /// Its owner's connection, weakly; `None` until [`Queue::known`] registers it.
    connection: Option<Weak<Connection>>,
}

/// The sockets that a process that takes over has found in the queue.
#[derive(Debug, Default)]
pub struct Found {
    /// The connections, by cookie.
    pub by_cookie: HashMap<u64, Adopted>,
    /// Whether the queue has more connections than this process may open descriptors: see
    /// [`Queue::keep_only`].
    pub cut_off: bool,
}

/// A connection that was found in the queue.
#[derive(Debug)]
pub struct Adopted {
    /// Its socket.
    pub socket: OwnedFd,
    /// The kernel's counts for it.
    pub counted: kernel::Counted,
}

impl Queue {
    /// A queue with nothing in it.
    ///
    /// # Errors
    /// Any error of socketpair(2).
    pub fn new() -> io::Result<Self> {
        Ok(Self::with(Pair::new()?, Pair::new()?))
    }

    /// A queue of the four ends, in the order of [`crate::systemd::STORED`].
    #[must_use]
    pub fn of([singles_head, singles_tail, batches_head, batches_tail]: [OwnedFd; 4]) -> Self {
        Self::with(
            Pair { head: singles_head, tail: singles_tail, messages: 0 },
            Pair { head: batches_head, tail: batches_tail, messages: 0 },
        )
    }

    fn with(singles: Pair, batches: Pair) -> Self {
        Self {
            singles,
            recent: VecDeque::new(),
            known: 0,
            batches,
            open: 0,
            closed: HashSet::new(),
            most_closed: most_closed(),
            lap: None,
        }
    }

    /// The connections in the queue; they stay in it too. Descriptors of closed connections and of
    /// second copies are closed at once: so the process needs descriptors only for open
    /// connections, and [`BESIDE`].
    ///
    /// # Errors
    /// Any error of the system calls.
    pub fn found(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        let (mut gone, mut ended) = (HashSet::new(), 0);
        let mut see = |Carried { descriptors, cut_off }| {
            found.cut_off |= cut_off;
            for socket in descriptors {
                // A descriptor that is no TCP connection was not put there by this daemon.
                let (Ok(cookie), Ok(counted)) = (kernel::cookie(&socket), kernel::counted(&socket)) else { continue };
                if found.by_cookie.contains_key(&cookie) {
                    continue;
                }
                if counted.dead || (counted.finished && ended == ENDED) {
                    let _ = SockRef::from(&socket).shutdown(Shutdown::Both);
                    gone.insert(cookie);
                    continue;
                }
                ended += usize::from(counted.finished);
                found.by_cookie.insert(cookie, Adopted { socket, counted });
            }
            Ok(())
        };
        self.singles.messages = self.singles.each(usize::MAX, &mut see)?;
        self.batches.messages = self.batches.each(usize::MAX, &mut see)?;
        self.open = found.by_cookie.len();
        self.closed.extend(gone);
        Ok(found)
    }

    /// Calls `see` with each connection in the queue, reading one message at a time. Some
    /// connections come twice.
    ///
    /// # Errors
    /// Any error of the system calls.
    pub fn each_socket(&self, mut see: impl FnMut(OwnedFd)) -> io::Result<()> {
        for pair in [&self.singles, &self.batches] {
            pair.each(usize::MAX, |carried| {
                carried.descriptors.into_iter().for_each(&mut see);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Closes all connections in the queue except those with these cookies.
    ///
    /// # Errors
    /// Any error of the system calls. Some connections may be closed by then.
    pub fn keep_only(&mut self, cookies: &HashSet<u64>) -> io::Result<()> {
        let mut ended = HashSet::new();
        self.each_socket(|socket| {
            if let Ok(cookie) = kernel::cookie(&socket)
                && !cookies.contains(&cookie)
            {
                let _ = SockRef::from(&socket).shutdown(Shutdown::Both);
                ended.insert(cookie);
            }
        })?;
        self.closed.extend(ended);
        self.tidy()
    }

    /// The queue's four ends, in the order of [`crate::systemd::STORED`].
    #[must_use]
    pub fn ends(&self) -> [BorrowedFd<'_>; 4] {
        [self.singles.head.as_fd(), self.singles.tail.as_fd(), self.batches.head.as_fd(), self.batches.tail.as_fd()]
    }

    /// Puts a connection into the queue; `cookie` is the kernel's number for it.
    ///
    /// # Errors
    /// Any error of sendmsg(2). The connection is not kept then.
    pub fn keep(&mut self, socket: BorrowedFd<'_>, cookie: u64) -> io::Result<()> {
        match self.singles.send(&[socket]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.gather()?;
                self.singles.send(&[socket])?;
            }
            other => other?,
        }
        self.recent.push_back(Recent { cookie, connection: None });
        self.open += 1;
        Ok(())
    }

    /// Notes the owner of a connection that was kept. Gathering then sends the owner's socket,
    /// unless the connection is [closed](Self::closed) by then.
    pub fn known(&mut self, connection: &Arc<Connection>) {
        // Mostly they become known in the order in which they were kept.
        let place = self.recent.iter_mut().skip(self.known).find(|recent| recent.cookie == connection.cookie);
        if let Some(recent) = place {
            recent.connection = Some(Arc::downgrade(connection));
        }
        while self.recent.get(self.known).is_some_and(|recent| recent.connection.is_some()) {
            self.known += 1;
        }
        if self.known >= GATHER {
            // If gathering fails, the next connection begins another attempt.
            let _ = self.gather();
        }
    }

    /// Notes that a connection in the queue was closed; the kernel keeps it as long as it is in the
    /// queue. Returns whether the queue is to be tidied, by calls of [`step`](Self::step).
    pub fn closed(&mut self, cookie: u64) -> bool {
        let is_known = self.lap.as_ref().is_some_and(|lap| lap.gone.contains(&cookie));
        if !is_known && self.closed.insert(cookie) {
            self.open = self.open.saturating_sub(1);
        }
        if self.lap.is_none() && self.closed.len() > self.most_closed.max(self.open) {
            self.begin_lap();
        }
        self.lap.is_some()
    }
}

#[cfg(test)]
mod tests;
