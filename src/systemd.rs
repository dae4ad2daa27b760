//! What the service manager hands over and wants to be told: sockets by name (sd_listen_fds(3)),
//! readiness, reloads, status and the watchdog (sd_notify(3)).
//!
//! Without a service manager all of this does nothing.

use std::fmt;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use listenfd::ListenFd;
use nix::sys::socket::{getsockopt, sockopt};
use sd_notify::NotifyState;

/// The sockets that were handed over.
#[derive(Debug, Default)]
pub struct Sockets {
    /// For clients (`FileDescriptorName=chat`).
    pub chat: Vec<TcpListener>,
    /// For administrators (`FileDescriptorName=admin`).
    pub admin: Vec<UnixListener>,
}

impl Sockets {
    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chat.is_empty() && self.admin.is_empty()
    }
}

/// Why the sockets that were handed over cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum WrongSocket {
    /// A name that is not known.
    Name {
        /// Which of them, from 0.
        index: usize,
        /// The name.
        name: String,
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
            Self::Name { index, name } => {
                write!(f, "socket {index} handed over is named {name:?}; known are \"chat\" and \"admin\" ")?;
                f.write_str("(FileDescriptorName= in the socket unit)")
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
/// unit, or `unknown`) is known by its kind.
///
/// # Errors
/// [`WrongSocket`] about the first that is neither: it is better not to start than to serve something
/// else than the administrator meant.
pub fn sockets() -> Result<Sockets, WrongSocket> {
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut handed = ListenFd::from_env();
    let mut sockets = Sockets::default();
    for index in 0..handed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let wanted = match name.as_str() {
            "chat" => "a listening TCP socket",
            "admin" => "a listening Unix stream socket",
            "" | "unknown" | "stored" => "a listening TCP or Unix stream socket",
            unit if unit.ends_with(".socket") => "a listening TCP or Unix stream socket",
            _ => return Err(WrongSocket::Name { index, name }),
        };
        // What is not of the kind asked for is left where it is.
        let chat = if name == "admin" { None } else { handed.take_tcp_listener(index).ok().flatten() };
        let admin =
            if name == "chat" || chat.is_some() { None } else { handed.take_unix_listener(index).ok().flatten() };
        match (chat, admin) {
            (Some(socket), _) if listens(&socket) => sockets.chat.push(socket),
            (None, Some(socket)) if listens(&socket) => sockets.admin.push(socket),
            _ => return Err(WrongSocket::Kind { index, name, wanted }),
        }
    }
    Ok(sockets)
}

fn listens(socket: &impl AsFd) -> bool {
    getsockopt(socket, sockopt::AcceptConn).unwrap_or(false)
}

fn tell(state: &[NotifyState<'_>]) {
    // Nobody to tell, or somebody who does not listen: neither is a reason not to serve.
    let _ = sd_notify::notify(state);
}

/// The daemon serves (again).
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The settings are being read again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// What the end takes beyond the goodbye: closing, and writing the last lines of the log.
const END: Duration = Duration::from_secs(10);

/// The daemon is going to end, and says goodbye for so long at most. If that is longer than what the
/// service manager is set to wait (`TimeoutStopSec=`), it waits longer.
pub fn stopping(goodbye: Duration) {
    let wait = u32::try_from((goodbye + END).as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Stopping, NotifyState::Status("saying goodbye"), NotifyState::ExtendTimeoutUsec(wait)]);
}

/// A line for `systemctl status`.
pub fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

/// A sign of life.
pub fn watchdog() {
    tell(&[NotifyState::Watchdog]);
}

/// How often a sign of life is to be given: half of what the service manager waits.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|wait| wait / 2).filter(|every| !every.is_zero())
}
