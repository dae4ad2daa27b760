//! Many clients over real sockets, in one thread. They talk, paste, stop in the middle of a line,
//! read fast, slowly or hardly at all, come and go, while the daemon is killed again and again. At
//! the end everything typed and seen goes to the check.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::check::{self, End, KEPT, LONGEST, REPLAY, Record, Tally, Wrong};
use crate::play::{Act, Author, Cast, LOBBY, Manner};
use crate::shared::dice::Dice;
use crate::supervisor::PATIENCE;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The service under load, and what the load needs of its supervisor.
pub(crate) trait Service: Sync {
    /// The address to which clients connect.
    fn addr(&self) -> SocketAddr;
    /// The time since the supervisor began.
    fn elapsed(&self) -> Duration;
    /// Adds a line to the supervisor's log.
    fn note(&self, text: &str);
    /// Has an administrator say something to all rooms. Returns how many clients got it.
    fn say(&self, text: &str) -> usize;
    /// The deaths so far, for the report of a failure.
    fn deaths(&self) -> String;
}

/// The number of clients that got the line, from the answer to `say`.
pub(crate) fn told(answer: &Value) -> usize {
    answer["clients"].as_u64().and_then(|clients| usize::try_from(clients).ok()).expect("it says how many")
}

/// Settings under which no client is slowed down, skipped, gathered or turned away.
pub(crate) fn settings() -> String {
    format!(
        "
[limits]
line = {LONGEST}
mailbox = '64MiB'
clients_per_address = 1000000
[pace]
lines = 1000000
burst_lines = 1000000
shown = 1000000
bytes = '1GiB'
burst_bytes = '1GiB'
private = '1GiB'
[moderation]
mute_at = 0
ban_at = 0
repeats = 0
[slow]
behind = '256MiB'
stall = '24h'
[rooms]
announce_limit = 1000000
announce_burst = 1000
gather = '100ms'
[history]
persist = false # the checker knows what was said here, and not what was on disk
replay = {REPLAY}
lines = {KEPT}
bytes = '16MiB'
[log]
level = 'warn'
[tcp]
user_timeout = 'off'
keepalive = 'off'
[proxy]
wait = '1min'
"
    )
}

/// Settings under which slow readers soon miss lines, as they would under the default settings: the
/// lowest bound for a client that is behind, and small buffers in the kernel. Mailboxes are of the
/// default size.
pub(crate) fn skipping() -> String {
    settings()
        .replace("behind = '256MiB'", "behind = '64KiB'")
        .replace("mailbox = '64MiB'", "")
        .replace("[pace]", "[pace]\ncrowd = 1000000000")
        .replace("[tcp]", "[tcp]\nsend_buffer = '16KiB'\nreceive_buffer = '256KiB'")
}

/// How a client reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reading {
    /// All that has arrived, at once.
    Fast,
    /// At most `bytes` at a time, at this interval, with a small receive buffer.
    Slow { bytes: usize, every: Duration },
    /// Nothing until a random amount below `volume` bytes more was said in all rooms; then about
    /// `bytes` bytes (`left` of them are still to be read). `wakes` is the amount said at which it
    /// reads again.
    Gulps { bytes: usize, volume: usize, left: usize, wakes: usize },
}

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Quits,
    /// Closes its side, and reads to the end.
    HangsUp,
    Closes,
    Resets,
}

struct Player {
    record: Record,
    author: Author,
    stream: Option<TcpStream>,
    /// Typed bytes that the kernel has not taken yet.
    out: Vec<u8>,
    dice: Dice,
    reading: Reading,
    read_at: Instant,
    write_at: Instant,
    act_at: Instant,
    /// The average time between two acts.
    every: Duration,
    /// The number of its question that is not answered yet; and how many acts it has done since an
    /// answered one.
    asked: Option<u64>,
    unasked: usize,
    /// Where the last complete line it has received begins and ends.
    line: (usize, usize),
    /// For each piece received: the offset of its end, and when it came.
    chunks: Vec<(usize, Duration)>,
    /// How many acts it does before it leaves, and how it leaves; `None` if it stays.
    stays: Option<(usize, Leaving)>,
    leaving: bool,
    /// Whether it uses a terminal whose keys the hub echoes.
    keys: bool,
    /// Whether it has agreed to the echo.
    agrees: bool,
    /// Whether its stream has colours, or text that is drawn and erased: see [`check::on_screen`].
    screen: bool,
}

