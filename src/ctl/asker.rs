//! Asks the daemon in a thread of its own, so that keys are answered while an answer is waited for;
//! connects again when the daemon has gone.
//!
//! Batches of requests are carried out in the order in which they were given. All requests of a
//! batch are sent before the first answer is read. Nothing is sent twice: if the connection broke
//! during a change, nobody knows whether the change was made, and its failure says so.

use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::terminal::Waker;
use crate::client::{Answers, Client, Error, SYSTEM_SOCKET};
use crate::wire::admin::Command;
use crate::wire::admin::message::ControlError;

/// The service unit, which a connection to one of its sockets starts.
const UNIT: &str = "chathub.service";

/// The result of one request, or the daemon's refusal.
pub(super) type Answered = Result<Value, ControlError>;

/// Why a batch got no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// An administrator has stopped the service, and a connection would start it again.
    Stopped,
    /// There is no connection, or it broke.
    Lost(Error),
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::error::Error as _;
        match self {
            Self::Stopped => f.write_str("the service is stopped"),
            Self::Lost(error) => {
                write!(f, "{error}")?;
                error.source().map_or(Ok(()), |source| write!(f, ": {}", super::failure::reason(source)))
            }
        }
    }
}

/// The answer to a batch.
#[derive(Debug)]
pub(super) struct Answer<T> {
    /// What the caller asked it for.
    pub(super) about: T,
    pub(super) answered: Result<Vec<Answered>, Unanswered>,
    /// The warnings in the answers.
    pub(super) warnings: Vec<String>,
    /// When the answer was complete.
    pub(super) at: Instant,
}

/// The asking thread. `T` says what a batch is for.
pub(super) struct Asker<T> {
    batches: Sender<(T, Vec<Command>)>,
    answers: Receiver<Answer<T>>,
}

impl<T: Send + 'static> Asker<T> {
    /// Starts the thread. It asks on `client`, which is connected to `path`, and connects to `path`
    /// again later if need be. It calls `waker` after each answer. To connect, and each answer, may
    /// take `timeout`; `None` waits for ever.
    pub(super) fn start(
        client: Client,
        path: PathBuf,
        timeout: Option<Duration>,
        waker: Waker,
    ) -> std::io::Result<Self> {
        let (batches, given) = channel::<(T, Vec<Command>)>();
        let (tell, answers) = channel();
        thread::Builder::new().name("asks".into()).spawn(move || {
            let mut client = Some(client);
            while let Ok((about, commands)) = given.recv() {
                let answered = batch(&mut client, &path, timeout, &commands);
                if answered.is_err() {
                    client = None;
                }
                let warnings = client.as_mut().map(Client::take_warnings).unwrap_or_default();
                if tell.send(Answer { about, answered, warnings, at: Instant::now() }).is_err() {
                    return;
                }
                waker.wake();
            }
        })?;
        Ok(Self { batches, answers })
    }

    /// Queues a batch.
    pub(super) fn ask(&self, about: T, commands: Vec<Command>) {
        // If the thread has ended, `answer` returns the error.
        let _ = self.batches.send((about, commands));
    }

    /// The next answer; `None` if none has come.
    ///
    /// # Errors
    /// The thread has panicked; its message is on standard error.
    pub(super) fn answer(&self) -> std::io::Result<Option<Answer<T>>> {
        match self.answers.recv_timeout(Duration::ZERO) {
            Ok(answer) => Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(std::io::Error::other("the thread that asks has ended")),
        }
    }
}

/// Sends all commands and reads their answers; connects first if there is no connection.
fn batch(
    client: &mut Option<Client>,
    path: &Path,
    timeout: Option<Duration>,
    commands: &[Command],
) -> Result<Vec<Answered>, Unanswered> {
    let client = match client {
        Some(client) => client,
        None => client.insert(connect_again(path, timeout)?),
    };
    client.set_answer_timeout(timeout);
    ask_all(client, commands).map_err(Unanswered::Lost)
}

/// Sends all commands, then reads their answers: so all answers are of nearly the same time.
///
/// # Errors
/// Any error of the connection. A refusal by the daemon is among the answers instead.
pub(super) fn ask_all(client: &mut Client, commands: &[Command]) -> Result<Vec<Answered>, Error> {
    let sent: Result<Vec<_>, _> = commands.iter().map(|command| client.send(command, Answers::One)).collect();
    let mut answered = Vec::new();
    for id in sent? {
        answered.push(match client.only_result(id) {
            Ok(result) => Ok(result),
            Err(Error::Refused(error)) => Err(error),
            Err(error) => return Err(error),
        });
    }
    Ok(answered)
}

/// Connects again, but not to a service that somebody has stopped.
pub(super) fn connect_again(path: &Path, timeout: Option<Duration>) -> Result<Client, Unanswered> {
    if path.as_os_str() == SYSTEM_SOCKET && is_stopped() {
        return Err(Unanswered::Stopped);
    }
    Client::connect(path, timeout).map_err(Unanswered::Lost)
}

/// Whether systemd has stopped the service, or is about to. To connect to its socket would then
/// start it again, which a program that only watches must not do. If systemd cannot be asked, the
/// service counts as running.
fn is_stopped() -> bool {
    let told = Process::new("systemctl").args(["show", "--property=ActiveState", "--value", UNIT]).output();
    told.is_ok_and(|told| matches!(told.stdout.trim_ascii(), b"inactive" | b"failed" | b"deactivating"))
}
