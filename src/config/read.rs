//! Reads files one after another into one set of all settings, and collects the mistakes in them.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::nearest::{nearest, nearest_setting, unknown};
use super::problem::{Problem, explain};
use super::source::Source;
use super::{Loaded, is_absent};
use crate::settings::{SECTIONS, Setting, show};

/// The largest file that is read, in bytes. The shipped file has about 10 KiB.
pub(super) const MAX_FILE: u64 = 1024 * 1024;

/// The most mistakes that are reported. A file with more of them is no configuration, and somebody
/// waits for the answer of a reload.
pub(super) const MAX_PROBLEMS: usize = 200;

/// What has been read so far. Call [`Self::file`] and [`Self::directory`], then [`Self::finish`].
#[derive(Default)]
pub(super) struct Reader {
    pub(super) loaded: Loaded,
    problems: Vec<Problem>,
    /// Settings with a wrong value in some file. They are left out when values are checked against
    /// each other.
    refused: HashSet<&'static str>,
    /// Whether some file could not be read to its end: then values are not checked against each
    /// other.
    incomplete: bool,
}

impl Reader {
    /// Reads all files of a directory whose names end in `.toml`, in the order of their names,
    /// except hidden ones. What an editor or dpkg leaves behind is hidden, or has another ending. A
    /// directory that does not exist has no files.
    pub(super) fn directory(&mut self, directory: &Path) {
        let entries = match directory.read_dir() {
            Ok(entries) => entries,
            Err(_) if is_absent(directory) => return,
            Err(error) => return self.unreadable(directory, &error),
        };
        let mut files = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => files.push(entry.path()),
                Err(error) => self.unreadable(directory, &error),
            }
        }
        files.retain(|file| {
            let hidden = file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            !hidden && file.extension().is_some_and(|extension| extension == "toml")
        });
        files.sort();
        for file in files {
            self.file(&file);
        }
    }

    /// Reads one file.
    pub(super) fn file(&mut self, file: &Path) {
        self.loaded.files.push(file.to_owned());
        let mut bytes = Vec::new();
        // Opening a named pipe blocks until another process writes to it, so named pipes are
        // refused. A shell's pipe, as in <(...), has a writer already; it is recognised by having
        // no path of its own.
        if file.metadata().is_ok_and(|found| found.file_type().is_fifo()) && file.canonicalize().is_ok() {
            return self.unusable(file, None, "it is a pipe, and no file".into());
        }
        if let Err(error) = File::open(file).and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut bytes)) {
            return self.unreadable(file, &error);
        }
        if bytes.len() as u64 > MAX_FILE {
            return self.unusable(file, None, format!("larger than {} MiB", MAX_FILE >> 20));
        }
        match str::from_utf8(&bytes) {
            Ok(text) => self.text(file, text),
            Err(error) => {
                let (before, after) = bytes.split_at(error.valid_up_to());
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                let byte = after.first().copied().unwrap_or_default();
                self.unusable(file, Some(line), format!("not UTF-8: byte 0x{byte:02x}"));
            }
        }
    }

    /// Reads the settings in the text of one file.
    pub(super) fn text(&mut self, file: &Path, text: &str) {
        let source = Source::new(file, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        let table = table.get_ref();
        let mut lines = HashSet::new();
        let mut sound = true;
        for error in errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            let line = source.line(&span);
            if !lines.insert(line) {
                continue; // it may only follow from the first error of this line
            }
            if self.is_full() {
                return;
            }
            if error.message() == "duplicate key" {
                self.push(source.repeated(table, &span));
            } else {
                sound = false;
                self.unusable(file, Some(line), format!("not TOML: {}", error.message().replace('\n', " ")));
            }
        }
        // After a syntax error it is not certain what the rest of the file means.
        if sound {
            self.table(&source, table);
        }
    }

    fn table(&mut self, source: &Source<'_>, table: &DeTable<'_>) {
        for (name, value) in table {
            if self.is_full() {
                return;
            }
            let (line, name) = (source.line(&name.span()), name.get_ref());
            match (SECTIONS.iter().find(|section| section.name == name), value.get_ref()) {
                (Some(section), DeValue::Table(settings)) => {
                    for (name, value) in settings {
                        if self.is_full() {
                            return;
                        }
                        let line = source.line(&name.span());
                        self.setting(source, line, &format!("{}.{}", section.name, name.get_ref()), value.get_ref());
                    }
                }
                (Some(section), value) => {
                    let message = format!("{} is a section; allowed: [{0}], or {0}.NAME = VALUE", section.name);
                    self.problem(source, line, None, format!("{message}, but not {}", show(value)));
                }
                (None, DeValue::Table(_)) => {
                    let near = nearest(name, SECTIONS.iter().map(|section| section.name));
                    self.problem(source, line, None, unknown("section", name, near));
                }
                (None, _) => self.problem(source, line, None, unknown("setting", name, nearest_setting(name))),
            }
        }
    }

    fn setting(&mut self, source: &Source<'_>, line: usize, key: &str, value: &DeValue<'_>) {
        let Some(setting) = Setting::find(key) else {
            return self.problem(source, line, None, unknown("setting", key, nearest_setting(key)));
        };
        match setting.set(&mut self.loaded.settings, value) {
            Ok(()) => {
                self.loaded.origins.insert(setting.key, (source.file.to_owned(), line));
            }
            Err(error) => {
                self.refused.insert(setting.key);
                self.problem(source, line, Some(setting.key), error.to_string());
            }
        }
    }

    fn problem(&mut self, source: &Source<'_>, line: usize, key: Option<&'static str>, message: String) {
        self.push(Problem { file: source.file.to_owned(), line: Some(line), key, message });
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.unusable(path, None, format!("cannot read: {}", explain(path, error)));
    }

    /// Notes a mistake after which the file cannot be read further.
    fn unusable(&mut self, file: &Path, line: Option<usize>, message: String) {
        self.incomplete = true;
        self.push(Problem { file: file.to_owned(), line, key: None, message });
    }

    fn push(&mut self, problem: Problem) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// The settings, if there is no mistake in any file and no value contradicts another.
    pub(super) fn finish(mut self) -> Result<Loaded, Vec<Problem>> {
        for conflict in self.loaded.settings.conflicts() {
            if self.incomplete || conflict.keys.iter().any(|key| self.refused.contains(key)) {
                continue;
            }
            // The defaults do not contradict each other, so at least one of these values comes from
            // a file.
            let origins = &self.loaded.origins;
            let Some((key, (file, line))) = conflict.keys.iter().find_map(|key| origins.get_key_value(key)) else {
                debug_assert!(false, "defaults that do not fit: {}", conflict.message);
                continue;
            };
            let (file, line) = (file.clone(), Some(*line));
            self.problems.push(Problem { file, line, key: Some(key), message: conflict.message });
        }
        if self.problems.is_empty() {
            return Ok(self.loaded);
        }
        let which = |problem: &Problem| self.loaded.files.iter().position(|file| *file == problem.file);
        self.problems.sort_by_key(|problem| (which(problem), problem.line));
        if let Some(last) = self.problems.get(MAX_PROBLEMS - 1) {
            let message = "too many mistakes; any further ones are left out".to_owned();
            let file = last.file.clone();
            self.problems.push(Problem { file, line: None, key: None, message });
        }
        Err(self.problems)
    }
}
