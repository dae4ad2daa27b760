//! Whoever is refused is told why, in what they speak: an alert for TLS (RFC 8446, section 6), words for everything else.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::client::{Client, Manner};
use crate::hub::Played;
use crate::program::{Program, Setup};
use crate::shared::missing::have;

/// What a connection is told until it ends. It ends as it should, and is not reset.
#[track_caller]
fn told(program: &Program, sent: &[u8]) -> Vec<u8> {
    let mut stream = program.connect();
    stream.write_all(sent).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap_or_else(|error| panic!("{error}, behind {answer:?}"));
    answer
}

/// A fatal alert that is not encrypted.
fn alert(description: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, description]
}

fn record(header: [u8; 5], len: usize) -> Vec<u8> {
    [&header[..], &vec![0; len]].concat()
}

#[test]
fn what_makes_no_handshake_is_answered_by_an_alert() {
    let program = Setup::new().args(&["--handshake-kib", "4"]).pair("own", &["chat.example.org"]).start();
    // Records that are longer than one may be, with what they hold, and by their header alone.
    for (len, sent) in [(0x4001, 0x4001), (0x4100, 0x4100), (0x4268, 0x4268), (0x4268, 0), (0xFFFF, 0)] {
        let [high, low] = u16::try_from(len).unwrap().to_be_bytes();
        assert_eq!(told(&program, &record([22, 3, 1, high, low], sent)), alert(22), "{len} bytes, {sent} sent");
    }
    // A message that claims more than any may have; one that makes no sense; nothing in a record.
    assert_eq!(told(&program, &[22, 3, 1, 0, 4, 1, 0xFF, 0xFF, 0xFF]), alert(50));
    assert_eq!(told(&program, &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0xFF]), alert(50));
    assert_eq!(told(&program, &[22, 3, 1, 0, 0]), alert(50));
    program.status("8 failed");
    // More than may be sent in a handshake, in records that each may be sent.
    assert_eq!(told(&program, &record([22, 3, 1, 0x10, 0], 0x1000)), alert(50));
    program.status("1 sent too much");
}

/// From the first answer on alerts are encrypted, and the client can read them.
#[test]
fn in_the_middle_of_a_handshake_the_alert_is_encrypted() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let mut ann = Client::new(program.connect(), &Manner::default());
    ann.almost().unwrap();
    ann.stream.write_all(&record([23, 3, 3, 0x41, 1], 0x4101)).unwrap();
    let told = ann.hear_to_end().unwrap_err();
    assert!(told.contains("DecodeError"), "{told}");
    program.status("1 failed");
}

#[test]
fn what_is_no_tls_is_answered_in_words() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let words = |sent: &[u8]| String::from_utf8(told(&program, sent)).unwrap();
    for sent in [
        &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..],
        b"GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
        b"\r\n",
        b"\r\n\r\n",
        b"PROXYING is an art\r\n",
        // It begins as a handshake does, in a version that none has.
        &[22, 7, 7, 0, 1, 0],
    ] {
        let is_header = sent.starts_with(b"PROXY");
        assert_eq!(words(sent).contains("no header of the PROXY protocol"), is_header, "{sent:?}");
        assert!(is_header || words(sent).contains("connect with TLS 1.3"), "{sent:?}");
    }
    program.status("11 not encrypted");
}

#[test]
fn a_header_of_the_proxy_protocol_is_answered_by_where_it_belongs() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let words = "-- this port begins with TLS, and takes no header of the PROXY protocol\r\n\
                 -- a proxy that ends TLS sends it to chathub-proxy.socket: see chathub(8)\r\n";
    let two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\x7F\0\0\x01\x7F\0\0\x01\x10\0\x20\0";
    for header in [&b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 6970\r\n"[..], &two[..]] {
        let behind = [header, &[22, 3, 1, 0, 5, 1, 0, 0, 1, 0xFF]].concat();
        assert_eq!(String::from_utf8(told(&program, &behind)).unwrap(), words, "{header:?}");
    }
    program.status("2 not encrypted");
    // The journal is for whoever has set up the proxy. It says so once, however often it is met.
    program.logged("BEHIND A PROXY in chathub-tls(8)");
    assert_eq!(program.log.text().matches("header of the PROXY protocol").count(), 1);
}

/// What OpenSSL's client prints, with these options.
fn openssl(program: &Program, options: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &program.addr.to_string()]).args(options).stdin(Stdio::null());
    let output = command.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn openssl_is_told_what_is_not_in_common() {
    if !have("openssl") {
        return;
    }
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    for (options, number) in [
        (&["-tls1_2"][..], 70),
        (&["-ciphersuites", "TLS_AES_128_CCM_SHA256", "-tls1_3"], 40),
        (&["-groups", "P-521", "-tls1_3"], 40),
        // The certificate's key is one of P-256.
        (&["-sigalgs", "rsa_pss_rsae_sha256:rsa_pkcs1_sha256", "-tls1_3"], 40),
    ] {
        let told = openssl(&program, options);
        assert!(told.contains(&format!("SSL alert number {number}\n")), "{options:?}: {told}");
    }
    program.status("4 failed");
}

#[test]
fn openssl_is_served_with_a_name_and_a_protocol_that_are_not_known_and_without_a_certificate() {
    if !have("openssl") {
        return;
    }
    let program = Setup::new().args(&["--client-certificates"]).pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    for options in [&["-servername", "nobody.example"][..], &["-alpn", "h2,irc"], &["-noservername"]] {
        // It waits for its certificate to be taken, and for nothing else.
        let told = openssl(&program, options);
        assert!(told.contains("New, TLSv1.3, Cipher is TLS_"), "{options:?}: {told}");
        assert_eq!(hub.take().handover.fingerprint, None);
    }
    program.status("3 handed over");
}
