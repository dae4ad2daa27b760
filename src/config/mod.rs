//! The configuration files: which there are, what they say, and what is wrong with them.
//!
//! A start, a reload and `check-config` all read them by [`load`], so none of them accepts what another refuses. Later
//! files win, setting by setting. Deliberately not known here: what a setting means and what it may be
//! ([`crate::settings`]), and what becomes of a mistake (a start fails, a reload keeps the former settings).
//!
//! | to change | see |
//! | --- | --- |
//! | where the files are, which are read | this file |
//! | how files are read and merged, how large they may be, how many mistakes are told | `read` |
//! | on which line something stands; what is set twice | `source` |
//! | "did you mean ...?" | `nearest` |
//! | how a mistake is told; what an error of the system means | `problem` |
//! | what `check-config` prints | `check` |

mod check;
mod nearest;
mod problem;
mod read;
mod source;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

pub use check::check;
pub use problem::Problem;

use crate::settings::{Setting, Settings};
use read::Reader;

/// The main file.
pub const FILE: &str = "/etc/chathub/chathub.toml";

/// The directory of further files, read after the main one, in the order of their names.
pub const FRAGMENTS: &str = "/etc/chathub/conf.d";

/// Settings, and where they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The value of every setting.
    pub settings: Settings,
    /// The files that were read, in order. Empty when there are none.
    pub files: Vec<PathBuf>,
    /// A setting that is missing here has its default.
    origins: Origins,
}

/// For each setting that was written: the file that won, and the line in it, from 1.
type Origins = HashMap<&'static str, (PathBuf, usize)>;

impl Loaded {
    /// Settings that come from no file.
    #[must_use]
    pub fn of(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// The file and line that a setting has its value from; none if that is its default.
    #[must_use]
    pub fn origin(&self, setting: &Setting) -> Option<(&Path, usize)> {
        self.origins.get(setting.key).map(|(file, line)| (file.as_path(), *line))
    }
}

/// Reads the configuration: the default files, or `file`.
///
/// A `file` is read alone and must exist: who tries out a file does not mean those of this machine as well. If it is
/// [`FILE`] itself, those of [`FRAGMENTS`] follow as they do by default.
///
/// # Errors
/// All mistakes in all files, by file and line; the first two hundred if there are more.
pub fn load(file: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    Files::of(file).load()
}

/// Which files make up the configuration.
struct Files<'a> {
    /// The main file.
    file: &'a Path,
    /// If not, there are only defaults where it is missing.
    must_exist: bool,
    /// The directory of further files, if any are read.
    fragments: Option<&'a Path>,
}

impl<'a> Files<'a> {
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
        // By default the file may be missing. A symbolic link to nothing is a mistake all the same.
        if self.must_exist || !is_absent(self.file) {
            reader.file(self.file);
        }
        if let Some(directory) = self.fragments {
            reader.directory(directory);
        }
        reader.finish()
    }
}

/// Whether `path` does not exist for certain: neither a file nor a symbolic link, and nothing forbids to look.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
