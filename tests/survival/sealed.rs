//! Encrypted connections, and connections through a proxy. A relay between the clients of the other
//! files and the daemon plays the parts of `chathub-tls` and of the encrypting client, or of the
//! proxy. So all clients of the tests speak plain text, but every second one reaches the daemon
//! encrypted, and every fourth one through a proxy.
//!
//! There is no handshake here: the secrets are made up. The real handshake has its own tests.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chathub::kernel;
use chathub::wire::tls::handover::Handover;
use chathub::wire::tls::open::{End, Opener};
use chathub::wire::tls::record::Alert;
use chathub::wire::tls::seal::Sealer;
use chathub::wire::tls::suite::{Secret, Suite};
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use proxy_header::{ProxiedAddress, ProxyHeader, Tlv};

use crate::shared::dice::Dice;
use crate::shared::memory::occurrences;
use crate::shared::missing::not_tested;
use crate::supervisor::{Plan, Supervisor};

/// Mistakes, and counts of what has happened.
#[derive(Debug, Default)]
struct Story {
    torn: Mutex<Vec<String>>,
    encrypted: AtomicU64,
    proxied: AtomicU64,
    updates: AtomicU64,
    /// Key updates that the daemon has answered with its own.
    answers: AtomicU64,
}

/// The relay between clients and the daemon.
#[derive(Debug)]
pub(crate) struct Relay {
    /// The address to which clients connect.
    pub(crate) addr: SocketAddr,
    story: Arc<Story>,
}

impl Relay {
    /// Starts the relay. It hands every second connection over at `handover`, encrypted. Of the
    /// others, it passes every second one on to `chat` unchanged, and the rest to `proxy`, with a
    /// header that names the client's address.
    pub(crate) fn start(chat: SocketAddr, proxy: SocketAddr, handover: &Path, mut dice: Dice) -> Self {
        let clients = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let addr = clients.local_addr().unwrap();
        let inner = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let story = Arc::new(Story::default());
        let (told, handover) = (story.clone(), handover.to_owned());
        std::thread::spawn(move || {
            for (number, client) in clients.incoming().map_while(Result::ok).enumerate() {
                client.set_nodelay(true).unwrap();
                if number % 2 == 1 {
                    let is_proxied = number % 4 == 3;
                    let Ok(mut hub) = TcpStream::connect(if is_proxied { proxy } else { chat }) else { return };
                    hub.set_nodelay(true).unwrap();
                    if is_proxied {
                        // The client may be gone already.
                        let Ok(peer) = client.peer_addr() else { continue };
                        told.proxied.fetch_add(1, Ordering::Relaxed);
                        let header = header(peer, proxy, &mut dice);
                        let half = dice.below(header.len());
                        // The header goes out in two pieces; the client's first bytes may come with
                        // the second.
                        let (first, second) = header.split_at(half);
                        if hub.write_all(first).and_then(|()| hub.write_all(second)).is_err() {
                            continue;
                        }
                    }
                    pass_on(client, hub);
                } else {
                    let hub = TcpStream::connect(inner.local_addr().unwrap()).unwrap();
                    hub.set_nodelay(true).unwrap();
                    let (near, _) = inner.accept().unwrap();
                    let suite = Suite::ALL[number / 2 % 3];
                    let secrets = secrets(suite, &mut dice);
                    let Some((sealer, opener)) = hand_over(&near, suite, &handover, secrets) else { return };
                    told.encrypted.fetch_add(1, Ordering::Relaxed);
                    seal(client, hub, sealer, opener, dice.fork(), &told);
                }
            }
        });
        Self { addr, story }
    }

