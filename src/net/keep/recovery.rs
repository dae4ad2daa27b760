//! Taking over from a former process: its state, and its connections.
//!
//! The process reads the snapshot, and handles again all inputs that came after it. The rounds
//! apply the orders again, and pass over the bytes that each client's socket has taken, by the
//! kernel's count. Then the state is as it was, and the first byte written to a client is the one
//! that follows the last byte it took.
//!
//! Everything is checked before it is used. If something does not fit together, the process starts
//! afresh, and tells the clients so.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::error;

use super::fault;
use super::program::epoch;
use super::queue::{Adopted, Found, Queue};
use super::tape::{CHUNK, Cut, Kind, Sealed, Slot, Slots, Suspect, Tape};
use crate::kernel;
use crate::logging::{self, ids};
use crate::machine::{Input, Machine, Order, Outcome, Proxied};
use crate::net::connection::Connection;
use crate::net::rounds::Rounds;
use crate::systemd;
use crate::values::id::SessionId;
use crate::values::time::Now;
use crate::wire::tls::record::Alert;

/// An input is left out if this many processes in a row have crashed at it.
const CRASHES: u64 = 3;

/// An input is left out if this many processes in a row have died at it, in any way. A process that
/// uses up all memory is killed from outside; a few such deaths could be chance.
const DEATHS: u64 = 20;

/// A connection that the machine does not know: just accepted, or found because the process died
/// before that.
#[derive(Debug)]
pub struct Newcomer {
    /// Its socket.
    pub socket: OwnedFd,
    /// The kernel's number for the socket (`SO_COOKIE`).
    pub cookie: u64,
    /// The address of the client. For a connection that comes through a proxy, it is the one that
    /// the proxy says.
    pub peer: SocketAddr,
    /// The slot with its secrets, if it is encrypted.
    pub slot: Option<Slot>,
    /// What the proxy has said, if it comes through one.
    pub proxied: Option<Box<Proxied>>,
}

/// A connection that comes through a proxy, before its header has been read.
#[derive(Debug)]
pub struct OfProxy {
    /// Its socket.
    pub socket: OwnedFd,
    /// The kernel's number for the socket; 0 where nothing is kept.
    pub cookie: u64,
    /// The address of the proxy.
    pub proxy: SocketAddr,
}

/// Input that a former process had received and not committed to the tape. This process has
/// committed it.
#[derive(Debug)]
pub struct Received {
    /// The client that sent it.
    pub id: SessionId,
    /// Where its record is on the tape.
    pub place: u64,
    /// Where its content is on the tape.
    pub range: Range<usize>,
    /// When it came, as its record says.
    pub at: Now,
}

/// The things taken over besides the machine: connections, tape, counts.
#[derive(Debug)]
pub struct Restored {
    /// All connections, and whether each is being closed.
    pub connections: Vec<(Arc<Connection>, bool)>,
    /// Input that the former process had received and not committed to the tape.
    pub received: Option<Received>,
    /// Connections that were accepted, and of which the machine was not told.
    pub newcomers: Vec<Newcomer>,
    /// Connections that came through proxies and whose headers have not been read.
    pub of_proxies: Vec<OfProxy>,
    /// Clients whose connection is gone, or for which it is not known what they are owed.
    pub lost: Vec<SessionId>,
    /// The input that was left out because processes died at it: its kind, and the client that sent
    /// it, if it is bytes.
    pub poisoned: Option<(Kind, SessionId)>,
    /// Whether the tape has a password that is no longer needed.
    pub secret_spent: bool,
}

