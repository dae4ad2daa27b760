//! The state machine: everything that is decided and has to outlive a process, as one value.
//!
//! It holds the hub and what each client has sent so far, and takes [`Input`]s, each with the time at
//! which it came. What follows are [`Outcome`]s: orders for whoever writes to clients, and happenings
//! worth telling. The same inputs at the same times lead to the same outcomes: so a snapshot of it and
//! the inputs since *are* its state, and a process that takes over replays them.

use core::net::SocketAddr;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::hub::archive::{Found, Recalled, Record, Search};
use crate::hub::login;
use crate::hub::message::{Farewell, Line, Message, Offset, Replay, View};
use crate::hub::pace::Verdict;
use crate::hub::session::Session;
use crate::hub::{self, By, Effect, Happening, Hub};
use crate::settings::{Settings, SlowPolicy};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::rising::Rising;
use crate::values::time::{Mono, Now, Wall};
use crate::wire::admin::Command;
use crate::wire::admin::execute::listing::Listing;
use crate::wire::admin::execute::{self, Answer};
use crate::wire::admin::message::ControlError;
use crate::wire::render;
use crate::wire::stream::reader::Filter;
use crate::wire::terminal::link::{Heard, Link};
use crate::wire::terminal::screen::Area;

/// Something that reaches the hub, to be kept in the journal. What clients send has a form of its own,
/// [`Machine::bytes`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Input {
    /// A connection was accepted.
    Connect {
        /// The number that the connection has from now on; higher than all before.
        id: SessionId,
        /// What the kernel knows the socket by, in whichever process (`SO_COOKIE`, socket(7)).
        cookie: u64,
        /// Where it comes from.
        peer: SocketAddr,
    },
    /// A client sends no more.
    End {
        /// Which.
        id: SessionId,
        /// Why.
        why: Farewell,
    },
    /// Nothing more can be sent to a client.
    Gone {
        /// Which.
        id: SessionId,
        /// Why.
        why: Farewell,
    },
    /// A client does not take what waits for it alone; or it has.
    Crowded {
        /// Which.
        id: SessionId,
        /// Whether it is so.
        on: bool,
    },
    /// An administrator changes something.
    Control {
        /// Its name.
        command: String,
        /// Its arguments.
        args: serde_json::Value,
        /// Who.
        by: By,
    },
    /// The store has opened, or there is none; see [`hub::Input::Archive`].
    Archive(Option<Box<Recalled>>),
    /// The store has written all records up to this one.
    Recorded {
        /// Its number.
        through: u64,
    },
    /// The store has searched.
    Found {
        /// Who asked.
        session: SessionId,
        /// The number of the search.
        number: u64,
        /// What was found.
        found: Box<Found>,
    },
    /// What came of a password that was to be hashed.
    Hashed {
        /// The number of the job.
        number: u64,
        /// What came of it.
        answer: login::Answer,
    },
    /// The store has begun a new file.
    BegunAnew,
    /// The store has read what it could not read before; see [`hub::Input::Recalled`].
    Recalled(Box<Recalled>),
    /// The settings have changed.
    Settings(Box<Settings>),
    /// The hub says goodbye and takes nobody any more.
    Stop {
        /// Part of the goodbye.
        message: Option<Arc<str>>,
    },
    /// Another process carries on.
    Restarted,
    /// Time has passed; see [`Machine::next_deadline`].
    Tick,
}

/// What is to be written to whom, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A client is there.
    Attach(SessionId),
    /// A room is there.
    Open(RoomId),
    /// A room is there no more.
    Shut(RoomId),
    /// A line belongs at the end of a room's log.
    Post(RoomId, Arc<Line>),
    /// A client reads that room's log from its present end on.
    Enter(SessionId, RoomId),
    /// One client gets this, after what is in its room's log now.
    Tell(SessionId, Arc<[u8]>),
    /// What a client types looks like this now; `None`: it is none of our business any more.
    Area(SessionId, Option<Area>),
    /// From here on, what a client is told, and what its room is, waits for a release; or it does not.
    Hold(SessionId, bool),
    /// What has waited so far waits no more.
    Release(SessionId),
    /// From here on, a client sees lines in this way.
    See(SessionId, View),
    /// From here on, these lines are hidden from a client.
    Hide(SessionId, Filter),
    /// A client gets what it is owed, and its connection ends.
    Close(SessionId),
    /// Settings have changed.
    Limits(Limits),
}