impl Player {
    /// Whether it reads now, `heard` bytes having been said in all rooms.
    fn is_awake(&self, heard: usize) -> bool {
        !matches!(self.reading, Reading::Gulps { wakes, .. } if heard < wakes)
    }

    /// With more unsent bytes than this, the client types no more.
    fn most_unsent(&self) -> usize {
        if self.author.manner == Manner::Orator { 64 * 1024 } else { 4096 }
    }

    /// Stops reading, if it reads in gulps, until more was said.
    fn rest(&mut self, heard: usize) {
        if let Reading::Gulps { bytes, volume, left, wakes } = &mut self.reading {
            (*left, *wakes) = (*bytes, heard + self.dice.below(*volume));
        }
    }
}

/// The numbers of clients of each kind.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rooms: usize,
    pub(crate) residents: usize,
    pub(crate) visitors: usize,
    /// The average time between two acts of a client.
    pub(crate) every: Duration,
    /// The number of further clients, in rooms of [`HALL`], that speak rarely.
    pub(crate) crowd: usize,
    /// In each room: how many clients talk all the time, and how many read too slowly for that. See
    /// [`skipping`].
    pub(crate) orators: usize,
    pub(crate) idlers: usize,
}

/// The number of clients of the crowd in one room.
const HALL: usize = 50;
/// The average time between two lines of a client of the crowd.
const SILENT: Duration = Duration::from_secs(100);

/// All clients, and the service under their load.
pub(crate) struct Load<'a> {
    service: &'a dyn Service,
    players: Vec<Player>,
    cast: Cast,
    dice: Dice,
    size: Size,
    notices: Vec<String>,
    numbers: u32,
    visit_at: Instant,
    /// The number of connections that were accepted and died before they were greeted.
    lost: usize,
    /// The number of bytes received by the clients that only listen.
    heard: usize,
    seed: u64,
    /// Whether new visitors come.
    open: bool,
}

impl<'a> Load<'a> {
    /// Connects all clients, and waits until the hub knows each.
    #[track_caller]
    pub(crate) fn new(service: &'a dyn Service, seed: u64, size: Size) -> Self {
        let rooms = [LOBBY, "tea", "milk", "cake"][..size.rooms].iter().map(ToString::to_string).collect();
        let names = |prefix: &str, count: usize| (0..count).map(|at| format!("{prefix}{at}")).collect::<Vec<_>>();
        let mut cast = Cast { rooms, residents: names("k", size.residents), bores: vec!["k0".to_owned()], longest: 40 };
        if size.idlers > 0 {
            // So no line is longer than allowed, even if all of its pieces are long.
            cast.longest = 50;
        }
        // Idlers that keep one name get private messages too.
        cast.residents.extend((0..size.idlers).filter(|at| !renames(*at)).map(idler));
        let mut load = Self {
            service,
            players: Vec::new(),
            cast,
            dice: Dice(seed),
            size,
            notices: Vec::new(),
            numbers: 0,
            visit_at: Instant::now(),
            lost: 0,
            heard: 0,
            seed,
            open: size.visitors > 0,
        };
        service.note(&format!("seed {seed}"));
        for (at, room) in load.cast.rooms.clone().iter().enumerate() {
            let reading = if at == 1 && size.idlers == 0 {
                Reading::Slow { bytes: 3000, every: Duration::from_millis(5) }
            } else {
                Reading::Fast
            };
            let index = load.enter(&format!("ear{at}"), reading, Duration::MAX);
            load.players[index].record.listens = Some(room.clone());
            if room != LOBBY {
                load.act(index, Act::Join(room.clone()));
            }
            load.settle(&[index]);
        }
        let residents: Vec<usize> = load
            .cast
            .residents
            .clone()
            .iter()
            .take(size.residents)
            .enumerate()
            .map(|(at, nick)| {
                let reading = match at % 4 {
                    _ if size.idlers > 0 => Reading::Fast,
                    1 => Reading::Slow { bytes: 400, every: Duration::from_millis(15) },
                    3 => Reading::Slow { bytes: 60, every: Duration::from_millis(60) },
                    _ => Reading::Fast,
                };
                load.enter(nick, reading, load.size.every)
            })
            .collect();
        load.settle(&residents);
        load.crowd_in(size);
        for hall in 0..size.crowd.div_ceil(HALL) {
            load.fill(hall, HALL.min(size.crowd - hall * HALL));
        }
        load
    }

