//! Registered names: over real sockets, with real hashing, and what outlives the daemon.

use std::io::Write as _;
use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::stage::{Client, Daemon, Setup, ctl_command};

/// Cheap hashing: how dear it is is not what is tested here.
const CHEAP: &str = "[accounts]\nmemory = '64KiB'\npasses = 1\n";

const IAC: u8 = 255;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const ECHO: u8 = 1;

/// Runs `chathub ctl ARGS` with a password on its standard input.
#[track_caller]
pub(crate) fn with_password(daemon: &Daemon, args: &[&str], password: &str) -> (Option<i32>, String) {
    let mut command = ctl_command(&daemon.admin_path(), args);
    let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    program.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = program.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

#[test]
fn a_registered_name_outlives_the_daemon_and_nobody_else_gets_it() {
    let daemon = Daemon::with(CHEAP);
    let mut ann = daemon.client("ann");
    let mut bob = daemon.client("bob");
    ann.send("/register");
    ann.expect("-- careful: your program shows what you type next; mind who sees your screen");
    ann.next_is("-- type a new password of at least 8 characters; an empty line cancels");
    ann.send("correct horse");
    ann.next_is("-- type it again");
    ann.send("correct horse");
    ann.next_is("-- ann is registered, and nobody else can have it; /login ann next time");
    bob.send("/nick ann");
    bob.expect("-- ann is registered, or looks like such a name; if it is yours: /login ann");
    let seen = bob.sync();
    assert!(!seen.iter().any(|line| line.contains("horse")), "{seen:#?}");
    daemon.logged("account made");
    assert!(!daemon.log().contains("horse"), "{}", daemon.log());
    assert_eq!(daemon.ctl(&["account", "list", "--json"]).json()["total"], 1);

    daemon.signal(Signal::SIGTERM);
    let daemon = Setup::new().settings(CHEAP).in_dir(daemon.leave()).start();
    let file = std::fs::read(daemon.path("state/chathub.db")).unwrap_or_default();
    assert!(!file.windows(7).any(|some| some == b"correct"), "no password is on disk");
    let mut bob = daemon.guest();
    bob.send("/login ann wrong horse");
    bob.expect("-- no such name, or not its password");
    bob.send("/login nobody correct horse");
    bob.expect("-- no such name, or not its password");
    bob.send("/nick ann");
    bob.expect("-- ann is registered, or looks like such a name; if it is yours: /login ann");
    bob.send("/login ann correct horse");
    bob.expect("-- welcome, ann: you are logged in");
    let about = daemon.admin().about("ann");
    assert_eq!((&about["account"], &about["role"]), (&json!("ann"), &json!("member")), "{about:#}");
}

#[test]
fn what_follows_a_password_in_one_piece_is_said_by_who_has_logged_in() {
    let daemon = Daemon::with(CHEAP);
    let mut bob = daemon.client("bob");
    with_password(&daemon, &["account", "add", "ann", "--password-stdin"], "correct horse");
    let mut script = Client::connect(&daemon, daemon.addr(), "script");
    script.write(b"/login ann correct horse\nfirst\nsecond\n");
    script.end();
    bob.expect("ann: first");
    bob.next_is("ann: second");
    bob.next_is("* ann left");
    script.rest();
}

#[test]
fn a_telnet_client_is_asked_to_hide_the_password_and_then_to_show_again() {
    let daemon = Daemon::with(CHEAP);
    let mut ann = daemon.guest().speaking_telnet();
    // It shows to be telnet, and tells no terminal: it goes on sending lines.
    ann.write(&[IAC, WILL, 24, IAC, WONT, 24]);
    ann.write(b"/nick ann\r\n");
    ann.expect_bytes(b"-- you are ann now\r\n");
    ann.write(b"/register\r\n");
    ann.expect_bytes(&[IAC, WILL, ECHO]);
    ann.write(&[IAC, DO, ECHO]);
    ann.write(b"correct horse\r\n");
    ann.expect_bytes(b"-- type it again\r\n");
    ann.write(b"correct horse\r\n");
    ann.expect_bytes(&[IAC, WONT, ECHO]);
    ann.expect_bytes(b"-- ann is registered, and nobody else can have it; /login ann next time\r\n");
    ann.write(&[IAC, DONT, ECHO]);
    ann.write(b"/logout\r\n/login ann\r\n");
    ann.expect_bytes(&[IAC, WILL, ECHO]);
    ann.write(&[IAC, DO, ECHO]);
    ann.expect_bytes(b"an empty line cancels\r\n");
    ann.write(b"correct house\r\n");
    // It stays hidden while it is asked for again.
    ann.expect_bytes(b"-- no such name, or not its password\r\n-- type the password of ann; an empty line cancels\r\n");
    ann.write(b"correct horse\r\n");
    ann.expect_bytes(&[IAC, WONT, ECHO]);
    ann.expect_bytes(b"-- welcome, ann: you are logged in\r\n");
}

#[test]
fn administrators_look_after_accounts_and_no_password_is_logged() {
    let daemon = Daemon::with(CHEAP);
    let mut admin = daemon.admin();
    admin.subscribe(&["account"]);
    let mut bob = daemon.client("bob");
    let mut ann = daemon.client("ann");
    ann.send("something of ann");
    bob.expect("ann: something of ann");
    let add = ["account", "add", "ann", "--role", "operator", "--password-stdin"];
    assert_eq!(with_password(&daemon, &add, "short").0, Some(1));
    assert_eq!(with_password(&daemon, &add, "correct horse"), (Some(0), "Made the account ann (operator).\n".into()));
    let (code, told) = with_password(&daemon, &add, "correct horse");
    assert!(code == Some(1) && told.contains("the account ann"), "{told}");
    let event = admin.event();
    assert_eq!(
        (&event["event"], &event["nick"], &event["text"]),
        (&json!("account"), &json!("ann"), &json!("registered"))
    );
    ann.send("/login ann correct horse");
    ann.expect("-- welcome, ann: you are logged in, as an operator");
    assert_eq!(admin.event()["text"], "logged in");
    daemon.ctl(&["account", "role", "ann", "member"]).done();
    ann.expect("-- your account is that of a member now");
    assert_eq!(admin.event()["text"], "changed: member now");
    let set = ["account", "passwd", "ann", "--password-stdin"];
    assert_eq!(with_password(&daemon, &set, "battery staple"), (Some(0), "ann has another password.\n".into()));
    assert_eq!(admin.event()["text"], "changed: another password");
    let list = daemon.ctl(&["account", "list", "--json"]).json();
    assert_eq!((&list["total"], &list["accounts"][0]["client"]), (&json!(1), &json!("c2")), "{list:#}");
    ann.send("/logout");
    ann.expect_with("you are logged out");
    ann.send("/login ann battery staple");
    ann.expect("-- welcome, ann: you are logged in");

    ann.send("/topic ask ann");
    bob.expect("* ann set the topic: ask ann");
    let counted = daemon.ctl(&["account", "erase", "ann"]);
    assert!(counted.code == Some(2) && counted.out.is_empty(), "{counted:?}");
    daemon.ctl(&["account", "erase", "ann", "--yes"]).done();
    ann.expect("-- your account was removed by an operator; you are a guest now");
    assert_eq!(daemon.ctl(&["account", "list", "--json"]).json()["total"], 0);
    bob.send("/history");
    bob.expect("-- 2 lines were removed by a moderator");
    bob.expect("-- end of history");
    bob.send("/topic");
    bob.expect("-- lobby has no topic");
    assert_eq!(daemon.ctl(&["account", "remove", "ann"]).code, Some(5));
    let log = daemon.logged("accounts.erase");
    let log = format!("{log}{}", daemon.log());
    for secret in ["correct horse", "battery staple", "short\""] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn strangers_do_not_lock_an_owner_out_and_an_administrator_ends_it() {
    let daemon = Daemon::with(&format!("{CHEAP}attempts = 1\nattempt_every = '1h'\n"));
    with_password(&daemon, &["account", "add", "ann", "--password-stdin"], "correct horse");
    let try_from = |address: [u8; 4], password: &str| {
        let mut client = Client::connect_from(&daemon, (address, 0).into(), "somebody");
        client.send(&format!("/login ann {password}"));
        let told = client.until("an answer", |line| {
            ["welcome, ann", "no such name", "too often"].iter().any(|answer| line.contains(answer))
        });
        told.last().unwrap().clone()
    };
    assert!(try_from([127, 0, 0, 1], "correct horse").contains("welcome"));
    for stranger in 1..=5 {
        assert!(try_from([127, 0, 9, stranger], "guess").contains("no such name"));
    }
    assert!(try_from([127, 0, 9, 6], "guess").contains("too often"));
    assert!(try_from([127, 0, 9, 7], "correct horse").contains("too often"));
    assert!(try_from([127, 0, 0, 1], "correct horse").contains("welcome"), "at home she is let in");
    let unlocked = daemon.ctl(&["account", "unlock", "ann"]).done();
    assert_eq!(unlocked, "ann can be tried again at once.\n");
    daemon.logged("accounts.unlock");
    assert!(try_from([127, 0, 9, 7], "correct horse").contains("welcome"));
    assert_eq!(daemon.ctl(&["account", "unlock", "nobody"]).code, Some(5));
}

#[test]
fn where_nothing_is_recorded_there_are_no_accounts() {
    let daemon = Daemon::with("[history]\npersist = false\n");
    let mut ann = daemon.client("ann");
    ann.send("/register");
    ann.expect("-- nothing is recorded here now, so no names can be registered");
    let (code, told) = with_password(&daemon, &["account", "add", "ann", "--password-stdin"], "correct horse");
    assert!(code == Some(1) && told.contains("history.persist"), "{told}");
}

#[test]
fn at_the_door_one_neither_sees_nor_hears_anybody_until_one_has_logged_in() {
    let daemon = Daemon::with("[accounts]\nmemory = '64KiB'\npasses = 1\nentry = 'registered'\nregister = 'closed'\n");
    for name in ["ann", "bob"] {
        with_password(&daemon, &["account", "add", name, "--password-stdin"], "correct horse");
    }
    let mut bob = Client::connect(&daemon, daemon.addr(), "bob");
    bob.send("/login bob correct horse");
    bob.expect("-- you are in lobby now, alone");
    bob.expect("-- welcome, bob: you are logged in");
    let mut ann = Client::connect(&daemon, daemon.addr(), "ann");
    ann.next_is("-- Welcome to chathub. It is for those who are registered: /login NAME");
    ann.next_is("-- You have 2 min 0 s. Type /help or /quit.");
    bob.send("is anybody here?");
    ann.send("hello");
    ann.next_is("-- log in first: /login NAME (nobody saw that)");
    let clients = daemon.ctl(&["clients", "--json"]).json();
    assert_eq!((&clients["clients"][1]["room"], &clients["total"]), (&json!("door"), &json!(2)), "{clients:#}");
    assert_eq!(daemon.ctl(&["rooms", "--json"]).json()["total"], 1);
    ann.send("/login ann correct horse");
    ann.expect_with("bob: is anybody here?");
    ann.next_is("-- you are in lobby now, with bob");
    bob.next_is("* ann joined");
    ann.expect("-- welcome, ann: you are logged in");
    ann.send("hello");
    bob.next_is("ann: hello");
}

#[test]
fn a_room_that_lasts_is_there_after_a_cold_start_and_one_that_does_not_is_gone() {
    let daemon = Daemon::with(CHEAP);
    with_password(&daemon, &["account", "add", "ann", "--password-stdin"], "correct horse");
    let mut ann = daemon.client("eve");
    ann.send("/login ann correct horse");
    ann.expect("-- welcome, ann: you are logged in");
    for room in ["milk", "tea"] {
        ann.send(&format!("/join {room}"));
        ann.expect_with(&format!("you are in {room} now"));
        ann.send("/room lasting");
        ann.expect(&format!("-- {room} is public now; it is kept while empty"));
    }
    ann.send("/topic at five");
    ann.expect("* ann set the topic: at five");
    ann.send("/leave");
    ann.expect_with("you are in lobby now");
    daemon.ctl(&["rooms", "set", "#tea", "moderated", "--slow", "5s"]).done();
    daemon.ctl(&["rooms", "set", "milk", "passing"]).done();
    let before = daemon.ctl(&["rooms", "show", "tea"]).done();
    assert!(before.contains("moderated, topic-locked, lasting, slow 5 s") && before.contains("at five"), "{before}");
    daemon.signal(Signal::SIGTERM);
    let daemon = Setup::new().settings(CHEAP).in_dir(daemon.leave()).start();
    assert_eq!(daemon.ctl(&["rooms", "--json"]).json()["total"], 2);
    let after = daemon.ctl(&["rooms", "show", "tea"]).done();
    let without_lines = |text: &str| text.lines().filter(|line| !line.contains("Lines")).map(str::to_owned).collect();
    let (before, after): (Vec<String>, Vec<String>) = (without_lines(&before), without_lines(&after));
    assert_eq!(before, after);
    let mut bob = daemon.client("bob");
    bob.send("/join tea");
    bob.expect("-- topic of tea: at five");
    bob.send("may I?");
    bob.expect("-- this room is moderated, and nobody saw that; ask ann to let you speak");
}
