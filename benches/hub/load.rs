//! The load generator: many clients in one process, one thread, one epoll.
//!
//! It must cost less than the servers it measures: big reads into one buffer, no allocation and no parsing
//! per delivery (see `check`), sends batched per wake-up. It is a process of its own so that the server's
//! CPU time is the server's alone. Whether the generator was what was measured shows in `reads/wake`: one that
//! waits for the server finds a few sockets ready each time it looks, one that cannot keep up finds hundreds.
//! Its CPU time (`generator busy`) does not show it, since it looks again at once.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use serde::{Deserialize, Serialize};
use socket2::{Domain, SockRef, Socket, Type};

use crate::abuse;
use crate::check::{Reader, Script, Stamp, probe};
use crate::histogram::Histogram;
use crate::peers::{Dialect, Peer, Step};
use crate::proc::{cpu_of, machine_cpu, now, own_cpu, pss_of};
use crate::report::Figures;
use crate::sealed::{Hands, Sealing, Shaker};

const TIMER: u64 = u64::MAX;
const SECOND: u64 = 1_000_000_000;
const MILLISECOND: u64 = 1_000_000;
/// Clients that have connected and are not in their room yet; well below every server's backlog.
const ARRIVING: usize = 128;
/// One source address has some 28,000 ports, and finding a free one takes long well before they are used up.
const CLIENTS_PER_ADDRESS: usize = 8_000;
const MOST_FAULTS: usize = 8;
/// However slow the server is, a run ends.
const JOIN_DEADLINE: u64 = 180 * SECOND;
const DRAIN_DEADLINE: u64 = 30 * SECOND;
/// Abusers arrive and spend their bursts.
const ONSET: Duration = Duration::from_secs(5);
/// Some seconds longer than `pace.patience`: from here on, what flooders send too much is dropped.
const DROPPING: u64 = 34 * SECOND;
/// A run that measures so briefly does not wait for that.
const QUICK: Duration = Duration::from_secs(1);
/// Longer than `rooms.gather_big` in unlimited.toml, after which the arrivals are announced.
const SETTLED: Duration = Duration::from_secs(9);

/// What to do to which server; handed over as JSON.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Spec {
    pub(crate) peer: Peer,
    pub(crate) clients: usize,
    /// Clients to a room, the last one excepted; `clients` for one room.
    pub(crate) room_size: usize,
    /// Senders in each room.
    pub(crate) senders: usize,
    pub(crate) task: Task,
    pub(crate) warm: Duration,
    pub(crate) measure: Duration,
    /// chathub's admin socket.
    pub(crate) admin: Option<PathBuf>,
    /// What stands before the server: its port, and its process.
    #[serde(default)]
    pub(crate) front: Option<(u16, i32)>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Task {
    /// In each room `window` lines under way: the next when the average listener has one more, never more
    /// than four windows ahead of the slowest.
    Closed { window: usize },
    /// So many lines a second in total, evenly spaced, whatever the server does.
    Open { rate: u64 },
    /// Nobody says anything.
    Idle,
    /// So many at once connect, say a line, leave, and come again, while the others listen.
    Churn { slots: usize },
    /// So many lines a second as in `Open`, first alone, then with so many abusers of each kind.
    Abuse { rate: u64, each: usize },
    /// So many lines a second as in `Open`, first alone, then with handshakes without end, half ones and whole ones.
    Shaken { rate: u64 },
    /// So many lines a second in the first room as in `Open`, first alone, then while administrators ask on so many
    /// connections.
    Asked { rate: u64, connections: usize },
    /// The server is killed so often; after each time a line must reach everybody.
    Killed { times: usize },
}

enum Role {
    /// In a room; speaks too if its reader says so.
    Hearer,
    /// Only speaks (Redis).
    Publisher,
    /// Comes and goes; what it hears is not looked at.
    Visitor,
}

#[derive(PartialEq, Eq)]
enum Phase {
    Arriving,
    Here,
    Leaving,
    Gone,
}

struct Client {
    stream: TcpStream,
    sealing: Option<Sealing>,
    role: Role,
    phase: Phase,
    room: usize,
    reader: Reader,
    /// Received and not done with: part of a line, or lines that the script does not have yet.
    stash: Vec<u8>,
    /// To be sent.
    out: Vec<u8>,
    said: u32,
}

struct Room {
    script: Script,
    members: Range<usize>,
    /// Clients that speak in it, and whose turn it is.
    voices: Vec<usize>,
    turn: usize,
    listeners: usize,
    said: usize,
    /// Lines that its listeners have passed, all together.
    passed: usize,
    /// No listener has passed fewer; a lower bound, brought up to date when it matters.
    slowest: usize,
    stirred: bool,
}

