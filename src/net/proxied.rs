//! Connections that come through a proxy: one task for each listener for proxies, and one for each
//! connection until its header of the PROXY protocol has come.
//!
//! These tasks look at the header without taking it out of the socket (`MSG_PEEK`). The machine
//! reads it later, as the first bytes of the client. So if the process dies before, the next one
//! finds the whole header in the socket; if it dies after, the tape says how much of it was read.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv};
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::accept;
use super::arrival::Arrival;
use super::keep::fault;
use super::keep::queue::Keeping;
use super::keep::recovery::{Newcomer, OfProxy};
use crate::accepting::Pauses;
use crate::kernel;
use crate::logging::{InWords, ids};
use crate::machine::Proxied;
use crate::settings;
use crate::values::plain::Plain;
use crate::wire::proxy::{self, From, Header, LONGEST, Wrong};

/// The most connections of one listener whose headers are waited for. Further ones stay in the
/// listener's backlog.
pub const WAITING: usize = 256;

/// How long a refused connection stays open after the reason was sent, unless the proxy closes it
/// before.
const LINGER: Duration = Duration::from_secs(1);

/// The shortest time between two refusals that are logged. Those in between are counted.
const LOGGED_EVERY: Duration = Duration::from_secs(60);

/// What every task that waits for a header needs.
#[derive(Clone)]
pub struct Proxies {
    /// The queue of sockets, where the connections are kept.
    pub keeping: Keeping,
    /// The driver's queue, in which it learns of each connection.
    pub arrivals: mpsc::Sender<Arrival>,
    /// The counters of all tasks that accept.
    pub counts: Arc<accept::Counts>,
    /// Which networks are believed, and how long a header is waited for.
    pub settings: Arc<Mutex<settings::Proxy>>,
    /// The log of refusals, of which at most one a minute is written.
    pub log: Arc<Mutex<Log>>,
}

/// When a refusal was logged last, and how many were not logged since.
#[derive(Debug, Default)]
pub struct Log {
    last: Option<Instant>,
    unlogged: u64,
}

/// Why a connection of a proxy is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// The connection comes from an address that is not in `proxy.networks`.
    Stranger,
    /// Its header cannot be used.
    Header(Wrong),
    /// Its header did not come in time.
    Late(Duration),
}

impl Refused {
    /// Why, for the journal.
    fn text(self) -> String {
        match self {
            Self::Stranger => "it does not come from a proxy of proxy.networks".to_owned(),
            Self::Header(wrong) => wrong.to_string(),
            Self::Late(wait) => {
                format!("no header of the PROXY protocol came within {}", humantime::format_duration(wait))
            }
        }
    }

    /// The line that the other end is sent. It may be a person who has taken the wrong port.
    fn words(self) -> String {
        match self {
            Self::Stranger => {
                "-- this port is for a proxy in front of the hub, and you do not come from one: people use another port"
                    .to_owned()
            }
            Self::Header(_) | Self::Late(_) => {
                format!(
                    "-- this port is for a proxy in front of the hub, people use another one. This connection is closed: {}",
                    self.text()
                )
            }
        }
    }
}

/// Accepts connections of proxies for ever. Ends when the driver is gone, or when it is aborted.
/// `taken` counts the connections. When descriptors or memory have run out, it pauses, as
/// [`accept`](accept::accept()) does.
pub async fn accept(listener: Arc<AsyncFd<OwnedFd>>, proxies: Proxies, taken: Arc<AtomicU64>) {
    let mut pauses = Pauses::default();
    let mut headers = JoinSet::new();
    while !proxies.arrivals.is_closed() {
        if headers.len() >= WAITING {
            headers.join_next().await;
            continue;
        }
        let ready = tokio::select! {
            Some(_) = headers.join_next() => continue,
            ready = listener.readable() => ready,
        };
        let Ok(mut ready) = ready else { return };
        match ready.try_io(|listener| take(listener.get_ref(), &proxies)) {
            Err(_) => {}
            Ok(Ok(found)) => {
                pauses.end();
                taken.fetch_add(1, Ordering::Relaxed);
                if let Some(connection) = found {
                    headers.spawn(proxies.clone().wait_for_header(connection));
                }
            }
            Ok(Err(error)) => {
                let Some(pause) = pauses.after(&error) else { continue };
                proxies.counts.paused.fetch_add(1, Ordering::Relaxed);
                if pause.is_first {
                    warn!(message_id = ids::ACCEPT_PAUSED, chathub_error = %Plain(&error), "accepting is paused{}", InWords(Plain(&error)));
                }
                tokio::time::sleep(pause.length).await;
            }
        }
    }
}

