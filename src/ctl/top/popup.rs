//! Draws the pop-up above the list, in a frame: help, details of a row, a question. Pure.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Clear, Widget as _};
use unicode_width::UnicodeWidthStr as _;

use super::glyphs::{legible, put};
use super::keys::HELP;
use super::looking::{Looking, Popup};
use super::model::Model;
use super::question::Act;
use super::theme::Theme;
use crate::ctl::print::table::wrap;

/// The greatest width of a pop-up, in columns; longer lines are hard to read.
const WIDEST: u16 = 76;

/// Draws the open pop-up; nothing if none is open.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, looking: &mut Looking, theme: Theme) {
    let (title, lines, keys) = match &looking.popup {
        None => return,
        Some(Popup::Help) => {
            let keys = HELP.iter().map(|(keys, _)| theme.plain(keys).width()).max().unwrap_or(0);
            let line = |(key, does): &(&str, &str)| {
                let key = theme.plain(key);
                format!("{key}{}  {does}", " ".repeat(keys - key.width()))
            };
            ("Keys".to_owned(), HELP.iter().map(line).collect(), "Esc closes this")
        }
        Some(Popup::About { title, lines }) => {
            let lines = lines.clone().unwrap_or_else(|| vec!["asking ...".to_owned()]);
            (title.clone(), lines, "Esc closes this")
        }
        Some(Popup::Question(question)) => {
            let title = match question.act {
                Act::Kick => "Kick",
                Act::Mute => "Mute",
                Act::Ban => "Ban",
            };
            let (words, keys) = question.words(model);
            (title.to_owned(), words.iter().map(|line| theme.plain(line)).collect(), keys)
        }
    };
    let inner = usize::from(area.width.min(WIDEST).saturating_sub(4));
    let lines: Vec<String> = lines.iter().flat_map(|line| wrap(&legible(line), inner)).collect();
    let keys = format!(" {} ", theme.plain(keys));
    let needed = lines.iter().map(|line| line.width()).max().unwrap_or(0).max(title.width() + 2).max(keys.width());
    let widest = needed.min(inner);
    let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let width = narrow(widest + 4).min(area.width);
    let height = narrow(lines.len() + 2).min(area.height);
    let place = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    // A wide character that the frame would cut in half is replaced by a space.
    for y in place.y..place.y + height {
        if place.x > 0 && buffer[(place.x - 1, y)].symbol().width() > 1 {
            buffer[(place.x - 1, y)].set_symbol(" ");
        }
    }
    Clear.render(place, buffer);
    Block::bordered().border_set(theme.frame()).render(place, buffer);
    put(buffer, (place.x + 2, place.y), &format!(" {title} "), width.saturating_sub(4), theme.heading());
    let rows = usize::from(height - 2);
    looking.scroll = looking.scroll.min(lines.len().saturating_sub(rows));
    for (y, line) in (place.y + 1..).zip(lines.iter().skip(looking.scroll).take(rows)) {
        put(buffer, (place.x + 2, y), line, width - 4, Style::new());
    }
    let bottom = place.y + height - 1;
    let taken = put(buffer, (place.x + 2, bottom), &keys, width.saturating_sub(4), theme.heading());
    let (above, below) = (looking.scroll > 0, looking.scroll + rows < lines.len());
    if above || below {
        let more = theme.plain(match (above, below) {
            (true, true) => " \u{2191}\u{2193} ",
            (true, false) => " \u{2191} ",
            _ => " \u{2193} ",
        });
        let x = place.x + 2 + taken.min(width.saturating_sub(4));
        put(buffer, (x, bottom), &more, (place.x + width).saturating_sub(x + 1), theme.heading());
    }
}
