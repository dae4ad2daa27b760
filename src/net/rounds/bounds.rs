//! Bounds on memory: the bytes of logs and mail, and which clients miss lines or are given up if there are too many
//! bytes.

use std::sync::atomic::Ordering;

use super::{Client, Report, Rounds};
use crate::hub::message::Farewell;
use crate::net::keep::tape::Cut;
use crate::settings::SlowPolicy;
use crate::values::id::{RoomId, SessionId};
use crate::wire::render;
use crate::wire::stream::reader::Reader;

/// A client with a full socket is crowded if its mail is more than `limits.mailbox` divided by this: nothing more is
/// read from it, and others cannot send it anything. The rest of its mailbox is for answers to what it has asked
/// before.
const CROWDED: usize = 8;

/// The bytes of all logs and all mail, when they were counted last.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// The bytes of all logs, and how many logs are not empty.
    logs: usize,
    heavy: usize,
    /// The bytes of all mail, and how many clients have any.
    mail: usize,
    addressed: usize,
    /// How many rooms have a log that holds more than it may. No orders are applied until each of them has had a round:
    /// so only clients with full sockets miss lines.
    pub(super) over: usize,
}

impl Weights {
    /// Notes that a log has `now` bytes; it had `before` when it was counted last.
    pub(super) fn log(&mut self, before: usize, now: usize) {
        self.logs = self.logs + now - before;
        self.heavy = self.heavy + usize::from(now > 0) - usize::from(before > 0);
    }

    /// Notes that a client's mail has `now` bytes; it had `before` when it was counted last.
    pub(super) fn mail(&mut self, before: usize, now: usize) {
        self.mail = self.mail + now - before;
        self.addressed = self.addressed + usize::from(now > 0) - usize::from(before > 0);
    }

    /// Notes that no client is left, and no mail.
    pub(super) fn no_mail(&mut self) {
        (self.mail, self.addressed) = (0, 0);
    }
}

impl Rounds {
    /// Weighs a room's log, and decides whether it is too long.
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

    /// How many bytes clients may be behind in a room: `slow.behind`, or less if all logs together have more than
    /// `slow.behind_all`.
    fn allowed(&self) -> usize {
        let fair = self.limits.behind_all / self.weights.heavy.max(1);
        // Half of the share: the rendering that most readers see may have that much, and all the others together as
        // well.
        if self.weights.logs > self.limits.behind_all { self.limits.behind.min(fair / 2) } else { self.limits.behind }
    }

    /// Has a client miss the lines that would be too much mail: more than half of `limits.mailbox`. Call it before the
    /// lines that the client is owed become mail. The client would miss these lines as well if it stayed and took
    /// nothing.
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

    /// Weighs a client's mail, and reports if that makes the client crowded, or no longer crowded.
    pub(super) fn weigh_mail(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let mail = client.reader.mail_weight();
        if mail != client.mail {
            self.weights.mail(client.mail, mail);
            client.mail = mail;
        }
        // Only if the socket is full: otherwise the mail is taken at once.
        let is_crowded = client.full.is_some() && mail > self.limits.mailbox / CROWDED;
        if is_crowded != client.crowded
            && self.replaying.is_none()
            && (is_crowded || mail <= self.limits.mailbox / CROWDED / 2)
        {
            client.crowded = is_crowded;
            self.exchanges.reports.push(Report::Crowded(client.connection.id, is_crowded));
        }
    }

    /// Whether a client's mail is too much: more than `limits.mailbox`; or, if all mail together is more than
    /// `limits.mailboxes`, more than the client's share of it.
    pub(super) fn is_too_much(&self, key: usize) -> bool {
        let Some(client) = self.clients.get(key) else { return false };
        client.mail > self.limits.mailbox
            || (self.weights.mail > self.limits.mailboxes
                && client.mail > self.weights.mail / self.weights.addressed.max(1))
    }

    /// The client that is given up because `key` cannot be told more: `key` itself if its own mail is more than
    /// `limits.mailbox`. If all mail together is too much, it is the client whose socket has been full longest of those
    /// with more than their share. So a client that takes what it is told is not disconnected because others do not.
    pub(super) fn who_has_too_much(&self, key: usize) -> usize {
        /// How many full sockets are looked at, those that are given up soonest first.
        const LOOKED_AT: usize = 64;
        if self.clients.get(key).is_some_and(|client| client.mail > self.limits.mailbox) {
            return key;
        }
        let share = self.weights.mail / self.weights.addressed.max(1);
        let full = self.full.until.iter().take(LOOKED_AT).map(|(_, key)| *key);
        let stays = |key: &usize| {
            let client = &self.clients[*key];
            client.mail > share && !client.given_up && client.closing.is_none()
        };
        full.into_iter().find(stays).unwrap_or(key)
    }

    /// Takes the mail of a client that was given up out of the count: the client is dropped in a moment.
    pub(super) fn forget_mail(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        self.weights.mail -= client.mail;
        self.weights.addressed -= usize::from(client.mail > 0);
        client.mail = 0;
    }

    /// Cuts a room's log down to its bound, but keeps lines that a client without a full socket is owed. Other clients
    /// miss the lines that are cut off, or are given up.
    pub(super) fn trim(&mut self, id: RoomId) {
        let allowed = self.allowed();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        // A client that holds lines back may miss them, like one with a full socket.
        let takes = |client: &&Client| client.takes() && !client.given_up && !client.reader.is_holding();
        let ready = room.members.iter().map(|key| &*clients[*key]).filter(takes);
        let ready = ready.map(|client| client.reader.next_line()).min();
        let ready = ready.unwrap_or(u64::MAX);
        let mut slow = Vec::new();
        for key in &room.members {
            let client = &mut clients[*key];
            let to = room.log.first_for(&client.reader, allowed).min(ready);
            if client.reader.next_line() < to {
                // The cut is recorded before it takes effect. If there is no room for it, it waits for the next
                // snapshot.
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
