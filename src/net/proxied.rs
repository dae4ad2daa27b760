//! Connections that a proxy carries on: one task for each socket at which they come, and one for each connection until
//! its header has been read.
//!
//! A header is only looked at here. It stays in the socket, and is what the machine reads first: so a process that dies
//! in between leaves all of it to the next one, which looks again or knows how much of it was read.

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

use super::accept::{self, PAUSE};
use super::arrival::Arrival;
use super::keep::fault;
use super::keep::queue::Keeping;
use super::keep::recovery::{Newcomer, OfProxy};
use crate::kernel;
use crate::logging::{InWords, ids};
use crate::machine::Proxied;
use crate::settings;
use crate::values::plain::Plain;
use crate::wire::proxy::{self, From, Header, LONGEST, Wrong};

/// Connections of one socket whose headers are waited for. As long as there are so many, others stay in the listener's
/// backlog.
pub const WAITING: usize = 256;

/// How long a proxy has to close a connection that is refused, after it was told why.
const LINGER: Duration = Duration::from_secs(1);

/// How often refusals are logged at most; those in between are counted.
const LOGGED_EVERY: Duration = Duration::from_secs(60);

/// What all connections of proxies need.
#[derive(Clone)]
pub struct Proxies {
    /// Where the connections are kept.
    pub keeping: Keeping,
    /// Where the driver hears of them.
    pub arrivals: mpsc::Sender<Arrival>,
    /// What accepting counts.
    pub counts: Arc<accept::Counts>,
    /// Who is believed, and for how long headers are waited for.
    pub settings: Arc<Mutex<settings::Proxy>>,
    /// What was refused since that was logged last, and when that was.
    pub log: Arc<Mutex<Log>>,
}

/// When refusals were logged last, and how many there were since.
#[derive(Debug, Default)]
pub struct Log {
    last: Option<Instant>,
    unlogged: u64,
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// It comes from somewhere else than a proxy that is believed.
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

    /// What whoever has connected is told. They may be people who have taken the wrong port.
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

/// Takes connections of proxies for ever, and begins with those `left` by a former process. Ends when the driver is
/// gone, or when it is aborted. Counts the connections in `taken`. Pauses, as [`accept`](accept::accept()) does, when
/// descriptors or memory have run out.
pub async fn accept(listener: Arc<AsyncFd<OwnedFd>>, proxies: Proxies, taken: Arc<AtomicU64>) {
    let mut pause = PAUSE.0;
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
                pause = PAUSE.0;
                taken.fetch_add(1, Ordering::Relaxed);
                if let Some(connection) = found {
                    headers.spawn(proxies.clone().wait_for_header(connection));
                }
            }
            Ok(Err(error)) if accept::is_about_one_connection(&error) => {}
            Ok(Err(error)) => {
                proxies.counts.paused.fetch_add(1, Ordering::Relaxed);
                if pause == PAUSE.0 {
                    warn!(message_id = ids::ACCEPT_PAUSED, chathub_error = %Plain(&error), "accepting is paused{}", InWords(Plain(&error)));
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE.1);
            }
        }
    }
}

/// Goes on with connections that a former process has `left`: waits for their headers. There are at most [`WAITING`]
/// for each socket for proxies.
pub async fn go_on(left: Vec<OfProxy>, proxies: Proxies) {
    let mut headers = JoinSet::new();
    for connection in left {
        proxies.counts.open.fetch_add(1, Ordering::Relaxed);
        headers.spawn(proxies.clone().wait_for_header(connection));
    }
    headers.join_all().await;
}

/// Accepts a connection; `None` if it is refused already.
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
        // Nothing is kept for them, and nothing waited for.
        proxies.refuse(proxy, Refused::Stranger, &TcpStream::from(socket));
        return Ok(None);
    }
    // Marked before it is kept: a process that finds it must know how it begins.
    kernel::mark_as_proxied(&socket)?;
    let cookie = accept::keep(&socket, &proxies.keeping, &proxies.counts)?;
    fault::point("proxy.taken");
    proxies.counts.open.fetch_add(1, Ordering::Relaxed);
    Ok(Some(OfProxy { socket, cookie, proxy }))
}

/// How waiting for a header has ended.
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
            // The queue of sockets may still hold it: it ends there.
            Err(_) => return self.forget(cookie).await,
        };
        match waited {
            Waited::Header(Header { len, from: From::Person { peer, encryption } }) => {
                fault::point("proxy.header");
                let header = u16::try_from(len).expect("it is not longer than LONGEST");
                let proxied = Some(Box::new(Proxied { proxy, header, encryption }));
                let newcomer = Newcomer { socket, cookie, peer, slot: None, proxied };
                // It stays in the queue of sockets if the driver has ended.
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

    /// Closes a connection that does not become a client's, after `goodbye`.
    async fn close(&self, socket: OwnedFd, cookie: u64, goodbye: impl FnOnce(&TcpStream)) {
        let socket = TcpStream::from(socket);
        goodbye(&socket);
        // The kernel resets a connection that is closed with unread bytes in it, and the words could be lost.
        let _ = socket.shutdown(Shutdown::Write);
        if let Ok(watched) = kernel::watched(socket.into()) {
            let _ = timeout(LINGER, throw_away(&watched)).await;
            // The queue of sockets holds it too, so dropping it would not end it.
            let _ = TcpStream::from(watched.into_inner()).shutdown(Shutdown::Both);
        }
        self.forget(cookie).await;
    }

    /// Tells the driver that a connection which was kept is none any more.
    async fn forget(&self, cookie: u64) {
        self.counts.open.fetch_sub(1, Ordering::Relaxed);
        let _ = self.arrivals.send(Arrival::Refused { cookie }).await;
    }

    /// Tells whoever has connected why they are refused, counts it, and logs it if that was not done within the last
    /// minute.
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

/// Writes a line, as far as the socket takes it at once.
fn tell(mut socket: &TcpStream, line: &str) {
    let _ = socket.write(format!("{line}\r\n").as_bytes());
}

/// Waits until the header of a connection has come, or there is none to wait for.
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

/// Looks at what has come. [`io::ErrorKind::WouldBlock`]: more is to be waited for.
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

/// Reads and throws away what comes, until the other side has ended.
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
