//! The real hub behind the real program: a client is logged in by the certificate that it shows in the handshake.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};

use crate::client::{Client, Manner};
use crate::program::{Program, Setup, made};

/// A hub that is started with its sockets as systemd does it; killed when dropped.
struct Hub(Child);

impl Hub {
    /// Starts it in the directory of the program.
    fn start(program: &Program, chat: &TcpListener, handover: &UnixDatagram) -> Self {
        let config = program.path("chathub.toml");
        std::fs::write(&config, "accounts.memory = \"64KiB\"\naccounts.passes = 1\nhistory.replay = 0\n").unwrap();
        let mut command = Command::new("sh");
        let script = "exec 3<&0 4<&1 </dev/null >/dev/null; export LISTEN_PID=$$; exec \"$@\"";
        command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_chathub"), "serve", "--config"]).arg(config);
        command.arg("--state-dir").arg(program.path("state"));
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY"] {
            command.env_remove(name);
        }
        command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", "chat:handover");
        command.stdin(OwnedFd::from(chat.try_clone().unwrap())).stderr(Stdio::null());
        command.stdout(OwnedFd::from(handover.try_clone().unwrap()));
        Self(command.spawn().unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn who_shows_a_certificate_of_an_account_is_logged_in_also_after_a_cold_start() {
    let program = Setup::new().args(&["--client-certificates"]).pair("own", &["chat.example.org"]).start();
    let handover = UnixDatagram::bind(program.path("handover.sock")).unwrap();
    rustix::net::sockopt::set_socket_passcred(&handover, true).unwrap();
    let chat = TcpListener::bind("127.0.0.1:0").unwrap();
    let hub = Hub::start(&program, &chat, &handover);
    let (own, other) = (made(&["ann"], -1, 90), made(&["ann"], -1, 90));
    let come = |shows: &(String, String)| {
        let mut client = Client::new(program.connect(), &Manner { shows: Some(shows.clone()), ..Manner::default() });
        client.shake("").unwrap();
        client
    };
    let mut ann = come(&own);
    ann.hear_until("You are guest-");
    ann.say("/nick ann\n/register correct horse\n");
    ann.hear_until("ann is registered");
    ann.say("/certificate add\n");
    ann.hear_until(" logs in to ann from now on");
    ann.say("/quit\n");
    assert!(ann.hear_to_end().unwrap().contains("goodbye"));
    // The same certificate, and nothing typed.
    let mut ann = come(&own);
    assert!(ann.hear_until("welcome, ann: you are logged in by your certificate").contains("You are ann in lobby"));
    // Another one of that name, whose key it is not.
    let mut eve = come(&other);
    eve.hear_until("You are guest-");
    eve.say("/whois ann\n");
    eve.hear_until("the connection of ann is encrypted");
    // A process that knows nothing but what is on disk.
    hub.kill();
    let _hub = Hub::start(&program, &chat, &handover);
    let mut ann = come(&own);
    ann.hear_until("welcome, ann: you are logged in by your certificate");
    ann.say("/certificate\n");
    ann.hear_until("this connection's");
    come(&other).hear_until("You are guest-");
}
