//! What a test needs and this machine has not: said where it cannot be overlooked, and a failure in CI.

use std::io::Write as _;

/// Says that something was not tested; fails where `CI` is `true`, as `.ci/run` sets it.
pub(crate) fn not_tested(what: &str) {
    // Straight to standard error: the test harness keeps what is printed by macros for itself.
    let _ = writeln!(std::io::stderr(), "\n!!! NOT TESTED: {what}\n");
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "NOT TESTED, and this is CI: {what}");
}

/// Whether a program is installed; says so if not.
pub(crate) fn have(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
    if !found {
        not_tested(&format!("{program} is not installed"));
    }
    found
}
