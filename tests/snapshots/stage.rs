//! A daemon without its shell: the state machine, the rounds and the tape as the daemon has them, and clients at the
//! other ends of real sockets. Time is moved by hand, and nothing happens but what is asked for.

use chathub::net::rounds::Exchanges;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io::{ErrorKind, Read as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chathub::hub::login::{Answer, Job};
use chathub::hub::{self, By, session::Session};
use chathub::machine::{Input, Machine, Order, Outcome, Proxied};
use chathub::net::connection::Connection;
use chathub::net::exchange::Exchange;
use chathub::net::keep::program::epoch;
use chathub::net::keep::tape::{Cuts, Tape};
use chathub::net::readiness::Readiness;
use chathub::net::rounds::{Counts, Report, Rounds, Shared, Work};
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use chathub::values::time::{Mono, Now, Wall};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// When every scene begins: 2026-11-22 10:01:02 UTC.
pub const BEGIN: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_795_341_662_000) };

/// What makes the names of guests.
const KEY: [u8; 16] = *b"no secret at all";

/// How long something may take that is waited for, on however busy a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An administrator.
pub const ADMIN: By = By::Admin { uid: 1000, pid: 4242 };

/// A client, seen from its end of the connection.
pub struct Peer {
    socket: TcpStream,
    connection: Arc<Connection>,
    /// What came.
    got: Vec<u8>,
    /// What of it was looked at.
    seen: usize,
    /// It takes nothing just now.
    lazy: bool,
    ended: bool,
}

/// A daemon without its shell.
pub struct Stage {
    pub machine: Machine,
    pub at: Now,
    /// What followed and is no order, in order, until somebody takes it.
    pub told: Vec<Outcome>,
    /// Clients that wait for their next turn: see [`Outcome::More`].
    pub more: Vec<SessionId>,
    pub peers: BTreeMap<SessionId, Peer>,
    tape: Tape,
    pub to_rounds: Arc<Exchange<Work>>,
    reports: Arc<Exchange<Report>>,
    counts: Arc<Counts>,
    pub rounds: Shared,
    /// What the rounds' own thread does; here it is polled by hand.
    running: Pin<Box<dyn Future<Output = Infallible>>>,
    runtime: Runtime,
    next_address: u8,
}

/// A pair of connected sockets. One that is `narrow` holds little.
pub fn connected(narrow: bool) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let near = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    if narrow {
        near.set_recv_buffer_size(4096).expect("it takes that");
        SockRef::from(&listener).set_send_buffer_size(4096).expect("it takes that");
    }
    near.connect(&listener.local_addr().expect("it is bound").into()).expect("it listens");
    let (far, _) = listener.accept().expect("somebody came");
    let near = TcpStream::from(near);
    near.set_nonblocking(true).expect("a socket");
    far.set_nonblocking(true).expect("a socket");
    (near, far)
}

/// What the rounds share with the driver.
pub type Parts = (Arc<Exchange<Work>>, Arc<Exchange<Report>>, Arc<Counts>);

pub fn new_rounds(settings: &Settings, cuts: Cuts) -> (Rounds, Parts) {
    let exchanges = Exchanges::default();
    let rounds = Rounds::new(exchanges.clone(), settings.into(), cuts);
    (rounds, (exchanges.work, exchanges.reports, exchanges.counts))
}

impl Stage {
    /// A hub in which nobody is yet.
    pub fn new(settings: Settings) -> Self {
        let mut out = Vec::new();
        let machine = Machine::new(settings.clone(), KEY, BEGIN, &mut out);
        let (mut tape, cuts) = Tape::new().expect("a memory file");
        let (mut rounds, parts) = new_rounds(&settings, cuts);
        let orders = out.extract_if(.., |outcome| matches!(outcome, Outcome::Order(_))).collect();
        let owed = rounds.begin(orders);
        tape.snapshot(&serde_json::to_vec(&machine).expect("plain values"), &owed, epoch());
        Self::of(machine, BEGIN, tape, rounds, parts)
    }

    pub fn of(machine: Machine, at: Now, tape: Tape, mut rounds: Rounds, parts: Parts) -> Self {
        let (to_rounds, reports, counts) = parts;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let readiness = runtime.block_on(async { Readiness::new() }).expect("descriptors");
        rounds.watch(&readiness);
        let rounds = Arc::new(Mutex::new(rounds));
        let running = Box::pin(Rounds::run(Arc::clone(&rounds), readiness));
        Self {
            machine,
            at,
            told: Vec::new(),
            more: Vec::new(),
            peers: BTreeMap::new(),
            tape,
            to_rounds,
            reports,
            counts,
            rounds,
            running,
            runtime,
            next_address: 1,
        }
    }