    /// Fails if a record was torn, or if too little has happened for a test.
    #[track_caller]
    pub(crate) fn assert_whole(&self) {
        let torn = self.story.torn.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(torn.is_empty(), "{torn:#?}");
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (encrypted, updates, answers) =
            (count(&self.story.encrypted), count(&self.story.updates), count(&self.story.answers));
        let proxied = count(&self.story.proxied);
        eprintln!(
            "{encrypted} encrypted connections, {updates} key updates sent, {answers} answered; {proxied} proxied"
        );
        assert!(encrypted > 0 && updates > 0, "{encrypted} encrypted connections, {updates} key updates");
    }
}

/// Random secrets: of the client's direction, and of the daemon's.
fn secrets(suite: Suite, dice: &mut Dice) -> (Secret, Secret) {
    let mut secret = || {
        let bytes: Vec<u8> = (0..suite.secret_len()).map(|_| dice.roll().to_le_bytes()[3]).collect();
        Secret::new(&bytes).unwrap()
    };
    (secret(), secret())
}

/// Hands a connection over as `chathub-tls` does after a handshake. Returns the two directions of
/// the client's end; `None` if the daemon is gone.
fn hand_over(
    near: &TcpStream,
    suite: Suite,
    to: &Path,
    (client, server): (Secret, Secret),
) -> Option<(Sealer, Opener)> {
    let cookie = kernel::cookie(near).unwrap();
    let (sealer, mut opener) = (Sealer::new(suite, client.clone(), 0), Opener::new(suite));
    opener.unlock(server.clone());
    let handover = Handover { suite, group: 29, cookie, read: 0, written: 0, client, server, fingerprint: None };
    let sender = UnixDatagram::unbound().unwrap();
    let bytes = handover.encode();
    let descriptors = [near.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    let address = UnixAddr::new(to).unwrap();
    // Blocks while the socket is full.
    let pieces = [std::io::IoSlice::new(&*bytes)];
    sendmsg(sender.as_raw_fd(), &pieces, &rights, MsgFlags::MSG_NOSIGNAL, Some(&address)).ok()?;
    Some((sealer, opener))
}

/// The header of a connection of `client` to a proxy, at random in version 1 or 2.
fn header(client: SocketAddr, proxy: SocketAddr, dice: &mut Dice) -> Vec<u8> {
    let mut header = ProxyHeader::with_address(ProxiedAddress::stream(client, proxy));
    let mut bytes = Vec::new();
    if dice.one_in(2) {
        header.encode_v1(&mut bytes).unwrap();
    } else {
        header.append_tlv(Tlv::Noop(dice.below(1000)));
        header.encode_v2(&mut bytes).unwrap();
    }
    bytes
}

/// Carries bytes both ways until both sides have ended.
fn pass_on(client: TcpStream, hub: TcpStream) {
    for (mut from, mut to) in [(client.try_clone().unwrap(), hub.try_clone().unwrap()), (hub, client)] {
        std::thread::spawn(move || {
            let _ = match std::io::copy(&mut from, &mut to) {
                Ok(_) => to.shutdown(Shutdown::Write),
                Err(_) => reset(&to).and(reset(&from)),
            };
        });
    }
}

/// Makes the next close of the connection a reset.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
    stream.shutdown(Shutdown::Both)
}

