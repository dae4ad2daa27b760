//! The client of the admin socket, for `chathub ctl` and for other programs of this project.
//!
//! It finds the socket, connects, sends requests and reads the answers, one at a time or as a
//! stream, in the terms of [`crate::wire::admin`]. It blocks: a program that asks one question
//! needs no runtime. Every wait has a deadline, unless the caller wants none. An answer longer than
//! [`MAX_ANSWER`] is not kept.
//!
//! It does not know what is printed, nor with which exit code a program ends. An [`Error`] says
//! what went wrong; the caller decides what the user is told.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use chathub::client::{Client, Environment, Error};
//! use chathub::wire::admin::Command;
//! use chathub::wire::admin::args::NoArgs;
//!
//! fn main() -> Result<(), Error> {
//!     let socket = Environment::of_process().socket(None)?;
//!     let mut client = Client::connect(&socket, Some(Duration::from_secs(5)))?;
//!     println!("{}", client.ask(&Command::Status(NoArgs {}))?);
//!     Ok(())
//! }
//! ```

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::users;
use crate::wire::admin::message::{ControlError, MAX_REQUEST, Place, Reply, Request};
use crate::wire::admin::{Command, json};

/// Where the service's admin socket is.
pub const SYSTEM_SOCKET: &str = "/run/chathub/admin.sock";

/// The user that the service runs as.
pub const SERVICE_USER: &str = "chathub";

/// The longest answer that is accepted, in bytes. A list of fifty thousand clients takes a third of
/// it. Without a bound, another program that listens at the path could fill the memory.
pub const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// Why the daemon did not do what it was asked, or could not be asked. The text names the socket.
/// If the system reported an error, that is the [`source`](std::error::Error::source).
#[derive(Debug)]
pub enum Error {
    /// There is no admin socket where one is expected.
    NoSocket {
        /// The paths that were tried.
        tried: Vec<PathBuf>,
    },
    /// This user may not open the socket.
    Permission {
        /// The path of the socket.
        path: PathBuf,
    },
    /// The connection failed for another reason.
    Connect {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The user who listens on the socket is neither root, nor the service's user, nor the user of
    /// this process. Nothing was sent to them.
    Stranger {
        /// The path of the socket.
        path: PathBuf,
        /// The user id of that user.
        uid: u32,
    },
    /// The connection ended before the answer was whole.
    Broken {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the system; `None` if the daemon closed the connection.
        source: Option<io::Error>,
    },
    /// No answer came in time.
    Silent {
        /// The path of the socket.
        path: PathBuf,
        /// How long the client waited.
        after: Duration,
    },
    /// The daemon's answer does not follow the protocol.
    Garbled {
        /// The path of the socket.
        path: PathBuf,
        /// The mistake in the answer, in words.
        why: String,
    },
    /// The request is longer than [`MAX_REQUEST`], and was not sent.
    TooLong {
        /// The length of the request in bytes, without its newline.
        length: usize,
    },
    /// The daemon refused the request.
    Refused(ControlError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSocket { tried } => {
                let tried: Vec<_> = tried.iter().map(|path| path.display().to_string()).collect();
                write!(f, "cannot connect to chathub: there is no {}", tried.join(" and no "))
            }
            Self::Permission { path } => write!(f, "cannot connect to {}: permission denied", path.display()),
            Self::Connect { path, source: _ } => write!(f, "cannot connect to {}", path.display()),
            Self::Stranger { path, uid } => {
                let (path, user) = (path.display(), users::called(*uid));
                write!(f, "{path} is of {user}, who would be told all that is asked; nothing was sent")
            }
            Self::Broken { path, source: None } => {
                write!(f, "the daemon at {} closed the connection before its answer was whole", path.display())
            }
            Self::Broken { path, source: Some(_) } => write!(f, "the connection to {} broke", path.display()),
            Self::Silent { path, after } => {
                write!(f, "no answer from {} within {}", path.display(), humantime::format_duration(*after))
            }
            Self::Garbled { path, why } => write!(f, "the answer from {} makes no sense: {why}", path.display()),
            Self::TooLong { length } => write!(f, "the request has {length} bytes, at most {MAX_REQUEST} are allowed"),
            Self::Refused(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect { source, .. } | Self::Broken { source: Some(source), .. } => Some(source),
            _ => None,
        }
    }
}

/// What the environment says about the place of the admin socket.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// `$CHATHUB_SOCKET`.
    pub chathub_socket: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process. An empty variable counts as not set.
    #[must_use]
    pub fn of_process() -> Self {
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self { chathub_socket: path("CHATHUB_SOCKET"), runtime_dir: path("XDG_RUNTIME_DIR") }
    }

