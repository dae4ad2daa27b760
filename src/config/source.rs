//! The text of a file: on which line something stands, and what stands there twice.

use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::problem::Problem;
use crate::settings::{Setting, shorten};

/// A file and what it says.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) text: &'a str,
    pub(super) line_ends: Vec<usize>,
}

impl Source<'_> {
    /// The line, from 1, on which `span` begins.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        1 + self.line_ends.partition_point(|end| *end < span.start)
    }

    /// Something that stands in the file a second time, at `span`.
    pub(super) fn twice(&self, table: &DeTable<'_>, span: &Range<usize>) -> Problem {
        let name = self.text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        let before = self.text.get(..span.start).unwrap_or_default();
        let header = before.rsplit('\n').next().is_some_and(|before| before.trim_start().starts_with('['));
        // The value of a section spans its header.
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
