//! Prints clients, and the results of acts against them: kick, mute, rename.

use std::io;
use std::time::Duration;

use super::bans;
use super::screen::Screen;
use super::table::{Facts, Table, left, right};
use super::values::{address, bytes, count, people, span, time, until};
use crate::hub::account;
use crate::values::name::{self, Name};
use crate::values::time::Wall;
use crate::wire::admin::result::{Client, ClientList, Encryption, Kicked, Muted, Person, Proxy, Renamed, Sanction};
use crate::wire::admin::value::Time;

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &ClientList) -> io::Result<()> {
    let mut table = Table::new([
        left("ID"),
        left("NICK").shrinks(14).names(),
        left("ROOM").shrinks(10),
        left("ADDRESS"),
        right("AGE").spare(3),
        right("IDLE").spare(4),
        right("LINES").spare(1),
        right("BEHIND").spare(2),
        left("NOTES").telling(),
    ]);
    for client in &list.clients {
        table.row([
            client.id.clone(),
            client.nick.clone(),
            client.room.clone(),
            client.addr.clone(),
            span(to.age(&client.since)),
            span(client.idle_s),
            client.lines.to_string(),
            bytes(client.behind_bytes),
            notes(client, to.now),
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
        ("Since", format!("{} ({})", time(&client.since), span(to.age(&client.since)))),
        ("Idle", span(client.idle_s)),
        ("TLS", encryption(client)),
        ("Telnet", if client.telnet { "yes" } else { "no" }.into()),
        ("Sent", format!("{}, {} dropped (sent too fast)", count(client.lines, "line"), client.dropped)),
        (
            "Behind",
            format!("{}, {} missed (read too slowly)", bytes(client.behind_bytes), count(client.missed, "line")),
        ),
    ];
    if let Some(through) = &client.proxy {
        facts.insert(PROXY, ("Proxy", proxy(through)));
    }
    facts.push(("Account", account(client).unwrap_or_else(|| "none: a guest".to_owned())));
    if client.strikes > 0 {
        facts.push(("Strikes", format!("{} against this address", client.strikes)));
    }
    if let Some(why) = &client.away {
        facts.push(("Away", if why.is_empty() { "yes".into() } else { why.clone() }));
    }
    if let Some(until) = &client.muted {
        let until = until.parse::<Time>().map_or_else(
            |_| "until it is lifted".into(),
            |until| format!("until {}, {} left", time(&until), span(to.left(&until))),
        );
        let until = if client.shadow { format!("{until}; does not know of it (shadow-mute)") } else { until };
        facts.push(("Muted", until));
    }
    Facts(facts).print(to)
}

/// The encryption: `1.3, TLS_AES_256_GCM_SHA384, X25519MLKEM768`.
fn encryption(client: &Client) -> String {
    let Some(Encryption { suite, group, fingerprint }) = &client.encryption else { return "none".to_owned() };
    let certificate = fingerprint.as_ref().map_or_else(String::new, |digest| format!(", certificate {digest}"));
    format!("1.3, {suite}, {group}{certificate}")
}

/// The index at which the row on the proxy is inserted: after that on TLS.
const PROXY: usize = 7;

/// The proxy: `192.0.2.1:40000; encrypted as far as there: TLSv1.3, TLS_AES_256_GCM_SHA384, for
/// chat.example.org`.
fn proxy(proxy: &Proxy) -> String {
    let said = |what: &Option<String>, before: &str| what.as_ref().map(|what| format!("{before}{what}"));
    let facts: Vec<String> = [
        said(&proxy.version, ""),
        said(&proxy.suite, ""),
        said(&proxy.host, "for "),
        said(&proxy.certificate, "certificate of "),
    ]
    .into_iter()
    .flatten()
    .collect();
    let how = match (proxy.encrypted, facts.is_empty()) {
        (false, _) => "in plain text as far as there".to_owned(),
        (true, true) => "encrypted as far as there (proxy.encrypted)".to_owned(),
        (true, false) => format!("encrypted as far as there: {}", facts.join(", ")),
    };
    format!("{}; {how}", address(&proxy.addr, proxy.port))
}

/// The account of a client: `ann, role operator`; `None` if it is not logged in.
fn account(client: &Client) -> Option<String> {
    let role = client.role.map_or_else(String::new, |role| format!(", role {}", account::Role::from(role)));
    client.account.as_ref().map(|account| format!("{account}{role}"))
}

/// For the column NOTES: that a client is logged in, and its account if that has another name.
fn logged_in(client: &Client) -> Option<String> {
    let account = client.account.as_ref()?;
    let role = match client.role.map(account::Role::from) {
        Some(account::Role::Operator) => "operator",
        _ => "registered",
    };
    Some(if *account == client.nick { role.to_owned() } else { format!("{role} as {account}") })
}

/// The column NOTES: what else is worth knowing about a client at `now`.
#[must_use]
pub(in crate::ctl) fn notes(client: &Client, now: Wall) -> String {
    let mut notes: Vec<String> = logged_in(client).into_iter().collect();
    if let Some(until) = &client.muted {
        let how = if client.shadow { "shadow-muted" } else { "muted" };
        // A word in place of a time means that the mute has no end.
        let left = until.parse::<Time>().map(|until| u64::try_from((until.0.0 - now.0) / 1000).unwrap_or(0));
        notes.push(left.map_or_else(|_| how.to_owned(), |left| format!("{how}, {} left", span(left))));
    }
    if client.encryption.is_some() || client.proxy.as_ref().is_some_and(|proxy| proxy.encrypted) {
        notes.push("encrypted".to_owned());
    }
    if client.telnet {
        notes.push("telnet".to_owned());
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

/// The clients that a command was carried out on. An older daemon reports only ids; if it is one
/// client, the name in the command is added.
fn whom(asked: &[&str], ids: &[String], with_names: &[Person]) -> String {
    match (asked, ids) {
        ([who], [id]) if with_names.is_empty() && who != id => format!("{who} ({id})"),
        _ => people(with_names, ids),
    }
}

pub(in crate::ctl) fn kicked(to: &mut Screen<'_>, asked: &[&str], result: &Kicked) -> io::Result<()> {
    to.done(&format!("Disconnected {}.", whom(asked, &result.kicked, &result.people)))?;
    result.banned.iter().try_for_each(|ban| to.done(&format!("Banned {} {} ({}).", ban.target, bans::end(ban), ban.id)))
}

pub(in crate::ctl) fn muted(
    to: &mut Screen<'_>,
    (asked, long): (&[&str], Option<Duration>),
    result: &Muted,
) -> io::Result<()> {
    if result.dry_run {
        let here = if result.muted.is_empty() { " who is here" } else { "" };
        return to.told(&format!("It would reach {}{here}.", people(&result.people, &result.muted)));
    }
    let ids: Vec<&str> = result.sanctions.iter().map(|one| &*one.id).collect();
    let whom = if result.muted.is_empty() { asked.join(", ") } else { whom(asked, &result.muted, &result.people) };
    let ids = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
    let former = result.replaced.iter().map(|one| match &one.until {
        None => format!("{}, a {} without an end", one.id, one.kind),
        Some(end) => format!("{}, a {} until {end}", one.id, one.kind),
    });
    let former: Vec<String> = former.collect();
    let instead = if former.is_empty() { String::new() } else { format!(" in place of {}", former.join("; ")) };
    to.done(&format!("Muted {whom} {}{ids}{instead}.", until(result.until, long)))?;
    // A mute of a name that nobody here has at the moment.
    let is_here = |name: &str| result.people.iter().any(|person| name::fold(&person.nick) == name::fold(name));
    let is_name = |one: &&Sanction| one.nick.is_none() && Name::parse(&one.target, usize::from(u8::MAX)).is_ok();
    for one in result.sanctions.iter().filter(is_name).filter(|one| !is_here(&one.target)) {
        to.done(&format!("Nobody called {} is here: {} holds for whoever takes the name.", one.target, one.id))?;
    }
    Ok(())
}

pub(in crate::ctl) fn unmuted(to: &mut Screen<'_>, asked: &[&str], result: &Muted) -> io::Result<()> {
    let lifted = |one: &Sanction| format!("Lifted {}, the {} of {}.", one.id, one.kind, one.target);
    if !result.muted.is_empty() {
        to.done(&format!("Unmuted {}.", whom(asked, &result.muted, &result.people)))?;
    }
    result.sanctions.iter().try_for_each(|one| to.done(&lifted(one)))
}

pub(in crate::ctl) fn renamed(to: &mut Screen<'_>, result: &Renamed) -> io::Result<()> {
    to.done(&format!("{} ({}) is now {}.", result.from, result.id, result.nick))
}
