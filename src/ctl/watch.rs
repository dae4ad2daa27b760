//! `--watch`: a command that only looks, carried out again and again, also while the daemon starts anew.

use std::io::{self, Write as _, stdout};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::answer::answer;
use super::asker::{Asker, Unanswered, connect_again};
use super::failure::Failure;
use super::print::escape::escape;
use super::print::screen::Screen;
use super::print::stderr::complain;
use super::print::table::cut;
use super::print::values::{count, span};
use super::session::Session;
use super::task::Task;
use super::terminal::{self, AlternateScreen, Event, Events, Key};
use crate::cli::ctl::CtlCommand;
use crate::client::Error;
use crate::values::time::Wall;
use crate::wire::admin::value::Time;
use crate::wire::admin::{Command, Effect};

/// After this, what was asked for and is not there yet is told to be late.
const LATE: Duration = Duration::from_secs(2);

/// The command that can be watched, if `task` is one.
///
/// # Errors
/// [`Failure::Usage`] if it changes something, or shows itself again and again as it is.
pub(super) fn watched(task: &Task) -> Result<&Command, Failure> {
    match task {
        Task::One(command) if command.spec().effect != Effect::Changes => Ok(command),
        Task::Top(_) | Task::Monitor(_) => Err(Failure::Usage("that is shown again and again without --watch".into())),
        _ => Err(only_looks()),
    }
}

/// What is said of any other command.
pub(super) fn only_looks() -> Failure {
    Failure::Usage("--watch is for commands that only look".into())
}

/// Whether an error of the connection may be over when the daemon has started again.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::NoSocket { .. } | Error::Connect { .. } | Error::Broken { .. } | Error::Silent { .. })
}

impl Session<'_, '_> {
    /// Asks and prints every `interval`: on a terminal that can, in place, until q or ^C; elsewhere
    /// one answer behind the other. Each answer, and connecting again, may take `timeout`.
    pub(super) fn watch(
        self,
        given: &CtlCommand,
        task: &Task,
        (interval, timeout): (Duration, Option<Duration>),
    ) -> Result<(), Failure> {
        let command = watched(task)?;
        if self.screen.json || !terminal::is_watched() || !terminal::is_capable() {
            return self.watch_plainly(given, command, (interval, timeout));
        }
        let Self { mut client, screen, .. } = self;
        // What was asked for at first is told before the terminal is taken.
        let result = client.ask(command)?;
        let path = client.path().to_owned();
        let mut events = Events::new()?;
        let mut alternate = AlternateScreen::enter()?;
        let waker = events.waker().expect("nobody has taken it");
        let asker = Asker::start(Some(client), path.clone(), timeout, waker)?;
        let mut watched =
            Watched { result, at: super::now(), lost: None, asked: None, next: Instant::now() + interval, above: 0 };
        let ended = loop {
            let now = Instant::now();
            if watched.asked.is_none() && watched.next <= now {
                asker.ask((), vec![command.clone()]);
                watched.asked = Some(now);
            }
            if watched.asked.is_some_and(|asked| now >= asked + LATE) && watched.lost.is_none() {
                watched.lost = Some("it is silent".to_owned());
            }
            screen.terminal = terminal::size();
            screen.now = super::now();
            let mut page = Vec::new();
            if let Err(failure) = answer(&path, &mut screen.beside(&mut page), given, &watched.result) {
                break Err(failure);
            }
            let told = watched.told(screen.now, interval);
            let fits = match draw(screen, &String::from_utf8_lossy(&page), &mut watched.above, &told) {
                Ok(fits) => fits,
                Err(error) => break Err(error.into()),
            };
            match events.next(Some(watched.due(now))) {
                Err(error) => break Err(error.into()),
                Ok(Event::Key(Key::Char('q' | 'Q') | Key::Ctrl('c' | 'd')) | Event::Gone) => break Ok(()),
                Ok(Event::Key(Key::Ctrl('z')) | Event::Stop) => {
                    if let Err(error) = alternate.suspend() {
                        break Err(error.into());
                    }
                }
                Ok(Event::Continued) => {
                    if let Err(error) = alternate.resume() {
                        break Err(error.into());
                    }
                }
                Ok(Event::Key(Key::Char(' ') | Key::Enter)) => watched.next = Instant::now(),
                Ok(Event::Key(key)) => watched.above = scrolled(watched.above, &key, fits),
                Ok(Event::Woken) => match asker.answer() {
                    Err(error) => break Err(error.into()),
                    Ok(None) => {}
                    Ok(Some(answer)) => {
                        watched.asked = None;
                        watched.next = answer.at + interval;
                        match answer.answered.map(|mut answered| answered.swap_remove(0)) {
                            Ok(Ok(result)) => {
                                (watched.result, watched.at, watched.lost) = (result, super::now(), None);
                            }
                            Ok(Err(refused)) => break Err(Error::Refused(refused).into()),
                            Err(Unanswered::Lost(error)) if !may_pass(&error) => break Err(error.into()),
                            Err(unanswered) => watched.lost = Some(unanswered.to_string()),
                        }
                    }
                },
                Ok(Event::Resized | Event::Due) => {}
            }
        };
        let left = alternate.leave();
        ended.and(Ok(left?))
    }

