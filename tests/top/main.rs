//! `chathub ctl top` and `--watch` on a terminal: the real program on a pseudo-terminal, with a daemon that is played,
//! its screen read off an emulated terminal. `screens/NAME.txt` are the screens; `UPDATE_DOCS=1` writes them anew.
//!
//! | file | is |
//! | --- | --- |
//! | `seat` | the terminal, and the program on it |
//! | `hub` | the daemon that is played |
//! | this file | the screens, and how the terminal is left |
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

#[path = "../guard/mod.rs"]
mod guard;
mod hub;
mod seat;
#[path = "../shared/mod.rs"]
mod shared;

use nix::sys::signal::Signal;
use serde_json::json;

use hub::Hub;
use seat::{Ended, Seat};
use shared::generated::{in_repository, same_as_file};

/// The environment of most: what a terminal over ssh has.
const USUAL: &[(&str, &str)] = &[("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")];

/// One look, and no other for an hour: nothing changes by itself.
const ONCE: &[&str] = &["top", "--interval", "1h"];

/// The screen comes to be as its file has it. Where that is written anew, the screen is taken as it is.
#[track_caller]
fn is_screen(seat: &Seat, name: &str) {
    let path = format!("tests/top/screens/{name}.txt");
    let expected = std::fs::read_to_string(in_repository(&path)).unwrap_or_default();
    let anew = std::env::var_os("UPDATE_DOCS").is_some_and(|value| value == "1");
    if anew || !seat.comes_to(&expected) {
        same_as_file(&path, &seat.text());
    }
}

/// `top` on so many columns and rows, when it has drawn its list.
#[track_caller]
fn top(hub: &Hub, size: (u16, u16)) -> Seat {
    let mut seat = Seat::new(hub, ONCE, USUAL, size);
    seat.until("the list", |rows| rows.iter().any(|row| row.contains("by RATE")));
    seat
}

#[test]
fn the_list_of_clients_looks_as_recorded_at_several_sizes() {
    let hub = Hub::new();
    for (columns, rows) in [(80, 24), (132, 40), (40, 12), (40, 10)] {
        is_screen(&top(&hub, (columns, rows)), &format!("clients-{columns}x{rows}"));
    }
    let mut seat = Seat::new(&hub, ONCE, USUAL, (39, 10));
    seat.until("that it is too small", |rows| rows.concat().contains("too small"));
    is_screen(&seat, "too-small");
}

#[test]
fn the_lists_of_rooms_refusals_and_sanctions_look_as_recorded() {
    let hub = Hub::new();
    let mut seat = top(&hub, (80, 24));
    for (key, name, has) in [("2", "rooms", "TOPIC"), ("3", "refusals", "BECAUSE"), ("4", "sanctions", "REASON")] {
        seat.types(key);
        // Sanctions are asked for when they are looked at, and with them all the rest.
        let asked = |rows: &[String]| key != "4" || rows[2].contains(" 0.0/s");
        seat.until(name, |rows| rows.iter().any(|row| row.contains(has)) && asked(rows));
        is_screen(&seat, name);
    }
    seat.types("j\r");
    seat.until("all about it", |rows| rows.concat().contains("To lift it"));
    is_screen(&seat, "sanction");
}

#[test]
fn help_details_and_questions_look_as_recorded() {
    let hub = Hub::new();
    let mut seat = top(&hub, (80, 24));
    seat.types("?");
    seat.until("the help", |rows| rows.concat().contains("close this"));
    is_screen(&seat, "help");
    seat.types("q");
    seat.until("no help", |rows| !rows.concat().contains("close this"));
    seat.types("jw");
    seat.until("all about one", |rows| rows.concat().contains("Address:"));
    is_screen(&seat, "whois");
    seat.types("q");
    seat.until("the list", |rows| !rows.concat().contains("Address:"));
    for (key, name, has) in [("K", "kick", "Disconnect "), ("M", "mute", "Nobody else"), ("B", "ban", "as well")] {
        seat.types(key);
        seat.until(name, |rows| rows.concat().contains(has));
        is_screen(&seat, name);
        seat.types("n");
        seat.until("the list", |rows| !rows.concat().contains(has));
    }
    assert!(hub.changes().is_empty(), "{:?}", hub.changes());
    // Small as it is, the question and its keys are seen.
    seat.resize((40, 10));
    seat.types("B");
    seat.until("the question", |rows| rows.concat().contains("1 other"));
    is_screen(&seat, "ban-40x10");
}

#[test]
fn confirmed_actions_go_by_the_id_and_are_reported() {
    let hub = Hub::new();
    let mut seat = top(&hub, (80, 24));
    seat.types("jK");
    seat.until("the question", |rows| rows.concat().contains("Disconnect "));
    seat.types("rno more\ry");
    seat.until("that it was done", |rows| rows.concat().contains("Disconnected eve (c3)."));
    assert_eq!(hub.changes(), [json!({"cmd": "clients.kick", "args": {"who": ["c3"], "reason": "no more"}})]);
    seat.types("q");
    assert_eq!(seat.end(), Ended::Exit(0));
}

