//! Records on their way to disk, what comes back from the disk at the start, and searches on disk.

use super::Turn;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::archive::{Found, Reach, Recalled, RecalledRoom, Record, Search, Taken};
use super::history::{self, History, redacted};
use super::message::{Done, Line, Message, Refusal, Replay};
use super::sanction::Sanction;
use super::sanctioning::ends;
use super::{Dormant, Effect, GIVEN_AHEAD, Happening, Hub, What, work};
use crate::values::id::SessionId;
use crate::values::name::{self, Name};
use crate::values::network::Origin;
use crate::values::time::Now;

/// The disk counts as stuck when it has taken nothing for this long although records wait.
const DISK_TAKES_NOTHING: Duration = Duration::from_secs(3);

impl Hub {
    pub(super) fn searchers(&self) -> Vec<SessionId> {
        self.people.sessions.values().filter(|session| session.searching.is_some()).map(|session| session.id).collect()
    }

    /// Whether records wait, and the disk has taken none for `DISK_TAKES_NOTHING`.
    #[must_use]
    pub fn is_disk_stuck(&self, now: Now) -> bool {
        let waits = self.recording.backlog.iter().len() > 0;
        waits && now.mono.since(self.recording.progress) > DISK_TAKES_NOTHING
    }
}

impl Hub {
    /// Makes sure that no number is given again that the disk knows of.
    pub(super) fn number_on(&mut self, recalled: &Recalled) {
        self.moderation.sanctions.number_from(recalled.last_sanction + 1);
        self.accounts.number_from(recalled.last_account + 1);
        self.moderation.reports.number_from(recalled.last_report + 1);
        self.memos.number_from(recalled.last_memo + 1);
    }
}

