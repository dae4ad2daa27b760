//! What each order does to logs and cursors.

use std::sync::Arc;

use tokio::time::Instant;

use super::jobs::Job;
use super::sealed::Sealing;
use super::write::CLOSE_WITHIN;
use super::{Client, Room, Rounds};
use crate::hub::message::{Farewell, Line};
use crate::machine::Order;
use crate::net::connection::Connection;
use crate::values::id::{RoomId, SessionId};
use crate::wire::stream::log::Log;
use crate::wire::stream::reader::Reader;

impl Rounds {
    /// Applies one order.
    pub(super) fn apply_order(&mut self, order: Order) {
        if let Order::Enter(id, _) | Order::Area(id, _) | Order::View(id, _) | Order::Hide(id, _) = &order {
            // A key stroke in an area that is drawn already changes only the draft, and makes no
            // lines into mail.
            let is_key = matches!(&order, Order::Area(id, Some(_)) if self.is_typing(*id));
            if !is_key {
                self.lighten(*id);
            }
        }
        self.orders += 1;
        match order {
            Order::Attach(id) => {
                if let Some(connection) = self.coming.take().filter(|connection| connection.id == id) {
                    let key = self.attach(connection, Reader::new(id));
                    let client = &mut self.clients[key];
                    if self.replaying.is_none()
                        && let Some(slot) = &client.connection.slot
                    {
                        client.sealing = Sealing::begin(slot).map(Box::new);
                    }
                }
            }
            Order::Open(id) => {
                // A room that lasts is opened again under its number, and a client that is being
                // closed may still be owed lines of the log from before: that log goes on.
                match self.rooms.get_mut(&id) {
                    Some(room) => room.shut = false,
                    None => drop(self.rooms.insert(id, Room::default())),
                }
            }
            Order::Shut(id) => {
                if let Some(room) = self.rooms.get_mut(&id) {
                    room.shut = true;
                    self.let_go_of(id);
                }
            }
            Order::Post(id, line) => self.post(id, line),
            Order::Enter(id, room) => {
                if let Some(key) = self.key(id) {
                    self.leave_room(key);
                    self.enter(key, room);
                    self.weigh_mail(key);
                    self.look(key);
                }
            }
            Order::Tell(id, bytes) => self.tell(id, bytes),
            Order::Area(id, area) => self.with_log(id, |reader, log| reader.area(area, Some(log))),
            Order::Hold(id, on) => self.with_log(id, |reader, log| reader.hold(on, Some(log))),
            Order::Release(id) => self.with_log(id, |reader, log| reader.release(Some(log))),
            Order::View(id, view) => self.with_log(id, |reader, log| reader.set_view(view, log)),
            Order::Hide(id, filter) => self.with_log(id, |reader, log| reader.hide(filter, log)),
            Order::Close(id) => {
                if let Some(key) = self.key(id) {
                    let client = &mut self.clients[key];
                    if let Some(room) = client.room.and_then(|room| self.rooms.get(&room)) {
                        client.reader.close(&room.log);
                    }
                    let now = Instant::now();
                    client.closing = Some(now + CLOSE_WITHIN);
                    // A client with a full socket may have had a later deadline: from now on it has
                    // less patience.
                    if let Some(until) = client.full {
                        self.full.until.remove(&(until, key));
                        let until = client.patience(now, self.limits.stall);
                        client.full = Some(until);
                        self.full.until.insert((until, key));
                    }
                    if client.given_up {
                        self.drop_client(key);
                    } else {
                        self.look(key);
                    }
                }
            }
            Order::Rekey(id) => self.rekey(id),
            Order::Alert(id, alert) => self.alert(id, alert),
            Order::Limits(limits) => self.limits = limits,
        }
    }

    pub(super) fn key(&self, id: SessionId) -> Option<usize> {
        self.keys.get(&id).copied()
    }

