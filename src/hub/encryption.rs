//! Where the hub requires encryption: of all connections, in a room, for a password.
//!
//! A connection is secure if it is encrypted, or if it comes from a network on which nobody can
//! listen (`access.secure`; by default, from the same machine). Each requirement of encryption asks
//! whether a connection is secure. `/whois` shows whether it is encrypted.

use core::net::SocketAddr;
use std::sync::Arc;

use super::message::{Done, Refusal};
use super::room::Room;
use super::session::Session;
use super::{Hub, Turn};
use crate::settings::{Encryption, Entry, Passwords, Settings};
use crate::values::id::{RoomId, SessionId};

/// The most people without encryption that one answer names.
const NAMED: usize = 5;

impl Hub {
    /// Whether nobody on the way can read a connection from `peer`.
    pub(super) fn is_secure_from(&self, peer: SocketAddr, encrypted: bool) -> bool {
        encrypted || self.settings.access.secure.iter().any(|network| network.has(peer.ip()))
    }

    /// Whether nobody on the way can read that client's connection.
    #[must_use]
    pub fn is_secure(&self, session: &Session) -> bool {
        self.is_secure_from(session.peer, session.encrypted)
    }

    /// The address of the encrypted port, if the settings give it.
    pub(super) fn encrypted_at(&self) -> Option<Arc<str>> {
        self.settings.access.encrypted_at.as_deref().map(Into::into)
    }

    /// The refusal for connections that are not secure; `None` if they are let in. They are also
    /// refused if they would have to log in first, and could not send a password.
    pub(super) fn keeps_plain_out(&self) -> Option<Refusal> {
        let (access, accounts) = (&self.settings.access, &self.settings.accounts);
        let waits_in_vain = accounts.entry == Entry::Registered && accounts.encryption == Passwords::Required;
        (access.encryption == Encryption::Required || waits_in_vain)
            .then(|| Refusal::EncryptionRequired(self.encrypted_at()))
    }

    /// The refusal to take a password over the connection of `id`; `None` if one may be sent.
    /// `sent` tells whether one was sent already.
    pub(super) fn keeps_passwords_out(&self, id: SessionId, sent: bool) -> Option<Refusal> {
        let is_required = self.settings.accounts.encryption == Passwords::Required;
        (is_required && self.is_exposed(id)).then(|| Refusal::PasswordPlain { at: self.encrypted_at(), sent })
    }

    fn is_exposed(&self, id: SessionId) -> bool {
        self.session(id).is_some_and(|session| !self.is_secure(session))
    }

    /// The refusal to let `id` into a room because its connection is not secure; `None` if that is
    /// no hindrance. It holds for owner, moderators and operators as well: what others say there
    /// would go over their connections.
    pub(super) fn needs_encryption_in(&self, id: SessionId, room: &Room) -> Option<Refusal> {
        let is_let_in = !room.ownership.encrypted || self.session(id).is_some_and(|session| self.is_secure(session));
        (!is_let_in).then(|| Refusal::RoomEncrypted { room: room.name.shown().into(), at: self.encrypted_at() })
    }

    /// Whether the room may be closed to connections that are not secure. The lobby may not,
    /// because everybody comes in there, nor may a room with a member whose connection is not
    /// secure. `viewer` is the person who asks; `None` for an administrator.
    ///
    /// # Errors
    /// The reason why not.
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
    /// Warns `id`, from which a password comes or will come, if others can read its connection and
    /// the hub also takes encrypted ones: the settings give their address, or somebody has used
    /// one.
    pub(super) fn warn_of_plain_password(&mut self, id: SessionId) {
        let is_known = self.hub.settings.access.encrypted_at.is_some() || self.hub.counters.connections_encrypted > 0;
        if is_known && self.hub.settings.accounts.encryption == Passwords::Advised && self.hub.is_exposed(id) {
            let at = self.hub.encrypted_at();
            self.done(id, Done::PasswordReadable(at));
        }
    }

    /// Moves the members whose connections are not secure to the lobby, if the room requires
    /// encryption. They came in before that was known.
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

    /// Tells everybody if, by the new settings, only encrypted connections come in, and by the
    /// `former` ones others did too. Settings of `access` send nobody away, but people without
    /// encryption could not come again.
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
    use crate::hub::ignore::Borne;
    use crate::hub::lasting::Lasting;
    use crate::hub::message::{Line, Message, Said};
    use crate::hub::ownership::Ownership;
    use crate::hub::{Effect, Input, News};
    use crate::values::name::Name;
    use crate::values::time::{Now, Wall};

    /// A hub with two clients in the room `vault`: 1, which is encrypted, and 2, which is not.
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
            Effect::Tell { to, message: Message::Entrance(entrance) } if *to == SessionId(id) => Some(&entrance.lines),
            _ => None,
        });
        lines.flat_map(|lines| lines.iter()).map(|line| line.said.text().to_owned()).collect()
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
            origin: None,
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
    fn unencrypted_people_leave_when_the_disk_says_that_the_room_is_encrypted() {
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
