//! The checks, which turn facts into findings and do nothing else. Each is a row of [`CHECKS`]. The
//! output names it by its id, so an id never gets another meaning.
//!
//! | to change | see |
//! | --- | --- |
//! | which checks there are, and their order | this file |
//! | whether units are there, enabled, failed; what exit codes mean | `units` |
//! | what of the service's unit must not be changed | `service` |
//! | what of the sockets' units must not be changed; ports; the admin socket | `sockets` |
//! | the units for TLS; certificates | `tls` |
//! | the state directory, the files in it, the database | `state` |
//! | descriptors, memory, the kernel's bounds | `limits` |
//! | the settings files | `settings` |
//! | the clock, the journal, the version of systemd | `machine` |
//! | what the daemon says of itself | `daemon` |

mod daemon;
mod limits;
mod machine;
mod service;
mod settings;
mod sockets;
mod state;
mod tls;
mod units;

use std::net::SocketAddr;
use std::path::PathBuf;

use super::facts::{Facts, Unit};
use super::finding::{Checked, Finding, Severity, quoted};

/// A check: one row of the table.
#[derive(Debug)]
pub struct Check {
    /// Its id, which never changes.
    pub id: &'static str,
    /// The subject of the check, in words.
    pub about: &'static str,
    /// The function that makes it.
    pub run: fn(&Facts) -> Checked,
}

const fn check(id: &'static str, about: &'static str, run: fn(&Facts) -> Checked) -> Check {
    Check { id, about, run }
}