    /// Adds the clients that talk all the time, and those that read too slowly for that.
    fn crowd_in(&mut self, size: Size) {
        for (at, room) in self.cast.rooms.clone().into_iter().enumerate() {
            for number in 0..size.orators {
                // One of them is the bore, whom others ignore now and then.
                let index = self.enter(&format!("o{at}-{number}"), Reading::Fast, Duration::from_millis(10));
                self.players[index].author.manner = Manner::Orator;
                if room != LOBBY {
                    self.act(index, Act::Join(room.clone()));
                }
                self.settle(&[index]);
            }
        }
        if size.orators > 0 {
            self.cast.bores.push("o0-0".to_owned());
        }
        let mut readers = Vec::new();
        for at in 0..size.idlers {
            let gulps = |bytes, volume| Reading::Gulps { bytes, volume, left: bytes, wakes: 0 };
            let reading = match at % 3 {
                0 => gulps(400_000, 800_000),
                1 => Reading::Slow { bytes: 3000, every: Duration::from_millis(self.dice.between(5, 40) as u64) },
                _ => gulps(50_000, 250_000),
            };
            let keys = at % 4 > 1;
            let index = self.enter_with(&idler(at), reading, 4 * self.size.every, keys);
            self.players[index].author.manner = Manner::Idler { renames: renames(at) };
            let player = &mut self.players[index];
            (player.screen, player.reading) = (true, Reading::Fast);
            readers.push((index, reading));
        }
        // They must be here before anybody mentions them.
        self.settle(&readers.iter().map(|(index, _)| *index).collect::<Vec<_>>());
        for (index, reading) in readers {
            self.players[index].reading = reading;
        }
    }

    /// Adds a room of its own with `people` clients and one that listens.
    fn fill(&mut self, hall: usize, people: usize) {
        let room = format!("hall{hall}");
        let ear = self.enter(&format!("hall-ear{hall}"), Reading::Fast, Duration::MAX);
        self.players[ear].record.listens = Some(room.clone());
        self.act(ear, Act::Join(room.clone()));
        self.settle(&[ear]);
        let crowd: Vec<usize> = (0..people)
            .map(|at| {
                let index = self.enter(&format!("h{hall}-{at}"), Reading::Fast, SILENT);
                let player = &mut self.players[index];
                player.author.manner = Manner::Plain;
                player.act_at += Duration::from_millis(player.dice.below(2 * SILENT.as_millis() as usize) as u64);
                self.act(index, Act::Join(room.clone()));
                index
            })
            .collect();
        self.settle(&crowd);
    }

    fn enter(&mut self, nick: &str, reading: Reading, every: Duration) -> usize {
        self.enter_with(nick, reading, every, false)
    }

