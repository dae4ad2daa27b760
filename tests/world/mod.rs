//! A daemon in memory: the real state machine, with buffers for sockets, a map for the disk, and a
//! clock that tests move by hand.
//!
//! The decisions, and the lines that each client hears, are those of the real [`Machine`]. The
//! [`World`] plays the part of `net` around it: it reads from clients in turns, each as long as the
//! machine wants its input; applies the machine's orders to real [`Log`]s and [`Reader`]s; and
//! brings the answers of the disk and of the threads that hash passwords. A socket of this world is
//! full only if a test says so, and no client is given up for that: `net::rounds` has its own tests
//! for slow clients.
//!
//! A [`Client`]'s `out` holds, byte for byte, the output that a real client would get from its
//! socket.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]
#![allow(unreachable_pub, reason = "`pub` says what the tests may use")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chathub::hub::account::{Account, Hashed};
use chathub::hub::archive::{Found, Reach, Recalled, RecalledRoom, Record, Search};
use chathub::hub::ignore::Borne;
use chathub::hub::lasting::Lasting;
use chathub::hub::login::{Against, Answer, Job};
use chathub::hub::memo::Memo;
use chathub::hub::message::{Farewell, Line, Said};
use chathub::hub::peering::{Incoming, Outgoing};
use chathub::hub::report::Report;
use chathub::hub::sanction::Sanction;
use chathub::hub::{self, By, Hub};
use chathub::machine::{Input, Machine, Order, Outcome, Proxied, Tls};
use chathub::settings::Settings;
use chathub::values::id::AccountId;
use chathub::values::id::{MemoId, ReportId, SanctionId};
use chathub::values::id::{RoomId, SessionId};
use chathub::values::name::{self, Name};
use chathub::values::time::{Mono, Now, Wall};
use chathub::wire::admin::Command;
use chathub::wire::admin::execute;
use chathub::wire::admin::message::ControlError;
use chathub::wire::stream::log::Log;
use chathub::wire::stream::reader::{MAX_PIECES, Reader};
use chathub::wire::tls::seal::Sealer;
use chathub::wire::tls::suite::{Secret, Suite};

/// 2026-11-22 10:01:02 UTC, when every world begins.
pub const BEGIN: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_795_341_662_000) };

/// The key from which the names of guests are computed.
pub const KEY: [u8; 16] = *b"no secret at all";

/// The sender of an administrator's commands.
pub const ADMIN: By = By::Admin { uid: 0, pid: 1 };

/// The most bytes read from a socket at a time.
const CHUNK: usize = 8 * 1024;

/// One connection, seen from its far end.
pub struct Client {
    reader: Reader,
    room: Option<RoomId>,
    /// Bytes that the client has sent and the world has not read yet.
    sent: VecDeque<u8>,
    /// How the client's side ended, if it did; it counts after the bytes in `sent`.
    ended: Option<Farewell>,
    /// All bytes that were written to the client's socket.
    pub out: Vec<u8>,
    /// Whether the hub has closed the client's connection.
    pub closed: bool,
}

/// The cipher suite of encrypted clients, and the secret of both directions.
const ENCRYPTED: (Suite, [u8; 32]) = (Suite::Aes128, [7; 32]);

fn secret() -> Secret {
    Secret::new(&ENCRYPTED.1).expect("it is as long as one")
}

/// A room's log, and whether the hub has closed the room to newcomers.
#[derive(Default)]
struct Room {
    log: Log,
    shut: bool,
}

/// Something that reached the machine.
#[derive(Clone, Debug)]
pub enum Step {
    Input(Input),
    /// Bytes from a client; none if the machine is to go on with bytes it has already.
    Bytes(SessionId, Vec<u8>),
}

impl Step {
    /// Has `machine` handle the step, as it would handle it from the tape.
    pub fn play(&self, machine: &mut Machine, at: Now) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        match self {
            Self::Input(input) => machine.handle(input.clone(), at, &mut outcomes),
            Self::Bytes(session, bytes) => machine.bytes(*session, bytes, at, &mut outcomes),
        }
        outcomes
    }
}

/// A step, the time at which it was taken, and its outcomes.
#[derive(Clone, Debug)]
pub struct Taken {
    pub step: Step,
    pub at: Now,
    pub outcomes: Vec<Outcome>,
}

