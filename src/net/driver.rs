//! The driver: the one task that owns the state machine.
//!
//! Whatever reaches the daemon arrives here: what clients send, in turns, and the rest as [`Arrival`]s in
//! one queue. Each input is written on the tape, then handled; what follows becomes work for the rounds,
//! lines in the journal, events for subscribers. It reads the clock for the machine, and feeds the
//! watchdog, so that a hang of this loop is noticed.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::{error, info};

use super::accept::Keeping;
use super::admins::{Admins, Holder};
use super::connection::Connection;
use super::exchange::{Exchange, Rest};
use super::hashing::Hashing;
use super::readiness::{Readiness, Ready};
use super::recovery::{Newcomer, Received, TakenOver, epoch};
use super::rounds::{self, AtOnce, Report, Rounds, Work};
use super::tape::{self, CHUNK, Tape, Written};
use super::times::{self, Doing, Times};
use super::turns::Turns;
use super::{accept, control, fault, snapshot};
use crate::config;
use crate::hub::By;
use crate::hub::archive::Recalled;
use crate::hub::login;
use crate::hub::message::{Farewell, Line, RoomId, SessionId};
use crate::hub::rising::Rising;
use crate::hub::session::Origin;
use crate::hub::time::{Mono, Now, Wall};
use crate::kernel;
use crate::logging::{self, Journal, ids};
use crate::settings::{Applies, Settings};
use crate::store::{self, Health, Source, Store};
use crate::systemd;
use crate::wire::admin::{self, Answer};
use crate::wire::control::{
    AdminConnection, Command, ControlError, DiskHistory, ErrorCode, Event, EventKind, Listener, LogLevel, LoopTurns,
    Metrics, Redacted, Reloaded, ShutdownArgs, Status, Stopped, SubscribeArgs, Time, TurnCount,
};
use crate::wire::machine::{Input, Machine, Order, Outcome};

/// Something that reaches the daemon.
#[derive(Debug)]
pub enum Arrival {
    /// A connection was accepted.
    Accepted(Newcomer),
    /// An administrator wants something.
    Control {
        /// What; boxed, for it is the largest.
        command: Box<Command>,
        /// Who.
        by: By,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<control::Answered, ControlError>>,
    },
    /// An administrator wants the next part of a long list.
    List {
        /// The list so far.
        listing: Box<admin::Listing>,
        /// Where it goes, and whether there is more.
        reply: oneshot::Sender<Result<(Box<admin::Listing>, bool), ControlError>>,
    },
    /// The store answers.
    Store(store::Answer),
    /// A password was hashed.
    Hashed {
        /// The number of the job.
        number: u64,
        /// What came of it.
        answer: login::Answer,
    },
    /// Something was done for a snapshot.
    Snapshot(snapshot::Done),
    /// A signal asks to read the settings again.
    Reload,
    /// A signal asks to end: everybody is handed over to the next process, if that can be done, else
    /// told goodbye. A second one, to end at once.
    End,
    /// A signal asks to stop: everybody is told goodbye. A second one, to end at once.
    Stop,
}

/// How many arrivals may wait. Each is a connection, or a request of at most 64 KiB; whoever has more
/// waits.
pub const ARRIVALS: usize = 1024;

/// Arrivals that are handled, and clients whose input is taken, before what follows is carried on.
const BATCH: usize = 256;

/// How long each of the things that a turn of the loop does may take before the rest is left for the next turn:
/// what one connection or one client brings about at a time takes less than a millisecond.
const AT_A_TIME: Duration = Duration::from_millis(1);

/// Orders that may wait for the rounds before the driver waits for the rounds: with lines of the
/// greatest length by default, 16 MiB.
const ORDERS: usize = 16_384;

/// How long after a change the status line that systemd shows is told, at the earliest.
const STATUS_EVERY: Duration = Duration::from_secs(2);

/// How long the disk has to take what was said last, when the hub ends.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// Events that may wait for one subscriber; those over it are counted, and the count is told.
const EVENTS: usize = 1024;

/// How long a connection whose output has ended is kept for the client to close its side: closed
/// with unread bytes in it, it would be reset, and the client could lose the last lines.
const LINGER: Duration = Duration::from_secs(1);

/// The tape is begun anew for the sake of a password on it so often at most: strangers can bring it about. So it
/// takes no more than a two hundredth of a processor's time, however much there is to be written.
const FORGET_EVERY: Duration = Duration::from_secs(5);
const FORGET_SHARE: u32 = 200;

/// A snapshot is written when handling what came since the last one has taken so long: as long as it takes a
/// process that takes over to handle it again, about. And not before the last one has taken less than a quarter
/// of the time since it was begun.
const REPLAY: Duration = Duration::from_secs(1);

/// Bytes of inputs that go along with a snapshot at a time: a fraction of a millisecond.
const PIECE: usize = 512 * 1024;

/// So long after many have left, when nobody comes any more, memory is given back: that of the process, and that of
/// the tape, by a snapshot of what is left.
const GIVE_BACK_AFTER: Duration = Duration::from_secs(2);

/// So many fewer clients, and half of them, are many.
const MANY: usize = 32;
const SNAPSHOT_SHARE: u32 = 4;

/// A process that has run so long can live with what it took over.
const SETTLED: Duration = Duration::from_millis(250);

/// What the driver needs to know that settings do not tell.
pub struct Circumstances {
    /// Where settings are read from at a reload.
    pub config: Option<PathBuf>,
    /// The settings files that were read.
    pub files: Vec<PathBuf>,
    /// The sockets for clients, to be prepared anew when the settings change.
    pub chat: Vec<Arc<AsyncFd<OwnedFd>>>,
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
    /// Who is connected to the admin sockets.
    pub admins: Arc<Admins>,
    /// How passwords that administrators set are hashed.
    pub passwords: control::Passwords,
}

/// How the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Clients that had not taken all that was owed to them.
    pub gave_up: u64,
    /// Everybody is to be taken over by another process.
    pub handed_over: bool,
}