/// Takes over the state on `tape` and in `cuts`, with the connections that were `found` in `queue`.
/// `rounds` apply the orders.
///
/// # Errors
/// Why it is impossible, in words for the journal.
pub fn restore(
    tape: &mut Tape,
    cuts: Vec<Cut>,
    rounds: &mut Rounds,
    queue: &mut Queue,
    found: Found,
    now: Now,
) -> Result<(Machine, Restored), String> {
    let attempt = catch_unwind(AssertUnwindSafe(|| try_restore(tape, cuts, rounds, queue, found, now)));
    attempt.unwrap_or_else(|panic| {
        if tape.is_handling() {
            // A former process may have crashed at the same input: the note lets the next process
            // count this crash.
            tape.note_crash();
            resume_unwind(panic);
        }
        Err("it does not fit together".to_owned())
    })
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// An input will be handled next.
    Next {
        /// How many inputs are handled.
        done: usize,
        /// How many inputs the tape has.
        of: usize,
    },
    /// A snapshot was made of what is handled so far.
    Saved,
}

/// Returns a function to call with each [`Step`]. It tells the service manager how far the replay
/// has come, and returns whether a snapshot is due: once a second, but so seldom that snapshots
/// take at most a quarter of the time.
fn pacemaker() -> impl FnMut(Step) -> bool {
    let mut saved = Instant::now();
    let (mut told, mut began, mut every) = (saved, saved, SAVE_EVERY);
    move |step| match step {
        Step::Next { done, of } => {
            if done % 64 != 0 {
                return false;
            }
            let now = Instant::now();
            if now.duration_since(told) >= TELL_EVERY {
                told = now;
                systemd::takes_longer(&format!("taking over: {done} of {of} inputs"), TELL_EVERY * 30);
            }
            began = now;
            now.duration_since(saved) >= every
        }
        Step::Saved => {
            saved = Instant::now();
            every = SAVE_EVERY.max(3 * saved.duration_since(began));
            false
        }
    }
}

/// During a replay: how often the service manager gets its progress, and how often a snapshot is
/// made at most.
const TELL_EVERY: Duration = Duration::from_secs(1);
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// The result of a replay.
#[derive(Debug)]
pub struct Replayed {
    /// The machine, as it was in the former process.
    pub machine: Machine,
    /// Clients for which it is not known what they are owed.
    pub lost: Vec<SessionId>,
    poisoned: Option<(Kind, SessionId)>,
    secret_spent: bool,
}

