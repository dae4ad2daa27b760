//! What the service manager hands over and wants to be told: sockets by name (sd_listen_fds(3)),
//! readiness, reloads, status, the watchdog and the descriptor store (sd_notify(3)).
//!
//! Without a service manager all of this does nothing.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io::{self, IoSlice, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use listenfd::ListenFd;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, getsockopt, sendmsg, sockopt,
};
use sd_notify::NotifyState;
use tracing::warn;

use crate::kernel;
use crate::logging::{InWords, ids};

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

/// How much it matters that the service manager hears of something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It is told again soon, or nothing depends on it.
    Light,
    /// Until it is told, the service manager believes something else.
    Heavy,
}

/// What could not be told at once and has to be, in order. A thread of its own waits with it: whoever
/// serves people waits for no service manager that does not listen.
struct Later {
    sender: Sender<String>,
    waiting: Arc<AtomicUsize>,
}

/// At most so many wait. With each change of state there are two, so whoever does not listen to so many
/// listens to none.
const LATER: usize = 64;

static LATER_ON: OnceLock<Option<Later>> = OnceLock::new();

impl Later {
    fn start() -> Option<Self> {
        let (sender, receiver) = channel::<String>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = waiting.clone();
        let told = std::thread::Builder::new().name("notify".to_owned()).spawn(move || {
            for message in receiver {
                if let Err(error) = send(&message, &[], MsgFlags::empty()) {
                    warn!(message_id = ids::NOTIFY, chathub_error = %error, "the service manager cannot be told how the hub is doing{}", InWords(&error));
                }
                left.fetch_sub(1, Ordering::Release);
            }
        });
        told.ok().map(|_| Self { sender, waiting })
    }

    fn push(&self, message: String) {
        if self.waiting.fetch_add(1, Ordering::Acquire) >= LATER || self.sender.send(message).is_err() {
            self.waiting.fetch_sub(1, Ordering::Release);
        }
    }
}

fn text(state: &[NotifyState<'_>]) -> String {
    state.iter().fold(String::new(), |mut text, state| {
        let _ = writeln!(text, "{state}");
        text
    })
}

/// Whether it is told, or will be.
fn tell(state: &[NotifyState<'_>], weight: Weight) -> bool {
    let message = text(state);
    let behind = LATER_ON.get().and_then(Option::as_ref).filter(|later| later.waiting.load(Ordering::Acquire) > 0);
    if let Some(later) = behind {
        // One after the other, or an old state would be the last that is told.
        if weight == Weight::Heavy {
            later.push(message);
        }
        return weight == Weight::Heavy;
    }
    match send(&message, &[], MsgFlags::MSG_DONTWAIT) {
        Err(Errno::EAGAIN) if weight == Weight::Heavy => {
            warn!(
                message_id = ids::NOTIFY,
                "the service manager does not listen now; it is told how the hub is doing when it does"
            );
            if let Some(later) = LATER_ON.get_or_init(Later::start) {
                later.push(message);
            }
            true
        }
        Err(Errno::EAGAIN) => false,
        // Nobody to tell, or nobody who could be told: neither is a reason not to serve.
        _ => true,
    }
}

/// Sends one message to the service manager, if there is one.
fn send(message: &str, descriptors: &[BorrowedFd<'_>], flags: MsgFlags) -> nix::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let bytes = path.as_bytes();
    let addr = match bytes.strip_prefix(b"@") {
        Some(name) => UnixAddr::new_abstract(name)?,
        None => UnixAddr::new(bytes)?,
    };
    let flag = SockFlag::SOCK_CLOEXEC;
    let socket = nix::sys::socket::socket(AddressFamily::Unix, SockType::Datagram, flag, None)?;
    let raw: Vec<_> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let with = if raw.is_empty() { &[][..] } else { &rights[..] };
    let parts = [IoSlice::new(message.as_bytes())];
    let flags = flags | MsgFlags::MSG_NOSIGNAL;
    loop {
        match sendmsg(socket.as_raw_fd(), &parts, with, flags, Some(&addr)) {
            Err(Errno::EINTR) => {}
            sent => return sent.map(drop),
        }
    }
}

/// Sends one message that matters while nobody is served yet, and waits for the service manager as long as
/// it may take.
fn send_patiently(state: &[NotifyState<'_>], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let (message, end) = (text(state), Instant::now() + PATIENCE);
    loop {
        match send(&message, descriptors, MsgFlags::MSG_DONTWAIT) {
            // A datagram socket that is not connected cannot be polled for the other end's room.
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            sent => return sent.map_err(Into::into),
        }
    }
}

/// The daemon serves (again).
pub fn ready() {
    tell(&[NotifyState::Ready], Weight::Heavy);
}

/// The settings are being read again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now], Weight::Heavy),
        Err(_) => tell(&[NotifyState::Reloading], Weight::Heavy),
    };
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
        send_patiently(&state, &[*descriptor])?;
    }
    barrier()
}

/// Has the service manager keep those of these names no more.
pub fn forget<'a>(names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        tell(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)], Weight::Heavy);
    }
}

/// Waits until the service manager has dealt with everything that it was told (sd_notify(3)).
fn barrier() -> io::Result<()> {
    let (ours, theirs) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    send_patiently(&[NotifyState::Custom("BARRIER=1")], &[theirs.as_fd()])?;
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
    let state = [NotifyState::Stopping, NotifyState::Status("saying goodbye"), NotifyState::ExtendTimeoutUsec(wait)];
    tell(&state, Weight::Heavy);
}

/// A line for `systemctl status`. Whether it was told; if not, it is to be told again.
pub fn status(text: &str) -> bool {
    tell(&[NotifyState::Status(text)], Weight::Light)
}

/// What is being done at a start, which takes at least `more` longer from now on (`EXTEND_TIMEOUT_USEC=`,
/// sd_notify(3)).
pub fn takes_longer(text: &str, more: Duration) {
    let micros = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(text), NotifyState::ExtendTimeoutUsec(micros)], Weight::Light);
}

/// A sign of life.
pub fn watchdog() {
    tell(&[NotifyState::Watchdog], Weight::Light);
}

/// How often a sign of life is to be given: half of what the service manager waits.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|wait| wait / 2).filter(|every| !every.is_zero())
}
