//! Making what was said unreadable: in every room, in what waits for the disk, and soon on disk; and what else holds
//! somebody's words: topics, why they are away, what they said on leaving.
//!
//! | to change | see |
//! | --- | --- |
//! | which lines are meant | [`Selector`] |
//! | what is found by it, before anything changes | [`Hub::meant`] |
//! | what becomes of it, and who is told | [`Turn::redact`] |
//! | what is on disk and not redacted yet, though it was removed | [`Hub::is_removed`] |

use std::sync::Arc;

use super::archive::{Record, Selector};
use super::message::{Done, Line, Said};
use super::room::Room;
use super::{By, Effect, Happening, Hub, Turn, What, work};
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::{self, Name};

/// Who removes lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remover {
    /// An administrator, over the admin socket.
    Administrator(By),
    /// Somebody in chat whose account has the role for it.
    Operator(SessionId, By),
    /// The owner of the room.
    Owner(SessionId),
}

impl Remover {
    fn by(self) -> Option<By> {
        match self {
            Self::Administrator(by) | Self::Operator(_, by) => Some(by),
            Self::Owner(_) => None,
        }
    }

    /// Who is told in another way.
    fn in_chat(self) -> Option<SessionId> {
        match self {
            Self::Administrator(_) => None,
            Self::Operator(id, _) | Self::Owner(id) => Some(id),
        }
    }
}

/// What a [`Selector`] means in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    /// How many lines.
    pub lines: u64,
    /// How many of them were said in private, and so are on no disk.
    pub private: u64,
    /// How many topics.
    pub topics: u64,
    /// How many lines and rooms were looked at.
    pub looked_at: u64,
    rooms: Vec<(RoomId, Vec<usize>)>,
    dormant: Vec<(Name, Vec<usize>)>,
    cleared: Vec<RoomId>,
}

impl Meant {
    /// In how many rooms lines are meant.
    pub(super) fn room_count(&self) -> u64 {
        (self.rooms.len() + self.dormant.len()) as u64
    }
}

impl Hub {
    /// What is meant of what is in memory. An `account` means the topics too that were set by who was logged in to it.
    #[must_use]
    pub fn meant(&self, what: &Selector, account: Option<AccountId>) -> Meant {
        let mut meant = Meant::default();
        for room in self.rooms() {
            let (places, looked_at) = room.history.meant(what, room.name.folded());
            meant.looked_at += 1 + looked_at as u64;
            let is_private = |place: &&usize| room.ownership.is_private_line(room.history.at(**place).seq);
            meant.private += places.iter().filter(is_private).count() as u64;
            meant.lines += places.len() as u64;
            if !places.is_empty() {
                meant.rooms.push((room.id, places));
            }
            if means_topic(what, account, room) {
                meant.cleared.push(room.id);
            }
        }
        for (name, (_, history)) in &*self.recording.dormant {
            let (places, looked_at) = history.meant(what, name.folded());
            meant.looked_at += 1 + looked_at as u64;
            meant.lines += places.len() as u64;
            if !places.is_empty() {
                meant.dormant.push((name.clone(), places));
            }
        }
        meant.topics = meant.cleared.len() as u64;
        meant
    }

    /// Whether a line that was read from disk has been removed meanwhile: the disk is behind.
    #[must_use]
    pub fn is_removed(&self, room: &str, line: &Line) -> bool {
        self.backlog().redactions().any(|what| what.matches(room, line))
    }

    /// The clients that are here and meant by a selector that is about somebody.
    fn meant_people(&self, what: &Selector) -> Vec<SessionId> {
        // By numbers of lines, lines alone are meant, and by a time that is over, nothing of now.
        if what.from.is_some() || what.until.is_some() {
            return Vec::new();
        }
        let by_name = what.nick.as_deref().and_then(|nick| self.people.names.find(nick));
        let found = match (what.client, &what.nick) {
            (Some(client), Some(_)) => by_name.filter(|id| *id == client),
            (Some(client), None) => Some(client),
            (None, _) => by_name,
        };
        let here = |id: &SessionId| {
            self.people.sessions.get(id).is_some_and(|session| {
                let room = &self.rooms.open[&session.room];
                what.room.as_deref().is_none_or(|wanted| room.name.folded() == wanted)
            })
        };
        found.into_iter().filter(here).collect()
    }
}

