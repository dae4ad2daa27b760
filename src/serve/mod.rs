//! The daemon: takes or opens its sockets, reads its settings, starts the tasks, and ends with an
//! exit code.

use crate::machine;
use crate::net::keep::tape;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::stat::{FileStat, Mode, fstat, umask};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use crate::cli::ServeArgs;
use crate::config;
use crate::exit::Exit;
use crate::hub::archive::Recalled;
use crate::kernel;
use crate::logging::{self, Journal, ids};
use crate::machine::{Input, Machine, Outcome};
use crate::net::accept;
use crate::net::accept::Keeping;
use crate::net::admin;
use crate::net::admin::holders::Admins;
use crate::net::driver::{ARRIVALS, Arrival, Circumstances, Driver, Ended, Parts, now};
use crate::net::exchange::Exchange;
use crate::net::hashing::Hashing;
use crate::net::keep::queue::Queue;
use crate::net::keep::recovery::{TakenOver, epoch};
use crate::net::keep::tape::{Cuts, Tape};
use crate::net::keep::{fault, recovery, snapshot};
use crate::net::readiness::Readiness;
use crate::net::rounds::{self, Report, Rounds, Work};
use crate::settings::{self, Settings};
use crate::store::{OpenError, StateDir, Store};
use crate::systemd::{self, Sockets, WrongSocket};
use crate::wire::admin::result::Listener;

/// Connections that may wait to be accepted, where we listen ourselves.
const BACKLOG: i32 = 1024;

/// Why the daemon cannot start.
#[derive(Debug)]
enum StartError {
    Handed(WrongSocket),
    NoChatSocket,
    Settings(Vec<config::Problem>),
    Listen { addr: SocketAddr, error: io::Error },
    Admin { path: PathBuf, error: io::Error },
    AdminInUse(PathBuf),
    State(OpenError),
    System { what: &'static str, error: io::Error },
}

impl StartError {
    fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) | Self::Handed(_) | Self::NoChatSocket => Exit::Config,
            Self::Listen { .. } | Self::Admin { .. } | Self::AdminInUse(_) => Exit::Unavailable,
            Self::State(OpenError::InUse { .. }) => Exit::Unavailable,
            Self::State(_) => Exit::Config,
            // May go better the next time: the unit tries again after this code alone.
            Self::System { .. } => Exit::Refused,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handed(wrong) => write!(f, "{wrong}"),
            Self::NoChatSocket => {
                f.write_str("sockets were handed over, but none for clients (FileDescriptorName=chat)")
            }
            Self::Settings(problems) => {
                for (index, problem) in problems.iter().enumerate() {
                    write!(f, "{}{problem}", if index > 0 { "\n" } else { "" })?;
                }
                Ok(())
            }
            Self::Listen { addr, error } => {
                write!(f, "cannot listen on {addr}: {error}")?;
                if error.kind() == io::ErrorKind::AddrInUse {
                    f.write_str(" (is chathub.socket active, or another hub running?)")?;
                }
                Ok(())
            }
            Self::Admin { path, error } => write!(f, "cannot open the admin socket {}: {error}", path.display()),
            Self::AdminInUse(path) => write!(f, "another hub answers on the admin socket {}", path.display()),
            Self::State(error) => write!(f, "{error}"),
            Self::System { what, error } => write!(f, "cannot {what}: {error}"),
        }
    }
}

