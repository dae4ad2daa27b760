//! Reports of people about each other, as operators see them in chat.

use std::sync::Arc;
use std::time::Duration;

use super::lists::cells;
use super::page::Page;
use super::times::{Clock, clock, date_and_time};
use super::{Marks, count, notice, row, said};
use crate::hub::message::{Said, ShownLine, ShownReport};
use crate::hub::report::{Party, Report};
use crate::values::time::{Wall, in_words};

/// The part of the reports that a list shows: a page, of all reports or only of open ones (`all`).
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) page: usize,
    pub(super) pages: usize,
    pub(super) total: usize,
    pub(super) all: bool,
}

/// The most characters of a reason in a list.
const REASON: usize = 40;

fn since(at: Wall, now: Wall) -> String {
    in_words(Duration::from_millis(u64::try_from(now.0.saturating_sub(at.0)).unwrap_or(0)))
}

/// Appends reports, one in a row.
pub(super) fn list(reports: &[Arc<Report>], part: Part, now: Wall, out: &mut Page<'_>) {
    let Part { page, pages, total, all } = part;
    if reports.is_empty() {
        return notice(out, &[if all { "no reports are kept" } else { "no report is open" }]);
    }
    let what = match all {
        true => count(total, "report", "reports, the newest first"),
        false => count(total, "report is open", "reports are open, the oldest first"),
    };
    let place = if pages > 1 { format!(" (page {page} of {pages})") } else { String::new() };
    notice(out, &[&what, &place, ":"]);
    for report in reports {
        let closed = if report.closed.is_some() { "closed; " } else { "" };
        let again = if report.times > 1 { format!(" ({} times)", report.times) } else { String::new() };
        let reason = reason(report, Some(REASON));
        let text = format!("{closed}{}, by {}{again}{reason}", report.about.shown(), report.by.shown());
        cells(out, &[(&report.id.to_string(), 5), (&since(report.at, now), 9)], &text);
    }
    if page < pages {
        let all = if all { "all " } else { "" };
        row(out, &[&format!("/reports {all}{} lists the next ones", page + 1)]);
    }
    if let Some(first) = reports.first() {
        let id = first.id.to_string();
        match reports.iter().find(|report| report.closed.is_none()).map(|open| open.id.to_string()) {
            Some(open) => notice(out, &["/reports ", &id, " shows one, /close ", &open, " closes one"]),
            None => notice(out, &["/reports ", &id, " shows one"]),
        }
    }
}

/// The reason of a report, such as `: he is rude`, cut to `most` characters.
fn reason(report: &Report, most: Option<usize>) -> String {
    if report.erased {
        return "; its reason was erased".to_owned();
    }
    if report.reason.is_empty() {
        return String::new();
    }
    let shown: String = report.reason.chars().take(most.unwrap_or(usize::MAX)).collect();
    let cut = if shown.len() < report.reason.len() { "..." } else { "" };
    format!(": {shown}{cut}")
}

/// A party of a report, such as `ann (c3), logged in as ann; now zed, in den`.
fn party(party: &Party, account: Option<&str>, now: Option<&(Arc<str>, Arc<str>)>) -> String {
    let account = account.map(|account| format!(", logged in as {account}")).unwrap_or_default();
    let now = match now {
        None => "; has left".to_owned(),
        Some((nick, room)) if **nick == *party.name => format!("; is in {room}"),
        Some((nick, room)) => format!("; now {nick}, in {room}"),
    };
    format!("{} ({}){account}{now}", party.shown(), party.session)
}

/// Appends one report with the lines in question.
pub(super) fn one(shown: &ShownReport, now: Wall, out: &mut Page<'_>) {
    let ShownReport { report, by_now, by_account, about_now, about_account, lines, offset } = shown;
    let id = report.id.to_string();
    let state = if report.closed.is_some() { " (closed)" } else { "" };
    let at = date_and_time(report.at);
    notice(out, &["report ", &id, state, " of ", &at, ", ", &since(report.at, now), " ago:"]);
    let by = party(&report.by, by_account.as_deref(), by_now.as_ref());
    let shadow = if report.shadow { "; muted, and did not know" } else { "" };
    cells(out, &[("about", 8)], &party(&report.about, about_account.as_deref(), about_now.as_ref()));
    cells(out, &[("by", 8)], &format!("{by}{shadow}"));
    if report.times > 1 {
        cells(out, &[("again", 8)], &format!("{} times in all, last {} ago", report.times, since(report.last, now)));
    }
    let reason = match (report.erased, &*report.reason) {
        (true, _) => "(erased)",
        (false, "") => "(none was given)",
        (false, reason) => reason,
    };
    cells(out, &[("reason", 8)], reason);
    match lines.len() {
        0 => cells(out, &[("lines", 8)], &format!("none was kept in {}", report.room_name)),
        _ => cells(out, &[("lines", 8)], &format!("in {}, with their numbers, times in {offset}", report.room_name)),
    }
    for (number, line) in lines {
        out.own();
        out.text(&format!("--   {number} "));
        match line {
            ShownLine::Line(line) if line.said == Said::Redacted => aside(out, "was removed by an operator"),
            ShownLine::Line(line) => {
                clock(line.at, *offset, Clock::Minutes, out);
                said(&line.said, &Marks::NONE, out);
            }
            ShownLine::Private => aside(out, "was said in private, and is shown to those alone who were there"),
            ShownLine::Gone => aside(out, "is not kept any more"),
            ShownLine::Unread => aside(out, "cannot be read just now; try again in a moment"),
        }
    }
    match &report.closed {
        None => notice(out, &["/close ", &id, " closes it; a note can follow"]),
        Some(closed) => {
            let note = closed.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
            notice(out, &["closed by ", &closed.by.to_people(), " at ", &date_and_time(closed.at), &note]);
        }
    }
}

fn aside(out: &mut Page<'_>, text: &str) {
    out.text(text);
    out.end();
}
