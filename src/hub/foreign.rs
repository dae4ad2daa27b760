//! Programs that take the hub for another kind of server: their first lines are not said, and they
//! are disconnected.
//!
//! A port on the Internet is found by scanners within hours, by browsers through a link, and by IRC
//! clients through a mistake. A web page can even make its visitors' browsers send chosen text,
//! line by line, to any port that accepts it. So no such first line may reach a room.

use super::message::{Farewell, Message};
use super::{Hub, Turn};
use crate::values::id::SessionId;

/// The number of a client's first lines that may be the beginning of another protocol. IRC clients
/// begin with up to four lines, the first of which the hub takes for slips (`NICK ann`).
const FIRST_LINES: u64 = 4;

/// Whether a line is one by which a client of another protocol begins, and which nobody types to say something: of
/// HTTP, RTSP and SIP (`GET / HTTP/1.1`), SSH, SMTP, IMAP, IRC, VNC or rsync, or of a proxy in front of the hub.
#[must_use]
pub fn is_foreign(line: &str) -> bool {
    let line = line.trim_end();
    if !line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '@') {
        return false;
    }
    let mut words = line.split(' ');
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let third = words.next();
    let is_verb = first.len() > 1 && first.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    match (first, third) {
        ("EHLO" | "HELO", None) => !second.is_empty(),
        (tag, _) if is_tag(tag) && matches!(second, "CAPABILITY" | "LOGIN" | "AUTHENTICATE" | "STARTTLS") => true,
        ("CAP", _) => matches!(second, "LS" | "LIST" | "REQ" | "END"),
        ("RFB", None) => second.starts_with(|c: char| c.is_ascii_digit()),
        ("@RSYNCD:", _) => true,
        // A proxy that was pointed at the port for people.
        ("PROXY", _) => matches!(second, "TCP4" | "TCP6" | "UNKNOWN"),
        // USER NAME MODE UNUSED :REAL NAME
        ("USER", Some(_)) => words.next().is_some() && words.next().is_some_and(|name| name.starts_with(':')),
        (_, Some(version)) if is_verb => words.next().is_none() && is_version(version),
        _ => first.starts_with("SSH-1.") || first.starts_with("SSH-2."),
    }
}

/// Whether a line is one by which a client begins that speaks in data: `{"method": ...`, as of miners; `<?xml ...` and
/// `<stream:stream ...`, as of XMPP. People show each other such lines, but not as the first thing that they say.
fn is_data(line: &str) -> bool {
    let is_call = || line.starts_with("{\"") && line.contains("\"method\"") && line.contains(':');
    line.starts_with("<?xml ") || line.starts_with("<stream:stream ") || is_call()
}

/// What begins a command of IMAP: `a1`, `A0001`.
fn is_tag(word: &str) -> bool {
    word.len() < 7 && word.len() > 1 && word[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// `HTTP/1.1`, `RTSP/1.0`, `SIP/2.0`.
fn is_version(word: &str) -> bool {
    let Some((protocol, version)) = word.split_once('/') else { return false };
    (3..=5).contains(&protocol.len())
        && protocol.bytes().all(|byte| byte.is_ascii_uppercase())
        && version.starts_with(|c: char| c.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

impl Hub {
    /// Whether `line`, which `id` has just sent, begins another protocol.
    pub(super) fn speaks_another_protocol(&self, id: SessionId, line: &str) -> bool {
        let Some(session) = self.people.sessions.get(&id) else { return false };
        session.lines <= FIRST_LINES && (is_foreign(line) || (session.lines == 1 && is_data(line)))
    }
}

impl Turn<'_> {
    /// Disconnects a client whose program speaks another protocol.
    pub(super) fn see_off_foreign(&mut self, id: SessionId) {
        if self.hub.people.sessions.contains_key(&id) {
            self.hub.counters.no_chat += 1;
            self.tell(id, Message::Goodbye(Farewell::NoChat));
            self.depart(id, Farewell::NoChat);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_of_other_programs_are_recognised() {
        for line in [
            "GET / HTTP/1.1",
            "POST /join HTTP/1.0",
            "PRI * HTTP/2.0",
            "M-SEARCH * HTTP/1.1",
            "OPTIONS sip:nm SIP/2.0",
            "OPTIONS / RTSP/1.0",
            "SSH-2.0-OpenSSH_9.2",
            "SSH-1.99-Go",
            "EHLO mail.example.org",
            "CAP LS 302",
            "CAP LS",
            "USER ann 0 * :Ann Example",
            "USER ann ann localhost :ann",
            "RFB 003.008",
            "@RSYNCD: 31.0",
            "PROXY TCP4 192.0.2.1 192.0.2.2 50312 6969",
            "PROXY UNKNOWN",
            "a1 CAPABILITY",
            "A0001 LOGIN ann sesame",
            "<?xml version='1.0'?><stream:stream to='example.org'>",
            "{\"id\": 1, \"method\": \"mining.subscribe\", \"params\": []}",
        ] {
            assert!(is_foreign(line) || is_data(line), "{line}");
        }
    }

    #[test]
    fn ordinary_talk_is_not_taken_for_another_program() {
        for line in [
            "",
            "hello",
            "GET / HTTP/1.1 gives me 500",
            "GET it",
            "I speak HTTP/1.1",
            "ICH MAG TCP/IP",
            "A B C/1",
            "SSH is down",
            "SSH-2 or SSH-1?",
            "EHLO",
            "HELO my friends",
            "USER ann is gone",
            "PROXY is down",
            "USER a b c d",
            "CAP that",
            "USE HTTP/2",
            "/msg bob GET / HTTP/1.1",
            "@bob: hi",
            "Host: example.org",
            "b2 login is broken",
            "<3",
            "<?xml",
            "{\"a\": 1} is valid",
        ] {
            assert!(!is_foreign(line) && !is_data(line), "{line}");
        }
    }
}
