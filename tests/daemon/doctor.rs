//! `chathub doctor` about hubs that were started by hand, each broken in its way. What it finds about units is tried on
//! a machine with systemd (tests/system), and each check on what it is told (src/doctor/tests.rs).

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Daemon, Setup};

/// What the machine that runs the tests may have found about it.
const MACHINES: [&str; 4] = ["clock-synchronized", "memory", "kernel-buffers", "state-space"];

/// What `chathub doctor` says of a directory that a hub works in.
struct Doctor {
    code: Option<i32>,
    json: Value,
    told: String,
}

impl Doctor {
    fn of(dir: &Path) -> Self {
        Self::run(dir, &["--json"])
    }

    fn run(dir: &Path, args: &[&str]) -> Self {
        let of = |name: &str| dir.join(name).display().to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_chathub"))
            .arg("doctor")
            .args(["--config", &of("chathub.toml"), "--state-dir", &of("state"), "--socket", &of("admin.sock")])
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        let complaints = String::from_utf8(output.stderr).unwrap();
        assert_eq!(complaints, "", "{told}");
        let json = serde_json::from_str(&told).unwrap_or(Value::Null);
        Self { code: output.status.code(), json, told }
    }

    /// What was found about the hub: the checks and how bad it is.
    fn found(&self) -> BTreeSet<(String, String)> {
        let findings = self.json["findings"].as_array().unwrap();
        let of = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
        let found = findings.iter().map(|finding| (of(finding, "id"), of(finding, "severity")));
        found.filter(|(id, _)| !MACHINES.contains(&id.as_str())).collect()
    }

    /// It finds this alone, and says of it what contains `text`.
    #[track_caller]
    fn finds(&self, id: &str, severity: &str, text: &str) {
        assert_eq!(self.found(), [(id.to_owned(), severity.to_owned())].into(), "{:#}", self.json);
        self.says(id, text);
        let code = if severity == "advice" { 8 } else { 1 };
        assert_eq!(self.code, Some(code), "{:#}", self.json);
    }

    #[track_caller]
    fn says(&self, id: &str, text: &str) {
        let findings = self.json["findings"].as_array().unwrap();
        let said = findings.iter().filter(|finding| finding["id"] == id).any(|finding| {
            assert!(finding["do"].as_array().is_some_and(|steps| !steps.is_empty()), "{finding:#}");
            finding["what"].as_str().is_some_and(|what| what.contains(text))
        });
        assert!(said, "{id}: {text}: {:#}", self.json);
    }

    /// It finds nothing about the hub.
    #[track_caller]
    fn is_content(&self) {
        assert_eq!(self.found(), BTreeSet::new(), "{:#}", self.json);
    }
}

/// All that is in a directory: names, times, owners and contents.
fn whole(dir: &Path) -> Vec<(String, std::time::SystemTime, u32, Vec<u8>)> {
    let mut all: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let found = entry.metadata().unwrap();
            let content = if found.is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() };
            let mode = found.permissions().mode();
            (entry.file_name().into_string().unwrap(), found.modified().unwrap(), mode, content)
        })
        .collect();
    all.sort_unstable();
    all
}

/// What a hub has left that was ended by an administrator.
fn ended() -> TempDir {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("hello");
    bob.expect_with("hello");
    daemon.signal(Signal::SIGINT);
    daemon.leave()
}

#[test]
fn a_running_hub_has_no_findings() {
    let daemon = Daemon::start();
    let doctor = Doctor::of(&daemon.path(""));
    doctor.is_content();
    let checked = doctor.json["checked"].as_array().unwrap();
    for id in
        ["daemon-answers", "daemon-version", "settings", "settings-changed", "state-directory", "descriptors", "port"]
    {
        assert!(checked.contains(&json!(id)), "{id} was not looked at: {:#}", doctor.json);
    }
    let skipped = doctor.json["skipped"].as_array().unwrap();
    assert!(skipped.iter().any(|one| one["id"] == "database-damage"), "the daemon has it open: {skipped:#?}");
    assert!(skipped.iter().all(|one| !one["why"].as_str().unwrap().is_empty()), "{skipped:#?}");
}

