use std::time::{Duration, Instant};

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::{Value, json};

use super::keys::{Wish, press};
use super::looking::{Looking, Pane, Popup};
use super::model::Model;
use super::question::{Act, Hits, Question};
use super::sample::{Disk, Sample, Wanted};
use super::theme::Theme;
use super::view;
use crate::ctl::terminal::Key;
use crate::values::time::Wall;
use crate::wire::admin::Command;
use crate::wire::admin::result::{Client, Person};

const T: &str = "2026-11-22T10:00:00Z";

fn client(id: u64, nick: &str, room: &str, lines: u64) -> Client {
    let client = json!({"id": format!("c{id}"), "nick": nick, "addr": format!("192.0.2.{}", id % 200), "port": 1,
        "room": room, "since": "2026-11-22T10:00:10Z", "idle_s": id, "telnet": false, "behind_bytes": id * 7,
        "bytes_in": lines * 10, "bytes_out": lines * 100, "lines": lines, "dropped": 0, "missed": 0});
    serde_json::from_value(client).expect("what the protocol says")
}

fn sample(clients: Vec<Client>, uptime: u64, at: Instant) -> Sample {
    let lines: u64 = clients.iter().map(|client| client.lines).sum();
    let status = json!({"state": "serving", "version": "0.1.0", "pid": 1, "since": T, "uptime_s": uptime,
        "clients": clients.len(), "clients_peak": 9, "clients_max": 99, "rooms": 1, "rooms_max": 9, "history_lines": 0,
        "listeners": [], "activated": false, "survival": "on: no restart yet", "log_level": "info",
        "counters": {"lines_received": lines, "lines_dropped": 3, "refused_full": 2, "writes": 10 * lines}});
    let room = json!({"name": "lobby", "topic": "tea", "members": 2, "since": T, "lines": 9, "history_lines": 9});
    Sample {
        status: serde_json::from_value(status).expect("what the protocol says"),
        clients,
        people: true,
        rooms: Some(vec![serde_json::from_value(room).expect("what the protocol says")]),
        disk: Disk { waiting: Some(0), trouble: false },
        at,
    }
}

fn known(clients: Vec<Client>) -> Model {
    let mut model = Model::new("host /run/chathub/admin.sock".to_owned());
    model.look(sample(clients, 20, Instant::now()), Some(Vec::new()));
    model
}

/// Draws the screen; returns its rows.
fn drawn(model: &Model, looking: &mut Looking, size: (u16, u16), theme: Theme) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("memory");
    terminal.draw(|frame| view::draw(frame, model, looking, theme, Instant::now())).expect("memory");
    let buffer = terminal.backend().buffer();
    let row = |y: u16| {
        let (mut row, mut x) = (String::new(), 0);
        while x < size.0 {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol).max(1)).expect("one or two");
        }
        row.trim_end().to_owned()
    };
    (0..size.1).map(row).collect()
}

fn looking() -> Looking {
    Looking::new(Duration::from_secs(2), true)
}

fn push(keys: &str, looking: &mut Looking, model: &Model) -> Option<Wish> {
    let mut wish = None;
    for c in keys.chars() {
        let key = match c {
            '\n' => Key::Enter,
            '\x1b' => Key::Escape,
            c => Key::Char(c),
        };
        // As in the program: the screen is drawn between two keys.
        drawn(model, looking, (80, 24), Theme::PLAIN);
        wish = press(&key, looking, model).unwrap_or(None);
    }
    drawn(model, looking, (80, 24), Theme::PLAIN);
    wish
}

/// The ids in the list, from top to bottom.
fn ids(rows: &[String]) -> Vec<String> {
    let is_id = |word: &&str| word.len() > 1 && word.starts_with('c') && word[1..].bytes().all(|b| b.is_ascii_digit());
    rows[8..22].iter().filter_map(|row| row.split_whitespace().find(is_id)).map(str::to_owned).collect()
}

