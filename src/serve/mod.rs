//! The daemon: it takes or opens its sockets, reads its settings, starts its tasks and threads, and
//! ends with an exit code. It decides nothing, and does not know what clients say.
//!
//! | to change | see |
//! | --- | --- |
//! | the order of a start and of an end; the tasks and threads | this file |
//! | listening sockets | `listen` |
//! | which signals do what | `signals` |
//! | where history is recorded | `recording` |
//! | why a start fails, and the exit code for it | [`error`] |
//! | how a former process is taken over | [`crate::net::keep::found`] |

mod error;
mod listen;
mod recording;
mod signals;

use crate::kernel;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::stat::{Mode, umask};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{error, info, warn};

use self::error::StartError;
use self::listen::OwnSocket;
use self::signals::Signals;
use crate::cli::ServeArgs;
use crate::config;
use crate::exit::Exit;
use crate::logging::{self, Journal, ids};
use crate::net::accept;
use crate::net::admin;
use crate::net::admin::holders::Admins;
use crate::net::arrival::{ARRIVALS, Arrival};
use crate::net::clock::now;
use crate::net::driver::ending::Ended;
use crate::net::driver::{Circumstances, Driver, Parts};
use crate::net::handed::{self, Taking};
use crate::net::hashing::Hashing;
use crate::net::keep::found::{self, FoundHub};
use crate::net::keep::{fault, program, snapshot};
use crate::net::proxied::{self, Proxies};
use crate::net::readiness::Readiness;
use crate::net::rounds::{self, Exchanges, Rounds};
use crate::settings::Settings;
use crate::systemd::{self, Sockets};
use crate::values::time::Wall;
use crate::wire::admin::Level;
use crate::wire::admin::result::SettingsRead;
use crate::wire::admin::value::Time;

