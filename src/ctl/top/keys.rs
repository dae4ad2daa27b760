//! The effect of each key. Pure.

use super::looking::{Looking, Pane, Popup, Step};
use super::model::Model;
use super::panes;
use super::question::{Act, Question, Reply};
use crate::ctl::terminal::Key;
use crate::wire::admin::Command;
use crate::wire::admin::args::{RoomArgs, WhoArgs};
use crate::wire::admin::value::Text;

/// The longest filter, in bytes.
const FILTER: usize = 64;

/// The lines of the help: keys, and what they do. The keys used most often come first.
pub(super) const HELP: &[(&str, &str)] = &[
    ("\u{2191} \u{2193} j k", "select a row; also PgUp, PgDn, Home, End"),
    ("Enter w", "tell all about it (whois)"),
    ("K M B", "kick, mute, ban who is selected; asks first"),
    ("Tab 1 2 3 4", "clients, rooms, refusals, sanctions"),
    ("s S < >", "sort by another column"),
    ("r", "the other way round"),
    ("/", "show only what has a text in it; Esc: all"),
    ("p Space", "stand still, go on"),
    ("+ -", "look less often, more often"),
    ("Esc", "close this; select nothing"),
    ("Ctrl-L", "draw all anew"),
    ("q Ctrl-C", "quit"),
];

/// An action that a key asks for, beyond a change of what is shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wish {
    Quit,
    Suspend,
    /// Draw the whole screen again.
    Redraw,
    /// Ask the daemon for a sample now.
    Look,
    /// Ask the daemon about one client or room, for the pop-up.
    About(Command),
    /// Ask the daemon whom the act would hit, for the question. The text is the client's id.
    Try(Act, String, Command),
    /// Carry the act out. The text is the client's name and id.
    Do(Act, String, Command),
}

/// Handles a key. `Err` is a message for the user: why the key has no effect.
pub(super) fn press(key: &Key, looking: &mut Looking, model: &Model) -> Result<Option<Wish>, String> {
    match key {
        Key::Ctrl('c') => return Ok(Some(Wish::Quit)),
        Key::Ctrl('z') => return Ok(Some(Wish::Suspend)),
        Key::Ctrl('l') => return Ok(Some(Wish::Redraw)),
        _ => {}
    }
    if looking.popup.is_some() {
        return Ok(above(key, looking, model));
    }
    if looking.typing {
        type_filter(key, looking);
        return Ok(None);
    }
    let columns = columns(looking.pane);
    match key {
        Key::Char('q' | 'Q') | Key::Ctrl('d') => return Ok(Some(Wish::Quit)),
        Key::Up | Key::Char('k') => looking.list().step(Step::Up),
        Key::Down | Key::Char('j') => looking.list().step(Step::Down),
        Key::PageUp | Key::Ctrl('b') => looking.list().step(Step::PageUp),
        Key::PageDown | Key::Ctrl('f') => looking.list().step(Step::PageDown),
        Key::Home | Key::Char('g') => looking.list().step(Step::Home),
        Key::End | Key::Char('G') => looking.list().step(Step::End),
        Key::Char('s' | '>') | Key::Right => looking.list().sort = (looking.list().sort + 1) % columns,
        Key::Char('S' | '<') | Key::Left => looking.list().sort = (looking.list().sort + columns - 1) % columns,
        Key::Char('r') => looking.list().reversed = !looking.list().reversed,
        Key::Tab => return Ok(go(looking, Pane::ALL[(looking.pane.index() + 1) % 4])),
        Key::BackTab => return Ok(go(looking, Pane::ALL[(looking.pane.index() + 3) % 4])),
        Key::Char(c @ '1'..='4') => return Ok(go(looking, Pane::ALL[*c as usize - '1' as usize])),
        Key::Char('/') => looking.typing = true,
        Key::Char('p' | ' ') => {
            looking.paused = !looking.paused;
            return Ok((!looking.paused).then_some(Wish::Look));
        }
        Key::Char('+') => looking.pace(true),
        Key::Char('-') => looking.pace(false),
        Key::Char('?' | 'h') => looking.open(Popup::Help),
        Key::Enter | Key::Char('w') => return about(looking, model).map(Some),
        Key::Char('K') => return ask(Act::Kick, looking, model),
        Key::Char('M') => return ask(Act::Mute, looking, model),
        Key::Char('B') => return ask(Act::Ban, looking, model),
        Key::Escape if !looking.filter.is_empty() => looking.filter.clear(),
        Key::Escape => looking.list().selected = None,
        _ => {}
    }
    Ok(None)
}

