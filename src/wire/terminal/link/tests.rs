use super::*;
use proptest::prelude::*;

const RULES: Rules = Rules { line: 32, negotiate: Negotiate::Never };

fn listen(pieces: &[&[u8]]) -> (Vec<Heard>, Vec<u8>) {
    let (mut link, mut out, mut replies) = (Link::default(), Vec::new(), Vec::new());
    for piece in pieces {
        link.push(piece);
        // Parse this piece before the next one comes.
        while let Some(heard) = link.next(RULES, Mono::default(), &mut replies) {
            out.push(heard);
        }
    }
    link.end();
    while let Some(heard) = link.next(RULES, Mono::default(), &mut replies) {
        out.push(heard);
    }
    assert!(link.is_done());
    (out, replies)
}

fn line(text: &str) -> Heard {
    Heard::Line { text: text.into(), bytes: text.len() as u64 + 1 }
}

#[test]
fn lines_come_one_at_a_time_and_the_last_needs_no_end() {
    let (heard, replies) = listen(&[b"one\ntwo\r", b"\nthree\r\0fo", b"ur"]);
    assert_eq!(heard, vec![line("one"), line("two"), line("three"), line("four")]);
    assert!(replies.is_empty(), "not one byte of telnet to a client that has sent none");
}

#[test]
fn control_c_of_debians_telnet_clears_the_line_and_is_answered() {
    let (heard, replies) = listen(&[b"abc\xff\xf4\xff\xfd\x06def\r\n"]);
    assert_eq!(heard, vec![Heard::Interrupt, line("def")]);
    assert_eq!(replies, b"\xff\xfc\x06");
}

#[test]
fn control_d_leaves_for_telnet_and_is_nothing_for_others() {
    let (heard, _) = listen(&[b"hi\r\n", b"\x04"]);
    assert_eq!(heard, vec![line("hi"), Heard::Leave]);
    let (heard, _) = listen(&[b"hi\n", b"\x04"]);
    assert_eq!(heard.len(), 2);
    assert!(matches!(&heard[1], Heard::Line { text, .. } if text.is_empty()));
}

#[test]
fn what_the_keys_of_a_raw_terminal_erase_is_not_said() {
    let (heard, _) = listen(&[b"halbx\x7f\xc3\xa9\r", b"pass\x1b[D\x15", b"word\x08\x08k\r", b"\x7f\r"]);
    let texts: Vec<_> =
        heard.iter().map(|heard| if let Heard::Line { text, .. } = heard { text.as_str() } else { "?" }).collect();
    assert_eq!(texts, ["halb\u{e9}", "wok", ""]);
}

#[test]
fn a_subnegotiation_without_an_end_swallows_what_follows_for_a_while_only() {
    let (mut link, mut replies) = (Link::default(), Vec::new());
    let mut hears = |bytes: &[u8], seconds: u64| {
        let at = Mono::default().after(Duration::from_secs(seconds));
        link.push(bytes);
        std::iter::from_fn(|| link.next(RULES, at, &mut replies)).collect::<Vec<_>>()
    };
    // As somebody types it who does not speak telnet: `\u{ff}\u{fa}` in Latin-1.
    assert_eq!(hears(b"\xff\xfa\n", 0), []);
    assert_eq!(hears(b"is anybody there?\n", 5), []);
    assert_eq!(hears(b"so\n", 14), []);
    assert_eq!(hears(b"well\n", 25), [line("well")]);
    // One that comes in pieces is one all the same.
    assert_eq!(hears(b"a\xff\xfa\x1f\x00", 30), []);
    assert_eq!(hears(b"\x50", 39), []);
    assert_eq!(hears(b"\x00\x18\xff\xf0b\n", 48), [line("ab")]);
}

#[test]
fn an_over_long_line_brings_one_notice() {
    let long = [b'x'; 1000];
    let (heard, _) = listen(&[&long, b"\nok\n"]);
    assert_eq!(heard, vec![Heard::TooLong { bytes: 1000 }, line("ok")]);
}

/// The far end of a link: a client that sends bytes.
struct Far {
    link: Link,
    rules: Rules,
}

impl Far {
    fn new(negotiate: Negotiate) -> Self {
        Self { link: Link::default(), rules: Rules { line: 64, negotiate } }
    }

