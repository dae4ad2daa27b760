//! The daemon asked in a thread, so that keys are answered while it is waited for; connected to again when it has gone.
//!
//! Requests are carried out in the order in which they were given, each batch as one: what is sent together is
//! answered together. Nothing is sent twice: of a change that was under way when the connection broke, nobody knows
//! whether it was made, and its failure says so.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::asleep::{Manager, asleep};
use super::terminal::Waker;
use crate::client::{Answers, Client, Error};
use crate::wire::admin::Command;
use crate::wire::admin::message::ControlError;

/// What becomes of one request.
pub(super) type Answered = Result<Value, ControlError>;

/// Why a batch was not answered.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The service does not run, and to connect would start it.
    Stopped(Manager),
    /// No connection, or none any more.
    Lost(Error),
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::error::Error as _;
        match self {
            Self::Stopped(manager) => write!(f, "the service is stopped ({})", manager.start()),
            Self::Lost(error) => {
                write!(f, "{error}")?;
                error.source().map_or(Ok(()), |source| write!(f, ": {}", super::failure::reason(source)))
            }
        }
    }
}

/// What came of a batch.
#[derive(Debug)]
pub(super) struct Answer<T> {
    /// What the batch was for.
    pub(super) about: T,
    pub(super) answered: Result<Vec<Answered>, Unanswered>,
    /// What the answers warned of.
    pub(super) warnings: Vec<String>,
    /// When it was there.
    pub(super) at: Instant,
}

/// The thread that asks. `T` says what a batch is for.
pub(super) struct Asker<T> {
    batches: Sender<(T, Vec<Command>)>,
    answers: Receiver<Answer<T>>,
}

impl<T: Send + 'static> Asker<T> {
    /// Asks on `client`, if there is one, which is connected to `path`, and later on others there; wakes whoever waits by
    /// `waker`. Connecting and each answer may take `timeout`; `None` waits for ever.
    pub(super) fn start(
        mut client: Option<Client>,
        path: PathBuf,
        timeout: Option<Duration>,
        waker: Waker,
    ) -> std::io::Result<Self> {
        let (batches, given) = channel::<(T, Vec<Command>)>();
        let (tell, answers) = channel();
        thread::Builder::new().name("asks".into()).spawn(move || {
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

    /// Gives a batch. It is answered in its turn.
    pub(super) fn ask(&self, about: T, commands: Vec<Command>) {
        // If the thread has ended, that is told by `answer`.
        let _ = self.batches.send((about, commands));
    }

    /// The next answer, if it is there.
    ///
    /// # Errors
    /// The thread has panicked, and said why.
    pub(super) fn answer(&self) -> std::io::Result<Option<Answer<T>>> {
        match self.answers.recv_timeout(Duration::ZERO) {
            Ok(answer) => Ok(Some(answer)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(std::io::Error::other("the thread that asks has ended")),
        }
    }
}

/// Has all of them answered, on a new connection if there is none.
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

/// Has all of them answered. All are sent before an answer is read, so that the answers are of nearly the same time.
///
/// # Errors
/// Those of the connection; what the daemon refuses is among what is answered.
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

/// Connects once more; but not to a service that does not run.
pub(super) fn connect_again(path: &Path, timeout: Option<Duration>) -> Result<Client, Unanswered> {
    match asleep(path) {
        Some(manager) => Err(Unanswered::Stopped(manager)),
        None => Client::connect(path, timeout).map_err(Unanswered::Lost),
    }
}
