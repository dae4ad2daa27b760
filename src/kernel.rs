//! What the kernel or the processor offers and no crate wraps safely: memory that outlives a process, counters of a TCP
//! connection, descriptors in messages, whether standard output was open, prefetching. The one module with `unsafe`
//! code; each use has its proof.
#![allow(unsafe_code, reason = "this is the module for it")]

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Whether standard output was closed when the program began.
static OUTPUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: the C runtime calls what stands in this section once, in the only thread, before Rust's runtime does
// anything. The function takes none of the arguments that it is given, allocates nothing and does not unwind.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = look_at_output;

extern "C" fn look_at_output() {
    // SAFETY: the call asks for the flags of a descriptor, which need not be open.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    OUTPUT_WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// An error if standard output was closed when the program began, as by `>&-`. Rust's runtime opens `/dev/null` in its
/// place, so that writing would succeed.
///
/// # Errors
/// If standard output was closed.
pub fn has_output() -> io::Result<()> {
    match OUTPUT_WAS_CLOSED.load(Ordering::Relaxed) {
        true => Err(io::Error::other("standard output is closed")),
        false => Ok(()),
    }
}

/// Whether the kernel takes its clock for right, within 16 seconds, as systemd's `NTPSynchronized=` does (adjtimex(2)).
///
/// # Errors
/// Those of the system call.
pub fn is_clock_right() -> io::Result<bool> {
    const MOST_OFF: libc::c_long = 16_000_000;
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: a `timex` of zeros is one that changes nothing (`modes` is 0), and it is there to be written to.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    if state == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it consists of numbers, for which zeros are values as any others are; the kernel has filled it in.
    let timex = unsafe { timex.assume_init() };
    Ok(timex.maxerror < MOST_OFF)
}

/// The most descriptors that one message can carry (`SCM_MAX_FD`, unix(7)).
pub const MOST_DESCRIPTORS: usize = 253;

/// Makes a memory file of `len` bytes (memfd_create(2)), all zero, whose length can never change. A byte takes no
/// memory before its page is written.
///
/// # Errors
/// Those of the system calls.
pub fn memory_file(name: &str, len: u64) -> io::Result<OwnedFd> {
    let file = memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
    nix::unistd::ftruncate(&file, i64::try_from(len).map_err(io::Error::other)?)?;
    fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
    Ok(file)
}

const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW).union(SealFlag::F_SEAL_SEAL);

/// Whether `file` is a memory file of `len` bytes whose length can never change.
#[must_use]
pub fn is_memory_file(file: &impl AsFd, len: u64) -> bool {
    let sealed =
        fcntl(file, FcntlArg::F_GET_SEALS).is_ok_and(|seals| SealFlag::from_bits_retain(seals).contains(SEALS));
    sealed && nix::sys::stat::fstat(file).is_ok_and(|stat| u64::try_from(stat.st_size) == Ok(len))
}

/// Gives the memory of a part of a memory file back to the kernel. That part then reads as zeros.
///
/// # Errors
/// Those of fallocate(2).
pub fn give_back(file: &impl AsFd, at: u64, len: u64) -> io::Result<()> {
    if len == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    let (at, len) = (i64::try_from(at).map_err(io::Error::other)?, i64::try_from(len).map_err(io::Error::other)?);
    Ok(fallocate(file, flags, at, len)?)
}

/// A part of a memory file, mapped.
///
/// Nothing else reads or writes these bytes as Rust memory meanwhile, for these reasons:
/// * a mapping is made from a descriptor of our own memory file, whose length is sealed, so every byte of it stays
///   there for as long as the mapping (no `SIGBUS`);
/// * the processes that hold the same file are the service manager, which does not map it, and former instances of this
///   daemon, which are dead when the file is handed on;
/// * within this process, [`super::net::keep::tape`] maps each part once, and parts do not overlap.
#[derive(Debug)]
pub struct Mapping {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping owns its memory, as a `Box<[u8]>` does.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference a mapping can only be read, or written by atomic operations.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes of `file`, which has `total` bytes, from `at` on. `at` and `len` are multiples of the page
    /// size.
    ///
    /// # Errors
    /// Those of mmap(2). `InvalidInput` if [`is_memory_file`] is false for `file`, or the part does not lie within it.
    pub fn new(file: &impl AsFd, total: u64, at: u64, len: usize) -> io::Result<Self> {
        if !is_memory_file(file, total) || at.checked_add(len as u64).is_none_or(|end| end > total) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let size = NonZeroUsize::new(len).ok_or(io::ErrorKind::InvalidInput)?;
        let (prot, flags) =
            (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED | MapFlags::MAP_NORESERVE);
        let at = i64::try_from(at).map_err(io::Error::other)?;
        // SAFETY: the kernel chooses a free address, so nothing that is mapped already is touched.
        let at = unsafe { mmap(None, size, prot, flags, file, at) }?.cast();
        Ok(Self { at, len })
    }

