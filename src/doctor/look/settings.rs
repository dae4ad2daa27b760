//! Looks at the settings files.

use std::path::{Path, PathBuf};

use super::super::facts::Settings;
use super::files;
use crate::config;

/// Reads the settings as the daemon would, whose directory of settings may be another one than the environment says.
pub(super) fn look(directory: Option<&Path>, file: Option<&Path>) -> Settings {
    let (main, fragments) = config::places(directory, file);
    let above = main.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty());
    let mut paths: Vec<PathBuf> = above.map(Path::to_owned).collect();
    paths.push(main);
    let mut ignored = Vec::new();
    if let Some(fragments) = &fragments {
        paths.push(fragments.clone());
        let entries = std::fs::read_dir(fragments).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.ends_with(".toml") && !name.starts_with('.') {
                paths.push(path);
            } else if !name.starts_with("README") {
                ignored.push(path);
            }
        }
    }
    ignored.sort_unstable();
    Settings {
        loaded: directory.map_or_else(|| config::load(file), |directory| config::load_in(directory, file)),
        files: paths.iter().filter_map(|path| files::followed(path).ok()).collect(),
        fragments,
        ignored,
    }
}
