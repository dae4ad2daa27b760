//! Rooms: opening and closing them, moving between them, topics, and posting a line at the end of a
//! log.

use super::Turn;
use std::sync::Arc;

use super::account::Role;
use super::archive::Record;
use super::entrance::Since;
use super::ignore::Borne;
use super::message::{Done, Line, Said, Welcome};
use super::peering::entry::EntryId;
use super::presence::Step;
use super::room::{Room, TopicSet};
use super::{By, Dormant, Effect, Happening, Hub, What};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::time::Wall;

impl Hub {
    /// Counts one room less for the origin from which it was opened.
    pub(super) fn closes(&mut self, from: Origin) {
        if let Some(count) = self.rooms.openers.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.rooms.openers.remove(&from);
            }
        }
    }
}

impl Turn<'_> {
    /// Opens a room, with a log, for a client that is about to come into it.
    pub(super) fn open(&mut self, name: Name) -> RoomId {
        let id = self.found_room(name, None);
        self.effects.push(Effect::Open(id));
        id
    }

    /// Opens a room without a log. `known` is the number that the room had before, if that is
    /// known.
    pub(super) fn found_room(&mut self, name: Name, known: Option<RoomId>) -> RoomId {
        let known = known.filter(|known| !self.hub.rooms.open.contains_key(known));
        // A room that was open when the hub ended keeps its number and history.
        let dormant = self.hub.recording.dormant.remove(name.folded());
        let id = dormant.as_ref().map(|dormant| dormant.room).or(known).unwrap_or(RoomId(self.hub.rooms.next));
        self.hub.rooms.next = self.hub.rooms.next.max(id.0 + 1);
        // `keep`, because the lobby, whose name is a setting, may look like another room.
        self.hub.rooms.names.keep(&name, id).expect("the caller has asked whether it is open");
        let mut room = Room::new(id, name, self.now.wall);
        room.kept = self.hub.settings.history.keeps(&room.name);
        if let Some(Dormant { history, plain_from, .. }) = dormant {
            room.history = CopyOnWrite::new(history);
            room.ownership.hide_from_plain(plain_from);
            room.recorded = true;
        }
        self.hub.rooms.open.insert(id, CopyOnWrite::new(room));
        id
    }

    /// Makes the room that the settings name the lobby. Everybody in the former lobby moves along.
    /// If a room of that name is open, it becomes the lobby and loses its owner.
    pub(super) fn move_lobby(&mut self) {
        let (former, rooms) = (self.hub.rooms.lobby, &self.hub.settings.rooms);
        // The check of the settings refuses a name that is not valid.
        let Ok(name) = Name::parse(&rooms.lobby, self.hub.settings.limits.room_name) else { return };
        if self.hub.rooms.open[&former].name == name {
            return;
        }
        let lobby = match self.hub.rooms.names.find(name.folded()) {
            Some(room) => {
                self.wake(room);
                room
            }
            None => self.open(name),
        };
        self.hub.rooms.lobby = lobby;
        if lobby == former {
            // The settings only spell the name of the lobby in another way.
            return;
        }
        let next_line = self.hub.next_line;
        // The room loses its owner, moderators and modes.
        let lasts = self.hub.rooms.open[&lobby].ownership.lasts;
        let room = self.hub.rooms.open.get_mut(&lobby).expect("it is open");
        // People who come in now must not see lines that were said there in private.
        room.ownership = room.ownership.of_nobody(next_line);
        room.ownership.lasts = lasts;
        room.unseen_of = None;
        if let Some(from) = room.opened_from.take() {
            self.hub.closes(from);
        }
        self.set_lasting(lobby, false);
        let members: Vec<_> = self.hub.rooms.open[&former].members.iter().copied().collect();
        for member in &members {
            self.enter(*member, lobby);
        }
        if members.is_empty() {
            if self.hub.rooms.open[&former].ownership.lasts { self.rest(former) } else { self.shut(former) }
        }
    }

    pub(super) fn shut(&mut self, id: RoomId) {
        let Some(room) = self.hub.rooms.open.remove(&id) else { return };
        if self.hub.door.room == Some(id) {
            self.hub.door.clear();
            return self.effects.push(Effect::Shut(id));
        }
        self.hub.rooms.names.release(&room.name);
        if let Some(from) = room.opened_from {
            self.hub.closes(from);
        }
        if let Some(at) = room.presence.flush_at {
            self.hub.rooms.deadlines.remove(&(at, id));
        }
        self.forget_expulsions(id);
        self.effects.push(Effect::Shut(id));
        // The disk need not know that a room was closed of which it holds nothing. Otherwise people
        // could make it write without end by opening and closing rooms.
        if room.kept && room.recorded {
            self.record(Record::Closed { room: id, name: room.name.clone() });
        }
        let room = Some(room.name.shown().into());
        self.effects.push(Effect::Happened(Happening { room, ..Happening::new(What::RoomClosed, self.now) }));
    }

    /// Moves `id` into an open room, and shows it that room.
    pub(super) fn enter(&mut self, id: SessionId, to: RoomId) {
        self.enter_again(id, to, None, None);
    }

    /// As [`Self::enter`]. `since` tells which lines of the room are new to a client that was there
    /// before; `welcome` greets a client that comes from outside.
    pub(super) fn enter_again(&mut self, id: SessionId, to: RoomId, since: Option<Since>, welcome: Option<Welcome>) {
        if Some(self.hub.people.sessions[&id].room) != self.hub.door.room {
            let to = self.hub.rooms.open.get(&to).map(|room| room.name.shown().into());
            self.left_for(id, to);
        }
        self.wake(to);
        let is_secure = self.hub.people.sessions.get(&id).is_some_and(|session| self.hub.is_secure(session));
        let session = self.hub.people.sessions.get_mut(&id).expect("the caller has it");
        let from = std::mem::replace(&mut session.room, to);
        session.heard = self.now.mono;
        let nick = session.nick.clone();
        let is_seen = !session.is_muted_untold(self.now);
        if !is_seen && self.hub.rooms.open[&to].is_unseen() {
            // The veil makes `lift_veil` show this room to all when the mute has ended.
            session.veil.get_or_insert_default();
        }
        let room = self.hub.rooms.open.get_mut(&to).expect("the caller has it");
        room.members.insert(id);
        if is_seen {
            // From now on others in the room know its name.
            self.show_room_to_all(to);
        }
        let room = &self.hub.rooms.open[&to];
        // The former room is told where `id` has gone, unless the new room is not in everybody's list. It is not told
        // of a room that was opened just now either: that one may be meant to become private.
        let is_new = room.members.len() == 1 && !room.ownership.lasts && to != self.hub.rooms.lobby;
        let shown = (room.is_known_to_all() && !is_new).then(|| room.name.shown().into());
        let session = self.hub.people.sessions.get_mut(&id).expect("the caller has it");
        session.sees_from = room.ownership.shown_from(self.hub.next_line, is_secure);
        let since = since.or_else(|| session.left.as_deref().and_then(|left| left.since(to)).map(Since::Line));
        if Some(from) != self.hub.door.room {
            session.left.get_or_insert_default().leave(from, self.hub.next_line);
        }
        self.effects.push(Effect::Enter { session: id, room: to });
        self.prompt(id);
        self.show_room(id, to, welcome, since);
        self.leave(id, &nick, from, Step::Left { reason: None, words: false, to: shown });
        self.happened(What::Joined, id, None, None);
        self.present(to, id, &nick.shown().into(), Step::Joined);
    }

    /// Ends a room's being seen by few alone, because somebody who is heard knows its name now.
    pub(super) fn show_room_to_all(&mut self, id: RoomId) {
        let Some(room) = self.hub.rooms.open.get_mut(&id).filter(|room| room.is_unseen()) else { return };
        room.unseen_of = None;
        if std::mem::take(&mut room.ownership.unseen) {
            self.keep_lasting(id);
        }
    }

    pub(super) fn close_room(&mut self, id: RoomId, reason: Option<Arc<str>>, by: By) {
        if id == self.hub.rooms.lobby {
            return;
        }
        self.set_lasting(id, false);
        let Some(room) = self.hub.rooms.open.get_mut(&id) else { return };
        room.closing = true;
        let name: Arc<str> = room.name.shown().into();
        let members: Vec<_> = room.members.iter().copied().collect();
        for member in &members {
            let done = Done::RoomClosed { room: name.clone(), reason: reason.clone() };
            self.done(*member, done);
        }
        for member in members {
            self.enter(member, self.hub.rooms.lobby);
        }
        // `shut` has already recorded that the room was closed, when its last member left. This
        // event adds who closed it, and why.
        let room = Some(name);
        let by = Some(by);
        self.effects.push(Effect::Happened(Happening {
            room,
            text: reason,
            by,
            ..Happening::new(What::RoomClosed, self.now)
        }));
    }

    pub(super) fn set_topic(&mut self, id: RoomId, author: Option<SessionId>, text: Arc<str>, by: Option<By>) {
        let author_is = author.map(|id| &self.hub.people.sessions[&id]);
        let account = author_is.and_then(|session| session.account);
        let nick: Option<Arc<str>> = author_is.map(|session| session.nick.shown().into());
        let said = Said::Topic { nick: nick.clone(), text: text.clone() };
        let line = Line {
            seq: self.hub.next_line,
            at: self.now.wall,
            author,
            said: said.clone(),
            borne: Borne::default(),
            apart: None,
            origin: None,
        };
        let is_moderation = by.is_some() || author.is_some_and(|id| self.hub.role(id) == Role::Operator);
        let room = self.hub.rooms.open.get_mut(&id).expect("the caller has it");
        room.topic = text.clone();
        room.topic_set = (!text.is_empty()).then(|| TopicSet { line: Arc::new(line), account });
        if let Some(author) = author {
            room.presence.hear(author);
        }
        // A topic that an operator sets in a room without an owner is locked, so that only
        // operators can change it.
        let locks = is_moderation && !text.is_empty() && !room.ownership.is_topic_locked();
        if locks {
            room.ownership.lock_topic(true);
        }
        let name: Arc<str> = room.name.shown().into();
        self.effects.push(Effect::Happened(Happening {
            session: author,
            nick: nick.clone(),
            room: Some(name.clone()),
            text: Some(text),
            by,
            ..Happening::new(What::Topic, self.now)
        }));
        self.keep_lasting(id);
        // The author is shown the line as well, as a confirmation.
        let line = self.post(id, author, said);
        if let Some(room) = self.hub.rooms.open.get_mut(&id) {
            room.topic_line = Some(line);
        }
        if let Some(author) = author {
            self.hear(author);
            if locks {
                self.done(author, Done::TopicLocked(name));
            }
        }
    }

    pub(super) fn announce(&mut self, room: Option<RoomId>, text: &Arc<str>, by: By) {
        let name = room.and_then(|room| self.hub.rooms.open.get(&room)).map(|room| room.name.shown().into());
        let by = Some(by);
        self.effects.push(Effect::Happened(Happening { room: name, by, ..Happening::new(What::Announced, self.now) }));
        let everywhere = || self.hub.rooms().filter(|room| !self.hub.rests(room)).map(|room| room.id).collect();
        let rooms: Vec<RoomId> = room.map_or_else(everywhere, |room| vec![room]);
        for room in rooms {
            if self.hub.rooms.open.contains_key(&room) {
                self.post(room, None, Said::Notice { text: text.clone() });
            }
        }
    }

    /// Notes that the room has heard `id`, or that `id` must believe so: in slow mode, its waiting
    /// time counts from now.
    pub(super) fn hear(&mut self, id: SessionId) {
        if let Some(session) = self.hub.people.sessions.get_mut(&id) {
            session.heard = self.now.mono;
        }
    }

    /// Posts a line at the end of a room's log. Its author is shown the line only if it answers
    /// them.
    pub(super) fn post(&mut self, id: RoomId, author: Option<SessionId>, said: Said) -> Arc<Line> {
        let line = self.put(id, author, said, self.now.wall, None);
        if author.is_some() && line.said.is_speech() {
            self.share(id, &line);
        }
        line
    }

    /// The same for what another hub has let its people say: `origin` is its entry and `at` when it was said.
    pub(super) fn post_of(&mut self, id: RoomId, author: Option<SessionId>, said: Said, origin: (EntryId, Wall)) {
        let (entry, at) = origin;
        self.put(id, author, said, at, Some(Arc::new(entry)));
    }

    fn put(
        &mut self,
        id: RoomId,
        author: Option<SessionId>,
        said: Said,
        at: Wall,
        origin: Option<Arc<EntryId>>,
    ) -> Arc<Line> {
        debug_assert!(Some(id) != self.hub.door.room, "nothing is said at the door");
        let kept = said.is_kept();
        if let Some(author) = author.filter(|_| said.is_speech()) {
            self.hear(author);
        }
        let speaker = author.filter(|_| said.is_of_a_person()).and_then(|author| self.hub.people.sessions.get(&author));
        let borne = speaker.map(|speaker| speaker.borne.clone()).unwrap_or_default();
        let apart = self.hub.shown_apart(id, author, &said);
        let ids: Option<Arc<[SessionId]>> =
            (!apart.is_empty()).then(|| apart.iter().map(|(session, _)| *session).collect());
        let is_said_here = origin.is_none();
        let line = Arc::new(Line { seq: self.hub.next_line, at, author, said, borne, apart: ids, origin });
        self.hub.next_line += 1;
        let mut record = None;
        let room = self.hub.rooms.open.get_mut(&id).expect("the caller has it");
        if kept {
            if let Some(author) = author {
                room.presence.hear(author);
            }
            self.hub.counters.lines_said += u64::from(is_said_here);
            room.lines += 1;
            if room.kept {
                room.history.push(line.clone(), &self.hub.settings.history);
                let counts = !room.ownership.private;
                self.hub.recording.retention.note(&line, counts, self.now.mono, &self.hub.settings.history);
                room.recorded |= self.hub.recording.on && !room.ownership.private;
                record = (self.hub.recording.on && !room.ownership.private).then(|| Record::Line {
                    room: id,
                    name: room.name.clone(),
                    line: line.clone(),
                    encrypted: room.ownership.encrypted,
                });
            }
        }
        if !self.hub.rests(&self.hub.rooms.open[&id]) {
            self.effects.push(Effect::Post { room: id, line: line.clone() });
        }
        for (session, how) in apart {
            self.show_apart(session, &line, how);
        }
        if let Some(record) = record {
            self.record_line(record);
        }
        line
    }
}
