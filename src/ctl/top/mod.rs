//! `ctl top`: the hub at a glance, refreshed until a key quits it, with keys to look closer and to act.
//!
//! The daemon is asked in a thread ([`super::asker`]); its answers go into the `model`, keys change what is looked at,
//! and of both the `view` makes one frame. Nothing but this file and `plain` waits or talks to anybody.
//!
//! | to change | see |
//! | --- | --- |
//! | where nothing can be drawn over: one table; JSON | `plain` |
//! | what the daemon is asked for | `sample` |
//! | lines and bytes a second, sparklines' values | `rates` |
//! | what is known, and since when the daemon does not answer | `model` |
//! | which list, its order, who is selected | `looking` |
//! | what keys do, and the help | `keys` |
//! | kick, mute, ban: what is asked before, and what is done then | `question` |
//! | what stands in the lists, and the causes of refusals | `panes` |
//! | sorting, filtering, which columns fit | `columns` |
//! | text in cells, of any script | `glyphs` |
//! | the screen; the rows about the hub; pop-ups | `view`, `summary`, `popup` |
//! | colours, and what is drawn where there are none | `theme` |

mod columns;
mod glyphs;
mod keys;
mod looking;
mod model;
mod panes;
mod plain;
mod popup;
mod question;
mod rates;
mod sample;
mod summary;
#[cfg(test)]
mod tests;
mod theme;
mod view;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use serde_json::Value;

use self::keys::{Wish, press};
use self::looking::{Looking, Popup};
use self::model::Model;
use self::question::{Act, Hits};
use self::sample::Wanted;
use self::theme::Theme;
use super::asker::{Answer, Answered, Asker, Unanswered, ask_all};
use super::asleep::Manager;
use super::failure::Failure;
use super::print;
use super::print::screen::Screen;
use super::print::values::people;
use super::terminal::{self, AlternateScreen, Cells, Event, Events};
use crate::client::{self, Client};
use crate::values::time::Wall;
use crate::wire::admin::result::{Banned, Client as Person, Kicked, Muted, Room};

/// After this, what has not been answered yet is told to be late.
const LATE: Duration = Duration::from_secs(2);

/// How often the daemon is asked at least, while it does not answer.
const AGAIN: Duration = Duration::from_secs(1);

/// Whether it can be waited for a service that does not run: the terminal can be drawn over.
pub(super) fn waits(screen: &Screen<'_>) -> bool {
    !screen.json && terminal::is_watched() && terminal::is_capable()
}

/// Shows it as the terminal can, asking on `client`, which is connected to `path`; or waits until the service of that
/// manager runs, if the terminal allows that ([`waits`]).
///
/// # Errors
/// What the daemon answers, or that it does not; those of the terminal.
pub(super) fn run(
    client: Result<Client, Manager>,
    path: PathBuf,
    screen: &mut Screen<'_>,
    (interval, timeout): (Duration, Option<Duration>),
) -> Result<(), Failure> {
    let mut model = Model::new(place(&path));
    let client = match client {
        Err(manager) => {
            model.lose(super::now(), Unanswered::Stopped(manager).to_string());
            None
        }
        Ok(mut client) => {
            if screen.json {
                return plain::json(&mut client, screen);
            }
            if !terminal::is_watched() {
                return plain::once(&mut client, screen);
            }
            if !terminal::is_capable() {
                return plain::for_ever(&mut client, screen, interval);
            }
            // What fails at first is told before the terminal is taken.
            let wanted = Wanted::now(false, None, Instant::now());
            let answered = ask_all(&mut client, &wanted.commands())?;
            if let Some(refused) = answered.iter().take(Wanted::NEEDED).find_map(|answered| answered.as_ref().err()) {
                return Err(client::Error::Refused(refused.clone()).into());
            }
            let first = wanted.read(answered, Instant::now()).map_err(|why| client.garbled(why))?;
            model.look(first.0, first.1);
            Some(client)
        }
    };
    let next = Instant::now() + if client.is_some() { interval } else { interval.min(AGAIN) };
    let mut events = Events::new()?;
    let alternate = AlternateScreen::enter()?;
    let waker = events.waker().expect("nobody has taken it");
    let asker = Asker::start(client, path.clone(), timeout, waker)?;
    let mut top = Top {
        model,
        looking: Looking::new(interval, screen.legend),
        theme: Theme::of_terminal(),
        terminal: Terminal::new(Cells::default())?,
        alternate,
        events,
        asker,
        asked: None,
        next,
    };
    let ended = top.run();
    let left = top.alternate.leave();
    ended.and(Ok(left?))
}

