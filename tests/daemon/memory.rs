//! What strangers can make the process hold has a sum that is known, and is given back. Each test reaches a bound
//! and reads how much memory is resident. Bounds are set low and there are fewer people than could be: a
//! sum that does not hold is exceeded all the same, by far.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::stage::{Client, Daemon, UNPACED};

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

/// What waits for all clients together, each alone.
const MAIL_OF_ALL: u64 = 64 * MIB;

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

/// Many who ask and do not read: each is bounded, and so are all of them together.
#[test]
fn mailboxes_that_are_full_cost_no_more_than_their_bound() {
    const MAILBOX: u64 = 256 * 1024;
    const DEAF: u64 = 600;
    let daemon = Daemon::with(&format!("[history]\npersist = false\n{UNPACED}"));
    let before = resident(&daemon);
    let mut admin = daemon.admin();
    let mut all = Vec::new();
    for number in 0..DEAF {
        let from = SocketAddr::from((Ipv4Addr::new(127, 0, 1, u8::try_from(number % 250).unwrap() + 1), 0));
        let client = Client::connect_from(&daemon, from, "deaf");
        socket2::SockRef::from(&client.stream).set_recv_buffer_size(4096).unwrap();
        client.stream.set_nonblocking(true).unwrap();
        all.push(client);
    }
    // They ask until each has nearly as much as it may have; who has more is disconnected.
    let asks = "/help\n".repeat(10);
    let mut most = 0;
    let mut owed = 0;
    for _ in 0..60 {
        let list = admin.done("clients.list", &json!({}));
        let behind: Vec<u64> =
            list["clients"].as_array().unwrap().iter().map(|one| one["behind_bytes"].as_u64().unwrap()).collect();
        owed = behind.iter().sum();
        most = most.max(resident(&daemon));
        if behind.is_empty() || owed > DEAF * MAILBOX * 3 / 4 {
            break;
        }
        for (client, _) in all.iter_mut().zip(&behind).filter(|(_, behind)| **behind < MAILBOX * 3 / 4) {
            let _ = std::io::Write::write(&mut client.stream, asks.as_bytes());
        }
    }
    most = most.max(resident(&daemon));
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    println!("{:.1} MiB at most, {:.1} before, {:.1} owed", mib(most), mib(before), mib(owed));
    assert!(
        most <= before + owed * 5 / 4 + 40 * MIB,
        "{:.1} MiB at most, {:.1} before, when {:.1} were owed",
        mib(most),
        mib(before),
        mib(owed)
    );
    assert!(owed <= MAIL_OF_ALL, "{:.1} MiB are owed to {DEAF}", mib(owed));
    drop(all);
    is_given_back(&daemon, before, LEFT);
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
