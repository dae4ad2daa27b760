//! The driver: the one task that owns the hub.
//!
//! Whatever reaches the daemon arrives here as an [`Arrival`], in one queue; the hub decides; the
//! effects become orders to the rounds, lines in the journal, events for subscribers. It reads the
//! clock for the hub, and feeds the watchdog, so that a hang of this loop is noticed.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::{error, info};

use super::connection::{self, Connection};
use super::exchange::Exchange;
use super::rounds::{self, Order, Report};
use super::{accept, control};
use crate::config;
use crate::hub::archive::Recalled;
use crate::hub::message::{Done, Farewell, Line, Message, Offset, RoomId, SessionId};
use crate::hub::pace::Verdict;
use crate::hub::time::{Mono, Now, Wall};
use crate::hub::{By, Effect, Hub, Input};
use crate::logging::{self, Journal, ids};
use crate::settings::{Applies, Settings};
use crate::store::{self, Health, Source, Store};
use crate::systemd;
use crate::wire::admin::{self, Answer, Facts};
use crate::wire::control::{
    Command, ControlError, DiskHistory, ErrorCode, Event, EventKind, Listener, LogLevel, Metrics, Redacted, Reloaded,
    ShutdownArgs, Status, Stopped, SubscribeArgs, Time,
};
use crate::wire::link::{Heard, Link};
use crate::wire::render;
use crate::wire::stream::Filter;

/// Something that reaches the daemon.
#[derive(Debug)]
pub enum Arrival {
    /// A connection was accepted.
    Accepted {
        /// The connection.
        stream: TcpStream,
        /// Where it comes from.
        peer: SocketAddr,
    },
    /// A client sent bytes.
    Bytes {
        /// Which.
        id: SessionId,
        /// The bytes; never none.
        chunk: Vec<u8>,
    },
    /// A client sends no more.
    End {
        /// Which.
        id: SessionId,
        /// Why.
        why: Farewell,
    },
    /// An administrator wants something.
    Control {
        /// What; boxed, for each client's task has room for an arrival.
        command: Box<Command>,
        /// Who.
        by: By,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<control::Answered, ControlError>>,
    },
    /// The store answers.
    Store(store::Answer),
    /// A signal asks to read the settings again.
    Reload,
    /// A signal asks to stop; a second one, to stop at once.
    Stop,
}

/// How many arrivals may wait. Each is a connection, a chunk of at most 8 KiB, or a request of at
/// most 64 KiB; whoever has more to send waits, and TCP slows the clients.
pub const ARRIVALS: usize = 1024;

/// Arrivals that are handled before their effects are carried on.
const BATCH: usize = 256;

/// Orders that may wait for the rounds before the driver waits for the rounds: with lines of the
/// greatest length by default, 16 MiB.
const ORDERS: usize = 16_384;

/// How long a client rests whose lines are dropped because it is too fast, after each two chunks.
const REST: Duration = Duration::from_millis(100);

/// The same within a line that is too long. Shorter, for whoever has sent ten megabytes by mistake is
/// to be told so within seconds; it is some thousandths of a processor's time all the same.
const REST_SKIPPING: Duration = Duration::from_millis(10);

/// How long after a change the status line that systemd shows is told, at the earliest.
const STATUS_EVERY: Duration = Duration::from_secs(2);

/// How long the disk has to take what was said last, when the hub ends.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// Events that may wait for one subscriber; those over it are counted, and the count is told.
const EVENTS: usize = 1024;

/// What the driver needs to know that settings do not tell.
pub struct Circumstances {
    /// Where settings are read from at a reload.
    pub config: Option<PathBuf>,
    /// The settings files that were read.
    pub files: Vec<PathBuf>,
    /// The sockets for clients, to be prepared anew when the settings change.
    pub chat: Vec<Arc<tokio::net::TcpListener>>,
    /// Where the daemon listens.
    pub listeners: Vec<Listener>,
    /// Whether the sockets were handed over.
    pub activated: bool,
    /// How often the watchdog wants to be fed.
    pub watchdog: Option<Duration>,
    /// The log level.
    pub level: logging::Level,
    /// What accepting counts.
    pub accepted: Arc<accept::Counts>,
    /// The tasks that accept, ended when the hub stops.
    pub accepting: Vec<AbortHandle>,
    /// How many connections the admin socket serves at a time.
    pub admin_limit: Arc<AtomicUsize>,
}

