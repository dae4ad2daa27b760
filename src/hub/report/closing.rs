//! Closing reports, and erasing names and reasons in them.

use std::sync::Arc;

use super::{Closed, Party, Report};
use crate::hub::archive::{Record, Selector};
use crate::hub::{By, Effect, Happening, Hub, Turn, What};
use crate::values::id::{AccountId, ReportId, SessionId};
use crate::values::name;

/// The reports selected by a command to close them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ToClose {
    /// The reports that are open.
    pub open: Vec<ReportId>,
    /// The reports that were named one by one but are closed already.
    pub closed: Vec<Arc<Report>>,
}

impl Hub {
    /// The reports that `words` select: numbers and ranges of reports. Reports about `reader` are
    /// left out.
    ///
    /// # Errors
    /// The first word that selects no report.
    pub fn reports_to_close<'w>(
        &self,
        words: impl Iterator<Item = &'w str>,
        reader: Option<SessionId>,
    ) -> Result<ToClose, &'w str> {
        let reader = reader.and_then(|id| self.people.sessions.get(&id));
        let mut found = ToClose::default();
        for word in words {
            let range = ReportId::parse_range(word).ok_or(word)?;
            let is_one = range.start() == range.end();
            let mut meant = self
                .moderation
                .reports
                .among(range)
                .filter(|report| reader.is_none_or(|reader| !report.is_about(reader)))
                .peekable();
            if meant.peek().is_none() {
                return Err(word);
            }
            for report in meant {
                match report.closed {
                    None => found.open.push(report.id),
                    Some(_) if is_one => found.closed.push(report.clone()),
                    Some(_) => {}
                }
            }
        }
        found.open.sort_unstable();
        found.open.dedup();
        Ok(found)
    }
}

impl Turn<'_> {
    /// Closes a report. Returns whether it was open.
    pub(in crate::hub) fn close_report(&mut self, id: ReportId, note: Option<Arc<str>>, by: By) -> bool {
        let Some(known) = self.hub.moderation.reports.get(id).filter(|known| known.closed.is_none()) else {
            return false;
        };
        let closed = Closed { by: self.hub.author(by), at: self.now.wall, note };
        let report = Report { closed: Some(closed), origin: None, ..(**known).clone() };
        let text = format!("{}, by {} ({})", report.title(), report.by.shown(), report.by.session);
        self.keep_report(report);
        let (by, text) = (Some(by), Some(text.into()));
        self.effects.push(Effect::Happened(Happening { by, text, ..Happening::new(What::ReportClosed, self.now) }));
        self.trim_reports();
        true
    }

    /// Drops closed reports beyond the allowed number, and those that are too old.
    pub(in crate::hub) fn trim_reports(&mut self) {
        let settings = &self.hub.settings;
        let (most, since) = (Hub::reports_kept(settings), settings.history.keep.map(|keep| self.now.wall.before(keep)));
        let keep = settings.history.keep;
        for id in self.hub.moderation.reports.trim(most, since) {
            self.record(Record::Unreport(id));
        }
        self.hub.moderation.reports.set_due(keep, self.now);
    }

    /// The same as [`Self::trim_reports`], if the moment to look for old reports has come.
    pub(in crate::hub) fn let_go_of_reports(&mut self) {
        if self.hub.moderation.reports.due().is_some_and(|due| due <= self.now.mono) {
            self.trim_reports();
        }
    }

    /// Erases the reports whose reasons the selector `what` finds.
    pub(in crate::hub) fn redact_reports(&mut self, what: &Selector) {
        let meant = |report: &&Arc<Report>| !report.erased && report.is_meant(what);
        let meant: Vec<Report> =
            self.hub.moderation.reports.iter().filter(meant).map(|report| (**report).clone()).collect();
        for mut report in meant {
            report.erase();
            self.keep_report(report);
        }
    }

    /// Erases the name of an account, and the reasons, in reports by or about it.
    pub(in crate::hub) fn erase_reports(&mut self, account: AccountId) {
        let Some(name) = self.hub.accounts.get(account).map(|account| account.name.folded().to_owned()) else { return };
        let is_theirs = |party: &Party| party.account == Some(account) || name::fold(&party.name) == name;
        let theirs: Vec<Report> = self
            .hub
            .moderation
            .reports
            .iter()
            .filter(|report| is_theirs(&report.by) || is_theirs(&report.about))
            .map(|report| (**report).clone())
            .collect();
        for mut report in theirs {
            let (by, about) = (is_theirs(&report.by), is_theirs(&report.about));
            for (party, theirs) in [(&mut report.by, by), (&mut report.about, about)] {
                if theirs {
                    (party.name, party.account) = ("".into(), None);
                }
            }
            report.erase();
            self.keep_report(report);
        }
    }
}
