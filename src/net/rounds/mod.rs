//! The rounds: they make all writes to clients.
//!
//! They have a thread of their own. While that sleeps, the driver makes short rounds itself, which takes less time than
//! waking the thread; a long round it begins, and leaves to the thread when it has something else to do. A lock says
//! which of the two makes rounds.
//!
//! They own every room's log and every client's cursor. What the driver orders piles up while a round
//! is under way and is taken all at once; then each client of a room is written the longest run it
//! is owed, in one system call however many lines that is. What a write costs hardly depends on its
//! length: so the busier a room, the cheaper a line.
//!
//! Nothing here waits for a client. One whose socket is full is left alone until the socket says
//! that it takes more, and catches up from its cursor.
//!
//! A process that takes over restores the logs and cursors and applies the same orders again: the bytes that each
//! client's socket had taken are passed over then instead of written.
//!
//! The rounds know no hub, no names and no texts but those for lines that were missed: they are given lines and bytes.
//!
//! | to change | see |
//! | --- | --- |
//! | what the driver can ask of the rounds, and what they report; a step of their thread | this file |
//! | what each order does to a log or a cursor | `orders` |
//! | in which order clients are written to, and when the driver reads | `jobs` |
//! | writing to one client; full sockets; closing | `write` |
//! | which clients miss lines, or are given up, because too much waits | `bounds` |
//! | who is answered only when a record is on disk | `on_disk` |
//! | what the driver writes itself | [`at_once`] |
//! | snapshots of what is owed, and taking over; a test that dies at every step of it | [`replay`], `lives` |

pub mod at_once;
mod bounds;
mod jobs;
mod on_disk;
mod orders;
pub mod replay;
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
    /// The connection of the client that is attached next.
    Connection(Arc<Connection>),
    /// An order of the state machine.
    Order(Order),
    /// Answer with what everybody is owed, as [`Rounds::restore`] reads it, and do nothing until the snapshot counts.
    Snapshot(oneshot::Sender<Vec<u8>>, mpsc::Receiver<()>),
    /// Answer with what everybody is owed, as a value, and continue.
    Freeze(mpsc::Sender<Frozen>),
    /// A snapshot counts: there is room for cuts again.
    Kept,
    /// A client counts as crowded: see [`Report::Crowded`].
    Crowded(SessionId),
    /// A client is written nothing more until [`Self::OnDisk`] has come for this record: see [`on_disk`].
    Await(SessionId, u64),
    /// All records up to this number are on disk, or are waited for no longer.
    OnDisk(u64),
    /// Answer when no client is left.
    Drain(oneshot::Sender<()>),
    /// Give up every client that is left, and answer with their number.
    Abandon(oneshot::Sender<u64>),
}

/// What the rounds tell the driver.
#[derive(Debug)]
pub enum Report {
    /// Nothing more can be written to a client.
    Gone(SessionId, Farewell),
    /// Too much waits for a client alone, for its socket is full (`true`); or it has taken enough of it (`false`).
    Crowded(SessionId, bool),
    /// A client that was to be closed got all it was owed, and its output was ended; or nothing more
    /// can be done for it, and the connection was broken off.
    Finished(SessionId),
}

/// What the rounds count, for status and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Writes made to clients.
    pub writes: AtomicU64,
    /// Bytes written to clients.
    pub bytes: AtomicU64,
    /// Times that a client's socket was full.
    pub full: AtomicU64,
    /// Lines that clients were too slow for.
    pub missed: AtomicU64,
    /// Rises whenever the rounds have looked for new orders: a sign of life.
    pub beats: AtomicU64,
}

/// What the rounds and the driver hand each other.
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
    room: Option<RoomId>,
    /// Its index in its room's list of members.
    seat: usize,
    /// The time at which the client is given up, if its socket is full and takes nothing until then.
    full: Option<Instant>,
    /// Nothing is written to it until this record is on disk.
    awaits: Option<u64>,
    /// Bytes in the full socket that the client's system had not acknowledged when that was asked last.
    waiting: u64,
    /// The socket is in the set of those that are watched, for it was full once.
    watched: bool,
    /// Too much waits for it alone, and the driver was told: see [`Report::Crowded`].
    crowded: bool,
    /// Bytes of its mail when that was weighed last.
    mail: usize,
    /// A look at it is among the jobs, or it is among those who catch up.
    queued: bool,
    /// It is among those who catch up.
    catches_up: bool,
    /// The client is closed when it has been written everything, and at this moment at the latest.
    closing: Option<Instant>,
    /// It was reported to the driver; nothing more is written.
    given_up: bool,
    /// Bytes that its socket has taken in all.
    sent: u64,
    /// During a replay: bytes that its socket has taken in all.
    limit: u64,
    /// During a replay: bytes taken at the next recorded cut, where the replay pauses.
    next_cut: u64,
}

/// A room's log, and who reads it.
#[derive(Debug, Default)]
struct Room {
    log: Log,
    members: Vec<usize>,
    /// A round is under way, or waits for its turn.
    queued: bool,
    /// Bytes of its log when that was weighed last.
    weight: usize,
    /// The room is closed: only clients that are being closed are owed lines of it.
    shut: bool,
    /// Its log holds more than it may.
    over: bool,
    /// The next member of the round under way.
    at: usize,
    /// The oldest line that is still owed to a member visited in this round.
    low: u64,
}

