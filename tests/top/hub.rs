//! A daemon that is played: it answers what `top` asks, always the same, and notes what is to be changed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guard::Guard;

/// No test here takes longer: one that does waits for what never comes.
const HANGS: std::time::Duration = std::time::Duration::from_secs(150);

/// What its connections share.
#[derive(Default)]
struct Played {
    changes: Vec<Value>,
    open: Vec<UnixStream>,
    silent: bool,
    /// Which start of it this is: connections of a former one are not taken any more.
    start: u64,
}

/// The daemon.
pub(crate) struct Hub {
    dir: TempDir,
    played: Arc<Mutex<Played>>,
    _guard: Guard,
}

impl Hub {
    pub(crate) fn new() -> Self {
        let guard = Guard::new(HANGS, || "a terminal with a daemon that is played".to_owned());
        let mut hub = Self { dir: TempDir::new().unwrap(), played: Arc::default(), _guard: guard };
        hub.start();
        hub
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn start(&mut self) {
        let listener = UnixListener::bind(self.dir.path().join("admin.sock")).unwrap();
        let played = self.played.clone();
        let start = played.lock().unwrap().start;
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let mut shared = played.lock().unwrap();
                if shared.start != start {
                    return;
                }
                shared.open.push(stream.try_clone().unwrap());
                let played = played.clone();
                std::thread::spawn(move || answer(stream, &played));
            }
        });
    }

    /// Ends: its socket is gone, and so are its connections.
    pub(crate) fn stop(&mut self) {
        let path = self.dir.path().join("admin.sock");
        let mut played = self.played.lock().unwrap();
        played.start += 1;
        for stream in played.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(played);
        let _ = UnixStream::connect(&path); // so that its listener sees that it is over
        std::fs::remove_file(path).unwrap();
    }

    /// Answers nothing from now on, or answers again, also what was asked meanwhile.
    pub(crate) fn be_silent(&self, silent: bool) {
        self.played.lock().unwrap().silent = silent;
    }

    /// What was to be changed, in order.
    pub(crate) fn changes(&self) -> Vec<Value> {
        self.played.lock().unwrap().changes.clone()
    }
}

