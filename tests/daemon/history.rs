//! What is said outlives the daemon: recorded, shown again, found, removed, copied; and what happens when
//! the disk does not play along.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::stage::{Daemon, Setup, UNPACED, have, not_tested};

/// Every line that an administrator is given, by number and text.
#[track_caller]
fn dumped(daemon: &Daemon, args: &[&str]) -> Vec<(u64, String)> {
    let out = daemon.ctl(&[&["history", "--json"], args].concat()).done();
    let lines = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (line["seq"].as_u64().unwrap(), line["text"].as_str().unwrap().to_owned())).collect()
}

fn texts(lines: &[(u64, String)]) -> Vec<&str> {
    lines.iter().map(|(_, text)| text.as_str()).collect()
}

/// Waits until `is` is true of what `ctl status` tells.
#[track_caller]
fn until_status(daemon: &Daemon, wanted: &str, is: impl Fn(&Value) -> bool) -> Value {
    let mut admin = daemon.admin();
    loop {
        let status = admin.done("status", &json!({}));
        if is(&status) {
            return status;
        }
        assert!(!daemon.deadline.is_over(), "never {wanted}: {status:#}");
        // There is no event to wait for; and the disk is not to wait for us.
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_said_is_there_after_a_restart() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("the tea is ready");
    bob.expect("ann: the tea is ready");
    ann.send("/msg bob between us only");
    bob.expect("[ann -> you] between us only");
    ann.send("/join den");
    ann.expect_with("you are in den now");
    ann.send("a word in the den");
    ann.send("/history");
    ann.expect("-- end of history");
    let before = dumped(&daemon, &[]);
    assert_eq!(texts(&before), ["the tea is ready", "a word in the den"]);
    let ann_was = daemon.ctl(&["client", "ann", "--json"]).json()["id"].clone();
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();

    let files = std::fs::read(dir.path().join("state/chathub.db")).unwrap();
    for private in ["between us", "127.0.0.1"] {
        assert!(!files.windows(private.len()).any(|window| window == private.as_bytes()), "{private} is on disk");
    }

    let daemon = Setup::new().in_dir(dir).start();
    assert_eq!(dumped(&daemon, &[]), before);
    let mut eve = daemon.client("eve");
    eve.send("/history");
    eve.expect_with("ann: the tea is ready");
    eve.send("/search TEA IS");
    eve.expect_with("-- 1 line in lobby");
    eve.expect_with("ann: the *tea is* ready");
    eve.expect("-- end of search");
    eve.send("/join den");
    eve.expect_with("ann: a word in the den");
    eve.send("and another");
    eve.send("/history");
    eve.expect_with("eve: and another");
    let after = dumped(&daemon, &["--room", "den"]);
    assert_eq!(texts(&after), ["a word in the den", "and another"]);
    assert!(after[1].0 > before[1].0, "numbers go on: {before:?}, {after:?}");
    let id = |id: &Value| id.as_str().unwrap()[1..].parse::<u64>().unwrap();
    let eve_is = daemon.ctl(&["client", "eve", "--json"]).json()["id"].clone();
    assert!(id(&eve_is) > id(&ann_was), "ids are not given twice");
    let status = daemon.ctl(&["status", "--json"]).json();
    assert!(status["recording"].as_str().unwrap().starts_with("on: "), "{status:#}");
    until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(1));
    let stats = daemon.ctl(&["history-stats", "--json"]).json();
    assert_eq!((&stats["persistent"], &stats["disk"]["rooms"][0]["lines"]), (&json!(true), &json!(2)), "{stats:#}");
    assert!(daemon.ctl(&["history-stats"]).done().contains("chathub.db"));
}

