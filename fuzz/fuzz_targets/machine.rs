//! Whatever some people send, the hub goes on; and what is kept of it is read again as the same.
#![no_main]

use std::time::Duration;

use chathub::machine::{Input, Machine};
use chathub::settings::Settings;
use chathub::values::time::{Mono, Now, Wall};
use libfuzzer_sys::fuzz_target;

const PEOPLE: usize = 4;

fuzz_target!(|sent: Vec<(u8, Vec<u8>)>| {
    let mut now = Now { mono: Mono(1_000_000), wall: Wall(1_795_341_662_000) };
    let mut out = Vec::new();
    let mut machine = Machine::new(Settings::default(), [7; 16], now, &mut out);
    let mut people = Vec::new();
    for (who, bytes) in sent {
        out.clear();
        now.mono = now.mono.after(Duration::from_millis(u64::from(who) * 10));
        now.wall.0 += i64::from(who) * 10;
        if people.len() < PEOPLE {
            let id = machine.next_id();
            machine.handle(Input::Connect { id, cookie: id.0, peer: ([127, 0, 0, 1], 4000).into(), tls: None, proxied: None }, now, &mut out);
            people.push(id);
        }
        let id = people[usize::from(who) % people.len()];
        if machine.listens_to(id) {
            machine.bytes(id, &bytes, now, &mut out);
        } else {
            machine.handle(Input::Tick, now, &mut out);
        }
    }
    let kept = serde_json::to_string(&machine).expect("plain");
    let again: Machine = serde_json::from_str(&kept).expect("what was kept");
    assert_eq!(serde_json::to_string(&again).expect("plain"), kept);
});
