//! Draws text into cells one character at a time, so that no terminal shows it wider than was
//! computed. Pure.
//!
//! Terminals differ in which sequences they draw as one glyph: emoji of families, flags, syllables
//! of Indic scripts. The width is computed as the sum of wcwidth(3) over the characters, and no
//! terminal draws a sequence wider than that. So no remains of a text are left where later frames
//! would not erase them; a terminal that draws it narrower leaves a gap.

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::ctl::print::escape::escape;

/// The most combining marks that are drawn on one character.
const MARKS: usize = 4;

/// The text as it is drawn: escaped; flags as their two letters; without variation selectors, which
/// ask for coloured emoji and make glyphs wider.
pub(super) fn legible(text: &str) -> String {
    let shown = |c: char| match c {
        '\u{1f1e6}'..='\u{1f1ff}' => char::from_u32(u32::from(c) - 0x1_f1e6 + u32::from('A')),
        '\u{fe00}'..='\u{fe0f}' => None,
        c => Some(c),
    };
    escape(text).chars().filter_map(shown).collect()
}

/// The width of a text, in columns of the terminal.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The text cut to `width` columns; an ellipsis stands where it was cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    let kept: String = text.chars().take_while(fits).collect();
    if width == 0 { String::new() } else { kept + "\u{2026}" }
}

/// Draws a text at column `x` of row `y`, made [`legible`] and cut to `width` columns. Returns the
/// number of columns it takes.
pub(super) fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, width: u16, style: Style) -> u16 {
    if y >= buffer.area.height || x >= buffer.area.width {
        return 0;
    }
    let end = x + width.min(buffer.area.width - x);
    let text = cut(&legible(text), (end - x).into());
    let (mut next, mut last, mut marks) = (x, None, 0);
    for c in text.chars() {
        match u16::try_from(c.width().unwrap_or(0)).unwrap_or(2) {
            0 => {
                if let Some((at, columns)) = last.filter(|_| marks < MARKS) {
                    let cell = &mut buffer[(at, y)];
                    let marked = format!("{}{c}", cell.symbol());
                    if marked.width() == usize::from(columns) {
                        cell.set_symbol(&marked);
                        marks += 1;
                    }
                }
            }
            columns if next + columns <= end => {
                buffer[(next, y)].set_char(c).set_style(style);
                (next + 1..next + columns).for_each(|behind| buffer[(behind, y)].reset());
                (last, marks) = (Some((next, columns)), 0);
                next += columns;
            }
            _ => break,
        }
    }
    // After right-to-left text put an invisible left-to-right mark (U+200E): a terminal that
    // reorders such text then reorders this cell alone and not the columns after it.
    if text.chars().any(is_right_to_left)
        && let Some((at, columns)) = last
    {
        let marked = format!("{}\u{200e}", buffer[(at, y)].symbol());
        if marked.width() == usize::from(columns) {
            buffer[(at, y)].set_symbol(&marked);
        }
    }
    next - x
}

/// Whether a character belongs to a script written from right to left: `Bidi_Class` R or AL in
/// Unicode, approximated by blocks.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;

    fn cells(text: &str, width: u16) -> Vec<String> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 8, 1));
        put(&mut buffer, (0, 0), text, width, Style::new());
        (0..8).map(|x| buffer[(x, 0)].symbol().to_owned()).collect()
    }

    #[test]
    fn signs_of_several_characters_are_taken_one_by_one() {
        let family = cells("\u{1f469}\u{200d}\u{1f467}x", 8);
        assert_eq!(family, ["\u{1f469}\u{200d}", " ", "\u{1f467}", " ", "x", " ", " ", " "]);
        assert_eq!(cells("\u{1f1e9}\u{1f1ea}\u{2764}\u{fe0f}e\u{301}", 8)[..4], ["D", "E", "\u{2764}", "e\u{301}"]);
        assert_eq!(cells("\u{1b}\u{202e}", 8).concat(), "\\u{1b}\\\u{2026}");
        assert_eq!(cells("\u{4e2d}\u{6587}\u{540d}", 5)[..5], ["\u{4e2d}", " ", "\u{6587}", " ", "\u{2026}"]);
        assert_eq!(cells("\u{5d3}\u{5d3}", 8)[..3], ["\u{5d3}", "\u{5d3}\u{200e}", " "], "and turns nothing else");
        let marked = cells(&format!("a{}b", "\u{301}".repeat(100)), 8);
        assert_eq!((marked[0].chars().count(), &*marked[1]), (1 + MARKS, "b"));
    }
}
