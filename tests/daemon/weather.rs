//! Bad weather on disk: a daemon that cannot read or write what it has recorded keeps out whoever is banned
//! and protects names as soon as it can, without a restart, and says so until then.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Client, Daemon, Setup, have, not_tested};

/// Cheap hashing: how dear it is is not what is tested here.
const CHEAP: &str = "[accounts]\nmemory = '64KiB'\npasses = 1\n";

const BANNED: u8 = 9;

fn from(low: u8) -> SocketAddr {
    SocketAddr::from(([127, 0, 7, low], 0))
}

/// A directory in which a daemon has left a ban and an account, which ended by that signal.
fn furnished(by: Signal) -> TempDir {
    let daemon = Daemon::with(CHEAP);
    let mut ann = daemon.client("ann");
    ann.send("/register correct horse");
    ann.expect("-- ann is registered, and nobody else can have it; /login ann next time");
    daemon.ctl(&["ban", "add", "127.0.7.9", "--reason", "no floods"]).done();
    let mut admin = daemon.admin();
    while admin.done("history.stats", &json!({}))["disk"]["waiting_bytes"] != 0 {
        assert!(!daemon.deadline.is_over(), "something waits for ever");
    }
    admin.counter_reaches("history_recorded", 2);
    daemon.signal(by);
    daemon.leave()
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("state/chathub.db")
}

#[track_caller]
fn is_unread(daemon: &Daemon) -> bool {
    let status = daemon.admin().done("status", &json!({}));
    status["unread"].as_bool().unwrap_or(false)
}

/// The ban keeps out, and the name is its owner's.
#[track_caller]
fn is_protected(daemon: &Daemon) {
    let away = Client::connect_from(daemon, from(BANNED), "stranger").rest();
    assert!(
        away.len() == 1 && away[0].starts_with("-- you are banned") && away[0].ends_with(": no floods"),
        "{away:#?}"
    );
    let mut bob = daemon.guest();
    bob.send("/nick ann");
    bob.expect("-- ann is registered, or looks like such a name; if it is yours: /login ann");
    bob.send("/login ann correct horse");
    bob.expect("-- welcome, ann: you are logged in");
    bob.send("/logout");
    bob.sync();
    assert!(!is_unread(daemon));
    assert_eq!(daemon.ctl(&["account", "list", "--json"]).json()["total"], 1);
}

/// Where the state directory is to be, there is something else; moved out of the way when dropped.
struct InTheWay {
    state: PathBuf,
    kept: PathBuf,
}

impl InTheWay {
    fn of(dir: &TempDir) -> Self {
        let (state, kept) = (dir.path().join("state"), dir.path().join("kept"));
        std::fs::rename(&state, &kept).unwrap();
        std::fs::write(&state, "in the way").unwrap();
        Self { state, kept }
    }
}

impl Drop for InTheWay {
    fn drop(&mut self) {
        std::fs::remove_file(&self.state).unwrap();
        std::fs::rename(&self.kept, &self.state).unwrap();
    }
}

#[test]
fn a_file_locked_by_another_program_is_read_without_a_lock_and_recalled_later() {
    let dir = furnished(Signal::SIGTERM);
    let other = Connection::open(file(&dir)).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE").unwrap();
    let daemon = Setup::new().in_dir(dir).settings(CHEAP).start();
    assert!(daemon.logged("bans and accounts on disk cannot be read now").contains("known are 1 bans, 1 accounts"));
    let away = Client::connect_from(&daemon, from(BANNED), "stranger").rest();
    assert!(away[0].starts_with("-- you are banned"), "{away:#?}");
    let mut bob = daemon.guest();
    bob.send("/nick ann");
    bob.expect("-- ann is registered, or looks like such a name; if it is yours: /login ann");
    // There may be more than what could be read.
    bob.send("/nick carl");
    bob.expect("-- names cannot be looked up just now; try again in a moment");
    drop(other);
    daemon.logged("bans and accounts on disk are known again");
    bob.send("/nick carl");
    bob.expect("-- you are carl now");
    is_protected(&daemon);
}

