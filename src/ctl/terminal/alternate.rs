//! The terminal's alternate screen. When it is left, the terminal shows its earlier content again.

use std::io::{self, Stdin, Write as _, stdin, stdout};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::termios::{LocalFlags, SetArg};
use nix::unistd::Pid;

use super::modes::Changed;

/// Switches to the alternate screen, hides the cursor, cuts rows at the right edge instead of
/// wrapping them, and marks pasted text (bracketed paste).
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h";
/// Undoes [`ENTER`].
const LEAVE: &str = "\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l";

/// The alternate screen of a terminal in which each key is read at once and is not echoed.
pub(in crate::ctl) struct AlternateScreen {
    keys: Option<Changed<Stdin>>,
}

impl AlternateScreen {
    /// Enters the alternate screen. A panic from now on leaves it before its message is printed.
    pub(in crate::ctl) fn enter() -> io::Result<Self> {
        let mut screen = Self { keys: None };
        screen.begin()?;
        Ok(screen)
    }

    /// Sets the input modes and switches the screen; for the first time, or again after a stop.
    fn begin(&mut self) -> io::Result<()> {
        // Without ISIG, ^C is read as a key, so the program can always leave the screen in order.
        let flags = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN;
        self.keys = Some(Changed::without(stdin(), flags, SetArg::TCSADRAIN, LEAVE)?);
        send(ENTER)
    }

    /// Leaves the alternate screen.
    pub(in crate::ctl) fn leave(mut self) -> io::Result<()> {
        self.end()
    }

    /// Switches back and restores the input modes; nothing if that was done already.
    fn end(&mut self) -> io::Result<()> {
        let Some(keys) = self.keys.take() else { return Ok(()) };
        // If a panic has left the screen already, leaving it again would move the cursor up into
        // the panic's message.
        let sent = if keys.is_in_force() { send(LEAVE) } else { Ok(()) };
        drop(keys);
        sent
    }

    /// Stops the whole process group, as ^Z does in other programs. Returns when the shell
    /// continues it.
    pub(in crate::ctl) fn suspend(&mut self) -> io::Result<()> {
        self.end()?;
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTSTP);
        kill(Pid::from_raw(0), Signal::SIGTSTP)?;
        stop.thread_unblock()?;
        // The process is stopped at the line above. In an orphaned process group nobody could
        // continue it, so the kernel ignores the stop.
        stop.thread_block()?;
        self.begin()
    }

    /// Enters the screen again after a SIGSTOP, which cannot be caught: the program could not leave
    /// the screen before.
    pub(in crate::ctl) fn resume(&self) -> io::Result<()> {
        if let Some(keys) = &self.keys {
            keys.again()?;
        }
        send(ENTER)
    }
}

impl Drop for AlternateScreen {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

fn send(sequence: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    out.write_all(sequence.as_bytes())?;
    out.flush()
}