/// A client's socket, as the driver sees it.
struct Port {
    connection: Arc<Connection>,
    /// Where it comes from.
    origin: Origin,
    /// There may be something to read.
    readable: bool,
    /// Reading goes on until there is nothing, not only until there is little.
    to_the_end: bool,
    /// It waits for its turn to be read.
    queued: bool,
    /// The hub has forgotten the client: what it sends is thrown away.
    leaving: bool,
    /// The client has closed its side, and everything before was read.
    hung_up: bool,
    /// Its output has ended; when the rest is to end.
    lingers: Option<Mono>,
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

/// The task's state.
pub struct Driver {
    machine: Machine,
    tape: Tape,
    queue: Keeping,
    /// The queue may have to be tidied, a step each turn.
    tidying: bool,
    ports: Rising<SessionId, Port>,
    inputs: Readiness,
    /// Those who wait for their turn to be read.
    turns: Turns,
    times: Times,
    /// So much lies there for the rounds that nothing is added.
    clogged: bool,
    /// Those who have sent more than may be taken of them now.
    paused: Vec<SessionId>,
    lingering: BTreeSet<(Mono, SessionId)>,
    outcomes: Vec<Outcome>,
    work: Vec<Work>,
    rounds: rounds::Shared,
    /// The driver has begun a round itself, which is not over.
    writing: bool,
    to_rounds: Arc<Exchange<Work>>,
    reports: Arc<Exchange<Report>>,
    counts: Arc<rounds::Counts>,
    journal: Journal,
    subscribers: Vec<Subscriber>,
    around: Circumstances,
    started: Now,
    status_due: Option<Mono>,
    status_told: Option<(usize, usize)>,
    watchdog_due: Option<Mono>,
    beats_seen: u64,
    idle_since: Option<Mono>,
    settle_at: Option<Mono>,
    /// When the tape is to be begun anew because a password stands on it, and when it last was.
    forget_at: Option<Mono>,
    forgot: Option<Mono>,
    hashing: Hashing,
    snapshots: Snapshots,
    /// How long the tape may grow.
    tape_length: u64,
    stop: Option<Stopping>,
    store: Option<Store>,
    /// Those who wait for lines to be made unreadable, by the number of the record.
    redacting: Vec<(u64, oneshot::Sender<Result<control::Answered, ControlError>>)>,
}

/// When snapshots are written.
struct Snapshots {
    writer: snapshot::Writer,
    /// One is being written, or the memory of the one before is being given back.
    under_way: bool,
    /// One that is written, while what came meanwhile goes along.
    written: Option<Written>,
    /// When the last one was begun, and how long writing it took.
    begun: Mono,
    took: Duration,
    /// How long it has taken to handle what came since.
    worked: Duration,
    /// Most clients since memory was given back; and when it is to be given back the next time.
    peak: usize,
    give_back_at: Option<Mono>,
}

impl Snapshots {
    /// Whether the last one is so long ago that one more takes no more than the `share`th part of the time.
    fn may(&self, share: u32, at: Mono) -> bool {
        !self.under_way && at.since(self.begun) >= self.took * share
    }
}

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// What taking that is called.
fn doing(arrival: &Arrival) -> Doing {
    match arrival {
        Arrival::Accepted(_) => Doing::Accepting,
        Arrival::Control { command, .. } => Doing::Command(command.spec().name),
        Arrival::List { .. } => Doing::Command("a list"),
        Arrival::Store(_) | Arrival::Hashed { .. } => Doing::Taking,
        Arrival::Snapshot(_) => Doing::Counting,
        Arrival::Reload => Doing::Command("reload"),
        Arrival::End | Arrival::Stop => Doing::Due,
    }
}

/// How many bytes a client is owed, and how many lines it was too slow for.
fn owed(ports: &Rising<SessionId, Port>) -> impl Fn(SessionId) -> (u64, u64) {
    |id| {
        ports.get(&id).map_or((0, 0), |Port { connection, .. }| {
            (connection.behind.load(Ordering::Relaxed), connection.missed.load(Ordering::Relaxed))
        })
    }
}

/// A stop that is to be carried out.
struct Stopping {
    args: ShutdownArgs,
    reply: Option<oneshot::Sender<Result<control::Answered, ControlError>>>,
    /// Everybody is handed over instead of told goodbye.
    hand_over: bool,
}

fn admin_connection(holder: Holder) -> AdminConnection {
    let Holder { uid, pid, since, idle } = holder;
    AdminConnection { uid, pid, age_s: since.as_secs(), idle_s: idle.map(|idle| idle.as_secs()) }
}

/// What time it is.
#[must_use]
pub fn now() -> Now {
    let wall = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    Now { mono: mono(), wall: Wall(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX)) }
}

/// The same by one clock only, to measure how long something took.
fn mono() -> Mono {
    let mono = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("every Linux has this clock");
    let seconds = u64::try_from(mono.tv_sec()).unwrap_or(0);
    let micros = u64::try_from(mono.tv_nsec()).unwrap_or(0) / 1000;
    Mono(seconds * 1_000_000 + micros)
}

/// What the driver works with.
pub struct Parts {
    /// The rounds.
    pub rounds: rounds::Shared,
    /// Work for them.
    pub to_rounds: Arc<Exchange<Work>>,
    /// What they report.
    pub reports: Arc<Exchange<Report>>,
    /// What they count.
    pub counts: Arc<rounds::Counts>,
    /// What is told to the journal.
    pub journal: Journal,
    /// What is kept of inputs.
    pub tape: Tape,
    /// What is kept of sockets.
    pub queue: Keeping,
    /// What is recorded.
    pub store: Option<Store>,
    /// Passwords.
    pub hashing: Hashing,
    /// Snapshots.
    pub snapshots: snapshot::Writer,
}

