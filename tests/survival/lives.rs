//! Step by step: the state of people's sessions that survives a death, and the things that end with
//! one.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::load::settings;
use crate::people::Person;
use crate::supervisor::{HANDED_OVER, Plan, Supervisor};

fn supervisor() -> Supervisor {
    Plan::new(&settings(), 1).start()
}

/// Clients of these names connect, one after another.
fn come<const N: usize>(supervisor: &Supervisor, names: [&str; N]) -> [Person; N] {
    names.map(|name| Person::come(supervisor, name))
}

/// A daemon with clients of these names.
fn meeting<const N: usize>(names: [&str; N]) -> (Supervisor, [Person; N]) {
    let supervisor = supervisor();
    let people = come(&supervisor, names);
    (supervisor, people)
}

const GOODBYE: &str = "-- the hub is shutting down; goodbye";

#[track_caller]
fn killed(supervisor: &Supervisor) {
    assert_eq!(supervisor.replace(Signal::SIGKILL).signal(), Some(Signal::SIGKILL as i32));
}

#[test]
fn names_rooms_and_topics_stay() {
    let (supervisor, [mut ann, mut bob]) = meeting(["ann", "bob"]);
    ann.send("/join tea");
    ann.send("/topic black or green?");
    bob.send("/topic the lobby's own");
    ann.sync();
    bob.sync();
    killed(&supervisor);
    ann.quiet();
    bob.quiet();
    ann.send("/who");
    ann.expect_all(&["-- 1 person in tea:", "--   ann"]);
    ann.send("/topic");
    ann.expect("-- topic of tea: black or green?");
    bob.send("/join tea");
    assert_eq!(bob.line().unwrap(), "-- the last line in tea, time in UTC:");
    assert!(bob.line().unwrap().ends_with("* ann set the topic: black or green?"));
    assert_eq!(bob.line().unwrap(), "-- topic of tea: black or green?");
    assert_eq!(bob.line().unwrap(), "-- you are in tea now, with ann");
    bob.sync();
    ann.expect("* bob joined");
    bob.send("hello");
    ann.expect("bob: hello");
    bob.send("/nick ann");
    assert!(bob.line().unwrap().contains("taken"), "a name stays its bearer's");
    killed(&supervisor);
    ann.send("/leave");
    assert_eq!(ann.line().unwrap(), "-- 1 new line in lobby since you left, time in UTC:");
    assert!(ann.line().unwrap().ends_with("* bob set the topic: the lobby's own"));
    assert_eq!(ann.line().unwrap(), "-- topic of lobby: the lobby's own");
    assert_eq!(ann.line().unwrap(), "-- you are in lobby now, alone");
}

#[test]
fn what_each_has_set_stays_set() {
    let (supervisor, [mut ann, mut bob, mut eve]) = meeting(["ann", "bob", "eve"]);
    ann.send("/ignore eve");
    ann.send("/quiet");
    ann.send("/time +05:30");
    bob.send("/away gone fishing");
    bob.sync();
    eve.sync();
    ann.sync();
    killed(&supervisor);
    eve.send("nobody listens");
    eve.sync();
    let mut zoe = Person::come(&supervisor, "zoe");
    zoe.send("hello");
    zoe.sync();
    let line = ann.line().unwrap();
    assert!(line.ends_with("] zoe: hello") && line.starts_with('['), "ignored, quiet and with times: {line:?}");
    ann.send("/ignore");
    ann.expect("-- you ignore eve");
    ann.send("/msg bob psst");
    let line = ann.line().unwrap();
    assert!(line.ends_with("] [you -> bob] psst") && line.starts_with('['), "with its time: {line:?}");
    ann.expect("-- bob has it now, and is away: gone fishing");
    bob.expect_all(&["eve: nobody listens"]);
    killed(&supervisor);
    ann.send("/unignore eve");
    ann.send("/quiet");
    ann.send("/time off");
    let lines = ann.sync();
    assert_eq!(
        lines,
        ["-- you no longer ignore eve", "-- arrivals and departures are shown now", "-- times are not shown now"]
    );
    eve.send("somebody listens");
    ann.expect("eve: somebody listens");
    bob.send("/reply psst yourself");
    ann.expect("[bob -> you] psst yourself");
}

