//! Checks of what must not be changed in the sockets' units; of who has the port, and who may open
//! the admin socket.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::facts::{
    ADMIN, CHAT, Facts, HANDOVER, Kind, Listening, METRICS, MONITOR, Node, PROXY, Process, SERVICE, Subject, TLS,
    TLS_PORT, Unit, WEB,
};
use super::super::finding::{Checked, Finding, Severity, Unseen, quoted};
use super::{FINE, addresses, changed, one, span};
use crate::users;

/// TriggerLimitBurst= must allow at least this many starts of the service in
/// TriggerLimitIntervalSec=.
const TRIGGERS: u64 = 200;

/// All sockets, with the names by which those who serve them know them.
const NAMES: [(&str, &str, &str); 7] = [
    (CHAT, "chat", SERVICE),
    (ADMIN, "admin", SERVICE),
    (MONITOR, "monitor", SERVICE),
    (HANDOVER, "handover", SERVICE),
    (PROXY, "proxy", SERVICE),
    (METRICS, "metrics", WEB),
    (TLS_PORT, "tls", TLS),
];

/// What is found in any of the sockets' units that are in use, with the name that it is to have and who serves it.
fn each(facts: &Facts, look: impl Fn(&Unit, &str, &str) -> Option<Finding>) -> Checked {
    facts.systemd()?;
    // One that nobody has enabled harms nobody; without the first two, there is no hub.
    let is_used = |unit: &Unit| {
        [CHAT, ADMIN].contains(&unit.name.as_str()) || unit.is_enabled() || unit.is("ActiveState", "active")
    };
    let units = NAMES.iter().filter_map(|(unit, name, service)| Some((facts.unit(unit).ok()?, name, service)));
    Ok(units.filter(|(unit, ..)| is_used(unit)).filter_map(|(unit, name, service)| look(unit, name, service)).collect())
}

pub(super) fn accept(facts: &Facts) -> Checked {
    each(facts, |unit, _, _| {
        let why = "systemd starts a process for each connection, which the hub is not made for: nobody gets in";
        unit.is("Accept", "yes").then(|| changed(unit, "Accept", "yes", Severity::Error, why))
    })
}

pub(super) fn name(facts: &Facts) -> Checked {
    each(facts, |unit, known, service| {
        let name = unit.get("FileDescriptorName")?;
        let who = if service == SERVICE { "the hub" } else { service };
        let why =
            format!("{who} knows this socket by the name {known}, and leaves any other alone: nobody there is served");
        (name != known).then(|| changed(unit, "FileDescriptorName", name, Severity::Error, &why))
    })
}

pub(super) fn service(facts: &Facts) -> Checked {
    each(facts, |unit, _, service| {
        let starts = unit.get("Triggers").filter(|starts| !starts.is_empty())?;
        let why = format!("a connection does not start {service}, and that is not handed this socket");
        (!starts.split_whitespace().any(|name| name == service))
            .then(|| changed(unit, "Service", starts, Severity::Error, &why))
    })
}

pub(super) fn trigger_limit(facts: &Facts) -> Checked {
    each(facts, |unit, _, _| {
        let burst: u64 = unit.get("TriggerLimitBurst")?.parse().ok()?;
        let interval = span(unit.get("TriggerLimitIntervalUSec")?)?;
        let is_low = interval > Duration::ZERO && burst > 0 && burst < TRIGGERS;
        let why = "so few connections during a restart, and the port is closed for good";
        is_low.then(|| changed(unit, "TriggerLimitBurst", &burst.to_string(), Severity::Warning, why))
    })
}

pub(super) fn defer(facts: &Facts) -> Checked {
    each(facts, |unit, _, service| {
        // Who speaks HTTP or TLS speaks first.
        let time = unit.get("DeferAcceptUSec").filter(|_| service == SERVICE)?;
        let why = "the hub speaks first, and is not told of somebody before they have said something";
        (span(time)? > Duration::ZERO).then(|| changed(unit, "DeferAcceptSec", time, Severity::Error, why))
    })
}

