//! Rates: counters of two samples, divided by the time between them. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::sample::Sample;
use crate::wire::admin::result::Client;

/// The number of values kept for a sparkline; more than the widest screen has columns.
const KEPT: usize = 300;

/// A count over all clients together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    LinesIn,
    Deliveries,
    BytesIn,
    BytesOut,
}

impl Flow {
    pub(super) const ALL: [Self; 4] = [Self::LinesIn, Self::BytesIn, Self::Deliveries, Self::BytesOut];

    /// The name of its counter. A daemon that does not count deliveries counts writes to sockets
    /// instead.
    fn counter(self, sample: &Sample) -> &'static str {
        match self {
            Self::LinesIn => "lines_received",
            Self::Deliveries if sample.status.counters.contains_key("deliveries") => "deliveries",
            Self::Deliveries => "writes",
            Self::BytesIn => "bytes_read",
            Self::BytesOut => "bytes_written",
        }
    }

    /// The label of the flow on the screen.
    pub(super) fn label(self, sample: &Sample) -> &'static str {
        match self {
            Self::LinesIn => "lines in",
            Self::Deliveries if self.counter(sample) == "writes" => "writes",
            Self::Deliveries => "deliveries",
            Self::BytesIn => "bytes in",
            Self::BytesOut => "bytes out",
        }
    }
}

/// The rates of one client, per second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    pub(super) lines: f64,
    /// Bytes read and written.
    pub(super) bytes: f64,
}

/// The rates of clients and counters between the last two samples, and the recent values of the
/// flows.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// By client id.
    of_clients: HashMap<String, Rate>,
    /// By counter name; per second.
    of_counters: HashMap<String, f64>,
    /// In the order of [`Flow::ALL`]; each with the oldest value first. One value per sample.
    flows: [VecDeque<f64>; 4],
}

/// `count` per second, if it took the time `passed`.
#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn a_second(count: u64, passed: Duration) -> f64 {
    count as f64 / passed.as_secs_f64().max(0.001)
}

/// The bytes read and written by a client.
fn bytes(client: &Client) -> u64 {
    client.bytes_in.saturating_add(client.bytes_out)
}

impl Rates {
    /// Takes the sample `now` and computes the rates since the sample `before`. For a client that
    /// was not connected then, the rates are averages since it connected; after a restart of the
    /// daemon, counts that began at 0 again are averages since the start.
    pub(super) fn look(&mut self, before: Option<&Sample>, now: &Sample) {
        let same = before.filter(|before| {
            (before.status.pid, before.status.since) == (now.status.pid, now.status.since) && now.at > before.at
        });
        let clients: HashMap<&str, &Client> =
            before.iter().flat_map(|before| &before.clients).map(|client| (&*client.id, client)).collect();
        let passed = before.map_or(Duration::ZERO, |before| now.at.saturating_duration_since(before.at));
        let rate = |client: &Client| {
            let age = u64::try_from(now.now().0.saturating_sub(client.since.0.0)).unwrap_or(0);
            let age = Duration::from_millis(age.max(1000));
            let alive = Duration::from_secs(now.status.uptime_s.max(1));
            match clients.get(&*client.id).filter(|_| !passed.is_zero()) {
                // A client's count of lines survives a restart of the daemon. Its bytes are counted
                // from 0 after it.
                Some(before) => Rate {
                    lines: a_second(client.lines.saturating_sub(before.lines), passed),
                    bytes: match bytes(client).checked_sub(bytes(before)).filter(|_| same.is_some()) {
                        Some(more) => a_second(more, passed),
                        None => a_second(bytes(client), alive.min(age)),
                    },
                },
                None => Rate { lines: a_second(client.lines, age), bytes: a_second(bytes(client), alive.min(age)) },
            }
        };
        self.of_clients = now.clients.iter().map(|client| (client.id.clone(), rate(client))).collect();
        let since_start = Duration::from_secs(now.status.uptime_s.max(1));
        self.of_counters = now
            .status
            .counters
            .keys()
            .map(|name| {
                let count = now.counter(name);
                // Some counters survive a restart, others begin at 0. A count lower than before has
                // begun at 0.
                let rate = match before.and_then(|before| count.checked_sub(before.counter(name))) {
                    Some(more) if !passed.is_zero() => a_second(more, passed),
                    _ => a_second(count, since_start),
                };
                (name.clone(), rate)
            })
            .collect();
        for (flow, kept) in Flow::ALL.into_iter().zip(&mut self.flows) {
            let rate = self.of_counters.get(flow.counter(now)).copied().unwrap_or(0.0);
            kept.push_back(rate);
            if kept.len() > KEPT {
                kept.pop_front();
            }
        }
    }

    /// The rates of a client; 0 for an unknown id.
    pub(super) fn client(&self, id: &str) -> Rate {
        self.of_clients.get(id).copied().unwrap_or_default()
    }

    /// The rate of a counter, per second; 0 for an unknown name.
    pub(super) fn counter(&self, name: &str) -> f64 {
        self.of_counters.get(name).copied().unwrap_or(0.0)
    }

    /// The recent values of a flow, per second; the oldest first.
    pub(super) fn flow(&self, flow: Flow) -> &VecDeque<f64> {
        let index = Flow::ALL.iter().position(|one| *one == flow).unwrap_or(0);
        &self.flows[index]
    }
}
