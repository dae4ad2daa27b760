//! The traffic secrets of a connection. The TLS library gives them away only through its key log,
//! as to a debugger. Each connection gets a key log of its own, which keeps these two secrets in
//! memory, and nothing else.

use std::sync::{Mutex, PoisonError};

use chathub::wire::tls::suite::Secret;
use rustls::crypto::tls13::OkmBlock;
use rustls::{ConnectionTrafficSecrets, ExtractedSecrets, KeyLog, Tls13CipherSuite};
use zeroize::{Zeroize as _, Zeroizing};

/// The two secrets of a connection, as soon as the library has them. They are wiped when this is
/// dropped.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Both>);

#[derive(Debug, Default)]
struct Both {
    client: Option<Secret>,
    server: Option<Secret>,
}

const CLIENT: &str = "CLIENT_TRAFFIC_SECRET_0";
const SERVER: &str = "SERVER_TRAFFIC_SECRET_0";

impl KeyLog for Kept {
    fn log(&self, label: &str, _: &[u8], secret: &[u8]) {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match label {
            CLIENT => both.client = Secret::new(secret),
            SERVER => both.server = Secret::new(secret),
            _ => {}
        }
    }

    fn will_log(&self, label: &str) -> bool {
        matches!(label, CLIENT | SERVER)
    }
}

impl Kept {
    /// Takes both secrets out: the client's, then the server's.
    pub(crate) fn take(&self) -> Option<(Secret, Secret)> {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Some((both.client.take()?, both.server.take()?))
    }
}

/// Whether the library would go on with the keys that follow from these secrets, and has used them
/// for nothing yet.
pub(crate) fn are_unused(
    extracted: &ExtractedSecrets,
    suite: &'static Tls13CipherSuite,
    client: &Secret,
    server: &Secret,
) -> bool {
    let is = |(sequence, traffic): &(u64, ConnectionTrafficSecrets), secret: &Secret| {
        let (ConnectionTrafficSecrets::Aes128Gcm { key, iv }
        | ConnectionTrafficSecrets::Aes256Gcm { key, iv }
        | ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv }) = traffic
        else {
            return false;
        };
        let made = |label: &[u8], like: &[u8]| *expand(suite, secret, label, like.len()) == *like;
        *sequence == 0 && made(b"key", key.as_ref()) && made(b"iv", iv.as_ref())
    };
    is(&extracted.rx, client) && is(&extracted.tx, server)
}

/// How much of the stack is wiped, in bytes: more than handshakes use.
const STACK: usize = 256 * 1024;

/// Wipes the part of the stack that is not in use now. Values that were moved leave their bytes
/// there. Freed memory of the heap is wiped by the allocator.
#[inline(never)]
pub(crate) fn wipe_stack() {
    let mut unused = [0_u8; STACK];
    unused.zeroize();
}

/// HKDF-Expand-Label without a context (RFC 8446, section 7.1).
fn expand(suite: &'static Tls13CipherSuite, secret: &Secret, label: &[u8], len: usize) -> Zeroizing<Vec<u8>> {
    let mut made = Zeroizing::new(vec![0; len]);
    let byte = |len: usize| [u8::try_from(len).unwrap_or(u8::MAX)];
    let info: [&[u8]; 6] = [&[0], &byte(len), &byte(6 + label.len()), b"tls13 ", label, &[0]];
    let expander = suite.hkdf_provider.expander_for_okm(&OkmBlock::new(secret.bytes()));
    // It fails only for more than 255 hashes. In that case the result stays zero, and equals no
    // key.
    let _ = expander.expand_slice(&info, &mut made);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_rfc_8448() {
        let hex = |text: &str| -> Vec<u8> {
            let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
            digits.chunks(2).map(byte).collect()
        };
        // Section 3, "derive write traffic keys for application data" of the server.
        let secret =
            hex("a1 1a f9 f0 55 31 f8 56 ad 47 11 6b 45 a9 50 32 82 04 b4 f4 4b fb 6b 3a 4b 4f 1f 3f cb 63 16 43");
        let secret = Secret::new(&secret).expect("it fits");
        let suite = rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13().expect("it is of 1.3");
        assert_eq!(*expand(suite, &secret, b"key", 16), hex("9f 02 28 3b 6c 9c 07 ef c2 6b b9 f2 ac 92 e3 56"));
        assert_eq!(*expand(suite, &secret, b"iv", 12), hex("cf 78 2b 88 dd 83 54 9a ad f1 e9 84"));
    }

    #[test]
    fn no_other_secret_is_kept() {
        let kept = Kept::default();
        for label in ["EXPORTER_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_RANDOM"] {
            assert!(!kept.will_log(label));
            kept.log(label, &[], &[1; 32]);
        }
        kept.log(CLIENT, &[], &[2; 32]);
        assert!(kept.take().is_none());
        kept.log(CLIENT, &[], &[2; 32]);
        kept.log(SERVER, &[], &[3; 32]);
        let (client, server) = kept.take().expect("both are there");
        assert_eq!((client.bytes(), server.bytes()), (&[2; 32][..], &[3; 32][..]));
        assert!(kept.take().is_none());
    }
}
