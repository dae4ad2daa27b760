//! Looks at the machine, and changes nothing there: it makes no file, takes no lock and starts no
//! unit. So it does not connect to a socket behind which the daemon sleeps. An answer that takes
//! too long is not waited for.
//!
//! | to change | see |
//! | --- | --- |
//! | which hub is looked at, and in what order | this file |
//! | how a program is run, and how long it may take | `program` |
//! | units, drop-ins, the version of systemd | `units` |
//! | files: owners, modes, file systems | `files` |
//! | the state directory and the database | `state` |
//! | the settings files | `settings` |
//! | processes, sockets that listen, the kernel, the clock | `machine` |
//! | the journal | `journal` |
//! | certificates | `tls` |
//! | the daemon | `daemon` |

mod daemon;
mod files;
mod journal;
mod machine;
mod program;
mod settings;
mod state;
mod tls;
mod units;

use std::path::{Path, PathBuf};

use super::facts::{ADMIN, Accounts, Facts, MONITOR, Place, Program, SERVICE, Subject, Systemd, Unit};
use super::finding::{Seen, Unseen};
use crate::cli::DoctorArgs;
use crate::client::{Environment, SERVICE_USER, SYSTEM_SOCKET};
use crate::net::clock::now;

/// The state directory of the package's service.
const STATE: &str = "/var/lib/chathub";

/// Gathers all facts.
#[must_use]
pub(super) fn look(args: &DoctorArgs) -> Facts {
    let environment = Environment::of_process();
    let systemd = units::look();
    let subject = subject(args, &environment, systemd.as_ref().ok());
    let service = systemd.as_ref().ok().and_then(|systemd| systemd.units.get(SERVICE)).filter(|unit| unit.is_loaded());
    let service = service.filter(|_| subject == Subject::Service);

    let user_name = service.map(|unit| unit.text("User")).filter(|name| !name.is_empty()).unwrap_or(SERVICE_USER);
    let accounts = Accounts {
        user: files::user(user_name),
        user_name: user_name.to_owned(),
        admins: files::group("chathub-admin"),
        monitors: files::group("chathub-monitor"),
    };
    let chosen = args.socket.clone().or_else(|| environment.chathub_socket.clone());
    let asked = match subject {
        Subject::Service => Ok(chosen.unwrap_or_else(|| service_socket(systemd.as_ref().ok()))),
        // Unless somebody has named it, the service's socket does not belong to a hub that was
        // started by hand.
        Subject::ByHand => environment
            .socket(args.socket.as_deref())
            .ok()
            .filter(|socket| socket != Path::new(SYSTEM_SOCKET) || chosen.is_some())
            .ok_or_else(|| Unseen::absent("no --socket says which daemon is to be asked")),
    };
    let daemon = asked.clone().and_then(|socket| {
        if is_held(&socket, systemd.as_ref().ok()) {
            may_ask(&systemd)?;
        }
        // That may also be a socket of the user's own service manager.
        if machine::sleeps(&socket) {
            return Err(Unseen::absent(format!("nobody serves at {}: who connects would start it", socket.display())));
        }
        daemon::look(&socket)
    });
    let socket = match subject {
        Subject::Service => service_socket(systemd.as_ref().ok()),
        Subject::ByHand => asked.unwrap_or_else(|_| SYSTEM_SOCKET.into()),
    };
    let told = match &daemon {
        Ok(Ok(daemon)) if subject == Subject::ByHand => daemon.status.config.clone().map(PathBuf::from),
        _ => None,
    };
    let config = args.config.clone().or_else(|| service.and_then(|unit| argument(unit, "--config"))).or(told);
    let settings = settings::look(config.as_deref());
    let main_pid = service.and_then(|unit| unit.text("MainPID").parse().ok()).filter(|pid| *pid != 0);
    let pid = match &daemon {
        Ok(Ok(daemon)) => Some(daemon.status.pid),
        _ => main_pid,
    };
    let state_path = args.state_dir.clone().or_else(|| match subject {
        Subject::Service => Some(service.and_then(state_dir).unwrap_or_else(|| STATE.into())),
        Subject::ByHand => own_state_dir(),
    });
    let mut ports: Vec<u16> = match (subject, &systemd, &settings.loaded) {
        (Subject::Service, Ok(systemd), _) => {
            systemd.units.values().flat_map(super::checks::addresses).map(|addr| addr.port()).collect()
        }
        (_, _, Ok(loaded)) => loaded.settings.listen.chat.iter().map(std::net::SocketAddr::port).collect(),
        _ => Vec::new(),
    };
    ports.sort_unstable();
    ports.dedup();
    let activated = matches!(&daemon, Ok(Ok(daemon)) if daemon.status.activated) || subject == Subject::Service;
    Facts {
        subject,
        is_root: is_root(),
        now: now().wall,
        program: Program {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            made: std::env::current_exe().ok().and_then(|path| files::node(&path).ok()).map(|node| node.made),
        },
        listening: machine::listening(&ports),
        hubs: machine::hubs(),
        admin: place(&socket),
        accounts,
        state: state::look(state_path, pid),
        settings,
        machine: machine::look(),
        tls: tls::look(systemd.as_ref().ok().filter(|_| subject == Subject::Service)),
        journal: if activated && systemd.is_ok() {
            Ok(journal::look())
        } else {
            Err(Unseen::absent("this hub was not started by systemd"))
        },
        scripts: service.map_or_else(
            || Err(Unseen::absent("this hub was not started by systemd")),
            |unit| {
                let paths = unit.text("ExecStopPost").split("path=").skip(1).filter_map(|rest| rest.split(" ;").next());
                Ok(paths.filter_map(|path| files::followed(Path::new(path)).ok()).collect())
            },
        ),
        process: pid.map_or_else(|| Err(Unseen::absent("no daemon runs")), |pid| Ok(machine::running(pid))),
        systemd,
        daemon,
    }
}

