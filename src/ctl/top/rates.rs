//! How fast: what was counted at two times, and what lies between. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::sample::Sample;
use crate::wire::admin::result::Client;

/// As many values are kept for a sparkline: more than the widest screen shows.
const KEPT: usize = 300;

/// What is counted of all clients together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    LinesIn,
    Deliveries,
    BytesIn,
    BytesOut,
}

impl Flow {
    pub(super) const ALL: [Self; 4] = [Self::LinesIn, Self::BytesIn, Self::Deliveries, Self::BytesOut];

    /// What the counter is called. A daemon that does not count deliveries counts writes.
    fn counter(self, sample: &Sample) -> &'static str {
        match self {
            Self::LinesIn => "lines_received",
            Self::Deliveries if sample.status.counters.contains_key("deliveries") => "deliveries",
            Self::Deliveries => "writes",
            Self::BytesIn => "bytes_read",
            Self::BytesOut => "bytes_written",
        }
    }

    /// What it is called on the screen.
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

/// What one client does a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rate {
    pub(super) lines: f64,
    /// In and out.
    pub(super) bytes: f64,
}

/// All rates, those of the last two samples.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// By the client's id.
    of_clients: HashMap<String, Rate>,
    /// By the counter's name.
    of_counters: HashMap<String, f64>,
    /// By [`Flow::ALL`], the oldest first.
    flows: [VecDeque<f64>; 4],
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn a_second(count: u64, passed: Duration) -> f64 {
    count as f64 / passed.as_secs_f64().max(0.001)
}

/// In and out.
fn bytes(client: &Client) -> u64 {
    client.bytes_in.saturating_add(client.bytes_out)
}

impl Rates {
    /// Takes a sample. Rates are those since the sample `before`; of a client that was not there then, since it
    /// connected; of a daemon that is another one, since it started.
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
                // Lines outlive a restart; bytes are counted anew, and what is fewer than before is since then.
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
                // A counter can be handed on or begin anew with the process: what it was before says which.
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

    pub(super) fn client(&self, id: &str) -> Rate {
        self.of_clients.get(id).copied().unwrap_or_default()
    }

    pub(super) fn counter(&self, name: &str) -> f64 {
        self.of_counters.get(name).copied().unwrap_or(0.0)
    }

    /// The rates of a flow, the oldest first.
    pub(super) fn flow(&self, flow: Flow) -> &VecDeque<f64> {
        let index = Flow::ALL.iter().position(|one| *one == flow).unwrap_or(0);
        &self.flows[index]
    }
}
