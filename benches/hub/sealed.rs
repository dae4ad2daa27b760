//! Encrypted clients: the generator's end of TLS.
//!
//! Where records are what is measured, there is no handshake: the generator plays `chathub-tls` too, makes the secrets up
//! and hands the connection over. Where a handshake is done by a server, the library does it, and reads and writes.
//! Either way all that comes is decrypted, and checked like that of everybody else.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;

use chathub::kernel;
use chathub::wire::tls::handover::Handover;
use chathub::wire::tls::open::Opener;
use chathub::wire::tls::suite::{Secret, Suite};
use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};

/// How a client's connection is encrypted.
pub(crate) enum Sealing {
    /// By secrets that were made up: it only hears.
    Made(Box<Opener>),
    /// By a handshake.
    Shaken(Box<ClientConnection>),
}

impl Sealing {
    /// Decrypts what has come.
    pub(crate) fn open(&mut self, mut bytes: &[u8], content: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Made(opener) => match opener.push(bytes, content).end {
                None => Ok(()),
                Some(end) => Err(format!("{end:?}")),
            },
            Self::Shaken(connection) => {
                while !bytes.is_empty() {
                    connection.read_tls(&mut bytes).map_err(|error| error.to_string())?;
                    connection.process_new_packets().map_err(|error| error.to_string())?;
                    take(connection, content);
                }
                Ok(())
            }
        }
    }

    /// What has come with the end of the handshake.
    pub(crate) fn rest(&mut self, content: &mut Vec<u8>) {
        if let Self::Shaken(connection) = self {
            take(connection, content);
        }
    }

    /// Sends what stands in `out`, which is empty then; whether all of it is on its way.
    pub(crate) fn send(&mut self, out: &mut Vec<u8>, stream: &mut TcpStream) -> io::Result<bool> {
        let Self::Shaken(connection) = self else { return Err(io::Error::other("it only hears")) };
        connection.writer().write_all(out)?;
        out.clear();
        while connection.wants_write() {
            match connection.write_tls(stream) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn take(connection: &mut ClientConnection, content: &mut Vec<u8>) {
    // "Would block" is the end of what there is.
    let _ = connection.reader().read_to_end(content);
}

/// Hands connections over to the hub, as `chathub-tls` does.
pub(crate) struct Hands {
    suite: Suite,
    near: TcpListener,
    to: UnixAddr,
    sender: UnixDatagram,
}

impl Hands {
    pub(crate) fn new(suite: Suite, handover: &Path) -> io::Result<Self> {
        let near = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self { suite, near, to: UnixAddr::new(handover)?, sender: UnixDatagram::unbound()? })
    }

    /// Where a client is to connect.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.near.local_addr()
    }

    /// Takes the connection that was made last, and hands it over.
    pub(crate) fn hand_over(&self) -> io::Result<Sealing> {
        let (near, _) = self.near.accept()?;
        near.set_nodelay(true)?;
        let secret = || {
            let mut bytes = [0; 48];
            getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
            Secret::new(&bytes[..self.suite.secret_len()]).ok_or_else(|| io::Error::other("no secret"))
        };
        let (client, server) = (secret()?, secret()?);
        let mut opener = Opener::new(self.suite);
        opener.unlock(server.clone());
        let cookie = kernel::cookie(&near)?;
        let handover =
            Handover { suite: self.suite, group: 29, cookie, read: 0, written: 0, client, server, fingerprint: None };
        let (bytes, descriptors) = (handover.encode(), [near.as_raw_fd()]);
        let (pieces, rights) = ([io::IoSlice::new(&*bytes)], [ControlMessage::ScmRights(&descriptors)]);
        // Waits while the socket is full.
        sendmsg(self.sender.as_raw_fd(), &pieces, &rights, MsgFlags::MSG_NOSIGNAL, Some(&self.to))?;
        Ok(Sealing::Made(Box::new(opener)))
    }
}

/// Does handshakes as a client.
pub(crate) struct Shaker(Arc<ClientConfig>);

impl Shaker {
    pub(crate) fn new() -> io::Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Any))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    fn begin(&self) -> io::Result<ClientConnection> {
        let name = ServerName::try_from("bench.invalid").map_err(io::Error::other)?;
        let mut connection = ClientConnection::new(self.0.clone(), name).map_err(io::Error::other)?;
        connection.set_buffer_limit(None);
        Ok(connection)
    }

    /// A whole handshake on a connection that waits.
    pub(crate) fn shake(&self, stream: &mut TcpStream) -> io::Result<Sealing> {
        let mut connection = self.begin()?;
        while connection.is_handshaking() || connection.wants_write() {
            connection.complete_io(stream)?;
        }
        Ok(Sealing::Shaken(Box::new(connection)))
    }

    /// A handshake up to the server's answer, which is what costs the server most; the client's own end is never sent.
    fn half(&self, stream: &mut TcpStream) -> io::Result<()> {
        let mut connection = self.begin()?;
        while connection.wants_write() {
            connection.write_tls(stream)?;
        }
        while connection.is_handshaking() {
            if connection.read_tls(stream)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            connection.process_new_packets().map_err(io::Error::other)?;
        }
        Ok(())
    }
}

/// Takes any certificate that the server has the key of.
#[derive(Debug)]
struct Any;

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 alone".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, own, signature, &default_provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Shakes hands again and again, whole handshakes or half ones, until nobody reads what it tells: how many there were,
/// each time that a line comes.
pub(crate) fn storm(whole: bool, port: u16) -> io::Result<()> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static DONE: AtomicU64 = AtomicU64::new(0);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    for _ in 0..STORMERS {
        let shaker = Shaker::new()?;
        std::thread::spawn(move || {
            loop {
                let done = TcpStream::connect(address).and_then(|mut stream| {
                    stream.set_nodelay(true)?;
                    // Nothing of it is to wait in the kernel for a minute.
                    socket2::SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO))?;
                    if whole { shaker.shake(&mut stream).map(drop) } else { shaker.half(&mut stream) }
                });
                if done.is_ok() {
                    DONE.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    for line in io::stdin().lines() {
        line?;
        println!("{}", DONE.load(Ordering::Relaxed));
    }
    Ok(())
}

/// Handshakes that a storm has under way at a time.
const STORMERS: usize = 4;
