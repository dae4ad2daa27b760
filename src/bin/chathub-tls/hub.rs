//! Handing connections over to the hub: one datagram for each, with its descriptor (`SCM_RIGHTS`,
//! unix(7)).

use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::{AsFd, AsRawFd as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chathub::logging::InWords;
use chathub::values::plain::Plain;
use chathub::wire::tls::handover::Handover;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixCredentials, sendmsg};
use tokio::io::Interest;
use tokio::net::UnixDatagram;
use tokio::sync::{Mutex, MutexGuard, watch};
use tracing::{info, warn};

/// How soon an attempt is repeated while the hub takes nothing.
const AGAIN: Duration = Duration::from_millis(100);

/// How long the hub's queue must be full before that is logged.
const FULL: Duration = Duration::from_secs(1);

/// The way to the hub.
#[derive(Debug)]
pub(crate) struct Hub {
    path: PathBuf,
    /// The task that holds this lock is next. The others wait in the order in which they came.
    next: Mutex<()>,
    /// How many connections wait for the hub.
    waiting: watch::Sender<usize>,
    /// Whether it was logged that the hub takes nothing.
    is_away: AtomicBool,
}

/// The right to send the next datagram: there is a hub, and room in its queue.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    hub: &'a Hub,
    _next: MutexGuard<'a, ()>,
    /// A socket for one datagram. A datagram counts against the socket that sent it until it is
    /// taken, and a single socket may have fewer on their way than fit into the queue.
    socket: UnixDatagram,
}

/// Counts one connection that waits for the hub, until it is dropped.
#[derive(Debug)]
pub(crate) struct Waits<'a>(&'a Hub);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|count| *count -= 1);
    }
}

impl Hub {
    /// The hub whose socket is, or will be, at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, next: Mutex::new(()), waiting: watch::Sender::new(0), is_away: AtomicBool::new(false) }
    }

    /// Counts a connection among those that wait.
    pub(crate) fn wait(&self) -> Waits<'_> {
        self.waiting.send_modify(|count| *count += 1);
        Waits(self)
    }

    /// How many connections wait.
    pub(crate) fn waiting(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }

    /// Waits until it is the caller's turn, and a datagram can be sent.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let next = self.next.lock().await;
        Turn { hub: self, _next: next, socket: self.room().await }
    }

    /// Waits until a datagram can be sent, and returns a socket for it.
    async fn room(&self) -> UnixDatagram {
        let begun = Instant::now();
        loop {
            // Connects anew each time: another socket may have taken this one's place at the path.
            let connected = UnixDatagram::unbound().and_then(|socket| socket.connect(&self.path).map(|()| socket));
            match connected {
                Ok(socket) => {
                    // The runtime's notion of readiness is cleared before the look, so that no
                    // wake-up after it is lost.
                    let _ = socket.try_io(Interest::WRITABLE, || Err::<(), _>(ErrorKind::WouldBlock.into()));
                    if has_room(&socket) {
                        return socket;
                    }
                    if begun.elapsed() >= FULL {
                        self.is_away(&nix::errno::Errno::EAGAIN.into());
                    }
                    let _ = tokio::time::timeout(AGAIN, socket.writable()).await;
                }
                Err(error) => {
                    self.is_away(&error);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn is_back(&self) {
        if self.is_away.swap(false, Ordering::Relaxed) {
            info!("the hub takes connections again");
        }
    }

    fn is_away(&self, error: &io::Error) {
        if !self.is_away.swap(true, Ordering::Relaxed) {
            let path = self.path.display();
            warn!(
                chathub_error = %Plain(error),
                "the hub takes no connections at {path}; they wait for it{}", InWords(Plain(error))
            );
        }
    }
}

impl Turn<'_> {
    /// Hands a connection over. If the hub does not take it after all, tries again until the caller
    /// gives up.
    pub(crate) async fn hand_over(mut self, handover: &Handover, connection: &impl AsFd) -> io::Result<()> {
        let datagram = handover.encode();
        loop {
            match send(&self.socket, &*datagram, connection) {
                Ok(()) => {
                    self.hub.is_back();
                    return Ok(());
                }
                Err(error) if is_for_now(&error) => {
                    self.hub.is_away(&error);
                    tokio::time::sleep(AGAIN).await;
                    self.socket = self.hub.room().await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Whether an error of sendmsg(2) may pass by itself: the queue is full, the hub is away, or too
/// many descriptors are in flight.
fn is_for_now(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(
        code,
        Some(
            Errno::EAGAIN
                | Errno::ENOBUFS
                | Errno::ENOMEM
                | Errno::ECONNREFUSED
                | Errno::ECONNRESET
                | Errno::ENOTCONN
                | Errno::EPIPE
                | Errno::ETOOMANYREFS
        )
    )
}

/// Whether the queue at the other end has room. The kernel tells that for a connected socket
/// (unix(7)).
fn has_room(socket: &impl AsFd) -> bool {
    let mut asked = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    let told = poll(&mut asked, PollTimeout::ZERO);
    told.is_ok() && asked[0].revents().is_some_and(|events| events.contains(PollFlags::POLLOUT))
}

/// Sends a datagram with a descriptor and our credentials, without waiting.
fn send(socket: &impl AsFd, datagram: &[u8], connection: &impl AsFd) -> io::Result<()> {
    let descriptors = [connection.as_fd().as_raw_fd()];
    let who = UnixCredentials::new();
    let control = [ControlMessage::ScmRights(&descriptors), ControlMessage::ScmCredentials(&who)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &[IoSlice::new(datagram)], &control, flags, None)?;
    Ok(())
}
