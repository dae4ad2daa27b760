//! The rounds: they make all writes to clients.
//!
//! They have a thread of their own. While that thread sleeps, the driver makes short rounds itself: a few writes take
//! less time than waking a thread. The driver also begins a long round, and leaves the rest to the thread when it has
//! something else to do. Whoever holds the lock on [`Rounds`] makes rounds.
//!
//! The rounds own every room's log and every client's cursor. The driver's orders pile up while a round is under way,
//! and are then taken all at once. In a round each client of a room gets the longest run that it is owed in one system
//! call, however many lines that is. The cost of a write hardly depends on its length: so the busier a room, the
//! cheaper a line.
//!
//! The rounds never wait for a client. A client whose socket is full is left alone until the socket takes more; then it
//! catches up from its cursor.
//!
//! A process that takes over restores the logs and cursors, and applies the same orders again. It passes over the bytes
//! that each client's socket has taken, instead of writing them.
//!
//! The rounds do not know the hub, names, or texts, except the note on missed lines: they are given lines and bytes.
//!
//! | to change | see |
//! | --- | --- |
//! | what the driver can ask of the rounds, and what they report; a step of their thread | this file |
//! | what each order does to a log or a cursor | `orders` |
//! | in which order clients are written to, and when the driver reads | `jobs` |
//! | writing to one client; full sockets; closing | `write` |
//! | encrypted clients: what is sealed when, and made again by a process that takes over | `sealed` |
//! | which clients miss lines, or are given up, because too much waits | `bounds` |
//! | which clients' bytes wait until a record is on disk | `on_disk` |
//! | what the driver writes in its own thread | [`at_once`] |
//! | snapshots of what is owed, and taking over; a test that has the process die at every step | [`replay`], `lives` |

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
    /// Answer with what everybody is owed, in the form that [`Rounds::restore`] reads, and do nothing until the
    /// snapshot counts.
    Snapshot(oneshot::Sender<Vec<u8>>, mpsc::Receiver<()>),
    /// Answer with what everybody is owed, as a value, and go on.
    Freeze(mpsc::Sender<Frozen>),
    /// A snapshot counts: there is room for cuts again.
    Kept,
    /// A client counts as crowded from the start: see [`Report::Crowded`].
    Crowded(SessionId),
    /// Write nothing more to a client until [`Self::OnDisk`] comes for this record: see `on_disk`.
    Await(SessionId, u64),
    /// All records up to this number are on disk, or need not be waited for any longer.
    OnDisk(u64),
    /// Answer as soon as no client is left.
    Drain(oneshot::Sender<()>),
    /// Give up every client that is left, and answer with how many there were.
    Abandon(oneshot::Sender<u64>),
}

/// What the rounds tell the driver.
#[derive(Debug)]
pub enum Report {
    /// Nothing more can be written to a client.
    Gone(SessionId, Farewell),
    /// Much waits for a client alone while its socket is full (`true`), or little does again (`false`).
    Crowded(SessionId, bool),
    /// The connection of a client that was to be closed has ended: the client was written all that it was owed, or
    /// nothing more could be done for it and the connection was reset.
    Finished(SessionId),
}

/// What the rounds count, for status and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Writes made to clients.
    pub writes: AtomicU64,
    /// Bytes written to clients.
    pub bytes: AtomicU64,
    /// Times that a write found a client's socket full.
    pub full: AtomicU64,
    /// Lines of rooms written to clients, each counted once for each of them.
    pub deliveries: AtomicU64,
    /// Lines that clients missed because they were too slow.
    pub missed: AtomicU64,
    /// Clients whose sockets are full now.
    pub behind: AtomicU64,
    /// How far clients were behind when it was their turn.
    pub distances: Distances,
    /// How often the rounds have looked for new orders: a sign of life.
    pub beats: AtomicU64,
}

/// How far clients were behind, looked at whenever it is a client's turn to be written to and its socket takes all of it
/// or no more.
#[derive(Debug, Default)]
pub struct Distances {
    /// How often it was up to each of the [bounds](Self::BOUNDS), and beyond them.
    counts: [AtomicU64; Self::BOUNDS.len() + 1],
    sum: AtomicU64,
}

impl Distances {
    /// In bytes. The first one counts those who are not behind at all.
    pub const BOUNDS: [u64; 8] = [0, 1 << 10, 8 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20];

