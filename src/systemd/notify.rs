//! What the service manager is told (sd_notify(3)).

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

/// How much it matters that the service manager hears of something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// It is told again soon, or nothing depends on it.
    Light,
    /// Until it is told, the service manager believes something else.
    Heavy,
}

/// Whether it is told, or will be.
pub(super) fn tell(state: &[NotifyState<'_>], weight: Weight) -> bool {
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

/// How long the service manager may take to keep something.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Sends one message that matters while nobody is served yet, and waits for the service manager as long as
/// it may take.
pub(super) fn send_patiently(state: &[NotifyState<'_>], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let (message, end) = (text(state), Instant::now() + PATIENCE);
    loop {
        match send(&message, descriptors, MsgFlags::MSG_DONTWAIT) {
            // A datagram socket that is not connected cannot be polled for the other end's room.
            Err(Errno::EAGAIN) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            sent => return sent.map_err(Into::into),
        }
    }
}

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
