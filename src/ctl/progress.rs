//! The progress of a long answer, on one line of standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::{print, terminal};

/// The least time between two updates of the line.
const EVERY: Duration = Duration::from_millis(200);

/// The progress line. Its `default()` is never shown.
#[derive(Default)]
pub(super) struct Progress {
    /// Whether the line is on the terminal now.
    shown: bool,
    /// The earliest time of the next update; `None` if the line is never shown.
    next: Option<Instant>,
}

impl Progress {
    /// A line shown only if standard error is a terminal that can erase it, and not if `quiet`.
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: false, next: (!quiet && io::stderr().is_terminal() && terminal::is_capable()).then(Instant::now) }
    }

    /// Shows that `count` lines of history have come. `last` is the time at which the last of them
    /// was said. The total is not known.
    pub(super) fn lines(&mut self, count: u64, last: &str) {
        self.show(|| format!("{}, up to {last}", print::values::count(count, "line")));
    }

    /// Shows that `done` of `total` bytes have come, as a bar and as a percentage.
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

    /// Replaces the line by `text`, unless the last update was less than [`EVERY`] ago.
    fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + EVERY);
            self.shown = true;
            let _ = write!(io::stderr(), "\r\x1b[K{}", print::escape::escape(&text()));
        }
    }

    /// Erases the line, if it is shown.
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
