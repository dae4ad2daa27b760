//! What is handed over.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use aws_lc_rs::digest::{SHA256, digest};
use chathub::kernel;
use chathub::wire::tls::suite::Suite;
use rustls::crypto::aws_lc_rs::{cipher_suite, kx_group};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::ParsedCertificate;
use socket2::SockRef;

use crate::client::{Client, Manner};
use crate::hub::Played;
use crate::program::{Setup, made};
use crate::shared::memory::occurrences;
use crate::shared::missing::{have, not_tested};

#[test]
fn the_secrets_are_right_in_each_suite_and_nothing_behind_finished_is_read() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    for (suite, own) in [
        (Suite::Aes128, cipher_suite::TLS13_AES_128_GCM_SHA256),
        (Suite::Aes256, cipher_suite::TLS13_AES_256_GCM_SHA384),
        (Suite::ChaCha20, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256),
    ] {
        for (number, group) in [(29, kx_group::X25519), (4588, kx_group::X25519MLKEM768), (23, kx_group::SECP256R1)] {
            let manner = Manner { suites: vec![own], groups: vec![group], ..Manner::default() };
            let mut ann = Client::new(program.connect(), &manner);
            ann.shake("said right behind it\r\n").unwrap();
            let mut taken = hub.take();
            let handover = &taken.handover;
            assert_eq!((handover.suite, handover.group, handover.fingerprint), (suite, number, None));
            assert_eq!(handover.cookie, kernel::cookie(&taken.stream).unwrap());
            assert_eq!(taken.stream.peer_addr().unwrap(), ann.stream.local_addr().unwrap());
            // The kernel's counters are those of the handshake, and what was said waits in the socket.
            let counted = kernel::counted(&taken.stream).unwrap();
            assert_eq!((counted.read, counted.taken), (handover.read, handover.written));
            assert_eq!(taken.from.uid.as_raw(), nix::unistd::getuid().as_raw());
            assert_eq!(taken.from.pid.as_raw_nonzero().get(), program.pid().as_raw());
            let socket = SockRef::from(&taken.stream);
            assert_eq!((socket.out_of_band_inline().unwrap(), socket.tcp_nodelay().unwrap()), (true, true));
            assert_eq!(taken.hear(), "said right behind it\r\n");
            taken.say("heard\r\n");
            ann.hear("heard\r\n");
            for count in 0..3 {
                let line = format!("line {count}\r\n");
                ann.say(&line);
                assert_eq!(taken.hear(), line);
                taken.say(&line);
                ann.hear(&line);
            }
            // No ticket was sent, or the records above would not have been the first.
            assert_eq!(ann.tls.tls13_tickets_received(), 0);
        }
    }
    program.status("9 handed over");
}

/// The order of its groups counts, as with others; one that sends a share of another group first is asked again.
#[test]
fn a_client_that_has_it_exchanges_keys_that_outlive_quantum_computers() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    for groups in [vec![kx_group::X25519MLKEM768, kx_group::X25519], vec![kx_group::X25519MLKEM768]] {
        let mut ann = Client::new(program.connect(), &Manner { groups, ..Manner::default() });
        ann.shake("hi\r\n").unwrap();
        let mut taken = hub.take();
        assert_eq!((taken.handover.group, taken.hear()), (4588, "hi\r\n".to_owned()));
    }
    // A group of which it has sent no share is asked for.
    let groups: Vec<&'static dyn rustls::crypto::SupportedKxGroup> = vec![&Unknown, kx_group::SECP384R1];
    let mut ann = Client::new(program.connect(), &Manner { groups, ..Manner::default() });
    ann.shake("hi\r\n").unwrap();
    let mut taken = hub.take();
    assert_eq!((taken.handover.group, taken.hear()), (24, "hi\r\n".to_owned()));
    assert_eq!(kernel::counted(&taken.stream).unwrap().taken, taken.handover.written);
}

/// A group that the program does not know.
#[derive(Debug)]
struct Unknown;

impl rustls::crypto::SupportedKxGroup for Unknown {
    fn start(&self) -> Result<Box<dyn rustls::crypto::ActiveKeyExchange>, rustls::Error> {
        Ok(Box::new(Self))
    }

    fn name(&self) -> rustls::NamedGroup {
        rustls::NamedGroup::X448
    }
}

impl rustls::crypto::ActiveKeyExchange for Unknown {
    fn complete(self: Box<Self>, _: &[u8]) -> Result<rustls::crypto::SharedSecret, rustls::Error> {
        unreachable!("nobody knows it")
    }

    fn pub_key(&self) -> &[u8] {
        &[7; 56]
    }

    fn group(&self) -> rustls::NamedGroup {
        rustls::NamedGroup::X448
    }
}