#[test]
fn a_kill_costs_no_line_from_the_middle_and_none_that_is_older_than_a_moment() {
    let mut dir = None;
    let mut said = 0;
    for _ in 0..4 {
        let setup = match dir.take() {
            Some(dir) => Setup::new().in_dir(dir),
            None => Setup::new().settings(UNPACED),
        };
        let daemon = setup.start();
        let on_disk = dumped(&daemon, &[]);
        let numbers: BTreeSet<u64> = on_disk.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers.len(), on_disk.len(), "a number was given twice");
        let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
        for batch in 0..10 {
            let lines: String = (0..100).map(|at| format!("n{}\n", said + batch * 100 + at)).collect();
            ann.write(lines.as_bytes());
        }
        bob.expect(&format!("ann: n{}", said + 499));
        // All that was said a moment ago is on disk, at the latest when it is told.
        until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(500));
        daemon.signal(Signal::SIGKILL);
        dir = Some(daemon.leave());
        let daemon = Setup::new().in_dir(dir.take().unwrap()).start();
        let now = dumped(&daemon, &["--search", "n"]);
        let new: Vec<u64> = now.iter().filter_map(|(_, text)| text[1..].parse().ok()).filter(|n| *n >= said).collect();
        let expected: Vec<u64> = (said..said + new.len() as u64).collect();
        assert_eq!(new, expected, "the beginning of what was said, without a gap");
        assert!(new.len() >= 500, "{} lines are left", new.len());
        assert_eq!(now.len(), usize::try_from(said).unwrap() + new.len(), "and what was said before");
        said += new.len() as u64;
        daemon.signal(Signal::SIGTERM);
        dir = Some(daemon.leave());
    }
}

#[test]
fn redacted_lines_are_removed_from_memory_and_disk_once_confirmed() {
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut spam) = (daemon.client("ann"), daemon.client("spam"));
    for at in 0..300 {
        spam.send(&format!("cheap zeppelins {at}"));
    }
    ann.expect("spam: cheap zeppelins 299");
    ann.send("no zeppelins please");
    spam.expect("ann: no zeppelins please");
    let id = daemon.ctl(&["client", "spam", "--json"]).json()["id"].as_str().unwrap().to_owned();

    let counted = daemon.ctl(&["redact", "--client", &id]);
    assert_eq!((counted.code, counted.out.as_str()), (Some(1), "300 lines would be made unreadable.\n"), "{counted:?}");
    assert!(counted.err.contains("--yes does it"), "{counted:?}");
    assert_eq!(dumped(&daemon, &["--search", "zeppelins"]).len(), 301, "nothing was changed");
    let refused = daemon.ctl(&["redact", "--yes"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");

    let done = daemon.ctl(&["redact", "--client", &id, "--yes"]).done();
    assert_eq!(done, "300 lines made unreadable.\n");
    while holds(&daemon.path("state"), b"cheap zeppelins") {
        assert!(!daemon.deadline.is_over(), "it is on disk still");
        std::thread::yield_now();
    }
    assert_eq!(texts(&dumped(&daemon, &["--search", "zeppelins"])), ["no zeppelins please"]);
    let left = daemon.ctl(&["history", "--json"]).done();
    assert_eq!(left.matches("\"kind\":\"redacted\"").count(), 300, "markers stay");
    assert!(!left.contains("spam"), "the name is gone as well");
    ann.send("/search zeppelins");
    ann.expect("-- 1 line in lobby with \"zeppelins\", times in UTC:");
    ann.send("/history");
    ann.expect_with("lines were removed by a moderator");
    daemon.logged("lines of history made unreadable");
    assert!(daemon.logged("command=\"history.redact\"").contains("admin command"));
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    assert!(!holds(&dir.path().join("state"), b"cheap zeppelins"), "it is on disk again");
}

/// Whether any file of the directory holds these bytes.
fn holds(dir: &Path, text: &[u8]) -> bool {
    let mut files = std::fs::read_dir(dir).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.any(|bytes| bytes.windows(text.len()).any(|window| window == text))
}

#[test]
fn a_topic_goes_with_whoever_has_set_it() {
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut spam) = (daemon.client("ann"), daemon.client("spam"));
    spam.send("/topic cheap zeppelins");
    ann.expect("* spam set the topic: cheap zeppelins");
    spam.send("zeppelins!");
    ann.expect("spam: zeppelins!");
    let counted = daemon.ctl(&["redact", "--nick", "spam"]);
    let would = "2 lines would be made unreadable, 1 topic cleared.\n";
    assert_eq!((counted.code, counted.out.as_str()), (Some(1), would), "{counted:?}");
    let done = daemon.ctl(&["redact", "--nick", "spam", "--yes"]).done();
    assert_eq!(done, "2 lines made unreadable, 1 topic cleared.\n");
    ann.expect("-- the topic was cleared");
    ann.expect("-- 2 lines were removed by a moderator; they may still stand on your screen");
    let seen = daemon.guest().sync();
    assert!(!seen.iter().any(|line| line.contains("zeppelins")), "{seen:#?}");
    assert_eq!(daemon.ctl(&["topic", "lobby", "--json"]).json()["topic"], "");
    assert_eq!(daemon.ctl(&["redact", "--nick", "spam", "--yes"]).done(), "No such line is kept.\n");
    assert!(daemon.logged("lines of history made unreadable").contains("2 lines in memory and 1 topic"));
}