pub(super) fn monitor(facts: &Facts) -> Checked {
    let unit = facts.unit(MONITOR)?;
    let is_wanted = unit.text("UnitFileState").starts_with("enabled");
    if !is_wanted && !unit.is("ActiveState", "active") {
        return Err(Unseen::absent(format!("{MONITOR} is not enabled")));
    }
    let mut found = Vec::new();
    if facts.accounts.monitors.is_none() {
        found.push(
            Finding::error("there is no group chathub-monitor: the socket for monitoring cannot be made")
                .run("systemd-sysusers chathub.conf")
                .run(format!("systemctl restart {SERVICE}")),
        );
    }
    let service_runs = facts.unit(SERVICE).is_ok_and(|service| service.is("ActiveState", "active"));
    let is_served = facts.daemon().map(|daemon| daemon.status.listeners.iter().any(|one| one.name == "monitor"));
    if service_runs && is_wanted && (!unit.is("ActiveState", "active") || is_served == Ok(false)) {
        found.push(
            Finding::warning(format!("{MONITOR} is enabled and not served: the service was started before"))
                .run(format!("systemctl restart {SERVICE}"))
                .say("Nobody who is connected notices."),
        );
    }
    Ok(found)
}

pub(super) fn metrics(facts: &Facts) -> Checked {
    let unit = facts.unit(METRICS)?;
    let is_wanted = unit.text("UnitFileState").starts_with("enabled");
    if !is_wanted && !unit.is("ActiveState", "active") {
        return Err(Unseen::absent(format!("{METRICS} is not enabled")));
    }
    let mut found = Vec::new();
    match unit.text("ActiveState") {
        "active" => {}
        state => found.push(
            Finding::error(format!("{METRICS} is {state}: nobody gets metrics"))
                .say("Most often another program has the port:")
                .run(format!("journalctl -u {METRICS} -n 20"))
                .run(format!("systemctl restart {METRICS}")),
        ),
    }
    if facts.unit(WEB).is_ok_and(|web| web.is("ActiveState", "failed")) {
        found.push(
            Finding::error(format!("{WEB} has failed: nobody gets metrics"))
                .run(format!("journalctl -u {WEB} -n 20"))
                .run(format!("systemctl reset-failed {WEB}"))
                .run(format!("systemctl restart {METRICS}")),
        );
    }
    // `chathub-web` asks the hub on the socket for monitoring.
    if facts.unit(MONITOR).is_ok_and(|monitor| !monitor.text("UnitFileState").starts_with("enabled")) {
        found.push(
            Finding::warning(format!(
                "{METRICS} is enabled and {MONITOR} is not: metrics tell that the hub cannot be asked"
            ))
            .run(format!("systemctl enable {MONITOR}"))
            .run(format!("systemctl restart {SERVICE}"))
            .say("Nobody who is connected notices."),
        );
    }
    Ok(found)
}

pub(super) fn proxy(facts: &Facts) -> Checked {
    let unit = facts.unit(PROXY)?;
    let is_wanted = unit.text("UnitFileState").starts_with("enabled");
    if !is_wanted && !unit.is("ActiveState", "active") {
        return Err(Unseen::absent(format!("{PROXY} is not enabled")));
    }
    let mut found = Vec::new();
    let service_runs = facts.unit(SERVICE).is_ok_and(|service| service.is("ActiveState", "active"));
    let is_served = facts.daemon().map(|daemon| daemon.status.listeners.iter().any(|one| one.name == "proxy"));
    match unit.text("ActiveState") {
        "active" if service_runs && is_served == Ok(false) => found.push(
            Finding::warning(format!("{PROXY} is not served: the service was started before"))
                .run(format!("systemctl restart {SERVICE}"))
                .say("Nobody who is connected notices."),
        ),
        "active" => {}
        state => found.push(
            Finding::error(format!("{PROXY} is {state}: nobody can come through a proxy"))
                .say("Another program may have the port, or the service was started before:")
                .run(format!("journalctl -u {PROXY} -n 20"))
                .run(format!("systemctl restart {SERVICE}")),
        ),
    }
    if let Ok(loaded) = facts.loaded() {
        let networks = &loaded.settings.proxy.networks;
        if let Some(all) = networks.iter().find(|network| network.is_wide()) {
            found.push(
                Finding::warning(format!(
                    "proxy.networks has {all}: whoever connects from there can claim any address"
                ))
                .say("Name the proxies alone: bans, limits and strikes are for the address that they say."),
            );
        }
        if networks.is_empty() {
            found.push(
                Finding::warning(format!("proxy.networks is empty: everybody is refused at {PROXY}"))
                    .say("Name the addresses of the proxies."),
            );
        }
    }
    Ok(found)
}

