//! What the service manager is told (sd_notify(3)). The task that serves people never waits for it: a message that must
//! not be lost and is not taken at once is left to a thread.

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

/// Says that the daemon serves, or serves again after [`reloading`].
pub fn ready() {
    tell(&[NotifyState::Ready], Weight::Heavy);
}

/// Says that the settings are being read again.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now], Weight::Heavy),
        Err(_) => tell(&[NotifyState::Reloading], Weight::Heavy),
    };
}

/// How long the end may take after the goodbye: closing connections and writing the last log lines.
const END: Duration = Duration::from_secs(10);

/// Says that the daemon is ending, and that the goodbye takes `goodbye` at most. The service manager then waits that
/// long and 10 s more, even if `TimeoutStopSec=` is less.
pub fn stopping(goodbye: Duration) {
    let wait = u32::try_from((goodbye + END).as_micros()).unwrap_or(u32::MAX);
    let state = [NotifyState::Stopping, NotifyState::Status("saying goodbye"), NotifyState::ExtendTimeoutUsec(wait)];
    tell(&state, Weight::Heavy);
}

/// Sets the line that `systemctl status` shows. Returns `false` if it was not taken: the caller then tries again later.
pub fn status(text: &str) -> bool {
    tell(&[NotifyState::Status(text)], Weight::Light)
}

/// Says what a start is doing, and that it takes up to `more` from now on (`EXTEND_TIMEOUT_USEC=`).
pub fn takes_longer(text: &str, more: Duration) {
    let micros = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(text), NotifyState::ExtendTimeoutUsec(micros)], Weight::Light);
}

/// Says that the daemon is alive (`WATCHDOG=1`).
pub fn watchdog() {
    tell(&[NotifyState::Watchdog], Weight::Light);
}

/// How often [`watchdog`] is to be called: twice in the time that the service manager allows. `None` if it does not
/// watch.
#[must_use]
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|wait| wait / 2).filter(|every| !every.is_zero())
}

/// What to do with a message that the service manager does not take at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Drop it: it is sent again soon, or nothing depends on it.
    Light,
    /// Let it wait: until it arrives, the service manager believes something else.
    Heavy,
}

/// Sends a message to the service manager. Returns whether it was sent, or will be.
pub(super) fn tell(state: &[NotifyState<'_>], weight: Weight) -> bool {
    let message = text(state);
    let behind = LATER_ON.get().and_then(Option::as_ref).filter(|later| later.waiting.load(Ordering::Acquire) > 0);
    if let Some(later) = behind {
        // The message goes behind those that wait. Otherwise a former state would arrive last.
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
        // There is no service manager, or nothing can be sent to it. People are served all the same.
        _ => true,
    }
}

/// The thread that sends, in order, what was not taken at once. It waits for the service manager, so that the task that
/// serves people does not.
struct Later {
    sender: Sender<String>,
    /// How many messages are not sent yet; [`LATER`] at most.
    waiting: Arc<AtomicUsize>,
}

/// The most messages that wait; further ones are dropped. A change of state takes two, so a service manager that has
/// missed that many will not listen again.
const LATER: usize = 64;

/// Set when it is first needed; `None` inside if there was no thread for it.
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

/// Sends one message, and waits up to [`PATIENCE`] for the service manager to take it. Call it only while nobody is
/// served.
pub(super) fn send_patiently(state: &[NotifyState<'_>], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let (message, end) = (text(state), Instant::now() + PATIENCE);
    loop {
        match send(&message, descriptors, MsgFlags::MSG_DONTWAIT) {
            // An unconnected datagram socket cannot be polled for room at the other end.
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            sent => return sent.map_err(Into::into),
        }
    }
}

/// The message for these assignments, one a line.
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