#[test]
fn a_disk_that_takes_nothing_is_named_and_redacted_when_it_takes_something() {
    let daemon = Daemon::with(UNPACED);
    let mut ann = daemon.client("ann");
    ann.send("cheap zeppelins");
    ann.send("/topic zeppelins for all");
    ann.sync();
    daemon.admin().done("accounts.add", &json!({"name": "spam"}));
    until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(3));
    let other = rusqlite::Connection::open(daemon.path("state/chathub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = daemon.ctl(&["redact", "--search", "zeppelins", "--yes"]);
    assert!(refused.code != Some(0) && refused.out.is_empty(), "{refused:?}");
    for part in ["removed in memory", "2 lines, topics cleared: 1", "locked", "as soon as the disk takes something"] {
        assert!(refused.err.contains(part), "{part}: {refused:?}");
    }
    let refused = daemon.ctl(&["account", "erase", "spam", "--yes"]);
    assert!(refused.code != Some(0) && refused.err.contains("locked"), "{refused:?}");
    assert_eq!(daemon.ctl(&["account", "list", "--json"]).json()["total"], 0);
    // Nobody is shown it meanwhile, whoever asks.
    assert!(dumped(&daemon, &["--search", "zeppelins"]).is_empty());
    let left = daemon.ctl(&["history", "--json"]).done();
    assert!(left.matches("\"kind\":\"redacted\"").count() == 2 && !left.contains("zeppelins"), "{left}");
    assert_eq!(daemon.ctl(&["redact", "--search", "zeppelins"]).out, "No such line is kept.\n");
    ann.send("/search zeppelins");
    ann.expect("-- no line kept in lobby has \"zeppelins\"");
    drop(other);
    ann.send("later");
    until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(8));
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    for file in std::fs::read_dir(dir.path().join("state")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(9).any(|window| window == b"zeppelins"), "it is on disk still");
    }
}

#[test]
fn what_is_said_in_private_is_in_memory_alone_and_shown_to_no_administrator() {
    let daemon = Daemon::with(&format!("{UNPACED}[accounts]\nmemory = '64KiB'\npasses = 1\n"));
    let mut watching = daemon.admin();
    watching.subscribe(&["say"]);
    let mut ann = daemon.client("ann");
    ann.send("/register correct horse");
    ann.expect("-- ann is registered, and nobody else can have it; /login ann next time");
    ann.send("/join den");
    ann.send("before");
    ann.send("/room private");
    ann.expect_with("den is private now");
    ann.send("among us");
    ann.send("/room public");
    ann.expect_with("den is public now");
    ann.send("after");
    ann.sync();
    assert_eq!(watching.event()["text"], "before");
    assert_eq!(watching.event()["text"], "after");
    assert_eq!(texts(&dumped(&daemon, &["--room", "den"])), ["before", "after"]);
    let stats = daemon.ctl(&["history-stats", "--json"]).json();
    assert_eq!((&stats["lines"], &stats["private"]), (&json!(2), &json!(1)), "{stats:#}");
    assert!(daemon.ctl(&["history-stats"]).done().contains("2 lines and 1 said in private"));
    let counted = daemon.ctl(&["redact", "--room", "den"]);
    assert_eq!(counted.out, "3 lines would be made unreadable.\n");
    assert_eq!(daemon.ctl(&["redact", "--room", "den", "--yes"]).done(), "3 lines made unreadable.\n");
    ann.send("/history");
    ann.expect("-- 3 lines were removed by a moderator");
    assert_eq!(daemon.ctl(&["redact", "--room", "den"]).out, "No such line is kept.\n");
}

