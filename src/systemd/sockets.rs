//! The sockets that the service manager passes (sd_listen_fds(3)): what each is for, and which are
//! wrong.

use std::collections::HashMap;
use std::fmt;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{getsockopt, sockopt};

use super::store::STORED;
use crate::accepting::waiting;
use crate::kernel;

/// The sockets that the service manager passed.
#[derive(Debug, Default)]
pub struct Sockets {
    /// For clients (`FileDescriptorName=chat`).
    pub chat: Vec<TcpListener>,
    /// For proxies, which name the client of each connection (`FileDescriptorName=proxy`).
    pub proxy: Vec<TcpListener>,
    /// For administrators (`FileDescriptorName=admin`).
    pub admin: Vec<UnixListener>,
    /// For monitoring, which may only read (`FileDescriptorName=monitor`).
    pub monitor: Vec<UnixListener>,
    /// Where `chathub-tls` hands encrypted connections over (`FileDescriptorName=handover`).
    pub handover: Vec<OwnedFd>,
    /// What a former process has left in the descriptor store, by name: the names are those of
    /// [`STORED`].
    pub stored: HashMap<&'static str, OwnedFd>,
    /// Sockets whose names this release does not know. They are left alone.
    pub unknown: Vec<(String, OwnedFd)>,
}

impl Sockets {
    /// Whether no socket was passed at which somebody may come.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { chat, proxy, admin, monitor, handover, stored: _, unknown } = self;
        (chat.is_empty() && proxy.is_empty() && admin.is_empty() && monitor.is_empty())
            && (handover.is_empty() && unknown.is_empty())
    }

    /// For a daemon that cannot start: accepts the connections that wait, tells the clients so, and
    /// closes them. Otherwise the waiting connections would make the service manager start the
    /// daemon again and again; this is so even at a socket with a mistyped name.
    pub fn turn_away(&self) {
        let (chat, admin) = (self.chat.iter().chain(&self.proxy), self.admin.iter().chain(&self.monitor));
        turn_away(chat, admin, self.handover.iter().chain(self.unknown.iter().map(|(_, socket)| socket)));
    }
}

/// See [`Sockets::turn_away`].
pub fn turn_away<'a>(
    chat: impl IntoIterator<Item = &'a TcpListener>,
    admin: impl IntoIterator<Item = &'a UnixListener>,
    others: impl IntoIterator<Item = &'a OwnedFd>,
) {
    for listener in chat {
        let _ = listener.set_nonblocking(true);
        for (mut waiting, _) in waiting(|| listener.accept()) {
            let _ = waiting.write(b"-- the hub cannot start: please try again later\r\n");
        }
    }
    for listener in admin {
        let _ = listener.set_nonblocking(true);
        waiting(|| listener.accept()).for_each(drop);
    }
    // Nothing is sent there: the protocol is not known, or it is one of encrypted connections.
    for socket in others {
        let (listens, takes) = (listens(socket), is_for_datagrams(socket));
        let socket = socket2::SockRef::from(socket);
        let _ = socket.set_nonblocking(true);
        if listens {
            waiting(|| socket.accept()).for_each(drop);
        }
        // The kernel closes the connection that comes with a datagram which is read without it.
        while takes && socket.recv(&mut [std::mem::MaybeUninit::uninit()]).is_ok() {}
    }
}

/// Why the sockets that were passed cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum WrongSocket {
    /// `LISTEN_FDS` is wrong: it announces more than this process may have open.
    Count {
        /// The value of `LISTEN_FDS`.
        count: String,
    },
    /// A socket is not of the kind that its name requires, or of no known kind.
    Kind {
        /// Its index among the sockets passed, from 0.
        index: usize,
        /// Its name; empty if it has none.
        name: String,
        /// The required kind.
        wanted: &'static str,
    },
}

impl fmt::Display for WrongSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { count } => {
                write!(f, "LISTEN_FDS={count} says how many sockets are handed over, and so many cannot be")
            }
            Self::Kind { index, name, wanted } => {
                write!(f, "socket {index} handed over (named {name:?}) is not {wanted}")
            }
        }
    }
}

impl std::error::Error for WrongSocket {}

