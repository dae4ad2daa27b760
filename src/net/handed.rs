//! Encrypted connections that `chathub-tls` hands over: one task for each socket at which they
//! come.
//!
//! Each connection comes as one datagram with its descriptor and its traffic secrets
//! ([`Handover`]). The service manager holds the socket. The datagram stays in it until the
//! connection lies in the queue of sockets and its secrets lie in a slot. If the process dies
//! before, the next one finds the datagram still there: it takes the connection again, or sees by
//! the slot that it was taken.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use nix::errno::Errno;
use nix::sys::socket::{UnixAddr, getsockname};
use socket2::SockRef;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tracing::warn;
use zeroize::Zeroizing;

use super::accept::{self, Counts};
use super::arrival::Arrival;
use super::keep::fault;
use super::keep::queue::Keeping;
use super::keep::recovery::Newcomer;
use super::keep::tape::Slots;
use crate::accepting::Pauses;
use crate::kernel::{self, Handed};
use crate::logging::{InWords, ids};
use crate::settings;
use crate::values::plain::Plain;
use crate::wire::tls::handover::{Handover, LEN};

/// What a task needs that takes connections from one such socket.
pub struct Taking {
    /// The socket: Unix, for datagrams.
    pub socket: Arc<AsyncFd<OwnedFd>>,
    /// The users who may hand connections over.
    pub from: Vec<u32>,
    /// Where the traffic secrets are kept.
    pub slots: Slots,
    /// The queue of sockets, where the connections are kept.
    pub keeping: Keeping,
    /// The driver's queue, in which it learns of each connection.
    pub arrivals: mpsc::Sender<Arrival>,
    /// The counters of all tasks that accept.
    pub counts: Arc<Counts>,
    /// The counter of connections that came by this socket.
    pub taken: Arc<AtomicU64>,
    /// The TCP options that each connection is given.
    pub tcp: Arc<Mutex<settings::Tcp>>,
}

/// The users who may hand connections over at `socket`: the owner of the socket's file, root, and
/// the user of this process.
#[must_use]
pub fn senders(socket: &OwnedFd) -> Vec<u32> {
    use std::os::fd::AsRawFd as _;
    let address = getsockname::<UnixAddr>(socket.as_raw_fd()).ok();
    let owner = address.as_ref().and_then(UnixAddr::path).and_then(|path| Path::metadata(path).ok());
    [Some(0), Some(nix::unistd::geteuid().as_raw()), owner.map(|file| file.uid())].into_iter().flatten().collect()
}

/// Why a connection that was handed over is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// The sender is another user than those of [`senders`].
    Sender,
    /// The message has not the form of a [`Handover`], or does not carry exactly one descriptor.
    Form,
    /// The descriptor is no TCP connection, or its cookie is not the one in the message.
    NotThatOne,
    /// The connection has ended meanwhile.
    Ended,
    /// Bytes were read or written after the handshake: it is not known where the next record
    /// begins.
    Counts,
}

impl Refused {
    const fn text(self) -> &'static str {
        match self {
            Self::Sender => "its sender may not do that",
            Self::Form => "the message has another form: is chathub-tls of this release?",
            Self::NotThatOne => "it is no connection, or another one than the message says",
            Self::Ended => "it has ended",
            Self::Counts => "something was read or written behind the handshake",
        }
    }
}

/// Takes connections for ever. Ends when the driver is gone, or when it is aborted. When
/// descriptors or memory have run out, it pauses, as [`accept`](super::accept::accept()) does.
pub async fn take(taking: Taking) {
    let mut pauses = Pauses::default();
    loop {
        // A place in the queue of arrivals is reserved first: while that waits, messages stay in
        // the socket.
        let Ok(place) = taking.arrivals.reserve().await else { return };
        let Ok(mut ready) = taking.socket.readable().await else { return };
        match ready.try_io(|socket| take_one(socket.get_ref(), &taking)) {
            Err(_) | Ok(Ok(None)) => pauses.end(),
            Ok(Ok(Some(newcomer))) => {
                pauses.end();
                taking.counts.open.fetch_add(1, Ordering::Relaxed);
                taking.taken.fetch_add(1, Ordering::Relaxed);
                place.send(Arrival::Accepted(newcomer));
            }
            Ok(Err(error)) => {
                // Whatever the error is, the message is still the first one in the socket.
                let pause = pauses.pause();
                taking.counts.paused.fetch_add(1, Ordering::Relaxed);
                if pause.is_first {
                    warn!(message_id = ids::ACCEPT_PAUSED, chathub_error = %Plain(&error), "taking over encrypted connections is paused{}", InWords(Plain(&error)));
                }
                tokio::time::sleep(pause.length).await;
            }
        }
    }
}