/// Runs the daemon to its end. It reads and clears what the service manager has put into the
/// environment: so call it while there is only one thread.
#[must_use]
pub fn run(args: &ServeArgs) -> Exit {
    program::become_former();
    // Only the daemon's own user may read files that it makes, as under the unit.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    let (sockets, handed) = systemd::sockets();
    let read_at = now().wall;
    let loaded = config::load(args.config.as_deref()).map_err(StartError::Settings);
    let level =
        logging::start(loaded.as_ref().map_or(Settings::default().log.level, |loaded| loaded.settings.log.level));
    if program::is_former() {
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
    let outcome = handed.map_err(StartError::Handed).inspect_err(|_| turn_away(&sockets)).and_then(|()| {
        let (loaded, are_new) = match loaded {
            Ok(loaded) => (loaded, true),
            // If there are clients to take over, the settings of the former process stay in force,
            // as at a failed reload.
            Err(problem) => match found::left_settings(&sockets.stored) {
                Some(settings) => {
                    problem.log();
                    error!("the settings cannot be used; those of the former process stay");
                    (config::Loaded::of(settings), false)
                }
                None => {
                    turn_away(&sockets);
                    return Err(problem);
                }
            },
        };
        start(args, sockets, loaded, read_at, are_new, level)
    });
    let exit = match outcome {
        Ok(Ended { handed_over: true, .. }) => Exit::HandedOver,
        // Clients that take no goodbye are given up: the end is clean all the same.
        Ok(Ended { .. }) => Exit::Done,
        Err(problem) => {
            problem.log();
            problem.exit()
        }
    };
    logging::flush();
    exit
}

/// Tells the clients in the descriptor store, and those who wait at the sockets that were passed,
/// that the hub cannot start. For a start that has failed for good.
fn turn_away(sockets: &Sockets) {
    sockets.turn_away();
    found::let_go(&sockets.stored);
}

fn start(
    args: &ServeArgs,
    sockets: Sockets,
    loaded: config::Loaded,
    read_at: Wall,
    are_new: bool,
    level: logging::Level,
) -> Result<Ended, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    // Both calls need that there is only one thread.
    kernel::map_what_is_large();
    let places = accept::make_room(loaded.settings.limits.clients);
    let activated = !sockets.is_empty();
    if activated && sockets.chat.is_empty() {
        turn_away(&sockets);
        return Err(StartError::NoChatSocket);
    }
    let Sockets { chat, proxy, admin, monitor, handover, stored, unknown } = sockets;
    if activated && admin.is_empty() {
        warn!(
            "no socket for administrators was handed over (FileDescriptorName=admin), and none is opened beside the others: \
             \"chathub ctl\" cannot reach this hub"
        );
    }
    let mut own_socket = None;
    let chat = if activated { chat } else { listen::listen(args, &loaded.settings)? };
    let proxy = if activated { proxy } else { listen::listen_for_proxies(&loaded.settings)? };
    let admin = if activated {
        admin
    } else {
        let path = listen::admin_path(args, &loaded.settings);
        let listener = listen::listen_admin(&path)?;
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
    let exchanges = Exchanges::default();
    let store = || recording::open(args, &loaded.settings, &sender);
    let keeps = activated && systemd::keeps_descriptors();
    let hub = found::restore_or_begin(keeps, stored, &loaded.settings, key, &exchanges, store).inspect_err(|_| {
        if activated {
            let others = handover.iter().chain(unknown.iter().map(|(_, socket)| socket));
            systemd::turn_away(chat.iter().chain(&proxy), admin.iter().chain(&monitor), others);
        }
    })?;
    let settings = are_new.then(|| loaded.settings.clone());
    let queue = (sender, arrivals);
    let ended = runtime.block_on(serve(
        args,
        loaded,
        read_at,
        settings,
        level,
        (chat, proxy, handover),
        (admin, monitor),
        activated,
        places,
        journal,
        hub,
        exchanges,
        queue,
    ))?;
    drop((own_socket, unknown));
    if ended.handed_over {
        // Tasks are not waited for here, because the next process waits for this one to end.
        let _ = writer.join();
        return Ok(ended);
    }
    // Tasks that still wait for sockets have nothing that must be saved.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let _ = writer.join();
    Ok(ended)
}

#[allow(clippy::too_many_arguments, reason = "everything the daemon is made of, brought together once")]
async fn serve(
    args: &ServeArgs,
    loaded: config::Loaded,
    read_at: Wall,
    settings: Option<Settings>,
    level: logging::Level,
    (chat, proxy, handover): (Vec<TcpListener>, Vec<TcpListener>, Vec<OwnedFd>),
    (admin, monitor): (Vec<UnixListener>, Vec<UnixListener>),
    activated: bool,
    places: usize,
    journal: Journal,
    hub: FoundHub,
    exchanges: Exchanges,
    (sender, arrivals): (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>),
) -> Result<Ended, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    let FoundHub { machine, outcomes, mut restored, rounds, tape, queue, store, recalled } = hub;
    let accepted = Arc::new(accept::Counts { places: places.into(), ..accept::Counts::default() });
    let (chats, mut listeners) = listen::watch(chat, "chat", &loaded.settings.tcp)?;
    let (proxies, their) = listen::watch(proxy, "proxy", &loaded.settings.tcp)?;
    listeners.extend(their);
    let (handovers, their) = listen::watch_handover(handover)?;
    listeners.extend(their);
    let tcp = Arc::new(Mutex::new(loaded.settings.tcp.clone()));
    let mut admins = Vec::new();
    for (sockets, level) in [(admin, Level::Admin), (monitor, Level::Monitor)] {
        let (watched, their) = listen::watch_admin(sockets, level)?;
        admins.extend(watched.into_iter().map(|listener| (listener, level)));
        listeners.extend(their);
    }
    let signals = Signals::listen().map_err(system("listen for signals"))?;

    let (rounds, mut rounds_ended) = start_rounds(rounds).map_err(system("start a thread"))?;
    // The listeners for clients, proxies and handovers are the first in the list.
    let taken: Vec<_> = listeners
        .iter()
        .take(chats.len() + proxies.len() + handovers.len())
        .map(|_| Arc::new(AtomicU64::new(0)))
        .collect();
    let mut accepting: Vec<_> = chats
        .iter()
        .zip(&taken)
        .map(|(listener, taken)| {
            let (listener, taken) = (listener.clone(), taken.clone());
            let accepting = accept::accept(listener, queue.clone(), sender.clone(), accepted.clone(), taken);
            tokio::spawn(accepting).abort_handle()
        })
        .collect();
    let believed = Arc::new(Mutex::new(loaded.settings.proxy.clone()));
    let at_proxies = Proxies {
        keeping: queue.clone(),
        arrivals: sender.clone(),
        counts: accepted.clone(),
        settings: believed.clone(),
        log: Arc::default(),
    };
    accepting.extend(proxies.iter().zip(&taken[chats.len()..]).map(|(listener, taken)| {
        tokio::spawn(proxied::accept(listener.clone(), at_proxies.clone(), taken.clone())).abort_handle()
    }));
    let left = restored.as_mut().map(|restored| std::mem::take(&mut restored.of_proxies)).unwrap_or_default();
    if !left.is_empty() {
        accepting.push(tokio::spawn(proxied::go_on(left, at_proxies)).abort_handle());
    }
    accepting.extend(handovers.into_iter().zip(&taken[chats.len() + proxies.len()..]).map(|(socket, taken)| {
        let from = handed::senders(socket.get_ref());
        let taking = Taking {
            socket,
            from,
            slots: tape.slots().clone(),
            keeping: queue.clone(),
            arrivals: sender.clone(),
            counts: accepted.clone(),
            taken: taken.clone(),
            tcp: tcp.clone(),
        };
        tokio::spawn(handed::take(taking)).abort_handle()
    }));
    let (stopped, stopping) = watch::channel(false);
    let admins_in = Admins::new(loaded.settings.limits.admin_connections);
    let accounts = &loaded.settings.accounts;
    let passwords: admin::Passwords = Arc::new(Mutex::new((accounts.password, accounts.into())));
    let controls: Vec<_> = admins
        .into_iter()
        .map(|(listener, level)| {
            let (admins, passwords) = (admins_in.clone(), passwords.clone());
            tokio::spawn(admin::serve(listener, level, sender.clone(), admins, passwords, stopping.clone()))
        })
        .collect();
    let signals = tokio::spawn(signals.hand_on(sender.clone()));
    let hashers = loaded.settings.accounts.hashers;
    let around = Circumstances {
        config: args.config.clone(),
        files: loaded.files,
        read: SettingsRead { at: Time(read_at), waiting: Vec::new() },
        chat: chats.into_iter().chain(proxies).collect(),
        listeners,
        tcp,
        proxy: believed,
        taken,
        activated,
        watchdog: systemd::watchdog_interval(),
        level,
        accepted,
        accepting,
        admins: admins_in,
        passwords,
    };
    let hashing = Hashing::start(hashers, sender.clone()).map_err(system("start a thread"))?;
    let snapshots = {
        let sender = sender.clone();
        snapshot::Writer::start(move |done| sender.blocking_send(Arrival::Snapshot(done)).is_ok())
    }
    .map_err(system("start a thread"))?;
    let parts = Parts { rounds, exchanges, journal, tape, queue, store, hashing, snapshots };
    let mut driver = Driver::new(machine, outcomes, parts, around).map_err(system("watch sockets"))?;
    if let Some(restored) = restored {
        driver.resume(restored, settings, recalled);
    }
    fault::point("recover.ready");
    let driver = tokio::spawn(driver.run(arrivals));
    info!(message_id = ids::STARTED, chathub_version = env!("CARGO_PKG_VERSION"), "serving");
    systemd::ready();

    // If the driver or the rounds panic, that is a bug, and its message is logged. Half a hub is of
    // no use: the service manager starts a new one.
    let ended = tokio::select! {
        ended = driver => ended.unwrap_or_else(|_| std::process::abort()),
        _ = &mut rounds_ended => std::process::abort(),
    };
    // Answers that are on their way still reach the administrators.
    let _ = stopped.send(true);
    for control in controls {
        let _ = tokio::time::timeout(Duration::from_secs(2), control).await;
    }
    signals.abort();
    Ok(ended)
}

/// Starts the rounds in a thread of their own. This thread and the driver's do most of the work of
/// a busy hub. The receiver becomes ready if the rounds end, which happens only by a panic.
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
