//! Rooms: opening and closing them, going from one to another, topics, lines at the end of a log.

use std::sync::Arc;

use super::archive::Record;
use super::message::{Done, Line, Message, Said};
use super::ownership::Ownership;
use super::room::{Room, Step};
use super::{By, Effect, Happening, Hub, What, tell};
use crate::values::CopyOnWrite;
use crate::values::id::{RoomId, SessionId};
use crate::values::name::Name;
use crate::values::network::Origin;
use crate::values::time::Now;

impl Hub {
    pub(super) fn open(&mut self, name: Name, now: Now, effects: &mut Vec<Effect>) -> RoomId {
        // A room that was open when the hub ended is still that room.
        let (id, history) = match self.dormant.remove(name.folded()) {
            Some((id, history)) => (id, Some(history)),
            None => (RoomId(self.next_room), None),
        };
        self.next_room = self.next_room.max(id.0 + 1);
        // The lobby, which the settings name, can look like another room.
        self.room_names.keep(&name, id).expect("the caller has asked whether it is open");
        let mut room = Room::new(id, name, now.wall);
        room.kept = self.settings.history.keeps(&room.name);
        if let Some(history) = history {
            room.history = CopyOnWrite::new(history);
            room.recorded = true;
        }
        self.rooms.insert(id, CopyOnWrite::new(room));
        effects.push(Effect::Open(id));
        id
    }

    /// The lobby is the room that the settings name: whoever is in the former one comes along. A room of that name
    /// that is open becomes it, and is nobody's any more.
    pub(super) fn move_lobby(&mut self, now: Now, effects: &mut Vec<Effect>) {
        let (former, rooms) = (self.lobby, &self.settings.rooms);
        // The check of the settings refuses what is no name.
        let Ok(name) = Name::parse(&rooms.lobby, self.settings.limits.room_name) else { return };
        if self.rooms[&former].name == name {
            return;
        }
        let lobby = match self.room_names.find(name.folded()) {
            Some(room) => room,
            None => self.open(name, now, effects),
        };
        self.lobby = lobby;
        if lobby == former {
            // The same name, written in another way.
            return;
        }
        let next_line = self.next_line;
        let room = self.rooms.get_mut(&lobby).expect("it is open");
        // What was said in private stays there.
        let visible_from = if room.ownership.private { next_line } else { room.ownership.visible_from };
        room.ownership = Ownership::of_nobody(visible_from);
        if let Some(from) = room.opened_from.take() {
            self.closes(from);
        }
        let members: Vec<_> = self.rooms[&former].members.iter().copied().collect();
        for member in &members {
            self.enter(*member, lobby, now, effects);
        }
        if members.is_empty() {
            self.shut(former, now, effects);
        }
    }

    /// A room that somebody from there has opened counts no more.
    fn closes(&mut self, from: Origin) {
        if let Some(count) = self.openers.get_mut(&from) {
            *count -= 1;
            if *count == 0 {
                self.openers.remove(&from);
            }
        }
    }

    pub(super) fn shut(&mut self, id: RoomId, now: Now, effects: &mut Vec<Effect>) {
        let Some(room) = self.rooms.remove(&id) else { return };
        if self.door.room == Some(id) {
            self.door.clear();
            return effects.push(Effect::Shut(id));
        }
        self.room_names.release(&room.name);
        if let Some(from) = room.opened_from {
            self.closes(from);
        }
        if let Some(at) = room.presence.flush_at {
            self.deadlines.remove(&(at, id));
        }
        effects.push(Effect::Shut(id));
        // Of rooms of which nothing was recorded the disk need not know that they are closed: they would be a way to
        // have it written without end, without saying anything.
        if room.kept && room.recorded {
            self.record(Record::Closed { room: id, name: room.name.clone() }, effects);
        }
        let room = Some(room.name.shown().into());
        effects.push(Effect::Happened(Happening { room, ..Happening::new(What::RoomClosed, now) }));
    }

