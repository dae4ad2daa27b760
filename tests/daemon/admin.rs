//! The admin socket, raw and by `chathub ctl`: what a script that knows only the contract relies on.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::stage::{Admin, Client, Daemon, UNPACED, ctl_command, have, not_tested};

/// Exactly these keys.
#[track_caller]
fn has_keys(object: &Value, keys: &[&str]) {
    let mut found: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    let mut keys = keys.to_vec();
    found.sort_unstable();
    keys.sort_unstable();
    assert_eq!(found, keys, "{object}");
}

#[test]
fn the_examples_of_the_contract_are_answered_as_it_says() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("hi");
    bob.expect("ann: hi");
    bob.send("hello");
    ann.expect("bob: hello");
    let mut admin = daemon.admin();
    admin.write("{\"id\":1,\"cmd\":\"clients.list\",\"args\":{\"room\":\"lobby\"}}\n");
    let reply = admin.reply();
    has_keys(&reply, &["id", "ok", "result"]);
    assert_eq!(reply["result"]["total"], 2);
    let first = &reply["result"]["clients"][0];
    for key in ["id", "nick", "addr", "port", "room", "since", "idle_s", "telnet", "behind_bytes", "bytes_out"] {
        assert!(!first[key].is_null(), "{key} in {first}");
    }
    assert_eq!((&first["nick"], &first["addr"], &first["room"]), (&json!("ann"), &json!("127.0.0.1"), &json!("lobby")));
    let said = "/nick ann\nhi\n";
    assert_eq!(first["bytes_in"], said.len(), "to the byte");
    assert!(first["bytes_out"].as_u64().unwrap() > 20 && admin.counter("bytes_read") > said.len() as u64);
    assert_eq!(first["port"], ann.stream.local_addr().unwrap().port());
    let since = first["since"].as_str().unwrap();
    assert!(since.len() == "2026-11-22T10:01:02.123Z".len() && since.ends_with('Z'), "{since}");

    admin.write("{\"id\":3,\"cmd\":\"clients.kick\",\"args\":{\"who\":[\"nope\"]}}\n");
    let refused = json!({"id": 3, "ok": false, "error": {"code": "not_found", "message": "no client \"nope\""}});
    assert_eq!(admin.reply(), refused);

    admin.write("{\"id\":4,\"cmd\":\"history.dump\",\"args\":{\"room\":\"lobby\",\"last\":2},\"more\":true}\n");
    let mut before = 0;
    for (nick, text) in [("ann", "hi"), ("bob", "hello")] {
        let reply = admin.reply();
        has_keys(&reply, &["id", "ok", "more", "result"]);
        let line = &reply["result"];
        has_keys(line, &["seq", "t", "room", "nick", "client", "kind", "text"]);
        assert_eq!((&line["nick"], &line["text"], &line["kind"]), (&json!(nick), &json!(text), &json!("say")));
        assert!(line["seq"].as_u64().unwrap() > before);
        before = line["seq"].as_u64().unwrap();
    }
    assert_eq!(admin.reply(), json!({"id": 4, "ok": true, "result": {"count": 2}}));
    let whole = admin.done("history.dump", &json!({"room": "lobby", "last": 2}));
    has_keys(&whole, &["lines", "count"]);
    assert_eq!((whole["count"].as_u64(), whole["lines"].as_array().map(Vec::len)), (Some(2), Some(2)));

    let id = first["id"].as_str().unwrap().to_owned();
    admin.write(format!("{{\"id\":2,\"cmd\":\"clients.kick\",\"args\":{{\"who\":[\"{id}\"],\"reason\":\"spam\"}}}}\n"));
    assert_eq!(admin.reply(), json!({"id": 2, "ok": true, "result": {"kicked": [id]}}));

    admin.write("{\"id\":6,\"cmd\":\"shutdown\",\"args\":{\"deadline_s\":20,\"message\":\"back in a minute\"}}\n");
    let reply = admin.reply();
    assert_eq!((&reply["id"], &reply["ok"], &reply["result"]["clients"]), (&json!(6), &json!(true), &json!(1)));
    bob.expect("-- the hub is shutting down: back in a minute");
}

