//! One client: its name, its room, its wishes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::account::AccountId;
use super::archive::Search;
use super::ignore::{Borne, Ignored};
use super::inbound::Inbound;
use super::login::{Asking, Dialogue};
use super::message::{RoomId, SessionId, View};
use super::moderation::Network;
use super::name::Name;
use super::pace::Pace;
use super::strike::LastSaid;
use super::terminal::{Colors, Mode, Terminal};
use super::time::{Mono, Now, Wall};

/// A client that is connected. There are as many of these as clients, most of which are quiet: what few have is
/// boxed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Where it comes from. Told to administrators only.
    pub peer: SocketAddr,
    /// Its name.
    pub nick: Name,
    /// The room it is in.
    pub room: RoomId,
    /// Since when it is connected.
    pub since: Wall,
    /// When it last sent a line.
    pub spoke: Mono,
    /// Why it is away, if it is; empty if it has not said why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Arc<str>>,
    /// Whether arrivals and departures are hidden from it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub quiet: bool,
    /// How it sees lines.
    #[serde(default, skip_serializing_if = "is_default")]
    pub view: View,
    /// Its terminal, as far as it has told.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terminal: Terminal,
    /// Whether it wants colours; `None` if it has not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub colors: Option<bool>,
    /// Who is to edit what it types; `None` if it has not said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub wants: Option<Mode>,
    /// What its program was asked for last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asked: Mode,
    /// Who edits what it types.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// Whether what others say waits until it has sent a line.
    #[serde(default, skip_serializing_if = "is_default")]
    pub holds: bool,
    /// Whom it ignores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignoring: Vec<Ignored>,
    /// The ignored names that it bears or has borne.
    #[serde(default, skip_serializing_if = "Borne::is_empty")]
    pub borne: Borne,
    /// Who sent it a private message last, and under which name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_from: Option<Box<(SessionId, Arc<str>)>>,
    /// What others have sent to it of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inbound: Option<Box<Inbound>>,
    /// It takes nothing of what is meant for it alone, and much of it waits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crowded: bool,
    /// The account that it is logged in to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// It waits at the door until it has logged in, and until when at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_door: Option<Mono>,
    /// What it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialogue: Option<Box<Dialogue>>,
    /// How it stands with that.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asking: Asking,
    /// Whether it may not be heard, and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Box<Mute>>,
    /// What it said last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub last_said: LastSaid,
    /// The first line of its room that it may see.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sees_from: u64,
    /// The search it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searching: Option<Box<Search>>,
    /// How fast it sends.
    #[serde(default, skip_serializing_if = "is_default")]
    pub pace: Pace,
    /// Lines it has sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lines: u64,
    /// Lines of it that were dropped.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dropped: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A mute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// When it ends: for the clock, and for people. `None`: when it is lifted.
    pub until: Option<(Mono, Wall)>,
    /// It is not to be known to whom it is about: what they say looks said to them.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shadow: bool,
}

impl Session {
    /// The mute in force at `now`, if any.
    #[must_use]
    pub fn muted(&self, now: Now) -> Option<Mute> {
        self.mute.as_deref().copied().filter(|mute| mute.until.is_none_or(|(mono, _)| now.mono < mono))
    }

    /// How it is to see lines, after its wishes and its terminal.
    #[must_use]
    pub fn suitable_view(&self) -> View {
        let colors = match self.colors {
            Some(false) => Colors::None,
            Some(true) => self.terminal.colors.max(Colors::Basic),
            // Where there is no size there is no terminal, but a pipe with a terminal's name.
            None if self.terminal.read_aloud || self.terminal.cols == 0 => Colors::None,
            None => self.terminal.colors,
        };
        View { time: self.view.time, colors, width: self.terminal.width(), ascii: self.terminal.ascii }
    }

    /// How long it has not sent a line.
    #[must_use]
    pub fn idle(&self, now: Now) -> Duration {
        now.mono.since(self.spoke)
    }
}

/// What counts as one address for the limit of clients per address: an IPv4 address, or an IPv6 /64,
/// which is what one subscriber usually has.
///
/// Half an IPv6 address, for the /64; IPv4 addresses are where there is none that anybody could come from,
/// among those of multicast. Each client is found by it in several tables: so it is no longer than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(u64);

/// Where IPv4 addresses are among the halves of IPv6 addresses.
const V4: u64 = 0xFFFF_FFFF_0000_0000;

/// Its first address, as text: more digits than a number of JSON can have.
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
    /// Its first address: what tells it from others.
    pub(super) fn bits(self) -> u128 {
        match u32::try_from(self.0 ^ V4) {
            Ok(v4) => Ipv4Addr::from_bits(v4).to_ipv6_mapped().to_bits(),
            Err(_) => u128::from(self.0) << 64,
        }
    }

    /// A number that no other has, in the order of networks.
    pub(super) fn number(self) -> u64 {
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

    /// The first and the last origin that part of that network can belong to.
    #[must_use]
    pub fn range(network: &Network) -> (Self, Self) {
        let (first, last) = network.ends();
        (Self::of(first), Self::of(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the counters of [`CopyOnWrite`](super::super::CopyOnWrite), as much as malloc(3) gives without a step more.
    #[test]
    fn a_session_takes_little() {
        assert!(size_of::<Session>() <= 344, "{}", size_of::<Session>());
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