/// Runs the daemon to its end. To be called while there is only one thread, for it takes what the
/// service manager has left in the environment.
#[must_use]
pub fn run(args: &ServeArgs) -> Exit {
    recovery::become_former_program();
    // What it makes is its own user's, as under the unit.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let (sockets, handed) = systemd::sockets();
    let loaded = config::load(args.config.as_deref()).map_err(StartError::Settings);
    let level =
        logging::start(loaded.as_ref().map_or(Settings::default().log.level, |loaded| loaded.settings.log.level));
    if recovery::is_former_program() {
        warn!(
            "the release before an upgrade carries on, for it was killed in the middle of its work; restart it for the new one"
        );
    }
    for (name, _) in &sockets.unknown {
        warn!(
            message_id = ids::SOCKET_UNKNOWN,
            chathub_socket = name,
            "a socket that was handed over is left alone: this release does not know its name{}",
            logging::InWords(format_args!("{name:?} (FileDescriptorName=)"))
        );
    }
    let outcome = handed.map_err(StartError::Handed).inspect_err(|_| sockets.turn_away()).and_then(|()| {
        let (loaded, are_new) = match loaded {
            Ok(loaded) => (loaded, true),
            // People who are connected are no reason to fail: as with a reload, the old ones stay.
            Err(problem) => match left_settings(&sockets.stored) {
                Some(settings) => {
                    tell(&problem);
                    error!("the settings cannot be used; those of the former process stay");
                    (config::Loaded::of(settings), false)
                }
                None => {
                    sockets.turn_away();
                    return Err(problem);
                }
            },
        };
        start(args, sockets, loaded, are_new, level)
    });
    match outcome {
        Ok(Ended { handed_over: true, .. }) => Exit::HandedOver,
        // Nobody is told goodbye who does not listen: giving up on some is still a clean end.
        Ok(Ended { .. }) => Exit::Done,
        Err(problem) => {
            tell(&problem);
            problem.exit()
        }
    }
}

/// Line by line, as they come one by one into the journal.
fn tell(problem: &StartError) {
    for line in problem.to_string().lines() {
        error!("{line}");
    }
}

/// The settings that a former process has left to one that carries on with its clients. Where there are
/// none, nobody is helped by a hub that its settings do not describe.
fn left_settings(stored: &HashMap<&'static str, OwnedFd>) -> Option<Settings> {
    let tape = stored.get("tape").filter(|_| systemd::keeps_descriptors())?.try_clone().ok()?;
    let (tape, _) = Tape::open(tape).ok()??;
    let machine: Machine = serde_json::from_slice(tape.snapshots().0).ok()?;
    let (mut is_there, mut settings) = (machine.hub().session_count() > 0, machine.hub().settings().clone());
    for record in tape.records().ok()?.into_iter().filter(|record| record.kind == tape::Kind::Input) {
        match serde_json::from_slice(tape.content(record.content)).ok()? {
            // Whether they have left again is not looked at.
            machine::Input::Connect { .. } => is_there = true,
            machine::Input::Settings(others) => settings = *others,
            _ => {}
        }
    }
    is_there.then_some(settings)
}

fn start(
    args: &ServeArgs,
    sockets: Sockets,
    loaded: config::Loaded,
    are_new: bool,
    level: logging::Level,
) -> Result<Ended, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    // While there is only one thread.
    kernel::map_what_is_large();
    let places = accept::make_room(loaded.settings.limits.clients);
    let activated = !sockets.is_empty();
    if activated && sockets.chat.is_empty() {
        sockets.turn_away();
        return Err(StartError::NoChatSocket);
    }
    let Sockets { chat, admin, stored, unknown } = sockets;
    let mut own_socket = None;
    let chat = if activated { chat } else { listen(args, &loaded.settings)? };
    let admin = if activated {
        admin
    } else {
        let path = admin_path(args, &loaded.settings);
        let listener = listen_admin(&path)?;
        own_socket = Some(OwnSocket(path));
        vec![listener]
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system("start the runtime"))?;
    let (journal, writer) = Journal::start().map_err(system("start a thread"))?;
    let mut key = [0; 16];
    getrandom::fill(&mut key)
        .map_err(|error| StartError::System { what: "get random bytes", error: io::Error::other(error) })?;
    let (sender, arrivals) = mpsc::channel(ARRIVALS);
    let store = || open_store(args, &loaded.settings, &sender);
    let hub = found_hub(activated, stored, &loaded.settings, key, store).inspect_err(|_| {
        if activated {
            systemd::turn_away(&chat, &admin, &unknown);
        }
    })?;
    let settings = are_new.then(|| loaded.settings.clone());
    let queue = (sender, arrivals);
    let ended =
        runtime.block_on(serve(args, loaded, settings, level, chat, admin, activated, places, journal, hub, queue))?;
    drop((own_socket, unknown));
    if ended.handed_over {
        // The rounds wait for a word that does not come; the next process is not to wait for anybody.
        let _ = writer.join();
        return Ok(ended);
    }
    // Tasks that linger on sockets hold nothing that matters.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let _ = writer.join();
    Ok(ended)
}