#[test]
fn requests_in_one_write_are_answered_in_their_order() {
    let daemon = Daemon::start();
    let mut admin = daemon.admin();
    let cmds = ["hello", "status", "rooms.list", "nope", "clients.list", "metrics", "log.level"];
    let all: String = (0..350).map(|id| format!("{{\"id\":{id},\"cmd\":\"{}\"}}\n", cmds[id % cmds.len()])).collect();
    // The answers are larger than what a socket holds: they have to be read meanwhile.
    let mut stream = admin.stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stream, all.as_bytes()).unwrap());
    for id in 0..350 {
        let reply = admin.reply();
        assert_eq!(reply["id"], id);
        assert_eq!(reply["ok"], cmds[id % cmds.len()] != "nope", "{reply}");
    }
    writer.join().unwrap();
}

#[test]
fn a_request_may_come_one_byte_at_a_time() {
    let daemon = Daemon::start();
    let mut admin = daemon.admin();
    for byte in "{\"id\":\"\u{fc}\",\"cmd\":\"say\",\"args\":{\"text\":\"gr\u{fc}\u{df}e\"}}\r\n".bytes() {
        admin.write([byte]);
    }
    let reply = admin.reply();
    assert_eq!((&reply["id"], &reply["ok"]), (&json!("\u{fc}"), &json!(true)), "{reply}");
}

#[test]
fn nothing_is_sent_before_a_request() {
    let daemon = Daemon::start();
    let mut admin = daemon.admin();
    admin.end();
    assert_eq!(admin.line(), None);
}

#[test]
fn after_a_half_close_the_answers_drain_and_the_connection_ends() {
    let daemon = Daemon::start();
    let mut admin = daemon.admin();
    // The last one without its newline, as `printf | nc -NU` may send it.
    admin.write("{\"id\":1,\"cmd\":\"describe\"}\n{\"id\":2,\"cmd\":\"status\"}\n\n{\"id\":3,\"cmd\":\"hello\"}");
    admin.end();
    let ids: Vec<Value> = std::iter::from_fn(|| admin.line())
        .map(|line| serde_json::from_str::<Value>(&line).unwrap()["id"].clone())
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

/// A request of exactly `bytes` bytes.
fn request_of(bytes: usize) -> String {
    let frame = json!({"id": 1, "cmd": "say", "args": {"text": ""}}).to_string();
    let request = json!({"id": 1, "cmd": "say", "args": {"text": "x".repeat(bytes - frame.len())}}).to_string();
    assert_eq!(request.len(), bytes);
    request
}

#[test]
fn a_request_has_sixty_four_kilobytes_at_most() {
    let daemon = Daemon::start();
    let mut admin = daemon.admin();
    // One that long is read: it is its text that is refused.
    admin.write(request_of(64 * 1024) + "\n");
    let reply = admin.reply();
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!(1), &json!("bad_argument")), "{reply}");
    admin.write(request_of(64 * 1024 + 1) + "\n");
    let reply = admin.reply();
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&Value::Null, &json!("bad_request")), "{reply}");
    assert!(reply["error"]["message"].as_str().unwrap().contains("65536"), "{reply}");
    admin.write("x".repeat(1_000_000) + "\n");
    assert_eq!(admin.reply()["error"]["code"], "bad_request");
    assert_eq!(admin.done("hello", &json!({}))["name"], "chathub", "and the connection goes on");
}

