//! What the tests stand on: a daemon, clients, administrators, and the story they write together.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guard::Guard;
pub(crate) use crate::shared::missing::{have, not_tested};

/// How long one test may take, all its waiting together. Far more than any needs: it is there to end
/// a test that waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(120);

/// After this, a test that waits all the same ends the program, with its story: see [`Guard`].
pub(crate) const HANGS: Duration = Duration::from_secs(300);

/// Paces nobody: for tests that are about something else and send a lot.
pub(crate) const UNPACED: &str = "
[pace]
lines = 1000000
burst_lines = 1000000
shown = 1000000
bytes = '1GiB'
burst_bytes = '1GiB'
private = '1GiB'
";

// ---------------------------------------------------------------------------------------------
// The story

/// What happened on the stage, to be read when a test fails.
#[derive(Clone, Default)]
pub(crate) struct Story(Arc<Mutex<VecDeque<String>>>);

impl Story {
    /// More than this is not kept: the end of a story is what explains its end.
    const LINES: usize = 400;

    pub(crate) fn tell(&self, who: &str, direction: &str, bytes: &[u8]) {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
        let more = if bytes.len() > 300 { format!("... ({} bytes)", bytes.len()) } else { String::new() };
        let mut lines = self.0.lock().unwrap();
        lines.push_back(format!("{who:>8} {direction} {}{more}", shown.escape_debug()));
        if lines.len() > Self::LINES {
            lines.pop_front();
        }
    }

    pub(crate) fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        })
    }
}

/// What is left of the time.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn new() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    /// Never zero, which would mean to wait for ever.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    pub(crate) fn is_over(self) -> bool {
        Instant::now() >= self.0
    }
}

// ---------------------------------------------------------------------------------------------
// The daemon

/// The log of a daemon, line by line as it comes.
#[derive(Default)]
struct Log {
    state: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Log {
    fn state(&self) -> MutexGuard<'_, (Vec<String>, bool)> {
        // A test that has failed meanwhile must not keep the rest of the log from its story.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(self: &Arc<Self>, from: impl FnOnce() -> Box<dyn Read> + Send + 'static, story: Story) {
        let log = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from()).split(b'\n') {
                let Ok(line) = line else { break };
                story.tell("log", "|", &line);
                log.state().0.push(String::from_utf8_lossy(&line).into_owned());
                log.changed.notify_all();
            }
            log.state().1 = true;
            log.changed.notify_all();
        });
    }
}

/// How a daemon is to be started.
pub(crate) struct Setup {
    dir: TempDir,
    listen: Vec<String>,
    env: Vec<(String, String)>,
    args: Vec<String>,
    handed: Vec<OwnedFd>,
    names: Option<String>,
    pid: &'static str,
    descriptors: Option<u32>,
    data: Option<u64>,
    notify: Option<UnixDatagram>,
    keeper: Option<Keeper>,
    own_sockets: bool,
    own_admin: bool,
    own_state: bool,
    program: Option<Vec<String>>,
}