fn place(path: &Path) -> Place {
    Place {
        path: path.to_owned(),
        node: files::node(path),
        dir: path.parent().map_or_else(|| Err(Unseen::absent("no directory")), files::node),
    }
}

/// Decides which hub is meant.
fn subject(args: &DoctorArgs, environment: &Environment, systemd: Option<&Systemd>) -> Subject {
    let service = systemd.and_then(|systemd| systemd.units.get(SERVICE)).filter(|unit| unit.is_loaded());
    let state = service.and_then(state_dir).unwrap_or_else(|| STATE.into());
    if args.state_dir.as_ref().is_some_and(|dir| real(dir) != real(&state)) {
        return Subject::ByHand;
    }
    let is_installed = systemd.is_some_and(|systemd| systemd.units.values().any(Unit::is_loaded));
    let has_own = environment.runtime_dir.as_ref().is_some_and(|dir| dir.join("chathub/admin.sock").exists());
    match args.socket.as_ref().or(environment.chathub_socket.as_ref()) {
        Some(socket) if !is_held(socket, systemd) => Subject::ByHand,
        None if !is_installed && has_own && !service_socket(systemd).exists() => Subject::ByHand,
        _ => Subject::Service,
    }
}

/// The path without symbolic links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The path of the service's admin socket.
fn service_socket(systemd: Option<&Systemd>) -> PathBuf {
    let listen = systemd.and_then(|systemd| systemd.units.get(ADMIN)).map(|unit| unit.text("Listen").to_owned());
    let path = listen.as_deref().and_then(|listen| listen.lines().find(|line| line.starts_with('/')));
    path.map_or_else(|| SYSTEM_SOCKET.into(), |line| line.trim_end_matches(" (Stream)").into())
}

/// Whether to connect to this socket may start the service.
fn is_held(socket: &Path, systemd: Option<&Systemd>) -> bool {
    let units = [ADMIN, MONITOR].iter().filter_map(|name| systemd?.units.get(*name));
    let held =
        units.flat_map(|unit| unit.text("Listen").lines().map(|line| line.trim_end_matches(" (Stream)").to_owned()));
    held.chain([SYSTEM_SOCKET.to_owned()]).any(|path| real(Path::new(&path)) == real(socket))
}

/// Whether to connect to the admin socket starts nothing. If the daemon sleeps, it would be
/// started.
fn may_ask(systemd: &Seen<Systemd>) -> Seen<()> {
    let systemd = match systemd {
        Ok(systemd) => systemd,
        // Without a service manager, nothing can be started.
        Err(Unseen::Absent(_)) => return Ok(()),
        Err(why) => return Err(why.clone()),
    };
    let is_held = [ADMIN, MONITOR]
        .iter()
        .any(|name| systemd.units.get(*name).is_some_and(|unit| unit.is("ActiveState", "active")));
    match systemd.units.get(SERVICE) {
        Some(unit) if unit.is("ActiveState", "active") || unit.is("ActiveState", "reloading") => Ok(()),
        Some(unit) if unit.is_loaded() || is_held => {
            Err(Unseen::absent(format!("{SERVICE} is {}", unit.get("ActiveState").unwrap_or("not running"))))
        }
        _ => Ok(()),
    }
}

/// The value of an option in the service's command line.
fn argument(unit: &Unit, name: &str) -> Option<PathBuf> {
    let line = super::checks::argv(unit.text("ExecStart"));
    let mut words = line.split(' ');
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(PathBuf::from);
        }
        if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.into());
        }
    }
    None
}

/// The state directory of the service.
fn state_dir(unit: &Unit) -> Option<PathBuf> {
    argument(unit, "--state-dir").or_else(|| super::checks::state_directory(unit))
}

/// The state directory of a hub that this user has started by hand; `None` if there is none.
fn own_state_dir() -> Option<PathBuf> {
    let dir = |name| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    dir("XDG_STATE_HOME")
        .map(|dir| dir.join("chathub"))
        .or_else(|| dir("HOME").map(|dir| dir.join(".local/state/chathub")))
        .filter(|dir| dir.exists())
}

/// Whether this process is run by root.
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Added to an error of the system that root might not get.
fn not_root() -> &'static str {
    if is_root() { "" } else { " (not root)" }
}
