//! Clients' sockets, for the driver: which can be read, whose turn it is, and which are to be
//! closed.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Driver;
use super::turns::Turns;
use crate::hub::{self, message::Farewell};
use crate::kernel;
use crate::machine::{Input, Machine, Tls};
use crate::net::accept;
use crate::net::connection::Connection;
use crate::net::keep::fault;
use crate::net::keep::queue::Keeping;
use crate::net::keep::recovery::Newcomer;
use crate::net::keep::tape::{CHUNK, Slot, Slots};
use crate::net::readiness::Readiness;
use crate::net::rounds::Report;
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::rising::Rising;
use crate::values::time::{Mono, Now};
use crate::wire::admin::execute::Traffic;

/// How long a client has to close its side of the connection after we have ended ours. If a
/// connection is closed with unread bytes in it, the kernel resets it, and the client could lose
/// its last lines.
const LINGER: Duration = Duration::from_secs(1);

/// A client's socket, and what the driver knows of it.
pub(super) struct Port {
    pub(super) connection: Arc<Connection>,
    /// The address whose turns the client shares.
    origin: Origin,
    /// Whether the socket may have something to read.
    readable: bool,
    /// Whether to read until EAGAIN: a short read does not mean that the socket is empty.
    to_the_end: bool,
    /// Whether the client waits for its turn to be read.
    queued: bool,
    /// Whether the client has left the hub. Bytes that it still sends are thrown away.
    pub(super) leaving: bool,
    /// Whether the client has ended its output, and all of it was read.
    hung_up: bool,
    /// When the socket is closed; `None` while the client's output goes on.
    lingers: Option<Mono>,
}

/// The sockets of all clients, and the order of their turns.
pub(super) struct Clients {
    pub(super) ports: Rising<SessionId, Port>,
    /// The set that reports which sockets can be read.
    pub(super) inputs: Readiness,
    /// Clients that wait for their turn to be read.
    pub(super) turns: Turns,
    /// Clients whose input the machine does not take now: they are not read until something has
    /// changed.
    paused: Vec<SessionId>,
    /// Clients whose output has ended, by the time at which their sockets are closed.
    lingering: BTreeSet<(Mono, SessionId)>,
    /// The queue that keeps sockets for the next process.
    queue: Keeping,
    /// The secrets of encrypted connections.
    slots: Slots,
    /// Whether an encrypted connection has ended whose secrets the next snapshot must wipe.
    pub(super) secret_spent: bool,
    /// Bytes received from all clients since the start.
    pub(super) bytes_read: u64,
    /// Whether the queue of sockets is being tidied: one step in each turn of the loop.
    pub(super) tidying: bool,
    accepted: Arc<accept::Counts>,
}

/// The facts about an encrypted connection that the machine gets.
fn told(slot: &Slot) -> Option<Tls> {
    let fingerprint = slot.fingerprint().map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect());
    Some(Tls { suite: slot.suite()?, group: slot.group(), fingerprint, read: slot.handshake().0 })
}

impl Clients {
    /// No clients yet.
    ///
    /// # Errors
    /// Any error of epoll_create1(2).
    pub(super) fn new(queue: Keeping, slots: Slots, accepted: Arc<accept::Counts>) -> io::Result<Self> {
        Ok(Self {
            ports: Rising::default(),
            inputs: Readiness::new()?,
            turns: Turns::default(),
            paused: Vec::new(),
            lingering: BTreeSet::new(),
            bytes_read: 0,
            // Some of the sockets that a former process has left may be closed: so tidying begins
            // at once.
            tidying: queue.is_some(),
            queue,
            slots,
            secret_spent: false,
            accepted,
        })
    }

