//! The service manager's part: sockets that outlive the daemon, a descriptor store, notifications
//! (sd_notify(3)), and the rules of restarting.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, IoSliceMut, Write as _};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::guard::Guard;
use crate::load::told;
use crate::sealed::{self, Relay};
use crate::shared::dice::Dice;

/// The longest wait for anything. It is far longer than needed, also where other tests and programs
/// have the processor: it ends a test that waits for something that never comes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// The longest time for one load with a hundred deaths. After it the test program ends with a
/// report.
const HANGS: Duration = Duration::from_secs(1800);

/// The exit codes after which the unit is not restarted: after a goodbye, and for errors that a
/// restart cannot mend.
const FINAL: [i32; 4] = [0, 2, 69, 78];
/// The exit code after a hand-over.
pub(crate) const HANDED_OVER: i32 = 75;

/// This many deaths in a row before readiness count as a loop, and the service is stopped.
const LOOP: u32 = 30;

/// While a child is being started, the descriptors it is to inherit have no close-on-exec: this
/// lock keeps other threads from starting a child meanwhile.
static SPAWNING: Mutex<()> = Mutex::new(());

/// The way in which a daemon ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) status: ExitStatus,
    /// The time since the supervisor began.
    pub(crate) at: Duration,
    pub(crate) was_ready: bool,
}

#[derive(Default)]
struct State {
    store: Vec<(String, OwnedFd)>,
    child: Option<Child>,
    pid: Option<Pid>,
    /// How many daemons were started so far, and when the last one was.
    spawns: u32,
    spawned: Option<Instant>,
    /// Whether the last one has said that it is ready, and when it did.
    ready: bool,
    readied: Option<Instant>,
    endings: Vec<Ending>,
    /// Environment variables, each for one start only.
    once: VecDeque<(String, String)>,
    /// Whether the next start waits for [`Supervisor::release`].
    held: bool,
    /// Whether the service is stopped: the daemon ended with a final code, or in a loop.
    stopped: bool,
    looped: bool,
    /// Whether the test is over.
    over: bool,
    log: VecDeque<String>,
    asked: u64,
    synced: u64,
    /// The most descriptors in the store (`FileDescriptorStoreMax=`); further ones are refused.
    most: usize,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    began: Instant,
    notify: PathBuf,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that has panicked must not keep the others from their report.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last lines of the log.
    fn story(&self) -> String {
        self.state().log.iter().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{line}");
            text
        })
    }

    fn note(&self, text: &str) {
        const KEPT: usize = 300;
        let line = format!("{:9.4} {text}", self.began.elapsed().as_secs_f64());
        let log = &mut self.state().log;
        log.push_back(line);
        if log.len() > KEPT {
            log.pop_front();
        }
    }
}

/// The way in which the daemon is started, each time.
pub(crate) struct Plan {
    settings: String,
    env: Vec<(String, String)>,
    notify: bool,
    store: usize,
    preserve: bool,
    descriptors: Option<u32>,
    in_the_way: bool,
    sealed: bool,
    dice: Dice,
}

impl Plan {
    pub(crate) fn new(settings: &str, seed: u64) -> Self {
        Self {
            settings: settings.to_owned(),
            env: Vec::new(),
            notify: true,
            store: 64,
            preserve: false,
            descriptors: None,
            in_the_way: false,
            sealed: false,
            dice: Dice(seed),
        }
    }

    #[must_use]
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without a notification socket and a store, as if started by hand with passed sockets.
    #[must_use]
    pub(crate) fn without_notify(mut self) -> Self {
        self.notify = false;
        self
    }

    /// With a store that is kept when the service stops (`FileDescriptorStorePreserve=yes`).
    #[must_use]
    pub(crate) fn preserving(mut self) -> Self {
        self.preserve = true;
        self
    }

    /// With at most this many open files.
    #[must_use]
    pub(crate) fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// With a file in the place of the state directory, so that the directory can be neither read
    /// nor made.
    #[must_use]
    pub(crate) fn in_the_way(mut self) -> Self {
        self.in_the_way = true;
        self
    }

    /// If `sealed`: every second client is encrypted, and every fourth one comes through a proxy.
    #[must_use]
    pub(crate) fn sealed(mut self, sealed: bool) -> Self {
        self.sealed = sealed;
        self
    }