/// Which hub it is: two can be on one machine, and one on many.
fn place(path: &Path) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{} {}", host, path.display()).trim_start().to_owned()
}

/// What a batch of requests is for.
#[derive(Clone, Debug, PartialEq)]
enum About {
    Sample(Wanted),
    /// All about one, for the pop-up of that title.
    One(String),
    /// Whom it would hit.
    Trial(Act, String),
    /// It is done to them.
    Done(Act, String),
}

struct Top {
    model: Model,
    looking: Looking,
    theme: Theme,
    terminal: Terminal<Cells>,
    alternate: AlternateScreen,
    events: Events,
    asker: Asker<About>,
    /// When the daemon was asked for the sample that is still to come.
    asked: Option<Instant>,
    /// When it is asked again.
    next: Instant,
}

impl Top {
    fn run(&mut self) -> Result<(), Failure> {
        loop {
            let now = Instant::now();
            if self.asked.is_none() && self.next <= now && !self.looking.paused {
                self.look(now);
            }
            if self.asked.is_some_and(|asked| now >= asked + LATE) && self.model.lost().is_none() {
                let since = Wall(super::now().0 - i64::try_from(LATE.as_millis()).unwrap_or(0));
                self.model.lose(since, "it was asked, and is silent".to_owned());
            }
            self.model.now = super::now();
            let (model, looking, theme) = (&self.model, &mut self.looking, self.theme);
            self.terminal.draw(|frame| view::draw(frame, model, looking, theme, now))?;
            match self.events.next(Some(self.due(now)))? {
                Event::Key(key) => {
                    let wish = press(&key, &mut self.looking, &self.model);
                    match wish {
                        Ok(None) => {}
                        Ok(Some(Wish::Quit)) => return Ok(()),
                        Ok(Some(wish)) => self.fulfil(wish)?,
                        Err(why) => self.model.tell(why, true, Instant::now()),
                    }
                }
                Event::Gone => return Ok(()),
                Event::Stop => self.fulfil(Wish::Suspend)?,
                Event::Continued => {
                    self.alternate.resume()?;
                    self.terminal.clear()?;
                }
                Event::Woken => {
                    while let Some(answer) = self.asker.answer()? {
                        self.take(answer)?;
                    }
                }
                Event::Resized | Event::Due => {}
            }
        }
    }

    /// When the screen is to be drawn next, if nothing happens.
    fn due(&self, now: Instant) -> Instant {
        let clock = now + Duration::from_secs(1);
        match self.asked {
            // What is late, and for how long, is told.
            Some(asked) if self.model.lost().is_none() => (asked + LATE).max(now),
            Some(_) => clock,
            None if self.looking.paused => clock,
            None if self.model.lost().is_some() => self.next.min(clock),
            None => self.next.min(now + Duration::from_secs(5)),
        }
    }

    fn look(&mut self, now: Instant) {
        let looked_at = self.looking.pane == looking::Pane::Sanctions;
        let wanted = Wanted::now(looked_at, self.model.sanctions_at, now);
        self.asker.ask(About::Sample(wanted), wanted.commands());
        self.asked = Some(now);
    }

