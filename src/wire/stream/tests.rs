use std::io::IoSlice;
use std::sync::Arc;

use proptest::prelude::*;

use super::hidden::Hidden;
use super::log::{LINE, Log};
use super::reader::{MAX_PIECES, Reader};
use super::typing::FRAME;
use crate::hub::ignore::Borne;
use crate::hub::message::{Line, Offset, Said, View};
use crate::values::id::SessionId;
use crate::values::terminal::Colors;
use crate::values::time::Wall;
use crate::wire::render;
use crate::wire::terminal::reflow::{self, Width};
use crate::wire::terminal::screen::{self, Area, Size};
use crate::wire::terminal::widths::Widths;

pub(super) fn line(seq: u64, author: u64) -> Arc<Line> {
    let said = if seq % 5 == 4 {
        Said::Joined { nick: format!("n{author}").into() }
    } else {
        Said::Say { nick: format!("n{author}").into(), text: format!("text {seq}").into() }
    };
    Arc::new(Line {
        seq,
        at: Wall(1_000_000),
        author: Some(SessionId(author)),
        said,
        borne: Borne::default(),
        apart: None,
        origin: None,
    })
}

fn rendered(line: &Line, view: View) -> String {
    let mut out = Vec::new();
    render::line(line, view, &mut out);
    String::from_utf8(out).expect("UTF-8")
}

pub(super) fn take(reader: &mut Reader, log: Option<&Log>, most: usize, got: &mut Vec<u8>) -> usize {
    let mut pieces = [IoSlice::new(&[]); MAX_PIECES];
    let (count, owed) = reader.gather(log, &mut pieces);
    let taken = owed.min(most);
    got.extend(pieces[..count].iter().flat_map(|piece| piece.to_vec()).take(taken));
    reader.advance(log, taken);
    taken
}

#[derive(Clone, Debug)]
enum Step {
    Say(u64),
    Tell,
    Take(usize),
    View(bool),
    Quiet(bool),
    Trim,
    Move,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u64..4).prop_map(Step::Say),
        2 => Just(Step::Tell),
        4 => (0_usize..60).prop_map(Step::Take),
        1 => any::<bool>().prop_map(Step::View),
        1 => any::<bool>().prop_map(Step::Quiet),
        1 => Just(Step::Trim),
        1 => Just(Step::Move),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    /// A reader whose socket takes few bytes at a time gets the same bytes as one whose socket
    /// takes everything at once, whatever changes in between.
    #[test]
    fn a_slow_reader_gets_the_same_bytes_as_a_fast_one(steps in steps()) {
        let (mut logs, mut here) = ([Log::default(), Log::default()], 0);
        let me = SessionId(1);
        let mut reader = Reader::new(me);
        reader.enter(&mut logs[0]);
        let (mut expected, mut got) = (String::new(), Vec::new());
        let (mut view, mut quiet) = (View::default(), false);
        for (seq, step) in steps.into_iter().enumerate() {
            let seq = seq as u64;
            let log = &mut logs[here];
            match step {
                Step::Say(author) => {
                    let line = line(seq, author);
                    log.push(line.clone());
                    if author == 1 {
                        reader.said(log);
                    } else if !(quiet && (line.said.is_presence() || author == 3)) {
                        expected.push_str(&rendered(&line, view));
                    }
                }
                Step::Tell => {
                    let text = format!("mail {seq}\r\n");
                    expected.push_str(&text);
                    reader.tell(text.into_bytes().into(), Some(log));
                }
                Step::Take(most) => { take(&mut reader, Some(log), most, &mut got); }
                Step::View(time) => {
                    view = View { time: time.then(|| Offset::parse("+01:00").expect("an offset")), ..View::default() };
                    reader.set_view(view, log);
                }
                Step::Quiet(on) => {
                    quiet = on;
                    // In this test, a quiet reader also ignores session 3.
                    let ignored: Arc<[SessionId]> = if on { Arc::new([SessionId(3)]) } else { Arc::new([]) };
                    reader.hide(Hidden { quiet, ignored, ..Hidden::default() }, log);
                }
                Step::Trim => log.trim_to(reader.next_line()),
                Step::Move => {
                    reader.leave(log);
                    here = 1 - here;
                    reader.enter(&mut logs[here]);
                }
            }
            prop_assert_eq!(reader.mail_bytes(), reader.mail.iter().map(|mail| mail.bytes.remaining().len()).sum::<usize>());
        }
        while take(&mut reader, Some(&logs[here]), 7, &mut got) > 0 {}
        prop_assert!(reader.is_done(Some(&logs[here])));
        prop_assert_eq!(String::from_utf8(got).expect("UTF-8"), expected);
    }
}

