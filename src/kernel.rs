//! What the kernel or the processor offers and no crate wraps safely: memory that outlives a
//! process, counters of TCP connections, descriptors in messages, whether standard output was open,
//! prefetching. This is the one module with `unsafe` code; each use has its proof.
#![allow(unsafe_code, reason = "this is the module for it")]

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use nix::errno::Errno;
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

// SAFETY: the C runtime calls the functions in this section once, in the only thread, before Rust's
// runtime starts. This function uses none of the arguments that it is given, allocates nothing and
// does not unwind.
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = look_at_output;

extern "C" fn look_at_output() {
    // SAFETY: the call asks for the flags of a descriptor, which need not be open.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    OUTPUT_WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Fails if standard output was closed when the program began, as by `>&-`. Rust's runtime then
/// opens `/dev/null` in its place, so writing would succeed.
///
/// # Errors
/// Standard output was closed.
pub fn has_output() -> io::Result<()> {
    match OUTPUT_WAS_CLOSED.load(Ordering::Relaxed) {
        true => Err(io::Error::other("standard output is closed")),
        false => Ok(()),
    }
}

/// Whether an error of accept(2) is about the one connection that it would have returned. The next
/// call may succeed: the kernel passes on errors of the network in this way.
#[must_use]
pub fn is_about_one_connection(error: &io::Error) -> bool {
    let Some(code) = error.raw_os_error() else { return error.kind() == io::ErrorKind::ConnectionAborted };
    matches!(
        Errno::from_raw(code),
        Errno::ECONNABORTED
            | Errno::ECONNRESET
            | Errno::EINTR
            | Errno::EPROTO
            | Errno::EPERM
            | Errno::ENETDOWN
            | Errno::ENOPROTOOPT
            | Errno::EHOSTDOWN
            | Errno::ENONET
            | Errno::EHOSTUNREACH
            | Errno::EOPNOTSUPP
            | Errno::ENETUNREACH
            | Errno::ETIMEDOUT
    )
}

/// Whether the kernel counts its clock as synchronized to within 16 seconds, as systemd's
/// `NTPSynchronized=` does (adjtimex(2)).
///
/// # Errors
/// Any error of the system call.
pub fn is_clock_right() -> io::Result<bool> {
    const MOST_OFF: libc::c_long = 16_000_000;
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: a `timex` of zeros changes nothing (`modes` is 0), and the kernel may write to it.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    if state == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it has only numbers, for which zeros are valid values; and the kernel has filled it
    // in.
    let timex = unsafe { timex.assume_init() };
    Ok(timex.maxerror < MOST_OFF)
}

/// The most descriptors that one message can carry (`SCM_MAX_FD`, unix(7)).
pub const MOST_DESCRIPTORS: usize = 253;

/// Makes a memory file of `len` bytes (memfd_create(2)), all zero, whose length can never change. A
/// page takes memory only after it was written.
///
/// # Errors
/// Any error of the system calls.
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
/// Any error of fallocate(2).
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
/// While it is mapped, nothing else reads or writes these bytes as Rust memory:
/// - The descriptor is that of a memory file of this daemon, whose length is sealed. So every byte
///   stays there as long as the mapping (no `SIGBUS`).
/// - Other holders of the file are the service manager, which does not map it, and former processes
///   of this daemon, which are dead when the file is handed on.
/// - Within this process, [`super::net::keep::tape`] maps each part once, and the parts do not
///   overlap.
#[derive(Debug)]
pub struct Mapping {
    at: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping owns its memory, as a `Box<[u8]>` does.
unsafe impl Send for Mapping {}
// SAFETY: through a shared reference, a mapping can only be read, or be written by atomic
// operations.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes of `file`, from `at` on. `file` has `total` bytes; `at` and `len` are
    /// multiples of the page size.
    ///
    /// # Errors
    /// Any error of mmap(2); `InvalidInput` if `file` is no [memory file](is_memory_file) of
    /// `total` bytes, or the part is not within it.
    pub fn new(file: &impl AsFd, total: u64, at: u64, len: usize) -> io::Result<Self> {
        if !is_memory_file(file, total) || at.checked_add(len as u64).is_none_or(|end| end > total) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let size = NonZeroUsize::new(len).ok_or(io::ErrorKind::InvalidInput)?;
        let (prot, flags) =
            (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED | MapFlags::MAP_NORESERVE);
        let at = i64::try_from(at).map_err(io::Error::other)?;
        // SAFETY: the kernel chooses a free address, so no other mapping is touched.
        let at = unsafe { mmap(None, size, prot, flags, file, at) }?.cast();
        Ok(Self { at, len })
    }

    /// The bytes. Do not call it for a mapping whose [`Self::word`]s are used.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped, readable, initialized (zeros or what was written) and `len` long until
        // `self` is dropped; nobody writes while `self` is borrowed (see above).
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
    /// If the word is not within the mapping.
    #[must_use]
    pub fn word(&self, index: usize) -> &AtomicU64 {
        assert!((index + 1) * 8 <= self.len, "the word lies within the mapping");
        // SAFETY: within the mapping, aligned (a mapping starts at a page), and alive as long as
        // `self`.
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

/// The mapping with the two words about crashes, and the indices of these words. Set once.
static TOLD: OnceLock<(Arc<Mapping>, usize, usize)> = OnceLock::new();

/// If the process is aborted from outside while one task has taken longer than this, in
/// microseconds, that counts as a crash at the task. It is far less than the watchdog's time.
const STUCK: u64 = 1_000_000;

/// From now on, a crash of this process sets word `crashed` to 1 before the process dies. A crash
/// is a fault, an `abort`, or a `SIGABRT` from outside while word `since` is more than a second
/// old. Being killed from outside is no crash.
///
/// `since` is a time of `CLOCK_MONOTONIC` in microseconds; 0 while nothing is being done.
pub fn tell_of_crashes(words: Arc<Mapping>, crashed: usize, since: usize) {
    // Checks the indices now, so that the handler need not.
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

/// The signal handler: notes the crash, and lets the process die of it.
///
/// It uses only atomic loads and stores, clock_gettime(2) and raise(3), which are async-signal-safe
/// (signal-safety(7)). `TOLD` was set before the handler was installed, and is never unset.
extern "C" fn crashing(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid pointer.
    let code = unsafe { (*info).si_code };
    // A code of 0 or less: a process sent the signal. `SI_TKILL`: it was this process (`raise`,
    // `abort`).
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
    // SA_RESETHAND has restored the default action. A fault happens again by itself; a signal must
    // be raised again.
    if code <= 0 {
        // SAFETY: a plain system call.
        unsafe { libc::raise(signal) };
    }
}

/// Has the runtime watch a descriptor, so that a task can wait until there is something to read.
/// Call it within a runtime.
///
/// # Errors
/// Any error of the runtime.
pub fn watched(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is the same open descriptor until it is dropped; that happens after the
    // `AsyncFd`, which owns it from here on.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    watched.map_err(|error| error.into_parts().1)
}

/// The `index`th descriptor that the service manager has passed, of any kind. `None` if it is not
/// open, or was taken.
#[must_use]
pub fn handed_over(handed: &mut listenfd::ListenFd, index: usize) -> Option<OwnedFd> {
    let raw = handed.take_raw_fd(index).ok().flatten()?;
    // A descriptor that the environment announces need not be open.
    passed(index)?;
    // SAFETY: the descriptor is open, as was just checked, and `handed` gives each away once.
    Some(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// The `index`th descriptor that the service manager has passed (sd_listen_fds(3)). `None` if it is
/// not open.
#[must_use]
pub fn passed(index: usize) -> Option<BorrowedFd<'static>> {
    let raw = RawFd::try_from(index).ok()?.checked_add(3)?;
    // SAFETY: the number is not -1. Whether the descriptor is open is checked next. Nothing closes
    // it: it is taken only from this process's one `ListenFd`, and this value is used before that.
    let descriptor = unsafe { BorrowedFd::borrow_raw(raw) };
    fcntl(descriptor, FcntlArg::F_GETFD).ok().map(|_| descriptor)
}

/// Has the processor fetch `value` into its caches without waiting for it. Call it for values that
/// will be read soon and are in no cache. Does nothing on processors whose prefetching instruction
/// is not known here.
pub fn prefetch<T>(value: &T) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of::<T>()).step_by(64) {
        let at = std::ptr::from_ref(value).cast::<i8>().wrapping_add(line);
        // SAFETY: this is a hint, which neither reads nor faults, whatever the address is.
        unsafe { core::arch::x86_64::_mm_prefetch::<{ core::arch::x86_64::_MM_HINT_T0 }>(at) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = value;
}

// -- sockets -----------------------------------------------------------------------------------

/// Reads a socket option into `value`. Returns how many bytes the kernel has filled.
fn option<const LEN: usize>(socket: &impl AsFd, level: i32, name: i32, value: &mut [u8; LEN]) -> io::Result<usize> {
    let mut len = libc::socklen_t::try_from(LEN).map_err(io::Error::other)?;
    // SAFETY: `value` has room for `len` bytes, and any bytes are a valid value.
    let done =
        unsafe { libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, value.as_mut_ptr().cast(), &raw mut len) };
    Errno::result(done)?;
    Ok(usize::try_from(len).unwrap_or(0).min(LEN))
}

/// A socket's cookie: the kernel's number for it (`SO_COOKIE`, socket(7)). It is the same in every
/// process, and no other socket gets it until the next boot.
///
/// # Errors
/// Any error of getsockopt(2).
pub fn cookie(socket: &impl AsFd) -> io::Result<u64> {
    let mut value = [0; 8];
    option(socket, libc::SOL_SOCKET, libc::SO_COOKIE, &mut value)?;
    Ok(u64::from_ne_bytes(value))
}

/// Makes the next look (`MSG_PEEK`) begin at the first message of a Unix socket. Each further look
/// then begins behind the one before (`SO_PEEK_OFF`, socket(7)).
///
/// # Errors
/// Any error of setsockopt(2).
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
    Errno::result(done)?;
    Ok(())
}

/// Gives freed memory that the C library holds back to the kernel (malloc_trim(3)). That may take
/// some milliseconds.
pub fn give_back_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: any thread may call this at any time; no allocation in use moves.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// An allocation of at least this many bytes is mapped by itself, and goes back to the kernel as
/// soon as it is freed.
const LARGE: libc::c_int = 1 << 20;

/// Has the C library map each large allocation by itself, and hold little of the other memory back.
/// By default it raises its threshold to the size of the largest block freed, up to 32 MiB, and
/// holds back twice that size in each thread's heap: two threads that check passwords would keep
/// five times the memory that one check needs.
///
/// Call it before there is a second thread.
pub fn map_what_is_large() {
    #[cfg(target_env = "gnu")]
    // SAFETY: these are numbers for the allocator, which checks them; no allocation in use moves.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 * LARGE);
    }
}

/// Marks a connection as encrypted, for every process that gets it. A process that has lost its
/// secrets then still knows that it must not write plain text. The mark is a bound on unsent bytes
/// (`TCP_NOTSENT_LOWAT`, tcp(7)) that no connection reaches, so it has no other effect.
///
/// # Errors
/// Any error of setsockopt(2).
pub fn mark_as_encrypted(socket: &impl AsFd) -> io::Result<()> {
    socket2::SockRef::from(socket).set_tcp_notsent_lowat(ENCRYPTED)
}

/// Marks a connection as coming through a proxy, for every process that finds it: it begins with a
/// header of the PROXY protocol. The mark is another bound of the same kind as that of
/// [`mark_as_encrypted`].
///
/// # Errors
/// Any error of setsockopt(2).
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

/// The mark of [`mark_as_encrypted`]: near two gigabytes, and no number that another program would
/// choose.
const ENCRYPTED: u32 = 0x7fff_0304;

/// The mark of [`mark_as_proxied`].
const PROXIED: u32 = 0x7fff_0302;

mod requests {
    #![allow(missing_docs, reason = "named in tcp(7)")]
    nix::ioctl_read_bad!(unread, nix::libc::FIONREAD, nix::libc::c_int);
    nix::ioctl_read_bad!(unacknowledged, nix::libc::TIOCOUTQ, nix::libc::c_int);
}

/// How many bytes a TCP socket has taken that its peer has not acknowledged (`SIOCOUTQ`, tcp(7)).
///
/// # Errors
/// Any error of ioctl(2).
pub fn unacknowledged(socket: &impl AsFd) -> io::Result<u64> {
    let mut waiting: libc::c_int = 0;
    // SAFETY: the request writes one `c_int`.
    unsafe { requests::unacknowledged(socket.as_fd().as_raw_fd(), &raw mut waiting) }?;
    Ok(u64::try_from(waiting).unwrap_or(0))
}

/// The kernel's counts for a TCP connection, since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The connection was reset, or both sides have closed it: the counts mean nothing any more.
    pub dead: bool,
    /// Our side has ended its output.
    pub finished: bool,
    /// How many bytes the socket has taken from us.
    pub taken: u64,
    /// How many bytes were read from the socket.
    pub read: u64,
}

/// Values of `tcpi_state` in `tcp_info` (include/net/tcp_states.h in the kernel's source).
mod state {
    pub(super) const FIN_WAIT1: u8 = 4;
    pub(super) const FIN_WAIT2: u8 = 5;
    pub(super) const TIME_WAIT: u8 = 6;
    pub(super) const CLOSE: u8 = 7;
    pub(super) const CLOSE_WAIT: u8 = 8;
    pub(super) const LAST_ACK: u8 = 9;
    pub(super) const CLOSING: u8 = 11;
}

/// Offsets of `tcpi_bytes_acked` and `tcpi_bytes_received` in `struct tcp_info`, in bytes.
const ACKED: usize = 120;
const RECEIVED: usize = 128;

/// The counts for a TCP connection. This process must not write to it or read from it meanwhile.
///
/// The socket has taken the bytes that are acknowledged, and those that are not yet. The bytes read
/// are those that came, less those that still wait to be read. The peer may go on meanwhile: so the
/// kernel is asked again until nothing has changed between two answers.
///
/// # Errors
/// Any error of getsockopt(2) and ioctl(2).
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
        // A side's FIN counts as one byte, acknowledged or not.
        taken: (number(ACKED) + waiting).saturating_sub(u64::from(finished)),
        read: number(RECEIVED).saturating_sub(unread).saturating_sub(u64::from(peer_finished)),
    })
}

