//! Sanctions as values: bans, mutes, expulsions, filters and lockdowns. The one table of them is
//! `table`.
//!
//! A ban keeps somebody out of the hub. A mute keeps what somebody says from others. An expulsion
//! keeps somebody out of one room. A filter keeps back texts with certain words in them. A lockdown
//! keeps newcomers out. All have one form ([`Sanction`]): about whom, why, by whom, since when,
//! until when.
//!
//! A ban or a mute is about an address, a network, or a name; a name stands for its account and for
//! the names that look like it. A mute or an expulsion of a guest is about both the name and the
//! address, so that neither another name nor another connection gets around it. A sanction about a
//! pattern of names is about everybody who has chosen such a name, except people whose account is
//! older than the sanction.
//!
//! A sanction ends by the monotonic clock. A sanction that is read from disk ends by the wall
//! clock: after the machine was switched off, no other clock tells how much time is left.
//!
//! This folder does not know who is connected: [`super::sanctioning`] applies sanctions to clients.
//!
//! | to change | see |
//! | --- | --- |
//! | the fields, kinds and targets of a sanction; how a target is typed | here |
//! | the index of all sanctions: finding, counting, expiring, keeping them | `table` |

mod table;

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::settings::Newcomers;
use crate::values::id::{RoomId, SanctionId, SessionId};
use crate::values::name::pattern::{InvalidPattern, Pattern};
use crate::values::name::{self, InvalidName, Name, TakenFor};
use crate::values::network::Network;
use crate::values::text;
use crate::values::time::{Mono, Now, Wall};
use crate::values::words;

pub(super) use table::Kept;
pub use table::{NoPlace, Sanctions};

/// The people that a sanction is about, or, for a filter, the texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// Everybody who connects from this network.
    Network(Network),
    /// Everybody who bears that name or one that looks like it, or is logged in to the account that
    /// owns it.
    Name(Name),
    /// Everybody who bears a name that the pattern finds, or is logged in to the account that owns
    /// it; operators and people whose account is older than the sanction are spared.
    Pattern(Pattern),
    /// Everybody who says a text that this finds: the target of a filter, written like the entries
    /// of the settings.
    Text(Arc<str>),
    /// Everybody who comes after the sanction began and is not logged in: the target of a lockdown.
    Newcomers,
}

/// Why a typed text is no target for a sanction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoTarget {
    /// The text looks like an address or a network, but is not a valid one.
    Network(String),
    /// The text looks like the number of a client, such as `c4`.
    Id(String),
    /// The text is not a valid name.
    Name(String, InvalidName),
    /// The text is a valid name that nobody can take, because it could be taken for something else.
    TakenFor(String, TakenFor),
    /// The text looks like a pattern, but is not a valid one.
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
            Self::TakenFor(text, TakenFor::Time) => {
                write!(f, "{text} is a length of time, and nobody can be called that: whom it is about comes first")
            }
            Self::TakenFor(text, what) => write!(f, "nobody can be called {text}: it could be taken for {what}"),
            Self::Pattern(text, invalid) => write!(f, "{text} {invalid}"),
        }
    }
}

impl core::error::Error for NoTarget {}

impl FromStr for Target {
    type Err = NoTarget;

    /// Reads a network, an address, a pattern of names, or a name. A text that looks like one of
    /// the first three is never taken for a name: a mistyped address must not become a sanction
    /// about somebody else, or about nobody.
    fn from_str(text: &str) -> Result<Self, NoTarget> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        let shown = || shown(text);
        if Pattern::is_one(text) {
            return Pattern::parse(text).map(Self::Pattern).map_err(|invalid| NoTarget::Pattern(shown(), invalid));
        }
        if name::resembles_address(text) {
            return Err(NoTarget::Network(shown()));
        }
        if name::is_id(&name::fold(text)) {
            return Err(NoTarget::Id(shown()));
        }
        Self::of_name(text)
    }
}

