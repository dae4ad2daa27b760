//! Where history is recorded: finds the state directory, and opens the store in it.

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

/// Opens the store, and returns it with what it has read. `None` if the settings ask for no record,
/// or no directory is named.
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
    // The store's threads may wait for the driver. The driver never waits for them.
    let arrivals = arrivals.clone();
    let tell = Arc::new(move |answer| drop(arrivals.blocking_send(Arrival::Store(answer))));
    let opened = Store::open(state, &settings.history, tell).map_err(StartError::State)?;
    // If something is wrong with the disk, that was logged when the file was opened.
    if opened.0.health().trouble.is_none() {
        info!("recording history in {}", path.display());
    }
    Ok(Some(opened))
}

/// The state directory; `None` if neither an option nor the environment names one.
fn state_path(args: &ServeArgs) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    // If the unit has several state directories, the first one is used.
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
