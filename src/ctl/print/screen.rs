//! The destination of an answer, standard output or a file, with the options that say how the
//! answer looks.

use std::io::{self, Write};

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::escape::{Layout, escape, json};
use super::table::wrap;
use crate::values::time::Wall;
use crate::wire::admin::value::Time;

/// The least room (in columns) for which sentences are wrapped.
const NARROWEST: usize = 24;

/// Standard output or a file.
pub(in crate::ctl) struct Screen<'a> {
    out: &'a mut dyn Write,
    /// Columns and rows of the terminal; `None` if it is no terminal.
    pub(in crate::ctl) terminal: Option<(usize, usize)>,
    /// Whether results are printed as JSON (`--json`).
    pub(in crate::ctl) json: bool,
    /// Whether headings and counts are printed (without `--no-legend`).
    pub(in crate::ctl) legend: bool,
    /// Whether messages that an act has succeeded are left out (`--quiet`).
    pub(in crate::ctl) quiet: bool,
    /// Whether nothing is left out or cut, however wide it is (`--full`).
    pub(in crate::ctl) full: bool,
    /// Whether headings are in bold type.
    pub(in crate::ctl) styled: bool,
    /// The present time, to compute ages.
    pub(in crate::ctl) now: Wall,
    /// The kind of output written last.
    last: Last,
}

/// The kind of output written last; it decides on the empty line before a legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    Nothing,
    Line,
    Legend,
}

impl<'a> Screen<'a> {
    /// A screen that is no terminal, with all options off.
    pub(in crate::ctl) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            terminal: None,
            json: false,
            legend: true,
            quiet: false,
            full: false,
            styled: false,
            now: Wall(0),
            last: Last::Nothing,
        }
    }

    /// A screen for `out`, with the same options.
    pub(in crate::ctl) fn beside<'b>(&self, out: &'b mut dyn Write) -> Screen<'b> {
        let Self { out: _, terminal, json, legend, quiet, full, styled, now, last: _ } = *self;
        Screen { out, terminal, json, legend, quiet, full, styled, now, last: Last::Nothing }
    }

    /// The number of columns for a table; `None` if there is no bound.
    pub(in crate::ctl) fn columns(&self) -> Option<usize> {
        self.terminal.map(|(columns, _)| columns).filter(|_| !self.full)
    }

    /// Seconds since `since`; 0 if that is still to come.
    pub(in crate::ctl) fn age(&self, since: &Time) -> u64 {
        u64::try_from(self.now.0.saturating_sub(since.0.0) / 1000).unwrap_or(0)
    }

    /// Seconds until `until`; 0 if that is over.
    pub(in crate::ctl) fn left(&self, until: &Time) -> u64 {
        u64::try_from(until.0.0.saturating_sub(self.now.0) / 1000).unwrap_or(0)
    }

    /// Writes one line, escaped.
    pub(in crate::ctl) fn line(&mut self, text: &str) -> io::Result<()> {
        self.last = Last::Line;
        writeln!(self.out, "{}", escape(text))
    }

    /// Writes the heading of a table.
    pub(in crate::ctl) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.last = Last::Line;
        let (begin, end) = if self.styled { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        writeln!(self.out, "{begin}{}{end}", escape(text))
    }

    /// Writes sentences: on a terminal in as many lines as they need, elsewhere in one.
    pub(in crate::ctl) fn told(&mut self, text: &str) -> io::Result<()> {
        self.hanging("", text)
    }

    /// Writes sentences about what was done, unless `--quiet`.
    pub(in crate::ctl) fn done(&mut self, text: &str) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.told(text) }
    }

    /// Writes `before` and `text` as one line. On a terminal that is too narrow for that, `text`
    /// goes on in further lines, each as far from the left as it begins.
    pub(in crate::ctl) fn hanging(&mut self, before: &str, text: &str) -> io::Result<()> {
        let (before, text) = (escape(before), escape(text));
        let indent = before.width();
        let room = self.terminal.and_then(|(columns, _)| columns.checked_sub(indent));
        // Words that are broken are better than rows of a word or two.
        let Some(room) = room.filter(|room| *room >= NARROWEST) else { return self.line(&format!("{before}{text}")) };
        for (number, row) in wrap(&text, room).iter().enumerate() {
            if number == 0 {
                self.line(&format!("{before}{row}"))?;
            } else {
                self.line(&format!("{:indent$}{row}", ""))?;
            }
        }
        Ok(())
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

    /// Writes one record of comma-separated values (RFC 4180), each escaped and quoted. A value
    /// that a spreadsheet could take for a formula gets an apostrophe before it.
    pub(super) fn csv(&mut self, values: &[&str]) -> io::Result<()> {
        let quoted = values.iter().map(|value| {
            let formula = if value.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
            format!("\"{formula}{}\"", escape(value).replace('"', "\"\""))
        });
        write!(self.out, "{}\r\n", quoted.collect::<Vec<_>>().join(","))
    }

    /// Writes text as it is. Only for text and escape sequences of this program, never for text
    /// from the daemon.
    pub(in crate::ctl) fn verbatim(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    pub(in crate::ctl) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes a line below the answer. The first such line follows an empty line.
    pub(super) fn legend(&mut self, text: &str) -> io::Result<()> {
        if !self.legend {
            return Ok(());
        }
        let space = if std::mem::replace(&mut self.last, Last::Legend) == Last::Line { "\n" } else { "" };
        let text = escape(text).into_owned();
        let lines =
            self.terminal.map_or_else(|| vec![text.clone()], |(columns, _)| wrap(&text, columns.max(NARROWEST)));
        writeln!(self.out, "{space}{}", lines.join("\n"))
    }
}
