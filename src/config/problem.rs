//! A mistake in the configuration, and its message.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::is_absent;

/// A mistake in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the directory of files, with the mistake.
    pub file: PathBuf,
    /// The line, from 1; `None` if the mistake concerns the file as a whole.
    pub line: Option<usize>,
    /// The setting, such as `limits.clients`; `None` if no known setting is concerned.
    pub key: Option<&'static str>,
    /// The mistake and, where it can be said, the allowed values.
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

/// Why `path` could not be read, in clearer words than those of the system.
pub(super) fn explain(path: &Path, error: &io::Error) -> String {
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
