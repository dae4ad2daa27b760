//! Handing connections over to the hub: one datagram each, with its descriptor (`SCM_RIGHTS`, unix(7)).

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

/// How often it is looked whether the hub is there.
const AGAIN: Duration = Duration::from_millis(100);

/// A queue that is full for so long is told of.
const FULL: Duration = Duration::from_secs(1);

/// The way to the hub.
#[derive(Debug)]
pub(crate) struct Hub {
    path: PathBuf,
    /// Who has it is next; the others wait in the order in which they came.
    next: Mutex<()>,
    /// How many have a connection that waits for the hub.
    waiting: watch::Sender<usize>,
    /// Whether it was told that the hub takes nothing.
    is_away: AtomicBool,
}

/// A datagram can be sent: there is a hub, and room in its queue.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    hub: &'a Hub,
    _next: MutexGuard<'a, ()>,
    /// One for each datagram. A datagram counts for the socket that it was sent by until it is taken, and one socket may
    /// have fewer on their way than fit into the queue.
    socket: UnixDatagram,
}

/// Somebody waits, until this is dropped.
#[derive(Debug)]
pub(crate) struct Waits<'a>(&'a Hub);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.waiting.send_modify(|count| *count -= 1);
    }
}

impl Hub {
    /// The one whose socket is, or will be, at `path`.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, next: Mutex::new(()), waiting: watch::Sender::new(0), is_away: AtomicBool::new(false) }
    }

    /// Counts the caller among those who wait.
    pub(crate) fn wait(&self) -> Waits<'_> {
        self.waiting.send_modify(|count| *count += 1);
        Waits(self)
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> watch::Receiver<usize> {
        self.waiting.subscribe()
    }

    /// Until it is the caller's turn, and a datagram can be sent.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let next = self.next.lock().await;
        Turn { hub: self, _next: next, socket: self.room().await }
    }

    /// A socket by which a datagram can be sent, as soon as there is one.
    async fn room(&self) -> UnixDatagram {
        let begun = Instant::now();
        loop {
            // Connected anew each time: the socket at the path may be another one than before.
            let connected = UnixDatagram::unbound().and_then(|socket| socket.connect(&self.path).map(|()| socket));
            match connected {
                Ok(socket) => {
                    // What the runtime believes is forgotten first: so no wake-up behind the look is lost.
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
    /// Hands the connection of this descriptor over. If the hub does not take it after all, it is tried again: there is
    /// no end to that but the caller's.
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

/// Whether an error of sendmsg(2) may be gone in a moment: the queue is full, the hub is away, or as many descriptors are
/// in flight as may be.
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

/// Whether the queue at the other end has room. The kernel tells so of a connected socket (unix(7)).
fn has_room(socket: &impl AsFd) -> bool {
    let mut asked = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    let told = poll(&mut asked, PollTimeout::ZERO);
    told.is_ok() && asked[0].revents().is_some_and(|events| events.contains(PollFlags::POLLOUT))
}

/// Sends a datagram with a descriptor and with who we are, without waiting.
fn send(socket: &impl AsFd, datagram: &[u8], connection: &impl AsFd) -> io::Result<()> {
    let descriptors = [connection.as_fd().as_raw_fd()];
    let who = UnixCredentials::new();
    let control = [ControlMessage::ScmRights(&descriptors), ControlMessage::ScmCredentials(&who)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &[IoSlice::new(datagram)], &control, flags, None)?;
    Ok(())
}
