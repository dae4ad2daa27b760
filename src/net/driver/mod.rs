//! The driver: the one task that owns the state machine.
//!
//! Everything that reaches the daemon arrives here: the bytes that clients send, one client's turn
//! after another, and all else as [`Arrival`]s in one queue. Each input is written to the tape,
//! then handled by the machine. What follows becomes work for the rounds, lines in the journal, and
//! events for subscribers. The driver reads the clock for the machine. It also feeds the watchdog,
//! so that a hang of this loop is noticed.
//!
//! The driver does not know how a connection is accepted, how an administrator's request is read
//! and its answer written, nor what any line says.
//!
//! | to change | see |
//! | --- | --- |
//! | the loop, timers, the handling of each arrival | this file |
//! | how an input is kept and handled: the one way to change the state machine | `state` |
//! | clients' sockets: reading, closing | `clients` |
//! | whose turn it is; how long turns of the loop take | [`turns`], [`times`] |
//! | what follows from inputs | `outcomes` |
//! | which clients wait until something is on disk | `on_disk` |
//! | commands that the driver executes itself, reading the settings again | `administer` |
//! | how much of the loop's time administrators' commands get | [`share`] |
//! | status, counters, metrics | `report` |
//! | the messages to the service manager | `service` |
//! | events for subscribers | `events` |
//! | when a snapshot is taken, when memory is given back | `snapshots` |
//! | handing over, saying goodbye | [`ending`] |

mod administer;
mod clients;
pub mod ending;
mod events;
mod on_disk;
mod outcomes;
mod report;
mod service;
pub mod share;
mod snapshots;
mod state;
pub mod times;
pub mod turns;

use std::collections::VecDeque;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::{error, info};

use self::administer::Redacting;
use self::administer::Unwritten;
use self::clients::Clients;
use self::ending::{Ended, Stopping};
use self::events::Subscribers;
use self::outcomes::Delivery;
use self::service::Service;
use self::share::Share;
use self::snapshots::Snapshots;
use self::state::State;
use self::times::{Doing, Times};
use crate::hub;
use crate::hub::archive::Recalled;
use crate::hub::message::Farewell;
use crate::logging::{Journal, ids};
use crate::machine::{Input, Machine, Outcome};
use crate::net::admin::holders::Admins;
use crate::net::arrival::Arrival;
use crate::net::clock::{mono, now};
use crate::net::exchange::ReadyForMore;
use crate::net::hashing::Hashing;
use crate::net::keep::queue::Keeping;
use crate::net::keep::recovery::{Received, Restored};
use crate::net::keep::snapshot;
use crate::net::keep::tape::{Kind, Tape};
use crate::net::readiness::Ready;
use crate::net::rounds::{Exchanges, Work};
use crate::net::{accept, admin, rounds};
use crate::settings::{self, Settings};
use crate::store::Store;
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::time::{Mono, Now};
use crate::wire::admin::result::{Listener, SettingsRead};
use crate::{logging, systemd};

/// The most arrivals handled, and the most turns of clients, in one turn of the loop.
const BATCH: usize = 256;

/// How long each part of a turn of the loop (reports, arrivals, reading) may take. The rest waits
/// for the next turn of the loop. One arrival or one client takes less than a millisecond.
const AT_A_TIME: Duration = Duration::from_millis(1);

/// A process that has run this long has survived the inputs that it took over.
const SETTLED: Duration = Duration::from_millis(250);

/// Facts that the driver needs besides the settings.
pub struct Circumstances {
    /// The file from which a reload reads settings; `None` for the default places.
    pub config: Option<PathBuf>,
    /// The settings files that were read.
    pub files: Vec<PathBuf>,
    /// When they were read, and which settings wait for a restart.
    pub read: SettingsRead,
    /// The listening sockets for clients and for proxies. A reload sets their options again.
    pub chat: Vec<Arc<AsyncFd<OwnedFd>>>,
    /// Where the daemon listens, for status.
    pub listeners: Vec<Listener>,
    /// The options of clients' connections. A reload changes them for connections that are handed
    /// over later.
    pub tcp: Arc<Mutex<settings::Tcp>>,
    /// Which proxies are believed. A reload changes that for connections that come later.
    pub proxy: Arc<Mutex<settings::Proxy>>,
    /// Connections accepted at each socket for clients or proxies, in the order of `listeners`,
    /// which begin with these sockets.
    pub taken: Vec<Arc<AtomicU64>>,
    /// Whether the service manager passed the sockets.
    pub activated: bool,
    /// How often the watchdog is fed; `None` if there is none.
    pub watchdog: Option<Duration>,
    /// The log level, which can be changed.
    pub level: logging::Level,
    /// The counters of all tasks that accept.
    pub accepted: Arc<accept::Counts>,
    /// The tasks that accept connections. They are aborted when the hub stops.
    pub accepting: Vec<AbortHandle>,
    /// The connections to the admin sockets.
    pub admins: Arc<Admins>,
    /// The bound on passwords that administrators set, and how they are hashed.
    pub passwords: admin::Passwords,
}

