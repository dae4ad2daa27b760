//! Tells the program which program it is: a hash of everything that decides what inputs lead to.
//!
//! A journal of inputs is replayed only by a program that leads to the same outcomes. Whatever could
//! change them counts: the sources of `hub` and `wire`, the settings, and the versions of what they use.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

fn collect(path: &Path, files: &mut BTreeSet<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a directory of the sources").flatten() {
            collect(&entry.path(), files);
        }
    } else {
        files.insert(path.to_owned());
    }
}

fn main() {
    let mut files = BTreeSet::new();
    for path in ["src/values", "src/hub", "src/wire", "src/machine", "src/settings", "src/net/rounds", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={path}");
        collect(Path::new(path), &mut files);
    }
    // With fixed keys, so the same sources give the same hash.
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        // The lock file names this package's own version, which decides nothing.
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let own = concat!("name = \"chathub\"\nversion = \"", env!("CARGO_PKG_VERSION"), "\"");
        text.replace(own, "").hash(&mut hasher);
    }
    println!("cargo::rustc-env=CHATHUB_EPOCH={}", hasher.finish());
}
