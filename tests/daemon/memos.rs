//! Messages that are left for who is not here.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::stage::{Daemon, Setup};

const SETTINGS: &str = "[accounts]\nmemory = '64KiB'\npasses = 1";

#[test]
fn a_message_outlives_the_daemon_until_it_is_shown_and_nothing_is_left_of_it() {
    let daemon = Daemon::with(SETTINGS);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    for (person, secret) in [(&mut ann, "secret-of-ann"), (&mut bob, "secret-of-bob")] {
        person.send(&format!("/register {secret}"));
        person.expect_with(" is registered, and nobody else can have it");
    }
    ann.send("/quit");
    ann.rest();
    bob.send("/msg ann the KEYS are under the mat");
    bob.expect("-- ann is not here, and gets it on logging in");
    let status = daemon.ctl(&["status"]).done();
    assert!(status.contains("Messages: 1 waiting for people who are not here\n"), "{status}");
    assert!(daemon.ctl(&["metrics"]).done().contains("\nchathub_memos_waiting 1\n"));
    let list = daemon.ctl(&["account", "list"]).done();
    assert!(list.contains("1 message waiting") && !list.contains("KEYS"), "{list}");
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    let has = |dir: &std::path::Path| {
        let file = std::fs::read(dir.join("state/chathub.db")).unwrap();
        file.windows(4).any(|some| some == b"KEYS")
    };
    assert!(has(dir.path()), "it is on disk");
    let daemon = Setup::new().in_dir(dir).settings(SETTINGS).start();
    let mut ann = daemon.client("zoe");
    ann.send("/login ann secret-of-ann");
    ann.expect("-- 1 message was left for you, time in UTC:");
    ann.expect_with(" [bob -> you] the KEYS are under the mat");
    ann.send("/logout");
    ann.send("/login ann secret-of-ann");
    ann.expect("-- welcome, ann: you are logged in");
    assert!(!ann.sync().iter().any(|line| line.contains("KEYS")), "once");
    assert_eq!(daemon.ctl(&["status", "--json"]).json()["memos_waiting"], json!(0));
    assert!(!daemon.log().contains("KEYS"), "the journal has none of it");
    daemon.signal(Signal::SIGTERM);
    assert!(!has(daemon.leave().path()), "nothing is left of it");
}
