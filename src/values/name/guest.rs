//! The names of guests, who have not taken a name: `guest-` and a keyed hash of their address and
//! port.
//!
//! The hub gives these names; nobody can take one, see [`is_reserved`](super::is_reserved).

use core::net::IpAddr;

use siphasher::sip::SipHasher24;

/// The beginning of each guest's name.
const GUEST: &str = "guest-";

/// The characters behind `guest-`. There are no vowels, so that chance spells no words, and no two
/// characters that a reader or UTS 39 could confuse: of groups such as o and 0, s and 5, or z and
/// 2, at most one is here.
pub(super) const ALPHABET: &[u8; 20] = b"bcdfghjkpstvxz346789";

/// The fewest and the most characters behind `guest-`.
pub(super) const LENGTH: core::ops::RangeInclusive<usize> = 4..=8;

/// Whether a text has the form of the names that [`guest`] makes.
pub(super) fn is_guest(text: &str) -> bool {
    text.strip_prefix(GUEST)
        .is_some_and(|rest| LENGTH.contains(&rest.len()) && rest.bytes().all(|byte| ALPHABET.contains(&byte)))
}

/// A guest's name: `guest-` and `length` characters of a keyed hash of address and port. Without
/// `key` the name tells nothing of the address. `length` is clamped to 4..=8.
///
/// The same key, address and port give the same name; an IPv4 address and its IPv4-mapped IPv6
/// address count as the same. A longer name starts with the shorter one: if a name of 4 characters
/// (one of 160,000) is taken, try 5.
#[must_use]
pub fn guest(key: &[u8; 16], addr: IpAddr, port: u16, length: usize) -> String {
    let octets = match addr {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
    .octets();
    let mut input = [0; 18];
    input[..16].copy_from_slice(&octets);
    input[16..].copy_from_slice(&port.to_be_bytes());
    let mut hash = SipHasher24::new_with_key(key).hash(&input);

    let length = length.clamp(*LENGTH.start(), *LENGTH.end());
    let mut name = String::with_capacity(GUEST.len() + length);
    name.push_str(GUEST);
    let base = ALPHABET.len() as u64;
    for _ in 0..length {
        let digit = usize::try_from(hash % base).expect("below the length of an array");
        name.push(char::from(ALPHABET[digit]));
        hash /= base;
    }
    name
}
