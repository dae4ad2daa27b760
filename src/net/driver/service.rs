//! Messages to the service manager: that the daemon is alive, and how many clients and rooms it
//! has.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::net::rounds::Exchanges;
use crate::systemd;
use crate::values::time::Mono;

/// The shortest time from a change of these numbers to the status line that tells of it.
const STATUS_EVERY: Duration = Duration::from_secs(2);

/// The last messages to the service manager, and the times of the next ones.
pub(super) struct Service {
    /// How often the watchdog is fed; `None` if there is none.
    watchdog: Option<Duration>,
    watchdog_due: Option<Mono>,
    /// The rounds' [`beats`](crate::net::rounds::Counts::beats) when the watchdog was fed last.
    beats_seen: u64,
    status_due: Option<Mono>,
    /// The clients and rooms in the status line that was sent last.
    status_told: Option<(usize, usize)>,
}

impl Service {
    pub(super) fn new(watchdog: Option<Duration>, at: Mono) -> Self {
        Self { watchdog, watchdog_due: watchdog.map(|_| at), beats_seen: 0, status_due: None, status_told: None }
    }

    pub(super) fn next_deadline(&self) -> Option<Mono> {
        self.watchdog_due.into_iter().chain(self.status_due).min()
    }

    /// Feeds the watchdog if it is due, and if the rounds are alive too: they have looked for
    /// orders since the last time, or no orders wait for them.
    pub(super) fn feed_watchdog(&mut self, at: Mono, rounds: &Exchanges) {
        let (Some(due), Some(every)) = (self.watchdog_due, self.watchdog) else { return };
        if at < due {
            return;
        }
        self.watchdog_due = Some(at.after(every));
        let beats = rounds.counts.beats.load(Ordering::Relaxed);
        if beats != self.beats_seen || rounds.work.is_empty() {
            systemd::watchdog();
        }
        self.beats_seen = beats;
    }

    /// Sends the status line, [`STATUS_EVERY`] after the numbers of clients and rooms, `present`,
    /// have changed.
    pub(super) fn tell_status(&mut self, at: Mono, present: (usize, usize)) {
        if self.status_told == Some(present) {
            self.status_due = None;
        } else if self.status_due.is_none_or(|due| due <= at) {
            if self.status_due.is_some() || self.status_told.is_none() {
                let plural = |number: usize| if number == 1 { "" } else { "s" };
                let (clients, rooms) = present;
                let text = format!("{clients} client{}, {rooms} room{}", plural(clients), plural(rooms));
                if systemd::status(&text) {
                    self.status_told = Some(present);
                    self.status_due = None;
                } else {
                    self.status_due = Some(at.after(STATUS_EVERY));
                }
            } else {
                self.status_due = Some(at.after(STATUS_EVERY));
            }
        }
    }
}