#[test]
fn what_is_no_request_is_refused_and_the_next_one_answered() {
    let daemon = Daemon::start();
    let mut admin = daemon.admin();
    for (request, id, code) in [
        ("nonsense", json!(null), "bad_request"),
        ("[]", json!(null), "bad_request"),
        ("\"status\"", json!(null), "bad_request"),
        ("{\"id\":1}", json!(1), "bad_request"),
        ("{\"id\":[],\"cmd\":\"status\"}", json!(null), "bad_request"),
        ("{\"id\":2,\"cmd\":7}", json!(2), "bad_request"),
        ("{\"id\":3,\"cmd\":\"status\",\"arg\":{}}", json!(3), "bad_request"),
        ("{\"id\":4,\"cmd\":\"status\",\"args\":[]}", json!(4), "bad_request"),
        ("{\"id\":5,\"cmd\":\"status\",\"args\":{\"verbose\":true}}", json!(5), "bad_argument"),
        ("{\"id\":6,\"cmd\":\"statsu\"}", json!(6), "unknown_command"),
        ("{\"id\":7,\"cmd\":\"clients.kick\"}", json!(7), "bad_argument"),
        ("{\"id\":8,\"cmd\":\"clients.kick\",\"args\":{\"who\":\"c1\"}}", json!(8), "bad_argument"),
        ("{\"id\":9,\"cmd\":\"clients.kick\",\"args\":{\"who\":[]}}", json!(9), "bad_argument"),
        ("{\"id\":10,\"cmd\":\"history.dump\",\"args\":{\"last\":0}}", json!(10), "bad_argument"),
        ("{\"id\":11,\"cmd\":\"history.dump\",\"args\":{\"since\":\"soon\"}}", json!(11), "bad_argument"),
        ("{\"id\":12,\"cmd\":\"history.dump\",\"args\":{\"room\":\"none\"}}", json!(12), "not_found"),
        ("{\"id\":13,\"cmd\":\"say\",\"args\":{\"text\":\"two\\nlines\"}}", json!(13), "bad_argument"),
        ("{\"id\":14,\"cmd\":\"status\",\"more\":true}", json!(14), "bad_request"),
        ("{\"id\":15,\"cmd\":\"events.subscribe\"}", json!(15), "bad_request"),
        ("{\"id\":16,\"cmd\":\"log.level\",\"args\":{\"level\":\"loud\"}}", json!(16), "bad_argument"),
        ("{\"id\":17,\"cmd\":\"rooms.close\",\"args\":{\"room\":\"lobby\"}}", json!(17), "conflict"),
    ] {
        admin.write(format!("{request}\n"));
        let reply = admin.reply();
        has_keys(&reply, &["id", "ok", "error"]);
        assert_eq!(
            (&reply["id"], &reply["ok"], &reply["error"]["code"]),
            (&id, &json!(false), &json!(code)),
            "{reply}"
        );
    }
    admin.write(b"\xff\xfe\x00\n");
    assert_eq!(admin.reply()["error"]["code"], "bad_request");
    assert_eq!(admin.done("hello", &json!({}))["name"], "chathub");
}