#[test]
fn the_one_who_is_selected_is_told_from_others_with_and_without_colours() {
    let hub = Hub::new();
    let mut seat = top(&hub, (80, 24));
    seat.types("j");
    seat.until("a selection", |rows| rows.iter().any(|row| row.starts_with("> ")));
    let row = seat.rows().iter().position(|row| row.starts_with("> ")).unwrap();
    assert!(seat.cell(row, 40, |cell| cell.inverse()));
    assert!(!seat.cell(row + 1, 40, |cell| cell.inverse()));
    let colours = seat.sent().matches("\x1b[0;").count();
    assert!(colours > 0);
    assert!(!seat.sent().contains(";38;") && !seat.sent().contains(";48;"), "sixteen colours: {:?}", seat.sent());

    // On the console, and without colours: no block characters, nothing but text.
    let plain = &[("TERM", "linux"), ("LC_ALL", "C.UTF-8"), ("NO_COLOR", "1")];
    let mut seat = Seat::new(&hub, ONCE, plain, (80, 24));
    seat.until("the list", |rows| rows.iter().any(|row| row.contains("by RATE")));
    seat.types("jK");
    seat.until("the question", |rows| rows.concat().contains("Disconnect "));
    is_screen(&seat, "console");
    let sent = seat.sent();
    let styles = sent.split("\x1b[").skip(1).filter(|rest| rest.trim_start_matches(['0', ';']).starts_with('m'));
    assert_eq!(styles.filter(|rest| !rest.starts_with("0m") && !rest.starts_with('m')).count(), 0, "{sent:?}");
}

#[test]
fn a_name_moves_no_terminal_and_the_columns_stand() {
    let hub = Hub::new();
    let seat = top(&hub, (132, 40));
    assert!(!seat.sent().contains("\x1b[2J\x1b[2J") && !seat.sent().contains("\x1b]0;"), "{:?}", seat.sent());
    let (rows, heading) = (seat.rows(), seat.rows().iter().position(|row| row.contains("NAME  ")).unwrap());
    let at = rows[heading].find(" ID ").unwrap() + 1;
    for (row, text) in rows.iter().enumerate().skip(heading + 1).take(7) {
        assert!(seat.cell(row, at.try_into().unwrap(), |cell| cell.contents() == "c"), "{text}");
    }
}

#[test]
fn the_terminal_is_left_as_it_was_however_it_ends() {
    for (args, ready) in [(&["top", "--interval", "100ms"][..], "by RATE"), (&["clients", "--watch=100ms"], "q quits")]
    {
        for (how, ended) in [
            (Err(b"q"), Ended::Exit(0)),
            (Err(b"\x03"), Ended::Exit(0)),
            (Ok(Signal::SIGTERM), Ended::Signal(Signal::SIGTERM)),
            (Ok(Signal::SIGHUP), Ended::Signal(Signal::SIGHUP)),
            (Ok(Signal::SIGINT), Ended::Signal(Signal::SIGINT)),
        ] {
            let hub = Hub::new();
            let mut seat = Seat::new(&hub, args, USUAL, (80, 24));
            let before = seat.modes_before();
            seat.until(ready, |rows| rows.concat().contains(ready));
            assert_ne!(seat.modes(), before, "keys come one by one");
            match how {
                Err(key) => seat.types(str::from_utf8(key).unwrap()),
                Ok(signal) => seat.kill(signal),
            }
            assert_eq!(seat.end(), ended, "{args:?} {how:?}");
            assert_eq!(seat.modes(), before, "{args:?} {how:?}");
            assert!(seat.is_as_before(), "{args:?} {how:?}: {:?}", seat.sent());
        }
    }
}

#[test]
fn the_daemon_goes_and_comes_back() {
    for (args, ready) in [(&["top", "--interval", "100ms"][..], "by RATE"), (&["clients", "--watch=100ms"], "q quits")]
    {
        let mut hub = Hub::new();
        let mut seat = Seat::new(&hub, args, USUAL, (100, 24));
        seat.until(ready, |rows| rows.concat().contains(ready));
        hub.stop();
        seat.until("that it is gone", |rows| rows.concat().contains("no answer since "));
        assert!(seat.rows().concat().contains("eve"), "what was known last stays");
        hub.start();
        seat.until("that it is back", |rows| !rows.concat().contains("no answer since "));
        hub.stop();
        seat.until("that it is gone", |rows| rows.concat().contains("no answer since "));
        seat.types("q");
        assert_eq!(seat.end(), Ended::Exit(0), "a daemon that is gone for good");
        assert!(seat.is_as_before());
    }
}

