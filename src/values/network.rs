//! Networks, and which addresses count as one.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A network: all addresses that begin with the same bits. An IPv4-mapped IPv6 address counts as the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    pub(crate) is_v6: bool,
    pub(crate) length: u8,
    /// The first address, in the low bits: all bits after the prefix are zero.
    pub(crate) bits: u128,
}

impl Network {
    /// The network of the first `length` bits of `addr`; `None` if the address has fewer.
    #[must_use]
    pub fn new(addr: IpAddr, length: u8) -> Option<Self> {
        let (is_v6, bits, width) = match addr {
            IpAddr::V4(v4) => (false, u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (true, v6.to_bits(), 128),
        };
        let host: u32 = u32::checked_sub(width, length.into())?;
        // A plain shift by all 128 bits would overflow.
        let bits = bits.checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0);
        Some(Self { is_v6, length, bits })
    }

    /// The network that one subscriber usually has: an IPv4 address, or an IPv6 /64.
    #[must_use]
    pub fn around(addr: IpAddr) -> Self {
        let addr = addr.to_canonical();
        Self::new(addr, if addr.is_ipv6() { 64 } else { 32 }).expect("addresses are that long")
    }

    /// The first and the last address of the network.
    #[must_use]
    pub fn ends(&self) -> (IpAddr, IpAddr) {
        let width: u32 = if self.is_v6 { 128 } else { 32 };
        let host = u128::MAX.checked_shr(128 - (width - u32::from(self.length))).unwrap_or(0);
        let address = |bits: u128| match u32::try_from(bits) {
            Ok(bits) if !self.is_v6 => IpAddr::V4(Ipv4Addr::from_bits(bits)),
            _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        (address(self.bits), address(self.bits | host))
    }

    /// Whether the address is in the network.
    #[must_use]
    pub fn has(&self, addr: IpAddr) -> bool {
        Self::new(addr.to_canonical(), self.length).is_some_and(|other| other == *self)
    }

    /// Whether all of `other` is in this network.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let width = if self.is_v6 { 128 } else { 32 };
        self.is_v6 == other.is_v6
            && self.length <= other.length
            && (self.bits ^ other.bits).checked_shr(width - u32::from(self.length)).unwrap_or(0) == 0
    }

    /// Whether `text` writes it with its own first address, or as an address: `10.1.2.3/8` is a slip of some kind.
    #[must_use]
    pub fn is_written_so(&self, text: &str) -> bool {
        let is_first = |addr: &str| addr.parse::<IpAddr>().is_ok_and(|addr| addr.to_canonical() == self.ends().0);
        text.split_once('/').is_none_or(|(addr, _)| is_first(addr))
    }

    /// How much it is, in words that tell no address: `an address`, `a network of 256 addresses`.
    #[must_use]
    pub fn size(&self) -> String {
        match (self.is_v6, self.length) {
            (false, 32) | (true, 64..) => "an address".into(),
            (false, length) => format!("a network of {} addresses", 1_u64 << (32 - length)),
            (true, length @ 1..) => format!("a /{length} of IPv6"),
            (true, 0) => "all of IPv6".into(),
        }
    }

    /// Whether it has more subscribers than one would ban without a second thought: more than a /16 of IPv4, or a /32 of
    /// IPv6, which is what one provider has.
    #[must_use]
    pub fn is_broad(&self) -> bool {
        self.length < if self.is_v6 { 32 } else { 16 }
    }

