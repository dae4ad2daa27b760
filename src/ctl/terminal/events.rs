//! Waits for events at a terminal: keys, a new size, a stop from outside (SIGTSTP), and a wake-up
//! by another thread that has an answer.

use std::collections::VecDeque;
use std::io::{self, Write as _, stdin};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use super::key::{Key, Typed};

/// How long to wait after an Escape byte for the rest of a sequence, on a slow line. vim waits as
/// long over ssh by default.
const ESCAPE: Duration = Duration::from_millis(100);

/// An event at the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ctl) enum Event {
    Key(Key),
    /// The terminal has a new size (SIGWINCH).
    Resized,
    /// Another process asks the program to stop (SIGTSTP).
    Stop,
    /// The program was stopped and now runs again (SIGCONT).
    Continued,
    /// Another thread has called [`Waker::wake`].
    Woken,
    /// The time given to [`Events::next`] has come.
    Due,
    /// The terminal was closed.
    Gone,
}

/// Wakes [`Events::next`] from another thread.
#[derive(Debug)]
pub(in crate::ctl) struct Waker(UnixStream);

impl Waker {
    /// Causes one [`Event::Woken`]; several calls may cause only one.
    pub(in crate::ctl) fn wake(&self) {
        // If the buffer is full, a wake-up is under way already.
        let _ = (&self.0).write(&[0]);
    }
}

/// The sources of events: standard input, three signals, and another thread.
pub(in crate::ctl) struct Events {
    signals: SignalFd,
    woken: UnixStream,
    waker: Option<Waker>,
    typed: Typed,
    ready: VecDeque<Event>,
}

impl Events {
    /// Blocks the signals SIGWINCH, SIGTSTP and SIGCONT to read them from a file descriptor. Call
    /// this while the program has only one thread, so that later ones inherit the mask.
    pub(in crate::ctl) fn new() -> io::Result<Self> {
        let mut awaited = SigSet::empty();
        [Signal::SIGWINCH, Signal::SIGTSTP, Signal::SIGCONT].into_iter().for_each(|signal| awaited.add(signal));
        awaited.thread_block()?;
        let signals = SignalFd::with_flags(&awaited, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        let (waker, woken) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        waker.set_nonblocking(true)?;
        Ok(Self { signals, woken, waker: Some(Waker(waker)), typed: Typed::default(), ready: VecDeque::new() })
    }

    /// The waker to give to another thread; `None` after the first call.
    pub(in crate::ctl) fn waker(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    /// Waits for the next event, or returns [`Event::Due`] at the time `due`.
    pub(in crate::ctl) fn next(&mut self, due: Option<Instant>) -> io::Result<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let waits = self.typed.waits();
            let escape = waits.then(|| Instant::now() + ESCAPE);
            let until = due.into_iter().chain(escape).min();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // Rounded up to whole milliseconds, so that poll(2) does not return too early.
            let left = left.map(|left| left + Duration::from_micros(999));
            let wait = left.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
            let input = stdin();
            let mut all = [
                PollFd::new(input.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.woken.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut all, wait) {
                Err(Errno::EINTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
            let told = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
            let (keys, signals, woken) = (told(&all[0]), told(&all[1]), told(&all[2]));
            if signals {
                self.read_signals()?;
            }
            if woken {
                let mut bytes = [0; 64];
                while matches!(nix::unistd::read(&self.woken, &mut bytes), Ok(1..)) {}
                self.ready.push_back(Event::Woken);
            }
            if keys {
                self.read_keys()?;
            } else if waits && escape.is_some_and(|escape| escape <= Instant::now()) {
                self.ready.extend(self.typed.nothing_follows().map(Event::Key));
            }
            if self.ready.is_empty() && due.is_some_and(|due| due <= Instant::now()) {
                return Ok(Event::Due);
            }
        }
    }

    /// Turns the signals that have arrived into events.
    fn read_signals(&mut self) -> io::Result<()> {
        while let Some(signal) = self.signals.read_signal()? {
            let event = match i32::try_from(signal.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok()) {
                Some(Signal::SIGWINCH) => Event::Resized,
                Some(Signal::SIGTSTP) => Event::Stop,
                Some(Signal::SIGCONT) => Event::Continued,
                _ => continue,
            };
            self.ready.push_back(event);
        }
        Ok(())
    }

    /// Reads the bytes of standard input and turns them into key events.
    fn read_keys(&mut self) -> io::Result<()> {
        // Not through `Stdin`, which reads ahead into its own buffer, and poll(2) knows nothing of
        // that.
        let mut bytes = [0; 1024];
        match nix::unistd::read(stdin(), &mut bytes) {
            Ok(0) | Err(Errno::EIO) => self.ready.push_back(Event::Gone),
            Ok(read) => self.ready.extend(self.typed.take(&bytes[..read]).into_iter().map(Event::Key)),
            Err(Errno::EINTR | Errno::EAGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}