    /// With a store that takes at most this many descriptors.
    #[must_use]
    pub(crate) fn store(mut self, most: usize) -> Self {
        self.store = most;
        self
    }

    #[track_caller]
    pub(crate) fn start(self) -> Supervisor {
        let supervisor = self.begin();
        supervisor.ready_after(0);
        supervisor
    }

    /// Starts the service, without waiting for the daemon.
    pub(crate) fn begin(self) -> Supervisor {
        let dir = TempDir::new().unwrap();
        std::fs::write(dir.path().join("chathub.toml"), &self.settings).unwrap();
        if self.in_the_way {
            std::fs::write(dir.path().join("state"), "in the way").unwrap();
        }
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(4096).unwrap();
        let chat = TcpListener::from(socket);
        let admin = UnixListener::bind(dir.path().join("admin.sock")).unwrap();
        let notify_path = dir.path().join("notify");
        let notify = UnixDatagram::bind(&notify_path).unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(State { most: self.store, ..State::default() }),
            changed: Condvar::new(),
            began: Instant::now(),
            notify: notify_path,
        });
        let mut addr = chat.local_addr().unwrap();
        let handover = self.sealed.then(|| UnixDatagram::bind(sealed::path(dir.path())).unwrap());
        if let Some(handover) = &handover {
            // As `PassCredentials=yes` in the unit: the sender is known even of messages sent
            // before the daemon runs.
            socket2::SockRef::from(handover).set_passcred(true).unwrap();
        }
        let proxy = self.sealed.then(|| TcpListener::bind(("127.0.0.1", 0)).unwrap());
        let at_proxy = proxy.as_ref().map(|proxy| proxy.local_addr().unwrap());
        let relay = at_proxy.map(|proxy| Relay::start(addr, proxy, &sealed::path(dir.path()), Dice(self.dice.0 ^ 77)));
        if let Some(relay) = &relay {
            addr = relay.addr;
        }
        let listening = {
            let shared = shared.clone();
            std::thread::spawn(move || listen(&notify, &shared))
        };
        let living = {
            let shared = shared.clone();
            let config = dir.path().join("chathub.toml");
            let mut sockets = vec![("chat".to_owned(), chat.into()), ("admin".to_owned(), admin.into())];
            sockets.extend(handover.map(|socket| ("handover".to_owned(), socket.into())));
            sockets.extend(proxy.map(|socket| ("proxy".to_owned(), socket.into())));
            std::thread::spawn(move || live(self, &config, &sockets, &shared))
        };
        let story = shared.clone();
        let guard = Guard::new(HANGS, move || story.story());
        Supervisor { shared, addr, relay, threads: vec![living, listening], dir, _guard: guard }
    }
}

/// Starts the daemon again and again, as `Restart=` in the unit does.
fn live(plan: Plan, config: &Path, sockets: &[(String, OwnedFd)], shared: &Shared) {
    let mut dice = plan.dice;
    let mut in_a_row = 0;
    loop {
        let mut state = shared.state();
        while (state.held || state.stopped) && !state.over {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.over {
            return;
        }
        let mut env = plan.env.clone();
        env.extend(state.once.drain(..));
        if plan.notify {
            env.push(("NOTIFY_SOCKET".to_owned(), shared.notify.display().to_string()));
            // systemd passes this variable only since version 254.
            if dice.one_in(2) {
                env.push(("FDSTORE".to_owned(), state.most.to_string()));
            }
        }
        let stored = state.store.iter();
        let mut handed: Vec<(&str, &OwnedFd)> =
            sockets.iter().chain(stored).map(|(name, descriptor)| (name.as_str(), descriptor)).collect();
        // The order of the descriptors is not specified, so it is random here.
        for at in (1..handed.len()).rev() {
            handed.swap(at, dice.below(at + 1));
        }
        let mut child = spawn(config, &handed, &env, plan.descriptors);
        let names: Vec<String> = handed.iter().map(|(name, _)| (*name).to_owned()).collect();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let stderr = child.stderr.take().unwrap();
        state.spawns += 1;
        let number = state.spawns;
        (state.pid, state.child, state.ready, state.spawned) = (Some(pid), Some(child), false, Some(Instant::now()));
        drop(state);
        let faults: Vec<String> = env
            .iter()
            .filter(|(name, _)| name.starts_with("CHATHUB_"))
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        shared.note(&format!("start {number}: process {pid} with {}{}", names.join(" "), faults.concat()));
        shared.changed.notify_all();
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            shared.note(&format!("  | {}", String::from_utf8_lossy(&line)));
        }
        // Notifications that the daemon sent before its end are handled before its end.
        sync(shared);
        let mut state = shared.state();
        let status = state.child.take().unwrap().wait().unwrap();
        state.pid = None;
        let was_ready = std::mem::take(&mut state.ready);
        state.endings.push(Ending { status, at: shared.began.elapsed(), was_ready });
        in_a_row = if was_ready { 0 } else { in_a_row + 1 };
        if status.code().is_some_and(|code| FINAL.contains(&code)) {
            state.stopped = true;
            if !plan.preserve {
                state.store.clear();
            }
        }
        if in_a_row >= LOOP {
            state.stopped = true;
            state.looped = true;
        }
        drop(state);
        shared.note(&format!("end {number}: {status}"));
        shared.changed.notify_all();
    }
}

