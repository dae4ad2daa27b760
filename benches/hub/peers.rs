//! The servers that are measured: how each is started without limits, and how one talks to it.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

use crate::check::{PAYLOAD, Stamp, probe};
use crate::confined::{Confined, Held};

/// A server we know how to start and to talk to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Peer {
    Limit,
    Chathub,
    /// chathub whose clients outlive it.
    Kept,
    /// The same, and what is said is recorded: as the package has it.
    Recorded,
    Redis,
    Ngircd,
}

impl Peer {
    pub(crate) const ALL: [Self; 6] =
        [Self::Limit, Self::Chathub, Self::Kept, Self::Recorded, Self::Redis, Self::Ngircd];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Chathub => "chathub",
            Self::Kept => "kept",
            Self::Recorded => "recorded",
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
            Self::Limit | Self::Chathub | Self::Kept | Self::Recorded | Self::Redis => usize::MAX,
        }
    }

    /// Do its clients outlive it?
    pub(crate) fn is_kept(self) -> bool {
        matches!(self, Self::Kept | Self::Recorded)
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Limit | Self::Chathub | Self::Kept | Self::Recorded => Dialect::Lines,
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
    /// What keeps the descriptors of a server that is to survive.
    _store: Option<Store>,
    /// The limit on its memory, if there is to be one. Goes when the process has.
    confined: Option<Confined>,
}

impl Running {
    /// Starts `peer` on a free loopback port; chathub with a settings file of `benches/`.
    ///
    /// # Errors
    /// A text for the person at the terminal: not installed, or did not come up.
    pub(crate) fn start(peer: Peer, settings: &str) -> Result<Self, String> {
        Self::start_in(peer, settings, None)
    }

    /// The same within a limit on its memory; for a chathub that is kept.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn start_in(peer: Peer, settings: &str, confined: Option<Confined>) -> Result<Self, String> {
        let dir = scratch_dir().map_err(|error| format!("cannot make a directory: {error}"))?;
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let log = dir.join("log");
        let mut command = command(peer, &dir, port, settings, confined.as_ref())
            .map_err(|error| format!("cannot prepare: {error}"))?;
        let mut store = None;
        let child = File::create(&log).and_then(|file| {
            command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
            if peer.is_kept() {
                store = Some(Store::open(&dir.join("notify"))?);
                hand_over(&mut command, &dir)?;
            }
            command.spawn()
        });
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                fs::remove_dir_all(&dir).ok();
                return Err(format!("cannot start {:?}: {error}", command.get_program()));
            }
        };
        let mut running = Self { port, child, dir, _store: store, confined };
        running.await_port(peer, &log)?;
        Ok(running)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// What the limit on its memory has come to.
    pub(crate) fn held(&self) -> Option<Held> {
        self.confined.as_ref().map(Confined::held)
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
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
                Peer::Limit | Peer::Chathub | Peer::Kept | Peer::Recorded => {
                    logged_port(&said).inspect(|&port| self.port = port).is_some()
                }
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

    /// What chathub says of itself.
    pub(crate) fn status(&self) -> io::Result<serde_json::Value> {
        let mut stream = UnixStream::connect(self.admin())?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"{\"id\":1,\"cmd\":\"status\"}\n")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        let mut answer: serde_json::Value = serde_json::from_str(&answer)?;
        Ok(answer["result"].take())
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

fn command(peer: Peer, dir: &Path, port: u16, settings: &str, confined: Option<&Confined>) -> io::Result<Command> {
    let mut command;
    match peer {
        Peer::Limit => {
            command = Command::new(std::env::current_exe()?);
            command.args(["--role-limit", "127.0.0.1:0"]);
        }
        Peer::Chathub | Peer::Kept | Peer::Recorded => {
            let mut settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(settings);
            if peer == Peer::Recorded {
                settings = recording(&settings, dir)?;
            }
            let program = env!("CARGO_BIN_EXE_chathub");
            if peer.is_kept() {
                // What `hand_over` gives it as input and output becomes what sd_listen_fds(3) says.
                let shell = "exec 3<&0 4<&1 </dev/null >&2; export LISTEN_PID=$$; exec \"$@\"";
                let shell = confined.map(Confined::script).unwrap_or_default() + shell;
                command = Command::new("sh");
                command.args(["-c", &shell, "sh", program, "serve"]);
            } else {
                command = Command::new(program);
                command.args(["serve", "--listen", "127.0.0.1:0", "--admin-socket"]).arg(dir.join("admin.sock"));
            }
            command.arg("--config").arg(settings).arg("--state-dir").arg(dir.join("state"));
            // Nothing of a service manager that this run may itself be under.
            for name in ["NOTIFY_SOCKET", "FDSTORE", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"] {
                command.env_remove(name);
            }
            for name in ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "LISTEN_PIDFDID", "STATE_DIRECTORY"] {
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

/// The same settings for a chathub that records what is said, in a file in `dir`.
fn recording(settings: &Path, dir: &Path) -> io::Result<PathBuf> {
    let (off, on) = ("\npersist = false\n", "\npersist = true\n");
    let text = fs::read_to_string(settings)?;
    if text.matches(off).count() != 1 {
        return Err(io::Error::other(format!("{} does not say that nothing is recorded", settings.display())));
    }
    let path = dir.join("recording.toml");
    fs::write(&path, text.replace(off, on))?;
    Ok(path)
}

/// The service manager's half of a start: listening sockets, and whom to notify.
fn hand_over(command: &mut Command, dir: &Path) -> io::Result<()> {
    let chat = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    chat.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    chat.listen(4096)?;
    let admin = UnixListener::bind(dir.join("admin.sock"))?;
    command.stdin(OwnedFd::from(chat)).stdout(OwnedFd::from(admin));
    command.env("LISTEN_FDS", "2").env("LISTEN_FDNAMES", "chat:admin");
    command.env("NOTIFY_SOCKET", dir.join("notify")).env("FDSTORE", STORED.to_string());
    Ok(())
}

/// Descriptors that the store takes: more than chathub gives it.
const STORED: usize = 16;

/// The service manager's descriptor store (sd_notify(3)). What is in it is closed when this is dropped.
struct Store {
    notify: UnixDatagram,
    keeping: Option<JoinHandle<()>>,
}

impl Store {
    fn open(path: &Path) -> io::Result<Self> {
        let notified = UnixDatagram::bind(path)?;
        let notify = UnixDatagram::unbound()?;
        notify.connect(path)?;
        Ok(Self { notify, keeping: Some(thread::spawn(move || keep(&notified))) })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Nobody else sends an empty one.
        if self.notify.send(&[]).is_ok()
            && let Some(keeping) = self.keeping.take()
        {
            keeping.join().ok();
        }
    }
}

/// Keeps what comes with `FDSTORE=1` until an empty notification comes; closes all else, which is what
/// `BARRIER=1` waits for.
fn keep(notified: &UnixDatagram) {
    let mut kept: Vec<OwnedFd> = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(STORED))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut pieces = [IoSliceMut::new(&mut buffer)];
        let Ok(received) = recvmsg(notified, &mut pieces, &mut control, RecvFlags::CMSG_CLOEXEC) else {
            return;
        };
        if received.bytes == 0 {
            return;
        }
        let stores = buffer[..received.bytes].split(|&b| b == b'\n').any(|line| line == b"FDSTORE=1");
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message
                && stores
                && kept.len() < STORED
            {
                kept.extend(descriptors);
            }
        }
    }
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