#[test]
fn describe_tells_the_schemas_of_everything() {
    let daemon = Daemon::start();
    let commands = daemon.admin().done("describe", &json!({}))["commands"].take();
    let names: Vec<&str> = commands.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in ["hello", "status", "clients.kick", "history.dump", "events.subscribe", "shutdown"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for command in commands.as_array().unwrap() {
        assert_eq!(command["args"]["type"], "object", "{command}");
        assert_eq!(command["args"]["additionalProperties"], false, "unknown keys are refused: {command}");
    }
}

#[test]
fn history_is_dumped_and_searched_by_room_number_and_time() {
    let daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    for line in ["one", "Two", "/me three", "/join tea", "two again"] {
        ann.send(line);
    }
    ann.sync();
    let mut admin = daemon.admin();
    let mut texts = |cmd: &str, args: Value| -> Vec<String> {
        let result = admin.done(cmd, &args);
        result["lines"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    };
    // The room of the one who has left it keeps its lines.
    assert_eq!(texts("history.dump", json!({})), ["one", "Two", "three", "two again"]);
    assert_eq!(texts("history.dump", json!({"room": "tea"})), ["two again"]);
    assert_eq!(texts("history.dump", json!({"last": 1})), ["two again"]);
    assert_eq!(texts("history.search", json!({"query": "TWO"})), ["Two", "two again"]);
    assert_eq!(texts("history.dump", json!({"since": "2999-01-01T00:00:00Z"})), [""; 0]);
    assert_eq!(texts("history.dump", json!({"until": "2999-01-01T00:00:00Z"})).len(), 4);
}

#[test]
fn subscribers_are_told_what_happens() {
    let daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    let mut events = daemon.admin();
    events.subscribe(&["join", "leave", "nick", "say", "room", "topic", "kick", "mute", "report"]);
    let mut bob = daemon.guest();
    let guest = bob.nick.clone();
    let event = events.event();
    has_keys(&event, &["event", "t", "client", "nick", "room", "what", "lost"]);
    assert_eq!((&event["event"], &event["nick"], &event["lost"]), (&json!("join"), &json!(guest), &json!(0)));
    assert_eq!((&event["room"], &event["client"]), (&json!("lobby"), &json!("c2")));
    bob.rename("bob");
    let event = events.event();
    assert_eq!((&event["event"], &event["nick"], &event["text"]), (&json!("nick"), &json!("bob"), &json!(guest)));
    let mut expect = |kind: &str, nick: &str, text: Option<&str>| {
        let event = events.event();
        assert_eq!((&event["event"], &event["nick"]), (&json!(kind), &json!(nick)), "{event}");
        if let Some(text) = text {
            assert_eq!(event["text"], text, "{event}");
        }
    };
    ann.send("hi");
    expect("say", "ann", Some("hi"));
    ann.send("/report bob he waves too much");
    expect("report", "ann", Some("r1 about bob (c2)"));
    bob.send("/topic waves");
    expect("topic", "bob", Some("waves"));
    let mut admin = daemon.admin();
    admin.done("clients.mute", &json!({"who": ["bob"], "for_s": 60}));
    expect("mute", "bob", None);
    bob.send("unheard");
    bob.sync();
    admin.done("clients.mute", &json!({"who": ["bob"], "for_s": 0}));
    expect("mute", "bob", Some("unmuted"));
    admin.done("clients.kick", &json!({"who": ["bob"], "reason": "enough"}));
    expect("kick", "bob", Some("enough"));
    expect("leave", "bob", Some("kicked: enough"));
    ann.send("/quit");
    expect("leave", "ann", None);
}

#[test]
fn a_subscriber_that_has_closed_its_side_is_told_all_the_same() {
    let daemon = Daemon::start();
    let mut events = daemon.admin();
    events.subscribe(&["join"]);
    events.end();
    // As `nc -NU` does after its one request: longer than the time after which it is looked at.
    let mut admin = daemon.admin();
    let from = admin.done("status", &json!({}))["uptime_s"].as_u64().unwrap();
    while admin.done("status", &json!({}))["uptime_s"].as_u64().unwrap() < from + 2 {
        std::thread::yield_now();
    }
    let guest = daemon.guest();
    assert_eq!(events.event()["nick"], json!(guest.nick));
}

#[test]
fn a_subscriber_that_has_closed_the_connection_frees_its_place() {
    let daemon = Daemon::with("[limits]\nadmin_connections = 1");
    let mut subscribed: Vec<Admin> = (0..1 + KEPT).map(|_| daemon.admin()).collect();
    subscribed.iter_mut().for_each(|admin| admin.subscribe(&["join"]));
    let mut other = daemon.admin();
    let busy = other.reply();
    assert_eq!((&busy["ok"], &busy["error"]["code"]), (&json!(false), &json!("busy")), "{busy}");
    assert_eq!(other.line(), None);
    drop(subscribed.pop());
    loop {
        let mut admin = daemon.admin();
        admin.try_write("{\"id\":1,\"cmd\":\"hello\"}\n");
        if admin.reply()["ok"] == true {
            break;
        }
        assert!(!daemon.deadline.is_over(), "the place is not given free");
    }
}

/// Places that are kept for root, and for the daemon's own user.
const KEPT: usize = chathub::net::admin::holders::KEPT;

#[test]
fn one_connection_too_many_is_told_that_the_socket_is_busy() {
    let daemon = Daemon::with("[limits]\nadmin_connections = 3");
    let mut open: Vec<Admin> = (0..3 + KEPT).map(|_| daemon.admin()).collect();
    open.iter_mut().for_each(|admin| admin.subscribe(&["join"]));
    let ctl = daemon.ctl(&["status"]);
    assert_eq!(ctl.code, Some(1), "{ctl:?}");
    assert!(ctl.err.contains("7 connections are open already"), "{ctl:?}");
    // The others go on, and a place that is left is free.
    let _ann = daemon.guest();
    open.iter_mut().for_each(|admin| assert_eq!(admin.event()["event"], "join"));
    drop(open.pop());
    while daemon.ctl(&["status"]).code != Some(0) {
        assert!(!daemon.deadline.is_over(), "the place is not given free");
    }
}

#[test]
fn connections_on_which_nothing_is_asked_give_way_and_status_says_whose_they_are() {
    let daemon = Daemon::with("[limits]\nadmin_connections = 3");
    let mut open: Vec<Admin> = (0..3 + KEPT).map(|_| daemon.admin()).collect();
    open.iter_mut().for_each(|admin| drop(admin.done("hello", &json!({}))));
    // Whoever has just come is not idle: after a second each of them is.
    let status = loop {
        let ctl = daemon.ctl(&["status", "--json"]);
        if ctl.code == Some(0) {
            break ctl.json();
        }
        assert!(!daemon.deadline.is_over(), "none gives way: {ctl:?}");
    };
    let holders = status["admins"].as_array().unwrap();
    assert_eq!(holders.len(), 3 + KEPT, "{status:#}");
    let own = nix::unistd::geteuid().as_raw();
    assert!(holders.iter().all(|one| one["uid"] == own && one["pid"].as_i64() > Some(0)), "{status:#}");
    assert!(holders[0]["idle_s"].is_u64(), "{status:#}");
    let mut told = 0;
    for admin in &mut open {
        admin.try_write("{\"id\":1,\"cmd\":\"hello\"}\n");
        let reply = admin.reply();
        if reply["ok"] != true {
            assert_eq!((&reply["id"], &reply["error"]["code"]), (&Value::Null, &json!("busy")), "{reply}");
            assert_eq!(admin.line(), None);
            told += 1;
        }
    }
    assert_eq!(told, 1, "one gave way");
}

#[test]
fn root_reloads_and_stops_a_hub_whose_places_one_user_holds() {
    if !nix::unistd::geteuid().is_root() || !have("setpriv") || !have("nc") {
        return not_tested("another user's connections: only root becomes another user");
    }
    let mut daemon = Daemon::with("[limits]\nadmin_connections = 4");
    let socket = daemon.admin_path();
    // As if they were in the group chathub-admin.
    let open = |path: &std::path::Path, mode| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(socket.parent().unwrap(), 0o755);
    open(&socket, 0o666);
    let mut held: Vec<std::process::Child> = Vec::new();
    for _ in 0..8 {
        let mut one = std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "nc", "-U"])
            .arg(&socket)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let asks = "{\"id\":1,\"cmd\":\"hello\"}\n{\"id\":2,\"cmd\":\"events.subscribe\",\"args\":{},\"more\":true}\n";
        let _ = std::io::Write::write_all(one.stdin.as_mut().unwrap(), asks.as_bytes());
        // Let in, or told that there is no place, or closed before nc had asked.
        assert!(one.stdout.as_mut().unwrap().read(&mut [0]).is_ok());
        held.push(one);
    }
    let status = daemon.admin().done("status", &json!({}));
    let theirs = status["admins"].as_array().unwrap().iter().filter(|one| one["uid"] == 65534).count();
    assert!(theirs <= 2, "one user has half of the places: {status:#}");
    daemon.ctl(&["reload"]).done();
    let mut ann = daemon.client("ann");
    daemon.ctl(&["shutdown"]).done();
    ann.expect("-- the hub is shutting down; goodbye");
    assert_eq!(daemon.exit_code(), Some(0));
    for mut one in held {
        drop(one.stdin.take());
        let _ = one.kill();
        one.wait().unwrap();
    }
}

