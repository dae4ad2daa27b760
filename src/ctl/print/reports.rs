//! Prints reports.

use std::io;

use super::UNREAD;
use super::history::line;
use super::screen::Screen;
use super::table::{Facts, Table, left, right};
use super::values::{count, maker, span, time};
use crate::wire::admin::result::{Report, ReportLineState, ReportList, ReportParty, ReportShown, ReportsClosed};

/// The least number of columns for a name.
const NAME: usize = 12;

pub(in crate::ctl) fn list(to: &mut Screen<'_>, list: &ReportList) -> io::Result<()> {
    let mut table = Table::new([
        left("ID"),
        right("AGE"),
        left("ABOUT").shrinks(NAME).names(),
        left("BY").shrinks(NAME),
        left("REASON").telling(),
    ]);
    for report in &list.reports {
        let again = if report.times > 1 { format!("({} times) ", report.times) } else { String::new() };
        let closed = if report.closed.is_some() { "(closed) " } else { "" };
        table.row([
            report.id.clone(),
            span(report.age_s),
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
            facts.push(("Closed", format!("{} by {}{note}", time(&closed.t), maker(&closed.by))));
        }
    }
    facts.push((
        "Lines",
        if lines.is_empty() { "none in question".to_owned() } else { count(lines.len() as u64, "line") },
    ));
    Facts(facts).print(to)?;
    for known in lines {
        match (known.state, &known.line) {
            (ReportLineState::Kept, Some(found)) => _ = line(to, found)?,
            (ReportLineState::Redacted, _) => to.told(&format!("line {} was made unreadable", known.seq))?,
            (ReportLineState::Private, _) => to.told(&format!("line {} was said in private", known.seq))?,
            _ => to.told(&format!("line {} is not kept any more", known.seq))?,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::time::Wall;
    use crate::wire::admin::value::Time;

    #[test]
    fn at_eighty_columns_the_reason_is_seen() {
        let party =
            || ReportParty { nick: "a-name-of-24-characters-".into(), client: "c123".into(), account: None, now: None };
        let report = Report {
            id: "r120".into(),
            t: Time(Wall(0)),
            age_s: 100_000,
            last: Time(Wall(0)),
            times: 1,
            by: party(),
            shadow: false,
            about: party(),
            room: "lobby".into(),
            reason: Some("he tells where I live".into()),
            erased: false,
            lines: Vec::new(),
            closed: None,
        };
        let all = ReportList { reports: vec![report], total: 1, open: 1, persistent: true, unread: false };
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out);
        screen.terminal = Some((80, 24));
        list(&mut screen, &all).expect("memory takes it");
        let out = String::from_utf8(out).expect("text");
        assert!(out.lines().nth(1).is_some_and(|row| row.ends_with("  he tells where I live")), "{out}");
    }
}
