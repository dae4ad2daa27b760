//! A line on standard error that says how much of a long answer has come.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::{print, terminal};

/// The least time between two updates of the line.
const EVERY: Duration = Duration::from_millis(200);

/// The line. By default it is never shown.
#[derive(Default)]
pub(super) struct Progress {
    /// Whether it stands on the terminal now.
    shown: bool,
    /// When it may be shown again; `None` if never.
    next: Option<Instant>,
}

impl Progress {
    /// A line that is shown if standard error is a terminal that can erase it, unless `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: false, next: (!quiet && io::stderr().is_terminal() && terminal::is_capable()).then(Instant::now) }
    }

    /// Shows that `count` lines have come, the last of which was said at `last`. How many there will be is not known.
    pub(super) fn lines(&mut self, count: u64, last: &str) {
        self.show(|| format!("{}, up to {last}", print::values::count(count, "line")));
    }

    /// Shows that `done` bytes of `total` have come.
    pub(super) fn bytes(&mut self, done: u64, total: u64) {
        const WIDTH: u64 = 40;
        self.show(|| {
            let full = usize::try_from(done * WIDTH / total.max(1)).unwrap_or(0);
            let bar = format!("{:<40}", "#".repeat(full));
            format!(
                "[{bar}] {:>3} %  {} of {}",
                done * 100 / total.max(1),
                print::values::bytes(done),
                print::values::bytes(total)
            )
        });
    }

    fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + EVERY);
            self.shown = true;
            let _ = write!(io::stderr(), "\r\x1b[K{}", print::escape::escape(&text()));
        }
    }

    /// Erases the line.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
