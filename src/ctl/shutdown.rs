//! What `ctl shutdown` does besides asking for it.

use serde::Deserialize as _;
use serde_json::Value;

use super::print::stderr::{complain, note};
use super::session::Session;
use crate::wire::admin::result::Stopped;

/// Whether systemd has a job to stop `unit`. It has one of another kind while it restarts it, and none
/// when the daemon has ended by itself.
pub(super) fn is_stopping(unit: &str) -> bool {
    let jobs = std::process::Command::new("systemctl").args(["list-jobs", "--no-legend", "--plain", "--full"]).output();
    let jobs = jobs.map(|output| output.stdout).unwrap_or_default();
    // JOB UNIT TYPE STATE
    String::from_utf8_lossy(&jobs).lines().any(|job| {
        let mut words = job.split_whitespace().skip(1);
        words.next() == Some(unit) && words.next() == Some("stop")
    })
}

impl Session<'_, '_> {
    /// A daemon that was stopped and comes back by itself surprises: say so, as systemctl does.
    pub(super) fn warn_of_activation(&self, result: &Value) {
        let warning = Stopped::deserialize(result).ok().and_then(|stopped| stopped.warning);
        if let Some(warning) = warning
            && !self.screen.quiet
        {
            complain(&format!("warning: {warning}"));
            note("To keep it stopped: systemctl stop chathub.socket chathub-admin.socket chathub.service");
        }
    }
}
