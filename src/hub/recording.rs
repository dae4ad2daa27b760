//! What outlives the hub: records on their way to disk, what comes back at the start, searches of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::archive::{Found, Reach, Recalled, RecalledRoom, Record, Search, Selector, Taken};
use super::message::{Line, Message, Refusal, Replay};
use super::room::{History, Room};
use super::{By, Effect, GIVEN_AHEAD, Happening, Hub, What, refuse, room, tell, work};
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::time::Now;

impl Hub {
    pub(super) fn archive(&mut self, recalled: Option<Recalled>, now: Now, effects: &mut Vec<Effect>) {
        // After a crash that this state has survived: nobody else will answer these.
        effects.extend(self.logins.jobs().cloned().map(Effect::Hash));
        self.number_ignored(effects);
        let was_recording = std::mem::replace(&mut self.recording, recalled.is_some());
        let Some(mut recalled) = recalled else {
            self.unread = false;
            self.backlog.clear();
            self.dormant.clear();
            // Nobody else will answer.
            for id in self.searchers() {
                self.found_in_memory(id, effects);
            }
            return;
        };
        self.recall_rooms(&mut recalled);
        self.given = self.given.max(SessionId(recalled.last_session));
        if !was_recording {
            for ban in recalled.bans {
                self.bans.keep(ban);
            }
            for account in recalled.accounts {
                // One with the name of an older one was put there by another hand.
                let _ = self.accounts.keep(account);
            }
            self.note_roles();
            if recalled.unread {
                // Numbers that are on disk are not given a second time.
                self.bans.number_from(recalled.last_line + 1);
                self.begin_unread(now, effects);
            }
        } else if self.unread {
            // The process before could not read it.
            self.recall(recalled, now, effects);
        }
        // After a crash that this state has survived: what may not have been written, or answered.
        let again = self.backlog.iter().map(|(number, record)| Effect::Record { number, record: record.clone() });
        effects.extend(again);
        for id in self.searchers() {
            if let Some(search) = &self.sessions[&id].searching {
                effects.push(Effect::Search(search.clone()));
            }
        }
    }

    /// A client has this number: it goes on record before any other hub could give it to somebody else.
    pub(super) fn give(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        if self.recording && id > self.given {
            self.given = SessionId(id.0 + GIVEN_AHEAD);
            self.record(Record::Given(self.given), effects);
        }
    }

    pub(super) fn recall_rooms(&mut self, recalled: &mut Recalled) {
        self.next_line = self.next_line.max(recalled.last_line + 1);
        self.next_room = self.next_room.max(recalled.last_room + 1);
        for RecalledRoom { room: id, name, lines } in std::mem::take(&mut recalled.rooms) {
            let Some(name) = Name::recall(&name) else { continue };
            // The disk may not know yet that a room was closed.
            let closed = |(_, record): (u64, &Record)| matches!(record, Record::Closed { room, .. } if *room == id);
            if !self.settings.history.keeps(&name) || self.backlog.iter().any(closed) {
                continue;
            }
            let limits = &self.settings.history;
            if let Some(room) = self.rooms.get_mut(&id) {
                if room.name == name {
                    room.history.prepend(lines.into_iter(), limits);
                }
            } else if self.room_names.find(name.folded()).is_none() {
                let mut history = History::default();
                history.prepend(lines.into_iter(), limits);
                // The one spoken in last comes first.
                self.dormant.entry(name).or_insert((id, history));
            }
        }
    }

    pub(super) fn searchers(&self) -> Vec<SessionId> {
        self.sessions.values().filter(|session| session.searching.is_some()).map(|session| session.id).collect()
    }

    pub(super) fn record(&mut self, record: Record, effects: &mut Vec<Effect>) {
        if self.recording {
            let number = self.backlog.push(record.clone());
            effects.push(Effect::Record { number, record });
        }
    }

