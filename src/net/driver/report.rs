//! What administrators are told of the daemon: status, counters, metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::{Driver, times};
use crate::net::admin::holders::Holder;
use crate::store::{Health, Source, Store};
use crate::values::time::Now;
use crate::wire::admin::result::{AdminConnection, DiskHistory, Lockdown, LoopTurns, Status, TurnCount};
use crate::wire::admin::value::Time;

/// Microseconds as seconds, exactly.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn admin_connection(holder: Holder) -> AdminConnection {
    let Holder { uid, pid, since, idle } = holder;
    AdminConnection { uid, pid, age_s: since.as_secs(), idle_s: idle.map(|idle| idle.as_secs()) }
}

impl Driver {
    pub(super) fn status(&self, at: Now) -> Status {
        Status {
            state: if self.state.hub().is_stopping() { "stopping" } else { "serving" }.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            since: Time(self.started.wall),
            uptime_s: at.mono.since(self.started.mono).as_secs(),
            clients: self.state.hub().session_count() as u64,
            clients_peak: self.state.hub().peak() as u64,
            clients_max: self.state.hub().settings().limits.clients as u64,
            rooms: self.state.hub().room_count() as u64,
            rooms_max: self.state.hub().settings().limits.rooms as u64,
            history_lines: self.state.hub().rooms().map(|room| room.history.len() as u64).sum(),
            reports_open: self.state.hub().reports().open().len() as u64,
            memos_waiting: self.state.hub().memos().waiting() as u64,
            listeners: self.around.listeners.clone(),
            activated: self.around.activated,
            survival: self.survival(),
            recording: self.recording(),
            unread: self.state.hub().is_unread(),
            lockdown: self.state.hub().lockdown().map(Lockdown::from),
            admins: self.around.admins.holders().into_iter().map(admin_connection).collect(),
            turns: self.turns_taken(),
            config: self.around.files.first().map(|file| file.display().to_string()),
            log_level: self.around.level.get(),
            counters: self.counters().into_iter().map(|(name, _, value)| (name.to_owned(), value.into())).collect(),
        }
    }