impl Driver {
    /// A driver of `machine`, and what came of its making.
    ///
    /// # Errors
    /// Those of epoll_create1(2).
    pub fn new(machine: Machine, outcomes: Vec<Outcome>, parts: Parts, around: Circumstances) -> io::Result<Self> {
        let started = now();
        let Parts { rounds, to_rounds, reports, counts, journal, tape, queue, store, hashing, snapshots } = parts;
        let (took, worked) = (Duration::ZERO, Duration::ZERO);
        let snapshots = Snapshots {
            writer: snapshots,
            under_way: false,
            written: None,
            begun: started.mono,
            took,
            worked,
            peak: 0,
            give_back_at: None,
        };
        Ok(Self {
            machine,
            tape,
            // Of those that were found, some were closed.
            tidying: queue.is_some(),
            queue,
            ports: Rising::default(),
            inputs: Readiness::new()?,
            turns: Turns::default(),
            times: Times::default(),
            clogged: false,
            paused: Vec::new(),
            lingering: BTreeSet::new(),
            outcomes,
            work: Vec::new(),
            rounds,
            writing: false,
            to_rounds,
            reports,
            counts,
            journal,
            subscribers: Vec::new(),
            watchdog_due: around.watchdog.map(|_| started.mono),
            around,
            started,
            status_due: None,
            status_told: None,
            beats_seen: 0,
            idle_since: Some(started.mono),
            settle_at: Some(started.mono.after(SETTLED)),
            forget_at: None,
            forgot: None,
            hashing,
            snapshots,
            tape_length: tape::length(),
            stop: None,
            store,
            redacting: Vec::new(),
        })
    }

    /// Goes on with what was taken over, under `settings` if they are others, and with what the store has
    /// told, if there is one.
    pub fn carry_on(&mut self, taken: TakenOver, settings: Option<Settings>, mut recalled: Option<Recalled>) {
        // First of all, as it stands on the tape.
        if let Some(Received { id, place, range, at }) = taken.received {
            self.bytes(id, place, range, at);
        }
        let at = now();
        self.input(Input::Restarted, at);
        if let Some(recalled) = &mut recalled
            && self.machine.hub().is_recording()
            && !self.machine.hub().is_unread()
        {
            // It knows what was said, and which numbers were given; what may not be on disk it hands out
            // again.
            *recalled = Recalled::default();
        }
        self.input(Input::Archive(recalled.map(Box::new)), at);
        let open = taken.connections.len() + taken.newcomers.len();
        self.around.accepted.open.fetch_add(open, Ordering::Relaxed);
        let mut connections = taken.connections;
        // In the order in which they came: so none is put in front of others.
        connections.sort_unstable_by_key(|(connection, _)| connection.id);
        for (connection, closing) in connections {
            let id = connection.id;
            let peer = self.machine.hub().session(id).map_or(Ipv4Addr::UNSPECIFIED.into(), |session| session.peer.ip());
            self.port(connection, Origin::of(peer), closing);
            self.take_turn(id);
        }
        let crowded = self.machine.hub().sessions().filter(|session| session.crowded);
        crowded.for_each(|session| self.to_rounds.leave(Work::Crowded(session.id)));
        if let Some(id) = taken.poisoned {
            let client = id.to_string();
            error!(message_id = ids::POISONED, chathub_client_id = %client, "input that the daemon died of is left out, and its client disconnected");
            self.input(Input::Gone { id, why: Farewell::Lost }, at);
        }
        for id in taken.lost {
            self.input(Input::Gone { id, why: Farewell::Lost }, at);
        }
        if taken.secret_spent {
            self.outcomes.push(Outcome::SecretSpent);
        }
        for newcomer in taken.newcomers {
            self.accepted(newcomer, at);
        }
        if let Some(settings) = settings.filter(|settings| settings != self.machine.hub().settings()) {
            self.input(Input::Settings(Box::new(settings)), at);
        }
        self.idle_since = (self.machine.hub().session_count() == 0).then_some(at.mono);
    }