    pub(super) fn record_line(&mut self, record: Record, now: Now, effects: &mut Vec<Effect>) {
        match self.backlog.push_line(record.clone(), self.settings.history.queue) {
            Taken::As(number) => {
                if let Some(lost) = self.backlog.series_ended() {
                    let text = Some(format!("{lost} lines were not recorded").into());
                    effects.push(Effect::Happened(Happening { text, ..Happening::new(What::HistoryResumed, now) }));
                }
                effects.push(Effect::Record { number, record });
            }
            Taken::FirstLost => {
                self.counters.history_lost += 1;
                effects.push(Effect::Happened(Happening::new(What::HistoryLost, now)));
            }
            Taken::Lost => self.counters.history_lost += 1,
        }
    }

    /// Makes lines unreadable, in memory now and on disk soon.
    pub(super) fn redact(&mut self, what: &Arc<Selector>, by: By, now: Now, effects: &mut Vec<Effect>) {
        // Only what was said before: carried out later, or a second time, it means the same lines.
        let said = self.next_line - 1;
        let what = Selector { to: Some(what.to.map_or(said, |to| to.min(said))), ..(**what).clone() };
        for room in self.rooms.values_mut() {
            let room: &mut Room = room;
            room.history.redact(&what, room.name.folded());
        }
        for (name, (_, history)) in &mut *self.dormant {
            history.redact(&what, name.folded());
        }
        effects.push(Effect::Happened(Happening { by: Some(by), ..Happening::new(What::Redacted, now) }));
        self.record(Record::Redact(Arc::new(what)), effects);
    }

    /// Looks for what `id` wants to see: on disk if something is recorded, else in memory.
    pub(super) fn search(
        &mut self,
        id: SessionId,
        shown: Arc<str>,
        query: Arc<str>,
        limit: usize,
        effects: &mut Vec<Effect>,
    ) {
        let session = self.sessions.get_mut(&id).expect("the caller has it");
        if session.searching.is_some() {
            return refuse(id, Refusal::StillSearching, effects);
        }
        let room = &self.rooms[&session.room];
        let number = self.next_search;
        self.next_search += 1;
        let (from, name) = (session.sees_from, room.name.clone());
        let origin = Some(Origin::of(session.peer.ip()));
        let search = Search { session: id, number, room: room.id, name, shown, query, limit, from, origin };
        session.searching = Some(Box::new(search.clone()));
        if self.recording && room.kept {
            effects.push(Effect::Search(Box::new(search)));
        } else {
            self.found_in_memory(id, effects);
        }
    }

    pub(super) fn found_in_memory(&mut self, id: SessionId, effects: &mut Vec<Effect>) {
        let Some(number) = self.sessions[&id].searching.as_ref().map(|search| search.number) else { return };
        self.found(id, number, Found { lines: Vec::new(), through: 0, reach: Reach::All }, effects);
    }

    pub(super) fn found(&mut self, id: SessionId, number: u64, found: Found, effects: &mut Vec<Effect>) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(search) = session.searching.take_if(|search| search.number == number) else { return };
        let session = &self.sessions[&id];
        let mut blinkers = self.blinkers(session);
        let mut lines: Vec<_> = found.lines.into_iter().map(Arc::new).collect();
        let mut looked_at = lines.len();
        if let Some(room) = self.rooms.get(&search.room) {
            let matches = |line: &&Arc<Line>| name::fold(line.said.text()).contains(&*search.query);
            // What was said in private is in memory alone.
            let from = if room.ownership.was_private() { 0 } else { found.through + 1 };
            let known: BTreeSet<u64> = lines.iter().map(|line| line.seq).collect();
            let more = room.history.iter().filter(|line| line.seq >= from && !known.contains(&line.seq));
            let more = more.inspect(|_| looked_at += 1);
            lines.extend(more.filter(matches).cloned());
            lines.sort_unstable_by_key(|line| line.seq);
        }
        let shown = lines.iter().filter(|line| line.seq >= search.from && !blinkers.hide(line));
        let lines = room::newest(shown, search.limit, self.settings.limits.mailbox / 2);
        self.work += looked_at as u64 + work::REPLAYED * lines.len() as u64;
        let offset = session.view.time.unwrap_or_default();
        let of = Replay::Search { query: search.shown, reach: found.reach };
        tell(id, Message::Replay { room: search.name.shown().into(), of, lines, offset }, effects);
    }
}
