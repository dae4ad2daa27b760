//! What a client's program has told about its terminal, and which mode and width suit that.

use serde::{Deserialize, Serialize};

/// A client's terminal, as far as the hub knows it: nothing is known of clients without telnet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terminal {
    /// Characters in a row, 1 to 500; 0 if it has not said.
    pub cols: u16,
    /// Rows, 1 to 200; 0 if it has not said.
    pub rows: u16,
    /// Whether the client has answered in telnet: then it can be asked to hide what is typed.
    pub answers: bool,
    /// Whether the cursor can be moved, and the person has no line editor but the hub's or the kernel's.
    pub screen: bool,
    /// Whether the screen is read aloud: nothing may be drawn twice, or for ornament.
    pub read_aloud: bool,
    /// Whether the terminal shows ASCII only.
    pub ascii: bool,
    /// The colours that the terminal has.
    pub colors: Colors,
    /// Whether the terminal has shown that characters take as many columns on it as on most: East Asian Ambiguous ones
    /// take one, marks none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub usual: bool,
}

/// The colours that a terminal has, or is to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Colors {
    /// No colours.
    #[default]
    None,
    /// The eight colours of ECMA-48.
    Basic,
    /// xterm's 256 colours.
    Many,
}

/// Who edits the line that is typed: the client's program, or the hub.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// The client's program: it sends whole lines.
    #[default]
    Line,
    /// The hub: the client's program sends each key.
    Char,
}

/// The widest that lines are wrapped: on wider screens, the eye loses the beginning of the next row.
const WIDEST: u16 = 240;

/// Widths are rounded down to a multiple of this, so that many people share a rendering.
const WIDTH_STEP: u16 = 4;

impl Terminal {
    /// The mode that suits the terminal best.
    #[must_use]
    pub fn suits(self) -> Mode {
        if self.answers && self.screen && !self.read_aloud && self.cols > 0 && self.rows > 0 {
            Mode::Char
        } else {
            Mode::Line
        }
    }

    /// The width to wrap lines at, in characters; 0: they are not wrapped.
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
