//! The terminal: its size, its input without echo or line editing, its alternate screen.

use std::io::{self, IsTerminal as _, Read as _, Stdin, stdin};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use super::print::screen::Screen;
use super::signals::BeforeEnd;

/// Columns and rows of the terminal that standard output is; `None` if it is no terminal.
pub(super) fn size() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size_of(io::stdout())?;
    Some((columns.0.into(), rows.0.into()))
}

/// Whether text may be bold: not where `$NO_COLOR` is set (no-color.org), or the terminal knows no such thing.
pub(super) fn has_style() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && is_capable()
}

/// Whether standard input and output are terminals, so that somebody can watch and press a key.
pub(super) fn is_watched() -> bool {
    stdin().is_terminal() && io::stdout().is_terminal()
}

/// Whether the terminal takes escape sequences.
pub(super) fn is_capable() -> bool {
    std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// A terminal whose input works otherwise; when this is dropped, it works as before.
pub(super) struct Changed<T: AsFd> {
    terminal: T,
    before: Termios,
    when: SetArg,
    before_end: BeforeEnd,
}

impl<T: AsFd> Changed<T> {
    /// Switches `flags` off. `when` says what becomes of input that was not read yet, then and at the end. If a signal
    /// ends the program, `last` is written to standard output before it works as before.
    pub(super) fn without(terminal: T, flags: LocalFlags, when: SetArg, last: &'static str) -> io::Result<Self> {
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
        Ok(Self { terminal, before, when, before_end })
    }
}

impl<T: AsFd> Drop for Changed<T> {
    fn drop(&mut self) {
        let _ = self.before_end.disarm(|| tcsetattr(&self.terminal, self.when, &self.before));
    }
}

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Nothing: the time is over, or the window has another size.
    None,
    /// What quits: q, ^C, ^D, or the end of input.
    Quit,
    /// Another key; a letter in lower case.
    Other(u8),
}

/// The alternate screen of a terminal that sends single keys and does not echo them.
pub(super) struct AlternateScreen {
    _keys: Changed<Stdin>,
}

impl AlternateScreen {
    pub(super) fn enter(to: &mut Screen<'_>) -> io::Result<Self> {
        // Without ISIG, ^C is a key like any other, so that the program always comes to `leave`.
        let flags = LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG;
        let keys = Changed::without(stdin(), flags, SetArg::TCSADRAIN, "\x1b[?7h\x1b[?25h\x1b[?1049l")?;
        to.verbatim("\x1b[?1049h\x1b[?25l")?;
        Ok(Self { _keys: keys })
    }

    pub(super) fn leave(self, to: &mut Screen<'_>) -> io::Result<()> {
        to.verbatim("\x1b[?25h\x1b[?1049l")?;
        to.flush()
    }

    /// Waits until `interval` is over, the window's size changes or a key is pressed.
    pub(super) fn key(&self, interval: Duration) -> io::Result<Key> {
        let wait = PollTimeout::try_from(interval).unwrap_or(PollTimeout::MAX);
        let input = stdin();
        match poll(&mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)], wait) {
            // A signal: a resize, or the program is in the foreground again. It is drawn again at once.
            Ok(0) | Err(nix::errno::Errno::EINTR) => return Ok(Key::None),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut key = [0];
        let read = input.lock().read(&mut key)?;
        Ok(match key[0] {
            _ if read == 0 => Key::Quit,
            b'q' | b'Q' | 3 | 4 => Key::Quit,
            key => Key::Other(key.to_ascii_lowercase()),
        })
    }
}
