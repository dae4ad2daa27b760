//! A client in the middle of typing a password goes on after a death; and the password is gone from
//! the tape a few seconds later.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use nix::sys::signal::Signal;
use rustix::fs::{SeekFrom, seek};
use serde_json::json;

use crate::people::Person;
use crate::supervisor::{Plan, Supervisor};

const SETTINGS: &str = "[accounts]\nmemory = '64KiB'\npasses = 1\n";

/// Hashing takes a while, so that the daemon can be killed meanwhile.
const DEAR: &str = "[accounts]\nmemory = '64MiB'\npasses = 4\n";

/// Waits for a line that begins with `beginning`.
#[track_caller]
fn shows(person: &mut Person, beginning: &str) {
    person.until(beginning, |line| line.starts_with(beginning));
}

/// Whether `text` occurs anywhere on the tape.
fn is_kept(supervisor: &Supervisor, text: &str) -> bool {
    let file = File::from(supervisor.stored("tape").expect("there is a tape"));
    let mut at = 0;
    while let Ok(from) = seek(&file, SeekFrom::Data(at)) {
        let to = seek(&file, SeekFrom::Hole(from)).unwrap();
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        file.read_exact_at(&mut bytes, from).unwrap();
        if bytes.windows(text.len()).any(|some| some == text.as_bytes()) {
            return true;
        }
        at = to;
    }
    false
}

#[test]
fn a_password_dialogue_goes_on_after_each_death() {
    let supervisor = Plan::new(SETTINGS, 1).start();
    let kill = || {
        supervisor.replace(Signal::SIGKILL);
    };
    let mut ann = Person::come(&supervisor, "ann");
    let mut bob = Person::come(&supervisor, "bob");
    ann.send("/register");
    shows(&mut ann, "-- type a new password");
    kill();
    ann.send("correct horse");
    shows(&mut ann, "-- type it again");
    kill();
    ann.send("correct horse");
    kill();
    shows(&mut ann, "-- ann is registered");
    ann.send("/logout");
    shows(&mut ann, "-- you are logged out");
    kill();
    ann.send("/login ann");
    shows(&mut ann, "-- type the password of ann");
    // A hand-over leaves a snapshot while the password is being typed.
    supervisor.replace(Signal::SIGTERM);
    ann.send("correct horse");
    kill();
    shows(&mut ann, "-- welcome, ann");
    ann.send("hello");
    let heard = bob.until("ann: hello", |line| line == "ann: hello");
    assert!(!heard.iter().any(|line| line.contains("horse")), "{heard:#?}");
    assert_eq!(supervisor.ask("accounts.list", &json!({}))["total"], 1);
}

#[test]
fn a_password_being_hashed_at_a_death_is_hashed_by_the_next_daemon() {
    let supervisor = Plan::new(DEAR, 2).start();
    let mut ann = Person::come(&supervisor, "ann");
    ann.send("/register correct horse");
    ann.send("hello");
    supervisor.replace(Signal::SIGKILL);
    shows(&mut ann, "-- ann is registered");
    for _ in 0..3 {
        ann.send("/logout");
        ann.send("/login ann correct horse");
        supervisor.replace(Signal::SIGKILL);
        shows(&mut ann, "-- welcome, ann");
    }
}

#[test]
fn a_password_that_was_used_is_gone_from_the_tape_soon() {
    let supervisor = Plan::new(SETTINGS, 3).start();
    let mut ann = Person::come(&supervisor, "ann");
    ann.send("/register correct-horse");
    shows(&mut ann, "-- ann is registered");
    supervisor.ask("accounts.add", &json!({"name": "eve", "password": "battery-staple"}));
    // The password must have been on the tape, or this test looks in the wrong place.
    ann.send("something else");
    ann.sync();
    assert!(is_kept(&supervisor, "something else"), "what was said is on the tape");
    while is_kept(&supervisor, "correct-horse") || is_kept(&supervisor, "battery-staple") {
        ann.sync();
    }
    // The same after a death: the next daemon has read the password from the tape.
    ann.send("/logout");
    ann.send("/login ann correct-horse");
    shows(&mut ann, "-- welcome, ann");
    supervisor.replace(Signal::SIGKILL);
    while is_kept(&supervisor, "correct-horse") {
        ann.sync();
    }
    ann.send("hello");
    ann.sync();
}
