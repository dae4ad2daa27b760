//! Whatever of a tape has changed since a former process wrote it: it is taken over or refused, and what is taken over
//! can be read to its end.
#![no_main]

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use chathub::net::keep::tape::Tape;
use chathub::values::id::SessionId;
use chathub::values::time::{Mono, Now, Wall};
use libfuzzer_sys::fuzz_target;

/// Where the parts of the file begin: its first page, both halves for inputs, both for cuts.
const PARTS: [u64; 5] = [0, 1 << 16, (1 << 16) + (1 << 34), (1 << 16) + (2 << 34), (1 << 16) + (2 << 34) + (1 << 30)];

/// How long all slots are, which stand at the end.
const SLOTS: u64 = 1 << 28;

fuzz_target!(|input: (bool, Vec<(u8, u16, u64)>)| {
    let (has_second_snapshot, changes) = input;
    let (mut tape, _cuts) = Tape::new().expect("memory");
    let now = Now { mono: Mono(1_000_000), wall: Wall(1_795_341_662_000) };
    tape.snapshot(b"{\"hub\":\"a machine\"}", b"{\"owed\":[]}", 7);
    for id in 0..6 {
        tape.append(now, b"{\"Tick\":null}");
        tape.append_turn(SessionId(id), now);
        if id == 3 && has_second_snapshot {
            tape.snapshot(b"{\"hub\":\"another\"}", b"{}", 7);
        }
    }
    let file = tape.file().expect("it is kept").try_clone_to_owned().expect("a descriptor");
    drop(tape);
    let file = File::from(file);
    let len = file.metadata().expect("its length").len();
    for (part, at, value) in changes {
        let part = usize::from(part) % (PARTS.len() + 1);
        let start = PARTS.get(part).copied().unwrap_or(len - SLOTS);
        // Words and bytes: numbers stand in words, and the rest is no larger than a page here.
        match at % 2 {
            0 => file.write_all_at(&value.to_le_bytes(), start + u64::from(at / 2) % 512 * 8),
            _ => file.write_all_at(&value.to_le_bytes()[..1], start + u64::from(at / 2) % 4096),
        }
        .expect("memory");
    }
    let again = || file.try_clone().expect("a descriptor").into();
    for (_, slot) in Tape::slots_of(&again()).into_iter().flatten() {
        let _ = (slot.suite(), slot.fingerprint(), slot.is_closed(), slot.unlock(0));
        if let Some(mark) = slot.last_mark() {
            let _ = (mark.end(), mark.plain_end());
        }
    }
    let Ok(Some((tape, cuts))) = Tape::open(again()) else { return };
    let _ = (tape.autopsy(), tape.is_hopeless(), tape.receiving(), cuts.all());
    for record in tape.records().into_iter().flatten() {
        let _ = tape.content(record.content.clone()).len();
    }
});
