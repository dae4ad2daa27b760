//! The modes of a terminal's input (termios(3)), and that they come back.

use std::io;
use std::os::fd::AsFd;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::ctl::signals::BeforeEnd;

/// A terminal whose input works otherwise; when this is dropped, it works as before.
pub(in crate::ctl) struct Changed<T: AsFd> {
    terminal: T,
    before: Termios,
    changed: Termios,
    when: SetArg,
    before_end: BeforeEnd,
}

impl<T: AsFd> Changed<T> {
    /// Switches `flags` off. `when` says what becomes of input that was not read yet, then and at the end. If a signal or
    /// a panic ends the program, `last` is written to standard output before it works as before.
    pub(in crate::ctl) fn without(
        terminal: T,
        flags: LocalFlags,
        when: SetArg,
        last: &'static str,
    ) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut changed = before.clone();
        changed.local_flags.remove(flags);
        let (again, as_before) = (terminal.as_fd().try_clone_to_owned()?, before.clone());
        let before_end = BeforeEnd::does(move || {
            // Not by `Write`: whoever holds its lock may be waiting for the terminal.
            let _ = (!last.is_empty()).then(|| nix::unistd::write(io::stdout(), last.as_bytes()));
            let _ = tcsetattr(&again, when, &as_before);
        })?;
        tcsetattr(&terminal, when, &changed)?;
        Ok(Self { terminal, before, changed, when, before_end })
    }

    /// Whether all is still to be put in order: a panic has done it before it was told.
    pub(super) fn is_in_force(&self) -> bool {
        self.before_end.is_armed()
    }

    /// Sets the modes once more: a shell has set its own while the program was stopped.
    pub(super) fn again(&self) -> io::Result<()> {
        Ok(tcsetattr(&self.terminal, self.when, &self.changed)?)
    }
}

impl<T: AsFd> Drop for Changed<T> {
    fn drop(&mut self) {
        let _ = self.before_end.disarm(|| tcsetattr(&self.terminal, self.when, &self.before));
    }
}