/// All checks, in the order in which they are made.
pub static CHECKS: &[Check] = &[
    check("systemd-version", "the version of systemd", machine::systemd_version),
    check("units-installed", "the unit files", units::installed),
    check("units-enabled", "whether the units start at boot", units::enabled),
    check("units-linger", "whether a user's own hub goes on when they log out", units::lingers),
    check("units-active", "whether the sockets listen", units::active),
    check("units-reload", "whether systemd has read the unit files", units::reload),
    check("units-copied", "unit files that take the place of the package's", units::copied),
    check("service-failed", "how the service ended last", units::failed),
    check("service-restarts", "how often the service was started again by itself", units::restarts),
    check("service-type", "Type= of the service: whether systemd knows when it serves", service::kind),
    check(
        "service-notify-access",
        "NotifyAccess= of the service: whether systemd listens to it, and to nobody else",
        service::notify_access,
    ),
    check(
        "service-descriptor-store",
        "FileDescriptorStoreMax= of the service: whether systemd keeps connections for it",
        service::descriptor_store,
    ),
    check(
        "service-descriptor-preserve",
        "FileDescriptorStorePreserve= of the service: whether a stop lets go of them",
        service::descriptor_preserve,
    ),
    check("service-restart", "Restart= of the service: whether it is replaced when it dies", service::restart),
    check(
        "service-restart-forced",
        "RestartForceExitStatus= and SuccessExitStatus=: whether the next process is started for those who were left to it",
        service::restart_forced,
    ),
    check(
        "service-restart-prevented",
        "RestartPreventExitStatus=: whether it is left alone where another start mends nothing",
        service::restart_prevented,
    ),
    check(
        "service-start-limit",
        "StartLimitIntervalSec=: whether it is given up after some deaths",
        service::start_limit,
    ),
    check("service-watchdog", "WatchdogSec=: whether it is replaced when it hangs", service::watchdog),
    check("service-kill-mode", "KillMode=: whether it is gone before the next one", service::kill_mode),
    check(
        "service-network",
        "PrivateNetwork=, or RestrictAddressFamilies= of a user's own: whether it can reach nobody by itself",
        service::network,
    ),
    check("service-user", "User= and DynamicUser=: as whom it runs", service::user),
    check("service-start", "ExecStart=: whether it is the hub that is started", service::start),
    check("service-reload", "ExecReload=: whether a reload says what is wrong", service::reload),
    check("service-stop", "ExecStop=: whether a stop says goodbye", service::stop),
    check("service-after-stop", "ExecStopPost=: whether starts that fail are slowed down", service::after_stop),
    check("service-requires", "Requires=: whether it has its sockets", service::requires),
    check(
        "service-state",
        "StateDirectory=, ReadWritePaths= and $STATE_DIRECTORY: whether it may write where its state is",
        service::state,
    ),
    check("service-account", "the service's user, and the program behind ExecStopPost=", service::account),
    check("socket-accept", "Accept= of the sockets: whether one service serves all", sockets::accept),
    check("socket-name", "FileDescriptorName= of the sockets: whether the hub knows them", sockets::name),
    check("socket-service", "Service= of the sockets: whether they start the hub", sockets::service),
    check(
        "socket-trigger-limit",
        "TriggerLimitBurst= and TriggerLimitIntervalSec= of the sockets: whether a crowd closes them",
        sockets::trigger_limit,
    ),
    check("socket-defer", "DeferAcceptSec= of the sockets: whether the hub may speak first", sockets::defer),
    check("socket-monitor", "the socket for monitoring, if it is enabled", sockets::monitor),
    check("socket-metrics", "the socket for metrics, if it is enabled", sockets::metrics),
    check("socket-tls", "the port for TLS, if it is enabled, and what hands its connections over", tls::units),
    check("tls-certificates", "the certificates for TLS: their end, and whether they can be used", tls::certificates),
    check("socket-proxy", "the port for proxies, if it is enabled, and which are believed", sockets::proxy),
    check("port", "whether another program has the port", sockets::port),
    check("other-hubs", "other hubs that run", sockets::other_hubs),
    check("admin-group", "the group chathub-admin", sockets::admin_group),
    check("admin-socket", "owner and mode of the admin socket", sockets::admin_file),
    check("admin-directory", "the directory of the admin socket", sockets::admin_directory),
    check("state-directory", "the state directory, its owner and mode", state::directory),
    check("state-disk", "whether the state directory can be written to", state::disk),
    check("state-space", "free space and files of the disk", state::space),
    check("state-files", "owners and modes of the files in it", state::files),
    check("state-remains", "files that were set aside or left behind", state::remains),
    check("database", "whether the database is chathub's and can be read", state::database),
    check("database-damage", "whether the database is whole", state::damage),
    check("database-size", "the size of the database and its log", state::size),
    check("descriptors", "LimitNOFILE= and limits.clients", limits::descriptors),
    check("memory", "MemoryMax=, the machine's memory and the settings", limits::memory),
    check("kernel-buffers", "net.core.wmem_max, rmem_max and the settings", limits::buffers),
    check("kernel-backlog", "net.core.somaxconn and Backlog=", limits::backlog),
    check("settings", "mistakes in the settings", settings::mistakes),
    check("settings-readable", "whether the service may read its settings", settings::readable),
    check("settings-ignored", "files that are not read", settings::ignored),
    check("settings-unused", "settings that have no effect", settings::unused),
    check("settings-encryption", "whether anybody can come encrypted, where that is demanded", settings::encryption),
    check("settings-changed", "settings that were changed and not read again", settings::changed),
    check("settings-waiting", "settings that wait for a restart", settings::waiting),
    check("clock-synchronized", "whether the clock is kept right", machine::clock),
    check("clock-plausible", "whether the clock is behind what was recorded", machine::clock_plausible),
    check("journal-reachable", "whether the journal takes entries", machine::journal_reachable),
    check("journal-kept", "whether the journal outlives a reboot", machine::journal_kept),
    check("daemon-answers", "whether the daemon answers", daemon::answers),
    check("daemon-version", "whether the daemon is of the version that is installed", daemon::version),
    check("daemon-program", "whether the program was replaced since the start", daemon::program),
    check("daemon-turns", "how long the daemon's loop takes", daemon::turns),
    check("survival", "whether connections outlive the daemon", daemon::survival),
    check("survival-last", "whether the last restart kept the connections", daemon::last_restart),
    check("crashes", "input that made the daemon die", daemon::crashes),
    check("recording", "whether what is said is recorded", daemon::recording),
    check("recording-lost", "whether something was not recorded", daemon::lost),
    check("bans-unread", "whether bans and accounts can be read", daemon::unread),
    check("accepting", "whether newcomers had to wait", daemon::accepting),
    check("clients-full", "whether all places are taken", daemon::full),
    check("admin-connections", "places on the admin socket", daemon::admins),
    check("lockdown", "a lockdown", daemon::lockdown),
    check("reports", "reports that are open for long", daemon::reports),
];

/// The words of the first command in an `Exec...=` property, as `systemctl show` prints it,
/// separated by spaces.
#[must_use]
pub(super) fn argv(property: &str) -> String {
    let words = property.split("argv[]=").nth(1).and_then(|rest| rest.split(" ; ").next());
    words.unwrap_or_default().trim().to_owned()
}

/// The TCP addresses on which a socket unit listens.
#[must_use]
pub(super) fn addresses(unit: &Unit) -> Vec<SocketAddr> {
    unit.text("Listen").lines().filter_map(|line| line.trim_end_matches(" (Stream)").trim().parse().ok()).collect()
}

