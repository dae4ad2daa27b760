//! Prints a report, as text for people and as JSON for programs. All of it is escaped, because
//! paths, command lines and drop-ins may come from others.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::{Severity, Step, Unseen};
use super::report::Report;
use crate::ctl::print::escape::{self, Layout, escape};
use crate::ctl::print::table::wrap;

/// Text is never wrapped to fewer columns than this.
const NARROW: usize = 40;

/// The report as text, wrapped to `columns` if there is a bound.
#[must_use]
pub(super) fn text(report: &Report, columns: Option<usize>, quiet: bool) -> String {
    let mut out = String::new();
    let columns = columns.map(|columns| columns.max(NARROW));
    let wide = report.findings.iter().map(|(id, _)| id.len()).max().unwrap_or(0);
    for (id, finding) in &report.findings {
        let head = format!("{:<7}  {id:<wide$}  ", finding.severity.word());
        // On a narrow screen, the text goes below the head instead of beside it.
        let beside = columns.is_none_or(|columns| head.len() + NARROW <= columns);
        let indent = if beside { head.len() } else { 4 };
        if !beside {
            let _ = writeln!(out, "{}", head.trim_end());
        }
        for (at, line) in within(&finding.what, columns, indent).iter().enumerate() {
            let before = if at == 0 && beside { head.clone() } else { " ".repeat(indent) };
            let _ = writeln!(out, "{before}{line}");
        }
        for step in &finding.steps {
            match step {
                Step::Say(text) => {
                    for line in within(text, columns, 4) {
                        let _ = writeln!(out, "    {line}");
                    }
                }
                // A command is copied as a whole, so it is not wrapped.
                Step::Type(command) => {
                    let _ = writeln!(out, "        {}", escape(command));
                }
            }
        }
    }
    let is_all = report.hidden().next().is_none();
    if !quiet || !is_all {
        if !report.findings.is_empty() {
            out.push('\n');
        }
        for line in within(&last_line(report), columns, 0) {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

fn within(text: &str, columns: Option<usize>, indent: usize) -> Vec<String> {
    let text = escape(text);
    columns
        .map_or_else(|| vec![text.clone().into_owned()], |columns| wrap(&text, columns.saturating_sub(indent).max(20)))
}

/// The last line: how much was checked, and what could not be seen.
fn last_line(report: &Report) -> String {
    let count = |severity| report.findings.iter().filter(|(_, finding)| finding.severity == severity).count();
    let plural = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let mut counts = Vec::new();
    for (severity, word) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        counts.extend(Some(count(severity)).filter(|number| *number > 0).map(|number| plural(number, word)));
    }
    counts.extend(Some(count(Severity::Advice)).filter(|number| *number > 0).map(|number| format!("{number} advice")));
    let found = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    let mut line = format!("checked {}: {found}", plural(report.checked.len(), "thing"));
    let hidden: Vec<_> = report.hidden().collect();
    if !hidden.is_empty() {
        // Several checks may have failed for the same reason.
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (id, why) in hidden.iter().map(|(id, unseen)| (*id, unseen.why())) {
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, ids)) => ids.push(id),
                None => reasons.push((why, vec![id])),
            }
        }
        let reasons: Vec<_> = reasons.iter().map(|(why, ids)| format!("{} ({why})", ids.join(", "))).collect();
        let root = if report.is_root { "" } else { "; run it as root to see more" };
        let _ = write!(line, "; could not look at {}: {}{root}", hidden.len(), reasons.join("; "));
    }
    let absent = report.skipped.len() - hidden.len();
    if absent > 0 {
        let _ = write!(line, "; {absent} do not apply here (--json says why)");
    }
    line
}

/// The report as JSON.
#[must_use]
pub(super) fn json(report: &Report, is_terminal: bool) -> String {
    let steps = |steps: &[Step]| -> Vec<Value> {
        steps
            .iter()
            .map(|step| match step {
                Step::Say(text) | Step::Type(text) => text.as_str().into(),
            })
            .collect()
    };
    let skipped: Vec<Value> = report
        .skipped
        .iter()
        .map(|(id, unseen)| json!({"id": id, "why": unseen.why(), "applies": matches!(unseen, Unseen::Hidden(_))}))
        .collect();
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|(id, finding)| json!({"id": id, "severity": finding.severity, "what": finding.what, "do": steps(&finding.steps)}))
        .collect();
    let value = json!({"checked": report.checked, "skipped": skipped, "findings": findings});
    escape::json(&value, if is_terminal { Layout::Pretty } else { Layout::Compact }) + "\n"
}