/// What follows from an input.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Something to be carried out.
    Order(Order),
    /// Something to be written to disk. It is told again after a restart, until [`Input::Recorded`].
    Record(u64, Record),
    /// Something to be looked for on disk, likewise.
    Search(Box<Search>),
    /// A password to be hashed. It is told again after a restart, until [`Input::Hashed`].
    Hash(Arc<login::Job>),
    /// A password on the tape is no longer needed: take a snapshot soon, to erase it.
    SecretSpent,
    /// Something to be told: it changes nothing.
    Happened(Happening),
    /// There is more to be taken of what a client has sent: [`Machine::bytes`] is to be told nothing of it, soon.
    More(SessionId),
}

/// The settings that concern those who write to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that a client may be behind its room.
    pub behind: usize,
    /// What is done with one that is further behind.
    pub policy: SlowPolicy,
    /// How long a full socket may stay full.
    pub stall: Duration,
    /// What all rooms may hold together for those who are behind, in bytes.
    pub behind_all: usize,
    /// Bytes that may wait for one client alone.
    pub mailbox: usize,
    /// What may wait for all clients, each alone, together.
    pub mailboxes: usize,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        Self {
            behind: settings.slow.behind,
            policy: settings.slow.policy,
            stall: settings.slow.stall,
            behind_all: settings.slow.behind_all,
            mailbox: settings.limits.mailbox,
            mailboxes: settings.limits.mailboxes,
        }
    }
}

/// How long a client rests whose lines are dropped because it is too fast, after each piece of input.
const REST: Duration = Duration::from_millis(100);

/// The same within a line that is too long. Shorter, for whoever has sent ten megabytes by mistake is
/// to be told so within seconds; it is some thousandths of a processor's time all the same.
const REST_SKIPPING: Duration = Duration::from_millis(5);

/// Lines, and whatever else is heard, that are taken of one client before it is somebody else's turn: so many take
/// less than a millisecond.
const TURN: u32 = 32;

/// Clients that are listened to again in one go, of those whose time has come.
const DUE: usize = 32;

/// What a client has sent so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Speaker {
    link: Link,
    /// How it sees what it is told.
    #[serde(default)]
    view: View,
    /// What was heard and has to wait for its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Heard>,
    /// The end of its input, when it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Farewell>,
    /// It has rested since it last sent something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rested: bool,
    /// When it is listened to again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Mono>,
    /// Its turn was over before all was taken that it had sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    /// Bytes taken from it in all.
    #[serde(default)]
    received: u64,
}

/// Restarts that the state has lived through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// How many.
    pub count: u64,
    /// When the last one was.
    pub last: Option<Wall>,
}

/// The last replay that was rendered: most newcomers get the same.
#[derive(Clone, Debug)]
struct Rendered {
    lines: Arc<[Arc<Line>]>,
    view: View,
    offset: Offset,
    /// Days since the epoch when it was rendered: times of other days are shown with their day.
    day: i64,
    bytes: Arc<[u8]>,
}

/// The state machine.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Machine {
    hub: Hub,
    speakers: Rising<SessionId, CopyOnWrite<Speaker>>,
    due: BTreeSet<(Mono, SessionId)>,
    next_id: u64,
    restarts: Restarts,
    effects: Vec<Effect>,
    rendered: Option<Rendered>,
    /// Where what a client is told is put together.
    page: Vec<u8>,
}

/// A page that has grown to more bytes than this is not kept.
const PAGE: usize = 4096;

