//! However the bytes are cut up, the same lines come of them, and none above the limit.
#![no_main]

use chathub::wire::terminal::lines::{Ending, Keys, LineAssembler, LineEvent};
use libfuzzer_sys::fuzz_target;

const MAX: usize = 32;

fn feed(lines: &mut LineAssembler, mut chunk: &[u8], told: &mut Vec<(Vec<u8>, u64, Ending)>) {
    while let Some(event) = lines.next(&mut chunk, MAX) {
        told.push(short(event));
        assert!(!lines.is_unfinished());
    }
    assert!(chunk.is_empty());
    assert!(lines.partial().len() <= MAX);
}

fn short(event: LineEvent<'_>) -> (Vec<u8>, u64, Ending) {
    match event {
        LineEvent::Line { bytes, ending } => {
            assert!(bytes.len() <= MAX);
            (bytes.into_owned(), 0, ending)
        }
        LineEvent::TooLong { bytes, ending } => {
            assert!(bytes > MAX as u64);
            (Vec::new(), bytes, ending)
        }
    }
}

fuzz_target!(|input: (bool, u8, Vec<u8>)| {
    let (erase, size, bytes) = input;
    let mut whole = LineAssembler::default();
    whole.set_keys(if erase { Keys::Erase } else { Keys::Verbatim });
    let mut cut = whole.clone();
    let (mut told, mut cut_told) = (Vec::new(), Vec::new());
    feed(&mut whole, &bytes, &mut told);
    for chunk in bytes.chunks(usize::from(size).max(1)) {
        feed(&mut cut, chunk, &mut cut_told);
    }
    assert_eq!(whole, cut);
    assert_eq!(told, cut_told);
    assert_eq!(whole.finish().map(short), cut.finish().map(short));
});
