//! Reports.

use std::io;

use super::UNREAD;
use super::history::line;
use super::screen::Screen;
use super::table::{Facts, Side, Table};
use super::values::{count, time};
use crate::wire::admin::result::{Report, ReportLineState, ReportList, ReportParty, ReportShown, ReportsClosed};

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &ReportList) -> io::Result<()> {
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("SINCE", Side::Left),
        ("ABOUT", Side::Left),
        ("BY", Side::Left),
        ("REASON", Side::Left),
    ]);
    for report in &list.reports {
        let since = time(&report.t);
        let again = if report.times > 1 { format!("({} times) ", report.times) } else { String::new() };
        let closed = if report.closed.is_some() { "(closed) " } else { "" };
        table.row([
            report.id.clone(),
            // To the minute: the reason is to have room.
            format!("{}Z", &since[..16]),
            nick(&report.about).to_owned(),
            nick(&report.by).to_owned(),
            format!("{closed}{again}{}", reason(report)),
        ]);
    }
    table.print(to, "report")?;
    if list.unread {
        to.legend(UNREAD)?;
    }
    if list.persistent { Ok(()) } else { to.legend("They end with the daemon: nothing is recorded.") }
}

pub(in crate::ctl) fn one(to: &mut Screen<'_>, shown: &ReportShown) -> io::Result<()> {
    let ReportShown { report, lines, trouble } = shown;
    let shadow = if report.shadow { "; muted, and did not know" } else { "" };
    let mut facts = vec![
        ("Report", report.id.clone()),
        ("Since", time(&report.t)),
        ("About", party(&report.about)),
        ("By", format!("{}{shadow}", party(&report.by))),
        ("Room", report.room.clone()),
        ("Reason", reason(report).to_owned()),
    ];
    if report.times > 1 {
        facts.push(("Again", format!("{} times in all, last at {}", report.times, time(&report.last))));
    }
    match &report.closed {
        None => facts.push(("Closed", "no".to_owned())),
        Some(closed) => {
            let note = closed.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            facts.push(("Closed", format!("{} by {}{note}", time(&closed.t), closed.by)));
        }
    }
    facts.push((
        "Lines",
        if lines.is_empty() { "none in question".to_owned() } else { count(lines.len() as u64, "line") },
    ));
    Facts(facts).print(to)?;
    for known in lines {
        match (known.state, &known.line) {
            (ReportLineState::Kept, Some(found)) => line(to, found)?,
            (ReportLineState::Redacted, _) => to.line(&format!("line {} was made unreadable", known.seq))?,
            (ReportLineState::Private, _) => to.line(&format!("line {} was said in private", known.seq))?,
            _ => to.line(&format!("line {} is not kept any more", known.seq))?,
        }
    }
    match trouble {
        Some(trouble) => to.legend(&format!("Lines on disk cannot be read now: {trouble}")),
        None => Ok(()),
    }
}

pub(in crate::ctl) fn closed(to: &mut Screen<'_>, result: &ReportsClosed) -> io::Result<()> {
    let ids: Vec<&str> = result.closed.iter().map(|report| &*report.id).collect();
    to.done(&format!("Closed {}; {} open.", ids.join(", "), count(result.open, "report")))
}

fn nick(party: &ReportParty) -> &str {
    if party.nick.is_empty() { "(erased)" } else { &party.nick }
}

fn party(party: &ReportParty) -> String {
    let account = party.account.as_deref().map(|account| format!(", logged in as {account}")).unwrap_or_default();
    let now = match &party.now {
        None => "; has left".to_owned(),
        Some(now) if *now == party.nick => "; is here".to_owned(),
        Some(now) => format!("; is here as {now}"),
    };
    format!("{} ({}){account}{now}", nick(party), party.client)
}

fn reason(report: &Report) -> &str {
    match &report.reason {
        Some(reason) => reason,
        None if report.erased => "(erased)",
        None => "(none was given)",
    }
}
