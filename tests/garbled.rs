//! Bytes that nobody means: whatever comes over a connection, stands in a request on the admin socket, or is
//! found in what a former process has kept, is taken or refused, and nothing ends the process.
//!
//! A part of what the fuzzers in `fuzz/` do, for everybody who runs the tests. The first seeds are the same each time
//! and the last one is new: `CHATHUB_SEED=n` repeats it, `CHATHUB_ROUNDS=n` goes on for longer.

mod shared;

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::time::Duration;

use chathub::hub::command::COMMANDS;
use chathub::hub::ignore::Borne;
use chathub::hub::message::{Line, Said, View};
use chathub::machine::{Input, Machine};
use chathub::settings::Settings;
use chathub::values::id::SessionId;
use chathub::values::time::{Mono, Now, Wall};
use chathub::wire::admin::message::Request;
use chathub::wire::render;
use chathub::wire::stream::log::Log;
use chathub::wire::stream::reader::Reader;
use shared::dice::Dice;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Does `what` with as many dice as there are rounds.
fn rounds(what: impl Fn(&mut Dice)) {
    let rounds = number("CHATHUB_ROUNDS").unwrap_or(12);
    let seeds: Vec<u64> = match number("CHATHUB_SEED") {
        Some(seed) => vec![seed],
        None => (1..rounds).chain([RandomState::new().hash_one(0) >> 32]).collect(),
    };
    for seed in seeds {
        println!("CHATHUB_SEED={seed}");
        what(&mut Dice(seed));
    }
}

/// Changes some bytes, takes some away, doubles some, or puts others among them.
fn garble(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let some = dice.below(8).min(bytes.len() - at);
        match dice.below(5) {
            0 => drop(bytes.drain(at..at + some)),
            1 => {
                let copy = bytes[at..at + some].to_vec();
                bytes.splice(at..at, copy);
            }
            2 => {
                let numbers = ["0", "-1", "1e9", "18446744073709551615", "9999999999999999999999", "null", "[]", "{}"];
                bytes.splice(at..at + some, dice.of(&numbers).bytes());
            }
            3 => bytes.insert(at, dice.of(b"\"\\{}[]:,\0\xff\n09-.e")),
            _ => bytes[at..at + some].iter_mut().for_each(|byte| *byte ^= 1 << dice.below(8)),
        }
    }
}

/// What somebody sends: lines, commands, keys, telnet, and pieces of all these.
fn sent(dice: &mut Dice) -> Vec<u8> {
    const PIECES: &[&[u8]] = &[
        b"hello\n",
        b"\r\n",
        b"\r\0",
        b"/",
        b" ann ",
        b" bob",
        b"#",
        b"-1 ",
        b"99999999999999999999 ",
        b"2026-11-22 ",
        b"\xff\xfb\x18\xff\xfb\x1f",
        b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
        b"\xff\xfa\x1f\xff\xff\xff\xff\x00\x00\xff\xf0",
        b"\xff\xfa\x18\x00XTERM\xff\xf0",
        b"\xff\xfd\x01\xff\xfd\x03",
        b"\xff\xfe\x01",
        b"\xff\xf4\xff\xf2",
        b"\xff",
        b"\x1b[200~pasted\nlines\n\x1b[201~",
        b"\x1b[A\x1b[D\x1b[3~\x1b",
        b"\x12he\x07",
        b"\t\t",
        b"\x01\x05\x0b\x15\x17\x19\x0c",
        b"\x7f\x08",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} gr\u{fc}\u{df}e \u{202e}\u{301}".as_bytes(),
        b"\xe6\x97",
        b"long enough password\n",
    ];
    let mut bytes = Vec::new();
    for _ in 0..=dice.below(6) {
        match dice.below(8) {
            0..4 => bytes.extend_from_slice(dice.of(PIECES)),
            4..7 => {
                let at = dice.below(COMMANDS.len());
                bytes.extend_from_slice(format!("/{} ", COMMANDS[at].name).as_bytes());
                bytes.extend_from_slice(dice.of(&[
                    &b"ann"[..],
                    b"bob",
                    b"tea",
                    b"5",
                    b"on",
                    b"+05:30",
                    b"",
                    b"ann 5m x",
                ]));
                bytes.extend_from_slice(dice.of(&[&b"\n"[..], b"\r\n", b"\r\0"]));
            }
            _ => bytes.extend((0..dice.below(1500)).map(|_| dice.roll().to_le_bytes()[0])),
        }
    }
    bytes
}

