//! What is asked of connections that are not encrypted: by the whole hub, by a room, for a password.
//!
//! A connection is secure if it is encrypted, or comes from a network on which nobody can listen (`access.secure`): from
//! the same machine, by default. Whoever asks for encryption asks whether a connection is secure; what is shown of it
//! (`/whois`) is whether it is encrypted.

use core::net::SocketAddr;
use std::sync::Arc;

use super::message::{Done, Refusal};
use super::room::Room;
use super::session::Session;
use super::{Hub, Turn};
use crate::settings::{Encryption, Entry, Passwords, Settings};
use crate::values::id::{RoomId, SessionId};

/// The most people who are named as those who are not encrypted.
const NAMED: usize = 5;

impl Hub {
    /// Whether nobody on the way can read what goes over a connection from `peer`.
    pub(super) fn is_secure_from(&self, peer: SocketAddr, encrypted: bool) -> bool {
        encrypted || self.settings.access.secure.iter().any(|network| network.has(peer.ip()))
    }

    /// Whether nobody on the way can read what goes over that client's connection.
    #[must_use]
    pub fn is_secure(&self, session: &Session) -> bool {
        self.is_secure_from(session.peer, session.encrypted)
    }

    /// Where the hub is reached encrypted, if the settings say.
    pub(super) fn encrypted_at(&self) -> Option<Arc<str>> {
        self.settings.access.encrypted_at.as_deref().map(Into::into)
    }

    /// Why a connection that is not secure is not let in; `None` if it is. It is not where only logging in would help, and
    /// is not possible.
    pub(super) fn keeps_plain_out(&self) -> Option<Refusal> {
        let (access, accounts) = (&self.settings.access, &self.settings.accounts);
        let waits_in_vain = accounts.entry == Entry::Registered && accounts.encryption == Passwords::Required;
        (access.encryption == Encryption::Required || waits_in_vain)
            .then(|| Refusal::EncryptionRequired(self.encrypted_at()))
    }

    /// Why no password is taken over the connection of `id`; `None` if one is. `sent` says whether it has sent one
    /// already.
    pub(super) fn keeps_passwords_out(&self, id: SessionId, sent: bool) -> Option<Refusal> {
        let is_required = self.settings.accounts.encryption == Passwords::Required;
        (is_required && self.is_exposed(id)).then(|| Refusal::PasswordPlain { at: self.encrypted_at(), sent })
    }

    fn is_exposed(&self, id: SessionId) -> bool {
        self.session(id).is_some_and(|session| !self.is_secure(session))
    }

    /// Why `id` may not come into a room that it may enter otherwise: its connection is not secure. This holds for
    /// those with the room's say as well, because what others say there would go over their connections.
    pub(super) fn needs_encryption_in(&self, id: SessionId, room: &Room) -> Option<Refusal> {
        let is_let_in = !room.ownership.encrypted || self.session(id).is_some_and(|session| self.is_secure(session));
        (!is_let_in).then(|| Refusal::RoomEncrypted { room: room.name.shown().into(), at: self.encrypted_at() })
    }

    /// Whether that room can be for secure connections alone: the lobby cannot, where everybody comes in, nor can a room
    /// where somebody is whose connection is not secure. `viewer` asks, or an administrator.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn may_be_encrypted(&self, room: RoomId, viewer: Option<SessionId>) -> Result<(), Refusal> {
        let Some(room) = self.room(room) else { return Ok(()) };
        if room.id == self.rooms.lobby {
            return Err(Refusal::LobbyStaysPlain(room.name.shown().into()));
        }
        let plain = room.members.iter().filter_map(|id| self.session(*id)).filter(|session| !self.is_secure(session));
        let (mut names, mut count, mut own) = (Vec::new(), 0, false);
        for session in plain {
            count += 1;
            own |= viewer == Some(session.id);
            if names.len() < NAMED && viewer != Some(session.id) {
                let name = viewer.map_or(&session.nick, |viewer| session.nick_for(viewer));
                names.push(name.shown().into());
            }
        }
        if own {
            return Err(Refusal::NotEncryptedYourself(self.encrypted_at()));
        }
        if count > 0 { Err(Refusal::PlainInRoom { names, count }) } else { Ok(()) }
    }

    /// Lets no member of a room whose connection is not secure find lines that are not for such connections: they were
    /// read from disk after it had come in.
    pub(super) fn hide_from_plain_in(&mut self, room: RoomId) {
        let Some(room) = self.room(room) else { return };
        let from = room.ownership.plain_from();
        let members = room.members.iter().copied();
        for id in members.filter(|id| self.is_exposed(*id)).collect::<Vec<_>>() {
            if let Some(session) = self.people.sessions.get_mut(&id) {
                session.sees_from = session.sees_from.max(from);
            }
        }
    }
}

