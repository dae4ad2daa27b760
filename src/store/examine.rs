//! Looking at the file of a hub that does not run, without changing it or anything beside it.

use std::path::Path;
use std::time::Duration;

use super::{Trouble, schema};
use crate::values::time::Wall;

/// The state of a file, as [`examine`] has seen it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// The version of its tables; 0 if there are none yet.
    pub version: i64,
    /// What SQLite finds damaged (`PRAGMA quick_check`); empty if nothing is. `None` if the check
    /// took longer than the patience.
    pub damage: Option<Vec<String>>,
    /// Bytes in use, without free pages.
    pub used: u64,
    /// When the newest line was said.
    pub newest: Option<Wall>,
}

/// Looks at the file, for about `patience` at most. Call it only where no daemon has the file open,
/// and where no log is beside it: records that are only in a log would be missing.
///
/// # Errors
/// The file cannot be opened or read.
pub fn examine(path: &Path, patience: Duration) -> Result<Examined, Trouble> {
    let db = schema::open_untouched(path)?;
    // Root looks at a file that another user may have written. So SQLite must not execute what its
    // tables say.
    db.pragma_update(None, "trusted_schema", "OFF")?;
    let version = schema::check(&db)?;
    if version == 0 {
        return Ok(Examined { damage: Some(Vec::new()), ..Examined::default() });
    }
    let (done, over) = std::sync::mpsc::channel::<()>();
    let handle = db.get_interrupt_handle();
    let watch = std::thread::spawn(move || {
        let is_late = over.recv_timeout(patience).is_err_and(|why| why == std::sync::mpsc::RecvTimeoutError::Timeout);
        if is_late {
            handle.interrupt();
        }
        is_late
    });
    let found = (|| -> Result<Vec<String>, rusqlite::Error> {
        let mut check = db.prepare("PRAGMA quick_check(5)")?;
        check.query_map([], |row| row.get::<_, String>(0))?.collect()
    })();
    let newest = db.query_row("SELECT max(at) FROM lines", [], |row| row.get::<_, Option<i64>>(0));
    let pages = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap_or(0).unsigned_abs();
    let used = pages("page_count").saturating_sub(pages("freelist_count")).saturating_mul(pages("page_size"));
    drop(done);
    let is_late = watch.join().unwrap_or(false);
    let damage = match found {
        Ok(lines) => Some(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(_) if is_late => None,
        Err(error) => Some(vec![error.to_string()]),
    };
    Ok(Examined { version, damage, used, newest: newest.ok().flatten().map(Wall) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn examining_a_database_leaves_no_file_behind() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let path = dir.path().join("a %41 ?b.db");
        drop(schema::open(&path, crate::settings::Sync::Normal).expect("a new file"));
        let before = (names(dir.path()), std::fs::read(&path).expect("it is there"));
        let seen = examine(&path, LONG).expect("it can be read");
        assert_eq!((seen.version, seen.damage, seen.newest), (schema::VERSION, Some(Vec::new()), None));
        assert!(seen.used > 0);
        assert_eq!((names(dir.path()), std::fs::read(&path).expect("it is there")), before);
    }

    #[test]
    fn what_is_damaged_newer_or_of_another_program_is_told() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let path = dir.path().join("chathub.db");
        drop(schema::open(&path, crate::settings::Sync::Normal).expect("a new file"));
        let whole = std::fs::read(&path).expect("it is there");
        let mut bytes = whole.clone();
        let half = bytes.len() / 2;
        bytes[half..].fill(0xa5);
        std::fs::write(&path, &bytes).expect("it is ours");
        match examine(&path, LONG) {
            Ok(seen) => assert!(seen.damage.is_some_and(|damage| !damage.is_empty())),
            Err(trouble) => assert!(matches!(trouble, Trouble::Damaged(_)), "{trouble:?}"),
        }
        std::fs::write(&path, "this is no database, however long the text in it may be, and it is long enough")
            .expect("ours");
        assert!(matches!(examine(&path, LONG), Err(Trouble::Damaged(_))));
        // Where the versions stand in the head (file format of SQLite): 60 and 68.
        let mut newer = whole.clone();
        newer[63] = 200;
        std::fs::write(&path, &newer).expect("ours");
        assert_eq!(examine(&path, LONG), Err(Trouble::Newer(200)));
        let mut foreign = whole;
        foreign[68] ^= 1;
        std::fs::write(&path, &foreign).expect("ours");
        assert_eq!(examine(&path, LONG), Err(Trouble::Foreign));
        std::fs::write(&path, "").expect("ours");
        assert_eq!(examine(&path, LONG).map(|seen| seen.version), Ok(0));
    }
}
