//! Checks of descriptors, memory, and limits of the kernel, against what the settings need.

use super::super::facts::{ADMIN, CHAT, Facts, MONITOR, SERVICE, Subject};
use super::super::finding::{Checked, Finding, Severity, Unseen};
use super::{bytes, changed, one};
use crate::net::accept::descriptors_for;

pub(super) fn descriptors(facts: &Facts) -> Checked {
    let clients = facts.loaded()?.settings.limits.clients as u64;
    let needed = descriptors_for(clients);
    let why = |most: u64| {
        format!(
            "that is enough for {} clients, and not for limits.clients = {clients}, which needs {needed}",
            most.saturating_sub(descriptors_for(0))
        )
    };
    let mut found = Vec::new();
    let by_unit = facts.unit(SERVICE).ok().and_then(|unit| Some((unit, unit.text("LimitNOFILE").parse::<u64>().ok()?)));
    let mut told = None;
    if let Some((unit, most)) = by_unit
        && most < needed
    {
        found.push(
            changed(unit, "LimitNOFILE", &most.to_string(), Severity::Warning, &why(most))
                .say("Or lower limits.clients in the settings."),
        );
        told = Some(most);
    }
    if let Ok(process) = &facts.process
        && let Ok(most) = process.descriptors
        && most < needed
        && told != Some(most)
    {
        let finding = Finding::warning(format!("the daemon may have {most} descriptors open: {}", why(most)));
        found.push(match facts.subject {
            Subject::Service => {
                finding.say("The unit's limit counts from the next start:").run(format!("systemctl restart {SERVICE}"))
            }
            Subject::Own => finding
                .say("A user's service manager gives no more than it has itself. Lower limits.clients, or have root raise LimitNOFILE= of the manager, from its next start on:")
                .run("systemctl edit user@.service"),
            Subject::ByHand => finding
                .say("Raise the limit in the shell that starts it, or lower limits.clients:")
                .run(format!("ulimit -n {needed}")),
        });
    }
    if let Ok(most) = facts.machine.file_max
        && most < needed
    {
        found.push(
            Finding::warning(format!(
                "all programs of this machine together may have {most} descriptors open (fs.file-max): {}",
                why(most)
            ))
            .run(format!("sysctl fs.file-max={}", needed.saturating_mul(4)))
            .say("To keep that, write it to a file in /etc/sysctl.d."),
        );
    }
    if by_unit.is_none() && facts.process.is_err() {
        return Err(Unseen::absent("no daemon runs, and no unit starts one"));
    }
    Ok(found)
}

pub(super) fn memory(facts: &Facts) -> Checked {
    let parts = facts.loaded()?.settings.memory();
    let machine = *facts.machine.memory.as_ref().map_err(Clone::clone)?;
    let needed: u64 = parts.iter().map(|part| part.bytes).fold(0, u64::saturating_add);
    let allowed = facts.unit(SERVICE).ok().and_then(|unit| unit.text("MemoryMax").parse::<u64>().ok());
    let (most, whose) = match allowed {
        Some(most) if most < machine => (most, "MemoryMax= of the service"),
        _ => (machine, "the machine's memory"),
    };
    one((needed > most).then(|| {
        let largest = parts.iter().max_by_key(|part| part.bytes).map_or("", |part| part.what);
        Finding::advice(format!(
            "if people use all that the settings allow, the hub takes {}, and {whose} is {}: it would be ended then, and carried on",
            bytes(needed),
            bytes(most)
        ))
        .say(format!("The most of it is \"{largest}\". Lower the limits to what is needed here; this prints the sum:"))
        .run("chathub check-config")
    }))
}

pub(super) fn buffers(facts: &Facts) -> Checked {
    let tcp = &facts.loaded()?.settings.tcp;
    let mut found = Vec::new();
    for (most, wanted, key, name) in [
        (&facts.machine.wmem_max, tcp.send_buffer, "tcp.send_buffer", "wmem_max"),
        (&facts.machine.rmem_max, tcp.receive_buffer, "tcp.receive_buffer", "rmem_max"),
    ] {
        let most = *most.as_ref().map_err(Clone::clone)?;
        if most < wanted as u64 {
            found.push(
                Finding::warning(format!(
                    "the kernel gives each connection {most} bytes (net.core.{name}), and not the {wanted} of {key}"
                ))
                .say("Raise what the kernel allows, and keep it in a file in /etc/sysctl.d; or lower the setting:")
                .run(format!("sysctl net.core.{name}={wanted}")),
            );
        }
    }
    Ok(found)
}

pub(super) fn backlog(facts: &Facts) -> Checked {
    let most = *facts.machine.somaxconn.as_ref().map_err(Clone::clone)?;
    facts.systemd()?;
    let found = [CHAT, ADMIN, MONITOR].iter().filter_map(|name| {
        let backlog: u64 = facts.unit(name).ok()?.text("Backlog").parse().ok()?;
        // Values that nobody has set do not count: the kernel's limit (4294967295), or systemd's
        // old default (4096).
        let is_set = facts.unit(name).ok()?.set_by("Backlog").is_some();
        (is_set && most < backlog).then(|| {
            Finding::warning(format!(
                "{most} connections may wait at {name} (net.core.somaxconn), and not the {backlog} of Backlog="
            ))
            .say("Who comes in a crowd, as after an outage, waits longer. Keep it in a file in /etc/sysctl.d:")
            .run(format!("sysctl net.core.somaxconn={backlog}"))
            .run(format!("systemctl restart {name}"))
        })
    });
    Ok(found.collect())
}
