//! The alternate screen: what stood on the terminal before is there again when it is left.

use std::io::{self, Stdin, Write as _, stdin, stdout};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::termios::{LocalFlags, SetArg};
use nix::unistd::Pid;

use super::modes::Changed;

/// Another screen, no cursor, rows that are cut and not broken, and pasted text that can be told from keys.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h";
/// All of that undone.
const LEAVE: &str = "\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l";

/// The alternate screen of a terminal that sends single keys and does not echo them.
pub(in crate::ctl) struct AlternateScreen {
    keys: Option<Changed<Stdin>>,
}

impl AlternateScreen {
    /// Enters it. A panic from now on leaves it before it is told.
    pub(in crate::ctl) fn enter() -> io::Result<Self> {
        let mut screen = Self { keys: None };
        screen.begin()?;
        Ok(screen)
    }

    fn begin(&mut self) -> io::Result<()> {
        // Without ISIG, ^C is a key like any other, so that the program always comes to `leave`.
        let flags = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN;
        self.keys = Some(Changed::without(stdin(), flags, SetArg::TCSADRAIN, LEAVE)?);
        send(ENTER)
    }

    /// Leaves it.
    pub(in crate::ctl) fn leave(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(keys) = self.keys.take() else { return Ok(()) };
        // Left twice, the cursor would go to where it was at first, into the text of the panic.
        let sent = if keys.is_in_force() { send(LEAVE) } else { Ok(()) };
        drop(keys);
        sent
    }

    /// Stops the program, and others of its pipeline, until it is in the foreground again, as ^Z does elsewhere.
    pub(in crate::ctl) fn suspend(&mut self) -> io::Result<()> {
        self.end()?;
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTSTP);
        kill(Pid::from_raw(0), Signal::SIGTSTP)?;
        stop.thread_unblock()?;
        // Here it stands still. In an orphaned process group nobody could wake it, and the kernel lets it go on.
        stop.thread_block()?;
        self.begin()
    }

    /// Goes on after somebody has stopped the program who did not let it leave the screen (SIGSTOP).
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
