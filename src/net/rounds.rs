//! The rounds: they make all writes to clients.
//!
//! A task of their own does that, in its thread. While nothing is under way there, the driver does it at once,
//! which takes less time than to wake that thread: all that is little, and of more as much as it can until
//! something else comes for it to do. Whoever holds the lock goes on.
//!
//! They own every room's log and every client's cursor. What the driver orders piles up while a round
//! is under way and is taken all at once; then each client of a room is written the longest run it
//! is owed, in one system call however many lines that is. A write to a client costs the same
//! whatever it carries: so the busier a room, the cheaper a line.
//!
//! Nothing here waits for a client. One whose socket is full is left alone until the socket says
//! that it takes more, and catches up from its cursor.
//!
//! A process that takes over has the same orders carried out, by [`Rounds::take_over`]: what each
//! client's socket had taken is passed over then instead of written.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;
use std::io::{ErrorKind, IoSlice};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use slab::Slab;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::connection::Connection;
use super::exchange::{Exchange, Rest};
use super::fault;
use super::numbered::Numbered;
use super::readiness::{Readiness, Ready, Sockets};
use super::tape::{Cut, Cuts};
use crate::hub::message::{Farewell, Line, RoomId, SessionId};
use crate::kernel;
use crate::settings::SlowPolicy;
use crate::wire::machine::{Limits, Order, Outcome};
use crate::wire::render;
use crate::wire::stream::{Log, MAX_PIECES, Reader};

/// What the rounds are to do, in order.
#[derive(Debug)]
pub enum Work {
    /// The connection of a client that is attached next.
    Connection(Arc<Connection>),
    /// What the state machine wants.
    Order(Order),
    /// To be answered with what everybody is owed, as [`Rounds::take_over`] reads it; nothing is done
    /// until the snapshot counts.
    Snapshot(oneshot::Sender<Vec<u8>>, mpsc::Receiver<()>),
    /// To be answered with the same as a value; the rounds go on at once.
    Freeze(mpsc::Sender<Frozen>),
    /// A snapshot counts: there is room for cuts again.
    Kept,
    /// A client counts as crowded: see [`Report::Crowded`].
    Crowded(SessionId),
    /// To be answered when no client is left.
    Drain(oneshot::Sender<()>),
    /// Every client left is given up; answered with their number.
    Abandon(oneshot::Sender<u64>),
}

/// What the rounds tell the driver.
#[derive(Debug)]
pub enum Report {
    /// Nothing more can be written to a client.
    Gone(SessionId, Farewell),
    /// A client takes too little of what waits for it alone; or it has taken it.
    Crowded(SessionId, bool),
    /// A client that was to be closed got all it was owed, and its output was ended; or nothing more
    /// can be done for it, and the connection was broken off.
    Finished(SessionId),
}

/// What the rounds count; read by whoever wants to know.
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

/// Writes made before looking for new orders: half a millisecond. A small room does not wait until a big one
/// has been served, and what is said meanwhile reaches those of the big one who are visited late.
const SLICE: usize = 64;

/// A room of at most so many has its round in one go: two milliseconds. Whoever sends something then is
/// read afterwards, all at once, which is cheaper than line by line.
const SHORT: usize = 256;

/// A client whose socket is full is crowded when more waits for it alone than this part of `limits.mailbox`: nothing
/// more is read of it, and others have it told nothing. So what it has asked for before, and what is on its way,
/// finds room.
const CROWDED: usize = 8;

/// Writes to one client before it is others' turn: where lines are hidden from it, each carries few of them.
const WRITES: usize = 16;

/// Nearly everybody is owed fewer pieces at a time: to have room for the most of them cleared for each write takes
/// longer than to fill it.
const FEW_PIECES: usize = 4;

/// Bytes to one client before it is others' turn.
const BYTES: u64 = 64 << 10;

/// Bytes to those who catch up before it is the turn of what is new: about a millisecond. A write counts as so many
/// at least.
const CATCH_UP: u64 = 256 << 10;
const CATCH_UP_LEAST: u64 = 8 << 10;

/// How long those who catch up may keep the driver from reading.
const CATCH_UP_LAP: Duration = Duration::from_millis(4);

/// Renderings of lines that are made in one go: about a millisecond.
const RENDERED: usize = 1024;

/// Orders that the driver carries out itself at most, where they make few writes: somebody who joins takes
/// five or six.
const ORDERS_AT_ONCE: usize = 8 * SHORT;

/// How long a client that is to be closed may take nothing of what it is owed, and how long it may take for
/// all of it: it counts for no limit any more.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);
const CLOSE_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Client {
    connection: Arc<Connection>,
    reader: Reader,
    room: Option<RoomId>,
    /// Where in its room's list of members it stands.
    seat: usize,
    /// The socket was full, and has not said yet that it takes more: until when that may be so.
    full: Option<Instant>,
    /// How much the client had not taken of what lay in it then; 0 if that is not known.
    waiting: u64,
    /// The socket was full once, and is in the set of those that are watched.
    watched: bool,
    /// Too much waits for it alone: whoever would have it be told more is told so.
    crowded: bool,
    /// What its mail weighs, as far as that is counted.
    mail: usize,
    /// A look at it is among the jobs, or it is among those who catch up.
    queued: bool,
    /// It is among those who catch up.
    catches_up: bool,
    /// It ends when it has got everything, and at that moment whatever it has got.
    closing: Option<Instant>,
    /// It was reported to the driver; nothing more is written.
    given_up: bool,
    /// Bytes that its socket has taken in all.
    sent: u64,
    /// While another process's orders are carried out again: bytes that its socket has taken so far.
    limit: u64,
    /// Likewise: how many it had taken when lines were cut for it the next time.
    next_cut: u64,
}

#[derive(Debug, Default)]
struct Room {
    log: Log,
    members: Vec<usize>,
    /// A round is under way, or waits for its turn.
    queued: bool,
    /// What its log weighs, as far as that is counted.
    weight: usize,
    /// Nobody comes any more; its last lines are for those who are being closed.
    shut: bool,
    /// Its log holds more than it may.
    over: bool,
    /// The next member of the round under way.
    at: usize,
    /// The oldest line that a member passed in this round is still owed.
    low: u64,
}

#[derive(Clone, Copy, Debug)]
enum Job {
    Round(RoomId),
    Look(usize),
}

/// The rounds, as those who make them share them: their own thread, and the driver's where there is little
/// to be done.
pub type Shared = Arc<Mutex<Rounds>>;

fn locked(shared: &Shared) -> MutexGuard<'_, Rounds> {
    // A panic of either thread is the end of the process.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far the driver has got with what it does itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// All is done.
    Done,
    /// A part is. The rest is done when the driver goes on with it, or calls the rounds' own thread.
    Begun,
    /// The rounds' own thread does it.
    Left,
}

/// How the rounds go on.
enum Next {
    /// There may be more to do.
    More,
    /// Likewise, and sockets that are full may take more.
    MoreAndSockets,
    /// There is nothing to do before that moment.
    Nothing(Option<Instant>),
}

/// What they know.
pub struct Rounds {
    work: Arc<Exchange<Work>>,
    /// What was taken from there and waits to be carried out.
    taken: VecDeque<Work>,
    reports: Arc<Exchange<Report>>,
    counts: Arc<Counts>,
    limits: Limits,
    clients: Slab<Box<Client>>,
    keys: Numbered<SessionId, usize>,
    rooms: Numbered<RoomId, Room>,
    jobs: VecDeque<Job>,
    /// Clients that can be written to, to whom much is owed: what is new for others does not wait for that.
    behind: VecDeque<usize>,
    /// How many jobs are still to be done before the driver is told that more may come: half of them, at first.
    lap: usize,
    /// The same of those who catch up, and until when at most.
    catch_up_lap: (usize, Instant),
    /// The connection of a client that is attached next.
    coming: Option<Arc<Connection>>,
    /// Those whose sockets are full, by when they are given up.
    full: BTreeSet<(Instant, usize)>,
    /// Where those are watched; there when the rounds run.
    room_to_write: Option<Sockets>,
    /// How many rooms' logs hold more than they may: no orders are carried out until each of them has
    /// had a round, so that only those lose lines whose sockets are full.
    over: usize,
    /// What all logs weigh, and how many weigh anything.
    weight: usize,
    heavy: usize,
    /// What the mail of all clients weighs, and how many have any.
    mail: usize,
    addressed: usize,
    drained: Option<oneshot::Sender<()>>,
    cuts: Cuts,
    /// There was no room for a cut.
    cuts_full: bool,
    /// Orders carried out since this process began.
    orders: u64,
    /// There while a former process's orders are carried out again.
    replaying: Option<Replaying>,
}

