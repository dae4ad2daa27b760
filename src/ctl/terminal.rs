//! The terminal: how large it is, and how its input works.

use std::io::{self, IsTerminal as _, Read as _, stdin};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::print::screen::Screen;

/// The size of the terminal that standard output is, if it is one.
pub(super) fn size() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size_of(io::stdout())?;
    Some((columns.0.into(), rows.0.into()))
}

/// Whether somebody sits there who can look at it and quit it.
pub(super) fn is_watched() -> bool {
    stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal without echo and line editing, on the alternate screen; put back when dropped.
pub(super) struct Raw {
    saved: Termios,
}

impl Raw {
    pub(super) fn enter(to: &mut Screen<'_>) -> io::Result<Self> {
        let saved = tcgetattr(stdin())?;
        let mut raw = saved.clone();
        // Without ISIG ^C arrives as a byte, so that the way out always leads past `leave`.
        raw.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
        tcsetattr(stdin(), SetArg::TCSADRAIN, &raw)?;
        let entered = Self { saved };
        to.verbatim("\x1b[?1049h\x1b[?25l")?;
        Ok(entered)
    }

    pub(super) fn leave(self, to: &mut Screen<'_>) -> io::Result<()> {
        to.verbatim("\x1b[?25h\x1b[?1049l")?;
        to.flush()
    }

    /// Waits for `interval` or for a key. Returns whether it was one that quits.
    pub(super) fn quits(&self, interval: Duration) -> io::Result<bool> {
        let end = Instant::now() + interval;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let wait = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            let input = stdin();
            match poll(&mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)], wait) {
                // A resize, or being brought back to the foreground: draw again at once.
                Ok(0) | Err(nix::errno::Errno::EINTR) => return Ok(false),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut key = [0];
            let read = input.lock().read(&mut key)?;
            if read == 0 || matches!(key[0], b'q' | b'Q' | 3 | 4) {
                return Ok(true);
            }
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), SetArg::TCSADRAIN, &self.saved);
    }
}