    /// All counters: name, meaning, value.
    fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut counters: Vec<_> = self.state.hub().counters().iter().collect();
        counters.extend([
            ("bytes_read", "Bytes received from clients.", self.clients.bytes_read),
            ("writes", "Writes made to clients.", load(&self.delivery.exchanges.counts.writes)),
            ("bytes_written", "Bytes written to clients.", load(&self.delivery.exchanges.counts.bytes)),
            ("sockets_full", "Times that a client's socket was full.", load(&self.delivery.exchanges.counts.full)),
            ("lines_missed", "Lines that clients were too slow for.", load(&self.delivery.exchanges.counts.missed)),
            ("accept_pauses", "Times that accepting was paused.", load(&self.around.accepted.paused)),
            ("unkept", "Connections that would not outlive the process.", load(&self.around.accepted.unkept)),
            ("restarts", "Restarts that clients have lived through.", self.state.machine().restarts().count),
            ("journal_lost", "Events that the journal did not take in time.", self.journal.lost()),
        ]);
        if let Some(health) = self.store.as_ref().map(Store::health) {
            counters.extend([
                ("history_recorded", "Records written to disk.", health.records),
                ("history_troubles", "Times that the disk did not take what was to be recorded.", health.troubles),
                ("history_set_aside", "Files of history that could not be read and were set aside.", health.sets_aside),
            ]);
        }
        counters
    }

    fn turns_taken(&self) -> LoopTurns {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bounds = times::BOUNDS.into_iter().map(Some).chain([None]);
        let counts = bounds.zip(self.times.counts());
        let longest = self.times.longest();
        LoopTurns {
            count: self.times.counts().iter().sum(),
            total_us: micros(self.times.total()),
            longest_us: longest.map_or(0, |longest| micros(longest.took)),
            longest_doing: longest.map_or_else(String::new, |longest| longest.doing.0.words().to_owned()),
            longest_doing_us: longest.map_or(0, |longest| micros(longest.doing.1)),
            longest_at: longest.map(|longest| Time(longest.at)),
            histogram: counts.map(|(up_to_us, count)| TurnCount { up_to_us, count: *count }).collect(),
        }
    }

    /// Whether clients outlive this process, and the restarts that they have lived through, in words.
    fn survival(&self) -> String {
        if !self.state.tape.is_kept() {
            return "off: clients are told goodbye when the daemon stops".to_owned();
        }
        let restarts = self.state.machine().restarts();
        match restarts.last {
            None => "on: no restart yet".to_owned(),
            Some(last) => {
                let plural = if restarts.count == 1 { "" } else { "s" };
                format!("on: {} restart{plural} lived through, the last at {}", restarts.count, Time(last))
            }
        }
    }

    /// Whether history is recorded, and if not, why, in words.
    fn recording(&self) -> String {
        let Some((source, health)) = self.store.as_ref().map(|store| (store.source(), store.health())) else {
            return "off: history ends with the daemon".to_owned();
        };
        let file = source.path().display();
        let mut text = match health.trouble {
            None => format!("on: {file}"),
            Some((trouble, since)) => format!("not since {}: {file}: {trouble}", Time(since)),
        };
        if self.state.hub().is_unread() {
            text.push_str("; bans and accounts that are there could not be read yet");
        }
        if let Some(aside) = health.set_aside {
            text.push_str(&format!("; could not be read and was set aside: {}", aside.display()));
        }
        text
    }

    pub(super) fn disk(&self, health: &Health, source: &Source) -> DiskHistory {
        DiskHistory {
            file: source.path().display().to_string(),
            lines: health.lines,
            bytes: health.bytes,
            indexed_to: None,
            waiting_bytes: self.state.hub().backlog().bytes() as u64,
            lost: self.state.hub().counters().history_lost,
            trouble: health.trouble.as_ref().map(|(text, _)| text.clone()),
            set_aside: health.set_aside.as_ref().map(|path| path.display().to_string()),
            rooms: Vec::new(),
        }
    }

    /// OpenMetrics 1.0: counters and gauges without labels. Names of rooms and people would be private, and without
    /// bound.
    pub(super) fn metrics(&self, at: Now) -> String {
        use std::fmt::Write as _;
        let mut text = String::new();
        let status = self.status(at);
        let gauges = [
            ("clients", "Clients connected.", status.clients),
            ("clients_peak", "Most clients at one time.", status.clients_peak),
            ("rooms", "Rooms.", status.rooms),
            ("history_lines", "Lines kept in memory.", status.history_lines),
            ("reports_open", "Reports that are open.", status.reports_open),
            ("memos_waiting", "Messages that wait for people who are not here.", status.memos_waiting),
            ("uptime_seconds", "Seconds since the start.", status.uptime_s),
            ("unread", "1 if bans and accounts on disk cannot be read.", self.state.hub().is_unread().into()),
            ("lockdown", "1 during a lockdown.", self.state.hub().lockdown().is_some().into()),
            ("history_waiting_bytes", "Lines that wait for the disk.", self.state.hub().backlog().bytes() as u64),
        ];
        let health = self.store.as_ref().map(Store::health);
        let disk = health.iter().flat_map(|health| {
            [
                ("history_disk_lines", "Lines on disk.", health.lines),
                ("history_disk_bytes", "Bytes on disk.", health.bytes),
                ("history_disk_trouble", "1 if the disk takes nothing now.", health.trouble.is_some().into()),
            ]
        });
        for (name, about, value) in gauges.into_iter().chain(disk) {
            let _ =
                write!(text, "# TYPE chathub_{name} gauge\n# HELP chathub_{name} {about}\nchathub_{name} {value}\n");
        }
        let turns = status.turns;
        let _ = write!(
            text,
            "# TYPE chathub_turn_longest_seconds gauge\n# HELP chathub_turn_longest_seconds Longest turn of the loop.\n\
             chathub_turn_longest_seconds {}\n\
             # TYPE chathub_turn_seconds histogram\n# HELP chathub_turn_seconds Turns of the loop.\n",
            seconds(turns.longest_us)
        );
        let mut count = 0;
        for turn in &turns.histogram {
            count += turn.count;
            let bound = turn.up_to_us.map_or_else(|| "+Inf".to_owned(), seconds);
            let _ = writeln!(text, "chathub_turn_seconds_bucket{{le=\"{bound}\"}} {count}");
        }
        let _ =
            write!(text, "chathub_turn_seconds_count {count}\nchathub_turn_seconds_sum {}\n", seconds(turns.total_us));
        for (name, about, value) in self.counters() {
            let _ = write!(
                text,
                "# TYPE chathub_{name} counter\n# HELP chathub_{name} {}\nchathub_{name}_total {value}\n",
                about.trim()
            );
        }
        text.push_str("# EOF\n");
        text
    }
}
