//! Where history is recorded: the directory for what outlives the daemon.

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

/// Opens the store, unless nothing is to be recorded or there is no place for it. What it recalls comes with it.
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
    // The store's threads wait for the driver; the driver never waits for them.
    let arrivals = arrivals.clone();
    let tell = Arc::new(move |answer| drop(arrivals.blocking_send(Arrival::Store(answer))));
    let opened = Store::open(state, &settings.history, tell).map_err(StartError::State)?;
    info!("recording history in {}", path.display());
    Ok(Some(opened))
}

/// The directory for what outlives the daemon.
fn state_path(args: &ServeArgs) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    // Of several directories of a unit, the first is ours.
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
