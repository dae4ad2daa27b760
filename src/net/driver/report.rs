//! Reports on the daemon for administrators: status, counters, metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Driver, times};
use crate::net::admin::holders::Holder;
use crate::net::rounds::Distances;
use crate::store::{Health, Source, Store};
use crate::values::time::Now;
use crate::wire::admin::metrics::{Sheet, seconds, table};
use crate::wire::admin::result::{AdminConnection, DiskHistory, Lockdown, LoopTurns, Status, TurnCount};
use crate::wire::admin::value::Time;

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
            settings: Some(self.around.read.clone()),
            log_level: self.around.level.get(),
            counters: self.counters(at),
        }
    }

    /// All counters among the metrics, by name.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they are whole and not negative")]
    fn counters(&self, at: Now) -> Map<String, Value> {
        self.measured(at).counters().map(|(name, value)| (name.to_owned(), (value as u64).into())).collect()
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

    /// Whether clients outlive this process, and how many restarts they have, in words.
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

    /// Whether history is recorded, and why not, in words.
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

    /// All metrics. Labels have fixed values, or values that only the administrator can add. Names
    /// of rooms and people would be private, and without bound.
    pub(super) fn measured(&self, at: Now) -> Sheet {
        let mut sheet = Sheet::default();
        self.measure_process(at, &mut sheet);
        self.measure_hub(&mut sheet);
        self.measure_disk(&mut sheet);
        self.measure_delivery(&mut sheet);
        for ((_, _, value), row) in self.state.hub().counters().iter().zip(table::events()) {
            sheet.count(&row, value);
        }
        sheet
    }

    fn measure_process(&self, at: Now, sheet: &mut Sheet) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        sheet.labelled(&table::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1);
        sheet.value(
            &table::START_TIME,
            &[],
            seconds(u64::try_from(self.started.wall.0).unwrap_or(0).saturating_mul(1_000)),
        );
        sheet.count(&table::UPTIME, at.mono.since(self.started.mono).as_secs());
        sheet.count(&table::ADMIN_CONNECTIONS, self.around.admins.count() as u64);
        sheet.count(&table::SURVIVAL, self.state.tape.is_kept().into());
        sheet.count(&table::RESTARTS, self.state.machine().restarts().count);
        sheet.count(&table::JOURNAL_LOST, self.journal.lost());
        sheet.value(&table::TURN_LONGEST, &[], seconds(self.times.longest().map_or(0, |longest| micros(longest.took))));
        let bounds = times::BOUNDS.map(seconds);
        sheet.histogram(&table::TURNS, bounds, self.times.counts(), seconds(micros(self.times.total())));
    }

    fn measure_hub(&self, sheet: &mut Sheet) {
        let hub = self.state.hub();
        sheet.count(&table::CLIENTS, hub.session_count() as u64);
        sheet.count(&table::CLIENTS_PEAK, hub.peak() as u64);
        sheet.count(&table::CLIENTS_MAX, hub.settings().limits.clients as u64);
        for (state, count) in hub.clients_by_state() {
            sheet.labelled(&table::CLIENTS_BY_STATE, &[state], count as u64);
        }
        sheet.count(&table::ROOMS, hub.room_count() as u64);
        sheet.count(&table::ROOMS_MAX, hub.settings().limits.rooms as u64);
        sheet.count(&table::ACCOUNTS, hub.accounts().len() as u64);
        for (kind, count) in hub.sanctions().counts() {
            sheet.labelled(&table::SANCTIONS, &[kind], count as u64);
        }
        sheet.count(&table::REPORTS_OPEN, hub.reports().open().len() as u64);
        sheet.count(&table::MEMOS_WAITING, hub.memos().waiting() as u64);
        sheet.count(&table::LOCKDOWN, hub.lockdown().is_some().into());
        sheet.count(&table::UNREAD, hub.is_unread().into());
        sheet.count(&table::HISTORY_LINES, hub.rooms().map(|room| room.history.len() as u64).sum());
    }

    fn measure_disk(&self, sheet: &mut Sheet) {
        let hub = self.state.hub();
        sheet.count(&table::RECORDING, self.store.is_some().into());
        sheet.count(&table::HISTORY_WAITING, hub.backlog().bytes() as u64);
        sheet.count(&table::HISTORY_WAITING_MAX, hub.settings().history.queue as u64);
        let Some(health) = self.store.as_ref().map(Store::health) else { return };
        sheet.count(&table::HISTORY_DISK_LINES, health.lines);
        sheet.count(&table::HISTORY_DISK, health.bytes);
        sheet.count(&table::HISTORY_DISK_TROUBLE, health.trouble.is_some().into());
        sheet.count(&table::HISTORY_RECORDED, health.records);
        sheet.count(&table::HISTORY_TROUBLES, health.troubles);
        sheet.count(&table::HISTORY_SET_ASIDE, health.sets_aside);
    }

    fn measure_delivery(&self, sheet: &mut Sheet) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (counts, accepted) = (&self.delivery.exchanges.counts, &self.around.accepted);
        for (listener, taken) in self.around.listeners.iter().zip(&self.around.taken) {
            sheet.labelled(&table::LISTENER_CONNECTIONS, &[&listener.name, &listener.addr], load(taken));
        }
        sheet.count(&table::ACCEPT_PAUSES, load(&accepted.paused));
        let of_proxies = &accepted.proxied;
        for (cause, count) in
            [("stranger", &of_proxies.strangers), ("header", &of_proxies.headers), ("late", &of_proxies.late)]
        {
            sheet.labelled(&table::PROXY_REFUSED, &[cause], load(count));
        }
        sheet.count(&table::PROXY_CHECKS, load(&of_proxies.checks));
        sheet.count(&table::UNKEPT, load(&accepted.unkept));
        sheet.count(&table::BYTES_READ, self.clients.bytes_read);
        sheet.count(&table::WRITES, load(&counts.writes));
        sheet.count(&table::BYTES_WRITTEN, load(&counts.bytes));
        sheet.count(&table::DELIVERIES, load(&counts.deliveries));
        sheet.count(&table::SOCKETS_FULL, load(&counts.full));
        sheet.count(&table::LINES_MISSED, load(&counts.missed));
        sheet.count(&table::CLIENTS_BEHIND, load(&counts.behind));
        let (distances, sum) = counts.distances.all();
        #[allow(clippy::cast_precision_loss, reason = "all of them are powers of two")]
        let bounds = Distances::BOUNDS.map(|bound| bound as f64);
        #[allow(clippy::cast_precision_loss, reason = "as all numbers that are measured")]
        sheet.histogram(&table::BEHIND, bounds, &distances, sum as f64);
    }
}
