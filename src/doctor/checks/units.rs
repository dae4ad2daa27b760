//! Checks whether the units are there, enabled and listening; and of how the service ended.

use super::super::facts::{ADMIN, CHAT, Facts, HANDOVER, PROXY, SERVICE, Subject, Unit};
use super::super::finding::{Checked, Finding, Unseen, quoted};
use super::{FINE, one};

/// The units that a hub needs.
const NEEDED: [&str; 3] = [CHAT, ADMIN, SERVICE];

/// Seconds in a day.
const DAY: u64 = 86_400;

/// How often systemd may start the service again before that is reported.
const RESTARTS: u64 = 3;

pub(super) fn installed(facts: &Facts) -> Checked {
    let systemd = facts.systemd()?;
    let state = |name: &str| systemd.units.get(name).map_or("not-found", |unit| unit.text("LoadState"));
    if NEEDED.iter().all(|name| state(name) == "not-found") {
        return one(Some(
            Finding::error("chathub's units are not installed: nothing starts the hub")
                .say("Install the package:")
                .run("apt install ./chathub_*.deb")
                .say("For a hub that was started by hand, say where it is:")
                .run("chathub doctor --socket PATH --state-dir DIR"),
        ));
    }
    let found = NEEDED.iter().filter_map(|name| match state(name) {
        "loaded" => None,
        "not-found" => Some(
            Finding::error(format!("{name} is not there, and the hub does not work without it"))
                .say("Install the package again:")
                .run("apt install --reinstall ./chathub_*.deb"),
        ),
        "masked" => Some(
            Finding::error(format!("{name} is masked: systemd refuses to start it"))
                .run(format!("systemctl unmask {name}"))
                .run(format!("systemctl start {name}")),
        ),
        other => Some(
            Finding::error(format!("systemd cannot use {name} ({other})"))
                .say("This says what is wrong with it:")
                .run(format!("systemd-analyze verify {name}"))
                .run(format!("systemctl cat {name}")),
        ),
    });
    Ok(found.collect())
}

/// Whether the administrator has stopped all units for good, as the manual says.
fn is_given_up(facts: &Facts) -> bool {
    NEEDED.iter().all(|name| {
        facts.unit(name).is_ok_and(|unit| {
            let is_off = unit.text("UnitFileState").starts_with("disabled");
            is_off && unit.is("ActiveState", "inactive")
        })
    })
}

pub(super) fn enabled(facts: &Facts) -> Checked {
    facts.systemd()?;
    if is_given_up(facts) {
        let starts = |name: &&str| facts.unit(name).is_ok_and(|unit| unit.is("ActiveState", "active"));
        let others: Vec<&str> = [PROXY, HANDOVER].into_iter().filter(starts).collect();
        if !others.is_empty() {
            let others = others.join(" ");
            return one(Some(
                Finding::warning(format!(
                    "the hub's units are disabled and stopped, and {others} still listens: whoever comes there starts it"
                ))
                .say("If it is to stay stopped:")
                .run(format!("systemctl disable --now {others}"))
                .say("If it is to run:")
                .run(format!("systemctl enable --now {CHAT} {ADMIN} {SERVICE}")),
            ));
        }
        return one(Some(
            Finding::advice("the hub is stopped for good: its units are disabled, and nobody can connect")
                .say("If it is to run again:")
                .run(format!("systemctl enable --now {CHAT} {ADMIN} {SERVICE}")),
        ));
    }
    let off: Vec<&str> = NEEDED
        .into_iter()
        .filter(|name| facts.unit(name).is_ok_and(|unit| unit.text("UnitFileState").starts_with("disabled")))
        .collect();
    if off.is_empty() {
        return FINE;
    }
    let (is, it) = if off.len() == 1 { ("is", "it does") } else { ("are", "they do") };
    let what = format!("{} {is} disabled: {it} not start at the next boot", off.join(" and "));
    // The socket starts the service when somebody connects; without the socket nobody can.
    let finding = if off == [SERVICE] { Finding::advice(what) } else { Finding::warning(what) };
    one(Some(finding.run(format!("systemctl enable {}", off.join(" ")))))
}

pub(super) fn lingers(facts: &Facts) -> Checked {
    if facts.subject != Subject::Own {
        return Err(Unseen::absent("it is no user's own hub"));
    }
    facts.systemd()?;
    let lingers = *facts.lingers.as_ref().map_err(Clone::clone)?;
    one((!lingers && !is_given_up(facts)).then(|| {
        Finding::advice(
            "the hub ends when you log out, and starts when you log in: your service manager does not linger",
        )
        .say("If it is to be there always:")
        .run("loginctl enable-linger")
    }))
}

