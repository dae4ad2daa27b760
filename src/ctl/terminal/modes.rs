//! Changes the input modes of a terminal (termios(3)) and restores them.

use std::io;
use std::os::fd::AsFd;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::ctl::signals::BeforeEnd;

/// A terminal whose input modes are changed. Dropping this restores them.
pub(in crate::ctl) struct Changed<T: AsFd> {
    terminal: T,
    before: Termios,
    changed: Termios,
    when: SetArg,
    before_end: BeforeEnd,
}

impl<T: AsFd> Changed<T> {
    /// Switches the local `flags` off. `when` says whether unread input is kept or dropped, both
    /// now and at the restoration. If a signal or a panic ends the program, `last` is written to
    /// standard output before the modes are restored.
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
            // Not through `Write`: a thread that holds its lock may itself be waiting for the
            // terminal.
            let _ = (!last.is_empty()).then(|| nix::unistd::write(io::stdout(), last.as_bytes()));
            let _ = tcsetattr(&again, when, &as_before);
        })?;
        tcsetattr(&terminal, when, &changed)?;
        Ok(Self { terminal, before, changed, when, before_end })
    }

    /// Whether the modes are still changed. After a panic they have been restored already.
    pub(super) fn is_in_force(&self) -> bool {
        self.before_end.is_armed()
    }

    /// Sets the changed modes once more: while the program was stopped, the shell has set its own.
    pub(super) fn again(&self) -> io::Result<()> {
        Ok(tcsetattr(&self.terminal, self.when, &self.changed)?)
    }
}

impl<T: AsFd> Drop for Changed<T> {
    fn drop(&mut self) {
        let _ = self.before_end.disarm(|| tcsetattr(&self.terminal, self.when, &self.before));
    }
}
