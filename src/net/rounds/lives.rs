//! Processes die one after another. Their readers take nothing, miss lines, ignore people, change
//! how lines are shown to them, and type. After each death every client must be owed the same bytes
//! as before it.

use std::io::IoSlice;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use super::replay::Frozen;
use super::{Exchanges, Report, Rounds, Work};
use crate::hub;
use crate::machine::{self, Input, Limits, Machine, Order, Outcome, Proxied, Tls};
use crate::net::connection::Connection;
use crate::net::connection::Played;
use crate::net::exchange::ReadyForMore;
use crate::net::keep::recovery::{Replayed, keep_secrets, replay};
use crate::net::keep::tape::Cuts;
use crate::net::keep::tape::{Blank, Mark, Sealed, Tape};
use crate::settings::Settings;
use crate::values::id::{RoomId, SessionId};
use crate::values::time::{Mono, Now, Wall};
use crate::wire::stream::log::Log;
use crate::wire::stream::reader::MAX_PIECES;
use crate::wire::tls::handover::Handover;
use crate::wire::tls::open::{Brought, End, Opener};
use crate::wire::tls::seal::Sealer;
use crate::wire::tls::suite::{Secret, Suite};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

/// The length of a proxy's header, in bytes.
const HEADER: u16 = 52;

/// A step of a test.
#[derive(Clone, Debug)]
enum Step {
    Connect,
    /// A connection that is encrypted with one of the suites is handed over.
    Handed(usize),
    /// One of the clients, if it is encrypted, updates its keys; if `true`, it asks the hub to do
    /// so as well.
    Update(usize, bool),
    /// One of the clients sends one of [`LINES`], or its first half.
    Send(usize, usize, bool),
    /// Two of the clients say several lines each: so many bytes that a reader who takes nothing
    /// misses lines.
    Talk(usize, u8),
    /// Time passes, in microseconds.
    Pass(u64),
    /// The socket of one client takes this many bytes more.
    Take(usize, usize),
    /// All sockets take this many bytes more.
    TakeAll(usize),
    /// The rounds make this many writes.
    Rounds(usize),
    Snapshot,
    /// Begins a snapshot; or, if one is begun, writes it and makes it count.
    Freeze,
    /// The process dies, and another one takes over.
    Die,
}

/// The answers of a terminal that has the hub echo its keys.
const TERMINAL: &[u8] =
    b"\r\n\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\xff\xfa\x18\0XTERM\xff\xf0\xff\xfd\x01\xff\xfd\x03";

const LINES: &[&[u8]] = &[
    b"hello, everybody, how are you today?\r\n",
    b"/me waves\n",
    b"/nick ann\n",
    b"/nick bob\n",
    b"/join tea\n",
    b"/join lobby\n",
    b"/who\n",
    b"/time on\n",
    b"/time off\n",
    b"/quiet\n",
    b"/ignore ann\n",
    b"/unignore ann\n",
    b"/ignore bob\n",
    b"/msg ann psst, this is for you alone\n",
    b"/help\n",
    b"/color on\n",
    b"/color off\n",
    b"/hold on\n",
    b"/hold off\n",
    b"/mode line\n",
    b"/mode char\n",
    b"/quit bye\n",
    TERMINAL,
    b"abc\x08\x1b[D\x01x",
    b"gr\xc3\xbc\xc3\x9fe \xf0\x9f\x98\x80\r",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Connect),
        2 => (0_usize..3).prop_map(Step::Handed),
        2 => (0_usize..6, any::<bool>()).prop_map(|(who, asks)| Step::Update(who, asks)),
        12 => (0_usize..6, 0..LINES.len(), prop::bool::weighted(0.8)).prop_map(|(who, line, whole)| Step::Send(who, line, whole)),
        10 => (0_usize..6, 1_u8..12).prop_map(|(who, times)| Step::Talk(who, times)),
        2 => (0_u64..5_000_000).prop_map(Step::Pass),
        6 => (0_usize..6, 0_usize..400).prop_map(|(who, bytes)| Step::Take(who, bytes)),
        2 => (0_usize..3000).prop_map(Step::TakeAll),
        8 => (1_usize..20).prop_map(Step::Rounds),
        1 => Just(Step::Snapshot),
        4 => Just(Step::Freeze),
        6 => Just(Step::Die),
    ];
    proptest::collection::vec(step, 1..120)
}

