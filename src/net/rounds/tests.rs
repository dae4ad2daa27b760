//! The rounds in play: a process dies after any byte, the driver makes rounds itself, clients are
//! given up.

use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::at_once::AtOnce;
use super::jobs::{SHORT, SLICE};
use super::replay::Replaying;
use super::{Exchanges, Next, Rounds, Shared, Work, locked};
use crate::hub::ignore::Borne;
use crate::hub::message::{Farewell, Line, Said};
use crate::machine::{Input, Machine, Order, Outcome};
use crate::net::connection::Connection;
use crate::net::readiness::Readiness;
use crate::settings::Settings;
use crate::values::id::{RoomId, SessionId};
use crate::values::time::{Mono, Now, Wall};
use crate::wire::stream::reader::MAX_PIECES;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A step of a test.
#[derive(Clone, Debug)]
enum Step {
    Connect,
    /// One of the clients sends one of [`LINES`], or its first half.
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

/// A state machine and its rounds. Their sockets take as many bytes as the test says.
struct Process {
    machine: Machine,
    rounds: Rounds,
    at: Now,
    ids: Vec<SessionId>,
}

fn rounds() -> Rounds {
    let settings = Settings::default();
    let (_, cuts) = crate::net::keep::tape::Tape::unkept();
    Rounds::new(Exchanges::default(), (&settings).into(), cuts)
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
        process.rounds.restore(&owed, Vec::new(), (&Settings::default()).into(), |_, _| unreachable!()).expect("sound");
        process
    }

    /// The process that takes over from this one. `taken`: how many bytes each socket has taken in
    /// all.
    fn next(&self, taken: &BTreeMap<SessionId, u64>) -> Self {
        let machine = serde_json::to_vec(&self.machine).expect("plain");
        let mut rounds = rounds();
        let limits = self.machine.hub().settings().into();
        rounds.restore(&self.rounds.saved(), Vec::new(), limits, |id, _| (gone(id), taken[&id])).expect("sound");
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
                self.machine.handle(
                    Input::Connect { id, cookie: id.0, peer, tls: None, proxied: None },
                    self.at,
                    &mut outcomes,
                );
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
                self.rounds.replay_order(order, coming).expect("sound");
            }
        }
    }

    /// Has each socket take the bytes its client is owed, up to `most` bytes in all, and appends
    /// them to `got`.
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

/// A part of `whole`: a number of thousandths that depends on the client.
fn part(whole: u64, seed: u64, id: SessionId) -> u64 {
    let thousandths = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(id.0 * 7919) >> 20) % 1200;
    (whole * thousandths.min(1000)).div_ceil(1000)
}