#[test]
fn history_goes_to_a_file_in_each_format() {
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    for at in 0..3000 {
        ann.send(&format!("={at}, \"quoted\""));
    }
    bob.expect("ann: =2999, \"quoted\"");
    let path = daemon.path("history.csv");
    let file = path.to_str().unwrap();
    assert_eq!(daemon.ctl(&["history", "--format", "csv", "--output", file]).done(), "");
    let csv = std::fs::read_to_string(&path).unwrap();
    let mut lines = csv.split("\r\n");
    assert_eq!(lines.next(), Some("\"seq\",\"time\",\"room\",\"nick\",\"kind\",\"text\""));
    assert_eq!(csv.matches("\r\n").count(), 3001);
    assert!(csv.ends_with("\"say\",\"'=2999, \"\"quoted\"\"\"\r\n"), "{}", csv.lines().last().unwrap());
    assert_eq!(daemon.ctl(&["history", "--json", "--output", file]).done(), "");
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3000, "it takes the place of the one before");
    assert!(daemon.ctl(&["history", "--format", "text"]).done().contains("3000 lines listed."));
    let last = dumped(&daemon, &["--last", "2500"]);
    assert_eq!((last.len(), last[0].1.as_str()), (2500, "=500, \"quoted\""));
    let failed = daemon.ctl(&["history", "--output", "/nowhere/file"]);
    assert!(failed.code == Some(1) && failed.err.contains("cannot write /nowhere/file"), "{failed:?}");
    // Without a stream, no more than fits an answer.
    let mut admin = daemon.admin();
    assert_eq!(admin.done("history.dump", &json!({"last": 2}))["count"], 2);
    // Who said it can be named, until the line is gone.
    let id = admin.done("clients.get", &json!({"who": "ann"}))["id"].clone();
    assert!(id.is_string(), "{id}");
    assert_eq!(admin.done("history.dump", &json!({"last": 1}))["lines"][0]["client"], id);
    admin.done("history.redact", &json!({"client": id}));
    assert_eq!(admin.done("history.dump", &json!({"last": 1}))["lines"][0]["client"], json!(null));
}

#[test]
fn a_copy_is_taken_while_people_talk() {
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    for at in 0..2000 {
        ann.send(&format!("line {at}"));
    }
    bob.expect("ann: line 1999");
    until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(2000));
    let path = daemon.path("copy.db");
    let file = path.to_str().unwrap();
    let done = daemon.ctl(&["backup", file]).done();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "it is its owner's alone");
    assert!(done.starts_with("Copied ") && done.trim_end().ends_with(&format!("to {file}.")), "{done}");
    let again = daemon.ctl(&["backup", file]);
    assert!(again.code == Some(1) && again.err.contains("exists"), "{again:?}");
    // It is a state that a daemon goes on from.
    let other = Setup::new();
    std::fs::create_dir_all(other.path("state")).unwrap();
    std::fs::copy(&path, other.path("state/chathub.db")).unwrap();
    let other = other.start();
    assert_eq!(dumped(&other, &[]).len(), 2000);
    let left = std::fs::read_dir(daemon.path("state"))
        .unwrap()
        .filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains("copy"));
    assert_eq!(left.count(), 0, "nothing of it is left in the state directory");
}

