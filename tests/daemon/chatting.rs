//! People who talk.

use std::net::SocketAddr;

use crate::stage::{Client, Daemon, Setup, UNPACED};

#[test]
fn newcomers_are_greeted_in_two_lines_and_have_a_name_at_once() {
    let daemon = Daemon::start();
    let mut ann = Client::connect(&daemon, daemon.addr(), "ann");
    let lines = ann.greeted();
    assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("-- ")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("kept for 30 days")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("/help")), "{lines:#?}");
    let hash = ann.nick.strip_prefix("guest-").expect("a guest's name");
    assert!((4..=8).contains(&hash.len()) && hash.chars().all(|c| c.is_ascii_alphanumeric()), "{hash}");
}

#[test]
fn an_operators_own_greeting_follows_that_of_the_hub() {
    let daemon = Daemon::with("[hub]\nname = 'the pond'\ngreeting = 'Be kind.'");
    let mut ann = Client::connect(&daemon, daemon.addr(), "ann");
    let lines = ann.greeted();
    assert!(lines[0].starts_with("-- Welcome to the pond. "), "{lines:#?}");
    assert_eq!(lines[1], "-- Be kind.");
}

#[test]
fn the_same_address_and_port_have_another_name_after_a_restart() {
    let mut from = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut nick = || {
        let daemon = Daemon::start();
        let mut client = Client::connect_from(&daemon, from, "client");
        client.greeted();
        from = client.stream.local_addr().unwrap();
        (client.nick.clone(), from)
    };
    let (one, other) = (nick(), nick());
    assert_eq!(one.1, other.1);
    assert_ne!(one.0, other.0);
}

#[test]
fn newcomers_are_shown_who_said_what_and_when_between_markers() {
    let daemon = Daemon::start();
    let mut ann = daemon.client("ann");
    ann.send("the first");
    ann.send("/me waves");
    ann.send("the third");
    ann.sync();
    let mut bob = Client::connect(&daemon, daemon.addr(), "bob");
    let lines = bob.greeted();
    let from = lines.iter().position(|line| line == "-- the last 3 lines in lobby, times in UTC:").expect("a marker");
    let said: Vec<&str> = lines[from + 1..].iter().map(String::as_str).collect();
    assert_eq!(said.len(), 4, "{lines:#?}");
    for (line, text) in said.iter().zip(["ann: the first", "* ann waves", "ann: the third"]) {
        let (time, rest) = line.split_once("] ").expect("a time");
        assert_eq!(rest, text);
        let digits: Vec<&str> = time.strip_prefix('[').expect("a time").split(':').collect();
        assert!(digits.len() == 2 && digits.iter().all(|part| part.parse::<u8>().is_ok()), "{line}");
    }
    assert_eq!(said[3], format!("-- You are {} in lobby, with ann.", bob.nick));
}

#[test]
fn newcomers_are_shown_as_many_lines_as_fit_a_screen_however_many_are_kept() {
    let daemon = Daemon::with(UNPACED);
    let mut ann = daemon.client("ann");
    for number in 0..250 {
        ann.send(&format!("line {number}"));
    }
    ann.sync();
    let mut bob = Client::connect(&daemon, daemon.addr(), "bob");
    let lines = bob.greeted();
    let said: Vec<&str> = lines.iter().filter_map(|line| line.split_once("] ann: ")).map(|(_, text)| text).collect();
    let wanted: Vec<String> = (231..250).map(|number| format!("line {number}")).collect();
    assert_eq!(said, wanted);
}

#[test]
fn what_one_says_the_others_see_and_the_sender_does_not() {
    let daemon = Setup::new().listen("[::1]:0").start();
    let addrs = daemon.addrs();
    assert!(addrs[0].is_ipv4() && addrs[1].is_ipv6());
    let mut ann = Client::connect(&daemon, addrs[0], "ann");
    ann.greeted();
    ann.rename("ann");
    let mut bob = Client::connect(&daemon, addrs[1], "bob");
    bob.greeted();
    let guest = bob.nick.clone();
    bob.rename("bob");
    ann.next_is(&format!("* {guest} joined"));
    ann.next_is(&format!("* {guest} is now bob"));
    ann.send("hello, six");
    bob.next_is("ann: hello, six");
    bob.send("/me waves to four");
    ann.next_is("* bob waves to four");
    ann.send("//help is a command");
    bob.next_is("ann: /help is a command");
    assert_eq!(ann.sync(), [""; 0], "nobody is sent their own lines");
    bob.send("/quit tea is ready");
    bob.next_is("-- goodbye");
    assert_eq!(bob.rest(), [""; 0]);
    ann.next_is("* bob left (tea is ready)");
}

#[test]
fn private_lines_reach_one_and_are_answered_with_reply() {
    let daemon = Daemon::start();
    let (mut ann, mut bob, mut eve) = (daemon.client("ann"), daemon.client("bob"), daemon.client("eve"));
    ann.send("/msg bob psst");
    bob.expect("[ann -> you] psst");
    ann.expect("[you -> bob] psst");
    bob.send("/reply what?");
    ann.expect("[bob -> you] what?");
    bob.expect("[you -> ann] what?");
    assert!(eve.sync().iter().all(|line| !line.contains("psst") && !line.contains("what?")));
}

#[test]
fn rooms_keep_their_talk_apart_and_close_when_empty() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.sync();
    ann.send("/join tea");
    ann.expect("-- you are in tea now, alone");
    bob.expect("* ann left");
    ann.send("nobody hears this");
    ann.sync();
    bob.send("/join tea");
    bob.expect("-- the last line in tea, time in UTC:");
    bob.expect_with("] ann: nobody hears this");
    ann.expect("* bob joined");
    ann.send("/topic leaves");
    bob.expect("* ann set the topic: leaves");
    ann.send("/leave");
    ann.expect_with("-- you are in lobby now");
    bob.expect("* ann left for lobby");
    bob.send("/leave");
    bob.sync();
    bob.send("/join tea");
    bob.send("/history");
    bob.expect("-- no earlier lines in tea");
}

#[test]
fn an_unknown_command_is_answered_with_the_nearest_and_said_to_nobody() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.sync();
    ann.send("/hlep");
    ann.expect("-- there is no command /hlep; did you mean /help? (nothing was said)");
    ann.send("still here");
    bob.next_is("ann: still here");
}

#[test]
fn control_characters_reach_no_other_screen() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.write(b"a\x1b[31mb\x07\xc2\x9bc\tok \xe2\x80\xaex \xf0\x28 end\n");
    bob.next_is("ann: ab\tok x \u{fffd}( end");
}

#[test]
fn a_burst_of_arrivals_is_told_in_few_lines() {
    let daemon = Daemon::with("[rooms]\ngather = '100ms'");
    let mut ann = daemon.client("ann");
    let crowd: Vec<Client> = (0..60).map(|_| Client::connect(&daemon, daemon.addr(), "crowd")).collect();
    let mut seen = Vec::new();
    let mut joined = 0;
    while joined < crowd.len() {
        let line = ann.line().expect("a line");
        joined += line.matches("guest-").count();
        if let Some((names, _)) = line.split_once(" more joined") {
            joined += names.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
        }
        seen.push(line);
    }
    assert_eq!(joined, crowd.len(), "each is counted once: {seen:#?}");
    assert!(seen.len() < 30, "{seen:#?}");
}
