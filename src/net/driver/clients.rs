//! Clients' sockets as the driver sees them: which can be read, whose turn it is, which are to be closed.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Driver;
use super::turns::Turns;
use crate::hub::{self, message::Farewell};
use crate::kernel;
use crate::machine::{Input, Machine};
use crate::net::accept;
use crate::net::connection::Connection;
use crate::net::keep::fault;
use crate::net::keep::queue::Keeping;
use crate::net::keep::recovery::Newcomer;
use crate::net::keep::tape::CHUNK;
use crate::net::readiness::Readiness;
use crate::net::rounds::Report;
use crate::values::id::SessionId;
use crate::values::network::Origin;
use crate::values::rising::Rising;
use crate::values::time::{Mono, Now};

/// The time that a client has to close its side of a connection whose output has ended. A connection that is closed with
/// unread bytes in it is reset, and the client could lose the last lines.
const LINGER: Duration = Duration::from_secs(1);

/// A client's socket, as the driver sees it.
pub(super) struct Port {
    pub(super) connection: Arc<Connection>,
    /// The address whose turn it shares.
    origin: Origin,
    /// There may be something to read.
    readable: bool,
    /// Read until EAGAIN: a short read does not mean that the socket is empty.
    to_the_end: bool,
    /// It waits for its turn to be read.
    queued: bool,
    /// The hub has forgotten the client: what it sends is thrown away.
    pub(super) leaving: bool,
    /// The client has closed its side, and everything before was read.
    hung_up: bool,
    /// When the socket is closed, where its output has ended.
    lingers: Option<Mono>,
}

/// The sockets of all clients, and whose turn it is to be read.
pub(super) struct Clients {
    pub(super) ports: Rising<SessionId, Port>,
    /// Tells which of them can be read.
    pub(super) inputs: Readiness,
    /// Clients that wait for their turn to be read.
    pub(super) turns: Turns,
    /// Clients that are not read now, because the machine still has input of theirs.
    paused: Vec<SessionId>,
    /// Sockets whose output has ended, by when they are closed.
    lingering: BTreeSet<(Mono, SessionId)>,
    /// The queue that keeps sockets for the next process.
    queue: Keeping,
    /// Whether the queue is being tidied, one step each turn of the loop.
    pub(super) tidying: bool,
    accepted: Arc<accept::Counts>,
}

impl Clients {
    /// No clients yet.
    ///
    /// # Errors
    /// Those of epoll_create1(2).
    pub(super) fn new(queue: Keeping, accepted: Arc<accept::Counts>) -> io::Result<Self> {
        Ok(Self {
            ports: Rising::default(),
            inputs: Readiness::new()?,
            turns: Turns::default(),
            paused: Vec::new(),
            lingering: BTreeSet::new(),
            // Some of the sockets that a former process has left may be closed.
            tidying: queue.is_some(),
            queue,
            accepted,
        })
    }

    /// Begins to watch the socket of a client; `leaving` if the hub has forgotten it already.
    pub(super) fn watch(&mut self, connection: Arc<Connection>, origin: Origin, leaving: bool, machine: &Machine) {
        let id = connection.id;
        let watched = connection.socket().map(|socket| self.inputs.sockets().watch_input(&socket, id.0));
        // A socket that cannot be watched is read at once: reading says what is wrong.
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

    /// A client's socket can be read.
    pub(super) fn ready(&mut self, id: SessionId, to_the_end: bool, machine: &Machine) {
        if let Some(port) = self.ports.get_mut(&id) {
            port.readable = true;
            port.to_the_end |= to_the_end;
            self.queue_turn(id, machine);
        }
    }

    /// Queues a client for its turn, if there may be something to read or the machine still has input of it.
    #[inline]
    pub(super) fn queue_turn(&mut self, id: SessionId, machine: &Machine) {
        if let Some(port) = self.ports.get_mut(&id)
            && (port.readable || machine.has_more(id))
            && !std::mem::replace(&mut port.queued, true)
        {
            self.turns.push(port.origin, id);
        }
    }

    /// Queues clients again that were paused.
    pub(super) fn unpause(&mut self, machine: &Machine) {
        for id in std::mem::take(&mut self.paused) {
            self.queue_turn(id, machine);
        }
    }

    /// Prefetches what the next turn looks at.
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

    /// Reads and throws away what a client sends that the hub has forgotten.
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

    /// When the next socket is closed that lingers.
    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.lingering.first().map(|(at, _)| *at)
    }

    /// Closes sockets that have lingered long enough.
    pub(super) fn close_lingering(&mut self, at: Mono) {
        while let Some((due, id)) = self.lingering.first().copied()
            && due <= at
        {
            self.lingering.pop_first();
            self.close(id);
        }
    }

    /// The output of a client has ended: its socket is closed when the client has closed its side, or soon.
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
        // The queue of sockets holds it too: dropping it alone would not end it.
        port.connection.abort();
        if let Some(queue) = &self.queue {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            self.tidying |= queue.closed(port.connection.cookie);
        }
    }

    /// Takes one step of tidying the queue of sockets, if it is being tidied.
    pub(super) fn tidy(&mut self) {
        if let Some(queue) = self.queue.as_ref().filter(|_| self.tidying) {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            // A step that fails is tried again when the next client leaves.
            self.tidying = queue.step().unwrap_or(false);
        }
    }

    /// Tells how many bytes a client is owed, and how many lines it was too slow for.
    pub(super) fn owed(&self) -> impl Fn(SessionId) -> (u64, u64) {
        |id| {
            self.ports.get(&id).map_or((0, 0), |Port { connection, .. }| {
                (connection.behind.load(Ordering::Relaxed), connection.missed.load(Ordering::Relaxed))
            })
        }
    }
}

impl Driver {
    /// Tells the machine of a connection that was accepted, and begins to watch it.
    pub(super) fn accepted(&mut self, newcomer: Newcomer, at: Now) {
        let Newcomer { socket, cookie, peer } = newcomer;
        let id = self.state.machine().next_id();
        let connection = Arc::new(Connection::new(id, cookie, Some(socket)));
        if let Some(queue) = &self.clients.queue {
            queue.lock().unwrap_or_else(PoisonError::into_inner).known(&connection);
        }
        self.clients.watch(connection, Origin::of(peer.ip()), false, self.state.machine());
        self.state.input(Input::Connect { id, cookie, peer }, at);
        fault::point("accept.committed");
    }

    /// Gives client `id` its turn: reads one piece of what it has sent, or handles more of what was read before.
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
            // Meanwhile TCP slows the client.
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
                // A short read mostly means that the socket is empty.
                port.readable = range.len() == CHUNK || port.to_the_end;
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
                // It may have sent something meanwhile.
                self.clients.queue_turn(id, self.state.machine());
            }
            Report::Finished(id) => {
                self.clients.linger(id, at.mono);
            }
        }
    }
}
