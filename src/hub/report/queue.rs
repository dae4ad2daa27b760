//! The queue of reports: which are open, which are closed, which are dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::{Party, Report};
use crate::hub::message::Refusal;
use crate::hub::ownership::Guest;
use crate::values::id::{ReportId, SessionId};
use crate::values::network::Origin;
use crate::values::rate::Allowance;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words;

/// The longest time until the hub looks again for closed reports that are too old.
const LOOKED_AT_LEAST: Duration = Duration::from_secs(3600);

/// One person may hold a twentieth of the places for open reports.
const OF_ONE: usize = 20;

/// One address may hold an eighth of the places for open reports.
pub(super) const OF_ADDRESS: usize = 8;

/// All reports, and counts of how often people made reports recently.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "SavedReports")]
pub struct Reports {
    /// How often each client made reports recently.
    pub(super) by_session: Allowance<SessionId>,
    /// How many reports came from each address recently.
    pub(super) by_origin: Allowance<Origin>,
    /// How many reports from each address were refused for coming too soon.
    pub(super) refused: Allowance<Origin>,
    next: u64,
    kept: BTreeMap<ReportId, Arc<Report>>,
    open: BTreeSet<ReportId>,
    closed: BTreeSet<(Wall, ReportId)>,
    /// The open reports, by the person who made them and by origin.
    of_person: BTreeMap<Guest, BTreeSet<ReportId>>,
    of_origin: BTreeMap<Origin, usize>,
    /// The moment to look again for closed reports that are too old; `None`: never.
    due: Option<Mono>,
}

/// The reports in the form of a snapshot.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SavedReports {
    by_session: Allowance<SessionId>,
    by_origin: Allowance<Origin>,
    refused: Allowance<Origin>,
    next: u64,
    kept: Vec<Report>,
}

impl From<SavedReports> for Reports {
    fn from(saved: SavedReports) -> Self {
        let SavedReports { by_session, by_origin, refused, next, kept } = saved;
        let mut this = Self { by_session, by_origin, refused, next, ..Self::default() };
        kept.into_iter().for_each(|report| this.put(report));
        this
    }
}

impl Serialize for Reports {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Saving<'a> {
            by_session: &'a Allowance<SessionId>,
            by_origin: &'a Allowance<Origin>,
            refused: &'a Allowance<Origin>,
            next: u64,
            kept: Vec<&'a Report>,
        }
        let Self { by_session, by_origin, refused, next, kept, .. } = self;
        let kept = kept.values().map(|report| &**report).collect();
        Saving { by_session, by_origin, refused, next: *next, kept }.serialize(to)
    }
}

impl Reports {
    /// A copy of all reports without indexes, to be written down.
    pub(in crate::hub) fn frozen(&self) -> Self {
        Self {
            by_session: self.by_session.clone(),
            by_origin: self.by_origin.clone(),
            refused: self.refused.clone(),
            next: self.next,
            kept: self.kept.clone(),
            ..Self::default()
        }
    }

    /// The number of the next report.
    pub(super) fn next_id(&self) -> ReportId {
        ReportId(self.next.max(1))
    }

    /// Makes sure that the next number is at least this one.
    pub(in crate::hub) fn number_from(&mut self, next: u64) {
        self.next = self.next.max(next);
    }

    /// Puts a report in; it replaces the one with the same number.
    pub(in crate::hub) fn put(&mut self, report: Report) {
        self.remove(report.id);
        self.number_from(report.id.0.saturating_add(1));
        match &report.closed {
            None => {
                self.open.insert(report.id);
                self.of_person.entry(report.by.guest()).or_default().insert(report.id);
                if let Some(origin) = report.origin {
                    *self.of_origin.entry(origin).or_default() += 1;
                }
            }
            Some(closed) => {
                self.closed.insert((closed.at, report.id));
                self.due = Some(Mono(0));
            }
        }
        self.kept.insert(report.id, Arc::new(report));
    }

    /// Removes a report.
    pub(super) fn remove(&mut self, id: ReportId) {
        let Some(report) = self.kept.remove(&id) else { return };
        if let Some(closed) = &report.closed {
            self.closed.remove(&(closed.at, id));
        }
        if self.open.remove(&id) {
            if let Some(theirs) = self.of_person.get_mut(&report.by.guest()) {
                theirs.remove(&id);
                if theirs.is_empty() {
                    self.of_person.remove(&report.by.guest());
                }
            }
            if let Some(origin) = report.origin
                && let Some(count) = self.of_origin.get_mut(&origin)
            {
                *count -= 1;
                if *count == 0 {
                    self.of_origin.remove(&origin);
                }
            }
        }
    }

