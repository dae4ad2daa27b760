//! Each table at 80 and at 132 columns, compared with `tables.txt` beside this file.
//! `UPDATE_TABLES=1 cargo test --lib ctl::print` writes that file again.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::screen::Screen;
use crate::values::time::Wall;
use crate::wire::admin::value::Time;

const T: &str = "2026-11-22T10:01:02.123Z";

/// An hour and a half after [`T`]; the ages in the tables are computed from this time.
fn now() -> Wall {
    let Time(Wall(t)) = T.parse().expect("a time");
    Wall(t + 90 * 60_000)
}

fn of<R: DeserializeOwned>(value: Value) -> R {
    serde_json::from_value(value).expect("what the protocol says")
}

fn client(id: &str, nick: &str, addr: &str, more: Value) -> Value {
    let mut client = json!({"id": id, "nick": nick, "addr": addr, "port": 50312, "room": "lobby", "since": T,
        "idle_s": 4, "telnet": true, "behind_bytes": 0, "lines": 12, "dropped": 0, "missed": 0});
    let (all, more) = (client.as_object_mut().expect("an object"), more);
    all.extend(more.as_object().expect("an object").clone());
    client
}

fn sanction(id: &str, kind: &str, target: &str, more: Value) -> Value {
    let mut one = json!({"id": id, "kind": kind, "target": target, "by": "uid 0", "since": T});
    one.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    one
}

