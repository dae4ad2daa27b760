//! The answers of the hub. One thread asks it, one question at a time. Clients that ask while a
//! question is under way, and up to a second after it, share its answer: so the hub is asked about
//! once a second, however many clients there are.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chathub::client::{Client, Error};
use chathub::logging::InWords;
use chathub::wire::admin::Command;
use chathub::wire::admin::args::MetricsArgs;
use chathub::wire::admin::metrics::Family;
use chathub::wire::admin::result::Metrics;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

/// How long an answer is given to further clients.
const FRESH: Duration = Duration::from_secs(1);

/// How long to connect may take, and how long the answer may take. Prometheus waits 10 s for both
/// together, by default.
const PATIENCE: Duration = Duration::from_secs(4);

/// The most clients that wait for an answer: more than there can be connections.
const WAITING: usize = 128;

/// An answer of the hub.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The metrics; or, in words, why the hub did not answer.
    pub(crate) families: Result<Vec<Family>, String>,
    /// How long the question took.
    pub(crate) took: Duration,
}

/// The thread that asks the hub.
#[derive(Debug)]
pub(crate) struct Figures {
    asks: mpsc::Sender<oneshot::Sender<Arc<Answered>>>,
}

impl Figures {
    /// Starts the thread. `socket` is the hub's socket for monitoring.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(socket: PathBuf) -> io::Result<Self> {
        let (asks, asked) = mpsc::channel(WAITING);
        let mut was_up = None;
        let ask = move || ask(&socket, &mut was_up);
        std::thread::Builder::new().name("figures".to_owned()).spawn(move || answer_all(asked, ask))?;
        Ok(Self { asks })
    }

    /// The hub's answer, a second old at most.
    pub(crate) async fn now(&self) -> Arc<Answered> {
        let gone =
            || Arc::new(Answered { families: Err("the thread that asks has ended".to_owned()), took: Duration::ZERO });
        let (reply, answer) = oneshot::channel();
        if self.asks.send(reply).await.is_err() {
            return gone();
        }
        answer.await.unwrap_or_else(|_| gone())
    }
}

/// Answers all clients by calling `ask`, until there is nobody left who could ask.
fn answer_all(
    mut asked: mpsc::Receiver<oneshot::Sender<Arc<Answered>>>,
    mut ask: impl FnMut() -> Result<Vec<Family>, String>,
) {
    let mut last: Option<(Instant, Arc<Answered>)> = None;
    while let Some(first) = asked.blocking_recv() {
        // A client that has gone meanwhile needs no question.
        if first.is_closed() {
            continue;
        }
        let fresh = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, answer)| answer.clone());
        let answer = fresh.unwrap_or_else(|| {
            let begun = Instant::now();
            let families = ask();
            let answer = Arc::new(Answered { families, took: begun.elapsed() });
            last = Some((Instant::now(), answer.clone()));
            answer
        });
        let _ = first.send(answer);
    }
}

/// Asks the hub. Logs a change in whether it answers.
fn ask(socket: &Path, was_up: &mut Option<bool>) -> Result<Vec<Family>, String> {
    let answer = measured(socket);
    let is_up = answer.is_ok();
    if was_up.replace(is_up) != Some(is_up) {
        match &answer {
            Ok(_) => info!("the hub answers on {}", socket.display()),
            Err(why) => warn!(chathub_error = why, "the hub does not answer{}", InWords(why)),
        }
    }
    answer
}

fn measured(socket: &Path) -> Result<Vec<Family>, String> {
    let ask = || -> Result<serde_json::Value, Error> {
        Client::connect(socket, Some(PATIENCE))?.ask(&Command::Metrics(MetricsArgs { families: true }))
    };
    let value = ask().map_err(|error| match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    })?;
    let metrics: Metrics =
        serde_json::from_value(value).map_err(|error| format!("the answer makes no sense: {error}"))?;
    metrics.families.ok_or_else(|| "the hub is of a release that tells no values".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn all_who_ask_at_a_time_share_one_question() {
        let (asks, asked) = mpsc::channel(WAITING);
        let (questions, (go, waits)) = (Arc::new(AtomicUsize::new(0)), std::sync::mpsc::channel::<()>());
        let counted = questions.clone();
        let thread = std::thread::spawn(move || {
            answer_all(asked, || {
                counted.fetch_add(1, Ordering::Relaxed);
                waits.recv().expect("the test goes on");
                Ok(Vec::new())
            });
        });
        let figures = Arc::new(Figures { asks });
        // A client that asks and goes away at once causes no question.
        drop(tokio::time::timeout(Duration::ZERO, figures.now()).await);
        let all: Vec<_> =
            (0..WAITING).map(|_| figures.clone()).map(|one| tokio::spawn(async move { one.now().await })).collect();
        go.send(()).expect("it asks");
        let mut answers = Vec::new();
        for one in all {
            answers.push(one.await.expect("an answer"));
        }
        drop((figures, go));
        thread.join().expect("it ends");
        assert!(answers.iter().all(|answer| Arc::ptr_eq(answer, &answers[0])));
        assert_eq!(questions.load(Ordering::Relaxed), 1);
    }
}
