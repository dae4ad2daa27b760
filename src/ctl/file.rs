//! A file for an answer. A plain file is written beside its place under another name, and put there when it is whole;
//! a device, a pipe or what is open already is written as it is.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::libc::O_NOCTTY;

use super::failure::Failure;
use super::signals::BeforeEnd;

/// As many symbolic links are followed as the kernel follows.
const LINKS: usize = 40;

/// A file that is not whole yet. If it is dropped before [`Self::keep`], or a signal ends the program, what was written
/// beside its place is removed.
pub(super) struct NewFile {
    pub(super) file: File,
    /// As it was named.
    path: PathBuf,
    /// Where it is written, if not in its place.
    aside: Option<Aside>,
}

/// A file beside its place.
struct Aside {
    path: PathBuf,
    place: PathBuf,
    before_end: BeforeEnd,
}

/// What to do where a file of that name exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Replace,
    Refuse,
}

impl NewFile {
    /// Begins a file that is to stand at `path`. Waits for a reader where that is a pipe without one.
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
        name.push(format!(".part-{}", std::process::id()));
        let aside = place.with_file_name(name);
        let remove = aside.clone();
        // It may hold what was said in private rooms, and hashes of passwords: readable for its owner alone.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed)?;
        let before_end = BeforeEnd::does(move || drop(std::fs::remove_file(remove)));
        let before_end = before_end.map_err(|source| {
            let _ = std::fs::remove_file(&aside);
            failed(source)
        })?;
        let aside = Some(Aside { path: aside, place, before_end });
        Ok(Self { file, path: path.to_owned(), aside })
    }

    /// The file is whole: puts it in its place.
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

/// Where an answer goes.
enum Destination {
    /// To a plain file that is there, or is not there yet.
    Plain(PathBuf),
    /// Straight into what is no plain file, or is open already.
    AsItIs(File),
}

/// What a path means, its symbolic links followed.
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
    // As /dev/stdout is, where that was redirected to a file: it goes on where it stands.
    let output = File::from(std::io::stdout().as_fd().try_clone_to_owned()?);
    if let Some(found) = &found
        && is_same(found, &output.metadata()?)
    {
        return Ok(Destination::AsItIs(output));
    }
    let mut place = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = std::fs::read_link(&place) else { return Ok(Destination::Plain(place)) };
        // A file by the number of its descriptor.
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
