//! Bounds: what the logs and the mail weigh, and which clients miss lines where that is too much.

use std::sync::atomic::Ordering;

use super::{Client, Report, Rounds};
use crate::hub::message::Farewell;
use crate::net::keep::tape::Cut;
use crate::settings::SlowPolicy;
use crate::values::id::{RoomId, SessionId};
use crate::wire::render;
use crate::wire::stream::Reader;

/// A client whose socket is full is crowded when more waits for it alone than this part of `limits.mailbox`: nothing
/// more is read of it, and others have it told nothing. So what it has asked for before, and what is on its way,
/// finds room.
const CROWDED: usize = 8;

/// What logs and mail weigh, in bytes, as far as that is counted.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// All logs, and how many of them weigh anything.
    logs: usize,
    heavy: usize,
    /// The mail of all clients, and how many of them have any.
    mail: usize,
    addressed: usize,
    /// Rooms whose logs hold more than they may. No orders are applied until each of them has had a round, so that
    /// only clients with full sockets lose lines.
    pub(super) over: usize,
}

impl Weights {
    /// One log weighs `now`, and `before` when it was counted last.
    pub(super) fn log(&mut self, before: usize, now: usize) {
        self.logs = self.logs + now - before;
        self.heavy = self.heavy + usize::from(now > 0) - usize::from(before > 0);
    }

    /// The same of one client's mail.
    pub(super) fn mail(&mut self, before: usize, now: usize) {
        self.mail = self.mail + now - before;
        self.addressed = self.addressed + usize::from(now > 0) - usize::from(before > 0);
    }

    /// No client is left.
    pub(super) fn no_mail(&mut self) {
        (self.mail, self.addressed) = (0, 0);
    }
}
impl Rounds {
    /// Counts what a room's log weighs by now, and whether that is too much.
    pub(super) fn weigh(&mut self, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let weight = room.log.weight();
        self.weights.log(room.weight, weight);
        room.weight = weight;
        let allowed = self.allowed();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let is_over = self.replaying.is_none() && room.log.is_over(allowed);
        self.weights.over = self.weights.over + usize::from(is_over) - usize::from(room.over);
        room.over = is_over;
    }

    /// How far clients may be behind in a room: where all logs weigh too much, a fair part of what they may.
    fn allowed(&self) -> usize {
        let fair = self.limits.behind_all / self.weights.heavy.max(1);
        // Twice: for how most see lines, and for all others.
        if self.weights.logs > self.limits.behind_all { self.limits.behind.min(fair / 2) } else { self.limits.behind }
    }

    /// Before what a client is owed of its room's log becomes mail, which is its alone: lets go of as much as would
    /// be too much of it. It misses these lines, as it will when it stays where it is, and goes on taking nothing.
    pub(super) fn lighten(&mut self, id: SessionId) {
        if self.replaying.is_some() {
            return;
        }
        let limit = self.limits.mailbox / 2;
        let Some(key) = self.key(id) else { return };
        let client = &mut self.clients[key];
        let Some(room) = client.room.and_then(|room| self.rooms.get(&room)) else { return };
        if let Some(to) = client.reader.too_much_to_leave(&room.log, limit) {
            let cut = Cut { order: self.orders, id, sent: client.sent, to };
            if self.cuts.append(cut) {
                let missed = client.reader.skip(to, &room.log, render::missed);
                client.connection.missed.fetch_add(missed, Ordering::Relaxed);
                self.exchanges.counts.missed.fetch_add(missed, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn is_typing(&self, id: SessionId) -> bool {
        self.key(id).is_some_and(|key| self.clients[key].reader.is_typing())
    }

    /// Counts what a client's mail weighs by now.
    pub(super) fn weigh_mail(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let mail = client.reader.mail_weight();
        if mail != client.mail {
            self.weights.mail(client.mail, mail);
            client.mail = mail;
        }
        // Only where a socket is full: everybody else takes it at once.
        let is_crowded = client.full.is_some() && mail > self.limits.mailbox / CROWDED;
        if is_crowded != client.crowded
            && self.replaying.is_none()
            && (is_crowded || mail <= self.limits.mailbox / CROWDED / 2)
        {
            client.crowded = is_crowded;
            self.exchanges.reports.push(Report::Crowded(client.connection.id, is_crowded));
        }
    }

    /// Whether too much waits for a client alone.
    pub(super) fn is_too_much(&self, key: usize) -> bool {
        let Some(client) = self.clients.get(key) else { return false };
        client.mail > self.limits.mailbox
            || (self.weights.mail > self.limits.mailboxes
                && client.mail > self.weights.mail / self.weights.addressed.max(1))
    }

    /// Lets go of what one room's log holds over its bound, as far as only clients are owed it whose
    /// sockets are full: they miss it, or are given up.
    pub(super) fn trim(&mut self, id: RoomId) {
        let allowed = self.allowed();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        // Who holds lines back may miss them, like those who take none.
        let takes = |client: &&Client| client.full.is_none() && !client.given_up && !client.reader.is_holding();
        let ready = room.members.iter().map(|key| &*clients[*key]).filter(takes);
        let ready = ready.map(|client| client.reader.next_line()).min();
        let ready = ready.unwrap_or(u64::MAX);
        let mut slow = Vec::new();
        for key in &room.members {
            let client = &mut clients[*key];
            let to = room.log.first_for(&client.reader, allowed).min(ready);
            if client.reader.next_line() < to {
                // Kept before it takes effect; what cannot be kept now waits for the next snapshot.
                let cut = Cut { order: self.orders, id: client.connection.id, sent: client.sent, to };
                if !self.cuts.append(cut) {
                    self.cuts_full = true;
                    return;
                }
                let missed = client.reader.skip(to, &room.log, render::missed);
                client.connection.missed.fetch_add(missed, Ordering::Relaxed);
                self.exchanges.counts.missed.fetch_add(missed, Ordering::Relaxed);
                if missed > 0 && self.limits.policy == SlowPolicy::Close {
                    slow.push(*key);
                }
            }
        }
        let through = room.members.iter().copied().filter(|key| clients[*key].reader.is_through());
        for key in through.collect::<Vec<_>>() {
            self.leave_room(key);
        }
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        let readers = || room.members.iter().map(|key| &clients[*key].reader);
        let low = readers().map(Reader::next_line).min();
        room.log.trim_renderings(readers());
        room.log.trim_to(low.unwrap_or(u64::MAX));
        self.weigh(id);
        for key in slow {
            self.weigh_mail(key);
            self.give_up(key, Farewell::TooSlow);
        }
    }
}