    /// The bytes. Not for a mapping whose [`Self::word`]s are used.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped, readable, initialized (zeros or what was written) and `len` long until `self`
        // is dropped; nobody writes while `self` is borrowed (see above).
        unsafe { std::slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }

    /// The bytes, to be written.
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }

    /// The `index`th word of 8 bytes, for atomic operations only.
    ///
    /// # Panics
    /// If the word lies behind the end.
    #[must_use]
    pub fn word(&self, index: usize) -> &AtomicU64 {
        assert!((index + 1) * 8 <= self.len, "the word lies within the mapping");
        // SAFETY: within the mapping, aligned (a mapping starts at a page), and alive as long as `self`.
        unsafe { AtomicU64::from_ptr(self.at.as_ptr().cast::<u64>().add(index)) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the memory was mapped with this length, and nothing borrows it any more.
        let _ = unsafe { munmap(self.at.cast(), self.len) };
    }
}

// -- crashes -----------------------------------------------------------------------------------

/// The mapping with the words that tell of a crash, and the numbers of the two words. Set once.
static TOLD: OnceLock<(Arc<Mapping>, usize, usize)> = OnceLock::new();

/// How long something may take, in microseconds, before being stopped from outside counts as a crash at it: far less
/// than a watchdog waits.
const STUCK: u64 = 1_000_000;

/// From now on, a crash of this process sets word `crashed` to 1 before the process dies. A crash is a fault, `abort`,
/// or a `SIGABRT` from outside while word `since` is more than a second old. Being killed from outside is no crash.
///
/// `since` holds microseconds of `CLOCK_MONOTONIC`; 0 while nothing is being done.
pub fn tell_of_crashes(words: Arc<Mapping>, crashed: usize, since: usize) {
    // Checks the numbers now, so that the handler need not.
    let _ = (words.word(crashed), words.word(since));
    if TOLD.set((words, crashed, since)).is_err() {
        return;
    }
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_RESETHAND;
    let action = SigAction::new(SigHandler::SigAction(crashing), flags, SigSet::empty());
    for signal in [Signal::SIGABRT, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGSEGV] {
        // SAFETY: the handler does only what is safe in a signal handler: see `crashing`.
        let _ = unsafe { sigaction(signal, &action) };
    }
}

/// Notes the crash, and lets the process die of it.
///
/// Calls only atomic loads and stores, clock_gettime(2) and raise(3), which are async-signal-safe (signal-safety(7)).
/// `TOLD` was set before this handler was installed, and is never unset.
extern "C" fn crashing(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid pointer.
    let code = unsafe { (*info).si_code };
    // A code of 0 or less says that a process sent the signal; `SI_TKILL` that it was this one (`raise`, `abort`).
    let from_outside = code <= 0 && code != libc::SI_TKILL;
    if let Some((words, crashed, since)) = TOLD.get() {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: `now` has room for the answer.
        unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
        let micros = now.tv_sec.cast_unsigned().wrapping_mul(1_000_000) + now.tv_nsec.cast_unsigned() / 1000;
        let since = words.word(*since).load(Ordering::Relaxed);
        if !from_outside || (since != 0 && micros.wrapping_sub(since) > STUCK) {
            words.word(*crashed).store(1, Ordering::Relaxed);
        }
    }
    // The default action is in force again (SA_RESETHAND). A fault happens again by itself, a signal does not.
    if code <= 0 {
        // SAFETY: a plain system call.
        unsafe { libc::raise(signal) };
    }
}

/// A descriptor that a task can wait for until there is something to read. Call it within a runtime.
///
/// # Errors
/// Those of the runtime.
pub fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is the same open descriptor until it is dropped, which happens behind the
    // `AsyncFd` that owns it from here on.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    watched.map_err(|error| error.into_parts().1)
}