const ROWS: u16 = 300;

/// A simulated terminal, and what its screen should show.
struct Terminal {
    oracle: vt100::Parser,
    /// The first bytes of a character that is not complete yet.
    broken: Vec<u8>,
    size: Size,
    lines: String,
    typed: String,
    cursor: usize,
    /// What the terminal has told of its width.
    width: Width,
    /// Bytes of a question that the terminal has received.
    asked: usize,
}

impl Terminal {
    fn process(&mut self, bytes: &[u8]) {
        self.broken.extend_from_slice(bytes);
        let whole = self.broken.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        let rest = self.broken.split_off(whole);
        let bytes = std::mem::replace(&mut self.broken, rest);
        self.oracle.process(&bytes);
        // A question is a frame of its own, but may come in pieces.
        let asked = self.asked + bytes.len();
        self.asked = if reflow::WHERE[self.asked.min(4)..].starts_with(&bytes) { asked % 4 } else { 0 };
        if asked == 4 && self.asked == 0 && reflow::WHERE.ends_with(&bytes) {
            self.width.told += 1;
            self.width.column = self.oracle.screen().cursor_position().1 + 1;
        }
    }

    /// Writes all that is owed, and answers the hub's questions, if the terminal answers any.
    fn settle(&mut self, reader: &mut Reader, log: &mut Log, most: usize) {
        loop {
            let told = self.width.told;
            reader.area(Some(self.area()), Some(log));
            loop {
                let mut got = Vec::new();
                reader.frame(Some(log));
                if take(reader, Some(log), most, &mut got) == 0 {
                    break;
                }
                self.process(&got);
            }
            if told == self.width.told {
                return;
            }
        }
    }

    fn area(&self) -> Area {
        let area = screen::area("lobby> ", &self.typed, self.cursor, self.size);
        Area { width: Width { cols: area.width.cols, ..self.width }, ..area }
    }

    /// The expected screen: a fresh terminal on which the lines and the draft are written once.
    fn model(&self) -> vt100::Parser {
        let known = |number| std::num::NonZero::new(number).expect("a size");
        let mut model = vt100::Parser::new(known(ROWS), known(self.size.cols), 0);
        model.process(self.lines.as_bytes());
        model.process(&self.area().draw);
        model
    }
}

#[derive(Clone, Debug)]
enum Key {
    Say(u64),
    Tell,
    Type(String, usize),
    Take(usize),
    Resize(u16),
    Redraw,
    Move,
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let key = prop_oneof![
        4 => (0_u64..4).prop_map(Key::Say),
        2 => Just(Key::Tell),
        4 => ("([a-z ]|日|é|e\u{301}|👩\u{200D}👩){0,60}", 0_usize..60).prop_map(|(text, at)| Key::Type(text, at)),
        4 => (0_usize..90).prop_map(Key::Take),
        2 => (20_u16..100).prop_map(Key::Resize),
        1 => Just(Key::Redraw),
        1 => Just(Key::Move),
    ];
    proptest::collection::vec(key, 0..60)
}