    /// One answer behind the other. While there is none, that is told once.
    fn watch_plainly(
        self,
        given: &CtlCommand,
        command: &Command,
        (interval, timeout): (Duration, Option<Duration>),
    ) -> Result<(), Failure> {
        let path = self.client.path().to_owned();
        let (mut client, mut lost) = (Some(self.client), false);
        let mut answered_once = false;
        loop {
            let connected = match client.take() {
                Some(client) => Ok(client),
                None => connect_again(&path, timeout),
            };
            let asked = connected.and_then(|mut connected| {
                connected.set_answer_timeout(timeout);
                let result = connected.ask(command).map_err(Unanswered::Lost)?;
                client = Some(connected);
                Ok(result)
            });
            match asked {
                Ok(result) => {
                    (answered_once, lost) = (true, false);
                    self.screen.now = super::now();
                    if self.screen.json {
                        self.screen.json_line(&result)?;
                    } else {
                        answer(&path, self.screen, given, &result)?;
                    }
                    self.screen.flush()?;
                }
                Err(Unanswered::Lost(error)) if !answered_once || !may_pass(&error) => return Err(error.into()),
                Err(unanswered) => {
                    if !std::mem::replace(&mut lost, true) {
                        complain(&format!("{unanswered}; asking again"));
                    }
                }
            }
            std::thread::sleep(interval);
        }
    }
}

/// What is watched, and how it is known.
struct Watched {
    /// The last answer, and when it came.
    result: Value,
    at: Wall,
    /// Why there is no answer now.
    lost: Option<String>,
    /// When the daemon was asked for what is still to come.
    asked: Option<Instant>,
    /// When it is asked again.
    next: Instant,
    /// How many lines are above the screen.
    above: usize,
}

impl Watched {
    /// When the screen is to be drawn next, if nothing happens.
    fn due(&self, now: Instant) -> Instant {
        let clock = now + Duration::from_secs(1);
        match self.asked {
            Some(asked) if self.lost.is_none() => (asked + LATE).max(now),
            Some(_) => clock,
            None if self.lost.is_some() => self.next.min(clock),
            None => self.next,
        }
    }

    /// The row at the bottom.
    fn told(&self, now: Wall, interval: Duration) -> String {
        let at = &super::print::values::time(&Time(self.at))[11..];
        match &self.lost {
            None => format!("every {}; answered at {at}; q quits", humantime::format_duration(interval)),
            Some(why) => {
                let passed = u64::try_from((now.0 - self.at.0) / 1000).unwrap_or(0);
                format!("no answer since {at} ({}): {why}; q quits", span(passed))
            }
        }
    }
}

/// How many lines are above the screen after that key, where so many fit on it; beyond the end it is put right when it is
/// drawn.
fn scrolled(above: usize, key: &Key, fits: usize) -> usize {
    // A line is seen again, so that nobody loses the place.
    let page = fits.saturating_sub(1).max(1);
    match key {
        Key::Down | Key::Char('j') => above.saturating_add(1),
        Key::Up | Key::Char('k') => above.saturating_sub(1),
        Key::PageDown => above.saturating_add(page),
        Key::PageUp => above.saturating_sub(page),
        Key::Home | Key::Char('g') => 0,
        Key::End | Key::Char('G') => usize::MAX,
        _ => above,
    }
}

/// Draws what was printed over what was there, as far as it fits, and below it what this is. Puts `above` right, and says
/// how many lines fit.
fn draw(screen: &Screen<'_>, page: &str, above: &mut usize, told: &str) -> io::Result<usize> {
    let (columns, rows) = screen.terminal.filter(|size| size.0 > 0 && size.1 > 0).unwrap_or((80, 24));
    let (fits, total) = (rows.saturating_sub(1), page.lines().count());
    *above = (*above).min(total.saturating_sub(fits));
    let mut frame = String::from("\x1b[H");
    // Escaped already, where it came from the daemon.
    for line in page.lines().skip(*above).take(fits) {
        frame += line;
        frame += "\x1b[K\n"; // output is as ever: the terminal makes CR LF of it
    }
    let part = match total.saturating_sub(fits) {
        0 => String::new(),
        _ => format!("{} to {} of {}; ", *above + 1, *above + fits, count(total as u64, "line")),
    };
    frame += &format!("\x1b[J\x1b[{rows};1H{}", cut(&escape(&format!("{part}{told}")), Some(columns)));
    let mut out = stdout().lock();
    out.write_all(frame.as_bytes())?;
    out.flush()?;
    Ok(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_scroll_by_lines_and_screens() {
        for (above, key, after) in [
            (0, Key::Up, 0),
            (0, Key::Down, 1),
            (0, Key::PageDown, 21),
            (30, Key::PageUp, 9),
            (5, Key::PageUp, 0),
            (5, Key::Home, 0),
            (5, Key::Char('x'), 5),
            (0, Key::End, usize::MAX),
            (usize::MAX, Key::Down, usize::MAX),
        ] {
            assert_eq!(scrolled(above, &key, 22), after, "{above} {key:?}");
        }
        assert_eq!(scrolled(0, &Key::PageDown, 0), 1, "on no rows at all");
    }
}