    // -- what reaches the hub ------------------------------------------------------------------

    /// Something reaches the hub; everything that follows is done.
    pub fn input(&mut self, input: impl Into<Input>) {
        let mut out = Vec::new();
        self.machine.handle(input.into(), self.at, &mut out);
        self.apply(out);
        self.turn();
    }

    fn apply(&mut self, out: Vec<Outcome>) {
        let mut work = Vec::new();
        for outcome in out {
            match outcome {
                Outcome::Order(order) => {
                    if let Order::Attach(id) = &order {
                        work.push(Work::Connection(Arc::clone(&self.peers[id].connection)));
                    }
                    work.push(Work::Order(order));
                }
                Outcome::More(id) => self.more.push(id),
                other => self.told.push(other),
            }
        }
        self.to_rounds.push_all(&mut work);
    }

    /// The rounds do what there is to do, and what they report reaches the hub.
    pub fn turn(&mut self) {
        loop {
            // Polled until it waits: then all is done that can be. The runtime looks at the sockets meanwhile.
            let running = &mut self.running;
            for _ in 0..3 {
                self.runtime.block_on(async {
                    tokio::task::yield_now().await;
                    std::future::poll_fn(|context| {
                        assert!(running.as_mut().poll(context).is_pending(), "the rounds never end");
                        std::task::Poll::Ready(())
                    })
                    .await;
                });
            }
            for peer in self.peers.values_mut() {
                peer.take();
            }
            let mut reports = Vec::new();
            self.reports.take(&mut reports, chathub::net::exchange::ReadyForMore::Yes);
            if reports.is_empty() {
                return;
            }
            for report in reports {
                let input = match report {
                    Report::Gone(id, why) => hub::News::Gone { session: id, why },
                    Report::Crowded(id, on) => hub::News::Crowded { session: id, on },
                    Report::Finished(_) => continue,
                };
                let mut out = Vec::new();
                self.machine.handle(input.into(), self.at, &mut out);
                self.apply(out);
            }
        }
    }

    /// A client sends this; the hub must be ready to read it.
    pub fn send(&mut self, id: SessionId, bytes: &[u8]) {
        assert!(self.machine.listens_to(id), "{} is listened to", self.name(id));
        self.hears(id, bytes);
    }

    pub fn hears(&mut self, id: SessionId, bytes: &[u8]) {
        self.at.mono = self.at.mono.after(Duration::from_millis(3));
        self.at.wall.0 += 3;
        let mut out = Vec::new();
        self.machine.bytes(id, bytes, self.at, &mut out);
        self.apply(out);
        self.turn();
    }

    /// The same for a line.
    pub fn line(&mut self, id: SessionId, line: &str) {
        self.send(id, format!("{line}\n").as_bytes());
    }

    /// Those whose turn was over have their next ones.
    pub fn next_turns(&mut self) {
        while let Some(id) = self.more.pop() {
            self.hears(id, b"");
        }
    }

    /// An administrator's command.
    pub fn control(&mut self, command: &str, args: serde_json::Value) {
        let by = ADMIN;
        self.at.mono = self.at.mono.after(Duration::from_millis(3));
        self.at.wall.0 += 3;
        let parsed = chathub::wire::admin::Command::parse(command, args.clone()).expect(command);
        let mut out = Vec::new();
        let answer = self.machine.control(
            &parsed,
            by,
            self.at,
            &|_| chathub::wire::admin::execute::Traffic::default(),
            &mut out,
        );
        if let Some(Err(error)) = answer {
            panic!("{command} {args}: {error:?}");
        }
        self.apply(out);
        self.turn();
    }

    /// Time passes, and what is due happens when it is.
    pub fn pass(&mut self, time: Duration) {
        let end = self.at.mono.after(time);
        while let Some(due) = self.machine.next_deadline().filter(|due| *due <= end) {
            self.go_to(due.max(self.at.mono));
            self.input(Input::Tick);
        }
        self.go_to(end);
    }

    fn go_to(&mut self, mono: Mono) {
        self.at.wall.0 += i64::try_from(mono.since(self.at.mono).as_millis()).expect("not long");
        self.at.mono = mono;
    }

    /// Somebody connects, from an address of their own.
    pub fn connect(&mut self, narrow: bool) -> SessionId {
        let address = IpAddr::from([192, 0, 2, self.next_address]);
        self.next_address += 1;
        self.connect_from(address, narrow)
    }

    /// Somebody connects from there.
    pub fn connect_from(&mut self, address: IpAddr, narrow: bool) -> SessionId {
        self.connect_through(None, address, narrow)
    }

