//! What can go wrong, what people are told of it, and the exit code.

use std::error::Error as _;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::asleep::Manager;
use crate::client::{self, Environment, SYSTEM_SOCKET};
use crate::exit::Exit;
use crate::users;
use crate::values::plain::Plain;
use crate::wire::admin::message::ErrorCode;

/// Why a command was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line makes no sense, whatever the daemon would say.
    Usage(String),
    /// The daemon refused, or could not be asked.
    Client(client::Error),
    /// The service does not run, and whoever only looks does not start it.
    Stopped(Manager),
    /// Nothing was done because `--yes` was not given.
    NotSure,
    /// Whoever was asked has not said yes.
    NotMeant,
    /// The line of that number, which was to be removed, is not kept.
    NoSuchLine(u64),
    /// A file could not be written.
    File { path: PathBuf, source: io::Error },
    /// The answer could not be printed.
    Output(io::Error),
}

impl From<client::Error> for Failure {
    fn from(error: client::Error) -> Self {
        Self::Client(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::NoSuchLine(_) => Exit::NotFound,
            Self::Stopped(_) => Exit::Unreachable,
            Self::Client(error) => exit(error),
            // The reader of the output has seen enough, as in `chathub ctl history | head`.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) | Self::NotSure | Self::NotMeant | Self::File { .. } => Exit::Refused,
        }
    }

    /// What may help, line by line. `environment` says where hubs can be, `by_name` that the socket was named by whoever
    /// asks.
    pub(super) fn hint(&self, environment: &Environment, by_name: bool) -> Vec<String> {
        match self {
            Self::Client(error) => {
                let mut hint = hint(error, by_name);
                hint.extend(elsewhere(error, environment));
                hint
            }
            Self::Stopped(manager) => {
                vec![
                    "To look is not to start it. This does, and so does whoever connects:".into(),
                    format!("    {}", manager.start()),
                ]
            }
            Self::Usage(_)
            | Self::Output(_)
            | Self::NotSure
            | Self::NotMeant
            | Self::NoSuchLine(_)
            | Self::File { .. } => Vec::new(),
        }
    }
}

fn exit(error: &client::Error) -> Exit {
    use client::Error;
    match error {
        Error::NoSocket { .. } | Error::Connect { .. } | Error::Broken { .. } | Error::Garbled { .. } => {
            Exit::Unreachable
        }
        Error::Permission { .. } | Error::Stranger { .. } => Exit::Denied,
        Error::Silent { .. } => Exit::TimedOut,
        Error::TooLong { .. } => Exit::Usage,
        Error::Refused(error) => match error.code {
            ErrorCode::NotFound | ErrorCode::UnknownCommand => Exit::NotFound,
            ErrorCode::Denied => Exit::Denied,
            ErrorCode::Timeout => Exit::TimedOut,
            _ => Exit::Refused,
        },
    }
}

/// Another hub that is at hand, if the one that was asked is not the one that is meant.
fn elsewhere(error: &client::Error, environment: &Environment) -> Option<String> {
    use client::Error;
    let asked = match error {
        Error::Permission { path } | Error::Connect { path, .. } | Error::Stranger { path, .. } => path,
        _ => return None,
    };
    let other = environment.another(asked)?;
    Some(format!("Another hub's socket is {}: --socket {}", other.display(), other.display()))
}

fn hint(error: &client::Error, by_name: bool) -> Vec<String> {
    use client::Error;
    const BY_HAND: &str = "For a daemon that was started by hand, name its socket: --socket PATH or $CHATHUB_SOCKET.";
    const UNITS: &str = "    systemctl status chathub.socket chathub-admin.socket chathub.service";
    let is_file = |path: &Path| std::fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket());
    match error {
        Error::Connect { path, .. } if is_file(path) => {
            vec!["That is no socket. The one of a daemon is its --admin-socket.".into()]
        }
        Error::Connect { source, .. } if source.kind() == ErrorKind::ConnectionRefused => {
            let down = "The socket is there, but nobody listens on it: the daemon is down.";
            if by_name { vec![down.into()] } else { vec![format!("{down} See:"), UNITS.into()] }
        }
        // Whoever has named it does not mean the service.
        Error::Connect { .. } if by_name => vec!["Is that the --admin-socket of a daemon that runs?".into()],
        Error::NoSocket { .. } | Error::Connect { .. } => {
            vec!["Is the service running? See:".into(), UNITS.into(), BY_HAND.into()]
        }
        Error::Permission { path } if path.parent() != Path::new(SYSTEM_SOCKET).parent() => {
            vec!["Whoever started that daemon may, and root; see the rights of the file and of its directory.".into()]
        }
        Error::Permission { path } => {
            let group = if path == Path::new(SYSTEM_SOCKET) { "chathub-admin" } else { "chathub-monitor" };
            let uid = nix::unistd::getuid();
            let user = users::name(uid.as_raw()).unwrap_or_else(|| "USER".into());
            vec![
                format!("root and the members of the group {group} may. To join it, then log in again:"),
                format!("    sudo usermod -aG {group} {user}"),
            ]
        }
        Error::Stranger { path, uid } => {
            let user = users::name(*uid).unwrap_or_else(|| format!("'#{uid}'"));
            vec![
                "root, the user chathub and oneself are asked. If their hub is meant, ask as that user:".into(),
                format!("    sudo -u {user} chathub ctl --socket {} ...", path.display()),
            ]
        }
        Error::Broken { .. } => vec!["Why it closed the connection may stand in: journalctl -u chathub -e".into()],
        Error::Garbled { .. } => {
            vec!["Is that the admin socket of chathub? Of this version? See: chathub ctl call hello".into()]
        }
        Error::Silent { .. } => {
            vec!["It may be starting, or busy: journalctl -u chathub -e. --timeout D waits longer.".into()]
        }
        Error::Refused(error) if error.code == ErrorCode::Internal => {
            vec!["Its journal says more: journalctl -u chathub -e".into()]
        }
        Error::Refused(_) | Error::TooLong { .. } => Vec::new(),
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) => f.write_str(why),
            Self::Client(error) => {
                write!(f, "{error}")?;
                error.source().map_or(Ok(()), |source| write!(f, ": {}", reason(source)))
            }
            Self::Stopped(_) => f.write_str("the service is stopped"),
            Self::NotMeant => f.write_str("nothing was changed"),
            Self::NotSure => f.write_str("nothing was changed; --yes does it"),
            Self::NoSuchLine(seq) => write!(f, "no line {seq} is kept"),
            Self::File { path, source } => write!(f, "cannot write {}: {}", path.display(), reason(source)),
            Self::Output(error) => write!(f, "cannot write the answer: {}", reason(error)),
        }
    }
}

/// What an error of the system says, as a part of a sentence: in lower case, and without its number.
pub(super) fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(ErrorKind::AlreadyExists) => "it exists already".to_owned(),
        Some(ErrorKind::NotADirectory) => "a part of the path is no directory".to_owned(),
        Some(ErrorKind::InvalidInput) => "that is no name of a file".to_owned(),
        _ => Plain(error).to_string(),
    }
}
