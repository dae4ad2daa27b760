//! Showing reports to operators, with the lines in question.

use std::sync::Arc;

use super::{Party, Report};
use crate::hub::account::Role;
use crate::hub::archive::{Found, Reach};
use crate::hub::message::{Done, Line, Message, ShownLine, ShownReport};
use crate::hub::speech::Deed;
use crate::hub::{Hub, Turn, work};
use crate::values::id::{ReportId, SessionId};

/// One line in question, as far as the reader may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The line, which the reader may see; it may have been redacted.
    Line(Arc<Line>),
    /// The line was said in private.
    Private,
    /// The line is not in memory.
    Missing,
}

impl Hub {
    /// What is known of the line `number` of a report, for a `reader` in chat, or for an
    /// administrator (`None`).
    #[must_use]
    pub fn evidence(&self, report: &Report, number: u64, reader: Option<SessionId>) -> Evidence {
        let reader = reader.and_then(|id| self.people.sessions.get(&id)).filter(|reader| reader.room == report.room);
        if let Some(room) = self.rooms.open.get(&report.room) {
            let is_public = !room.ownership.private && number >= room.ownership.visible_from;
            if !is_public && reader.is_none_or(|reader| number < reader.sees_from) {
                return Evidence::Private;
            }
            if let Some(line) = room.history.find(number) {
                return Evidence::Line(line.clone());
            }
        }
        let dormant = self.recording.dormant.values().find(|dormant| dormant.room == report.room);
        dormant
            .and_then(|dormant| dormant.history.find(number))
            .map_or(Evidence::Missing, |line| Evidence::Line(line.clone()))
    }

    /// How many open reports `id` may see.
    pub(in crate::hub) fn open_reports_for(&self, id: SessionId) -> usize {
        let Some(session) = self.people.sessions.get(&id) else { return 0 };
        self.moderation.reports.open().filter(|report| !report.is_about(session)).count()
    }

    /// The report of that number; `None` if there is none, or if it is about `id`.
    pub(in crate::hub) fn report_for(&self, id: SessionId, report: ReportId) -> Option<&Arc<Report>> {
        let session = self.people.sessions.get(&id)?;
        self.moderation.reports.get(report).filter(|report| !report.is_about(session))
    }

    /// The report as `id` sees it. Who made it while shadow-muted must not learn so from it, and is
    /// shown the note that they gave.
    pub(in crate::hub) fn report_as_seen(&self, id: SessionId, report: Arc<Report>) -> Arc<Report> {
        let Some(session) = self.people.sessions.get(&id) else { return report };
        let hides = report.shadow && report.is_by(session);
        let note = session.unseen_grounds(Deed::Closing(report.id)).filter(|_| report.closed.is_some());
        if !hides && note.is_none() {
            return report;
        }
        let mut report = (*report).clone();
        report.shadow &= !hides;
        if let (Some(closed), true) = (&mut report.closed, note.is_some()) {
            closed.note = note;
        }
        Arc::new(report)
    }

    /// The name of an account that a party was logged in to.
    #[must_use]
    pub fn account_of(&self, party: &Party) -> Option<Arc<str>> {
        party.account.and_then(|id| self.accounts.get(id)).map(|account| account.name.shown().into())
    }
}

impl Turn<'_> {
    /// Tells an operator who has just come in how many reports are open, if any.
    pub(in crate::hub) fn tell_of_reports(&mut self, id: SessionId) {
        self.trim_reports();
        let open = self.hub.open_reports_for(id);
        if open > 0 {
            self.done(id, Done::ReportsOpen(open));
        }
    }

    /// Shows the report to `id`, with the lines in question that a search of the disk has found.
    pub(in crate::hub) fn found_for_report(&mut self, id: SessionId, report: ReportId, found: Found) {
        let lines: Vec<_> = found.lines.into_iter().map(Arc::new).collect();
        // The report may have been erased meanwhile, and `id` may no longer be an operator.
        if self.hub.role(id) == Role::Operator
            && let Some(report) = self.hub.report_for(id, report).cloned()
        {
            let missing = match found.reach {
                Reach::All | Reach::Since(_) => ShownLine::Gone,
                Reach::Memory | Reach::Busy => ShownLine::Unread,
            };
            self.show_report(id, &report, &lines, &missing);
        }
    }

    /// Shows a report to `id`, with the lines in question that are in memory or in `found`. The
    /// others are shown as `missing`.
    pub(in crate::hub) fn show_report(
        &mut self,
        id: SessionId,
        report: &Arc<Report>,
        found: &[Arc<Line>],
        missing: &ShownLine,
    ) {
        let hub = &*self.hub;
        let lines = report.lines.iter().map(|number| {
            let line = match hub.evidence(report, *number, Some(id)) {
                Evidence::Line(line) => ShownLine::Line(line),
                Evidence::Private => ShownLine::Private,
                Evidence::Missing => match found.iter().find(|line| line.seq == *number) {
                    Some(line) => ShownLine::Line(line.clone()),
                    None => missing.clone(),
                },
            };
            (*number, line)
        });
        let lines: Vec<_> = lines.collect();
        let now = |party: &Party| {
            let session = hub.people.sessions.get(&party.session)?;
            let room = hub.rooms.open.get(&session.room).map(|room| hub.room_for(id, room))?;
            Some((session.nick.shown().into(), room))
        };
        let shown = ShownReport {
            by_now: now(&report.by),
            by_account: hub.account_of(&report.by),
            about_now: now(&report.about),
            about_account: hub.account_of(&report.about),
            lines,
            offset: hub.people.sessions.get(&id).and_then(|session| session.view.time).unwrap_or_default(),
            report: hub.report_as_seen(id, report.clone()),
        };
        self.hub.work.done += work::REPLAYED * report.lines.len() as u64;
        self.tell(id, Message::ReportShown(Box::new(shown)));
    }
}
