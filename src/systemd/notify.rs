//! What the service manager is told (sd_notify(3)). The task that serves people never waits for it: what has to be told
//! and cannot be told at once is left to a thread.

use std::fmt::Write as _;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, UnixAddr, sendmsg};
use sd_notify::NotifyState;
use tracing::warn;

use crate::logging::{InWords, ids};
use crate::values::plain::Plain;

/// Tells that the daemon serves, or serves again after [`reloading`].
pub fn ready() {
    tell(&[NotifyState::Ready], Weight::Heavy);
}

/// Tells that the settings are being read again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now], Weight::Heavy),
        Err(_) => tell(&[NotifyState::Reloading], Weight::Heavy),
    };
}

/// How long the end may take beyond the goodbye: to close connections, and to write the last lines of the log.
const END: Duration = Duration::from_secs(10);

/// Tells that the daemon is going to end, and that saying goodbye takes `goodbye` at most. The service manager then
/// waits that long, even if it is set to wait less (`TimeoutStopSec=`).
pub fn stopping(goodbye: Duration) {
    let wait = u32::try_from((goodbye + END).as_micros()).unwrap_or(u32::MAX);
    let state = [NotifyState::Stopping, NotifyState::Status("saying goodbye"), NotifyState::ExtendTimeoutUsec(wait)];
    tell(&state, Weight::Heavy);
}

/// Sets the line that `systemctl status` shows. Returns whether it was told; if not, the caller is to try again.
pub fn status(text: &str) -> bool {
    tell(&[NotifyState::Status(text)], Weight::Light)
}

/// Tells what is being done at a start, and that it takes up to `more` longer from now on
/// (`EXTEND_TIMEOUT_USEC=`).
pub fn takes_longer(text: &str, more: Duration) {
    let micros = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(text), NotifyState::ExtendTimeoutUsec(micros)], Weight::Light);
}

/// Tells the watchdog that the daemon is alive.
pub fn watchdog() {
    tell(&[NotifyState::Watchdog], Weight::Light);
}

/// The time from one [`watchdog`] to the next: half of what the service manager waits for it. `None` if it does not wait.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|wait| wait / 2).filter(|every| !every.is_zero())
}

/// What to do with a message that the service manager does not take at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Drop it: it is sent again soon, or nothing depends on it.
    Light,
    /// Let it wait, because the service manager believes something else until it is told.
    Heavy,
}

/// Tells the service manager. Returns whether it was told, or is going to be.
pub(super) fn tell(state: &[NotifyState<'_>], weight: Weight) -> bool {
    let message = text(state);
    let behind = LATER_ON.get().and_then(Option::as_ref).filter(|later| later.waiting.load(Ordering::Acquire) > 0);
    if let Some(later) = behind {
        // It is put behind the messages that wait, or a former state would be told last.
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
        // There is no service manager, or it cannot be told. People are served all the same.
        _ => true,
    }
}

/// The thread that tells, in order, what could not be told at once. It waits for the service manager, so that the task
/// that serves people does not.
struct Later {
    sender: Sender<String>,
    /// Messages that are not told yet, [`LATER`] at most.
    waiting: Arc<AtomicUsize>,
}

/// Messages that may wait; more are dropped. A change of state takes two, so a service manager that has missed that
/// many is not going to listen any more.
const LATER: usize = 64;

/// Started when it is first needed; `None` inside if there was no thread for it.
static LATER_ON: OnceLock<Option<Later>> = OnceLock::new();

impl Later {
    fn start() -> Option<Self> {
        let (sender, receiver) = channel::<String>();
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = waiting.clone();
        let told = std::thread::Builder::new().name("notify".to_owned()).spawn(move || {
            for message in receiver {
                if let Err(error) = send(&message, &[], MsgFlags::empty()) {
                    warn!(message_id = ids::NOTIFY, chathub_error = %Plain(&error), "the service manager cannot be told how the hub is doing{}", InWords(Plain(&error)));
                }
                left.fetch_sub(1, Ordering::Release);
            }
        });
        told.ok().map(|_| Self { sender, waiting })
    }

    /// Leaves a message to the thread, if not too many wait.
    fn push(&self, message: String) {
        if self.waiting.fetch_add(1, Ordering::Acquire) >= LATER || self.sender.send(message).is_err() {
            self.waiting.fetch_sub(1, Ordering::Release);
        }
    }
}

/// How long the service manager may take to read a message, or to keep a descriptor.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Sends one message, and waits up to [`PATIENCE`] for the service manager to take it. Only while nobody is served.
pub(super) fn send_patiently(state: &[NotifyState<'_>], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let (message, end) = (text(state), Instant::now() + PATIENCE);
    loop {
        match send(&message, descriptors, MsgFlags::MSG_DONTWAIT) {
            // A datagram socket that is not connected cannot be polled for room at the other end.
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            sent => return sent.map_err(Into::into),
        }
    }
}

/// The message that has these assignments, one a line.
fn text(state: &[NotifyState<'_>]) -> String {
    state.iter().fold(String::new(), |mut text, state| {
        let _ = writeln!(text, "{state}");
        text
    })
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
