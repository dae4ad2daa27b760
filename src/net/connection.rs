//! One client's socket. The driver reads it, the rounds write it.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::AtomicU64;

use crate::kernel;
use crate::net::keep::tape::Slot;
use crate::values::id::SessionId;

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    /// The session that the connection belongs to.
    pub id: SessionId,
    /// The kernel's number for the socket, the same in every process; 0 where nothing is kept.
    pub cookie: u64,
    /// The connection's secrets, if it is encrypted.
    pub slot: Option<Slot>,
    /// `None` if the socket was gone before this process took over.
    socket: Option<TcpStream>,
    /// Bytes that the client is owed and its socket has not taken, when the rounds last looked.
    pub behind: AtomicU64,
    /// Lines that the client missed because it was too slow, when the rounds last looked.
    pub missed: AtomicU64,
    /// Bytes that this process has read from the socket.
    pub received: AtomicU64,
    /// Bytes that the socket has taken from this process.
    pub taken: AtomicU64,
    /// In a test: the end that takes the bytes, instead of a socket.
    #[cfg(test)]
    pub played: Option<std::sync::Mutex<Played>>,
}

/// A socket that a test plays: it takes `room` bytes, and is full then.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct Played {
    /// Bytes that it still takes until it is full.
    pub room: usize,
    /// The bytes it has taken.
    pub taken: Vec<u8>,
}

#[cfg(test)]
impl Connection {
    /// A connection of session `id` whose socket is played, and had taken `taken` before.
    pub fn played(id: SessionId, taken: Vec<u8>) -> Self {
        let played = Some(std::sync::Mutex::new(Played { room: 0, taken }));
        Self { played, ..Self::new(id, id.0, None) }
    }
}

impl Connection {
    /// A connection of session `id`, not encrypted. `socket` must not block; `None` if it is gone.
    #[must_use]
    pub fn new(id: SessionId, cookie: u64, socket: Option<OwnedFd>) -> Self {
        Self {
            id,
            cookie,
            slot: None,
            socket: socket.map(TcpStream::from),
            behind: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            received: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            #[cfg(test)]
            played: None,
        }
    }

    /// The same connection, encrypted: its secrets are in `slot`.
    #[must_use]
    pub fn sealed(self, slot: Option<Slot>) -> Self {
        Self { slot, ..self }
    }

    /// The socket; `None` if it is gone.
    #[must_use]
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(AsFd::as_fd)
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        self.socket.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Writes as much as the socket takes now, without waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if the socket takes nothing; any other error means that the
    /// connection is broken.
    pub fn write(&self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        #[cfg(test)]
        if let Some(played) = &self.played {
            let mut played = played.lock().expect("one thread");
            if played.room == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let (room, before) = (played.room, played.taken.len());
            played.taken.extend(pieces.iter().flat_map(|piece| piece.iter()).take(room));
            played.room -= played.taken.len() - before;
            return Ok(played.taken.len() - before);
        }
        let mut stream = self.stream()?;
        match pieces {
            [one] => stream.write(one),
            many => stream.write_vectored(many),
        }
    }

    /// Bytes that were written and that the client's system has not acknowledged. If nothing was
    /// written since, a smaller number than before means that the system has taken some. `None` if
    /// the kernel does not say.
    #[must_use]
    pub fn unacknowledged(&self) -> Option<u64> {
        kernel::unacknowledged(&self.socket()?).ok()
    }

    /// Reads the bytes that have arrived, without waiting. 0 bytes mean that the client has ended
    /// its output.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] if there is nothing; any other error means that the connection
    /// is broken.
    pub fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.stream()?.read(into)
    }

    /// Ends the output (FIN): the client sees the end after all bytes sent to it.
    pub fn finish(&self) {
        let _ = self.stream().and_then(|stream| stream.shutdown(Shutdown::Write));
    }

    /// Ends the connection now, though the client may still be owed something.
    pub fn abort(&self) {
        let _ = self.stream().and_then(|stream| stream.shutdown(Shutdown::Both));
    }
}
