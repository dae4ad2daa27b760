//! Bounds on memory: the bytes of all logs and all mail, which clients miss lines, and which are
//! given up, when there are too many bytes.

use std::sync::atomic::Ordering;

use super::{Client, Report, Rounds};
use crate::hub::message::Farewell;
use crate::net::keep::tape::Cut;
use crate::settings::SlowPolicy;
use crate::values::id::{RoomId, SessionId};
use crate::wire::render;
use crate::wire::stream::reader::Reader;

/// A client with a full socket is crowded if its mail is more than `limits.mailbox` divided by
/// this. The driver then reads nothing more from it, and others cannot send it anything. The rest
/// of its mailbox is for answers to its earlier commands.
const CROWDED: usize = 8;

/// The bytes of all logs and all mail, as counted last.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// The bytes of all logs, and how many logs are not empty.
    logs: usize,
    heavy: usize,
    /// The bytes of all mail, and how many clients have any.
    mail: usize,
    addressed: usize,
    /// How many rooms have a log that is over its bound. No orders are applied until each of these
    /// rooms has had a round: so only clients with full sockets miss lines.
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
    /// Weighs a room's log, and notes whether it is over its bound.
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

    /// The bound on a room's log, in bytes: `slow.behind`, or less while all logs together have
    /// more than `slow.behind_all`.
    fn allowed(&self) -> usize {
        let fair = self.limits.behind_all / self.weights.heavy.max(1);
        // Half of the room's fair share: the rendering that most of its readers see may have that
        // much, and all other renderings together may have as much again.
        if self.weights.logs > self.limits.behind_all { self.limits.behind.min(fair / 2) } else { self.limits.behind }
    }

    /// Lets a client miss lines, before they become mail: as many as would make its mail more than
    /// half of `limits.mailbox`. Call it before the lines that the client is owed become mail. A
    /// client that stayed and took nothing would miss these lines as well.
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

    /// Weighs a client's mail, and reports if the client has become crowded, or is no longer.
    pub(super) fn weigh_mail(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let mail = client.reader.mail_weight();
        if mail != client.mail {
            self.weights.mail(client.mail, mail);
            client.mail = mail;
        }
        // Only with a full socket: otherwise the mail is taken at once.
        let is_crowded = client.full.is_some() && mail > self.limits.mailbox / CROWDED;
        if is_crowded != client.crowded
            && self.replaying.is_none()
            && (is_crowded || mail <= self.limits.mailbox / CROWDED / 2)
        {
            client.crowded = is_crowded;
            self.exchanges.reports.push(Report::Crowded(client.connection.id, is_crowded));
        }
    }

    /// Whether a client has too much mail: more than `limits.mailbox`; or more than an equal share,
    /// while all mail together is more than `limits.mailboxes`.
    pub(super) fn is_too_much(&self, key: usize) -> bool {
        let Some(client) = self.clients.get(key) else { return false };
        client.mail > self.limits.mailbox
            || (self.weights.mail > self.limits.mailboxes
                && client.mail > self.weights.mail / self.weights.addressed.max(1))
    }

    /// Which client is given up because client `key` has too much mail. It is `key` itself if its
    /// own mail is more than `limits.mailbox`. If only all mail together is too much, it is the
    /// client whose socket has been full longest, of those with more than an equal share: so a
    /// client that takes its mail is not disconnected because others do not take theirs.
    pub(super) fn who_has_too_much(&self, key: usize) -> usize {
        /// The most full sockets that are looked at, beginning with the earliest give-up deadline.
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

    /// Takes the mail of a client that was given up out of the sum. The client itself is dropped
    /// soon.
    pub(super) fn forget_mail(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        self.weights.mail -= client.mail;
        self.weights.addressed -= usize::from(client.mail > 0);
        client.mail = 0;
    }

    /// Cuts a room's log down to its bound, but keeps the lines that some client with room in its
    /// socket is owed. Clients with full sockets miss the lines that are cut off, or are given up.
    pub(super) fn trim(&mut self, id: RoomId) {
        let allowed = self.allowed();
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let clients = &mut self.clients;
        // A client that holds its lines back may miss them, as one with a full socket may.
        let takes = |client: &&Client| client.takes() && !client.given_up && !client.reader.is_holding();
        let ready = room.members.iter().map(|key| &*clients[*key]).filter(takes);
        let ready = ready.map(|client| client.reader.next_line()).min();
        let ready = ready.unwrap_or(u64::MAX);
        let mut slow = Vec::new();
        for key in &room.members {
            let client = &mut clients[*key];
            let to = room.log.first_for(&client.reader, allowed).min(ready);
            if client.reader.next_line() < to {
                // The tape keeps the cut before it takes effect. If the tape has no room for it,
                // the cut waits for the next snapshot.
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
