//! Fingerprints of clients' certificates, by which accounts recognise their owners' keys.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The fingerprint of a client's certificate: the SHA-256 of its public key (SubjectPublicKeyInfo).
/// A certificate that is renewed for the same key keeps its fingerprint. As text: 64 hexadecimal
/// digits in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// Hexadecimal digits in the short form that people are shown.
const SHORT: usize = 16;

impl Fingerprint {
    /// The fingerprint with these 32 bytes: a SHA-256 that was computed before.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The first 16 digits: enough for people to tell their own certificates apart.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..SHORT].to_owned()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Reads 64 hexadecimal digits in upper or lower case, with colons between all pairs or none.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a fingerprint has 64 hexadecimal digits: SHA-256 of the certificate's public key".to_owned();
        let digits: Vec<u8> = match text.contains(':') {
            true if text.split(':').all(|pair| pair.len() == 2) => text.bytes().filter(|byte| *byte != b':').collect(),
            true => return Err(wrong()),
            false => text.bytes().collect(),
        };
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let byte = |pair: &[u8]| Some(value(*pair.first()?)? << 4 | value(*pair.get(1)?)?);
        let bytes: Option<Vec<u8>> = digits.chunks(2).map(byte).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(wrong)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_openssl_and_sha256sum_write_it_only() {
        let bytes = core::array::from_fn(|at| u8::try_from(at * 8).expect("a byte"));
        let one = Fingerprint::new(bytes);
        let text = one.to_string();
        assert_eq!((text.len(), &text[..8], &*one.short()), (64, "00081018", "0008101820283038"));
        let pairs: Vec<&str> = (0..32).map(|at| &text[2 * at..2 * at + 2]).collect();
        for written in [text.clone(), text.to_uppercase(), pairs.join(":"), pairs.join(":").to_uppercase()] {
            assert_eq!(written.parse(), Ok(one), "{written}");
        }
        for wrong in
            ["", "00", &text[1..], &format!("{text}0"), &text.replace("08", "0g"), &text.replacen("00", "0:0", 1)]
        {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
        assert!("é".repeat(32).parse::<Fingerprint>().is_err());
        let kept = serde_json::to_string(&one).expect("plain");
        assert_eq!(serde_json::from_str::<Fingerprint>(&kept).expect("as it was written"), one);
    }
}