/// How the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Clients that had not taken all that was owed to them.
    pub gave_up: u64,
}

struct Client {
    connection: Arc<Connection>,
    link: Link,
    /// What was heard and has to wait for its time.
    held: Option<Heard>,
    /// The end of its input, when it has come.
    end: Option<Farewell>,
    /// Chunks that are with the link.
    chunks: u32,
    /// It has rested since the last chunk was given back.
    rested: bool,
    /// When it is looked at again.
    due: Option<Mono>,
}

struct Subscriber {
    kinds: Option<Vec<EventKind>>,
    events: mpsc::Sender<Event>,
    lost: u64,
}

impl Subscriber {
    fn wants(&self, kind: EventKind) -> bool {
        self.kinds.as_ref().map_or(kind != EventKind::Say, |kinds| kinds.contains(&kind))
    }
}

/// The last replay that was rendered: most newcomers get the same.
struct Rendered {
    lines: Arc<[Arc<Line>]>,
    offset: Offset,
    /// Days since the epoch when it was rendered: times of other days are shown with their day.
    day: i64,
    bytes: Arc<[u8]>,
}

/// The task's state.
pub struct Driver {
    hub: Hub,
    clients: HashMap<SessionId, Box<Client>>,
    next_id: u64,
    due: BTreeSet<(Mono, SessionId)>,
    effects: Vec<Effect>,
    orders: Vec<Order>,
    to_rounds: Arc<Exchange<Order>>,
    reports: Arc<Exchange<Report>>,
    counts: Arc<rounds::Counts>,
    arrivals: mpsc::Sender<Arrival>,
    journal: Journal,
    subscribers: Vec<Subscriber>,
    rendered: Option<Rendered>,
    around: Circumstances,
    started: Now,
    status_due: Option<Mono>,
    status_told: Option<(usize, usize)>,
    watchdog_due: Option<Mono>,
    beats_seen: u64,
    idle_since: Option<Mono>,
    stop: Option<Stopping>,
    store: Option<Store>,
    /// Those who wait for lines to be made unreadable, by the number of the record.
    redacting: Vec<(u64, oneshot::Sender<Result<control::Answered, ControlError>>)>,
}

/// A stop that is to be carried out.
struct Stopping {
    args: ShutdownArgs,
    reply: Option<oneshot::Sender<Result<control::Answered, ControlError>>>,
}

/// What time it is.
#[must_use]
pub fn now() -> Now {
    let mono = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("every Linux has this clock");
    let wall = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = u64::try_from(mono.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(mono.tv_nsec()).unwrap_or(0) / 1000;
    Now { mono: Mono(seconds * 1_000_000 + micros), wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)) }
}

impl Driver {
    /// A driver with a hub in which nobody is yet.
    #[allow(clippy::too_many_arguments, reason = "everything the driver is made of, brought together once")]
    #[must_use]
    pub fn new(
        settings: Settings,
        key: [u8; 16],
        to_rounds: Arc<Exchange<Order>>,
        reports: Arc<Exchange<Report>>,
        counts: Arc<rounds::Counts>,
        arrivals: mpsc::Sender<Arrival>,
        journal: Journal,
        store: Option<(Store, Recalled)>,
        around: Circumstances,
    ) -> Self {
        let started = now();
        let mut effects = Vec::new();
        let mut hub = Hub::new(settings, key, started, &mut effects);
        let next_id = store.as_ref().map_or(1, |(_, recalled)| recalled.last_session + 1);
        let (store, recalled) = store.unzip();
        hub.handle(Input::Archive(recalled.map(Box::new)), started, &mut effects);
        Self {
            hub,
            clients: HashMap::new(),
            next_id,
            due: BTreeSet::new(),
            effects,
            orders: Vec::new(),
            to_rounds,
            reports,
            counts,
            arrivals,
            journal,
            subscribers: Vec::new(),
            rendered: None,
            watchdog_due: around.watchdog.map(|_| started.mono),
            around,
            started,
            status_due: None,
            status_told: None,
            beats_seen: 0,
            idle_since: Some(started.mono),
            stop: None,
            store,
            redacting: Vec::new(),
        }
    }

