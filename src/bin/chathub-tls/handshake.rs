//! One handshake. Exactly one record at a time is read from the socket and given to the TLS
//! library. So nothing that the client has sent behind its last handshake message is read here:
//! that is for the hub.

use std::io;
use std::sync::Arc;

use chathub::wire::proxy::is_begun;
use chathub::wire::tls::handover::FINGERPRINT;
use rustls::{AlertDescription, Error, ServerConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::client_certificate::fingerprint;
use super::engine::Engine;
use super::secrets::Kept;

/// Length of the header of a record, in bytes: type, version and length.
const HEADER: usize = 5;

/// The type of the first record in a handshake.
const HANDSHAKE: u8 = 0x16;

/// The greatest length of a record without its header, in bytes: of a plain one, and of an encrypted
/// one (RFC 8446, sections 5.1 and 5.2).
const RECORD: (usize, usize) = (1 << 14, (1 << 14) + 256);

/// The header of a record that is longer than any may be. The library answers it with an alert.
const IMPOSSIBLE: [u8; HEADER] = [23, 3, 3, 0xFF, 0xFF];

/// A handshake that is under way, or done.
#[derive(Debug)]
pub(crate) struct Handshake {
    pub(crate) stream: TcpStream,
    pub(crate) tls: ServerConnection,
    pub(crate) kept: Arc<Kept>,
    /// Bytes read from the socket so far.
    pub(crate) read: u64,
    /// Bytes written to the socket so far.
    pub(crate) written: u64,
    /// The record that is being read.
    record: Vec<u8>,
    /// The most bytes that may be read from the socket.
    limit: u64,
}

/// Why a handshake has failed.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The client does not speak TLS.
    Plain,
    /// The connection begins with a header of the PROXY protocol.
    Proxied,
    /// The client is gone, or the connection broke.
    Gone(io::Error),
    /// The TLS library has refused to go on.
    Refused(Error),
    /// The client has announced a record that is longer than one may be.
    LongRecord(usize),
    /// The client has sent too much.
    TooMuch,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl Handshake {
    /// A handshake on a connection that was just accepted, in which the client may send `limit`
    /// bytes.
    pub(crate) fn new(stream: TcpStream, engine: &Engine, limit: u64) -> Result<Self, Error> {
        let (tls, kept) = engine.begin()?;
        Ok(Self { stream, tls, kept, read: 0, written: 0, record: Vec::new(), limit })
    }

    /// Does the handshake to its end.
    pub(crate) async fn run(&mut self) -> Result<(), Broken> {
        while self.tls.is_handshaking() {
            self.read_record().await?;
            let taken = self.take_record();
            // If the record was refused, this sends the alert.
            let written = self.write().await;
            taken?;
            written?;
        }
        Ok(())
    }

    /// The fingerprint of the client's certificate; `None` if it has shown none.
    pub(crate) fn fingerprint(&self) -> Option<[u8; FINGERPRINT]> {
        fingerprint(self.tls.peer_certificates()?.first()?)
    }

    async fn read_record(&mut self) -> Result<(), Broken> {
        self.record.clear();
        self.read_to(HEADER).await?;
        // All versions have 3 there, in the first record as well.
        if self.read == HEADER as u64 && self.record[1] != 3 {
            return Err(Broken::Plain);
        }
        let len = usize::from(u16::from_be_bytes([self.record[3], self.record[4]]));
        let most = if self.written == 0 { RECORD.0 } else { RECORD.1 };
        if len > most {
            return Err(Broken::LongRecord(len));
        }
        self.read_to(HEADER + len).await
    }

    /// Reads until `record` has exactly `len` bytes.
    async fn read_to(&mut self, len: usize) -> Result<(), Broken> {
        let mut at = self.record.len();
        if self.read + (len - at) as u64 > self.limit {
            return Err(Broken::TooMuch);
        }
        self.record.resize(len, 0);
        while at < len {
            let count = self.stream.read(&mut self.record[at..]).await?;
            if count == 0 {
                return Err(Broken::Gone(io::ErrorKind::UnexpectedEof.into()));
            }
            if self.read == 0 && self.record[0] != HANDSHAKE {
                self.read += count as u64;
                return Err(if is_begun(&self.record[..count]) { Broken::Proxied } else { Broken::Plain });
            }
            self.read += count as u64;
            at += count;
        }
        Ok(())
    }

    /// Gives the record to the TLS library.
    fn take_record(&mut self) -> Result<(), Broken> {
        let mut rest = self.record.as_slice();
        while !rest.is_empty() {
            // The only error is that the library has no room for more.
            if self.tls.read_tls(&mut rest).map_err(|_| Broken::TooMuch)? == 0 {
                return Err(Broken::TooMuch);
            }
            self.tls.process_new_packets().map_err(Broken::Refused)?;
        }
        Ok(())
    }

    /// Sends the client an alert, unless the library has sent one: it refuses some messages without a
    /// word, and knows nothing of our bounds.
    pub(crate) async fn refuse(&mut self, why: AlertDescription) -> io::Result<()> {
        if self.written == 0 {
            let alert = [21, 3, 3, 0, 2, 2, why.into()];
            self.written += alert.len() as u64;
            return self.stream.write_all(&alert).await;
        }
        // From the first answer on, only the library knows whether alerts are encrypted, and how. If it
        // has not failed yet, it fails at this, and sends `decode_error`.
        let _ = self.tls.read_tls(&mut &IMPOSSIBLE[..]);
        let _ = self.tls.process_new_packets();
        self.write().await
    }

    /// Writes all that the TLS library has to send.
    pub(crate) async fn write(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut bytes)?;
        }
        if !bytes.is_empty() {
            self.stream.write_all(&bytes).await?;
            self.written += bytes.len() as u64;
        }
        Ok(())
    }
}
