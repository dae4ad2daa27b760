//! The descriptor store.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use sd_notify::NotifyState;

use super::notify::{PATIENCE, Weight, send_patiently, tell};
use crate::kernel;

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
