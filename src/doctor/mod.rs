//! `chathub doctor`: what is wrong with an installation, and what to do about it.
//!
//! First it looks at the machine, which changes nothing there. What it has seen are plain values.
//! Then each check makes findings from those values alone: so each check can be tested without
//! breaking a machine.
//!
//! It does not know how to mend anything: a finding tells what to type.
//!
//! | to change | see |
//! | --- | --- |
//! | what is looked at on the machine, and how | `look` |
//! | what a check is told | [`facts`] |
//! | a check: what is wrong, how bad it is, what to do | [`checks`] |
//! | what a finding is; what could not be looked at | [`finding`] |
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
