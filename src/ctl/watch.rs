//! `--watch`: a command that only looks, carried out again and again.

use std::io;
use std::time::Duration;

use super::answer::answer;
use super::failure::Failure;
use super::print::screen::Screen;
use super::print::table::cut;
use super::session::Session;
use super::task::Task;
use super::terminal::{self, AlternateScreen, Key};
use crate::cli::ctl::CtlCommand;
use crate::wire::admin::{Command, Effect};

/// The command that can be watched, if `task` is one.
///
/// # Errors
/// [`Failure::Usage`] if it changes something, or shows itself again and again as it is.
pub(super) fn watched(task: &Task) -> Result<&Command, Failure> {
    match task {
        Task::One(command) if command.spec().effect != Effect::Changes => Ok(command),
        Task::Top(_) | Task::Monitor(_) => Err(Failure::Usage("that is shown again and again without --watch".into())),
        _ => Err(Failure::Usage("--watch is for commands that only look".into())),
    }
}

impl Session<'_, '_> {
    /// Asks and prints every `interval`: on a terminal that can, in place, until q or ^C; elsewhere
    /// one answer behind the other.
    pub(super) fn watch(&mut self, given: &CtlCommand, task: &Task, interval: Duration) -> Result<(), Failure> {
        let command = watched(task)?;
        if self.screen.json || !terminal::is_watched() || !terminal::is_capable() {
            loop {
                let result = self.client.ask(command)?;
                self.screen.now = super::now();
                if self.screen.json {
                    self.screen.json_line(&result)?;
                } else {
                    answer(&self.client, self.screen, given, &result)?;
                }
                self.screen.flush()?;
                std::thread::sleep(interval);
            }
        }
        // What was asked for at first is told before the terminal is taken.
        let mut result = self.client.ask(command)?;
        let alternate = AlternateScreen::enter(self.screen)?;
        self.screen.verbatim("\x1b[?7l")?; // what is too long is cut, and not broken
        let ended = loop {
            self.screen.terminal = terminal::size();
            self.screen.now = super::now();
            let mut page = Vec::new();
            let mut paper = self.screen.beside(&mut page);
            if let Err(failure) = answer(&self.client, &mut paper, given, &result) {
                break Err(failure);
            }
            let text = String::from_utf8_lossy(&page);
            match draw(self.screen, &text, interval).and_then(|()| alternate.key(interval)) {
                Ok(Key::Quit) => break Ok(()),
                Ok(Key::None | Key::Other(_)) => {}
                Err(error) => break Err(error.into()),
            }
            match self.client.ask(command) {
                Ok(next) => result = next,
                Err(error) => break Err(error.into()),
            }
        };
        self.screen.verbatim("\x1b[?7h")?;
        alternate.leave(self.screen)?;
        ended
    }
}

/// Draws what was printed over what was there, as far as it fits, and below it what this is.
fn draw(to: &mut Screen<'_>, page: &str, interval: Duration) -> io::Result<()> {
    let (columns, rows) = to.terminal.unwrap_or((80, 24));
    to.verbatim("\x1b[H")?;
    // Escaped already, where it came from the daemon.
    for line in page.lines().take(rows.saturating_sub(1)) {
        to.verbatim(line)?;
        to.verbatim("\x1b[K\n")?;
    }
    let hint = format!("every {}; q quits", humantime::format_duration(interval));
    to.verbatim(&format!("\x1b[J\x1b[{rows};1H{}", cut(&hint, Some(columns))))?;
    to.flush()
}
