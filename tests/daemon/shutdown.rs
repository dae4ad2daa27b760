//! The end, and starting again.

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use chathub::settings::Settings;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{Client, Ctl, Daemon, Setup, UNPACED, ctl_command};

const GOODBYE: &str = "-- the hub is shutting down; goodbye";

#[test]
fn everybody_is_told_goodbye_on_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut daemon = Daemon::start();
        let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
        bob.send("/join tea");
        bob.sync();
        daemon.signal(signal);
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.rest().last().unwrap(), GOODBYE);
        }
        assert_eq!(daemon.exit_code(), Some(0));
        assert!(!daemon.admin_path().exists(), "it takes its admin socket away");
        daemon.logged("stopped clients=2 gave_up=0");
    }
}

#[test]
fn ctl_shutdown_returns_when_it_is_done_and_says_how_it_went() {
    let mut daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    let Ctl { code, out, .. } = daemon.ctl(&["--json", "shutdown", "--message", "back in a minute"]);
    assert_eq!((code, serde_json::from_str::<Value>(&out).unwrap()), (Some(0), json!({"clients": 1, "gave_up": 0})));
    assert_eq!(ann.rest(), ["-- the hub is shutting down: back in a minute"]);
    assert_eq!(daemon.exit_code(), Some(0));
    daemon.logged("admin command");
}

#[test]
fn nobody_is_announced_to_leave_when_everybody_does() {
    let daemon = Daemon::start();
    let mut clients: Vec<Client> = (0..20).map(|_| daemon.guest()).collect();
    let mut eve = daemon.client("eve");
    eve.sync();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(eve.rest(), [GOODBYE]);
    for client in &mut clients {
        let rest = client.rest();
        assert!(rest.iter().all(|line| !line.contains(" left")), "{rest:#?}");
        assert_eq!(rest.last().unwrap(), GOODBYE);
    }
}

/// A daemon that owes a lot to `slow`, who does not read; and what was said, in lines.
fn daemon_with_a_backlog(settings: &str) -> (Daemon, Client, u32) {
    const LINES: u32 = 6000;
    let daemon = Daemon::with(&format!("[slow]\nbehind = '64MiB'\n{UNPACED}\n{settings}"));
    let mut slow = Client::connect_narrow(&daemon, "slow");
    slow.greeted();
    let mut ann = daemon.client("ann");
    let text = "x".repeat(1000);
    for number in 0..LINES {
        ann.send(&format!("{number} {text}"));
    }
    ann.sync();
    let mut admin = daemon.admin();
    admin.counter_reaches("sockets_full", 1);
    drop(admin);
    ann.send("/quit");
    ann.rest();
    (daemon, slow, LINES)
}

#[test]
fn one_who_reads_slowly_gets_all_that_is_owed_before_the_end() {
    // A busy machine may need longer than the ten seconds that are the default.
    let (mut daemon, mut slow, lines) = daemon_with_a_backlog("[shutdown]\ndeadline = '40s'");
    daemon.signal(Signal::SIGTERM);
    daemon.logged("stopping");
    // Only now does it read.
    let rest = slow.rest();
    let said: Vec<u32> = rest
        .iter()
        .filter_map(|line| line.strip_prefix("ann: "))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(said, (0..lines).collect::<Vec<_>>(), "every line once, in order");
    assert_eq!(rest.last().unwrap(), GOODBYE);
    assert_eq!(daemon.exit_code(), Some(0));
    daemon.logged("gave_up=0");
}

#[test]
fn one_who_never_reads_holds_nothing_up_beyond_the_deadline() {
    // Else the settings would hold it up longer than all patience.
    let (mut daemon, _slow, _) = daemon_with_a_backlog("[shutdown]\ndeadline = '1h'");
    let mut ann = daemon.client("ann");
    let from = Instant::now();
    let result = daemon.ctl(&["--json", "shutdown", "--deadline", "1s"]).json();
    let took = from.elapsed();
    assert_eq!(result, json!({"clients": 2, "gave_up": 1}));
    assert!(took >= Duration::from_secs(1), "{took:?}");
    assert_eq!(ann.rest().last().unwrap(), GOODBYE, "the others have theirs");
    assert_eq!(daemon.exit_code(), Some(0));
    daemon.logged("gave_up=1");
}

#[test]
fn the_deadline_of_the_settings_holds_for_signals() {
    let (mut daemon, _slow, _) = daemon_with_a_backlog("[shutdown]\ndeadline = '1s'");
    let from = Instant::now();
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.exit_code(), Some(0));
    // Without it, the default would.
    assert!(from.elapsed() < Settings::default().shutdown.deadline, "{:?}", from.elapsed());
    daemon.logged("gave_up=1");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (mut daemon, _slow, _) = daemon_with_a_backlog("[shutdown]\ndeadline = '1h'");
    daemon.signal(Signal::SIGTERM);
    daemon.logged("stopping");
    daemon.signal(Signal::SIGINT);
    assert_eq!(daemon.exit_code(), Some(0));
    daemon.logged("gave_up=1");
}

