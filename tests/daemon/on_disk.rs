//! What is answered as done is on disk by then, where nothing else outlives the daemon: it was started by hand.

use nix::sys::signal::Signal;

use crate::stage::{Client, Daemon, Setup};

const SETTINGS: &str = "[accounts]\nmemory = '64KiB'\npasses = 1";

fn turned_away(daemon: &Daemon) -> Vec<String> {
    Client::connect_from(daemon, "127.0.7.1:0".parse().expect("an address"), "turned away").rest()
}

#[test]
fn what_was_answered_as_done_is_on_disk_by_then() {
    let mut dir = None;
    for round in 1..=5_u8 {
        let setup = Setup::new();
        let daemon = match dir.take() {
            Some(dir) => setup.in_dir(dir),
            None => setup,
        }
        .start();
        let list = daemon.ctl(&["sanction", "list", "--json"]).json();
        assert_eq!(list["total"], 2 * u64::from(round - 1), "{list:#}");
        daemon.ctl(&["ban", "add", &format!("127.0.7.{round}")]).done();
        daemon.ctl(&["mute", &format!("troll{round}"), "--reason", "noise"]).done();
        daemon.signal(Signal::SIGKILL);
        dir = Some(daemon.leave());
    }
}

#[test]
fn what_the_disk_does_not_take_is_not_answered_as_if_it_were_there() {
    let daemon = Daemon::start();
    let db = daemon.path("state/chathub.db");
    let other = rusqlite::Connection::open(&db).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = daemon.ctl(&["ban", "add", "127.0.7.1"]);
    assert!(answer.err.contains("this is done, and not on disk yet"), "{}", answer.err);
    assert_eq!(answer.code, Some(0), "it holds: {}", answer.err);
    assert!(turned_away(&daemon)[0].contains("you are banned"));
    other.execute_batch("COMMIT").unwrap();
    // Now that the disk takes it again, so does the next answer.
    let answer = daemon.ctl(&["ban", "add", "127.0.7.2"]);
    assert_eq!((answer.code, &*answer.err), (Some(0), ""), "nothing to warn of");
}

#[test]
fn what_people_are_answered_is_on_disk_by_then() {
    let setup = || Setup::new().settings(SETTINGS);
    let daemon = setup().start();
    let mut ann = daemon.client("ann");
    ann.send("/register secret-of-ann");
    ann.expect_with(" is registered, and nobody else can have it");
    daemon.signal(Signal::SIGKILL);
    let mut dir = Some(daemon.leave());
    // An owner has three rooms that last, and no more.
    for round in 1..=3_u8 {
        let daemon = setup().in_dir(dir.take().expect("of the round before")).start();
        let mut ann = daemon.client("zoe");
        ann.send("/login ann secret-of-ann");
        ann.expect_with("-- welcome, ann: you are logged in");
        if round == 1 {
            // From here on she is an operator, which she is told.
            daemon.ctl(&["account", "role", "ann", "operator"]).done();
            ann.expect_with("operator");
        }
        let list = daemon.ctl(&["sanction", "list", "--json"]).json();
        assert_eq!(list["total"], 2 * u64::from(round - 1), "{list:#}");
        assert_eq!(daemon.ctl(&["report", "list", "--json"]).json()["total"], round - 1);
        let name = format!("troll{round}");
        // From elsewhere: the mute is about the address as well.
        let mut troll = Client::connect_from(&daemon, ([127, 0, 8, round], 0).into(), &name);
        troll.greeted();
        troll.rename(&name);
        troll.send("/report ann is strict");
        troll.expect_with("report");
        ann.send(&format!("/ban 127.0.7.{round} noise"));
        ann.expect_with("holds until further notice");
        ann.send(&format!("/mute {name} 1h"));
        ann.expect_with(&format!("{name} is muted"));
        // Also where the answer is a line for all in the room: a room that lasts, and a lockdown.
        let room = format!("den{round}");
        ann.send(&format!("/join {room}"));
        ann.expect_with(&format!("you are in {room}"));
        ann.send("/room lasting");
        ann.expect_with("it is kept while empty");
        ann.send("/room slow 10s");
        ann.expect_with("one line in 10 s");
        ann.send("/lockdown 1h");
        ann.expect_with("notice: lockdown");
        daemon.signal(Signal::SIGKILL);
        let daemon = setup().in_dir(daemon.leave()).start();
        let rooms = daemon.ctl(&["rooms"]).done();
        assert!(rooms.lines().any(|line| line.contains(&room)), "{rooms}");
        let list = daemon.ctl(&["sanction", "list"]).done();
        assert!(list.contains("lockdown"), "{list}");
        daemon.ctl(&["lockdown", "--off"]).done();
        daemon.signal(Signal::SIGKILL);
        dir = Some(daemon.leave());
    }
}

/// The answer waits, and nothing else does.
#[test]
fn people_are_told_of_a_disk_that_does_not_take_what_they_do() {
    let daemon = Daemon::with(SETTINGS);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let db = daemon.path("state/chathub.db");
    let other = rusqlite::Connection::open(&db).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    ann.send("/register secret-of-ann");
    // Who has done nothing waits for nothing.
    bob.send("/who");
    bob.expect_with("2 people in lobby");
    ann.expect_with(" is registered, and nobody else can have it");
    ann.expect("-- it is not on disk yet: nothing can be written now; it is, as soon as it can");
    bob.send("hello");
    ann.expect_with("hello");
    // Now that this is known, nobody waits in vain.
    ann.send("/logout");
    ann.expect_with("you are logged out");
    other.execute_batch("COMMIT").unwrap();
    drop(other);
    ann.send("/login ann secret-of-ann");
    ann.expect("-- welcome, ann: you are logged in");
    // Goodbye waits for nobody.
    let other = rusqlite::Connection::open(&db).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    bob.send("/register secret-of-bob");
    daemon.logged("bob");
    daemon.signal(Signal::SIGTERM);
    assert!(bob.rest().iter().any(|line| line.contains("goodbye")), "he is told");
    drop(other);
}
