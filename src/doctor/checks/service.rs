//! Checks of what must not be changed in the service's unit, with what happens to the hub if it is.

use std::time::Duration;

use super::super::facts::{ADMIN, CHAT, Facts, Kind, SERVICE, Subject, Unit};
use super::super::finding::{Checked, Finding, Severity, Unseen, quoted};
use super::{FINE, argv, changed, one, span, state_directory};
use crate::systemd::STORED;

/// A finding if the value of `property` is bad.
fn rule(
    facts: &Facts,
    property: &str,
    directive: &str,
    severity: Severity,
    is_bad: impl Fn(&str) -> bool,
    why: &str,
) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let Some(value) = unit.get(property) else {
        return Err(Unseen::absent(format!("this systemd has no {directive}=")));
    };
    one(is_bad(value).then(|| changed(unit, directive, value, severity, why)))
}

/// Whether a list of exit codes has all of these.
fn has(list: &str, codes: &[&str]) -> bool {
    codes.iter().all(|code| list.split_whitespace().any(|word| word == *code || (*code == "75" && word == "TEMPFAIL")))
}

pub(super) fn kind(facts: &Facts) -> Checked {
    let why = "systemd takes the hub for ready before it serves, and does not wait for it at a restart or reload";
    rule(facts, "Type", "Type", Severity::Error, |kind| kind != "notify", why)
}

pub(super) fn notify_access(facts: &Facts) -> Checked {
    let none = rule(
        facts,
        "NotifyAccess",
        "NotifyAccess",
        Severity::Error,
        |access| access == "none",
        "systemd does not listen to the hub: it never is ready, and no connection outlives it",
    )?;
    if !none.is_empty() {
        return Ok(none);
    }
    let why = "systemd takes what any process of the service says for the hub's word";
    rule(facts, "NotifyAccess", "NotifyAccess", Severity::Warning, |access| access == "all", why)
}

pub(super) fn descriptor_store(facts: &Facts) -> Checked {
    let why =
        format!("systemd keeps too few descriptors ({} are needed): a restart disconnects everybody", STORED.len());
    let is_few = |most: &str| most.parse::<usize>().is_ok_and(|most| most < STORED.len());
    rule(facts, "FileDescriptorStoreMax", "FileDescriptorStoreMax", Severity::Error, is_few, &why)
}

pub(super) fn descriptor_preserve(facts: &Facts) -> Checked {
    let why = "after a stop, connections stay open that nobody serves";
    rule(
        facts,
        "FileDescriptorStorePreserve",
        "FileDescriptorStorePreserve",
        Severity::Warning,
        |kept| kept == "yes",
        why,
    )
}

pub(super) fn restart(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let value = unit.text("Restart");
    let found = |severity, why| one(Some(changed(unit, "Restart", value, severity, why)));
    match value {
        "on-failure" => FINE,
        "always" => found(
            Severity::Warning,
            "a hub that was told to end is started again, as by service.exit_when_idle and \"chathub ctl shutdown\"",
        ),
        "no" | "on-success" => found(Severity::Error, "a hub that dies is not replaced, and everybody is disconnected"),
        _ => found(Severity::Warning, "a hub that ends in some ways is not replaced, and everybody is disconnected"),
    }
}

pub(super) fn restart_forced(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let (forced, success) = (unit.text("RestartForceExitStatus"), unit.text("SuccessExitStatus"));
    if unit.is("Restart", "always") {
        return FINE;
    }
    if !has(forced, &["75"]) && (has(success, &["75"]) || unit.is("Restart", "no")) {
        let why =
            "a hub that is ended by a bare SIGTERM leaves its clients to a process that nobody starts (75 is missing)";
        return one(Some(changed(unit, "RestartForceExitStatus", forced, Severity::Error, why)));
    }
    one((!has(success, &["75"])).then(|| {
        let why = "a restart that leaves the clients to the next process counts as a failure (75 is missing)";
        changed(unit, "SuccessExitStatus", success, Severity::Warning, why)
    }))
}

pub(super) fn restart_prevented(facts: &Facts) -> Checked {
    let why = "a hub whose settings or sockets are wrong is started over and over (2, 69 or 78 is missing)";
    let is_bad = |codes: &str| !has(codes, &["2", "69", "78"]);
    rule(facts, "RestartPreventExitStatus", "RestartPreventExitStatus", Severity::Warning, is_bad, why)
}

pub(super) fn start_limit(facts: &Facts) -> Checked {
    let why = "a hub that dies a few times in a row is given up: the ports close, and everybody is disconnected";
    let is_bad = |time: &str| span(time) != Some(Duration::ZERO);
    rule(facts, "StartLimitIntervalUSec", "StartLimitIntervalSec", Severity::Warning, is_bad, why)
}

pub(super) fn watchdog(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    // The value in the unit's files. systemd's own property is that of the running process, and
    // "infinity" if there is none.
    let value = unit.written("WatchdogSec").unwrap_or_default();
    let time = if value.bytes().all(|byte| byte.is_ascii_digit()) { span(&format!("{value}s")) } else { span(value) };
    let why = match time {
        None | Some(Duration::ZERO) => "a hub that hangs is not replaced",
        Some(time) if time < Duration::from_secs(5) => {
            "a hub on a busy machine is taken for one that hangs, and killed"
        }
        Some(_) => return FINE,
    };
    one(Some(changed(unit, "WatchdogSec", value, Severity::Warning, why)))
}

pub(super) fn kill_mode(facts: &Facts) -> Checked {
    let why = "a hub that does not end stays beside the next one, and both have the state directory";
    rule(facts, "KillMode", "KillMode", Severity::Error, |mode| mode == "none", why)
}