    /// Sends these bytes; returns the results, and the bytes that the client is sent.
    fn sends(&mut self, bytes: impl AsRef<[u8]>) -> (Vec<Heard>, Vec<u8>) {
        let (mut heard, mut replies) = (Vec::new(), Vec::new());
        self.link.push(bytes.as_ref());
        while let Some(one) = self.link.next(self.rules, Mono::default(), &mut replies) {
            heard.push(one);
        }
        (heard, replies)
    }

    /// A client like Debian's telnet on a terminal of 80 by 24, in char mode.
    fn on_a_terminal() -> Self {
        let mut far = Self::new(Negotiate::Auto);
        assert_eq!(far.sends("hi\r\n"), (vec![line("hi")], b"\xff\xfd\x18\xff\xfd\x1f".to_vec()));
        far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
        let (_, replies) = far.sends(b"\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
        assert_eq!(replies, b"", "it is a terminal, and goes on as the one that it has told");
        let mut replies = Vec::new();
        far.link.set_mode(Mode::Char, &mut replies);
        assert_eq!(replies, b"\xff\xfb\x01\xff\xfb\x03");
        let (heard, replies) = far.sends(b"\xff\xfd\x01\xff\xfd\x03");
        assert_eq!(heard, vec![Heard::Mode(Mode::Char)]);
        assert_eq!(replies, [MARK_PASTES, MEASURE.as_bytes()].concat());
        far.link.set_prompt("> ");
        far
    }

    fn shown(&mut self) -> Option<String> {
        let area = self.link.area()??;
        Some(String::from_utf8(area.draw).unwrap())
    }
}

const TERMINAL: Terminal = Terminal {
    cols: 80,
    rows: 24,
    answers: true,
    screen: true,
    read_aloud: false,
    ascii: false,
    colors: Colors::Many,
    usual: false,
};

/// The bytes that measure a terminal's widths of characters, and ask for its kind.
const MEASURE: &str = "\r±×§Жд─●αe\u{301}ก\u{e34}\x1b[6n\x1b[>c\r\x1b[K";

#[test]
fn who_sends_no_telnet_is_sent_none() {
    for bytes in [&b"hi\nho\n"[..], b"hi\r", b"hi\nho\r\n", b"\xc3\xa9\x1b[A\x04\n"] {
        let mut far = Far::new(Negotiate::Auto);
        assert_eq!(far.sends(bytes).1, b"");
        let mut replies = Vec::new();
        far.link.set_mode(Mode::Char, &mut replies);
        far.link.hide(true, &mut replies);
        far.link.close(&mut replies);
        assert_eq!((replies, far.link.area()), (vec![], None));
    }
}

#[test]
fn who_has_shown_to_be_telnet_is_asked_once() {
    let ask = b"\xff\xfd\x18\xff\xfd\x1f";
    let mut far = Far::new(Negotiate::Auto);
    assert_eq!(far.sends("hi\r").1, b"");
    assert_eq!(far.sends("\nho\r\n").1, ask);
    assert_eq!(far.sends("he\r\n").1, b"");
    let mut far = Far::new(Negotiate::Auto);
    assert_eq!(far.sends(b"\xff\xf1").1, [ask, BINARY].concat());
    assert_eq!(far.sends(b"\xff\xf1hi\r\n").1, b"");
    let mut far = Far::new(Negotiate::Never);
    assert_eq!(far.sends(b"\xff\xf1hi\r\n").1, b"");
    let (mut far, mut replies) = (Far::new(Negotiate::Always), Vec::new());
    far.link.ask(Negotiate::Always, &mut replies);
    assert_eq!(replies, ask);
    assert_eq!(far.sends("hi\n").1, b"");
}

/// IAC DO BINARY, which keeps Debian's telnet from taking some characters for its escape key.
const BINARY: &[u8] = b"\xff\xfd\x00";

#[test]
fn binary_is_asked_for_when_a_client_has_shown_to_be_telnet_for_sure() {
    // The ending of its first line is not enough.
    for answer in [&b"\xff\xfb\x18"[..], b"\xff\xfc\x18", b"\xff\xfb\x1f", b"\xff\xf4"] {
        let mut far = Far::new(Negotiate::Auto);
        assert!(!far.sends("hi\r\n").1.ends_with(BINARY));
        assert!(far.sends(answer).1.windows(3).any(|three| three == BINARY), "{answer:?}");
        // The client is asked once, whether it agrees or not.
        for more in [&b"\xff\xfc\x00"[..], b"\xff\xf1", b"\xff\xfc\x1f"] {
            assert!(!far.sends(more).1.windows(3).any(|three| three == BINARY), "{answer:?} {more:?}");
        }
        assert!(far.sends("Н 東\n").0.contains(&line("Н 東")));
    }
    // A client that offers BINARY gets one answer: DO.
    let mut far = Far::new(Negotiate::Auto);
    assert_eq!(far.sends(b"\xff\xfb\x00").1, [BINARY, b"\xff\xfd\x18\xff\xfd\x1f"].concat());
    assert_eq!(far.sends(b"\xff\xfb\x00\xff\xf1").1, b"");
    // With `Negotiate::Never` nobody is asked, but an offer is answered.
    let mut far = Far::new(Negotiate::Never);
    assert_eq!(far.sends(b"\xff\xf1\xff\xf4hi\r\n").1, b"");
    assert_eq!(far.sends(b"\xff\xfb\x00").1, BINARY);
    let (mut far, mut replies) = (Far::new(Negotiate::Always), Vec::new());
    far.link.ask(Negotiate::Always, &mut replies);
    assert!(!replies.ends_with(BINARY));
    assert_eq!(far.sends("hi\n").1, b"");
    assert!(far.sends(b"\xff\xfc\x18").1.ends_with(BINARY));
    // With BINARY, Enter is LF in line mode and CR in char mode.
    let mut far = Far::on_a_terminal();
    assert_eq!(far.sends("one\rtwo\r").0, [line("one"), line("two")]);
}

#[test]
fn who_does_not_answer_is_left_alone_again() {
    let mut far = Far::new(Negotiate::Auto);
    far.sends("hi\r\n");
    assert!(far.link.is_telnet());
    assert_eq!(far.sends("ho\r\n"), (vec![line("ho")], vec![]));
    assert!(!far.link.is_telnet());
    let mut replies = Vec::new();
    far.link.hide(true, &mut replies);
    far.link.set_mode(Mode::Char, &mut replies);
    assert_eq!(replies, b"");
}

#[test]
fn whoever_ends_lines_as_a_terminal_does_is_asked_and_has_a_line_editor() {
    for end in ["\r\n", "\r\0", "\r"] {
        let mut far = Far::new(Negotiate::Auto);
        far.sends(format!("hi{end}"));
        let (heard, replies) = far.sends(format!("ho{end}"));
        assert_eq!(heard, [line("ho")]);
        let asked = b"\xff\xfd\x18\xff\xfd\x1f";
        assert!(replies == asked || end != "\r", "{end:?}: {replies:?}");
        far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0");
        let mut replies = Vec::new();
        far.link.set_mode(Mode::Char, &mut replies);
        assert_eq!(far.sends(b"\xff\xfd\x01\xff\xfd\x03").0.last(), Some(&Heard::Mode(Mode::Char)));
        assert_eq!(far.sends(format!("one{end}two{end}")).0, [line("one"), line("two")]);
    }
}

#[test]
fn who_has_shown_a_terminal_once_has_one() {
    // Further names, as Windows' telnet would tell them if it were asked again.
    let mut far = Far::new(Negotiate::Auto);
    far.sends("hi\r\n");
    far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00ANSI\xff\xf0");
    for name in ["VT52", "SOMETHING", "SOMETHING"] {
        let (heard, replies) = far.sends([b"\xff\xfa\x18\x00", name.as_bytes(), b"\xff\xf0"].concat());
        assert_eq!((heard, replies), (vec![], vec![]), "it is not asked for more, and more is not asked for");
    }
    // A client that tells more names unasked, or is asked again.
    let mut far = Far::new(Negotiate::Auto);
    far.sends("hi\r\n");
    for name in ["XTERM", "VTUNHEARDOF"] {
        far.sends(b"\xff\xfc\x18\xff\xfb\x18");
        far.sends([b"\xff\xfa\x18\x00", name.as_bytes(), b"\xff\xf0"].concat());
    }
    let terminal = far.link.asked.as_ref().map(|asked| asked.terminal);
    assert!(terminal.is_some_and(|terminal| terminal.screen), "{terminal:?}");
}

#[test]
fn what_is_half_typed_is_gone_on_with_whoever_edits_the_line() {
    // Changing to char mode in the middle of a line, a character, a sequence, or a line's ending.
    let begun = || {
        let mut far = Far::new(Negotiate::Auto);
        far.sends("hi\r\n");
        far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM\xff\xf0");
        far.link.set_mode(Mode::Char, &mut Vec::new());
        far.link.set_prompt("> ");
        far
    };
    let keys = b"\xff\xfd\x01\xff\xfd\x03";
    for (before, behind, said) in [
        (&b"hello\r\nwor"[..], &b"ld\r\0"[..], "world"),
        (b"w\xc3", b"\xa9\r\0", "wé"),
        (b"ab\x1b[", b"D!\r\0", "a!b"),
        (b"ab\x1b]11;rgb", b":0/0/0\x07c\r\0", "abc"),
        (b"hello\r", b"\nx\r\0", "x"),
    ] {
        let mut far = begun();
        far.sends(before);
        assert_eq!(far.sends(keys).0, [Heard::Mode(Mode::Char)]);
        assert_eq!(far.sends(behind).0, [line(said)], "{}", before.escape_ascii());
    }
    // A line that is too long already stays too long.
    let mut far = begun();
    far.sends([b'x'; 100]);
    far.sends(keys);
    assert_eq!(far.sends("\r\0").0, [Heard::TooLong { bytes: 100 }]);
    // Changing back because the hub or the client wants it: the draft stays in sight.
    for (before, behind, said) in [
        (&b"wor"[..], &b"ld\r\n"[..], "world"),
        (b"w\xc3", b"\xa9\r\n", "wé"),
        (b"ab\x1b[", b"D!\r\n", "ab!"),
        (b"ab\x1b]11;rgb", b":0/0/0\x07c\r\n", "abc"),
        (b"ab\x02\x12nothing", b"!\r\n", "ab!"),
    ] {
        for by_client in [false, true] {
            let mut far = Far::on_a_terminal();
            far.sends(before);
            let mut replies = Vec::new();
            if by_client {
                replies = far.sends(b"\xff\xfe\x01").1;
                far.sends(b"\xff\xfe\x03");
            } else {
                far.link.set_mode(Mode::Line, &mut replies);
                far.sends(b"\xff\xfe\x01\xff\xfe\x03");
            }
            let shown = String::from_utf8_lossy(&replies).into_owned();
            assert!(shown.contains("> "), "{shown:?}");
            assert!(
                matches!(&far.sends(behind).0[..], [Heard::Line { text, .. }] if text == said),
                "{}",
                before.escape_ascii()
            );
        }
    }
    // The LF of a line whose CR was a key in char mode.
    let mut far = Far::on_a_terminal();
    assert_eq!(far.sends(b"one\r").0, [line("one")]);
    assert_eq!(far.sends(b"\xff\xfe\x01\xff\xfe\x03").0, [Heard::Mode(Mode::Line)]);
    assert_eq!(far.sends(b"\ntwo\r\n").0, [line("two")]);
}

#[test]
fn lines_of_a_paste_behind_one_that_ends_char_mode_are_sent() {
    let mut far = Far::on_a_terminal();
    far.sends("\x1b[200~one\n/mode line\ntwo\nthree\x1b[201~");
    far.link.push(b"\rhalf");
    let (mut heard, mut replies) = (Vec::new(), Vec::new());
    while let Some(one) = far.link.next(far.rules, Mono::default(), &mut replies) {
        if one == line("/mode line") {
            far.link.set_mode(Mode::Line, &mut replies);
        }
        heard.push(one);
    }
    assert_eq!(heard, [line("one"), line("/mode line"), line("two"), line("three")]);
    // A person whose paste is dropped is told so.
    let mut far = Far::on_a_terminal();
    far.sends("\x1b[200~one\ntwo\x1b[201~");
    let (_, replies) = far.sends(b"\xff\xfe\x01");
    assert!(replies.windows(NOT_SENT.len()).any(|part| part == NOT_SENT));
}

#[test]
fn who_goes_over_to_keys_by_themselves_has_a_line_editor_again() {
    // A client that asks for ECHO before we ever did is refused: PuTTY does that at the start.
    let mut far = Far::new(Negotiate::Auto);
    let (_, replies) = far.sends(b"\xff\xfd\x01");
    assert!(replies.starts_with(b"\xff\xfc\x01"), "{replies:?}");
    // Like busybox, which agrees once, and later changes modes by its own menu.
    let mut far = Far::on_a_terminal();
    let mut replies = Vec::new();
    far.link.set_mode(Mode::Line, &mut replies);
    far.sends(b"\xff\xfe\x01\xff\xfe\x03");
    far.link.set_mode(Mode::Char, &mut replies);
    assert_eq!(far.sends(b"\xff\xfe\x01\xff\xfd\x03").0, [Heard::Mode(Mode::Line)]);
    far.sends(b"\xff\xfe\x03");
    let (heard, replies) = far.sends(b"\xff\xfd\x01\xff\xfd\x03");
    assert_eq!(heard, [Heard::Mode(Mode::Char)]);
    assert!(replies.starts_with(b"\xff\xfb\x01\xff\xfb\x03"), "{replies:?}");
    assert_eq!(far.sends("said\r\0").0, [line("said")]);
}

#[test]
fn a_terminal_shows_how_wide_its_characters_are() {
    let mut far = Far::on_a_terminal();
    far.sends("Ж".repeat(60));
    assert_eq!(far.shown().unwrap().matches("\r\n").count(), 1, "as wide as they may be");
    let (heard, _) = far.sends("\x1b[24;11R");
    assert_eq!(heard, [Heard::Terminal(Terminal { usual: true, ..TERMINAL })]);
    assert_eq!(far.shown().unwrap().matches("\r\n").count(), 0);
    // The terminal is measured once.
    assert_eq!(far.sends("\x1b[24;19R").0, []);
    for other in ["\x1b[24;19R", "\x1b[24;12R", "\x1b[1;1R"] {
        let mut far = Far::on_a_terminal();
        assert_eq!(far.sends(other).0, [], "{other:?}");
        assert_eq!(far.sends("\x1b[24;11R").0, [], "{other:?}");
    }
}

#[test]
fn a_terminal_is_known_by_its_name_and_size() {
    let mut far = Far::new(Negotiate::Auto);
    far.sends("hi\r\n");
    let (heard, replies) = far.sends(b"\xff\xfb\x1f\xff\xfb\x18");
    assert_eq!(heard, [Heard::Terminal(Terminal { answers: true, ..Terminal::default() })]);
    let names = b"\xff\xfa\x18\x01\xff\xf0";
    assert_eq!(replies, [BINARY, names].concat(), "it is telnet for sure, and is asked for its names");
    let (heard, _) = far.sends(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
    assert_eq!(heard, [Heard::Terminal(TERMINAL)]);
    let (heard, replies) = far.sends(b"\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0");
    assert_eq!((heard, replies), (vec![], vec![]));
}

#[test]
fn a_mud_client_keeps_its_own_input_line_and_is_told_where_answers_end() {
    let mut far = Far::new(Negotiate::Auto);
    far.sends("hi\r\n");
    far.sends(b"\xff\xfb\x18\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0");
    far.sends(b"\xff\xfa\x18\x00TINTIN++\xff\xf0\xff\xfa\x18\x00xterm-256color\xff\xf0");
    let (heard, replies) = far.sends(b"\xff\xfa\x18\x00MTTS 79\xff\xf0");
    let expected = Terminal { screen: false, read_aloud: true, usual: true, ..TERMINAL };
    assert_eq!(heard, [Heard::Terminal(expected)]);
    assert_eq!(expected.suits(), Mode::Line);
    assert!(replies.ends_with(b"\xff\xfb\x2a\xff\xfb\x19"), "{replies:?}");
    assert_eq!(far.link.answer_mark(), b"");
    far.sends(b"\xff\xfd\x19");
    assert_eq!(far.link.answer_mark(), b"\xff\xef");
    // The client knows CHARSET, but none of our character sets.
    let (_, replies) = far.sends(b"\xff\xfd\x2a");
    assert!(replies.ends_with(b";UTF-8;US-ASCII\xff\xf0"));
    let (heard, _) = far.sends(b"\xff\xfa\x2a\x03\xff\xf0");
    assert_eq!(heard, [Heard::Terminal(Terminal { ascii: true, ..expected })]);
}

#[test]
fn in_char_mode_keys_are_edited_and_what_is_typed_is_drawn() {
    let mut far = Far::on_a_terminal();
    assert_eq!(far.shown().unwrap(), "> ");
    assert_eq!(far.sends("ab\x02x"), (vec![], vec![]));
    assert_eq!(far.shown().unwrap(), "> axb\r> ax");
    assert_eq!(far.shown(), None, "it has not changed since");
    let (heard, replies) = far.sends("\t\x0c\r\0\x04");
    assert_eq!(heard, [Heard::Complete("ax".into()), line("axb"), Heard::Leave]);
    assert_eq!(replies, CLEAR);
    assert_eq!(far.shown().unwrap(), "> ");
    // IP, which Debian's telnet sends for ^C if its user has configured that.
    assert_eq!(far.sends(b"abc\xff\xf4\xff\xfd\x06").0, [Heard::Interrupt]);
    assert_eq!(far.shown(), None);
    // The window becomes narrower.
    far.sends("some words that need two rows");
    let (heard, _) = far.sends(b"\xff\xfa\x1f\x00\x14\x00\x18\xff\xf0");
    assert_eq!(heard, [Heard::Terminal(Terminal { cols: 20, ..TERMINAL })]);
    assert_eq!(far.shown().unwrap(), "> some words that n\r\need two rows");
}

#[test]
fn char_mode_ends_when_either_side_wants_it_and_both_options_go() {
    let mut far = Far::on_a_terminal();
    far.sends("half");
    assert!(far.link.area().unwrap().is_some());
    let mut replies = Vec::new();
    far.link.set_mode(Mode::Line, &mut replies);
    assert_eq!(replies, [MARK_NO_PASTES, b"> half\r\n\xff\xfc\x01\xff\xfc\x03"].concat());
    assert_eq!(far.link.area(), Some(None));
    assert_eq!(far.sends(b"\xff\xfe\x01\xff\xfe\x03 done\r\n"), (vec![line("half done")], vec![]));
    let mut far = Far::on_a_terminal();
    let (heard, replies) = far.sends(b"\xff\xfe\x01");
    assert_eq!(heard, [Heard::Mode(Mode::Line)]);
    assert_eq!(replies, [b"\xff\xfc\x01", MARK_NO_PASTES, b"\xff\xfc\x03"].concat());
}

#[test]
fn who_refuses_one_half_of_char_mode_is_left_in_line_mode() {
    let mut far = Far::on_a_terminal();
    let mut replies = Vec::new();
    far.link.set_mode(Mode::Line, &mut replies);
    far.sends(b"\xff\xfe\x01\xff\xfe\x03");
    replies.clear();
    far.link.set_mode(Mode::Char, &mut replies);
    assert_eq!(replies, b"\xff\xfb\x01\xff\xfb\x03");
    let (heard, replies) = far.sends(b"\xff\xfd\x01\xff\xfe\x03");
    assert_eq!(heard, [Heard::Mode(Mode::Line)]);
    assert_eq!(replies, b"\xff\xfc\x01");
    assert_eq!(far.link.area(), None);
}

#[test]
fn a_password_is_hidden_in_both_modes_and_refusal_is_heard_of() {
    let mut far = Far::on_a_terminal();
    far.sends("half");
    let mut replies = Vec::new();
    far.link.hide(true, &mut replies);
    assert_eq!(far.sends("sesame\r\0").0, [line("sesame")]);
    assert_eq!(far.shown().unwrap(), "(not shown) ");
    far.link.hide(false, &mut replies);
    assert_eq!(far.shown().unwrap(), "> half");
    assert_eq!(replies, b"", "we echo anyway");
    far.link.set_mode(Mode::Line, &mut replies);
    assert_eq!(far.sends(b"\xff\xfe\x01\xff\xfe\x03\r\n").0, [line("half")]);
    replies.clear();
    // In line mode, text is hidden by ECHO alone. The client may then send each key at once, so
    // erasing keys are handled by us.
    far.link.hide(true, &mut replies);
    assert_eq!(replies, b"\xff\xfb\x01");
    assert_eq!(far.sends(b"\xff\xfd\x01sesamy\x7fe\r\n").0, [line("sesame")]);
    replies.clear();
    far.link.hide(false, &mut replies);
    assert_eq!(replies, b"\xff\xfc\x01");
    // Then they are data, and what they erase is gone when the line ends.
    assert_eq!(far.sends(b"\xff\xfe\x01a\x7f\r\n").0, [Heard::Line { text: String::new(), bytes: 3 }]);
    far.link.hide(true, &mut replies);
    assert_eq!(far.sends(b"\xff\xfe\x01").0, [Heard::Shown]);
}

#[test]
fn what_a_terminal_answers_is_not_said_in_lines_either() {
    let mut far = Far::new(Negotiate::Auto);
    assert_eq!(far.sends("a\x1b[Ab\n").0, [Heard::Line { text: "ab".into(), bytes: 6 }]);
    let (heard, _) = far.sends(b"\x1b]11;rgb:0000/0000/0000\x07\x1b[?1;2c\x1b[24;80Rhi\r\n\x1b[[E\r\n\x9b1;5Cok\r\n");
    assert!(
        matches!(&heard[..], [Heard::Line { text: one, .. }, Heard::Line { text: two, .. }, Heard::Line { text: three, .. }]
        if one == "hi" && two.is_empty() && three == "ok"),
        "{heard:?}"
    );
}

#[test]
fn whatever_is_under_way_the_commands_of_telnet_free_the_line() {
    for begun in
        ["\x1b[200~one\rtwo\r", "\x1b[200~one\rtwo\r\x1b[201~", "\x1b]11;rgb", "\x1b[1;", "\x1b", "\u{12}abc", "half"]
    {
        for command in [b"\xff\xf4\xff\xfd\x06", &b"\xff\xf3"[..]] {
            let mut far = Far::on_a_terminal();
            assert_eq!(far.sends(begun).0, []);
            assert_eq!(far.sends(command).0, [Heard::Interrupt]);
            assert_eq!(far.sends("said\r\0").0, [line("said")], "{begun:?}");
        }
    }
}

fn telnet() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(&b"ab\t\r\n\x00\x01\x02\x03\x0c\x12\x1b[\x7f"[..]).prop_map(|byte| vec![byte]),
        3 => (251_u8..255, prop::sample::select(&[0_u8, 1, 3, 6, 24, 25, 31, 34, 42][..]))
            .prop_map(|(verb, option)| vec![255, verb, option]),
        1 => Just(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0".to_vec()),
        1 => Just(b"\xff\xfa\x18\x00xterm\xff\xf0".to_vec()),
        1 => Just(b"\xff\xfa\x18\x00MTTS 15\xff\xf0".to_vec()),
        1 => (236_u8..=255).prop_map(|command| vec![255, command]),
        1 => Just(b"\x1b[200~a\nb\x1b[201~\r".to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// However the bytes are divided into reads, the results and replies are the same. Only news of
    /// the terminal may differ, because it comes when all received bytes are parsed.
    #[test]
    fn any_chunking_of_a_telnet_client_is_heard_alike(
        bytes in telnet(), size in 1_usize..20, char in any::<bool>(), saved in any::<bool>(),
    ) {
        let run = |size: usize| {
            let mut far = if char { Far::on_a_terminal() } else { Far::new(Negotiate::Auto) };
            let (mut heard, mut replies) = (Vec::new(), Vec::new());
            for chunk in bytes.chunks(size) {
                let (some, sent) = far.sends(chunk);
                heard.extend(some.into_iter().filter(|heard| !matches!(heard, Heard::Terminal(_))));
                replies.extend(sent);
                if saved {
                    let text = serde_json::to_string(&far.link).unwrap();
                    far.link = serde_json::from_str(&text).unwrap();
                }
            }
            let terminal = far.link.asked.as_ref().map(|asked| asked.terminal);
            (heard, replies, terminal, far.shown())
        };
        // ^D alone at the end of a read means leaving, so there the division matters.
        prop_assert_eq!(run(usize::MAX), run(size));
    }

    #[test]
    fn any_chunking_is_heard_alike(
        bytes in proptest::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(0xff_u8), Just(0xfd), Just(6), Just(4), any::<u8>()], 0..300),
        size in 1_usize..40,
    ) {
        let pieces: Vec<_> = bytes.chunks(size).collect();
        let (whole, cut) = (listen(&[&bytes]), listen(&pieces));
        prop_assert_eq!(whole.1, cut.1);
        // ^D alone at the end of a read means leaving, so there the division matters; all else is
        // the same.
        if !bytes.contains(&EOT) {
            prop_assert_eq!(whole.0, cut.0);
        }
    }
}
