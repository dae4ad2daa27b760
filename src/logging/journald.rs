//! Events to the journal (systemd-journald(8), "Native Journal Protocol"), by a socket on which nobody waits: a journal
//! that hangs is to hold up nobody who logs.
//!
//! What the journal does not take now is kept, up to a bound, and goes before the next event, or with the next
//! [`flush`]; what is beyond the bound is lost and counted.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where the journal listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// The bytes that are kept of what the journal does not take, and the number of entries.
const KEPT: (usize, usize) = (1 << 20, 4096);

/// The longest value of a field, in bytes: what is longer is cut. A datagram can have some 200 KiB (net.core.wmem_default).
const LONGEST: usize = 64 * 1024;

/// Entries that the journal has not taken, and that were not kept.
static LOST: AtomicU64 = AtomicU64::new(0);

/// The one way to the journal of this process.
static JOURNALD: OnceLock<Mutex<Sending>> = OnceLock::new();

/// How many entries were lost since the start.
pub(super) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// Sends what is kept, as far as the journal takes it now.
pub fn flush() {
    if let Some(sending) = JOURNALD.get() {
        sending.lock().unwrap_or_else(PoisonError::into_inner).flush();
    }
}

/// Entries on their way.
struct Sending {
    socket: UnixDatagram,
    to: Box<Path>,
    identifier: &'static str,
    kept: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lost since the journal has last taken something, and not told yet.
    untold: u64,
}

impl Sending {
    /// # Errors
    /// If nobody listens there.
    fn new(to: &Path, identifier: &'static str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        // An empty entry is one that the journal passes over.
        match socket.send_to(&[], to) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        Ok(Self { socket, to: to.into(), identifier, kept: VecDeque::new(), bytes: 0, untold: 0 })
    }

    fn send(&mut self, entry: Vec<u8>) {
        self.bytes += entry.len();
        self.kept.push_back(entry);
        self.flush();
        if (self.bytes > KEPT.0 || self.kept.len() > KEPT.1)
            && let Some(newest) = self.kept.pop_back()
        {
            self.bytes -= newest.len();
            self.untold += 1;
            LOST.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&mut self) {
        while let Some(entry) = self.kept.front() {
            match self.socket.send_to(entry, &self.to) {
                Ok(_) => {}
                // It is full, or the journal starts anew: systemd keeps its socket meanwhile, or makes it again.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock
                            | ErrorKind::Interrupted
                            | ErrorKind::NotFound
                            | ErrorKind::ConnectionRefused
                    ) =>
                {
                    return;
                }
                // It will never be taken.
                Err(_) => drop(LOST.fetch_add(1, Ordering::Relaxed)),
            }
            self.bytes -= entry.len();
            self.kept.pop_front();
        }
        let untold = std::mem::take(&mut self.untold);
        if untold > 0 {
            let text = format!("the journal took nothing for a while: {untold} entries of before are lost");
            let mut entry = Entry::new(&Level::WARN, self.identifier);
            entry.field("MESSAGE", &text);
            self.bytes += entry.0.len();
            self.kept.push_back(entry.0);
            self.flush();
        }
    }
}

/// The layer that sends events to the journal.
pub(super) struct Journald {
    identifier: &'static str,
}

impl Journald {
    /// Under the name of this program.
    ///
    /// # Errors
    /// If there is no journal.
    pub(super) fn new(identifier: &'static str) -> io::Result<Self> {
        let sending = Sending::new(Path::new(SOCKET), identifier)?;
        // There is one already only in a test.
        let _ = JOURNALD.set(Mutex::new(sending));
        Ok(Self { identifier })
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut entry = Entry::new(metadata.level(), self.identifier);
        entry.field("TARGET", metadata.target());
        if let Some(file) = metadata.file() {
            entry.field("CODE_FILE", file);
        }
        if let Some(line) = metadata.line() {
            entry.field("CODE_LINE", line);
        }
        event.record(&mut entry);
        if let Some(sending) = JOURNALD.get() {
            sending.lock().unwrap_or_else(PoisonError::into_inner).send(entry.0);
        }
    }
}

/// An entry as the journal takes it: for each field its name, a newline, the length of the value in eight bytes, the
/// value, a newline.
struct Entry(Vec<u8>);

