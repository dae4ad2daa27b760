//! Sanctions: bans, mutes, expulsions.

use std::io;
use std::time::Duration;

use super::UNREAD;
use super::screen::Screen;
use super::table::{Table, left, right};
use super::values::{maker, people, span, until};
use crate::wire::admin::result::{
    Ban, BanList, BanTest, Banned, Lifted, Sanction, SanctionList, SanctionTest, Unbanned,
};
use crate::wire::admin::value::Time;

pub(in crate::ctl) fn added(to: &mut Screen<'_>, result: &Banned) -> io::Result<()> {
    let hit = people(&result.people, &result.disconnected);
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
    table(to, &list.bans).print(to, "ban")?;
    if list.unread {
        to.legend(UNREAD)?;
    }
    if list.persistent { Ok(()) } else { to.legend("They end with the daemon: nothing is recorded.") }
}

pub(in crate::ctl) fn removed(to: &mut Screen<'_>, result: &Unbanned) -> io::Result<()> {
    to.done(&format!("Lifted the ban of {} ({}).", result.removed.target, result.removed.id))
}

pub(in crate::ctl) fn tested(to: &mut Screen<'_>, result: &BanTest) -> io::Result<()> {
    print_or(to, &table(to, &result.bans), "ban", "No ban covers it.")?;
    let hit = people(&result.people, &result.clients);
    to.line(&format!("A ban of it would disconnect {hit}."))
}

fn table(to: &Screen<'_>, bans: &[Ban]) -> Table {
    let mut table = Table::new([
        left("ID"),
        left("TARGET"),
        right("AGE").spare(1),
        right("LEFT"),
        left("BY").shrinks(10),
        left("REASON").telling(),
    ]);
    for ban in bans {
        table.row([
            ban.id.clone(),
            ban.target.clone(),
            span(to.age(&ban.since)),
            time_left(to, ban.until.as_ref()),
            maker(&ban.by),
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
    all(to, &list.sanctions).print(to, "sanction")?;
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
    print_or(to, &all(to, &result.sanctions), "sanction", "No sanction is about it.")?;
    let hit = people(&result.people, &result.clients);
    to.line(&format!("One more about it would reach {hit}."))
}

/// Prints the table; or says that it is empty, which is an answer here and no heading.
fn print_or(to: &mut Screen<'_>, table: &Table, thing: &str, none: &str) -> io::Result<()> {
    if table.is_empty() { to.line(none) } else { table.print(to, thing) }
}

/// How long it still holds.
fn time_left(to: &Screen<'_>, until: Option<&Time>) -> String {
    until.map_or_else(|| "no end".to_owned(), |until| span(to.left(until)))
}

/// Sanctions of all kinds.
fn all(to: &Screen<'_>, sanctions: &[Sanction]) -> Table {
    let mut table = Table::new([
        left("ID"),
        left("KIND"),
        left("TARGET"),
        right("AGE").spare(1),
        right("LEFT"),
        left("BY").shrinks(10),
        left("REASON").telling(),
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
            span(to.age(&one.since)),
            time_left(to, one.until.as_ref()),
            maker(&one.by),
            one.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}