pub(super) fn network(facts: &Facts) -> Checked {
    let why = "the hub has a network that it does not need: a fault in it could reach other machines";
    if facts.subject == Subject::Own {
        // The manager of a user cannot take the network away; what can be opened, it can say.
        let is_bad = |families: &str| families.is_empty() || families.contains("AF_INET") || families.starts_with('~');
        return rule(facts, "RestrictAddressFamilies", "RestrictAddressFamilies", Severity::Warning, is_bad, why);
    }
    rule(facts, "PrivateNetwork", "PrivateNetwork", Severity::Warning, |private| private == "no", why)
}

pub(super) fn user(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    if facts.subject == Subject::Own {
        return Err(Unseen::absent("a user's own hub runs as that user"));
    }
    if unit.is("DynamicUser", "yes") {
        let why = "its files have an owner that changes, and a stop cannot be told from a restart";
        return one(Some(changed(unit, "DynamicUser", "yes", Severity::Warning, why)));
    }
    let user = unit.text("User");
    let found = |severity, why| one(Some(changed(unit, "User", user, severity, why)));
    match user {
        "chathub" => FINE,
        "" | "root" | "0" => found(Severity::Error, "the hub runs as root: a fault in it is one of the whole machine"),
        _ => found(
            Severity::Warning,
            "\"chathub ctl\" trusts root and chathub alone, and the package's files are chathub's",
        ),
    }
}

pub(super) fn start(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let line = argv(unit.text("ExecStart"));
    let mut words = line.split(' ');
    let is_ours = words.next().is_some_and(|program| program.ends_with("/chathub")) && words.next() == Some("serve");
    one((!is_ours).then(|| {
        changed(
            unit,
            "ExecStart",
            &line,
            Severity::Warning,
            "that is not \"chathub serve\" itself: who ends it may not reach the hub",
        )
    }))
}

/// A finding if the property's command lacks one of the words.
fn command(facts: &Facts, property: &str, words: &[&str], why: &str) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let value = unit.text(property);
    one((!words.iter().all(|word| value.contains(word)))
        .then(|| changed(unit, property, value, Severity::Warning, why)))
}

pub(super) fn reload(facts: &Facts) -> Checked {
    command(
        facts,
        "ExecReload",
        &[" ctl ", " reload "],
        "\"systemctl reload chathub\" does not say whether the new settings are in force",
    )
}

pub(super) fn stop(facts: &Facts) -> Checked {
    command(facts, "ExecStop", &["--if-stopping"], "at a stop, everybody is disconnected without a goodbye")
}

pub(super) fn after_stop(facts: &Facts) -> Checked {
    let why = "a start that fails is tried again and again without a pause";
    command(facts, "ExecStopPost", &["after-stop"], why)
}

pub(super) fn requires(facts: &Facts) -> Checked {
    let why = "the service can run without its sockets, and then it refuses to start";
    let is_bad = |list: &str| [CHAT, ADMIN].iter().any(|socket| !list.split_whitespace().any(|unit| unit == *socket));
    rule(facts, "Requires", "Requires", Severity::Warning, is_bad, why)
}

pub(super) fn state(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    let by_argument = argv(unit.text("ExecStart")).contains("--state-dir");
    if !unit.text("StateDirectory").is_empty() {
        let why = "where that directory cannot be had, systemd does not start the hub at all";
        return one(Some(changed(unit, "StateDirectory", unit.text("StateDirectory"), Severity::Warning, why)));
    }
    if facts.subject == Subject::Own {
        return FINE; // in the user's home, which nothing keeps it from
    }
    let Some(dir) = state_directory(unit).or_else(|| facts.state.path.clone().filter(|_| by_argument)) else {
        let why = "no STATE_DIRECTORY is in it: nothing is recorded";
        return one(Some(changed(unit, "Environment", unit.text("Environment"), Severity::Error, why)));
    };
    if !is_writable(unit, &dir.display().to_string()) {
        let why =
            format!("{} is not among it, and the sandbox makes all else read-only: nothing is recorded", dir.display());
        return one(Some(changed(unit, "ReadWritePaths", unit.text("ReadWritePaths"), Severity::Error, &why)));
    }
    FINE
}

/// Whether the sandbox lets the service write into this directory.
fn is_writable(unit: &Unit, dir: &str) -> bool {
    let is_below = |path: &str| {
        let path = path.trim_start_matches(['-', '+']).trim_end_matches('/');
        dir == path || dir.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    };
    !unit.is("ProtectSystem", "strict") || unit.text("ReadWritePaths").split_whitespace().any(is_below)
}

pub(super) fn account(facts: &Facts) -> Checked {
    let unit = facts.unit(SERVICE)?;
    if unit.is("DynamicUser", "yes") {
        return FINE;
    }
    let name = &facts.accounts.user_name;
    let mut found = Vec::new();
    if facts.accounts.user.is_none() && facts.subject != Subject::Own {
        found.push(
            Finding::error(format!(
                "there is no user {name}, as which the service is to run: it cannot start (217/USER)"
            ))
            .run("systemd-sysusers chathub.conf"),
        );
    }
    // If systemd cannot run this script, it passes over that in silence, because the unit says so.
    if let Some(program) = unit.text("ExecStopPost").split("path=").nth(1).and_then(|rest| rest.split(" ;").next())
        && program.ends_with("after-stop")
        && let Ok(files) = &facts.scripts
        && !files.iter().any(|node| node.kind == Kind::File && node.mode & 0o111 != 0)
    {
        found.push(
            Finding::warning(format!(
                "{program} is not there or cannot be run: a start that fails is tried again without a pause"
            ))
            .say("Install the package again, or:")
            .run(format!("chmod 755 {}", quoted(program))),
        );
    }
    Ok(found)
}