/// Plays `steps` once without a death, and once in a process that dies after `kill` steps; its last
/// snapshot is from after `snapshot` steps. All clients must get the same bytes.
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
    assert_eq!(second.rounds.finish_replay(), Ok(vec![]), "what each socket took is known");
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
fn little_work_is_done_at_once_and_much_in_parts_always_in_order() {
    let exchanges = Exchanges::default();
    let (to_rounds, reports) = (exchanges.work.clone(), exchanges.reports.clone());
    let (_, cuts) = crate::net::keep::tape::Tape::unkept();
    let limits = (&Settings::default()).into();
    let rounds = Rounds::new(exchanges, limits, cuts);
    let shared: Shared = Arc::new(Mutex::new(rounds));
    let room = RoomId(1);
    let join = |number| {
        let id = SessionId(number);
        let orders = [Order::Attach(id), Order::Enter(id, room), Order::Tell(id, b"hi"[..].into())];
        std::iter::once(Work::Connection(gone(id))).chain(orders.map(Work::Order)).collect::<Vec<_>>()
    };
    let done = |mut work: Vec<Work>| {
        let (count, taken_up) = (work.len(), Rounds::begin_at_once(&shared, &mut work, false));
        let done = taken_up == AtOnce::Done;
        assert!(done || taken_up == AtOnce::ByThread, "who has more to do begins nothing: {taken_up:?}");
        assert_eq!(work.len(), if done { 0 } else { count }, "all of it, or nothing");
        done
    };
    let people = || locked(&shared).clients.len();
    assert!(done(vec![Work::Order(Order::Open(room))]) && done(join(1)));
    assert_eq!((people(), reports.len()), (1, 1), "it was written to, and found to be gone");

    // Another write waits for its turn.
    to_rounds.push(Work::Order(Order::Close(SessionId(1))));
    assert!(!done(join(2)));
    let _ = locked(&shared).step(&mut Vec::new());
    assert_eq!((people(), to_rounds.len()), (0, 0));
    assert!(done(join(2)));

    // Another thread holds the lock.
    let held = locked(&shared);
    assert_eq!(Rounds::begin_at_once(&shared, &mut join(3), true), AtOnce::ByThread);
    assert_eq!(Rounds::continue_at_once(&shared), AtOnce::ByThread);
    drop(held);

    // Work that needs an answer is for the rounds' thread.
    let (drain, _drained) = oneshot::channel();
    assert!(!done(vec![Work::Drain(drain)]));

    // A line to the largest number of clients that are served in one go, and to one client more.
    let line = || {
        let said = crate::hub::message::Said::Joined { nick: "ann".into() };
        let line = Line { seq: 1, at: Wall(0), author: None, said, borne: Borne::default(), apart: None, origin: None };
        vec![Work::Order(Order::Post(room, Arc::new(line)))]
    };
    let most = u64::try_from(SHORT).expect("small");
    assert!(done((3..=most + 1).flat_map(join).collect()), "many join at once, one write each");
    assert_eq!(people(), SHORT);
    assert!(done(line()) && done(join(most + 2)));
    assert!(!done(line()), "one too many");

    // A caller with nothing else to do begins the round, and continues it slice by slice.
    let at = || locked(&shared).rooms.get(&room).map(|room| room.at);
    let mut work = line();
    assert_eq!(Rounds::begin_at_once(&shared, &mut work, true), AtOnce::Begun);
    assert_eq!((work.len(), at()), (0, Some(SLICE)), "it was taken up");
    assert_eq!(Rounds::begin_at_once(&shared, &mut line(), true), AtOnce::ByThread, "one thing after the other");
    for slices in 2..=most.div_ceil(SLICE as u64) {
        assert_eq!(Rounds::continue_at_once(&shared), AtOnce::Begun);
        assert_eq!(at(), usize::try_from(slices).ok().map(|slices| slices * SLICE));
    }
    assert_eq!(Rounds::continue_at_once(&shared), AtOnce::Done, "the one too many");
    // Here the rest is left to the rounds' thread.
    assert_eq!(Rounds::begin_at_once(&shared, &mut line(), true), AtOnce::Begun);
    assert!(matches!(locked(&shared).step(&mut Vec::new()), Next::More));
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
        rounds.apply(Work::Connection(connection.clone()));
        // 16 MiB: the kernel of the peer decides how much a socket takes before it is full.
        rounds.limits.mailbox = 64 << 20;
        for order in [Order::Attach(id), Order::Tell(id, vec![b'x'; 16 << 20].into())] {
            rounds.apply(Work::Order(order));
        }
        rounds.settle();
        assert!(rounds.clients.iter().all(|(_, client)| client.full.is_some()), "its socket is full");
        // Until now the client had the long give-up time of clients that stay; a client being
        // closed has a shorter one.
        let begun = Instant::now();
        rounds.apply(Work::Order(Order::Close(id)));
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

/// A lasting room is opened again under the same number while a client that left it is still being
/// written to.
#[test]
fn a_room_that_is_opened_again_keeps_its_log_for_who_is_being_closed() {
    let (room, line) = (RoomId(7), |seq| {
        let said = Said::Say { nick: "ann".into(), text: format!("line {seq}").into() };
        Arc::new(Line { seq, at: Wall(1), author: None, said, borne: Borne::default(), apart: None, origin: None })
    });
    let connections = [1, 2].map(|id| Arc::new(Connection::played(SessionId(id), Vec::new())));
    let [leaving, coming] = &connections;
    let taken = |connection: &Connection, room: usize| {
        let mut played = connection.played.as_ref().expect("it is played").lock().expect("one thread");
        played.room += room;
        String::from_utf8(played.taken.clone()).expect("text")
    };
    taken(coming, 1 << 20);
    let mut rounds = rounds();
    for connection in &connections {
        rounds.apply(Work::Connection(connection.clone()));
        rounds.apply(Work::Order(Order::Attach(connection.id)));
    }
    let orders = |orders: Vec<Order>, rounds: &mut Rounds| {
        orders.into_iter().for_each(|order| rounds.apply(Work::Order(order)));
        rounds.settle();
    };
    orders(vec![Order::Open(room), Order::Enter(leaving.id, room), Order::Post(room, line(1))], &mut rounds);
    // The client's socket is full. When it leaves, it is still owed the line and the goodbye; then
    // the room is closed and opened again.
    let goodbye = Order::Tell(leaving.id, b"goodbye\r\n".as_slice().into());
    orders(vec![goodbye, Order::Close(leaving.id), Order::Shut(room), Order::Open(room)], &mut rounds);
    orders(vec![Order::Enter(coming.id, room), Order::Post(room, line(2))], &mut rounds);
    assert_eq!(taken(coming, 0), "ann: line 2\r\n");
    taken(leaving, 1 << 20);
    rounds.writable(leaving.id);
    rounds.settle();
    rounds.let_catch_up();
    assert_eq!(taken(leaving, 0), "ann: line 1\r\ngoodbye\r\n", "nothing of the room that it is not in");
    orders(vec![Order::Close(coming.id), Order::Shut(room)], &mut rounds);
    assert!(!rounds.rooms.contains_key(&room) && rounds.clients.is_empty(), "nothing is left");
}

proptest! {
    #[test]
    fn every_client_gets_every_byte_once_whenever_the_daemon_dies(
        steps in steps(), snapshot in 0_usize..60, kill in 0_usize..60, seeds in any::<(u64, u64)>(),
    ) {
        let kill = kill.min(steps.len() - 1);
        let snapshot = snapshot.min(kill);
        check(&steps, snapshot, kill, seeds.0, |len, id| part(len, seeds.1, id));
    }
}

#[test]
fn a_death_at_any_byte_of_a_conversation_loses_no_byte() {
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