/// The rounds, shared by the two that make them: their own thread, and the driver.
pub type Shared = Arc<Mutex<Rounds>>;

fn locked(shared: &Shared) -> MutexGuard<'_, Rounds> {
    // A panic of either thread is the end of the process.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the rounds' thread does after a step of its work.
enum Next {
    /// The next step: there may be more to do.
    More,
    /// The next step, after a look at which full sockets take more.
    MoreAndSockets,
    /// It sleeps until this moment, or until work comes or a full socket takes more.
    Nothing(Option<Instant>),
}

/// The rounds' state: all logs and all cursors, and what is still to be written.
pub struct Rounds {
    exchanges: Exchanges,
    /// Work that was taken from the exchange and waits to be applied.
    taken: VecDeque<Work>,
    limits: Limits,
    clients: Slab<Box<Client>>,
    keys: Numbered<SessionId, usize>,
    rooms: Numbered<RoomId, Room>,
    jobs: Jobs,
    full: FullSockets,
    weights: Weights,
    awaiting: Awaiting,
    /// The connection of the client that the next [`Order::Attach`] attaches.
    coming: Option<Arc<Connection>>,
    /// To be told when no client is left.
    drained: Option<oneshot::Sender<()>>,
    cuts: Cuts,
    /// Whether a cut waits for room on the tape, until the next snapshot.
    cuts_full: bool,
    /// Orders applied since this process began.
    orders: u64,
    /// `Some` while the orders of a former process are replayed.
    replaying: Option<Replaying>,
}

impl Rounds {
    /// Rounds that do the work that is left in `exchanges`.
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
            coming: None,
            drained: None,
            cuts,
            cuts_full: false,
            orders: 0,
            replaying: None,
        }
    }

    /// Where full sockets will be watched from now on.
    pub fn watch(&mut self, room_to_write: &Readiness) {
        self.full.watched = Some(room_to_write.sockets().clone());
    }

    /// Makes rounds for ever; ends by being aborted. `room_to_write` is what [`Self::watch`] was told: it belongs to the
    /// runtime that this runs in, and is made before clients take the last descriptor.
    pub async fn run(shared: Shared, mut room_to_write: Readiness) -> Infallible {
        let (work, counts) = {
            let rounds = locked(&shared);
            (rounds.exchanges.work.clone(), rounds.exchanges.counts.clone())
        };
        let mut ready = Vec::new();
        loop {
            counts.beats.fetch_add(1, Ordering::Relaxed);
            // The lock is held for the step alone.
            let next = locked(&shared).step(&mut ready);
            match next {
                Next::More => {}
                Next::MoreAndSockets => _ = room_to_write.take(&mut ready),
                Next::Nothing(until) => {
                    tokio::select! {
                        biased;
                        () = work.wait() => {}
                        // At its end the runtime wakes nobody any more.
                        Ok(()) = room_to_write.wait(&mut ready) => {}
                        () = tokio::time::sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
                    }
                }
            }
        }
    }

    /// Does a part of the work, beginning with sockets that are ready.
    fn step(&mut self, ready: &mut Vec<Ready>) -> Next {
        for Ready { key, .. } in ready.drain(..) {
            self.writable(SessionId(key));
        }
        if !self.full.until.is_empty() {
            self.stalled(Instant::now());
        }
        if self.taken.is_empty() {
            // The empty buffer goes back to the exchange, unless it has grown out of measure.
            let mut taken = Vec::from(std::mem::take(&mut self.taken));
            if taken.capacity() > 4096 {
                taken = Vec::new();
            }
            self.exchanges.work.take(&mut taken, self.jobs.readiness());
            self.taken = taken.into();
        }
        if self.taken.is_empty() && self.jobs.is_idle() {
            return Next::Nothing(self.full.until.first().map(|(until, _)| *until));
        }
        // Where each line is rendered in many ways, only some lines before the next slice of writes.
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
        if self.full.until.is_empty() { Next::More } else { Next::MoreAndSockets }
    }

    /// Answers [`Work::Drain`] if no client is left.
    fn tell_if_drained(&mut self) {
        if self.clients.is_empty()
            && let Some(drained) = self.drained.take()
        {
            let _ = drained.send(());
        }
    }

    /// Does one piece of work; what is to be written is left to the jobs.
    fn apply(&mut self, work: Work) {
        match work {
            Work::Connection(connection) => self.coming = Some(connection),
            Work::Order(order) => self.apply_order(order),
            Work::Snapshot(owed, counts) => {
                self.cuts.begin(self.orders, 0);
                let _ = owed.send(self.saved());
                // Until the driver has copied it. If the driver ends without an answer, the rounds continue.
                let _ = counts.recv();
            }
            Work::Freeze(frozen) => {
                self.cuts.begin(self.orders, 0);
                let _ = frozen.send(self.frozen());
            }
            Work::Kept => {
                // Frames that could not be recorded were not composed: they are now.
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
                self.keys.clear();
                self.jobs.clear();
                self.full.until.clear();
                self.awaiting.clear();
            }
        }
    }

    /// Applies the orders that come before any client is there. Returns what is owed then, for [`Self::restore`].
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