    /// Drives the hub until it is to stop, hands everybody over or says goodbye, and returns when
    /// everybody has what they are owed, or the deadline has come.
    pub async fn run(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        let (mut batch, mut waiting) = (Vec::new(), VecDeque::new());
        let (mut told, mut reports) = (Vec::new(), VecDeque::new());
        let mut ready = Vec::new();
        self.carry(now());
        while self.stop.is_none() {
            let at = now();
            self.times.begin(at.mono);
            self.tick(at, arrivals.is_empty() && waiting.is_empty());
            self.carry(at);
            self.ends(Doing::Due);
            // What clients send is read when the rounds have nothing to do, or are through with half of what
            // lay there (a slice of one long round), and not in a trickle between their writes: the more is
            // read at a time, the cheaper is each line. In a long round, lines that come late still reach
            // those who are visited late.
            let is_clogged = self.is_clogged();
            let reads = !is_clogged && self.to_rounds.is_at_rest();
            let is_behind = !reports.is_empty()
                || !waiting.is_empty()
                || (reads && !self.turns.is_empty())
                || self.snapshots.written.is_some()
                || self.tidying;
            if is_behind && !is_clogged || self.writing && self.turns.is_empty() {
                // Whoever has something for this loop gets to leave it; nothing is waited for.
                tokio::task::yield_now().await;
            } else {
                let sleep = self.next_deadline().map(|due| Instant::now() + due.since(mono()));
                tokio::select! {
                    biased;
                    () = self.reports.left(), if !is_clogged => {}
                    taken = arrivals.recv_many(&mut batch, BATCH), if !is_clogged => {
                        // None: all senders are gone, and with them whoever could want something.
                        debug_assert!(taken > 0, "accepting, administration and signals hold senders");
                    }
                    Ok(()) = self.inputs.wait(&mut ready), if reads => {}
                    () = self.to_rounds.rest(), if !reads => {}
                    () = tokio::time::sleep_until(sleep.unwrap_or_else(Instant::now)), if sleep.is_some() => {}
                }
            }
            if self.is_clogged() {
                // Whoever wants something waits until the rounds have taken what lies there.
                continue;
            }
            // What waits in the other places is taken as well: nobody waits for another's end.
            if reads && ready.is_empty() {
                self.inputs.take(&mut ready);
            }
            while batch.len() + waiting.len() < BATCH
                && let Ok(arrival) = arrivals.try_recv()
            {
                batch.push(arrival);
            }
            waiting.extend(batch.drain(..));
            let at = now();
            self.times.begin(at.mono);
            self.reports.take(&mut told, Rest::Yes);
            reports.extend(told.drain(..));
            if self.writing {
                let nothing_came =
                    ready.is_empty() && waiting.is_empty() && reports.is_empty() && self.turns.is_empty();
                self.write_on(nothing_came);
                self.times.part(Doing::Writing, mono());
            }
            // Each of these goes on until its time is up; what is left is for the next turn.
            if !reports.is_empty() || self.tidying {
                let until = at.mono.after(AT_A_TIME);
                while let Some(report) = reports.pop_front() {
                    self.reported(report, at);
                    if mono() > until {
                        break;
                    }
                }
                self.tidy();
                self.times.part(Doing::Parting, mono());
            }
            let until = mono().after(AT_A_TIME);
            while let Some(arrival) = waiting.pop_front() {
                let doing = doing(&arrival);
                self.arrived(arrival, at);
                let passed = mono();
                self.times.part(doing, passed);
                if passed > until || matches!(doing, Doing::Command(_)) {
                    break;
                }
            }
            for Ready { key, to_the_end } in ready.drain(..) {
                self.ready(SessionId(key), to_the_end);
            }
            if reads && !self.turns.is_empty() {
                let until = mono().after(AT_A_TIME);
                for _ in 0..BATCH.min(self.turns.len()) {
                    if let Some(id) = self.turns.pop() {
                        self.fetch_next();
                        self.turn(id, at);
                    }
                    if mono() > until {
                        break;
                    }
                }
                self.times.part(Doing::Reading, mono());
            }
            self.carry(at);
            self.times.part(Doing::Writing, mono());
            if self.is_snapshot_due(at.mono) {
                self.snapshot();
                self.times.part(Doing::Freezing, mono());
            }
            if self.snapshots.written.is_some() {
                self.go_along();
                self.times.part(Doing::Counting, mono());
            }
            self.give_back(at.mono);
            self.snapshots.worked += self.times.end(now());
        }
        // Nobody is left without an answer, nor without a goodbye.
        let at = now();
        reports.into_iter().for_each(|report| self.reported(report, at));
        let hands_over = self.stop.as_ref().is_some_and(|stop| stop.hand_over);
        // Whoever was accepted last lies in the queue of sockets, for the next process to find.
        let late = waiting.into_iter().filter(|late| !(hands_over && matches!(late, Arrival::Accepted(_))));
        late.for_each(|arrival| self.arrived_late(arrival, at));
        if self.stop.as_ref().is_some_and(|stop| stop.hand_over) {
            self.hand_over(arrivals).await
        } else {
            self.wind_up(arrivals).await
        }
    }

    /// A turn ends that has done nothing else.
    fn ends(&mut self, doing: Doing) {
        let at = now();
        self.times.part(doing, at.mono);
        self.snapshots.worked += self.times.end(at);
    }

    /// Whether so much lies there for the rounds that nothing is to be added.
    fn is_clogged(&mut self) -> bool {
        if self.clogged {
            self.clogged = self.to_rounds.len() > ORDERS / 2;
        }
        self.clogged
    }

