//! The state directory. One daemon uses it at a time, and a file that is set aside is never
//! overwritten.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::OpenError;
use crate::values::plain::Plain;
use crate::values::time::Wall;
use crate::wire::admin::value::Time;

/// A state directory, locked against other daemons while this value lives.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// `None` while the lock cannot be taken, because the disk takes nothing.
    lock: Mutex<Option<Flock<File>>>,
}

impl StateDir {
    /// Makes the directory if there is none, and locks it. A directory that cannot be written is no
    /// error here: the store reports it, and tries again.
    ///
    /// # Errors
    /// Another daemon has locked the directory.
    pub fn take(path: &Path) -> Result<Self, OpenError> {
        let dir = Self { path: path.to_owned(), lock: Mutex::new(None) };
        match dir.lock() {
            Err(NotOurs::InUse(pid)) => Err(OpenError::InUse { dir: path.to_owned(), pid }),
            Ok(()) | Err(NotOurs::Unwritable(_)) => Ok(dir),
        }
    }

    /// The path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Locks the directory against other daemons, unless it is locked already.
    ///
    /// # Errors
    /// Why the directory cannot be used.
    pub fn lock(&self) -> Result<(), NotOurs> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(());
        }
        // If the directory cannot be made, opening the lock file fails.
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.path);
        let path = self.path.join("lock");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let unwritable =
            |error: io::Error| NotOurs::Unwritable(format!("cannot open {}: {}", path.display(), Plain(error)));
        match Flock::lock(file.map_err(unwritable)?, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                // The process id is for people to read. Only the lock counts.
                let _ = write_pid(&mut lock);
                *held = Some(lock);
                Ok(())
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                Err(NotOurs::InUse(text.trim().parse().ok()))
            }
            Err((_, errno)) => Err(NotOurs::Unwritable(format!("cannot lock {}: {}", path.display(), errno.desc()))),
        }
    }
}

/// Why a state directory cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// Another daemon uses the directory; its process id, if that could be read.
    InUse(Option<u32>),
    /// The disk refuses.
    Unwritable(String),
}

impl fmt::Display for NotOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(_) => f.write_str("another chathub uses the state directory"),
            Self::Unwritable(why) => f.write_str(why),
        }
    }
}

fn write_pid(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Renames a database, its write-ahead log and the log's index, so that another can take its place.
/// Returns the new name, which no file had before.
///
/// # Errors
/// The directory cannot be changed.
pub fn set_aside(path: &Path, why: &str, now: Wall) -> io::Result<PathBuf> {
    let time: String = Time(now).to_string().chars().filter(|c| !matches!(c, '-' | ':')).take(15).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let aside = (1..)
        .map(|number| {
            let number = if number == 1 { String::new() } else { format!("-{number}") };
            path.with_file_name(format!("{name}.{why}-{time}Z{number}"))
        })
        .find(|aside| ["", "-wal", "-shm"].iter().all(|part| !beside(aside, part).exists()))
        .expect("there is always one more number");
    // The log is renamed first. After a crash in between, the damaged database is there without its
    // log. In the other order, the log would be there alone, and SQLite would take it for the log
    // of the next database.
    for part in ["-wal", "-shm", ""] {
        match std::fs::rename(beside(path, part), beside(&aside, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(aside)
}

/// Removes copies and scratch files that a crash has left beside a database: they hold what was
/// recorded at that time.
pub(super) fn remove_remains(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // 0.1.0 left the extension of the database out of the names of copies.
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_copy = |rest: &str| {
        rest.strip_prefix(".copy-").is_some_and(|number| {
            let number = number.trim_end_matches("-journal");
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let is_remain = |other: &str| {
        other.strip_prefix(&stem).is_some_and(is_copy)
            || other
                .strip_prefix(&name)
                .is_some_and(|rest| is_copy(rest) || [".read", ".read-wal", ".read-shm"].contains(&rest))
    };
    let Some(Ok(dir)) = path.parent().map(std::fs::read_dir) else { return };
    for entry in dir.flatten() {
        if is_remain(&entry.file_name().to_string_lossy()) {
            // If a file cannot be removed, the next start tries again.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The path of copy `number` beside the database at `path`. [`remove_remains`] recognizes it.
pub(super) fn copy_of(path: &Path, number: u64) -> PathBuf {
    beside(path, &format!(".copy-{number}"))
}

/// The path with `suffix` appended to the file name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
