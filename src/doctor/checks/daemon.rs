//! Checks of what the daemon says of itself, and of what the journal says of it.

use std::time::Duration;

use super::super::facts::{ADMIN, Facts, Running, SERVICE, Silence, SilenceKind, Subject};
use super::super::finding::{Checked, Finding, Seen, Unseen, quoted};
use super::{FINE, one};
use crate::logging::ids;
use crate::users;
use crate::values::time::Wall;
use crate::wire::admin::value::Time;

/// People notice a turn of the loop that takes longer than this.
const SLOW: Duration = Duration::from_secs(1);

/// A report that is open for longer than this was probably forgotten.
const FORGOTTEN: Duration = Duration::from_secs(7 * 86_400);

pub(super) fn answers(facts: &Facts) -> Checked {
    let Silence { kind, why } = match facts.daemon.as_ref().map_err(Clone::clone)? {
        Ok(_) => return FINE,
        Err(silence) => silence,
    };
    let path = quoted(&facts.admin.path.display().to_string());
    let finding = match kind {
        SilenceKind::Busy => Finding::error(format!("all places on the admin socket are taken: {why}"))
            .say("Programs keep connections open without asking anything; see whose (as root, who has four places more):")
            .run("chathub ctl status")
            .run(format!("ss -xp | grep {path}")),
        SilenceKind::Stranger => Finding::error(format!("somebody else pretends to be the hub: {why}"))
            .say("Find out who put it there, and why they may write in that directory:")
            .run(format!("ls -ld {path} \"$(dirname {path})\""))
            .run("ss -xlp"),
        SilenceKind::Silent => {
            let finding = Finding::error(format!("the daemon does not answer: {why}"));
            match facts.subject {
                Subject::Service | Subject::Own => finding
                    .say("See what it does:")
                    .run(format!("journalctl -u {SERVICE} -n 30"))
                    .say("This makes the socket anew and restarts the service; nobody who is connected notices:")
                    .run(format!("systemctl restart {ADMIN}")),
                Subject::ByHand => finding.say("If no hub runs any more, the socket was left behind, and the next start replaces it."),
            }
        }
    };
    one(Some(finding))
}

pub(super) fn version(facts: &Facts) -> Checked {
    let (runs, installed) = (&facts.daemon()?.status.version, &facts.program.version);
    one((runs != installed).then(|| {
        let finding = Finding::warning(format!("the daemon is of version {runs}, and {installed} is installed"));
        restart(finding, facts)
    }))
}

/// Adds how to start the hub again.
fn restart(finding: Finding, facts: &Facts) -> Finding {
    match facts.subject {
        Subject::Service | Subject::Own => {
            finding.run(format!("systemctl restart {SERVICE}")).say("Nobody who is connected notices.")
        }
        Subject::ByHand => finding.say("Start the hub again."),
    }
}

pub(super) fn program(facts: &Facts) -> Checked {
    let Running { pid, program, .. } = facts.process.as_ref().map_err(Clone::clone)?;
    let program = program.as_ref().map_err(Clone::clone)?;
    let what = if program.starts_with("/memfd:") {
        format!("process {pid} is the program from before an upgrade, which carried on after it was killed")
    } else if program.ends_with(" (deleted)") {
        format!(
            "the program of process {pid} was replaced since it started: the one that is installed does not run yet"
        )
    } else {
        return FINE;
    };
    one(Some(restart(Finding::warning(what), facts)))
}

pub(super) fn turns(facts: &Facts) -> Checked {
    let turns = &facts.daemon()?.status.turns;
    let longest = Duration::from_micros(turns.longest_us);
    one((longest > SLOW).then(|| {
        let at = turns.longest_at.map_or_else(String::new, |at| format!(", at {at}"));
        Finding::advice(format!(
            "for {} ms nobody was read{at}: the daemon was {}",
            longest.as_millis(),
            if turns.longest_doing.is_empty() { "busy" } else { &turns.longest_doing }
        ))
        .say("See whether the machine was short of processor time or memory then; the count begins anew with each start:")
        .run("chathub ctl status")
    }))
}

