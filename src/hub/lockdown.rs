//! A lockdown: for a limited time, newcomers wait at the door, or come in and may not speak, until
//! they have logged in. Clients that are here when it begins may stay and speak.
//!
//! A lockdown is a sanction like others ([`super::sanction`]): it is listed, lifted and kept on
//! disk. So a cold start does not end it, and everybody who comes after the start is a newcomer.

use super::Turn;
use std::sync::Arc;
use std::time::Duration;

use super::message::{Refusal, Said};
use super::sanction::{Kind, Order, Sanction, Target};
use super::{By, Hub};
use crate::settings::Newcomers;
use crate::values::id::{RoomId, SessionId};
use crate::values::time::{Wall, in_words};

/// The lockdown in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockdown {
    /// What happens to newcomers.
    pub newcomers: Newcomers,
    /// When it ends.
    pub until: Wall,
    /// The newest client when the lockdown began; clients with higher numbers have come since.
    newest: SessionId,
}

impl Lockdown {
    /// Whether the client has come since the lockdown began.
    pub(super) fn is_newcomer(&self, id: SessionId) -> bool {
        id > self.newest
    }
}

impl Hub {
    /// The lockdown in force, if there is one.
    #[must_use]
    pub fn lockdown(&self) -> Option<Lockdown> {
        let sanction = self.moderation.sanctions.lockdown()?;
        let Kind::Lockdown { newcomers } = sanction.kind else { return None };
        Some(Lockdown { newcomers, until: sanction.end(), newest: sanction.after })
    }

    /// The end of the lockdown, if `id` came during it and is not logged in, and so may not be
    /// heard; else `None`. Everything that reaches another screen asks this.
    pub(super) fn locked_out(&self, id: SessionId) -> Option<Wall> {
        let lockdown = self.lockdown()?;
        let is_guest = self.people.sessions.get(&id).is_some_and(|session| session.account.is_none());
        (lockdown.is_newcomer(id) && is_guest).then_some(lockdown.until)
    }

    /// Whether the lockdown allows `id` to register a name. Clients that came during it may not: a
    /// raider would be logged in by registering.
    pub(super) fn may_register_in_lockdown(&self, id: SessionId) -> Result<(), Refusal> {
        self.locked_out(id).map_or(Ok(()), |until| Err(Refusal::NotInLockdown(until)))
    }
}

impl Turn<'_> {
    /// Begins a lockdown, or replaces the one in force. `None`: as the settings say.
    pub(super) fn begin_lockdown(&mut self, newcomers: Option<Newcomers>, time: Option<Duration>, by: By) {
        let settings = &self.hub.settings.moderation;
        let newcomers = newcomers.unwrap_or(settings.lockdown);
        let until = Some(self.now.wall.after(time.unwrap_or(settings.lockdown_for)));
        let order = Order { until, ..Order::about(Kind::Lockdown { newcomers }, Target::Newcomers) };
        self.sanction(order, by);
    }

    /// Tells everybody that a lockdown has begun, and which one it replaces.
    pub(super) fn lockdown_began(&mut self, newcomers: Newcomers, until: Option<Wall>, former: Option<&Sanction>) {
        let what = self.lockdown_in_words(newcomers, until);
        let before = match former.map(|former| (&former.kind, former.until)) {
            Some((Kind::Lockdown { newcomers }, until)) => {
                format!("; the one before was {}", self.lockdown_in_words(*newcomers, until))
            }
            _ => String::new(),
        };
        self.tell_everybody(&format!("lockdown {what}; who is here stays and speaks{before}").into());
        // If newcomers may come in during this lockdown, and only not speak, the clients at the
        // door need not wait.
        self.open_door();
    }

    /// In words: how long the lockdown lasts, and what happens to newcomers.
    pub(super) fn lockdown_in_words(&self, newcomers: Newcomers, until: Option<Wall>) -> String {
        let what = match newcomers {
            Newcomers::Door => "newcomers wait at the door until they have logged in",
            Newcomers::Registered => "newcomers speak when they have logged in",
        };
        let left = until.map_or(0, |until| u64::try_from(until.0.saturating_sub(self.now.wall.0)).unwrap_or(0));
        format!("for {}: {what}", in_words(Duration::from_millis(left)))
    }

    /// Ends the lockdown in force.
    pub(super) fn end_lockdown(&mut self, by: By) {
        if let Some(id) = self.hub.moderation.sanctions.lockdown().map(|one| one.id) {
            self.lift(id, by);
        }
    }

    /// Tells everybody that the lockdown is over.
    pub(super) fn lockdown_ended(&mut self) {
        self.tell_everybody(&"the lockdown is over: newcomers come in and speak again".into());
        self.open_door();
    }

    pub(super) fn tell_everybody(&mut self, text: &Arc<str>) {
        let rooms: Vec<RoomId> = self.hub.rooms().filter(|room| !self.hub.rests(room)).map(|room| room.id).collect();
        for room in rooms {
            self.post(room, None, Said::Notice { text: text.clone() });
        }
    }
}
