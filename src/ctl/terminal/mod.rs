//! The terminal: its size and what it can do; its input without echo or line editing; its alternate screen.
//!
//! | to change | see |
//! | --- | --- |
//! | its size, whether it takes sequences, style, more than ASCII | this file |
//! | its modes, and how they come back whatever ends the program | `modes` |
//! | the alternate screen: entering it, leaving it, Ctrl-Z | `alternate` |
//! | which bytes are which key | `key` |
//! | waiting for keys, another size, an answer | `events` |
//! | how cells become sequences | `cells` |

mod alternate;
mod cells;
mod events;
mod key;
mod modes;

use std::env;
use std::io::{self, IsTerminal as _, stdin};

pub(super) use alternate::AlternateScreen;
pub(super) use cells::Cells;
pub(super) use events::{Event, Events, Waker};
pub(super) use key::Key;
pub(super) use modes::Changed;

/// Columns and rows of the terminal that standard output is; `None` if it is no terminal.
pub(super) fn size() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size_of(io::stdout())?;
    Some((columns.0.into(), rows.0.into()))
}

/// Whether text may be bold: not where `$NO_COLOR` is set (no-color.org), or the terminal knows no such thing.
pub(super) fn has_style() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && is_capable()
}

/// Whether standard input and output are terminals, so that somebody can watch and press a key.
pub(super) fn is_watched() -> bool {
    stdin().is_terminal() && io::stdout().is_terminal()
}

/// Whether the terminal takes escape sequences.
pub(super) fn is_capable() -> bool {
    env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Whether bars can be drawn with block characters: the locale is UTF-8 (locale(7)), and the terminal is not the
/// console of Linux, whose font has few of them.
pub(super) fn has_blocks() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && env::var_os("TERM").is_none_or(|term| term != "linux")
}
