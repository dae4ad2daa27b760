//! The servers that are measured: how each is started without limits, and how one talks to it.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::check::{PAYLOAD, Stamp, probe};

/// A server we know how to start and to talk to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peer {
    Limit,
    Chathub,
    Redis,
    Ngircd,
}

impl Peer {
    pub(crate) const ALL: [Self; 4] = [Self::Limit, Self::Chathub, Self::Redis, Self::Ngircd];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Chathub => "chathub",
            Self::Redis => "redis",
            Self::Ngircd => "ngircd",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// The most clients in one room that this peer joins in bearable time: IRC answers each JOIN with the
    /// names of all who are there.
    pub(crate) fn most_clients(self) -> usize {
        match self {
            Self::Ngircd => 1_000,
            Self::Limit | Self::Chathub | Self::Redis => usize::MAX,
        }
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Limit | Self::Chathub => Dialect::Lines,
            Self::Redis => Dialect::Resp,
            Self::Ngircd => Dialect::Irc,
        }
    }
}

/// How lines look on the wire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// chathub and the limit: a line is a line; what the hub itself says starts with `-- ` or `* `.
    Lines,
    /// Redis pub/sub: whoever subscribes cannot publish, so senders have a connection of their own.
    Resp,
    Irc,
}

/// The first thing in a buffer.
pub(crate) enum Record<'a> {
    Incomplete,
    Notice(usize),
    Probe(usize),
    Said { length: usize, payload: &'a [u8] },
}

/// What a line received before the client is in its room asks for.
pub(crate) enum Step {
    Wait,
    Answer(Vec<u8>),
    Ready,
}

impl Dialect {
    /// May a client both hear and speak?
    pub(crate) fn hearers_speak(self) -> bool {
        self != Self::Resp
    }

    pub(crate) fn record(self, bytes: &[u8]) -> Record<'_> {
        // A RESP message is seven lines; the one with the text is the last.
        let lines = match self {
            Self::Resp if bytes.starts_with(b"*") => 7,
            _ => 1,
        };
        let mut start = 0;
        let mut length = 0;
        for _ in 0..lines {
            let Some(end) = bytes[length..].iter().position(|&b| b == b'\n') else {
                return Record::Incomplete;
            };
            start = length;
            length += end + 1;
        }
        let line = &bytes[start..length - 1];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let payload = line.len().checked_sub(PAYLOAD).map_or(&[][..], |at| &line[at..]);
        if Stamp::marks(payload) {
            Record::Said { length, payload }
        } else if *payload == probe() {
            Record::Probe(length)
        } else {
            Record::Notice(length)
        }
    }

    /// What a hearer sends at once on connecting. Room 0 is where everybody arrives.
    pub(crate) fn hello(self, id: usize, room: usize) -> Vec<u8> {
        match self {
            Self::Lines if room == 0 => Vec::new(),
            Self::Lines => format!("/join r{room}\n").into_bytes(),
            Self::Resp => {
                let room = format!("r{room}");
                format!("*2\r\n$9\r\nSUBSCRIBE\r\n${}\r\n{room}\r\n", room.len()).into_bytes()
            }
            Self::Irc => format!("NICK n{id}\r\nUSER u 0 * :u\r\n").into_bytes(),
        }
    }

    /// What a line (without its end) means to a hearer that is not ready yet.
    pub(crate) fn step(self, line: &[u8], room: usize) -> Step {
        let has = |word: &[u8]| line.windows(word.len()).any(|window| window == word);
        match self {
            Self::Lines if line.starts_with(b"-- ") => Step::Ready,
            Self::Resp if line.starts_with(b":") => Step::Ready,
            Self::Irc if has(b" 366 ") => Step::Ready,
            Self::Irc if has(b" 001 ") => Step::Answer(format!("JOIN #r{room}\r\n").into_bytes()),
            Self::Irc if line.starts_with(b"PING ") => Step::Answer([b"PONG ", &line[5..], b"\r\n"].concat()),
            Self::Lines | Self::Resp | Self::Irc => Step::Wait,
        }
    }

    /// Appends to `out` what says a line of `PAYLOAD` bytes, which `payload` appends, in a room.
    pub(crate) fn say(self, room: usize, out: &mut Vec<u8>, payload: impl FnOnce(&mut Vec<u8>)) {
        use std::io::Write as _;
        let written = match self {
            Self::Lines => Ok(()),
            Self::Resp => {
                let name = format!("r{room}");
                write!(out, "*3\r\n$7\r\nPUBLISH\r\n${}\r\n{name}\r\n${PAYLOAD}\r\n", name.len())
            }
            Self::Irc => write!(out, "PRIVMSG #r{room} :"),
        };
        written.expect("writing into memory");
        payload(out);
        out.extend_from_slice(if self == Self::Lines { b"\n" } else { b"\r\n" });
    }
}