pub(super) fn survival(facts: &Facts) -> Checked {
    if facts.subject == Subject::ByHand {
        return Err(Unseen::absent("a hub that was started by hand leaves nobody behind"));
    }
    facts.systemd()?;
    let status = &facts.daemon()?.status;
    if !status.survival.starts_with("off") {
        return FINE;
    }
    let finding = Finding::error("connections do not outlive the daemon: a restart or a crash disconnects everybody");
    let finding = if status.activated {
        finding.say("systemd keeps no descriptors for it, or did not when it started. See FileDescriptorStoreMax= and NotifyAccess=, then:")
    } else {
        finding.say("It has opened its sockets itself: it was not started by the sockets' units. See ExecStart= and Requires=, then:")
    };
    one(Some(finding.run(format!("systemctl cat {SERVICE}")).run(format!("systemctl restart {SERVICE}"))))
}

/// The events of the last days with one of these numbers (`MESSAGE_ID=`).
fn events<'a>(facts: &'a Facts, wanted: &'a [&'a str]) -> Seen<Vec<&'a (Wall, String, String)>> {
    let journal = facts.journal.as_ref().map_err(Clone::clone)?;
    let events = journal.events.as_ref().map_err(Clone::clone)?;
    Ok(events.iter().filter(|(_, id, _)| wanted.contains(&id.as_str())).collect())
}

pub(super) fn last_restart(facts: &Facts) -> Checked {
    let last = events(facts, &[ids::TAKEN_OVER, ids::NOT_TAKEN_OVER])?.pop();
    let lost = last.filter(|(_, id, _)| id == ids::NOT_TAKEN_OVER);
    let few = events(facts, &[ids::NO_DESCRIPTORS])?.pop();
    let explain = |finding: Finding| {
        finding.say("The journal says why:").run(format!("journalctl -u {SERVICE} -p warning -x --since -7days"))
    };
    let mut found = Vec::new();
    if let Some((at, _, text)) = lost {
        found.push(explain(Finding::warning(format!(
            "the last restart, at {}, disconnected everybody: {text}",
            Time(*at)
        ))));
    }
    if let Some((at, _, text)) = few {
        found.push(
            explain(Finding::warning(format!("a restart at {} did not keep everybody: {text}", Time(*at))))
                .say("See \"descriptors\"."),
        );
    }
    Ok(found)
}

pub(super) fn crashes(facts: &Facts) -> Checked {
    let deaths = events(facts, &[ids::POISONED])?;
    one(deaths.last().map(|(at, _, text)| {
        Finding::warning(format!(
            "input made the daemon die, and was left out, {} time(s) in seven days, last at {}: {text}",
            deaths.len(),
            Time(*at)
        ))
        .say("This is a fault of the hub. Please report it, with what stands before it in the journal:")
        .run(format!("journalctl -u {SERVICE} --since -7days"))
        .run("coredumpctl list chathub")
    }))
}

/// The value of one of the daemon's counters.
fn counter(facts: &Facts, name: &str) -> Seen<u64> {
    let counters = &facts.daemon()?.status.counters;
    counters
        .get(name)
        .and_then(serde_json::Value::as_u64)
        .ok_or_else(|| Unseen::absent(format!("this daemon does not count {name}")))
}

pub(super) fn recording(facts: &Facts) -> Checked {
    let recording = &facts.daemon()?.status.recording;
    let is_wanted = facts.loaded().is_ok_and(|loaded| loaded.settings.history.persist);
    if recording.starts_with("not since") {
        return one(Some(
            Finding::error(format!("nothing is recorded {recording}"))
                .say("What is said waits for the disk as far as history.queue allows. Mend the cause (see what else is found about the state directory); the hub goes on by itself:")
                .run("chathub ctl history-stats"),
        ));
    }
    one((recording.starts_with("off") && is_wanted).then(|| {
        restart(Finding::warning("nothing is recorded, though history.persist is true: the daemon was started without it, or without a state directory"), facts)
    }))
}

pub(super) fn lost(facts: &Facts) -> Checked {
    let lost = match counter(facts, "history_lost") {
        Err(Unseen::Absent(_)) => 0,
        other => other?,
    };
    let disk = facts.daemon()?.disk.as_ref().ok().and_then(Option::as_ref);
    let mut found = Vec::new();
    if lost > 0 {
        found.push(
            Finding::warning(format!(
                "{lost} lines since the start were not recorded, for more waited for the disk than history.queue allows"
            ))
            .say("They are gone. See when, and raise history.queue or find a faster disk:")
            .run(format!("journalctl -u {SERVICE} MESSAGE_ID={}", ids::HISTORY)),
        );
    }
    if let Some(aside) = disk.and_then(|disk| disk.set_aside.as_ref()) {
        found.push(
            Finding::warning(format!("the database could not be read, and was set aside since the start: {aside}"))
                .say("See whether the disk is at its end, and what can be got out of it:")
                .run("dmesg -l err,warn | tail -n 20")
                .run(format!("sqlite3 {} .recover > recovered.sql", quoted(aside))),
        );
    }
    Ok(found)
}

