//! Everything that a stranger can make grow has an edge. The tests stand on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::stage::{Admin, Client, Daemon, Setup, UNPACED};

#[test]
fn one_client_too_many_is_told_that_the_hub_is_full() {
    let daemon = Daemon::with("[limits]\nclients = 2");
    let (_ann, bob) = (daemon.client("ann"), daemon.client("bob"));
    let mut eve = Client::connect(&daemon, daemon.addr(), "eve");
    assert_eq!(eve.rest(), ["-- the hub is full; try again later"]);
    let mut admin = daemon.admin();
    assert_eq!(admin.counter("refused_full"), 1);
    assert_eq!(admin.done("status", &json!({}))["clients"], 2);
    drop(bob);
    // The place is free as soon as bob is gone.
    while admin.done("status", &json!({}))["clients"] != 1 {
        assert!(!daemon.deadline.is_over());
    }
    daemon.client("eve");
}

#[test]
fn one_address_has_its_own_limit() {
    let daemon = Setup::new().settings("[limits]\nclients_per_address = 2").listen("[::1]:0").start();
    let (_ann, _bob) = (daemon.client("ann"), daemon.client("bob"));
    let mut eve = Client::connect(&daemon, daemon.addr(), "eve");
    let rest = eve.rest();
    assert!(rest.len() == 1 && rest[0].contains("2 connections") && rest[0].contains("your address"), "{rest:#?}");
    assert_eq!(daemon.admin().counter("refused_address"), 1);
    // Other addresses are not concerned.
    let other = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0));
    Client::connect_from(&daemon, other, "other").greeted();
    Client::connect(&daemon, daemon.addrs()[1], "six").greeted();
}

#[test]
fn a_line_of_exactly_the_limit_is_said_and_one_byte_more_is_not() {
    let daemon = Daemon::with("[limits]\nline = 64");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    for end in ["\n", "\r\n", "\r"] {
        ann.write(format!("{}{end}", "x".repeat(64)).as_bytes());
        bob.next_is(&format!("ann: {}", "x".repeat(64)));
        ann.write(format!("{}{end}", "x".repeat(65)).as_bytes());
        ann.expect_with("65 bytes, at most 64 are allowed");
    }
    // Bytes, not characters; and the last line without an end counts as any other.
    ann.send(&"\u{fc}".repeat(32));
    bob.next_is(&format!("ann: {}", "\u{fc}".repeat(32)));
    ann.write(&[b'x'; 65]);
    ann.end();
    let rest = ann.rest();
    assert!(rest.len() == 1 && rest[0].contains("65 bytes, at most 64 are allowed"), "{rest:#?}");
    bob.next_is("* ann left");
}

#[test]
fn a_burst_passes_at_once_and_what_follows_waits_but_is_said() {
    let daemon = Daemon::with("[pace]\nlines = 2\nburst_lines = 250\nsteady = 0");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    // The burst is full again but for what renaming took.
    let from = Instant::now();
    let all: String = (0..260).map(|number| format!("line {number}\n")).collect();
    ann.write(all.as_bytes());
    // 260 lines, 250 in one go, 2 a second: five seconds. One by one, they would take longer than all patience.
    (0..260).for_each(|number| bob.next_is(&format!("ann: line {number}")));
    let all = from.elapsed();
    assert!(all >= Duration::from_millis(4500), "{all:?}");
    assert!(ann.sync().iter().any(|line| line.starts_with("-- slow down: ") && line.contains("2 lines")));
    assert_eq!(daemon.admin().counter("lines_dropped"), 0);
}

#[test]
fn bytes_have_a_pace_as_well() {
    let daemon = Daemon::with("[pace]\nbytes = '4KiB'\nburst_bytes = '2KiB'");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let from = Instant::now();
    for _ in 0..6 {
        ann.send(&"x".repeat(1000));
    }
    (0..6).for_each(|_| bob.next_is(&format!("ann: {}", "x".repeat(1000))));
    // 6 kB, 2 of them at once, 4 a second.
    assert!(from.elapsed() >= Duration::from_millis(800), "{:?}", from.elapsed());
}