#[test]
fn a_mute_stays_until_its_time() {
    let (supervisor, [mut ann, mut bob]) = meeting(["ann", "bob"]);
    ann.sync();
    supervisor.ask("clients.mute", &json!({"who": ["ann"], "for_s": 3600}));
    assert!(ann.line().unwrap().contains("muted"));
    bob.sync();
    killed(&supervisor);
    ann.send("can you hear me?");
    assert!(ann.line().unwrap().starts_with("-- you are muted until "));
    bob.quiet();
}

#[test]
fn what_was_said_is_still_known() {
    let (supervisor, [mut ann]) = meeting(["ann"]);
    for number in 0..30 {
        ann.send(&format!("line {number}"));
    }
    ann.send("/me waves");
    ann.send("/history 5");
    let before: Vec<String> = ann.sync();
    assert_eq!(before.len(), 7, "{before:#?}");
    for _ in 0..3 {
        killed(&supervisor);
        ann.send("/history 5");
        assert_eq!(ann.sync(), before);
    }
    let dump = supervisor.ask("history.dump", &json!({"room": "lobby", "last": 100}));
    assert_eq!(dump["count"], 31, "{dump}");
    ann.send("one more");
    ann.sync();
    let mut bob = Person::knock(&supervisor, "bob");
    let greeting = bob.greeted();
    assert!(greeting.iter().any(|line| line.ends_with("] ann: one more")), "{greeting:#?}");
}

#[test]
fn half_a_line_is_completed_behind_a_death() {
    let (supervisor, [mut ann, mut bob]) = meeting(["ann", "bob"]);
    ann.sync();
    for number in 0..5 {
        bob.write(format!("begun {number},").as_bytes());
        // In every second round a later command shows that the half line was read; in the others it
        // may not have been.
        if number % 2 == 0 {
            ann.sync();
        }
        killed(&supervisor);
        bob.write(b" and not forgotten");
        killed(&supervisor);
        bob.write(b".\n");
        ann.expect(&format!("bob: begun {number}, and not forgotten."));
    }
    // At the end of the stream, half a line counts as a line.
    bob.write(b"famous last words");
    killed(&supervisor);
    bob.hang_up();
    ann.expect_all(&["bob: famous last words", "* bob left"]);
    assert!(bob.rest().is_empty());
}

/// Sends a part of `text`, kills the daemon, and sends the rest, for each place at which it can be
/// torn: it must be said whole.
fn is_whole_wherever_it_is_torn(text: &[u8], said: &str) {
    let (supervisor, [mut ann, mut bob, mut zoe]) = meeting(["ann", "bob", "zoe"]);
    zoe.send("/join elsewhere");
    zoe.sync();
    ann.sync();
    for at in 1..text.len() {
        bob.write(&text[..at]);
        // In every third round a later command shows that the part was read; in the others it may
        // not have been.
        if at % 3 == 0 {
            zoe.sync();
        }
        killed(&supervisor);
        bob.write(&text[at..]);
        ann.expect(said);
    }
}

#[test]
fn a_character_is_not_torn_by_a_death() {
    is_whole_wherever_it_is_torn("日本語 straße 👩‍👧\r\n".as_bytes(), "bob: 日本語 straße 👩‍👧");
}

#[test]
fn telnet_commands_are_not_torn_by_a_death() {
    // "Are you there?", a timing mark, an escaped 0xff, a subnegotiation: each between letters.
    is_whole_wherever_it_is_torn(b"a\xff\xf6b\xff\xfd\x06c\xff\xfa\x18\x00xterm\xff\xf0d\r\n", "bob: abcd");
}