    /// Moves `id` into a room that exists, and shows it that room.
    pub(super) fn enter(&mut self, id: SessionId, to: RoomId, now: Now, effects: &mut Vec<Effect>) {
        if Some(self.sessions[&id].room) != self.door.room {
            self.happened(What::Left, id, None, None, now, effects);
        }
        let session = self.sessions.get_mut(&id).expect("the caller has it");
        let from = std::mem::replace(&mut session.room, to);
        let nick = session.nick.clone();
        let room = self.rooms.get_mut(&to).expect("the caller has it");
        room.members.insert(id);
        let private = room.ownership.private;
        session.sees_from = if private { self.next_line } else { room.ownership.visible_from };
        let entered = Message::Entered { room: room.name.shown().into(), members: room.members.len() };
        effects.push(Effect::Enter { session: id, room: to });
        tell(id, entered, effects);
        if private {
            tell(id, Message::Done(Done::Private), effects);
        }
        self.prompt(id, effects);
        self.show_room(id, to, effects);
        self.leave(id, &nick, from, None, now, effects);
        self.happened(What::Joined, id, None, None, now, effects);
        self.present(to, id, &nick.shown().into(), Step::Joined, now, effects);
    }

    pub(super) fn close_room(
        &mut self,
        id: RoomId,
        reason: Option<Arc<str>>,
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        if id == self.lobby {
            return;
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        room.closing = true;
        let name: Arc<str> = room.name.shown().into();
        let members: Vec<_> = room.members.iter().copied().collect();
        for member in &members {
            let done = Done::RoomClosed { room: name.clone(), reason: reason.clone() };
            tell(*member, Message::Done(done), effects);
        }
        for member in members {
            self.enter(member, self.lobby, now, effects);
        }
        // The last one to go has shut it; who asked for it is worth a line of its own.
        let room = Some(name);
        let by = Some(by);
        effects.push(Effect::Happened(Happening { room, text: reason, by, ..Happening::new(What::RoomClosed, now) }));
    }

    pub(super) fn set_topic(
        &mut self,
        id: RoomId,
        author: Option<SessionId>,
        text: Arc<str>,
        by: Option<By>,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let nick: Option<Arc<str>> = author.map(|id| self.sessions[&id].nick.shown().into());
        let room = self.rooms.get_mut(&id).expect("the caller has it");
        room.topic = text.clone();
        if let Some(author) = author {
            room.presence.hear(author);
        }
        effects.push(Effect::Happened(Happening {
            session: author,
            nick: nick.clone(),
            room: Some(room.name.shown().into()),
            text: Some(text.clone()),
            by,
            ..Happening::new(What::Topic, now)
        }));
        // Its author is shown it too: that is the confirmation.
        self.post(id, None, Said::Topic { nick, text }, now, effects);
    }

    pub(super) fn announce(
        &mut self,
        room: Option<RoomId>,
        text: &Arc<str>,
        by: By,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        let name = room.and_then(|room| self.rooms.get(&room)).map(|room| room.name.shown().into());
        let by = Some(by);
        effects.push(Effect::Happened(Happening { room: name, by, ..Happening::new(What::Announced, now) }));
        let rooms: Vec<RoomId> = room.map_or_else(|| self.rooms().map(|room| room.id).collect(), |room| vec![room]);
        for room in rooms {
            if self.rooms.contains_key(&room) {
                self.post(room, None, Said::Notice { text: text.clone() }, now, effects);
            }
        }
    }

    pub(super) fn post(
        &mut self,
        id: RoomId,
        author: Option<SessionId>,
        said: Said,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        debug_assert!(Some(id) != self.door.room, "nothing is said at the door");
        let room = self.rooms.get_mut(&id).expect("the caller has it");
        let kept = said.is_kept();
        let speaker = author.filter(|_| said.is_speech()).and_then(|author| self.sessions.get(&author));
        let borne = speaker.map(|speaker| speaker.borne.clone()).unwrap_or_default();
        let line = Arc::new(Line { seq: self.next_line, at: now.wall, author, said, borne });
        self.next_line += 1;
        let mut record = None;
        if kept {
            if let Some(author) = author {
                room.presence.hear(author);
            }
            self.counters.lines_said += 1;
            room.lines += 1;
            if room.kept {
                room.history.push(line.clone(), &self.settings.history);
                room.recorded |= self.recording && !room.ownership.private;
                record = (self.recording && !room.ownership.private).then(|| Record::Line {
                    room: id,
                    name: room.name.clone(),
                    line: line.clone(),
                });
            }
        }
        effects.push(Effect::Post { room: id, line });
        if let Some(record) = record {
            self.record_line(record, now, effects);
        }
    }
}