#[test]
fn who_goes_on_too_fast_has_lines_dropped_and_is_told_how_many() {
    let daemon = Daemon::with("[pace]\nlines = 10\nburst_lines = 5\npatience = '1s'\nsteady = 0");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let mut admin = daemon.admin();
    let mut events = daemon.admin();
    events.subscribe(&["flood"]);
    let all: String = (0..500).map(|number| format!("{number}\n")).collect();
    let read = admin.counter("bytes_read");
    ann.write(all.as_bytes());
    ann.expect_with("are dropped until you pause");
    assert_eq!(events.event()["event"], "flood");
    daemon.logged("client sends too fast");
    // What was in flight is dropped; then quiet, until the burst is full again, ends it.
    admin.counter_reaches("bytes_read", read + all.len() as u64);
    ann.hears_nothing_for(Duration::from_secs(1));
    ann.send("am I heard?");
    let told = ann.expect_with(" of yours were dropped");
    let dropped: u64 = told.split(' ').nth(1).unwrap().parse().unwrap();
    bob.expect("ann: am I heard?");
    assert!(dropped > 100, "{told}");
    assert_eq!(admin.counter("lines_dropped"), dropped);
    assert_eq!(admin.about("ann")["dropped"], dropped);
}

#[test]
fn one_who_floods_slows_nobody_else() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let flood = daemon.client("flood");
    let mut out = flood.stream.try_clone().unwrap();
    out.set_nonblocking(true).unwrap();
    let lines = "x\n".repeat(100_000);
    // As much as the sockets take.
    while std::io::Write::write(&mut out, lines.as_bytes()).is_ok() {}
    for number in 0..20 {
        ann.send(&format!("round {number}"));
        bob.expect(&format!("ann: round {number}"));
    }
    drop(out);
    flood.stream.shutdown(std::net::Shutdown::Both).unwrap();
}

/// Says `lines` lines of a kilobyte, in bursts that whoever reads has no trouble with. Returns what
/// `ann` has seen meanwhile.
fn flood(ann: &mut Client, bob: Option<&mut Client>, from: u32, lines: u32) -> Vec<String> {
    let text = "x".repeat(1000);
    let mut seen = Vec::new();
    let mut bob = bob;
    for burst in 0..lines / BURST {
        let first = from + burst * BURST;
        for number in first..first + BURST {
            ann.send(&format!("{number} {text}"));
        }
        seen.extend(ann.sync());
        if let Some(bob) = &mut bob {
            for number in first..first + BURST {
                bob.next_is(&format!("ann: {number} {text}"));
            }
        }
    }
    seen
}

/// Below the least value of `slow.behind`.
const BURST: u32 = 40;

#[test]
fn a_slow_reader_misses_lines_and_is_told_how_many_and_others_do_not() {
    const LINES: u32 = 6000;
    let daemon = Daemon::with(&format!("[slow]\nbehind = '64KiB'\n{UNPACED}"));
    let mut slow = Client::connect_narrow(&daemon, "slow");
    slow.greeted();
    slow.rename("slow");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    // Bob reads, and misses nothing.
    flood(&mut ann, Some(&mut bob), 0, LINES);
    ann.send("the end");
    let lines = slow.expect("ann: the end");
    // Whole lines, in order, with the gaps told where they are.
    let (mut next, mut missed) = (0, 0);
    for line in lines.iter().filter(|line| !line.starts_with("* ")) {
        if let Some(count) = line.strip_prefix("-- you missed ").and_then(|rest| rest.strip_suffix(" lines")) {
            let count: u32 = count.parse().unwrap();
            (next, missed) = (next + count, missed + count);
        } else {
            let (number, text) = line.strip_prefix("ann: ").expect(line).split_once(' ').unwrap();
            assert_eq!((number.parse::<u32>().unwrap(), text.len()), (next, 1000));
            next += 1;
        }
    }
    assert_eq!(next, LINES, "each line was either seen or counted");
    assert!(missed > 0);
    let mut admin = daemon.admin();
    assert_eq!(admin.counter("lines_missed"), u64::from(missed));
    assert_eq!(admin.about("slow")["missed"], missed);
}