/// A server process with a directory of its own; both go when this is dropped.
pub(crate) struct Running {
    pub(crate) port: u16,
    child: Child,
    dir: PathBuf,
}

impl Running {
    /// Starts `peer` on a free loopback port; chathub with a settings file of `benches/`.
    ///
    /// # Errors
    /// A text for the person at the terminal: not installed, or did not come up.
    pub(crate) fn start(peer: Peer, settings: &str) -> Result<Self, String> {
        let dir = scratch_dir().map_err(|error| format!("cannot make a directory: {error}"))?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let log = dir.join("log");
        let mut command = command(peer, &dir, port, settings).map_err(|error| format!("cannot prepare: {error}"))?;
        let child = File::create(&log)
            .and_then(|file| command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn());
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                fs::remove_dir_all(&dir).ok();
                return Err(format!("cannot start {:?}: {error}", command.get_program()));
            }
        };
        let mut running = Self { port, child, dir };
        running.await_port(peer, &log)?;
        Ok(running)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// chathub's admin socket.
    pub(crate) fn admin(&self) -> PathBuf {
        self.dir.join("admin.sock")
    }

    fn await_port(&mut self, peer: Peer, log: &Path) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let said = fs::read_to_string(log).unwrap_or_default();
            let up = match peer {
                Peer::Limit | Peer::Chathub => logged_port(&said).inspect(|&port| self.port = port).is_some(),
                Peer::Redis | Peer::Ngircd => std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok(),
            };
            if up {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended before it listened, {status}\n{said}", peer.name()));
            }
            if Instant::now() > deadline {
                return Err(format!("{} does not listen after 20 s\n{said}", peer.name()));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the server had to say, for a report of its failure.
    pub(crate) fn last_words(&self) -> String {
        let said = fs::read(self.dir.join("log")).unwrap_or_default();
        let tail = said.len().saturating_sub(2_000);
        String::from_utf8_lossy(&said[tail..]).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill(Pid::from_raw(self.pid()), Signal::SIGTERM).ok();
        let deadline = Instant::now() + Duration::from_secs(3);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                self.child.kill().ok();
            }
            thread::sleep(Duration::from_millis(5));
        }
        fs::remove_dir_all(&self.dir).ok();
    }
}

fn command(peer: Peer, dir: &Path, port: u16, settings: &str) -> io::Result<Command> {
    let mut command;
    match peer {
        Peer::Limit => {
            command = Command::new(std::env::current_exe()?);
            command.args(["--role-limit", "127.0.0.1:0"]);
        }
        Peer::Chathub => {
            let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(settings);
            command = Command::new(env!("CARGO_BIN_EXE_chathub"));
            command
                .args(["serve", "--listen", "127.0.0.1:0", "--config"])
                .arg(settings)
                .arg("--admin-socket")
                .arg(dir.join("admin.sock"))
                .arg("--state-dir")
                .arg(dir.join("state"));
            // Nothing of a service manager that this run may itself be under.
            for name in ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "JOURNAL_STREAM", "STATE_DIRECTORY"] {
                command.env_remove(name);
            }
        }
        Peer::Redis => {
            command = Command::new("redis-server");
            command
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
                .args(["--appendonly", "no", "--daemonize", "no", "--loglevel", "warning"])
                .args(["--maxclients", "19900", "--tcp-backlog", "4096"])
                .args(["--protected-mode", "no"]) // else it turns away all of loopback but 127.0.0.1
                .args(["--client-output-buffer-limit", "pubsub 0 0 0", "--dir"])
                .arg(dir);
        }
        Peer::Ngircd => {
            let settings = dir.join("ngircd.conf");
            fs::write(
                &settings,
                format!(
                    "[Global]\nName = bench.invalid\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n\
                     MotdPhrase = bench\nServerUID = root\nServerGID = root\n\
                     [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxPenaltyTime = 0\n\
                     PingTimeout = 100000\nPongTimeout = 100000\n\
                     [Options]\nDNS = no\nIdent = no\nPAM = no\n"
                ),
            )?;
            command = Command::new("ngircd");
            command.arg("-n").arg("-f").arg(settings);
            command.env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/bin");
        }
    }
    Ok(command)
}

/// The port in the line that says where the server listens, once that line is whole.
fn logged_port(log: &str) -> Option<u16> {
    let whole = &log[..=log.rfind('\n')?];
    whole.lines().filter(|line| line.contains("listening")).find_map(|line| {
        let (_, rest) = line.split_once("127.0.0.1:")?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse().ok()
    })
}

fn free_port() -> io::Result<u16> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(TcpListener::bind(any)?.local_addr()?.port())
}

fn scratch_dir() -> io::Result<PathBuf> {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    let name = format!("chathub-bench-{:016x}", u64::from_le_bytes(nonce));
    let dir = std::env::temp_dir().join(name);
    fs::create_dir(&dir)?;
    Ok(dir)
}