    /// Begins to watch a client's socket. `leaving`: the client has left the hub already.
    pub(super) fn watch(&mut self, connection: Arc<Connection>, origin: Origin, leaving: bool, machine: &Machine) {
        let id = connection.id;
        let watched = connection.socket().map(|socket| self.inputs.sockets().watch_input(&socket, id.0));
        // A socket that cannot be watched is read at once: the read returns the error.
        let unwatched = matches!(watched, Some(Err(_)));
        let port = Port {
            connection,
            origin,
            readable: unwatched,
            to_the_end: unwatched,
            queued: false,
            leaving,
            hung_up: false,
            lingers: None,
        };
        self.ports.insert(id, port);
        if unwatched {
            self.queue_turn(id, machine);
        }
    }

    /// Notes that a client's socket can be read.
    pub(super) fn ready(&mut self, id: SessionId, to_the_end: bool, machine: &Machine) {
        if let Some(port) = self.ports.get_mut(&id) {
            port.readable = true;
            port.to_the_end |= to_the_end;
            self.queue_turn(id, machine);
        }
    }

    /// Queues a client for its turn, if its socket may have something to read, or the machine has
    /// input of it left.
    #[inline]
    pub(super) fn queue_turn(&mut self, id: SessionId, machine: &Machine) {
        if let Some(port) = self.ports.get_mut(&id)
            && (port.readable || machine.has_more(id))
            && !std::mem::replace(&mut port.queued, true)
        {
            self.turns.push(port.origin, id);
        }
    }

    /// Queues all clients whose input the machine did not take.
    pub(super) fn unpause(&mut self, machine: &Machine) {
        for id in std::mem::take(&mut self.paused) {
            self.queue_turn(id, machine);
        }
    }

    /// Prefetches what the next client's turn will need.
    pub(super) fn fetch_next(&self, machine: &Machine) {
        let Some(next) = self.turns.next() else { return };
        if let Some(port) = self.ports.get(&next) {
            kernel::prefetch(&*port.connection);
        }
        if let Some((session, speaker)) = machine.about(next) {
            kernel::prefetch(session);
            kernel::prefetch(speaker);
        }
    }

    /// Reads and throws away what a client sends that has left the hub.
    fn throw_away(&mut self, id: SessionId, machine: &Machine) {
        let Some(port) = self.ports.get_mut(&id) else { return };
        let mut away = [0; CHUNK];
        match port.connection.read(&mut away) {
            Ok(count) if count > 0 => self.queue_turn(id, machine),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.queue_turn(id, machine),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => port.readable = false,
            _ => {
                (port.readable, port.hung_up) = (false, true);
                if let Some(due) = port.lingers {
                    self.lingering.remove(&(due, id));
                    self.close(id);
                }
            }
        }
    }

    /// When the next socket that lingers is closed.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.lingering.first().map(|(at, _)| *at)
    }

    /// Closes the sockets that have lingered long enough.
    pub(super) fn close_lingering(&mut self, at: Mono) {
        while let Some((due, id)) = self.lingering.first().copied()
            && due <= at
        {
            self.lingering.pop_first();
            self.close(id);
        }
    }

    /// Notes that a client's output has ended. Its socket is closed when the client ends its own,
    /// or after [`LINGER`].
    fn linger(&mut self, id: SessionId, at: Mono) {
        let Some(port) = self.ports.get_mut(&id) else { return };
        if port.hung_up {
            return self.close(id);
        }
        let due = at.after(LINGER);
        port.lingers = Some(due);
        self.lingering.insert((due, id));
    }

    /// Closes a client's socket.
    pub(super) fn close(&mut self, id: SessionId) {
        let Some(port) = self.ports.remove(&id) else { return };
        self.accepted.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(socket) = port.connection.socket() {
            self.inputs.sockets().forget(&socket);
        }
        if let Some(slot) = &port.connection.slot {
            self.slots.close(slot);
            self.secret_spent = true;
        }
        // The queue of sockets holds the socket too, so dropping it would not end the connection.
        port.connection.abort();
        self.forget(port.connection.cookie);
    }

    /// Notes that a connection in the queue of sockets is closed.
    pub(super) fn forget(&mut self, cookie: u64) {
        if let Some(queue) = &self.queue {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            self.tidying |= queue.closed(cookie);
        }
    }

    /// Makes one step of tidying the queue of sockets, if it is being tidied.
    pub(super) fn tidy(&mut self) {
        if let Some(queue) = self.queue.as_ref().filter(|_| self.tidying) {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            // If the step fails, the next client that leaves begins another attempt.
            self.tidying = queue.step().unwrap_or(false);
        }
    }

    /// Client `id`'s connection.
    pub(super) fn connection(&self, id: SessionId) -> Option<&Arc<Connection>> {
        Some(&self.ports.get(&id)?.connection)
    }

    /// A function that returns how many bytes went over a client's connection, and how many it is
    /// owed.
    pub(super) fn traffic(&self) -> impl Fn(SessionId) -> Traffic {
        |id| {
            self.ports.get(&id).map_or_else(Traffic::default, |Port { connection, .. }| {
                let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
                Traffic {
                    behind: load(&connection.behind),
                    missed: load(&connection.missed),
                    received: load(&connection.received),
                    taken: load(&connection.taken),
                }
            })
        }
    }
}

