//! Which sockets are ready: a set of sockets (epoll(7)) for which one task waits.
//!
//! A client costs one entry in the set and no task of its own, so ten thousand silent clients cost
//! next to nothing. The set is edge-triggered. Each socket must be taken out of it explicitly:
//! closing a descriptor does not do that for a socket that also lies in the queue of sockets.
//!
//! The set wakes the runtime's reactor only while a task waits for the set. If the reactor watched
//! it all the time, each packet would wake the thread, even while its tasks wait for something
//! else.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use tokio::io::unix::AsyncFd;

use crate::kernel;

/// A socket that has become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The number under which the socket was added to the set.
    pub key: u64,
    /// Whether to read until EAGAIN, though a short read otherwise means that the socket is empty.
    /// It does not if the peer has ended its output, the connection is broken, or urgent data has
    /// come: a read stops at the urgent mark (tcp(7)).
    pub to_the_end: bool,
}

/// A handle on the set, for the tasks that add and remove sockets.
#[derive(Clone, Debug)]
pub struct Sockets(Arc<Epoll>);

/// The set, for the one task that waits for it.
#[derive(Debug)]
pub struct Readiness {
    set: Sockets,
    /// The bell: an epoll set that holds only the other set. It reports once that the other set is
    /// ready, and then not again until it is asked to.
    bell: Epoll,
    /// A descriptor of the bell that the runtime's reactor watches.
    rung: AsyncFd<OwnedFd>,
    /// Whether the bell was asked to report and has not reported yet.
    asked: bool,
    events: Vec<EpollEvent>,
}

impl Sockets {
    /// Reports `key` from now on, each time that the socket has something new to read.
    ///
    /// # Errors
    /// Any error of epoll_ctl(2).
    pub fn watch_input(&self, socket: &impl AsFd, key: u64) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLPRI | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        Ok(self.0.add(socket, EpollEvent::new(flags, key))?)
    }

    /// Reports `key` once, when the socket has room to write.
    ///
    /// # Errors
    /// Any error of epoll_ctl(2).
    pub fn watch_room(&self, socket: &impl AsFd, key: u64) -> io::Result<()> {
        let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLET | EpollFlags::EPOLLONESHOT;
        let mut event = EpollEvent::new(flags, key);
        match self.0.modify(socket, &mut event) {
            Err(nix::errno::Errno::ENOENT) => Ok(self.0.add(socket, event)?),
            other => Ok(other?),
        }
    }

    /// Stops watching a socket.
    pub fn forget(&self, socket: &impl AsFd) {
        let _ = self.0.delete(socket);
    }
}

/// The most sockets that one call of epoll_wait(2) reports.
const AT_A_TIME: usize = 1024;

impl Readiness {
    /// An empty set. Call it within a runtime.
    ///
    /// # Errors
    /// Any error of epoll_create1(2).
    pub fn new() -> io::Result<Self> {
        let set = Sockets(Arc::new(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?));
        let bell = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        bell.add(&set.0.0, EpollEvent::new(EpollFlags::EPOLLONESHOT, 0))?;
        let rung = kernel::watched(bell.0.try_clone()?)?;
        Ok(Self { set, bell, rung, asked: false, events: vec![EpollEvent::empty(); AT_A_TIME] })
    }

    /// The set.
    #[must_use]
    pub const fn sockets(&self) -> &Sockets {
        &self.set
    }

    /// Appends the sockets that have become ready to `ready`, without waiting. Returns whether
    /// there may be more.
    pub fn take(&mut self, ready: &mut Vec<Ready>) -> bool {
        let count = self.set.0.wait(&mut self.events, EpollTimeout::ZERO).unwrap_or(0);
        ready.extend(self.events[..count].iter().map(told));
        count == self.events.len()
    }

