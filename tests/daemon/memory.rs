//! What strangers can make the process hold has a sum that is known, and is given back. Each test reaches a bound
//! and reads how much memory is resident. Bounds are set low and there are fewer people than could be: a
//! sum that does not hold is exceeded all the same, by far.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::stage::{Admin, Client, Daemon, UNPACED};

const MIB: u64 = 1024 * 1024;

/// Resident memory, in bytes.
fn resident(daemon: &Daemon) -> u64 {
    daemon.status("VmRSS:") * 1024
}

/// How much more is resident than there was, and how much of it may be.
#[track_caller]
fn has_grown(daemon: &Daemon, what: &str, from: u64, most: u64) {
    let now = resident(daemon);
    println!("{what}: {:.1} MiB, {:.1} before", now as f64 / MIB as f64, from as f64 / MIB as f64);
    assert!(
        now <= from + most,
        "{what}: {:.1} MiB are resident, {:.1} were before, and at most {:.1} more may be",
        now as f64 / MIB as f64,
        from as f64 / MIB as f64,
        most as f64 / MIB as f64,
    );
}

/// When everybody has gone, so has what they held, but for so much.
#[track_caller]
fn is_given_back(daemon: &Daemon, from: u64, most: u64) {
    while daemon.admin().done("status", &json!({}))["clients"] != 0 {
        assert!(!daemon.deadline.is_over(), "they do not go");
    }
    // Nothing tells when memory is given back: it is looked at again, to the end of all patience.
    while resident(daemon) > from + most {
        assert!(
            !daemon.deadline.is_over(),
            "{:.1} MiB are resident with nobody there, {:.1} were at the start",
            resident(daemon) as f64 / MIB as f64,
            from as f64 / MIB as f64
        );
        std::thread::yield_now();
    }
}

/// Tells of its end, however it came to be.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// So much may be left when everybody has gone.
const LEFT: u64 = 50 * MIB;

/// Somebody who reads nothing from now on.
fn deaf(daemon: &Daemon, name: &str, room: &str) -> Client {
    let mut client = Client::connect_narrow(daemon, name);
    client.greeted();
    client.rename(name);
    client.send(&format!("/join {room}"));
    client.expect_with(&format!("-- you are in {room} now"));
    client
}

/// Has `speaker` say so many kilobytes, and waits until they are said.
fn say(speaker: &mut Client, kilobytes: usize) {
    let text = "x".repeat(1000);
    for part in 0..kilobytes / 50 {
        let lines: String = (0..50).map(|line| format!("{part}.{line} {text}\n")).collect();
        speaker.write(lines.as_bytes());
        speaker.sync();
    }
}

/// One room, one who reads nothing, and as many ways of seeing times as there are: what is kept for that one is
/// rendered in each of them, and all that together has a bound.
#[test]
fn lines_that_are_seen_in_many_ways_cost_no_more_than_their_bound() {
    const BEHIND: u64 = 2 * MIB;
    let daemon = Daemon::with(&format!("[slow]\nbehind = '2MiB'\n[history]\npersist = false\n{UNPACED}"));
    let mut speaker = daemon.client("speaker");
    speaker.send("/join times");
    let _deaf = deaf(&daemon, "deaf", "times");
    let mut watchers = Vec::new();
    // All that there are: each quarter of an hour.
    for number in 0..193 {
        let minutes: i32 = number * 15 - 24 * 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let mut watcher = Client::connect(&daemon, daemon.addr(), "watcher");
        watcher.send("/join times");
        watcher.send(&format!("/time {sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60));
        watcher.expect_with("times are shown now");
        watchers.push(watcher);
    }
    let from = resident(&daemon);
    // Nobody else is to be behind: they read, in a thread, whatever comes.
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _over = Over(&over);
        for some in watchers.chunks_mut(50) {
            let over = &over;
            scope.spawn(move || {
                let mut buffer = vec![0; 64 * 1024];
                for client in some.iter() {
                    client.stream.set_nonblocking(true).unwrap();
                }
                while !over.load(Ordering::Relaxed) {
                    let mut some_more = false;
                    for client in some.iter_mut() {
                        some_more |= std::io::Read::read(&mut client.stream, &mut buffer).is_ok();
                    }
                    if !some_more {
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    }
                }
            });
        }
        say(&mut speaker, 3000);
        has_grown(&daemon, "193 offsets and one who reads nothing", from, 8 * BEHIND + 20 * MIB);
    });
    drop((speaker, watchers, _deaf));
    is_given_back(&daemon, from, LEFT);
}

