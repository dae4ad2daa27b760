//! Checks of the clock, the journal, and the version of systemd.

use super::super::facts::Facts;
use super::super::finding::{Checked, Finding, Unseen};
use super::one;
use crate::values::time::Wall;
use crate::wire::admin::value::Time;

/// The oldest version of systemd with which the hub is tested.
const OLDEST: u32 = 252;

/// How many milliseconds the clock may be behind the newest record.
const SLACK: i64 = 60_000;

pub(super) fn systemd_version(facts: &Facts) -> Checked {
    let systemd = facts.systemd()?;
    let Some(version) = systemd.version else { return Err(Unseen::hidden("systemd does not tell its version")) };
    one((version < OLDEST).then(|| {
        Finding::warning(format!("systemd is of version {version}, and the hub is tried with {OLDEST} and later: connections may not outlive a restart"))
            .say(format!("Run it on Debian 12 or later, or on another system with systemd {OLDEST}."))
    }))
}

pub(super) fn clock(facts: &Facts) -> Checked {
    let is_right = *facts.machine.clock_is_right.as_ref().map_err(Clone::clone)?;
    one((!is_right).then(|| {
        Finding::advice("nothing keeps the clock right: times of what was said, and ends of bans, may be wrong")
            .say("See what keeps it, and switch it on; in a container, that is the machine's business:")
            .run("timedatectl status")
            .run("timedatectl set-ntp true")
    }))
}

pub(super) fn clock_plausible(facts: &Facts) -> Checked {
    let by_daemon = facts.daemon().ok().and_then(|daemon| {
        let rooms = &daemon.disk.as_ref().ok()?.as_ref()?.rooms;
        rooms.iter().map(|room| room.newest.0).max()
    });
    let by_file = facts.state.database.as_ref().ok().and_then(|seen| seen.as_ref().ok()?.newest);
    let known =
        [(by_daemon.max(by_file), "what was said last was said"), (facts.program.made, "this program was made")];
    let late = known
        .into_iter()
        .find_map(|(at, what)| Some((at.filter(|at| at.0 > facts.now.0.saturating_add(SLACK))?, what)));
    one(late.map(|(at, what): (Wall, _)| {
        Finding::error(format!(
            "the clock says {}, and {what} at {}: history and bans are in disorder",
            Time(facts.now),
            Time(at)
        ))
        .say("Set the clock right; if it was ahead for a while, bans and mutes made then end later than meant:")
        .run("timedatectl status")
        .run("timedatectl set-ntp true")
    }))
}

pub(super) fn journal_reachable(facts: &Facts) -> Checked {
    let journal = facts.journal.as_ref().map_err(Clone::clone)?;
    one((!journal.reachable).then(|| {
        Finding::warning("the journal takes nothing (/run/systemd/journal/socket is not there): nobody learns what the hub did, and who administered it")
            .run("systemctl start systemd-journald.service")
    }))
}

pub(super) fn journal_kept(facts: &Facts) -> Checked {
    let journal = facts.journal.as_ref().map_err(Clone::clone)?;
    one((!journal.kept).then(|| {
        Finding::advice("the journal is gone after a reboot (/var/log/journal is not there): why the machine or the hub went down is not known then")
            .run("mkdir -p /var/log/journal")
            .run("systemd-tmpfiles --create --prefix /var/log/journal")
            .run("journalctl --flush")
    }))
}
