//! One queue of messages: the two ends of a Unix socket, and the descriptors in flight between
//! them.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use socket2::SockRef;

use crate::kernel::{self, Carried, MOST_DESCRIPTORS};

/// Bytes for messages in flight (`SO_SNDBUF`, socket(7)): the most that an unprivileged process
/// gets by default (`net.core.wmem_max`). The kernel doubles the number, and counts 768 bytes for a
/// message: that is room for 554 messages, twice as many as without asking.
const ROOM: usize = 212_992;

/// A queue of messages, which are sent at its tail and received at its head.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) head: OwnedFd,
    pub(super) tail: OwnedFd,
    /// How many messages are in the queue.
    pub(super) messages: usize,
}

impl Pair {
    pub(super) fn new() -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let (head, tail) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        // If the system allows less, the queue is gathered more often.
        let _ = SockRef::from(&tail).set_send_buffer_size(ROOM);
        Ok(Self { head, tail, messages: 0 })
    }

    pub(super) fn send(&mut self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        kernel::send_descriptors(&self.tail, descriptors)?;
        self.messages += 1;
        Ok(())
    }

    pub(super) fn send_all(&mut self, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        descriptors.chunks(MOST_DESCRIPTORS).try_for_each(|some| self.send(some))
    }

    /// Looks at the first `most` messages, one after another, and calls `see` with the descriptors
    /// of each. Only the descriptors of one message are open at a time, and those that `see` keeps.
    /// Returns how many messages there were.
    pub(super) fn each(&self, most: usize, mut see: impl FnMut(Carried) -> io::Result<()>) -> io::Result<usize> {
        kernel::look_from_start(&self.head)?;
        let mut messages = 0;
        while messages < most
            && let Some(carried) = kernel::peek_descriptors(&self.head)?
        {
            messages += 1;
            see(carried)?;
        }
        Ok(messages)
    }

    /// The descriptors in the first messages for which `is_wanted` is true. Stops after `most`
    /// messages, or when there are enough descriptors to fill a message. Returns also how many
    /// messages it looked at.
    ///
    /// # Errors
    /// Any error of the system calls; and `EMFILE` if this process cannot open all descriptors of a
    /// message: the others would be lost.
    pub(super) fn front(
        &self,
        most: usize,
        mut is_wanted: impl FnMut(&OwnedFd) -> bool,
    ) -> io::Result<(usize, Vec<OwnedFd>)> {
        kernel::look_from_start(&self.head)?;
        let (mut messages, mut descriptors) = (0, Vec::new());
        while messages < most
            && descriptors.len() < MOST_DESCRIPTORS
            && let Some(carried) = kernel::peek_descriptors(&self.head)?
        {
            if carried.cut_off {
                return Err(nix::errno::Errno::EMFILE.into());
            }
            messages += 1;
            descriptors.extend(carried.descriptors.into_iter().filter(&mut is_wanted));
        }
        Ok((messages, descriptors))
    }

    pub(super) fn drop_messages(&mut self, count: usize) -> io::Result<()> {
        for _ in 0..count {
            if !kernel::drop_message(&self.head)? {
                break;
            }
            self.messages = self.messages.saturating_sub(1);
        }
        Ok(())
    }
}