/// Small bounds, so that lines are missed and mailboxes are full soon.
fn limits() -> Limits {
    Limits { behind: 3000, behind_all: 12_000, mailbox: 6000, mailboxes: 20_000, ..(&Settings::default()).into() }
}

fn rounds(cuts: Cuts) -> Rounds {
    Rounds::new(Exchanges::default(), limits(), cuts)
}

/// The client's end of an encrypted connection.
struct Peer {
    sealer: Sealer,
    opener: Opener,
    /// How many of the bytes that the socket has taken are opened.
    opened: usize,
    /// The plain text of these bytes.
    content: Vec<u8>,
    /// Whether an alert has announced the end.
    closed: bool,
}

/// The bytes that the handshake of a test has read from the socket, and written to it.
const HANDSHAKE: (u64, usize) = (321, 1234);

impl Peer {
    fn secret(suite: Suite, id: SessionId, direction: u8) -> Secret {
        let bytes = id.0.to_le_bytes().into_iter().chain([direction]).cycle();
        Secret::new(&bytes.take(suite.secret_len()).collect::<Vec<_>>()).expect("it fits")
    }

    fn new(suite: Suite, id: SessionId) -> Self {
        let mut opener = Opener::new(suite);
        opener.unlock(Self::secret(suite, id, 2));
        let sealer = Sealer::new(suite, Self::secret(suite, id, 1), 0);
        Self { sealer, opener, opened: HANDSHAKE.1, content: Vec::new(), closed: false }
    }

    fn handover(suite: Suite, id: SessionId) -> Handover {
        let (client, server) = (Self::secret(suite, id, 1), Self::secret(suite, id, 2));
        let (read, written) = (HANDSHAKE.0, HANDSHAKE.1 as u64);
        Handover { suite, group: 29, cookie: id.0, read, written, client, server, fingerprint: None }
    }

    /// Opens the bytes that the socket has taken since the last call.
    fn look(&mut self, taken: &[u8]) {
        let Brought { update_requested, end } = self.opener.push(&taken[self.opened..], &mut self.content);
        self.opened = taken.len();
        assert!(!update_requested && matches!(end, None | Some(End::Closed)), "{end:?}");
        assert!(!self.closed || end.is_none(), "nothing comes behind the end");
        self.closed |= end.is_some();
    }
}

struct Process {
    machine: Machine,
    rounds: Rounds,
    tape: Tape,
    at: Now,
    ids: Vec<SessionId>,
    /// The clients' connections, with the bytes that each socket has taken.
    connections: BTreeMap<SessionId, Arc<Connection>>,
    peers: BTreeMap<SessionId, Peer>,
    /// For each client behind a proxy: how many bytes of the proxy's header are still to come.
    headers: BTreeMap<SessionId, usize>,
    out: Vec<Outcome>,
    begun: Option<(Blank, machine::Frozen, Frozen)>,
    /// The number of lines missed, by all clients together.
    missed: u64,
}

fn played(connection: &Connection) -> MutexGuard<'_, Played> {
    connection.played.as_ref().expect("it is played").lock().expect("one thread")
}

impl Process {
    fn start() -> Self {
        let at = Now { mono: Mono(1_000_000), wall: Wall(1_700_000_000_000) };
        let (mut tape, cuts) = Tape::new().expect("a memory file");
        let mut out = Vec::new();
        let machine = Machine::new(Settings::default(), [7; 16], at, &mut out);
        let mut rounds = rounds(cuts);
        let owed = rounds.begin(std::mem::take(&mut out));
        rounds.limits = limits();
        tape.snapshot(&serde_json::to_vec(&machine).expect("plain"), &owed, crate::net::keep::program::epoch());
        Self {
            machine,
            rounds,
            tape,
            at,
            ids: Vec::new(),
            connections: BTreeMap::new(),
            peers: BTreeMap::new(),
            headers: BTreeMap::new(),
            out,
            begun: None,
            missed: 0,
        }
    }

