//! Commands about reports.

use super::history::history_line;
use super::{Answer, Call, line_of, one};
use crate::hub::message::Said;
use crate::hub::report::{self, Evidence, Party, ToClose};
use crate::hub::{Hub, Input};
use crate::values::id::ReportId;
use crate::values::time::Now;
use crate::wire::admin::args::{ReportArgs, ReportsCloseArgs};
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::{
    Report, ReportClosed, ReportLine, ReportLineState, ReportParty, ReportShown, ReportsClosed,
};
use crate::wire::admin::value::Time;

pub(in crate::wire::admin) fn show(call: &mut Call<'_>, args: &ReportArgs) -> Result<Answer, ControlError> {
    let hub = &*call.hub;
    let Some(found) = ReportId::parse(&args.report).and_then(|id| hub.reports().get(id)) else {
        return Err(unknown(&args.report));
    };
    let line = |number: &u64| {
        let (state, line) = match hub.evidence(found, *number, None) {
            Evidence::Line(line) if line.said == Said::Redacted => (ReportLineState::Redacted, None),
            Evidence::Line(line) => (ReportLineState::Kept, Some(history_line(&found.room_name, &line))),
            Evidence::Private => (ReportLineState::Private, None),
            Evidence::Missing => (ReportLineState::Gone, None),
        };
        ReportLine { seq: *number, state, line }
    };
    let lines: Vec<_> = found.lines.iter().map(line).collect();
    let shown = ReportShown { report: report(hub, found, call.now), lines, trouble: None };
    let is_whole = shown.lines.iter().all(|line| line.state != ReportLineState::Gone);
    if is_whole || !hub.is_recording() { one(&shown) } else { Ok(Answer::Report(Box::new(shown))) }
}

pub(in crate::wire::admin) fn close(
    call: &mut Call<'_>,
    args: &ReportsCloseArgs,
) -> Result<ReportsClosed, ControlError> {
    let note = line_of("note", args.note.as_ref())?;
    if let Some(word) = args.reports.iter().find(|word| ReportId::is_backwards(word)) {
        let why = format!("{:?} runs backwards: the first report comes first, as in r2-r5", &**word);
        return Err(ControlError::argument("reports", why));
    }
    let meant = call.hub.reports_to_close(args.reports.iter().map(|word| &**word), None);
    let ToClose { open, closed } = meant.map_err(unknown)?;
    if let Some((report, closed)) = closed.iter().find_map(|report| Some((report, report.closed.as_ref()?))) {
        let message = format!("report {} was closed before, by {}", report.id, closed.by);
        return Err(ControlError::new(ErrorCode::Conflict, message));
    }
    if open.is_empty() {
        return Err(ControlError::new(ErrorCode::Conflict, "none of those reports is open"));
    }
    for id in &open {
        call.change(Input::CloseReport { id: *id, note: note.clone(), by: call.by });
    }
    let (hub, now) = (&*call.hub, call.now);
    let closed = open.iter().filter_map(|id| hub.reports().get(*id)).map(|found| report(hub, found, now)).collect();
    Ok(ReportsClosed { closed, open: hub.reports().open().len() as u64 })
}

fn unknown(which: &str) -> ControlError {
    let message = match which.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("no report {which:?}; write r{which}"),
        false => format!("no report {which:?}; reports are called r1, r2, ..."),
    };
    ControlError::new(ErrorCode::NotFound, message)
}

/// A report in the form of the protocol.
pub(super) fn report(hub: &Hub, report: &report::Report, now: Now) -> Report {
    let party = |party: &Party| ReportParty {
        nick: party.name.to_string(),
        client: party.session.to_string(),
        account: hub.account_of(party).map(|account| account.to_string()),
        now: hub.session(party.session).map(|session| session.nick.shown().to_owned()),
    };
    Report {
        id: report.id.to_string(),
        t: Time(report.at),
        age_s: u64::try_from(now.wall.0.saturating_sub(report.at.0)).unwrap_or(0) / 1000,
        last: Time(report.last),
        times: report.times.into(),
        by: party(&report.by),
        shadow: report.shadow,
        about: party(&report.about),
        room: report.room_name.to_string(),
        reason: (!report.reason.is_empty()).then(|| report.reason.to_string()),
        erased: report.erased,
        lines: report.lines.clone(),
        closed: report.closed.as_ref().map(|closed| ReportClosed {
            by: closed.by.to_string(),
            t: Time(closed.at),
            note: closed.note.as_deref().map(str::to_owned),
        }),
    }
}