#[test]
fn what_is_asked_while_it_ends_is_answered() {
    let (mut daemon, _slow, _) = daemon_with_a_backlog("[shutdown]\ndeadline = '1h'");
    let mut admin = daemon.admin();
    admin.done("hello", &json!({}));
    daemon.signal(Signal::SIGTERM);
    daemon.logged("stopping");
    assert_eq!(admin.done("status", &json!({}))["state"], "stopping");
    assert_eq!(admin.refused("say", &json!({"text": "too late"})).0, "conflict");
    assert_eq!(admin.refused("shutdown", &json!({})).0, "conflict");
    // One more on a new connection.
    assert_eq!(daemon.admin().refused("reload", &json!({})).0, "conflict");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.exit_code(), Some(0));
    assert_eq!(admin.line(), None);
}

#[test]
fn a_subscriber_is_told_of_the_end_and_its_stream_is_ended() {
    let mut daemon = Daemon::start();
    let mut events = daemon.admin();
    events.subscribe(&["shutdown"]);
    daemon.signal(Signal::SIGTERM);
    assert_eq!(events.event()["event"], "shutdown");
    assert_eq!(events.reply(), json!({"id": "sub", "ok": true, "result": {"count": 1}}));
    assert_eq!(events.line(), None);
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn one_who_talks_all_the_time_is_told_goodbye_too() {
    // Or a busy machine needs longer to read what was said meanwhile than others have to take it.
    let mut daemon = Daemon::with(&format!("[slow]\nbehind = '64KiB'\n{UNPACED}"));
    let mut ann = daemon.client("ann");
    let mut bob = daemon.client("bob");
    let mut out = bob.stream.try_clone().unwrap();
    let chatter = std::thread::spawn(move || while std::io::Write::write_all(&mut out, b"blah\n").is_ok() {});
    ann.expect("bob: blah");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(bob.rest().last().unwrap(), GOODBYE);
    assert_eq!(ann.rest().last().unwrap(), GOODBYE);
    assert_eq!(daemon.exit_code(), Some(0));
    chatter.join().unwrap();
}

#[test]
fn it_starts_again_where_it_has_stopped() {
    let daemon = Daemon::start();
    daemon.signal(Signal::SIGTERM);
    let dir = daemon.leave();
    let daemon = Setup::new().in_dir(dir).start();
    assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
}

#[test]
fn a_socket_that_was_left_behind_is_replaced() {
    let daemon = Daemon::start();
    daemon.signal(Signal::SIGKILL);
    let dir = daemon.leave();
    assert!(dir.path().join("admin.sock").exists());
    let daemon = Setup::new().in_dir(dir).start();
    assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
}

#[test]
fn a_socket_that_somebody_answers_is_left_alone() {
    let daemon = Daemon::start();
    let path = daemon.admin_path().display().to_string();
    let (code, log) = Setup::new().arg("--admin-socket").arg(&path).without_own_admin_socket().fail();
    assert_eq!(code, Some(69), "{log}");
    assert!(log.contains("another hub answers on the admin socket"), "{log}");
    assert_eq!(daemon.admin().done("hello", &json!({}))["pid"], daemon.pid().as_raw());
}

#[test]
fn a_file_that_is_no_socket_is_never_removed() {
    let setup = Setup::new();
    let path = setup.path("admin.sock");
    std::fs::write(&path, "precious").unwrap();
    let keep = path.clone();
    let daemon = setup.spawn();
    let log = {
        let mut daemon = daemon;
        assert_eq!(daemon.exit_code(), Some(69));
        assert_eq!(std::fs::read_to_string(&keep).unwrap(), "precious");
        daemon.log()
    };
    assert!(log.contains("cannot open the admin socket"), "{log}");
}

#[test]
fn the_directory_of_the_admin_socket_is_made() {
    let setup = Setup::new();
    let path = setup.path("run/chathub/admin.sock");
    let daemon = setup.arg("--admin-socket").arg(path.to_str().unwrap()).without_own_admin_socket().start();
    let output = ctl_command(&path, &["status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    drop(daemon);
}

#[test]
fn ctl_tells_whether_nobody_answers_or_there_is_no_socket() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("admin.sock");
    for stale in [false, true] {
        if stale {
            drop(UnixListener::bind(&path).unwrap());
        }
        let output = ctl_command(&path, &["status"]).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        let first = BufReader::new(&output.stderr[..]).lines().next().unwrap().unwrap();
        assert!(first.contains(path.to_str().unwrap()), "{first}");
    }
}