#[allow(clippy::too_many_arguments, reason = "everything the daemon is made of, brought together once")]
async fn serve(
    args: &ServeArgs,
    loaded: config::Loaded,
    settings: Option<Settings>,
    level: logging::Level,
    chat: Vec<TcpListener>,
    admin: Vec<UnixListener>,
    activated: bool,
    places: usize,
    journal: Journal,
    hub: FoundHub,
    (sender, arrivals): (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>),
) -> Result<Ended, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    let FoundHub { machine, outcomes, taken, rounds, to_rounds, reports, counts, tape, queue, store, recalled } = hub;
    let accepted = Arc::new(accept::Counts { places: places.into(), ..accept::Counts::default() });
    let mut listeners = Vec::new();
    let mut chats = Vec::new();
    for listener in chat {
        if let Err(error) = accept::prepare(&listener, &loaded.settings.tcp) {
            warn!(chathub_error = %error, "cannot set all options of a listening socket{}", logging::InWords(&error));
        }
        let addr = listener.local_addr().map_err(system("ask for the address of a socket"))?;
        listeners.push(Listener { name: "chat".to_owned(), addr: addr.to_string() });
        info!("listening for clients on {addr}");
        listener.set_nonblocking(true).map_err(system("use a socket"))?;
        chats.push(Arc::new(kernel::watched(listener.into()).map_err(system("use a socket"))?));
    }
    let mut admins = Vec::new();
    for listener in admin {
        let addr = listener.local_addr().map_err(system("ask for the address of a socket"))?;
        let path = addr.as_pathname().map_or_else(|| "(unnamed)".to_owned(), |path| path.display().to_string());
        info!("listening for administrators on {path}");
        listeners.push(Listener { name: "admin".to_owned(), addr: path });
        listener.set_nonblocking(true).map_err(system("use a socket"))?;
        admins.push(tokio::net::UnixListener::from_std(listener).map_err(system("use a socket"))?);
    }
    let mut reload = signal(SignalKind::hangup()).map_err(system("listen for signals"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(system("listen for signals"))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(system("listen for signals"))?;

    let (rounds, mut rounds_ended) = start_rounds(rounds).map_err(system("start a thread"))?;
    let accepting: Vec<_> = chats
        .iter()
        .map(|listener| {
            let accepting = accept::accept(listener.clone(), queue.clone(), sender.clone(), accepted.clone());
            tokio::spawn(accepting).abort_handle()
        })
        .collect();
    let (stopped, stopping) = watch::channel(false);
    let admins_in = Admins::new(loaded.settings.limits.admin_connections);
    let accounts = &loaded.settings.accounts;
    let passwords: admin::Passwords = Arc::new(Mutex::new((accounts.password, accounts.into())));
    let controls: Vec<_> = admins
        .into_iter()
        .map(|listener| {
            tokio::spawn(admin::serve(listener, sender.clone(), admins_in.clone(), passwords.clone(), stopping.clone()))
        })
        .collect();
    let signals = {
        let sender = sender.clone();
        tokio::spawn(async move {
            loop {
                let arrival = tokio::select! {
                    _ = reload.recv() => Arrival::Reload,
                    _ = terminate.recv() => Arrival::End,
                    _ = interrupt.recv() => Arrival::Stop,
                };
                if sender.send(arrival).await.is_err() {
                    return;
                }
            }
        })
    };
    let hashers = loaded.settings.accounts.hashers;
    let around = Circumstances {
        config: args.config.clone(),
        files: loaded.files,
        chat: chats,
        listeners,
        activated,
        watchdog: systemd::watchdog_interval(),
        level,
        accepted,
        accepting,
        admins: admins_in,
        passwords,
    };
    let hashing = Hashing::start(hashers, sender.clone()).map_err(system("start a thread"))?;
    let snapshots = snapshot::Writer::start(sender.clone()).map_err(system("start a thread"))?;
    let parts = Parts { rounds, to_rounds, reports, counts, journal, tape, queue, store, hashing, snapshots };
    let mut driver = Driver::new(machine, outcomes, parts, around).map_err(system("watch sockets"))?;
    if let Some(taken) = taken {
        driver.carry_on(taken, settings, recalled);
    }
    fault::point("recover.ready");
    let driver = tokio::spawn(driver.run(arrivals));
    info!(message_id = ids::STARTED, chathub_version = env!("CARGO_PKG_VERSION"), "serving");
    systemd::ready();

    // A panic of one of the two is a bug, and its message is out. Going on with half a hub would help
    // nobody; the service manager starts a new one.
    let ended = tokio::select! {
        ended = driver => ended.unwrap_or_else(|_| std::process::abort()),
        _ = &mut rounds_ended => std::process::abort(),
    };
    // Answers that are under way reach the one who asked.
    let _ = stopped.send(true);
    for control in controls {
        let _ = tokio::time::timeout(Duration::from_secs(2), control).await;
    }
    signals.abort();
    Ok(ended)
}

/// A hub, new or taken over, and those who are to carry it.
struct FoundHub {
    machine: Machine,
    outcomes: Vec<Outcome>,
    taken: Option<TakenOver>,
    rounds: Rounds,
    to_rounds: Arc<Exchange<Work>>,
    reports: Arc<Exchange<Report>>,
    counts: Arc<rounds::Counts>,
    tape: Tape,
    queue: Keeping,
    store: Option<Store>,
    /// What the store told, if a hub that was taken over is still to be told.
    recalled: Option<Recalled>,
}

/// Takes over what a former process has left, or begins afresh; with everything kept for the next
/// process, if somebody keeps it.
fn found_hub(
    activated: bool,
    mut stored: HashMap<&'static str, OwnedFd>,
    settings: &Settings,
    key: [u8; 16],
    store: impl FnOnce() -> Result<Option<(Store, Recalled)>, StartError>,
) -> Result<FoundHub, StartError> {
    let (to_rounds, reports) = (Arc::new(Exchange::default()), Arc::new(Exchange::default()));
    let counts = Arc::new(rounds::Counts::default());
    let new_rounds = |cuts| Rounds::new(to_rounds.clone(), reports.clone(), counts.clone(), settings.into(), cuts);
    let keeps = activated && systemd::keeps_descriptors();
    let program = stored.remove(systemd::PROGRAM);
    let names: Vec<_> = stored.keys().copied().chain(program.is_some().then_some(systemd::PROGRAM)).collect();
    if keeps && !stored.is_empty() {
        match take_over(stored, new_rounds) {
            Ok(Some((machine, taken, (rounds, tape, queue)))) => {
                let clients = machine.hub().session_count();
                info!(
                    message_id = ids::TAKEN_OVER,
                    chathub_clients = clients,
                    "carrying on with the clients of the former process"
                );
                if let Err(error) = replace_program(program) {
                    warn!(chathub_error = %error, "the service manager does not keep this program{}", logging::InWords(&error));
                }
                let queue = Some(Arc::new(Mutex::new(queue)));
                let taken = Some(taken);
                // Not before: on the way here the former program may have taken this one's place, and it
                // must find the files as it knows them.
                let (store, recalled) = store()?.unzip();
                return Ok(FoundHub {
                    machine,
                    outcomes: Vec::new(),
                    taken,
                    rounds,
                    to_rounds,
                    reports,
                    counts,
                    tape,
                    queue,
                    store,
                    recalled,
                });
            }
            Ok(None) => {}
            Err(why) => {
                error!(message_id = ids::NOT_TAKEN_OVER, chathub_error = %why, "clients of the former process cannot be carried on, and are told so{}", logging::InWords(&why));
            }
        }
    }
    systemd::forget(names);
    let mut outcomes = Vec::new();
    let mut machine = Machine::new(settings.clone(), key, now(), &mut outcomes);
    // What it is told at its start is part of the first that is kept of it.
    let (store, recalled) = store()?.unzip();
    machine.handle(Input::Archive(recalled.map(Box::new)), now(), &mut outcomes);
    let kept = keeps.then(|| keep(&machine, &outcomes, new_rounds)).transpose().unwrap_or_else(|error| {
        warn!(chathub_error = %error, "clients will not outlive this process{}", logging::InWords(&error));
        None
    });
    if let Some((rounds, tape, queue)) = kept {
        let queue = Some(Arc::new(Mutex::new(queue)));
        return Ok(FoundHub {
            machine,
            outcomes: Vec::new(),
            taken: None,
            rounds,
            to_rounds,
            reports,
            counts,
            tape,
            queue,
            store,
            recalled: None,
        });
    }
    let (tape, cuts) = Tape::unkept();
    let rounds = new_rounds(cuts);
    Ok(FoundHub {
        machine,
        outcomes,
        taken: None,
        rounds,
        to_rounds,
        reports,
        counts,
        tape,
        queue: None,
        store,
        recalled: None,
    })
}

/// Has the service manager keep this program instead of `former`, if that is another one: after an upgrade.
fn replace_program(former: Option<OwnedFd>) -> io::Result<()> {
    let program = std::fs::File::open("/proc/self/exe")?;
    let file = |stat: FileStat| (stat.st_dev, stat.st_ino);
    if former.is_some_and(|former| fstat(&former).map(file) == fstat(&program).map(file)) {
        return Ok(());
    }
    systemd::forget([systemd::PROGRAM]);
    systemd::store(&[(systemd::PROGRAM, program.as_fd())])
}

type Kept = (Rounds, Tape, Queue);

/// Begins to keep everything for the next process: the first snapshot is made, and the service manager
/// has what it is to keep.
fn keep(machine: &Machine, outcomes: &[Outcome], rounds: impl FnOnce(Cuts) -> Rounds) -> io::Result<Kept> {
    let (mut tape, cuts) = Tape::new()?;
    tape.tell_of_crashes();
    let queue = Queue::new()?;
    let mut rounds = rounds(cuts);
    let owed = rounds.begin(outcomes.to_vec());
    tape.snapshot(&serde_json::to_vec(machine).expect("plain values"), &owed, epoch());
    let [one, two, three, four] = queue.ends();
    let program = std::fs::File::open("/proc/self/exe")?;
    let descriptors = [tape.file().expect("it is kept"), one, two, three, four, program.as_fd()];
    let descriptors: Vec<_> = systemd::STORED.into_iter().zip(descriptors).collect();
    systemd::store(&descriptors)?;
    Ok((rounds, tape, queue))
}

/// Takes over from a former process; `None` if there is nobody to take over.
///
/// # Errors
/// Why that cannot be done; those who were found are told so.
fn take_over(
    mut stored: HashMap<&'static str, OwnedFd>,
    rounds: impl FnOnce(Cuts) -> Rounds,
) -> Result<Option<(Machine, TakenOver, Kept)>, String> {
    let [tape, Some(one), Some(two), Some(three), Some(four), _] = systemd::STORED.map(|name| stored.remove(name))
    else {
        return Err("the service manager has lost the queue of sockets".to_owned());
    };
    let mut queue = Queue::of([one, two, three, four]);
    let attempt = open(tape).and_then(|opened| {
        let Some((mut tape, cuts)) = opened else { return Ok(None) };
        tape.tell_of_crashes();
        let found = queue.found().map_err(|error| error.to_string())?;
        fault::point("recover.adopted");
        let made = cuts.all().map_err(|unusable| unusable.to_string())?;
        let mut rounds = rounds(cuts);
        let (machine, taken) = recovery::take_over(&mut tape, made, &mut rounds, &mut queue, found, now())?;
        Ok(Some((machine, taken, rounds, tape)))
    });
    match attempt {
        Ok(Some((machine, taken, rounds, tape))) => Ok(Some((machine, taken, (rounds, tape, queue)))),
        // Whoever lies in the queue all the same would wait for ever.
        nobody => {
            recovery::say_goodbye(&queue);
            nobody.map(|_| None)
        }
    }
}

fn open(tape: Option<OwnedFd>) -> Result<Option<(Tape, Cuts)>, String> {
    let tape = tape.ok_or("the service manager has lost the tape")?;
    Tape::open(tape).map_err(|unusable| unusable.to_string())
}

/// Opens what outlives the daemon, if there is to be anything.
fn open_store(
    args: &ServeArgs,
    settings: &Settings,
    arrivals: &mpsc::Sender<Arrival>,
) -> Result<Option<(Store, Recalled)>, StartError> {
    if !settings.history.persist {
        return Ok(None);
    }
    let Some(path) = state_path(args) else {
        warn!("what is said is not recorded: neither --state-dir, $STATE_DIRECTORY, $XDG_STATE_HOME nor $HOME is set");
        return Ok(None);
    };
    let state = StateDir::take(&path).map_err(StartError::State)?;
    // The store's threads wait for the driver; the driver never waits for them.
    let arrivals = arrivals.clone();
    let tell = Arc::new(move |answer| drop(arrivals.blocking_send(Arrival::Store(answer))));
    let opened = Store::open(state, &settings.history, tell).map_err(StartError::State)?;
    info!("recording history in {}", path.display());
    Ok(Some(opened))
}

/// The directory for what outlives the daemon.
fn state_path(args: &ServeArgs) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    // Of several directories of a unit, the first is ours.
    let first = |dirs: PathBuf| {
        let first = dirs.as_os_str().as_bytes().split(|byte| *byte == b':').next().unwrap_or_default();
        PathBuf::from(std::ffi::OsStr::from_bytes(first))
    };
    args.state_dir
        .clone()
        .or_else(|| dir("STATE_DIRECTORY").map(first))
        .or_else(|| dir("XDG_STATE_HOME").map(|dir| dir.join("chathub")))
        .or_else(|| dir("HOME").map(|dir| dir.join(".local/state/chathub")))
}

