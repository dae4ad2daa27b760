//! What a former process has kept of the hub is read, and written again as the same, or refused.
#![no_main]

use chathub::machine::Machine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|kept: &[u8]| {
    let Ok(machine) = serde_json::from_slice::<Machine>(kept) else { return };
    let kept = serde_json::to_string(&machine).expect("plain");
    let again: Machine = serde_json::from_str(&kept).expect("what was kept");
    assert_eq!(serde_json::to_string(&again).expect("plain"), kept);
});