#[test]
fn an_ended_hub_has_no_findings_and_no_file_is_left_behind() {
    let dir = ended();
    let state = dir.path().join("state");
    let before = (whole(dir.path()), whole(&state));
    let doctor = Doctor::of(dir.path());
    doctor.is_content();
    assert!(doctor.json["checked"].as_array().unwrap().contains(&json!("database-damage")), "{:#}", doctor.json);
    assert_eq!((whole(dir.path()), whole(&state)), before);
    // The lock is free.
    Setup::new().in_dir(dir).start();
}

/// The directory is the hub's, and root may look at it: what waits there for somebody who reads is not waited for.
#[test]
fn a_pipe_or_a_link_in_the_state_directory_holds_nobody_up() {
    let dir = ended();
    let state = dir.path().join("state");
    std::fs::remove_file(state.join("lock")).unwrap();
    nix::unistd::mkfifo(&state.join("lock"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    Doctor::of(dir.path()).is_content();
    std::fs::rename(state.join("chathub.db"), state.join("there")).unwrap();
    std::os::unix::fs::symlink("there", state.join("chathub.db")).unwrap();
    let doctor = Doctor::of(dir.path());
    doctor.says("database", "it is no file");
}

#[test]
fn the_files_of_a_killed_hub_are_left_as_they_are() {
    let daemon = Daemon::start();
    daemon.ctl(&["ban", "add", "192.0.2.1"]).done();
    daemon.signal(Signal::SIGKILL);
    let dir = daemon.leave();
    let state = dir.path().join("state");
    let before = whole(&state);
    assert!(before.iter().any(|(name, ..)| name == "chathub.db-wal"), "it left its log behind");
    let doctor = Doctor::of(dir.path());
    assert_eq!(whole(&state), before);
    let hidden = doctor.json["skipped"].as_array().unwrap();
    let why = hidden.iter().find(|one| one["id"] == "database-damage").unwrap();
    assert_eq!(why["applies"], true, "nobody knows whether it is whole: {why}");
    doctor.finds("daemon-answers", "error", "does not answer");
}

#[test]
fn a_database_that_is_damaged_is_found() {
    let dir = ended();
    let db = dir.path().join("state/chathub.db");
    let mut bytes = std::fs::read(&db).unwrap();
    // The first page stays, which says whose file it is.
    bytes[4096..].fill(0x5a);
    std::fs::write(&db, &bytes).unwrap();
    let found = Doctor::of(dir.path());
    let ids: Vec<_> = found.found().into_iter().map(|(id, _)| id).collect();
    assert!(ids == ["database"] || ids == ["database-damage"], "{:#}", found.json);
    std::fs::write(&db, "no database at all, but a text that somebody has put in its place").unwrap();
    Doctor::of(dir.path()).finds("database", "error", "cannot be used: damaged");
    std::fs::write(&db, "").unwrap();
    Doctor::of(dir.path()).finds("database", "error", "it has no bytes");
}

#[test]
fn a_database_of_a_newer_version_or_another_program_is_found() {
    let dir = ended();
    let db = dir.path().join("state/chathub.db");
    let change = |pragma: &str, value: i64| {
        let other = Connection::open(&db).unwrap();
        other.pragma_update(None, pragma, value).unwrap();
        drop(other);
    };
    change("user_version", 99);
    Doctor::of(dir.path()).finds("database", "error", "schema 99 is newer");
    change("application_id", 7);
    Doctor::of(dir.path()).finds("database", "error", "a database of another program");
}

#[test]
fn files_that_others_may_read_or_that_nobody_may_write_are_found() {
    let dir = ended();
    let state = dir.path().join("state");
    let mode = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(&state.join("chathub.db"), 0o644);
    Doctor::of(dir.path()).finds("state-files", "warning", "mode 0644");
    mode(&state.join("chathub.db"), 0o600);
    mode(&state, 0o755);
    Doctor::of(dir.path()).finds("state-directory", "warning", "mode 0755");
    mode(&state, 0o500);
    Doctor::of(dir.path()).finds("state-directory", "error", "cannot write there");
    mode(&state, 0o700);
    std::fs::write(state.join("chathub.db.damaged-20270101T000000Z"), "x").unwrap();
    Doctor::of(dir.path()).finds("state-remains", "advice", "were set aside");
}

#[test]
fn a_state_directory_that_is_none_is_found() {
    let dir = ended();
    let state = dir.path().join("state");
    std::fs::rename(&state, dir.path().join("away")).unwrap();
    Doctor::of(dir.path()).finds("state-directory", "advice", "is not there");
    std::os::unix::fs::symlink("/nowhere/at/all", &state).unwrap();
    Doctor::of(dir.path()).finds("state-directory", "error", "a link to nowhere");
    std::fs::remove_file(&state).unwrap();
    std::fs::write(&state, "").unwrap();
    Doctor::of(dir.path()).finds("state-directory", "error", "is no directory");
}

#[test]
fn a_port_that_another_program_has_is_found() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = other.local_addr().unwrap();
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("state")).unwrap();
    std::fs::set_permissions(dir.path().join("state"), std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(dir.path().join("chathub.toml"), format!("[listen]\nchat = ['{addr}']\n")).unwrap();
    let doctor = Doctor::of(dir.path());
    doctor.finds("port", "error", &format!("listens on {addr}"));
    doctor.says("port", &format!("process {}", std::process::id()));
}

#[test]
fn mistakes_in_the_settings_are_found_by_file_and_line() {
    let dir = ended();
    std::fs::write(dir.path().join("chathub.toml"), "[limits]\nclients = 'many'\nclint = 3\n").unwrap();
    let doctor = Doctor::of(dir.path());
    assert_eq!(doctor.found(), [("settings".to_owned(), "error".to_owned())].into(), "{:#}", doctor.json);
    doctor.says("settings", "chathub.toml:2: limits.clients: ");
    doctor.says("settings", "chathub.toml:3: ");
    let steps = doctor.json["findings"][0]["do"].as_array().unwrap();
    assert!(steps.iter().any(|step| step.as_str().unwrap().starts_with("editor +2 ")), "{steps:?}");
}

#[test]
fn settings_that_were_changed_and_not_read_or_wait_for_a_restart_are_found() {
    let daemon = Daemon::start();
    let file = daemon.path("chathub.toml");
    std::fs::write(&file, "[rooms]\nlobby = 'hall'\n").unwrap();
    // As if it was written some time later.
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
    Doctor::of(&daemon.path("")).finds("settings-changed", "advice", "was changed since");
    let earlier = std::time::SystemTime::now() - std::time::Duration::from_secs(2);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(earlier).unwrap();
    daemon.ctl(&["reload"]).done();
    Doctor::of(&daemon.path("")).finds("settings-waiting", "advice", "rooms.lobby counts from the next start on");
    assert!(daemon.ctl(&["status"]).done().contains("waiting for a restart: rooms.lobby"));
}

#[test]
fn too_few_descriptors_are_found() {
    let daemon = Setup::new().descriptors(1024).start();
    Doctor::of(&daemon.path("")).finds("descriptors", "warning", "the daemon may have 1024 descriptors open");
}

#[test]
fn places_that_are_all_taken_are_found() {
    let daemon = Daemon::with("[limits]\nadmin_connections = 1\nclients = 1\n");
    let _ann = daemon.client("ann");
    let doctor = Doctor::of(&daemon.path(""));
    let found = doctor.found();
    assert!(found.contains(&("clients-full".to_owned(), "warning".to_owned())), "{:#}", doctor.json);
    assert!(
        found.contains(&("admin-connections".to_owned(), "warning".to_owned())),
        "its own is one: {:#}",
        doctor.json
    );
}

#[test]
fn a_lockdown_a_full_disk_and_a_slow_turn_are_found_by_asking_the_daemon() {
    let daemon = Daemon::start();
    daemon.ctl(&["lockdown", "--for", "10min"]).done();
    Doctor::of(&daemon.path("")).finds("lockdown", "advice", "a lockdown is in force, until 2");
    daemon.ctl(&["lockdown", "--off"]).done();
    let other = Connection::open(daemon.path("state/chathub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    daemon.ctl(&["ban", "add", "192.0.2.7"]);
    daemon.logged("cannot be recorded");
    Doctor::of(&daemon.path("")).finds("recording", "error", "nothing is recorded not since 2");
    other.execute_batch("COMMIT").unwrap();
}

/// A daemon that is played: it answers `status` as `change` makes it, and refuses all else.
fn played(dir: &Path, status: Value) -> std::thread::JoinHandle<()> {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = UnixListener::bind(dir.join("admin.sock")).unwrap();
    std::fs::set_permissions(dir.join("admin.sock"), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        for line in BufReader::new(&stream).lines() {
            let Ok(line) = line else { return };
            let request: Value = serde_json::from_str(&line).unwrap();
            let reply = if request["cmd"] == "status" {
                json!({"id": request["id"], "ok": true, "result": status})
            } else {
                json!({"id": request["id"], "ok": false, "error": {"code": "denied", "message": "not here"}})
            };
            if writeln!(&stream, "{reply}").is_err() {
                return;
            }
        }
    })
}

#[test]
fn a_daemon_of_another_version_is_found_and_what_it_does_not_tell_is_said() {
    let dir = ended();
    let mut status = {
        let daemon = Daemon::start();
        daemon.ctl(&["status", "--json"]).json()
    };
    status["version"] = json!("0.0.9");
    status["pid"] = json!(std::process::id());
    status.as_object_mut().unwrap().remove("settings");
    let daemon = played(dir.path(), status);
    let doctor = Doctor::of(dir.path());
    doctor.finds("daemon-version", "warning", "the daemon is of version 0.0.9");
    let skipped = doctor.json["skipped"].as_array().unwrap();
    let why = |id: &str| skipped.iter().find(|one| one["id"] == id).map(|one| one["why"].as_str().unwrap().to_owned());
    assert!(why("settings-changed").is_some_and(|why| why.contains("does not tell")), "{skipped:#?}");
    assert!(why("reports").is_some_and(|why| why.contains("not here")), "{skipped:#?}");
    daemon.join().unwrap();
}

#[test]
fn a_socket_that_anybody_may_open_and_one_that_nobody_answers_are_found() {
    let daemon = Daemon::start();
    std::fs::set_permissions(daemon.admin_path(), std::fs::Permissions::from_mode(0o666)).unwrap();
    Doctor::of(&daemon.path("")).finds("admin-socket", "error", "anybody on this machine may administer the hub");
    let dir = ended();
    drop(UnixListener::bind(dir.path().join("admin.sock")).unwrap());
    std::fs::set_permissions(dir.path().join("admin.sock"), std::fs::Permissions::from_mode(0o600)).unwrap();
    Doctor::of(dir.path()).finds("daemon-answers", "error", "does not answer");
}

#[test]
fn another_hub_that_has_the_state_directory_is_found() {
    let daemon = Daemon::start();
    let state = daemon.path("state").display().to_string();
    let (config, socket) = (daemon.path("chathub.toml"), daemon.path("other.sock"));
    let output = Command::new(env!("CARGO_BIN_EXE_chathub"))
        .args(["doctor", "--json", "--state-dir", &state, "--socket"])
        .arg(&socket)
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = json["findings"].as_array().unwrap();
    let hub = found.iter().find(|finding| finding["id"] == "other-hubs").unwrap_or_else(|| panic!("{json:#}"));
    assert!(hub["what"].as_str().unwrap().contains(&format!("process {}", daemon.pid())), "{hub}");
    assert_eq!((&hub["severity"], output.status.code()), (&json!("error"), Some(1)));
    // The one that runs has the database open.
    assert!(json["skipped"].as_array().unwrap().iter().any(|one| one["id"] == "database-damage"), "{json:#}");
}

#[test]
fn the_report_is_for_people_and_quiet_prints_findings_alone() {
    let daemon = Daemon::start();
    let text = Doctor::run(&daemon.path(""), &[]).told;
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("checked ") && last.contains(" things: "), "{text}");
    daemon.ctl(&["lockdown", "--for", "10min"]).done();
    let text = Doctor::run(&daemon.path(""), &[]).told;
    assert!(text.contains("advice   lockdown"), "{text}");
    assert!(text.contains("\n        chathub ctl lockdown --off\n"), "{text}");
    let quiet = Doctor::run(&daemon.path(""), &["--quiet"]).told;
    assert!(quiet.contains("advice   lockdown") && !quiet.contains("checked "), "{quiet}");
}

#[test]
fn a_wrong_command_line_has_an_exit_code_of_its_own() {
    let output = Command::new(env!("CARGO_BIN_EXE_chathub")).args(["doctor", "--mend"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