    /// Somebody connects from there, through a proxy or through none.
    pub fn connect_through(&mut self, proxied: Option<Box<Proxied>>, address: IpAddr, narrow: bool) -> SessionId {
        let id = self.machine.next_id();
        let (socket, far) = connected(narrow);
        let connection = Arc::new(Connection::new(id, id.0 + 7000, Some(far.into())));
        let cookie = connection.cookie;
        self.peers.insert(id, Peer::of(socket, connection));
        self.at.mono = self.at.mono.after(Duration::from_millis(3));
        self.at.wall.0 += 3;
        self.input(Input::Connect { id, cookie, peer: SocketAddr::new(address, 40_000), tls: None, proxied });
        id
    }

    /// The last password that was given out to be hashed.
    pub fn job(&mut self) -> Arc<Job> {
        let at = self.told.iter().rposition(|outcome| matches!(outcome, Outcome::Hash(_))).expect("a password waits");
        match self.told.remove(at) {
            Outcome::Hash(job) => job,
            _ => unreachable!("it was found so"),
        }
    }

    /// It was hashed, and this came of it.
    pub fn hashed(&mut self, answer: Answer) {
        let number = self.job().number;
        self.input(hub::News::Hashed { number, answer });
    }

    // -- what clients see ----------------------------------------------------------------------

    /// From now on a client takes nothing of what it is sent.
    pub fn takes_nothing(&mut self, id: SessionId) {
        self.peers.get_mut(&id).expect("a client").lazy = true;
    }

    /// A client that takes nothing takes a little, until its socket has taken a part of a line.
    pub fn sip(&mut self, id: SessionId) {
        let deadline = Instant::now() + PATIENCE;
        while !self.is_torn(id) {
            assert!(Instant::now() < deadline, "{} is owed whole lines", self.name(id));
            self.peers.get_mut(&id).expect("a client").sip(700);
            self.turn();
        }
        assert!(self.behind(id) > 0, "{} is owed something", self.name(id));
    }

    /// Whether a client's socket has taken a part of a line, or of a frame.
    fn is_torn(&self, id: SessionId) -> bool {
        let saved = self.rounds.lock().expect("one thread").saved_on_the_way();
        let saved: serde_json::Value = serde_json::from_slice(&saved).expect("JSON");
        let mut clients = saved["clients"].as_array().expect("a list").iter();
        let reader = &clients.find(|client| client["id"] == id.0).expect("a client")["reader"];
        // A whole one begins with the time, or with what tells that the hub says it.
        let is_rest = |text: &str| !text.starts_with(['[', '-']);
        reader["mail"][0]["bytes"].as_str().is_some_and(is_rest) || reader["typing"]["at"].as_u64() > Some(0)
    }

    /// How many bytes a client is owed that its socket does not take.
    pub fn behind(&self, id: SessionId) -> u64 {
        self.peers[&id].connection.behind.load(Ordering::Relaxed)
    }

    /// How many lines a client was too slow for.
    pub fn missed(&self, id: SessionId) -> u64 {
        self.peers[&id].connection.missed.load(Ordering::Relaxed)
    }

    /// Waits until everybody has got all that was written to them, and that is all they are owed.
    fn settle(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.turn();
            let got: usize = self.peers.values().map(|peer| peer.got.len()).sum();
            let behind: u64 = self.peers.keys().map(|id| self.behind(*id)).sum();
            if behind == 0 && got as u64 == self.counts.bytes.load(Ordering::Relaxed) {
                return;
            }
            assert!(Instant::now() < deadline, "{got} bytes came, and {behind} are owed");
        }
    }

    /// What came for a client that was not looked at yet.
    pub fn news(&mut self, id: SessionId) -> Vec<u8> {
        self.settle();
        let peer = self.peers.get_mut(&id).expect("a client");
        let news = peer.got[peer.seen..].to_vec();
        peer.seen = peer.got.len();
        news
    }

    /// Whether a client's connection has ended.
    pub fn has_ended(&mut self, id: SessionId) -> bool {
        let deadline = Instant::now() + PATIENCE;
        // Its end may be on its way.
        while !self.peers[&id].ended && self.machine.hub().session(id).is_none() && Instant::now() < deadline {
            self.turn();
        }
        self.peers[&id].ended
    }

    /// The client of this name.
    #[track_caller]
    pub fn who(&self, nick: &str) -> SessionId {
        let found = self.machine.hub().sessions().find(|session| session.nick.shown() == nick);
        found.unwrap_or_else(|| panic!("{nick} is not there")).id
    }

    /// What the hub knows of the client of this name.
    #[track_caller]
    pub fn session(&self, nick: &str) -> &Session {
        self.machine.hub().session(self.who(nick)).expect("it was found")
    }

    pub fn name(&self, id: SessionId) -> String {
        let session = self.machine.hub().session(id);
        format!("{id}{}", session.map_or_else(String::new, |session| format!(" ({})", session.nick.shown())))
    }
}

