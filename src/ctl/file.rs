//! A file for an answer: written beside its place under another name, and put there when it is whole.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;

/// A file that is not whole yet. If it is dropped before [`Self::keep`], it is removed.
pub(super) struct NewFile {
    pub(super) file: File,
    /// Where it is written.
    aside: PathBuf,
    /// Its place.
    path: PathBuf,
    kept: bool,
}

/// What to do where a file of that name exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Replace,
    Refuse,
}

impl NewFile {
    /// Begins a file that is to stand at `path`, beside it.
    pub(super) fn create(path: &Path, existing: Existing) -> Result<Self, Failure> {
        let failed = |source| Failure::File { path: path.to_owned(), source };
        if existing == Existing::Refuse && std::fs::symlink_metadata(path).is_ok() {
            return Err(failed(ErrorKind::AlreadyExists.into()));
        }
        let mut name = path.file_name().ok_or_else(|| failed(ErrorKind::InvalidInput.into()))?.to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let aside = path.with_file_name(name);
        // It may hold what was said in private rooms, and hashes of passwords: readable for its owner alone.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside).map_err(failed)?;
        Ok(Self { file, aside, path: path.to_owned(), kept: false })
    }

    /// The file is whole: puts it in its place.
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
