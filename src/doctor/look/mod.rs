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

use super::facts::{ADMIN, Accounts, CHAT, Facts, MONITOR, Manager, Place, Program, SERVICE, Subject, Systemd, Unit};
use super::finding::{Seen, Unseen};
use crate::cli::DoctorArgs;
use crate::client::{Environment, SERVICE_USER, SYSTEM_SOCKET};
use crate::net::clock::now;
use crate::users;

/// The state directory of the package's service.
const STATE: &str = "/var/lib/chathub";

/// Gathers all facts.
#[must_use]
pub(super) fn look(args: &DoctorArgs) -> Facts {
    let environment = Environment::of_process();
    let (subject, systemd) = subject(args, &environment);
    let service = systemd.as_ref().ok().and_then(|systemd| systemd.units.get(SERVICE)).filter(|unit| unit.is_loaded());
    let service = service.filter(|_| subject != Subject::ByHand);
    let is_own = subject == Subject::Own;

    let chosen = args.socket.clone().or_else(|| environment.chathub_socket.clone());
    let usual = match subject {
        Subject::Service => Some(PathBuf::from(SYSTEM_SOCKET)),
        Subject::Own | Subject::ByHand => own_socket(&environment),
    };
    let by_unit = || service_socket(systemd.as_ref().ok()).or_else(|| usual.clone());
    let asked = match subject {
        Subject::Service | Subject::Own => chosen.or_else(by_unit),
        // The service's socket is not that of a hub that was started by hand.
        Subject::ByHand => chosen.or_else(|| usual.clone().filter(|socket| socket.exists())),
    };
    let asked = asked.ok_or_else(|| Unseen::absent("no --socket says which daemon is to be asked"));
    let of_service = if is_own { usual.clone() } else { Some(SYSTEM_SOCKET.into()) };
    let daemon = asked.clone().and_then(|socket| {
        if is_held(&socket, systemd.as_ref().ok(), of_service.as_deref()) {
            may_ask(&systemd)?;
        }
        // Also one of another service manager.
        if machine::sleeps(&socket) {
            return Err(Unseen::absent(format!("nobody serves at {}: who connects would start it", socket.display())));
        }
        daemon::look(&socket)
    });
    let socket = match subject {
        Subject::Service | Subject::Own => by_unit(),
        Subject::ByHand => asked.ok(),
    };
    let socket = socket.unwrap_or_else(|| SYSTEM_SOCKET.into());
    let told = match &daemon {
        Ok(Ok(daemon)) if subject == Subject::ByHand => daemon.status.config.clone().map(PathBuf::from),
        _ => None,
    };
    let config = args.config.clone().or_else(|| service.and_then(|unit| argument(unit, "--config"))).or(told);
    let own_config = own_dir("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("chathub")).filter(|_| is_own);
    let settings = settings::look(own_config.as_deref(), config.as_deref());
    let main_pid = service.and_then(|unit| unit.text("MainPID").parse().ok()).filter(|pid| *pid != 0);
    let pid = match &daemon {
        Ok(Ok(daemon)) => Some(daemon.status.pid),
        _ => main_pid,
    };
    let own_state = || own_dir("XDG_STATE_HOME", ".local/state").map(|dir| dir.join("chathub"));
    let state_path = args.state_dir.clone().or_else(|| match subject {
        Subject::Service => Some(service.and_then(state_dir).unwrap_or_else(|| STATE.into())),
        Subject::Own => service.and_then(state_dir).or_else(own_state),
        Subject::ByHand => own_state().filter(|dir| dir.exists()),
    });
    let mut ports: Vec<u16> = match (subject, &systemd, &settings.loaded) {
        (Subject::Service | Subject::Own, Ok(systemd), _) => {
            systemd.units.values().flat_map(super::checks::addresses).map(|addr| addr.port()).collect()
        }
        (_, _, Ok(loaded)) => loaded.settings.listen.chat.iter().map(std::net::SocketAddr::port).collect(),
        _ => Vec::new(),
    };
    ports.sort_unstable();
    ports.dedup();
    let activated = matches!(&daemon, Ok(Ok(daemon)) if daemon.status.activated) || subject != Subject::ByHand;
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
        accounts: accounts(subject, service),
        state: state::look(state_path, pid),
        settings,
        machine: machine::look(),
        tls: tls::look(systemd.as_ref().ok().filter(|_| subject == Subject::Service)),
        journal: if activated && systemd.is_ok() {
            Ok(journal::look(if is_own { Manager::User } else { Manager::System }))
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
        lingers: if is_own { lingers() } else { Err(Unseen::absent("it is no user's own")) },
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

/// As whom the hub runs, and who may administer it.
fn accounts(subject: Subject, service: Option<&Unit>) -> Accounts {
    if subject == Subject::Own {
        let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        let user_name = users::name(uid).unwrap_or_else(|| uid.to_string());
        return Accounts { user: Some((uid, gid)), user_name, admins: None, monitors: None };
    }
    let name = service.map(|unit| unit.text("User")).filter(|name| !name.is_empty()).unwrap_or(SERVICE_USER);
    Accounts {
        user: files::user(name),
        user_name: name.to_owned(),
        admins: files::group("chathub-admin"),
        monitors: files::group("chathub-monitor"),
    }
}

/// Which hub is meant, and what its service manager tells.
fn subject(args: &DoctorArgs, environment: &Environment) -> (Subject, Seen<Systemd>) {
    if args.user {
        return (Subject::Own, units::look(Manager::User));
    }
    let chosen = args.socket.as_ref().or(environment.chathub_socket.as_ref());
    let socket = own_socket(environment);
    // The socket of one's own hub, or none, or whatever else may be meant.
    let may_be_own = !args.system
        && args.state_dir.is_none()
        && match (chosen, &socket) {
            (None, _) => !is_root(),
            (Some(chosen), Some(own)) => real(chosen) == real(own),
            (Some(_), None) => false,
        };
    if may_be_own && has_manager(environment) {
        let own = units::look(Manager::User);
        if own.as_ref().is_ok_and(is_wanted) {
            return (Subject::Own, own);
        }
    }
    let systemd = units::look(Manager::System);
    let service = systemd.as_ref().ok().and_then(|systemd| systemd.units.get(SERVICE)).filter(|unit| unit.is_loaded());
    let state = service.and_then(state_dir).unwrap_or_else(|| STATE.into());
    if args.state_dir.as_ref().is_some_and(|dir| real(dir) != real(&state)) {
        return (Subject::ByHand, systemd);
    }
    let has_own = socket.as_ref().is_some_and(|socket| socket.exists());
    let installed = systemd.as_ref().is_ok_and(|systemd| systemd.units.values().any(Unit::is_loaded));
    let is_there = installed || service_socket(systemd.as_ref().ok()).is_some_and(|socket| socket.exists());
    let by_hand = match chosen {
        Some(socket) => !is_held(socket, systemd.as_ref().ok(), Some(Path::new(SYSTEM_SOCKET))),
        None => has_own && !args.system && (!is_root() || !(is_there || Path::new(SYSTEM_SOCKET).exists())),
    };
    (if by_hand { Subject::ByHand } else { Subject::Service }, systemd)
}

/// Whether a user wants to have a hub by these units.
fn is_wanted(systemd: &Systemd) -> bool {
    let units = [SERVICE, CHAT, ADMIN].iter().filter_map(|name| systemd.units.get(*name));
    units.filter(|unit| unit.is_loaded()).any(|unit| {
        let state = unit.text("ActiveState");
        unit.is_enabled() || !matches!(state, "inactive" | "")
    })
}

/// Whether the user who looks has a service manager of their own.
fn has_manager(environment: &Environment) -> bool {
    environment.runtime_dir.as_ref().is_some_and(|dir| dir.join("systemd").is_dir())
}

/// Where the admin socket of a user's own hub is.
fn own_socket(environment: &Environment) -> Option<PathBuf> {
    environment.runtime_dir.as_ref().map(|dir| dir.join("chathub/admin.sock"))
}

/// Whether the user's service manager stays when they log out (loginctl(1)).
fn lingers() -> Seen<bool> {
    let uid = nix::unistd::geteuid().as_raw();
    let name = users::name(uid).ok_or_else(|| Unseen::hidden(format!("the user {uid} has no name")))?;
    match files::node(&Path::new("/var/lib/systemd/linger").join(name)) {
        Ok(_) => Ok(true),
        Err(Unseen::Absent(_)) => Ok(false),
        Err(why) => Err(why),
    }
}

/// The path without symbolic links, as far as it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Where the service's admin socket is, as its unit says.
fn service_socket(systemd: Option<&Systemd>) -> Option<PathBuf> {
    let listen = systemd.and_then(|systemd| systemd.units.get(ADMIN)).map(|unit| unit.text("Listen").to_owned());
    let path = listen.as_deref().and_then(|listen| listen.lines().find(|line| line.starts_with('/')));
    path.map(|line| line.trim_end_matches(" (Stream)").into())
}

/// Whether a connection to the socket may start the service, whose admin socket is at the `usual` path mostly.
fn is_held(socket: &Path, systemd: Option<&Systemd>, usual: Option<&Path>) -> bool {
    let units = [ADMIN, MONITOR].iter().filter_map(|name| systemd?.units.get(*name));
    let held = units.flat_map(|unit| unit.text("Listen").lines().map(|line| line.trim_end_matches(" (Stream)")));
    held.map(Path::new).chain(usual).any(|path| real(path) == real(socket))
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

/// A variable of the environment. One that is empty counts as not set.
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A directory of the user who looks: that of the variable, else this one in their home.
fn own_dir(name: &str, else_in_home: &str) -> Option<PathBuf> {
    variable(name).or_else(|| variable("HOME").map(|home| home.join(else_in_home)))
}

/// Whether this process is run by root.
fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Added to an error of the system that root might not get.
fn not_root() -> &'static str {
    if is_root() { "" } else { " (not root)" }
}
