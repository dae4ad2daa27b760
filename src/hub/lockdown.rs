//! A lockdown: for a time, newcomers wait at the door, or are in and may not speak, until they have logged in. Who is
//! here when it begins stays and speaks. It ends by itself.
//!
//! It outlives the process as everything else does, and not the hub: at a cold start nobody is here, and whoever comes
//! in comes in as ever.

use super::Turn;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::message::{Refusal, Said};
use super::{By, Effect, Happening, Hub, What};
use crate::settings::Newcomers;
use crate::values::id::{RoomId, SessionId};
use crate::values::time::{Mono, Wall, in_words};

/// A lockdown that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lockdown {
    /// What becomes of newcomers.
    pub newcomers: Newcomers,
    /// When it ends: for the clock, and for people.
    pub until: (Mono, Wall),
    /// Who has a higher number has come since it began.
    newest: SessionId,
}

impl Hub {
    /// The lockdown that is under way, if any.
    #[must_use]
    pub fn lockdown(&self) -> Option<Lockdown> {
        self.moderation.lockdown
    }

    /// Until when `id` is kept from being heard because it has come during a lockdown and is not logged in. Whatever
    /// reaches another screen asks this.
    pub(super) fn locked_out(&self, id: SessionId) -> Option<Wall> {
        let lockdown = self.moderation.lockdown?;
        let is_guest = self.people.sessions.get(&id).is_some_and(|session| session.account.is_none());
        (id > lockdown.newest && is_guest).then_some(lockdown.until.1)
    }

    /// Why `id` registers no name now: who comes for a raid would log in by that.
    pub(super) fn may_register_in_lockdown(&self, id: SessionId) -> Result<(), Refusal> {
        self.locked_out(id).map_or(Ok(()), |until| Err(Refusal::NotInLockdown(until)))
    }
}

impl Turn<'_> {
    /// Begins a lockdown, or makes the one that is under way another one.
    pub(super) fn begin_lockdown(&mut self, newcomers: Option<Newcomers>, time: Option<Duration>, by: By) {
        let settings = &self.hub.settings.moderation;
        let newcomers = newcomers.unwrap_or(settings.lockdown);
        let time = time.unwrap_or(settings.lockdown_for);
        let until = (self.now.mono.after(time), self.now.wall.after(time));
        let newest = match self.hub.moderation.lockdown {
            Some(former) => former.newest,
            None => self.hub.people.sessions.last().unwrap_or(SessionId(0)),
        };
        self.hub.moderation.lockdown = Some(Lockdown { newcomers, until, newest });
        let what = match newcomers {
            Newcomers::Door => "newcomers wait at the door until they have logged in",
            Newcomers::Registered => "newcomers speak when they have logged in",
        };
        let text = format!("for {}: {what}", in_words(time));
        self.lockdown_happened(What::LockdownBegun, Some(text.into()), Some(until.1), by);
        self.tell_everybody(&format!("lockdown for {}: {what}; who is here stays and speaks", in_words(time)).into());
        // Where newcomers are let in by it, they wait no longer.
        self.open_door();
    }

    /// Ends the lockdown that is under way.
    pub(super) fn end_lockdown(&mut self, by: By) {
        if self.hub.moderation.lockdown.take().is_some() {
            self.lockdown_happened(What::LockdownEnded, None, None, by);
            self.tell_everybody(&"the lockdown is over: newcomers come in and speak again".into());
            self.open_door();
        }
    }

    /// Ends it when its time is over.
    pub(super) fn expire_lockdown(&mut self) {
        if self.hub.moderation.lockdown.is_some_and(|lockdown| lockdown.until.0 <= self.now.mono) {
            self.end_lockdown(By::Hub);
        }
    }

    fn lockdown_happened(&mut self, what: What, text: Option<Arc<str>>, until: Option<Wall>, by: By) {
        let by = Some(by);
        self.effects.push(Effect::Happened(Happening { text, until, by, ..Happening::new(what, self.now) }));
    }

    fn tell_everybody(&mut self, text: &Arc<str>) {
        let rooms: Vec<RoomId> = self.hub.rooms().filter(|room| !self.hub.rests(room)).map(|room| room.id).collect();
        for room in rooms {
            self.post(room, None, Said::Notice { text: text.clone() });
        }
    }
}