    /// Connects a client; `keys`: with a terminal whose keys the hub echoes.
    fn enter_with(&mut self, nick: &str, reading: Reading, every: Duration, keys: bool) -> usize {
        let stream = self.connect(match reading {
            Reading::Fast => None,
            Reading::Slow { .. } => Some(2304),
            Reading::Gulps { .. } => Some(16 * 1024),
        });
        let now = Instant::now();
        let mut dice = self.dice.fork();
        self.players.push(Player {
            record: Record {
                nick: nick.to_owned(),
                acts: Vec::new(),
                bytes: Vec::new(),
                end: End::Open,
                listens: None,
                keys,
            },
            author: Author::new(nick, dice.fork()),
            stream: Some(stream),
            out: Vec::new(),
            dice,
            reading,
            read_at: now,
            write_at: now,
            act_at: now,
            every,
            asked: None,
            unasked: 0,
            line: (0, 0),
            chunks: Vec::new(),
            stays: None,
            leaving: false,
            keys,
            agrees: false,
            screen: keys,
        });
        let index = self.players.len() - 1;
        self.act(index, Act::Nick(nick.to_owned()));
        if keys {
            let out = &mut self.players[index].out;
            out.truncate(out.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(out.len()));
            out.extend_from_slice(TERMINAL);
        }
        index
    }

    /// Connects from an address that no other client has, so that guests are told apart by their
    /// names.
    fn connect(&mut self, window: Option<usize>) -> TcpStream {
        self.numbers += 1;
        let from = Ipv4Addr::from_bits(0x7f01_0000 + self.numbers);
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        if let Some(window) = window {
            socket.set_recv_buffer_size(window).unwrap();
        }
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        // The supervisor holds the listening socket, and its backlog is long: connecting never
        // waits for the daemon.
        socket.connect(&self.service.addr().into()).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.into()
    }

    fn act(&mut self, index: usize, act: Act) {
        let player = &mut self.players[index];
        player.out.extend_from_slice(act.typed().as_bytes());
        // The hub negotiates telnet with clients that send CR LF or CR NUL, and the check of
        // clients that send lines expects none of that.
        let end: &[u8] = if player.keys { b"\r\0" } else { b"\n" };
        player.out.extend_from_slice(end);
        player.record.acts.push(act);
    }

    fn ask(&mut self, index: usize) {
        let player = &mut self.players[index];
        if player.asked.is_none() {
            let (act, number) = player.author.sync();
            (player.asked, player.unasked) = (Some(number), 0);
            self.act(index, act);
        }
    }

    /// Runs until these clients have no bytes under way.
    #[track_caller]
    fn settle(&mut self, who: &[usize]) {
        for index in who {
            self.players[*index].asked = None;
            self.ask(*index);
        }
        let end = Instant::now() + PATIENCE;
        while who.iter().any(|index| self.players[*index].asked.is_some()) {
            if Instant::now() > end {
                let waiting: Vec<usize> =
                    who.iter().copied().filter(|index| self.players[*index].asked.is_some()).collect();
                self.fail_for(waiting[0], &format!("{} wait in vain for an answer", waiting.len()));
            }
            self.turn(end, false);
        }
    }

    /// Runs the clients until the time `until`, or until `enough` returns true.
    #[track_caller]
    pub(crate) fn play(&mut self, until: Instant, mut enough: impl FnMut(&Self) -> bool) {
        while Instant::now() < until && !enough(self) {
            self.turn(until, true);
        }
    }

