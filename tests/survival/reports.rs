//! A report survives each death, even one after which only the disk is left.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::people::Person;
use crate::supervisor::Plan;

const SETTINGS: &str = "[accounts]\nmemory = '64KiB'\npasses = 1\n";

#[test]
fn a_report_outlives_each_death() {
    let supervisor = Plan::new(SETTINGS, 1).start();
    let kill = |signal| {
        supervisor.replace(signal);
    };
    let (mut ann, mut bob) = (Person::come(&supervisor, "ann"), Person::come(&supervisor, "bob"));
    bob.send("you fool");
    ann.until("what he says", |line| line == "bob: you fool");
    ann.send("/report bob he is rude");
    ann.until("it is kept", |line| line.starts_with("-- report r1 is kept for the operators; none is here"));
    kill(Signal::SIGKILL);
    ann.send("/report bob he is rude");
    ann.until("it is known", |line| line == "-- report r1 says that already, and is open; it counts 2 times now");
    kill(Signal::SIGTERM);
    let add = json!({"name": "olga", "password": "secret of olga", "role": "operator"});
    supervisor.ask("accounts.add", &add);
    let mut olga = Person::come(&supervisor, "zoe");
    olga.send("/login olga secret of olga");
    olga.until("she is told", |line| line == "-- 1 report is open: /reports");
    kill(Signal::SIGKILL);
    let open = |count: u64| {
        let list = supervisor.ask("reports.list", &json!({}));
        assert_eq!((&list["open"], &list["total"]), (&json!(count), &json!(count)), "{list:#}");
    };
    open(1);
    let shown = supervisor.ask("reports.show", &json!({"report": "r1"}));
    assert_eq!(shown["report"]["reason"], "he is rude", "{shown:#}");
    let texts: Vec<&Value> = shown["lines"].as_array().unwrap().iter().map(|line| &line["line"]["text"]).collect();
    assert_eq!(texts, ["you fool"], "{shown:#}");
    olga.send("/close r1 I have talked to him");
    kill(Signal::SIGKILL);
    olga.until("it is closed", |line| line == "-- report r1 is closed; none is open");
    open(0);
    kill(Signal::SIGKILL);
    let shown = supervisor.ask("reports.show", &json!({"report": "r1"}));
    assert_eq!(shown["report"]["closed"]["note"], "I have talked to him", "{shown:#}");
    ann.send("/report bob again");
    ann.until("numbers go on", |line| line.starts_with("-- report r2 is kept for the operators; one of them is here"));
}
