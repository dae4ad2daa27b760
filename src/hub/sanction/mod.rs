//! What people are kept from: sanctions as values. The one table of them is `table`.
//!
//! A ban keeps somebody out, a mute keeps what they say from others, an expulsion keeps them out of one room, a filter
//! keeps back texts with certain words in them, a lockdown keeps newcomers out. All have one form ([`Sanction`]): whom,
//! why, by whom, since when, until when. A ban or a mute is about an address, a network, or a name, which stands for its
//! account and for the names that look like it; one about a guest is about both the name and the address, so that
//! neither another name nor another connection gets around it. One about a pattern of names is about whoever bears such
//! a name that they have chosen, but for those whose account is older than it.
//!
//! A sanction ends by the clock that never jumps. When one is read from disk, the clock on the wall says how long that
//! is: it is all that a machine knows after it was switched off.

mod table;

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::settings::Newcomers;
use crate::values::id::{RoomId, SanctionId, SessionId};
use crate::values::name::pattern::{InvalidPattern, Pattern};
use crate::values::name::{self, InvalidName, Name};
use crate::values::network::Network;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words;

pub(super) use table::Kept;
pub use table::{NoPlace, Sanctions};

/// Whom a sanction is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Whoever comes from there.
    Network(Network),
    /// Whoever bears that name, or one that looks like it, or is logged in to the account that owns it.
    Name(Name),
    /// Whoever bears a name that the pattern finds, or is logged in to the account that owns it, but for those whose
    /// account was made before, and operators.
    Pattern(Pattern),
    /// Whoever says what has that in it: an entry as those of the settings are, of a filter.
    Text(Arc<str>),
    /// Whoever comes later and is not logged in: of a lockdown.
    Newcomers,
}

/// Why a text is nobody whom a sanction could be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// It is written like an address or a network, and is none.
    Network(String),
    /// It is written like an id.
    Id(String),
    /// It can be nobody's name.
    Name(String, InvalidName),
    /// It is written like a pattern, and is none that could be meant.
    Pattern(String, InvalidPattern),
}

impl fmt::Display for NoTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(text) => {
                write!(f, "{text} is no address, and no network such as 192.0.2.0/24 or 2001:db8::/32")
            }
            Self::Id(text) => write!(f, "{text} is an id; a ban is of an address, a network or a name"),
            Self::Name(text, invalid) => write!(f, "{text} is no address or network, and as a name it {invalid}"),
            Self::Pattern(text, invalid) => write!(f, "{text} {invalid}"),
        }
    }
}

impl core::error::Error for NoTarget {}

impl FromStr for Target {
    type Err = NoTarget;

    /// Reads a network, an address, a pattern of names, or a name. What is written like one of the former is never taken
    /// for a name: a slip would keep out another one than was meant, or nobody.
    fn from_str(text: &str) -> Result<Self, NoTarget> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let shown = || text.chars().take(40).collect::<String>();
        if Pattern::is_one(text) {
            return Pattern::parse(text).map(Self::Pattern).map_err(|invalid| NoTarget::Pattern(shown(), invalid));
        }
        if name::resembles_address(text) {
            return Err(NoTarget::Network(shown()));
        }
        if name::is_id(&name::fold(text)) {
            return Err(NoTarget::Id(shown()));
        }
        Name::parse(text, usize::from(u8::MAX)).map(Self::Name).map_err(|invalid| NoTarget::Name(shown(), invalid))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::Pattern(pattern) => pattern.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Newcomers => f.write_str("newcomers"),
        }
    }
}

/// Reads what a filter is to find: words, or a pattern between slashes.
///
/// # Errors
/// What is wrong with it, in words.
pub fn filtered(text: &str) -> Result<Target, String> {
    let shown: String = text.chars().take(40).collect();
    words::check_hasty(text).map(|()| Target::Text(text.into())).map_err(|why| format!("{shown} {why}"))
}

/// Who made a sanction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Author {
    /// An administrator with this user id.
    Uid(u32),
    /// An operator with the account of this name.
    Account(Arc<str>),
    /// The hub itself, by its settings.
    Hub,
}

impl fmt::Display for Author {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uid(uid) => write!(f, "uid {uid}"),
            Self::Account(name) => write!(f, "operator {name}"),
            Self::Hub => f.write_str("the hub"),
        }
    }
}

/// What somebody is kept from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// They do not come in.
    #[default]
    Ban,
    /// What they say reaches nobody.
    Mute {
        /// They are not to know.
        shadow: bool,
    },
    /// They do not come into one room.
    Expulsion {
        /// The room. Its number is never another room's.
        room: RoomId,
        /// Its name when they were sent out.
        name: Name,
    },
    /// What they say with certain words in it reaches nobody.
    Filter {
        /// It is a strike as well.
        strike: bool,
    },
    /// They do not come in, or are not heard, until they have logged in.
    Lockdown {
        /// What becomes of them.
        newcomers: Newcomers,
    },
}

impl Kind {
    /// The letter before the number by which people call one.
    #[must_use]
    pub fn letter(&self) -> char {
        match self {
            Self::Ban => 'b',
            Self::Mute { .. } => 'm',
            Self::Expulsion { .. } => 'x',
            Self::Filter { .. } => 'f',
            Self::Lockdown { .. } => 'l',
        }
    }

