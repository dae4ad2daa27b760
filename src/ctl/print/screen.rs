//! Where answers go: standard output or a file. It knows which options say how they are to look.

use std::io::{self, Write};

use serde_json::Value;

use super::escape::{Layout, escape, json};

/// Standard output or a file.
pub(in crate::ctl) struct Screen<'a> {
    out: &'a mut dyn Write,
    /// Columns and rows; `None` if it is no terminal.
    pub(in crate::ctl) terminal: Option<(usize, usize)>,
    /// Results are printed as JSON (`--json`).
    pub(in crate::ctl) json: bool,
    /// Headings and counts are printed (not `--no-legend`).
    pub(in crate::ctl) legend: bool,
    /// What was done is not told (`--quiet`).
    pub(in crate::ctl) quiet: bool,
}

impl<'a> Screen<'a> {
    /// One that is no terminal, for text with everything.
    pub(in crate::ctl) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, terminal: None, json: false, legend: true, quiet: false }
    }

    /// Writes one line, escaped.
    pub(in crate::ctl) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", escape(text))
    }

    /// Writes one line that says what was done, unless `--quiet`.
    pub(in crate::ctl) fn done(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.line(text) }
    }

    /// Writes a result as JSON: indented on a terminal, else on one line.
    pub(in crate::ctl) fn json(&mut self, value: &Value) -> io::Result<()> {
        let layout = if self.terminal.is_some() { Layout::Pretty } else { Layout::Compact };
        writeln!(self.out, "{}", json(value, layout))
    }

    /// Writes one object of a stream, on one line.
    pub(in crate::ctl) fn json_line(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{}", json(value, Layout::Compact))
    }

    /// Writes a record of comma-separated values (RFC 4180), each escaped and between quotes. What a
    /// spreadsheet could take for a formula stands behind an apostrophe.
    pub(super) fn csv(&mut self, values: &[&str]) -> io::Result<()> {
        let quoted = values.iter().map(|value| {
            let formula = if value.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
            format!("\"{formula}{}\"", escape(value).replace('"', "\"\""))
        });
        write!(self.out, "{}\r\n", quoted.collect::<Vec<_>>().join(","))
    }

    /// Writes text as it is. Only for text and escape sequences of this program: nothing here comes from the daemon.
    pub(in crate::ctl) fn verbatim(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(in crate::ctl) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a line behind an empty one, below a table.
    pub(super) fn legend(&mut self, text: &str) -> io::Result<()> {
        if self.legend { writeln!(self.out, "\n{text}") } else { Ok(()) }
    }
}
