//! The state machine: everything that is decided and has to outlive a process, as one value.
//!
//! The machine holds the hub and what each client has sent so far. It takes [`Input`]s and clients' bytes, each with
//! the time at which it came. What follows are [`Outcome`]s: orders for the rounds, which write to clients, and work
//! for others. The same inputs at the same times lead to the same outcomes. So a snapshot of the machine and the inputs
//! since *are* its state, and a process that takes over handles them again.
//!
//! The machine knows no socket, clock, file or tape. It decides nothing itself: the hub does, and `wire` reads and
//! renders.
//!
//! | to change | see |
//! | --- | --- |
//! | what can reach the machine beside clients' bytes, and what the tape keeps of that | `input` |
//! | what can follow: orders to the rounds, records, searches, passwords to be hashed | `outcome` |
//! | what becomes of an effect of the hub; rendering what one client is told | `effects` |
//! | how many lines of a client are taken at a time, when it has to pause, what it waits for | `speaker` |
//! | clients whose connections are encrypted: their records, the end of their input | `sealed` |
//! | administrators' commands and lists | `control` |
//! | what a snapshot holds, and what is checked when it is read | `saved` |

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::hub::peering::Incoming;
use crate::hub::session::Session;
use crate::hub::{self, Effect, Hub, News};
use crate::settings::Settings;
use crate::values::CopyOnWrite;
use crate::values::id::SessionId;
use crate::values::rising::Rising;
use crate::values::time::{Mono, Now, Wall};
use crate::wire::admin::Command;
use crate::wire::render::Replayed;

mod control;
mod effects;
mod input;
mod outcome;
mod saved;
mod sealed;
mod speaker;

pub use input::{Input, Proxied, Tls};
pub use outcome::{Limits, Order, Outcome};
pub use saved::Frozen;
use saved::Saved;
pub use speaker::Speaker;

/// The most clients whose time has come that one tick listens to again.
const DUE: usize = 32;

/// How often a process has taken over the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// How often since the hub began, also after a process was killed.
    pub count: u64,
    /// When that last happened; `None` if it never has.
    pub last: Option<Wall>,
}

/// The state machine: a hub, and what each of its clients has sent.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Machine {
    hub: Hub,
    /// For each client of the hub, what it has sent and is not handled.
    speakers: Rising<SessionId, CopyOnWrite<Speaker>>,
    /// Clients that are listened to again at a time, the `due` of their speaker.
    due: BTreeSet<(Mono, SessionId)>,
    /// The number for the next connection.
    next_id: u64,
    restarts: Restarts,
    /// Effects of the hub that are not outcomes yet. Empty between two inputs.
    effects: Vec<Effect>,
    replayed: Option<Replayed>,
    /// A buffer that messages are rendered in, and one for what encrypted records hold. Only their memory is kept.
    page: Vec<u8>,
    opened: Vec<u8>,
}

impl Machine {
    /// A machine with a hub that nobody is in yet.
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
            replayed: None,
            page: Vec::new(),
            opened: Vec::new(),
        };
        out.push(Order::Limits(limits).into());
        machine.apply_effects(now, out);
        machine
    }

    /// Has the protocol between hubs go without one of its rules, or with less memory, as long as this process has the
    /// state: a test sees what happens then.
    #[doc(hidden)]
    #[cfg(debug_assertions)]
    pub fn try_peering(&mut self, trial: hub::peering::Trial) {
        self.hub.try_peering(trial);
    }

    /// The hub, read-only.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// How often a process has taken over the state.
    #[must_use]
    pub fn restarts(&self) -> Restarts {
        self.restarts
    }

    /// The number for the next connection.
    #[must_use]
    pub fn next_id(&self) -> SessionId {
        SessionId(self.next_id)
    }

    /// What will be read when a client is listened to, for the caller to prefetch.
    #[must_use]
    pub fn about(&self, id: SessionId) -> Option<(&Session, &Speaker)> {
        Some((self.hub.session(id)?, self.speakers.get(&id)?))
    }

    /// When [`Input::Tick`] is due; `None` if nothing is.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        [self.hub.next_deadline(), self.due.first().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    /// Handles one input at `at`, and appends what follows to `out`.
    pub fn handle(&mut self, input: Input, at: Now, out: &mut Vec<Outcome>) {
        match input {
            Input::Connect { id, peer, tls, proxied, .. } => self.connect(id, peer, (tls, proxied), at, out),
            Input::End { id, why } => self.end(id, why, at, out),
            Input::Control { command, args, by } => {
                if let Ok(command) = Command::parse(&command, args) {
                    self.control(&command, by, at, &|_| crate::wire::admin::execute::Traffic::default(), out);
                }
            }
            Input::Hub(news) => self.told(news, at, out),
            Input::Peering(incoming) => self.tell_hub(incoming, at),
            Input::Restarted => {
                self.restarts = Restarts { count: self.restarts.count + 1, last: Some(at.wall) };
                // A connection of the link has ended with the process that had it.
                if self.hub.peering().is_some() {
                    self.tell_hub(Incoming::Unlinked, at);
                }
            }
            Input::Tick => self.tick(at, out),
        }
        self.apply_effects(at, out);
    }

    /// Handles news for the hub. Some of it concerns the machine as well.
    fn told(&mut self, news: News, at: Now, out: &mut Vec<Outcome>) {
        match &news {
            News::Settings(settings) => out.push(Order::Limits((&**settings).into()).into()),
            // A client's number is never given again, also not if it is only in the recorded history.
            News::Archive(Some(recalled)) | News::Recalled(recalled) => {
                self.next_id = self.next_id.max(recalled.last_session.saturating_add(1));
            }
            _ => {}
        }
        let waits_no_more = match &news {
            News::Crowded { session, on: false } => Some(*session),
            News::Hashed { number, .. } => self.hub.waits_for(*number),
            _ => None,
        };
        self.tell_hub(news, at);
        if let Some(id) = waits_no_more {
            // The machine listens to what the client has sent meanwhile.
            self.listen(id, at, out);
        }
    }

    fn tell_hub(&mut self, input: impl Into<hub::Input>, at: Now) {
        self.hub.handle(input, at, &mut self.effects);
    }

    fn tick(&mut self, at: Now, out: &mut Vec<Outcome>) {
        if self.hub.next_deadline().is_some_and(|due| due <= at.mono) {
            self.tell_hub(hub::Input::Tick, at);
        }
        // Those that are left are still due, so the next tick takes them.
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
