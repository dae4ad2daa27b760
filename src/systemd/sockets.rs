//! The sockets that were handed over (sd_listen_fds(3)), by name.

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
use crate::kernel;

/// The sockets that were handed over.
#[derive(Debug, Default)]
pub struct Sockets {
    /// For clients (`FileDescriptorName=chat`).
    pub chat: Vec<TcpListener>,
    /// For administrators (`FileDescriptorName=admin`).
    pub admin: Vec<UnixListener>,
    /// What a former process has left in the descriptor store, by name.
    pub stored: HashMap<&'static str, OwnedFd>,
    /// Of names that this release does not know: another release's. They are left alone.
    pub unknown: Vec<(String, OwnedFd)>,
}

impl Sockets {
    /// Whether no listening socket was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chat.is_empty() && self.admin.is_empty() && self.unknown.is_empty()
    }

    /// Tells those who are waiting that they wait in vain, as a daemon does that cannot start. Left waiting,
    /// they would have the service manager start it again and again, also those at a socket whose name is
    /// mistyped.
    pub fn turn_away(&self) {
        turn_away(&self.chat, &self.admin, &self.unknown);
    }
}

/// See [`Sockets::turn_away`].
pub fn turn_away(chat: &[TcpListener], admin: &[UnixListener], unknown: &[(String, OwnedFd)]) {
    for listener in chat {
        let _ = listener.set_nonblocking(true);
        while let Ok((mut waiting, _)) = listener.accept() {
            let _ = waiting.write(b"-- the hub cannot start: please try again later\r\n");
        }
    }
    for listener in admin {
        let _ = listener.set_nonblocking(true);
        while listener.accept().is_ok() {}
    }
    for (_, socket) in unknown.iter().filter(|(_, socket)| listens(socket)) {
        let socket = socket2::SockRef::from(socket);
        // What they speak is not known, so they are told nothing.
        let _ = socket.set_nonblocking(true);
        while socket.accept().is_ok() {}
    }
}

/// Why the sockets that were handed over cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum WrongSocket {
    /// More than this process may have open: somebody has mistyped `LISTEN_FDS`.
    Count {
        /// So many, as far as that was a number.
        count: String,
    },
    /// Not of the kind that its name says, or of no kind that is known.
    Kind {
        /// Which of them, from 0.
        index: usize,
        /// The name, if it has one.
        name: String,
        /// What it should be.
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

/// Takes the sockets that were handed over, and the variables that told of them. To be called before
/// there is a second thread, for it changes the environment.
///
/// A socket is known by its name and its kind. One without a name (systemd then calls it after its
/// unit, or `unknown`) is known by its kind. One of another name is left alone: it is for another release,
/// and a downgrade is no reason to serve nobody.
///
/// What is wrong with the first that is not of the kind that its name says comes beside those that could be
/// taken: it is better not to start than to serve something else than the administrator meant, but whoever
/// waits at the others can be told.
pub fn sockets() -> (Sockets, Result<(), WrongSocket>) {
    let mut sockets = Sockets::default();
    let taken = take(&mut sockets);
    (sockets, taken)
}

fn take(sockets: &mut Sockets) -> Result<(), WrongSocket> {
    let count = std::env::var("LISTEN_FDS").unwrap_or_default();
    let most = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    // A number that is no count at all means none to listenfd, and is not ours to complain of.
    if count.parse::<u64>().is_ok_and(|count| count > most) {
        return Err(WrongSocket::Count { count });
    }
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
        let wanted = match name.as_str() {
            "chat" => "a listening TCP socket",
            "admin" => "a listening Unix stream socket",
            "" | "unknown" | "stored" => "a listening TCP or Unix stream socket",
            unit if unit.ends_with(".socket") => "a listening TCP or Unix stream socket",
            _ => {
                if let Some(descriptor) = kernel::handed_over(&mut handed, index) {
                    sockets.unknown.push((name, descriptor));
                }
                continue;
            }
        };
        // What is not of the kind asked for is left where it is.
        let chat = if name == "admin" { None } else { handed.take_tcp_listener(index).ok().flatten() };
        let admin =
            if name == "chat" || chat.is_some() { None } else { handed.take_unix_listener(index).ok().flatten() };
        match (chat, admin) {
            (Some(socket), _) if listens(&socket) => sockets.chat.push(socket),
            (None, Some(socket)) if listens(&socket) => sockets.admin.push(socket),
            _ => {
                if wrong.is_ok() {
                    wrong = Err(WrongSocket::Kind { index, name: name.clone(), wanted });
                }
                if kernel::passed(index).is_none() {
                    // Nor will any behind it be there.
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

fn listens(socket: &impl AsFd) -> bool {
    getsockopt(socket, sockopt::AcceptConn).unwrap_or(false)
}