/// The cuts of a former process.
#[derive(Debug)]
struct Replaying {
    /// Those that are still to be made.
    cuts: VecDeque<Cut>,
    /// How many bytes each client's socket had taken when it was to miss lines.
    missing: HashMap<SessionId, VecDeque<u64>>,
}

impl Rounds {
    /// Rounds that do `work`.
    #[must_use]
    pub fn new(
        work: Arc<Exchange<Work>>,
        reports: Arc<Exchange<Report>>,
        counts: Arc<Counts>,
        limits: Limits,
        cuts: Cuts,
    ) -> Self {
        Self {
            work,
            taken: VecDeque::new(),
            reports,
            counts,
            limits,
            clients: Slab::new(),
            keys: Numbered::default(),
            rooms: Numbered::default(),
            jobs: VecDeque::new(),
            behind: VecDeque::new(),
            lap: 0,
            catch_up_lap: (0, Instant::now()),
            coming: None,
            full: BTreeSet::new(),
            room_to_write: None,
            over: 0,
            weight: 0,
            heavy: 0,
            mail: 0,
            addressed: 0,
            drained: None,
            cuts,
            cuts_full: false,
            orders: 0,
            replaying: None,
        }
    }

    /// Where full sockets will be watched from now on.
    pub fn watch(&mut self, room_to_write: &Readiness) {
        self.room_to_write = Some(room_to_write.sockets().clone());
    }

    /// Makes rounds for ever; ends by being aborted. `room_to_write` is what [`Self::watch`] was told: it
    /// belongs to the runtime of this, and is there before clients take the last descriptor.
    pub async fn run(shared: Shared, mut room_to_write: Readiness) -> Infallible {
        let (work, counts) = {
            let rounds = locked(&shared);
            (rounds.work.clone(), rounds.counts.clone())
        };
        let mut ready = Vec::new();
        loop {
            counts.beats.fetch_add(1, Ordering::Relaxed);
            // The lock is held no longer than that.
            let next = locked(&shared).go_on(&mut ready);
            match next {
                Next::More => {}
                Next::MoreAndSockets => _ = room_to_write.take(&mut ready),
                Next::Nothing(until) => {
                    tokio::select! {
                        biased;
                        () = work.left() => {}
                        // At its end the runtime wakes nobody any more.
                        Ok(()) = room_to_write.wait(&mut ready) => {}
                        () = tokio::time::sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
                    }
                }
            }
        }
    }

    /// Does a part of what there is to do, beginning with sockets that are ready.
    fn go_on(&mut self, ready: &mut Vec<Ready>) -> Next {
        for Ready { key, .. } in ready.drain(..) {
            self.writable(SessionId(key));
        }
        if !self.full.is_empty() {
            self.stalled(Instant::now());
        }
        if self.taken.is_empty() {
            // An empty one goes back as room for the next, unless it has grown out of measure.
            let mut taken = Vec::from(std::mem::take(&mut self.taken));
            if taken.capacity() > 4096 {
                taken = Vec::new();
            }
            self.work.take(&mut taken, self.rest());
            self.taken = taken.into();
        }
        if self.taken.is_empty() && self.is_idle() {
            return Next::Nothing(self.full.first().map(|(until, _)| *until));
        }
        // Where each line is rendered in many ways, some of them, then a slice of writes: nobody waits for all.
        let mut left = RENDERED;
        while self.over == 0
            && left > 0
            && let Some(work) = self.taken.pop_front()
        {
            if let Work::Order(Order::Post(id, _)) = &work {
                left = left.saturating_sub(self.views(*id));
            }
            self.carry_out(work);
        }
        if self.lap == 0 && self.catch_up_lap.0 == 0 {
            self.lap = self.jobs.len().div_ceil(2);
            self.catch_up_lap = (self.behind.len().div_ceil(2), Instant::now() + CATCH_UP_LAP);
        }
        self.make_rounds(&mut SLICE.clone());
        self.let_catch_up();
        self.drained();
        if self.full.is_empty() { Next::More } else { Next::MoreAndSockets }
    }

    /// Takes `work` up here and now if nothing is under way: that takes less time than to wake another
    /// thread, and have it wake up. All of it is done if that is little. Of more, only the first part, and
    /// only if `alone` says that the caller has nothing else to do; it goes on with [`Self::go_on_at_once`].
    /// What is not taken up stays in `work`, to be left in the exchange.
    pub fn take_up(shared: &Shared, work: &mut Vec<Work>, alone: bool) -> AtOnce {
        let Ok(mut rounds) = shared.try_lock() else { return AtOnce::Left };
        let idle = rounds.is_idle() && rounds.taken.is_empty() && rounds.over == 0 && rounds.work.is_empty();
        let writes = if idle { rounds.writes_of(work) } else { None };
        let budget = match writes {
            Some(0..=SHORT) => SHORT,
            Some(_) if alone => SLICE,
            _ => return AtOnce::Left,
        };
        let full = rounds.full.first().copied();
        for work in work.drain(..) {
            rounds.carry_out(work);
        }
        rounds.at_once(budget, full)
    }

    /// Goes on with what was taken up by [`Self::take_up`], for a slice, unless the rounds' own thread does.
    pub fn go_on_at_once(shared: &Shared) -> AtOnce {
        let Ok(mut rounds) = shared.try_lock() else { return AtOnce::Left };
        let full = rounds.full.first().copied();
        rounds.at_once(SLICE, full)
    }

    /// `full` is when the first of those whose sockets are full was to be given up before this.
    fn at_once(&mut self, mut budget: usize, full: Option<(Instant, usize)>) -> AtOnce {
        self.make_rounds(&mut budget);
        self.drained();
        if self.over > 0 || !self.behind.is_empty() || self.full.first().copied() != full {
            // The thread of the rounds goes on, or waits for another moment.
            self.work.call();
            return AtOnce::Left;
        }
        if self.is_idle() { AtOnce::Done } else { AtOnce::Begun }
    }

    /// How many writes `work` makes, where it is nothing that waits for its own turn, or too much to be
    /// carried out by the way.
    fn writes_of(&self, work: &[Work]) -> Option<usize> {
        let (mut writes, mut room, mut client, mut rendered) = (0, None, None, 0);
        if work.len() > ORDERS_AT_ONCE {
            return None;
        }
        for work in work {
            writes += match work {
                Work::Order(Order::Post(id, _)) => {
                    rendered += self.views(*id);
                    if rendered > RENDERED {
                        return None;
                    }
                    let again = room.replace(*id) == Some(*id);
                    self.rooms.get(id).filter(|_| !again).map_or(0, |room| room.members.len())
                }
                // Where somebody is far behind, that is looked at line by line.
                Work::Order(Order::Enter(id, _) | Order::See(id, _) | Order::Hide(id, _)) if self.is_full(*id) => {
                    return None;
                }
                // What one client is told in a row goes out in one write.
                Work::Order(
                    Order::Enter(id, _)
                    | Order::Tell(id, _)
                    | Order::Area(id, _)
                    | Order::Hold(id, _)
                    | Order::Release(id)
                    | Order::See(id, _)
                    | Order::Hide(id, _)
                    | Order::Close(id),
                ) => usize::from(client.replace(*id) != Some(*id)),
                Work::Order(Order::Attach(_) | Order::Open(_) | Order::Shut(_) | Order::Limits(_))
                | Work::Connection(_) => 0,
                Work::Snapshot(..)
                | Work::Freeze(_)
                | Work::Kept
                | Work::Crowded(_)
                | Work::Drain(_)
                | Work::Abandon(_) => return None,
            };
        }
        Some(writes)
    }

