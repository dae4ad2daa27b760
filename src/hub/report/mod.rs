//! Reports: what people tell the operators about each other, as a queue that outlives everything.
//!
//! A report has a number, who made it, about whom, in which room, why, and the numbers of the lines in question. The
//! lines themselves stay where they are, in history: so what is redacted there is redacted here, and nothing that was
//! said in private gets onto disk by way of a report.
//!
//! It is open until an operator or an administrator closes it. No report pushes an open one out: where there are too
//! many, of one person, of one address or in all, another one is refused, and of the last quarter of all places each
//! address has one. Of the closed ones the first to be closed goes first, and each when what is said is not kept any
//! longer either.
//!
//! An operator is told nothing of reports about themselves: those are for the others, and for administrators.
//!
//! | to change | see |
//! | --- | --- |
//! | what a report holds; what becomes of reports that come back from disk | [`Report`], here |
//! | who made one, and about whom | [`Party`] |
//! | how many are kept, and which make place | [`Reports`] |
//! | making one; which lines are in question; who is told | `making` |
//! | closing, and letting go of what is written in them | `closing` |
//! | what an operator is shown of one | `showing` |

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

/// That a report was closed.
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
    /// The number, unique and rising.
    pub id: ReportId,
    /// When it was made.
    pub at: Wall,
    /// When the same person last made the same report.
    pub last: Wall,
    /// How often the report was made, the first time included.
    pub times: u32,
    /// The person who made the report.
    pub by: Party,
    /// Whether that person was muted without being told.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub shadow: bool,
    /// The person about whom the report is.
    pub about: Party,
    /// The room in which the lines in question were said; if there are none, that of the person who made the report.
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
    /// Whether it is about somebody who is logged in to that account, or is that client.
    fn is_about(&self, session: &Session) -> bool {
        self.about.session == session.id || (self.about.account.is_some() && self.about.account == session.account)
    }

    /// Whether its reason is among the lines that are meant: as if its author had said it.
    fn is_meant(&self, what: &Selector) -> bool {
        // Who has everything removed that was said at some time does not mean what was told to the operators.
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

    /// Lets go of what was written in it.
    fn erase(&mut self) {
        (self.reason, self.erased) = ("".into(), true);
        if let Some(closed) = &mut self.closed {
            closed.note = None;
        }
    }

    /// `r12 about bob (c5)`
    fn title(&self) -> String {
        format!("{} about {} ({})", self.id, self.about.shown(), self.about.session)
    }
}

impl Hub {
    /// All reports that are kept.
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

    /// Takes a report that stands on disk, unless it is known.
    pub(super) fn recall_report(&mut self, report: Report) {
        let reports = &mut self.hub.moderation.reports;
        match reports.get(report.id).cloned() {
            None => reports.put(report),
            // It is that one, as it is now.
            Some(known) if (known.at, known.by.session) == (report.at, report.by.session) => {}
            Some(known) => {
                // Another file's: people know the number of this one.
                let id = ReportId(reports.next_id().0.max(report.id.0 + 1));
                self.record(Record::Report(Box::new((*known).clone())));
                self.keep_report(Report { id, ..report });
            }
        }
    }
}
