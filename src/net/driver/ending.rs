//! The end of the daemon: all clients are handed over to the next process, or get a goodbye and are
//! closed.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{error, info};

use super::Driver;
use crate::hub::{self, By};
use crate::logging::ids;
use crate::net::arrival::{Answered, Arrival, Reply};
use crate::net::clock::now;
use crate::net::keep::fault;
use crate::net::keep::program::epoch;
use crate::net::keep::recovery::keep_secrets;
use crate::net::readiness::Ready;
use crate::net::rounds::Work;
use crate::systemd;
use crate::values::id::SessionId;
use crate::values::time::Now;
use crate::wire::admin::args::ShutdownArgs;
use crate::wire::admin::message::{ControlError, ErrorCode};
use crate::wire::admin::result::Stopped;
use crate::wire::admin::{Command, Duty, ForDriver};

/// How long the store has to write the last lines when the hub ends.
const STORE_PATIENCE: Duration = Duration::from_secs(5);

/// How the daemon ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How many clients had not taken all that they were owed.
    pub gave_up: u64,
    /// Whether all clients were handed over to the next process.
    pub handed_over: bool,
}

/// A stop that was asked for.
pub(super) struct Stopping {
    pub(super) args: ShutdownArgs,
    pub(super) reply: Option<Reply>,
    /// Whether all clients are handed over, instead of getting a goodbye.
    pub(super) hand_over: bool,
}

impl Stopping {
    /// A stop for which no administrator waits.
    pub(super) fn unasked(hand_over: bool) -> Self {
        Self { args: ShutdownArgs::default(), reply: None, hand_over }
    }
}

impl Driver {
    /// Hands all clients over to the next process: makes a snapshot after the last input.
    pub(super) async fn hand_over(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        for task in &self.around.accepting {
            task.abort();
        }
        self.apply_outcomes(now());
        // A snapshot that is under way uses the other half of the tape, which must come back first.
        // Connections accepted meanwhile lie in the queue of sockets: the next process takes them.
        while self.snapshots.under_way
            && let Some(arrival) = arrivals.recv().await
        {
            if let Arrival::Snapshot(done) = arrival {
                self.snapshot_done(done);
                while self.snapshots.written.is_some() {
                    self.complete_snapshot();
                }
            }
        }
        let (answer, owed) = oneshot::channel();
        let (counts, counting) = std::sync::mpsc::channel();
        self.delivery.exchanges.work.push(Work::Snapshot(answer, counting));
        // The rounds end only by a panic, and that ends the daemon too.
        if let Ok(owed) = owed.await {
            let machine = serde_json::to_vec(&self.state.machine()).expect("plain values");
            let clients = &self.clients;
            keep_secrets(self.state.tape.slots(), self.state.machine(), |id| clients.connection(id));
            self.state.tape.snapshot(&machine, &owed, epoch());
        }
        let _ = counts.send(());
        fault::point("handover.snapshot");
        let clients = self.state.hub().session_count() as u64;
        info!(
            message_id = ids::HANDED_OVER,
            chathub_clients = clients,
            "ending; the clients wait for the next process"
        );
        Ended { gave_up: 0, handed_over: true }
    }

