//! The program while it serves: accepting, reading certificates again, reporting its status, and
//! the end.

use std::io;
use std::net::TcpListener;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use chathub::accepting::Pauses;
use chathub::cli::tls::TlsArgs;
use chathub::standing::{self, Standing};
use chathub::systemd;
use chathub::values::plain::Plain;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use super::connection::{self, Shared, Terms};
use super::counts::{Counts, Event};
use super::engine::Engine;
use super::hub::Hub;
use super::pair::{Files, Pair};
use super::places::Places;
use super::room::{Full, Limits};
use super::{pairs, status};

/// How long handshakes under way may go on when the program ends.
const GOODBYE: Duration = Duration::from_secs(10);

/// The interval of the warnings in the journal about certificates that expire soon.
const DAILY: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time between two lines for `systemctl status`.
const STATUS: Duration = Duration::from_secs(1);

/// The certificates in use, and all that is needed to read them again.
#[derive(Debug)]
struct Certificates {
    files: Vec<Files>,
    client_certificates: bool,
    engine: RwLock<Arc<Engine>>,
    reading: Mutex<Reading>,
}

/// How the last reading of certificates went.
#[derive(Debug, Default)]
struct Reading {
    /// When the certificates in use were read, since 1970.
    at: Duration,
    /// Why the last reading was refused; `None` if it was not.
    refused: Option<String>,
    /// How many readings were refused.
    refusals: u64,
}

impl Certificates {
    fn new(files: Vec<Files>, pairs: Vec<Pair>, client_certificates: bool) -> io::Result<Self> {
        let engine = Engine::new(pairs, client_certificates).map_err(io::Error::other)?;
        let reading = Reading { at: pairs::now(), ..Reading::default() };
        let (engine, reading) = (RwLock::new(Arc::new(engine)), Mutex::new(reading));
        Ok(Self { files, client_certificates, engine, reading })
    }

    fn engine(&self) -> Arc<Engine> {
        self.engine.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files again. If one of them cannot be used, all former certificates stay in use.
    fn read_again(&self) {
        // The time before reading: a file that is written from here on counts as not read.
        let at = pairs::now();
        let read = pairs::read(&self.files)
            .and_then(|pairs| Engine::new(pairs, self.client_certificates).map_err(|error| error.to_string()));
        match read {
            Ok(engine) => {
                *self.engine.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(engine);
                info!("the certificates were read again");
                let mut reading = self.reading();
                (reading.at, reading.refused) = (at, None);
            }
            Err(problem) => {
                error!("new certificates are refused, and the old ones stay: {problem}");
                let mut reading = self.reading();
                reading.refused = Some(problem);
                reading.refusals += 1;
            }
        }
    }

    /// Logs which certificates expire soon, or have expired.
    fn tell(&self) {
        for warning in pairs::warnings(self.engine().pairs(), pairs::now()) {
            warn!("{warning}");
        }
    }

    fn status(&self, under_way: usize, counted: &str) -> String {
        status::line(self.engine().pairs(), self.reading().refused.as_deref(), under_way, counted, pairs::now())
    }

    /// The status of this program, for the file that metrics and doctor read.
    fn standing(&self, under_way: usize, counts: &Counts) -> Standing {
        let reading = self.reading();
        Standing {
            written: pairs::now().as_secs(),
            serves: true,
            read: reading.at.as_secs(),
            certificates: self.engine().pairs().iter().map(Pair::told).collect(),
            refused: reading.refused.clone(),
            refusals: reading.refusals,
            under_way: under_way as u64,
            outcomes: counts.outcomes(),
            pauses: counts.of(Event::Paused),
        }
    }
}

/// What a task needs that accepts connections.
#[derive(Clone)]
struct Door {
    places: Arc<Places>,
    certificates: Arc<Certificates>,
    shared: Arc<Shared>,
    /// The most connections that may wait for the hub.
    waiting: usize,
}

pub(crate) async fn serve(
    args: &TlsArgs,
    listeners: Vec<TcpListener>,
    files: Vec<Files>,
    pairs: Vec<Pair>,
) -> io::Result<()> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut again = signal(SignalKind::hangup())?;
    let counts = Arc::new(Counts::default());
    let terms = Terms {
        handshake_time: args.handshake_time,
        handshake_bytes: u64::from(args.handshake_kib.get()) * 1024,
        hub_time: args.hub_time,
        plain_port: args.plain_port,
    };
    let door = Door {
        places: Places::new(Limits { all: args.handshakes.get(), each: args.per_address.get() }),
        certificates: Arc::new(Certificates::new(files, pairs, args.client_certificates)?),
        shared: Arc::new(Shared {
            terms,
            hub: Hub::new(args.handover.clone()),
            counts: counts.clone(),
            is_header_told: AtomicBool::new(false),
        }),
        waiting: args.waiting.get(),
    };
    let (stop, stopping) = watch::channel(false);
    let mut accepting = JoinSet::new();
    for listener in listeners {
        info!("TLS on {}", listener.local_addr()?);
        accepting.spawn(accept(tokio::net::TcpListener::from_std(listener)?, door.clone(), stopping.clone()));
    }
    systemd::ready();
    let mut told = tokio::spawn(tell(door.clone()));
    if let Some(every) = systemd::watchdog_interval() {
        tokio::spawn(async move {
            let mut due = tokio::time::interval(every);
            loop {
                due.tick().await;
                systemd::watchdog();
            }
        });
    }
    loop {
        tokio::select! {
            _ = terminated.recv() => break,
            _ = interrupted.recv() => break,
            _ = again.recv() => {
                systemd::reloading();
                door.certificates.read_again();
                systemd::ready();
                // The new task reports everything anew.
                told.abort();
                told = tokio::spawn(tell(door.clone()));
            }
        }
    }
    told.abort();
    systemd::stopping(GOODBYE);
    let _ = stop.send(true);
    while accepting.join_next().await.is_some() {}
    status::ended();
    info!("ended: {}", counts.in_words());
    Ok(())
}

