//! The queue of sockets: every client's connection, kept in flight so that it outlives the process.
//!
//! A descriptor that was sent through a Unix socket and not received yet belongs to the kernel. Both
//! ends of two such sockets are in the service manager's descriptor store: a process that takes over
//! looks at what lies there (`MSG_PEEK`) and has everybody's connection, without taking anything out,
//! so it may die while it does that.
//!
//! One that is accepted goes into `singles`, a message each. When many lie there they go on into
//! `batches`, up to [`MOST_DESCRIPTORS`] in one message, and those that are closed meanwhile are left
//! out. What this process has put there it has at hand; what a former one has it looks at. When many of
//! `batches` are closed, its messages go round once more. In each step they are sent before they are
//! taken: a death in between leaves them twice, which [`kernel::cookie`] tells apart.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, Weak};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use socket2::SockRef;

use super::fault;
use crate::kernel::{self, Carried, MOST_DESCRIPTORS};
use crate::net::connection::Connection;

/// Connections at the front of `singles` from which on they are gathered: a whole message of `batches`.
const GATHER: usize = MOST_DESCRIPTORS;

/// Messages of `batches` that a step of tidying looks at: two that are half empty become one.
const MESSAGES: usize = 2;

/// Room for messages, in bytes (`SO_SNDBUF`, socket(7)): the most that may be asked for by default. The
/// kernel doubles it, and counts 768 for one: 554 of them, twice as many as without asking.
const ROOM: usize = 212_992;

/// Connections that we have ended and whose clients have not, that are adopted at most: their clients may still
/// be reading what they were sent last.
const ENDED: usize = 256;

/// The queue, shared by those who accept and those who close; `None` where nobody keeps it.
pub type Keeping = Option<Arc<Mutex<Queue>>>;

/// Descriptors that the queue opens at most beside those of clients who stay: what two messages carry, and
/// connections that were ended and whose clients may still be reading.
pub const BESIDE: usize = 2 * MOST_DESCRIPTORS + ENDED;

/// Closed connections that may lie in the queue, beside as many as are open.
const CLOSED: usize = 1024;

