//! What systemd hands over and is told.

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Client, Setup, have};

fn chat() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// The value of `NAME=` in a notification.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

#[test]
fn sockets_are_known_by_their_names_and_several_for_chat_are_fine() {
    let setup = Setup::new();
    let admin = UnixListener::bind(setup.path("admin.sock")).unwrap();
    let (one, two) = (chat(), TcpListener::bind("[::1]:0").unwrap());
    let addrs = [one.local_addr().unwrap(), two.local_addr().unwrap()];
    let daemon = setup.handed(vec![one.into(), admin.into(), two.into()], Some("chat:admin:chat")).start();
    let mut clients: Vec<Client> = addrs.iter().map(|addr| Client::connect(&daemon, *addr, "client")).collect();
    clients.iter_mut().for_each(|client| drop(client.greeted()));
    clients[0].send("the same room");
    clients[1].expect_with(": the same room");
    let status = daemon.admin().done("status", &json!({}));
    assert_eq!(status["activated"], true);
    assert_eq!(status["listeners"].as_array().unwrap().len(), 3, "{status}");
}

#[test]
fn sockets_without_names_are_known_by_their_kind() {
    for names in [None, Some("unknown:unknown"), Some("chathub.socket:chathub-admin.socket"), Some(":")] {
        let setup = Setup::new();
        let admin = UnixListener::bind(setup.path("admin.sock")).unwrap();
        let listener = chat();
        let addr = listener.local_addr().unwrap();
        let daemon = setup.handed(vec![listener.into(), admin.into()], names).start();
        Client::connect(&daemon, addr, "client").greeted();
        assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
    }
}

#[test]
fn a_chat_socket_alone_is_enough() {
    let listener = chat();
    let addr = listener.local_addr().unwrap();
    let daemon = Setup::new().handed(vec![listener.into()], Some("chat")).start();
    Client::connect(&daemon, addr, "client").greeted();
    assert!(!daemon.admin_path().exists(), "it opens no socket of its own beside those handed over");
    daemon.logged("no socket for administrators was handed over");
}

#[track_caller]
fn refused(sockets: Vec<OwnedFd>, names: Option<&str>, message: &str) {
    let (code, log) = Setup::new().handed(sockets, names).fail();
    assert_eq!(code, Some(78), "{log}");
    assert!(log.contains(message), "{log}");
}

#[test]
fn a_socket_of_a_name_that_is_not_known_is_left_alone() {
    let (ours, other) = (chat(), chat());
    let (addr, unknown) = (ours.local_addr().unwrap(), other.local_addr().unwrap());
    let waiting = TcpStream::connect(unknown).unwrap();
    let daemon = Setup::new().handed(vec![other.into(), ours.into()], Some("http:chat")).start();
    assert!(daemon.logged("is left alone").contains("\"http\""), "{}", daemon.log());
    Client::connect(&daemon, addr, "client").greeted();
    // Neither served nor closed: there is nothing to read, and no end.
    waiting.set_nonblocking(true).unwrap();
    assert_eq!((&waiting).read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    TcpStream::connect(unknown).expect("it still listens");
}

#[test]
fn whoever_waits_at_a_daemon_that_is_handed_the_wrong_sockets_is_turned_away() {
    // Else their waiting would have systemd start it again at once, and again.
    let datagrams = || UdpSocket::bind("127.0.0.1:0").unwrap().into();
    for names in ["chat:admin", "cat:chat", "chats:admins"] {
        let (listener, second): (_, OwnedFd) =
            (chat(), if names == "chats:admins" { chat().into() } else { datagrams() });
        let mut waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (code, log) = Setup::new().handed(vec![listener.into(), second], Some(names)).fail();
        assert_eq!(code, Some(78), "{log}");
        let mut told = String::new();
        waiting.read_to_string(&mut told).expect("it is closed, not reset");
        assert!(told.is_empty() || told.starts_with("-- the hub cannot start"), "{told}");
    }
}

#[test]
fn a_count_of_sockets_that_cannot_be_is_refused_at_once() {
    for count in ["2147483647", "18446744073709551615"] {
        // Only the shell knows the process id that the count is for.
        let script = "export LISTEN_PID=$$ LISTEN_FDS=\"$COUNT\"; exec \"$@\"";
        let setup = Setup::new().wrapped_by(&["sh", "-c", script, "sh"]).env("COUNT", count);
        let (code, log) = setup.fail();
        assert_eq!(code, Some(78), "{log}");
        assert!(log.contains(&format!("LISTEN_FDS={count}")), "{log}");
    }
}

#[test]
fn a_socket_of_the_wrong_kind_is_refused() {
    let dir = TempDir::new().unwrap();
    let unix = || UnixListener::bind(dir.path().join("socket")).unwrap().into();
    refused(vec![unix()], Some("chat"), "\"chat\"");
    refused(vec![chat().into(), chat().into()], Some("chat:admin"), "\"admin\"");
    refused(vec![UdpSocket::bind("127.0.0.1:0").unwrap().into()], Some("chat"), "\"chat\"");
    refused(vec![UdpSocket::bind("127.0.0.1:0").unwrap().into()], None, "socket 0");
    let datagrams = UnixDatagram::bind(dir.path().join("datagrams")).unwrap();
    refused(vec![chat().into(), datagrams.into()], Some("chat:admin"), "\"admin\"");
    let stream = |name: &str| UnixListener::bind(dir.path().join(name)).unwrap().into();
    for (wrong, name) in [
        (stream("for proxies"), "proxy"),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "proxy"),
        (chat().into(), "monitor"),
        (UnixDatagram::bind(dir.path().join("to watch")).unwrap().into(), "monitor"),
        (stream("for connections"), "handover"),
        (UdpSocket::bind("127.0.0.1:0").unwrap().into(), "handover"),
    ] {
        refused(vec![chat().into(), wrong], Some(&format!("chat:{name}")), &format!("\"{name}\""));
    }
    // A connection is not a listener.
    let listener = chat();
    let connected = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    refused(vec![connected.into()], Some("chat"), "\"chat\"");
}