#[test]
fn the_busiest_come_first_by_what_they_sent_since_the_last_look() {
    let start = Instant::now();
    let mut model = Model::default();
    model.look(sample(vec![client(1, "ann", "lobby", 50), client(2, "bob", "tea", 20)], 20, start), None);
    assert!((model.rates.client("c1").lines - 5.0).abs() < 0.01, "10 s connected");
    assert_eq!(ids(&drawn(&model, &mut looking(), (80, 24), Theme::PLAIN)), ["c1", "c2"]);
    let later = start + Duration::from_secs(2);
    model.look(sample(vec![client(1, "ann", "lobby", 50), client(2, "bob", "tea", 23)], 22, later), None);
    assert!((model.rates.client("c2").lines - 1.5).abs() < 0.01);
    assert!((model.rates.client("c2").bytes - 165.0).abs() < 0.01, "in and out");
    assert!((model.rates.counter("lines_received") - 1.5).abs() < 0.01);
    let mut looking = looking();
    assert_eq!(ids(&drawn(&model, &mut looking, (80, 24), Theme::PLAIN)), ["c2", "c1"]);
    push("s", &mut looking, &model);
    assert_eq!(ids(&drawn(&model, &mut looking, (80, 24), Theme::PLAIN)), ["c1", "c2"], "by lines");
    push("r", &mut looking, &model);
    assert_eq!(ids(&drawn(&model, &mut looking, (80, 24), Theme::PLAIN)), ["c2", "c1"], "fewest first");
}

#[test]
fn a_daemon_that_has_started_anew_has_no_rate_below_zero() {
    let start = Instant::now();
    let mut model = Model::default();
    model.look(sample(vec![client(1, "ann", "lobby", 500)], 2000, start), None);
    let mut anew = sample(vec![client(1, "ann", "lobby", 10)], 10, start + Duration::from_secs(2));
    (anew.status.pid, anew.status.since) = (2, "2026-11-22T10:33:00Z".parse().expect("a time"));
    model.look(anew, None);
    assert!((model.rates.client("c1").bytes - 1100.0 / 10.0).abs() < 0.01, "since it started");
    assert!((model.rates.counter("lines_received") - 1.0).abs() < 0.01);
}

#[test]
fn whoever_is_selected_stays_so_wherever_they_go_and_nobody_takes_their_place() {
    let start = Instant::now();
    let mut model = known(vec![client(1, "ann", "lobby", 50), client(2, "bob", "tea", 20), client(3, "eve", "tea", 5)]);
    let mut looking = looking();
    assert_eq!(push("K", &mut looking, &model), None, "nobody is selected at first");
    assert!(looking.popup.is_none());
    push("jj", &mut looking, &model);
    assert_eq!(looking.selected(), Some("c2"));
    let later = start + Duration::from_secs(5);
    let all = vec![client(1, "ann", "lobby", 50), client(2, "bob", "tea", 90), client(3, "eve", "tea", 5)];
    model.look(sample(all, 25, later), None);
    let rows = drawn(&model, &mut looking, (80, 24), Theme::PLAIN);
    assert!(rows[8].starts_with('>') && rows[8].contains("bob"), "{rows:#?}");
    // bob leaves while the question about him is open.
    push("K", &mut looking, &model);
    let all = vec![client(1, "ann", "lobby", 50), client(3, "bob", "tea", 5)];
    model.look(sample(all, 26, later + Duration::from_secs(1)), None);
    let rows = drawn(&model, &mut looking, (80, 24), Theme::PLAIN).concat();
    assert!(rows.contains("bob (c2) has left: nothing is done."), "{rows}");
    assert_eq!(push("y", &mut looking, &model), None, "another bob is not disconnected");
    push("\x1b", &mut looking, &model);
    assert_eq!((looking.popup.is_none(), looking.selected()), (true, None));
    assert_eq!(push("K", &mut looking, &model), None, "nobody is in their place");
    assert!(looking.popup.is_none());
}

#[test]
fn actions_name_the_client_by_id_and_ask_first() {
    let model = known(vec![client(7, "ann", "lobby", 50)]);
    let command = |wish: Option<Wish>| match wish {
        Some(Wish::Do(_, _, command) | Wish::Try(_, _, command)) => command.args(),
        other => panic!("{other:?}"),
    };
    let mut looking = looking();
    assert_eq!(push("jK", &mut looking, &model), None, "nothing is to be asked before");
    assert_eq!(command(push("rspam\ny", &mut looking, &model)), json!({"who": ["c7"], "reason": "spam"}));
    assert_eq!(command(push("M", &mut looking, &model)), json!({"who": ["c7"], "dry_run": true}));
    assert_eq!(push("y", &mut looking, &model), None, "it is not known yet whom it would hit");
    let Some(Popup::Question(question)) = &mut looking.popup else { panic!("{:?}", looking.popup) };
    question.hits = Hits::Known(vec![Person { id: "c7".into(), nick: "ann".into() }]);
    assert_eq!(command(push("+y", &mut looking, &model)), json!({"who": ["c7"], "for_s": 3600}));
    assert_eq!(
        command(push("B", &mut looking, &model)),
        json!({"target": "192.0.2.7/32", "yes": true, "dry_run": true})
    );
    let Some(Popup::Question(question)) = &mut looking.popup else { panic!("{:?}", looking.popup) };
    question.hits = Hits::Known(["c7", "c9"].map(|id| Person { id: id.into(), nick: format!("x{id}") }).into());
    let rows = drawn(&model, &mut looking, (80, 24), Theme::PLAIN).concat();
    assert!(rows.contains("Disconnect ann (c7) and keep 192.0.2.7 out for 1 h?"), "{rows}");
    assert!(rows.contains("1 other would be disconnected as well: xc9 (c9)."), "{rows}");
    assert_eq!(push("n", &mut looking, &model), None);
    assert!(looking.popup.is_none(), "n does nothing");
    push("B", &mut looking, &model);
    let Some(Popup::Question(question)) = &mut looking.popup else { panic!("{:?}", looking.popup) };
    question.hits = Hits::Unknown("it is busy".into());
    assert_eq!(command(push("y", &mut looking, &model)), json!({"who": ["c7"], "ban_s": 3600}));
}

