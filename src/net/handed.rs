//! Connections that `chathub-tls` hands over: one task for each socket at which they come.
//!
//! Each comes as a datagram with the connection's descriptor and its traffic secrets ([`Handover`]). The datagram stays
//! in the socket, which the service manager holds, until the connection lies in the queue of sockets and its secrets
//! in a slot: a process that dies in between leaves it to the next one, which begins again or finds it done.

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

use super::accept::{self, Counts, PAUSE};
use super::arrival::Arrival;
use super::keep::fault;
use super::keep::queue::Keeping;
use super::keep::recovery::Newcomer;
use super::keep::tape::Slots;
use crate::kernel::{self, Handed};
use crate::logging::{InWords, ids};
use crate::settings;
use crate::values::plain::Plain;
use crate::wire::tls::handover::{Handover, LEN};

/// A socket at which connections are handed over, and what becomes of them.
pub struct Taking {
    /// The socket: Unix, for datagrams.
    pub socket: Arc<AsyncFd<OwnedFd>>,
    /// The users who may hand connections over.
    pub from: Vec<u32>,
    /// Where the secrets are kept.
    pub slots: Slots,
    /// Where the connections are kept.
    pub keeping: Keeping,
    /// Where the driver hears of them.
    pub arrivals: mpsc::Sender<Arrival>,
    /// What accepting counts.
    pub counts: Arc<Counts>,
    /// Counts the connections that came here.
    pub taken: Arc<AtomicU64>,
    /// The options that connections get.
    pub tcp: Arc<Mutex<settings::Tcp>>,
}

/// The users who may hand connections over at `socket`: whoever owns the socket's file, root, and the user of this
/// process.
#[must_use]
pub fn senders(socket: &OwnedFd) -> Vec<u32> {
    use std::os::fd::AsRawFd as _;
    let address = getsockname::<UnixAddr>(socket.as_raw_fd()).ok();
    let owner = address.as_ref().and_then(UnixAddr::path).and_then(|path| Path::metadata(path).ok());
    [Some(0), Some(nix::unistd::geteuid().as_raw()), owner.map(|file| file.uid())].into_iter().flatten().collect()
}

/// Why a connection that is handed over is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// Somebody else than `chathub-tls` has sent it.
    Sender,
    /// The message does not have the form of a [`Handover`], or not exactly one descriptor.
    Form,
    /// The descriptor is no connection, or not the one that the message tells of.
    NotThatOne,
    /// The connection has ended meanwhile.
    Ended,
    /// Bytes were read or written behind the handshake: it is not known where the next record begins.
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

/// Takes what is handed over, for ever. Ends when the driver is gone, or when it is aborted. Pauses, as
/// [`accept`](super::accept::accept()) does, when descriptors or memory have run out.
pub async fn take(taking: Taking) {
    let mut pause = PAUSE.0;
    loop {
        // A place in the queue of arrivals is reserved first: while that waits, messages stay in the socket.
        let Ok(place) = taking.arrivals.reserve().await else { return };
        let Ok(mut ready) = taking.socket.readable().await else { return };
        match ready.try_io(|socket| take_one(socket.get_ref(), &taking)) {
            Err(_) | Ok(Ok(None)) => pause = PAUSE.0,
            Ok(Ok(Some(newcomer))) => {
                pause = PAUSE.0;
                taking.counts.open.fetch_add(1, Ordering::Relaxed);
                taking.taken.fetch_add(1, Ordering::Relaxed);
                place.send(Arrival::Accepted(newcomer));
            }
            Ok(Err(error)) => {
                taking.counts.paused.fetch_add(1, Ordering::Relaxed);
                if pause == PAUSE.0 {
                    warn!(message_id = ids::ACCEPT_PAUSED, chathub_error = %Plain(&error), "taking over encrypted connections is paused{}", InWords(Plain(&error)));
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Takes the first message, unless it is refused. `None`: it is gone, and was nothing to be taken.
fn take_one(socket: &OwnedFd, taking: &Taking) -> io::Result<Option<Newcomer>> {
    if taking.keeping.is_some() && taking.counts.is_full() {
        return Err(Errno::EMFILE.into());
    }
    // One byte more, to know a longer message.
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
            // As for connections that are accepted here, which inherit these from their listener.
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

/// The connection of a message, if it is what the message says.
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
