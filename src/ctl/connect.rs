//! Finding the admin socket, connecting to it, and one request and its answers.
//!
//! Blocking on purpose: a client that asks one thing needs no runtime. Every wait has a deadline
//! unless the caller says otherwise, and no answer is kept that is longer than [`MAX_REPLY`].

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};

use super::failure::Failure;
use crate::wire::admin::message::{MAX_REQUEST, Reply, Request};

/// Where the service's admin socket is.
pub const SYSTEM_SOCKET: &str = "/run/chathub/admin.sock";

/// Longest answer that is taken. Fifty thousand clients in one list need a third of it; it is there
/// so that something else that answers on the path cannot fill the memory.
pub const MAX_REPLY: usize = 64 * 1024 * 1024;

/// What the environment says of where sockets are.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `$CHATHUB_SOCKET`.
    pub chathub_socket: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
}

impl Places {
    /// Those of this process. A variable that is empty counts as not set.
    #[must_use]
    pub fn from_env() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { chathub_socket: path("CHATHUB_SOCKET"), runtime_dir: path("XDG_RUNTIME_DIR") }
    }

    /// The socket to connect to, given what the command line says.
    pub(super) fn find(&self, given: Option<&Path>) -> Result<PathBuf, Failure> {
        if let Some(path) = given.or(self.chathub_socket.as_deref()) {
            return Ok(path.into());
        }
        let system = PathBuf::from(SYSTEM_SOCKET);
        let own = self.runtime_dir.as_ref().map(|dir| dir.join("chathub/admin.sock"));
        let tried: Vec<_> = std::iter::once(system).chain(own).collect();
        // "Cannot be looked at" counts as there: connecting then says why.
        match tried.iter().find(|path| path.try_exists().unwrap_or(true)) {
            Some(path) => Ok(path.clone()),
            None => Err(Failure::NoSocket { tried }),
        }
    }
}

/// A connection to the daemon.
#[derive(Debug)]
pub(super) struct Connection {
    stream: UnixStream,
    path: PathBuf,
    /// Bytes read; those before `taken` have been handed out.
    held: Vec<u8>,
    taken: usize,
    last_id: u64,
}

impl Connection {
    pub(super) fn open(path: &Path, timeout: Option<Duration>) -> Result<Self, Failure> {
        let refused = |source: io::Error| match source.kind() {
            ErrorKind::PermissionDenied => Failure::Permission { path: path.into() },
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                Failure::Silent { path: path.into(), after: timeout.unwrap_or_default() }
            }
            _ => Failure::Connect { path: path.into(), source },
        };
        // Not `UnixStream::connect`: it waits without end while the daemon's backlog is full.
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(refused)?;
        socket.set_write_timeout(timeout).map_err(refused)?;
        socket.connect(&SockAddr::unix(path).map_err(refused)?).map_err(refused)?;
        let stream = UnixStream::from(OwnedFd::from(socket));
        Ok(Self { stream, path: path.into(), held: Vec::new(), taken: 0, last_id: 0 })
    }

    /// Sends a request and returns its id.
    pub(super) fn send(&mut self, name: &str, args: &Value, more: bool) -> Result<u64, Failure> {
        self.last_id += 1;
        let line = Request::line(self.last_id, name, args, more);
        let length = line.len() - 1;
        if length > MAX_REQUEST {
            return Err(Failure::Usage(format!("the request has {length} bytes, at most {MAX_REQUEST} are allowed")));
        }
        match self.stream.write_all(line.as_bytes()) {
            // The daemon may have said why before it closed: let the reading find out.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let after = self.stream.write_timeout().ok().flatten().unwrap_or_default();
                return Err(Failure::Silent { path: self.path.clone(), after });
            }
            Err(source) => return Err(Failure::Broken { path: self.path.clone(), source: Some(source) }),
            Ok(()) => {}
        }
        Ok(self.last_id)
    }

    /// The next answer, which must be to request `id`. `timeout` is for the whole of it.
    pub(super) fn reply(&mut self, id: u64, timeout: Option<Duration>) -> Result<Reply, Failure> {
        let reply = serde_json::from_slice::<Reply>(self.line(timeout)?);
        let garbled = |why: String| Failure::Garbled { path: self.path.clone(), why };
        let reply = reply.map_err(|error| garbled(format!("not a reply of the protocol: {error}")))?;
        // What is refused before it is understood has no id.
        let misunderstood = !reply.ok && reply.id.is_null();
        if reply.id != id && !misunderstood {
            return Err(garbled(format!("an answer to request {}, which was not asked", reply.id)));
        }
        match (reply.ok, &reply.result, &reply.error) {
            (true, Some(_), None) => Ok(reply),
            (false, None, Some(_)) => Ok(reply),
            _ => Err(garbled("a reply with neither or both of a result and an error".into())),
        }
    }

    /// Whether another whole line has been read already, so that no wait lies ahead.
    pub(super) fn has_line(&self) -> bool {
        self.held[self.taken..].contains(&b'\n')
    }

    fn line(&mut self, timeout: Option<Duration>) -> Result<&[u8], Failure> {
        // A time-out beyond the end of the clock is none.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut searched = self.taken;
        loop {
            if let Some(at) = self.held[searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.taken..searched + at;
                self.taken = line.end + 1;
                return Ok(&self.held[line]);
            }
            if self.taken > 0 {
                self.held.drain(..self.taken);
                self.taken = 0;
            }
            searched = self.held.len();
            if searched > MAX_REPLY {
                let why = format!("an answer of more than {} MiB", MAX_REPLY >> 20);
                return Err(Failure::Garbled { path: self.path.clone(), why });
            }
            self.read(timeout, deadline)?;
        }
    }

    /// Reads at least one byte.
    fn read(&mut self, timeout: Option<Duration>, deadline: Option<Instant>) -> Result<(), Failure> {
        const PIECE: usize = 64 * 1024;
        let silent = || Failure::Silent { path: self.path.clone(), after: timeout.unwrap_or_default() };
        let broken = |source| Failure::Broken { path: self.path.clone(), source };
        let end = self.held.len();
        let read = loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(silent());
            }
            self.stream.set_read_timeout(left).map_err(|source| broken(Some(source)))?;
            self.held.resize(end + PIECE, 0);
            let read = self.stream.read(&mut self.held[end..]);
            self.held.truncate(end + read.as_ref().copied().unwrap_or(0));
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Err(silent());
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(broken(None)),
                Err(source) => return Err(broken(Some(source))),
                Ok(read) => break read,
            }
        };
        if read == 0 { Err(broken(None)) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_wins_over_environment_over_defaults() {
        let places = Places { chathub_socket: Some("/env".into()), runtime_dir: Some("/nowhere".into()) };
        assert_eq!(places.find(Some(Path::new("/given"))).expect("given"), Path::new("/given"));
        assert_eq!(places.find(None).expect("environment"), Path::new("/env"));
    }

    #[test]
    fn own_runtime_directory_is_looked_at_when_there_is_no_service() {
        if Path::new(SYSTEM_SOCKET).exists() {
            return; // a machine on which the service is installed
        }
        let places = Places { runtime_dir: Some("/nowhere".into()), ..Places::default() };
        let Err(Failure::NoSocket { tried }) = places.find(None) else { panic!("found one") };
        assert_eq!(tried, [Path::new(SYSTEM_SOCKET), Path::new("/nowhere/chathub/admin.sock")]);
    }
}