/// The `index`th descriptor that the service manager has passed, of whatever kind; `None` if it is not open or was
/// taken.
#[must_use]
pub fn handed_over(handed: &mut listenfd::ListenFd, index: usize) -> Option<OwnedFd> {
    let raw = handed.take_raw_fd(index).ok().flatten()?;
    // A descriptor that was announced may not be open.
    passed(index)?;
    // SAFETY: the descriptor is open, as was just checked, and `handed` gives each away once.
    Some(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The `index`th descriptor that the service manager has passed (sd_listen_fds(3)), if it is still there.
#[must_use]
pub fn passed(index: usize) -> Option<BorrowedFd<'static>> {
    let raw = RawFd::try_from(index).ok()?.checked_add(3)?;
    // SAFETY: the number is not -1. Whether it is open is checked next, and nothing closes it: it is taken only from
    // this process's one `ListenFd`, and this value is used before that.
    let descriptor = unsafe { BorrowedFd::borrow_raw(raw) };
    fcntl(descriptor, FcntlArg::F_GETFD).ok().map(|_| descriptor)
}

/// Has the processor fetch `value` into its caches, while it goes on with something else: for values that will soon be
/// read and are in no cache. Does nothing on processors whose instruction for it is not known here.
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of::<T>()).step_by(64) {
        let at = std::ptr::from_ref(value).cast::<i8>().wrapping_add(line);
        // SAFETY: a hint, which neither reads nor faults, whatever the address.
        unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

// -- sockets -----------------------------------------------------------------------------------

/// Reads a socket option into `value`. Returns how many bytes the kernel filled.
fn option<const LEN: usize>(socket: &impl AsFd, level: i32, name: i32, value: &mut [u8; LEN]) -> io::Result<usize> {
    let mut len = libc::socklen_t::try_from(LEN).map_err(io::Error::other)?;
    // SAFETY: `value` has room for `len` bytes, and any bytes are a valid value.
    let done =
        unsafe { libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len) };
    nix::errno::Errno::result(done)?;
    Ok(usize::try_from(len).unwrap_or(0).min(LEN))
}

/// The kernel's number for a socket (`SO_COOKIE`, socket(7)). It is the same in every process, and no other socket gets
/// it until the next boot.
///
/// # Errors
/// Those of getsockopt(2).
pub fn cookie(socket: &impl AsFd) -> io::Result<u64> {
    let mut value = [0; 8];
    option(socket, libc::SOL_SOCKET, libc::SO_COOKIE, &mut value)?;
    Ok(u64::from_ne_bytes(value))
}

/// Makes the next look (`MSG_PEEK`) begin at the first message of a Unix socket, and each further look behind the last
/// one (`SO_PEEK_OFF`, socket(7)).
///
/// # Errors
/// Those of setsockopt(2).
pub fn look_from_start(socket: &impl AsFd) -> io::Result<()> {
    let start: libc::c_int = 0;
    let len = libc::socklen_t::try_from(size_of_val(&start)).map_err(io::Error::other)?;
    // SAFETY: `start` is valid and has `len` bytes.
    let done = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEEK_OFF,
            (&raw const start).cast(),
            len,
        )
    };
    nix::errno::Errno::result(done)?;
    Ok(())
}

/// Gives freed memory that the C library keeps for later back to the kernel (malloc_trim(3)). That may take some
/// milliseconds.
pub fn give_back_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: any thread may call this at any time; nothing in use moves.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// An allocation of at least this many bytes is mapped on its own, and given back when it is freed.
const LARGE: libc::c_int = 1 << 20;

/// Has the C library map large allocations on their own, and hold back little of the rest. By default it raises its
/// threshold to the size of what was freed before, up to 32 MiB, and holds back twice as much of each thread's heap:
/// two threads that check passwords would keep five times what checking one takes.
///
/// Call it before there is a second thread.
pub fn map_what_is_large() {
    #[cfg(target_env = "gnu")]
    // SAFETY: these are numbers for the allocator, which checks them; nothing in use moves.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE);
    }
}

/// Marks a connection as encrypted, for every process that gets it: what is written into it must be sealed, also by a
/// process that knows nothing else of it. The mark is a bound for unsent bytes (`TCP_NOTSENT_LOWAT`, tcp(7)) that no
/// connection reaches, so it has no other effect.
///
/// # Errors
/// Those of setsockopt(2).
pub fn mark_as_encrypted(socket: &impl AsFd) -> io::Result<()> {
    socket2::SockRef::from(socket).set_tcp_notsent_lowat(ENCRYPTED)
}