/// Waits for the headers of connections that a former process has `left`: at most [`WAITING`] for
/// each listener for proxies.
pub async fn go_on(left: Vec<OfProxy>, proxies: Proxies) {
    let mut headers = JoinSet::new();
    for connection in left {
        proxies.counts.open.fetch_add(1, Ordering::Relaxed);
        headers.spawn(proxies.clone().wait_for_header(connection));
    }
    headers.join_all().await;
}

/// Accepts one connection. `None`: it was refused at once, because it does not come from a proxy
/// that is believed.
fn take(listener: &OwnedFd, proxies: &Proxies) -> io::Result<Option<OfProxy>> {
    if proxies.keeping.is_some() && proxies.counts.is_full() {
        return Err(Errno::EMFILE.into());
    }
    let (socket, proxy) = accept::accepted(listener)?;
    let is_believed = {
        let settings = proxies.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.networks.iter().any(|network| network.has(proxy.ip()))
    };
    if !is_believed {
        // A stranger's connection is not kept, and no header is waited for.
        proxies.refuse(proxy, Refused::Stranger, &TcpStream::from(socket));
        return Ok(None);
    }
    // Marked before it goes into the queue of sockets: a process that finds it there must know that
    // it begins with a header.
    kernel::mark_as_proxied(&socket)?;
    let cookie = accept::keep(&socket, &proxies.keeping, &proxies.counts)?;
    fault::point("proxy.taken");
    proxies.counts.open.fetch_add(1, Ordering::Relaxed);
    Ok(Some(OfProxy { socket, cookie, proxy }))
}

/// The outcome of waiting for a header.
enum Waited {
    Header(Header),
    Refused(Refused),
    /// The connection has ended, or is broken.
    Ended,
}

impl Proxies {
    /// Waits for the header of a connection, and hands the connection to the driver or refuses it.
    async fn wait_for_header(self, connection: OfProxy) {
        let OfProxy { socket, cookie, proxy } = connection;
        let wait = self.settings.lock().unwrap_or_else(PoisonError::into_inner).wait;
        let (socket, waited) = match kernel::watched(socket) {
            Ok(watched) => {
                let waited = timeout(wait, header(&watched)).await;
                (watched.into_inner(), waited.unwrap_or(Waited::Refused(Refused::Late(wait))))
            }
            // The connection may lie in the queue of sockets already: the driver takes it out.
            Err(_) => return self.forget(cookie).await,
        };
        match waited {
            Waited::Header(Header { len, from: From::Person { peer, encryption } }) => {
                fault::point("proxy.header");
                let header = u16::try_from(len).expect("it is not longer than LONGEST");
                let proxied = Some(Box::new(Proxied { proxy, header, encryption }));
                let newcomer = Newcomer { socket, cookie, peer, slot: None, proxied };
                // If the driver has ended, the connection stays in the queue of sockets for the
                // next process.
                let _ = self.arrivals.send(Arrival::Accepted(newcomer)).await;
            }
            Waited::Header(Header { from: From::Itself, .. }) => {
                self.counts.proxied.checks.fetch_add(1, Ordering::Relaxed);
                self.close(socket, cookie, |socket| tell(socket, "-- the hub is here")).await;
            }
            Waited::Refused(refused) => {
                self.close(socket, cookie, |socket| self.refuse(proxy, refused, socket)).await;
            }
            Waited::Ended => self.close(socket, cookie, |_| ()).await,
        }
    }

