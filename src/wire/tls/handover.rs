//! The datagram by which `chathub-tls` hands a connection over to the hub. It travels together with
//! the connection's file descriptor.
//!
//! `chathub-tls` has completed the handshake, with both Finished messages, and has sent and read
//! nothing since. So both sequence numbers are 0, and the next byte in the socket is the first
//! behind the client's Finished.

use zeroize::Zeroizing;

use super::suite::{SECRET, Secret, Suite};

/// The length of the datagram in bytes.
pub const LEN: usize = 184;

/// The first bytes of the datagram: the name and the version of its format.
const MAGIC: [u8; 8] = *b"chtls\0\0\x01";

/// The length of a fingerprint in bytes.
pub const FINGERPRINT: usize = 32;

/// A connection whose handshake is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The negotiated cipher suite.
    pub suite: Suite,
    /// The group of the key exchange (IANA's TLS Supported Groups: X25519 is 29, X25519MLKEM768 is
    /// 4588).
    pub group: u16,
    /// The kernel's number for the socket (`SO_COOKIE`).
    pub cookie: u64,
    /// Bytes that the handshake has read from the socket. The first record for the hub begins
    /// behind them.
    pub read: u64,
    /// Bytes that the handshake has written to the socket.
    pub written: u64,
    /// The traffic secret of the client's direction (`client_application_traffic_secret_0`).
    pub client: Secret,
    /// The traffic secret of our direction (`server_application_traffic_secret_0`).
    pub server: Secret,
    /// The SHA-256 of the public key (SubjectPublicKeyInfo) of the client's certificate; the client
    /// has proved that it has the private key. `None` if it has shown no certificate.
    pub fingerprint: Option<[u8; FINGERPRINT]>,
}

impl Handover {
    /// The bytes of the datagram, which are wiped when they are dropped.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<[u8; LEN]> {
        let mut bytes = Zeroizing::new([0; LEN]);
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&(self.suite as u16).to_be_bytes());
        bytes[10..12].copy_from_slice(&self.group.to_be_bytes());
        bytes[12] = u8::from(self.fingerprint.is_some());
        bytes[16..24].copy_from_slice(&self.cookie.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.read.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.written.to_be_bytes());
        for (at, secret) in [(40, &self.client), (40 + SECRET, &self.server)] {
            bytes[at..at + secret.bytes().len()].copy_from_slice(secret.bytes());
        }
        bytes[136..136 + FINGERPRINT].copy_from_slice(&self.fingerprint.unwrap_or_default());
        bytes
    }

    /// Reads a datagram; `None` if it is malformed or of another version.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.try_into().ok()?;
        let short = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let long = |at: usize| bytes[at..at + 8].try_into().ok().map(u64::from_be_bytes);
        let suite = Suite::of(short(8)).filter(|_| bytes[..8] == MAGIC)?;
        let secret = |at: usize| Secret::new(&bytes[at..at + suite.secret_len()]);
        let fingerprint = match bytes[12] {
            0 => None,
            1 => Some(bytes[136..136 + FINGERPRINT].try_into().ok()?),
            _ => return None,
        };
        Some(Self {
            suite,
            group: short(10),
            cookie: long(16)?,
            read: long(24)?,
            written: long(32)?,
            client: secret(40)?,
            server: secret(40 + SECRET)?,
            fingerprint,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handover_message_is_read_as_it_was_written() {
        for suite in Suite::ALL {
            for fingerprint in [None, Some([9; FINGERPRINT])] {
                let secret = |byte| Secret::new(&vec![byte; suite.secret_len()]).expect("it fits");
                let (client, server) = (secret(1), secret(2));
                let handover =
                    Handover { suite, group: 4588, cookie: 77, read: 1234, written: 4321, client, server, fingerprint };
                let bytes = handover.encode();
                assert_eq!(Handover::decode(&*bytes), Some(handover));
                for len in 0..LEN {
                    assert_eq!(Handover::decode(&bytes[..len]), None);
                }
                for at in (0..9).chain([12]) {
                    let mut other = *bytes;
                    other[at] ^= 0x40;
                    assert_eq!(Handover::decode(&other), None, "byte {at}");
                }
            }
        }
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new(&[7; 32]).expect("it fits");
        assert_eq!(format!("{secret:?}"), "Secret");
        assert_eq!((Secret::new(&[]), Secret::new(&[0; 49])), (None, None));
    }
}