    fn is_full(&self, id: SessionId) -> bool {
        self.key(id).is_some_and(|key| self.clients[key].full.is_some())
    }

    /// In how many ways a room's lines are seen.
    fn views(&self, id: RoomId) -> usize {
        self.rooms.get(&id).map_or(0, |room| room.log.views())
    }

    /// Says so if nobody is left, to the one who waits for that.
    fn drained(&mut self) {
        if self.clients.is_empty()
            && let Some(drained) = self.drained.take()
        {
            let _ = drained.send(());
        }
    }

    /// Whether more may come.
    fn rest(&self) -> Rest {
        match (self.is_idle(), self.lap, self.catch_up_lap.0) {
            (true, ..) => Rest::IfNothing,
            (false, 0, 0) => Rest::Yes,
            (false, ..) => Rest::No,
        }
    }

    fn is_idle(&self) -> bool {
        self.jobs.is_empty() && self.behind.is_empty()
    }

    /// Writes to those who catch up, one after the other, for about a millisecond.
    fn let_catch_up(&mut self) {
        let mut bytes = CATCH_UP;
        while bytes > 0
            && let Some(key) = self.behind.pop_front()
        {
            self.catch_up_lap.0 = self.catch_up_lap.0.saturating_sub(1);
            if let Some(client) = self.clients.get_mut(key) {
                (client.queued, client.catches_up) = (false, false);
                bytes = bytes.saturating_sub(self.serve(key).max(CATCH_UP_LEAST));
            }
        }
        if self.behind.is_empty() || (self.catch_up_lap.0 > 0 && Instant::now() > self.catch_up_lap.1) {
            self.catch_up_lap.0 = 0;
        }
    }

