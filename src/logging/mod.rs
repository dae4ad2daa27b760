//! The journal: structured fields under systemd, readable lines on standard error otherwise.
//!
//! Each kind of event has a fixed [`ids`] number, which `journalctl -x` explains from the message
//! catalog. What people say is never logged, nor raw bytes of strangers. Arrivals and the like are
//! written by a thread of their own ([`Journal`]): the hub does not wait for the journal, and a crowd
//! or a port scanner does not fill it.

use std::fmt::{self, Write as _};
use std::os::linux::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber, info, warn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::reload;
use tracing_subscriber::{Layer as _, Registry};

use crate::hub::{By, Happening, What};
use crate::settings::{LogLevel, Word as _};
use crate::values::rate;
use crate::values::time::Mono;

/// The numbers of the events (`MESSAGE_ID=`), as in `systemd/chathub.catalog`. Never changed.
pub mod ids {
    macro_rules! ids {
        ($( $(#[doc = $about:literal])+ $name:ident = $id:literal; )+) => {
            $( $(#[doc = $about])+ pub const $name: &str = $id; )+
            /// All of them, by name.
            pub const ALL: &[(&str, &str)] = &[$( (stringify!($name), $id), )+];
        };
    }
    ids! {
        /// The daemon serves.
        STARTED = "4cbf80ef8b434ea5a667a14d8455d777";
        /// The daemon has stopped.
        STOPPED = "2b5d1233e45b44488ad83151ead1ee3b";
        /// The daemon is going to stop.
        STOPPING = "dffe29a2e8c94af59fe49dc9fe9486f9";
        /// The settings were read again.
        RELOADED = "ee00353f6f0e43148082a61f17e039a2";
        /// The settings could not be read again; the old ones stay.
        RELOAD_FAILED = "2bb9bad3cc3442be8cfe9445d77a00ef";
        /// A client connected.
        ARRIVED = "6efb2d9b49454056b33b4941bf8080bd";
        /// A client is gone.
        DEPARTED = "a457fc5710f1460985e3da705db46cf9";
        /// A connection was refused.
        REFUSED = "1b433ec8cdfc41af92f3cf71fcc70f8c";
        /// A client changed its room or name.
        MOVED = "d6104ac55cf147719dda224b04d0c8e3";
        /// A room was opened or closed, or has another topic.
        ROOM = "e13426f3badd44dfbc37ff22e2d4d9c6";
        /// An administrator disconnected a client.
        KICKED = "139b9f06737a4ea0a5d55d1b51d23621";
        /// An administrator muted a client, or lifted it.
        MUTED = "ffb2c33113824d028d4e70131ed90049";
        /// A client sends faster than it may.
        FLOOD = "6f78d337f29742a991b741bebed98099";
        /// Something counts against a client.
        STRIKE = "1c9e4b7da0f2453e96b8d35c7fa1e024";
        /// A client reported another one.
        REPORTED = "4b5c0db298ec46f79b73b50927e73499";
        /// An administrator keeps somebody out, or no longer.
        BANNED = "d25b7f3a0c914c0e8b6a51e29f7c4d38";
        /// An account was made, changed or removed.
        ACCOUNT = "6d0f2c7e9b514a3f8a2e5d9c31b7f648";
        /// Somebody has logged in or out, or tried to.
        LOGIN = "e3a96b1d4c784f02b5d8a07f6e2c9153";
        /// What the recorded history lacks, or is back.
        HISTORY = "a8d1f6b0c6d84b7f9d1e0c5b7a2f4e63";
        /// The recorded history cannot be written or read, or can be again.
        STORE = "0f3b9c8e5d2a4c61b7e84a9d6c1f2e70";
        /// An administrator did something over the admin socket.
        ADMIN = "b4170a8c6ceb4ce29a28107f529f2021";
        /// Accepting is paused: out of descriptors or memory.
        ACCEPT_PAUSED = "5b41cd8dc3af42a3aa6ed8b92321988c";
        /// Somebody could not be carried on, for want of descriptors.
        NO_DESCRIPTORS = "72e1c77ef2b5f0b73778a250a6f0bed9";
        /// The daemon ends; another process takes its clients over.
        HANDED_OVER = "c0f4c8ce0d0e4a4c9d5f0c5c1b7e7a12";
        /// The daemon has taken clients over from another process.
        TAKEN_OVER = "5f0b6f6d9a5d4e0c8a3c5f1f0d8b9e34";
        /// Clients could not be taken over from another process.
        NOT_TAKEN_OVER = "a3d1c2f7b6e84f1f9c0d7e5a4b3c2d56";
        /// Input that the daemon died of was left out.
        POISONED = "8e7d6c5b4a394f2e9d8c7b6a5f4e3d78";
        /// The service manager does not listen.
        NOTIFY = "f7add04a52e44d2fb0ddb6eb3c170321";
        /// A socket of a name that this release does not know was handed over.
        SOCKET_UNKNOWN = "b2b960ddbb8349a4b961060b282a60a7";
        /// Bans and accounts on disk cannot be read, or could be again.
        RECALL = "24ccaed1f1e84349876df291051186a7";
        /// Events that were left out of the journal because there were too many.
        SUPPRESSED = "51ceef8d3a8e4488a4a162b12be0630d";
    }
}

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

/// Who it happened to, and where, why and by whom.
struct Whom<'a>(&'a Happening, Option<&'a str>);

impl fmt::Display for Whom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(happening, reason) = self;
        if let Some(nick) = &happening.nick {
            write!(f, "{nick}")?;
            if let Some(session) = happening.session {
                write!(f, " ({session})")?;
            }
        }
        if let Some(room) = &happening.room {
            write!(f, "{}in {room}", if happening.nick.is_some() { " " } else { "" })?;
        }
        if let Some(peer) = happening.peer {
            write!(f, " from {}", peer.ip().to_canonical())?;
        }
        match (happening.by.and_then(By::uid), happening.by_whom()) {
            (Some(uid), _) => write!(f, ", by user {uid}")?,
            (None, Some(by)) => write!(f, ", by {by}")?,
            (None, None) => {}
        }
        if let Some(reason) = reason {
            write!(f, ", {reason}")?;
        }
        Ok(())
    }
}

/// Whether the journal reads standard error: `$JOURNAL_STREAM` has its device and inode.
fn stderr_is_the_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    std::fs::metadata("/proc/self/fd/2").is_ok_and(|meta| named == format!("{}:{}", meta.st_dev(), meta.st_ino()))
}

/// One event a line: level, message, fields. Time is left to whoever keeps the lines.
struct Lines;

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N> for Lines {
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        struct Fields {
            message: String,
            fields: String,
        }
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                match field.name() {
                    "message" => self.message = format!("{value:?}"),
                    "message_id" => {}
                    name => {
                        let name = name.strip_prefix("chathub_").unwrap_or(name);
                        let _ = write!(self.fields, " {name}={value:?}");
                    }
                }
            }
        }
        let mut fields = Fields { message: String::new(), fields: String::new() };
        event.record(&mut fields);
        writeln!(writer, "{:<5} {}{}", event.metadata().level(), fields.message, fields.fields)
    }
}