#[test]
fn an_admin_socket_alone_is_refused() {
    let dir = TempDir::new().unwrap();
    let admin = UnixListener::bind(dir.path().join("socket")).unwrap();
    refused(vec![admin.into()], Some("admin"), "none for clients");
    // Whatever else is handed over: it opens no port of its own beside that.
    refused(vec![chat().into()], Some("proxy"), "none for clients");
    let monitor = UnixListener::bind(dir.path().join("monitor")).unwrap();
    refused(vec![monitor.into()], Some("monitor"), "none for clients");
    let handover = UnixDatagram::bind(dir.path().join("handover")).unwrap();
    refused(vec![handover.into()], Some("handover"), "none for clients");
}

#[test]
fn connections_waiting_in_the_handover_socket_do_not_restart_a_failing_daemon() {
    for name in ["handover", "hand-over"] {
        let dir = TempDir::new().unwrap();
        let handover = UnixDatagram::bind(dir.path().join("socket")).unwrap();
        let ours = handover.try_clone().unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        for _ in 0..3 {
            sender.send_to(b"a connection", dir.path().join("socket")).unwrap();
        }
        let names = format!("chat:{name}");
        let setup = Setup::new().settings("nonsense = 1").handed(vec![chat().into(), handover.into()], Some(&names));
        let (code, log) = setup.fail();
        assert_eq!(code, Some(78), "{log}");
        ours.set_nonblocking(true).unwrap();
        assert_eq!(ours.recv(&mut [0; 64]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "{name}");
    }
}

#[test]
fn sockets_meant_for_another_process_are_left_alone() {
    let setup = Setup::new().handed(vec![chat().into()], Some("chat")).handed_to_another();
    let daemon = setup.start();
    daemon.client("ann");
    assert_eq!(daemon.admin().done("status", &json!({}))["activated"], false);
}

#[test]
fn an_address_in_use_is_a_clear_error() {
    let taken = chat();
    let addr = taken.local_addr().unwrap().to_string();
    let (code, log) = Setup::new().listen(&addr).fail();
    assert_eq!(code, Some(69), "{log}");
    assert!(log.contains(&format!("cannot listen on {addr}")) && log.contains("chathub.socket"), "{log}");
}

#[test]
fn systemd_socket_activate_starts_it_with_the_first_connection() {
    if !have("systemd-socket-activate") {
        return;
    }
    // It takes no port 0: one that was free just now has to do.
    let addr = chat().local_addr().unwrap();
    let setup = Setup::new();
    let admin = setup.path("admin.sock");
    let daemon = setup
        .started_by(&[
            "systemd-socket-activate",
            &format!("--listen={addr}"),
            &format!("--listen={}", admin.display()),
            "--fdname=chat:admin",
        ])
        .spawn();
    daemon.logged(&admin.display().to_string());
    let mut ann = Client::connect(&daemon, addr, "ann");
    ann.greeted();
    assert_eq!(daemon.admin().done("status", &json!({}))["activated"], true);
    let ctl = daemon.ctl(&["shutdown"]);
    assert!(ctl.err.contains("chathub.socket still listens"), "{ctl:?}");
    assert_eq!(ctl.code, Some(0));
    ann.expect("-- the hub is shutting down; goodbye");
    assert!(admin.exists(), "a socket that was handed over is not ours to remove");
}

// ---------------------------------------------------------------------------------------------
// Notifications

#[test]
fn readiness_is_told_when_it_serves_and_not_before() {
    let daemon = Setup::new().notify().spawn();
    let first = daemon.notified();
    daemon.logged("listening for administrators on ");
    // No waiting from here on: what was promised must hold now.
    if value(&first, "READY").is_none() {
        daemon.notified_of("READY=1");
    }
    Client::connect(&daemon, daemon.addr(), "ann").greeted();
    assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
}

#[test]
fn the_status_line_tells_how_many_are_here() {
    let daemon = Setup::new().notify().start();
    daemon.notified_of("STATUS=0 clients, 1 room");
    let _ann = daemon.client("ann");
    daemon.notified_of("STATUS=1 client, 1 room");
}

#[test]
fn stopping_is_told() {
    let mut daemon = Setup::new().notify().start();
    daemon.notified_of("READY=1");
    daemon.signal(Signal::SIGTERM);
    daemon.notified_of("STOPPING=1");
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn a_reload_is_told_from_its_begin_to_its_end() {
    let daemon = Setup::new().notify().start();
    daemon.notified_of("READY=1");
    let reloaded = || {
        let text = daemon.notified_of("RELOADING=1");
        let at: u64 = value(&text, "MONOTONIC_USEC").expect("systemd wants to know when").parse().unwrap();
        assert!(at > 0);
        daemon.notified_of("READY=1");
        at
    };
    daemon.signal(Signal::SIGHUP);
    let first = reloaded();
    daemon.ctl(&["reload"]).done();
    assert!(reloaded() > first);
    // It is over also when it has failed: else systemd would wait for it.
    std::fs::write(daemon.path("chathub.toml"), "nonsense").unwrap();
    daemon.signal(Signal::SIGHUP);
    reloaded();
}

#[test]
fn a_service_manager_that_does_not_listen_stops_nobody_and_hears_later_what_matters() {
    // A sign of life each millisecond: what the socket holds is full at once.
    let daemon = Setup::new().env("WATCHDOG_USEC", "2000").notify().start();
    let mut ann = daemon.client("ann");
    let mut bob = daemon.client("bob");
    while !daemon.log().contains("the service manager does not listen now") {
        daemon.ctl(&["reload"]).done();
    }
    ann.send("who hears this?");
    bob.expect_with(": who hears this?");
    assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
    // What it has not heard it hears when it listens, in order: each reload has an end.
    daemon.notified_of("RELOADING=1");
    daemon.notified_of("READY=1");
    daemon.notified_of("STATUS=2 clients, 1 room");
}

#[test]
fn the_watchdog_is_fed_all_the_time() {
    let from = Instant::now();
    let daemon = Setup::new().env("WATCHDOG_USEC", "200000").notify().start();
    (0..11).for_each(|_| drop(daemon.notified_of("WATCHDOG=1")));
    // Every 100 ms, half of what systemd waits; a busy machine may make it later, never sooner. Of some that are read
    // late it cannot be told when they came, so the time is that since the start.
    assert!(from.elapsed() >= Duration::from_secs(1), "{:?}", from.elapsed());
}

#[test]
fn the_monitoring_socket_answers_commands_of_its_level_only() {
    let setup = Setup::new();
    let admin = UnixListener::bind(setup.path("admin.sock")).unwrap();
    let path = setup.path("monitor.sock");
    let monitor = UnixListener::bind(&path).unwrap();
    let daemon = setup.handed(vec![chat().into(), admin.into(), monitor.into()], Some("chat:admin:monitor")).start();
    let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    let mut answers = std::io::BufReader::new(stream.try_clone().unwrap());
    let mut ask = |line: String| -> serde_json::Value {
        stream.write_all(format!("{line}\n").as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    };
    let described = ask(json!({"cmd": "describe"}).to_string());
    let commands = described["result"]["commands"].as_array().unwrap().clone();
    assert!(commands.len() > 30, "{described}");
    let mut told = Vec::new();
    for command in &commands {
        let name = command["name"].as_str().unwrap();
        // A value for whatever is required: what is refused is refused whatever it is about.
        let any = json!({"who": ["ann"], "which": "b1", "target": "ann", "name": "ann", "nick": "eve", "role": "member",
            "room": "lobby", "query": "tea", "text": "hello", "report": "r1", "reports": ["r1"], "fingerprint": "0".repeat(64)});
        let required = command["args"]["required"].as_array().cloned().unwrap_or_default();
        let mut args: serde_json::Map<String, serde_json::Value> =
            required.iter().filter_map(|key| key.as_str()).map(|key| (key.to_owned(), any[key].clone())).collect();
        if ["clients.get", "clients.rename"].contains(&name) {
            args.insert("who".into(), json!("ann"));
        }
        let mut request = json!({"cmd": name, "args": args});
        if command["replies"] == "more" {
            request["more"] = json!(true);
        }
        let answer = ask(request.to_string());
        if answer["ok"] == true {
            assert_eq!(command["changes"], false, "{name} changes something: {answer}");
            assert_eq!(command["level"], "monitor", "{name}");
            told.push(name);
        } else {
            assert_eq!(answer["error"]["code"], "denied", "{request}: {answer}");
            assert_eq!(command["level"], "admin", "{name}");
        }
    }
    assert_eq!(ask(json!({"cmd": "hello"}).to_string())["result"]["level"], "monitor");
    assert_eq!(daemon.admin().done("hello", &json!({}))["level"], "admin");
    assert_eq!(told, ["hello", "describe", "status", "metrics"]);
    let status = daemon.admin().done("status", &json!({}));
    let names: Vec<_> = status["listeners"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["chat", "admin", "monitor"]);
    // `chathub ctl` says which socket that is, and which would do.
    let done = daemon.ctl(&["--socket", path.to_str().unwrap(), "clients"]);
    assert_eq!(done.code, Some(4), "{done:?}");
    assert!(done.err.contains("ask on the admin socket"), "{done:?}");
}