/// Seals the client's bytes, and opens the daemon's records.
fn seal(client: TcpStream, hub: TcpStream, mut sealer: Sealer, mut opener: Opener, mut dice: Dice, story: &Arc<Story>) {
    let is_cut = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), hub.try_clone().unwrap());
    let (told, cut) = (story.clone(), is_cut.clone());
    std::thread::spawn(move || {
        let (mut bytes, mut records) = ([0; 4096], Vec::new());
        loop {
            // Pieces of any size, so that lines and records end in different places.
            let most = dice.between(1, bytes.len());
            records.clear();
            match from.read(&mut bytes[..most]) {
                Ok(0) => {
                    sealer.alert(Alert::CLOSE_NOTIFY, &mut records);
                    let _ = to.write_all(&records);
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
                Ok(count) => drop(sealer.data([&bytes[..count]], &mut records)),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => {
                    cut.store(true, Ordering::Relaxed);
                    let _ = reset(&to);
                    return;
                }
            }
            if dice.one_in(20) {
                sealer.update(dice.one_in(2), &mut records);
                told.updates.fetch_add(1, Ordering::Relaxed);
            }
            let half = dice.below(records.len());
            if to.write_all(&records[..half]).and_then(|()| to.write_all(&records[half..])).is_err() {
                return;
            }
        }
    });
    let (mut from, mut to, told) = (hub, client, story.clone());
    std::thread::spawn(move || {
        let (mut bytes, mut content, mut updates) = ([0; 16 * 1024], Vec::new(), 0);
        let torn = |why: String| {
            if !is_cut.load(Ordering::Relaxed) {
                told.torn.lock().unwrap_or_else(PoisonError::into_inner).push(why);
            }
        };
        loop {
            let count = match from.read(&mut bytes) {
                Ok(0) => {
                    torn("ended without a word".to_owned());
                    let _ = reset(&to);
                    return;
                }
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => {
                    torn(error.to_string());
                    let _ = reset(&to);
                    return;
                }
            };
            content.clear();
            let brought = opener.push(&bytes[..count], &mut content);
            told.answers.fetch_add(opener.secret().0 - updates, Ordering::Relaxed);
            updates = opener.secret().0;
            if to.write_all(&content).is_err() {
                is_cut.store(true, Ordering::Relaxed);
                let _ = reset(&from);
                return;
            }
            match brought.end {
                None => {}
                Some(End::Closed) => {
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
                Some(other) => {
                    torn(format!("{other:?}"));
                    let _ = reset(&to);
                    return;
                }
            }
        }
    });
}

/// The path of the supervisor's socket for handed-over connections.
pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("handover.sock")
}

/// How often each of the two secrets occurs in the daemon's memory.
fn found(supervisor: &Supervisor, secrets: &(Secret, Secret)) -> Option<Vec<usize>> {
    occurrences(supervisor.pid(), &[secrets.0.bytes(), secrets.1.bytes()])
}

/// Searches the whole memory of the daemon, including the memory file that outlives it.
#[test]
fn secrets_of_clients_that_left_are_nowhere_in_memory() {
    let supervisor = Plan::new("", 1).sealed(true).start();
    let mut dice = Dice(1);
    for suite in Suite::ALL {
        let secrets = secrets(suite, &mut dice);
        let inner = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut client = TcpStream::connect(inner.local_addr().unwrap()).unwrap();
        let (near, _) = inner.accept().unwrap();
        let to = path(supervisor.dir());
        let (mut sealer, mut opener) = hand_over(&near, suite, &to, secrets.clone()).unwrap();
        drop(near);
        let (mut bytes, mut content) = ([0; 4096], Vec::new());
        while !content.windows(5).any(|some| some == b"/help") {
            let count = client.read(&mut bytes).unwrap();
            assert!(count > 0 && opener.push(&bytes[..count], &mut content).end.is_none());
        }
        let Some(there) = found(&supervisor, &secrets) else {
            return not_tested("the memory of another process cannot be read");
        };
        assert!(there.iter().all(|count| *count > 0), "{there:?}: they are needed");
        supervisor.replace(Signal::SIGKILL);
        let there = found(&supervisor, &secrets).unwrap();
        assert!(there.iter().all(|count| *count > 0), "{there:?}: the next process has them");
        let mut records = Vec::new();
        sealer.data([&b"/quit\n"[..]], &mut records);
        client.write_all(&records).unwrap();
        let ended = client.read_to_end(&mut Vec::new());
        assert!(ended.is_ok(), "{ended:?}");
        drop(client);
        // The slot is wiped once the next snapshot counts, within five seconds.
        supervisor.until("the secrets are wiped", || found(&supervisor, &secrets).unwrap() == [0, 0]);
    }
}
