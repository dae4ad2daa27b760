//! Too many, too slow, too much; and those who speak no TLS.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::client::{Client, Manner};
use crate::hub::Played;
use crate::program::{Program, Setup, rest};

const WORDS: &str = "-- this port is encrypted: connect with TLS 1.3, as \"ncat --ssl\" does\r\n\
                     -- without encryption: port 6969\r\n";

/// What a client sends first.
fn hello() -> Vec<u8> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut client = Client::new(stream, &Manner::default());
    let mut bytes = Vec::new();
    client.tls.write_tls(&mut bytes).unwrap();
    bytes
}

#[track_caller]
fn is_open(stream: &mut TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = stream.peek(&mut [0; 1]);
    stream.set_nonblocking(false).unwrap();
    matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// Somebody else is served, so what came before was looked at.
#[track_caller]
fn served(program: &Program, hub: &Played, from: u8) {
    let mut ann = Client::new(program.connect_from(from), &Manner::default());
    ann.shake("hi\r\n").unwrap();
    assert_eq!(hub.take().hear(), "hi\r\n");
}

#[test]
fn the_oldest_of_an_address_gives_way_to_one_more() {
    let program = Setup::new().args(&["--per-address", "3"]).pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let mut other = program.connect_from(9);
    let mut half: Vec<_> = (0..5).map(|_| program.connect_from(1)).collect();
    for gone in &mut half[..2] {
        assert_eq!(rest(gone), b"");
    }
    program.status("2 gave way to their address");
    assert!(half[2..].iter_mut().all(is_open) && is_open(&mut other));
    // Who has finished has left the place.
    for _ in 0..5 {
        served(&program, &hub, 9);
    }
    assert!(half[2..].iter_mut().all(is_open) && is_open(&mut other));
}

#[test]
fn the_oldest_of_all_gives_way_when_there_are_too_many() {
    let program = Setup::new().args(&["--handshakes", "4"]).pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let mut half: Vec<_> = (1..=6).map(|from| program.connect_from(from)).collect();
    for gone in &mut half[..2] {
        assert_eq!(rest(gone), b"");
    }
    program.status("2 gave way");
    assert!(half[2..].iter_mut().all(is_open));
    served(&program, &hub, 7);
    assert_eq!(rest(&mut half[2]), b"");
    assert!(half[3..].iter_mut().all(is_open));
}

/// Without any option for them: 256 in all, 16 of an address. The time is that of a slow machine.
#[test]
fn a_flood_of_half_open_handshakes_keeps_nobody_out() {
    let program = Setup::new().args(&["--handshake-time", "60s"]).pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let hello = hello();
    let mut half = Vec::new();
    for round in 0..20 {
        for from in 1..=20 {
            let mut stream = program.connect_from(from);
            // Some say nothing, some begin, some stop in the middle of a record. Those that have given way do not take it.
            let _ = match round % 3 {
                0 => Ok(()),
                1 => stream.write_all(&hello),
                _ => stream.write_all(&hello[..50]),
            };
            half.push(stream);
        }
        served(&program, &hub, 99);
    }
    let open = half.iter_mut().map(|stream| stream.set_nonblocking(true).map(|()| stream)).filter_map(Result::ok);
    let open = open.filter_map(|stream| {
        // Those that have begun were answered; they are open if nothing follows.
        let mut bytes = [0; 8192];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return (error.kind() == ErrorKind::WouldBlock).then_some(()),
            }
        }
    });
    let open = open.count();
    assert!((200..=256).contains(&open), "{open} are open");
    let status = program.status("20 handed over");
    assert!(status.contains("gave way") && !status.contains("failed"), "{status}");
    // Of one address alone, 16 remain.
    drop(half);
    let mut half: Vec<_> = (0..40).map(|_| program.connect_from(1)).collect();
    served(&program, &hub, 99);
    assert_eq!(half.iter_mut().map(is_open).filter(|open| *open).count(), 16);
}

#[test]
fn a_handshake_that_takes_too_long_is_ended() {
    let program = Setup::new().args(&["--handshake-time", "2s"]).pair("own", &["chat.example.org"]).start();
    let hello = hello();
    // A byte each 10 ms, which is the time that each look for an answer takes.
    let mut drip = program.connect();
    drip.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut sent = 0;
    for byte in hello.iter().cycle().take(10_000) {
        if drip.write_all(&[*byte]).is_err() {
            break;
        }
        sent += 1;
        match drip.read(&mut [0; 1]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Ok(0) | Err(_) => break,
            Ok(_) => panic!("it was answered"),
        }
    }
    assert!(sent < 500, "{sent}");
    program.status("1 timed out");
    // Who has got half of the way is not told anything that they would not understand.
    let mut half = program.connect();
    half.write_all(&hello).unwrap();
    let answer = rest(&mut half);
    assert_eq!(answer[0], 22);
    assert!(!String::from_utf8_lossy(&answer).contains("encrypted"));
    program.status("2 timed out");
}

