//! What readers on other threads need: connections to the file, and copies of it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use nix::sys::statvfs::statvfs;

use super::health::lock;
use super::{Health, Job, Reader, Trouble, dir};
use crate::values::plain::Plain;

/// How much must stay free on the disk when a copy is made, in bytes: for what is said while it is
/// there.
const LEFT_FREE: u64 = 16 << 20;

/// Length of each piece of a copy, in bytes. The last piece may be shorter.
pub const PIECE: usize = 48 * 1024;

/// Opens connections for reading, on any thread.
#[derive(Clone)]
pub struct Source {
    pub(super) path: PathBuf,
    pub(super) health: Arc<Mutex<Health>>,
    pub(super) jobs: Sender<Job>,
}

impl Source {
    /// Opens the file for reading.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub fn open(&self) -> Result<Reader, Trouble> {
        let (generation, keep) = {
            let health = lock(&self.health);
            (health.generation, health.keep)
        };
        let told = self.clone();
        Reader::open(&self.path)
            .map(|reader| reader.keeping(keep).reporting(Box::new(move |trouble| told.report(generation, trouble))))
            .inspect_err(|trouble| self.report(generation, trouble))
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a copy of the file as it is now, and calls `take` with its pieces of [`PIECE`] bytes,
    /// until `take` returns `false`. `take` is given the offset of the piece, the length of the
    /// whole copy, and the bytes. The copy is made in the state directory; its name is removed as
    /// soon as it is open.
    ///
    /// # Errors
    /// There is no room for the copy on the disk, or the file cannot be read.
    pub fn copy(&self, take: &mut dyn FnMut(u64, u64, &[u8]) -> bool) -> Result<(), Trouble> {
        let io = |error: io::Error| Trouble::Unavailable(error.to_string());
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir::copy_of(&self.path, number);
        // A daemon that crashed may have left a copy of this name.
        let _ = std::fs::remove_file(&path);
        let reader = self.open()?;
        // The copy is no longer than this: it has all pages but the free ones.
        has_room(reader.size()?, self.free()?)?;
        let made = reader.copy(&path).and_then(|()| File::open(&path).map_err(io));
        // It would keep the writer from emptying its log.
        drop(reader);
        // Without a name, the copy exists only as long as it is open.
        let _ = std::fs::remove_file(&path);
        let mut file = made?;
        let total = file.metadata().map_err(io)?.len();
        let (mut offset, mut piece) = (0, vec![0; PIECE]);
        while offset < total {
            let length = usize::try_from(total - offset).map_or(PIECE, |left| left.min(PIECE));
            file.read_exact(&mut piece[..length]).map_err(io)?;
            if !take(offset, total, &piece[..length]) {
                return Ok(());
            }
            offset += length as u64;
        }
        Ok(())
    }

    /// The bytes that are free on the disk for this user.
    fn free(&self) -> Result<u64, Trouble> {
        let dir = self.path.parent().unwrap_or(&self.path);
        let seen = statvfs(dir).map_err(|errno| Trouble::Unavailable(Plain(io::Error::from(errno)).to_string()))?;
        Ok(seen.blocks_available().saturating_mul(seen.fragment_size()))
    }

    fn report(&self, generation: u64, trouble: &Trouble) {
        if matches!(trouble, Trouble::Damaged(_)) {
            let _ = self.jobs.send(Job::Damaged(generation));
        }
    }
}

/// Whether a copy of `size` bytes has room on a disk with `free` bytes. A copy that filled the disk
/// would keep what is said meanwhile from being recorded.
fn has_room(size: u64, free: u64) -> Result<(), Trouble> {
    let needed = size.saturating_add(LEFT_FREE);
    if needed <= free {
        return Ok(());
    }
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(Trouble::Unavailable(format!(
        "it is made beside the database and needs {} MiB there while it is sent, and {} MiB are free",
        mib(needed),
        free >> 20
    )))
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_room_for_what_is_said_meanwhile() {
        const MIB: u64 = 1 << 20;
        assert_eq!(has_room(100 * MIB, 116 * MIB), Ok(()));
        let refused = has_room(100 * MIB + 1, 116 * MIB).map_err(|trouble| trouble.to_string());
        let why = "it is made beside the database and needs 117 MiB there while it is sent, and 116 MiB are free";
        assert_eq!(refused, Err(why.to_owned()));
        assert!(has_room(u64::MAX, u64::MAX - 1).is_err());
    }
}