#[test]
fn of_ipv6_the_network_is_banned() {
    let mut one = client(1, "ann", "lobby", 1);
    one.addr = "2001:db8:1:2:3::4".into();
    let trial = Question::about(Act::Ban, &one).trial().map(|command| command.args()["target"].clone());
    assert_eq!(trial, Some(json!("2001:db8:1:2::/64")));
}

#[test]
fn what_is_pasted_presses_no_keys() {
    let model = known(vec![client(7, "ann", "lobby", 50)]);
    let mut looking = looking();
    push("j", &mut looking, &model);
    let pasted = Key::Pasted("Kyq/x".to_owned());
    assert_eq!(press(&pasted, &mut looking, &model), Ok(None));
    assert!(looking.popup.is_none() && looking.filter.is_empty());
    push("/", &mut looking, &model);
    assert_eq!(press(&Key::Pasted("a\x1b\nn".to_owned()), &mut looking, &model), Ok(None));
    assert_eq!(looking.filter, "an");
    assert_eq!(press(&Key::Pasted("x".repeat(5000)), &mut looking, &model), Ok(None));
    assert!(looking.filter.len() <= 64);
}

#[test]
fn lists_are_walked_through_to_their_ends_and_filtered() {
    let all: Vec<Client> = (1..=100).map(|n| client(n, &format!("guest-{n:04}"), "lobby", 200 - n)).collect();
    let model = known(all);
    let mut looking = looking();
    for (keys, selected) in [("G", "c100"), ("g", "c1"), ("k", "c1"), ("j", "c2"), ("Gj", "c100")] {
        push(keys, &mut looking, &model);
        assert_eq!(looking.selected(), Some(selected), "{keys}");
    }
    drawn(&model, &mut looking, (80, 24), Theme::PLAIN);
    press(&Key::PageUp, &mut looking, &model).expect("a key");
    drawn(&model, &mut looking, (80, 24), Theme::PLAIN);
    assert_eq!(looking.selected(), Some("c87"));
    push("/0042\n", &mut looking, &model);
    let rows = drawn(&model, &mut looking, (80, 24), Theme::PLAIN);
    assert_eq!(ids(&rows), ["c42"]);
    assert!(rows[22].contains("1 of 100 have \"0042\""), "{rows:#?}");
    push("\x1b", &mut looking, &model);
    assert_eq!(looking.filter, "");
    push("4", &mut looking, &model);
    assert_eq!(looking.pane, Pane::Sanctions);
    assert!(drawn(&model, &mut looking, (80, 24), Theme::PLAIN)[8].contains("None."));
}

#[test]
fn without_an_answer_it_is_told_since_when() {
    let mut model = known(vec![client(7, "ann", "lobby", 50)]);
    model.lose(Wall(1_000_000_000_000), "cannot connect".to_owned());
    model.lose(Wall(1_000_000_090_000), "cannot connect".to_owned());
    model.now = Wall(1_000_000_100_000);
    let rows = drawn(&model, &mut looking(), (80, 24), Theme::PLAIN);
    assert!(rows[0].ends_with("without the daemon for 1min 40s"), "{rows:#?}");
    assert_eq!(rows[1], "no answer since 01:46:40Z: cannot connect");
    assert_eq!(ids(&rows), ["c7"], "what was known last stays");
    let mut looking = looking();
    push("jK", &mut looking, &model);
    assert_eq!(push("y", &mut looking, &model), None, "nobody would hear it");
    let rows = drawn(&model, &mut looking, (80, 24), Theme::PLAIN).concat();
    assert!(rows.contains("nothing can be done"), "{rows}");
}

