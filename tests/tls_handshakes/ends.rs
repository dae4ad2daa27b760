//! Kills and ends, and sockets that are handed over.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::client::{Client, Manner};
use crate::hub::Played;
use crate::program::{Program, Setup, patient, rest, write_pair};
use crate::shared::missing::have;

#[test]
fn a_kill_costs_those_who_are_in_the_handshake_and_nobody_else() {
    let mut program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let mut ann = Client::new(program.connect(), &Manner::default());
    ann.shake("hi\r\n").unwrap();
    let mut taken = hub.take();
    // Bob's datagram is on its way when the program dies.
    let mut bob = Client::new(program.connect(), &Manner::default());
    bob.shake("hi\r\n").unwrap();
    program.status("2 handed over");
    let mut eve = Client::new(program.connect(), &Manner::default());
    eve.almost().unwrap();
    program.signal(Signal::SIGKILL);
    program.ended();
    let _ = eve.send();
    assert_eq!(rest(&mut eve.stream), b"");
    assert_eq!(taken.hear(), "hi\r\n");
    taken.say("welcome\r\n");
    ann.hear("welcome\r\n");
    let mut taken = hub.take();
    assert_eq!(taken.hear(), "hi\r\n");
    taken.say("welcome\r\n");
    bob.hear("welcome\r\n");
    bob.say("still here\r\n");
    assert_eq!(taken.hear(), "still here\r\n");
}

#[test]
fn a_stop_waits_for_handshakes_under_way_and_accepts_no_others() {
    let mut program = Setup::new().pair("own", &["chat.example.org"]).start();
    let hub = Played::at(&program.path("handover.sock"));
    let mut ann = Client::new(program.connect(), &Manner::default());
    ann.almost().unwrap();
    program.signal(Signal::SIGTERM);
    program.notified.wait("the end", |line| line == "STOPPING=1");
    // The port is closed as soon as the end has begun; with systemd, those who come wait.
    while TcpStream::connect(program.addr).is_ok() {
        std::thread::yield_now();
    }
    ann.shake("hi\r\n").unwrap();
    let mut taken = hub.take();
    assert_eq!(taken.hear(), "hi\r\n");
    taken.say("welcome\r\n");
    ann.hear("welcome\r\n");
    assert_eq!(program.ended(), Some(0));
    program.logged("ended: 1 handed over");
}

#[test]
fn the_watchdog_is_fed() {
    let setup = Setup::new().pair("own", &["chat.example.org"]).args(&["--listen", "127.0.0.1:0"]);
    let mut command = setup.command();
    command.env("WATCHDOG_USEC", "200000").env_remove("WATCHDOG_PID");
    let program = Program::run(command, setup.dir);
    program.notified.wait("the watchdog", |line| line == "WATCHDOG=1");
}

/// The program by socket activation, which starts it at the first connection.
fn activated(setup: &Setup, name: &str, args: &[&str]) -> (Command, std::net::SocketAddr) {
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("systemd-socket-activate");
    command.args([&format!("--fdname={name}"), "-l", &addr.to_string(), env!("CARGO_BIN_EXE_chathub-tls")]);
    command.args(["--handover", setup.path("handover.sock").to_str().unwrap()]).args(args);
    for name in ["JOURNAL_STREAM", "CREDENTIALS_DIRECTORY", "LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    (command, addr)
}

fn knock(addr: std::net::SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(addr) {
            Ok(stream) => return patient(stream),
            Err(_) => std::thread::yield_now(),
        }
    }
}

#[test]
fn systemd_hands_over_its_socket_by_name_and_its_certificates_as_credentials() {
    if !have("systemd-socket-activate") {
        return;
    }
    let setup = Setup::new();
    write_pair(&setup.path("one"), &["one.example"], -1, 90);
    write_pair(&setup.path("two"), &["two.example"], -1, 90);
    for (number, name) in [("", "one"), ("2", "two")] {
        std::fs::rename(setup.path(&format!("{name}.pem")), setup.path(&format!("cert{number}"))).unwrap();
        std::fs::rename(setup.path(&format!("{name}.key")), setup.path(&format!("key{number}"))).unwrap();
    }
    let (mut command, addr) = activated(&setup, "tls", &[]);
    let directory = format!("CREDENTIALS_DIRECTORY={}", setup.dir.path().display());
    command.args(["--hub-time", "30s"]);
    // It passes on those variables of its environment that it is told.
    let program = command.get_program().to_owned();
    let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut command = Command::new(program);
    command.args(["-E", &directory, "-E", "NOTIFY_SOCKET"]).args(args);
    command.env_remove("JOURNAL_STREAM").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let hub = Played::at(&setup.path("handover.sock"));
    let knocking = std::thread::spawn(move || {
        let mut ann = Client::new(knock(addr), &Manner { name: "two.example", ..Manner::default() });
        ann.shake("hi\r\n").unwrap();
        ann.shown()
    });
    let program = Program::run(command, setup.dir);
    assert_eq!(program.addr, addr);
    assert_eq!(hub.take().hear(), "hi\r\n");
    let shown = knocking.join().unwrap();
    assert!(shown.windows(11).any(|bytes| bytes == b"two.example"));
}

#[test]
fn waiting_connections_get_an_alert_if_the_program_cannot_start() {
    if !have("systemd-socket-activate") {
        return;
    }
    let setup = Setup::new();
    let (mut command, addr) =
        activated(&setup, "tls", &["--certificate", "/nowhere/cert.pem", "--key", "/nowhere/key.pem"]);
    let mut child = command.spawn().unwrap();
    let mut stranger = knock(addr);
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(78), "{log}");
    assert!(log.contains("/nowhere/cert.pem: it cannot be read: No such file"), "{log}");
    assert_eq!(rest(&mut stranger), [21, 3, 3, 0, 2, 2, 80]);
    // A socket for another program of ours is left alone, and without any other there is nothing to do.
    let (mut command, addr) = activated(&setup, "web", &[]);
    let mut child = command.spawn().unwrap();
    let _ = knock(addr).write(b"x");
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(78), "{log}");
    assert!(log.contains("does not know its name") && log.contains("FileDescriptorName=tls"), "{log}");
}
