//! Generated files of the repository: compared with the text that they should have, or written
//! again.

use std::path::{Path, PathBuf};

use super::difference::Difference;

/// The absolute path of a file of the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a file of the repository with `generated`. With `UPDATE_DOCS=1`, writes the file
/// instead.
#[track_caller]
pub(crate) fn same_as_file(path: &str, generated: &str) {
    let file = in_repository(path);
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    if found == generated {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1") {
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory).expect(path);
        }
        std::fs::write(&file, generated).expect(path);
        eprintln!("{path}: updated");
        return;
    }
    panic!(
        "{path} is out of date; run UPDATE_DOCS=1 cargo test --test {}\n{}",
        env!("CARGO_CRATE_NAME"),
        Difference::between(&found, generated).changed()
    );
}