    /// The socket to connect to: the `given` one, or else `$CHATHUB_SOCKET`, or else
    /// [`SYSTEM_SOCKET`] if it exists, or else `$XDG_RUNTIME_DIR/chathub/admin.sock`.
    ///
    /// # Errors
    /// [`Error::NoSocket`].
    pub fn socket(&self, given: Option<&Path>) -> Result<PathBuf, Error> {
        if let Some(path) = given.or(self.chathub_socket.as_deref()) {
            return Ok(path.into());
        }
        let system = PathBuf::from(SYSTEM_SOCKET);
        let own = self.runtime_dir.as_ref().map(|dir| dir.join("chathub/admin.sock"));
        let tried: Vec<_> = std::iter::once(system).chain(own).collect();
        // A path that this user may not look at counts as existing. The attempt to connect then
        // reports the error.
        match tried.iter().find(|path| path.try_exists().unwrap_or(true)) {
            Some(path) => Ok(path.clone()),
            None => Err(Error::NoSocket { tried }),
        }
    }
}

impl Environment {
    /// The socket of another hub than the `asked` one, among the paths at which sockets are looked
    /// for. `None` if there is none.
    #[must_use]
    pub fn another(&self, asked: &Path) -> Option<PathBuf> {
        let own = self.runtime_dir.as_ref().map(|dir| dir.join("chathub/admin.sock"));
        let all =
            self.chathub_socket.clone().into_iter().chain(std::iter::once(PathBuf::from(SYSTEM_SOCKET))).chain(own);
        // Sockets in one directory are of one hub.
        all.into_iter().find(|path| path.parent() != asked.parent() && path.exists())
    }
}

/// The form of the answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// One result.
    One,
    /// A stream of results (`"more": true`).
    Stream,
}

/// The number of a request that was sent on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(u64);

/// A connection to the daemon.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
    path: PathBuf,
    /// How long each answer may take; `None` waits for ever.
    timeout: Option<Duration>,
    /// Bytes that were read. Those before `taken` belong to answers that were returned already.
    held: Vec<u8>,
    taken: usize,
    /// The number of the last request; the first one is 1.
    last_id: u64,
    /// Warnings in the answers since the last [`Client::take_warnings`].
    warnings: Vec<String>,
}