    /// Has a client catch up: others have their turn in between.
    fn catch_up(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.queued, true) {
            client.catches_up = true;
            self.behind.push_back(key);
        }
    }

    fn make_rounds(&mut self, budget: &mut usize) {
        while *budget > 0
            && let Some(job) = self.jobs.pop_front()
        {
            self.lap = self.lap.saturating_sub(1);
            self.fetch_next();
            match job {
                Job::Round(id) => self.round(id, budget),
                Job::Look(key) => {
                    *budget -= 1;
                    if let Some(client) = self.clients.get_mut(key) {
                        client.queued = false;
                        self.serve(key);
                    }
                }
            }
        }
    }

    /// Has the first ones of the next room fetched meanwhile.
    fn fetch_next(&self) {
        let Some(Job::Round(id)) = self.jobs.front() else { return };
        let first = self.rooms.get(id).into_iter().flat_map(|room| room.members.iter().take(3));
        for client in first.filter_map(|key| self.clients.get(*key)) {
            kernel::prefetch(&**client);
        }
    }

    fn carry_out(&mut self, work: Work) {
        match work {
            Work::Connection(connection) => self.coming = Some(connection),
            Work::Order(order) => self.order(order),
            Work::Snapshot(owed, counts) => {
                self.cuts.begin(self.orders, 0);
                let _ = owed.send(self.saved());
                // Short: a copy. If the driver goes on without a word, so does this.
                let _ = counts.recv();
            }
            Work::Freeze(frozen) => {
                self.cuts.begin(self.orders, 0);
                let _ = frozen.send(self.frozen());
            }
            Work::Kept => {
                // Where there was no room to keep a frame, it was not composed.
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
            Work::Drain(drained) => self.drained = Some(drained),
            Work::Abandon(answer) => {
                let _ = answer.send(self.clients.len() as u64);
                for client in self.clients.drain() {
                    client.connection.abort();
                }
                (self.mail, self.addressed) = (0, 0);
                self.keys.clear();
                self.jobs.clear();
                self.behind.clear();
                self.full.clear();
            }
        }
    }

    fn order(&mut self, order: Order) {
        if let Order::Enter(id, _) | Order::Area(id, _) | Order::See(id, _) | Order::Hide(id, _) = &order {
            // What is typed changes with each key, and nothing becomes mail by that.
            let is_key = matches!(&order, Order::Area(id, Some(_)) if self.is_typing(*id));
            if !is_key {
                self.lighten(*id);
            }
        }
        self.orders += 1;
        match order {
            Order::Attach(id) => {
                if let Some(connection) = self.coming.take().filter(|connection| connection.id == id) {
                    self.attach(connection, Reader::new(id));
                }
            }
            Order::Open(id) => {
                self.rooms.insert(id, Room::default());
            }
            Order::Shut(id) => {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.shut = true;
                    self.let_go_of(id);
                }
            }
            Order::Post(id, line) => self.post(id, line),
            Order::Enter(id, room) => {
                if let Some(key) = self.key(id) {
                    self.leave(key);
                    self.enter(key, room);
                    self.weigh_mail(key);
                    self.look(key);
                }
            }
            Order::Tell(id, bytes) => self.tell(id, bytes),
            Order::Area(id, area) => self.with_log(id, |reader, log| reader.area(area, Some(log))),
            Order::Hold(id, on) => self.with_log(id, |reader, log| reader.hold(on, Some(log))),
            Order::Release(id) => self.with_log(id, |reader, log| reader.release(Some(log))),
            Order::See(id, view) => self.with_log(id, |reader, log| reader.see(view, log)),
            Order::Hide(id, filter) => self.with_log(id, |reader, log| reader.hide(filter, log)),
            Order::Close(id) => {
                if let Some(key) = self.key(id) {
                    let client = &mut self.clients[key];
                    if let Some(room) = client.room.and_then(|room| self.rooms.get(&room)) {
                        client.reader.close(&room.log);
                    }
                    let now = Instant::now();
                    client.closing = Some(now + CLOSE_WITHIN);
                    // It may have been full before, and had more time.
                    if let Some(until) = client.full {
                        self.full.remove(&(until, key));
                        let until = client.patience(now, self.limits.stall);
                        client.full = Some(until);
                        self.full.insert((until, key));
                    }
                    if client.given_up {
                        self.drop_client(key);
                    } else {
                        self.look(key);
                    }
                }
            }
            Order::Limits(limits) => self.limits = limits,
        }
    }

    /// Lets go of a room that is shut, when nobody is owed anything of it.
    fn let_go_of(&mut self, id: RoomId) {
        let is_over = |room: &Room| room.shut && room.members.is_empty();
        if self.rooms.get(&id).is_some_and(is_over)
            && let Some(room) = self.rooms.remove(&id)
        {
            self.over -= usize::from(room.over);
            self.weight -= room.weight;
            self.heavy -= usize::from(room.weight > 0);
        }
    }

    fn attach(&mut self, connection: Arc<Connection>, reader: Reader) -> usize {
        let id = connection.id;
        let client = Client {
            connection,
            reader,
            room: None,
            seat: 0,
            full: None,
            waiting: 0,
            watched: false,
            crowded: false,
            mail: 0,
            queued: false,
            catches_up: false,
            closing: None,
            given_up: false,
            sent: 0,
            limit: 0,
            next_cut: u64::MAX,
        };
        let key = self.clients.insert(Box::new(client));
        self.keys.insert(id, key);
        key
    }

    fn writable(&mut self, id: SessionId) {
        if let Some(key) = self.key(id)
            && let Some(until) = self.clients[key].full.take()
        {
            self.full.remove(&(until, key));
            self.catch_up(key);
        }
    }

    /// Gives up those who have taken nothing for too long.
    fn stalled(&mut self, now: Instant) {
        while let Some((until, key)) = self.full.first().copied()
            && until <= now
        {
            self.full.pop_first();
            let client = &mut self.clients[key];
            // The socket says that it takes more when a good part of it is free: whoever takes little at a
            // time is not there yet.
            let waiting = client.connection.unacknowledged();
            if let Some(waiting) = waiting.filter(|waiting| *waiting < client.waiting)
                && client.closing.is_none_or(|end| now < end)
            {
                client.waiting = waiting;
                let until = client.patience(now, self.limits.stall);
                client.full = Some(until);
                self.full.insert((until, key));
            } else if client.closing.is_some() {
                self.drop_client(key);
            } else {
                self.give_up(key, Farewell::TooSlow);
            }
        }
    }

    fn key(&self, id: SessionId) -> Option<usize> {
        self.keys.get(&id).copied()
    }

    fn look(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.queued, true) {
            self.jobs.push_back(Job::Look(key));
        }
    }

    fn post(&mut self, id: RoomId, line: Arc<Line>) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let author = line.author;
        room.log.push(line);
        if let Some(author) = author
            && let Some(key) = self.keys.get(&author)
            && self.clients[*key].room == Some(id)
        {
            self.clients[*key].reader.said(&room.log);
        }
        if !std::mem::replace(&mut room.queued, true) {
            self.jobs.push_back(Job::Round(id));
        }
        self.weigh(id);
    }

    /// Counts what a room's log weighs by now, and whether that is too much.
    fn weigh(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let weight = room.log.weight();
        self.weight = self.weight + weight - room.weight;
        self.heavy = self.heavy + usize::from(weight > 0) - usize::from(room.weight > 0);
        room.weight = weight;
        let allowed = self.allowed();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let is_over = self.replaying.is_none() && room.log.is_over(allowed);
        self.over = self.over + usize::from(is_over) - usize::from(room.over);
        room.over = is_over;
    }

    /// How far clients may be behind in a room: where all logs weigh too much, a fair part of what they may.
    fn allowed(&self) -> usize {
        let fair = self.limits.behind_all / self.heavy.max(1);
        // Twice: for how most see lines, and for all others.
        if self.weight > self.limits.behind_all { self.limits.behind.min(fair / 2) } else { self.limits.behind }
    }

    /// Before what a client is owed of its room's log becomes mail, which is its alone: lets go of as much as would
    /// be too much of it. It misses these lines, as it will when it stays where it is, and goes on taking nothing.
    fn lighten(&mut self, id: SessionId) {
        if self.replaying.is_some() {
            return;
        }
        let limit = self.limits.mailbox / 2;
        let Some(key) = self.key(id) else { return };
        let client = &mut self.clients[key];
        let Some(room) = client.room.and_then(|room| self.rooms.get(&room)) else { return };
        if let Some(to) = client.reader.too_much_to_leave(&room.log, limit) {
            let cut = Cut { order: self.orders, id, sent: client.sent, to };
            if self.cuts.append(cut) {
                let missed = client.reader.skip(to, &room.log, render::missed);
                client.connection.missed.fetch_add(missed, Ordering::Relaxed);
                self.counts.missed.fetch_add(missed, Ordering::Relaxed);
            }
        }
    }

    fn is_typing(&self, id: SessionId) -> bool {
        self.key(id).is_some_and(|key| self.clients[key].reader.is_typing())
    }

    /// Counts what a client's mail weighs by now.
    fn weigh_mail(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let mail = client.reader.mail_weight();
        if mail != client.mail {
            self.mail = self.mail + mail - client.mail;
            self.addressed = self.addressed + usize::from(mail > 0) - usize::from(client.mail > 0);
            client.mail = mail;
        }
        // Only where a socket is full: everybody else takes it at once.
        let is_crowded = client.full.is_some() && mail > self.limits.mailbox / CROWDED;
        if is_crowded != client.crowded
            && self.replaying.is_none()
            && (is_crowded || mail <= self.limits.mailbox / CROWDED / 2)
        {
            client.crowded = is_crowded;
            self.reports.leave(Report::Crowded(client.connection.id, is_crowded));
        }
    }

    /// Whether too much waits for a client alone.
    fn is_too_much(&self, key: usize) -> bool {
        let Some(client) = self.clients.get(key) else { return false };
        client.mail > self.limits.mailbox
            || (self.mail > self.limits.mailboxes && client.mail > self.mail / self.addressed.max(1))
    }

    fn tell(&mut self, id: SessionId, bytes: Arc<[u8]>) {
        let Some(key) = self.key(id) else { return };
        let client = &mut self.clients[key];
        if client.given_up {
            return;
        }
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        client.reader.tell(bytes, log);
        self.weigh_mail(key);
        // What a closing client is owed is bounded: it is told nothing new.
        let stays = self.clients[key].closing.is_none() && self.replaying.is_none();
        if stays && self.is_too_much(key) {
            self.serve(key);
            if self.is_too_much(key) {
                self.give_up(key, Farewell::MailboxFull);
            }
            return;
        }
        self.look(key);
    }

    fn with_log(&mut self, id: SessionId, change: impl FnOnce(&mut Reader, &mut Log)) {
        if let Some(key) = self.key(id)
            && let client = &mut self.clients[key]
            && let Some(room) = client.room.and_then(|room| self.rooms.get_mut(&room))
        {
            change(&mut client.reader, &mut room.log);
            self.weigh_mail(key);
            self.look(key);
        }
    }

    fn enter(&mut self, key: usize, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let client = &mut self.clients[key];
        client.reader.enter(&mut room.log);
        client.room = Some(id);
        client.seat = room.members.len();
        room.members.push(key);
    }

    fn leave(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let Some(id) = client.room.take() else { return };
        let Some(room) = self.rooms.get_mut(&id) else { return };
        client.reader.leave(&mut room.log);
        let seat = client.seat;

        room.members.swap_remove(seat);
        if let Some(moved) = room.members.get(seat).copied() {
            let moved = &mut self.clients[moved];
            moved.seat = seat;
            // From behind the round under way to before it: this round passes it over, so what it is
            // owed must stay, and the room has another round.
            if seat < room.at {
                room.low = room.low.min(moved.reader.next_line());
            }
        }
        self.let_go_of(id);
    }

    /// One room's members, from where the round stands, as far as the budget goes.
    fn round(&mut self, id: RoomId, budget: &mut usize) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.at == 0 {
            room.low = room.log.end();
            if room.members.len() <= SHORT {
                *budget = (*budget).max(room.members.len() + 1);
            }
        }
        while *budget > 0 {
            let Some(room) = self.rooms.get_mut(&id) else { return };
            let Some(key) = room.members.get(room.at).copied() else {
                return self.end_round(id);
            };
            room.at += 1;
            // Each is visited once a round: in a big room none is in the processor's caches any more. So the
            // next but one is fetched during this write, and what that one points to during the next.
            let after = |ahead: usize| room.members.get(room.at + ahead).and_then(|key| self.clients.get(*key));
            if let Some(client) = after(1) {
                kernel::prefetch(&**client);
            }
            if let Some(client) = after(0) {
                kernel::prefetch(&*client.connection);
            }
            *budget -= 1;
            // Who catches up is not waited for here, unless the log has become too long.
            if room.over || self.clients.get(key).is_some_and(|client| !client.catches_up) {
                self.serve(key);
            }
            let Some(room) = self.rooms.get_mut(&id) else { return };
            // A client that was closed by this is in no room any more.
            if let Some(client) = self.clients.get(key) {
                room.low = room.low.min(client.reader.next_line());
            }
        }
        self.jobs.push_back(Job::Round(id));
    }

    fn end_round(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let visited_to = room.at;
        (room.at, room.queued) = (0, false);
        room.log.trim_to(room.low);
        self.weigh(id);
        if self.rooms.get(&id).is_some_and(|room| room.over) {
            self.trim(id);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        // Lines that were posted while the round was under way.
        if visited_to > 0 && room.low < room.log.end() && self.replaying.is_none() {
            let behind = room.members.iter().any(|key| {
                let client = &self.clients[*key];
                let is_left = client.full.is_some() || client.catches_up || client.given_up;
                !is_left && client.reader.has_due(Some(&room.log))
            });
            if behind {
                room.queued = true;
                self.jobs.push_back(Job::Round(id));
            }
        }
        // Whoever could let go of more takes part in another round. Where there is none, nothing waits for it.
        if room.over && !room.queued {
            room.over = false;
            self.over -= 1;
        }
    }

    /// Lets go of what one room's log holds over its bound, as far as only clients are owed it whose
    /// sockets are full: they miss it, or are given up.
    fn trim(&mut self, id: RoomId) {
        let allowed = self.allowed();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        // Who holds lines back may miss them, like those who take none.
        let takes = |client: &&Client| client.full.is_none() && !client.given_up && !client.reader.is_holding();
        let ready = room.members.iter().map(|key| &*clients[*key]).filter(takes);
        let ready = ready.map(|client| client.reader.next_line()).min();
        let ready = ready.unwrap_or(u64::MAX);
        let mut slow = Vec::new();
        for key in &room.members {
            let client = &mut clients[*key];
            let to = room.log.first_for(&client.reader, allowed).min(ready);
            if client.reader.next_line() < to {
                // Kept before it takes effect; what cannot be kept now waits for the next snapshot.
                let cut = Cut { order: self.orders, id: client.connection.id, sent: client.sent, to };
                if !self.cuts.append(cut) {
                    self.cuts_full = true;
                    return;
                }
                let missed = client.reader.skip(to, &room.log, render::missed);
                client.connection.missed.fetch_add(missed, Ordering::Relaxed);
                self.counts.missed.fetch_add(missed, Ordering::Relaxed);
                if missed > 0 && self.limits.policy == SlowPolicy::Close {
                    slow.push(*key);
                }
            }
        }
        let through = room.members.iter().copied().filter(|key| clients[*key].reader.is_through());
        for key in through.collect::<Vec<_>>() {
            self.leave(key);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        let readers = || room.members.iter().map(|key| &clients[*key].reader);
        let low = readers().map(Reader::next_line).min();
        room.log.trim_renderings(readers());
        room.log.trim_to(low.unwrap_or(u64::MAX));
        self.weigh(id);
        for key in slow {
            self.weigh_mail(key);
            self.give_up(key, Farewell::TooSlow);
        }
    }

    /// Writes to one client what it is owed, as far as its socket takes it, and no more than a client is written in
    /// one turn. Returns how many bytes that were.
    fn serve(&mut self, key: usize) -> u64 {
        let before = self.clients[key].sent;
        self.write_to(key);
        // One that is gone was written its last.
        self.clients.get(key).map_or(0, |client| client.sent.saturating_sub(before))
    }

    fn write_to(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if client.given_up {
            return;
        }
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        if self.replaying.is_some() {
            return client.pass_over(log);
        }
        if client.full.is_some() {
            let behind = client.reader.behind(log) as u64;
            return client.connection.behind.store(behind, Ordering::Relaxed);
        }
        let (mut writes, begun) = (0, client.sent);
        loop {
            if writes == WRITES || client.sent - begun > BYTES {
                // It takes much, and has much to take.
                return self.catch_up(key);
            }
            writes += 1;
            if client.reader.needs_frame(log) {
                // Kept before it takes effect; what cannot be kept now waits for the next snapshot.
                let (id, sent) = (client.connection.id, client.sent);
                if !self.cuts.append(Cut { order: self.orders, id, sent, to: Cut::FRAME }) {
                    self.cuts_full = true;
                    return;
                }
                client.reader.frame(log);
            }
            let (mut few, mut many) = ([IoSlice::new(&[]); FEW_PIECES], None);
            let (mut count, mut owed) = client.reader.gather(log, &mut few);
            let mut pieces = &few[..count];
            if count == FEW_PIECES {
                let many = many.insert([IoSlice::new(&[]); MAX_PIECES]);
                (count, owed) = client.reader.gather(log, many);
                pieces = &many[..count];
            }
            if count == 0 {
                client.reader.advance(log, 0);
                break;
            }
            fault::point("write.before");
            match client.connection.write(pieces) {
                Ok(taken) => {
                    fault::point("write.after");
                    self.counts.writes.fetch_add(1, Ordering::Relaxed);
                    self.counts.bytes.fetch_add(taken as u64, Ordering::Relaxed);
                    client.reader.advance(log, taken);
                    client.sent += taken as u64;
                    // All of it, and no more pieces than fit: nothing is left.
                    if taken == owed && count < MAX_PIECES && !client.reader.is_typing() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.counts.full.fetch_add(1, Ordering::Relaxed);
                    let behind = client.reader.behind(log) as u64;
                    client.connection.behind.store(behind, Ordering::Relaxed);
                    self.wait_for(key);
                    if self.clients[key].reader.is_through() {
                        // The log need not wait for it.
                        self.leave(key);
                    }
                    return self.weigh_mail(key);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if client.closing.is_some() => return self.drop_client(key),
                Err(_) => return self.give_up(key, Farewell::Lost),
            }
        }
        if client.connection.behind.load(Ordering::Relaxed) != 0 {
            client.connection.behind.store(0, Ordering::Relaxed);
        }
        if client.closing.is_some() {
            return self.drop_client(key);
        }
        if client.mail > 0 || client.crowded {
            self.weigh_mail(key);
        }
    }

    /// A socket is full: it is left alone until it takes more, but not for ever.
    fn wait_for(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let until = client.patience(Instant::now(), self.limits.stall);
        client.waiting = client.connection.unacknowledged().unwrap_or(0);
        client.full = Some(until);
        self.full.insert((until, key));
        let watched = self.room_to_write.as_ref().zip(client.connection.socket());
        let watched = watched.map(|(room, socket)| room.watch_room(&socket, client.connection.id.0));
        client.watched = true;
        #[cfg(test)]
        let watched = if client.connection.played.is_some() { Some(Ok(())) } else { watched };
        if !matches!(watched, Some(Ok(()))) {
            self.full.remove(&(until, key));
            client.full = None;
            self.give_up(key, Farewell::Lost);
        }
    }

    /// Nothing more is written to a client; the driver is told, and will order it closed.
    fn give_up(&mut self, key: usize, why: Farewell) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.given_up, true) {
            self.reports.leave(Report::Gone(client.connection.id, why));
        }
    }

    /// A client has got everything, or nothing more can be done for it.
    fn drop_client(&mut self, key: usize) {
        self.leave(key);
        let client = self.clients.remove(key);
        self.mail -= client.mail;
        self.addressed -= usize::from(client.mail > 0);
        self.keys.remove(&client.connection.id);
        if let Some(until) = client.full {
            self.full.remove(&(until, key));
        }
        if client.watched
            && let Some((room, socket)) = self.room_to_write.as_ref().zip(client.connection.socket())
        {
            room.forget(&socket.as_fd());
        }
        fault::point("close.before");
        if client.given_up || client.full.is_some() {
            client.connection.abort();
        } else {
            client.connection.finish();
        }
        fault::point("close.after");
        self.reports.leave(Report::Finished(client.connection.id));
    }

    /// Carries out what comes before anybody is there. Returns what is owed then, for
    /// [`Self::take_over`].
    pub fn begin(&mut self, outcomes: Vec<Outcome>) -> Vec<u8> {
        for outcome in outcomes {
            if let Outcome::Order(order) = outcome {
                self.order(order);
            }
        }
        self.cuts.begin(self.orders, 0);
        self.saved()
    }

    // -- taking over ---------------------------------------------------------------------------

    /// What everybody is owed, for [`Self::take_over`].
    fn saved(&self) -> Vec<u8> {
        let rooms = self.rooms.iter().map(|(id, room)| (*id, &room.log));
        let clients = self.clients.iter().map(|(_, client)| SavingClient::of(client, &client.reader));
        serde_json::to_vec(&Saving { rooms: rooms.collect(), clients: clients.collect() }).expect("plain values")
    }

    /// The same as a value, to be written down while all goes on: a copy of each cursor and of what is in its
    /// mailbox, and the lines of the logs are shared.
    fn frozen(&self) -> Frozen {
        let rooms = self.rooms.iter().map(|(id, room)| (*id, room.log.frozen()));
        let clients = self.clients.iter().map(|(_, client)| SavingClient::of(client, client.reader.clone()));
        Frozen(Saving { rooms: rooms.collect(), clients: clients.collect() })
    }

    /// What is owed while a former process's orders are carried out again, and how many of its cuts are left: it
    /// can be taken over from here as well.
    pub fn saved_on_the_way(&self) -> Vec<u8> {
        let left = self.replaying.as_ref().map_or(0, |replaying| replaying.cuts.len());
        self.cuts.begin(self.orders, left);
        self.saved()
    }

    /// Reads what was owed to everybody at the snapshot, and prepares for the orders since. `connection`
    /// gives a client's connection, and how many bytes its socket has taken.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn take_over(
        &mut self,
        saved: &[u8],
        cuts: Vec<Cut>,
        limits: Limits,
        mut connection: impl FnMut(SessionId, u64) -> (Arc<Connection>, u64),
    ) -> Result<(), String> {
        let saved: Saved = serde_json::from_slice(saved).map_err(|error| error.to_string())?;
        let mut missing = HashMap::<_, VecDeque<_>>::new();
        for cut in cuts.iter().filter(|cut| cut.to != Cut::FRAME) {
            missing.entry(cut.id).or_default().push_back(cut.sent);
        }
        self.replaying = Some(Replaying { cuts: cuts.into(), missing });
        self.limits = limits;
        self.rooms = saved.rooms.into_iter().map(|(id, log)| (id, Room { log, ..Room::default() })).collect();
        for SavedClient { id, cookie, room, mut reader, closing, sent } in saved.clients {
            let log = match room {
                Some(room) => {
                    let room =
                        self.rooms.get_mut(&room).ok_or_else(|| format!("{id} reads a log that is not there"))?;
                    room.members.push(self.clients.vacant_key());
                    Some(room)
                }
                None => None,
            };
            let seat = log.as_ref().map_or(0, |room| room.members.len() - 1);
            reader.resume(log.map(|room| &mut room.log), render::missed)?;
            let (connection, taken) = connection(id, cookie);
            let key = self.attach(connection, reader);
            let client = &mut self.clients[key];
            (client.room, client.seat, client.sent) = (room, seat, sent);
            client.closing = closing.then(|| Instant::now() + CLOSE_WITHIN);
            self.may_take(key, taken);
        }
        Ok(())
    }

    /// Has an order of a former process carried out; the connection of one that attaches a client comes
    /// before it, with the number of bytes that its socket has taken.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn replay(&mut self, order: Order, coming: Option<(Arc<Connection>, u64)>) -> Result<(), String> {
        // Those that were made before this order.
        self.make_cuts()?;
        let attached = coming.map(|(connection, taken)| {
            let id = connection.id;
            self.coming = Some(connection);
            (id, taken)
        });
        self.order(order);
        if let Some((id, taken)) = attached
            && let Some(key) = self.key(id)
        {
            self.may_take(key, taken);
        }
        Ok(())
    }

    /// Makes the cuts that a former process made behind the orders carried out so far.
    fn make_cuts(&mut self) -> Result<(), String> {
        while let Some(replaying) = &mut self.replaying
            && replaying.cuts.front().is_some_and(|cut| cut.order <= self.orders)
            && let Some(cut) = replaying.cuts.pop_front()
        {
            if cut.to != Cut::FRAME
                && let Some(missing) = replaying.missing.get_mut(&cut.id)
            {
                missing.pop_front();
            }
            let key = self.key(cut.id).ok_or_else(|| format!("{} is not there for a cut", cut.id))?;
            self.serve(key);
            let client = &mut self.clients[key];
            let room = client.room.and_then(|room| self.rooms.get_mut(&room));
            if cut.to == Cut::FRAME {
                let log = room.map(|room| &room.log);
                client.pass_over(log);
                if client.sent != cut.sent || !client.reader.needs_frame(log) {
                    return Err(format!("nothing can have been put together for {} there", cut.id));
                }
                client.reader.frame(log);
                client.pass_over(log);
                continue;
            }
            let room = room.filter(|room| cut.to <= room.log.end());
            let Some(room) = room.filter(|_| client.sent == cut.sent) else {
                return Err(format!("{} cannot have missed lines there", cut.id));
            };
            client.reader.skip(cut.to, &room.log, render::missed);
            let taken = client.limit;
            self.may_take(key, taken);
        }
        Ok(())
    }

    /// Has everybody pass over what their sockets have taken, now and then, so that what is held stays
    /// bounded. `orders` is when that was done last.
    pub fn settle_after(&mut self, orders: &mut u64) {
        if self.orders - *orders > 4096 {
            *orders = self.orders;
            self.settle();
        }
    }

    /// A client's socket has taken `taken` bytes in all; of these as many count as it had taken when its
    /// next lines were cut.
    fn may_take(&mut self, key: usize, taken: u64) {
        let id = self.clients[key].connection.id;
        let missing = self.replaying.as_ref().and_then(|replaying| replaying.missing.get(&id)?.front().copied());
        self.clients[key].limit = taken;
        self.clients[key].next_cut = missing.unwrap_or(u64::MAX);
    }

    /// Has everybody pass over what their sockets have taken.
    pub(super) fn settle(&mut self) {
        while !self.is_idle() {
            self.make_rounds(&mut usize::MAX.clone());
            self.let_catch_up();
        }
    }

    /// Ends what [`Self::take_over`] began: from now on, what is owed is written. Returns those whose
    /// sockets have taken more than they were sent: whatever that was, it is not known what they are owed.
    ///
    /// # Errors
    /// What does not fit together.
    pub fn taken_over(&mut self) -> Result<Vec<SessionId>, String> {
        self.make_cuts()?;
        let keys: Vec<_> = self.keys.values().copied().collect();
        for key in &keys {
            self.look(*key);
        }
        self.settle();
        self.replaying = None;
        let mut unknown = Vec::new();
        for (_, client) in &self.clients {
            if client.sent < client.limit && client.limit != u64::MAX {
                unknown.push(client.connection.id);
            }
        }
        for key in keys {
            self.look(key);
        }
        let rooms: Vec<_> = self.rooms.keys().copied().collect();
        for id in &rooms {
            self.weigh(*id);
        }
        for id in rooms {
            if let Some(room) = self.rooms.get_mut(&id)
                && !std::mem::replace(&mut room.queued, true)
            {
                self.jobs.push_back(Job::Round(id));
            }
        }
        Ok(unknown)
    }

    /// Whether there is a client of this number.
    #[must_use]
    pub fn knows(&self, id: SessionId) -> bool {
        self.keys.contains_key(&id)
    }

    /// Everybody's connection, and whether it is to be closed.
    pub fn connections(&self) -> impl Iterator<Item = (&Arc<Connection>, bool)> {
        self.clients.iter().map(|(_, client)| (&client.connection, client.closing.is_some()))
    }
}