#[test]
fn bans_and_accounts_are_recalled_as_soon_as_the_disk_is_there() {
    let dir = furnished(Signal::SIGTERM);
    let other = InTheWay::of(&dir);
    let daemon = Setup::new().in_dir(dir).settings(CHEAP).start();
    daemon.logged("bans and accounts on disk cannot be read now");
    let status = daemon.ctl(&["status"]).done();
    assert!(status.contains("bans and accounts that are there could not be read yet"), "{status}");
    assert_eq!(daemon.ctl(&["ban", "list", "--json"]).json()["unread"], true);
    assert!(is_unread(&daemon));
    // Who is banned comes in, and is told the truth about names and accounts.
    let mut eve = Client::connect_from(&daemon, from(BANNED), "eve");
    eve.greeted();
    let mut bob = daemon.guest();
    bob.send("/nick ann");
    bob.expect("-- names cannot be looked up just now; try again in a moment");
    bob.send("/login ann correct horse");
    bob.expect("-- accounts cannot be looked up just now; try again in a moment");
    bob.send("/register correct horse");
    bob.expect("-- accounts cannot be looked up just now; try again in a moment");
    let mut admin = daemon.admin();
    assert_eq!(admin.refused("accounts.add", &json!({"name": "eve"})).0, "conflict");
    // What is made meanwhile stays as well.
    daemon.ctl(&["ban", "add", "203.0.113.0/24"]).done();
    // The disk is back.
    drop(other);
    let told = eve.rest();
    assert!(told.last().unwrap().starts_with("-- you are banned"), "{told:#?}");
    daemon.logged("bans and accounts on disk are known again");
    is_protected(&daemon);
    let bans = daemon.ctl(&["ban", "list", "--json"]).json();
    assert_eq!(bans["total"], 2, "{bans:#}");
    assert_eq!(bans["bans"][0]["id"], "b1", "what is on disk keeps its number");
    bob.send("/nick carl");
    bob.expect("-- you are carl now");
    // And so it is on disk.
    daemon.admin().counter_reaches("history_recorded", 1);
    daemon.signal(Signal::SIGTERM);
    let daemon = Setup::new().settings(CHEAP).in_dir(daemon.leave()).start();
    assert_eq!(daemon.ctl(&["ban", "list", "--json"]).json()["total"], 2);
    is_protected(&daemon);
}

#[test]
fn nobody_is_let_in_meanwhile_where_the_settings_say_so() {
    let dir = furnished(Signal::SIGTERM);
    let other = InTheWay::of(&dir);
    let settings = format!("{CHEAP}[access]\nunread = 'closed'\nalways = ['127.0.8.0/24']\n");
    let daemon = Setup::new().in_dir(dir).settings(&settings).start();
    let told = Client::connect(&daemon, daemon.addr(), "guest").rest();
    assert_eq!(told, ["-- the hub cannot look up now who may come in; please try again later"]);
    Client::connect_from(&daemon, SocketAddr::from(([127, 0, 8, 1], 0)), "operator").greeted();
    assert_eq!(daemon.admin().counter("refused_unread"), 1);
    drop(other);
    daemon.logged("bans and accounts on disk are known again");
    is_protected(&daemon);
}

#[test]
fn a_file_that_is_read_only_protects_as_any_other() {
    if !nix::unistd::geteuid().is_root() || !have("chattr") {
        return not_tested("files that nobody can write: root alone can make them");
    }
    for by in [Signal::SIGTERM, Signal::SIGKILL] {
        let dir = furnished(by);
        let state = dir.path().join("state");
        if !chattr("+i", &state) {
            return not_tested("files that nobody can write: this file system has none");
        }
        let daemon = Setup::new().in_dir(dir).settings(CHEAP).start();
        let writable = Writable(&state);
        daemon.logged("history cannot be recorded now");
        is_protected(&daemon);
        drop(writable);
        daemon.logged("history is recorded again");
        is_protected(&daemon);
    }
}

/// Files that can be written again when it is dropped, whatever became of the test.
struct Writable<'a>(&'a Path);

impl Drop for Writable<'_> {
    fn drop(&mut self) {
        chattr("-i", self.0);
    }
}

