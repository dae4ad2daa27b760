//! The rounds make all writes to clients.
//!
//! They have a thread of their own. While that thread sleeps, the driver makes short rounds itself,
//! because a few writes take less time than waking a thread. The driver also begins a long round
//! while it has nothing else to do, and then leaves the rest to the thread. Either of them makes
//! rounds only while it holds the lock on [`Rounds`].
//!
//! The rounds own every room's log and every client's cursor. The driver's orders pile up during a
//! round, and are then taken all at once. In a round, each member of a room is sent the longest run
//! of bytes that it is owed, in one system call, however many lines that is. The cost of a write
//! hardly depends on its length: so the busier a room is, the less a line costs.
//!
//! The rounds never wait for a client. A client whose socket is full is left alone until the socket
//! takes more; then it catches up from its cursor.
//!
//! A process that takes over restores the logs and cursors, and applies the same orders again. It
//! passes over the bytes that each client's socket has taken already, instead of writing them
//! again.
//!
//! The rounds do not know the hub, nor names, nor texts, except the note on missed lines. They are
//! given lines and bytes.
//!
//! | to change | see |
//! | --- | --- |
//! | the orders to the rounds, their reports; a step of their thread | this file |
//! | what each order does to a log or a cursor | `orders` |
//! | in which order clients are written to, and when the driver reads | `jobs` |
//! | writing to one client; full sockets; closing | `write` |
//! | encrypted clients: sealing records, making them again after taking over | `sealed` |
//! | which clients miss lines, or are given up, because too much waits | `bounds` |
//! | which clients' bytes wait until a record is on disk | `on_disk` |
//! | writes that the driver does in its own thread | [`at_once`] |
//! | snapshots of the bytes owed, and taking over | [`replay`] |
//! | the test in which processes die one after another | `lives` |

pub mod at_once;
mod bounds;
mod jobs;
mod on_disk;
mod orders;
pub mod replay;
mod sealed;
mod write;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use slab::Slab;
use tokio::sync::oneshot;
use tokio::time::Instant;

use self::at_once::RENDERED;
use self::bounds::Weights;
use self::jobs::{Jobs, SLICE};
use self::on_disk::Awaiting;
use self::replay::{Frozen, Replaying};
use self::sealed::Sealing;
use self::write::FullSockets;
use crate::hub::message::Farewell;
use crate::machine::{Limits, Order, Outcome};
use crate::net::connection::Connection;
use crate::net::exchange::Exchange;
use crate::net::keep::tape::Cuts;
use crate::net::numbered::Numbered;
use crate::net::readiness::{Readiness, Ready};
use crate::values::id::{RoomId, SessionId};
use crate::wire::stream::log::Log;
use crate::wire::stream::reader::Reader;

/// What the rounds are to do, in order.
#[derive(Debug)]
pub enum Work {
    /// The connection of the client that the next [`Order::Attach`] attaches.
    Connection(Arc<Connection>),
    /// An order of the state machine.
    Order(Order),
    /// Answer with what all clients are owed, in the form that [`Rounds::restore`] reads. Then do
    /// nothing until the driver says that the snapshot counts.
    Snapshot(oneshot::Sender<Vec<u8>>, mpsc::Receiver<()>),
    /// Answer with what all clients are owed, as a value, and go on.
    Freeze(mpsc::Sender<Frozen>),
    /// A snapshot counts: the tape has room for cuts again.
    Kept,
    /// The client was crowded in the former process, and is until the rounds report otherwise: see
    /// [`Report::Crowded`].
    Crowded(SessionId),
    /// Write nothing more to the client until [`Self::OnDisk`] comes for this record: see
    /// `on_disk`.
    Await(SessionId, u64),
    /// All records up to this number are on disk, or need not be waited for any longer.
    OnDisk(u64),
    /// Answer as soon as no client is left.
    Drain(oneshot::Sender<()>),
    /// Give up every client that is left, and answer with how many there were.
    Abandon(oneshot::Sender<u64>),
}

/// A report of the rounds to the driver.
#[derive(Debug)]
pub enum Report {
    /// Nothing more can be written to the client.
    Gone(SessionId, Farewell),
    /// The client's socket is full, and much mail waits for it (`true`); or little does again
    /// (`false`).
    Crowded(SessionId, bool),
    /// The connection of a client that was to be closed has ended. Either all that it was owed is
    /// written, or the connection was reset.
    Finished(SessionId),
}