impl Target {
    /// Reads a name, and no other kind of target.
    ///
    /// # Errors
    /// If the text is no name, or a name that nobody can take: a sanction about it would have no
    /// effect.
    pub fn of_name(text: &str) -> Result<Self, NoTarget> {
        let name = Name::parse(text, usize::from(u8::MAX));
        let name = name.map_err(|invalid| NoTarget::Name(shown(text), invalid))?;
        match name::taken_for(&name) {
            Some(what) => Err(NoTarget::TakenFor(shown(text), what)),
            None => Ok(Self::Name(name)),
        }
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

/// The beginning of a typed text, as an error may show it: characters that must not reach a screen
/// are escaped.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(40) {
        match c {
            c if text::is_clean(c.encode_utf8(&mut [0; 4])) => shown.push(c),
            c => shown.extend(c.escape_default()),
        }
    }
    shown
}

/// Reads the text that a filter looks for: words, or a pattern between slashes.
///
/// # Errors
/// What is wrong with the text, in words.
pub fn filtered(text: &str) -> Result<Target, String> {
    let shown = shown(text);
    words::check_hasty(text).map(|()| Target::Text(text.into())).map_err(|why| format!("{shown} {why}"))
}

/// Who made a sanction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Author {
    /// An administrator, with this user id on the machine.
    Uid(u32),
    /// An operator with the account of this name.
    Account(Arc<str>),
    /// The hub itself, by its settings.
    Hub,
}

impl Author {
    /// The maker as people in chat see it; a user id would tell them nothing.
    #[must_use]
    pub fn to_people(&self) -> String {
        match self {
            Self::Uid(_) => "an administrator".to_owned(),
            other => other.to_string(),
        }
    }
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

/// What a sanction prevents; "they" are the people it is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// They do not come in.
    #[default]
    Ban,
    /// What they say reaches nobody.
    Mute {
        /// Whether they must not learn of it: a shadow-mute.
        shadow: bool,
    },
    /// They do not come into one room.
    Expulsion {
        /// The room. Its number is never another room's.
        room: RoomId,
        /// The room's name when they were sent out.
        name: Name,
    },
    /// Nobody hears what they say if certain words are in it.
    Filter {
        /// Whether using the words counts as a strike as well.
        strike: bool,
    },
    /// They do not come in, or are not heard, until they have logged in.
    Lockdown {
        /// What happens to them until then.
        newcomers: Newcomers,
    },
}

impl Kind {
    /// The letter of the kind, which begins a sanction's label: `b` in `b3`.
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

    /// The word for the kind, in lists and for programs.
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

    /// Whether both kinds prevent the same thing: a mute and a shadow-mute do, a filter with and
    /// without a strike, and two expulsions from one room.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Expulsion { room, .. }, Self::Expulsion { room: other, .. }) => room == other,
            _ => core::mem::discriminant(self) == core::mem::discriminant(other),
        }
    }

    /// Whether both kinds prevent the same thing in the same way: a mute and a shadow-mute do not.
    #[must_use]
    pub(in crate::hub) fn is_same(&self, other: &Self) -> bool {
        match self {
            Self::Mute { .. } => self == other,
            _ => self.is_like(other),
        }
    }
}

/// A sanction that somebody has asked for, before it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What the sanction prevents.
    pub kind: Kind,
    /// The people or texts that it is about.
    pub target: Target,
    /// A network around one person's address that it is about as well, besides the target.
    pub also: Option<Network>,
    /// The name of the person that it is meant for, if the target does not say it.
    pub nick: Option<Arc<str>>,
    /// The reason, as its maker gave it.
    pub reason: Option<Arc<str>>,
    /// The end; `None`: it lasts until somebody lifts it.
    pub until: Option<Wall>,
}

impl Order {
    /// An order about that target alone, without a reason or an end.
    #[must_use]
    pub fn about(kind: Kind, target: Target) -> Self {
        Self { kind, target, also: None, nick: None, reason: None, until: None }
    }

