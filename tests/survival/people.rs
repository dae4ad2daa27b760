//! One client at a time, which waits for each line it expects: for tests that go step by step.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use crate::supervisor::{PATIENCE, Supervisor};

/// A person at the other end of a connection.
pub(crate) struct Person {
    pub(crate) stream: TcpStream,
    bytes: Vec<u8>,
    /// All lines so far, for the report of a failure.
    seen: Vec<String>,
    name: String,
    syncs: u64,
}

impl Person {
    /// Connects, without waiting for a greeting.
    #[track_caller]
    pub(crate) fn knock(supervisor: &Supervisor, name: &str) -> Self {
        Self::on(TcpStream::connect(supervisor.addr).unwrap(), name)
    }

    /// A person at the end of `stream`.
    pub(crate) fn on(stream: TcpStream, name: &str) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, bytes: Vec::new(), seen: Vec::new(), name: name.to_owned(), syncs: 0 }
    }

    /// Connects, waits for the greeting, and takes the name `name`.
    #[track_caller]
    pub(crate) fn come(supervisor: &Supervisor, name: &str) -> Self {
        let mut person = Self::knock(supervisor, name);
        person.greeted();
        person.send(&format!("/nick {name}"));
        // News of somebody who left just before may come in between.
        let renamed = format!("-- you are {name} now");
        person.until(&renamed, |line| line == renamed);
        person
    }

    /// Leaves, and waits for the end of the connection.
    #[track_caller]
    pub(crate) fn leave(mut self) {
        self.send("/quit");
        self.rest();
    }

    #[track_caller]
    pub(crate) fn greeted(&mut self) -> Vec<String> {
        self.until("the end of the greeting", |line| line.starts_with("-- You are "))
    }

    #[track_caller]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    pub(crate) fn hang_up(&mut self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Sends a text on a connection that may be closed already.
    pub(crate) fn try_send(&mut self, text: &str) {
        let _ = self.stream.write_all(text.as_bytes());
    }

    /// The next line; `None` at the end of the stream.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
        self.next().unwrap_or_else(|_| panic!("{} is reset; it has seen {:#?}", self.name, self.last()))
    }

    /// Whether the connection was reset before its first byte came. Waits for one of both.
    pub(crate) fn is_reset_before_the_greeting(&self) -> bool {
        self.stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    }

    /// The next line; `None` at the end of the stream, or if the connection was reset.
    #[track_caller]
    pub(crate) fn line_or_reset(&mut self) -> Option<String> {
        self.next().unwrap_or(None)
    }

    #[track_caller]
    fn next(&mut self) -> Result<Option<String>, ErrorKind> {
        loop {
            if let Some(length) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=length).collect();
                let line = String::from_utf8(line).unwrap_or_else(|error| panic!("{}: {error}", self.name));
                let whole = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("{}: {line:?}", self.name));
                assert!(!whole.chars().any(char::is_control), "{}: {line:?}", self.name);
                self.seen.push(whole.to_owned());
                return Ok(Some(whole.to_owned()));
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    assert!(self.bytes.is_empty(), "{} got half a line: {:?}", self.name, self.bytes);
                    return Ok(None);
                }
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                    return Err(error.kind());
                }
                Err(error) => panic!("{} waits in vain ({error}); it has seen {:#?}", self.name, self.last()),
            }
        }
    }

    fn last(&self) -> &[String] {
        &self.seen[self.seen.len().saturating_sub(20)..]
    }

    /// Reads lines until `is` is true for one; returns that line and those before it.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: &str, is: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let Some(line) = self.line() else {
                panic!("{} expects {wanted:?} and is disconnected; it has seen {:#?}", self.name, self.last())
            };
            let found = is(&line);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }

    /// Reads the next line, which must be `wanted`.
    #[track_caller]
    pub(crate) fn expect(&mut self, wanted: &str) {
        let line = self.line();
        assert_eq!(line.as_deref(), Some(wanted), "what {} sees next, after {:#?}", self.name, self.last());
    }

    /// Reads the next lines, which must be these.
    #[track_caller]
    pub(crate) fn expect_all(&mut self, wanted: &[&str]) {
        wanted.iter().for_each(|line| self.expect(line));
    }

    /// Waits until the hub has handled everything sent so far; returns the lines that came
    /// meanwhile.
    #[track_caller]
    pub(crate) fn sync(&mut self) -> Vec<String> {
        self.syncs += 1;
        let name = format!("sync-{}", self.syncs);
        self.send(&format!("/whois {name}"));
        let mut lines = self.until(&name, |line| line == format!("-- nobody called {name} is connected"));
        lines.pop();
        lines
    }

    /// Waits until the hub has handled everything sent so far; no line may come meanwhile.
    #[track_caller]
    pub(crate) fn quiet(&mut self) {
        let lines = self.sync();
        assert!(lines.is_empty(), "{} sees {lines:#?}", self.name);
    }

    /// All lines up to the end of the stream.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.line()).collect()
    }
}