/// Handles the inputs on `tape` again, and has `rounds` apply what follows. `connection` returns a
/// client's connection, by its number and cookie, and how many bytes its socket has taken. `pauses`
/// is called with each [`Step`], and returns whether a snapshot is due.
///
/// # Errors
/// What does not fit together, in words.
pub fn replay(
    tape: &mut Tape,
    cuts: Vec<Cut>,
    rounds: &mut Rounds,
    mut connection: impl FnMut(SessionId, u64) -> (Arc<Connection>, u64),
    mut pauses: impl FnMut(Step) -> bool,
) -> Result<Replayed, String> {
    let mut records = tape.records().map_err(|unusable| unusable.to_string())?;
    if tape.epoch() != epoch() {
        if !records.is_empty() {
            return Err("another release left it in the middle of its work".to_owned());
        }
        tape.set_epoch(epoch());
    }
    let suspect = tape.autopsy();
    if tape.is_hopeless() {
        return Err("too many processes in a row died of it".to_owned());
    }
    let (machine, owed) = tape.snapshots();
    let mut machine: Machine = serde_json::from_slice(machine).map_err(|error| error.to_string())?;
    rounds.restore(owed, cuts, machine.hub().settings().into(), &mut connection)?;
    for (connection, _) in rounds.connections() {
        unlock(&mut machine, connection)?;
    }
    fault::point("recover.loaded");

    let mut poisoned = None;
    if let Some(Suspect { at, deaths, crashes }) = suspect
        && (crashes >= CRASHES || deaths >= DEATHS)
        && let Some(record) = records.iter().find(|record| record.at == at)
    {
        poisoned = Some((record.kind, record.id));
        tape.poison(record);
        records = tape.records().map_err(|unusable| unusable.to_string())?;
    }
    let (mut out, mut settled, mut secret_spent) = (Vec::new(), 0, false);
    let (count, mut moved) = (records.len(), 0);
    for (number, record) in records.into_iter().enumerate() {
        if pauses(Step::Next { done: number, of: count }) {
            // If this process dies, the next one begins here.
            let end = tape.extent().end;
            rounds.settle();
            let saved = serde_json::to_vec(&machine).expect("plain values");
            keep_secrets(tape.slots(), &machine, |id| rounds.connection(id));
            let owed = rounds.saved_on_the_way();
            tape.snapshot_of(&saved, &owed, record.start().wrapping_add_signed(moved), epoch());
            // The records that are left have moved.
            moved += tape.extent().end.cast_signed() - end.cast_signed();
            pauses(Step::Saved);
        }
        let record = record.moved(moved);
        let content = tape.content(record.content.clone());
        tape.handling(record.at, crate::net::clock::now().mono);
        let mut coming = None;
        if record.kind != Kind::Poison {
            fault::poison(content);
        }
        match record.kind {
            Kind::Bytes => machine.bytes(record.id, content, record.now, &mut out),
            Kind::Input => {
                let input: Input = serde_json::from_slice(content).map_err(|error| error.to_string())?;
                if let Input::Connect { id, cookie, .. } = &input {
                    coming = Some(connection(*id, *cookie));
                }
                machine.handle(input, record.now, &mut out);
                if let Some((connection, _)) = &coming {
                    unlock(&mut machine, connection)?;
                }
            }
            Kind::Poison => {}
        }
        for outcome in out.drain(..) {
            secret_spent |= outcome == Outcome::SecretSpent;
            if let Outcome::Order(order) = outcome {
                let coming = if matches!(order, Order::Attach(_)) { coming.take() } else { None };
                rounds.replay_order(order, coming)?;
            }
        }
        // Nothing that takes long is done while a record counts as being handled. Otherwise a
        // daemon that is killed again and again would mostly die at the same record, which would be
        // left out in the end.
        tape.handled();
        rounds.settle_after(&mut settled);
    }
    let lost = rounds.finish_replay()?;
    fault::point("recover.replayed");
    Ok(Replayed { machine, lost, poisoned, secret_spent })
}

/// Gives the machine the secret of an encrypted client's input.
///
/// # Errors
/// The slot does not have the secret: what the client has sent cannot be decrypted again.
fn unlock(machine: &mut Machine, connection: &Connection) -> Result<(), String> {
    let id = connection.id;
    if machine.is_sealed(id) && !machine.unlock(id, |updates| connection.slot.as_ref()?.unlock(updates)) {
        return Err(format!("the secret of {id} is not there"));
    }
    Ok(())
}

/// Stores the secrets that belong to the snapshot of `machine` that is begun now. `connection`
/// returns a client's connection.
pub fn keep_secrets<'a>(
    slots: &Slots,
    machine: &Machine,
    connection: impl Fn(SessionId) -> Option<&'a Arc<Connection>>,
) {
    for (id, updates, secret) in machine.secrets() {
        if let Some(slot) = connection(id).and_then(|connection| connection.slot.as_ref()) {
            slots.keep(slot, updates, secret);
        }
    }
}

