//! One client's socket: shared by the task that reads it and the rounds that write it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};

use super::driver::Arrival;
use crate::hub::message::{Farewell, SessionId};

/// The most that is read at a time, in bytes.
const CHUNK: usize = 8 * 1024;

/// Chunks of one client that the hub has not taken yet: at the limit nothing more is read, and TCP
/// slows the client. With [`CHUNK`], what a client can make the daemon hold unread.
const CHUNKS: u32 = 2;

/// How long a connection whose output has ended is kept for the client to close its side: closed
/// with unread bytes in it, it would be reset, and the client could lose the last lines.
const LINGER: Duration = Duration::from_secs(1);

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    /// Whose.
    pub id: SessionId,
    stream: TcpStream,
    /// Chunks read and not taken.
    chunks: AtomicU32,
    taken: Notify,
    /// The hub has forgotten the client: what it sends is thrown away.
    closing: AtomicBool,
    /// The client has closed its side.
    hung_up: AtomicBool,
    /// Bytes owed and not taken; kept by the rounds, for whoever looks.
    pub behind: AtomicU64,
    /// Lines the client was too slow for; likewise.
    pub missed: AtomicU64,
}

impl Connection {
    /// The connection of session `id`.
    #[must_use]
    pub fn new(id: SessionId, stream: TcpStream) -> Self {
        Self {
            id,
            stream,
            chunks: AtomicU32::new(0),
            taken: Notify::new(),
            closing: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            behind: AtomicU64::new(0),
            missed: AtomicU64::new(0),
        }
    }

    /// Writes as much as the socket takes now, without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if it takes nothing; anything else means that it is broken.
    pub fn write(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match pieces {
            [one] => self.stream.try_write(one),
            many => self.stream.try_write_vectored(many),
        }
    }

    /// Waits until the socket takes bytes again, or is broken.
    pub async fn writable(&self) {
        let _ = self.stream.writable().await;
    }

    /// The hub has taken a chunk.
    pub fn take_chunk(&self) {
        self.chunks.fetch_sub(1, Ordering::AcqRel);
        self.taken.notify_one();
    }

    /// From now on, what the client sends is thrown away.
    pub fn close_input(&self) {
        self.closing.store(true, Ordering::Release);
        self.taken.notify_one();
    }

    /// Ends the output, and the connection soon after: at once if the client has closed its side.
    pub fn finish(self: Arc<Self>) {
        self.close_input();
        let _ = SockRef::from(&self.stream).shutdown(std::net::Shutdown::Write);
        if !self.hung_up.load(Ordering::Acquire) {
            tokio::spawn(async move {
                tokio::time::sleep(LINGER).await;
                self.abort();
            });
        }
    }

    /// Ends the connection now, whatever is still owed.
    pub fn abort(&self) {
        self.close_input();
        let _ = SockRef::from(&self.stream).shutdown(std::net::Shutdown::Both);
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut chunk = [0; CHUNK];
        let count = self.stream.try_read(&mut chunk)?;
        Ok(chunk[..count].to_vec())
    }
}

/// Reads what a client sends until it closes its side or the connection breaks, and hands it over.
pub async fn read(connection: Arc<Connection>, arrivals: mpsc::Sender<Arrival>) {
    let why = loop {
        if connection.stream.readable().await.is_err() {
            break Farewell::Lost;
        }
        // A place in the queue first: bytes that wait for one are still the kernel's.
        let Ok(place) = arrivals.reserve().await else { return };
        match connection.read() {
            Ok(chunk) if chunk.is_empty() => break Farewell::Hangup,
            Ok(_) if connection.closing.load(Ordering::Acquire) => continue,
            Ok(chunk) => {
                connection.chunks.fetch_add(1, Ordering::AcqRel);
                place.send(Arrival::Bytes { id: connection.id, chunk });
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(_) => break Farewell::Lost,
        }
        while connection.chunks.load(Ordering::Acquire) >= CHUNKS && !connection.closing.load(Ordering::Acquire) {
            connection.taken.notified().await;
        }
    };
    connection.hung_up.store(true, Ordering::Release);
    if !connection.closing.load(Ordering::Acquire) {
        let _ = arrivals.send(Arrival::End { id: connection.id, why }).await;
    }
}
