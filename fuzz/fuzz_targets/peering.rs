//! Whatever other hubs put into the log, or tell beside it, one thing a line: the hub goes on, and what it keeps is read
//! again as the same.
#![no_main]

use std::time::Duration;

use chathub::hub::peering::Incoming;
use chathub::machine::{Input, Machine};
use chathub::settings::Settings;
use chathub::values::time::{Mono, Now, Wall};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|told: &[u8]| {
    let mut now = Now { mono: Mono(1_000_000), wall: Wall(1_795_341_662_000) };
    let mut out = Vec::new();
    let mut machine = Machine::new(Settings::default(), [7; 16], now, &mut out);
    let id = machine.next_id();
    let peer = ([127, 0, 0, 1], 4000).into();
    machine.handle(Input::Connect { id, cookie: 1, peer, tls: None, proxied: None }, now, &mut out);
    let linked = serde_json::from_str(r#"{"Linked":{"hub":"a","log":"log","last":0}}"#).expect("a hub's name");
    machine.handle(Input::Peering(linked), now, &mut out);
    for line in told.split(|byte| *byte == b'\n') {
        out.clear();
        now.mono = now.mono.after(Duration::from_millis(700));
        now.wall.0 += 700;
        match serde_json::from_slice::<Incoming>(line) {
            Ok(incoming) => machine.handle(Input::Peering(incoming), now, &mut out),
            Err(_) => machine.handle(Input::Tick, now, &mut out),
        }
    }
    let kept = serde_json::to_string(&machine).expect("plain");
    let again: Machine = serde_json::from_str(&kept).expect("what was kept");
    assert_eq!(serde_json::to_string(&again).expect("plain"), kept);
});
