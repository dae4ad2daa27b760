//! Read-only access to the hub: clients, rooms, accounts, bans. Nothing here changes the hub.

use core::net::SocketAddr;
use std::sync::Arc;

use super::account::{Accounts, Role};
use super::archive::Backlog;
use super::leavers::Leavers;
use super::message::Refusal;
use super::peering::Peering;
use super::room::Room;
use super::sanction::Sanctions;
use super::session::Session;
use super::{Counters, Hub, command};
use crate::settings::Settings;
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::{self, Name};
use crate::values::time::Now;

impl Hub {
    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is known of other hubs; `None` where no link has ever connected.
    #[must_use]
    pub fn peering(&self) -> Option<&Peering> {
        self.peering.as_deref()
    }

    /// All clients, by age.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.people.sessions.values().map(|session| &**session)
    }

    /// The clients from this number on, the oldest first.
    pub fn sessions_from(&self, first: SessionId) -> impl Iterator<Item = &Session> {
        self.people.sessions.values_from(first).map(|one| &**one)
    }

    /// The number of clients.
    #[must_use]
    pub const fn session_count(&self) -> usize {
        self.people.sessions.len()
    }

    /// The client of this number.
    #[must_use]
    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.people.sessions.get(&id).map(|session| &**session)
    }

    /// The client that bears this name.
    #[must_use]
    pub fn find(&self, nick: &str) -> Option<SessionId> {
        self.people.names.find(&name::fold(nick))
    }

    /// All rooms except the door's, the oldest first.
    pub fn rooms(&self) -> impl Iterator<Item = &Room> {
        self.rooms.open.values().map(|room| &**room).filter(|room| Some(room.id) != self.door.room)
    }

    /// The rooms from this number on, except the door's, the oldest first.
    pub fn rooms_from(&self, first: RoomId) -> impl Iterator<Item = &Room> {
        self.rooms.open.values_from(first).map(|one| &**one).filter(|room| Some(room.id) != self.door.room)
    }

    /// The number of rooms, without the door's.
    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.open.len() - usize::from(self.door.room.is_some())
    }

    /// The room of this number.
    #[must_use]
    pub fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.open.get(&id).map(|room| &**room)
    }

    /// The room of this name, with or without a `#` before it.
    #[must_use]
    pub fn find_room(&self, name: &str) -> Option<RoomId> {
        self.rooms.names.find(&name::fold(name::of_room(name)?))
    }

    /// The room that newcomers enter.
    #[must_use]
    pub fn lobby(&self) -> RoomId {
        self.rooms.lobby
    }

    /// The lobby's name.
    pub(super) fn lobby_name(&self) -> &Name {
        &self.rooms.open[&self.rooms.lobby].name
    }

    /// The lines that the sender of the last input was charged for it, besides the line that it
    /// was.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.work.charged
    }

    /// Counters since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The number of clients in each state.
    #[must_use]
    pub fn clients_by_state(&self) -> [(&'static str, usize); 4] {
        let (door, logged_in) = (self.door.count(), self.people.logged_in.len());
        let operators = self.people.operators.len();
        let guests = self.session_count().saturating_sub(door + logged_in);
        [("guest", guests), ("member", logged_in.saturating_sub(operators)), ("operator", operators), ("door", door)]
    }

    /// The table of sanctions.
    #[must_use]
    pub fn sanctions(&self) -> &Sanctions {
        &self.moderation.sanctions
    }

    /// The clients that have left recently.
    #[must_use]
    pub fn leavers(&self) -> &Leavers {
        &self.moderation.leavers
    }

    /// All accounts.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The role of a client.
    #[must_use]
    pub fn role(&self, id: SessionId) -> Role {
        let account = self.people.sessions.get(&id).and_then(|session| self.accounts.get(session.account?));
        account.map_or(Role::Guest, |account| account.role)
    }

    pub(super) fn is_always_let_in(&self, peer: SocketAddr) -> bool {
        self.settings.access.always.iter().any(|network| network.has(peer.ip()))
    }

    /// The clients that are logged in to that account.
    pub fn logged_in_to(&self, account: AccountId) -> impl Iterator<Item = SessionId> {
        self.people.logged_in.range((account, SessionId(0))..=(account, SessionId(u64::MAX))).map(|(_, id)| *id)
    }

    /// Whether lines go to disk.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.on
    }

    /// The number of the last line that was said, in any room.
    #[must_use]
    pub fn last_line(&self) -> u64 {
        self.next_line - 1
    }

    /// The records that may not be on disk yet.
    #[must_use]
    pub fn backlog(&self) -> &Backlog {
        &self.recording.backlog
    }

    /// The most clients that were here at one time.
    #[must_use]
    pub fn peak(&self) -> usize {
        self.people.peak
    }

    /// Whether the hub is stopping.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Whether `session` may take the name `nick` at `now`.
    ///
    /// # Errors
    /// The reason why it may not.
    pub fn may_bear(&self, session: SessionId, nick: &Name, now: Now) -> Result<(), Refusal> {
        let shown: Arc<str> = nick.shown().into();
        if self.people.sessions.get(&session).is_some_and(|own| own.own_nick().shown() == nick.shown()) {
            return Err(Refusal::AlreadyNamed(shown));
        }
        let account = self.people.sessions.get(&session).and_then(|session| self.accounts.get(session.account?));
        // The owner of a registered name may bear it, whatever else it could be taken for.
        if account.is_none_or(|own| own.name.shown() != nick.shown()) {
            if name::is_reserved(nick, self.lobby_name()) {
                return Err(Refusal::NameReserved(shown));
            }
            if let Some(taken_for) = command::taken_for(nick) {
                return Err(Refusal::NameTakenFor(shown, taken_for));
            }
            // The name can look like several registered ones. It is refused if one of them belongs
            // to another person.
            let own = account.map(|own| own.id);
            let other = self.accounts.lookalikes(nick).find(|other| Some(*other) != own);
            if let Some(other) = other.and_then(|other| self.accounts.get(other)) {
                return Err(Refusal::NameRegistered(other.name.shown().into()));
            }
        }
        if let Some(ban) = self.ban_of_name(session, nick, now) {
            return Err(Refusal::NameBanned { name: shown, reason: ban.reason.clone() });
        }
        match self.people.names.lookalikes(nick).find(|other| *other != session) {
            Some(other) => Err(Refusal::NameTaken(self.people.sessions[&other].nick.shown().into())),
            // Another client sees the name as its own, and nobody else does. The refusal must not
            // tell of that client.
            None if self.people.unseen.lookalikes(nick).any(|other| other != session) => Err(Refusal::NameTaken(shown)),
            None if self.recording.unread && self.accounts.owner(nick).is_none() => Err(Refusal::NamesUnread),
            None => Ok(()),
        }
    }
}