#[test]
fn whoever_reads_an_answer_slowly_gets_all_of_it_and_keeps_nobody_waiting() {
    let daemon = Daemon::with(UNPACED);
    let mut ann = daemon.client("ann");
    let text = "x".repeat(900);
    for number in 0..3000 {
        ann.send(&format!("line {number} {text}"));
    }
    ann.sync();
    let mut reader = daemon.admin();
    reader.write("{\"id\":1,\"cmd\":\"history.dump\",\"args\":{},\"more\":true}\n");
    // Nothing is read, and what it asks fills its socket: others are answered meanwhile, and people talk.
    let mut bob = daemon.client("bob");
    ann.send("all is well");
    bob.expect("ann: all is well");
    assert_eq!(daemon.admin().done("hello", &json!({}))["name"], "chathub");
    let mut count = 0;
    loop {
        let reply = reader.reply();
        if reply["more"] != true {
            assert_eq!(reply["result"]["count"], count);
            break;
        }
        count += 1;
    }
    assert!(count >= 3000);
}

#[test]
fn long_lists_are_whole_and_in_order() {
    let daemon = Daemon::with(CROWDED);
    let clients: Vec<Client> = (0..450).map(|_| daemon.guest()).collect();
    let mut admin = daemon.admin();
    let list = admin.done("clients.list", &json!({"room": "lobby"}));
    let ids: Vec<u64> = list["clients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| client["id"].as_str().unwrap()[1..].parse().unwrap())
        .collect();
    assert!(ids.len() == 450 && ids.is_sorted() && list["total"] == 450, "{}", ids.len());
    for number in 0..450 {
        let target = format!("192.0.2.{}/{}", number % 250, 32 - number / 250);
        admin.done("bans.add", &json!({"target": target, "yes": true}));
    }
    let bans = admin.done("bans.list", &json!({}));
    assert_eq!(bans["total"], bans["bans"].as_array().unwrap().len());
    assert!(bans["total"].as_u64() > Some(250), "{}", bans["total"]);
    assert_eq!(admin.refused("clients.list", &json!({"room": "nowhere"})).0, "not_found");
    drop(clients);
}

const CROWDED: &str = "[limits]\nclients_per_address = 1000\n";

#[test]
fn a_slow_subscriber_is_told_how_much_it_lost_and_slows_nobody() {
    const LINES: u64 = 4000;
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let mut events = daemon.admin();
    events.subscribe(&["say"]);
    for number in 0..LINES {
        ann.send(&format!("line {number}"));
    }
    ann.sync();
    bob.expect(&format!("ann: line {}", LINES - 1));
    // Nothing was read until now. What waits is bounded; the rest is counted, and the count is told
    // with the next event that finds room.
    let seen_enough = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in LINES.. {
                if seen_enough.load(Ordering::Relaxed) {
                    break;
                }
                ann.send(&format!("line {number}"));
                ann.sync();
            }
        });
        let (mut told, mut lost) = (0, 0);
        while lost == 0 {
            let event = events.event();
            lost += event["lost"].as_u64().unwrap();
            let number: u64 = event["text"].as_str().unwrap()[5..].parse().unwrap();
            assert_eq!(number, told + lost, "each line is either told or counted: {event}");
            told += 1;
        }
        seen_enough.store(true, Ordering::Relaxed);
    });
}

