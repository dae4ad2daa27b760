//! Reports: what people tell the operators about each other, in a queue that outlives the process.
//!
//! A report holds who made it, about whom, in which room, why, and the numbers of the lines in
//! question. The lines themselves stay in the history. So a redaction there holds for reports as
//! well, and a report never writes a private line to disk.
//!
//! A report is open until an operator or an administrator closes it. A new report never pushes out
//! an open one: it is refused if too many are open from one person, from one address or in all.
//! Once at most a quarter of all places is free, each address may have only one report open. Closed
//! reports are dropped, in the order in which they were closed, if there are too many, or once they
//! have been closed for longer than lines are kept.
//!
//! Operators are not told of reports about themselves. All other operators and the administrators
//! are.
//!
//! This folder does not know how a report looks on a screen, nor how commands name one.
//!
//! | to change | see |
//! | --- | --- |
//! | the fields of a report; merging reports that come back from disk | [`Report`], here |
//! | the person who made a report, and the one it is about | [`Party`] |
//! | how many reports are kept, and which are dropped | [`Reports`] |
//! | making a report; which lines are in question; who is told | `making` |
//! | closing a report, and erasing what is written in it | `closing` |
//! | what an operator is shown of a report | `showing` |

mod closing;
mod making;
mod party;
mod queue;
mod showing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use closing::ToClose;
pub use party::Party;
pub use queue::Reports;
pub use showing::Evidence;

use super::archive::{Record, Selector};
use super::sanction::Author;
use super::session::Session;
use super::{Hub, Turn};
use crate::settings::Settings;
use crate::values::id::{ReportId, RoomId};
use crate::values::name;
use crate::values::network::Origin;
use crate::values::time::Wall;

/// Who closed a report, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Who closed the report.
    pub by: Author,
    /// When the report was closed.
    pub at: Wall,
    /// A note for other operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Arc<str>>,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The report's number. Numbers rise, and none is given twice.
    pub id: ReportId,
    /// When the report was made.
    pub at: Wall,
    /// When the same person last made the same report.
    pub last: Wall,
    /// How often the report was made, the first time included.
    pub times: u32,
    /// The person who made the report.
    pub by: Party,
    /// Whether that person was shadow-muted.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// The person about whom the report is.
    pub about: Party,
    /// The room in which the lines in question were said; if there are none, the room of the person
    /// who made the report.
    pub room: RoomId,
    /// The name of that room then.
    pub room_name: Arc<str>,
    /// The reason; empty if none was given, or if it was erased.
    pub reason: Arc<str>,
    /// Whether the reason was erased.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub erased: bool,
    /// The numbers of the lines in question, rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<u64>,
    /// The address from which the report came, while it is open. It is not on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Who closed the report and when; `None` if it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
}

impl Report {
    /// Whether the report is about this client, or somebody logged in to the same account.
    fn is_about(&self, session: &Session) -> bool {
        self.about.session == session.id || (self.about.account.is_some() && self.about.account == session.account)
    }

    /// Whether this client made the report, or somebody logged in to the same account.
    fn is_by(&self, session: &Session) -> bool {
        self.by.session == session.id || (self.by.account.is_some() && self.by.account == session.account)
    }

    /// Whether `what` selects the reason, as if the person who made the report had said it.
    fn is_meant(&self, what: &Selector) -> bool {
        // A redaction of all lines from some time on is not about the reasons that people told the
        // operators.
        let is_about_somebody = what.client.is_some() || what.nick.is_some() || what.text.is_some();
        is_about_somebody
            && what.from.is_none()
            && what.to.is_none()
            && what.room.as_deref().is_none_or(|room| name::fold(&self.room_name) == room)
            && what.client.is_none_or(|client| self.by.session == client)
            && what.nick.as_deref().is_none_or(|nick| name::fold(&self.by.name) == nick)
            && what.since.is_none_or(|since| self.at >= since)
            && what.until.is_none_or(|until| self.at < until)
            && what.text.as_deref().is_none_or(|text| name::fold(&self.reason).contains(text))
    }

    /// Erases what is written in the report: the reason, and the note.
    fn erase(&mut self) {
        (self.reason, self.erased) = ("".into(), true);
        if let Some(closed) = &mut self.closed {
            closed.note = None;
        }
    }

    /// The report as the journal names it: `r12 about bob (c5)`.
    fn title(&self) -> String {
        format!("{} about {} ({})", self.id, self.about.shown(), self.about.session)
    }
}

impl Hub {
    /// All reports that the hub keeps.
    #[must_use]
    pub fn reports(&self) -> &Reports {
        &self.moderation.reports
    }

    fn reports_kept(settings: &Settings) -> usize {
        settings.moderation.reports_kept as usize
    }
}

impl Turn<'_> {
    fn keep_report(&mut self, report: Report) {
        self.record(Record::Report(Box::new(report.clone())));
        self.hub.moderation.reports.put(report);
    }

    /// Takes a report from disk, unless the hub knows it.
    pub(super) fn recall_report(&mut self, report: Report) {
        let reports = &mut self.hub.moderation.reports;
        match reports.get(report.id).cloned() {
            None => reports.put(report),
            // The hub has this report already, in a newer state.
            Some(known) if (known.at, known.by.session) == (report.at, report.by.session) => {}
            Some(known) => {
                // Another report in another file had the same number. People know the hub's report
                // by this number, so the one from disk gets a new one.
                let id = ReportId(reports.next_id().0.max(report.id.0 + 1));
                self.record(Record::Report(Box::new((*known).clone())));
                self.keep_report(Report { id, ..report });
            }
        }
    }
}
