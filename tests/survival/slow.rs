//! Readers who read nothing for a while, step by step: a note counts the lines they miss, and all
//! other lines arrive whole, once and in order, whenever the daemon dies. `kills` tests the same at
//! random. With `CHATHUB_KILLS`, there are more numbers of deaths that are slept through.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::check::on_screen;
use crate::kills::is_long;
use crate::load::{DO_ECHO, Service as _, TERMINAL, WILL_ECHO};
use crate::people::Person;
use crate::shared::dice::Dice;
use crate::supervisor::{PATIENCE, Plan, Supervisor};

/// The default settings, except for the pace: one speaker says as much as hundreds would.
const FAST: &str = "
[pace]
lines = 1000000
burst_lines = 1000000
bytes = '1GiB'
burst_bytes = '1GiB'
[moderation]
mute_at = 0
ban_at = 0
repeats = 0
[history]
persist = false
";

/// A client that reads nothing until [`Self::all`].
struct Sleeper {
    stream: TcpStream,
    keys: bool,
    bytes: Vec<u8>,
}

impl Sleeper {
    /// Connects, and reads nothing; with `keys`, only the negotiation of the echo.
    fn come(supervisor: &Supervisor, name: &str, keys: bool) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&supervisor.addr.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(format!("/nick {name}").as_bytes()).unwrap();
        stream.write_all(if keys { TERMINAL } else { b"\n" }).unwrap();
        let mut sleeper = Self { stream, keys, bytes: Vec::new() };
        if keys {
            sleeper.read_to(WILL_ECHO);
            sleeper.stream.write_all(DO_ECHO).unwrap();
            sleeper.read_to(b"lobby> ");
        }
        sleeper
    }

    #[track_caller]
    fn read_to(&mut self, end: &[u8]) {
        let mut buffer = vec![0; 64 * 1024];
        let mut from = self.bytes.len().saturating_sub(end.len());
        while !self.bytes[from..].windows(end.len()).any(|window| window == end) {
            from = self.bytes.len().saturating_sub(end.len());
            let end = || String::from_utf8_lossy(end).into_owned();
            match self.stream.read(&mut buffer) {
                Ok(0) => panic!("disconnected before {:?}:\n{}", end(), tail(&self.bytes)),
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) => panic!("waits in vain for {:?} ({error}) behind\n{}", end(), tail(&self.bytes)),
            }
        }
    }

    /// Reads exactly `bytes` bytes, and then nothing again.
    fn sip(&mut self, bytes: usize) {
        let from = self.bytes.len();
        self.bytes.resize(from + bytes, 0);
        self.stream.read_exact(&mut self.bytes[from..]).unwrap();
    }

    /// Reads everything up to a line that ends with `end`; returns the lines as they are shown.
    fn all(&mut self, end: &str) -> Vec<String> {
        // With the small window, reading the rest would take minutes: see `load::widen`.
        socket2::SockRef::from(&self.stream).set_recv_buffer_size(256 * 1024).unwrap();
        self.read_to(format!("{end}\r\n").as_bytes());
        let shown = if self.keys { on_screen(&self.bytes) } else { self.bytes.clone() };
        let text = String::from_utf8(shown).unwrap_or_else(|error| panic!("{error}:\n{}", tail(&self.bytes)));
        text.split_terminator("\r\n").map(str::to_owned).collect()
    }
}

fn tail(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(3000)..]).into_owned()
}

/// A person whose lines are numbered.
struct Speaker {
    person: Person,
    said: usize,
    padding: usize,
}

impl Speaker {
    fn line(&self, number: usize) -> String {
        let mut text = format!("{number} ");
        text.extend(std::iter::repeat_n('x', self.padding));
        text.push('.');
        text
    }

    /// Says this many lines, and waits until they are said.
    fn say(&mut self, lines: usize) {
        let mut text = String::new();
        for _ in 0..lines {
            let _ = writeln!(text, "{}", self.line(self.said));
            self.said += 1;
        }
        self.person.write(text.as_bytes());
        self.person.sync();
    }

