//! `--watch`: repeats a command that changes nothing, and goes on while the daemon restarts.

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

/// After this time without an answer, the bottom row says that the daemon does not answer.
const LATE: Duration = Duration::from_secs(2);

/// The command to repeat, if `task` may be watched.
///
/// # Errors
/// [`Failure::Usage`] if the command changes something, or refreshes its output by itself.
pub(super) fn watched(task: &Task) -> Result<&Command, Failure> {
    match task {
        Task::One(command) if command.spec().effect != Effect::Changes => Ok(command),
        Task::Top(_) | Task::Monitor(_) => Err(Failure::Usage("that is shown again and again without --watch".into())),
        _ => Err(Failure::Usage("--watch is for commands that only look".into())),
    }
}

/// Whether an error of the connection may be over once the daemon has restarted.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::NoSocket { .. } | Error::Connect { .. } | Error::Broken { .. } | Error::Silent { .. })
}

impl Session<'_, '_> {
    /// Asks and prints every `interval`. On a capable terminal each answer replaces the one before,
    /// until q or ^C; otherwise the answers are printed one after another. `timeout` bounds the
    /// wait for each answer and each new connection.
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
        // If the first request fails, that is reported before the screen is switched.
        let result = client.ask(command)?;
        let path = client.path().to_owned();
        let mut events = Events::new()?;
        let mut alternate = AlternateScreen::enter()?;
        let waker = events.waker().expect("nobody has taken it");
        let asker = Asker::start(client, path.clone(), timeout, waker)?;
        let mut watched =
            Watched { result, at: super::now(), lost: None, asked: None, next: Instant::now() + interval };
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
            if let Err(error) = draw(screen, &String::from_utf8_lossy(&page), &watched.told(screen.now, interval)) {
                break Err(error.into());
            }
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
                Ok(Event::Key(_) | Event::Resized | Event::Due) => {}
            }
        };
        let left = alternate.leave();
        ended.and(Ok(left?))
    }

    /// Prints the answers one after another. When the daemon stops answering, that is reported
    /// once.
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

/// The state of a watched command.
struct Watched {
    /// The last answer, and when it came.
    result: Value,
    at: Wall,
    /// Why the daemon does not answer now; `None` if it does.
    lost: Option<String>,
    /// When the answer was asked for that has not come yet.
    asked: Option<Instant>,
    /// When to ask next.
    next: Instant,
}

impl Watched {
    /// When to draw next, if no event comes first.
    fn due(&self, now: Instant) -> Instant {
        let clock = now + Duration::from_secs(1);
        match self.asked {
            Some(asked) if self.lost.is_none() => (asked + LATE).max(now),
            Some(_) => clock,
            None if self.lost.is_some() => self.next.min(clock),
            None => self.next,
        }
    }

    /// The text of the bottom row.
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

/// Draws the answer in place of the one before, cut to the rows of the screen, and `told` below it.
fn draw(screen: &Screen<'_>, page: &str, told: &str) -> io::Result<()> {
    let (columns, rows) = screen.terminal.filter(|size| size.0 > 0 && size.1 > 0).unwrap_or((80, 24));
    let mut frame = String::from("\x1b[H");
    // Text from the daemon in it is escaped already.
    for line in page.lines().take(rows.saturating_sub(1)) {
        frame += line;
        frame += "\x1b[K\n"; // output is as ever: the terminal makes CR LF of it
    }
    let more = page.lines().count().saturating_sub(rows.saturating_sub(1));
    let more = if more > 0 { format!("{} more; ", count(more as u64, "line")) } else { String::new() };
    frame += &format!("\x1b[J\x1b[{rows};1H{}", cut(&escape(&format!("{more}{told}")), Some(columns)));
    let mut out = stdout().lock();
    out.write_all(frame.as_bytes())?;
    out.flush()
}
