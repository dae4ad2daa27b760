//! What stands before a hub and does TLS handshakes: `chathub-tls`, which hands connections over, or haproxy, which
//! carries what is said.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::peers::{Peer, free_port};

/// A process that goes when this is dropped.
pub(crate) struct Front {
    pub(crate) port: u16,
    child: Child,
}

impl Front {
    /// Starts what `peer` has before the hub at `hub`; its files are in `dir`.
    ///
    /// # Errors
    /// A text for the person at the terminal.
    pub(crate) fn start(peer: Peer, dir: &Path, hub: u16) -> Result<Self, String> {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let started = certificate(dir).and_then(|()| {
            let mut command = if peer == Peer::Tls { chathub_tls(dir, port) } else { haproxy(dir, port, hub)? };
            let log = File::create(dir.join("front.log"))?;
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
        });
        let child = started.map_err(|error| format!("cannot start what stands before {}: {error}", peer.name()))?;
        let mut front = Self { port, child };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_err() {
            let ended = front.child.try_wait().ok().flatten();
            if ended.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(dir.join("front.log")).unwrap_or_default();
                return Err(format!("what stands before {} does not listen\n{said}", peer.name()));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(front)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Is it installed?
pub(crate) fn has_haproxy() -> bool {
    Command::new("haproxy")
        .env("PATH", PATH)
        .arg("-v")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

const PATH: &str = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin";

/// A certificate that no authority has signed (ECDSA, P-256), for both.
fn certificate(dir: &Path) -> io::Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chathub-tls"));
    command.args(["self-signed", "--name", "bench.invalid"]).arg(dir).stdout(Stdio::null());
    if !command.status()?.success() {
        return Err(io::Error::other("no certificate"));
    }
    let both = fs::read_to_string(dir.join("cert.pem"))? + &fs::read_to_string(dir.join("key.pem"))?;
    fs::write(dir.join("both.pem"), both)
}

fn chathub_tls(dir: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chathub-tls"));
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID", "RUNTIME_DIRECTORY"] {
        command.env_remove(name);
    }
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--certificate"]).arg(dir.join("cert.pem"));
    command.arg("--key").arg(dir.join("key.pem")).arg("--handover").arg(dir.join("handover.sock"));
    command
}

/// As one has it who wants TLS and nothing else: one thread for each processor, which is its default.
fn haproxy(dir: &Path, port: u16, hub: u16) -> io::Result<Command> {
    let settings = dir.join("haproxy.cfg");
    let certificate = dir.join("both.pem");
    fs::write(
        &settings,
        format!(
            "global\n  maxconn 5000\n  log /dev/null local0\n\
             defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 1h\n  timeout server 1h\n\
             listen chat\n  bind 127.0.0.1:{port} ssl crt {} ssl-min-ver TLSv1.3\n  server hub 127.0.0.1:{hub}\n",
            certificate.display()
        ),
    )?;
    let mut command = Command::new("haproxy");
    command.env("PATH", PATH).arg("-db").arg("-f").arg(settings);
    Ok(command)
}
