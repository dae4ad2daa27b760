//! Checks of the port for TLS, if it is wanted: of its units, and of its certificates.

use std::time::Duration;

use jiff::Timestamp;

use super::super::facts::{Facts, HANDOVER, SERVICE, TLS, TLS_PORT, Unit};
use super::super::finding::{Checked, Finding, Seen, Unseen, quoted};
use crate::standing::{Certificate, SOON};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The unit of the port and that of `chathub-tls`. An error if nobody wants TLS.
fn wanted(facts: &Facts) -> Seen<(&Unit, &Unit)> {
    let (port, program) = (facts.unit(TLS_PORT)?, facts.unit(TLS)?);
    if facts.systemd()?.wants_tls() {
        return Ok((port, program));
    }
    Err(Unseen::absent(format!("{TLS_PORT} is not enabled")))
}

pub(super) fn units(facts: &Facts) -> Checked {
    let (port, program) = wanted(facts)?;
    let mut found = Vec::new();
    match port.text("ActiveState") {
        "active" => {}
        state => found.push(
            Finding::error(format!("{TLS_PORT} is {state}: nobody can connect with encryption"))
                .say("Most often another program has the port:")
                .run(format!("journalctl -u {TLS_PORT} -n 20"))
                .run(format!("systemctl restart {TLS_PORT}")),
        ),
    }
    if program.is("ActiveState", "failed") {
        found.push(
            Finding::error(format!("{TLS} has failed: nobody can connect with encryption"))
                .say("Most often a certificate has expired, or is not there; the journal names it:")
                .run(format!("journalctl -u {TLS} -n 20"))
                .run(format!("systemctl restart {TLS}")),
        );
    }
    // By this socket `chathub-tls` hands connections over.
    let Ok(handover) = facts.unit(HANDOVER) else { return Ok(found) };
    let service_runs = facts.unit(SERVICE).is_ok_and(|service| service.is("ActiveState", "active"));
    if !handover.is_enabled() {
        found.push(
            Finding::warning(format!("{TLS_PORT} is enabled and {HANDOVER} is not: who connects is told to try later"))
                .run(format!("systemctl enable {HANDOVER}"))
                .run(format!("systemctl restart {SERVICE}"))
                .say("Nobody who is connected notices."),
        );
    } else if service_runs && !handover.is("ActiveState", "active") {
        found.push(
            Finding::warning(format!("{HANDOVER} is enabled and not served: the service was started before"))
                .run(format!("systemctl restart {SERVICE}"))
                .say("Nobody who is connected notices."),
        );
    }
    Ok(found)
}

pub(super) fn certificates(facts: &Facts) -> Checked {
    let (_, program) = wanted(facts)?;
    let runs = program.is("ActiveState", "active");
    let standing = match &facts.tls.standing {
        Ok(standing) => Some(standing),
        Err(Unseen::Absent(_)) => None,
        Err(why) => return Err(why.clone()),
    };
    let now = Duration::from_millis(u64::try_from(facts.now.0).unwrap_or(0));
    let mut found = Vec::new();
    // A file that was written after the certificates in use were read. If there is one, a restart
    // is enough.
    let newer = standing.filter(|standing| runs && standing.serves).and_then(|standing| {
        let read = i64::try_from(standing.read).ok()?.checked_add(1)?.checked_mul(1000)?;
        facts.tls.files.as_ref().ok()?.iter().find(|file| file.made.0 >= read)
    });
    let in_use = standing.filter(|_| runs).map(|standing| standing.certificates.as_slice()).unwrap_or_default();
    for certificate in in_use {
        let Some(finding) = ends(certificate, now) else { continue };
        found.push(if newer.is_some() {
            restart(finding.say("A newer one is there; to have it used:"))
        } else {
            let finding = finding.say("Renew it; of one by certbot:").run("certbot renew");
            restart(finding.say("Then have it used; a deploy hook (see chathub-tls(8)) does so by itself:"))
        });
    }
    let unusable = facts.tls.unusable.as_ref().map(Vec::as_slice);
    // What would fail at the next start: the files on disk count, and what was refused before may
    // be right by now.
    let problems = match (unusable, standing) {
        (Ok(problems), _) => problems,
        (Err(_), Some(standing)) => standing.refused.as_slice(),
        (Err(_), None) => &[],
    };
    let then =
        if runs { "the one before it is in use, up to the next start" } else { "nobody can connect with encryption" };
    found.extend(problems.iter().map(|problem| {
        let finding = Finding::error(format!("{problem}: {then}"));
        restart(finding.say("Certificate and key belong together, and are renewed together. When they are:"))
    }));
    if let (Some(newer), true) = (newer, found.is_empty()) {
        let path = quoted(&newer.path.display().to_string());
        found.push(restart(Finding::warning(format!("{path} is newer than the certificate in use, and not used"))));
    }
    if standing.is_some_and(|standing| runs && !standing.serves_at(now.as_secs()) && standing.refused.is_none()) {
        let finding = Finding::warning(format!("{TLS} is active and has not written for a minute how it stands"));
        found.push(restart(
            finding.say("It hangs, or cannot write in its directory:").run(format!("journalctl -u {TLS} -n 20")),
        ));
    }
    match unusable {
        // Nothing wrong was found, but not everything could be seen.
        Err(why @ Unseen::Hidden(_)) if found.is_empty() => Err(why.clone()),
        _ => Ok(found),
    }
}

fn restart(finding: Finding) -> Finding {
    finding.run(format!("systemctl restart {TLS}")).say("Nobody who is connected notices.")
}

/// The finding about a certificate that expires soon, has expired, or is not valid yet.
fn ends(certificate: &Certificate, now: Duration) -> Option<Finding> {
    let date = |seconds: u64| i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let date = |seconds: u64| date(seconds).map_or_else(|| "a time far off".to_owned(), |time| time.to_string());
    let (name, until) = (&certificate.name, date(certificate.until));
    let left = certificate.until.checked_sub(now.as_secs()).map(Duration::from_secs);
    match left {
        None => Some(Finding::error(format!("the certificate for {name} has expired ({until}): clients refuse it"))),
        Some(left) if left < SOON => {
            let days = left.as_secs() / DAY.as_secs();
            let when = match days {
                0 => "in less than a day".to_owned(),
                1 => "in a day".to_owned(),
                _ => format!("in {days} days"),
            };
            Some(Finding::warning(format!("the certificate for {name} expires {when} ({until})")))
        }
        Some(_) if now.as_secs() < certificate.from => {
            let from = date(certificate.from);
            Some(Finding::error(format!("the certificate for {name} is valid from {from} on only: clients refuse it")))
        }
        Some(_) => None,
    }
}
