//! The configuration files: their paths, their settings, and the mistakes in them.
//!
//! A start, a reload and `check-config` all read them by [`load`], so all three accept the same
//! files. Later files override earlier ones, setting by setting. This module does not know what a
//! setting means and which values it may have ([`crate::settings`]), nor what a mistake leads to (a
//! start fails, a reload keeps the former settings).
//!
//! | to change | see |
//! | --- | --- |
//! | where the files are, which are read | this file |
//! | reading and merging files; bounds on their size and on reported mistakes | `read` |
//! | line numbers; settings that are set twice | `source` |
//! | "did you mean ...?" | `nearest` |
//! | the words for a mistake, and for an error of the system | `problem` |
//! | the output of `check-config` | `check` |

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

/// The directory of the files, unless `$CONFIGURATION_DIRECTORY` names another one, as
/// `ConfigurationDirectory=` of a unit does: systemd.exec(5).
const DIRECTORY: &str = "/etc/chathub";

/// The main file in that directory.
const FILE: &str = "chathub.toml";

/// The subdirectory with further files, which are read after the main one, in the order of their
/// names.
const FRAGMENTS: &str = "conf.d";

/// Settings, and the files that they come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The value of every setting.
    pub settings: Settings,
    /// The files that were read, in order; empty if there were none.
    pub files: Vec<PathBuf>,
    /// Where each setting comes from. One that is missing here has its default.
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

    /// The file and line that a setting comes from; `None` if it has its default.
    #[must_use]
    pub fn origin(&self, setting: &Setting) -> Option<(&Path, usize)> {
        self.origins.get(setting.key).map(|(file, line)| (file.as_path(), *line))
    }
}

/// Reads the configuration: the default files, or `file`.
///
/// A `file` is read alone, and must exist: somebody who tries out a file does not want those of
/// this machine too. But if it is the main file itself, the files in `conf.d` beside it are read as
/// by default.
///
/// # Errors
/// All mistakes in all files, by file and line; at most two hundred.
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
    /// Whether a missing main file is a mistake. If not, all settings then have their defaults.
    must_exist: bool,
    /// The directory of further files; `None` if none are read.
    fragments: Option<PathBuf>,
}

impl Files {
    fn of(file: Option<&Path>) -> Self {
        let given = std::env::var("CONFIGURATION_DIRECTORY").ok();
        // The variable may name several directories, separated by colons: the first one is used.
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
        // By default the main file may be missing. But a symbolic link to nothing is a mistake.
        if self.must_exist || !is_absent(&self.file) {
            reader.file(&self.file);
        }
        if let Some(directory) = &self.fragments {
            reader.directory(directory);
        }
        reader.finish()
    }
}

/// Whether `path` certainly does not exist: there is neither a file nor a symbolic link, and
/// nothing forbade to look.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
