//! Whatever a proxy sends first: it is a header or none, what is said of its beginning stays true, and no more is read
//! than a header may have.
#![no_main]

use chathub::values::text::is_clean;
use chathub::wire::proxy::{From, LONGEST, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (start, mut bytes) = input;
    let starts: [&[u8]; 4] =
        [b"", b"PROXY TCP4 ", b"\r\n\r\n\0\r\nQUIT\n", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x60\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"];
    bytes.splice(..0, starts[usize::from(start) % starts.len()].iter().copied());
    let whole = read(&bytes);
    for len in 0..bytes.len() {
        match read(&bytes[..len]) {
            Ok(None) => {}
            Ok(Some(header)) => {
                assert!(header.len <= len && header.len <= LONGEST);
                assert_eq!(whole, Ok(Some(header)));
                break;
            }
            wrong => {
                assert_eq!(whole, wrong);
                break;
            }
        }
    }
    if let Ok(Some(header)) = whole
        && let From::Person { encryption: Some(said), .. } = header.from
    {
        for text in [said.version, said.suite, said.host, said.certificate].into_iter().flatten() {
            assert!(is_clean(&text) && text.len() <= 128);
        }
    }
});
