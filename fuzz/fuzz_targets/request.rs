//! A request on the admin socket is taken or refused, whatever it is; what one asks for can be written again.
#![no_main]

use chathub::wire::admin::message::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    if let Ok(command) = Request::parse(line).command {
        assert!(command.args().is_object());
    }
});
