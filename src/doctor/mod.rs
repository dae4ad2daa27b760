//! `chathub doctor`: what is wrong with an installation, and what to do about it.
//!
//! First the machine is looked at, which changes nothing there; what was seen are plain values. Then each check makes
//! findings of those values alone, so each can be tried without breaking a machine.
//!
//! Deliberately not known here: how to mend anything. A finding says what to type.
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

/// Looks at the machine, and returns what is to be printed on a terminal of so many columns (`None` if it is none), and
/// how the program ends.
#[must_use]
pub fn run(args: &DoctorArgs, columns: Option<usize>) -> (String, Exit) {
    let report = Report::of(&look::look(args));
    let text =
        if args.json { print::json(&report, columns.is_some()) } else { print::text(&report, columns, args.quiet) };
    (text, report.exit())
}