    fn fulfil(&mut self, wish: Wish) -> Result<(), Failure> {
        match wish {
            Wish::Quit => {}
            Wish::Suspend => {
                self.alternate.suspend()?;
                self.terminal.clear()?;
            }
            Wish::Redraw => self.terminal.clear()?,
            Wish::Look => self.next = Instant::now(),
            Wish::About(command) => {
                if let Some(Popup::About { title, .. }) = &self.looking.popup {
                    self.asker.ask(About::One(title.clone()), vec![command]);
                }
            }
            Wish::Try(act, id, command) => self.asker.ask(About::Trial(act, id), vec![command]),
            Wish::Do(act, who, command) => {
                self.model.tell(format!("{who}: asked for ..."), false, Instant::now());
                self.asker.ask(About::Done(act, who), vec![command]);
            }
        }
        Ok(())
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// The daemon will never answer: somebody else listens on its socket, or whatever listens is no chathub.
    fn take(&mut self, answer: Answer<About>) -> Result<(), Failure> {
        let Answer { about, answered, warnings, at } = answer;
        for warning in warnings {
            self.model.tell(warning, true, at);
        }
        if let About::Sample(_) = about {
            self.asked = None;
            self.next = at + self.looking.interval;
        }
        let answered = match answered {
            Ok(answered) => answered,
            Err(Unanswered::Lost(error @ (client::Error::Stranger { .. } | client::Error::Garbled { .. }))) => {
                return Err(error.into());
            }
            Err(unanswered) => {
                self.unanswered(about, &unanswered, at);
                return Ok(());
            }
        };
        match about {
            About::Sample(wanted) => match wanted.read(answered, at) {
                Ok((sample, sanctions)) => self.model.look(sample, sanctions),
                Err(why) => self.model.lose(super::now(), why),
            },
            about => self.one(about, answered.into_iter().next().unwrap_or(Ok(Value::Null)), at),
        }
        Ok(())
    }

    /// A batch was not answered.
    fn unanswered(&mut self, about: About, why: &Unanswered, at: Instant) {
        match about {
            About::Sample(_) => {
                self.model.lose(super::now(), why.to_string());
                self.next = at + self.looking.interval.min(AGAIN);
            }
            About::One(title) => self.fill(&title, vec![why.to_string()]),
            About::Trial(act, id) => self.hits(act, &id, Hits::Unknown(why.to_string())),
            About::Done(_, who) => {
                let text = format!("{who}: nobody knows whether that was done: {why}");
                self.model.tell(text, true, at);
            }
        }
    }

    /// Takes the answer to one request.
    fn one(&mut self, about: About, answered: Answered, at: Instant) {
        match (about, answered) {
            (About::Sample(_), _) => {}
            (About::One(title), answered) => {
                let lines = match answered {
                    Ok(result) => self.in_lines(&result),
                    Err(error) => vec![error.message],
                };
                self.fill(&title, lines);
            }
            (About::Trial(act, id), Ok(result)) => {
                let people = match act {
                    Act::Ban => serde_json::from_value::<Banned>(result).map(|hit| hit.people),
                    _ => serde_json::from_value::<Muted>(result).map(|hit| hit.people),
                };
                let hits = people.map_or_else(|error| Hits::Unknown(error.to_string()), Hits::Known);
                self.hits(act, &id, hits);
            }
            (About::Trial(act, id), Err(error)) => self.hits(act, &id, Hits::Unknown(error.message)),
            (About::Done(act, who), Ok(result)) => {
                let text = done(act, &who, result);
                self.model.tell(text, false, at);
                // It shows at once.
                self.next = at;
            }
            (About::Done(_, who), Err(error)) => self.model.tell(format!("{who}: {}", error.message), true, at),
        }
    }

    /// The answer about a client or a room, as `ctl client` and `ctl rooms show` print it.
    fn in_lines(&self, result: &Value) -> Vec<String> {
        let mut page = Vec::new();
        let mut paper = Screen::new(&mut page);
        paper.now = self.model.sample.as_ref().map_or(self.model.now, sample::Sample::now);
        let printed = if let Ok(client) = serde_json::from_value::<Person>(result.clone()) {
            print::clients::one(&mut paper, &client)
        } else if let Ok(room) = serde_json::from_value::<Room>(result.clone()) {
            print::rooms::one(&mut paper, &room)
        } else {
            paper.json(result)
        };
        drop(printed); // into memory
        String::from_utf8_lossy(&page).lines().map(str::to_owned).collect()
    }

    fn fill(&mut self, wanted: &str, found: Vec<String>) {
        if let Some(Popup::About { title, lines }) = &mut self.looking.popup
            && title == wanted
        {
            *lines = Some(found);
        }
    }

    fn hits(&mut self, act: Act, id: &str, hits: Hits) {
        if let Some(Popup::Question(question)) = &mut self.looking.popup
            && (question.act, &*question.id) == (act, id)
        {
            question.hits = hits;
        }
    }
}

/// What was done.
fn done(act: Act, who: &str, result: Value) -> String {
    match act {
        Act::Mute => match serde_json::from_value::<Muted>(result) {
            Ok(muted) => {
                let ids: Vec<_> = muted.sanctions.iter().map(|sanction| &*sanction.id).collect();
                format!("Muted {} ({}).", people(&muted.people, &muted.muted), ids.join(", "))
            }
            Err(_) => format!("Muted {who}."),
        },
        _ => match serde_json::from_value::<Kicked>(result) {
            Ok(kicked) => {
                let whom =
                    if kicked.people.is_empty() { who.to_owned() } else { people(&kicked.people, &kicked.kicked) };
                let bans = kicked.banned.iter().map(|ban| format!(" Banned {} ({}).", ban.target, ban.id));
                format!("Disconnected {whom}.{}", bans.collect::<String>())
            }
            Err(_) => format!("Disconnected {who}."),
        },
    }
}
