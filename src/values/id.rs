//! Number types: clients, rooms, accounts, sanctions, reports, memos. Each kind counts upwards in
//! its own sequence.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The number of a client's session, from connecting to leaving. Numbers rise, and none is used
/// twice. Shown as `c12`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

impl SessionId {
    /// The numbers from this one on are of other hubs' people. It is not the highest bit: with that, a number would be
    /// negative in SQLite, which has no unsigned ones.
    const REMOTE: u64 = 1 << 62;

    /// The number for somebody at another hub, made of a hash that tells them apart.
    #[must_use]
    pub const fn remote(hash: u64) -> Self {
        Self(Self::REMOTE | (hash & (Self::REMOTE - 1)))
    }

    /// Whether it is the number of somebody at another hub: a client of this one never gets such a number.
    #[must_use]
    pub const fn is_remote(self) -> bool {
        self.0 >= Self::REMOTE
    }
}

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

/// The number of a room, from opening to closing. Numbers rise, and none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoomId(pub u64);

impl From<RoomId> for u64 {
    fn from(id: RoomId) -> Self {
        id.0
    }
}

/// The number of an account. Numbers rise. Shown as `a12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountId(pub u64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a{}", self.0)
    }
}

/// The number of a sanction: bans, mutes, expulsions, filters and lockdowns are numbered together.
/// Numbers rise for as long as a snapshot or the disk holds any sanction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SanctionId(pub u64);

impl SanctionId {
    /// Reads a sanction's id as people write it, such as `b3`: a letter for its kind (b for a ban,
    /// m a mute, x an expulsion, f a filter, l a lockdown) in either case, then its number. Returns
    /// the letter in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<(char, Self)> {
        let mut chars = text.chars();
        let letter = chars.next()?.to_ascii_lowercase();
        let number = chars.as_str();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && matches!(letter, 'b' | 'm' | 'x' | 'f' | 'l'))
            .then(|| Some((letter, Self(number.parse().ok()?))))?
    }
}

/// The number of a memo. Numbers rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MemoId(pub u64);

/// The number of a report. Numbers rise. Shown as `r12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportId(pub u64);

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "r{}", self.0)
    }
}

impl ReportId {
    /// Reads a report's id, such as `r12` or `R12`; `None` if the text is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['r', 'R'])?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse().ok().map(Self))
            .flatten()
    }

    /// Reads a range of reports: `r12` alone, or `r12-r15` or `r12-15` with both ends included.
    /// `None` if the text is no range, or runs backwards.
    #[must_use]
    pub fn parse_range(text: &str) -> Option<core::ops::RangeInclusive<Self>> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let first = Self::parse(first)?;
        let last = Self::parse(last).or_else(|| Self::parse(&format!("r{last}")))?;
        (first <= last).then_some(first..=last)
    }

    /// Whether `text` is a range whose last number is smaller than its first, such as `r5-r2`.
    #[must_use]
    pub fn is_backwards(text: &str) -> bool {
        text.split_once('-').is_some_and(|(first, last)| {
            let last = Self::parse(last).or_else(|| Self::parse(&format!("r{last}")));
            Self::parse(first).zip(last).is_some_and(|(first, last)| first > last)
        })
    }
}
