//! `chathub-web`: the metrics of the hub over HTTP, for Prometheus and similar programs.
//!
//! It is a program of its own, with a unit, a user and a sandbox of its own: so the hub has no HTTP
//! in it. It asks the hub on the socket for monitoring, which gives no information about people and
//! changes nothing. It keeps nothing that would be missed. The program `chathub` and the library
//! know neither this program nor the HTTP library.
//!
//! | to change | see |
//! | --- | --- |
//! | arguments | [`chathub::cli::web`] |
//! | listening sockets, start and end | this file |
//! | one connection: its bounds in time and bytes | [`connection`], [`patient`] |
//! | how many connections there are, and which gives way | [`places`] |
//! | the answer to each request | [`answer`] |
//! | the question to the hub, and who shares the answer | [`figures`] |
//! | the figures of `chathub-tls`, from its status file | [`handshakes`] |
//! | the metrics: their names, types and help texts | [`chathub::wire::admin::metrics`] |

mod answer;
mod connection;
mod figures;
mod handshakes;
mod patient;
mod places;

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chathub::accepting::Pauses;
use chathub::cli::web::WebArgs;
use chathub::exit::Exit;
use chathub::settings::LogLevel;
use chathub::values::plain::Plain;
use chathub::{logging, systemd};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use self::answer::Pages;
use self::figures::Figures;
use self::places::Places;

/// The most connections at a time. A scraper has one.
const CONNECTIONS: usize = 64;

/// How long answers under way may take when the program ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// After this long without a connection, the program ends, if systemd can start it again.
const IDLE: Duration = Duration::from_secs(600);

fn main() -> Exit {
    // Call it while there is only one thread: it reads and clears a part of the environment.
    let handed = systemd::named_sockets("metrics");
    let args = match WebArgs::of_process() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let _level = logging::start_as("chathub-web", LogLevel::Info);
    let exit = match run(args, handed) {
        Ok(()) => Exit::Done,
        Err((exit, problem)) => {
            error!("{problem}");
            exit
        }
    };
    logging::flush();
    exit
}

/// Serves until the program is to end.
fn run(args: WebArgs, handed: systemd::NamedSockets) -> Result<(), (Exit, String)> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |problem: io::Error| (Exit::Refused, format!("{what}: {problem}"))
    };
    let (listeners, activated) = listeners(&args, handed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("cannot start the runtime"))?;
    let figures = Figures::start(args.socket).map_err(failed("cannot start a thread"))?;
    runtime.block_on(serve(listeners, activated, figures, args.tls_status)).map_err(failed("cannot serve"))
}

/// The sockets to listen on, and whether systemd has handed them over.
fn listeners(args: &WebArgs, handed: systemd::NamedSockets) -> Result<(Vec<TcpListener>, bool), (Exit, String)> {
    let systemd::NamedSockets { listeners, unknown, wrong } = handed;
    if let Some(wrong) = wrong {
        return Err((Exit::Config, wrong.to_string()));
    }
    for (name, _) in &unknown {
        warn!("a socket that was handed over is left alone: this release does not know its name, {name:?}");
    }
    if !listeners.is_empty() {
        return Ok((listeners, true));
    }
    if !unknown.is_empty() {
        let message = "none of the sockets that were handed over is for metrics (FileDescriptorName=metrics)";
        return Err((Exit::Config, message.to_owned()));
    }
    if args.listen.is_empty() {
        let message = "no socket was handed over; --listen says where to listen, as in --listen 127.0.0.1:9969";
        return Err((Exit::Usage, message.to_owned()));
    }
    let bind = |addr| {
        TcpListener::bind(addr).map_err(|error| (Exit::Unavailable, format!("cannot listen on {addr}: {error}")))
    };
    Ok((args.listen.iter().map(bind).collect::<Result<_, _>>()?, false))
}

async fn serve(listeners: Vec<TcpListener>, activated: bool, figures: Figures, tls_status: PathBuf) -> io::Result<()> {
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop, stopping) = watch::channel(false);
    let places = Places::new(CONNECTIONS);
    let pages = Arc::new(Pages::new(figures, tls_status, places.clone()));
    let mut accepting = JoinSet::new();
    for listener in listeners {
        info!("serving metrics on http://{}/metrics", listener.local_addr()?);
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        accepting.spawn(accept(listener, pages.clone(), places.clone(), stopping.clone()));
    }
    systemd::ready();
    if let Some(every) = systemd::watchdog_interval() {
        tokio::spawn(async move {
            let mut due = tokio::time::interval(every);
            loop {
                due.tick().await;
                systemd::watchdog();
            }
        });
    }
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        () = places.idle(IDLE), if activated => info!("nobody has connected for long: ending until somebody does"),
    }
    systemd::stopping(GOODBYE);
    let _ = stop.send(true);
    while accepting.join_next().await.is_some() {}
    Ok(())
}

/// Accepts connections until `stopping` becomes true. Returns when their answers are sent, or after
/// [`GOODBYE`].
async fn accept(
    listener: tokio::net::TcpListener,
    pages: Arc<Pages>,
    places: Arc<Places>,
    mut stopping: watch::Receiver<bool>,
) {
    let for_each = stopping.clone();
    let (mut connections, mut pauses) = (JoinSet::new(), Pauses::default());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    pauses.end();
                    match places.enter() {
                        Some(place) => {
                            connections.spawn(connection::serve(stream, place, pages.clone(), for_each.clone()));
                        }
                        None => connection::refuse(&stream),
                    }
                }
                Err(error) => {
                    let Some(pause) = pauses.after(&error) else { continue };
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