/// What a turn of the loop is doing while it handles `arrival`.
fn doing(arrival: &Arrival) -> Doing {
    match arrival {
        Arrival::Accepted(_) | Arrival::Refused { .. } => Doing::Accepting,
        Arrival::Control { command, .. } => Doing::Command(command.spec().name),
        Arrival::List { .. } => Doing::Command("a list"),
        Arrival::Store(_) | Arrival::Hashed { .. } => Doing::Taking,
        Arrival::Snapshot(_) => Doing::Counting,
        Arrival::Reload => Doing::Command("reload"),
        Arrival::End | Arrival::Stop => Doing::Due,
    }
}

/// Whether `arrival` is a command of an administrator.
fn is_command(arrival: &Arrival) -> bool {
    matches!(arrival, Arrival::Control { .. } | Arrival::List { .. })
}

/// The parts of the daemon that the driver works with.
pub struct Parts {
    /// The rounds.
    pub rounds: rounds::Shared,
    /// The queues between the driver and the rounds.
    pub exchanges: Exchanges,
    /// Writes what happens to the journal.
    pub journal: Journal,
    /// The tape, which keeps inputs for the next process.
    pub tape: Tape,
    /// The queue, which keeps sockets for the next process.
    pub queue: Keeping,
    /// The store, which records history; `None` if nothing is recorded.
    pub store: Option<Store>,
    /// The threads that hash passwords.
    pub hashing: Hashing,
    /// The thread that writes snapshots.
    pub snapshots: snapshot::Writer,
}

/// The driver and all that it owns.
pub struct Driver {
    state: State,
    clients: Clients,
    delivery: Delivery,
    snapshots: Snapshots,
    subscribers: Subscribers,
    service: Service,
    times: Times,
    /// Commands of administrators, which have their share of the loop's time. Each connection has
    /// one at most.
    commands: VecDeque<Arrival>,
    share: Share,
    journal: Journal,
    hashing: Hashing,
    store: Option<Store>,
    /// Administrators who wait for lines to be redacted on disk.
    redacting: Vec<Redacting>,
    /// Answers to administrators that wait until a change is on disk, in the order of the changes.
    unwritten: VecDeque<Unwritten>,
    around: Circumstances,
    started: Now,
    /// Since when no client is connected; `None` while there is one.
    idle_since: Option<Mono>,
    /// When this process has run for [`SETTLED`]; `None` afterwards.
    settle_at: Option<Mono>,
    stop: Option<Stopping>,
}

impl Driver {
    /// A driver for `machine`. `outcomes` are what followed from making the machine.
    ///
    /// # Errors
    /// Any error of epoll_create1(2).
    pub fn new(machine: Machine, outcomes: Vec<Outcome>, parts: Parts, around: Circumstances) -> io::Result<Self> {
        let started = now();
        let Parts { rounds, exchanges, journal, tape, queue, store, hashing, snapshots } = parts;
        Ok(Self {
            clients: Clients::new(queue, tape.slots().clone(), around.accepted.clone())?,
            state: State::new(machine, tape, outcomes),
            delivery: Delivery::new(rounds, exchanges),
            snapshots: Snapshots::new(snapshots, started.mono),
            subscribers: Subscribers::default(),
            service: Service::new(around.watchdog, started.mono),
            times: Times::default(),
            commands: VecDeque::new(),
            share: Share::default(),
            journal,
            hashing,
            store,
            redacting: Vec::new(),
            unwritten: VecDeque::new(),
            around,
            started,
            idle_since: Some(started.mono),
            settle_at: Some(started.mono.after(SETTLED)),
            stop: None,
        })
    }

