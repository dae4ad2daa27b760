//! State that keeps order in a room or the hub survives a death: a lockdown, modes, rooms that are
//! kept while empty.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::people::Person;
use crate::supervisor::{Plan, Supervisor};

fn room(supervisor: &Supervisor, name: &str) -> Value {
    let rooms = supervisor.ask("rooms.list", &json!({}));
    let found = rooms["rooms"].as_array().unwrap().iter().find(|room| room["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("no room {name}: {rooms:#}"))
}

#[test]
fn a_lockdown_and_the_modes_of_rooms_outlive_kills_and_stops() {
    let supervisor = Plan::new("", 1).start();
    let mut ann = Person::come(&supervisor, "ann");
    ann.send("/join tea");
    ann.sync();
    supervisor.ask("accounts.add", &json!({"name": "bea"}));
    let wanted = json!({"room": "tea", "owner": "bea", "lasting": true, "moderated": true, "slow_s": 10});
    supervisor.ask("rooms.set", &wanted);
    supervisor.ask("rooms.topic", &json!({"room": "tea", "text": "at five"}));
    ann.send("/leave");
    ann.sync();
    let empty = room(&supervisor, "tea");
    assert_eq!((&empty["members"], &empty["owner"], &empty["lasting"]), (&json!(0), &json!("bea"), &json!(true)));
    let lockdown = supervisor.ask("lockdown", &json!({"for_s": 600}));
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGKILL] {
        supervisor.replace(signal);
        ann.send("still here");
        ann.sync();
        assert_eq!(room(&supervisor, "tea"), empty);
        let status = supervisor.ask("status", &json!({}));
        assert_eq!(status["lockdown"], lockdown, "{status:#}");
    }
    supervisor.ask("lockdown", &json!({"off": true}));
    // When somebody joins it again, the room lives on.
    ann.send("/join tea");
    ann.until("the topic", |line| line.ends_with("topic of tea: at five"));
    supervisor.replace(Signal::SIGKILL);
    ann.send("may I?");
    ann.until("it is moderated", |line| line.contains("this room is moderated"));
    ann.leave();
}
