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

/// Where the files are, unless `$CONFIGURATION_DIRECTORY` names another directory, as `ConfigurationDirectory=` of a
/// unit does: systemd.exec(5).
const DIRECTORY: &str = "/etc/chathub";

/// The main file, in that directory.
const FILE: &str = "chathub.toml";

/// The directory of further files in it, read after the main one, in the order of their names.
const FRAGMENTS: &str = "conf.d";

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
/// the main one itself, those of `conf.d` beside it follow as they do by default.
///
/// # Errors
/// All mistakes in all files, by file and line; the first two hundred if there are more.
pub fn load(file: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    Files::of(file).load()
}

/// The same, where the directory of the settings is another one than the environment says.
///
/// # Errors
/// Those of [`load`].
pub fn load_in(directory: &Path, file: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    Files::within(directory, file).load()
}

/// The main file that [`load`] reads, or [`load_in`], and the directory of further files, if any are read.
#[must_use]
pub fn places(directory: Option<&Path>, file: Option<&Path>) -> (PathBuf, Option<PathBuf>) {
    let files = directory.map_or_else(|| Files::of(file), |directory| Files::within(directory, file));
    (files.file, files.fragments)
}

/// Which files make up the configuration.
struct Files {
    /// The main file.
    file: PathBuf,
    /// If not, there are only defaults where it is missing.
    must_exist: bool,
    /// The directory of further files, if any are read.
    fragments: Option<PathBuf>,
}

impl Files {
    fn of(file: Option<&Path>) -> Self {
        let given = std::env::var("CONFIGURATION_DIRECTORY").ok();
        // Several stand there with colons between them.
        let given = given.as_deref().and_then(|given| given.split(':').find(|directory| !directory.is_empty()));
        Self::within(Path::new(given.unwrap_or(DIRECTORY)), file)
    }

    fn within(directory: &Path, file: Option<&Path>) -> Self {
        let (main, fragments) = (directory.join(FILE), Some(directory.join(FRAGMENTS)));
        match file {
            None => Self { file: main, must_exist: false, fragments },
            Some(file) if file == main => Self { file: main, must_exist: true, fragments },
            Some(file) => Self { file: file.into(), must_exist: true, fragments: None },
        }
    }

    fn load(&self) -> Result<Loaded, Vec<Problem>> {
        let mut reader = Reader::default();
        // By default the file may be missing. A symbolic link to nothing is a mistake all the same.
        if self.must_exist || !is_absent(&self.file) {
            reader.file(&self.file);
        }
        if let Some(directory) = &self.fragments {
            reader.directory(directory);
        }
        reader.finish()
    }
}

/// Whether `path` does not exist for certain: neither a file nor a symbolic link, and nothing forbids to look.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
