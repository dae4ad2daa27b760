//! The configuration files: finding, reading and judging them.
//!
//! What the settings are stands in [`crate::settings`]; here is where they come from, and how every
//! mistake is told with file, line and setting. Start-up, reload and `check-config` all come through
//! [`load`], so none of them accepts what another refuses.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::settings::{SECTIONS, SETTINGS, Setting, Settings, shorten, show};

/// The main file.
pub const FILE: &str = "/etc/chathub/chathub.toml";

/// The directory of further files, read after the main file.
pub const FRAGMENTS: &str = "/etc/chathub/conf.d";

/// Largest file that is read. The shipped one has about 10 KiB.
const MAX_FILE: u64 = 1024 * 1024;

/// Exit status for a mistake in the configuration, as in sysexits.h (`EX_CONFIG`).
pub const EX_CONFIG: u8 = 78;

/// Settings, and where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The value of every setting.
    pub settings: Settings,
    /// The files that were read, in order. Empty when there are none.
    pub files: Vec<PathBuf>,
    origins: Origins,
}

/// Where each setting was written that was: the file that won, and the line in it.
type Origins = HashMap<&'static str, (PathBuf, usize)>;

impl Loaded {
    /// The file and line that a setting has its value from; none if that is its default.
    #[must_use]
    pub fn origin(&self, setting: &Setting) -> Option<(&Path, usize)> {
        self.origins.get(setting.key).map(|(file, line)| (file.as_path(), *line))
    }
}

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file that it is in.
    pub file: PathBuf,
    /// The line, from 1; none if the file as a whole is meant.
    pub line: Option<usize>,
    /// The setting concerned; none if there is no such setting.
    pub key: Option<&'static str>,
    /// What is wrong and, where that can be said, what is allowed.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// Reads the configuration: the default files, or `file`.
///
/// A `file` is read alone and must exist, unless it is [`FILE`] itself: then those of [`FRAGMENTS`]
/// follow as they do by default. Whoever tries out a file means that file, not that file and
/// whatever this machine has.
///
/// # Errors
/// Every mistake in every file, by file and line.
pub fn load(file: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    Place::of(file).load()
}

/// `chathub check-config [FILE]`: says on `out` that all is well and which settings differ from their
/// defaults, or on `complaints` what is wrong. Yields the exit status, 0 or [`EX_CONFIG`].
///
/// # Errors
/// When `out` or `complaints` cannot be written.
pub fn check(file: Option<&Path>, out: &mut impl Write, complaints: &mut impl Write) -> io::Result<u8> {
    Place::of(file).check(out, complaints)
}

/// Which files make up the configuration.
struct Place<'a> {
    file: &'a Path,
    must_exist: bool,
    fragments: Option<&'a Path>,
}

impl<'a> Place<'a> {
    fn of(file: Option<&'a Path>) -> Self {
        let standard = Self { file: Path::new(FILE), must_exist: false, fragments: Some(Path::new(FRAGMENTS)) };
        match file {
            None => standard,
            Some(file) if file == standard.file => Self { must_exist: true, ..standard },
            Some(file) => Self { file, must_exist: true, fragments: None },
        }
    }

    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        let mut reader = Reader::default();
        // A link that leads nowhere is a mistake; no file at all is none, by default.
        if self.must_exist || self.file.symlink_metadata().is_ok() || !is_absent(self.file) {
            reader.file(self.file);
        }
        if let Some(directory) = self.fragments {
            reader.directory(directory);
        }
        reader.finish()
    }

    fn check(&self, out: &mut impl Write, complaints: &mut impl Write) -> io::Result<u8> {
        let loaded = match self.load() {
            Ok(loaded) => loaded,
            Err(problems) => {
                for problem in problems {
                    writeln!(complaints, "{problem}")?;
                }
                complaints.flush()?;
                return Ok(EX_CONFIG);
            }
        };
        for file in &loaded.files {
            writeln!(out, "{}: ok", file.display())?;
        }
        if loaded.files.is_empty() {
            writeln!(out, "{}: not there, so every setting has its default", self.file.display())?;
        }
        for setting in Settings::changes(&Settings::default(), &loaded.settings) {
            let (key, value, default) = (setting.key, setting.value(&loaded.settings), setting.default());
            writeln!(out, "{key} = {value} # default: {default}")?;
        }
        out.flush()?;
        Ok(0)
    }
}

/// Whether there is certainly nothing of that name.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Takes in one file after the other and collects the mistakes.
#[derive(Default)]
struct Reader {
    loaded: Loaded,
    problems: Vec<Problem>,
    /// Settings that had a mistake somewhere. Whether they fit the others cannot be said.
    refused: HashSet<&'static str>,
    /// There was a file that could not be taken in as a whole.
    incomplete: bool,
}

