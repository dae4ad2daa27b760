//! Sanctions: bans, mutes, expulsions.

use std::io;
use std::time::Duration;

use super::UNREAD;
use super::screen::Screen;
use super::table::{Side, Table};
use super::values::{time, until};
use crate::wire::admin::result::{
    Ban, BanList, BanTest, Banned, Lifted, Sanction, SanctionList, SanctionTest, Unbanned,
};

pub(in crate::ctl) fn added(to: &mut Screen<'_>, result: &Banned) -> io::Result<()> {
    let hit = if result.disconnected.is_empty() { "nobody".to_owned() } else { result.disconnected.join(", ") };
    match &result.ban {
        Some(ban) => {
            let instead = match &result.replaced {
                None => String::new(),
                Some(former) => format!(" in place of {}", former.id),
            };
            to.done(&format!("Banned {} {} ({}){instead}; disconnected {hit}.", ban.target, end(ban), ban.id))
        }
        None => to.line(&format!("It would disconnect {hit}.")),
    }
}

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &BanList) -> io::Result<()> {
    table(&list.bans).print(to, "ban")?;
    if list.unread {
        to.legend(UNREAD)?;
    }
    if list.persistent { Ok(()) } else { to.legend("They end with the daemon: nothing is recorded.") }
}

pub(in crate::ctl) fn removed(to: &mut Screen<'_>, result: &Unbanned) -> io::Result<()> {
    to.done(&format!("Lifted the ban of {} ({}).", result.removed.target, result.removed.id))
}

pub(in crate::ctl) fn tested(to: &mut Screen<'_>, result: &BanTest) -> io::Result<()> {
    table(&result.bans).print(to, "ban")?;
    let hit = if result.clients.is_empty() { "nobody".to_owned() } else { result.clients.join(", ") };
    to.line(&format!("A ban of it would disconnect {hit}."))
}

fn table(bans: &[Ban]) -> Table {
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("TARGET", Side::Left),
        ("SINCE", Side::Left),
        ("UNTIL", Side::Left),
        ("BY", Side::Left),
        ("REASON", Side::Left),
    ]);
    for ban in bans {
        table.row([
            ban.id.clone(),
            ban.target.clone(),
            time(&ban.since),
            ban.until.as_ref().map(time).unwrap_or_default(),
            ban.by.clone(),
            ban.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

pub(super) fn end(ban: &Ban) -> String {
    let long = ban.until.and_then(|until| u64::try_from(until.0.0.saturating_sub(ban.since.0.0)).ok());
    until(ban.until, long.map(Duration::from_millis))
}

pub(in crate::ctl) fn sanctions(to: &mut Screen<'_>, list: &SanctionList) -> io::Result<()> {
    all(&list.sanctions).print(to, "sanction")?;
    if list.unread {
        to.legend(UNREAD)?;
    }
    if list.persistent { Ok(()) } else { to.legend("They end with the daemon: nothing is recorded.") }
}

pub(in crate::ctl) fn lifted(to: &mut Screen<'_>, result: &Lifted) -> io::Result<()> {
    let Sanction { id, kind, target, .. } = &result.lifted;
    to.done(&format!("Lifted {id}, the {kind} of {target}."))
}

pub(in crate::ctl) fn tested_all(to: &mut Screen<'_>, result: &SanctionTest) -> io::Result<()> {
    all(&result.sanctions).print(to, "sanction")?;
    let hit = if result.clients.is_empty() { "nobody".to_owned() } else { result.clients.join(", ") };
    to.line(&format!("One more about it would reach {hit}."))
}

/// Sanctions of all kinds; whom they are about comes before what can be cut.
fn all(sanctions: &[Sanction]) -> Table {
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("KIND", Side::Left),
        ("TARGET", Side::Left),
        ("UNTIL", Side::Left),
        ("BY", Side::Left),
        ("REASON", Side::Left),
    ]);
    for one in sanctions {
        let target = match &one.also {
            None => one.target.clone(),
            Some(also) => format!("{}, {also}", one.target),
        };
        let kind = match &one.room {
            None => one.kind.clone(),
            Some(room) => format!("{} #{room}", one.kind),
        };
        table.row([
            one.id.clone(),
            kind,
            target,
            one.until.as_ref().map(time).unwrap_or_default(),
            one.by.clone(),
            one.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}
