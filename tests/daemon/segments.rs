//! Lines, however they are cut up on the way, and bytes that are no lines.

use std::io::Write as _;

use crate::stage::{Client, Daemon, UNPACED};

#[test]
fn a_line_may_come_one_byte_at_a_time() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let line = "Grüße aus der Ferne \u{1f986}, Byte für Byte\r\n";
    line.bytes().for_each(|byte| ann.write(&[byte]));
    bob.next_is(&format!("ann: {}", line.trim_end()));
}

#[test]
fn a_hundred_lines_may_come_in_one_write() {
    let daemon = Daemon::with(UNPACED);
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    let all: String = (0..100).map(|number| format!("line {number}\n")).collect();
    ann.write(all.as_bytes());
    (0..100).for_each(|number| bob.next_is(&format!("ann: line {number}")));
}

#[test]
fn every_kind_of_line_end_ends_one_line() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.write(b"one\ntwo\r\nthree\r\0four\rfive\r");
    ann.write(b"\nsix\r");
    ann.write(b"\0seven\n");
    for text in ["one", "two", "three", "four", "five", "six", "seven"] {
        bob.next_is(&format!("ann: {text}"));
    }
    assert_eq!(bob.sync(), [""; 0]);
}

#[test]
fn a_last_line_without_an_end_is_said() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    let mut ann = daemon.client("ann");
    bob.expect_with("is now ann");
    ann.write(b"the last words");
    ann.end();
    bob.next_is("ann: the last words");
    bob.next_is("* ann left");
    assert_eq!(ann.rest(), [""; 0], "and the connection is closed");
}

#[test]
fn all_lines_before_the_end_are_said_and_answered_before_the_connection_closes() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    let mut ann = daemon.client("ann");
    bob.expect_with("is now ann");
    ann.write(b"one\ntwo\n/whois bob\n/whois nobody");
    ann.end();
    let rest = ann.rest();
    assert!(rest[0].starts_with("-- bob is in lobby, connected since "), "{rest:#?}");
    assert_eq!(rest.last().map(String::as_str), Some("-- nobody called nobody is connected"));
    bob.next_is("ann: one");
    bob.next_is("ann: two");
    bob.next_is("* ann left");
}

#[test]
fn ten_megabytes_without_a_line_end_are_refused_with_one_notice_and_no_memory() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    let mut ann = daemon.client("ann");
    bob.sync();
    let before = daemon.status("VmRSS");
    ann.stream.set_write_timeout(Some(daemon.deadline.left())).unwrap();
    let chunk = [b'x'; 64 * 1024];
    for _ in 0..160 {
        ann.stream.write_all(&chunk).unwrap();
    }
    ann.write(b"\nand now?\n");
    let lines = ann.until("a notice", |line| line.contains("10485760 bytes, at most 1024 are allowed"));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    bob.next_is("ann: and now?");
    assert_eq!(ann.sync(), [""; 0], "one notice is enough");
    let grown = daemon.status("VmHWM").saturating_sub(before);
    assert!(grown < 2048, "{grown} KiB more");
}

#[test]
fn nuls_and_broken_utf8_harm_nobody() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.write(b"a\0b\0\0c\n\0\0\0\n\xc3\x28 \xfe \xe2\x82\n\xf0\x9f\xa6");
    ann.write(b"\x86 whole\n");
    bob.next_is("ann: abc");
    bob.next_is("ann: \u{fffd}( \u{fffd} \u{fffd}");
    bob.next_is("ann: \u{1f986} whole");
    assert_eq!(bob.sync(), [""; 0], "a line of nothing is not said");
}

#[test]
fn empty_lines_are_said_to_nobody() {
    let daemon = Daemon::start();
    let (mut ann, mut bob) = (daemon.client("ann"), daemon.client("bob"));
    ann.write(b"\n\r\n   \r\0\t\nend\n");
    bob.next_is("ann: end");
}

#[test]
fn telnet_commands_are_taken_out_and_answered_however_they_are_cut() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    let mut ann = daemon.client("ann").speaking_telnet();
    bob.expect_with("is now ann");
    ann.write(b"ab");
    for byte in [0xff, 0xfd, 6, 0xff, 0xfb, 99, 0xff, 0xfa, 24, 0, b'x', 0xff, 0xff, b'y', 0xff, 0xf0] {
        ann.write(&[byte]);
    }
    ann.write(b"cd\r\n");
    bob.next_is("ann: abcd");
    // Having shown to be telnet, it is asked for the type and size of its terminal at once, and for BINARY.
    ann.expect_bytes(b"\xff\xfc\x06\xff\xfd\x18\xff\xfd\x1f\xff\xfd\x00\xff\xfe\x63");
    // ^C of Debian's telnet: what was typed is gone, and the mark it waits for comes.
    ann.write(b"never said\xff\xf4\xff\xfd\x06said\r\n");
    bob.next_is("ann: said");
    ann.expect_bytes(b"\xff\xfc\x06");
    ann.write(b"\xff\xf6");
    ann.expect_bytes(b"-- yes, here\r\n");
    ann.write(b"\x04");
    ann.expect_bytes(b"-- goodbye\r\n");
    bob.expect("* ann left");
}

#[test]
fn an_iac_at_the_very_end_is_nothing() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    let mut ann = daemon.client("ann").speaking_telnet();
    bob.expect_with("is now ann");
    ann.write(b"bye\xff");
    ann.end();
    bob.next_is("ann: bye");
    bob.next_is("* ann left");
}

#[test]
fn a_connection_that_is_reset_is_a_departure() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    let ann = daemon.client("ann");
    bob.expect_with("is now ann");
    socket2::SockRef::from(&ann.stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(ann);
    bob.next_is("* ann left (connection lost)");
}

#[test]
fn probes_that_send_nothing_leave_the_hub_as_it_was() {
    let daemon = Daemon::start();
    let mut bob = daemon.client("bob");
    for _ in 0..50 {
        drop(Client::connect(&daemon, daemon.addr(), "probe"));
    }
    // Accepted in order: once eve is there, all probes were.
    let mut eve = daemon.client("eve");
    eve.send("anybody?");
    bob.expect("eve: anybody?");
    let mut admin = daemon.admin();
    while admin.done("clients.list", &serde_json::json!({}))["total"] != 2 {
        assert!(!daemon.deadline.is_over(), "probes stay");
    }
}