    fn next_deadline(&self) -> Option<Mono> {
        let idle = self.around.activated.then_some(()).and(self.machine.hub().settings().service.exit_when_idle);
        [
            self.machine.next_deadline(),
            self.lingering.first().map(|(at, _)| *at),
            self.settle_at,
            self.snapshots.give_back_at.filter(|_| !self.snapshots.under_way),
            self.forget_at,
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
        if self.machine.next_deadline().is_some_and(|due| due <= at.mono) {
            self.input(Input::Tick, at);
            for id in std::mem::take(&mut self.paused) {
                self.take_turn(id);
            }
        }
        while let Some((due, id)) = self.lingering.first().copied()
            && due <= at.mono
        {
            self.lingering.pop_first();
            self.close(id);
        }
        if self.settle_at.is_some_and(|due| due <= at.mono) {
            self.settle_at = None;
            self.tape.settled();
        }
        self.journal.summarize(at.mono);
        self.feed_watchdog(at);
        self.tell_status(at);
        self.idle_since =
            if self.machine.hub().session_count() == 0 { self.idle_since.or(Some(at.mono)) } else { None };
        if self.around.activated
            && let Some(limit) = self.machine.hub().settings().service.exit_when_idle
            && self.idle_since.is_some_and(|since| at.mono.since(since) >= limit)
            && quiet // somebody may be on the way in
            && self.stop.is_none()
        {
            info!("nobody has been here for {limit:?}: stopping until somebody comes");
            self.stop = Some(Stopping { args: ShutdownArgs::default(), reply: None, hand_over: false });
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
        let present = (self.machine.hub().session_count(), self.machine.hub().room_count());
        if self.status_told == Some(present) {
            self.status_due = None;
        } else if self.status_due.is_none_or(|due| due <= at.mono) {
            if self.status_due.is_some() || self.status_told.is_none() {
                let plural = |number: usize| if number == 1 { "" } else { "s" };
                let (clients, rooms) = present;
                let text = format!("{clients} client{}, {rooms} room{}", plural(clients), plural(rooms));
                if systemd::status(&text) {
                    self.status_told = Some(present);
                    self.status_due = None;
                } else {
                    self.status_due = Some(at.mono.after(STATUS_EVERY));
                }
            } else {
                self.status_due = Some(at.mono.after(STATUS_EVERY));
            }
        }
    }

    /// What comes behind a stop: nothing is begun any more, but somebody is told.
    fn arrived_late(&mut self, arrival: Arrival, at: Now) {
        match arrival {
            Arrival::Control { command, by, reply } => self.last_words(&command, by, reply, at),
            other => self.arrived(other, at),
        }
    }

    fn arrived(&mut self, arrival: Arrival, at: Now) {
        match arrival {
            Arrival::Accepted(newcomer) => self.accepted(newcomer, at),
            Arrival::Control { command, by, reply } => self.control(&command, by, reply, at),
            Arrival::List { mut listing, reply } => {
                let more = self.machine.list(&mut listing, at, &owed(&self.ports));
                let _ = reply.send(more.map(|more| (listing, more)));
            }
            Arrival::Store(answer) => self.stored(answer, at),
            Arrival::Hashed { number, answer } => {
                self.input(Input::Hashed { number, answer }, at);
                // Whoever waited for it may go on.
                for id in std::mem::take(&mut self.paused) {
                    self.take_turn(id);
                }
            }
            Arrival::Snapshot(done) => self.snapshot_done(done),
            Arrival::Reload => match self.reload(at) {
                Ok(_) | Err(_) => systemd::ready(),
            },
            Arrival::End => {
                let hand_over = self.tape.is_kept();
                self.stop = Some(Stopping { args: ShutdownArgs::default(), reply: None, hand_over });
            }
            Arrival::Stop => {
                self.stop = Some(Stopping { args: ShutdownArgs::default(), reply: None, hand_over: false });
            }
        }
    }

    /// Keeps an input, then handles it.
    fn input(&mut self, input: Input, at: Now) {
        let place = if self.tape.is_kept() {
            self.tape.append(at, &serde_json::to_vec(&input).expect("plain values"))
        } else {
            0
        };
        self.tape.handling(place, at.mono);
        self.machine.handle(input, at, &mut self.outcomes);
        self.tape.handled();
    }

    /// Handles what a client has sent, which stands on the tape.
    fn bytes(&mut self, id: SessionId, place: u64, range: Range<usize>, at: Now) {
        self.tape.handling(place, at.mono);
        let bytes = self.tape.content(range);
        fault::poison(bytes);
        self.machine.bytes(id, bytes, at, &mut self.outcomes);
        fault::point("input.handled");
        self.tape.handled();
    }

    // -- clients -------------------------------------------------------------------------------

    fn accepted(&mut self, newcomer: Newcomer, at: Now) {
        let Newcomer { socket, cookie, peer } = newcomer;
        let id = self.machine.next_id();
        let connection = Arc::new(Connection::new(id, cookie, Some(socket)));
        if let Some(queue) = &self.queue {
            queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).known(&connection);
        }
        self.port(connection, Origin::of(peer.ip()), false);
        self.input(Input::Connect { id, cookie, peer }, at);
        fault::point("accept.committed");
    }

    /// Begins to watch a client's socket.
    fn port(&mut self, connection: Arc<Connection>, origin: Origin, leaving: bool) {
        let id = connection.id;
        let watched = connection.socket().map(|socket| self.inputs.sockets().watch_input(&socket, id.0));
        let mut port = Port {
            connection,
            origin,
            readable: false,
            to_the_end: false,
            queued: false,
            leaving,
            hung_up: false,
            lingers: None,
        };
        // Without being told of it, it is tried: reading it says what is wrong.
        let unwatched = matches!(watched, Some(Err(_)));
        (port.readable, port.to_the_end) = (unwatched, unwatched);
        self.ports.insert(id, port);
        if unwatched {
            self.take_turn(id);
        }
    }

    fn ready(&mut self, id: SessionId, to_the_end: bool) {
        if let Some(port) = self.ports.get_mut(&id) {
            port.readable = true;
            port.to_the_end |= to_the_end;
            self.take_turn(id);
        }
    }

    fn take_turn(&mut self, id: SessionId) {
        if let Some(port) = self.ports.get_mut(&id)
            && (port.readable || self.machine.has_more(id))
            && !std::mem::replace(&mut port.queued, true)
        {
            self.turns.push(port.origin, id);
        }
    }

    /// Has what the next turn looks at fetched meanwhile.
    fn fetch_next(&self) {
        let Some(next) = self.turns.next() else { return };
        if let Some(port) = self.ports.get(&next) {
            kernel::prefetch(&*port.connection);
        }
        if let Some((session, speaker)) = self.machine.about(next) {
            kernel::prefetch(session);
            kernel::prefetch(speaker);
        }
    }

    /// Takes one piece of what a client has sent.
    fn turn(&mut self, id: SessionId, at: Now) {
        let Some(port) = self.ports.get_mut(&id) else { return };
        port.queued = false;
        if port.leaving {
            return self.throw_away(id);
        }
        if self.machine.has_more(id) {
            let place = self.tape.go_on(id, at);
            self.bytes(id, place, 0..0, at);
            return self.take_turn(id);
        }
        if !self.machine.listens_to(id) {
            // TCP slows it meanwhile.
            return self.paused.push(id);
        }
        let connection = &port.connection;
        match self.tape.receive(id, at, |place| connection.read(place)) {
            Ok((_, range)) if range.is_empty() => {
                port.readable = false;
                port.hung_up = true;
                self.input(Input::End { id, why: Farewell::Hangup }, at);
            }
            Ok((place, range)) => {
                // Mostly, less than there was room for was all there was.
                port.readable = range.len() == CHUNK || port.to_the_end;
                self.bytes(id, place, range, at);
                self.take_turn(id);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => port.readable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.take_turn(id),
            Err(_) => {
                port.readable = false;
                port.hung_up = true;
                self.input(Input::End { id, why: Farewell::Lost }, at);
            }
        }
    }

    /// What a client sends whom the hub has forgotten.
    fn throw_away(&mut self, id: SessionId) {
        let Some(port) = self.ports.get_mut(&id) else { return };
        let mut away = [0; CHUNK];
        match port.connection.read(&mut away) {
            Ok(count) if count > 0 => self.take_turn(id),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.take_turn(id),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => port.readable = false,
            _ => {
                (port.readable, port.hung_up) = (false, true);
                if let Some(due) = port.lingers {
                    self.lingering.remove(&(due, id));
                    self.close(id);
                }
            }
        }
    }

    fn reported(&mut self, report: Report, at: Now) {
        match report {
            Report::Gone(id, why) => self.input(Input::Gone { id, why }, at),
            Report::Crowded(id, on) => {
                self.input(Input::Crowded { id, on }, at);
                // What it has sent meanwhile.
                self.take_turn(id);
            }
            Report::Finished(id) => {
                let Some(port) = self.ports.get_mut(&id) else { return };
                if port.hung_up {
                    return self.close(id);
                }
                let due = at.mono.after(LINGER);
                port.lingers = Some(due);
                self.lingering.insert((due, id));
            }
        }
    }

    /// Lets go of a client's socket.
    fn close(&mut self, id: SessionId) {
        let Some(port) = self.ports.remove(&id) else { return };
        self.around.accepted.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(socket) = port.connection.socket() {
            self.inputs.sockets().forget(&socket);
        }
        // The queue of sockets holds it too: dropping it alone would not end it.
        port.connection.abort();
        if let Some(queue) = &self.queue {
            let mut queue = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            self.tidying |= queue.closed(port.connection.cookie);
        }
    }

    /// A step of tidying the queue of sockets, if it is being tidied.
    fn tidy(&mut self) {
        if let Some(queue) = self.queue.as_ref().filter(|_| self.tidying) {
            let mut queue = queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // What cannot be done now is tried again when one more has left.
            self.tidying = queue.step().unwrap_or(false);
        }
    }

    // -- what follows --------------------------------------------------------------------------

    /// Carries on what came out.
    fn carry(&mut self, at: Now) {
        let mut outcomes = std::mem::take(&mut self.outcomes);
        for outcome in outcomes.drain(..) {
            self.carry_out(outcome, at);
        }
        self.outcomes = outcomes;
        if self.work.is_empty() {
            return;
        }
        let alone = self.turns.is_empty() && !self.writing;
        let taken_up = Rounds::take_up(&self.rounds, &mut self.work, alone);
        self.writing = taken_up == AtOnce::Begun;
        if !self.work.is_empty() {
            let waiting = self.to_rounds.leave_all(&mut self.work);
            self.work.clear();
            if self.work.capacity() > ORDERS {
                self.work = Vec::new();
            }
            self.clogged |= waiting > ORDERS;
        }
    }

    /// Goes on with a round that the driver has begun itself, if it has nothing else to do; else it leaves the
    /// rest to the rounds' own thread.
    fn write_on(&mut self, nothing_else: bool) {
        if nothing_else {
            self.writing = Rounds::go_on_at_once(&self.rounds) == AtOnce::Begun;
        } else {
            self.to_rounds.call();
            self.writing = false;
        }
    }

    fn carry_out(&mut self, outcome: Outcome, at: Now) {
        let order = match outcome {
            Outcome::Order(order) => order,
            Outcome::Record(number, record) => {
                if let Some(store) = &self.store {
                    store.record(number, record);
                }
                return;
            }
            Outcome::Search(search) => {
                if let Some(store) = &self.store {
                    store.search(*search);
                }
                return;
            }
            Outcome::Hash(job) => {
                let accounts = &self.machine.hub().settings().accounts;
                return self.hashing.hash(job, accounts.into());
            }
            Outcome::More(id) => return self.take_turn(id),
            Outcome::SecretSpent => {
                if self.tape.is_kept() {
                    let every = FORGET_EVERY.max(self.snapshots.took * FORGET_SHARE);
                    let soonest = self.forgot.map_or(at.mono, |forgot| forgot.after(every));
                    self.forget_at = self.forget_at.or(Some(soonest.max(at.mono)));
                }
                return;
            }
            Outcome::Happened(happening) => {
                if !self.subscribers.is_empty() {
                    self.publish(&admin::event(&happening));
                }
                return self.journal.note(happening, at.mono);
            }
        };
        match &order {
            Order::Attach(id) => {
                if let Some(port) = self.ports.get(id) {
                    self.work.push(Work::Connection(port.connection.clone()));
                }
            }
            Order::Post(room, line) => self.publish_line(*room, line),
            Order::Close(id) => {
                if let Some(port) = self.ports.get_mut(id) {
                    port.leaving = true;
                    self.take_turn(*id);
                }
            }
            _ => {}
        }
        self.work.push(Work::Order(order));
    }

    /// Gives memory back when many have left.
    fn give_back(&mut self, at: Mono) {
        let clients = self.machine.hub().session_count();
        let snapshots = &mut self.snapshots;
        snapshots.peak = snapshots.peak.max(clients);
        if snapshots.peak < MANY || clients > snapshots.peak / 2 {
            snapshots.give_back_at = None;
        } else if snapshots.give_back_at.is_none() {
            snapshots.give_back_at = Some(at.after(GIVE_BACK_AFTER));
        } else if snapshots.give_back_at.is_some_and(|due| due <= at) && !snapshots.under_way {
            (snapshots.peak, snapshots.give_back_at) = (clients, None);
            if self.tape.is_kept() {
                self.snapshot();
            }
            self.snapshots.writer.trim();
        }
    }

    fn is_snapshot_due(&self, at: Mono) -> bool {
        let forget = self.forget_at.is_some_and(|due| due <= at);
        let long = self.tape.len() > self.tape_length || self.snapshots.worked > REPLAY || self.tape.has_many_cuts();
        self.tape.is_kept() && (forget && !self.snapshots.under_way || long && self.snapshots.may(SNAPSHOT_SHARE, at))
    }

    /// Has everything begin anew on the tape, from where it stands now, as soon as that is written down. What it
    /// stops is a look at each client.
    fn snapshot(&mut self) {
        debug_assert!(self.outcomes.is_empty(), "what followed so far was carried on");
        let Some(blank) = self.tape.begin() else { return };
        let at = mono();
        let (frozen, owed) = std::sync::mpsc::channel();
        self.to_rounds.leave(Work::Freeze(frozen));
        self.snapshots.writer.write(blank, self.machine.frozen(), owed);
        (self.snapshots.under_way, self.snapshots.begun, self.snapshots.worked) = (true, at, Duration::ZERO);
        // One that comes from now on is not in it, but goes along on the tape.
        self.forgot = self.forget_at.take().map(|_| at).or(self.forgot);
    }

    fn snapshot_done(&mut self, done: snapshot::Done) {
        match done {
            snapshot::Done::Written(written, took) => {
                self.snapshots.took = took;
                self.snapshots.written = Some(written);
            }
            snapshot::Done::Failed(blank, problem) => {
                error!(chathub_error = %problem, "what is kept for the next process cannot be written down{}", logging::InWords(&problem));
                self.tape.leave_blank(blank);
                self.snapshots.under_way = false;
            }
            snapshot::Done::Cleared(place) => {
                self.tape.take_back(place);
                self.snapshots.under_way = false;
            }
        }
    }

    /// Has what came while a snapshot was written go along with it, a piece at a time; in the end, it counts.
    fn go_along(&mut self) {
        let Some(mut written) = self.snapshots.written.take() else { return };
        if !self.tape.go_along(&mut written, PIECE) {
            self.snapshots.written = Some(written);
            return;
        }
        let old = self.tape.count(written, epoch());
        self.to_rounds.leave(Work::Kept);
        match old {
            Some(old) => self.snapshots.writer.clear(old),
            None => self.snapshots.under_way = false,
        }
    }

    /// Leaves everybody to the next process.
    async fn hand_over(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        for task in &self.around.accepting {
            task.abort();
        }
        self.carry(now());
        // The half of the tape that is away comes back. Whoever was accepted lies in the queue, to be found.
        while self.snapshots.under_way
            && let Some(arrival) = arrivals.recv().await
        {
            if let Arrival::Snapshot(done) = arrival {
                self.snapshot_done(done);
                while self.snapshots.written.is_some() {
                    self.go_along();
                }
            }
        }
        let (answer, owed) = oneshot::channel();
        let (counts, counting) = std::sync::mpsc::channel();
        self.to_rounds.leave(Work::Snapshot(answer, counting));
        // The rounds end by a panic only, and the daemon with them.
        if let Ok(owed) = owed.await {
            let machine = serde_json::to_vec(&self.machine).expect("plain values");
            self.tape.snapshot(&machine, &owed, epoch());
        }
        let _ = counts.send(());
        fault::point("handover.snapshot");
        let clients = self.machine.hub().session_count() as u64;
        info!(
            message_id = ids::HANDED_OVER,
            chathub_clients = clients,
            "ending; the clients wait for the next process"
        );
        Ended { gave_up: 0, handed_over: true }
    }

    // -- events --------------------------------------------------------------------------------

    fn publish_line(&mut self, room: RoomId, line: &Line) {
        if line.said.is_kept() && self.subscribers.iter().any(|subscriber| subscriber.wants(EventKind::Say)) {
            let name = self.machine.hub().room(room).map(|room| room.name.shown().to_owned()).unwrap_or_default();
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
            self.stop = Some(Stopping { args: args.clone(), reply: Some(reply), hand_over: false });
            return;
        }
        let one = |value: Result<Value, serde_json::Error>| {
            Ok(control::Answered::One(value.expect("results are plain JSON")))
        };
        if command.changes() && self.tape.is_kept() {
            let input = Input::Control { command: command.spec().name.to_owned(), args: command.args(), by };
            self.tape.append(at, &serde_json::to_vec(&input).expect("plain values"));
        }
        let answer = self.machine.control(command, by, at, &owed(&self.ports), &mut self.outcomes);
        let answer = match answer {
            Some(Ok(Answer::Redacting(number))) => return self.redacting.push((number, reply)),
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
            waiting_bytes: self.machine.hub().backlog().bytes() as u64,
            lost: self.machine.hub().counters().history_lost,
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
            store::Answer::BegunAnew => Input::BegunAnew,
            store::Answer::Recalled(recalled) => Input::Recalled(recalled),
        };
        self.input(input, at);
    }

    /// Whether what is said is recorded, and if not, why.
    fn recording(&self) -> String {
        let Some((source, health)) = self.store.as_ref().map(|store| (store.source(), store.health())) else {
            return "off: history ends with the daemon".to_owned();
        };
        let file = source.path().display();
        let mut text = match health.trouble {
            None => format!("on: {file}"),
            Some((trouble, since)) => format!("not since {}: {file}: {trouble}", Time(since)),
        };
        if self.machine.hub().is_unread() {
            text.push_str("; bans and accounts that are there could not be read yet");
        }
        if let Some(aside) = health.set_aside {
            text.push_str(&format!("; could not be read and was set aside: {}", aside.display()));
        }
        text
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
        let old = self.machine.hub().settings().clone();
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
        settings.accounts.hashers = old.accounts.hashers;
        if let Some(store) = &self.store {
            store.configure(&settings.history);
        }
        if settings.log.level != old.log.level {
            self.around.level.set(settings.log.level);
        }
        for listener in &self.around.chat {
            if let Err(error) = accept::prepare(listener.get_ref(), &settings.tcp) {
                error!(chathub_error = %error, "cannot set the options of a listening socket{}", logging::InWords(&error));
            }
        }
        self.around.admins.set_limit(settings.limits.admin_connections);
        let clients = settings.limits.clients;
        if clients != old.limits.clients {
            // It may wait, and nobody waits for it.
            let accepted = self.around.accepted.clone();
            tokio::task::spawn_blocking(move || {
                accepted.places.store(accept::make_room(clients), Ordering::Relaxed);
            });
        }
        *self.around.passwords.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            (settings.accounts.password, (&settings.accounts).into());
        self.around.files = loaded.files;
        self.input(Input::Settings(Box::new(settings)), at);
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
        let mut counters: Vec<_> = self.machine.hub().counters().iter().collect();
        counters.extend([
            ("writes", "Writes made to clients.", load(&self.counts.writes)),
            ("bytes_written", "Bytes written to clients.", load(&self.counts.bytes)),
            ("sockets_full", "Times that a client's socket was full.", load(&self.counts.full)),
            ("lines_missed", "Lines that clients were too slow for.", load(&self.counts.missed)),
            ("accept_pauses", "Times that accepting was paused.", load(&self.around.accepted.paused)),
            ("unkept", "Connections that would not outlive the process.", load(&self.around.accepted.unkept)),
            ("restarts", "Restarts that clients have lived through.", self.machine.restarts().count),
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
            state: if self.machine.hub().is_stopping() { "stopping" } else { "serving" }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since: Time(self.started.wall),
            uptime_s: at.mono.since(self.started.mono).as_secs(),
            clients: self.machine.hub().session_count() as u64,
            clients_peak: self.machine.hub().peak() as u64,
            clients_max: self.machine.hub().settings().limits.clients as u64,
            rooms: self.machine.hub().room_count() as u64,
            rooms_max: self.machine.hub().settings().limits.rooms as u64,
            history_lines: self.machine.hub().rooms().map(|room| room.history.len() as u64).sum(),
            listeners: self.around.listeners.clone(),
            activated: self.around.activated,
            survival: self.survival(),
            recording: self.recording(),
            unread: self.machine.hub().is_unread(),
            admins: self.around.admins.holders().into_iter().map(admin_connection).collect(),
            turns: self.turns_taken(),
            config: self.around.files.first().map(|file| file.display().to_string()),
            log_level: self.around.level.get().into(),
            counters: self.counters().into_iter().map(|(name, _, value)| (name.to_owned(), value.into())).collect(),
        }
    }

    fn turns_taken(&self) -> LoopTurns {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bounds = times::BOUNDS.into_iter().map(Some).chain([None]);
        let counts = bounds.zip(self.times.counts());
        let longest = self.times.longest();
        LoopTurns {
            count: self.times.counts().iter().sum(),
            total_us: micros(self.times.total()),
            longest_us: longest.map_or(0, |longest| micros(longest.took)),
            longest_doing: longest.map_or_else(String::new, |longest| longest.doing.0.words().to_owned()),
            longest_doing_us: longest.map_or(0, |longest| micros(longest.doing.1)),
            longest_at: longest.map(|longest| Time(longest.at)),
            histogram: counts.map(|(up_to_us, count)| TurnCount { up_to_us, count: *count }).collect(),
        }
    }

    /// Whether clients outlive this process, and what they have lived through, in words.
    fn survival(&self) -> String {
        if !self.tape.is_kept() {
            return "off: clients are told goodbye when the daemon stops".to_owned();
        }
        let restarts = self.machine.restarts();
        match restarts.last {
            None => "on: no restart yet".to_owned(),
            Some(last) => {
                let plural = if restarts.count == 1 { "" } else { "s" };
                format!("on: {} restart{plural} lived through, the last at {}", restarts.count, Time(last))
            }
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
            ("unread", "1 if bans and accounts on disk cannot be read.", self.machine.hub().is_unread().into()),
            ("history_waiting_bytes", "Lines that wait for the disk.", self.machine.hub().backlog().bytes() as u64),
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
        let turns = status.turns;
        let _ = write!(
            text,
            "# TYPE chathub_turn_longest_seconds gauge\n# HELP chathub_turn_longest_seconds Longest turn of the loop.\n\
             chathub_turn_longest_seconds {}\n\
             # TYPE chathub_turn_seconds histogram\n# HELP chathub_turn_seconds Turns of the loop.\n",
            seconds(turns.longest_us)
        );
        let mut count = 0;
        for turn in &turns.histogram {
            count += turn.count;
            let bound = turn.up_to_us.map_or_else(|| "+Inf".to_owned(), seconds);
            let _ = writeln!(text, "chathub_turn_seconds_bucket{{le=\"{bound}\"}} {count}");
        }
        let _ =
            write!(text, "chathub_turn_seconds_count {count}\nchathub_turn_seconds_sum {}\n", seconds(turns.total_us));
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
        let Stopping { args, mut reply, .. } = self.stop.take().expect("the loop has ended for this");
        let allowed =
            args.deadline_s.map_or(self.machine.hub().settings().shutdown.deadline, |seconds| seconds.seconds());
        systemd::stopping(allowed);
        for task in &self.around.accepting {
            task.abort();
        }
        let at = now();
        let clients = self.machine.hub().session_count() as u64;
        let message = args.message.as_deref().filter(|text| crate::hub::text::is_clean(text)).map(Into::into);
        self.input(Input::Stop { message }, at);
        self.carry(at);
        let deadline = Instant::now() + allowed;
        let (drain, mut drained) = oneshot::channel();
        self.to_rounds.leave(Work::Drain(drain));
        let mut gave_up = 0;
        let mut ready = Vec::new();
        loop {
            // A watchdog that is shorter than the deadline must not end this.
            let wake = self.around.watchdog.map_or(deadline, |every| deadline.min(Instant::now() + every));
            tokio::select! {
                biased;
                _ = &mut drained => break,
                arrival = arrivals.recv() => match arrival {
                    // A second signal: at once.
                    Some(Arrival::Stop | Arrival::End) => { gave_up = self.abandon().await; break }
                    Some(Arrival::Control { command, by, reply }) => self.last_words(&command, by, reply, now()),
                    Some(Arrival::Store(answer)) => self.stored(answer, now()),
                    // Who was accepted on the way here is told so, and turned away.
                    Some(Arrival::Accepted(newcomer)) => {
                        let at = now();
                        self.accepted(newcomer, at);
                        self.carry(at);
                    }
                    Some(_) => {}
                    None => break,
                },
                // What they still send is thrown away: closed with that unread, a connection would be
                // reset, and its client could lose the goodbye.
                Ok(()) = self.inputs.wait(&mut ready) => {
                    for Ready { key, to_the_end } in ready.drain(..) {
                        self.ready(SessionId(key), to_the_end);
                    }
                    while let Some(id) = self.turns.pop() {
                        self.turn(id, now());
                    }
                }
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
        let left: Vec<_> = self.ports.iter().map(|(id, _)| id).collect();
        for id in left {
            self.close(id);
        }
        self.tape.close();
        Ended { gave_up, handed_over: false }
    }

    async fn abandon(&mut self) -> u64 {
        let (answer, number) = oneshot::channel();
        self.to_rounds.leave(Work::Abandon(answer));
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
