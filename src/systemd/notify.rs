//! Messages to the service manager (sd_notify(3)). The driver never waits for it: a message that
//! the service manager does not take at once, but must not miss, is left to a thread.

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

/// How long the daemon may take to end after the goodbye: to close connections and write the last
/// log lines.
const END: Duration = Duration::from_secs(10);

/// Tells that the daemon is ending, and that the goodbye takes `goodbye` at most. The service
/// manager then waits that long and 10 s more, even if `TimeoutStopSec=` is less.
pub fn stopping(goodbye: Duration) {
    let wait = u32::try_from((goodbye + END).as_micros()).unwrap_or(u32::MAX);
    let state = [NotifyState::Stopping, NotifyState::Status("saying goodbye"), NotifyState::ExtendTimeoutUsec(wait)];
    tell(&state, Weight::Heavy);
}

/// Sets the line that `systemctl status` shows. Returns `false` if the service manager did not take
/// it: call it again later then.
pub fn status(text: &str) -> bool {
    tell(&[NotifyState::Status(text)], Weight::Light)
}

/// Tells what a start is doing, and that it may take up to `more` from now on
/// (`EXTEND_TIMEOUT_USEC=`).
pub fn takes_longer(text: &str, more: Duration) {
    let micros = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(text), NotifyState::ExtendTimeoutUsec(micros)], Weight::Light);
}

/// Says that the daemon is alive (`WATCHDOG=1`).
pub fn watchdog() {
    tell(&[NotifyState::Watchdog], Weight::Light);
}

/// How often to call [`watchdog`]: twice in the time that the service manager allows. `None` if it
/// does not watch.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|wait| wait / 2).filter(|every| !every.is_zero())
}

/// What to do with a message that the service manager does not take at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Drop it: a newer one will be sent soon, or nothing depends on it.
    Light,
    /// Keep it: until it arrives, the service manager has a wrong state of the daemon.
    Heavy,
}

/// Sends a message to the service manager. Returns whether it is sent, or will be.
pub(super) fn tell(state: &[NotifyState<'_>], weight: Weight) -> bool {
    let message = text(state);
    let behind = LATER_ON.get().and_then(Option::as_ref).filter(|later| later.waiting.load(Ordering::Acquire) > 0);
    if let Some(later) = behind {
        // It must not overtake the messages that wait: otherwise a former state would arrive last.
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
        // There is no service manager, or nothing can be sent to it. The daemon serves all the
        // same.
        _ => true,
    }
}

/// The thread that sends, in order, the messages that were not taken at once. It may wait for the
/// service manager; the driver may not.
struct Later {
    sender: Sender<String>,
    /// How many messages are not sent yet: at most [`LATER`].
    waiting: Arc<AtomicUsize>,
}

/// The most messages that wait. Further ones are dropped. A change of state takes two messages: a
/// service manager that has missed this many will not listen again.
const LATER: usize = 64;

/// Set when it is first needed. `None` inside: the system had no thread for it.
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

    /// Leaves a message to the thread, unless too many wait.
    fn push(&self, message: String) {
        if self.waiting.fetch_add(1, Ordering::Acquire) >= LATER || self.sender.send(message).is_err() {
            self.waiting.fetch_sub(1, Ordering::Release);
        }
    }
}

/// How long the service manager may take to accept a message, or to keep a descriptor.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Sends one message, and waits up to [`PATIENCE`] until the service manager takes it. Call it only
/// while no client is served.
pub(super) fn send_patiently(state: &[NotifyState<'_>], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let (message, end) = (text(state), Instant::now() + PATIENCE);
    loop {
        match send(&message, descriptors, MsgFlags::MSG_DONTWAIT) {
            // poll(2) cannot tell when there is room at the other end of an unconnected datagram
            // socket: so this sleeps instead.
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            sent => return sent.map_err(Into::into),
        }
    }
}

/// The text of a message with these assignments, one a line.
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