impl Reader {
    /// The files of a directory that end in `.toml`, by name. What an editor or dpkg leaves behind ends
    /// otherwise or is hidden.
    fn directory(&mut self, directory: &Path) {
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

    fn file(&mut self, file: &Path) {
        self.loaded.files.push(file.to_owned());
        let mut bytes = Vec::new();
        if let Err(error) = File::open(file).and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut bytes)) {
            return self.unreadable(file, &error);
        }
        if bytes.len() as u64 > MAX_FILE {
            return self.hopeless(file, None, format!("larger than {} MiB", MAX_FILE >> 20));
        }
        match str::from_utf8(&bytes) {
            Ok(text) => self.text(file, text),
            Err(error) => {
                let (line, byte) = (line_at(&bytes, error.valid_up_to()), bytes[error.valid_up_to()]);
                self.hopeless(file, Some(line), format!("not UTF-8: byte 0x{byte:02x}"));
            }
        }
    }

    fn text(&mut self, file: &Path, text: &str) {
        let source = Source { file, text };
        let (table, errors) = DeTable::parse_recoverable(text);
        let table = table.get_ref();
        let mut lines = HashSet::new();
        let mut sound = true;
        for error in errors {
            let span = error.span().unwrap_or(text.len()..text.len());
            let line = source.line(&span);
            if !lines.insert(line) {
                continue; // what follows from the first error of a line
            }
            if error.message() == "duplicate key" {
                self.problems.push(source.twice(table, &span));
            } else {
                sound = false;
                self.hopeless(file, Some(line), format!("not TOML: {}", error.message().replace('\n', " ")));
            }
        }
        // After a syntax error one cannot know what was meant by the rest.
        if sound {
            self.table(&source, table);
        }
    }

    fn table(&mut self, source: &Source<'_>, table: &DeTable<'_>) {
        for (name, value) in table {
            let (line, name) = (source.line(&name.span()), name.get_ref());
            match (SECTIONS.iter().find(|section| section.name == name), value.get_ref()) {
                (Some(section), DeValue::Table(settings)) => {
                    for (name, value) in settings {
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
        self.problems.push(Problem { file: source.file.to_owned(), line: Some(line), key, message });
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.hopeless(path, None, format!("cannot read: {}", explain(path, error)));
    }

    /// A mistake that leaves open what else the file says.
    fn hopeless(&mut self, file: &Path, line: Option<usize>, message: String) {
        self.incomplete = true;
        self.problems.push(Problem { file: file.to_owned(), line, key: None, message });
    }

    fn finish(mut self) -> Result<Loaded, Vec<Problem>> {
        for conflict in self.loaded.settings.conflicts() {
            if self.incomplete || conflict.keys.iter().any(|key| self.refused.contains(key)) {
                continue;
            }
            // Defaults fit one another, so one of the two was written.
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
        let place = |problem: &Problem| self.loaded.files.iter().position(|file| *file == problem.file);
        self.problems.sort_by_key(|problem| (place(problem), problem.line));
        Err(self.problems)
    }
}

/// A file and what it says.
struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        line_at(self.text.as_bytes(), span.start)
    }

    /// Something that stands in the file a second time, at `span`.
    fn twice(&self, table: &DeTable<'_>, span: &Range<usize>) -> Problem {
        let name = self.text.get(span.clone()).unwrap_or_default();
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

/// The line, from 1, that the byte at `offset` is in.
fn line_at(bytes: &[u8], offset: usize) -> usize {
    1 + bytes.iter().take(offset).filter(|byte| **byte == b'\n').count()
}

fn unknown(kind: &str, name: &str, near: Option<&str>) -> String {
    let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("unknown {kind} {}{hint}", shorten(name))
}

/// The setting that `key` may stand for: one of that name in another section, or one written alike.
fn nearest_setting(key: &str) -> Option<&'static str> {
    let name = key.rsplit('.').next().unwrap_or(key);
    let namesakes = SETTINGS.iter().filter(|setting| setting.name == name).map(|setting| setting.key);
    best(key, namesakes).map(|(near, _)| near).or_else(|| nearest(key, SETTINGS.iter().map(|setting| setting.key)))
}

/// The candidate that is written much like `word`.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    best(word, candidates).filter(|(_, likeness)| *likeness >= 0.6).map(|(near, _)| near)
}

fn best<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<(&'a str, f64)> {
    // The comparison takes time and memory by length times length, and no name is that long.
    let short: String = word.chars().take(64).collect();
    candidates
        .map(|candidate| (candidate, strsim::normalized_damerau_levenshtein(&short, candidate)))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// What the operating system means.
fn explain(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            if let Ok(target) = path.read_link() {
                return format!("it is a symbolic link to {}, which does not exist", target.display());
            }
            match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() && is_absent(parent) => {
                    format!("the directory {} does not exist", parent.display())
                }
                _ => "no such file".to_owned(),
            }
        }
        io::ErrorKind::PermissionDenied => format!(
            "permission denied for user id {}, who needs to read it and to pass through the directories above it",
            nix::unistd::geteuid()
        ),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a directory, or one above it is not".to_owned(),
        _ => error.to_string(),
    }
}