    /// Says lines until the reader called `name` has missed `more` further lines.
    fn outrun(&mut self, supervisor: &Supervisor, name: &str, more: u64) {
        let missed = || supervisor.ask("clients.get", &json!({"who": name}))["missed"].as_u64().unwrap();
        let before = missed();
        let limit = self.said + 200_000;
        while missed() < before + more {
            self.say(1000);
            assert!(self.said < limit, "nothing is missed though nothing is read");
        }
    }

    /// Checks that each line was seen whole, once and in its place, or was counted by a note there.
    /// Returns the number of lines counted, and of notes.
    #[track_caller]
    fn judge(&self, seen: &[String], deaths: &str) -> (usize, usize) {
        let (mut next, mut missed, mut notes) = (0, 0, 0);
        for (at, line) in seen.iter().enumerate() {
            let around = || {
                let around = &seen[at.saturating_sub(5)..(at + 5).min(seen.len())];
                format!("line {at} is {line:?}, when number {next} was due; around it: {around:#?}\n{deaths}")
            };
            if let Some(count) = line.strip_prefix("-- you missed ") {
                let count = count.split(' ').next().and_then(|count| count.parse::<usize>().ok());
                let count = count.unwrap_or_else(|| panic!("{}", around()));
                (next, missed, notes) = (next + count, missed + count, notes + 1);
            } else if let Some(text) = line.strip_prefix("speaker: ") {
                assert_eq!(text, self.line(next), "{}", around());
                next += 1;
            } else {
                // The greeting, and answers to its own commands.
                assert!(line.starts_with("-- ") || line.starts_with("Welcome") || at < 4, "{}", around());
            }
        }
        assert_eq!(next, self.said, "each line was seen or counted; {deaths}");
        (missed, notes)
    }
}

/// A reader misses lines, the daemon dies, the reader misses more, the daemon dies, and so on. Then
/// the reader reads everything.
fn outrun_between_deaths(behind: &str, keys: bool, deaths: usize, blow: Signal, seed: u64) {
    println!("behind {behind:?}, keys: {keys}, {deaths} deaths by {blow}, seed {seed}");
    let mut dice = Dice(seed);
    let supervisor = Plan::new(&format!("{FAST}\n{behind}"), seed).start();
    let mut speaker =
        Speaker { person: Person::come(&supervisor, "speaker"), said: 0, padding: dice.between(100, 180) };
    let mut sleeper = Sleeper::come(&supervisor, "sleeper", keys);
    speaker.person.until("sleeper", |line| line.ends_with("is now sleeper"));
    for death in 0..=deaths {
        let more = dice.between(1, 3000) as u64;
        speaker.outrun(&supervisor, "sleeper", more);
        if death < deaths {
            supervisor.replace(blow);
        }
    }
    // The reader wakes up, and reads as far as the first note.
    sleeper.read_to(b"you missed ");
    for _ in 0..deaths {
        supervisor.replace(blow);
        sleeper.sip(dice.between(1, 20_000 / deaths));
    }
    let end = speaker.line(speaker.said - 1);
    let seen = sleeper.all(&end);
    let (missed, notes) = speaker.judge(&seen, &supervisor.deaths());
    println!("{missed} lines were missed, and told of in {notes} notes");
    assert!(missed > 0 && notes > 0, "{missed} missed, {notes} notes");
    // Nothing has come to the speaker.
    speaker.person.quiet();
    // New lines reach the reader again.
    speaker.say(3);
    let end = speaker.line(speaker.said - 1);
    let seen = sleeper.all(&end);
    speaker.judge(&seen, &supervisor.deaths());
}

/// A small bound on what a client may be owed, in the room and in the kernel: so a reader soon
/// comes to the missed lines.
const LITTLE: &str = "[slow]\nbehind = '64KiB'\n[tcp]\nsend_buffer = '16KiB'";

/// Numbers of deaths that a reader sleeps through.
fn slept_through() -> &'static [usize] {
    if is_long() { &[1, 2, 3, 6] } else { &[1, 3] }
}

