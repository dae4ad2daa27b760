//! Accepting: one task for each listening socket takes connections and hands them to the driver.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::SockFlag;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tracing::warn;

use super::arrival::Arrival;
use super::keep::fault;
use super::keep::queue::{self, Keeping};
use super::keep::recovery::Newcomer;
use crate::accepting::Pauses;
use crate::hub;
use crate::kernel;
use crate::logging::{InWords, ids};
use crate::settings;
use crate::values::plain::Plain;

/// Connections at the listeners for proxies that did not become a client's, by reason.
#[derive(Debug, Default)]
pub struct OfProxies {
    /// Connections from an address that is not in `proxy.networks`: refused.
    pub strangers: AtomicU64,
    /// Connections whose header of the PROXY protocol is missing or cannot be used.
    pub headers: AtomicU64,
    /// Connections whose header did not come within `proxy.wait`.
    pub late: AtomicU64,
    /// Connections that a proxy made for itself, to check that the hub answers.
    pub checks: AtomicU64,
}

/// Counters of all tasks that accept, for status and metrics.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections refused at the listeners for proxies.
    pub proxied: OfProxies,
    /// How often accepting was paused because descriptors or memory had run out.
    pub paused: AtomicU64,
    /// Connections that the queue of sockets did not take: a restart of the daemon ends them.
    pub unkept: AtomicU64,
    /// Connections that hold a descriptor: clients, and those that are being closed.
    pub open: AtomicUsize,
    /// The most connections that the next process could take over; 0 until that is known.
    pub places: AtomicUsize,
}

impl Counts {
    /// Whether the number of open connections has reached what the next process could take over.
    /// `false` while that number is not known.
    pub(super) fn is_full(&self) -> bool {
        let places = self.places.load(Ordering::Relaxed);
        places > 0 && self.open.load(Ordering::Relaxed) >= places
    }
}

/// Accepts connections for ever. Ends when the driver is gone, or when it is aborted. `taken`
/// counts the connections of this listener.
///
/// A connection goes into the queue of sockets as soon as it is accepted, before the driver hears
/// of it. After an error the task goes on or pauses, as [`Pauses`] says; meanwhile connections stay
/// in the listener's backlog.
pub async fn accept(
    listener: Arc<AsyncFd<OwnedFd>>,
    keeping: Keeping,
    arrivals: mpsc::Sender<Arrival>,
    counts: Arc<Counts>,
    taken: Arc<AtomicU64>,
) {
    let mut pauses = Pauses::default();
    loop {
        // A place in the queue of arrivals is reserved first: while that waits, the connection
        // stays in the listener's backlog.
        let Ok(place) = arrivals.reserve().await else { return };
        let Ok(mut ready) = listener.readable().await else { return };
        let take = |listener: &AsyncFd<OwnedFd>| {
            if keeping.is_some() && counts.is_full() {
                // Paused as if the system had refused a descriptor: it would refuse one to the next
                // process.
                return Err(Errno::EMFILE.into());
            }
            take(listener.get_ref(), &keeping, &counts)
        };
        match ready.try_io(take) {
            Err(_) => {}
            Ok(Ok(newcomer)) => {
                pauses.end();
                counts.open.fetch_add(1, Ordering::Relaxed);
                taken.fetch_add(1, Ordering::Relaxed);
                place.send(Arrival::Accepted(newcomer));
            }
            Ok(Err(error)) => {
                let Some(pause) = pauses.after(&error) else { continue };
                counts.paused.fetch_add(1, Ordering::Relaxed);
                if pause.is_first {
                    warn!(message_id = ids::ACCEPT_PAUSED, chathub_error = %Plain(&error), "accepting is paused{}", InWords(Plain(&error)));
                }
                tokio::time::sleep(pause.length).await;
            }
        }
    }
}

fn take(listener: &OwnedFd, keeping: &Keeping, counts: &Counts) -> io::Result<Newcomer> {
    let (socket, peer) = accepted(listener)?;
    let cookie = keep(&socket, keeping, counts)?;
    Ok(Newcomer { socket, cookie, peer, slot: None, proxied: None })
}

/// Accepts one connection. Returns its socket, which does not block, and its peer's address.
///
/// # Errors
/// Any error of accept4(2), and [`io::ErrorKind::ConnectionAborted`] for what concerns this
/// connection alone.
pub(super) fn accepted(listener: &OwnedFd) -> io::Result<(OwnedFd, SocketAddr)> {
    // One system call makes the socket non-blocking and close-on-exec.
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let (socket, peer) = SockRef::from(listener).accept4(flags.bits())?;
    fault::point("accept.taken");
    // An error from here on concerns this connection alone, and is no reason to pause.
    let peer = peer.as_socket().ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((socket.into(), peer))
}