impl Client {
    /// Until when it may take nothing, from `now` on, if that is `stall` for those who stay.
    fn patience(&self, now: Instant, stall: Duration) -> Instant {
        match self.closing {
            Some(end) => end.min(now + CLOSE_PATIENCE.min(stall)),
            None => now + stall,
        }
    }

    /// Passes over what its socket has taken already.
    fn pass_over(&mut self, log: Option<&Log>) {
        let limit = self.limit.min(self.next_cut);
        // Like a socket that is full.
        while self.sent < limit {
            let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
            let (count, owed) = self.reader.gather(log, &mut pieces);
            let taken = owed.min(usize::try_from(limit - self.sent).unwrap_or(usize::MAX));
            self.reader.advance(log, taken);
            self.sent += taken as u64;
            if count == 0 {
                break;
            }
        }
    }
}

/// What everybody is owed, as it was at one moment: it can be written down, and nothing else.
#[derive(Debug, Serialize)]
pub struct Frozen(Saving<Log, Reader>);

/// What is written of what everybody is owed.
#[derive(Debug, Serialize)]
struct Saving<L, R> {
    rooms: Vec<(RoomId, L)>,
    clients: Vec<SavingClient<R>>,
}

#[derive(Debug, Serialize)]
struct SavingClient<R> {
    id: SessionId,
    cookie: u64,
    room: Option<RoomId>,
    reader: R,
    closing: bool,
    sent: u64,
}