impl Driver {
    /// Tells the machine of a new connection, and begins to watch its socket.
    pub(super) fn accepted(&mut self, newcomer: Newcomer, at: Now) {
        let Newcomer { socket, cookie, peer, slot, proxied } = newcomer;
        let id = self.state.machine().next_id();
        let tls = slot.as_ref().and_then(told);
        let connection = Arc::new(Connection::new(id, cookie, Some(socket)).sealed(slot.clone()));
        if let Some(queue) = &self.clients.queue {
            queue.lock().unwrap_or_else(PoisonError::into_inner).known(&connection);
        }
        self.clients.watch(connection, Origin::of(peer.ip()), false, self.state.machine());
        self.state.input(Input::Connect { id, cookie, peer, tls, proxied }, at);
        if let Some(slot) = slot {
            self.state.unlock(id, |updates| slot.unlock(updates));
        }
        fault::point("accept.committed");
    }

    /// Gives client `id` its turn: reads one piece of input, or has the machine handle more of what
    /// was read before.
    pub(super) fn read(&mut self, id: SessionId, at: Now) {
        let Some(port) = self.clients.ports.get_mut(&id) else { return };
        port.queued = false;
        if port.leaving {
            return self.clients.throw_away(id, self.state.machine());
        }
        if self.state.machine().has_more(id) {
            let place = self.state.tape.append_turn(id, at);
            self.state.bytes(id, place, 0..0, at);
            return self.clients.queue_turn(id, self.state.machine());
        }
        if !self.state.machine().listens_to(id) {
            // The client is not read until the machine takes its input again. Meanwhile TCP slows
            // the client.
            return self.clients.paused.push(id);
        }
        let connection = &port.connection;
        match self.state.tape.receive(id, at, |place| connection.read(place)) {
            Ok((_, range)) if range.is_empty() => {
                port.readable = false;
                port.hung_up = true;
                self.state.input(Input::End { id, why: Farewell::Hangup }, at);
            }
            Ok((place, range)) => {
                connection.received.fetch_add(range.len() as u64, Ordering::Relaxed);
                // A short read mostly means that the socket is empty.
                port.readable = range.len() == CHUNK || port.to_the_end;
                self.clients.bytes_read += range.len() as u64;
                self.state.bytes(id, place, range, at);
                self.clients.queue_turn(id, self.state.machine());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => port.readable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.clients.queue_turn(id, self.state.machine())
            }
            Err(_) => {
                port.readable = false;
                port.hung_up = true;
                self.state.input(Input::End { id, why: Farewell::Lost }, at);
            }
        }
    }

    /// Handles what the rounds report.
    pub(super) fn reported(&mut self, report: Report, at: Now) {
        match report {
            Report::Gone(id, why) => self.state.input(hub::News::Gone { session: id, why }, at),
            Report::Crowded(id, on) => {
                self.state.input(hub::News::Crowded { session: id, on }, at);
                // Now the client may be read again.
                self.clients.queue_turn(id, self.state.machine());
            }
            Report::Finished(id) => {
                self.clients.linger(id, at.mono);
            }
        }
    }
}
