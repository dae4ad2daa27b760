//! Looks at the state directory, and at the database of a hub that does not run.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;

use super::super::facts::{Kind, Node, State};
use super::super::finding::{Seen, Unseen};
use super::files;
use crate::store;

/// How long the check of the database may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most files that are looked at. A state directory has fewer.
const MOST: usize = 1000;

/// Looks at the directory. `daemon` is the process that has it open, if one is known.
pub(super) fn look(path: Option<PathBuf>, daemon: Option<u32>) -> State {
    let Some(path) = path else {
        let none = || Unseen::absent("nothing says where the state directory is (--state-dir)");
        return State {
            path: None,
            node: Err(none()),
            target: Err(none()),
            disk: Err(none()),
            files: Err(none()),
            database: Err(none()),
        };
    };
    let found = files_in(&path);
    let database = found.as_ref().map_err(Clone::clone).and_then(|found| database(&path, found, daemon));
    State {
        node: files::node(&path),
        target: files::followed(&path),
        disk: files::disk(&path),
        files: found,
        database,
        path: Some(path),
    }
}

fn files_in(dir: &Path) -> Seen<BTreeMap<String, Node>> {
    let entries = std::fs::read_dir(dir).map_err(|error| files::unseen(dir, &error))?;
    let entries = entries.flatten().take(MOST);
    Ok(entries
        .filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), files::node(&entry.path()).ok()?)))
        .collect())
}

fn database(dir: &Path, found: &BTreeMap<String, Node>, daemon: Option<u32>) -> Seen<Result<store::Examined, String>> {
    let Some(node) = found.get(store::FILE) else {
        return Err(Unseen::absent("nothing has been recorded yet"));
    };
    if node.kind != Kind::File {
        return Ok(Err("it is no file".to_owned()));
    }
    // A daemon that runs has the file open, and reports its state itself.
    let by_lock = || number_in(&dir.join("lock"));
    let runs = |pid: u32| Path::new(&format!("/proc/{pid}")).exists() && super::machine::is_hub(pid);
    if let Some(pid) = daemon.or_else(by_lock).filter(|pid| runs(*pid)) {
        return Err(Unseen::absent(format!(
            "process {pid} has the database open, and tells itself what is wrong with it"
        )));
    }
    // To read what is only in the log, SQLite would make or change a file beside it.
    for name in ["-wal", "-shm"].map(|part| format!("{}{part}", store::FILE)) {
        if found.contains_key(&name) {
            return Err(Unseen::hidden(format!(
                "{name} is what a hub left that did not end by itself; the next start puts it in order"
            )));
        }
    }
    if node.size == 0 {
        return Ok(Err("it has no bytes".to_owned()));
    }
    match store::examine(&dir.join(store::FILE), PATIENCE) {
        Ok(seen) => Ok(Ok(seen)),
        Err(store::Trouble::Unavailable(why)) if !super::is_root() => {
            Err(Unseen::hidden(format!("{why}{}", super::not_root())))
        }
        Err(trouble) => Ok(Err(trouble.to_string())),
    }
}

/// The number in a small file. Another user may have put the file there: so no symbolic link is
/// followed, and a pipe is not waited for.
fn number_in(path: &Path) -> Option<u32> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).ok()?;
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
