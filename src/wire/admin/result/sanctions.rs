//! What people are kept from: bans, mutes, expulsions, filters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Person;
use crate::wire::admin::value::Time;

/// A ban.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ban {
    /// The ban's id, such as `b3`.
    pub id: String,
    /// Whom the ban keeps out: a network, a name, or a pattern of names.
    pub target: String,
    /// The kind of the ban's target: `network`, `name` or `pattern`.
    pub kind: String,
    /// The address that is kept out as well; absent unless the ban is of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The name of the person for whom the ban was meant; absent if it was meant for nobody in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The reason that those are told who are kept out; absent if none was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who made the ban, such as `uid 0`.
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
    /// Whether there may be more bans on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// Who is kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Banned {
    /// The ban; absent with `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban: Option<Ban>,
    /// The ids of the clients that were disconnected, or would be.
    pub disconnected: Vec<String>,
    /// The clients that were disconnected, or would be, with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
    /// The former ban of the same target, in whose place the new one is; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Ban>,
    /// Whether nothing was changed, because the request had `dry_run`.
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
    /// The bans that keep the target out.
    pub bans: Vec<Ban>,
    /// The ids of the clients that a ban of the target would hit.
    pub clients: Vec<String>,
    /// The clients that a ban of the target would hit, with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

/// Something that somebody is kept from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sanction {
    /// The sanction's id: a letter for the kind and a number, such as `m4`.
    pub id: String,
    /// The kind of the sanction: `ban`, `mute`, `shadow-mute`, `expulsion`, `filter`, `strike-filter` or `lockdown`.
    pub kind: String,
    /// The name of the room from which somebody is expelled; absent unless the sanction is an expulsion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Whom the sanction is about: a network, a name or a pattern of names; of a filter, what it finds; of a lockdown,
    /// `newcomers`.
    pub target: String,
    /// The address that the sanction is about as well; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// The name of the person for whom the sanction was meant; absent if it was meant for nobody in particular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<String>,
    /// The reason for the sanction; absent if none was given.
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
    /// The filter that was made; absent with `dry_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Sanction>,
    /// The former filter that finds the same, in whose place the new one is; absent if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Sanction>,
    /// The number of lines among those that were said last in which the filter finds something.
    pub lines: u64,
    /// The number of lines at which the filter looked: some of each room that is not private.
    pub looked_at: u64,
    /// The names under which the lines were said in which the filter finds something.
    pub names: Vec<String>,
    /// Whether nothing was changed, because the request had `dry_run`.
    pub dry_run: bool,
}

/// The filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilterList {
    /// The filters that were made while the hub runs, the oldest first.
    pub filters: Vec<Sanction>,
    /// The entries of the setting `filters.refuse`.
    pub refuse: Vec<String>,
    /// The entries of the setting `filters.strike`.
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
    /// Whether there may be more sanctions on disk, which cannot be read now.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub unread: bool,
}

/// What was lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lifted {
    /// The sanction that was lifted, as it was.
    pub lifted: Sanction,
}

/// What was found among the sanctions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SanctionTest {
    /// The sanctions that apply to the target.
    pub sanctions: Vec<Sanction>,
    /// The ids of the clients that one more sanction about the target would reach.
    pub clients: Vec<String>,
    /// The clients that one more sanction about the target would reach, with their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}