/// Puts a connection into the queue of sockets. Returns the kernel's number for it; 0 where nothing
/// is kept.
///
/// # Errors
/// The number cannot be had.
pub(super) fn keep(socket: &OwnedFd, keeping: &Keeping, counts: &Counts) -> io::Result<u64> {
    let Some(queue) = keeping else { return Ok(0) };
    let cookie = kernel::cookie(socket)?;
    let kept = queue.lock().unwrap_or_else(PoisonError::into_inner).keep(socket.as_fd(), cookie);
    count_unkept(kept, counts);
    fault::point("accept.queued");
    Ok(cookie)
}

/// Counts a connection that the queue of sockets did not take, and logs the first of them.
pub(super) fn count_unkept(kept: io::Result<()>, counts: &Counts) {
    if let Err(error) = kept
        && counts.unkept.fetch_add(1, Ordering::Relaxed) == 0
    {
        warn!(chathub_error = %Plain(&error), "a connection cannot be kept over a restart{}", InWords(Plain(&error)));
    }
}

/// Descriptors that the daemon needs besides those of connections and of taking over.
const OTHER_DESCRIPTORS: u64 = 64;

/// How many descriptors must be allowed for `clients` clients.
#[must_use]
pub const fn descriptors_for(clients: u64) -> u64 {
    clients + (hub::RESERVED_PLACES + queue::BESIDE) as u64 + OTHER_DESCRIPTORS
}

/// Raises the limit of open descriptors as far as the system allows, and makes the table of
/// descriptors large enough for `clients`. Logs a warning if the limit is too low for so many.
/// Returns how many connections a process that takes over can serve. Taking over needs some
/// descriptors of its own, so these are not counted in.
///
/// The table would also grow by itself, to twice its size each time. But once several threads share
/// the table, the kernel lets the thread that opens one descriptor too many wait for a grace period
/// of RCU: tens of milliseconds, and all clients wait for that thread. So call this while there is
/// only one thread, or from a thread that may wait.
pub fn make_room(clients: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return usize::MAX };
    let raised = soft == hard || setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    let most = if raised { hard } else { soft };
    let own = descriptors_for(0);
    let places = most.saturating_sub(own).max(1);
    let wanted = descriptors_for(clients as u64);
    if most < wanted {
        warn!(
            "only {most} descriptors may be open (LimitNOFILE= in the unit, or ulimit -n), {own} of which are for other \
             things, as for taking over after a kill: that is enough for {places} connections, and not for \
             limits.clients = {clients}"
        );
    }
    let last = i32::try_from(most.min(wanted)).unwrap_or(i32::MAX) - 1;
    if let Ok(last) = fcntl(io::stderr(), FcntlArg::F_DUPFD_CLOEXEC(last)) {
        let _ = nix::unistd::close(last);
    }
    usize::try_from(places).unwrap_or(usize::MAX)
}

/// Sets the options that connections inherit from their listener (tcp(7)), so that an accept needs
/// no further system calls for them.
///
/// Urgent data stays in line: otherwise telnet's Synch would take a byte out of the stream (RFC
/// 854).
///
/// # Errors
/// Any error of `setsockopt(2)`.
pub fn prepare(listener: &impl std::os::fd::AsFd, tcp: &settings::Tcp) -> io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_tcp_nodelay(true)?;
    socket.set_out_of_band_inline(true)?;
    socket.set_keepalive(tcp.keepalive.is_some())?;
    if let Some(time) = tcp.keepalive {
        // The kernel sends four probes, a quarter of the time apart.
        let interval = (time / 4).max(Duration::from_secs(1));
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time).with_interval(interval).with_retries(4))?;
    }
    // What the kernel holds for a connection counts as the service's memory. Without these bounds
    // it holds megabytes for a client that reads nothing.
    socket.set_send_buffer_size(tcp.send_buffer)?;
    socket.set_recv_buffer_size(tcp.receive_buffer)?;
    socket.set_tcp_user_timeout(tcp.user_timeout)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn connections_inherit_what_their_listener_was_prepared_with() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let mut tcp = Settings::default().tcp;
        for (keepalive, buffer) in [(None, 32 * 1024), (Some(Duration::from_secs(90)), 64 * 1024)] {
            (tcp.keepalive, tcp.user_timeout) = (keepalive, Some(Duration::from_secs(77)));
            (tcp.send_buffer, tcp.receive_buffer) = (buffer, buffer / 2);
            prepare(&listener, &tcp).expect("it takes all of it");
            let _client = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
            let (socket, _) = listener.accept().expect("somebody came");
            let socket = SockRef::from(&socket);
            assert_eq!(socket.tcp_nodelay().ok(), Some(true));
            assert_eq!(socket.out_of_band_inline().ok(), Some(true));
            assert_eq!(socket.keepalive().ok(), Some(keepalive.is_some()));
            assert_eq!(socket.tcp_user_timeout().ok(), Some(tcp.user_timeout));
            // The kernel doubles what it is asked for (socket(7)).
            assert_eq!(socket.send_buffer_size().ok(), Some(2 * buffer));
            assert_eq!(socket.recv_buffer_size().ok(), Some(buffer));
        }
    }
}