/// The state directory in the service's unit; `None` if it names none.
#[must_use]
pub(super) fn state_directory(unit: &Unit) -> Option<PathBuf> {
    let named =
        unit.text("Environment").split_whitespace().rev().find_map(|word| word.strip_prefix("STATE_DIRECTORY="));
    let first = |text: &str| text.split([':', ' ']).next().filter(|dir| !dir.is_empty()).map(str::to_owned);
    let own = || first(unit.text("StateDirectory")).map(|dir| format!("/var/lib/{dir}"));
    own().or_else(|| named.and_then(first)).map(PathBuf::from)
}

/// The result of a check that has found nothing.
const FINE: Checked = Ok(Vec::new());

/// The result of a check that has found this, or nothing.
fn one(finding: Option<Finding>) -> Checked {
    Ok(finding.into_iter().collect())
}

/// A finding about `directive` of a unit. It names the file and line that set the directive, and
/// how to take that back.
fn changed(unit: &Unit, directive: &str, value: &str, severity: Severity, why: &str) -> Finding {
    let shown = if value.contains("argv[]=") { argv(value) } else { value.replace('\n', " ") };
    let (place, file) = match unit.set_by(directive) {
        Some((file, line)) => (format!("{}:{line}", file.display()), Some(file)),
        None => (unit.name.clone(), None),
    };
    let finding = Finding::new(severity, format!("{place}: {directive}={shown}: {why}"));
    let is_socket = unit.name.ends_with(".socket");
    let finding = match file {
        Some(file) if Some(file) != unit.files.first().map(|first| first.path.as_path()) => finding
            .say("Take that line away, and put the change in force:")
            .run(format!("editor {}", quoted(&file.display().to_string()))),
        _ if unit.packaged.is_some() => finding
            .say("The unit file is a copy; the package's has it right. To go back to that, and put it in force:")
            .run(format!("systemctl revert {}", unit.name)),
        _ => finding
            .say(format!(
                "The package's unit has another value. Put it right, and the change in force; {directive}= stands in:"
            ))
            .run(format!("systemctl cat {}", unit.name))
            .run(format!("systemctl edit {}", unit.name)),
    };
    let finding = finding.run("systemctl daemon-reload").run(format!("systemctl restart {}", unit.name));
    if is_socket { finding.say("That restarts the service as well; nobody who is connected notices.") } else { finding }
}

/// The length of a time as systemd prints it; `None` if it is endless or cannot be read.
fn span(text: &str) -> Option<std::time::Duration> {
    if text.trim() == "0" {
        return Some(std::time::Duration::ZERO);
    }
    humantime::parse_duration(text.trim()).ok()
}

/// A number of bytes, in words.
fn bytes(number: u64) -> String {
    match number {
        0..1_048_576 => format!("{} KiB", number.div_ceil(1024)),
        1_048_576..10_737_418_240 => format!("{} MiB", number >> 20),
        _ => format!("{} GiB", number >> 30),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_times_and_addresses_are_parsed_as_systemctl_shows_them() {
        let exec =
            "{ path=/usr/bin/chathub ; argv[]=/usr/bin/chathub serve --state-dir /x ; ignore_errors=no ; pid=0 }";
        assert_eq!(argv(exec), "/usr/bin/chathub serve --state-dir /x");
        assert_eq!(argv(""), "");
        for (text, seconds) in
            [("30s", Some(30)), ("0", Some(0)), ("1min 30s", Some(90)), ("infinity", None), ("2s", Some(2))]
        {
            assert_eq!(span(text).map(|span| span.as_secs()), seconds, "{text}");
        }
        let mut unit = Unit::default();
        unit.properties.insert("Listen".into(), "[::]:6969 (Stream)\n127.0.0.1:7 (Stream)\n/run/x (Stream)".into());
        let found: Vec<_> = addresses(&unit).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["[::]:6969", "127.0.0.1:7"]);
        unit.properties.insert("Environment".into(), "A=b STATE_DIRECTORY=/var/lib/hub:/x".into());
        assert_eq!(state_directory(&unit), Some("/var/lib/hub".into()));
        unit.properties.insert("StateDirectory".into(), "other".into());
        assert_eq!(state_directory(&unit), Some("/var/lib/other".into()), "systemd sets the variable itself");
    }

    #[test]
    fn ids_of_checks_are_words_and_unique() {
        let mut ids: Vec<_> = CHECKS.iter().map(|check| check.id).collect();
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')), "{ids:?}");
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        assert!(CHECKS.iter().all(|check| !check.about.is_empty()));
    }
}
