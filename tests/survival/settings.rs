//! A restart applies the settings that need one, and everybody stays; where the settings cannot be
//! used, clients that came a moment ago are not lost.

use std::fs;

use chathub::settings::{Applies, SETTINGS};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::people::Person;
use crate::supervisor::{Plan, Supervisor};

/// The number of the daemon's threads with this name.
fn threads(supervisor: &Supervisor, name: &str) -> usize {
    let pid = supervisor.ask("status", &json!({}))["pid"].as_u64().unwrap();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    tasks.filter(|task| fs::read_to_string(task.as_ref().unwrap().path().join("comm")).unwrap().trim() == name).count()
}

fn rooms(supervisor: &Supervisor) -> Vec<(String, u64)> {
    let rooms = supervisor.ask("rooms.list", &json!({}));
    let of = |room: &Value| (room["name"].as_str().unwrap().to_owned(), room["members"].as_u64().unwrap());
    let mut rooms: Vec<_> = rooms["rooms"].as_array().unwrap().iter().map(of).collect();
    rooms.sort();
    rooms
}

#[test]
fn settings_that_need_a_restart_are_applied_by_one_that_nobody_notices() {
    let supervisor = Plan::new("[history]\npersist = false\n", 1).start();
    let mut ann = Person::come(&supervisor, "ann");
    let mut bob = Person::come(&supervisor, "bob");
    bob.send("/join tea");
    bob.sync();
    assert_eq!(rooms(&supervisor), [("lobby".to_owned(), 1), ("tea".to_owned(), 1)]);
    // A thread has its name once it has run.
    supervisor.until("one thread hashes", || threads(&supervisor, "hashing") == 1);
    supervisor.settings(
        "[rooms]\nlobby = 'Tea'\n[history]\npersist = true\n[accounts]\nhashers = 3\n[service]\nexit_when_idle = '10s'\n",
    );
    let reloaded = supervisor.ask("reload", &json!({}));
    let waiting = |key: &str| reloaded["restart"].as_array().unwrap().iter().any(|one| one == key);
    // The listening sockets are passed by the supervisor, so these settings do not apply here.
    let elsewhere = ["listen.chat", "listen.proxy", "listen.admin"];
    for setting in SETTINGS.iter().filter(|setting| setting.applies == Applies::Restart) {
        assert!(waiting(setting.key) || elsewhere.contains(&setting.key), "{} is looked at here", setting.key);
    }
    assert_eq!(rooms(&supervisor), [("lobby".to_owned(), 1), ("tea".to_owned(), 1)], "nothing has changed yet");
    supervisor.replace(Signal::SIGTERM);
    // The room of that name is the lobby now; the members of the former lobby are in it.
    ann.until("she is told where she is", |line| line.contains("tea"));
    assert_eq!(rooms(&supervisor), [("tea".to_owned(), 2)]);
    bob.send("hello");
    ann.until("what is said there", |line| line.ends_with("bob: hello"));
    let mut carl = Person::come(&supervisor, "carl");
    assert_eq!(rooms(&supervisor), [("tea".to_owned(), 3)]);
    supervisor.until("three threads hash", || threads(&supervisor, "hashing") == 3);
    supervisor.ask("history.stats", &json!({}));
    carl.send("is it written?");
    ann.until("what is said there", |line| line.ends_with("carl: is it written?"));
    // Once more: this restart changes nothing.
    supervisor.replace(Signal::SIGTERM);
    assert_eq!(rooms(&supervisor), [("tea".to_owned(), 3)]);
    for person in [ann, bob, carl] {
        person.leave();
    }
    // It ends by itself ten seconds after the last client has left.
    supervisor.stopped();
}

#[test]
fn connections_survive_a_restart_with_settings_that_cannot_be_used() {
    let supervisor = Plan::new("", 1).start();
    let mut ann = Person::come(&supervisor, "ann");
    supervisor.settings("[rooms]\nlobby = 7\n");
    supervisor.replace(Signal::SIGKILL);
    ann.send("still here");
    ann.sync();
    assert_eq!(rooms(&supervisor), [("lobby".to_owned(), 1)]);
}

#[test]
fn ids_of_clients_are_not_given_again_after_a_stop() {
    let supervisor = Plan::new("", 1).start();
    let ids = |supervisor: &Supervisor| -> Vec<String> {
        let list = supervisor.ask("clients.list", &json!({}));
        list["clients"].as_array().unwrap().iter().map(|one| one["id"].to_string()).collect()
    };
    let ann = Person::come(&supervisor, "ann");
    let before = ids(&supervisor);
    ann.leave();
    let bob = Person::come(&supervisor, "bob");
    // Nobody has said anything: so the highest id given cannot be known from recorded lines.
    supervisor.ask("shutdown", &json!({}));
    supervisor.stopped();
    drop(bob);
    supervisor.activate();
    let _carl = Person::come(&supervisor, "carl");
    assert!(ids(&supervisor).iter().all(|id| !before.contains(id)), "{before:?} {:?}", ids(&supervisor));
}
