//! Deriving the keys of one direction from its traffic secret, and the next secret at a key update
//! (RFC 8446, sections 5.2, 5.3, 7.1 to 7.3).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, HKDF_SHA384, KeyType, Prk};
use zeroize::{Zeroize as _, Zeroizing};

use super::suite::{Secret, Suite};

/// The key of one direction, and the IV from which its nonces are made. The library wipes the key
/// when it is dropped.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) key: LessSafeKey,
    iv: [u8; NONCE_LEN],
}

impl Keys {
    /// Derives the keys of a traffic secret.
    pub(super) fn of(suite: Suite, secret: &Secret) -> Self {
        let algorithm = match suite {
            Suite::Aes128 => &AES_128_GCM,
            Suite::Aes256 => &AES_256_GCM,
            Suite::ChaCha20 => &CHACHA20_POLY1305,
        };
        let mut key = Zeroizing::new([0; 32]);
        let key = &mut key[..algorithm.key_len()];
        expand(suite, secret, "key", key);
        let mut iv = [0; NONCE_LEN];
        expand(suite, secret, "iv", &mut iv);
        let key = UnboundKey::new(algorithm, key).expect("the key has the algorithm's length");
        Self { key: LessSafeKey::new(key), iv }
    }

    /// The nonce of the record with this sequence number (RFC 8446, section 5.3).
    pub(super) fn nonce(&self, sequence: u64) -> Nonce {
        let mut nonce = self.iv;
        for (byte, of_sequence) in nonce[4..].iter_mut().zip(sequence.to_be_bytes()) {
            *byte ^= of_sequence;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

/// The traffic secret that follows `secret` after a key update (RFC 8446, section 7.2).
pub(super) fn updated(suite: Suite, secret: &Secret) -> Secret {
    let next = Secret::made(suite.secret_len(), |next| expand(suite, secret, "traffic upd", next));
    next.expect("it has the suite's length")
}

struct Len(usize);

impl KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// Bytes of the stack that are wiped: more than deriving a key uses.
const STACK: usize = 16 * 1024;

/// Wipes the part of the stack that the calls before have used. The library moves values with key
/// material, and moved values leave their bytes behind on the stack.
#[inline(never)]
fn wipe_stack() {
    [0_u8; STACK].zeroize();
}

/// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
fn expand(suite: Suite, secret: &Secret, label: &str, into: &mut [u8]) {
    try_expand(suite, secret, label, into);
    wipe_stack();
}

#[inline(never)]
fn try_expand(suite: Suite, secret: &Secret, label: &str, into: &mut [u8]) {
    let algorithm = match suite {
        Suite::Aes128 | Suite::ChaCha20 => HKDF_SHA256,
        Suite::Aes256 => HKDF_SHA384,
    };
    let len = u16::try_from(into.len()).expect("at most a hash").to_be_bytes();
    let label_len = [u8::try_from("tls13 ".len() + label.len()).expect("short")];
    let info = [&len[..], &label_len, b"tls13 ", label.as_bytes(), &[0]];
    Prk::new_less_safe(algorithm, secret.bytes())
        .expand(&info, Len(into.len()))
        .and_then(|key| key.fill(into))
        .expect("HKDF gives up to 255 times the hash");
}