pub(super) fn active(facts: &Facts) -> Checked {
    facts.systemd()?;
    if is_given_up(facts) {
        return FINE;
    }
    let mut found = Vec::new();
    for (name, who) in [(CHAT, "nobody can connect"), (ADMIN, "\"chathub ctl\" reaches nobody")] {
        let Ok(unit) = facts.unit(name) else { continue };
        match unit.text("ActiveState") {
            "active" | "activating" | "reloading" => {}
            "failed" => found.push(
                Finding::error(format!("{name} has failed ({}): {who}", unit.text("Result")))
                    .say(failed_socket(unit.text("Result")))
                    .run(format!("journalctl -u {name} -n 20"))
                    .run(format!("systemctl reset-failed {name}"))
                    .run(format!("systemctl start {name}")),
            ),
            state => {
                found.push(Finding::error(format!("{name} is {state}: {who}")).run(format!("systemctl start {name}")))
            }
        }
    }
    Ok(found)
}

fn failed_socket(result: &str) -> &'static str {
    match result {
        "trigger-limit-hit" => {
            "More connections than TriggerLimitBurst= allows have started the service in a short time. See whether a drop-in \
             lowers it, and why the service does not stay; then:"
        }
        "service-start-limit-hit" => {
            "The service was started too often, and did not stay. See why, and whether a drop-in sets StartLimitIntervalSec=; \
             then:"
        }
        _ => "Most often another program has the port, or the address is not there yet (FreeBind=yes helps). Then:",
    }
}

pub(super) fn reload(facts: &Facts) -> Checked {
    facts.systemd()?;
    let is_old = |unit: &Unit| unit.is("NeedDaemonReload", "yes") || !unit.unread.is_empty();
    let old: Vec<&str> = NEEDED.into_iter().filter(|name| facts.unit(name).is_ok_and(is_old)).collect();
    one((!old.is_empty()).then(|| {
        let what =
            format!("files of {} were changed since systemd read them: the change is not in force", old.join(", "));
        Finding::warning(what).run("systemctl daemon-reload").run(format!("systemctl restart {}", old.join(" ")))
    }))
}

pub(super) fn copied(facts: &Facts) -> Checked {
    let units = &facts.systemd()?.units;
    let found = units.values().filter_map(|unit| {
        let (copy, packaged) = (unit.files.first()?, unit.packaged.as_ref()?);
        let (path, theirs) = (copy.path.display().to_string(), packaged.path.display().to_string());
        let what = format!("{path} takes the place of the package's {}", unit.name);
        let finding = if copy.made < packaged.made {
            Finding::warning(format!("{what}, which is newer: what the package changed is not in force"))
        } else {
            Finding::advice(format!("{what}: it will not get what the next version changes"))
        };
        Some(
            finding
                .say("See what differs, keep that in a drop-in, and go back to the package's unit:")
                .run(format!("diff {} {}", quoted(&theirs), quoted(&path)))
                .run(format!("systemctl revert {}", unit.name))
                .run(format!("systemctl edit {}", unit.name))
                .run(format!("systemctl restart {}", unit.name)),
        )
    });
    Ok(found.collect())
}

pub(super) fn failed(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let is_failing = match unit.text("ActiveState") {
        "failed" => true,
        "activating" => unit.is("SubState", "auto-restart"),
        // The next start waits for the delay in ExecStopPost=.
        "deactivating" => !matches!(unit.text("Result"), "success" | ""),
        _ => false,
    };
    if !is_failing {
        return FINE;
    }
    let finding = Finding::error(format!("{SERVICE} does not run: {}", how(unit)));
    let finding = heal(unit, finding);
    let finding = finding.say("What it said last:").run(format!("journalctl -u {SERVICE} -n 30 -x"));
    one(Some(
        finding
            .say("Then, if it does not start by itself:")
            .run(format!("systemctl reset-failed {SERVICE}"))
            .run(format!("systemctl start {SERVICE}")),
    ))
}

/// How the service ended, in words.
fn how(unit: &Unit) -> String {
    let status = unit.text("ExecMainStatus");
    match (unit.text("Result"), unit.text("ExecMainCode")) {
        ("watchdog", _) => "it hung, and the watchdog ended it".to_owned(),
        ("oom-kill", _) => "it took more memory than it may, and the kernel ended it".to_owned(),
        ("timeout", _) => "it took too long to start or stop".to_owned(),
        ("start-limit-hit", _) => "it was started too often in a short time".to_owned(),
        ("resources", _) => "systemd has not enough of something to start it".to_owned(),
        ("protocol", _) => "it never said that it serves".to_owned(),
        (_, "2" | "3") => format!("it was killed by signal {status}"),
        (_, _) => match status.parse().ok().and_then(meaning) {
            Some((name, about)) => format!("it ended with {status}{name}: {about}"),
            None => format!("it ended with {status} ({})", unit.text("Result")),
        },
    }
}

