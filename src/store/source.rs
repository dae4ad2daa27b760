//! What readers on other threads need: connections to the file, and copies of it.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use super::health::lock;
use super::{Health, Job, Reader, Trouble, dir};

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
    /// There is no room for the copy, or the file cannot be read.
    pub fn copy(&self, take: &mut dyn FnMut(u64, u64, &[u8]) -> bool) -> Result<(), Trouble> {
        let io = |error: std::io::Error| Trouble::Unavailable(error.to_string());
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = dir::copy_of(&self.path, number);
        // A daemon that crashed may have left a copy of this name.
        let _ = std::fs::remove_file(&path);
        let made = self.open().and_then(|reader| reader.copy(&path)).and_then(|()| File::open(&path).map_err(io));
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

    fn report(&self, generation: u64, trouble: &Trouble) {
        if matches!(trouble, Trouble::Damaged(_)) {
            let _ = self.jobs.send(Job::Damaged(generation));
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.path.display())
    }
}
