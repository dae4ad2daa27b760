//! The journal: structured fields under systemd, readable lines on standard error otherwise.
//!
//! Each kind of event has a fixed [`ids`] number, which `journalctl -x` explains from the message
//! catalog. What people say is never logged, nor raw bytes of strangers. Arrivals and the like are
//! written by a thread of their own ([`Journal`]): the hub does not wait for the journal, and a crowd
//! or a port scanner does not fill it.

mod happening;
pub mod ids;
mod journal;
mod lines;

use std::fmt;
use std::os::linux::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::{Layer as _, Registry};

pub use self::journal::Journal;
use self::lines::Lines;
use crate::settings::{LogLevel, Word as _};

/// Changes the level while running.
#[derive(Clone, Debug)]
pub struct Level(reload::Handle<LevelFilter, Registry>);

impl Level {
    /// From now on, this much is logged.
    pub fn set(&self, level: LogLevel) {
        // Fails only if the subscriber is gone, and then there is nothing to set.
        let _ = self.0.modify(|filter| *filter = filter_of(level));
    }

    /// How much is logged.
    #[must_use]
    pub fn get(&self) -> LogLevel {
        let now = self.0.clone_current();
        let level = LogLevel::WORDS.iter().map(|(level, _)| *level).find(|level| now == Some(filter_of(*level)));
        level.unwrap_or(LogLevel::Info)
    }
}

fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Starts logging: to the journal if standard error goes there (`$JOURNAL_STREAM`, systemd.exec(5)),
/// else to standard error.
#[must_use]
pub fn start(level: LogLevel) -> Level {
    let (filter, handle) = reload::Layer::new(filter_of(level));
    let journal = if stderr_is_the_journal() { tracing_journald::layer().ok() } else { None };
    TO_JOURNAL.store(journal.is_some(), Ordering::Relaxed);
    let layer = match journal {
        Some(journal) => {
            use tracing_journald::{Priority, PriorityMappings};
            let priorities = PriorityMappings {
                error: Priority::Error,
                warn: Priority::Warning,
                info: Priority::Informational,
                debug: Priority::Debug,
                trace: Priority::Debug,
            };
            journal
                .with_field_prefix(None)
                .with_syslog_identifier("chathub".to_owned())
                .with_priority_mappings(priorities)
                .boxed()
        }
        None => tracing_subscriber::fmt::layer().with_writer(std::io::stderr).event_format(Lines).boxed(),
    };
    let subscriber = Registry::default().with(filter).with(layer);
    // Fails if a subscriber is set already: in tests, which then share the first one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Level(handle)
}

/// Whether the journal reads standard error: `$JOURNAL_STREAM` has its device and inode.
fn stderr_is_the_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|meta| named == format!("{}:{}", meta.st_dev(), meta.st_ino()))
}

/// Whether events go to the journal, with their fields.
static TO_JOURNAL: AtomicBool = AtomicBool::new(false);

/// What the fields of an event say, for the end of its message. The journal shows the message alone,
/// unless one asks; on standard error the fields stand beside it, and this is nothing.
#[derive(Debug)]
pub struct InWords<T>(pub T);

impl<T: fmt::Display> fmt::Display for InWords<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if TO_JOURNAL.load(Ordering::Relaxed) { write!(f, ": {}", self.0) } else { Ok(()) }
    }
}
