//! The text of a file, for messages about it: line numbers, and settings that are set twice.

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::problem::Problem;
use crate::settings::{Setting, shorten};

/// A file and its text.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    text: &'a str,
    /// The offsets of all newlines, in bytes.
    line_ends: Vec<usize>,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        let line_ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { file, text, line_ends }
    }

    /// The line, from 1, on which `span` begins.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        1 + self.line_ends.partition_point(|end| *end < span.start)
    }

    /// The mistake that the key or section at `span` is in the file a second time.
    pub(super) fn repeated(&self, table: &DeTable<'_>, span: &Range<usize>) -> Problem {
        let name = self.text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        let before = self.text.get(..span.start).unwrap_or_default();
        let header = before.rsplit('\n').next().is_some_and(|before| before.trim_start().starts_with('['));
        // In this parser, the span of a section's value begins at its header.
        let section = table
            .iter()
            .filter(|(_, value)| value.get_ref().is_table() && value.span().start < span.start)
            .max_by_key(|(_, value)| value.span().start);
        let key = match section {
            Some((section, _)) if !header && !name.contains('.') => format!("{}.{name}", section.get_ref()),
            _ => name.to_owned(),
        };
        let setting = Setting::find(&key);
        let message = match setting {
            Some(_) => "set twice in this file".to_owned(),
            None if header => format!("[{}] stands twice in this file", shorten(&key)),
            None => format!("{} stands twice in this file", shorten(&key)),
        };
        let (file, line) = (self.file.to_owned(), Some(self.line(span)));
        Problem { file, line, key: setting.map(|setting| setting.key), message }
    }
}