/// Marks a connection as one of a proxy, for a process that finds it: it begins with a header that says whose it is.
/// The mark is another bound of the kind of [`mark_as_encrypted`].
///
/// # Errors
/// Those of setsockopt(2).
pub fn mark_as_proxied(socket: &impl AsFd) -> io::Result<()> {
    socket2::SockRef::from(socket).set_tcp_notsent_lowat(PROXIED)
}

/// Whether [`mark_as_proxied`] was called for the connection.
#[must_use]
pub fn is_marked_as_proxied(socket: &impl AsFd) -> bool {
    socket2::SockRef::from(socket).tcp_notsent_lowat().is_ok_and(|bound| bound == PROXIED)
}

/// Whether [`mark_as_encrypted`] was called for the connection.
#[must_use]
pub fn is_marked_as_encrypted(socket: &impl AsFd) -> bool {
    socket2::SockRef::from(socket).tcp_notsent_lowat().is_ok_and(|bound| bound == ENCRYPTED)
}

/// See [`mark_as_encrypted`]: near two gigabytes, and no number that anybody else would choose.
const ENCRYPTED: u32 = 0x7fff_0304;

/// See [`mark_as_proxied`].
const PROXIED: u32 = 0x7fff_0302;

mod requests {
    #![allow(missing_docs, reason = "named in tcp(7)")]
    nix::ioctl_read_bad!(unread, nix::libc::FIONREAD, nix::libc::c_int);
    nix::ioctl_read_bad!(unacknowledged, nix::libc::TIOCOUTQ, nix::libc::c_int);
}

/// How many bytes a TCP socket has taken and its peer has not acknowledged (`SIOCOUTQ`, tcp(7)).
///
/// # Errors
/// Those of ioctl(2).
pub fn unacknowledged(socket: &impl AsFd) -> io::Result<u64> {
    let mut waiting: libc::c_int = 0;
    // SAFETY: the request writes one `c_int`.
    unsafe { requests::unacknowledged(socket.as_fd().as_raw_fd(), &raw mut waiting) }?;
    Ok(u64::try_from(waiting).unwrap_or(0))
}

/// The kernel's counts for a TCP connection since it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The connection was reset, or both sides are closed: the counts say nothing any more.
    pub dead: bool,
    /// We have ended our side.
    pub finished: bool,
    /// How many bytes the socket has taken from us.
    pub taken: u64,
    /// How many bytes were read from the socket.
    pub read: u64,
}

/// States in `tcp_info` (include/net/tcp_states.h in the kernel's source).
mod state {
    pub(super) const FIN_WAIT1: u8 = 4;
    pub(super) const FIN_WAIT2: u8 = 5;
    pub(super) const TIME_WAIT: u8 = 6;
    pub(super) const CLOSE: u8 = 7;
    pub(super) const CLOSE_WAIT: u8 = 8;
    pub(super) const LAST_ACK: u8 = 9;
    pub(super) const CLOSING: u8 = 11;
}

/// Where `tcpi_bytes_acked` and `tcpi_bytes_received` stand in `struct tcp_info`, in bytes.
const ACKED: usize = 120;
const RECEIVED: usize = 128;

/// The counts for a TCP connection that nobody writes to or reads from meanwhile.
///
/// The socket has taken the bytes that are acknowledged and those that wait for that. The bytes that were read are
/// those that came, less those that wait to be read. The peer goes on meanwhile: so the kernel is asked until nothing
/// has changed in between.
///
/// # Errors
/// Those of getsockopt(2) and ioctl(2).
pub fn counted(socket: &impl AsFd) -> io::Result<Counted> {
    let fd = socket.as_fd().as_raw_fd();
    let ask = |info: &mut [u8; 232]| match option(socket, libc::IPPROTO_TCP, libc::TCP_INFO, info)? {
        filled if filled < RECEIVED + 8 => Err(io::Error::from(io::ErrorKind::Unsupported)),
        _ => Ok(()),
    };
    let (mut before, mut after) = ([0; 232], [0; 232]);
    let mut unread: libc::c_int = 0;
    ask(&mut before)?;
    let waiting = loop {
        let waiting = unacknowledged(socket)?;
        // SAFETY: the request writes one `c_int`.
        unsafe { requests::unread(fd, &raw mut unread) }?;
        ask(&mut after)?;
        if before[0] == after[0] && before[ACKED..RECEIVED + 8] == after[ACKED..RECEIVED + 8] {
            break waiting;
        }
        before = after;
    };
    let number = |at: usize| after[at..at + 8].try_into().map_or(0, u64::from_ne_bytes);
    let unread = u64::try_from(unread).unwrap_or(0);
    let state = after[0];
    let finished =
        matches!(state, state::FIN_WAIT1 | state::FIN_WAIT2 | state::CLOSING | state::LAST_ACK | state::TIME_WAIT);
    let peer_finished = matches!(state, state::CLOSE_WAIT | state::LAST_ACK | state::CLOSING | state::TIME_WAIT);
    Ok(Counted {
        dead: state == state::CLOSE,
        finished,
        // The FIN of a side counts as one byte, acknowledged or not.
        taken: (number(ACKED) + waiting).saturating_sub(u64::from(finished)),
        read: number(RECEIVED).saturating_sub(unread).saturating_sub(u64::from(peer_finished)),
    })
}

