//! `systemd/after-stop`: how long the service waits before it is started again, failure by failure.

use std::process::Command;

use tempfile::TempDir;

/// A directory with a `sleep` that tells how long it would have slept.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = TempDir::new().expect("a directory");
        let sleep = dir.path().join("sleep");
        std::fs::write(&sleep, "#!/bin/sh\necho \"$1\"\n").expect("a program");
        std::fs::set_permissions(&sleep, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self(dir)
    }

    /// What comes of an end like this.
    fn ended(&self, result: &str, code: &str, status: &str) -> u64 {
        let path = format!("{}:/usr/bin:/bin", self.0.path().display());
        let done = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/after-stop"))
            .env_clear()
            .envs([("PATH", path.as_str()), ("SERVICE_RESULT", result), ("EXIT_CODE", code), ("EXIT_STATUS", status)])
            .env("CHATHUB_RESTARTS", self.0.path().join("note"))
            .output()
            .expect("a shell");
        assert!(done.status.success() && done.stderr.is_empty(), "{done:?}");
        let told = String::from_utf8(done.stdout).expect("a number");
        told.trim().parse().unwrap_or(0)
    }
}

#[test]
fn a_start_that_fails_again_and_again_is_tried_more_and_more_slowly() {
    for status in ["1", "203", "217", "226", "238"] {
        let bench = Bench::new();
        let delays: Vec<_> = (0..9).map(|_| bench.ended("exit-code", "exited", status)).collect();
        assert_eq!(delays, [0, 1, 2, 4, 8, 16, 25, 25, 25], "exit status {status}");
        // What was mended and fails later is tried at once.
        assert_eq!(bench.ended("success", "exited", "75"), 0);
        assert_eq!(bench.ended("exit-code", "exited", status), 0);
    }
}

#[test]
fn a_daemon_that_is_killed_is_replaced_at_once_but_not_for_ever() {
    let bench = Bench::new();
    let delays: Vec<_> = (0..60).map(|_| bench.ended("signal", "killed", "KILL")).collect();
    assert!(delays[..=50].iter().all(|delay| *delay == 0), "{delays:?}");
    assert_eq!(delays[51..], [1, 2, 4, 8, 16, 25, 25, 25, 25]);
}

#[test]
fn strangers_who_knock_at_a_service_that_cannot_start_bring_about_few_starts() {
    let bench = Bench::new();
    let delays: Vec<_> = (0..6).map(|_| bench.ended("exit-code", "exited", "78")).collect();
    assert_eq!(delays, [0, 1, 2, 4, 5, 5]);
}

#[test]
fn a_note_of_restarts_that_makes_no_sense_is_begun_anew() {
    let bench = Bench::new();
    for text in ["", "x y", "-1 -1", "99 $(reboot)", "3"] {
        std::fs::write(bench.0.path().join("note"), text).expect("it is ours");
        let delay = bench.ended("exit-code", "exited", "203");
        assert!(delay == 0 || text == "3", "{text:?}: {delay}");
    }
}
