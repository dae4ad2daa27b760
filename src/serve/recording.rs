//! Where history is recorded: the state directory.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::error::StartError;
use crate::cli::ServeArgs;
use crate::hub::archive::Recalled;
use crate::net::arrival::Arrival;
use crate::settings::Settings;
use crate::store::{StateDir, Store};

/// Opens the store, and returns it with what it recalls. `None` if nothing is to be recorded, or there is no place for
/// it.
///
/// # Errors
/// [`StartError::State`].
pub(super) fn open(
    args: &ServeArgs,
    settings: &Settings,
    arrivals: &mpsc::Sender<Arrival>,
) -> Result<Option<(Store, Recalled)>, StartError> {
    if !settings.history.persist {
        return Ok(None);
    }
    let Some(path) = state_path(args) else {
        warn!("what is said is not recorded: neither --state-dir, $STATE_DIRECTORY, $XDG_STATE_HOME nor $HOME is set");
        return Ok(None);
    };
    let state = StateDir::take(&path).map_err(StartError::State)?;
    // The store's threads may wait for the driver; the driver never waits for them.
    let arrivals = arrivals.clone();
    let tell = Arc::new(move |answer| drop(arrivals.blocking_send(Arrival::Store(answer))));
    let opened = Store::open(state, &settings.history, tell).map_err(StartError::State)?;
    // What is wrong with the disk was said when it was opened.
    if opened.0.health().trouble.is_none() {
        info!("recording history in {}", path.display());
    }
    Ok(Some(opened))
}

/// The state directory; `None` if neither an option nor the environment names one.
fn state_path(args: &ServeArgs) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    // If the unit has several directories, the first is ours.
    let first = |dirs: PathBuf| {
        let first = dirs.as_os_str().as_bytes().split(|byte| *byte == b':').next().unwrap_or_default();
        PathBuf::from(std::ffi::OsStr::from_bytes(first))
    };
    args.state_dir
        .clone()
        .or_else(|| dir("STATE_DIRECTORY").map(first))
        .or_else(|| dir("XDG_STATE_HOME").map(|dir| dir.join("chathub")))
        .or_else(|| dir("HOME").map(|dir| dir.join(".local/state/chathub")))
}
