//! Prints sanctions: bans, mutes, expulsions, filters.

use std::io;
use std::time::Duration;

use super::UNREAD;
use super::screen::Screen;
use super::table::{Table, left, right};
use super::values::{maker_in_table, people, span, until};
use crate::wire::admin::result::{
    Ban, BanList, BanTest, Banned, FilterList, Filtered, Lifted, Sanction, SanctionList, SanctionTest, Unbanned,
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
        None => to.told(&format!("It would disconnect {hit}.")),
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
    to.told(&format!("A ban of it would disconnect {hit}."))
}

fn table(to: &Screen<'_>, bans: &[Ban]) -> Table {
    let mut table = Table::new([
        left("ID"),
        left("TARGET").shrinks(28).names(),
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
            maker_in_table(&ban.by),
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
    to.told(&format!("One more about it would reach {hit}."))
}

pub(in crate::ctl) fn filtered(to: &mut Screen<'_>, result: &Filtered) -> io::Result<()> {
    let by = match &result.names[..] {
        [] => String::new(),
        names => format!(", by {}", names.join(", ")),
    };
    let found = format!("{} of the last {} lines{by}", result.lines, result.looked_at);
    match &result.filter {
        Some(Sanction { id, target, since, until: end, .. }) => {
            let long = end.and_then(|end| u64::try_from(end.0.0.saturating_sub(since.0.0)).ok());
            let end = until(*end, long.map(Duration::from_millis));
            let instead =
                result.replaced.as_ref().map_or_else(String::new, |former| format!(" in place of {}", former.id));
            to.done(&format!("Filtered: {target} {end} ({id}){instead}; it finds {found}."))
        }
        None => to.told(&format!("It would have kept back {found}.")),
    }
}

pub(in crate::ctl) fn filters(to: &mut Screen<'_>, list: &FilterList) -> io::Result<()> {
    let mut table = Table::new([
        left("ID"),
        left("KIND"),
        left("TEXT").shrinks(20).names(),
        right("LEFT"),
        left("BY").shrinks(10),
        left("REASON").telling(),
    ]);
    let kind = |strike: bool| if strike { "strike" } else { "refuse" }.to_owned();
    for one in &list.filters {
        table.row([
            one.id.clone(),
            kind(one.kind == "strike-filter"),
            one.target.clone(),
            time_left(to, one.until.as_ref()),
            maker_in_table(&one.by),
            one.reason.clone().unwrap_or_default(),
        ]);
    }
    for (entries, strike) in [(&list.refuse, false), (&list.strike, true)] {
        for entry in entries {
            let none = String::new;
            table.row([none(), kind(strike), entry.clone(), none(), "the settings".to_owned(), none()]);
        }
    }
    print_or(to, &table, "filter", "Nothing is filtered.")
}

/// Prints the table; or, if it is empty, `none`, which is an answer here and no legend.
fn print_or(to: &mut Screen<'_>, table: &Table, thing: &str, none: &str) -> io::Result<()> {
    if table.is_empty() { to.line(none) } else { table.print(to, thing) }
}

/// How long a sanction still holds.
fn time_left(to: &Screen<'_>, until: Option<&Time>) -> String {
    until.map_or_else(|| "no end".to_owned(), |until| span(to.left(until)))
}

/// A table of sanctions of all kinds.
fn all(to: &Screen<'_>, sanctions: &[Sanction]) -> Table {
    let mut table = Table::new([
        left("ID"),
        left("KIND"),
        left("TARGET").shrinks(28).names(),
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
            maker_in_table(&one.by),
            one.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}
