//! The sockets that the service manager passes to a program beside the hub (sd_listen_fds(3)).

use std::net::TcpListener;
use std::os::fd::OwnedFd;

use listenfd::ListenFd;

use super::sockets::{WrongSocket, count, listens};
use crate::kernel;

/// The sockets that the service manager has passed to this program.
#[derive(Debug, Default)]
pub struct NamedSockets {
    /// The sockets of the name that was asked for.
    pub listeners: Vec<TcpListener>,
    /// Sockets whose names this release does not know. They are left alone.
    pub unknown: Vec<(String, OwnedFd)>,
    /// Why the first unusable socket could not be taken.
    pub wrong: Option<WrongSocket>,
}

/// Takes the sockets named `wanted` (`FileDescriptorName=`) that the service manager has passed,
/// and removes the variables that announce them from the environment. For that reason, call it
/// while there is only one thread. A socket without a name is recognised by its kind.
#[must_use]
pub fn named_sockets(wanted: &str) -> NamedSockets {
    let mut sockets = NamedSockets::default();
    if let Err(wrong) = count() {
        sockets.wrong = Some(wrong);
        return sockets;
    }
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut handed = ListenFd::from_env();
    for index in 0..handed.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let unnamed = matches!(name.as_str(), "" | "unknown" | "stored") || name.ends_with(".socket");
        if name != wanted && !unnamed {
            sockets.unknown.extend(kernel::handed_over(&mut handed, index).map(|socket| (name, socket)));
            continue;
        }
        match handed.take_tcp_listener(index).ok().flatten().filter(listens) {
            Some(socket) => sockets.listeners.push(socket),
            None => {
                let wanted = "a listening TCP socket";
                sockets.wrong.get_or_insert(WrongSocket::Kind { index, name, wanted });
                if kernel::passed(index).is_none() {
                    // This descriptor is not open, so those behind it are not either.
                    break;
                }
            }
        }
    }
    sockets
}
