//! The header of the PROXY protocol, versions 1 and 2 (haproxy.org, `proxy-protocol.txt`). A proxy
//! sends it first on each connection: it names the client's address, and may describe the
//! encryption between client and proxy.
//!
//! The crate `proxy-header` parses both versions. This module adds five things. A byte that cannot
//! belong to a header is refused at once, not after a timeout. The length of a header is bounded.
//! Its checksum is verified. A health check of the proxy itself is distinguished from a connection
//! whose client is unknown. And texts are cleaned, so that they can be shown to anybody.

use core::net::SocketAddr;
use std::fmt;

use crc::{CRC_32_ISCSI, Crc};
use proxy_header::{ParseConfig, Protocol, ProxyHeader, SslInfo, Tlv};
use serde::{Deserialize, Serialize};

use crate::values::text;

/// The longest header that is accepted, in bytes. Version 1 has at most 107. In version 2, the
/// fixed part and the longest addresses take 232; the rest is for the proxy's additions (TLVs).
pub const LONGEST: usize = 2048;

/// The most bytes that are kept of a text in a header.
const TEXT: usize = 128;

/// The first bytes of a header of version 2.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The first bytes of a header of version 1.
const PREFIX: &[u8; 6] = b"PROXY ";

/// Version 2: the offset of the command, and the length of the fixed part, whose last two bytes
/// give the length of the rest.
const COMMAND: usize = SIGNATURE.len();
const FIXED: usize = 16;

/// The command `LOCAL` of version 2: the proxy connects for itself, as in a health check.
const LOCAL: u8 = 0x20;

/// A complete header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The length of the header in bytes. The bytes behind it come from the client.
    pub len: usize,
    /// The party that opened the connection to the proxy.
    pub from: From,
}

/// The party that opened the connection which the proxy forwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// A client.
    Person {
        /// The client's address.
        peer: SocketAddr,
        /// The encryption between client and proxy; `None` if the header mentions none.
        encryption: Option<Encryption>,
    },
    /// The proxy itself: a health check (`LOCAL`).
    Itself,
}

/// The encryption between client and proxy, as the proxy describes it; it is as trustworthy as the
/// proxy. Each text has at most 128 bytes, and no control or invisible characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// The version of TLS, such as `TLSv1.3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The cipher suite, such as `TLS_AES_256_GCM_SHA384`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The host name that the client asked for (SNI).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The common name of the client's certificate, if the client has shown one and the proxy has
    /// verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// Why the header of a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The bytes do not begin like a header.
    NotOne,
    /// The bytes begin like a header, but are malformed.
    Form,
    /// The header would be longer than [`LONGEST`].
    TooLong,
    /// The header's checksum (CRC-32C) is wrong.
    Checksum,
    /// The header names no client (`UNKNOWN`, `AF_UNSPEC`), or one that does not use TCP.
    Unknown,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOne => "it does not begin with a header of the PROXY protocol",
            Self::Form => "its header of the PROXY protocol is malformed",
            Self::TooLong => "its header of the PROXY protocol is too long",
            Self::Checksum => "the checksum of its header of the PROXY protocol is wrong",
            Self::Unknown => "its header of the PROXY protocol does not say whose connection it is",
        })
    }
}

/// Whether `bytes` begin as a header does, as far as they go. Fewer than five bytes say nothing: some
/// of them are a newline that somebody has typed.
#[must_use]
pub fn is_begun(bytes: &[u8]) -> bool {
    let begins = |start: &[u8]| bytes.iter().zip(start).all(|(byte, wanted)| byte == wanted);
    bytes.len() >= 5 && (begins(SIGNATURE) || begins(PREFIX))
}

/// Reads the header at the start of `bytes`. These must be all bytes that the connection has
/// received, or the first [`LONGEST`] of them. `None` if the header is not complete yet.
///
/// # Errors
/// The reason why the bytes are no acceptable header, whatever bytes follow.
pub fn read(bytes: &[u8]) -> Result<Option<Header>, Wrong> {
    let has_begun = |start: &[u8]| bytes.iter().zip(start).all(|(byte, expected)| byte == expected);
    if has_begun(SIGNATURE) {
        if let Some([high, low]) = bytes.get(COMMAND + 2..FIXED)
            && FIXED + usize::from(u16::from_be_bytes([*high, *low])) > LONGEST
        {
            return Err(Wrong::TooLong);
        }
    } else if !has_begun(PREFIX) {
        return Err(Wrong::NotOne);
    }
    let whole = match bytes.get(COMMAND + 2..FIXED) {
        Some([high, low]) if bytes.starts_with(SIGNATURE) => FIXED + usize::from(u16::from_be_bytes([*high, *low])),
        _ => usize::MAX,
    };
    let config = ParseConfig { include_tlvs: true, ..ParseConfig::default() };
    let (header, len) = match ProxyHeader::parse(bytes, config) {
        Ok(header) => header,
        // A complete header of version 2 never lacks bytes: then only a length inside it can be
        // wrong.
        Err(proxy_header::Error::BufferTooShort) if bytes.len() < whole => return Ok(None),
        Err(_) => return Err(Wrong::Form),
    };
    let is_v2 = bytes.starts_with(SIGNATURE);
    if is_v2 {
        check(&header, &bytes[..len])?;
        if bytes[COMMAND] == LOCAL {
            return Ok(Some(Header { len, from: From::Itself }));
        }
    }
    let person = header.proxied_address().filter(|address| address.protocol == Protocol::Stream);
    let peer = person.map(|address| address.source).ok_or(Wrong::Unknown)?;
    Ok(Some(Header { len, from: From::Person { peer: canonical(peer), encryption: encryption(&header) } }))
}

