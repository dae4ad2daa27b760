//! What strangers can make the process hold has a sum that is known, and is given back. Each test reaches a bound
//! and reads how much memory is resident. Bounds are set low and there are fewer people than could be: a
//! sum that does not hold is exceeded all the same, by far.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::stage::{Admin, Client, Daemon, Setup, UNPACED, have};

const MIB: u64 = 1024 * 1024;

/// Resident memory, in bytes.
fn resident(daemon: &Daemon) -> u64 {
    daemon.status("VmRSS:") * 1024
}

/// The same without pages of files: those of the program stay once they were used, and can be had back.
fn without_files(daemon: &Daemon) -> u64 {
    (daemon.status("RssAnon:") + daemon.status("RssShmem:")) * 1024
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
    comes_back(daemon, resident, from, most);
}

/// The same of what `held` says is held.
#[track_caller]
fn comes_back(daemon: &Daemon, held: impl Fn(&Daemon) -> u64, from: u64, most: u64) {
    while daemon.admin().done("status", &json!({}))["clients"] != 0 {
        assert!(!daemon.deadline.is_over(), "they do not go");
    }
    // Nothing tells when memory is given back: it is looked at again, to the end of all patience.
    while held(daemon) > from + most {
        assert!(
            !daemon.deadline.is_over(),
            "{:.1} MiB are resident with nobody there, {:.1} were at the start",
            held(daemon) as f64 / MIB as f64,
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

/// What the database keeps at hand: `cache_size` of who writes and of who searches, in `src/store/schema.rs`.
const DATABASE: u64 = 6 * MIB;

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
        say(&mut speaker, 700);
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

// ---------------------------------------------------------------------------------------------
// All of it under a limit

/// A hub so small that what strangers reach of each bound is a good part of the sum.
const SMALL: &str = "
[limits]
clients = 200
rooms = 25
invited = 16
mailbox = '256KiB'
mailboxes = '2MiB'
bans = 100
accounts = 100
admin_connections = 12
[slow]
behind = '512KiB'
behind_all = '2MiB'
[history]
bytes = '128KiB'
sync = 'normal'
queue = '1MiB'
[accounts]
hashers = 2
[tcp]
send_buffer = '16KiB'
receive_buffer = '16KiB'
[moderation]
mute_at = 0
ban_at = 0
repeats = 0
";

/// The sum for those settings, as `check-config` prints it.
struct Sum {
    all: u64,
    /// Of it what is kept for the next process: it is shared with whoever keeps it.
    shared: u64,
    kernel: u64,
}

impl Sum {
    fn of(settings: &str) -> Self {
        let dir = tempfile::TempDir::new().unwrap();
        let file = dir.path().join("small.toml");
        std::fs::write(&file, settings).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_chathub")).arg("check-config").arg(&file).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = |what: &str| text.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{text}"));
        let first = |line: &str| line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * MIB;
        let (sums, next) = (line("in all, and "), line("for the next process"));
        let (all, kernel) = sums.split_once("in all, and ").unwrap();
        Self { all: first(all), shared: first(next), kernel: first(kernel) }
    }
}

/// What attackers hold on to.
type Held = Box<dyn Any + Send>;

/// Something that strangers do. What they hold on to is let go of when it is over.
type Attack = fn(&Daemon) -> Held;

const ATTACKS: &[(&str, Attack)] = &[
    ("views", views),
    ("rooms", rooms),
    ("pastes", pastes),
    ("mailboxes", mailboxes),
    ("ignores", ignores),
    ("searches", searches),
    ("administrators", administrators),
    ("passwords", passwords),
];

/// Rooms whose lines are seen in many ways by people who read none of them.
fn views(daemon: &Daemon) -> Held {
    let mut held = Vec::new();
    for room in 0..2 {
        let room = format!("views{room}");
        let mut speaker = daemon.guest();
        speaker.send(&format!("/join {room}"));
        for hour in 0..8 {
            let mut client = Client::connect_narrow(daemon, "views");
            client.greeted();
            client.send(&format!("/join {room}"));
            client.send(&format!("/time +{hour:02}:00"));
            client.expect_with("times are shown now");
            held.push(client);
        }
        say(&mut speaker, 700);
        held.push(speaker);
    }
    Box::new(held)
}

/// Rooms that are full of history.
fn rooms(daemon: &Daemon) -> Held {
    let mut held = Vec::new();
    for room in 0..12 {
        let mut speaker = daemon.guest();
        speaker.send(&format!("/join rooms{room}"));
        say(&mut speaker, 150);
        held.push(speaker);
    }
    Box::new(held)
}

/// What a terminal says of itself, that the hub will echo, and what the terminal says to that.
const TERMINAL: &[u8] =
    b"\r\n\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0";
const WILL_ECHO: &[u8] = b"\xff\xfb\x01\xff\xfb\x03";
const DO_ECHO: &[u8] = b"\xff\xfd\x01\xff\xfd\x03";

/// Pastes that are not sent, and many lines that could be recalled.
fn pastes(daemon: &Daemon) -> Held {
    let mut held = Vec::new();
    for number in 0..30 {
        let mut client = Client::connect(daemon, daemon.addr(), "pastes").speaking_telnet();
        client.write(format!("/join pastes{}", number / 15).as_bytes());
        client.write(TERMINAL);
        client.expect_bytes(WILL_ECHO);
        client.write(DO_ECHO);
        for line in 0..10 {
            client.write(format!("{line} {}\r", "recalled ".repeat(50)).as_bytes());
        }
        client.write(b"\x1b[200~");
        for line in 0..30 {
            client.write(format!("{line} {}\n", "pasted".repeat(80)).as_bytes());
        }
        client.write(b"\x1b[201~");
        held.push(client);
    }
    Box::new(held)
}

/// People who ask for much and read nothing.
fn mailboxes(daemon: &Daemon) -> Held {
    let room = "mail";
    let mut speaker = daemon.guest();
    speaker.send(&format!("/join {room}"));
    say(&mut speaker, 150);
    let mut held = vec![];
    for _ in 0..70 {
        let mut client = Client::connect_narrow(daemon, "mail");
        client.write(format!("/join {room}\n/history 1000\n/history 1000\n/history 1000\n").as_bytes());
        held.push(client);
    }
    let mut admin = daemon.admin();
    while admin.counter("closed_mailbox") == 0 {
        speaker.sync();
    }
    held.push(speaker);
    Box::new(held)
}

/// As many names as can be ignored, each as long as it can be.
fn ignores(daemon: &Daemon) -> Held {
    let mut held = Vec::new();
    for number in 0..30 {
        let mut client = daemon.guest();
        let names: String = (0..64).map(|name| format!("/ignore nobody-{number:02}-{name:02}-abcdefg\n")).collect();
        client.write(names.as_bytes());
        client.sync();
        held.push(client);
    }
    Box::new(held)
}

/// People who search what is on disk, and read nothing.
fn searches(daemon: &Daemon) -> Held {
    let room = "found";
    // From elsewhere: addresses have their turns.
    let mut speaker = Client::connect_from(daemon, (Ipv4Addr::new(127, 0, 8, 1), 0).into(), "speaker");
    speaker.greeted();
    speaker.send(&format!("/join {room}"));
    speaker.expect_with("-- you are in found now");
    say(&mut speaker, 200);
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut client = Client::connect_narrow(daemon, "search");
        client.write(format!("/join {room}\n").as_bytes());
        client.write("/search xxxx\n/history 1000\n".repeat(8).as_bytes());
        held.push(client);
    }
    speaker.send("/search xxxx");
    speaker.expect_with("xxxx");
    held.push(speaker);
    Box::new(held)
}

