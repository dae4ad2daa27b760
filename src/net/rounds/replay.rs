//! Taking over: the rounds restore a snapshot of what all clients are owed, and apply a former
//! process's orders again. They pass over the bytes that each client's socket has taken, instead of
//! writing them.

use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::jobs::Job;
use super::sealed::{SavedSealing, Sealing};
use super::write::CLOSE_WITHIN;
use super::{Client, Room, Rounds};
use crate::machine::{Limits, Order};
use crate::net::connection::Connection;
use crate::net::keep::tape::Cut;
use crate::values::id::{RoomId, SessionId};
use crate::wire::render;
use crate::wire::stream::log::Log;
use crate::wire::stream::reader::{MAX_PIECES, Reader};

/// The cuts of a former process, while its orders are replayed.
#[derive(Debug)]
pub(super) struct Replaying {
    /// The cuts that are still to be made.
    pub(super) cuts: VecDeque<Cut>,
    /// For each client, how many bytes its socket had taken at each cut at which it missed lines.
    pub(super) missing: HashMap<SessionId, VecDeque<u64>>,
}

impl Rounds {
    /// What all clients are owed, as JSON for [`Self::restore`].
    pub(super) fn saved(&self) -> Vec<u8> {
        let rooms = self.rooms.iter().map(|(id, room)| (*id, &room.log));
        let clients = self.clients.iter().map(|(_, client)| SavingClient::of(client, &client.reader));
        serde_json::to_vec(&Saving { rooms: rooms.collect(), clients: clients.collect() }).expect("plain values")
    }

    /// The bytes that all clients are owed, as a value that another thread serializes. Cursors and
    /// mailboxes are copied; the lines of the logs are shared.
    pub(super) fn frozen(&self) -> Frozen {
        let rooms = self.rooms.iter().map(|(id, room)| (*id, room.log.frozen()));
        let clients = self.clients.iter().map(|(_, client)| SavingClient::of(client, client.reader.clone()));
        Frozen(Saving { rooms: rooms.collect(), clients: clients.collect() })
    }

    /// As `saved`, but in the middle of a replay. The cuts that are still to be made stay on the
    /// tape.
    pub fn saved_on_the_way(&self) -> Vec<u8> {
        let left = self.replaying.as_ref().map_or(0, |replaying| replaying.cuts.len());
        self.cuts.begin(self.orders, left);
        self.saved()
    }

    /// Restores logs and cursors from a snapshot, and prepares for the orders that came after it.
    /// `connection` returns a client's connection, by its number and cookie, and how many bytes its
    /// socket has taken in all; `u64::MAX` if the socket is gone.
    ///
    /// # Errors
    /// What in the snapshot does not fit together, in words.
    pub fn restore(
        &mut self,
        saved: &[u8],
        cuts: Vec<Cut>,
        limits: Limits,
        mut connection: impl FnMut(SessionId, u64) -> (Arc<Connection>, u64),
    ) -> Result<(), String> {
        let saved: Saved = serde_json::from_slice(saved).map_err(|error| error.to_string())?;
        let mut missing = HashMap::<_, VecDeque<_>>::new();
        for cut in cuts.iter().filter(|cut| cut.to != Cut::FRAME) {
            missing.entry(cut.id).or_default().push_back(cut.sent);
        }
        self.replaying = Some(Replaying { cuts: cuts.into(), missing });
        self.limits = limits;
        self.rooms = saved.rooms.into_iter().map(|(id, log)| (id, Room { log, ..Room::default() })).collect();
        for SavedClient { id, cookie, room, mut reader, closing, sent, tls } in saved.clients {
            let log = match room {
                Some(room) => {
                    let room =
                        self.rooms.get_mut(&room).ok_or_else(|| format!("{id} reads a log that is not there"))?;
                    room.members.push(self.clients.vacant_key());
                    Some(room)
                }
                None => None,
            };
            let seat = log.as_ref().map_or(0, |room| room.members.len() - 1);
            reader.resume(log.map(|room| &mut room.log), render::missed)?;
            let cookie = tls.as_ref().map_or(cookie, |tls| tls.cookie);
            let (connection, taken) = connection(id, cookie);
            let key = self.attach(connection, reader);
            let client = &mut self.clients[key];
            (client.room, client.seat, client.sent) = (room, seat, sent);
            client.closing = closing.then(|| Instant::now() + CLOSE_WITHIN);
            let taken = client.resume_sealing(tls, taken);
            self.may_take(key, taken);
        }
        Ok(())
    }

