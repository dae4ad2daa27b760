//! Whether a connection to a socket would start a service that does not run: to look is not to start.

use std::path::Path;
use std::process::Command as Process;

use crate::client::{Environment, SYSTEM_SOCKET};

/// The unit that listens for administrators, and the one that is started by their connections.
const UNITS: [&str; 2] = ["chathub-admin.socket", "chathub.service"];

/// Whose service it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    /// The machine's.
    System,
    /// That of a user, by their own service manager.
    User,
}

impl Manager {
    /// What starts the service.
    pub(super) const fn start(self) -> &'static str {
        match self {
            Self::System => "systemctl start chathub",
            Self::User => "systemctl --user start chathub",
        }
    }
}

/// Whose service sleeps behind the socket, or is about to end: whoever connects now would start it again. If systemd does
/// not say, none does.
pub(super) fn asleep(socket: &Path) -> Option<Manager> {
    let own = Environment::of_process().runtime_dir.map(|dir| dir.join("chathub/admin.sock"));
    let is = |other: &Path| socket == other || socket.canonicalize().ok().is_some_and(|path| path == other);
    let (manager, of_user) = if is(Path::new(SYSTEM_SOCKET)) {
        (Manager::System, None)
    } else if own.is_some_and(|own| is(&own)) {
        (Manager::User, Some("--user"))
    } else {
        return None;
    };
    let show = ["show", "--property=ActiveState", "--value"];
    let told = Process::new("systemctl").args(of_user).args(show).args(UNITS).output().ok()?;
    is_asleep(&String::from_utf8_lossy(&told.stdout)).then_some(manager)
}

/// By the states of the [`UNITS`]. A hub that was started by hand can have the same path; then systemd does not listen.
fn is_asleep(states: &str) -> bool {
    let mut states = states.split_whitespace();
    states.next() == Some("active") && matches!(states.next(), Some("inactive" | "failed" | "deactivating"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_sleeps_if_systemd_listens_for_it() {
        for (states, asleep) in [
            ("active\n\ninactive\n", true),
            ("active\n\nfailed\n", true),
            ("active\n\ndeactivating\n", true),
            ("active\n\nactive\n", false),
            ("active\n\nreloading\n", false),
            ("active\n\nactivating\n", false),
            ("inactive\n\ninactive\n", false),
            ("", false),
        ] {
            assert_eq!(is_asleep(states), asleep, "{states:?}");
        }
    }

    #[test]
    fn a_socket_that_is_not_the_services_starts_nothing() {
        assert_eq!(asleep(Path::new("/tmp/other.sock")), None);
    }
}