/// What administrators are told of a client besides what the hub knows.
fn facts<'a>(
    speakers: &'a Rising<SessionId, CopyOnWrite<Speaker>>,
    owed: &'a dyn Fn(SessionId) -> (u64, u64),
) -> impl Fn(SessionId) -> execute::Facts + 'a {
    |id| {
        let (behind, missed) = owed(id);
        let telnet = speakers.get(&id).is_some_and(|speaker| speaker.link.is_telnet());
        execute::Facts { telnet, behind, missed }
    }
}

impl Machine {
    /// A machine with a hub in which nobody is yet.
    #[must_use]
    pub fn new(settings: Settings, key: [u8; 16], now: Now, out: &mut Vec<Outcome>) -> Self {
        let mut effects = Vec::new();
        let limits = Limits::from(&settings);
        let hub = Hub::new(settings, key, now, &mut effects);
        let mut machine = Self {
            hub,
            speakers: Rising::default(),
            due: BTreeSet::new(),
            next_id: 1,
            restarts: Restarts::default(),
            effects,
            rendered: None,
            page: Vec::new(),
        };
        out.push(Outcome::Order(Order::Limits(limits)));
        machine.carry(now, out);
        machine
    }

    /// The hub.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The restarts that it has lived through.
    #[must_use]
    pub fn restarts(&self) -> Restarts {
        self.restarts
    }

    /// The number for the next connection.
    #[must_use]
    pub fn next_id(&self) -> SessionId {
        SessionId(self.next_id)
    }

    /// What will be looked at when a client is heard: for whoever can have it fetched beforehand.
    #[must_use]
    pub fn about(&self, id: SessionId) -> Option<(&Session, &Speaker)> {
        Some((self.hub.session(id)?, self.speakers.get(&id)?))
    }

    /// How many bytes a client has sent so far; `None` if it is not listened to.
    #[must_use]
    pub fn received(&self, id: SessionId) -> Option<u64> {
        self.speakers.get(&id).map(|speaker| speaker.received)
    }

    /// Whether more of what that client sends may be taken now.
    #[must_use]
    pub fn listens_to(&self, id: SessionId) -> bool {
        let is_through = |speaker: &Speaker| speaker.due.is_none() && speaker.end.is_none() && !speaker.more;
        self.speakers.get(&id).is_some_and(|speaker| is_through(speaker)) && !self.waits(id)
    }

    /// Whether what that client sends has to wait: for an answer to what it has sent, or until it takes its answers.
    fn waits(&self, id: SessionId) -> bool {
        self.hub.is_waiting(id) || self.hub.session(id).is_some_and(|session| session.crowded)
    }