    /// Goes on with a machine that was taken over. `settings` are this process's; `recalled` is
    /// what the store has read, if history is recorded.
    pub fn resume(&mut self, restored: Restored, settings: Option<Settings>, mut recalled: Option<Recalled>) {
        // First, because its record is the next one on the tape.
        if let Some(Received { id, place, range, at }) = restored.received {
            self.state.bytes(id, place, range, at);
        }
        let at = now();
        self.state.input(Input::Restarted, at);
        if let Some(recalled) = &mut recalled
            && self.state.hub().is_recording()
            && !self.state.hub().is_unread()
        {
            // The hub has all data that the store could read, and hands out again the records that
            // may not be on disk.
            *recalled = Recalled::default();
        }
        self.state.input(hub::News::Archive(recalled.map(Box::new)), at);
        let open = restored.connections.len() + restored.newcomers.len();
        self.around.accepted.open.fetch_add(open, Ordering::Relaxed);
        let mut connections = restored.connections;
        // In the order of their ids: so each is appended to the table.
        connections.sort_unstable_by_key(|(connection, _)| connection.id);
        for (connection, closing) in connections {
            let id = connection.id;
            let peer = self
                .state
                .machine()
                .hub()
                .session(id)
                .map_or(Ipv4Addr::UNSPECIFIED.into(), |session| session.peer.ip());
            self.clients.watch(connection, Origin::of(peer), closing, self.state.machine());
            self.clients.queue_turn(id, self.state.machine());
        }
        let crowded = self.state.hub().sessions().filter(|session| session.crowded);
        crowded.for_each(|session| self.delivery.exchanges.work.push(Work::Crowded(session.id)));
        match restored.poisoned {
            Some((Kind::Bytes, id)) => {
                error!(message_id = ids::POISONED, chathub_client_id = %id, "input that the daemon died of is left out, and its client disconnected");
                self.state.input(hub::News::Gone { session: id, why: Farewell::Lost }, at);
            }
            // The input is a command, or an answer of another thread: there is no client to
            // disconnect.
            Some(_) => error!(message_id = ids::POISONED, "input that the daemon died of is left out"),
            None => {}
        }
        for id in restored.lost {
            self.state.input(hub::News::Gone { session: id, why: Farewell::Lost }, at);
        }
        if restored.secret_spent {
            self.state.outcomes.push(Outcome::SecretSpent);
        }
        for newcomer in restored.newcomers {
            self.accepted(newcomer, at);
        }
        if let Some(settings) = settings.filter(|settings| settings != self.state.hub().settings()) {
            self.state.input(hub::News::Settings(Box::new(settings)), at);
        }
        self.idle_since = (self.state.hub().session_count() == 0).then_some(at.mono);
    }

