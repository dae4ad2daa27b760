//! The servers that are measured: how each is started without limits, and how one talks to it.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use chathub::wire::tls::suite::Suite;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use socket2::{Domain, SockRef, Socket, Type};

use crate::check::{PAYLOAD, Stamp, probe};
use crate::confined::{Confined, Held};
use crate::front::Front;
use crate::proc::now;
use crate::store::{Named, STORED, Store, script};

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
    /// `Kept`, whose listeners are encrypted: the generator hands their connections over, without handshakes.
    Aes128,
    Aes256,
    Chacha,
    /// `Kept` behind `chathub-tls`: everybody is encrypted.
    Tls,
    /// `Kept` behind haproxy, which has the certificate: everybody is encrypted.
    Haproxy,
    Redis,
    Ngircd,
}

impl Peer {
    pub(crate) const ALL: [Self; 11] = [
        Self::Limit,
        Self::Chathub,
        Self::Kept,
        Self::Recorded,
        Self::Aes128,
        Self::Aes256,
        Self::Chacha,
        Self::Tls,
        Self::Haproxy,
        Self::Redis,
        Self::Ngircd,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Chathub => "chathub",
            Self::Kept => "kept",
            Self::Recorded => "recorded",
            Self::Aes128 => "aes128",
            Self::Aes256 => "aes256",
            Self::Chacha => "chacha",
            Self::Tls => "tls",
            Self::Haproxy => "haproxy",
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
            _ => usize::MAX,
        }
    }

    /// Do its clients outlive it?
    pub(crate) fn is_kept(self) -> bool {
        !matches!(self, Self::Limit | Self::Chathub | Self::Redis | Self::Ngircd)
    }

    /// The suite by which its listeners are encrypted, if the generator hands them over.
    pub(crate) fn suite(self) -> Option<Suite> {
        match self {
            Self::Aes128 => Some(Suite::Aes128),
            Self::Aes256 => Some(Suite::Aes256),
            Self::Chacha => Some(Suite::ChaCha20),
            _ => None,
        }
    }

    /// Is there a handshake?
    pub(crate) fn shakes(self) -> bool {
        matches!(self, Self::Tls | Self::Haproxy)
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Self::Redis => Dialect::Resp,
            Self::Ngircd => Dialect::Irc,
            _ => Dialect::Lines,
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
            Self::Lines => format!("/join room-{room}\n").into_bytes(),
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
    peer: Peer,
    settings: PathBuf,
    /// What keeps the descriptors of a server that is to survive, and the sockets on which it listens.
    store: Option<(Store, Vec<Named>)>,
    /// What stands before it, and does the handshakes.
    front: Option<Front>,
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
        let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(settings);
        let settings = if peer == Peer::Recorded { recording(&settings, &dir) } else { Ok(settings) };
        let prepared = settings.and_then(|settings| {
            let open = || Ok::<_, io::Error>((Store::open(&dir.join("notify"))?, sockets(&dir)?));
            let store = if peer.is_kept() { Some(open()?) } else { None };
            Ok((settings, store))
        });
        let started = prepared.and_then(|(settings, store)| {
            let child = spawn(peer, &dir, port, &settings, store.as_ref(), confined.as_ref())?;
            Ok(Self { port, child, dir: dir.clone(), peer, settings, store, front: None, confined })
        });
        let mut running = started.map_err(|error| {
            fs::remove_dir_all(&dir).ok();
            format!("cannot start {}: {error}", peer.name())
        })?;
        running.await_port(peer, &dir.join("log"))?;
        if peer.shakes() {
            running.front = Some(Front::start(peer, &running.dir, running.port)?);
        }
        Ok(running)
    }

    /// Where people connect, if not to the server itself, and the process that is there.
    pub(crate) fn front(&self) -> Option<(u16, i32)> {
        self.front.as_ref().map(|front| (front.port, front.pid()))
    }

    /// Kills it, as `kill -9` does, and starts the next one. Returns when it was killed and when the next one was ready.
    ///
    /// # Errors
    /// A text for the person at the terminal.
    pub(crate) fn kill(&mut self) -> Result<(u64, u64), String> {
        let fails = |error: io::Error| format!("cannot start it again: {error}");
        let (store, _) = self.store.as_ref().ok_or("it does not outlive that")?;
        let killed = now();
        self.child.kill().map_err(fails)?;
        self.child.wait().map_err(fails)?;
        self.child =
            spawn(self.peer, &self.dir, self.port, &self.settings, self.store.as_ref(), None).map_err(fails)?;
        let ready = store.ready(Duration::from_secs(20)).ok_or("the next one does not become ready")?;
        Ok((killed, ready))
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
                Peer::Redis | Peer::Ngircd => std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok(),
                _ => logged_port(&said).inspect(|&port| self.port = port).is_some(),
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

fn spawn(
    peer: Peer,
    dir: &Path,
    port: u16,
    settings: &Path,
    store: Option<&(Store, Vec<Named>)>,
    confined: Option<&Confined>,
) -> io::Result<Child> {
    // Closed when it has been started.
    let mut handed = Vec::new();
    if let Some((store, sockets)) = store {
        for (name, socket) in sockets {
            handed.push((name.clone(), socket.try_clone()?));
        }
        handed.extend(store.kept()?);
    }
    let mut command = command(peer, dir, port, settings, &handed, confined)?;
    let log = File::options().create(true).append(true).open(dir.join("log"))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
}

fn command(
    peer: Peer,
    dir: &Path,
    port: u16,
    settings: &Path,
    handed: &[Named],
    confined: Option<&Confined>,
) -> io::Result<Command> {
    let mut command;
    match peer {
        Peer::Limit => {
            command = Command::new(std::env::current_exe()?);
            command.args(["--role-limit", "127.0.0.1:0"]);
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
        _ => {
            let program = env!("CARGO_BIN_EXE_chathub");
            if peer.is_kept() {
                let shell = confined.map(Confined::script).unwrap_or_default() + &script(handed)?;
                // Other shells know descriptors of one digit only.
                command = Command::new("bash");
                command.args(["-c", &shell, "bash", program, "serve"]);
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
            if peer.is_kept() {
                let names: Vec<&str> = handed.iter().map(|(name, _)| name.as_str()).collect();
                command.env("LISTEN_FDS", names.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
                command.env("NOTIFY_SOCKET", dir.join("notify")).env("FDSTORE", STORED.to_string());
            }
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

/// The service manager's half of a start: the sockets on which the server listens.
fn sockets(dir: &Path) -> io::Result<Vec<Named>> {
    let chat = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    chat.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    chat.listen(4096)?;
    let admin = UnixListener::bind(dir.join("admin.sock"))?;
    let handover = UnixDatagram::bind(dir.join("handover.sock"))?;
    // Who hands a connection over is told by the kernel.
    SockRef::from(&handover).set_passcred(true)?;
    Ok(vec![
        ("chat".to_owned(), chat.into()),
        ("admin".to_owned(), admin.into()),
        ("handover".to_owned(), handover.into()),
    ])
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

pub(crate) fn free_port() -> io::Result<u16> {
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
