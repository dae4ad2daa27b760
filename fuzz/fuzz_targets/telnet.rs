//! However the bytes are cut up, the same events and answers come of them, and no more answers
//! than the cap allows.
#![no_main]

use chathub::wire::terminal::telnet::{Event, MAX_ANSWERS, Side, Switch, Telnet, TelnetOption};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Seen {
    telnet: Telnet,
    /// Data, with all other events written between.
    told: Vec<u8>,
    replies: Vec<u8>,
}

impl Seen {
    fn feed(&mut self, mut input: &[u8]) {
        while let Some(event) = self.telnet.receive(&mut input, &mut self.replies) {
            match event {
                Event::Data(run) => {
                    assert!(!run.is_empty());
                    self.told.extend_from_slice(run);
                }
                other => self.told.extend(format!("<{other:?}>").into_bytes()),
            }
        }
        assert!(input.is_empty());
    }
}

fuzz_target!(|input: (u8, u8, Vec<u8>)| {
    let (asked, size, bytes) = input;
    let mut whole = Seen::default();
    for (i, option) in TelnetOption::ALL.into_iter().enumerate() {
        if asked & (1 << i) != 0 {
            for side in [Side::Ours, Side::Theirs] {
                whole.telnet.ask(option, side, Switch::On, &mut Vec::new());
            }
        }
    }
    let mut cut = Seen { telnet: whole.telnet.clone(), ..Seen::default() };
    whole.feed(&bytes);
    for chunk in bytes.chunks(usize::from(size).max(1)) {
        cut.feed(chunk);
    }
    assert_eq!(whole.telnet, cut.telnet);
    assert_eq!(whole.told, cut.told);
    assert_eq!(whole.replies, cut.replies);
    // TIMING-MARK, three bytes in and three out, is the one that is always answered.
    assert!(whole.replies.len() <= bytes.len() + 64 * usize::from(MAX_ANSWERS));
});