/// How many happenings may wait for the journal; those over it are counted.
const WAITING: usize = 4096;

/// How many arrivals, departures and refusals are written in a second, after a first burst.
const RATE: u32 = 20;
const BURST: u32 = 200;

/// How long after some were left out it is said how many, at the latest.
const SUMMARY: Duration = Duration::from_secs(1);

/// Writes what happened to the journal, from a thread of its own.
#[derive(Debug)]
pub struct Journal {
    sender: SyncSender<Record>,
    lost: u64,
    /// When all of [`BURST`] may be used again.
    full_at: Mono,
    suppressed: u64,
    /// When it is said how many were left out.
    summary_at: Option<Mono>,
}

#[derive(Debug)]
enum Record {
    Happening(Happening),
    Suppressed(u64),
}

impl Journal {
    /// Starts the thread; it ends, with everything written, when the `Journal` is dropped.
    ///
    /// # Errors
    /// If no thread can be had.
    pub fn start() -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || keep(&receiver))?;
        Ok((Self { sender, lost: 0, full_at: Mono(0), suppressed: 0, summary_at: None }, thread))
    }

    /// Notes what happened. Never waits: if the journal does not keep up, it is counted only. Coming and
    /// going over the rate is not even handed to the thread: in a storm of arrivals, waking it for each
    /// would cost more than the arrival.
    pub fn note(&mut self, happening: Happening, now: Mono) {
        use What::{Arrived, Departed, Joined, Left, Refused};
        if matches!(happening.what, Arrived | Departed | Refused | Joined | Left) {
            match rate::take_one(self.full_at, now, Duration::from_secs(1) / RATE, BURST) {
                Ok(full_at) => self.full_at = full_at,
                Err(_) => {
                    self.suppressed += 1;
                    self.summary_at.get_or_insert(now.after(SUMMARY));
                    return;
                }
            }
        }
        self.send(Record::Happening(happening));
    }

    /// When [`Self::summarize`] is to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Mono> {
        self.summary_at
    }

    /// Says how many were left out, if it is time.
    pub fn summarize(&mut self, now: Mono) {
        if self.summary_at.is_some_and(|at| at <= now) {
            self.summary_at = None;
            let suppressed = std::mem::take(&mut self.suppressed);
            self.send(Record::Suppressed(suppressed));
        }
    }

    fn send(&mut self, record: Record) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(record) {
            self.lost += 1;
        }
    }

    /// How many happenings were lost because the journal did not keep up.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.summarize(Mono(u64::MAX));
    }
}