    /// The order that keeps one person from `kind`. For a person with an account, it is about the
    /// account and the address. For a guest, it is about the name and the address; but a ban of a
    /// guest is about the address alone, because anybody may take the name later.
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

/// A sanction that is in the table: somebody is kept from something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sanction {
    /// The number. All kinds of sanctions are numbered together.
    pub id: SanctionId,
    /// What the sanction prevents.
    #[serde(default, skip_serializing_if = "Kind::is_ban")]
    pub kind: Kind,
    /// The people or texts that it is about.
    pub target: Target,
    /// A network around one person's address that it is about as well, besides a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<Network>,
    /// The person's name when the sanction was made, if it was meant for one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<Arc<str>>,
    /// The reason. The people it is about are told, except for a shadow-mute.
    pub reason: Option<Arc<str>>,
    /// The maker.
    pub by: Author,
    /// The beginning: later than the beginnings of all sanctions made before.
    pub since: Wall,
    /// The newest client when the sanction was made. A lockdown is about clients that come after
    /// it, and so is the network `also` of a mute or an expulsion.
    #[serde(default)]
    pub after: SessionId,
    /// The end by the wall clock; `None`: it lasts until somebody lifts it.
    pub until: Option<Wall>,
    /// `until` by the monotonic clock, if the hub has worked that out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Mono>,
}

impl Sanction {
    /// Makes a sanction that ends by the wall clock.
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

    /// The label by which people name it: a letter for its kind, and its number, such as `m3`.
    #[must_use]
    pub fn called(&self) -> String {
        format!("{}{}", self.kind.letter(), self.id.0)
    }

    /// The maker in words. An expulsion gives the bare name of the account: its maker need not be
    /// an operator.
    #[must_use]
    pub fn maker(&self) -> String {
        match (&self.kind, &self.by) {
            (Kind::Expulsion { .. }, Author::Account(name)) => name.to_string(),
            (_, by) => by.to_string(),
        }
    }

    /// The maker in words for people in chat, who are not told an administrator's user id.
    #[must_use]
    pub fn maker_to_people(&self) -> String {
        match self.by {
            Author::Uid(_) => self.by.to_people(),
            _ => self.maker(),
        }
    }

    /// The end, for comparing; the latest possible time if there is none.
    #[must_use]
    pub fn end(&self) -> Wall {
        self.until.unwrap_or(Wall(i64::MAX))
    }

    /// The networks that it is about: the target and `also`.
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
        for (text, what) in [("1h", TakenFor::Time), ("10M", TakenFor::Time), ("c4_", TakenFor::Id)] {
            assert_eq!(text.parse::<Target>(), Err(NoTarget::TakenFor(text.to_owned(), what)));
        }
        for (text, what) in [("127.0.0.1", TakenFor::Address), ("c3", TakenFor::Id), ("0x7f000001", TakenFor::Number)] {
            assert_eq!(Target::of_name(text), Err(NoTarget::TakenFor(text.to_owned(), what)));
        }
        assert!(matches!("127.0.0.1".parse(), Ok(Target::Network(_))));
        // An earlier release took this text for a name.
        let old: Target = serde_json::from_str(r#"{"Name":"192.168.1"}"#).expect("a ban that was made");
        assert!(matches!(old, Target::Name(_)));
    }

    #[test]
    fn networks_of_ipv6_contain_no_ipv4_address_however_it_is_written() {
        let all: Network = "::/0".parse().expect("a network");
        assert!(all.has("2001:db8::1".parse().expect("an address")));
        assert!(!all.has("192.0.2.1".parse().expect("an address")));
        assert!(!all.has("::ffff:192.0.2.1".parse().expect("an address")), "it is an IPv4 address");
        let all: Network = "0.0.0.0/0".parse().expect("a network");
        assert!(all.has("::ffff:192.0.2.1".parse().expect("an address")));
    }
}
