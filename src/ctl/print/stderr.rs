//! Standard error, for complaints and notes. If it is closed, nobody can be told: failures to write
//! are ignored.

use std::io::{self, Write as _};

use super::escape::escape;

/// Prints what went wrong. Further lines of `text`, as of a configuration with several mistakes,
/// become notes.
pub(in crate::ctl) fn complain(text: &str) {
    let mut lines = text.lines();
    let _ = writeln!(io::stderr(), "chathub ctl: {}", escape(lines.next().unwrap_or_default()));
    lines.for_each(note);
}

/// Prints what helps, or belongs to a complaint.
pub(in crate::ctl) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "  {}", escape(text));
}
