//! The configuration files: finding, reading and judging them.
//!
//! What the settings are stands in [`crate::settings`]; here is where they come from, and how every
//! mistake is told with file, line and setting. Start-up, reload and `check-config` all come through
//! [`load`], so none of them accepts what another refuses.

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

/// The directory of further files, read after the main file.
pub const FRAGMENTS: &str = "/etc/chathub/conf.d";

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
/// A `file` is read alone and must exist, unless it is [`FILE`] itself: then those of [`FRAGMENTS`]
/// follow as they do by default. Whoever tries out a file means that file, not that file and
/// whatever this machine has.
///
/// # Errors
/// Every mistake in every file, by file and line; the first two hundred, should there be more.
pub fn load(file: Option<&Path>) -> Result<Loaded, Vec<Problem>> {
    Place::of(file).load()
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
        if self.must_exist || !is_absent(self.file) {
            reader.file(self.file);
        }
        if let Some(directory) = self.fragments {
            reader.directory(directory);
        }
        reader.finish()
    }
}

/// Whether there is certainly nothing of that name.
fn is_absent(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