    /// Applies the outcomes, as the driver does.
    fn apply_outcomes(&mut self) {
        for outcome in std::mem::take(&mut self.out) {
            if let Outcome::Order(order) = outcome {
                if let Order::Attach(id) = &order {
                    self.rounds.apply(Work::Connection(self.connections[id].clone()));
                }
                self.rounds.apply(Work::Order(order));
            }
        }
        let mut reports = Vec::new();
        self.rounds.exchanges.reports.take(&mut reports, ReadyForMore::Yes);
        for report in reports {
            match report {
                Report::Gone(id, why) => self.input(hub::News::Gone { session: id, why }),
                Report::Crowded(id, on) => self.input(hub::News::Crowded { session: id, on }),
                Report::Finished(id) => {
                    if let Some(slot) = &self.connections[&id].slot {
                        self.tape.slots().close(slot);
                    }
                }
            }
        }
    }

    fn input(&mut self, input: impl Into<Input>) {
        let input = input.into();
        self.tape.append(self.at, &serde_json::to_vec(&input).expect("plain"));
        self.machine.handle(input, self.at, &mut self.out);
        self.apply_outcomes();
    }

    fn send(&mut self, id: SessionId, bytes: &[u8]) {
        if !self.machine.listens_to(id) {
            return;
        }
        match self.peers.get_mut(&id) {
            // The rest of a proxy's header comes first. Half of it may come in one process, and the
            // other half in the next one, together with a line.
            None => match self.headers.remove(&id) {
                Some(left) if left > 1 => {
                    self.headers.insert(id, left / 2);
                    self.receive(id, &vec![b'H'; left - left / 2]);
                }
                Some(left) => self.receive(id, &[&vec![b'H'; left], bytes].concat()),
                None => self.receive(id, bytes),
            },
            Some(peer) => {
                let mut records = Vec::new();
                peer.sealer.data([bytes], &mut records);
                // The first half of the last record may come in one process, and the second half in
                // the next one.
                let (one, two) = records.split_at(records.len() / 2);
                self.receive(id, one);
                let dies = self.at.mono.0.is_multiple_of(2);
                if dies {
                    self.die();
                }
                self.receive(id, two);
            }
        }
    }