/// The number of columns by which the list of a pane can be sorted.
fn columns(pane: Pane) -> usize {
    match pane {
        Pane::Clients => panes::clients().len(),
        Pane::Rooms => panes::rooms().len(),
        Pane::Causes => panes::causes().len(),
        Pane::Sanctions => panes::sanctions().len(),
    }
}

/// Switches to a pane.
fn go(looking: &mut Looking, pane: Pane) -> Option<Wish> {
    looking.pane = pane;
    // While its pane is not shown, the list of sanctions is asked for seldom; so ask now.
    (pane == Pane::Sanctions).then_some(Wish::Look)
}

/// Handles a key while a pop-up is open above the list.
fn above(key: &Key, looking: &mut Looking, model: &Model) -> Option<Wish> {
    match (&mut looking.popup, key) {
        (_, Key::Up | Key::PageUp) => looking.scroll = looking.scroll.saturating_sub(1),
        (_, Key::Down | Key::PageDown) => looking.scroll = looking.scroll.saturating_add(1),
        (Some(Popup::Question(question)), key) => match question.press(key, model) {
            Reply::Open => {}
            Reply::No => looking.popup = None,
            Reply::Yes(command) => {
                let wish = Wish::Do(question.act, format!("{} ({})", question.nick, question.id), command);
                looking.popup = None;
                return Some(wish);
            }
        },
        (_, Key::Escape | Key::Enter | Key::Char('q' | 'w' | '?' | 'h' | ' ')) => looking.popup = None,
        _ => {}
    }
    None
}

/// Handles a key while the filter is being typed.
fn type_filter(key: &Key, looking: &mut Looking) {
    let mut add = |c: char| {
        if !c.is_control() && looking.filter.len() + c.len_utf8() <= FILTER {
            looking.filter.push(c);
        }
    };
    match key {
        Key::Char(c) => add(*c),
        Key::Pasted(text) => text.chars().for_each(add),
        Key::Backspace => drop(looking.filter.pop()),
        Key::Ctrl('u') => looking.filter.clear(),
        Key::Escape => {
            looking.filter.clear();
            looking.typing = false;
        }
        Key::Enter => looking.typing = false,
        Key::Up => looking.list().step(Step::Up),
        Key::Down => looking.list().step(Step::Down),
        _ => {}
    }
}

/// Opens a pop-up with the details of the selected row.
fn about(looking: &mut Looking, model: &Model) -> Result<Wish, String> {
    let Some(key) = looking.selected().map(str::to_owned) else {
        return Err("select a row first: \u{2191} \u{2193}".into());
    };
    let (title, lines, wish) = match looking.pane {
        Pane::Clients => {
            let title = model.client(&key).map_or_else(|| key.clone(), |client| format!("{} ({key})", client.nick));
            (title, None, Wish::About(Command::ClientsGet(WhoArgs { who: Text(key) })))
        }
        Pane::Rooms => {
            let room = key.parse().map_err(|_| format!("no room can be called {key:?}"))?;
            (key, None, Wish::About(Command::RoomsGet(RoomArgs { room })))
        }
        Pane::Causes => {
            let cause = panes::CAUSES.iter().find(|cause| cause.counter == key);
            let lines = cause.map(|cause| vec![format!("{}: {}", cause.what, cause.why), format!("counter {key}")]);
            (key, Some(lines.unwrap_or_default()), Wish::Redraw)
        }
        Pane::Sanctions => {
            let now = model.sample.as_ref().map_or(model.now, super::sample::Sample::now);
            let lines = model.sanction(&key).map(|sanction| panes::about_sanction(sanction, now));
            (key, Some(lines.unwrap_or_default()), Wish::Redraw)
        }
    };
    looking.open(Popup::About { title, lines });
    Ok(wish)
}

/// Opens the question whether to do `act` to the selected client.
fn ask(act: Act, looking: &mut Looking, model: &Model) -> Result<Option<Wish>, String> {
    if looking.pane != Pane::Clients {
        return Err("that is for clients: 1 shows them".to_owned());
    }
    let client = looking.selected().and_then(|id| model.client(id));
    let Some(client) = client else { return Err("select a client first: \u{2191} \u{2193}".to_owned()) };
    let question = Question::about(act, client);
    let wish = question.trial().map(|command| Wish::Try(act, client.id.clone(), command));
    looking.open(Popup::Question(question));
    Ok(wish)
}
