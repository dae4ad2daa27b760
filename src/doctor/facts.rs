//! What was found on the machine, as plain values: the checks decide by these alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::finding::{Seen, Unseen};
use crate::config::{Loaded, Problem};
use crate::standing::Standing;
use crate::store::Examined;
use crate::values::time::Wall;
use crate::wire::admin::result::{DiskHistory, Status};

/// The unit of the daemon.
pub const SERVICE: &str = "chathub.service";
/// The unit of the port.
pub const CHAT: &str = "chathub.socket";
/// The unit of the admin socket.
pub const ADMIN: &str = "chathub-admin.socket";
/// The unit of the socket for monitoring, which need not be enabled.
pub const MONITOR: &str = "chathub-monitor.socket";
/// The unit of the socket for metrics over HTTP, which need not be enabled.
pub const METRICS: &str = "chathub-metrics.socket";
/// The unit of the program that serves them.
pub const WEB: &str = "chathub-web.service";
/// The unit of the port for TLS, which need not be enabled.
pub const TLS_PORT: &str = "chathub-tls.socket";
/// The unit of the program that does the handshakes.
pub const TLS: &str = "chathub-tls.service";
/// The unit of the socket on which it hands connections over.
pub const HANDOVER: &str = "chathub-handover.socket";
/// The unit of the port for proxies, which need not be enabled.
pub const PROXY: &str = "chathub-proxy.socket";
/// All units of the package.
pub const UNITS: [&str; 10] = [SERVICE, CHAT, ADMIN, MONITOR, METRICS, WEB, TLS_PORT, TLS, HANDOVER, PROXY];

/// Which service manager is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// The machine's.
    System,
    /// That of whoever looks.
    User,
}

/// Which hub is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// That of the machine's units.
    Service,
    /// That of whoever looks, run by the units of the same names under their own service manager.
    Own,
    /// One that was started by hand.
    ByHand,
}

/// All that was found.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Which hub is looked at.
    pub subject: Subject,
    /// Whether root looks.
    pub is_root: bool,
    /// The present time.
    pub now: Wall,
    /// This program, which is the one that is installed.
    pub program: Program,
    /// The service manager and its units.
    pub systemd: Seen<Systemd>,
    /// The TCP sockets that listen on this machine.
    pub listening: Seen<Vec<Listening>>,
    /// Hubs that run.
    pub hubs: Seen<Vec<Process>>,
    /// The admin socket.
    pub admin: Place,
    /// Users and groups.
    pub accounts: Accounts,
    /// The state directory.
    pub state: State,
    /// The settings.
    pub settings: Settings,
    /// The machine.
    pub machine: Machine,
    /// The programs that the unit runs beside the daemon, those that are there.
    pub scripts: Seen<Vec<Node>>,
    /// TLS.
    pub tls: Tls,
    /// What the journal has.
    pub journal: Seen<Journal>,
    /// What the daemon answers, or why it does not.
    pub daemon: Seen<Result<Daemon, Silence>>,
    /// The daemon's process.
    pub process: Seen<Running>,
    /// Whether the service manager of whoever looks goes on when they log out.
    pub lingers: Seen<bool>,
}

/// This program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its version.
    pub version: String,
    /// When its file was made.
    pub made: Option<Wall>,
}

/// The service manager.
#[derive(Clone, Debug)]
pub struct Systemd {
    /// Its version, such as 252.
    pub version: Option<u32>,
    /// Its units, by name.
    pub units: BTreeMap<String, Unit>,
}

impl Systemd {
    /// Whether somebody wants connections to be encrypted.
    #[must_use]
    pub fn wants_tls(&self) -> bool {
        let units = [TLS_PORT, TLS].iter().filter_map(|name| self.units.get(*name));
        units.filter(|unit| unit.is_loaded()).any(|unit| unit.is_enabled() || unit.is("ActiveState", "active"))
    }
}