/// Takes the first connection that waits in the socket. Returns `None` if its message was thrown
/// away: the connection is refused, or a former process took it.
fn take_one(socket: &OwnedFd, taking: &Taking) -> io::Result<Option<Newcomer>> {
    if taking.keeping.is_some() && taking.counts.is_full() {
        return Err(Errno::EMFILE.into());
    }
    // One byte more than a message has, so that a longer one is noticed.
    let mut bytes = Zeroizing::new([0; LEN + 1]);
    let handed = kernel::peek_handed(socket, &mut bytes[..])?.ok_or(io::ErrorKind::WouldBlock)?;
    if handed.cut_off && handed.descriptors.is_empty() {
        return Err(Errno::EMFILE.into());
    }
    let handover = Handover::decode(&bytes[..handed.len.min(LEN + 1)]);
    if let Some(handover) = &handover
        && taking.slots.is_in_use(handover.cookie)
    {
        // A former process took it, and died before it could take the message away.
        kernel::drop_message(socket)?;
        return Ok(None);
    }
    match checked(handed, handover, &taking.from) {
        Err(refused) => {
            if refused != Refused::Ended {
                warn!(
                    message_id = ids::HANDED_REFUSED,
                    chathub_error = refused.text(),
                    "an encrypted connection is not taken{}",
                    InWords(refused.text())
                );
            }
            kernel::drop_message(socket)?;
            Ok(None)
        }
        Ok((connection, handover, peer)) => {
            fault::point("take.peeked");
            let tcp = taking.tcp.lock().unwrap_or_else(PoisonError::into_inner).clone();
            // The same options that an accepted connection inherits from its listener.
            let _ = accept::prepare(&connection, &tcp);
            let _ = SockRef::from(&connection).set_nonblocking(true);
            let _ = kernel::mark_as_encrypted(&connection);
            let slot = taking.slots.take(&handover)?;
            fault::point("take.slotted");
            if let Some(queue) = &taking.keeping {
                let kept =
                    queue.lock().unwrap_or_else(PoisonError::into_inner).keep(connection.as_fd(), handover.cookie);
                accept::count_unkept(kept, &taking.counts);
                fault::point("take.queued");
            }
            kernel::drop_message(socket)?;
            fault::point("take.dropped");
            Ok(Some(Newcomer { socket: connection, cookie: handover.cookie, peer, slot: Some(slot), proxied: None }))
        }
    }
}

/// Checks a message: its sender, its form, and that its connection is in the state that it tells
/// of.
fn checked(
    handed: Handed,
    handover: Option<Handover>,
    from: &[u32],
) -> Result<(OwnedFd, Handover, std::net::SocketAddr), Refused> {
    if !handed.uid.is_some_and(|uid| from.contains(&uid)) {
        return Err(Refused::Sender);
    }
    let handover = handover.ok_or(Refused::Form)?;
    let [connection] = <[OwnedFd; 1]>::try_from(handed.descriptors).map_err(|_| Refused::Form)?;
    let counted = kernel::counted(&connection).map_err(|_| Refused::NotThatOne)?;
    if kernel::cookie(&connection).ok() != Some(handover.cookie) {
        return Err(Refused::NotThatOne);
    }
    let peer = SockRef::from(&connection).peer_addr().ok().and_then(|peer| peer.as_socket());
    let peer = peer.filter(|_| !counted.dead && !counted.finished).ok_or(Refused::Ended)?;
    if (counted.read, counted.taken) != (handover.read, handover.written) {
        return Err(Refused::Counts);
    }
    Ok((connection, handover, peer))
}
