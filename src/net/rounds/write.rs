//! Writing to one client, as much as its socket takes; full sockets; the end of a connection.

use std::collections::BTreeSet;
use std::io::{ErrorKind, IoSlice};
use std::os::fd::AsFd as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::{Client, Report, Rounds};
use crate::hub::message::Farewell;
use crate::net::keep::fault;
use crate::net::keep::tape::Cut;
use crate::net::readiness::Sockets;
use crate::values::id::SessionId;
use crate::wire::stream::reader::MAX_PIECES;

/// Pieces for which a write has room at first. Nearly every client is owed fewer. To clear room for
/// [`MAX_PIECES`] at each write would take longer than to fill it.
const FEW_PIECES: usize = 4;

/// The most writes to one client before others have their turn. If many lines are hidden from the
/// client, each write carries only a few.
pub(super) const WRITES: usize = 16;

/// The most bytes written to one client before others have their turn.
pub(super) const BYTES: u64 = 64 << 10;

/// How long the socket of a client that is to be closed may take nothing, and how long the client
/// may take in all. It counts for no limit of clients any more.
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(60);

/// The clients whose sockets are full.
#[derive(Debug, Default)]
pub(super) struct FullSockets {
    /// The give-up deadline of each client, with the client's key.
    pub(super) until: BTreeSet<(Instant, usize)>,
    /// The set in which these sockets are watched; `None` until the rounds run.
    pub(super) watched: Option<Sockets>,
}

impl Rounds {
    /// Writes to one client the bytes it is owed, as many as its socket and one turn allow. Returns
    /// how many bytes its socket took, or how many were sealed.
    pub(super) fn serve(&mut self, key: usize) -> u64 {
        let before = self.clients[key].sent;
        self.write_to(key);
        // A client that was to be closed, and has got its last bytes, is gone now.
        self.clients.get(key).map_or(0, |client| client.sent.saturating_sub(before))
    }

    fn write_to(&mut self, key: usize) {
        let client = &mut self.clients[key];
        if client.given_up {
            return;
        }
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        if self.replaying.is_some() {
            return client.pass_over(log);
        }
        if !client.takes() {
            let behind = client.behind(log);
            self.exchanges.counts.distances.note(behind);
            return client.connection.behind.store(behind, Ordering::Relaxed);
        }
        if client.is_sealed {
            return self.write_sealed(key);
        }
        let (mut writes, begun) = (0, client.sent);
        loop {
            if writes == WRITES || client.sent - begun > BYTES {
                // The client's turn is over, and it is owed more.
                return self.catch_up(key);
            }
            writes += 1;
            if client.reader.needs_frame(log) {
                // The tape keeps the cut before it takes effect. If it has no room, the frame waits
                // for the next snapshot.
                let (id, sent) = (client.connection.id, client.sent);
                if !self.cuts.append(Cut { order: self.orders, id, sent, to: Cut::FRAME }) {
                    self.cuts_full = true;
                    return;
                }
                let lines = client.reader.frame(log);
                self.exchanges.counts.deliveries.fetch_add(lines, Ordering::Relaxed);
            }
            let (mut few, mut many) = ([IoSlice::new(&[]); FEW_PIECES], None);
            let (mut count, mut owed) = client.reader.gather(log, &mut few);
            let mut pieces = &few[..count];
            if count == FEW_PIECES {
                let many = many.insert([IoSlice::new(&[]); MAX_PIECES]);
                (count, owed) = client.reader.gather(log, many);
                pieces = &many[..count];
            }
            if count == 0 {
                client.reader.advance(log, 0);
                break;
            }
            fault::point("write.before");
            match client.connection.write(pieces) {
                Ok(taken) => {
                    fault::point("write.after");
                    self.exchanges.counts.writes.fetch_add(1, Ordering::Relaxed);
                    self.exchanges.counts.bytes.fetch_add(taken as u64, Ordering::Relaxed);
                    client.connection.taken.fetch_add(taken as u64, Ordering::Relaxed);
                    let lines = client.reader.advance(log, taken);
                    self.exchanges.counts.deliveries.fetch_add(lines, Ordering::Relaxed);
                    client.sent += taken as u64;
                    // The socket took all of it, and no piece was left out: the client is owed
                    // nothing more.
                    if taken == owed && count < MAX_PIECES && !client.reader.is_typing() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.found_full(key),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) if client.closing.is_some() => return self.drop_client(key),
                Err(_) => return self.give_up(key, Farewell::Lost),
            }
        }
        self.is_through(key);
    }

    /// Notes that a client is owed nothing more. If it was to be closed, it is closed now.
    pub(super) fn is_through(&mut self, key: usize) {
        let client = &mut self.clients[key];
        self.exchanges.counts.distances.note(0);
        if client.connection.behind.load(Ordering::Relaxed) != 0 {
            client.connection.behind.store(0, Ordering::Relaxed);
        }
        if client.closing.is_some() {
            return self.drop_client(key);
        }
        if client.mail > 0 || client.crowded {
            self.weigh_mail(key);
        }
    }

