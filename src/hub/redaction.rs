//! Redaction: making lines unreadable, in memory, in the backlog, and soon on disk. Other words of
//! the same person go with them: topics, reasons of absence, last words.
//!
//! | to change | see |
//! | --- | --- |
//! | which lines a redaction selects | [`Selector`] |
//! | what a selector finds, before anything changes | [`Hub::meant`] |
//! | removing it, and telling people | `Turn::redact` |
//! | redacted lines that the disk still holds | [`Hub::is_removed`] |
//!
//! This file does not know how a command names lines: it gets a [`Selector`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::archive::{Record, Selector};
use super::message::{Done, Line, Said};
use super::room::Room;
use super::sanction::{Author, Kind, Sanction};
use super::speech::Deed;
use super::{By, Dormant, Effect, Happening, Hub, Turn, What, work};
use crate::values::id::{AccountId, RoomId, SessionId};
use crate::values::name::{self, Name};

/// What is shown in place of a reason that was erased.
pub(super) const ERASED: &str = "(erased)";

/// The person who removes lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remover {
    /// An administrator, over the admin socket.
    Administrator(By),
    /// An operator in chat.
    Operator(SessionId, By),
    /// The owner or a moderator of the room.
    Owner(SessionId),
}

impl Remover {
    fn by(self) -> Option<By> {
        match self {
            Self::Administrator(by) | Self::Operator(_, by) => Some(by),
            Self::Owner(_) => None,
        }
    }

    /// The client that did it, and gets an answer of its own; `None` for an administrator.
    fn in_chat(self) -> Option<SessionId> {
        match self {
            Self::Administrator(_) => None,
            Self::Operator(id, _) | Self::Owner(id) => Some(id),
        }
    }
}

/// The lines and topics in memory that a [`Selector`] selects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meant {
    /// The number of lines.
    pub lines: u64,
    /// The number of these lines that were said in private, and so are not on disk.
    pub private: u64,
    /// The number of topics.
    pub topics: u64,
    /// The number of lines and rooms that were looked at, which the command costs.
    pub looked_at: u64,
    rooms: Vec<(RoomId, Vec<usize>)>,
    dormant: Vec<(Name, Vec<usize>)>,
    cleared: Vec<RoomId>,
    /// The topics that one person alone sees, because nobody was to hear them.
    unseen: Vec<(SessionId, RoomId)>,
    /// For each room with selected lines, who can see how many of them.
    seen: Vec<(RoomId, Seen)>,
}

/// How many of the selected lines people can see: all lines, and those of them that were said in private.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    by_all: (u64, u64),
    /// Besides these, what people said whom nobody was to hear, and who alone see it.
    by_author: BTreeMap<SessionId, (u64, u64)>,
}

impl Seen {
    fn note(&mut self, author: Option<SessionId>, is_private: bool) {
        let (lines, private) = match author {
            None => &mut self.by_all,
            Some(author) => self.by_author.entry(author).or_default(),
        };
        *lines += 1;
        *private += u64::from(is_private);
    }

    fn by(&self, viewer: SessionId) -> (u64, u64) {
        let (lines, private) = self.by_author.get(&viewer).copied().unwrap_or_default();
        (self.by_all.0 + lines, self.by_all.1 + private)
    }
}

/// What somebody can see of what a [`Selector`] selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visible {
    /// The number of lines.
    pub lines: u64,
    /// The number of topics.
    pub topics: u64,
    /// Whether any of the lines may be on disk.
    pub on_disk: bool,
}

impl Meant {
    /// What the person sees who removes it. Operators and administrators know who is not heard, and are told of all.
    /// A room's owner is told of what they can see alone: the number would tell them that somebody is not heard.
    pub(super) fn visible(&self, by: Remover) -> Visible {
        let Remover::Owner(id) = by else {
            return Visible { lines: self.lines, topics: self.topics, on_disk: self.lines > self.private };
        };
        let seen = self.seen.iter().map(|(_, seen)| seen.by(id));
        let (lines, private) = seen.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let own_topics = self.unseen.iter().filter(|(who, _)| *who == id).count();
        Visible { lines, topics: (self.cleared.len() + own_topics) as u64, on_disk: lines > private }
    }

    /// The number of rooms with selected lines.
    pub(super) fn room_count(&self) -> u64 {
        (self.rooms.len() + self.dormant.len()) as u64
    }
}