/// Answers one connection until it is closed.
fn answer(stream: UnixStream, played: &Mutex<Played>) {
    let mut to = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let request: Value = serde_json::from_str(&line).unwrap();
        while played.lock().unwrap().silent {
            std::thread::yield_now();
        }
        let (cmd, args) = (request["cmd"].as_str().unwrap(), &request["args"]);
        let reply = match refused(cmd, args) {
            Some(error) => json!({"id": request["id"], "ok": false, "error": error}),
            None => json!({"id": request["id"], "ok": true, "result": result(cmd, args, played)}),
        };
        if to.write_all(format!("{reply}\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// There is one account, ann.
fn refused(cmd: &str, args: &Value) -> Option<Value> {
    let is_ann = args["name"] == "ann";
    match cmd {
        "accounts.get" | "accounts.passwd" | "accounts.erase" if !is_ann => {
            Some(json!({"code": "not_found", "message": format!("no account {}", args["name"])}))
        }
        "accounts.add" if is_ann => {
            Some(json!({"code": "conflict", "message": "\"ann\" is, or looks like, the account ann"}))
        }
        _ => None,
    }
}

fn result(cmd: &str, args: &Value, played: &Mutex<Played>) -> Value {
    let people = json!([{"id": "c3", "nick": "eve"}, {"id": "c9", "nick": "mallory"}]);
    match cmd {
        "status" => status(),
        "clients.list" => json!({"clients": clients(), "total": clients().len()}),
        "clients.get" => clients().into_iter().find(|client| client["id"] == args["who"]).unwrap(),
        "rooms.list" => rooms(),
        "metrics" => json!({"text": "chathub_history_waiting_bytes 512\nchathub_history_disk_lines 7\n\
            chathub_history_disk_trouble 0\n# EOF\n"}),
        "sanctions.list" => sanctions(),
        "bans.add" if args["dry_run"] == true => {
            json!({"disconnected": ["c3", "c9"], "people": people, "dry_run": true})
        }
        "accounts.get" | "accounts.add" if cmd == "accounts.get" || args["dry_run"] == true => account(&args["name"]),
        "clients.mute" if args["dry_run"] == true => {
            json!({"muted": ["c3"], "people": [{"id": "c3", "nick": "eve"}], "dry_run": true})
        }
        _ => {
            played.lock().unwrap().changes.push(json!({"cmd": cmd, "args": args}));
            match cmd {
                "accounts.passwd" | "accounts.add" => json!({"account": account(&args["name"])}),
                _ => json!({"kicked": args["who"]}),
            }
        }
    }
}

fn account(name: &Value) -> Value {
    json!({"name": name, "role": "member", "since": T, "seen": T, "password": true})
}

const T: &str = "2026-11-22T10:00:00Z";

fn status() -> Value {
    json!({"state": "serving", "version": "0.1.0", "pid": 4711, "since": T, "uptime_s": 7380, "clients": 7,
        "clients_peak": 12, "clients_max": 4096, "rooms": 3, "rooms_max": 1000, "history_lines": 40, "reports_open": 1,
        "listeners": [], "activated": true, "survival": "on: 2 restarts lived through", "log_level": "info",
        "recording": "on: /var/lib/chathub/chathub.db",
        "turns": {"count": 1000, "total_us": 68_000, "longest_us": 12_600, "longest_doing": "reading",
            "longest_doing_us": 12_000, "longest_at": "2026-11-22T10:01:02Z", "histogram": []},
        "counters": {"lines_received": 73_800, "writes": 738_000, "bytes_read": 3_690_000, "bytes_written": 36_900_000,
            "lines_dropped": 17, "lines_missed": 3, "refused_full": 4, "refused_banned": 2, "kicked": 1, "restarts": 2,
            "strikes": 5}})
}

/// People with names of many scripts, and what a stranger may have typed.
fn clients() -> Vec<Value> {
    let client = |id: u64, nick: &str, room: &str, lines: u64, behind: u64| {
        json!({"id": format!("c{id}"), "nick": nick, "addr": format!("192.0.2.{id}"), "port": 40_000 + id, "room": room,
            "since": "2026-11-22T11:03:00Z", "idle_s": id * 7, "telnet": id % 2 == 1, "behind_bytes": behind,
            "bytes_in": lines * 50, "bytes_out": lines * 500, "lines": lines, "dropped": id % 3, "missed": 0,
            "strikes": u64::from(id == 4)})
    };
    let mut all = vec![
        client(1, "ann", "lobby", 120, 0),
        client(2, "\u{5d3}\u{5d5}\u{5d3}", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}", 240, 0),
        client(3, "eve", "lobby", 7200, 1536),
        client(4, "\u{4e2d}\u{6587}\u{540d}", "werkstatt", 12, 0),
        client(5, "e\u{301}mile\u{1f469}\u{200d}\u{1f467}", "lobby", 60, 0),
        client(6, "\x1b[2J\x1b]0;x\x07", "lobby", 6, 70_000),
        client(12, "a-name-of-twenty-four-chs", "a-room-with-a-long-name", 0, 0),
    ];
    all[0]["account"] = json!("ann");
    all[0]["role"] = json!("operator");
    all[3]["muted"] = json!("always");
    all
}

fn rooms() -> Value {
    let room = |name: &str, topic: &str, members: u64, lines: u64| json!({"name": name, "topic": topic, "members": members, "since": T, "lines": lines, "history_lines": lines / 2});
    let mut rooms = [
        room("lobby", "Welcome. Be kind. The rules are told by /rules, and nobody reads them anyway.", 5, 9000),
        room("\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "\u{5ea}\u{5d4}", 1, 240),
        room("werkstatt", "", 1, 12),
    ];
    rooms[2]["moderated"] = json!(true);
    json!({"rooms": rooms, "total": 3})
}

fn sanctions() -> Value {
    json!({"sanctions": [
        {"id": "b2", "kind": "ban", "target": "198.51.100.0/24", "reason": "advertising", "by": "operator ann",
            "since": "2026-11-22T10:30:00Z", "until": "2026-11-23T10:30:00Z"},
        {"id": "m3", "kind": "mute", "target": "\u{4e2d}\u{6587}\u{540d}", "also": "192.0.2.4", "by": "operator ann",
            "since": "2026-11-22T11:30:00Z"},
        {"id": "x4", "kind": "expulsion", "target": "eve", "room": "tea", "by": "operator ann",
            "since": "2026-11-22T12:00:00Z", "until": "2026-11-22T13:00:00Z", "reason": "\u{1b}[31mred"},
    ], "total": 3, "persistent": true})
}