    /// Applies one order of a former process. [`Order::Attach`] needs `coming`: the client's
    /// connection, and how many bytes its socket has taken in all.
    ///
    /// # Errors
    /// What does not fit together, in words.
    pub fn replay_order(&mut self, order: Order, coming: Option<(Arc<Connection>, u64)>) -> Result<(), String> {
        // The cuts that were made before this order come first.
        self.make_cuts()?;
        let attached = coming.map(|(connection, taken)| {
            let id = connection.id;
            self.coming = Some(connection);
            (id, taken)
        });
        self.apply_order(order);
        if let Some((id, taken)) = attached
            && let Some(key) = self.key(id)
        {
            let taken = self.clients[key].resume_sealing(None, taken);
            self.may_take(key, taken);
        }
        Ok(())
    }

    /// Makes the cuts that the former process made before the next order.
    fn make_cuts(&mut self) -> Result<(), String> {
        while let Some(replaying) = &mut self.replaying
            && replaying.cuts.front().is_some_and(|cut| cut.order <= self.orders)
            && let Some(cut) = replaying.cuts.pop_front()
        {
            if cut.to != Cut::FRAME
                && let Some(missing) = replaying.missing.get_mut(&cut.id)
            {
                missing.pop_front();
            }
            let key = self.key(cut.id).ok_or_else(|| format!("{} is not there for a cut", cut.id))?;
            self.serve(key);
            let client = &mut self.clients[key];
            let room = client.room.and_then(|room| self.rooms.get_mut(&room));
            if cut.to == Cut::FRAME {
                let log = room.map(|room| &room.log);
                client.pass_over(log);
                if client.sent != cut.sent || !client.reader.needs_frame(log) {
                    return Err(format!("nothing can have been put together for {} there", cut.id));
                }
                client.reader.frame(log);
                client.pass_over(log);
                continue;
            }
            let room = room.filter(|room| cut.to <= room.log.end());
            let Some(room) = room.filter(|_| client.sent == cut.sent) else {
                return Err(format!("{} cannot have missed lines there", cut.id));
            };
            client.reader.skip(cut.to, &room.log, render::missed);
            let taken = client.limit;
            self.may_take(key, taken);
        }
        Ok(())
    }

    /// Settles if more than 4,096 orders were applied since the last time, so that logs stay
    /// bounded. `orders` is the number of orders at that time, and is updated.
    pub fn settle_after(&mut self, orders: &mut u64) {
        if self.orders - *orders > 4096 {
            *orders = self.orders;
            self.settle();
        }
    }

    /// Notes that a client's socket has taken `taken` bytes in all. The replay passes over them, up
    /// to the client's next cut.
    fn may_take(&mut self, key: usize, taken: u64) {
        let id = self.clients[key].connection.id;
        let missing = self.replaying.as_ref().and_then(|replaying| replaying.missing.get(&id)?.front().copied());
        self.clients[key].limit = taken;
        self.clients[key].next_cut = missing.unwrap_or(u64::MAX);
    }

    /// Has every client pass over the bytes that its socket has taken, as far as the cuts made so
    /// far allow.
    pub(crate) fn settle(&mut self) {
        while !self.jobs.is_idle() {
            self.make_rounds(&mut usize::MAX.clone());
            self.let_catch_up();
        }
    }

    /// Ends the replay: from now on the rounds write. Returns the clients for which it is not known
    /// what they are owed: their sockets have taken more than the replay sent them, or their last
    /// records could not be made again.
    ///
    /// # Errors
    /// What does not fit together, in words.
    pub fn finish_replay(&mut self) -> Result<Vec<SessionId>, String> {
        self.make_cuts()?;
        let keys: Vec<_> = self.keys.values().copied().collect();
        for key in &keys {
            self.look(*key);
        }
        self.settle();
        self.replaying = None;
        let mut unknown = Vec::new();
        for (_, client) in &mut self.clients {
            // The last records of this encrypted client could not be made again: nothing more is
            // written to it.
            client.given_up |= client.is_sealed && !client.is_resumed();
            if client.given_up || client.sent < client.limit && client.limit != u64::MAX {
                unknown.push(client.connection.id);
            }
            self.waiting += client.sealing.as_ref().map_or(0, |sealing| sealing.waiting());
        }
        for key in keys {
            if self.clients[key].given_up && self.clients[key].closing.is_some() {
                self.drop_client(key);
            } else {
                self.look(key);
            }
        }
        let rooms: Vec<_> = self.rooms.keys().copied().collect();
        for id in &rooms {
            self.weigh(*id);
        }
        for id in rooms {
            if let Some(room) = self.rooms.get_mut(&id)
                && !std::mem::replace(&mut room.queued, true)
            {
                self.jobs.queue.push_back(Job::Round(id));
            }
        }
        Ok(unknown)
    }

    /// Whether the rounds have a client of this number.
    #[must_use]
    pub fn knows(&self, id: SessionId) -> bool {
        self.keys.contains_key(&id)
    }