/// The meaning of an exit code: its name in systemd.exec(5), and what went wrong.
fn meaning(code: u16) -> Option<(&'static str, &'static str)> {
    Some(match code {
        1 => ("", "the system has not enough of something, such as threads or memory"),
        2 => ("", "its command line makes no sense"),
        69 => ("", "it cannot listen, another hub has the state directory, or a path is taken"),
        75 => ("", "it has left its clients to the next process, which nobody starts"),
        78 => ("", "its settings, or the sockets that are handed to it, are wrong"),
        101 | 134 => ("", "it has a fault"),
        200 => ("/CHDIR", "its working directory is not there"),
        202 => ("/FDS", "descriptors could not be handed to it"),
        203 => ("/EXEC", "the program is missing or cannot be executed"),
        205 => ("/LIMITS", "a limit of the unit (Limit...=) is refused"),
        208 => ("/STDIN", "its standard input cannot be opened"),
        209 => ("/STDOUT", "its standard output cannot be opened"),
        214 => ("/SETSCHEDULER", "its scheduling (CPUScheduling...=) is refused"),
        216 => ("/GROUP", "its group is not there"),
        217 => ("/USER", "its user is not there"),
        218 => ("/CAPABILITIES", "its capabilities are refused"),
        219 => ("/CGROUP", "its control group cannot be made"),
        226 => ("/NAMESPACE", "its sandbox cannot be made: a path in the unit is missing, or the kernel refuses it"),
        228 => ("/SECCOMP", "its filter of system calls is refused"),
        233 => ("/RUNTIME_DIRECTORY", "its directory in /run cannot be made"),
        238 => ("/STATE_DIRECTORY", "its state directory cannot be made or used"),
        239 => ("/CACHE_DIRECTORY", "its cache directory cannot be made"),
        240 => ("/LOGS_DIRECTORY", "its log directory cannot be made"),
        241 => ("/CONFIGURATION_DIRECTORY", "its configuration directory cannot be made"),
        243 => ("/CREDENTIALS", "a credential (LoadCredential=) cannot be had"),
        code if (200..=245).contains(&code) => {
            ("", "systemd could not prepare it; see systemd.exec(5), \"Process Exit Codes\"")
        }
        _ => return None,
    })
}

/// Adds what helps against the way in which the service ended.
fn heal(unit: &Unit, finding: Finding) -> Finding {
    let is_exit = !matches!(unit.text("ExecMainCode"), "2" | "3");
    let code = unit.text("ExecMainStatus").parse().ok().filter(|_| is_exit).unwrap_or(0_u16);
    match (unit.text("Result"), code) {
        ("oom-kill", _) => finding.say("See \"memory\", raise MemoryMax=, or lower the limits in the settings."),
        ("start-limit-hit", _) => finding
            .say("The package's unit has StartLimitIntervalSec=0: see which drop-in changes that:")
            .run(format!("systemctl cat {SERVICE}")),
        (_, 2) => finding.say("See ExecStart=:").run(format!("systemctl cat {SERVICE}")),
        (_, 69) => finding.say("See who has the port, and whether another hub runs:").run("ss -lptn"),
        (_, 75) => finding.say("See \"service-restart-forced\"."),
        (_, 78) => finding
            .say("This names file, line and setting:")
            .run("chathub check-config")
            .say("If that is fine, see which sockets are handed over, and under what names (FileDescriptorName=):")
            .run(format!("systemctl cat {CHAT} {ADMIN}")),
        (_, 203) => finding.say("Install the package again:").run("apt install --reinstall ./chathub_*.deb"),
        (_, 216 | 217) => {
            finding.say("This makes the package's users and groups:").run("systemd-sysusers chathub.conf")
        }
        (_, 233 | 238..=241) => {
            finding.say("This makes the state directory as it is to be:").run("systemd-tmpfiles --create chathub.conf")
        }
        (_, 226) => finding
            .say("See what drop-ins name paths, and whether those are there:")
            .run(format!("systemctl cat {SERVICE}")),
        (_, 200..=245) => finding.say("See what drop-ins change:").run(format!("systemctl cat {SERVICE}")),
        _ => finding,
    }
}

pub(super) fn restarts(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let count = unit.text("NRestarts").parse().unwrap_or(0_u64);
    // A daemon that has run for a day since then is no longer in trouble.
    let is_over = facts.daemon().is_ok_and(|daemon| daemon.status.uptime_s > DAY);
    one((count > RESTARTS && !is_over).then(|| {
        Finding::warning(format!(
            "systemd has started {SERVICE} again {count} times since it was last started by somebody: it dies"
        ))
        .say("See what it died of; if it is a fault of the hub, please report it:")
        .run(format!("journalctl -u {SERVICE} -p warning -x"))
        .run("coredumpctl list chathub")
        .say("The count begins anew with:")
        .run(format!("systemctl reset-failed {SERVICE}"))
    }))
}