    /// The report of this number.
    #[must_use]
    pub fn get(&self, id: ReportId) -> Option<&Arc<Report>> {
        self.kept.get(&id)
    }

    /// All reports, by number.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Report>> + ExactSizeIterator {
        self.kept.values()
    }

    /// The reports from that number on, in the order of their numbers.
    pub fn iter_from(&self, first: ReportId) -> impl Iterator<Item = &Arc<Report>> {
        self.kept.range(first..).map(|(_, report)| report)
    }

    /// The open reports, by number.
    pub fn open(&self) -> impl ExactSizeIterator<Item = &Arc<Report>> {
        self.open.iter().map(|id| &self.kept[id])
    }

    /// The reports whose numbers lie in this range.
    pub fn among(&self, range: core::ops::RangeInclusive<ReportId>) -> impl Iterator<Item = &Arc<Report>> {
        self.kept.range(range).map(|(_, report)| report)
    }

    /// The open report by the same person about the same person for the same reason, if there is
    /// one.
    pub(super) fn same(&self, by: &Party, about: &Party, reason: &str) -> Option<ReportId> {
        let theirs = self.of_person.get(&by.guest())?;
        let reason = words::look(reason);
        let is_same = |id: &&ReportId| {
            let known = &self.kept[*id];
            !known.erased && known.about.is(about) && words::look(&known.reason) == reason
        };
        theirs.iter().find(is_same).copied()
    }

    /// The reason to refuse a new report by that person or from that origin, if there is one;
    /// `most` reports may be open in all.
    pub(super) fn refuse(&self, by: &Party, origin: Origin, most: usize) -> Option<Refusal> {
        let (of_one, of_address) = ((most / OF_ONE).max(1), (most / OF_ADDRESS).max(1));
        let from_there = self.of_origin.get(&origin).copied().unwrap_or(0);
        if self.open.len() >= most {
            Some(Refusal::ReportsFull(self.open.len()))
        } else if self.of_person.get(&by.guest()).is_some_and(|theirs| theirs.len() >= of_one) {
            Some(Refusal::TooManyReports(of_one))
        } else if from_there >= of_address || (from_there > 0 && self.open.len() >= most - most / 4) {
            Some(Refusal::TooManyReportsFromAddress(from_there))
        } else {
            None
        }
    }

    /// Drops closed reports beyond `most`, and those that were closed before `since`. Returns their
    /// numbers.
    pub(super) fn trim(&mut self, most: usize, since: Option<Wall>) -> Vec<ReportId> {
        let mut gone = Vec::new();
        while let Some((at, id)) = self.closed.first().copied()
            && (self.closed.len() > most || since.is_some_and(|since| at < since))
        {
            self.remove(id);
            gone.push(id);
        }
        gone
    }

    /// The moment to look again for closed reports that are too old; `None`: never.
    pub(in crate::hub) fn due(&self) -> Option<Mono> {
        self.due
    }

    /// Sets `due` to the moment at which the report closed first becomes too old, if
    /// reports are kept for a limited time.
    pub(super) fn set_due(&mut self, keep: Option<Duration>, now: Now) {
        self.due = self.closed.first().zip(keep).map(|((at, _), keep)| {
            let left = at.after(keep).0.saturating_sub(now.wall.0);
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0).saturating_add(1));
            // Look again at least once an hour: the wall clock may jump.
            now.mono.after(left.clamp(Duration::from_secs(1), LOOKED_AT_LEAST))
        });
    }

    /// Panics if the indexes do not fit the reports.
    pub(in crate::hub) fn check_invariants(&self) {
        let (open, closed): (Vec<_>, Vec<_>) = self.kept.values().partition(|report| report.closed.is_none());
        assert!(open.iter().map(|report| report.id).eq(self.open.iter().copied()), "what is open is known");
        assert_eq!(closed.len(), self.closed.len(), "what is closed is known");
        assert_eq!(self.of_person.values().map(BTreeSet::len).sum::<usize>(), open.len(), "each is somebody's");
        let from_somewhere = open.iter().filter(|report| report.origin.is_some()).count();
        assert_eq!(self.of_origin.values().sum::<usize>(), from_somewhere, "each is counted where it came from");
        assert!(self.kept.keys().all(|id| id.0 < self.next), "numbers rise");
    }
}