#[test]
fn one_copy_is_made_at_a_time() {
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    // More than the sockets and pieces on their way hold.
    let long = "tea ".repeat(200);
    for at in 0..2000 {
        ann.send(&format!("{at} {long}"));
    }
    bob.expect_with("1999 tea");
    until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(2000));
    let mut first = daemon.admin();
    first.write("{\"id\":1,\"cmd\":\"backup\",\"more\":true}\n");
    let piece = first.reply();
    assert!(piece["result"]["total"].as_u64() > Some(1 << 20), "{piece}");
    let path = daemon.path("copy.db");
    let second = daemon.ctl(&["backup", path.to_str().unwrap()]);
    let whose = format!("a copy is being made already, for process {}", std::process::id());
    assert!(second.code != Some(0) && second.err.contains(&whose), "{second:?}");
    assert!(!path.exists());
    // The copy goes with its connection, and makes place.
    drop(first);
    loop {
        let done = daemon.ctl(&["backup", path.to_str().unwrap()]);
        if done.code == Some(0) {
            break;
        }
        assert!(done.err.contains("made already") && !daemon.deadline.is_over(), "{done:?}");
    }
}

#[test]
fn nothing_is_written_where_nothing_is_to_be_recorded() {
    let daemon = Daemon::with("history.persist = false");
    let mut ann = daemon.client("ann");
    ann.send("only in memory");
    ann.send("/history");
    ann.expect_with("only in memory");
    assert_eq!(texts(&dumped(&daemon, &[])), ["only in memory"]);
    assert!(!daemon.path("state").exists());
    let status = daemon.ctl(&["status", "--json"]).json();
    assert!(status["recording"].as_str().unwrap().starts_with("off"), "{status:#}");
    let backup = daemon.ctl(&["backup", daemon.path("copy").to_str().unwrap()]);
    assert!(backup.code == Some(1) && backup.err.contains("nothing is recorded"), "{backup:?}");
    assert!(!daemon.path("copy").exists());
    assert_eq!(daemon.ctl(&["redact", "--search", "memory", "--yes"]).done(), "1 line made unreadable.\n");
    assert!(dumped(&daemon, &["--search", "memory"]).is_empty());
}