    /// The word for it in lists and for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Mute { shadow: false } => "mute",
            Self::Mute { shadow: true } => "shadow-mute",
            Self::Expulsion { .. } => "expulsion",
            Self::Filter { strike: false } => "filter",
            Self::Filter { strike: true } => "strike-filter",
            Self::Lockdown { .. } => "lockdown",
        }
    }

    fn is_ban(&self) -> bool {
        *self == Self::Ban
    }

    /// Whether they keep from the same: a shadow-mute and a mute do, and two filters.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Expulsion { room, .. }, Self::Expulsion { room: other, .. }) => room == other,
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }
}

/// A sanction that is wanted, before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// From what.
    pub kind: Kind,
    /// Whom it is about.
    pub target: Target,
    /// The address that it is about as well.
    pub also: Option<Network>,
    /// What the person was called that it was meant for, where the target does not say it.
    pub nick: Option<Arc<str>>,
    /// Why.
    pub reason: Option<Arc<str>>,
    /// Until when.
    pub until: Option<Wall>,
}

impl Order {
    /// One about that alone, without a reason or an end.
    #[must_use]
    pub fn about(kind: Kind, target: Target) -> Self {
        Self { kind, target, also: None, nick: None, reason: None, until: None }
    }

    /// What keeps one person from `kind`: their account and address, or their name and address if they are a guest.
    /// A ban of a guest is about the address alone: a name that a guest had can be anybody's.
    #[must_use]
    pub fn about_one(kind: Kind, account: Option<Name>, nick: &Name, addr: IpAddr) -> Self {
        let around = Network::around(addr);
        let (target, also) = match account {
            None if kind == Kind::Ban => (Target::Network(around), None),
            None => (Target::Name(nick.clone()), Some(around)),
            Some(name) => (Target::Name(name), Some(around)),
        };
        Self { also, nick: Some(nick.shown().into()), ..Self::about(kind, target) }
    }
}

/// Something that somebody is kept from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// Its number. Bans, mutes and expulsions are numbered together.
    pub id: SanctionId,
    /// From what.
    #[serde(default, skip_serializing_if = "Kind::is_ban")]
    pub kind: Kind,
    /// Whom it is about.
    pub target: Target,
    /// Whom besides: the address of a guest whose name is the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<Network>,
    /// What the person was called that it was meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<Arc<str>>,
    /// Why; told to those it is about, but for a shadow-mute.
    pub reason: Option<Arc<str>>,
    /// Who made it.
    pub by: Author,
    /// Since when.
    pub since: Wall,
    /// The last client that had come by then: the address of a mute is for those who come after it.
    #[serde(default)]
    pub after: SessionId,
    /// Until when; `None`: until it is lifted.
    pub until: Option<Wall>,
    /// When that is by the clock that does not jump, if the hub has lived since it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Mono>,
}

impl Sanction {
    /// One that ends by the clock on the wall.
    #[must_use]
    pub fn new(id: SanctionId, order: Order, by: Author, since: Wall) -> Self {
        let Order { kind, target, also, nick, reason, until } = order;
        Self { id, kind, target, also, nick, reason, by, since, after: SessionId(0), until, ends: None }
    }

    /// Whether it is in force at `now`.
    #[must_use]
    pub fn holds(&self, now: Now) -> bool {
        match self.ends {
            Some(ends) => now.mono < ends,
            None => self.until.is_none_or(|until| now.wall < until),
        }
    }

    /// What people call it: a letter for its kind, and its number.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{}{}", self.kind.letter(), self.id.0)
    }

    /// Who made it, in words. An expulsion is made by who has the room's say.
    #[must_use]
    pub fn maker(&self) -> String {
        match (&self.kind, &self.by) {
            (Kind::Expulsion { .. }, Author::Account(name)) => name.to_string(),
            (_, by) => by.to_string(),
        }
    }

    /// How long it holds, for comparing.
    #[must_use]
    pub fn end(&self) -> Wall {
        self.until.unwrap_or(Wall(i64::MAX))
    }

    /// The networks and the name that it is about.
    fn networks(&self) -> impl Iterator<Item = &Network> {
        let first = match &self.target {
            Target::Network(network) => Some(network),
            _ => None,
        };
        first.into_iter().chain(&self.also)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_like_an_address_is_no_name() {
        for text in [
            "192.168.1",
            "10.0.0.256",
            "::g",
            "10.0.0.0/33",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:80",
            "010.0.0.1",
            "10.0.0.*",
            "10.0.0.1-10.0.0.9",
            "42",
        ] {
            assert_eq!(text.parse::<Target>(), Err(NoTarget::Network(text.to_owned())));
        }
        assert_eq!("c4".parse::<Target>(), Err(NoTarget::Id("c4".to_owned())));
        assert!(matches!("ann".parse(), Ok(Target::Name(_))));
        assert!(matches!("127.0.0.1".parse(), Ok(Target::Network(_))));
        // As it was taken by a former release.
        let old: Target = serde_json::from_str(r#"{"Name":"192.168.1"}"#).expect("a ban that was made");
        assert!(matches!(old, Target::Name(_)));
    }

    #[test]
    fn one_family_is_not_the_other() {
        let all: Network = "::/0".parse().expect("a network");
        assert!(all.has("2001:db8::1".parse().expect("an address")));
        assert!(!all.has("192.0.2.1".parse().expect("an address")));
        assert!(!all.has("::ffff:192.0.2.1".parse().expect("an address")), "it is an IPv4 address");
        let all: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(all.has("::ffff:192.0.2.1".parse().expect("an address")));
    }
}