// -- descriptors in messages -------------------------------------------------------------------

/// Sends at most [`MOST_DESCRIPTORS`] descriptors in one message of one byte. Does not wait.
///
/// # Errors
/// Any error of sendmsg(2); `WouldBlock` if the queue is full.
pub fn send_descriptors(socket: &impl AsFd, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let raw: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let rights = [ControlMessage::ScmRights(&raw)];
    sendmsg::<()>(socket.as_fd().as_raw_fd(), &[IoSlice::new(&[0])], &rights, flags, None)?;
    Ok(())
}

/// The descriptors of a message.
#[derive(Debug)]
pub struct Carried {
    /// The descriptors that this process could open.
    pub descriptors: Vec<OwnedFd>,
    /// Whether the message has more descriptors, which this process could not open (`MSG_CTRUNC`,
    /// recv(2)).
    pub cut_off: bool,
}

/// Looks at the next message with descriptors, without taking it. `None` if there is none.
///
/// # Errors
/// Any error of recvmsg(2).
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

/// A message as its sender made it, and its sender.
#[derive(Debug)]
pub struct Handed {
    /// The length of the message in bytes. It may be longer than the buffer was.
    pub len: usize,
    /// The descriptors that this process could open.
    pub descriptors: Vec<OwnedFd>,
    /// Whether the message has more descriptors, which this process could not open (`MSG_CTRUNC`,
    /// recv(2)).
    pub cut_off: bool,
    /// The user id of the sender, as the kernel knows it (`SCM_CREDENTIALS`, unix(7)). `None` if
    /// the socket is not set to tell it.
    pub uid: Option<u32>,
}

/// Looks at the first message of a datagram socket, without taking it, and copies its bytes into
/// `bytes`. `None` if there is none.
///
/// # Errors
/// Any error of recvmsg(2).
pub fn peek_handed(socket: &impl AsFd, bytes: &mut [u8]) -> io::Result<Option<Handed>> {
    // Room for more descriptors than the one that there should be. Otherwise a wrong message with
    // several could not be told from one that was cut off.
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

/// Takes the first message away, and closes its descriptors. Returns whether there was one.
///
/// # Errors
/// Any error of recv(2).
pub fn drop_message(socket: &impl AsFd) -> io::Result<bool> {
    match nix::sys::socket::recv(socket.as_fd().as_raw_fd(), &mut [0], MsgFlags::MSG_DONTWAIT) {
        Ok(count) => Ok(count > 0),
        Err(Errno::EAGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
