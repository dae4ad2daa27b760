//! Prints the daemon itself: its status, metrics, log level, a reload, its end.

use std::collections::BTreeMap;
use std::io;

use super::screen::Screen;
use super::table::Facts;
use super::values::{count, span, time};
use crate::settings::{Newcomers, Word as _};
use crate::users;
use crate::wire::admin::result::{AdminConnection, Lockdown, LogLevel, Metrics, Reloaded, Status, Stopped};

pub(in crate::ctl) fn status(to: &mut Screen<'_>, status: &Status) -> io::Result<()> {
    let since = format!("{} since {} ({})", status.state, time(&status.since), span(status.uptime_s));
    let mut facts = vec![
        ("State", since),
        ("Version", format!("{}, process {}", status.version, status.pid)),
        (
            "Clients",
            format!("{} of at most {}; {} at the busiest", status.clients, status.clients_max, status.clients_peak),
        ),
        ("Rooms", format!("{} of at most {}", status.rooms, status.rooms_max)),
        ("History", format!("{} in memory", count(status.history_lines, "line"))),
    ];
    if status.reports_open > 0 {
        facts.push((
            "Reports",
            format!("{} open; see \"chathub ctl report list\"", count(status.reports_open, "report")),
        ));
    }
    if status.memos_waiting > 0 {
        facts.push(("Messages", format!("{} waiting for people who are not here", status.memos_waiting)));
    }
    if !status.recording.is_empty() {
        facts.push(("Recording", status.recording.clone()));
    }
    if let Some(text) = status.lockdown.as_ref().and_then(lockdown_until) {
        facts.push(("Lockdown", text));
    }
    let mut key = "Listening";
    for listener in &status.listeners {
        facts.push((std::mem::take(&mut key), format!("{} on {}", listener.name, listener.addr)));
    }
    if !status.admins.is_empty() {
        facts.push(("Administrators", holders(&status.admins)));
    }
    let sockets = if status.activated { "handed over by the service manager" } else { "its own" };
    facts.push(("Sockets", sockets.into()));
    facts.push(("Survival", status.survival.clone()));
    let turns = &status.turns;
    if let Some(at) = &turns.longest_at {
        let millis = |micros: u64| format!("{}.{} ms", micros / 1000, micros % 1000 / 100);
        let (longest, part) = (millis(turns.longest_us), millis(turns.longest_doing_us));
        let longest = format!("{longest}, {part} of it {}, at {}", turns.longest_doing, time(at));
        facts.push(("Turns", format!("{} of the loop; the longest took {longest}", turns.count)));
    }
    facts.push(("Settings", status.config.clone().unwrap_or_else(|| "defaults; no file was read".into())));
    if let Some(read) = status.settings.as_ref().filter(|read| !read.waiting.is_empty()) {
        facts.push(("", format!("waiting for a restart: {}", read.waiting.join(", "))));
    }
    facts.push(("Log level", status.log_level.word().into()));
    let mut key = "Counters";
    for (name, value) in status.counters.iter().filter(|(_, value)| value.as_f64() != Some(0.0)) {
        facts.push((std::mem::take(&mut key), format!("{name} {value}")));
    }
    Facts(facts).print(to)
}

pub(in crate::ctl) fn lockdown(to: &mut Screen<'_>, lockdown: &Lockdown) -> io::Result<()> {
    to.done(
        &lockdown_until(lockdown)
            .map_or_else(|| "The lockdown is over.".to_owned(), |text| format!("Lockdown {text}.")),
    )
}

/// The end of the lockdown, and its effect on newcomers; `None` if there is no lockdown.
fn lockdown_until(lockdown: &Lockdown) -> Option<String> {
    let what = match lockdown.newcomers {
        Some(Newcomers::Registered) => "newcomers speak when they have logged in",
        _ => "newcomers wait at the door until they have logged in",
    };
    Some(format!("until {}: {what}", time(&lockdown.until?)))
}

/// How many connections to the admin socket each user holds, the user with most first.
fn holders(admins: &[AdminConnection]) -> String {
    let mut of: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for one in admins {
        let (all, idle) = of.entry(one.uid).or_default();
        *all += 1;
        *idle += u64::from(one.idle_s.is_some());
    }
    let mut of: Vec<_> = of.into_iter().collect();
    of.sort_by_key(|(uid, (all, _))| (std::cmp::Reverse(*all), *uid));
    let each: Vec<String> = of
        .into_iter()
        .map(|(uid, (all, idle))| {
            format!(
                "{}: {}{}",
                users::called(uid),
                count(all, "connection"),
                if idle > 0 { format!(" ({idle} idle)") } else { String::new() }
            )
        })
        .collect();
    each.join(", ")
}

pub(in crate::ctl) fn metrics(to: &mut Screen<'_>, metrics: &Metrics) -> io::Result<()> {
    metrics.text.iter().flat_map(|text| text.lines()).try_for_each(|line| to.line(line))
}

pub(in crate::ctl) fn log_level(to: &mut Screen<'_>, result: &LogLevel) -> io::Result<()> {
    to.line(result.level.word())
}

pub(in crate::ctl) fn log_level_set(to: &mut Screen<'_>, result: &LogLevel) -> io::Result<()> {
    to.done(&format!("The log level is now {}, until the next start.", result.level.word()))
}

pub(in crate::ctl) fn reloaded(to: &mut Screen<'_>, result: &Reloaded) -> io::Result<()> {
    if result.applied.is_empty() && result.restart.is_empty() {
        return to.done("Settings read; nothing has changed.");
    }
    if !result.applied.is_empty() {
        to.done(&format!("In force now: {}.", result.applied.join(", ")))?;
    }
    if !result.restart.is_empty() {
        to.done(&format!("In force after a restart: {}.", result.restart.join(", ")))?;
    }
    Ok(())
}

pub(in crate::ctl) fn stopped(to: &mut Screen<'_>, result: &Stopped) -> io::Result<()> {
    to.done(&format!(
        "Stopped; {} told goodbye.",
        if result.clients == 1 { "1 client was".into() } else { format!("{} clients were", result.clients) }
    ))?;
    if result.gave_up > 0 {
        let had = if result.gave_up == 1 { "1 client had" } else { &format!("{} clients had", result.gave_up) };
        to.done(&format!("Gave up on some: {had} not taken all that was owed when the deadline came."))?;
    }
    Ok(())
}
