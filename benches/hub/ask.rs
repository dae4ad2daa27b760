//! Administrators who ask as fast as they are answered, in a process of their own: each connection has some requests
//! under way, and sends the next when one is answered. They ask every command of `describe`, or one of them.

use std::io::{self, BufRead, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Requests under way on each connection.
const UNDER_WAY: u64 = 4;

/// An account that they make, change and remove.
const ACCOUNT: &str = "asked-about";
const FINGERPRINT: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What ends the hub, and what takes a connection for itself: each connection asks all others.
const LEFT_OUT: [&str; 2] = ["shutdown", "events.subscribe"];

/// What a command is given here, and whether it answers with a stream. What changes something does so, unless that would
/// change what is measured: nobody is disconnected, and one room of many is spoken to.
fn arguments(name: &str) -> Option<(Value, bool)> {
    let (mut args, mut more) = (json!({}), false);
    match name {
        "hello" | "describe" | "status" | "metrics" | "clients.list" | "bans.list" | "filters.list"
        | "sanctions.list" | "reports.list" | "accounts.list" | "rooms.list" | "history.stats" | "log.level"
        | "reload" => {}
        "backup" => more = true,
        "clients.get" => args = json!({"who": "c1"}),
        "clients.kick" => args = json!({"who": ["nobody-here"]}),
        "clients.mute" => args = json!({"who": ["nobody-here"], "for_s": 60}),
        "clients.rename" => args = json!({"who": "nobody-here", "nick": "other"}),
        "bans.add" => args = json!({"target": "192.0.2.1", "for_s": 60}),
        "bans.remove" | "bans.test" => {
            args = json!({if name == "bans.test" { "target" } else { "which" }: "192.0.2.1"});
        }
        "filters.add" => args = json!({"text": "cheap pills", "for_s": 60}),
        "filters.remove" => args = json!({"which": "cheap pills"}),
        "sanctions.lift" => args = json!({"which": "b999999"}),
        "sanctions.test" => args = json!({"target": "192.0.2.1"}),
        "reports.show" => args = json!({"report": "r1"}),
        "reports.close" => args = json!({"reports": ["r1"]}),
        "lockdown" => args = json!({"off": true}),
        "accounts.add" | "accounts.passwd" => args = json!({"name": ACCOUNT, "password": "correct horse"}),
        "accounts.get" | "accounts.unlock" | "accounts.remove" => args = json!({"name": ACCOUNT}),
        "accounts.certify" | "accounts.uncertify" => args = json!({"name": ACCOUNT, "fingerprint": FINGERPRINT}),
        "accounts.role" => args = json!({"name": ACCOUNT, "role": "member"}),
        "accounts.erase" => args = json!({"name": ACCOUNT, "yes": true}),
        "rooms.get" => args = json!({"room": "room-1"}),
        "rooms.set" => args = json!({"room": "room-1", "slow_s": 0}),
        "rooms.topic" => args = json!({"room": "room-1", "text": "what is asked"}),
        "rooms.close" => args = json!({"room": "no-such-room"}),
        "history.dump" => args = json!({"last": 1000}),
        "history.search" => args = json!({"query": "nothing-of-the-kind"}),
        "history.redact" => args = json!({"from_seq": 1, "to_seq": 1}),
        "say" => args = json!({"text": "an administrator asks", "room": "room-1"}),
        _ => return None,
    }
    Some((args, more))
}

/// The commands of the daemon, each as a request without its id.
fn requests(admin: &Path) -> io::Result<Vec<(String, String)>> {
    let mut stream = UnixStream::connect(admin)?;
    stream.write_all(b"{\"id\":1,\"cmd\":\"describe\"}\n")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    let answer: Value = serde_json::from_str(&answer)?;
    let commands = answer["result"]["commands"].as_array().ok_or(ErrorKind::InvalidData)?;
    let names = commands.iter().filter_map(|command| command["name"].as_str());
    names
        .filter(|name| !LEFT_OUT.contains(name))
        .map(|name| {
            let unknown = || io::Error::other(format!("benches/hub/ask.rs does not know what {name} is to be given"));
            let (args, more) = arguments(name).ok_or_else(unknown)?;
            Ok((name.to_owned(), format!("\"cmd\":\"{name}\",\"args\":{args},\"more\":{more}}}\n")))
        })
        .collect()
}

/// Asks on so many connections, until it is killed. Whatever is written to it, a line each, says what: the name of a
/// command, `all`, or nothing new; it is answered with how many answers have come, and how many were refusals.
pub(crate) fn run(connections: usize, admin: &Path) -> io::Result<()> {
    let requests = Arc::new(requests(admin)?);
    let only = Arc::new(AtomicUsize::new(usize::MAX));
    let answers = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
    for connection in 0..connections {
        let stream = UnixStream::connect(admin)?;
        let (requests, only, answers) = (requests.clone(), only.clone(), answers.clone());
        // Each begins with another command.
        let from = connection * requests.len() / connections;
        thread::spawn(move || {
            if let Err(error) = ask(stream, from, &requests, &only, &answers) {
                eprintln!("an administrator: {error}");
                std::process::exit(1);
            }
        });
    }
    // One is told what happens.
    let mut events = UnixStream::connect(admin)?;
    events.write_all(b"{\"id\":1,\"cmd\":\"events.subscribe\",\"more\":true}\n")?;
    thread::spawn(move || io::copy(&mut events, &mut io::sink()));
    println!("{}", requests.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "));
    for order in io::stdin().lines() {
        let order = order?;
        if order == "all" {
            only.store(usize::MAX, Ordering::Relaxed);
        } else if let Some(index) = requests.iter().position(|(name, _)| *name == order) {
            only.store(index, Ordering::Relaxed);
        }
        println!("{} {}", answers[0].load(Ordering::Relaxed), answers[1].load(Ordering::Relaxed));
    }
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn ask(
    stream: UnixStream,
    from: usize,
    requests: &[(String, String)],
    only: &AtomicUsize,
    answers: &[AtomicU64; 2],
) -> io::Result<()> {
    let mut to = stream.try_clone()?;
    let mut replies = BufReader::with_capacity(256 << 10, stream);
    let (mut sent, mut done, mut next) = (0_u64, 0_u64, from);
    loop {
        let mut out = String::new();
        while sent < done + UNDER_WAY {
            let only = only.load(Ordering::Relaxed);
            let (_, request) = requests.get(only).unwrap_or(&requests[next]);
            next = (next + 1) % requests.len();
            sent += 1;
            out.push_str(&format!("{{\"id\":{sent},{request}"));
        }
        to.write_all(out.as_bytes())?;
        let refused = reply(&mut replies)?;
        done += 1;
        answers[0].fetch_add(1, Ordering::Relaxed);
        answers[1].fetch_add(u64::from(refused), Ordering::Relaxed);
    }
}

/// Reads one answer, of all its lines; whether it was a refusal. Only how a line begins is looked at: it can have
/// megabytes.
fn reply(replies: &mut BufReader<UnixStream>) -> io::Result<bool> {
    loop {
        let mut head = Vec::new();
        let is_whole = replies.by_ref().take(80).read_until(b'\n', &mut head)? == 0 || head.ends_with(b"\n");
        if head.is_empty() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if !is_whole {
            skip(replies)?;
        }
        let has = |part: &[u8]| head.windows(part.len()).any(|window| window == part);
        if !has(b"\"ok\":true,\"more\":true") {
            return Ok(has(b"\"ok\":false"));
        }
    }
}

/// Reads up to the end of the line.
fn skip(replies: &mut impl BufRead) -> io::Result<()> {
    loop {
        let (found, used) = {
            let held = replies.fill_buf()?;
            match held.iter().position(|byte| *byte == b'\n') {
                Some(at) => (true, at + 1),
                None => (held.is_empty(), held.len()),
            }
        };
        replies.consume(used);
        if found {
            return Ok(());
        }
    }
}
