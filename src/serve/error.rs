//! Why the daemon cannot start: the words for the journal, and the exit code.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tracing::error;

use crate::config;
use crate::exit::Exit;
use crate::store::OpenError;
use crate::systemd::WrongSocket;
use crate::values::plain::Plain;

/// Why the daemon cannot start.
#[derive(Debug)]
pub(super) enum StartError {
    /// A socket that the service manager passed cannot be used.
    Handed(WrongSocket),
    /// The service manager passed sockets, but none for clients.
    NoChatSocket,
    /// The settings files have mistakes.
    Settings(Vec<config::Problem>),
    /// The daemon cannot listen on an address for clients.
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The error of the system.
        error: io::Error,
    },
    /// The admin socket cannot be opened.
    Admin {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// Another hub answers on the admin socket at this path.
    AdminInUse(PathBuf),
    /// The state directory cannot be used.
    State(OpenError),
    /// The system refuses something that every start needs.
    System {
        /// What could not be done; the text follows "cannot".
        what: &'static str,
        /// The error of the system.
        error: io::Error,
    },
}

impl StartError {
    /// The exit code for the service manager.
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) | Self::Handed(_) | Self::NoChatSocket => Exit::Config,
            Self::Listen { .. } | Self::Admin { .. } | Self::AdminInUse(_) => Exit::Unavailable,
            Self::State(OpenError::InUse { .. }) => Exit::Unavailable,
            Self::State(_) => Exit::Config,
            // The next start may succeed. This is the only code after which the unit restarts the
            // service.
            Self::System { .. } => Exit::Refused,
        }
    }

    /// Logs the error, each of its lines as an event of its own.
    pub(super) fn log(&self) {
        for line in self.to_string().lines() {
            error!("{line}");
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
                write!(f, "cannot listen on {addr}: {}", Plain(error))?;
                if error.kind() == io::ErrorKind::AddrInUse {
                    f.write_str("; is chathub.socket active, or another hub running?")?;
                }
                Ok(())
            }
            Self::Admin { path, error } => {
                write!(f, "cannot open the admin socket {}: {}", path.display(), Plain(error))
            }
            Self::AdminInUse(path) => write!(f, "another hub answers on the admin socket {}", path.display()),
            Self::State(error) => write!(f, "{error}"),
            Self::System { what, error } => write!(f, "cannot {what}: {}", Plain(error)),
        }
    }
}