/// Whether two sockets cannot listen on these addresses at the same time.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && (one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified())
}

fn whose(listening: &Listening) -> String {
    match &listening.owner {
        Some(Process { pid, name, line }) if line.is_empty() => format!("{name} (process {pid})"),
        Some(Process { pid, line, .. }) => format!("process {pid} ({line})"),
        None => format!("a process of {}", users::called(listening.uid)),
    }
}

pub(super) fn port(facts: &Facts) -> Checked {
    let listening = facts.listening.as_ref().map_err(Clone::clone)?;
    let (wanted, start) = match facts.subject {
        Subject::Service | Subject::Own => {
            let unit = facts.unit(CHAT)?;
            if unit.is("ActiveState", "active") {
                return FINE;
            }
            (addresses(unit), format!("systemctl restart {CHAT}"))
        }
        Subject::ByHand if facts.daemon().is_ok() => return FINE,
        Subject::ByHand => (facts.loaded()?.settings.listen.chat.clone(), "chathub serve".to_owned()),
    };
    let found = wanted.iter().filter_map(|addr| {
        let other = listening.iter().find(|other| overlap(*addr, other.addr))?;
        let port = addr.port();
        Some(
            Finding::error(format!("{} listens on {}: the hub cannot have {addr}", whose(other), other.addr))
                .say("End that program, or give one of the two another port. To see all that listens:")
                .run(format!("ss -lptn 'sport = :{port}'"))
                .run(start.clone()),
        )
    });
    Ok(found.collect())
}

pub(super) fn other_hubs(facts: &Facts) -> Checked {
    let hubs = facts.hubs.as_ref().map_err(Clone::clone)?;
    let ours = facts.process.as_ref().ok().map(|process| process.pid);
    let dir = facts.state.path.as_ref().map(|dir| dir.display().to_string()).unwrap_or_default();
    // A user's own, or one that is looked at by hand, may well stand beside the service, or beside others.
    let others = hubs.iter().filter(|hub| Some(hub.pid) != ours);
    let found = others.filter_map(|hub| {
        let has_state = !dir.is_empty() && hub.line.contains(&dir);
        if facts.subject != Subject::Service && !has_state {
            return None;
        }
        let what = format!("another hub runs beside this one: process {} ({})", hub.pid, hub.line);
        let finding = if has_state {
            Finding::error(format!("{what}, and has the state directory {dir}: this one cannot start"))
        } else {
            Finding::advice(format!("{what}; \"chathub ctl\" may ask the wrong one"))
        };
        Some(finding.say("If nobody wants it:").run(format!("kill -INT {}", hub.pid)))
    });
    Ok(found.collect())
}

pub(super) fn admin_group(facts: &Facts) -> Checked {
    facts.unit(ADMIN)?;
    if facts.subject == Subject::Own {
        return Err(Unseen::absent("a user's own hub is administered by that user alone"));
    }
    one(facts.accounts.admins.is_none().then(|| {
        Finding::error("there is no group chathub-admin: the admin socket cannot be made")
            .run("systemd-sysusers chathub.conf")
            .run(format!("systemctl restart {ADMIN}"))
    }))
}