/// Reports the status of this program to the service manager and into the status file whenever it
/// changes, and logs once a day which certificates expire soon.
async fn tell(door: Door) {
    let (mut daily, mut often) = (tokio::time::interval(DAILY), tokio::time::interval(standing::EVERY));
    let (mut line, mut file, counts) = (String::new(), status::File::own(), &door.shared.counts);
    loop {
        let under_way = door.places.count();
        file.write(&door.certificates.standing(under_way, counts));
        let now = door.certificates.status(under_way, &counts.in_words());
        if now != line && systemd::status(&now) {
            line = now;
        }
        tokio::select! {
            () = counts.changed() => tokio::time::sleep(STATUS).await,
            _ = daily.tick() => door.certificates.tell(),
            _ = often.tick() => {}
        }
    }
}

/// Accepts connections until `stopping` becomes true. Returns when the hub has those that were
/// accepted, or after [`GOODBYE`].
async fn accept(listener: tokio::net::TcpListener, door: Door, mut stopping: watch::Receiver<bool>) {
    let (mut connections, mut pauses) = (JoinSet::new(), Pauses::default());
    let mut waiting = door.shared.hub.waiting();
    let counts = &door.shared.counts;
    loop {
        // While too many connections wait for the hub, further ones stay in the kernel's backlog.
        if *waiting.borrow_and_update() >= door.waiting {
            counts.note(Event::Paused);
            tokio::select! {
                _ = waiting.wait_for(|count| *count < door.waiting) => {}
                () = stopped(&mut stopping) => break,
            }
        }
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    pauses.end();
                    counts.note(Event::Accepted);
                    let (place, gone) = door.places.enter(peer.ip());
                    match gone {
                        Some(Full::All) => counts.note(Event::GaveWay),
                        Some(Full::Address) => counts.note(Event::GaveWayAddress),
                        None => {}
                    }
                    let (engine, shared) = (door.certificates.engine(), door.shared.clone());
                    connections.spawn(connection::serve(stream, peer, place, engine, shared));
                }
                Err(error) => {
                    let Some(pause) = pauses.after(&error) else { continue };
                    counts.note(Event::Paused);
                    if pause.is_first {
                        warn!("accepting is paused: {}", Plain(&error));
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause.length) => {}
                        () = stopped(&mut stopping) => break,
                    }
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stopped(&mut stopping) => break,
        }
    }
    // A connection that comes from here on waits for the next process.
    drop(listener);
    let _ = tokio::time::timeout(GOODBYE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone: the program ends then too.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