    /// Whether the network is larger than the largest ones that were ever given to one owner. Banning it must be a
    /// mistake, unless somebody says that it is not.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        self.length < if self.is_v6 { 16 } else { 8 }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_v6 {
            write!(f, "{}/{}", Ipv6Addr::from_bits(self.bits), self.length)
        } else {
            let bits = u32::try_from(self.bits).expect("an IPv4 address has 32 bits");
            write!(f, "{}/{}", Ipv4Addr::from_bits(bits), self.length)
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or an address without a length.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network such as 192.0.2.0/24 or 2001:db8::/32");
        let (addr, length) = match text.split_once('/') {
            Some((addr, length)) => (addr, Some(length)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().map_err(|_| wrong())?;
        let canonical = addr.to_canonical();
        let width = if canonical.is_ipv6() { 128 } else { 32 };
        let length = match length {
            None => width,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let length: u8 = digits.parse().map_err(|_| wrong())?;
                // ::ffff:192.0.2.0/120 is 192.0.2.0/24.
                if addr == canonical { length } else { length.checked_sub(96).ok_or_else(wrong)? }
            }
            Some(_) => return Err(wrong()),
        };
        Self::new(canonical, length).ok_or_else(wrong)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// The addresses that count as one, for the limit of clients per address and others: an IPv4 address, or an IPv6 /64,
/// which is what one subscriber usually has.
///
/// The number is the upper half of an IPv6 address. IPv4 addresses are mapped to halves of multicast addresses, from
/// which nobody connects. Several tables have an origin for each client, so it has only 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(u64);

/// The bits that mark an IPv4 address among the upper halves of IPv6 addresses.
const V4: u64 = 0xFFFF_FFFF_0000_0000;

/// Serialized as the text of the first address, because JSON numbers have too few digits.
impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:x}", self.bits()))
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let first = u128::from_str_radix(&String::deserialize(from)?, 16).map_err(de::Error::custom)?;
        Ok(Self::of(Ipv6Addr::from_bits(first).into()))
    }
}

impl Origin {
    /// The first address, as a number.
    pub(crate) fn bits(self) -> u128 {
        match u32::try_from(self.0 ^ V4) {
            Ok(v4) => Ipv4Addr::from_bits(v4).to_ipv6_mapped().to_bits(),
            Err(_) => u128::from(self.0) << 64,
        }
    }

    /// The first address.
    #[must_use]
    pub fn first(self) -> IpAddr {
        IpAddr::V6(Ipv6Addr::from_bits(self.bits())).to_canonical()
    }

    /// The origin's number: unique, and in the order of networks.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The origin that an address belongs to.
    #[must_use]
    pub fn of(addr: IpAddr) -> Self {
        match addr.to_canonical() {
            IpAddr::V4(v4) => Self(V4 | u64::from(v4.to_bits())),
            IpAddr::V6(v6) => Self(u64::try_from(v6.to_bits() >> 64).expect("half of it")),
        }
    }

    /// The first and the last origin that has addresses of the network.
    #[must_use]
    pub fn range(network: &Network) -> (Self, Self) {
        let (first, last) = network.ends();
        (Self::of(first), Self::of(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_people_write_them() {
        for (written, shown) in [
            ("192.0.2.1", "192.0.2.1/32"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2001:db8:1:2:3::/64", "2001:db8:1:2::/64"),
            ("::/0", "::/0"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::ffff:192.0.2.1/120", "192.0.2.0/24"),
        ] {
            assert_eq!(
                written.parse::<Network>().map(|network| network.to_string()),
                Ok(shown.to_owned()),
                "{written}"
            );
        }
        for wrong in [
            "",
            "/",
            "192.0.2.0/33",
            "192.0.2.0/-1",
            "192.0.2.0/+1",
            "192.0.2.0/",
            "::/129",
            "ann",
            "1.2.3/8",
            "::ffff:1.2.3.4/95",
        ] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert!("0.0.0.0/0".parse::<Network>().is_ok_and(|network| network.is_wide()));
        assert!("10.0.0.0/8".parse::<Network>().is_ok_and(|network| !network.is_wide()));
    }

    #[test]
    fn an_origin_is_written_as_its_first_address_and_read_again() {
        for (address, written) in [
            ("192.0.2.1", "\"ffffc0000201\""),
            ("::ffff:192.0.2.1", "\"ffffc0000201\""),
            ("2001:db8:1:2:3:4:5:6", "\"20010db8000100020000000000000000\""),
            ("::1", "\"0\""),
        ] {
            let origin = Origin::of(address.parse().expect("an address"));
            assert_eq!(serde_json::to_string(&origin).expect("text"), written);
            assert_eq!(serde_json::from_str::<Origin>(written).expect("text"), origin);
        }
    }
}