#[test]
fn administrators_do_not_mix_up_their_answers() {
    let daemon = Daemon::start();
    let _ann = daemon.client("ann");
    std::thread::scope(|scope| {
        for who in 0..8 {
            let daemon = &daemon;
            scope.spawn(move || {
                let mut admin = daemon.admin();
                for number in 0..100 {
                    let id = format!("{who}-{number}");
                    admin.write(format!("{}\n", json!({"id": id, "cmd": "clients.get", "args": {"who": "ann"}})));
                    let reply = admin.reply();
                    assert_eq!((&reply["id"], &reply["result"]["nick"]), (&json!(id), &json!("ann")));
                }
            });
        }
    });
}

#[test]
fn whoever_changes_something_stands_in_the_log_with_uid_and_pid() {
    let daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    let mut admin = daemon.admin();
    admin.done("status", &json!({}));
    admin.done("clients.kick", &json!({"who": ["ann"], "reason": "enough"}));
    let line = daemon.logged("admin command");
    let own = (nix::unistd::getuid(), std::process::id());
    for part in [
        "command=\"clients.kick\"".to_owned(),
        format!("admin_uid={}", own.0),
        format!("admin_pid={}", own.1),
        "enough".into(),
        "outcome=\"done\"".into(),
    ] {
        assert!(line.contains(&part), "{part} in {line}");
    }
    let kicked = daemon.logged("client kicked");
    assert!(kicked.contains(&format!("admin_uid={} admin_pid={}", own.0, own.1)), "{kicked}");
    ann.rest();
    // By `ctl` it is that process; and what was refused is told as well.
    let mut ctl =
        ctl_command(&daemon.admin_path(), &["kick", "nobody"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    assert_eq!(ctl.wait().unwrap().code(), Some(5));
    let line = daemon.logged(&format!("admin_pid={}", ctl.id()));
    assert!(line.contains("no client"), "{line}");
    assert!(!daemon.log().contains("command=\"status\""), "looking leaves no line");
}

#[test]
fn the_admin_socket_is_for_its_owner_alone() {
    let daemon = Daemon::start();
    let mode = std::fs::metadata(daemon.admin_path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

// ---------------------------------------------------------------------------------------------
// Moderation

#[test]
fn the_one_kicked_is_told_why_and_the_room_sees_it() {
    let daemon = Daemon::start();
    let mut eve = daemon.client("eve");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    eve.sync();
    let mut admin = daemon.admin();
    let id = admin.about("bob")["id"].as_str().unwrap().to_owned();
    let kicked = admin.done("clients.kick", &json!({"who": ["ann", id, "ANN"], "reason": "no advertising"}));
    assert_eq!(kicked["kicked"], json!(["c2", id]), "each once, in the order asked");
    for client in [&mut ann, &mut bob] {
        assert_eq!(client.rest().last().unwrap(), "-- you were disconnected by an operator: no advertising");
    }
    eve.next_is("* ann left (kicked: no advertising)");
    eve.next_is("* bob left (kicked: no advertising)");
    admin.done("clients.kick", &json!({"who": ["eve"]}));
    assert_eq!(eve.rest(), ["-- you were disconnected by an operator"]);
    assert_eq!(admin.counter("kicked"), 3);
}

#[test]
fn nobody_is_kicked_if_one_of_them_is_not_there() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let mut admin = daemon.admin();
    let (code, message) = admin.refused("clients.kick", &json!({"who": ["ann", "nope", "bob"]}));
    assert_eq!((code.as_str(), message.as_str()), ("not_found", "no client \"nope\""));
    ann.send("still here");
    bob.expect("ann: still here");
    assert_eq!(admin.counter("kicked"), 0);
}

#[test]
fn one_who_is_kicked_is_read_no_more() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    daemon.admin().done("clients.kick", &json!({"who": ["ann"]}));
    ann.write(b"still here\n");
    assert_eq!(ann.rest().last().unwrap(), "-- you were disconnected by an operator");
    bob.next_is("* ann left (kicked)");
    assert_eq!(bob.sync(), [""; 0]);
}

#[test]
fn the_muted_are_told_and_heard_by_nobody() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.sync();
    let mut admin = daemon.admin();
    let muted = admin.done("clients.mute", &json!({"who": ["ann"]}));
    assert_eq!(muted["muted"], json!(["c1"]));
    ann.expect_with("you are muted");
    for line in ["unheard", "/me is unheard", "/msg bob unheard"] {
        ann.send(line);
        ann.expect_with("-- you are muted");
    }
    assert_eq!(bob.sync(), [""; 0]);
    admin.done("clients.mute", &json!({"who": ["ann"], "for_s": 0}));
    ann.expect("-- you may speak again");
    ann.send("heard");
    bob.next_is("ann: heard");
}

// ---------------------------------------------------------------------------------------------
// ctl

#[test]
fn ctl_does_everything_against_the_real_daemon() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("a line about apples");
    bob.expect("ann: a line about apples");
    assert!(daemon.ctl(&["status"]).done().contains("Clients: 2 of at most"));
    let clients = daemon.ctl(&["clients"]).done();
    assert!(clients.contains("ann") && clients.contains("127.0.0.1"), "{clients}");
    assert_eq!(daemon.ctl(&["--json", "clients"]).json()["total"], 2);
    assert!(daemon.ctl(&["client", "ann"]).done().contains("c1"));
    assert!(daemon.ctl(&["rooms"]).done().contains("lobby"));
    daemon.ctl(&["topic", "lobby", "apples", "and", "pears"]).done();
    ann.expect("-- the topic is now: apples and pears");
    assert!(daemon.ctl(&["topic", "lobby"]).done().contains("apples and pears"));
    assert!(daemon.ctl(&["history", "--last", "5"]).done().contains("ann: a line about apples"));
    assert!(daemon.ctl(&["history", "--search", "APPLES", "--json"]).done().contains("a line about apples"));
    assert!(daemon.ctl(&["history-stats"]).done().contains("lobby"));
    daemon.ctl(&["say", "the server restarts soon"]).done();
    bob.expect("-- notice: the server restarts soon");
    daemon.ctl(&["mute", "ann", "--for", "10min"]).done();
    ann.expect_with("you are muted");
    daemon.ctl(&["unmute", "ann"]).done();
    ann.expect("-- you may speak again");
    daemon.ctl(&["rename", "bob", "robert"]).done();
    bob.expect("-- an operator has named you robert");
    bob.send("/join tea");
    bob.sync();
    daemon.ctl(&["close", "tea", "--reason", "it is late"]).done();
    bob.expect("-- tea was closed by an operator: it is late");
    assert!(daemon.ctl(&["metrics"]).done().ends_with("# EOF\n"));
    assert!(daemon.ctl(&["log-level"]).done().contains("info"));
    daemon.ctl(&["log-level", "debug"]).done();
    assert_eq!(daemon.ctl(&["--json", "log-level"]).json()["level"], "debug");
    daemon.ctl(&["reload"]).done();
    assert!(daemon.ctl(&["describe", "clients.kick"]).done().contains("reason"));
    assert_eq!(daemon.ctl(&["call", "clients.get", "{\"who\":\"ann\"}"]).json()["nick"], "ann");
    daemon.ctl(&["kick", "robert", "--reason", "good night"]).done();
    bob.expect("-- you were disconnected by an operator: good night");
    daemon.ctl(&["shutdown", "--message", "see you"]).done();
    ann.expect("-- the hub is shutting down: see you");
}

