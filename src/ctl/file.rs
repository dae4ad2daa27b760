//! A file for an answer. A plain file is written beside its place, under another name, and renamed
//! when it is whole. A device, a pipe, or a file that is open already is written to directly.

use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::libc::O_NOCTTY;

use super::failure::Failure;
use super::signals::BeforeEnd;

/// How many symbolic links are followed: as many as the kernel follows.
const LINKS: usize = 40;

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
        name.push(format!(".part-{}", std::process::id()));
        let aside = place.with_file_name(name);
        let remove = aside.clone();
        // It may contain what was said in private rooms, and hashes of passwords: so only its owner
        // may read it.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed)?;
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
