//! The state machine: everything that is decided and has to outlive a process, as one value.
//!
//! It holds the hub and what each client has sent so far, and takes [`Input`]s, each with the time at
//! which it came. What follows are [`Outcome`]s: orders for whoever writes to clients, and happenings
//! worth telling. The same inputs at the same times lead to the same outcomes: so a snapshot of it and
//! the inputs since *are* its state, and a process that takes over replays them.

use core::net::SocketAddr;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::hub::message::View;
use crate::hub::session::Session;
use crate::hub::{self, Effect, Hub};
use crate::settings::Settings;
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::rising::Rising;
use crate::values::time::{Mono, Now, Wall};
use crate::wire::admin::Command;
use crate::wire::terminal::link::Link;

mod control;
mod effects;
mod input;
mod outcome;
mod saved;
mod speaker;

use effects::Rendered;
pub use input::Input;
pub use outcome::{Limits, Order, Outcome};
pub use saved::Frozen;
use saved::Saved;
pub use speaker::Speaker;

/// Clients that are listened to again in one go, of those whose time has come.
const DUE: usize = 32;

/// Restarts that the state has lived through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// How many.
    pub count: u64,
    /// When the last one was.
    pub last: Option<Wall>,
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
        machine.apply_effects(now, out);
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
            Input::Control { command, args, by } => {
                if let Ok(command) = Command::parse(&command, args) {
                    self.control(&command, by, at, &|_| (0, 0), out);
                }
            }
            Input::Hub(input) => self.told(input, at, out),
            Input::Restarted => self.restarts = Restarts { count: self.restarts.count + 1, last: Some(at.wall) },
            Input::Tick => self.tick(at, out),
        }
        self.apply_effects(at, out);
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
        self.apply_effects(at, out);
    }

    /// Takes what the daemon tells the hub: some of it concerns the machine as well.
    fn told(&mut self, input: hub::Input, at: Now, out: &mut Vec<Outcome>) {
        match &input {
            hub::Input::Settings(settings) => out.push(Outcome::Order(Order::Limits((&**settings).into()))),
            // A client's number means that client, also in what was recorded.
            hub::Input::Archive(Some(recalled)) | hub::Input::Recalled(recalled) => {
                self.next_id = self.next_id.max(recalled.last_session.saturating_add(1));
            }
            _ => {}
        }
        let waits_no_more = match &input {
            hub::Input::Crowded { session, on: false } => Some(*session),
            hub::Input::Hashed { number, .. } => self.hub.waits_for(*number),
            _ => None,
        };
        self.tell_hub(input, at);
        if let Some(id) = waits_no_more {
            // What it has sent meanwhile.
            self.listen(id, at, out);
        }
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
}
