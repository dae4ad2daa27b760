//! Guests' names, for those who have taken none: `guest-` and a keyed hash of where they come from.
//!
//! The hub gives them; nobody can take one, see [`is_reserved`](super::is_reserved).

use core::net::IpAddr;

use siphasher::sip::SipHasher24;

/// What a guest's name begins with.
const GUEST: &str = "guest-";

/// What a guest's name ends in: no two characters that a reader or UTS 39 could confuse (no i, l,
/// 1; o, 0; m, n, r; u, v, w, y; s, 5; z, 2; g, q), and no vowels, so that chance spells no words.
pub(super) const ALPHABET: &[u8; 20] = b"bcdfghjkpstvxz346789";

/// The fewest and the most characters behind `guest-`.
pub(super) const LENGTH: core::ops::RangeInclusive<usize> = 4..=8;

/// Whether a text is a name as [`guest`] makes it.
pub(super) fn is_guest(text: &str) -> bool {
    text.strip_prefix(GUEST)
        .is_some_and(|rest| LENGTH.contains(&rest.len()) && rest.bytes().all(|byte| ALPHABET.contains(&byte)))
}

/// A guest's name: `guest-` and `length` characters (taken as 4 below 4, as 8 above
/// 8) of a keyed hash of address and port, so that it tells nothing of the address without `key`.
///
/// The same address and port give the same name while the key stays, and an IPv4 address is the
/// same mapped into IPv6. A longer name starts with the shorter one: where 4 characters (one in
/// 160,000) are taken, try one more.
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
