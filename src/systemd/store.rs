//! The descriptor store: descriptors that the service manager keeps and passes to the next process.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use sd_notify::NotifyState;

use super::notify::{PATIENCE, Weight, send_patiently, tell};
use crate::kernel;

/// The names of all descriptors in the store: the tape, the four ends of the queue of sockets, and
/// the program.
pub const STORED: [&str; 6] = ["tape", "singles.head", "singles.tail", "batches.head", "batches.tail", PROGRAM];

/// The name of the program that has written the tape: no other can handle the inputs on it.
pub const PROGRAM: &str = "program";

/// The descriptor that was passed under this name; `None` if there is none. It stays open, for
/// [`super::sockets()`] to take.
#[must_use]
pub fn look_for(name: &str) -> Option<BorrowedFd<'static>> {
    let is_ours = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    let names = std::env::var("LISTEN_FDNAMES").ok().filter(|_| is_ours)?;
    let count: usize = std::env::var("LISTEN_FDS").ok()?.parse().ok()?;
    let index = names.split(':').take(count).position(|one| one == name)?;
    kernel::passed(index)
}

/// Whether the service manager keeps descriptors. Before systemd 254 it does not tell whether the
/// unit allows that (`FileDescriptorStoreMax=`): then this returns `true`.
#[must_use]
pub fn keeps_descriptors() -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some()
        && std::env::var("FDSTORE").map_or(true, |most| most.parse::<usize>().is_ok_and(|most| most >= STORED.len()))
}

/// Has the service manager keep descriptors under these names, and waits until it has them.
///
/// # Errors
/// Any error of sending; a time-out if the service manager does not answer within 5 s.
pub fn store(descriptors: &[(&str, BorrowedFd<'_>)]) -> io::Result<()> {
    for (name, descriptor) in descriptors {
        // Without FDPOLL=0, systemd drops a descriptor that reports a hang-up or an error, as
        // sockets sometimes do.
        let state = [NotifyState::FdStore, NotifyState::FdName(name), NotifyState::Custom("FDPOLL=0")];
        send_patiently(&state, &[*descriptor])?;
    }
    barrier()
}

/// Has the service manager drop the descriptors of these names.
pub fn forget<'a>(names: impl IntoIterator<Item = &'a str>) {
    for name in names {
        tell(&[NotifyState::FdStoreRemove, NotifyState::FdName(name)], Weight::Heavy);
    }
}

/// Waits until the service manager has handled all messages sent before (`BARRIER=1`,
/// sd_notify(3)).
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