/// A disk that is never full. It holds what a store would have written.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// By the line's number: the room, the room's name, the line.
    pub lines: BTreeMap<u64, (RoomId, Name, Line)>,
    pub closed: Vec<(RoomId, Name)>,
    /// The last line that was said in a room while it was encrypted.
    pub encrypted: BTreeMap<(RoomId, Name), u64>,
    /// The highest number given to a client.
    pub given: u64,
    /// The highest numbers of a sanction, an account, a report and a memo.
    pub last: [u64; 4],
    pub sanctions: BTreeMap<SanctionId, Sanction>,
    pub accounts: BTreeMap<AccountId, Account>,
    pub reports: BTreeMap<ReportId, Report>,
    pub memos: BTreeMap<MemoId, Memo>,
    pub lasting: BTreeMap<Name, Lasting>,
    /// The number of the last record written.
    pub through: Option<u64>,
}

impl Disk {
    pub fn write(&mut self, number: u64, record: &Record) {
        let gave = match record {
            Record::Sanction(sanction) => Some((0, sanction.id.0)),
            Record::Account(account) => Some((1, account.id.0)),
            Record::Report(report) => Some((2, report.id.0)),
            Record::Memo(memo) => Some((3, memo.id.0)),
            _ => None,
        };
        if let Some((kind, number)) = gave {
            self.last[kind] = self.last[kind].max(number);
        }
        match record {
            Record::Line { room, name, line, encrypted } => {
                if *encrypted {
                    let last = self.encrypted.entry((*room, name.clone())).or_default();
                    *last = line.seq.max(*last);
                }
                // Writing it a second time changes nothing. Whom its author is ignored by is not written, nor which
                // entry of another hub it was.
                let line = Line { borne: Borne::default(), apart: None, origin: None, ..(**line).clone() };
                self.lines.entry(line.seq).or_insert_with(|| (*room, name.clone(), line));
            }
            Record::Given(id) => self.given = self.given.max(id.0),
            Record::Closed { room, name } => self.closed.push((*room, name.clone())),
            Record::Sanction(ban) => drop(self.sanctions.insert(ban.id, (**ban).clone())),
            Record::Lifted(id) => drop(self.sanctions.remove(id)),
            Record::Account(account) => drop(self.accounts.insert(account.id, (**account).clone())),
            Record::Unaccount(id) => drop(self.accounts.remove(id)),
            Record::Report(report) => {
                // The store does not write the reporter's origin.
                let report = Report { origin: None, ..(**report).clone() };
                self.reports.insert(report.id, report);
            }
            Record::Unreport(id) => drop(self.reports.remove(id)),
            Record::Memo(memo) => {
                assert!(!memo.unheard, "what nobody is to hear is not written");
                self.memos.insert(memo.id, Memo { origin: None, ..(**memo).clone() });
            }
            Record::Unmemo(id) => drop(self.memos.remove(id)),
            Record::Lasting(room) => drop(self.lasting.insert(room.name.clone(), (**room).clone())),
            Record::Passing(name) => drop(self.lasting.remove(name)),
            Record::Redact(what) => {
                for (_, name, line) in self.lines.values_mut() {
                    if what.matches(name.folded(), line) {
                        (line.author, line.said) = (None, Said::Redacted);
                    }
                }
            }
        }
        self.through = Some(number);
    }

    /// The data that a store would give a hub at its start.
    pub fn recall(&self) -> Recalled {
        let mut rooms: Vec<RecalledRoom> = Vec::new();
        for (room, name, line) in self.lines.values() {
            if self.closed.contains(&(*room, name.clone())) {
                continue;
            }
            let plain_from = self.encrypted.get(&(*room, name.clone())).map_or(0, |last| last + 1);
            match rooms.iter_mut().find(|known| known.room == *room && known.name == name.shown()) {
                Some(known) => known.lines.push(line.clone()),
                None => rooms.push(RecalledRoom {
                    room: *room,
                    name: name.shown().into(),
                    lines: vec![line.clone()],
                    plain_from,
                }),
            }
        }
        let [last_sanction, last_account, last_report, last_memo] = self.last;
        let authors = self.lines.values().filter_map(|(_, _, line)| line.author);
        let last_session = authors.filter(|author| !author.is_remote()).map(|author| author.0).max();
        Recalled {
            sanctions: self.sanctions.values().cloned().collect(),
            accounts: self.accounts.values().cloned().collect(),
            reports: self.reports.values().cloned().collect(),
            memos: self.memos.values().cloned().collect(),
            lasting: self.lasting.values().cloned().collect(),
            last_line: self.lines.keys().next_back().copied().unwrap_or(0),
            last_room: self.lines.values().map(|(room, _, _)| room.0).max().unwrap_or(0),
            last_session: last_session.unwrap_or(0).max(self.given),
            last_sanction,
            last_account,
            last_report,
            last_memo,
            unread: false,
            rooms,
        }
    }
}

