//! The listening sockets: opening them if the service manager passes none, and having the runtime
//! watch them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::unix::AsyncFd;
use tracing::{info, warn};

use super::error::StartError;
use crate::cli::ServeArgs;
use crate::client::SYSTEM_SOCKET;
use crate::kernel;
use crate::logging::InWords;
use crate::net::accept;
use crate::settings::{self, Settings};
use crate::values::plain::Plain;
use crate::wire::admin::Level;
use crate::wire::admin::result::Listener;

/// The most connections that wait to be accepted, on sockets that the daemon opens itself.
const BACKLOG: i32 = 1024;

/// Listens on the addresses of the command line or, if it has none, on those of the settings. An
/// address of the settings that this machine does not have is left out if another one works: not
/// every machine has `[::1]`.
///
/// # Errors
/// [`StartError::Listen`].
pub(super) fn listen(args: &ServeArgs, settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    let chosen = !args.listen.is_empty();
    let addrs = if chosen { &args.listen } else { &settings.listen.chat };
    listen_at(addrs, chosen, settings)
}

/// Listens for proxies on the addresses of the settings, if there are any. Addresses are left out
/// as by [`listen`].
///
/// # Errors
/// [`StartError::Listen`].
pub(super) fn listen_for_proxies(settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    listen_at(&settings.listen.proxy, false, settings)
}

fn listen_at(addrs: &[SocketAddr], chosen: bool, settings: &Settings) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners = Vec::new();
    let mut missing = None;
    for addr in addrs {
        match listen_on(*addr, &settings.tcp) {
            Ok(listener) => listeners.push(listener),
            Err(error)
                if !chosen && matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
                    || error.raw_os_error() == Some(nix::libc::EAFNOSUPPORT) =>
            {
                warn!("cannot listen on {addr}: {error}");
                missing = Some(StartError::Listen { addr: *addr, error });
            }
            Err(error) => return Err(StartError::Listen { addr: *addr, error }),
        }
    }
    match missing {
        Some(missing) if listeners.is_empty() => Err(missing),
        _ => Ok(listeners),
    }
}

fn listen_on(addr: SocketAddr, tcp: &settings::Tcp) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // IPv4 addresses get sockets of their own.
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    // The options are set before anybody can connect, because connections inherit them.
    let _ = accept::prepare(&socket, tcp);
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Where the admin socket is opened, if the service manager passes none.
pub(super) fn admin_path(args: &ServeArgs, settings: &Settings) -> PathBuf {
    let dir = |name: &str| std::env::var_os(name).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    args.admin_socket
        .clone()
        .or_else(|| settings.listen.admin.clone())
        .or_else(|| dir("RUNTIME_DIRECTORY").map(|dir| dir.join("admin.sock")))
        .or_else(|| dir("XDG_RUNTIME_DIR").map(|dir| dir.join("chathub/admin.sock")))
        .unwrap_or_else(|| PathBuf::from(SYSTEM_SOCKET))
}

/// The path of an admin socket that this process has made. Dropping this value removes the socket.
pub(super) struct OwnSocket(pub(super) PathBuf);

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Opens the admin socket, for this user only. A socket that a former hub has left is replaced; one
/// on which a hub answers is not.
///
/// # Errors
/// [`StartError::Admin`] and [`StartError::AdminInUse`].
pub(super) fn listen_admin(path: &Path) -> Result<UnixListener, StartError> {
    let failed = |error| StartError::Admin { path: path.to_owned(), error };
    if let Some(dir) = path.parent()
        && !dir.as_os_str().is_empty()
        && !dir.exists()
    {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
    }
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // To connect to a file that is no socket is refused too, and such a file must not be
            // removed.
            if !std::fs::symlink_metadata(path).map_err(failed)?.file_type().is_socket() {
                return Err(failed(error));
            }
            match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Ok(_) => return Err(StartError::AdminInUse(path.to_owned())),
                Err(error) => return Err(failed(error)),
            }
            std::fs::remove_file(path).and_then(|()| UnixListener::bind(path)).map_err(failed)?
        }
        other => other.map_err(failed)?,
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Sockets that the runtime watches, and their names and addresses for administrators.
type Watched<T> = (Vec<T>, Vec<Listener>);

/// Has the runtime watch the sockets for clients or for proxies; `name` says which. Call it within
/// a runtime.
///
/// # Errors
/// [`StartError::System`].
pub(super) fn watch(
    sockets: Vec<TcpListener>,
    name: &str,
    tcp: &settings::Tcp,
) -> Result<Watched<Arc<AsyncFd<OwnedFd>>>, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    let (mut watched, mut listeners) = (Vec::new(), Vec::new());
    for socket in sockets {
        if let Err(error) = accept::prepare(&socket, tcp) {
            warn!(chathub_error = %Plain(&error), "cannot set all options of a listening socket{}", InWords(Plain(&error)));
        }
        let addr = socket.local_addr().map_err(system("ask for the address of a socket"))?;
        listeners.push(Listener { name: name.to_owned(), addr: addr.to_string() });
        let whom = if name == "proxy" { "proxies" } else { "clients" };
        info!("listening for {whom} on {addr}");
        socket.set_nonblocking(true).map_err(system("use a socket"))?;
        watched.push(Arc::new(kernel::watched(socket.into()).map_err(system("use a socket"))?));
    }
    Ok((watched, listeners))
}

/// Has the runtime watch the sockets at which encrypted connections are handed over. Call it within
/// a runtime.
///
/// # Errors
/// [`StartError::System`].
pub(super) fn watch_handover(sockets: Vec<OwnedFd>) -> Result<Watched<Arc<AsyncFd<OwnedFd>>>, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    let (mut watched, mut listeners) = (Vec::new(), Vec::new());
    for socket in sockets {
        let address = SockRef::from(&socket).local_addr().map_err(system("ask for the address of a socket"))?;
        let path = address.as_pathname().map_or_else(|| "(unnamed)".to_owned(), |path| path.display().to_string());
        info!("encrypted connections are taken at {path}");
        listeners.push(Listener { name: "handover".to_owned(), addr: path });
        SockRef::from(&socket).set_nonblocking(true).map_err(system("use a socket"))?;
        // The kernel must tell who sends (`PassCredentials=` in the unit).
        SockRef::from(&socket).set_passcred(true).map_err(system("use a socket"))?;
        watched.push(Arc::new(kernel::watched(socket).map_err(system("use a socket"))?));
    }
    Ok((watched, listeners))
}

/// Has the runtime watch the sockets for administrators or for monitoring. Call it within a
/// runtime.
///
/// # Errors
/// [`StartError::System`].
pub(super) fn watch_admin(
    sockets: Vec<UnixListener>,
    level: Level,
) -> Result<Watched<tokio::net::UnixListener>, StartError> {
    let system = |what| move |error| StartError::System { what, error };
    let (mut watched, mut listeners) = (Vec::new(), Vec::new());
    for socket in sockets {
        let addr = socket.local_addr().map_err(system("ask for the address of a socket"))?;
        let path = addr.as_pathname().map_or_else(|| "(unnamed)".to_owned(), |path| path.display().to_string());
        let (whom, name) = match level {
            Level::Admin => ("administrators", "admin"),
            Level::Monitor => ("those who watch", "monitor"),
        };
        info!("listening for {whom} on {path}");
        listeners.push(Listener { name: name.to_owned(), addr: path });
        socket.set_nonblocking(true).map_err(system("use a socket"))?;
        watched.push(tokio::net::UnixListener::from_std(socket).map_err(system("use a socket"))?);
    }
    Ok((watched, listeners))
}