    /// A client is so many bytes behind.
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

/// What connects the rounds and the driver, in both directions.
#[derive(Clone, Debug, Default)]
pub struct Exchanges {
    /// From the driver: what the rounds are to do.
    pub work: Arc<Exchange<Work>>,
    /// From the rounds: what the driver is to know.
    pub reports: Arc<Exchange<Report>>,
    /// What the rounds count.
    pub counts: Arc<Counts>,
}

/// A client, as the rounds know it.
#[derive(Debug)]
struct Client {
    connection: Arc<Connection>,
    reader: Reader,
    /// Whether the connection is encrypted: then nothing but records may be written to it.
    is_sealed: bool,
    /// What makes records; `None` if the connection is not encrypted, or nothing can be written to it any more.
    sealing: Option<Box<Sealing>>,
    room: Option<RoomId>,
    /// The client's index in its room's list of members.
    seat: usize,
    /// When the client is given up, if its socket takes nothing until then; `None` while the socket is not full.
    full: Option<Instant>,
    /// Nothing is written to the client until this record is on disk.
    awaits: Option<u64>,
    /// How many bytes in the full socket the peer had not acknowledged when the rounds last looked.
    waiting: u64,
    /// Whether the socket is among those that are watched: it was full once.
    watched: bool,
    /// Whether much waits for the client alone, and the driver was told: see [`Report::Crowded`].
    crowded: bool,
    /// Bytes of the client's mail when it was weighed last.
    mail: usize,
    /// Whether the client is among those that catch up, or a [look](jobs::Job::Look) at it is among the jobs.
    queued: bool,
    /// Whether the client is among those that catch up.
    catches_up: bool,
    /// When the client is closed at the latest; before, as soon as it is written all that it is owed. `None` if it
    /// stays.
    closing: Option<Instant>,
    /// Whether the client was reported as [gone](Report::Gone): nothing more is written to it.
    given_up: bool,
    /// How many bytes its socket has taken in all; if the connection is encrypted, how many bytes were sealed.
    sent: u64,
    /// During a replay: the same when the former process died.
    limit: u64,
    /// During a replay: how many bytes its socket had taken at the next recorded cut at which it misses lines. The
    /// replay passes over no more until that cut is made.
    next_cut: u64,
}

/// A room's log, and its readers.
#[derive(Debug, Default)]
struct Room {
    log: Log,
    members: Vec<usize>,
    /// Whether a round is under way, or waits for its turn.
    queued: bool,
    /// Bytes of the log when it was weighed last.
    weight: usize,
    /// Whether the room is closed: then only clients that are being closed are owed lines of it.
    shut: bool,
    /// Whether the log holds more than it may.
    over: bool,
    /// The next member of the round under way.
    at: usize,
    /// The oldest line that a member visited in this round is still owed.
    low: u64,
}

/// The rounds, shared by the two threads that make them: their own, and the driver's.
pub type Shared = Arc<Mutex<Rounds>>;

fn locked(shared: &Shared) -> MutexGuard<'_, Rounds> {
    // A panic in either thread ends the process.
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
    /// A buffer that records are sealed in. Only its memory is kept.
    sealed: Vec<u8>,
    /// Sealed bytes that wait for full sockets, in all.
    waiting: usize,
    /// The connection of the client that the next [`Order::Attach`] attaches.
    coming: Option<Arc<Connection>>,
    /// Answered when no client is left.
    drained: Option<oneshot::Sender<()>>,
    cuts: Cuts,
    /// Whether a cut waits for the next snapshot, because the tape has no room for it.
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

    /// Has full sockets watched in `room_to_write` from now on.
    pub fn watch(&mut self, room_to_write: &Readiness) {
        self.full.watched = Some(room_to_write.sockets().clone());
    }

    /// Makes rounds for ever; the caller aborts it. `room_to_write` is the one given to [`Self::watch`]. It belongs to
    /// the runtime that this runs in, and is made before clients take the last descriptor.
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

    /// Does a part of the work. First come the sockets in `ready`, which take more again.
    fn step(&mut self, ready: &mut Vec<Ready>) -> Next {
        for Ready { key, .. } in ready.drain(..) {
            self.writable(SessionId(key));
        }
        if !self.full.until.is_empty() {
            self.stalled(Instant::now());
        }
        if self.taken.is_empty() {
            // The empty buffer goes back to the exchange, unless it has grown beyond 4,096 entries.
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
        // If the room has many views, only a few lines are rendered before the next slice of writes.
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

    /// Tells how many sockets are full.
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
                // Waits until the driver has copied it. If the driver ends without an answer, the rounds go on.
                let _ = counts.recv();
            }
            Work::Freeze(frozen) => {
                self.cuts.begin(self.orders, 0);
                let _ = frozen.send(self.frozen());
            }
            Work::Kept => {
                // Frames that could not be recorded were not composed: these clients have their turn now.
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

    /// Applies the orders that come before there is any client. Returns what is owed then, for [`Self::restore`].
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