/// A machine, and everything connected to it.
pub struct World {
    pub machine: Machine,
    pub now: Now,
    pub clients: BTreeMap<SessionId, Client>,
    /// The records that the disk has taken.
    pub disk: Disk,
    /// The number of deeds recorded. Without a tape, the author of a deed gets its answer only once
    /// the deed is on disk.
    pub deeds: usize,
    /// All steps that reached the machine, for tests that inspect them.
    pub taken: Vec<Taken>,
    /// What the link to other hubs was given to do.
    pub to_link: Vec<Outgoing>,
    /// What encrypted clients seal what they send with.
    sealers: BTreeMap<SessionId, Sealer>,
    searches: Vec<Search>,
    jobs: Vec<Arc<Job>>,
    rooms: BTreeMap<RoomId, Room>,
    /// The clients that may have input to read.
    turns: BTreeSet<SessionId>,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        let mut outcomes = Vec::new();
        let machine = Machine::new(settings, KEY, BEGIN, &mut outcomes);
        let mut world = Self {
            machine,
            now: BEGIN,
            clients: BTreeMap::new(),
            disk: Disk::default(),
            deeds: 0,
            taken: Vec::new(),
            to_link: Vec::new(),
            sealers: BTreeMap::new(),
            searches: Vec::new(),
            jobs: Vec::new(),
            rooms: BTreeMap::new(),
            turns: BTreeSet::new(),
        };
        world.apply(&outcomes);
        world
    }

    pub fn hub(&self) -> &Hub {
        self.machine.hub()
    }

    // -- inputs ---------------------------------------------------------------------------------

    pub fn connect(&mut self, peer: SocketAddr) -> SessionId {
        let id = self.machine.next_id();
        self.handle(Input::Connect { id, cookie: id.0, peer, tls: None, proxied: None });
        id
    }

    /// A client connects by TLS. `fingerprint` is that of the certificate it has shown. Its input
    /// is encrypted; its `out` holds plain text, as before the rounds would encrypt it.
    pub fn connect_encrypted(&mut self, peer: SocketAddr, fingerprint: Option<String>) -> SessionId {
        let (id, suite) = (self.machine.next_id(), ENCRYPTED.0);
        let tls = Some(Tls { suite, group: 29, fingerprint, read: 0 });
        self.handle(Input::Connect { id, cookie: id.0, peer, tls, proxied: None });
        self.machine.unlock(id, |_| Some(secret()));
        self.sealers.insert(id, Sealer::new(suite, secret(), 0));
        id
    }

    /// A client connects through a proxy on this machine. `encrypted`: the proxy's header says that
    /// the client uses TLS up to the proxy.
    pub fn connect_proxied(&mut self, peer: SocketAddr, encrypted: bool) -> SessionId {
        let id = self.machine.next_id();
        let encryption = encrypted.then(Default::default);
        let proxied = Some(Box::new(Proxied { proxy: ([127, 0, 0, 1], 40_000).into(), header: 28, encryption }));
        self.handle(Input::Connect { id, cookie: id.0, peer, tls: None, proxied });
        id
    }

    /// Bytes arrive on a client's socket.
    pub fn receive(&mut self, session: SessionId, bytes: &[u8]) {
        let client = self.clients.get_mut(&session).expect("a client");
        if client.closed {
            // Input after the end is thrown away.
            return;
        }
        match self.sealers.get_mut(&session) {
            Some(sealer) => {
                let mut sealed = Vec::new();
                sealer.data([bytes], &mut sealed);
                client.sent.extend(sealed);
            }
            None => client.sent.extend(bytes),
        }
        self.turns.insert(session);
        self.take_turns();
    }

    /// The client ends its side of the connection.
    pub fn end(&mut self, session: SessionId, why: Farewell) {
        self.clients.get_mut(&session).expect("a client").ended = Some(why);
        self.turns.insert(session);
        self.take_turns();
    }

    /// The rounds give a client up: nothing more can be written to it.
    pub fn give_up(&mut self, session: SessionId, why: Farewell) {
        self.handle(hub::News::Gone { session, why });
    }

    /// The rounds report that much mail waits for a client with a full socket (`on`), or no longer.
    pub fn crowd(&mut self, session: SessionId, on: bool) {
        self.handle(hub::News::Crowded { session, on });
    }

    /// An administrator gives a command. Returns the machine's answer.
    pub fn control(&mut self, command: &str, args: serde_json::Value) -> Result<execute::Answer, ControlError> {
        let command = Command::parse(command, args)?;
        let input = Input::Control { command: command.spec().name.to_owned(), args: command.args(), by: ADMIN };
        let mut outcomes = Vec::new();
        let answer = self.machine.control(
            &command,
            ADMIN,
            self.now,
            &|_| chathub::wire::admin::execute::Traffic::default(),
            &mut outcomes,
        );
        self.follow(Step::Input(input), outcomes);
        self.take_turns();
        answer.expect("a command about the hub")
    }

    pub fn set(&mut self, settings: Settings) {
        self.handle(hub::News::Settings(Box::new(settings)));
    }

    /// A store has opened, and has read this data.
    pub fn archive(&mut self, recalled: Recalled) {
        self.handle(hub::News::Archive(Some(Box::new(recalled))));
    }

    /// The store has written all records up to number `through`.
    pub fn recorded(&mut self, through: u64) {
        self.handle(hub::News::Recorded { through });
    }

    /// The link to other hubs tells something.
    pub fn linked(&mut self, incoming: Incoming) {
        self.handle(incoming);
    }

    pub fn stop(&mut self, message: Option<Arc<str>>) {
        self.handle(hub::News::Stop { message });
    }

    pub fn tick(&mut self) {
        self.handle(Input::Tick);
    }

    /// Serializes the machine, and replaces it by the one read back from that, as in a hand-over.
    /// Returns the serialized machine.
    pub fn hand_over(&mut self) -> String {
        let kept = serde_json::to_string(&self.machine).expect("plain");
        self.machine = serde_json::from_str(&kept).expect("what was written can be read");
        for id in self.sealers.keys() {
            self.machine.unlock(*id, |_| Some(secret()));
        }
        kept
    }

    /// Takes the hashing jobs that the machine has ordered since the last call.
    pub fn jobs(&mut self) -> Vec<Arc<Job>> {
        std::mem::take(&mut self.jobs)
    }

    /// Answers a hashing job at once, with the toy [`hash`].
    pub fn hash(&mut self, job: &Job) {
        let (number, answer) = (job.number, hashed(job));
        self.handle(hub::News::Hashed { number, answer });
    }

    /// Answers all searches and hashing jobs, and those that follow from the answers, until none
    /// are left.
    pub fn answer(&mut self) {
        loop {
            let (searches, jobs) = (std::mem::take(&mut self.searches), self.jobs());
            if searches.is_empty() && jobs.is_empty() {
                return;
            }
            for search in searches {
                let found = Box::new(self.find(&search));
                self.handle(hub::News::Found { session: search.session, number: search.number, found });
            }
            jobs.iter().for_each(|job| self.hash(job));
        }
    }

    fn find(&self, search: &Search) -> Found {
        let lines = self.disk.lines.values().filter(|(room, _, _)| *room == search.room).map(|(_, _, line)| line);
        let through = self.disk.lines.keys().next_back().copied().unwrap_or(0);
        if let Some((_, numbers)) = &search.report {
            let lines = numbers.iter().filter_map(|number| self.disk.lines.get(number));
            let lines = lines.map(|(_, _, line)| line.clone()).collect();
            return Found { lines, through, reach: Reach::All };
        }
        let lines = lines.filter(|line| name::fold(line.said.text()).contains(&*search.query)).cloned().collect();
        Found { lines, through, reach: Reach::All }
    }

    /// Has the machine handle an input, applies the outcomes, and reads from clients that may be
    /// read again.
    fn handle(&mut self, input: impl Into<Input>) {
        self.step(Step::Input(input.into()));
        self.take_turns();
    }

    fn step(&mut self, step: Step) {
        let outcomes = step.play(&mut self.machine, self.now);
        self.follow(step, outcomes);
    }

    fn follow(&mut self, step: Step, outcomes: Vec<Outcome>) {
        self.apply(&outcomes);
        self.taken.push(Taken { step, at: self.now, outcomes });
    }

    /// Reads a piece from each client in turn, as long as some client that the machine listens to
    /// has sent more.
    fn take_turns(&mut self) {
        loop {
            let turns: Vec<_> = self.turns.iter().copied().filter(|id| self.may_turn(*id)).collect();
            if turns.is_empty() {
                return;
            }
            turns.into_iter().for_each(|id| self.turn(id));
        }
    }

    fn may_turn(&self, id: SessionId) -> bool {
        self.machine.has_more(id) || self.machine.listens_to(id)
    }

    fn turn(&mut self, id: SessionId) {
        if self.machine.has_more(id) {
            return self.step(Step::Bytes(id, Vec::new()));
        }
        if !self.machine.listens_to(id) {
            return;
        }
        let client = self.clients.get_mut(&id).expect("a client");
        let most = client.sent.len().min(CHUNK);
        let bytes: Vec<u8> = client.sent.drain(..most).collect();
        if !bytes.is_empty() {
            return self.step(Step::Bytes(id, bytes));
        }
        self.turns.remove(&id);
        if let Some(why) = client.ended.take() {
            self.step(Step::Input(Input::End { id, why }));
        }
    }

    // -- outcomes -------------------------------------------------------------------------------

    fn apply(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome {
                Outcome::Order(order) => self.order(order.clone()),
                Outcome::Record(number, record) => {
                    self.deeds += usize::from(record.is_of_a_deed());
                    self.disk.write(*number, record);
                }
                Outcome::Search(search) => self.searches.push((**search).clone()),
                Outcome::Hash(job) => self.jobs.push(job.clone()),
                Outcome::More(id) => {
                    self.turns.insert(*id);
                }
                Outcome::Peering(outgoing) => self.to_link.push(outgoing.clone()),
                Outcome::SecretSpent | Outcome::Happened(_) => {}
            }
        }
    }

    fn order(&mut self, order: Order) {
        match order {
            Order::Attach(id) => {
                let client = Client {
                    reader: Reader::new(id),
                    room: None,
                    sent: VecDeque::new(),
                    ended: None,
                    out: Vec::new(),
                    closed: false,
                };
                assert!(self.clients.insert(id, client).is_none(), "{id} is there already");
            }
            Order::Open(id) => match self.rooms.get_mut(&id) {
                Some(room) => assert!(std::mem::take(&mut room.shut), "{id:?} is open already"),
                None => drop(self.rooms.insert(id, Room::default())),
            },
            Order::Shut(id) => {
                self.rooms.get_mut(&id).expect("an open room").shut = true;
                let stays = |client: &Client| client.room == Some(id) && !client.closed;
                assert!(!self.clients.values().any(stays), "{id:?} has readers");
                self.let_go_of(id);
            }
            Order::Post(id, line) => {
                let room = self.rooms.get_mut(&id).expect("a line for a room that is open");
                assert!(!room.shut, "a line for a room that is shut");
                let (author, apart) = (line.author, line.apart.clone());
                room.log.push(line);
                for one in author.iter().chain(apart.iter().flat_map(|apart| apart.iter())) {
                    if let Some(one) = self.clients.get_mut(one)
                        && one.room == Some(id)
                    {
                        one.reader.said(&room.log);
                    }
                }
            }
            Order::Enter(id, room) => {
                self.leave_room(id);
                let client = self.clients.get_mut(&id).expect("a client");
                client.reader.enter(&mut self.rooms.get_mut(&room).expect("an open room").log);
                client.room = Some(room);
            }
            Order::Tell(id, bytes) => {
                let client = self.clients.get_mut(&id).expect("a client");
                assert!(!client.closed, "{id} is told something after its last line");
                client.reader.tell(bytes, client.room.map(|room| &self.rooms[&room].log));
            }
            Order::Area(id, area) => self.with_log(id, |reader, log| reader.area(area, Some(log))),
            Order::Hold(id, on) => self.with_log(id, |reader, log| reader.hold(on, Some(log))),
            Order::Release(id) => self.with_log(id, |reader, log| reader.release(Some(log))),
            Order::View(id, view) => self.with_log(id, |reader, log| reader.set_view(view, log)),
            Order::Hide(id, filter) => self.with_log(id, |reader, log| reader.hide(filter, log)),
            Order::Close(id) => {
                let client = self.clients.get_mut(&id).expect("a client");
                assert!(!std::mem::replace(&mut client.closed, true), "{id} is closed twice");
                client.sent.clear();
                if let Some(room) = client.room {
                    client.reader.close(&self.rooms[&room].log);
                }
                self.turns.remove(&id);
            }
            Order::Rekey(_) | Order::Alert(..) => unreachable!("nobody here is encrypted"),
            Order::Limits(_) => {}
        }
    }

    fn leave_room(&mut self, id: SessionId) {
        let client = self.clients.get_mut(&id).expect("a client");
        if let Some(room) = client.room.take() {
            client.reader.leave(&mut self.rooms.get_mut(&room).expect("a room").log);
            self.let_go_of(room);
        }
    }

    /// Removes a closed room once no client's cursor is in its log.
    fn let_go_of(&mut self, id: RoomId) {
        if self.rooms[&id].shut && self.clients.values().all(|client| client.room != Some(id)) {
            self.rooms.remove(&id);
        }
    }

    /// Changes a client's cursor and its room's log; does nothing for a client that is in no room
    /// yet.
    fn with_log(&mut self, id: SessionId, change: impl FnOnce(&mut Reader, &mut Log)) {
        let client = self.clients.get_mut(&id).expect("a client");
        if let Some(room) = client.room {
            change(&mut client.reader, &mut self.rooms.get_mut(&room).expect("a room").log);
        }
    }

    // -- output ---------------------------------------------------------------------------------

    /// The client's socket takes at most `most` of the bytes that the client is owed, in one write.
    /// Returns how many it took.
    pub fn take(&mut self, id: SessionId, most: usize) -> usize {
        let client = self.clients.get_mut(&id).expect("a client");
        let log = client.room.map(|room| &self.rooms[&room].log);
        if client.reader.needs_frame(log) {
            client.reader.frame(log);
        }
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let (count, owed) = client.reader.gather(log, &mut pieces);
        let taken = owed.min(most);
        client.out.extend(pieces[..count].iter().flat_map(|piece| piece.iter().copied()).take(taken));
        client.reader.advance(log, taken);
        if count == 0 && client.closed {
            self.leave_room(id);
        }
        taken
    }

    /// All sockets take all bytes that their clients are owed; then the logs are trimmed.
    pub fn take_all(&mut self) {
        let sessions: Vec<_> = self.clients.keys().copied().collect();
        for session in sessions {
            while self.take(session, usize::MAX) > 0 {}
        }
        self.trim();
    }

    /// Removes from the logs the lines that no client is owed any more.
    pub fn trim(&mut self) {
        for (id, room) in &mut self.rooms {
            let members = self.clients.values().filter(|client| client.room == Some(*id));
            let low = members.map(|client| client.reader.next_line()).min();
            room.log.trim_to(low.unwrap_or(room.log.end()));
        }
    }

    // -- time ----------------------------------------------------------------------------------

    /// Lets `time` pass. Everything due in between happens at its due time.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        loop {
            let due = self.machine.next_deadline();
            self.move_to(due.map_or(end, |due| due.min(end)));
            self.tick();
            let next = self.hub().next_deadline();
            assert!(next.is_none_or(|next| next > self.now.mono), "a tick leaves nothing undone");
            if self.now.mono >= end && self.machine.next_deadline().is_none_or(|next| next > end) {
                return;
            }
        }
    }

    /// Sets the monotonic clock to `mono` and moves the wall clock with it; a time in the past
    /// leaves both.
    pub fn move_to(&mut self, mono: Mono) {
        let by = mono.since(self.now.mono);
        self.now.mono = self.now.mono.after(by);
        self.now.wall.0 += i64::try_from(by.as_millis()).expect("a time in this age");
    }
}

