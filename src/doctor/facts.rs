//! The facts about a machine, as plain values. The checks know nothing else.

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
/// The unit of the program that serves these metrics.
pub const WEB: &str = "chathub-web.service";
/// The unit of the port for TLS, which need not be enabled.
pub const TLS_PORT: &str = "chathub-tls.socket";
/// The unit of the program that does the handshakes.
pub const TLS: &str = "chathub-tls.service";
/// The unit of the socket by which it hands connections over.
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

/// All facts. What could not be seen has a reason in its place.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Which hub is examined.
    pub subject: Subject,
    /// Whether this process is run by root.
    pub is_root: bool,
    /// The present time.
    pub now: Wall,
    /// This program, which counts as the one that is installed.
    pub program: Program,
    /// The service manager and its units.
    pub systemd: Seen<Systemd>,
    /// The TCP sockets that listen on the hub's ports.
    pub listening: Seen<Vec<Listening>>,
    /// The processes that are hubs.
    pub hubs: Seen<Vec<Process>>,
    /// The admin socket: its path, and the file there.
    pub admin: Place,
    /// The users and groups of the service.
    pub accounts: Accounts,
    /// The state directory.
    pub state: State,
    /// The daemon's settings, and their files.
    pub settings: Settings,
    /// The limits, memory and clock of the machine.
    pub machine: Machine,
    /// The programs that the unit runs beside the daemon, those that are there.
    pub scripts: Seen<Vec<Node>>,
    /// The status and the certificates of `chathub-tls`.
    pub tls: Tls,
    /// What the journal has of the service.
    pub journal: Seen<Journal>,
    /// The daemon's answers, or the way in which it was silent.
    pub daemon: Seen<Result<Daemon, Silence>>,
    /// The daemon's process.
    pub process: Seen<Running>,
    /// Whether the service manager of whoever looks goes on when they log out.
    pub lingers: Seen<bool>,
}

/// The program that runs the checks.
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

/// A unit of systemd.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Its name.
    pub name: String,
    /// Its properties, as `systemctl show` prints them. Several values of one property are
    /// separated by newlines.
    pub properties: BTreeMap<String, String>,
    /// The unit file and its drop-ins, in the order in which they count.
    pub files: Vec<UnitFile>,
    /// The package's unit file, if another file is used in its place.
    pub packaged: Option<UnitFile>,
    /// Drop-ins that are on disk but that systemd has not read.
    pub unread: Vec<PathBuf>,
}

/// A unit file, or a drop-in.
#[derive(Clone, Debug, Default)]
pub struct UnitFile {
    /// Its path.
    pub path: PathBuf,
    /// When it was written last.
    pub made: Option<Wall>,
    /// Its settings: the line number (from 1), the name, and the value.
    pub lines: Vec<(usize, String, String)>,
}

impl Unit {
    /// The value of a property; `None` if systemd does not know it.
    #[must_use]
    pub fn get(&self, property: &str) -> Option<&str> {
        self.properties.get(property).map(String::as_str)
    }

    /// The value of a property; empty if systemd does not know it.
    #[must_use]
    pub fn text(&self, property: &str) -> &str {
        self.get(property).unwrap_or_default()
    }

    /// Whether the property has this value.
    #[must_use]
    pub fn is(&self, property: &str, value: &str) -> bool {
        self.get(property) == Some(value)
    }

    /// Whether systemd could load it.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.is("LoadState", "loaded")
    }

    /// Whether the unit starts at boot.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.text("UnitFileState").starts_with("enabled")
    }

    /// The value that the unit's files give to `directive`; the last one, if there are several.
    #[must_use]
    pub fn written(&self, directive: &str) -> Option<&str> {
        let lines = self.files.iter().rev().flat_map(|file| file.lines.iter().rev());
        lines.into_iter().find(|(_, name, _)| name == directive).map(|(_, _, value)| value.as_str())
    }

    /// The file and the line that set `directive` last.
    #[must_use]
    pub fn set_by(&self, directive: &str) -> Option<(&Path, usize)> {
        self.files.iter().rev().find_map(|file| {
            let (line, _, _) = file.lines.iter().rev().find(|(_, name, _)| name == directive)?;
            Some((file.path.as_path(), *line))
        })
    }
}

impl Facts {
    /// The service manager, if it runs this hub.
    ///
    /// # Errors
    /// It does not run this hub, or could not be asked.
    pub fn systemd(&self) -> Seen<&Systemd> {
        match self.subject {
            Subject::ByHand => Err(Unseen::absent("this hub was not started by systemd")),
            Subject::Service | Subject::Own => self.systemd.as_ref().map_err(Clone::clone),
        }
    }

    /// The unit of this name, if systemd has loaded it.
    ///
    /// # Errors
    /// It is not loaded, or systemd could not be asked.
    pub fn unit(&self, name: &str) -> Seen<&Unit> {
        let unit = self.systemd()?.units.get(name).filter(|unit| unit.is_loaded());
        unit.ok_or_else(|| Unseen::absent(format!("{name} is not installed")))
    }

    /// The daemon's answers.
    ///
    /// # Errors
    /// It has not answered.
    pub fn daemon(&self) -> Seen<&Daemon> {
        match &self.daemon {
            Ok(Ok(daemon)) => Ok(daemon),
            Ok(Err(_)) => Err(Unseen::hidden("the daemon does not answer")),
            Err(why) => Err(why.clone()),
        }
    }

