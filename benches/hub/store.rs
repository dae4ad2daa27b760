//! The service manager's part: listening sockets that are handed over, a store of descriptors (sd_notify(3)), and the
//! next start with what is in it.

use std::fmt::Write as _;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::proc::now;

/// Descriptors that the store takes: more than chathub gives it.
pub(crate) const STORED: usize = 16;

/// A descriptor with the name by which it is handed over.
pub(crate) type Named = (String, OwnedFd);

#[derive(Default)]
struct Told {
    kept: Vec<Named>,
    /// When `READY=1` came last.
    ready: Option<u64>,
}

/// The service manager's descriptor store. What is in it is closed when this is dropped.
pub(crate) struct Store {
    notify: UnixDatagram,
    told: Arc<(Mutex<Told>, Condvar)>,
    keeping: Option<JoinHandle<()>>,
}

impl Store {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let notified = UnixDatagram::bind(path)?;
        let notify = UnixDatagram::unbound()?;
        notify.connect(path)?;
        let told = Arc::<(Mutex<Told>, Condvar)>::default();
        let tells = told.clone();
        Ok(Self { notify, told, keeping: Some(thread::spawn(move || keep(&notified, &tells))) })
    }

    /// What is in it.
    pub(crate) fn kept(&self) -> io::Result<Vec<Named>> {
        let mut told = self.told.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.ready = None;
        told.kept.iter().map(|(name, descriptor)| Ok((name.clone(), descriptor.try_clone()?))).collect()
    }

    /// When a server has said that it is ready, since what is in the store was asked for.
    pub(crate) fn ready(&self, patience: Duration) -> Option<u64> {
        let told = self.told.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.told.1.wait_timeout_while(told, patience, |told| told.ready.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.ready
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Nobody else sends an empty one.
        if self.notify.send(&[]).is_ok()
            && let Some(keeping) = self.keeping.take()
        {
            keeping.join().ok();
        }
    }
}

/// Keeps what comes with `FDSTORE=1` until an empty notification comes; closes all else, which is what
/// `BARRIER=1` waits for.
fn keep(notified: &UnixDatagram, tells: &(Mutex<Told>, Condvar)) {
    loop {
        let mut buffer = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(STORED))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut pieces = [IoSliceMut::new(&mut buffer)];
        let Ok(received) = recvmsg(notified, &mut pieces, &mut control, RecvFlags::CMSG_CLOEXEC) else {
            return;
        };
        if received.bytes == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&buffer[..received.bytes]).into_owned();
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let name = value("FDNAME").unwrap_or("stored");
        let mut told = tells.0.lock().unwrap_or_else(PoisonError::into_inner);
        if value("READY") == Some("1") {
            told.ready.get_or_insert_with(now);
            tells.1.notify_all();
        }
        if value("FDSTOREREMOVE") == Some("1") {
            told.kept.retain(|(kept, _)| kept != name);
        }
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message
                && value("FDSTORE") == Some("1")
            {
                let room = STORED.saturating_sub(told.kept.len());
                told.kept.extend(descriptors.take(room).map(|descriptor| (name.to_owned(), descriptor)));
            }
        }
    }
}

/// What a shell is to do so that what it starts has these descriptors from 3 on, as sd_listen_fds(3) says. They are
/// inherited from here on.
pub(crate) fn script(handed: &[Named]) -> io::Result<String> {
    // Out of the way first, behind all places and all numbers that any of them has now; then in their places.
    let highest = handed.iter().map(|(_, descriptor)| descriptor.as_raw_fd()).max().unwrap_or(0);
    let behind = usize::try_from(highest).unwrap_or(0).max(3 + handed.len()) + 1;
    let (mut away, mut back) = (String::new(), String::new());
    for (at, (_, descriptor)) in handed.iter().enumerate() {
        let number = descriptor.as_raw_fd();
        let _ = write!(away, "exec {}<&{number} {number}<&-; ", behind + at);
        let _ = write!(back, "exec {}<&{} {}<&-; ", at + 3, behind + at, behind + at);
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
    }
    Ok(away + &back + "export LISTEN_PID=$$; exec \"$@\"")
}