    /// Says goodbye to all clients. Waits until each has taken all that it is owed, or until the
    /// deadline.
    pub(super) async fn wind_up(mut self, mut arrivals: mpsc::Receiver<Arrival>) -> Ended {
        let Stopping { args, mut reply, .. } = self.stop.take().expect("the loop has ended for this");
        let allowed =
            args.deadline_s.map_or(self.state.hub().settings().shutdown.deadline, |seconds| seconds.seconds());
        systemd::stopping(allowed);
        for task in &self.around.accepting {
            task.abort();
        }
        let at = now();
        let clients = self.state.hub().session_count() as u64;
        let message = args.message.as_deref().filter(|text| crate::values::text::is_clean(text)).map(Into::into);
        self.state.input(hub::News::Stop { message }, at);
        // No answer need wait for the disk any more: before the store is closed, it writes all that
        // it has.
        self.wait_for_nothing();
        self.apply_outcomes(at);
        let deadline = Instant::now() + allowed;
        let (drain, mut drained) = oneshot::channel();
        self.delivery.exchanges.work.push(Work::Drain(drain));
        let mut gave_up = 0;
        let mut ready = Vec::new();
        loop {
            // The watchdog is fed here too: its interval may be shorter than the deadline.
            let wake = self.around.watchdog.map_or(deadline, |every| deadline.min(Instant::now() + every));
            tokio::select! {
                biased;
                _ = &mut drained => break,
                arrival = arrivals.recv() => match arrival {
                    // A second signal ends the process at once.
                    Some(Arrival::Stop | Arrival::End) => { gave_up = self.abandon().await; break }
                    Some(Arrival::Control { command, by, reply }) => self.answer_at_the_end(&command, by, reply, now()),
                    Some(Arrival::Store(answer)) => self.stored(answer, now()),
                    // A connection that was accepted meanwhile is told that the hub stops, and is
                    // closed.
                    Some(Arrival::Accepted(newcomer)) => {
                        let at = now();
                        self.accepted(newcomer, at);
                        self.apply_outcomes(at);
                    }
                    Some(_) => {}
                    None => break,
                },
                // Clients are read and their input thrown away: if a connection is closed with
                // unread bytes in it, the kernel resets it, and the client could lose the goodbye.
                Ok(()) = self.clients.inputs.wait(&mut ready) => {
                    for Ready { key, to_the_end } in ready.drain(..) {
                        self.clients.ready(SessionId(key), to_the_end, self.state.machine());
                    }
                    while let Some(id) = self.clients.turns.pop() {
                        self.read(id, now());
                    }
                }
                () = tokio::time::sleep_until(wake) => {
                    systemd::watchdog();
                    if Instant::now() >= deadline {
                        gave_up = self.abandon().await;
                        break;
                    }
                }
            }
        }
        // From here on, a task or thread that sends an arrival gets an error and need not wait.
        drop(arrivals);
        if let Some(store) = self.store.take() {
            let (path, recorded) = (store.source().path().to_owned(), store.health().records);
            let closing = tokio::task::spawn_blocking(move || store.close(STORE_PATIENCE));
            if let Err(why) = closing.await.unwrap_or_else(|error| Err(error.to_string())) {
                let lost = if recorded == 0 { "nothing" } else { "not everything that was said last" };
                error!(
                    message_id = ids::STORE, chathub_file = %path.display(), chathub_error = why,
                    "{lost} is recorded: see that the directory is there, can be written, and has room"
                );
            }
        }
        let warning = self
            .around
            .activated
            .then(|| "chathub.socket still listens: the next connection starts the service again".to_owned());
        info!(message_id = ids::STOPPED, chathub_clients = clients, chathub_gave_up = gave_up, "stopped");
        if let Some(reply) = reply.take() {
            let stopped = Stopped { clients, gave_up, warning };
            let value = serde_json::to_value(stopped).expect("results are plain JSON");
            let _ = reply.send(Ok(Answered::One(value)));
        }
        let left: Vec<_> = self.clients.ports.iter().map(|(id, _)| id).collect();
        for id in left {
            self.clients.close(id);
        }
        self.state.tape.close();
        self.state.tape.slots().wipe_all();
        Ended { gave_up, handed_over: false }
    }

    /// Gives up all clients that are left. Returns how many there were.
    async fn abandon(&mut self) -> u64 {
        let (answer, number) = oneshot::channel();
        self.delivery.exchanges.work.push(Work::Abandon(answer));
        number.await.unwrap_or(0)
    }

    /// Handles an arrival that came after the stop. Commands go to [`Self::answer_at_the_end`].
    pub(super) fn arrived_late(&mut self, arrival: Arrival, at: Now) {
        match arrival {
            Arrival::Control { command, by, reply } => self.answer_at_the_end(&command, by, reply, at),
            other => self.arrived(other, at),
        }
    }

    /// Answers a command while the hub stops: only those by which the driver reports something. All
    /// others are refused.
    fn answer_at_the_end(&mut self, command: &Command, by: By, reply: Reply, at: Now) {
        match command.duty() {
            Duty::Driver(ForDriver::Status(_) | ForDriver::Metrics(_) | ForDriver::LogLevel(_)) => {
                self.administer(command, by, reply, at);
            }
            Duty::Driver(ForDriver::Reload(_) | ForDriver::Shutdown(_) | ForDriver::Subscribe(_))
            | Duty::Connection(_)
            | Duty::Listing(_)
            | Duty::Hub => {
                let _ = reply.send(Err(ControlError::new(ErrorCode::Conflict, "the hub is shutting down")));
            }
        }
    }
}
