//! Standard error: what went wrong, and notes on it.

use std::io::{self, Write as _};

use super::escape::escape;

// Standard error may be closed as well; there is nobody left to tell then.

/// More lines than one, as of a configuration with several mistakes, are notes to the first.
pub(in crate::ctl) fn complain(text: &str) {
    let mut lines = text.lines();
    let _ = writeln!(io::stderr(), "chathub ctl: {}", escape(lines.next().unwrap_or_default()));
    lines.for_each(note);
}

pub(in crate::ctl) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "  {}", escape(text));
}
