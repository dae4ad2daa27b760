//! The program, with a service manager that is played, and its certificates.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{CertificateParams, KeyPair};
use tempfile::TempDir;

use crate::guard::Guard;

/// How long each wait may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How long a test may take.
const HANGS: Duration = Duration::from_secs(180);

/// What was told by somebody, line by line.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Told {
    pub(crate) fn tell(&self, line: &str) {
        self.0.0.lock().unwrap().push(line.to_owned());
        self.0.1.notify_all();
    }

    pub(crate) fn text(&self) -> String {
        self.0.0.lock().unwrap().join("\n")
    }

    /// Waits for a line that `is` what is waited for.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(line) = lines.iter().find(|line| is(line)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "in vain was waited for {what}; told was:\n{}", lines.join("\n"));
            lines = self.0.1.wait_timeout(lines, left).unwrap().0;
        }
    }
}

/// A directory with files for a program that is not started yet.
pub(crate) struct Setup {
    pub(crate) dir: TempDir,
    args: Vec<String>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self { dir: TempDir::new().unwrap(), args: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(ToString::to_string));
        self
    }

    /// One more certificate, for these names.
    pub(crate) fn pair(self, file: &str, names: &[&str]) -> Self {
        write_pair(&self.path(file), names, -1, 90);
        let (certificate, key) = (self.path(&format!("{file}.pem")), self.path(&format!("{file}.key")));
        self.args(&["--certificate", certificate.to_str().unwrap(), "--key", key.to_str().unwrap()])
    }

    /// The program with these arguments, apart from where it listens.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chathub-tls"));
        for name in [
            "NOTIFY_SOCKET",
            "WATCHDOG_USEC",
            "JOURNAL_STREAM",
            "LISTEN_FDS",
            "LISTEN_PID",
            "LISTEN_FDNAMES",
            "CREDENTIALS_DIRECTORY",
        ] {
            command.env_remove(name);
        }
        command.env("RUNTIME_DIRECTORY", self.dir.path());
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Starts it, and waits until it serves.
    #[track_caller]
    pub(crate) fn start(self) -> Program {
        let handover = self.path("handover.sock").to_str().unwrap().to_owned();
        let this = self.args(&["--listen", "127.0.0.1:0", "--verbose", "--handover", &handover]);
        let command = this.command();
        Program::run(command, this.dir)
    }
}

/// Writes `PATH.pem` and `PATH.key`: a certificate for these names, valid for days from and to now.
pub(crate) fn write_pair(path: &Path, names: &[&str], from: i64, to: i64) {
    let (certificate, key) = made(names, from, to);
    std::fs::write(path.with_extension("pem"), certificate).unwrap();
    std::fs::write(path.with_extension("key"), key).unwrap();
}

/// A certificate and its key, as PEM. It ends an hour later, so that days that are counted are whole ones.
pub(crate) fn made(names: &[&str], from: i64, to: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let day = Duration::from_secs(24 * 60 * 60);
    let at = |days: i64| {
        let by = day * u32::try_from(days.unsigned_abs()).unwrap();
        rcgen::date_time_ymd(1970, 1, 1) + if days < 0 { now - by } else { now + by }
    };
    (params.not_before, params.not_after) = (at(from), at(to) + Duration::from_secs(60 * 60));
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A running program; killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) addr: SocketAddr,
    pub(crate) dir: TempDir,
    pub(crate) log: Told,
    /// What the service manager was told.
    pub(crate) notified: Told,
    _guard: Guard,
}

impl Program {
    #[track_caller]
    pub(crate) fn run(mut command: Command, dir: TempDir) -> Self {
        let (log, notified) = (Told::default(), Told::default());
        let path = dir.path().join("notify.sock");
        let manager = UnixDatagram::bind(&path).unwrap();
        let told = notified.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len) = manager.recv(&mut bytes) {
                String::from_utf8_lossy(&bytes[..len]).lines().for_each(|line| told.tell(line));
            }
        });
        let mut child = command.env("NOTIFY_SOCKET", path).spawn().unwrap();
        let (lines, told) = (BufReader::new(child.stderr.take().unwrap()), log.clone());
        std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(|line| told.tell(&line)));
        let line = log.wait("where it listens", |line| line.contains("TLS on "));
        let addr = line.rsplit(' ').next().unwrap().parse().unwrap();
        notified.wait("readiness", |line| line == "READY=1");
        let (one, two) = (log.clone(), notified.clone());
        let story = move || format!("log:\n{}\nnotified:\n{}", one.text(), two.text());
        Self { child, addr, dir, log, notified, _guard: Guard::new(HANGS, story) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// A connection on which nothing is said yet.
    #[track_caller]
    pub(crate) fn connect(&self) -> TcpStream {
        patient(TcpStream::connect(self.addr).unwrap())
    }

    /// One from another address of this machine.
    #[track_caller]
    pub(crate) fn connect_from(&self, last: u8) -> TcpStream {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 1, last], 0)).into()).unwrap();
        socket.connect(&self.addr.into()).unwrap();
        patient(socket.into())
    }

    /// Waits until the line in `systemctl status` has these words.
    #[track_caller]
    pub(crate) fn status(&self, words: &str) -> String {
        self.notified.wait(words, |line| line.starts_with("STATUS=") && line.contains(words))
    }

    /// Waits for a line of the log with these words.
    #[track_caller]
    pub(crate) fn logged(&self, words: &str) -> String {
        self.log.wait(words, |line| line.contains(words))
    }

    /// Waits for its end, and returns its exit code.
    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// No wait on it is for ever.
pub(crate) fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// All that comes until the connection ends, however it ends.
#[track_caller]
pub(crate) fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    bytes
}