pub(super) fn unread(facts: &Facts) -> Checked {
    one(facts.daemon()?.status.unread.then(|| {
        Finding::error("bans and accounts on disk cannot be read: who is banned may get in, and nobody can log in (access.unread says who may come)")
            .say("Mend the disk; they are read as soon as it allows that, without a restart:")
            .run("chathub ctl status")
    }))
}

pub(super) fn accepting(facts: &Facts) -> Checked {
    let (paused, unkept) = (counter(facts, "accept_pauses")?, counter(facts, "unkept")?);
    let mut found = Vec::new();
    if paused > 0 {
        found.push(
            Finding::warning(format!(
                "newcomers had to wait {paused} time(s) since the start: descriptors or memory ran out"
            ))
            .say("See \"descriptors\" and \"memory\", and when it was:")
            .run(format!("journalctl -u {SERVICE} MESSAGE_ID={}", ids::ACCEPT_PAUSED)),
        );
    }
    if unkept > 0 {
        found.push(
            Finding::warning(format!("{unkept} connection(s) since the start would not have outlived a restart: systemd's store did not take them"))
                .say("See what the journal says of it; please report it:")
                .run(format!("journalctl -u {SERVICE} -p warning -x")),
        );
    }
    Ok(found)
}

pub(super) fn full(facts: &Facts) -> Checked {
    let status = &facts.daemon()?.status;
    let (here, peak, most) = (status.clients, status.clients_peak, status.clients_max);
    let finding = if here >= most {
        Finding::warning(format!(
            "all {most} places are taken (limits.clients): newcomers are refused, or take the place of who has said nothing"
        ))
    } else if peak >= most {
        Finding::advice(format!("all {most} places were taken at one time since the start (limits.clients)"))
    } else {
        return FINE;
    };
    one(Some(
        finding
            .say("See from where they come, and raise limits.clients (and LimitNOFILE=) if they are people:")
            .run("chathub ctl clients"),
    ))
}

pub(super) fn admins(facts: &Facts) -> Checked {
    let admins = &facts.daemon()?.status.admins;
    let most = facts.loaded()?.settings.limits.admin_connections;
    one((admins.len() >= most).then(|| {
        let mut by_user = std::collections::BTreeMap::<u32, usize>::new();
        admins.iter().for_each(|admin| *by_user.entry(admin.uid).or_default() += 1);
        let of: Vec<_> = by_user.iter().map(|(uid, count)| format!("{count} of {}", users::called(*uid))).collect();
        Finding::warning(format!(
            "all {most} places on the admin socket are taken (limits.admin_connections): {}",
            of.join(", ")
        ))
        .say("Connections on which nothing is asked give way to new ones; see whether a program forgets to close its:")
        .run("chathub ctl status")
    }))
}

pub(super) fn lockdown(facts: &Facts) -> Checked {
    one(facts.daemon()?.status.lockdown.as_ref().map(|lockdown| {
        let until = lockdown.until.map_or_else(String::new, |until| format!(", until {until}"));
        Finding::advice(format!("a lockdown is in force{until}: who comes and is not logged in waits, or is not heard"))
            .say("To end it now:")
            .run("chathub ctl lockdown --off")
    }))
}

pub(super) fn reports(facts: &Facts) -> Checked {
    let open = facts.daemon()?.reports.as_ref().map_err(Clone::clone)?;
    let old: Vec<_> = open.iter().filter(|(_, age)| *age > FORGOTTEN).collect();
    one(old.iter().max_by_key(|(_, age)| *age).map(|(id, age)| {
        Finding::advice(format!(
            "{} report(s) by people are open for more than a week, {id} for {} days",
            old.len(),
            age.as_secs() / 86_400
        ))
        .run("chathub ctl report list")
        .run(format!("chathub ctl report show {id}"))
        .run(format!("chathub ctl report close {id}"))
    }))
}