    /// Drives the hub until it is to stop, says goodbye, and returns when everybody has what they are
    /// owed, or the deadline has come.
    pub async fn run(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        let mut batch = Vec::new();
        let mut reports = Vec::new();
        self.carry(now()).await;
        while self.stop.is_none() {
            let at = now();
            self.tick(at, arrivals.is_empty());
            self.carry(at).await;
            let sleep = self.next_deadline().map(|due| Instant::now() + due.since(now().mono));
            tokio::select! {
                biased;
                () = self.reports.left() => {}
                taken = arrivals.recv_many(&mut batch, BATCH) => {
                    debug_assert!(taken > 0, "the driver holds a sender itself");
                }
                () = tokio::time::sleep_until(sleep.unwrap_or_else(Instant::now)), if sleep.is_some() => {}
            }
            let at = now();
            self.reports.take(&mut reports);
            for Report { id, why } in reports.drain(..) {
                self.hub.handle(Input::Gone { session: id, why }, at, &mut self.effects);
            }
            for arrival in batch.drain(..) {
                self.arrived(arrival, at);
            }
            self.carry(at).await;
        }
        self.wind_up(arrivals).await
    }

    fn next_deadline(&self) -> Option<Mono> {
        let idle = self.around.activated.then_some(()).and(self.hub.settings().service.exit_when_idle);
        [
            self.hub.next_deadline(),
            self.due.first().map(|(at, _)| *at),
            self.watchdog_due,
            self.status_due,
            self.journal.next_deadline(),
            idle.and_then(|limit| self.idle_since.map(|since| since.after(limit))),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What is due; `quiet` if nothing that came is waiting to be looked at.
    fn tick(&mut self, at: Now, quiet: bool) {
        if self.hub.next_deadline().is_some_and(|due| due <= at.mono) {
            self.hub.handle(Input::Tick, at, &mut self.effects);
        }
        while let Some((due, id)) = self.due.first().copied()
            && due <= at.mono
        {
            self.due.pop_first();
            if let Some(client) = self.clients.get_mut(&id) {
                client.due = None;
                self.listen(id, at);
            }
        }
        self.journal.summarize(at.mono);
        self.feed_watchdog(at);
        self.tell_status(at);
        self.idle_since = if self.clients.is_empty() { self.idle_since.or(Some(at.mono)) } else { None };
        if self.around.activated
            && let Some(limit) = self.hub.settings().service.exit_when_idle
            && self.idle_since.is_some_and(|since| at.mono.since(since) >= limit)
            && quiet // somebody may be on the way in
            && self.stop.is_none()
        {
            info!("nobody has been here for {limit:?}: stopping until somebody comes");
            self.stop = Some(Stopping { args: ShutdownArgs::default(), reply: None });
        }
    }

    /// Feeds the watchdog, if the rounds are alive too: they must have looked for orders since the
    /// last time, or have none.
    fn feed_watchdog(&mut self, at: Now) {
        let (Some(due), Some(every)) = (self.watchdog_due, self.around.watchdog) else { return };
        if at.mono < due {
            return;
        }
        self.watchdog_due = Some(at.mono.after(every));
        let beats = self.counts.beats.load(Ordering::Relaxed);
        if beats != self.beats_seen || self.to_rounds.is_empty() {
            systemd::watchdog();
        }
        self.beats_seen = beats;
    }

    fn tell_status(&mut self, at: Now) {
        let present = (self.hub.sessions().len(), self.hub.rooms().len());
        if self.status_told == Some(present) {
            self.status_due = None;
        } else if self.status_due.is_none_or(|due| due <= at.mono) {
            if self.status_due.is_some() || self.status_told.is_none() {
                let plural = |number: usize| if number == 1 { "" } else { "s" };
                let (clients, rooms) = present;
                systemd::status(&format!("{clients} client{}, {rooms} room{}", plural(clients), plural(rooms)));
                self.status_told = Some(present);
                self.status_due = None;
            } else {
                self.status_due = Some(at.mono.after(STATUS_EVERY));
            }
        }
    }

    fn arrived(&mut self, arrival: Arrival, at: Now) {
        match arrival {
            Arrival::Accepted { stream, peer } => self.accepted(stream, peer, at),
            Arrival::Bytes { id, chunk } => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.link.push(chunk);
                    client.chunks += 1;
                    self.listen(id, at);
                }
            }
            Arrival::End { id, why } => {
                if let Some(client) = self.clients.get_mut(&id) {
                    client.link.end();
                    client.end = Some(why);
                    self.listen(id, at);
                }
            }
            Arrival::Control { command, by, reply } => self.control(&command, by, reply, at),
            Arrival::Store(answer) => self.stored(answer, at),
            Arrival::Reload => match self.reload(at) {
                Ok(_) | Err(_) => systemd::ready(),
            },
            Arrival::Stop => self.stop = Some(Stopping { args: ShutdownArgs::default(), reply: None }),
        }
    }

