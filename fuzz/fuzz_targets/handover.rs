//! A datagram by which a connection is handed over is read or refused, and what is read of it is the same when it is
//! written and read again.
#![no_main]

use chathub::wire::tls::handover::{Handover, LEN};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, Vec<u8>)| {
    let (is_made_to_fit, mut bytes) = input;
    if is_made_to_fit {
        bytes.resize(LEN, 0);
        bytes[..8].copy_from_slice(b"chtls\0\0\x01");
    }
    if let Some(handover) = Handover::decode(&bytes) {
        assert_eq!(bytes.len(), LEN);
        assert_eq!(Handover::decode(&handover.encode()[..]), Some(handover));
    }
});