    /// One turn: waits until a client can read, write or act, and does it.
    #[track_caller]
    fn turn(&mut self, until: Instant, acting: bool) {
        let now = Instant::now();
        let mut next = until.min(now + Duration::from_millis(50));
        if acting && self.open {
            next = next.min(self.visit_at);
        }
        let mut waiting = Vec::with_capacity(self.players.len());
        for (index, player) in self.players.iter().enumerate() {
            let Some(stream) = &player.stream else { continue };
            let mut flags = PollFlags::empty();
            if player.read_at > now {
                next = next.min(player.read_at);
            } else if player.is_awake(self.heard) {
                flags |= PollFlags::POLLIN;
            }
            if !player.out.is_empty() {
                if player.write_at <= now {
                    flags |= PollFlags::POLLOUT;
                } else {
                    next = next.min(player.write_at);
                }
            }
            if acting && player.record.listens.is_none() && player.out.len() < player.most_unsent() {
                next = next.min(player.act_at);
            }
            waiting.push((index, PollFd::new(stream.as_fd(), flags)));
        }
        let wait = next.saturating_duration_since(now).as_millis().min(50);
        let mut fds: Vec<PollFd<'_>> = waiting.iter().map(|(_, fd)| fd.clone()).collect();
        let timeout = PollTimeout::from(u16::try_from(wait).unwrap());
        let _ = poll(&mut fds, timeout);
        let ready: Vec<(usize, PollFlags, PollFlags)> = waiting
            .iter()
            .zip(&fds)
            .map(|((index, wanted), fd)| (*index, wanted.events(), fd.revents().unwrap_or(PollFlags::empty())))
            .collect();
        for (index, wanted, flags) in ready {
            let bad = PollFlags::POLLERR | PollFlags::POLLHUP;
            if wanted.contains(PollFlags::POLLIN) && flags.intersects(PollFlags::POLLIN | bad) {
                self.read(index);
            }
            if wanted.contains(PollFlags::POLLOUT) && flags.intersects(PollFlags::POLLOUT | bad) {
                self.write(index);
            }
        }
        if acting {
            self.improvise();
        }
    }

    fn improvise(&mut self) {
        let now = Instant::now();
        for index in 0..self.players.len() {
            let player = &mut self.players[index];
            let is_free = player.stream.is_some()
                && player.record.listens.is_none()
                && player.act_at <= now
                && player.out.len() < player.most_unsent()
                && !player.leaving;
            // A client that has had no answer for long types no more: so the number of unanswered
            // acts is bounded.
            let most = match player.author.manner {
                Manner::Idler { .. } => 4,
                Manner::Orator => 1000,
                Manner::Usual | Manner::Plain => 30,
            };
            if !is_free || player.asked.is_some() && player.unasked > most {
                continue;
            }
            let think = player.every.as_micros() as usize;
            player.act_at = now + Duration::from_micros(player.dice.below(2 * think) as u64);
            if let Some((left, leaving)) = player.stays {
                if left == 0 {
                    // Not in the middle of a line: half a line at the end would count as a line.
                    if player.out.is_empty() {
                        self.leave(index, leaving);
                    }
                    continue;
                }
                player.stays = Some((left - 1, leaving));
            }
            let talks = player.author.manner == Manner::Orator;
            let paste = if talks {
                player.dice.between(10, 60)
            } else if player.dice.one_in(25) {
                player.dice.between(5, 40)
            } else {
                1
            };
            for _ in 0..paste {
                let act = self.players[index].author.act(&self.cast);
                self.players[index].unasked += 1;
                self.act(index, act);
            }
            let often = if matches!(self.players[index].author.manner, Manner::Idler { .. }) { 3 } else { 10 };
            if self.players[index].unasked > often {
                self.ask(index);
            }
        }
        if self.open && self.visit_at <= now {
            self.visit_at = now + Duration::from_millis(self.dice.below(60) as u64);
            let visitors = self.players.iter().filter(|player| player.stays.is_some() && player.stream.is_some());
            if visitors.count() < self.size.visitors {
                self.visit();
            }
        }
    }

    /// `count` clients connect and leave at once.
    pub(crate) fn flurry(&mut self, count: usize) {
        let all: Vec<_> = (0..count).map(|_| self.connect(None)).collect();
        drop(all);
    }

    /// A visitor comes, who will leave again.
    fn visit(&mut self) {
        if self.dice.one_in(8) {
            // Some visitors leave at once, before they have read anything.
            let stream = self.connect(None);
            if self.dice.one_in(2) {
                reset(&stream);
            }
            return;
        }
        let reading = if self.dice.one_in(4) && self.size.idlers == 0 {
            Reading::Slow { bytes: 200, every: Duration::from_millis(10) }
        } else {
            Reading::Fast
        };
        let name = format!("d{}", self.numbers);
        let index = self.enter(&name, reading, self.size.every);
        let leaving = self.dice.of(&[Leaving::Quits, Leaving::HangsUp, Leaving::Closes, Leaving::Resets]);
        let stays = self.dice.below(30);
        self.players[index].stays = Some((stays, leaving));
    }

