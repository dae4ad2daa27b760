//! What a client's program has told the hub about its terminal, and the input mode and line width
//! that follow from it.

use serde::{Deserialize, Serialize};

/// A client's terminal as far as the hub knows it. For a client that does not speak telnet all
/// fields keep their defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terminal {
    /// Columns, 1 to 500; 0 if the client has not told.
    pub cols: u16,
    /// Rows, 1 to 200; 0 if the client has not told.
    pub rows: u16,
    /// Whether the client has answered a telnet command: then it can be asked to hide what is
    /// typed, such as a password.
    pub answers: bool,
    /// Whether the terminal moves its cursor on request, and the client's program has no line
    /// editor of its own.
    pub screen: bool,
    /// Whether a screen reader reads the screen aloud: nothing may then be drawn twice, or as an
    /// ornament.
    pub read_aloud: bool,
    /// Whether the terminal shows ASCII only.
    pub ascii: bool,
    /// The colours that the terminal can show.
    pub colors: Colors,
    /// Whether the terminal is known to give characters the usual widths: East Asian Ambiguous
    /// characters take one column, combining marks none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub usual: bool,
}

/// The colours that a terminal can show, or that it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Colors {
    /// No colours.
    #[default]
    None,
    /// The eight colours of ECMA-48 (SGR 30 to 37).
    Basic,
    /// xterm's palette of 256 colours.
    Many,
}

/// The editor of the line that a person types: the client's program, or the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// The client's program edits, and sends whole lines.
    #[default]
    Line,
    /// The hub edits: the client's program sends each key at once.
    Char,
}

/// The largest width at which lines are wrapped, in columns: in longer rows, the eye loses the
/// beginning of the next row.
const WIDEST: u16 = 240;

/// Widths are rounded down to a multiple of this many columns, so that many people share one
/// rendering.
const WIDTH_STEP: u16 = 4;

impl Terminal {
    /// The mode that suits the terminal best: [`Mode::Char`] on a screen of known size that nobody
    /// reads aloud, else [`Mode::Line`].
    #[must_use]
    pub fn suits(self) -> Mode {
        if self.answers && self.screen && !self.read_aloud && self.cols > 0 && self.rows > 0 {
            Mode::Char
        } else {
            Mode::Line
        }
    }

    /// The width at which lines are wrapped, in columns; 0 if they are not wrapped.
    #[must_use]
    pub fn width(self) -> u16 {
        if self.read_aloud { 0 } else { self.cols.min(WIDEST) / WIDTH_STEP * WIDTH_STEP }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn char_mode_suits_a_terminal_of_known_size_that_nobody_reads_aloud() {
        let terminal = Terminal { cols: 80, rows: 24, answers: true, screen: true, ..Terminal::default() };
        assert_eq!(terminal.suits(), Mode::Char);
        for other in [
            Terminal { cols: 0, ..terminal },
            Terminal { rows: 0, ..terminal },
            Terminal { answers: false, ..terminal },
            Terminal { screen: false, ..terminal },
            Terminal { read_aloud: true, ..terminal },
        ] {
            assert_eq!(other.suits(), Mode::Line, "{other:?}");
        }
    }

    #[test]
    fn widths_come_in_few_sizes() {
        let width = |cols| Terminal { cols, ..Terminal::default() }.width();
        assert_eq!([0, 20, 79, 80, 83, 500].map(width), [0, 20, 76, 80, 80, 240]);
        assert_eq!(Terminal { cols: 80, read_aloud: true, ..Terminal::default() }.width(), 0);
    }
}
