//! `chathub ctl` as a script sees it: the real program against a daemon that says what each test has it say.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use shared::missing::{have, not_tested};
use tempfile::TempDir;

#[path = "guard/mod.rs"]
mod guard;
mod shared;

// ---------------------------------------------------------------------------------------------
// The stage

/// No test here takes longer: one that does waits for what never comes, and its story is told.
const HANGS: Duration = Duration::from_secs(120);

/// One connection of the fake daemon.
struct Peer {
    /// What both have said so far, for the story.
    told: Arc<Mutex<String>>,
    from: BufReader<UnixStream>,
    to: UnixStream,
}

impl Peer {
    /// The next request.
    fn request(&mut self) -> Value {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        self.tell(">", line.as_bytes());
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("not a request: {line:?}: {error}"))
    }

    fn tell(&self, direction: &str, bytes: &[u8]) {
        let line = format!("daemon {direction} {}\n", String::from_utf8_lossy(bytes).trim_end());
        self.told.lock().unwrap().push_str(&line);
    }

    fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.tell("<", bytes.as_ref());
        // The program may have gone already, which some tests are about.
        let _ = self.to.write_all(bytes.as_ref());
    }

    fn done(&mut self, id: &Value, result: &Value) {
        self.write(format!("{}\n", json!({"id": id, "ok": true, "result": result})));
    }

    fn more(&mut self, id: &Value, result: &Value) {
        self.write(format!("{}\n", json!({"id": id, "ok": true, "more": true, "result": result})));
    }

    fn refuse(&mut self, id: &Value, code: &str, message: &str) {
        self.write(format!("{}\n", json!({"id": id, "ok": false, "error": {"code": code, "message": message}})));
    }

    /// Waits until the program has closed its end.
    fn until_closed(&mut self) {
        let _ = self.from.read_to_end(&mut Vec::new());
    }
}

/// A daemon that serves one connection as `script` says.
struct Fake<T> {
    dir: TempDir,
    thread: JoinHandle<T>,
    _guard: guard::Guard,
}

impl<T: Send + 'static> Fake<T> {
    fn new(script: impl FnOnce(&mut Peer) -> T + Send + 'static) -> Self {
        let dir = TempDir::new().unwrap();
        let listener = UnixListener::bind(dir.path().join("admin.sock")).unwrap();
        let told = Arc::new(Mutex::new(String::new()));
        let tells = told.clone();
        let thread = thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut peer = Peer { told: tells, from: BufReader::new(stream.try_clone().unwrap()), to: stream };
            script(&mut peer)
        });
        let guard = guard::Guard::new(HANGS, move || told.lock().map_or_else(|_| String::new(), |told| told.clone()));
        Self { dir, thread, _guard: guard }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("admin.sock")
    }

    /// Runs `chathub ctl ARGS` against it.
    #[track_caller]
    fn run(self, args: &[&str]) -> (Story, T) {
        let story = Story::new(ctl(args).env("CHATHUB_SOCKET", self.socket()).output().unwrap(), args);
        (story, self.thread.join().expect("the fake daemon follows its script"))
    }
}

/// One that answers one request with `result`; gives back the request.
fn answering(result: Value) -> Fake<Value> {
    Fake::new(move |peer| {
        let request = peer.request();
        peer.done(&request["id"], &result);
        request
    })
}

fn refusing(code: &'static str, message: &'static str) -> Fake<()> {
    Fake::new(move |peer| {
        let request = peer.request();
        peer.refuse(&request["id"], code, message);
    })
}

fn ctl(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chathub"));
    command.arg("ctl").args(args).env_remove("CHATHUB_SOCKET").env_remove("XDG_RUNTIME_DIR").stdin(Stdio::null());
    command
}

/// What came of it.
struct Story {
    code: Option<i32>,
    out: String,
    err: String,
    told: String,
}

impl Story {
    fn new(output: Output, args: &[&str]) -> Self {
        let code = output.status.code();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let told = format!("chathub ctl {}\ncode: {code:?}\n--- stdout\n{out}--- stderr\n{err}", args.join(" "));
        Self { code, out, err, told }
    }

    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.told);
        self
    }

    #[track_caller]
    fn prints(self, text: &str) -> Self {
        assert_eq!(self.out, text, "{}", self.told);
        self
    }

    #[track_caller]
    fn complains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "no {text:?} in\n{}", self.told);
        self
    }

    #[track_caller]
    fn without_complaint(self) -> Self {
        assert_eq!(self.err, "", "{}", self.told);
        self
    }
}

const T: &str = "2026-11-22T10:01:02.123Z";

/// Some seconds more than `seconds` ago, so that it is as many minutes however long the test takes.
fn ago(seconds: i64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let then = i64::try_from(now.as_millis()).unwrap() - (seconds + 10) * 1000;
    chathub::wire::admin::value::Time(chathub::values::time::Wall(then)).to_string()
}

fn ann() -> Value {
    json!({"id": "c7", "nick": "ann", "addr": "2001:db8::7", "port": 50312, "room": "lobby", "since": ago(7380), "idle_s": 4,
        "telnet": true, "behind_bytes": 0, "lines": 12, "dropped": 0, "missed": 0})
}

fn bob() -> Value {
    json!({"id": "c12", "nick": "bob\u{1b}[2J", "addr": "192.0.2.1", "port": 7, "room": "\u{4e2d}\u{6587}",
        "since": ago(172_800 + 3600), "idle_s": 7380, "telnet": false, "behind_bytes": 1536, "lines": 3, "dropped": 2, "missed": 5,
        "away": "tea", "muted": "lifted"})
}

fn status() -> Value {
    json!({"state": "serving", "version": "0.1.0", "pid": 4711, "since": T, "uptime_s": 7380, "clients": 2,
        "clients_peak": 40, "clients_max": 4096, "rooms": 1, "rooms_max": 1000, "history_lines": 1,
        "listeners": [{"name": "chat", "addr": "[::]:6969"}, {"name": "admin", "addr": "/run/chathub/admin.sock"}],
        "activated": true, "survival": "none: not a service", "log_level": "info",
        "counters": {"chathub_lines_total": 15, "chathub_refused_total": 0}})
}

fn said(seq: u64, kind: &str, nick: &str, text: &str) -> Value {
    json!({"seq": seq, "t": T, "room": "lobby", "nick": nick, "kind": kind, "text": text})
}

// ---------------------------------------------------------------------------------------------
// Exit codes

