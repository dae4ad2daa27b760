//! What the service manager hands over and wants to be told: sockets by name (sd_listen_fds(3)),
//! readiness, reloads, status, the watchdog and the descriptor store (sd_notify(3)).
//!
//! Without a service manager all of this does nothing.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::time::Duration;

use listenfd::ListenFd;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt};
use sd_notify::NotifyState;

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
}

impl Sockets {
    /// Whether no listening socket was.
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

/// Names in the descriptor store: the tape, the four ends of the queue of sockets, and the program.
pub const STORED: [&str; 6] = ["tape", "singles.head", "singles.tail", "batches.head", "batches.tail", PROGRAM];

/// The program that writes the tape: only it can read all of it.
pub const PROGRAM: &str = "program";

/// What was handed over under this name, left where it is.
#[must_use]
pub fn look_for(name: &str) -> Option<BorrowedFd<'static>> {
    let is_ours = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    let names = std::env::var("LISTEN_FDNAMES").ok().filter(|_| is_ours)?;
    let count: usize = std::env::var("LISTEN_FDS").ok()?.parse().ok()?;
    let index = names.split(':').take(count).position(|one| one == name)?;
    kernel::passed(index)
}

/// Whether there is a service manager that could keep descriptors. Whether the unit lets it
/// (`FileDescriptorStoreMax=`) only newer ones say, since 254.
#[must_use]
pub fn keeps_descriptors() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
        && std::env::var("FDSTORE").map_or(true, |most| most.parse::<usize>().is_ok_and(|most| most >= STORED.len()))
}

/// Has the service manager keep descriptors, to be handed to the next process, and waits until it does.
///
/// # Errors
/// Those of sending; if there is no answer within some seconds.
pub fn store(descriptors: &[(&str, BorrowedFd<'_>)]) -> io::Result<()> {
    for (name, descriptor) in descriptors {
        // A socket in it that is closed, as they all are at times, is no reason to throw it out.
        let state = [NotifyState::FdStore, NotifyState::FdName(name), NotifyState::Custom("FDPOLL=0")];
        sd_notify::notify_with_fds(&state, &[*descriptor])?;
    }
    barrier()
}

/// Has the service manager keep those of these names no more.
pub fn forget<'a>(names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        tell(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)]);
    }
}

/// Waits until the service manager has dealt with everything that it was told (sd_notify(3)).
fn barrier() -> io::Result<()> {
    let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    sd_notify::notify_with_fds(&[NotifyState::Custom("BARRIER=1")], &[theirs.as_fd()])?;
    drop(theirs);
    let wait = PollTimeout::try_from(PATIENCE).map_err(io::Error::other)?;
    match poll(&mut [PollFd::new(ours.as_fd(), PollFlags::empty())], wait)? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// How long the service manager may take to keep something.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// What is being done at a start, which takes at least `more` longer from now on (`EXTEND_TIMEOUT_USEC=`,
/// sd_notify(3)).
pub fn takes_longer(text: &str, more: Duration) {
    let micros = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(text), NotifyState::ExtendTimeoutUsec(micros)]);
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
