//! The requests that are sent to the daemon for each frame, and its answers.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ctl::asker::Answered;
use crate::values::time::Wall;
use crate::wire::admin::Command;
use crate::wire::admin::args::{ClientsListArgs, MetricsArgs, NoArgs, SanctionListArgs};
use crate::wire::admin::message::ControlError;
use crate::wire::admin::result::{Client, ClientList, Metrics, Room, RoomList, Sanction, SanctionList, Status};

/// The interval at which sanctions are asked for while their list is not shown: there can be
/// thousands.
const SANCTIONS: Duration = Duration::from_secs(10);

/// The daemon's answers of one moment.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) status: Status,
    pub(super) clients: Vec<Client>,
    /// Whether the daemon has answered with the clients; on some sockets it may refuse.
    pub(super) people: bool,
    /// `None` if the daemon has refused.
    pub(super) rooms: Option<Vec<Room>>,
    pub(super) disk: Disk,
    pub(super) at: Instant,
}

/// The state of the history's disk, from the gauges of `metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Disk {
    /// Bytes waiting to be written; `None` if the history is not written to disk.
    pub(super) waiting: Option<u64>,
    /// Whether the disk fails to take data now.
    pub(super) trouble: bool,
}

/// Which requests are sent together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    sanctions: bool,
}

impl Wanted {
    /// The number of requests, from the first, that must succeed. The others may be refused: the
    /// socket for monitoring gives only numbers.
    pub(super) const NEEDED: usize = 1;

    /// The requests to send now. Sanctions, last answered at `known`, are among them if their list
    /// is shown (`looked_at`) or that answer is older than [`SANCTIONS`].
    pub(super) fn now(looked_at: bool, known: Option<Instant>, now: Instant) -> Self {
        Self { sanctions: looked_at || known.is_none_or(|known| now.saturating_duration_since(known) >= SANCTIONS) }
    }

    /// The requests, in the order in which [`Wanted::read`] expects the answers.
    pub(super) fn commands(self) -> Vec<Command> {
        let mut commands = vec![
            Command::Status(NoArgs {}),
            Command::ClientsList(ClientsListArgs::default()),
            Command::RoomsList(NoArgs {}),
            Command::Metrics(MetricsArgs::default()),
        ];
        if self.sanctions {
            commands.push(Command::SanctionsList(SanctionListArgs { kind: None }));
        }
        commands
    }

    /// Reads the answers to the commands, which came at `at`.
    ///
    /// # Errors
    /// A text: the daemon refused `status`, or an answer is not as the protocol says.
    pub(super) fn read(self, answered: Vec<Answered>, at: Instant) -> Result<(Sample, Option<Vec<Sanction>>), String> {
        let mut answered = answered.into_iter();
        let mut next = || answered.next().unwrap_or(Ok(Value::Null));
        let status: Status = needed(next())?;
        let clients = next().ok().map(|list| needed::<ClientList>(Ok(list))).transpose()?;
        let rooms = next().ok().and_then(|rooms| serde_json::from_value::<RoomList>(rooms).ok());
        let metrics = next().ok().and_then(|metrics| serde_json::from_value::<Metrics>(metrics).ok());
        let sanctions = if self.sanctions { next().ok() } else { None };
        let sanctions = sanctions.and_then(|list| serde_json::from_value::<SanctionList>(list).ok());
        let sample = Sample {
            status,
            people: clients.is_some(),
            clients: clients.map(|list| list.clients).unwrap_or_default(),
            rooms: rooms.map(|list| list.rooms),
            disk: metrics.and_then(|metrics| metrics.text).map(|text| Disk::read(&text)).unwrap_or_default(),
            at,
        };
        Ok((sample, sanctions.map(|list| list.sanctions)))
    }
}

/// Parses an answer that must not be missing or refused.
fn needed<T: DeserializeOwned>(answered: Answered) -> Result<T, String> {
    let result = answered.map_err(|ControlError { message, .. }| message)?;
    serde_json::from_value(result).map_err(|error| format!("the answer makes no sense: {error}"))
}

impl Sample {
    /// The daemon's clock: its start plus its uptime, to the second.
    pub(super) fn now(&self) -> Wall {
        let millis = i64::try_from(self.status.uptime_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        Wall(self.status.since.0.0.saturating_add(millis))
    }

    /// The value of a counter; 0 if this daemon does not have it.
    pub(super) fn counter(&self, name: &str) -> u64 {
        self.status.counters.get(name).and_then(Value::as_u64).unwrap_or(0)
    }
}

impl Disk {
    /// Reads the gauges from OpenMetrics text.
    fn read(text: &str) -> Self {
        let gauge = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(found, _)| *found == name).and_then(|(_, value)| value.trim().parse::<u64>().ok())
        };
        let recorded = gauge("chathub_history_disk_lines").is_some();
        Self {
            waiting: gauge("chathub_history_waiting_bytes").filter(|_| recorded),
            trouble: gauge("chathub_history_disk_trouble").is_some_and(|trouble| trouble > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_the_disk_is_read_from_the_metrics() {
        let text = "# TYPE chathub_history_waiting_bytes gauge\nchathub_history_waiting_bytes 512\n\
                    chathub_history_disk_lines 7\nchathub_history_disk_trouble 1\n# EOF\n";
        assert_eq!(Disk::read(text), Disk { waiting: Some(512), trouble: true });
        assert_eq!(Disk::read("chathub_history_waiting_bytes 0\n"), Disk::default(), "nothing is recorded");
    }

    #[test]
    fn sanctions_are_asked_for_now_and_then() {
        let start = Instant::now();
        assert!(Wanted::now(false, None, start).sanctions);
        assert!(!Wanted::now(false, Some(start), start + Duration::from_secs(2)).sanctions);
        assert!(Wanted::now(false, Some(start), start + SANCTIONS).sanctions);
        assert!(Wanted::now(true, Some(start), start).sanctions, "they are looked at");
    }
}