/// One that takes requests and answers none: keys work all the same.
#[test]
fn a_daemon_that_is_silent_holds_no_key_up() {
    for (args, ready) in [(&["top", "--interval", "100ms"][..], "by RATE"), (&["clients", "--watch=100ms"], "q quits")]
    {
        let hub = Hub::new();
        let mut seat = Seat::new(&hub, args, USUAL, (80, 24));
        seat.until(ready, |rows| rows.concat().contains(ready));
        hub.be_silent(true);
        seat.until("that it is silent", |rows| rows.concat().contains("is silent"));
        hub.be_silent(false);
        seat.until("that it is back", |rows| !rows.concat().contains("no answer since "));
        hub.be_silent(true);
        seat.types("q");
        assert_eq!(seat.end(), Ended::Exit(0));
    }
}

#[test]
fn a_resized_terminal_is_drawn_anew() {
    let hub = Hub::new();
    let mut seat = top(&hub, (40, 12));
    for (columns, rows) in [(132, 40), (80, 24), (40, 10), (20, 5), (80, 24)] {
        seat.resize((columns, rows));
        let hints = |shown: &[String]| shown.last().is_some_and(|row| row.starts_with("q quit  ? help"));
        let small = |shown: &[String]| shown.concat().contains("too small");
        let is_right = |shown: &[String]| shown.len() <= rows.into() && (hints(shown) || small(shown));
        seat.until("the screen of that size", is_right);
    }
    is_screen(&seat, "clients-80x24");
}

#[test]
fn what_is_watched_and_does_not_fit_is_told_and_scrolled() {
    let hub = Hub::new();
    let mut seat = Seat::new(&hub, &["clients", "--watch=1h"], USUAL, (132, 5));
    let shows = |seat: &mut Seat, part: &str, first: &str| {
        seat.until(part, |rows| {
            rows.len() == 5 && rows[4].starts_with(&format!("{part}; every 1h; ")) && rows[0].contains(first)
        });
    };
    // Heading, seven people, an empty line and the count.
    shows(&mut seat, "1 to 4 of 10 lines", "NICK");
    for (keys, part, first) in [
        ("j", "2 to 5 of 10 lines", "c1 "),
        ("\x1b[B", "3 to 6 of 10 lines", "c2 "),
        ("\x1b[6~", "6 to 9 of 10 lines", "c5 "),
        ("\x1b[6~", "7 to 10 of 10 lines", "c6 "),
        ("k", "6 to 9 of 10 lines", "c5 "),
        ("\x1b[5~", "3 to 6 of 10 lines", "c2 "),
        ("g", "1 to 4 of 10 lines", "NICK"),
        ("G", "7 to 10 of 10 lines", "c6 "),
        ("\x1b[H", "1 to 4 of 10 lines", "NICK"),
        ("\x1b[F", "7 to 10 of 10 lines", "c6 "),
    ] {
        seat.types(keys);
        shows(&mut seat, part, first);
    }
    // On a larger screen there is nothing to tell, and no row is left empty above.
    seat.resize((132, 24));
    seat.until("all of it", |rows| rows.len() == 24 && rows[23].starts_with("every 1h; ") && rows[0].contains("NICK"));
    seat.types("q");
    assert_eq!(seat.end(), Ended::Exit(0));
}

/// Nobody types a password twice, or says that something is meant, for nothing.
#[test]
fn what_cannot_be_done_is_refused_before_a_password_or_confirmation_is_asked() {
    let hub = Hub::new();
    for (args, code, told) in [
        (&["account", "passwd", "nobody"][..], 5, "no account \"nobody\""),
        (&["account", "erase", "nobody"], 5, "no account \"nobody\""),
        (&["account", "add", "ann"], 1, "looks like, the account ann"),
        (&["account", "passwd", "ann", "--watch"], 2, "--watch is for commands that only look"),
    ] {
        let mut seat = Seat::new(&hub, args, USUAL, (80, 24));
        assert_eq!(seat.end(), Ended::Exit(code), "{args:?}");
        seat.until(told, |rows| rows.join(" ").contains(told));
        let shown = seat.rows().join("\n");
        assert!(!shown.contains("Password for") && !shown.contains("Is that meant?"), "{args:?}: {shown}");
    }
    assert!(hub.changes().is_empty(), "{:?}", hub.changes());
    // Where it can be done, it is asked for, and done.
    for (cmd, args) in [("accounts.passwd", ["account", "passwd", "ann"]), ("accounts.add", ["account", "add", "bea"])]
    {
        let mut seat = Seat::new(&hub, &args, USUAL, (80, 24));
        seat.until("the question", |rows| rows.join("\n").contains("Password for"));
        seat.types("correct horse\n");
        seat.until("the other one", |rows| rows.join("\n").contains("Again:"));
        seat.types("correct horse\n");
        assert_eq!(seat.end(), Ended::Exit(0));
        let last = hub.changes().pop().unwrap();
        assert_eq!((&last["cmd"], &last["args"]["password"]), (&json!(cmd), &json!("correct horse")));
    }
    // What cannot be undone is asked about, as ever.
    let mut seat = Seat::new(&hub, &["account", "erase", "ann"], USUAL, (80, 24));
    seat.until("the question", |rows| rows.join("\n").contains("Is that meant?"));
    seat.types("n\n");
    assert_eq!(seat.end(), Ended::Exit(1));
    assert_eq!(hub.changes().len(), 2);
}
