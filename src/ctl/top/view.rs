//! The screen: what is known, on so many columns and rows. Pure, but for what the list notes of how it was laid.
//!
//! | row | is |
//! | --- | --- |
//! | title | which hub, and for how long it serves; or since when it does not answer |
//! | counts, flows, causes | the hub as a whole: [`super::summary`] |
//! | tabs | the lists, and which is looked at |
//! | list | its heading, and its rows |
//! | status | what was done, or how the list is looked at |
//! | hints | what keys do |

use std::time::Instant;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::columns::Laid;
use super::glyphs::{columns, cut, put};
use super::looking::{Looking, Pane};
use super::model::Model;
use super::theme::Theme;
use super::{panes, popup, summary};
use crate::ctl::print::values::span;

/// On fewer columns or rows nothing is shown.
pub(super) const LEAST: (u16, u16) = (40, 10);

/// From so many rows on there are all rows about the hub.
const ROOMY: u16 = 16;

/// The columns before a row: the mark of the selected one.
const MARK: u16 = 2;

/// Draws the screen.
pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, looking: &mut Looking, theme: Theme, now: Instant) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let (width, height) = (area.width, area.height);
    if width < LEAST.0 || height < LEAST.1 {
        let text = format!("too small: {} columns and {} rows are needed; q quits", LEAST.0, LEAST.1);
        for (y, line) in (0..height).zip(crate::ctl::print::table::wrap(&text, width.max(1).into())) {
            put(buffer, (0, y), &line, width, Style::new());
        }
        return;
    }
    title(buffer, model, theme, width);
    let mut y = 1;
    for line in summary::rows(model, theme, width, height >= ROOMY) {
        line.draw(buffer, y, width, theme);
        y += 1;
    }
    tabs(buffer, model, looking, theme, (y, width));
    y += 1;
    let below = 1 + u16::from(looking.hints);
    let heading = u16::from(looking.hints);
    let rows = height.saturating_sub(y + heading + below);
    let laid = model.lay(looking, ((width - MARK).into(), rows.into()));
    let people = model.sample.as_ref().is_none_or(|sample| sample.people);
    list(
        buffer,
        &laid,
        (looking, people, model.sample.is_some()),
        theme,
        Rect { x: 0, y, width, height: heading + rows },
    );
    status(buffer, model, looking, theme, &laid, (height - below, width, now));
    if looking.hints {
        put(buffer, (0, height - 1), &hints(looking, width), width, theme.aside());
    }
    popup::draw(buffer, area, model, looking, theme);
}

fn title(buffer: &mut Buffer, model: &Model, theme: Theme, width: u16) {
    let version = model.sample.as_ref().map_or("", |sample| &sample.status.version);
    let (how, passed, style) = match (model.lost(), &model.sample) {
        (Some(lost), _) => {
            let passed = u64::try_from((model.now.0 - lost.since.0) / 1000).unwrap_or(0);
            ("without the daemon", passed, theme.alert().patch(theme.title()))
        }
        (None, Some(sample)) => (&*sample.status.state, sample.status.uptime_s, theme.title()),
        (None, None) => ("", 0, theme.title()),
    };
    let right = format!("{how} for {}", span(passed));
    buffer.set_style(Rect { x: 0, y: 0, width, height: 1 }, style);
    let taken = u16::try_from(columns(&right)).unwrap_or(width).min(width);
    put(buffer, (width - taken, 0), &right, taken, style);
    // Which hub it is matters more than what it is.
    let room = width.saturating_sub(taken + 2);
    let ways = [format!("chathub {version} {}", model.place), format!("chathub {}", model.place), model.place.clone()];
    let left = ways.iter().find(|way| columns(way) <= room.into()).unwrap_or(&ways[2]);
    put(buffer, (0, 0), left, room, style);
}

fn tabs(buffer: &mut Buffer, model: &Model, looking: &Looking, theme: Theme, (y, width): (u16, u16)) {
    // Where there is no room for all names, the one that is looked at is named.
    let named = |pane: Pane, all: bool| {
        let name = if all || pane == looking.pane { format!(" {}", pane.name()) } else { String::new() };
        let count = model.count(pane).filter(|_| all || pane == looking.pane);
        let count = count.map_or_else(String::new, |count| format!(" {count}"));
        let (open, close) = if pane == looking.pane { ("[", "]") } else { (" ", " ") };
        format!("{open}{}{name}{count}{close}", pane.index() + 1)
    };
    let fits = Pane::ALL.map(|pane| columns(&named(pane, true))).iter().sum::<usize>() <= width.into();
    let mut x = 0;
    for pane in Pane::ALL {
        let style = if pane == looking.pane { theme.heading() } else { theme.aside() };
        x += put(buffer, (x, y), &named(pane, fits), width.saturating_sub(x), style);
    }
}