    /// Client `id`'s connection.
    #[must_use]
    pub fn connection(&self, id: SessionId) -> Option<&Arc<Connection>> {
        Some(&self.clients[self.key(id)?].connection)
    }

    /// All connections, and whether each is being closed.
    pub fn connections(&self) -> impl Iterator<Item = (&Arc<Connection>, bool)> {
        self.clients.iter().map(|(_, client)| (&client.connection, client.closing.is_some()))
    }
}

impl Client {
    /// Passes over bytes that the socket has taken already, up to the next cut.
    pub(super) fn pass_over(&mut self, log: Option<&Log>) {
        let limit = self.limit.min(self.next_cut);
        // Each step is that of a write to a socket which takes this much and is full then.
        while self.sent < limit {
            let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
            let (count, owed) = self.reader.gather(log, &mut pieces);
            let taken = owed.min(usize::try_from(limit - self.sent).unwrap_or(usize::MAX));
            if let Some(sealing) = &mut self.sealing {
                sealing.pass_over(self.sent, taken, pieces[..count].iter().map(|piece| &**piece));
            }
            self.reader.advance(log, taken);
            self.sent += taken as u64;
            if count == 0 {
                break;
            }
        }
        if let Some(sealing) = &mut self.sealing
            && !sealing.finish_resuming(self.sent)
        {
            self.sealing = None;
        }
    }

    /// Prepares an encrypted client for a replay. `taken` is how many bytes its socket has taken in
    /// all. Returns how many bytes of what the client is sent were sealed: see [`Sealing::resume`].
    /// For a client that is not encrypted, and for a connection that is gone, does nothing and
    /// returns `taken`.
    fn resume_sealing(&mut self, saved: Option<SavedSealing>, taken: u64) -> u64 {
        self.is_sealed |= saved.is_some();
        if !self.is_sealed || taken == u64::MAX {
            return taken;
        }
        let is_gone = saved.as_ref().is_some_and(|saved| saved.gone);
        let slot = self.connection.slot.as_ref().filter(|slot| !is_gone && !slot.is_closed());
        // The connection has ended, or its secrets are lost: nothing more is written, as if the
        // socket were gone.
        let Some(slot) = slot else { return u64::MAX };
        let (sealing, limit) = Sealing::resume(slot, saved, self.sent, taken).unzip();
        self.sealing = sealing.map(Box::new);
        // If nothing could be resumed, nothing is passed over, and nothing will be written.
        limit.unwrap_or(self.sent)
    }

    /// The client's outgoing direction, for a snapshot; `None` if the client is not encrypted.
    fn saved_sealing(&self) -> Option<SavedSealing> {
        if !self.is_sealed {
            return None;
        }
        let gone = || self.connection.slot.as_ref().map_or_else(SavedSealing::default, SavedSealing::gone);
        Some(self.sealing.as_ref().map_or_else(gone, |sealing| sealing.saved()))
    }

    /// Whether an encrypted client can be written to: its socket is gone, or the last records of
    /// the former process were made again.
    fn is_resumed(&self) -> bool {
        let is_gone = self.limit == u64::MAX;
        is_gone || self.sealing.as_ref().is_some_and(|sealing| sealing.is_resumed())
    }
}

/// The bytes that all clients were owed at one moment, ready to be serialized.
#[derive(Debug, Serialize)]
pub struct Frozen(Saving<Log, Reader>);

/// The form of a snapshot of the rounds, for writing.
#[derive(Debug, Serialize)]
struct Saving<L, R> {
    rooms: Vec<(RoomId, L)>,
    clients: Vec<SavingClient<R>>,
}

#[derive(Debug, Serialize)]
struct SavingClient<R> {
    id: SessionId,
    cookie: u64,
    room: Option<RoomId>,
    reader: R,
    closing: bool,
    sent: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<SavedSealing>,
}

impl<R> SavingClient<R> {
    fn of(client: &Client, reader: R) -> Self {
        Self {
            id: client.connection.id,
            // See `SavedSealing::cookie`.
            cookie: if client.is_sealed { 0 } else { client.connection.cookie },
            room: client.room,
            reader,
            closing: client.closing.is_some(),
            sent: client.sent,
            tls: client.saved_sealing(),
        }
    }
}

/// The form of a snapshot of the rounds, for reading.
#[derive(Debug, Deserialize)]
pub struct Saved {
    rooms: Vec<(RoomId, Log)>,
    clients: Vec<SavedClient>,
}

#[derive(Debug, Deserialize)]
struct SavedClient {
    id: SessionId,
    cookie: u64,
    room: Option<RoomId>,
    reader: Reader,
    #[serde(default)]
    closing: bool,
    sent: u64,
    #[serde(default)]
    tls: Option<SavedSealing>,
}
