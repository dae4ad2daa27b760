//! What a former process has kept of a room's log and of somebody who reads it is gone on with, or refused.
#![no_main]

use std::io::IoSlice;

use chathub::wire::render;
use chathub::wire::stream::log::Log;
use chathub::wire::stream::reader::{MAX_PIECES, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (takes, kept) = input;
    let Ok((mut log, mut reader)) = serde_json::from_slice::<(Log, Reader)>(kept) else { return };
    if reader.resume(Some(&mut log), render::missed).is_err() {
        return;
    }
    // It gives what it has.
    for _ in 0..200 {
        let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
        let (count, owed) = reader.gather(Some(&log), &mut pieces);
        if count == 0 {
            break;
        }
        reader.advance(Some(&log), owed.min(usize::from(takes) + 1));
    }
});