// -- descriptors in messages -------------------------------------------------------------------

/// Sends at most [`MOST_DESCRIPTORS`] descriptors in one message of one byte, without waiting.
///
/// # Errors
/// Those of sendmsg(2); `WouldBlock` if the queue is full.
pub fn send_descriptors(socket: &impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let rights = [ControlMessage::ScmRights(&raw)];
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &[IoSlice::new(&[0])], &rights, flags, None)?;
    Ok(())
}

/// What a message carries.
#[derive(Debug)]
pub struct Carried {
    /// The message's descriptors, as many as this process may open.
    pub descriptors: Vec<OwnedFd>,
    /// Whether the message carries more: this process may have no more open (`MSG_CTRUNC`, recv(2)).
    pub cut_off: bool,
}

/// Looks at the next message with descriptors, without taking it; `None` if there is none.
///
/// # Errors
/// Those of recvmsg(2).
pub fn peek_descriptors(socket: &impl AsFd) -> io::Result<Option<Carried>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let message = match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, flags) {
        Ok(message) if message.bytes == 0 => return Ok(None),
        Ok(message) => message,
        Err(rustix::io::Errno::AGAIN) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut descriptors = Vec::new();
    for control in control.drain() {
        if let RecvAncillaryMessage::ScmRights(some) = control {
            descriptors.extend(some);
        }
    }
    Ok(Some(Carried { descriptors, cut_off: message.flags.contains(ReturnFlags::CTRUNC) }))
}

/// A message with what its sender has put into it, and who the sender is.
#[derive(Debug)]
pub struct Handed {
    /// How many bytes it has: more than were asked for if it is longer.
    pub len: usize,
    /// Its descriptors, as many as this process may open.
    pub descriptors: Vec<OwnedFd>,
    /// Whether it carries more descriptors than this process may open (`MSG_CTRUNC`, recv(2)).
    pub cut_off: bool,
    /// The user who has sent it, as the kernel knows them (`SCM_CREDENTIALS`, unix(7)); `None` if the socket is not set
    /// to say so.
    pub uid: Option<u32>,
}

/// Looks at the first message of a datagram socket, without taking it, and puts its bytes into `bytes`; `None` if there
/// is none.
///
/// # Errors
/// Those of recvmsg(2).
pub fn peek_handed(socket: &impl AsFd, bytes: &mut [u8]) -> io::Result<Option<Handed>> {
    // Room for more than the one descriptor that there should be: a message that was cut off could not be told from one
    // that is wrong.
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4), ScmCredentials(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC | RecvFlags::TRUNC;
    let message = match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(bytes)], &mut control, flags) {
        Ok(message) => message,
        Err(rustix::io::Errno::AGAIN) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let cut_off = message.flags.contains(ReturnFlags::CTRUNC);
    let mut handed = Handed { len: message.bytes, descriptors: Vec::new(), cut_off, uid: None };
    for control in control.drain() {
        match control {
            RecvAncillaryMessage::ScmRights(some) => handed.descriptors.extend(some),
            RecvAncillaryMessage::ScmCredentials(sender) => handed.uid = Some(sender.uid.as_raw()),
            _ => {}
        }
    }
    Ok(Some(handed))
}

/// Takes the first message away, with its descriptors. Returns whether there was one.
///
/// # Errors
/// Those of recv(2).
pub fn drop_message(socket: &impl AsFd) -> io::Result<bool> {
    match nix::sys::socket::recv(socket.as_fd().as_raw_fd(), &mut [0], MsgFlags::MSG_DONTWAIT) {
        Ok(count) => Ok(count > 0),
        Err(nix::errno::Errno::EAGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