struct Load {
    spec: Spec,
    dialect: Dialect,
    address: SocketAddr,
    /// Hands those over who only listen.
    hands: Option<Hands>,
    shaker: Option<Shaker>,
    /// What was decrypted, to be worked through.
    content: Vec<u8>,
    pid: i32,
    epoll: Epoll,
    events: Vec<EpollEvent>,
    buffer: Vec<u8>,
    clients: Vec<Client>,
    rooms: Vec<Room>,
    /// The sequence number due from each sender.
    due: Vec<u32>,
    /// Rooms that heard something in this wake-up.
    stirred: Vec<usize>,
    /// Clients with something in `out`.
    talking: Vec<usize>,
    /// Speakers that are ahead of their room's script.
    ahead: Vec<usize>,
    here: usize,
    /// Visits that visitors have ended, and whether they come again.
    visits: u64,
    reopen: bool,
    deliveries: u64,
    notices: u64,
    received: u64,
    reads: u64,
    /// Wake-ups that found something to read.
    wakes: u64,
    last_input: u64,
    latency: Option<Histogram>,
    abusers: Option<Abusers>,
    faults: Vec<String>,
}

/// The process of those who abuse the server; ends with this.
struct Abusers(Child);

impl Drop for Abusers {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Where the counters stood at an instant.
struct Mark {
    at: u64,
    server: Duration,
    front: Duration,
    own: Duration,
    abusers: Duration,
    machine: Duration,
    deliveries: u64,
    said: usize,
    visits: u64,
    reads: u64,
    wakes: u64,
}

/// Does what `spec` says to the server at `port`, process `pid`.
pub(crate) fn run(spec: Spec, port: u16, pid: i32) -> io::Result<Figures> {
    let mut load = Load::new(spec, port, pid)?;
    let mut figures = Figures::default();
    load.work(&mut figures)?;
    figures.set("notices", load.notices as f64);
    figures.faults = std::mem::take(&mut load.faults);
    Ok(figures)
}

impl Load {
    fn new(spec: Spec, port: u16, pid: i32) -> io::Result<Self> {
        let dialect = spec.peer.dialect();
        let rooms = (0..spec.clients)
            .step_by(spec.room_size)
            .map(|first| Room {
                script: Script::default(),
                members: first..spec.clients.min(first + spec.room_size),
                voices: Vec::new(),
                turn: 0,
                listeners: 0,
                said: 0,
                passed: 0,
                slowest: 0,
                stirred: false,
            })
            .collect();
        let handover = spec.admin.as_ref().map(|admin| admin.with_file_name("handover.sock"));
        let hands = spec.peer.suite().zip(handover).map(|(suite, handover)| Hands::new(suite, &handover));
        Ok(Self {
            dialect,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, spec.front.map_or(port, |(port, _)| port))),
            hands: hands.transpose()?,
            shaker: spec.peer.shakes().then(Shaker::new).transpose()?,
            content: Vec::new(),
            pid,
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            events: vec![EpollEvent::empty(); 512],
            buffer: vec![0; 256 << 10],
            clients: Vec::with_capacity(spec.clients),
            rooms,
            due: Vec::new(),
            stirred: Vec::new(),
            talking: Vec::new(),
            ahead: Vec::new(),
            here: 0,
            visits: 0,
            reopen: false,
            deliveries: 0,
            notices: 0,
            received: 0,
            reads: 0,
            wakes: 0,
            last_input: now(),
            latency: None,
            abusers: None,
            faults: Vec::new(),
            spec,
        })
    }

    fn work(&mut self, figures: &mut Figures) -> io::Result<()> {
        let front = self.spec.front.map(|(_, pid)| pid);
        let (empty, empty_front) = (pss_of(self.pid), front.map_or(0, pss_of));
        self.arrive(figures)?;
        if self.failed() {
            return Ok(());
        }
        self.quiet()?;
        if matches!(self.spec.task, Task::Idle) && self.spec.senders == 0 {
            // What an arrival sets off later than that is not rest yet.
            self.talk_for(SETTLED)?;
        }
        figures.set("join_bytes_each", self.received as f64 / self.spec.clients as f64);
        let full = pss_of(self.pid);
        figures.set("memory_empty", empty as f64);
        figures.set("memory_each", full.saturating_sub(empty) as f64 / self.spec.clients as f64);
        if let Some(front) = front {
            let full = pss_of(front);
            figures.set("memory_front_empty", empty_front as f64);
            figures.set("memory_front_each", full.saturating_sub(empty_front) as f64 / self.spec.clients as f64);
        }
        if self.spec.senders > 0 {
            self.probe()?;
        }
        match self.spec.task {
            Task::Closed { .. } => {
                self.stir_all();
                self.pump();
                self.measured(figures)?;
            }
            Task::Open { .. } => {
                self.latency = Some(Histogram::new());
                self.measured(figures)?;
            }
            Task::Idle => self.measured(figures)?,
            Task::Churn { slots } => self.churn(slots, figures)?,
            Task::Abuse { each, .. } => return self.abused(each, figures),
            Task::Shaken { .. } => return self.shaken(figures),
            Task::Asked { connections, .. } => return self.asked(connections, figures),
            Task::Killed { times } => return self.killed(times, figures),
        }
        if let Some(latency) = &self.latency {
            for (name, part) in [("p50_ms", 0.5), ("p90_ms", 0.9), ("p99_ms", 0.99), ("p999_ms", 0.999)] {
                figures.set(name, latency.quantile(part) as f64 / 1e6);
            }
            figures.set("max_ms", latency.most() as f64 / 1e6);
        }
        Ok(())
    }

    // Arriving

    fn arrive(&mut self, figures: &mut Figures) -> io::Result<()> {
        let start = self.mark();
        for id in 0..self.spec.clients {
            let room = id / self.spec.room_size;
            let place = id % self.spec.room_size;
            let speaks = self.dialect.hearers_speak() && place < self.spec.senders;
            self.rooms[room].listeners += usize::from(!speaks);
            if speaks {
                self.rooms[room].voices.push(id);
            }
            let (stream, sealing) = self.connect_sealed(id, speaks)?;
            self.add(stream, sealing, Role::Hearer, room, speaks)?;
            while self.clients.len() - self.here >= ARRIVING && !self.failed() {
                self.turn(20)?;
                self.overdue(start.at, JOIN_DEADLINE, "joining");
            }
            if id % 16 == 0 {
                self.turn(0)?;
            }
            if self.failed() {
                return Ok(());
            }
        }
        while self.here < self.clients.len() && !self.failed() {
            self.turn(20)?;
            self.overdue(start.at, JOIN_DEADLINE, "joining");
        }
        let end = self.mark();
        let took = (end.at - start.at) as f64 / 1e9;
        figures.set("joins_per_s", self.spec.clients as f64 / took);
        figures.set("join_s", took);
        let cpu = (end.server - start.server).as_secs_f64();
        figures.set("server_us_per_join", cpu * 1e6 / self.spec.clients as f64);
        let own = (end.own - start.own).as_secs_f64();
        figures.set("generator_us_per_join", own * 1e6 / self.spec.clients as f64);
        figures.set("wakes_per_join", (end.wakes - start.wakes) as f64 / self.spec.clients as f64);
        if !self.dialect.hearers_speak() {
            for room in 0..self.rooms.len() {
                for _ in 0..self.spec.senders {
                    let id = self.clients.len();
                    let stream = self.connect(id)?;
                    self.add(stream, None, Role::Publisher, room, true)?;
                    self.rooms[room].voices.push(id);
                }
            }
        }
        Ok(())
    }

    /// A connection, encrypted if that is what is measured.
    fn connect_sealed(&self, id: usize, speaks: bool) -> io::Result<(TcpStream, Option<Sealing>)> {
        if let Some(hands) = self.hands.as_ref().filter(|_| !speaks) {
            let stream = TcpStream::connect(hands.address()?)?;
            let sealing = hands.hand_over()?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            return Ok((stream, Some(sealing)));
        }
        let mut stream = self.connect(id)?;
        let Some(shaker) = &self.shaker else { return Ok((stream, None)) };
        stream.set_nonblocking(false)?;
        let sealing = shaker.shake(&mut stream)?;
        stream.set_nonblocking(true)?;
        Ok((stream, Some(sealing)))
    }

    fn connect(&self, id: usize) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if let group @ 1.. = id / CLIENTS_PER_ADDRESS {
            let last = u8::try_from(1 + group).map_err(io::Error::other)?;
            socket.bind(&SocketAddr::from(([127, 0, 0, last], 0)).into())?;
        }
        socket.connect(&self.address.into())?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    }

    fn add(
        &mut self,
        stream: TcpStream,
        mut sealing: Option<Sealing>,
        role: Role,
        room: usize,
        speaks: bool,
    ) -> io::Result<()> {
        let id = self.clients.len();
        let out = match role {
            Role::Publisher => Vec::new(),
            Role::Hearer | Role::Visitor => self.dialect.hello(id, room),
        };
        let phase = match role {
            Role::Publisher => Phase::Here,
            Role::Hearer | Role::Visitor => Phase::Arriving,
        };
        self.here += usize::from(phase == Phase::Here);
        self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, id as u64))?;
        if !out.is_empty() {
            self.talking.push(id);
        }
        self.due.push(0);
        // The greeting may have come with the end of the handshake.
        let mut greeting = Vec::new();
        if let Some(sealing) = &mut sealing {
            sealing.rest(&mut greeting);
        }
        self.clients.push(Client {
            stream,
            sealing,
            role,
            phase,
            room,
            reader: Reader { line: 0, probed: false, speaks: speaks.then_some(id as u32) },
            stash: Vec::new(),
            out,
            said: 0,
        });
        if !greeting.is_empty() {
            self.buffer[..greeting.len()].copy_from_slice(&greeting);
            self.take_in(id, greeting.len());
        }
        Ok(())
    }

    /// Until nothing has come for a while: what an arrival sets off is over.
    fn quiet(&mut self) -> io::Result<()> {
        let start = now();
        self.last_input = start;
        while now() - self.last_input < 300 * MILLISECOND && now() - start < 30 * SECOND && !self.failed() {
            self.turn(50)?;
        }
        Ok(())
    }

    /// Until every listener has heard somebody of its room, so that it is known to be in it.
    fn probe(&mut self) -> io::Result<()> {
        let start = now();
        while !self.failed() {
            for room in 0..self.rooms.len() {
                let voice = self.rooms[room].voices[0];
                let deaf = |id: usize| {
                    let reader = &self.clients[id].reader;
                    reader.speaks.is_none() && !reader.probed
                };
                if self.rooms[room].members.clone().any(deaf) {
                    let out = &mut self.clients[voice].out;
                    self.dialect.say(room, out, |out| out.extend_from_slice(&probe()));
                    self.talking.push(voice);
                }
            }
            if self.talking.is_empty() {
                break;
            }
            self.quiet()?;
            self.overdue(start, JOIN_DEADLINE, "a probe of every listener");
        }
        Ok(())
    }

    // Measuring

    fn measured(&mut self, figures: &mut Figures) -> io::Result<()> {
        self.talk_for(self.spec.warm)?;
        if self.latency.is_some() {
            self.latency = Some(Histogram::new());
        }
        let from = self.mark();
        self.talk_for(self.spec.measure)?;
        let to = self.mark();
        self.compare(&from, &to, figures);
        self.drain()
    }

    fn talk_for(&mut self, span: Duration) -> io::Result<()> {
        let start = now();
        let end = start + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        let (Task::Open { rate } | Task::Abuse { rate, .. } | Task::Shaken { rate } | Task::Asked { rate, .. }) =
            self.spec.task
        else {
            while now() < end && !self.failed() {
                self.turn(10)?;
                if let Task::Closed { .. } = self.spec.task {
                    self.pump();
                }
            }
            return Ok(());
        };
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK)?;
        let every = Duration::from_nanos(SECOND / rate);
        timer.set(Expiration::Interval(TimeSpec::from(every)), TimerSetTimeFlags::empty())?;
        self.epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN, TIMER))?;
        let mut said = 0;
        loop {
            let at = now();
            if at >= end || self.failed() {
                return Ok(());
            }
            // Several if this thread was late: the rate is a promise to the server, not to the clock.
            while said < (at - start) * rate / SECOND {
                self.say(0, now());
                said += 1;
            }
            self.turn(10)?;
            timer.wait().or_else(|error| match error {
                nix::Error::EAGAIN => Ok(()),
                error => Err(error),
            })?;
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            at: now(),
            server: cpu_of(self.pid),
            front: self.spec.front.map_or(Duration::ZERO, |(_, pid)| cpu_of(pid)),
            own: own_cpu(),
            abusers: self.abusers.as_ref().map_or(Duration::ZERO, |abusers| cpu_of(abusers.0.id().cast_signed())),
            machine: machine_cpu(),
            deliveries: self.deliveries,
            said: self.rooms.iter().map(|room| room.said).sum(),
            visits: self.visits,
            reads: self.reads,
            wakes: self.wakes,
        }
    }

    fn compare(&self, from: &Mark, to: &Mark, figures: &mut Figures) {
        let wall = (to.at - from.at) as f64 / 1e9;
        let front = (to.front - from.front).as_secs_f64();
        // What stands before the server is a part of it.
        let server = (to.server - from.server).as_secs_f64() + front;
        figures.set("front_busy", front / wall);
        let own = (to.own - from.own).as_secs_f64();
        let machine = (to.machine.saturating_sub(from.machine)).as_secs_f64();
        let deliveries = (to.deliveries - from.deliveries) as f64;
        let reads = (to.reads - from.reads) as f64;
        figures.set("server_busy", server / wall);
        figures.set("generator_busy", own / wall);
        let abusers = to.abusers.saturating_sub(from.abusers).as_secs_f64();
        figures.set("abusers_busy", abusers / wall);
        figures.set("others_busy", ((machine - server - own - abusers) / wall).max(0.0));
        if deliveries > 0.0 {
            figures.set("deliveries_per_s", deliveries / wall);
            figures.set("lines_per_s", (to.said - from.said) as f64 / wall);
            figures.set("server_us_per_delivery", server * 1e6 / deliveries);
            figures.set("generator_us_per_delivery", own * 1e6 / deliveries);
            figures.set("deliveries_per_read", deliveries / reads.max(1.0));
            figures.set("reads_per_wake", reads / ((to.wakes - from.wakes) as f64).max(1.0));
        }
        if let Task::Churn { .. } = self.spec.task {
            let visits = (to.visits - from.visits) as f64;
            figures.set("visits_per_s", visits / wall);
            figures.set("server_us_per_visit", server * 1e6 / visits.max(1.0));
        }
    }

    /// Until everybody has heard all; whatever is missing then is a fault.
    fn drain(&mut self) -> io::Result<()> {
        let start = now();
        loop {
            self.turn(10)?;
            let behind: Vec<usize> = (0..self.clients.len()).filter(|&id| self.lacks(id)).collect();
            let Some(&first) = behind.first().filter(|_| !self.failed()) else {
                return Ok(());
            };
            if now() - start > DRAIN_DEADLINE {
                let client = &self.clients[first];
                self.faults.push(format!(
                    "{} clients lack lines; client {first} has {} of the {} of its room",
                    behind.len(),
                    client.reader.line,
                    self.rooms[client.room].said
                ));
                return Ok(());
            }
            // A speaker whose own lines came last has nothing more to receive: let it pass them.
            for id in 0..self.clients.len() {
                if self.clients[id].reader.speaks.is_some() {
                    self.catch_up(id);
                }
            }
        }
    }

    /// Does this client lack lines that were said in its room?
    fn lacks(&self, id: usize) -> bool {
        let client = &self.clients[id];
        let room = &self.rooms[client.room];
        let script = &room.script;
        matches!(client.role, Role::Hearer) && (script.tame() < room.said || client.reader.line < script.tame_end())
    }

    fn churn(&mut self, slots: usize, figures: &mut Figures) -> io::Result<()> {
        self.reopen = true;
        for _ in 0..slots {
            let id = self.clients.len();
            let stream = self.connect(id)?;
            self.add(stream, None, Role::Visitor, 0, true)?;
        }
        self.talk_for(self.spec.warm)?;
        let from = self.mark();
        self.talk_for(self.spec.measure)?;
        let to = self.mark();
        self.compare(&from, &to, figures);
        self.reopen = false;
        let start = now();
        let visiting = |client: &Client| matches!(client.role, Role::Visitor) && client.phase != Phase::Gone;
        while self.clients.iter().any(visiting) && !self.failed() {
            self.turn(10)?;
            self.overdue(start, DRAIN_DEADLINE, "the last visitors' leaving");
        }
        self.drain()
    }

    /// Latency without abusers, then with them: while they arrive and spend their bursts, while they are
    /// held back, and while their lines are dropped because they did not take the hint.
    fn abused(&mut self, each: usize, figures: &mut Figures) -> io::Result<()> {
        let long = 3 * self.spec.measure;
        self.talk_for(self.spec.warm)?;
        self.phase("calm", long, figures)?;
        let calm = pss_of(self.pid);
        let start = now();
        let child = Command::new(std::env::current_exe()?)
            .args(["--role-abuse", &each.to_string(), &self.address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        self.abusers = Some(Abusers(child));
        self.phase("onset", ONSET, figures)?;
        let mut most = pss_of(self.pid);
        let from = self.mark();
        self.phase("held", long, figures)?;
        let to = self.mark();
        self.compare(&from, &to, figures);
        most = most.max(pss_of(self.pid));
        if self.spec.measure > QUICK {
            let dropping = Duration::from_nanos((start + DROPPING).saturating_sub(now()));
            self.talk_for(dropping)?;
            most = most.max(pss_of(self.pid));
            self.phase("dropping", long, figures)?;
            most = most.max(pss_of(self.pid));
        }
        figures.set("memory_calm", calm as f64);
        figures.set("memory_most", most as f64);
        let abusers = abuse::KINDS * each;
        figures.set("memory_each_abuser", most.saturating_sub(calm) as f64 / abusers as f64);
        self.status(figures)?;
        self.drain()
    }

    /// Latency without handshakes, then with as many as four clients make who do nothing else.
    fn shaken(&mut self, figures: &mut Figures) -> io::Result<()> {
        let Some((port, front)) = self.spec.front else { return Err(io::Error::other("nobody does handshakes")) };
        let long = 3 * self.spec.measure;
        self.talk_for(self.spec.warm)?;
        self.phase("calm", long, figures)?;
        let calm = pss_of(front);
        for (name, role) in [("half", "half"), ("whole", "whole")] {
            let mut storm = Command::new(std::env::current_exe()?)
                .args(["--role-shake", role, &port.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let (asks, told) = (storm.stdin.take(), storm.stdout.take());
            let (Some(mut asks), Some(told)) = (asks, told.map(BufReader::new)) else {
                return Err(io::Error::other("a storm that tells nothing"));
            };
            let mut told = told.lines();
            let stormer = storm.id().cast_signed();
            self.abusers = Some(Abusers(storm));
            let mut done = || -> io::Result<f64> {
                asks.write_all(b"\n")?;
                let line = told.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into()))?;
                line.parse().map_err(io::Error::other)
            };
            self.talk_for(self.spec.warm)?;
            let (before, from, hub, at) = (done()?, cpu_of(front), cpu_of(self.pid), now());
            let own = cpu_of(stormer);
            self.phase(name, long, figures)?;
            let shaken = done()? - before;
            let wall = (now() - at) as f64 / 1e9;
            let micros = |from: Duration, to: Duration| (to - from).as_secs_f64() * 1e6 / shaken.max(1.0);
            figures.set(&format!("{name}_per_s"), shaken / wall);
            figures.set(&format!("{name}_us"), micros(from, cpu_of(front)));
            figures.set(&format!("{name}_hub_us"), micros(hub, cpu_of(self.pid)));
            figures.set(&format!("{name}_storm_us"), micros(own, cpu_of(stormer)));
            figures.set(&format!("{name}_front_busy"), (cpu_of(front) - from).as_secs_f64() / wall);
            figures.set(&format!("{name}_memory"), pss_of(front) as f64);
            self.abusers = None;
            self.quiet()?;
        }
        figures.set("front_memory", calm as f64);
        self.drain()
    }

    /// Latency without administrators; then while they ask every command, pipelined; then one command after the other.
    fn asked(&mut self, connections: usize, figures: &mut Figures) -> io::Result<()> {
        let Some(admin) = self.spec.admin.clone() else { return Err(io::Error::other("nobody can be asked")) };
        self.talk_for(self.spec.warm)?;
        self.phase("calm", 3 * self.spec.measure, figures)?;
        let calm = pss_of(self.pid);
        let mut asker = Command::new(std::env::current_exe()?)
            .arg("--role-ask")
            .arg(connections.to_string())
            .arg(&admin)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (orders, told) = (asker.stdin.take(), asker.stdout.take());
        let (Some(mut orders), Some(told)) = (orders, told.map(BufReader::new)) else {
            return Err(io::Error::other("administrators who tell nothing"));
        };
        self.abusers = Some(Abusers(asker));
        let mut told = told.lines();
        let mut next = move || told.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into()));
        let names: Vec<String> = next()?.split(' ').map(str::to_owned).collect();
        let mut order = |what: &str| -> io::Result<[f64; 2]> {
            writeln!(orders, "{what}")?;
            let line = next()?;
            let (answers, refusals) = line.split_once(' ').ok_or(ErrorKind::InvalidData)?;
            Ok([answers.parse().map_err(io::Error::other)?, refusals.parse().map_err(io::Error::other)?])
        };
        self.talk_for(self.spec.warm)?;
        let (from, before) = (self.mark(), order("all")?);
        self.phase("asked", 3 * self.spec.measure, figures)?;
        let (to, after) = (self.mark(), order("all")?);
        self.compare(&from, &to, figures);
        let wall = (to.at - from.at) as f64 / 1e9;
        figures.set("answers_per_s", (after[0] - before[0]) / wall);
        figures.set("refused_share", (after[1] - before[1]) / (after[0] - before[0]).max(1.0));
        figures.set("memory_calm", calm as f64);
        figures.set("memory_most", pss_of(self.pid) as f64);
        self.status(figures)?;
        // Which of them is the dearest.
        let mut dearest = (String::new(), 0.0);
        for name in &names {
            order(name)?;
            self.talk_for(self.spec.measure / 3)?;
            let before = order("")?[0];
            let from = now();
            self.phase(name, self.spec.measure, figures)?;
            let answered = (order("")?[0] - before) / ((now() - from) as f64 / 1e9);
            figures.set(&format!("{name}_answers_per_s"), answered);
            let ratio = figures.value(&format!("{name}_p99_ratio")).unwrap_or(0.0);
            if ratio > dearest.1 {
                dearest = (name.clone(), ratio);
            }
            eprintln!("      {name}: p99 {ratio:.2} times that before, {answered:.0} answers/s");
            if self.failed() {
                return Ok(());
            }
        }
        figures.set("dearest_p99_ratio", dearest.1);
        self.abusers = None;
        self.quiet()?;
        self.drain()
    }

    /// How long it takes from the server's death until everybody has heard the next line.
    fn killed(&mut self, times: usize, figures: &mut Figures) -> io::Result<()> {
        let (mut ready, mut first, mut all) = (0.0_f64, Vec::new(), Vec::new());
        let mut orders = io::stdin().lines();
        for _ in 0..times {
            println!("kill it");
            let told = orders.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into()))?;
            let mut words = told.split(' ').map(|word| word.parse::<u64>().map_err(io::Error::other));
            let mut word = || words.next().unwrap_or_else(|| Err(ErrorKind::InvalidData.into()));
            let (pid, killed, was_ready) = (word()?, word()?, word()?);
            self.pid = i32::try_from(pid).map_err(io::Error::other)?;
            ready = ready.max((was_ready - killed) as f64 / 1e9);
            figures.set(&format!("ready_{}_s", all.len()), (was_ready - killed) as f64 / 1e9);
            // Said after the death, and heard from the next process.
            let before = self.deliveries;
            self.say(0, now());
            let mut heard = None;
            while !self.failed() {
                self.turn(1)?;
                if self.deliveries > before {
                    heard.get_or_insert_with(now);
                }
                let heard_by = |id: usize| self.clients[id].reader.speaks.is_some() || !self.lacks(id);
                if heard.is_some() && (0..self.clients.len()).all(heard_by) {
                    break;
                }
                self.overdue(killed, DRAIN_DEADLINE, "a line after a death");
            }
            all.push((now() - killed) as f64 / 1e9);
            first.extend(heard.map(|at| (at - killed) as f64 / 1e9));
            self.quiet()?;
        }
        let middle = |values: &mut Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        };
        figures.set("ready_s", ready);
        figures.set("first_s", middle(&mut first));
        figures.set("all_s", middle(&mut all));
        figures.set("all_longest_s", all.last().copied().unwrap_or(f64::NAN));
        Ok(())
    }

    /// Says what is due for `span`, and notes how long it took to be heard.
    fn phase(&mut self, name: &str, span: Duration, figures: &mut Figures) -> io::Result<()> {
        self.latency = Some(Histogram::new());
        self.talk_for(span)?;
        let Some(latency) = self.latency.take() else { return Ok(()) };
        for (quantile, part) in [("p50", 0.5), ("p99", 0.99)] {
            let value = latency.quantile(part) as f64 / 1e6;
            figures.set(&format!("{name}_{quantile}_ms"), value);
            if let Some(calm) = figures.value(&format!("calm_{quantile}_ms")).filter(|&calm| calm > 0.0) {
                figures.set(&format!("{name}_{quantile}_ratio"), value / calm);
            }
        }
        figures.set(&format!("{name}_max_ms"), latency.most() as f64 / 1e6);
        Ok(())
    }

    /// What chathub itself says: how many abusers it still serves, and its counters.
    fn status(&mut self, figures: &mut Figures) -> io::Result<()> {
        let Some(path) = &self.spec.admin else { return Ok(()) };
        let asked = now();
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"{\"id\":1,\"cmd\":\"status\"}\n")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        figures.set("status_ms", (now() - asked) as f64 / 1e6);
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let clients = answer["result"]["clients"].as_u64().unwrap_or(0) as f64;
        figures.set("abusers_left", clients - self.clients.len() as f64);
        let turns = &answer["result"]["turns"];
        figures.set("turn_longest_ms", turns["longest_us"].as_f64().unwrap_or(f64::NAN) / 1e3);
        eprintln!(
            "      longest turn: {} ms, {}",
            turns["longest_us"].as_f64().unwrap_or(0.0) / 1e3,
            turns["longest_doing"]
        );
        if let Some(counters) = answer["result"]["counters"].as_object() {
            for (name, value) in counters {
                figures.set(&format!("counter_{name}"), value.as_f64().unwrap_or(0.0));
            }
        }
        Ok(())
    }

    // Talking

    fn stir_all(&mut self) {
        self.stirred = (0..self.rooms.len()).collect();
        for room in &mut self.rooms {
            room.stirred = true;
        }
    }

    /// Says in each room that heard something what its window now allows.
    fn pump(&mut self) {
        let Task::Closed { window } = self.spec.task else {
            return;
        };
        let mut stirred = std::mem::take(&mut self.stirred);
        let at = now();
        for index in stirred.drain(..) {
            let room = &mut self.rooms[index];
            room.stirred = false;
            let average = room.passed / room.listeners.max(1);
            let wanted = (average + window).saturating_sub(room.said);
            if room.said + wanted > room.slowest + 4 * window {
                let readers = self.clients[room.members.clone()].iter().map(|client| &client.reader);
                let listeners = readers.filter(|reader| reader.speaks.is_none());
                room.slowest = listeners.map(|reader| reader.line).min().unwrap_or(0);
            }
            let allowed = (room.slowest + 4 * window).saturating_sub(room.said);
            for _ in 0..wanted.min(allowed) {
                self.say(index, at);
            }
        }
        self.stirred = stirred;
        self.send();
    }

    /// The next voice of the room says its next line.
    fn say(&mut self, room: usize, at: u64) {
        let voices = &mut self.rooms[room];
        let voice = voices.voices[voices.turn];
        voices.turn = (voices.turn + 1) % voices.voices.len();
        self.line(voice, at);
    }

    fn line(&mut self, id: usize, at: u64) {
        let client = &mut self.clients[id];
        if client.out.is_empty() {
            self.talking.push(id);
        }
        let stamp = Stamp { sender: id as u32, seq: client.said, sent: at };
        client.said += 1;
        self.rooms[client.room].said += 1;
        self.dialect.say(client.room, &mut client.out, |out| stamp.write(out));
    }

    fn send(&mut self) {
        let mut talking = std::mem::take(&mut self.talking);
        talking.retain(|&id| {
            let client = &mut self.clients[id];
            if let Some(sealing) = &mut client.sealing {
                return match sealing.send(&mut client.out, &mut client.stream) {
                    Ok(sent) => !sent,
                    Err(error) => {
                        self.faults.push(format!("writing as client {id}: {error}"));
                        false
                    }
                };
            }
            match client.stream.write(&client.out) {
                Ok(wrote) => drop(client.out.drain(..wrote)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    client.out.clear();
                    self.faults.push(format!("writing as client {id}: {error}"));
                }
            }
            !client.out.is_empty()
        });
        self.talking.append(&mut talking);
    }

    // Hearing

    /// One wake-up: sends what is pending, then hears what has come.
    fn turn(&mut self, wait_ms: u16) -> io::Result<()> {
        self.send();
        let wait_ms = if self.talking.is_empty() { wait_ms } else { wait_ms.min(1) };
        let mut events = std::mem::take(&mut self.events);
        let ready = match self.epoll.wait(&mut events, EpollTimeout::from(wait_ms)) {
            Ok(ready) => ready,
            Err(nix::Error::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        self.wakes += u64::from(ready > 0);
        for event in &events[..ready] {
            if event.data() != TIMER {
                self.hear(event.data() as usize);
            }
        }
        self.events = events;
        for id in std::mem::take(&mut self.ahead) {
            self.catch_up(id);
        }
        Ok(())
    }

    fn hear(&mut self, id: usize) {
        let client = &mut self.clients[id];
        if client.phase == Phase::Gone {
            return;
        }
        let kept = client.stash.len();
        if self.buffer.len() < kept + (64 << 10) {
            self.buffer.resize(2 * kept + (64 << 10), 0);
        }
        self.buffer[..kept].copy_from_slice(&client.stash);
        let taken = match client.stream.read(&mut self.buffer[kept..]) {
            Ok(taken) => taken,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(_) if matches!(client.role, Role::Visitor) && client.phase == Phase::Leaving => 0,
            Err(error) => return self.lost(id, &error.to_string()),
        };
        self.last_input = now();
        let mut come = taken;
        if let Some(sealing) = &mut client.sealing
            && taken > 0
        {
            self.content.clear();
            if let Err(why) = sealing.open(&self.buffer[kept..kept + taken], &mut self.content) {
                return self.lost(id, &why);
            }
            come = self.content.len();
            // What is decrypted is shorter.
            self.buffer.resize(self.buffer.len().max(kept + come), 0);
            self.buffer[kept..kept + come].copy_from_slice(&self.content);
        }
        self.received += taken as u64;
        self.reads += 1;
        match client.role {
            Role::Publisher if taken > 0 => {}
            Role::Visitor if taken == 0 && client.phase == Phase::Leaving => self.left(id),
            _ if taken == 0 => self.lost(id, "closed by the server"),
            Role::Visitor if client.phase == Phase::Leaving => {}
            _ => self.take_in(id, kept + come),
        }
    }

    /// Works through the first `filled` bytes of the buffer as input of client `id`.
    fn take_in(&mut self, id: usize, filled: usize) {
        let mut at = 0;
        while self.clients[id].phase == Phase::Arriving {
            let Some(end) = self.buffer[at..filled].iter().position(|&b| b == b'\n') else {
                break;
            };
            let line = &self.buffer[at..at + end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            at += end + 1;
            let client = &mut self.clients[id];
            match self.dialect.step(line, client.room) {
                Step::Wait => {}
                Step::Answer(answer) => {
                    client.out.extend_from_slice(&answer);
                    self.talking.push(id);
                }
                Step::Ready => {
                    client.phase = Phase::Here;
                    self.here += 1;
                }
            }
        }
        let client = &mut self.clients[id];
        if client.phase == Phase::Here && matches!(client.role, Role::Visitor) {
            return self.visit(id);
        }
        let bytes = &self.buffer[at..filled];
        if client.phase == Phase::Arriving {
            client.stash.clear();
            client.stash.extend_from_slice(bytes);
            return;
        }
        let room = &mut self.rooms[client.room];
        let from = client.reader.line;
        let heard = match room.script.advance(&mut client.reader, bytes, self.dialect, &mut self.due) {
            Ok(heard) => heard,
            Err(fault) => return self.lost(id, &fault),
        };
        let rest = &bytes[heard.bytes..];
        if !rest.is_empty() || !client.stash.is_empty() {
            client.stash.clear();
            client.stash.extend_from_slice(rest);
        }
        self.deliveries += heard.lines as u64;
        self.notices += heard.notices as u64;
        if client.reader.speaks.is_none() {
            room.passed += heard.passed;
            if let Some(latency) = &mut self.latency {
                for &sent in room.script.sent(from..from + heard.passed).iter().filter(|&&sent| sent > 0) {
                    latency.record(self.last_input.saturating_sub(sent));
                }
            }
        } else if !client.stash.is_empty() {
            self.ahead.push(id);
        }
        if heard.passed > 0 && !room.stirred {
            room.stirred = true;
            self.stirred.push(client.room);
        }
    }

    /// The script may have what this speaker has already received.
    fn catch_up(&mut self, id: usize) {
        let client = &self.clients[id];
        if client.phase == Phase::Here && matches!(client.role, Role::Hearer) {
            let kept = client.stash.len();
            if self.buffer.len() < kept {
                self.buffer.resize(kept, 0);
            }
            self.buffer[..kept].copy_from_slice(&client.stash);
            self.take_in(id, kept);
        }
    }

    // Coming and going

    /// A visitor has arrived: it says its line and goes.
    fn visit(&mut self, id: usize) {
        if self.dialect == Dialect::Resp {
            self.clients[id].out.extend_from_slice(b"*1\r\n$11\r\nUNSUBSCRIBE\r\n"); // else it may not speak
        }
        self.line(id, now());
        let client = &mut self.clients[id];
        if self.dialect == Dialect::Irc {
            client.out.extend_from_slice(b"QUIT\r\n");
        }
        client.phase = Phase::Leaving;
        // A line of 64 bytes always fits into the socket of one who has said nothing yet.
        let sent = client.stream.write_all(&client.out);
        client.out.clear();
        self.talking.retain(|&other| other != id);
        if let Err(error) = sent.and_then(|()| client.stream.shutdown(Shutdown::Write)) {
            self.lost(id, &error.to_string());
        }
    }

    fn left(&mut self, id: usize) {
        self.visits += 1;
        self.here -= 1;
        if !self.reopen {
            self.clients[id].phase = Phase::Gone;
            self.epoll.delete(&self.clients[id].stream).ok();
            return;
        }
        let again = self.connect(id).and_then(|stream| {
            self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, id as u64))?;
            Ok(stream)
        });
        match again {
            Ok(stream) => {
                let hello = self.dialect.hello(id, 0);
                let client = &mut self.clients[id];
                client.stream = stream;
                client.phase = Phase::Arriving;
                client.stash.clear();
                client.out = hello;
                if !client.out.is_empty() {
                    self.talking.push(id);
                }
            }
            Err(error) => self.lost(id, &error.to_string()),
        }
    }

    fn lost(&mut self, id: usize, why: &str) {
        self.faults.push(format!("client {id}: {why}"));
        let client = &mut self.clients[id];
        client.phase = Phase::Gone;
        self.epoll.delete(&client.stream).ok();
    }

    fn overdue(&mut self, since: u64, limit: u64, what: &str) {
        if now() - since > limit {
            let (here, all) = (self.here, self.clients.len());
            self.faults.push(format!("{what} took too long, {here} of {all} are in"));
        }
    }

    fn failed(&mut self) -> bool {
        self.faults.truncate(MOST_FAULTS);
        !self.faults.is_empty()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Reset instead of closing: thousands of sockets in TIME_WAIT would be the next run's burden.
        for client in &self.clients {
            SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).ok();
        }
    }
}
