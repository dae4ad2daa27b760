//! A stream whose answers have a deadline: the client must take all of an answer within that time,
//! or the connection ends. Without this, a client that reads nothing, or one byte now and then,
//! would keep its connection.

use std::future::Future as _;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream with a deadline for each answer.
pub(crate) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// Set when the stream first takes less than an answer; cleared when all of the answer is
    /// taken.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    /// A stream in which each answer to be written must be taken within `patience`.
    pub(crate) const fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, deadline: None }
    }

    /// Called when the stream takes nothing now: fails if the deadline has passed.
    fn waits<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let patience = self.patience;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Pending => self.waits(context),
            ready => ready,
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(context, pieces) {
            Poll::Pending => self.waits(context),
            ready => ready,
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// `hyper` calls it when an answer is written: the next one gets a deadline of its own.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.deadline = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    #[tokio::test]
    async fn what_is_taken_a_byte_at_a_time_is_not_waited_for_longer() {
        let (mut theirs, ours) = tokio::io::duplex(1);
        let mut patient = Patient::new(ours, Duration::from_millis(20));
        // A byte is taken each time before the deadline, so each write gets on; but all of them
        // together take too long.
        let reading = tokio::spawn(async move {
            while theirs.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        });
        let error = patient.write_all(&[b'a'; 10_000]).await.expect_err("it takes too long");
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        drop(patient);
        reading.await.expect("it ends");
    }

    #[tokio::test]
    async fn each_answer_has_its_own_time() {
        let (mut theirs, ours) = tokio::io::duplex(8);
        let mut patient = Patient::new(ours, Duration::from_secs(60));
        let mut some = [0; 16];
        let (written, read) = tokio::join!(patient.write_all(&[b'a'; 16]), theirs.read_exact(&mut some));
        assert!(written.is_ok() && read.is_ok());
        assert!(patient.deadline.is_some(), "it has waited");
        patient.flush().await.expect("all is taken");
        assert!(patient.deadline.is_none());
    }
}
