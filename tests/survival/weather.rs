//! A disk that could not be read when the first daemon started is recalled by the first daemon that
//! can read it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chathub::settings::History;
use chathub::store::{StateDir, Store};
use nix::sys::signal::Signal;
use rusqlite::Connection;
use serde_json::json;

use crate::people::Person;
use crate::supervisor::{Plan, Supervisor};

const SETTINGS: &str = "[accounts]\nmemory = '64KiB'\npasses = 1\n";

/// A service whose daemon has started without its state directory. `Kept::give_back` brings the
/// directory back.
fn locked_out(seed: u64) -> (Supervisor, Kept) {
    let supervisor = Plan::new(SETTINGS, seed).in_the_way().start();
    let kept = Kept { state: supervisor.state(), aside: supervisor.state().with_file_name("kept") };
    let dir = StateDir::take(&kept.aside).unwrap();
    let (store, _) = Store::open(dir, &History::default(), Arc::new(|_| {})).unwrap();
    assert_eq!(store.close(Duration::from_secs(20)), Ok(()));
    let db = Connection::open(kept.aside.join("chathub.db")).unwrap();
    db.execute_batch(
        "INSERT INTO accounts (id, name, role, since, seen) VALUES (1, 'ann', 'member', 1, 1);
         INSERT INTO sanctions (id, kind, name, uid, since) VALUES (1, 'ban', 'mallory', 0, 1);",
    )
    .unwrap();
    (supervisor, kept)
}

struct Kept {
    state: PathBuf,
    aside: PathBuf,
}

impl Kept {
    fn give_back(self) {
        std::fs::remove_file(&self.state).unwrap();
        std::fs::rename(self.aside, self.state).unwrap();
    }
}

fn come(supervisor: &Supervisor) -> Person {
    let mut person = Person::knock(supervisor, "bob");
    person.greeted();
    person
}

#[track_caller]
fn shows(person: &mut Person, line: &str) {
    person.until(line, |one| one == line);
}

#[test]
fn bans_and_accounts_that_are_unread_stay_so_over_deaths_and_are_recalled_later() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let (supervisor, kept) = locked_out(1);
        let mut bob = come(&supervisor);
        for _ in 0..3 {
            bob.send("/nick ann");
            shows(&mut bob, "-- names cannot be looked up just now; try again in a moment");
            supervisor.replace(signal);
            assert_eq!(supervisor.ask("status", &json!({}))["unread"], true);
        }
        supervisor.ask("bans.add", &json!({"target": "eve"}));
        kept.give_back();
        while supervisor.ask("status", &json!({}))["unread"] == true {
            bob.sync();
        }
        for _ in 0..2 {
            bob.send("/nick ann");
            shows(&mut bob, "-- ann is registered, or looks like such a name; if it is yours: /login ann");
            assert_eq!(supervisor.ask("bans.list", &json!({}))["total"], 2);
            supervisor.replace(signal);
        }
    }
}

#[test]
fn unread_bans_and_accounts_are_recalled_by_the_next_daemon_that_can() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let (supervisor, kept) = locked_out(2);
        let mut bob = come(&supervisor);
        supervisor.hold();
        let ended = supervisor.endings().len();
        supervisor.signal(signal);
        supervisor.ended(ended + 1);
        kept.give_back();
        supervisor.release();
        bob.send("/nick ann");
        shows(&mut bob, "-- ann is registered, or looks like such a name; if it is yours: /login ann");
        bob.send("/nick mallory");
        shows(&mut bob, "-- nobody may be called mallory here");
    }
}

#[test]
fn clients_are_told_if_the_next_daemon_cannot_start() {
    for signal in [Signal::SIGKILL, Signal::SIGTERM] {
        let supervisor = Plan::new("", 3).start();
        let mut bob = come(&supervisor);
        supervisor.hold();
        let ended = supervisor.endings().len();
        supervisor.signal(signal);
        supervisor.ended(ended + 1);
        // As an older release sees a database of a newer one.
        let db = Connection::open(supervisor.state().join("chathub.db")).unwrap();
        db.pragma_update(None, "user_version", 1000).unwrap();
        drop(db);
        supervisor.release();
        let told = bob.rest();
        assert_eq!(
            told.last().map(String::as_str),
            Some("-- the hub cannot start: please try again later"),
            "{told:?}"
        );
        assert_eq!(supervisor.ended(ended + 2).status.code(), Some(78));
    }
}