impl<R> SavingClient<R> {
    fn of(client: &Client, reader: R) -> Self {
        Self {
            id: client.connection.id,
            cookie: client.connection.cookie,
            room: client.room,
            reader,
            closing: client.closing.is_some(),
            sent: client.sent,
        }
    }
}

/// What is read of what everybody is owed.
#[derive(Deserialize)]
struct Saved {
    rooms: Vec<(RoomId, Log)>,
    clients: Vec<SavedClient>,
}

#[derive(Deserialize)]
struct SavedClient {
    id: SessionId,
    cookie: u64,
    room: Option<RoomId>,
    reader: Reader,
    #[serde(default)]
    closing: bool,
    sent: u64,
}

#[cfg(test)]
mod lives;

#[cfg(test)]
mod tests {
    use super::*;

    /// As much as malloc(3) gives without a step more.
    #[test]
    fn a_client_who_is_idle_takes_little() {
        assert!(size_of::<Client>() <= 248, "{}", size_of::<Client>());
    }

    use crate::hub::ignore::Borne;
    use crate::hub::time::{Mono, Now, Wall};
    use crate::settings::Settings;
    use crate::wire::machine::{Input, Machine};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What happens to a hub.
    #[derive(Clone, Debug)]
    enum Step {
        Connect,
        /// One of those who are there sends one of [`LINES`], or a part of it.
        Say(usize, usize, bool),
        End(usize),
        Pass(u64),
    }