    /// Runs the hub until it is to stop. Then hands all clients over, or says goodbye to them.
    /// Returns when that is done, or at the deadline.
    pub async fn run(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        let (mut batch, mut waiting) = (Vec::new(), VecDeque::new());
        let (mut told, mut reports) = (Vec::new(), VecDeque::new());
        let mut ready = Vec::new();
        self.apply_outcomes(now());
        while self.stop.is_none() {
            let at = now();
            self.times.begin(at.mono);
            self.tick(at, arrivals.is_empty() && waiting.is_empty() && self.commands.is_empty());
            self.apply_outcomes(at);
            self.end_turn(Doing::Due);
            // Clients are read when the rounds have nothing to do, or have done half of their jobs
            // (or a slice of one long round). They are not read in a trickle between writes: the
            // more is read at a time, the less each line costs. In a long round, lines that come
            // late still reach the members visited late.
            let is_clogged = self.delivery.is_clogged();
            let reads = !is_clogged && self.delivery.exchanges.work.is_ready();
            let is_behind = !reports.is_empty()
                || !waiting.is_empty()
                || (reads && !self.clients.turns.is_empty())
                || (reads && self.may_command())
                || self.snapshots.written.is_some()
                || self.clients.tidying;
            if is_behind && !is_clogged || self.delivery.writing && self.clients.turns.is_empty() {
                // Other tasks run, and push what they have for this loop. Nothing is waited for.
                tokio::task::yield_now().await;
            } else {
                let sleep = self.next_deadline().map(|due| Instant::now() + due.since(mono()));
                tokio::select! {
                    biased;
                    () = self.delivery.exchanges.reports.wait(), if !is_clogged => {}
                    taken = arrivals.recv_many(&mut batch, BATCH), if !is_clogged => {
                        // `recv_many` returns 0 only if all senders are gone.
                        debug_assert!(taken > 0, "accepting, administration and signals hold senders");
                    }
                    Ok(()) = self.clients.inputs.wait(&mut ready), if reads => {}
                    () = self.delivery.exchanges.work.wait_until_ready(), if !reads => {}
                    () = tokio::time::sleep_until(sleep.unwrap_or_else(Instant::now)), if sleep.is_some() => {}
                }
            }
            if self.delivery.is_clogged() {
                // Nothing new is taken in until the rounds have taken half of the orders that wait
                // for them.
                continue;
            }
            // One of these has woken the loop. What has come by the other ways is taken in too.
            if reads && ready.is_empty() {
                self.clients.inputs.take(&mut ready);
            }
            while batch.len() + waiting.len() < BATCH
                && let Ok(arrival) = arrivals.try_recv()
            {
                batch.push(arrival);
            }
            for arrival in batch.drain(..) {
                let queue = if is_command(&arrival) { &mut self.commands } else { &mut waiting };
                queue.push_back(arrival);
            }
            let at = now();
            self.times.begin(at.mono);
            self.delivery.exchanges.reports.take(&mut told, ReadyForMore::Yes);
            reports.extend(told.drain(..));
            if self.delivery.writing {
                let nothing_came =
                    ready.is_empty() && waiting.is_empty() && reports.is_empty() && self.clients.turns.is_empty();
                self.delivery.continue_round(nothing_came);
                self.times.part(Doing::Writing, mono());
            }
            // Each part stops when its time is up. What is left waits for the next turn of the
            // loop.
            if !reports.is_empty() || self.clients.tidying {
                let until = at.mono.after(AT_A_TIME);
                while let Some(report) = reports.pop_front() {
                    self.reported(report, at);
                    if mono() > until {
                        break;
                    }
                }
                self.clients.tidy();
                self.times.part(Doing::Parting, mono());
            }
            let until = mono().after(AT_A_TIME);
            while let Some(arrival) = waiting.pop_front() {
                let doing = doing(&arrival);
                self.arrived(arrival, at);
                let passed = mono();
                self.times.part(doing, passed);
                if passed > until {
                    break;
                }
            }
            // One command at most in a turn, and none while the rounds still have most of their work
            // to do: what a command tells a room is written before the next one is handled.
            if reads && self.may_command() {
                self.command(at);
            }
            for Ready { key, to_the_end } in ready.drain(..) {
                self.clients.ready(SessionId(key), to_the_end, self.state.machine());
            }
            if reads && !self.clients.turns.is_empty() {
                let until = mono().after(AT_A_TIME);
                for _ in 0..BATCH.min(self.clients.turns.len()) {
                    if let Some(id) = self.clients.turns.pop() {
                        self.clients.fetch_next(self.state.machine());
                        self.read(id, at);
                    }
                    if mono() > until {
                        break;
                    }
                }
                self.times.part(Doing::Reading, mono());
            }
            self.apply_outcomes(at);
            self.times.part(Doing::Writing, mono());
            if self.is_snapshot_due(at.mono) {
                self.begin_snapshot();
                self.times.part(Doing::Freezing, mono());
            }
            if self.snapshots.written.is_some() {
                self.complete_snapshot();
                self.times.part(Doing::Counting, mono());
            }
            self.give_back(at.mono);
            self.snapshots.worked += self.times.end(now());
        }
        // Arrivals of the meantime are still answered, or get a goodbye.
        let at = now();
        reports.into_iter().for_each(|report| self.reported(report, at));
        let hands_over = self.stop.as_ref().is_some_and(|stop| stop.hand_over);
        // At a hand-over, connections that were accepted last stay in the queue of sockets, for the
        // next process.
        waiting.extend(std::mem::take(&mut self.commands));
        let late = waiting.into_iter().filter(|late| !(hands_over && matches!(late, Arrival::Accepted(_))));
        late.for_each(|arrival| self.arrived_late(arrival, at));
        if self.stop.as_ref().is_some_and(|stop| stop.hand_over) {
            self.hand_over(arrivals).await
        } else {
            self.wind_up(arrivals).await
        }
    }