impl Setup {
    #[must_use]
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("chathub.toml"), "").unwrap();
        Self {
            dir,
            listen: vec!["127.0.0.1:0".into()],
            env: Vec::new(),
            args: Vec::new(),
            handed: Vec::new(),
            names: None,
            pid: "$$",
            descriptors: None,
            data: None,
            notify: None,
            keeper: None,
            own_sockets: true,
            own_admin: true,
            own_state: true,
            program: None,
        }
    }

    /// These settings, in TOML.
    #[must_use]
    pub(crate) fn settings(self, toml: &str) -> Self {
        std::fs::write(self.dir.path().join("chathub.toml"), toml).unwrap();
        self
    }

    #[must_use]
    pub(crate) fn listen(mut self, addr: &str) -> Self {
        self.listen.push(addr.into());
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Without saying where to listen.
    #[must_use]
    pub(crate) fn without_listening(mut self) -> Self {
        self.own_sockets = false;
        self
    }

    /// Without saying where the admin socket is to be.
    #[must_use]
    pub(crate) fn without_own_admin_socket(mut self) -> Self {
        self.own_admin = false;
        self
    }

    /// Without saying where the state is to be.
    #[must_use]
    pub(crate) fn without_own_state(mut self) -> Self {
        self.own_state = false;
        self
    }

    /// In that directory, which another daemon has used before.
    #[must_use]
    pub(crate) fn in_dir(mut self, dir: TempDir) -> Self {
        self.dir = dir;
        self
    }

    /// With these sockets handed over (at most three) under these names, `:` between them.
    #[must_use]
    pub(crate) fn handed(mut self, sockets: Vec<OwnedFd>, names: Option<&str>) -> Self {
        assert!(sockets.len() <= 3, "they travel as standard input, output and error");
        self.handed = sockets;
        self.names = names.map(str::to_owned);
        self.own_sockets = false;
        self
    }

    /// The sockets are meant for another process, and the daemon opens its own.
    #[must_use]
    pub(crate) fn handed_to_another(mut self) -> Self {
        self.pid = "1";
        self.own_sockets = true;
        self
    }

    /// With at most so many open files.
    #[must_use]
    pub(crate) fn descriptors(mut self, limit: u32) -> Self {
        self.descriptors = Some(limit);
        self
    }

    /// With at most so many bytes of memory that is its alone and can be written to (`RLIMIT_DATA`, setrlimit(2)).
    #[must_use]
    pub(crate) fn data(mut self, limit: u64) -> Self {
        self.data = Some(limit);
        self
    }

    /// With sockets for chat and administrators, and with somebody who keeps all that is to outlive it: so it keeps
    /// what it does for the next process, which never comes.
    #[must_use]
    pub(crate) fn kept(mut self) -> Self {
        let chat = TcpListener::bind("127.0.0.1:0").unwrap();
        let admin = UnixListener::bind(self.path("admin.sock")).unwrap();
        let path = self.path("notify");
        self.keeper = Some(Keeper::new(path.clone()));
        let path = path.to_str().unwrap();
        self.env("NOTIFY_SOCKET", path).env("FDSTORE", "64").handed(vec![chat.into(), admin.into()], Some("chat:admin"))
    }

    /// Started by this program, which brings the sockets.
    #[must_use]
    pub(crate) fn started_by(mut self, program: &[&str]) -> Self {
        self.program = Some(program.iter().map(ToString::to_string).collect());
        self.own_sockets = false;
        self
    }

    /// Started by this program, which runs what follows it.
    #[must_use]
    pub(crate) fn wrapped_by(mut self, program: &[&str]) -> Self {
        self.program = Some(program.iter().map(ToString::to_string).collect());
        self
    }

    /// With somebody who listens to its notifications: [`Daemon::notified`].
    #[must_use]
    pub(crate) fn notify(mut self) -> Self {
        let path = self.dir.path().join("notify");
        self.notify = Some(UnixDatagram::bind(&path).unwrap());
        // One that keeps no descriptors: those that do have tests of their own, in tests/survival.
        self.env("NOTIFY_SOCKET", path.to_str().unwrap()).env("FDSTORE", "0")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts it, without waiting for anything.
    #[track_caller]
    pub(crate) fn spawn(mut self) -> Daemon {
        let mut args = vec!["serve".to_owned(), "--config".into(), self.path("chathub.toml").display().to_string()];
        if self.own_sockets {
            args.extend(self.listen.iter().flat_map(|addr| ["--listen".to_owned(), addr.clone()]));
        }
        // Nobody's home is written to.
        if self.own_state {
            args.extend(["--state-dir".to_owned(), self.path("state").display().to_string()]);
        }
        if self.own_sockets && self.own_admin {
            args.extend(["--admin-socket".to_owned(), self.path("admin.sock").display().to_string()]);
        }
        args.append(&mut self.args);
        let binary = env!("CARGO_BIN_EXE_chathub").to_owned();
        let mut line = self.program.clone().unwrap_or_default();
        line.push(binary);
        line.append(&mut args);

        let story = Story::default();
        let log = Arc::new(Log::default());
        let shell = !self.handed.is_empty() || self.descriptors.is_some() || self.data.is_some();
        let mut command;
        if shell {
            // Sockets travel as standard streams, and a shell puts them where they belong: nothing
            // else can inherit them by accident, and no `unsafe` is needed between fork and exec.
            let fifo = self.path("stderr");
            nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
            let mut script = String::new();
            for at in 0..self.handed.len() {
                let _ = write!(script, "exec {}<&{at}; ", at + 3);
            }
            script.push_str("exec </dev/null >/dev/null 2>\"$STDERR\"; ");
            if let Some(limit) = self.descriptors {
                let _ = write!(script, "ulimit -n {limit}; ");
            }
            if let Some(limit) = self.data {
                let _ = write!(script, "ulimit -d {}; ", limit.div_ceil(1024));
            }
            if !self.handed.is_empty() {
                let _ = write!(script, "export LISTEN_FDS={} LISTEN_PID={}; ", self.handed.len(), self.pid);
                if let Some(names) = &self.names {
                    let _ = write!(script, "export LISTEN_FDNAMES='{names}'; ");
                }
            }
            script.push_str("exec \"$@\"");
            command = Command::new("sh");
            command.args(["-c", &script, "sh"]).args(&line).env("STDERR", &fifo);
            let mut handed = self.handed.drain(..);
            command.stdin(handed.next().map_or_else(Stdio::null, Stdio::from));
            command.stdout(handed.next().map_or_else(Stdio::null, Stdio::from));
            command.stderr(handed.next().map_or_else(Stdio::null, Stdio::from));
            drop(handed);
            log.read(move || Box::new(File::open(fifo).unwrap()), story.clone());
        } else {
            command = Command::new(&line[0]);
            command.args(&line[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        }
        for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "LISTEN_FDS", "LISTEN_PID"] {
            command.env_remove(name);
        }
        for name in ["LISTEN_FDNAMES", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY", "CHATHUB_SOCKET"] {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        story.tell("test", "$", line.join(" ").as_bytes());
        let mut child = command.spawn().unwrap();
        if let Some(stderr) = child.stderr.take() {
            log.read(move || Box::new(stderr), story.clone());
        }
        let told = story.clone();
        Daemon {
            child,
            log,
            _guard: Guard::new(HANGS, move || told.text()),
            story,
            deadline: Deadline::new(),
            notify: self.notify,
            _keeper: self.keeper,
            dir: Some(self.dir),
            clients: AtomicU32::new(0),
        }
    }

    /// Starts it and waits until it serves.
    #[track_caller]
    pub(crate) fn start(self) -> Daemon {
        let daemon = self.spawn();
        daemon.logged("serving version=");
        daemon
    }

    /// Starts it and waits until it has given up; returns its exit code and its log.
    #[track_caller]
    pub(crate) fn fail(self) -> (Option<i32>, String) {
        let mut daemon = self.spawn();
        let code = daemon.exit_code();
        (code, daemon.log())
    }
}

/// A service manager that takes what it is to keep, and lets go of it.
struct Keeper {
    path: PathBuf,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Keeper {
    fn new(path: PathBuf) -> Self {
        let socket = UnixDatagram::bind(&path).unwrap();
        // What comes with a message and is not asked for is closed: for that a barrier waits (sd_notify(3)).
        let thread = std::thread::spawn(move || while socket.recv(&mut [0; 4096]).is_ok_and(|count| count > 0) {});
        Self { path, thread: Some(thread) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Nobody else sends an empty one.
        if UnixDatagram::unbound().and_then(|socket| socket.send_to(&[], &self.path)).is_ok()
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}

/// A running daemon; killed when dropped, and its story told if the test has failed.
pub(crate) struct Daemon {
    child: Child,
    log: Arc<Log>,
    _guard: Guard,
    pub(crate) story: Story,
    pub(crate) deadline: Deadline,
    notify: Option<UnixDatagram>,
    _keeper: Option<Keeper>,
    dir: Option<TempDir>,
    clients: AtomicU32,
}

impl Daemon {
    /// One on 127.0.0.1 with default settings.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Setup::new().start()
    }

    /// One on 127.0.0.1 with these settings.
    #[track_caller]
    pub(crate) fn with(settings: &str) -> Self {
        Setup::new().settings(settings).start()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.story.tell("test", "!", signal.as_str().as_bytes());
        kill(self.pid(), signal).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.as_ref().unwrap().path().join(name)
    }

    pub(crate) fn admin_path(&self) -> PathBuf {
        self.path("admin.sock")
    }

    /// All it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.state().0.join("\n")
    }

    /// Waits for a line of the log that contains `text`.
    #[track_caller]
    pub(crate) fn logged(&self, text: &str) -> String {
        let mut state = self.log.state();
        loop {
            if let Some(line) = state.0.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            assert!(!state.1, "the daemon has ended without logging {text:?}");
            assert!(!self.deadline.is_over(), "the daemon does not log {text:?}");
            state =
                self.log.changed.wait_timeout(state, self.deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Where it listens for clients, in the order of its log.
    pub(crate) fn addrs(&self) -> Vec<SocketAddr> {
        let log = self.log();
        let addrs = log.lines().filter_map(|line| line.split("listening for clients on ").nth(1));
        addrs.map(|addr| addr.parse().unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addrs()[0]
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        let mut state = self.log.state();
        while !state.1 {
            assert!(!self.deadline.is_over(), "the daemon does not end");
            state =
                self.log.changed.wait_timeout(state, self.deadline.left()).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        self.child.wait().unwrap().code()
    }

    /// Waits for its end, and gives back the directory it has worked in.
    #[track_caller]
    pub(crate) fn leave(mut self) -> TempDir {
        self.exit_code();
        self.dir.take().unwrap()
    }

    /// The next notification, as `NAME=VALUE` lines.
    #[track_caller]
    pub(crate) fn notified(&self) -> String {
        let socket = self.notify.as_ref().expect("Setup::notify was called");
        socket.set_read_timeout(Some(self.deadline.left())).unwrap();
        let mut buffer = [0; 4096];
        let count = socket.recv(&mut buffer).expect("another notification");
        self.story.tell("systemd", "<", &buffer[..count]);
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    /// Waits for a notification with that line in it.
    #[track_caller]
    pub(crate) fn notified_of(&self, line: &str) -> String {
        loop {
            let text = self.notified();
            if text.lines().any(|one| one == line) {
                return text;
            }
        }
    }

    /// A client that has been greeted.
    #[track_caller]
    pub(crate) fn guest(&self) -> Client {
        let number = self.clients.fetch_add(1, Ordering::Relaxed) + 1;
        let mut client = Client::connect(self, self.addr(), &format!("guest{number}"));
        client.greeted();
        client
    }

    /// A client that has been greeted and has taken a name.
    #[track_caller]
    pub(crate) fn client(&self, nick: &str) -> Client {
        let mut client = Client::connect(self, self.addr(), nick);
        client.greeted();
        client.rename(nick);
        client
    }

    /// A connection to the admin socket.
    #[track_caller]
    pub(crate) fn admin(&self) -> Admin {
        Admin::connect(self)
    }

    /// Runs `chathub ctl ARGS` against it.
    #[track_caller]
    pub(crate) fn ctl(&self, args: &[&str]) -> Ctl {
        self.story.tell("ctl", ">", args.join(" ").as_bytes());
        let output = ctl_command(&self.admin_path(), args).output().unwrap();
        let ctl = Ctl {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        for (name, text) in [("<", &ctl.out), ("!", &ctl.err)] {
            text.lines().for_each(|line| self.story.tell("ctl", name, line.as_bytes()));
        }
        ctl
    }

    /// A number from `/proc/PID/status`; of memory, in KiB.
    pub(crate) fn status(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Processor time it has used.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).unwrap().unwrap();
        Duration::from_millis(ticks * 1000 / u64::try_from(per_second).unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("---- the story\n{}---- its end", self.story.text());
        }
    }
}

pub(crate) fn ctl_command(socket: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chathub"));
    command.arg("ctl").args(args).env("CHATHUB_SOCKET", socket).env_remove("XDG_RUNTIME_DIR").stdin(Stdio::null());
    command
}

/// What came of `chathub ctl`.
#[derive(Debug)]
pub(crate) struct Ctl {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ctl {
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }
}

// ---------------------------------------------------------------------------------------------
// Clients

/// Somebody at the other end of a TCP connection.
///
/// It watches over what every client is promised: lines end in CR LF, and whoever sends no telnet is
/// sent none.
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) nick: String,
    pub(crate) stream: TcpStream,
    buffer: VecDeque<u8>,
    ended: bool,
    telnet: bool,
    story: Story,
    deadline: Deadline,
}

impl Client {
    #[track_caller]
    pub(crate) fn connect(daemon: &Daemon, addr: SocketAddr, name: &str) -> Self {
        let stream = TcpStream::connect_timeout(&addr, daemon.deadline.left()).unwrap();
        Self::on(daemon, stream, name)
    }

    /// Where it comes from.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// One that comes from that address of this machine.
    #[track_caller]
    pub(crate) fn connect_from(daemon: &Daemon, from: SocketAddr, name: &str) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::for_address(from), socket2::Type::STREAM, None).unwrap();
        socket.set_reuse_address(true).unwrap();
        socket.bind(&from.into()).unwrap();
        socket.connect(&daemon.addr().into()).unwrap();
        Self::on(daemon, socket.into(), name)
    }

    /// One whose system takes little while the program does not read.
    #[track_caller]
    pub(crate) fn connect_narrow(daemon: &Daemon, name: &str) -> Self {
        let socket = socket2::Socket::new(socket2::Domain::for_address(daemon.addr()), socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&daemon.addr().into()).unwrap();
        Self::on(daemon, socket.into(), name)
    }

    fn on(daemon: &Daemon, stream: TcpStream, name: &str) -> Self {
        stream.set_nodelay(true).unwrap();
        daemon.story.tell(name, ".", b"connects");
        Self {
            name: name.into(),
            nick: String::new(),
            stream,
            buffer: VecDeque::new(),
            ended: false,
            telnet: false,
            story: daemon.story.clone(),
            deadline: daemon.deadline,
        }
    }

    /// This one speaks telnet, and may be spoken to in telnet.
    pub(crate) fn speaking_telnet(mut self) -> Self {
        self.telnet = true;
        self
    }

    #[track_caller]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.story.tell(&self.name, ">", bytes);
        self.stream.set_write_timeout(Some(self.deadline.left())).unwrap();
        self.stream.write_all(bytes).unwrap();
    }

    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        self.write(format!("{line}\n").as_bytes());
    }

    /// Closes its side, as `nc -N` does at the end of its input.
    pub(crate) fn end(&mut self) {
        self.story.tell(&self.name, ".", b"closes its side");
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// Reads once. Whether there may be more.
    #[track_caller]
    pub(crate) fn fill(&mut self) -> bool {
        assert!(!self.deadline.is_over(), "{} has waited long enough", self.name);
        self.stream.set_read_timeout(Some(self.deadline.left())).unwrap();
        let mut chunk = [0; 64 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                let bytes = &chunk[..count];
                assert!(self.telnet || !bytes.contains(&0xff), "{} got telnet: {bytes:?}", self.name);
                self.buffer.extend(bytes);
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("{} waits in vain", self.name)
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                self.story.tell(&self.name, "<", b"(reset)");
                self.ended = true;
            }
            Err(error) => panic!("{}: {error}", self.name),
        }
        !self.ended
    }

    /// The next line, or `None` at the end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
        let mut looked = 0;
        loop {
            if let Some(at) = self.buffer.iter().skip(looked).position(|byte| *byte == b'\n').map(|at| at + looked) {
                let mut line: Vec<u8> = self.buffer.drain(..=at).collect();
                self.story.tell(&self.name, "<", &line);
                assert!(line.ends_with(b"\r\n"), "{} got a line that does not end in CR LF: {line:?}", self.name);
                line.truncate(line.len() - 2);
                assert!(!line.contains(&b'\r'), "{} got a torn line: {line:?}", self.name);
                return Some(String::from_utf8(line).expect("every line is UTF-8"));
            }
            looked = self.buffer.len();
            if !self.fill() {
                assert!(self.buffer.is_empty(), "{} got half a line at the end: {:?}", self.name, self.buffer);
                self.story.tell(&self.name, "<", b"(end)");
                return None;
            }
        }
    }

    /// Reads until a line is as wanted, and returns it and those before it.
    #[track_caller]
    pub(crate) fn until(&mut self, wanted: &str, is: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let Some(line) = self.line() else { panic!("{} expects {wanted:?}, and the connection ends", self.name) };
            let found = is(&line);
            lines.push(line);
            if found {
                return lines;
            }
        }
    }

    /// Reads until this line comes; returns those before it.
    #[track_caller]
    pub(crate) fn expect(&mut self, line: &str) -> Vec<String> {
        let mut lines = self.until(line, |one| one == line);
        lines.pop();
        lines
    }

    /// Reads until a line comes that contains `text`, and returns it.
    #[track_caller]
    pub(crate) fn expect_with(&mut self, text: &str) -> String {
        self.until(text, |line| line.contains(text)).pop().unwrap()
    }

    /// The next line is this one.
    #[track_caller]
    pub(crate) fn next_is(&mut self, line: &str) {
        let next = self.line();
        assert_eq!(next.as_deref(), Some(line), "what {} sees next", self.name);
    }

    /// All lines to the end of the connection.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.line()).collect()
    }

    /// Waits until everything this client has sent is handled, and returns what it has seen till then.
    #[track_caller]
    pub(crate) fn sync(&mut self) -> Vec<String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.send(&format!("/whois nobody{number}"));
        self.expect(&format!("-- nobody called nobody{number} is connected"))
    }

    /// Reads all that greets it; returns that.
    #[track_caller]
    pub(crate) fn greeted(&mut self) -> Vec<String> {
        let lines = self.until("the end of the greeting", |line| line.starts_with("-- You are "));
        let (_, rest) = lines[lines.len() - 1].split_once("You are ").expect("the greeting tells the name");
        self.nick = rest.split(' ').next().unwrap().into();
        lines
    }

    #[track_caller]
    pub(crate) fn rename(&mut self, nick: &str) {
        self.send(&format!("/nick {nick}"));
        self.expect(&format!("-- you are {nick} now"));
        self.nick = nick.into();
    }

    /// Reads until these bytes come, and takes away all up to them.
    #[track_caller]
    pub(crate) fn expect_bytes(&mut self, bytes: &[u8]) {
        loop {
            let found = self.buffer.make_contiguous().windows(bytes.len()).position(|window| window == bytes);
            if let Some(at) = found {
                let all: Vec<u8> = self.buffer.drain(..at + bytes.len()).collect();
                return self.story.tell(&self.name, "<", &all);
            }
            assert!(self.fill(), "{} expects the bytes {bytes:?}, and the connection ends", self.name);
        }
    }

    /// Whether nothing comes for so long. The one place where time passes: an absence has no event.
    #[track_caller]
    pub(crate) fn hears_nothing_for(&mut self, time: Duration) -> bool {
        assert!(self.buffer.is_empty());
        self.stream.set_read_timeout(Some(time)).unwrap();
        let mut byte = [0];
        match self.stream.peek(&mut byte) {
            Ok(_) => false,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Administrators

/// A raw connection to the admin socket.
pub(crate) struct Admin {
    pub(crate) stream: UnixStream,
    from: BufReader<UnixStream>,
    story: Story,
    deadline: Deadline,
    next: u64,
}

impl Admin {
    #[track_caller]
    pub(crate) fn connect(daemon: &Daemon) -> Self {
        let stream = UnixStream::connect(daemon.admin_path()).unwrap();
        let from = BufReader::new(stream.try_clone().unwrap());
        Self { stream, from, story: daemon.story.clone(), deadline: daemon.deadline, next: 1 }
    }

    #[track_caller]
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.put(bytes.as_ref()).unwrap();
    }

    /// The same where the daemon may have answered and closed already.
    #[track_caller]
    pub(crate) fn try_write(&mut self, bytes: impl AsRef<[u8]>) {
        match self.put(bytes.as_ref()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            other => other.unwrap(),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.story.tell("admin", ">", bytes);
        self.stream.set_write_timeout(Some(self.deadline.left())).unwrap();
        self.stream.write_all(bytes)
    }

    /// Closes its side.
    pub(crate) fn end(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// The next line, or `None` at the end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
        assert!(!self.deadline.is_over(), "the administrator has waited long enough");
        self.stream.set_read_timeout(Some(self.deadline.left())).unwrap();
        let mut line = String::new();
        let count = self.from.read_line(&mut line).unwrap_or_else(|error| panic!("no answer: {error}"));
        self.story.tell("admin", "<", line.as_bytes());
        (count > 0).then_some(line)
    }

    /// The next line, as JSON.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Value {
        let line = self.line().expect("a reply");
        assert!(line.ends_with('\n'), "a reply is a line: {line:?}");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    #[track_caller]
    pub(crate) fn ask(&mut self, cmd: &str, args: &Value) -> Value {
        let id = self.next;
        self.next += 1;
        self.write(format!("{}\n", json!({"id": id, "cmd": cmd, "args": args})));
        let reply = self.reply();
        assert_eq!(reply["id"], id, "{reply}");
        reply
    }

    /// Asks, and returns the result.
    #[track_caller]
    pub(crate) fn done(&mut self, cmd: &str, args: &Value) -> Value {
        let mut reply = self.ask(cmd, args);
        assert_eq!(reply["ok"], true, "{reply}");
        reply["result"].take()
    }

    /// Asks, and returns the code of the error.
    #[track_caller]
    pub(crate) fn refused(&mut self, cmd: &str, args: &Value) -> (String, String) {
        let reply = self.ask(cmd, args);
        assert_eq!(reply["ok"], false, "{reply}");
        let text = |key: &str| reply["error"][key].as_str().unwrap().to_owned();
        (text("code"), text("message"))
    }

    /// A counter of `status`.
    #[track_caller]
    pub(crate) fn counter(&mut self, name: &str) -> u64 {
        self.done("status", &json!({}))["counters"][name].as_u64().unwrap_or_else(|| panic!("no counter {name}"))
    }

    /// Asks until a counter has reached `value`.
    #[track_caller]
    pub(crate) fn counter_reaches(&mut self, name: &str, value: u64) {
        while self.counter(name) < value {
            assert!(!self.deadline.is_over(), "{name} does not reach {value}");
            std::thread::yield_now();
        }
    }

    /// The one client of that name, as `clients.get` tells.
    #[track_caller]
    pub(crate) fn about(&mut self, who: &str) -> Value {
        self.done("clients.get", &json!({"who": who}))
    }

    /// Streams events of these kinds; returns when they are on their way.
    #[track_caller]
    pub(crate) fn subscribe(&mut self, kinds: &[&str]) {
        let request = json!({"id": "sub", "cmd": "events.subscribe", "args": {"kinds": kinds}, "more": true});
        // A subscription is not confirmed; but what is asked after it is refused, and that is.
        self.write(format!("{request}\n{}\n", json!({"id": "after", "cmd": "hello"})));
        let reply = self.reply();
        assert_eq!((&reply["id"], &reply["error"]["code"]), (&json!("after"), &json!("conflict")), "{reply}");
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Value {
        let mut reply = self.reply();
        assert_eq!(
            (&reply["id"], &reply["ok"], &reply["more"]),
            (&json!("sub"), &json!(true), &json!(true)),
            "{reply}"
        );
        reply["result"].take()
    }
}