/// The address with an IPv4-mapped IPv6 address turned into the IPv4 address.
fn canonical(peer: SocketAddr) -> SocketAddr {
    (peer.ip().to_canonical(), peer.port()).into()
}

/// Checks the TLVs behind the addresses of a version 2 header: their form, and the checksum if
/// there is one.
fn check(header: &ProxyHeader<'_>, bytes: &[u8]) -> Result<(), Wrong> {
    for tlv in header.tlvs() {
        match tlv.map_err(|_| Wrong::Form)? {
            Tlv::Crc32c(expected) if checksum(bytes, expected) != Some(expected) => return Err(Wrong::Checksum),
            Tlv::Ssl(ssl) if ssl.tlvs().any(|tlv| tlv.is_err()) => return Err(Wrong::Form),
            _ => {}
        }
    }
    Ok(())
}

/// The checksum of a header whose checksum field holds `field`: computed with zeros in place of the
/// field. `None` if no place fits.
fn checksum(bytes: &[u8], field: u32) -> Option<u32> {
    const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
    let mut whole_field = vec![3, 0, 4];
    let head = whole_field.len();
    whole_field.extend(field.to_be_bytes());
    // The bytes of the field may also stand elsewhere, in a text, so each place is tried until the
    // checksum fits.
    memchr::memmem::find_iter(&bytes[FIXED..], &whole_field)
        .map(|at| {
            let mut digest = CRC32C.digest();
            let at = FIXED + at + head;
            digest.update(&bytes[..at]);
            digest.update(&[0; 4]);
            digest.update(&bytes[at + 4..]);
            digest.finalize()
        })
        .find(|sum| *sum == field)
}

/// The encryption that a header describes; `None` if it mentions none.
fn encryption(header: &ProxyHeader<'_>) -> Option<Encryption> {
    let ssl = header.ssl().filter(|ssl| ssl.client_ssl())?;
    let is_verified = |ssl: &&SslInfo<'_>| (ssl.client_cert_conn() || ssl.client_cert_sess()) && ssl.verify() == 0;
    Some(Encryption {
        version: ssl.version().and_then(shown),
        suite: ssl.cipher().and_then(shown),
        host: header.authority().and_then(shown),
        certificate: Some(&ssl).filter(is_verified).and_then(|ssl| ssl.cn()).and_then(shown),
    })
}