/// Takes the sockets that the service manager passed, and removes the variables that announce them
/// from the environment. For that reason, call it while there is only one thread.
///
/// A socket is recognised by its name and its kind. One without a name (systemd then names it after
/// its unit, or `unknown`) is recognised by its kind. One with an unknown name is left alone: it is
/// for another release, and the daemon should serve even after a downgrade.
///
/// Returns the sockets that could be taken, and why the first unusable one could not. In that case
/// the daemon does not start, because it might serve something else than the administrator meant.
/// But it turns away the clients who wait at the other sockets.
pub fn sockets() -> (Sockets, Result<(), WrongSocket>) {
    let mut sockets = Sockets::default();
    let taken = take(&mut sockets);
    (sockets, taken)
}

/// Sorts the descriptors that were passed into `sockets`.
fn take(sockets: &mut Sockets) -> Result<(), WrongSocket> {
    count()?;
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut handed = ListenFd::from_env();
    let mut wrong = Ok(());
    for index in 0..handed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        if let Some(name) = STORED.into_iter().find(|stored| *stored == name) {
            if let Some(descriptor) = kernel::handed_over(&mut handed, index) {
                sockets.stored.insert(name, descriptor);
            }
            continue;
        }
        if name == "handover"
            && let Some(socket) = kernel::handed_over(&mut handed, index)
        {
            if is_for_datagrams(&socket) {
                sockets.handover.push(socket);
            } else {
                let wanted = "a Unix datagram socket";
                wrong = wrong.and(Err(WrongSocket::Kind { index, name: name.clone(), wanted }));
                sockets.unknown.push((name, socket));
            }
            continue;
        }
        let wanted = match name.as_str() {
            "chat" | "proxy" => "a listening TCP socket",
            "admin" | "monitor" => "a listening Unix stream socket",
            "" | "unknown" | "stored" => "a listening TCP or Unix stream socket",
            unit if unit.ends_with(".socket") => "a listening TCP or Unix stream socket",
            _ => {
                if let Some(descriptor) = kernel::handed_over(&mut handed, index) {
                    sockets.unknown.push((name, descriptor));
                }
                continue;
            }
        };
        // listenfd returns only a socket of the kind that it is asked for.
        let is_unix = name == "admin" || name == "monitor";
        let chat = if is_unix { None } else { handed.take_tcp_listener(index).ok().flatten() };
        let admin = if name == "chat" || name == "proxy" || chat.is_some() {
            None
        } else {
            handed.take_unix_listener(index).ok().flatten()
        };
        match (chat, admin) {
            (Some(socket), _) if listens(&socket) => {
                if name == "proxy" { &mut sockets.proxy } else { &mut sockets.chat }.push(socket);
            }
            (None, Some(socket)) if listens(&socket) => {
                if name == "monitor" { &mut sockets.monitor } else { &mut sockets.admin }.push(socket);
            }
            _ => {
                if wrong.is_ok() {
                    wrong = Err(WrongSocket::Kind { index, name: name.clone(), wanted });
                }
                if kernel::passed(index).is_none() {
                    // This descriptor is not open, so those behind it are not either.
                    break;
                }
                if let Some(descriptor) = kernel::handed_over(&mut handed, index) {
                    sockets.unknown.push((name, descriptor));
                }
            }
        }
    }
    wrong
}

/// Checks that `LISTEN_FDS` announces no more than this process may have open.
pub(super) fn count() -> Result<(), WrongSocket> {
    let count = std::env::var("LISTEN_FDS").unwrap_or_default();
    let most = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    // listenfd takes a value that is no number for 0; that is no error here either.
    if count.parse::<u64>().is_ok_and(|count| count > most) {
        return Err(WrongSocket::Count { count });
    }
    Ok(())
}

/// Whether the socket is a Unix datagram socket.
fn is_for_datagrams(socket: &OwnedFd) -> bool {
    let socket = socket2::SockRef::from(socket);
    let is_unix = socket.local_addr().is_ok_and(|address| address.domain() == socket2::Domain::UNIX);
    is_unix && socket.r#type().is_ok_and(|kind| kind == socket2::Type::DGRAM)
}

/// Whether the socket is listening.
pub(super) fn listens(socket: &impl AsFd) -> bool {
    getsockopt(socket, sockopt::AcceptConn).unwrap_or(false)
}