fn try_restore(
    tape: &mut Tape,
    cuts: Vec<Cut>,
    rounds: &mut Rounds,
    queue: &mut Queue,
    found: Found,
    now: Now,
) -> Result<(Machine, Restored), String> {
    let Found { by_cookie: mut found, cut_off } = found;
    let mut read = HashMap::new();
    let slots = tape.slots().found();
    let mut of_nobody: HashSet<u64> = slots.keys().copied().collect();
    let connection = |id: SessionId, cookie: u64| {
        of_nobody.remove(&cookie);
        let new = |socket| Arc::new(Connection::new(id, cookie, socket).sealed(slots.get(&cookie).cloned()));
        match found.remove(&cookie) {
            Some(Adopted { socket, counted }) if !counted.dead => {
                read.insert(id, counted.read);
                (new(Some(socket)), counted.taken)
            }
            // The client is gone: nothing that it was owed is written any more.
            _ => (new(None), u64::MAX),
        }
    };
    let Replayed { machine, mut lost, poisoned, secret_spent } = replay(tape, cuts, rounds, connection, pacemaker())?;

    let received = tape.receiving().and_then(|id| {
        let more = read.get(&id)?.checked_sub(machine.received(id)?)?;
        let len = usize::try_from(more).ok().filter(|len| (1..=CHUNK).contains(len))?;
        let (place, range) = tape.recover(id, now, len);
        Some(Received { id, place, range, at: now })
    });
    let connections: Vec<_> = rounds.connections().map(|(connection, closing)| (connection.clone(), closing)).collect();
    lost.extend(
        connections
            .iter()
            .filter(|(connection, closing)| !closing && connection.socket().is_none())
            .map(|(connection, _)| connection.id),
    );
    if let Some(session) = machine.hub().sessions().find(|session| !rounds.knows(session.id)) {
        return Err(format!("{} has no connection", session.id));
    }
    let (mut newcomers, mut of_proxies) = (Vec::new(), Vec::new());
    let mut end = |socket: TcpStream, cookie| {
        let _ = socket.shutdown(Shutdown::Both);
        queue.closed(cookie);
    };
    for (cookie, Adopted { socket, counted }) in found {
        let socket = TcpStream::from(socket);
        let peer = socket.peer_addr();
        let slot = slots.get(&cookie).filter(|slot| !slot.is_closed()).cloned();
        let before = slot.as_ref().map_or(0, |slot| slot.handshake().1);
        match peer {
            // Plain text must never go into an encrypted connection whose secrets are lost.
            _ if slot.is_none() && kernel::is_marked_as_encrypted(&socket) => end(socket, cookie),
            // Every client is greeted at once. So if the socket has taken nothing, or only the
            // handshake, the machine does not know this connection.
            Ok(peer) if counted.taken == before && !counted.dead && !counted.finished => {
                of_nobody.remove(&cookie);
                let socket = socket.into();
                if kernel::is_marked_as_proxied(&socket) {
                    of_proxies.push(OfProxy { socket, cookie, proxy: peer });
                } else {
                    newcomers.push(Newcomer { socket, cookie, peer, slot, proxied: None });
                }
            }
            _ => end(socket, cookie),
        }
    }
    for (cookie, slot) in &slots {
        if of_nobody.contains(cookie) || slot.is_closed() {
            tape.slots().release(slot);
        }
    }
    if cut_off {
        // Connections in the queue that are no client's here are closed: nobody would serve them.
        let known = connections.iter().map(|(connection, _)| connection.cookie);
        let known: HashSet<u64> = known
            .chain(newcomers.iter().map(|newcomer| newcomer.cookie))
            .chain(of_proxies.iter().map(|one| one.cookie))
            .collect();
        let ended = queue.keep_only(&known);
        error!(
            message_id = ids::NO_DESCRIPTORS,
            chathub_clients = connections.len(),
            "not everybody can be carried on: no more descriptors may be open than the {} clients that were found need; \
             raise LimitNOFILE= of chathub.service",
            connections.len(),
        );
        if let Err(problem) = ended {
            error!(chathub_error = %problem, "some of them cannot be told so{}", logging::InWords(&problem));
        }
    }
    Ok((machine, Restored { connections, received, newcomers, of_proxies, lost, poisoned, secret_spent }))
}

