//! The numbers that clients, rooms, accounts and bans are known by. Each is handed out in rising order.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A client, from connecting to leaving. Handed out in rising order and never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{}", self.0)
    }
}

impl From<SessionId> for u64 {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

/// A room, from being opened to being closed. Handed out in rising order and never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(pub u64);

impl From<RoomId> for u64 {
    fn from(id: RoomId) -> Self {
        id.0
    }
}

/// The number of an account. Handed out in rising order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountId(pub u64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

/// The number of a sanction: bans, mutes and expulsions are numbered together. Handed out in rising order, as long as
/// any is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SanctionId(pub u64);

impl SanctionId {
    /// Reads what people call a sanction, such as `b3`: a letter for its kind, and its number.
    #[must_use]
    pub fn parse(text: &str) -> Option<(char, Self)> {
        let mut chars = text.chars();
        let letter = chars.next()?.to_ascii_lowercase();
        let number = chars.as_str();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && matches!(letter, 'b' | 'm' | 'x')).then(|| Some((letter, Self(number.parse().ok()?))))?
    }
}