#[test]
fn one_who_goes_while_it_is_dead_is_gone() {
    let (supervisor, [mut ann, mut bob, eve, zoe]) = meeting(["ann", "bob", "eve", "zoe"]);
    ann.sync();
    supervisor.hold();
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended(1);
    bob.send("my last word");
    bob.hang_up();
    drop(eve);
    socket2::SockRef::from(&zoe.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(zoe);
    ann.send("said in the dark");
    supervisor.release();
    let lines: Vec<String> = (0..4).map(|_| ann.line().unwrap()).collect();
    let has = |text: &str| lines.iter().any(|line| line.starts_with(text));
    assert!(["bob: my last word", "* bob left", "* eve left", "* zoe left"].iter().all(|text| has(text)), "{lines:#?}");
    ann.quiet();
    assert!(bob.rest().iter().all(|line| !line.starts_with("-- ")));
    let clients = supervisor.ask("clients.list", &json!({}));
    assert_eq!(clients["total"], 1, "{clients}");
}

#[test]
fn those_who_come_while_it_is_dead_are_greeted_and_heard() {
    let (supervisor, [mut ann]) = meeting(["ann"]);
    supervisor.hold();
    supervisor.signal(Signal::SIGKILL);
    supervisor.ended(1);
    let mut early: Vec<Person> = (0..20)
        .map(|number| {
            let mut person = Person::knock(&supervisor, &format!("early{number}"));
            person.send(&format!("/nick early{number}"));
            person
        })
        .collect();
    supervisor.release();
    for (number, person) in early.iter_mut().enumerate() {
        person.greeted();
        person.until("its name", |line| line == format!("-- you are early{number} now"));
    }
    early[0].send("here we are");
    ann.until("the first word", |line| line == "early0: here we are");
}

#[test]
fn status_tells_how_many_restarts_were_lived_through() {
    let (supervisor, [mut ann]) = meeting(["ann"]);
    let before = supervisor.ask("status", &json!({}));
    assert!(before["survival"].is_string(), "{before}");
    killed(&supervisor);
    killed(&supervisor);
    ann.sync();
    let after = supervisor.ask("status", &json!({}));
    assert!(
        after.to_string().contains("\"restarts\":2") || after["survival"].as_str().unwrap().contains('2'),
        "{after}"
    );
}

#[test]
fn a_hand_over_ends_with_its_own_code_and_is_noticed_by_nobody() {
    let (supervisor, [mut ann, mut bob]) = meeting(["ann", "bob"]);
    ann.sync();
    for number in 0..10 {
        bob.send(&format!("before {number}"));
        bob.write(b"aft");
        let status = supervisor.replace(Signal::SIGTERM);
        assert_eq!(status.code(), Some(HANDED_OVER), "{status}");
        bob.write(format!("er {number}\n").as_bytes());
        ann.expect_all(&[&format!("bob: before {number}"), &format!("bob: after {number}")]);
    }
    ann.quiet();
    bob.quiet();
}

#[test]
fn a_shutdown_says_goodbye_and_closes_at_once_though_the_sockets_are_kept() {
    for preserve in [false, true] {
        let mut plan = Plan::new(&settings(), 1);
        if preserve {
            plan = plan.preserving();
        }
        let supervisor = plan.start();
        let mut people: Vec<Person> = (0..10).map(|at| Person::come(&supervisor, &format!("k{at}"))).collect();
        killed(&supervisor);
        people.iter_mut().for_each(|person| drop(person.sync()));
        supervisor.ask("shutdown", &json!({}));
        for person in &mut people {
            assert_eq!(person.rest(), [GOODBYE]);
        }
        let ending = supervisor.stopped();
        assert_eq!(ending.status.code(), Some(0));
        assert_eq!(supervisor.store().is_empty(), !preserve, "{:?}", supervisor.store());
        // A daemon that is started by the next connection finds nothing of the former one.
        supervisor.activate();
        let mut ann = Person::come(&supervisor, "ann");
        ann.send("/who");
        ann.expect_all(&["-- 1 person in lobby:", "--   ann"]);
        killed(&supervisor);
        ann.quiet();
    }
}

#[test]
fn everybody_who_quits_or_is_kicked_is_let_go_of_at_once() {
    let (supervisor, [mut ann, mut bob, mut eve]) = meeting(["ann", "bob", "eve"]);
    ann.sync();
    bob.sync();
    bob.send("/quit");
    assert_eq!(bob.rest().last().unwrap(), "-- goodbye");
    supervisor.ask("clients.kick", &json!({"who": ["eve"], "reason": "enough"}));
    assert_eq!(eve.rest().last().unwrap(), "-- you were disconnected by an operator: enough");
    ann.sync();
    killed(&supervisor);
    ann.quiet();
    // The kernel has closed the connections too: sending to them fails.
    for person in [&mut bob, &mut eve] {
        person.try_send("anybody?\n");
        let mut byte = [0];
        assert!(matches!(person.stream.read(&mut byte), Ok(0) | Err(_)));
    }
    assert_eq!(supervisor.ask("clients.list", &json!({}))["total"], 1);
}

/// Without a service manager that keeps descriptors, the daemon serves as it did before survival
/// existed.
#[test]
fn without_a_descriptor_store_the_daemon_serves_and_says_that_nobody_survives() {
    let supervisor = Plan::new(&settings(), 1).without_notify().begin();
    let mut ann = Person::come(&supervisor, "ann");
    let status = supervisor.ask("status", &json!({}));
    let survival = status["survival"].as_str().unwrap_or_default();
    assert!(survival.contains("off"), "{status}");
    supervisor.signal(Signal::SIGKILL);
    assert!(ann.line_or_reset().is_none());
    Person::come(&supervisor, "bob").sync();
    supervisor.signal(Signal::SIGTERM);
    let ending = supervisor.ended(2);
    assert_eq!(ending.status.code(), Some(0), "there is nobody to hand over to");
}

/// Without a store, encrypted clients and others talk and leave.
#[test]
fn without_a_descriptor_store_encrypted_people_talk_too() {
    let supervisor = Plan::new(&settings(), 1).without_notify().sealed(true).begin();
    let mut ann = Person::come(&supervisor, "ann");
    let mut bob = Person::come(&supervisor, "bob");
    ann.sync();
    ann.send("hello");
    bob.until("what ann says", |line| line == "ann: hello");
    bob.send("hello, all");
    ann.until("what bob says", |line| line == "bob: hello, all");
    ann.leave();
    bob.until("that she has left", |line| line == "* ann left");
    bob.sync();
}

/// A line at which the daemon crashes, each time it handles it.
#[test]
fn a_line_that_crashes_the_daemon_costs_its_sender_alone() {
    let supervisor = Plan::new(&settings(), 1).env("CHATHUB_POISON", "arsenic").start();
    let [mut ann, mut bob, mut eve] = come(&supervisor, ["ann", "bob", "eve"]);
    ann.sync();
    bob.sync();
    eve.send("sugar");
    ann.expect("eve: sugar");
    eve.write(b"with arsenic in it\nand more\n");
    bob.send("good evening");
    let lines: Vec<String> = (0..2).map(|_| ann.line().unwrap()).collect();
    assert!(lines.contains(&"bob: good evening".to_owned()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("* eve left")), "{lines:#?}");
    ann.quiet();
    let rest = bob.sync();
    assert!(rest.iter().all(|line| !line.contains("arsenic") && !line.contains("and more")), "{rest:#?}");
    while eve.line_or_reset().is_some() {}
    let endings = supervisor.endings();
    assert_eq!(endings.len(), 3, "three tries: {endings:?}");
    for ending in &endings {
        assert_eq!(ending.status.signal(), Some(Signal::SIGABRT as i32));
    }
    // Another client sends such a line: the earlier crashes do not count for it.
    let mut zoe = Person::come(&supervisor, "zoe");
    zoe.send("arsenic again");
    while zoe.line_or_reset().is_some() {}
    bob.send("and still here");
    ann.until("bob", |line| line == "bob: and still here");
    assert_eq!(supervisor.endings().len(), 6);
    killed(&supervisor);
    ann.quiet();
}

/// An administrator's command at which the daemon crashes each time is tried as often as a line.
#[test]
fn an_admin_command_that_crashes_the_daemon_is_tried_three_times_and_costs_nobody() {
    let supervisor = Plan::new(&settings(), 1).env("CHATHUB_POISON", "arsenic").start();
    let mut ann = Person::come(&supervisor, "ann");
    let mut bob = Person::come(&supervisor, "bob");
    ann.sync();
    bob.sync();
    let asked = supervisor.try_ask("say", &json!({"text": "arsenic for all"}));
    assert!(asked.is_err(), "whoever asked is told nothing: {asked:?}");
    bob.send("good evening");
    ann.expect("bob: good evening");
    let endings = supervisor.endings();
    assert_eq!(endings.len(), 3, "the command is blamed for the first death too: {endings:?}");
    for ending in &endings {
        assert_eq!(ending.status.signal(), Some(Signal::SIGABRT as i32));
    }
    supervisor.ask("say", &json!({"text": "honey for all"}));
    assert!(ann.line().unwrap().contains("honey for all"));
    killed(&supervisor);
    ann.quiet();
    bob.sync();
    assert_eq!(supervisor.endings().len(), 4);
}

/// A deadly line arrives among many others. The lines before it are said once, although each
/// recovery handles them again; and no line of another client is missing.
#[test]
fn lines_around_a_line_that_crashes_the_daemon_are_said_once() {
    let supervisor = Plan::new(&settings(), 1).env("CHATHUB_POISON", "arsenic").start();
    let [mut ann, mut bob, mut eve] = come(&supervisor, ["ann", "bob", "eve"]);
    ann.sync();
    bob.sync();
    let mut paste: String = (0..2000).map(|number| format!("eve's {number}\n")).collect();
    paste.push_str("arsenic\n");
    paste.extend((0..50).map(|number| format!("eve's own {number}\n")));
    eve.write(paste.as_bytes());
    for number in 0..50 {
        bob.send(&format!("bob's {number}"));
    }
    let (mut hers, mut his, mut left) = (0, 0, false);
    while !(left && his == 50) {
        let line = ann.line().unwrap();
        if line.starts_with("* eve left") {
            assert!(!left);
            left = true;
        } else if line.starts_with("eve: ") {
            assert_eq!(line, format!("eve: eve's {hers}"));
            hers += 1;
        } else {
            assert_eq!(line, format!("bob: bob's {his}"));
            his += 1;
        }
    }
    // The lines received in one piece with the deadly one are lost with it.
    assert!((500..=2000).contains(&hers), "{hers}");
    ann.quiet();
}

/// A command of an administrator that was answered survives a death.
#[test]
fn what_an_administrator_did_stays_done() {
    let (supervisor, [mut ann]) = meeting(["ann"]);
    ann.sync();
    supervisor.ask("clients.rename", &json!({"who": "ann", "nick": "anna"}));
    killed(&supervisor);
    assert!(ann.line().unwrap().contains("an operator has named you anna"));
    supervisor.ask("rooms.topic", &json!({"room": "lobby", "text": "of the day"}));
    killed(&supervisor);
    ann.expect("-- the topic is now: of the day");
    supervisor.ask("say", &json!({"text": "once"}));
    killed(&supervisor);
    ann.expect("-- notice: once");
    ann.quiet();
    ann.send("/whois anna");
    assert!(ann.line().unwrap().starts_with("-- anna is in lobby"));
}

/// Limits that were lowered before a restart do not disconnect anybody.
#[test]
fn lowered_limits_turn_nobody_out() {
    let supervisor = supervisor();
    let mut people: Vec<Person> = (0..5).map(|at| Person::come(&supervisor, &format!("k{at}"))).collect();
    supervisor.settings(&settings().replace("[limits]", "[limits]\nclients = 2"));
    killed(&supervisor);
    people.iter_mut().for_each(|person| drop(person.sync()));
    let mut late = Person::knock(&supervisor, "late");
    assert_eq!(late.rest(), ["-- the hub is full; try again later"]);
}

/// Measures how long clients are not served. The quickest of several starts counts, which tells of the
/// daemon and not of what else the machine was doing.
#[test]
fn a_killed_daemon_is_ready_again_within_a_second() {
    let supervisor = supervisor();
    let mut people: Vec<Person> = (0..20).map(|at| Person::come(&supervisor, &format!("k{at}"))).collect();
    let mut took: Vec<Duration> = (0..9)
        .map(|_| {
            killed(&supervisor);
            supervisor.start_took().unwrap()
        })
        .collect();
    people.iter_mut().for_each(|person| drop(person.sync()));
    took.sort_unstable();
    eprintln!("from the start until ready, with 20 clients: {took:?}");
    assert!(took[0] < Duration::from_secs(1), "{took:?}");
}

/// Being killed is not a crash, so the input is tried again and again. But not for ever: the kernel
/// also kills a process whose line makes it use up all memory.
#[test]
fn a_line_at_which_it_is_killed_twenty_times_costs_its_sender_alone() {
    let supervisor = Plan::new(&settings(), 1).env("CHATHUB_DEADLY", "hemlock").start();
    let [mut ann, mut eve] = come(&supervisor, ["ann", "eve"]);
    ann.sync();
    eve.write(b"with hemlock in it\n");
    while eve.line_or_reset().is_some() {}
    ann.until("eve", |line| line.starts_with("* eve left"));
    ann.quiet();
    let endings = supervisor.endings();
    assert!((20..=22).contains(&endings.len()), "twenty tries: {endings:?}");
    assert!(endings.iter().all(|ending| ending.status.signal() == Some(Signal::SIGKILL as i32)), "{endings:?}");
}