/// Starts the rounds in a thread of their own: they and the driver are what a busy hub does, and
/// neither has to be woken by way of the other's queue. What is returned is ready when they have ended,
/// which they do by a panic only.
fn start_rounds(mut rounds: Rounds) -> io::Result<(rounds::Shared, oneshot::Receiver<()>)> {
    let (alive, ended) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let room_to_write = {
        let _within = runtime.enter();
        Readiness::new()?
    };
    rounds.watch(&room_to_write);
    let rounds = Arc::new(Mutex::new(rounds));
    let shared = rounds.clone();
    std::thread::Builder::new().name("rounds".to_owned()).spawn(move || {
        let _alive = alive;
        match runtime.block_on(Rounds::run(rounds, room_to_write)) {}
    })?;
    Ok((shared, ended))
}

/// Listens on what the command line says, else on what the settings say. Of the settings' addresses
/// those that this machine does not have are passed over if another one works: `[::1]` is not
/// everywhere.
fn listen(args: &ServeArgs, settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    let chosen = !args.listen.is_empty();
    let addrs = if chosen { &args.listen } else { &settings.listen.chat };
    let mut listeners = Vec::new();
    let mut missing = None;
    for addr in addrs {
        match listen_on(*addr, &settings.tcp) {
            Ok(listener) => listeners.push(listener),
            Err(error)
                if !chosen && matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
                    || error.raw_os_error() == Some(nix::libc::EAFNOSUPPORT) =>
            {
                warn!("cannot listen on {addr}: {error}");
                missing = Some(StartError::Listen { addr: *addr, error });
            }
            Err(error) => return Err(StartError::Listen { addr: *addr, error }),
        }
    }
    match missing {
        Some(missing) if listeners.is_empty() => Err(missing),
        _ => Ok(listeners),
    }
}

