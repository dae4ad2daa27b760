//! The status of this program: the line that `systemctl status` shows, and the file that metrics
//! and doctor read.

use std::path::PathBuf;
use std::time::Duration;

use chathub::standing::Standing;
use chathub::values::plain::Plain;
use tracing::warn;

use super::pair::Pair;
use super::pairs;

/// The line for `systemctl status`: about the certificates, a reading that was refused, and the
/// counts.
pub(crate) fn line(pairs: &[Pair], refused: Option<&str>, under_way: usize, counted: &str, now: Duration) -> String {
    let mut parts = pairs::warnings(pairs, now);
    if let Some(problem) = refused {
        parts.push(format!("new certificates were refused, and the old ones stay: {problem}"));
    }
    if parts.is_empty() {
        let certificates: Vec<_> = pairs.iter().map(|pair| format!("{} until {}", pair.name(), pair.ends())).collect();
        parts.push(certificates.join(", "));
    }
    parts.push(format!("{under_way} under way, {counted}"));
    parts.join("; ")
}

/// The directory of the status file: the unit's `RuntimeDirectory=`. Without one, no file is
/// written.
fn directory() -> Option<PathBuf> {
    std::env::var_os("RUNTIME_DIRECTORY").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The status file, which metrics and doctor read.
#[derive(Debug)]
pub(crate) struct File {
    directory: Option<PathBuf>,
    /// Whether the last attempt to write it succeeded.
    works: bool,
}

impl File {
    /// The status file of this process.
    pub(crate) fn own() -> Self {
        Self { directory: directory(), works: true }
    }

    /// Writes the file. The first failure after a success is logged.
    pub(crate) fn write(&mut self, standing: &Standing) {
        let Some(directory) = &self.directory else { return };
        let written = standing.write(directory);
        if let (Err(error), true) = (&written, self.works) {
            let directory = directory.display();
            warn!(
                "metrics and doctor are not told of certificates: {directory} cannot be written to: {}",
                Plain(error)
            );
        }
        self.works = written.is_ok();
    }
}

/// Removes the file: this process ends because it was asked to.
pub(crate) fn ended() {
    if let Some(directory) = directory() {
        Standing::take_away(&directory);
    }
}

/// Writes into the file why this process cannot start.
pub(crate) fn failed(problem: &str, now: Duration) {
    let standing = Standing { written: now.as_secs(), refused: Some(problem.to_owned()), ..Standing::default() };
    File::own().write(&standing);
}