    /// Whether that client's turn was over before all was taken that it had sent: see [`Outcome::More`].
    #[must_use]
    pub fn has_more(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.more)
    }

    /// Whether that client has shown to be telnet.
    #[must_use]
    pub fn is_telnet(&self, id: SessionId) -> bool {
        self.speakers.get(&id).is_some_and(|speaker| speaker.link.is_telnet())
    }

    /// When it wants to be told that time has passed.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        [self.hub.next_deadline(), self.due.first().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    /// Takes one input at `at` and appends what follows to `out`.
    pub fn handle(&mut self, input: Input, at: Now, out: &mut Vec<Outcome>) {
        match input {
            Input::Connect { id, peer, .. } => self.connect(id, peer, at, out),
            Input::End { id, why } => {
                if let Some(speaker) = self.speakers.get_mut(&id) {
                    // A second end says nothing new.
                    speaker.link.end();
                    speaker.end = Some(why);
                    self.listen(id, at, out);
                }
            }
            Input::Gone { id, why } => self.tell_hub(hub::Input::Gone { session: id, why }, at),
            Input::Crowded { id, on } => {
                self.tell_hub(hub::Input::Crowded { session: id, on }, at);
                if !on {
                    // What it has sent meanwhile.
                    self.listen(id, at, out);
                }
            }
            Input::Control { command, args, by } => {
                if let Ok(command) = Command::parse(&command, args) {
                    self.control(&command, by, at, &|_| (0, 0), out);
                }
            }
            Input::Settings(settings) => {
                out.push(Outcome::Order(Order::Limits((&*settings).into())));
                self.tell_hub(hub::Input::Settings(settings), at);
            }
            Input::Archive(recalled) => {
                // A client's number means that client, also in what was recorded.
                let last = recalled.as_ref().map_or(0, |recalled| recalled.last_session);
                self.next_id = self.next_id.max(last.saturating_add(1));
                self.tell_hub(hub::Input::Archive(recalled), at);
            }
            Input::Recorded { through } => self.tell_hub(hub::Input::Recorded { through }, at),
            Input::Found { session, number, found } => {
                self.tell_hub(hub::Input::Found { session, number, found }, at);
            }
            Input::Hashed { number, answer } => {
                let waited = self.hub.waits_for(number);
                self.tell_hub(hub::Input::Hashed { number, answer }, at);
                if let Some(id) = waited {
                    // What came meanwhile.
                    self.listen(id, at, out);
                }
            }
            Input::BegunAnew => self.tell_hub(hub::Input::BegunAnew, at),
            Input::Recalled(recalled) => {
                self.next_id = self.next_id.max(recalled.last_session.saturating_add(1));
                self.tell_hub(hub::Input::Recalled(recalled), at);
            }
            Input::Stop { message } => self.tell_hub(hub::Input::Stop { message }, at),
            Input::Restarted => self.restarts = Restarts { count: self.restarts.count + 1, last: Some(at.wall) },
            Input::Tick => self.tick(at, out),
        }
        self.carry(at, out);
    }

    /// Takes bytes that a client has sent; without any, it goes on with those it has.
    pub fn bytes(&mut self, id: SessionId, bytes: &[u8], at: Now, out: &mut Vec<Outcome>) {
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        speaker.received += bytes.len() as u64;
        if !bytes.is_empty() {
            speaker.rested = false;
            speaker.link.push(bytes);
        }
        self.listen(id, at, out);
        self.carry(at, out);
    }

    /// Carries out an administrator's command; `None` if it is not about the hub. `owed` tells of a
    /// client how many bytes it is owed, and how many lines it was too slow for.
    pub fn control(
        &mut self,
        command: &Command,
        by: By,
        at: Now,
        owed: &dyn Fn(SessionId) -> (u64, u64),
        out: &mut Vec<Outcome>,
    ) -> Option<Result<Answer, ControlError>> {
        let answer = {
            let facts = facts(&self.speakers, owed);
            execute::answer(&mut self.hub, command, by, at, &facts, &mut self.effects)
        };
        self.carry(at, out);
        answer
    }

    /// Takes one step of a list for an administrator. Whether there is another. `owed` as in [`Self::control`].
    ///
    /// # Errors
    /// Those of [`Listing::go_on`].
    pub fn list(
        &self,
        listing: &mut Listing,
        at: Now,
        owed: &dyn Fn(SessionId) -> (u64, u64),
    ) -> Result<bool, ControlError> {
        listing.go_on(&self.hub, at, &facts(&self.speakers, owed))
    }

    fn tell_hub(&mut self, input: hub::Input, at: Now) {
        self.hub.handle(input, at, &mut self.effects);
    }

    fn connect(&mut self, id: SessionId, peer: SocketAddr, at: Now, out: &mut Vec<Outcome>) {
        self.next_id = self.next_id.max(id.0 + 1);
        out.push(Outcome::Order(Order::Attach(id)));
        self.tell_hub(hub::Input::Connect { session: id, peer }, at);
        if self.hub.session(id).is_some() {
            let mut speaker = Speaker {
                link: Link::default(),
                view: View::default(),
                held: None,
                end: None,
                rested: false,
                due: None,
                more: false,
                received: 0,
            };
            let mut replies = Vec::new();
            speaker.link.ask(self.hub.settings().telnet.negotiate, &mut replies);
            self.speakers.insert(id, CopyOnWrite::new(speaker));
            self.reply(id, replies, out);
        }
    }

    fn tick(&mut self, at: Now, out: &mut Vec<Outcome>) {
        if self.hub.next_deadline().is_some_and(|due| due <= at.mono) {
            self.tell_hub(hub::Input::Tick, at);
        }
        // Those that are left are due still, and the next tick is for them.
        for _ in 0..DUE {
            let Some((_, id)) = self.due.first().copied().filter(|(due, _)| *due <= at.mono) else { break };
            self.due.pop_first();
            if let Some(speaker) = self.speakers.get_mut(&id) {
                speaker.due = None;
                self.listen(id, at, out);
            }
        }
    }

    /// Hands over what a client has sent, line by line, as far as its pace allows.
    fn listen(&mut self, id: SessionId, at: Now, out: &mut Vec<Outcome>) {
        self.carry(at, out);
        let mut replies = Vec::new();
        let mut dropped = false;
        let rules = self.hub.settings().into();
        let mut left = TURN;
        while let Some(speaker) = self.speakers.get_mut(&id) {
            speaker.more = left == 0;
            let waits = self.hub.is_waiting(id) || self.hub.session(id).is_some_and(|session| session.crowded);
            if speaker.due.is_some() || waits || left == 0 {
                break;
            }
            left -= 1;
            let Some(heard) = speaker.held.take().or_else(|| speaker.link.next(rules, &mut replies)) else { break };
            let bytes = match &heard {
                Heard::Line { bytes, .. } => *bytes,
                // Reading it was slow already. Charged in full, ten megabytes by mistake would silence
                // their sender for the better part of an hour.
                Heard::TooLong { bytes } => (*bytes).min(self.hub.settings().pace.burst_bytes as u64),
                _ => 1,
            };
            match self.hub.judge(id, bytes, at, &mut self.effects) {
                Verdict::Pass => {
                    self.heard(id, heard, at);
                    left = left.saturating_sub(self.hub.cost());
                }
                Verdict::Drop => dropped = true,
                Verdict::Hold(until) => {
                    speaker.held = Some(heard);
                    speaker.due = Some(until);
                    self.due.insert((until, id));
                }
            }
            if self.hub.session(id).is_none() {
                // Whoever has gone is listened to no more.
                break;
            }
        }
        // Before what the lines led to: until ^C is answered by a timing mark, Debian's telnet shows
        // nothing.
        self.reply(id, replies, out);
        let waits = self.waits(id);
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        // What it waits for has it listened to.
        if self.hub.session(id).is_none() || waits || speaker.due.is_some() {
            speaker.more = false;
            return;
        }
        let skipping = speaker.link.is_skipping();
        if (dropped || skipping) && speaker.end.is_none() && !speaker.rested {
            let until = at.mono.after(if skipping { REST_SKIPPING } else { REST });
            speaker.due = Some(until);
            speaker.more = false;
            speaker.rested = true;
            self.due.insert((until, id));
            return;
        }
        if speaker.more {
            return out.push(Outcome::More(id));
        }
        if speaker.link.is_done()
            && let Some(why) = speaker.end.clone()
        {
            self.tell_hub(hub::Input::Gone { session: id, why }, at);
        }
    }

    fn heard(&mut self, id: SessionId, heard: Heard, at: Now) {
        let input = match heard {
            Heard::Line { text, .. } => hub::Input::Line { session: id, text },
            Heard::TooLong { bytes } => hub::Input::Overlong { session: id, bytes },
            Heard::Leave => hub::Input::Line { session: id, text: "/quit".to_owned() },
            Heard::Terminal(terminal) => hub::Input::Terminal { session: id, terminal },
            Heard::Mode(mode) => hub::Input::Mode { session: id, mode },
            Heard::Shown => hub::Input::Shown { session: id },
            Heard::Complete(line) => hub::Input::Complete { session: id, line },
            Heard::AreYouThere => return self.effects.push(Effect::Tell { to: id, message: Message::HereIAm }),
            Heard::Interrupt => hub::Input::Interrupted { session: id },
        };
        self.tell_hub(input, at);
    }

    /// What a client is sent at once, and how what it types looks now.
    fn reply(&mut self, id: SessionId, replies: Vec<u8>, out: &mut Vec<Outcome>) {
        if !replies.is_empty() {
            out.push(Outcome::Order(Order::Tell(id, replies.into())));
            self.release(id, out);
        }
        if let Some(speaker) = self.speakers.get_mut(&id)
            && let Some(area) = speaker.link.area()
        {
            out.push(Outcome::Order(Order::Area(id, area)));
        }
    }

    /// What others say may wait; what a client is answered does not.
    fn release(&self, id: SessionId, out: &mut Vec<Outcome>) {
        if self.hub.session(id).is_some_and(|session| session.holds) {
            out.push(Outcome::Order(Order::Release(id)));
        }
    }

    /// Has a client's link do something, and sends what follows.
    fn with_link(&mut self, id: SessionId, out: &mut Vec<Outcome>, act: impl FnOnce(&mut Link, &mut Vec<u8>)) {
        let Some(speaker) = self.speakers.get_mut(&id) else { return };
        let mut replies = Vec::new();
        act(&mut speaker.link, &mut replies);
        self.reply(id, replies, out);
    }

    fn forget(&mut self, id: SessionId) {
        if let Some(speaker) = self.speakers.remove(&id)
            && let Some(due) = speaker.due
        {
            self.due.remove(&(due, id));
        }
    }

    /// Turns what the hub has decided into orders.
    fn carry(&mut self, at: Now, out: &mut Vec<Outcome>) {
        let mut effects = std::mem::take(&mut self.effects);
        for effect in effects.drain(..) {
            let order = match effect {
                Effect::Open(room) => Order::Open(room),
                Effect::Shut(room) => Order::Shut(room),
                Effect::Post { room, line } => Order::Post(room, line),
                Effect::Enter { session, room } => Order::Enter(session, room),
                Effect::Tell { to, message } => {
                    let speaker = self.speakers.get(&to);
                    let view = speaker.map_or_else(View::default, |speaker| speaker.view);
                    let mark = speaker.map_or(&[][..], |speaker| speaker.link.answer_mark());
                    let mut bytes = self.render(&message, view, at);
                    if !mark.is_empty() {
                        bytes = [&*bytes, mark].concat().into();
                    }
                    out.push(Outcome::Order(Order::Tell(to, bytes)));
                    if !matches!(message, Message::PrivateFrom { .. }) {
                        self.release(to, out);
                    }
                    continue;
                }
                Effect::View { session, view } => {
                    if let Some(speaker) = self.speakers.get_mut(&session) {
                        speaker.view = view;
                    }
                    Order::See(session, view)
                }
                Effect::Mode { session, mode } => {
                    self.with_link(session, out, |link, replies| link.set_mode(mode, replies));
                    continue;
                }
                Effect::Prompt { session, prompt } => {
                    self.with_link(session, out, |link, _| link.set_prompt(&prompt));
                    continue;
                }
                Effect::Echo { session, on } => {
                    self.with_link(session, out, |link, replies| link.hide(!on, replies));
                    continue;
                }
                Effect::Complete { session, from, words } => {
                    let max = self.hub.settings().limits.line;
                    self.with_link(session, out, |link, _| link.complete(from, words, max));
                    continue;
                }
                Effect::Hold { session, on } => Order::Hold(session, on),
                Effect::Release { session } => Order::Release(session),
                Effect::Hide { session, quiet, ignored, names } => {
                    Order::Hide(session, Filter { quiet, ignored, names })
                }
                Effect::Close { session, .. } => {
                    self.with_link(session, out, Link::close);
                    self.forget(session);
                    Order::Close(session)
                }
                Effect::Record { number, record } => {
                    out.push(Outcome::Record(number, record));
                    continue;
                }
                Effect::Search(search) => {
                    out.push(Outcome::Search(search));
                    continue;
                }
                Effect::Hash(job) => {
                    out.push(Outcome::Hash(job));
                    continue;
                }
                Effect::SecretSpent => {
                    out.push(Outcome::SecretSpent);
                    continue;
                }
                Effect::Happened(happening) => {
                    out.push(Outcome::Happened(happening));
                    continue;
                }
            };
            out.push(Outcome::Order(order));
        }
        self.effects = effects;
    }

    fn render(&mut self, message: &Message, view: View, at: Now) -> Arc<[u8]> {
        let day = at.wall.0.div_euclid(86_400_000);
        if let Message::Replay { lines, offset, of: Replay::Last, .. } = message
            && let Some(rendered) = &self.rendered
            && Arc::ptr_eq(&rendered.lines, lines)
            && (rendered.view, rendered.offset, rendered.day) == (view, *offset, day)
        {
            return rendered.bytes.clone();
        }
        self.page.clear();
        render::message(message, view, at.wall, &mut self.page);
        let bytes: Arc<[u8]> = self.page.as_slice().into();
        if self.page.capacity() > PAGE {
            self.page = Vec::new();
        }
        if let Message::Replay { lines, offset, of: Replay::Last, .. } = message {
            self.rendered = Some(Rendered { lines: lines.clone(), view, offset: *offset, day, bytes: bytes.clone() });
        }
        bytes
    }
}