impl Entry {
    fn new(level: &Level, identifier: &str) -> Self {
        let priority = match *level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            _ => 7,
        };
        let mut entry = Self(Vec::with_capacity(512));
        entry.field("PRIORITY", priority);
        entry.field("SYSLOG_IDENTIFIER", identifier);
        entry
    }

    fn field(&mut self, name: &str, value: impl fmt::Display) {
        // Names of the journal are upper case; ours have nothing else in them that it does not take.
        self.0.extend(name.bytes().map(|byte| byte.to_ascii_uppercase()));
        self.0.push(b'\n');
        let length = self.0.len();
        self.0.extend_from_slice(&[0; 8]);
        let _ = write!(Text { to: &mut self.0, left: LONGEST }, "{value}");
        let written = (self.0.len() - length - 8) as u64;
        self.0[length..length + 8].copy_from_slice(&written.to_le_bytes());
        self.0.push(b'\n');
    }
}

/// Text that is appended to bytes, as far as it is not too long.
struct Text<'a> {
    to: &'a mut Vec<u8>,
    left: usize,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut end = text.len().min(self.left);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.left -= end;
        self.to.extend_from_slice(&text.as_bytes()[..end]);
        Ok(())
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.field(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.field(field.name(), format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    fn journal() -> (TempDir, PathBuf, UnixDatagram) {
        let dir = TempDir::new().expect("a directory");
        let path = dir.path().join("socket");
        let journal = UnixDatagram::bind(&path).expect("a socket");
        journal.set_nonblocking(true).expect("it can be read without waiting");
        (dir, path, journal)
    }

    fn entry(text: &str) -> Vec<u8> {
        let mut entry = Entry::new(&Level::INFO, "chathub");
        entry.field("MESSAGE", text);
        entry.0
    }

    /// The texts of all entries that have come.
    fn read(journal: &UnixDatagram) -> Vec<String> {
        let mut buffer = vec![0; 2 * LONGEST];
        let mut texts = Vec::new();
        while let Ok(length) = journal.recv(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            texts.extend(text.rsplit_once("MESSAGE\n").map(|(_, rest)| rest[8..].trim_end().to_owned()));
        }
        texts
    }

    #[test]
    fn an_entry_is_as_the_protocol_has_it() {
        let mut entry = Entry(Vec::new());
        entry.field("message", "two\nlines");
        assert_eq!(entry.0, b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n");
        // It ends with a whole character.
        let mut entry = Entry(Vec::new());
        entry.field("MESSAGE", "\u{20ac}".repeat(LONGEST));
        assert!(entry.0.len() <= LONGEST + 17 && entry.0.ends_with("\u{20ac}\n".as_bytes()));
    }

    #[test]
    fn a_journal_that_reads_nothing_is_not_waited_for_and_gets_in_order_what_was_kept() {
        let (_dir, path, journal) = journal();
        let mut sending = Sending::new(&path, "chathub").expect("somebody listens");
        let mut sent = 0;
        while sending.kept.len() < 100 {
            sending.send(entry(&format!("entry {sent}")));
            sent += 1;
        }
        let mut seen = Vec::new();
        while !sending.kept.is_empty() {
            seen.extend(read(&journal));
            sending.flush();
        }
        seen.extend(read(&journal));
        let all: Vec<_> = (0..sent).map(|number| format!("entry {number}")).collect();
        assert_eq!(seen, all);
    }

    #[test]
    fn what_is_beyond_the_bound_is_lost_counted_and_told() {
        let (_dir, path, journal) = journal();
        let mut sending = Sending::new(&path, "chathub").expect("somebody listens");
        let long = "x".repeat(10_000);
        while sending.untold < 3 {
            sending.send(entry(&long));
            assert!(sending.bytes <= KEPT.0, "{}", sending.bytes);
        }
        let mut seen = Vec::new();
        while !sending.kept.is_empty() {
            seen.extend(read(&journal));
            sending.flush();
        }
        seen.extend(read(&journal));
        let (last, others) = seen.split_last().expect("some have come");
        assert!(others.iter().all(|text| *text == long) && last.contains("3 entries of before are lost"), "{last}");
        assert!(lost() >= 3);
    }

    #[test]
    fn a_journal_that_starts_anew_gets_what_was_said_meanwhile() {
        let (_dir, path, first) = journal();
        let mut sending = Sending::new(&path, "chathub").expect("somebody listens");
        drop(first);
        sending.send(entry("while nobody listens"));
        std::fs::remove_file(&path).expect("it is there");
        sending.send(entry("while there is no socket"));
        let again = UnixDatagram::bind(&path).expect("a socket");
        again.set_nonblocking(true).expect("it can be read without waiting");
        sending.send(entry("after it"));
        assert_eq!(read(&again), ["while nobody listens", "while there is no socket", "after it"]);
        assert!(Sending::new(Path::new("/nowhere"), "chathub").is_err());
    }
}