#[test]
fn exit_codes_of_ctl_tell_what_went_wrong() {
    let mut daemon = Daemon::start();
    for (code, args) in [
        (0, &["status"][..]),
        (1, &["close", "lobby"]),
        (2, &["kick"]),
        (2, &["statsu"]),
        (5, &["kick", "nobody"]),
        (5, &["topic", "nowhere"]),
        (5, &["describe", "no.such.command"]),
    ] {
        let ctl = daemon.ctl(args);
        assert_eq!(ctl.code, Some(code), "{args:?}: {ctl:?}");
        assert_eq!(ctl.err.is_empty(), code == 0, "{args:?}: {ctl:?}");
    }
    daemon.ctl(&["shutdown"]).done();
    assert_eq!(daemon.exit_code(), Some(0));
    assert_eq!(daemon.ctl(&["status"]).code, Some(3), "nobody answers");
}

#[test]
fn monitor_prints_an_object_a_line_until_the_daemon_ends() {
    let mut daemon = Daemon::start();
    let mut command = ctl_command(&daemon.admin_path(), &["monitor", "--json", "say", "shutdown"]);
    let mut monitor = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(monitor.stdout.take().unwrap());
    let mut ann = daemon.client("ann");
    // Said until it is seen: when the monitor listens is not told to anybody.
    let mut line = String::new();
    std::thread::scope(|scope| {
        let seen = scope.spawn(|| std::io::BufRead::read_line(&mut out, &mut line).unwrap());
        // Each time in other words: who repeats themselves is not heard for long.
        for time in 1.. {
            if seen.is_finished() {
                break;
            }
            ann.send(&format!("do you hear me? ({time})"));
            ann.sync();
        }
    });
    let event: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(event["event"], "say");
    assert!(event["text"].as_str().is_some_and(|text| text.starts_with("do you hear me? (")), "{event}");
    daemon.ctl(&["shutdown"]).done();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert!(rest.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{rest}");
    assert!(rest.contains("\"shutdown\""), "{rest}");
    monitor.wait().unwrap();
    assert_eq!(daemon.exit_code(), Some(0));
}

#[test]
fn names_that_people_chose_cannot_move_the_cursor_of_an_administrator() {
    let daemon = Daemon::start();
    let mut ann = Client::connect(&daemon, daemon.addr(), "ann");
    ann.greeted();
    ann.write(b"/away \x1b[2J\x9bgone\n");
    ann.expect("-- you are marked as away; /back ends it");
    for args in [&["clients"][..], &["client", "c1"], &["clients", "--json"]] {
        let out = daemon.ctl(args).done();
        assert!(out.bytes().all(|byte| byte == b'\n' || byte == b'\t' || !byte.is_ascii_control()), "{out:?}");
    }
}
