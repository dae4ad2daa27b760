//! The rounds: one task that makes all writes to clients.
//!
//! It owns every room's log and every client's cursor. What the driver orders piles up while a round
//! is under way and is taken all at once; then each client of a room is written the longest run it
//! is owed, in one system call however many lines that is. A write to a client costs the same
//! whatever it carries: so the busier a room, the cheaper a line.
//!
//! Nothing here waits for a client. One whose socket is full is left alone until the socket says
//! that it takes more, and catches up from its cursor.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slab::Slab;
use tokio::sync::oneshot;

use super::connection::Connection;
use super::exchange::Exchange;
use crate::hub::message::{Farewell, Line, RoomId, SessionId, View};
use crate::settings::{Settings, SlowPolicy};
use crate::wire::render;
use crate::wire::screen::Area;
use crate::wire::stream::{Filter, Log, MAX_PIECES, Reader};

/// What the rounds are to do, in order.
#[derive(Debug)]
pub enum Order {
    /// A client is there.
    Attach(Arc<Connection>),
    /// A room is there.
    Open(RoomId),
    /// A room is there no more.
    Shut(RoomId),
    /// A line belongs at the end of a room's log.
    Post(RoomId, Arc<Line>),
    /// A client reads that room's log from its present end on.
    Enter(SessionId, RoomId),
    /// One client gets this, after what is in its room's log now.
    Tell(SessionId, Arc<[u8]>),
    /// What a client types looks like this now; `None`: it is none of our business any more.
    Area(SessionId, Option<Area>),
    /// From here on, what is said waits for a release; or not.
    Hold(SessionId, bool),
    /// What has waited so far waits no more.
    Release(SessionId),
    /// From here on, a client sees lines in this way.
    See(SessionId, View),
    /// From here on, these lines are hidden from a client.
    Hide(SessionId, Filter),
    /// A client gets what it is owed, and its connection ends.
    Close(SessionId),
    /// Settings have changed.
    Limits(Limits),
    /// A client that was full takes bytes again.
    Writable(SessionId),
    /// A client that was full has taken nothing for too long.
    Stalled(SessionId),
    /// To be answered when no client is left.
    Drain(oneshot::Sender<()>),
    /// Every client left is given up; answered with their number.
    Abandon(oneshot::Sender<u64>),
}

/// What the rounds tell the driver.
#[derive(Debug)]
pub struct Report {
    /// Of which client.
    pub id: SessionId,
    /// Why it is to go.
    pub why: Farewell,
}

/// The settings that concern the rounds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    behind: usize,
    policy: SlowPolicy,
    stall: Duration,
    mailbox: usize,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        Self {
            behind: settings.slow.behind,
            policy: settings.slow.policy,
            stall: settings.slow.stall,
            mailbox: settings.limits.mailbox,
        }
    }
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

/// Writes made before looking for new orders, and before other tasks get their turn: about two
/// milliseconds. A small room does not wait until a big one has been served.
const SLICE: usize = 256;

/// How long a client that is to be closed may take nothing of what it is owed.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Client {
    connection: Arc<Connection>,
    reader: Reader,
    room: Option<RoomId>,
    /// Where in its room's list of members it stands.
    seat: usize,
    /// The socket was full, and has not said yet that it takes more.
    full: bool,
    /// A look at it is among the jobs.
    queued: bool,
    /// It ends when it has got everything.
    closing: bool,
    /// It was reported to the driver; nothing more is written.
    given_up: bool,
}

#[derive(Debug, Default)]
struct Room {
    log: Log,
    members: Vec<usize>,
    /// A round is under way, or waits for its turn.
    queued: bool,
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

/// The task's state.
pub struct Rounds {
    orders: Arc<Exchange<Order>>,
    reports: Arc<Exchange<Report>>,
    counts: Arc<Counts>,
    limits: Limits,
    clients: Slab<Box<Client>>,
    keys: HashMap<SessionId, usize>,
    rooms: HashMap<RoomId, Room>,
    jobs: VecDeque<Job>,
    /// How many rooms' logs hold more than they may: no orders are carried out until each of them has
    /// had a round, so that only those lose lines whose sockets are full.
    over: usize,
    drained: Option<oneshot::Sender<()>>,
}

impl Rounds {
    /// Rounds that carry out `orders`.
    #[must_use]
    pub fn new(
        orders: Arc<Exchange<Order>>,
        reports: Arc<Exchange<Report>>,
        counts: Arc<Counts>,
        limits: Limits,
    ) -> Self {
        Self {
            orders,
            reports,
            counts,
            limits,
            clients: Slab::new(),
            keys: HashMap::new(),
            rooms: HashMap::new(),
            jobs: VecDeque::new(),
            over: 0,
            drained: None,
        }
    }

