//! Reports: making one, and the commands by which operators read and close them.

use std::sync::Arc;

use super::super::account::Role;
use super::super::archive::Search;
use super::super::message::{Done, Message, Refusal, ShownLine};
use super::super::report::{Evidence, Report, ToClose};
use super::super::speech::Deed;
use super::super::{By, Effect, whom};
use super::bearer::Named;
use super::{Call, clip, split_word, text_arg};
use crate::values::id::ReportId;
use crate::values::name::{self, Name};
use crate::values::network::Origin;

/// The most reports that one page lists: about a screen of them.
const PAGE: usize = 20;

/// The most numbers and ranges of reports that one `/close` may name.
const AT_ONCE: usize = 20;

pub(super) fn report(call: &mut Call<'_, '_>, args: &str) {
    let (name, reason) = split_word(args);
    // A report needs no confirmation, not even about a person who bears another name by now.
    let renamed = call.renamed(name);
    let line = call.line(args);
    let named = match renamed {
        Some(id) => Named::Renamed(id),
        None => match call.means(name, &line) {
            Some(named) => named,
            None => return,
        },
    };
    let left = || {
        let number = whom::client(name).filter(|_| call.turn.hub.role(call.id) == Role::Operator);
        let leavers = &call.turn.hub.moderation.leavers;
        leavers.find_by_any_name(&name::fold(name), number, call.turn.now.mono).map(|one| one.id)
    };
    let other = match named {
        Named::Renamed(id) | Named::Confirmed(id) => Some(id),
        Named::AsEver => call.named(name).or_else(left),
    };
    let Some(other) = other else { return call.refuse(Refusal::NoSuchPerson(clip(name))) };
    call.turn.hub.moderation.asked.remove(&call.id);
    if other == call.id {
        return call.refuse(Refusal::ToYourself);
    }
    call.turn.report(call.id, other, reason);
}

pub(super) fn reports(call: &mut Call<'_, '_>, args: &str) {
    let (first, rest) = split_word(args);
    match ReportId::parse(first) {
        Some(id) if rest.is_empty() => show(call, id, first),
        Some(_) => call.usage(),
        None if first.eq_ignore_ascii_case("all") => list(call, true, rest),
        None if rest.is_empty() => list(call, false, first),
        None => call.usage(),
    }
}

fn list(call: &mut Call<'_, '_>, all: bool, page: &str) {
    let page: usize = match page {
        "" => 1,
        page => match page.parse() {
            Ok(page @ 1..) => page,
            _ => return call.usage(),
        },
    };
    call.turn.trim_reports();
    let hub = &*call.turn.hub;
    let seen = |report: &&Arc<Report>| hub.report_for(call.id, report.id).is_some();
    // Open reports: the oldest first, since they are answered in order. All reports: the newest
    // first.
    let reports: Vec<Arc<Report>> = match all {
        true => hub.reports().iter().rev().filter(seen).cloned().collect(),
        false => hub.reports().open().filter(seen).cloned().collect(),
    };
    call.turn.hub.work.done += reports.len() as u64;
    let (total, pages) = (reports.len(), reports.len().div_ceil(PAGE).max(1));
    let page = page.min(pages);
    let reports = reports.into_iter().skip((page - 1) * PAGE).take(PAGE);
    let reports = reports.map(|report| call.turn.hub.report_as_seen(call.id, report)).collect();
    call.tell(Message::Reports { reports, page, pages, total, all });
}

fn show(call: &mut Call<'_, '_>, id: ReportId, given: &str) {
    let Some(report) = call.turn.hub.report_for(call.id, id).cloned() else {
        return call.refuse(Refusal::NoSuchReport(clip(given)));
    };
    let hub = &*call.turn.hub;
    let is_missing = |number: &u64| hub.evidence(&report, *number, Some(call.id)) == Evidence::Missing;
    let missing: Vec<u64> = report.lines.iter().copied().filter(is_missing).collect();
    let name = Name::recall(&report.room_name);
    match name.filter(|_| !missing.is_empty() && hub.recording.on) {
        None => call.turn.show_report(call.id, &report, &[], &ShownLine::Gone),
        Some(_) if call.own().searching.is_some() => call.refuse(Refusal::StillSearching),
        Some(name) => {
            let number = call.turn.hub.recording.next_search;
            call.turn.hub.recording.next_search += 1;
            let search = Search {
                session: call.id,
                number,
                room: report.room,
                name,
                shown: "".into(),
                query: "".into(),
                limit: missing.len(),
                from: 0,
                origin: Some(Origin::of(call.own().peer.ip())),
                report: Some((id, missing)),
            };
            call.own_mut().searching = Some(Box::new(search.clone()));
            call.turn.effects.push(Effect::Search(Box::new(search)));
        }
    }
}

pub(super) fn close(call: &mut Call<'_, '_>, args: &str) {
    let mut note = args.trim();
    let mut words = Vec::new();
    while let (word, rest) = split_word(note)
        && ReportId::parse_range(word).is_some()
        && words.len() < AT_ONCE
    {
        words.push(word);
        note = rest;
    }
    // A mistyped number must not become the note, or nobody would notice that a report stayed open.
    let (next, behind) = split_word(note);
    if ReportId::is_backwards(next) {
        return call.refuse(Refusal::Backwards(clip(next)));
    }
    let is_number = !next.is_empty() && next.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && (words.is_empty() || behind.is_empty()) {
        return call.refuse(Refusal::ReportNumber(clip(next)));
    }
    let Some(account) = call.own().account.filter(|_| !words.is_empty()) else { return call.usage() };
    let limit = call.turn.hub.settings.limits.topic;
    if note.len() > limit {
        return call.refuse(Refusal::TopicTooLong(limit));
    }
    let looked_at = words.len() * call.turn.hub.reports().iter().len();
    call.turn.hub.work.done += looked_at as u64;
    let meant = call.turn.hub.reports_to_close(words.into_iter(), Some(call.id));
    let ToClose { open, closed } = match meant {
        Ok(meant) => meant,
        Err(word) => return call.refuse(Refusal::NoSuchReport(clip(word))),
    };
    for report in &closed {
        if let Some(known) = &report.closed {
            let by = known.by.to_people().into();
            call.refuse(Refusal::ReportIsClosed { id: report.id, by, at: known.at });
        }
    }
    if open.is_empty() {
        if closed.is_empty() {
            call.refuse(Refusal::NoneOpen);
        }
        return;
    }
    let by = By::Operator { session: call.id, account };
    let note = call.turn.grounds(call.id, text_arg(note));
    for id in &open {
        call.turn.close_report(*id, note.seen.clone(), by);
        call.turn.note_grounds(call.id, Deed::Closing(*id), &note);
    }
    let left = call.turn.hub.open_reports_for(call.id);
    call.turn.hub.work.done += (open.len() + left) as u64;
    call.done(Done::ReportsClosed { closed: open, open: left });
}