/// What is read of a machine.
#[derive(Deserialize)]
struct Saved {
    hub: Hub,
    speakers: Vec<(SessionId, Speaker)>,
    next_id: u64,
    #[serde(default)]
    restarts: Restarts,
}

impl Serialize for Machine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        saving(&self.hub, &self.speakers, self.next_id, self.restarts).serialize(serializer)
    }
}

/// What is written of a machine.
#[derive(Serialize)]
struct Saving<'a, H> {
    hub: &'a H,
    speakers: Vec<(SessionId, &'a Speaker)>,
    next_id: u64,
    restarts: Restarts,
}

fn saving<'a, H>(
    hub: &'a H,
    speakers: &'a Rising<SessionId, CopyOnWrite<Speaker>>,
    next_id: u64,
    restarts: Restarts,
) -> Saving<'a, H> {
    let speakers = speakers.iter().map(|(id, speaker)| (id, &**speaker)).collect();
    Saving { hub, speakers, next_id, restarts }
}

/// A machine as it was at one moment: it can be written down, and nothing else.
#[derive(Debug)]
pub struct Frozen {
    hub: hub::Frozen,
    speakers: Rising<SessionId, CopyOnWrite<Speaker>>,
    next_id: u64,
    restarts: Restarts,
}

impl Serialize for Frozen {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        saving(&self.hub, &self.speakers, self.next_id, self.restarts).serialize(serializer)
    }
}