    /// Notes that a client's socket takes nothing more now.
    pub(super) fn found_full(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let log = client.room.and_then(|room| self.rooms.get(&room)).map(|room| &room.log);
        self.exchanges.counts.full.fetch_add(1, Ordering::Relaxed);
        let behind = client.behind(log);
        self.exchanges.counts.distances.note(behind);
        client.connection.behind.store(behind, Ordering::Relaxed);
        self.wait_until_writable(key);
        if self.clients.get(key).is_some_and(|client| client.reader.is_through()) {
            // All that the client is still owed is its own mail: the log need not keep lines for
            // it.
            self.leave_room(key);
        }
        self.weigh_mail(key);
    }

    /// Watches a full socket: nothing is written to the client until the socket takes more, or the
    /// client is given up.
    fn wait_until_writable(&mut self, key: usize) {
        let client = &mut self.clients[key];
        let until = client.patience(Instant::now(), self.limits.stall);
        client.waiting = client.connection.unacknowledged().unwrap_or(0);
        client.full = Some(until);
        self.full.until.insert((until, key));
        let watched = self.full.watched.as_ref().zip(client.connection.socket());
        let watched = watched.map(|(room, socket)| room.watch_room(&socket, client.connection.id.0));
        client.watched = true;
        #[cfg(test)]
        let watched = if client.connection.played.is_some() { Some(Ok(())) } else { watched };
        if !matches!(watched, Some(Ok(()))) {
            self.full.until.remove(&(until, key));
            client.full = None;
            self.give_up(key, Farewell::Lost);
        }
    }

    /// Notes that a full socket takes more: its client catches up.
    pub(super) fn writable(&mut self, id: SessionId) {
        if let Some(key) = self.key(id)
            && let Some(until) = self.clients[key].full.take()
        {
            self.full.until.remove(&(until, key));
            self.catch_up(key);
        }
    }

    /// Gives up the clients whose give-up deadline has passed.
    pub(super) fn stalled(&mut self, now: Instant) {
        while let Some((until, key)) = self.full.until.first().copied()
            && until <= now
        {
            self.full.until.pop_first();
            let client = &mut self.clients[key];
            // epoll reports a full socket only when a good part of it is free. So a client that
            // takes little at a time shows only in what its system acknowledges. Such a client gets
            // a new deadline.
            let waiting = client.connection.unacknowledged();
            if let Some(waiting) = waiting.filter(|waiting| *waiting < client.waiting)
                && client.closing.is_none_or(|end| now < end)
            {
                client.waiting = waiting;
                let until = client.patience(now, self.limits.stall);
                client.full = Some(until);
                self.full.until.insert((until, key));
            } else if client.closing.is_some() {
                self.drop_client(key);
            } else {
                self.give_up(key, Farewell::TooSlow);
            }
        }
    }

    /// Writes nothing more to a client, and tells the driver, which orders the client closed.
    pub(super) fn give_up(&mut self, key: usize, why: Farewell) {
        let client = &mut self.clients[key];
        if !std::mem::replace(&mut client.given_up, true) {
            self.exchanges.reports.push(Report::Gone(client.connection.id, why));
        }
    }

    /// Drops a client and ends its connection: it was written everything, or nothing more can be
    /// done for it.
    pub(super) fn drop_client(&mut self, key: usize) {
        self.leave_room(key);
        self.forget_record(key);
        let client = self.clients.remove(key);
        self.waiting -= client.sealing.as_ref().map_or(0, |sealing| sealing.waiting());
        self.weights.mail(client.mail, 0);
        self.keys.remove(&client.connection.id);
        if let Some(until) = client.full {
            self.full.until.remove(&(until, key));
        }
        if client.watched
            && let Some((room, socket)) = self.full.watched.as_ref().zip(client.connection.socket())
        {
            room.forget(&socket.as_fd());
        }
        fault::point("close.before");
        if client.given_up || client.full.is_some() {
            client.connection.abort();
        } else {
            client.connection.finish();
        }
        fault::point("close.after");
        self.exchanges.reports.push(Report::Finished(client.connection.id));
    }
}

impl Client {
    /// Whether the client may be written to: its socket is not full, and it waits for no record.
    pub(super) const fn takes(&self) -> bool {
        self.full.is_none() && self.awaits.is_none()
    }

    /// The give-up deadline of a client whose socket takes nothing from `now` on. `stall` is the
    /// patience with clients that are not being closed.
    pub(super) fn patience(&self, now: Instant, stall: Duration) -> Instant {
        match self.closing {
            Some(end) => end.min(now + CLOSE_PATIENCE.min(stall)),
            None => now + stall,
        }
    }
}
