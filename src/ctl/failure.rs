//! What can go wrong, what people are told of it, and the exit code.

use std::error::Error as _;
use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::client;
use crate::exit::Exit;
use crate::wire::admin::message::ErrorCode;

/// Why a command was not carried out.
#[derive(Debug)]
pub(super) enum Failure {
    /// The command line makes no sense, whatever the daemon would say.
    Usage(String),
    /// The daemon refused, or could not be asked.
    Client(client::Error),
    /// Nothing was done because `--yes` was not given.
    NotSure,
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
            Self::Client(error) => exit(error),
            // The reader of the output has seen enough, as in `chathub ctl history | head`.
            Self::Output(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done,
            Self::Output(_) | Self::NotSure | Self::File { .. } => Exit::Refused,
        }
    }

    /// What may help, line by line.
    pub(super) fn hint(&self) -> Vec<String> {
        match self {
            Self::Client(error) => hint(error),
            Self::Usage(_) | Self::Output(_) | Self::NotSure | Self::File { .. } => Vec::new(),
        }
    }
}

fn exit(error: &client::Error) -> Exit {
    use client::Error;
    match error {
        Error::NoSocket { .. } | Error::Connect { .. } | Error::Broken { .. } | Error::Garbled { .. } => {
            Exit::Unreachable
        }
        Error::Permission { .. } => Exit::Denied,
        Error::Silent { .. } => Exit::TimedOut,
        Error::TooLong { .. } => Exit::Usage,
        Error::Refused(error) => match error.code {
            ErrorCode::NotFound => Exit::NotFound,
            ErrorCode::Denied => Exit::Denied,
            ErrorCode::Timeout => Exit::TimedOut,
            _ => Exit::Refused,
        },
    }
}

fn hint(error: &client::Error) -> Vec<String> {
    use client::Error;
    const BY_HAND: &str = "For a daemon that was started by hand, name its socket: --socket PATH or $CHATHUB_SOCKET.";
    const UNITS: &str = "    systemctl status chathub.socket chathub-admin.socket chathub.service";
    match error {
        Error::Connect { source, .. } if source.kind() == ErrorKind::ConnectionRefused => {
            vec!["The socket is there, but nobody listens on it: the daemon is down. See:".into(), UNITS.into()]
        }
        Error::NoSocket { .. } | Error::Connect { .. } => {
            vec!["Is the service running? See:".into(), UNITS.into(), BY_HAND.into()]
        }
        Error::Permission { .. } => {
            let uid = nix::unistd::getuid();
            let user = nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| "USER".into(), |user| user.name);
            vec![
                "root and the members of the group chathub-admin may. To join it, then log in again:".into(),
                format!("    sudo usermod -aG chathub-admin {user}"),
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
            Self::NotSure => f.write_str("nothing was changed; --yes does it"),
            Self::File { path, source } => write!(f, "cannot write {}: {}", path.display(), reason(source)),
            Self::Output(error) => write!(f, "cannot write the answer: {}", reason(error)),
        }
    }
}

/// What an error of the system says, as a part of a sentence: in lower case, and without its number.
pub(super) fn reason(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