    fn accepted(&mut self, stream: TcpStream, peer: SocketAddr, at: Now) {
        let id = SessionId(self.next_id);
        self.next_id += 1;
        let connection = Arc::new(Connection::new(id, stream));
        self.orders.push(Order::Attach(connection.clone()));
        self.hub.handle(Input::Connect { session: id, peer }, at, &mut self.effects);
        if self.hub.session(id).is_some() {
            tokio::spawn(connection::read(connection.clone(), self.arrivals.clone()));
            let link = Link::default();
            self.clients.insert(
                id,
                Box::new(Client { connection, link, held: None, end: None, chunks: 0, rested: false, due: None }),
            );
        }
    }

    /// Hands over what a client has sent, line by line, as far as its pace allows.
    fn listen(&mut self, id: SessionId, at: Now) {
        let mut replies = Vec::new();
        let mut dropped = false;
        let max = self.hub.settings().limits.line;
        while let Some(client) = self.clients.get_mut(&id) {
            if client.due.is_some() {
                break;
            }
            let Some(heard) = client.held.take().or_else(|| client.link.next(max, &mut replies)) else { break };
            let bytes = match &heard {
                Heard::Line { bytes, .. } => *bytes,
                // Reading it was slow already. Charged in full, ten megabytes by mistake would silence
                // their sender for the better part of an hour.
                Heard::TooLong { bytes } => (*bytes).min(self.hub.settings().pace.burst_bytes as u64),
                Heard::AreYouThere | Heard::Interrupt | Heard::Leave => 1,
            };
            match self.hub.judge(id, bytes, at, &mut self.effects) {
                Verdict::Pass => self.heard(id, heard, at),
                Verdict::Drop => dropped = true,
                Verdict::Hold(until) => {
                    client.held = Some(heard);
                    client.due = Some(until);
                    self.due.insert((until, id));
                }
            }
            if self.hub.session(id).is_none() {
                break;
            }
        }
        if !replies.is_empty() {
            self.orders.push(Order::Tell(id, replies.into()));
        }
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.due.is_some() {
            return;
        }
        let skipping = client.link.is_skipping();
        if (dropped || skipping) && client.chunks > 0 && client.end.is_none() && !client.rested {
            // Its chunks stay with us for a while, and little more is read meanwhile.
            let until = at.mono.after(if skipping { REST_SKIPPING } else { REST });
            client.due = Some(until);
            client.rested = true;
            self.due.insert((until, id));
            return;
        }
        client.rested = false;
        for _ in 0..std::mem::take(&mut client.chunks) {
            client.connection.take_chunk();
        }
        if client.link.is_done()
            && let Some(why) = client.end.clone()
        {
            self.hub.handle(Input::Gone { session: id, why }, at, &mut self.effects);
        }
    }

    fn heard(&mut self, id: SessionId, heard: Heard, at: Now) {
        let input = match heard {
            Heard::Line { text, .. } => Input::Line { session: id, text },
            Heard::TooLong { bytes } => Input::Overlong { session: id, bytes },
            Heard::Leave => Input::Line { session: id, text: "/quit".to_owned() },
            Heard::AreYouThere => return self.effects.push(Effect::Tell { to: id, message: Message::HereIAm }),
            Heard::Interrupt => {
                let message = Message::Done(Done::Interrupted);
                return self.effects.push(Effect::Tell { to: id, message });
            }
        };
        self.hub.handle(input, at, &mut self.effects);
    }