    pub(super) fn attach(&mut self, connection: Arc<Connection>, reader: Reader) -> usize {
        let (id, is_sealed) = (connection.id, connection.slot.is_some());
        let client = Client {
            connection,
            reader,
            is_sealed,
            sealing: None,
            room: None,
            seat: 0,
            full: None,
            awaits: None,
            waiting: 0,
            watched: false,
            crowded: false,
            mail: 0,
            queued: false,
            catches_up: false,
            closing: None,
            given_up: false,
            sent: 0,
            limit: 0,
            next_cut: u64::MAX,
        };
        let key = self.clients.insert(Box::new(client));
        self.keys.insert(id, key);
        key
    }

    fn post(&mut self, id: RoomId, line: Arc<Line>) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let (author, apart) = (line.author, line.apart.clone());
        room.log.push(line);
        for one in author.iter().chain(apart.iter().flat_map(|apart| apart.iter())) {
            if let Some(key) = self.keys.get(one)
                && self.clients[*key].room == Some(id)
            {
                self.clients[*key].reader.said(&room.log);
            }
        }
        if !std::mem::replace(&mut room.queued, true) {
            self.jobs.queue.push_back(Job::Round(id));
        }
        self.weigh(id);
    }

    fn tell(&mut self, id: SessionId, bytes: Arc<[u8]>) {
        let Some(key) = self.key(id) else { return };
        let client = &mut self.clients[key];
        if client.given_up {
            return;
        }
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        client.reader.tell(bytes, log);
        self.weigh_mail(key);
        // A client that is being closed gets nothing new, so its mail is bounded.
        let stays = self.clients[key].closing.is_none() && self.replaying.is_none();
        if stays && self.is_too_much(key) {
            // A client is not given up because it had to wait for the disk: what waits is written
            // first.
            self.forget_record(key);
            self.serve(key);
            if self.is_too_much(key) {
                let victim = self.who_has_too_much(key);
                self.give_up(victim, Farewell::MailboxFull);
                self.forget_mail(victim);
                if victim != key {
                    self.look(key);
                }
            }
            return;
        }
        self.look(key);
    }

    fn with_log(&mut self, id: SessionId, change: impl FnOnce(&mut Reader, &mut Log)) {
        if let Some(key) = self.key(id)
            && let client = &mut self.clients[key]
            && let Some(room) = client.room.and_then(|room| self.rooms.get_mut(&room))
        {
            change(&mut client.reader, &mut room.log);
            self.weigh_mail(key);
            self.look(key);
        }
    }

    fn enter(&mut self, key: usize, id: RoomId) {
        let Some(room) = self.rooms.get_mut(&id) else { return };
        let client = &mut self.clients[key];
        client.reader.enter(&mut room.log);
        client.room = Some(id);
        client.seat = room.members.len();
        room.members.push(key);
    }

    pub(super) fn leave_room(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let Some(id) = client.room.take() else { return };
        let Some(room) = self.rooms.get_mut(&id) else { return };
        client.reader.leave(&mut room.log);
        let seat = client.seat;

        room.members.swap_remove(seat);
        if let Some(moved) = room.members.get(seat).copied() {
            let moved = &mut self.clients[moved];
            moved.seat = seat;
            // This member has moved from a seat that the round had not reached to one that it has
            // passed. The lines that it is owed must stay in the log, and the room needs another
            // round.
            if seat < room.at {
                room.low = room.low.min(moved.reader.next_line());
            }
        }
        self.let_go_of(id);
    }

    /// Drops a room that is shut, once no client is owed any line of it.
    fn let_go_of(&mut self, id: RoomId) {
        let is_over = |room: &Room| room.shut && room.members.is_empty();
        if self.rooms.get(&id).is_some_and(is_over)
            && let Some(room) = self.rooms.remove(&id)
        {
            self.weights.over -= usize::from(room.over);
            self.weights.log(room.weight, 0);
        }
    }
}