    const LINES: &[&str] = &[
        "hello\r\n",
        "/me waves\n",
        "/nick ann\n",
        "/nick bob\n",
        "/join tea\n",
        "/join lobby\n",
        "/who\n",
        "/time on\n",
        "/time off\n",
        "/quiet\n",
        "/ignore ann\n",
        "/unignore ann\n",
        "/msg ann psst\n",
        "/history 5\n",
        "/help\n",
        "/away\n",
        "/topic something else\n",
        "/quit bye\n",
        "gr\u{fc}\u{df}e \u{1f600}\n",
        "\u{ff}x\n",
        "/nosuch\n",
    ];

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Connect),
            12 => (0_usize..6, 0..LINES.len(), any::<bool>()).prop_map(|(who, line, whole)| Step::Say(who, line, whole)),
            1 => (0_usize..6).prop_map(Step::End),
            2 => (0_u64..5_000_000).prop_map(Step::Pass),
        ];
        proptest::collection::vec(step, 1..60)
    }

    /// A state machine and its rounds, whose sockets take what they are told to take.
    struct Process {
        machine: Machine,
        rounds: Rounds,
        at: Now,
        ids: Vec<SessionId>,
    }

    fn rounds() -> Rounds {
        let (work, reports) = (Arc::new(Exchange::default()), Arc::new(Exchange::default()));
        let settings = Settings::default();
        let (_, cuts) = crate::net::tape::Tape::unkept();
        Rounds::new(work, reports, Arc::default(), (&settings).into(), cuts)
    }

    fn gone(id: SessionId) -> Arc<Connection> {
        Arc::new(Connection::new(id, id.0, None))
    }

    impl Process {
        fn start() -> Self {
            let at = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000) };
            let mut outcomes = Vec::new();
            let machine = Machine::new(Settings::default(), [7; 16], at, &mut outcomes);
            let mut rounds = rounds();
            let owed = rounds.begin(outcomes);
            let mut process = Self { machine, rounds: self::rounds(), at, ids: Vec::new() };
            process
                .rounds
                .take_over(&owed, Vec::new(), (&Settings::default()).into(), |_, _| unreachable!())
                .expect("sound");
            process
        }

        /// Takes over what `self` leaves, when sockets have taken so much in all.
        fn next(&self, taken: &BTreeMap<SessionId, u64>) -> Self {
            let machine = serde_json::to_vec(&self.machine).expect("plain");
            let mut rounds = rounds();
            let limits = self.machine.hub().settings().into();
            rounds.take_over(&self.rounds.saved(), Vec::new(), limits, |id, _| (gone(id), taken[&id])).expect("sound");
            let machine = serde_json::from_slice(&machine).expect("sound");
            Self { machine, rounds, at: self.at, ids: self.ids.clone() }
        }

        fn step(&mut self, step: &Step, taken: &BTreeMap<SessionId, u64>) {
            self.at.mono = self.at.mono.after(Duration::from_millis(3));
            let mut outcomes = Vec::new();
            match step {
                Step::Connect => {
                    let id = self.machine.next_id();
                    self.ids.push(id);
                    let port = u16::try_from(id.0).expect("few") + 1000;
                    let peer = ([127, 0, 0, 1], port).into();
                    self.machine.handle(Input::Connect { id, cookie: id.0, peer }, self.at, &mut outcomes);
                }
                Step::Say(who, line, whole) if !self.ids.is_empty() => {
                    let line = LINES[*line].as_bytes();
                    let part = if *whole { line } else { &line[..line.len() / 2] };
                    self.machine.bytes(self.ids[who % self.ids.len()], part, self.at, &mut outcomes);
                }
                Step::End(who) if !self.ids.is_empty() => {
                    let id = self.ids[who % self.ids.len()];
                    self.machine.handle(Input::End { id, why: Farewell::Hangup }, self.at, &mut outcomes);
                }
                Step::Pass(micros) => {
                    self.at.mono = self.at.mono.after(Duration::from_micros(*micros));
                    self.machine.handle(Input::Tick, self.at, &mut outcomes);
                }
                _ => {}
            }
            for outcome in outcomes {
                if let Outcome::Order(order) = outcome {
                    let coming = match &order {
                        Order::Attach(id) => Some((gone(*id), taken.get(id).copied().unwrap_or(0))),
                        _ => None,
                    };
                    self.rounds.replay(order, coming).expect("sound");
                }
            }
        }

        /// Has everybody's socket take at most so much of what they are owed, and adds it to `got`.
        fn take(&mut self, got: &mut BTreeMap<SessionId, Vec<u8>>, most: impl Fn(SessionId) -> u64) {
            let rounds = &mut self.rounds;
            for (_, client) in &mut rounds.clients {
                let id = client.connection.id;
                let log = client.room.and_then(|room| rounds.rooms.get(&room)).map(|room| &room.log);
                let got = got.entry(id).or_default();
                while client.sent < most(id) {
                    let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
                    let (count, owed) = client.reader.gather(log, &mut pieces);
                    if count == 0 {
                        break;
                    }
                    let taken = owed.min(usize::try_from(most(id) - client.sent).unwrap_or(usize::MAX));
                    got.extend(pieces[..count].iter().flat_map(|piece| piece.to_vec()).take(taken));
                    client.reader.advance(log, taken);
                    client.sent += taken as u64;
                }
            }
        }
    }

    /// Part of `whole`, in thousandths that differ from one client to the other.
    fn part(whole: u64, seed: u64, id: SessionId) -> u64 {
        let thousandths = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(id.0 * 7919) >> 20) % 1200;
        (whole * thousandths.min(1000)).div_ceil(1000)
    }

    /// Dies behind `kill` steps, `snapshot` of them before the last snapshot, and compares what all get
    /// with what they get if nobody dies.
    fn check(steps: &[Step], snapshot: usize, kill: usize, at_snapshot: u64, at_kill: impl Fn(u64, SessionId) -> u64) {
        let nothing = BTreeMap::new();
        let mut undisturbed = Process::start();
        let mut whole = BTreeMap::new();
        let lengths = |whole: &BTreeMap<SessionId, Vec<u8>>| {
            whole.iter().map(|(id, bytes)| (*id, bytes.len() as u64)).collect::<BTreeMap<_, _>>()
        };
        let (mut by_snapshot, mut by_kill) = (BTreeMap::new(), BTreeMap::new());
        for (index, step) in steps.iter().enumerate() {
            if index == snapshot {
                by_snapshot = lengths(&whole);
            }
            if index == kill {
                by_kill = lengths(&whole);
            }
            undisturbed.step(step, &nothing);
            undisturbed.take(&mut whole, |_| u64::MAX);
        }

        let mut first = Process::start();
        steps[..snapshot].iter().for_each(|step| first.step(step, &nothing));
        let sent: BTreeMap<_, _> = by_snapshot.iter().map(|(id, len)| (*id, part(*len, at_snapshot, *id))).collect();
        let mut got = BTreeMap::new();
        first.take(&mut got, |id| sent.get(&id).copied().unwrap_or(0));
        let taken: BTreeMap<_, _> = by_kill
            .iter()
            .map(|(id, len)| (*id, at_kill(*len, *id).clamp(sent.get(id).copied().unwrap_or(0), *len)))
            .collect();

        let mut second = first.next(&taken);
        steps[snapshot..kill].iter().for_each(|step| second.step(step, &taken));
        assert_eq!(second.rounds.taken_over(), Ok(vec![]), "what each socket took is known");
        second.rounds.replaying = Some(Replaying { cuts: VecDeque::new(), missing: HashMap::new() });
        let mut got: BTreeMap<_, _> = whole
            .iter()
            .map(|(id, bytes)| {
                (*id, bytes[..usize::try_from(taken.get(id).copied().unwrap_or(0)).expect("short")].to_vec())
            })
            .collect();
        second.take(&mut got, |_| u64::MAX);
        for step in &steps[kill..] {
            second.step(step, &nothing);
            second.take(&mut got, |_| u64::MAX);
        }
        for (id, whole) in &whole {
            let (whole, got) = (String::from_utf8_lossy(whole), String::from_utf8_lossy(&got[id]));
            assert_eq!(got, whole, "{id} sees the same as if nobody had died");
        }
    }

    #[test]
    fn what_is_little_is_done_at_once_and_of_more_a_part_but_never_before_what_was_left() {
        let reports = Arc::new(Exchange::default());
        let to_rounds = Arc::new(Exchange::default());
        let (_, cuts) = crate::net::tape::Tape::unkept();
        let limits = (&Settings::default()).into();
        let rounds = Rounds::new(to_rounds.clone(), reports.clone(), Arc::default(), limits, cuts);
        let shared: Shared = Arc::new(Mutex::new(rounds));
        let room = RoomId(1);
        let join = |number| {
            let id = SessionId(number);
            let orders = [Order::Attach(id), Order::Enter(id, room), Order::Tell(id, b"hi"[..].into())];
            std::iter::once(Work::Connection(gone(id))).chain(orders.map(Work::Order)).collect::<Vec<_>>()
        };
        let done = |mut work: Vec<Work>| {
            let (count, taken_up) = (work.len(), Rounds::take_up(&shared, &mut work, false));
            let done = taken_up == AtOnce::Done;
            assert!(done || taken_up == AtOnce::Left, "who has more to do begins nothing: {taken_up:?}");
            assert_eq!(work.len(), if done { 0 } else { count }, "all of it, or nothing");
            done
        };
        let people = || locked(&shared).clients.len();
        assert!(done(vec![Work::Order(Order::Open(room))]) && done(join(1)));
        assert_eq!((people(), reports.len()), (1, 1), "it was written to, and found to be gone");

        // Something waits for its turn.
        to_rounds.leave(Work::Order(Order::Close(SessionId(1))));
        assert!(!done(join(2)));
        let _ = locked(&shared).go_on(&mut Vec::new());
        assert_eq!((people(), to_rounds.len()), (0, 0));
        assert!(done(join(2)));

        // Somebody else goes on with them just now.
        let held = locked(&shared);
        assert_eq!(Rounds::take_up(&shared, &mut join(3), true), AtOnce::Left);
        assert_eq!(Rounds::go_on_at_once(&shared), AtOnce::Left);
        drop(held);

        // What has to wait for an answer is for the thread.
        let (drain, _drained) = oneshot::channel();
        assert!(!done(vec![Work::Drain(drain)]));

        // A line to as many as have a round in one go, and to one more.
        let line = || {
            let said = crate::hub::message::Said::Joined { nick: "ann".into() };
            let line = Line { seq: 1, at: Wall(0), author: None, said, borne: Borne::default() };
            vec![Work::Order(Order::Post(room, Arc::new(line)))]
        };
        let most = u64::try_from(SHORT).expect("small");
        assert!(done((3..=most + 1).flat_map(join).collect()), "many join at once, one write each");
        assert_eq!(people(), SHORT);
        assert!(done(line()) && done(join(most + 2)));
        assert!(!done(line()), "one too many");

        // Who has nothing else to do begins with it, and goes on slice by slice.
        let at = || locked(&shared).rooms.get(&room).map(|room| room.at);
        let mut work = line();
        assert_eq!(Rounds::take_up(&shared, &mut work, true), AtOnce::Begun);
        assert_eq!((work.len(), at()), (0, Some(SLICE)), "it was taken up");
        assert_eq!(Rounds::take_up(&shared, &mut line(), true), AtOnce::Left, "one thing after the other");
        for slices in 2..=most.div_ceil(SLICE as u64) {
            assert_eq!(Rounds::go_on_at_once(&shared), AtOnce::Begun);
            assert_eq!(at(), usize::try_from(slices).ok().map(|slices| slices * SLICE));
        }
        assert_eq!(Rounds::go_on_at_once(&shared), AtOnce::Done, "the one too many");
        // Left to the thread half-way.
        assert_eq!(Rounds::take_up(&shared, &mut line(), true), AtOnce::Begun);
        assert!(matches!(locked(&shared).go_on(&mut Vec::new()), Next::More));
        assert_eq!(at(), Some(2 * SLICE));
    }

    #[tokio::test]
    async fn who_is_to_be_closed_has_ten_seconds_for_something_and_a_minute_for_all() {
        use std::io::Read as _;
        for takes in [false, true] {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
            socket2::SockRef::from(&listener).set_send_buffer_size(64 * 1024).expect("it takes that");
            let mut peer = std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
            socket2::SockRef::from(&peer).set_recv_buffer_size(4096).expect("it takes that");
            peer.set_nonblocking(true).expect("a socket");
            let (socket, _) = listener.accept().expect("somebody came");
            socket.set_nonblocking(true).expect("a socket");
            let id = SessionId(1);
            let connection = Arc::new(Connection::new(id, 0, Some(socket.into())));
            let mut rounds = rounds();
            rounds.watch(&Readiness::new().expect("descriptors"));
            rounds.carry_out(Work::Connection(connection.clone()));
            // Many, for how much the peer's system takes before it says no more is its own affair.
            rounds.limits.mailbox = 64 << 20;
            for order in [Order::Attach(id), Order::Tell(id, vec![b'x'; 16 << 20].into())] {
                rounds.carry_out(Work::Order(order));
            }
            rounds.settle();
            assert!(rounds.clients.iter().all(|(_, client)| client.full.is_some()), "its socket is full");
            // It had the time of those who stay.
            let begun = Instant::now();
            rounds.carry_out(Work::Order(Order::Close(id)));
            for tenths in [95, 105, 210, 315, 420, 525, 590, 610] {
                if takes {
                    let before = connection.unacknowledged();
                    while connection.unacknowledged() >= before {
                        let _ = peer.read(&mut [0; 1024]);
                        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is acknowledged");
                    }
                }
                rounds.stalled(begun + Duration::from_millis(100 * tenths));
                let last = if takes { 600 } else { 100 };
                assert_eq!(rounds.clients.len(), usize::from(tenths < last), "{tenths} tenths of a second, {takes}");
            }
        }
    }

    proptest! {
        #[test]
        fn whenever_the_daemon_dies_everybody_gets_every_byte_once(
            steps in steps(), snapshot in 0_usize..60, kill in 0_usize..60, seeds in any::<(u64, u64)>(),
        ) {
            let kill = kill.min(steps.len() - 1);
            let snapshot = snapshot.min(kill);
            check(&steps, snapshot, kill, seeds.0, |len, id| part(len, seeds.1, id));
        }
    }

    #[test]
    fn dying_at_every_byte_of_a_conversation_loses_none() {
        let say = |who, line| Step::Say(who, line, true);
        let steps = [
            Step::Connect,
            Step::Connect,
            say(0, 2),
            say(1, 3),
            say(0, 0),
            Step::Say(1, 18, false),
            say(1, 12),
            say(0, 7),
            say(1, 0),
            say(0, 6),
            say(1, 4),
            say(0, 4),
            say(1, 1),
            say(0, 17),
            say(1, 0),
        ];
        for byte in 0..450 {
            check(&steps, 3, 6, byte / 2, |_, _| byte);
        }
        for byte in (0..1200).step_by(7) {
            check(&steps, 7, 14, byte, |_, _| byte);
        }
    }
}
