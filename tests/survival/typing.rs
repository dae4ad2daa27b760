//! A person who types on a terminal, with our line editor, finds the typed line unchanged after a
//! death.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt as _;

use nix::sys::signal::Signal;

use crate::load::settings;
use crate::people::Person;
use crate::supervisor::{PATIENCE, Plan, Supervisor};

const ROWS: u16 = 500;
const COLS: u16 = 80;

/// A telnet client with a terminal.
struct Typist {
    stream: TcpStream,
    screen: vt100::Parser,
    /// The bytes of an incomplete character or telnet command.
    broken: Vec<u8>,
}

impl Typist {
    fn come(supervisor: &Supervisor) -> Self {
        let stream = TcpStream::connect(supervisor.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let known = |number| NonZero::new(number).unwrap();
        let mut typist = Self { stream, screen: vt100::Parser::new(known(ROWS), known(COLS), 0), broken: Vec::new() };
        typist.write(b"/nick typist\r\n");
        typist.shows("the editor", |rows| rows.last().is_some_and(|row| row == "lobby>"));
        typist
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// The rows of the screen that are not empty.
    fn rows(&self) -> Vec<String> {
        let text = self.screen.screen().contents();
        text.trim_end().lines().map(|row| row.trim_end().to_owned()).collect()
    }

    #[track_caller]
    fn shows(&mut self, what: &str, is_right: impl Fn(&[String]) -> bool) -> Vec<String> {
        while !is_right(&self.rows()) {
            let mut bytes = [0; 4096];
            let count = self.stream.read(&mut bytes).unwrap_or(0);
            assert!(count > 0, "waits in vain for {what}:\n{}", self.rows().join("\n"));
            self.broken.extend_from_slice(&bytes[..count]);
            self.draw();
        }
        self.rows()
    }

    /// Draws the output that has come, answers telnet commands, and keeps incomplete ones.
    fn draw(&mut self) {
        loop {
            let at = self.broken.iter().position(|byte| *byte == 0xff).unwrap_or(self.broken.len());
            let text = &self.broken[..at];
            let whole = text.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
            self.screen.process(&text[..whole]);
            let command = &self.broken[at..];
            let len = match command {
                [_, 250, rest @ ..] => rest.iter().position(|byte| *byte == 240).map(|end| end + 3),
                [_, 251..=254, _, ..] => Some(3),
                [_, 0..=249 | 255, ..] => Some(2),
                _ => None,
            };
            match len.filter(|_| whole == at) {
                Some(len) => {
                    let command: Vec<_> = self.broken.drain(..at + len).skip(at).collect();
                    match &command[1..] {
                        [253, 24] => self.write(b"\xff\xfb\x18"),
                        [253, 31] => self.write(b"\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"),
                        [250, 24, 1, ..] => self.write(b"\xff\xfa\x18\x00XTERM\xff\xf0"),
                        [251, option @ (1 | 3)] => self.write(&[255, 253, *option]),
                        _ => {}
                    }
                }
                None => return drop(self.broken.drain(..whole)),
            }
        }
    }
}

#[test]
fn what_is_typed_and_what_is_on_the_screen_outlive_every_death() {
    let supervisor = Plan::new(&settings(), 1).env("CHATHUB_TAPE", "4000").start();
    let mut typist = Typist::come(&supervisor);
    let mut bob = Person::come(&supervisor, "bob");
    let head = typist.shows("bob", |rows| rows.iter().any(|row| row.contains("is now bob"))).len() - 1;
    let (mut expected, mut typed) = (Vec::new(), String::new());
    for round in 0..60 {
        for number in 0..round % 5 {
            let text = format!("line {number} of round {round}");
            bob.send(&text);
            expected.push(format!("bob: {text}"));
        }
        let keys = ["a", "日", "\x7f", "b ", "\x01x\x05", "e\u{301}"][round % 6];
        typist.write(keys.as_bytes());
        match keys {
            "\x7f" => drop(typed.pop()),
            "\x01x\x05" => typed.insert(0, 'x'),
            keys => typed.push_str(keys),
        }
        if round % 3 == 0 {
            // A part of the keys is still on its way.
            assert_eq!(supervisor.replace(Signal::SIGKILL).signal(), Some(Signal::SIGKILL as i32));
        }
    }
    bob.send("the end");
    expected.push("bob: the end".to_owned());
    // A row has one column less than the terminal.
    let prompt = format!("lobby> {typed}");
    let rows = typist.shows("the end", |rows| {
        rows.contains(expected.last().unwrap()) && rows.last().is_some_and(|row| prompt.ends_with(row.trim()))
    });
    let said: Vec<_> = rows[head..].iter().filter(|row| row.starts_with("bob: ")).cloned().collect();
    assert_eq!(said, expected, "each line once, whole, in order:\n{}", rows.join("\n"));
    let rest: String = rows[head..].iter().filter(|row| !row.starts_with("bob: ")).cloned().collect();
    assert_eq!(rest, prompt, "and what is typed:\n{}", rows.join("\n"));
    typist.write(b"\r\0");
    bob.expect(&format!("typist: {typed}"));
}