    /// Makes rounds for ever; ends by being aborted.
    pub async fn run(mut self) {
        let (mut taken, mut orders) = (Vec::new(), VecDeque::new());
        loop {
            self.counts.beats.fetch_add(1, Ordering::Relaxed);
            if orders.is_empty() {
                self.orders.take(&mut taken);
                // An empty one goes back as room for the next orders, unless it has grown out of measure.
                orders = std::mem::take(&mut taken).into();
            }
            if orders.is_empty() && self.jobs.is_empty() {
                self.orders.left().await;
                continue;
            }
            while self.over == 0
                && let Some(order) = orders.pop_front()
            {
                self.carry_out(order);
            }
            if orders.is_empty() && orders.capacity() <= 4096 {
                taken = std::mem::take(&mut orders).into();
            }
            let mut budget = SLICE;
            while budget > 0
                && let Some(job) = self.jobs.pop_front()
            {
                match job {
                    Job::Round(id) => self.round(id, &mut budget),
                    Job::Look(key) => {
                        budget -= 1;
                        if let Some(client) = self.clients.get_mut(key) {
                            client.queued = false;
                            self.serve(key);
                        }
                    }
                }
            }
            if self.clients.is_empty()
                && let Some(drained) = self.drained.take()
            {
                let _ = drained.send(());
            }
            tokio::task::yield_now().await;
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Attach(connection) => {
                let id = connection.id;
                let reader = Reader::new(id);
                let client = Client {
                    connection,
                    reader,
                    room: None,
                    seat: 0,
                    full: false,
                    queued: false,
                    closing: false,
                    given_up: false,
                };
                self.keys.insert(id, self.clients.insert(Box::new(client)));
            }
            Order::Open(id) => {
                self.rooms.insert(id, Room::default());
            }
            Order::Shut(id) => {
                if self.rooms.remove(&id).is_some_and(|room| room.over) {
                    self.over -= 1;
                }
            }
            Order::Post(id, line) => self.post(id, line),
            Order::Enter(id, room) => {
                if let Some(key) = self.key(id) {
                    self.leave(key);
                    self.enter(key, room);
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
                    self.leave(key);
                    let client = &mut self.clients[key];
                    client.closing = true;
                    client.connection.close_input();
                    if client.given_up {
                        self.drop_client(key);
                    } else {
                        self.look(key);
                    }
                }
            }
            Order::Limits(limits) => self.limits = limits,
            Order::Writable(id) => {
                if let Some(key) = self.key(id) {
                    self.clients[key].full = false;
                    self.look(key);
                }
            }
            Order::Stalled(id) => {
                if let Some(key) = self.key(id) {
                    if self.clients[key].closing {
                        self.drop_client(key);
                    } else {
                        self.give_up(key, Farewell::TooSlow);
                    }
                }
            }
            Order::Drain(drained) => self.drained = Some(drained),
            Order::Abandon(answer) => {
                let _ = answer.send(self.clients.len() as u64);
                for client in self.clients.drain() {
                    client.connection.abort();
                }
                self.keys.clear();
                self.jobs.clear();
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
        if !room.over && room.log.bytes() > self.limits.behind {
            room.over = true;
            self.over += 1;
        }
        if !std::mem::replace(&mut room.queued, true) {
            self.jobs.push_back(Job::Round(id));
        }
    }

    fn tell(&mut self, id: SessionId, bytes: Arc<[u8]>) {
        let Some(key) = self.key(id) else { return };
        let client = &mut self.clients[key];
        if client.given_up {
            return;
        }
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        client.reader.tell(bytes, log);
        // What a closing client is owed is bounded: it is told nothing new.
        if client.reader.mail_bytes() > self.limits.mailbox && !client.closing {
            self.serve(key);
            if self.clients.get(key).is_some_and(|client| client.reader.mail_bytes() > self.limits.mailbox) {
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
            client.reader.missed(render::missed);
            change(&mut client.reader, &mut room.log);
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
        let Some(room) = client.room.take().and_then(|room| self.rooms.get_mut(&room)) else { return };
        client.reader.missed(render::missed);
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
    }

    /// One room's members, from where the round stands, as far as the budget goes.
    fn round(&mut self, id: RoomId, budget: &mut usize) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        if room.at == 0 {
            room.low = room.log.end();
        }
        while *budget > 0 {
            let Some(room) = self.rooms.get_mut(&id) else { return };
            let Some(key) = room.members.get(room.at).copied() else {
                return self.end_round(id);
            };
            room.at += 1;
            *budget -= 1;
            self.serve(key);
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
        if room.over {
            self.trim(id);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        // Lines that were posted while the round was under way.
        if visited_to > 0 && room.low < room.log.end() {
            let behind = room.members.iter().any(|key| {
                let client = &self.clients[*key];
                !client.full && !client.given_up && client.reader.has_due(Some(&room.log))
            });
            if behind {
                room.queued = true;
                self.jobs.push_back(Job::Round(id));
            }
        }
    }

    /// Lets go of what one room's log holds over its bound, as far as only clients are owed it whose
    /// sockets are full: they miss it, or are given up.
    fn trim(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        let ready = room.members.iter().map(|key| &clients[*key]).filter(|client| {
            // Who holds lines back may miss them, like those who take none.
            !client.full && !client.given_up && !client.reader.is_holding()
        });
        let ready = ready.map(|client| client.reader.next_line()).min();
        let to = room.log.first_within(self.limits.behind).min(ready.unwrap_or(u64::MAX));
        let mut slow = Vec::new();
        for key in &room.members {
            let client = &mut clients[*key];
            if client.reader.next_line() < to {
                let missed = client.reader.skip(to, &room.log);
                client.connection.missed.fetch_add(missed, Ordering::Relaxed);
                self.counts.missed.fetch_add(missed, Ordering::Relaxed);
                if missed > 0 && self.limits.policy == SlowPolicy::Close {
                    slow.push(*key);
                }
            }
        }
        room.log.trim_to(to);
        if room.log.bytes() <= self.limits.behind {
            room.over = false;
            self.over -= 1;
        }
        for key in slow {
            self.give_up(key, Farewell::TooSlow);
        }
    }

    /// Writes to one client what it is owed, as far as its socket takes it.
    fn serve(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if client.given_up {
            return;
        }
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        if client.full {
            let behind = client.reader.behind(log) as u64;
            return client.connection.behind.store(behind, Ordering::Relaxed);
        }
        client.reader.missed(render::missed);
        loop {
            let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
            client.reader.frame(log);
            let (count, owed) = client.reader.gather(log, &mut pieces);
            if count == 0 {
                client.reader.advance(log, 0);
                break;
            }
            match client.connection.write(&pieces[..count]) {
                Ok(taken) => {
                    self.counts.writes.fetch_add(1, Ordering::Relaxed);
                    self.counts.bytes.fetch_add(taken as u64, Ordering::Relaxed);
                    client.reader.advance(log, taken);
                    // All of it, and no more pieces than fit: nothing is left.
                    if taken == owed && count < MAX_PIECES && !client.reader.is_typing() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.counts.full.fetch_add(1, Ordering::Relaxed);
                    client.full = true;
                    let behind = client.reader.behind(log) as u64;
                    client.connection.behind.store(behind, Ordering::Relaxed);
                    return self.wait(key);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if client.closing => return self.drop_client(key),
                Err(_) => return self.give_up(key, Farewell::Lost),
            }
        }
        if client.connection.behind.load(Ordering::Relaxed) != 0 {
            client.connection.behind.store(0, Ordering::Relaxed);
        }
        if client.closing {
            self.drop_client(key);
        }
    }

    /// Has somebody wait for a full socket, but not for ever.
    fn wait(&self, key: usize) {
        let client = &self.clients[key];
        let patience = if client.closing { CLOSE_PATIENCE.min(self.limits.stall) } else { self.limits.stall };
        let connection = client.connection.clone();
        let orders = self.orders.clone();
        tokio::spawn(async move {
            let id = connection.id;
            let order = match tokio::time::timeout(patience, connection.writable()).await {
                Ok(()) => Order::Writable(id),
                Err(_) => Order::Stalled(id),
            };
            drop(connection);
            orders.leave(order);
        });
    }

    /// Nothing more is written to a client; the driver is told, and will order it closed.
    fn give_up(&mut self, key: usize, why: Farewell) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.given_up, true) {
            self.reports.leave(Report { id: client.connection.id, why });
        }
    }

    /// A client has got everything, or nothing more can be done for it.
    fn drop_client(&mut self, key: usize) {
        self.leave(key);
        let client = self.clients.remove(key);
        self.keys.remove(&client.connection.id);
        if client.given_up || client.full {
            client.connection.abort();
        } else {
            client.connection.finish();
        }
    }
}