fn list(buffer: &mut Buffer, laid: &Laid, (looking, people, known): (&Looking, bool, bool), theme: Theme, area: Rect) {
    let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let mut cell = |y: u16, n: usize, text: &str, style: Style| {
        let column = &laid.columns[n];
        let text = cut(text, column.width);
        let gap = if column.right { column.width.saturating_sub(columns(&text)) } else { 0 };
        put(buffer, (MARK + narrow(column.at + gap), y), &text, narrow(column.width - gap), style);
    };
    let mut y = area.y;
    if looking.hints {
        for (n, column) in laid.columns.iter().enumerate() {
            let style = if column.sorted { theme.sorted() } else { theme.heading() };
            cell(y, n, column.name, style);
        }
        y += 1;
    }
    for (at, (cells, selected)) in laid.rows.iter().enumerate() {
        let style = if *selected { theme.selected() } else { Style::new() };
        let y = y + narrow(at);
        for (n, text) in cells.iter().enumerate() {
            cell(y, n, text, style);
        }
    }
    for (at, (_, selected)) in laid.rows.iter().enumerate().filter(|(_, (_, selected))| *selected) {
        let y = y + narrow(at);
        buffer.set_style(Rect { x: 0, y, width: area.width, height: 1 }, theme.selected());
        put(buffer, (0, y), if *selected { ">" } else { " " }, 1, theme.selected());
    }
    if laid.rows.is_empty() {
        let text = match (looking.pane, laid.total) {
            _ if !known => "Nothing is known yet.",
            _ if !people => "This socket tells numbers alone; see chathub-ctl(1), FILES.",
            (_, 1..) => "Nothing has that text in it; Esc shows all.",
            (Pane::Clients, 0) => "Nobody is connected.",
            (Pane::Rooms, 0) => "Not told.",
            (_, 0) => "None.",
        };
        put(buffer, (MARK, y), text, area.width - MARK, theme.aside());
    }
}

/// What was done; or by what the list is sorted, and what of it is shown.
fn status(
    buffer: &mut Buffer,
    model: &Model,
    looking: &Looking,
    theme: Theme,
    laid: &Laid,
    (y, width, now): (u16, u16, Instant),
) {
    if looking.typing {
        let text = format!("Show only what has in it: {}_", looking.filter);
        put(buffer, (0, y), &text, width, theme.heading());
        return;
    }
    if let Some(told) = model.told(now) {
        put(buffer, (0, y), &told.text, width, if told.wrong { theme.alert() } else { theme.done() });
        return;
    }
    let mut parts = Vec::new();
    if looking.paused {
        parts.push("PAUSED".to_owned());
    } else {
        parts.push(format!("every {}", humantime::format_duration(looking.interval)));
    }
    if let Some(by) = laid.columns.iter().find(|column| column.sorted) {
        let order = match (order_of(looking.pane, by.name), looking.lists[looking.pane.index()].reversed) {
            (true, false) | (false, true) => "most first",
            (true, true) | (false, false) => "least first",
        };
        parts.push(format!("by {}, {order}", by.name));
    }
    if !looking.filter.is_empty() {
        parts.push(format!("{} of {} have {:?}", laid.matching, laid.total, looking.filter));
    }
    if laid.matching > laid.rows.len() {
        let last = laid.first + laid.rows.len();
        parts.push(format!("{} to {last} of {}", laid.first + 1, laid.matching));
    }
    put(buffer, (0, y), &parts.join("; "), width, theme.aside());
}

/// Whether the largest come first by that column unless reversed.
fn order_of(pane: Pane, column: &str) -> bool {
    let find = |all: Vec<(&str, bool)>| all.into_iter().any(|(name, most)| name == column && most);
    match pane {
        Pane::Clients => find(panes::clients().iter().map(|column| (column.name, column.most_first)).collect()),
        Pane::Rooms => find(panes::rooms().iter().map(|column| (column.name, column.most_first)).collect()),
        Pane::Causes => find(panes::causes().iter().map(|column| (column.name, column.most_first)).collect()),
        Pane::Sanctions => find(panes::sanctions().iter().map(|column| (column.name, column.most_first)).collect()),
    }
}

/// What keys do, as much as fits.
fn hints(looking: &Looking, width: u16) -> String {
    let of_clients = looking.pane == Pane::Clients;
    let all = [
        ("q quit", true),
        ("? help", true),
        ("s sort", true),
        ("Tab lists", true),
        ("K kick", of_clients),
        ("M mute", of_clients),
        ("B ban", of_clients),
        ("w whois", of_clients),
        ("/ filter", true),
        ("p pause", true),
        ("r reverse", true),
        ("+- pace", true),
    ];
    let mut line = String::new();
    for (hint, _) in all.iter().filter(|(_, there)| *there) {
        let gap = if line.is_empty() { "" } else { "  " };
        if line.len() + gap.len() + hint.len() > width.into() {
            break;
        }
        line.push_str(gap);
        line.push_str(hint);
    }
    line
}