/// The answer to a hashing job.
fn hashed(job: &Job) -> Answer {
    let known = |hashed: &Hashed| *hashed == hash(job.password.reveal());
    match &job.against {
        Against::Nothing => Answer::Made(hash(job.password.reveal())),
        Against::Known(hashed) if known(hashed) => Answer::Right { renewed: None },
        Against::Known(_) | Against::Unknown => Answer::Wrong,
    }
}

/// A toy hash: different passwords get different hashes in practice, and the hash does not contain
/// the password.
pub fn hash(password: &str) -> Hashed {
    let sum = password.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    Hashed(format!("$argon2-not${sum:x}").into())
}

/// The lines in a client's output, without their line ends. Panics if there is anything but clean
/// lines.
#[track_caller]
pub fn lines(out: &[u8]) -> Vec<&str> {
    let text = std::str::from_utf8(out).expect("UTF-8");
    if text.is_empty() {
        return Vec::new();
    }
    let whole = text.strip_suffix("\r\n").unwrap_or_else(|| panic!("the last line has no end: {text:?}"));
    let lines: Vec<_> = whole.split("\r\n").collect();
    for line in &lines {
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'), "a control character in {line:?}");
        assert!(chathub::values::text::is_clean(line), "{line:?} is not clean");
    }
    lines
}