    fn leave(&mut self, index: usize, leaving: Leaving) {
        let player = &mut self.players[index];
        player.leaving = true;
        match leaving {
            Leaving::Quits => {
                let act = player.author.quit();
                player.record.end = End::Quit;
                self.act(index, act);
            }
            // It hangs up once all that it has typed is sent.
            Leaving::HangsUp => {
                player.record.end = End::HungUp;
                self.hang_up(index);
            }
            Leaving::Closes | Leaving::Resets => {
                player.record.end = End::Cut;
                let stream = player.stream.take().unwrap();
                if leaving == Leaving::Resets {
                    reset(&stream);
                }
            }
        }
    }

    fn hang_up(&mut self, index: usize) {
        let player = &self.players[index];
        if player.leaving
            && player.record.end == End::HungUp
            && player.out.is_empty()
            && let Some(stream) = &player.stream
        {
            let _ = stream.shutdown(Shutdown::Write);
        }
    }

    fn write(&mut self, index: usize) {
        let player = &mut self.players[index];
        let Some(stream) = &mut player.stream else { return };
        // Now and then it sends only a part, so that half a line waits while the daemon dies.
        let length = if player.dice.one_in(6) { player.dice.between(1, player.out.len()) } else { player.out.len() };
        match stream.write(&player.out[..length]) {
            Ok(taken) => {
                player.out.drain(..taken);
                if !player.out.is_empty() {
                    let later = player.dice.below(60) as u64;
                    player.write_at = Instant::now() + Duration::from_millis(later);
                }
                self.hang_up(index);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => self.broken(index, &error.to_string()),
        }
    }

    fn read(&mut self, index: usize) {
        let now = self.service.elapsed();
        let player = &mut self.players[index];
        let mut buffer = [0; 64 * 1024];
        let most = match player.reading {
            Reading::Fast => buffer.len(),
            Reading::Slow { bytes, every } => {
                player.read_at = Instant::now() + every;
                player.dice.between(1, bytes)
            }
            Reading::Gulps { .. } => buffer.len(),
        };
        let Some(stream) = &mut player.stream else { return };
        match stream.read(&mut buffer[..most]) {
            Ok(0) => {
                player.stream = None;
                let expected = match player.record.end {
                    // CR ends a line; the LF or NUL after it may not be sent yet.
                    End::Quit | End::HungUp => matches!(&player.out[..], b"" | b"\n" | b"\0"),
                    End::Open | End::Cut => false,
                };
                if !expected {
                    self.broken(index, "end of stream");
                }
            }
            Ok(count) => {
                player.chunks.push((player.record.bytes.len(), now));
                player.record.bytes.extend_from_slice(&buffer[..count]);
                let has = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
                if player.keys && !player.agrees && has(&player.record.bytes, WILL_ECHO) {
                    player.agrees = true;
                    player.out.extend_from_slice(DO_ECHO);
                }
                if let Reading::Gulps { left, .. } = &mut player.reading {
                    *left = left.saturating_sub(count);
                    if *left == 0 {
                        player.rest(self.heard);
                    }
                }
                if player.record.listens.is_some() {
                    self.heard += count;
                }
                self.look(index);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                player.rest(self.heard);
            }
            Err(error) => self.broken(index, &error.to_string()),
        }
    }

    /// Looks for the answer to the client's question among the complete lines.
    fn look(&mut self, index: usize) {
        let player = &mut self.players[index];
        let bytes = &player.record.bytes;
        while let Some(length) = bytes[player.line.1..].iter().position(|byte| *byte == b'\n') {
            player.line = (player.line.1, player.line.1 + length + 1);
            if let Some(number) = player.asked {
                let answer = format!("-- nobody called sync-{number} is connected\r\n");
                let line = &bytes[player.line.0..player.line.1];
                if line == answer.as_bytes() || player.screen && check::on_screen(line) == answer.as_bytes() {
                    player.asked = None;
                }
            }
        }
    }

    /// A connection that should have stayed open has ended. Fails unless that may happen.
    #[track_caller]
    fn broken(&mut self, index: usize, how: &str) {
        let player = &mut self.players[index];
        player.stream = None;
        // The daemon died between accepting the connection and keeping it.
        if player.record.bytes.is_empty() && player.stays.is_some() {
            player.record.end = End::Cut;
            self.lost += 1;
            self.service.note(&format!("{} was never greeted: {how}", self.players[index].record.nick));
            return;
        }
        self.fail_for(index, &format!("it is disconnected: {how}"));
    }

    /// True if everybody who is connected was sent something: then no connection is still between
    /// being accepted and being kept.
    pub(crate) fn everybody_is_greeted(&self) -> bool {
        self.players.iter().all(|player| player.stream.is_none() || !player.record.bytes.is_empty())
    }

    /// The number of connections that died before they were greeted.
    pub(crate) fn lost(&self) -> usize {
        self.lost
    }

    /// The number of bytes received by the clients that only listen.
    pub(crate) fn heard(&self) -> usize {
        self.heard
    }

    /// Lets no more visitors come, waits until everything under way has arrived, and checks all
    /// records.
    #[track_caller]
    pub(crate) fn finish(mut self, last_blow: impl FnOnce()) -> Tally {
        self.open = false;
        for player in &mut self.players {
            player.reading = match player.reading {
                // They need not become fast, but they must come to the end.
                Reading::Slow { .. } | Reading::Gulps { .. } => {
                    player.stream.as_ref().map(widen);
                    Reading::Slow { bytes: 5000, every: Duration::from_millis(1) }
                }
                Reading::Fast => Reading::Fast,
            };
            player.write_at = Instant::now();
            player.read_at = Instant::now();
        }
        let here: Vec<usize> = (0..self.players.len())
            .filter(|index| self.players[*index].stream.is_some() && !self.players[*index].leaving)
            .collect();
        // The last line is said when all visitors are gone: so nothing comes after it, not even the
        // news that a visitor has left.
        let end = Instant::now() + PATIENCE;
        let last = loop {
            self.settle(&here);
            let text = format!("the end, {}", self.notices.len());
            let told = self.service.say(&text);
            self.notices.push(text.clone());
            if told <= here.len() {
                break format!("-- notice: {text}\r\n");
            }
            if Instant::now() > end {
                let leaving = self.players.iter().position(|player| player.leaving && player.stream.is_some());
                self.fail_for(leaving.unwrap_or(0), &format!("{told} clients are there, and {} stay", here.len()));
            }
            self.turn(end, false);
        };
        last_blow();
        let end = Instant::now() + PATIENCE;
        loop {
            let is_waiting = |player: &Player| {
                player.stream.is_some()
                    && (player.leaving || {
                        let (from, to) = player.line;
                        // The line may have a time before it.
                        let line = &player.record.bytes[from..to];
                        let shown = if player.screen { check::on_screen(line) } else { line.to_vec() };
                        !shown.ends_with(last.as_bytes())
                    })
            };
            let Some(waiting) = self.players.iter().position(is_waiting) else { break };
            if Instant::now() > end {
                self.fail_for(waiting, "it does not get the end");
            }
            self.turn(end, false);
        }
        // Nothing may come after the last line.
        for index in 0..self.players.len() {
            if self.players[index].stream.is_some() {
                self.read(index);
            }
        }
        self.verdict()
    }

    #[track_caller]
    fn verdict(mut self) -> Tally {
        let mut records: Vec<Record> =
            self.players.iter_mut().map(|player| std::mem::replace(&mut player.record, empty())).collect();
        for (record, player) in records.iter_mut().zip(&self.players) {
            record.bytes = if player.screen { check::on_screen(&record.bytes) } else { check::joined(&record.bytes) };
        }
        match check::check(&records, &self.notices) {
            Ok(tally) => tally,
            Err(wrong) => {
                let story = self.story(&records, &wrong);
                records.clear();
                panic!("{story}");
            }
        }
    }

    /// The report of a mistake: the stream around it, when each piece of it came, and the deaths at
    /// that time.
    fn story(&self, records: &[Record], wrong: &Wrong) -> String {
        let mut text = format!("{wrong}\n(seed {})\n", self.seed);
        let Some(index) = records.iter().position(|record| record.nick == wrong.client) else { return text };
        let record = &records[index];
        if let Ok(dir) = std::env::var("CHATHUB_STORY") {
            for record in records {
                let _ = std::fs::write(format!("{dir}/{}.stream", record.nick), &record.bytes);
                let _ = std::fs::write(format!("{dir}/{}.acts", record.nick), format!("{:#?}", record.acts));
            }
        }
        let around = wrong.offset.saturating_sub(1500)..(wrong.offset + 1500).min(record.bytes.len());
        let mut marks: BTreeMap<usize, String> = BTreeMap::new();
        for (at, when) in &self.players[index].chunks {
            if around.contains(at) {
                marks.insert(*at, format!("\n<< {:.4} >>", when.as_secs_f64()));
            }
        }
        marks.entry(wrong.offset).or_default().push_str("\n<< HERE >>\n");
        let _ = writeln!(text, "its stream from byte {} on, with the times when each piece came:", around.start);
        let mut from = around.start;
        for (at, mark) in marks.range(around.clone()) {
            let _ = write!(text, "{}{mark}", String::from_utf8_lossy(&record.bytes[from..*at]));
            from = *at;
        }
        let _ = writeln!(text, "{}", String::from_utf8_lossy(&record.bytes[from..around.end]));
        let _ = writeln!(text, "it reads {:?}", self.players[index].reading);
        let _ = writeln!(text, "deaths: {}", self.service.deaths());
        text
    }

    #[track_caller]
    fn fail_for(&mut self, index: usize, what: &str) -> ! {
        let records: Vec<Record> = self.players.iter().map(|player| player.record.clone()).collect();
        let record = &records[index];
        let wrong = Wrong { client: record.nick.clone(), offset: record.bytes.len(), what: what.to_owned() };
        let player = &self.players[index];
        let last: Vec<&Act> = record.acts.iter().rev().take(12).collect();
        let story = self.story(&records, &wrong);
        panic!(
            "{story}asked: {:?}, unsent: {:?}, acts so far {}, the last of them first: {last:?}",
            player.asked,
            String::from_utf8_lossy(&player.out),
            record.acts.len(),
        );
    }
}

/// The answers of a terminal that has the hub echo its keys, sent after its first line end: its
/// type, and a width greater than that of any line here.
pub(crate) const TERMINAL: &[u8] =
    b"\r\n\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\xf0\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0";

/// The hub offers to echo and to suppress go-ahead; and the terminal's agreement.
pub(crate) const WILL_ECHO: &[u8] = b"\xff\xfb\x01\xff\xfb\x03";
pub(crate) const DO_ECHO: &[u8] = b"\xff\xfd\x01\xff\xfd\x03";

fn idler(at: usize) -> String {
    format!("s{at}")
}

fn renames(at: usize) -> bool {
    at.is_multiple_of(2)
}

fn empty() -> Record {
    Record { nick: String::new(), acts: Vec::new(), bytes: Vec::new(), end: End::Cut, listens: None, keys: false }
}

/// Opens the receive window of a slow reader. If the window is a little less than the sender thinks
/// worth a segment (half of the widest window it has seen), the kernel sends only that little every
/// 200 ms (RFC 1122, 4.2.3.4), however fast the client reads: 5 KB a second, so that reading the
/// rest would take minutes.
fn widen(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_recv_buffer_size(64 * 1024).unwrap();
}

/// Makes the next close of the connection a reset.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