    /// Closes a connection that does not become a client's. `goodbye` writes the last words.
    async fn close(&self, socket: OwnedFd, cookie: u64, goodbye: impl FnOnce(&TcpStream)) {
        let socket = TcpStream::from(socket);
        goodbye(&socket);
        // If a connection with unread bytes is closed, the kernel resets it, and the last words
        // could be lost. So the bytes are read first.
        let _ = socket.shutdown(Shutdown::Write);
        if let Ok(watched) = kernel::watched(socket.into()) {
            let _ = timeout(LINGER, throw_away(&watched)).await;
            // The queue of sockets holds the socket too, so dropping this descriptor would not end
            // the connection.
            let _ = TcpStream::from(watched.into_inner()).shutdown(Shutdown::Both);
        }
        self.forget(cookie).await;
    }

    /// Tells the driver that a kept connection was refused or has ended.
    async fn forget(&self, cookie: u64) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
        let _ = self.arrivals.send(Arrival::Refused { cookie }).await;
    }

    /// Sends the reason of a refusal, counts the refusal, and logs it if none was logged within the
    /// last minute.
    fn refuse(&self, proxy: SocketAddr, refused: Refused, socket: &TcpStream) {
        tell(socket, &refused.words());
        let counts = &self.counts.proxied;
        match refused {
            Refused::Stranger => &counts.strangers,
            Refused::Header(_) => &counts.headers,
            Refused::Late(_) => &counts.late,
        }
        .fetch_add(1, Ordering::Relaxed);
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.last.is_some_and(|last| last.elapsed() < LOGGED_EVERY) {
            log.unlogged += 1;
            return;
        }
        let more = match std::mem::take(&mut log.unlogged) {
            0 => String::new(),
            more => format!("; {more} more were refused since that was logged last"),
        };
        log.last = Some(Instant::now());
        let (ip, why) = (proxy.ip().to_canonical(), refused.text());
        warn!(
            message_id = ids::PROXY_REFUSED, chathub_addr = %ip, chathub_error = %why,
            "a connection at the socket for proxies is refused, from {ip}{}{more}", InWords(&why)
        );
    }
}

/// Writes one line, or as much of it as the socket takes at once.
fn tell(mut socket: &TcpStream, line: &str) {
    let _ = socket.write(format!("{line}\r\n").as_bytes());
}

/// Waits until a connection's header has come, cannot come any more, or cannot be used.
async fn header(socket: &AsyncFd<OwnedFd>) -> Waited {
    loop {
        let Ok(mut ready) = socket.readable().await else { return Waited::Ended };
        // Asked before the look: what is seen then is all that will ever come. Such a socket stays readable, so waiting
        // for the rest would leave everybody else unserved.
        let has_ended = ready.ready().is_read_closed();
        match ready.try_io(|socket| look(socket.get_ref())) {
            Err(_) if has_ended => return Waited::Ended,
            Err(_) => {}
            Ok(Ok(waited)) => return waited,
            Ok(Err(_)) => return Waited::Ended,
        }
    }
}

/// Looks at the bytes that have come. [`io::ErrorKind::WouldBlock`]: the header is not complete
/// yet.
fn look(socket: &OwnedFd) -> io::Result<Waited> {
    use std::os::fd::AsRawFd as _;
    let mut bytes = [0; LONGEST];
    let len = recv(socket.as_fd().as_raw_fd(), &mut bytes, MsgFlags::MSG_PEEK)?;
    if len == 0 {
        return Ok(Waited::Ended);
    }
    match proxy::read(&bytes[..len]) {
        Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
        Ok(Some(header)) => Ok(Waited::Header(header)),
        Err(wrong) => Ok(Waited::Refused(Refused::Header(wrong))),
    }
}

/// Reads and throws away all bytes until the other side has ended, which is an error.
async fn throw_away(socket: &AsyncFd<OwnedFd>) -> io::Result<Infallible> {
    let mut away = [0; LONGEST];
    loop {
        let mut ready = socket.readable().await?;
        let read = ready.try_io(|socket| {
            use std::os::fd::AsRawFd as _;
            Ok(recv(socket.get_ref().as_raw_fd(), &mut away, MsgFlags::empty())?)
        });
        match read {
            Err(_) => {}
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            // Others have their turn, and the time limit is looked at, however fast somebody sends.
            Ok(Ok(_)) => tokio::task::yield_now().await,
            Ok(Err(error)) => return Err(error),
        }
    }
}