#[test]
fn what_the_kernel_holds_for_one_who_reads_nothing_is_bounded() {
    const LINES: u32 = 1000;
    for (settings, send_buffer) in [("", 128 * 1024), ("[tcp]\nsend_buffer = '32KiB'", 32 * 1024)] {
        let daemon = Daemon::with(&format!("{settings}\n{UNPACED}"));
        let mut slow = Client::connect_narrow(&daemon, "slow");
        slow.greeted();
        slow.rename("slow");
        let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
        flood(&mut ann, Some(&mut bob), 0, LINES);
        let behind = daemon.admin().about("slow")["behind_bytes"].as_u64().unwrap();
        // What was said when it was visited last, less what waits in the room for it.
        let held = u64::from(LINES * 1000) - behind;
        let most = 2 * send_buffer + u64::from(BURST * 1000) + 64 * 1024; // and its own receive buffer
        assert!(held < most, "{held} bytes lie in the kernel, {most} may, {behind} do not");
    }
}

#[test]
fn a_slow_reader_is_disconnected_where_the_settings_say_so() {
    let daemon = Daemon::with(&format!("[slow]\nbehind = '64KiB'\npolicy = 'close'\n{UNPACED}"));
    let mut slow = Client::connect_narrow(&daemon, "slow");
    slow.greeted();
    slow.rename("slow");
    let mut ann = daemon.client("ann");
    let mut number = 0;
    let mut admin = daemon.admin();
    while admin.counter("closed_slow") == 0 {
        assert!(!daemon.deadline.is_over());
        flood(&mut ann, None, number, 400);
        number += 400;
    }
    ann.sync();
    assert_eq!(admin.done("status", &json!({}))["clients"], 1);
    // Its connection ends, and what it did get is whole but for the last line.
    let mut all = Vec::new();
    let _ = std::io::Read::read_to_end(&mut slow.stream, &mut all);
    assert!(all.len() < number as usize * 1000);
}

#[test]
fn one_who_takes_nothing_at_all_is_disconnected_after_a_while() {
    let daemon = Daemon::with(&format!("[slow]\nstall = '1s'\n{UNPACED}"));
    let mut slow = Client::connect_narrow(&daemon, "slow");
    slow.greeted();
    slow.rename("slow");
    let mut ann = daemon.client("ann");
    let mut seen = ann.sync();
    let mut number = 0;
    let mut admin = daemon.admin();
    while admin.counter("sockets_full") == 0 {
        seen.extend(flood(&mut ann, None, number, 400));
        number += 400;
    }
    // On a busy machine that was long enough.
    const LEFT: &str = "* slow left (too slow)";
    if !seen.iter().any(|line| line == LEFT) {
        ann.expect(LEFT);
    }
    assert_eq!(admin.counter("closed_slow"), 1);
}

#[test]
fn one_who_takes_little_at_a_time_is_given_all_of_it() {
    // Longer than a busy machine makes of the second between two sips, and shorter than all of them.
    let daemon = Daemon::with(&format!("[slow]\nstall = '4s'\n{UNPACED}"));
    let [mut stays, mut leaves] = ["stays", "leaves"].map(|name| {
        let mut client = Client::connect_narrow(&daemon, name);
        client.greeted();
        client.rename(name);
        client
    });
    let mut ann = daemon.client("ann");
    let mut admin = daemon.admin();
    let mut number = 0;
    let behind = |admin: &mut Admin, who: &str| admin.about(who)["behind_bytes"].as_u64().unwrap();
    while behind(&mut admin, "stays") == 0 || behind(&mut admin, "leaves") == 0 {
        flood(&mut ann, None, number, BURST);
        number += BURST;
    }
    leaves.send("/quit");
    ann.expect("* leaves left");
    let owed = behind(&mut admin, "stays");
    for _ in 0..7 {
        // Less than makes a socket say that it takes more.
        assert!(stays.fill() && leaves.fill());
        assert!(ann.hears_nothing_for(Duration::from_secs(1)), "nobody leaves");
    }
    assert_eq!(behind(&mut admin, "stays"), owed, "nothing was written meanwhile");
    assert_eq!(admin.counter("closed_slow"), 0);
    for client in [&stays, &leaves] {
        socket2::SockRef::from(&client.stream).set_recv_buffer_size(64 * 1024).unwrap();
    }
    ann.send("the end");
    let said = |line: &String| line.starts_with("ann: ");
    assert_eq!(stays.expect("ann: the end").into_iter().filter(said).count(), number as usize);
    assert_eq!(leaves.rest().into_iter().filter(said).count(), number as usize);
}

