//! The words for connections that are not handed over, and closing these so that the client can
//! read the words.

use std::io::{self, Write as _};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::handshake::Handshake;

/// How long to wait until the client closes its side too.
const LINGER: Duration = Duration::from_secs(2);

/// The most bytes that are read and thrown away meanwhile.
const LEFT_OVER: usize = 64 * 1024;

/// For a client that does not encrypt, or says nothing: names the port without encryption, if there
/// is one.
pub(crate) fn encrypted_here(plain_port: u16) -> String {
    let mut words = "-- this port is encrypted: connect with TLS 1.3, as \"ncat --ssl\" does\r\n".to_owned();
    if plain_port != 0 {
        words += &format!("-- without encryption: port {plain_port}\r\n");
    }
    words
}

/// For a proxy that begins with a header of the PROXY protocol.
pub(crate) const NO_HEADER: &str = "-- this port begins with TLS, and takes no header of the PROXY protocol\r\n\
    -- a proxy that ends TLS sends it to chathub-proxy.socket: see chathub(8)\r\n";

/// For a client whose handshake is done while the hub is away.
const AWAY: &[u8] = b"-- the hub cannot be reached: please try again later\r\n";

/// Sends words without encryption.
pub(crate) async fn say(stream: &mut TcpStream, words: &str) -> io::Result<()> {
    stream.write_all(words.as_bytes()).await
}

/// Sends, encrypted, that the hub is away, and that nothing follows.
pub(crate) async fn say_away(done: &mut Handshake) -> io::Result<()> {
    done.tls.writer().write_all(AWAY)?;
    done.tls.send_close_notify();
    done.write().await
}

/// Ends our side, and lets the client read. If bytes of the client were left unread, the kernel
/// would throw away the words on their way.
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
        assert!(NO_HEADER.lines().all(|line| line.len() < 80));
        assert!(encrypted_here(65535).lines().all(|line| line.len() < 80));
    }
}
