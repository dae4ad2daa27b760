//! Settings files: what they may say, and what a reload makes of them.

use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Client, Daemon, Setup};

/// What `check-config` says of a file: its exit code and all it prints.
fn check(text: &str) -> (Option<i32>, String, String) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("chathub.toml");
    std::fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_chathub"))
        .arg("check-config")
        .arg(&path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let mut said = String::from_utf8(output.stdout).unwrap();
    said.push_str(&String::from_utf8(output.stderr).unwrap());
    (output.status.code(), said, path.display().to_string())
}

const BAD: &[(&str, u32, &str, &str)] = &[
    ("[limits]\nclients = 'many'\n", 2, "limits.clients", "a whole number from 1"),
    ("[limits]\nclients = 0\n", 2, "limits.clients", "from 1 to 1000000"),
    ("[limits]\n\nclientz = 7\n", 3, "clientz", "clients"),
    ("[limit]\nclients = 7\n", 1, "limit", "limits"),
    ("[slow]\npolicy = 'wait'\n", 2, "slow.policy", "skip"),
    ("[shutdown]\ndeadline = 'soon'\n", 2, "shutdown.deadline", "1h"),
    ("[listen]\nchat = ['localhost']\n", 2, "listen.chat", ""),
];

#[test]
fn bad_settings_are_told_with_file_line_key_and_what_is_allowed() {
    for (text, line, key, allowed) in BAD {
        let (code, said, path) = check(text);
        assert_eq!(code, Some(78), "{text}: {said}");
        assert!(said.contains(&format!("{path}:{line}")), "{text}: {said}");
        assert!(said.contains(key) && said.contains(allowed), "{text}: {said}");
    }
    let (code, said, path) = check("[limits\n");
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains(&format!("{path}:1")), "{said}");
}

#[test]
fn good_settings_pass_and_the_shipped_ones_are_good() {
    for text in ["", "[limits]\nclients = 7\n", include_str!("../../packaging/chathub.toml")] {
        let (code, said, _) = check(text);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_an_error_when_it_is_named() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_chathub")).args(["check-config", "/nonexistent.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent.toml"), "{output:?}");
}

#[test]
fn the_daemon_does_not_start_with_bad_settings_and_says_what_check_config_says() {
    for (text, line, key, allowed) in BAD {
        let setup = Setup::new().settings(text);
        let place = format!("{}:{line}", setup.path("chathub.toml").display());
        let (code, log) = setup.fail();
        assert_eq!(code, Some(78), "{text}: {log}");
        assert!(log.contains(&place) && log.contains(key) && log.contains(allowed), "{text}: {log}");
    }
}

#[test]
fn addresses_may_stand_in_the_settings() {
    let setup = Setup::new();
    let admin = setup.path("admin.sock");
    let text = format!("[listen]\nchat = ['127.0.0.1:0', '[::1]:0']\nadmin = '{}'\n", admin.display());
    let daemon = setup.settings(&text).without_listening().start();
    for addr in daemon.addrs() {
        Client::connect(&daemon, addr, "client").greeted();
    }
    assert_eq!(daemon.addrs().len(), 2);
    assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
}

#[test]
fn a_reload_applies_what_it_can_and_names_what_needs_a_restart() {
    let daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    let file = daemon.path("chathub.toml");
    std::fs::write(&file, "[limits]\nline = 64\n[rooms]\nlobby = 'hall'\n[hub]\nname = 'the pond'\n").unwrap();
    let reloaded = daemon.admin().done("reload", &json!({}));
    assert_eq!(reloaded["restart"], json!(["rooms.lobby"]));
    let mut applied: Vec<&str> =
        reloaded["applied"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    applied.sort_unstable();
    assert_eq!(applied, ["hub.name", "limits.line"]);
    ann.send(&"x".repeat(65));
    ann.expect_with("65 bytes, at most 64 are allowed");
    let mut bob = Client::connect(&daemon, daemon.addr(), "bob");
    let lines = bob.greeted();
    assert!(
        lines[0].starts_with("-- Welcome to the pond. ") && lines.iter().any(|line| line.contains(" in lobby, ")),
        "{lines:#?}"
    );
    // Back to the defaults, by the signal this time.
    std::fs::write(&file, "").unwrap();
    let mut events = daemon.admin();
    events.subscribe(&["reload"]);
    daemon.signal(Signal::SIGHUP);
    let event = events.event();
    assert_eq!((&event["event"], &event["text"]), (&json!("reload"), &json!("hub.name limits.line")));
    ann.send(&"x".repeat(65));
    bob.expect(&format!("ann: {}", "x".repeat(65)));
}

#[test]
fn a_reload_with_a_mistake_keeps_everything_as_it_was() {
    let daemon = Daemon::with("[limits]\nline = 64\n");
    let mut ann = daemon.client("ann");
    std::fs::write(daemon.path("chathub.toml"), "[limits]\nline = 128\nclients = 0\n").unwrap();
    let (code, message) = daemon.admin().refused("reload", &json!({}));
    let place = format!("{}:3", daemon.path("chathub.toml").display());
    assert!(code == "conflict" && message.contains(&place) && message.contains("limits.clients"), "{message}");
    let ctl = daemon.ctl(&["reload"]);
    assert_eq!(ctl.code, Some(1), "{ctl:?}");
    assert!(ctl.err.contains(&place), "{ctl:?}");
    daemon.signal(Signal::SIGHUP);
    daemon.logged("settings refused; the old ones stay");
    ann.send(&"x".repeat(65));
    ann.expect_with("65 bytes, at most 64 are allowed");
}

#[test]
fn the_log_level_can_be_reloaded() {
    let setup = Setup::new().settings("[log]\nlevel = 'warn'\n").notify();
    let daemon = setup.spawn();
    daemon.notified_of("READY=1");
    let mut admin = daemon.admin();
    assert_eq!(admin.done("log.level", &json!({}))["level"], "warn");
    assert_eq!(daemon.log(), "", "nothing to warn of");
    std::fs::write(daemon.path("chathub.toml"), "[log]\nlevel = 'info'\n").unwrap();
    assert_eq!(admin.done("reload", &json!({}))["applied"], json!(["log.level"]));
    daemon.logged("settings read again");
}
