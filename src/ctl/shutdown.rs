//! `ctl shutdown`: its `--if-stopping`, and the warning that systemd's sockets start the daemon
//! again.

use serde::Deserialize as _;
use serde_json::Value;

use super::print::screen::Screen;
use super::print::stderr::{complain, note};
use crate::wire::admin::result::Stopped;

/// Whether systemd has a job to stop `unit`. It has none if the daemon ended by itself, and a job
/// of another type during a restart. The service manager asked is the one that runs this command:
/// the system's or the user's.
pub(super) fn is_stopping(unit: &str) -> bool {
    // A user's service manager sets this variable for its services: systemd.exec(5).
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

/// Prints the daemon's warning that systemd holds its sockets and will start it again at the next
/// connection, as `systemctl stop` warns.
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
