//! A lockdown: for a time, newcomers wait at the door, or are in and may not speak, until they have logged in. Who is
//! here when it begins stays and speaks. It ends by itself.
//!
//! It is a sanction like others ([`super::sanction`]): listed, lifted, kept on disk. So a cold start does not end it, and
//! whoever comes then is a newcomer.

use super::Turn;
use std::sync::Arc;
use std::time::Duration;

use super::message::{Refusal, Said};
use super::sanction::{Kind, Order, Target};
use super::{By, Hub};
use crate::settings::Newcomers;
use crate::values::id::{RoomId, SessionId};
use crate::values::time::{Wall, in_words};

/// A lockdown that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockdown {
    /// What becomes of newcomers.
    pub newcomers: Newcomers,
    /// When it ends.
    pub until: Wall,
    /// Who has a higher number has come since it began.
    newest: SessionId,
}

impl Hub {
    /// The lockdown that is under way, if any.
    #[must_use]
    pub fn lockdown(&self) -> Option<Lockdown> {
        let sanction = self.moderation.sanctions.lockdown()?;
        let Kind::Lockdown { newcomers } = sanction.kind else { return None };
        Some(Lockdown { newcomers, until: sanction.end(), newest: sanction.after })
    }

    /// Until when `id` is kept from being heard because it has come during a lockdown and is not logged in. Whatever
    /// reaches another screen asks this.
    pub(super) fn locked_out(&self, id: SessionId) -> Option<Wall> {
        let lockdown = self.lockdown()?;
        let is_guest = self.people.sessions.get(&id).is_some_and(|session| session.account.is_none());
        (id > lockdown.newest && is_guest).then_some(lockdown.until)
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
        let until = Some(self.now.wall.after(time.unwrap_or(settings.lockdown_for)));
        let order = Order { until, ..Order::about(Kind::Lockdown { newcomers }, Target::Newcomers) };
        self.sanction(order, by);
    }

    /// Tells everybody of a lockdown that has begun.
    pub(super) fn lockdown_began(&mut self, newcomers: Newcomers, until: Option<Wall>) {
        let what = self.lockdown_in_words(newcomers, until);
        self.tell_everybody(&format!("lockdown {what}; who is here stays and speaks").into());
        // Where newcomers are let in by it, they wait no longer.
        self.open_door();
    }

    /// For how long, and what becomes of newcomers.
    pub(super) fn lockdown_in_words(&self, newcomers: Newcomers, until: Option<Wall>) -> String {
        let what = match newcomers {
            Newcomers::Door => "newcomers wait at the door until they have logged in",
            Newcomers::Registered => "newcomers speak when they have logged in",
        };
        let left = until.map_or(0, |until| u64::try_from(until.0.saturating_sub(self.now.wall.0)).unwrap_or(0));
        format!("for {}: {what}", in_words(Duration::from_millis(left)))
    }

    /// Ends the lockdown that is under way.
    pub(super) fn end_lockdown(&mut self, by: By) {
        if let Some(id) = self.hub.moderation.sanctions.lockdown().map(|one| one.id) {
            self.lift(id, by);
        }
    }

    /// Tells everybody that it is over.
    pub(super) fn lockdown_ended(&mut self) {
        self.tell_everybody(&"the lockdown is over: newcomers come in and speak again".into());
        self.open_door();
    }

    fn tell_everybody(&mut self, text: &Arc<str>) {
        let rooms: Vec<RoomId> = self.hub.rooms().filter(|room| !self.hub.rests(room)).map(|room| room.id).collect();
        for room in rooms {
            self.post(room, None, Said::Notice { text: text.clone() });
        }
    }
}
