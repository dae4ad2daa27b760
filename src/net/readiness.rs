//! Which sockets are ready: a set of them (epoll(7)) that a task waits for as for one.
//!
//! A client costs an entry in a set and no task of its own: ten thousand that are silent cost next to
//! nothing. Readiness is told at its edges, and a socket is taken out of the set by hand, for one that
//! also lies in the queue of sockets is not closed by dropping it.
//!
//! The runtime's reactor is woken only while a task waits for the set. Were it to watch the set all the time, each
//! packet would wake the thread, though its tasks wait for something else.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use tokio::io::unix::AsyncFd;

use crate::kernel;

/// What happened to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The number it was watched under.
    pub key: u64,
    /// Read until EAGAIN, for a short read does not mean that the socket is empty: the other side has ended its input,
    /// the connection is broken, or it has sent urgent data, at whose mark a read stops (tcp(7)).
    pub to_the_end: bool,
}

/// A set of sockets, for those that put sockets there and take them out.
#[derive(Clone, Debug)]
pub struct Sockets(Arc<Epoll>);

/// A set of sockets, for the one task that waits for them.
#[derive(Debug)]
pub struct Readiness {
    set: Sockets,
    /// The bell: a set that holds only the other set, and tells once that it is ready, until it is asked again.
    bell: Epoll,
    /// The bell, as the runtime watches it.
    rung: AsyncFd<OwnedFd>,
    /// Whether the bell was asked to tell and has not told yet.
    asked: bool,
    events: Vec<EpollEvent>,
}

impl Sockets {
    /// From now on, tells when there is something to read.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
    pub fn watch_input(&self, socket: &impl AsFd, key: u64) -> io::Result<()> {
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLPRI | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        Ok(self.0.add(socket, EpollEvent::new(flags, key))?)
    }

    /// Tells once when there is room to write.
    ///
    /// # Errors
    /// Those of epoll_ctl(2).
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

/// Sockets that one call of epoll_wait(2) tells of at most.
const AT_A_TIME: usize = 1024;

impl Readiness {
    /// An empty set. To be called within a runtime.
    ///
    /// # Errors
    /// Those of epoll_create1(2).
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

    /// Appends those that have become ready to `ready`, without waiting. Whether there may be more.
    pub fn take(&mut self, ready: &mut Vec<Ready>) -> bool {
        let count = self.set.0.wait(&mut self.events, EpollTimeout::ZERO).unwrap_or(0);
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
            // What it has told is taken out, or it would not tell of it again.
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
            // Given up, then taken without waiting.
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
