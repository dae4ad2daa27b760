//! What people and administrators write as values: networks, lengths of time, names, patterns of a filter. Each is read or
//! refused; what is read is the same when it is written and read again.
#![no_main]

use chathub::values::name::Name;
use chathub::values::network::Network;
use chathub::values::time::{parse_length, take_length};
use chathub::values::words;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(network) = text.parse::<Network>() {
        assert_eq!(network.to_string().parse::<Network>().ok(), Some(network));
    }
    if let Ok(name) = Name::parse(text, 24) {
        assert_eq!(Name::parse(&name.to_string(), 24).ok().as_ref(), Some(&name));
    }
    let _ = parse_length(text);
    let _ = take_length(text);
    if text.len() <= 200 {
        let _ = words::check(text);
    }
});