    /// Whether a command of an administrator waits that may be handled now.
    fn may_command(&self) -> bool {
        !self.commands.is_empty() && self.share.rests_until(mono()).is_none()
    }

    /// Handles the command of an administrator that has waited longest.
    fn command(&mut self, at: Now) {
        let Some(command) = self.commands.pop_front() else { return };
        let (doing, from) = (doing(&command), mono());
        self.arrived(command, at);
        // What follows from it, such as what a room is told, counts as well.
        self.apply_outcomes(at);
        let to = mono();
        self.times.part(doing, to);
        self.share.spend(from, to);
    }

    /// Handles one arrival.
    fn arrived(&mut self, arrival: Arrival, at: Now) {
        match arrival {
            Arrival::Accepted(newcomer) => self.accepted(newcomer, at),
            Arrival::Refused { cookie } => self.clients.forget(cookie),
            Arrival::Control { command, by, reply } => self.administer(&command, by, reply, at),
            Arrival::List { mut listing, reply } => {
                let more = self.state.machine().list(&mut listing, at, &self.clients.traffic());
                let _ = reply.send(more.map(|more| (listing, more)));
            }
            Arrival::Store(answer) => self.stored(answer, at),
            Arrival::Hashed { number, answer } => {
                self.state.input(hub::News::Hashed { number, answer }, at);
                // The client that waited for this hash may go on.
                self.clients.unpause(self.state.machine());
            }
            Arrival::Snapshot(done) => self.snapshot_done(done),
            Arrival::Reload => match self.reload(at) {
                Ok(_) | Err(_) => systemd::ready(),
            },
            Arrival::End => {
                let hand_over = self.state.tape.is_kept();
                self.stop = Some(Stopping::unasked(hand_over));
            }
            Arrival::Stop => {
                self.stop = Some(Stopping::unasked(false));
            }
        }
    }

    /// Ends a turn of the loop whose only part was `doing`.
    fn end_turn(&mut self, doing: Doing) {
        let at = now();
        self.times.part(doing, at.mono);
        self.snapshots.worked += self.times.end(at);
    }

    /// The earliest moment at which [`Self::tick`] has something to do.
    fn next_deadline(&self) -> Option<Mono> {
        let idle = self.around.activated.then_some(()).and(self.state.hub().settings().service.exit_when_idle);
        [
            self.state.machine().next_deadline(),
            self.clients.next_deadline(),
            self.settle_at,
            self.snapshots.next_deadline(),
            self.service.next_deadline(),
            (!self.commands.is_empty()).then(|| self.share.rests_until(mono())).flatten(),
            self.journal.next_deadline(),
            self.unwritten.front().map(|answer| answer.until),
            self.delivery.awaited.front().map(|awaited| awaited.until),
            self.redacting.iter().map(|waiting| waiting.look_at).min(),
            idle.and_then(|limit| self.idle_since.map(|since| since.after(limit))),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does all that is due at `at`. `quiet`: no arrival waits.
    fn tick(&mut self, at: Now, quiet: bool) {
        if self.state.machine().next_deadline().is_some_and(|due| due <= at.mono) {
            self.state.input(Input::Tick, at);
            self.clients.unpause(self.state.machine());
        }
        self.clients.close_lingering(at.mono);
        if std::mem::take(&mut self.clients.secret_spent) && self.state.tape.is_kept() {
            self.snapshots.forget_soon(at.mono);
        }
        self.tell_of_a_disk_that_takes_nothing(at);
        if self.settle_at.is_some_and(|due| due <= at.mono) {
            self.settle_at = None;
            self.state.tape.forget_take_overs();
        }
        self.answer_unwritten(at.mono);
        self.wait_no_longer(at);
        self.journal.summarize(at.mono);
        self.service.feed_watchdog(at.mono, &self.delivery.exchanges);
        self.service.tell_status(at.mono, (self.state.hub().session_count(), self.state.hub().room_count()));
        self.idle_since = if self.state.hub().session_count() == 0 { self.idle_since.or(Some(at.mono)) } else { None };
        if self.around.activated
            && let Some(limit) = self.state.hub().settings().service.exit_when_idle
            && self.idle_since.is_some_and(|since| at.mono.since(since) >= limit)
            && quiet // somebody may be on the way in
            && self.stop.is_none()
        {
            info!("nobody has been here for {limit:?}: stopping until somebody comes");
            self.stop = Some(Stopping::unasked(false));
        }
    }
}
