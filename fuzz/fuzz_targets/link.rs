//! However the bytes are cut up, the same is heard, and the same is sent: but what is told of the
//! terminal, which is told when all that has come was looked at.
#![no_main]

use chathub::settings::Negotiate;
use chathub::values::terminal::Mode;
use chathub::values::time::Mono;
use chathub::wire::terminal::link::{Heard, Link, Rules};
use libfuzzer_sys::fuzz_target;

const RULES: Rules = Rules { line: 128, negotiate: Negotiate::Auto };

#[derive(Default)]
struct Far {
    link: Link,
    heard: Vec<Heard>,
    replies: Vec<u8>,
}

impl Far {
    fn sends(&mut self, bytes: &[u8]) {
        self.link.push(bytes);
        while let Some(heard) = self.link.next(RULES, Mono::default(), &mut self.replies) {
            match &heard {
                Heard::Terminal(_) => continue,
                Heard::Complete(_) => self.link.complete(0, vec!["ann: ".into()], RULES.line),
                // What the hub does, at a place that does not depend on the cuts.
                Heard::Line { text, .. } if text == "c" => self.link.set_mode(Mode::Char, &mut self.replies),
                Heard::Line { text, .. } if text == "l" => self.link.set_mode(Mode::Line, &mut self.replies),
                Heard::Line { text, .. } if text == "h" => self.link.hide(true, &mut self.replies),
                Heard::Line { text, .. } if text == "s" => self.link.hide(false, &mut self.replies),
                Heard::Mode(Mode::Char) => self.link.set_prompt("> "),
                _ => {}
            }
            self.heard.push(heard);
        }
        assert!(self.link.is_sound());
        assert_eq!(self.link.waiting(), 0);
    }
}

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (size, bytes) = input;
    // Where ^D stands alone at a read's end only chunking can tell.
    if bytes.contains(&4) {
        return;
    }
    let (mut whole, mut cut) = (Far::default(), Far::default());
    whole.sends(&bytes);
    for chunk in bytes.chunks(usize::from(size).max(1)) {
        cut.sends(chunk);
    }
    assert_eq!(whole.heard, cut.heard);
    assert_eq!(whole.replies, cut.replies);
    assert_eq!(whole.link.area(), cut.link.area());
});