#[test]
fn openssl_talks_to_the_hub_in_each_suite_and_not_in_older_versions() {
    if !have("openssl") {
        return;
    }
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    for suite in Suite::ALL {
        let mut child = Command::new("openssl")
            .args(["s_client", "-quiet", "-ciphersuites", suite.name(), "-connect", &program.addr.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
        let mut taken = hub.take();
        assert_eq!((taken.handover.suite, taken.hear()), (suite, "hello\n".to_owned()));
        taken.say("welcome\r\n");
        drop(taken);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"welcome\r\n");
    }
    let output = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-connect", &program.addr.to_string()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("protocol version"), "{told}");
    program.logged("the handshake failed: peer is incompatible");
}

/// Programs that people have, with what they say and what they read right through.
#[test]
fn other_programs_talk_to_the_hub() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let (host, port) = (program.addr.ip().to_string(), program.addr.port().to_string());
    let python = "import socket, ssl, sys\n\
                  context = ssl._create_unverified_context()\n\
                  stream = context.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2]))))\n\
                  stream.sendall(b'hello\\n')\n\
                  sys.stdout.buffer.write(stream.recv(100))\n";
    let address = format!("OPENSSL:{host}:{port},verify=0");
    for (name, args) in [
        ("ncat", &["--ssl", &host, &port][..]),
        ("socat", &["-", &address]),
        ("python3", &["-c", python, &host, &port]),
    ] {
        if !have(name) {
            continue;
        }
        let mut child = Command::new(name)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _ = child.stdin.as_mut().unwrap().write_all(b"hello\n");
        let mut taken = hub.take();
        assert_eq!(taken.hear(), "hello\n", "{name}");
        taken.say("welcome\r\n");
        let mut told = [0; 9];
        child.stdout.as_mut().unwrap().read_exact(&mut told).unwrap();
        assert_eq!(&told, b"welcome\r\n", "{name}");
        drop(taken);
        drop(child.stdin.take());
        let _ = child.kill();
        child.wait().unwrap();
    }
}

#[test]
fn a_client_is_known_by_the_key_of_its_certificate_if_it_has_that_key() {
    let program = Setup::new().args(&["--client-certificates"]).pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    // Self-signed, and expired as well.
    for (from, to) in [(-1, 90), (-90, -1)] {
        let shows = made(&["ann"], from, to);
        let certificate = CertificateDer::from_pem_slice(shows.0.as_bytes()).unwrap();
        let key = ParsedCertificate::try_from(&certificate).unwrap().subject_public_key_info();
        let mut ann = Client::new(program.connect(), &Manner { shows: Some(shows), ..Manner::default() });
        ann.shake("hi\r\n").unwrap();
        let mut taken = hub.take();
        assert_eq!(taken.handover.fingerprint.unwrap(), digest(&SHA256, &key).as_ref());
        assert_eq!(taken.hear(), "hi\r\n");
        taken.say("heard\r\n");
        ann.hear("heard\r\n");
    }
    // Nobody needs one.
    Client::new(program.connect(), &Manner::default()).shake("hi\r\n").unwrap();
    assert_eq!(hub.take().handover.fingerprint, None);
    // The certificate of somebody else is of no use.
    let shows = (made(&["ann"], -1, 90).0, made(&["eve"], -1, 90).1);
    let mut eve = Client::new(program.connect(), &Manner { shows: Some(shows), ..Manner::default() });
    eve.shake("hi\r\n").unwrap();
    let end = eve.hear_to_end().unwrap_err();
    assert!(end.contains("alert: DecryptError"), "{end}");
    program.status("3 handed over, 1 failed");
}

#[test]
fn nobody_is_asked_for_a_certificate_unless_it_is_wanted() {
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let shows = Some(made(&["ann"], -1, 90));
    Client::new(program.connect(), &Manner { shows, ..Manner::default() }).shake("hi\r\n").unwrap();
    assert_eq!(hub.take().handover.fingerprint, None);
}

/// Looks through the whole memory of the program, which lets nobody but root do that.
#[test]
fn secrets_are_wiped_when_the_connection_is_handed_over() {
    if !nix::unistd::geteuid().is_root() {
        return not_tested("the memory of another program can be read by root alone");
    }
    let program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    for own in [cipher_suite::TLS13_AES_256_GCM_SHA384, cipher_suite::TLS13_CHACHA20_POLY1305_SHA256] {
        let manner = Manner { suites: vec![own], ..Manner::default() };
        let mut ann = Client::new(program.connect(), &manner);
        ann.shake("hi\r\n").unwrap();
        let taken = hub.take();
        program.logged(&format!("handed over, {}", taken.handover.suite.name()));
        // It has come back to waiting when it has answered somebody else.
        let mut stranger = program.connect();
        stranger.write_all(b"hello\r\n").unwrap();
        crate::program::rest(&mut stranger);
        let Some(found) = occurrences(program.pid(), &[taken.handover.client.bytes(), taken.handover.server.bytes()])
        else {
            return not_tested("the memory of another process cannot be read");
        };
        assert_eq!(found, [0, 0], "{}", taken.handover.suite.name());
    }
}