fn listen_on(addr: SocketAddr, tcp: &settings::Tcp) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // An IPv4 address has a socket of its own.
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    // Before anybody can connect: who does inherits it.
    let _ = accept::prepare(&socket, tcp);
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Where the admin socket is opened, where none is handed over.
fn admin_path(args: &ServeArgs, settings: &Settings) -> PathBuf {
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    args.admin_socket
        .clone()
        .or_else(|| settings.listen.admin.clone())
        .or_else(|| dir("RUNTIME_DIRECTORY").map(|dir| dir.join("admin.sock")))
        .or_else(|| dir("XDG_RUNTIME_DIR").map(|dir| dir.join("chathub/admin.sock")))
        .unwrap_or_else(|| PathBuf::from("/run/chathub/admin.sock"))
}

/// An admin socket that we have made, and take away again.
struct OwnSocket(PathBuf);

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Opens the admin socket, for this user only. One that was left behind by a hub that is no more is
/// replaced; one that is answered is not.
fn listen_admin(path: &Path) -> Result<UnixListener, StartError> {
    let failed = |error| StartError::Admin { path: path.to_owned(), error };
    if let Some(dir) = path.parent()
        && !dir.as_os_str().is_empty()
        && !dir.exists()
    {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    }
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // Connecting to what is no socket is refused too, and that is nothing of ours.
            if !std::fs::symlink_metadata(path).map_err(failed)?.file_type().is_socket() {
                return Err(failed(error));
            }
            match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Ok(_) => return Err(StartError::AdminInUse(path.to_owned())),
                Err(error) => return Err(failed(error)),
            }
            std::fs::remove_file(path).and_then(|()| UnixListener::bind(path)).map_err(failed)?
        }
        other => other.map_err(failed)?,
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}
