//! Idleness: a client that sends no line is warned, and disconnected `idle.warning` later,
//! `idle.after` after its last line. Operators are spared, and so are clients from the networks of
//! `access.always`.
//!
//! No client has a timer of its own, which every line would have to move. Instead, a pass looks
//! through all clients, some in each tick. While it does, it notes when the first client can be
//! due, and the next pass begins then. That is early enough, because a line only makes a client due
//! later.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::{Done, Farewell, Message};
use super::{AT_A_TIME, Hub, Turn};
use crate::values::id::SessionId;
use crate::values::time::Mono;

/// The number of clients that one tick looks at.
const LOOKS: usize = 1000;

/// The clients that were warned, and when to look through all clients again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Idleness {
    /// The moment at which the next pass begins, or the present one goes on; `None` if no client
    /// can be due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Mono>,
    /// The pass under way: the next client to look at, and the first moment at which one of the
    /// clients before it can be due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    look: Option<(SessionId, Mono)>,
    /// When each client was warned.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    warned: BTreeMap<SessionId, Mono>,
}

impl Idleness {
    /// The moment at which there is something to do; `None`: never.
    pub(super) fn due(&self) -> Option<Mono> {
        self.next
    }

    /// Notes that a client has gone.
    pub(super) fn left(&mut self, id: SessionId) {
        self.warned.remove(&id);
    }

    /// The clients that were warned.
    pub(super) fn warned(&self) -> impl Iterator<Item = SessionId> {
        self.warned.keys().copied()
    }
}

/// What happens to a client next.
enum Due {
    Later(Mono),
    Warning,
    Goodbye,
}

impl Hub {
    /// The time without a line after which a client is warned, and the time after the warning at
    /// which it is disconnected; `None` if idle clients stay.
    fn patience(&self) -> Option<(Duration, Duration)> {
        let idle = &self.settings.idle;
        let warning = idle.warning;
        idle.after.map(|after| (after.saturating_sub(warning), warning))
    }

    /// Notes that a client has come: it may be the first to be due.
    pub(super) fn may_be_idle_from(&mut self, now: Mono) {
        if let Some((quiet, _)) = self.patience() {
            self.idleness.next.get_or_insert(now.after(quiet));
        }
    }

    fn idle_due(&self, id: SessionId, now: Mono, quiet: Duration, warning: Duration) -> Option<Due> {
        let session = self.session(id)?;
        let stays =
            session.at_door.is_some() || self.people.operators.contains(&id) || self.is_always_let_in(session.peer);
        if stays {
            return None;
        }
        let warned = self.idleness.warned.get(&id).filter(|warned| **warned > session.spoke);
        let (at, then) = match warned {
            Some(warned) => (warned.after(warning), Due::Goodbye),
            None => (session.spoke.after(quiet), Due::Warning),
        };
        Some(if at > now { Due::Later(at) } else { then })
    }
}

impl Turn<'_> {
    /// Begins a new pass, because the settings have changed.
    pub(super) fn look_for_idle_again(&mut self) {
        (self.hub.idleness.next, self.hub.idleness.look) = (None, None);
        match self.hub.patience() {
            None => self.hub.idleness.warned.clear(),
            Some(_) if self.hub.people.sessions.is_empty() => {}
            Some(_) => self.hub.idleness.next = Some(self.now.mono),
        }
    }

    /// Warns or disconnects clients that have sent nothing for too long.
    pub(super) fn see_off_idle(&mut self) {
        if self.hub.idleness.next.is_none_or(|next| next > self.now.mono) {
            return;
        }
        let Some((quiet, warning)) = self.hub.patience() else {
            self.hub.idleness.next = None;
            return;
        };
        let now = self.now.mono;
        // Clients that come during this pass are due later than `first`.
        let (from, mut first) = self.hub.idleness.look.take().unwrap_or((SessionId(0), now.after(quiet)));
        let here: Vec<SessionId> =
            self.hub.people.sessions.values_from(from).take(LOOKS).map(|session| session.id).collect();
        let mut told = 0;
        let mut rest = (here.len() == LOOKS).then(|| SessionId(here[LOOKS - 1].0 + 1));
        for id in here {
            if told == AT_A_TIME {
                rest = Some(id);
                break;
            }
            match self.hub.idle_due(id, now, quiet, warning) {
                None => self.hub.idleness.left(id),
                Some(Due::Later(at)) => first = first.min(at),
                Some(Due::Warning) => {
                    self.hub.idleness.warned.insert(id, now);
                    first = first.min(now.after(warning));
                    let silent = self.hub.session(id).map_or(quiet, |session| session.idle(self.now));
                    self.done(id, Done::IdleSoon { silent, left: warning });
                    told += 1;
                }
                Some(Due::Goodbye) => {
                    self.hub.counters.idled += 1;
                    self.tell(id, Message::Goodbye(Farewell::Idle));
                    self.depart(id, Farewell::Idle);
                    told += 1;
                }
            }
        }
        let idleness = &mut self.hub.idleness;
        match rest {
            Some(next) => (idleness.next, idleness.look) = (Some(now), Some((next, first))),
            None => idleness.next = (!self.hub.people.sessions.is_empty()).then_some(first),
        }
    }
}
