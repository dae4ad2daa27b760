//! The net side in memory: it carries the hub's effects as the daemon does, with [`Log`]s and
//! [`Reader`]s, but to buffers instead of sockets, and at a time that is moved by hand.
//!
//! What a [`Client`] has in `out` is, byte for byte, what it would see on its socket.

#![allow(dead_code, reason = "each test that includes this uses a part of it")]
#![allow(unreachable_pub, reason = "`pub` says what the tests may use")]

use std::collections::BTreeMap;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chathub::hub::account::{Account, Hashed};
use chathub::hub::archive::{Found, Reach, Recalled, RecalledRoom, Record, Search};
use chathub::hub::ignore::Borne;
use chathub::hub::login::{Against, Answer, Job};
use chathub::hub::message::{Farewell, Line, Message, Said, View};
use chathub::hub::moderation::Ban;
use chathub::hub::pace::Verdict;
use chathub::hub::{Effect, Hub, Input};
use chathub::settings::Settings;
use chathub::values::id::AccountId;
use chathub::values::id::BanId;
use chathub::values::id::{RoomId, SessionId};
use chathub::values::name::{self, Name};
use chathub::values::time::{Mono, Now, Wall};
use chathub::wire::render;
use chathub::wire::stream::log::Log;
use chathub::wire::stream::reader::{Filter, MAX_PIECES, Reader};
use chathub::wire::terminal::link::{Heard, Link};

/// 2026-11-22 10:01:02 UTC, when every world begins.
pub const BEGIN: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_795_341_662_000) };

/// What makes the names of guests.
pub const KEY: [u8; 16] = *b"no secret at all";

/// One connection, seen from its far end.
pub struct Client {
    reader: Reader,
    room: Option<RoomId>,
    view: View,
    link: Link,
    /// A line that came too early, and when it is taken.
    held: Option<(Mono, Heard)>,
    /// How its side ended.
    ended: Option<Farewell>,
    /// What its socket was given.
    pub out: Vec<u8>,
    /// Whether the hub has let go of it.
    pub closed: bool,
}

/// A disk that is never full, as a store would fill it.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// By number: room, its name, line.
    pub lines: BTreeMap<u64, (RoomId, Name, Line)>,
    pub closed: Vec<(RoomId, Name)>,
    /// Clients' numbers up to this were given.
    pub given: u64,
    pub bans: BTreeMap<BanId, Ban>,
    pub accounts: BTreeMap<AccountId, Account>,
    /// The last record that was written.
    pub through: Option<u64>,
}

