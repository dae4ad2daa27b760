//! Looks at the journal: whether it takes entries, whether it outlives a reboot, and which events
//! it has.

use std::path::Path;

use nix::unistd::getgroups;
use serde_json::Value;

use super::super::facts::{Journal, Manager, SERVICE};
use super::super::finding::{Seen, Unseen};
use super::program::ask;
use super::{files, is_root};
use crate::logging::ids;
use crate::values::time::Wall;

/// The numbers of the events that the checks need.
const EVENTS: [&str; 5] =
    [ids::TAKEN_OVER, ids::NOT_TAKEN_OVER, ids::POISONED, ids::NO_DESCRIPTORS, ids::ACCEPT_PAUSED];

pub(super) fn look(manager: Manager) -> Journal {
    let kept = std::fs::read_dir("/var/log/journal").is_ok_and(|mut entries| entries.next().is_some());
    Journal { reachable: Path::new("/run/systemd/journal/socket").exists(), kept, events: events(manager) }
}

fn events(manager: Manager) -> Seen<Vec<(Wall, String, String)>> {
    let may_read = |name| {
        files::group(name)
            .is_some_and(|group| getgroups().is_ok_and(|groups| groups.iter().any(|one| one.as_raw() == group)))
    };
    // Of what one's own services say, journald keeps a journal for oneself, where it keeps any on disk.
    let is_own = manager == Manager::User;
    if !is_own && !is_root() && !["systemd-journal", "adm"].into_iter().any(may_read) {
        return Err(Unseen::hidden("the journal is for root and the groups systemd-journal and adm"));
    }
    let matches: Vec<String> = EVENTS.iter().map(|id| format!("MESSAGE_ID={id}")).collect();
    let unit = if is_own { "--user-unit" } else { "--unit" };
    let mut args = vec!["--quiet", "--no-pager", "--output=json", "--lines=200", "--since=-7days", unit, SERVICE];
    args.extend(matches.iter().map(String::as_str));
    Ok(ask("journalctl", &args)?.lines().filter_map(event).collect())
}

/// The event in one line of `journalctl --output=json`.
fn event(line: &str) -> Option<(Wall, String, String)> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let micros: i64 = entry["__REALTIME_TIMESTAMP"].as_str()?.parse().ok()?;
    // A text that is not UTF-8 comes as an array of bytes, and is left out.
    let text = entry["MESSAGE"].as_str().unwrap_or_default().to_owned();
    Some((Wall(micros / 1000), entry["MESSAGE_ID"].as_str()?.to_owned(), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_entries_are_parsed_and_anything_else_is_refused() {
        let line = r#"{"__REALTIME_TIMESTAMP":"1764525600123456","MESSAGE_ID":"ab","MESSAGE":"lost: 3"}"#;
        assert_eq!(event(line), Some((Wall(1_764_525_600_123), "ab".to_owned(), "lost: 3".to_owned())));
        assert_eq!(event("-- No entries --"), None);
        assert_eq!(event("{}"), None);
    }
}