impl Machine {
    /// The machine as it is now, to be written down: what changes from now on is not in it. That takes a moment,
    /// whatever is kept: a look at each client and each room.
    #[must_use]
    pub fn frozen(&self) -> Frozen {
        Frozen {
            hub: self.hub.frozen(),
            speakers: self.speakers.clone(),
            next_id: self.next_id,
            restarts: self.restarts,
        }
    }
}

impl TryFrom<Saved> for Machine {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let mut machine = Self {
            hub: saved.hub,
            speakers: Rising::default(),
            due: BTreeSet::new(),
            next_id: saved.next_id,
            restarts: saved.restarts,
            effects: Vec::new(),
            rendered: None,
            page: Vec::new(),
        };
        for (id, speaker) in saved.speakers {
            if machine.hub.session(id).is_none() || id.0 >= machine.next_id {
                return Err(format!("{id} is listened to and not there"));
            }
            if let Some(due) = speaker.due {
                machine.due.insert((due, id));
            }
            if !speaker.link.is_sound() {
                return Err(format!("what {id} has sent does not fit together"));
            }
            if machine.speakers.insert(id, CopyOnWrite::new(speaker)).is_some() {
                return Err(format!("{id} is listened to twice"));
            }
        }
        if machine.speakers.len() != machine.hub.session_count() {
            return Err("somebody is not listened to".to_owned());
        }
        Ok(machine)
    }
}
