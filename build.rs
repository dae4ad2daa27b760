//! Tells the program which program it is: a hash of everything that decides what inputs lead to.
//!
//! A journal of inputs is replayed only by a program that leads to the same outcomes. Whatever could
//! change them counts: the sources of `values`, `hub`, `wire` and `machine`, the settings, the rounds, and the
//! versions of what they use.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// What decides what inputs lead to: files, and folders with all that is in them. `tests/house.rs` looks whether
/// what these import is here as well. A path that is not there fails the build: what has moved is to be hashed where
/// it is now, and not to be left out in silence.
const DECIDES: &[&str] = &[
    "Cargo.lock",
    "src/hub",
    "src/machine",
    "src/net/keep/tape",
    "src/net/numbered.rs",
    "src/net/rounds",
    "src/settings",
    "src/values",
    "src/wire",
];

/// Puts the files below `path` into `files`.
fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let because = |error: std::io::Error| format!("{}: {error}", path.display());
    if !std::fs::metadata(path).map_err(because)?.is_dir() {
        files.insert(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(because)? {
        collect(&entry.map_err(because)?.path(), files)?;
    }
    Ok(())
}

/// The hash of what is at `paths`.
fn epoch(paths: &[&str]) -> Result<u64, String> {
    let mut files = BTreeSet::new();
    for path in paths {
        let before = files.len();
        collect(Path::new(path), &mut files)?;
        if files.len() == before {
            return Err(format!("{path}: no file is in it, or another path holds it already"));
        }
    }
    // With fixed keys, so the same sources give the same hash.
    let mut hasher = DefaultHasher::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        file.hash(&mut hasher);
        // The lock file names this package's own version, which decides nothing.
        let own = concat!("name = \"chathub\"\nversion = \"", env!("CARGO_PKG_VERSION"), "\"");
        text.replace(own, "").hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn main() {
    for path in DECIDES {
        println!("cargo::rerun-if-changed={path}");
    }
    match epoch(DECIDES) {
        Ok(epoch) => println!("cargo::rustc-env=CHATHUB_EPOCH={epoch}"),
        Err(problem) => {
            println!("cargo::error=what decides what inputs lead to cannot be hashed (DECIDES in build.rs): {problem}");
        }
    }
    // For the test that compares it with what imports what.
    println!("cargo::rustc-env=CHATHUB_DECIDES={}", DECIDES.join(":"));
}