impl Peer {
    pub fn of(socket: TcpStream, connection: Arc<Connection>) -> Self {
        Self { socket, connection, got: Vec::new(), seen: 0, lazy: false, ended: false }
    }

    /// Takes at most `most` bytes of what is there.
    fn sip(&mut self, most: usize) {
        let mut bytes = vec![0; most];
        if let Ok(count) = self.socket.read(&mut bytes) {
            self.got.extend_from_slice(&bytes[..count]);
        }
    }

    /// Takes what is there.
    fn take(&mut self) {
        let mut bytes = [0; 16 * 1024];
        while !self.lazy && !self.ended {
            match self.socket.read(&mut bytes) {
                Ok(0) => self.ended = true,
                Ok(count) => self.got.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => panic!("a client's socket: {error}"),
            }
        }
    }
}

// -- handing over ------------------------------------------------------------------------------

/// What one process leaves to the next.
#[derive(Clone, Debug)]
pub struct Left {
    /// When.
    pub at: Now,
    /// The tape's size, what stands in its first page (by word), and where the snapshot is.
    pub size: u64,
    pub words: BTreeMap<u64, u64>,
    pub half: u64,
    /// The snapshot, as it is on the tape.
    pub machine: String,
    pub rounds: String,
    /// What each client's socket takes from then on, if it takes everything.
    pub owed: BTreeMap<SessionId, Vec<u8>>,
}

impl Left {
    /// How many bytes each client's socket has taken.
    pub fn sent(&self) -> BTreeMap<SessionId, u64> {
        let rounds: serde_json::Value = serde_json::from_str(&self.rounds).expect("JSON");
        let number = |value: &serde_json::Value| value.as_u64().expect("a number");
        let clients = rounds["clients"].as_array().expect("a list").iter();
        clients.map(|client| (SessionId(number(&client["id"])), number(&client["sent"]))).collect()
    }
}

/// Bytes of the tape's first page.
const HEAD: u64 = 64 * 1024;

impl Stage {
    /// Writes a snapshot as at the end of a process, and has everybody take what they are owed.
    pub fn leave(mut self) -> Left {
        self.turn();
        let (answer, mut owed) = oneshot::channel();
        let (counts, counting) = std::sync::mpsc::channel();
        let _ = counts.send(());
        self.to_rounds.push(Work::Snapshot(answer, counting));
        self.turn();
        let owed = owed.try_recv().expect("the rounds have answered");
        let machine = serde_json::to_vec(&self.machine).expect("plain values");
        self.tape.snapshot(&machine, &owed, epoch());
        let (machine, rounds) = self.tape.snapshots();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("JSON");
        let (machine, rounds) = (text(machine), text(rounds));
        let (size, words, half) = self.look_at_tape(machine.as_bytes());

        let mut left = Left { at: self.at, size, words, half, machine, rounds, owed: BTreeMap::new() };
        for peer in self.peers.values_mut() {
            peer.lazy = false;
        }
        self.settle();
        let owed = left.sent().into_iter().map(|(id, sent)| {
            let got = &self.peers[&id].got;
            (id, got[usize::try_from(sent).expect("few")..].to_vec())
        });
        left.owed = owed.collect();
        left
    }

    /// The tape's size, the words of its first page that are not zero, and where the snapshot is.
    fn look_at_tape(&self, machine: &[u8]) -> (u64, BTreeMap<u64, u64>, u64) {
        use nix::unistd::{Whence, lseek};
        use std::os::unix::fs::FileExt as _;
        let file =
            std::fs::File::from(self.tape.file().expect("it is kept").try_clone_to_owned().expect("a descriptor"));
        let size = file.metadata().expect("a file").len();
        let mut head = vec![0; usize::try_from(HEAD).expect("small")];
        file.read_exact_at(&mut head, 0).expect("it is there");
        let words = head.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
        let words = (0..).zip(words).filter(|(_, word)| *word != 0).collect();
        // Behind the head, where there is anything at all.
        let mut at = HEAD;
        loop {
            let data =
                lseek(&file, i64::try_from(at).expect("small"), Whence::SeekData).expect("the snapshot is there");
            at = u64::try_from(data).expect("a place");
            let mut found = vec![0; machine.len()];
            file.read_exact_at(&mut found, at).expect("it is there");
            if found == machine {
                return (size, words, at);
            }
            let hole = lseek(&file, data, Whence::SeekHole).expect("the file has an end");
            at = u64::try_from(hole).expect("a place");
        }
    }
}
