//! The look of the screen: sixteen colours, bold and reverse, if the terminal has them. No meaning
//! depends on colour alone.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::{bar, border};

use crate::ctl::terminal;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Theme {
    /// Colours, bold and reverse.
    styled: bool,
    /// Block and line-drawing characters.
    blocks: bool,
}

impl Theme {
    pub(super) fn of_terminal() -> Self {
        Self { styled: terminal::has_style(), blocks: terminal::has_blocks() }
    }

    fn style(self, style: Style) -> Style {
        if self.styled { style } else { Style::new() }
    }

    pub(super) fn title(self) -> Style {
        self.style(Style::new().add_modifier(Modifier::REVERSED))
    }

    pub(super) fn heading(self) -> Style {
        self.style(Style::new().add_modifier(Modifier::BOLD))
    }

    pub(super) fn sorted(self) -> Style {
        self.style(Style::new().fg(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED))
    }

    pub(super) fn selected(self) -> Style {
        self.style(Style::new().add_modifier(Modifier::REVERSED))
    }

    pub(super) fn bars(self) -> Style {
        self.style(Style::new().fg(Color::Green))
    }

    /// For what needs attention.
    pub(super) fn alert(self) -> Style {
        self.style(Style::new().fg(Color::LightRed).add_modifier(Modifier::BOLD))
    }

    /// For the message that an act was carried out.
    pub(super) fn done(self) -> Style {
        self.style(Style::new().fg(Color::LightGreen))
    }

    /// For less important text.
    pub(super) fn aside(self) -> Style {
        self.style(Style::new().add_modifier(Modifier::DIM))
    }

    /// The characters of a sparkline's bars.
    pub(super) fn levels(self) -> bar::Set<'static> {
        if self.blocks {
            return bar::NINE_LEVELS;
        }
        bar::Set {
            full: "#",
            seven_eighths: "#",
            three_quarters: "*",
            five_eighths: "+",
            half: "=",
            three_eighths: "-",
            one_quarter: "-",
            one_eighth: ".",
            empty: " ",
        }
    }

    /// The characters of a pop-up's frame.
    pub(super) fn frame(self) -> border::Set<'static> {
        if self.blocks {
            return border::PLAIN;
        }
        border::Set {
            top_left: "+",
            top_right: "+",
            bottom_left: "+",
            bottom_right: "+",
            vertical_left: "|",
            vertical_right: "|",
            horizontal_top: "-",
            horizontal_bottom: "-",
        }
    }

    /// The text with arrows written as words, if the terminal may lack arrows.
    pub(super) fn plain(self, text: &str) -> String {
        if self.blocks {
            return text.to_owned();
        }
        text.replace('\u{2191}', "Up")
            .replace('\u{2193}', "Down")
            .replace('\u{2190}', "Left")
            .replace('\u{2192}', "Right")
    }
}

#[cfg(test)]
impl Theme {
    pub(super) const PLAIN: Self = Self { styled: false, blocks: false };
    pub(super) const FULL: Self = Self { styled: true, blocks: true };
}