#[test]
fn a_reader_that_sleeps_through_deaths_is_told_of_the_lines_it_missed() {
    for deaths in slept_through() {
        for blow in [Signal::SIGKILL, Signal::SIGTERM] {
            outrun_between_deaths(LITTLE, false, *deaths, blow, *deaths as u64);
        }
    }
}

#[test]
fn a_sleeping_reader_with_our_line_editor_is_told_of_the_lines_it_missed() {
    for deaths in slept_through() {
        for blow in [Signal::SIGKILL, Signal::SIGTERM] {
            outrun_between_deaths(LITTLE, true, *deaths, blow, *deaths as u64);
        }
    }
}

/// The default bound: 4 MiB behind.
#[test]
fn a_sleeping_reader_under_the_shipped_limits_is_told_of_the_lines_it_missed() {
    for keys in [false, true] {
        outrun_between_deaths("", keys, 2, Signal::SIGKILL, 7);
    }
}

/// At the death some input waits for its turn under the pace, and some was received but not
/// committed. It is said once and in order, and the same holds at the next death.
#[test]
fn lines_held_back_by_the_pace_at_the_moment_of_death_are_said_once() {
    let paced = "
[pace]
lines = 2000
burst_lines = 20
bytes = '1GiB'
burst_bytes = '1GiB'
patience = '1h'
[moderation]
mute_at = 0
ban_at = 0
repeats = 0
[history]
persist = false
";
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let supervisor = Plan::new(paced, seed).env("CHATHUB_TAPE", "400000").start();
        let mut ear = Person::come(&supervisor, "ear");
        let mut speakers: Vec<Person> = (0..3).map(|at| Person::come(&supervisor, &format!("k{at}"))).collect();
        (0..3).for_each(|at| drop(ear.until("a name", |line| line.ends_with(&format!("is now k{at}")))));
        let mut said = [0; 3];
        for _ in 0..12 {
            for _ in 0..dice.between(1, 4) {
                let who = dice.below(3);
                let mut text = String::new();
                for _ in 0..dice.between(1, 150) {
                    let _ = writeln!(text, "{} of k{who}", said[who]);
                    said[who] += 1;
                }
                // In two pieces, so that half a line waits too.
                let at = dice.below(text.len());
                speakers[who].write(&text.as_bytes()[..at]);
                std::thread::sleep(Duration::from_micros(dice.below(3000) as u64));
                speakers[who].write(&text.as_bytes()[at..]);
            }
            if dice.one_in(3) {
                supervisor.replace(Signal::SIGKILL);
                continue;
            }
            // The daemon dies between receiving and committing, or later; and the next one dies
            // soon.
            let spawns = supervisor.spawns();
            let ended = supervisor.endings().len();
            let label = dice.of(&["input.read", "input.written", "input.committed", "input.handled"]);
            supervisor.once("CHATHUB_FAULT", &format!("{label}:{}", dice.between(1, 3)));
            supervisor.signal(Signal::SIGKILL);
            supervisor.ready_after(spawns);
            for (who, said) in said.iter_mut().enumerate() {
                speakers[who].send(&format!("{said} of k{who}"));
                *said += 1;
            }
            supervisor.ended(ended + 2);
            supervisor.ready_after(spawns + 1);
            // It dies before a new snapshot: its decisions of before the death must come out the
            // same when handled again.
            for _ in 0..dice.between(1, 2) {
                std::thread::sleep(Duration::from_micros(dice.below(20_000) as u64));
                supervisor.replace(Signal::SIGKILL);
            }
        }
        let mut heard = [0; 3];
        while heard != said {
            let line = ear.line().unwrap_or_else(|| panic!("seed {seed}: the end, with {heard:?} of {said:?} heard"));
            let (who, text) = line.split_once(": ").unwrap_or_else(|| panic!("seed {seed}: {line:?}"));
            let who: usize = who.strip_prefix('k').and_then(|who| who.parse().ok()).expect(&line);
            assert_eq!(text, format!("{} of k{who}", heard[who]), "seed {seed}: {}", supervisor.deaths());
            heard[who] += 1;
        }
        for person in &mut speakers {
            let lines = person.sync();
            // The hub may say that the person is slowed down, and nothing else.
            let is_strange = |line: &&String| line.starts_with("-- ") && !line.starts_with("-- slow down");
            let strange: Vec<_> = lines.iter().filter(is_strange).collect();
            assert!(strange.is_empty(), "seed {seed}: {strange:#?}");
        }
    }
}