/// Administrators who ask for everything, and read nothing.
fn administrators(daemon: &Daemon) -> Held {
    let mut held: Vec<UnixStream> = Vec::new();
    for number in 0..4 {
        let mut stream = UnixStream::connect(daemon.admin_path()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let request = match number {
            0 => json!({"id": 1, "cmd": "events.subscribe", "args": {}, "more": true}),
            1 => json!({"id": 1, "cmd": "history.dump", "args": {}, "more": true}),
            2 => {
                json!({"id": 1, "cmd": "clients.mute", "args": {"who": vec!["nobody-of-that-name"; 2000], "for_s": 1}})
            }
            _ => json!({"id": 1, "cmd": "clients.list", "args": {}}),
        };
        let requests = format!("{request}\n").repeat(200);
        // As much as it takes: it takes no more while it is not read.
        let _ = stream.write(requests.as_bytes());
        held.push(stream);
    }
    Box::new(held)
}

/// Names that are registered all at once.
fn passwords(daemon: &Daemon) -> Held {
    let mut held: Vec<Client> = (0..8).map(|_| daemon.guest()).collect();
    for (number, client) in held.iter_mut().enumerate() {
        client.rename(&format!("reg{number}"));
        client.send("/register long enough");
    }
    for client in &mut held {
        client.expect_with("is registered");
    }
    Box::new(held)
}

/// Two who talk with each other until it is over; returns how many lines. Each gets every line of the other, in
/// order, and nothing else but of those who come and go.
fn innocent(daemon: &Daemon, over: &AtomicBool) -> usize {
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    for one in [&mut ann, &mut bob] {
        one.send("/join innocent");
        one.sync();
    }
    ann.next_is("* bob joined");
    let mut said = 0;
    while !over.load(Ordering::Relaxed) {
        ann.send(&format!("{said}, says ann"));
        bob.next_is(&format!("ann: {said}, says ann"));
        bob.send(&format!("{said}, says bob"));
        ann.next_is(&format!("bob: {said}, says bob"));
        said += 1;
    }
    said
}

/// What the kernel holds for the connections of the daemon's port, in bytes: what was received and sent, and what it
/// has set aside for more (ss(8)). `None` where that cannot be asked for.
fn in_kernel(daemon: &Daemon) -> Option<u64> {
    let filter = format!("sport = :{}", daemon.addr().port());
    let output = Command::new("ss").args(["-tmnH", &filter]).output().ok().filter(|_| have("ss"))?;
    let text = String::from_utf8(output.stdout).unwrap();
    let number = |field: &str, name: &str| field.strip_prefix(name)?.parse::<u64>().ok();
    let fields = text.split_whitespace().filter_map(|word| word.strip_prefix("skmem:(")).flat_map(|all| all.split(','));
    Some(fields.filter_map(|field| ["r", "w", "f"].iter().find_map(|name| number(field, name))).sum())
}

/// Has `attacks` made on a small hub that has no more memory than the sum says, and a tenth. Nothing ends it, and
/// nobody who talks elsewhere misses anything; then it is all given back. `attacks` is also told how to have a look at
/// what is held.
///
/// The limit is on memory that is the daemon's own (`RLIMIT_DATA`): on what may be written to, whether or not it is,
/// and so on the stacks of all threads and whatever the allocator has set aside. What is kept for the next process is
/// shared and not counted there, so that part of the sum is left out of the limit, and looked at by itself.
fn under_the_limit(attacks: impl FnOnce(&Daemon, &dyn Fn(&str))) {
    let settings = format!("{SMALL}{UNPACED}");
    let Sum { all, shared, kernel } = Sum::of(&settings);
    let limit = (all - shared) * 11 / 10;
    let daemon = Setup::new().settings(&settings).data(limit).kept().start();
    let pid = daemon.pid();
    let look = |when: &str| {
        let memory = |field: &str| daemon.status(field) * 1024;
        let mib = |bytes: u64| bytes as f64 / MIB as f64;
        println!(
            "{when}: {:.1} of {:.1} MiB of its own; {:.1} resident, {:.1} without files, {:.1} shared; {:.1} at most",
            mib(memory("VmData:")),
            mib(limit),
            mib(memory("VmRSS:")),
            mib(without_files(&daemon)),
            mib(memory("RssShmem:")),
            mib(memory("VmHWM:")),
        );
        assert!(memory("RssShmem:") <= shared, "{when}: more is kept for the next process than is said");
        assert!(memory("VmHWM:") <= all, "{when}: more than the sum is resident");
        if let Some(bytes) = in_kernel(&daemon) {
            assert!(bytes <= kernel, "{when}: {bytes} bytes are in the kernel, and {kernel} were to be");
        }
    };
    drop(daemon.guest());
    look("at the start");
    let from = without_files(&daemon);
    let over = AtomicBool::new(false);
    let said = std::thread::scope(|scope| {
        let talk = scope.spawn(|| innocent(&daemon, &over));
        let end = Over(&over);
        attacks(&daemon, &look);
        drop(end);
        talk.join().unwrap()
    });
    println!("{said} lines each were said meanwhile");
    assert!(said > 0);
    let mut admin = daemon.admin();
    for reached in ["lines_missed", "closed_mailbox", "registrations"] {
        admin.counter_reaches(reached, 1);
    }
    drop(admin);
    comes_back(&daemon, without_files, from, DATABASE + 6 * MIB);
    look("at the end");
    assert_eq!(daemon.admin().done("status", &json!({}))["pid"], pid.as_raw());
}

#[test]
fn a_small_hub_holds_its_sum_under_one_attack_after_the_other() {
    under_the_limit(|daemon, look| {
        for (name, attack) in ATTACKS {
            let held = attack(daemon);
            look(name);
            drop(held);
        }
    });
}

#[test]
fn a_small_hub_holds_its_sum_under_all_attacks_at_once() {
    under_the_limit(|daemon, look| {
        let held: Vec<Held> = std::thread::scope(|scope| {
            let all: Vec<_> = ATTACKS.iter().map(|(_, attack)| scope.spawn(|| attack(daemon))).collect();
            all.into_iter().map(|attack| attack.join().unwrap()).collect()
        });
        look("all at once");
        drop(held);
    });
}