    /// Carries out what the hub has decided.
    async fn carry(&mut self, at: Now) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            self.carry_out(effect, at);
        }
        self.effects = effects;
        if !self.orders.is_empty() {
            let waiting = self.to_rounds.leave_all(&mut self.orders);
            self.orders.clear();
            if self.orders.capacity() > ORDERS {
                self.orders = Vec::new();
            }
            if waiting > ORDERS {
                while self.to_rounds.len() > ORDERS / 2 {
                    self.to_rounds.taken().await;
                }
            }
        }
    }

    fn carry_out(&mut self, effect: Effect, at: Now) {
        let order = match effect {
            Effect::Open(room) => Order::Open(room),
            Effect::Shut(room) => Order::Shut(room),
            Effect::Post { room, line } => {
                self.publish_line(room, &line);
                Order::Post(room, line)
            }
            Effect::Enter { session, room } => Order::Enter(session, room),
            Effect::Tell { to, message } => Order::Tell(to, self.render(&message, at)),
            Effect::View { session, view } => Order::See(session, view),
            Effect::Filter { session, quiet, ignored } => Order::Hide(session, Filter { quiet, ignored }),
            Effect::Close { session, .. } => {
                if let Some(client) = self.clients.remove(&session) {
                    if let Some(due) = client.due {
                        self.due.remove(&(due, session));
                    }
                    client.connection.close_input();
                }
                Order::Close(session)
            }
            Effect::Record { number, record } => {
                if let Some(store) = &self.store {
                    store.record(number, record);
                }
                return;
            }
            Effect::Search(search) => {
                if let Some(store) = &self.store {
                    store.search(*search);
                }
                return;
            }
            Effect::Happened(happening) => {
                if !self.subscribers.is_empty() {
                    self.publish(&admin::event(&happening));
                }
                self.journal.note(happening, at.mono);
                return;
            }
        };
        self.orders.push(order);
    }

    fn render(&mut self, message: &Message, at: Now) -> Arc<[u8]> {
        let day = at.wall.0.div_euclid(86_400_000);
        if let Message::Replay { lines, offset, of: crate::hub::message::Replay::Last, .. } = message {
            if let Some(rendered) = &self.rendered
                && Arc::ptr_eq(&rendered.lines, lines)
                && (rendered.offset, rendered.day) == (*offset, day)
            {
                return rendered.bytes.clone();
            }
            let mut out = Vec::new();
            render::message(message, at.wall, &mut out);
            let bytes: Arc<[u8]> = out.into();
            let rendered = Rendered { lines: lines.clone(), offset: *offset, day, bytes: bytes.clone() };
            self.rendered = Some(rendered);
            return bytes;
        }
        let mut out = Vec::new();
        render::message(message, at.wall, &mut out);
        out.into()
    }

    // -- events --------------------------------------------------------------------------------

    fn publish_line(&mut self, room: RoomId, line: &Line) {
        if line.said.is_kept() && self.subscribers.iter().any(|subscriber| subscriber.wants(EventKind::Say)) {
            let name = self.hub.room(room).map(|room| room.name.shown().to_owned()).unwrap_or_default();
            if let Some(event) = admin::said(&name, line) {
                self.publish(&event);
            }
        }
    }

    fn publish(&mut self, event: &Event) {
        self.subscribers.retain_mut(|subscriber| {
            if !subscriber.wants(event.event) {
                return !subscriber.events.is_closed();
            }
            match subscriber.events.try_send(Event { lost: subscriber.lost, ..event.clone() }) {
                Ok(()) => subscriber.lost = 0,
                Err(mpsc::error::TrySendError::Full(_)) => subscriber.lost += 1,
                Err(mpsc::error::TrySendError::Closed(_)) => return false,
            }
            true
        });
    }

    fn subscribe(&mut self, args: &SubscribeArgs) -> mpsc::Receiver<Event> {
        let (events, receiver) = mpsc::channel(EVENTS);
        self.subscribers.push(Subscriber { kinds: args.kinds.clone(), events, lost: 0 });
        receiver
    }

    // -- administration ------------------------------------------------------------------------

    fn control(
        &mut self,
        command: &Command,
        by: By,
        reply: oneshot::Sender<Result<control::Answered, ControlError>>,
        at: Now,
    ) {
        if let Command::Shutdown(args) = command {
            // Answered when it is done.
            self.stop = Some(Stopping { args: args.clone(), reply: Some(reply) });
            return;
        }
        let one = |value: Result<Value, serde_json::Error>| {
            Ok(control::Answered::One(value.expect("results are plain JSON")))
        };
        let clients = &self.clients;
        let facts = |id: SessionId| {
            clients.get(&id).map_or_else(Facts::default, |client| Facts {
                telnet: client.link.is_telnet(),
                behind: client.connection.behind.load(Ordering::Relaxed),
                missed: client.connection.missed.load(Ordering::Relaxed),
            })
        };
        let answer = match admin::answer(&mut self.hub, command, by, at, &facts, &mut self.effects) {
            Some(Ok(Answer::Redacting(number))) => {
                self.redacting.push((number, reply));
                return;
            }
            Some(answer) => answer.and_then(|answer| self.answered(answer)),
            None => match command {
                Command::Status(_) => one(serde_json::to_value(self.status(at))),
                Command::Metrics(_) => one(serde_json::to_value(Metrics { text: self.metrics(at) })),
                Command::LogLevel(args) => {
                    if let Some(level) = args.level {
                        self.around.level.set(level.into());
                    }
                    one(serde_json::to_value(LogLevel { level: self.around.level.get().into() }))
                }
                Command::Reload(_) => {
                    let answer = self.reload(at);
                    systemd::ready();
                    answer.and_then(|reloaded| one(serde_json::to_value(reloaded)))
                }
                Command::EventsSubscribe(args) => Ok(control::Answered::Events(self.subscribe(args))),
                _ => Err(ControlError::new(ErrorCode::Internal, "this command is not carried out here")),
            },
        };
        // The one who asked may have gone: then nobody is told.
        let _ = reply.send(answer);
    }

    fn answered(&self, answer: Answer) -> Result<control::Answered, ControlError> {
        let source = || {
            let none = || ControlError::new(ErrorCode::Internal, "history is recorded nowhere");
            self.store.as_ref().map(Store::source).ok_or_else(none)
        };
        Ok(match answer {
            Answer::One(value) => control::Answered::One(value),
            Answer::Lines(lines) => control::Answered::Lines(lines),
            Answer::Stored(stored) => control::Answered::Stored(stored, source()?),
            Answer::Count(stored) => control::Answered::Count(stored, source()?),
            Answer::Stats(mut stats) => {
                let source = source()?;
                stats.disk = self.store.as_ref().map(|store| self.disk(&store.health(), &source));
                control::Answered::Stats(Box::new(stats), source)
            }
            Answer::Backup => control::Answered::Backup(source()?),
            Answer::Redacting(_) => {
                return Err(ControlError::new(ErrorCode::Internal, "this is answered when it is done"));
            }
        })
    }

    fn disk(&self, health: &Health, source: &Source) -> DiskHistory {
        DiskHistory {
            file: source.path().display().to_string(),
            lines: health.lines,
            bytes: health.bytes,
            indexed_to: None,
            waiting_bytes: self.hub.backlog().bytes() as u64,
            lost: self.hub.counters().history_lost,
            trouble: health.trouble.as_ref().map(|(text, _)| text.clone()),
            set_aside: health.set_aside.as_ref().map(|path| path.display().to_string()),
            rooms: Vec::new(),
        }
    }

    /// The store has done something.
    fn stored(&mut self, answer: store::Answer, at: Now) {
        let input = match answer {
            store::Answer::Recorded { through, redacted } => {
                for (number, lines) in redacted {
                    if let Some(at) = self.redacting.iter().position(|(waiting, _)| *waiting == number) {
                        let (_, reply) = self.redacting.swap_remove(at);
                        let value = serde_json::to_value(Redacted { lines, dry_run: false });
                        let _ = reply.send(Ok(control::Answered::One(value.expect("results are plain JSON"))));
                    }
                }
                Input::Recorded { through }
            }
            store::Answer::Found { session, number, found } => Input::Found { session, number, found },
        };
        self.hub.handle(input, at, &mut self.effects);
    }

    /// Whether what is said is recorded, and if not, why.
    fn recording(&self) -> String {
        match self.store.as_ref().map(|store| (store.source(), store.health())) {
            None => "off: history ends with the daemon".to_owned(),
            Some((source, Health { trouble: None, .. })) => format!("on: {}", source.path().display()),
            Some((source, Health { trouble: Some((text, since)), .. })) => {
                format!("not since {}: {}: {text}", Time(since), source.path().display())
            }
        }
    }

    /// Reads the settings again. It is done here, while everybody waits: the files are small, and no
    /// line is handled half by the old settings and half by the new ones.
    fn reload(&mut self, at: Now) -> Result<Reloaded, ControlError> {
        systemd::reloading();
        let loaded = match config::load(self.around.config.as_deref()) {
            Ok(loaded) => loaded,
            Err(problems) => {
                let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
                for problem in &text {
                    error!(message_id = ids::RELOAD_FAILED, chathub_problem = %problem, "settings refused; the old ones stay{}", logging::InWords(problem));
                }
                return Err(ControlError::new(ErrorCode::Conflict, text.join("\n")));
            }
        };
        let old = self.hub.settings().clone();
        let (mut applied, mut restart) = (Vec::new(), Vec::new());
        for setting in Settings::changes(&old, &loaded.settings) {
            match setting.applies {
                Applies::Live => applied.push(setting.key.to_owned()),
                Applies::Restart => restart.push(setting.key.to_owned()),
            }
        }
        let mut settings = loaded.settings;
        // What needs a restart stays as it is until then.
        settings.listen = old.listen;
        settings.service = old.service;
        settings.rooms.lobby = old.rooms.lobby;
        settings.history.persist = old.history.persist;
        if let Some(store) = &self.store {
            store.configure(&settings.history);
        }
        if settings.log.level != old.log.level {
            self.around.level.set(settings.log.level);
        }
        for listener in &self.around.chat {
            if let Err(error) = accept::prepare(listener, &settings.tcp) {
                error!(chathub_error = %error, "cannot set the options of a listening socket{}", logging::InWords(&error));
            }
        }
        self.around.admin_limit.store(settings.limits.admin_connections, Ordering::Relaxed);
        self.orders.push(Order::Limits((&settings).into()));
        self.around.files = loaded.files;
        self.hub.handle(Input::Settings(Box::new(settings)), at, &mut self.effects);
        info!(
            message_id = ids::RELOADED,
            chathub_applied = applied.join(" "),
            chathub_restart = restart.join(" "),
            "settings read again"
        );
        self.publish(&Event {
            event: EventKind::Reload,
            t: Time(at.wall),
            client: None,
            nick: None,
            room: None,
            text: Some(applied.join(" ")),
            by: None,
            lost: 0,
        });
        Ok(Reloaded { applied, restart })
    }

    /// Every counter there is: name, meaning, value.
    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut counters: Vec<_> = self.hub.counters().iter().collect();
        counters.extend([
            ("writes", "Writes made to clients.", load(&self.counts.writes)),
            ("bytes_written", "Bytes written to clients.", load(&self.counts.bytes)),
            ("sockets_full", "Times that a client's socket was full.", load(&self.counts.full)),
            ("lines_missed", "Lines that clients were too slow for.", load(&self.counts.missed)),
            ("accept_pauses", "Times that accepting was paused.", load(&self.around.accepted.paused)),
            ("journal_lost", "Events that the journal did not take in time.", self.journal.lost()),
        ]);
        if let Some(health) = self.store.as_ref().map(Store::health) {
            counters.extend([
                ("history_recorded", "Records written to disk.", health.records),
                ("history_troubles", "Times that the disk did not take what was to be recorded.", health.troubles),
                ("history_set_aside", "Files of history that could not be read and were set aside.", health.sets_aside),
            ]);
        }
        counters
    }

    fn status(&self, at: Now) -> Status {
        Status {
            state: if self.hub.is_stopping() { "stopping" } else { "serving" }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since: Time(self.started.wall),
            uptime_s: at.mono.since(self.started.mono).as_secs(),
            clients: self.hub.sessions().len() as u64,
            clients_peak: self.hub.peak() as u64,
            clients_max: self.hub.settings().limits.clients as u64,
            rooms: self.hub.rooms().len() as u64,
            rooms_max: self.hub.settings().limits.rooms as u64,
            history_lines: self.hub.rooms().map(|room| room.history.len() as u64).sum(),
            listeners: self.around.listeners.clone(),
            activated: self.around.activated,
            survival: "off: clients are told goodbye when the daemon stops".to_owned(),
            recording: self.recording(),
            config: self.around.files.first().map(|file| file.display().to_string()),
            log_level: self.around.level.get().into(),
            counters: self.counters().into_iter().map(|(name, _, value)| (name.to_owned(), value.into())).collect(),
        }
    }

    /// OpenMetrics 1.0: counters and gauges without labels, for names of rooms and people are nobody's
    /// business, and without bound.
    fn metrics(&self, at: Now) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let status = self.status(at);
        let gauges = [
            ("clients", "Clients connected.", status.clients),
            ("clients_peak", "Most clients at one time.", status.clients_peak),
            ("rooms", "Rooms.", status.rooms),
            ("history_lines", "Lines kept in memory.", status.history_lines),
            ("uptime_seconds", "Seconds since the start.", status.uptime_s),
            ("history_waiting_bytes", "Lines that wait for the disk.", self.hub.backlog().bytes() as u64),
        ];
        let health = self.store.as_ref().map(Store::health);
        let disk = health.iter().flat_map(|health| {
            [
                ("history_disk_lines", "Lines on disk.", health.lines),
                ("history_disk_bytes", "Bytes on disk.", health.bytes),
                ("history_disk_trouble", "1 if the disk takes nothing now.", health.trouble.is_some().into()),
            ]
        });
        for (name, about, value) in gauges.into_iter().chain(disk) {
            let _ =
                write!(text, "# TYPE chathub_{name} gauge\n# HELP chathub_{name} {about}\nchathub_{name} {value}\n");
        }
        for (name, about, value) in self.counters() {
            let _ = write!(
                text,
                "# TYPE chathub_{name} counter\n# HELP chathub_{name} {}\nchathub_{name}_total {value}\n",
                about.trim()
            );
        }
        text.push_str("# EOF\n");
        text
    }

    // -- the end -------------------------------------------------------------------------------

    /// Says goodbye, and waits until everybody has what they are owed, but not for ever.
    async fn wind_up(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        let Stopping { args, mut reply } = self.stop.take().expect("the loop has ended for this");
        let allowed = args.deadline_s.map_or(self.hub.settings().shutdown.deadline, |seconds| seconds.seconds());
        systemd::stopping(allowed);
        for task in &self.around.accepting {
            task.abort();
        }
        let at = now();
        let clients = self.hub.sessions().len() as u64;
        let message = args.message.as_deref().filter(|text| crate::hub::text::is_clean(text)).map(Into::into);
        self.hub.handle(Input::Stop { message }, at, &mut self.effects);
        self.carry(at).await;
        let deadline = Instant::now() + allowed;
        let (drain, mut drained) = oneshot::channel();
        self.to_rounds.leave(Order::Drain(drain));
        let mut gave_up = 0;
        loop {
            // A watchdog that is shorter than the deadline must not end this.
            let wake = self.around.watchdog.map_or(deadline, |every| deadline.min(Instant::now() + every));
            tokio::select! {
                biased;
                _ = &mut drained => break,
                arrival = arrivals.recv() => match arrival {
                    // A second signal: at once.
                    Some(Arrival::Stop) => { gave_up = self.abandon().await; break }
                    Some(Arrival::Control { command, by, reply }) => self.last_words(&command, by, reply, now()),
                    Some(Arrival::Store(answer)) => self.stored(answer, now()),
                    // Who was accepted on the way here is told so, and turned away.
                    Some(Arrival::Accepted { stream, peer }) => {
                        let at = now();
                        self.accepted(stream, peer, at);
                        self.carry(at).await;
                    }
                    Some(_) => {}
                    None => break,
                },
                () = tokio::time::sleep_until(wake) => {
                    systemd::watchdog();
                    if Instant::now() >= deadline {
                        gave_up = self.abandon().await;
                        break;
                    }
                }
            }
        }
        // Whoever still has something to say to us does not wait for it.
        drop(arrivals);
        if let Some(store) = self.store.take() {
            let closing = tokio::task::spawn_blocking(move || store.close(STORE_PATIENCE));
            if !closing.await.unwrap_or(false) {
                error!(message_id = ids::STORE, "not everything that was said last is recorded");
            }
        }
        let warning = self
            .around
            .activated
            .then(|| "chathub.socket still listens: the next connection starts the service again".to_owned());
        info!(message_id = ids::STOPPED, chathub_clients = clients, chathub_gave_up = gave_up, "stopped");
        if let Some(reply) = reply.take() {
            let stopped = Stopped { clients, gave_up, warning };
            let value = serde_json::to_value(stopped).expect("results are plain JSON");
            let _ = reply.send(Ok(control::Answered::One(value)));
        }
        Ended { gave_up }
    }

    async fn abandon(&mut self) -> u64 {
        let (answer, number) = oneshot::channel();
        self.to_rounds.leave(Order::Abandon(answer));
        number.await.unwrap_or(0)
    }

    /// What can still be answered while the hub winds up.
    fn last_words(
        &mut self,
        command: &Command,
        by: By,
        reply: oneshot::Sender<Result<control::Answered, ControlError>>,
        at: Now,
    ) {
        match command {
            Command::Status(_) | Command::Metrics(_) | Command::LogLevel(_) => self.control(command, by, reply, at),
            _ => {
                let _ = reply.send(Err(ControlError::new(ErrorCode::Conflict, "the hub is shutting down")));
            }
        }
    }
}