#[test]
fn refusals_of_the_daemon_become_exit_codes() {
    for (word, code) in [
        ("bad_request", 1),
        ("unknown_command", 5),
        ("bad_argument", 1),
        ("not_found", 5),
        ("denied", 4),
        ("conflict", 1),
        ("busy", 1),
        ("timeout", 6),
        ("internal", 1),
    ] {
        let (story, ()) = refusing(word, "no client \"nope\"").run(&["kick", "nope"]);
        story.exits(code).prints("").complains("chathub ctl: no client \"nope\"\n");
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_no_daemon_is_asked() {
    for args in [
        &["kick"][..],
        &["nonsense"],
        &[],
        &["log-level", "loud"],
        &["history", "--since", "10:30"],
        &["history", "--last", "0"],
        &["mute", "ann", "--for", "0"],
        &["call", "status", "[]"],
        &["monitor", "weddings"],
        &["shutdown", "--deadline", "2h"],
        &["say", " "],
        &["ban"],
        &["ban", "add"],
        &["ban", "add", "ann", "--for", "0"],
        &["ban", "add", "0.0.0.0/0"],
        &["account", "erase", "ann"],
        &["history", "--last", "many"],
        &["redact", "--seq", "x"],
        &["redact", "--yes"],
        &["backup"],
        &["history", "--format", "xml"],
        &["history", "--until", "yesterday", "--since", "today"],
        &["redact", "--until", "2h", "--since", "1h", "--yes"],
        &["call", "bans.add", r#"{"target":"ann","dry_run":true,"dry_run":false}"#],
        &["topic", "#"],
        &["clients", "--room", "a room"],
        &["close", ""],
        &["rooms", "set", "tea"],
        &["rooms", "set", "tea", "private", "public"],
    ] {
        let story = Story::new(ctl(args).env("CHATHUB_SOCKET", "/nowhere").output().unwrap(), args);
        assert!(!story.err.is_empty(), "{}", story.told);
        story.exits(2).prints("");
    }
}

#[test]
fn what_is_wrong_with_an_argument_is_said() {
    for (args, told) in [
        (&["mute", "ann", "--for", "-5s"][..], "-5s is not longer than nothing"),
        (&["ban", "add", "ann", "--for=-2h"], "-2h is not longer than nothing"),
        (&["kick", "ann", "--ban", "-1d"], "-1d is not longer than nothing"),
        (&["shutdown", "--deadline", "-1s"], "-1s is not longer than nothing"),
        (&["status", "--timeout", "-1s"], "-1s is not longer than nothing"),
        (&["mute", "ann", "--for", "--shadow"], "--shadow is no length of time"),
        (&["history", "--until", "yesterday", "--since", "today"], "is later than --until"),
        (&["call", "bans.add", r#"{"a":[{"x":1,"x":1}]}"#], "\"x\" is given twice"),
        (&["call", "bans.add", "{"], "it is not a JSON object: it ends too early"),
    ] {
        Story::new(ctl(args).env("CHATHUB_SOCKET", "/nowhere").output().unwrap(), args).exits(2).complains(told);
    }
}

/// A script is told that there is no such account before it is told to say --yes.
#[test]
fn what_is_not_there_needs_no_yes() {
    let (story, ()) = refusing("not_found", "no account \"nope\"").run(&["account", "erase", "nope"]);
    story.exits(5).prints("").complains("no account \"nope\"");
    let (story, request) = answering(json!({"name": "ann"})).run(&["account", "erase", "ann"]);
    assert_eq!(request, json!({"id": 1, "cmd": "accounts.get", "args": {"name": "ann"}}));
    story.exits(2).prints("").complains("--yes");
}

#[test]
fn request_that_is_too_long_is_not_sent() {
    let who: Vec<String> = (0..300).map(|n| format!("{n:0>250}")).collect();
    let args: Vec<&str> = std::iter::once("kick").chain(who.iter().map(String::as_str)).collect();
    let (story, ()) = Fake::new(Peer::until_closed).run(&args);
    story.exits(2).complains("at most 65536 are allowed");
}

#[test]
fn a_daemon_that_is_not_there_is_exit_code_3_and_what_was_tried_is_said() {
    let dir = TempDir::new().unwrap();
    let own = dir.path().join("chathub/admin.sock");
    if !Path::new("/run/chathub/admin.sock").exists() {
        let story = Story::new(ctl(&["status"]).env("XDG_RUNTIME_DIR", dir.path()).output().unwrap(), &["status"]);
        let tried = format!("there is no /run/chathub/admin.sock and no {}", own.display());
        story.exits(3).prints("").complains(&tried).complains("systemctl status chathub.socket");
    }
    let gone = dir.path().join("gone.sock");
    let args = ["status", "--socket", gone.to_str().unwrap()];
    let story = Story::new(ctl(&args).output().unwrap(), &args);
    story
        .exits(3)
        .complains(&format!("cannot connect to {}: no such file", gone.display()))
        .complains("--admin-socket");

    let dead = dir.path().join("dead.sock");
    drop(UnixListener::bind(&dead).unwrap());
    let args = ["status", "--socket", dead.to_str().unwrap()];
    let story = Story::new(ctl(&args).output().unwrap(), &args);
    story.exits(3).complains("connection refused").complains("nobody listens on it");
}

#[test]
fn a_socket_that_may_not_be_opened_is_exit_code_4() {
    if nix::unistd::geteuid().is_root() {
        // root may open anything: ask as somebody else.
        if !have("setpriv") {
            return;
        }
    }
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let socket = dir.path().join("admin.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o000)).unwrap();
    let program = dir.path().join("chathub"); // the build directory may be closed to others
    std::fs::copy(env!("CARGO_BIN_EXE_chathub"), &program).unwrap();
    let mut command = if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    let output = command.arg("ctl").arg("status").arg("--socket").arg(&socket).output().unwrap();
    let story = Story::new(output, &["status"]);
    story.exits(4).prints("").complains("permission denied").complains("Whoever started that daemon may");
}

/// Root alone can play two users: the one who listens, and the one who asks.
#[test]
fn nothing_is_said_to_a_socket_of_another_user() {
    if !nix::unistd::geteuid().is_root() {
        return not_tested("whose socket it is: that takes two users, and so root");
    }
    if !have("setpriv") || !have("perl") {
        return;
    }
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
    let socket = dir.path().join("admin.sock");
    let program = dir.path().join("chathub"); // the build directory may be closed to others
    std::fs::copy(env!("CARGO_BIN_EXE_chathub"), &program).unwrap();
    let as_user = |uid: u32| {
        let mut command = Command::new("setpriv");
        command.args([format!("--reuid={uid}"), format!("--regid={uid}"), "--clear-groups".into()]);
        command
    };
    // It says that it listens, and then how much it is told.
    let listens = r#"use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un($ARGV[0])); listen(S, 5);
        chmod(0777, $ARGV[0]); $| = 1; print "ready\n";
        for (1, 2) { accept(C, S); $n = sysread(C, $told, 1000); print "told $n bytes\n"; close(C) }"#;
    let mut stranger = as_user(65533);
    stranger.args(["perl", "-e", listens]).arg(&socket).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut stranger = stranger.spawn().unwrap();
    let mut says = BufReader::new(stranger.stdout.take().unwrap()).lines();
    assert_eq!(says.next().unwrap().unwrap(), "ready");
    let user = chathub::users::called(65533);
    for (mut command, option) in [(Command::new(&program), true), (as_user(65534), false)] {
        if !option {
            command.arg(&program);
        }
        command.args(["ctl", "account", "add", "ann", "--password-stdin"]).env_remove("CHATHUB_SOCKET");
        match option {
            true => command.arg("--socket").arg(&socket),
            false => command.env("CHATHUB_SOCKET", &socket),
        };
        let (from, mut to) = std::io::pipe().unwrap();
        to.write_all(b"my secret\n").unwrap();
        drop(to);
        let story = Story::new(command.stdin(from).output().unwrap(), &["account", "add", "ann"]);
        story.exits(4).prints("").complains(&format!("is of {user}")).complains("sudo -u");
        assert_eq!(says.next().unwrap().unwrap(), "told 0 bytes");
    }
    stranger.wait().unwrap();
    // Whoever has it for oneself, and root's, is asked: the fake daemon is of this process.
    for uid in [0, 65534] {
        let fake = answering(status());
        std::fs::set_permissions(fake.dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::set_permissions(fake.socket(), PermissionsExt::from_mode(0o777)).unwrap();
        let mut command = as_user(uid);
        let output = command.arg(&program).args(["ctl", "status", "--socket"]).arg(fake.socket()).output().unwrap();
        Story::new(output, &["status"]).exits(0).without_complaint();
    }
}

#[test]
fn a_silent_daemon_is_exit_code_6() {
    let (story, ()) = Fake::new(Peer::until_closed).run(&["status", "--timeout", "50ms"]);
    story.exits(6).prints("").complains("within 50ms");
}

#[test]
fn half_an_answer_and_then_silence_is_exit_code_6() {
    let fake = Fake::new(|peer| {
        let request = peer.request();
        peer.write(format!("{{\"id\":{},\"ok\":true,", request["id"]));
        peer.until_closed();
    });
    fake.run(&["status", "--timeout", "100ms"]).0.exits(6).prints("");
}

#[test]
fn a_full_backlog_is_exit_code_6_and_not_waited_for_for_ever() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("admin.sock");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let _first = UnixStream::connect(&path).unwrap(); // takes the one place there is
    let args = ["status", "--timeout", "100ms", "--socket", path.to_str().unwrap()];
    Story::new(ctl(&args).output().unwrap(), &args).exits(6);
}

#[test]
fn a_daemon_that_closes_early_is_exit_code_3() {
    Fake::new(|_| ())
        .run(&["status"])
        .0
        .exits(3)
        .prints("")
        .complains("closed the connection before its answer was whole");
    let half = Fake::new(|peer| {
        peer.request();
        peer.write("{\"id\":1,\"ok\":tr");
    });
    half.run(&["status"]).0.exits(3).prints("").complains("before its answer was whole");
}

#[test]
fn refusal_before_anything_was_asked_is_still_told() {
    let fake = Fake::new(|peer| {
        peer.refuse(&Value::Null, "busy", "too many admin connections: 64");
        peer.until_closed();
    });
    fake.run(&["status"]).0.exits(1).complains("chathub ctl: too many admin connections: 64");
}

#[test]
fn a_reply_that_is_garbage_is_exit_code_3() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"\xff\xfe\n",
        b"{\"id\":99,\"ok\":true,\"result\":{}}\n",
        b"{\"id\":1,\"ok\":true}\n",
        b"{\"id\":1,\"ok\":true,\"more\":true,\"result\":{}}\n",
        b"{\"id\":1,\"ok\":false,\"error\":{\"code\":\"whim\",\"message\":\"\"}}\n",
        b"{\"id\":1,\"ok\":true,\"result\":{\"clients\":7}}\n",
    ] {
        let fake = Fake::new(move |peer| {
            peer.request();
            peer.write(garbage);
            peer.until_closed();
        });
        let (story, ()) = fake.run(&["clients"]);
        story.exits(3).prints("").complains("makes no sense");
    }
}

#[test]
fn closed_pipe_is_success() {
    let fake = Fake::new(|peer| {
        let request = peer.request();
        // More than a pipe holds; ends when the program has gone, and writing fails.
        for seq in 0..20_000 {
            peer.more(&request["id"], &said(seq, "say", "ann", "hello hello hello"));
        }
    });
    let mut child = ctl(&["history"])
        .env("CHATHUB_SOCKET", fake.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap(); // and drops it
    Story::new(child.wait_with_output().unwrap(), &["history"]).exits(0).without_complaint();
    fake.thread.join().unwrap();
}

// ---------------------------------------------------------------------------------------------
// What is asked

#[test]
fn command_lines_become_requests() {
    let cases: &[(&[&str], &str, Value)] = &[
        (&["status"], "status", json!({})),
        (&["clients", "--room", "tea"], "clients.list", json!({"room": "tea"})),
        (&["client", "c7"], "clients.get", json!({"who": "c7"})),
        (&["kick", "c7", "ann", "--reason", "spam"], "clients.kick", json!({"who": ["c7", "ann"], "reason": "spam"})),
        (&["mute", "c7"], "clients.mute", json!({"who": ["c7"]})),
        (&["mute", "c7", "--for", "10min"], "clients.mute", json!({"who": ["c7"], "for_s": 600})),
        (&["unmute", "c7"], "clients.mute", json!({"who": ["c7"], "for_s": 0})),
        (&["rename", "c7", "eve"], "clients.rename", json!({"who": "c7", "nick": "eve"})),
        (&["lockdown"], "lockdown", json!({})),
        (
            &["lockdown", "--for", "10min", "--newcomers", "registered"],
            "lockdown",
            json!({"for_s": 600, "newcomers": "registered"}),
        ),
        (&["lockdown", "--off"], "lockdown", json!({"off": true})),
        (&["rooms"], "rooms.list", json!({})),
        (&["rooms", "list"], "rooms.list", json!({})),
        (&["rooms", "show", "tea"], "rooms.get", json!({"room": "tea"})),
        (
            &["rooms", "set", "lobby", "registered", "free", "--slow", "10s"],
            "rooms.set",
            json!({"room": "lobby", "registered": true, "moderated": false, "slow_s": 10}),
        ),
        (&["rooms", "set", "lobby", "--slow", "off"], "rooms.set", json!({"room": "lobby", "slow_s": 0})),
        (&["topic", "lobby"], "rooms.topic", json!({"room": "lobby"})),
        (&["topic", "lobby", "tea", "at 5"], "rooms.topic", json!({"room": "lobby", "text": "tea at 5"})),
        (&["topic", "lobby", "-"], "rooms.topic", json!({"room": "lobby", "text": ""})),
        (&["topic", "#lobby"], "rooms.topic", json!({"room": "lobby"})),
        (&["clients", "--room", "#tea"], "clients.list", json!({"room": "tea"})),
        (&["history-stats"], "history.stats", json!({})),
        (&["close", "#tea"], "rooms.close", json!({"room": "tea"})),
        (&["topic", "lobby", ""], "rooms.topic", json!({"room": "lobby", "text": ""})),
        (&["close", "tea", "--reason", "late"], "rooms.close", json!({"room": "tea", "reason": "late"})),
        (&["history-stats"], "history.stats", json!({})),
        (
            &["redact", "--client", "c7", "--since", "2026-11-22", "--yes"],
            "history.redact",
            json!({"client": "c7", "since": "2026-11-22T00:00:00.000Z"}),
        ),
        (&["redact", "--seq", "9", "--yes"], "history.redact", json!({"from_seq": 9, "to_seq": 9})),
        (&["kick", "c7", "--ban", "1h"], "clients.kick", json!({"who": ["c7"], "ban_s": 3600})),
        (
            &["ban", "add", "192.0.2.0/24", "--reason", "spam", "--for", "2h"],
            "bans.add",
            json!({"target": "192.0.2.0/24", "reason": "spam", "for_s": 7200}),
        ),
        (&["ban", "add", "::/0", "--yes"], "bans.add", json!({"target": "::/0", "yes": true})),
        (&["ban", "list"], "bans.list", json!({})),
        (&["ban", "remove", "b3"], "bans.remove", json!({"which": "b3"})),
        (&["ban", "test", "ann"], "bans.test", json!({"target": "ann"})),
        (
            &["filter", "add", "cheap pills", "--strike", "--for", "1h", "--reason", "raid"],
            "filters.add",
            json!({"text": "cheap pills", "strike": true, "for_s": 3600, "reason": "raid"}),
        ),
        (&["filter", "add", "/x/", "--dry-run"], "filters.add", json!({"text": "/x/", "dry_run": true})),
        (&["filter", "list"], "filters.list", json!({})),
        (&["filter", "remove", "f3"], "filters.remove", json!({"which": "f3"})),
        (&["report", "list"], "reports.list", json!({})),
        (&["report", "list", "--all"], "reports.list", json!({"all": true})),
        (&["report", "show", "r3"], "reports.show", json!({"report": "r3"})),
        (
            &["report", "close", "r3", "r5-r9", "--note", "seen"],
            "reports.close",
            json!({"reports": ["r3", "r5-r9"], "note": "seen"}),
        ),
        (&["say", "--room", "lobby", "hi", "all"], "say", json!({"room": "lobby", "text": "hi all"})),
        (&["metrics"], "metrics", json!({})),
        (&["log-level"], "log.level", json!({})),
        (&["log-level", "debug"], "log.level", json!({"level": "debug"})),
        (&["reload"], "reload", json!({})),
        (&["shutdown"], "shutdown", json!({})),
        (
            &["shutdown", "--deadline", "20s", "--message", "bye"],
            "shutdown",
            json!({"deadline_s": 20, "message": "bye"}),
        ),
        (&["describe"], "describe", json!({})),
        (&["describe", "say"], "describe", json!({"cmd": "say"})),
        (&["call", "hello"], "hello", json!({})),
        (&["call", "future.thing", "{\"x\":1}"], "future.thing", json!({"x": 1})),
    ];
    for (args, cmd, sent) in cases {
        // The answer does not matter: with --json it is printed as it is.
        let (story, request) = answering(json!({"any": 1})).run(&[args, &["--json"][..]].concat());
        story.exits(0).prints("{\"any\":1}\n").without_complaint();
        assert_eq!(request, json!({"id": 1, "cmd": cmd, "args": sent}), "{args:?}");
        if !args.contains(&"call") {
            let parsed = chathub::wire::admin::message::Request::parse(request.to_string().as_bytes());
            assert!(parsed.command.is_ok(), "{args:?}: {:?}", parsed.command);
        }
    }
}

#[test]
fn every_command_of_the_protocol_has_a_command_of_ctl() {
    let source = include_str!("../src/ctl/task.rs");
    for spec in chathub::wire::admin::COMMANDS {
        let camel: String = spec.name.split(['.', '_']).map(|word| word[..1].to_uppercase() + &word[1..]).collect();
        let reached = source.contains(&format!("Command::{camel}")) || spec.name == "hello";
        assert!(reached, "{} cannot be reached but by \"call\"", spec.name);
    }
}

// ---------------------------------------------------------------------------------------------
// What is printed

#[test]
fn status_is_a_list_of_facts() {
    let (story, _) = answering(status()).run(&["status"]);
    story.exits(0).without_complaint().prints(
        "    State: serving since 2026-11-22 10:01:02Z (2h 3min)
  Version: 0.1.0, process 4711
  Clients: 2 of at most 4096; 40 at the busiest
    Rooms: 1 of at most 1000
  History: 1 line in memory
Listening: chat on [::]:6969
           admin on /run/chathub/admin.sock
  Sockets: handed over by the service manager
 Survival: none: not a service
 Settings: defaults; no file was read
Log level: info
 Counters: chathub_lines_total 15
",
    );
}

#[test]
fn clients_are_a_table_and_their_texts_are_escaped() {
    let list = json!({"clients": [ann(), bob()], "total": 2});
    let (story, _) = answering(list.clone()).run(&["clients"]);
    story.exits(0).without_complaint().prints(
        "ID   NICK          ROOM   ADDRESS          AGE     IDLE  LINES  BEHIND  NOTES
c7   ann           lobby  2001:db8::7  2h 3min       4s     12       0  telnet
c12  bob\\u{1b}[2J  \u{4e2d}\u{6587}   192.0.2.1      2d 1h  2h 3min      3    1.5K  muted, dropped 2, missed 5, away: tea

2 clients listed.
",
    );
    let (story, _) = answering(json!({"clients": [ann()], "total": 1})).run(&["clients", "--no-legend"]);
    story.exits(0).prints("c7  ann  lobby  2001:db8::7  2h 3min  4s  12  0  telnet\n");
    let (story, _) = answering(json!({"clients": [], "total": 0})).run(&["clients"]);
    story.exits(0).prints("No clients.\n");
    let (story, _) = answering(list.clone()).run(&["clients", "--json"]);
    assert!(!story.out.trim_end().contains('\n') && !story.out.contains('\u{1b}'), "{}", story.told);
    assert_eq!(serde_json::from_str::<Value>(&story.out).unwrap(), list);
}

#[test]
fn reports_are_a_table_whose_reasons_are_seen_and_one_is_a_list_of_facts() {
    let party = |nick: &str, client: &str| json!({"nick": nick, "client": client});
    let open = json!({
        "id": "r12", "t": T, "age_s": 100, "last": T, "times": 2, "by": party("ann", "c7"), "shadow": true,
        "about": {"nick": "bob\u{1b}[2J", "client": "c12", "account": "robert", "now": "zed"}, "room": "lobby",
        "reason": "he is rude and goes on and on about boats", "lines": [3, 4, 5, 6],
    });
    let closed = json!({
        "id": "r13", "t": T, "age_s": 3600, "last": T, "times": 1, "by": party("", "c7"), "about": party("a-name-of-24-characters-.", "c8"),
        "room": "lobby", "erased": true, "lines": [], "closed": {"by": "uid 0", "t": T, "note": "seen"},
    });
    let list = json!({"reports": [open, closed], "total": 2, "open": 1, "persistent": false});
    let (story, _) = answering(list).run(&["report", "list", "--all"]);
    story.exits(0).without_complaint().prints(
        "ID        AGE  ABOUT                      BY        REASON
r12  1min 40s  bob\\u{1b}[2J               ann       (2 times) he is rude and goes on and on about boats
r13        1h  a-name-of-24-characters-.  (erased)  (closed) (erased)

2 reports listed.
They end with the daemon: nothing is recorded.
",
    );
    let line = json!({"seq": 3, "t": T, "room": "lobby", "nick": "bob", "kind": "say", "text": "boats!"});
    let lines = json!([
        {"seq": 3, "state": "kept", "line": line}, {"seq": 4, "state": "redacted"},
        {"seq": 5, "state": "private"}, {"seq": 6, "state": "gone"},
    ]);
    let shown = json!({"report": open, "lines": lines, "trouble": "it is locked"});
    answering(shown).run(&["report", "show", "r12"]).0.exits(0).without_complaint().prints(
        "Report: r12
 Since: 2026-11-22 10:01:02Z
 About: bob\\u{1b}[2J (c12), logged in as robert; is here as zed
    By: ann (c7); has left; muted, and did not know
  Room: lobby
Reason: he is rude and goes on and on about boats
 Again: 2 times in all, last at 2026-11-22 10:01:02Z
Closed: no
 Lines: 4 lines
2026-11-22 10:01:02Z  lobby         bob: boats!
line 4 was made unreadable
line 5 was said in private
line 6 is not kept any more

Lines on disk cannot be read now: it is locked
",
    );
    let done = json!({"closed": [closed], "open": 1});
    answering(done).run(&["report", "close", "r13"]).0.exits(0).prints("Closed r13; 1 report open.\n");
}

#[test]
fn client_is_a_list_of_facts() {
    let client = json!({"id": "c12", "nick": "bob\u{1b}[2J", "addr": "192.0.2.1", "port": 7, "room": "\u{4e2d}\u{6587}",
        "since": T, "idle_s": 7380, "telnet": false, "behind_bytes": 1536, "lines": 3, "dropped": 2, "missed": 5,
        "away": "tea", "muted": "lifted", "shadow": true, "account": "robert", "role": "operator", "strikes": 2});
    let (story, _) = answering(client).run(&["client", "c12"]);
    let shown = story.out.clone();
    let since = shown.lines().find(|line| line.starts_with("  Since: 2026-11-22 10:01:02Z (")).unwrap();
    story.exits(0).prints(
        &"     Id: c12
   Nick: bob\\u{1b}[2J
Address: 192.0.2.1:7
   Room: \u{4e2d}\u{6587}
SINCE
   Idle: 2h 3min
    TLS: none
 Telnet: no
   Sent: 3 lines, 2 dropped (sent too fast)
 Behind: 1.5K, 5 lines missed (read too slowly)
Account: robert, role operator
Strikes: 2 against this address
   Away: tea
  Muted: until it is lifted; does not know of it (shadow-mute)
"
        .replace("SINCE", since),
    );
}

const FINGERPRINT: &str = "101ec267892f6b2174799ebfc36fe7b6255c24f81b8d9b8b77f6a9c09d436092";

/// The account ann, to which these certificates log in.
fn account(certificates: &[&str]) -> Value {
    let since = "2026-11-22T10:01:02Z";
    let certificates: Vec<Value> = certificates.iter().map(|one| json!({"fingerprint": one, "since": since})).collect();
    json!({"name": "ann", "role": "member", "since": since, "seen": since, "password": false, "memos": 3,
        "certificates": certificates})
}

#[test]
fn account_is_a_list_of_facts_with_its_certificates() {
    let (story, _) = answering(account(&[FINGERPRINT, FINGERPRINT])).run(&["account", "show", "ann"]);
    story.exits(0).prints(&format!(
        "     Account: ann
        Role: member
       Since: 2026-11-22 10:01:02Z
        Seen: 2026-11-22 10:01:02Z
      Client: none is logged in
    Password: none
Certificates: {FINGERPRINT} since 2026-11-22 10:01:02Z
              {FINGERPRINT} since 2026-11-22 10:01:02Z
    Messages: 3 waiting
",
    ));
}

#[test]
fn what_was_done_is_one_sentence_and_nothing_with_quiet() {
    let cases: &[(&[&str], Value, &str)] = &[
        (&["kick", "c7"], json!({"kicked": ["c7"]}), "Disconnected c7.\n"),
        (&["kick", "ann"], json!({"kicked": ["c7"]}), "Disconnected ann (c7).\n"),
        (
            &["kick", "c7", "bob"],
            json!({"kicked": ["c7", "c12"], "people": [{"id": "c7", "nick": "ann"}, {"id": "c12", "nick": "bob"}]}),
            "Disconnected ann (c7), bob (c12).\n",
        ),
        (
            &["account", "erase", "ann", "--yes"],
            json!({"lines": 2, "topics": 1, "dry_run": false}),
            "Removed the account ann; 2 lines said under its name made unreadable, 1 topic cleared.\n",
        ),
        (
            &["account", "erase", "ann", "--yes"],
            json!({"lines": 0, "dry_run": false}),
            "Removed the account ann; nothing that was said under its name is kept.\n",
        ),
        (
            &["account", "certify", "ann", FINGERPRINT],
            json!({"account": account(&[FINGERPRINT])}),
            "1 certificate logs in to ann now.\n",
        ),
        (
            &["account", "uncertify", "ann", FINGERPRINT],
            json!({"account": account(&[FINGERPRINT, FINGERPRINT])}),
            "It does not log in to ann any more; 2 certificates left.\n",
        ),
        (
            &["account", "uncertify", "ann", FINGERPRINT],
            json!({"account": account(&[])}),
            "It does not log in to ann any more.\n",
        ),
        (&["kick", "ann", "bob"], json!({"kicked": ["c7", "c12"]}), "Disconnected c7, c12.\n"),
        (&["mute", "ann"], json!({"muted": ["c7"]}), "Muted ann (c7) until it is lifted.\n"),
        (
            &["mute", "ann", "--for", "1h"],
            json!({"muted": ["c7"], "until": T}),
            "Muted ann (c7) until 2026-11-22 10:01:02Z, in 1 h.\n",
        ),
        (&["unmute", "ann"], json!({"muted": ["c7"]}), "Unmuted ann (c7).\n"),
        (&["rename", "ann", "eve"], json!({"id": "c7", "from": "ann", "nick": "eve"}), "ann (c7) is now eve.\n"),
        (&["topic", "tea", "x"], json!({"room": "tea", "topic": "x\u{202e}"}), "The topic of tea is now: x\\u{202e}\n"),
        (&["topic", "tea", ""], json!({"room": "tea", "topic": ""}), "The topic of tea is cleared.\n"),
        (&["close", "tea"], json!({"room": "tea", "moved": 1}), "Closed tea; 1 client moved to the lobby.\n"),
        (&["say", "hi"], json!({"rooms": 2, "clients": 7}), "Said to 7 clients in 2 rooms.\n"),
        (&["log-level", "debug"], json!({"level": "debug"}), "The log level is now debug, until the next start.\n"),
        (&["reload"], json!({"applied": [], "restart": []}), "Settings read; nothing has changed.\n"),
        (
            &["reload"],
            json!({"applied": ["chat.greeting", "flood.lines"], "restart": ["store.path"]}),
            "In force now: chat.greeting, flood.lines.\nIn force after a restart: store.path.\n",
        ),
    ];
    for (args, result, text) in cases {
        answering(result.clone()).run(args).0.exits(0).without_complaint().prints(text);
        answering(result.clone()).run(&[args, &["-q"][..]].concat()).0.exits(0).without_complaint().prints("");
    }
}

#[test]
fn what_was_asked_for_is_printed_with_quiet_too() {
    answering(json!({"room": "tea", "topic": "x"})).run(&["topic", "tea", "-q"]).0.exits(0).prints("x\n");
    answering(json!({"room": "tea", "topic": ""})).run(&["topic", "tea"]).0.exits(0).prints("(no topic)\n");
    answering(json!({"level": "warn"})).run(&["log-level", "-q"]).0.exits(0).prints("warn\n");
    let metrics = json!({"text": "chathub_clients 2\n# EOF\n"});
    answering(metrics).run(&["metrics", "-q"]).0.exits(0).prints("chathub_clients 2\n# EOF\n");
}

#[test]
fn rooms_are_a_table() {
    let room = json!({"name": "lobby", "topic": "be kind", "members": 2, "since": ago(7380), "lines": 15, "history_lines": 10,
        "registered": true, "topic_locked": true, "slow_s": 10});
    let tea = json!({"name": "tea", "topic": "", "members": 0, "since": ago(172_800 + 3600), "lines": 0, "history_lines": 0,
        "owner": "ann", "private": true});
    let (story, _) = answering(json!({"rooms": [room.clone(), tea], "total": 2})).run(&["rooms"]);
    story.exits(0).prints(
        "ROOM   MEMBERS  LINES  KEPT      AGE  OWNER  MODES                                TOPIC
lobby        2     15    10  2h 3min  -      registered, topic-locked, slow 10 s  be kind
tea          0      0     0    2d 1h  ann    private                              -

2 rooms listed.
",
    );
    let mut room = room;
    room["since"] = json!(T);
    let (story, _) = answering(room.clone()).run(&["rooms", "show", "lobby"]);
    story.exits(0).prints(
        "      Room: lobby
     Owner: nobody: operators have its say
Moderators: none
 Successor: none
     Modes: registered, topic-locked, slow 10 s
     Topic: be kind
   Members: 2
     Since: 2026-11-22 10:01:02Z
     Lines: 15, 10 kept in memory
",
    );
    let (story, _) = answering(room).run(&["rooms", "set", "lobby", "registered", "--slow", "10s"]);
    story.exits(0).prints("lobby is now: registered, topic-locked, slow 10 s.\n");
}

#[test]
fn history_stats_are_a_table() {
    let stats = json!({"lines": 10, "bytes": 2048, "lines_per_room": 500, "persistent": false,
        "rooms": [{"room": "lobby", "lines": 10, "oldest": T}, {"room": "tea", "lines": 0}]});
    let (story, _) = answering(stats).run(&["history-stats"]);
    story.exits(0).prints(
        "ROOM   LINES  OLDEST
lobby     10  2026-11-22 10:01:02Z
tea        0  -

2 rooms listed.
10 lines (2.0K) in memory, at most 500 a room; history ends with the daemon.
",
    );
}

#[test]
fn commands_are_explained() {
    use chathub::wire::admin::args::DescribeArgs;
    use chathub::wire::admin::describe::describe;
    use chathub::wire::admin::value::Text;
    let description = describe(&DescribeArgs { cmd: Some(Text("rooms.close".into())) }).unwrap();
    let (story, _) = answering(serde_json::to_value(&description).unwrap()).run(&["describe", "rooms.close"]);
    story.exits(0).prints(
        "rooms.close: Closes a room; those in it are moved to the lobby.

ARGUMENT  TYPE                              ABOUT
room      string, 1 to 256 bytes  always    The name of the room to close, which cannot be the lobby.
reason    string, 1 to 256 bytes  optional  The reason for closing the room, told to those in it.

RESULT  TYPE             ABOUT
moved   integer  always  The number of people who were moved from the room to the lobby.
room    string   always  The name of the room that was closed.
",
    );
    let all = describe(&DescribeArgs::default()).unwrap();
    let (story, _) = answering(serde_json::to_value(&all).unwrap()).run(&["describe"]);
    assert!(
        story.out.contains("\nclients.kick        admin    changes  one          Disconnects clients"),
        "{}",
        story.told
    );
    assert!(story.out.ends_with(&format!("\n\n{} commands listed.\n", all.commands.len())), "{}", story.told);
}

#[test]
fn shutdown_says_what_became_of_it_and_warns_of_activation() {
    let result = json!({"clients": 12, "gave_up": 3, "warning": "chathub.socket still listens"});
    let (story, _) = answering(result.clone()).run(&["shutdown"]);
    story
        .exits(0)
        .prints("Stopped; 12 clients were told goodbye.\nGave up on some: 3 clients had not taken all that was owed when the deadline came.\n")
        .complains("chathub ctl: warning: chathub.socket still listens\n")
        .complains("systemctl stop 'chathub*.socket' chathub.service");
    answering(result.clone()).run(&["shutdown", "--quiet"]).0.exits(0).prints("").without_complaint();
    let (story, _) = answering(result).run(&["shutdown", "--json"]);
    story.exits(0).complains("still listens");
    answering(json!({"clients": 1, "gave_up": 0}))
        .run(&["shutdown"])
        .0
        .exits(0)
        .prints("Stopped; 1 client was told goodbye.\n")
        .without_complaint();
}

#[test]
fn errors_of_several_lines_stay_lines() {
    let errors = "2 mistakes in the settings\nchathub.toml:3: no setting \"foo\"\nchathub.toml:7: too long\u{7}";
    let (story, ()) = refusing("conflict", errors).run(&["reload"]);
    assert_eq!(
        story.err,
        "chathub ctl: 2 mistakes in the settings\n  chathub.toml:3: no setting \"foo\"\n  chathub.toml:7: too long\\u{7}\n"
    );
    story.exits(1).prints("");
}

#[test]
fn no_number_is_too_great() {
    let mut status = status();
    let mut client = ann();
    for key in ["uptime_s", "clients", "clients_peak", "clients_max", "rooms", "rooms_max", "history_lines"] {
        status[key] = json!(u64::MAX);
    }
    for key in ["idle_s", "behind_bytes", "lines", "dropped", "missed"] {
        client[key] = json!(u64::MAX);
    }
    client["since"] = json!("9999-12-31T23:59:59Z");
    let list = json!({"clients": [client, client], "total": u64::MAX});
    answering(status.clone()).run(&["status"]).0.exits(0);
    answering(list.clone()).run(&["clients"]).0.exits(0);
    let fake = Fake::new(move |peer| {
        let (first, second) = (peer.request(), peer.request());
        peer.done(&first["id"], &status);
        peer.done(&second["id"], &list);
    });
    fake.run(&["top", "--timeout", "300000y"]).0.exits(0);
}

#[test]
fn errors_of_the_daemon_are_escaped() {
    refusing("conflict", "\u{1b}]0;owned\u{7}").run(&["reload"]).0.exits(1).complains("\\u{1b}]0;owned\\u{7}");
}

// ---------------------------------------------------------------------------------------------
// Streams

fn history() -> Fake<Value> {
    Fake::new(|peer| {
        let request = peer.request();
        let id = &request["id"];
        peer.more(id, &said(981, "say", "ann", "hi"));
        // The rest in pieces of one byte: lines are lines however they arrive.
        let mut rest = String::new();
        for (seq, kind, text) in
            [(982, "emote", "waves\u{1b}[31m"), (983, "notice", "restart soon"), (984, "topic", "tea")]
        {
            rest +=
                &format!("{}\n", json!({"id": id, "ok": true, "more": true, "result": said(seq, kind, "bob", text)}));
        }
        rest += &format!("{}\n", json!({"id": id, "ok": true, "result": {"count": 4}}));
        for byte in rest.as_bytes() {
            peer.write([*byte]);
        }
        request
    })
}

#[test]
fn history_is_asked_for_as_a_stream_and_reads_as_chat() {
    let (story, request) = history().run(&["history", "--room", "lobby", "--last", "4"]);
    assert_eq!(request, json!({"id": 1, "cmd": "history.dump", "args": {"room": "lobby", "last": 4}, "more": true}));
    story.exits(0).without_complaint().prints(
        "TIME (UTC)            ROOM          LINE
2026-11-22 10:01:02Z  lobby         ann: hi
2026-11-22 10:01:02Z  lobby         * bob waves\\u{1b}[31m
2026-11-22 10:01:02Z  lobby         -- restart soon
2026-11-22 10:01:02Z  lobby         -- bob set the topic: tea

4 lines listed.
",
    );
}

#[test]
fn history_as_json_is_one_object_a_line() {
    let args = ["history", "--json", "--search", "hi", "--since", "2026-11-22", "--until", "2026-11-22T12:00:00+01:00"];
    let (story, request) = history().run(&args);
    let sent = json!({"query": "hi", "since": "2026-11-22T00:00:00.000Z", "until": "2026-11-22T11:00:00.000Z"});
    assert_eq!(request, json!({"id": 1, "cmd": "history.search", "args": sent, "more": true}));
    let story = story.exits(0).without_complaint();
    let lines: Vec<Value> = story.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[1], said(982, "emote", "bob", "waves\u{1b}[31m"));
    assert!(!story.out.contains('\u{1b}'));
}

#[test]
fn stream_that_breaks_off_keeps_what_came_and_fails() {
    let fake = Fake::new(|peer| {
        let request = peer.request();
        peer.more(&request["id"], &said(1, "say", "ann", "hi"));
    });
    let (story, ()) = fake.run(&["history", "--no-legend"]);
    story.exits(3).prints("2026-11-22 10:01:02Z  lobby         ann: hi\n").complains("closed the connection");
    let fake = Fake::new(|peer| {
        let request = peer.request();
        peer.more(&request["id"], &said(1, "say", "ann", "hi"));
        peer.refuse(&request["id"], "internal", "disk on fire");
    });
    let (story, ()) = fake.run(&["history", "--no-legend"]);
    story
        .exits(1)
        .prints("2026-11-22 10:01:02Z  lobby         ann: hi\n")
        .complains("disk on fire")
        .complains("journalctl");
}

/// `history --output` to `file`, of which the first line says what was written.
#[track_caller]
fn written_to(file: &Path) -> Story {
    history().run(&["history", "--output", file.to_str().unwrap()]).0
}

#[test]
fn a_plain_file_is_replaced_when_all_is_there_also_behind_links() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    std::fs::create_dir(at("deep")).unwrap();
    std::os::unix::fs::symlink("deep/real", at("link")).unwrap();
    std::os::unix::fs::symlink("../link", at("deep/second")).unwrap();
    for round in ["new", "replaced"] {
        written_to(&at("deep/second")).exits(0).prints("").without_complaint();
        let real = std::fs::read_to_string(at("deep/real")).unwrap();
        assert!(real.contains("ann") && real.matches("tea").count() == 1, "{round}: {real}");
        assert!(std::fs::symlink_metadata(at("link")).unwrap().is_symlink(), "{round}");
        assert!(std::fs::symlink_metadata(at("deep/second")).unwrap().is_symlink(), "{round}");
    }
    std::os::unix::fs::symlink("loop", at("loop")).unwrap();
    for (no_file, why) in
        [("loop", "symbolic link"), ("deep", "directory"), ("none/x", "no such file"), ("", "directory")]
    {
        let fake = Fake::new(Peer::until_closed);
        let (story, ()) = fake.run(&["history", "--output", at(no_file).to_str().unwrap()]);
        story.exits(1).complains("cannot write").complains(why);
    }
    assert_eq!(std::fs::read_dir(at("deep")).unwrap().count(), 2, "nothing is left beside them");
    // A copy replaces nothing, not even a link that leads nowhere.
    std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
    for there in ["deep/real", "dangling"] {
        let (story, ()) = Fake::new(Peer::until_closed).run(&["backup", at(there).to_str().unwrap()]);
        story.exits(1).complains("it exists already");
    }
}

#[test]
fn what_a_killed_program_has_left_of_a_file_is_removed_by_the_next_one() {
    let dir = TempDir::new().unwrap();
    let at = |name: &str| dir.path().join(name);
    // A number that no process has, our own, and names that are no left-overs.
    let stay = [
        format!("copy.part-{}", std::process::id()),
        "copy.part-".into(),
        "copy.part-2x".into(),
        "copy.part--1".into(),
        "other.part-4999999".into(),
    ];
    for name in stay.iter().map(String::as_str).chain(["copy.part-4999999", "copy.part-4999998"]) {
        std::fs::write(at(name), "half").unwrap();
    }
    // Somebody writes it, of whose process this machine knows nothing.
    let written = std::fs::File::open(at("copy.part-4999998")).unwrap();
    written.lock().unwrap();
    written_to(&at("copy")).exits(0).without_complaint();
    let mut left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let mut wanted = [&stay[..], &["copy".into(), "copy.part-4999998".into()]].concat();
    left.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(left, wanted);
}

#[test]
fn devices_and_pipes_are_written_and_stay_what_they_are() {
    let dir = TempDir::new().unwrap();
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let (from, reads) = (pipe.clone(), thread::spawn);
    let read = reads(move || std::fs::read_to_string(from).unwrap());
    written_to(&pipe).exits(0).prints("").without_complaint();
    assert!(read.join().unwrap().contains("waves"));
    let mut left = std::fs::read_dir(dir.path()).unwrap();
    assert!(std::os::unix::fs::FileTypeExt::is_fifo(&left.next().unwrap().unwrap().file_type().unwrap()));
    assert!(left.next().is_none());

    // A pseudo-terminal is a device that a test may lose; /dev/null is not.
    let pty = nix::pty::openpty(None, None).unwrap();
    let device = nix::unistd::ttyname(&pty.slave).unwrap();
    written_to(&device).exits(0).prints("").without_complaint();
    let mut shown = [0; 4096];
    let read = std::fs::File::from(pty.master.try_clone().unwrap()).read(&mut shown).unwrap();
    assert!(String::from_utf8_lossy(&shown[..read]).contains("ann"));

    // Standard output, by its names; where it is a file, behind what is there.
    for name in ["-", "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
        let story = written_to(Path::new(name)).exits(0).without_complaint();
        assert!(story.out.contains("waves"), "{name}: {}", story.told);
        let file = dir.path().join("redirected");
        std::fs::write(&file, "before\n").unwrap();
        let out = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
        let fake = history();
        let ran =
            ctl(&["history", "--output", name]).env("CHATHUB_SOCKET", fake.socket()).stdout(out).status().unwrap();
        assert!(ran.success(), "{name}");
        let held = std::fs::read_to_string(&file).unwrap();
        assert!(held.starts_with("before\n") && held.contains("waves"), "{name}: {held}");
    }
    assert!(!Path::new("-").exists());
}

#[test]
fn a_signal_leaves_no_half_file_and_ends_it_as_shells_expect() {
    use nix::sys::signal::{Signal, kill};
    use std::os::unix::process::ExitStatusExt as _;
    for (signal, ignored) in [(Signal::SIGINT, false), (Signal::SIGTERM, false), (Signal::SIGHUP, true)] {
        for args in [["backup", "copy"], ["history", "--output=copy"]] {
            let dir = TempDir::new().unwrap();
            let (asked, asks) = std::sync::mpsc::channel();
            let fake = Fake::new(move |peer| {
                let request = peer.request();
                asked.send(()).unwrap();
                if ignored {
                    peer.refuse(&request["id"], "busy", "it goes on");
                }
                peer.until_closed();
            });
            let mut command = ctl(&args);
            if ignored {
                let program = command.get_program().to_owned();
                command = Command::new("nohup");
                command.arg(program).arg("ctl").args(args).env_remove("XDG_RUNTIME_DIR");
            }
            command.env("CHATHUB_SOCKET", fake.socket()).current_dir(dir.path()).stdout(Stdio::null());
            let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            asks.recv().unwrap(); // so it has begun the file
            if !ignored {
                assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "{args:?}");
            }
            let _ = kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), signal);
            let ended = child.wait().unwrap();
            if ignored {
                assert_eq!(ended.code(), Some(1), "{signal} {args:?}: {ended}");
            } else {
                assert_eq!(ended.signal(), Some(signal as i32), "{signal} {args:?}: {ended}");
            }
            assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{signal} {args:?}");
            fake.thread.join().unwrap();
        }
    }
}

fn events() -> Fake<Value> {
    Fake::new(|peer| {
        let request = peer.request();
        let id = &request["id"];
        let join = json!({"event": "join", "t": T, "client": "c9", "nick": "eve", "room": "lobby", "lost": 0});
        let kick = json!({"event": "kick", "t": T, "client": "c9", "text": "spam", "by": "uid 0", "lost": 2});
        peer.more(id, &join);
        peer.more(id, &kick);
        peer.done(id, &json!({"count": 2}));
        request
    })
}

#[test]
fn events_are_lines_and_losses_are_complained_of() {
    let (story, request) = events().run(&["monitor", "join", "kick"]);
    assert_eq!(request, json!({"id": 1, "cmd": "events.subscribe", "args": {"kinds": ["join", "kick"]}, "more": true}));
    story
        .exits(0)
        .prints(
            "2026-11-22 10:01:02Z  join      eve (c9) in lobby\n2026-11-22 10:01:02Z  kick      c9: spam [by root (0)]\n",
        )
        .complains("2 events lost");
    let (story, _) = events().run(&["monitor", "--json"]);
    assert_eq!(story.out.lines().count(), 2);
    story.exits(0).without_complaint();
}

#[test]
fn events_are_shown_when_they_happen() {
    let (go, gone) = std::sync::mpsc::channel();
    let fake = Fake::new(move |peer| {
        let request = peer.request();
        let event = json!({"event": "reload", "t": T, "lost": 0});
        peer.more(&request["id"], &event);
        gone.recv().unwrap(); // the second only after the first was read
        peer.more(&request["id"], &event);
        peer.until_closed();
    });
    let mut child = ctl(&["monitor"])
        .env("CHATHUB_SOCKET", fake.socket())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(out.next().unwrap().unwrap().contains("reload"));
    go.send(()).unwrap();
    assert!(out.next().unwrap().unwrap().contains("reload"));
    child.kill().unwrap();
    child.wait().unwrap();
    fake.thread.join().unwrap();
}

#[test]
fn monitor_ends_when_its_reader_is_gone_though_nothing_happens() {
    for args in [&["monitor", "--json"][..], &["monitor"]] {
        let fake = Fake::new(|peer| {
            peer.request();
            peer.until_closed();
        });
        let (from, to) = std::io::pipe().unwrap();
        let mut child = ctl(args).env("CHATHUB_SOCKET", fake.socket()).stdout(to).spawn().unwrap();
        drop(from);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        fake.thread.join().unwrap();
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_chathub")).args(args).stdout(full()).output().unwrap();
        Story::new(output, args)
    };
    for args in [
        &["--help"][..],
        &["--version"],
        &["ctl", "kick", "--help"],
        &["check-config", "/dev/null"],
        &["ctl", "completions", "bash"],
    ] {
        run(args).exits(1).complains("cannot write the answer: no space left on device");
    }
    for args in ["--help", "check-config /dev/null", "ctl status"] {
        let line = format!("exec {} {args} >&-", env!("CARGO_BIN_EXE_chathub"));
        let fake = answering_always(status());
        let output = Command::new("sh").args(["-c", &line]).env("CHATHUB_SOCKET", fake.socket()).output().unwrap();
        Story::new(output, &[args]).exits(1).complains("cannot write the answer: standard output is closed");
        drop(fake);
    }
    let fake = answering(status());
    let output = ctl(&["status"]).env("CHATHUB_SOCKET", fake.socket()).stdout(full()).output().unwrap();
    Story::new(output, &["status"]).exits(1).complains("cannot write the answer: no space left on device");
}

#[test]
fn a_pipe_is_no_settings_file_and_one_of_the_shell_is_read() {
    let dir = TempDir::new().unwrap();
    let pipe = dir.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let check = |file: &Path, input: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chathub"));
        Story::new(command.arg("check-config").arg(file).stdin(input).output().unwrap(), &["check-config"])
    };
    check(&pipe, Stdio::null()).exits(78).complains("it is a pipe, and no file");
    let (from, mut to) = std::io::pipe().unwrap();
    to.write_all(b"[limits]\nclients = 7\n").unwrap();
    drop(to);
    let story = check(Path::new("/dev/stdin"), from.into()).exits(0);
    assert!(story.out.contains("limits.clients = 7"), "{}", story.told);
}

#[test]
fn monitor_gives_up_only_when_asked_to() {
    let fake = Fake::new(Peer::until_closed);
    fake.run(&["monitor", "--timeout", "50ms"]).0.exits(0).prints("").complains("Nothing has happened for 50ms.");
}

#[test]
fn call_prints_every_result_of_a_stream() {
    let (story, request) = events().run(&["call", "events.subscribe", "--more"]);
    assert_eq!(request["more"], json!(true));
    assert_eq!(story.out.lines().last(), Some("{\"count\":2}"));
    assert_eq!(story.exits(0).out.lines().count(), 3);
}

#[test]
fn top_without_a_terminal_is_one_frame_asked_for_in_one_go() {
    let fake = || {
        Fake::new(|peer| {
            let (first, second) = (peer.request(), peer.request()); // both before any answer
            peer.done(&first["id"], &status());
            let [mut ann, mut bob] = [ann(), bob()];
            (ann["since"], bob["since"]) = (json!(T), json!(T)); // as long as the daemon runs
            peer.done(&second["id"], &json!({"clients": [ann, bob], "total": 2}));
            peer.until_closed();
            [first["cmd"].clone(), second["cmd"].clone()]
        })
    };
    let (story, asked) = fake().run(&["top"]);
    assert_eq!(asked, [json!("status"), json!("clients.list")]);
    story.exits(0).without_complaint().prints(
        "chathub 0.1.0, serving for 2h 3min: 2 of 4096 clients, 1 room, 0.0 lines/s, 1.5K behind

RATE  LINES  BEHIND     IDLE  ID   NICK          ROOM   NOTES
 0.0     12       0       4s  c7   ann           lobby  telnet
 0.0      3    1.5K  2h 3min  c12  bob\\u{1b}[2J  \u{4e2d}\u{6587}   muted, dropped 2, missed 5, away: tea
",
    );
    let (story, _) = fake().run(&["top", "--json"]);
    let shown: Value = serde_json::from_str(&story.out).unwrap();
    assert_eq!(shown["status"]["pid"], json!(4711));
    assert_eq!(shown["clients"][0]["nick"], json!("ann"));
}

// ---------------------------------------------------------------------------------------------
// On a terminal

/// Runs `chathub ctl ARGS` on a terminal of 70 columns and 12 rows, and types `keys` once `cue` has
/// appeared `times` times. Gives back the exit code and everything that appeared.
fn on_terminal(socket: &Path, args: &[&str], cue: &str, times: usize, keys: &[u8]) -> (Option<i32>, String) {
    on_terminal_with(socket, args, &[("TERM", "linux"), ("NO_COLOR", "1"), ("PAGER", "cat")], cue, times, keys)
}

/// The same where standard error is that terminal as well, as it is where somebody can be asked.
fn on_terminal_asked(socket: &Path, args: &[&str], cue: &str, times: usize, keys: &[u8]) -> (Option<i32>, String) {
    let quoted = args.join(" ");
    let program = env!("CARGO_BIN_EXE_chathub");
    let line = format!("exec {program} ctl {quoted} 2>&1");
    let size = nix::pty::Winsize { ws_row: 24, ws_col: 70, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = nix::pty::openpty(Some(&size), None).unwrap();
    let slave = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &line]).env("TERM", "linux").env("NO_COLOR", "1").env("CHATHUB_SOCKET", socket);
    let child = command.stdin(slave()).stdout(slave()).spawn().unwrap();
    drop(command);
    typed_at(pty, child, cue, times, keys)
}

/// Types `keys` at the terminal of a program once `cue` has appeared `times` times. Gives back the exit code and
/// everything that appeared.
fn typed_at(
    pty: nix::pty::OpenptyResult,
    mut child: std::process::Child,
    cue: &str,
    times: usize,
    keys: &[u8],
) -> (Option<i32>, String) {
    let mut master = std::fs::File::from(pty.master);
    drop(pty.slave); // so that reading ends with the program
    let (mut shown, mut typed, mut piece) = (Vec::new(), false, [0; 4096]);
    while let Ok(read @ 1..) = master.read(&mut piece) {
        shown.extend_from_slice(&piece[..read]);
        if !typed && String::from_utf8_lossy(&shown).matches(cue).count() >= times {
            master.write_all(keys).unwrap();
            typed = true;
        }
    }
    (child.wait().unwrap().code(), String::from_utf8(shown).unwrap())
}

/// The same with these variables set.
fn on_terminal_with(
    socket: &Path,
    args: &[&str],
    variables: &[(&str, &str)],
    cue: &str,
    times: usize,
    keys: &[u8],
) -> (Option<i32>, String) {
    let size = nix::pty::Winsize { ws_row: 12, ws_col: 70, ws_xpixel: 0, ws_ypixel: 0 };
    let pty = nix::pty::openpty(Some(&size), None).unwrap();
    let slave = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut command = ctl(args);
    command.env_remove("NO_COLOR").env_remove("SUDO_UID").envs(variables.iter().copied());
    let child = command.env("CHATHUB_SOCKET", socket).stdin(slave()).stdout(slave()).spawn().unwrap();
    drop(command); // it holds the terminal, too
    typed_at(pty, child, cue, times, keys)
}

/// A program on a terminal that is looked at while it runs.
struct Watched {
    child: std::process::Child,
    pty: nix::pty::OpenptyResult,
    shown: String,
}

impl Watched {
    fn new(socket: &Path, args: &[&str], term: &str) -> Self {
        let pty = nix::pty::openpty(None, None).unwrap();
        let slave = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = ctl(args);
        command.env("TERM", term).env("CHATHUB_SOCKET", socket).stdin(slave()).stdout(slave());
        Self { child: command.spawn().unwrap(), pty, shown: String::new() }
    }

    /// Waits until `cue` has appeared so often.
    fn until(&mut self, cue: &str, times: usize) {
        let mut master = std::fs::File::from(self.pty.master.try_clone().unwrap());
        let mut piece = [0; 4096];
        while self.shown.matches(cue).count() < times {
            let read = master.read(&mut piece).unwrap();
            self.shown += &String::from_utf8_lossy(&piece[..read]);
        }
    }

    fn flags(&self) -> nix::sys::termios::LocalFlags {
        nix::sys::termios::tcgetattr(&self.pty.slave).unwrap().local_flags
    }

    fn end(&mut self) -> std::process::ExitStatus {
        let pid = nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().unwrap()
    }
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let fake = answering_always(json!({"clients": [ann()], "total": 1}));
    let mut watched = Watched::new(&fake.socket(), &["clients", "--watch=100ms"], "linux");
    watched.until("ann", 1);
    let without = watched.flags();
    watched.end();
    watched.until("\x1b[?1049l", 1);
    assert!(watched.shown.ends_with("\x1b[?7h\x1b[?25h\x1b[?1049l"), "{:?}", watched.shown);
    assert_ne!(without, watched.flags());
    fake.thread.join().unwrap();
}

#[test]
fn a_terminal_that_knows_no_sequences_is_sent_none() {
    for term in ["dumb", ""] {
        for args in [["clients", "--watch=100ms"], ["top", "--interval=100ms"]] {
            let fake = Fake::new(|peer| {
                let mut line = String::new();
                while peer.from.read_line(&mut line).unwrap() > 0 {
                    let request: Value = serde_json::from_str(&line).unwrap();
                    let list = json!({"clients": [ann()], "total": 1});
                    peer.done(&request["id"], &if request["cmd"] == "status" { status() } else { list });
                    line.clear();
                }
            });
            let mut watched = Watched::new(&fake.socket(), &args, term);
            watched.until("ann", 3);
            watched.end();
            assert!(!watched.shown.contains('\x1b'), "TERM={term} {args:?}: {:?}", watched.shown);
            fake.thread.join().unwrap();
        }
    }
}

/// Whatever is asked.
fn answering_always(result: Value) -> Fake<()> {
    Fake::new(move |peer| {
        let mut line = String::new();
        while peer.from.read_line(&mut line).unwrap() > 0 {
            let request: Value = serde_json::from_str(&line).unwrap();
            peer.done(&request["id"], &result);
            line.clear();
        }
    })
}

#[test]
fn what_is_watched_is_drawn_again_until_a_key_quits_it() {
    let list = json!({"clients": vec![bob(); 50], "total": 50});
    let fake = answering_always(list);
    let (code, shown) = on_terminal(&fake.socket(), &["clients", "--watch=100ms"], "\x1b[H", 3, b"q");
    assert_eq!(code, Some(0), "{shown:?}");
    assert!(shown.starts_with("\x1b[?1049h") && shown.ends_with("\x1b[?7h\x1b[?25h\x1b[?1049l"), "{shown:?}");
    let frame = shown.split("\x1b[H").nth(1).unwrap();
    assert_eq!(frame.matches("\x1b[K\r\n").count(), 11, "{frame:?}");
    let below = frame.rsplit_once("\x1b[12;1H").unwrap().1;
    assert!(
        below.starts_with("1 to 11 of 103 lines; every 100ms; answered at ") && below.ends_with("Z; q quits"),
        "{frame:?}"
    );
    fake.thread.join().unwrap();
}

#[test]
fn only_what_looks_can_be_watched() {
    for args in [&["kick", "ann"][..], &["top"], &["monitor"], &["history"], &["redact", "--nick", "ann"], &["reload"]]
    {
        let args = [args, &["--watch"][..]].concat();
        let story = Story::new(ctl(&args).env("CHATHUB_SOCKET", "/nowhere").output().unwrap(), &args);
        story.exits(2).complains("--watch");
    }
}

#[test]
fn what_is_long_goes_through_a_pager_on_a_terminal_alone() {
    let with_pager = |args: &[&str], pager: &str| {
        let fake = answering_always(json!({"clients": [ann()], "total": 1}));
        let (code, shown) =
            on_terminal_with(&fake.socket(), args, &[("SYSTEMD_PAGER", pager), ("TERM", "xterm")], "never", 1, b"");
        drop(fake);
        (code, shown)
    };
    let (code, shown) = with_pager(&["clients"], "sed s/^/paged:/");
    assert_eq!(code, Some(0), "{shown:?}");
    assert!(shown.lines().all(|line| line.starts_with("paged:")) && shown.contains("ann"), "{shown:?}");
    assert!(shown.contains("paged:\x1b[1mID"), "the heading is bold: {shown:?}");
    for (args, pager) in [
        (&["clients", "--no-pager"][..], "sed s/^/paged:/"),
        (&["clients"], ""),
        (&["clients"], "cat"),
        (&["clients"], "/nowhere/there-is-no-such-pager"),
        (&["topic", "lobby"], "sed s/^/paged:/"),
    ] {
        let (_, shown) = with_pager(args, pager);
        assert!(!shown.contains("paged:"), "{args:?} {pager}: {shown:?}");
    }
    // A pager that is left at once ends it, and is no failure.
    let (code, _) = with_pager(&["clients"], "true");
    assert_eq!(code, Some(0));
}

/// A ban is tried first, where somebody can be asked.
#[test]
fn a_ban_of_several_people_is_asked_about_at_a_terminal() {
    let hit = |who: &[&str]| {
        let ids: Vec<String> = (1..=who.len()).map(|id| format!("c{id}")).collect();
        let people: Vec<Value> = who.iter().zip(&ids).map(|(nick, id)| json!({"id": id, "nick": nick})).collect();
        json!({"ban": Value::Null, "disconnected": ids, "people": people, "dry_run": false})
    };
    let crowd: Vec<String> = (0..30).map(|n| format!("person-{n}")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let network: &[&str] = &["ban", "add", "192.0.2.0/24"];
    let with_yes: &[&str] = &["ban", "add", "192.0.2.0/24", "--yes"];
    for (args, who, keys, requests, code) in [
        (network, &crowd[..], &b"y\n"[..], 2, 0),
        (network, &crowd, b"\n", 1, 1),
        (network, &["ann"], b"", 2, 0),
        (with_yes, &crowd, b"", 1, 0),
    ] {
        let result = hit(who);
        let fake = Fake::new(move |peer| {
            let mut asked = Vec::new();
            let mut line = String::new();
            while peer.from.read_line(&mut line).unwrap() > 0 {
                let request: Value = serde_json::from_str(&line).unwrap();
                let mut result = result.clone();
                result["dry_run"] = json!(request["args"]["dry_run"] == true);
                peer.done(&request["id"], &result);
                asked.push(request["args"]["dry_run"] == true);
                line.clear();
            }
            asked
        });
        let size = nix::pty::Winsize { ws_row: 24, ws_col: 50, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = nix::pty::openpty(Some(&size), None).unwrap();
        let slave = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = ctl(args);
        command.env("CHATHUB_SOCKET", fake.socket()).env("TERM", "linux").stdin(slave()).stderr(slave());
        let mut child = command.stdout(slave()).spawn().unwrap();
        drop(command);
        let mut master = std::fs::File::from(pty.master.try_clone().unwrap());
        drop(pty.slave);
        master.write_all(keys).unwrap();
        let (mut shown, mut piece) = (String::new(), [0; 4096]);
        while let Ok(read @ 1..) = master.read(&mut piece) {
            shown += &String::from_utf8_lossy(&piece[..read]);
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "{shown}");
        let asked = fake.thread.join().unwrap();
        assert_eq!(asked.len(), requests, "{shown}");
        assert_eq!(asked.last() == Some(&false), code == 0, "{shown}");
        if !keys.is_empty() {
            let (question, _) = shown.split_once("[y/N]").expect(&shown);
            assert!(question.contains("This disconnects 30 people"), "{shown}");
            assert!(question.lines().all(|line| line.len() <= 50), "{shown}");
        }
    }
    // A script is not asked.
    let fake = Fake::new(move |peer| {
        let request = peer.request();
        peer.done(&request["id"], &hit(&["ann", "bob"]));
        request
    });
    let (story, request) = fake.run(network);
    assert_eq!(request["args"], json!({"target": "192.0.2.0/24"}));
    story.exits(0);
}

/// On a terminal, sentences go on in further lines, and no word is broken; elsewhere each is one line.
#[test]
fn sentences_are_wrapped_at_spaces_on_a_terminal_alone() {
    let banned = || {
        let ban = json!({"id": "b1", "target": "198.51.100.0/24", "kind": "network", "by": "uid 0", "since": T,
            "until": "2026-11-22T12:01:02Z"});
        answering(json!({"ban": ban, "disconnected": [], "people": [], "dry_run": false}))
    };
    let event = || {
        Fake::new(move |peer| {
            let request = peer.request();
            let event = json!({"event": "mute", "what": "mute", "t": T, "client": "c2", "nick": "bob", "by": "uid 0",
                "sanction": "m1", "reason": "the same line again and again"});
            peer.more(&request["id"], &event);
            peer.done(&request["id"], &json!({"count": 1}));
            request
        })
    };
    let ban: &[&str] = &["ban", "add", "198.51.100.0/24", "--yes"];
    for (fake, args, indent) in [(banned(), ban, 0), (event(), &["monitor"], 32)] {
        let (_, shown) = on_terminal(&fake.socket(), args, "never", 1, b"");
        let _ = fake.thread.join();
        let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
        assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= 70), "{shown}");
        for line in &lines[1..] {
            assert!(line.starts_with(&" ".repeat(indent)) && !line[indent..].starts_with(' '), "{shown}");
        }
    }
    for (fake, args) in [(banned(), ban), (event(), &["monitor"])] {
        let (story, _) = fake.run(args);
        assert_eq!(story.out.lines().count(), 1, "{}", story.told);
    }
}

/// Those who are named are meant; whoever else is at their addresses is asked about.
#[test]
fn a_kick_with_a_ban_asks_about_the_others_at_that_address() {
    let alone: &[&str] = &["c1"];
    let two: &[&str] = &["c1", "c2"];
    let kick: &[&str] = &["kick", "c1", "--ban", "1h"];
    let both: &[&str] = &["kick", "c1", "c2", "--ban", "1h"];
    let with_yes: &[&str] = &["kick", "c1", "--ban", "1h", "--yes"];
    for (args, hit, keys, code) in [
        (kick, two, &b"y\n"[..], 0),
        (kick, two, b"\n", 1),
        (kick, alone, b"", 0),
        (both, two, b"", 0),
        (with_yes, two, b"", 0),
        (&["kick", "c1"], two, b"", 0),
    ] {
        let people: Vec<Value> = hit.iter().map(|id| json!({"id": id, "nick": format!("nick-{id}")})).collect();
        let banned = json!({"disconnected": hit, "people": people, "dry_run": true});
        let fake = Fake::new(move |peer| {
            let mut kicked = false;
            let mut line = String::new();
            while peer.from.read_line(&mut line).unwrap() > 0 {
                let request: Value = serde_json::from_str(&line).unwrap();
                let result = match request["cmd"].as_str().unwrap() {
                    "clients.get" => {
                        let mut client = bob();
                        client["id"] = request["args"]["who"].clone();
                        client
                    }
                    "bans.add" => {
                        assert_eq!(request["args"]["dry_run"], true);
                        banned.clone()
                    }
                    _ => {
                        kicked = true;
                        json!({"kicked": ["c1"], "banned": []})
                    }
                };
                peer.done(&request["id"], &result);
                line.clear();
            }
            kicked
        });
        let (cue, times) = if keys.is_empty() { ("never", 1) } else { ("[y/N]", 1) };
        let (ended, shown) = on_terminal_asked(&fake.socket(), args, cue, times, keys);
        assert_eq!(ended, Some(code), "{args:?} {shown}");
        assert_eq!(fake.thread.join().unwrap(), code == 0, "{args:?} {shown}");
        assert_eq!(shown.contains("1 more at the same address: nick-c2 (c2)"), !keys.is_empty(), "{args:?} {shown}");
    }
}

#[test]
fn json_is_indented_on_a_terminal() {
    let fake = answering(json!({"room": "tea", "topic": "x"}));
    let (code, shown) = on_terminal(&fake.socket(), &["topic", "tea", "--json"], "never", 1, b"");
    assert_eq!((code, shown.as_str()), (Some(0), "{\r\n  \"room\": \"tea\",\r\n  \"topic\": \"x\"\r\n}\r\n"));
}

// ---------------------------------------------------------------------------------------------
// Without a daemon

#[test]
fn completions_and_help_need_no_daemon() {
    for shell in ["bash", "zsh", "fish"] {
        let story = Story::new(ctl(&["completions", shell]).output().unwrap(), &["completions", shell]).exits(0);
        assert!(story.out.contains("ctl complete "), "{}", story.told);
    }
    let story =
        Story::new(ctl(&["kick", "--help"]).output().unwrap(), &["kick", "--help"]).exits(0).without_complaint();
    assert!(story.out.contains("Examples:"), "{}", story.told);
}

// ---------------------------------------------------------------------------------------------
// In shells

/// Somebody is here, a room and a ban are there; each connection asks one thing.
fn known_by_shells() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let socket = dir.path().join("admin.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let told = Arc::new(Mutex::new(String::new()));
            let mut peer = Peer { told, from: BufReader::new(stream.try_clone().unwrap()), to: stream };
            let mut line = String::new();
            if peer.from.read_line(&mut line).unwrap() == 0 {
                continue;
            }
            let request: Value = serde_json::from_str(&line).unwrap();
            let room = json!({"name": "tea", "topic": "", "members": 2, "since": T, "lines": 0, "history_lines": 0});
            let ban = json!({"id": "b7", "target": "2001:db8::/32", "kind": "network", "by": "uid 0", "since": T});
            let result = match request["cmd"].as_str().unwrap() {
                "rooms.list" => json!({"rooms": [room], "total": 1}),
                "bans.list" => json!({"bans": [ban], "total": 1, "persistent": true}),
                _ => {
                    let mut bob = bob();
                    bob["nick"] = json!("bob");
                    json!({"clients": [ann(), bob], "total": 2})
                }
            };
            peer.done(&request["id"], &result);
        }
    });
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_chathub"), dir.path().join("chathub")).unwrap();
    (dir, socket)
}

/// What a shell offers for each line, by a script that prints it; `None` if the shell is not here.
fn offered_by(shell: &str, script: impl Fn(&str) -> String, lines: &[&str]) -> Option<Vec<Vec<String>>> {
    if !have(shell) {
        return None;
    }
    let (dir, socket) = known_by_shells();
    std::fs::write(dir.path().join("a file"), "").unwrap();
    std::fs::create_dir(dir.path().join("a dir")).unwrap();
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let all = lines.iter().map(|line| {
        let output = Command::new(shell)
            .args(if shell == "zsh" { &["-f", "-c"][..] } else { &["-c"] })
            .arg(script(line))
            .env("PATH", &path)
            .env("CHATHUB_SOCKET", &socket)
            .env("HOME", dir.path())
            .env("TERM", "dumb")
            .current_dir(dir.path())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    });
    Some(all.collect())
}

fn script_of(name: &str) -> String {
    format!("{}/packaging/completions/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn bash_offers_what_can_stand_there() {
    let lines = [
        "chathub ctl kic",
        "chathub ctl kick ",
        "chathub ctl kick ann ",
        "chathub ctl kick --reason 'no more' b",
        "chathub ctl history --room=t",
        "chathub ctl ban add 2001:d",
        "chathub ctl ban remove ",
        "chathub ctl backup a",
        "chathub ctl rename ann ",
        "chathub ctl log-level d",
    ];
    let script = |line: &str| {
        // As readline does: a word ends at spaces, colons and equals signs, which are words themselves.
        let mut words: Vec<String> = vec![String::new()];
        for c in line.chars() {
            match c {
                ' ' => words.push(String::new()),
                ':' | '=' => words.extend([c.to_string(), String::new()]),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        if line.ends_with(' ') {
            words.push(String::new());
        }
        let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        format!(
            "source {}; COMP_LINE={:?}; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({}); COMP_CWORD={}; \
             _chathub chathub; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            script_of("chathub.bash"),
            line,
            quoted.join(" "),
            words.len() - 1,
        )
    };
    let Some(offered) = offered_by("bash", script, &lines) else { return };
    let expected: [&[&str]; 10] = [
        &["kick"],
        &["ann", "bob"],
        &["bob"],
        &["bob"],
        &["tea"],
        &["db8::7"],
        &["2001:db8::/32", "b7"],
        &["a dir", "a file", "admin.sock"],
        &[""],
        &["debug"],
    ];
    for ((line, offered), expected) in lines.iter().zip(offered).zip(expected) {
        let mut offered = offered;
        offered.sort_unstable();
        assert_eq!(offered, expected, "{line}");
    }
}

#[test]
fn zsh_and_fish_offer_what_can_stand_there() {
    let lines = ["chathub ctl kic", "chathub ctl kick ", "chathub ctl kick ann ", "chathub ctl history --room=t"];
    let expected: [&[&str]; 4] = [&["kick"], &["ann", "bob"], &["bob"], &["--room=tea"]];
    let zsh = |line: &str| {
        // What the completion system would do with what it is given.
        format!(
            "_describe() {{ print -rl -- $values }}; words=({line}{}); CURRENT=${{#words}}; \
             source {}",
            if line.ends_with(' ') { "''" } else { "" },
            script_of("_chathub"),
        )
    };
    let fish = |line: &str| format!("source {}; complete -C '{line}'", script_of("chathub.fish"));
    let of_zsh = offered_by("zsh", zsh, &lines).map(|all| (all, ':'));
    let of_fish = offered_by("fish", fish, &lines).map(|all| (all, '\t'));
    for (offered, between) in [of_zsh, of_fish].into_iter().flatten() {
        for ((line, offered), expected) in lines.iter().zip(offered).zip(expected) {
            let offered: Vec<&str> = offered.iter().map(|one| one.split(between).next().unwrap()).collect();
            assert_eq!(offered, expected, "{line}");
        }
    }
}

#[test]
fn a_shell_is_told_nothing_where_nobody_answers() {
    let args = ["complete", "words", "--", "chathub", "ctl", "kick", ""];
    let story = Story::new(ctl(&args).env("CHATHUB_SOCKET", "/nowhere").output().unwrap(), &args);
    story.exits(0).prints("").without_complaint();
    let fake = Fake::new(Peer::until_closed);
    let begun = std::time::Instant::now();
    let (story, ()) = fake.run(&args);
    assert!(begun.elapsed() < Duration::from_secs(20), "it waits half a second");
    story.exits(0).prints("").without_complaint();
}