pub(super) fn admin_file(facts: &Facts) -> Checked {
    let path = quoted(&facts.admin.path.display().to_string());
    let is_service = facts.subject == Subject::Service && facts.systemd.is_ok();
    let by_unit = facts.subject != Subject::ByHand && facts.systemd.is_ok();
    let node = match &facts.admin.node {
        Ok(node) => node,
        Err(Unseen::Absent(_)) if by_unit && facts.unit(ADMIN)?.is("ActiveState", "active") => {
            return one(Some(
                Finding::error(format!("{path} is gone, though {ADMIN} is active: \"chathub ctl\" reaches nobody"))
                    .run(format!("systemctl restart {ADMIN}")),
            ));
        }
        Err(why) => return Err(why.clone()),
    };
    if by_unit && !facts.unit(ADMIN)?.is("ActiveState", "active") {
        return Err(Unseen::absent(format!("{ADMIN} is not active")));
    }
    let restart = |finding: Finding| {
        if by_unit {
            finding
                .say("See SocketMode=, SocketUser= and SocketGroup=, then:")
                .run(format!("systemctl cat {ADMIN}"))
                .run(format!("systemctl restart {ADMIN}"))
        } else {
            finding
        }
    };
    if node.kind != Kind::Socket {
        return one(Some(restart(Finding::error(format!("{path} is no socket: \"chathub ctl\" reaches nobody")))));
    }
    let mut found = Vec::new();
    if node.mode & 0o002 != 0 {
        found.push(restart(
            Finding::error(format!(
                "anybody on this machine may administer the hub: {path} has mode {:04o}",
                node.mode
            ))
            .run(format!("chmod {} {path}", if is_service { "0660" } else { "0600" })),
        ));
    }
    if is_service {
        found.extend(service_file(facts, node, &path).map(restart));
    } else if node.mode & 0o060 != 0 && node.mode & 0o002 == 0 && facts.accounts.admins != Some(node.gid) {
        found.push(restart(
            Finding::warning(format!(
                "the group {} may administer the hub: {path} has mode {:04o}",
                node.gid, node.mode
            ))
            .run(format!("chmod 0600 {path}")),
        ));
    }
    Ok(found)
}

fn service_file(facts: &Facts, node: &Node, path: &str) -> Option<Finding> {
    if node.uid != 0 {
        let owner = users::called(node.uid);
        return Some(
            Finding::error(format!("{path} is of {owner}, who may replace it")).run(format!("chown root {path}")),
        );
    }
    let admins = facts.accounts.admins?;
    if node.gid != admins {
        let what = format!("{path} is of the group {}: members of chathub-admin may not administer the hub", node.gid);
        return Some(Finding::warning(what).run(format!("chgrp chathub-admin {path}")));
    }
    (node.mode & 0o060 != 0o060).then(|| {
        let what = format!("members of chathub-admin may not administer the hub: {path} has mode {:04o}", node.mode);
        Finding::warning(what).run(format!("chmod 0660 {path}"))
    })
}

pub(super) fn admin_directory(facts: &Facts) -> Checked {
    let dir = facts.admin.dir.as_ref().map_err(Clone::clone)?;
    let path = quoted(&dir.path.display().to_string());
    let is_service = facts.subject == Subject::Service && facts.systemd.is_ok();
    let is_open = dir.mode & 0o022 != 0 && dir.mode & 0o1000 == 0;
    let mut found = Vec::new();
    if is_open || (is_service && dir.uid != 0) {
        let what = format!(
            "others than root may write in {path} ({}, mode {:04o}), and put a socket of their own there: passwords could be told to it",
            users::called(dir.uid),
            dir.mode
        );
        let finding = Finding::warning(what);
        found.push(if is_service {
            finding.run(format!("chown root:root {path}")).run(format!("chmod 0755 {path}"))
        } else {
            finding.run(format!("chmod go-w {path}"))
        });
    }
    if is_service && dir.mode & 0o005 != 0o005 {
        found.push(
            Finding::advice(format!(
                "{path} has mode {:04o}: members of chathub-admin cannot pass through it",
                dir.mode
            ))
            .run(format!("chmod 0755 {path}")),
        );
    }
    Ok(found)
}
