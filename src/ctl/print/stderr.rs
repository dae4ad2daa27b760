//! Standard error: complaints and notes. It may be closed, and then there is nobody to tell: failures are ignored.

use std::io::{self, Write as _};

use super::escape::escape;

/// Tells what went wrong. Lines behind the first, as of a configuration with several mistakes, are notes to it.
pub(in crate::ctl) fn complain(text: &str) {
    let mut lines = text.lines();
    let _ = writeln!(io::stderr(), "chathub ctl: {}", escape(lines.next().unwrap_or_default()));
    lines.for_each(note);
}

/// Tells what helps, or belongs to a complaint.
pub(in crate::ctl) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "  {}", escape(text));
}