/// Connects from a loopback address that a hundred such connections share. The caller closes the
/// connection.
fn knock(supervisor: &Supervisor, number: u32) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let from = std::net::Ipv4Addr::from_bits(0x7f03_0000 + number / 100);
    socket.set_reuse_address(true).unwrap();
    socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
    socket.connect(&supervisor.addr.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The descriptors that the daemon may open in the tests below; it needs 890 besides those of
/// clients.
const DESCRIPTORS: u32 = 1500;
const CLIENTS: u32 = 610;

/// As many clients as the descriptors suffice for, and as many closed connections in the queue as
/// possible.
#[test]
fn all_connections_survive_where_the_descriptors_just_suffice() {
    let settings = format!("[limits]\nclients = {CLIENTS}\nclients_per_address = {CLIENTS}\n{FAST}");
    let plan = Plan::new(&settings, 1).descriptors(DESCRIPTORS).env("CHATHUB_CLOSED", "100000");
    let supervisor = plan.start();
    assert!(!supervisor.story().contains("descriptors may be open"), "{}", supervisor.story());
    let clients = || supervisor.ask("status", &json!({}))["clients"].as_u64().unwrap();
    // Three times as many clients come and go: their closed connections stay in the queue for a
    // while.
    for round in 0..3 {
        let all: Vec<TcpStream> = (0..CLIENTS - 20).map(|number| knock(&supervisor, 10_000 * round + number)).collect();
        supervisor.until("all are there", || clients() == u64::from(CLIENTS - 20));
        drop(all);
        supervisor.until("all have gone", || clients() == 0);
    }
    let mut people: Vec<Person> = Vec::new();
    for number in 0..CLIENTS - 20 {
        let mut person = Person::on(knock(&supervisor, 50_000 + number), &format!("k{number}"));
        person.greeted();
        people.push(person);
    }
    for _ in 0..3 {
        supervisor.replace(Signal::SIGKILL);
        let status = supervisor.ask("status", &json!({}));
        assert_eq!(status["clients"], CLIENTS - 20, "{status}");
        for person in &mut people {
            person.send("/whois nobody-at-all");
            person.until("an answer", |line| line == "-- nobody called nobody-at-all is connected");
        }
    }
}

/// If the descriptors do not suffice, the daemon says so at its start, with the numbers.
#[test]
fn a_daemon_with_too_few_descriptors_to_survive_says_so_with_the_numbers() {
    let settings = format!("[limits]\nclients = {}\n{FAST}", CLIENTS + 20);
    let supervisor = Plan::new(&settings, 1).descriptors(DESCRIPTORS).start();
    let story = supervisor.story();
    let warning = story.lines().find(|line| line.contains("only 1500 descriptors may be open")).expect(&story);
    assert!(warning.contains(&format!("limits.clients = {}", CLIENTS + 20)), "{warning}");
    let places = warning.split("enough for ").nth(1).and_then(|rest| rest.split(' ').next()).expect(warning);
    let places: u32 = places.parse().unwrap();
    // No more clients are let in than can be taken over.
    let _people: Vec<TcpStream> = (0..places + 10).map(|number| knock(&supervisor, number)).collect();
    let clients = || supervisor.ask("status", &json!({}))["clients"].as_u64().unwrap();
    supervisor.until("so many are there", || clients() >= u64::from(places));
    supervisor.replace(Signal::SIGKILL);
    assert_eq!(clients(), u64::from(places));
}
