//! The results of all checks, and the exit code for them.

use super::checks::CHECKS;
use super::facts::{Facts, Subject};
use super::finding::{Finding, Severity, Unseen};
use crate::exit::Exit;

/// The results of all checks.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The ids of the checks that were made.
    pub checked: Vec<&'static str>,
    /// The ids of the checks that could not be made, each with the reason.
    pub skipped: Vec<(&'static str, Unseen)>,
    /// All findings, the worst first, each with the id of its check.
    pub findings: Vec<(&'static str, Finding)>,
    /// Whether root ran the checks, so that everything could be seen.
    pub is_root: bool,
}

impl Report {
    /// Makes all checks.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        // Of a user's own hub, root sees no more than that user.
        let is_own = facts.subject == Subject::Own;
        let mut report = Self { is_root: facts.is_root || is_own, ..Self::default() };
        for check in CHECKS {
            match (check.run)(facts) {
                Ok(found) => {
                    report.checked.push(check.id);
                    let found = found.into_iter().map(|finding| if is_own { finding.of_own(facts) } else { finding });
                    report.findings.extend(found.map(|finding| (check.id, finding)));
                }
                Err(why) => report.skipped.push((check.id, why)),
            }
        }
        // Findings that are equally bad stay in the order of the checks.
        report.findings.sort_by_key(|(_, finding)| finding.severity);
        report
    }

    /// The checks that could not be made because something could not be seen.
    pub fn hidden(&self) -> impl Iterator<Item = (&'static str, &Unseen)> {
        self.skipped.iter().filter(|(_, why)| matches!(why, Unseen::Hidden(_))).map(|(id, why)| (*id, why))
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self.findings.first().map(|(_, finding)| finding.severity) {
            Some(Severity::Error | Severity::Warning) => Exit::Refused,
            Some(Severity::Advice) => Exit::Advised,
            None if self.hidden().next().is_some() => Exit::Advised,
            None => Exit::Done,
        }
    }
}
