//! Clients, and what was done to them: disconnected, muted, renamed.

use std::io;
use std::time::Duration;

use super::bans;
use super::screen::Screen;
use super::table::{Facts, Side, Table};
use super::values::{address, bytes, count, span, time, until};
use crate::wire::admin::result::{Client, ClientList, Kicked, Muted, Renamed};
use crate::wire::admin::value::Time;

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &ClientList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("NICK", Side::Left),
        ("ROOM", Side::Left),
        ("ADDRESS", Side::Left),
        ("SINCE", Side::Left),
        ("IDLE", Side::Right),
        ("LINES", Side::Right),
        ("BEHIND", Side::Right),
        ("NOTES", Side::Left),
    ]);
    for client in &list.clients {
        table.row([
            client.id.clone(),
            client.nick.clone(),
            client.room.clone(),
            address(&client.addr, client.port),
            time(&client.since),
            span(client.idle_s),
            client.lines.to_string(),
            bytes(client.behind_bytes),
            notes(client),
        ]);
    }
    table.print(to, "client")
}

pub(in crate::ctl) fn one(to: &mut Screen<'_>, client: &Client) -> io::Result<()> {
    let mut facts = vec![
        ("Id", client.id.clone()),
        ("Nick", client.nick.clone()),
        ("Address", address(&client.addr, client.port)),
        ("Room", client.room.clone()),
        ("Since", time(&client.since)),
        ("Idle", span(client.idle_s)),
        ("Telnet", if client.telnet { "yes" } else { "no" }.into()),
        ("Sent", format!("{}, {} dropped (sent too fast)", count(client.lines, "line"), client.dropped)),
        (
            "Behind",
            format!("{}, {} missed (read too slowly)", bytes(client.behind_bytes), count(client.missed, "line")),
        ),
    ];
    if let Some(why) = &client.away {
        facts.push(("Away", if why.is_empty() { "yes".into() } else { why.clone() }));
    }
    if let Some(until) = &client.muted {
        let until =
            until.parse::<Time>().map_or_else(|_| "until lifted".into(), |until| format!("until {}", time(&until)));
        facts.push(("Muted", until));
    }
    Facts(facts).print(to)
}

fn muted_until(until: &str) -> String {
    match until.parse::<Time>() {
        Ok(until) => format!("muted until {}", time(&until)),
        Err(_) => "muted".into(), // "lifted" in place of a time: until somebody lifts it
    }
}

/// The column NOTES: what is unusual about a client.
#[must_use]
pub(in crate::ctl) fn notes(client: &Client) -> String {
    let mut notes = Vec::new();
    if client.telnet {
        notes.push("telnet".to_owned());
    }
    if let Some(until) = &client.muted {
        let how = if client.shadow { ", and does not know" } else { "" };
        notes.push(muted_until(until) + how);
    }
    if client.strikes > 0 {
        notes.push(count(u64::from(client.strikes), "strike"));
    }
    if client.dropped > 0 {
        notes.push(format!("dropped {}", client.dropped));
    }
    if client.missed > 0 {
        notes.push(format!("missed {}", client.missed));
    }
    if let Some(why) = &client.away {
        notes.push(if why.is_empty() { "away".into() } else { format!("away: {why}") });
    }
    notes.join(", ")
}

/// Whom a command was carried out on: `ann (c7)` if one client was named, else the ids, for which of several names has
/// which id is not known.
fn whom(asked: &[&str], ids: &[String]) -> String {
    match (asked, ids) {
        ([who], [id]) if who != id => format!("{who} ({id})"),
        _ => ids.join(", "),
    }
}

pub(in crate::ctl) fn kicked(to: &mut Screen<'_>, asked: &[&str], result: &Kicked) -> io::Result<()> {
    to.done(&format!("Disconnected {}.", whom(asked, &result.kicked)))?;
    result.banned.iter().try_for_each(|ban| to.done(&format!("Banned {} {} ({}).", ban.target, bans::end(ban), ban.id)))
}

pub(in crate::ctl) fn muted(
    to: &mut Screen<'_>,
    (asked, long): (&[&str], Option<Duration>),
    result: &Muted,
) -> io::Result<()> {
    if result.dry_run {
        let hit = if result.muted.is_empty() { "nobody who is here".to_owned() } else { result.muted.join(", ") };
        return to.line(&format!("It would reach {hit}."));
    }
    let ids: Vec<&str> = result.sanctions.iter().map(|one| &*one.id).collect();
    let whom = if result.muted.is_empty() { asked.join(", ") } else { whom(asked, &result.muted) };
    let ids = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
    to.done(&format!("Muted {whom} {}{ids}.", until(result.until, long)))
}

pub(in crate::ctl) fn unmuted(to: &mut Screen<'_>, asked: &[&str], result: &Muted) -> io::Result<()> {
    to.done(&format!("Unmuted {}.", whom(asked, &result.muted)))
}

pub(in crate::ctl) fn renamed(to: &mut Screen<'_>, result: &Renamed) -> io::Result<()> {
    to.done(&format!("{} ({}) is now {}.", result.from, result.id, result.nick))
}
