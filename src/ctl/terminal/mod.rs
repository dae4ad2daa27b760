//! The terminal: its size and abilities, its input without echo or line editing, its alternate
//! screen.
//!
//! It does not know what is drawn or what a key means: see `ctl::top` for that.
//!
//! | to change | see |
//! | --- | --- |
//! | its size; tests for a terminal, sequences, style, block characters | this file |
//! | its modes, and their restoration however the program ends | `modes` |
//! | entering and leaving the alternate screen, Ctrl-Z | `alternate` |
//! | which bytes stand for which key | `key` |
//! | waiting for keys, a new size, an answer | `events` |
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

/// Columns and rows of the terminal at standard output; `None` if that is no terminal.
pub(super) fn size() -> Option<(usize, usize)> {
    let (columns, rows) = terminal_size::terminal_size_of(io::stdout())?;
    Some((columns.0.into(), rows.0.into()))
}

/// Whether text may be bold or coloured: not if `$NO_COLOR` is set (no-color.org), nor on a
/// terminal without escape sequences.
pub(super) fn has_style() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && is_capable()
}

/// Whether standard input and output are terminals, so that a person can watch and press keys.
pub(super) fn is_watched() -> bool {
    stdin().is_terminal() && io::stdout().is_terminal()
}

/// Whether the terminal understands escape sequences, by `$TERM`.
pub(super) fn is_capable() -> bool {
    env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// Whether bars can be drawn with block characters: the locale must be UTF-8 (locale(7)), and the
/// terminal not the Linux console, whose font has few of them.
pub(super) fn has_blocks() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default().to_lowercase();
    (locale.contains("utf-8") || locale.contains("utf8")) && env::var_os("TERM").is_none_or(|term| term != "linux")
}