    /// Waits until a socket has become ready since the last call, and appends all that have to
    /// `ready`.
    ///
    /// # Errors
    /// Any error of the runtime, at its end.
    ///
    /// # Cancel safety
    /// Safe: sockets that are ready stay so until they are taken.
    pub async fn wait(&mut self, ready: &mut Vec<Ready>) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll(context, ready)).await
    }

    fn poll(&mut self, context: &mut Context<'_>, ready: &mut Vec<Ready>) -> Poll<io::Result<()>> {
        let before = ready.len();
        loop {
            if !self.asked {
                let mut event = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLONESHOT, 0);
                self.bell.modify(&self.set.0.0, &mut event)?;
                self.asked = true;
            }
            match self.rung.poll_read_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(mut guard)) => guard.clear_ready(),
            }
            // The bell's event is taken out: otherwise the bell would not report the next one.
            let _ = self.bell.wait(&mut self.events[..1], EpollTimeout::ZERO);
            self.asked = false;
            self.take(ready);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    fn pair() -> (UnixStream, UnixStream) {
        let (here, there) = UnixStream::pair().expect("two descriptors");
        there.set_nonblocking(true).expect("a socket");
        (here, there)
    }

    #[tokio::test]
    async fn whoever_waits_is_told_of_each_edge_also_of_those_that_were_before() {
        let mut readiness = Readiness::new().expect("descriptors");
        let (mut one, one_end) = pair();
        let (mut two, two_end) = pair();
        readiness.sockets().watch_input(&one_end, 1).expect("watched");
        readiness.sockets().watch_input(&two_end, 2).expect("watched");
        let mut told = async || {
            let mut ready = Vec::new();
            readiness.wait(&mut ready).await.expect("told");
            ready.into_iter().map(|ready| ready.key).collect::<Vec<_>>()
        };
        one.write_all(b"x").expect("taken");
        assert_eq!(told().await, [1]);
        one.write_all(b"x").expect("taken");
        assert_eq!(told().await, [1], "again, though it was not read");
        two.write_all(b"x").expect("taken");
        one.write_all(b"x").expect("taken");
        assert_eq!(told().await.len(), 2);
        let later = async {
            tokio::task::yield_now().await;
            two.write_all(b"x").expect("taken");
        };
        let ((), told) = tokio::join!(later, told());
        assert_eq!(told, [2], "what comes while somebody waits");
        assert_eq!((&one_end).read(&mut [0; 8]).expect("there"), 3);
    }

    #[tokio::test]
    async fn a_wait_that_is_given_up_loses_nothing() {
        let mut readiness = Readiness::new().expect("descriptors");
        let (mut here, there) = pair();
        readiness.sockets().watch_input(&there, 1).expect("watched");
        let mut ready = Vec::new();
        for _ in 0..3 {
            tokio::select! {
                biased;
                _ = readiness.wait(&mut ready) => unreachable!("nothing was sent"),
                () = tokio::task::yield_now() => {}
            }
            here.write_all(b"x").expect("taken");
            readiness.wait(&mut ready).await.expect("told");
            assert_eq!(std::mem::take(&mut ready), [Ready { key: 1, to_the_end: false }]);
            // The wait was given up; the event is taken without waiting.
            here.write_all(b"x").expect("taken");
            assert!(!readiness.take(&mut ready), "one, of many that would have fit");
            assert_eq!(std::mem::take(&mut ready).len(), 1);
        }
    }

    #[tokio::test]
    async fn the_reactor_hears_of_nothing_while_nobody_waits() {
        let mut readiness = Readiness::new().expect("descriptors");
        let (mut here, there) = pair();
        readiness.sockets().watch_input(&there, 1).expect("watched");
        let mut ready = Vec::new();
        for _ in 0..3 {
            here.write_all(b"x").expect("taken");
            let rung = readiness.bell.wait(&mut [EpollEvent::empty()], EpollTimeout::ZERO);
            assert_eq!(rung, Ok(0), "what the reactor watches is not ready");
            readiness.wait(&mut ready).await.expect("told");
            assert_eq!(std::mem::take(&mut ready), [Ready { key: 1, to_the_end: false }]);
        }
    }
}
