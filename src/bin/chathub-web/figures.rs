//! What the hub answers: asked by one thread, one question at a time, whoever wants to know. Those who ask while a
//! question is under way, and within a second after it, share the answer: however many ask, the hub is asked about once
//! a second.

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

/// An answer is given to others this long.
const FRESH: Duration = Duration::from_secs(1);

/// How long each step may take: connecting, and the answer. Prometheus waits 10 s for both by default.
const PATIENCE: Duration = Duration::from_secs(4);

/// Those who may wait for an answer: more than there can be connections.
const WAITING: usize = 128;

/// What the hub has answered.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What it has measured; if it did not answer, why.
    pub(crate) families: Result<Vec<Family>, String>,
    /// How long that took.
    pub(crate) took: Duration,
}

/// The thread that asks.
#[derive(Debug)]
pub(crate) struct Figures {
    asks: mpsc::Sender<oneshot::Sender<Arc<Answered>>>,
}

impl Figures {
    /// Starts it; `socket` is the hub's socket for monitoring.
    ///
    /// # Errors
    /// If there can be no thread.
    pub(crate) fn start(socket: PathBuf) -> io::Result<Self> {
        let (asks, asked) = mpsc::channel(WAITING);
        let mut was_up = None;
        let ask = move || ask(&socket, &mut was_up);
        std::thread::Builder::new().name("figures".to_owned()).spawn(move || answer_all(asked, ask))?;
        Ok(Self { asks })
    }

    /// What the hub answers, a second ago at most.
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

/// Answers those who ask, by `ask`, until nobody can ask any more.
fn answer_all(
    mut asked: mpsc::Receiver<oneshot::Sender<Arc<Answered>>>,
    mut ask: impl FnMut() -> Result<Vec<Family>, String>,
) {
    let mut last: Option<(Instant, Arc<Answered>)> = None;
    while let Some(first) = asked.blocking_recv() {
        // Whoever has gone meanwhile is no reason to ask.
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

/// Asks the hub. Whether it answers is logged when that changes.
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
        // One who asks and goes away at once is no question of its own.
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