/// Tells all clients in the queue `why` they cannot be carried on, and closes their connections.
/// `slots` are those of the encrypted connections, by cookie.
pub fn say_goodbye(queue: &Queue, slots: &HashMap<u64, Slot>, why: &str) {
    // A line break first: the last thing sent to a client may have been half a line.
    let text = format!("\r\n-- the hub {why}\r\n");
    let _ = queue.each_socket(|socket| {
        let goodbye = match kernel::cookie(&socket).ok().and_then(|cookie| slots.get(&cookie)) {
            Some(slot) => sealed_goodbye(&socket, slot, &text),
            // Plain text must never go into an encrypted connection, even if its secrets are lost.
            None if kernel::is_marked_as_encrypted(&socket) => None,
            None => Some(text.clone().into_bytes()),
        };
        let mut socket = TcpStream::from(socket);
        let _ = socket.set_nonblocking(true);
        if let Some(goodbye) = goodbye {
            let _ = socket.write(&goodbye);
        }
        let _ = socket.shutdown(Shutdown::Both);
    });
}

/// A goodbye for an encrypted client, sealed. `None` if its socket has not taken the last record
/// whole, or the last record was an alert.
fn sealed_goodbye(socket: &OwnedFd, slot: &Slot, text: &str) -> Option<Vec<u8>> {
    let (mark, suite) = (slot.last_mark()?, slot.suite()?);
    let taken = kernel::counted(socket).ok()?.taken;
    if taken != mark.end() || matches!(mark.sealed, Sealed::Alert(_)) {
        return None;
    }
    let mut sealer = mark.sealer_behind(suite);
    let mut records = Vec::new();
    sealer.data([text.as_bytes()], &mut records);
    sealer.alert(Alert::CLOSE_NOTIFY, &mut records);
    Some(records)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;

    use super::*;
    use crate::net::keep::tape::Mark;
    use crate::wire::tls::handover::Handover;
    use crate::wire::tls::open::{End, Opener};
    use crate::wire::tls::suite::{Secret, Suite};

    /// Four clients: one in plain text; one encrypted; one whose socket has taken a part of a
    /// record; one of which it is known only that it is encrypted.
    #[test]
    fn a_goodbye_is_written_to_those_who_can_read_it_and_to_nobody_else() {
        let (suite, tape) = (Suite::ChaCha20, Tape::new().expect("a memory file").0);
        let mut queue = Queue::new().expect("a queue");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let secret = || Secret::new(&[7; 32]).expect("it fits");
        let clients: Vec<_> = ["plain", "encrypted", "torn", "lost"]
            .into_iter()
            .map(|kind| {
                let client = TcpStream::connect(addr).expect("it listens");
                let (ours, _) = listener.accept().expect("somebody");
                let cookie = kernel::cookie(&ours).expect("a cookie");
                queue.keep(ours.as_fd(), cookie).expect("there is room");
                if kind != "plain" {
                    kernel::mark_as_encrypted(&ours).expect("a connection");
                }
                if matches!(kind, "encrypted" | "torn") {
                    let (client, server) = (secret(), secret());
                    let handover =
                        Handover { suite, group: 29, cookie, read: 0, written: 0, client, server, fingerprint: None };
                    let slot = tape.slots().take(&handover).expect("there is room");
                    let mark = slot.last_mark().expect("the first");
                    if kind == "torn" {
                        slot.mark(&Mark { number: 2, sealed: Sealed::Data(40), ..mark });
                    }
                }
                (kind, client)
            })
            .collect();
        let slots = Tape::slots_of(&tape.file().expect("kept").try_clone_to_owned().expect("a descriptor"));
        say_goodbye(&queue, &slots.expect("a tape"), "cannot start");
        const TEXT: &[u8] = b"\r\n-- the hub cannot start\r\n";
        for (kind, mut client) in clients {
            let mut bytes = Vec::new();
            client.read_to_end(&mut bytes).expect("it ends");
            match kind {
                "plain" => assert_eq!(bytes, TEXT),
                "encrypted" => {
                    let (mut opener, mut text) = (Opener::new(suite), Vec::new());
                    opener.unlock(secret());
                    let end = opener.push(&bytes, &mut text).end;
                    assert_eq!((&text[..], end), (TEXT, Some(End::Closed)));
                }
                _ => assert!(bytes.is_empty(), "{kind}: {bytes:?}"),
            }
        }
    }
}
