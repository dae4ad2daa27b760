//! Draws the cells of a screen as escape sequences: a ratatui `Backend`. It uses only sequences
//! that every terminal since the VT100 knows, and sixteen colours.
//!
//! Terminals disagree on the width of some characters in people's names. So after each cell that is
//! not ASCII the cursor is moved explicitly, and the columns to its right stand where they belong,
//! whatever width the terminal gave it.

use std::fmt::Write as _;
use std::io::{self, Write as _, stdout};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};

/// The alternate screen on standard output. What is drawn is collected and sent by `flush` in one
/// write.
#[derive(Debug, Default)]
pub(in crate::ctl) struct Cells {
    to_send: String,
}

/// The SGR sequence (ECMA-48) that selects this foreground, background and modifier for the text
/// after it.
fn select(style: (Color, Color, Modifier)) -> String {
    let (foreground, background, modifier) = style;
    let mut sequence = String::from("\x1b[0");
    for (has, code) in [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)] {
        if modifier.contains(has) {
            let _ = write!(sequence, ";{code}");
        }
    }
    for (color, base) in [(foreground, 30), (background, 40)] {
        if let Some(code) = number(color) {
            let _ = write!(sequence, ";{}", if code < 8 { base + code } else { base + 52 + code });
        }
    }
    sequence.push('m');
    sequence
}

/// The number of one of the sixteen colours; `None` for the terminal's default.
fn number(color: Color) -> Option<u8> {
    Some(match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        _ => return None,
    })
}

impl Backend for Cells {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let plain = (Color::Reset, Color::Reset, Modifier::empty());
        let (mut next, mut style) = (None, plain);
        for (x, y, cell) in content {
            if next != Some((x, y)) {
                let _ = write!(self.to_send, "\x1b[{};{}H", y + 1, x + 1);
            }
            let wanted = (cell.fg, cell.bg, cell.modifier);
            if wanted != style {
                self.to_send.push_str(&select(wanted));
                style = wanted;
            }
            self.to_send.push_str(cell.symbol());
            next = cell.symbol().is_ascii().then_some((x + 1, y));
        }
        if style != plain {
            self.to_send.push_str("\x1b[0m");
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.to_send.push_str("\x1b[?25l");
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.to_send.push_str("\x1b[?25h");
        Ok(())
    }

    /// Always the origin: the position is never needed, as the whole screen is drawn.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        let _ = write!(self.to_send, "\x1b[{};{}H", y + 1, x + 1);
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.to_send.push_str("\x1b[0m\x1b[2J");
        Ok(())
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.to_send.push_str(match clear_type {
            ClearType::All => "\x1b[2J",
            ClearType::AfterCursor => "\x1b[J",
            ClearType::BeforeCursor => "\x1b[1J",
            ClearType::CurrentLine => "\x1b[2K",
            ClearType::UntilNewLine => "\x1b[K",
        });
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let narrow = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        // A terminal that does not know its size, such as a serial line, is taken for one of 80
        // columns and 24 rows.
        let (columns, rows) = super::size().filter(|size| size.0 > 0 && size.1 > 0).unwrap_or((80, 24));
        Ok(Size { width: narrow(columns), height: narrow(rows) })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Size::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut out = stdout().lock();
        let sent = out.write_all(self.to_send.as_bytes()).and_then(|()| out.flush());
        self.to_send.clear();
        sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn the_cursor_is_placed_anew_after_characters_of_uncertain_width() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "ab\u{4e2d}c\u{5e9}7", Style::new());
        buffer.set_string(0, 1, "x", Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD));
        let mut cells = Cells::default();
        cells.draw(Buffer::empty(buffer.area).diff(&buffer).into_iter()).expect("memory");
        let drawn = "\x1b[1;1Hab\u{4e2d}\x1b[1;5Hc\u{5e9}\x1b[1;7H7\x1b[2;1H\x1b[0;1;91mx\x1b[0m";
        assert_eq!(cells.to_send, drawn);
    }
}
