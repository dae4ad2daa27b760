//! The record on disk agrees with the lines that people got, however often the daemon dies.

use std::collections::BTreeSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::people::Person;
use crate::supervisor::{Plan, Supervisor};

const SETTINGS: &str = "
[pace]
lines = 1000000
burst_lines = 1000000
bytes = '1GiB'
burst_bytes = '1GiB'
private = '1GiB'
";

/// The number and text of every line of the lobby that an administrator gets for a search.
fn dumped(supervisor: &Supervisor, search: &str) -> Vec<(u64, String)> {
    let found = supervisor.ask("history.search", &json!({"room": "lobby", "query": search, "last": 10_000}));
    let lines = found["lines"].as_array().unwrap_or_else(|| panic!("{found:#}")).clone();
    lines.iter().map(|line| (line["seq"].as_u64().unwrap(), line["text"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn lines_that_clients_got_are_recorded_once_and_in_order_over_many_kills() {
    let supervisor = Plan::new(SETTINGS, 1).start();
    let (mut ann, mut bob) = (Person::come(&supervisor, "ann"), Person::come(&supervisor, "bob"));
    let mut said = 0;
    for kill in 0..30_u64 {
        // More or less than a batch of the store; the daemon dies at another moment in each round.
        for number in 0..300 {
            ann.send(&format!("n{}", said + number));
            if number == kill * 9 {
                supervisor.replace(Signal::SIGKILL);
            }
        }
        said += 300;
    }
    let mut given = Vec::new();
    while given.last() != Some(&(said - 1)) {
        let line = bob.line().expect("bob stays");
        given.extend(line.strip_prefix("ann: n").map(|number| number.parse::<u64>().unwrap()));
    }
    assert_eq!(given, (0..said).collect::<Vec<_>>(), "what bob was given");
    let recorded = dumped(&supervisor, "n");
    let numbers: Vec<u64> = recorded.iter().map(|(_, text)| text[1..].parse().unwrap()).collect();
    let missing: BTreeSet<u64> = given.iter().copied().filter(|number| !numbers.contains(number)).collect();
    assert!(missing.is_empty(), "{} lines are not recorded: {missing:?}", missing.len());
    assert_eq!(numbers, given, "each once and in order");
    assert!(recorded.windows(2).all(|pair| pair[0].0 < pair[1].0), "numbers rise");
    until_all_is_on_disk(&supervisor);
    assert_eq!(dumped(&supervisor, "n"), recorded, "and so it is on disk");
}

fn until_all_is_on_disk(supervisor: &Supervisor) -> Value {
    loop {
        let stats = supervisor.ask("history.stats", &json!({}));
        if stats["disk"]["waiting_bytes"] == 0 {
            return stats;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_search_that_was_under_way_is_answered_by_the_next_daemon() {
    let supervisor = Plan::new(SETTINGS, 2).start();
    let mut ann = Person::come(&supervisor, "ann");
    ann.send("the needle");
    ann.sync();
    until_all_is_on_disk(&supervisor);
    for _ in 0..10 {
        ann.send("/search needle");
        supervisor.replace(Signal::SIGKILL);
        let mut seen = Vec::new();
        while seen.last().is_none_or(|line: &String| line != "-- end of search") {
            seen.push(ann.line().expect("ann stays"));
        }
        assert_eq!(seen.iter().filter(|line| line.ends_with("ann: the *needle*")).count(), 1, "{seen:#?}");
    }
}

#[test]
fn a_ban_and_a_redaction_outlive_the_daemon_that_is_killed_at_once() {
    let supervisor = Plan::new(SETTINGS, 3).start();
    let mut ann = Person::come(&supervisor, "ann");
    ann.send("something to be removed");
    ann.send("something to stay");
    ann.sync();
    supervisor.ask("bans.add", &json!({"target": "mallory", "reason": "no"}));
    supervisor.ask("history.redact", &json!({"query": "to be removed"}));
    supervisor.replace(Signal::SIGKILL);
    assert_eq!(ann.line().unwrap(), "-- 1 line was removed by a moderator; it may still stand on your screen");
    ann.send("/nick mallory");
    assert_eq!(ann.line().unwrap(), "-- nobody may be called mallory here: no");
    let left = dumped(&supervisor, "something");
    assert_eq!(left.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["something to stay"]);
    assert_eq!(supervisor.ask("bans.list", &json!({}))["bans"][0]["target"], "mallory");
}