impl Hub {
    /// What a selector finds in memory. With `account`, it also finds topics set by somebody logged
    /// in to that account.
    #[must_use]
    pub fn meant(&self, what: &Selector, account: Option<AccountId>) -> Meant {
        self.meant_for(None, what, account)
    }

    /// The same for `asker`, in whose eyes a topic of theirs that nobody else sees is one as any other.
    pub(super) fn meant_for(&self, asker: Option<SessionId>, what: &Selector, account: Option<AccountId>) -> Meant {
        let mut meant = Meant::default();
        // Whoever has set such a topic, its line is found with it unless history is short.
        let mut unheard: BTreeSet<SessionId> = asker.into_iter().collect();
        for room in self.rooms() {
            let (places, looked_at) = room.history.meant(what, room.name.folded());
            meant.looked_at += 1 + looked_at as u64;
            let mut seen = Seen::default();
            for place in &places {
                let seq = room.history.at(*place).seq;
                let is_private = room.ownership.is_private_line(seq);
                meant.private += u64::from(is_private);
                seen.note(room.history.found_only_by(seq), is_private);
            }
            let lines = places.iter().map(|place| room.history.at(*place));
            unheard.extend(lines.filter(|line| room.history.is_unheard(line.seq)).filter_map(|line| line.author));
            meant.lines += places.len() as u64;
            if !places.is_empty() {
                meant.rooms.push((room.id, places));
                meant.seen.push((room.id, seen));
            }
            if means_topic(what, account, room) {
                meant.cleared.push(room.id);
            }
        }
        for (name, Dormant { history, .. }) in &*self.recording.dormant {
            let (places, looked_at) = history.meant(what, name.folded());
            meant.looked_at += 1 + looked_at as u64;
            meant.lines += places.len() as u64;
            if !places.is_empty() {
                meant.dormant.push((name.clone(), places));
            }
        }
        for id in unheard {
            meant.unseen.extend(self.unseen_topics(id, what).into_iter().map(|room| (id, room)));
        }
        meant.topics = (meant.cleared.len() + meant.unseen.len()) as u64;
        meant
    }

    /// The authors of the selected lines, one entry for each line.
    pub(super) fn authors<'a>(&'a self, meant: &'a Meant) -> impl Iterator<Item = SessionId> + 'a {
        let places = meant.rooms.iter().flat_map(|(room, places)| places.iter().map(move |place| (room, place)));
        places.filter_map(|(room, place)| self.rooms.open[room].history.at(*place).author)
    }

    /// Whether a line read from disk was redacted: the record of the redaction may still be in the
    /// backlog.
    #[must_use]
    pub fn is_removed(&self, room: &str, line: &Line) -> bool {
        self.backlog().redactions().any(|what| what.matches(room, line))
    }