fn chattr(how: &str, dir: &Path) -> bool {
    let done = Command::new("chattr").arg("-R").arg(how).arg(dir).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_at_the_start_costs_no_ban_and_no_name() {
    if !nix::unistd::geteuid().is_root() || !have("unshare") {
        return not_tested("a full disk: a small file system can be mounted by root alone");
    }
    let allowed = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return not_tested("a full disk: no file system may be mounted here");
    }
    for by in [Signal::SIGTERM, Signal::SIGKILL] {
        let dir = furnished(by);
        let (state, kept) = (dir.path().join("state"), dir.path().join("kept"));
        std::fs::rename(&state, &kept).unwrap();
        std::fs::create_dir(&state).unwrap();
        // A file system of its own, which is full to the last byte.
        let script = format!(
            "mount -t tmpfs -o size=8m none {0} && cp {1}/chathub.db* {0} && {{ cat /dev/zero >{0}/full 2>/dev/null; exec \"$@\"; }}",
            state.display(),
            kept.display()
        );
        let setup = Setup::new().in_dir(dir).settings(CHEAP);
        let daemon = setup.wrapped_by(&["unshare", "-m", "sh", "-c", &script, "sh"]).start();
        daemon.logged("history cannot be recorded now");
        is_protected(&daemon);
        daemon.ctl(&["ban", "add", "203.0.113.0/24"]).done();
        let inside = PathBuf::from(format!("/proc/{}/root{}/full", daemon.pid(), state.display()));
        std::fs::remove_file(inside).unwrap();
        daemon.logged("history is recorded again");
        daemon.admin().counter_reaches("history_recorded", 1);
        is_protected(&daemon);
    }
}

#[test]
fn a_disk_that_takes_no_more_bytes_costs_no_ban_and_no_name() {
    if !have("prlimit") {
        return;
    }
    for by in [Signal::SIGTERM, Signal::SIGKILL] {
        let dir = furnished(by);
        // No file may become longer than it is (RLIMIT_FSIZE, setrlimit(2)).
        let wrapped = ["sh", "-c", "trap '' XFSZ; ulimit -Sf 0; exec \"$@\"", "sh"];
        let daemon = Setup::new().in_dir(dir).settings(CHEAP).wrapped_by(&wrapped).start();
        is_protected(&daemon);
        daemon.ctl(&["ban", "add", "203.0.113.0/24"]).done();
        daemon.logged("history cannot be recorded now");
        let lifted = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &daemon.pid().to_string()]).status();
        assert!(lifted.unwrap().success());
        daemon.logged("history is recorded again");
        daemon.admin().counter_reaches("history_recorded", 1);
        is_protected(&daemon);
    }
}

#[test]
fn a_file_of_no_bytes_is_set_aside_with_its_log_and_told() {
    let dir = furnished(Signal::SIGKILL);
    let log = std::fs::read(dir.path().join("state/chathub.db-wal")).unwrap();
    assert!(!log.is_empty(), "what was recorded last is in the log");
    std::fs::write(file(&dir), "").unwrap();
    let daemon = Setup::new().in_dir(dir).settings(CHEAP).start();
    let told = daemon.logged("cannot be read and was set aside");
    assert!(told.contains("it has no bytes") && told.contains(" bans=1 accounts=1"), "{told}");
    let status = daemon.ctl(&["status", "--json"]).json();
    let (_, aside) = status["recording"].as_str().unwrap().split_once("was set aside: ").expect("the file is named");
    assert!(Path::new(aside).exists());
    assert_eq!(std::fs::read(format!("{aside}-wal")).unwrap(), log);
    // All that there was is in the log of a hub that was killed soon.
    is_protected(&daemon);
}

#[test]
fn a_damaged_page_of_lines_costs_no_ban_and_no_name() {
    use std::os::unix::fs::FileExt as _;
    let dir = furnished(Signal::SIGTERM);
    let page: i64 = {
        let db = Connection::open(file(&dir)).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'lines'";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let database = std::fs::OpenOptions::new().write(true).open(file(&dir)).unwrap();
    database.write_all_at(&[0x5a; 4096], u64::try_from(page - 1).unwrap() * 4096).unwrap();
    let daemon = Setup::new().in_dir(dir).settings(CHEAP).start();
    let told = daemon.logged("cannot be read and was set aside");
    assert!(told.contains(" bans=1 accounts=1"), "{told}");
    is_protected(&daemon);
}