impl Turn<'_> {
    /// Takes lines from before the start back into memory, except those that have been kept long
    /// enough, or were removed since.
    pub(super) fn recall_rooms(&mut self, recalled: &mut Recalled) {
        let hub = &mut *self.hub;
        hub.next_line = hub.next_line.max(recalled.last_line + 1);
        hub.rooms.next = hub.rooms.next.max(recalled.last_room + 1);
        let (horizon, any) = (hub.horizon(self.now), !recalled.rooms.is_empty());
        let mut reached = Vec::new();
        for RecalledRoom { room: id, name, mut lines, plain_from } in std::mem::take(&mut recalled.rooms) {
            let Some(name) = Name::recall(&name) else { continue };
            // The record that closed the room may not be on disk yet.
            let closed = |(_, record): (u64, &Record)| matches!(record, Record::Closed { room, .. } if *room == id);
            if !hub.settings.history.keeps(&name) || hub.recording.backlog.iter().any(closed) {
                continue;
            }
            lines.retain(|line| horizon.keeps(line));
            // The record that removed these lines may not be on disk yet either.
            for line in &mut lines {
                if hub.is_removed(name.folded(), line) {
                    *line = redacted(line);
                }
            }
            let limits = &hub.settings.history;
            if let Some(room) = hub.rooms.open.get_mut(&id) {
                if room.name == name {
                    room.history.prepend(lines.into_iter(), limits);
                    room.ownership.hide_from_plain(plain_from);
                    reached.push(id);
                }
            } else if hub.rooms.names.find(name.folded()).is_none() {
                let mut history = History::default();
                history.prepend(lines.into_iter(), limits);
                // If two rooms have the same name, the one with the newest line comes first, and
                // stays.
                hub.recording.dormant.entry(name).or_insert(Dormant { room: id, history, plain_from });
            }
        }
        reached.into_iter().for_each(|room| hub.hide_from_plain_in(room));
        if any {
            hub.count_kept(self.now);
        }
    }

    pub(super) fn archive(&mut self, recalled: Option<Recalled>) {
        // The hub's state may have survived a crash: then nobody else answers these jobs.
        self.effects.extend(self.hub.logins.jobs().cloned().map(Effect::Hash));
        self.number_ignored();
        let was_recording = std::mem::replace(&mut self.hub.recording.on, recalled.is_some());
        let Some(mut recalled) = recalled else {
            self.hub.recording.unread = false;
            self.hub.recording.backlog.clear();
            self.hub.recording.dormant.clear();
            // No disk will answer these searches, so memory does.
            for id in self.hub.searchers() {
                self.found_in_memory(id);
            }
            return;
        };
        self.recall_rooms(&mut recalled);
        let accounts = recalled.accounts.iter().map(|account| account.since);
        let begun = accounts.chain(recalled.sanctions.iter().map(|sanction| sanction.since)).max();
        self.hub.moderation.latest = self.hub.moderation.latest.max(begun.unwrap_or_default());
        self.hub.recording.given = self.hub.recording.given.max(SessionId(recalled.last_session));
        self.hub.number_on(&recalled);
        if !was_recording {
            for sanction in recalled.sanctions {
                let ends = sanction.until.map(|until| ends(until, self.now));
                self.hub.moderation.sanctions.keep(Sanction { ends, ..sanction });
            }
            self.expire_sanctions();
            for account in recalled.accounts {
                // `keep` refuses an account that has the name of an older one: somebody has changed
                // the file by hand.
                let _ = self.hub.accounts.keep(account);
            }
            recalled.reports.into_iter().for_each(|report| self.hub.moderation.reports.put(report));
            self.recall_memos(recalled.memos, &BTreeMap::new());
            self.hub.note_roles();
            // Rooms may have been made lasting while nothing was recorded.
            self.record_lasting_again();
            if !recalled.unread {
                self.recall_lasting(recalled.lasting);
                // Only now are all rooms known.
                self.forget_closed_rooms();
            }
            if recalled.unread {
                // Nobody knows which numbers are on disk. `last_line` is above all of them in this
                // case, so none is given again.
                self.hub.moderation.sanctions.number_from(recalled.last_line + 1);
                self.hub.moderation.reports.number_from(recalled.last_line + 1);
                self.hub.memos.number_from(recalled.last_line + 1);
                self.begin_unread();
            }
        } else if self.hub.recording.unread {
            // The process before this one could not read the disk.
            self.recall(recalled);
        }
        // The hub's state may have survived a crash: these records may not be written, and these
        // searches not answered.
        let again =
            self.hub.recording.backlog.iter().map(|(number, record)| Effect::Record { number, record: record.clone() });
        self.effects.extend(again);
        for id in self.hub.searchers() {
            if let Some(search) = &self.hub.people.sessions[&id].searching {
                self.effects.push(Effect::Search(search.clone()));
            }
        }
    }

    /// Notes that a client has the number `id`. The number goes on record before another hub could
    /// give it to another client.
    pub(super) fn give(&mut self, id: SessionId) {
        if self.hub.recording.on && id > self.hub.recording.given {
            self.hub.recording.given = SessionId(id.0 + GIVEN_AHEAD);
            self.record(Record::Given(self.hub.recording.given));
        }
    }

    /// Tells `id` that something is done, and, if the disk is stuck, that it is not on disk yet.
    pub(super) fn done_on_record(&mut self, id: SessionId, done: Done) {
        self.done(id, done);
        self.warn_of_disk(id);
    }

    /// If the disk is stuck, tells `id` that its record is not on disk yet.
    pub(super) fn warn_of_disk(&mut self, id: SessionId) {
        if self.hub.is_disk_stuck(self.now) {
            self.done(id, Done::NotOnDisk);
        }
    }

    pub(super) fn record(&mut self, record: Record) {
        if self.hub.recording.on {
            if self.hub.recording.backlog.iter().len() == 0 {
                self.hub.recording.progress = self.now.mono;
            }
            let number = self.hub.recording.backlog.push(record.clone());
            self.effects.push(Effect::Record { number, record });
        }
    }

    pub(super) fn record_line(&mut self, record: Record) {
        match self.hub.recording.backlog.push_line(record.clone(), self.hub.settings.history.queue) {
            Taken::As(number) => {
                if let Some(lost) = self.hub.recording.backlog.series_ended() {
                    let text = Some(format!("{lost} lines were not recorded").into());
                    self.effects
                        .push(Effect::Happened(Happening { text, ..Happening::new(What::HistoryResumed, self.now) }));
                }
                self.effects.push(Effect::Record { number, record });
            }
            Taken::FirstLost => {
                self.hub.counters.history_lost += 1;
                self.effects.push(Effect::Happened(Happening::new(What::HistoryLost, self.now)));
            }
            Taken::Lost => self.hub.counters.history_lost += 1,
        }
    }

    /// Searches for `query` in the room of `id`: on disk if its lines are recorded, else in memory.
    pub(super) fn search(&mut self, id: SessionId, shown: Arc<str>, query: Arc<str>, limit: usize) {
        let session = self.hub.people.sessions.get_mut(&id).expect("the caller has it");
        if session.searching.is_some() {
            return self.refuse(id, Refusal::StillSearching);
        }
        let room = &self.hub.rooms.open[&session.room];
        let number = self.hub.recording.next_search;
        self.hub.recording.next_search += 1;
        let (from, name) = (session.sees_from, room.name.clone());
        let origin = Some(Origin::of(session.peer.ip()));
        let search =
            Search { session: id, number, room: room.id, name, shown, query, limit, from, origin, report: None };
        session.searching = Some(Box::new(search.clone()));
        if self.hub.recording.on && room.kept {
            self.effects.push(Effect::Search(Box::new(search)));
        } else {
            self.found_in_memory(id);
        }
    }

    pub(super) fn found_in_memory(&mut self, id: SessionId) {
        let Some(number) = self.hub.people.sessions[&id].searching.as_ref().map(|search| search.number) else { return };
        self.found(id, number, Found { lines: Vec::new(), through: 0, reach: Reach::All });
    }

    pub(super) fn found(&mut self, id: SessionId, number: u64, found: Found) {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return };
        let Some(search) = session.searching.take_if(|search| search.number == number) else { return };
        if let Some((report, _)) = search.report {
            return self.found_for_report(id, report, found);
        }
        let session = &self.hub.people.sessions[&id];
        let mut blinkers = self.hub.blinkers(session);
        let horizon = self.hub.horizon(self.now);
        let mut looked_at = found.lines.len();
        // The disk may not know yet which lines were removed, or are no longer kept.
        let stays = |line: &Line| horizon.keeps(line) && !self.hub.is_removed(search.name.folded(), line);
        let mut lines: Vec<_> = found.lines.into_iter().filter(stays).map(Arc::new).collect();
        if let Some(room) = self.hub.rooms.open.get(&search.room) {
            let matches = |line: &&Arc<Line>| name::fold(line.said.text()).contains(&*search.query);
            // Lines that were said in private are in memory alone.
            let from = if room.ownership.was_private() { 0 } else { found.through + 1 };
            let known: BTreeSet<u64> = lines.iter().map(|line| line.seq).collect();
            let more = room
                .history
                .iter_for(id)
                .filter(|line| (line.seq >= from || room.history.is_unheard(line.seq)) && !known.contains(&line.seq));
            let more = more.inspect(|_| looked_at += 1);
            lines.extend(more.filter(|line| horizon.keeps(line)).filter(matches).cloned());
            lines.sort_unstable_by_key(|line| line.seq);
        }
        let shown = lines.iter().filter(|line| line.seq >= search.from && !blinkers.hide(line));
        let lines = history::newest(shown, search.limit, self.hub.settings.limits.mailbox / 2);
        self.hub.work.done += looked_at as u64 + work::REPLAYED * lines.len() as u64;
        let offset = session.view.time.unwrap_or_default();
        let of = Replay::Search { query: search.shown, reach: found.reach };
        self.tell(id, Message::Replay { room: search.name.shown().into(), of, lines, offset });
    }
}