    /// The settings, if they have no mistakes.
    ///
    /// # Errors
    /// They have mistakes.
    pub fn loaded(&self) -> Seen<&Loaded> {
        self.settings.loaded.as_ref().map_err(|_| Unseen::hidden("the settings have mistakes"))
    }
}

/// A TCP socket that listens.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Its address and port.
    pub addr: SocketAddr,
    /// The uid of the user who opened it.
    pub uid: u32,
    /// A process that has it open; `None` if that could not be seen.
    pub owner: Option<Process>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Its name, as the kernel knows it.
    pub name: String,
    /// Its command line, as words separated by spaces, cut to 200 characters.
    pub line: String,
}

/// The kind of a [`Node`].
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
    /// Its kind.
    pub kind: Kind,
    /// Its permissions, as in chmod(2).
    pub mode: u32,
    /// The uid of its owner.
    pub uid: u32,
    /// The gid of its group.
    pub gid: u32,
    /// Its length, in bytes.
    pub size: u64,
    /// When it was written last.
    pub made: Wall,
    /// Whether nobody may change it, not even root (chattr(1)).
    pub immutable: bool,
}

/// A path, the file there, and its directory.
#[derive(Clone, Debug)]
pub struct Place {
    /// The path.
    pub path: PathBuf,
    /// The file, directory or socket at the path.
    pub node: Seen<Node>,
    /// The directory in which the path ends.
    pub dir: Seen<Node>,
}

/// Users and groups of the service.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// The uid and gid of the user that the daemon should run as; `None` if there is no such user.
    pub user: Option<(u32, u32)>,
    /// The name of that user.
    pub user_name: String,
    /// The gid of `chathub-admin`; `None` if there is no such group.
    pub admins: Option<u32>,
    /// The gid of `chathub-monitor`; `None` if there is no such group.
    pub monitors: Option<u32>,
}

/// The state directory.
#[derive(Clone, Debug)]
pub struct State {
    /// Its path; `None` if it is not known.
    pub path: Option<PathBuf>,
    /// The directory at the path, or the symbolic link there.
    pub node: Seen<Node>,
    /// The same, after following symbolic links.
    pub target: Seen<Node>,
    /// The file system of the directory.
    pub disk: Seen<Disk>,
    /// The files in it, by name.
    pub files: Seen<BTreeMap<String, Node>>,
    /// The database, or why it cannot be used. Nothing was touched to read it.
    pub database: Seen<Result<Examined, String>>,
}

/// A file system.
#[derive(Clone, Copy, Debug)]
pub struct Disk {
    /// How many bytes the daemon may still write.
    pub free: u64,
    /// How many files can still be made; `None` if the file system does not count them.
    pub inodes: Option<u64>,
    /// Whether nothing can be written to it.
    pub read_only: bool,
}

/// The daemon's settings, and their files.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings, or the mistakes in them.
    pub loaded: Result<Loaded, Vec<Problem>>,
    /// The files and directories that the settings are read from, and that are there.
    pub files: Vec<Node>,
    /// The directory of further settings, if any are read.
    pub fragments: Option<PathBuf>,
    /// Files in the directory of further settings that are not read.
    pub ignored: Vec<PathBuf>,
}

/// The limits, memory and clock of the machine.
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
    /// The memory, in bytes (`MemTotal`).
    pub memory: Seen<u64>,
    /// Whether the kernel counts its clock as synchronized: see [`crate::kernel::is_clock_right`].
    pub clock_is_right: Seen<bool>,
}

/// The port for TLS, if it is wanted.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The status file of `chathub-tls`.
    pub standing: Seen<Standing>,
    /// The files of certificates and keys that are there.
    pub files: Seen<Vec<Node>>,
    /// For each certificate that `chathub-tls` could not use if it started now: why not.
    pub unusable: Seen<Vec<String>>,
}

/// What the journal has of the service.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Whether the journal takes entries.
    pub reachable: bool,
    /// Whether the journal outlives a reboot.
    pub kept: bool,
    /// The events of the last seven days that the checks need, the newest last: time,
    /// `MESSAGE_ID=`, text.
    pub events: Seen<Vec<(Wall, String, String)>>,
}

/// The daemon's answers.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// The answer to `status`.
    pub status: Status,
    /// The part of the answer to `history.stats` about the disk.
    pub disk: Seen<Option<DiskHistory>>,
    /// The ids and ages of the reports that are open.
    pub reports: Seen<Vec<(String, Duration)>>,
}

/// The way in which the daemon was silent.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The kind of silence.
    pub kind: SilenceKind,
    /// The reason, in words.
    pub why: String,
}

/// The kinds of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceKind {
    /// There was no connection, or no answer.
    Silent,
    /// All places on the admin socket are taken.
    Busy,
    /// A user who is not trusted listens on the socket.
    Stranger,
}

/// The daemon's process.
#[derive(Clone, Debug)]
pub struct Running {
    /// Its process id.
    pub pid: u32,
    /// The most descriptors that it may have open.
    pub descriptors: Seen<u64>,
    /// The path of its program, as `/proc/PID/exe` has it.
    pub program: Seen<String>,
}
