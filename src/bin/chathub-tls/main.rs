//! `chathub-tls`: the TLS handshakes of a hub.
//!
//! It is a program of its own, with a unit, a user and a sandbox of its own: so the hub has neither
//! private keys nor handshakes in it. When a handshake is done, it hands the connection over to the
//! hub, with the two traffic secrets, and keeps nothing. If it dies, the handshakes under way are
//! lost, and nothing else. It does not know what people say: it reads no byte after the
//! handshake.
//!
//! | to change | see |
//! | --- | --- |
//! | arguments | [`chathub::cli::tls`] |
//! | the form in which connections are handed over | [`chathub::wire::tls::handover`] |
//! | listening sockets, start and end, reading again | this file, [`service`] |
//! | one connection, from accepting it to handing it over | [`connection`] |
//! | how many handshakes there are, and who gives way | [`room`], [`places`] |
//! | the handshake itself, record by record | [`handshake`] |
//! | versions, cipher suites, groups; which certificate a client gets | [`engine`], [`choice`] |
//! | the secrets; wiping them | [`secrets`], this file |
//! | certificates and keys: files, mistakes, expiry | [`pairs`], [`pair`], [`expiry`] |
//! | certificates of clients | [`client_certificate`] |
//! | handing over, and waiting for the hub | [`hub`] |
//! | the messages to clients that are not handed over | [`words`] |
//! | counters; the line in `systemctl status`, the status file | [`counts`], [`status`] |
//! | the certificate for trying out | [`self_signed`] |

mod choice;
mod client_certificate;
mod connection;
mod counts;
mod engine;
mod expiry;
mod handshake;
mod hub;
mod pair;
mod pairs;
mod places;
mod room;
mod secrets;
mod self_signed;
mod service;
mod status;
mod words;

use std::alloc::System;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::path::PathBuf;

use chathub::accepting::waiting;
use chathub::cli::tls::{TlsArgs, TlsCommand};
use chathub::exit::Exit;
use chathub::settings::LogLevel;
use chathub::{logging, systemd};
use socket2::SockRef;
use tracing::{error, warn};
use zeroizing_alloc::ZeroAlloc;

use self::expiry::Life;

/// Freed memory is wiped: the TLS library moves secrets from one place to another, and wipes only
/// the last place.
#[global_allocator]
static MEMORY: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> Exit {
    // No core file and no other process of this user should show keys. A failure of this call does
    // not stop the program.
    let _ = nix::sys::prctl::set_dumpable(false);
    // Call it while there is only one thread: it reads and clears a part of the environment.
    let handed = systemd::named_sockets("tls");
    let args = match TlsArgs::of_process() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    match &args.command {
        Some(TlsCommand::SelfSigned { name, days, directory }) => {
            return match self_signed::make(name, *days, directory, pairs::now()) {
                Ok((certificate, key)) => {
                    say(&format!("{}\n{}\n", certificate.display(), key.display()));
                    Exit::Done
                }
                Err(problem) => complain(&problem, Exit::Refused),
            };
        }
        None if args.check => return check(&args),
        None => {}
    }
    let _level = logging::start_as("chathub-tls", if args.verbose { LogLevel::Debug } else { LogLevel::Info });
    let exit = match start(&args, handed) {
        Ok(()) => Exit::Done,
        Err((exit, problem)) => {
            error!("{problem}");
            systemd::status(&problem);
            exit
        }
    };
    logging::flush();
    exit
}

fn start(args: &TlsArgs, handed: systemd::NamedSockets) -> Result<(), (Exit, String)> {
    let listeners = listeners(args, handed)?;
    let loaded = files(args).and_then(|files| {
        let pairs = pairs::read(&files).map_err(|problem| (Exit::Config, problem))?;
        Ok((files, pairs))
    });
    let (files, pairs) = match loaded {
        Ok(loaded) => loaded,
        Err(problem) => {
            status::failed(&problem.1, pairs::now());
            turn_away(&listeners);
            return Err(problem);
        }
    };
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| (Exit::Refused, format!("{what}: {error}"))
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(failed("cannot start the runtime"))?;
    runtime.block_on(service::serve(args, listeners, files, pairs)).map_err(failed("cannot serve"))
}

fn files(args: &TlsArgs) -> Result<Vec<pair::Files>, (Exit, String)> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    pairs::named(args, credentials.as_deref())
}

/// Prints all about the certificates, for `--check`. Returns how the program ends.
fn check(args: &TlsArgs) -> Exit {
    let files = match files(args) {
        Ok(files) => files,
        Err((exit, problem)) => return complain(&problem, exit),
    };
    let now = pairs::now();
    let mut worst = Exit::Done;
    for files in &files {
        match pair::Pair::read(files, now) {
            Ok(pair) => {
                say(&pair.described());
                if let Some(warning) = pair.warning(now) {
                    say(&format!("  warning  {warning}\n"));
                }
                if worst == Exit::Done && !matches!(pair.life(now), Life::Long) {
                    worst = Exit::Advised;
                }
            }
            Err(problem) => worst = complain(&problem, Exit::Config),
        }
    }
    worst
}

fn say(text: &str) {
    // A reader that has seen enough and closed the pipe is no failure.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(problem: &str, exit: Exit) -> Exit {
    let _ = writeln!(std::io::stderr(), "chathub-tls: {problem}");
    exit
}

/// The sockets to listen on: those that were handed over, or those of the command line.
fn listeners(args: &TlsArgs, handed: systemd::NamedSockets) -> Result<Vec<TcpListener>, (Exit, String)> {
    let systemd::NamedSockets { listeners, unknown, wrong } = handed;
    if let Some(wrong) = wrong {
        return Err((Exit::Config, wrong.to_string()));
    }
    for (name, _) in &unknown {
        warn!("a socket that was handed over is left alone: this release does not know its name, {name:?}");
    }
    let listeners = if !listeners.is_empty() {
        listeners
    } else if !unknown.is_empty() {
        let message = "none of the sockets that were handed over is for TLS (FileDescriptorName=tls)";
        return Err((Exit::Config, message.to_owned()));
    } else if args.listen.is_empty() {
        let message = "no socket was handed over; --listen says where to listen, as in --listen 127.0.0.1:6970";
        return Err((Exit::Usage, message.to_owned()));
    } else {
        let bind = |addr| {
            TcpListener::bind(addr).map_err(|error| (Exit::Unavailable, format!("cannot listen on {addr}: {error}")))
        };
        args.listen.iter().map(bind).collect::<Result<_, _>>()?
    };
    for listener in &listeners {
        prepare(listener).map_err(|error| (Exit::Refused, format!("cannot prepare a socket: {error}")))?;
    }
    Ok(listeners)
}

/// Sets the options that a unit cannot set and that must hold during the handshake; connections
/// inherit them. The other options are set by the unit, and by the hub when it has the connection.
///
/// Urgent data stays in line: otherwise a byte would be taken out of a record.
fn prepare(listener: &TcpListener) -> std::io::Result<()> {
    let socket = SockRef::from(listener);
    socket.set_out_of_band_inline(true)?;
    socket.set_tcp_nodelay(true)?;
    listener.set_nonblocking(true)
}

/// For a start that fails: closes the connections that wait, with the alert `internal_error` (RFC
/// 8446, section 6). Otherwise they would make the service manager start the program again and
/// again.
fn turn_away(listeners: &[TcpListener]) {
    const ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];
    for listener in listeners {
        for (mut waiting, _) in waiting(|| listener.accept()) {
            let _ = SockRef::from(&waiting.as_fd()).set_nonblocking(true);
            let _ = waiting.write(&ALERT);
        }
    }
}
