//! The queue of sockets: every client's connection, kept in flight so that it outlives the process.
//!
//! A descriptor that was sent through a Unix socket and not received yet belongs to the kernel. Both
//! ends of two such sockets are in the service manager's descriptor store: a process that takes over
//! looks at what lies there (`MSG_PEEK`) and has everybody's connection, without taking anything out,
//! so it may die while it does that.
//!
//! One that is accepted goes into `singles`, a message each. When many lie there they go on into
//! `batches`, up to [`MOST_DESCRIPTORS`] in one message, and those that are closed meanwhile are left
//! out. When many of `batches` are closed, its messages go round once more. In each step they are sent
//! before they are taken: a death in between leaves them twice, which [`kernel::cookie`] tells apart.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use super::fault;
use crate::kernel::{self, MOST_DESCRIPTORS};

/// Messages in `singles` from which on they are gathered; a queue of the default size has room for 278.
const GATHER: usize = 200;

/// Messages of `batches` that go round at a time.
const ROUND: usize = 8;

/// Closed connections that may lie in the queue, beside as many as are open.
const CLOSED: usize = 1024;

/// A queue of messages: sent at its tail, received at its head.
#[derive(Debug)]
struct Pair {
    head: OwnedFd,
    tail: OwnedFd,
    messages: usize,
}

impl Pair {
    fn new() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (head, tail) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        Ok(Self { head, tail, messages: 0 })
    }

    fn send(&mut self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        kernel::send_descriptors(&self.tail, descriptors)?;
        self.messages += 1;
        Ok(())
    }

    /// Looks at the first `most` messages: how many there are, and what they carry.
    fn look(&self, most: usize) -> io::Result<(usize, Vec<OwnedFd>)> {
        kernel::look_from_start(&self.head)?;
        let (mut messages, mut descriptors) = (0, Vec::new());
        while messages < most
            && let Some(some) = kernel::peek_descriptors(&self.head)?
        {
            messages += 1;
            descriptors.extend(some);
        }
        Ok((messages, descriptors))
    }

    fn drop_messages(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            if !kernel::drop_message(&self.head)? {
                break;
            }
            self.messages = self.messages.saturating_sub(1);
        }
        Ok(())
    }
}

/// The queue of sockets.
#[derive(Debug)]
pub struct Queue {
    singles: Pair,
    batches: Pair,
    open: usize,
    /// Cookies of those that lie there and are closed.
    closed: HashSet<u64>,
}

/// A connection that was found in the queue.
#[derive(Debug)]
pub struct Adopted {
    /// Its socket.
    pub socket: OwnedFd,
    /// What the kernel has counted of it.
    pub counted: kernel::Counted,
}

impl Queue {
    /// An empty queue.
    ///
    /// # Errors
    /// Those of socketpair(2).
    pub fn new() -> io::Result<Self> {
        Ok(Self { singles: Pair::new()?, batches: Pair::new()?, open: 0, closed: HashSet::new() })
    }

    /// The queue whose ends these are, in the order of [`crate::systemd::STORED`].
    #[must_use]
    pub fn of([singles_head, singles_tail, batches_head, batches_tail]: [OwnedFd; 4]) -> Self {
        Self {
            singles: Pair { head: singles_head, tail: singles_tail, messages: 0 },
            batches: Pair { head: batches_head, tail: batches_tail, messages: 0 },
            open: 0,
            closed: HashSet::new(),
        }
    }

    /// What lies in it, by cookie. All of it stays there.
    ///
    /// # Errors
    /// Those of the system calls.
    pub fn found(&mut self) -> io::Result<HashMap<u64, Adopted>> {
        let (singles, mut found) = self.singles.look(usize::MAX)?;
        let (batches, some) = self.batches.look(usize::MAX)?;
        (self.singles.messages, self.batches.messages) = (singles, batches);
        found.extend(some);
        let mut adopted = HashMap::new();
        for socket in found {
            // What is no TCP connection is not ours to judge, and nothing of ours.
            let (Ok(cookie), Ok(counted)) = (kernel::cookie(&socket), kernel::counted(&socket)) else { continue };
            adopted.insert(cookie, Adopted { socket, counted });
        }
        self.open = adopted.len();
        Ok(adopted)
    }

    /// The four ends, in the order of [`crate::systemd::STORED`].
    #[must_use]
    pub fn ends(&self) -> [BorrowedFd<'_>; 4] {
        [self.singles.head.as_fd(), self.singles.tail.as_fd(), self.batches.head.as_fd(), self.batches.tail.as_fd()]
    }