/// A text cleaned for display: without control and invisible characters, and cut to at most `TEXT`
/// bytes. `None` if nothing is left.
fn shown(text: &str) -> Option<String> {
    let mut shown = text::clean(text.as_bytes()).into_owned();
    let end = shown.char_indices().map(|(at, letter)| at + letter.len_utf8()).take_while(|end| *end <= TEXT).last();
    shown.truncate(end.unwrap_or(0));
    Some(shown).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;
    use proxy_header::ProxiedAddress;

    use super::*;

    fn v2(header: &ProxyHeader<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        header.encode_v2(&mut bytes).expect("it fits");
        bytes
    }

    fn person() -> ProxyHeader<'static> {
        let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
        ProxyHeader::with_address(ProxiedAddress::stream(address("192.0.2.77:50000"), address("198.51.100.1:6969")))
    }

    fn from(peer: &str) -> From {
        From::Person { peer: peer.parse().expect("an address"), encryption: None }
    }

    #[test]
    fn both_versions_say_whose_connection_it_is() {
        for (header, expected) in [
            ("PROXY TCP4 192.0.2.77 198.51.100.1 50000 6969\r\n", from("192.0.2.77:50000")),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 50000 6969\r\n", from("[2001:db8::7]:50000")),
            ("PROXY TCP6 ::ffff:192.0.2.77 ::ffff:198.51.100.1 50000 6969\r\n", from("192.0.2.77:50000")),
        ] {
            let bytes = format!("{header}hello\r\n");
            assert_eq!(read(bytes.as_bytes()), Ok(Some(Header { len: header.len(), from: expected })), "{header:?}");
        }
        let mut bytes = v2(&person());
        let len = bytes.len();
        bytes.extend(b"hello\r\n");
        assert_eq!(read(&bytes), Ok(Some(Header { len, from: from("192.0.2.77:50000") })));
    }

    #[test]
    fn a_proxy_that_speaks_for_itself_is_told_from_one_that_does_not_know() {
        let local = v2(&ProxyHeader::with_local());
        assert_eq!(read(&local), Ok(Some(Header { len: local.len(), from: From::Itself })));
        // Addresses in a health check are ignored.
        let mut with_addresses = v2(&person());
        with_addresses[COMMAND] = LOCAL;
        assert_eq!(read(&with_addresses).map(|header| header.map(|header| header.from)), Ok(Some(From::Itself)));
        let mut unspecified = local;
        unspecified[COMMAND] = 0x21;
        let (mut of_unix, mut datagram) = (v2(&person()), v2(&person()));
        of_unix[COMMAND + 1] = 0x31;
        of_unix[COMMAND + 3] = 216;
        of_unix.resize(FIXED + 216, b'/');
        datagram[COMMAND + 1] = 0x12;
        for unknown in
            [&b"PROXY UNKNOWN\r\n"[..], b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", &unspecified, &of_unix, &datagram]
        {
            assert_eq!(read(unknown), Err(Wrong::Unknown), "{unknown:?}");
        }
    }

    #[test]
    fn what_is_no_header_is_known_at_its_first_wrong_byte() {
        for person in ["hello\r\n", "P\r\n", "PROXYTCP4", "\r\n", "\r\n\r\nh", "\u{1}", "GET / HTTP/1.1"] {
            let at = (1..=person.len()).find(|len| read(&person.as_bytes()[..*len]) != Ok(None));
            let is_expected = |at| {
                at == (0..person.len())
                    .find(|at| {
                        let len = at + 1;
                        !PREFIX.starts_with(&person.as_bytes()[..len.min(6)])
                            && !SIGNATURE.starts_with(&person.as_bytes()[..len.min(12)])
                    })
                    .map(|at| at + 1)
            };
            assert!(is_expected(at), "{person:?}: {at:?}");
            if let Some(at) = at {
                assert_eq!(read(&person.as_bytes()[..at]), Err(Wrong::NotOne));
            }
        }
        // A header that never ends.
        let endless = format!("PROXY TCP4 {}", "1".repeat(200));
        assert_eq!(read(endless.as_bytes()), Err(Wrong::Form));
        assert_eq!(read(b"PROXY TCP4 192.0.2.300 198.51.100.1 50000 6969\r\n"), Err(Wrong::Form));
        assert_eq!(read(b"PROXY TCP5 192.0.2.30 198.51.100.1 50000 6969\r\n"), Err(Wrong::Form));
        let mut version_3 = v2(&person());
        version_3[COMMAND] = 0x31;
        assert_eq!(read(&version_3), Err(Wrong::Form));
    }

    /// The first 16 bytes give the length, so the rest need not be received.
    #[test]
    fn a_header_that_would_be_too_long_is_known_before_it_has_come() {
        let mut long = v2(&person());
        long[COMMAND + 2..FIXED].copy_from_slice(&u16::try_from(LONGEST - FIXED).expect("it fits").to_be_bytes());
        assert_eq!(read(&long), Ok(None));
        long[COMMAND + 2..FIXED].copy_from_slice(&u16::try_from(LONGEST - FIXED + 1).expect("it fits").to_be_bytes());
        assert_eq!(read(&long[..FIXED - 1]), Ok(None));
        assert_eq!(read(&long[..FIXED]), Err(Wrong::TooLong));
        // A header whose addresses do not fit into its own length is complete, and is refused at
        // once.
        let mut short = v2(&person());
        short[COMMAND + 3] = 8;
        assert_eq!(read(&short[..FIXED + 7]), Ok(None));
        assert_eq!(read(&short[..FIXED + 8]), Err(Wrong::Form));
    }

    fn encrypted(cn: &str, verify: u32) -> ProxyHeader<'static> {
        let mut ssl = SslInfo::new(true, true, false, verify);
        ssl.append_tlv(Tlv::SslVersion("TLSv1.3".into()));
        ssl.append_tlv(Tlv::SslCipher("TLS_AES_256_GCM_SHA384".into()));
        ssl.append_tlv(Tlv::SslCn(cn.to_owned().into()));
        let mut header = person();
        header.append_tlv(Tlv::Authority("chat.example.org".into()));
        header.append_tlv(Tlv::Ssl(ssl));
        header.append_tlv(Tlv::UniqueId(b"42".as_slice().into()));
        header.append_tlv(Tlv::Custom(0xe0, b"of our own".as_slice().into()));
        header
    }

    fn told(header: &ProxyHeader<'_>) -> Encryption {
        match read(&v2(header)) {
            Ok(Some(Header { from: From::Person { encryption: Some(encryption), .. }, .. })) => encryption,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_proxy_says_of_encryption_is_kept_and_can_be_shown() {
        let encryption = told(&encrypted("alice", 0));
        let text = |text: &str| Some(text.to_owned());
        let expected = Encryption {
            version: text("TLSv1.3"),
            suite: text("TLS_AES_256_GCM_SHA384"),
            host: text("chat.example.org"),
            certificate: text("alice"),
        };
        assert_eq!(encryption, expected);
        // A certificate that the proxy could not verify is ignored.
        assert_eq!(told(&encrypted("alice", 18)).certificate, None);
        // Anything may be written into the name in a certificate.
        let hostile = told(&encrypted("\u{1b}[2J\r\nmallory\u{202e}", 0)).certificate.expect("something is left");
        assert!(text::is_clean(&hostile) && hostile.contains("mallory"), "{hostile:?}");
        assert!(told(&encrypted(&"ä".repeat(300), 0)).certificate.expect("a part of it").len() <= TEXT);
        // Without the flag for TLS there is no encryption.
        let mut plain = person();
        plain.append_tlv(Tlv::Ssl(SslInfo::new(false, false, false, 0)));
        assert_eq!(
            read(&v2(&plain)).map(|header| header.map(|header| header.from)),
            Ok(Some(from("192.0.2.77:50000")))
        );
    }

    #[test]
    fn a_checksum_must_be_right_wherever_it_stands() {
        const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
        let mut header = encrypted("alice", 0);
        header.append_tlv(Tlv::Crc32c(0));
        header.append_tlv(Tlv::Noop(3));
        let mut bytes = v2(&header);
        let sum = CRC32C.checksum(&bytes).to_be_bytes();
        let at = bytes.len() - 4 - 6;
        bytes[at..at + 4].copy_from_slice(&sum);
        assert!(matches!(read(&bytes), Ok(Some(_))), "{:?}", read(&bytes));
        for wrong in FIXED..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[wrong] ^= 1;
            // A changed byte may make the header malformed, or, at the checksum's type, turn the
            // checksum into another TLV.
            assert!(matches!(read(&bytes), Err(Wrong::Checksum | Wrong::Form)) || wrong == at - 3, "byte {wrong}");
        }
    }

    /// The example of RFC 3720, B.4: 32 bytes of zeros.
    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(Crc::<u32>::new(&CRC_32_ISCSI).checksum(&[0; 32]), 0x8a91_36aa);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_once_and_as_a_whole(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300),
            start in prop::sample::select(vec![&b""[..], PREFIX, SIGNATURE, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x20", b"PROXY TCP4 1.2.3.4 5.6.7.8 9 "]),
        ) {
            bytes.splice(..0, start.iter().copied());
            let whole = read(&bytes);
            // A result for a beginning of the bytes stays the same when more bytes come.
            for len in 0..bytes.len() {
                match read(&bytes[..len]) {
                    Ok(None) => {}
                    Ok(Some(header)) => {
                        prop_assert!(header.len <= len && header.len <= LONGEST);
                        prop_assert_eq!(&whole, &Ok(Some(header)));
                    }
                    Err(wrong) => prop_assert_eq!(&whole, &Err(wrong)),
                }
            }
        }

        #[test]
        fn headers_of_any_addresses_are_read_in_any_pieces(
            v4 in any::<(u32, u16)>(), v6 in any::<(u128, u16)>(), is_v4 in any::<bool>(), is_v2 in any::<bool>(),
        ) {
            let (ours, theirs): (SocketAddr, SocketAddr) = if is_v4 {
                ((Ipv4Addr::LOCALHOST, 6969).into(), (Ipv4Addr::from_bits(v4.0), v4.1).into())
            } else {
                ((Ipv6Addr::LOCALHOST, 6969).into(), (Ipv6Addr::from_bits(v6.0), v6.1).into())
            };
            let header = ProxyHeader::with_address(ProxiedAddress::stream(theirs, ours));
            let mut bytes = Vec::new();
            if is_v2 { header.encode_v2(&mut bytes) } else { header.encode_v1(&mut bytes) }.expect("it fits");
            for len in 0..bytes.len() {
                prop_assert_eq!(read(&bytes[..len]), Ok(None));
            }
            let expected = Header { len: bytes.len(), from: From::Person { peer: canonical(theirs), encryption: None } };
            bytes.push(b'x');
            prop_assert_eq!(read(&bytes), Ok(Some(expected)));
        }
    }
}
