//! `chathub doctor`: finds the mistakes in an installation, and says how to mend them.
//!
//! First it looks at the machine, without changing anything, and notes the facts as plain values.
//! Then each check makes findings from those values alone: so each check can be tested without
//! breaking a machine.
//!
//! It mends nothing itself: a finding has the commands to type.
//!
//! | to change | see |
//! | --- | --- |
//! | collecting the facts about the machine | `look` |
//! | the facts that a check gets | [`facts`] |
//! | a check: the mistake, its severity, the steps to mend it | [`checks`] |
//! | the form of a finding, and of a fact that could not be seen | [`finding`] |
//! | the exit code, the order of findings | [`report`] |
//! | text and JSON | `print` |

pub mod checks;
pub mod facts;
pub mod finding;
mod look;
mod print;
pub mod report;
#[cfg(test)]
mod tests;

use crate::cli::DoctorArgs;
use crate::exit::Exit;
use report::Report;

/// Examines the machine. Returns what to print on a terminal of this many columns (`None` if it is
/// no terminal), and the exit code.
#[must_use]
pub fn run(args: &DoctorArgs, columns: Option<usize>) -> (String, Exit) {
    let report = Report::of(&look::look(args));
    let text =
        if args.json { print::json(&report, columns.is_some()) } else { print::text(&report, columns, args.quiet) };
    (text, report.exit())
}