impl Turn<'_> {
    /// Tells `id`, from which a password comes or is to come, if others can read it on its way and there is a better
    /// one: as far as the hub knows, that is, by its settings or because somebody has come by it.
    pub(super) fn warn_of_plain_password(&mut self, id: SessionId) {
        let is_known = self.hub.settings.access.encrypted_at.is_some() || self.hub.counters.connections_encrypted > 0;
        if is_known && self.hub.settings.accounts.encryption == Passwords::Advised && self.hub.is_exposed(id) {
            let at = self.hub.encrypted_at();
            self.done(id, Done::PasswordReadable(at));
        }
    }

    /// Sends those to the lobby whose connections are not secure, if the room is for others: it was known to be
    /// encrypted only after they had come.
    pub(super) fn put_plain_out(&mut self, id: RoomId) {
        let lobby = self.hub.rooms.lobby;
        let Some(room) = self.hub.room(id).filter(|room| room.ownership.encrypted && room.id != lobby) else { return };
        let members =
            room.members.iter().filter_map(|member| Some((*member, self.hub.needs_encryption_in(*member, room)?)));
        for (member, refusal) in members.collect::<Vec<_>>() {
            self.refuse(member, refusal);
            self.enter(member, lobby);
        }
    }

    /// Tells everybody if only encrypted connections come in from now on, where `former` settings let others in. Who is
    /// here stays, as with all settings of `access`; but who is here without encryption could not come again.
    pub(super) fn tell_of_encryption(&mut self, former: &Settings) {
        let now = self.hub.settings.access.encryption;
        if now == Encryption::Required && former.access.encryption != now {
            self.tell_everybody(&"from now on only encrypted connections come in; who is here stays".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::archive::{Recalled, RecalledRoom};
    use crate::hub::lasting::Lasting;
    use crate::hub::message::{Borne, Line, Message, Said};
    use crate::hub::ownership::Ownership;
    use crate::hub::{Effect, Input, News};
    use crate::values::name::Name;
    use crate::values::time::{Now, Wall};

    /// Settings, and a hub with the clients 1, which is encrypted, and 2, which is not, in the room `vault`.
    fn vault() -> Hub {
        let mut hub = Hub::new(Settings::default(), [7; 16], Now::default(), &mut Vec::new());
        for (number, encrypted) in [(1, true), (2, false)] {
            let (session, peer) = (SessionId(number), ([192, 0, 2, 7], 4000 + u16::from(encrypted)).into());
            let connect = Input::Connect { session, peer, encrypted, certificate: None };
            hub.handle(connect, Now::default(), &mut Vec::new());
            hub.handle(Input::Line { session, text: "/join vault".into() }, Now::default(), &mut Vec::new());
        }
        hub
    }

    /// What a client is shown of a room's history when it comes in.
    fn shown_on_joining(hub: &mut Hub, id: u64, room: &str) -> Vec<String> {
        let mut effects = Vec::new();
        let join = Input::Line { session: SessionId(id), text: format!("/join {room}").as_str().into() };
        hub.handle(join, Now::default(), &mut effects);
        let lines = effects.iter().filter_map(|effect| match effect {
            Effect::Tell { to, message: Message::Replay { lines, .. } } if *to == SessionId(id) => Some(lines),
            _ => None,
        });
        lines.flatten().map(|line| line.said.text().to_owned()).collect()
    }

    #[test]
    fn lines_of_an_encrypted_room_stay_from_plain_people_after_a_cold_start() {
        let line = |seq, text: &str| Line {
            seq,
            at: Wall(0),
            author: Some(SessionId(1)),
            said: Said::Say { nick: "ann".into(), text: text.into() },
            borne: Borne::default(),
            apart: None,
        };
        let cellar = RecalledRoom {
            room: RoomId(9),
            name: "cellar".to_owned(),
            lines: vec![line(3, "a secret"), line(4, "said when it was open to all")],
            plain_from: 4,
        };
        let recalled = Recalled { last_line: 4, last_room: 9, rooms: vec![cellar], ..Recalled::default() };
        let mut cold = vault();
        cold.handle(News::Archive(Some(Box::new(recalled))), Now::default(), &mut Vec::new());
        for joined_first in [1, 2] {
            // After a hand-over as well.
            let saved = serde_json::to_vec(&cold).expect("JSON");
            let mut hub: Hub = serde_json::from_slice(&saved).expect("the same");
            for id in [joined_first, 3 - joined_first] {
                let shown = shown_on_joining(&mut hub, id, "cellar");
                let all = ["a secret", "said when it was open to all"];
                assert_eq!(shown, if id == 1 { &all[..] } else { &all[1..] }, "client {id}");
            }
            hub.check_invariants();
        }
    }

    #[test]
    fn who_is_not_encrypted_goes_when_the_disk_tells_that_the_room_is() {
        let mut hub = vault();
        let mut ownership = Ownership::default();
        (ownership.encrypted, ownership.lasts) = (true, true);
        let name = Name::parse("vault", 24).expect("a name");
        let kept = Lasting { name, topic: "".into(), since: Wall(0), ownership, room: None, topic_set: None };
        let recalled = Recalled { lasting: vec![kept], ..Recalled::default() };
        let mut effects = Vec::new();
        hub.handle(News::Archive(Some(Box::new(recalled))), Now::default(), &mut effects);
        let rooms =
            [1, 2].map(|id| hub.room(hub.session(SessionId(id)).expect("here").room).expect("open").name.shown());
        assert_eq!(rooms, ["vault", "lobby"]);
        let is_told = |effect: &Effect| {
            matches!(
                effect,
                Effect::Tell { to: SessionId(2), message: Message::Refused(Refusal::RoomEncrypted { .. }) }
            )
        };
        assert!(effects.iter().any(is_told));
        hub.check_invariants();
    }
}
