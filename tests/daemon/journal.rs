//! What is logged, and what never is.

use serde_json::json;

use crate::stage::{Client, Daemon, Setup};

#[test]
fn nothing_that_people_say_is_logged_at_any_level() {
    for level in ["debug", "trace"] {
        let daemon = Daemon::with(&format!("[log]\nlevel = '{level}'\n[limits]\nline = 128"));
        let mut ann = daemon.client("ann");
        let mut bob = daemon.client("bob");
        for line in [
            "SECRET in the room",
            "/me SECRET deed",
            "/msg bob SECRET letter",
            "/topic SECRET topic",
            "/away SECRET reason",
            "/search SECRET search",
            "/SECRET command",
            "/nick SECRET?!@",
            "/join SECRET?!@",
            "/report bob SECRET report",
            "//SECRET slash",
        ] {
            ann.send(line);
        }
        ann.write(b"\x1b[31mSECRET\xff\xff\x9b\x00\n");
        ann.write(b"\xff\xfa\x18\x00SECRET\xff\xf0\xff\xfb\xc8");
        ann.write(format!("SECRET {}\n", "x".repeat(200)).as_bytes());
        ann.send("/whois nobody");
        ann = ann.speaking_telnet();
        ann.expect_bytes(b"nobody called nobody");
        ann.send("/quit SECRET farewell");
        bob.expect("* ann left (SECRET farewell)");
        let mut admin = daemon.admin();
        admin.done("say", &json!({"text": "SECRET notice"}));
        admin.done("history.search", &json!({"query": "SECRET"}));
        admin.write("SECRET {\n");
        admin.reply();
        admin.done("shutdown", &json!({}));
        daemon.logged("stopped clients=1");
        let log = daemon.log();
        assert!(!log.contains("SECRET"), "{log}");
        assert!(log.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{log:?}");
    }
}

#[test]
fn comings_goings_and_names_are_logged_with_fields() {
    let daemon = Daemon::start();
    let mut ann = Client::connect(&daemon, daemon.addr(), "ann");
    ann.greeted();
    let port = ann.stream.local_addr().unwrap().port();
    let line = daemon.logged("client arrived");
    for field in
        ["client=c1", &format!("nick={:?}", ann.nick), "room=\"lobby\"", "addr=127.0.0.1", &format!("port={port}")]
    {
        assert!(line.contains(field), "{field} in {line}");
    }
    ann.rename("ann");
    assert!(daemon.logged("client changed its name").contains("nick=\"ann\""));
    drop(ann);
    assert!(daemon.logged("client left").contains("client=c1"));
}

#[test]
fn a_crowd_of_probes_does_not_fill_the_log() {
    let daemon = Daemon::start();
    for _ in 0..600 {
        drop(Client::connect(&daemon, daemon.addr(), "probe"));
    }
    let mut admin = daemon.admin();
    admin.counter_reaches("connections", 600);
    admin.done("shutdown", &json!({}));
    daemon.logged("left out of the journal");
    daemon.logged("stopped clients=");
    let lines = daemon.log().lines().count();
    assert!(lines < 600, "{lines} lines for 600 probes");
}

#[test]
fn at_level_error_nothing_is_logged_when_all_is_well() {
    let mut daemon = Setup::new().settings("[log]\nlevel = 'error'").notify().spawn();
    daemon.notified_of("READY=1");
    daemon.admin().done("shutdown", &json!({}));
    assert_eq!(daemon.exit_code(), Some(0));
    assert_eq!(daemon.log(), "");
}