/// What the rounds count, for status and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Writes made to clients.
    pub writes: AtomicU64,
    /// Bytes written to clients.
    pub bytes: AtomicU64,
    /// Writes that found a client's socket full.
    pub full: AtomicU64,
    /// Deliveries: lines of rooms written to clients, each counted once for each client.
    pub deliveries: AtomicU64,
    /// Lines that clients missed because they were too slow.
    pub missed: AtomicU64,
    /// Clients whose sockets are full now.
    pub behind: AtomicU64,
    /// How far behind clients were when it was their turn.
    pub distances: Distances,
    /// How often the rounds' thread has looked for work: a sign of life for the watchdog.
    pub beats: AtomicU64,
}

/// A histogram of how many bytes clients were behind: counted at each client's turn, after its
/// socket has taken all that it was owed, or is full.
#[derive(Debug, Default)]
pub struct Distances {
    /// For each of the [bounds](Self::BOUNDS), the clients that were at most so far behind; at the
    /// end, those beyond the last bound.
    counts: [AtomicU64; Self::BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Distances {
    /// The upper bounds, in bytes. The first one counts clients that are not behind at all.
    pub const BOUNDS: [u64; 8] = [0, 1 << 10, 8 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20];

    /// Counts a client that is this many bytes behind.
    fn note(&self, bytes: u64) {
        let place = Self::BOUNDS.partition_point(|bound| *bound < bytes);
        self.counts[place].fetch_add(1, Ordering::Relaxed);
        if bytes > 0 {
            self.sum.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// The counts, and the sum of all distances.
    #[must_use]
    pub fn all(&self) -> ([u64; Self::BOUNDS.len() + 1], u64) {
        (self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)), self.sum.load(Ordering::Relaxed))
    }
}

/// The queues between the driver and the rounds, one for each direction.
#[derive(Clone, Debug, Default)]
pub struct Exchanges {
    /// From the driver to the rounds.
    pub work: Arc<Exchange<Work>>,
    /// From the rounds to the driver.
    pub reports: Arc<Exchange<Report>>,
    /// What the rounds count.
    pub counts: Arc<Counts>,
}

/// A client, as the rounds know it.
#[derive(Debug)]
struct Client {
    connection: Arc<Connection>,
    reader: Reader,
    /// Whether the connection is encrypted: then only records may be written to it.
    is_sealed: bool,
    /// Makes records. `None` if the connection is not encrypted, or nothing can be written to it
    /// any more.
    sealing: Option<Box<Sealing>>,
    room: Option<RoomId>,
    /// The client's index in its room's list of members.
    seat: usize,
    /// The give-up deadline: when the client is given up, unless its socket takes something before.
    /// `None` while the socket is not full.
    full: Option<Instant>,
    /// The record that must be on disk before anything is written to the client.
    awaits: Option<u64>,
    /// Bytes in the full socket that the peer had not acknowledged when the rounds last looked.
    waiting: u64,
    /// Whether the socket is in the set that is watched. It is from the first time that it was
    /// full.
    watched: bool,
    /// Whether [`Report::Crowded`] was sent to the driver for this client.
    crowded: bool,
    /// Bytes of the client's mail when it was weighed last.
    mail: usize,
    /// Whether the client is among those that catch up, or a [visit](jobs::Job::Look) to it is
    /// among the jobs.
    queued: bool,
    /// Whether the client is among those that catch up.
    catches_up: bool,
    /// When a client that is being closed is closed at the latest. It is closed before, as soon as
    /// all that it is owed is written. `None` if it stays.
    closing: Option<Instant>,
    /// Whether the client was given up, and reported as [gone](Report::Gone): nothing more is
    /// written to it.
    given_up: bool,
    /// Bytes that the client was sent in all: those that its socket has taken, or, of an encrypted
    /// connection, those that were sealed.
    sent: u64,
    /// During a replay: `sent` as it was when the former process died.
    limit: u64,
    /// During a replay: `sent` at the next recorded cut at which the client misses lines. The
    /// replay passes over no byte behind it before that cut is made.
    next_cut: u64,
}

/// A room's log, and its readers.
#[derive(Debug, Default)]
struct Room {
    log: Log,
    members: Vec<usize>,
    /// Whether a round of it is under way, or waits for its turn.
    queued: bool,
    /// Bytes of the log, as weighed last.
    weight: usize,
    /// Whether the room is closed. Only clients that are being closed can still be owed lines of
    /// it.
    shut: bool,
    /// Whether the log is over its bound.
    over: bool,
    /// The index in `members` of the next one to visit in this round.
    at: usize,
    /// The oldest line that one of the members visited in this round is still owed.
    low: u64,
}

/// The rounds, shared by the two threads that make them: their own, and the driver's.
pub type Shared = Arc<Mutex<Rounds>>;

fn locked(shared: &Shared) -> MutexGuard<'_, Rounds> {
    // A panic in either thread ends the process, so nothing has to be done about a poisoned lock.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the rounds' thread does next, after a step of its work.
enum Next {
    /// Make the next step: there may be more to do.
    More,
    /// Ask which full sockets take more, then make the next step.
    MoreAndSockets,
    /// Sleep until this moment, or until work comes or a full socket takes more.
    Nothing(Option<Instant>),
}

/// The rounds' state: all logs and all cursors, and what is still to be written.
pub struct Rounds {
    exchanges: Exchanges,
    /// Work taken from the exchange and not applied yet.
    taken: VecDeque<Work>,
    limits: Limits,
    clients: Slab<Box<Client>>,
    keys: Numbered<SessionId, usize>,
    rooms: Numbered<RoomId, Room>,
    jobs: Jobs,
    full: FullSockets,
    weights: Weights,
    awaiting: Awaiting,
    /// The buffer in which records are sealed. It is kept for its memory alone.
    sealed: Vec<u8>,
    /// Sealed bytes that wait for full sockets, of all clients.
    waiting: usize,
    /// The connection of the client that the next [`Order::Attach`] attaches.
    coming: Option<Arc<Connection>>,
    /// Where to answer [`Work::Drain`] when no client is left.
    drained: Option<oneshot::Sender<()>>,
    cuts: Cuts,
    /// Whether the tape had no room for a cut: it is made after the next snapshot.
    cuts_full: bool,
    /// Orders applied since this process began.
    orders: u64,
    /// `Some` while the orders of a former process are replayed.
    replaying: Option<Replaying>,
}

impl Rounds {
    /// Rounds that take their work from `exchanges`.
    #[must_use]
    pub fn new(exchanges: Exchanges, limits: Limits, cuts: Cuts) -> Self {
        Self {
            exchanges,
            taken: VecDeque::new(),
            limits,
            clients: Slab::new(),
            keys: Numbered::default(),
            rooms: Numbered::default(),
            jobs: Jobs::new(),
            full: FullSockets::default(),
            weights: Weights::default(),
            awaiting: Awaiting::default(),
            sealed: Vec::new(),
            waiting: 0,
            coming: None,
            drained: None,
            cuts,
            cuts_full: false,
            orders: 0,
            replaying: None,
        }
    }

    /// From now on, full sockets are watched in the set `room_to_write`.
    pub fn watch(&mut self, room_to_write: &Readiness) {
        self.full.watched = Some(room_to_write.sockets().clone());
    }

    /// Makes rounds for ever; the caller aborts it. `room_to_write` is the set given to
    /// [`Self::watch`]. It must belong to the runtime that this task runs in, and be made before
    /// clients take the last descriptor.
    pub async fn run(shared: Shared, mut room_to_write: Readiness) -> Infallible {
        let (work, counts) = {
            let rounds = locked(&shared);
            (rounds.exchanges.work.clone(), rounds.exchanges.counts.clone())
        };
        let mut ready = Vec::new();
        loop {
            counts.beats.fetch_add(1, Ordering::Relaxed);
            // The lock is held during the step, and not while waiting.
            let next = locked(&shared).step(&mut ready);
            match next {
                Next::More => {}
                Next::MoreAndSockets => _ = room_to_write.take(&mut ready),
                Next::Nothing(until) => {
                    tokio::select! {
                        biased;
                        () = work.wait() => {}
                        // When the runtime ends, it wakes nobody any more.
                        Ok(()) = room_to_write.wait(&mut ready) => {}
                        () = tokio::time::sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
                    }
                }
            }
        }
    }

    /// Makes one step of the work. `ready` are sockets that were full and take more now: their
    /// clients come first.
    fn step(&mut self, ready: &mut Vec<Ready>) -> Next {
        for Ready { key, .. } in ready.drain(..) {
            self.writable(SessionId(key));
        }
        if !self.full.until.is_empty() {
            self.stalled(Instant::now());
        }
        if self.taken.is_empty() {
            // The empty buffer goes back to the exchange, unless it has room for more than 4,096
            // entries.
            let mut taken = Vec::from(std::mem::take(&mut self.taken));
            if taken.capacity() > 4096 {
                taken = Vec::new();
            }
            self.exchanges.work.take(&mut taken, self.jobs.readiness());
            self.taken = taken.into();
        }
        if self.taken.is_empty() && self.jobs.is_idle() {
            self.count_behind();
            return Next::Nothing(self.full.until.first().map(|(until, _)| *until));
        }
        // In a room with many views a line costs more to render. So fewer lines are taken before
        // the next slice of writes.
        let mut left = RENDERED;
        while self.weights.over == 0
            && left > 0
            && let Some(work) = self.taken.pop_front()
        {
            if let Work::Order(Order::Post(id, _)) = &work {
                left = left.saturating_sub(self.views(*id));
            }
            self.apply(work);
        }
        self.jobs.begin_lap();
        self.make_rounds(&mut SLICE.clone());
        self.let_catch_up();
        self.tell_if_drained();
        self.count_behind();
        if self.full.until.is_empty() { Next::More } else { Next::MoreAndSockets }
    }

    /// Publishes how many sockets are full.
    fn count_behind(&self) {
        self.exchanges.counts.behind.store(self.full.until.len() as u64, Ordering::Relaxed);
    }

    /// Answers [`Work::Drain`] if no client is left.
    fn tell_if_drained(&mut self) {
        if self.clients.is_empty()
            && let Some(drained) = self.drained.take()
        {
            let _ = drained.send(());
        }
    }

    /// Applies one piece of work. What follows from it is written later, by jobs.
    fn apply(&mut self, work: Work) {
        match work {
            Work::Connection(connection) => self.coming = Some(connection),
            Work::Order(order) => self.apply_order(order),
            Work::Snapshot(owed, counts) => {
                self.cuts.begin(self.orders, 0);
                let _ = owed.send(self.saved());
                // Waits until the driver has copied the answer. If the driver ends instead, the
                // rounds go on.
                let _ = counts.recv();
            }
            Work::Freeze(frozen) => {
                self.cuts.begin(self.orders, 0);
                let _ = frozen.send(self.frozen());
            }
            Work::Kept => {
                // Frames were not composed while the tape had no room for their cuts. The clients
                // that wait for one have their turn now.
                if std::mem::take(&mut self.cuts_full) {
                    let typing = self.clients.iter().filter(|(_, client)| client.reader.is_typing());
                    for key in typing.map(|(key, _)| key).collect::<Vec<_>>() {
                        self.look(key);
                    }
                }
            }
            Work::Crowded(id) => {
                if let Some(key) = self.key(id) {
                    self.clients[key].crowded = true;
                    self.look(key);
                }
            }
            Work::Await(id, record) => self.await_record(id, record),
            Work::OnDisk(through) => self.on_disk(through),
            Work::Drain(drained) => self.drained = Some(drained),
            Work::Abandon(answer) => {
                let _ = answer.send(self.clients.len() as u64);
                for client in self.clients.drain() {
                    client.connection.abort();
                }
                self.weights.no_mail();
                self.waiting = 0;
                self.keys.clear();
                self.jobs.clear();
                self.full.until.clear();
                self.awaiting.clear();
            }
        }
    }

    /// Applies the orders that come before there is any client. Returns the logs and cursors after
    /// them, in the form that [`Self::restore`] reads.
    pub fn begin(&mut self, outcomes: Vec<Outcome>) -> Vec<u8> {
        for outcome in outcomes {
            if let Outcome::Order(order) = outcome {
                self.apply_order(order);
            }
        }
        self.cuts.begin(self.orders, 0);
        self.saved()
    }
}

#[cfg(test)]
mod lives;
#[cfg(test)]
mod tests;
