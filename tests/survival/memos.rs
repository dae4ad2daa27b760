//! A message for somebody who is not here survives each death and is shown once, whenever the
//! daemon dies.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::people::Person;
use crate::supervisor::Plan;

const SETTINGS: &str = "[accounts]\nmemory = '64KiB'\npasses = 1\n[pace]\nshown = 1000\n";

/// The number of deaths while she comes back.
const TIMES: u64 = 12;

#[test]
fn a_message_is_shown_once_whenever_the_daemon_dies() {
    let supervisor = Plan::new(SETTINGS, 1).start();
    for name in ["ann", "bob"] {
        supervisor.ask("accounts.add", &json!({"name": name, "password": format!("secret of {name}")}));
    }
    let mut bob = Person::come(&supervisor, "robert");
    bob.send("/login bob secret of bob");
    bob.until("he is logged in", |line| line == "-- welcome, bob: you are logged in");
    let mut ann = Person::come(&supervisor, "anna");
    for at in 0..TIMES {
        bob.send(&format!("/msg ann number {at}"));
        bob.until("it is kept", |line| line == "-- ann is not here, and gets it on logging in");
        if at % 3 == 0 {
            supervisor.replace(Signal::SIGKILL);
        }
        ann.send("/login ann secret of ann");
        // The daemon dies somewhere between reading this line and recording that the message was
        // shown.
        supervisor.replace(Signal::SIGKILL);
        let seen = ann.until("it is shown", |line| line.ends_with(&format!("[bob -> you] number {at}")));
        let shown = seen.iter().filter(|line| line.contains("[bob -> you]")).count();
        assert_eq!(shown, 1, "{seen:#?}");
        if at % 2 == 0 {
            supervisor.replace(Signal::SIGKILL);
        }
        ann.send("/logout");
        let seen = ann.until("she is logged out", |line| line.starts_with("-- you are logged out"));
        assert!(!seen.iter().any(|line| line.contains("[bob -> you]")), "{seen:#?}");
    }
    let status = supervisor.ask("status", &json!({}));
    assert_eq!(status["memos_waiting"], json!(0), "{status:#}");
}