/// Starts the daemon with these descriptors, from number 3 on.
fn spawn(config: &Path, handed: &[(&str, &OwnedFd)], env: &[(String, String)], descriptors: Option<u32>) -> Child {
    let _alone = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
    // A shell moves the descriptors to their numbers: first all of them out of the way, then each
    // to its place. "Out of the way" means above all target numbers and all present numbers, so
    // that none replaces another.
    let highest = handed.iter().map(|(_, descriptor)| descriptor.as_raw_fd()).max().unwrap_or(0);
    let behind = usize::try_from(highest).unwrap().max(3 + handed.len()) + 1;
    let (mut away, mut back) = (String::new(), String::new());
    for (at, (_, descriptor)) in handed.iter().enumerate() {
        let number = descriptor.as_raw_fd();
        let _ = write!(away, "exec {}<&{number} {number}<&-; ", behind + at);
        let _ = write!(back, "exec {}<&{} {}<&-; ", at + 3, behind + at, behind + at);
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    }
    let mut script = away + &back;
    if let Some(most) = descriptors {
        let _ = write!(script, "ulimit -n {most}; ");
    }
    script.push_str("export LISTEN_PID=$$; exec \"$@\"");
    let names: Vec<&str> = handed.iter().map(|(name, _)| *name).collect();
    let mut command = Command::new("bash");
    command.args(["-c", &script, "bash", env!("CARGO_BIN_EXE_chathub"), "serve", "--config"]).arg(config);
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "FDSTORE", "LISTEN_PIDFDID"] {
        command.env_remove(name);
    }
    for name in ["XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY", "CHATHUB_SOCKET", "CHATHUB_SEED", "CHATHUB_KILLS"] {
        command.env_remove(name);
    }
    command.env("LISTEN_FDS", handed.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
    // As `StateDirectory=` in the unit does.
    command.env("STATE_DIRECTORY", config.with_file_name("state"));
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().expect("bash is installed");
    for (_, descriptor) in handed {
        fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
    }
    child
}

