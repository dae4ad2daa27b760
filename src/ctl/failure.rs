//! What can go wrong, what people are told of it, and the exit code.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use crate::exit::Exit;
use crate::wire::admin::message::{ControlError, ErrorCode};

/// Why it was not done.
#[derive(Debug)]
pub(super) enum Failure {
    /// What was asked makes no sense, whatever the daemon thinks.
    Usage(String),
    /// There is no admin socket where one is expected.
    NoSocket { tried: Vec<PathBuf> },
    /// The socket does not take connections.
    Connect { path: PathBuf, source: io::Error },
    /// The socket may not be opened.
    Permission { path: PathBuf },
    /// The connection ended before the answer was whole.
    Broken { path: PathBuf, source: Option<io::Error> },
    /// What came back is not the protocol.
    Garbled { path: PathBuf, why: String },
    /// Nothing came back in time.
    Silent { path: PathBuf, after: Duration },
    /// The daemon said no.
    Refused(ControlError),
    /// It would be done only if it was meant.
    NotSure,
    /// The file could not be written.
    File { path: PathBuf, source: io::Error },
    /// The answer could not be written out.
    Output(io::Error),
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
            Self::NoSocket { .. } | Self::Connect { .. } | Self::Broken { .. } | Self::Garbled { .. } => {
                Exit::Unreachable
            }
            Self::Permission { .. } => Exit::Denied,
            Self::Silent { .. } => Exit::TimedOut,
            Self::Refused(error) => match error.code {
                ErrorCode::NotFound => Exit::NotFound,
                ErrorCode::Denied => Exit::Denied,
                ErrorCode::Timeout => Exit::TimedOut,
                _ => Exit::Refused,
            },
            // Whoever read the output has seen enough.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) | Self::NotSure | Self::File { .. } => Exit::Refused,
        }
    }

    /// What helps, line by line.
    pub(super) fn hint(&self) -> Vec<String> {
        const BY_HAND: &str =
            "For a daemon that was started by hand, name its socket: --socket PATH or $CHATHUB_SOCKET.";
        const UNITS: &str = "    systemctl status chathub.socket chathub-admin.socket chathub.service";
        match self {
            Self::NoSocket { .. } => {
                vec!["Is the service running? See:".into(), UNITS.into(), BY_HAND.into()]
            }
            Self::Connect { source, .. } if source.kind() == ErrorKind::ConnectionRefused => {
                vec!["The socket is there, but nobody listens on it: the daemon is down. See:".into(), UNITS.into()]
            }
            Self::Connect { .. } => vec!["Is the service running? See:".into(), UNITS.into(), BY_HAND.into()],
            Self::Permission { .. } => {
                let uid = nix::unistd::getuid();
                let user =
                    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| "USER".into(), |user| user.name);
                vec![
                    "root and the members of the group chathub-admin may. To join it, then log in again:".into(),
                    format!("    sudo usermod -aG chathub-admin {user}"),
                ]
            }
            Self::Broken { .. } => vec!["Why it closed the connection may stand in: journalctl -u chathub -e".into()],
            Self::Garbled { .. } => {
                vec!["Is that the admin socket of chathub? Of this version? See: chathub ctl call hello".into()]
            }
            Self::Silent { .. } => {
                vec!["It may be starting, or busy: journalctl -u chathub -e. --timeout D waits longer.".into()]
            }
            Self::Refused(error) if error.code == ErrorCode::Internal => {
                vec!["Its journal says more: journalctl -u chathub -e".into()]
            }
            Self::Usage(_) | Self::Refused(_) | Self::Output(_) | Self::NotSure | Self::File { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) => f.write_str(why),
            Self::NoSocket { tried } => {
                let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
                write!(f, "cannot connect to chathub: there is no {}", tried.join(" and no "))
            }
            Self::Connect { path, source } => write!(f, "cannot connect to {}: {}", path.display(), reason(source)),
            Self::Permission { path } => write!(f, "cannot connect to {}: permission denied", path.display()),
            Self::Broken { path, source: None } => {
                write!(f, "the daemon at {} closed the connection before its answer was whole", path.display())
            }
            Self::Broken { path, source: Some(source) } => {
                write!(f, "the connection to {} broke: {}", path.display(), reason(source))
            }
            Self::Garbled { path, why } => write!(f, "the answer from {} makes no sense: {why}", path.display()),
            Self::Silent { path, after } => {
                write!(f, "no answer from {} within {}", path.display(), humantime::format_duration(*after))
            }
            Self::Refused(error) => write!(f, "{error}"),
            Self::NotSure => f.write_str("nothing was changed; --yes does it"),
            Self::File { path, source } => write!(f, "cannot write {}: {}", path.display(), reason(source)),
            Self::Output(error) => write!(f, "cannot write the answer: {}", reason(error)),
        }
    }
}

/// What an error of the system says, as part of a sentence.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