#[test]
fn sections_that_the_socket_refuses_are_left_out() {
    let refused = || {
        Err(crate::wire::admin::message::ControlError::new(
            crate::wire::admin::message::ErrorCode::Denied,
            "not by this socket",
        ))
    };
    let wanted = Wanted::now(true, None, Instant::now());
    assert_eq!(wanted.commands().len(), 5);
    let read = wanted.read(vec![refused(), refused(), refused(), refused(), refused()], Instant::now());
    assert_eq!(read.err().as_deref(), Some("not by this socket"));
    let known = sample(vec![client(1, "ann", "lobby", 1)], 9, Instant::now());
    let status: Value = serde_json::to_value(&known.status).expect("JSON");
    let numbers = vec![Ok(status.clone()), refused(), refused(), refused(), refused()];
    let mut model = Model::default();
    model.look(wanted.read(numbers, Instant::now()).expect("numbers alone").0, None);
    let rows = drawn(&model, &mut looking(), (80, 24), Theme::PLAIN);
    assert!(rows.concat().contains("tells numbers alone"), "{rows:#?}");
    let clients = json!({"clients": known.clients, "total": 1});
    let read = wanted.read(vec![Ok(status), Ok(clients), refused(), refused(), refused()], Instant::now());
    let (read, sanctions) = read.expect("what is needed is there");
    assert_eq!((read.rooms, read.disk, sanctions), (None, Disk::default(), None));
}

/// A name in any script, with any characters that a stranger could type.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,12}",
        "\\PC{0,24}",
        any::<String>(),
        Just("\u{5e9}\u{5dc}\u{5d5}\u{5dd}".to_owned()),
        Just("\u{4e2d}\u{6587}\u{540d}\u{5b57}\u{4e2d}\u{6587}\u{540d}\u{5b57}\u{4e2d}".to_owned()),
        Just("\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}e\u{301}\u{301}\u{301}".to_owned()),
        Just("\x1b[2J\u{202e}\u{9b}31m".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// For any names, sizes and keys: nothing panics, no control character reaches the terminal,
    /// and the ids stand in one column.
    #[test]
    fn screens_of_any_size_are_drawn_whole(
        names in prop::collection::vec((name(), name()), 0..30),
        size in (1_u16..150, 1_u16..50),
        keys in "[jkgGsSrwKMB1234/?pynx+\n\x1b-]{0,12}",
        styled in any::<bool>(),
    ) {
        let all = (1_u64..).zip(&names).map(|(n, (nick, room))| client(n, nick, room, n * 3));
        let model = known(all.collect());
        let theme = if styled { Theme::FULL } else { Theme::PLAIN };
        let mut looking = looking();
        for c in keys.chars() {
            let key = match c {
                '\n' => Key::Enter,
                '\x1b' => Key::Escape,
                c => Key::Char(c),
            };
            let _ = press(&key, &mut looking, &model);
            let rows = drawn(&model, &mut looking, size, theme);
            prop_assert!(!rows.concat().contains(char::is_control));
        }
        let mut looking = self::looking();
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("memory");
        terminal.draw(|frame| view::draw(frame, &model, &mut looking, theme, Instant::now())).expect("memory");
        let buffer = terminal.backend().buffer();
        let text = |y: u16, x: u16| buffer[(x, y)].symbol();
        let heading = (0..size.1).find(|y| (0..size.0.saturating_sub(4)).any(|x| text(*y, x) == "R" && text(*y, x + 3) == "E"));
        if let Some(y) = heading.filter(|_| size.0 >= 40 && size.1 >= 16) {
            let at = (3..size.0 - 1).find(|x| text(y, *x) == "I" && text(y, x + 1) == "D" && text(y, x - 1) == " " && text(y, x + 2) == " ");
            let at = at.expect("ids are always there");
            for row in (y + 1..size.1 - 2).take(names.len()) {
                prop_assert_eq!(text(row, at), "c", "row {}", row);
            }
        }
    }
}

#[test]
fn the_commands_are_those_of_the_protocol() {
    for command in Wanted::now(true, None, Instant::now()).commands() {
        let spec = command.spec();
        assert_ne!(spec.effect, crate::wire::admin::Effect::Changes, "{}", spec.name);
        assert_eq!(Command::parse(spec.name, command.args()).expect("it is one").spec().name, spec.name);
    }
}