    /// The connected clients that a selector is about, by number or name.
    fn meant_people(&self, what: &Selector) -> Vec<SessionId> {
        // A selector by line numbers is about lines alone, and one that ends in the past is about
        // nothing of the present.
        if what.from.is_some() || what.until.is_some() {
            return Vec::new();
        }
        // Or by the name that they believe they bear.
        let found = |nick: &str| self.people.names.find(nick).or_else(|| self.people.unseen.find(nick));
        let by_name = what.nick.as_deref().and_then(found);
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

/// Whether the topic of `room` is selected: that is, the line that set it, even if it is gone.
fn means_topic(what: &Selector, account: Option<AccountId>, room: &Room) -> bool {
    match &room.topic_set {
        _ if room.topic.is_empty() => false,
        Some(set) => what.matches(room.name.folded(), &set.line) || (account.is_some() && set.account == account),
        // The author and the time of the topic are not known.
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
    /// Redacts the selected lines, in memory now and on disk soon. Returns what was found in
    /// memory. The members of these rooms are told, because the lines stay on their screens.
    pub(super) fn redact(&mut self, what: &Selector, account: Option<AccountId>, by: Remover) -> Meant {
        // The newest line bounds the redaction: carried out later, or a second time, it selects the
        // same lines.
        let (said, asked) = (self.hub.next_line - 1, what);
        let what = Selector { to: Some(what.to.map_or(said, |to| to.min(said))), ..what.clone() };
        let mut meant = self.hub.meant_for(by.in_chat(), &what, account);
        for (id, places) in &meant.rooms {
            if let Some(room) = self.hub.rooms.open.get_mut(id) {
                room.history.redact(places);
            }
        }
        for (name, places) in &meant.dormant {
            if let Some(dormant) = self.hub.recording.dormant.get_mut(name.folded()) {
                dormant.history.redact(places);
            }
        }
        meant.looked_at += self.hub.recording.backlog.redact(&what) as u64;
        if let Some(peering) = &mut self.hub.peering {
            meant.looked_at += peering.redact(&what) as u64;
        }
        self.forget_words(&what);
        self.redact_reports(asked);
        self.redact_expulsions(asked);
        self.redact_memos(asked);
        for room in meant.cleared.clone() {
            self.set_topic(room, None, "".into(), by.by());
        }
        for (id, room) in meant.unseen.clone() {
            self.clear_unseen_topic(id, room);
        }
        self.redaction_happened(&meant, by);
        for (room, seen) in &meant.seen {
            self.tell_of_removed(*room, seen, by.in_chat());
        }
        self.record(Record::Redact(Arc::new(what)));
        meant
    }

    /// Clears other words of the selected clients: reasons of absence, and last words that are
    /// gathered and not told yet.
    fn forget_words(&mut self, what: &Selector) {
        let has = |text: &str| what.text.as_deref().is_none_or(|wanted| name::fold(text).contains(wanted));
        for id in self.hub.meant_people(what) {
            if let Some(session) = self.hub.people.sessions.get_mut(&id) {
                session.forget_unseen_away(has);
            }
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

    /// Erases the reasons that the selected people gave for sending others out of a room.
    fn redact_expulsions(&mut self, what: &Selector) {
        let is_about_somebody = what.client.is_some() || what.nick.is_some();
        if what.from.is_some() || what.to.is_some() || (!is_about_somebody && what.text.is_none()) {
            return;
        }
        let hub = &*self.hub;
        let people = hub.meant_people(&Selector { room: None, until: None, ..what.clone() });
        let here = people.into_iter().filter_map(|id| hub.session(id)).filter_map(|session| session.account);
        let left = hub.moderation.leavers.iter(self.now.mono);
        let left = left.filter(|leaver| what.client == Some(leaver.id)).filter_map(|leaver| leaver.account);
        let named = what.nick.as_deref().filter(|_| what.client.is_none());
        let named = named.and_then(|nick| hub.accounts.find(nick));
        let accounts: BTreeSet<AccountId> = here.chain(left).chain(named).collect();
        let account = |one: &Sanction| match &one.by {
            Author::Account(name) => hub.accounts.find(&name::fold(name)),
            Author::Uid(_) | Author::Hub => None,
        };
        let has = |text: &str| what.text.as_deref().is_none_or(|wanted| name::fold(text).contains(wanted));
        let is_there = |kind: &Kind| match kind {
            Kind::Expulsion { name, .. } => what.room.as_deref().is_none_or(|room| name.folded() == room),
            _ => false,
        };
        let is_meant = |one: &&Sanction| {
            is_there(&one.kind)
                && (!is_about_somebody || account(one).is_some_and(|account| accounts.contains(&account)))
                && what.since.is_none_or(|since| one.since >= since)
                && what.until.is_none_or(|until| one.since < until)
        };
        let meant = hub.moderation.sanctions.iter().filter(is_meant);
        let authors = |one: &Sanction| account(one).into_iter().flat_map(|account| hub.logged_in_to(account)).collect();
        let meant: Vec<(Sanction, Vec<SessionId>)> = meant.map(|one| (one.clone(), authors(one))).collect();
        for (one, authors) in meant {
            for author in authors {
                if let Some(session) = self.hub.people.sessions.get_mut(&author) {
                    session.forget_unseen_grounds(Deed::Sanction(one.id), has);
                }
            }
            if one.reason.as_deref().is_some_and(|reason| reason != ERASED && has(reason)) {
                let one = Sanction { reason: Some(ERASED.into()), ..one };
                self.hub.moderation.sanctions.keep(one.clone());
                self.record(Record::Sanction(Box::new(one)));
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

    /// Tells the members of a room that lines were removed which may still be on their screens, each of as many as they
    /// could see; `but` is not told.
    fn tell_of_removed(&mut self, id: RoomId, seen: &Seen, but: Option<SessionId>) {
        let Some(room) = self.hub.rooms.open.get(&id) else { return };
        if room.members.len() > work::MOST {
            // In a crowd, one line in the room tells everybody.
            let text = |lines: u64| -> Arc<str> {
                let number = if lines == 1 { "1 line was".to_owned() } else { format!("{lines} lines were") };
                format!("{number} removed by a moderator, and may still stand on your screen").into()
            };
            let alone: Vec<SessionId> = seen.by_author.keys().copied().filter(|id| room.members.contains(id)).collect();
            if seen.by_all.0 > 0 {
                self.post(id, None, Said::Notice { text: text(seen.by_all.0) });
                return;
            }
            for author in alone {
                self.notice_unheard(id, author, Said::Notice { text: text(seen.by(author).0) });
            }
            return;
        }
        for member in room.members.iter().copied().collect::<Vec<_>>() {
            let (lines, _) = seen.by(member);
            if Some(member) != but && lines > 0 {
                self.done(member, Done::LinesRemoved(usize::try_from(lines).unwrap_or(usize::MAX)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::account::Role;
    use super::super::archive::{Found, Reach, Recalled, RecalledRoom};
    use super::super::ignore::Borne;
    use super::super::message::Message;
    use super::super::{Input, News};
    use super::*;
    use crate::settings::Settings;
    use crate::values::time::{Mono, Now, Wall};

    const NOW: Now = Now { mono: Mono(1_000_000_000), wall: Wall(1_000_000_000) };
    const BY: By = By::Admin { uid: 0, pid: 1 };
    const ANN: SessionId = SessionId(1);
    const BOB: SessionId = SessionId(2);

    fn hub() -> Hub {
        let mut hub = Hub::new(Settings::default(), [7; 16], NOW, &mut Vec::new());
        hub.handle(News::Archive(Some(Box::default())), NOW, &mut Vec::new());
        for (session, name) in [(ANN, "ann"), (BOB, "bob")] {
            let [.., last] = session.0.to_be_bytes();
            hub.handle(
                Input::Connect { session, peer: ([10, 0, 0, last], 1024).into(), encrypted: false, certificate: None },
                NOW,
                &mut Vec::new(),
            );
            send(&mut hub, session, &format!("/nick {name}"));
        }
        hub
    }

    fn send(hub: &mut Hub, session: SessionId, text: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        hub.handle(Input::Line { session, text: text.to_owned() }, NOW, &mut effects);
        effects
    }

    fn remove(hub: &mut Hub, what: Selector) -> Vec<Effect> {
        let mut effects = Vec::new();
        hub.handle(Input::Redact { what: Arc::new(what), account: None, by: BY }, NOW, &mut effects);
        effects
    }

    fn by(client: SessionId) -> Selector {
        Selector { client: Some(client), ..Selector::default() }
    }

    fn lobby(hub: &Hub) -> &Room {
        hub.room(hub.lobby()).expect("it is always open")
    }

    fn texts(hub: &Hub) -> Vec<&str> {
        lobby(hub).history.iter().map(|line| line.said.text()).collect()
    }

    #[test]
    fn what_waits_for_a_disk_that_takes_nothing_is_gone_from_what_anybody_is_shown() {
        let mut hub = hub();
        send(&mut hub, BOB, "rude");
        send(&mut hub, ANN, "polite");
        let line = (**lobby(&hub).history.at(0)).clone();
        assert_eq!(hub.meant(&by(BOB), None).lines, 1);
        remove(&mut hub, by(BOB));
        assert_eq!(texts(&hub), ["", "polite"]);
        let rude = |record: &Record| matches!(record, Record::Line { line, .. } if line.said.text() == "rude");
        assert!(!hub.backlog().iter().any(|(_, record)| rude(record)), "it waits nowhere");
        // A search that comes back from the disk still has the line, and so has a disk that is read
        // late.
        send(&mut hub, ANN, "/search ru");
        let number = hub.people.sessions[&ANN].searching.as_ref().expect("she waits").number;
        let found = Box::new(Found { lines: vec![line.clone()], through: line.seq, reach: Reach::All });
        let mut effects = Vec::new();
        hub.handle(News::Found { session: ANN, number, found }, NOW, &mut effects);
        let shown = effects.iter().find_map(|effect| match effect {
            Effect::Tell { message: Message::Replay { lines, .. }, .. } => Some(lines.len()),
            _ => None,
        });
        assert_eq!(shown, Some(0));
        let den = RecalledRoom { room: RoomId(70), name: "den".to_owned(), lines: vec![line], plain_from: 0 };
        let recalled = Recalled { last_line: 5, last_room: 70, rooms: vec![den], ..Recalled::default() };
        hub.handle(News::Recalled(Box::new(recalled)), NOW, &mut Vec::new());
        let Dormant { history, .. } = hub.recording.dormant.get("den").expect("it is recalled");
        assert_eq!(history.at(0).said, Said::Redacted);
        // The redaction is on disk: none waits.
        let through = hub.backlog().iter().next_back().expect("some wait").0;
        hub.handle(News::Recorded { through }, NOW, &mut Vec::new());
        assert_eq!(hub.backlog().redactions().len(), 0);
        // A hub from a snapshot knows the redactions that wait, too.
        remove(&mut hub, by(ANN));
        let text = serde_json::to_string(&hub).expect("it can be written down");
        let again: Hub = serde_json::from_str(&text).expect("and read");
        assert_eq!(again.backlog().redactions().len(), 1);
        again.check_invariants();
    }

    #[test]
    fn a_topic_goes_with_whoever_has_set_it_and_with_nobody_else() {
        let line = |hub: &Hub| lobby(hub).topic_set.as_ref().map(|set| set.line.seq);
        for (what, goes) in [
            (by(BOB), true),
            (by(ANN), false),
            (Selector { nick: Some("bob".to_owned()), ..Selector::default() }, true),
            (Selector { text: Some("zeppelin".to_owned()), ..Selector::default() }, true),
            (Selector { text: Some("airship".to_owned()), ..Selector::default() }, false),
            (Selector { room: Some("den".to_owned()), client: Some(BOB), ..Selector::default() }, false),
            (Selector { since: Some(NOW.wall.after(std::time::Duration::from_secs(1))), ..by(BOB) }, false),
            (Selector { from: Some(1), to: Some(1), ..Selector::default() }, false),
        ] {
            let mut hub = hub();
            send(&mut hub, BOB, "/topic Zeppelins");
            // The line was dropped from history long ago.
            hub.rooms.open.get_mut(&RoomId(0)).expect("the lobby").history = super::super::CopyOnWrite::default();
            assert!(line(&hub).is_some());
            // The same holds after a snapshot.
            let text = serde_json::to_string(&hub).expect("it can be written down");
            let mut hub: Hub = serde_json::from_str(&text).expect("and read");
            assert_eq!(hub.meant(&what, None).topics, u64::from(goes), "{what:?}");
            remove(&mut hub, what.clone());
            assert_eq!(lobby(&hub).topic().is_none(), goes, "{what:?}");
            assert_eq!(line(&hub).is_none(), goes, "{what:?}");
        }
    }

    #[test]
    fn a_topic_that_was_set_under_another_name_goes_with_the_account() {
        let mut hub = hub();
        let name = Name::parse("carol", 24).expect("a name");
        let mut effects = Vec::new();
        let carol = hub.turn(NOW, &mut effects).add_account(name, None, Role::Member, BY).expect("it is free");
        hub.log_in(BOB, carol);
        send(&mut hub, BOB, "/topic I am carol");
        let what = Selector { nick: Some("carol".to_owned()), ..Selector::default() };
        assert_eq!(hub.meant(&what, None).topics, 0);
        hub.turn(NOW, &mut effects).remove_account(carol, Some(BY));
        hub.handle(Input::Redact { what: Arc::new(what), account: Some(carol), by: BY }, NOW, &mut effects);
        assert_eq!(lobby(&hub).topic(), None);
    }

    #[test]
    fn the_author_of_an_older_releases_topic_is_found_in_history() {
        let mut hub = hub();
        send(&mut hub, BOB, "/topic Zeppelins");
        let mut saved: serde_json::Value = serde_json::to_value(&hub).expect("it can be written down");
        saved["rooms"][0].as_object_mut().expect("a room").remove("topic_set").expect("it was there");
        let again: Hub = serde_json::from_value(saved.clone()).expect("and read");
        assert_eq!(again.meant(&by(BOB), None).topics, 1);
        // Without its line, a topic is selected by its text or room alone.
        saved["rooms"][0]["history"] = serde_json::json!([]);
        let again: Hub = serde_json::from_value(saved).expect("and read");
        assert_eq!(again.meant(&by(BOB), None).topics, 0);
        let text = Selector { text: Some("zeppelins".to_owned()), ..Selector::default() };
        assert_eq!(again.meant(&text, None).topics, 1);
    }

    #[test]
    fn what_somebody_said_on_leaving_is_not_told_when_it_was_removed() {
        let mut hub = hub();
        for number in 10..30 {
            let peer = ([10, 0, 1, 1], 1000 + number).into();
            hub.handle(
                Input::Connect { session: SessionId(number.into()), peer, encrypted: false, certificate: None },
                NOW,
                &mut Vec::new(),
            );
        }
        send(&mut hub, BOB, "/quit rude last words");
        remove(&mut hub, by(BOB));
        let mut effects = Vec::new();
        let late = Now { mono: Mono(10_000_000_000), ..NOW };
        hub.handle(Input::Tick, late, &mut effects);
        assert!(!format!("{effects:?}").contains("rude"), "{effects:?}");
    }

    #[test]
    fn who_is_in_the_room_is_told_once_and_a_great_crowd_by_one_line() {
        for crowd in [5, work::MOST as u64 + 5] {
            let mut hub = hub();
            let settings = Settings {
                limits: crate::settings::Limits {
                    clients: 5000,
                    clients_per_address: 5000,
                    ..Settings::default().limits
                },
                ..Settings::default()
            };
            hub.handle(News::Settings(Box::new(settings)), NOW, &mut Vec::new());
            for number in 10..10 + crowd {
                let peer = ([10, 0, 1, 1], u16::try_from(1000 + number).expect("few")).into();
                hub.handle(
                    Input::Connect { session: SessionId(number), peer, encrypted: false, certificate: None },
                    NOW,
                    &mut Vec::new(),
                );
            }
            send(&mut hub, BOB, "one");
            send(&mut hub, BOB, "two");
            let effects = remove(&mut hub, by(BOB));
            let told = effects
                .iter()
                .filter(|effect| matches!(effect, Effect::Tell { message: Message::Done(Done::LinesRemoved(2)), .. }));
            let posted = effects.iter().filter(|effect| matches!(effect, Effect::Post { .. })).count();
            let few = crowd == 5;
            assert_eq!((told.count(), posted), if few { (7, 0) } else { (0, 1) });
        }
    }

    #[test]
    fn it_is_known_who_has_removed_lines() {
        let mut hub = hub();
        // A client says a thousand lines at once in this test.
        (hub.settings.pace.steady, hub.settings.pace.address) = (0, 0);
        let mut effects = Vec::new();
        let mut account = |hub: &mut Hub, session, name, role| {
            let name = Name::parse(name, 24).expect("a name");
            let id = hub.turn(NOW, &mut effects).add_account(name, None, role, BY).expect("it is free");
            hub.log_in(session, id);
        };
        account(&mut hub, ANN, "anna", Role::Operator);
        account(&mut hub, BOB, "bobby", Role::Member);
        let noted = |effects: &[Effect]| {
            let happened = effects.iter().find_map(|effect| match effect {
                Effect::Happened(happening) if happening.what == What::Redacted => Some(happening.clone()),
                _ => None,
            });
            let Happening { operator, nick, text, room, .. } = happened.expect("it is noted");
            (operator.as_deref().map(str::to_owned), nick.as_deref().map(str::to_owned), text, room)
        };
        send(&mut hub, BOB, "rude");
        let (operator, nick, text, _) = noted(&send(&mut hub, ANN, "/redact bob 10min"));
        assert_eq!((operator.as_deref(), nick, text.as_deref()), (Some("anna"), None, Some("1 line in memory")));
        send(&mut hub, BOB, "/join den");
        send(&mut hub, BOB, "oops");
        let (operator, nick, _, room) = noted(&send(&mut hub, BOB, "/redact bob"));
        assert_eq!((operator, nick.as_deref(), room.as_deref()), (None, Some("bob"), Some("den")));
        // A disk that takes nothing does not get more and more to do.
        let refused = (0..work::MOST).find(|number| {
            send(&mut hub, BOB, &format!("oops {number}"));
            let told = send(&mut hub, BOB, "/redact bob");
            told.iter().any(|effect| matches!(effect, Effect::Tell { message: Message::Refused(_), .. }))
        });
        assert_eq!(refused, Some(work::MOST - 2));
    }

    #[test]
    fn a_redaction_is_of_what_was_said_before_it() {
        let mut hub = hub();
        let line = Line {
            seq: 1,
            at: NOW.wall,
            author: Some(BOB),
            said: Said::Redacted,
            borne: Borne::default(),
            apart: None,
            origin: None,
        };
        assert!(!hub.is_removed("lobby", &line));
        remove(&mut hub, by(BOB));
        send(&mut hub, BOB, "later");
        assert_eq!(texts(&hub), ["later"]);
        let later = (**lobby(&hub).history.at(0)).clone();
        assert!(!hub.is_removed("lobby", &later));
    }
}