#[test]
fn one_who_is_kicked_and_takes_nothing_is_let_go_of() {
    let daemon = Daemon::with(UNPACED);
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).unwrap().count();
    let mut ann = daemon.client("ann");
    let mut admin = daemon.admin();
    admin.done("hello", &json!({}));
    let before = descriptors();
    let mut slow = Client::connect_narrow(&daemon, "slow");
    slow.greeted();
    slow.rename("slow");
    let mut number = 0;
    while admin.about("slow")["behind_bytes"] == 0 {
        flood(&mut ann, None, number, BURST);
        number += BURST;
    }
    admin.done("clients.kick", &json!({"who": ["slow"]}));
    // Far sooner than `slow.stall`, which it had until then.
    ann.expect_with("slow left");
    while descriptors() > before {
        assert!(!daemon.deadline.is_over(), "it is still there");
        // Nothing tells of it: the descriptors are counted again after a while.
        ann.hears_nothing_for(Duration::from_millis(200));
    }
}

#[test]
fn who_reads_no_answers_is_asked_nothing_more_and_loses_none() {
    let daemon = Daemon::with(&format!("[limits]\nmailbox = '16KiB'\n{UNPACED}"));
    let mut ann = daemon.client("ann");
    let mut greedy = Client::connect_narrow(&daemon, "greedy");
    greedy.greeted();
    greedy.rename("greedy");
    ann.expect_with("is now greedy");
    let mut out = greedy.stream.try_clone().unwrap();
    out.set_write_timeout(Some(daemon.deadline.left())).unwrap();
    // Asks, and does not read the answers.
    let asking = std::thread::spawn(move || {
        for number in 0..2000 {
            let ask = format!("/help me\n{number}\n");
            std::io::Write::write_all(&mut out, ask.as_bytes()).expect("somebody takes it, some time");
        }
        out
    });
    // Others notice nothing, and what was taken comes in order.
    ann.next_is("greedy: 0");
    // When it reads after all, everything comes.
    for number in 0..2000 {
        greedy.expect_with("/me TEXT: do something");
        if number > 0 {
            ann.next_is(&format!("greedy: {number}"));
        }
    }
    assert_eq!(daemon.admin().counter("closed_mailbox"), 0);
    drop(asking.join().unwrap());
}

#[test]
fn without_descriptors_accepting_pauses_and_goes_on_when_somebody_leaves() {
    let daemon = Setup::new().descriptors(64).start();
    let mut admin = daemon.admin();
    admin.done("hello", &json!({}));
    // All connect at once: some wait at the door. They are let in as they came.
    let mut inside: Vec<Client> = (0..60).map(|_| Client::connect(&daemon, daemon.addr(), "client")).collect();
    // By the third pause, all who were accepted before the first one count as present.
    admin.counter_reaches("accept_pauses", 3);
    let present = admin.done("status", &json!({}))["clients"].as_u64().unwrap();
    let mut outside = inside.split_off(usize::try_from(present).unwrap());
    assert!(inside.len() > 10 && outside.len() > 10, "{} are inside", inside.len());
    inside.iter_mut().for_each(|client| drop(client.greeted()));
    // Those inside go on, and the processor rests.
    inside[0].send("is anybody here?");
    inside[1].expect_with(": is anybody here?");
    // Threads that had files open at the start may close them still, and some who were accepted may not have counted as
    // present yet: these few are let in all the same.
    let used = loop {
        let before = daemon.cpu();
        if outside[0].hears_nothing_for(Duration::from_secs(2)) {
            break daemon.cpu() - before;
        }
        inside.push(outside.remove(0));
        assert!(outside.len() > 5, "accepting does not pause");
    };
    assert!(used < Duration::from_millis(200), "{used:?} in two seconds of waiting");
    let pauses = admin.counter("accept_pauses");
    assert!(pauses < 20, "{pauses} pauses");
    daemon.logged("accepting is paused");
    inside.truncate(inside.len() - 5);
    outside.iter_mut().take(5).for_each(|client| drop(client.greeted()));
    drop(inside);
    outside.iter_mut().skip(5).for_each(|client| drop(client.greeted()));
}

