//! The table of metrics: one row for each.
//!
//! Metrics that release 0.1 had keep their names. New ones follow the conventions of Prometheus:
//! base units, no abbreviations, and only labels whose values no stranger can extend.

use super::{Family, Kind};
use crate::hub::Counters;

/// The beginning of each metric's full name.
pub const PREFIX: &str = "chathub_";

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// The name, without [`PREFIX`] and without the `_total` of a counter.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The meaning, in one sentence.
    pub about: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

impl Metric {
    /// The name with [`PREFIX`], as in the HELP and TYPE lines of OpenMetrics.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The names of the metric's series in the text formats.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        let name = self.full_name();
        match self.kind {
            Kind::Counter => vec![format!("{name}_total")],
            Kind::Gauge => vec![name],
            Kind::Histogram => ["bucket", "sum", "count"].map(|part| format!("{name}_{part}")).into(),
        }
    }

    /// The unit, with which the name ends; `None` if it has none.
    #[must_use]
    pub fn unit(&self) -> Option<&'static str> {
        unit(self.name)
    }

    pub(super) fn family(&self) -> Family {
        let about = self.about.trim().to_owned();
        Family { name: self.full_name(), kind: self.kind, about, samples: Vec::new(), histogram: None }
    }
}

/// The unit with which the name of a metric ends; Prometheus has base units only.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    let last = name.rsplit('_').next()?;
    ["seconds", "bytes"].into_iter().find(|unit| *unit == last)
}

