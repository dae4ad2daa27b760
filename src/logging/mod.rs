//! Logging: events go to the journal with structured fields, or to standard error as lines.
//!
//! Each kind of event has a number ([`ids`]), by which `journalctl -x` finds its explanation in the
//! message catalog. Happenings of the hub are written by a thread of their own ([`Journal`]): so
//! the hub does not wait for the journal, and a crowd or a port scanner cannot fill it. What people
//! say is never logged, nor are raw bytes from strangers.
//!
//! | to change | see |
//! | --- | --- |
//! | where events go; the level while running | this file |
//! | the number of an event | [`ids`], and `systemd/chathub.catalog` |
//! | the words and fields for what happens in the hub | `happening` |
//! | how many arrivals and departures are written | `journal` |
//! | how an event gets to the journal, and what becomes of it if that takes nothing | `journald` |
//! | what a line on standard error looks like | `lines` |

mod happening;
pub mod ids;
mod journal;
mod journald;
mod lines;

use std::fmt;
use std::os::linux::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::reload;
use tracing_subscriber::{Layer as _, Registry};

pub use self::journal::Journal;
use self::journald::Journald;
pub use self::journald::flush;
use self::lines::Lines;
use crate::settings::{LogLevel, Word as _};

/// The log level. It can be changed while the daemon runs.
#[derive(Clone, Debug)]
pub struct Level(reload::Handle<LevelFilter, Registry>);

impl Level {
    /// Changes the log level from now on.
    pub fn set(&self, level: LogLevel) {
        // This fails only if the subscriber is gone, and then nothing is logged.
        let _ = self.0.modify(|filter| *filter = filter_of(level));
    }

    /// The present log level.
    #[must_use]
    pub fn get(&self) -> LogLevel {
        let now = self.0.clone_current();
        let level = LogLevel::WORDS.iter().map(|(level, _)| *level).find(|level| now == Some(filter_of(*level)));
        level.unwrap_or(LogLevel::Info)
    }
}

/// The level in the terms of the tracing library.
fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

/// Starts logging: to the journal if the journal reads standard error (`$JOURNAL_STREAM`,
/// systemd.exec(5)), or else to standard error.
#[must_use]
pub fn start(level: LogLevel) -> Level {
    start_as("chathub", level)
}

/// As [`start`], under the name of another program.
#[must_use]
pub fn start_as(program: &str, level: LogLevel) -> Level {
    let (filter, handle) = reload::Layer::new(filter_of(level));
    let journal = if stderr_is_the_journal() { Journald::new(program) } else { None };
    TO_JOURNAL.store(journal.is_some(), Ordering::Relaxed);
    let layer = match journal {
        Some(journal) => journal.boxed(),
        None => tracing_subscriber::fmt::layer().with_writer(std::io::stderr).event_format(Lines).boxed(),
    };
    let subscriber = Registry::default().with(filter).with(layer);
    // It fails if there is a subscriber already: the tests in one process share the first one.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Level(handle)
}

/// Whether the journal reads standard error: then `$JOURNAL_STREAM` has the device and inode of
/// standard error.
fn stderr_is_the_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|meta| named == format!("{}:{}", meta.st_dev(), meta.st_ino()))
}

/// Whether events go to the journal, as events with fields.
static TO_JOURNAL: AtomicBool = AtomicBool::new(false);

/// An event's fields in words, to put at the end of its message: `journalctl` shows messages
/// without their fields. Empty if there is nothing to say; and on standard error, where the fields
/// follow the message anyway.
#[derive(Debug)]
pub struct InWords<T>(pub T);

impl<T: fmt::Display> fmt::Display for InWords<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !TO_JOURNAL.load(Ordering::Relaxed) {
            return Ok(());
        }
        let words = self.0.to_string();
        if words.is_empty() { Ok(()) } else { write!(f, ": {words}") }
    }
}
