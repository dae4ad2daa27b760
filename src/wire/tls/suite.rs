//! The cipher suites of TLS 1.3, and traffic secrets.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

/// A cipher suite of TLS 1.3 (RFC 8446, appendix B.4). Serialized as its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u16)]
pub enum Suite {
    /// AES-GCM with keys of 128 bits, and SHA-256.
    #[serde(rename = "TLS_AES_128_GCM_SHA256")]
    Aes128 = 0x1301,
    /// AES-GCM with keys of 256 bits, and SHA-384.
    #[serde(rename = "TLS_AES_256_GCM_SHA384")]
    Aes256 = 0x1302,
    /// ChaCha20 and Poly1305, and SHA-256.
    #[serde(rename = "TLS_CHACHA20_POLY1305_SHA256")]
    ChaCha20 = 0x1303,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 3] = [Self::Aes128, Self::Aes256, Self::ChaCha20];

    /// The suite with this number of IANA's; `None` if it is not among [`Self::ALL`].
    #[must_use]
    pub fn of(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| *suite as u16 == number)
    }

    /// The suite's name in RFC 8446.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aes128 => "TLS_AES_128_GCM_SHA256",
            Self::Aes256 => "TLS_AES_256_GCM_SHA384",
            Self::ChaCha20 => "TLS_CHACHA20_POLY1305_SHA256",
        }
    }

    /// The length of a traffic secret in bytes: that of the suite's hash.
    #[must_use]
    pub const fn secret_len(self) -> usize {
        match self {
            Self::Aes128 | Self::ChaCha20 => 32,
            Self::Aes256 => 48,
        }
    }
}

/// The name of a key exchange group (IANA's TLS Supported Groups); for groups that clients hardly
/// use, the number as text.
#[must_use]
pub fn group_name(number: u16) -> String {
    let name = match number {
        23 => "secp256r1",
        24 => "secp384r1",
        25 => "secp521r1",
        29 => "x25519",
        30 => "x448",
        4587 => "SecP256r1MLKEM768",
        4588 => "X25519MLKEM768",
        4589 => "SecP384r1MLKEM1024",
        _ => return number.to_string(),
    };
    name.to_owned()
}

/// The most bytes of a traffic secret.
pub const SECRET: usize = 48;

/// The traffic secret of one direction (RFC 8446, section 7.1). Who knows it can read and forge all
/// that is sent in that direction from then on, but nothing from before the last key update. It is
/// wiped when the last clone is dropped, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    // On the heap, because a moved value would leave its bytes behind on the stack, where nobody
    // wipes them.
    bytes: Arc<Bytes>,
    len: usize,
}

#[derive(PartialEq, Eq, ZeroizeOnDrop)]
struct Bytes([u8; SECRET]);

impl Secret {
    /// A secret with these bytes; `None` if there are none, or more than [`SECRET`].
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        Self::made(secret.len(), |bytes| bytes.copy_from_slice(secret))
    }

    /// A secret of `len` bytes that `fill` writes in place, into zeros; `None` if `len` is 0 or
    /// more than [`SECRET`].
    #[must_use]
    pub fn made(len: usize, fill: impl FnOnce(&mut [u8])) -> Option<Self> {
        let mut bytes = Arc::new(Bytes([0; SECRET]));
        fill(Arc::get_mut(&mut bytes)?.0.get_mut(..len).filter(|bytes| !bytes.is_empty())?);
        Some(Self { bytes, len })
    }

    /// The bytes of the secret.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes.0[..self.len]
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret")
    }
}
