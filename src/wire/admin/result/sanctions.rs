//! What people are kept from: bans, mutes, expulsions, filters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Person;
use crate::wire::admin::value::Time;

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ban {
    /// The id, such as `b3`.
    pub id: String,
    /// The network, the name, or the pattern of names.
    pub target: String,
    /// `network`, `name` or `pattern`.
    pub kind: String,
    /// The address that is kept out as well, if the ban is of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The name of the person for whom the ban was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The reason that those are told who are kept out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made the ban: `uid 0`.
    pub by: String,
    /// When the ban was made.
    pub since: Time,
    /// When the ban ends; absent if it lasts until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanList {
    /// The bans, the oldest first.
    pub bans: Vec<Ban>,
    /// The number of bans in the list.
    pub total: u64,
    /// Whether the bans outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// Who is kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Banned {
    /// The ban; absent with `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<Ban>,
    /// Ids of the clients that were disconnected, or would be.
    pub disconnected: Vec<String>,
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// The former ban of the same target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Ban>,
    /// Whether nothing was changed.
    pub dry_run: bool,
}

/// Who is no longer kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unbanned {
    /// The ban that was lifted.
    pub removed: Ban,
}

/// What was found among the bans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BanTest {
    /// Bans that keep it out.
    pub bans: Vec<Ban>,
    /// Ids of the clients that a ban of it would hit.
    pub clients: Vec<String>,
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// Something that somebody is kept from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sanction {
    /// The id: a letter for the kind and a number, such as `m4`.
    pub id: String,
    /// `ban`, `mute`, `shadow-mute`, `expulsion`, `filter`, `strike-filter` or `lockdown`.
    pub kind: String,
    /// The name of the room, of an expulsion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// The network, the name or the pattern of names that it is about; what a filter finds; `newcomers`.
    pub target: String,
    /// The address that it is about as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The name of the person for whom the sanction was meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The reason, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made the sanction, such as `uid 0`.
    pub by: String,
    /// When the sanction was made.
    pub since: Time,
    /// When the sanction ends; absent if it lasts until it is lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// A filter that was made, or would be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filtered {
    /// The filter; absent after a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Sanction>,
    /// The one that it has taken the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Sanction>,
    /// In how many of the lines that were said last it finds something.
    pub lines: u64,
    /// At how many lines it looked: some of each room that is not private.
    pub looked_at: u64,
    /// Under which names those lines were said.
    pub names: Vec<String>,
    /// Nothing was changed.
    pub dry_run: bool,
}

/// The filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilterList {
    /// Those made while the hub runs, by age.
    pub filters: Vec<Sanction>,
    /// What the setting `filters.refuse` says.
    pub refuse: Vec<String>,
    /// What the setting `filters.strike` says.
    pub strike: Vec<String>,
}

/// Sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanctionList {
    /// The sanctions, the oldest first.
    pub sanctions: Vec<Sanction>,
    /// The number of sanctions in the list.
    pub total: u64,
    /// Whether the sanctions outlive the daemon.
    pub persistent: bool,
    /// Whether there may be more on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// What was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lifted {
    /// The sanction as it was.
    pub lifted: Sanction,
}

/// What was found among the sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanctionTest {
    /// The sanctions that apply to the target.
    pub sanctions: Vec<Sanction>,
    /// Ids of the clients that one more about it would reach.
    pub clients: Vec<String>,
    /// The same with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}
