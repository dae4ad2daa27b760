//! What follows from inputs: orders for the rounds, records for the store, searches and passwords
//! for other threads, events.

use std::collections::VecDeque;

use super::Driver;
use super::on_disk::Awaited;
use crate::hub::message::Line;
use crate::machine::{Order, Outcome};
use crate::net::rounds;
use crate::net::rounds::at_once::AtOnce;
use crate::net::rounds::{Exchanges, Rounds, Work};
use crate::values::id::RoomId;
use crate::values::time::Now;
use crate::wire::admin::event;
use crate::wire::admin::event::EventKind;

/// The most orders that wait for the rounds before the driver takes in nothing new. If each is a
/// line of the greatest length, that is 16 MiB with the default settings.
const ORDERS: usize = 16_384;

/// The way to the rounds.
pub(super) struct Delivery {
    rounds: rounds::Shared,
    pub(super) exchanges: Exchanges,
    /// Work that is handed to the rounds next.
    pub(super) work: Vec<Work>,
    /// Clients whose answer waits for a record, in the order of the records.
    pub(super) awaited: VecDeque<Awaited>,
    /// The number of the last record of a deed, among the outcomes that are being applied.
    pub(super) deed: Option<u64>,
    /// Whether a round is under way that the driver has begun in its own thread.
    pub(super) writing: bool,
    /// Whether too many orders wait for the rounds: the driver then takes in nothing new.
    clogged: bool,
}

impl Delivery {
    pub(super) const fn new(rounds: rounds::Shared, exchanges: Exchanges) -> Self {
        let awaited = VecDeque::new();
        Self { rounds, exchanges, work: Vec::new(), awaited, deed: None, writing: false, clogged: false }
    }

    /// Hands `work` to the rounds. If it is little, the rounds are made in this thread; if it is
    /// much, they are begun here if the driver is `alone`: if it has nothing else to do.
    fn send(&mut self, alone: bool) {
        if self.work.is_empty() {
            return;
        }
        let done = Rounds::begin_at_once(&self.rounds, &mut self.work, alone && !self.writing);
        self.writing = done == AtOnce::Begun;
        if !self.work.is_empty() {
            let waiting = self.exchanges.work.push_all(&mut self.work);
            self.work.clear();
            if self.work.capacity() > ORDERS {
                self.work = Vec::new();
            }
            self.clogged |= waiting > ORDERS;
        }
    }

    /// Goes on with a round that the driver has begun, if there is nothing else to do. Otherwise
    /// leaves it to the rounds' thread.
    pub(super) fn continue_round(&mut self, nothing_else: bool) {
        if nothing_else {
            self.writing = Rounds::continue_at_once(&self.rounds) == AtOnce::Begun;
        } else {
            self.exchanges.work.wake();
            self.writing = false;
        }
    }

    /// Whether too many orders wait for the rounds. Once it is true, it stays true until the rounds
    /// have taken half of them.
    pub(super) fn is_clogged(&mut self) -> bool {
        if self.clogged {
            self.clogged = self.exchanges.work.len() > ORDERS / 2;
        }
        self.clogged
    }
}

impl Driver {
    /// Applies all outcomes since the last call.
    pub(super) fn apply_outcomes(&mut self, at: Now) {
        let mut outcomes = std::mem::take(&mut self.state.outcomes);
        self.delivery.deed = None;
        for (place, outcome) in outcomes.drain(..).enumerate() {
            // Before a deed is on disk, its author sees nothing of it: neither an answer nor a line
            // in the room.
            while self.state.deeds.front().is_some_and(|deed| deed.first <= place)
                && let Some(deed) = self.state.deeds.pop_front()
            {
                self.await_record(deed.by, deed.record, at);
            }
            self.apply(outcome, at);
        }
        self.state.outcomes = outcomes;
        self.delivery.send(self.clients.turns.is_empty());
    }

    fn apply(&mut self, outcome: Outcome, at: Now) {
        let order = match outcome {
            Outcome::Order(order) => order,
            Outcome::Record(number, record) => {
                if let Some(store) = &self.store {
                    if record.is_of_a_deed() {
                        self.delivery.deed = Some(number);
                    }
                    store.record(number, record);
                }
                return;
            }
            Outcome::Search(search) => {
                if let Some(store) = &self.store {
                    store.search(*search);
                }
                return;
            }
            Outcome::Hash(job) => {
                let accounts = &self.state.hub().settings().accounts;
                return self.hashing.hash(job, accounts.into());
            }
            Outcome::More(id) => return self.clients.queue_turn(id, self.state.machine()),
            Outcome::SecretSpent => {
                if self.state.tape.is_kept() {
                    self.snapshots.forget_soon(at.mono);
                }
                return;
            }
            Outcome::Peering(outgoing) => {
                // No program connects the hub to others yet, and a hub that was never connected asks for nothing. Should
                // it do so all the same, nothing is lost: what matters is asked for again.
                debug_assert!(false, "there is no link: {outgoing:?}");
                return;
            }
            Outcome::Happened(happening) => {
                if !self.subscribers.is_empty() {
                    self.subscribers.publish(&event::happened(&happening));
                }
                return self.journal.note(happening, at.mono);
            }
        };
        match &order {
            Order::Attach(id) => {
                if let Some(port) = self.clients.ports.get(id) {
                    self.delivery.work.push(Work::Connection(port.connection.clone()));
                }
            }
            Order::Post(room, line) => self.publish_line(*room, line),
            Order::Tell(id, _) => self.await_deed(*id, at),
            Order::Close(id) => {
                if let Some(port) = self.clients.ports.get_mut(id) {
                    port.leaving = true;
                    self.clients.queue_turn(*id, self.state.machine());
                }
            }
            _ => {}
        }
        self.delivery.work.push(Work::Order(order));
    }

    /// Publishes a room's line as an event.
    fn publish_line(&mut self, room: RoomId, line: &Line) {
        if line.said.is_kept() && self.subscribers.want(EventKind::Say) {
            // A private line is published to nobody. If the room is gone, it is not known whether
            // the line was private.
            let Some(room) = self.state.hub().room(room) else { return };
            if room.ownership.is_private_line(line.seq) {
                return;
            }
            if let Some(event) = event::said(room.name.shown(), line) {
                self.subscribers.publish(&event);
            }
        }
    }
}