#[test]
fn no_bytes_of_a_client_end_the_hub_and_its_snapshot_is_read_back_the_same() {
    rounds(|dice| {
        let mut now = Now { mono: Mono(1_000_000), wall: Wall(1_795_341_662_000) };
        let mut out = Vec::new();
        let mut machine = Machine::new(Settings::default(), [7; 16], now, &mut out);
        let mut ids = Vec::new();
        for step in 0..1500 {
            now.mono = now.mono.after(Duration::from_micros(dice.of(&[0, 100, 10_000, 3_000_000])));
            now.wall.0 += 1;
            out.clear();
            if ids.len() < 6 || dice.below(40) == 0 {
                let id = machine.next_id();
                let peer = ([127, 0, 0, u8::try_from(id.0 % 5).expect("below 5") + 1], 4000).into();
                machine.handle(Input::Connect { id, cookie: id.0, peer, tls: None, proxied: None }, now, &mut out);
                ids.push(id);
            }
            let id = ids[dice.below(ids.len())];
            if machine.listens_to(id) {
                let bytes = sent(dice);
                machine.bytes(id, &bytes, now, &mut out);
            } else {
                machine.handle(Input::Tick, now, &mut out);
            }
            if step % 100 == 0 {
                // Kept, read again, and kept: nothing is lost of it.
                let kept = serde_json::to_string(&machine).expect("plain");
                let again: Machine = serde_json::from_str(&kept).expect("what was kept");
                assert_eq!(serde_json::to_string(&again).expect("plain"), kept);
            }
        }
    });
}

#[test]
fn no_garbled_request_of_an_administrator_is_more_than_refused() {
    const REQUESTS: &[&str] = &[
        r#"{"id":1,"cmd":"status"}"#,
        r#"{"id":"a","cmd":"clients.mute","args":{"who":["ann","c3"],"for_s":3600}}"#,
        r#"{"id":4,"cmd":"history.dump","args":{"room":"lobby","last":2},"more":true}"#,
        r#"{"id":5,"cmd":"history.search","args":{"text":"tea","room":"lobby"}}"#,
        r#"{"id":6,"cmd":"bans.add","args":{"net":"192.0.2.0/24","for_s":60,"reason":"x"}}"#,
        r#"{"id":7,"cmd":"accounts.add","args":{"name":"ann","password":"long enough","role":"operator"}}"#,
        r#"{"id":8,"cmd":"events.subscribe","args":{"kinds":["flood"]},"more":true}"#,
        r#"{"id":9,"cmd":"rooms.topic","args":{"room":"lobby","text":"of the day"}}"#,
    ];
    rounds(|dice| {
        for _ in 0..3000 {
            let mut bytes = dice.of(REQUESTS).as_bytes().to_vec();
            garble(&mut bytes, dice);
            let _ = Request::parse(&bytes);
        }
    });
}

#[test]
fn no_garbled_reader_of_a_former_process_is_more_than_refused() {
    rounds(|dice| {
        let mut log = Log::default();
        let mut reader = Reader::new(SessionId(3));
        reader.enter(&mut log);
        for seq in 0..40 {
            let said = Said::Say { nick: "ann".into(), text: format!("line {seq}").into() };
            log.push(Arc::new(Line {
                seq,
                at: Wall(1),
                author: Some(SessionId(seq % 4)),
                said,
                borne: Borne::default(),
                apart: None,
                origin: None,
            }));
            if seq % 9 == 0 {
                reader.tell(Arc::from(&b"-- mail\r\n"[..]), Some(&log));
            }
        }
        reader.skip(20, &log, render::missed);
        log.trim_to(20);
        reader.set_view(View { ascii: true, ..View::default() }, &mut log);
        let kept = serde_json::to_vec(&(&log, &reader)).expect("plain");
        for _ in 0..1000 {
            let mut bytes = kept.clone();
            garble(&mut bytes, dice);
            let Ok((mut log, mut reader)) = serde_json::from_slice::<(Log, Reader)>(&bytes) else { continue };
            if reader.resume(Some(&mut log), render::missed).is_err() {
                continue;
            }
            // It goes on: gives what it has, to the end.
            for _ in 0..200 {
                let mut pieces = [std::io::IoSlice::new(&[]); chathub::wire::stream::reader::MAX_PIECES];
                let (count, owed) = reader.gather(Some(&log), &mut pieces);
                if count == 0 {
                    break;
                }
                reader.advance(Some(&log), owed.min(dice.below(60) + 1));
            }
        }
    });
}