/// A unit.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// As `systemctl show` tells them; several values of one name with a newline between.
    pub properties: BTreeMap<String, String>,
    /// The unit file and its drop-ins, in the order in which they count.
    pub files: Vec<UnitFile>,
    /// The package's file, if another one is used in its place.
    pub packaged: Option<UnitFile>,
    /// Drop-ins that are there and that systemd does not know of.
    pub unread: Vec<PathBuf>,
}

/// A unit file, or a drop-in.
#[derive(Clone, Debug, Default)]
pub struct UnitFile {
    /// Its path.
    pub path: PathBuf,
    /// When it was written last.
    pub made: Option<Wall>,
    /// What it sets: the line, from 1, the name, and the value.
    pub lines: Vec<(usize, String, String)>,
}

impl Unit {
    /// A property; `None` if systemd does not know it.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }

    /// A property; empty if systemd does not know it.
    #[must_use]
    pub fn text(&self, property: &str) -> &str {
        self.get(property).unwrap_or_default()
    }

    /// Whether the property has that value.
    #[must_use]
    pub fn is(&self, property: &str, value: &str) -> bool {
        self.get(property) == Some(value)
    }

    /// Whether systemd could load it.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.is("LoadState", "loaded")
    }

    /// Whether it starts at boot.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.text("UnitFileState").starts_with("enabled")
    }

    /// The value that the files give to `directive`, the last one if there are several.
    #[must_use]
    pub fn written(&self, directive: &str) -> Option<&str> {
        let lines = self.files.iter().rev().flat_map(|file| file.lines.iter().rev());
        lines.into_iter().find(|(_, name, _)| name == directive).map(|(_, _, value)| value.as_str())
    }

    /// The file that sets `directive` last, and the line; no file of the package's, unless it is the only one.
    #[must_use]
    pub fn set_by(&self, directive: &str) -> Option<(&Path, usize)> {
        self.files.iter().rev().find_map(|file| {
            let (line, _, _) = file.lines.iter().rev().find(|(_, name, _)| name == directive)?;
            Some((file.path.as_path(), *line))
        })
    }
}

impl Facts {
    /// The service manager, if the hub is its business.
    ///
    /// # Errors
    /// Why it is not, or is not known.
    pub fn systemd(&self) -> Seen<&Systemd> {
        match self.subject {
            Subject::ByHand => Err(Unseen::absent("this hub was not started by systemd")),
            Subject::Service | Subject::Own => self.systemd.as_ref().map_err(Clone::clone),
        }
    }

    /// A unit that systemd has loaded.
    ///
    /// # Errors
    /// If there is none.
    pub fn unit(&self, name: &str) -> Seen<&Unit> {
        let unit = self.systemd()?.units.get(name).filter(|unit| unit.is_loaded());
        unit.ok_or_else(|| Unseen::absent(format!("{name} is not installed")))
    }

    /// What the daemon answers.
    ///
    /// # Errors
    /// If it does not.
    pub fn daemon(&self) -> Seen<&Daemon> {
        match &self.daemon {
            Ok(Ok(daemon)) => Ok(daemon),
            Ok(Err(_)) => Err(Unseen::hidden("the daemon does not answer")),
            Err(why) => Err(why.clone()),
        }
    }

    /// The settings, if they are without mistakes.
    ///
    /// # Errors
    /// If they are not.
    pub fn loaded(&self) -> Seen<&Loaded> {
        self.settings.loaded.as_ref().map_err(|_| Unseen::hidden("the settings have mistakes"))
    }
}

/// A socket that listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Where.
    pub addr: SocketAddr,
    /// The user who opened it.
    pub uid: u32,
    /// A process that has it open, if that could be seen.
    pub owner: Option<Process>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What the kernel calls it.
    pub name: String,
    /// Its command line, with spaces between.
    pub line: String,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket.
    Socket,
    /// Something else.
    Other,
}

/// A file, directory or socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its path.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    /// Its permissions.
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its bytes.
    pub size: u64,
    /// When it was written last.
    pub made: Wall,
    /// Whether nobody can change it, not even root (chattr(1)).
    pub immutable: bool,
}

