//! A file for an answer. A plain file is written beside its place, under another name, and renamed
//! when it is whole. A device, a pipe, or a file that is open already is written to directly.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc::{O_NOCTTY, O_NOFOLLOW, O_NONBLOCK};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::failure::Failure;
use super::signals::BeforeEnd;

/// How many symbolic links are followed: as many as the kernel follows.
const LINKS: usize = 40;

/// The end of the name of a file that is not whole yet, before the number of the process.
const PART: &str = ".part-";

/// A file that is not whole yet. If it is dropped before [`Self::keep`], or a signal ends the
/// program, the part that was written beside its place is removed.
pub(super) struct NewFile {
    pub(super) file: File,
    /// The path, as the user has named it.
    path: PathBuf,
    /// The file beside its place, unless it is written to directly.
    aside: Option<Aside>,
}

/// A file that is written beside its place.
struct Aside {
    path: PathBuf,
    place: PathBuf,
    before_end: BeforeEnd,
}

/// What to do if there is a file of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Replace,
    Refuse,
}

impl NewFile {
    /// Begins a file for `path`. If `path` is a pipe without a reader, waits for one.
    pub(super) fn create(path: &Path, existing: Existing) -> Result<Self, Failure> {
        let failed = |source| Failure::File { path: path.to_owned(), source };
        if existing == Existing::Refuse && std::fs::symlink_metadata(path).is_ok() {
            return Err(failed(ErrorKind::AlreadyExists.into()));
        }
        let place = match destination(path).map_err(failed)? {
            Destination::AsItIs(file) => return Ok(Self { file, path: path.to_owned(), aside: None }),
            Destination::Plain(place) => place,
        };
        let mut name = place.file_name().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?.to_owned();
        name.push(PART);
        remove_left_over(&place.with_file_name(&name));
        name.push(std::process::id().to_string());
        let aside = place.with_file_name(name);
        let remove = aside.clone();
        // It may contain what was said in private rooms, and hashes of passwords: so only its owner
        // may read it.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed)?;
        // The lock tells others that somebody writes the file. Where there are no locks, they leave it.
        let _ = file.try_lock();
        let before_end = BeforeEnd::does(move || drop(std::fs::remove_file(remove)));
        let before_end = before_end.map_err(|source| {
            let _ = std::fs::remove_file(&aside);
            failed(source)
        })?;
        let aside = Some(Aside { path: aside, place, before_end });
        Ok(Self { file, path: path.to_owned(), aside })
    }

    /// Puts the file, which is whole now, in its place.
    pub(super) fn keep(mut self) -> Result<(), Failure> {
        let Some(aside) = &self.aside else { return Ok(()) };
        let done = self.file.sync_all().and_then(|()| {
            aside.before_end.disarm(|| {
                let done = std::fs::rename(&aside.path, &aside.place);
                let _ = done.is_err().then(|| std::fs::remove_file(&aside.path));
                done
            })
        });
        let done = done.map_err(|source| Failure::File { path: self.path.clone(), source });
        if done.is_ok() {
            self.aside = None;
        }
        done
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(aside) = &self.aside {
            aside.before_end.disarm(|| drop(std::fs::remove_file(&aside.path)));
        }
    }
}

/// Removes what programs that were killed have left of the same file: their names are `path` and the
/// number of a process. A file that is locked, or whose process is there, is still being written.
fn remove_left_over(path: &Path) {
    let (Some(dir), Some(start)) = (path.parent(), path.file_name()) else { return };
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.as_bytes().strip_prefix(start.as_bytes()).and_then(|rest| str::from_utf8(rest).ok());
        let Some(pid) = number.and_then(|number| number.parse::<i32>().ok()).filter(|pid| *pid > 0) else { continue };
        let is_gone = kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH);
        let file = OpenOptions::new().read(true).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(entry.path());
        if is_gone && file.is_ok_and(|file| file.try_lock().is_ok()) {
            // If it cannot be removed, it harms nothing.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The place that a path names.
enum Destination {
    /// A plain file, which may exist or not.
    Plain(PathBuf),
    /// Something that is no plain file, or is open already: it is written to directly.
    AsItIs(File),
}

/// The place that a path names, after its symbolic links.
fn destination(path: &Path) -> std::io::Result<Destination> {
    let found = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            let file = OpenOptions::new().write(true).custom_flags(O_NOCTTY).open(path)?;
            return Ok(Destination::AsItIs(file));
        }
        Ok(found) => Some(found),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // The path may be that of standard output, such as /dev/stdout: writing then continues at its
    // position.
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    if let Some(found) = &found
        && is_same(found, &output.metadata()?)
    {
        return Ok(Destination::AsItIs(output));
    }
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&place) else { return Ok(Destination::Plain(place)) };
        // The path names a file by the number of its descriptor.
        if place.starts_with("/proc") || place.starts_with("/dev/fd") {
            return OpenOptions::new().append(true).open(&place).map(Destination::AsItIs);
        }
        place.pop();
        place.push(target);
    }
    Err(nix::errno::Errno::ELOOP.into())
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}
