//! Answers that go to a file: written aside, and in their place when they are whole; and how far it is.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Failure;
use super::print;

/// A file that is not whole yet. It is gone if it never will be.
pub(super) struct NewFile {
    pub(super) file: File,
    aside: PathBuf,
    path: PathBuf,
    kept: bool,
}

/// Whether a file that is there may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Replace,
    Refuse,
}

impl NewFile {
    /// Begins one beside `path`.
    pub(super) fn create(path: &Path, existing: Existing) -> Result<Self, Failure> {
        let failed = |source| Failure::File { path: path.to_owned(), source };
        if existing == Existing::Refuse && std::fs::symlink_metadata(path).is_ok() {
            return Err(failed(ErrorKind::AlreadyExists.into()));
        }
        let mut name = path.file_name().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?.to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let aside = path.with_file_name(name);
        // What a hub has recorded is nobody else's to read.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed)?;
        Ok(Self { file, aside, path: path.to_owned(), kept: false })
    }

    /// It is whole: it takes its place.
    pub(super) fn keep(mut self) -> Result<(), Failure> {
        let done = self.file.sync_all().and_then(|()| std::fs::rename(&self.aside, &self.path));
        self.kept = done.is_ok();
        done.map_err(|source| Failure::File { path: self.path.clone(), source })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.aside);
        }
    }
}

/// How often progress is shown.
const EVERY: Duration = Duration::from_millis(200);

/// A line on standard error that says how far it is, if that is a terminal.
#[derive(Default)]
pub(super) struct Progress {
    shown: bool,
    next: Option<Instant>,
}

impl Progress {
    /// One that shows itself, if there is somebody to see it.
    pub(super) fn new(quiet: bool) -> Self {
        Self { shown: false, next: (!quiet && io::stderr().is_terminal()).then(Instant::now) }
    }

    /// So many lines so far; how many there will be is not known.
    pub(super) fn lines(&mut self, count: u64, last: &str) {
        self.show(|| format!("{}, up to {last}", print::values::count(count, "line")));
    }

    /// So many bytes of all.
    pub(super) fn bytes(&mut self, done: u64, total: u64) {
        const WIDTH: u64 = 40;
        self.show(|| {
            let full = usize::try_from(done * WIDTH / total.max(1)).unwrap_or(0);
            let bar = format!("{:<40}", "#".repeat(full));
            format!(
                "[{bar}] {:>3} %  {} of {}",
                done * 100 / total.max(1),
                print::values::bytes(done),
                print::values::bytes(total)
            )
        });
    }

    fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.next.is_some_and(|next| next <= now) {
            self.next = Some(now + EVERY);
            self.shown = true;
            let _ = write!(io::stderr(), "\r\x1b[K{}", print::escape::escape(&text()));
        }
    }

    /// Takes the line away.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