/// A path, what is there, and what its directory is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The path.
    pub path: PathBuf,
    /// What is there.
    pub node: Seen<Node>,
    /// Its directory.
    pub dir: Seen<Node>,
}

/// Users and groups of the service.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// The number and the group of the user that the daemon is to run as.
    pub user: Option<(u32, u32)>,
    /// The name of that user.
    pub user_name: String,
    /// The group of the administrators.
    pub admins: Option<u32>,
    /// The group of those who watch.
    pub monitors: Option<u32>,
}

/// The state directory.
#[derive(Clone, Debug)]
pub struct State {
    /// Its path; none if nobody has said where it is.
    pub path: Option<PathBuf>,
    /// What is at the path.
    pub node: Seen<Node>,
    /// What a link there leads to.
    pub target: Seen<Node>,
    /// The file system.
    pub disk: Seen<Disk>,
    /// The files in it, by name.
    pub files: Seen<BTreeMap<String, Node>>,
    /// The database, if it could be read without touching anything.
    pub database: Seen<Result<Examined, String>>,
}

/// A file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    /// Bytes that the daemon may still take.
    pub free: u64,
    /// Files that may still be made; none if the file system does not count them.
    pub inodes: Option<u64>,
    /// Whether nothing can be written.
    pub read_only: bool,
}

/// The settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings, or what is wrong with them.
    pub loaded: Result<Loaded, Vec<Problem>>,
    /// The files and directories that they are read from, those that are there.
    pub files: Vec<Node>,
    /// The directory of further settings, if any are read.
    pub fragments: Option<PathBuf>,
    /// Files in the directory of further settings that are not read.
    pub ignored: Vec<PathBuf>,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// `net.core.wmem_max`, in bytes.
    pub wmem_max: Seen<u64>,
    /// `net.core.rmem_max`, in bytes.
    pub rmem_max: Seen<u64>,
    /// `net.core.somaxconn`, in connections.
    pub somaxconn: Seen<u64>,
    /// `fs.file-max`, in descriptors.
    pub file_max: Seen<u64>,
    /// The memory, in bytes.
    pub memory: Seen<u64>,
    /// Whether the kernel takes its clock for right.
    pub clock_is_right: Seen<bool>,
}

/// The port for TLS, if it is wanted.
#[derive(Clone, Debug)]
pub struct Tls {
    /// What `chathub-tls` has written of itself.
    pub standing: Seen<Standing>,
    /// The files of certificates and keys, those that are there.
    pub files: Seen<Vec<Node>>,
    /// What is wrong with those that could not be used if it started now.
    pub unusable: Seen<Vec<String>>,
}

/// What the journal has of the service.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Whether it takes entries.
    pub reachable: bool,
    /// Whether it outlives a reboot.
    pub kept: bool,
    /// The events of the last seven days that are looked for, the newest last: when, its `MESSAGE_ID=`, its text.
    pub events: Seen<Vec<(Wall, String, String)>>,
}

/// What the daemon answers.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// To `status`.
    pub status: Status,
    /// What is on disk, to `history.stats`.
    pub disk: Seen<Option<DiskHistory>>,
    /// The ages of the reports that are open, the oldest first.
    pub reports: Seen<Vec<(String, Duration)>>,
}

/// Why the daemon does not answer.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Which way it is silent.
    pub kind: SilenceKind,
    /// In words.
    pub why: String,
}

/// Which way the daemon is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceKind {
    /// No connection, or no answer.
    Silent,
    /// All places on the admin socket are taken.
    Busy,
    /// Somebody else listens there.
    Stranger,
}

/// The daemon's process.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its number.
    pub pid: u32,
    /// How many descriptors it may have open at most.
    pub descriptors: Seen<u64>,
    /// The program that it runs, as `/proc/PID/exe` names it.
    pub program: Seen<String>,
}