/// Waits until all notifications sent so far are handled.
fn sync(shared: &Shared) {
    let number = {
        let mut state = shared.state();
        state.asked += 1;
        state.asked
    };
    UnixDatagram::unbound().unwrap().send_to(format!("X_SYNC={number}").as_bytes(), &shared.notify).unwrap();
    let end = Instant::now() + PATIENCE;
    let mut state = shared.state();
    // If the listening thread has failed, no notification is handled any more.
    while state.synced < number && !state.over && Instant::now() < end {
        state = shared.changed.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// The listening thread: handles the notifications.
fn listen(notify: &UnixDatagram, shared: &Shared) {
    loop {
        let mut buffer = [0; 8192];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut pieces = [IoSliceMut::new(&mut buffer)];
        let length = recvmsg(notify, &mut pieces, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap().bytes;
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                descriptors.extend(some);
            }
        }
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        if let Some(number) = value("X_SYNC") {
            shared.state().synced = number.parse().unwrap();
        } else if value("X_END").is_some() {
            return;
        } else {
            if value("WATCHDOG").is_none() && value("STATUS").is_none() {
                let shown = text.lines().collect::<Vec<_>>().join(" ");
                shared.note(&format!("notified: {shown} ({} descriptors)", descriptors.len()));
            }
            let mut state = shared.state();
            let name = value("FDNAME").unwrap_or("stored").to_owned();
            if value("READY") == Some("1") {
                if !state.ready {
                    state.readied = Some(Instant::now());
                }
                state.ready = state.pid.is_some();
            }
            if value("FDSTOREREMOVE") == Some("1") {
                state.store.retain(|(stored, _)| *stored != name);
            } else if value("FDSTORE") == Some("1") {
                for descriptor in descriptors {
                    if state.store.len() < state.most {
                        state.store.push((name.clone(), descriptor));
                    }
                }
            } else if value("BARRIER") == Some("1") {
                drop(descriptors);
            }
        }
        shared.changed.notify_all();
    }
}

/// A service that is restarted, as a test sees it. Dropping it ends everything, and prints the
/// report if the test has failed.
pub(crate) struct Supervisor {
    shared: Arc<Shared>,
    /// The address to which clients connect.
    pub(crate) addr: SocketAddr,
    /// The relay that encrypts every second connection.
    relay: Option<Relay>,
    threads: Vec<JoinHandle<()>>,
    dir: TempDir,
    _guard: Guard,
}

impl Supervisor {
    #[track_caller]
    fn wait<T>(&self, what: &str, mut is: impl FnMut(&mut State) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut state = self.shared.state();
        loop {
            if let Some(value) = is(&mut state) {
                return value;
            }
            assert!(!state.looped, "the daemon dies again and again before it is ready: {what}");
            let is_stuck = state.stopped && what.contains("the daemon is");
            assert!(!is_stuck, "{what}: never, for the service has stopped: {:?}", state.endings.last());
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain: {what}");
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until a daemon is ready that is not among the first `spawns` daemons started.
    #[track_caller]
    pub(crate) fn ready_after(&self, spawns: u32) {
        self.wait("the daemon is ready", |state| (state.spawns > spawns && state.ready).then_some(()));
    }

    /// Fails if an encrypted connection was torn.
    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        if let Some(relay) = &self.relay {
            relay.assert_whole();
        }
    }

    /// Asks again and again until `is` returns true: for conditions that nothing signals. `what`
    /// names the condition.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut is: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is() {
            assert!(Instant::now() < end, "waited in vain: {what}");
            std::thread::yield_now();
        }
    }

    /// The process id of the running daemon.
    #[track_caller]
    pub(crate) fn pid(&self) -> Pid {
        self.shared.state().pid.expect("it runs")
    }

    /// The directory of the service's sockets and files.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// How many daemons were started; also the number of the running one.
    pub(crate) fn spawns(&self) -> u32 {
        self.shared.state().spawns
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.shared.state().ready
    }

    /// The time from the start of the running daemon until it was ready.
    pub(crate) fn start_took(&self) -> Option<Duration> {
        let state = self.shared.state();
        Some(state.readied?.saturating_duration_since(state.spawned?))
    }

    /// Waits until a daemon, ready or not, is started after the first `spawns` ones. Returns the
    /// number started.
    #[track_caller]
    pub(crate) fn started_after(&self, spawns: u32) -> u32 {
        self.wait("the daemon is started", |state| {
            (state.spawns > spawns && state.pid.is_some()).then_some(state.spawns)
        })
    }

    /// Sends a signal to the running daemon; returns whether there was one.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        let state = self.shared.state();
        let Some(pid) = state.pid else { return false };
        // The process is not reaped before this lock is released, so the number cannot belong to
        // another process.
        let sent = state.child.is_some() && kill(pid, signal).is_ok();
        drop(state);
        self.shared.note(&format!("{signal} to {pid}: {sent}"));
        sent
    }

    /// Sends a signal, and waits until the next daemon is ready. Returns the status of the one that
    /// ended.
    #[track_caller]
    pub(crate) fn replace(&self, signal: Signal) -> ExitStatus {
        let (spawns, endings) = {
            let state = self.shared.state();
            (state.spawns, state.endings.len())
        };
        assert!(self.signal(signal), "there is a daemon");
        self.ready_after(spawns);
        self.endings()[endings].status
    }

    pub(crate) fn endings(&self) -> Vec<Ending> {
        self.shared.state().endings.clone()
    }

    /// Waits until `count` daemons have ended; returns the ending of the last of these.
    #[track_caller]
    pub(crate) fn ended(&self, count: usize) -> Ending {
        self.wait("the daemon ends", |state| state.endings.get(count - 1).copied())
    }

    /// Waits until the service is stopped: its last daemon has said goodbye.
    #[track_caller]
    pub(crate) fn stopped(&self) -> Ending {
        self.wait("the service stops", |state| state.endings.last().copied().filter(|_| state.stopped))
    }

    /// Starts the stopped service again, as the next connection to its socket would.
    pub(crate) fn activate(&self) {
        let mut state = self.shared.state();
        assert!(!state.looped, "the daemon dies again and again before it is ready");
        state.stopped = false;
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Delays the next start until [`Self::release`].
    pub(crate) fn hold(&self) {
        self.shared.state().held = true;
    }

    pub(crate) fn release(&self) {
        self.shared.state().held = false;
        self.shared.changed.notify_all();
    }

    /// Sets an environment variable for the next start, and for no later one.
    pub(crate) fn once(&self, name: &str, value: &str) {
        self.shared.state().once.push_back((name.to_owned(), value.to_owned()));
    }

    /// The names of the stored descriptors.
    pub(crate) fn store(&self) -> Vec<String> {
        let mut names: Vec<_> = self.shared.state().store.iter().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// A duplicate of the descriptor stored under this name.
    pub(crate) fn stored(&self, name: &str) -> Option<OwnedFd> {
        let state = self.shared.state();
        let found = state.store.iter().find(|(stored, _)| stored == name);
        found.map(|(_, descriptor)| descriptor.try_clone().unwrap())
    }

    /// Removes the descriptor stored under this name, or replaces it.
    pub(crate) fn exchange(&self, name: &str, other: Option<OwnedFd>) {
        let mut state = self.shared.state();
        state.store.retain(|(stored, _)| stored != name);
        state.store.extend(other.map(|other| (name.to_owned(), other)));
    }

    pub(crate) fn note(&self, text: &str) {
        self.shared.note(text);
    }

    /// The last lines of the daemons' logs and of the supervisor's.
    pub(crate) fn story(&self) -> String {
        self.shared.story()
    }

    /// The path of the state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn settings(&self, toml: &str) {
        std::fs::write(self.dir.path().join("chathub.toml"), toml).unwrap();
    }

    /// Sends one request to the admin socket, and returns the answer.
    pub(crate) fn try_ask(&self, cmd: &str, args: &Value) -> std::io::Result<Value> {
        let mut stream = UnixStream::connect(self.dir.path().join("admin.sock"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(format!("{}\n", json!({"id": 1, "cmd": cmd, "args": args})).as_bytes())?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        self.shared.note(&format!("admin {cmd} {args}: {}", line.trim_end().chars().take(1000).collect::<String>()));
        serde_json::from_str(&line).map_err(std::io::Error::other)
    }

    #[track_caller]
    pub(crate) fn ask(&self, cmd: &str, args: &Value) -> Value {
        let mut answer = self.try_ask(cmd, args).unwrap_or_else(|error| panic!("{cmd}: {error}"));
        assert_eq!(answer["ok"], true, "{cmd} {args}: {answer}");
        answer["result"].take()
    }
}

impl crate::load::Service for Supervisor {
    fn addr(&self) -> SocketAddr {
        self.addr
    }

    fn elapsed(&self) -> Duration {
        self.shared.began.elapsed()
    }

    fn note(&self, text: &str) {
        self.shared.note(text);
    }

    fn say(&self, text: &str) -> usize {
        self.ready_after(0);
        told(&self.ask("say", &json!({"text": text})))
    }

    fn deaths(&self) -> String {
        let death = |ending: &Ending| format!("{:.4} {}", ending.at.as_secs_f64(), ending.status);
        self.endings().iter().map(death).collect::<Vec<_>>().join(", ")
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        {
            let mut state = self.shared.state();
            state.over = true;
            if let (Some(pid), true) = (state.pid, state.child.is_some()) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
        self.shared.changed.notify_all();
        let living = self.threads.remove(0);
        let _ = living.join();
        let _ = UnixDatagram::unbound().unwrap().send_to(b"X_END=1", &self.shared.notify);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        if std::thread::panicking() {
            eprintln!("---- what happened to the daemon\n{}---- its end", self.story());
        }
    }
}
