//! `ctl shutdown`: whether it is meant (`--if-stopping`), and a warning of what starts the daemon again.

use serde::Deserialize as _;
use serde_json::Value;

use super::print::screen::Screen;
use super::print::stderr::{complain, note};
use crate::wire::admin::result::Stopped;

/// Whether systemd has a job to stop `unit`. During a restart it has a job of another kind, and if the daemon has ended
/// by itself it has none. Asked is the service manager that runs this command: that of the system, or of a user.
pub(super) fn is_stopping(unit: &str) -> bool {
    // Set for what the manager of a user runs: systemd.exec(5).
    let manager = if std::env::var_os("MANAGERPID").is_some() { "--user" } else { "--system" };
    let list = ["list-jobs", manager, "--no-legend", "--plain", "--full"];
    let jobs = std::process::Command::new("systemctl").args(list).output();
    let jobs = jobs.map(|output| output.stdout).unwrap_or_default();
    // The columns: JOB UNIT TYPE STATE
    String::from_utf8_lossy(&jobs).lines().any(|job| {
        let mut words = job.split_whitespace().skip(1);
        words.next() == Some(unit) && words.next() == Some("stop")
    })
}

/// Warns that sockets held by systemd start the daemon again, as systemctl does.
pub(super) fn warn_of_activation(to: &Screen<'_>, result: &Value) {
    {
        let warning = Stopped::deserialize(result).ok().and_then(|stopped| stopped.warning);
        if let Some(warning) = warning
            && !to.quiet
        {
            complain(&format!("warning: {warning}"));
            note("To keep it stopped: systemctl stop 'chathub*.socket' chathub.service");
        }
    }
}
