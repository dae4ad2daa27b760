//! What people report about each other, and what administrators do with it: `chathub ctl report`.

use nix::sys::signal::Signal;
use serde_json::json;

use crate::stage::{Daemon, Setup};

#[test]
fn a_report_outlives_the_daemon_until_it_is_closed() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    bob.send("you fool");
    ann.expect("bob: you fool");
    ann.send("/report bob he is RUDE");
    ann.expect("-- report r1 is kept for the operators; none is here now");
    let line = daemon.logged("report made");
    assert!(line.contains("r1 about bob (c2)") && !line.contains("RUDE"), "{line}");
    ann.send("/report bob");
    ann.expect_with("-- report r2 is kept");
    let list = daemon.ctl(&["report", "list"]).done();
    assert!(list.starts_with("ID  AGE  ABOUT  BY   REASON\nr1 "), "{list}");
    assert!(list.contains("s  bob    ann  he is RUDE\n") && list.ends_with("\n2 reports listed.\n"), "{list}");
    let status = daemon.ctl(&["status"]).done();
    assert!(status.contains("Reports: 2 reports open; see \"chathub ctl report list\"\n"), "{status}");
    assert!(daemon.ctl(&["metrics"]).done().contains("\nchathub_reports_open 2\n"));

    daemon.signal(Signal::SIGTERM);
    let daemon = Setup::new().in_dir(daemon.leave()).settings("[history]\nlines = 1\nreplay = 1").start();
    // It is on disk alone by now.
    let mut zoe = daemon.client("zoe");
    zoe.send("one");
    zoe.send("two");
    zoe.sync();
    let shown = daemon.ctl(&["report", "show", "r1"]).done();
    let facts: Vec<&str> = shown.lines().map(str::trim_start).collect();
    assert_eq!(
        facts[2..6],
        ["About: bob (c2); has left", "By: ann (c1); has left", "Room: lobby", "Reason: he is RUDE"]
    );
    assert!(
        facts[6..8] == ["Closed: no", "Lines: 1 line"] && facts[8].ends_with("lobby         bob: you fool"),
        "{shown}"
    );
    daemon.ctl(&["redact", "--client", "c2", "--yes"]).done();
    let shown = daemon.ctl(&["report", "show", "r1", "--json"]).json();
    assert_eq!((&shown["lines"][0]["state"], shown["lines"][0].get("line")), (&json!("redacted"), None), "{shown:#}");
    let closed = daemon.ctl(&["report", "close", "r1-r9", "--note", "SEEN"]).done();
    assert_eq!(closed, "Closed r1, r2; 0 reports open.\n");
    let line = daemon.logged("report closed");
    assert!(line.contains("r1 about bob (c2), by ann (c1)") && !daemon.log().contains("SEEN"), "{line}");
    let again = daemon.ctl(&["report", "close", "r1"]);
    assert!(again.code == Some(1) && again.err.contains("report r1 was closed before, by uid "), "{again:?}");
    assert_eq!(daemon.ctl(&["report", "show", "r3"]).code, Some(5));
    assert_eq!(daemon.ctl(&["report", "close", "r3"]).code, Some(5));
    assert_eq!(daemon.ctl(&["report", "list", "--json"]).json()["total"], 0);
    assert_eq!(daemon.ctl(&["report", "list", "--all", "--json"]).json()["total"], 2);
}

#[test]
fn who_is_erased_is_erased_in_reports() {
    let daemon = Daemon::with("[accounts]\nmemory = '64KiB'\npasses = 1");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("/register secret-of-ann");
    ann.expect_with("-- ann is registered");
    ann.send("/report bob he knows my address");
    ann.expect_with("-- report r1 is kept");
    bob.send("/report ann she is called Anna");
    bob.expect_with("-- report r2 is kept");
    daemon.ctl(&["account", "erase", "ann", "--yes"]).done();
    let is_erased = |daemon: &Daemon| {
        let list = daemon.ctl(&["report", "list", "--json"]).json();
        let [mine, hers] = &list["reports"].as_array().unwrap()[..] else { panic!("{list:#}") };
        for (report, by, about) in [(mine, "", "bob"), (hers, "bob", "")] {
            assert_eq!((report.get("reason"), &report["erased"]), (None, &json!(true)), "{list:#}");
            assert_eq!((&report["by"]["nick"], &report["about"]["nick"]), (&json!(by), &json!(about)), "{list:#}");
        }
    };
    is_erased(&daemon);
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    let file = std::fs::read(dir.path().join("state/chathub.db")).unwrap();
    for text in ["my address", "called Anna"] {
        assert!(!file.windows(text.len()).any(|some| some == text.as_bytes()), "{text} is on disk");
    }
    is_erased(&Setup::new().in_dir(dir).start());
}