/// [`CLOSED`]; tests of debug builds set another by `CHATHUB_CLOSED`.
fn most_closed() -> usize {
    let asked = if cfg!(debug_assertions) { std::env::var("CHATHUB_CLOSED").ok() } else { None };
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(CLOSED)
}

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
        // Where less is allowed, less it is: what is full is gathered.
        let _ = SockRef::from(&tail).set_send_buffer_size(ROOM);
        Ok(Self { head, tail, messages: 0 })
    }

    fn send(&mut self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        kernel::send_descriptors(&self.tail, descriptors)?;
        self.messages += 1;
        Ok(())
    }

    fn send_all(&mut self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        descriptors.chunks(MOST_DESCRIPTORS).try_for_each(|some| self.send(some))
    }

    /// Looks at the first `most` messages, one after the other, and hands over what each carries: no more
    /// descriptors are open at a time than one message has, and what is kept of them. Returns how many there are.
    fn each(&self, most: usize, mut see: impl FnMut(Carried) -> io::Result<()>) -> io::Result<usize> {
        kernel::look_from_start(&self.head)?;
        let mut messages = 0;
        while messages < most
            && let Some(carried) = kernel::peek_descriptors(&self.head)?
        {
            messages += 1;
            see(carried)?;
        }
        Ok(messages)
    }

    /// What the first messages carry, at most `most` of them, of what `is_wanted`: as much as fills a message.
    ///
    /// # Errors
    /// Also if that cannot all be open in this process: what is sent on then would not be all of it.
    fn front(&self, most: usize, mut is_wanted: impl FnMut(&OwnedFd) -> bool) -> io::Result<(usize, Vec<OwnedFd>)> {
        kernel::look_from_start(&self.head)?;
        let (mut messages, mut descriptors) = (0, Vec::new());
        while messages < most
            && descriptors.len() < MOST_DESCRIPTORS
            && let Some(carried) = kernel::peek_descriptors(&self.head)?
        {
            if carried.cut_off {
                return Err(nix::errno::Errno::EMFILE.into());
            }
            messages += 1;
            descriptors.extend(carried.descriptors.into_iter().filter(&mut is_wanted));
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
    /// What lies in `singles`, in order, as far as this process has put it there; all of it unless there is
    /// something of a former one.
    recent: VecDeque<Recent>,
    /// So many at the front of `recent` are known.
    known: usize,
    batches: Pair,
    open: usize,
    /// Cookies of those that lie there and are closed, but for those that [`Lap::gone`] holds.
    closed: HashSet<u64>,
    most_closed: usize,
    lap: Option<Lap>,
}

/// A connection in `singles`.
#[derive(Debug)]
struct Recent {
    cookie: u64,
    /// Who has it at hand; `None` as long as that is not told.
    connection: Option<Weak<Connection>>,
}

/// The queue being tidied, a step at a time.
#[derive(Debug)]
struct Lap {
    /// Messages at the front of `singles` that have not been looked at.
    singles: usize,
    /// The same of `batches`, where those of `singles` go first; `None` until they have.
    batches: Option<usize>,
    /// Cookies of those that were closed when the lap began. All of them lay in these messages.
    gone: HashSet<u64>,
    /// Cookies of those that were sent on within one of the two.
    seen: HashSet<u64>,
}

/// What was found in the queue.
#[derive(Debug, Default)]
pub struct Found {
    /// The connections, by cookie.
    pub by_cookie: HashMap<u64, Adopted>,
    /// There are more, and no more descriptors can be open in this process: see [`Queue::keep_only`].
    pub cut_off: bool,
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
        Ok(Self::with(Pair::new()?, Pair::new()?))
    }

    /// The queue whose ends these are, in the order of [`crate::systemd::STORED`].
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

    /// What lies in it. All of it stays there. Closed connections, and what lies there twice, are let go of at once:
    /// so there need be no more descriptors than for the open ones and [`BESIDE`].
    ///
    /// # Errors
    /// Those of the system calls.
    pub fn found(&mut self) -> io::Result<Found> {
        let mut found = Found::default();
        let (mut gone, mut ended) = (HashSet::new(), 0);
        let mut see = |Carried { descriptors, cut_off }| {
            found.cut_off |= cut_off;
            for socket in descriptors {
                // What is no TCP connection is not ours to judge, and nothing of ours.
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

    /// Hands over each connection that lies there, one message at a time, some of them twice.
    ///
    /// # Errors
    /// Those of the system calls.
    pub fn each_socket(&self, mut see: impl FnMut(OwnedFd)) -> io::Result<()> {
        for pair in [&self.singles, &self.batches] {
            pair.each(usize::MAX, |carried| {
                carried.descriptors.into_iter().for_each(&mut see);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Lets go of all connections but those with these cookies: nobody serves them. They are ended.
    ///
    /// # Errors
    /// Those of the system calls; some may have been let go of by then.
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

    /// The four ends, in the order of [`crate::systemd::STORED`].
    #[must_use]
    pub fn ends(&self) -> [BorrowedFd<'_>; 4] {
        [self.singles.head.as_fd(), self.singles.tail.as_fd(), self.batches.head.as_fd(), self.batches.tail.as_fd()]
    }

    /// Keeps a connection, which the kernel knows by `cookie`.
    ///
    /// # Errors
    /// Those of sendmsg(2): it is not kept then.
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

    /// Who has a connection at hand that was kept. It is asked for it when the queue is gathered, unless
    /// the connection is [closed](Self::closed) by then.
    pub fn known(&mut self, connection: &Arc<Connection>) {
        // In the order in which they were kept, mostly.
        let place = self.recent.iter_mut().skip(self.known).find(|recent| recent.cookie == connection.cookie);
        if let Some(recent) = place {
            recent.connection = Some(Arc::downgrade(connection));
        }
        while self.recent.get(self.known).is_some_and(|recent| recent.connection.is_some()) {
            self.known += 1;
        }
        if self.known >= GATHER {
            // What does not succeed now is tried again with the next one.
            let _ = self.gather();
        }
    }

    /// A connection that is kept was closed: as long as it lies in the queue, the kernel keeps it. Returns whether the
    /// queue is to be tidied, by [`step`](Self::step).
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

    /// A step of tidying: about one message's worth of sockets is looked at, and those that are open are sent on.
    /// Returns whether there is more to do. What is closed meanwhile is left for the next lap.
    ///
    /// # Errors
    /// Those of the system calls; the lap ends then, and another begins when one more connection is closed.
    pub fn step(&mut self) -> io::Result<bool> {
        self.step_of(GATHER, MESSAGES)
    }

    /// All of a lap at once.
    fn tidy(&mut self) -> io::Result<()> {
        self.end_lap();
        self.begin_lap();
        while self.step_of(usize::MAX, usize::MAX)? {}
        Ok(())
    }

    fn begin_lap(&mut self) {
        // They are looked at, not asked for: nothing is known of those in front of what is kept from now on.
        self.recent.clear();
        self.known = 0;
        let (singles, gone) = (self.singles.messages, std::mem::take(&mut self.closed));
        self.lap = Some(Lap { singles, batches: None, gone, seen: HashSet::new() });
    }

    /// Ends a lap that was not gone to its end: what was closed may still lie there.
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
            // Everything that lay there was looked at: those that were closed are in no message any more.
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

    /// From the front of `singles` into `batches`, as far as they are at hand; all if none is.
    fn gather(&mut self) -> io::Result<()> {
        if self.known == 0 || self.recent.len() != self.singles.messages {
            return self.gather_all();
        }
        let front = || self.recent.iter().take(self.known);
        // None of them was closed when a lap began that is under way: it forgot those that lay here.
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
        // They lie nowhere any more.
        for cookie in closed {
            self.closed.remove(&cookie);
        }
        self.singles.drop_messages(count)?;
        fault::point("merge.drained");
        Ok(())
    }

    /// From `singles` into `batches`, by looking at what lies there.
    fn gather_all(&mut self) -> io::Result<()> {
        self.recent.clear();
        self.known = 0;
        let mut seen = HashSet::new();
        if let Some(lap) = &mut self.lap {
            // Nothing of what it has to look at is left there.
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

/// Whether a connection is not among those that are gone, nor among those seen.
fn is_new(socket: &OwnedFd, is_gone: impl Fn(&u64) -> bool, seen: &mut HashSet<u64>) -> bool {
    kernel::cookie(socket).is_ok_and(|cookie| !is_gone(&cookie) && seen.insert(cookie))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::id::SessionId;
    use std::net::{TcpListener, TcpStream};

    fn connections(count: usize) -> Vec<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let connect = |_| (TcpStream::connect(addr).expect("it listens"), listener.accept().expect("somebody").0);
        (0..count).map(connect).collect()
    }

    fn adopted(queue: &Queue) -> HashMap<u64, Adopted> {
        let ends = queue.ends().map(|end| end.try_clone_to_owned().expect("a descriptor"));
        Queue::of(ends).found().expect("it can be looked at").by_cookie
    }

    /// Keeps 700, of whom one in three is closed as long as `closes` says; `is_told` says of whom the queue
    /// is told who has it at hand, and whether that is at once or ten later.
    fn check(closes: usize, is_told: impl Fn(usize) -> Option<usize>) {
        let mut queue = Queue::new().expect("a queue");
        let (mut open, mut late, mut clients) = (HashMap::new(), VecDeque::new(), Vec::new());
        let mut closed = 0;
        for (number, (client, ours)) in connections(700).into_iter().enumerate() {
            let cookie = kernel::cookie(&ours).expect("a cookie");
            queue.keep(ours.as_fd(), cookie).expect("there is room");
            let id = SessionId(number as u64);
            let connection = Arc::new(Connection::new(id, cookie, Some(ours.into())));
            if let Some(later) = is_told(number) {
                late.push_back((number + later, Arc::downgrade(&connection)));
            }
            while late.front().is_some_and(|(when, _)| *when <= number) {
                if let Some((_, connection)) = late.pop_front()
                    && let Some(connection) = connection.upgrade()
                {
                    queue.known(&connection);
                }
            }
            clients.push(client);
            if number % 3 == 2 && closed < closes {
                closed += 1;
                connection.abort();
                if queue.closed(cookie) {
                    // One step now, the rest with others.
                    queue.step().expect("it goes on");
                }
                // One in two is still held by somebody.
                if closed % 2 == 0 {
                    open.insert(u64::MAX - number as u64, connection);
                }
            } else {
                open.insert(cookie, connection);
            }
        }
        let found = adopted(&queue);
        open.retain(|cookie, connection| *cookie == connection.cookie);
        assert!(open.keys().all(|cookie| found.contains_key(cookie)));
        assert!(queue.batches.messages > 0, "some were gathered");
        queue.tidy().expect("it goes on");
        let found = adopted(&queue);
        assert_eq!(found.len(), open.len(), "what is closed is gone");
        assert!(open.keys().all(|cookie| found.contains_key(cookie)));
        assert!(queue.batches.messages <= open.len().div_ceil(MOST_DESCRIPTORS) + 1);
        assert!(queue.closed.is_empty() && queue.recent.is_empty());
    }

    #[test]
    fn those_that_are_open_are_found_whatever_was_closed_meanwhile() {
        for closes in [0, 200] {
            check(closes, |_| None);
            check(closes, |_| Some(0));
            check(closes, |_| Some(10));
            // Out of order, as where several listeners take connections.
            check(closes, |number| Some(number * 7 % 13));
            check(closes, |number| (number % 100 != 50).then_some(0));
        }
    }

    #[test]
    fn what_is_at_hand_goes_on_in_whole_messages_and_those_who_left_take_no_place() {
        let mut queue = Queue::new().expect("a queue");
        let mut held = Vec::new();
        for (number, (client, ours)) in connections(3 * GATHER).into_iter().enumerate() {
            let cookie = kernel::cookie(&ours).expect("a cookie");
            queue.keep(ours.as_fd(), cookie).expect("there is room");
            let connection = Arc::new(Connection::new(SessionId(number as u64), cookie, Some(ours.into())));
            if number >= 2 * GATHER {
                // Visitors.
                connection.abort();
                queue.closed(cookie);
            }
            queue.known(&connection);
            held.push((client, connection));
        }
        assert_eq!((queue.batches.messages, queue.singles.messages), (2, 0));
        assert!(queue.closed.is_empty(), "they lie nowhere");
        assert_eq!(adopted(&queue).len(), 2 * GATHER);
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

    /// What a connection has taken that we have ended is what its replay passes over: with the end counted in it,
    /// whoever has left would have taken more than it was sent, and count as lost.
    #[test]
    fn our_end_is_no_byte_whether_or_not_it_has_arrived() {
        use std::io::{Read as _, Write as _};
        let end = |stream: &TcpStream| stream.shutdown(Shutdown::Write).expect("it is open");
        let counted = |ours: &TcpStream| {
            let kernel::Counted { dead, finished, taken, .. } = kernel::counted(ours).expect("it is TCP");
            assert!(!dead && finished);
            taken
        };
        let [(mut early, ours_early), (mut late, ours_late)] = connections(2).try_into().expect("two connections");

        // It has arrived when the other side has seen it.
        (&ours_early).write_all(b"goodbye\r\n").expect("it takes");
        end(&ours_early);
        let mut seen = Vec::new();
        early.read_to_end(&mut seen).expect("it ends");
        assert_eq!(counted(&ours_early), seen.len() as u64);

        // It cannot arrive while what is before it finds no room.
        ours_late.set_nonblocking(true).expect("it is ours");
        let mut taken = 0;
        while let Ok(count) = (&ours_late).write(&[7; 100_000]) {
            taken += count as u64;
        }
        end(&ours_late);
        assert!(kernel::unacknowledged(&ours_late).expect("it is TCP") > 1);
        assert_eq!(counted(&ours_late), taken);
        // The other side ends as well, and has not seen ours.
        end(&late);
        assert_eq!(counted(&ours_late), taken);
        let mut seen = Vec::new();
        late.read_to_end(&mut seen).expect("it ends");
        assert_eq!(seen.len() as u64, taken);
    }
}