proptest! {
    /// After any typing, new lines, resizing and partial writes, the screen looks as if all lines
    /// had been written before anything was typed.
    #[test]
    fn typing_and_lines_never_tear_each_other(keys in keys(), before in 0_usize..40, answers in any::<bool>()) {
        let known = |number| std::num::NonZero::new(number).expect("a size");
        let (mut logs, mut here) = ([Log::default(), Log::default()], 0);
        let mut reader = Reader::new(SessionId(1));
        reader.enter(&mut logs[0]);
        let size = Size { cols: 80, rows: 24, widths: Widths::Usual };
        let oracle = vt100::Parser::new(known(ROWS), known(80), 0);
        let width = Width { answers, ..Width::default() };
        let (lines, typed) = (String::new(), String::new());
        let mut screen = Terminal { oracle, broken: Vec::new(), size, lines, typed, cursor: 0, width, asked: 0 };
        // A line that may be half written when typing begins.
        logs[0].push(line(0, 2));
        screen.lines.push_str(&rendered(&line(0, 2), View::default()));
        let mut got = Vec::new();
        take(&mut reader, Some(&logs[0]), before, &mut got);
        screen.process(&got);
        reader.area(Some(screen.area()), Some(&mut logs[0]));
        for (seq, key) in keys.into_iter().enumerate() {
            let seq = seq as u64 + 1;
            let write = |screen: &mut Terminal, reader: &mut Reader, log: &Log, most: usize| {
                let mut got = Vec::new();
                reader.frame(Some(log));
                let taken = take(reader, Some(log), most, &mut got);
                screen.process(&got);
                taken
            };
            let log = &mut logs[here];
            match key {
                Key::Say(author) => {
                    let line = line(seq, author);
                    log.push(line.clone());
                    if author == 1 {
                        reader.said(log);
                    }
                    // The client is not shown its own arrivals and departures; its own speech is
                    // shown, in place of the draft.
                    if author != 1 || line.said.is_speech() {
                        screen.lines.push_str(&rendered(&line, View::default()));
                    }
                }
                Key::Tell => {
                    let text = format!("mail {seq}\r\n");
                    screen.lines.push_str(&text);
                    reader.tell(text.into_bytes().into(), Some(log));
                }
                Key::Type(text, at) => {
                    screen.cursor = (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
                    screen.typed = text;
                    reader.area(Some(screen.area()), Some(log));
                }
                Key::Take(most) => { write(&mut screen, &mut reader, log, most); }
                Key::Resize(cols) => {
                    // Bytes on their way were laid out for the former size, so they are written
                    // first.
                    screen.settle(&mut reader, log, 9);
                    screen.size.cols = cols;
                    screen.oracle.screen_mut().set_size(known(ROWS), known(cols));
                    reader.area(Some(screen.area()), Some(log));
                }
                Key::Redraw => {
                    reader.tell(b"\x1b[H\x1b[2J".to_vec().into(), Some(log));
                    screen.lines.clear();
                }
                Key::Move => {
                    reader.leave(log);
                    here = 1 - here;
                    reader.enter(&mut logs[here]);
                }
            }
            let log = &mut logs[here];
            if seq.is_multiple_of(7) {
                screen.settle(&mut reader, log, 50);
                prop_assert!(reader.is_done(Some(log)) && !reader.has_due(Some(log)));
                let model = screen.model();
                prop_assert_eq!(screen.oracle.screen().contents(), model.screen().contents());
                prop_assert_eq!(screen.oracle.screen().cursor_position(), model.screen().cursor_position());
            }
        }
        // Back in line mode, nothing is left of the draft.
        let log = &mut logs[here];
        reader.area(None, Some(log));
        let mut got = Vec::new();
        while take(&mut reader, Some(log), 11, &mut got) > 0 {}
        screen.process(&got);
        let mut model = vt100::Parser::new(known(ROWS), known(screen.size.cols), 0);
        model.process(screen.lines.as_bytes());
        prop_assert_eq!(screen.oracle.screen().contents(), model.screen().contents());
        prop_assert_eq!(screen.oracle.screen().cursor_position(), model.screen().cursor_position());
    }
}

/// An order that is applied to a reader, and can be applied again in a replay.
#[derive(Clone, Debug)]
enum Order {
    Say(u64),
    Tell,
    Type(Option<String>),
    Hold(bool),
    Release,
    View(bool),
}

fn orders() -> impl Strategy<Value = Vec<(Order, Vec<usize>)>> {
    let order = prop_oneof![
        5 => (0_u64..4).prop_map(Order::Say),
        2 => Just(Order::Tell),
        4 => "[a-z ]{0,40}".prop_map(|text| Order::Type(Some(text))),
        1 => Just(Order::Type(None)),
        1 => any::<bool>().prop_map(Order::Hold),
        1 => Just(Order::Release),
        1 => any::<bool>().prop_map(Order::View),
    ];
    // Each order, with the bytes that the socket takes in each write after it.
    proptest::collection::vec((order, proptest::collection::vec(0_usize..60, 0..4)), 0..60)
}

fn apply(order: &Order, seq: u64, reader: &mut Reader, log: &mut Log) {
    let size = Size { cols: 40, rows: 24, widths: Widths::Usual };
    match order {
        Order::Say(author) => {
            log.push(line(seq, *author));
            if *author == 1 {
                reader.said(log);
            }
        }
        Order::Tell => reader.tell(format!("mail {seq}\r\n").into_bytes().into(), Some(log)),
        Order::Type(text) => {
            let area = text.as_ref().map(|text| screen::area("> ", text, text.len(), size));
            reader.area(area, Some(log));
        }
        Order::Hold(on) => reader.hold(*on, Some(log)),
        Order::Release => reader.release(Some(log)),
        Order::View(colors) => {
            let colors = if *colors { Colors::Many } else { Colors::None };
            reader.set_view(View { colors, width: 32, ..View::default() }, log);
        }
    }
}

/// All bytes that are still owed; frames are composed as they are needed.
fn drained(reader: &mut Reader, log: &Log) -> Vec<u8> {
    let mut rest = Vec::new();
    loop {
        reader.frame(Some(log));
        if take(reader, Some(log), 100, &mut rest) == 0 {
            return rest;
        }
    }
}

proptest! {
    /// A process that takes over starts from a saved reader, applies the same orders, composes
    /// frames at the same moments, and passes over the bytes that were taken. It then goes on with
    /// the very next byte.
    #[test]
    fn a_process_that_takes_over_goes_on_with_the_next_byte(orders in orders(), kept_at in 0_usize..60) {
        let (mut log, mut reader) = (Log::default(), Reader::new(SessionId(1)));
        reader.enter(&mut log);
        let (mut got, mut frames) = (Vec::new(), Vec::new());
        let mut kept = None;
        for (at, (order, writes)) in orders.iter().enumerate() {
            if at == kept_at {
                kept = Some((serde_json::to_vec(&(&log, &reader)).expect("plain values"), got.len()));
            }
            apply(order, at as u64, &mut reader, &mut log);
            for most in writes {
                if reader.needs_frame(Some(&log)) {
                    frames.push((at, got.len()));
                    reader.frame(Some(&log));
                }
                take(&mut reader, Some(&log), *most, &mut got);
            }
        }
        let Some((kept, mut sent)) = kept else { return Ok(()) };
        let (mut log_again, mut again): (Log, Reader) = serde_json::from_slice(&kept).expect("what was kept");
        again.resume(Some(&mut log_again), render::missed).expect("it fits");
        let pass_over = |reader: &mut Reader, log: &Log, sent: &mut usize| {
            while *sent < got.len() {
                let mut bytes = Vec::new();
                let taken = take(reader, Some(log), got.len() - *sent, &mut bytes);
                assert_eq!(bytes, got[*sent..*sent + taken]);
                *sent += taken;
                if taken == 0 {
                    break;
                }
            }
        };
        for (at, (order, _)) in orders.iter().enumerate().skip(kept_at) {
            apply(order, at as u64, &mut again, &mut log_again);
            for (_, place) in frames.iter().filter(|(order, _)| *order == at) {
                pass_over(&mut again, &log_again, &mut sent);
                prop_assert_eq!(sent, *place);
                prop_assert!(again.needs_frame(Some(&log_again)));
                again.frame(Some(&log_again));
            }
        }
        pass_over(&mut again, &log_again, &mut sent);
        prop_assert_eq!(sent, got.len());
        reader.hold(false, Some(&log));
        again.hold(false, Some(&log_again));
        prop_assert_eq!(drained(&mut again, &log_again), drained(&mut reader, &log));
    }
}

#[test]
fn a_burst_is_drawn_around_once_and_typing_on_sends_one_key() {
    let mut log = Log::default();
    let mut reader = Reader::new(SessionId(1));
    reader.enter(&mut log);
    let size = Size { cols: 80, rows: 24, widths: Widths::Usual };
    let area = |typed: &str| screen::area("> ", typed, typed.len(), size);
    let write = |reader: &mut Reader, log: &Log| {
        let mut got = Vec::new();
        reader.frame(Some(log));
        take(reader, Some(log), usize::MAX, &mut got);
        String::from_utf8(got).expect("UTF-8")
    };
    reader.area(Some(area("a")), Some(&mut log));
    assert_eq!(write(&mut reader, &log), "\r\x1b[J> a");
    reader.area(Some(area("ab")), Some(&mut log));
    assert_eq!(write(&mut reader, &log), "b");
    for seq in [0, 1, 2] {
        log.push(line(seq, 2));
    }
    assert_eq!(write(&mut reader, &log), "\r\x1b[Jn2: text 0\r\nn2: text 1\r\nn2: text 2\r\n> ab");
    assert_eq!(write(&mut reader, &log), "");
    // A frame is bounded however much is owed, and ends behind a whole line.
    for seq in 0..10_000 {
        log.push(line(seq * 5, 2));
    }
    let frame = write(&mut reader, &log);
    assert!(frame.len() < FRAME + 100, "{}", frame.len());
    assert!(frame.ends_with("\r\n> ab"));
    while !write(&mut reader, &log).is_empty() {}
    assert!(reader.is_done(Some(&log)));
}

#[test]
fn what_is_held_back_comes_when_it_is_released() {
    let mut log = Log::default();
    let mut reader = Reader::new(SessionId(1));
    reader.enter(&mut log);
    let mut got = Vec::new();
    log.push(line(0, 2));
    reader.hold(true, Some(&log));
    log.push(line(1, 2));
    reader.tell(b"later\r\n".to_vec().into(), Some(&log));
    log.push(line(2, 2));
    while take(&mut reader, Some(&log), 7, &mut got) > 0 {}
    assert_eq!(std::mem::take(&mut got), b"n2: text 0\r\n");
    assert!(!reader.has_due(Some(&log)) && !reader.is_done(Some(&log)));
    reader.release(Some(&log));
    assert!(reader.has_due(Some(&log)));
    reader.tell(b"even later\r\n".to_vec().into(), Some(&log));
    while take(&mut reader, Some(&log), 7, &mut got) > 0 {}
    assert_eq!(std::mem::take(&mut got), b"n2: text 1\r\nlater\r\nn2: text 2\r\n");
    log.push(line(3, 2));
    reader.hold(false, Some(&log));
    while take(&mut reader, Some(&log), 7, &mut got) > 0 {}
    assert_eq!(got, b"even later\r\nn2: text 3\r\n");
}

#[test]
fn who_is_too_far_behind_is_told_and_no_line_is_torn() {
    let mut log = Log::default();
    let mut reader = Reader::new(SessionId(1));
    reader.enter(&mut log);
    for seq in 0..100 {
        log.push(line(seq * 5, 2));
    }
    let mut got = Vec::new();
    // The socket takes bytes up to the middle of the third line.
    take(&mut reader, Some(&log), 12 + 12 + 5, &mut got);
    let limit = 16 * (LINE + 13);
    assert!(log.is_over(limit));
    let to = log.first_for(&reader, limit);
    let missed = reader.skip(to, &log, render::missed);
    log.trim_to(to);
    assert!(!log.is_over(limit) && log.weight() > limit - 2 * LINE, "{}", log.weight());
    assert_eq!(missed, to - 3);
    while take(&mut reader, Some(&log), 50, &mut got) > 0 {}
    let got = String::from_utf8(got).expect("UTF-8");
    let lines: Vec<_> = got.split("\r\n").collect();
    assert_eq!(lines[2], "n2: text 10", "the line that was under way is whole");
    assert_eq!(lines[3], format!("-- you missed {missed} lines"));
    assert_eq!(lines[4], format!("n2: text {}", log.first() * 5));
    assert_eq!(lines.last(), Some(&""));
    assert_eq!(lines[lines.len() - 2], "n2: text 495");
}

#[test]
fn what_is_hidden_from_a_reader_is_not_missed() {
    let mut log = Log::default();
    let mut reader = Reader::new(SessionId(1));
    reader.enter(&mut log);
    for (seq, author) in [(0, 1), (1, 2), (2, 1), (3, 2), (5, 2), (6, 1)] {
        log.push(line(seq, author));
        if author == 1 {
            reader.said(&log);
        }
    }
    let missed = reader.skip(3, &log, render::missed);
    log.trim_to(3);
    assert_eq!(missed + reader.skip(5, &log, render::missed), 3);
    log.trim_to(5);
    let mut got = Vec::new();
    take(&mut reader, Some(&log), usize::MAX, &mut got);
    assert_eq!(got, b"-- you missed 3 lines\r\n");
    assert!(reader.is_done(Some(&log)));
}
