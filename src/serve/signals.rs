//! The signals that the daemon listens for. Each is handed to the driver as an arrival.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use crate::net::arrival::Arrival;

/// SIGHUP (reload), SIGTERM (hand over, or end) and SIGINT (stop).
#[derive(Debug)]
pub(super) struct Signals {
    reload: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens for the signals. From now on none of them ends the process by itself. Call it within
    /// a runtime.
    ///
    /// # Errors
    /// Any error of sigaction(2).
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            reload: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Hands each signal to the driver. Ends when the driver is gone, or when it is aborted.
    pub(super) async fn hand_on(mut self, arrivals: mpsc::Sender<Arrival>) {
        loop {
            let arrival = tokio::select! {
                _ = self.reload.recv() => Arrival::Reload,
                _ = self.terminate.recv() => Arrival::End,
                _ = self.interrupt.recv() => Arrival::Stop,
            };
            if arrivals.send(arrival).await.is_err() {
                return;
            }
        }
    }
}