/// Whether the topic of `room` is meant: as the line that set it would be.
fn means_topic(what: &Selector, account: Option<AccountId>, room: &Room) -> bool {
    match &room.topic_set {
        _ if room.topic.is_empty() => false,
        Some(set) => what.matches(room.name.folded(), &set.line) || (account.is_some() && set.account == account),
        // Nobody knows who has set it, and when.
        None => {
            let is_unknown = what.client.is_some() || what.nick.is_some() || what.from.is_some();
            !is_unknown
                && what.since.is_none()
                && what.room.as_deref().is_none_or(|wanted| wanted == room.name.folded())
                && what.text.as_deref().is_none_or(|text| name::fold(&room.topic).contains(text))
        }
    }
}

impl Turn<'_> {
    /// Makes unreadable what is meant, in memory now and on disk soon; says what it was in memory. Those who are in
    /// these rooms are told: what is on their screens stays there.
    pub(super) fn redact(&mut self, what: &Selector, account: Option<AccountId>, by: Remover) -> Meant {
        // Only what was said before: carried out later, or a second time, it means the same lines.
        let said = self.hub.next_line - 1;
        let what = Selector { to: Some(what.to.map_or(said, |to| to.min(said))), ..what.clone() };
        let mut meant = self.hub.meant(&what, account);
        for (id, places) in &meant.rooms {
            if let Some(room) = self.hub.rooms.open.get_mut(id) {
                room.history.redact(places);
            }
        }
        for (name, places) in &meant.dormant {
            if let Some((_, history)) = self.hub.recording.dormant.get_mut(name.folded()) {
                history.redact(places);
            }
        }
        meant.looked_at += self.hub.recording.backlog.redact(&what) as u64;
        self.forget_words(&what);
        for room in meant.cleared.clone() {
            self.set_topic(room, None, "".into(), by.by());
        }
        self.redaction_happened(&meant, by);
        for (room, places) in &meant.rooms {
            self.tell_of_removed(*room, places.len(), by.in_chat());
        }
        self.record(Record::Redact(Arc::new(what)));
        meant
    }

    /// What else holds words of those who are meant: why they are away, and what they said when they left, if that is
    /// still to be told.
    fn forget_words(&mut self, what: &Selector) {
        let has = |text: &str| what.text.as_deref().is_none_or(|wanted| name::fold(text).contains(wanted));
        for id in self.hub.meant_people(what) {
            let is_said = |away: &Arc<str>| !away.is_empty() && has(away);
            if self.hub.people.sessions[&id].away.as_ref().is_some_and(is_said)
                && let Some(session) = self.hub.people.sessions.get_mut(&id)
            {
                session.away = Some("".into());
            }
        }
        if what.from.is_some() || what.until.is_some() || (what.client.is_none() && what.nick.is_none()) {
            return;
        }
        let is_meant = |who: SessionId, nick: &str, text: &str| {
            what.client.is_none_or(|client| client == who)
                && what.nick.as_deref().is_none_or(|wanted| name::fold(nick) == wanted)
                && has(text)
        };
        let gathered: Vec<RoomId> = self.hub.rooms.deadlines.iter().map(|(_, room)| *room).collect();
        for id in gathered {
            let room = &self.hub.rooms.open[&id];
            if what.room.as_deref().is_none_or(|wanted| wanted == room.name.folded())
                && room.presence.has_words(is_meant)
                && let Some(room) = self.hub.rooms.open.get_mut(&id)
            {
                room.presence.forget_words();
            }
        }
    }

    fn redaction_happened(&mut self, meant: &Meant, by: Remover) {
        let topics = match meant.topics {
            0 => String::new(),
            1 => " and 1 topic".to_owned(),
            more => format!(" and {more} topics"),
        };
        let lines = format!("{} {} in memory{topics}", meant.lines, if meant.lines == 1 { "line" } else { "lines" });
        let text: Arc<str> = lines.into();
        match by {
            Remover::Owner(id) => self.happened(What::Redacted, id, None, Some(text)),
            Remover::Administrator(by) | Remover::Operator(_, by) => {
                let (by, text) = (Some(by), Some(text));
                self.effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::Redacted, self.now) }));
            }
        }
    }

    /// Tells who is in a room that lines are gone which they may have on their screens.
    fn tell_of_removed(&mut self, id: RoomId, lines: usize, but: Option<SessionId>) {
        let Some(room) = self.hub.rooms.open.get(&id) else { return };
        if room.members.len() > work::MOST {
            // A great crowd is told by one line.
            let number = if lines == 1 { "1 line was".to_owned() } else { format!("{lines} lines were") };
            let text = format!("{number} removed by a moderator, and may still stand on your screen").into();
            return self.post(id, None, Said::Notice { text });
        }
        for member in room.members.iter().copied().collect::<Vec<_>>() {
            if Some(member) != but {
                self.done(member, Done::LinesRemoved(lines));
            }
        }
    }
}
