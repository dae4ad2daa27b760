//! What is told to those who are not handed over, and how their connection is closed so that they can read it.

use std::io::{self, Write as _};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::handshake::Handshake;

/// How long it is waited for the other side to close as well.
const LINGER: Duration = Duration::from_secs(2);

/// Bytes that are read and thrown away meanwhile.
const LEFT_OVER: usize = 64 * 1024;

/// For one who speaks without encryption, or says nothing: where the port without is, if there is one.
pub(crate) fn encrypted_here(plain_port: u16) -> String {
    let mut words = "-- this port is encrypted: connect with TLS 1.3, as \"ncat --ssl\" does\r\n".to_owned();
    if plain_port != 0 {
        words += &format!("-- without encryption: port {plain_port}\r\n");
    }
    words
}

/// For one whose handshake is done when the hub is not there.
const AWAY: &[u8] = b"-- the hub cannot be reached: please try again later\r\n";

/// Says something without encryption.
pub(crate) async fn say(stream: &mut TcpStream, words: &str) -> io::Result<()> {
    stream.write_all(words.as_bytes()).await
}

/// Says under encryption that the hub is away, and that nothing follows.
pub(crate) async fn say_away(done: &mut Handshake) -> io::Result<()> {
    done.tls.writer().write_all(AWAY)?;
    done.tls.send_close_notify();
    done.write().await
}

/// Closes our side, and lets the other side read: if it had sent something that was not read, the kernel would throw
/// away what it was told.
pub(crate) async fn close(stream: &mut TcpStream) {
    let reading = async {
        stream.shutdown().await?;
        let (mut left, mut bytes) = (LEFT_OVER, [0; 4096]);
        while left > 0 {
            match stream.read(&mut bytes).await? {
                0 => break,
                count => left = left.saturating_sub(count),
            }
        }
        Ok::<_, io::Error>(())
    };
    let _ = tokio::time::timeout(LINGER, reading).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_port_is_told_if_there_is_one() {
        assert!(encrypted_here(6969).ends_with("\r\n-- without encryption: port 6969\r\n"));
        assert_eq!(encrypted_here(0).lines().count(), 1);
        assert!(encrypted_here(65535).lines().all(|line| line.len() < 80));
    }
}