#[test]
fn a_second_daemon_in_the_same_directory_is_refused() {
    let daemon = Daemon::start();
    let state = daemon.path("state");
    let (code, log) = Setup::new().without_own_state().arg("--state-dir").arg(state.to_str().unwrap()).fail();
    assert_eq!(code, Some(69), "{log}");
    assert!(log.contains("another chathub uses the state directory"), "{log}");
    assert!(log.contains(&format!("(process {})", daemon.pid())), "{log}");
    daemon.client("ann");
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let daemon = Daemon::start();
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    // The version stands at byte 60 (SQLite's file format, 1.3).
    let path = dir.path().join("state/chathub.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&1000_u32.to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let (code, log) = Setup::new().in_dir(dir).fail();
    assert_eq!(code, Some(78), "{log}");
    assert!(log.contains("was written by a newer chathub (schema 1000"), "{log}");
}

#[test]
fn a_broken_database_is_set_aside_and_chat_goes_on() {
    let setup = Setup::new();
    std::fs::create_dir_all(setup.path("state")).unwrap();
    std::fs::write(setup.path("state/chathub.db"), "this is no database ".repeat(500)).unwrap();
    let daemon = setup.start();
    daemon.logged("cannot be read and was set aside");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("still here");
    bob.expect("ann: still here");
    let stats = daemon.ctl(&["history-stats", "--json"]).json();
    let aside = stats["disk"]["set_aside"].as_str().unwrap();
    assert!(std::fs::read_to_string(aside).unwrap().starts_with("this is no database"));
    until_status(&daemon, "recorded", |status| status["counters"]["history_recorded"].as_u64() >= Some(1));
}

#[test]
fn a_full_disk_is_told_and_nobody_waits_for_it() {
    // A file system of its own, in a mount namespace of its own: nobody else sees it, and it ends with
    // the daemon.
    if !nix::unistd::geteuid().is_root() || !have("unshare") {
        return not_tested("a full disk: a small file system can be mounted by root alone");
    }
    let setup = Setup::new().settings(&format!("{UNPACED}\n[history]\nqueue = '64KiB'\n"));
    let state = setup.path("state");
    std::fs::create_dir_all(&state).unwrap();
    let script = format!("mount -t tmpfs -o size=400k none {0} && exec \"$@\"", state.display());
    let allowed = std::process::Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs none /mnt"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return not_tested("a full disk: no file system may be mounted here");
    }
    let daemon = setup.wrapped_by(&["unshare", "-m", "sh", "-c", &script, "sh"]).start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let text = "x".repeat(1000);
    let mut said = 0;
    // People talk on, far beyond what the disk takes, but not faster than it could.
    let status = loop {
        for _ in 0..30 {
            ann.send(&format!("n{said} {text}"));
            said += 1;
        }
        bob.expect(&format!("ann: n{} {text}", said - 1));
        let status = until_status(&daemon, "recorded or full", |status| {
            let recorded = status["counters"]["history_recorded"].as_u64();
            recorded == Some(said) || status["recording"].as_str().unwrap().contains("full")
        });
        if status["counters"]["history_recorded"].as_u64() != Some(said) {
            break status;
        }
    };
    assert!(status["recording"].as_str().unwrap().starts_with("not since 20"), "{status:#}");
    daemon.logged("history cannot be recorded now");
    for _ in 0..100 {
        ann.send(&format!("n{said} {text}"));
        said += 1;
    }
    bob.expect(&format!("ann: n{} {text}", said - 1));
    let status = until_status(&daemon, "lost", |status| status["counters"]["history_lost"].as_u64() > Some(0));
    assert!(daemon.ctl(&["metrics"]).done().contains("chathub_history_disk_trouble 1"), "{status:#}");
    daemon.logged("lines are not recorded");
    // What is on disk can be read meanwhile.
    let before = dumped(&daemon, &["--room", "lobby"]);
    assert!(!before.is_empty() && before[0].1.starts_with("n0 "), "{} lines", before.len());
    // A copy of it has no room beside it.
    let copy = daemon.path("copy.db");
    let refused = daemon.ctl(&["backup", copy.to_str().unwrap()]);
    assert!(refused.code == Some(1) && refused.err.contains("MiB are free"), "{refused:?}");
    assert!(!copy.exists());
    // There is place again: recording goes on by itself.
    let inside = format!("/proc/{}/root{}", daemon.pid(), state.display());
    let grown = std::process::Command::new("nsenter")
        .args(["-m", "-t", &daemon.pid().to_string(), "mount", "-o", "remount,size=64m"])
        .arg(&state)
        .status()
        .unwrap();
    assert!(grown.success() && Path::new(&inside).exists());
    daemon.logged("history is recorded again");
    let mut admin = daemon.admin();
    while admin.done("history.stats", &json!({}))["disk"]["waiting_bytes"] != 0 {
        assert!(!daemon.deadline.is_over(), "something waits for ever");
    }
    ann.send("after the flood");
    bob.expect("ann: after the flood");
    loop {
        let found = dumped(&daemon, &["--search", "after the flood"]);
        if found.len() == 1 {
            break;
        }
        assert!(!daemon.deadline.is_over(), "it is not recorded");
    }
    until_status(&daemon, "on", |status| status["recording"].as_str().unwrap().starts_with("on: "));
}

#[test]
fn people_wait_for_no_disk_however_long_it_takes() {
    // Another program holds the file: nothing can be written as long as it likes.
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let other = rusqlite::Connection::open(daemon.path("state/chathub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for at in 0..2000 {
        ann.send(&format!("n{at}"));
    }
    bob.expect("ann: n1999");
    assert_eq!(dumped(&daemon, &[]).len(), 2000, "what waits for the disk is part of history");
    until_status(&daemon, "locked", |status| status["recording"].as_str().unwrap().contains("locked"));
    other.execute_batch("ROLLBACK").unwrap();
    until_status(&daemon, "on disk", |status| status["counters"]["history_recorded"].as_u64() >= Some(2000));
    assert_eq!(dumped(&daemon, &[]).len(), 2000);
}