#[test]
fn whoever_says_nothing_is_told_where_they_are() {
    let program = Setup::new().args(&["--handshake-time", "200ms"]).pair("own", &["chat.example.org"]).start();
    let mut silent = program.connect();
    assert_eq!(String::from_utf8(rest(&mut silent)).unwrap(), WORDS);
    program.status("1 timed out");
}

#[test]
fn whoever_speaks_no_tls_is_told_so_in_words() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    for said in [
        &b"h"[..],
        b"hello\r\n",
        &[0xFF, 0xFD, 3, 0xFF, 0xFB, 0x18],
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
        &[0x80; 3000],
    ] {
        let mut stranger = program.connect();
        stranger.write_all(said).unwrap();
        assert_eq!(String::from_utf8(rest(&mut stranger)).unwrap(), WORDS, "{said:?}");
    }
    // All of what they say before they read may be on its way.
    let mut stranger = program.connect();
    stranger.write_all(&b"hello\r\n".repeat(2000)).unwrap();
    stranger.shutdown(Shutdown::Write).unwrap();
    assert_eq!(String::from_utf8(rest(&mut stranger)).unwrap(), WORDS);
    program.status("6 not encrypted");
    let program = Setup::new().args(&["--plain-port", "0"]).pair("own", &["chat.example.org"]).start();
    let mut stranger = program.connect();
    stranger.write_all(b"hello\r\n").unwrap();
    assert_eq!(String::from_utf8(rest(&mut stranger)).unwrap(), WORDS.lines().next().unwrap().to_owned() + "\r\n");
}

/// A handshake message of a ClientHello's kind, that claims so many bytes, in records of a size.
fn endless(claimed: u32, record: u16) -> impl Iterator<Item = Vec<u8>> {
    let len = record.to_be_bytes();
    let mut first = vec![0; usize::from(record)];
    first[0] = 1;
    first[1..4].copy_from_slice(&claimed.to_be_bytes()[1..]);
    let header = move || vec![22, 3, 1, len[0], len[1]];
    let more = std::iter::repeat_with(move || [header(), vec![0; usize::from(record)]].concat());
    std::iter::once([header(), first].concat()).chain(more)
}

/// Sends these until they are not taken any more; returns how many bytes were sent, and what was answered.
fn pour(program: &Program, records: impl Iterator<Item = Vec<u8>>) -> (usize, Vec<u8>) {
    let mut stream = program.connect();
    let mut sent = 0;
    for record in records {
        if sent > 16 * 1024 * 1024 || stream.write_all(&record).is_err() {
            break;
        }
        sent += record.len();
    }
    let answer = rest(&mut stream);
    (sent, answer)
}

#[test]
fn whoever_sends_too_much_is_not_read_on() {
    // The library has a bound for one message; ours is for all of them.
    let program = Setup::new().args(&["--handshake-kib", "8"]).pair("own", &["chat.example.org"]).start();
    for records in [endless(60_000, 1000).take(100).collect::<Vec<_>>(), endless(60_000, 4).take(5000).collect()] {
        pour(&program, records.into_iter());
    }
    program.status("2 sent too much");
    let hub = Played::at(&program.path("handover.sock"));
    served(&program, &hub, 1);
    // As it is without options.
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let (sent, _) = pour(&program, endless(65_000, 16_384));
    // What is in the kernel's buffers was never read.
    assert!(sent < 16 * 1024 * 1024, "{sent}");
    program.status("1 sent too much");
    // A message that claims more than can be, a record that does, and nonsense in the form of a record: alerts.
    for (told, first) in [
        ("claims", endless(0xFF_FFFF, 1000).next().unwrap()),
        ("record", vec![22, 3, 1, 0xFF, 0xFF]),
        ("nonsense", vec![22, 3, 1, 0, 5, 1, 0, 0, 1, 0xFF]),
    ] {
        let mut stream = program.connect();
        stream.write_all(&first).unwrap();
        let answer = rest(&mut stream);
        assert!(answer.len() == 7 && (answer[0], answer[5]) == (21, 2), "{told}: {answer:?}");
    }
    let status = program.status("3 failed");
    assert!(status.contains("1 sent too much"), "{status}");
}