    fn receive(&mut self, id: SessionId, bytes: &[u8]) {
        let receive = |place: &mut [u8]| {
            place[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        };
        self.tape.receive(id, self.at, receive).expect("it reads");
        self.machine.bytes(id, bytes, self.at, &mut self.out);
        self.apply_outcomes();
    }

    fn take(&mut self, id: SessionId, bytes: usize) {
        if let Some(connection) = self.connections.get(&id) {
            played(connection).room += bytes;
            self.rounds.writable(id);
        }
    }

    /// All clients open the bytes that their sockets have taken.
    fn look(&mut self) {
        for (id, peer) in &mut self.peers {
            peer.look(&played(&self.connections[id]).taken);
        }
    }

    fn keep_secrets(&self) {
        keep_secrets(self.tape.slots(), &self.machine, |id| self.connections.get(&id));
    }

    fn die(&mut self) {
        let blank = Self::start();
        *self = std::mem::replace(self, blank).next();
    }

    fn who(&self, who: usize) -> Option<SessionId> {
        (!self.ids.is_empty()).then(|| self.ids[who % self.ids.len()])
    }

    fn freeze(&mut self) {
        if let Some((blank, machine, owed)) = self.begun.take() {
            let written = blank.write(&machine, &owed).expect("there is room");
            if let Some(old) = self.tape.make_current(written, crate::net::keep::program::epoch()) {
                self.tape.return_half(old.cleared());
            }
        } else if let Some(blank) = self.tape.begin() {
            self.rounds.cuts.begin(self.rounds.orders, 0);
            self.keep_secrets();
            let frozen = self.machine.frozen();
            let (now, then) = (serde_json::to_string(&self.machine), serde_json::to_string(&frozen));
            assert_eq!(now.expect("plain"), then.expect("plain"), "all of it is frozen");
            self.begun = Some((blank, frozen, self.rounds.frozen()));
        }
    }

    fn snapshot(&mut self) {
        if self.begun.is_some() {
            return;
        }
        let machine = serde_json::to_vec(&self.machine).expect("plain");
        let owed = self.rounds.saved();
        self.keep_secrets();
        self.rounds.cuts.begin(self.rounds.orders, 0);
        self.tape.snapshot(&machine, &owed, crate::net::keep::program::epoch());
    }

    fn step(mut self, step: &Step) -> Self {
        self.at.mono = self.at.mono.after(Duration::from_millis(3));
        match step {
            Step::Connect => {
                let id = self.machine.next_id();
                self.ids.push(id);
                self.connections.insert(id, Arc::new(Connection::played(id, Vec::new())));
                let peer = ([127, 0, 0, 1], u16::try_from(id.0).expect("few") + 1000).into();
                // Every third client comes through a proxy.
                let proxied = id.0.is_multiple_of(3).then(|| {
                    self.headers.insert(id, HEADER.into());
                    Box::new(Proxied { proxy: peer, header: HEADER, encryption: None })
                });
                self.input(Input::Connect { id, cookie: id.0, peer, tls: None, proxied });
            }
            Step::Handed(suite) => {
                let (id, suite) = (self.machine.next_id(), Suite::ALL[*suite]);
                self.ids.push(id);
                let slot = self.tape.slots().take(&Peer::handover(suite, id)).expect("there is room");
                let connection = Connection::played(id, vec![0; HANDSHAKE.1]).sealed(Some(slot.clone()));
                self.connections.insert(id, Arc::new(connection));
                self.peers.insert(id, Peer::new(suite, id));
                let peer = ([127, 0, 0, 1], u16::try_from(id.0).expect("few") + 1000).into();
                let tls = Some(Tls { suite, group: 29, fingerprint: None, read: HANDSHAKE.0 });
                self.input(Input::Connect { id, cookie: id.0, peer, tls, proxied: None });
                self.machine.unlock(id, |updates| slot.unlock(updates));
            }
            Step::Update(who, asks) => {
                if let Some(id) = self.who(*who)
                    && self.machine.listens_to(id)
                    && let Some(peer) = self.peers.get_mut(&id)
                {
                    let mut records = Vec::new();
                    peer.sealer.update(*asks, &mut records);
                    self.receive(id, &records);
                }
            }
            Step::Send(who, line, whole) => {
                if let Some(id) = self.who(*who) {
                    let line = LINES[*line];
                    self.send(id, if *whole { line } else { &line[..line.len() / 2] });
                }
            }
            Step::Talk(who, times) => {
                for time in 0..*times {
                    if let Some(id) = self.who(who + usize::from(time % 2)) {
                        self.send(id, format!("number {time} of what {} says\n", id.0).as_bytes());
                    }
                }
            }
            Step::Pass(micros) => {
                self.at.mono = self.at.mono.after(Duration::from_micros(*micros));
                self.input(Input::Tick);
            }
            Step::Take(who, bytes) => {
                if let Some(id) = self.who(*who) {
                    self.take(id, *bytes);
                }
            }
            Step::TakeAll(bytes) => self.ids.clone().into_iter().for_each(|id| self.take(id, *bytes)),
            Step::Rounds(visits) => {
                self.rounds.make_rounds(&mut visits.clone());
                self.rounds.let_catch_up();
                self.apply_outcomes();
            }
            Step::Snapshot => self.snapshot(),
            Step::Freeze => self.freeze(),
            Step::Die => return self.next(),
        }
        self.look();
        self
    }

    /// The bytes that each client would get if its socket took everything from now on.
    fn owed(&self) -> BTreeMap<SessionId, String> {
        let clients = self.rounds.clients.iter().filter(|(_, client)| !client.given_up);
        let drained = clients.map(|(_, client)| {
            let log = client.room.and_then(|room| self.rooms(room));
            let mut reader = client.reader.clone();
            let mut owed = Vec::new();
            loop {
                if reader.needs_frame(log) {
                    reader.frame(log);
                }
                let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
                let (count, bytes) = reader.gather(log, &mut pieces);
                if count == 0 {
                    break;
                }
                owed.extend(pieces[..count].iter().flat_map(|piece| piece.to_vec()));
                reader.advance(log, bytes);
            }
            (client.connection.id, String::from_utf8_lossy(&owed).into_owned())
        });
        drained.collect()
    }

    /// For each encrypted client: the sealed bytes that its socket has not taken.
    fn waiting(&self) -> BTreeMap<SessionId, Vec<u8>> {
        let clients = self.rounds.clients.iter().map(|(_, client)| client).filter(|client| !client.given_up);
        let sealed = clients.filter_map(|client| Some((client.connection.id, client.sealing.as_ref()?)));
        sealed.map(|(id, sealing)| (id, sealing.waiting_bytes().to_vec())).collect()
    }

    fn rooms(&self, room: RoomId) -> Option<&Log> {
        self.rounds.rooms.get(&room).map(|room| &room.log)
    }

    /// The process dies, and another one takes over. No client may be lost.
    fn next(self) -> Self {
        let (next, lost) = self.next_and_lost();
        assert_eq!(lost, [], "what everybody was sent is known");
        next
    }

    /// As [`Self::next`]. Also returns the clients that are lost, because it is not known what they
    /// have been sent.
    fn next_and_lost(self) -> (Self, Vec<SessionId>) {
        let owed = self.owed();
        let machine = serde_json::to_string(&self.machine).expect("plain");
        let file: OwnedFd = self.tape.file().expect("kept").try_clone_to_owned().expect("a descriptor");
        let (at, ids, former) = (self.at, self.ids.clone(), self.connections.clone());
        let missed = self.missed + self.rounds.exchanges.counts.missed.load(Ordering::Relaxed);
        let (waiting, peers, headers) = (self.waiting(), self.peers, self.headers);
        drop((self.machine, self.rounds, self.tape));

        let (mut tape, cuts) = Tape::open(file).expect("sound").expect("something to take over");
        let made = cuts.all().expect("sound");
        let mut rounds = rounds(cuts);
        let mut connections = BTreeMap::new();
        let slots = tape.slots().found();
        let connection = |id: SessionId, cookie: u64| {
            if cookie == 0 {
                // The connection has ended, and its slot is wiped.
                return (Arc::new(Connection::new(id, 0, None)), u64::MAX);
            }
            assert_eq!(cookie, id.0);
            let played = played(&former[&id]);
            let taken = played.taken.len() as u64;
            // A full socket stays full: the new process's connection takes nothing until a later
            // step.
            let connection = Connection::played(id, played.taken.clone()).sealed(slots.get(&cookie).cloned());
            let connection = Arc::new(connection);
            connections.insert(id, connection.clone());
            (connection, taken)
        };
        // In the middle of the replay, snapshots of the state so far are made.
        let mut steps = 0;
        let pauses = |_| {
            steps += 1;
            steps % 7 == 0
        };
        let replayed = replay(&mut tape, made, &mut rounds, connection, pauses);
        for slot in slots.values().filter(|slot| slot.is_closed()) {
            tape.slots().release(slot);
        }
        let Replayed { machine: again, lost, .. } = replayed.expect("it can be taken over");
        assert_eq!(serde_json::to_string(&again).expect("plain"), machine, "the same is decided again");
        rounds.limits = limits();
        for (id, connection) in former {
            connections.entry(id).or_insert(connection);
        }
        let next = Self {
            machine: again,
            rounds,
            tape,
            at,
            ids,
            connections,
            peers,
            headers,
            out: Vec::new(),
            begun: None,
            missed,
        };
        let mut next = next;
        let crowded: Vec<_> = next.machine.hub().sessions().filter(|one| one.crowded).map(|one| one.id).collect();
        crowded.into_iter().for_each(|id| next.rounds.apply(Work::Crowded(id)));
        let (now, again) = (next.waiting(), next.owed());
        for (id, owed) in owed.iter().filter(|(id, _)| !lost.contains(id)) {
            assert_eq!(now.get(id), waiting.get(id), "the same records are made again for {id}");
            assert_eq!(again.get(id), Some(owed), "{id} is owed the same");
        }
        (next, lost)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn every_client_is_owed_the_same_however_often_the_process_dies(steps in steps()) {
        let mut process = Process::start();
        for step in &steps {
            process = process.step(step);
        }
        let mut process = process.next();
        process.ids.clone().into_iter().for_each(|id| process.take(id, 10_000_000));
        process.rounds.settle();
        process.look();
    }
}

/// A reader takes nothing and misses lines; the process dies; the reader misses more; the process
/// dies again; and so on. Then the reader takes everything. In line mode and in char mode.
#[test]
fn no_line_is_torn_for_readers_who_miss_lines_between_deaths() {
    for first in [&b"hi\n"[..], TERMINAL] {
        for step in 0..60 {
            let mut process = Process::start();
            for step in [Step::Connect, Step::Connect, Step::Connect, Step::TakeAll(100_000), Step::Rounds(50)] {
                process = process.step(&step);
            }
            process.send(process.ids[2], first);
            process.rounds.make_rounds(&mut 50);
            let slow = process.ids[2];
            played(&process.connections[&slow]).room = step * 7;
            for _ in 0..5 {
                for _ in 0..3 {
                    process = process.step(&Step::Talk(0, 11)).step(&Step::Rounds(50)).step(&Step::Pass(2_000_000));
                }
                process = process.step(&Step::Die).step(&Step::Rounds(50));
                process.take(slow, step);
                process = process.step(&Step::Rounds(50)).step(&Step::Die);
            }
            assert!(process.missed > 0, "lines were missed");
            process.take(slow, 1_000_000);
            process.rounds.settle();
            let got = String::from_utf8_lossy(&played(&process.connections[&slow]).taken).into_owned();
            assert!(got.contains("you missed "), "{got}");
            if first != TERMINAL {
                for line in got.split_inclusive("\r\n").skip(6) {
                    let whole = line.contains(": number ") && line.ends_with(" says\r\n");
                    assert!(whole || line.starts_with("-- "), "{line:?} in\n{got}");
                }
            }
        }
    }
}

/// If any part of a client's last mark is changed, that client is sent nothing more; no other
/// client is affected.
#[test]
fn a_record_that_would_be_sealed_differently_than_before_is_not_sent() {
    let secret = Peer::secret(Suite::Aes256, SessionId(9), 9);
    type Change<'a> = (&'static str, &'a dyn Fn(&mut Mark));
    let changes: [Change<'_>; 8] = [
        ("nothing", &|_| ()),
        ("tag", &|mark| mark.tag[15] ^= 1),
        ("secret", &|mark| mark.secret = secret.clone()),
        ("number of the record", &|mark| mark.sequence += 1),
        ("what was sent before", &|mark| mark.plain -= 1),
        ("place in the stream", &|mark| mark.at -= 1),
        ("length", &|mark| mark.sealed = Sealed::Data(mark.plain_end() - mark.plain - 1)),
        ("kind", &|mark| mark.sealed = Sealed::Update),
    ];
    for (what, change) in changes {
        let mut process = Process::start();
        for step in [Step::Handed(1), Step::Handed(0), Step::TakeAll(100_000), Step::Rounds(50)] {
            process = process.step(&step);
        }
        let (one, other) = (process.ids[0], process.ids[1]);
        // Less room than the next line needs: the rest of the record waits.
        for id in [one, other] {
            played(&process.connections[&id]).room = 30;
        }
        process = process.step(&Step::Talk(0, 3)).step(&Step::Rounds(50));
        assert!(process.waiting().values().all(|rest| !rest.is_empty()), "the rest of a record waits");
        let slot = process.connections[&one].slot.clone().expect("encrypted");
        let mut mark = slot.last_mark().expect("something was sealed");
        change(&mut mark);
        slot.mark(&mark);
        let (mut next, lost) = process.next_and_lost();
        assert_eq!(lost, if what == "nothing" { vec![] } else { vec![one] }, "{what}");
        let before = played(&next.connections[&one]).taken.len();
        for id in [one, other] {
            next.take(id, 100_000);
        }
        next.rounds.settle();
        if what == "nothing" {
            next.look();
        } else {
            assert_eq!(played(&next.connections[&one]).taken.len(), before, "{what}: not a byte is sent");
            let taken = played(&next.connections[&other]).taken.clone();
            next.peers.get_mut(&other).expect("encrypted").look(&taken);
        }
    }
}