impl Disk {
    pub fn write(&mut self, number: u64, record: &Record) {
        match record {
            Record::Line { room, name, line } => {
                // Writing it a second time changes nothing. Whom its author is ignored by is not written.
                let line = Line { borne: Borne::default(), ..(**line).clone() };
                self.lines.entry(line.seq).or_insert_with(|| (*room, name.clone(), line));
            }
            Record::Given(id) => self.given = self.given.max(id.0),
            Record::Closed { room, name } => self.closed.push((*room, name.clone())),
            Record::Ban(ban) => drop(self.bans.insert(ban.id, (**ban).clone())),
            Record::Unban(id) => drop(self.bans.remove(id)),
            Record::Account(account) => drop(self.accounts.insert(account.id, (**account).clone())),
            Record::Unaccount(id) => drop(self.accounts.remove(id)),
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

    /// What a hub is told at its start.
    pub fn recall(&self) -> Recalled {
        let mut rooms: Vec<RecalledRoom> = Vec::new();
        for (room, name, line) in self.lines.values() {
            if self.closed.contains(&(*room, name.clone())) {
                continue;
            }
            match rooms.iter_mut().find(|known| known.room == *room && known.name == name.shown()) {
                Some(known) => known.lines.push(line.clone()),
                None => rooms.push(RecalledRoom { room: *room, name: name.shown().into(), lines: vec![line.clone()] }),
            }
        }
        let last_session = self.lines.values().filter_map(|(_, _, line)| line.author).map(|author| author.0).max();
        Recalled {
            bans: self.bans.values().cloned().collect(),
            accounts: self.accounts.values().cloned().collect(),
            last_line: self.lines.keys().next_back().copied().unwrap_or(0),
            last_room: self.lines.values().map(|(room, _, _)| room.0).max().unwrap_or(0),
            last_session: last_session.unwrap_or(0).max(self.given),
            unread: false,
            rooms,
        }
    }
}

/// A hub with everybody connected to it.
pub struct World {
    pub hub: Hub,
    pub now: Now,
    pub clients: BTreeMap<SessionId, Client>,
    /// What was recorded.
    pub disk: Disk,
    searches: Vec<Search>,
    jobs: Vec<Arc<Job>>,
    logs: BTreeMap<RoomId, Log>,
    next: u64,
}

impl World {
    pub fn new(settings: Settings) -> Self {
        let mut effects = Vec::new();
        let hub = Hub::new(settings, KEY, BEGIN, &mut effects);
        let mut world = Self {
            hub,
            now: BEGIN,
            clients: BTreeMap::new(),
            disk: Disk::default(),
            searches: Vec::new(),
            jobs: Vec::new(),
            logs: BTreeMap::new(),
            next: 1,
        };
        world.carry(&effects);
        world
    }

    /// The number of the next connection.
    pub fn next_id(&mut self) -> SessionId {
        self.next += 1;
        SessionId(self.next - 1)
    }

    pub fn connect(&mut self, peer: SocketAddr) -> SessionId {
        let session = self.next_id();
        self.handle(Input::Connect { session, peer });
        session
    }

    /// Has the hub handle an input, and carries out what follows.
    pub fn handle(&mut self, input: Input) -> Vec<Effect> {
        if let Input::Connect { session, .. } = input {
            let client = Client {
                reader: Reader::new(session),
                room: None,
                view: View::default(),
                link: Link::default(),
                held: None,
                ended: None,
                out: Vec::new(),
                closed: false,
            };
            assert!(self.clients.insert(session, client).is_none(), "{session} is there already");
        }
        let waited = if let Input::Hashed { number, .. } = input { self.hub.waits_for(number) } else { None };
        let mut effects = Vec::new();
        self.hub.handle(input, self.now, &mut effects);
        self.carry(&effects);
        if let Some(session) = waited.filter(|session| self.clients.contains_key(session)) {
            self.hear(session);
        }
        effects
    }

    /// What comes of the passwords that were to be hashed meanwhile: at once, and by no art.
    pub fn hashed(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.jobs).iter().map(|job| hashed(job)).collect()
    }

    /// The answers to what was searched for meanwhile, as a store would give them.
    pub fn found(&mut self) -> Vec<Input> {
        let answer = |search: Search| {
            let lines = self.disk.lines.values().filter(|(room, _, _)| *room == search.room).map(|(_, _, line)| line);
            let through = self.disk.lines.keys().next_back().copied().unwrap_or(0);
            let lines = lines.filter(|line| name::fold(line.said.text()).contains(&*search.query)).cloned().collect();
            let found = Box::new(Found { lines, through, reach: Reach::All });
            Input::Found { session: search.session, number: search.number, found }
        };
        std::mem::take(&mut self.searches).into_iter().map(answer).collect()
    }

    /// Asks the hub whether a line may pass, and carries out what follows.
    pub fn judge(&mut self, session: SessionId, bytes: u64) -> (Verdict, Vec<Effect>) {
        let mut effects = Vec::new();
        let verdict = self.hub.judge(session, bytes, self.now, &mut effects);
        self.carry(&effects);
        (verdict, effects)
    }

    pub fn carry(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Open(room) => {
                    assert!(self.logs.insert(*room, Log::default()).is_none(), "{room:?} is open already");
                }
                Effect::Shut(room) => {
                    assert!(self.logs.remove(room).is_some(), "{room:?} is not open");
                    assert!(self.clients.values().all(|client| client.room != Some(*room)), "{room:?} has readers");
                }
                Effect::Post { room, line } => {
                    let log = self.logs.get_mut(room).expect("a line for a room that is open");
                    log.push(line.clone());
                    if let Some(client) = line.author.and_then(|author| self.clients.get_mut(&author))
                        && client.room == Some(*room)
                    {
                        client.reader.said(log);
                    }
                }
                Effect::Enter { session, room } => {
                    self.leave(*session);
                    let client = self.clients.get_mut(session).expect("a client");
                    client.reader.enter(self.logs.get_mut(room).expect("an open room"));
                    client.room = Some(*room);
                }
                Effect::Tell { to, message } => {
                    let mut bytes = Vec::new();
                    let holds = self.hub.session(*to).is_some_and(|session| session.holds);
                    let client = self.clients.get_mut(to).expect("a client");
                    render::message(message, client.view, self.now.wall, &mut bytes);
                    assert!(!client.closed, "{to} is told something after its last line");
                    bytes.extend_from_slice(client.link.answer_mark());
                    let log = client.room.map(|room| &self.logs[&room]);
                    client.reader.tell(bytes.into(), log);
                    if holds && !matches!(message, Message::PrivateFrom { .. }) {
                        client.reader.release(log);
                    }
                }
                Effect::View { session, view } => {
                    self.clients.get_mut(session).expect("a client").view = *view;
                    self.with_log(*session, |reader, log| reader.see(*view, log));
                }
                Effect::Filter { session, quiet, ignored, names } => {
                    let filter = Filter { quiet: *quiet, ignored: ignored.clone(), names: names.clone() };
                    self.with_log(*session, |reader, log| reader.hide(filter, log));
                }
                Effect::Mode { session, mode } => self.with_link(*session, |link, out| link.set_mode(*mode, out)),
                Effect::Prompt { session, prompt } => self.with_link(*session, |link, _| link.set_prompt(prompt)),
                Effect::Echo { session, on } => self.with_link(*session, |link, out| link.hide(!on, out)),
                Effect::Complete { session, from, words } => {
                    let max = self.hub.settings().limits.line;
                    self.with_link(*session, |link, _| link.complete(*from, words.clone(), max));
                }
                Effect::Hold { session, on } => {
                    self.with_log(*session, |reader, log| reader.hold(*on, Some(log)));
                }
                Effect::Release { session } => self.with_log(*session, |reader, log| reader.release(Some(log))),
                Effect::Close { session, .. } => {
                    self.with_link(*session, Link::close);
                    self.leave(*session);
                    let client = self.clients.get_mut(session).expect("a client");
                    assert!(!std::mem::replace(&mut client.closed, true), "{session} is closed twice");
                }
                Effect::Record { number, record } => self.disk.write(*number, record),
                Effect::Search(search) => self.searches.push((**search).clone()),
                Effect::Hash(job) => self.jobs.push(job.clone()),
                Effect::Happened(_) | Effect::SecretSpent => {}
            }
        }
    }

    /// Has a client's link do something, and sends what follows.
    fn with_link(&mut self, session: SessionId, act: impl FnOnce(&mut Link, &mut Vec<u8>)) {
        let mut replies = Vec::new();
        act(&mut self.clients.get_mut(&session).expect("a client").link, &mut replies);
        self.reply(session, replies);
    }

    /// What a client is sent at once, and how what it types looks now.
    fn reply(&mut self, session: SessionId, replies: Vec<u8>) {
        let client = self.clients.get_mut(&session).expect("a client");
        let log = client.room.and_then(|room| self.logs.get_mut(&room));
        if !replies.is_empty() {
            client.reader.tell(replies.into(), log.as_deref());
            client.reader.release(log.as_deref());
        }
        if let Some(area) = client.link.area() {
            client.reader.area(area, log);
        }
    }

    fn leave(&mut self, session: SessionId) {
        let client = self.clients.get_mut(&session).expect("a client");
        if let Some(room) = client.room.take() {
            client.reader.leave(self.logs.get_mut(&room).expect("an open room"));
        }
    }

    fn with_log(&mut self, session: SessionId, change: impl FnOnce(&mut Reader, &mut Log)) {
        let client = self.clients.get_mut(&session).expect("a client");
        let log = client.room.and_then(|room| self.logs.get_mut(&room)).expect("everybody is in a room");
        change(&mut client.reader, log);
    }

    /// A socket takes at most `most` bytes of what its client is owed, in one write.
    pub fn take(&mut self, session: SessionId, most: usize) -> usize {
        let client = self.clients.get_mut(&session).expect("a client");
        let log = client.room.map(|room| &self.logs[&room]);
        client.reader.frame(log);
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let (count, owed) = client.reader.gather(log, &mut pieces);
        let taken = owed.min(most);
        client.out.extend(pieces[..count].iter().flat_map(|piece| piece.iter().copied()).take(taken));
        client.reader.advance(log, taken);
        taken
    }

    /// All sockets take all that is owed, and the logs let go of it.
    pub fn take_all(&mut self) {
        let sessions: Vec<_> = self.clients.keys().copied().collect();
        for session in sessions {
            while self.take(session, usize::MAX) > 0 {}
        }
        self.trim();
    }

    /// The logs let go of what nobody is owed any more.
    pub fn trim(&mut self) {
        for (room, log) in &mut self.logs {
            let members = self.clients.values().filter(|client| client.room == Some(*room));
            let low = members.map(|client| client.reader.next_line()).min();
            log.trim_to(low.unwrap_or(log.end()));
        }
    }

    /// Bytes come in from a client's socket.
    pub fn receive(&mut self, session: SessionId, bytes: &[u8]) {
        self.clients.get_mut(&session).expect("a client").link.push(bytes);
        self.hear(session);
    }

    /// A client's side ends.
    pub fn end(&mut self, session: SessionId, why: Farewell) {
        let client = self.clients.get_mut(&session).expect("a client");
        client.link.end();
        client.ended = Some(why);
        self.hear(session);
    }

    /// Hands over what a client has sent, as far as its pace allows.
    fn hear(&mut self, session: SessionId) {
        loop {
            let client = self.clients.get_mut(&session).expect("a client");
            if client.closed || self.hub.is_waiting(session) {
                return;
            }
            let (rules, mut replies) = (self.hub.settings().into(), Vec::new());
            let heard = match client.held.take() {
                Some((at, heard)) if at > self.now.mono => {
                    client.held = Some((at, heard));
                    return;
                }
                Some((_, heard)) => Some(heard),
                None => client.link.next(rules, &mut replies),
            };
            self.reply(session, replies);
            let Some(heard) = heard else {
                if let Some(why) = self.clients.get_mut(&session).and_then(|client| client.ended.take()) {
                    self.handle(Input::Gone { session, why });
                }
                return;
            };
            let (input, bytes) = match heard.clone() {
                Heard::Line { text, bytes } => (Input::Line { session, text }, bytes),
                Heard::TooLong { bytes } => (Input::Overlong { session, bytes }, bytes),
                Heard::Leave => (Input::Gone { session, why: Farewell::Hangup }, 1),
                Heard::AreYouThere => continue,
                Heard::Interrupt => (Input::Interrupted { session }, 1),
                Heard::Terminal(terminal) => (Input::Terminal { session, terminal }, 1),
                Heard::Mode(mode) => (Input::Mode { session, mode }, 1),
                Heard::Shown => (Input::Shown { session }, 1),
                Heard::Complete(line) => (Input::Complete { session, line }, 1),
            };
            match self.judge(session, bytes).0 {
                Verdict::Pass => drop(self.handle(input)),
                Verdict::Hold(at) => {
                    assert!(at > self.now.mono, "a line is held until a time ahead");
                    self.clients.get_mut(&session).expect("a client").held = Some((at, heard));
                    return;
                }
                Verdict::Drop => {}
            }
        }
    }

    /// Time passes, and all that was to happen meanwhile happens when it was to.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.mono.after(time);
        loop {
            let held = self.clients.values().filter(|client| !client.closed).filter_map(|client| client.held.as_ref());
            let due = held.map(|(at, _)| *at).chain(self.hub.next_deadline()).min();
            self.move_to(due.map_or(end, |due| due.min(end)));
            self.handle(Input::Tick);
            assert!(self.hub.next_deadline().is_none_or(|next| next > self.now.mono), "a tick leaves nothing undone");
            let sessions: Vec<_> = self.clients.keys().copied().collect();
            sessions.into_iter().for_each(|session| self.hear(session));
            if self.now.mono >= end {
                return;
            }
        }
    }

    /// Moves both clocks; a time behind is now.
    pub fn move_to(&mut self, mono: Mono) {
        let by = mono.since(self.now.mono);
        self.now.mono = self.now.mono.after(by);
        self.now.wall.0 += i64::try_from(by.as_millis()).expect("a time in this age");
    }
}

/// Chance that can be had again.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).expect("below a usize")
    }

    /// One of them.
    pub fn of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }
}

/// What comes of a password that is to be hashed.
pub fn hashed(job: &Job) -> Input {
    let known = |hashed: &Hashed| *hashed == hash(job.password.reveal());
    let answer = match &job.against {
        Against::Nothing => Answer::Made(hash(job.password.reveal())),
        Against::Known(hashed) if known(hashed) => Answer::Right { renewed: None },
        Against::Known(_) | Against::Unknown => Answer::Wrong,
    };
    Input::Hashed { number: job.number, answer }
}

/// Stands for a hash: tells passwords apart well enough, and holds none.
pub fn hash(password: &str) -> Hashed {
    let sum = password.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    Hashed(format!("$argon2-not${sum:x}").into())
}

/// What a client saw, as lines without their ends; panics if it is anything else but clean lines.
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