fn keep(records: &Receiver<Record>) {
    for record in records {
        match record {
            Record::Happening(happening) => write(&happening),
            Record::Suppressed(count) => report_suppressed(count),
        }
    }
}

fn report_suppressed(count: u64) {
    warn!(
        message_id = ids::SUPPRESSED,
        chathub_count = count,
        "arrivals and departures left out of the journal{}",
        InWords(count)
    );
}

fn write(happening: &Happening) {
    // What people write is not logged: not a topic, not a report. The event stream has them.
    let private = matches!(happening.what, What::Topic | What::Reported) && happening.by.is_none();
    let reason = happening.text.as_deref().filter(|_| !private);
    macro_rules! log {
        ($id:expr, $text:literal) => {
            info!(
                message_id = $id,
                chathub_client = happening.session.map(tracing::field::display),
                chathub_nick = happening.nick.as_deref(),
                chathub_room = happening.room.as_deref(),
                chathub_addr = happening.peer.map(|peer| tracing::field::display(peer.ip().to_canonical())),
                chathub_port = happening.peer.map(|peer| peer.port()),
                chathub_reason = reason,
                chathub_admin_uid = happening.by.and_then(By::uid),
                chathub_admin_pid = happening.by.and_then(By::pid),
                "{}{}",
                $text,
                InWords(Whom(happening, reason))
            )
        };
    }
    match happening.what {
        What::Arrived => log!(ids::ARRIVED, "client arrived"),
        What::Departed => log!(ids::DEPARTED, "client left"),
        What::Refused => log!(ids::REFUSED, "connection refused"),
        What::Joined => log!(ids::MOVED, "client joined a room"),
        What::Left => log!(ids::MOVED, "client left a room"),
        What::Renamed => log!(ids::MOVED, "client changed its name"),
        What::RoomOpened => log!(ids::ROOM, "room opened"),
        What::RoomChanged => log!(ids::ROOM, "room changed"),
        What::RoomClosed => log!(ids::ROOM, "room closed"),
        What::Topic => log!(ids::ROOM, "topic changed"),
        What::Kicked => log!(ids::KICKED, "client kicked"),
        What::Muted => log!(ids::MUTED, "client muted"),
        What::Unmuted => log!(ids::MUTED, "client unmuted"),
        What::Announced => log!(ids::ADMIN, "notice sent"),
        What::Flood => log!(ids::FLOOD, "client sends too fast: its lines are dropped"),
        What::Struck => log!(ids::STRIKE, "a strike counts against a client"),
        What::Reported => log!(ids::REPORTED, "client reported"),
        What::Banned => log!(ids::BANNED, "ban added"),
        What::Unbanned => log!(ids::BANNED, "ban lifted"),
        What::Redacted => log!(ids::HISTORY, "lines of history made unreadable"),
        What::HistoryLost => log!(ids::HISTORY, "lines are not recorded: the disk does not keep up or takes nothing"),
        What::Unread => warn!(
            message_id = ids::RECALL,
            chathub_error = happening.text.as_deref(),
            "bans and accounts on disk cannot be read now; they are as soon as the disk allows it{}",
            InWords(happening.text.as_deref().unwrap_or_default())
        ),
        What::Recalled => log!(ids::RECALL, "bans and accounts on disk are known again"),
        What::HistoryResumed => log!(ids::HISTORY, "lines are recorded again"),
        What::Registered => log!(ids::ACCOUNT, "account made"),
        What::LoggedIn => log!(ids::LOGIN, "client logged in"),
        What::LoggedOut => log!(ids::LOGIN, "client logged out"),
        What::LoginFailed => log!(ids::LOGIN, "login failed"),
        What::AccountChanged => log!(ids::ACCOUNT, "account changed"),
        What::AccountRemoved => log!(ids::ACCOUNT, "account removed"),
        What::Stopping => log!(ids::STOPPING, "stopping"),
    }
}