    /// Keeps a connection.
    ///
    /// # Errors
    /// Those of sendmsg(2): it is not kept then.
    pub fn keep(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        match self.singles.send(&[socket]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.gather()?;
                self.singles.send(&[socket])?;
            }
            other => other?,
        }
        self.open += 1;
        // Only now: while this takes its time, this one is kept already.
        if self.singles.messages >= GATHER {
            // What does not succeed now is tried again with the next one.
            let _ = self.gather();
        }
        Ok(())
    }

    /// A connection that is kept was closed: as long as it lies in the queue, the kernel keeps it.
    ///
    /// # Errors
    /// Those of the system calls; what was not done is tried again later.
    pub fn closed(&mut self, cookie: u64) -> io::Result<()> {
        self.closed.insert(cookie);
        self.open = self.open.saturating_sub(1);
        if self.closed.len() > CLOSED.max(self.open) {
            self.gather()?;
            self.go_round()?;
        }
        Ok(())
    }

    /// From `singles` into `batches`.
    fn gather(&mut self) -> io::Result<()> {
        let (messages, sockets) = self.singles.look(usize::MAX)?;
        self.send_on(sockets)?;
        fault::point("merge.batched");
        self.singles.drop_messages(messages)?;
        fault::point("merge.drained");
        Ok(())
    }

    /// From the front of `batches` to its end, once.
    fn go_round(&mut self) -> io::Result<()> {
        let mut left = self.batches.messages;
        while left > 0 {
            let (messages, sockets) = self.batches.look(left.min(ROUND))?;
            if messages == 0 {
                break;
            }
            self.send_on(sockets)?;
            fault::point("rotate.sent");
            self.batches.drop_messages(messages)?;
            fault::point("rotate.dropped");
            left -= messages.min(left);
        }
        // Everything that lay there was looked at: what is not found is in no message any more.
        self.closed.clear();
        Ok(())
    }

    /// Sends those that are not closed to the end of `batches`.
    fn send_on(&mut self, sockets: Vec<OwnedFd>) -> io::Result<()> {
        let mut seen = HashSet::new();
        let open: Vec<_> = sockets
            .into_iter()
            .filter(|socket| {
                kernel::cookie(socket).is_ok_and(|cookie| !self.closed.contains(&cookie) && seen.insert(cookie))
            })
            .collect();
        for some in open.chunks(MOST_DESCRIPTORS) {
            let some: Vec<_> = some.iter().map(AsFd::as_fd).collect();
            self.batches.send(&some)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn connections(count: usize) -> Vec<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let connect = |_| (TcpStream::connect(addr).expect("it listens"), listener.accept().expect("somebody").0);
        (0..count).map(connect).collect()
    }

    fn adopted(queue: &Queue) -> HashMap<u64, Adopted> {
        let ends = queue.ends().map(|end| end.try_clone_to_owned().expect("a descriptor"));
        Queue::of(ends).found().expect("it can be looked at")
    }

    #[test]
    fn those_that_are_open_are_found_whatever_was_closed_meanwhile() {
        let mut queue = Queue::new().expect("a queue");
        let mut open = HashMap::new();
        let mut closed = 0;
        for (client, ours) in connections(700) {
            queue.keep(ours.as_fd()).expect("there is room");
            let cookie = kernel::cookie(&ours).expect("a cookie");
            if open.len() % 3 == 2 && closed < 200 {
                closed += 1;
                drop(ours);
                queue.closed(cookie).expect("it goes on");
                drop(client);
                open.insert(u64::MAX - closed, None);
            } else {
                open.insert(cookie, Some((client, ours)));
            }
        }
        open.retain(|_, kept| kept.is_some());
        let found = adopted(&queue);
        assert!(open.keys().all(|cookie| found.contains_key(cookie)));
        assert!(queue.singles.messages <= GATHER, "{} messages", queue.singles.messages);
        queue.gather().expect("it goes on");
        queue.go_round().expect("it goes on");
        let found = adopted(&queue);
        assert_eq!(found.len(), open.len(), "what is closed is gone");
        assert!(open.keys().all(|cookie| found.contains_key(cookie)));
        assert!(queue.batches.messages <= open.len().div_ceil(MOST_DESCRIPTORS) + 1);
    }

    #[test]
    fn the_kernel_counts_what_was_taken_and_read() {
        use std::io::{Read as _, Write as _};
        let (mut client, mut ours) = connections(1).pop().expect("one");
        ours.set_nonblocking(true).expect("it is ours");
        let counted = || kernel::counted(&client_of(&ours)).expect("it is TCP");
        fn client_of(ours: &TcpStream) -> BorrowedFd<'_> {
            ours.as_fd()
        }
        assert_eq!((counted().taken, counted().read), (0, 0));
        client.write_all(b"hello world").expect("it takes");
        let mut part = [0; 5];
        ours.set_nonblocking(false).expect("it is ours");
        ours.read_exact(&mut part).expect("it came");
        assert_eq!(kernel::counted(&ours).expect("TCP").read, 5);
        ours.set_nonblocking(true).expect("it is ours");
        let mut taken = 0;
        while let Ok(count) = ours.write(&[7; 100_000]) {
            taken += count as u64;
            assert_eq!(kernel::counted(&ours).expect("TCP").taken, taken);
        }
        let mut some = vec![0; 300_000];
        client.read_exact(&mut some).expect("it comes");
        assert_eq!(kernel::counted(&ours).expect("TCP").taken, taken, "whatever the peer has read");
        client.shutdown(std::net::Shutdown::Write).expect("it is open");
        ours.set_nonblocking(false).expect("it is ours");
        assert_eq!(kernel::counted(&ours).expect("TCP").read, 5, "the end is no byte");
        let mut rest = Vec::new();
        ours.read_to_end(&mut rest).expect("it ends");
        assert_eq!(kernel::counted(&ours).expect("TCP").read, 11);
    }
}