impl Client {
    /// Connects to the socket at `path`. To connect, to send a request and to wait for an answer
    /// may take `timeout` each; `None` waits for ever. The user who listens there must be trusted
    /// with passwords: root (systemd listens for the service), the user of the service, or the user
    /// of this process.
    ///
    /// # Errors
    /// [`Error::Permission`], [`Error::Connect`]; [`Error::Silent`] if the daemon does not accept
    /// the connection; [`Error::Stranger`].
    pub fn connect(path: &Path, timeout: Option<Duration>) -> Result<Self, Error> {
        let refused = |source: io::Error| match source.kind() {
            ErrorKind::PermissionDenied => Error::Permission { path: path.into() },
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                Error::Silent { path: path.into(), after: timeout.unwrap_or_default() }
            }
            _ => Error::Connect { path: path.into(), source },
        };
        // `UnixStream::connect` would wait for ever while the daemon's backlog is full.
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(refused)?;
        socket.set_write_timeout(timeout).map_err(refused)?;
        socket.connect(&SockAddr::unix(path).map_err(refused)?).map_err(refused)?;
        let stream = UnixStream::from(OwnedFd::from(socket));
        // The kernel knows which user called listen(2). This must be checked, because every user
        // who may write into the directory can put a socket there.
        let listens = getsockopt(&stream, PeerCredentials).map_err(|error| refused(error.into()))?.uid();
        if !is_trusted(listens) {
            return Err(Error::Stranger { path: path.into(), uid: listens });
        }
        Ok(Self { stream, path: path.into(), timeout, held: Vec::new(), taken: 0, last_id: 0, warnings: Vec::new() })
    }

    /// The path of the socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sets how long to wait for each further answer; `None` waits for ever.
    pub fn set_answer_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Sends a command and waits for its one result.
    ///
    /// # Errors
    /// All errors but those of connecting.
    pub fn ask(&mut self, command: &Command) -> Result<Value, Error> {
        let id = self.send(command, Answers::One)?;
        self.only_result(id)
    }

    /// Sends a command. Requests are answered in the order in which they were sent.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Broken`]; [`Error::Silent`] if the daemon reads nothing.
    pub fn send(&mut self, command: &Command, answers: Answers) -> Result<RequestId, Error> {
        self.send_named(command.spec().name, &command.args(), answers)
    }

    /// Sends the command `name`, which may be one that this program does not know.
    ///
    /// # Errors
    /// Any error of [`Self::send`].
    pub fn send_named(&mut self, name: &str, args: &Value, answers: Answers) -> Result<RequestId, Error> {
        self.last_id += 1;
        let line = Request::line(self.last_id, name, args, answers == Answers::Stream);
        let length = line.len() - 1;
        if length > MAX_REQUEST {
            return Err(Error::TooLong { length });
        }
        match self.stream.write_all(line.as_bytes()) {
            // The daemon may have sent the reason before it closed the connection. The next read
            // finds it.
            Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let after = self.stream.write_timeout().ok().flatten().unwrap_or_default();
                return Err(Error::Silent { path: self.path.clone(), after });
            }
            Err(source) => return Err(Error::Broken { path: self.path.clone(), source: Some(source) }),
            Ok(()) => {}
        }
        Ok(RequestId(self.last_id))
    }

    /// Waits for the one result of a request that was sent with [`Answers::One`].
    ///
    /// # Errors
    /// Any error of [`Self::next_result`].
    pub fn only_result(&mut self, id: RequestId) -> Result<Value, Error> {
        match self.next_result(id)? {
            (result, Place::Last) => Ok(result),
            (_, Place::More) => Err(self.garbled("a stream, where one answer was asked for")),
        }
    }

    /// Waits for the next result of a request. Returns also whether it is the last one. The next
    /// answer on the connection must be to this request.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Silent`], [`Error::Broken`], [`Error::Garbled`].
    pub fn next_result(&mut self, id: RequestId) -> Result<(Value, Place), Error> {
        let reply = serde_json::from_slice::<Reply>(self.line()?);
        let reply = reply
            .map_err(|error| self.garbled(format_args!("not a reply of the protocol: {}", json::in_words(&error))))?;
        // A request that the daemon could not read is refused without an id.
        let not_understood = !reply.ok && reply.id.is_null();
        if reply.id != id.0 && !not_understood {
            return Err(self.garbled(format_args!("an answer to request {}, which was not asked", reply.id)));
        }
        self.warnings.extend(reply.warning);
        match (reply.ok, reply.result, reply.error) {
            (true, Some(result), None) => Ok((result, if reply.more { Place::More } else { Place::Last })),
            (false, None, Some(error)) => Err(Error::Refused(error)),
            _ => Err(self.garbled("a reply with neither or both of a result and an error")),
        }
    }

    /// The warnings in the answers since the last call: the command was done, but its effect does
    /// not hold in every case yet.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Whether the next answer was read already: then [`Self::next_result`] does not wait.
    #[must_use]
    pub fn has_next(&self) -> bool {
        self.held[self.taken..].contains(&b'\n')
    }

    /// Waits until the daemon has sent something, until the time for an answer is over, or until
    /// the reader of `output` is gone. Returns whether that reader is still there.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn wait_beside(&self, output: impl AsFd) -> Result<bool, Error> {
        let wait =
            self.timeout.map_or(PollTimeout::NONE, |time| PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX));
        loop {
            // poll(2) reports without being asked if the other end of a pipe or a connection is
            // gone.
            let mut both =
                [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN), PollFd::new(output.as_fd(), PollFlags::empty())];
            match poll(&mut both, wait) {
                Err(Errno::EINTR) => {}
                Err(error) => return Err(Error::Broken { path: self.path.clone(), source: Some(error.into()) }),
                Ok(_) => {
                    let told = both[1].revents().unwrap_or(PollFlags::empty());
                    return Ok(!told.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL));
                }
            }
        }
    }

    /// The error for an answer that follows the protocol, but is not an answer to this command.
    #[must_use]
    pub fn garbled(&self, why: impl fmt::Display) -> Error {
        Error::Garbled { path: self.path.clone(), why: why.to_string() }
    }

    /// Waits for the next line, and returns it without its newline.
    fn line(&mut self) -> Result<&[u8], Error> {
        // A deadline too far away for an `Instant` is none.
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
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
            if searched > MAX_ANSWER {
                return Err(self.garbled(format_args!("an answer of more than {} MiB", MAX_ANSWER >> 20)));
            }
            self.read(deadline)?;
        }
    }

    /// Reads at least one byte, or fails at the deadline.
    fn read(&mut self, deadline: Option<Instant>) -> Result<(), Error> {
        const PIECE: usize = 64 * 1024;
        let silent = || Error::Silent { path: self.path.clone(), after: self.timeout.unwrap_or_default() };
        let broken = |source| Error::Broken { path: self.path.clone(), source };
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

/// Whether this user may see what an administrator sends.
fn is_trusted(uid: u32) -> bool {
    uid == 0 || uid == nix::unistd::geteuid().as_raw() || users::number(SERVICE_USER) == Some(uid)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::net::UnixListener;
    use std::thread;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::wire::admin::args::{HistoryArgs, NoArgs};
    use crate::wire::admin::message::ErrorCode;

    /// No wait in these tests lasts this long, unless a test hangs.
    const LONG: Option<Duration> = Some(Duration::from_secs(60));

    /// A client of a daemon that answers each request with the next of `answers`, and then closes
    /// the connection.
    fn client(answers: &'static [&'static str]) -> (Client, TempDir) {
        let dir = TempDir::new().expect("a directory");
        let path = dir.path().join("admin.sock");
        let listener = UnixListener::bind(&path).expect("a socket");
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut requests = BufReader::new(stream.try_clone().expect("a second descriptor")).lines();
            for answer in answers {
                requests.next().expect("a request").expect("text");
                stream.write_all(answer.as_bytes()).expect("a client that reads");
            }
        });
        (Client::connect(&path, LONG).expect("the daemon listens"), dir)
    }

    #[test]
    fn requests_on_one_connection_are_answered_one_after_the_other() {
        let (mut client, _dir) = client(&[
            "{\"id\":1,\"ok\":true,\"result\":{\"a\":1}}\n",
            "{\"id\":2,\"ok\":false,\"error\":{\"code\":\"busy\",\"message\":\"try again\"}}\n",
        ]);
        assert_eq!(client.ask(&Command::Status(NoArgs {})).expect("a result"), json!({"a": 1}));
        let refused = client.ask(&Command::Status(NoArgs {}));
        assert!(matches!(refused, Err(Error::Refused(error)) if error.code == ErrorCode::Busy));
        assert!(matches!(client.ask(&Command::Status(NoArgs {})), Err(Error::Broken { source: None, .. })));
    }

    #[test]
    fn a_stream_is_read_result_by_result() {
        let (mut client, _dir) = client(&["{\"id\":1,\"ok\":true,\"more\":true,\"result\":1}\n\
            {\"id\":1,\"ok\":true,\"more\":true,\"result\":2}\n{\"id\":1,\"ok\":true,\"result\":3}\n"]);
        let id = client.send(&Command::HistoryDump(HistoryArgs::default()), Answers::Stream).expect("it is read");
        for (result, place) in [(1, Place::More), (2, Place::More), (3, Place::Last)] {
            assert_eq!(client.next_result(id).expect("a result"), (json!(result), place));
        }
        assert!(!client.has_next());
    }

    #[test]
    fn a_reply_that_does_not_match_the_request_is_an_error() {
        for answer in ["hello\n", "{\"id\":2,\"ok\":true,\"result\":1}\n", "{\"id\":1,\"ok\":true}\n"] {
            let (mut client, _dir) = client(Box::leak(Box::new([answer])));
            let answered = client.ask(&Command::Status(NoArgs {}));
            assert!(matches!(answered, Err(Error::Garbled { .. })), "{answer}: {answered:?}");
        }
    }

    #[test]
    fn command_line_wins_over_environment_over_defaults() {
        let env = Environment { chathub_socket: Some("/env".into()), runtime_dir: Some("/nowhere".into()) };
        assert_eq!(env.socket(Some(Path::new("/given"))).expect("given"), Path::new("/given"));
        assert_eq!(env.socket(None).expect("environment"), Path::new("/env"));
    }

    #[test]
    fn own_runtime_directory_is_looked_at_when_there_is_no_service() {
        if Path::new(SYSTEM_SOCKET).exists() {
            return; // a machine on which the service is installed
        }
        let env = Environment { runtime_dir: Some("/nowhere".into()), ..Environment::default() };
        let Err(Error::NoSocket { tried }) = env.socket(None) else { panic!("found one") };
        assert_eq!(tried, [Path::new(SYSTEM_SOCKET), Path::new("/nowhere/chathub/admin.sock")]);
    }
}