macro_rules! metrics {
    ($list:ident, $all:literal: $( $(#[doc = $about:literal])+ $constant:ident = $name:literal $kind:ident $( [$($label:literal)+] )?; )+) => {
        $(
            $(#[doc = $about])+
            pub static $constant: Metric =
                Metric { name: $name, kind: Kind::$kind, about: concat!($($about),+), labels: &[$( $($label),+ )?] };
        )+

        #[doc = $all]
        pub static $list: &[&Metric] = &[$( &$constant ),+];
    };
}

metrics! { HUB, "What the daemon tells of itself, beside the events of the hub ([`Counters`]).":
    /// Always 1; the label is the version of the daemon.
    BUILD_INFO = "build_info" Gauge ["version"];
    /// When the daemon started, in seconds since 1970.
    START_TIME = "start_time_seconds" Gauge;
    /// Seconds since the start.
    UPTIME = "uptime_seconds" Gauge;
    /// Clients connected.
    CLIENTS = "clients" Gauge;
    /// Most clients at one time.
    CLIENTS_PEAK = "clients_peak" Gauge;
    /// Most clients allowed.
    CLIENTS_MAX = "clients_max" Gauge;
    /// Clients by who they are: guest, member (logged in), operator (logged in), door (they wait to
    /// be let in).
    CLIENTS_BY_STATE = "clients_by_state" Gauge ["state"];
    /// Clients whose sockets are full, so that they fall behind.
    CLIENTS_BEHIND = "clients_behind" Gauge;
    /// Connections to the admin sockets.
    ADMIN_CONNECTIONS = "admin_connections" Gauge;
    /// Rooms that are open.
    ROOMS = "rooms" Gauge;
    /// Most rooms allowed.
    ROOMS_MAX = "rooms_max" Gauge;
    /// Accounts.
    ACCOUNTS = "accounts" Gauge;
    /// Sanctions that are kept, by kind.
    SANCTIONS = "sanctions" Gauge ["kind"];
    /// Reports that are open.
    REPORTS_OPEN = "reports_open" Gauge;
    /// Messages that wait for people who are not here.
    MEMOS_WAITING = "memos_waiting" Gauge;
    /// 1 during a lockdown.
    LOCKDOWN = "lockdown" Gauge;
    /// 1 if bans and accounts on disk cannot be read.
    UNREAD = "unread" Gauge;
    /// 1 if connections would outlive the daemon.
    SURVIVAL = "survival" Gauge;
    /// 1 if what is said is to be recorded on disk.
    RECORDING = "recording" Gauge;
    /// Lines kept in memory.
    HISTORY_LINES = "history_lines" Gauge;
    /// Bytes of lines that wait for the disk.
    HISTORY_WAITING = "history_waiting_bytes" Gauge;
    /// Most bytes of lines that may wait for the disk; what is beyond is not recorded.
    HISTORY_WAITING_MAX = "history_waiting_max_bytes" Gauge;
    /// Lines on disk.
    HISTORY_DISK_LINES = "history_disk_lines" Gauge;
    /// Bytes on disk.
    HISTORY_DISK = "history_disk_bytes" Gauge;
    /// 1 if the disk takes nothing now.
    HISTORY_DISK_TROUBLE = "history_disk_trouble" Gauge;
    /// Longest turn of the loop that decides everything.
    TURN_LONGEST = "turn_longest_seconds" Gauge;
    /// Turns of the loop that decides everything: nobody is read meanwhile.
    TURNS = "turn_seconds" Histogram;
    /// How far clients are behind, looked at whenever it is a client's turn to be written to.
    BEHIND = "client_behind_bytes" Histogram;
    /// Connections accepted, by the socket that they came to.
    LISTENER_CONNECTIONS = "listener_connections" Counter ["listener" "addr"];
    /// Bytes received from clients.
    BYTES_READ = "bytes_read" Counter;
    /// Writes made to clients.
    WRITES = "writes" Counter;
    /// Bytes written to clients.
    BYTES_WRITTEN = "bytes_written" Counter;
    /// Lines of rooms written to clients: a line counts once for each client that it was written
    /// to.
    DELIVERIES = "deliveries" Counter;
    /// Times that a client's socket was full.
    SOCKETS_FULL = "sockets_full" Counter;
    /// Lines that clients were too slow for.
    LINES_MISSED = "lines_missed" Counter;
    /// Times that accepting was paused.
    ACCEPT_PAUSES = "accept_pauses" Counter;
    /// Connections refused at the sockets for proxies, by what was wrong: "stranger" (it came from
    /// no proxy of proxy.networks), "header" (none, or one that cannot be used), "late" (none came
    /// in time).
    PROXY_REFUSED = "proxy_refused" Counter ["cause"];
    /// Connections by which proxies looked whether somebody answers.
    PROXY_CHECKS = "proxy_checks" Counter;
    /// Connections that would not outlive the process.
    UNKEPT = "unkept" Counter;
    /// Restarts that clients have lived through.
    RESTARTS = "restarts" Counter;
    /// Events that the journal did not take in time.
    JOURNAL_LOST = "journal_lost" Counter;
    /// Records written to disk.
    HISTORY_RECORDED = "history_recorded" Counter;
    /// Times that the disk did not take what was to be recorded.
    HISTORY_TROUBLES = "history_troubles" Counter;
    /// Files of history that could not be read and were set aside.
    HISTORY_SET_ASIDE = "history_set_aside" Counter;
}

metrics! { WEB, "What `chathub-web` adds of itself. These are there also when the hub does not answer.":
    /// 1 if the hub has answered.
    UP = "up" Gauge;
    /// How long the hub took to answer.
    SCRAPE_DURATION = "scrape_duration_seconds" Gauge;
    /// Requests answered by chathub-web, by status code.
    WEB_REQUESTS = "web_requests" Counter ["code"];
    /// Connections to chathub-web.
    WEB_CONNECTIONS = "web_connections" Gauge;
    /// Connections that chathub-web closed before their time to make place for others.
    WEB_GAVE_WAY = "web_gave_way" Counter;
}

metrics! { TLS, "What `chathub-web` adds of `chathub-tls`, where that has been started since the machine was.":
    /// 1 if chathub-tls serves; 0 if it could not start, hangs or was killed.
    TLS_UP = "tls_up" Gauge;
    /// When the certificates in use expire, in seconds since 1970, by their order and their first
    /// name.
    TLS_CERTIFICATE_EXPIRES = "tls_certificate_expires_seconds" Gauge ["certificate" "name"];
    /// 1 if the certificates that were read last cannot be used: those before them stay, or there
    /// are none.
    TLS_CERTIFICATES_REFUSED = "tls_certificates_refused" Gauge;
    /// Times that certificates were read again and refused.
    TLS_CERTIFICATE_REFUSALS = "tls_certificate_refusals" Counter;
    /// Handshakes under way.
    TLS_UNDER_WAY = "tls_handshakes_under_way" Gauge;
    /// Connections to the port for TLS, by what became of them: handed_over (the hub has them),
    /// failed, not_encrypted, timed_out, sent_too_much, gave_way (there were too many),
    /// gave_way_to_address (of its address), not_taken_by_hub.
    TLS_HANDSHAKES = "tls_handshakes" Counter ["outcome"];
    /// Times that chathub-tls accepted no more: too many waited for the hub, or the system was out
    /// of something.
    TLS_PAUSES = "tls_accept_pauses" Counter;
}

/// Metrics that exist only while lines are recorded on disk.
pub static DISK: &[&Metric] = &[
    &HISTORY_DISK_LINES,
    &HISTORY_DISK,
    &HISTORY_DISK_TROUBLE,
    &HISTORY_RECORDED,
    &HISTORY_TROUBLES,
    &HISTORY_SET_ASIDE,
];

/// The counters of the hub's events.
pub fn events() -> impl Iterator<Item = Metric> {
    let row = |(name, about)| Metric { name, kind: Kind::Counter, about, labels: &[] };
    Counters::ROWS.iter().copied().map(row)
}

/// The metrics that the daemon serves.
pub fn of_hub() -> impl Iterator<Item = Metric> {
    HUB.iter().map(|metric| **metric).chain(events())
}

/// The metrics that `chathub-web` serves: the daemon's, its own, and those of `chathub-tls`.
pub fn all() -> impl Iterator<Item = Metric> {
    of_hub().chain(WEB.iter().chain(TLS).map(|metric| **metric))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_as_prometheus_wants_them_and_each_is_there_once() {
        let mut seen = BTreeSet::new();
        for metric in all() {
            let name = metric.name;
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            for ending in ["_total", "_count", "_sum", "_bucket", "_created", "_ms", "_kb"] {
                assert!(!name.ends_with(ending), "{name}");
            }
            assert!(metric.about.trim().ends_with('.'), "{name} has no text");
            for label in metric.labels {
                assert!(!["le", "quantile", "instance", "job"].contains(label), "{name}: {label}");
            }
            for series in metric.series() {
                assert!(seen.insert(series.clone()), "{series} is there twice");
            }
        }
        assert!(DISK.iter().all(|disk| HUB.contains(disk)));
    }
}
