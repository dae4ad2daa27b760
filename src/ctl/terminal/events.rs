//! Waiting for what can happen at a terminal: keys, another size, Ctrl-Z from elsewhere, and an answer that a thread has
//! got meanwhile.

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

/// How long Escape waits for the rest of a sequence, over a slow line. vim waits as long by default over ssh.
const ESCAPE: Duration = Duration::from_millis(100);

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ctl) enum Event {
    Key(Key),
    /// The terminal has another size.
    Resized,
    /// Somebody wants the program to stop (SIGTSTP).
    Stop,
    /// The program was stopped, and goes on.
    Continued,
    /// A thread has something to say.
    Woken,
    /// The time is over.
    Due,
    /// The terminal is gone.
    Gone,
}

/// Says that there is something, from another thread.
#[derive(Debug)]
pub(in crate::ctl) struct Waker(UnixStream);

impl Waker {
    pub(in crate::ctl) fn wake(&self) {
        // A full buffer wakes as well.
        let _ = (&self.0).write(&[0]);
    }
}

/// What can be waited for.
pub(in crate::ctl) struct Events {
    signals: SignalFd,
    woken: UnixStream,
    waker: Option<Waker>,
    typed: Typed,
    ready: VecDeque<Event>,
}

impl Events {
    /// To be called while there is one thread: others inherit that the signals wait here.
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

    /// What wakes this from another thread; there is one.
    pub(in crate::ctl) fn waker(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    /// Waits until something happens, or it is `due`.
    pub(in crate::ctl) fn next(&mut self, due: Option<Instant>) -> io::Result<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let waits = self.typed.waits();
            let escape = waits.then(|| Instant::now() + ESCAPE);
            let until = due.into_iter().chain(escape).min();
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // In whole milliseconds, none of them less than there are.
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

    fn read_keys(&mut self) -> io::Result<()> {
        // Not by `Stdin`, which reads ahead: what it holds, poll(2) does not tell of.
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
