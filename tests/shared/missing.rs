//! Reports that a test could not run because this machine lacks something: visibly, and as a
//! failure in CI.

use std::io::Write as _;

/// Prints that something was not tested; panics if `CI` is `true`, which `.ci/run` sets.
pub(crate) fn not_tested(what: &str) {
    // Written to standard error itself: the test harness captures the output of `eprintln!`.
    let _ = writeln!(std::io::stderr(), "\n!!! NOT TESTED: {what}\n");
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "NOT TESTED, and this is CI: {what}");
}

/// Whether `program` is on the path; if not, reports that with [`not_tested`].
pub(crate) fn have(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !found {
        not_tested(&format!("{program} is not installed"));
    }
    found
}