/// Somebody whom all those who read nothing ignore takes their name again and again: what was said is not copied
/// for each of them each time.
#[test]
fn a_name_that_comes_to_be_hidden_copies_no_backlog() {
    const DEAF: usize = 40;
    let daemon = Daemon::with(&format!("[slow]\nbehind = '2MiB'\n[history]\npersist = false\n{UNPACED}"));
    let mut zed = daemon.client("zed");
    let mut speaker = daemon.client("speaker");
    speaker.send("/join hidden");
    zed.send("/join hidden");
    zed.sync();
    let mut all = Vec::new();
    for number in 0..DEAF {
        let mut client = deaf(&daemon, &format!("deaf{number}"), "hidden");
        client.send("/ignore zed");
        client.expect_with("you ignore zed");
        all.push(client);
    }
    zed.send("/nick zod");
    zed.sync();
    say(&mut speaker, 3000);
    let from = resident(&daemon);
    for round in 0..4 {
        zed.send("/nick zed");
        zed.sync();
        has_grown(&daemon, &format!("taken a name that {DEAF} hide, {round}"), from, 20 * MIB);
        zed.send("/nick zod");
        zed.sync();
        say(&mut speaker, 1000);
    }
    drop((zed, speaker, all));
    is_given_back(&daemon, from, LEFT);
}

/// Many who ask for much and read nothing, with `limits.mailboxes` set to what some of them are owed: it is those who
/// are owed most that are disconnected, until what is owed to all together is within it again.
#[test]
fn mailboxes_that_are_full_cost_no_more_than_their_bound() {
    const MAILBOXES: u64 = 4 * MIB;
    const MAILBOX: u64 = 256 * 1024;
    const GREEDY: usize = 120;
    const MODEST: usize = 20;
    let daemon = Daemon::with(&format!(
        "[limits]\nmailboxes = '4MiB'\nmailbox = '256KiB'\n[tcp]\nsend_buffer = '16KiB'\n\
         [history]\npersist = false\nreplay = 0\n{UNPACED}"
    ));
    let mut admin = daemon.admin();
    let mut speaker = daemon.client("speaker");
    speaker.send("/join full");
    say(&mut speaker, 250);
    // What they are owed is little, and never more: a socket that is full, and an answer that is short.
    let mut modest: Vec<Client> = (0..MODEST).map(|number| deaf(&daemon, &format!("modest{number}"), "full")).collect();
    modest.iter_mut().for_each(|client| client.send("/history 58"));
    let before = resident(&daemon);
    let mut greedy = Vec::new();
    let mut most = 0;
    for number in 0..GREEDY {
        let mut client = deaf(&daemon, &format!("greedy{number}"), "full");
        client.write("/history 1000\n/history 1000\n".as_bytes());
        greedy.push(client);
        if number % 10 == 9 {
            // At the bound they are told something, too.
            modest.iter_mut().filter(|_| number > 30).for_each(|client| client.send("/help"));
            most = most.max(owed(&mut admin).values().sum());
        }
    }
    admin.counter_reaches("closed_mailbox", 1);
    // Whoever asks now is answered behind all of them.
    speaker.sync();
    let owed = owed(&mut admin);
    most = most.max(owed.values().sum());
    println!(
        "{:.2} MiB owed at most, {} of {GREEDY} are left",
        most as f64 / MIB as f64,
        owed.len() - modest.len() - 1
    );
    // All that is owed to one alone is mail here: nobody says anything in the room.
    assert!(most <= MAILBOXES + MAILBOX, "{most} bytes are owed");
    assert!(most > MAILBOXES / 2, "the bound is not reached: {most} bytes are owed");
    let is_there = |name: &str| owed.contains_key(name);
    assert!(
        (0..MODEST).all(|number| is_there(&format!("modest{number}"))),
        "who is owed little is left alone: {owed:?}"
    );
    assert!((0..GREEDY).filter(|number| is_there(&format!("greedy{number}"))).count() < GREEDY, "{owed:?}");
    has_grown(&daemon, "mailboxes that are full", before, 2 * MAILBOXES + 10 * MIB);
    speaker.send("still here");
    speaker.sync();
    drop((modest, greedy, speaker));
    is_given_back(&daemon, before, LEFT);
}

/// What each client is owed, by name.
fn owed(admin: &mut Admin) -> BTreeMap<String, u64> {
    let list = admin.done("clients.list", &json!({}));
    let each = list["clients"].as_array().unwrap().iter();
    each.map(|one| (one["nick"].as_str().unwrap_or("?").to_owned(), one["behind_bytes"].as_u64().unwrap())).collect()
}

/// Rooms come and go while nothing can be written: that they have gone waits for the disk, too, as far as
/// `history.queue` allows.
#[test]
fn rooms_that_come_and_go_while_the_disk_waits_cost_no_more_than_their_bound() {
    const ROOMS: usize = 16_000;
    let daemon = Daemon::with(&format!("[history]\nqueue = '64KiB'\n{UNPACED}"));
    let mut ann = daemon.client("ann");
    let other = rusqlite::Connection::open(daemon.path("state/chathub.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut open_and_close = |from: usize, count: usize| {
        for part in 0..count / 100 {
            let lines: String = (0..100).map(|at| format!("/join r{}\n/leave\n", from + part * 100 + at)).collect();
            ann.write(lines.as_bytes());
            ann.sync();
        }
    };
    // What the first ones take is what anything takes.
    open_and_close(0, 2000);
    let from = resident(&daemon);
    open_and_close(2000, ROOMS / 2);
    has_grown(&daemon, "half of them", from, MIB);
    open_and_close(2000 + ROOMS / 2, ROOMS / 2);
    has_grown(&daemon, "all of them", from, MIB);
    other.execute_batch("ROLLBACK").unwrap();
}
