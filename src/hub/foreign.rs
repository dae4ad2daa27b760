//! Programs that take the hub for another kind of server: their first lines are not said, and they
//! are disconnected.
//!
//! A port on the Internet is found by scanners within hours, by browsers through a link, and by IRC
//! clients through a mistake. A web page can even make its visitors' browsers send chosen text,
//! line by line, to any port that accepts it. So no such first line may reach a room.
//!
//! A line that nobody types ends the connection ([`is_foreign`]). A line that a person might type as
//! well is not said either, but only answered (`may_be_foreign`): `/say` says it. Programs that try
//! passwords at telnet servers begin with such lines: a name, a password, and what starts a shell
//! (`root`, `xc3511`, `enable`, `system`, `shell`, `sh`). What comes behind the name may be a password
//! that is in use elsewhere, so it is not said; and the third line of that kind in a row ends the
//! connection. IRC clients that go on sending what they know of IRC are answered like people who leave
//! out the slash: see `command::slips`.

use super::message::{Farewell, Message, Refusal};
use super::{Hub, Turn};
use crate::values::id::SessionId;

/// The number of a client's first lines that may be the beginning of another protocol. IRC clients
/// begin with up to four lines, the first of which the hub takes for slips (`NICK ann`).
const FIRST_LINES: u64 = 4;

/// The number of lines in a row of which `may_be_foreign` holds that end the connection.
const IN_A_ROW: u8 = 3;

/// Whether a line is one by which a client of another protocol begins, and which nobody types to say something: of
/// HTTP, RTSP and SIP (`GET / HTTP/1.1`), SSH, SMTP, IMAP, IRC, VNC, rsync or a printer (PJL, PostScript), of a proxy in
/// front of the hub, or what tells a shell from other programs (`/bin/busybox MIRAI`).
#[must_use]
pub fn is_foreign(line: &str) -> bool {
    let line = line.trim_end();
    if line.starts_with("/bin/busybox") || line.starts_with("%!PS") {
        return true;
    }
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
        ("@RSYNCD:" | "@PJL", _) => true,
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

/// The names that programs try which guess passwords, and by which people log in to a machine. Names that people also
/// say to each other alone are missing, such as `test` and `mother`.
const LOGINS: &[&str] = &[
    "root",
    "admin",
    "admin1",
    "administrator",
    "adm",
    "superuser",
    "supervisor",
    "sysadmin",
    "support",
    "service",
    "tech",
    "user",
    "guest",
    "guest1",
    "anonymous",
    "ftp",
    "ftpuser",
    "telnet",
    "telnetadmin",
    "ubnt",
    "ubuntu",
    "oracle",
    "postgres",
    "mysql",
    "666666",
    "888888",
];

/// What such programs send next, to get a shell.
const SHELLS: &[&str] =
    &["enable", "system", "shell", "linuxshell", "sh", "ping;sh", "ping; sh", "bash", "su", "busybox", "development"];

/// The lines, written as here, by which clients of Redis, memcached, ZooKeeper, POP3 and FTP begin.
const VERBS: &[&str] = &["PING", "INFO", "CAPA", "FEAT", "SYST", "STLS", "NOOP", "stats", "version", "ruok", "envi"];

/// The beginnings of such lines, of Redis, NNTP, FTP and SMTP.
const BEGINNINGS: &[&str] = &["CONFIG GET ", "CLIENT LIST", "MODE READER", "OPTS UTF8", "MAIL FROM:", "RCPT TO:"];

/// Whether a password follows a line, where it is a client's first: a name by which one logs in to a machine, or
/// `USER ann`, as in FTP and POP3.
fn is_login(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let name = match (words.next(), words.next(), words.next()) {
        (Some(name), None, _) => name,
        (Some("USER"), Some(_), None) => return true,
        _ => return false,
    };
    LOGINS.iter().any(|login| login.eq_ignore_ascii_case(name))
}

/// Whether a line is one by which a client of another protocol begins, but a person may have typed it.
fn may_be_foreign(line: &str) -> bool {
    let line = line.trim();
    let starts_shell = || SHELLS.iter().any(|shell| shell.eq_ignore_ascii_case(line));
    let is_beginning = || BEGINNINGS.iter().any(|beginning| line.starts_with(beginning));
    is_login(line) || starts_shell() || is_size(line, '*') || VERBS.contains(&line) || is_beginning()
}

/// Whether a line that comes behind one of which `may_be_foreign` holds shows that nobody types them: a password as in
/// FTP and POP3, or the length of a text as in Redis.
fn goes_on(line: &str) -> bool {
    let is_password = line.strip_prefix("PASS ").is_some_and(|rest| !rest.trim().contains(' '));
    is_password || is_size(line.trim(), '$')
}

/// Whether a line is a number behind that sign, as in Redis: `*1`, `$4`.
fn is_size(line: &str, sign: char) -> bool {
    line.strip_prefix(sign).is_some_and(|size| !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit()))
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
        let before = session.asking.foreign;
        let is_first = session.lines <= FIRST_LINES || before > 0;
        (is_first && is_foreign(line))
            || (session.lines == 1 && is_data(line))
            || (before > 0 && goes_on(line))
            || (before.saturating_add(1) >= IN_A_ROW && may_be_foreign(line))
    }
}

impl Turn<'_> {
    /// Whether the line that `id` wants to say may come from a program that takes the hub for another kind of server. If
    /// so, tells `id`, and nobody else sees the line.
    pub(super) fn may_speak_another_protocol(&mut self, id: SessionId, line: &str) -> bool {
        let Some(session) = self.hub.people.sessions.get_mut(&id) else { return false };
        let is_first = session.lines <= FIRST_LINES && session.account.is_none();
        if !(is_first || session.asking.foreign > 0) || !may_be_foreign(line) {
            session.asking.foreign = 0;
            return false;
        }
        session.asking.foreign = session.asking.foreign.saturating_add(1);
        session.asking.named = is_login(line);
        self.refuse(id, Refusal::ForAnotherServer);
        true
    }

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
            "/bin/busybox MIRAI",
            "@PJL INFO ID",
            "%!PS-Adobe-3.0",
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

    #[test]
    fn what_programs_send_that_guess_passwords_is_known_and_what_people_say_about_it_is_not_taken_for_it() {
        for line in [
            "root",
            "Administrator",
            "admin ",
            "enable",
            "system",
            "shell",
            "sh",
            "*1",
            "PING",
            "stats",
            "USER ann",
            "MODE READER",
        ] {
            assert!(may_be_foreign(line), "{line}");
        }
        for line in [
            "root cause",
            "shell is nice",
            "enable it",
            "the system",
            "sh!",
            "shh",
            "ping",
            "user ann",
            "USER ann left",
            "*",
            "*1 typo",
            "$4",
            "test",
            "info",
            "PINGING",
        ] {
            assert!(!may_be_foreign(line), "{line}");
        }
        for (line, goes) in
            [("PASS sesame", true), ("$4", true), ("PASS it on", false), ("pass sesame", false), ("$4.50", false)]
        {
            assert_eq!(goes_on(line), goes, "{line}");
        }
    }
}