/// Prints every table, with a row for each special case.
fn tables(to: &mut Screen<'_>) {
    const LONG: &str = "floods, and more floods, as in the ticket 4711; ask ann about it before it is lifted";
    let whole = |line: std::io::Result<()>| line.expect("memory takes it");
    let title = |to: &mut Screen<'_>, title: &str| whole(to.line(&format!("\n# {title}")));
    title(to, "clients");
    let bob = json!({"room": "a-room-with-long-name", "telnet": false, "idle_s": 7380, "behind_bytes": 1536,
        "dropped": 2, "missed": 5, "away": "gone to lunch, and back at two or so", "account": "robert", "role": "member",
        "muted": "2026-11-22T13:01:02Z", "shadow": true});
    let eve = json!({"account": "Eve", "role": "operator", "muted": "lifted", "strikes": 3,
        "encryption": {"suite": "TLS_AES_256_GCM_SHA384", "group": "X25519MLKEM768"}});
    let clients = json!({"total": 3, "clients": [
        client("c7", "ann", "2001:db8:1:2::7", json!({})),
        client("c12", "a-name-of-24-characters-", "192.0.2.1", bob),
        client("c1000", "Eve", "192.0.2.77", eve),
    ]});
    whole(super::clients::list(to, &of(clients)));
    title(to, "clients, of whom there are none");
    whole(super::clients::list(to, &of(json!({"total": 0, "clients": []}))));
    title(to, "ban list");
    let bans = json!({"total": 3, "persistent": false, "unread": true, "bans": [
        {"id": "b1", "target": "192.0.2.0/24", "kind": "network", "reason": LONG, "by": "uid 0", "since": T},
        {"id": "b2", "target": "2001:db8:1:2::/64", "kind": "network", "by": "operator a-name-of-24-characters-",
            "since": T, "until": "2026-11-23T10:01:02Z", "reason": "spam"},
        {"id": "b1000", "target": "spammer", "kind": "name", "by": "the hub", "since": T},
    ]});
    whole(super::bans::list(to, &of(bans)));
    title(to, "ban test");
    let test = json!({"bans": [], "clients": ["c7"], "people": [{"id": "c7", "nick": "ann"}]});
    whole(super::bans::tested(to, &of(test)));
    title(to, "sanction list");
    let sanctions = json!({"total": 5, "persistent": true, "sanctions": [
        sanction("m1", "shadow-mute", "bob", json!({"also": "192.0.2.1/32", "reason": LONG})),
        sanction("x4", "expulsion", "a-name-of-24-characters-", json!({"room": "tea", "until": "2026-11-22T11:31:03Z"})),
        sanction("b5", "ban", "bot-*", json!({"until": "2026-11-22T11:31:03Z"})),
        sanction("f6", "strike-filter", "cheap pills", json!({"reason": LONG})),
        sanction("l7", "lockdown", "newcomers", json!({"until": "2026-11-22T11:31:03Z"})),
    ]});
    whole(super::bans::sanctions(to, &of(sanctions)));
    title(to, "filter list");
    let filters = json!({"refuse": ["darn"], "strike": ["/(buy|sell) +now/"], "filters": [
        sanction("f6", "strike-filter", "cheap pills", json!({"reason": LONG})),
        sanction("f1000", "filter", "/a-pattern-that-is-longer-than-most-[0-9]+/", json!({"until": "2026-11-22T11:31:03Z"})),
    ]});
    whole(super::bans::filters(to, &of(filters)));
    title(to, "filter list, of which there are none");
    whole(super::bans::filters(to, &of(json!({"refuse": [], "strike": [], "filters": []}))));
    title(to, "report list");
    let party = |nick: &str, client: &str| json!({"nick": nick, "client": client});
    let report = |id: &str, reason: Value, times: u64| {
        json!({"id": id, "t": T, "age_s": 100_000, "last": T, "times": times, "room": "lobby", "lines": [],
            "by": party("a-name-of-24-characters-", "c8"), "about": party("", "c9"), "reason": reason})
    };
    let reports = json!({"total": 2, "open": 2, "persistent": true,
        "reports": [report("r1", json!(LONG), 2), report("r120", Value::Null, 1)]});
    whole(super::reports::list(to, &of(reports)));
    title(to, "account list");
    let account = |name: &str, client: Value, password: bool| json!({"name": name, "role": "operator", "since": T, "seen": T, "client": client, "password": password});
    let accounts = json!({"total": 2,
        "accounts": [account("ann", json!("c7"), true), account("a-name-of-24-characters-", Value::Null, false)]});
    whole(super::accounts::list(to, &of(accounts)));
    title(to, "rooms");
    let room = |name: &str, more: Value| {
        let mut room = json!({"name": name, "topic": "", "members": 2, "since": T, "lines": 15, "history_lines": 10});
        room.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        room
    };
    let rooms = json!({"total": 2, "rooms": [
        room("lobby", json!({"topic": LONG})),
        room("a-room-with-long-name", json!({"owner": "robert", "private": true, "moderated": true, "slow_s": 10})),
    ]});
    whole(super::rooms::list(to, &of(rooms)));
    title(to, "history-stats");
    let stats = json!({"lines": 10, "bytes": 2048, "lines_per_room": 500, "persistent": true,
        "rooms": [{"room": "lobby", "lines": 10, "oldest": T}, {"room": "tea", "lines": 0}],
        "disk": {"file": "/var/lib/chathub/chathub.db", "lines": 100, "bytes": 65536, "waiting_bytes": 0, "lost": 0,
            "trouble": "the disk is full (database or disk is full), and has been since this morning",
            "rooms": [{"room": "a-room-with-long-name-24", "lines": 100, "oldest": T, "newest": T}]}});
    whole(super::history::stats(to, &of(stats)));
    title(to, "history");
    whole(super::history::heading(to));
    for (room, nick, kind, text) in [
        ("lobby", "ann", "say", LONG),
        ("a-room-with-long-name", "ann", "emote", LONG),
        ("tea", "", "topic", ""),
        ("tea", "ann", "topic", ""),
        ("tea", "", "topic", "green"),
        ("tea", "ann", "topic", "black"),
        ("tea", "", "redacted", ""),
    ] {
        let line = json!({"seq": 1, "t": T, "room": room, "nick": nick, "kind": kind, "text": text});
        whole(super::history::line(to, &of(line)).map(drop));
    }
    title(to, "describe, of one command");
    let described = crate::wire::admin::describe::describe(&crate::wire::admin::args::DescribeArgs {
        cmd: Some(crate::wire::admin::value::Text("rooms.close".into())),
    });
    whole(super::describe::command(to, &described.expect("it is there")));
}

#[test]
fn tables_look_as_they_did() {
    let mut seen = String::new();
    for columns in [80, 132] {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out);
        screen.terminal = Some((columns, 24));
        screen.now = now();
        tables(&mut screen);
        let text = String::from_utf8(out).expect("text").replace("\\n#", "\n#");
        for line in text.lines() {
            assert!(line.width() <= columns, "wider than {columns}: {line}");
        }
        seen += &format!("######## {columns} columns\n{text}\n");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ctl/print/tables.txt");
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&file, &seen).expect("a file");
    }
    let before = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(before == seen, "tables look otherwise now (UPDATE_TABLES=1 takes it over):\n{seen}");
}
