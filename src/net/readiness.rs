//! Which sockets are ready: a set of them (epoll(7)) that a task waits for as for one.
//!
//! A client costs an entry in a set and no task of its own: ten thousand that are silent cost next to
//! nothing. Readiness is told at its edges, and a socket is taken out of the set by hand, for one that
//! also lies in the queue of sockets is not closed by dropping it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::task::{Context, Poll};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use tokio::io::unix::AsyncFd;

use crate::kernel;

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The number it was watched under.
    pub key: u64,
    /// Less than there was room for is not all there is: the other side has ended its input, the
    /// connection is broken, or it has sent urgent data, at whose mark a read stops (tcp(7)).
    pub to_the_end: bool,
}

/// A set of sockets.
#[derive(Debug)]
pub struct Readiness {
    set: Epoll,
    /// The set itself, which is ready when one of it is.
    whole: AsyncFd<OwnedFd>,
    events: Vec<EpollEvent>,
}

/// Sockets that are told of at a time.
const AT_A_TIME: usize = 1024;

impl Readiness {
    /// An empty set. To be called within a runtime.
    ///
    /// # Errors
    /// Those of epoll_create1(2).
    pub fn new() -> io::Result<Self> {
        let set = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let whole = kernel::watched(set.0.try_clone()?)?;
        Ok(Self { set, whole, events: vec![EpollEvent::empty(); AT_A_TIME] })
    }

    /// From now on, tells when there is something to read.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
    pub fn watch_input(&self, socket: &impl AsFd, key: u64) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLPRI | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        Ok(self.set.add(socket, EpollEvent::new(flags, key))?)
    }

    /// Tells once when there is room to write.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
    pub fn watch_room(&self, socket: &impl AsFd, key: u64) -> io::Result<()> {
        let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLET | EpollFlags::EPOLLONESHOT;
        let mut event = EpollEvent::new(flags, key);
        match self.set.modify(socket, &mut event) {
            Err(nix::errno::Errno::ENOENT) => Ok(self.set.add(socket, event)?),
            other => Ok(other?),
        }
    }

    /// Tells of a socket no more.
    pub fn forget(&self, socket: &impl AsFd) {
        let _ = self.set.delete(socket);
    }

    /// Appends those that have become ready to `ready`, without waiting. Whether there may be more.
    pub fn take(&mut self, ready: &mut Vec<Ready>) -> bool {
        let count = self.set.wait(&mut self.events, EpollTimeout::ZERO).unwrap_or(0);
        ready.extend(self.events[..count].iter().map(told));
        count == self.events.len()
    }

    /// Waits until a socket has become ready since it was last asked, and takes it and those with it.
    ///
    /// # Errors
    /// Those of the runtime, at its end.
    ///
    /// # Cancel safety
    /// Safe: what is ready stays so until it is taken, without waiting in between.
    pub async fn wait(&mut self, ready: &mut Vec<Ready>) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll(context, ready)).await
    }

    fn poll(&mut self, context: &mut Context<'_>, ready: &mut Vec<Ready>) -> Poll<io::Result<()>> {
        let before = ready.len();
        loop {
            // The guard's `clear_ready` takes back what the runtime saw before this look only.
            let count = match self.whole.poll_read_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(mut guard)) => {
                    let count = self.set.wait(&mut self.events, EpollTimeout::ZERO).unwrap_or(0);
                    if count < self.events.len() {
                        guard.clear_ready();
                    }
                    count
                }
            };
            ready.extend(self.events[..count].iter().map(told));
            if ready.len() > before {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

fn told(event: &EpollEvent) -> Ready {
    let to_the_end = EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR | EpollFlags::EPOLLPRI;
    Ready { key: event.data(), to_the_end: event.events().intersects(to_the_end) }
}
