//! The state machine: one value that holds all state which has to survive a restart of the process.
//!
//! A [`Machine`] holds the hub, and for each client the bytes that were received but not handled
//! yet. It takes [`Input`]s and clients' bytes, each with the time at which it came. It answers
//! with [`Outcome`]s: orders for the rounds (the thread that writes to clients), and work for other
//! parts of the daemon. The machine is deterministic: the same inputs at the same times lead to the
//! same outcomes. So a process that takes over restores the state from a snapshot, and handles
//! again the inputs that came after it.
//!
//! The machine deliberately knows no socket, clock, file or tape. It decides nothing about people
//! and rooms: the hub does. `wire` parses what clients send and renders what they are told.
//!
//! | to change | see |
//! | --- | --- |
//! | inputs other than clients' bytes, and their form on the tape | `input` |
//! | outcomes: orders to the rounds, records, searches, passwords to hash | `outcome` |
//! | how an effect of the hub becomes an outcome; rendering messages for one client | `effects` |
//! | how many lines of a client are handled in a turn; when it has to pause or wait | `speaker` |
//! | encrypted clients: decrypting their records, the end of their input | `sealed` |
//! | commands and lists for administrators | `control` |
//! | the machine's part of a snapshot, and the checks when it is read | `saved` |

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

/// The most clients that one tick resumes; the next tick takes the rest.
const DUE: usize = 32;

/// The number of times that a process has taken over the state, and the time of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
    /// Takeovers since the hub began, after planned restarts and after kills.
    pub count: u64,
    /// The time of the last takeover; `None` if there was none.
    pub last: Option<Wall>,
}

/// The state machine: a hub, and the unhandled input of each of its clients.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Saved")]
pub struct Machine {
    hub: Hub,
    /// The unhandled input of each client; exactly the clients that the hub has sessions for.
    speakers: Rising<SessionId, CopyOnWrite<Speaker>>,
    /// Clients that wait for a time, with that time: the `due` of their speaker.
    due: BTreeSet<(Mono, SessionId)>,
    /// The lowest number that no connection has had yet.
    next_id: u64,
    restarts: Restarts,
    /// Effects of the hub that are not turned into outcomes yet. Empty between two inputs.
    effects: Vec<Effect>,
    replayed: Option<Replayed>,
    /// Scratch buffers whose memory is reused: `page` for rendering messages, `opened` for the
    /// content of decrypted records.
    page: Vec<u8>,
    opened: Vec<u8>,
}

impl Machine {
    /// A machine with an empty hub. `key` is the secret from which the hub derives its hashes.
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

    /// The number of times that a process has taken over the state, and the time of the last one.
    #[must_use]
    pub fn restarts(&self) -> Restarts {
        self.restarts
    }

    /// The lowest number that no connection has had yet: the next connection gets it.
    #[must_use]
    pub fn next_id(&self) -> SessionId {
        SessionId(self.next_id)
    }

    /// The values that [`Self::bytes`] will read for a client, so that the caller can prefetch them
    /// into the processor's cache; `None` if there is no such client.
    #[must_use]
    pub fn about(&self, id: SessionId) -> Option<(&Session, &Speaker)> {
        Some((self.hub.session(id)?, self.speakers.get(&id)?))
    }

    /// The time at which [`Input::Tick`] is due; `None` if nothing waits for a time.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        [self.hub.next_deadline(), self.due.first().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    /// Handles one input that came at the time `at`, and appends the outcomes to `out`.
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

    /// Passes news to the hub. Some of it concerns the machine as well.
    fn told(&mut self, news: News, at: Now, out: &mut Vec<Outcome>) {
        match &news {
            News::Settings(settings) => out.push(Order::Limits((&**settings).into()).into()),
            // A client's number is never used again, even if only recorded history still mentions
            // it.
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
            // Handle what the client has sent while it had to wait.
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
        // Clients beyond `DUE` stay due, so the next tick takes them.
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