#[test]
fn the_table_of_descriptors_has_room_for_all_clients_also_after_a_reload() {
    // Growing it would stall all threads (`accept::make_room`).
    let daemon = Setup::new().settings("[limits]\nclients = 900").descriptors(4096).start();
    let places = daemon.status("FDSize:");
    assert!((964..2064).contains(&places), "{places} places");
    std::fs::write(daemon.path("chathub.toml"), "[limits]\nclients = 2000").unwrap();
    daemon.admin().done("reload", &json!({}));
    while daemon.status("FDSize:") < 2064 {
        assert!(!daemon.deadline.is_over());
    }
    std::fs::write(daemon.path("chathub.toml"), "[limits]\nclients = 5000").unwrap();
    daemon.admin().done("reload", &json!({}));
    daemon.logged("only 4096 descriptors may be open");
}

#[test]
fn rooms_have_a_limit() {
    let daemon = Daemon::with("[limits]\nrooms = 2\nroom_name = 8\nname = 6\ntopic = 16");
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.send("/join tea");
    ann.expect_with("-- you are in tea now");
    bob.send("/join coffee");
    bob.expect("-- there are 2 rooms already, and no more are allowed");
    bob.send("/join tea");
    bob.expect_with("-- you are in tea now");
    for (line, answer) in [("/join ninechars", "8"), ("/nick seven77", "6"), ("/topic seventeen chars..", "16")] {
        bob.send(line);
        let told = bob.until(line, |one| one.starts_with("-- that ")).pop().unwrap();
        assert!(told.contains(answer), "{line}: {told}");
    }
}

#[test]
fn names_of_guests_stay_free_of_doubles_in_a_churn() {
    let daemon = Daemon::start();
    for _ in 0..30 {
        let clients: Vec<Client> = (0..10).map(|_| daemon.guest()).collect();
        let mut nicks: Vec<&str> = clients.iter().map(|client| client.nick.as_str()).collect();
        nicks.sort_unstable();
        nicks.dedup();
        assert_eq!(nicks.len(), clients.len());
    }
}

#[test]
fn who_talks_misses_nothing_of_what_they_say_themselves() {
    let daemon = Daemon::with(&format!("[slow]\nbehind = '64KiB'\n{UNPACED}"));
    let mut ann = daemon.client("ann");
    for n in 0..2000 {
        ann.send(&format!("{n} {}", "x".repeat(1000)));
    }
    assert_eq!(ann.sync(), [""; 0]);
}

#[test]
fn only_those_miss_lines_whose_sockets_are_full() {
    let daemon = Daemon::with(&format!("[slow]\nbehind = '64KiB'\n{UNPACED}"));
    let mut anns: Vec<_> = (0..20).map(|n| daemon.client(&format!("ann{n}"))).collect();
    for ann in &mut anns {
        ann.write("y\n".repeat(800).as_bytes());
    }
    for ann in &mut anns {
        drop(ann.sync());
    }
    let mut admin = daemon.admin();
    let (missed, full) = (admin.counter("lines_missed"), admin.counter("sockets_full"));
    assert!(missed == 0 || full > 0, "{missed} lines were missed though no socket was full");
}

#[test]
fn a_search_from_elsewhere_does_not_wait_for_a_crowd_at_one_address() {
    let daemon = Daemon::with(&format!("{UNPACED}\n[limits]\nclients_per_address = 1000\n"));
    let mut ann = Client::connect_from(&daemon, ([127, 0, 7, 1], 0).into(), "ann");
    ann.greeted();
    ann.rename("ann");
    for number in 0..2000 {
        ann.send(&format!("line {number} of hay"));
    }
    ann.sync();
    let mut admin = daemon.admin();
    while admin.done("history.stats", &json!({}))["disk"]["waiting_bytes"] != 0 {
        assert!(!daemon.deadline.is_over(), "something waits for ever");
    }
    let mut crowd: Vec<Client> = (0..150).map(|_| daemon.guest()).collect();
    // A search that finds nothing takes longest.
    crowd.iter_mut().for_each(|client| client.send("/search needle"));
    ann.send("/search line 1999");
    let found = ann.until("the end of the search", |line| line == "-- end of search");
    assert!(found.iter().any(|line| line.ends_with("ann: *line 1999* of hay")), "{found:#?}");
    // Each of the crowd is answered, or told that it is one.
    let busy = "-- only the last lines were looked at: many are searching; try again soon";
    let mut told = 0;
    for client in &mut crowd {
        let seen = client.until("an end", |line| {
            line.starts_with("-- no line kept in lobby has ") || line == busy || line == "-- end of search"
        });
        told += usize::from(seen.iter().any(|line| line == busy));
    }
    assert!(told < 150, "some were answered");
}
